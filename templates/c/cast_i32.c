#include "template.h"

/* x without its fraction; out of range and NaN: the least one, as x86 and onnxruntime on it have it. */
static int32_t cast_i32(float x)
{
	return x >= -2147483648.0f && x < 2147483648.0f ? (int32_t)x : INT32_MIN;
}
