#include "template.h"

/*
 * The integer nearest to v, even ones first, of those from low to high, which are integers below 2^21; a NaN gives low.
 * |v| is bounded by 2^21 as an integer, and then the result: compilers make vectors of such choices, and no branch. The
 * sum has no fraction. Exact.
 */
static inline float near_f32(float v, float low, float high)
{
	const int32_t least = (int32_t)low, most = (int32_t)high;
	union { float f; uint32_t u; } t;
	uint32_t size, sign;
	int32_t n;

	t.f = v;
	size = t.u & 0x7fffffffu;
	sign = (t.u & 0x80000000u) | (0x80000000u & (0u - (uint32_t)(size > 0x7f800000u)));
	t.u = sign | (size < 0x4a000000u ? size : 0x4a000000u);
	t.f += 12582912.0f;
	n = (int32_t)(t.u - 0x4b400000u);
	n = n > least ? n : least;
	n = n < most ? n : most;
	return (float)n;
}
