/* Pieces of C text: tokens, words, lines. */
#include "emit/ctext.h"

#include <ctype.h>
#include <string.h>

/* 1: letters and _; 2: digits. */
static const unsigned char kinds[256] = {
	['0'] = 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
	['A'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
	['_'] = 1,
	['a'] = 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
};

bool c_is_word(char c)
{
	return kinds[(unsigned char)c] != 0;
}

bool c_is_word_start(char c)
{
	return kinds[(unsigned char)c] == 1;
}

char *c_copy(struct arena *a, const char *s, size_t len)
{
	char *t = arena_alloc(a, len + 1);

	memcpy(t, s, len);
	return t;
}

/* The copy without blanks at both ends. */
char *c_copy_trimmed(struct arena *a, const char *s, const char *end)
{
	while (s < end && isspace((unsigned char)*s))
		s++;
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	return c_copy(a, s, (size_t)(end - s));
}

/* Just behind the token that starts at s: a comment, a literal, a word, or one character. */
const char *c_token_end(const char *s)
{
	if (s[0] == '/' && s[1] == '*') {
		const char *e = strstr(s + 2, "*/");
		return e != NULL ? e + 2 : s + strlen(s);
	}
	if (s[0] == '"' || s[0] == '\'') {
		const char quote = *s++;
		while (*s != '\0' && *s != quote)
			s += s[0] == '\\' && s[1] != '\0' ? 2 : 1;
		return *s != '\0' ? s + 1 : s;
	}
	if (c_is_word(*s)) { /* numbers too: 1e-5f has no word start inside */
		while (c_is_word(*s))
			s++;
		return s;
	}
	return s + 1;
}

bool c_same(const char *s, const char *end, const char *name)
{
	return *name == *s && strncmp(name, s, (size_t)(end - s)) == 0 && name[end - s] == '\0';
}

/* Does a word occur in code? Comments and literals do not count. */
bool c_has_word(const char *text, const char *word)
{
	if (strstr(text, word) == NULL)
		return false;
	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = c_token_end(s);
		if (*s == *word && c_same(s, e, word))
			return true;
	}
	return false;
}

const char *c_line_end(const char *s)
{
	const char *e = strchr(s, '\n');

	return e != NULL ? e + 1 : s + strlen(s);
}

/* ---- long lines ---- */

enum { COLUMNS = 100 };

/* A line that is being printed, and where it may be broken: 0 is nowhere. */
struct line {
	size_t from;              /* in out */
	size_t comma;             /* behind the last one in the fewest brackets .. */
	size_t open;              /* .. or the first bracket */
	int column, depth, least; /* brackets that are open; at the comma */
	int tabs;                 /* before what is broken off; 0: nothing was */
	bool whole;               /* a directive, which stays */
};

static void begin_line(struct line *l, const struct buf *out, int column)
{
	*l = (struct line){ .from = out->len, .column = column };
}

static int column_after(const char *s, const char *end, int column)
{
	for (; s < end; s++)
		column = *s == '\n' ? 0 : *s == '\t' ? (column / 8 + 1) * 8 : column + 1;
	return column;
}

/* What stands behind the comma, or else the bracket, goes to a line of its own, further in. */
static void break_line(struct arena *a, struct line *l, struct buf *out)
{
	const size_t at = l->comma > 0 ? l->comma : l->open;
	const char *rest = c_copy(a, out->data + at, out->len - at);
	const int depth = l->depth, have = (int)strspn(out->data + l->from, "\t");
	const int tabs = l->tabs > 0 ? l->tabs : have > 0 ? have + 1 : 2;

	rest += *rest == ' ';
	out->len = at;
	buf_puts(out, "\n");
	begin_line(l, out, column_after(rest, rest + strlen(rest), 8 * tabs));
	l->depth = depth;
	l->tabs = tabs;
	for (int i = 0; i < tabs; i++)
		buf_puts(out, "\t");
	buf_puts(out, rest);
}

char *c_fit(struct arena *a, const char *text)
{
	struct buf out = { 0 };
	struct line l = { 0 };

	for (const char *s = text, *e; *s != '\0'; s = e) {
		const bool comment = s[0] == '/' && s[1] == '*';

		l.whole = l.whole || (*s == '#' && out.len == l.from);
		e = c_token_end(s);
		l.depth += (strchr("([{", *s) != NULL) - (strchr(")]}", *s) != NULL);
		buf_add(&out, s, (size_t)(e - s));
		l.column = column_after(s, e, l.column);
		if (*s == '\n' && !(l.whole && s > text && s[-1] == '\\')) {
			begin_line(&l, &out, 0);
		} else if (*s == ',' && *e == ' ' && l.column < COLUMNS && l.depth > 0 &&
			   (l.comma == 0 || l.depth <= l.least)) {
			l.comma = out.len;
			l.least = l.depth;
		}
		if (*s == '(' && l.open == 0 && l.column < COLUMNS && c_is_word(out.data[l.from]))
			l.open = out.len;
		if (l.column > COLUMNS && l.comma + l.open > 0 && !l.whole && !comment)
			break_line(a, &l, &out);
	}
	return buf_text(a, &out);
}
