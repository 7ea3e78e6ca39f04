/*
 * Names of the output that meet nobody else's: one allocator for the network, run's parameters and
 * the functions of NAME.c, and one list of what others have (names.def).
 */
#include "emit/emission.h"

#include <ctype.h>
#include <string.h>

/* Of the rows of names.def. */
enum {
	ANYWHERE = NAME_PARAMETER | NAME_FUNCTION | NAME_NETWORK,
	RUN = NAME_PARAMETER | NAME_FUNCTION,
	LIBRARY = NAME_FUNCTION | NAME_NETWORK,
	IN_FOLDERS = 16, /* whatever the case of its letters: some file systems do not tell them apart */
	FILES = NAME_NETWORK | IN_FOLDERS,
	SHORT = NAME_UNASKED,
	OURS = 32, /* was claimed: a namesake gets a number, that of another's word a mark */
};

static const struct {
	unsigned uses;
	const char *words;
} others[] = {
#define TAKEN(uses, words) { uses, words },
#include "emit/names.def"
#undef TAKEN
};

/* A word, what it cannot be used for, and the number of the next copy of it. */
struct word {
	const char *text;
	unsigned uses;
	int copy;
};

struct family {
	const char *beginning;
	unsigned uses;
	struct family *next;
};

struct names {
	struct arena *arena;
	struct word *table; /* open addressing; size is a power of two */
	size_t size, n;
	struct family *families;
};

static struct word *find(struct word *table, size_t size, const char *text)
{
	size_t at = (size_t)hash_text(text) & (size - 1);

	while (table[at].text != NULL && strcmp(table[at].text, text) != 0)
		at = (at + 1) & (size - 1);
	return &table[at];
}

static void grow(struct names *s)
{
	size_t size = s->size == 0 ? 8192 : 2 * s->size;
	struct word *table = arena_alloc(s->arena, size * sizeof(*table));

	memset(table, 0, size * sizeof(*table));
	for (size_t k = 0; k < s->size; k++)
		if (s->table[k].text != NULL)
			*find(table, size, s->table[k].text) = s->table[k];
	s->table = table;
	s->size = size;
}

static struct word *word_of(struct names *s, const char *text)
{
	if (2 * s->n >= s->size)
		grow(s);
	struct word *w = find(s->table, s->size, text);

	if (w->text == NULL) {
		*w = (struct word){ .text = text, .copy = 2 };
		s->n++;
	}
	return w;
}

static void take(struct names *s, unsigned uses, const char *text)
{
	const size_t n = strlen(text);

	if (text[n - 1] != '*') {
		word_of(s, text)->uses |= uses;
		return;
	}
	struct family *f = arena_alloc(s->arena, sizeof(*f));

	*f = (struct family){ arena_printf(s->arena, "%.*s", (int)n - 1, text), uses, s->families };
	s->families = f;
}

void names_take(struct names *s, const char *text)
{
	take(s, ANYWHERE | OURS, text);
}

struct names *names_new(struct arena *a)
{
	struct names *s = arena_alloc(a, sizeof(*s));

	*s = (struct names){ .arena = a };
	for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++)
		for (const char *word = others[k].words; *word != '\0';) {
			const size_t n = strcspn(word, " ");

			take(s, others[k].uses, arena_printf(a, "%.*s", (int)n, word));
			word += n + (word[n] == ' ');
		}
	return s;
}

static const char *lower(struct arena *a, const char *text)
{
	char *t = arena_strdup(a, text);

	for (char *c = t; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return t;
}

bool names_taken(const struct names *s, unsigned use, const char *name)
{
	const struct word *w = find(s->table, s->size, name);

	if (w->text != NULL && (w->uses & use) != 0)
		return true;
	for (const struct family *f = s->families; f != NULL && name[strlen(name) - 1] != '_'; f = f->next)
		if ((f->uses & use) != 0 && strncmp(name, f->beginning, strlen(f->beginning)) == 0)
			return true;
	if ((use & NAME_NETWORK) == 0)
		return false;
	w = find(s->table, s->size, lower(s->arena, name));
	return w->text != NULL && (w->uses & IN_FOLDERS) != 0;
}

static bool all_free(struct names *s, unsigned use, const char *name, const char *const *endings, int n)
{
	bool taken = names_taken(s, use, name);

	for (int k = 0; k < n && !taken; k++)
		taken = names_taken(s, use, arena_printf(s->arena, "%s%s", name, endings[k]));
	return !taken;
}

const char *names_claim(struct names *s, unsigned use, const char *name, const char *const *endings,
	int n)
{
	const char *text = name;

	if (!all_free(s, use, text, endings, n)) {
		struct word *w = word_of(s, name);
		const bool namesake = (w->uses & OURS) != 0;
		const char *base = (use & NAME_NETWORK) != 0 && !namesake
					   ? arena_printf(s->arena, "net_%s", name)
					   : name;

		text = base != name ? base
		       : namesake   ? arena_printf(s->arena, "%s_%d", name, w->copy++)
				    : arena_printf(s->arena, "%s_", name);
		for (bool mark = namesake; !all_free(s, use, text, endings, n); mark = !mark)
			text = mark ? arena_printf(s->arena, "%s_", text)
				    : arena_printf(s->arena, "%s_%d", base, w->copy++);
	}
	names_take(s, text);
	for (int k = 0; k < n; k++)
		names_take(s, arena_printf(s->arena, "%s%s", text, endings[k]));
	return text;
}

const char *identifier(struct arena *a, const char *name)
{
	size_t n = strlen(name);
	char *s = arena_alloc(a, n + 2), *to = s;

	if (n == 0 || isdigit((unsigned char)name[0]))
		*to++ = 'x';
	for (size_t k = 0; k < n; k++) {
		unsigned char c = (unsigned char)name[k];

		if (c < 128 && isalnum(c))
			*to++ = (char)c;
		else if (to == s || to[-1] != '_')
			*to++ = '_';
	}
	*to = '\0';
	while (to > s + 1 && to[-1] == '_')
		*--to = '\0';
	return s[0] == '_' ? arena_printf(a, "x%s", s) : s; /* a leading _ is the implementation's */
}
