#include "template.h"

/* The smaller of two. */
static int64_t min_i64(int64_t a, int64_t b)
{
	return b < a ? b : a;
}
