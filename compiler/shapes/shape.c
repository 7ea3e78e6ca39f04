/*
 * Shapes of everything, in one sweep in graph order. What is computed of shapes is folded on the
 * way, so that arguments such as Reshape's second input are constants by the time they are needed;
 * then they become static attributes (the list is in ops.def). Here: the sweep, what the rules
 * share, and the rules of elementwise operators and of those that compute with shapes.
 */
#include "fold/fold.h"
#include "shapes/shape.h"

#include <math.h>
#include <string.h>

enum { MAX_LIST = 65536 }; /* integers of one argument */

/* ---- what the rules share ---- */

bool has_input(const struct node *n, int k)
{
	return k < n->nin && n->in[k] != NULL;
}

bool give(struct graph *g, struct node *n, int k, enum dtype type, const struct shape *s)
{
	struct tensor *t = n->out[k];
	int64_t count = 1;

	for (int i = 0; i < s->rank; i++) {
		if (s->dim[i] < 0 || s->dim[i] > MAX_ELEMENTS)
			count = MAX_ELEMENTS + (int64_t)1;
		else if (count <= MAX_ELEMENTS && s->dim[i] > 0)
			count *= s->dim[i];
	}
	if (count > MAX_ELEMENTS) {
		node_error(g, n, "no tensor may have more than 2^31-1 elements",
			"its output would be %s", shape_text(g->arena, s));
		return false;
	}
	t->type = type;
	if (t->io_type == DT_NONE)
		t->io_type = type;
	t->shape = *s;
	t->known = true;
	return true;
}

bool broadcast(struct shape *s, const struct shape *t)
{
	struct shape r = s->rank > t->rank ? *s : *t;

	for (int k = 1; k <= s->rank && k <= t->rank; k++) {
		int64_t a = s->dim[s->rank - k], b = t->dim[t->rank - k];

		if (a != b && a != 1 && b != 1)
			return false;
		r.dim[r.rank - k] = a == 1 ? b : a;
	}
	*s = r;
	return true;
}

struct node *place(
	struct graph *g, const struct node *n, const char *op, int nin, struct tensor *const *in)
{
	return graph_node(g, (struct node *)n, op_find(op), nin, in, 1, n->prov);
}

/* Part of a computation with shapes: small, or not of floats. Big float constants wait for fold().
 */
static bool is_arithmetic(const struct node *n)
{
	const struct tensor *t = n->out[0];

	/* of weights: integers() wants them as they are */
	if (n->dead || n->op->eval == NULL || !t->known || !constant_inputs(n) || is_op(n, "Dequantize"))
		return false;
	if (t->type != DT_F32)
		return true;
	for (int k = 0; k < n->nin; k++)
		if (n->in[k] != NULL && shape_count(&n->in[k]->shape) > LAZY_COUNT)
			return false;
	return shape_count(&t->shape) <= LAZY_COUNT;
}

struct tensor *settle(struct graph *g, struct node *n)
{
	struct tensor *t = n->out[0];

	if (!infer(g, n))
		return NULL;
	if (is_arithmetic(n))
		evaluate(g, n);
	return t;
}

struct tensor *op1(struct graph *g, const struct node *n, const char *op, struct tensor *x)
{
	return x != NULL ? settle(g, place(g, n, op, 1, &x)) : NULL;
}

struct tensor *op2(struct graph *g, const struct node *n, const char *op, struct tensor *x,
	struct tensor *y)
{
	struct tensor *in[2] = { x, y };

	return x != NULL && y != NULL ? settle(g, place(g, n, op, 2, in)) : NULL;
}

struct tensor *chosen(struct graph *g, const struct node *n, struct tensor *condition,
	struct tensor *x, struct tensor *y)
{
	struct tensor *in[3] = { condition, x, y };

	return condition != NULL && x != NULL && y != NULL ? settle(g, place(g, n, "Where", 3, in))
							   : NULL;
}

/* What is the caller's at both ends, or a constant that is an output, needs a copy. */
bool become(struct graph *g, struct node *n, int k, struct tensor *t)
{
	struct tensor *out = n->out[k];

	if (t == NULL)
		return false;
	if (out->is_output && (t->is_input || t->is_output || is_const(t))) {
		struct tensor *copy = reshaped(g, n, t, &t->shape);

		if (copy == NULL)
			return false;
		copy->name = out->name;
		copy->io_type = out->io_type;
		t = copy;
	}
	tensor_replace(g, out, t);
	return true;
}

bool replace(struct graph *g, struct node *n, struct tensor *t)
{
	if (!become(g, n, 0, t))
		return false;
	node_remove(g, n);
	return true;
}

const int64_t *int_argument(struct graph *g, struct node *n, int k, const char *what, int *count)
{
	const struct tensor *t = n->in[k];
	int64_t c;

	if (!is_const(t)) {
		node_error(g, n,
			"it must follow from the shapes of the inputs alone; export the model with "
			"fixed sizes",
			"its %s is computed at run time", what);
		return NULL;
	}
	c = shape_count(&t->shape);
	if (dtypes[t->type].is_float || t->type == DT_BOOL || t->shape.rank > 1 || c > MAX_LIST) {
		node_error(g, n, "a list of integers is needed", "its %s is %s%s", what,
			dtypes[t->type].name, shape_text(g->arena, &t->shape));
		return NULL;
	}
	*count = (int)c;
	return tensor_i64(g->arena, t);
}

bool list_argument(
	struct graph *g, struct node *n, int k, const char *what, const int64_t **list, int *count)
{
	if (has_input(n, k)) {
		*list = int_argument(g, n, k, what, count);
		return *list != NULL;
	}
	*list = attr_ints(n, what, count);
	return true;
}

bool float_inputs(struct graph *g, struct node *n)
{
	for (int k = 0; k < n->nin; k++) {
		if (n->in[k] == NULL || n->in[k]->type == DT_F32)
			continue;
		node_error(g, n, "this operator is compiled for floating-point tensors only",
			"input %d is %s", k, dtypes[n->in[k]->type].name);
		return false;
	}
	return true;
}

bool has_room(struct graph *g, struct node *n, int rank)
{
	if (rank > MAX_RANK)
		node_error(g, n, NULL, "%d dimensions; skipc has at most %d", rank, MAX_RANK);
	return rank <= MAX_RANK;
}

bool layer_type(struct graph *g, struct node *n, enum dtype *type)
{
	const int64_t to = attr_int(n, "to", DT_I32);

	*type = DT_F32;
	if (!is_a(n, IS_EXACT))
		return float_inputs(g, n);
	for (int k = 0; k < n->nin; k++) {
		if (n->in[k] == NULL || (!dtypes[n->in[k]->type].is_float && n->in[k]->type != DT_BOOL))
			continue;
		node_error(g, n, NULL, "input %d is %s, not integers", k, dtypes[n->in[k]->type].name);
		return false;
	}
	if (to != DT_I32 && to != DT_I64) {
		node_error(g, n, NULL, "its sums are i32 or i64");
		return false;
	}
	*type = (enum dtype)to;
	return true;
}

bool axis_of(struct graph *g, struct node *n, int64_t axis, int rank, int *k)
{
	if (axis < -(int64_t)rank || axis >= rank) {
		node_error(g, n, "axes count from 0, or from -1 at the end",
			"axis %lld of a tensor with %d dimensions", (long long)axis, rank);
		return false;
	}
	*k = (int)(axis < 0 ? axis + rank : axis);
	return true;
}

bool axes_of(struct graph *g, struct node *n, const int64_t *list, int count, int rank, bool once, bool *flag)
{
	for (int i = 0; i < count; i++) {
		int k;

		if (!axis_of(g, n, list[i], rank, &k))
			return false;
		if (once && flag[k]) {
			node_error(g, n, NULL, "axis %d is listed twice", k);
			return false;
		}
		flag[k] = true;
	}
	return true;
}

/* ---- elementwise ---- */

static bool has_type(const struct op *op, enum dtype type)
{
	return strchr(op->types, type == DT_BOOL ? 'b' : dtypes[type].is_float ? 'f' : 'i') != NULL;
}

static bool operand_types(struct graph *g, struct node *n)
{
	bool where = is_op(n, "Where");
	const struct tensor *x = n->in[where ? 1 : 0], *last = n->in[n->nin - 1];
	enum dtype type = last->type;

	if (where && n->in[0]->type != DT_BOOL) {
		node_error(
			g, n, NULL, "the condition is %s, not bool", dtypes[n->in[0]->type].name);
		return false;
	}
	if (x->type != type && n->op->result != RESULT_FIRST && !is_a(n, IS_SINGLE)) {
		node_error(g, n, "a Cast is missing in the model",
			"its inputs are of different types, %s and %s", dtypes[x->type].name,
			dtypes[type].name);
		return false;
	}
	if (!has_type(n->op, type)) {
		node_error(g, n, NULL, "it is not defined for %s", dtypes[type].name);
		return false;
	}
	return true;
}

/* The type of a Cast. Float types are one inside the graph; `to` keeps what rounds: f16, bf16. */
static bool cast_type(struct graph *g, struct node *n, enum dtype *type)
{
	int64_t to = attr_int(n, "to", DT_NONE);

	if (to <= DT_NONE || to >= DT_COUNT) {
		node_error(g, n, NULL, "it has no type to cast to");
		return false;
	}
	*type = dtypes[to].is_float ? DT_F32 : (enum dtype)to;
	if (to == DT_F64)
		set_int(g, n, "to", DT_F32);
	return true;
}

static const char *broadcast_hint(const struct shape *x, const struct shape *y)
{
	const struct shape *v = x->rank < y->rank ? x : y, *t = x->rank < y->rank ? y : x;

	if (v->rank == 1 && t->rank > 2 && t->dim[1] == v->dim[0])
		return "shapes are aligned at the last dimension; a value a channel has shape "
		       "[C,1,1]";
	return "shapes are aligned at the last dimension; two dimensions must be equal, or one of "
	       "them 1";
}

bool shape_elementwise(struct graph *g, struct node *n)
{
	struct shape s = n->in[0]->shape;
	const enum op_result result = n->op->result;
	enum dtype type = n->in[result == RESULT_FIRST ? 0 : n->nin - 1]->type;

	if (!operand_types(g, n) || (result == RESULT_CAST && !cast_type(g, n, &type)))
		return false;
	for (int k = 1; k < n->nin; k++) {
		const struct shape *t = &n->in[k]->shape;

		if (!broadcast(&s, t)) {
			node_error(g, n, broadcast_hint(&s, t),
				"the shapes %s and %s do not go together", shape_text(g->arena, &s),
				shape_text(g->arena, t));
			return false;
		}
	}
	return give(g, n, 0, result == RESULT_TEST ? DT_BOOL : type, &s);
}

bool shape_identity(struct graph *g, struct node *n)
{
	return replace(g, n, n->in[0]);
}

/* ---- computing with shapes ---- */

bool shape_shape(struct graph *g, struct node *n)
{
	const struct shape *s = &n->in[0]->shape;
	int64_t start = attr_int(n, "start", 0), end = attr_int(n, "end", s->rank);

	start = start < 0 ? start + s->rank : start;
	end = end < 0 ? end + s->rank : end;
	start = start < 0 ? 0 : start > s->rank ? s->rank : start;
	end = end < start ? start : end > s->rank ? s->rank : end;
	return replace(g, n, graph_ints(g, (int)(end - start), s->dim + start));
}

bool shape_size(struct graph *g, struct node *n)
{
	const struct shape scalar = { .rank = 0 };
	int64_t *v = arena_alloc(g->arena, sizeof(*v));

	*v = shape_count(&n->in[0]->shape);
	return replace(g, n, graph_constant(g, NULL, DT_I64, &scalar, DT_I64, v));
}

bool shape_constantofshape(struct graph *g, struct node *n)
{
	const struct attr *value = node_attr(n, "value");
	struct shape s = { .rank = 0 };
	int count;
	const int64_t *dim = int_argument(g, n, 0, "shape", &count);

	if (dim == NULL || !has_room(g, n, count))
		return false;
	if (value != NULL &&
		(value->kind != ATTR_TENSOR || shape_count(&value->tensor->shape) != 1)) {
		node_error(g, n, NULL, "its value is not one element");
		return false;
	}
	s.rank = count;
	memcpy(s.dim, dim, (size_t)count * sizeof(*dim));
	return give(g, n, 0, value != NULL ? value->tensor->type : DT_F32, &s);
}

bool shape_range(struct graph *g, struct node *n)
{
	struct shape s = { .rank = 1 };
	double v[3], count;

	for (int k = 0; k < 3; k++) {
		if (!is_const(n->in[k]) || shape_count(&n->in[k]->shape) != 1 ||
			n->in[k]->type != n->in[0]->type) {
			node_error(g, n,
				"start, limit and delta must follow from the shapes of the inputs "
				"alone",
				"its arguments are not three constants of one type");
			return false;
		}
		v[k] = const_f64(n->in[k], 0);
	}
	count = ceil((v[1] - v[0]) / v[2]);
	if (!(v[2] < 0 || v[2] > 0) || !(count <= MAX_FOLDED)) {
		node_error(g, n, NULL, "Range(%g, %g, %g) is not a list of a sensible length", v[0],
			v[1], v[2]);
		return false;
	}
	s.dim[0] = count > 0 ? (int64_t)count : 0;
	return give(g, n, 0, n->in[0]->type, &s);
}

bool shape_nonzero(struct graph *g, struct node *n)
{
	const struct tensor *x = n->in[0];
	int64_t total = shape_count(&x->shape), count = 0, at = 0;
	struct walk w;
	int64_t *index;

	if (!is_const(x) || total > MAX_FOLDED) {
		node_error(g, n,
			"the shape of its result depends on values; only constants have one known "
			"now",
			"NonZero of a tensor that is computed at run time");
		return false;
	}
	for (int64_t k = 0; k < total; k++)
		count += const_f64(x, k) != 0.0;
	index = arena_alloc(g->arena, (size_t)(count * x->shape.rank + 1) * sizeof(*index));
	walk_start(&w, &x->shape);
	for (int64_t k = 0; k < total; k++, walk_next(&w)) {
		if (const_f64(x, k) == 0.0)
			continue;
		for (int i = 0; i < x->shape.rank; i++)
			index[i * count + at] = w.index[i];
		at++;
	}
	const struct shape s = { .rank = 2, .dim = { x->shape.rank, count } };

	return replace(g, n, graph_constant(g, NULL, DT_I64, &s, DT_I64, index));
}

/* ---- the sweep ---- */

static bool is_sequence(const struct tensor *t)
{
	return t->def != NULL && t->def->op->shape == shape_sequence;
}

/* Outputs at the end that nobody reads are dropped; no other output than the first is computed, but
 * for operators that become others. */
static bool trim_outputs(struct graph *g, struct node *n)
{
	if (n->op->shape == shape_split || n->op->shape == shape_attention)
		return true;
	while (n->nout > 1 && n->out[n->nout - 1]->nuser == 0 && !n->out[n->nout - 1]->is_output)
		n->nout--;
	if (n->nout > 1)
		node_error(g, n, "only the first output of this operator is compiled",
			"its output %d is used", n->nout);
	return n->nout <= 1;
}

/* What has no elements is a constant, whatever it is computed from. */
static void settle_empty(struct graph *g, struct node *n)
{
	struct tensor *t = n->out[0];

	t->data = "";
	t->stored = t->type;
	t->def = NULL;
	n->nout = 0;
	node_remove(g, n);
}

/* Of operators that are not evaluated: a window over nothing, the greatest of nothing. */
static bool reads_empty(struct graph *g, const struct node *n)
{
	for (int k = 0; k < n->nin; k++) {
		if (n->in[k] == NULL || !n->in[k]->known || shape_count(&n->in[k]->shape) > 0)
			continue;
		node_error(g, n, "check the sizes of the inputs, and the bounds of slices and pads",
			"its input %d is an empty tensor, %s", k,
			shape_text(g->arena, &n->in[k]->shape));
		return true;
	}
	return false;
}

bool infer(struct graph *g, struct node *n)
{
	if (n->nout < 1 || n->nin < n->op->min_in ||
		(n->op->max_in >= 0 && n->nin > n->op->max_in)) {
		node_error(g, n, NULL, "it has %d inputs and %d outputs", n->nin, n->nout);
		return false;
	}
	for (int k = 0; k < n->nin; k++) {
		const struct tensor *t = n->in[k];

		if (t == NULL && (k < n->op->min_in || n->op->max_in < 0)) {
			node_error(g, n, NULL, "its input %d is missing", k);
			return false;
		}
		if (t != NULL && is_sequence(t) && n->op->shape != shape_sequenceat &&
			n->op->shape != shape_concatfromsequence) {
			node_error(g, n,
				"of sequences skipc has SplitToSequence and SequenceConstruct, then "
				"SequenceAt with constant positions or ConcatFromSequence",
				"its input %d is a sequence", k);
			return false;
		}
		if (t != NULL && !t->known && !is_sequence(t))
			return false;
	}
	if (n->op->class == OP_CONSTANT && !constant_inputs(n)) {
		node_error(g, n,
			"its inputs would have to follow from constants and from the shapes of the "
			"inputs alone",
			"it is compiled for constants only");
		return false;
	}
	if (!trim_outputs(g, n) || !n->op->shape(g, n))
		return false;
	if (n->dead || !n->out[0]->known)
		return true;
	if (shape_count(&n->out[0]->shape) == 0)
		settle_empty(g, n);
	else if (n->op->class == OP_ANCHOR && n->op->eval == NULL && reads_empty(g, n))
		return false;
	else
		mark_lazy(g, n);
	return true;
}

static void check_outputs(struct graph *g)
{
	for (int k = 0; k < g->noutput; k++)
		if (g->output[k]->known && shape_count(&g->output[k]->shape) == 0)
			model_error(g->diag,
				"check the sizes of the inputs, and the bounds of slices and pads",
				"output \"%s\" is an empty tensor, %s",
				escape(g->arena, g->output[k]->name),
				shape_text(g->arena, &g->output[k]->shape));
}

static void check_known(struct graph *g)
{
	for (struct node *n = g->first; n != NULL; n = n->next)
		for (int k = 0; k < n->nout; k++)
			if (!n->out[k]->known)
				node_error(
					g, n, NULL, "the shape of its output %d is not known", k);
}

void shapes(struct graph *g)
{
	int errors = g->diag->errors;

	graph_sweep(g);
	for (int k = 0; k < g->ninput; k++)
		if (g->input[k]->known && shape_count(&g->input[k]->shape) == 0)
			model_error(g->diag, "every dimension of an input must be at least 1",
				"input \"%s\" is empty: %s", escape(g->arena, g->input[k]->name),
				shape_text(g->arena, &g->input[k]->shape));
	for (struct node *n = g->first, *next; n != NULL; n = next) {
		next = n->next;
		settle(g, n);
	}
	if (g->diag->errors != errors)
		return;
	graph_sweep(g);
	check_known(g);
	check_outputs(g);
}
