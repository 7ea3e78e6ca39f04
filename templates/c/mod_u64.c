#include "template.h"

/* a modulo b; b is not 0. */
static uint64_t mod_u64(uint64_t a, uint64_t b)
{
	return a % b;
}
