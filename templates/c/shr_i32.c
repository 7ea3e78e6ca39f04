#include "template.h"

/* a shifted to the right by b bits, its sign into the places that become free; where none is left, all of them. */
static int32_t shr_i32(int32_t a, int32_t b)
{
	const int32_t sign = a < 0 ? -1 : 0;

	return (uint32_t)b < 32u ? ((a ^ sign) >> b) ^ sign : sign;
}
