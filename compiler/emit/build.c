/*
 * What build systems want (--for-build, and --package without the rule): the same files whatever the model is, for they ask for names before it is
 * read, and a rule for make and ninja of what the files were made of.
 */
#include "emit/emission.h"
#include "core/platform.h"

/* A path as rules spell it. */
static void put_path(struct buf *out, const char *path)
{
	for (const char *c = path; *c != '\0'; c++)
		if (*c == '$')
			buf_puts(out, "$$");
		else if (*c == ' ' || *c == '#')
			buf_printf(out, "\\%c", *c);
		else if (platform_separates(*c))
			buf_puts(out, "/");
		else
			buf_add(out, c, 1);
}

static const char *rule(const struct emission *e)
{
	const struct graph *g = e->plan->graph;
	struct buf out = { 0 };

	put_path(&out, arena_printf(e->arena, "%s/%s.h", e->out->dir, e->name));
	buf_puts(&out, ": ");
	put_path(&out, e->options->path);
	for (int k = 0; k < g->nbeside; k++) {
		buf_puts(&out, " \\\n  ");
		put_path(&out, g->beside[k]);
	}
	if (e->options->costs != NULL) {
		buf_puts(&out, " \\\n  ");
		put_path(&out, e->options->costs);
	}
	buf_puts(&out, "\n");
	return buf_text(e->arena, &out);
}

void emit_for_build(struct emission *e)
{
	const char *name = e->name;

	if (e->machine_code == NULL)
		output_puts(e->out, arena_printf(e->arena, "%s_gemm.c", name),
			arena_printf(e->arena,
				"/* Small matrix products of %s.c as machine code: there are none. */\n"
				"typedef int %s_gemm_file; /* a file must not be empty */\n", name, name));
	if (e->form == WEIGHTS_BIN)
		output_puts(e->out, arena_printf(e->arena, "%s_weights.c", name),
			arena_printf(e->arena,
				"/* Weights of %s: they are in %s_weights.bin, which a program gives init. */\n"
				"typedef int %s_weights_file; /* a file must not be empty */\n", name, name, name));
	if (e->options->for_build)
		output_puts(e->out, arena_printf(e->arena, "%s.d", name), rule(e));
}
