#include "template.h"

/* a to the power n, modulo the type; a fraction is cut off. */
static int32_t pow_i32(int32_t a, int32_t n)
{
	uint32_t product = 1, square = (uint32_t)a;

	if (n < 0)
		return a == 1 ? 1 : a == -1 ? (n % 2 != 0 ? -1 : 1) : 0;
	for (; n > 0; n /= 2) {
		if (n % 2 != 0)
			product *= square;
		square *= square;
	}
	return (int32_t)product;
}
