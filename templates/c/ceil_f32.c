#include "template.h"

/*
 * Adding and taking away 2^23 rounds |x| < 2^23 to an integer; 1 more if that is below x. Larger
 * values are integers already. Exact. The result has the sign of x, so ceil(-0.5) = -0. No branch.
 */
static inline float ceil_f32(float x)
{
	union { float f; uint32_t u; } v, t;
	uint32_t sign;
	float a, shift, up;

	v.f = x;
	sign = v.u & 0x80000000u;
	v.u ^= sign;
	a = v.f;
	shift = a < 8388608.0f ? 8388608.0f : 0.0f;
	t.f = (a + shift) - shift;
	t.u |= sign;
	up = t.f < x ? 1.0f : 0.0f;
	t.f = t.f + up;
	t.u |= sign;
	return t.f;
}
