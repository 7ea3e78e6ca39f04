float exp_f32(float x);
#include "template.h"

/* |x| < 1: the series up to x^11. Above: exp(|x|) / 2 - exp(-|x|) / 2, as squares of exp(|x| / 2), which do not
 * overflow before the result. */
static float sinh_f32(float x)
{
	const float a = x < 0.0f ? -x : x, z = x * x;
	float e, p;

	if (a < 1.0f) {
		p = 1.0f + z * (1.0f / 110.0f);
		p = 1.0f + z * (1.0f / 72.0f) * p;
		p = 1.0f + z * (1.0f / 42.0f) * p;
		p = 1.0f + z * (1.0f / 20.0f) * p;
		return x + x * (z * (1.0f / 6.0f) * p);
	}
	e = exp_f32(0.5f * a);
	p = 1.0f / e;
	p = 0.5f * e * e - 0.5f * p * p;
	return x < 0.0f ? -p : p;
}
