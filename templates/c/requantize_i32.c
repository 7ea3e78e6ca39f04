#include "template.h"

/*
 * The integer nearest to the float a times m, a finite float, their product rounded to a float, even ones first, of those from
 * low to high, which are below 2^21. Without an FPU (interface/NAME.c says when) in integers, to the same bits: |a| < 2^23
 * is a float, and |a| m = (h + f) 2^-shift, 0 <= f < 1. Rounding it moves it by less than (h 2^-24 + 1) 2^-shift, and never
 * past half of an odd number, which is a float, too. So where h is farther than h 2^-24 + 2 from those, the nearest integer
 * is that of h. Nearly all h are; the others, and other a and m, take the floats.
 */
static inline int32_t requantize_i32(int32_t a, float m, int32_t low, int32_t high)
{
	union { float f; uint32_t u; int32_t i; } t;
	int32_t n;

#if !FPU
	const uint32_t x = a < 0 ? 0u - (uint32_t)a : (uint32_t)a;

	t.f = m;
	if (x < 0x800000u && t.u - 0x34000000u < 0x0f000000u) { /* 2^-23 <= m < 2^7 */
		const uint32_t h = (uint32_t)((uint64_t)(x << 8) * (t.u << 8 | 0x80000000u) >> 32);
		const uint32_t shift = 134u - (t.u >> 23), one = (uint32_t)1 << shift, sum = h + (one >> 1);
		const uint32_t rest = sum & (one - 1u), near = (h >> 24) + 2u;

		if (rest >= near && rest + near <= one) {
			n = (int32_t)(sum >> shift);
			n = a < 0 ? -n : n;
			n = n > low ? n : low;
			return n < high ? n : high;
		}
	}
#endif
	t.f = (float)a * m;
	t.u = t.u < 0xca000000u ? t.u : 0xca000000u; /* not below -2^21 .. */
	t.i = t.i < 0x4a000000 ? t.i : 0x4a000000; /* .. nor above 2^21 */
	t.f += 12582912.0f; /* no fraction is left */
	n = t.i - 0x4b400000;
	n = n > low ? n : low;
	return n < high ? n : high;
}
