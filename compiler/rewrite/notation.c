/* The notation of rules.def (explained there), compiled. All recursion here is over rules, not over
 * graphs. */
#include "rewrite/match.h"

#include <stdlib.h>
#include <string.h>

/* ---- the tables ---- */

static const struct form {
	const char *name;
	form_fn *make;
} forms[] = {
	{ "Vector", form_Vector },
	{ "Rows", form_Rows },
	{ "Inputs", form_Inputs },
	{ "Channel", form_Channel },
	{ "Before", form_Before },
};

const struct rule_row rule_rows[] = {
#define RULE(p, r)       { .pattern = p, .replacement = r, .text = p " -> " r },
#define RULE_IF(p, r, g) { .pattern = p, .replacement = r, .text = p " -> " r, .guard = guard_##g },
#define RULE_FN(op, f)   { .pattern = #op, .text = #op ": " #f, .function = fold_##f },
#define STAGE            { .pattern = "" },
#include "rewrite/rules.def"
	{ .pattern = NULL },
};

/* ---- reading ---- */

struct reader {
	struct arena *arena;
	struct rule *rule;
	const char *p, *whole;
	bool pattern;
	int swaps; /* commutative nodes of the pattern, numbered */
};

static void bad(const struct reader *r, const char *what) NORETURN;
static void bad(const struct reader *r, const char *what)
{
	die("rules.def: `%s`: %s at `%s`", r->whole, what, r->p);
}

static bool word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

static void blanks(struct reader *r)
{
	while (*r->p == ' ')
		r->p++;
}

static bool accept(struct reader *r, char c)
{
	blanks(r);
	if (*r->p != c)
		return false;
	r->p++;
	return true;
}

static void expect(struct reader *r, char c)
{
	const char what[] = { 'n', 'o', ' ', c, '\0' };

	if (!accept(r, c))
		bad(r, what);
}

static const char *word(struct reader *r)
{
	size_t n = 0;

	blanks(r);
	while (word_char(r->p[n]))
		n++;
	if (n == 0)
		bad(r, "no name");
	char *s = arena_alloc(r->arena, n + 1);
	memcpy(s, r->p, n);
	r->p += n;
	return s;
}

static bool starts_number(struct reader *r)
{
	blanks(r);
	return *r->p == '-' || *r->p == '.' || (*r->p >= '0' && *r->p <= '9');
}

static double number(struct reader *r, bool *is_float)
{
	char *end;
	const double v = strtod(r->p, &end);

	*is_float = memchr(r->p, '.', (size_t)(end - r->p)) != NULL ||
		    memchr(r->p, 'e', (size_t)(end - r->p)) != NULL;
	r->p = end;
	return v;
}

static int variable(struct reader *r, const char *name)
{
	struct rule *rule = r->rule;

	for (int k = 0; k < rule->nvar; k++)
		if (strcmp(rule->var[k], name) == 0)
			return k;
	if (rule->nvar == MAX_VARS)
		bad(r, "too many names");
	rule->var[rule->nvar] = name;
	return rule->nvar++;
}

static void read_attr(struct reader *r, struct term_attr *a)
{
	a->name = word(r);
	expect(r, '=');
	if (starts_number(r)) {
		bool is_float;

		a->number = number(r, &is_float);
		a->kind = is_float ? TERM_LITERAL_FLOAT : TERM_LITERAL_INT;
	} else if (accept(r, '\'')) {
		a->kind = TERM_LITERAL_STRING;
		a->string = word(r);
		expect(r, '\'');
	} else {
		a->kind = TERM_VARIABLE;
		a->var = variable(r, word(r));
	}
}

static struct term *read_term(struct reader *r);

static void read_operands(struct reader *r, struct term *t)
{
	do {
		if (t->narg == MAX_ARGS)
			bad(r, "too many operands");
		t->arg[t->narg++] = read_term(r);
	} while (accept(r, ','));
	expect(r, ')');
	if (!accept(r, '{'))
		return;
	do {
		if (t->nattr == MAX_TERM_ATTRS)
			bad(r, "too many attributes");
		read_attr(r, &t->attr[t->nattr++]);
	} while (accept(r, ','));
	expect(r, '}');
}

/* Two different tensors of any kind match in one order as well as in the other. */
static bool swap_matters(const struct term *t)
{
	return t->op != NULL && t->op->commutes && t->narg == 2 &&
	       !(t->arg[0]->kind == TERM_TENSOR && t->arg[1]->kind == TERM_TENSOR);
}

static void read_node(struct reader *r, struct term *t, const char *name, bool any)
{
	t->kind = TERM_NODE;
	if (any) {
		t->var = variable(r, arena_printf(r->arena, "@%s", name));
	} else {
		for (size_t k = 0; k < sizeof(forms) / sizeof(forms[0]) && !r->pattern; k++)
			if (strcmp(forms[k].name, name) == 0)
				t->form = forms[k].make;
		t->kind = t->form != NULL ? TERM_FORM : TERM_NODE;
		t->op = t->form != NULL ? NULL : op_find(name);
		if (t->form == NULL && t->op == NULL)
			bad(r, "no such operator");
	}
	expect(r, '(');
	read_operands(r, t);
	if (t->form != NULL && t->narg != 1)
		bad(r, "a form has one operand");
	if (r->pattern && swap_matters(t))
		t->swap = r->swaps++;
}

static struct term *read_term(struct reader *r)
{
	struct term *t = arena_alloc(r->arena, sizeof(*t));

	blanks(r);
	t->text = r->p;
	t->var = t->swap = -1;
	if (starts_number(r)) {
		bool ignored;

		t->kind = TERM_NUMBER;
		t->number = number(r, &ignored);
	} else {
		const bool constant = accept(r, '$'), any = !constant && accept(r, '@');

		t->shared = !constant && !any && accept(r, '&');
		const char *name = word(r);
		if (any || (name[0] >= 'A' && name[0] <= 'Z')) {
			read_node(r, t, name, any);
		} else {
			t->kind = constant ? TERM_CONSTANT : TERM_TENSOR;
			t->var = variable(r, name);
			t->optional = accept(r, '?');
		}
	}
	t->length = (int)(r->p - t->text);
	return t;
}

static struct term *read_whole(struct reader *r, const char *text, bool pattern)
{
	r->p = r->whole = text;
	r->pattern = pattern;
	struct term *t = read_term(r);
	blanks(r);
	if (*r->p != '\0')
		bad(r, "something is left");
	return t;
}

/* The pattern with the operands of those nodes swapped whose bit is set. */
static struct term *swapped(struct arena *a, const struct term *t, unsigned mask)
{
	struct term *copy = arena_alloc(a, sizeof(*copy));
	const bool swap = t->swap >= 0 && (mask >> t->swap & 1) != 0;

	*copy = *t;
	for (int k = 0; k < t->narg; k++)
		copy->arg[k] = swapped(a, t->arg[swap ? 1 - k : k], mask);
	return copy;
}

static void add(
	struct variant **list, struct arena *a, const struct rule *rule, struct term *pattern)
{
	struct variant *v = arena_alloc(a, sizeof(*v));

	while (*list != NULL) /* in the order of the file: the first that matches is taken */
		list = &(*list)->next;
	v->rule = rule;
	v->pattern = pattern;
	*list = v;
}

static void add_variants(
	struct variant **by_op, struct arena *a, const struct rule *rule, int swaps)
{
	if (swaps > 8)
		die("rules.def: `%s` has too many commutative operators", rule->row->pattern);
	for (unsigned mask = 0; mask < 1u << swaps; mask++) {
		struct term *t = swapped(a, rule->pattern, mask);

		for (int k = 0; k < op_count(); k++) {
			const struct op *op = op_at(k);
			const bool any = t->op == NULL && op->class == OP_ELEMENTWISE &&
					 op->max_in == t->narg;

			if (any || op == t->op)
				add(&by_op[k], a, rule, t);
		}
	}
}

struct variant **rules_compile(struct arena *a)
{
	struct variant **by_op = arena_alloc(a, (size_t)op_count() * sizeof(struct variant *));

	int stage = 0;

	for (int k = 0; rule_rows[k].pattern != NULL; k++) {
		if (rule_rows[k].text == NULL) {
			stage++;
			continue;
		}
		struct rule *rule = arena_alloc(a, sizeof(*rule));
		struct reader r = { .arena = a, .rule = rule };

		rule->row = &rule_rows[k];
		rule->index = k;
		rule->stage = stage;
		if (rule->row->function != NULL) {
			const struct op *op = op_find(rule->row->pattern);

			if (op == NULL)
				die("rules.def: no operator is called %s", rule->row->pattern);
			add(&by_op[op - op_at(0)], a, rule, NULL);
			continue;
		}
		rule->pattern = read_whole(&r, rule->row->pattern, true);
		rule->replacement = read_whole(&r, rule->row->replacement, false);
		if (rule->pattern->kind != TERM_NODE)
			die("rules.def: `%s` is no pattern", rule->row->pattern);
		add_variants(by_op, a, rule, r.swaps);
	}
	return by_op;
}
