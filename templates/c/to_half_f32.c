#include "template.h"

/* IEEE half precision bits of x, rounded to nearest even. */
static uint16_t to_half_f32(float x)
{
	union {
		float value;
		uint32_t bits;
	} u;

	u.value = x;
	const uint32_t sign = u.bits >> 16 & 0x8000u, rest = u.bits & 0x7fffffffu;

	if (rest > 0x7f800000u)
		return (uint16_t)(sign | 0x7e00u);
	if (rest >= 0x477ff000u) /* rounds beyond 65504 */
		return (uint16_t)(sign | 0x7c00u);
	if (rest < 0x38800000u) { /* below 2^-14: adding one half rounds to a multiple of 2^-24 */
		u.bits = rest;
		u.value += 0.5f;
		return (uint16_t)(sign | (u.bits - 0x3f000000u));
	}
	return (uint16_t)(sign | ((rest - 0x38000000u + 0xfffu + (rest >> 13 & 1u)) >> 13));
}
