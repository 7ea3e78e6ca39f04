float arc_f32(float x);
float sqrt_f32(float x);
#include "template.h"

/* |x| <= 0.5: x + x z P(z), z = x^2; above: pi / 2 less twice that of sqrt((1 - |x|) / 2). NaN outside -1 .. 1. */
static float asin_f32(float x)
{
	const float a = x < 0.0f ? -x : x;
	float s, y;

	if (a <= 0.5f)
		return x + x * arc_f32(x * x);
	s = sqrt_f32(0.5f * (1.0f - a));
	y = 1.57079637f - (2.0f * (s + s * arc_f32(s * s)) + 4.37113883e-8f);
	return x < 0.0f ? -y : y;
}
