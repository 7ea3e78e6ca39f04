/*
 * Networks with blocks left out, or in other places: --drop and --reorder, edits of the canonical graph before skip()
 * looks at it. What is where is found by a skip() of a copy, whose tensors have the numbers of the graph's own.
 */
#include "skip/skip.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char list_hint[] = "skipc inspect lists blocks by their numbers, and what is none and why";

/* A block as it is found again once others were moved: by the last node that adds or blends, and the how manieth of
 * these it is. */
struct place {
	int onnx, nth;
};

static int last_of(const struct block *b)
{
	return b->join != NULL && b->join->n > 0 ? prov_at(b->join, b->join->n - 1) : -1;
}

static struct graph *recognised(const struct graph *g)
{
	struct graph *seen = graph_copy(g);

	skip(seen);
	return seen;
}

static struct place place_of(const struct graph *seen, int block)
{
	struct place p = { last_of(&seen->block[block]), 0 };

	for (int k = 0; k < block; k++)
		p.nth += last_of(&seen->block[k]) == p.onnx;
	return p;
}

static int at_place(const struct graph *seen, struct place p)
{
	for (int k = 0; k < seen->nblock; k++)
		if (last_of(&seen->block[k]) == p.onnx && p.nth-- == 0)
			return k;
	return -1;
}

/* ---- names ---- */

static bool is_number(const char *s)
{
	return *s != '\0' && strlen(s) < 9 && s[strspn(s, "0123456789")] == '\0';
}

/* A node without a name goes by its output, as in what inspect prints. */
static bool is_named(const struct onnx_node *o, const char *name)
{
	return strcmp(o->name != NULL && o->name[0] != '\0' ? o->name : o->output, name) == 0;
}

static bool holds(const struct prov *p, int onnx)
{
	for (int k = 0; p != NULL && k < p->n; k++)
		if (prov_at(p, k) == onnx)
			return true;
	return false;
}

/* The node adds the shortcut itself: of a sum of sums this is the block's own Add. */
static bool adds_shortcut(const struct graph *g, const struct block *b, int onnx)
{
	const struct tensor *x = b->kept != NULL ? g->tensors[b->kept->id] : NULL;

	for (const struct use *u = x != NULL ? x->user : NULL; u != NULL; u = u->next)
		if (is_a(u->node, IS_SUM) && holds(u->node->prov, onnx))
			return true;
	return false;
}

/* The block that the ONNX node adds or blends; -1: none. */
static int block_at(const struct graph *g, const struct graph *seen, int onnx)
{
	int found = -1;

	for (int k = 0; k < seen->nblock; k++)
		if (holds(seen->block[k].join, onnx) && (found < 0 || adds_shortcut(g, &seen->block[k], onnx)))
			found = k;
	return found;
}

/* Why the node of that name adds nothing that is a block. */
static void no_block(struct graph *g, const struct graph *seen, const char *option, const char *name)
{
	for (int k = 0; k < seen->nrefusal; k++)
		if (is_named(&g->onnx[seen->refusal[k].onnx], name)) {
			onnx_error(g, seen->refusal[k].onnx, list_hint, "it is no block: %s", seen->refusal[k].why);
			return;
		}
	model_error(g->diag, list_hint, "%s: no block adds or blends in a node \"%s\"", option, escape(g->arena, name));
}

/* -1: reported. */
static int find_block(struct graph *g, const struct graph *seen, const char *option, const char *name)
{
	const long number = is_number(name) ? strtol(name, NULL, 10) : -1;

	if (number >= 0 && number < seen->nblock)
		return (int)number;
	if (number >= 0) {
		model_error(g->diag, list_hint, "%s %ld: the network has %d blocks, and the first is 0", option, number,
			seen->nblock);
		return -1;
	}
	for (int i = 0; i < g->nonnx; i++) {
		const int k = is_named(&g->onnx[i], name) ? block_at(g, seen, i) : -1;

		if (k >= 0)
			return k;
	}
	no_block(g, seen, option, name);
	return -1;
}

/* Is the whole text a name of a block's node? Then commas are part of it. */
static bool is_one(const struct graph *g, const struct graph *seen, const char *text)
{
	for (int i = 0; i < g->nonnx; i++)
		if (is_named(&g->onnx[i], text) && block_at(g, seen, i) >= 0)
			return true;
	return false;
}

/* The blocks of `1,4,/layer1/Add`; how many. -1: reported. */
static int find_blocks(struct graph *g, const struct graph *seen, const struct edit *e, int *block)
{
	const char *option = e->reorder ? "--reorder" : "--drop";
	const bool one = is_one(g, seen, e->text);
	int n = 0;

	for (const char *s = e->text, *end; s != NULL; s = *end == ',' ? end + 1 : NULL) {
		end = one ? s + strlen(s) : s + strcspn(s, ",");
		block[n] = find_block(g, seen, option, arena_printf(g->arena, "%.*s", (int)(end - s), s));
		if (block[n++] < 0)
			return -1;
	}
	return n;
}

/* ---- what shapes and data flow forbid ---- */

static const char *const forbidden[] = {
	[BLOCK_OPTION_A] = "its shortcut changes the shape, and is no identity",
	[BLOCK_PROJECTION] = "its shortcut is a projection, and no identity",
	[BLOCK_BLEND] = "neither of its values is carried",
};

static bool allowed(struct graph *g, const struct graph *seen, int block, const char *what)
{
	static const char hint[] = "a block whose shortcut is an identity, or a highway, can be: skipc inspect lists the kinds";
	const struct block *b = &seen->block[block];
	const char *why = b->kind < sizeof(forbidden) / sizeof(forbidden[0]) ? forbidden[b->kind] : NULL;

	if (why == NULL && !shape_equal(&b->kept->shape, &seen->join[b->sum].out->shape))
		why = "its shortcut has another shape than its result";
	if (why == NULL)
		return true;
	onnx_error(g, last_of(b), hint, "block %d cannot be %s: %s: \"%s\" %s gives %s", block, what, why,
		escape(g->arena, b->shortcut),
		b->fork != NULL ? shape_text(g->arena, &b->fork->shape) : "of nothing in common",
		shape_text(g->arena, &seen->join[b->sum].out->shape));
	return false;
}

/* ---- the pass ---- */

/* Reported, or what the edit exchanges is exchanged. `first` is what was seen before any edit. */
static void reorder(struct graph *g, const struct graph *first, const struct edit *e)
{
	int *block = arena_alloc(g->arena, (strlen(e->text) + 1) * sizeof(int)), at[2];
	const int n = find_blocks(g, first, e, block);
	struct graph *seen;

	if (n < 0)
		return;
	if (n != 2 || block[0] == block[1]) {
		model_error(g->diag, "--reorder 3,5", "--reorder exchanges two blocks, not %s", escape(g->arena, e->text));
		return;
	}
	seen = recognised(g);
	for (int k = 0; k < 2; k++) {
		at[k] = at_place(seen, place_of(first, block[k]));
		if (at[k] < 0) {
			model_error(g->diag, NULL, "--reorder: block %d is none any more where an earlier --reorder has put it",
				block[k]);
			return;
		}
		if (!allowed(g, seen, at[k], "moved"))
			return;
	}
	exchange_blocks(g, seen, at[0], at[1]);
}

static void drop(struct graph *g, const struct graph *first, const struct edit *e, int n)
{
	bool *chosen = arena_alloc(g->arena, (size_t)first->nblock + 1), *drops;
	struct graph *seen;

	for (int k = 0; k < n; k++) {
		int *block = arena_alloc(g->arena, (strlen(e[k].text) + 1) * sizeof(int));
		const int count = e[k].reorder ? 0 : find_blocks(g, first, &e[k], block);

		for (int i = 0; i < count; i++)
			chosen[block[i]] = true;
	}
	seen = recognised(g);
	drops = arena_alloc(g->arena, (size_t)seen->nblock + 1);
	for (int k = 0; k < first->nblock; k++) {
		const int at = chosen[k] ? at_place(seen, place_of(first, k)) : -1;

		if (at >= 0 && allowed(g, seen, at, "left out"))
			drops[at] = true;
	}
	if (g->diag->errors == 0)
		drop_blocks(g, seen, drops);
}

void edit_blocks(struct graph *g, const struct edit *e, int n)
{
	const struct graph *first = n > 0 ? recognised(g) : NULL;

	for (int k = 0; k < n && g->diag->errors == 0; k++)
		if (e[k].reorder)
			reorder(g, first, &e[k]);
	if (n > 0 && g->diag->errors == 0)
		drop(g, first, e, n);
	if (n > 0 && g->diag->errors == 0)
		rewrite(g); /* two activations may have met */
}
