/* Import of the graph's inputs and outputs: their types, open dimensions, names. */
#include "import/scope.h"

#include <string.h>

enum { MAX_INTERFACE = 1000 }; /* inputs, or outputs: each becomes a parameter of a C function */

/* ---- open dimensions ---- */

/* Value of --dim NAME=N, 0: not given. */
static int64_t given(struct importer *im, const char *name)
{
	int64_t value = 0;

	for (int k = 0; k < im->ndims; k++) {
		if (strcmp(im->dims[k].name, name) != 0)
			continue;
		im->dim_used[k] = true;
		value = im->dims[k].value;
	}
	return value;
}

static int64_t given_axis(struct importer *im, const char *input, int axis)
{
	return im->ndims > 0 ? given(im, arena_printf(im->arena, "%s.%d", input, axis)) : 0;
}

/* A symbol's value is the same wherever it stands: the user's, by its name or by one of the axes
 * that have it; else 1 if it stands for a batch somewhere. 0: not known. */
static int64_t symbol(struct importer *im, const char *name)
{
	const struct raw_graph *g = im->model->graph;
	int64_t value = given(im, name);
	bool batch = false;

	for (int k = 0; k < g->ninput; k++) {
		for (int i = 0; i < g->input[k].rank; i++) {
			if (g->input[k].param[i] == NULL || strcmp(g->input[k].param[i], name) != 0)
				continue;
			batch = batch || i == 0;
			if (value == 0)
				value = given_axis(im, g->input[k].name, i);
		}
	}
	if (value != 0 || !batch)
		return value;
	im->g->assumed = name;
	return 1;
}

static bool open_dim(struct importer *im, const struct raw_value *v, int axis, int64_t *dim)
{
	struct arena *a = im->arena;
	const char *name = v->param[axis], *shown = escape(a, v->name);
	int64_t value = name != NULL ? symbol(im, name) : given_axis(im, v->name, axis);

	if (value == 0 && name == NULL && axis == 0) {
		im->g->assumed = arena_printf(a, "%s.0", v->name);
		value = 1;
	}
	*dim = value;
	if (value > 0 && value <= INT32_MAX)
		return true;
	if (value != 0)
		model_error(im->g->diag, NULL, "input \"%s\": dimension %d cannot be %lld", shown,
			axis, (long long)value);
	else if (name != NULL)
		model_error(im->g->diag, arena_printf(a, "give it: --dim %s=N", escape(a, name)),
			"input \"%s\": dimension %d, \"%s\", has no fixed size", shown, axis,
			escape(a, name));
	else
		model_error(im->g->diag, arena_printf(a, "give it: --dim %s.%d=N", shown, axis),
			"input \"%s\": dimension %d has no fixed size", shown, axis);
	return false;
}

static bool input_shape(struct importer *im, const struct raw_value *v, struct shape *s)
{
	const char *shown = escape(im->arena, v->name);
	int64_t count = 1;
	bool ok = true;

	if (!v->known_rank) {
		model_error(im->g->diag, "export the model with the shapes of its inputs",
			"input \"%s\" has no shape", shown);
		return false;
	}
	if (v->rank > MAX_RANK) {
		model_error(im->g->diag, NULL, "input \"%s\" has %d dimensions, skipc allows %d",
			shown, v->rank, MAX_RANK);
		return false;
	}
	s->rank = v->rank;
	for (int k = 0; k < v->rank; k++) {
		s->dim[k] = v->dim[k];
		if (s->dim[k] < 0 && !open_dim(im, v, k, &s->dim[k])) {
			ok = false;
		} else if (s->dim[k] > MAX_ELEMENTS / count) {
			model_error(im->g->diag, "no tensor may have more than 2^31-1 elements",
				"input \"%s\" is too large", shown);
			return false;
		} else {
			count *= s->dim[k];
		}
	}
	return ok;
}

/* ---- inputs ---- */

/* An input that is an initializer too (IR version 3) is a constant. */
static bool is_initializer(const struct scope *scope, const char *name)
{
	const struct name *e = names_find(&scope->names, name);

	return e != NULL && e->init != NULL;
}

static bool import_input(struct importer *im, struct scope *scope, const struct raw_value *v)
{
	const char *shown = escape(im->arena, v->name);
	struct name *e = names_add(im->arena, &scope->names, v->name);
	struct shape shape = { 0 };

	if (e->producer != -2) {
		model_error(im->g->diag, "every name must be defined once",
			"input \"%s\" is defined twice", shown);
		return false;
	}
	e->producer = -1;
	if (v->type == DT_NONE) {
		model_error(im->g->diag, hint_type(v->type_name), "input \"%s\": type %s is not supported", shown,
			v->type_name);
		return false;
	}
	if (!input_shape(im, v, &shape))
		return false;
	struct tensor *t = graph_tensor(
		im->g, v->name, dtypes[v->type].is_float ? DT_F32 : v->type);

	t->io_type = v->type;
	t->is_input = true;
	t->known = true;
	t->shape = shape;
	e->state = NAME_READY;
	e->tensor = t;
	im->g->input[im->g->ninput++] = t;
	return true;
}

bool import_inputs(struct importer *im, struct scope *scope)
{
	const struct raw_graph *g = im->model->graph;
	bool ok = true;
	int count = 0;

	for (int k = 0; k < g->ninput; k++)
		count += !is_initializer(scope, g->input[k].name);
	if (count > MAX_INTERFACE) {
		model_error(im->g->diag, NULL, "the graph has %d inputs, skipc allows %d", count,
			(int)MAX_INTERFACE);
		return false;
	}
	im->g->input = arena_alloc(im->arena, ((size_t)count + 1) * sizeof(struct tensor *));
	for (int k = 0; k < g->ninput; k++)
		if (!is_initializer(scope, g->input[k].name))
			ok = import_input(im, scope, &g->input[k]) && ok;
	return ok;
}

/* ---- outputs ---- */

/* An Identity, so that what is the caller's, constant, or an output of another name gets a place of
 * its own. */
static struct tensor *copy_of(struct importer *im, struct tensor *t)
{
	const struct prov *none = arena_alloc(im->arena, sizeof(*none));
	struct node *n = graph_node(
		im->g, NULL, op_find("Identity"), 1, &t, 1, t->def != NULL ? t->def->prov : none);

	n->out[0]->type = n->out[0]->io_type = t->type;
	return n->out[0];
}

/* The same name twice is the same tensor twice. Declared shapes are ignored: exporters write
 * nonsense there. */
bool import_outputs(struct importer *im, struct scope *scope)
{
	const struct raw_graph *g = im->model->graph;
	struct graph *out = im->g;

	if (g->noutput == 0 || g->noutput > MAX_INTERFACE) {
		model_error(out->diag, NULL, "the graph has %d outputs, skipc allows 1 to %d",
			g->noutput, (int)MAX_INTERFACE);
		return false;
	}
	out->output = arena_alloc(im->arena, (size_t)g->noutput * sizeof(struct tensor *));
	for (int k = 0; k < g->noutput; k++) {
		const struct raw_value *v = &g->output[k];
		struct tensor *t = NULL;

		if (!scope_resolve(im, scope, NULL, -1, v->name, &t))
			continue;
		if (t->is_input || is_const(t) || (t->is_output && strcmp(t->name, v->name) != 0))
			t = copy_of(im, t);
		t->name = v->name;
		t->is_output = true;
		if (t->type == DT_F32 && dtypes[v->type].is_float)
			t->io_type = v->type;
		names_find(&scope->names, v->name)->tensor = t; /* the same name finds it again */
		out->output[out->noutput++] = t;
	}
	return out->noutput == g->noutput;
}

/* ---- a known fault of an exporter ---- */

/* onnxscript 0.5.1 to 0.5.6 (torch 2.9) named the bias of a fused batch normalisation after the
 * convolution's input, so that the two convolutions of a projection block got one bias. Where the
 * lengths differ shapes() says so; else the network computes something else than it should,
 * silently. */
void lint_biases(struct graph *g)
{
	if (strncmp(g->producer, "pytorch 2.9", 11) != 0)
		return;
	for (const struct node *n = g->first; n != NULL; n = n->next) {
		if (!is_op(n, "Conv") || n->nin < 3 || !is_const(n->in[2]))
			continue;
		const struct node *other = n->in[2]->user->node;

		if (other != n && other->op == n->op && other->in[0] == n->in[0] &&
			other->in[1] != n->in[1])
			node_warning(g, n,
				"it has the bias of another convolution with the same input, "
				"\"%s\"; "
				"torch 2.9 is known to write that by mistake (fixed in "
				"onnxscript 0.5.7)",
				escape(g->arena, n->in[2]->name));
	}
}
