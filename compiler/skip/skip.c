/*
 * Recognises residual sums and highway gates, by algebra and data flow.
 *
 * A cone is a value and the additions, multiplications and selections below it whose results only
 * the cone reads. It ends at values used outside: so it ends at every block's result, which the
 * next block's layers read, and all cones together are no larger than the graph. Each is written as
 * polynomials (gates.c), gates are looked for from its top down, and what sums are left are judged
 * one by one (sums.c).
 */
#include "skip/skip.h"

#include <stdlib.h>
#include <string.h>

/* ---- records ---- */

/* ---- cones ---- */

static bool is_arithmetic(const struct node *n)
{
	return is_a(n, IS_ARITHMETIC) || n->op->result == RESULT_TEST;
}

static bool joins(const struct cone *c, const struct node *n)
{
	const struct tensor *t = n->nout == 1 ? n->out[0] : NULL;

	return c->n < MAX_CONE && t != NULL && n->id < c->seeker->nnode &&
	       !c->seeker->member[n->id] && is_arithmetic(n) && is_runtime(t) && !t->is_output;
}

static int by_place(const void *x, const void *y)
{
	const struct node *const *n = x, *const *m = y;

	return (*m)->mark - (*n)->mark;
}

static void cone_add(struct cone *c, struct node *n)
{
	c->seeker->member[n->id] = true;
	c->node[c->n++] = n;
}

/* A node joins once the cone has been seen to read its result as often as anybody does. */
static void cone_grow(struct cone *c, struct node *root)
{
	struct seeker *s = c->seeker;

	c->n = 0;
	cone_add(c, root);
	for (int k = 0; k < c->n; k++)
		for (int i = 0; i < c->node[k]->nin; i++) {
			struct tensor *t = c->node[k]->in[i];

			if (t == NULL || t->id >= s->ntensor || t->def == NULL)
				continue;
			if (s->reads_of[t->id] != root->id + 1) {
				s->reads_of[t->id] = root->id + 1;
				s->reads[t->id] = 0;
			}
			if (++s->reads[t->id] == t->nuser && joins(c, t->def))
				cone_add(c, t->def);
		}
	for (int k = 0; k < c->n; k++)
		c->node[k]->mark = s->seq[c->node[k]->id];
	qsort(c->node, (size_t)c->n, sizeof(c->node[0]), by_place);
	for (int k = 0; k < c->n; k++) {
		s->at[c->node[k]->id] = k;
		c->covered[k] = c->joined[k] = c->summed[k] = false;
	}
}

static bool has_sum(const struct cone *c)
{
	for (int k = 0; k < c->n; k++)
		if (is_a(c->node[k], IS_SUM | IS_MIX))
			return true;
	return false;
}

static void look_at(struct cone *c, struct node *root)
{
	struct seeker *s = c->seeker;
	struct change *change;
	bool found = true;

	cone_grow(c, root);
	if (!has_sum(c))
		return;
	change = arena_alloc(&s->scratch, (size_t)c->n * sizeof(*change));
	/* what was found is an atom for what stands above: a gate around a gate */
	for (int round = 0; found && round < MAX_NESTED; round++) {
		found = false;
		cone_polys(c, 0, c->n);
		for (int k = 0; k < c->n; k++)
			if (!c->covered[k] && gate_try(c, k, &change[k]))
				found = true;
	}
	sums_record(c);
	for (int k = 0; k < c->n; k++) /* outer ones first: they read the values of inner ones */
		if (c->joined[k])
			gate_apply(s, &change[k]);
}

/* ---- what is left: ONNX nodes that add or gate, and are in no block ---- */

static void mark_prov(bool *in, const struct prov *p)
{
	for (int k = 0; p != NULL && k < p->n; k++)
		in[prov_at(p, k)] = true;
}

/* What became of ONNX nodes that no cone had a reason for. */
static void explain_rest(struct seeker *s)
{
	bool *alive = arena_alloc(&s->scratch, (size_t)s->g->nonnx + 1);

	for (const struct node *n = s->g->first; n != NULL; n = n->next) {
		const char *why = NULL;

		mark_prov(alive, n->prov);
		if (is_a(n, IS_WEIGHTED))
			why = is_op(n, "Conv")
				      ? "a constant, now in the bias or the weights of a "
					"convolution"
				      : "a constant, now in the bias or the weights of a layer";
		else if (n->op->class != OP_ELEMENTWISE)
			why = arena_printf(s->g->arena, "part of what is now one %s", n->op->name);
		else if (!is_a(n, IS_SUM) && !is_op(n, "Mul"))
			why = arena_printf(
				s->g->arena, "part of an elementwise function (%s)", n->op->name);
		if (why != NULL)
			refuse(s, n->prov, why);
	}
	for (int k = 0; k < s->g->nonnx; k++)
		if (s->why[k] == NULL)
			s->why[k] =
				alive[k] ? "arithmetic between values of which none is a shortcut"
					 : "known at compile time, or read by nobody";
}

/* Mul and the like only where a reason says that it was a gate. */
static bool asks_why(const struct seeker *s, int k)
{
	static const char *const adds[] = { "Add", "Sum", "Mean", "Sub", "Where" };
	const char *op = s->g->onnx[k].op_type;

	for (size_t i = 0; i < sizeof(adds) / sizeof(adds[0]); i++)
		if (strcmp(op, adds[i]) == 0)
			return i < 3 || s->why[k] != NULL;
	return strcmp(op, "Mul") == 0 && s->why[k] != NULL;
}

static void list_refusals(struct seeker *s)
{
	struct graph *g = s->g;
	bool *in = arena_alloc(&s->scratch, (size_t)g->nonnx + 1),
	     *ask = arena_alloc(&s->scratch, (size_t)g->nonnx + 1);

	for (const struct node *n = g->first; n != NULL; n = n->next)
		if (is_op(n, "Mul") && is_float(n->in[0]) && is_float(n->in[1]) &&
			(is_gate(s, n->in[0]) || is_gate(s, n->in[1])))
			refuse(s, n->prov, "a gate, but nothing is added to what it lets through");
	for (int k = 0; k < g->nblock; k++)
		mark_prov(in, g->block[k].join);
	for (int k = 0; k < g->nonnx; k++)
		ask[k] = !in[k] && asks_why(s, k);
	explain_rest(s);
	g->refusal = arena_alloc(g->arena, ((size_t)g->nonnx + 1) * sizeof(*g->refusal));
	for (int k = 0; k < g->nonnx; k++)
		if (ask[k])
			g->refusal[g->nrefusal++] = (struct refusal){ k, s->why[k] };
}

static int last_of(const struct prov *p)
{
	return p != NULL && p->n > 0 ? prov_at(p, p->n - 1) : -1;
}

static int by_onnx(const void *x, const void *y)
{
	const struct block *b = x, *c = y;
	const int p = last_of(b->join), q = last_of(c->join);

	if (p != q)
		return p < q ? -1 : 1;
	return b->kind != c->kind ? (b->kind < c->kind ? -1 : 1) : strcmp(b->shortcut, c->shortcut);
}

void skip(struct graph *g)
{
	struct seeker s = { 0 };
	struct cone *c;
	struct poly *pool;

	seeker_begin(&s, g);
	c = arena_alloc(&s.scratch, sizeof(*c));
	pool = arena_alloc(&s.scratch, MAX_CONE * sizeof(*pool));
	c->seeker = &s;
	for (int k = 0; k < MAX_CONE; k++)
		c->poly[k] = &pool[k];
	for (struct node *n = g->last, *prev; n != NULL; n = prev) {
		prev = n->prev; /* new nodes stand before n, and are not looked at */
		while (prev != NULL && prev->id >= s.nnode)
			prev = prev->prev;
		if (n->id < s.nnode && !s.member[n->id] && n->nout == 1 && is_float(n->out[0]) &&
			is_arithmetic(n))
			look_at(c, n);
	}
	graph_sweep(g);
	if (g->skip_below > 0)
		closed_gates(&s);
	list_refusals(&s);
	if (g->nblock > 0)
		qsort(g->block, (size_t)g->nblock, sizeof(*g->block), by_onnx);
	g->tired = s.steps <= 0 || s.join_steps <= 0;
	g->seen = g;
	seeker_end(&s);
}
