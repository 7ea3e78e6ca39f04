#include "template.h"

/* -x; the least one is its own. */
static int64_t neg_i64(int64_t x)
{
	return (int64_t)(0u - (uint64_t)x);
}
