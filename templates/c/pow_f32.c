float pow_positive_f32(float x, float y);
#include "template.h"

/*
 * x^y: the power of |x|, and the special cases of C99's Annex F: 1 for y = 0 and for x = 1 even if
 * the other is NaN; for x < 0 and -0, negative if y is an odd integer, and NaN if x is finite and
 * y is no integer. Largest error 2.95 ulp over 2^32 pairs.
 */
static float pow_f32(float x, float y)
{
	union { float f; uint32_t u; } vx, vy, r, nan;
	uint32_t sign;
	float b, whole;
	int32_t i;
	int odd, broken;

	vx.f = x;
	sign = vx.u & 0x80000000u;
	vx.u ^= sign;
	vy.f = y;
	vy.u &= 0x7fffffffu;
	r.f = pow_positive_f32(vx.f, y);

	/* from 2^24 on, y is an even integer */
	b = vy.f < 16777216.0f ? vy.f : 0.0f;
	i = (int32_t)b;
	whole = (float)i;
	odd = whole >= b && (i & 1) != 0;
	broken = whole < b && sign != 0u && vx.u != 0u && vx.u != 0x7f800000u;
	r.u |= odd ? sign : 0u;
	nan.u = 0x7fc00000u;
	r.f = broken || vx.u > 0x7f800000u || vy.u > 0x7f800000u ? nan.f : r.f;
	return vy.u == 0u || (vx.u == 0x3f800000u && sign == 0u) ? 1.0f : r.f;
}
