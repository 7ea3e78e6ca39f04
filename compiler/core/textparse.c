/* The graph's text form (text.c says what it looks like), parsed. */
#include "core/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LIST = 1 << 16, MAX_OPERANDS = 4096, MAX_OUTPUTS = 64 };

struct parser {
	struct graph *g;
	struct arena scratch;
	const char *p; /* what is left */
	int line;
	const char *path;
	struct map labels, origin;
	int onnx_cap;
	bool failed;
};

/* One message: what follows a first error is seldom worth reading. */
static bool fail(struct parser *p, const char *fmt, ...) PRINTF(2, 3);
static bool fail(struct parser *p, const char *fmt, ...)
{
	struct diag *d = p->g->diag;
	const char *path = d->path;
	va_list ap;
	char text[256];

	if (p->failed)
		return false;
	p->failed = true;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	d->path = arena_printf(&p->scratch, "%s:%d", p->path, p->line);
	model_error(d, NULL, "%s", text);
	d->path = path;
	return false;
}

static void blanks(struct parser *p)
{
	while (*p->p == ' ' || *p->p == '\t' || *p->p == '\r')
		p->p++;
}

static bool accept(struct parser *p, const char *s)
{
	blanks(p);
	if (strncmp(p->p, s, strlen(s)) != 0)
		return false;
	p->p += strlen(s);
	return true;
}

static bool expect(struct parser *p, const char *s)
{
	return accept(p, s) || fail(p, "expected `%s`", s);
}

static bool at_end(struct parser *p)
{
	blanks(p);
	return *p->p == '\0' || *p->p == '\n';
}

/* A word of plain letters, for as long as the graph. Empty: there is none. */
static const char *word(struct parser *p)
{
	blanks(p);
	size_t n = 0;

	while (text_plain(p->p[n]))
		n++;
	char *s = arena_alloc(p->g->arena, n + 1);
	memcpy(s, p->p, n);
	p->p += n;
	return s;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) % 16 : -1;
}

static bool octal(char c, char most)
{
	return c >= '0' && c <= most;
}

/* What escape() writes: "text" with \ooo; also \xHH, and \ before any other character. Null: there
 * is none, or it has no end. */
static const char *quoted(struct parser *p)
{
	if (!accept(p, "\""))
		return NULL;
	char *s = arena_alloc(p->g->arena, strcspn(p->p, "\n") + 1);
	size_t n = 0;
	while (*p->p != '"') {
		if (*p->p == '\n' || *p->p == '\0') {
			fail(p, "a string without end");
			return NULL;
		}
		if (*p->p == '\\' && p->p[1] == 'x' && hex_digit(p->p[2]) >= 0 &&
			hex_digit(p->p[3]) >= 0) {
			s[n++] = (char)(hex_digit(p->p[2]) * 16 + hex_digit(p->p[3]));
			p->p += 4;
			continue;
		}
		if (*p->p == '\\' && octal(p->p[1], '3') && octal(p->p[2], '7') &&
			octal(p->p[3], '7')) {
			s[n++] = (char)((p->p[1] - '0') * 64 + (p->p[2] - '0') * 8 +
					(p->p[3] - '0'));
			p->p += 4;
			continue;
		}
		if (*p->p == '\\' && p->p[1] != '\n' && p->p[1] != '\0')
			p->p++;
		s[n++] = *p->p++;
	}
	p->p++;
	return s;
}

/* An int64, or, when it does not end as one, a double. 0: neither; 1: *i (and *f); 2: *f only. */
static int number(struct parser *p, int64_t *i, double *f)
{
	char *end_i, *end_f;

	blanks(p);
	if (*p->p == '\0' || strchr("+-.0123456789in", *p->p) == NULL)
		return 0;
	*i = strtoll(p->p, &end_i, 10);
	*f = strtod(p->p, &end_f);
	if (end_f == p->p)
		return 0;
	p->p = end_f;
	return end_i >= end_f ? 1 : 2;
}

static enum dtype dtype_named(const char *name)
{
	for (int k = DT_NONE + 1; k < DT_COUNT; k++)
		if (strcmp(dtypes[k].name, name) == 0)
			return (enum dtype)k;
	return DT_NONE;
}

/* f32[2,8], f32[] or, of unknown shape, f32. */
static bool parse_type(struct parser *p, enum dtype *type, bool *known, struct shape *s)
{
	double f;

	memset(s, 0, sizeof(*s));
	*type = dtype_named(word(p));
	if (*type == DT_NONE)
		return fail(p, "expected an element type");
	*known = accept(p, "[");
	if (!*known || accept(p, "]"))
		return true;
	int64_t count = 1;
	do {
		int64_t d;

		if (s->rank == MAX_RANK)
			return fail(p, "more than %d dimensions", MAX_RANK);
		if (number(p, &d, &f) != 1 || d < 0)
			return fail(p, "a dimension is a whole number");
		if (d > 0 && count > MAX_ELEMENTS / d)
			return fail(p, "a tensor of more than 2^31-1 elements");
		count *= d > 0 ? d : 1;
		s->dim[s->rank++] = d;
	} while (accept(p, ","));
	return expect(p, "]");
}

/* splitmix64 to [0, 1) */
static double uniform_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

/* Sum of 12 uniform numbers: normal enough, and the same on every host. */
static double normal_random(uint64_t *state)
{
	double sum = -6;

	for (int k = 0; k < 12; k++)
		sum += uniform_random(state);
	return sum;
}

static bool parse_fill(struct parser *p, struct tensor *t, int64_t n, bool hashed)
{
	char *end;
	double low = 0, high = 0;
	int64_t ignored;

	blanks(p);
	uint64_t state = strtoull(p->p, &end, hashed ? 16 : 10);
	p->p = end;
	bool range = accept(p, ",");
	if (range && (!number(p, &ignored, &low) || !expect(p, ",") || !number(p, &ignored, &high)))
		return fail(p, "expected fill(seed, low, high)");
	if (!expect(p, ")"))
		return false;
	float *f = arena_alloc(p->g->arena, (size_t)(n + 1) * sizeof(float));
	int64_t *i = arena_alloc(
		p->g->arena, dtypes[t->type].is_float ? 8 : (size_t)(n + 1) * sizeof(int64_t));
	for (int64_t k = 0; k < n; k++) {
		double v = range ? low + (high - low) * uniform_random(&state)
				 : 0.1 * normal_random(&state);

		if (dtypes[t->type].is_float)
			f[k] = (float)v;
		else
			i[k] = t->type == DT_BOOL ? v > 0 : (int64_t)(range ? v : 80 * v);
	}
	t->stored = dtypes[t->type].is_float ? DT_F32 : DT_I64;
	t->data = dtypes[t->type].is_float ? (const void *)f : (const void *)i;
	return true;
}

/* The elements of t, whose type and shape are set. */
static bool parse_elements(struct parser *p, struct tensor *t)
{
	const int64_t n = shape_count(&t->shape);

	if (n > (1 << 28))
		return fail(p, "a constant of more than 2^28 elements");
	if (accept(p, "fill("))
		return parse_fill(p, t, n, false);
	if (accept(p, "hash("))
		return parse_fill(p, t, n, true);
	const bool list = accept(p, "{");
	double *f = arena_alloc(p->g->arena, (size_t)(n + 1) * sizeof(double));
	int64_t *i = arena_alloc(p->g->arena, (size_t)(n + 1) * sizeof(int64_t));
	for (int64_t k = 0; k < n; k++) {
		if (!list && k > 0) {
			i[k] = i[0];
			f[k] = f[0];
			continue;
		}
		if (k > 0 && !expect(p, ","))
			return fail(p, "expected %lld values", (long long)n);
		const int got = number(p, &i[k], &f[k]);
		if (got == 0 || (got == 2 && !dtypes[t->type].is_float))
			return fail(p, "expected a value of type %s", dtypes[t->type].name);
	}
	t->stored = dtypes[t->type].is_float ? DT_F64 : DT_I64;
	t->data = dtypes[t->type].is_float ? (const void *)f : (const void *)i;
	return !list || expect(p, "}");
}

/* ---- names ---- */

/* A label after its sigil; null: an error was reported. */
static const char *parse_label(struct parser *p)
{
	if (!accept(p, "%") && !accept(p, "@")) {
		fail(p, "expected a tensor, %%name or @name");
		return NULL;
	}
	const char *s = word(p);
	if (s[0] == '\0')
		fail(p, "a tensor without name");
	return s[0] != '\0' ? s : NULL;
}

/* The tensor is known by label from here on. False: the label is taken. */
static bool define(struct parser *p, const char *label, struct tensor *t)
{
	if (map_find(&p->labels, label) != NULL)
		return fail(p, "%s is defined twice", label);
	map_add(&p->labels, label)->value = t;
	return true;
}

static struct tensor *use(struct parser *p)
{
	const char *label = parse_label(p);
	struct entry *e = label != NULL ? map_find(&p->labels, label) : NULL;

	if (label != NULL && e == NULL)
		fail(p, "%s is not defined above", label);
	return e != NULL ? e->value : NULL;
}

static bool parse_interface(struct parser *p, struct tensor *t)
{
	if (accept(p, "as ")) {
		t->io_type = dtype_named(word(p));
		if (t->io_type == DT_NONE)
			return fail(p, "expected an element type");
	}
	if (accept(p, "#")) {
		const char *name = quoted(p);

		if (name != NULL)
			t->name = name;
		p->p += strcspn(p->p, "\n");
	}
	return !p->failed;
}

static void append(struct parser *p, struct tensor ***list, int *n, struct tensor *t)
{
	struct tensor **v = arena_alloc(p->g->arena, (size_t)(*n + 1) * sizeof(struct tensor *));

	if (*n > 0)
		memcpy(v, *list, (size_t)*n * sizeof(struct tensor *));
	v[(*n)++] = t;
	*list = v;
}

static bool parse_input(struct parser *p)
{
	const char *label = parse_label(p);
	enum dtype type;
	struct shape s;
	bool known;

	if (label == NULL || !expect(p, ":") || !parse_type(p, &type, &known, &s))
		return false;
	struct tensor *t = graph_tensor(p->g, label, type);
	t->known = known;
	t->shape = s;
	t->is_input = true;
	append(p, &p->g->input, &p->g->ninput, t);
	return define(p, label, t) && parse_interface(p, t);
}

static bool parse_const(struct parser *p)
{
	const char *label = parse_label(p);
	enum dtype type;
	struct shape s;
	bool known;

	if (label == NULL || !expect(p, ":") || !parse_type(p, &type, &known, &s) ||
		!expect(p, "="))
		return false;
	if (!known)
		return fail(p, "a constant has a shape");
	struct tensor *t = graph_tensor(p->g, label, type);
	t->known = true;
	t->shape = s;
	return parse_elements(p, t) && define(p, label, t) && parse_interface(p, t);
}

static bool parse_output(struct parser *p)
{
	struct tensor *t = use(p);

	if (t == NULL)
		return false;
	t->is_output = true;
	append(p, &p->g->output, &p->g->noutput, t);
	return parse_interface(p, t);
}

/* ---- nodes ---- */

static bool parse_attr_list(struct parser *p, struct attr *a)
{
	int cap = 0;

	a->kind = ATTR_INTS;
	if (accept(p, "]"))
		return true;
	do {
		int64_t i = 0;
		double f = 0;
		const char *s = quoted(p);

		if (p->failed)
			return false;
		const int got = s != NULL ? 3 : number(p, &i, &f);
		if (got == 0 || (a->n > 0 && (got == 3) != (a->kind == ATTR_STRINGS)) ||
			a->n == MAX_LIST)
			return fail(p, "expected a list of numbers or strings for %s", a->name);
		a->kind = got == 3 ? ATTR_STRINGS : got == 2 ? ATTR_FLOATS : a->kind;
		if (a->n == cap) { /* the three lists side by side: only one of them is looked at */
			const struct attr old = *a;

			cap = cap > 0 ? 2 * cap : 8;
			a->i = arena_alloc(p->g->arena, (size_t)cap * sizeof(*a->i));
			a->f = arena_alloc(p->g->arena, (size_t)cap * sizeof(*a->f));
			a->s = arena_alloc(p->g->arena, (size_t)cap * sizeof(char *));
			for (int k = 0; k < old.n; k++) {
				a->i[k] = old.i[k];
				a->f[k] = old.f[k];
				a->s[k] = old.s[k];
			}
		}
		a->i[a->n] = i;
		a->f[a->n] = f;
		a->s[a->n++] = s;
	} while (accept(p, ","));
	return expect(p, "]");
}

/* type[..] elements, or a bare type, which is its number. */
static bool parse_attr_type(struct parser *p, struct attr *a)
{
	struct tensor *t = arena_alloc(p->g->arena, sizeof(*t));

	if (!parse_type(p, &t->type, &t->known, &t->shape))
		return false;
	a->i[0] = t->type;
	if (!t->known)
		return true;
	t->name = "";
	a->kind = ATTR_TENSOR;
	a->tensor = t;
	return parse_elements(p, t);
}

static bool parse_attr(struct parser *p, struct attr *a)
{
	a->name = word(p);
	if (a->name[0] == '\0' || !expect(p, "="))
		return fail(p, "expected name=value");
	if (accept(p, "["))
		return parse_attr_list(p, a);
	a->n = 1;
	a->i = arena_alloc(p->g->arena, sizeof(*a->i));
	a->f = arena_alloc(p->g->arena, sizeof(*a->f));
	a->s = arena_alloc(p->g->arena, sizeof(char *));
	a->s[0] = quoted(p);
	if (a->s[0] != NULL) {
		a->kind = ATTR_STRING;
		return true;
	}
	const int got = number(p, &a->i[0], &a->f[0]);
	a->kind = got == 2 ? ATTR_FLOAT : ATTR_INT;
	return !p->failed && (got != 0 || parse_attr_type(p, a));
}

static bool parse_attrs(struct parser *p, struct node *n)
{
	if (!accept(p, "{") || accept(p, "}"))
		return !p->failed;
	struct attr list[32];
	do {
		if (n->nattr == (int)(sizeof(list) / sizeof(list[0])))
			return fail(p, "too many attributes");
		memset(&list[n->nattr], 0, sizeof(list[0]));
		if (!parse_attr(p, &list[n->nattr]))
			return false;
		n->nattr++;
	} while (accept(p, ","));
	n->attr = arena_alloc(p->g->arena, (size_t)n->nattr * sizeof(list[0]));
	memcpy(n->attr, list, (size_t)n->nattr * sizeof(list[0]));
	return expect(p, "}");
}

/* The number of the ONNX node called name; a new one if the text has not mentioned it. */
static int origin(struct parser *p, const char *name, const struct node *n, const char *output)
{
	struct graph *g = p->g;
	struct entry *e = map_find(&p->origin, name);

	if (e != NULL)
		return e->number;
	if (g->nonnx == p->onnx_cap) {
		struct onnx_node *old = g->onnx;

		p->onnx_cap = p->onnx_cap > 0 ? 2 * p->onnx_cap : 64;
		g->onnx = arena_alloc(g->arena, (size_t)p->onnx_cap * sizeof(*g->onnx));
		if (g->nonnx > 0)
			memcpy(g->onnx, old, (size_t)g->nonnx * sizeof(*g->onnx));
	}
	g->onnx[g->nonnx] = (struct onnx_node){
		.name = name, .op_type = n->op->name, .output = output, .module = ""
	};
	map_add(&p->origin, name)->number = g->nonnx;
	return g->nonnx++;
}

static bool parse_provenance(struct parser *p, struct node *n, const char *output)
{
	if (!accept(p, "<-")) {
		n->prov = prov_one(p->g->arena, origin(p, output, n, output));
		return true;
	}
	n->prov = arena_alloc(p->g->arena, sizeof(*n->prov)); /* the empty set */
	for (const char *s = quoted(p); s != NULL; s = quoted(p))
		n->prov = prov_union(
			p->g->arena, n->prov, prov_one(p->g->arena, origin(p, s, n, output)));
	return !p->failed;
}

/* (a, _, 0.5) */
static bool parse_operands(struct parser *p, struct tensor **in, int *nin)
{
	int64_t i;
	double f;

	*nin = 0;
	if (!expect(p, "(") || accept(p, ")"))
		return !p->failed;
	do {
		if (*nin == MAX_OPERANDS)
			return fail(p, "more than %d operands", MAX_OPERANDS);
		in[*nin] = NULL;
		if (accept(p, "_"))
			;
		else if (number(p, &i, &f) != 0)
			in[*nin] = graph_scalar(p->g, DT_F32, f);
		else
			in[*nin] = use(p);
		(*nin)++;
	} while (!p->failed && accept(p, ","));
	return expect(p, ")");
}

static bool parse_node_types(struct parser *p, struct node *n)
{
	for (int k = 0; k < n->nout; k++) {
		struct tensor *t = n->out[k];

		if (!accept(p, k > 0 ? "," : ":"))
			return k == 0 || fail(p, "expected %d types", n->nout);
		if (!parse_type(p, &t->type, &t->known, &t->shape))
			return false;
		t->io_type = t->type;
	}
	return true;
}

static bool no_operator(struct parser *p, const char *name)
{
	struct near n = { .word = name };

	for (int k = 0; k < op_count(); k++)
		near_offer(&n, op_at(k)->name);
	return n.best != NULL ? fail(p, "no operator is called `%s`: %s is spelled most like it", name, n.best)
			      : fail(p, "no operator is called `%s`", name);
}

static bool parse_node(struct parser *p)
{
	const char *label[MAX_OUTPUTS];
	struct tensor **in = arena_alloc(&p->scratch, MAX_OPERANDS * sizeof(struct tensor *));
	int nout = 0, nin;

	do {
		if (nout == MAX_OUTPUTS)
			return fail(p, "more than %d outputs", MAX_OUTPUTS);
		label[nout] = parse_label(p);
		if (label[nout++] == NULL)
			return false;
	} while (accept(p, ","));
	if (!expect(p, "="))
		return false;
	const char *name = word(p);
	const struct op *op = op_find(name);
	if (op == NULL)
		return no_operator(p, name);
	if (!parse_operands(p, in, &nin))
		return false;
	if (nin < op->min_in || (op->max_in >= 0 && nin > op->max_in))
		return fail(p, "%s has %d operands", name, nin);
	struct node *n = graph_node(p->g, NULL, op, nin, in, nout, NULL);
	for (int k = 0; k < nout; k++) {
		n->out[k]->name = label[k];
		if (!define(p, label[k], n->out[k]))
			return false;
	}
	return parse_attrs(p, n) && parse_node_types(p, n) && parse_provenance(p, n, label[0]);
}

static bool parse_line(struct parser *p)
{
	if (at_end(p) || accept(p, "#")) {
		p->p += strcspn(p->p, "\n");
		return true;
	}
	const bool ok = accept(p, "input ")    ? parse_input(p)
			: accept(p, "const ")  ? parse_const(p)
			: accept(p, "output ") ? parse_output(p)
					       : parse_node(p);
	if (!ok)
		return fail(p, "cannot be read");
	if (accept(p, "#"))
		p->p += strcspn(p->p, "\n");
	return at_end(p) || fail(p, "something is left: `%.*s`", (int)strcspn(p->p, "\n"), p->p);
}

struct graph *text_parse(struct arena *a, struct diag *d, const char *path, const char *text)
{
	struct parser p = { .g = graph_new(a, d), .p = text, .line = 1, .path = path };

	p.labels.arena = p.origin.arena = &p.scratch;
	while (parse_line(&p) && *p.p == '\n') {
		p.p++;
		p.line++;
	}
	arena_release(&p.scratch);
	return p.failed ? NULL : p.g;
}
