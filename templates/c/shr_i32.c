#include "template.h"

/* a shifted to the right by b bits; 0 where none is left. */
static int32_t shr_i32(int32_t a, int32_t b)
{
	return (uint32_t)b < 32u ? (int32_t)((uint32_t)a >> b) : 0;
}
