/*
 * Largest errors of the functions of templates/c and x86 over all floats, against libm in double, and a
 * hash of their bits, which must be the same on all targets (every NaN counts as one).
 *
 *     cc -std=c99 -O2 math_exhaustive.c -lm
 *     a.out [-b] [-s STRIDE] [NAME...]  -b: hashes only; every STRIDE-th float; these functions
 *
 * About a minute a function. Status 1: an error is larger than it may be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math_ulp.h"

static int wanted(const char *name, char **names)
{
	if (*names == NULL)
		return 1;
	for (; *names != NULL; names++)
		if (strcmp(*names, name) == 0)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t stride = 1;
	int only_bits = 0, bad = 0, arg = 1;

	for (; arg < argc && argv[arg][0] == '-'; arg++) {
		if (strcmp(argv[arg], "-b") == 0)
			only_bits = 1;
		else if (strcmp(argv[arg], "-s") == 0 && arg + 1 < argc)
			stride = strtoull(argv[++arg], NULL, 10);
		else
			stride = 0;
	}
	if (stride == 0) {
		fprintf(stderr, "usage: math_exhaustive [-b] [-s STRIDE] [NAME...]\n");
		return 2;
	}
	for (int i = 0; i < NFUNCTIONS; i++) {
		const struct function *f = &functions[i];

		if (!wanted(f->name, argv + arg) || !runs_here(f))
			continue;
		const struct tally t = measure(f, stride, !only_bits);

		printf("%-11s %016llx", f->name, (unsigned long long)t.hash);
		if (!only_bits)
			printf(" %8.4f ulp at %.9g %.9g, of %llu%s", t.worst, (double)t.x,
			       (double)t.y, (unsigned long long)t.count,
			       t.worst > f->bound ? ": TOO LARGE" : "");
		printf("\n");
		fflush(stdout);
		bad |= t.worst > f->bound;
	}
	return bad;
}
