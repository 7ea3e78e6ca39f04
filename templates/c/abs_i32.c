#include "template.h"

/* |x| */
static int32_t abs_i32(int32_t x)
{
	return x < 0 ? -x : x;
}
