#include "template.h"

/*
 * The integer nearest to v, even ones first, of those from low to high, which are integers below 2^22: so the sum has
 * no fraction. A NaN gives low. Exact.
 */
static inline float near_f32(float v, float low, float high)
{
	const float bounded = v > low ? v : low, least = bounded < high ? bounded : high;

	return (least + 12582912.0f) - 12582912.0f;
}
