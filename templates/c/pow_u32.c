#include "template.h"

/* a to the power n, modulo the type. */
static uint32_t pow_u32(uint32_t a, uint32_t n)
{
	uint32_t product = 1, square = (uint32_t)a;

	for (; n > 0; n /= 2) {
		if (n % 2 != 0)
			product *= square;
		square *= square;
	}
	return (uint32_t)product;
}
