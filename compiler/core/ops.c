/* The table of operators. */
#include "core/skipc.h"

#include <string.h>

/* Rules that several rows share are declared once by each; that is legal C. */
#define VIEW(name, least, most, shape, eval)                                                       \
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
#define ELEMENTWISE(op_name, inputs, commute, kind, for_types, text)                               \
	{ .name = #op_name,                                                                        \
		.class = OP_ELEMENTWISE,                                                           \
		.min_in = inputs,                                                                  \
		.max_in = inputs,                                                                  \
		.commutes = commute,                                                               \
		.test = RESULT_##kind,                                                             \
		.types = #for_types,                                                               \
		.shape = shape_elementwise,                                                        \
		.eval = eval_elementwise,                                                          \
		.expr = text },
#define ROW(op_class, op_name, least, most, shape_rule, eval_rule)                                 \
	{ .name = #op_name,                                                                        \
		.class = op_class,                                                                 \
		.min_in = least,                                                                   \
		.max_in = most,                                                                    \
		.shape = shape_##shape_rule,                                                       \
		.eval = eval_##eval_rule },
#define VIEW(name, least, most, shape, eval)   ROW(OP_VIEW, name, least, most, shape, eval)
#define ANCHOR(name, least, most, shape, eval) ROW(OP_ANCHOR, name, least, most, shape, eval)
#define OPAQUE(name, least, most, shape, eval) ROW(OP_OPAQUE, name, least, most, shape, eval)
#define CONSTANT(name, least, most, shape, eval) ROW(OP_CONSTANT, name, least, most, shape, eval)
#define RESULT_SAME                            false
#define RESULT_TEST                            true
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
