/* What the user of the output sees: the words of templates/interface, NAME.h, and with --main a program. */
#include "emit/emission.h"

#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

/* RESNET18_INPUT_DATA_SHAPE and so on, of one input or output. */
static void write_descriptor(
	struct emission *e, struct buf *out, const char *kind, int index, const struct tensor *t)
{
	const char *u = arena_printf(e->arena, "%s_%s%d", e->upper, kind, index);
	int64_t count = shape_count(&t->shape);

	buf_printf(out, "#define %s_NAME \"%s\"\n", u, escape(e->arena, t->name));
	buf_printf(out, "#define %s_TYPE \"%s\" /* %s */\n", u, dtypes[t->io_type].name,
		dtypes[t->io_type].ctype);
	buf_printf(out, "#define %s_RANK %d\n#define %s_SHAPE { ", u, t->shape.rank, u);
	for (int d = 0; d < t->shape.rank; d++)
		buf_printf(out, "%s%lld", d > 0 ? ", " : "", (long long)t->shape.dim[d]);
	buf_printf(out, "%s }\n", t->shape.rank == 0 ? "1" : "");
	buf_printf(out, "#define %s_COUNT %lld /* elements */\n#define %s_BYTES %lld\n", u,
		(long long)count, u, (long long)(count * dtypes[t->io_type].size));
}


static const char *descriptors(struct emission *e)
{
	const struct graph *g = e->plan->graph;
	struct buf out = { 0 };

	buf_printf(&out, "#define %s_INPUTS %d\n", e->upper, g->ninput);
	for (int k = 0; k < g->ninput; k++)
		write_descriptor(e, &out, "INPUT", k, g->input[k]);
	buf_printf(&out, "\n#define %s_OUTPUTS %d\n", e->upper, g->noutput);
	for (int k = 0; k < g->noutput; k++)
		write_descriptor(e, &out, "OUTPUT", k, g->output[k]);
	buf_puts(&out, "\n");
	return buf_text(e->arena, &out);
}

/* A line of the header's comment for each input and output. */
static const char *about(struct emission *e)
{
	const struct graph *g = e->plan->graph;
	struct buf out = { 0 };

	for (int k = 0; k < g->ninput + g->noutput; k++) {
		const bool in = k < g->ninput;
		const struct tensor *t = in ? g->input[k] : g->output[k - g->ninput];

		buf_printf(&out, " *   %s %s %s %s  \"%s\"\n", in ? "input  " : "output ", dtypes[t->io_type].ctype,
			in ? e->input[k] : e->output[k - g->ninput], shape_text(e->arena, &t->shape),
			escape(e->arena, t->name));
	}
	buf_puts(&out, " *\n");
	return buf_text(e->arena, &out);
}

static const char linking[] =
	" *\n * init asks libxsmm (1.17) for products, which allocates and compiles them as it does; they must live as\n"
	" * long as the network: no libxsmm_finalize() before. Link with -lxsmm -lxsmmnoblas -lpthread -ldl -lm -lrt.\n";

char *header_text(struct emission *e)
{
	const struct plan *p = e->plan;
	const bool vectors = target_has_vectors(p->target);
	struct filling f;

	fill_begin(e, &f);
	fill_word(&f, "SHA256", p->graph->sha256);
	fill_word(&f, "ABOUT", about(e));
	fill_word(&f, "SAME_BITS", vectors ? "with one instruction set" : "on every machine");
	fill_word(&f, "LINKING", calls_libxsmm(e) ? linking : "");
	fill_word(&f, "ARGUMENTS", run_parameters(e, false));
	fill_word(&f, "WEIGHTS_ID", arena_printf(e->arena, "0x%016llx", (unsigned long long)e->weights_id));
	fill_word(&f, "CODE_ID", arena_printf(e->arena, "0x%016llx", (unsigned long long)e->code_id));
	fill_word(&f, "LEAST", vectors ? "-O1" : "-O0");
	fill_word(&f, "DESCRIPTORS", descriptors(e));
	fill_word(&f, "PRODUCT_FIELDS", product_fields(e));
	fill_word(&f, "LEVELS", vectors ? p->target->levels : "");
	fill_number(&f, "WORKER", p->worker_bytes);
	return fill(&f, "interface/NAME.h");
}

/* ---- the program ---- */

static void write_tensor_row(
	struct emission *e, struct buf *out, const char *name, const struct region *r)
{
	buf_printf(out, "\t{ \"%s\", \"%s\", %d, %d, {", escape(e->arena, name),
		dtypes[r->type].numpy, dtypes[r->type].size, r->shape.rank);
	for (int d = 0; d < MAX_RANK; d++)
		buf_printf(out, "%s%lld", d > 0 ? ", " : " ",
			d < r->shape.rank ? (long long)r->shape.dim[d] : 0LL);
	buf_puts(out, " }, {");
	for (int d = 0; d < MAX_RANK; d++)
		buf_printf(out, "%s%lld", d > 0 ? ", " : " ",
			d < r->shape.rank ? (long long)r->stride[d] : 0LL);
	buf_puts(out, " } },\n");
}

static void write_interface_table(
	struct emission *e, struct buf *out, const char *table, struct tensor **v, int n)
{
	buf_printf(out, "static const struct tensor %s[] = {\n", table);
	for (int k = 0; k < n; k++) {
		struct region r = region_dense(v[k]->io_type, &v[k]->shape, NULL);

		write_tensor_row(e, out, v[k]->name, &r);
	}
	if (n == 0)
		buf_puts(out, "\t{ \"\", \"\", 0, 0, { 0 }, { 0 } },\n");
	buf_puts(out, "};\n\n");
}

/* NAME.trace: a line per traced tensor, its number, a tab and its name in ONNX, escaped. */
static void write_trace(struct emission *e, struct buf *out)
{
	const struct plan *p = e->plan;
	struct buf list = { 0 };
	int n = 0;

	buf_puts(out, "static const struct tensor traced[] = {\n");
	for (int k = 0; k < p->nkernel; k++) {
		if (!is_traced(e->arena, p->kernel[k]))
			continue;
		write_tensor_row(e, out, p->kernel[k]->out->name, &p->kernel[k]->dst);
		buf_printf(&list, "%d\t%s\n", n++, escape(e->arena, p->kernel[k]->out->name));
	}
	if (n == 0)
		buf_puts(out, "\t{ \"\", \"\", 0, 0, { 0 }, { 0 } },\n");
	buf_puts(out, "};\n\n");
	output_puts(
		e->out, arena_printf(e->arena, "%s.trace", e->name), list.len > 0 ? list.data : "");
	buf_release(&list);
}

/* The tables of this network, then the program of templates/main.c that uses them. */
void emit_main(struct emission *e)
{
	const struct graph *g = e->plan->graph;
	const char *program = template_source("main");
	struct buf out = { 0 };

	if (program == NULL || (program = strstr(program, "\n#include \"main.h\"\n")) == NULL)
		die("templates/main.c is missing or does not include main.h");
	buf_printf(&out, "/* A program around %s: files in, files out, times. 0BSD, as %s.c. */\n",
		e->name, e->name);
	buf_printf(&out, "#define _POSIX_C_SOURCE 200809L\n#include \"%s.h\"\n\n", e->name);
	buf_printf(&out,
		"#define NIN %s_INPUTS\n#define NOUT %s_OUTPUTS\n#define ARENA_SIZE "
		"%s_ARENA_SIZE\n#define ARENA_WORKER_SIZE %s_ARENA_WORKER_SIZE\n#define "
		"PREPARED_SIZE %s_PREPARED_SIZE\n#define TRACE %d\n"
		"#define NETWORK struct %s\n#define OPTIONS struct %s_options\n#define INIT "
		"%s_init\n#define ERROR %s_error\n",
		e->upper, e->upper, e->upper, e->upper, e->upper, e->options->trace, e->name,
		e->name, e->name, e->name);
	buf_printf(&out,
		"#ifdef %s_PROFILE\n#define NSTEP %s_STEPS\n#define STEPS %s_steps\n#endif\n\n",
		e->upper, e->upper, e->name);
	buf_puts(&out, "struct tensor {\n\tconst char *name, *type; /* type of a .npy file, "
		       "without byte order */\n\tint size, rank;\n"
		       "\tlong shape[8], stride[8];\n};\n\n");
	write_interface_table(e, &out, "inputs", g->input, g->ninput);
	write_interface_table(e, &out, "outputs", g->output, g->noutput);
	if (e->options->trace)
		write_trace(e, &out);
	buf_printf(&out,
		"static int run(const struct %s *net, void *const *in, void *const *out, void "
		"*arena)\n{\n%s\treturn %s_run(net",
		e->name, g->ninput == 0 ? "\t(void)in;\n" : "", e->name);
	for (int k = 0; k < g->ninput; k++)
		buf_printf(&out, ", (const %s *)in[%d]", dtypes[g->input[k]->io_type].ctype, k);
	for (int k = 0; k < g->noutput; k++)
		buf_printf(&out, ", (%s *)out[%d]", dtypes[g->output[k]->io_type].ctype, k);
	buf_puts(&out, ", arena);\n}\n");
	buf_puts(&out, program + strlen("\n#include \"main.h\"\n"));
	output_puts(e->out, arena_printf(e->arena, "%s_main.c", e->name), out.data);
	buf_release(&out);
}
