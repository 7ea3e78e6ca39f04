#include "template.h"

/* a modulo b, with the sign of a; 0 where b is. */
static uint64_t fmod_u64(uint64_t a, uint64_t b)
{
	return b == 0 ? 0 : a % b;
}
