/*
 * Who is computed from whom. Walks go back along the graph's order and stop where what they look
 * for must have been met, so that each costs about as much as the block between is long.
 */
#include "skip/skip.h"

#include <stdlib.h>
#include <string.h>

static int place_of(const struct seeker *s, const struct tensor *t)
{
	return t->id < s->ntensor && s->place[t->id] > 0 ? s->place[t->id] : 0;
}

static bool known(const struct seeker *s, const struct tensor *t)
{
	return t != NULL && t->id < s->ntensor && s->place[t->id] >= 0;
}

static void begin(struct seeker *s)
{
	s->stamp++;
	s->nvisited = 0;
}

/* Marks t as seen; false: it was, or no steps are left. */
static bool see(struct seeker *s, const struct tensor *t)
{
	if (s->seen[t->id] == s->stamp || s->steps <= 0)
		return false;
	s->steps--;
	s->seen[t->id] = s->stamp;
	s->color[t->id] = 0;
	s->visited[s->nvisited++] = t->id;
	return true;
}

bool is_ancestor(struct seeker *s, const struct tensor *x, const struct tensor *y)
{
	int depth = 0;

	begin(s);
	if (see(s, y))
		s->walk[depth++] = y->id;
	while (depth > 0) {
		const struct tensor *t = s->g->tensors[s->walk[--depth]];

		if (t == x)
			return true;
		for (int k = 0; t->def != NULL && k < t->def->nin; k++) {
			const struct tensor *in = t->def->in[k];

			if (known(s, in) && place_of(s, in) >= place_of(s, x) && see(s, in))
				s->walk[depth++] = in->id;
		}
	}
	return false;
}

bool all_through(struct seeker *s, struct tensor *const *from, int n, const struct tensor *stop,
	const struct tensor **other)
{
	int depth = 0;

	*other = NULL;
	begin(s);
	for (int k = 0; k < n; k++)
		if (from[k] != NULL && from[k] != stop && known(s, from[k]) && see(s, from[k]))
			s->walk[depth++] = from[k]->id;
	while (depth > 0) {
		const struct tensor *t = s->g->tensors[s->walk[--depth]];

		if (place_of(s, t) <= place_of(s, stop)) {
			*other = t;
			return false;
		}
		for (int k = 0; k < t->def->nin; k++) {
			const struct tensor *in = t->def->in[k];

			if (known(s, in) && in != stop && see(s, in))
				s->walk[depth++] = in->id;
		}
	}
	return true;
}

/* ---- the fork: both sides at once, the latest value first ---- */

static bool later(const struct seeker *s, int x, int y)
{
	return s->place[x] != s->place[y] ? s->place[x] > s->place[y] : x > y;
}

static void heap_push(struct seeker *s, int *n, int id)
{
	int k = (*n)++;

	for (; k > 0 && later(s, id, s->walk[(k - 1) / 2]); k = (k - 1) / 2)
		s->walk[k] = s->walk[(k - 1) / 2];
	s->walk[k] = id;
}

static int heap_pop(struct seeker *s, int *n)
{
	const int top = s->walk[0], last = s->walk[--*n];
	int k = 0;

	for (;;) {
		int child = 2 * k + 1;

		if (child >= *n)
			break;
		if (child + 1 < *n && later(s, s->walk[child + 1], s->walk[child]))
			child++;
		if (!later(s, s->walk[child], last))
			break;
		s->walk[k] = s->walk[child];
		k = child;
	}
	if (*n > 0)
		s->walk[k] = last;
	return top;
}

static void paint(struct seeker *s, int *n, const struct tensor *t, unsigned char color)
{
	if (!known(s, t))
		return;
	if (see(s, t))
		heap_push(s, n, t->id);
	if (s->seen[t->id] == s->stamp)
		s->color[t->id] |= color;
}

/* Of what was visited, what stands behind the fork. */
static void keep_between(struct seeker *s, const struct tensor *fork)
{
	int n = 0;

	for (int k = 0; k < s->nvisited; k++)
		if (s->place[s->visited[k]] > place_of(s, fork))
			s->visited[n++] = s->visited[k];
	s->nvisited = n;
}

struct tensor *fork_of(struct seeker *s, const struct tensor *x, const struct tensor *y)
{
	int n = 0;

	begin(s);
	paint(s, &n, x, 1);
	paint(s, &n, y, 2);
	while (n > 0) {
		struct tensor *t = s->g->tensors[heap_pop(s, &n)];

		if (s->color[t->id] == 3) {
			keep_between(s, t);
			return t;
		}
		for (int k = 0; t->def != NULL && k < t->def->nin; k++)
			paint(s, &n, t->def->in[k], s->color[t->id]);
	}
	return NULL;
}

int count_layers(const struct seeker *s, int color)
{
	int count = 0;

	for (int k = 0; k < s->nvisited; k++) {
		const struct tensor *t = s->g->tensors[s->visited[k]];

		if (t->def != NULL && (color == 0 || s->color[t->id] == color))
			count += is_a(t->def, IS_LAYER);
	}
	return count;
}

/* A long way back lists nothing but p: many long skips would make long lists. */
const struct prov *visited_prov(struct seeker *s, int color, const struct prov *p)
{
	enum { MOST = 400 };
	const struct prov *all = p;
	int listed = p != NULL ? p->n : 0;

	if (s->nvisited > MOST)
		return p;
	for (int k = 0; k < s->nvisited; k++) {
		const struct tensor *t = s->g->tensors[s->visited[k]];
		const struct prov *q = t->def != NULL ? t->def->prov : NULL;

		if (q == NULL || (color != 0 && s->color[t->id] != color))
			continue;
		listed += q->n;
		if (listed > 4 * MOST)
			return p;
		all = prov_union(s->g->arena, all, q);
	}
	return all;
}
