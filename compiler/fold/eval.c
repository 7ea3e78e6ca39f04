/*
 * Constant nodes become constants. Floating point is evaluated in double, integers exactly in
 * int64_t. What is big and cheap (elementwise and views of weights) stays a node, a lazy constant,
 * and is evaluated when it is packed: the weights of a network never stand in memory as doubles all
 * at once.
 */
#include "fold/fold.h"
#include "shapes/shape.h"

#include <math.h>
#include <string.h>

enum { MAX_LAZY = 16 }; /* nodes of one lazy constant: bounds recursion and time */

/* What evaluation may make and read, in bytes of doubles: so much, and so much for each byte of
 * constants that the model brings. */
enum { BUDGET = 256 << 20, BUDGET_FACTOR = 64 };

static int64_t left_of_budget(struct graph *g)
{
	for (int k = 0; g->budget == 0 && k < g->ntensor; k++)
		if (is_const(g->tensors[k]))
			g->folded -= BUDGET_FACTOR * dtypes[g->tensors[k]->stored].size *
				     shape_count(&g->tensors[k]->shape);
	g->budget = BUDGET;
	return g->budget - g->folded;
}

/* ---- which constants are lazy ---- */

bool constant_inputs(const struct node *n)
{
	for (int k = 0; k < n->nin; k++)
		if (n->in[k] != NULL && !is_const(n->in[k]) && !is_lazy_const(n->in[k]))
			return false;
	return true;
}

/* It only renames the elements of its input, which stay where they are. */
static bool shares_data(const struct node *n)
{
	return n->op->eval == eval_copy && is_const(n->in[0]);
}

static bool run(struct graph *g, const struct node *n, struct arena *to, struct tensor *result);
static bool evaluate_now(struct graph *g, struct node *n);

/* Nodes of the lazy constants that n reads, each counted once for every way to it. */
static int count_lazy(const struct node *n)
{
	int nodes = 0;

	for (int k = 0; k < n->nin; k++)
		if (is_lazy_const(n->in[k]) && nodes <= MAX_LAZY)
			nodes += n->in[k]->lazy;
	return nodes;
}

static int64_t made_of(const struct node *n)
{
	int64_t count = 0;

	for (int k = 0; k < n->nin; k++)
		if (is_const(n->in[k]))
			count += shape_count(&n->in[k]->shape);
		else if (is_lazy_const(n->in[k]))
			count += n->in[k]->made_of;
	return count;
}

void mark_lazy(struct graph *g, struct node *n)
{
	struct tensor *t = n->out[0];
	bool cheap = n->op->class == OP_ELEMENTWISE || n->op->class == OP_VIEW;

	const bool before = t->lazy > 0;
	const int64_t count = shape_count(&t->shape);

	t->lazy = 0;
	t->made_of = made_of(n);
	if (!cheap || n->op->eval == NULL || t->type != DT_F32 || n->nin == 0 ||
		!constant_inputs(n) || count <= LAZY_COUNT)
		return;
	/* what is much larger than what it is made of is made by the model */
	if (!before && ((count > 2 * t->made_of && count > MAX_FOLDED) || 8 * count > left_of_budget(g)))
		return;
	g->folded += before ? 0 : 8 * count;
	for (int k = 0; k < n->nin && count_lazy(n) >= MAX_LAZY; k++)
		if (is_lazy_const(n->in[k]) && !evaluate_now(g, n->in[k]->def))
			return;
	t->lazy = 1 + count_lazy(n);
}

/* ---- running an eval function ---- */

/*
 * The eval functions see a node whose inputs have data and whose output gets data in g->arena. Here
 * that is a copy, in which lazy inputs are evaluated and the arena is the one that the result shall
 * live in.
 */
static bool run(struct graph *g, const struct node *n, struct arena *to, struct tensor *result)
{
	struct arena scratch = { 0 };
	struct graph where = *g;
	struct node copy = *n;
	bool ok;

	where.arena = to;
	copy.in = arena_alloc(&scratch, (size_t)(n->nin + 1) * sizeof(struct tensor *));
	copy.out = &result;
	copy.nout = 1;
	*result = *n->out[0];
	for (int k = 0; k < n->nin; k++) {
		struct tensor *t = n->in[k];

		if (is_lazy_const(t)) {
			t = arena_alloc(&scratch, sizeof(*t));
			*t = *n->in[k];
			/* what renames its input keeps that alive */
			t->data = lazy_f64(n->op->eval == eval_copy ? to : &scratch, g, n->in[k]);
			t->stored = DT_F64;
		}
		copy.in[k] = t;
	}
	ok = n->op->eval(&where, &copy);
	arena_release(&scratch);
	return ok;
}

double *lazy_f64(struct arena *scratch, struct graph *g, const struct tensor *t)
{
	struct tensor result;

	if (is_const(t))
		return tensor_f64(scratch, t);
	if (!is_lazy_const(t) || !run(g, t->def, scratch, &result))
		die("%s is no constant", t->name);
	if (result.stored != DT_F64 || shares_data(t->def))
		return tensor_f64(scratch, &result);
	return (double *)result.data;
}

/* Bytes that the evaluation will take, or stands for in time: each node of a lazy input takes as long as the
 * node itself. What only moves elements reads no more than it makes. */
static int64_t cost(const struct node *n)
{
	int64_t count = shape_count(&n->out[0]->shape), factor = 1;

	if (shares_data(n))
		return 0;
	for (int k = 0; k < n->nin; k++)
		if (is_lazy_const(n->in[k]) || (n->in[k] != NULL && n->op->class != OP_VIEW))
			count += shape_count(&n->in[k]->shape) * (1 + n->in[k]->lazy);
	if (n->op->eval == eval_conv)
		factor = shape_count(&n->in[1]->shape) / (n->in[1]->shape.dim[0] + 1) + 1;
	if (n->op->eval == eval_matmul && n->in[0]->shape.rank > 0)
		factor = n->in[0]->shape.dim[n->in[0]->shape.rank - 1];
	return factor / 4 > INT64_MAX / 2 / (8 * count + 8) ? INT64_MAX / 2
							   : 8 * count * (1 + factor / 4);
}

static bool evaluate_now(struct graph *g, struct node *n)
{
	struct tensor result, *t = n->out[0];
	int64_t bytes = cost(n);

	if (bytes > left_of_budget(g) ||
		(!shares_data(n) && shape_count(&t->shape) > MAX_FOLDED) ||
		!run(g, n, g->arena, &result))
		return false;
	g->folded += bytes;
	t->data = result.data;
	t->stored = result.stored;
	t->def = NULL;
	t->lazy = 0;
	n->nout = 0;
	node_remove(g, n);
	return true;
}

bool evaluate(struct graph *g, struct node *n)
{
	if (n->dead || n->op->eval == NULL || n->nout != 1 || !n->out[0]->known ||
		!constant_inputs(n))
		return false;
	mark_lazy(g, n);
	if (n->out[0]->lazy > 0 && !n->out[0]->is_output && !shares_data(n))
		return true;
	return evaluate_now(g, n);
}

/* ---- elementwise ---- */

/* Integers, and bools as bytes. */
static bool store_integers(struct graph *g, struct node *n, const int64_t *v)
{
	int64_t count = shape_count(&n->out[0]->shape), *to;
	enum dtype type = n->out[0]->type;

	if (type == DT_BOOL) {
		uint8_t *byte = store_room(g, n, 1);

		for (int64_t k = 0; k < count; k++)
			byte[k] = v[k] != 0;
		return store(n, DT_BOOL, byte);
	}
	to = store_i64(g, n);
	for (int64_t k = 0; k < count; k++)
		to[k] = narrow(v[k], type);
	return true;
}

/* Has it elements of 2^63 and more? Here they are negative. */
static bool has_huge(const struct node *n)
{
	for (int i = 0; i < n->nin; i++) {
		const struct tensor *t = n->in[i];

		for (int64_t k = 0; t->type == DT_U64 && k < shape_count(&t->shape); k++)
			if (const_i64(t, k) < 0)
				return true;
	}
	return false;
}

/* What asks of huge numbers which is greater, divides or halves is computed at run time. */
static bool integer_elementwise(struct graph *g, struct node *n)
{
	int64_t count = shape_count(&n->out[0]->shape), *in[MAX_EXPR_IN] = { NULL }, *v;
	struct arena scratch = { 0 };
	const struct program *p = expr_compile(&scratch, n->op, n);
	struct walk w;

	if (!expr_is_modular(p) && has_huge(n)) {
		arena_release(&scratch);
		return false;
	}
	walk_start(&w, &n->out[0]->shape);
	for (int k = 0; k < n->nin; k++) {
		walk_broadcast(&w, k, &n->in[k]->shape);
		in[k] = tensor_i64(&scratch, n->in[k]);
	}
	v = arena_alloc(&scratch, (size_t)(count + 1) * sizeof(*v));
	for (int64_t i = 0; i < count; i++, walk_next(&w)) {
		int64_t x[MAX_EXPR_IN] = { 0 };

		for (int k = 0; k < n->nin; k++)
			x[k] = in[k][w.at[k]];
		v[i] = expr_run_whole(p, x);
	}
	store_integers(g, n, v);
	arena_release(&scratch);
	return true;
}

/* Where a tiny difference becomes a whole one, the float that a runtime would have had decides. */
static bool is_step(const struct node *n)
{
	return n->op->result == RESULT_TEST || is_a(n, IS_STEP) ||
	       (n->op->result == RESULT_CAST && !dtypes[n->out[0]->type].is_float);
}

/* v with so many bits of fraction and exponents from low on, ties to even; as f16 and bf16 have it.
 */
static double rounded(double v, int bits, int low, double most)
{
	int exponent;
	double unit;

	if (v == 0.0 || !(v - v == 0.0))
		return v;
	frexp(v, &exponent);
	unit = ldexp(1.0, (exponent > low ? exponent : low) - bits);
	v = v / unit;
	v = (v - remainder(v, 1.0)) * unit;
	return v > most ? INFINITY : v < -most ? -INFINITY : v;
}

/* To an integer type, as generated code has it (templates/c/cast_i32.c): towards zero; out of range
 * of int32 (int64, where the type is large) and NaN, the least; narrow() takes the low bits. */
static int64_t truncated(double v, enum dtype type)
{
	const bool large = type == DT_I64 || type == DT_U64 || type == DT_U32;
	const double limit = large ? 9223372036854775808.0 : 2147483648.0;

	if (type == DT_U64 && v >= limit && v < 2.0 * limit)
		return (int64_t)(uint64_t)v;
	if (!(v >= -limit && v < limit))
		return large ? INT64_MIN : INT32_MIN;
	return (int64_t)v;
}

static bool store_floats(struct graph *g, struct node *n, double *v)
{
	int64_t count = shape_count(&n->out[0]->shape),
		to = is_op(n, "Cast") ? attr_int(n, "to", DT_F32) : DT_F32;
	bool is_bool = n->out[0]->type == DT_BOOL;
	struct arena scratch = { 0 };
	int64_t *integer;

	if (n->out[0]->type == DT_F32) {
		double *out = store_f64(g, n);

		for (int64_t k = 0; k < count; k++)
			out[k] = to == DT_F16    ? rounded(v[k], 11, -13, 65504.0)
				 : to == DT_BF16 ? rounded(v[k], 8, -125, 3.3895313892515355e38)
						 : v[k];
		return true;
	}
	integer = arena_alloc(&scratch, (size_t)(count + 1) * sizeof(*integer));
	for (int64_t k = 0; k < count; k++)
		integer[k] = is_bool ? v[k] != 0.0 : truncated(v[k], n->out[0]->type);
	store_integers(g, n, integer);
	arena_release(&scratch);
	return true;
}

bool eval_elementwise(struct graph *g, struct node *n)
{
	bool floats = dtypes[n->out[0]->type].is_float, single = is_a(n, IS_SINGLE), step = single || is_step(n);
	const int nin = n->nin;
	int64_t count = shape_count(&n->out[0]->shape);
	struct arena scratch = { 0 };
	double *in[MAX_EXPR_IN] = { NULL }, *v;
	struct walk w;

	for (int k = 0; k < nin; k++)
		floats = floats || dtypes[n->in[k]->type].is_float;
	if (!floats)
		return integer_elementwise(g, n);
	walk_start(&w, &n->out[0]->shape);
	for (int k = 0; k < nin; k++) {
		walk_broadcast(&w, k, &n->in[k]->shape);
		in[k] = tensor_f64(&scratch, n->in[k]);
	}
	v = arena_alloc(&scratch, (size_t)(count + 1) * sizeof(*v));
	const struct program *p = expr_compile(&scratch, n->op, n);

	for (int64_t i = 0; i < count; i++, walk_next(&w)) {
		double x[MAX_EXPR_IN] = { 0 };

		for (int k = 0; k < nin; k++)
			x[k] = step ? (double)(float)in[k][w.at[k]] : in[k][w.at[k]];
		v[i] = single ? expr_run_single(p, x) : expr_run(p, x);
	}
	store_floats(g, n, v);
	arena_release(&scratch);
	return true;
}
