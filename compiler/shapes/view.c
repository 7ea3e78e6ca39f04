/* Shape rules of the views: what renames, cuts, joins or pads elements. They end static: lists of
 * full rank. */
#include "fold/fold.h"
#include "shapes/shape.h"

#include <string.h>

/* ---- making views ---- */

struct tensor *reshaped(
	struct graph *g, const struct node *n, struct tensor *x, const struct shape *s)
{
	struct node *v = place(g, n, "Reshape", 1, &x);

	v->out[0]->shape = *s;
	v->out[0]->known = true;
	return settle(g, v);
}

struct tensor *expanded(
	struct graph *g, const struct node *n, struct tensor *x, const struct shape *s)
{
	struct node *v = place(g, n, "Expand", 1, &x);

	v->out[0]->shape = *s;
	v->out[0]->known = true;
	return settle(g, v);
}

struct tensor *transposed(struct graph *g, const struct node *n, struct tensor *x, int rank,
	const int64_t *perm)
{
	if (x == NULL)
		return NULL;
	struct node *v = place(g, n, "Transpose", 1, &x);

	set_ints(g, v, "perm", rank, perm);
	return settle(g, v);
}

struct tensor *joined(
	struct graph *g, const struct node *n, int axis, int count, struct tensor *const *part)
{
	struct node *v;

	if (count == 1)
		return part[0];
	v = place(g, n, "Concat", count, part);
	set_int(g, v, "axis", axis);
	return settle(g, v);
}

/* Starts and steps that change one axis. */
static void set_slice(
	struct graph *g, struct node *n, int rank, int axis, int64_t start, int64_t step)
{
	int64_t starts[MAX_RANK], steps[MAX_RANK];

	for (int k = 0; k < rank; k++) {
		starts[k] = k == axis ? start : 0;
		steps[k] = k == axis ? step : 1;
	}
	set_ints(g, n, "starts", rank, starts);
	set_ints(g, n, "steps", rank, steps);
}

struct tensor *sliced(struct graph *g, const struct node *n, struct tensor *x, int axis,
	int64_t start, int64_t count, int64_t step)
{
	struct node *v;

	if (start == 0 && count == x->shape.dim[axis] && (step == 1 || count == 1))
		return x;
	v = place(g, n, "Slice", 1, &x);
	set_slice(g, v, x->shape.rank, axis, start, count == 1 ? 1 : step);
	v->out[0]->shape = x->shape;
	v->out[0]->shape.dim[axis] = count;
	v->out[0]->known = true;
	return settle(g, v);
}

/* n becomes a Reshape to s. */
static bool turn_to_reshape(struct graph *g, struct node *n, const struct shape *s)
{
	node_drop_inputs(n, 1);
	n->op = op_find("Reshape");
	n->nattr = 0;
	return give(g, n, 0, n->in[0]->type, s);
}

/* ---- Reshape and its kin ---- */

/* What 0 and -1 stand for. */
static bool resolve_reshape(
	struct graph *g, struct node *n, const int64_t *v, int count, struct shape *s)
{
	const struct shape *x = &n->in[0]->shape;
	bool allowzero = attr_int(n, "allowzero", 0) != 0;
	int free_axis = -1;
	int64_t rest = 1;

	for (int k = 0; k < count; k++) {
		int64_t d = v[k] == 0 && !allowzero ? (k < x->rank ? x->dim[k] : -2) : v[k];

		if (d < -1 || d > MAX_ELEMENTS || rest > MAX_ELEMENTS ||
			(d == -1 && free_axis >= 0)) {
			node_error(g, n,
				"at most one -1; 0 copies the input's dimension at the same place",
				"%lld at place %d of its shape", (long long)v[k], k);
			return false;
		}
		if (d == -1)
			free_axis = k;
		else
			rest *= d;
		s->dim[k] = d;
	}
	s->rank = count;
	if (free_axis >= 0)
		s->dim[free_axis] = rest > 0 ? shape_count(x) / rest : 0;
	return true;
}

bool shape_reshape(struct graph *g, struct node *n)
{
	const struct tensor *x = n->in[0];
	struct shape s = n->out[0]->shape;

	if (has_input(n, 1)) {
		int count;
		const int64_t *v = int_argument(g, n, 1, "shape", &count);

		if (v == NULL || !has_room(g, n, count))
			return false;
		if (!resolve_reshape(g, n, v, count, &s))
			return false;
	} else if (!n->out[0]->known) {
		node_error(g, n, NULL, "it has no shape to give");
		return false;
	}
	if (shape_count(&s) != shape_count(&x->shape)) {
		node_error(g, n,
			"a model exported for one batch size fits no other; export it with a "
			"dynamic batch",
			"%s cannot become %s", shape_text(g->arena, &x->shape),
			shape_text(g->arena, &s));
		return false;
	}
	return turn_to_reshape(g, n, &s);
}

bool shape_flatten(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	struct shape s = { .rank = 2, .dim = { 1, 1 } };
	int64_t axis = attr_int(n, "axis", 1);

	if (axis < -x->rank || axis > x->rank) {
		node_error(g, n, NULL, "axis %lld of a tensor with %d dimensions", (long long)axis,
			x->rank);
		return false;
	}
	axis = axis < 0 ? axis + x->rank : axis;
	for (int k = 0; k < x->rank; k++)
		s.dim[k < axis ? 0 : 1] *= x->dim[k];
	return turn_to_reshape(g, n, &s);
}

bool shape_squeeze(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	struct shape s = { .rank = 0 };
	bool flag[MAX_RANK] = { false };
	const int64_t *list;
	int count;

	if (!list_argument(g, n, 1, "axes", &list, &count) ||
		(list != NULL && !axes_of(g, n, list, count, x->rank, true, flag)))
		return false;
	for (int k = 0; k < x->rank; k++) {
		if (list == NULL ? x->dim[k] == 1 : flag[k]) {
			if (x->dim[k] == 1)
				continue;
			node_error(g, n, "only dimensions of size 1 can be squeezed away",
				"dimension %d is %lld", k, (long long)x->dim[k]);
			return false;
		}
		s.dim[s.rank++] = x->dim[k];
	}
	return turn_to_reshape(g, n, &s);
}

bool shape_unsqueeze(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	struct shape s = { .rank = 0 };
	bool flag[MAX_RANK] = { false };
	const int64_t *list;
	int count;

	if (!list_argument(g, n, 1, "axes", &list, &count))
		return false;
	if (list == NULL || count > MAX_RANK - x->rank) {
		node_error(g, n, NULL, "%d axes to add to %d; skipc has at most %d", count, x->rank,
			MAX_RANK);
		return false;
	}
	if (!axes_of(g, n, list, count, x->rank + count, true, flag))
		return false;
	for (int k = 0, from = 0; k < x->rank + count; k++)
		s.dim[s.rank++] = flag[k] ? 1 : x->dim[from++];
	return turn_to_reshape(g, n, &s);
}

/* What lines up with dimensions axis.. of x (1, the channels, unless said) as [C,1,..]: so that it
 * broadcasts. */
bool shape_channel(struct graph *g, struct node *n)
{
	const struct shape *v = &n->in[0]->shape, *x = &n->in[1]->shape;
	struct shape s = { .rank = 0 };
	int axis;
	bool ok;

	if (attr_int(n, "scalar", 0) != 0 && shape_count(v) == 1) /* whatever x is */
		return turn_to_reshape(g, n, &s);
	if (!axis_of(g, n, attr_int(n, "axis", 1), x->rank, &axis))
		return false;
	ok = v->rank <= x->rank - axis;
	for (int k = 0; ok && k < x->rank - axis; k++) {
		s.dim[s.rank++] = k < v->rank ? v->dim[k] : 1;
		ok = s.dim[k] == 1 || s.dim[k] == x->dim[axis + k];
	}
	if (!ok) {
		node_error(g, n,
			"it has an element a channel, which is dimension 1 unless an axis is given",
			"%s does not line up with dimension %d of %s", shape_text(g->arena, v),
			axis, shape_text(g->arena, x));
		return false;
	}
	return turn_to_reshape(g, n, &s);
}

bool shape_transpose(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	struct shape s = { .rank = x->rank };
	bool seen[MAX_RANK] = { false };
	int64_t perm[MAX_RANK];
	int count;
	const int64_t *given = attr_ints(n, "perm", &count);
	bool swap = attr_int(n, "swap", 0) != 0 && x->rank >= 2; /* the last two */

	drop_attr(n, "swap");
	if (given != NULL && count != x->rank) {
		node_error(g, n, NULL, "perm has %d entries for %d dimensions", count, x->rank);
		return false;
	}
	for (int k = 0; k < x->rank; k++) {
		perm[k] = given != NULL ? given[k] : swap ? k : x->rank - 1 - k;
		if (swap && k >= x->rank - 2)
			perm[k] = 2 * x->rank - 3 - k;
		if (perm[k] < 0 || perm[k] >= x->rank || seen[perm[k]]) {
			node_error(g, n, NULL, "perm is not a permutation of the dimensions");
			return false;
		}
		seen[perm[k]] = true;
		s.dim[k] = x->dim[perm[k]];
	}
	set_ints(g, n, "perm", x->rank, perm);
	return give(g, n, 0, n->in[0]->type, &s);
}

bool shape_expand(struct graph *g, struct node *n)
{
	struct shape s = n->in[0]->shape, to = n->out[0]->shape;

	if (has_input(n, 1)) {
		int count;
		const int64_t *v = int_argument(g, n, 1, "shape", &count);

		if (v == NULL || !has_room(g, n, count))
			return false;
		to.rank = count;
		memcpy(to.dim, v, (size_t)count * sizeof(*v));
		for (int k = 0; k < count; k++) {
			if (v[k] >= 0)
				continue;
			node_error(g, n, NULL, "%lld at place %d of its shape", (long long)v[k], k);
			return false;
		}
	} else if (!n->out[0]->known) {
		node_error(g, n, NULL, "it has no shape to give");
		return false;
	}
	if (!broadcast(&s, &to)) {
		node_error(g, n,
			"shapes are aligned at the last dimension; only dimensions of size 1 "
			"expand",
			"%s cannot become %s", shape_text(g->arena, &n->in[0]->shape),
			shape_text(g->arena, &to));
		return false;
	}
	node_drop_inputs(n, 1);
	return give(g, n, 0, n->in[0]->type, &s);
}

/* ---- DepthToSpace, SpaceToDepth ---- */

/* x as that shape, its dimensions then in that order, then as the last shape. */
static bool rearrange(struct graph *g, struct node *n, const struct shape *split,
	const int64_t *perm, const struct shape *last)
{
	struct tensor *x = transposed(
		g, n, reshaped(g, n, n->in[0], split), split->rank, perm);

	return replace(g, n, x != NULL ? reshaped(g, n, x, last) : NULL);
}

/* The block's size, where [N,C,H,W] divides: the channels by its square, or else the image by it. */
static bool block_size(struct graph *g, struct node *n, bool channels, int64_t *block)
{
	const struct shape *x = &n->in[0]->shape;

	*block = attr_int(n, "blocksize", 0);
	if (x->rank == 4 && *block >= 1 && *block <= MAX_ELEMENTS / *block &&
		(channels ? x->dim[1] % (*block * *block) == 0
			  : x->dim[2] % *block == 0 && x->dim[3] % *block == 0))
		return true;
	node_error(g, n,
		channels ? "[N,C,H,W], C a multiple of the block's square"
			 : "[N,C,H,W], H and W multiples of the block",
		"blocks of %lld do not fit %s", (long long)*block, shape_text(g->arena, x));
	return false;
}

/* Channels before blocks (CRD) or behind them (DCR): which of the two dimensions of the split comes first. */
static bool block_mode(struct graph *g, struct node *n, bool *crd)
{
	const char *mode = attr_string(n, "mode", "DCR");

	*crd = strcmp(mode, "CRD") == 0;
	if (*crd || strcmp(mode, "DCR") == 0)
		return true;
	node_error(g, n, "modes are DCR and CRD", "mode \"%s\"", escape(g->arena, mode));
	return false;
}

bool shape_depthtospace(struct graph *g, struct node *n)
{
	static const int64_t dcr[6] = { 0, 3, 4, 1, 5, 2 }, by_channel[6] = { 0, 1, 4, 2, 5, 3 };
	const struct shape *x = &n->in[0]->shape;
	int64_t b;
	bool crd;

	if (!block_size(g, n, true, &b) || !block_mode(g, n, &crd))
		return false;
	const int64_t c = x->dim[1] / (b * b), h = x->dim[2], w = x->dim[3];
	const struct shape split = { .rank = 6,
		.dim = { x->dim[0], crd ? c : b, b, crd ? b : c, h, w } };
	const struct shape last = { .rank = 4, .dim = { x->dim[0], c, h * b, w * b } };

	return rearrange(g, n, &split, crd ? by_channel : dcr, &last);
}

bool shape_spacetodepth(struct graph *g, struct node *n)
{
	static const int64_t dcr[6] = { 0, 3, 5, 1, 2, 4 }, by_channel[6] = { 0, 1, 3, 5, 2, 4 };
	const struct shape *x = &n->in[0]->shape;
	int64_t b;
	bool crd;

	if (!block_size(g, n, false, &b) || !block_mode(g, n, &crd))
		return false;
	const int64_t c = x->dim[1], h = x->dim[2] / b, w = x->dim[3] / b;
	const struct shape split = { .rank = 6, .dim = { x->dim[0], c, h, b, w, b } };
	const struct shape last = { .rank = 4, .dim = { x->dim[0], c * b * b, h, w } };

	return rearrange(g, n, &split, crd ? by_channel : dcr, &last);
}

/* ---- Slice ---- */

/* One axis: clamps as ONNX and numpy do. Sets the first element, the step and the number of
 * elements. */
static void clamp_slice(int64_t dim, int64_t start, int64_t end, int64_t step, int64_t out[3])
{
	int64_t low = step > 0 ? 0 : -1, high = step > 0 ? dim : dim - 1, count;

	step = step > MAX_ELEMENTS             ? MAX_ELEMENTS
	       : step < -(int64_t)MAX_ELEMENTS ? -(int64_t)MAX_ELEMENTS
					       : step;
	start = start < 0 ? start + dim : start;
	end = end < 0 ? end + dim : end;
	start = start < 0 ? 0 : start > high ? high : start;
	end = end < low ? low : end > high ? high : end;
	/* cppcheck-suppress zerodivcond -- the step is not 0 */
	count = step > 0 ? (end - start + step - 1) / step : (start - end - step - 1) / -step;
	count = count < 0 || dim == 0 ? 0 : count;
	out[0] = count > 0 ? start : 0;
	out[1] = count > 1 ? step : 1;
	out[2] = count;
}

/* The dynamic form: x starts ends axes? steps?. Sets starts and steps of full rank, and the
 * output's shape. */
static bool resolve_slice(
	struct graph *g, struct node *n, int64_t *starts, int64_t *steps, struct shape *s)
{
	static const char *const what[] = { "", "starts", "ends", "axes", "steps" };
	const int64_t *v[5] = { NULL };
	bool seen[MAX_RANK] = { false };
	int count[5] = { 0 };

	for (int i = 1; i < 5; i++) {
		if (i > 2 && !has_input(n, i))
			continue;
		if (!has_input(n, i)) {
			node_error(g, n, NULL, "its input %d is missing", i);
			return false;
		}
		v[i] = int_argument(g, n, i, what[i], &count[i]);
		if (v[i] == NULL)
			return false;
		if (count[i] != count[1] || count[i] > MAX_RANK) {
			node_error(g, n, NULL, "%d starts, and %d %s", count[1], count[i], what[i]);
			return false;
		}
	}
	for (int i = 0; i < count[1]; i++) {
		int64_t r[3], step = v[4] != NULL ? v[4][i] : 1;
		int k;

		if (!axis_of(g, n, v[3] != NULL ? v[3][i] : i, s->rank, &k))
			return false;
		if (seen[k] || step == 0) {
			node_error(g, n, NULL,
				seen[k] ? "axis %d is listed twice" : "the step of axis %d is 0",
				k);
			return false;
		}
		seen[k] = true;
		clamp_slice(s->dim[k], v[1][i], v[2][i], step, r);
		starts[k] = r[0];
		steps[k] = r[1];
		s->dim[k] = r[2];
	}
	return true;
}

/* A static one: every element taken must exist. */
static bool check_slice(struct graph *g, struct node *n, const struct shape *x)
{
	const struct shape *s = &n->out[0]->shape;
	int nstart, nstep;
	const int64_t *start = attr_ints(n, "starts", &nstart),
		      *step = attr_ints(n, "steps", &nstep);
	bool ok = n->out[0]->known && nstart == x->rank && nstep == x->rank && s->rank == x->rank;

	for (int k = 0; ok && k < x->rank; k++) {
		int64_t last = start[k] + (s->dim[k] - 1) * step[k];

		if (s->dim[k] > 0)
			ok = step[k] != 0 && start[k] >= 0 && start[k] < x->dim[k] && last >= 0 &&
			     last < x->dim[k];
	}
	if (!ok)
		node_error(g, n, NULL, "starts, steps and shape do not fit %s",
			shape_text(g->arena, x));
	return ok;
}

bool shape_slice(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	struct shape s = *x;
	int64_t starts[MAX_RANK] = { 0 }, steps[MAX_RANK];

	if (n->nin == 1)
		return check_slice(g, n, x) && give(g, n, 0, n->in[0]->type, &n->out[0]->shape);
	for (int k = 0; k < x->rank; k++)
		steps[k] = 1;
	if (!resolve_slice(g, n, starts, steps, &s) || !give(g, n, 0, n->in[0]->type, &s))
		return false;
	node_drop_inputs(n, 1);
	set_ints(g, n, "starts", x->rank, starts);
	set_ints(g, n, "steps", x->rank, steps);
	return true;
}

/* ---- Concat ---- */

/* Empty parts, which exporters leave in, go; whether there was one. */
static bool drop_empty(struct graph *g, struct node *n, const struct shape *s)
{
	struct tensor **in = arena_alloc(g->arena, (size_t)n->nin * sizeof(struct tensor *));
	int left = 0, all = n->nin;

	if (shape_count(s) == 0)
		return false;
	for (int k = 0; k < all; k++)
		if (shape_count(&n->in[k]->shape) > 0)
			in[left++] = n->in[k];
	if (left == all)
		return false;
	for (int k = 0; k < left; k++)
		node_set_input(n, k, in[k]);
	node_drop_inputs(n, left);
	return true;
}

bool shape_concat(struct graph *g, struct node *n)
{
	struct shape s = n->in[0]->shape;
	int axis;

	if (!axis_of(g, n, attr_int(n, "axis", 1), s.rank, &axis))
		return false;
	for (int k = 1; k < n->nin; k++) {
		const struct shape *t = &n->in[k]->shape;
		bool ok = t->rank == s.rank && n->in[k]->type == n->in[0]->type;

		for (int i = 0; ok && i < s.rank; i++)
			ok = i == axis || t->dim[i] == s.dim[i];
		if (!ok) {
			node_error(g, n,
				"all dimensions but that of the axis, and the types, must be equal",
				"input %d, %s, does not go together with input 0, %s, along axis "
				"%d",
				k, shape_text(g->arena, t), shape_text(g->arena, &n->in[0]->shape),
				axis);
			return false;
		}
		s.dim[axis] += t->dim[axis];
		if (s.dim[axis] > MAX_ELEMENTS)
			break;
	}
	set_int(g, n, "axis", axis);
	drop_empty(g, n, &s);
	return give(g, n, 0, n->in[0]->type, &s);
}

/* ---- Pad ---- */

/* The dynamic form: x pads value? axes?. Sets pads of full rank, and the value. */
static bool resolve_pad(struct graph *g, struct node *n, int rank, int64_t *pads)
{
	const int64_t *v, *axes = NULL;
	bool seen[MAX_RANK] = { false };
	int count, naxes = rank;

	if (!list_argument(g, n, 1, "pads", &v, &count) ||
		!list_argument(g, n, 3, "axes", &axes, &naxes))
		return false;
	naxes = axes != NULL ? naxes : rank;
	if (v == NULL || naxes > rank || count != 2 * naxes) {
		node_error(g, n, "the pads at the beginnings of all axes, then those at the ends",
			"%d pads for %d axes", v != NULL ? count : 0, naxes);
		return false;
	}
	for (int i = 0; i < naxes; i++) {
		int k;

		if (!axis_of(g, n, axes != NULL ? axes[i] : i, rank, &k))
			return false;
		if (seen[k]) {
			node_error(g, n, NULL, "axis %d is listed twice", k);
			return false;
		}
		seen[k] = true;
		pads[k] = v[i];
		pads[rank + k] = v[naxes + i];
	}
	if (!has_input(n, 2))
		return true;
	if (shape_count(&n->in[2]->shape) != 1 || n->in[2]->type != n->in[0]->type) {
		node_error(g, n, NULL, "the value to pad with is not one element of its type");
		return false;
	}
	if (is_const(n->in[2]))
		set_float(g, n, "value", const_f64(n->in[2], 0));
	return true;
}

/* How far a mode reaches: reflection has all but the border element, the others any element there
 * is. */
static bool check_pad(struct graph *g, struct node *n, const char *mode, const int64_t *pads)
{
	const struct shape *x = &n->in[0]->shape;
	bool constant = strcmp(mode, "constant") == 0, reflect = strcmp(mode, "reflect") == 0;

	if (!constant && !reflect && strcmp(mode, "edge") != 0 && strcmp(mode, "wrap") != 0) {
		node_error(g, n, "modes are constant, reflect, edge and wrap", "mode \"%s\"",
			escape(g->arena, mode));
		return false;
	}
	for (int k = 0; k < x->rank; k++) {
		int64_t begin = pads[k], end = pads[x->rank + k];
		int64_t left = x->dim[k] + (begin < 0 ? begin : 0) + (end < 0 ? end : 0);
		int64_t most = begin > end ? begin : end;

		if (begin < -MAX_ATTRIBUTE || begin > MAX_ATTRIBUTE || end < -MAX_ATTRIBUTE ||
			end > MAX_ATTRIBUTE || left < 0 || (!constant && left == 0 && most > 0) ||
			(reflect && most > 0 && most >= left)) {
			node_error(g, n,
				reflect ? "a reflection has one element less than the dimension"
					: NULL,
				"pads %lld and %lld in mode %s do not fit dimension %d of %s",
				(long long)begin, (long long)end, mode, k, shape_text(g->arena, x));
			return false;
		}
	}
	return true;
}

/* Modes that read the border read it after the crop that negative pads mean: a Slice does that
 * first. */
static bool crop_first(struct graph *g, struct node *n, int64_t *pads)
{
	int rank = n->in[0]->shape.rank;
	struct tensor *x = n->in[0];

	for (int k = 0; k < rank; k++) {
		int64_t begin = pads[k] < 0 ? -pads[k] : 0,
			end = pads[rank + k] < 0 ? -pads[rank + k] : 0;

		x = sliced(g, n, x, k, begin, x->shape.dim[k] - begin - end, 1);
		if (x == NULL)
			return false;
		pads[k] += begin;
		pads[rank + k] += end;
	}
	node_set_input(n, 0, x);
	return true;
}

/* A value that is known at run time only is chosen where the pads are. */
static bool pad_with(
	struct graph *g, struct node *n, struct tensor *value, const int64_t *pads, const struct shape *s)
{
	static const struct shape scalar = { .rank = 0 };
	const struct shape *x = &n->in[0]->shape;
	const int64_t count = shape_count(s);
	struct tensor *in[3];
	struct walk w;

	if (count > MAX_FOLDED) {
		node_error(g, n, NULL, "too large to be padded with a value that is computed");
		return false;
	}
	uint8_t *inside = arena_alloc(g->arena, (size_t)count + 1);

	walk_start(&w, s);
	for (int64_t i = 0; i < count; i++, walk_next(&w)) {
		inside[i] = 1;
		for (int k = 0; k < s->rank; k++)
			inside[i] = inside[i] && w.index[k] >= pads[k] &&
				    w.index[k] < pads[k] + x->dim[k];
	}
	struct node *pad = place(g, n, "Pad", 1, &n->in[0]);

	set_ints(g, pad, "pads", 2 * s->rank, pads);
	in[0] = graph_constant(g, NULL, DT_BOOL, s, DT_BOOL, inside);
	in[1] = settle(g, pad);
	in[2] = reshaped(g, n, value, &scalar);
	if (in[1] == NULL || in[2] == NULL)
		return false;
	return replace(g, n, settle(g, place(g, n, "Where", 3, in)));
}

bool shape_pad(struct graph *g, struct node *n)
{
	const char *mode = attr_string(n, "mode", "constant");
	struct shape s = n->in[0]->shape;
	int64_t pads[2 * MAX_RANK] = { 0 };

	if (!resolve_pad(g, n, s.rank, pads) || !check_pad(g, n, mode, pads))
		return false;
	if (strcmp(mode, "constant") != 0 && !crop_first(g, n, pads))
		return false;
	s = n->in[0]->shape;
	for (int k = 0; k < s.rank; k++)
		s.dim[k] += pads[k] + pads[s.rank + k];
	if (!give(g, n, 0, n->in[0]->type, &s))
		return false;
	if (has_input(n, 2) && !is_const(n->in[2]) && strcmp(mode, "constant") == 0)
		return pad_with(g, n, n->in[2], pads, &s);
	node_drop_inputs(n, 1);
	set_ints(g, n, "pads", 2 * s.rank, pads);
	set_string(g, n, "mode", mode);
	if (node_attr(n, "value") == NULL)
		set_float(g, n, "value", 0.0);
	return true;
}
