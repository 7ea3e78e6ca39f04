float exp_f32(float x);
#include "template.h"

/* exp(|x|) / 2 + exp(-|x|) / 2, as squares of exp(|x| / 2), which do not overflow before the result. */
static float cosh_f32(float x)
{
	const float e = exp_f32(0.5f * (x < 0.0f ? -x : x)), r = 1.0f / e;

	return 0.5f * e * e + 0.5f * r * r;
}
