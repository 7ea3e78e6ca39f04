#include "template.h"

/* |x| */
static int64_t abs_i64(int64_t x)
{
	return x < 0 ? -x : x;
}
