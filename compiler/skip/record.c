/* What skip() saw, noted in the graph. */
#include "skip/skip.h"

#include <string.h>

void record_block(struct seeker *s, const struct block *b)
{
	struct graph *g = s->g;

	if (g->nblock == g->block_cap) {
		const int cap = g->block_cap > 0 ? 2 * g->block_cap : 16;
		struct block *v = arena_alloc(g->arena, (size_t)cap * sizeof(*v));

		if (g->nblock > 0)
			memcpy(v, g->block, (size_t)g->nblock * sizeof(*v));
		g->block = v;
		g->block_cap = cap;
	}
	g->block[g->nblock++] = *b;
}

/* The first reason counts: it comes from the largest thing that the node could have been part of.
 */
void refuse(struct seeker *s, const struct prov *p, const char *why)
{
	for (int k = 0; p != NULL && k < p->n; k++)
		if (s->why[prov_at(p, k)] == NULL)
			s->why[prov_at(p, k)] = why;
}
