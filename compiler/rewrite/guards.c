/*
 * What rules ask before they apply: guards that look at attributes and shapes, and bind what the
 * replacement needs. That inner values are used nowhere else and that types and shapes agree is the
 * engine's business.
 */
#include "rewrite/match.h"

#include <float.h>
#include <string.h>

enum { MAX_LOOKED_AT = 32 }; /* users of a tensor */

/* ---- attributes and shapes ---- */

static const int64_t *ints(const struct node *n, const char *name)
{
	int count;

	return attr_ints(n, name, &count);
}

static const int64_t *perm_of(const struct match *m)
{
	return ints(matched(m, "Transpose", 0), "perm");
}

/* s as it was before a Transpose by perm: dimension i comes from perm[i]. */
static void before_perm(const int64_t *perm, int rank, const int64_t *after, int64_t *before)
{
	for (int k = 0; k < rank; k++)
		before[perm[k]] = after[k];
}

/* Whether perm, of an input so shaped, moves no dimension but those of size 1: then it is a
 * Reshape. */
static bool keeps_order(const int64_t *perm, int rank, const int64_t *in)
{
	int64_t last = -1;

	for (int k = 0; k < rank; k++) {
		if (in[perm[k]] == 1)
			continue;
		if (perm[k] < last)
			return false;
		last = perm[k];
	}
	return true;
}

/* ---- what changes nothing ---- */

/* `to` still names f16 and bf16, to which it rounds. */
bool guard_same_type(struct match *m)
{
	return attr_int(m->root, "to", DT_NONE) == (int64_t)bound(m, "x")->type;
}

bool guard_moves_nothing(struct match *m)
{
	const int64_t *perm = perm_of(m);

	for (int k = 0; k < rank_of(bound(m, "x")); k++)
		if (perm[k] != k)
			return false;
	return true;
}

/* Equal shapes are not enough: a step may be -1. */
bool guard_takes_all(struct match *m)
{
	const struct shape *s = &m->root->out[0]->shape;
	const int64_t *steps = ints(m->root, "steps");

	for (int k = 0; k < s->rank; k++)
		if (s->dim[k] > 1 && steps[k] != 1)
			return false;
	return true;
}

bool guard_pads_nothing(struct match *m)
{
	return all_are(ints(m->root, "pads"), 2 * rank_of(m->root->out[0]), 0);
}

/* Elements k of attribute `scales`; false: it is not there. */
static bool scale_at(const struct node *n, int k, double *scale)
{
	const struct attr *a = node_attr(n, "scales");

	if (a == NULL || a->kind != ATTR_FLOATS || k >= a->n)
		return false;
	*scale = a->f[k];
	return true;
}

bool guard_scales_nothing(struct match *m)
{
	double scale;

	for (int k = 0; k < rank_of(m->root->out[0]); k++)
		if (!scale_at(m->root, k, &scale) || scale < 1 || scale > 1)
			return false;
	return node_attr(m->root, "roi") == NULL;
}

/* ---- Linear ---- */

bool guard_matrix(struct match *m)
{
	return rank_of(bound(m, "w")) == 2 && rank_of(bound(m, "x")) >= 2;
}

bool guard_ones_and_matrix(struct match *m)
{
	const struct shape *w = &bound(m, "w")->shape;

	if (w->rank <= 2 || rank_of(bound(m, "x")) < w->rank || !all_are(w->dim, w->rank - 2, 1))
		return false;
	bind_ints(m, "s", 2, w->dim + w->rank - 2);
	return true;
}

/* ---- views of views ---- */

bool guard_transposes_compose(struct match *m)
{
	const int64_t *outer = ints(m->node[0], "perm"), *inner = ints(m->node[1], "perm");
	int64_t perm[MAX_RANK];

	for (int k = 0; k < rank_of(m->root->out[0]); k++)
		perm[k] = inner[outer[k]];
	bind_ints(m, "p", rank_of(m->root->out[0]), perm);
	return true;
}

bool guard_moves_only_ones(struct match *m)
{
	const struct shape *x = &bound(m, "x")->shape;

	return keeps_order(perm_of(m), x->rank, x->dim);
}

bool guard_slices_compose(struct match *m)
{
	const int64_t *start2 = ints(m->node[0], "starts"), *step2 = ints(m->node[0], "steps");
	const int64_t *start1 = ints(m->node[1], "starts"), *step1 = ints(m->node[1], "steps");
	const struct shape *s = &m->root->out[0]->shape;
	int64_t starts[MAX_RANK], steps[MAX_RANK];

	for (int k = 0; k < s->rank; k++) {
		starts[k] = start1[k] + start2[k] * step1[k];
		steps[k] = s->dim[k] > 1 ? step1[k] * step2[k] : 1;
	}
	bind_ints(m, "s", s->rank, starts);
	bind_ints(m, "t", s->rank, steps);
	return true;
}

static bool constant_pad(const struct node *n)
{
	return strcmp(attr_string(n, "mode", "constant"), "constant") == 0;
}

bool guard_crops(struct match *m)
{
	const struct shape *x = &bound(m, "x")->shape;
	const int64_t *pads = ints(m->root, "pads");
	int64_t start[MAX_RANK], step[MAX_RANK], rest[2 * MAX_RANK];
	struct shape s = *x;
	bool crops = false;

	for (int k = 0; k < x->rank; k++) {
		const int64_t end = pads[x->rank + k];

		crops = crops || pads[k] < 0 || end < 0;
		start[k] = pads[k] < 0 ? -pads[k] : 0;
		step[k] = 1;
		s.dim[k] -= start[k] + (end < 0 ? -end : 0);
		rest[k] = pads[k] < 0 ? 0 : pads[k];
		rest[x->rank + k] = end < 0 ? 0 : end;
		if (s.dim[k] <= 0)
			return false;
	}
	bind_ints(m, "s", x->rank, start);
	bind_ints(m, "t", x->rank, step);
	bind_shape(m, "u", &s);
	bind_ints(m, "p", 2 * x->rank, rest);
	return crops && constant_pad(m->root);
}

/* Pads of constant mode that only add. */
static bool adds_constant(const struct node *n)
{
	const int64_t *pads = ints(n, "pads");

	for (int k = 0; k < 2 * rank_of(n->out[0]); k++)
		if (pads[k] < 0)
			return false;
	return constant_pad(n);
}

bool guard_pads_compose(struct match *m)
{
	const int64_t *outer = ints(m->node[0], "pads"), *inner = ints(m->node[1], "pads");
	const double v = attr_float(m->node[0], "value", 0), u = attr_float(m->node[1], "value", 0);
	const int n = 2 * rank_of(m->root->out[0]);
	int64_t sum[2 * MAX_RANK];

	if (!adds_constant(m->node[0]) || !adds_constant(m->node[1]) || v < u || v > u)
		return false;
	for (int k = 0; k < n; k++)
		sum[k] = outer[k] + inner[k];
	bind_ints(m, "p", n, sum);
	return true;
}

/* ---- pools and reductions ---- */

/* A pool that takes every stride-th element. */
bool guard_window_of_one(struct match *m)
{
	const int rank = rank_of(m->root->out[0]);
	const int64_t zeros[MAX_RANK] = { 0 }, *strides = ints(m->root, "strides");
	int64_t steps[MAX_RANK];

	if (!all_are(ints(m->root, "kernel_shape"), rank - 2, 1) ||
		!all_are_or_absent(m->root, "pads", 0))
		return false;
	for (int k = 0; k < rank; k++)
		steps[k] = k < 2 || strides == NULL || m->root->out[0]->shape.dim[k] == 1
				   ? 1
				   : strides[k - 2];
	bind_ints(m, "s", rank, zeros);
	bind_ints(m, "t", rank, steps);
	return true;
}

/* floor(i / scale) is i times the step where the scale is a power of two. */
bool guard_shrinks_by_powers(struct match *m)
{
	const int rank = rank_of(m->root->out[0]);
	const int64_t zeros[MAX_RANK] = { 0 };
	int64_t steps[MAX_RANK];

	for (int k = 0; k < rank; k++) {
		double scale;

		if (!scale_at(m->root, k, &scale) || !(scale <= 1 && scale > 1e-6) ||
			!power_of_two(scale))
			return false;
		steps[k] = m->root->out[0]->shape.dim[k] > 1 ? (int64_t)(1 / scale) : 1;
	}
	bind_ints(m, "s", rank, zeros);
	bind_ints(m, "t", rank, steps);
	return true;
}

bool guard_window_of_all(struct match *m)
{
	const struct shape *x = &bound(m, "x")->shape, *y = &m->root->out[0]->shape;
	const int64_t *kernel = ints(m->root, "kernel_shape");
	int64_t axes[MAX_RANK];

	for (int k = 2; k < x->rank; k++) {
		if (kernel == NULL || kernel[k - 2] != x->dim[k] || y->dim[k] != 1)
			return false;
		axes[k - 2] = k;
	}
	bind_ints(m, "a", x->rank - 2, axes);
	return all_are_or_absent(m->root, "pads", 0) && all_are_or_absent(m->root, "dilations", 1);
}

/* Axes of the inner reduction's input that both take together. */
bool guard_reductions_compose(struct match *m)
{
	const struct node *outer = m->node[0], *inner = m->node[1];
	const bool keeps = attr_int(inner, "keepdims", 1) != 0;
	bool taken[MAX_RANK] = { false };
	int64_t axes[MAX_RANK];
	int n1, n2, n = 0, at = 0;
	const int64_t *a1 = attr_ints(inner, "axes", &n1), *a2 = attr_ints(outer, "axes", &n2);

	for (int k = 0; k < n1; k++)
		taken[a1[k]] = true;
	for (int k = 0; k < rank_of(inner->in[0]); k++) {
		bool second = false;

		for (int i = 0; i < n2; i++)
			second = second || a2[i] == (keeps ? k : at);
		at += !taken[k];
		if (taken[k] || second)
			axes[n++] = k;
	}
	bind_ints(m, "a", n, axes);
	bind_int(m, "k", keeps || attr_int(outer, "keepdims", 1) != 0);
	return true;
}

static bool is_reduced(const struct node *n, int axis)
{
	int count;
	const int64_t *axes = attr_ints(n, "axes", &count);

	for (int k = 0; k < count; k++)
		if (axes[k] == axis)
			return true;
	return false;
}

/* Dimensions x0.. below x1 before a Reshape and y0.. below y1 after it that have the same product.
 */
struct group {
	int x0, x1, y0, y1;
	bool failed;
};

/* The smallest next one; false: there is none. */
static bool next_group(const struct shape *x, const struct shape *y, struct group *g)
{
	int64_t px = 1, py = 1;

	g->x0 = g->x1;
	g->y0 = g->y1;
	while (g->x1 < x->rank || g->y1 < y->rank) {
		if (g->x1 < x->rank && (px <= py || g->y1 == y->rank))
			px *= x->dim[g->x1++];
		else
			py *= y->dim[g->y1++];
		if (px == py && g->x1 > g->x0 && g->y1 > g->y0)
			return true;
	}
	/* what is left over is of size 1, or there is nothing left */
	g->failed = px != py;
	return !g->failed && (g->x1 > g->x0 || g->y1 > g->y0);
}

/* Each group of dimensions is reduced whole, or not at all; those of size 1 do not count. */
bool guard_reduces_whole_axes(struct match *m)
{
	const struct shape *x = &bound(m, "x")->shape, *y = &m->node[1]->out[0]->shape;
	struct group g = { 0 };
	int64_t axes[MAX_RANK];
	int n = 0;

	while (next_group(x, y, &g)) {
		bool some = false, all = true;

		for (int k = g.y0; k < g.y1; k++) {
			some = some || (y->dim[k] > 1 && is_reduced(m->root, k));
			all = all && (y->dim[k] == 1 || is_reduced(m->root, k));
		}
		if (some && !all)
			return false;
		for (int k = g.x0; some && k < g.x1; k++)
			axes[n++] = k;
	}
	bind_ints(m, "a", n, axes);
	return n > 0 && !g.failed;
}

/* The dimensions before a Reshape, those behind it cut out of them, as far as a size is a multiple of the other; axes:
 * those of what the root normalises. */
static bool cut_finer(struct match *m, const struct shape *x, const struct shape *y, struct shape *to, int64_t *axes,
	int *naxes)
{
	int64_t left_x = 1, left_y = 1;
	int at_x = 0, at_y = 0;

	*to = (struct shape){ 0 };
	for (*naxes = 0; at_x < x->rank || at_y < y->rank || left_x > 1;) {
		if (left_x == 1 && at_x < x->rank)
			left_x = x->dim[at_x++];
		if (left_y == 1 && at_y < y->rank)
			left_y = y->dim[at_y++];
		const int64_t size = left_x < left_y ? left_x : left_y;

		if (size == 1 && left_x != left_y)
			continue; /* a dimension of size 1 on one side */
		if (left_x % size != 0 || left_y % size != 0 || to->rank == MAX_RANK)
			return false;
		if (is_reduced(m->root, at_y - 1))
			axes[(*naxes)++] = to->rank;
		to->dim[to->rank++] = size;
		left_x /= size;
		left_y /= size;
	}
	return true;
}

/* A normalisation of groups of channels, which an exporter wrote on dimensions that were joined for it. */
bool guard_joined_for_it(struct match *m)
{
	const struct shape *x = &bound(m, "x")->shape, *y = &m->node[1]->out[0]->shape;
	struct shape s;
	int64_t axes[MAX_RANK];
	int n;

	if (!cut_finer(m, x, y, &s, axes, &n) || s.rank <= y->rank)
		return false;
	bind_shape(m, "s", &s);
	bind_ints(m, "a", n, axes);
	return true;
}

/* ---- padding before a window ---- */

/* p: the window operator's pads with those of the Pad; false: not zeros around the spatial axes. */
static bool add_pads(struct match *m, int64_t *sum)
{
	const struct node *pad = matched(m, "Pad", 0);
	const int rank = rank_of(pad->out[0]);
	const int64_t *pads = ints(pad, "pads"), *own = ints(m->root, "pads");

	if (rank < 3 || !adds_constant(pad) || !all_are(pads, 2, 0) || !all_are(pads + rank, 2, 0))
		return false;
	for (int k = 0; k < 2 * (rank - 2); k++) {
		sum[k] = (own != NULL ? own[k] : 0) + pads[k < rank - 2 ? k + 2 : k + 4];
		if (sum[k] > INT32_MAX)
			return false;
	}
	bind_ints(m, "p", 2 * (rank - 2), sum);
	return true;
}

static bool pads_with_zero(const struct match *m)
{
	const double v = attr_float(matched(m, "Pad", 0), "value", 0);

	return v >= 0 && v <= 0;
}

/* Such a bias is an operand of the epilogue. */
bool guard_computed_bias(struct match *m)
{
	return !is_constant(bound(m, "b"));
}

bool guard_zeros_before_conv(struct match *m)
{
	int64_t sum[2 * MAX_RANK];

	return pads_with_zero(m) && node_attr(m->root, "spread") == NULL && add_pads(m, sum);
}

/* Zero is what integers have as their zero point. */
bool guard_zeros_before_sums(struct match *m)
{
	const double v = attr_float(matched(m, "Pad", 0), "value", 0),
		     zero = (double)attr_int(m->root, "zero", 0);
	int64_t sum[2 * MAX_RANK];

	return v >= zero && v <= zero && add_pads(m, sum);
}

/* The zeros of the Pad count, those of the pool may not: only one of them can be there. */
bool guard_zeros_before_average(struct match *m)
{
	return guard_zeros_before_conv(m) && all_are_or_absent(m->root, "pads", 0);
}

/*
 * Padding of a MaxPool is less than anything. So is a Pad with the least number; one with zeros is
 * not above what is never negative, but every window must have something of that.
 */
bool guard_least_before_max(struct match *m)
{
	const int64_t *kernel = ints(m->root, "kernel_shape"),
		      *dilations = ints(m->root, "dilations");
	const int spatial = rank_of(m->root->out[0]) - 2;
	int64_t sum[2 * MAX_RANK] = { 0 };

	if (!add_pads(m, sum))
		return false;
	if (attr_float(matched(m, "Pad", 0), "value", 0) <= -(double)FLT_MAX)
		return true;
	for (int k = 0; k < 2 * spatial; k++)
		if (sum[k] > (kernel[k % spatial] - 1) *
				     (dilations != NULL ? dilations[k % spatial] : 1))
			return false;
	return pads_with_zero(m) && not_negative(bound(m, "x"));
}

/* ---- Transpose and Reshape on their way down ---- */

bool guard_fits_before(struct match *m)
{
	return rank_of(bound(m, "c")) <= rank_of(bound(m, "x"));
}

bool guard_same_perm(struct match *m)
{
	const int64_t *p = ints(matched(m, "Transpose", 0), "perm"),
		      *q = ints(matched(m, "Transpose", 1), "perm");
	const int rank = rank_of(bound(m, "x"));

	return rank == rank_of(bound(m, "y")) && memcmp(p, q, (size_t)rank * sizeof(*p)) == 0;
}

/* y, computed at run time, is brought behind the Transpose by a mere Reshape. */
bool guard_reshape_before(struct match *m)
{
	const struct tensor *y = bound(m, "y");
	const int rank = rank_of(bound(m, "x"));
	struct shape full, behind = { .rank = rank };

	if (is_constant(y) || rank_of(y) > rank)
		return false;
	full_rank(&y->shape, rank, &full);
	before_perm(perm_of(m), rank, full.dim, behind.dim);
	if (!keeps_order(perm_of(m), rank, behind.dim))
		return false;
	bind_shape(m, "s", &behind);
	return true;
}

bool guard_reduces_before(struct match *m)
{
	const struct shape *x = &bound(m, "x")->shape;
	const int64_t *perm = perm_of(m);
	struct shape left = *x;
	int64_t axes[MAX_RANK];
	int count;
	const int64_t *given = attr_ints(m->root, "axes", &count);

	for (int k = 0; k < count; k++) {
		axes[k] = perm[given[k]];
		left.dim[axes[k]] = 1;
	}
	bind_ints(m, "a", count, axes);
	return count > 0 && keeps_order(perm, x->rank, left.dim);
}

bool guard_pads_before(struct match *m)
{
	const int rank = rank_of(bound(m, "x"));
	const int64_t *pads = ints(m->root, "pads");
	int64_t behind[2 * MAX_RANK];

	before_perm(perm_of(m), rank, pads, behind);
	before_perm(perm_of(m), rank, pads + rank, behind + rank);
	bind_ints(m, "p", 2 * rank, behind);
	return true;
}

bool guard_slices_before(struct match *m)
{
	const int rank = rank_of(bound(m, "x"));
	int64_t starts[MAX_RANK], steps[MAX_RANK], dims[MAX_RANK];

	before_perm(perm_of(m), rank, ints(m->root, "starts"), starts);
	before_perm(perm_of(m), rank, ints(m->root, "steps"), steps);
	before_perm(perm_of(m), rank, m->root->out[0]->shape.dim, dims);
	bind_ints(m, "s", rank, starts);
	bind_ints(m, "t", rank, steps);
	bind_ints(m, "u", rank, dims);
	return true;
}

bool guard_axis_before(struct match *m)
{
	const int64_t axis = attr_int(m->root, "axis", -1);

	if (axis < 0 || axis >= rank_of(bound(m, "x")))
		return false;
	bind_int(m, "a", perm_of(m)[axis]);
	return true;
}

/* An anchor, or something that it may have in its epilogue already. */
bool guard_after_anchor(struct match *m)
{
	const struct tensor *x = bound(m, "x");

	if (x->def == NULL || is_constant(x))
		return false;
	return x->def->op->class == OP_ANCHOR || x->def->op->class == OP_ELEMENTWISE;
}

/* Is x transposed so by a node other than that? */
static bool is_transposed(const struct tensor *x, const int64_t *perm, int rank, const struct node *but)
{
	const struct use *u = x->user;
	int count;

	for (int k = 0; k < MAX_LOOKED_AT && u != NULL; k++, u = u->next) {
		const int64_t *p = attr_ints(u->node, "perm", &count);

		if (u->node != but && is_op(u->node, "Transpose") && count == rank &&
			memcmp(p, perm, (size_t)rank * sizeof(*p)) == 0)
			return true;
	}
	return false;
}

/* y is transposed back elsewhere: then it may as well be here, for the sake of what is before the
 * Transpose; unless that is transposed elsewhere, too. */
bool guard_transposed_anyway(struct match *m)
{
	const struct tensor *x = bound(m, "x"), *y = bound(m, "y");
	const struct node *own = matched(m, "Transpose", 0);
	const int rank = rank_of(x);
	int64_t places[MAX_RANK], inverse[MAX_RANK];

	if (is_constant(y) || y == x || !same_type(y, own->out[0]))
		return false;
	for (int k = 0; k < rank; k++)
		places[k] = k;
	before_perm(perm_of(m), rank, places, inverse);
	bind_ints(m, "q", rank, inverse);
	return is_transposed(y, inverse, rank, NULL) && !is_transposed(x, perm_of(m), rank, own);
}

/*
 * $c as it must be before a Reshape: s. In each group of dimensions with equal products it
 * broadcasts, has all elements, or belongs to the one dimension that is not 1.
 */
bool guard_constant_before(struct match *m)
{
	const struct shape *x = &bound(m, "x")->shape,
			   *y = &matched(m, "Reshape", 0)->out[0]->shape;
	struct shape c, s = { .rank = x->rank };
	struct group g = { 0 };

	if (!guard_after_anchor(m) || rank_of(bound(m, "c")) > y->rank)
		return false;
	full_rank(&bound(m, "c")->shape, y->rank, &c);
	if (shape_count(&c) == 1)
		s.rank = 0;
	while (s.rank > 0 && next_group(x, y, &g)) {
		int64_t elements = 1, size = 1;

		for (int k = g.y0; k < g.y1; k++) {
			elements *= c.dim[k];
			size *= y->dim[k];
		}
		if (elements != 1 && elements != size)
			return false;
		for (int k = g.x0; k < g.x1; k++)
			s.dim[k] = elements == 1 ? 1 : x->dim[k];
	}
	bind_shape(m, "s", &s);
	return !g.failed;
}

bool guard_same_reshape(struct match *m)
{
	const struct tensor *x = bound(m, "x"), *y = bound(m, "y");

	return shape_equal(&x->shape, &y->shape) &&
	       shape_equal(&m->node[1]->out[0]->shape, &m->node[2]->out[0]->shape);
}

/* y is reshaped to x's shape elsewhere: then it may as well be here. */
bool guard_reshaped_anyway(struct match *m)
{
	const struct tensor *x = bound(m, "x"), *y = bound(m, "y");

	if (is_constant(x) || is_constant(y) || !same_type(y, matched(m, "Reshape", 0)->out[0]))
		return false;
	bind_shape(m, "s", &x->shape);
	const struct use *u = y->user;

	for (int k = 0; k < MAX_LOOKED_AT && u != NULL; k++, u = u->next)
		if (is_op(u->node, "Reshape") &&
			shape_equal(&u->node->out[0]->shape, &x->shape))
			return true;
	return false;
}

/* ---- normalisation ---- */

/* m is the mean of x, in dimensions of size 1. */
static bool is_mean(const struct tensor *m, const struct tensor *x)
{
	return m->def != NULL && is_op(m->def, "ReduceMean") &&
	       m->def->in[0] == x && attr_int(m->def, "keepdims", 1) != 0;
}

bool guard_mean_of_x(struct match *m)
{
	return is_mean(bound(m, "m"), bound(m, "x"));
}

/* d = x - mean(x), over the axes a of the mean of its squares; k: what is added to that. */
bool guard_deviation(struct match *m)
{
	const struct node *sub = bound(m, "d")->def, *mean = matched(m, "ReduceMean", 0);
	int n1, n2;
	const int64_t *squares = attr_ints(mean, "axes", &n1), *values;
	double epsilon;

	if (sub == NULL || !is_op(sub, "Sub") || !is_mean(sub->in[1], sub->in[0]) ||
		!is_const(bound(m, "e")) || !const_uniform(bound(m, "e"), &epsilon))
		return false;
	values = attr_ints(sub->in[1]->def, "axes", &n2);
	if (n1 != n2 || memcmp(values, squares, (size_t)n1 * sizeof(*values)) != 0)
		return false;
	bind_tensor(m, "x", sub->in[0]);
	bind_ints(m, "a", n1, squares);
	bind_number(m, "k", epsilon);
	return true;
}

/* Also for functions: the Transpose is the first of the match. */
struct tensor *form_Before(struct match *m, struct tensor *c)
{
	const int rank = rank_of(matched(m, "Transpose", 0)->out[0]);
	const int64_t *perm = perm_of(m);
	int64_t places[MAX_RANK], inverse[MAX_RANK];
	struct shape full;

	if (shape_count(&c->shape) == 1)
		return rank_of(c) == 0 ? c : make_reshape(m, c, &(struct shape){ .rank = 0 });
	full_rank(&c->shape, rank, &full);
	if (!shape_equal(&full, &c->shape))
		c = make_reshape(m, c, &full);
	if (c == NULL)
		return NULL;
	for (int k = 0; k < rank; k++)
		places[k] = k;
	before_perm(perm, rank, places, inverse);
	struct node *n = make(m, "Transpose", 1, &c);
	set_ints(m->g, n, "perm", rank, inverse);
	return finish(m, n);
}
