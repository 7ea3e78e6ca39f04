/* What ends the program: a fault of ours, and no memory. */
#include "core/skipc.h"

#include <stdarg.h>
#include <stdlib.h>

void die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "skipc: internal error: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n    hint: this is a bug of skipc, not of the model; please report it "
			"with the model\n");
	exit(3);
}

void out_of_memory(void)
{
	fprintf(stderr, "skipc: out of memory\n");
	exit(1);
}
