/*
 * Sums of integers. A layer of two values scale (q - zero) is the product of the scales times a sum that is exact: its
 * type has room for the greatest that the weights, or their number, allow.
 */
#include "fold/fold.h"
#include "integers/integers.h"

#include <math.h>
#include <string.h>

/* ---- operands ---- */

/* An operand of a sum: integers, and what is taken from them. */
struct operand {
	struct tensor *q;
	double zero;
	double reach; /* the greatest |q - zero| */
};

/* Its zero point is a number, or is taken off before. False: reported. */
static bool operand_of(
	struct graph *g, const struct node *n, const struct form *f, struct operand *to)
{
	const enum dtype wide = dtypes[f->q->type].size == 1 ? DT_I16 : DT_I32;
	struct tensor *in[2] = { f->q, f->zero };
	double low, high;

	*to = (struct operand){ .q = f->q, .zero = f->z, .reach = reach(f) };
	if (is_const(f->zero) && shape_count(&f->zero->shape) == 1) {
		to->zero = const_f64(f->zero, 0);
		type_range(f->q->type, &low, &high);
		to->reach = fmax(fabs(low - to->zero), fabs(high - to->zero));
		return true;
	}
	for (int k = 0; k < 2; k++) {
		struct node *cast = place(g, n, "Cast", 1, &in[k]);

		set_int(g, cast, "to", wide);
		in[k] = settle(g, cast);
	}
	type_range(f->q->type, &low, &high);
	to->q = op2(g, n, "Sub", in[0], in[1]);
	to->zero = 0.0;
	to->reach = high - low;
	return to->q != NULL;
}

/* Of 8 or 16 bits, with scales that are one along dimension `axis` from the end, over which is summed up. */
static bool is_factor(const struct form *f, int axis)
{
	const struct shape *s = &f->scale->shape, *z = &f->zero->shape;

	if (dtypes[f->q->type].size > 2 || f->q->type == DT_BOOL)
		return false;
	return (s->rank < axis || s->dim[s->rank - axis] == 1) &&
	       (z->rank < axis || z->dim[z->rank - axis] == 1);
}

/* One for each of dimension 0 of a tensor of so many dimensions, or one for all. */
static bool by_output(const struct tensor *t, int rank)
{
	return shape_count(&t->shape) == 1 ||
	       (t->shape.rank == rank && t->shape.dim[0] == shape_count(&t->shape));
}

/* ---- how large sums get ---- */

static const double most_sum = 2147483647.0;

/* The greatest sum over constant weights, whose outputs are dimension `axis`; bias may be null. */
static double greatest_sum(
	const struct tensor *w, int axis, double reach, const struct tensor *bias)
{
	const int64_t outputs = w->shape.dim[axis], count = shape_count(&w->shape);
	struct arena scratch = { 0 };
	double *sum = arena_alloc(&scratch, (size_t)(outputs + 1) * sizeof(*sum)), most = 0.0;

	for (int64_t k = 0; k < count; k++)
		sum[axis == 0 ? k / (count / outputs) : k % outputs] += fabs(const_f64(w, k)) *
									reach;
	for (int64_t k = 0; k < outputs; k++)
		most = fmax(most, sum[k] + (bias != NULL ? fabs(const_f64(bias, k)) : 0.0));
	arena_release(&scratch);
	return most;
}

static enum dtype sum_type(const struct tensor *w, int axis, double reach, const struct tensor *bias)
{
	return greatest_sum(w, axis, reach, bias) <= most_sum ? DT_I32 : DT_I64;
}

/* The greatest |q - zero| of an input with such an attribute. */
static double reach_of(const struct node *n, int k, const char *zero)
{
	const struct form x = { .q = n->in[k], .z = (double)attr_int(n, zero, 0) };

	return reach(&x);
}

double sum_bound(const struct node *n)
{
	const bool conv = is_op(n, "ConvInteger");

	if (conv || is_op(n, "LinearInteger"))
		return greatest_sum(n->in[1], conv ? 0 : 1, reach_of(n, 0, "zero"), has_input(n, 2) ? n->in[2] : NULL);
	if (is_op(n, "MatMulInteger"))
		return (double)n->in[0]->shape.dim[n->in[0]->shape.rank - 1] * reach_of(n, 0, "zero") * reach_of(n, 1, "zero2");
	if (is_op(n, "ReduceSum") && dtypes[n->in[0]->type].size <= 2 && !dtypes[n->in[0]->type].is_float)
		return (double)(shape_count(&n->in[0]->shape) / shape_count(&n->out[0]->shape)) * reach_of(n, 0, "zero");
	return -1.0;
}

/* ---- biases ---- */

/* b in whole steps of `scale` (one for each of `outputs`, or for all): a constant i32[outputs]. Null: it is not that. */
static struct tensor *integer_bias(
	struct graph *g, const struct tensor *b, const struct tensor *scale, int64_t outputs)
{
	struct form f;
	int32_t *v;

	if (!value_form(b, &f) || !is_const(f.q) || !all_zero(f.zero) || !is_const(f.scale) ||
		!is_const(scale) || dtypes[f.q->type].size > 4 || f.q->type == DT_U32)
		return NULL;
	const int64_t count = shape_count(&f.q->shape), steps = shape_count(&f.scale->shape),
		      own = shape_count(&scale->shape);

	if ((count != outputs && count != 1) || (steps != count && steps != 1) ||
		(own != outputs && own != 1))
		return NULL;
	v = arena_alloc(g->arena, (size_t)(outputs + 1) * sizeof(*v));
	for (int64_t k = 0; k < outputs; k++) {
		const double mine = const_f64(f.scale, steps > 1 ? k : 0),
			     its = const_f64(scale, own > 1 ? k : 0);

		/* one is the other, but for roundings */
		if (!(fabs(mine - its) <= 1e-5 * fabs(its)))
			return NULL;
		v[k] = (int32_t)const_i64(f.q, count > 1 ? k : 0);
	}
	return graph_constant(
		g, f.q->name, DT_I32, &(struct shape){ .rank = 1, .dim = { outputs } }, DT_I32, v);
}

/* ---- convolutions ---- */

/* A number, or one for each of K, as [K,1,..] beside an image of so many dimensions. */
static struct tensor *beside_image(struct graph *g, const struct tensor *t, int rank)
{
	struct shape s = { .rank = shape_count(&t->shape) > 1 ? rank - 1 : 0,
		.dim = { shape_count(&t->shape) } };

	for (int k = 1; k < s.rank; k++)
		s.dim[k] = 1;
	return graph_constant(g, NULL, t->type, &s, t->stored, t->data);
}

static struct tensor *put_conv(struct graph *g, struct node *n, const struct operand *x,
	struct tensor *w, struct tensor *bias)
{
	struct tensor *in[3] = { x->q, w, bias };
	struct node *c = place(g, n, "ConvInteger", bias != NULL ? 3 : 2, in);

	copy_attrs(g, n, c);
	set_int(g, c, "zero", (int64_t)x->zero);
	set_int(g, c, "to", sum_type(w, 0, x->reach, bias));
	return settle(g, c);
}

static const char *why_no_conv(const struct node *n, struct form *fx, struct form *fw)
{
	const int rank = n->in[0]->shape.rank;

	if (node_attr(n, "spread") != NULL)
		return "a transposed convolution";
	if (!value_form(n->in[0], fx) || dtypes[fx->q->type].size > 2)
		return "its input is not quantised";
	if (!value_form(n->in[1], fw) || dtypes[fw->q->type].size > 2)
		return "its weights are not quantised";
	if (!is_const(fw->q) || !is_const(fw->zero) || !is_const(fw->scale))
		return "its weights are computed";
	if (!by_output(fw->scale, rank) || !by_output(fw->zero, rank))
		return "its weights' scales differ within a sum";
	return shape_count(&fx->scale->shape) == 1 && shape_count(&fx->zero->shape) == 1
		       ? NULL
		       : "its input is quantised by channel";
}

bool sum_conv(struct graph *g, struct node *n)
{
	struct tensor *b = has_input(n, 2) ? n->in[2] : NULL, *scale, *bias = NULL, *y;
	const int rank = n->in[0]->shape.rank;
	struct operand x;
	struct form fx, fw;

	if (why_no_conv(n, &fx, &fw) != NULL || !operand_of(g, n, &fx, &x))
		return false;
	scale = scaled_by(g, n, fx.scale, beside_image(g, fw.scale, rank), false);
	if (b != NULL)
		bias = integer_bias(g, b, scale, fw.q->shape.dim[0]);
	y = put_conv(g, n, &x, centred(g, &fw), bias);
	y = dequantized(g, n, y, scale, NULL);
	if (b != NULL && bias == NULL) {
		struct shape s = { .rank = rank - 1, .dim = { fw.q->shape.dim[0] } };

		for (int k = 1; k < s.rank; k++)
			s.dim[k] = 1;
		y = op2(g, n, "Add", y, reshaped(g, n, b, &s));
	}
	return replace(g, n, y);
}

/* ---- matrices ---- */

static struct tensor *put_linear(struct graph *g, struct node *n, const struct operand *x,
	struct tensor *w, struct tensor *bias)
{
	struct tensor *in[3] = { x->q, w, bias };
	struct node *c = place(g, n, "LinearInteger", bias != NULL ? 3 : 2, in);

	set_int(g, c, "zero", (int64_t)x->zero);
	set_int(g, c, "to", sum_type(w, 1, x->reach, bias));
	return settle(g, c);
}

static struct tensor *put_matmul(
	struct graph *g, struct node *n, const struct operand *x, const struct operand *y)
{
	struct node *c = place(g, n, "MatMulInteger", 2, (struct tensor *[]){ x->q, y->q });
	const double count = (double)x->q->shape.dim[x->q->shape.rank - 1];

	set_int(g, c, "zero", (int64_t)x->zero);
	set_int(g, c, "zero2", (int64_t)y->zero);
	set_int(g, c, "to", count * x->reach * y->reach <= most_sum ? DT_I32 : DT_I64);
	return settle(g, c);
}

static const char *why_no_matmul(const struct node *n, struct form *fx, struct form *fw)
{
	if (!value_form(n->in[0], fx) || dtypes[fx->q->type].size > 2)
		return "its input is not quantised";
	if (!value_form(n->in[1], fw) || dtypes[fw->q->type].size > 2)
		return "its weights, or second operand, are not quantised";
	if (fx->q->shape.rank < 2 || fw->q->shape.rank < 2 || (is_const(fx->q) && is_const(fw->q)))
		return "its operands are no matrices";
	return is_factor(fx, 1) && is_factor(fw, 2) ? NULL : "scales differ within a sum";
}

const char *why_no_sum(const struct node *n)
{
	struct form fx, fw;

	return is_op(n, "Conv") ? why_no_conv(n, &fx, &fw) : is_op(n, "MatMul") ? why_no_matmul(n, &fx, &fw) : NULL;
}

bool sum_matmul(struct graph *g, struct node *n)
{
	struct form fx, fw;
	struct operand x, w;
	struct tensor *y;

	if (why_no_matmul(n, &fx, &fw) != NULL || !operand_of(g, n, &fx, &x))
		return false;
	if (is_const(fw.q) && is_const(fw.zero) && fw.q->shape.rank == 2 && is_runtime(x.q)) {
		y = put_linear(g, n, &x, centred(g, &fw), NULL);
	} else {
		if (!operand_of(g, n, &fw, &w))
			return false;
		y = put_matmul(g, n, &x, &w);
	}
	return replace(
		g, n, dequantized(g, n, y, scaled_by(g, n, fx.scale, fw.scale, false), NULL));
}

bool sum_bias(struct graph *g, struct node *n)
{
	for (int k = 0; k < 2; k++) {
		struct form f;
		struct tensor *bias = NULL;
		struct node *layer = value_form(n->in[k], &f) ? f.q->def : NULL;

		if (layer == NULL || !is_op(layer, "LinearInteger") || layer->nin > 2 ||
			f.q->nuser != 1 || n->in[k]->nuser != 1 ||
			!shape_equal(&n->out[0]->shape, &f.q->shape))
			continue;
		bias = integer_bias(g, n->in[1 - k], f.scale, layer->in[1]->shape.dim[1]);
		if (bias == NULL)
			continue;
		struct form x = { .q = layer->in[0], .z = (double)attr_int(layer, "zero", 0) };
		const struct operand from = { .q = x.q, .zero = x.z, .reach = reach(&x) };

		return replace(g, n,
			dequantized(
				g, n, put_linear(g, n, &from, layer->in[1], bias), f.scale, NULL));
	}
	return false;
}

/* ---- means ---- */

/* The sum over axes of q less zero, which is so many times taken off at once. Null: reported. */
static struct tensor *put_sum(struct graph *g, struct node *n, const struct form *f, int naxes,
	const int64_t *axes, int64_t keepdims, double count)
{
	struct node *sum = place(g, n, "ReduceSum", 1, &f->q);
	struct tensor *y;

	set_ints(g, sum, "axes", naxes, axes);
	set_int(g, sum, "keepdims", keepdims);
	set_int(g, sum, "to", DT_I32);
	y = settle(g, sum);
	return all_zero(f->zero) ? y : op2(g, n, "Sub", y, graph_scalar(g, DT_I32, count * f->z));
}

/* Of one scale; and neither the sum of so many q nor that of q - zero is too large. */
static bool may_sum(const struct form *f, double count)
{
	double low, high;

	if (!f->uniform || dtypes[f->q->type].size > 2 || f->q->type == DT_BOOL)
		return false;
	type_range(f->q->type, &low, &high);
	return count * fmax(reach(f), fmax(-low, high)) <= most_sum;
}

/* f's scale over a number. */
static struct tensor *scale_over(
	struct graph *g, const struct node *n, const struct form *f, double count)
{
	return scaled_by(g, n, graph_scalar(g, DT_F32, f->s), graph_scalar(g, DT_F32, count), true);
}

bool sum_reduce(struct graph *g, struct node *n)
{
	int naxes;
	const int64_t *axes = attr_ints(n, "axes", &naxes);
	const double count = (double)shape_count(&n->in[0]->shape) /
			     (double)shape_count(&n->out[0]->shape);
	struct tensor *y;
	struct form f;

	if (!value_form(n->in[0], &f) || !may_sum(&f, count))
		return false;
	y = put_sum(g, n, &f, naxes, axes, attr_int(n, "keepdims", 1), count);
	return replace(g, n,
		dequantized(
			g, n, y, scale_over(g, n, &f, is_op(n, "ReduceMean") ? count : 1.0), NULL));
}

/* How many elements each window of a pool counts along spatial dimension d; true: all as many. */
static bool count_window(const struct node *n, int d, int64_t *count)
{
	const struct shape *x = &n->in[0]->shape, *y = &n->out[0]->shape;
	int spatial;
	const int64_t *kernel = attr_ints(n, "kernel_shape", &spatial),
		      *stride = attr_ints(n, "strides", &spatial),
		      *dilation = attr_ints(n, "dilations", &spatial),
		      *pad = attr_ints(n, "pads", &spatial);
	const bool include = attr_int(n, "count_include_pad", 0) != 0;
	bool even = true;

	spatial /= 2;
	const int64_t from = include ? -pad[d] : 0,
		      to = x->dim[2 + d] + (include ? pad[spatial + d] : 0);

	for (int64_t o = 0; o < y->dim[2 + d]; o++) {
		count[o] = 0;
		for (int64_t k = 0; k < kernel[d]; k++) {
			const int64_t at = o * stride[d] - pad[d] + k * dilation[d];

			count[o] += at >= from && at < to;
		}
		even = even && count[o] == count[0];
	}
	return even;
}

/* f's scale over the elements that each window counts. */
static struct tensor *pool_scale(struct graph *g, const struct node *n, const struct form *f)
{
	struct shape s = { .rank = n->out[0]->shape.rank - 2 };
	int64_t *count[MAX_RANK], all = 1;
	struct walk w;
	bool even = true;

	for (int d = 0; d < s.rank; d++) {
		s.dim[d] = n->out[0]->shape.dim[2 + d];
		count[d] = arena_alloc(g->arena, (size_t)s.dim[d] * sizeof(int64_t));
		even = count_window(n, d, count[d]) && even;
		all *= count[d][0];
	}
	if (even)
		return scale_over(g, n, f, (double)all);
	float *v = arena_alloc(g->arena, (size_t)shape_count(&s) * sizeof(*v));

	walk_start(&w, &s);
	for (int64_t k = 0; k < shape_count(&s); k++, walk_next(&w)) {
		all = 1;
		for (int d = 0; d < s.rank; d++)
			all *= count[d][w.index[d]];
		v[k] = (float)f->s / (float)all;
	}
	return float_constant(g, &s, v);
}

/* A window that is the whole image, and leaves nothing of it. */
static bool takes_image(const struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	int spatial, twice;
	const int64_t *kernel = attr_ints(n, "kernel_shape", &spatial),
		      *pad = attr_ints(n, "pads", &twice),
		      *dilation = attr_ints(n, "dilations", &spatial);

	for (int d = 0; d < spatial; d++)
		if (kernel[d] != x->dim[2 + d] || pad[d] != 0 || pad[spatial + d] != 0 ||
			dilation[d] != 1)
			return false;
	return true;
}

/* An average as a convolution whose weights are ones. */
bool sum_pool(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	int spatial, twice;
	const int64_t *kernel = attr_ints(n, "kernel_shape", &spatial), axes[3] = { 2, 3, 4 },
		      c = x->dim[1];
	struct shape s = { .rank = x->rank, .dim = { c, 1 } };
	double taps = 1.0;
	struct form f;

	(void)twice;
	for (int d = 0; d < spatial; d++) {
		s.dim[2 + d] = kernel[d];
		taps *= (double)kernel[d];
	}
	if (!value_form(n->in[0], &f) || !may_sum(&f, taps))
		return false;
	if (takes_image(n)) {
		struct tensor *y = put_sum(g, n, &f, spatial, axes, 1, taps);

		return replace(g, n, dequantized(g, n, y, scale_over(g, n, &f, taps), NULL));
	}
	int8_t *ones = arena_alloc(g->arena, (size_t)shape_count(&s) + 1);

	memset(ones, 1, (size_t)shape_count(&s));
	struct tensor *w = graph_constant(g, NULL, DT_I8, &s, DT_I8, ones);
	struct node *conv = place(g, n, "ConvInteger", 2, (struct tensor *[]){ f.q, w });

	copy_attrs(g, n, conv);
	drop_attr(conv, "kernel_shape");
	drop_attr(conv, "count_include_pad");
	drop_attr(conv, "ceil_mode");
	set_int(g, conv, "group", c);
	set_int(g, conv, "zero", (int64_t)f.z);
	set_int(g, conv, "to", DT_I32);
	/* rounded up, windows may reach beyond the padding */
	int64_t pads[6];
	const int64_t *pad = attr_ints(n, "pads", &twice),
		      *stride = attr_ints(n, "strides", &spatial),
		      *dilation = attr_ints(n, "dilations", &spatial);

	for (int d = 0; d < spatial; d++) {
		pads[d] = pad[d];
		pads[spatial + d] = (n->out[0]->shape.dim[2 + d] - 1) * stride[d] +
				    (kernel[d] - 1) * dilation[d] + 1 - x->dim[2 + d] - pad[d];
		pads[spatial + d] = pads[spatial + d] < 0 ? 0 : pads[spatial + d];
	}
	set_ints(g, conv, "pads", 2 * spatial, pads);
	return replace(g, n, dequantized(g, n, settle(g, conv), pool_scale(g, n, &f), NULL));
}
