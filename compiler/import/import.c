/*
 * Raw model -> graph. Nodes are converted in an order in which definitions stand before uses; a
 * call of a function and an If with a constant condition are converted in place, in a scope of
 * their own. What could not be converted leaves a mark on its outputs, so that one fault gives one
 * message.
 */
#include "import/scope.h"

#include <stdarg.h>
#include <string.h>

enum {
	MAX_WORK = 1000000, /* nodes and names after inlining: functions can double at each level */
	MAX_NEST = 64       /* calls and branches inside each other */
};

static bool import_nodes(
	struct importer *im, struct scope *scope, const struct raw_node *node, int n);

/* An operator or function as one name. */
static const char *function_key(
	struct arena *a, const char *domain, const char *name, const char *overload)
{
	return arena_printf(a, "%s\n%s\n%s", domain, name, overload);
}

/* ---- scopes ---- */

static struct scope *inner_scope(struct site *s)
{
	struct scope *in = arena_alloc(s->im->arena, sizeof(*in));

	*in = *s->scope;
	in->names = (struct names){ 0 };
	in->caller = s->scope;
	in->depth = s->scope->depth + 1;
	in->index = prov_at(s->prov, 0);
	in->prov = s->prov;
	return in;
}

static bool declare_initializers(
	struct importer *im, struct scope *scope, const struct raw_graph *g)
{
	bool ok = true;

	for (int k = 0; k < g->ninit; k++) {
		if (g->init[k]->name[0] == '\0')
			continue;
		struct name *e = names_add(im->arena, &scope->names, g->init[k]->name);

		if (e->producer != -2) {
			scope_error(im, scope, NULL, -1, "every name must be defined once",
				arena_printf(im->arena, "initializer \"%s\" is defined twice",
					escape(im->arena, e->name)));
			ok = false;
		}
		*e = (struct name){ .name = e->name,
			.hash = e->hash,
			.state = NAME_INIT,
			.init = g->init[k],
			.producer = -1 };
	}
	return ok;
}

bool site_inline(struct site *s, const struct raw_graph *branch)
{
	struct scope *scope = inner_scope(s);
	bool ok = true;

	scope->outer = s->scope;
	if (scope->depth > MAX_NEST)
		return site_error(s, NULL, "branches and functions are nested more than %d deep",
			(int)MAX_NEST);
	if (branch->noutput != s->nout)
		return site_error(
			s, NULL, "%d outputs, its branch has %d", s->nout, branch->noutput);
	if (!declare_initializers(s->im, scope, branch) ||
		!import_nodes(s->im, scope, branch->node, branch->nnode))
		return false;
	for (int k = 0; k < s->nout; k++)
		ok = scope_resolve(s->im, scope, NULL, -1, branch->output[k].name, &s->out[k]) &&
		     ok;
	return ok;
}

/* ---- functions ---- */

static void declare_functions(struct importer *im)
{
	const struct raw_model *m = im->model;

	for (int k = 0; k < m->nfunction; k++) {
		const struct raw_function *f = &m->function[k];
		struct name *e = names_add(im->arena, &im->functions,
			function_key(im->arena, f->domain, f->name, f->overload));

		if (e->producer != -2)
			model_error(im->g->diag, NULL,
				"function \"%s\" of domain \"%s\" is defined twice",
				escape(im->arena, f->name), escape(im->arena, f->domain));
		e->producer = k;
	}
}

static const struct raw_function *find_function(struct importer *im, const struct raw_node *raw)
{
	if (im->model->nfunction == 0)
		return NULL;
	const struct name *e = names_find(
		&im->functions, function_key(im->arena, raw->domain, raw->op_type, raw->overload));

	return e != NULL ? &im->model->function[e->producer] : NULL;
}

/* The scope of a call, with the function's inputs bound. Null: reported. */
static struct scope *call_scope(struct site *s, const struct raw_function *f)
{
	struct scope *in = inner_scope(s);
	const char *node = s->raw->name[0] != '\0' || s->nout == 0 ? s->raw->name : s->raw->out[0];

	for (const struct scope *c = s->scope; c != NULL; c = c->caller) {
		if (c->function != f)
			continue;
		site_error(s, NULL, "function \"%s\" calls itself", escape(s->im->arena, f->name));
		return NULL;
	}
	if (s->nin > f->nin || s->nout > f->nout || in->depth > MAX_NEST) {
		site_error(s, NULL, "%d inputs and %d outputs, function \"%s\" has %d and %d",
			s->nin, s->nout, escape(s->im->arena, f->name), f->nin, f->nout);
		return NULL;
	}
	in->outer = NULL;
	in->function = f;
	in->call = s->attr;
	in->ncall = s->nattr;
	in->prefix = arena_printf(s->im->arena, "%s%s/", s->scope->prefix, node);
	if (f->nopset > 0) {
		in->opset = f->opset;
		in->nopset = f->nopset;
	}
	for (int k = 0; k < f->nin; k++) {
		struct name *e = names_add(s->im->arena, &in->names, f->in[k]);

		e->state = NAME_READY;
		e->producer = -1;
		e->tensor = k < s->nin ? s->in[k] : NULL;
	}
	return in;
}

static bool call_function(struct site *s, const struct raw_function *f)
{
	struct scope *in = call_scope(s, f);
	bool ok = true;

	s->im->work += f->nin + f->nout + f->nattr_name;
	if (in == NULL || !import_nodes(s->im, in, f->node, f->nnode))
		return false;
	for (int k = 0; k < s->nout; k++)
		if (s->raw->out[k][0] != '\0')
			ok = scope_resolve(s->im, in, NULL, -1, f->out[k], &s->out[k]) && ok;
	return ok;
}

/* ---- nodes ---- */

static const struct attr *named(const struct attr *v, int n, const char *name)
{
	for (int k = 0; k < n; k++)
		if (strcmp(v[k].name, name) == 0)
			return &v[k];
	return NULL;
}

/* The node's attributes; those that refer to the function's take the call's value, or the default,
 * or vanish. */
static void resolve_attrs(struct site *s)
{
	const struct raw_function *f = s->scope->function;

	s->attr = arena_alloc(s->im->arena, (size_t)(s->raw->nattr + 1) * sizeof(*s->attr));
	for (int k = 0; k < s->raw->nattr; k++) {
		const struct attr *a = &s->raw->attr[k], *value = a;

		if (a->kind == ATTR_REF) {
			value = named(s->scope->call, s->scope->ncall, a->s[0]);
			if (value == NULL && f != NULL)
				value = named(f->attr_default, f->nattr_default, a->s[0]);
			if (value == NULL || value->kind == ATTR_REF)
				continue;
		}
		s->attr[s->nattr] = *value;
		s->attr[s->nattr++].name = a->name;
	}
}

/* Inputs as tensors. False: one is missing; its place is taken, so that the rest can still be
 * checked. */
static bool resolve_inputs(struct site *s, int position)
{
	bool ok = true;

	for (s->nin = s->raw->nin; s->nin > 0 && s->raw->in[s->nin - 1][0] == '\0';)
		s->nin--;
	s->in = arena_alloc(s->im->arena, (size_t)(s->nin + 1) * sizeof(struct tensor *));
	for (int k = 0; k < s->nin; k++) {
		if (s->raw->in[k][0] == '\0' ||
			scope_resolve(s->im, s->scope, s->raw, position, s->raw->in[k], &s->in[k]))
			continue;
		s->in[k] = s->im->placeholder;
		ok = false;
	}
	while (s->nin > 0 && s->in[s->nin - 1] == NULL)
		s->nin--;
	return ok;
}

/* Version of a domain's operators; 0: not said. */
static int64_t opset_version(const struct scope *scope, const char *domain)
{
	int64_t version = 0;

	for (int k = 0; k < scope->nopset; k++)
		if (strcmp(scope->opset[k].domain, domain) == 0 &&
			scope->opset[k].version > version)
			version = scope->opset[k].version;
	return version;
}

static bool find_opset(struct site *s)
{
	s->opset = opset_version(s->scope, s->raw->domain);
	if (s->opset == 0 && s->raw->domain[0] != '\0')
		s->opset = 1; /* ONNX's own must be there; others have had one version only */
	if (s->opset == 0 && s->im->model->ir_version < 3 && s->scope->function == NULL)
		s->opset = 1; /* before opsets were written down */
	if (s->opset == 0 && !s->im->no_opset) {
		site_error(s,
			"every model imports the opset of ONNX's operators; this file is "
			"damaged or hand-made",
			"the %s has no opset_import for ONNX's own operators",
			s->scope->function != NULL ? "function" : "model");
		s->im->no_opset = true;
	}
	return s->opset > 0;
}

static bool convert_site(struct site *s, int position)
{
	const bool inputs = resolve_inputs(s, position);
	const struct raw_function *f = find_function(s->im, s->raw);

	if (s->nout == 0)
		return site_error(s, NULL, "it has no outputs");
	resolve_attrs(s);
	if (f == NULL && !find_opset(s))
		return false;
	if (f == NULL && (s->row = opset_row(s)) == NULL)
		return false;
	if (!inputs)
		return false;
	if (f != NULL)
		return call_function(s, f);
	return opset_attrs(s, s->row) && s->row->convert(s, s->row->arg);
}

/* Names now stand for what the node gave. Tensors made on the way get the name that the model has
 * for them. */
static void bind_outputs(struct site *s, bool ok, int first_new)
{
	struct arena *a = s->im->arena;

	for (int k = 0; k < s->nout; k++) {
		const char *name = s->raw->out[k];
		struct name *e = name[0] != '\0' ? names_find(&s->scope->names, name) : NULL;

		if (e == NULL)
			continue;
		e->state = !ok ? NAME_FAILED : s->out[k] == NULL ? NAME_UNSUPPORTED : NAME_READY;
		e->tensor = s->out[k];
		e->from = s->raw;
		if (ok && s->out[k] != NULL && s->out[k]->id >= first_new)
			s->out[k]->name = s->scope->prefix[0] != '\0'
						  ? arena_printf(a, "%s%s", s->scope->prefix, name)
						  : name;
	}
}

static void convert_node(
	struct importer *im, struct scope *scope, const struct raw_node *raw, int position)
{
	const struct prov *prov = scope->prov != NULL ? scope->prov : prov_one(im->arena, position);
	struct site s = {
		.im = im, .scope = scope, .g = im->g, .raw = raw, .prov = prov, .nout = raw->nout
	};
	const int first_new = im->g->ntensor;

	im->work += 1 + raw->nin + raw->nout;
	if (im->work > MAX_WORK && !im->stop) {
		im->stop = true;
		site_error(&s, NULL,
			"the model has more than %d nodes and values once its functions are "
			"inlined",
			(int)MAX_WORK);
	}
	s.out = arena_alloc(im->arena, (size_t)(raw->nout + 1) * sizeof(struct tensor *));
	bind_outputs(&s, !im->stop && convert_site(&s, position), first_new);
}

static bool import_nodes(
	struct importer *im, struct scope *scope, const struct raw_node *node, int n)
{
	const int errors = im->g->diag->errors;
	const int *order = scope_order(im, scope, node, n);

	for (int k = 0; order != NULL && k < n && !im->stop; k++)
		convert_node(
			im, scope, &node[order[k]], scope->index >= 0 ? scope->index : order[k]);
	return im->g->diag->errors == errors;
}

/* ---- the model ---- */

static void list_nodes(struct importer *im)
{
	const struct raw_graph *raw = im->model->graph;
	struct graph *g = im->g;

	g->nonnx = raw->nnode;
	g->onnx = arena_alloc(im->arena, (size_t)(raw->nnode + 1) * sizeof(*g->onnx));
	for (int k = 0; k < raw->nnode; k++) {
		g->onnx[k].name = raw->node[k].name;
		g->onnx[k].op_type = raw->node[k].op_type;
		g->onnx[k].output = "";
		g->onnx[k].module = raw->node[k].module != NULL ? raw->node[k].module : "";
		for (int i = raw->node[k].nout - 1; i >= 0; i--)
			if (raw->node[k].out[i][0] != '\0')
				g->onnx[k].output = raw->node[k].out[i];
	}
}

static void warn_opset(struct importer *im, const struct scope *scope)
{
	const int64_t version = opset_version(scope, "");

	if (version > NEWEST_OPSET)
		node_warning(im->g, NULL,
			"opset %lld is newer than what skipc was checked against (%d)",
			(long long)version, (int)NEWEST_OPSET);
}

static void warn_dims(struct importer *im)
{
	for (int k = 0; k < im->ndims; k++)
		if (!im->dim_used[k])
			node_warning(im->g, NULL,
				"--dim %s: no input has an open dimension of that name",
				escape(im->arena, im->dims[k].name));
}

struct graph *import(struct arena *a, struct diag *d, const struct raw_model *m,
	const struct dim_value *dims, int ndims)
{
	struct importer im = {
		.arena = a, .g = graph_new(a, d), .model = m, .dims = dims, .ndims = ndims
	};
	struct scope top = { .opset = m->opset, .nopset = m->nopset, .index = -1, .prefix = "" };
	const int errors = d->errors;

	im.dim_used = arena_alloc(a, ((size_t)ndims + 1) * sizeof(bool));
	im.g->producer = m->producer;
	im.g->model_bytes = m->bytes;
	im.g->beside = m->beside;
	im.g->nbeside = m->nbeside;
	memcpy(im.g->sha256, m->sha256, sizeof(im.g->sha256));
	list_nodes(&im);
	warn_opset(&im, &top);
	declare_functions(&im);
	if (!declare_initializers(&im, &top, m->graph) || !import_inputs(&im, &top))
		return NULL;
	warn_dims(&im);
	im.placeholder = graph_tensor(im.g, NULL, DT_F32);
	import_nodes(&im, &top, m->graph->node, m->graph->nnode);
	if (d->errors == errors)
		import_outputs(&im, &top);
	if (d->errors > errors)
		return NULL;
	lint_biases(im.g);
	graph_sweep(im.g);
	return im.g;
}
