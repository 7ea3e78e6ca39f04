#include "template.h"

/* The greater of two. */
static uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a < b ? b : a;
}
