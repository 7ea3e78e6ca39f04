/* What a kernel of a quantised network computes in integers, what in floats, and why. */
#include "report/report.h"

#include <string.h>

static bool is_quantiser(const struct node *n)
{
	return is_op(n, "Quantize") || is_op(n, "Dequantize") || is_op(n, "Requantize");
}

/* A node of the epilogue that computes in floats. Null: none does. */
static const struct node *first_float(const struct kernel *k)
{
	for (int i = 0; i < k->ngroup; i++)
		if (!is_quantiser(k->group[i]) && dtypes[k->group[i]->in[0]->type].is_float)
			return k->group[i];
	return NULL;
}

static bool has(const struct kernel *k, const char *op)
{
	for (int i = 0; i < k->ngroup; i++)
		if (is_op(k->group[i], op))
			return true;
	return false;
}

/* Why the epilogue is not of integers alone. Null: it is. */
static const char *epilogue_reason(struct arena *a, const struct kernel *k)
{
	const struct node *n = first_float(k);
	int values = 0;

	if (n == NULL)
		return has(k, "Quantize")     ? "floats are quantised"
		       : has(k, "Dequantize") ? "what reads it wants floats"
					      : NULL;
	for (int i = 0; i < n->nin; i++)
		values += n->in[i] != NULL && is_runtime(n->in[i]);
	if (values > 1)
		return arena_printf(a, "%s joins values of several scales", n->op->name);
	if (is_op(n, "Add"))
		return "what Add adds is not in steps of the sum";
	return arena_printf(a, "%s is not of one tensor of 8 bits alone, or is not quantised next", n->op->name);
}

/* Of an anchor that is none of integers. */
static const char *anchor_reason(struct arena *a, const struct graph *g, const struct kernel *k)
{
	for (int i = 0; k->anchor->prov != NULL && i < k->anchor->prov->n; i++)
		if (g->in_floats[prov_at(k->anchor->prov, i)] != NULL)
			return g->in_floats[prov_at(k->anchor->prov, i)];
	return arena_printf(a, "%s is computed in floats", k->anchor->op->name);
}

struct arithmetic arithmetic_of(struct arena *a, const struct plan *p, const struct kernel *k)
{
	struct arithmetic r = { .bound = -1.0 };
	const bool floats = k->anchor != NULL && dtypes[k->anchor->in[0]->type].is_float;

	if (p->graph->in_floats == NULL)
		return r;
	if (k->anchor != NULL)
		r.bound = sum_bound(k->anchor);
	r.why = floats ? anchor_reason(a, p->graph, k) : epilogue_reason(a, k);
	r.name = r.why == NULL ? "integers" : floats || k->anchor == NULL ? "floats" : "integers and floats";
	return r;
}
