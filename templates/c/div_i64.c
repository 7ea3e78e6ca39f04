#include "template.h"

/* a / b, towards 0. It never traps: a / 0 is 0, and what is too large wraps. */
static int64_t div_i64(int64_t a, int64_t b)
{
	return b == 0 ? 0 : b == -1 && a == INT64_MIN ? a : a / b;
}
