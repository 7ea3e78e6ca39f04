#include "template.h"

/* The smaller of two. */
static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return b < a ? b : a;
}
