/*
 * Kernels in parts, which threads may share: into how many each is cut. The parts depend on shapes alone, never on the number of workers, so the bits do not
 * either.
 */
#include "kernels/kernel.h"

#include <math.h>
#include <string.h>

enum { MOST_PARTS = 16 };

/* ---- how many ---- */

static int64_t units_of(const struct share *r)
{
	return (r->end + r->step - 1) / r->step;
}

static double elements(const struct kernel *k, bool constant)
{
	double sum = 0.0;

	for (int i = 0; i < k->narg; i++) {
		const struct region *r = &k->arg[i].region;

		if (region_is_constant(r) == constant)
			sum += (double)shape_count(&r->shape);
	}
	return sum;
}

int part_count(const struct kernel *k)
{
	int count = 1;

	for (int i = 0; i < k->nshare; i++)
		count *= k->share[i].parts;
	return count;
}

/* The time that the slowest of so many workers takes. */
static double cost(const struct kernel *k, int workers)
{
	const int count = part_count(k), turns = (count + workers - 1) / workers;
	const double y = (double)shape_count(&k->dst.shape);
	double part = 1.0, rows = 1.0; /* what is in the largest part */
	int pieces = 1;                /* of the channels */

	for (int i = 0; i < k->nshare; i++) {
		const struct share *r = &k->share[i];
		int64_t largest = (units_of(r) + r->parts - 1) / r->parts * r->step;
		double size = largest < r->end ? (double)largest / (double)r->end : 1.0;

		part *= size;
		if (r->divides == DIVIDES_INPUT)
			rows *= size;
		else
			pieces *= r->parts;
	}
	const double work = (double)k->macs + cost_of(k, COST_PART_MOVE) * (elements(k, false) + (1.0 + k->noperand) * y);
	const int passes = (turns + pieces - 1) / pieces;
	const double channels = (double)turns / (passes * pieces); /* of a pass: the worker's own */

	return turns * (part * work + cost_of(k, COST_PART_START)) +
	       cost_of(k, COST_PART_FETCH) * passes * channels * elements(k, true) +
	       cost_of(k, COST_PART_CROSS) * (1.0 - channels) * passes * rows * y;
}

/* Tries all numbers of parts for ranges i..; best: the cheapest so far, and `parts` its numbers. */
static void search(struct kernel *k, int i, double *best, int *parts)
{
	struct share *r = &k->share[i];

	if (i == k->nshare) {
		double c = cost(k, 2) + cost(k, 4);

		if (c >= *best)
			return;
		*best = c;
		for (int j = 0; j < k->nshare; j++)
			parts[j] = k->share[j].parts;
		return;
	}
	for (; r->parts <= units_of(r) && part_count(k) <= MOST_PARTS; r->parts++)
		search(k, i + 1, best, parts);
	r->parts = 1;
}

/* Only by rows: what one worker overwrites no other reads. */
static void keep_rows(struct kernel *k)
{
	int n = 0;

	for (int i = 0; i < k->nshare; i++)
		if (k->share[i].divides == DIVIDES_INPUT)
			k->share[n++] = k->share[i];
	k->nshare = n;
}

void cut(struct kernel *k)
{
	int parts[MAX_SHARE] = { 0 };
	double best = INFINITY;

	if (overwrites_input(k))
		keep_rows(k);
	if (k->nshare == 0 || cost(k, 1) < cost_of(k, COST_PART_WORTH))
		return;
	search(k, 0, &best, parts);
	for (int i = 0; i < k->nshare; i++)
		k->share[i].parts = parts[i];
}

int cut_ranges(const struct kernel *k, const char **names)
{
	int n = 0;

	for (int i = 0; i < k->nshare; i++)
		if (k->share[i].parts > 1)
			names[n++] = k->share[i].name;
	return n;
}
