#include "template.h"

/* a to the power n, modulo the type; a fraction is cut off. */
static int64_t pow_i64(int64_t a, int64_t n)
{
	uint64_t product = 1, square = (uint64_t)a;

	if (n < 0)
		return a == 1 ? 1 : a == -1 ? (n % 2 != 0 ? -1 : 1) : 0;
	for (; n > 0; n /= 2) {
		if (n % 2 != 0)
			product *= square;
		square *= square;
	}
	return (int64_t)product;
}
