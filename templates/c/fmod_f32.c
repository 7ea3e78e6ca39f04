#include "template.h"

/* x modulo y with the sign of x, exact: long division of the significands, bit by bit. NaN where x is infinite or y is 0. */
static float fmod_f32(float x, float y)
{
	union { float f; uint32_t u; } a = { x }, b = { y };
	const uint32_t sign = a.u & 0x80000000u;
	int ea, eb;
	uint32_t ma, mb;

	a.u ^= sign;
	b.u &= 0x7fffffffu;
	if (b.u == 0u || b.u > 0x7f800000u || a.u >= 0x7f800000u)
		return (x * y) / (x * y);
	if (a.u < b.u)
		return x;
	ea = (int)(a.u >> 23);
	eb = (int)(b.u >> 23);
	ma = ea > 0 ? (a.u & 0x7fffffu) | 0x800000u : a.u;
	mb = eb > 0 ? (b.u & 0x7fffffu) | 0x800000u : b.u;
	for (ea = ea > 0 ? ea : 1; ma < 0x800000u; ea--)
		ma <<= 1;
	for (eb = eb > 0 ? eb : 1; mb < 0x800000u; eb--)
		mb <<= 1;
	for (; ea > eb; ea--)
		ma = (ma >= mb ? ma - mb : ma) << 1;
	ma = ma >= mb ? ma - mb : ma;
	for (; ma != 0u && ma < 0x800000u; eb--)
		ma <<= 1;
	a.u = eb > 0 ? ((uint32_t)eb << 23) + (ma - 0x800000u) : ma >> (1 - eb);
	a.u = ma == 0u ? sign : a.u | sign;
	return a.f;
}
