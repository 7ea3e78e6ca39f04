/*
 * The choice of a row of kernels.def for each kernel of the plan. The functions that rows name stand by kind in
 * kernel_*.c, and are made of setup.c.
 */
#include "kernels/kernel.h"

#include <math.h>
#include <string.h>

static const struct kernel_row rows[] = {
#define KERNEL(row, operator, machine, file, when, price, prepare)                                 \
	{ .name = #row,                                                                            \
		.op = #operator,                                                                   \
		.target = #machine,                                                                \
		.template = file,                                                                  \
		.applies = applies_##when,                                                         \
		.cost = cost_##price,                                                              \
		.setup = setup_##prepare },
#include "kernels/kernels.def"
};

static const char *anchor_name(const struct kernel *k)
{
	return k->anchor != NULL ? k->anchor->op->name : "";
}

/* Portable kernels serve every target. */
static bool serves(const struct kernel_row *r, const struct plan *p)
{
	return strcmp(r->target, "c") == 0 || target_has_vectors(p->target);
}

static const char left_out[] = "the costs leave it out";

/* Why the row does not compute k; null: it does, at that cost. */
static const char *objection(const struct kernel_row *r, const struct kernel *k, double *cost)
{
	const char *why = r->applies(k);

	*cost = why == NULL ? r->cost(k) : 0.0;
	return why == NULL && *cost == 0.0 ? left_out : why;
}

/* The cheapest row that applies, and its cost; null: why the last one does not. */
static const struct kernel_row *cheapest(
	const struct plan *p, const struct kernel *k, double *cost, const char **why)
{
	const struct kernel_row *best = NULL;

	*cost = INFINITY;
	*why = "no kernel computes it";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct kernel_row *r = &rows[i];
		const char *against;
		double own;

		if (strcmp(r->op, anchor_name(k)) != 0 || !serves(r, p))
			continue;
		against = objection(r, k, &own);
		if (against != NULL) {
			*why = against;
		} else if (own < *cost) {
			best = r;
			*cost = own;
		}
	}
	return best;
}

double kernel_cost(const struct plan *p, const struct kernel *k)
{
	const char *why;
	double cost;

	cheapest(p, k, &cost, &why);
	return cost;
}

void kernel_choose(struct plan *p, struct kernel *k)
{
	const char *why;
	double cost;

	k->row = cheapest(p, k, &cost, &why);
	if (k->row == NULL) {
		node_error(p->graph, k->anchor,
			"skipc compiles what ResNets and highway networks are made of; see "
			"README.md",
			"%s cannot be compiled: %s", k->anchor->op->name, why);
		return;
	}
	k->row->setup(p, k);
	p->macs += k->macs;
}

/* ---- weights that init makes ---- */

static const struct preparation {
	struct kernel_row row;
	void (*prepare)(struct plan *p, struct kernel *k, const struct blob *b);
} preparations[] = {
#define PREPARED(packing, elements, file, setup, words)                                            \
	[PACK_##packing] = { { .name = #setup, .target = "c", .template = file }, prepare_##setup },
#include "plan/packings.def"
};

void kernel_prepare(struct plan *p)
{
	for (int i = 0; i < p->nblob; i++) {
		struct blob *b = p->blob[i];
		struct kernel *k;

		if (b->buffer->kind != BUF_PREPARED)
			continue;
		k = arena_alloc(p->arena, sizeof(*k));
		*k = (struct kernel){ .id = p->ninit, .plan = p, .out = b->tensor[0], .prov = b->prov };
		p->init = plan_grown(p->arena, p->init, p->ninit, &p->init_cap);
		p->init[p->ninit++] = k;
		k->row = &preparations[b->packing].row;
		k->title = strrchr(k->row->template, '/') + 1;
		k->dst = region_dense(b->type, &(struct shape){ .rank = 1, .dim = { b->count } }, NULL);
		k->dst.buffer = b->buffer;
		preparations[b->packing].prepare(p, k, b);
		if (k->scratch > 0 || k->ngemm > 0)
			die("%s: a kernel of init has no scratch and no products", k->title);
	}
}

bool kernel_candidate(const struct plan *p, const struct kernel *k, int *next, struct candidate *c)
{
	const int n = (int)(sizeof(rows) / sizeof(rows[0]));

	do {
		while (*next < n &&
			(strcmp(rows[*next].op, anchor_name(k)) != 0 || !serves(&rows[*next], p)))
			++*next;
		if (*next == n)
			return false;
		c->row = &rows[(*next)++];
		c->why = objection(c->row, k, &c->cost);
	} while (c->why == left_out);
	c->taken = c->row == k->row;
	if (c->why == NULL && !c->taken)
		c->why = "it costs more";
	return true;
}

void kernel_explain(FILE *to, const struct plan *p, const struct kernel *k)
{
	struct candidate c;

	for (int next = 0; kernel_candidate(p, k, &next, &c);) {
		fprintf(to, "        %s: %s", c.row->name, c.taken ? "taken" : c.why);
		fprintf(to, c.cost > 0.0 ? ", cost %.3g\n" : "\n", c.cost);
	}
}
