float log_f32(float x);
float log1p_f32(float x);
float sqrt_f32(float x);
#include "template.h"

/* log(x + sqrt(x^2 - 1)); log(2 x) above 1e9. NaN below 1. */
static float acosh_f32(float x)
{
	const float t = x - 1.0f;

	if (x < 1.0f)
		return (t - t) / (t - t);
	return x > 1e9f ? log_f32(x) + 0.693147182f : log1p_f32(t + sqrt_f32(2.0f * t + t * t));
}
