#include "template.h"

/* The smaller of two; a when one of them is NaN. */
static float min_f32(float a, float b)
{
	return b < a ? b : a;
}
