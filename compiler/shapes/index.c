/*
 * Shape rules of operators that pick or place elements by their indices. Two of them have kernels:
 * Gather picks along one axis, Scatter places rows. The others become those, with positions that
 * elementwise operators compute; or, where the indices are constant and form a grid, which is
 * nearly always, Slices and Concats.
 *
 * A negative index counts from the end. One that is out of range is an error where it is constant,
 * and at run time stands for the nearest end.
 */
#include "fold/fold.h"
#include "shapes/shape.h"

#include <stdlib.h>
#include <string.h>

/* ---- Gather ---- */

/*
 * The number of runs: stretches of an index list with one difference between neighbours, not 0,
 * and all on the same side of `split`.
 */
static int64_t count_runs(
	const int64_t *v, int64_t count, int64_t split, int64_t *ends, int64_t most)
{
	int64_t runs = 0;

	for (int64_t k = 0, next; k < count; k = next) {
		const bool side = v[k] < split;

		next = k + 1;
		if (next < count && v[next] != v[k] && (v[next] < split) == side)
			for (next++; next < count && v[next] - v[next - 1] == v[k + 1] - v[k] &&
				     (v[next] < split) == side;)
				next++;
		if (runs < most)
			ends[runs] = next;
		runs++;
	}
	return runs;
}

/* Constant indices into a dimension, none negative; null: reported. */
static int64_t *constant_indices(
	struct graph *g, struct node *n, const struct tensor *index, int64_t dim)
{
	int64_t count = shape_count(&index->shape);
	int64_t *v = tensor_i64(g->arena, index);

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
static struct tensor *picked_slices(struct graph *g, const struct node *n, struct tensor *x,
	int axis, const int64_t *v, int64_t count)
{
	struct tensor *part[MAX_RUNS];
	int64_t ends[MAX_RUNS], start = 0,
				runs = count_runs(v, count, INT64_MAX, ends, MAX_RUNS);

	if (runs > MAX_RUNS || count == 0 || is_const(x) || is_lazy_const(x))
		return NULL;
	for (int k = 0; k < runs; start = ends[k++]) {
		int64_t length = ends[k] - start;

		part[k] = sliced(g, n, x, axis, v[start], length,
			length > 1 ? v[start + 1] - v[start] : 1);
		if (part[k] == NULL)
			return NULL;
	}
	return joined(g, n, axis, (int)runs, part);
}

/* A Gather along an axis. */
static struct tensor *gathered(struct graph *g, const struct node *n, struct tensor *x, int axis,
	struct tensor *index)
{
	struct tensor *in[2] = { x, index };

	if (x == NULL || index == NULL)
		return NULL;
	struct node *v = place(g, n, "Gather", 2, in);

	set_int(g, v, "axis", axis);
	return settle(g, v);
}

struct tensor *picked(struct graph *g, const struct node *n, struct tensor *x, int axis,
	const int64_t *v, int64_t count)
{
	const int errors = g->diag->errors;
	struct tensor *y = picked_slices(g, n, x, axis, v, count);

	if (y != NULL || g->diag->errors != errors)
		return y;
	return gathered(g, n, x, axis, graph_ints(g, (int)count, v));
}

/* Constant indices: slices where that is few, else a normalised constant. */
static bool static_gather(struct graph *g, struct node *n, int axis, const struct shape *s)
{
	struct tensor *index = n->in[1], *x;
	int64_t count = shape_count(&index->shape),
		*v = constant_indices(g, n, index, n->in[0]->shape.dim[axis]);

	if (v == NULL)
		return false;
	x = picked_slices(g, n, n->in[0], axis, v, count);
	if (x == NULL) {
		node_set_input(
			n, 1, graph_constant(g, index->name, DT_I64, &index->shape, DT_I64, v));
		return give(g, n, 0, n->in[0]->type, s);
	}
	if (index->shape.rank != 1)
		x = reshaped(g, n, x, s);
	return replace(g, n, x);
}

/* Input k is a tensor of indices, and the output fits. */
static bool check_indices(struct graph *g, struct node *n, int k, int rank)
{
	if (n->in[k]->type != DT_I64 && n->in[k]->type != DT_I32) {
		node_error(g, n, NULL, "its indices are %s", dtypes[n->in[k]->type].name);
		return false;
	}
	return has_room(g, n, rank);
}

bool shape_gather(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape, *index = &n->in[1]->shape;
	struct shape s = { .rank = 0 };
	int axis;

	if (!axis_of(g, n, attr_int(n, "axis", 0), x->rank, &axis) ||
		!check_indices(g, n, 1, x->rank - 1 + index->rank))
		return false;
	for (int k = 0; k < axis; k++)
		s.dim[s.rank++] = x->dim[k];
	for (int k = 0; k < index->rank; k++)
		s.dim[s.rank++] = index->dim[k];
	for (int k = axis + 1; k < x->rank; k++)
		s.dim[s.rank++] = x->dim[k];
	set_int(g, n, "axis", axis);
	if (is_const(n->in[1]))
		return static_gather(g, n, axis, &s);
	if (x->dim[axis] == 0) {
		node_error(g, n, NULL, "indices into a dimension of 0");
		return false;
	}
	return give(g, n, 0, n->in[0]->type, &s);
}

bool shape_lookup(struct graph *g, struct node *n)
{
	const struct shape *s = &n->in[1]->shape;

	if (dtypes[n->in[0]->type].size != 1 || s->rank != 1 || s->dim[0] != 256 || !is_const(n->in[1])) {
		node_error(g, n, NULL, "%s does not say which of %s", dtypes[n->in[0]->type].name, shape_text(g->arena, s));
		return false;
	}
	return give(g, n, 0, n->in[1]->type, &n->in[0]->shape);
}

/* ---- positions: where index tuples point in dimensions of the data that are flattened ---- */

static struct tensor *index_scalar(struct graph *g, const struct tensor *like, int64_t v)
{
	return graph_scalar(g, like->type, (double)v);
}

/* Indices into a dimension, in range, times what one step of it is. */
static struct tensor *stepped(
	struct graph *g, const struct node *n, struct tensor *index, int64_t dim, int64_t step)
{
	struct tensor *v = index;

	if (v == NULL)
		return NULL;
	v = chosen(g, n, op2(g, n, "Less", v, index_scalar(g, index, 0)),
		op2(g, n, "Add", v, index_scalar(g, index, dim)), v);
	v = op2(g, n, "Max", v, index_scalar(g, index, 0));
	v = op2(g, n, "Min", v, index_scalar(g, index, dim - 1));
	return step != 1 ? op2(g, n, "Mul", v, index_scalar(g, index, step)) : v;
}

/* 0, step, 2 step .. along dimension k of a shape, as a constant that broadcasts to it. */
static struct tensor *counted(
	struct graph *g, enum dtype type, const struct shape *s, int k, int64_t step)
{
	struct shape line = { .rank = s->rank };
	int64_t *v = arena_alloc(g->arena, (size_t)(s->dim[k] + 1) * sizeof(*v));

	for (int i = 0; i < s->rank; i++)
		line.dim[i] = i == k ? s->dim[k] : 1;
	for (int64_t i = 0; i < s->dim[k]; i++)
		v[i] = i * step;
	return graph_constant(g, NULL, type, &line, DT_I64, v);
}

/* Their sum with positions of dimensions that index tuples count through. */
static struct tensor *with_counted(struct graph *g, const struct node *n, struct tensor *at,
	const struct shape *index, int k, int64_t step)
{
	if (at == NULL || index->dim[k] == 1)
		return at;
	return op2(g, n, "Add", at, counted(g, at->type, index, k, step));
}

/*
 * What is known of the indices of a node: `depth` of them a place, into the first dimensions of
 * the data, from an index tensor of tuples (the last dimension; the first `batch` dimensions of
 * index and data go together) or of single indices into `axis`, the others being as in the index.
 */
struct places {
	struct tensor *index;
	struct shape shape; /* a place an element */
	int depth, batch;
	int axis; /* -1: tuples */
};

/* Run-time positions in the first `depth` dimensions of the data. Null: reported. */
static struct tensor *positions(
	struct graph *g, const struct node *n, const struct places *p, const struct shape *data)
{
	struct tensor *at = NULL;
	int64_t step = 1, steps[MAX_RANK];

	for (int k = p->depth - 1; k >= 0; step *= data->dim[k--])
		steps[k] = step;
	if (p->axis >= 0) {
		at = stepped(g, n, p->index, data->dim[p->axis], steps[p->axis]);
		for (int k = 0; k < p->depth; k++)
			if (k != p->axis)
				at = with_counted(g, n, at, &p->shape, k, steps[k]);
		return at;
	}
	for (int k = p->batch; k < p->depth; k++) {
		struct tensor *part = sliced(
			g, n, p->index, p->index->shape.rank - 1, k - p->batch, 1, 1);

		part = part != NULL ? reshaped(g, n, part, &p->shape) : NULL;
		if (p->depth == 1) /* Gather and Scatter do the rest */
			return part;
		part = stepped(g, n, part, data->dim[k], steps[k]);
		at = k == p->batch ? part : op2(g, n, "Add", at, part);
	}
	for (int k = 0; k < p->batch; k++)
		at = with_counted(g, n, at, &p->shape, k, steps[k]);
	return at;
}

/* The data as rows: its first `depth` dimensions as one. */
static struct tensor *as_rows(
	struct graph *g, const struct node *n, struct tensor *x, int depth)
{
	struct shape s = { .rank = 1, .dim = { 1 } };

	for (int k = 0; k < depth; k++)
		s.dim[0] *= x->shape.dim[k];
	for (int k = depth; k < x->shape.rank; k++)
		s.dim[s.rank++] = x->shape.dim[k];
	return s.rank == x->shape.rank ? x : reshaped(g, n, x, &s);
}

/* ---- grids: constant tuples that are all combinations of a list a dimension, in order ---- */

struct grid {
	int depth;
	int64_t count[MAX_RANK], *list[MAX_RANK];
};

/* All tuples, one behind the other, in range. Null: reported. */
static int64_t *tuples(
	struct graph *g, struct node *n, const struct places *p, const struct shape *data)
{
	const int64_t rows = shape_count(&p->shape);
	int64_t *index = NULL, *v = arena_alloc(g->arena, (size_t)(rows * p->depth + 1) * sizeof(*v));
	const int width = p->axis >= 0 ? 1 : p->depth - p->batch;
	struct walk w;

	index = tensor_i64(g->arena, p->index);
	walk_start(&w, &p->shape);
	for (int64_t r = 0; r < rows; r++, walk_next(&w))
		for (int k = 0; k < p->depth; k++) {
			const bool own = p->axis >= 0 ? k == p->axis : k >= p->batch;
			int64_t at = own ? index[r * width + (p->axis >= 0 ? 0 : k - p->batch)]
					 : w.index[k];

			if (at < -data->dim[k] || at >= data->dim[k]) {
				node_error(g, n, NULL, "index %lld into a dimension of %lld",
					(long long)at, (long long)data->dim[k]);
				return NULL;
			}
			v[r * p->depth + k] = at < 0 ? at + data->dim[k] : at;
		}
	return v;
}

/* Whether the tuples are those of a grid with these counts; fills in its lists. */
static bool fits_grid(struct graph *g, const int64_t *v, int64_t rows, struct grid *b)
{
	int64_t block = 1;

	for (int k = b->depth - 1; k >= 0; block *= b->count[k--]) {
		if (b->count[k] < 1 || rows % (block * b->count[k]) != 0)
			return false;
		b->list[k] = arena_alloc(g->arena, (size_t)b->count[k] * sizeof(int64_t));
		for (int64_t i = 0; i < b->count[k]; i++)
			b->list[k][i] = v[i * block * b->depth + k];
		for (int64_t r = 0; r < rows; r++)
			if (v[r * b->depth + k] != b->list[k][r / block % b->count[k]])
				return false;
	}
	return block == rows;
}

/* Counts as they show in the tuples: of dimension k, how long those before it stay what they are. */
static void guess_counts(const int64_t *v, int64_t rows, struct grid *b)
{
	int64_t block = 1;

	for (int k = b->depth - 1; k >= 0; k--) {
		int64_t same = block;

		while (same < rows &&
			memcmp(v, v + same * b->depth, (size_t)k * sizeof(*v)) == 0)
			same++;
		b->count[k] = same / block;
		block *= b->count[k];
	}
}

static bool find_grid(
	struct graph *g, const struct places *p, const int64_t *v, struct grid *b)
{
	const int64_t rows = shape_count(&p->shape);

	*b = (struct grid){ .depth = p->depth };
	if (rows == 0)
		return false;
	if (p->shape.rank == p->depth) {
		memcpy(b->count, p->shape.dim, sizeof(b->count));
		if (fits_grid(g, v, rows, b))
			return true;
	}
	guess_counts(v, rows, b);
	return fits_grid(g, v, rows, b);
}

/* The data at the first `depth` lists of a grid. Null: reported. */
static struct tensor *on_grid(struct graph *g, const struct node *n, struct tensor *x,
	const struct grid *b, int depth)
{
	for (int k = 0; x != NULL && k < depth; k++) {
		bool all = b->count[k] == x->shape.dim[k];

		for (int64_t i = 0; all && i < b->count[k]; i++)
			all = b->list[k][i] == i;
		if (!all)
			x = picked(g, n, x, k, b->list[k], b->count[k]);
	}
	return x;
}

/* ---- GatherND, GatherElements ---- */

/* Rows of x at positions in range, constant or not; as a list where they are constant. Null: reported. */
static struct tensor *gathered_rows(
	struct graph *g, const struct node *n, struct tensor *x, struct tensor *at)
{
	if (x == NULL || at == NULL || !is_const(at))
		return gathered(g, n, x, 0, at);
	return picked(g, n, x, 0, tensor_i64(g->arena, at), shape_count(&at->shape));
}

/* n becomes the elements of its data at the places, [places, what is left of the data]. */
static bool gather_places(struct graph *g, struct node *n, const struct places *p)
{
	const struct shape *data = &n->in[0]->shape;
	const int errors = g->diag->errors;
	struct shape s = p->shape;
	struct tensor *y = NULL;
	const int64_t *v;
	struct grid b;

	for (int k = p->depth; k < data->rank; k++)
		s.dim[s.rank++] = data->dim[k];
	if (shape_count(&p->shape) > 0 && shape_count(data) == 0) {
		node_error(g, n, NULL, "indices into %s, which is empty", shape_text(g->arena, data));
		return false;
	}
	if (is_const(p->index)) {
		v = tuples(g, n, p, data);
		if (v == NULL)
			return false;
		if (find_grid(g, p, v, &b))
			y = on_grid(g, n, n->in[0], &b, b.depth);
	}
	if (y == NULL && g->diag->errors == errors)
		y = gathered_rows(g, n, as_rows(g, n, n->in[0], p->depth),
			positions(g, n, p, data));
	return replace(g, n, y != NULL ? reshaped(g, n, y, &s) : NULL);
}

/* The places of GatherND and ScatterND: the last dimension of the index is the tuple. */
static bool tuple_places(struct graph *g, struct node *n, int64_t batch, struct places *p)
{
	const struct shape *x = &n->in[0]->shape, *index = &n->in[1]->shape;
	const int64_t width = index->rank > 0 ? index->dim[index->rank - 1] : 0;
	bool ok = width >= 1 && batch >= 0 && batch < index->rank && batch + width <= x->rank;

	for (int k = 0; ok && k < batch; k++)
		ok = x->dim[k] == index->dim[k];
	if (!ok) {
		node_error(g, n,
			"the last dimension of the indices counts those of the data that they "
			"index, behind batch_dims that are equal",
			"indices %s do not fit %s", shape_text(g->arena, index),
			shape_text(g->arena, x));
		return false;
	}
	*p = (struct places){ .index = n->in[1],
		.shape = *index,
		.depth = (int)(batch + width),
		.batch = (int)batch,
		.axis = -1 };
	p->shape.rank--;
	return check_indices(g, n, 1, p->shape.rank + x->rank - p->depth);
}

/* The places of GatherElements and ScatterElements: an index lies as its element does, but for the
 * axis. */
static bool element_places(struct graph *g, struct node *n, struct places *p)
{
	const struct shape *x = &n->in[0]->shape, *index = &n->in[1]->shape;
	bool ok = index->rank == x->rank;
	int axis;

	if (!axis_of(g, n, attr_int(n, "axis", 0), x->rank, &axis))
		return false;
	for (int k = 0; ok && k < x->rank; k++)
		ok = k == axis || index->dim[k] <= x->dim[k];
	if (!ok) {
		node_error(g, n, "but for the axis, they are not larger than the data",
			"indices %s do not fit %s", shape_text(g->arena, index),
			shape_text(g->arena, x));
		return false;
	}
	*p = (struct places){
		.index = n->in[1], .shape = *index, .depth = x->rank, .axis = axis
	};
	return check_indices(g, n, 1, x->rank);
}

bool shape_gathernd(struct graph *g, struct node *n)
{
	struct places p;

	return tuple_places(g, n, attr_int(n, "batch_dims", 0), &p) && gather_places(g, n, &p);
}

bool shape_gatherelements(struct graph *g, struct node *n)
{
	struct places p;

	return element_places(g, n, &p) && gather_places(g, n, &p);
}

/* The first len[b] elements of row b backwards, the rest as they are. */
bool shape_reversesequence(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape, *len = &n->in[1]->shape;
	const int64_t time = attr_int(n, "time_axis", 0), batch = attr_int(n, "batch_axis", 1);
	struct tensor *count = n->in[1], *step;

	if (x->rank < 2 || time + batch != 1 || time < 0 || batch < 0 || len->rank != 1 ||
		len->dim[0] != x->dim[batch] || count->type != DT_I64) {
		node_error(g, n, "time and batch are axes 0 and 1, and each row has a length",
			"lengths %s do not fit %s", shape_text(g->arena, len),
			shape_text(g->arena, x));
		return false;
	}
	struct shape s = { .rank = 2, .dim = { x->dim[0], x->dim[1] } }, row = s;

	row.dim[time] = 1;
	count = reshaped(g, n, count, &row);
	step = counted(g, DT_I64, &s, (int)time, 1);
	struct tensor *back = op2(g, n, "Sub",
		op2(g, n, "Sub", count, count != NULL ? index_scalar(g, count, 1) : NULL), step);

	struct places p = { .index = chosen(g, n, op2(g, n, "Less", step, count), back, step),
		.shape = s,
		.depth = 2,
		.axis = (int)time };
	return p.index != NULL && gather_places(g, n, &p);
}

/* ---- ScatterND, ScatterElements ---- */

/*
 * Along an axis: element i of x at list[i] (of equal ones the last), elsewhere the elements of rim.
 * Null: reported.
 */
static struct tensor *assembled(struct graph *g, const struct node *n, int axis,
	struct tensor *rim, struct tensor *x, const int64_t *list, int64_t count)
{
	const int64_t dim = rim->shape.dim[axis];
	int64_t *from = arena_alloc(g->arena, (size_t)(dim + 1) * sizeof(*from));
	struct tensor *part[MAX_RUNS], *both[2] = { rim, x };
	int64_t ends[MAX_RUNS], runs, start = 0;

	for (int64_t k = 0; k < dim; k++)
		from[k] = k;
	for (int64_t k = 0; k < count; k++)
		from[list[k]] = dim + k;
	runs = count_runs(from, dim, dim, ends, MAX_RUNS);
	if (runs > MAX_RUNS) {
		x = joined(g, n, axis, 2, both);
		return x != NULL ? picked(g, n, x, axis, from, dim) : NULL;
	}
	for (int k = 0; k < runs; start = ends[k++]) {
		const int64_t length = ends[k] - start, first = from[start];

		part[k] = sliced(g, n, first < dim ? rim : x, axis, first < dim ? first : first - dim,
			length, length > 1 ? from[start + 1] - first : 1);
		if (part[k] == NULL)
			return NULL;
	}
	return joined(g, n, axis, (int)runs, part);
}

/* data with x on a grid of it, from the inside out. Null: reported. */
static struct tensor *pasted(
	struct graph *g, const struct node *n, const struct grid *b, struct tensor *x)
{
	for (int axis = b->depth - 1; x != NULL && axis >= 0; axis--) {
		struct tensor *rim = on_grid(g, n, n->in[0], b, axis);

		x = rim != NULL ? assembled(g, n, axis, rim, x, b->list[axis], b->count[axis])
				: NULL;
	}
	return x;
}

/* The same where the data is one value everywhere and the grid has no gaps: x padded with it. */
static struct tensor *padded_to(struct graph *g, const struct node *n, const struct grid *b,
	struct tensor *x, double value)
{
	const struct shape *data = &n->in[0]->shape;
	int64_t pads[2 * MAX_RANK] = { 0 };

	for (int k = 0; k < b->depth; k++) {
		pads[k] = b->list[k][0];
		pads[data->rank + k] = data->dim[k] - b->list[k][0] - b->count[k];
	}
	struct node *pad = place(g, n, "Pad", 1, &x);

	set_ints(g, pad, "pads", 2 * data->rank, pads);
	set_string(g, pad, "mode", "constant");
	set_float(g, pad, "value", value);
	return settle(g, pad);
}

/* No list has gaps, or: no list has an element twice. */
static bool has_no_gaps(const struct grid *b)
{
	for (int k = 0; k < b->depth; k++)
		for (int64_t i = 1; i < b->count[k]; i++)
			if (b->list[k][i] != b->list[k][i - 1] + 1)
				return false;
	return true;
}

static bool has_no_twins(const struct grid *b, const struct shape *data)
{
	struct arena scratch = { 0 };
	bool ok = true;

	for (int k = 0; k < b->depth; k++) {
		bool *seen = arena_alloc(&scratch, (size_t)data->dim[k]);

		for (int64_t i = 0; i < b->count[k]; i++) {
			ok = ok && !seen[b->list[k][i]];
			seen[b->list[k][i]] = true;
		}
	}
	arena_release(&scratch);
	return ok;
}

/* What each reduction does to an element and its update; `none` replaces it. */
static const struct {
	const char *name, *op;
} reductions[] = {
	{ "none", NULL },
	{ "add", "Add" },
	{ "mul", "Mul" },
	{ "max", "Max" },
	{ "min", "Min" },
};

static bool find_reduction(struct graph *g, struct node *n, const char **op)
{
	const char *name = attr_string(n, "reduction", "none");

	for (size_t k = 0; k < sizeof(reductions) / sizeof(reductions[0]); k++)
		if (strcmp(name, reductions[k].name) == 0) {
			*op = reductions[k].op;
			return true;
		}
	node_error(g, n, "reductions are none, add, mul, max and min", "reduction \"%s\"",
		escape(g->arena, name));
	return false;
}

/* Updates on a grid. Null: reported. */
static struct tensor *scattered_on(
	struct graph *g, struct node *n, const struct grid *b, const char *op)
{
	const struct tensor *data = n->in[0];
	struct shape s = data->shape;
	struct tensor *x;
	double value;

	memcpy(s.dim, b->count, (size_t)b->depth * sizeof(s.dim[0]));
	x = shape_equal(&s, &n->in[2]->shape) ? n->in[2] : reshaped(g, n, n->in[2], &s);
	if (op != NULL)
		x = op2(g, n, op, on_grid(g, n, n->in[0], b, b->depth), x);
	if (x != NULL && has_no_gaps(b) && is_const(data) && const_uniform(data, &value))
		return padded_to(g, n, b, x, value);
	return pasted(g, n, b, x);
}

/* Updates as rows of the data, one after the other. Null: reported. */
static struct tensor *scattered_rows(
	struct graph *g, struct node *n, const struct places *p)
{
	struct tensor *in[3] = { as_rows(g, n, n->in[0], p->depth),
		positions(g, n, p, &n->in[0]->shape), n->in[2] };

	if (in[0] == NULL || in[1] == NULL)
		return NULL;
	struct node *v = place(g, n, "Scatter", 3, in);

	set_string(g, v, "reduction", attr_string(n, "reduction", "none"));
	return settle(g, v);
}

/* n becomes its data with the updates at the places. */
static bool scatter_places(struct graph *g, struct node *n, const struct places *p)
{
	const struct shape data = n->in[0]->shape;
	const int errors = g->diag->errors;
	struct tensor *y = NULL;
	const char *op;
	const int64_t *v;
	struct grid b;

	if (!find_reduction(g, n, &op))
		return false;
	if (shape_count(&n->in[2]->shape) == 0)
		return replace(g, n, n->in[0]);
	if (shape_count(&data) == 0) {
		node_error(g, n, NULL, "indices into %s, which is empty", shape_text(g->arena, &data));
		return false;
	}
	if (is_const(p->index)) {
		v = tuples(g, n, p, &data);
		if (v == NULL)
			return false;
		if (find_grid(g, p, v, &b) && (op == NULL || has_no_twins(&b, &data)))
			y = scattered_on(g, n, &b, op);
	}
	if (y == NULL && g->diag->errors == errors)
		y = scattered_rows(g, n, p);
	if (y != NULL && !shape_equal(&y->shape, &data))
		y = reshaped(g, n, y, &data);
	return replace(g, n, y);
}

/* The updates are [places, what is left of the data]. */
static bool check_updates(struct graph *g, struct node *n, const struct places *p)
{
	const struct shape *data = &n->in[0]->shape, *up = &n->in[2]->shape;
	bool ok = n->in[2]->type == n->in[0]->type &&
		  up->rank == p->shape.rank + data->rank - p->depth;

	for (int k = 0; ok && k < up->rank; k++)
		ok = up->dim[k] == (k < p->shape.rank ? p->shape.dim[k]
						      : data->dim[k - p->shape.rank + p->depth]);
	if (!ok)
		node_error(g, n,
			p->axis >= 0 ? "updates are as the indices, and of the type of the data"
				     : "updates are [indices.shape[:-1], "
				       "data.shape[indices.shape[-1]:]], and of the type of the data",
			"its inputs do not go together");
	return ok;
}

bool shape_scatternd(struct graph *g, struct node *n)
{
	struct places p;

	return tuple_places(g, n, 0, &p) && check_updates(g, n, &p) && scatter_places(g, n, &p);
}

bool shape_scatterelements(struct graph *g, struct node *n)
{
	struct places p;

	return element_places(g, n, &p) && check_updates(g, n, &p) && scatter_places(g, n, &p);
}

/* Rows of data (dimension 0) at indices of any shape. */
bool shape_scatter(struct graph *g, struct node *n)
{
	const struct tensor *data = n->in[0], *index = n->in[1];
	const struct places p = {
		.index = n->in[1], .shape = index->shape, .depth = 1, .axis = -1
	};
	const char *op;
	int64_t *v;

	if (data->shape.rank < 1) {
		node_error(g, n, NULL, "a scalar has no rows");
		return false;
	}
	if (!check_indices(g, n, 1, index->shape.rank + data->shape.rank - 1) ||
		!check_updates(g, n, &p) || !find_reduction(g, n, &op))
		return false;
	if (is_const(index)) {
		v = constant_indices(g, n, index, data->shape.dim[0]);
		if (v == NULL)
			return false;
		node_set_input(
			n, 1, graph_constant(g, index->name, DT_I64, &index->shape, DT_I64, v));
	}
	return give(g, n, 0, data->type, &data->shape);
}
