/* opset.def's functions for layers: products, normalisations, pools, reductions, resizing. */
#include "import/opset.h"

#include <string.h>

static const char eval_hint[] =
	"the model was exported in training mode; call model.eval() before torch.onnx.export";

/* ---- what several share ---- */

/* x * scale + bias, both [C]; bias may be null. */
static struct tensor *put_affine(
	struct site *s, struct tensor *x, struct tensor *scale, struct tensor *bias)
{
	x = put2(s, "Mul", x, put2(s, "Channel", scale, x));
	return bias != NULL ? put2(s, "Add", x, put2(s, "Channel", bias, x)) : x;
}

static struct tensor *put_scaled(struct site *s, struct tensor *x, double factor)
{
	return factor != 1.0 ? put2(s, "Mul", x, graph_scalar(s->g, x->type, factor)) : x;
}

static double parameter(int n, const double *v, int k, double absent)
{
	return k < n ? v[k] : absent;
}

struct tensor *put_activation(
	struct site *s, struct tensor *x, const char *name, int nparam, const double *p)
{
	static const char *const plain[] = { "Relu", "Sigmoid", "Tanh", "HardSwish", "Softplus",
		"Softsign" };

	for (size_t k = 0; k < sizeof(plain) / sizeof(plain[0]); k++)
		if (strcmp(name, plain[k]) == 0)
			return put1(s, name, x);
	if (strcmp(name, "Clip") == 0) {
		x = nparam > 0 ? put2(s, "Max", x, graph_scalar(s->g, x->type, p[0])) : x;
		return nparam > 1 ? put2(s, "Min", x, graph_scalar(s->g, x->type, p[1])) : x;
	}
	const bool leaky = strcmp(name, "LeakyRelu") == 0, hard = strcmp(name, "HardSigmoid") == 0;
	const bool elu = strcmp(name, "Elu") == 0;

	if (!leaky && !hard && !elu) {
		site_error(
			s, NULL, "activation \"%s\" is not supported", escape(s->g->arena, name));
		return NULL;
	}
	x = put1(s, name, x);
	set_float(s->g, x->def, "alpha",
		parameter(nparam, p, 0,
			(double)(leaky  ? 0.01f
				 : hard ? 0.2f
					: 1.0f)));
	if (hard)
		set_float(s->g, x->def, "beta", parameter(nparam, p, 1, 0.5));
	return x;
}

/* ---- products ---- */

static struct tensor *put_transposed(struct site *s, struct tensor *x)
{
	static const int64_t perm[2] = { 1, 0 };

	x = put1(s, "Transpose", x);
	set_ints(s->g, x->def, "perm", 2, perm);
	return x;
}

/* Gemm and onnxruntime's FusedGemm. */
bool convert_gemm(struct site *s, const char *arg)
{
	const double alpha = site_float(s, "alpha", 1.0), beta = site_float(s, "beta", 1.0);
	struct tensor *a = s->in[0], *b = s->in[1], *c = s->nin > 2 ? s->in[2] : NULL;
	const char *activation = site_string(s, "activation", "");
	const bool scale_b = site_constant(s, b);

	(void)arg;
	if (site_int(s, "transA", 0) != 0) {
		a = put_transposed(s, a);
	} else if (site_ir_version(s) <=
		   3) { /* early MXNet leaves the dimensions of size 1 after the pool */
		a = put1(s, "Flatten", a);
		set_int(s->g, a->def, "axis", 1);
	}
	if (site_int(s, "transB", 0) != 0)
		b = put_transposed(s, b);
	struct tensor *y = put2(s, "MatMul", a, scale_b ? put_scaled(s, b, alpha) : b);

	y = scale_b ? y : put_scaled(s, y, alpha);
	if (c != NULL && beta != 0.0)
		y = put2(s, "Add", y, put_scaled(s, c, beta));
	if (activation[0] != '\0') {
		const double p[2] = { site_float(s, "activation_alpha", 0.0),
			site_float(s, "activation_beta", 0.0) };
		const int nparam = site_attr(s, "activation_alpha") == NULL  ? 0
				   : site_attr(s, "activation_beta") == NULL ? 1
									     : 2;

		y = put_activation(s, y, activation, nparam, p);
	}
	s->out[0] = y;
	return y != NULL;
}

/* The last two dimensions exchanged, whatever the rank: shape.c knows it. */
static struct tensor *put_swapped(struct site *s, struct tensor *x)
{
	x = put1(s, "Transpose", x);
	set_int(s->g, x->def, "swap", 1);
	return x;
}

bool convert_fusedmatmul(struct site *s, const char *arg)
{
	struct tensor *a = s->in[0], *b = s->in[1];

	(void)arg;
	if (site_int(s, "transBatchA", 0) != 0 || site_int(s, "transBatchB", 0) != 0)
		return site_error(s, NULL, "transBatchA and transBatchB are not supported");
	if (site_int(s, "transA", 0) != 0)
		a = put_swapped(s, a);
	if (site_int(s, "transB", 0) != 0)
		b = put_swapped(s, b);
	s->out[0] = put_scaled(s, put2(s, "MatMul", a, b), site_float(s, "alpha", 1.0));
	return true;
}

/* Conv(x, w, b) + z, then an activation. */
bool convert_fusedconv(struct site *s, const char *arg)
{
	const char *activation = site_string(s, "activation", "");
	const struct attr *params = site_attr(s, "activation_params");
	const bool bias = s->nin > 2 && s->in[2] != NULL;
	struct node *n = site_put(s, "Conv", bias ? 3 : 2, s->in, 1);
	struct tensor *y = n->out[0];

	(void)arg;
	keep_attrs(s, n);
	if (s->nin > 3)
		y = put2(s, "Add", y, s->in[3]);
	if (activation[0] != '\0')
		y = put_activation(s, y, activation, params != NULL ? params->n : 0,
			params != NULL ? params->f : NULL);
	s->out[0] = y;
	return y != NULL;
}

/* ---- normalisation ---- */

/* MXNet writes spatial=0 with parameters [C], and means 1; otherwise there is a parameter an
 * element. */
static struct tensor *put_elementwise_norm(struct site *s)
{
	struct tensor *epsilon = graph_scalar(s->g, DT_F32, site_float(s, "epsilon", 1e-5));
	struct tensor *deviation = put1(s, "Sqrt", put2(s, "Add", s->in[4], epsilon));
	struct tensor *y = put2(s, "Sub", s->in[0], s->in[3]);

	return put2(s, "Add", put2(s, "Mul", y, put2(s, "Div", s->in[1], deviation)), s->in[2]);
}

/* arg: up to opset 13 the outputs say whether statistics come from the batch. Of a constant (weight
 * standardisation) they may: fold() evaluates that. */
bool convert_batchnorm(struct site *s, const char *arg)
{
	bool training = site_int(s, "training_mode", 0) != 0;

	for (int k = 1; arg[0] != '\0' && k < s->nout; k++)
		training = training || s->raw->out[k][0] != '\0';
	if (training && !site_constant(s, s->in[0]))
		return site_error(s, eval_hint,
			"this BatchNormalization normalises with the statistics of its batch");
	if (site_int(s, "spatial", 1) == 0 && is_const(s->in[1]) && s->in[1]->shape.rank > 1)
		return s->out[0] = put_elementwise_norm(s), true;
	struct node *n = site_put(s, "BatchNorm", 5, s->in, 1);

	set_float(s->g, n, "epsilon", site_float(s, "epsilon", 1e-5));
	set_int(s->g, n, "training", training);
	s->out[0] = n->out[0];
	return true;
}

static struct tensor *put_normalize(struct site *s, struct tensor *x)
{
	x = put1(s, "Normalize", x);
	set_float(s->g, x->def, "epsilon", site_float(s, "epsilon", 1e-5));
	return x;
}

bool convert_instancenorm(struct site *s, const char *arg)
{
	struct tensor *y = put_normalize(s, s->in[0]);

	(void)arg;
	set_int(s->g, y->def, "spatial", 1);
	s->out[0] = put_affine(s, y, s->in[1], s->in[2]);
	return true;
}

/* Mean and InvStdDev, the other outputs, are for training. */
bool convert_layernorm(struct site *s, const char *arg)
{
	struct tensor *y = put_normalize(s, s->in[0]);

	(void)arg;
	set_int(s->g, y->def, "axis", site_int(s, "axis", -1));
	set_int(s->g, y->def, "to_end", 1);
	y = put2(s, "Mul", y, s->in[1]);
	s->out[0] = s->nin > 2 ? put2(s, "Add", y, s->in[2]) : y;
	return true;
}

bool convert_groupnorm(struct site *s, const char *arg)
{
	const int64_t groups = site_int(s, "num_groups", 0), by_group[3] = { 0, groups, -1 },
		      axes[1] = { 2 };
	struct tensor *x = s->in[0];

	if (groups < 1)
		return site_error(s, NULL, "num_groups is %lld", (long long)groups);
	struct tensor *y = put_normalize(s, put2(s, "Reshape", x, graph_ints(s->g, 3, by_group)));

	set_ints(s->g, y->def, "axes", 1, axes);
	if (arg[0] != '\0')
		y = put_affine(s, y, s->in[1], s->in[2]);
	y = put2(s, "Reshape", y, put1(s, "Shape", x));
	if (arg[0] == '\0')
		y = put_affine(s, y, s->in[1], s->in[2]);
	s->out[0] = y;
	return true;
}

bool convert_rmsnorm(struct site *s, const char *arg)
{
	const int64_t axis = site_int(s, "axis", -1),
		      count = axis >= -MAX_RANK && axis < 0 ? -axis : 0;
	struct tensor *x = s->in[0],
		      *epsilon = graph_scalar(s->g, DT_F32, site_float(s, "epsilon", 1e-5));
	int64_t axes[MAX_RANK];

	(void)arg;
	if (count == 0)
		return site_error(s, NULL,
			"axis %lld: it must be counted from the end (negative) to be supported",
			(long long)axis);
	for (int k = 0; k < count; k++)
		axes[k] = k - count;
	struct tensor *mean = put2(
		s, "ReduceMean", put2(s, "Mul", x, x), graph_ints(s->g, (int)count, axes));

	set_int(s->g, mean->def, "keepdims", 1);
	s->out[0] = put2(s, "Mul",
		put2(s, "Div", x, put1(s, "Sqrt", put2(s, "Add", mean, epsilon))), s->in[1]);
	return true;
}

static struct tensor *put_reduce(
	struct site *s, const char *op, struct tensor *x, struct tensor *axes, int64_t keepdims);

/* x / its norm; where that is 0, 0. */
bool convert_lpnorm(struct site *s, const char *arg)
{
	const int64_t axis[1] = { site_int(s, "axis", -1) }, p = site_int(s, "p", 2);
	struct tensor *least = graph_scalar(s->g, DT_F32, 1.401298464324817e-45), *norm;

	(void)arg;
	if (p != 1 && p != 2)
		return site_error(s, "1 or 2", "p is %lld", (long long)p);
	norm = put_reduce(
		s, p == 1 ? "ReduceL1" : "ReduceL2", s->in[0], graph_ints(s->g, 1, axis), 1);
	s->out[0] = put2(s, "Div", s->in[0], put2(s, "Max", norm, least));
	return true;
}

bool convert_meanvariance(struct site *s, const char *arg)
{
	static const int64_t usual[3] = { 0, 2, 3 };
	struct tensor *axes = site_ints(s, "axes"), *mean, *d, *deviation;

	(void)arg;
	axes = axes != NULL ? axes : graph_ints(s->g, 3, usual);
	mean = put_reduce(s, "ReduceMean", s->in[0], axes, 1);
	d = put2(s, "Sub", s->in[0], mean);
	deviation = put1(s, "Sqrt", put_reduce(s, "ReduceMean", put2(s, "Mul", d, d), axes, 1));
	s->out[0] = put2(s, "Div", d, put2(s, "Add", deviation, graph_scalar(s->g, DT_F32, 1e-9)));
	return true;
}

/* x / (bias + alpha * mean of x^2 over `size` channels) ^ beta, the mean as an average pool over
 * [N,1,C,H*W]. */
bool convert_lrn(struct site *s, const char *arg)
{
	static const int64_t flat[3] = { 0, 0, -1 }, one[1] = { 1 };
	const int64_t size = site_int(s, "size", 0);
	struct tensor *x = s->in[0], *y = put2(s, "Mul", x, x);

	(void)arg;
	if (size < 1 || size > 4096)
		return site_error(s, NULL, "size is %lld", (long long)size);
	const int64_t kernel[2] = { size, 1 }, strides[2] = { 1, 1 },
		      pads[4] = { (size - 1) / 2, 0, size / 2, 0 };

	y = put2(s, "Reshape", y, graph_ints(s->g, 3, flat));
	y = put1(s, "AveragePool", put2(s, "Unsqueeze", y, graph_ints(s->g, 1, one)));
	set_ints(s->g, y->def, "kernel_shape", 2, kernel);
	set_ints(s->g, y->def, "strides", 2, strides);
	set_ints(s->g, y->def, "pads", 4, pads);
	set_int(s->g, y->def, "count_include_pad", 1);
	y = put2(s, "Squeeze", y, graph_ints(s->g, 1, one));
	y = put2(s, "Reshape", y, put1(s, "Shape", x));
	y = put2(s, "Add", put_scaled(s, y, site_float(s, "alpha", 1e-4)),
		graph_scalar(s->g, DT_F32, site_float(s, "bias", 1)));
	y = put2(s, "Pow", y, graph_scalar(s->g, DT_F32, site_float(s, "beta", 0.75)));
	s->out[0] = put2(s, "Div", x, y);
	return true;
}

/* Up to opset 12: over all dimensions from axis on. */
bool convert_softmax(struct site *s, const char *arg)
{
	struct tensor *y = put1(s, arg, s->in[0]);

	set_int(s->g, y->def, "axis", site_int(s, "axis", 1));
	set_int(s->g, y->def, "to_end", 1);
	s->out[0] = y;
	return true;
}

/* ---- pools and reductions ---- */

/* Over all dimensions from the third on, which shape.c finds. */
bool convert_globalpool(struct site *s, const char *arg)
{
	struct tensor *y = put1(s, arg, s->in[0]);

	set_int(s->g, y->def, "spatial", 1);
	set_int(s->g, y->def, "keepdims", 1);
	s->out[0] = y;
	return true;
}

/* |x|^p, and the root that undoes it. */
static struct tensor *put_power(struct site *s, struct tensor *x, double p)
{
	if (p >= 2.0 && p <= 2.0)
		return put2(s, "Mul", x, x);
	x = put1(s, "Abs", x);
	return p >= 1.0 && p <= 1.0 ? x : put2(s, "Pow", x, graph_scalar(s->g, DT_F32, p));
}

static struct tensor *put_root(struct site *s, struct tensor *x, double p)
{
	if (p >= 2.0 && p <= 2.0)
		return put1(s, "Sqrt", x);
	return p >= 1.0 && p <= 1.0 ? x
				    : put2(s, "Pow", x, graph_scalar(s->g, DT_F32, 1.0 / p));
}

/* The exponent of a norm was a float once. */
static double norm_power(const struct site *s)
{
	const struct attr *p = site_attr(s, "p");

	return p->kind == ATTR_FLOAT ? p->f[0] : (double)p->i[0];
}

/* The norm of each window, by way of the mean. */
bool convert_lppool(struct site *s, const char *arg)
{
	const struct attr *size = site_attr(s, "kernel_shape");
	struct tensor *y = put1(s, "AveragePool", put_power(s, s->in[0], norm_power(s)));
	double count = 1.0;

	(void)arg;
	if (size == NULL)
		return site_error(s, NULL, "attribute \"kernel_shape\" is missing");
	if (site_int(s, "ceil_mode", 0) != 0)
		return site_error(s, "pad the input, with ceil_mode 0",
			"windows of LpPool that leave the padded input");
	keep_attrs(s, y->def);
	drop_attr(y->def, "p");
	set_int(s->g, y->def, "count_include_pad", 1);
	for (int k = 0; k < size->n; k++)
		count *= (double)size->i[k];
	s->out[0] = put_root(s, put_scaled(s, y, count), norm_power(s));
	return true;
}

bool convert_globallppool(struct site *s, const char *arg)
{
	struct tensor *y = put1(s, "ReduceSum", put_power(s, s->in[0], norm_power(s)));

	(void)arg;
	set_int(s->g, y->def, "spatial", 1);
	set_int(s->g, y->def, "keepdims", 1);
	s->out[0] = put_root(s, y, norm_power(s));
	return true;
}

/* Its second output is the first one's places, by an operator of its own. */
bool convert_maxpool(struct site *s, const char *arg)
{
	static const char *const ops[2] = { "MaxPool", "ArgMaxPool" };

	(void)arg;
	for (int k = 0; k < s->nout && k < 2; k++) {
		if (s->raw->out[k][0] == '\0')
			continue;
		s->out[k] = put1(s, ops[k], s->in[0]);
		keep_attrs(s, s->out[k]->def);
	}
	return true;
}

static struct tensor *put_reduce(
	struct site *s, const char *op, struct tensor *x, struct tensor *axes, int64_t keepdims)
{
	struct tensor *in[2] = { x, axes };
	struct node *n = site_put(s, op, axes != NULL ? 2 : 1, in, 1);

	set_int(s->g, n, "keepdims", keepdims);
	if (site_int(s, "noop_with_empty_axes", 0) != 0)
		set_int(s->g, n, "noop_with_empty_axes", 1);
	return n->out[0];
}

/* No axes, and that means: reduce nothing. What is left is what the reduction does to one element.
 */
static struct tensor *put_no_reduce(struct site *s, const char *op, struct tensor *x)
{
	if (strcmp(op, "ReduceL1") == 0 || strcmp(op, "ReduceL2") == 0)
		return put1(s, "Abs", x);
	if (strcmp(op, "ReduceSumSquare") == 0)
		return put2(s, "Mul", x, x);
	return strcmp(op, "ReduceLogSum") == 0 ? put1(s, "Log", x) : x;
}

bool convert_reduce(struct site *s, const char *arg)
{
	struct tensor *x = s->in[0], *axes = s->nin > 1 ? s->in[1] : site_ints(s, "axes");
	const int64_t keepdims = site_int(s, "keepdims", 1);

	if (axes != NULL && is_const(axes) && shape_count(&axes->shape) == 0)
		axes = NULL;
	if (axes == NULL && site_int(s, "noop_with_empty_axes", 0) != 0) {
		s->out[0] = put_no_reduce(s, arg, x);
	} else if (strcmp(arg, "ReduceLogSum") == 0) {
		s->out[0] = put1(s, "Log", put_reduce(s, "ReduceSum", x, axes, keepdims));
	} else if (strcmp(arg, "ReduceLogSumExp") ==
		   0) { /* less the greatest, so that exp stays finite */
		struct tensor *top = put_reduce(s, "ReduceMax", x, axes, 1);
		struct tensor *sum = put_reduce(
			s, "ReduceSum", put1(s, "Exp", put2(s, "Sub", x, top)), axes, keepdims);

		if (keepdims == 0)
			top = put_reduce(s, "ReduceMax", x, axes, 0);
		s->out[0] = put2(s, "Add", put1(s, "Log", sum), top);
	} else {
		s->out[0] = put_reduce(s, arg, x, axes, keepdims);
	}
	return true;
}

/* ---- resizing ---- */

static struct tensor *floats(struct site *s, int n, const double *v)
{
	const struct shape shape = { .rank = 1, .dim = { n } };

	return graph_constant(s->g, NULL, DT_F32, &shape, DT_F64, v);
}

/* Upsample, and Resize of opset 10. arg: the version whose attributes hold the scales. */
bool convert_upsample(struct site *s, const char *arg)
{
	const char *mode = site_string(s, "mode", "nearest");
	struct tensor *scales = s->nin > 1 ? s->in[1] : NULL;

	if (strcmp(arg, "7") == 0) {
		const struct attr *a = site_attr(s, "scales");

		scales = a->n > 0 ? floats(s, a->n, a->f) : NULL;
	} else if (strcmp(arg, "1") == 0) {
		double *v = arena_alloc(s->g->arena, 4 * sizeof(*v));

		v[0] = v[1] = 1.0;
		v[2] = site_float(s, "height_scale", 1.0);
		v[3] = site_float(s, "width_scale", 1.0);
		scales = floats(s, 4, v);
	}
	if (scales == NULL)
		return site_error(s, NULL, "there are no scales");
	struct tensor *in[3] = { s->in[0], NULL, scales };
	struct node *n = site_put(s, "Resize", 3, in, 1);

	set_string(s->g, n, "mode", strcmp(mode, "bilinear") == 0 ? "linear" : mode);
	set_string(s->g, n, "coordinate", "asymmetric");
	set_string(s->g, n, "nearest_mode", "simple");
	s->out[0] = n->out[0];
	return true;
}

/* Opset 16 has names of its own for the modes. */
bool convert_gridsample(struct site *s, const char *arg)
{
	const char *mode = site_string(s, "mode", "linear");
	struct tensor *y = put2(s, "GridSample", s->in[0], s->in[1]);

	(void)arg;
	keep_attrs(s, y->def);
	if (strcmp(mode, "bilinear") == 0 || strcmp(mode, "bicubic") == 0)
		set_string(s->g, y->def, "mode", mode[2] == 'l' ? "linear" : "cubic");
	s->out[0] = y;
	return true;
}

bool convert_resize(struct site *s, const char *arg)
{
	const char *coordinate = site_string(s, "coordinate_transformation_mode", "half_pixel");
	struct tensor *in[4] = { s->in[0] };
	int nin = 1;

	(void)arg;
	for (int k = strcmp(coordinate, "tf_crop_and_resize") == 0 ? 1 : 2; k < s->nin; k++) {
		const bool empty = s->in[k] == NULL ||
				   (is_const(s->in[k]) && shape_count(&s->in[k]->shape) == 0);

		in[k] = empty ? NULL : s->in[k];
		nin = empty ? nin : k + 1;
	}
	if (nin < 3 || (in[2] != NULL && in[3] != NULL))
		return site_error(s, NULL, "either scales or sizes must be there");
	struct node *n = site_put(s, "Resize", nin, in, 1);

	keep_attrs(s, n);
	set_string(s->g, n, "coordinate", coordinate);
	s->out[0] = n->out[0];
	return true;
}
