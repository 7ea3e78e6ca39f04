#include "template.h"

/* a / b; 0 where b is. */
static uint32_t div_u32(uint32_t a, uint32_t b)
{
	return b == 0 ? 0 : a / b;
}
