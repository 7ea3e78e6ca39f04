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
#define ELEMENTWISE(name, inputs, commutes, result, types, is, expression)                          \
	{ #name, OP_ELEMENTWISE, is, inputs, inputs, commutes, RESULT_##result, shape_elementwise, \
		eval_elementwise, #types, expression },
#define ROW(class, name, least, most, shape, eval, is)                                             \
	{ #name, class, is, least, most, false, RESULT_FIRST, shape_##shape, eval_##eval, "", NULL },
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
