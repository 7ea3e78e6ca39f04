/* Regions: where a tensor lies in a buffer, and what views make of it. */
#include "plan/plan.h"

#include <string.h>

struct region region_dense(enum dtype type, const struct shape *s, const uint8_t *order)
{
	struct region r = { .type = type, .shape = *s };
	int64_t step = 1;

	for (int k = s->rank - 1; k >= 0; k--) {
		int d = order != NULL ? order[k] : k;

		r.stride[d] = step;
		step *= s->dim[d];
	}
	for (int k = 0; k < s->rank; k++)
		r.hi[k] = s->dim[k];
	return r;
}

static void no_window(struct region *r)
{
	r->windowed = false;
	for (int k = 0; k < MAX_RANK; k++) {
		r->lo[k] = 0;
		r->hi[k] = k < r->shape.rank ? r->shape.dim[k] : 0;
	}
}

/*
 * Reshape without moving anything: both shapes are cut into runs of dimensions with equal products;
 * a run of the input must be evenly strided (dimensions of size 1 do not matter), and its output is
 * then dense in steps of the run's last stride.
 */
static bool restride(const struct region *in, const struct shape *to, struct region *out)
{
	struct region r = {
		.buffer = in->buffer, .offset = in->offset, .type = in->type, .shape = *to
	};
	int64_t dim[MAX_RANK], stride[MAX_RANK];
	int n = 0;

	if (in->windowed)
		return false;
	for (int k = 0; k < in->shape.rank; k++)
		if (in->shape.dim[k] != 1) {
			dim[n] = in->shape.dim[k];
			stride[n++] = in->stride[k];
		}
	for (int i = 0, o = 0; o < to->rank;) {
		int64_t have = 1, want = to->dim[o];
		int first = i, begin = o++;

		while (have != want) {
			if (have < want) {
				if (i == n)
					return false;
				if (i > first && stride[i - 1] != stride[i] * dim[i])
					return false;
				have *= dim[i++];
			} else {
				if (o == to->rank)
					return false;
				want *= to->dim[o++];
			}
		}
		int64_t step = i > first ? stride[i - 1] : 0;

		for (int k = o - 1; k >= begin; k--) {
			r.stride[k] = to->dim[k] == 1 ? 0 : step;
			step *= to->dim[k];
		}
	}
	no_window(&r);
	*out = r;
	return true;
}

static void transpose_region(
	const struct region *in, const int64_t *perm, const struct shape *to, struct region *out)
{
	struct region r = *in;

	r.shape = *to;
	for (int k = 0; k < to->rank; k++) {
		r.stride[k] = in->stride[perm[k]];
		r.lo[k] = in->lo[perm[k]];
		r.hi[k] = in->hi[perm[k]];
	}
	*out = r;
}

/* The first of n elements start, start + step .. that is not before lo. */
static int64_t first_behind(int64_t lo, int64_t start, int64_t step, int64_t n)
{
	const int64_t k = lo > start ? (lo - start + step - 1) / step : 0;

	return k < n ? k : n;
}

bool region_is_padding(const struct region *r)
{
	bool empty = false;

	for (int k = 0; r->windowed && k < r->shape.rank; k++)
		empty = empty || r->lo[k] >= r->hi[k];
	return empty;
}

bool region_is_weights(const struct region *r)
{
	return r->buffer->kind == BUF_WEIGHTS || r->buffer->kind == BUF_PREPARED;
}

bool region_is_constant(const struct region *r)
{
	return region_is_weights(r) || r->buffer->kind == BUF_TABLE;
}

bool region_slice(const struct region *in, const int64_t *starts, const int64_t *steps,
	const struct shape *shape, struct region *out)
{
	struct region r = *in;

	r.shape = *shape;
	no_window(&r);
	for (int k = 0; k < r.shape.rank; k++) {
		if (in->windowed && steps[k] < 1)
			return false;
		if (in->windowed) {
			r.lo[k] = first_behind(in->lo[k], starts[k], steps[k], r.hi[k]);
			r.hi[k] = first_behind(in->hi[k], starts[k], steps[k], r.hi[k]);
		}
		r.windowed = r.windowed || r.lo[k] > 0 || r.hi[k] < shape->dim[k];
		r.offset += (starts[k] + r.lo[k] * steps[k] - in->lo[k]) * in->stride[k];
		r.stride[k] = in->stride[k] * steps[k];
	}
	if (region_is_padding(&r))
		r.offset = in->offset; /* none of its elements is read: of those that are there */
	*out = r;
	return true;
}

bool view_is_free(const struct node *v)
{
	return !is_op(v, "Pad") ||
	       (strcmp(attr_string(v, "mode", "constant"), "constant") == 0 &&
		       attr_float(v, "value", 0.0) == 0.0);
}

/* Zero padding is a window on the region; the offset stays that of the first element that is
 * stored. */
static bool pad_region(const struct node *v, const struct region *in, struct region *out)
{
	int n;
	const int64_t *pads = attr_ints(v, "pads", &n);
	struct region r = *in;

	r.shape = v->out[0]->shape;
	r.windowed = true;
	for (int k = 0; k < r.shape.rank; k++) {
		if (pads[k] < 0 || pads[r.shape.rank + k] < 0)
			return false;
		r.lo[k] += pads[k];
		r.hi[k] += pads[k];
	}
	*out = r;
	return true;
}

struct region region_broadcast(const struct region *in, const struct shape *to)
{
	struct region r = *in;
	int shift = to->rank - in->shape.rank;

	r.shape = *to;
	for (int k = to->rank - 1; k >= 0; k--) {
		bool own = k >= shift && in->shape.dim[k - shift] == to->dim[k];

		r.stride[k] = own && to->dim[k] != 1 ? in->stride[k - shift] : 0;
		r.lo[k] = own ? in->lo[k - shift] : 0;
		r.hi[k] = own ? in->hi[k - shift] : to->dim[k];
	}
	return r;
}

bool region_view(const struct node *v, const struct region *in, struct region *out)
{
	int n;

	if (is_op(v, "Reshape"))
		return restride(in, &v->out[0]->shape, out);
	if (is_op(v, "Transpose")) {
		transpose_region(in, attr_ints(v, "perm", &n), &v->out[0]->shape, out);
		return true;
	}
	if (is_op(v, "Slice"))
		return region_slice(in, attr_ints(v, "starts", &n), attr_ints(v, "steps", &n),
			&v->out[0]->shape, out);
	if (is_op(v, "Pad"))
		return pad_region(v, in, out);
	if (is_op(v, "Expand")) {
		*out = region_broadcast(in, &v->out[0]->shape);
		return true;
	}
	return false;
}

bool region_unview(const struct node *v, const struct region *out, struct region *in)
{
	int n;

	if (out->windowed)
		return false;
	if (is_op(v, "Reshape"))
		return restride(out, &v->in[0]->shape, in);
	if (is_op(v, "Transpose")) {
		const int64_t *perm = attr_ints(v, "perm", &n);
		int64_t inverse[MAX_RANK] = { 0 };

		for (int k = 0; k < n; k++)
			inverse[perm[k]] = k;
		transpose_region(out, inverse, &v->in[0]->shape, in);
		return true;
	}
	return false;
}

struct region region_part(const struct node *concat, int which, const struct region *whole)
{
	int axis = (int)attr_int(concat, "axis", 0);
	struct region r = *whole;

	r.shape = concat->in[which]->shape;
	for (int k = 0; k < which; k++)
		r.offset += concat->in[k]->shape.dim[axis] * whole->stride[axis];
	no_window(&r);
	return r;
}

bool region_same(const struct region *x, const struct region *y)
{
	if (x->buffer != y->buffer && x->buffer != NULL && y->buffer != NULL)
		return false;
	if (x->offset != y->offset || x->type != y->type || x->windowed || y->windowed)
		return false;
	if (!shape_equal(&x->shape, &y->shape))
		return false;
	for (int k = 0; k < x->shape.rank; k++)
		if (x->shape.dim[k] != 1 && x->stride[k] != y->stride[k])
			return false;
	return true;
}
