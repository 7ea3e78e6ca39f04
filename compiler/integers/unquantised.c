/*
 * The network that was quantised, for skip() to look at: a copy in which Quantize and Dequantize are what they approximate,
 * nothing. Integers between them are floats; large weights are their integers, whose values nobody asks for.
 */
#include "fold/fold.h"
#include "integers/integers.h"

#include <math.h>
#include <string.h>

enum { SMALL = 4096 }; /* elements of constants that are looked at */

struct copy {
	struct graph *g;
	bool *step; /* by tensor: computed of scales alone, of a dynamic Quantize */
	int ntensor;
};

static bool quantises(const struct graph *g)
{
	for (const struct node *n = g->first; n != NULL; n = n->next)
		if (is_op(n, "Quantize") && is_runtime(n->in[0]))
			return true;
	return false;
}

/* The value of constant integers: to six digits, so that what was 1 is it. */
static struct tensor *real_constant(struct graph *g, const struct node *n)
{
	const struct tensor *q = n->in[0];
	const int64_t count = shape_count(&q->shape);
	struct walk w;

	if (count > SMALL || !is_const(n->in[1]) || !is_const(n->in[2]))
		return graph_constant(g, q->name, DT_F32, &q->shape, q->stored, q->data);
	float *v = arena_alloc(g->arena, (size_t)(count + 1) * sizeof(*v));

	walk_start(&w, &q->shape);
	walk_broadcast(&w, 0, &n->in[1]->shape);
	walk_broadcast(&w, 1, &n->in[2]->shape);
	for (int64_t k = 0; k < count; k++, walk_next(&w)) {
		const double x = (const_f64(q, k) - const_f64(n->in[2], w.at[1])) * const_f64(n->in[1], w.at[0]);

		v[k] = (float)(fabs(x - nearbyint(x)) < 1e-6 ? nearbyint(x) : x);
	}
	return graph_constant(g, q->name, DT_F32, &q->shape, DT_F32, v);
}

static bool is_step(const struct copy *c, const struct tensor *t)
{
	return t->id < c->ntensor && c->step[t->id];
}

/* What is computed of scales alone. */
static void note_steps(struct copy *c, const struct node *n)
{
	bool any = false;

	for (int k = 0; k < n->nin; k++) {
		if (n->in[k] == NULL || is_const(n->in[k]))
			continue;
		if (!is_step(c, n->in[k]))
			return;
		any = true;
	}
	for (int k = 0; k < n->nout && any; k++)
		if (n->out[k]->id < c->ntensor)
			c->step[n->out[k]->id] = true;
}

/* Sums times the scales of their operands are what the layer gives. */
static struct tensor *without_step(const struct copy *c, const struct node *n)
{
	for (int k = 0; k < 2 && is_op(n, "Mul"); k++)
		if (is_step(c, n->in[k]) && !is_step(c, n->in[1 - k]) && is_runtime(n->in[1 - k]) &&
			shape_equal(&n->in[1 - k]->shape, &n->out[0]->shape))
			return n->in[1 - k];
	return NULL;
}

/* n's type follows that of its operands, which were integers. */
static void follow_type(struct graph *g, struct node *n)
{
	bool floats = false;

	if (n->op->result == RESULT_TEST || n->op->result == RESULT_CAST || dtypes[n->out[0]->type].is_float)
		return;
	for (int k = 0; k < n->nin; k++)
		floats = floats || (n->in[k] != NULL && is_runtime(n->in[k]) && n->in[k]->type == DT_F32);
	if (!floats || is_a(n, IS_INDEX))
		return;
	for (int k = 0; k < n->nin; k++)
		if (n->in[k] != NULL && is_const(n->in[k]) && n->in[k]->type == n->out[0]->type)
			node_set_input(n, k, graph_constant(g, n->in[k]->name, DT_F32, &n->in[k]->shape, n->in[k]->stored,
						 n->in[k]->data));
	n->out[0]->type = DT_F32;
}

/* What n is in floats: a tensor in its place, or n itself. */
static struct tensor *in_floats(struct copy *c, struct node *n)
{
	struct tensor *x = n->nin > 0 ? n->in[0] : NULL, *y = n->out[0];
	const bool small = dtypes[y->type].size <= 2 && !dtypes[y->type].is_float && y->type != DT_BOOL;

	if (is_op(n, "Quantize"))
		return x;
	if (is_op(n, "Dequantize")) {
		if (is_const(x))
			return real_constant(c->g, n);
		x->type = DT_F32;
		return x;
	}
	/* bounds of what was quantised */
	if ((is_op(n, "Max") || is_op(n, "Min")) && small && is_runtime(x) && is_const(n->in[1]) &&
		shape_equal(&x->shape, &y->shape))
		return x;
	if (is_op(n, "Cast") && x->type == DT_F32 && (y->type == DT_F32 || (y->type == DT_I32 && is_a(x->def, IS_LAYER))))
		return x;
	note_steps(c, n);
	return without_step(c, n);
}

struct graph *unquantised(struct graph *g)
{
	struct copy c = { .ntensor = g->ntensor };

	if (!quantises(g))
		return NULL;
	c.g = graph_copy(g);
	c.step = arena_alloc(g->arena, (size_t)c.ntensor + 1);
	for (const struct node *n = c.g->first; n != NULL; n = n->next)
		if (is_op(n, "Quantize") && is_runtime(n->in[1]))
			c.step[n->in[1]->id] = true;
	for (struct node *n = c.g->first, *next; n != NULL; n = next) {
		struct tensor *t = in_floats(&c, n);

		next = n->next;
		if (t == NULL)
			follow_type(c.g, n);
		else
			replace(c.g, n, t);
	}
	graph_sweep(c.g);
	graph_check(c.g, true);
	return c.g;
}
