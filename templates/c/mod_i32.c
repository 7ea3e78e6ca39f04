#include "template.h"

/* a modulo b, with the sign of b; 0 where b is. */
static int32_t mod_i32(int32_t a, int32_t b)
{
	const int32_t r = b == 0 || b == -1 ? 0 : a % b;

	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
