float exp_fma_f32(float x);
#include "template.h"

#if HAVE_VECTORS
/* c/erf_f32 with fused multiply-adds, for vectors. Largest error 1.05 ulp. */
static FUSED_CODE inline float erf_fma_f32(float x)
{
	union { float f; uint32_t u; } v;
	uint32_t sign;
	float a, z, p, q, small, large;

	v.f = x;
	sign = v.u & 0x80000000u;
	v.u ^= sign;
	a = v.f;
	z = a * a;
	p = __builtin_fmaf(z, 7.80690389e-5f, -0.00079978531f);
	p = __builtin_fmaf(z, p, 0.0051871622f);
	p = __builtin_fmaf(z, p, -0.0268533472f);
	p = __builtin_fmaf(z, p, 0.112835787f);
	p = __builtin_fmaf(z, p, -0.37612626f);
	p = __builtin_fmaf(z, p, 0.128379166f);
	small = __builtin_fmaf(a, p, a);
	q = __builtin_fmaf(a, -2.17025499e-5f, 0.000441520009f);
	q = __builtin_fmaf(a, q, -0.00420546997f);
	q = __builtin_fmaf(a, q, 0.0252107177f);
	q = __builtin_fmaf(a, q, -0.108422525f);
	q = __builtin_fmaf(a, q, -0.633216143f);
	q = __builtin_fmaf(a, q, -1.12958038f);
	q = __builtin_fmaf(a, q, 0.000188471211f);
	large = 1.0f - exp_fma_f32(q);
	v.f = a < 1.0f ? small : large;
	v.u |= sign;
	return v.f;
}
#endif
