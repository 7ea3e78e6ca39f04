#include "template.h"

/* a modulo b, with the sign of a; 0 where b is. */
static int32_t fmod_i32(int32_t a, int32_t b)
{
	return b == 0 || b == -1 ? 0 : a % b;
}
