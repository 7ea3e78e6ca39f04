/* Blocks of quantised networks: those of the network that was quantised. */
#include "core/skipc.h"

#include <stdio.h>

/* What skip() sees in the plain network. False: that is none which can be compiled. */
static bool look_at(struct graph *plain)
{
	struct diag quiet = *plain->diag;

	quiet.to = fopen("/dev/null", "w");
	if (quiet.to == NULL)
		return false;
	plain->diag = &quiet;
	fold(plain);
	if (quiet.errors == 0) {
		skip_scan(plain);
		rewrite(plain);
	}
	if (quiet.errors == 0)
		skip(plain);
	fclose(quiet.to);
	return quiet.errors == 0;
}

void skip_through(struct graph *g, struct graph *plain)
{
	if (!look_at(plain)) {
		skip(g);
		return;
	}
	g->block = plain->block;
	g->nblock = plain->nblock;
	g->seen = plain;
	g->refusal = plain->refusal;
	g->nrefusal = plain->nrefusal;
	for (int k = 0; k < g->nblock; k++) {
		g->block[k].out = g->block[k].opens = NULL; /* tensors of another graph */
		if (g->skip_below > 0)
			g->block[k].unskipped = "quantised networks carry no rows: their bits are those of the graph";
	}
}
