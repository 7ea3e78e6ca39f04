#include "template.h"

/* a shifted to the left by b bits; 0 where none is left. */
static uint32_t shl_u32(uint32_t a, uint32_t b)
{
	return b < 32u ? a << b : 0u;
}
