#include "template.h"

/* The smaller of two. */
static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return b < a ? b : a;
}
