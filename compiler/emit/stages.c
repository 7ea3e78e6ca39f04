/*
 * Epilogues that read tables, in stages: compilers seldom make vectors of a loop some of whose elements say where others are.
 *
 *     for (int j = 0; j < count; j++) {
 *             const int32_t a = sum[j];
 *             STAGE;
 *             const int8_t v1 = f(a);
 *             STAGE;
 *             const uint8_t v2 = z0[(uint8_t)v1];
 *             STAGE;
 *             y[j] = g(a, v2);
 *     }
 *
 * becomes a loop over LOT elements for each stage, one behind the other. What later ones need is kept in arrays; what is
 * declared before the first stage is repeated where it is needed. A loop that has more than declarations there stays as it is,
 * and so does a short one.
 */
#include "emit/ctext.h"
#include "emit/template.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LINE = 128, MAX_STAGE = 16, FEW = 16 };

static const char mark[] = "STAGE;\n";

/* A loop: lines of its body, and where their stages begin. */
struct staged {
	struct arena *arena;
	const char *header, *end;    /* its first line; behind its last one */
	const char *name, *from, *to; /* for (int name = from; name < to; name++) */
	const char *line[MAX_LINE];  /* without the tabs of all, each with its end */
	int n, tabs;                 /* of the header */
	int begin[MAX_STAGE + 1], stages;
	const char *kept[MAX_LINE]; /* the name that a line declares for later stages, or null */
};

static int tabs_of(const char *s)
{
	return (int)strspn(s, "\t");
}

static bool is_line(const char *s, const char *text)
{
	return strncmp(s, text, strlen(text)) == 0;
}

/* The line before the one at s, but for empty ones; null: there is none. */
static const char *line_before(const char *text, const char *s)
{
	while (s > text) {
		for (s--; s > text && s[-1] != '\n';)
			s--;
		if (s[tabs_of(s)] != '\n')
			return s;
	}
	return NULL;
}

/* The word or number behind `text`, which s begins with, and in *s what is behind it; null: it does not. */
static const char *operand_behind(struct arena *a, const char *text, const char **s)
{
	if (!is_line(*s, text))
		return NULL;
	*s += strlen(text);
	const char *from = *s;

	while (c_is_word(**s))
		++*s;
	return *s > from ? c_copy(a, from, (size_t)(*s - from)) : NULL;
}

/* `for (int j = 0; j < count; j++)` with or without a bracket behind it. */
static bool read_header(struct staged *l)
{
	struct arena *a = l->arena;
	const char *s = l->header + tabs_of(l->header);

	l->name = operand_behind(a, "for (int ", &s);
	l->from = l->name != NULL ? operand_behind(a, " = ", &s) : NULL;
	l->to = l->from != NULL ? operand_behind(a, arena_printf(a, "; %s < ", l->name), &s) : NULL;
	const char *rest = l->to != NULL ? arena_printf(a, "; %s++)", l->name) : "";

	return l->to != NULL && is_line(s, rest) && strchr("\n ", s[strlen(rest)]) != NULL;
}

/* The loop around the mark. False: there is none of that form. */
static bool find_loop(struct staged *l, const char *text, const char *at)
{
	const char *s = at;

	l->tabs = tabs_of(at) - 1;
	do
		s = line_before(text, s);
	while (s != NULL && tabs_of(s) > l->tabs);
	if (s != NULL && tabs_of(s) == l->tabs && is_line(s + l->tabs, "{\n"))
		s = line_before(text, s);
	if (s == NULL || tabs_of(s) != l->tabs)
		return false;
	l->header = s;
	if (!read_header(l))
		return false;
	s = c_line_end(s);
	if (is_line(s + tabs_of(s), "{\n"))
		s = c_line_end(s);
	for (l->n = 0; tabs_of(s) > l->tabs || *s == '\n'; s = c_line_end(s)) {
		if (l->n == MAX_LINE)
			return false;
		const int own = *s == '\n' ? 0 : l->tabs + 1;

		l->line[l->n++] = c_copy(l->arena, s + own, (size_t)(c_line_end(s) - s - own));
	}
	l->end = c_line_end(s);
	return is_line(s + tabs_of(s), "}\n");
}

/* The one name that the line, `const int8_t v1 = ..;` or `float a;`, declares; null: it is something else. */
static const char *declared(struct arena *a, const char *line)
{
	const char *name = NULL, *s = line, *e;
	int words = 0, depth = 0;

	for (; *s != '=' && *s != ';'; s = e) {
		e = c_token_end(s);
		if (!c_is_word_start(*s) && strchr(" *", *s) == NULL)
			return NULL;
		if (c_is_word_start(*s)) {
			name = c_copy(a, s, (size_t)(e - s));
			words++;
		}
	}
	for (; *s != ';' && *s != '\n' && !(*s == ',' && depth == 0); s = c_token_end(s))
		depth += (*s == '(' || *s == '[') - (*s == ')' || *s == ']');
	return words > 1 && !is_line(line, "return ") && is_line(s, ";\n") ? name : NULL;
}

/* Between lines i and end. */
static bool names(const struct staged *l, int i, int end, const char *word)
{
	for (; i < end; i++)
		if (c_has_word(l->line[i], word))
			return true;
	return false;
}

/* Finds the stages, and what is kept between them. False: the loop stays as it is. */
static bool read_stages(struct staged *l, const struct known *known, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(l->to, known[i].name) == 0 && known[i].value < FEW)
			return false;
	if (strspn(l->to, "0123456789") == strlen(l->to) && strtol(l->to, NULL, 10) < FEW)
		return false;
	l->stages = 0;
	for (int i = 0; i < l->n; i++) {
		const bool is_mark = strcmp(l->line[i], mark) == 0;

		if (is_mark && l->stages < MAX_STAGE)
			l->begin[l->stages++] = i;
		else if (is_mark || (l->stages == 0 && l->line[i][0] != '\n' && declared(l->arena, l->line[i]) == NULL))
			return false;
	}
	l->begin[l->stages] = l->n;
	for (int k = 0; k < l->stages; k++)
		for (int i = l->begin[k]; i < l->begin[k + 1]; i++) {
			const char *name = declared(l->arena, l->line[i]);

			l->kept[i] = name != NULL && names(l, l->begin[k + 1], l->n, name) ? name : NULL;
		}
	return true;
}

/* The line of a stage: what is kept is an element of an array. */
static void put_line(const struct staged *l, struct buf *out, int i)
{
	const char *s = l->line[i], *e;

	for (int t = 0; t < l->tabs + 2 && *s != '\n'; t++)
		buf_puts(out, "\t");
	if (l->kept[i] != NULL)
		s = strstr(s, arena_printf(l->arena, " %s = ", l->kept[i])) + 1;
	for (; *s != '\0'; s = e) {
		int k = l->begin[0];

		e = c_token_end(s);
		while (k < l->n && !(l->kept[k] != NULL && c_same(s, e, l->kept[k])))
			k++;
		buf_add(out, s, (size_t)(e - s));
		if (k < l->n)
			buf_printf(out, "[%s - lot]", l->name);
	}
}

/* A stage, with those of the declarations before the first one that it needs. */
static void put_stage(struct staged *l, struct buf *out, int k)
{
	bool needed[MAX_LINE] = { false }, any = false;

	for (int i = l->begin[0] - 1; i >= 0; i--) {
		const char *name = declared(l->arena, l->line[i]);

		needed[i] = name != NULL && names(l, l->begin[k], l->begin[k + 1], name);
		for (int j = i + 1; j < l->begin[0] && name != NULL; j++)
			needed[i] = needed[i] || (needed[j] && c_has_word(l->line[j], name));
	}
	buf_printf(out, "%.*s\tfor (int %s = lot; %s < lot_end; %s++) {\n", l->tabs, l->header, l->name, l->name, l->name);
	for (int i = 0; i < l->begin[0]; i++) {
		l->kept[i] = NULL;
		if (needed[i])
			put_line(l, out, i);
		any = any || needed[i];
	}
	buf_puts(out, any ? "\n" : "");
	for (int i = l->begin[k] + 1; i < l->begin[k + 1]; i++)
		put_line(l, out, i);
	buf_printf(out, "%.*s\t}\n", l->tabs, l->header);
}

static void put_loop(struct staged *l, struct buf *out)
{
	const char *indent = arena_printf(l->arena, "%.*s", l->tabs, l->header);

	buf_printf(out, "%sfor (int lot = %s; lot < %s; lot += LOT) {\n", indent, l->from, l->to);
	buf_printf(out, "%s\tconst int lot_end = %s - lot < LOT ? %s : lot + LOT;\n", indent, l->to, l->to);
	for (int i = l->begin[0]; i < l->n; i++) {
		const char *type = l->line[i] + (is_line(l->line[i], "const ") ? strlen("const ") : 0);

		if (l->kept[i] != NULL)
			buf_printf(out, "%s\t%.*s%s[LOT];\n", indent, (int)strcspn(type, " ") + 1, type, l->kept[i]);
	}
	buf_puts(out, "\n");
	for (int k = 0; k < l->stages; k++)
		put_stage(l, out, k);
	buf_printf(out, "%s}\n", indent);
}

char *in_stages(struct arena *a, const char *body, bool split, const struct known *known, int n)
{
	struct staged *l = arena_alloc(a, sizeof(*l));
	struct buf out = { 0 };

	l->arena = a;
	for (const char *at; (at = strstr(body, mark)) != NULL;) {
		while (at[-1] != '\n')
			at--;
		const bool found = split && find_loop(l, body, at) && read_stages(l, known, n);

		buf_add(&out, body, (size_t)((found ? l->header : at) - body));
		body = found ? l->end : c_line_end(at);
		if (found)
			put_loop(l, &out);
	}
	buf_puts(&out, body);
	return buf_text(a, &out);
}
