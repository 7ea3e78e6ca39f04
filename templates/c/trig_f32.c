#include <float.h>

#include "template.h"

/*
 * sin(x + quarters pi / 2), quarters 0 for the sine, 1 for the cosine. |x| = q pi / 2 + (r + l):
 * from pi / 4 on, |x| is multiplied by 2 / pi in integers, as far as matters modulo 4 (Payne and
 * Hanek), so that the error is the same for all x. Then minimax polynomials on |r| <= pi / 4.
 * Infinity gives NaN. Largest error 0.92 ulp.
 */
static float trig_f32(float x, uint32_t quarters)
{
	/* 2 / pi = 0.a2f9836e..., after 32 zeros */
	static const uint32_t two_over_pi[] = {
		0x00000000u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u,
		0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu,
	};
	union { float f; uint32_t u; } v, t;
	uint32_t sign, q = quarters;
	float r, l = 0.0f, z, s, c;

	v.f = x;
	sign = quarters == 0u ? v.u & 0x80000000u : 0u; /* the sine is odd */
	v.u &= 0x7fffffffu;
	r = v.f;
	if (!(r <= FLT_MAX)) {
		t.u = 0x7fc00000u;
		return r > FLT_MAX ? t.f : x + x;
	}
	if (r > 0.785398185f) {
		/* w0 w1 w2: the 96 bits of 2 / pi with |x| 2 / pi = m w / 2^94 modulo 4 */
		const uint32_t m = (v.u & 0x007fffffu) | 0x00800000u;
		const uint32_t bit = (v.u >> 23) - 120u;
		const uint32_t *w = two_over_pi + (bit >> 5);
		const uint32_t by = 32u - (bit & 31u);
		const uint64_t w0 = (((uint64_t)w[0] << 32 | w[1]) >> by) & 0xffffffffu;
		const uint64_t w1 = (((uint64_t)w[1] << 32 | w[2]) >> by) & 0xffffffffu;
		const uint64_t w2 = (((uint64_t)w[2] << 32 | w[3]) >> by) & 0xffffffffu;
		uint64_t p = (m * w0 << 32) + m * w1 + (m * w2 >> 32); /* its top 64 bits */
		const uint32_t n = (uint32_t)((p + ((uint64_t)1 << 61)) >> 62);
		uint32_t flip;

		/* n is the nearest integer; the rest, made positive, as two floats, times pi / 2 */
		p -= (uint64_t)n << 62;
		flip = (uint32_t)(p >> 63) << 31;
		p = flip != 0u ? 0u - p : p;
		s = (float)(int32_t)(p >> 38) * 5.96046448e-8f;
		c = (float)(int32_t)(p >> 14 & 0xffffffu) * 3.55271368e-15f;
		r = s + c;
		l = (c - (r - s)) + (float)(int32_t)(p & 0x3fffu) * 2.16840434e-19f;
		t.f = r;
		t.u &= 0xfffff000u; /* 12 bits: the product with the high part of pi / 2 is exact */
		l = t.f * 0.000483826792f + ((r - t.f) + l) * 1.57079637f;
		r = t.f * 1.5703125f;
		q += n;
		z = r + l;
		l = l - (z - r);
		t.f = z;
		t.u ^= flip;
		r = t.f;
		l = flip != 0u ? -l : l;
	}
	z = r * r;
	s = 0.00833210628f + z * -0.000195078741f;
	s = -0.166666538f + z * s;
	s = r + (l + (r * z) * s);
	c = -0.00138873083f + z * 2.44321091e-5f;
	c = 0.0416666456f + z * c;
	t.f = 1.0f - 0.5f * z;
	c = t.f + (((1.0f - t.f) - 0.5f * z) + ((z * z) * c - r * l));
	t.f = (q & 1u) != 0u ? c : s;
	t.u ^= sign ^ (q & 2u) << 30;
	return t.f;
}
