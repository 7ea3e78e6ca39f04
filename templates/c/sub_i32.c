#include "template.h"

/* The difference, modulo 2^32. */
static int32_t sub_i32(int32_t a, int32_t b)
{
	return (int32_t)((uint32_t)a - (uint32_t)b);
}
