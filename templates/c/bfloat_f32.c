#include "template.h"

/* The value of bfloat16 bits: the upper half of a float. */
static float bfloat_f32(uint16_t bits)
{
	const union {
		uint32_t bits;
		float value;
	} x = { (uint32_t)bits << 16 };

	return x.value;
}
