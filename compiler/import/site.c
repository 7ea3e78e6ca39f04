/* What converters use: the attributes of the node at hand, and the nodes that they make. */
#include "import/scope.h"

#include <stdarg.h>
#include <string.h>

bool site_error(struct site *s, const char *hint, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	scope_error(s->im, s->scope, s->raw, prov_at(s->prov, 0), hint, text);
	return false;
}

int64_t site_ir_version(const struct site *s)
{
	return s->im->model->ir_version;
}

bool site_constant(const struct site *s, const struct tensor *t)
{
	return is_const(t) || (t->id < s->im->constant_cap && s->im->constant[t->id]);
}

/* Remembers that t follows from constants. */
static void mark_constant(struct importer *im, const struct tensor *t)
{
	if (t->id >= im->constant_cap) {
		const int cap = 2 * t->id + 64;
		bool *more = arena_alloc(im->arena, (size_t)cap * sizeof(*more));

		if (im->constant_cap > 0)
			memcpy(more, im->constant, (size_t)im->constant_cap * sizeof(*more));
		im->constant = more;
		im->constant_cap = cap;
	}
	im->constant[t->id] = true;
}

/* Element type of the outputs; Cast and ConstantOfShape set their own afterwards. */
static enum dtype result_type(const struct op *op, int nin, struct tensor *const *in)
{
	const struct tensor *from = nin > 0 ? in[op->result == RESULT_LAST ? nin - 1 : 0] : NULL;

	if (op->result == RESULT_TEST)
		return DT_BOOL;
	if ((op->is & IS_INDEX) != 0)
		return DT_I64;
	return from != NULL ? from->type : DT_F32;
}

struct node *site_put(struct site *s, const char *op, int nin, struct tensor *const *in, int nout)
{
	const struct op *row = op_find(op);
	bool constant = true;

	if (row == NULL)
		die("opset.def gives operator %s, which ops.def has not", op);
	struct node *n = graph_node(s->g, NULL, row, nin, in, nout, s->prov);

	for (int k = 0; k < nin; k++)
		constant = constant && (in[k] == NULL || site_constant(s, in[k]));
	for (int k = 0; k < nout; k++) {
		n->out[k]->type = n->out[k]->io_type = result_type(row, nin, in);
		if (constant)
			mark_constant(s->im, n->out[k]);
	}
	return n;
}

struct tensor *put1(struct site *s, const char *op, struct tensor *x)
{
	return site_put(s, op, 1, &x, 1)->out[0];
}

struct tensor *put2(struct site *s, const char *op, struct tensor *x, struct tensor *y)
{
	struct tensor *in[2] = { x, y };

	return site_put(s, op, 2, in, 1)->out[0];
}

struct tensor *put_cast(struct site *s, struct tensor *x, enum dtype to)
{
	struct tensor *y = put1(s, "Cast", x);

	y->type = y->io_type = dtypes[to].is_float ? DT_F32 : to;
	set_int(s->g, y->def, "to", y->type);
	return y;
}

struct tensor *put_floats(struct site *s, struct tensor *x)
{
	return x->type == DT_F32 ? x : put_cast(s, x, DT_F32);
}

const struct attr *site_attr(const struct site *s, const char *name)
{
	for (int k = 0; k < s->nattr; k++)
		if (strcmp(s->attr[k].name, name) == 0)
			return &s->attr[k];
	return NULL;
}

int64_t site_int(const struct site *s, const char *name, int64_t absent)
{
	const struct attr *a = site_attr(s, name);

	return a != NULL && a->kind == ATTR_INT ? a->i[0] : absent;
}

double site_float(const struct site *s, const char *name, double absent)
{
	const struct attr *a = site_attr(s, name);

	return a != NULL && a->kind == ATTR_FLOAT ? a->f[0] : absent;
}

const char *site_string(const struct site *s, const char *name, const char *absent)
{
	const struct attr *a = site_attr(s, name);

	return a != NULL && a->kind == ATTR_STRING ? a->s[0] : absent;
}

struct tensor *site_ints(struct site *s, const char *name)
{
	const struct attr *a = site_attr(s, name);

	if (a == NULL || (a->kind != ATTR_INTS && a->n > 0))
		return NULL;
	return graph_ints(s->g, a->n, a->i);
}

void keep_attrs(struct site *s, struct node *n)
{
	n->nattr = s->nkept;
	n->attr = arena_alloc(s->g->arena, (size_t)(n->nattr + 1) * sizeof(*n->attr));
	if (n->nattr > 0)
		memcpy(n->attr, s->attr, (size_t)n->nattr * sizeof(*n->attr));
}
