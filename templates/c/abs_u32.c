#include "template.h"

/* x, which has no sign. */
static uint32_t abs_u32(uint32_t x)
{
	return x;
}
