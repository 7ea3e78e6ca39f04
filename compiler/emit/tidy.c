/* What filling in a template leaves behind, taken out: locals that nothing uses, factors of one, blank lines. */
#include "emit/ctext.h"
#include "emit/template.h"

#include <string.h>

static char *kept(struct arena *a, struct buf *b)
{
	char *text = arena_strdup(a, b->len > 0 ? b->data : "");

	buf_release(b);
	return text;
}

/* Whether a word occurs between s and the end of the block that s is in. */
static bool used_below(const char *s, const char *word)
{
	int depth = 0;

	for (const char *e; *s != '\0' && depth >= 0; s = e) {
		e = c_token_end(s);
		depth += (*s == '{') - (*s == '}');
		if (c_is_word_start(*s) && c_same(s, e, word))
			return true;
	}
	return false;
}

/* Drops lines `const int NAME = ...;` whose NAME an access did not need, until none is left. */
static char *drop_unused(struct arena *a, char *code)
{
	for (char *s = code; *s != '\0';) {
		const char *e = c_line_end(s), *name = s + strspn(s, "\t"), *name_end;

		if (strncmp(name, "const int ", 10) == 0 && e - name > 12 && e[-2] == ';') {
			name += 10;
			name_end = c_token_end(name);
			const char *comma = memchr(name, ',', (size_t)(e - name));
			const char *word = c_copy(a, name, (size_t)(name_end - name));

			if (strncmp(name_end, " = ", 3) == 0 && comma == NULL &&
				!used_below(e, word)) {
				memmove(s, e, strlen(e) + 1);
				s = code;
				continue;
			}
		}
		s += e - s;
	}
	return code;
}

/* Factors of one, which switches leave behind, are dropped: `n0 * 1 * K`, `1 * count`, `block / 1`. */
static char *without_ones(struct arena *a, const char *text)
{
	struct buf out = { 0 };

	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = c_token_end(s);
		size_t before = out.len;

		while (before > 0 && out.data[before - 1] == ' ')
			before--;
		const char last = before > 0 ? out.data[before - 1] : ' ';

		if (c_same(s, e, "1") && before > 1 && (last == '*' || last == '/') &&
			out.data[before - 2] == ' ' && *e != '.') {
			for (out.len = before - 1; out.data[out.len - 1] == ' ';)
				out.len--;
			continue;
		}
		if (c_same(s, e, "1") && strncmp(e, " * ", 3) == 0 && strchr("([,=+-", last) != NULL) {
			e += 3;
			continue;
		}
		buf_add(&out, s, (size_t)(e - s));
	}
	return kept(a, &out);
}

char *tidy_body(struct arena *a, char *code)
{
	return drop_unused(a, without_ones(a, code));
}

/* No blank line at the start, behind another one or a '{', or before a '}'. */
char *tidy_lines(struct arena *a, const char *text)
{
	struct buf out = { 0 };

	for (const char *s = text; *s != '\0'; s = c_line_end(s)) {
		const char *e = c_line_end(s), *next = e + strspn(e, "\t");
		const bool open = out.len < 2 || out.data[out.len - 2] == '{' ||
				  out.data[out.len - 2] == '\n';

		if (*s == '\n' && (open || *next == '}' || *next == '\n' || *next == '\0'))
			continue;
		buf_add(&out, s, (size_t)(e - s));
	}
	return kept(a, &out);
}
