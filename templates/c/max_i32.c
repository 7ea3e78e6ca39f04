#include "template.h"

/* The greater of two. */
static int32_t max_i32(int32_t a, int32_t b)
{
	return a < b ? b : a;
}
