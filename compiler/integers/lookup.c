/* Tables: what is computed of one tensor of 8 bits and of constants, and quantised, is one of 256 values. */
#include "integers/integers.h"

#include <math.h>
#include <string.h>

enum { MAX_CONE = 24, VALUES = 256 };

/* Elementwise nodes between a Quantize and the only tensor that they read. */
struct cone {
	struct node *node[MAX_CONE]; /* each after those that it reads */
	struct program *program[MAX_CONE];
	int n;
	struct form leaf; /* q null: none yet */
	bool steps; /* more than maxima and minima, which commute with quantising as they are */
};

static bool one_value(const struct tensor *t, double *value)
{
	return is_const(t) && const_uniform(t, value);
}

static int place_in(const struct cone *c, const struct node *n)
{
	for (int k = 0; k < c->n; k++)
		if (c->node[k] == n)
			return k;
	return -1;
}

/* Can t be had of the cone: a number, the leaf, or a node that is in it already? *more: the node that is not yet. */
static bool is_reached(struct cone *c, const struct tensor *t, struct node **more)
{
	struct form f;
	double v;

	if (one_value(t, &v))
		return true;
	if (value_form(t, &f)) {
		if (!f.uniform || dtypes[f.q->type].size != 1 || f.q->type == DT_BOOL ||
			!is_runtime(f.q) ||
			(c->leaf.q != NULL && (c->leaf.q != f.q || !same_scale(&c->leaf, &f))))
			return false;
		c->leaf = f;
		return true;
	}
	if (t->def == NULL || t->def->op->class != OP_ELEMENTWISE || t->type != DT_F32 ||
		t->def->op->result != RESULT_LAST || is_a(t->def, IS_SINGLE))
		return false;
	*more = place_in(c, t->def) < 0 ? t->def : *more;
	return true;
}

/* Depth first, with a stack of its own: a node is in the cone once all that it reads is. */
static bool grow(struct cone *c, struct node *top)
{
	struct node *stack[MAX_CONE] = { top };
	int depth = 1;

	while (depth > 0) {
		struct node *n = stack[depth - 1], *more = NULL;

		for (int k = 0; k < n->nin; k++)
			if (!is_reached(c, n->in[k], &more))
				return false;
		if (more != NULL) {
			if (depth == MAX_CONE)
				return false;
			stack[depth++] = more;
			continue;
		}
		depth--;
		if (place_in(c, n) >= 0)
			continue;
		if (c->n == MAX_CONE)
			return false;
		c->steps = c->steps || !(is_op(n, "Relu") || is_op(n, "Max") || is_op(n, "Min"));
		c->node[c->n++] = n;
	}
	return c->leaf.q != NULL && c->steps;
}

/* What the cone makes of q, in double. */
static double value_of(const struct cone *c, double q)
{
	double v[MAX_CONE] = { 0 };

	for (int k = 0; k < c->n; k++) {
		double x[MAX_EXPR_IN] = { 0 };

		for (int i = 0; i < c->node[k]->nin; i++) {
			const struct tensor *t = c->node[k]->in[i];
			const int at = t->def != NULL ? place_in(c, t->def) : -1;

			if (at >= 0)
				x[i] = v[at];
			else if (!one_value(t, &x[i]))
				x[i] = (q - c->leaf.z) * c->leaf.s;
		}
		v[k] = expr_run(c->program[k], x);
	}
	return v[c->n - 1];
}

/* The table, by the bits of q as an unsigned number. */
static struct tensor *table(
	struct graph *g, struct cone *c, const struct node *n, double scale, double zero)
{
	const struct program *quantise = NULL;
	const struct shape s = { .rank = 1, .dim = { VALUES } };
	int64_t *v = arena_alloc(g->arena, VALUES * sizeof(*v));
	struct arena scratch = { 0 };

	for (int k = 0; k < c->n; k++)
		c->program[k] = expr_compile(&scratch, c->node[k]->op, c->node[k]);
	quantise = expr_compile(&scratch, n->op, n);
	for (int k = 0; k < VALUES; k++) {
		const int q = c->leaf.q->type == DT_I8 && k >= VALUES / 2 ? k - VALUES : k;
		const double x[MAX_EXPR_IN] = { value_of(c, q), scale, zero };

		v[k] = (int64_t)expr_run(quantise, x);
	}
	arena_release(&scratch);
	return graph_constant(g, NULL, n->out[0]->type, &s, DT_I64, v);
}

/* What the table makes of what another gave. */
static struct tensor *composed(struct graph *g, const struct tensor *inner, const struct tensor *table)
{
	int64_t *v = arena_alloc(g->arena, VALUES * sizeof(*v));

	for (int k = 0; k < VALUES; k++)
		v[k] = const_i64(table, const_i64(inner, k) & (VALUES - 1));
	return graph_constant(g, NULL, table->type, &table->shape, DT_I64, v);
}

bool look_up(struct graph *g, struct node *n)
{
	struct node *top = n->in[0]->def;
	struct cone c = { .n = 0 };
	double scale, zero;

	if (top == NULL || top->op->class != OP_ELEMENTWISE || top->op->result != RESULT_LAST ||
		is_a(top, IS_SINGLE) || !one_value(n->in[1], &scale) ||
		!one_value(n->in[2], &zero) || !grow(&c, top) ||
		!shape_equal(&c.leaf.q->shape, &n->out[0]->shape))
		return false;
	struct tensor *t = table(g, &c, n, scale, zero), *q = c.leaf.q;

	/* a gate and 1 less it are both tables of what the gate was computed of */
	if (is_op(q->def, "Lookup") && is_const(q->def->in[1]) && shape_equal(&q->shape, &q->def->in[0]->shape)) {
		t = composed(g, q->def->in[1], t);
		q = q->def->in[0];
	}
	return replace(g, n, op2(g, n, "Lookup", q, t));
}
