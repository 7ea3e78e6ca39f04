#include "template.h"

/* x, which has no sign. */
static uint64_t abs_u64(uint64_t x)
{
	return x;
}
