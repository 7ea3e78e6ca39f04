/* What the user of the output sees: the words of templates/interface, NAME.h, and with --main a program. */
#include "emit/emission.h"

#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static const char *certificate(const struct plan *p)
{
	if (p->cert.arena == p->cert.bound && p->cert.all_orders)
		return "the least that any order of the kernels needs";
	return p->cert.arena == p->cert.bound || p->cert.exact ? "the least for this order of the kernels"
							       : "not proved least";
}

void interface_words(struct emission *e, struct filling *f)
{
	const struct plan *p = e->plan;
	const bool vectors = target_has_vectors(p->target);
	const struct param switches[] = {
		{ "VECTORS", vectors },
		{ "DOTS", plan_has_dots(p) },
		{ "TRACE", e->options->trace },
		{ "PREPARES", p->prepared_bytes > 0 },
		{ "LINKED", e->form != WEIGHTS_BIN },
		{ "FILE_OF", e->form == WEIGHTS_INCBIN },
		{ "PRODUCTS", calls_libxsmm(e) },
	};

	*f = (struct filling){ .arena = e->arena, .name = e->name, .upper = e->upper };
	f->nswitches = sizeof(switches) / sizeof(switches[0]);
	memcpy(f->switches, switches, sizeof(switches));
	fill_word(f, "MODEL", escape(e->arena, e->options->model));
	fill_word(f, "VERSION", SKIPC_VERSION);
	fill_word(f, "SETTINGS", e->options->settings);
	fill_word(f, "CERTIFICATE", certificate(p));
	fill_word(f, "EVERYWHERE", vectors ? "from every compiler" : "everywhere");
	fill_word(f, "PARAMETERS", run_parameters(e, true));
	fill_number(f, "STEPS", p->nkernel);
	fill_number(f, "MACS", p->macs);
	fill_word(f, "MACS_LL", arena_printf(e->arena, "%lldLL", (long long)p->macs));
	fill_number(f, "WEIGHTS", p->weights_bytes);
	fill_number(f, "PREPARED", prepared_size(p));
	fill_number(f, "STACK", e->stack);
	fill_number(f, "ARENA", p->cert.arena > 0 ? p->cert.arena : 64); /* an array of no elements is not C */
}

/* RESNET18_INPUT_DATA_SHAPE and so on, of one input or output. */
static void write_descriptor(
	struct emission *e, struct buf *out, const char *kind, int index, const struct tensor *t)
{
	const char *u = arena_printf(e->arena, "%s_%s%d", e->upper, kind, index);
	int64_t count = shape_count(&t->shape);

	buf_printf(out, "#define %s_NAME \"%s\"\n", u, escape(e->arena, t->name));
	buf_printf(out, "#define %s_TYPE \"%s\" /* %s */\n", u, dtypes[t->io_type].name,
		dtypes[t->io_type].ctype);
	if (t->step != NULL) /* digits and an exponent, for C++ has no hexadecimal ones */
		buf_printf(out, "#define %s_SCALE %.8ef /* an element q stands for SCALE * (q - ZERO) */\n#define %s_ZERO %lld\n", u,
			t->step->scale, u, (long long)t->step->zero);
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

char *header_text(struct emission *e)
{
	const struct plan *p = e->plan;
	const bool vectors = target_has_vectors(p->target);
	struct filling f;

	interface_words(e, &f);
	fill_word(&f, "SHA256", p->graph->sha256);
	fill_word(&f, "ABOUT", about(e));
	fill_word(&f, "SAME_BITS", vectors ? "with one instruction set" : "on every machine");
	fill_word(&f, "ARGUMENTS", run_parameters(e, false));
	fill_word(&f, "WEIGHTS_ID", arena_printf(e->arena, "0x%016llx", (unsigned long long)e->weights_id));
	fill_word(&f, "CODE_ID", arena_printf(e->arena, "0x%016llx", (unsigned long long)e->code_id));
	fill_word(&f, "LEAST", vectors ? "-O1" : "-O0");
	fill_word(&f, "DESCRIPTORS", descriptors(e));
	fill_number(&f, "PRODUCT_COUNT", gemm_offset(p, NULL));
	fill_word(&f, "LEVELS", vectors ? p->target->levels : "");
	fill_number(&f, "WORKER", p->worker_bytes);
	return fill(&f, "interface/NAME.h");
}

/* ---- the program ---- */

static const char no_rows[] =
	"\t{ \"\", \"\", 0, 0, { 0 }, { 0 } },\n"; /* an array of no elements is not C */

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

static const char *interface_rows(struct emission *e, struct tensor **v, int n)
{
	struct buf out = { 0 };

	for (int k = 0; k < n; k++) {
		struct region r = region_dense(v[k]->io_type, &v[k]->shape, NULL);

		write_tensor_row(e, &out, v[k]->name, &r);
	}
	buf_puts(&out, n == 0 ? no_rows : "");
	return buf_text(e->arena, &out);
}

/* And NAME.trace: a line per traced tensor, its number, a tab and its name in ONNX, escaped. */
static const char *traced_rows(struct emission *e)
{
	const struct plan *p = e->plan;
	struct buf rows = { 0 }, list = { 0 };
	int n = 0;

	for (int k = 0; k < p->nkernel; k++) {
		if (!is_traced(e->arena, p->kernel[k]))
			continue;
		write_tensor_row(e, &rows, p->kernel[k]->out->name, &p->kernel[k]->dst);
		buf_printf(&list, "%d\t%s\n", n++, escape(e->arena, p->kernel[k]->out->name));
	}
	buf_puts(&rows, n == 0 ? no_rows : "");
	output_puts(e->out, arena_printf(e->arena, "%s.trace", e->name), buf_text(e->arena, &list));
	return buf_text(e->arena, &rows);
}

/* `(const float *)in[0], (float *)out[0]` */
static const char *casts(struct emission *e)
{
	const struct graph *g = e->plan->graph;
	const char *text = "";

	for (int k = 0; k < g->ninput; k++)
		text = arena_printf(e->arena, "%s(const %s *)in[%d], ", text,
			dtypes[g->input[k]->io_type].ctype, k);
	for (int k = 0; k < g->noutput; k++)
		text = arena_printf(e->arena, "%s%s(%s *)out[%d]", text, k > 0 ? ", " : "",
			dtypes[g->output[k]->io_type].ctype, k);
	return text;
}

void emit_main(struct emission *e)
{
	const struct graph *g = e->plan->graph;
	struct filling f;

	interface_words(e, &f);
	fill_word(&f, "INPUT_ROWS", interface_rows(e, g->input, g->ninput));
	fill_word(&f, "OUTPUT_ROWS", interface_rows(e, g->output, g->noutput));
	fill_word(&f, "TRACED_ROWS", e->options->trace ? traced_rows(e) : "");
	fill_word(&f, "CASTS", casts(e));
	output_puts(e->out, arena_printf(e->arena, "%s_main.c", e->name),
		fill(&f, "interface/NAME_main"));
}
