#include "template.h"

/* bfloat16 bits of x, rounded to nearest even. */
static uint16_t to_bfloat_f32(float x)
{
	union {
		float value;
		uint32_t bits;
	} u;

	u.value = x;
	if ((u.bits & 0x7fffffffu) > 0x7f800000u)
		return 0x7fc0u;
	return (uint16_t)((u.bits + 0x7fffu + (u.bits >> 16 & 1u)) >> 16);
}
