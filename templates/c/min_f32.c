#include "template.h"

/* The smaller of two; NaN when one of them is. */
static float min_f32(float a, float b)
{
	return b < a || b != b ? b : a;
}
