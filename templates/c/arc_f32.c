#include "template.h"

/* (asin(sqrt z) / sqrt z - 1), z in 0 .. 0.25: z P(z), P of degree 5 (minimax). */
static float arc_f32(float z)
{
	float p = 0.01439381f + z * 0.03757816f;

	p = 0.03181982f + z * p;
	p = 0.04451547f + z * p;
	p = 0.07500512f + z * p;
	p = 0.1666666f + z * p;
	return z * p;
}
