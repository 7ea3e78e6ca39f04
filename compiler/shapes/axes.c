/* Shape rules of what works along axes: reductions, normalisations, Softmax, ArgMax; and of matrix
 * products. */
#include "shapes/shape.h"

#include <string.h>

/* ---- axes ---- */

/* Sorted, as attribute `axes`. Their number. */
static int set_axes(struct graph *g, struct node *n, int rank, const bool *flag)
{
	int64_t axes[MAX_RANK];
	int count = 0;

	for (int k = 0; k < rank; k++)
		if (flag[k])
			axes[count++] = k;
	set_ints(g, n, "axes", count, axes);
	return count;
}

/* ---- Reduce ---- */

static bool reduce_axes(struct graph *g, struct node *n, bool *flag)
{
	int rank = n->in[0]->shape.rank, count;
	const int64_t *list;

	if (attr_int(n, "spatial", 0) != 0) {
		for (int k = 2; k < rank; k++)
			flag[k] = true;
		return true;
	}
	if (!list_argument(g, n, 1, "axes", &list, &count) ||
		!axes_of(g, n, list, count, rank, false, flag))
		return false;
	for (int k = 0; k < rank && count == 0 && attr_int(n, "noop_with_empty_axes", 0) == 0; k++)
		flag[k] = true;
	return true;
}

/* A reduction over no axes: what it does to one element. */
static bool reduce_nothing(struct graph *g, struct node *n)
{
	struct tensor *x[2] = { n->in[0], n->in[0] }, *y = x[0];

	if (is_op(n, "ReduceL1") || is_op(n, "ReduceL2"))
		y = settle(g, place(g, n, "Abs", 1, x));
	if (is_op(n, "ReduceSumSquare"))
		y = settle(g, place(g, n, "Mul", 2, x));
	return replace(g, n, y);
}

bool shape_reduce(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	bool flag[MAX_RANK] = { false }, keep = attr_int(n, "keepdims", 1) != 0;
	struct shape s = { .rank = 0 };

	if (n->in[0]->type == DT_BOOL) {
		node_error(g, n, NULL, "it is not defined for bool");
		return false;
	}
	if (!reduce_axes(g, n, flag))
		return false;
	if (set_axes(g, n, x->rank, flag) == 0)
		return reduce_nothing(g, n);
	for (int k = 0; k < x->rank; k++)
		if (keep || !flag[k])
			s.dim[s.rank++] = flag[k] ? 1 : x->dim[k];
	if (!give(g, n, 0, (enum dtype)attr_int(n, "to", n->in[0]->type), &s))
		return false;
	node_drop_inputs(n, 1);
	set_int(g, n, "keepdims", keep);
	drop_attr(n, "spatial");
	drop_attr(n, "noop_with_empty_axes");
	return true;
}

bool shape_argmax(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	bool keep = attr_int(n, "keepdims", 1) != 0;
	struct shape s = { .rank = 0 };
	int axis;

	if (!axis_of(g, n, attr_int(n, "axis", 0), x->rank, &axis))
		return false;
	for (int k = 0; k < x->rank; k++)
		if (keep || k != axis)
			s.dim[s.rank++] = k == axis ? 1 : x->dim[k];
	set_int(g, n, "axis", axis);
	set_int(g, n, "keepdims", keep);
	set_int(g, n, "select_last_index", attr_int(n, "select_last_index", 0) != 0);
	return give(g, n, 0, DT_I64, &s);
}

/* Places of the k greatest (or least), in order. The values are what stands there: import.c gathers them. */
bool shape_topk(struct graph *g, struct node *n)
{
	struct shape s = n->in[0]->shape;
	int64_t k = attr_int(n, "k", 0);
	int axis, count = 1;

	if (!axis_of(g, n, attr_int(n, "axis", -1), s.rank, &axis))
		return false;
	if (has_input(n, 1)) {
		const int64_t *v = int_argument(g, n, 1, "k", &count);

		if (v == NULL)
			return false;
		k = count == 1 ? v[0] : -1;
	}
	if (n->in[0]->type == DT_BOOL || k < 0 || k > s.dim[axis]) {
		node_error(g, n, NULL, "%lld of %lld elements of %s", (long long)k,
			(long long)s.dim[axis], dtypes[n->in[0]->type].name);
		return false;
	}
	s.dim[axis] = k;
	node_drop_inputs(n, 1);
	set_int(g, n, "axis", axis);
	set_int(g, n, "k", k);
	set_int(g, n, "largest", attr_int(n, "largest", 1) != 0);
	return give(g, n, 0, DT_I64, &s);
}

/* Sums (products) of what comes before along an axis, and of the element itself unless exclusive. */
bool shape_cumulate(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	int64_t at = attr_int(n, "axis", 0);
	int axis, count = 1;

	if (has_input(n, 1)) {
		const int64_t *v = int_argument(g, n, 1, "axis", &count);

		if (v == NULL)
			return false;
		at = count == 1 ? v[0] : MAX_RANK;
	}
	if (!axis_of(g, n, at, x->rank, &axis))
		return false;
	if (n->in[0]->type == DT_BOOL) {
		node_error(g, n, NULL, "it is not defined for bool");
		return false;
	}
	node_drop_inputs(n, 1);
	set_int(g, n, "axis", axis);
	set_int(g, n, "exclusive", attr_int(n, "exclusive", 0) != 0);
	set_int(g, n, "reverse", attr_int(n, "reverse", 0) != 0);
	return give(g, n, 0, n->in[0]->type, x);
}

/* ---- Softmax, normalisations ---- */

bool shape_softmax(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	int axis;

	if (!float_inputs(g, n) || !axis_of(g, n, attr_int(n, "axis", -1), x->rank, &axis))
		return false;
	set_int(g, n, "axis", axis);
	set_int(g, n, "to_end", attr_int(n, "to_end", 0) != 0 && axis < x->rank - 1);
	return give(g, n, 0, DT_F32, x);
}

bool shape_normalize(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	bool flag[MAX_RANK] = { false };
	int from = x->rank, count;
	const int64_t *list = attr_ints(n, "axes", &count);

	if (!float_inputs(g, n) || !axes_of(g, n, list, count, x->rank, false, flag))
		return false;
	if (node_attr(n, "axis") != NULL && !axis_of(g, n, attr_int(n, "axis", -1), x->rank, &from))
		return false;
	if (attr_int(n, "spatial", 0) != 0)
		from = 2;
	for (int k = from; k < x->rank; k++)
		flag[k] = true;
	if (set_axes(g, n, x->rank, flag) == 0) {
		node_error(g, n, NULL, "%s has no dimensions to normalise over",
			shape_text(g->arena, x));
		return false;
	}
	drop_attr(n, "axis");
	drop_attr(n, "to_end");
	drop_attr(n, "spatial");
	return give(g, n, 0, DT_F32, x);
}

bool shape_batchnorm(struct graph *g, struct node *n)
{
	static const char *const what[] = { "", "scale", "bias", "mean", "variance" };
	const struct shape *x = &n->in[0]->shape;

	if (!float_inputs(g, n))
		return false;
	for (int k = 1; k < n->nin; k++) {
		const struct shape *v = &n->in[k]->shape;

		if (x->rank >= 2 && v->rank == 1 && v->dim[0] == x->dim[1])
			continue;
		node_error(g, n,
			"scale, bias, mean and variance have one element a channel, dimension 1 of "
			"the input",
			"%s is %s, input is %s", what[k], shape_text(g->arena, v),
			shape_text(g->arena, x));
		return false;
	}
	return give(g, n, 0, DT_F32, x);
}

/* ---- matrix products ---- */

/* An operand or a result with vectors: the product is one of matrices, between Reshapes. */
static bool matmul_of_vectors(struct graph *g, struct node *n)
{
	struct tensor *in[2] = { n->in[0], n->in[1] }, *y;
	bool vector[2];
	struct shape s;

	for (int k = 0; k < 2; k++) {
		s = in[k]->shape;
		vector[k] = s.rank == 1;
		if (!vector[k])
			continue;
		s = (struct shape){ .rank = 2,
			.dim = { k == 0 ? 1 : s.dim[0], k == 0 ? s.dim[0] : 1 } };
		in[k] = reshaped(g, n, in[k], &s);
		if (in[k] == NULL)
			return false;
	}
	y = settle(g, place(g, n, "MatMul", 2, in));
	if (y == NULL)
		return false;
	s = y->shape;
	if (vector[0]) {
		s.dim[s.rank - 2] = s.dim[s.rank - 1];
		s.rank--;
	}
	if (vector[1])
		s.rank--;
	y = reshaped(g, n, y, &s);
	return replace(g, n, y);
}

bool shape_matmul(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape, *y = &n->in[1]->shape;
	struct shape s, t;
	enum dtype type;

	if (!layer_type(g, n, &type))
		return false;
	if (x->rank == 0 || y->rank == 0) {
		node_error(g, n, NULL, "a scalar has no matrix product");
		return false;
	}
	if (x->dim[x->rank - 1] != y->dim[y->rank > 1 ? y->rank - 2 : 0]) {
		node_error(g, n,
			"the last dimension of the first operand meets the last but one of the "
			"second",
			"%s and %s have no product", shape_text(g->arena, x),
			shape_text(g->arena, y));
		return false;
	}
	if (x->rank == 1 || y->rank == 1)
		return matmul_of_vectors(g, n);
	s = *x;
	t = *y;
	s.rank -= 2;
	t.rank -= 2;
	if (!broadcast(&s, &t)) {
		node_error(g, n, "all dimensions but the last two broadcast",
			"%s and %s have no product", shape_text(g->arena, x),
			shape_text(g->arena, y));
		return false;
	}
	s.dim[s.rank++] = x->dim[x->rank - 2];
	s.dim[s.rank++] = y->dim[y->rank - 1];
	return give(g, n, 0, type, &s);
}

bool shape_linear(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;
	struct shape s = *x;
	enum dtype type;

	if (!layer_type(g, n, &type))
		return false;
	if (x->rank < 1 || w->rank != 2 || x->dim[x->rank - 1] != w->dim[0]) {
		node_error(g, n, "the weight is [inputs,outputs], the input [..,inputs]",
			"weight %s does not fit input %s", shape_text(g->arena, w),
			shape_text(g->arena, x));
		return false;
	}
	if (has_input(n, 2) && (n->in[2]->shape.rank != 1 || n->in[2]->shape.dim[0] != w->dim[1])) {
		node_error(g, n, "the bias has one element an output", "bias is %s, weight is %s",
			shape_text(g->arena, &n->in[2]->shape), shape_text(g->arena, w));
		return false;
	}
	s.dim[s.rank - 1] = w->dim[1];
	return give(g, n, 0, type, &s);
}

/* ---- Hardmax ---- */

/* One at the first greatest element, elsewhere zero. */
bool shape_hardmax(struct graph *g, struct node *n)
{
	const struct shape whole = n->in[0]->shape;
	struct shape s = whole, line = { .rank = 0 };
	struct tensor *x = n->in[0], *in[2];
	int axis;

	if (!float_inputs(g, n) || !axis_of(g, n, attr_int(n, "axis", -1), s.rank, &axis))
		return false;
	for (; attr_int(n, "to_end", 0) != 0 && s.rank > axis + 1; s.rank--)
		s.dim[axis] *= s.dim[s.rank - 1];
	x = s.rank != whole.rank ? reshaped(g, n, x, &s) : x;
	if (x == NULL)
		return false;
	int64_t *place_of = arena_alloc(g->arena, (size_t)s.dim[axis] * sizeof(*place_of));

	for (int64_t k = 0; k < s.dim[axis]; k++)
		place_of[k] = k;
	for (line.rank = 0; line.rank < s.rank; line.rank++)
		line.dim[line.rank] = line.rank == axis ? s.dim[axis] : 1;
	struct node *best = place(g, n, "ArgMax", 1, &x);

	set_int(g, best, "axis", axis);
	set_int(g, best, "keepdims", 1);
	in[0] = settle(g, best);
	in[1] = graph_constant(g, NULL, DT_I64, &line, DT_I64, place_of);
	x = in[0] != NULL ? settle(g, place(g, n, "Equal", 2, in)) : NULL;
	if (x == NULL)
		return false;
	struct node *cast = place(g, n, "Cast", 1, &x);

	set_int(g, cast, "to", DT_F32);
	x = settle(g, cast);
	return replace(g, n, x != NULL && s.rank != whole.rank ? reshaped(g, n, x, &whole) : x);
}
