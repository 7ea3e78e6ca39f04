/* Memory of a plan: its steps and buffers as the planner sees them, and where it puts them. */
#include "plan/plan.h"

enum { ALIGNMENT = 64 }; /* of what lies in the arena */

int64_t arena_bytes(int64_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

static bool in_memory(const struct buffer *b)
{
	return b != NULL && (b->kind == BUF_ARENA || b->kind == BUF_OUTPUT);
}

static void add_read(struct mem_step *step, const struct region *r)
{
	if (!in_memory(r->buffer))
		return;
	for (int k = 0; k < step->nread; k++)
		if (step->read[k] == r->buffer->id)
			return;
	step->read[step->nread++] = r->buffer->id;
}

/* Whether k, writing over r's buffer, would read there only the element that it replaces, apart
 * from its first `held` inputs; k's others, too, where those read what k does. */
static bool may_replace(const struct kernel *k, const struct region *r, int held)
{
	bool ok = r->buffer->kind == BUF_ARENA && k->dst.buffer->kind == BUF_ARENA;
	struct region moved = *r;

	for (const struct kernel *o = k; o != NULL; o = o->other)
		ok = ok && !o->drafts;
	moved.buffer = k->dst.buffer;
	ok = ok && region_same(&moved, &k->dst) && r->buffer->bytes == k->dst.buffer->bytes;
	for (int j = 0; j < k->noperand; j++)
		ok = ok && (k->operand[j].region.buffer != r->buffer ||
				   region_same(&k->operand[j].region, r));
	for (int j = held; j < k->narg; j++)
		ok = ok && k->arg[j].region.buffer != r->buffer;
	return ok;
}

/* What k may write its result over: an operand, or, with a copy of some of its rows, the input. */
static void find_overwritable(const struct kernel *k, struct mem_step *step)
{
	step->in_place = -1;
	for (int i = 0; i < k->noperand && step->in_place < 0; i++)
		if (may_replace(k, &k->operand[i].region, 0))
			step->in_place = k->operand[i].region.buffer->id;
	if (step->in_place >= 0 || k->hold == 0 || k->other != NULL ||
		!may_replace(k, &k->arg[0].region, 1))
		return;
	step->in_place = k->arg[0].region.buffer->id;
	step->hold = k->hold;
}

static void pose(const struct plan *p, struct mem_problem *m)
{
	m->nstep = p->nkernel;
	m->step = arena_alloc(p->arena, (size_t)(m->nstep + 1) * sizeof(*m->step));
	m->nbuffer = p->nbuffer;
	m->bytes = arena_alloc(p->arena, (size_t)(m->nbuffer + 1) * sizeof(*m->bytes));
	for (int k = 0; k < p->nbuffer; k++)
		if (p->buffer[k]->kind == BUF_ARENA)
			m->bytes[k] = arena_bytes(p->buffer[k]->bytes);
	for (int k = 0; k < p->nkernel; k++) {
		const struct kernel *x = p->kernel[k];
		struct mem_step *step = &m->step[k];

		step->read = arena_alloc(
			p->arena, (size_t)(x->narg + x->noperand + 1) * sizeof(int));
		for (int i = 0; i < x->narg; i++)
			add_read(step, &x->arg[i].region);
		for (int i = 0; i < x->noperand; i++)
			add_read(step, &x->operand[i].region);
		step->write = x->dst.buffer->id;
		for (const struct kernel *o = x; o != NULL; o = o->other)
			step->scratch = o->scratch > step->scratch ? o->scratch : step->scratch;
		find_overwritable(x, step);
	}
}

/* Kernels in the order to run, those for other sets of instructions in front of each, and the buffers' times in that. */
static void line_up(struct plan *p, const struct mem_result *r)
{
	struct kernel *const *kernel = p->kernel;
	int *begin = arena_alloc(p->arena, (size_t)(p->nkernel + 1) * sizeof(int)), n = p->nkernel;
	int *end = arena_alloc(p->arena, (size_t)(p->nkernel + 1) * sizeof(int));

	p->kernel = NULL;
	p->nkernel = p->kernel_cap = 0;
	for (int at = 0; at < n; at++) {
		struct kernel *k = kernel[r->order[at]];

		begin[at] = p->nkernel;
		for (struct kernel *o = k->other; o != NULL; o = o->other)
			plan_append(p, o);
		end[at] = p->nkernel;
		plan_append(p, k);
	}
	for (int k = 0; k < p->nkernel; k++)
		p->kernel[k]->id = k;
	for (int k = 0; k < p->nbuffer; k++) {
		p->buffer[k]->first = r->first[k] < 0 ? r->first[k] : begin[r->first[k]];
		p->buffer[k]->last = r->last[k] < 0 ? r->last[k] : end[r->last[k]];
	}
}

void memory(struct plan *p)
{
	struct mem_problem m = { 0 };
	struct mem_result r = { 0 };

	pose(p, &m);
	memory_solve(p->arena, &m, &r);
	for (int k = 0; k < p->nbuffer; k++)
		if (p->buffer[k]->kind == BUF_ARENA)
			p->buffer[k]->offset = r.offset[k];
	for (int k = 0; k < p->nkernel; k++) {
		struct kernel *x = p->kernel[k];

		x->scratch_offset = r.scratch[k];
		x->in_place = r.in_place[k] ? p->buffer[m.step[k].in_place] : NULL;
		if (overwrites_input(x)) {
			x->scratch += x->hold;
			x->scratch_name = x->scratch_name != NULL ? x->scratch_name : "held";
		}
		for (struct kernel *o = x; o != NULL; o = o->other) {
			o->scratch_offset = x->scratch_offset;
			o->in_place = x->in_place;
			if (target_has_vectors(p->target))
				cut(o);
		}
	}
	line_up(p, &r);
	p->cert = r.cert;
	for (int k = 0; k < p->nkernel; k++) {
		const int64_t bytes = arena_bytes(p->kernel[k]->scratch);

		if (part_count(p->kernel[k]) > 1 && bytes > p->worker_bytes)
			p->worker_bytes = bytes;
	}
}
