float exp_fma_f32(float x);
#include "template.h"

#if HAVE_VECTORS
/* c/tanh_f32 with fused multiply-adds, for vectors. Largest error 1.41 ulp. */
static FUSED_CODE inline float tanh_fma_f32(float x)
{
	union { float f; uint32_t u; } v;
	uint32_t sign;
	float a, z, p, small, large;

	v.f = x;
	sign = v.u & 0x80000000u;
	v.u ^= sign;
	a = v.f;
	z = a * a;
	p = __builtin_fmaf(z, -0.00589796668f, 0.0207986254f);
	p = __builtin_fmaf(z, p, -0.0537847169f);
	p = __builtin_fmaf(z, p, 0.133319363f);
	p = __builtin_fmaf(z, p, -0.333332986f);
	small = __builtin_fmaf(a, z * p, a);
	large = 1.0f - 2.0f / (exp_fma_f32(a + a) + 1.0f);
	v.f = a < 0.6f ? small : large;
	v.u |= sign;
	return v.f;
}
#endif
