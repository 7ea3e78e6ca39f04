/*
 * What the parts of the memory planner share: memory.c poses the problem, order.c orders the steps,
 * offsets.c places what lives, and memory.c verifies it all.
 *
 * A buffer is live from its first write to its last access. Two kinds are in no arena: those that
 * no step writes (graph inputs, offset -1), and those of no bytes (graph outputs: their offset says
 * nothing, but they order the steps).
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "skipc.h"

/* A step's access to a buffer that some step writes. Accesses stand by step, in the order given. */
struct access {
	int step, buffer;
	int prev;   /* the access to the buffer before this one; -1: this is the first */
	int writer; /* the last one before this one that writes; -1: this is the first */
	bool writes;
};

struct planner {
	struct arena tmp;
	const struct mem_problem *p;
	struct access *access;
	int *access_at;   /* by step: its first access; of the step after the last: their number */
	int *last_access; /* by buffer; -1: no step writes it */
	int *writers;     /* by buffer: how many steps write it */
	bool *may_take;   /* by step: in place in some order */
	int64_t *scratch; /* by step, rounded to align */
	int64_t align;    /* power of two that all sizes are multiples of */
};

#define NEW(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

static inline int64_t max64(int64_t x, int64_t y)
{
	return x > y ? x : y;
}

/*
 * The accesses that x comes after: a reader after the last writer before it; a writer after the
 * last writer and the readers since. What skipc.h asks for beyond that follows from these. -1: no
 * more.
 */
static inline int first_before(const struct access *x)
{
	return x->writes ? x->prev : x->writer;
}

static inline int next_before(const struct planner *m, const struct access *x, int i)
{
	return i == x->writer ? -1 : m->access[i].prev;
}

/* ---- order.c: sets r->order and of the certificate bound, all_orders and orders ---- */

void memory_order(struct planner *m, struct mem_result *r);

/* ---- offsets.c: sets r->offset, r->scratch, cert.arena and cert.exact, by order and lifetimes
 * ---- */

void memory_offsets(struct planner *m, struct mem_result *r);

#endif
