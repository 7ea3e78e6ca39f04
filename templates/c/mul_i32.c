#include "template.h"

/* The product, modulo 2^32. */
static int32_t mul_i32(int32_t a, int32_t b)
{
	return (int32_t)((uint32_t)a * (uint32_t)b);
}
