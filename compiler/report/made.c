/* What skipc compile made, in a few lines, and how one compiles that. */
#include "report/report.h"

#include <string.h>

/* Files that were opened, the folder once: `out/net.c net.h`. */
static const char *files_text(struct arena *a, const struct output *o, int n)
{
	const char *text = escape(a, o->dir);

	for (int k = 0, first = 1; k < n; k++)
		if (o->file[k].written) {
			text = arena_printf(a, "%s%s%s", text, first ? "/" : " ",
				escape(a, o->file[k].path + strlen(o->dir) + 1));
			first = 0;
		}
	return text;
}

static bool ends(const char *path, const char *end)
{
	const size_t n = strlen(path), m = strlen(end);

	return n >= m && strcmp(path + n - m, end) == 0;
}

/* The line for the shell that compiles it: to a program where there is a main(), else to objects. */
static void compile_line(struct buf *to, struct arena *a, const struct output *o, int n, bool is_program, const char *name)
{
	const char *dir = strspn(o->dir, "/._-+=0123456789abcdefghijklmnopqrstuvwxyz"
					"ABCDEFGHIJKLMNOPQRSTUVWXYZ") == strlen(o->dir)
				  ? o->dir
				  : arena_printf(a, "'%s'", escape(a, o->dir));

	buf_printf(to, "        cc -O2 -I %s%s", dir, is_program ? "" : " -c");
	for (int k = 0; k < n; k++)
		if (o->file[k].written && ends(o->file[k].path, ".c"))
			buf_printf(to, " %s%s", dir, escape(a, o->file[k].path + strlen(o->dir)));
	if (is_program)
		buf_printf(to, " -o %s", name);
	buf_printf(to, "\n");
}

/* How many blocks are added up by the kernel of a layer. */
static int fused_blocks(struct arena *a, const struct plan *p)
{
	const struct kernel **join = blocks_join(a, p);
	int n = 0;

	for (int k = 0; k < p->graph->nblock; k++)
		n += join[k] != NULL && join[k]->anchor != NULL;
	return n;
}

const char *report_made(struct arena *a, const struct plan *p, const struct emit_options *e, const struct output *o)
{
	const int n = o->n;
	struct buf to = { 0 };
	const struct graph *g = p->graph;

	buf_printf(&to, "wrote   %s\n", files_text(a, o, n));
	if (e->like == NULL) {
		buf_printf(&to, "memory  arena %s bytes, weights %s", grouped(a, p->cert.arena), grouped(a, p->weights_bytes));
		if (p->prepared_bytes > 0)
			buf_printf(&to, ", for init to fill %s", grouped(a, prepared_size(p)));
		buf_printf(&to, "\nblocks  %d, of which %d are added up by the kernel of a layer\n", g->nblock, fused_blocks(a, p));
		if (g->assumed != NULL)
			buf_printf(&to, "batch   1, as none was given (--dim %s=N)\n", escape(a, g->assumed));
		compile_line(&to, a, o, n, e->main, e->name);
	}
	return buf_text(a, &to);
}
