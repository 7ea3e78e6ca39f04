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

/* The cheapest row that applies, and its cost; null: why the last one does not. */
static const struct kernel_row *cheapest(
	const struct plan *p, const struct kernel *k, double *cost, const char **why)
{
	const struct kernel_row *best = NULL;

	*cost = INFINITY;
	*why = "no kernel computes it";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct kernel_row *r = &rows[i];
		const char *objection;

		if (strcmp(r->op, anchor_name(k)) != 0 || !serves(r, p))
			continue;
		objection = r->applies(k);
		if (objection != NULL) {
			*why = objection;
		} else if (r->cost(k) < *cost) {
			best = r;
			*cost = r->cost(k);
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

bool kernel_candidate(const struct plan *p, const struct kernel *k, int *next, struct candidate *c)
{
	const int n = (int)(sizeof(rows) / sizeof(rows[0]));

	while (*next < n &&
		(strcmp(rows[*next].op, anchor_name(k)) != 0 || !serves(&rows[*next], p)))
		++*next;
	if (*next == n)
		return false;
	c->row = &rows[(*next)++];
	c->taken = c->row == k->row;
	c->why = c->row->applies(k);
	c->cost = c->why == NULL ? c->row->cost(k) : 0.0;
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
