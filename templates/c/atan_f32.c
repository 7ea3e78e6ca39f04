#include "template.h"

/*
 * |x| <= tan(pi / 8): x + x^3 P(x^2), P of degree 4 (minimax). Up to tan(3 pi / 8) that of (x - 1) / (x + 1)
 * and pi / 4, above of -1 / x and pi / 2, which are added in two parts; the reduction is that of Cephes
 * (atanf.c). The sign is put back, so atan(-0) = -0.
 */
static float atan_f32(float x)
{
	const float a = x < 0.0f ? -x : x;
	float t = a, turn = 0.0f, rest = 0.0f, z, p;

	if (a > 2.41421366f) {
		t = -1.0f / a;
		turn = 1.57079637f;
		rest = -4.37113883e-8f;
	} else if (a > 0.414213568f) {
		t = (a - 1.0f) / (a + 1.0f);
		turn = 0.785398185f;
		rest = -2.18556941e-8f;
	}
	z = t * t;
	p = 0.10595912f + z * -0.06083216f;
	p = -0.14243837f + z * p;
	p = 0.19998489f + z * p;
	p = -0.33333315f + z * p;
	p = turn + (t + (t * (z * p) + rest));
	return x < 0.0f ? -p : x > 0.0f ? p : x;
}
