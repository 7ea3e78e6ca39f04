/* Hints of an import that are made of the model: what its element types could be, where recurrent layers begin. */
#include "import/scope.h"

#include <string.h>

/* ---- element types ---- */

const char *hint_type(const char *type_name)
{
	static const char *const narrow[] = { "FLOAT8", "FLOAT6", "FLOAT4", "INT2", "UINT2" };

	for (size_t k = 0; k < sizeof(narrow) / sizeof(narrow[0]); k++)
		if (strncmp(type_name, narrow[k], strlen(narrow[k])) == 0)
			return "quantise to integers of 8 or 16 bits, or weights to 4; or to no less than FLOAT16";
	return NULL;
}

/* ---- recurrent layers ---- */

static int recurrent_layers(const struct raw_graph *g)
{
	static const char *const names[] = { "GRU", "LSTM", "RNN" };
	int count = 0;

	for (int k = 0; k < g->nnode; k++)
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			count += g->node[k].domain[0] == '\0' && strcmp(g->node[k].op_type, names[i]) == 0;
	return count;
}

/* The names of the graph's inputs that t is computed from, as a Python list. */
static const char *inputs_of(struct graph *g, const struct tensor *t)
{
	bool *read = arena_alloc(g->arena, (size_t)g->ntensor + 1);
	const char *list = "";

	read[t->id] = true;
	for (const struct node *n = g->last; n != NULL; n = n->prev) {
		bool needed = false;

		for (int k = 0; k < n->nout; k++)
			needed = needed || read[n->out[k]->id];
		for (int k = 0; k < n->nin && needed; k++)
			if (n->in[k] != NULL)
				read[n->in[k]->id] = true;
	}
	for (int k = 0; k < g->ninput; k++)
		if (read[g->input[k]->id])
			list = arena_printf(g->arena, "%s%s\"%s\"", list, list[0] != '\0' ? ", " : "",
				escape(g->arena, g->input[k]->name));
	return list;
}

const char *hint_recurrent(struct site *s)
{
	struct graph *g = s->g;
	struct arena *a = g->arena;
	const int count = recurrent_layers(s->im->model->graph);
	const char *layers = count == 1 ? "1 recurrent layer" : arena_printf(a, "%d recurrent layers", count);
	const struct tensor *x = s->nin > 0 ? s->in[0] : NULL;

	if (s->scope->index >= 0 || x == NULL)
		return "unroll recurrent layers in the exporter, or compile one step";
	if (x->def == NULL || x->def->prov == NULL || x->def->prov->n == 0)
		return arena_printf(a, "%s, the first of which reads the model's input; unroll them in the exporter, "
				       "or compile one step", layers);
	const int last = prov_at(x->def->prov, x->def->prov->n - 1);
	const struct onnx_node *o = &g->onnx[last];
	const char *t = escape(a, s->raw->in[0]);

	return arena_printf(a,
		"%s; what comes before ends at node %d%s%s (%s), which gives \"%s\": compile that, cut off by "
		"onnx.utils.extract_model(\"%s\", \"front.onnx\", [%s], [\"%s\"], check_model=False)",
		layers, last, o->name[0] != '\0' ? " " : "",
		o->name[0] != '\0' ? arena_printf(a, "\"%s\"", escape(a, o->name)) : "", escape(a, o->op_type), t,
		escape(a, g->diag->path), inputs_of(g, x), t);
}
