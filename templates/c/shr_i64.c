#include "template.h"

/* a shifted to the right by b bits; 0 where none is left. */
static int64_t shr_i64(int64_t a, int64_t b)
{
	return (uint64_t)b < 64u ? (int64_t)((uint64_t)a >> b) : 0;
}
