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

/* Column behind the last line of out. */
static size_t column_of(const struct buf *out)
{
	size_t from = out->len, column = 0;

	while (from > 0 && out->data[from - 1] != '\n')
		from--;
	for (; from < out->len; from++)
		column = out->data[from] == '\t' ? (column / 8 + 1) * 8 : column + 1;
	return column;
}

void c_wrapped(struct buf *out, const char *head, const char *list, const char *tail)
{
	enum { COLUMNS = 100 };
	const char *space = head[0] != '\0' && head[strlen(head) - 1] == '(' ? "" : " ";

	buf_puts(out, head);
	while (*list != '\0') {
		const char *end = strstr(list, ", ");
		size_t n = end != NULL ? (size_t)(end - list) : strlen(list);

		if (column_of(out) + strlen(space) + n + 2 > COLUMNS)
			buf_puts(out, "\n\t\t");
		else
			buf_puts(out, space);
		buf_add(out, list, n);
		buf_puts(out, end != NULL ? "," : "");
		list += n + (end != NULL ? 2 : 0);
		space = " ";
	}
	buf_puts(out, tail);
}
