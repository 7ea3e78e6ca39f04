#include "template.h"

/* The smaller of two. */
static int32_t min_i32(int32_t a, int32_t b)
{
	return b < a ? b : a;
}
