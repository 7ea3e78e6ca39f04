/* Words of vector code: what an instruction set's header (templates/x86/avx512.h) says for each, put in its place; a header says
 * otherwise what it includes another for. */
#include "emit/ctext.h"
#include "emit/template.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 160, MAX_WORD_ARGS = 4 };

/* A word of vector code: #define NAME(ARG, ..) TEXT, or #define NAME TEXT, of an instruction set's header. */
struct word {
	const char *name, *text;
	const char *arg[MAX_WORD_ARGS];
	int nargs; /* -1: no parentheses */
};

struct words {
	const char *header;
	struct arena *arena;
	struct word word[MAX_WORDS];
	int n;
};

/* Reads a #define of an instruction set's header; s is behind `#define `. */
static void read_word(struct words *v, const char *s, const char *end)
{
	struct word *w = &v->word[v->n];
	const char *name_end = c_token_end(s), *at = name_end;

	if (v->n++ == MAX_WORDS)
		die("%s: too many words", v->header);
	w->name = c_copy(v->arena, s, (size_t)(name_end - s));
	w->nargs = -1;
	if (*at == '(') {
		w->nargs = 0;
		for (at++; *at != ')'; at += strspn(at, ", ")) {
			const char *arg_end = c_token_end(at);

			if (w->nargs == MAX_WORD_ARGS)
				die("%s: %s has too many arguments", v->header, w->name);
			w->arg[w->nargs++] = c_copy(v->arena, at, (size_t)(arg_end - at));
			at = arg_end;
		}
		at++;
	}
	char *text = c_copy_trimmed(v->arena, at, end);

	for (char *c = text; *c != '\0'; c++) /* continued lines */
		*c = *c == '\\' || *c == '\n' || *c == '\t' ? ' ' : *c;
	w->text = text + strspn(text, " ");
}

/* The words of a header. Returns the one beside it that it includes, or null. */
static const char *read_header(struct words *v, const char *header)
{
	const char *s = template_source(header), *other = NULL;

	if (s == NULL)
		die("no header %s", header);
	for (; *s != '\0'; s = c_line_end(s)) {
		const char *end = c_line_end(s);

		while (end[-1] == '\n' && end - 2 > s && end[-2] == '\\')
			end = c_line_end(end);
		if (strncmp(s, "#define ", 8) == 0 && end[-2] != 'H') /* not its guard */
			read_word(v, s + 8, end - 1);
		if (strncmp(s, "#include \"", 10) == 0)
			other = arena_printf(v->arena, "%.*s/%.*s", (int)strcspn(header, "/"), header,
				(int)strcspn(s + 10, "\""), s + 10);
		s = end - 1;
	}
	return other;
}

const struct words *words_read(struct arena *a, const char *header)
{
	struct words *v = arena_alloc(a, sizeof(*v));

	v->header = header;
	v->arena = a;
	while (header != NULL) /* the first of a word counts */
		header = read_header(v, header);
	return v;
}

static const struct word *find_word(const struct words *v, const char *s, const char *end)
{
	for (int i = 0; i < v->n; i++)
		if (c_same(s, end, v->word[i].name))
			return &v->word[i];
	return NULL;
}

bool words_number(const struct words *v, const char *s, const char *end, long *value)
{
	const struct word *w = find_word(v, s, end);

	if (w == NULL || w->nargs >= 0)
		return false;
	*value = strtol(w->text, NULL, 0);
	return true;
}

/* The text of w with its arguments; s is behind its name, and what follows the call is returned. */
static const char *use_word(const struct words *v, const struct word *w, const char *s, struct buf *out)
{
	const char *arg[MAX_WORD_ARGS] = { NULL }, *end = s;
	int n = 0, depth = 0;

	if (w->nargs >= 0)
		for (const char *from = s + 1;; s = end) {
			end = c_token_end(s);
			depth += *s == '(' || *s == '[' || *s == '{';
			depth -= *s == ')' || *s == ']' || *s == '}';
			if (depth > 1 || (depth == 1 && *s != ','))
				continue;
			const char *one = c_copy_trimmed(v->arena, from, s);

			if (*one != '\0' && n < MAX_WORD_ARGS)
				arg[n++] = words_expand(v, one);
			from = end;
			if (depth == 0)
				break;
		}
	if (n != (w->nargs > 0 ? w->nargs : 0))
		die("%s: %s has %d arguments", v->header, w->name, n);
	for (const char *t = w->text, *e; *t != '\0'; t = e) {
		int k = 0;

		e = c_token_end(t);
		while (k < n && !(c_is_word_start(*t) && c_same(t, e, w->arg[k])))
			k++;
		/* `(x)` that is no call is x where that is one operand */
		if (k < n && t > w->text + 1 && t[-1] == '(' && *e == ')' && !c_is_word(t[-2]) &&
			strpbrk(arg[k], "+-*/?<>=&| ") == NULL) {
			out->len--;
			buf_puts(out, arg[k]);
			e++;
		} else if (k < n) {
			buf_puts(out, arg[k]);
		} else {
			buf_add(out, t, (size_t)(e - t));
		}
	}
	return end;
}

const char *words_expand(const struct words *v, const char *text)
{
	struct buf out = { 0 };

	if (v->n == 0)
		return text;
	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = c_token_end(s);
		const struct word *w = c_is_word_start(*s) ? find_word(v, s, e) : NULL;

		if (w == NULL)
			buf_add(&out, s, (size_t)(e - s));
		else
			e = use_word(v, w, e, &out);
	}
	return buf_text(v->arena, &out);
}
