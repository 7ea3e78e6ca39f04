/*
 * Rewrites of what Concat joined and something else takes apart again: a part of a Concat is what was joined, also
 * where elementwise operators and Reshapes stand between; a sum over the axis of a Concat is a sum of its parts.
 * So torch.stack(..).sum(0), (cat(t, 1 - t) * cat(h, x)).chunk(2) and einsum over a stack are additions.
 */
#include "rewrite/match.h"

#include <string.h>

enum { MOST_PARTS = 16, MOST_NODES = 64 };

/* A part of a tensor: along axis, from start on; without the axis if `drop`, where size is 1. */
struct part {
	int axis;
	int64_t start, size;
	bool drop;
};

/* What taking parts met. */
struct taking {
	struct match *m;
	int whole, cut; /* inputs of Concats, and pieces of such */
	int budget;     /* nodes that may still be made */
};

static struct tensor *take(struct taking *k, struct tensor *t, const struct node *reader, struct part p);

/* t, whose size along the axis is 1, without it. */
static struct tensor *dropped(struct taking *k, struct tensor *t, const struct part *p)
{
	struct shape s = { .rank = 0 };

	if (t == NULL || !p->drop)
		return t;
	for (int d = 0; d < t->shape.rank; d++)
		if (d != p->axis)
			s.dim[s.rank++] = t->shape.dim[d];
	return make_reshape(k->m, t, &s);
}

static struct tensor *leaf(struct taking *k, struct tensor *t, const struct part *p)
{
	if (p->size < t->shape.dim[p->axis])
		t = make_slice(k->m, t, p->axis, p->start, 1, p->size);
	return dropped(k, t, p);
}

static struct tensor *of_concat(struct taking *k, const struct node *n, struct part p)
{
	for (int i = 0; i < n->nin; i++) {
		const int64_t size = n->in[i]->shape.dim[p.axis];

		if (p.start >= size) {
			p.start -= size;
			continue;
		}
		if (p.start + p.size > size)
			return NULL;
		also_from(k->m, n);
		if (p.size == size)
			k->whole++;
		else
			k->cut++;
		return take(k, n->in[i], n, p);
	}
	return NULL;
}

/* The same elements in front of the Reshape, where they lie along one axis there, too. */
static struct tensor *of_reshape(struct taking *k, const struct node *n, const struct part *p)
{
	const struct shape *y = &n->out[0]->shape, *x = &n->in[0]->shape;
	struct part q = { 0 };
	struct shape s = { .rank = 0 };
	int64_t before = 1;

	for (int d = 0; d < p->axis; d++)
		before *= y->dim[d];
	for (; q.axis < x->rank && (before > 1 || x->dim[q.axis] == 1); q.axis++) {
		if (before % x->dim[q.axis] != 0)
			return NULL;
		before /= x->dim[q.axis];
	}
	if (q.axis == x->rank)
		return NULL;
	const int64_t from = x->dim[q.axis], to = y->dim[p->axis];

	if (p->start * from % to != 0 || p->size * from % to != 0)
		return NULL;
	q.start = p->start * from / to;
	q.size = p->size * from / to;
	for (int d = 0; d < y->rank; d++)
		if (d != p->axis || !p->drop)
			s.dim[s.rank++] = d == p->axis ? p->size : y->dim[d];
	struct tensor *t = take(k, n->in[0], n, q);

	also_from(k->m, n);
	return t != NULL ? make_reshape(k->m, t, &s) : NULL;
}

static struct tensor *of_elementwise(struct taking *k, const struct node *n, const struct part *p)
{
	struct tensor *in[MAX_ARGS];

	for (int i = 0; i < n->nin; i++) {
		struct tensor *t = n->in[i];
		struct part q = *p;

		q.axis -= n->out[0]->shape.rank - t->shape.rank;
		in[i] = t;
		if (q.axis < 0)
			continue;
		if (t->shape.dim[q.axis] == 1) {
			q.start = 0;
			q.size = 1;
		}
		in[i] = take(k, t, n, q);
		if (in[i] == NULL)
			return NULL;
	}
	also_from(k->m, n);
	return finish(k->m, make_like(k->m, n, n->nin, in));
}

/* Only n reads t, or as parts do all that read it. */
static bool may_open(const struct tensor *t, const struct node *reader)
{
	const bool slices = is_op(reader, "Slice");

	for (const struct use *u = t->user; u != NULL; u = u->next)
		if (u->node != reader && (!slices || !is_op(u->node, "Slice") ||
						slice_axis(u->node) != slice_axis(reader)))
			return false;
	return !t->is_output;
}

/* Null: it cannot be said, or not cheaply. */
static struct tensor *take(struct taking *k, struct tensor *t, const struct node *reader, struct part p)
{
	const struct node *n = is_constant(t) ? NULL : t->def;

	if (--k->budget < 0)
		return NULL;
	if (n != NULL && is_from(t, "Concat") && attr_int(n, "axis", -1) == p.axis)
		return of_concat(k, n, p);
	if (n != NULL && p.size < t->shape.dim[p.axis] && may_open(t, reader)) {
		if (is_op(n, "Reshape"))
			return of_reshape(k, n, &p);
		if (n->op->class == OP_ELEMENTWISE && n->nin <= MAX_ARGS)
			return of_elementwise(k, n, &p);
	}
	return leaf(k, t, &p);
}

/* Slice(Concat(x, y)) -> x */
struct tensor *fold_joined_slice(struct match *m)
{
	const struct node *n = m->root;
	struct taking k = { .m = m, .budget = MOST_NODES };
	int count;
	struct part p = { .axis = slice_axis(n) };

	if (p.axis < 0 || attr_ints(n, "steps", &count)[p.axis] != 1)
		return NULL;
	p.start = attr_ints(n, "starts", &count)[p.axis];
	p.size = n->out[0]->shape.dim[p.axis];
	struct tensor *t = take(&k, n->in[0], n, p);

	return k.whole + k.cut > 0 ? t : NULL;
}

/* Sums, and of two tensors products, of their elements along an axis. Null: no Concat made them. */
static struct tensor *sum_of_parts(struct match *m, struct tensor *x, int x_axis, struct tensor *y, int y_axis, bool drop)
{
	struct taking k = { .m = m, .budget = MOST_NODES };
	const int64_t n = x->shape.dim[x_axis];
	struct tensor *sum = NULL;

	for (int64_t i = 0; i < n && n <= MOST_PARTS; i++) {
		const int before = k.whole;
		struct tensor *t = take(&k, x, m->root, (struct part){ x_axis, i, 1, drop }), *u = NULL;

		if (t != NULL && y != NULL && (u = take(&k, y, m->root, (struct part){ y_axis, i, 1, drop })) != NULL)
			t = finish(m, make(m, "Mul", 2, (struct tensor *[]){ t, u }));
		if (t == NULL || (y != NULL && u == NULL) || k.whole == before || k.cut > 0)
			return NULL;
		sum = sum == NULL ? t : finish(m, make(m, "Add", 2, (struct tensor *[]){ sum, t }));
		if (sum == NULL)
			return NULL;
	}
	return sum;
}

/* ReduceSum(Concat(x, y)) -> Add(x, y), and with elementwise operators between. */
struct tensor *fold_joined_sum(struct match *m)
{
	const struct node *n = m->root;
	int count;
	const int64_t *axes = attr_ints(n, "axes", &count);

	if (count != 1 || n->nin != 1)
		return NULL;
	const int axis = (int)axes[0];
	struct tensor *sum = sum_of_parts(m, n->in[0], axis, NULL, 0, n->out[0]->shape.rank < n->in[0]->shape.rank);

	if (sum == NULL || !is_op(n, "ReduceMean"))
		return sum;
	return finish(m,
		make(m, "Div", 2,
			(struct tensor *[]){ sum, graph_scalar(m->g, DT_F32, (double)n->in[0]->shape.dim[axis]) }));
}

/* MatMul(t, Concat(x, y)) -> t0 x + t1 y, of a single row or column: einsum, or bmm, of weights and a stack. */
struct tensor *fold_joined_product(struct match *m)
{
	struct tensor *x = m->root->in[0], *y = m->root->in[1];
	const int i = x->shape.rank - 1, j = y->shape.rank - 2;

	if (i < 1 || j < 0 || (x->shape.dim[i - 1] != 1 && y->shape.dim[j + 1] != 1))
		return NULL;
	return sum_of_parts(m, x, i, y, j, false);
}
