#include "template.h"

/*
 * exp(x) = 2^n exp(r): n = round(x / ln 2), r = x - n ln 2 in two steps (Cody and Waite: the high
 * part of ln 2 has 15 bits, so its product with n is exact), exp(r) a polynomial of degree 6
 * (minimax on |r| <= ln 2 / 2). 2^n is two factors, so that a subnormal result rounds once. No
 * branch, no table: choices are made by masks, because compilers vectorise those. Largest error
 * 0.90 ulp.
 */
static inline float exp_f32(float x)
{
	const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
	union { float f; uint32_t u; } v, t, lo, hi;
	float n, h, l, r, p;
	uint32_t sign, mask, e;

	/* beyond 104 the result is 0 or infinity: x becomes 104 with its sign; a NaN stays */
	v.f = x;
	sign = v.u & 0x80000000u;
	v.u ^= sign;
	mask = 0u - (uint32_t)(v.f > 104.0f);
	v.u = sign | (v.u & ~mask) | (0x42d00000u & mask);

	t.f = v.f * 1.44269502f + shift;
	n = t.f - shift;
	h = v.f - n * 0.693145752f; /* exact */
	l = n * 1.42860677e-6f;
	r = h - l;
	p = 0.0083688572f + r * 0.00138217676f;
	p = 0.0416682586f + r * p;
	p = 0.166665196f + r * p;
	p = 0.49999994f + r * p;
	p = 1.0f + (h + ((r * r) * p - l));
	e = t.u - 0x4b400000u + 256u; /* n + 256 */
	lo.u = ((e >> 1) - 1u) << 23;
	hi.u = (e - (e >> 1) - 1u) << 23;
	return (p * lo.f) * hi.f;
}
