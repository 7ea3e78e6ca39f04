/* The table of operators. */
#include "core/skipc.h"

#include <string.h>

/* Rules that several rows share are declared once by each; that is legal C. */
#define VIEW(name, least, most, shape, eval, is)                                                   \
	bool shape_##shape(struct graph *g, struct node *n);                                       \
	bool eval_##eval(struct graph *g, struct node *n);
#define ANCHOR VIEW
#define OPAQUE VIEW
#define CONSTANT VIEW
#include "core/ops.def"
bool shape_elementwise(struct graph *g, struct node *n);
bool eval_elementwise(struct graph *g, struct node *n);
#define eval_none NULL

static const struct op ops[] = {
#define ELEMENTWISE(op_name, inputs, commute, kind, for_types, traits, text)                       \
	{ .name = #op_name,                                                                        \
		.class = OP_ELEMENTWISE,                                                           \
		.min_in = inputs,                                                                  \
		.max_in = inputs,                                                                  \
		.commutes = commute,                                                               \
		.result = RESULT_##kind,                                                           \
		.types = #for_types,                                                               \
		.is = traits,                                                                      \
		.shape = shape_elementwise,                                                        \
		.eval = eval_elementwise,                                                          \
		.expr = text },
#define ROW(op_class, op_name, least, most, shape_rule, eval_rule, traits)                         \
	{ .name = #op_name,                                                                        \
		.class = op_class,                                                                 \
		.min_in = least,                                                                   \
		.max_in = most,                                                                    \
		.result = RESULT_FIRST,                                                            \
		.is = traits,                                                                      \
		.shape = shape_##shape_rule,                                                       \
		.eval = eval_##eval_rule },
#define VIEW(...)     ROW(OP_VIEW, __VA_ARGS__)
#define ANCHOR(...)   ROW(OP_ANCHOR, __VA_ARGS__)
#define OPAQUE(...)   ROW(OP_OPAQUE, __VA_ARGS__)
#define CONSTANT(...) ROW(OP_CONSTANT, __VA_ARGS__)
#include "core/ops.def"
};

int op_count(void)
{
	return (int)(sizeof(ops) / sizeof(ops[0]));
}

const struct op *op_at(int k)
{
	return &ops[k];
}

const struct op *op_find(const char *name)
{
	for (int k = 0; k < op_count(); k++)
		if (strcmp(ops[k].name, name) == 0)
			return &ops[k];
	return NULL;
}
