/*
 * Shape rules of operators that pick, repeat or place parts of a tensor, or one of two. Where the
 * picking is constant, which is nearly always, they become Slice, Concat, Reshape, Expand and Pad.
 */
#include "shape.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RUNS = 8 }; /* more pieces than this are no longer cheaper than a Gather */

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

/* ---- sequences: SplitToSequence, then SequenceAt ---- */

/* Its output is no tensor and gets no shape; SequenceAt looks through it. */
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

bool shape_sequenceat(struct graph *g, struct node *n)
{
	struct node *split = n->in[0]->def;
	struct tensor *x, *part;
	int64_t start, size;
	const int64_t *at;
	int axis, count;

	if (split == NULL || split->op->shape != shape_sequence) {
		node_error(g, n, NULL, "its first input is not the output of SplitToSequence");
		return false;
	}
	x = split->in[0];
	if (!x->known || (has_input(split, 1) && !split->in[1]->known))
		return false;
	at = int_argument(g, n, 1, "position", &count);
	if (at == NULL || count != 1 ||
		!axis_of(g, split, attr_int(split, "axis", 0), x->shape.rank, &axis) ||
		!find_part(g, n, split, axis, at[0], &start, &size))
		return false;
	part = sliced(g, n, x, axis, start, size, 1);
	if (part != NULL && !has_input(split, 1) && attr_int(split, "keepdims", 1) == 0) {
		struct shape s = part->shape;

		memmove(&s.dim[axis], &s.dim[axis + 1],
			(size_t)(s.rank - axis - 1) * sizeof(s.dim[0]));
		s.rank--;
		part = reshaped(g, n, part, &s);
	}
	return replace(g, n, part);
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
	memmove(&s.dim[axis + 1], &s.dim[axis], (size_t)(s.rank - axis) * sizeof(s.dim[0]));
	s.dim[axis] = 1;
	s.rank++;
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

/* ---- Gather ---- */

/* The number of runs: stretches of an index list with one difference between neighbours, not 0. */
static int64_t count_runs(const int64_t *v, int64_t count, int64_t *ends, int most)
{
	int64_t runs = 0;

	for (int64_t k = 0, next; k < count; k = next) {
		next = k + 1;
		if (next < count && v[next] != v[k])
			for (next++; next < count && v[next] - v[next - 1] == v[k + 1] - v[k];)
				next++;
		if (runs < most)
			ends[runs] = next;
		runs++;
	}
	return runs;
}

/* Constant indices, none negative; null: reported. */
static int64_t *gather_indices(struct graph *g, struct node *n, int64_t dim)
{
	int64_t count = shape_count(&n->in[1]->shape);
	int64_t *v = tensor_i64(g->arena, n->in[1]);

	for (int64_t k = 0; k < count; k++) {
		if (v[k] < -dim || v[k] >= dim) {
			node_error(g, n, NULL, "index %lld into a dimension of %lld",
				(long long)v[k], (long long)dim);
			return NULL;
		}
		v[k] = v[k] < 0 ? v[k] + dim : v[k];
	}
	return v;
}

/* Slices joined, for run-time data and an index list of few runs; null: no, or reported. */
static struct tensor *gather_slices(
	struct graph *g, struct node *n, int axis, const int64_t *v, int64_t count)
{
	struct tensor *part[MAX_RUNS];
	int64_t ends[MAX_RUNS], runs = count_runs(v, count, ends, MAX_RUNS), start = 0;

	if (runs > MAX_RUNS)
		return NULL;
	for (int k = 0; k < runs; start = ends[k++]) {
		int64_t length = ends[k] - start;

		part[k] = sliced(g, n, n->in[0], axis, v[start], length,
			length > 1 ? v[start + 1] - v[start] : 1);
		if (part[k] == NULL)
			return NULL;
	}
	return joined(g, n, axis, (int)runs, part);
}

/* Constant indices: slices where that is few, else a normalised constant. */
static bool static_gather(struct graph *g, struct node *n, int axis, const struct shape *s)
{
	struct tensor *index = n->in[1], *x;
	int64_t count = shape_count(&index->shape),
		*v = gather_indices(g, n, n->in[0]->shape.dim[axis]);

	if (v == NULL)
		return false;
	x = constant_inputs(n) || count == 0 ? NULL : gather_slices(g, n, axis, v, count);
	if (x == NULL) {
		node_set_input(
			n, 1, graph_constant(g, index->name, DT_I64, &index->shape, DT_I64, v));
		return give(g, n, 0, n->in[0]->type, s);
	}
	if (index->shape.rank != 1)
		x = reshaped(g, n, x, s);
	return replace(g, n, x);
}

bool shape_gather(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape, *index = &n->in[1]->shape;
	struct shape s = { .rank = 0 };
	int axis;

	if (!axis_of(g, n, attr_int(n, "axis", 0), x->rank, &axis))
		return false;
	if (n->in[1]->type != DT_I64 && n->in[1]->type != DT_I32) {
		node_error(g, n, NULL, "its indices are %s", dtypes[n->in[1]->type].name);
		return false;
	}
	if (x->rank - 1 + index->rank > MAX_RANK) {
		node_error(g, n, NULL, "%d dimensions; skipc has at most %d",
			x->rank - 1 + index->rank, MAX_RANK);
		return false;
	}
	for (int k = 0; k < axis; k++)
		s.dim[s.rank++] = x->dim[k];
	for (int k = 0; k < index->rank; k++)
		s.dim[s.rank++] = index->dim[k];
	for (int k = axis + 1; k < x->rank; k++)
		s.dim[s.rank++] = x->dim[k];
	set_int(g, n, "axis", axis);
	if (is_const(n->in[1]))
		return static_gather(g, n, axis, &s);
	return give(g, n, 0, n->in[0]->type, &s);
}

/* ---- ScatterND: assignment to a slice ---- */

/* A box of indices: dimensions 0..rank-1 of the data from lo on, size long; the other dimensions
 * whole. */
struct box {
	int rank;
	int64_t lo[MAX_RANK], size[MAX_RANK];
};

/* Whether the index tuples are those of a box, in row-major order. */
static bool find_box(
	struct graph *g, const struct tensor *index, const struct shape *data, struct box *b)
{
	int rank = (int)index->shape.dim[index->shape.rank - 1];
	int64_t rows = rank > 0 ? shape_count(&index->shape) / rank : 0, total = 1;
	int64_t *v = tensor_i64(g->arena, index);

	b->rank = rank;
	for (int64_t k = 0; k < rows * rank; k++) {
		v[k] = v[k] < 0 ? v[k] + data->dim[k % rank] : v[k];
		if (v[k] < 0 || v[k] >= data->dim[k % rank])
			return false;
	}
	for (int i = 0; rows > 0 && i < rank; i++) {
		b->lo[i] = v[i];
		b->size[i] = v[(rows - 1) * rank + i] - v[i] + 1;
		if (b->size[i] < 1)
			return false;
		total *= b->size[i];
	}
	if (rows == 0 || total != rows)
		return false;
	for (int64_t r = 0; r < rows; r++)
		for (int64_t i = rank - 1, rest = r; i >= 0; rest /= b->size[i--])
			if (v[r * rank + i] != b->lo[i] + rest % b->size[i])
				return false;
	return true;
}

/* data with the box replaced: from the inside out, what lies before and behind is joined on. */
static struct tensor *paste(struct graph *g, struct node *n, const struct box *b)
{
	struct tensor *data = n->in[0];
	struct shape s = data->shape;

	for (int k = 0; k < b->rank; k++)
		s.dim[k] = b->size[k];
	struct tensor *x = shape_equal(&s, &n->in[2]->shape) ? n->in[2]
							     : reshaped(g, n, n->in[2], &s);

	for (int axis = b->rank - 1; x != NULL && axis >= 0; axis--) {
		struct tensor *rim = data, *part[3];
		int64_t behind = b->lo[axis] + b->size[axis], rest = data->shape.dim[axis] - behind;
		int count = 0;

		for (int k = 0; rim != NULL && k < axis; k++)
			rim = sliced(g, n, rim, k, b->lo[k], b->size[k], 1);
		if (rim != NULL && b->lo[axis] > 0)
			part[count++] = sliced(g, n, rim, axis, 0, b->lo[axis], 1);
		part[count++] = x;
		if (rim != NULL && rest > 0)
			part[count++] = sliced(g, n, rim, axis, behind, rest, 1);
		for (int k = 0; k < count; k++)
			if (part[k] == NULL)
				return NULL;
		x = rim != NULL ? joined(g, n, axis, count, part) : NULL;
	}
	return x;
}

/* The same where the data is one value everywhere: x padded with it. */
static struct tensor *paste_on_uniform(
	struct graph *g, struct node *n, const struct box *b, double value)
{
	const struct shape *data = &n->in[0]->shape;
	struct shape s = *data;
	int64_t pads[2 * MAX_RANK] = { 0 };

	for (int k = 0; k < b->rank; k++) {
		s.dim[k] = b->size[k];
		pads[k] = b->lo[k];
		pads[s.rank + k] = data->dim[k] - b->lo[k] - b->size[k];
	}
	struct tensor *x = shape_equal(&s, &n->in[2]->shape) ? n->in[2]
							     : reshaped(g, n, n->in[2], &s);

	if (x == NULL)
		return NULL;
	struct node *pad = place(g, n, "Pad", 1, &x);

	set_ints(g, pad, "pads", 2 * s.rank, pads);
	set_string(g, pad, "mode", "constant");
	set_float(g, pad, "value", value);
	return settle(g, pad);
}

/* updates: the index's shape without its last dimension, then what that leaves of the data. */
static bool check_scatter(struct graph *g, struct node *n)
{
	const struct shape *data = &n->in[0]->shape, *index = &n->in[1]->shape,
			   *up = &n->in[2]->shape;
	int64_t depth = index->rank > 0 ? index->dim[index->rank - 1] : 0;
	bool ok = depth >= 1 && depth <= data->rank &&
		  up->rank == index->rank - 1 + data->rank - depth &&
		  n->in[2]->type == n->in[0]->type &&
		  (n->in[1]->type == DT_I64 || n->in[1]->type == DT_I32);

	for (int k = 0; ok && k < up->rank; k++)
		ok = up->dim[k] == (k < index->rank - 1 ? index->dim[k]
							: data->dim[k - (index->rank - 1) + depth]);
	if (!ok)
		node_error(g, n, "updates are [indices.shape[:-1], data.shape[indices.shape[-1]:]]",
			"its inputs do not go together");
	return ok;
}

bool shape_scatter(struct graph *g, struct node *n)
{
	const char *reduction = attr_string(n, "reduction", "none");
	struct tensor *x;
	struct box b;
	double value;

	if (!check_scatter(g, n))
		return false;
	if (strcmp(reduction, "none") != 0 || !is_const(n->in[1])) {
		node_error(g, n,
			"compiled are assignments to a slice with constant bounds, such as y[:, "
			"a:b] = x",
			is_const(n->in[1]) ? "a scatter that is not an assignment"
					   : "its indices are computed at run time");
		return false;
	}
	if (constant_inputs(n))
		return give(g, n, 0, n->in[0]->type, &n->in[0]->shape);
	if (!find_box(g, n->in[1], &n->in[0]->shape, &b)) {
		node_error(g, n,
			"compiled are assignments to a slice with constant bounds and step 1, such "
			"as y[:, a:b] = x",
			"its indices are not those of one block");
		return false;
	}
	x = const_uniform(n->in[0], &value) ? paste_on_uniform(g, n, &b, value) : paste(g, n, &b);
	return replace(g, n, x);
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
