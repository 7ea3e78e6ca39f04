/*
 * Blocks left out: a highway's value becomes what it carries; of a sum the terms go that pass through the block's
 * branch, and what they are computed of with them.
 */
#include "skip/skip.h"

#include <string.h>

enum { MAX_TREE = 4 * MAX_CONE };

/* What adds, from the root down; its leaves are terms. */
struct tree {
	struct graph *g;
	struct tensor *term[MAX_TERM];
	bool goes[MAX_TERM]; /* by term: it passes through a branch that is left out */
	int nterm;
	struct node *node[MAX_TREE];
	bool stays[MAX_TREE]; /* something of it does */
	int n;
};

/* Tensors of the copy that skip() saw, in the graph, as far as it has been edited. */
static struct tensor *own(const struct graph *g, const struct tensor *seen)
{
	if (seen->id >= g->ntensor)
		die("drop: a tensor that skip() made");
	return tensor_now(g->tensors[seen->id]);
}

static int term_of(const struct tree *t, const struct tensor *x)
{
	for (int k = 0; k < t->nterm; k++)
		if (t->term[k] == x)
			return k;
	return -1;
}

static bool adds(const struct node *n)
{
	return n != NULL && n->nout == 1 && (is_a(n, IS_SUM | IS_SCALE) || is_op(n, "Neg"));
}

static void grow(struct tree *t, struct node *root)
{
	t->node[t->n++] = root;
	for (int k = 0; k < t->n; k++)
		for (int i = 0; i < t->node[k]->nin; i++) {
			struct tensor *x = t->node[k]->in[i];

			if (x != NULL && is_runtime(x) && term_of(t, x) < 0 && adds(x->def) && x->nuser == 1 && !x->is_output &&
				t->n < MAX_TREE)
				t->node[t->n++] = x->def;
		}
}

/* Does something of that operand stay? Constants go with what they are added to. */
static bool operand_stays(const struct tree *t, const struct tensor *x)
{
	const int k = term_of(t, x);

	if (!is_runtime(x))
		return false;
	if (k >= 0)
		return !t->goes[k];
	for (int i = 0; i < t->n; i++)
		if (t->node[i] == x->def)
			return t->stays[i];
	return true;
}

/* One operand of a sum takes the sum's place. */
static void replace_by(struct graph *g, struct node *n, int k)
{
	struct tensor *x = n->in[k];

	if (k == 1 && is_op(n, "Sub")) {
		struct node *neg = graph_node(g, n, op_find("Neg"), 1, &x, 1, n->prov);

		if (!infer(g, neg))
			die("drop: Neg has no shape");
		x = neg->out[0];
	}
	tensor_replace(g, n->out[0], x);
}

/* From the leaves up. */
static void prune(struct tree *t)
{
	for (int k = t->n - 1; k >= 0; k--) {
		struct node *n = t->node[k];
		bool stays[2] = { false, false };

		for (int i = 0; i < n->nin && i < 2; i++)
			stays[i] = operand_stays(t, n->in[i]);
		t->stays[k] = stays[0] || stays[1];
		if (is_a(n, IS_SUM) && stays[0] != stays[1] && is_runtime(n->in[0]) && is_runtime(n->in[1]))
			replace_by(t->g, n, stays[0] ? 0 : 1);
	}
}

static void drop_gated(struct graph *g, const struct join *j, const struct block *b)
{
	struct tensor *y = own(g, j->out), *x = own(g, b->kept);

	if (j->factor < 1 || j->factor > 1) {
		struct node *n = graph_node(g, y->def, op_find("Mul"), 2,
			(struct tensor *[]){ x, graph_scalar(g, DT_F32, j->factor) }, 1, y->def->prov);

		if (!infer(g, n))
			die("drop: Mul has no shape");
		x = n->out[0];
	}
	tensor_replace(g, y, x);
}

static bool is_gated(const struct block *b)
{
	return b->kind == BLOCK_HIGHWAY || b->kind == BLOCK_CARRY;
}

/* Of the sum all blocks that go, at once. */
static void drop_summed(struct graph *g, const struct graph *seen, const bool *drops, int sum)
{
	const struct join *j = &seen->join[sum];
	struct arena a = { 0 };
	struct tree *t = arena_alloc(&a, sizeof(*t));

	t->g = g;
	t->nterm = j->nterm;
	for (int k = 0; k < j->nterm; k++) {
		t->term[k] = own(g, j->term[k]);
		for (int i = 0; i < seen->nblock; i++)
			t->goes[k] |= drops[i] && seen->block[i].sum == sum &&
				      j->through[seen->block[i].level * j->nterm + k];
	}
	grow(t, own(g, j->out)->def);
	prune(t);
	arena_release(&a);
}

void drop_blocks(struct graph *g, const struct graph *seen, const bool *drops)
{
	struct arena a = { 0 };
	bool *done = arena_alloc(&a, (size_t)seen->njoin + 1);

	for (int k = 0; k < seen->nblock; k++) {
		const struct block *b = &seen->block[k];

		if (!drops[k] || done[b->sum])
			continue;
		done[b->sum] = true;
		if (is_gated(b))
			drop_gated(g, &seen->join[b->sum], b);
		else
			drop_summed(g, seen, drops, b->sum);
	}
	graph_sweep(g);
	arena_release(&a);
}
