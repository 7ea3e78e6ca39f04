#include "template.h"

#if HAVE_VECTORS
/*
 * exp(x) as c/exp_f32 has it, for vectors: fused multiply-adds, whose bits are the same everywhere. 2 exp(r) is one
 * chain and 2^(n - 1) one factor, which is 0 where the result would be less than 2^-125. Largest error 0.90 ulp.
 */
static FUSED_CODE inline float exp_fma_f32(float x)
{
	const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
	union { float f; uint32_t u; } t, scale;
	float n, r, p;

	x = x > 89.0f ? 89.0f : x; /* a NaN stays */
	x = x < -87.0f ? -87.0f : x;
	t.f = __builtin_fmaf(x, 1.44269502f, shift);
	n = t.f - shift;
	r = __builtin_fmaf(n, -0.693145752f, x);
	r = __builtin_fmaf(n, -1.42860677e-6f, r);
	p = __builtin_fmaf(r, 2.0f * 0.00138217676f, 2.0f * 0.0083688572f);
	p = __builtin_fmaf(r, p, 2.0f * 0.0416682586f);
	p = __builtin_fmaf(r, p, 2.0f * 0.166665196f);
	p = __builtin_fmaf(r, p, 2.0f * 0.49999994f);
	p = __builtin_fmaf(r, p, 2.0f);
	p = __builtin_fmaf(r, p, 2.0f);
	scale.u = (t.u + 126u) << 23;
	return p * scale.f;
}
#endif
