/* The graph: nodes in order, tensors with their users, provenance, and the invariants that hold
 * between passes. */
#include "core/skipc.h"

#include <string.h>

struct graph *graph_new(struct arena *a, struct diag *d)
{
	struct graph *g = arena_alloc(a, sizeof(*g));

	g->arena = a;
	g->diag = d;
	g->producer = "";
	return g;
}

/* ---- tensors ---- */

struct tensor *graph_tensor(struct graph *g, const char *name, enum dtype type)
{
	struct tensor *t = arena_alloc(g->arena, sizeof(*t));

	if (g->ntensor == g->tensor_cap) {
		int cap = g->tensor_cap > 0 ? 2 * g->tensor_cap : 64;
		struct tensor **v = arena_alloc(g->arena, (size_t)cap * sizeof(struct tensor *));

		if (g->ntensor > 0)
			memcpy(v, g->tensors, (size_t)g->ntensor * sizeof(struct tensor *));
		g->tensors = v;
		g->tensor_cap = cap;
	}
	t->id = g->ntensor;
	t->name = name != NULL ? name : arena_printf(g->arena, "t%d", t->id);
	t->type = type;
	t->io_type = type;
	g->tensors[g->ntensor++] = t;
	return t;
}

struct tensor *graph_constant(struct graph *g, const char *name, enum dtype type,
	const struct shape *s, enum dtype stored, const void *data)
{
	struct tensor *t = graph_tensor(g, name, type);

	t->shape = *s;
	t->known = true;
	t->stored = stored;
	t->data = data;
	return t;
}

struct tensor *graph_scalar(struct graph *g, enum dtype type, double value)
{
	const struct shape scalar = { .rank = 0 };

	if (dtypes[type].is_float) {
		double *v = arena_alloc(g->arena, sizeof(*v));

		*v = value;
		return graph_constant(g, NULL, type, &scalar, DT_F64, v);
	}
	int64_t *i = arena_alloc(g->arena, sizeof(*i));

	*i = to_i64(value);
	return graph_constant(g, NULL, type, &scalar, DT_I64, i);
}

struct tensor *graph_ints(struct graph *g, int n, const int64_t *v)
{
	const struct shape s = { .rank = 1, .dim = { n } };
	int64_t *copy = arena_alloc(g->arena, (size_t)(n > 0 ? n : 1) * sizeof(*copy));

	if (n > 0)
		memcpy(copy, v, (size_t)n * sizeof(*copy));
	return graph_constant(g, NULL, DT_I64, &s, DT_I64, copy);
}

bool tensor_named(struct arena *a, const struct tensor *t)
{
	return strcmp(t->name, arena_printf(a, "t%d", t->id)) != 0;
}

static void add_use(struct node *n, int k)
{
	struct tensor *t = n->in[k];
	struct use *u = &n->use[k];

	if (t == NULL)
		return;
	*u = (struct use){ .node = n, .prev = t->last_user };
	if (u->prev != NULL)
		u->prev->next = u;
	else
		t->user = u;
	t->last_user = u;
	t->nuser++;
}

static void drop_use(struct node *n, int k)
{
	struct tensor *t = n->in[k];
	struct use *u = &n->use[k];

	if (t == NULL)
		return;
	if (u->prev != NULL)
		u->prev->next = u->next;
	else
		t->user = u->next;
	if (u->next != NULL)
		u->next->prev = u->prev;
	else
		t->last_user = u->prev;
	t->nuser--;
}

/* ---- nodes ---- */

static void link_node(struct graph *g, struct node *n, struct node *before)
{
	n->next = before;
	n->prev = before != NULL ? before->prev : g->last;
	if (n->prev != NULL)
		n->prev->next = n;
	else
		g->first = n;
	if (before != NULL)
		before->prev = n;
	else
		g->last = n;
}

struct node *graph_node(struct graph *g, struct node *before, const struct op *op, int nin,
	struct tensor *const *in, int nout, const struct prov *prov)
{
	struct node *n = arena_alloc(g->arena, sizeof(*n));

	n->id = g->nnode++;
	n->op = op;
	n->nin = nin;
	n->in = arena_alloc(g->arena, (size_t)(nin + 1) * sizeof(struct tensor *));
	n->use = arena_alloc(g->arena, (size_t)(nin + 1) * sizeof(*n->use));
	n->nout = nout;
	n->out = arena_alloc(g->arena, (size_t)(nout + 1) * sizeof(struct tensor *));
	n->prov = prov;
	n->graph = g;
	for (int k = 0; k < nin; k++) {
		n->in[k] = in[k];
		add_use(n, k);
	}
	for (int k = 0; k < nout; k++) {
		n->out[k] = graph_tensor(g, NULL, DT_NONE);
		n->out[k]->def = n;
		n->out[k]->out = k;
	}
	link_node(g, n, before);
	return n;
}

void node_set_input(struct node *n, int k, struct tensor *t)
{
	if (n->in[k] == t)
		return;
	drop_use(n, k);
	n->in[k] = t;
	add_use(n, k);
}

void node_drop_inputs(struct node *n, int from)
{
	for (int k = from; k < n->nin; k++)
		drop_use(n, k);
	if (n->nin > from)
		n->nin = from;
}

void node_remove(struct graph *g, struct node *n)
{
	node_drop_inputs(n, 0);
	if (n->prev != NULL)
		n->prev->next = n->next;
	else
		g->first = n->next;
	if (n->next != NULL)
		n->next->prev = n->prev;
	else
		g->last = n->prev;
	n->dead = true;
}

void tensor_replace(struct graph *g, struct tensor *old, struct tensor *new)
{
	if (old == new)
		return;
	old->became = new;
	new->became = NULL;
	while (old->nuser > 0) {
		struct node *n = old->last_user->node;

		node_set_input(n, (int)(old->last_user - n->use), new);
	}
	if (new->def != NULL && !tensor_named(g->arena, new))
		new->name = old->name; /* the same value: it may go by the name that the model gave
					  it */
	if (new->step == NULL && new->type == old->type)
		new->step = old->step;
	if (!old->is_output)
		return;
	for (int k = 0; k < g->noutput; k++)
		if (g->output[k] == old)
			g->output[k] = new;
	/* The interface's name and type stay; a tensor that was the caller's or an output keeps its
	 * own. */
	if (!new->is_output && !new->is_input && !is_const(new)) {
		new->name = old->name;
		if (old->io_type != DT_NONE) /* a text may leave it out */
			new->io_type = old->io_type;
	}
	new->is_output = true;
	old->is_output = false;
}

struct tensor *tensor_now(struct tensor *t)
{
	while (t->became != NULL)
		t = t->became;
	return t;
}

/* ---- copies ---- */

static void copy_tensor(struct tensor *to, const struct tensor *t)
{
	const struct tensor own = *to;

	*to = *t;
	to->id = own.id;
	to->def = NULL;
	to->user = to->last_user = NULL;
	to->nuser = 0;
	to->became = NULL;
}

struct graph *graph_copy(const struct graph *g)
{
	struct graph *c = arena_alloc(g->arena, sizeof(*c));
	struct tensor **to = arena_alloc(g->arena, (size_t)(g->ntensor + 1) * sizeof(struct tensor *));

	*c = *g;
	c->tensors = NULL;
	c->first = c->last = NULL;
	c->ntensor = c->tensor_cap = c->nnode = 0;
	for (int k = 0; k < g->ntensor; k++) {
		to[k] = graph_tensor(c, g->tensors[k]->name, g->tensors[k]->type);
		copy_tensor(to[k], g->tensors[k]);
	}
	for (const struct node *n = g->first; n != NULL; n = n->next) {
		struct tensor **in = arena_alloc(g->arena, (size_t)(n->nin + 1) * sizeof(struct tensor *));

		for (int k = 0; k < n->nin; k++)
			in[k] = n->in[k] != NULL ? to[n->in[k]->id] : NULL;
		struct node *m = graph_node(c, NULL, n->op, n->nin, in, 0, n->prov);

		m->nout = n->nout;
		m->out = arena_alloc(g->arena, (size_t)(n->nout + 1) * sizeof(struct tensor *));
		for (int k = 0; k < n->nout; k++) {
			m->out[k] = to[n->out[k]->id];
			m->out[k]->def = m;
			m->out[k]->out = k;
		}
		m->nattr = n->nattr;
		m->attr = arena_alloc(g->arena, (size_t)(n->nattr + 1) * sizeof(*m->attr));
		if (n->nattr > 0)
			memcpy(m->attr, n->attr, (size_t)n->nattr * sizeof(*m->attr));
	}
	c->input = arena_alloc(g->arena, (size_t)(g->ninput + 1) * sizeof(struct tensor *));
	c->output = arena_alloc(g->arena, (size_t)(g->noutput + 1) * sizeof(struct tensor *));
	for (int k = 0; k < g->ninput; k++)
		c->input[k] = to[g->input[k]->id];
	for (int k = 0; k < g->noutput; k++)
		c->output[k] = to[g->output[k]->id];
	return c;
}

/* ---- order ---- */

enum { UNSEEN, OPEN, DONE };

/* The first definition that n still waits for, or null. looked: how many inputs wait for nothing. */
static struct node *waits_for(const struct node *n, int *looked)
{
	for (; *looked < n->nin; ++*looked) {
		const struct tensor *t = n->in[*looked];

		if (t != NULL && t->def != NULL && t->def->mark != DONE)
			return t->def;
	}
	return NULL;
}

struct visited {
	struct node *node;
	int looked;
};

/* Appends start to order, after all that it needs; a stack of our own, as chains are long. False: a
 * cycle. */
static bool visit(
	struct graph *g, struct node *start, struct visited *stack, struct node **order, int *count)
{
	int depth = 0;

	stack[depth++] = (struct visited){ .node = start };
	while (depth > 0) {
		struct node *n = stack[depth - 1].node,
			    *need = waits_for(n, &stack[depth - 1].looked);

		if (n->mark == DONE || need == NULL) {
			if (n->mark != DONE)
				order[(*count)++] = n;
			n->mark = DONE;
			depth--;
			continue;
		}
		n->mark = OPEN;
		if (need->mark == OPEN) {
			node_error(g, n,
				"a node may not read, even through others, what is computed from "
				"its own output",
				"the graph has a cycle through this node");
			return false;
		}
		stack[depth++] = (struct visited){ .node = need };
	}
	return true;
}

/* Depth first from each node in the present order: a definition moves up to the first node that
 * needs it, everything else stays where it was. */
void graph_sort(struct graph *g)
{
	struct arena scratch = { 0 };
	struct node **order =
		arena_alloc(&scratch, (size_t)(g->nnode + 1) * sizeof(struct node *));
	struct visited *stack = arena_alloc(&scratch, (size_t)(g->nnode + 1) * sizeof(*stack));
	int count = 0;
	bool ok = true;

	for (struct node *n = g->first; n != NULL; n = n->next)
		n->mark = UNSEEN;
	for (struct node *n = g->first; ok && n != NULL; n = n->next)
		if (n->mark != DONE)
			ok = visit(g, n, stack, order, &count);
	if (ok) {
		g->first = g->last = NULL;
		for (int k = 0; k < count; k++)
			link_node(g, order[k], NULL);
	}
	arena_release(&scratch);
}

/* Backwards, so that one sweep is enough: users stand after definitions. */
void graph_sweep(struct graph *g)
{
	for (struct node *n = g->last, *prev; n != NULL; n = prev) {
		bool used = false;

		prev = n->prev;
		for (int k = 0; k < n->nout; k++)
			used = used || n->out[k]->nuser > 0 || n->out[k]->is_output;
		if (!used)
			node_remove(g, n);
	}
}

static void check_node(struct graph *g, const struct node *n, bool shapes)
{
	if (n->dead || n->graph != g)
		die("node %d (%s) in the list is dead", n->id, n->op->name);
	if (n->prov == NULL)
		die("node %d (%s) has no provenance", n->id, n->op->name);
	for (int k = 0; k < n->nin; k++) {
		const struct tensor *t = n->in[k];

		if (t == NULL)
			continue;
		if (n->use[k].node != n)
			die("node %d (%s) reads %s, which does not know", n->id, n->op->name, t->name);
		if (t->def != NULL && t->def->dead)
			die("node %d (%s) reads %s of a removed node", n->id, n->op->name, t->name);
		if (t->def != NULL && t->def->mark != DONE)
			die("node %d (%s) stands before the definition of %s", n->id, n->op->name,
				t->name);
	}
	for (int k = 0; k < n->nout; k++) {
		if (n->out[k]->def != n || n->out[k]->out != k)
			die("output %d of node %d (%s) has another definition", k, n->id,
				n->op->name);
		if (shapes && (!n->out[k]->known || n->out[k]->type == DT_NONE))
			die("output %d of node %d (%s) has no shape", k, n->id, n->op->name);
	}
}

/* Every use in a tensor's list is an input of a living node that reads it. Returns how many. */
static int64_t check_uses(const struct tensor *t)
{
	const struct use *last = NULL;
	int64_t listed = 0;

	for (const struct use *u = t->user; u != NULL; last = u, u = u->next, listed++) {
		const struct node *n = u->node;

		if (n->dead || u->prev != last || u - n->use >= n->nin || n->in[u - n->use] != t)
			die("tensor %s lists node %d (%s), which does not read it", t->name, n->id,
				n->op->name);
	}
	if (listed != t->nuser || last != t->last_user)
		die("tensor %s has %d uses, %d listed", t->name, t->nuser, (int)listed);
	return listed;
}

void graph_check(struct graph *g, bool shapes)
{
	int64_t uses = 0, listed = 0;

	for (struct node *n = g->first; n != NULL; n = n->next)
		n->mark = UNSEEN;
	for (struct node *n = g->first; n != NULL; n = n->next) {
		check_node(g, n, shapes);
		for (int k = 0; k < n->nin; k++)
			uses += n->in[k] != NULL;
		n->mark = DONE;
	}
	for (int k = 0; k < g->ntensor; k++)
		listed += check_uses(g->tensors[k]);
	if (uses != listed)
		die("nodes read %lld tensors, %lld uses are listed", (long long)uses,
			(long long)listed);
	for (int k = 0; k < g->noutput; k++) {
		const struct tensor *t = g->output[k];

		if (!t->is_output || (t->def != NULL && t->def->dead))
			die("output %d of the graph, %s, is computed by no node", k, t->name);
	}
}

/* ---- attributes ---- */

bool is_op(const struct node *n, const char *name)
{
	return n != NULL && strcmp(n->op->name, name) == 0;
}

bool is_a(const struct node *n, unsigned traits)
{
	return n != NULL && (n->op->is & traits) != 0;
}

bool is_pointwise(const struct node *n)
{
	return n->op->class == OP_ELEMENTWISE || is_a(n, IS_TABLE);
}

const struct attr *node_attr(const struct node *n, const char *name)
{
	for (int k = 0; k < n->nattr; k++)
		if (strcmp(n->attr[k].name, name) == 0)
			return &n->attr[k];
	return NULL;
}

int64_t attr_int(const struct node *n, const char *name, int64_t absent)
{
	const struct attr *a = node_attr(n, name);

	return a != NULL && a->kind == ATTR_INT ? a->i[0] : absent;
}

double attr_float(const struct node *n, const char *name, double absent)
{
	const struct attr *a = node_attr(n, name);

	if (a != NULL && a->kind == ATTR_INT)
		return (double)a->i[0];
	return a != NULL && a->kind == ATTR_FLOAT ? a->f[0] : absent;
}

const char *attr_string(const struct node *n, const char *name, const char *absent)
{
	const struct attr *a = node_attr(n, name);

	return a != NULL && a->kind == ATTR_STRING ? a->s[0] : absent;
}

const int64_t *attr_ints(const struct node *n, const char *name, int *count)
{
	const struct attr *a = node_attr(n, name);
	bool found = a != NULL && (a->kind == ATTR_INTS || a->kind == ATTR_INT);

	*count = found ? a->n : 0;
	return found ? a->i : NULL;
}

/* The place for an attribute of that name, whose values are to come. */
static struct attr *attr_slot(struct graph *g, struct node *n, const char *name, enum attr_kind kind, int count)
{
	for (int k = 0; k < n->nattr; k++) {
		if (strcmp(n->attr[k].name, name) != 0)
			continue;
		n->attr[k] = (struct attr){ .name = n->attr[k].name, .kind = kind, .n = count };
		return &n->attr[k];
	}
	struct attr *v = arena_alloc(g->arena, (size_t)(n->nattr + 1) * sizeof(*v));

	if (n->nattr > 0)
		memcpy(v, n->attr, (size_t)n->nattr * sizeof(*v));
	n->attr = v;
	v[n->nattr] = (struct attr){ .name = arena_strdup(g->arena, name), .kind = kind, .n = count };
	return &v[n->nattr++];
}

void set_ints(struct graph *g, struct node *n, const char *name, int count, const int64_t *v)
{
	int64_t *copy = arena_alloc(g->arena, (size_t)(count + 1) * sizeof(*copy));

	if (count > 0)
		memcpy(copy, v, (size_t)count * sizeof(*copy));
	attr_slot(g, n, name, ATTR_INTS, count)->i = copy;
}

void set_int(struct graph *g, struct node *n, const char *name, int64_t v)
{
	int64_t *i = arena_alloc(g->arena, sizeof(*i));

	*i = v;
	attr_slot(g, n, name, ATTR_INT, 1)->i = i;
}

void set_float(struct graph *g, struct node *n, const char *name, double v)
{
	double *f = arena_alloc(g->arena, sizeof(*f));

	*f = v;
	attr_slot(g, n, name, ATTR_FLOAT, 1)->f = f;
}

void set_string(struct graph *g, struct node *n, const char *name, const char *v)
{
	const char **s = arena_alloc(g->arena, sizeof(*s));

	*s = arena_strdup(g->arena, v);
	attr_slot(g, n, name, ATTR_STRING, 1)->s = s;
}

static bool same_element(const struct attr *a, const struct attr *b, int k)
{
	switch (a->kind) {
	case ATTR_INT:
	case ATTR_INTS:
		return a->i[k] == b->i[k];
	case ATTR_FLOAT:
	case ATTR_FLOATS:
		return a->f[k] == b->f[k];
	case ATTR_STRING:
	case ATTR_STRINGS:
		return strcmp(a->s[k], b->s[k]) == 0;
	case ATTR_TENSOR:
	case ATTR_GRAPH:
	case ATTR_REF:
		break;
	}
	return false;
}

static bool same_attr(const struct attr *a, const struct attr *b)
{
	bool same = a->kind == b->kind && a->n == b->n && (a->n > 0 || a->kind != ATTR_TENSOR);

	for (int k = 0; same && k < a->n; k++)
		same = same_element(a, b, k);
	return same;
}

bool attrs_equal(const struct node *x, const struct node *y)
{
	for (int k = 0; k < x->nattr; k++) {
		const struct attr *a = node_attr(y, x->attr[k].name);

		if (a == NULL || !same_attr(&x->attr[k], a))
			return false;
	}
	return x->nattr == y->nattr;
}

void drop_attr(struct node *n, const char *name)
{
	for (int k = 0; k < n->nattr; k++)
		if (strcmp(n->attr[k].name, name) == 0)
			n->attr[k--] = n->attr[--n->nattr];
}
