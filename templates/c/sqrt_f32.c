#include "template.h"

/* Square root, correctly rounded, as IEEE 754 has it: an estimate, then the exact root of integers.
 * The C library's would be the same number, but a program without it must not need one. */
static float sqrt_f32(float x)
{
	union {
		float f;
		uint32_t u;
	} b = { x }, y;
	int exponent = (int)(b.u >> 23);
	uint32_t m = b.u & 0x7fffff, root;

	if (!(x > 0.0f) || exponent == 255) /* 0, -0, infinity; NaN from NaN and below 0 */
		return x < 0.0f ? (x - x) / (x - x) : x;
	if (exponent == 0) { /* subnormal: shift its first bit up */
		for (exponent = 1; m < 0x800000; exponent--)
			m <<= 1;
	} else {
		m |= 0x800000;
	}
	/* x = m * 2^(exponent - 150), and scaled = m * 2^23 or 2^24 in [2^46, 2^48) with an even power */
	const int odd = exponent & 1;
	const uint64_t scaled = (uint64_t)m << (odd ? 23 : 24);

	y.f = (float)scaled;
	y.u = 0x1fbd1df5 + (y.u >> 1); /* 4 % off */
	for (int i = 0; i < 3; i++)
		y.f = 0.5f * (y.f + (float)scaled / y.f);
	root = (uint32_t)y.f;
	while ((uint64_t)root * root > scaled)
		root--;
	while ((uint64_t)(root + 1) * (root + 1) <= scaled)
		root++;
	if (scaled - (uint64_t)root * root > root) /* nearest: no integer has a root half-way */
		root++;
	b.u = ((uint32_t)((exponent + 126 + odd) / 2) << 23) + (root - 0x800000);
	return b.f;
}
