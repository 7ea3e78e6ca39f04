float exp_f32(float x);
#include "template.h"

/*
 * log(1 + exp(x)) = max(x, 0) + log1p(e) with e = exp(-|x|) in [0, 1], which neither overflows nor
 * loses small results; log1p(e) = e - e^2 / 2 + e^3 P(e), P of degree 9 (minimax). No branch.
 * Largest error 1.95 ulp.
 */
static inline float softplus_f32(float x)
{
	const float above = x > 0.0f ? x : 0.0f;
	union { float f; uint32_t u; } v;
	float e, z, p;

	v.f = x;
	v.u |= 0x80000000u;
	e = exp_f32(v.f);
	p = 0.00987555925f + e * -0.00142018788f;
	p = -0.0321347192f + e * p;
	p = 0.0667614192f + e * p;
	p = -0.103659824f + e * p;
	p = 0.13563925f + e * p;
	p = -0.165036082f + e * p;
	p = 0.199771568f + e * p;
	p = -0.24998261f + e * p;
	p = 0.333332807f + e * p;
	z = e * e;
	p = (e * z) * p;
	return e + (above + (p - 0.5f * z));
}
