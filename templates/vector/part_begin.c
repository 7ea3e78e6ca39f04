#include "template.h"

/* Where part i of 0 .. end begins, in steps. */
static int part_begin(int i, int parts, int end, int step)
{
	const int units = end / step + (end % step > 0);
	const int at = (int)((int64_t)i * units / parts);

	return i < parts ? at * step : end;
}
