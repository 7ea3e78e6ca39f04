/*
 * --io=int: an input that is quantised at once is given as integers, an output that is dequantised last is left as such.
 * Views may lie between, as exporters have them that turn images. What is in the way is said, and stays as in the graph.
 */
#include "integers/integers.h"

#include <string.h>

enum { MAX_VIEWS = 64 };

static const char *named(struct graph *g, const struct node *n)
{
	const struct onnx_node *o = n->prov != NULL && n->prov->n > 0 ? &g->onnx[prov_at(n->prov, 0)] : NULL;

	return o != NULL && o->name != NULL && o->name[0] != '\0' ? escape(g->arena, o->name) : n->op->name;
}

/* What all that read the tensor quantise it to, also as views of it. Null, or what is in the way. */
static const char *quantised_by(struct graph *g, struct tensor *t, struct form *f)
{
	struct tensor *list[MAX_VIEWS] = { t };
	int n = 1;

	*f = (struct form){ .q = NULL };
	for (int k = 0; k < n; k++) {
		if (list[k]->is_output)
			return "it is an output as well";
		for (const struct use *u = list[k]->user; u != NULL; u = u->next) {
			if (u->node->op->class == OP_VIEW && u->node->nin == 1 && n < MAX_VIEWS) {
				list[n++] = u->node->out[0];
				continue;
			}
			if (!is_op(u->node, "Quantize") || u->node->in[0] != list[k])
				return arena_printf(g->arena, "\"%s\" reads it before it is quantised", named(g, u->node));
			const struct form own = quantised_form(u->node);

			if (!own.uniform)
				return arena_printf(g->arena, "\"%s\" quantises it by %s", named(g, u->node),
					is_const(own.scale) ? "channel" : "a scale that is computed");
			if (f->q != NULL && !same_scale(f, &own))
				return "it is quantised in two ways";
			*f = own;
		}
	}
	return f->q != NULL ? NULL : "nothing reads it";
}

/* t becomes integers, and what reads it reads their value. */
static void take_integers(struct graph *g, struct tensor *t, const struct form *f)
{
	struct node *n = graph_node(g, g->first, op_find("Dequantize"), 3, (struct tensor *[]){ t, f->scale, f->zero }, 1,
		f->q->def->prov);

	t->type = t->io_type = f->q->type;
	note_step(g, t, f->s, f->z);
	if (!infer(g, n))
		die("strip: Dequantize has no shape");
	tensor_replace(g, t, n->out[0]);
	node_set_input(n, 0, t);
}

static void stays(struct graph *g, const char *what, const struct tensor *t, const char *why)
{
	node_warning(g, NULL, "--io=int: %s \"%s\" stays %s: %s", what, escape(g->arena, t->name), dtypes[t->io_type].name, why);
}

void strip_inputs(struct graph *g)
{
	for (int k = 0; k < g->ninput; k++) {
		struct tensor *t = g->input[k];
		struct form f;
		const char *why = t->type == DT_F32 ? quantised_by(g, t, &f) : NULL;

		if (why != NULL)
			stays(g, "input", t, why);
		else if (t->type == DT_F32)
			take_integers(g, t, &f);
	}
}

/* Null, or what is in the way of t's integers. */
static const char *dequantised(struct graph *g, const struct tensor *t, struct form *f)
{
	if (t->def == NULL)
		return "it is an input or a constant";
	if (!value_form(t, f) || !is_runtime(f->q) || is_sum(f))
		return arena_printf(g->arena, "\"%s\" computes it, and nothing quantises it", named(g, t->def));
	return f->uniform ? NULL : "its scale is not one number";
}

static void leave_integers(struct graph *g, int k, const struct form *f)
{
	struct tensor *t = g->output[k], *q = f->q;
	bool still = false;

	if (q->is_input || q->is_output) {
		q = reshaped(g, t->def, q, &q->shape);
		if (q == NULL)
			return;
		note_step(g, q, f->s, f->z);
	}
	g->output[k] = q;
	q->name = t->name;
	q->io_type = q->type;
	q->is_output = true;
	for (int i = 0; i < g->noutput; i++)
		still = still || g->output[i] == t;
	t->is_output = still;
}

void strip_outputs(struct graph *g)
{
	for (int k = 0; k < g->noutput; k++) {
		struct tensor *t = g->output[k];
		struct form f;
		const char *why = t->type == DT_F32 ? dequantised(g, t, &f) : NULL;

		if (why != NULL)
			stays(g, "output", t, why);
		else if (t->type == DT_F32)
			leave_integers(g, k, &f);
	}
}
