#include "template.h"

/* a shifted to the right by b bits; 0 where none is left. */
static uint64_t shr_u64(uint64_t a, uint64_t b)
{
	return b < 64u ? a >> b : 0u;
}
