/*
 * Constants in rules: those that vary along the channels only, brought into the shape that an
 * anchor's weights or bias need (forms), and guards that look at values.
 */
#include "rewrite/match.h"

#include <math.h>
#include <string.h>

enum { MAX_SCANNED = 1 << 20 }; /* elements of a constant that a guard looks at */

/* ---- constants along one axis ---- */

/* The step from one element to the next along an axis of the value c broadcasts to; 0: c does not
 * vary. */
static int64_t stride_along(const struct tensor *c, int rank, int axis)
{
	const int at = axis - (rank - rank_of(c));
	int64_t stride = 1;

	if (at < 0 || c->shape.dim[at] == 1)
		return 0;
	for (int k = at + 1; k < rank_of(c); k++)
		stride *= c->shape.dim[k];
	return stride;
}

static bool varies_only_along(const struct tensor *c, int rank, int axis, int64_t size)
{
	const int64_t n = shape_count(&c->shape);

	if (!is_const(c) || rank_of(c) > rank || n > MAX_SCANNED)
		return false;
	const int64_t stride = stride_along(c, rank, axis);
	if (stride > 0 && c->shape.dim[axis - (rank - rank_of(c))] != size)
		return false;
	for (int64_t k = 0; k < n && n > (stride > 0 ? size : 1); k++) {
		const int64_t first = stride > 0 ? k / stride % size * stride : 0;
		const double x = const_f64(c, k), y = const_f64(c, first);

		if (x < y || x > y || isnan(x) != isnan(y))
			return false;
	}
	return true;
}

static struct node *anchor(const struct match *m)
{
	struct node *n = matched(m, "Conv", 0);

	return n != NULL ? n : matched(m, "Linear", 0);
}

static bool is_conv(const struct node *n)
{
	return is_op(n, "Conv");
}

/* The channels' axis of an anchor's input and output. */
static int channel_axis(const struct node *n)
{
	return is_conv(n) ? 1 : rank_of(n->out[0]) - 1;
}

/* $a has at most an element an output channel of the anchor. */
bool guard_per_channel(struct match *m)
{
	const struct node *n = anchor(m);
	const struct shape *s = &n->out[0]->shape;
	const int axis = channel_axis(n);

	return s->rank >= 2 && varies_only_along(bound(m, "a"), s->rank, axis, s->dim[axis]);
}

/* $a has at most an element an input channel of the anchor, and makes x no larger. */
bool guard_per_input(struct match *m)
{
	const struct node *n = anchor(m);
	const struct tensor *x = bound(m, "x");
	const int axis = channel_axis(n);

	return rank_of(x) >= 2 && shape_equal(&x->shape, &n->in[0]->shape) &&
	       varies_only_along(bound(m, "a"), rank_of(x), axis, x->shape.dim[axis]);
}

/* The same for a shift: a zero of the padding, or between the elements of x, would have to be
 * shifted as well. r: what to sum over. */
bool guard_per_input_unpadded(struct match *m)
{
	static const int64_t axes[MAX_RANK] = { 1, 2, 3, 4, 5, 6, 7 };
	const struct node *n = anchor(m);

	if (!guard_per_input(m) || node_attr(n, "spread") != NULL ||
		(is_conv(n) && !all_are_or_absent(n, "pads", 0)))
		return false;
	if (is_conv(n))
		bind_ints(m, "r", rank_of(n->in[1]) - 1, axes);
	else
		bind_ints(m, "r", 1, (const int64_t[]){ 0 });
	return true;
}

/* Element k of the constant along the channels. */
static double channel(const struct tensor *c, int rank, int axis, int64_t k)
{
	return const_f64(c, k * stride_along(c, rank, axis));
}

static struct tensor *by_output(struct match *m, const struct tensor *c, int rank)
{
	const struct node *n = anchor(m);
	const int axis = channel_axis(n), of = rank_of(n->out[0]);
	struct shape s = { .rank = rank, .dim = { n->out[0]->shape.dim[axis] } };
	double *v = arena_alloc(m->g->arena, (size_t)s.dim[0] * sizeof(*v));

	for (int k = 1; k < rank; k++)
		s.dim[k] = 1;
	for (int64_t k = 0; k < s.dim[0]; k++)
		v[k] = channel(c, of, axis, k);
	return graph_constant(m->g, NULL, DT_F32, &s, DT_F64, v);
}

struct tensor *form_Vector(struct match *m, struct tensor *c)
{
	return by_output(m, c, 1);
}

struct tensor *form_Rows(struct match *m, struct tensor *c)
{
	return by_output(m, c, rank_of(anchor(m)->in[1]));
}

/* Of a convolution in groups each weight sees the channels of its own group. */
struct tensor *form_Inputs(struct match *m, struct tensor *c)
{
	const struct node *n = anchor(m);
	const struct shape *w = &n->in[1]->shape;
	const int rank = rank_of(n->in[0]), axis = channel_axis(n);
	const int64_t group = is_conv(n) ? attr_int(n, "group", 1) : 1;
	const int64_t rows = group > 1 ? w->dim[0] : 1, width = is_conv(n) ? w->dim[1] : w->dim[0];
	struct shape s = { .rank = w->rank, .dim = { rows, width } };
	double *v = arena_alloc(m->g->arena, (size_t)(rows * width) * sizeof(*v));

	if (!is_conv(n))
		s = (struct shape){ .rank = 2, .dim = { width, 1 } };
	for (int k = 2; k < s.rank; k++)
		s.dim[k] = 1;
	for (int64_t r = 0; r < rows; r++)
		for (int64_t k = 0; k < width; k++)
			v[r * width + k] = channel(
				c, rank, axis, r / (w->dim[0] / group) * width + k);
	return graph_constant(m->g, NULL, DT_F32, &s, DT_F64, v);
}

struct tensor *form_Channel(struct match *m, struct tensor *c)
{
	struct shape s = { .rank = rank_of(m->root->out[0]) - 1,
		.dim = { shape_count(&c->shape) } };

	if (s.rank < 1)
		return NULL;
	for (int k = 1; k < s.rank; k++)
		s.dim[k] = 1;
	return shape_equal(&c->shape, &s) ? c : make_reshape(m, c, &s);
}

/* ---- values ---- */

bool guard_floats(struct match *m)
{
	return m->root->out[0]->type == DT_F32;
}

/* May results be rounded otherwise? Not those of a quantised network: R says what they are. */
bool guard_rounds_freely(struct match *m)
{
	return m->g->in_floats == NULL;
}

static bool all_elements(const struct tensor *c, bool (*holds)(double))
{
	const int64_t n = shape_count(&c->shape);

	if (!is_const(c) || n > MAX_SCANNED)
		return false;
	for (int64_t k = 0; k < n; k++)
		if (!holds(const_f64(c, k)))
			return false;
	return true;
}

static bool at_least_zero(double v)
{
	return v >= 0;
}

bool guard_not_below_zero(struct match *m)
{
	return all_elements(bound(m, "c"), at_least_zero);
}

/* Dividing by a power of two is multiplying by its inverse, as long as both are normal numbers. */
bool power_of_two(double v)
{
	int exponent;
	const double part = fabs(frexp(v, &exponent));

	return part >= 0.5 && part <= 0.5 && exponent > -125 && exponent < 126;
}

bool guard_exact_reciprocal(struct match *m)
{
	return guard_floats(m) && all_elements(bound(m, "a"), power_of_two);
}

bool guard_uniform(struct match *m)
{
	double v;

	return is_const(bound(m, "c")) && const_uniform(bound(m, "c"), &v);
}

/* One answer everywhere? */
static bool answers(const struct match *m, bool yes)
{
	double v;

	return is_const(bound(m, "c")) && const_uniform(bound(m, "c"), &v) && (v < 0 || v > 0) == yes;
}

bool guard_holds(struct match *m)
{
	return answers(m, true);
}

bool guard_fails(struct match *m)
{
	return answers(m, false);
}

bool guard_one_value(struct match *m)
{
	double v;

	if (!is_const(bound(m, "c")) || !const_uniform(bound(m, "c"), &v))
		return false;
	bind_number(m, "k", v);
	return true;
}

/* c broadcast with a is no larger than the larger of them: merging costs no memory. */
static bool no_larger(const struct tensor *a, const struct tensor *c)
{
	const int rank = rank_of(a) > rank_of(c) ? rank_of(a) : rank_of(c);
	struct shape x, y;
	int64_t count = 1;

	full_rank(&a->shape, rank, &x);
	full_rank(&c->shape, rank, &y);
	for (int k = 0; k < rank; k++)
		count *= x.dim[k] > y.dim[k] ? x.dim[k] : y.dim[k];
	return count <= shape_count(&x) || count <= shape_count(&y);
}

bool guard_meet(struct match *m)
{
	const struct tensor *a = bound(m, "a"), *c = bound(m, "c"), *d = bound(m, "d");

	return guard_floats(m) && guard_rounds_freely(m) && no_larger(a, c) &&
	       (d == NULL || no_larger(d, c));
}

/* Is its result not below zero if its first operand is not? */
static bool keeps_sign(const struct node *n)
{
	double v;

	if (is_op(n, "Pad"))
		return strcmp(attr_string(n, "mode", "constant"), "constant") != 0 ||
		       attr_float(n, "value", 0) >= 0;
	if ((is_a(n, IS_WITHIN) && n->nin == 1) || is_op(n, "ReduceSum"))
		return true;
	return is_op(n, "Min") && is_const(n->in[1]) &&
	       const_uniform(n->in[1], &v) && v >= 0;
}

bool not_negative(const struct tensor *t)
{
	for (int steps = 0; steps < 8 && t->def != NULL && !is_constant(t); steps++) {
		if (is_a(t->def, IS_NONNEG))
			return true;
		if (!keeps_sign(t->def))
			return false;
		t = t->def->in[0];
	}
	return is_const(t) && all_elements(t, at_least_zero);
}

bool guard_nonnegative(struct match *m)
{
	return not_negative(bound(m, "x"));
}
