/*
 * What is computed in integers. A value has the form scale (q - zero), where a Dequantize gives it, or it has not: Dequantize
 * goes down as long as the form stays. Views and maxima are those of q; layers of two such values are exact sums, whose
 * scale is the product; and where a Quantize follows a sum, both scales are one factor. Everything else stays as it is,
 * in floats. DESIGN.md says what the numbers are to be (R).
 */
#include "integers/integers.h"

#include <string.h>

/* ---- what keeps the form ---- */

/* n on q instead of its value, with its own attributes. */
static struct node *beside(struct graph *g, const struct node *n, struct tensor *q)
{
	struct node *c = place(g, n, n->op->name, n->nin, n->in);

	node_set_input(c, 0, q);
	copy_attrs(g, n, c);
	c->out[0]->shape = n->out[0]->shape;
	c->out[0]->type = c->out[0]->io_type = q->type;
	c->out[0]->known = true;
	c->out[0]->step = q->step;
	return c;
}

static struct tensor *evaluated(struct graph *g, struct node *n)
{
	struct tensor *y = n->out[0];

	if (is_const(n->in[0]))
		evaluate(g, n);
	return y;
}

static struct tensor *on_integers(struct graph *g, const struct node *n, struct tensor *q)
{
	return evaluated(g, beside(g, n, q));
}

/* Scales of channels move with the dimensions. */
static struct tensor *moved(struct graph *g, const struct node *n, struct tensor *t)
{
	struct shape s = { .rank = n->in[0]->shape.rank };
	int rank;
	const int64_t *perm = attr_ints(n, "perm", &rank);

	if (shape_count(&t->shape) == 1)
		return t;
	for (int k = 0; k < s.rank; k++)
		s.dim[k] = k < s.rank - t->shape.rank ? 1
						      : t->shape.dim[k - (s.rank - t->shape.rank)];
	return transposed(g, n, reshaped(g, n, t, &s), rank, perm);
}

static bool keep_transpose(struct graph *g, struct node *n)
{
	struct form f;

	if (!value_form(n->in[0], &f))
		return false;
	return replace(g, n,
		dequantized(
			g, n, on_integers(g, n, f.q), moved(g, n, f.scale), moved(g, n, f.zero)));
}

static bool keep_view(struct graph *g, struct node *n)
{
	struct form f;

	if (!value_form(n->in[0], &f) || shape_count(&f.scale->shape) != 1 ||
		shape_count(&f.zero->shape) != 1)
		return false;
	return replace(g, n, dequantized(g, n, on_integers(g, n, f.q), f.scale, f.zero));
}

/* Zeros around the value are zero points around q. */
static bool keep_pad(struct graph *g, struct node *n)
{
	struct form f;
	struct node *pad;

	if (!value_form(n->in[0], &f) || !f.uniform)
		return false;
	if (strcmp(attr_string(n, "mode", "constant"), "constant") == 0 &&
		attr_float(n, "value", 0.0) != 0.0)
		return false;
	pad = beside(g, n, f.q);
	set_float(g, pad, "value", f.z);
	return replace(g, n, dequantized(g, n, evaluated(g, pad), f.scale, f.zero));
}

static bool keep_concat(struct graph *g, struct node *n)
{
	struct tensor **in = arena_alloc(g->arena, (size_t)n->nin * sizeof(struct tensor *));
	struct form first, f;

	if (!value_form(n->in[0], &first) || !is_runtime(first.q))
		return false;
	for (int k = 0; k < n->nin; k++) {
		if (!value_form(n->in[k], &f) || !same_scale(&first, &f))
			return false;
		in[k] = f.q;
	}
	struct node *join = place(g, n, "Concat", n->nin, in);

	copy_attrs(g, n, join);
	return replace(g, n, dequantized(g, n, settle(g, join), first.scale, first.zero));
}

/* The greatest and least elements, and maxima with 0, are those of q: scales are positive. */
static bool keep_extreme(struct graph *g, struct node *n)
{
	struct form f;

	if (!value_form(n->in[0], &f) || !f.uniform || !(f.s > 0.0))
		return false;
	return replace(g, n, dequantized(g, n, on_integers(g, n, f.q), f.scale, f.zero));
}

static bool keep_relu(struct graph *g, struct node *n)
{
	struct form f;
	double low, high;

	if (!value_form(n->in[0], &f) || !is_const(f.scale) || !is_const(f.zero) ||
		shape_count(&f.zero->shape) != 1)
		return false;
	for (int64_t k = 0; k < shape_count(&f.scale->shape); k++)
		if (!(const_f64(f.scale, k) > 0.0))
			return false;
	type_range(f.q->type, &low, &high);
	if (const_f64(f.zero, 0) <= low && dtypes[f.q->type].size < 4)
		return replace(g, n, n->in[0]);
	return replace(g, n,
		dequantized(g, n,
			op2(g, n, "Max", f.q, graph_scalar(g, f.q->type, const_f64(f.zero, 0))),
			f.scale, f.zero));
}

/* ---- what ends it ---- */

/* Of a sum: by one factor, its scale over n's. */
static bool requantise(struct graph *g, struct node *n, const struct form *f)
{
	struct tensor *factor = scaled_by(g, n, f->scale, n->in[1], true);
	struct node *r;

	if (factor == NULL)
		return false;
	r = place(g, n, "Requantize", 3, (struct tensor *[]){ f->q, factor, n->in[2] });
	copy_attrs(g, n, r);
	return replace(g, n, settle(g, r));
}

/* Of what Concat joined: each part, where it is computed. */
static bool quantise_parts(struct graph *g, struct node *n)
{
	struct node *join = n->in[0]->def;
	struct tensor **in;

	if (join == NULL || !is_op(join, "Concat") || n->in[0]->nuser != 1 || n->in[0]->is_output ||
		shape_count(&n->in[1]->shape) != 1 || shape_count(&n->in[2]->shape) != 1)
		return false;
	in = arena_alloc(g->arena, (size_t)join->nin * sizeof(struct tensor *));
	for (int k = 0; k < join->nin; k++) {
		struct node *part = place(g, n, "Quantize", 3,
			(struct tensor *[]){ join->in[k], n->in[1], n->in[2] });

		copy_attrs(g, n, part);
		in[k] = settle(g, part);
	}
	struct node *joined = place(g, n, "Concat", join->nin, in);

	copy_attrs(g, join, joined);
	return replace(g, n, settle(g, joined));
}

static bool quantise(struct graph *g, struct node *n)
{
	const struct form own = quantised_form(n);
	struct form f;

	if (!value_form(n->in[0], &f))
		return look_up(g, n) || quantise_parts(g, n);
	if (is_sum(&f))
		return requantise(g, n, &f);
	double low, high;

	type_range(n->out[0]->type, &low, &high);
	if (same_scale(&f, &own) && is_runtime(f.q) && attr_float(n, "low", 0.0) <= low &&
		attr_float(n, "high", 0.0) >= high)
		return replace(g, n, f.q);
	return false;
}

/* A sum as it is. */
static bool cast(struct graph *g, struct node *n)
{
	struct form f;

	if (!value_form(n->in[0], &f) || !f.uniform || !is_sum(&f) || !(f.s >= 1.0 && f.s <= 1.0) ||
		n->out[0]->type != f.q->type)
		return false;
	return replace(g, n, f.q);
}

/* ---- the sweep ---- */

static const struct {
	const char *op;
	bool (*turn)(struct graph *g, struct node *n); /* false: n stays */
} turns[] = {
	{ "Transpose", keep_transpose },
	{ "Reshape", keep_view },
	{ "Slice", keep_view },
	{ "Expand", keep_view },
	{ "Gather", keep_view },
	{ "Pad", keep_pad },
	{ "Concat", keep_concat },
	{ "MaxPool", keep_extreme },
	{ "ReduceMax", keep_extreme },
	{ "ReduceMin", keep_extreme },
	{ "Relu", keep_relu },
	{ "Conv", sum_conv },
	{ "MatMul", sum_matmul },
	{ "Add", sum_bias },
	{ "ReduceMean", sum_reduce },
	{ "ReduceSum", sum_reduce },
	{ "AveragePool", sum_pool },
	{ "Quantize", quantise },
	{ "Cast", cast },
};

static bool turn(struct graph *g, struct node *n)
{
	for (size_t k = 0; k < sizeof(turns) / sizeof(turns[0]); k++)
		if (is_op(n, turns[k].op))
			return turns[k].turn(g, n);
	return false;
}

/* What a step of each quantised tensor stands for: of what a Quantize gives, and of inputs that all read as one value. */
static void note_steps(struct graph *g)
{
	struct form f, first = { .q = NULL };

	for (const struct node *n = g->first; n != NULL; n = n->next) {
		const struct form own = quantised_form(n);

		if (own.uniform)
			note_step(g, own.q, own.s, own.z);
	}
	for (int k = 0; k < g->ninput; k++) {
		bool same = g->input[k]->nuser > 0;

		for (const struct use *u = g->input[k]->user; u != NULL && same; u = u->next) {
			same = value_form(u->node->out[0], &f) && f.uniform && (u == g->input[k]->user || same_scale(&f, &first));
			first = f;
		}
		if (same)
			note_step(g, g->input[k], f.s, f.z);
	}
}

static bool is_quantised(const struct graph *g)
{
	for (const struct node *n = g->first; n != NULL; n = n->next)
		if (is_op(n, "Dequantize") || is_op(n, "Quantize"))
			return true;
	return false;
}

/* In order, and again over what was put in the place of a node. */
static void sweep(struct graph *g)
{
	for (struct node *n = g->first; n != NULL;) {
		struct node *before = n->prev;

		if (!n->dead && turn(g, n))
			n = before != NULL ? before->next : g->first;
		else
			n = n->next;
	}
}

/* Why layers stay in floats, for the report. */
static void note_floats(struct graph *g)
{
	g->in_floats = arena_alloc(g->arena, (size_t)(g->nonnx + 1) * sizeof(*g->in_floats));
	for (const struct node *n = g->first; n != NULL; n = n->next) {
		const char *why = n->nin > 1 && is_runtime(n->out[0]) ? why_no_sum(n) : NULL;

		for (int k = 0; why != NULL && n->prov != NULL && k < n->prov->n; k++)
			g->in_floats[prov_at(n->prov, k)] = why;
	}
}

void integers(struct graph *g)
{
	if (g->bare)
		strip_inputs(g);
	if (is_quantised(g)) {
		note_steps(g);
		sweep(g);
		note_floats(g);
	}
	if (g->bare)
		strip_outputs(g);
	graph_sweep(g);
}
