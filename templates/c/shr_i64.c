#include "template.h"

/* a shifted to the right by b bits, its sign into the places that become free; where none is left, all of them. */
static int64_t shr_i64(int64_t a, int64_t b)
{
	const int64_t sign = a < 0 ? -1 : 0;

	return (uint64_t)b < 64u ? ((a ^ sign) >> b) ^ sign : sign;
}
