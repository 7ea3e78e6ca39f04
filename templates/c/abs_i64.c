#include "template.h"

/* |x|; the least one is its own. */
static int64_t abs_i64(int64_t x)
{
	return x < 0 ? (int64_t)(0u - (uint64_t)x) : x;
}
