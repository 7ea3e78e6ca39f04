#include "template.h"

/* a / b, towards 0. It never traps: a / 0 is 0, and what is too large wraps. */
static int32_t div_i32(int32_t a, int32_t b)
{
	return b == 0 ? 0 : b == -1 && a == INT32_MIN ? a : a / b;
}
