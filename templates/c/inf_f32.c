#include "template.h"

/* Infinity. */
static float inf_f32(void)
{
	const union {
		uint32_t bits;
		float value;
	} x = { 0x7f800000u };

	return x.value;
}
