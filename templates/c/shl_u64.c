#include "template.h"

/* a shifted to the left by b bits; 0 where none is left. */
static uint64_t shl_u64(uint64_t a, uint64_t b)
{
	return b < 64u ? a << b : 0u;
}
