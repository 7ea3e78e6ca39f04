#include "template.h"

/* x without its fraction, below 0 modulo 2^64; out of range and NaN: 2^63. */
static uint64_t cast_u64(float x)
{
	const float half = 9223372036854775808.0f;

	if (x >= half && x < 2.0f * half)
		return (uint64_t)x;
	return x >= -half && x < half ? (uint64_t)(int64_t)x : (uint64_t)1 << 63;
}
