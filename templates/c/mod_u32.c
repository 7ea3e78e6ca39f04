#include "template.h"

/* a modulo b; b is not 0. */
static uint32_t mod_u32(uint32_t a, uint32_t b)
{
	return a % b;
}
