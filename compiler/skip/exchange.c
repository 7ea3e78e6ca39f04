/*
 * Two blocks change places. A block that is moved is a region: all that lies between the value that it carries and its
 * result. It reads nothing else that is computed, nobody else reads its inner values, and its result has its input's shape.
 */
#include "skip/skip.h"

struct region_of {
	struct tensor *x, *y; /* its input and its result */
	bool *in;             /* by tensor: it lies in the region */
	int onnx;             /* a node to be named */
	int block;
};

/* Uses of a tensor, before they change. */
struct uses {
	struct node **node;
	int *input, n;
};

static const char alone_hint[] = "a block can be moved if its input, carried or not, is all that it reads";

/* Fills r->in. False: reported. */
static bool close_region(struct seeker *s, struct region_of *r)
{
	struct graph *g = s->g;
	const struct tensor *other;

	r->in = arena_alloc(&s->scratch, (size_t)s->ntensor + 1);
	if (!all_through(s, &r->y, 1, r->x, &other)) {
		onnx_error(g, r->onnx, alone_hint, "block %d cannot be moved: it reads \"%s\", too", r->block,
			escape(g->arena, other->name));
		return false;
	}
	for (int k = 0; k < s->nvisited; k++)
		r->in[s->visited[k]] = true;
	for (int k = 0; k < s->nvisited; k++) {
		const struct tensor *t = g->tensors[s->visited[k]];
		bool inside = t == r->y || !t->is_output;

		for (const struct use *u = t->user; t != r->y && u != NULL; u = u->next)
			inside = inside && u->node->nout > 0 && r->in[u->node->out[0]->id];
		if (!inside) {
			onnx_error(g, r->onnx, alone_hint, "block %d cannot be moved: its inner value \"%s\" is used elsewhere, too",
				r->block, escape(g->arena, t->name));
			return false;
		}
	}
	return true;
}

static struct region_of region_at(const struct graph *g, const struct graph *seen, int block)
{
	const struct block *b = &seen->block[block];

	return (struct region_of){ .x = g->tensors[b->fork->id],
		.y = g->tensors[seen->join[b->sum].out->id],
		.onnx = prov_at(b->join, b->join->n - 1),
		.block = block };
}

/* What forbids the exchange of regions that are whole. False: reported. */
static bool fit(struct graph *g, const struct region_of *a, const struct region_of *b)
{
	static const char hint[] = "blocks that change places have one shape, and none is part of the other";
	const struct region_of *both[] = { a, b };
	struct arena *m = g->arena;

	for (int k = 0; k < 2; k++) {
		const struct region_of *r = both[k];

		if (!shape_equal(&r->x->shape, &r->y->shape) || !shape_equal(&r->x->shape, &a->x->shape)) {
			onnx_error(g, r->onnx, hint, "blocks %d and %d cannot change places: %s -> %s and %s -> %s", a->block, b->block,
				shape_text(m, &a->x->shape), shape_text(m, &a->y->shape), shape_text(m, &b->x->shape),
				shape_text(m, &b->y->shape));
			return false;
		}
		if (r->y->is_output) {
			onnx_error(g, r->onnx, hint, "block %d cannot be moved: its result is an output of the network", r->block);
			return false;
		}
	}
	if (!a->in[b->y->id] && !b->in[a->y->id] && (b->x == a->y || !a->in[b->x->id]) && !b->in[a->x->id])
		return true;
	onnx_error(g, a->onnx, hint, "blocks %d and %d cannot change places: one is part of the other", a->block, b->block);
	return false;
}

/* Those of t inside a region or, with inside false, elsewhere; r null: all. */
static struct uses uses_of(struct arena *m, const struct tensor *t, const struct region_of *r, bool inside)
{
	struct uses v = { arena_alloc(m, ((size_t)t->nuser + 1) * sizeof(*v.node)),
		arena_alloc(m, ((size_t)t->nuser + 1) * sizeof(int)), 0 };

	for (const struct use *u = t->user; u != NULL; u = u->next) {
		if (r != NULL && r->in[u->node->out[0]->id] != inside)
			continue;
		v.node[v.n] = u->node;
		v.input[v.n++] = (int)(u - u->node->use);
	}
	return v;
}

static void point(const struct uses *v, struct tensor *t)
{
	for (int k = 0; k < v->n; k++)
		node_set_input(v->node[k], v->input[k], t);
}

/* a stands before b. Where b reads a's result at once, a will read b's. */
static void exchange(struct arena *m, struct region_of *a, struct region_of *b)
{
	const struct uses in_a = uses_of(m, a->x, a, true), in_b = uses_of(m, b->x, b, true),
			  of_a = uses_of(m, a->y, b->x == a->y ? b : NULL, false), of_b = uses_of(m, b->y, NULL, false);

	point(&in_a, b->x == a->y ? b->y : b->x);
	point(&in_b, a->x);
	point(&of_a, b->y);
	point(&of_b, a->y);
}

void exchange_blocks(struct graph *g, const struct graph *seen, int first, int second)
{
	struct region_of a = region_at(g, seen, first), b = region_at(g, seen, second);
	struct seeker s = { 0 };

	seeker_begin(&s, g);
	if (s.place[a.y->id] > s.place[b.y->id]) {
		const struct region_of later = a;

		a = b;
		b = later;
	}
	if (close_region(&s, &a) && close_region(&s, &b) && fit(g, &a, &b)) {
		exchange(&s.scratch, &a, &b);
		graph_sort(g);
	}
	seeker_end(&s);
}
