/*
 * What adds or blends, and how its terms nest. Sums go flat: x + (z + G(z)), where z is F(x), is one of three terms, and
 * two blocks. A level is a fork: a term that others are computed from, or what a block's shortcut and branch have in
 * common. So lengths of paths are counted right whatever recognition made of a sum, and a block that is left out takes
 * with it the terms that pass through its branch.
 */
#include "skip/skip.h"

#include <string.h>

enum { MAX_LEVEL = 2 * MAX_TERM };

static void *copy(struct arena *a, const void *from, int n)
{
	return memcpy(arena_alloc(a, ((size_t)n + 1) * sizeof(struct tensor *)), from, (size_t)n * sizeof(struct tensor *));
}

bool descends(struct seeker *s, const struct tensor *x, const struct tensor *y)
{
	const int64_t steps = s->steps;

	s->steps = s->join_steps;
	const bool found = x != y && is_ancestor(s, x, y);

	s->join_steps = s->steps;
	s->steps = steps;
	return found;
}

static int level_of(const struct join *j, const struct tensor *fork)
{
	for (int k = 0; k < j->nlevel; k++)
		if (j->fork[k] == fork)
			return k;
	return -1;
}

/* The term is that of a shortcut of a block of this fork. */
static bool is_shortcut(const struct seeker *s, int block, const struct tensor *fork, const struct tensor *term)
{
	for (const struct block *b = s->g->block + block; b < s->g->block + s->g->nblock; b++)
		if (b->fork == fork && b->kept == term)
			return true;
	return false;
}

/* Terms from which others are computed. passes[k * MAX_TERM + i]: i from k. */
static void find_levels(struct seeker *s, struct join *j, bool *passes)
{
	for (int k = 0; k < j->nterm; k++) {
		bool any = false;

		for (int i = 0; i < j->nterm; i++)
			any |= passes[j->nlevel * j->nterm + i] = descends(s, j->value[k], j->value[i]);
		if (any && level_of(j, j->value[k]) < 0)
			j->fork[j->nlevel++] = j->value[k];
	}
}

/* Levels of blocks whose fork is no term: projections, views. */
static void find_other_levels(struct seeker *s, struct join *j, int block, bool *passes)
{
	for (int b = block; b < s->g->nblock && j->nlevel < MAX_LEVEL; b++) {
		struct tensor *fork = s->g->block[b].fork;

		if (level_of(j, fork) >= 0)
			continue;
		for (int i = 0; i < j->nterm; i++)
			passes[j->nlevel * j->nterm + i] =
				!is_shortcut(s, block, fork, j->term[i]) &&
				(fork == NULL || descends(s, fork, j->value[i]));
		j->fork[j->nlevel++] = fork;
	}
}

static struct join *add(struct graph *g)
{
	if (g->njoin == g->join_cap) {
		const int cap = g->join_cap > 0 ? 2 * g->join_cap : 16;
		struct join *v = arena_alloc(g->arena, (size_t)cap * sizeof(*v));

		if (g->njoin > 0)
			memcpy(v, g->join, (size_t)g->njoin * sizeof(*v));
		g->join = v;
		g->join_cap = cap;
	}
	return &g->join[g->njoin++];
}

void join_record(struct seeker *s, const struct join *join, int block)
{
	struct arena *a = s->g->arena;
	struct join j = *join;
	struct tensor *fork[MAX_LEVEL + 1];
	bool passes[(MAX_LEVEL + 1) * MAX_TERM];

	j.fork = fork;
	find_levels(s, &j, passes);
	find_other_levels(s, &j, block, passes);
	for (int b = block; b < s->g->nblock; b++) {
		s->g->block[b].sum = s->g->njoin;
		s->g->block[b].level = level_of(&j, s->g->block[b].fork);
	}
	j.term = copy(a, join->term, j.nterm);
	j.value = copy(a, join->value, j.nterm);
	j.fork = copy(a, fork, j.nlevel);
	j.through = memcpy(arena_alloc(a, (size_t)(j.nlevel * j.nterm) + 1), passes, (size_t)(j.nlevel * j.nterm));
	*add(s->g) = j;
}
