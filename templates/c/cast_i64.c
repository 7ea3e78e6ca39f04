#include "template.h"

/* x without its fraction; out of range and NaN: the least one, as x86 and onnxruntime on it have it. */
static int64_t cast_i64(float x)
{
	return x >= -9223372036854775808.0f && x < 9223372036854775808.0f ? (int64_t)x : INT64_MIN;
}
