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
	struct node **made; /* since the match: taken back if it is refused */
	int nmade, made_cap;
	struct node **dying;
	int ndying, dying_cap;
	struct diag quiet; /* what is tried may be wrong; that is nobody's fault */
	int *hits;         /* by rule; null: nobody counts */
	int stage, stages; /* rules of later ones wait */
};

static void push(struct node ***list, int *n, int *cap, struct node *x)
{
	if (*n == *cap) {
		*cap = *cap > 0 ? 2 * *cap : 64;
		*list = realloc(*list, (size_t)*cap * sizeof(struct node *));
		if (*list == NULL)
			out_of_memory();
	}
	(*list)[(*n)++] = x;
}

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

static void enqueue_users(struct rewriter *r, const struct tensor *t)
{
	for (const struct use *u = t->user; u != NULL; u = u->next)
		enqueue(r, u->node);
}

/* ---- matching ---- */

bool is_constant(const struct tensor *t)
{
	return t != NULL && (is_const(t) || is_lazy_const(t));
}

static bool all_constant(const struct node *n)
{
	for (int k = 0; k < n->nin; k++)
		if (n->in[k] != NULL && !is_constant(n->in[k]))
			return false;
	return n->nin > 0;
}

static bool same_float(double x, double y)
{
	return (float)x <= (float)y && (float)x >= (float)y;
}

static bool set_tensor(struct match *m, int var, struct tensor *t)
{
	struct value *v = &m->value[var];

	if (v->kind != VALUE_NONE)
		return v->kind == VALUE_TENSOR && v->tensor == t;
	v->kind = VALUE_TENSOR;
	v->tensor = t;
	return true;
}

static bool set_number(struct match *m, int var, enum value_kind kind, double number)
{
	struct value *v = &m->value[var];

	if (v->kind != VALUE_NONE)
		return v->kind == kind && same_float(v->number, number);
	v->kind = kind;
	v->number = number;
	return true;
}

/* An absent attribute is 0. */
static bool match_attr(struct match *m, const struct term_attr *p, const struct node *n)
{
	const struct attr *a = node_attr(n, p->name);

	switch (p->kind) {
	case TERM_LITERAL_INT:
	case TERM_LITERAL_FLOAT:
		return same_float(attr_float(n, p->name, 0), p->number);
	case TERM_LITERAL_STRING:
		return strcmp(attr_string(n, p->name, ""), p->string) == 0;
	case TERM_VARIABLE:
		break;
	}
	if (a == NULL || (a->kind != ATTR_INT && a->kind != ATTR_FLOAT))
		return false;
	return set_number(m, p->var, a->kind == ATTR_INT ? VALUE_INT : VALUE_FLOAT,
		attr_float(n, p->name, 0));
}

static bool match_tensor(struct match *m, const struct term *p, struct tensor *t);

/* Operators are compared first: most attempts end there. */
static bool match_node(struct match *m, const struct term *p, struct node *n)
{
	if (p->op != NULL ? n->op != p->op : n->op->class != OP_ELEMENTWISE || n->nin != p->narg)
		return false;
	if (n->nout != 1 || n->nin > p->narg || m->nnode == MAX_MATCHED || all_constant(n))
		return false;
	m->node[m->nnode] = n;
	m->term[m->nnode++] = p;
	for (int k = 0; k < p->nattr; k++)
		if (!match_attr(m, &p->attr[k], n))
			return false;
	for (int k = 0; k < p->narg; k++)
		if (!match_tensor(m, p->arg[k], k < n->nin ? n->in[k] : NULL))
			return false;
	return true;
}

static bool match_tensor(struct match *m, const struct term *p, struct tensor *t)
{
	double v;

	switch (p->kind) {
	case TERM_TENSOR:
		return (t != NULL || p->optional) && set_tensor(m, p->var, t);
	case TERM_CONSTANT:
		return (t != NULL ? is_constant(t) : p->optional) && set_tensor(m, p->var, t);
	case TERM_NUMBER:
		return t != NULL && is_const(t) && const_uniform(t, &v) && same_float(v, p->number);
	case TERM_NODE:
		return t != NULL && t->def != NULL && match_node(m, p, t->def);
	case TERM_FORM:
		break;
	}
	return false;
}

static bool in_match(const struct match *m, const struct node *n)
{
	for (int k = 0; k < m->nnode; k++)
		if (m->node[k] == n)
			return true;
	return false;
}

/* Inner values are nobody else's. */
static bool closed(const struct match *m)
{
	for (int k = 1; k < m->nnode; k++) {
		const struct tensor *t = m->node[k]->out[0];

		if (m->term[k]->shared || m->node[k] == m->root)
			continue;
		if (t->is_output || t->nuser > MAX_MATCHED * MAX_ARGS)
			return false;
		for (const struct use *u = t->user; u != NULL; u = u->next)
			if (!in_match(m, u->node))
				return false;
	}
	return true;
}

/* ---- what guards and functions ask ---- */

static int var_named(const struct match *m, const char *name)
{
	for (int k = 0; k < m->rule->nvar; k++)
		if (strcmp(m->rule->var[k], name) == 0)
			return k;
	return -1;
}

static int var_to_bind(const struct match *m, const char *name)
{
	const int var = var_named(m, name);

	if (var < 0)
		die("rules.def: `%s` has no %s", m->rule->row->text, name);
	return var;
}

struct tensor *bound(const struct match *m, const char *name)
{
	const int var = var_named(m, name);

	return var >= 0 && m->value[var].kind == VALUE_TENSOR ? m->value[var].tensor : NULL;
}

struct node *matched(const struct match *m, const char *op, int k)
{
	for (int i = 0; i < m->nnode; i++)
		if (strcmp(m->node[i]->op->name, op) == 0 && k-- == 0)
			return m->node[i];
	return NULL;
}

void bind_tensor(struct match *m, const char *name, struct tensor *t)
{
	m->value[var_to_bind(m, name)] = (struct value){ .kind = VALUE_TENSOR, .tensor = t };
}

void bind_number(struct match *m, const char *name, double v)
{
	m->value[var_to_bind(m, name)] = (struct value){ .kind = VALUE_FLOAT, .number = v };
}

void bind_int(struct match *m, const char *name, int64_t v)
{
	m->value[var_to_bind(m, name)] = (struct value){ .kind = VALUE_INT, .number = (double)v };
}

void bind_ints(struct match *m, const char *name, int n, const int64_t *v)
{
	int64_t *copy = arena_alloc(m->g->arena, (size_t)(n + 1) * sizeof(*copy));

	if (n > 0)
		memcpy(copy, v, (size_t)n * sizeof(*copy));
	m->value[var_to_bind(m, name)] = (struct value){ .kind = VALUE_INTS, .i = copy, .n = n };
}

void bind_shape(struct match *m, const char *name, const struct shape *s)
{
	bind_ints(m, name, s->rank, s->dim);
}

/* ---- making ---- */

static struct node *place(struct match *m, const struct op *op, int nin, struct tensor *const *in)
{
	struct rewriter *r = m->rewriter;
	struct node *n = graph_node(m->g, m->root, op, nin, in, 1, m->prov);

	push(&r->made, &r->nmade, &r->made_cap, n);
	return n;
}

struct node *make(struct match *m, const char *op, int nin, struct tensor *const *in)
{
	return place(m, op_find(op), nin, in);
}

struct tensor *finish(struct match *m, struct node *n)
{
	struct tensor *t = n->out[0];

	if (!infer(m->g, n) || n->dead || !t->known)
		return NULL;
	if (all_constant(n) && shape_count(&t->shape) <= LAZY_COUNT)
		evaluate(m->g, n);
	return t;
}

struct tensor *make_reshape(struct match *m, struct tensor *x, const struct shape *s)
{
	struct node *n = make(m, "Reshape", 1, &x);

	n->out[0]->shape = *s;
	n->out[0]->known = true;
	return finish(m, n);
}

/* What is made of one replacement: terms of equal text are one value. */
struct building {
	struct match *m;
	const struct term *term[32];
	struct tensor *value[32];
	int n;
	bool failed;
};

static struct tensor *build(struct building *b, const struct term *t);

/* The matched node whose attributes a new node of that term takes over: the same operator's. */
static const struct node *model_of(const struct match *m, const struct term *t)
{
	for (int k = 0; k < m->nnode; k++)
		if (t->op != NULL ? m->node[k]->op == t->op
				  : m->term[k]->var == t->var && m->term[k]->op == NULL)
			return m->node[k];
	return NULL;
}

static void give_attr(struct match *m, struct node *n, const struct term_attr *a)
{
	const struct value *v = a->kind == TERM_VARIABLE ? &m->value[a->var] : NULL;

	if (strcmp(a->name, "shape") == 0) { /* of the output */
		if (v == NULL || v->kind != VALUE_INTS || v->n > MAX_RANK)
			die("rules.def: `%s`: shape is no list", m->rule->row->text);
		n->out[0]->known = true;
		n->out[0]->shape.rank = v->n;
		for (int k = 0; k < v->n; k++)
			n->out[0]->shape.dim[k] = v->i[k];
	} else if (v != NULL && v->kind == VALUE_INTS) {
		set_ints(m->g, n, a->name, v->n, v->i);
	} else if (a->kind == TERM_LITERAL_STRING) {
		set_string(m->g, n, a->name, a->string);
	} else if (a->kind == TERM_LITERAL_FLOAT || (v != NULL && v->kind == VALUE_FLOAT)) {
		set_float(m->g, n, a->name, v != NULL ? v->number : a->number);
	} else if (a->kind == TERM_LITERAL_INT || (v != NULL && v->kind == VALUE_INT)) {
		set_int(m->g, n, a->name, (int64_t)(v != NULL ? v->number : a->number));
	} else {
		die("rules.def: `%s`: nothing is known as %s", m->rule->row->text, a->name);
	}
}

/* Operators whose attributes do not say the output's shape (of pools: the ceil mode): it is the
 * root's, or that of the node they stand for. */
static void give_shape(
	struct match *m, struct node *n, const struct term *t, const struct node *model)
{
	static const char *const names[] = { "Reshape", "Expand", "Slice", "AveragePool",
		"MaxPool" };
	const struct tensor *like = t == m->rule->replacement ? m->root->out[0]
				    : model != NULL           ? model->out[0]
							      : NULL;

	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]) && like != NULL; k++) {
		if (strcmp(n->op->name, names[k]) != 0)
			continue;
		n->out[0]->shape = like->shape;
		n->out[0]->known = true;
	}
}

/*
 * An operator of which an operand is absent: what it is with a bias of 0. True: *result says it.
 * Others take the absence over.
 */
static bool absent_operand(
	struct building *b, const struct term *t, struct tensor **in, struct tensor **result)
{
	static const char *const vanish[] = { "Mul", "Div", "Neg", "Reshape" };
	const char *name = t->op != NULL ? t->op->name : "";
	struct tensor *x = in[0], *y = t->narg > 1 ? in[1] : NULL;

	for (size_t k = 0; k < sizeof(vanish) / sizeof(vanish[0]); k++)
		if (strcmp(name, vanish[k]) == 0 && (x == NULL || (t->narg > 1 && y == NULL))) {
			*result = NULL;
			return true;
		}
	if (strcmp(name, "Add") == 0 && (x == NULL || y == NULL)) {
		*result = x != NULL ? x : y;
		return true;
	}
	if (strcmp(name, "Sub") == 0 && y == NULL) {
		*result = x;
		return true;
	}
	if (strcmp(name, "Sub") == 0 && x == NULL) {
		*result = finish(b->m, make(b->m, "Neg", 1, &y));
		b->failed = b->failed || *result == NULL;
		return true;
	}
	return false;
}

/* A rule that lets operators change places keeps each one's origin; others mix them. */
static const struct prov *origin_of(
	const struct match *m, const struct term *t, const struct node *model)
{
	const struct prov *rest = NULL;
	bool swaps = false;

	for (int k = 0; k < m->nnode; k++) {
		if (m->term[k]->op == NULL)
			swaps = true;
		else
			rest = prov_union(m->g->arena, rest, m->node[k]->prov);
	}
	if (!swaps || rest == NULL)
		return m->prov;
	return t->op == NULL && model != NULL ? model->prov : rest;
}

static struct tensor *build_node(struct building *b, const struct term *t)
{
	struct match *m = b->m;
	struct tensor *in[MAX_ARGS] = { NULL }, *result;
	const struct node *model = model_of(m, t);
	int nin = t->narg;

	for (int k = 0; k < t->narg; k++)
		in[k] = build(b, t->arg[k]);
	if (b->failed)
		return NULL;
	if (absent_operand(b, t, in, &result))
		return result;
	while (nin > 0 && in[nin - 1] == NULL)
		nin--;
	/* cppcheck-suppress nullPointerRedundantCheck -- a term without operator has a model */
	struct node *n = place(m, t->op != NULL ? t->op : model->op, nin, in);
	n->prov = origin_of(m, t, model);
	if (model != NULL && model->nattr > 0) {
		n->attr = arena_alloc(m->g->arena, (size_t)model->nattr * sizeof(*n->attr));
		memcpy(n->attr, model->attr, (size_t)model->nattr * sizeof(*n->attr));
		n->nattr = model->nattr;
	}
	give_shape(m, n, t, model);
	for (int k = 0; k < t->nattr; k++)
		give_attr(m, n, &t->attr[k]);
	result = finish(m, n);
	b->failed = b->failed || result == NULL;
	return result;
}

static struct tensor *build_form(struct building *b, const struct term *t)
{
	struct tensor *x = build(b, t->arg[0]), *y;

	if (b->failed || x == NULL)
		return NULL;
	y = t->form(b->m, x);
	b->failed = b->failed || y == NULL;
	return y;
}

static enum dtype number_type(const struct match *m)
{
	const enum dtype type = m->root->out[0]->type;

	return type == DT_BOOL ? DT_F32 : type;
}

static struct tensor *build(struct building *b, const struct term *t)
{
	struct tensor *x = NULL;

	if (t->kind == TERM_TENSOR || t->kind == TERM_CONSTANT) {
		const struct value *v = &b->m->value[t->var];

		if (v->kind == VALUE_TENSOR)
			return v->tensor;
		if (v->kind != VALUE_FLOAT && v->kind != VALUE_INT)
			die("rules.def: `%s`: %s has no value", b->m->rule->row->text,
				b->m->rule->var[t->var]);
		return graph_scalar(b->m->g, number_type(b->m), v->number);
	}
	if (t->kind == TERM_NUMBER)
		return graph_scalar(b->m->g, number_type(b->m), t->number);
	for (int k = 0; k < b->n; k++)
		if (b->term[k]->length == t->length &&
			memcmp(b->term[k]->text, t->text, (size_t)t->length) == 0)
			return b->value[k];
	x = t->kind == TERM_FORM ? build_form(b, t) : build_node(b, t);
	if (b->n < (int)(sizeof(b->term) / sizeof(b->term[0]))) {
		b->term[b->n] = t;
		b->value[b->n++] = x;
	}
	return x;
}

/* ---- replacing ---- */

/* Takes back what was made since the match. */
static void take_back(struct rewriter *r)
{
	while (r->nmade > 0) {
		struct node *n = r->made[--r->nmade];

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

/* Removes n, which nobody reads, and what only it read. Users that are left may match now. */
static void bury(struct rewriter *r, struct node *n)
{
	push(&r->dying, &r->ndying, &r->dying_cap, n);
	while (r->ndying > 0) {
		struct node *d = r->dying[--r->ndying];
		const int nin = d->nin;

		if (d->dead || !unused(d))
			continue;
		node_remove(r->g, d); /* d->in is still there, but no longer counted */
		for (int k = 0; k < nin; k++) {
			if (d->in[k] == NULL || d->in[k]->def == NULL)
				continue;
			enqueue_users(r, d->in[k]);
			if (unused(d->in[k]->def))
				push(&r->dying, &r->ndying, &r->dying_cap, d->in[k]->def);
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
	if (strcmp(m->root->op->name, "Reshape") == 0 && m->root->in[0] == new)
		return NULL;
	return make_reshape(m, new, &old->shape);
}

static void commit(struct rewriter *r, struct match *m, struct tensor *new)
{
	struct tensor *old = m->root->out[0];

	if (r->hits != NULL)
		r->hits[m->rule->index]++;
	for (int k = 0; k < r->nmade; k++) {
		if (r->made[k]->dead)
			continue;
		if (r->made[k] == new->def)
			new->name = old->name;
		enqueue(r, r->made[k]);
	}
	r->nmade = 0;
	tensor_replace(r->g, old, new);
	enqueue_users(r, new);
	bury(r, m->root);
}

bool same_type(const struct tensor *x, const struct tensor *y)
{
	return x->known && y->known && x->type == y->type && shape_equal(&x->shape, &y->shape);
}

static const struct prov *union_of(const struct match *m)
{
	const struct prov *p = NULL;

	for (int k = 0; k < m->nnode; k++)
		p = prov_union(m->g->arena, p, m->node[k]->prov);
	return p;
}

static struct tensor *replacement(struct match *m)
{
	struct building b = { .m = m };
	struct tensor *t = build(&b, m->rule->replacement);

	return b.failed ? NULL : t;
}

/* Could the operands be computed by what the pattern wants? Most variants end here. */
static bool operands_fit(const struct term *p, const struct node *n)
{
	for (int k = 0; k < p->narg && k < n->nin; k++) {
		const struct term *arg = p->arg[k];

		if (arg->kind == TERM_NODE && arg->op != NULL &&
			(n->in[k] == NULL || n->in[k]->def == NULL || n->in[k]->def->op != arg->op))
			return false;
	}
	return true;
}

static bool attempt(struct rewriter *r, const struct variant *v, struct node *root)
{
	const struct rule_row *row = v->rule->row;
	struct tensor *new;

	if (row->function == NULL && !operands_fit(v->pattern, root))
		return false;
	struct match m = { .g = r->g, .rewriter = r, .rule = v->rule, .root = root };

	if (row->function != NULL) {
		m.node[m.nnode++] = root;
		m.prov = root->prov;
		new = row->function(&m);
	} else {
		if (!match_node(&m, v->pattern, root) || !closed(&m) ||
			(row->guard != NULL && !row->guard(&m)))
			return false;
		m.prov = union_of(&m);
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

/* Of equal nodes one is enough. Where both are outputs both stay; the kept one stands for both. */
static bool merge(struct rewriter *r, struct node *n)
{
	struct node *twin = r->stage > r->stages ? twin_of(n) : NULL;

	if (twin == NULL || (n->out[0]->is_output && twin->out[0]->is_output))
		return false;
	if (n->out[0]->is_output) {
		struct node *other = n;

		n = twin;
		twin = other;
	}
	twin->prov = prov_union(r->g->arena, twin->prov, n->prov);
	tensor_replace(r->g, n->out[0], twin->out[0]);
	enqueue_users(r, twin->out[0]);
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
	free(r.made);
	free(r.dying);
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
