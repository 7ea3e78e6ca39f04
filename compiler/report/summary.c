/*
 * The plan on a screen: skipc inspect.
 *
 * A row a block and a row a step. Blocks of one kind one behind the other are one row; steps that repeat, alone or
 * in a sequence, are shown once. What no screen would hold is counted.
 */
#include "report/report.h"

#include <string.h>

enum { WIDTH = 118, PERIOD = 24, BLOCK_ROWS = 24, STEP_ROWS = 72 };

/* A line, cut where the screen ends. */
static void line(FILE *to, const char *text)
{
	const size_t n = strlen(text);

	if (n <= WIDTH)
		fprintf(to, "%s\n", text);
	else
		fprintf(to, "%.*s..\n", WIDTH - 2, text);
}

/* `/layer1/layer1.0/conv1/Conv`, as torch's older exporter names nodes, is layer1.0.conv1; other names as they are. */
static const char *module_of_name(struct arena *a, const char *name)
{
	const char *path = "";

	if (name[0] != '/')
		return name;
	for (const char *end; (end = strchr(name + 1, '/')) != NULL; name = end) {
		const char *part = arena_printf(a, "%.*s", (int)(end - name - 1), name + 1);
		const size_t n = strlen(path);

		if (n == 0 || (strncmp(part, path, n) == 0 && part[n] == '.'))
			path = part;
		else
			path = arena_printf(a, "%s.%s", path, part);
	}
	return *path != '\0' ? path : name + 1;
}

/* The name by which people know what a kernel computes: the author's module, else the node of the file. */
static const char *known_as(struct arena *a, const struct graph *g, const struct prov *prov)
{
	const struct onnx_node *o = NULL;

	for (int k = 0; prov != NULL && k < prov->n; k++) {
		const struct onnx_node *one = &g->onnx[prov_at(prov, k)];

		if (o == NULL || (one->module[0] != '\0' && o->module[0] == '\0'))
			o = one;
	}
	if (o == NULL)
		return "";
	if (o->module[0] != '\0')
		return escape(a, o->module);
	return escape(a, o->name != NULL && o->name[0] != '\0' ? module_of_name(a, o->name) : o->output);
}

/* What two steps that repeat have in common. */
static const char *step_text(struct arena *a, const struct kernel *k)
{
	const char *text = arena_printf(a, "%-22s %-18s", k->title, shape_text(a, &k->out->shape)), *what = "";
	int64_t weights = 0;

	for (int j = 0; j < k->narg; j++)
		if (region_is_weights(&k->arg[j].region))
			weights += k->arg[j].region.buffer->bytes;
	text = arena_printf(a, "%s %14s %12s", text, k->macs > 0 ? grouped(a, k->macs) : "",
		weights > 0 ? grouped(a, weights) : "");
	for (int i = 0; i < k->ngroup; i++)
		what = arena_printf(a, "%s%s%s", what, i > 0 ? " " : "", k->group[i]->op->name);
	return arena_printf(a, "%s  %-12s", text, what);
}

/* ---- repetitions ---- */

/* From step i on, `period` steps that stand there `times` times. */
struct fold {
	int period, times;
};

static bool alike(char *const *text, int i, int j, int n)
{
	for (int k = 0; k < n; k++)
		if (strcmp(text[i + k], text[j + k]) != 0)
			return false;
	return true;
}

/* The repetition that leaves the fewest rows to show. */
static struct fold best_fold(char *const *text, int i, int n)
{
	struct fold best = { 1, 1 };

	for (int period = 1; period <= PERIOD && i + 2 * period <= n; period++) {
		int times = 1;

		while (i + (times + 1) * period <= n && alike(text, i, i + times * period, period))
			times++;
		if ((times - 1) * period > 1 && (times - 1) * period > (best.times - 1) * best.period)
			best = (struct fold){ period, times };
	}
	return best;
}

static void report_steps(FILE *to, struct arena *a, const struct plan *p)
{
	char **text = arena_alloc(a, (size_t)(p->nkernel + 1) * sizeof(*text));
	int rows = 0, i = 0;

	for (int k = 0; k < p->nkernel; k++)
		text[k] = arena_strdup(a, step_text(a, p->kernel[k]));
	line(to, "\n  step  kernel                 gives               multiply-adds   weights, B  epilogue      of");
	while (i < p->nkernel && rows < STEP_ROWS) {
		const struct fold f = best_fold(text, i, p->nkernel);

		if (f.times > 1) {
			line(to, arena_printf(a, "  .. %d times, to step %d:", f.times, i + f.times * f.period - 1));
			rows++;
		}
		for (int k = i; k < i + f.period; k++, rows++)
			line(to, arena_printf(a, "%c%5d  %s  %s", f.times > 1 ? '|' : ' ', p->kernel[k]->id, text[k],
				known_as(a, p->graph, p->kernel[k]->prov)));
		i += f.period * f.times;
	}
	if (i < p->nkernel)
		line(to, arena_printf(a, "  .. and %d more: skipc inspect -v", p->nkernel - i));
}

/* ---- blocks ---- */

static const char *block_text(struct arena *a, const struct block *b, const struct kernel *join)
{
	return arena_printf(a, "%-14s %-20s%s%s", block_kind_name(b->kind), join != NULL ? shape_text(a, &join->out->shape) : "",
		b->preactivation ? "  pre-activation" : "",
		join == NULL || join->anchor == NULL ? "  added up by itself" : "");
}

static void report_all_blocks(FILE *to, struct arena *a, const struct plan *p)
{
	const struct graph *g = p->graph;
	const struct kernel **join = blocks_join(a, p);
	int i = 0, rows = 0;

	line(to, "\n block  kind           gives                 of");
	while (i < g->nblock && rows++ < BLOCK_ROWS) {
		const char *text = block_text(a, &g->block[i], join[i]);
		int end = i + 1;

		while (end < g->nblock && strcmp(text, block_text(a, &g->block[end], join[end])) == 0)
			end++;
		line(to, arena_printf(a, "%6s  %-50s  %s%s",
			end > i + 1 ? arena_printf(a, "%d-%d", i, end - 1) : arena_printf(a, "%d", i), text,
			known_as(a, g, g->block[i].join), end > i + 1 ? " .." : ""));
		i = end;
	}
	if (i < g->nblock)
		line(to, arena_printf(a, "  .. and %d more: skipc inspect -v", g->nblock - i));
}

void report_summary(FILE *to, const struct plan *p)
{
	struct arena a = { 0 };
	const struct graph *g = p->graph;
	enum { ENDS = 8 };

	report_head(to, p, ENDS);
	if (g->nblock > 0)
		report_all_blocks(to, &a, p);
	if (g->nrefusal > 0)
		line(to, arena_printf(&a, "sums and gates that are no blocks: %d (skipc inspect --why)", g->nrefusal));
	report_steps(to, &a, p);
	arena_release(&a);
}
