/* What skip() saw, for people: a line or two for each block, and the reason for every sum and gate
 * that is none. */
#include "report/report.h"

#include <string.h>

static const struct {
	const char *name, *text;
} kinds[] = {
	[BLOCK_IDENTITY] = { "identity", "residual, identity shortcut" },
	[BLOCK_OPTION_A] = { "option-a", "residual, shortcut of option A" },
	[BLOCK_PROJECTION] = { "projection", "residual, projection" },
	[BLOCK_SCALED] = { "scaled", "scaled residual" },
	[BLOCK_GATED] = { "gated", "gated residual" },
	[BLOCK_HIGHWAY] = { "highway", "highway" },
	[BLOCK_CARRY] = { "highway-carry", "highway with a carry gate" },
	[BLOCK_BLEND] = { "blend", "blend" },
};

const char *block_kind_name(enum block_kind kind)
{
	return kinds[kind].name;
}

/* The kernel that stores the join, or what it became part of; else the last that stands for one of
 * its nodes: that one adds it up. */
const struct kernel **blocks_join(struct arena *a, const struct plan *p)
{
	const struct graph *g = p->graph;
	const struct kernel **join = arena_alloc(a, (size_t)(g->nblock + 1) * sizeof(*join));
	int *by_tensor = arena_alloc(a, (size_t)(g->ntensor + 1) * sizeof(int)),
	    *by_node = arena_alloc(a, (size_t)(g->nonnx + 1) * sizeof(int)); /* kernels, from 1 */

	for (int k = 0; k < p->nkernel; k++) {
		const struct kernel *kernel = p->kernel[k];

		for (int i = 0; i < kernel->ngroup; i++)
			by_tensor[kernel->group[i]->out[0]->id] = k + 1;
		for (int i = 0; kernel->prov != NULL && i < kernel->prov->n; i++)
			by_node[prov_at(kernel->prov, i)] = k + 1;
	}
	for (int k = 0; k < g->nblock; k++) {
		const struct block *b = &g->block[k];
		const int own = b->out != NULL ? by_tensor[b->out->id] : 0;
		int last = own;

		for (int i = 0; own == 0 && i < b->join->n; i++)
			last = by_node[prov_at(b->join, i)] > last ? by_node[prov_at(b->join, i)]
								 : last;
		join[k] = last > 0 ? p->kernel[last - 1] : NULL;
	}
	return join;
}

bool block_leaves_out(const struct graph *g, const struct block *b)
{
	return g->skip_below > 0 && b->unskipped == NULL &&
	       (b->kind == BLOCK_HIGHWAY || b->kind == BLOCK_CARRY);
}

static void block_line(FILE *to, struct arena *a, const struct graph *g, const struct block *b,
	const struct kernel *join)
{
	const bool gate = b->kind == BLOCK_HIGHWAY || b->kind == BLOCK_CARRY ||
			  b->kind == BLOCK_BLEND;

	fprintf(to, "%4d  %s%s: \"%s\" %s \"%s\"", (int)(b - g->block), kinds[b->kind].text,
		b->preactivation ? ", pre-activation" : "", escape(a, b->shortcut),
		gate ? "and" : "+", escape(a, b->branch));
	if (b->gate != NULL)
		fprintf(to, ", gate \"%s\"", escape(a, b->gate));
	fprintf(to, "%s%s\n", b->note != NULL ? "; " : "", b->note != NULL ? b->note : "");
	fprintf(to, "        nodes: %s\n", prov_text(a, g, b->nodes, 12));
	if (block_leaves_out(g, b))
		fprintf(to, "        rows whose gates are all below %g are carried\n",
			g->skip_below);
	else if (b->unskipped != NULL)
		fprintf(to, "        closed gates leave nothing out: %s\n", b->unskipped);
	if (join != NULL)
		fprintf(to, "        one kernel: %s\n", prov_text(a, g, join->prov, 12));
}

static void count_kinds(FILE *to, const struct graph *g)
{
	int count[sizeof(kinds) / sizeof(kinds[0])] = { 0 };
	bool first = true;

	for (int k = 0; k < g->nblock; k++)
		count[g->block[k].kind]++;
	fprintf(to, "blocks  ");
	if (g->nblock == 0)
		fprintf(to, "none: no sum or gate of this network is a skip connection");
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		if (count[k] == 0)
			continue;
		fprintf(to, "%s%d %s", first ? "" : ", ", count[k], kinds[k].name);
		first = false;
	}
	fprintf(to, "\n");
}

void report_refusals(FILE *to, const struct graph *g)
{
	struct arena a = { 0 };

	for (int k = 0; k < g->nrefusal; k++) {
		const struct onnx_node *o = &g->onnx[g->refusal[k].onnx];
		const bool named = o->name != NULL && o->name[0] != '\0';

		fprintf(to, "  not a block: %s%s (%s): %s\n", named ? "" : "node giving ",
			escape(&a, named ? o->name : o->output), escape(&a, o->op_type),
			g->refusal[k].why);
	}
	arena_release(&a);
}

void report_blocks(FILE *to, const struct plan *p)
{
	const struct graph *g = p->graph;
	struct arena a = { 0 };
	const struct kernel **join = blocks_join(&a, p);

	count_kinds(to, g);
	for (int k = 0; k < g->nblock; k++)
		block_line(to, &a, g, &g->block[k], join[k]);
	report_refusals(to, g);
	arena_release(&a);
}
