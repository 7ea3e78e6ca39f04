#include "template.h"

/* a modulo b, with the sign of a; 0 where b is. */
static uint32_t fmod_u32(uint32_t a, uint32_t b)
{
	return b == 0 ? 0 : a % b;
}
