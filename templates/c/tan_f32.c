float sin_f32(float x);
float cos_f32(float x);
#include "template.h"

/* The tangent. */
static float tan_f32(float x)
{
	return sin_f32(x) / cos_f32(x);
}
