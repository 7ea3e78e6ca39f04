#include "template.h"

/*
 * Adding and taking away 2^23 rounds |x| < 2^23 to an integer; 1 less if that is above x. Larger
 * values are integers already. Exact. The result has the sign of x, so floor(-0) = -0. No branch.
 */
static inline float floor_f32(float x)
{
	union { float f; uint32_t u; } v, t;
	uint32_t sign;
	float a, shift, down;

	v.f = x;
	sign = v.u & 0x80000000u;
	v.u ^= sign;
	a = v.f;
	shift = a < 8388608.0f ? 8388608.0f : 0.0f;
	t.f = (a + shift) - shift;
	t.u |= sign;
	down = t.f > x ? -1.0f : 0.0f;
	t.f = t.f + down;
	t.u |= sign;
	return t.f;
}
