#include "template.h"

/* The larger of two; a when one of them is NaN. */
static float max_f32(float a, float b)
{
	return a < b ? b : a;
}
