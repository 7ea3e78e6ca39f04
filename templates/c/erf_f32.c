float exp_f32(float x);
#include "template.h"

/*
 * |x| < 1: x + x P(x^2), P of degree 6. Above: 1 - exp(Q(|x|)), Q of degree 7 is ln erfc on [1,
 * 4]; from 4 on it is far enough below 0. Both are minimax in the error of the result. The second
 * form is N. Juffa's. Both ways are computed, a mask chooses: no branch. Largest error 1.40 ulp.
 */
static inline float erf_f32(float x)
{
	union { float f; uint32_t u; } v, small, large;
	uint32_t sign, mask;
	float a, z, p, q;

	v.f = x;
	sign = v.u & 0x80000000u;
	v.u ^= sign;
	a = v.f;
	z = a * a;
	p = -0.00079978531f + z * 7.80690389e-5f;
	p = 0.0051871622f + z * p;
	p = -0.0268533472f + z * p;
	p = 0.112835787f + z * p;
	p = -0.37612626f + z * p;
	p = 0.128379166f + z * p;
	small.f = a + a * p;
	q = 0.000441520009f + a * -2.17025499e-5f;
	q = -0.00420546997f + a * q;
	q = 0.0252107177f + a * q;
	q = -0.108422525f + a * q;
	q = -0.633216143f + a * q;
	q = -1.12958038f + a * q;
	q = 0.000188471211f + a * q;
	large.f = 1.0f - exp_f32(q);
	mask = 0u - (uint32_t)(a < 1.0f);
	v.u = sign | (small.u & mask) | (large.u & ~mask);
	return v.f;
}
