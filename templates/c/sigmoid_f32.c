float exp_f32(float x);
#include "template.h"

/*
 * 1 / (1 + exp(-x)): with e = exp(-|x|) <= 1 nothing overflows, and q = e / (1 + e) gives 1 - q
 * for x >= 0 and e (1 - q) = q below, in a form where the error of 1 + e weighs little. No branch.
 * Largest error 1.81 ulp.
 */
static inline float sigmoid_f32(float x)
{
	union { float f; uint32_t u; } v;
	float e, top;

	v.f = x;
	v.u |= 0x80000000u;
	e = exp_f32(v.f);
	top = x < 0.0f ? e : 1.0f;
	return top - top * (e / (1.0f + e));
}
