/*
 * The files of templates/interface, and vector/shared, filled in: NAME, in capitals where the word it begins has them, conditions on
 * switches, and words for what the network is. A line that is one word becomes its text, or nothing.
 */
#include "emit/ctext.h"
#include "emit/emission.h"
#include "emit/template.h"

#include <ctype.h>
#include <string.h>

/* The text for the word s .. end: NAME_OK, NAME_run, or one of the caller's; null: it is none. */
static const char *text_for(const struct filling *f, const char *s, const char *end)
{
	if (end - s >= 4 && strncmp(s, "NAME", 4) == 0 && (end - s == 4 || s[4] == '_'))
		return arena_printf(f->arena, "%s%.*s",
			end - s > 5 && isupper((unsigned char)s[5]) ? f->upper : f->name, (int)(end - s) - 4, s + 4);
	for (int i = 0; i < f->nwords; i++)
		if (c_same(s, end, f->word[i].name))
			return f->word[i].text;
	return NULL;
}

/* Is all of the line s one of the caller's words? */
static const char *line_text(const struct filling *f, const char *s)
{
	const char *word = s + strspn(s, "\t"), *end = c_token_end(word);

	return *end == '\n' && isupper((unsigned char)*word) ? text_for(f, word, end) : NULL;
}

void fill_switch(struct filling *f, const char *name, bool value)
{
	if (f->nswitches == MAX_SWITCH)
		die("too many switches for a file of the interface");
	f->switches[f->nswitches++] = (struct param){ name, value };
}

void fill_word(struct filling *f, const char *name, const char *text)
{
	if (f->nwords == MAX_WORD)
		die("too many words for a file of the interface");
	f->word[f->nwords++] = (struct subst){ name, text };
}

void fill_number(struct filling *f, const char *name, int64_t value)
{
	fill_word(f, name, arena_printf(f->arena, "%lld", (long long)value));
	fill_word(f, arena_printf(f->arena, "%s_TEXT", name), grouped(f->arena, value));
}

char *fill(const struct filling *f, const char *name)
{
	const char *s = template_resolve(f->arena, name, f->switches, f->nswitches);
	struct buf out = { 0 };

	while (*s != '\0') {
		const bool line = out.len == 0 || out.data[out.len - 1] == '\n';
		const char *end = s, *text = line ? line_text(f, s) : NULL;

		if (text != NULL) {
			buf_puts(&out, text);
			s = c_line_end(s) - (*text != '\0' && text[strlen(text) - 1] != '\n');
			continue;
		}
		while (c_is_word(*end))
			end++;
		if (end - s > 5 && strncmp(s, "DNAME_", 6) == 0) { /* -DNAME_PROFILE */
			buf_puts(&out, "D");
			s++;
		}
		text = text_for(f, s, end);
		end += end == s;
		buf_add(&out, text != NULL ? text : s, text != NULL ? strlen(text) : (size_t)(end - s));
		s = end;
	}
	return buf_text(f->arena, &out);
}
