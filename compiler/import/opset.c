/* The rows of opset.def: which one holds for a node, and the node's attributes checked against it.
 */
#include "import/scope.h"

#include <stdlib.h>
#include <string.h>

static const struct opset_row rows[] = {
#define ROW(dom, op, version, min, max, outs, function, argument, attributes)                      \
	{ .domain = dom,                                                                           \
		.name = #op,                                                                       \
		.since = version,                                                                  \
		.least = min,                                                                      \
		.most = max,                                                                       \
		.outputs = outs,                                                                   \
		.convert = convert_##function,                                                     \
		.arg = argument,                                                                   \
		.attrs = attributes },
#include "import/opset.def"
};

static const struct refused {
	const char *domain, *name, *hint;
	const char *(*hint_of)(struct site *); /* or null */
	const char *others;                    /* names, with spaces; or null */
} refused[] = {
#define REFUSED(dom, op, why)   { .domain = dom, .name = op, .hint = why },
#define REFUSED_BY(dom, op, by) { .domain = dom, .name = op, .hint_of = hint_##by },
#define OTHERS(dom, names)      { .domain = dom, .name = "", .others = names },
#include "import/opset.def"
};

enum { NROW = sizeof(rows) / sizeof(rows[0]), NREFUSED = sizeof(refused) / sizeof(refused[0]) };

/* ---- the row of a node ---- */

static bool listed(const char *names, const char *name)
{
	const size_t n = strlen(name);

	for (const char *at = strstr(names, name); at != NULL && n > 0; at = strstr(at + n, name))
		if ((at == names || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

/* The row that refuses an operator, or null. */
static const struct refused *refusal(const char *domain, const char *name)
{
	for (int k = 0; k < NREFUSED; k++) {
		const char *row = refused[k].name, *star = strchr(row, '*');
		const int differs = star != NULL ? strncmp(row, name, (size_t)(star - row))
						 : strcmp(row, name);

		if (strcmp(refused[k].domain, domain) == 0 &&
			(refused[k].others != NULL ? listed(refused[k].others, name) : differs == 0))
			return &refused[k];
	}
	return NULL;
}

/* The operator, or the domain, that is spelled most like a name, if it is near enough. */
static const char *nearest(const char *name, const char *domain)
{
	int least = name_tolerance(name) + 1;
	const char *best = NULL;

	for (int k = 0; k < NROW; k++) {
		const char *other = domain != NULL ? rows[k].name : rows[k].domain;
		const int distance = domain == NULL || strcmp(rows[k].domain, domain) == 0
					     ? name_distance(name, other)
					     : least;

		if (distance < least && other[0] != '\0') {
			least = distance;
			best = other;
		}
	}
	return best;
}

static bool known_domain(const char *domain)
{
	for (int k = 0; k < NROW; k++)
		if (strcmp(rows[k].domain, domain) == 0)
			return true;
	for (int k = 0; k < NREFUSED; k++)
		if (strcmp(refused[k].domain, domain) == 0)
			return true;
	return false;
}

static const char *hint_domain(struct site *s)
{
	const char *near = nearest(s->raw->domain, NULL);

	if (name_distance(s->raw->domain, "ai.onnx") <= 2)
		near = "ai.onnx";
	return near != NULL ? arena_printf(s->g->arena, "\"%s\" is spelled most like it", near)
			    : "the model has no function of that name either";
}

/* Exporters leave what they cannot convert as it is. */
static const char *hint_none_of_onnx(struct site *s)
{
	struct arena *a = s->g->arena;
	const char *near = nearest(s->raw->op_type, ""), *by = s->g->producer;
	const char *left = by[0] == '\0' ? "whoever wrote the model"
					 : arena_printf(a, "%s, which wrote the model,", escape(a, by));

	return near != NULL ? arena_printf(a, "%s left it as it was; of what skipc has, %s is spelled most like it", left, near)
			    : arena_printf(a, "%s left it as it was; other tools refuse it as well", left);
}

/* Once for each operator, with the number of nodes that have it. Always null. */
static const struct opset_row *refuse_site(struct site *s, int oldest)
{
	struct arena *a = s->g->arena;
	const char *name = escape(a, s->raw->op_type), *domain = escape(a, s->raw->domain);
	const struct refused *row = refusal(s->raw->domain, s->raw->op_type);
	const int count = site_refusals(s);
	const char *more = count > 1 ? arena_printf(a, " (%d nodes)", count) : "";
	const char *hint = row == NULL ? NULL : row->hint_of != NULL ? row->hint_of(s) : row->hint;

	if (count == 0)
		return NULL;
	if (oldest > 0)
		site_error(s, "convert the model to a newer opset",
			"operator %s is of opset %d, the model is of opset %lld%s", name, oldest,
			(long long)s->opset, more);
	else if (!known_domain(s->raw->domain))
		site_error(s, hint_domain(s), "operator %s: domain \"%s\" is not known%s", name, domain, more);
	else if (domain[0] != '\0')
		site_error(s, hint, "operator %s of domain \"%s\" is not supported%s", name, domain, more);
	else if (row != NULL)
		site_error(s, hint, "operator %s is not supported%s", name, more);
	else
		site_error(s, hint_none_of_onnx(s), "%s is not an operator of ONNX%s", name, more);
	return NULL;
}

const struct opset_row *opset_row(struct site *s)
{
	const struct raw_node *raw = s->raw;
	const struct opset_row *best = NULL;
	int oldest = 0;

	for (int k = 0; k < NROW; k++) {
		const struct opset_row *row = &rows[k];

		if (strcmp(row->name, raw->op_type) != 0 || strcmp(row->domain, raw->domain) != 0)
			continue;
		oldest = oldest == 0 || row->since < oldest ? row->since : oldest;
		if (row->since <= s->opset && (best == NULL || row->since > best->since))
			best = row;
	}
	if (best == NULL)
		return refuse_site(s, oldest);
	if (s->nin < best->least || (best->most >= 0 && s->nin > best->most)) {
		site_error(s, NULL, "%d inputs, opset %lld takes %d%s", s->nin, (long long)s->opset,
			best->least,
			best->most < 0             ? " or more"
			: best->most > best->least ? " at least"
						   : "");
		return NULL;
	}
	for (int k = 0; k < (best->most < 0 ? s->nin : best->least); k++) {
		if (s->in[k] != NULL)
			continue;
		site_error(s, NULL, "input %d is absent", k);
		return NULL;
	}
	if (best->outputs >= 0 && s->nout > best->outputs) {
		site_error(s, NULL, "%d outputs, opset %lld gives %d at most", s->nout,
			(long long)s->opset, best->outputs);
		return NULL;
	}
	return best;
}

/* ---- attributes ---- */

/* One entry of a row's attributes. */
struct entry {
	const char *name;
	size_t len;
	char kind;
	bool ignored, required;
	const char *value; /* the default, ends at a space; null: none */
};

/* The entry at *p, which moves behind it; false at the end. */
static bool next_entry(const char **p, struct entry *e)
{
	*p += strspn(*p, " ");
	if (**p == '\0')
		return false;
	*e = (struct entry){ .ignored = **p == '-' };
	e->name = *p + e->ignored;
	e->len = strcspn(e->name, ":");
	e->kind = e->name[e->len + 1];
	const char *rest = e->name + e->len + 2;

	e->required = *rest == '!';
	e->value = *rest == '=' ? rest + 1 : NULL;
	*p = rest + strcspn(rest, " ");
	return true;
}

static bool find_entry(const char *attrs, const char *name, struct entry *e)
{
	while (next_entry(&attrs, e))
		if (strlen(name) == e->len && strncmp(name, e->name, e->len) == 0)
			return true;
	return false;
}

static bool kind_fits(const struct attr *a, char kind)
{
	static const struct {
		char letter;
		enum attr_kind kind;
	} kinds[] = {
		{ 'i', ATTR_INT },
		{ 'f', ATTR_FLOAT },
		{ 's', ATTR_STRING },
		{ 't', ATTR_TENSOR },
		{ 'I', ATTR_INTS },
		{ 'F', ATTR_FLOATS },
		{ 'S', ATTR_STRINGS },
		{ 'g', ATTR_GRAPH },
	};

	/* An empty list without a type cannot be told apart by who wrote it: onnx.c makes it one of
	 * strings. */
	if (a->kind == ATTR_STRINGS && a->n == 0 && (kind == 'I' || kind == 'F'))
		return true;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (kinds[k].letter == kind)
			return kinds[k].kind == a->kind;
	return false;
}

/* A default as an attribute; floats go through float, as they do in ONNX. */
static struct attr default_attr(struct arena *a, const struct entry *e)
{
	struct attr v = { .name = arena_printf(a, "%.*s", (int)e->len, e->name), .n = 1 };

	if (e->kind == 'i') {
		v.kind = ATTR_INT;
		v.i = arena_alloc(a, sizeof(*v.i));
		v.i[0] = strtol(e->value, NULL, 10);
	} else if (e->kind == 'f') {
		v.kind = ATTR_FLOAT;
		v.f = arena_alloc(a, sizeof(*v.f));
		v.f[0] = (double)strtof(e->value, NULL);
	} else {
		v.kind = ATTR_STRING;
		v.s = arena_alloc(a, sizeof(*v.s));
		v.s[0] = arena_printf(a, "%.*s", (int)strcspn(e->value, " "), e->value);
	}
	return v;
}

/* What old exporters go on writing when the operator has it no more, and what tools note for
 * themselves. */
static bool stale(const char *name)
{
	return strncmp(name, "__", 2) == 0 || strcmp(name, "consumed_inputs") == 0 ||
	       strcmp(name, "is_test") == 0;
}

/* One of the node's own attributes. One that is not known may change the meaning, so it is not
 * passed over. */
static bool check_attr(struct site *s, const struct opset_row *row, const struct attr *a)
{
	const char *shown = escape(s->g->arena, a->name);
	struct entry e;

	if (!find_entry(row->attrs, a->name, &e))
		return stale(a->name) ||
		       site_error(s, NULL, "%s has no attribute \"%s\" in opset %lld", row->name,
			       shown, (long long)s->opset);
	if (!e.ignored && !kind_fits(a, e.kind))
		return site_error(s, NULL, "attribute \"%s\" has the wrong kind", shown);
	if (a->kind == ATTR_TENSOR && a->tensor != NULL && a->tensor->type == DT_NONE)
		return site_error(s, hint_type(a->tensor->data), "attribute \"%s\": element type %s is not supported",
			shown, (const char *)a->tensor->data);
	if (a->kind == ATTR_TENSOR && a->tensor == NULL)
		return site_error(s, NULL, "attribute \"%s\" has no tensor", shown);
	return true;
}

/* An entry with '-' only says which version of ONNX wrote it, or is a hint. */
static bool is_kept(const struct opset_row *row, const struct attr *a)
{
	struct entry e;

	return find_entry(row->attrs, a->name, &e) && !e.ignored;
}

bool opset_attrs(struct site *s, const struct opset_row *row)
{
	const char *p = row->attrs;
	struct entry e;
	int count = 0;

	for (int k = 0; k < s->nattr; k++)
		if (!check_attr(s, row, &s->attr[k]))
			return false;
	while (next_entry(&p, &e))
		count++;
	struct attr *all = arena_alloc(s->g->arena, (size_t)(s->nattr + count + 1) * sizeof(*all));
	int n = 0;

	for (int k = 0; k < s->nattr; k++)
		if (is_kept(row, &s->attr[k]))
			all[n++] = s->attr[k];
	for (p = row->attrs; next_entry(&p, &e);) {
		bool here = e.ignored;

		for (int k = 0; k < s->nattr; k++)
			here = here || (strlen(s->attr[k].name) == e.len &&
					       strncmp(s->attr[k].name, e.name, e.len) == 0);
		if (!here && e.required)
			return site_error(
				s, NULL, "attribute \"%.*s\" is missing", (int)e.len, e.name);
		if (!here && e.value != NULL)
			all[n++] = default_attr(s->g->arena, &e);
	}
	s->nkept = n;
	for (int k = 0; k < s->nattr; k++)
		if (!is_kept(row, &s->attr[k]))
			all[n++] = s->attr[k];
	s->attr = all;
	s->nattr = n;
	return true;
}

int site_refusals(struct site *s)
{
	const struct raw_graph *g = s->im->model->graph;
	const char *key = arena_printf(s->im->arena, "%s\n%s", s->raw->domain, s->raw->op_type);
	struct name *e = names_add(s->im->arena, &s->im->refused, key);
	int count = 0;

	if (e->producer != -2)
		return 0;
	e->producer = -1;
	for (int k = 0; k < g->nnode; k++)
		count += strcmp(g->node[k].op_type, s->raw->op_type) == 0 &&
			 strcmp(g->node[k].domain, s->raw->domain) == 0;
	return count > 0 ? count : 1; /* 0: inside a function */
}
