float arc_f32(float x);
float sqrt_f32(float x);
#include "template.h"

/* |x| <= 0.5: pi / 2 - asin x; else twice the arc sine of sqrt((1 - |x|) / 2), from pi below 0. NaN outside -1 .. 1. */
static float acos_f32(float x)
{
	const float a = x < 0.0f ? -x : x;
	float s, y;

	if (a <= 0.5f)
		return 1.57079637f - (x + (x * arc_f32(x * x) + 4.37113883e-8f));
	s = sqrt_f32(0.5f * (1.0f - a));
	y = 2.0f * (s + s * arc_f32(s * s));
	return x < 0.0f ? 3.14159274f - (y + 8.74227766e-8f) : y;
}
