#include "template.h"

/* The value of IEEE half precision bits, exactly. */
static float half_f32(uint16_t bits)
{
	const uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, rest = bits & 0x7fffu;
	union {
		uint32_t bits;
		float value;
	} x;

	if (rest < 0x400u) { /* zero and subnormals: a fraction of 2^-24 */
		x.value = (float)rest * 5.9604644775390625e-8f;
		x.bits |= sign;
	} else if (rest >= 0x7c00u) {
		x.bits = sign | 0x7f800000u | (rest & 0x3ffu) << 13;
	} else {
		x.bits = sign | ((rest << 13) + 0x38000000u);
	}
	return x.value;
}
