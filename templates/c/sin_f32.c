#include <stdint.h>

float trig_f32(float x, uint32_t quarters);
#include "template.h"

/* The sine: see trig_f32. Largest error 0.92 ulp, for all x. */
static float sin_f32(float x)
{
	return trig_f32(x, 0u);
}
