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

/* Dimensions that are not of size 1; returns how many. */
static int wide_dims(const struct shape *s, int *to)
{
	int n = 0;

	for (int d = 0; d < s->rank; d++)
		if (s->dim[d] != 1)
			to[n++] = d;
	return n;
}

/* Dimensions x0 .. x1-1 of a reshape's input, in memory one behind the other, are dimensions t0 .. t1-1 of its result. */
struct run {
	int x0, x1, t0, t1;
};

/* The shortest runs, of dimensions listed in x and t; 0: some of x do not lie so. */
static int cut_runs(const struct tensor *from, const struct tensor *to, const int *x, int nx, const int *t,
	struct run *runs)
{
	int place[MAX_RANK] = { 0 }, n = 0;

	for (int k = 0, at = 0; k < from->shape.rank; k++)
		if (from->shape.dim[from->order[k]] != 1)
			place[from->order[k]] = at++;
	for (int i = 0, o = 0; i < nx; n++) {
		struct run *r = &runs[n];
		int64_t have = from->shape.dim[x[i]], want = to->shape.dim[t[o]];

		*r = (struct run){ i, i + 1, o, o + 1 };
		while (have != want)
			if (have < want)
				have *= from->shape.dim[x[r->x1++]];
			else
				want *= to->shape.dim[t[r->t1++]];
		for (int k = r->x0 + 1; k < r->x1; k++)
			if (place[x[k]] != place[x[k - 1]] + 1)
				return 0;
		i = r->x1;
		o = r->t1;
	}
	return n;
}

/* A reshape that splits dimensions, or joins some that lie one behind the other, keeps their order. */
static void order_reshape(const struct node *n)
{
	const struct tensor *x = n->in[0];
	struct tensor *t = n->out[0];
	int wide_x[MAX_RANK], wide_t[MAX_RANK], nx = wide_dims(&x->shape, wide_x), used = 0;
	struct run runs[MAX_RANK];

	wide_dims(&t->shape, wide_t);
	row_major(t);
	const int nruns = cut_runs(x, t, wide_x, nx, wide_t, runs);

	if (nruns == 0)
		return;
	for (int d = 0; d < t->shape.rank; d++)
		if (t->shape.dim[d] == 1)
			t->order[used++] = (uint8_t)d;
	for (int k = 0; k < x->shape.rank; k++)
		for (int r = 0; r < nruns; r++)
			for (int o = runs[r].t0; wide_x[runs[r].x0] == x->order[k] && o < runs[r].t1; o++)
				t->order[used++] = (uint8_t)wide_t[o];
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
