#include <float.h>

#include "template.h"

/*
 * x = 2^k m with m in [sqrt(1/2), sqrt 2), f = m - 1 (exact):
 * log x = k ln2_hi + (f - (f^2 / 2 - (f^3 P(f) + k ln2_lo))), k ln2_hi exact, P of degree 8
 * (minimax). The reduction is that of fdlibm (e_logf.c); the polynomial is in the place of its
 * division. No branch, no table. Largest error 0.83 ulp.
 */
static inline float log_f32(float x)
{
	union { float f; uint32_t u; } v, m;
	uint32_t mask;
	float k, f, z, p;

	/* a subnormal x is made normal, by 2^23 */
	mask = 0u - (uint32_t)(x < FLT_MIN);
	v.f = x;
	m.f = x * 8388608.0f;
	m.u = (m.u & mask) | (v.u & ~mask);
	m.u += 0x3f800000u - 0x3f3504f3u;
	k = (float)((int32_t)(m.u >> 23) - 127 - (int32_t)(mask & 23u));
	m.u = (m.u & 0x007fffffu) + 0x3f3504f3u;
	f = m.f - 1.0f;
	z = f * f;
	p = -0.116701826f + f * 0.0674953908f;
	p = 0.118834712f + f * p;
	p = -0.124062084f + f * p;
	p = 0.142203629f + f * p;
	p = -0.166679904f + f * p;
	p = 0.200020716f + f * p;
	p = -0.250000089f + f * p;
	p = 0.333333135f + f * p;
	p = (f * z) * p + k * 1.42860677e-6f;
	p = k * 0.693145752f + (f - (0.5f * z - p));

	/* -infinity at 0, NaN below; infinity and NaN are themselves */
	m.f = p;
	mask = 0u - (uint32_t)(v.u << 1 == 0u);
	v.u |= 0xff800000u & mask;
	mask = 0u - (uint32_t)(x < 0.0f);
	v.u |= 0x7fc00000u & mask;
	mask = 0u - (uint32_t)(v.u - 1u < 0x7f7fffffu);
	m.u = (m.u & mask) | (v.u & ~mask);
	return m.f;
}
