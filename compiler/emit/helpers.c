/*
 * Helper functions of instances: templates whose names end in _f32, _i64 .., called by that name.
 * Who calls one needs it in the file, and so on. In vector kernels some calls become those of a function that has fused
 * multiply-adds; and one on vectors, NAME_vec_f32, is made for each instruction set, as NAME_avx2_f32.
 */
#include "emit/ctext.h"
#include "emit/template.h"

#include <stdbool.h>
#include <string.h>


struct needs {
	const char *seen[MAX_HELPERS];
	int n;
	void (*need)(void *ctx, const struct helper *h);
	void *ctx;
};

static const char *base_of(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash != NULL ? slash + 1 : name;
}

static bool has_form(const char *s, const char *end)
{
	return end - s >= 5 && end[-4] == '_' && strchr("fiu", end[-3]) != NULL;
}

void template_helper_names(void (*name)(void *ctx, const char *name), void *ctx)
{
	for (const struct embedded *t = embedded_templates; t->name != NULL; t++)
		if (has_form(t->name, t->name + strlen(t->name)))
			name(ctx, base_of(t->name));
}

/* The embedded template "c/WORD" or "x86/WORD" when the word names a helper. */
static const struct embedded *find_helper(const char *s, const char *end)
{
	if (!has_form(s, end))
		return NULL;
	for (const struct embedded *t = embedded_templates; t->name != NULL; t++)
		if (c_same(s, end, base_of(t->name)))
			return t;
	return NULL;
}

/* The helper that the word names: a template, or one on vectors for an instruction set. False: none. */
static bool helper_of(struct arena *a, const char *s, const char *end, struct helper *to)
{
	const struct embedded *t = find_helper(s, end);
	const char *type = end - 4, *suffix = type;

	*to = (struct helper){ .template = t != NULL ? t->name : NULL, .function = t != NULL ? base_of(t->name) : NULL };
	if (t != NULL || !has_form(s, end))
		return t != NULL;
	while (suffix > s && suffix[-1] != '_')
		suffix--;
	const char *name = arena_printf(a, "%.*svec%.4s", (int)(suffix - s), s, type);

	t = find_helper(name, name + strlen(name));
	if (t == NULL)
		return false;
	*to = (struct helper){ t->name, c_copy(a, s, (size_t)(end - s)), c_copy(a, suffix, (size_t)(type - suffix)) };
	return true;
}

static void collect_helpers(struct arena *a, const char *text, struct needs *w)
{
	for (const char *s = text, *e; *s != '\0'; s = e) {
		struct helper h;

		e = c_token_end(s);
		bool seen = !c_is_word_start(*s) || !helper_of(a, s, e, &h);

		for (int i = 0; i < w->n && !seen; i++)
			seen = strcmp(w->seen[i], h.function) == 0;
		if (seen)
			continue;
		if (w->n == MAX_HELPERS)
			die("too many helper functions");
		w->seen[w->n++] = h.function;
		const char *source = template_source(h.template), *body = strstr(source, "#include \"template.h\"");

		body = body != NULL ? body : source;
		collect_helpers(a, h.suffix != NULL ? template_for_set(a, body, h.suffix) : body, w);
		w->need(w->ctx, &h);
	}
}

int template_helpers(const char *text, void (*need)(void *ctx, const struct helper *h), void *ctx)
{
	struct needs w = { .need = need, .ctx = ctx };
	struct arena a = { 0 };

	collect_helpers(&a, text, &w);
	arena_release(&a);
	return w.n;
}

/* What a call of the helper s .. e is in a set's code; null: as it stands. */
static const char *name_in_set(struct arena *a, const char *s, const char *e, const char *suffix)
{
	const int n = (int)(e - s) - 4;

	if (!c_is_word_start(*s) || find_helper(s, e) == NULL)
		return NULL;
	if (n > 4 && memcmp(e - 8, "_vec", 4) == 0)
		return arena_printf(a, "%.*s%s%s%.4s", n - 4, s, suffix != NULL ? "_" : "",
			suffix != NULL ? suffix : "", e - 4);
	const char *name = arena_printf(a, "%.*s_fma%.4s", n, s, e - 4);

	return suffix != NULL && find_helper(name, name + strlen(name)) != NULL ? name : NULL;
}

const char *template_for_set(struct arena *a, const char *text, const char *suffix)
{
	struct buf out = { 0 };

	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = c_token_end(s);
		const char *name = name_in_set(a, s, e, suffix);

		if (name != NULL)
			buf_puts(&out, name);
		else
			buf_add(&out, s, (size_t)(e - s));
	}
	return buf_text(a, &out);
}

const char *template_source(const char *name)
{
	for (const struct embedded *t = embedded_templates; t->name != NULL; t++)
		if (strcmp(t->name, name) == 0)
			return t->text;
	return NULL;
}

bool template_has(const char *name, const char *word)
{
	return c_has_word(template_source(name), word);
}
