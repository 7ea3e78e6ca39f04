/*
 * The graph's text form, printed here and parsed in textparse.c. A line is a tensor or a node:
 *
 *	input  %x : f32[2,8,8,8] as f16                      # "input.1"
 *	const  @w : f32[16,8,3,3] = fill(1)
 *	%1 = Conv(%x, @w, _) {pads=[1,1,1,1], strides=[2,2]} : f32[2,16,4,4]  <- "/conv1/Conv"
 *	output %1                                            # "53"
 *
 * Values of constants: a number (all elements), {0.5, 1}, fill(seed) (about N(0, 0.1)), fill(seed, low, high)
 * (uniform), hash(0123abcd) (printed for large ones; parsed as fill of that seed). A number as an operand is a
 * scalar f32. Types of node outputs may be left out where infer() finds them. The name behind # is the model's,
 * where the label differs from it; `as` is the type of the interface.
 */
#include "core/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LITERAL = 16 }; /* elements that are printed one by one */

/* ---- strings to numbers and pointers ------------------------------------------------------------
 */

static struct entry *map_slot(const struct map *m, const char *key)
{
	uint64_t h = 14695981039346656037u;

	for (const char *c = key; *c != '\0'; c++)
		h = (h ^ (unsigned char)*c) * 1099511628211u;
	size_t k = (size_t)h & (m->size - 1);
	while (m->slot[k].key != NULL && strcmp(m->slot[k].key, key) != 0)
		k = (k + 1) & (m->size - 1);
	return &m->slot[k];
}

struct entry *map_find(const struct map *m, const char *key)
{
	struct entry *e = m->size > 0 ? map_slot(m, key) : NULL;

	return e != NULL && e->key != NULL ? e : NULL;
}

struct entry *map_add(struct map *m, const char *key)
{
	if (2 * (m->used + 1) > m->size) {
		struct map big = { m->arena, NULL, m->size > 0 ? 2 * m->size : 64, m->used };

		big.slot = arena_alloc(m->arena, big.size * sizeof(*big.slot));
		for (size_t k = 0; k < m->size; k++)
			if (m->slot[k].key != NULL)
				*map_slot(&big, m->slot[k].key) = m->slot[k];
		*m = big;
	}
	m->used++;
	struct entry *e = map_slot(m, key);
	e->key = key;
	return e;
}

/* ---- printing
 * ------------------------------------------------------------------------------------ */

struct printer {
	struct buf *out;
	const struct graph *g;
	struct arena arena;
	struct map labels;  /* those taken */
	struct map origin;  /* ONNX nodes printed: by number, in order of appearance */
	const char **label; /* by tensor id */
};

bool text_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.';
}

/* The shortest decimal that reads back as v; with a dot or an exponent if it must look like a
 * float. */
static void print_value(struct buf *out, double v, bool as_float)
{
	char s[40];

	if (!isfinite(v)) {
		buf_puts(out, isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
		return;
	}
	for (int digits = 1; digits <= 17; digits++) {
		snprintf(s, sizeof(s), "%.*g", digits, v);
		if (strtod(s, NULL) == v)
			break;
	}
	buf_puts(out, s);
	if (as_float && strpbrk(s, ".e") == NULL)
		buf_puts(out, ".0");
}

static void print_type(struct buf *out, enum dtype type, bool known, const struct shape *s)
{
	buf_puts(out, dtypes[type].name);
	for (int k = 0; known && k < s->rank; k++)
		buf_printf(out, "%c%lld", k == 0 ? '[' : ',', (long long)s->dim[k]);
	if (known)
		buf_puts(out, s->rank == 0 ? "[]" : "]");
}

static unsigned hash_elements(const struct tensor *t)
{
	const int64_t n = shape_count(&t->shape);
	uint64_t h = 14695981039346656037u;

	for (int64_t k = 0; k < n; k++) {
		uint64_t bits;

		if (dtypes[t->type].is_float) {
			const double v = const_f64(t, k);

			memcpy(&bits, &v, sizeof(bits));
		} else {
			bits = (uint64_t)const_i64(t, k);
		}
		for (int b = 0; b < 64; b += 8)
			h = (h ^ ((bits >> b) & 255)) * 1099511628211u;
	}
	return (unsigned)(h ^ (h >> 32));
}

static void print_element(struct buf *out, const struct tensor *t, int64_t k)
{
	if (dtypes[t->type].is_float)
		print_value(out, const_f64(t, k), false);
	else
		buf_printf(out, "%lld", (long long)const_i64(t, k));
}

static void print_elements(struct buf *out, const struct tensor *t)
{
	const int64_t n = shape_count(&t->shape);
	double uniform;

	if (n > 1 && const_uniform(t, &uniform)) {
		print_element(out, t, 0);
	} else if (n <= LITERAL) {
		buf_puts(out, "{");
		for (int64_t k = 0; k < n; k++) {
			buf_puts(out, k > 0 ? ", " : "");
			print_element(out, t, k);
		}
		buf_puts(out, "}");
	} else {
		buf_printf(out, "hash(%08x)", hash_elements(t));
	}
}

/* A scalar that stands in the operand list as a number. */
static bool inline_scalar(const struct tensor *t)
{
	return is_const(t) && t->type == DT_F32 && t->shape.rank == 0 && !t->is_output &&
	       isfinite(const_f64(t, 0));
}

/* A label is the name with what is not plain made `_`, and a number behind it where it is taken. */
static const char *label_of(struct printer *p, const struct tensor *t)
{
	if (p->label[t->id] != NULL)
		return p->label[t->id];
	char *s = arena_printf(&p->arena, "%s", t->name[0] != '\0' ? t->name : "_");
	for (char *c = s; *c != '\0'; c++)
		if (!text_plain(*c))
			*c = '_';
	const char *label = s;
	struct entry *e = map_find(&p->labels, s);
	if (e != NULL) {
		do
			label = arena_printf(&p->arena, "%s.%d", s, ++e->number);
		while (map_find(&p->labels, label) != NULL);
	}
	map_add(&p->labels, label)->number = 1;
	p->label[t->id] = label;
	return label;
}

static void print_label(struct printer *p, const struct tensor *t)
{
	buf_printf(p->out, "%c%s", is_const(t) ? '@' : '%', label_of(p, t));
}

/* What ends an input, const or output line: the interface's type and the name in the model. */
static void print_interface(struct printer *p, const struct tensor *t)
{
	if (t->io_type != t->type && (t->is_input || t->is_output))
		buf_printf(p->out, " as %s", dtypes[t->io_type].name);
	if (strcmp(t->name, label_of(p, t)) != 0)
		buf_printf(p->out, "  # \"%s\"", escape(&p->arena, t->name));
	buf_puts(p->out, "\n");
}

static void print_const(struct printer *p, const struct tensor *t)
{
	if (t == NULL || !is_const(t) || inline_scalar(t) || p->label[t->id] != NULL)
		return;
	buf_printf(p->out, "const  @%s : ", label_of(p, t));
	print_type(p->out, t->type, true, &t->shape);
	buf_puts(p->out, " = ");
	print_elements(p->out, t);
	print_interface(p, t);
}

static void print_list(struct printer *p, const struct attr *a)
{
	struct buf *out = p->out;

	buf_puts(out, "[");
	for (int k = 0; k < a->n; k++) {
		buf_puts(out, k > 0 ? "," : "");
		if (a->kind == ATTR_INTS)
			buf_printf(out, "%lld", (long long)a->i[k]);
		else if (a->kind == ATTR_FLOATS)
			print_value(out, a->f[k], true);
		else
			buf_printf(out, "\"%s\"", escape(&p->arena, a->s[k]));
	}
	buf_puts(out, "]");
}

static void print_attr(struct printer *p, const struct attr *a, bool is_type)
{
	struct buf *out = p->out;

	buf_printf(out, "%s=", a->name);
	switch (a->kind) {
	case ATTR_INT:
		if (is_type && a->i[0] > DT_NONE && a->i[0] < DT_COUNT)
			buf_puts(out, dtypes[a->i[0]].name);
		else
			buf_printf(out, "%lld", (long long)a->i[0]);
		break;
	case ATTR_FLOAT:
		print_value(out, a->f[0], true);
		break;
	case ATTR_STRING:
		buf_printf(out, "\"%s\"", escape(&p->arena, a->s[0]));
		break;
	case ATTR_TENSOR:
		print_type(out, a->tensor->type, true, &a->tensor->shape);
		buf_puts(out, " ");
		print_elements(out, a->tensor);
		break;
	case ATTR_INTS:
	case ATTR_FLOATS:
	case ATTR_STRINGS:
		print_list(p, a);
		break;
	case ATTR_GRAPH:
	case ATTR_REF: /* gone since import: shown, never parsed */
		buf_puts(out, "?");
		break;
	}
}

static int by_number(const void *x, const void *y)
{
	const struct entry *const *a = x, *const *b = y;

	return ((*a)->number > (*b)->number) - ((*a)->number < (*b)->number);
}

/*
 * Names of the ONNX nodes in the order in which the text first mentions them: the parser numbers
 * them so, and a set is sorted by number. Equal names are one.
 */
static void print_provenance(struct printer *p, const struct prov *prov)
{
	if (prov == NULL)
		return;
	struct entry **e = arena_alloc(&p->arena, (size_t)(prov->n + 1) * sizeof(struct entry *));
	for (int pass = 0; pass < 2; pass++) { /* the first makes all entries: growing moves them */
		for (int k = 0; k < prov->n; k++) {
			const struct onnx_node *o = &p->g->onnx[prov_at(prov, k)];
			const char *name = o->name != NULL && o->name[0] != '\0' ? o->name
										 : o->output;

			e[k] = map_find(&p->origin, name);
			if (e[k] == NULL)
				map_add(&p->origin, name)->number = (int)p->origin.used;
		}
	}
	qsort(e, (size_t)prov->n, sizeof(struct entry *), by_number);
	buf_puts(p->out, "  <-");
	for (int k = 0; k < prov->n; k++)
		if (k == 0 || e[k] != e[k - 1])
			buf_printf(p->out, " \"%s\"", escape(&p->arena, e[k]->key));
}

static void print_operand(struct printer *p, const struct tensor *t)
{
	if (t == NULL)
		buf_puts(p->out, "_");
	else if (inline_scalar(t))
		print_value(p->out, const_f64(t, 0), false);
	else
		print_label(p, t);
}

static void print_node(struct printer *p, const struct node *n)
{
	struct buf *out = p->out;
	bool typed = n->nout > 0;

	for (int k = 0; k < n->nout; k++) {
		buf_puts(out, k > 0 ? ", " : "");
		print_label(p, n->out[k]);
		typed = typed && n->out[k]->type != DT_NONE;
	}
	buf_printf(out, " = %s(", n->op->name);
	for (int k = 0; k < n->nin; k++) {
		buf_puts(out, k > 0 ? ", " : "");
		print_operand(p, n->in[k]);
	}
	buf_puts(out, ")");
	for (int k = 0; k < n->nattr; k++) {
		buf_puts(out, k > 0 ? ", " : " {");
		print_attr(p, &n->attr[k],
			is_op(n, "Cast") && strcmp(n->attr[k].name, "to") == 0);
	}
	buf_puts(out, n->nattr > 0 ? "}" : "");
	for (int k = 0; typed && k < n->nout; k++) {
		buf_puts(out, k > 0 ? ", " : " : ");
		print_type(out, n->out[k]->type, n->out[k]->known, &n->out[k]->shape);
	}
	print_provenance(p, n->prov);
	buf_puts(out, "\n");
}

void text_print(struct buf *out, const struct graph *g)
{
	struct printer p = { .out = out, .g = g };

	p.labels.arena = p.origin.arena = &p.arena;
	p.label = arena_alloc(&p.arena, (size_t)(g->ntensor + 1) * sizeof(char *));
	for (int k = 0; k < g->ninput; k++) {
		buf_printf(out, "input  %%%s : ", label_of(&p, g->input[k]));
		print_type(out, g->input[k]->type, g->input[k]->known, &g->input[k]->shape);
		print_interface(&p, g->input[k]);
	}
	for (const struct node *n = g->first; n != NULL; n = n->next)
		for (int k = 0; k < n->nin; k++)
			print_const(&p, n->in[k]);
	for (int k = 0; k < g->noutput; k++)
		print_const(&p, g->output[k]);
	for (const struct node *n = g->first; n != NULL; n = n->next)
		print_node(&p, n);
	for (int k = 0; k < g->noutput; k++) {
		buf_puts(out, "output ");
		print_label(&p, g->output[k]);
		print_interface(&p, g->output[k]);
	}
	arena_release(&p.arena);
}
