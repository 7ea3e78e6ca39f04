/* What skip() saw, for people: a line or two for each block, and the reason for every sum and gate
 * that is none. */
#include "emission.h"

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

static bool meet(const struct prov *x, const struct prov *y)
{
	for (int i = 0, j = 0; i < x->n && j < y->n;) {
		if (x->index[i] == y->index[j])
			return true;
		if (x->index[i] < y->index[j])
			i++;
		else
			j++;
	}
	return false;
}

/* The kernel that stores the join, or what it became part of; else the first that stands for one of
 * its nodes. */
const struct prov *block_fused(const struct plan *p, const struct block *b)
{
	const struct prov *first = NULL;

	for (int k = 0; k < p->nkernel; k++) {
		const struct kernel *kernel = p->kernel[k];

		for (int i = 0; i < kernel->ngroup; i++)
			if (kernel->group[i]->out[0] == b->out)
				return kernel->prov;
		if (kernel->prov != NULL && meet(kernel->prov, b->join))
			first = kernel->prov; /* the last kernel that has some of it adds it up */
	}
	return first;
}

static void block_line(FILE *to, struct arena *a, const struct plan *p, const struct block *b)
{
	const struct graph *g = p->graph;
	const struct prov *fused = block_fused(p, b);
	const bool gate = b->kind == BLOCK_HIGHWAY || b->kind == BLOCK_CARRY ||
			  b->kind == BLOCK_BLEND;

	fprintf(to, "  %s%s: \"%s\" %s \"%s\"", kinds[b->kind].text,
		b->preactivation ? ", pre-activation" : "", escape(a, b->shortcut),
		gate ? "and" : "+", escape(a, b->branch));
	if (b->gate != NULL)
		fprintf(to, ", gate \"%s\"", escape(a, b->gate));
	fprintf(to, "%s%s\n", b->note != NULL ? "; " : "", b->note != NULL ? b->note : "");
	fprintf(to, "        nodes: %s\n", prov_text(a, g, b->nodes, 12));
	if (fused != NULL)
		fprintf(to, "        one kernel: %s\n", prov_text(a, g, fused, 12));
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

void report_blocks(FILE *to, const struct plan *p)
{
	const struct graph *g = p->graph;
	struct arena a = { 0 };

	count_kinds(to, g);
	for (int k = 0; k < g->nblock; k++)
		block_line(to, &a, p, &g->block[k]);
	for (int k = 0; k < g->nrefusal; k++) {
		const struct onnx_node *o = &g->onnx[g->refusal[k].onnx];
		const bool named = o->name != NULL && o->name[0] != '\0';

		fprintf(to, "  not a block: %s%s (%s): %s\n", named ? "" : "node giving ",
			escape(&a, named ? o->name : o->output), escape(&a, o->op_type),
			g->refusal[k].why);
	}
	arena_release(&a);
}
