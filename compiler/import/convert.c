/* opset.def's functions for elementwise operators, constants, and operators that move elements. */
#include "import/opset.h"

#include <stdlib.h>
#include <string.h>

/* ---- the general case ---- */

/* The operator of ops.def that arg names, with the same inputs, outputs and attributes. */
bool convert_same(struct site *s, const char *arg)
{
	struct node *n = site_put(s, arg, s->nin, s->in, s->nout);

	keep_attrs(s, n);
	for (int k = 0; k < s->nout; k++)
		s->out[k] = n->out[k];
	return true;
}

/* ---- elementwise ---- */

/* Up to opset 6 y may line up with x's dimensions from `axis` on; without an axis with the last
 * ones, as numpy does. */
bool convert_legacy(struct site *s, const char *arg)
{
	struct tensor *x = s->in[0], *y = s->in[1];
	const struct attr *axis = site_attr(s, "axis");
	const bool scalar = is_const(y) && shape_count(&y->shape) == 1;

	if (site_int(s, "broadcast", 0) != 0 && axis != NULL && !scalar) {
		struct tensor *in[2] = { y, x };
		struct node *n = site_put(s, "Channel", 2, in, 1);

		if (axis->i[0] != 1)
			set_int(s->g, n, "axis", axis->i[0]);
		y = n->out[0];
	}
	s->out[0] = put2(s, arg, x, y);
	return true;
}

/* n-ary -> left-associative. */
bool convert_chain(struct site *s, const char *arg)
{
	const bool mean = strcmp(arg, "Mean") == 0;
	struct tensor *y = s->in[0];

	for (int k = 1; k < s->nin; k++)
		y = put2(s, mean ? "Add" : arg, y, s->in[k]);
	if (mean && s->nin > 1)
		y = put2(s, "Mul", y, graph_scalar(s->g, y->type, 1.0 / s->nin));
	s->out[0] = y;
	return true;
}

/* Are all elements integers? Not if they are computed. */
static bool is_whole(const struct tensor *t)
{
	if (!is_const(t))
		return false;
	for (int64_t k = 0; k < shape_count(&t->shape); k++) {
		const double v = const_f64(t, k);

		if (!(v >= -0x1p62 && v <= 0x1p62) || v - (double)(int64_t)v != 0.0)
			return false;
	}
	return true;
}

/* The exponent may have a type of its own. Fractions of it count for integers, too: these are
 * floats meanwhile. */
bool convert_pow(struct site *s, const char *arg)
{
	struct tensor *x = s->in[0], *y = s->in[1];
	const enum dtype type = x->type;
	const bool fraction = !dtypes[type].is_float && dtypes[y->type].is_float && !is_whole(y);

	(void)arg;
	if (fraction)
		x = put_cast(s, x, DT_F32);
	if (y->type != x->type)
		y = put_cast(s, y, x->type);
	s->out[0] = put2(s, "Pow", x, y);
	if (fraction)
		s->out[0] = put_cast(s, s->out[0], type);
	return true;
}

bool convert_mod(struct site *s, const char *arg)
{
	const bool remainder = site_int(s, "fmod", 0) != 0;

	(void)arg;
	if (!remainder && dtypes[s->in[0]->type].is_float)
		return site_error(s, "export it with fmod=1, the remainder of C",
			"Mod of floating-point tensors with fmod=0");
	s->out[0] = put2(s, remainder ? "Remainder" : "Mod", s->in[0], s->in[1]);
	return true;
}

/* What is never negative is 0, or at least 1. */
bool convert_sign(struct site *s, const char *arg)
{
	struct tensor *x = s->in[0];
	const bool is_unsigned = dtypes[x->type].numpy[0] == 'u';

	(void)arg;
	s->out[0] = is_unsigned ? put2(s, "Min", x, graph_scalar(s->g, x->type, 1))
				: put1(s, "Sign", x);
	return true;
}

/* Beyond the greatest finite float, on the sides that count. */
bool convert_isinf(struct site *s, const char *arg)
{
	const bool below = site_int(s, "detect_negative", 1) != 0,
		   above = site_int(s, "detect_positive", 1) != 0;
	const double huge = 3.4028234663852886e38;
	struct tensor *x = s->in[0];

	(void)arg;
	if (below == above)
		x = put1(s, "Abs", x);
	s->out[0] = above   ? put2(s, "Greater", x, graph_scalar(s->g, DT_F32, huge))
		    : below ? put2(s, "Less", x, graph_scalar(s->g, DT_F32, -huge))
			    : put2(s, "Less", x, graph_scalar(s->g, DT_F32, 0.0));
	return true;
}

bool convert_clip(struct site *s, const char *arg)
{
	const bool attributes = strcmp(arg, "attributes") == 0;
	const double huge = 3.4028234663852886e38;
	struct tensor *y = s->in[0], *bound[2];

	for (int k = 0; k < 2; k++) {
		const double v = site_float(s, k == 0 ? "min" : "max", k == 0 ? -huge : huge);

		bound[k] = k + 1 < s->nin ? s->in[k + 1] : NULL;
		if (attributes && (k == 0 ? v > -huge : v < huge))
			bound[k] = graph_scalar(s->g, y->type, v);
	}
	if (bound[0] != NULL)
		y = put2(s, "Max", y, bound[0]);
	if (bound[1] != NULL)
		y = put2(s, "Min", y, bound[1]);
	s->out[0] = y;
	return true;
}

/* Up to opset 6 the slope is [C] or of one element; broadcast as numpy does since, but MXNet (IR
 * version 3) went on to write [C]. */
bool convert_prelu(struct site *s, const char *arg)
{
	struct tensor *slope = s->in[1];
	const bool vector = is_const(slope) && slope->shape.rank == 1 &&
			    shape_count(&slope->shape) > 1;

	if (vector && (strcmp(arg, "old") == 0 || site_ir_version(s) <= 3))
		slope = put2(s, "Channel", slope, s->in[0]);
	s->out[0] = put2(s, "PRelu", s->in[0], slope);
	return true;
}

/* ONNX's own, and onnxruntime's with a bias in front. */
bool convert_gelu(struct site *s, const char *arg)
{
	const char *approximate = site_string(s, "approximate", arg);
	struct tensor *x = s->in[0];

	if (s->nin > 1 && s->in[1] != NULL)
		x = put2(s, "Add", x, s->in[1]);
	s->out[0] = put1(s, strcmp(approximate, "tanh") == 0 ? "GeluTanh" : "Gelu", x);
	return true;
}

/* ---- types ---- */

/* ONNX's number of the type that version 1 of Cast names. */
static int64_t type_by_name(const char *name)
{
	static const struct {
		const char *name;
		int onnx;
	} types[] = {
		{ "FLOAT", 1 },
		{ "UINT8", 2 },
		{ "INT8", 3 },
		{ "UINT16", 4 },
		{ "INT16", 5 },
		{ "INT32", 6 },
		{ "INT64", 7 },
		{ "BOOL", 9 },
		{ "FLOAT16", 10 },
		{ "DOUBLE", 11 },
		{ "UINT32", 12 },
		{ "UINT64", 13 },
	};

	for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
		if (strcmp(types[k].name, name) == 0)
			return types[k].onnx;
	return 0;
}

bool convert_cast(struct site *s, const char *arg)
{
	const struct attr *a = site_attr(s, "to");
	const int64_t to = a->kind == ATTR_STRING ? type_by_name(a->s[0]) : a->i[0];
	const enum dtype type = to > 0 && to < 1000 ? dtype_of_onnx((int)to) : DT_NONE;

	(void)arg;
	if (type == DT_NONE)
		return site_error(s, hint_type(payload_type_name(to)), "cast to %s is not supported (element type %lld)",
			payload_type_name(to), (long long)to);
	s->out[0] = put_cast(s, s->in[0], type);
	return true;
}

bool convert_castlike(struct site *s, const char *arg)
{
	(void)arg;
	if (s->in[1]->type == DT_NONE)
		return site_error(s, NULL, "the element type to cast to is not known");
	s->out[0] = put_cast(s, s->in[0], s->in[1]->type);
	return true;
}

/* ---- what vanishes ---- */

bool convert_identity(struct site *s, const char *arg)
{
	(void)arg;
	s->out[0] = s->in[0];
	return true;
}

/* Ones of x's shape. */
static struct tensor *put_ones(struct site *s, struct tensor *x, enum dtype type)
{
	const struct shape one = { .rank = 1, .dim = { 1 } };
	struct tensor *y = put1(s, "ConstantOfShape", put1(s, "Shape", x));
	struct attr *a = arena_alloc(s->g->arena, sizeof(*a));
	struct tensor *value = graph_scalar(s->g, type, 1.0);

	value->shape = one;
	*a = (struct attr){ .name = "value", .kind = ATTR_TENSOR, .n = 1, .tensor = value };
	y->def->attr = a;
	y->def->nattr = 1;
	y->type = y->io_type = type;
	return y;
}

bool convert_dropout(struct site *s, const char *arg)
{
	static const char hint[] = "export the model for inference: model.eval() first";
	const struct tensor *training = s->nin > 2 ? s->in[2] : NULL;

	if (training != NULL && !is_const(training))
		return site_error(s, hint, "whether this Dropout trains is computed at run time");
	if (training != NULL && shape_count(&training->shape) == 1 && const_i64(training, 0) != 0)
		return site_error(s, hint, "this Dropout is in training mode");
	s->out[0] = s->in[0];
	if (s->nout > 1 && s->raw->out[1][0] != '\0')
		s->out[1] = put_ones(
			s, s->in[0], strcmp(arg, "bool") == 0 ? DT_BOOL : s->in[0]->type);
	return true;
}

/* ---- constants ---- */

static struct tensor *list_constant(struct site *s, const struct attr *a)
{
	const bool list = a->kind == ATTR_INTS || a->kind == ATTR_FLOATS || a->kind == ATTR_STRINGS;
	const bool ints = a->kind == ATTR_INTS || a->kind == ATTR_INT;
	const struct shape shape = { .rank = list, .dim = { a->n } };
	const void *data = ints ? (const void *)a->i : (const void *)a->f;

	if (data == NULL) /* an empty list has no type either */
		data = "";
	return graph_constant(
		s->g, NULL, ints ? DT_I64 : DT_F32, &shape, ints ? DT_I64 : DT_F64, data);
}

bool convert_constant(struct site *s, const char *arg)
{
	const struct attr *a = s->nattr == 1 ? &s->attr[0] : NULL;

	(void)arg;
	if (a == NULL)
		return site_error(
			s, NULL, "a Constant must have one attribute, this has %d", s->nattr);
	if (strcmp(a->name, "sparse_value") == 0)
		return site_error(s, "store it as an ordinary (dense) tensor",
			"sparse constants are not supported");
	if (strncmp(a->name, "value_string", 12) == 0)
		return site_error(s, NULL, "strings are not supported");
	if (a->kind != ATTR_TENSOR) {
		s->out[0] = list_constant(s, a);
		return true;
	}
	s->out[0] = graph_constant(s->g, NULL, a->tensor->type, &a->tensor->shape,
		a->tensor->stored, a->tensor->data);
	s->out[0]->bits = a->tensor->bits;
	return true;
}

bool convert_constantofshape(struct site *s, const char *arg)
{
	const struct attr *value = site_attr(s, "value");
	struct tensor *y = put1(s, "ConstantOfShape", s->in[0]);

	(void)arg;
	y->type = y->io_type = value != NULL ? value->tensor->type : DT_F32;
	if (value == NULL)
		return s->out[0] = y, true;
	if (shape_count(&value->tensor->shape) != 1)
		return site_error(s, NULL, "attribute \"value\" must have one element");
	keep_attrs(s, y->def);
	s->out[0] = y;
	return true;
}

/* arg: a, b and c of a + b cos(t) + c cos(2 t), t from 0 to 2 pi over the window. */
bool convert_window(struct site *s, const char *arg)
{
	const int64_t to = site_int(s, "output_datatype", 1);
	const enum dtype type = to > 0 && to < 1000 ? dtype_of_onnx((int)to) : DT_NONE;
	struct tensor *size = s->in[0], *in[3] = { graph_scalar(s->g, size->type, 0.0), size,
						graph_scalar(s->g, size->type, 1.0) };
	struct tensor *t = put_cast(s, site_put(s, "Range", 3, in, 1)->out[0], DT_F32),
		      *steps = put_cast(s, size, DT_F32), *y = NULL;
	char *next = (char *)arg;

	if (type == DT_NONE)
		return site_error(s, hint_type(payload_type_name(to)), "element type %s is not supported", payload_type_name(to));
	if (site_int(s, "periodic", 1) == 0)
		steps = put2(s, "Sub", steps, graph_scalar(s->g, DT_F32, 1.0));
	t = put2(s, "Div", put2(s, "Mul", t, graph_scalar(s->g, DT_F32, 6.283185307179586)), steps);
	for (int k = 0; *next != '\0'; k++) {
		struct tensor *a = graph_scalar(s->g, DT_F32, strtod(next, &next));

		if (k > 0) {
			struct tensor *angle = put2(s, "Mul", t, graph_scalar(s->g, DT_F32, k));

			a = put2(s, "Mul", put1(s, "Cos", angle), a);
		}
		y = y == NULL ? a : put2(s, "Add", y, a);
	}
	s->out[0] = put_cast(s, y, type);
	return true;
}

/* ---- lists that were attributes ---- */

/* arg: the operator, then the attributes that become its second, third .. input. */
bool convert_move(struct site *s, const char *arg)
{
	const size_t len = strcspn(arg, " ");
	const char *op = arena_printf(s->g->arena, "%.*s", (int)len, arg);
	struct tensor *in[4] = { s->in[0] };
	int nin = 1;

	for (const char *p = arg + len; *p == ' ';) {
		const size_t n = strcspn(p + 1, " ");

		in[nin++] = site_ints(s, arena_printf(s->g->arena, "%.*s", (int)n, p + 1));
		p += n + 1;
	}
	if (strcmp(op, "Reshape") == 0 && in[1] == NULL)
		return site_error(s, NULL, "attribute \"shape\" is missing");
	while (nin > 1 && in[nin - 1] == NULL)
		nin--;
	s->out[0] = site_put(s, op, nin, in, 1)->out[0];
	return true;
}

/* arg: the version. Without sizes, num_outputs parts; only from 18 on may the last one be smaller.
 */
bool convert_split(struct site *s, const char *arg)
{
	struct tensor *in[2] = { s->in[0], s->nin > 1 ? s->in[1] : site_ints(s, "split") };
	struct node *n = site_put(s, "Split", in[1] != NULL ? 2 : 1, in, s->nout);
	const int64_t parts = site_int(s, "num_outputs", s->nout);

	if (in[1] == NULL && parts != s->nout)
		return site_error(s, NULL, "num_outputs is %lld, the node has %d outputs",
			(long long)parts, s->nout);
	if (in[1] == NULL)
		set_int(s->g, n, "num_outputs", s->nout);
	if (in[1] == NULL && strcmp(arg, "18") != 0)
		set_int(s->g, n, "equal", 1);
	set_int(s->g, n, "axis", site_int(s, "axis", 0));
	for (int k = 0; k < s->nout; k++)
		s->out[k] = n->out[k];
	return true;
}

bool convert_pad(struct site *s, const char *arg)
{
	struct tensor *in[3] = { s->in[0], site_ints(s, arg),
		graph_scalar(s->g, DT_F32, site_float(s, "value", 0.0)) };
	struct node *n = site_put(s, "Pad", 3, in, 1);

	set_string(s->g, n, "mode", site_string(s, "mode", "constant"));
	s->out[0] = n->out[0];
	return true;
}

/* The places by an operator of its own, and the values that stand there. */
bool convert_topk(struct site *s, const char *arg)
{
	const struct attr *k = site_attr(s, "k");
	struct tensor *in[2] = { s->in[0], k != NULL ? graph_ints(s->g, 1, k->i) : s->in[1] };
	struct node *n = site_put(s, "TopK", 2, in, 1);

	(void)arg;
	set_int(s->g, n, "axis", site_int(s, "axis", -1));
	set_int(s->g, n, "largest", site_int(s, "largest", 1));
	if (s->nout > 1)
		s->out[1] = n->out[0];
	s->out[0] = put2(s, "GatherElements", s->in[0], n->out[0]);
	set_int(s->g, s->out[0]->def, "axis", site_int(s, "axis", -1));
	return true;
}

bool convert_onehot(struct site *s, const char *arg)
{
	convert_same(s, arg);
	s->out[0]->type = s->out[0]->io_type = s->in[2]->type;
	return true;
}

bool convert_bitshift(struct site *s, const char *arg)
{
	const char *direction = site_string(s, "direction", "");
	const bool left = strcmp(direction, "LEFT") == 0;

	(void)arg;
	if (!left && strcmp(direction, "RIGHT") != 0)
		return site_error(s, NULL, "direction is \"%s\", not LEFT or RIGHT",
			escape(s->g->arena, direction));
	s->out[0] = put2(s, left ? "ShiftLeft" : "ShiftRight", s->in[0], s->in[1]);
	return true;
}

/* Its type is that of its input unless dtype says another. */
bool convert_eyelike(struct site *s, const char *arg)
{
	const int64_t onnx = site_int(s, "dtype", 0);
	const enum dtype type = onnx > 0 && onnx < 1000 ? dtype_of_onnx((int)onnx) : DT_NONE;
	struct tensor *y = put1(s, "EyeLike", s->in[0]);

	(void)arg;
	if (onnx != 0 && type == DT_NONE)
		return site_error(s, hint_type(payload_type_name(onnx)), "element type %s is not supported", payload_type_name(onnx));
	set_int(s->g, y->def, "k", site_int(s, "k", 0));
	if (onnx != 0) {
		y->type = y->io_type = dtypes[type].is_float ? DT_F32 : type;
		set_int(s->g, y->def, "to", y->type);
	}
	s->out[0] = y;
	return true;
}

/* ---- control ---- */

/* The branch in that attribute, inlined: its outputs become the node's. */
static bool inline_branch(struct site *s, const char *name)
{
	for (int k = 0; k < s->raw->nattr; k++)
		if (strcmp(s->raw->attr[k].name, name) == 0 && s->raw->graph[k] != NULL)
			return site_inline(s, s->raw->graph[k]);
	return site_error(s, NULL, "attribute \"%s\" has no graph", name);
}

/* A branch computes and does nothing else, not even trap: where the condition is not known both are
 * there, and each output is chosen. */
bool convert_if(struct site *s, const char *arg)
{
	const size_t size = (size_t)s->nout * sizeof(struct tensor *);
	struct tensor *in[3] = { s->in[0] }, **then = arena_alloc(s->g->arena, size);

	(void)arg;
	if (is_const(in[0]) && shape_count(&in[0]->shape) == 1)
		return inline_branch(s, const_i64(in[0], 0) != 0 ? "then_branch" : "else_branch");
	if (!inline_branch(s, "then_branch"))
		return false;
	memcpy(then, s->out, size);
	if (!inline_branch(s, "else_branch"))
		return false;
	for (int k = 0; k < s->nout; k++) {
		in[1] = then[k];
		in[2] = s->out[k];
		s->out[k] = site_put(s, "If", 3, in, 1)->out[0];
		if (in[1] != NULL)
			s->out[k]->type = s->out[k]->io_type = in[1]->type;
	}
	return true;
}
