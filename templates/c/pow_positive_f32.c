#include <float.h>

#include "template.h"

/*
 * x^y for x >= 0 without the cases that pow adds: 2^(y log2 x), log2 x and the product as sums of
 * two floats. x = 2^k m, m in [sqrt(3) / 2, sqrt 3); s = (m - b) / (m + b), b the nearer of 1 and
 * 3 / 2; log2 m = log2 b + (2 / ln 2) (s + s^3 P(s^2)), P of degree 2 (minimax). High parts are
 * cut to 12 bits, so that their products are exact; this way is that of fdlibm (e_powf.c). 2^r is
 * a polynomial of degree 7 (minimax on |r| <= 1/2). No table. Largest error 2.95 ulp.
 */
static float pow_positive_f32(float x, float y)
{
	const uint32_t cut = 0xfffff000u;
	const float shift = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
	union { float f; uint32_t u; } m, sh, th, yh, t, lo, hi, zero, inf;
	float k, b, f, d, z, l, p, q, n, r;
	uint32_t e;

	/* log2 x = th + l, th of 12 bits */
	q = x * 8388608.0f;
	m.f = x < FLT_MIN ? q : x;
	k = x < FLT_MIN ? 150.0f : 127.0f;
	m.u += 0x3f800000u - 0x3f5db3d7u;
	k = (float)(int32_t)(m.u >> 23) - k;
	m.u = (m.u & 0x007fffffu) + 0x3f5db3d7u;
	b = m.f > 1.22474487f ? 1.5f : 1.0f;
	f = m.f - b;
	d = m.f + b;
	sh.f = f / d;
	z = sh.f * sh.f;
	p = 0.333333343f + z * (0.199990287f + z * 0.144841433f);
	p = (sh.f * z) * p;
	sh.u &= cut;
	th.f = d;
	th.u &= cut;
	l = ((f - sh.f * th.f) - sh.f * (m.f - (th.f - b))) / d + p;
	p = sh.f * 2.88476562f; /* 2 / ln 2, 12 bits */
	l = sh.f * 0.000624456792f + l * 2.88539004f;
	r = b > 1.0f ? 1.56322119e-6f : 0.0f;
	l = l + r;
	r = b > 1.0f ? 0.584960938f : 0.0f; /* log2 b, 12 bits */
	k = k + r;
	q = k + p;
	l = ((k - q) + p) + l;
	th.f = q + l;
	th.u &= cut;
	l = l - (th.f - q);

	/* y log2 x = p + l; |y| above 2^33 makes it overflow or vanish as 2^33 does */
	q = y < 8589934592.0f ? y : 8589934592.0f;
	q = q > -8589934592.0f ? q : -8589934592.0f;
	yh.f = q;
	yh.u &= cut;
	p = yh.f * th.f;
	l = (q - yh.f) * (th.f + l) + yh.f * l;
	q = p + l;
	l = l - (q - p);
	p = q < 200.0f ? q : 200.0f;
	p = p > -200.0f ? p : -200.0f;
	l = l < 1.0f ? l : 0.0f; /* 1 and more only where p is at a limit */
	l = l > -1.0f ? l : 0.0f;
	t.f = p + shift;
	n = t.f - shift;
	r = (p - n) + l;
	p = 0.000154523135f + r * 1.44322294e-5f;
	p = 0.00133375474f + r * p;
	p = 0.00961808674f + r * p;
	p = 0.0555040538f + r * p;
	p = 0.240226507f + r * p;
	p = 0.693147182f + r * p;
	p = 1.0f + r * p;
	e = t.u - 0x4b400000u + 256u; /* n + 256 */
	lo.u = ((e >> 1) - 1u) << 23;
	hi.u = (e - (e >> 1) - 1u) << 23;
	p = (p * lo.f) * hi.f;

	inf.u = 0x7f800000u;
	zero.f = y > 0.0f ? 0.0f : inf.f;
	inf.f = y > 0.0f ? inf.f : 0.0f;
	p = x > 0.0f ? p : zero.f;
	return x <= FLT_MAX ? p : inf.f;
}
