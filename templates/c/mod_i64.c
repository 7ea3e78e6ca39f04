#include "template.h"

/* a modulo b, with the sign of b; 0 where b is. */
static int64_t mod_i64(int64_t a, int64_t b)
{
	const int64_t r = b == 0 || b == -1 ? 0 : a % b;

	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
