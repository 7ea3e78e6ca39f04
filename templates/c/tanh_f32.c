float exp_f32(float x);
#include "template.h"

/*
 * |x| < 0.6: x + x^3 P(x^2), P of degree 4 (minimax). Above: 1 - 2 / (exp(2 |x|) + 1), which is 1
 * from 9.02 on. The sign is put back as a bit, so tanh(-0) = -0. The split is that of Cephes
 * (tanhf.c). Both ways are computed, a mask chooses: no branch. Largest error 1.34 ulp.
 */
static inline float tanh_f32(float x)
{
	union { float f; uint32_t u; } v, small, large;
	uint32_t sign, mask;
	float a, z, p, e;

	v.f = x;
	sign = v.u & 0x80000000u;
	v.u ^= sign;
	a = v.f;
	z = a * a;
	p = 0.0207986254f + z * -0.00589796668f;
	p = -0.0537847169f + z * p;
	p = 0.133319363f + z * p;
	p = -0.333332986f + z * p;
	small.f = a + a * (z * p);
	e = exp_f32(a + a);
	large.f = 1.0f - 2.0f / (e + 1.0f);
	mask = 0u - (uint32_t)(a < 0.6f);
	v.u = sign | (small.u & mask) | (large.u & ~mask);
	return v.f;
}
