#include "template.h"

/* -x; the least one is its own. */
static int32_t neg_i32(int32_t x)
{
	return (int32_t)(0u - (uint32_t)x);
}
