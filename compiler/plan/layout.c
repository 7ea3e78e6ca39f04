/*
 * Layout: for each tensor, the order of its dimensions in memory. What convolutions and pools give
 * lies channels last; elementwise results lie as their operands do; the rest is row-major, and so
 * are graph inputs and outputs. Nothing is converted here: views turn strides, and schedule()
 * copies where it must.
 */
#include "core/skipc.h"

#include <string.h>

static void row_major(struct tensor *t)
{
	for (int k = 0; k < MAX_RANK; k++)
		t->order[k] = (uint8_t)k;
}

/* N, the image, then channels. */
static void channels_last(struct tensor *t)
{
	int rank = t->shape.rank;

	row_major(t);
	for (int k = 1; k < rank - 1; k++)
		t->order[k] = (uint8_t)(k + 1);
	if (rank > 2)
		t->order[rank - 1] = 1;
}

static bool is_row_major(const struct tensor *t)
{
	int last = -1;

	for (int k = 0; k < t->shape.rank; k++) {
		if (t->shape.dim[t->order[k]] == 1)
			continue;
		if (t->order[k] < last)
			return false;
		last = t->order[k];
	}
	return true;
}

/* As `like` lies, dimensions counted from the back; what like has not comes first. */
static void order_like(struct tensor *t, const struct tensor *like)
{
	int shift = t->shape.rank - like->shape.rank, n = 0;

	row_major(t);
	if (shift < 0)
		return;
	for (int k = 0; k < shift; k++)
		t->order[n++] = (uint8_t)k;
	for (int k = 0; k < like->shape.rank; k++)
		t->order[n++] = (uint8_t)(like->order[k] + shift);
}

/* How much t says of an order: what a kernel writes, and how, more than what views made of an input. */
static int says(const struct tensor *t)
{
	return 2 * (t->def != NULL && t->def->op->class == OP_ANCHOR) + !is_row_major(t);
}

/* The run-time input that an elementwise result, or a view of many, should lie like. */
static const struct tensor *main_input(const struct node *n)
{
	const struct tensor *best = NULL;

	for (int k = 0; k < n->nin; k++) {
		const struct tensor *t = n->in[k];

		if (t == NULL || !is_runtime(t))
			continue;
		if (best == NULL || shape_count(&t->shape) > shape_count(&best->shape) ||
			(shape_equal(&t->shape, &best->shape) && says(t) > says(best)))
			best = t;
	}
	return best;
}

static void order_transpose(const struct node *n)
{
	int rank;
	const int64_t *perm = attr_ints(n, "perm", &rank);
	struct tensor *t = n->out[0];

	row_major(t);
	for (int k = 0; k < rank; k++)
		for (int d = 0; d < rank; d++)
			if (perm[d] == n->in[0]->order[k])
				t->order[k] = (uint8_t)d;
}

/* A reshape that only adds or drops dimensions of size 1 keeps the order of the others. */
static void order_reshape(const struct node *n)
{
	const struct tensor *x = n->in[0];
	struct tensor *t = n->out[0];
	int image[MAX_RANK] = { 0 }, used = 0;
	bool taken[MAX_RANK] = { false };

	row_major(t);
	for (int i = 0, o = 0; i < x->shape.rank; i++) {
		image[i] = -1;
		if (x->shape.dim[i] == 1)
			continue;
		while (o < t->shape.rank && t->shape.dim[o] == 1)
			o++;
		if (o == t->shape.rank || t->shape.dim[o] != x->shape.dim[i])
			return;
		image[i] = o++;
	}
	for (int k = 0; k < x->shape.rank; k++)
		if (image[x->order[k]] >= 0)
			taken[image[x->order[k]]] = true;
	for (int d = 0; d < t->shape.rank; d++)
		if (!taken[d])
			t->order[used++] = (uint8_t)d;
	for (int k = 0; k < x->shape.rank; k++)
		if (image[x->order[k]] >= 0)
			t->order[used++] = (uint8_t)image[x->order[k]];
}

static void order_reduce(const struct node *n)
{
	int naxes, used = 0;
	const int64_t *axes = attr_ints(n, "axes", &naxes);
	const struct tensor *x = n->in[0];

	if (attr_int(n, "keepdims", 1) != 0) {
		order_like(n->out[0], x);
		return;
	}
	row_major(n->out[0]);
	for (int k = 0; k < x->shape.rank; k++) {
		int below = 0;
		bool gone = false;

		for (int i = 0; i < naxes; i++) {
			gone = gone || axes[i] == x->order[k];
			below += axes[i] < x->order[k];
		}
		if (!gone)
			n->out[0]->order[used++] = (uint8_t)(x->order[k] - below);
	}
}

static void order_of(const struct node *n)
{
	const struct tensor *like = main_input(n);

	for (int k = 0; k < n->nout; k++)
		row_major(n->out[k]);
	if (like == NULL)
		return;
	if (is_a(n, LIES_CHANNELS_LAST))
		channels_last(n->out[0]);
	else if (is_op(n, "Transpose"))
		order_transpose(n);
	else if (is_op(n, "Reshape"))
		order_reshape(n);
	else if (is_a(n, IS_REDUCTION))
		order_reduce(n);
	else if (n->op->class == OP_ELEMENTWISE || n->op->class == OP_VIEW || is_a(n, LIES_AS_INPUT))
		order_like(n->out[0], like);
}

/*
 * Linear(Reshape(x)) where x[N, C, image] lies channels last and the reshape flattens it: the
 * image's elements are taken as they lie, and the rows of the weights are permuted to suit.
 */
static void permute_flatten(struct graph *g, struct node *linear)
{
	struct tensor *flat = linear->in[0], *x = flat->def != NULL ? flat->def->in[0] : NULL;
	int rank = x != NULL ? x->shape.rank : 0;
	int64_t perm[MAX_RANK] = { 0 }, rows[MAX_RANK] = { 0 };

	if (x == NULL || !is_op(flat->def, "Reshape") || rank < 3 || is_row_major(x) ||
		!is_runtime(x))
		return;
	if (flat->shape.rank != 2 || flat->shape.dim[0] != x->shape.dim[0] || x->order[0] != 0)
		return;
	for (int k = 0; k < rank; k++)
		perm[k] = x->order[k];
	struct node *turn = graph_node(g, linear, op_find("Transpose"), 1, &x, 1, flat->def->prov);

	set_ints(g, turn, "perm", rank, perm);
	infer(g, turn);
	struct node *flatten = graph_node(
		g, linear, op_find("Reshape"), 1, turn->out, 1, flat->def->prov);

	flatten->out[0]->shape = flat->shape;
	flatten->out[0]->type = flat->type;
	flatten->out[0]->known = true;
	/* weights [C * image, M] -> [C, image.., M] -> permuted -> flat again */
	struct tensor *w = linear->in[1];
	struct node *split = graph_node(g, linear, op_find("Reshape"), 1, &w, 1, linear->prov);

	split->out[0]->shape.rank = rank;
	for (int k = 1; k < rank; k++) {
		split->out[0]->shape.dim[k - 1] = x->shape.dim[k];
		rows[k - 1] = perm[k] - 1;
	}
	split->out[0]->shape.dim[rank - 1] = w->shape.dim[1];
	split->out[0]->type = w->type;
	split->out[0]->known = true;
	rows[rank - 1] = rank - 1;
	struct node *permute = graph_node(
		g, linear, op_find("Transpose"), 1, split->out, 1, linear->prov);

	set_ints(g, permute, "perm", rank, rows);
	infer(g, permute);
	struct node *join = graph_node(
		g, linear, op_find("Reshape"), 1, permute->out, 1, linear->prov);

	join->out[0]->shape = w->shape;
	join->out[0]->type = w->type;
	join->out[0]->known = true;
	node_set_input(linear, 0, flatten->out[0]);
	node_set_input(linear, 1, join->out[0]);
	order_of(turn);
	order_of(flatten);
}

void layout(struct graph *g)
{
	for (int k = 0; k < g->ntensor; k++)
		row_major(g->tensors[k]);
	for (struct node *n = g->first; n != NULL; n = n->next) {
		order_of(n);
		if (is_op(n, "Linear"))
			permute_flatten(g, n);
	}
	graph_sweep(g);
	/* weights that were permuted in front of a Linear are constants still */
	fold(g);
}
