/*
 * What the parts of the memory planner share: planner.c poses the problem, order.c orders the steps,
 * offsets.c places what lives, and planner.c verifies it all.
 *
 * A buffer is live from its first write to its last access. Two kinds are in no arena: those that
 * no step writes (graph inputs, offset -1), and those of no bytes (graph outputs: their offset says
 * nothing, but they order the steps).
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "plan/plan.h"

/* A step's access to a buffer that some step writes. They stand by step, in the order given. */
struct access {
	int step, buffer;
	int prev;         /* the one before it to the buffer; -1: none, this one writes first */
	int after, until; /* the latest and the first of those before it that it waits for */
};

struct planner {
	struct arena tmp;
	const struct mem_problem *p;
	struct access *access;
	int *access_at;   /* by step: its first access; after the last step: their number */
	int *last_access; /* by buffer; -1: no step writes it */
	int *writers;     /* by buffer: how many steps write it */
	bool *may_take;   /* by step: in place in some order */
	int64_t *scratch; /* by step, rounded to align */
	int64_t *hold;    /* what is more of it where the step takes over, rounded likewise */
	int64_t align;    /* power of two that all sizes are multiples of */
};

#define NEW(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

static inline int64_t max64(int64_t x, int64_t y)
{
	return x > y ? x : y;
}

/* Bytes of scratch of a step, once it is known what it takes over. */
static inline int64_t scratch_of(const struct planner *m, const struct mem_result *r, int k)
{
	return m->scratch[k] + (r->in_place[k] ? m->hold[k] : 0);
}

/*
 * To go through the accesses that x waits for, from x->after on: a reader waits for the last writer
 * before it; a writer for the last writer and the readers since. What plan.h asks for beyond that
 * follows from these. -1: no more.
 */
static inline int next_wait(const struct planner *m, const struct access *x, int i)
{
	return i == x->until ? -1 : m->access[i].prev;
}

/* ---- order.c: sets r->order and of the certificate bound, all_orders and orders ---- */

void memory_order(struct planner *m, struct mem_result *r);

/* ---- offsets.c: sets r->offset, r->scratch, and of the certificate arena and exact ---- */

void memory_offsets(struct planner *m, struct mem_result *r);

#endif
