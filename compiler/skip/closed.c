/*
 * --skip-closed-gates EPS: a highway layer of which a row's gates are all below EPS carries that
 * row.
 *
 * The graph says so itself: y becomes Below(m, x, y), where m is the greatest gate of the row, and
 * the kernel that computes H may leave out rows for which it is decided (kernel.keep). A row is
 * what one position of the layer gives: the outputs of a Linear for a row of its input, the
 * channels of a pixel.
 */
#include "skip/skip.h"

static struct tensor *make_node(struct seeker *s, const struct change *ch, struct node *before,
	const char *op, int nin, struct tensor **in)
{
	return graph_node(s->g, before, op_find(op), nin, in, 1, ch->prov)->out[0];
}

static struct tensor *inferred(struct seeker *s, struct tensor *t)
{
	if (!infer(s->g, t->def))
		die("skip: %s has no shape", t->def->op->name);
	return t;
}

/* The single value that is computed at run time among n's inputs, or null. */
static struct tensor *only_input(const struct node *n)
{
	struct tensor *x = NULL;

	for (int k = 0; k < n->nin; k++) {
		if (!is_runtime(n->in[k]) || n->in[k] == x)
			continue;
		if (x != NULL)
			return NULL;
		x = n->in[k];
	}
	return x;
}

/* The layer that h is an elementwise function of, if nobody else reads what lies between. */
static const struct node *layer_of(const struct tensor *h)
{
	while (h != NULL && h->def != NULL && h->nuser == 1 && !h->is_output) {
		if (is_a(h->def, IS_WEIGHTED))
			return h->def;
		if (h->def->op->class != OP_ELEMENTWISE)
			return NULL;
		h = only_input(h->def);
	}
	return NULL;
}

/* The greatest (or least) gate of each row; the gate itself where a row has but one. */
static struct tensor *extreme(struct seeker *s, const struct change *ch, struct node *before,
	struct tensor *t, bool greatest, int axis)
{
	const int64_t at = axis - (ch->y->shape.rank - t->shape.rank);

	if (t->type == DT_BOOL) {
		t = make_node(s, ch, before, "Cast", 1, &t);
		set_int(s->g, t->def, "to", DT_F32);
		inferred(s, t);
	}
	if (at < 0 || t->shape.dim[at] == 1)
		return t;
	t = make_node(s, ch, before, greatest ? "ReduceMax" : "ReduceMin", 1, &t);
	set_ints(s->g, t->def, "axes", 1, &at);
	set_int(s->g, t->def, "keepdims", 1);
	return inferred(s, t);
}

/* Null: it is done. Else why not. */
static const char *keep_closed(struct seeker *s, const struct change *ch)
{
	struct node *sum = ch->y->def, *before = sum->next;
	const bool selects = is_op(sum, "Where"), two = is_op(sum, "Carry");
	/* Blend(h, x, t), Where(t, h, x), where swapped 1 - t lets H through; Carry(h, t, x, c) */
	struct tensor *h = sum->in[selects], *x = sum->in[1 + (selects || two)];
	struct tensor *t = sum->in[selects ? 0 : two ? 1 : 2];
	const bool swapped = ch->gate.carried != ch->gate.x;
	struct tensor *in[3] = { NULL, swapped ? h : x, ch->y }, *keep;
	const struct node *layer = layer_of(swapped ? x : h);
	const double limit = s->g->skip_below;

	if (layer == NULL)
		return "H is not the result of a single layer that nobody else reads";
	if (!is_runtime(t))
		return "its gate is a constant";
	if (!shape_equal(&ch->y->shape, &in[1]->shape) ||
		!shape_equal(&ch->y->shape, &layer->out[0]->shape))
		return "its values are broadcast";
	in[0] = extreme(s, ch, before, t, !swapped,
		is_op(layer, "Conv") ? 1 : layer->out[0]->shape.rank - 1);
	if (two)
		in[1] = inferred(
			s, make_node(s, ch, before, "Mul", 2, (struct tensor *[]){ in[1], sum->in[3] }));
	keep = make_node(s, ch, before, swapped ? "Above" : "Below", 3, in);
	set_float(s->g, keep->def, "limit", swapped ? 1 - limit : limit);
	inferred(s, keep);
	keep->name = ch->y->name;
	tensor_replace(s->g, ch->y, keep);
	node_set_input(keep->def, 2, ch->y);
	return NULL;
}

void closed_gates(struct seeker *s)
{
	const char *first = "it has none";
	struct graph *g = s->g;

	for (const struct change *ch = s->gated; ch != NULL; ch = ch->next) {
		const char *why = keep_closed(s, ch);

		g->block[ch->block].unskipped = why;
		g->nskipped += why == NULL;
		first = why != NULL ? why : first;
	}
	if (g->nskipped == 0)
		node_warning(g, NULL,
			"--skip-closed-gates: no highway layer can leave out rows: %s", first);
}
