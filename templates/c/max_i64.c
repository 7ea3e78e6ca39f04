#include "template.h"

/* The greater of two. */
static int64_t max_i64(int64_t a, int64_t b)
{
	return a < b ? b : a;
}
