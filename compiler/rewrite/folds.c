/* Rewrites that no pattern says: of operators with any number of operands; and equal nodes. */
#include "rewrite/match.h"

#include <string.h>

enum { MAX_PARTS = 64, MAX_TAKEN_APART = 3, MAX_BETWEEN = 8, SMALL = 64 };

bool is_from(const struct tensor *t, const char *op)
{
	return t != NULL && t->def != NULL && !is_constant(t) && strcmp(t->def->op->name, op) == 0;
}

void also_from(struct match *m, const struct node *n)
{
	m->prov = prov_union(m->g->arena, m->prov, n->prov);
}

struct tensor *make_slice(
	struct match *m, struct tensor *x, int axis, int64_t start, int64_t step, int64_t size)
{
	int64_t starts[MAX_RANK] = { 0 }, steps[MAX_RANK];
	struct node *n = make(m, "Slice", 1, &x);

	for (int d = 0; d < x->shape.rank; d++)
		steps[d] = 1;
	starts[axis] = start;
	steps[axis] = step;
	set_ints(m->g, n, "starts", x->shape.rank, starts);
	set_ints(m->g, n, "steps", x->shape.rank, steps);
	n->out[0]->shape = x->shape;
	n->out[0]->shape.dim[axis] = size;
	n->out[0]->known = true;
	return finish(m, n);
}

int slice_axis(const struct node *n)
{
	int count, axis = -1;
	const int64_t *steps = attr_ints(n, "steps", &count);

	for (int d = 0; d < n->in[0]->shape.rank; d++) {
		if (n->out[0]->shape.dim[d] == n->in[0]->shape.dim[d] && steps[d] == 1)
			continue;
		if (axis >= 0)
			return -1;
		axis = d;
	}
	return axis;
}

struct node *make_like(struct match *m, const struct node *like, int nin, struct tensor *const *in)
{
	struct node *n = make(m, like->op->name, nin, in);

	n->attr = arena_alloc(m->g->arena, (size_t)(like->nattr + 1) * sizeof(*n->attr));
	if (like->nattr > 0)
		memcpy(n->attr, like->attr, (size_t)like->nattr * sizeof(*n->attr));
	n->nattr = like->nattr;
	return n;
}

/* ---- option A: zero channels beside a shortcut ---- */

/*
 * Zeros: constants, or something times zero, as DownsampleA writes it, which is 0 for every finite
 * x. That is assumed here only, where the zeros are joined to something else.
 */
static bool is_zero(const struct tensor *t)
{
	double v;

	if (is_const(t))
		return const_uniform(t, &v) && v >= 0 && v <= 0;
	if (is_constant(t) && is_op(t->def, "Expand"))
		return is_const(t->def->in[0]) && const_uniform(t->def->in[0], &v) && v >= 0 &&
		       v <= 0;
	for (int k = 0; k < 2 && is_from(t, "Mul"); k++)
		if (is_const(t->def->in[k]) && const_uniform(t->def->in[k], &v) && v >= 0 && v <= 0)
			return true;
	return false;
}

/* Concat(x, 0) -> Pad(x): on either side. */
struct tensor *fold_concat_zeros(struct match *m)
{
	struct node *n = m->root;
	const int rank = n->out[0]->shape.rank;
	const int64_t axis = attr_int(n, "axis", 0);
	int64_t pads[2 * MAX_RANK] = { 0 };
	struct tensor *x = NULL;

	for (int k = 0; k < n->nin; k++) {
		if (!is_zero(n->in[k])) {
			if (x != NULL)
				return NULL;
			x = n->in[k];
			continue;
		}
		pads[x == NULL ? axis : rank + axis] += n->in[k]->shape.dim[axis];
		if (!is_constant(n->in[k]))
			also_from(m, n->in[k]->def);
	}
	if (x == NULL || n->nin < 2)
		return NULL;
	struct node *pad = make(m, "Pad", 1, &x);
	set_ints(m->g, pad, "pads", 2 * rank, pads);
	set_string(m->g, pad, "mode", "constant");
	set_float(m->g, pad, "value", 0);
	return finish(m, pad);
}

/* ---- Transpose below Concat ---- */

/* Concat(Transpose(x), Transpose(y), constant) -> Transpose(Concat(x, y, constant)) */
struct tensor *fold_concat_transposes(struct match *m)
{
	struct node *n = m->root, *first = NULL;
	struct tensor *in[MAX_PARTS];
	const int rank = n->out[0]->shape.rank;
	const int64_t *perm = NULL;
	int count;

	if (n->nin > MAX_PARTS)
		return NULL;
	for (int k = 0; k < n->nin; k++) {
		if (is_from(n->in[k], "Transpose")) {
			const int64_t *p = attr_ints(n->in[k]->def, "perm", &count);

			if (first == NULL)
				first = n->in[k]->def;
			perm = perm == NULL ? p : perm;
			if (memcmp(perm, p, (size_t)rank * sizeof(*p)) != 0)
				return NULL;
			also_from(m, n->in[k]->def);
		} else if (!is_constant(n->in[k])) {
			return NULL;
		}
	}
	if (first == NULL)
		return NULL;
	m->node[m->nnode++] = first; /* form_Before looks for it */
	for (int k = 0; k < n->nin; k++) {
		in[k] = is_constant(n->in[k]) ? form_Before(m, n->in[k]) : n->in[k]->def->in[0];
		if (in[k] == NULL || in[k]->shape.rank != rank)
			return NULL;
	}
	struct node *joined = make(m, "Concat", n->nin, in);
	set_int(m->g, joined, "axis", perm[attr_int(n, "axis", 0)]);
	struct tensor *x = finish(m, joined);
	if (x == NULL)
		return NULL;
	struct node *moved = make(m, "Transpose", 1, &x);
	set_ints(m->g, moved, "perm", rank, perm);
	return finish(m, moved);
}

/* ---- one layer for several: parts of its outputs ---- */

/* The axis of a layer's outputs, if its weights are known; else -1. */
static int output_axis(const struct node *n)
{
	if (n == NULL || n->nin < 2 || !is_constant(n->in[1]) ||
		(n->nin > 2 && n->in[2] != NULL && !is_constant(n->in[2])))
		return -1;
	if (is_op(n, "Linear") || is_op(n, "LinearInteger"))
		return n->out[0]->shape.rank - 1;
	return (is_op(n, "Conv") || is_op(n, "ConvInteger")) && attr_int(n, "group", 1) == 1 ? 1 : -1;
}

/* Only elementwise operators read t: a layer that gives it takes them into its epilogue. */
static bool only_elementwise(const struct tensor *t)
{
	for (const struct use *u = t->user; u != NULL; u = u->next)
		if (!is_pointwise(u->node))
			return false;
	return !t->is_output;
}

/* What a Slice leaves of a convolution's image, by smaller pads. False: pads cannot say it. */
static bool crop(const struct node *conv, const struct node *slice, int64_t *pads)
{
	const struct shape *x = &conv->in[0]->shape, *w = &conv->in[1]->shape;
	const int spatial = x->rank - 2;
	int count;
	const int64_t *spread = attr_ints(conv, "spread", &count),
		      *had = attr_ints(conv, "pads", &count),
		      *strides = attr_ints(conv, "strides", &count),
		      *dilations = attr_ints(conv, "dilations", &count),
		      *starts = attr_ints(slice, "starts", &count);

	for (int i = 0; i < spatial; i++) {
		const int64_t span = (slice->out[0]->shape.dim[2 + i] - 1) * strides[i] +
				     dilations[i] * (w->dim[2 + i] - 1) + 1;

		pads[i] = had[i] - starts[2 + i] * strides[i];
		pads[spatial + i] = span - pads[i] - 1 -
				    (x->dim[2 + i] - 1) * (spread != NULL ? spread[i] : 1);
		if (pads[spatial + i] < 0 && pads[spatial + i] > -strides[i])
			pads[spatial + i] = 0; /* rows that no window reaches */
		if (spread == NULL && (pads[i] < 0 || pads[spatial + i] < 0))
			return false;
	}
	return true;
}

/* The Slice takes some of the layer's outputs, and of a convolution's a part of the image. */
static bool takes_part(const struct node *slice, int axis)
{
	const struct shape *x = &slice->in[0]->shape, *y = &slice->out[0]->shape;
	int count;
	const int64_t *steps = attr_ints(slice, "steps", &count);

	for (int d = 0; d < x->rank; d++)
		if (d != axis &&
			(steps[d] != 1 || ((d < axis || d == 0) && y->dim[d] != x->dim[d])))
			return false;
	return true;
}

/* What stands between a Slice and a layer of integers: elementwise operators, which read it alone along the axis. */
struct between {
	const struct node *node[MAX_BETWEEN]; /* the last one first */
	int n;
};

/* The one input of n that varies along the axis and is computed at run time; -1: there is not one. */
static int varying_input(const struct node *n, int axis)
{
	int found = -1;

	for (int k = 0; k < n->nin; k++) {
		const struct tensor *t = n->in[k];
		const int own = axis - n->out[0]->shape.rank + t->shape.rank;

		if (is_constant(t) || own < 0 || t->shape.dim[own] == 1)
			continue;
		if (found >= 0 || !shape_equal(&t->shape, &n->out[0]->shape))
			return -1;
		found = k;
	}
	return found;
}

/* The layer that gives t, and what is between. Of floats nothing is, as biases and scales are the layer's. */
static const struct node *layer_of(const struct tensor *t, int axis, struct between *b)
{
	b->n = 0;
	for (const struct node *n = t->def; n != NULL; n = t->def) {
		const int at = n->op->class == OP_ELEMENTWISE && axis >= 0 ? varying_input(n, axis) : -1;

		if (at < 0 || b->n == MAX_BETWEEN)
			return b->n == 0 || is_a(n, IS_EXACT) ? n : NULL;
		b->node[b->n++] = n;
		t = n->in[at];
		if (t->nuser > 1 || t->is_output)
			return NULL;
	}
	return NULL;
}

/* What is between, of a part x of the layer's outputs. */
static struct tensor *rebuilt(struct match *m, const struct between *b, struct tensor *x, int axis, int64_t start, int64_t step)
{
	for (int i = b->n - 1; i >= 0 && x != NULL; i--) {
		const struct node *n = b->node[i];
		const int at = varying_input(n, axis);
		struct tensor *in[MAX_EXPR_IN] = { NULL };

		for (int k = 0; k < n->nin; k++) {
			struct tensor *t = n->in[k];
			const int own = axis - n->out[0]->shape.rank + t->shape.rank;

			in[k] = k == at                               ? x
				: own < 0 || t->shape.dim[own] == 1 ? t
									: make_slice(m, t, own, start, step, x->shape.dim[axis]);
		}
		also_from(m, n);
		x = finish(m, make_like(m, n, n->nin, in));
	}
	return x;
}

/* Are parts of the layer's outputs all that anybody reads of t, and is no output computed twice? */
static bool is_taken_apart(const struct tensor *t, int axis)
{
	int64_t left = t->shape.dim[axis];

	if (t->is_output || t->nuser > MAX_TAKEN_APART)
		return false;
	for (const struct use *u = t->user; u != NULL; u = u->next) {
		const struct node *part = u->node;

		if (!is_op(part, "Slice") || !takes_part(part, axis) || (t->nuser > 1 && !only_elementwise(part->out[0])))
			return false;
		left -= part->out[0]->shape.dim[axis];
	}
	return left >= 0;
}

/*
 * Slice(Linear(x, w, b)) -> Linear(x, Slice(w), Slice(b)), where parts are all that anybody reads:
 * a highway's H and T in one product. Fusion computes them side by side again, and joins them in
 * the epilogue. Of a convolution, which may be cropped as well: causal ones are written so. Of integers,
 * with what makes them integers again between.
 */
struct tensor *fold_layer_slice(struct match *m)
{
	const struct node *n = m->root;
	struct between between;
	const struct node *layer = layer_of(n->in[0], slice_axis(n), &between);
	const int axis = output_axis(layer);
	int64_t pads[2 * MAX_RANK];
	int count;

	if (axis < 0 || (is_a(layer, IS_EXACT) && axis != slice_axis(n)) || !is_taken_apart(n->in[0], axis))
		return NULL;
	const bool matrix = layer->in[1]->shape.rank == 2, conv = is_op(layer, "Conv");

	if (conv && !crop(layer, n, pads))
		return NULL;
	const int64_t start = attr_ints(n, "starts", &count)[axis],
		      step = attr_ints(n, "steps", &count)[axis], size = n->out[0]->shape.dim[axis];
	struct tensor *in[3] = { layer->in[0], layer->in[1], layer->nin > 2 ? layer->in[2] : NULL };

	for (int k = 1; k < 3; k++)
		if (in[k] != NULL && (k == 1 || shape_count(&in[k]->shape) > 1) && (size < n->in[0]->shape.dim[axis] || step != 1))
			in[k] = make_slice(m, in[k], k == 1 && matrix, start, step, size);
	also_from(m, layer);
	struct node *own = make_like(m, layer, in[2] != NULL ? 3 : 2, in);

	if (conv)
		set_ints(m->g, own, "pads", 2 * (layer->out[0]->shape.rank - 2), pads);
	return rebuilt(m, &between, finish(m, own), axis, start, step);
}

/* Slice(Reshape(x)) -> Reshape(Slice(x)), where the Reshape splits a layer's outputs in two and the
 * Slice takes a part of either. */
struct tensor *fold_split_slice(struct match *m)
{
	const struct node *n = m->root;
	struct tensor *y = n->in[0], *x = is_from(y, "Reshape") ? y->def->in[0] : NULL, *part;
	const int axis = x != NULL ? output_axis(x->def) : -1, at = slice_axis(n);
	int count;

	if (axis < 0 || y->shape.rank != x->shape.rank + 1 || (at != axis && at != axis + 1))
		return NULL;
	for (int d = 0; d < x->shape.rank; d++)
		if (d != axis && x->shape.dim[d] != y->shape.dim[d < axis ? d : d + 1])
			return NULL;
	const int64_t start = attr_ints(n, "starts", &count)[at],
		      step = attr_ints(n, "steps", &count)[at];
	const int64_t inner = y->shape.dim[axis + 1], size = n->out[0]->shape.dim[at];

	if (at == axis ? step != 1 && size != 1 : size != 1)
		return NULL;
	part = at == axis ? make_slice(m, x, axis, start * inner, 1, size * inner)
			  : make_slice(m, x, axis, start, inner, y->shape.dim[axis]);
	also_from(m, y->def);
	return part != NULL ? make_reshape(m, part, &n->out[0]->shape) : NULL;
}

/* ---- equal nodes ---- */

/* One tensor, or small constants of equal elements. */
static bool same_value(const struct tensor *x, const struct tensor *y)
{
	if (x == y)
		return true;
	if (x == NULL || y == NULL || !is_const(x) || !is_const(y) || !same_type(x, y) ||
		shape_count(&x->shape) > SMALL)
		return false;
	for (int64_t k = 0; k < shape_count(&x->shape); k++) {
		const double u = const_f64(x, k), v = const_f64(y, k);

		if (memcmp(&u, &v, sizeof(u)) != 0)
			return false;
	}
	return true;
}

static bool same_operands(const struct node *x, const struct node *y)
{
	bool same = x->nin == y->nin;

	for (int k = 0; same && k < x->nin; k++)
		same = same_value(x->in[k], y->in[k]);
	return same || (x->nin == 2 && y->nin == 2 && x->op->commutes &&
			       same_value(x->in[0], y->in[1]) && same_value(x->in[1], y->in[0]));
}

struct node *twin_of(const struct node *n)
{
	for (int i = 0; i < n->nin; i++) {
		const struct tensor *t = n->in[i];

		if (t == NULL || is_constant(t))
			continue;
		const struct use *use = t->user;

		for (int k = 0; k < MAX_PARTS && use != NULL; k++, use = use->next) {
			struct node *u = use->node;

			if (u != n && u->op == n->op && u->nout == 1 && same_operands(u, n) &&
				attrs_equal(u, n) && same_type(u->out[0], n->out[0]))
				return u;
		}
		break; /* a twin reads it as well */
	}
	return NULL;
}
