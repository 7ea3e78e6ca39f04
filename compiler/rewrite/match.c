/* Patterns and nodes: whether a rule matches, what its variables stand for, and its replacement built of them. */
#include "rewrite/match.h"

#include <stdlib.h>
#include <string.h>

/* ---- matching ---- */

void nodes_push(struct nodes *l, struct node *n)
{
	if (l->n == l->cap) {
		l->cap = l->cap > 0 ? 2 * l->cap : 64;
		l->node = realloc(l->node, (size_t)l->cap * sizeof(struct node *));
		if (l->node == NULL)
			out_of_memory();
	}
	l->node[l->n++] = n;
}

bool is_constant(const struct tensor *t)
{
	return t != NULL && (is_const(t) || is_lazy_const(t));
}

bool all_constant(const struct node *n)
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

static struct node *put_node(struct match *m, const struct op *op, int nin, struct tensor *const *in)
{
	struct node *n = graph_node(m->g, m->root, op, nin, in, 1, m->prov);

	nodes_push(m->made, n);
	return n;
}

struct node *make(struct match *m, const char *op, int nin, struct tensor *const *in)
{
	return put_node(m, op_find(op), nin, in);
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

/* An operator whose attributes do not say the output's shape gets the root's, or that of the node it stands
 * for. */
static void give_shape(
	struct match *m, struct node *n, const struct term *t, const struct node *model)
{
	const struct tensor *like = t == m->rule->replacement ? m->root->out[0]
				    : model != NULL           ? model->out[0]
							      : NULL;

	if (!is_a(n, IS_OPEN) || like == NULL)
		return;
	n->out[0]->shape = like->shape;
	n->out[0]->known = true;
}

/*
 * An operator of which an operand is absent: what it is with a bias of 0. True: *result says it.
 * Others take the absence over.
 */
static bool absent_operand(
	struct building *b, const struct term *t, struct tensor **in, struct tensor **result)
{
	const char *name = t->op != NULL ? t->op->name : "";
	struct tensor *x = in[0], *y = t->narg > 1 ? in[1] : NULL;

	if (t->op == NULL || (x != NULL && (t->narg == 1 || y != NULL)))
		return false;
	if ((t->op->is & IS_SCALE) != 0 || strcmp(name, "Neg") == 0 || strcmp(name, "Reshape") == 0) {
		*result = NULL;
	} else if (strcmp(name, "Add") == 0) {
		*result = x != NULL ? x : y;
	} else if (strcmp(name, "Sub") == 0 && y == NULL) {
		*result = x;
	} else if (strcmp(name, "Sub") == 0) {
		*result = finish(b->m, make(b->m, "Neg", 1, &y));
		b->failed = b->failed || *result == NULL;
	} else {
		return false;
	}
	return true;
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
	struct node *n = put_node(m, t->op != NULL ? t->op : model->op, nin, in);
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

struct tensor *replacement(struct match *m)
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

bool all_are(const int64_t *v, int n, int64_t value)
{
	for (int k = 0; k < n; k++)
		if (v == NULL || v[k] != value)
			return false;
	return true;
}

/* An absent list is one of ones, or of zeros. */
bool all_are_or_absent(const struct node *n, const char *name, int64_t value)
{
	int count;
	const int64_t *v = attr_ints(n, name, &count);

	return v == NULL || all_are(v, count, value);
}

/* s with 1s in front, so that it has that rank. */
void full_rank(const struct shape *s, int rank, struct shape *full)
{
	full->rank = rank;
	for (int k = 0; k < rank; k++)
		full->dim[k] = k < rank - s->rank ? 1 : s->dim[k - (rank - s->rank)];
}

bool match_pattern(struct match *m, const struct term *pattern)
{
	if (!operands_fit(pattern, m->root) || !match_node(m, pattern, m->root) || !closed(m))
		return false;
	m->prov = union_of(m);
	return true;
}
