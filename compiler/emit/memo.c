/* Texts, each once, and what was made of them: alike kernels are trimmed once. */
#include "emit/memo.h"

#include <string.h>

/* Where the number of the text is in v->table, or would be. */
static int *place_of(const struct texts *v, const char *text, uint64_t hash)
{
	size_t at = (size_t)hash & (size_t)(v->size - 1);

	while (v->table[at] > 0 &&
		(v->hash[v->table[at] - 1] != hash || strcmp(v->text[v->table[at] - 1], text) != 0))
		at = (at + 1) & (size_t)(v->size - 1);
	return &v->table[at];
}

static void texts_grow(struct texts *v, struct arena *a)
{
	const struct texts old = *v;

	v->size = old.size > 0 ? 2 * old.size : 64;
	v->text = arena_alloc(a, (size_t)v->size / 2 * sizeof(*v->text));
	v->hash = arena_alloc(a, (size_t)v->size / 2 * sizeof(*v->hash));
	v->table = arena_alloc(a, (size_t)v->size * sizeof(*v->table));
	for (int k = 0; k < v->n; k++) {
		v->text[k] = old.text[k];
		v->hash[k] = old.hash[k];
		*place_of(v, v->text[k], v->hash[k]) = k + 1;
	}
}

int texts_number(struct texts *v, struct arena *a, const char *text)
{
	const uint64_t hash = hash_text(text);

	if (2 * v->n >= v->size)
		texts_grow(v, a);
	int *place = place_of(v, text, hash);

	if (*place == 0) {
		v->text[v->n] = text;
		v->hash[v->n] = hash;
		*place = ++v->n;
	}
	return *place - 1;
}

struct memo *memo_new(struct arena *a)
{
	struct memo *m = arena_alloc(a, sizeof(*m));

	m->arena = a;
	return m;
}

const char **memo_place(struct memo *m, const char *key)
{
	const int have = m->key.n, at = texts_number(&m->key, m->arena, key);

	if (at < have)
		return &m->result[at];
	m->key.text[at] = arena_strdup(m->arena, key);
	if (at == m->cap) {
		const char **old = m->result;

		m->cap = 2 * m->cap + 64;
		m->result = arena_alloc(m->arena, (size_t)m->cap * sizeof(*m->result));
		if (at > 0)
			memcpy(m->result, old, (size_t)at * sizeof(*old));
	}
	return &m->result[at];
}
