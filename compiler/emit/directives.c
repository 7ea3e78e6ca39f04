/*
 * Directives of templates: switches with their values, conditions on them resolved, and what else `#define` says. What
 * is the C compiler's (`#if defined(__GNUC__)`) stays.
 */
#include "emit/ctext.h"
#include "emit/template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NESTING = 16 };

const struct param *source_param(const struct source *t, const char *s, const char *end)
{
	for (int i = 0; i < t->nparams; i++)
		if (c_same(s, end, t->params[i].name))
			return &t->params[i];
	return NULL;
}

const struct macro *source_macro(const struct source *t, const char *s, const char *end)
{
	for (int i = 0; i < t->nmacros; i++)
		if (c_same(s, end, t->macros[i].name))
			return &t->macros[i];
	return NULL;
}

/* ---- conditions ---- */

/* A condition being read. unknown: it names something that is no switch, so it is the C compiler's.
 */
struct condition {
	const struct source *source;
	const char *s;
	bool unknown;
};

static long condition_level(struct condition *c, int level);

static void skip_blanks(struct condition *c)
{
	while (*c->s == ' ' || *c->s == '\t')
		c->s++;
	if (c->s[0] == '/' && c->s[1] == '*') {
		c->s = c_token_end(c->s);
		skip_blanks(c);
	}
}

static long condition_primary(struct condition *c)
{
	skip_blanks(c);
	if (*c->s == '!') {
		c->s++;
		return !condition_primary(c);
	}
	if (*c->s == '-') {
		c->s++;
		return -condition_primary(c);
	}
	if (*c->s == '(') {
		c->s++;
		const long v = condition_level(c, 0);
		skip_blanks(c);
		if (*c->s++ != ')')
			die("template %s: unbalanced condition", c->source->name);
		return v;
	}
	if (isdigit((unsigned char)*c->s)) {
		char *end;
		const long v = strtol(c->s, &end, 0);
		c->s = end;
		return v;
	}
	if (!c_is_word_start(*c->s)) {
		c->unknown = true;
		return 0;
	}
	const char *end = c_token_end(c->s);
	const struct macro *m = source_macro(c->source, c->s, end);
	const struct param *p = source_param(c->source, c->s, end);
	long number;
	const bool word = words_number(c->source->words, c->s, end, &number);

	c->s = end;
	if (word)
		return number;
	if (p != NULL)
		return p->value;
	if (m == NULL || !m->integer) {
		c->unknown = true;
		return 0;
	}
	return strtol(m->text, NULL, 0);
}

static const struct {
	const char *text;
	int level;
} operators[] = {
	{ "||", 0 },
	{ "&&", 1 },
	{ "==", 2 },
	{ "!=", 2 },
	{ "<=", 3 },
	{ ">=", 3 },
	{ "<", 3 },
	{ ">", 3 },
	{ "+", 4 },
	{ "-", 4 },
	{ "*", 5 },
	{ "/", 5 },
	{ "%", 5 },
};
enum { LEVELS = 6, NOPERATORS = sizeof(operators) / sizeof(operators[0]) };

static long apply(int op, long a, long b)
{
	const long by = b != 0 ? b : 1;
	const long result[NOPERATORS] = { a || b, a && b, a == b, a != b, a <= b, a >= b, a < b,
		a > b, a + b, a - b, a * b, a / by, a % by };

	return result[op];
}

static long condition_level(struct condition *c, int level)
{
	if (level == LEVELS)
		return condition_primary(c);
	long v = condition_level(c, level + 1);

	for (;;) {
		int op = 0;

		skip_blanks(c);
		while (op < NOPERATORS &&
			(operators[op].level != level ||
				strncmp(c->s, operators[op].text, strlen(operators[op].text)) != 0))
			op++;
		if (op == NOPERATORS || c->unknown)
			return v;
		c->s += strlen(operators[op].text);
		v = apply(op, v, condition_level(c, level + 1));
	}
}

/* The value of an expression of numbers alone, `64 / 16 < 4 ? 64 / 16 : 4`. False: it has names. */
bool source_value(const struct source *t, const char *text, long *value)
{
	struct condition c = { .source = t, .s = text };

	if (strspn(text, "0123456789+-*/%<>=!&|?:() ") < strlen(text))
		return false;
	*value = condition_level(&c, 0);
	skip_blanks(&c);
	if (*c.s == '?') {
		const bool first = *value != 0;

		c.s++;
		const long then = condition_level(&c, 0);

		skip_blanks(&c);
		c.s += *c.s == ':';
		const long otherwise = condition_level(&c, 0);

		*value = first ? then : otherwise;
	}
	skip_blanks(&c);
	return *c.s == '\0';
}

/* ---- directives ---- */

struct nesting {
	bool foreign; /* a condition for the C compiler: stays in the text */
	bool taken;   /* a branch was taken */
	bool active;  /* this branch is copied */
};

/* #define at column 0: a switch, a default text, or an element access. */
static void define(struct source *t, const char *s, const char *end)
{
	const char *name = s + strspn(s, " \t"), *name_end = c_token_end(name), *text = name_end;
	const char *comment = strstr(name, "/*");
	struct macro *m = &t->macros[t->nmacros];

	if (comment != NULL && comment < end)
		end = comment;
	if (t->nmacros++ == MAX_MACROS)
		die("template %s: too many macros", t->name);
	m->name = c_copy(t->arena, name, (size_t)(name_end - name));
	if (*text == '(')
		return;
	m->text = c_copy_trimmed(t->arena, text, end);
	if (*m->text != '\0') {
		char *rest;
		strtol(m->text, &rest, 0);
		m->integer = *rest == '\0';
	}
}

static bool directive(const char *s, const char *name, const char **rest)
{
	const size_t len = strlen(name);

	if (*s != '#' || strncmp(s + 1, name, len) != 0 || c_is_word(s[1 + len]))
		return false;
	*rest = s + 1 + len;
	return true;
}

/* An #if, #elif, #else or #endif at s. True when the line belongs into the instance. */
static bool conditional(struct source *t, const char *s, struct nesting *nest, int *depth)
{
	struct nesting *top = &nest[*depth];
	struct condition c = { .source = t };

	if (directive(s, "if", &c.s)) {
		const bool outer = top->active;
		const long v = outer ? condition_level(&c, 0) : 0;

		if (*depth + 1 == MAX_NESTING)
			die("template %s: #if nested too deeply", t->name);
		nest[++*depth] = (struct nesting){ .foreign = outer && c.unknown,
			.taken = !outer || v != 0,
			.active = outer && (c.unknown || v != 0) };
		return outer && c.unknown;
	}
	if (directive(s, "ifdef", &c.s) || directive(s, "ifndef", &c.s)) {
		const bool outer = top->active;

		if (*depth + 1 == MAX_NESTING)
			die("template %s: #if nested too deeply", t->name);
		nest[++*depth] = (struct nesting){ .foreign = outer, .taken = !outer, .active = outer };
		return outer;
	}
	if (*depth == 0)
		die("template %s: %.10s without #if", t->name, s);
	if (directive(s, "endif", &c.s)) {
		--*depth;
		return top->foreign;
	}
	if (top->foreign)
		return true;
	if (directive(s, "elif", &c.s)) {
		top->active = !top->taken && condition_level(&c, 0) != 0;
		if (c.unknown)
			die("template %s: #elif mixes switches and others", t->name);
	} else {
		top->active = !top->taken;
	}
	top->taken = top->taken || top->active;
	return false;
}

/* The text behind #include "emit/template.h" without its switches. */
char *source_resolve(struct source *t, const char *text)
{
	static const char head[] = "#include \"template.h\"\n";
	struct nesting nest[MAX_NESTING] = { { .active = true } };
	int depth = 0;
	struct buf out = { 0 };
	const char *s = strstr(text, head), *rest;

	if (s == NULL)
		die("template %s: does not include template.h", t->name);
	for (s += strlen(head); *s != '\0'; s = c_line_end(s)) {
		const char *e = c_line_end(s);

		if (directive(s, "define", &rest) && !t->keeps_defines) {
			while (e[-1] == '\n' && e - 2 > s && e[-2] == '\\')
				e = c_line_end(e);
			if (nest[depth].active)
				define(t, rest, e);
			s = e - 1;
			continue;
		}
		if (strncmp(s, "#if", 3) == 0 || directive(s, "elif", &rest) || directive(s, "else", &rest) ||
			directive(s, "endif", &rest)) {
			if (!conditional(t, s, nest, &depth))
				continue;
		} else if (!nest[depth].active) {
			continue;
		}
		buf_add(&out, s, (size_t)(e - s));
	}
	if (depth != 0)
		die("template %s: #if without #endif", t->name);
	return buf_text(t->arena, &out);
}

char *template_resolve(struct arena *a, const char *name, const struct param *switches, int n)
{
	struct source source = { .arena = a, .name = name, .params = switches, .nparams = n,
		.words = words_read(a, NULL), .keeps_defines = true };

	if (template_source(name) == NULL)
		die("no template %s", name);
	return source_resolve(&source, template_source(name));
}
