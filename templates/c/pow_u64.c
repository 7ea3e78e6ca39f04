#include "template.h"

/* a to the power n, modulo the type. */
static uint64_t pow_u64(uint64_t a, uint64_t n)
{
	uint64_t product = 1, square = (uint64_t)a;

	for (; n > 0; n /= 2) {
		if (n % 2 != 0)
			product *= square;
		square *= square;
	}
	return (uint64_t)product;
}
