/*
 * opset.def's functions for quantised models. Every form becomes Quantize, Dequantize and the operator of floats that
 * stands between them; integers() finds what is computed in integers.
 */
#include "import/opset.h"

#include <string.h>

static const char block_hint[] =
	"scales of blocks are not supported; quantise by tensor or by channel";

static struct tensor *input_or_null(const struct site *s, int k)
{
	return k < s->nin ? s->in[k] : NULL;
}

/* v, one element or one for each of x along an axis, to broadcast with x; null stands for zero. */
static struct tensor *put_along(struct site *s, struct tensor *v, struct tensor *x, int64_t axis)
{
	static const struct shape scalar = { .rank = 0 };

	if (v == NULL)
		return graph_scalar(s->g, DT_F32, 0.0);
	if (is_const(v) && shape_count(&v->shape) == 1)
		return put_floats(
			s, graph_constant(s->g, NULL, v->type, &scalar, v->stored, v->data));
	if (is_const(v) && v->shape.rank > 1) /* of matrices: laid out already */
		return put_floats(s, v);
	v = put2(s, "Channel", v, x);
	set_int(s->g, v->def, "axis", axis);
	set_int(s->g, v->def, "scalar", 1);
	return put_floats(s, v);
}

/* scale (x - zero); scale null: 1. */
static struct tensor *put_dequantized(
	struct site *s, struct tensor *x, struct tensor *scale, struct tensor *zero, int64_t axis)
{
	struct tensor *in[3] = { x,
		scale != NULL ? put_along(s, scale, x, axis) : graph_scalar(s->g, DT_F32, 1.0),
		put_along(s, zero, x, axis) };

	return site_put(s, "Dequantize", 3, in, 1)->out[0];
}

/* The integer nearest to x / scale, and zero more, as far as the type goes. Null: reported. */
static struct tensor *put_quantized(struct site *s, struct tensor *x, struct tensor *scale,
	struct tensor *zero, enum dtype type, int bits, int64_t axis)
{
	const bool is_signed = dtypes[type].numpy[0] == 'i';
	const double count = bits == 4 ? 16.0 : dtypes[type].size == 1 ? 256.0 : 65536.0;
	struct tensor *in[3] = { x, put_along(s, scale, x, axis), put_along(s, zero, x, axis) };

	if (bits == 4 && !site_constant(s, x)) {
		site_error(s, "integers of 8 and 16 bits are",
			"quantising to 4 bits at run time is not supported");
		return NULL;
	}
	if (dtypes[type].is_float || dtypes[type].size < 1 || dtypes[type].size > 2 ||
		type == DT_BOOL) {
		site_error(s, "integers of 8 and 16 bits are", "quantising to %s is not supported",
			dtypes[type].name);
		return NULL;
	}
	struct node *n = site_put(s, "Quantize", 3, in, 1);

	set_float(s->g, n, "low", is_signed ? -count / 2.0 : 0.0);
	set_float(s->g, n, "high", is_signed ? count / 2.0 - 1.0 : count - 1.0);
	set_int(s->g, n, "to", type);
	n->out[0]->type = n->out[0]->io_type = type;
	return n->out[0];
}

/* The same to the type of zero, u8 where it is absent. */
static bool give_quantized(
	struct site *s, struct tensor *x, struct tensor *scale, struct tensor *zero)
{
	s->out[0] = put_quantized(s, x, scale, zero, zero != NULL ? zero->type : DT_U8,
		zero != NULL ? zero->bits : 0, 1);
	return s->out[0] != NULL;
}

/* ---- ONNX's own ---- */

static bool has_blocks(struct site *s)
{
	if (site_int(s, "block_size", 0) == 0)
		return false;
	site_error(s, block_hint, "block_size is %lld", (long long)site_int(s, "block_size", 0));
	return true;
}

bool convert_dequantize(struct site *s, const char *arg)
{
	(void)arg;
	if (has_blocks(s))
		return false;
	s->out[0] = put_dequantized(
		s, s->in[0], s->in[1], input_or_null(s, 2), site_int(s, "axis", 1));
	return true;
}

bool convert_quantize(struct site *s, const char *arg)
{
	static const int four[2] = { 21, 22 }; /* ONNX's UINT4 and INT4 */
	struct tensor *zero = input_or_null(s, 2);
	const int64_t asked = site_int(s, "output_dtype", 0);
	int bits = zero != NULL ? zero->bits : asked == four[0] || asked == four[1] ? 4 : 0;
	enum dtype type = zero != NULL                ? zero->type
			  : asked > 0 && asked < 1000 ? dtype_of_onnx((int)asked)
						      : DT_U8;

	(void)arg;
	if (has_blocks(s))
		return false;
	if (bits != 4 && type == DT_NONE)
		return site_error(s, hint_type(payload_type_name(asked)), "quantising to %s is not supported", payload_type_name(asked));
	if (bits == 4 && zero == NULL)
		type = asked == four[0] ? DT_U8 : DT_I8;
	s->out[0] = put_quantized(s, s->in[0], s->in[1], zero, type, bits, site_int(s, "axis", 1));
	return s->out[0] != NULL;
}

/* x in 255 steps of `scale` from its least to its greatest element, and to 0; the zero point. */
static struct tensor *put_dynamic(
	struct site *s, struct tensor *x, struct tensor **scale, struct tensor **zero)
{
	struct tensor *nothing = graph_scalar(s->g, DT_F32, 0.0), *least = put1(s, "ReduceMin", x),
		      *most = put1(s, "ReduceMax", x);

	set_int(s->g, least->def, "keepdims", 0);
	set_int(s->g, most->def, "keepdims", 0);
	least = put2(s, "Min", least, nothing);
	most = put2(s, "Max", most, nothing);
	*scale = put2(s, "Div", put2(s, "Sub", most, least), graph_scalar(s->g, DT_F32, 255.0));
	*zero = put_quantized(s, put1(s, "Neg", least), *scale, NULL, DT_U8, 0, 0);
	return put_quantized(s, x, *scale, *zero, DT_U8, 0, 0);
}

bool convert_dynamicquantize(struct site *s, const char *arg)
{
	struct tensor *scale, *zero;

	(void)arg;
	s->out[0] = put_dynamic(s, s->in[0], &scale, &zero);
	if (s->nout > 1)
		s->out[1] = scale;
	if (s->nout > 2)
		s->out[2] = zero;
	return true;
}

/* x w x_zero? w_zero?; arg: the operator. Sums of integers. */
bool convert_integer(struct site *s, const char *arg)
{
	const bool conv = strcmp(arg, "Conv") == 0;
	struct tensor *in[2] = { put_dequantized(
					 s, s->in[0], NULL, input_or_null(s, 2), conv ? 1 : -2),
		put_dequantized(s, s->in[1], NULL, input_or_null(s, 3), conv ? 0 : -1) };
	struct node *n = site_put(s, arg, 2, in, 1);

	if (conv)
		keep_attrs(s, n);
	s->out[0] = put_cast(s, n->out[0], DT_I32);
	return true;
}

/* A bias in steps of x's scale times w's. */
static struct tensor *put_bias(
	struct site *s, struct tensor *b, struct tensor *x_scale, struct tensor *w_scale)
{
	if (b == NULL)
		return NULL;
	return put_dequantized(
		s, b, put2(s, "Mul", put_floats(s, w_scale), put_floats(s, x_scale)), NULL, 0);
}

/* x x_scale x_zero w w_scale w_zero y_scale y_zero b? */
bool convert_qlinearconv(struct site *s, const char *arg)
{
	struct tensor *in[3] = { put_dequantized(s, s->in[0], s->in[1], s->in[2], 1),
		put_dequantized(s, s->in[3], s->in[4], s->in[5], 0),
		put_bias(s, input_or_null(s, 8), s->in[1], s->in[4]) };
	struct node *n = site_put(s, "Conv", in[2] != NULL ? 3 : 2, in, 1);

	(void)arg;
	keep_attrs(s, n);
	return give_quantized(s, n->out[0], s->in[6], s->in[7]);
}

/* a a_scale a_zero b b_scale b_zero y_scale y_zero */
bool convert_qlinearmatmul(struct site *s, const char *arg)
{
	struct tensor *a = put_dequantized(s, s->in[0], s->in[1], s->in[2], -2),
		      *b = put_dequantized(s, s->in[3], s->in[4], s->in[5], -1);

	(void)arg;
	return give_quantized(s, put2(s, "MatMul", a, b), s->in[6], s->in[7]);
}

/* ---- com.microsoft's ---- */

/* An operator of one or two operands, arg its name; each with scale and zero, and so the result. */
bool convert_qlinear(struct site *s, const char *arg)
{
	const bool binary = strcmp(arg, "Add") == 0 || strcmp(arg, "Mul") == 0;
	const int n = binary ? 2 : 1;
	struct tensor *in[2] = { NULL };

	for (int k = 0; k < n; k++)
		in[k] = put_dequantized(
			s, s->in[3 * k], s->in[3 * k + 1], input_or_null(s, 3 * k + 2), 1);
	struct node *op = site_put(s, arg, n, in, 1);

	if (!binary)
		keep_attrs(s, op);
	return give_quantized(s, op->out[0], s->in[3 * n], input_or_null(s, 3 * n + 1));
}

/* Of images whose channels come second, which is how ONNX's own operators have them. */
static bool channels_first(struct site *s)
{
	return site_int(s, "channels_last", 0) == 0 ||
	       site_error(s, "save it without layout transformation", "channels_last is 1");
}

/* As ONNX's AveragePool, and over whole images (arg: global). */
bool convert_qlinearpool(struct site *s, const char *arg)
{
	const bool all = strcmp(arg, "global") == 0;
	struct tensor *x = put_dequantized(s, s->in[0], s->in[1], input_or_null(s, 2), 1),
		      *y = put1(s, all ? "ReduceMean" : "AveragePool", x);

	if (!channels_first(s))
		return false;
	if (all) {
		set_int(s->g, y->def, "spatial", 1);
		set_int(s->g, y->def, "keepdims", 1);
	} else {
		keep_attrs(s, y->def);
		drop_attr(y->def, "channels_last");
	}
	return give_quantized(s, y, s->in[3], input_or_null(s, 4));
}

/* x x_scale x_zero y_scale y_zero; `opset` says which Softmax of ONNX it was. */
bool convert_qlinearsoftmax(struct site *s, const char *arg)
{
	struct tensor *y = put1(s, "Softmax", put_dequantized(s, s->in[0], s->in[1], s->in[2], 1));

	(void)arg;
	set_int(s->g, y->def, "axis", site_int(s, "axis", -1));
	if (site_int(s, "opset", 13) < 13)
		set_int(s->g, y->def, "to_end", 1);
	return give_quantized(s, y, s->in[3], input_or_null(s, 4));
}

/* x x_scale x_zero y_scale y_zero */
bool convert_qlinearreducemean(struct site *s, const char *arg)
{
	struct tensor *x = put_dequantized(s, s->in[0], s->in[1], input_or_null(s, 2), 1),
		      *axes = site_ints(s, "axes"),
		      *y = axes != NULL ? put2(s, "ReduceMean", x, axes) : put1(s, "ReduceMean", x);

	(void)arg;
	set_int(s->g, y->def, "keepdims", site_int(s, "keepdims", 1));
	return give_quantized(s, y, s->in[3], input_or_null(s, 4));
}

/* y_scale y_zero, then x x_scale x_zero for each part. */
bool convert_qlinearconcat(struct site *s, const char *arg)
{
	const int parts = (s->nin - 2) / 3;
	struct tensor **in = arena_alloc(
		s->g->arena, (size_t)(parts + 1) * sizeof(struct tensor *));

	(void)arg;
	for (int k = 0; k < parts; k++)
		in[k] = put_dequantized(
			s, s->in[2 + 3 * k], s->in[3 + 3 * k], input_or_null(s, 4 + 3 * k), 1);
	struct node *n = site_put(s, "Concat", parts, in, 1);

	set_int(s->g, n, "axis", site_int(s, "axis", 0));
	return give_quantized(s, n->out[0], s->in[0], s->in[1]);
}

/* condition x x_scale x_zero y y_scale y_zero z_scale z_zero */
bool convert_qlinearwhere(struct site *s, const char *arg)
{
	struct tensor *in[3] = { s->in[0], put_dequantized(s, s->in[1], s->in[2], s->in[3], 1),
		put_dequantized(s, s->in[4], s->in[5], s->in[6], 1) };

	(void)arg;
	return give_quantized(s, site_put(s, "Where", 3, in, 1)->out[0], s->in[7], s->in[8]);
}

static struct tensor *put_turned(struct site *s, struct tensor *x)
{
	static const int64_t perm[2] = { 1, 0 };

	x = put1(s, "Transpose", x);
	set_ints(s->g, x->def, "perm", 2, perm);
	return x;
}

/* a a_scale a_zero b b_scale b_zero c? y_scale? y_zero? */
bool convert_qgemm(struct site *s, const char *arg)
{
	const bool turned = site_int(s, "transB", 0) != 0;
	struct tensor *a = put_dequantized(s, s->in[0], s->in[1], s->in[2], 1),
		      *b = put_dequantized(s, s->in[3], s->in[4], s->in[5], turned ? 0 : 1),
		      *c = put_bias(s, input_or_null(s, 6), s->in[1], s->in[4]), *y;
	const double alpha = site_float(s, "alpha", 1.0);

	(void)arg;
	if (alpha < 1.0 || alpha > 1.0)
		return site_error(s, "scale the result instead", "alpha is %g", alpha);
	y = put2(s, "MatMul", site_int(s, "transA", 0) != 0 ? put_turned(s, a) : a,
		turned ? put_turned(s, b) : b);
	y = c != NULL ? put2(s, "Add", y, c) : y;
	if (input_or_null(s, 7) != NULL)
		return give_quantized(s, y, s->in[7], input_or_null(s, 8));
	s->out[0] = y;
	return true;
}

/* a b a_scale b_scale a_zero? b_zero? bias? */
bool convert_matmulintegertofloat(struct site *s, const char *arg)
{
	struct tensor *a = put_dequantized(s, s->in[0], s->in[2], input_or_null(s, 4), -2),
		      *b = put_dequantized(s, s->in[1], s->in[3], input_or_null(s, 5), -1),
		      *bias = input_or_null(s, 6), *y = put2(s, "MatMul", a, b);

	(void)arg;
	s->out[0] = bias != NULL ? put2(s, "Add", y, bias) : y;
	return true;
}

/* a, of floats, b b_scale b_zero? bias? */
bool convert_dynamicquantizematmul(struct site *s, const char *arg)
{
	struct tensor *scale, *zero, *q = put_dynamic(s, s->in[0], &scale, &zero),
		      *a = put_dequantized(s, q, scale, zero, 0),
		      *b = put_dequantized(s, s->in[1], s->in[2], input_or_null(s, 3), -1),
		      *bias = input_or_null(s, 4), *y = put2(s, "MatMul", a, b);

	(void)arg;
	s->out[0] = bias != NULL ? put2(s, "Add", y, bias) : y;
	return true;
}
