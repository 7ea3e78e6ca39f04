#include "template.h"

/* |x|; the least one is its own. */
static int32_t abs_i32(int32_t x)
{
	return x < 0 ? (int32_t)(0u - (uint32_t)x) : x;
}
