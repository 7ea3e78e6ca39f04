/* Names, and the order of nodes. */
#include "import/scope.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static struct name **find_slot(const struct names *m, const char *name, uint64_t hash)
{
	size_t k = (size_t)hash & (size_t)(m->cap - 1);

	while (m->slot[k] != NULL &&
		(m->slot[k]->hash != hash || strcmp(m->slot[k]->name, name) != 0))
		k = (k + 1) & (size_t)(m->cap - 1);
	return &m->slot[k];
}

struct name *names_find(const struct names *m, const char *name)
{
	return m->cap > 0 ? *find_slot(m, name, hash_text(name)) : NULL;
}

static void grow(struct arena *a, struct names *m)
{
	struct names old = *m;

	m->cap = old.cap > 0 ? 2 * old.cap : 16;
	m->slot = arena_alloc(a, (size_t)m->cap * sizeof(*m->slot));
	for (int k = 0; k < old.cap; k++)
		if (old.slot[k] != NULL)
			*find_slot(m, old.slot[k]->name, old.slot[k]->hash) = old.slot[k];
}

struct name *names_add(struct arena *a, struct names *m, const char *name)
{
	const uint64_t hash = hash_text(name);

	if (2 * (m->n + 1) > m->cap)
		grow(a, m);
	struct name **slot = find_slot(m, name, hash);

	if (*slot == NULL) {
		*slot = arena_alloc(a, sizeof(**slot));
		**slot = (struct name){ .name = name, .hash = hash, .producer = -2 };
		m->n++;
	}
	return *slot;
}

/* ---- messages ---- */

/* Where inside the ONNX node: `in function "f", node "n" (Op): `. */
static const char *place_node(struct importer *im, const struct scope *scope, const struct raw_node *raw)
{
	struct arena *a = im->arena;
	const char *in = "", *node = "";

	if (scope->index < 0)
		return "";
	if (scope->function != NULL)
		in = arena_printf(a, "in function \"%s\"%s", escape(a, scope->function->name),
			raw != NULL ? ", " : ": ");
	if (raw != NULL)
		node = arena_printf(a, "node \"%s\" (%s): ",
			escape(a, raw->name[0] != '\0' || raw->nout == 0 ? raw->name : raw->out[0]),
			escape(a, raw->op_type));
	return arena_printf(a, "%s%s", in, node);
}

void scope_error(struct importer *im, const struct scope *scope, const struct raw_node *raw,
	int position, const char *hint, const char *text)
{
	/* NOLINTNEXTLINE: errors have a scope */
	const int index = scope->index >= 0 ? scope->index : position;

	if (index >= 0)
		onnx_error(im->g, index, hint, "%s%s", place_node(im, scope, raw), text);
	else
		model_error(im->g->diag, hint, "%s", text);
}

/* ---- order ---- */

/* For each node the nodes of the same list that it waits for: dep[start[k]] .. dep[start[k + 1] -
 * 1]. */
struct deps {
	int *dep, *start;
	int n, cap;
};

static void add_cap(struct deps *d)
{
	const int cap = d->cap > 0 ? 2 * d->cap : 256;
	int *more = realloc(d->dep, (size_t)cap * sizeof(*more));

	if (more == NULL)
		out_of_memory();
	d->dep = more;
	d->cap = cap;
}

static void add_dep(struct deps *d, const struct names *names, const char *name)
{
	const struct name *e = name[0] != '\0' ? names_find(names, name) : NULL;

	if (e == NULL || e->producer < 0)
		return;
	if (d->n == d->cap)
		add_cap(d);
	d->dep[d->n++] = e->producer;
}

/* Inputs, and whatever its branches read from outside (or by a name of their own that is the same).
 * Branches nest as deeply as wire.c lets them. */
static void node_deps(struct deps *d, const struct names *names, const struct raw_node *raw)
{
	for (int k = 0; k < raw->nin; k++)
		add_dep(d, names, raw->in[k]);
	for (int k = 0; k < raw->nattr; k++) {
		const struct raw_graph *g = raw->graph[k];

		for (int i = 0; g != NULL && i < g->nnode; i++)
			node_deps(d, names, &g->node[i]);
		for (int i = 0; g != NULL && i < g->noutput; i++)
			add_dep(d, names, g->output[i].name);
	}
}

struct walk {
	struct importer *im;
	const struct scope *scope;
	const struct raw_node *node;
	struct deps deps;
	int *state; /* 0 unseen, 1 open, 2 done; then how many of its dependencies were looked at */
	int *looked, *stack, *order;
	int depth, count;
};

static void report_cycle(struct walk *w, int back)
{
	struct arena *a = w->im->arena;
	const char *text = "the graph has a cycle:";
	int k = w->depth - 1, shown = 0;

	while (k > 0 && w->stack[k] != back)
		k--;
	for (; k <= w->depth && shown < 8; k++, shown++) {
		const struct raw_node *n = &w->node[k < w->depth ? w->stack[k] : back];
		const bool named = n->name[0] != '\0';

		text = arena_printf(a, "%s%s \"%s\"", text, shown > 0 ? " ->" : "",
			escape(a, named         ? n->name
				  : n->nout > 0 ? n->out[0]
						: ""));
	}
	scope_error(w->im, w->scope, &w->node[back], back,
		"a node may not read, even through others, what is computed from its own output",
		k <= w->depth ? arena_printf(a, "%s -> ..", text) : text);
}

static bool walk_from(struct walk *w, int start)
{
	w->stack[w->depth++] = start;
	w->state[start] = 1;
	while (w->depth > 0) {
		const int n = w->stack[w->depth - 1];
		const int at = w->deps.start[n] + w->looked[n];

		if (at == w->deps.start[n + 1]) {
			w->state[n] = 2;
			w->order[w->count++] = n;
			w->depth--;
			continue;
		}
		w->looked[n]++;
		/* NOLINTNEXTLINE: there is one: not at the end of n's list */
		const int next = w->deps.dep[at];

		if (w->state[next] == 1) {
			report_cycle(w, next);
			return false;
		}
		if (w->state[next] == 0) {
			w->state[next] = 1;
			w->stack[w->depth++] = next;
		}
	}
	return true;
}

static bool declare_outputs(
	struct importer *im, struct scope *scope, const struct raw_node *node, int n)
{
	bool ok = true;

	for (int k = 0; k < n; k++) {
		for (int i = 0; i < node[k].nout; i++) {
			const char *name = node[k].out[i];

			if (name[0] == '\0')
				continue;
			struct name *e = names_add(im->arena, &scope->names, name);

			if (e->producer != -2) {
				scope_error(im, scope, &node[k], k,
					"every name must be defined once",
					arena_printf(im->arena,
						"output \"%s\" is already defined, by %s",
						escape(im->arena, name),
						e->producer >= 0 ? "another node"
								 : "an input or initializer"));
				ok = false;
			}
			e->producer = k;
		}
	}
	return ok;
}

int *scope_order(struct importer *im, struct scope *scope, const struct raw_node *node, int n)
{
	struct arena tmp = { 0 };
	const size_t size = ((size_t)n + 1) * sizeof(int);
	struct walk w = { .im = im, .scope = scope, .node = node };
	bool ok = declare_outputs(im, scope, node, n);

	w.state = arena_alloc(&tmp, size);
	w.looked = arena_alloc(&tmp, size);
	w.stack = arena_alloc(&tmp, size);
	w.deps.start = arena_alloc(&tmp, size);
	w.order = arena_alloc(im->arena, size);
	add_cap(&w.deps); /* null is no list to begin in */
	for (int k = 0; k < n; k++) {
		node_deps(&w.deps, &scope->names, &node[k]);
		w.deps.start[k + 1] = w.deps.n;
	}
	for (int k = 0; ok && k < n; k++)
		if (w.state[k] == 0)
			ok = walk_from(&w, k);
	free(w.deps.dep);
	arena_release(&tmp);
	return ok ? w.order : NULL;
}

/* ---- values ---- */

static bool is_ready(struct importer *im, struct name *e)
{
	if (e->state != NAME_INIT)
		return e->state == NAME_READY;
	if (e->init->type == DT_NONE)
		return false;
	e->tensor = graph_constant(im->g, e->init->name, e->init->type, &e->init->shape,
		e->init->stored, e->init->data);
	e->tensor->bits = e->init->bits;
	e->state = NAME_READY;
	return true;
}

bool scope_resolve(struct importer *im, const struct scope *scope, const struct raw_node *raw,
	int position, const char *name, struct tensor **t)
{
	struct arena *a = im->arena;
	const char *shown = escape(a, name), *hint = NULL, *text = NULL;
	struct name *e = NULL;

	for (const struct scope *s = scope; s != NULL && e == NULL; s = s->outer)
		e = names_find(&s->names, name);
	*t = NULL;
	if (e != NULL && is_ready(im, e)) {
		*t = e->tensor;
		return true;
	}
	if (e == NULL || e->state == NAME_DECLARED) {
		text = arena_printf(a,
			"\"%s\" is not defined: no node, input or initializer has that name",
			shown);
	} else if (e->state == NAME_INIT) {
		hint = hint_type(e->init->data);
		text = arena_printf(a, "\"%s\" has element type %s, which is not supported", shown,
			(const char *)e->init->data);
	} else if (e->state == NAME_UNSUPPORTED) {
		hint = "only the operator's first output is supported";
		text = arena_printf(a, "it needs \"%s\", an output of %s that is not supported",
			shown, escape(a, e->from->op_type));
	}
	if (text != NULL)
		scope_error(im, scope, raw, position, hint, text);
	return false;
}
