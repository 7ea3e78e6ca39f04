float log1p_f32(float x);
#include "template.h"

/* log((1 + x) / (1 - x)) / 2; x itself below 1e-4. NaN outside -1 .. 1. */
static float atanh_f32(float x)
{
	const float a = x < 0.0f ? -x : x;
	float y;

	if (a < 1e-4f)
		return x;
	if (a > 1.0f)
		return (a - a) / (a - a);
	y = 0.5f * log1p_f32(2.0f * a / (1.0f - a));
	return x < 0.0f ? -y : y;
}
