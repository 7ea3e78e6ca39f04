/*
 * Rewriting by rules.def to a fixed point. A queue of nodes, each tried as the root of the rules
 * for its operator; what a rewrite touches is queued again, so that chains take linear time.
 * Nothing here recurses over the graph: recursion is over patterns, which are a few nodes deep.
 *
 * The engine and not the rules sees to it that
 * - no inner value of a match is used outside it or is an output (but for nodes marked & in the
 * rule, which stay for their other users);
 * - what replaces a value has its type and shape;
 * - nothing shared is changed: all is made anew, and what nobody reads any more is removed.
 */
#include "rewrite/match.h"

#include <stdlib.h>
#include <string.h>

struct rewriter {
	struct graph *g;
	struct arena scratch; /* the rules */
	struct variant **by_op;
	struct node **queue; /* a ring */
	int head, count, cap;
	struct nodes made; /* since the match: taken back if it is refused */
	struct nodes dying;
	struct diag quiet; /* what is tried may be wrong; that is nobody's fault */
	int *hits;         /* by rule; null: nobody counts */
	int stage, stages; /* rules of later ones wait */
};

/* node.mark: it is in the queue. */
static void enqueue(struct rewriter *r, struct node *n)
{
	if (n->mark != 0 || n->dead)
		return;
	if (r->count == r->cap) {
		const int cap = r->cap > 0 ? 2 * r->cap : 256;
		struct node **ring = malloc((size_t)cap * sizeof(struct node *));

		if (ring == NULL)
			out_of_memory();
		for (int k = 0; k < r->count; k++)
			ring[k] = r->queue[(r->head + k) % r->cap];
		free(r->queue);
		r->queue = ring;
		r->cap = cap;
		r->head = 0;
	}
	r->queue[(r->head + r->count++) % r->cap] = n;
	n->mark = 1;
}

/* ---- replacing ---- */

/* Who read old reads new, and may match now: of new's users only those, which may be few of many. */
static void replace_in_users(struct rewriter *r, struct tensor *old, struct tensor *new)
{
	const struct use *last = new->last_user;

	tensor_replace(r->g, old, new);
	for (const struct use *u = last != NULL ? last->next : new->user; u != NULL; u = u->next)
		enqueue(r, u->node);
}

/* Takes back what was made since the match. */
static void take_back(struct rewriter *r)
{
	while (r->made.n > 0) {
		struct node *n = r->made.node[--r->made.n];

		if (!n->dead)
			node_remove(r->g, n);
	}
}

static bool unused(const struct node *n)
{
	for (int k = 0; k < n->nout; k++)
		if (n->out[k]->nuser > 0 || n->out[k]->is_output)
			return false;
	return true;
}

/* Removes n, which nobody reads, and what only it read. Users that are left may match now, if they are few. */
static void bury(struct rewriter *r, struct node *n)
{
	enum { FEW = 8 };

	nodes_push(&r->dying, n);
	while (r->dying.n > 0) {
		struct node *d = r->dying.node[--r->dying.n];
		const int nin = d->nin;

		if (d->dead || !unused(d))
			continue;
		node_remove(r->g, d); /* d->in is still there, but no longer counted */
		for (int k = 0; k < nin; k++) {
			if (d->in[k] == NULL || d->in[k]->def == NULL)
				continue;
			for (const struct use *u = d->in[k]->user; u != NULL && d->in[k]->nuser <= FEW; u = u->next)
				enqueue(r, u->node);
			if (unused(d->in[k]->def))
				nodes_push(&r->dying, d->in[k]->def);
		}
	}
}

/*
 * An output of the graph cannot become an input, a constant, or another output: a Reshape to its
 * own shape is the copy. Null: the root is that copy, and stays.
 */
static struct tensor *apart(struct match *m, struct tensor *old, struct tensor *new)
{
	if (!old->is_output || !(new->is_input || new->is_output || is_constant(new)))
		return new;
	if (is_op(m->root, "Reshape") && m->root->in[0] == new)
		return NULL;
	return make_reshape(m, new, &old->shape);
}

static void commit(struct rewriter *r, struct match *m, struct tensor *new)
{
	struct tensor *old = m->root->out[0];

	if (r->hits != NULL)
		r->hits[m->rule->index]++;
	for (int k = 0; k < r->made.n; k++) {
		struct node *n = r->made.node[k];

		if (n->dead)
			continue;
		if (n == new->def)
			new->name = old->name;
		enqueue(r, n);
	}
	r->made.n = 0;
	replace_in_users(r, old, new);
	bury(r, m->root);
}

static bool attempt(struct rewriter *r, const struct variant *v, struct node *root)
{
	const struct rule_row *row = v->rule->row;
	struct tensor *new;

	struct match m = { .g = r->g, .made = &r->made, .rule = v->rule, .root = root };

	if (row->function != NULL) {
		m.node[m.nnode++] = root;
		m.prov = root->prov;
		new = row->function(&m);
	} else {
		if (!match_pattern(&m, v->pattern) || (row->guard != NULL && !row->guard(&m)))
			return false;
		new = replacement(&m);
	}
	if (new != NULL &&new != root->out[0] && same_type(root->out[0], new))
		new = apart(&m, root->out[0], new);
	else
		new = NULL;
	if (new == NULL) {
		take_back(r);
		return false;
	}
	commit(r, &m, new);
	return true;
}

/* Of equal nodes one is enough, one that many read rather. Where both are outputs both stay; the kept one stands
 * for both. */
static bool merge(struct rewriter *r, struct node *n)
{
	enum { MANY = 16 };
	struct node *twin = r->stage > r->stages ? twin_of(n) : NULL;

	if (twin == NULL || (n->out[0]->is_output && twin->out[0]->is_output))
		return false;
	if (n->out[0]->is_output || (n->out[0]->nuser > MANY * (1 + twin->out[0]->nuser) && !twin->out[0]->is_output)) {
		struct node *other = n;

		n = twin;
		twin = other;
	}
	twin->prov = prov_union(r->g->arena, twin->prov, n->prov);
	replace_in_users(r, n->out[0], twin->out[0]);
	bury(r, n);
	return true;
}

static bool visit(struct rewriter *r, struct node *n)
{
	if (n->dead || n->nout != 1 || !n->out[0]->known || all_constant(n))
		return false;
	for (const struct variant *v = r->by_op[n->op - op_at(0)]; v != NULL; v = v->next)
		if (v->rule->stage <= r->stage && attempt(r, v, n))
			return true;
	return merge(r, n);
}

/*
 * Rounds over all nodes until nothing changes. The queue finds nearly all that a rewrite makes
 * possible; a round more finds the rest: guards that look further than their pattern.
 */
static void run(struct rewriter *r)
{
	const int64_t most = 100 * ((int64_t)r->g->nnode + 100);
	int64_t done = 0;
	bool changed;

	do {
		changed = false;
		for (struct node *n = r->g->first; n != NULL; n = n->next)
			n->mark = 0;
		for (struct node *n = r->g->first; n != NULL; n = n->next)
			enqueue(r, n);
		while (r->count > 0) {
			struct node *n = r->queue[r->head];

			r->head = (r->head + 1) % r->cap;
			r->count--;
			n->mark = 0;
			if (!visit(r, n))
				continue;
			changed = true;
			if (++done > most)
				die("rules.def: rewriting does not come to an end");
		}
	} while (changed);
}

void rewrite_counting(struct graph *g, int *hits)
{
	struct diag *diag = g->diag;
	struct rewriter r = {
		.g = g, .hits = hits, .quiet = { .path = diag->path, .to = diag->to }
	};

	r.quiet.errors = 1000000; /* far beyond what is printed */
	r.by_op = rules_compile(&r.scratch);
	graph_sweep(g);
	g->diag = &r.quiet;
	for (int k = 0; rule_rows[k].pattern != NULL; k++)
		r.stages += rule_rows[k].text == NULL;
	for (; r.stage <= r.stages + 1; r.stage++) /* the last one merges as well */
		run(&r);
	g->diag = diag;
	free(r.queue);
	free(r.made.node);
	free(r.dying.node);
	arena_release(&r.scratch);
	graph_sort(g); /* a merged node may stand below users of its twin */
	fold(g);
	graph_sweep(g);
}

void rewrite(struct graph *g)
{
	rewrite_counting(g, NULL);
}

int rule_count(void)
{
	int n = 0;

	while (rule_rows[n].pattern != NULL)
		n++;
	return n;
}

const char *rule_text(int k)
{
	return rule_rows[k].text;
}
