/* What a kernel's function has otherwise than an earlier one of the same name but for its number. */
#include "emit/ctext.h"
#include "emit/emission.h"

#include <string.h>

enum { MOST = 4 }; /* that a comment lists */

struct list {
	struct arena *arena;
	const char *text;
	int n;
};

static void add(struct list *l, const char *text)
{
	l->n++;
	if (l->n <= MOST)
		l->text = arena_printf(l->arena, "%s%s%s", l->text, l->n > 1 ? ", " : "", text);
	else if (l->n == MOST + 1)
		l->text = arena_printf(l->arena, "%s and more", l->text);
}

/* `[512,1,64]`: how r lies. */
static const char *strides_text(struct arena *a, const struct region *r)
{
	struct shape strides = { .rank = r->shape.rank };

	memcpy(strides.dim, r->stride, sizeof(strides.dim));
	return shape_text(a, &strides);
}

static void add_region(
	struct list *l, const char *name, const struct region *x, const struct region *y)
{
	if (x->type != y->type)
		add(l, arena_printf(l->arena, "%s %s for %s", name, dtypes[y->type].ctype,
			       dtypes[x->type].ctype));
	if (!shape_equal(&x->shape, &y->shape))
		add(l, arena_printf(l->arena, "%s %s for %s", name, shape_text(l->arena, &y->shape),
			       shape_text(l->arena, &x->shape)));
	else if (memcmp(x->stride, y->stride, (size_t)x->shape.rank * sizeof(x->stride[0])) != 0)
		add(l, arena_printf(l->arena, "%s by strides %s for %s", name,
			       strides_text(l->arena, y), strides_text(l->arena, x)));
	else if (x->windowed != y->windowed || memcmp(x->lo, y->lo, sizeof(x->lo)) != 0)
		add(l, arena_printf(l->arena, "zeros elsewhere around %s", name));
}

/* Parameters that one of the texts names or, else, that are switches. */
static void add_parameters(struct list *l, const struct kernel *x, const struct kernel *y,
	const char *text, bool named)
{
	for (int i = 0; i < x->nparam; i++)
		for (int k = 0; k < y->nparam; k++)
			if (strcmp(x->param[i].name, y->param[k].name) == 0 &&
				x->param[i].value != y->param[k].value &&
				c_has_word(text, x->param[i].name) == named)
				add(l, arena_printf(l->arena, "%s %ld for %ld", x->param[i].name,
					       y->param[k].value, x->param[i].value));
}

const char *difference_text(
	struct arena *a, const struct kernel *x, const struct kernel *y, const char *text)
{
	struct list l = { .arena = a, .text = "" };

	add_parameters(&l, x, y, text, true);
	add_region(&l, "y", &x->dst, &y->dst);
	for (int i = 0; i < x->narg && i < y->narg && l.n == 0; i++)
		add_region(&l, arena_printf(a, "x%d", i), &x->arg[i].region, &y->arg[i].region);
	for (int i = 0; i < x->noperand && i < y->noperand; i++)
		add_region(&l, arena_printf(a, "z%d", i), &x->operand[i].region,
			&y->operand[i].region);
	for (int i = 0; i < x->nsubst && i < y->nsubst; i++)
		if (strcmp(x->subst[i].text, y->subst[i].text) != 0)
			add(&l, arena_printf(a, "%s for %s", y->subst[i].text, x->subst[i].text));
	if (l.n == 0)
		add_parameters(&l, x, y, text, false);
	return l.n > 0 ? l.text : "other constants, or terms in another order";
}
