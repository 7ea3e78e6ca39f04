/*
 * Shape rules of Attention and RotaryEmbedding (opsets 23 to 25), which become MatMul, Softmax and
 * what lies between. Heads that share keys and values are a dimension of their own, over which
 * those broadcast: nothing is repeated.
 */
#include "shapes/shape.h"

#include <math.h>

enum { QUERY, KEY, VALUE, MASK, PAST_KEY, PAST_VALUE, NONPAD };

/* ---- pieces ---- */

static struct tensor *number(struct graph *g, double v)
{
	return graph_scalar(g, DT_F32, v);
}

static struct tensor *integer(struct graph *g, int64_t v)
{
	return graph_scalar(g, DT_I64, (double)v);
}

/* [a,b,c,d] -> [a,c,b,d] */
static struct tensor *exchanged(struct graph *g, const struct node *n, struct tensor *x)
{
	static const int64_t perm[4] = { 0, 2, 1, 3 };

	return transposed(g, n, x, 4, perm);
}

static struct tensor *shaped(
	struct graph *g, const struct node *n, struct tensor *x, int rank, const int64_t *dim)
{
	struct shape s = { .rank = rank };

	for (int k = 0; k < rank; k++)
		s.dim[k] = dim[k];
	return x != NULL ? reshaped(g, n, x, &s) : NULL;
}

/* ---- heads ---- */

/* Input k as [batch,heads,length,size]; of rank 3 it is [batch,length,heads*size]. */
static struct tensor *by_head(struct graph *g, struct node *n, int k, const char *heads)
{
	struct tensor *x = n->in[k];
	const int64_t count = attr_int(n, heads, 0), *d = x->shape.dim;

	if (x->shape.rank == 4 && n->in[0]->shape.rank == 4)
		return x;
	if (x->shape.rank != 3 || n->in[0]->shape.rank != 3 || count < 1 || d[2] % count != 0) {
		node_error(g, n,
			"inputs are all [batch,heads,length,size], or all "
			"[batch,length,heads*size] "
			"with the number of heads in an attribute",
			"input %d is %s, with %s %lld", k, shape_text(g->arena, &x->shape), heads,
			(long long)count);
		return NULL;
	}
	return exchanged(g, n, shaped(g, n, x, 4, (int64_t[]){ d[0], d[1], count, d[2] / count }));
}

/* The way back, to the rank of the inputs. */
static struct tensor *to_input_rank(struct graph *g, const struct node *n, struct tensor *y)
{
	if (y == NULL || n->in[0]->shape.rank == 4)
		return y;
	const int64_t *d = y->shape.dim;

	return shaped(g, n, exchanged(g, n, y), 3, (int64_t[]){ d[0], d[2], d[1] * d[3] });
}

/* Heads in groups that share keys and values: [batch,groups,heads of a group,..]. */
static struct tensor *by_groups(
	struct graph *g, const struct node *n, struct tensor *x, int64_t groups)
{
	const int64_t *d = x->shape.dim;

	return shaped(g, n, x, 5, (int64_t[]){ d[0], groups, d[1] / groups, d[2], d[3] });
}

/* x times y, or times y with its last two dimensions exchanged; y may have fewer heads. */
static struct tensor *product(struct graph *g, const struct node *n, struct tensor *x,
	struct tensor *y, bool exchange, double scale)
{
	const int64_t heads = x->shape.dim[1], groups = y->shape.dim[1];

	if (heads != groups) {
		x = by_groups(g, n, x, groups);
		y = by_groups(g, n, y, groups);
	}
	if (exchange && y != NULL) {
		struct node *t = place(g, n, "Transpose", 1, &y);

		set_int(g, t, "swap", 1);
		y = settle(g, t);
	}
	x = op2(g, n, "MatMul", x, y);
	if (scale < 1.0 || scale > 1.0)
		x = op2(g, n, "Mul", x, number(g, scale));
	if (x == NULL || heads == groups)
		return x;
	const int64_t *d = x->shape.dim;

	return shaped(g, n, x, 4, (int64_t[]){ d[0], heads, d[3], d[4] });
}

/* ---- what may be attended ---- */

/* Sizes that the mask is about. */
struct lengths {
	int64_t query, key, past;
};

/* j - i for query i and key j; without queries j. */
static struct tensor *distances(
	struct graph *g, struct node *n, const struct lengths *l, bool queries)
{
	const int64_t rows = queries ? l->query : 1;
	const struct shape s = { .rank = 2, .dim = { rows, l->key } };

	if (rows * l->key > MAX_FOLDED) {
		node_error(g, n, "give the mask as an input", "%lld queries and %lld keys",
			(long long)rows, (long long)l->key);
		return NULL;
	}
	int64_t *v = arena_alloc(g->arena, (size_t)(rows * l->key) * sizeof(*v));

	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < l->key; j++)
			v[i * l->key + j] = j - i;
	return graph_constant(g, NULL, DT_I64, &s, DT_I64, v);
}

static struct tensor *both(
	struct graph *g, const struct node *n, struct tensor *x, struct tensor *y)
{
	return x == NULL ? y : op2(g, n, "And", x, y);
}

/* The keys that lie where a query may look, as bool; null: all. `offset` keys are before the first
 * query. */
static struct tensor *in_reach(struct graph *g, struct node *n, const struct lengths *l)
{
	const int64_t left = attr_int(n, "left_window_size", -1),
		      right = attr_int(n, "right_window_size", -1), far = MAX_ATTRIBUTE;
	const bool causal = attr_int(n, "is_causal", 0) != 0;
	struct tensor *valid = NULL, *reach = NULL, *offset = integer(g, l->past), *d = NULL;

	if (has_input(n, NONPAD)) {
		valid = shaped(
			g, n, n->in[NONPAD], 4, (int64_t[]){ n->in[QUERY]->shape.dim[0], 1, 1, 1 });
		offset = op2(g, n, "Sub", valid, integer(g, l->query));
		reach = op2(g, n, "Less", distances(g, n, l, false), valid);
	}
	if (causal || left >= 0 || right >= 0)
		d = distances(g, n, l, true);
	if (causal)
		reach = both(g, n, reach, op2(g, n, "LessOrEqual", d, offset));
	if (right >= 0)
		reach = both(g, n, reach,
			op2(g, n, "LessOrEqual", d,
				op2(g, n, "Add", offset, integer(g, right < far ? right : far))));
	if (left >= 0)
		reach = both(g, n, reach,
			op2(g, n, "LessOrEqual",
				op2(g, n, "Sub", offset, integer(g, left < far ? left : far)), d));
	return reach;
}

/* 0 where the condition holds, else -infinity. */
static struct tensor *bias_of(struct graph *g, const struct node *n, struct tensor *condition)
{
	return chosen(g, n, condition, number(g, 0.0), number(g, -INFINITY));
}

/* The mask as a bias, with -infinity for keys that it leaves out at the end. */
static struct tensor *mask_bias(struct graph *g, struct node *n, const struct lengths *l)
{
	struct tensor *part[2] = { n->in[MASK], NULL };
	struct shape s = part[0]->shape;

	if (s.rank < 1 || s.rank > 4 || s.dim[s.rank - 1] > l->key) {
		node_error(g, n, "it must broadcast to [batch,heads,queries,keys]",
			"its mask is %s, there are %lld keys", shape_text(g->arena, &s),
			(long long)l->key);
		return NULL;
	}
	if (part[0]->type == DT_BOOL)
		part[0] = bias_of(g, n, part[0]);
	s.dim[s.rank - 1] = l->key - s.dim[s.rank - 1];
	if (part[0] == NULL || s.dim[s.rank - 1] == 0)
		return part[0];
	part[1] = expanded(g, n, number(g, -INFINITY), &s);
	return part[1] != NULL ? joined(g, n, s.rank - 1, 2, part) : NULL;
}

/* Has every query a key? */
static bool all_reach(const struct tensor *reach, const struct lengths *l)
{
	const int64_t rows = is_const(reach) ? shape_count(&reach->shape) / l->key : 0;

	for (int64_t i = 0; i < rows; i++) {
		bool any = false;

		for (int64_t j = 0; j < l->key; j++)
			any = any || const_i64(reach, i * l->key + j) != 0;
		if (!any)
			return false;
	}
	return rows > 0;
}

/* Softmax of scores + bias; a query that may look at nothing gets zeros. */
static struct tensor *probabilities(struct graph *g, const struct node *n, struct tensor *scores,
	struct tensor *bias, bool guard)
{
	struct tensor *p = op1(g, n, "Softmax", scores);

	if (!guard || p == NULL)
		return p;
	struct node *most = place(g, n, "ReduceMax", 1, &bias);

	set_ints(g, most, "axes", 1, (int64_t[]){ -1 });
	return chosen(
		g, n, op2(g, n, "Equal", settle(g, most), number(g, -INFINITY)), number(g, 0.0), p);
}

/* ---- Attention ---- */

static bool check_attention(struct graph *g, struct node *n)
{
	const int64_t mode = attr_int(n, "qk_matmul_output_mode", 0);
	const bool past = has_input(n, PAST_KEY), nonpad = has_input(n, NONPAD);
	const char *why = NULL;

	for (int k = QUERY; k <= VALUE; k++)
		if (n->in[k]->type != DT_F32 || shape_count(&n->in[k]->shape) == 0)
			why = "its queries, keys and values are not all floats";
	if (past != has_input(n, PAST_VALUE))
		why = "past_key and past_value go together";
	if (nonpad && past)
		why = "nonpad_kv_seqlen and past_key exclude each other";
	if (nonpad && (n->in[NONPAD]->type != DT_I64 ||
			      shape_count(&n->in[NONPAD]->shape) != n->in[QUERY]->shape.dim[0]))
		why = "nonpad_kv_seqlen is not one int64 a sample";
	if (mode < 0 || mode > 3)
		why = "qk_matmul_output_mode is not 0, 1, 2 or 3";
	if (why != NULL)
		node_error(g, n, NULL, "%s", why);
	return why == NULL;
}

/* Keys or values behind those of the past. */
static struct tensor *with_past(struct graph *g, struct node *n, int k, struct tensor *x)
{
	struct tensor *part[2] = { has_input(n, k) ? n->in[k] : NULL, x };

	return part[0] == NULL || x == NULL ? x : joined(g, n, 2, 2, part);
}

/* Scores, after each step that qk_matmul_output_mode names. */
static struct tensor *attend(struct graph *g, struct node *n, struct tensor *q, struct tensor *k,
	struct tensor *v, struct tensor **step)
{
	const struct lengths l = { q->shape.dim[2], k->shape.dim[2],
		has_input(n, PAST_KEY) ? n->in[PAST_KEY]->shape.dim[2] : 0 };
	const double cap = attr_float(n, "softcap", 0.0),
		     scale = attr_float(n, "scale", 1.0 / sqrt((double)q->shape.dim[3]));
	const bool masked = has_input(n, MASK);
	struct tensor *reach = in_reach(g, n, &l), *bias = masked ? mask_bias(g, n, &l) : NULL;
	const bool guard = masked || (reach != NULL && !all_reach(reach, &l));

	step[0] = step[1] = product(g, n, q, k, true, scale);
	if (cap > 0.0)
		step[1] = op2(g, n, "Mul",
			op1(g, n, "Tanh", op2(g, n, "Div", step[0], number(g, cap))),
			number(g, cap));
	if (reach != NULL)
		bias = masked ? op2(g, n, "Add", bias, bias_of(g, n, reach)) : bias_of(g, n, reach);
	step[2] = masked || reach != NULL ? op2(g, n, "Add", step[1], bias) : step[1];
	step[3] = probabilities(g, n, step[2], bias, guard);
	return step[3] != NULL ? product(g, n, step[3], v, false, 1.0) : NULL;
}

bool shape_attention(struct graph *g, struct node *n)
{
	struct tensor *q, *k, *v, *step[4], *out[4] = { NULL };

	if (!check_attention(g, n))
		return false;
	q = by_head(g, n, QUERY, "q_num_heads");
	k = out[1] = with_past(g, n, PAST_KEY, by_head(g, n, KEY, "kv_num_heads"));
	v = out[2] = with_past(g, n, PAST_VALUE, by_head(g, n, VALUE, "kv_num_heads"));
	if (q == NULL || k == NULL || v == NULL)
		return false;
	if (k->shape.dim[1] != v->shape.dim[1] || q->shape.dim[1] % k->shape.dim[1] != 0) {
		node_error(g, n, "a head of keys and values serves one or more heads of queries",
			"%lld heads of queries, %lld of keys, %lld of values",
			(long long)q->shape.dim[1], (long long)k->shape.dim[1],
			(long long)v->shape.dim[1]);
		return false;
	}
	out[0] = to_input_rank(g, n, attend(g, n, q, k, v, step));
	out[3] = step[attr_int(n, "qk_matmul_output_mode", 0)];
	for (int i = 0; i < n->nout; i++)
		if ((n->out[i]->nuser > 0 || n->out[i]->is_output) && !become(g, n, i, out[i]))
			return false;
	node_remove(g, n);
	return true;
}

/* ---- RotaryEmbedding ---- */

/* A cache as [batch,1,length,pairs], its rows picked by the positions where they are given. */
static struct tensor *angles(
	struct graph *g, struct node *n, int k, const struct shape *x, int64_t pairs)
{
	struct tensor *t = n->in[k];

	if (t->shape.rank < 1 || t->shape.dim[t->shape.rank - 1] != pairs) {
		node_error(g, n, "the last dimension of a cache is half of what is rotated",
			"input %d is %s, there are %lld pairs", k, shape_text(g->arena, &t->shape),
			(long long)pairs);
		return NULL;
	}
	if (has_input(n, 3))
		t = op2(g, n, "Gather", t, n->in[3]);
	return shaped(g, n, t, 4, (int64_t[]){ x->dim[0], 1, x->dim[2], pairs });
}

/* Pairs (a, b) side by side, or first all a and then all b. */
static struct tensor *paired(
	struct graph *g, const struct node *n, struct tensor *a, struct tensor *b, bool interleaved)
{
	struct tensor *part[2] = { a, b };

	if (a == NULL || b == NULL)
		return NULL;
	const int64_t *d = a->shape.dim, pairs = d[3];

	if (!interleaved)
		return joined(g, n, 3, 2, part);
	for (int k = 0; k < 2; k++)
		part[k] = shaped(g, n, part[k], 5, (int64_t[]){ d[0], d[1], d[2], pairs, 1 });
	if (part[0] == NULL || part[1] == NULL)
		return NULL;
	return shaped(
		g, n, joined(g, n, 4, 2, part), 4, (int64_t[]){ d[0], d[1], d[2], 2 * pairs });
}

bool shape_rotary(struct graph *g, struct node *n)
{
	const bool interleaved = attr_int(n, "interleaved", 0) != 0;
	struct tensor *x = by_head(g, n, 0, "num_heads"), *a, *b, *cosine, *sine, *part[2];

	if (x == NULL)
		return false;
	const int64_t size = x->shape.dim[3], all = attr_int(n, "rotary_embedding_dim", 0),
		      rotated = all > 0 ? all : size, pairs = rotated / 2;

	if (rotated > size || rotated % 2 != 0) {
		node_error(g, n, NULL, "%lld of %lld elements of a head are rotated",
			(long long)rotated, (long long)size);
		return false;
	}
	cosine = angles(g, n, 1, &x->shape, pairs);
	sine = angles(g, n, 2, &x->shape, pairs);
	a = sliced(g, n, x, 3, 0, pairs, interleaved ? 2 : 1);
	b = sliced(g, n, x, 3, interleaved ? 1 : pairs, pairs, interleaved ? 2 : 1);
	part[0] = paired(g, n,
		op2(g, n, "Sub", op2(g, n, "Mul", cosine, a), op2(g, n, "Mul", sine, b)),
		op2(g, n, "Add", op2(g, n, "Mul", sine, a), op2(g, n, "Mul", cosine, b)),
		interleaved);
	part[1] = rotated < size ? sliced(g, n, x, 3, rotated, size - rotated, 1) : NULL;
	if (part[0] != NULL && rotated < size)
		part[0] = joined(g, n, 3, 2, part);
	return replace(g, n, to_input_rank(g, n, part[0]));
}
