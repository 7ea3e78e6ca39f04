float log_f32(float x);
#include "template.h"

/* log(1 + x): what 1 + x lost is made up for by x / ((1 + x) - 1), W. Kahan's way. */
static float log1p_f32(float x)
{
	const float w = 1.0f + x;

	if (!(w - 1.0f > 0.0f || w - 1.0f < 0.0f)) /* no difference, or NaN */
		return x;
	return w - w == 0.0f ? log_f32(w) * (x / (w - 1.0f)) : w;
}
