/* Shape rules of operators that cut or repeat a tensor, or mask it, or choose one of two. They become Slice,
 * Concat, Reshape, Expand and Where. */
#include "fold/fold.h"
#include "shapes/shape.h"

#include <stdlib.h>
#include <string.h>

/* A dimension of one before `axis`. */
static void insert_axis(struct shape *s, int axis)
{
	memmove(&s->dim[axis + 1], &s->dim[axis], (size_t)(s->rank - axis) * sizeof(s->dim[0]));
	s->dim[axis] = 1;
	s->rank++;
}

/* ---- Split ---- */

/* The size of each part: given, or equal ones with a smaller last. */
static const int64_t *split_sizes(struct graph *g, struct node *n, int64_t dim, int *count)
{
	const int64_t *sizes;
	int64_t num = attr_int(n, "num_outputs", n->nout), size, sum = 0, *v;

	if (!list_argument(g, n, 1, "split", &sizes, count))
		return NULL;
	if (sizes == NULL) {
		if (num < 1 || num > n->nout) {
			node_error(
				g, n, NULL, "%lld parts for %d outputs", (long long)num, n->nout);
			return NULL;
		}
		if (dim % num != 0 && attr_int(n, "equal", 0) != 0) {
			node_error(g, n, "up to opset 17 all parts are equal",
				"%lld does not divide into %lld parts", (long long)dim,
				(long long)num);
			return NULL;
		}
		size = (dim + num - 1) / num;
		v = arena_alloc(g->arena, (size_t)num * sizeof(*v));
		for (int64_t k = 0; k < num; k++)
			v[k] = k * size > dim ? 0 : (k + 1) * size > dim ? dim - k * size : size;
		*count = (int)num;
		return v;
	}
	for (int k = 0; k < *count; k++) {
		if (sizes[k] < 0 || sizes[k] > dim - sum)
			sum = dim + 1;
		else
			sum += sizes[k];
		if (sum > dim)
			break;
	}
	if (sum != dim) {
		node_error(g, n, "the sizes of the parts must add up to the dimension",
			"its parts do not fit a dimension of %lld", (long long)dim);
		return NULL;
	}
	return sizes;
}

bool shape_split(struct graph *g, struct node *n)
{
	struct tensor *x = n->in[0];
	const int64_t *sizes;
	int64_t start = 0;
	int axis, count;

	if (!axis_of(g, n, attr_int(n, "axis", 0), x->shape.rank, &axis))
		return false;
	sizes = split_sizes(g, n, x->shape.dim[axis], &count);
	if (sizes == NULL)
		return false;
	if (count != n->nout) {
		node_error(g, n, NULL, "%d parts for %d outputs", count, n->nout);
		return false;
	}
	for (int k = 0; k < count; start += sizes[k++]) {
		struct tensor *part;

		if (n->out[k]->nuser == 0 && !n->out[k]->is_output)
			continue;
		part = sliced(g, n, x, axis, start, sizes[k], 1);
		if (!become(g, n, k, part))
			return false;
	}
	node_remove(g, n);
	return true;
}

/* ---- sequences: SplitToSequence or SequenceConstruct, then SequenceAt or ConcatFromSequence ---- */

/* Its output is no tensor and gets no shape; what reads a sequence looks through it. */
bool shape_sequence(struct graph *g, struct node *n)
{
	(void)g, (void)n;
	return true;
}

/* Where part `at` of a SplitToSequence lies; at counts from the end when negative. */
static bool find_part(struct graph *g, struct node *n, struct node *split, int axis, int64_t at,
	int64_t *start, int64_t *size)
{
	int64_t dim = split->in[0]->shape.dim[axis], parts, each = 1;
	const int64_t *sizes = NULL;
	int count;

	if (has_input(split, 1)) {
		sizes = int_argument(g, split, 1, "split", &count);
		if (sizes == NULL)
			return false;
		each = sizes[0] < dim ? sizes[0] : dim;
		if (split->in[1]->shape.rank == 0)
			sizes = NULL;
	}
	parts = sizes != NULL ? count : each > 0 ? (dim + each - 1) / each : 0;
	at = at < 0 ? at + parts : at;
	if (at < 0 || at >= parts) {
		node_error(g, n, NULL, "part %lld of a sequence of %lld", (long long)at,
			(long long)parts);
		return false;
	}
	*start = sizes != NULL ? 0 : at * each;
	for (int64_t k = 0; sizes != NULL && k < at; k++)
		*start += sizes[k] >= 0 && sizes[k] <= dim ? sizes[k] : dim + 1;
	*size = sizes != NULL ? sizes[at] : each < dim - *start ? each : dim - *start;
	if (*start > dim || *size < 1 || *size > dim - *start) {
		node_error(g, n, NULL, "its part does not fit a dimension of %lld", (long long)dim);
		return false;
	}
	return true;
}

/* Part `at` of what SplitToSequence takes apart, or null: reported, or not known yet. */
static struct tensor *split_part(struct graph *g, struct node *n, struct node *split, int64_t at)
{
	struct tensor *x = split->in[0], *part;
	int64_t start, size;
	int axis;

	if (!x->known || (has_input(split, 1) && !split->in[1]->known))
		return NULL;
	if (!axis_of(g, split, attr_int(split, "axis", 0), x->shape.rank, &axis) ||
		!find_part(g, n, split, axis, at, &start, &size))
		return NULL;
	part = sliced(g, n, x, axis, start, size, 1);
	if (part != NULL && !has_input(split, 1) && attr_int(split, "keepdims", 1) == 0) {
		struct shape s = part->shape;

		memmove(&s.dim[axis], &s.dim[axis + 1],
			(size_t)(s.rank - axis - 1) * sizeof(s.dim[0]));
		s.rank--;
		part = reshaped(g, n, part, &s);
	}
	return part;
}

static bool is_sequence(struct graph *g, const struct node *n)
{
	if (n->in[0]->def != NULL && n->in[0]->def->op->shape == shape_sequence)
		return true;
	node_error(g, n, NULL, "its first input is not the output of SplitToSequence or SequenceConstruct");
	return false;
}

bool shape_sequenceat(struct graph *g, struct node *n)
{
	struct node *from = n->in[0]->def;
	const int64_t *at;
	int count;

	if (!is_sequence(g, n) || (at = int_argument(g, n, 1, "position", &count)) == NULL || count != 1)
		return false;
	if (is_op(from, "SplitToSequence"))
		return replace(g, n, split_part(g, n, from, at[0]));
	const int64_t k = at[0] < 0 ? at[0] + from->nin : at[0];

	if (k < 0 || k >= from->nin) {
		node_error(g, n, NULL, "part %lld of a sequence of %d", (long long)at[0], from->nin);
		return false;
	}
	return from->in[k]->known && replace(g, n, from->in[k]);
}

bool shape_concatfromsequence(struct graph *g, struct node *n)
{
	const struct node *from = n->in[0]->def;
	const bool stack = attr_int(n, "new_axis", 0) != 0;
	struct tensor **part;
	int axis;

	if (!is_sequence(g, n))
		return false;
	if (!is_op(from, "SequenceConstruct")) {
		node_error(g, n, "take its parts by SequenceAt and join them by Concat",
			"of ConcatFromSequence skipc has what SequenceConstruct gives");
		return false;
	}
	part = arena_alloc(g->arena, (size_t)from->nin * sizeof(*part));
	for (int k = 0; k < from->nin; k++) {
		struct shape s;

		part[k] = from->in[k];
		if (!part[k]->known)
			return false;
		s = part[k]->shape;
		if (s.rank + stack > MAX_RANK || !axis_of(g, n, attr_int(n, "axis", 0), s.rank + stack, &axis))
			return false;
		if (!stack)
			continue;
		insert_axis(&s, axis);
		part[k] = reshaped(g, n, part[k], &s);
		if (part[k] == NULL)
			return false;
	}
	return replace(g, n, joined(g, n, axis, from->nin, part));
}

/* ---- Tile ---- */

/* One axis repeated: [.., 1, d, ..] expanded to [.., r, d, ..], then flattened; or copies side by
 * side. */
static struct tensor *repeat_axis(
	struct graph *g, struct node *n, struct tensor *x, int axis, int64_t times)
{
	struct shape s = x->shape, done = x->shape;
	struct tensor *copies[MAX_RUNS];

	done.dim[axis] *= times;
	if (x->shape.dim[axis] == 1)
		return expanded(g, n, x, &done);
	if (times <= MAX_RUNS) {
		for (int64_t k = 0; k < times; k++)
			copies[k] = x;
		return joined(g, n, axis, (int)times, copies);
	}
	if (s.rank == MAX_RANK) {
		node_error(g, n, NULL, "so many repeats of a tensor with %d dimensions", MAX_RANK);
		return NULL;
	}
	insert_axis(&s, axis);
	x = reshaped(g, n, x, &s);
	s.dim[axis] = times;
	x = x != NULL ? expanded(g, n, x, &s) : NULL;
	return x != NULL ? reshaped(g, n, x, &done) : NULL;
}

bool shape_tile(struct graph *g, struct node *n)
{
	struct tensor *x = n->in[0];
	struct shape s = x->shape;
	int count;
	const int64_t *times = int_argument(g, n, 1, "repeats", &count);

	if (times == NULL)
		return false;
	if (count != s.rank) {
		node_error(g, n, NULL, "%d repeats for %d dimensions", count, s.rank);
		return false;
	}
	for (int k = 0; k < s.rank; k++)
		s.dim[k] = times[k] < 0 || times[k] > MAX_ELEMENTS ? -1 : s.dim[k] * times[k];
	if (!give(g, n, 0, x->type, &s))
		return false;
	if (constant_inputs(n)) /* evaluated as it is */
		return true;
	for (int k = 0; x != NULL && k < s.rank; k++)
		if (times[k] > 1)
			x = repeat_axis(g, n, x, k, times[k]);
	return replace(g, n, x);
}

/* ---- masks: Trilu, OneHot, EyeLike, Compress ---- */

/* Ones at and on one side of diagonal k of a matrix. */
static struct tensor *triangle(
	struct graph *g, int64_t rows, int64_t columns, bool upper, int64_t k)
{
	const struct shape s = { .rank = 2, .dim = { rows, columns } };
	uint8_t *keep = arena_alloc(g->arena, (size_t)(rows * columns + 1));

	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < columns; j++)
			keep[i * columns + j] = upper ? j - i >= k : j - i <= k;
	return graph_constant(g, NULL, DT_BOOL, &s, DT_BOOL, keep);
}

bool shape_trilu(struct graph *g, struct node *n)
{
	struct tensor *x = n->in[0], *mask;
	const int64_t zero = 0, *k = &zero;
	const int rank = x->shape.rank;
	int count = 1;

	if (has_input(n, 1) && (k = int_argument(g, n, 1, "diagonal", &count)) == NULL)
		return false;
	if (rank < 2 || count != 1) {
		node_error(g, n, NULL, "%d diagonals of a tensor with %d dimensions", count, rank);
		return false;
	}
	mask = triangle(g, x->shape.dim[rank - 2], x->shape.dim[rank - 1],
		attr_int(n, "upper", 1) != 0, *k);
	return replace(g, n, x->type == DT_BOOL ? op2(g, n, "And", x, mask)
						: chosen(g, n, mask, x, graph_scalar(g, x->type, 0.0)));
}

/* One at diagonal k, of x's shape; attribute `to`: the type, otherwise that of x. */
bool shape_eyelike(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	const int64_t k = attr_int(n, "k", 0);
	int64_t *v;

	if (x->rank != 2) {
		node_error(g, n, NULL, "a tensor with %d dimensions is no matrix", x->rank);
		return false;
	}
	v = arena_alloc(g->arena, (size_t)(shape_count(x) + 1) * sizeof(*v));
	for (int64_t i = 0; i < shape_count(x); i++)
		v[i] = i % x->dim[1] - i / x->dim[1] == k;
	return replace(g, n,
		graph_constant(g, NULL, (enum dtype)attr_int(n, "to", n->in[0]->type), x, DT_I64, v));
}

/* 0, 1 .. depth - 1 along an axis of a tensor with `rank` dimensions. */
static struct tensor *classes(
	struct graph *g, enum dtype type, int rank, int axis, int64_t depth)
{
	int64_t *v = arena_alloc(g->arena, (size_t)(depth + 1) * sizeof(*v));
	struct shape s = { .rank = rank };

	for (int d = 0; d < rank; d++)
		s.dim[d] = d == axis ? depth : 1;
	for (int64_t c = 0; c < depth; c++)
		v[c] = c;
	return graph_constant(g, NULL, type, &s, DT_I64, v);
}

/* Equal to a class or not: x with an axis of 1, against all of them. */
bool shape_onehot(struct graph *g, struct node *n)
{
	struct tensor *x = n->in[0], *values = n->in[2], *off, *on;
	struct shape s = x->shape;
	int64_t depth;
	int axis;

	if (!is_const(n->in[1]) || shape_count(&n->in[1]->shape) != 1 ||
		shape_count(&values->shape) != 2 || values->shape.rank != 1) {
		node_error(g, n, "the depth is one constant, the values are [off, on]",
			"its depth is %s%s, its values are %s",
			is_const(n->in[1]) ? "" : "computed at run time, ",
			shape_text(g->arena, &n->in[1]->shape), shape_text(g->arena, &values->shape));
		return false;
	}
	depth = const_i64(n->in[1], 0);
	if (depth < 1 || depth > MAX_FOLDED || s.rank == MAX_RANK) {
		node_error(g, n, NULL, "%lld classes of %s", (long long)depth,
			shape_text(g->arena, &s));
		return false;
	}
	if (!axis_of(g, n, attr_int(n, "axis", -1), s.rank + 1, &axis))
		return false;
	insert_axis(&s, axis);
	x = reshaped(g, n, x, &s);
	if (x != NULL && dtypes[x->type].suffix[0] != 'u') /* negative ones count from the end */
		x = chosen(g, n, op2(g, n, "Less", x, graph_scalar(g, x->type, 0.0)),
			op2(g, n, "Add", x, graph_scalar(g, x->type, (double)depth)), x);
	off = sliced(g, n, values, 0, 0, 1, 1);
	on = sliced(g, n, values, 0, 1, 1, 1);
	x = x != NULL ? op2(g, n, "Equal", x, classes(g, x->type, s.rank, axis, depth)) : NULL;
	return replace(g, n, chosen(g, n, x, on, off));
}

/* Elements of an axis, or of all, whose condition holds. */
bool shape_compress(struct graph *g, struct node *n)
{
	const struct shape flat = { .rank = 1, .dim = { shape_count(&n->in[0]->shape) } };
	const struct tensor *condition = n->in[1];
	int64_t size = shape_count(&condition->shape), count = 0, *v;
	struct tensor *x = n->in[0];
	int axis = 0;

	if (!is_const(condition)) {
		node_error(g, n, "only a constant condition gives it a size that is known now",
			"its condition is computed at run time");
		return false;
	}
	if (node_attr(n, "axis") == NULL)
		x = reshaped(g, n, x, &flat);
	else if (!axis_of(g, n, attr_int(n, "axis", 0), x->shape.rank, &axis))
		return false;
	if (x == NULL)
		return false;
	size = size < x->shape.dim[axis] ? size : x->shape.dim[axis];
	v = arena_alloc(g->arena, (size_t)(size + 1) * sizeof(*v));
	for (int64_t k = 0; k < size; k++)
		if (const_i64(condition, k) != 0)
			v[count++] = k;
	return replace(g, n, picked(g, n, x, axis, v, count));
}

/* ---- If ---- */

/* Both branches are there: a constant condition picks one, any other chooses between two alike. */
bool shape_if(struct graph *g, struct node *n)
{
	static const char hint[] = "both branches are computed and one is taken, so that sizes are "
				   "fixed: they must give the same type and shape";
	struct tensor *in[3] = { n->in[0], n->in[1], n->in[2] };
	const struct shape scalar = { .rank = 0 };

	if (in[0]->type != DT_BOOL || shape_count(&in[0]->shape) != 1) {
		node_error(g, n, "it must be a single bool", "its condition is %s%s",
			dtypes[in[0]->type].name, shape_text(g->arena, &in[0]->shape));
		return false;
	}
	if (is_const(in[0]))
		return replace(g, n, in[const_i64(in[0], 0) != 0 ? 1 : 2]);
	if (in[1]->type != in[2]->type || !shape_equal(&in[1]->shape, &in[2]->shape)) {
		node_error(g, n, hint,
			"its condition is computed at run time, its branches give %s%s and %s%s",
			dtypes[in[1]->type].name, shape_text(g->arena, &in[1]->shape),
			dtypes[in[2]->type].name, shape_text(g->arena, &in[2]->shape));
		return false;
	}
	in[0] = reshaped(g, n, in[0], &scalar);
	return in[0] != NULL && replace(g, n, settle(g, place(g, n, "Where", 3, in)));
}
