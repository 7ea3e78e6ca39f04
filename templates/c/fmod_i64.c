#include "template.h"

/* a modulo b, with the sign of a; 0 where b is. */
static int64_t fmod_i64(int64_t a, int64_t b)
{
	return b == 0 || b == -1 ? 0 : a % b;
}
