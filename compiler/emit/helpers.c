/*
 * Helper functions of instances: templates whose names end in _f32, _i64 .., called by that name.
 * Who calls one needs it in the file, and so on; and in vector kernels some calls become those of a
 * function that has fused multiply-adds.
 */
#include "emit/ctext.h"
#include "emit/template.h"

#include <stdbool.h>
#include <string.h>


struct needs {
	const char *seen[MAX_HELPERS];
	int n;
	void (*need)(void *ctx, const char *name);
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

static void collect_helpers(const char *text, struct needs *w)
{
	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = c_token_end(s);
		const struct embedded *t = c_is_word_start(*s) ? find_helper(s, e) : NULL;
		bool seen = t == NULL;

		for (int i = 0; i < w->n && !seen; i++)
			seen = w->seen[i] == t->name;
		if (seen)
			continue;
		if (w->n == MAX_HELPERS)
			die("too many helper functions");
		w->seen[w->n++] = t->name;
		const char *body = strstr(t->text, "#include \"template.h\"");

		collect_helpers(body != NULL ? body : t->text, w);
		w->need(w->ctx, t->name);
	}
}

int template_helpers(const char *text, void (*need)(void *ctx, const char *name), void *ctx)
{
	struct needs w = { .need = need, .ctx = ctx };

	collect_helpers(text, &w);
	return w.n;
}

/* NAME_fma_f32 where s .. e is NAME_f32 and both are helpers; else null. */
static const char *fused_name(struct arena *a, const char *s, const char *e)
{
	if (!c_is_word_start(*s) || find_helper(s, e) == NULL)
		return NULL;
	const char *name = arena_printf(a, "%.*s_fma%.4s", (int)(e - s) - 4, s, e - 4);

	return find_helper(name, name + strlen(name)) != NULL ? name : NULL;
}

const char *template_fused(struct arena *a, const char *text)
{
	struct buf out = { 0 };

	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = c_token_end(s);
		const char *name = fused_name(a, s, e);

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
