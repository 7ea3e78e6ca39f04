/* Folding: nodes of constants become constants, and what should have become one and did not is refused. */
#include "core/skipc.h"

#include <string.h>

static const struct {
	const char *op, *what, *hint;
} refusals[] = {
	{ "BatchNorm", "batch normalisation in training mode",
		"call model.eval() before the export" },
	{ "SplitToSequence", "a sequence",
		"of sequences skipc has SplitToSequence, then SequenceAt at constant positions" },
	{ "SequenceConstruct", "a sequence",
		"of sequences skipc has SequenceConstruct, then SequenceAt or ConcatFromSequence" },
	{ "ConstantOfShape", "this constant could not be evaluated",
		"the constants of the model are too large" },
};

static void refuse_node(struct graph *g, const struct node *n)
{
	for (size_t k = 0; k < sizeof(refusals) / sizeof(refusals[0]); k++) {
		if (strcmp(n->op->name, refusals[k].op) != 0)
			continue;
		node_error(g, n, refusals[k].hint, "%s is not compiled", refusals[k].what);
		return;
	}
	node_error(g, n,
		"it would have to follow from constants and from the shapes of the inputs alone",
		"operator %s is not compiled", n->op->name);
}

void fold(struct graph *g)
{
	for (struct node *n = g->first, *next; n != NULL; n = next) {
		next = n->next;
		evaluate(g, n);
	}
	graph_sweep(g);
	for (const struct node *n = g->first; n != NULL; n = n->next) {
		bool affine = is_op(n, "BatchNorm") && attr_int(n, "training", 0) == 0;

		if ((n->op->class == OP_OPAQUE || n->op->class == OP_CONSTANT) && !affine)
			refuse_node(g, n);
	}
}
