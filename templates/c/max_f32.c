#include "template.h"

/* The larger of two; NaN when one of them is. */
static float max_f32(float a, float b)
{
	return a < b || b != b ? b : a;
}
