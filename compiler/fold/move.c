/* Evaluation of what moves elements of constants: they keep the type that they are stored in. */
#include "fold/fold.h"

#include <string.h>

/* For every axis of the output, where each of its places lies in the input: parts of an element's
 * position that are added up. Negative: outside, the output keeps its fill. */
struct map {
	struct shape shape;
	int64_t *at[MAX_RANK];
	struct arena arena;
};

enum { OUTSIDE = -1 };

static void map_axis(struct map *m, int64_t dim)
{
	m->at[m->shape.rank] = arena_alloc(&m->arena, (size_t)(dim + 1) * sizeof(int64_t));
	m->shape.dim[m->shape.rank++] = dim;
}

/* Row-major strides. */
static void strides_of(const struct shape *s, int64_t *stride)
{
	int64_t v = 1;

	for (int k = s->rank - 1; k >= 0; k--) {
		stride[k] = v;
		v *= s->dim[k];
	}
}

/* The elements of the last axis; base: the position from the other axes. */
static void move_row(const struct map *m, size_t size, int64_t base, char *to, const char *from)
{
	const int64_t *at = m->at[m->shape.rank - 1];
	int64_t count = m->shape.dim[m->shape.rank - 1];

	for (int64_t k = 0; k < count; k++) {
		if (at[k] < 0)
			continue;
		if (size == 4)
			memcpy(to + k * 4, from + (base + at[k]) * 4, 4);
		else if (size == 8)
			memcpy(to + k * 8, from + (base + at[k]) * 8, 8);
		else
			memcpy(to + k * (int64_t)size, from + (base + at[k]) * (int64_t)size, size);
	}
}

static void move_all(struct map *m, size_t size, char *to, const char *from)
{
	struct walk w;
	int last;

	if (m->shape.rank == 0) { /* a scalar is a list of one */
		map_axis(m, 1);
		m->at[0][0] = 0;
	}
	last = m->shape.rank - 1;
	struct shape rows = m->shape;

	rows.rank = last;
	walk_start(&w, &rows);
	for (int64_t r = 0, count = shape_count(&rows); r < count; r++, walk_next(&w)) {
		int64_t base = 0;

		for (int k = 0; k < last && base >= 0; k++)
			base = m->at[k][w.index[k]] < 0 ? OUTSIDE : base + m->at[k][w.index[k]];
		if (base >= 0)
			move_row(m, size, base, to + r * m->shape.dim[last] * (int64_t)size, from);
	}
}

/* The output of n by its map, in the input's stored type. What is outside is zero. */
static bool moved(struct graph *g, struct node *n, struct map *m)
{
	const struct tensor *x = n->in[0];
	size_t size = (size_t)dtypes[x->stored].size;
	int64_t count = shape_count(&n->out[0]->shape);
	char *to = arena_alloc(g->arena, (size_t)(count + 1) * size);

	if (count > 0)
		move_all(m, size, to, x->data);
	arena_release(&m->arena);
	return store(n, x->stored, to);
}

bool eval_copy(struct graph *g, struct node *n)
{
	(void)g;
	return store(n, n->in[0]->stored, n->in[0]->data);
}

bool eval_transpose(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	int64_t stride[MAX_RANK];
	struct map m = { 0 };
	int count;
	const int64_t *perm = attr_ints(n, "perm", &count);

	strides_of(x, stride);
	for (int k = 0; k < x->rank; k++) {
		map_axis(&m, x->dim[perm[k]]);
		for (int64_t i = 0; i < m.shape.dim[k]; i++)
			m.at[k][i] = i * stride[perm[k]];
	}
	return moved(g, n, &m);
}

bool eval_slice(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	int64_t stride[MAX_RANK];
	struct map m = { 0 };
	int count;
	const int64_t *start = attr_ints(n, "starts", &count),
		      *step = attr_ints(n, "steps", &count);

	strides_of(x, stride);
	for (int k = 0; k < x->rank; k++) {
		map_axis(&m, n->out[0]->shape.dim[k]);
		for (int64_t i = 0; i < m.shape.dim[k]; i++)
			m.at[k][i] = (start[k] + i * step[k]) * stride[k];
	}
	return moved(g, n, &m);
}

bool eval_expand(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape, *y = &n->out[0]->shape;
	int64_t stride[MAX_RANK];
	struct map m = { 0 };

	strides_of(x, stride);
	for (int k = 0; k < y->rank; k++) {
		int from = k - (y->rank - x->rank);

		map_axis(&m, y->dim[k]);
		for (int64_t i = 0; i < y->dim[k]; i++)
			m.at[k][i] = from >= 0 && x->dim[from] > 1 ? i * stride[from] : 0;
	}
	return moved(g, n, &m);
}

bool eval_tile(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	int64_t stride[MAX_RANK];
	struct map m = { 0 };

	strides_of(x, stride);
	for (int k = 0; k < x->rank; k++) {
		map_axis(&m, n->out[0]->shape.dim[k]);
		for (int64_t i = 0; i < m.shape.dim[k]; i++)
			m.at[k][i] = i % x->dim[k] * stride[k];
	}
	return moved(g, n, &m);
}

bool eval_gather(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	int axis = (int)attr_int(n, "axis", 0);
	int64_t outer = 1, inner = 1, dim = x->dim[axis], count = shape_count(&n->in[1]->shape);
	struct map m = { 0 };

	for (int k = 0; k < axis; k++)
		outer *= x->dim[k];
	for (int k = axis + 1; k < x->rank; k++)
		inner *= x->dim[k];
	map_axis(&m, outer);
	map_axis(&m, count);
	map_axis(&m, inner);
	for (int64_t i = 0; i < outer; i++)
		m.at[0][i] = i * dim * inner;
	for (int64_t i = 0; i < count; i++)
		m.at[1][i] = const_i64(n->in[1], i) *
			     inner; /* in range, not negative: shape_gather saw to it */
	for (int64_t i = 0; i < inner; i++)
		m.at[2][i] = i;
	return moved(g, n, &m);
}

/* ---- Pad ---- */

/* Which element place i of a padded axis shows; at: its place counted from the first element. */
static int64_t padded_from(int64_t at, int64_t dim, const char *mode)
{
	int64_t period;

	if (at >= 0 && at < dim)
		return at;
	switch (mode[0]) {
	case 'e': /* edge */
		return at < 0 ? 0 : dim - 1;
	case 'w': /* wrap */
		return (at % dim + dim) % dim;
	case 'r': /* reflect */
		period = dim > 1 ? 2 * (dim - 1) : 1;
		at = (at % period + period) % period;
		return at < dim ? at : period - at;
	default:
		return OUTSIDE;
	}
}

bool eval_pad(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape, *y = &n->out[0]->shape;
	double value = attr_float(n, "value", 0.0);
	int64_t stride[MAX_RANK], total = shape_count(y);
	struct map m = { 0 };
	int count;
	const int64_t *pads = attr_ints(n, "pads", &count);
	const char *mode = attr_string(n, "mode", "constant");

	strides_of(x, stride);
	for (int k = 0; k < x->rank; k++) {
		map_axis(&m, y->dim[k]);
		for (int64_t i = 0; i < y->dim[k]; i++) {
			int64_t from = padded_from(i - pads[k], x->dim[k], mode);

			m.at[k][i] = from < 0 ? OUTSIDE : from * stride[k];
		}
	}
	if (mode[0] != 'c' || value == 0.0)
		return moved(g, n, &m);
	struct arena scratch = { 0 };
	const bool floats = n->out[0]->type == DT_F32;
	double *f = floats ? store_f64(g, n) : NULL;
	int64_t *v = floats ? NULL : store_i64(g, n);

	for (int64_t k = 0; k < total; k++) {
		if (floats)
			f[k] = value;
		else
			v[k] = (int64_t)value;
	}
	if (total > 0)
		move_all(&m, sizeof(double), floats ? (char *)f : (char *)v,
			floats ? (const char *)tensor_f64(&scratch, n->in[0])
			       : (const char *)tensor_i64(&scratch, n->in[0]));
	arena_release(&m.arena);
	arena_release(&scratch);
	return true;
}

/* ---- Concat ---- */

bool eval_concat(struct graph *g, struct node *n)
{
	const struct shape *y = &n->out[0]->shape;
	enum dtype stored = n->in[0]->stored;
	int axis = (int)attr_int(n, "axis", 0);
	int64_t outer = 1, row = 1, offset = 0;
	struct arena scratch = { 0 };

	for (int k = 1; k < n->nin; k++)
		if (n->in[k]->stored != stored)
			stored = n->out[0]->type == DT_F32 ? DT_F64 : DT_I64;
	for (int k = 0; k < y->rank; k++)
		*(k < axis ? &outer : &row) *= y->dim[k];
	size_t size = (size_t)dtypes[stored].size;
	char *to = arena_alloc(g->arena, (size_t)(outer * row + 1) * size);

	for (int k = 0; k < n->nin; k++) {
		const struct tensor *t = n->in[k];
		int64_t part = outer > 0 ? shape_count(&t->shape) / outer : 0;
		const void *from = t->stored == stored ? t->data
				   : stored == DT_F64  ? (const void *)tensor_f64(&scratch, t)
						       : (const void *)tensor_i64(&scratch, t);

		for (int64_t i = 0; i < outer && part > 0; i++)
			memcpy(to + (size_t)(i * row + offset) * size,
				(const char *)from + (size_t)(i * part) * size,
				(size_t)part * size);
		offset += part;
	}
	arena_release(&scratch);
	return store(n, stored, to);
}

/* ---- Scatter, constants made from nothing ---- */

/* What a reduction makes of an element and its update; its name's last letter but one tells them apart. */
static double join_floats(const char *reduction, double x, double v)
{
	switch (reduction[1]) {
	case 'd': /* add */
		return x + v;
	case 'u': /* mul */
		return x * v;
	case 'a': /* max */
		return x < v || v != v ? v : x;
	case 'i': /* min */
		return v < x || v != v ? v : x;
	default:
		return v;
	}
}

static int64_t join_integers(const char *reduction, int64_t x, int64_t v)
{
	switch (reduction[1]) {
	case 'd':
		return (int64_t)((uint64_t)x + (uint64_t)v);
	case 'u':
		return (int64_t)((uint64_t)x * (uint64_t)v);
	case 'a':
		return x < v ? v : x;
	case 'i':
		return v < x ? v : x;
	default:
		return v;
	}
}

/* Row by row; the indices are in range, shape_scatter saw to it. */
bool eval_scatter(struct graph *g, struct node *n)
{
	const struct tensor *data = n->in[0], *index = n->in[1], *up = n->in[2];
	const char *how = attr_string(n, "reduction", "none");
	const bool floats = data->type == DT_F32;
	const int64_t rows = shape_count(&index->shape), count = shape_count(&data->shape),
		      width = data->shape.dim[0] > 0 ? count / data->shape.dim[0] : 0;
	double *f = floats ? store_f64(g, n) : NULL;
	int64_t *v = floats ? NULL : store_i64(g, n);

	for (int64_t k = 0; k < count; k++) {
		if (floats)
			f[k] = const_f64(data, k);
		else
			v[k] = const_i64(data, k);
	}
	for (int64_t k = 0; k < rows * width; k++) {
		const int64_t at = const_i64(index, k / width) * width + k % width;

		if (floats)
			f[at] = join_floats(how, f[at], const_f64(up, k));
		else
			v[at] = join_integers(how, v[at], const_i64(up, k));
	}
	return true;
}

bool eval_constantofshape(struct graph *g, struct node *n)
{
	const struct attr *a = node_attr(n, "value");
	enum dtype stored = a != NULL ? a->tensor->stored : DT_F32;
	size_t size = (size_t)dtypes[stored].size;
	int64_t count = shape_count(&n->out[0]->shape);
	char *to = arena_alloc(g->arena, (size_t)(count + 1) * size);

	for (int64_t k = 0; k < count && a != NULL; k++)
		memcpy(to + (size_t)k * size, a->tensor->data, size);
	return store(n, stored, to);
}

bool eval_range(struct graph *g, struct node *n)
{
	int64_t count = shape_count(&n->out[0]->shape);

	if (n->out[0]->type == DT_F32) {
		double *f = store_f64(g, n), start = const_f64(n->in[0], 0),
		       delta = const_f64(n->in[2], 0);

		for (int64_t k = 0; k < count; k++)
			f[k] = start + (double)k * delta;
		return true;
	}
	int64_t *v = store_i64(g, n), start = const_i64(n->in[0], 0),
		delta = const_i64(n->in[2], 0);

	for (int64_t k = 0; k < count; k++)
		v[k] = (int64_t)((uint64_t)start + (uint64_t)k * (uint64_t)delta);
	return true;
}
