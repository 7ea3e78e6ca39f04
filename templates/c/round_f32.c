#include "template.h"

/*
 * Half to even: adding and taking away 2^23 rounds |x| < 2^23 as the arithmetic does. Larger
 * values are integers already. Exact. The result has the sign of x, so round(-0.5) = -0. No
 * branch.
 */
static inline float round_f32(float x)
{
	union { float f; uint32_t u; } v, t;
	uint32_t sign;
	float a, shift;

	v.f = x;
	sign = v.u & 0x80000000u;
	v.u ^= sign;
	a = v.f;
	shift = a < 8388608.0f ? 8388608.0f : 0.0f;
	t.f = (a + shift) - shift;
	t.u |= sign;
	return t.f;
}
