float log_f32(float x);
float log1p_f32(float x);
float sqrt_f32(float x);
#include "template.h"

/* log(|x| + sqrt(x^2 + 1)); x itself below 1e-4, log(2 |x|) above 1e9. */
static float asinh_f32(float x)
{
	const float a = x < 0.0f ? -x : x;
	float y;

	if (a < 1e-4f)
		return x;
	y = a > 1e9f ? log_f32(a) + 0.693147182f : log1p_f32(a + a * a / (1.0f + sqrt_f32(a * a + 1.0f)));
	return x < 0.0f ? -y : y;
}
