/* Evaluation of the arithmetic operators on constants, plainly and in double: weights are
 * standardised so. */
#include "fold/fold.h"

#include <math.h>
#include <string.h>

/* ---- reductions ---- */

enum reduction { SUM, MEAN, MAX, MIN, PROD, L1, L2, SQUARES };

static enum reduction reduction_of(const struct op *op)
{
	static const char *const names[] = { [SUM] = "ReduceSum",
		[MEAN] = "ReduceMean",
		[MAX] = "ReduceMax",
		[MIN] = "ReduceMin",
		[PROD] = "ReduceProd",
		[L1] = "ReduceL1",
		[L2] = "ReduceL2",
		[SQUARES] = "ReduceSumSquare" };

	for (int k = 0; k < (int)(sizeof(names) / sizeof(names[0])); k++)
		if (strcmp(op->name, names[k]) == 0)
			return (enum reduction)k;
	die("%s is no reduction", op->name);
}

/* A walk over x whose position 0 is in the tensor that is left when the axes of attribute `axes`
 * are gone. The number of elements that fall together. */
static int64_t walk_reduced(struct walk *w, const struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	struct shape left = *x;
	int64_t together = 1;
	int count;
	const int64_t *axes = attr_ints(n, "axes", &count);

	for (int k = 0; k < count; k++) {
		together *= x->dim[axes[k]];
		left.dim[axes[k]] = 1;
	}
	walk_start(w, x);
	walk_broadcast(w, 0, &left);
	return together;
}

static double reduce_step(enum reduction r, double sum, double v)
{
	switch (r) {
	case MAX:
		return v > sum || v != v ? v : sum;
	case MIN:
		return v < sum || v != v ? v : sum;
	case PROD:
		return sum * v;
	case L1:
		return sum + fabs(v);
	case L2:
	case SQUARES:
		return sum + v * v;
	default:
		return sum + v;
	}
}

static double neutral(enum reduction r)
{
	return r == MAX ? -INFINITY : r == MIN ? INFINITY : r == PROD ? 1.0 : 0.0;
}

static bool reduce_integers(struct graph *g, struct node *n, enum reduction r)
{
	int64_t count = shape_count(&n->in[0]->shape), left = shape_count(&n->out[0]->shape), *sum;
	/* those of uint64 are in order when their sign is turned */
	const int64_t flip = n->out[0]->type == DT_U64 ? INT64_MIN : 0;
	struct walk w;

	if (r == L2 || (r == MEAN && count == 0))
		return false;
	sum = store_i64(g, n);
	for (int64_t k = 0; k < left; k++)
		sum[k] = (r == MAX   ? INT64_MIN ^ flip
			  : r == MIN ? INT64_MAX ^ flip
			  : r == PROD);
	int64_t together = walk_reduced(&w, n);

	for (int64_t k = 0; k < count; k++, walk_next(&w)) {
		int64_t v = const_i64(n->in[0], k), *to = &sum[w.at[0]];
		uint64_t u = (uint64_t)v, s = (uint64_t)*to;

		switch (r) {
		case MAX:
			*to = (v ^ flip) > (*to ^ flip) ? v : *to;
			break;
		case MIN:
			*to = (v ^ flip) < (*to ^ flip) ? v : *to;
			break;
		case PROD:
			*to = (int64_t)(s * u);
			break;
		default:
			*to = (int64_t)(s + (r == SQUARES ? u * u : r == L1 && v < 0 ? -u : u));
			break;
		}
	}
	for (int64_t k = 0; k < left; k++)
		sum[k] = narrow(sum[k], n->out[0]->type) / (r == MEAN ? together : 1);
	return true;
}

bool eval_reduce(struct graph *g, struct node *n)
{
	enum reduction r = reduction_of(n->op);
	int64_t count = shape_count(&n->in[0]->shape), left = shape_count(&n->out[0]->shape);
	struct walk w;
	double *sum;

	if (n->out[0]->type != DT_F32)
		return reduce_integers(g, n, r);
	sum = store_f64(g, n);
	for (int64_t k = 0; k < left; k++)
		sum[k] = neutral(r);
	int64_t together = walk_reduced(&w, n);

	for (int64_t k = 0; k < count; k++, walk_next(&w))
		sum[w.at[0]] = reduce_step(r, sum[w.at[0]], const_f64(n->in[0], k));
	for (int64_t k = 0; k < left; k++)
		sum[k] = r == MEAN ? sum[k] / (double)together : r == L2 ? sqrt(sum[k]) : sum[k];
	return true;
}

/* ---- along an axis: sums of what comes before, places of the greatest ---- */

/* Element 0 of line number k along the axis, and the distance of its elements. */
static int64_t line_start(const struct shape *s, int axis, int64_t k, int64_t *stride)
{
	*stride = 1;
	for (int d = axis + 1; d < s->rank; d++)
		*stride *= s->dim[d];
	return k / *stride * *stride * s->dim[axis] + k % *stride;
}

bool eval_cumulate(struct graph *g, struct node *n)
{
	const struct tensor *x = n->in[0];
	const int axis = (int)attr_int(n, "axis", 0);
	const bool product = is_op(n, "CumProd"), floats = x->type == DT_F32,
		   late = attr_int(n, "exclusive", 0) != 0, back = attr_int(n, "reverse", 0) != 0;
	const int64_t dim = x->shape.dim[axis], total = shape_count(&x->shape);
	double *f = floats ? store_f64(g, n) : NULL;
	int64_t *v = floats ? NULL : store_i64(g, n), stride;

	for (int64_t l = 0; dim > 0 && l < total / dim; l++) {
		const int64_t start = line_start(&x->shape, axis, l, &stride);
		double sum = product ? 1.0 : 0.0;
		uint64_t whole = product ? 1 : 0;

		for (int64_t j = 0; j < dim; j++) {
			const int64_t at = start + (back ? dim - 1 - j : j) * stride;
			const double before = sum;
			const uint64_t earlier = whole;

			if (floats) {
				sum = product ? sum * const_f64(x, at) : sum + const_f64(x, at);
				f[at] = late ? before : sum;
			} else {
				whole = product ? whole * (uint64_t)const_i64(x, at)
						: whole + (uint64_t)const_i64(x, at);
				v[at] = (int64_t)(late ? earlier : whole);
			}
		}
	}
	return true;
}

bool eval_topk(struct graph *g, struct node *n)
{
	const struct tensor *x = n->in[0];
	const int axis = (int)attr_int(n, "axis", 0);
	const bool largest = attr_int(n, "largest", 1) != 0;
	const int64_t dim = x->shape.dim[axis], k = attr_int(n, "k", 0);
	const int64_t lines = dim > 0 ? shape_count(&x->shape) / dim : 0;
	int64_t *v = store_i64(g, n), from, to;
	struct arena scratch = { 0 };
	const double *f = tensor_f64(&scratch, x);

	for (int64_t l = 0; l < lines; l++) {
		const int64_t start = line_start(&x->shape, axis, l, &from),
			      first = line_start(&n->out[0]->shape, axis, l, &to);

		for (int64_t i = 0; i < dim; i++) {
			int64_t j = i < k ? i : k;
			const double a = f[start + i * from];

			for (; j > 0; j--) { /* of equal ones the first stays the first */
				const double b = f[start + v[first + (j - 1) * to] * from];

				if (largest ? !(b < a) : !(a < b))
					break;
				if (j < k)
					v[first + j * to] = v[first + (j - 1) * to];
			}
			if (j < k)
				v[first + j * to] = i;
		}
	}
	arena_release(&scratch);
	return true;
}

/* ---- normalisations ---- */

/* Mean and variance of x over the axes that the walk lets fall together; of `left` values each. */
static void moments(const double *x, int64_t count, const struct walk *start, int64_t left,
	int64_t together, double *mean, double *variance)
{
	struct walk w = *start;

	for (int64_t k = 0; k < count; k++, walk_next(&w))
		mean[w.at[0]] += x[k];
	for (int64_t k = 0; k < left; k++)
		mean[k] /= (double)together;
	w = *start;
	for (int64_t k = 0; k < count; k++, walk_next(&w)) {
		double d = x[k] - mean[w.at[0]];

		variance[w.at[0]] += d * d;
	}
	for (int64_t k = 0; k < left; k++)
		variance[k] /= (double)together;
}

bool eval_normalize(struct graph *g, struct node *n)
{
	double epsilon = attr_float(n, "epsilon", 1e-5), *y = store_f64(g, n), *x, *mean, *variance;
	int64_t count = shape_count(&n->in[0]->shape), together, left;
	struct arena scratch = { 0 };
	struct walk start, w;

	together = walk_reduced(&start, n);
	left = together > 0 ? count / together : 0;
	x = tensor_f64(&scratch, n->in[0]);
	mean = arena_alloc(&scratch, (size_t)(left + 1) * sizeof(*mean));
	variance = arena_alloc(&scratch, (size_t)(left + 1) * sizeof(*variance));
	moments(x, count, &start, left, together, mean, variance);
	w = start;
	for (int64_t k = 0; k < count; k++, walk_next(&w))
		y[k] = (x[k] - mean[w.at[0]]) / sqrt(variance[w.at[0]] + epsilon);
	arena_release(&scratch);
	return true;
}

/* In training mode by the statistics of the batch itself, which is how exporters standardise
 * weights. */
bool eval_batchnorm(struct graph *g, struct node *n)
{
	const struct shape *s = &n->in[0]->shape;
	double epsilon = attr_float(n, "epsilon", 1e-5), *y = store_f64(g, n), *v[5];
	int64_t count = shape_count(s), channels = s->dim[1];
	const struct shape per_channel = { .rank = 2, .dim = { 1, channels } };
	struct shape left = *s;
	struct arena scratch = { 0 };
	struct walk start, w;

	for (int k = 0; k < 5; k++)
		v[k] = tensor_f64(&scratch, n->in[k]);
	left.dim[0] = 1;
	for (int k = 2; k < s->rank; k++)
		left.dim[k] = 1;
	walk_start(&start, s);
	walk_broadcast(&start, 0, &left);
	if (attr_int(n, "training", 0) != 0 && count > 0) {
		memset(v[3], 0, (size_t)shape_count(&per_channel) * sizeof(double));
		memset(v[4], 0, (size_t)shape_count(&per_channel) * sizeof(double));
		moments(v[0], count, &start, channels, count / channels, v[3], v[4]);
	}
	w = start;
	for (int64_t k = 0; k < count; k++, walk_next(&w)) {
		int64_t c = w.at[0];

		y[k] = (v[0][k] - v[3][c]) / sqrt(v[4][c] + epsilon) * v[1][c] + v[2][c];
	}
	arena_release(&scratch);
	return true;
}

/* count values, `step` apart. */
static void softmax_row(const double *x, double *y, int64_t count, int64_t step, bool logarithm)
{
	double most = -INFINITY, sum = 0.0;

	for (int64_t k = 0; k < count; k++)
		most = x[k * step] > most || x[k * step] != x[k * step] ? x[k * step] : most;
	for (int64_t k = 0; k < count; k++) {
		y[k * step] = math_exp(x[k * step] - most);
		sum += y[k * step];
	}
	for (int64_t k = 0; k < count; k++)
		y[k * step] = logarithm ? x[k * step] - most - math_log(sum) : y[k * step] / sum;
}

bool eval_softmax(struct graph *g, struct node *n)
{
	const struct shape *s = &n->in[0]->shape;
	bool logarithm = is_op(n, "LogSoftmax"), to_end = attr_int(n, "to_end", 0) != 0;
	int axis = (int)attr_int(n, "axis", 0);
	int64_t outer = 1, count = 1, inner = 1;
	struct arena scratch = { 0 };
	double *x = tensor_f64(&scratch, n->in[0]), *y = store_f64(g, n);

	for (int k = 0; k < s->rank; k++)
		*(k < axis ? &outer : k == axis || to_end ? &count : &inner) *= s->dim[k];
	for (int64_t i = 0; i < outer; i++)
		for (int64_t j = 0; j < inner; j++)
			softmax_row(x + i * count * inner + j, y + i * count * inner + j, count,
				inner, logarithm);
	arena_release(&scratch);
	return true;
}

/* ---- matrix products ---- */

/* y[rows, cols] = x[rows, depth] w[depth, cols]; y is zero. */
static void multiply(
	int64_t rows, int64_t depth, int64_t cols, const double *x, const double *w, double *y)
{
	for (int64_t i = 0; i < rows; i++)
		for (int64_t k = 0; k < depth; k++)
			for (int64_t j = 0; j < cols; j++)
				y[i * cols + j] += x[i * depth + k] * w[k * cols + j];
}

/* MatMul and Linear, which is one with a bias. */
bool eval_matmul(struct graph *g, struct node *n)
{
	const struct shape *s = &n->in[0]->shape, *t = &n->in[1]->shape;
	struct shape batch = n->out[0]->shape, xs = *s, ws = *t;
	int64_t depth = s->dim[s->rank - 1], cols = t->dim[t->rank - 1], rows = 1, count;
	struct arena scratch = { 0 };
	double *x = tensor_f64(&scratch, n->in[0]), *w = tensor_f64(&scratch, n->in[1]),
	       *y = store_f64(g, n);
	struct walk walk;

	if (s->rank > 1) {
		rows = s->dim[s->rank - 2];
		batch.rank -= 2;
		xs.rank -= 2;
	} else {
		batch.rank = xs.rank = 0;
	}
	ws.rank -= 2;
	walk_start(&walk, &batch);
	walk_broadcast(&walk, 0, &xs);
	walk_broadcast(&walk, 1, &ws);
	count = shape_count(&batch);
	for (int64_t k = 0; k < count; k++, walk_next(&walk))
		multiply(rows, depth, cols, x + walk.at[0] * rows * depth,
			w + walk.at[1] * depth * cols, y + k * rows * cols);
	for (int64_t k = 0; n->nin > 2 && n->in[2] != NULL && k < count * rows * cols; k++)
		y[k] += const_f64(n->in[2], k % cols);
	arena_release(&scratch);
	return true;
}

/* ---- Conv ---- */

struct conv {
	int64_t batch, group, in, out; /* channels of one group */
	int64_t size[3], outputs[3],
		kernel[3]; /* always three spatial dimensions, the first ones 1 */
	int64_t stride[3], dilation[3], pad[3], spread[3];
};

static void read_conv(const struct node *n, struct conv *c)
{
	const struct shape *x = &n->in[0]->shape, *w = &n->in[1]->shape, *y = &n->out[0]->shape;
	int spatial = x->rank - 2, count;
	const int64_t *stride = attr_ints(n, "strides", &count),
		      *dilation = attr_ints(n, "dilations", &count);
	const int64_t *pad = attr_ints(n, "pads", &count);
	const int64_t *spread = attr_ints(n, "spread", &count);

	*c = (struct conv){ .batch = x->dim[0], .group = attr_int(n, "group", 1), .in = w->dim[1] };
	c->out = w->dim[0] / c->group;
	for (int k = 0; k < 3; k++) {
		int from = k - (3 - spatial);

		c->size[k] = from < 0 ? 1 : x->dim[2 + from];
		c->outputs[k] = from < 0 ? 1 : y->dim[2 + from];
		c->kernel[k] = from < 0 ? 1 : w->dim[2 + from];
		c->stride[k] = from < 0 ? 1 : stride[from];
		c->dilation[k] = from < 0 ? 1 : dilation[from];
		c->pad[k] = from < 0 ? 0 : pad[from];
		c->spread[k] = from < 0 || spread == NULL ? 1 : spread[from];
	}
}

/* The element of the input that a tap of the window at o sees; -1: none, but a zero. */
static int64_t seen(const struct conv *c, int k, int64_t o, int64_t tap)
{
	const int64_t at = o * c->stride[k] + tap * c->dilation[k] - c->pad[k];

	return at >= 0 && at % c->spread[k] == 0 && at / c->spread[k] < c->size[k]
		       ? at / c->spread[k]
		       : -1;
}

/* One output: the window at o over one input channel. */
static double window_sum(const struct conv *c, const int64_t *o, const double *x, const double *w)
{
	double sum = 0.0;

	for (int64_t a = 0; a < c->kernel[0]; a++)
		for (int64_t b = 0; b < c->kernel[1]; b++)
			for (int64_t d = 0; d < c->kernel[2]; d++) {
				const int64_t i = seen(c, 0, o[0], a), j = seen(c, 1, o[1], b),
					      k = seen(c, 2, o[2], d);

				if (i >= 0 && j >= 0 && k >= 0)
					sum += x[(i * c->size[1] + j) * c->size[2] + k] *
					       w[(a * c->kernel[1] + b) * c->kernel[2] + d];
			}
	return sum;
}

bool eval_conv(struct graph *g, struct node *n)
{
	struct arena scratch = { 0 };
	double *x = tensor_f64(&scratch, n->in[0]), *w = tensor_f64(&scratch, n->in[1]),
	       *y = store_f64(g, n);
	struct conv c;

	read_conv(n, &c);
	const int64_t pixels = c.outputs[0] * c.outputs[1] * c.outputs[2],
		      plane = c.size[0] * c.size[1] * c.size[2];
	const int64_t taps = c.kernel[0] * c.kernel[1] * c.kernel[2], channels = c.group * c.out;

	for (int64_t image = 0; image < c.batch; image++)
		for (int64_t k = 0; k < channels; k++)
			for (int64_t p = 0; p < pixels; p++) {
				int64_t o[3] = { p / (c.outputs[1] * c.outputs[2]),
					p / c.outputs[2] % c.outputs[1], p % c.outputs[2] };
				int64_t first = (image * c.group + k / c.out) * c.in;
				double sum = n->nin > 2 && n->in[2] != NULL ? const_f64(n->in[2], k)
									    : 0.0;

				for (int64_t i = 0; i < c.in; i++)
					sum += window_sum(&c, o, x + (first + i) * plane,
						w + (k * c.in + i) * taps);
				y[(image * channels + k) * pixels + p] = sum;
			}
	arena_release(&scratch);
	return true;
}
