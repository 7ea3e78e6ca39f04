/* What the user of the output sees: NAME.h, init and error, and with --main a program. */
#include "emit/emission.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Status codes: name, value, and what NAME_error() says. */
static const struct status {
	const char *name;
	int value;
	const char *text;
} statuses[] = {
	{ "OK", 0, "no error" },
	{ "E_NULL", -1, "a pointer is null" },
	{ "E_ALIGN", -2, "the arena, the prepared memory or the weights are not aligned" },
	{ "E_WEIGHTS", -3, "these are not weights of this code" },
	{ "E_BYTE_ORDER", -4, "the weights are in another byte order" },
	{ "E_SIZE", -5, "the weights are too short" },
	{ "E_ISA", -6, "this instruction set is not compiled in" },
	{ "E_NO_WEIGHTS", -7, "no weights are linked in, and none were given" },
	{ "E_CHECKSUM", -8, "the weights are damaged: this is not their checksum" },
	{ "E_INIT", -9, "init has not succeeded on this network" },
	{ "E_STOPPED", -10, "the callback of the steps asked to stop" },
	{ "E_PROFILE", -11, "there is a callback of steps, but the code is compiled without them" },
};

enum { NSTATUS = sizeof(statuses) / sizeof(statuses[0]) };

/* ---- the header ---- */

/* C and C++ alike. */
static void write_example(struct emission *e, struct buf *out)
{
	const struct graph *g = e->plan->graph;
	const bool prepares = e->plan->prepared_bytes > 0;

	buf_printf(out,
		" *\n * How to use it; %s.c itself is C99:\n *\n"
		" *   #include <stdalign.h>\n *   #include \"%s.h\"\n *\n"
		" *   alignas(%s_ARENA_ALIGN) static char arena[%s_ARENA_SIZE];\n"
		"%s *   static struct %s net;\n *\n"
		" *   if (%s_init(&net, %s, NULL) != %s_OK) ...   // once\n"
		" *   if (%s_run(&net",
		e->name, e->name, e->upper, e->upper,
		prepares ? arena_printf(e->arena, " *   alignas(64) static char prepared[%s_PREPARED_SIZE];\n", e->upper) : "",
		e->name, e->name, prepares ? "prepared" : "NULL", e->upper, e->name);
	for (int k = 0; k < g->ninput; k++)
		buf_printf(out, ", %s", e->input[k]);
	for (int k = 0; k < g->noutput; k++)
		buf_printf(out, ", %s", e->output[k]);
	buf_printf(out, ", arena) != %s_OK) ...   // as often as you like\n */\n", e->upper);
}

static void write_about(struct emission *e, struct buf *out)
{
	const struct plan *p = e->plan;
	const struct graph *g = p->graph;
	struct arena *a = e->arena;

	buf_printf(out, "/*\n * %s, compiled from %s by skipc %s (%s).\n * model SHA-256 %s\n *\n",
		e->name, escape(a, e->options->model), SKIPC_VERSION, e->options->settings,
		g->sha256);
	for (int k = 0; k < g->ninput; k++)
		buf_printf(out, " *   input   %s %s %s  \"%s\"\n",
			dtypes[g->input[k]->io_type].ctype, e->input[k],
			shape_text(a, &g->input[k]->shape), escape(a, g->input[k]->name));
	for (int k = 0; k < g->noutput; k++)
		buf_printf(out, " *   output  %s %s %s  \"%s\"\n",
			dtypes[g->output[k]->io_type].ctype, e->output[k],
			shape_text(a, &g->output[k]->shape), escape(a, g->output[k]->name));
	buf_printf(out, " *\n *   %s multiply-adds, %d kernels\n", grouped(a, p->macs), p->nkernel);
	buf_printf(out, " *   arena   %s bytes, %s\n", grouped(a, p->cert.arena),
		p->cert.arena == p->cert.bound && p->cert.all_orders
			? "the least that any order of the kernels needs"
		: p->cert.arena == p->cert.bound || p->cert.exact
			? "the least for this order of the kernels"
			: "not proved least");
	buf_printf(out, " *   weights %s bytes\n", grouped(a, p->weights_bytes));
	if (p->prepared_bytes > 0)
		buf_printf(out, " *   %s bytes, which init makes of the weights\n", grouped(a, p->prepared_bytes));
	buf_puts(out, " *\n");
	buf_printf(out,
		" * No allocation, no input or output, no global state; less than %s bytes of stack.\n"
		" * Tensors are dense and row-major, in ONNX's order of dimensions (images: NCHW).\n",
		grouped(a, e->stack));
	buf_printf(out,
		" *\n * The same bits from every compiler%s. %s.c asks for that, and does not\n"
		" * compile with what it can see to break it; it does not see clang's "
		"-ffp-contract=fast. With -D%s_ANY_BITS\n"
		" * all that is allowed, and products are contracted into sums where that is "
		"fast.\n",
		target_has_vectors(p->target) ? " with one instruction set" : " on every machine", e->name, e->upper);
	if (calls_libxsmm(e))
		buf_printf(out,
			" *\n * init asks libxsmm (1.17) for products, which allocates and "
			"compiles "
			"them as it does; they must live as\n"
			" * long as the network: no libxsmm_finalize() before. Link with -lxsmm "
			"-lxsmmnoblas -lpthread -ldl -lm -lrt.\n");
	write_example(e, out);
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
	buf_printf(out, "#define %s_RANK %d\n#define %s_SHAPE { ", u, t->shape.rank, u);
	for (int d = 0; d < t->shape.rank; d++)
		buf_printf(out, "%s%lld", d > 0 ? ", " : "", (long long)t->shape.dim[d]);
	buf_printf(out, "%s }\n", t->shape.rank == 0 ? "1" : "");
	buf_printf(out, "#define %s_COUNT %lld /* elements */\n#define %s_BYTES %lld\n", u,
		(long long)count, u, (long long)(count * dtypes[t->io_type].size));
}

static void write_macros(struct emission *e, struct buf *out)
{
	const struct plan *p = e->plan;
	const char *u = e->upper;
	int64_t arena = p->cert.arena > 0 ? p->cert.arena
					  : 64; /* an array of no elements is not C */

	buf_printf(out,
		"#define %s_ABI 2\n"
		"#define %s_MODEL_HASH \"%s\" /* SHA-256 of its file, and of external data behind that */\n"
		"#define %s_WEIGHTS_ID UINT64_C(0x%016llx) /* CRC-64/XZ of the weights written with this "
		"header */\n"
		"#define %s_CODE_ID UINT64_C(0x%016llx) /* weights that are written for this code say "
		"the same */\n",
		u, u, p->graph->sha256, u, (unsigned long long)e->weights_id, u,
		(unsigned long long)e->code_id);
	buf_printf(out, "#define %s_MACS %lldLL\n#define %s_WEIGHTS_SIZE %lld /* bytes */\n", u,
		(long long)p->macs, u, (long long)p->weights_bytes);
	buf_printf(out,
		"#define %s_ARENA_SIZE %lld /* bytes that one call of run needs */\n#define "
		"%s_ARENA_ALIGN 64\n",
		u, (long long)arena, u);
	buf_printf(out,
		"#define %s_ARENA_WORKER_SIZE %lld /* bytes more for each worker but the first "
		"*/\n",
		u, (long long)p->worker_bytes);
	buf_printf(out, "#define %s_PREPARED_SIZE %lld /* bytes that init fills */\n", u,
		(long long)p->prepared_bytes);
	buf_printf(out,
		"#define %s_STACK_SIZE %lld /* bytes, more than run takes at %s to -O3; beside it what "
		"callbacks take */\n\n",
		u, (long long)e->stack, target_has_vectors(p->target) ? "-O1" : "-O0");
	buf_printf(out, "#define %s_INPUTS %d\n", u, p->graph->ninput);
	for (int k = 0; k < p->graph->ninput; k++)
		write_descriptor(e, out, "INPUT", k, p->graph->input[k]);
	buf_printf(out, "\n#define %s_OUTPUTS %d\n", u, p->graph->noutput);
	for (int k = 0; k < p->graph->noutput; k++)
		write_descriptor(e, out, "OUTPUT", k, p->graph->output[k]);
	buf_printf(out, "\nenum %s_status {\n", e->name);
	for (int k = 0; k < NSTATUS; k++)
		buf_printf(out, "\t%s_%s = %d%s /* %s */\n", u, statuses[k].name, statuses[k].value,
			k + 1 < NSTATUS ? "," : "", statuses[k].text);
	buf_puts(out, "};\n\n");
}

static void write_types(struct emission *e, struct buf *out)
{
	const char *trace = e->options->trace ? "\tvoid (*trace)(void *context, int index, const "
						"void *data);\n\tvoid *trace_context;\n"
					      : "";
	const char *profile = profile_fields();
	enum weights_form form = weights_form(e);
	static const char parallel[] = "\tvoid (*parallel_for)(void *context, void (*body)(void "
				       "*task, int index, int worker), void *task,\n"
				       "\t\t\t     int count);\n\tvoid *parallel_context;\n";
	const char *shared = arena_printf(e->arena, "\tint isa;\n%s", parallel);

	buf_printf(out,
		"/* A network ready to run. Constant after init: threads may share it. Its fields "
		"are its own business. */\n"
		"struct %s {\n\tuint32_t ready;\n\tconst float *weights;\n%s\tuint64_t weights_id;\n%s%s%s%s};\n\n",
		e->name, e->plan->prepared_bytes > 0 ? "\tconst float *prepared;\n" : "", target_has_vectors(e->plan->target) ? shared : "", product_fields(e), trace, profile);
	buf_printf(out, "/* All zero means defaults. */\nstruct %s_options {\n", e->name);
	buf_printf(out,
		"\t/* The contents of %s_weights.bin, aligned to 64 bytes, and how many bytes; "
		"null: %s. */\n"
		"\tconst void *weights;\n\tsize_t weights_size;\n"
		"\t/* Not 0: init reads all of the weights and compares their CRC-64/XZ (polynomial of "
		"ECMA-182) with the one in\n"
		"\t * their head, which else is all that it looks at. To see whether flash has rotted "
		"since: init of another net. */\n"
		"\tint check_weights;\n",
		e->name,
		form == WEIGHTS_BIN ? "an error, as none are linked in" : "those linked in");
	/* what follows is the same for every target */
	buf_printf(out,
		"\t/* Calls body(task, i, worker) for all i below count, on any threads, and "
		"returns "
		"when all have returned.\n"
		"\t * worker is below `workers`, and bodies that run at once have different ones; "
		"the bits depend on neither.\n"
		"\t * Null, or workers below 2: all runs on the caller's thread. --target=c does "
		"so "
		"always. */\n%s\tint workers;\n",
		parallel);
	buf_puts(out, "\t/* The greatest instruction set to use: 0 any, 1 portable C, 2 AVX2, 3 "
		      "AVX-512. --target=c has 1 only. */\n\tint isa;\n");
	if (e->options->trace)
		buf_puts(out, "\t/* Called with each stored tensor after it is computed (see the "
			      ".trace file). */\n");
	buf_printf(out,
		"%s\t/* Called before each step k of run and, with %s_STEPS, after the last; "
		"where it returns other than 0,\n"
		"\t * run stops and returns %s_E_STOPPED. For clocks, progress, budgets. Only where "
		"%s.c is compiled with\n"
		"\t * -D%s_PROFILE, as else the steps are not hooked: init then refuses it. */\n"
		"%s};\n\n",
		trace, e->upper, e->upper, e->name, e->upper, profile);
}

char *header_text(struct emission *e)
{
	struct buf out = { 0 };

	write_about(e, &out);
	buf_printf(&out,
		"#ifndef %s_H\n#define %s_H\n\n#include <stddef.h>\n#include <stdint.h>\n\n",
		e->upper, e->upper);
	buf_puts(&out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n");
	write_macros(e, &out);
	write_types(e, &out);
	emit_profile_types(e, &out);
	buf_printf(&out,
		"/* Makes *net ready, once, before any run. prepared: %s_PREPARED_SIZE bytes, "
		"aligned to 64, that live as long\n"
		" * as net; null where that is 0. %soptions may be null. Returns a status. Where init "
		"failed, or net is zeroed, run\n"
		" * returns %s_E_INIT; of a net that holds anything, too, unless a certain 32 bits "
		"in it happen to be right. */\n"
		"int %s_init(struct %s *net, void *prepared, const struct %s_options "
		"*options);\n\n",
		e->upper,
		e->plan->prepared_bytes > 0 ? "A copy of *net shares them, as run only reads them.\n * " : "",
		e->upper, e->name, e->name, e->name);
	buf_printf(&out,
		"/* One inference. arena: %s_ARENA_SIZE bytes, and %s_ARENA_WORKER_SIZE more for "
		"each "
		"of options.workers but\n"
		" * the first, aligned to %s_ARENA_ALIGN, not used by another call meanwhile; what "
		"it "
		"holds before and after\n"
		" * means nothing. Inputs, outputs and arena may not overlap. Returns a status. "
		"*/\n",
		e->upper, e->upper, e->upper);
	emit_signature(e, &out, ";\n\n");
	buf_printf(&out,
		"/* Which weights a net has that init made ready: %s_WEIGHTS_ID, or of other ones that "
		"fit this code (skipc weights). */\n"
		"uint64_t %s_weights_id(const struct %s *net);\n\n",
		e->upper, e->name, e->name);
	buf_printf(&out,
		"/* What a status means, in English; never null. */\nconst char *%s_error(int "
		"status);\n\n",
		e->name);
	buf_puts(&out, "#ifdef __cplusplus\n}\n#endif\n#endif\n");
	return out.data;
}

/* ---- init and error ---- */

/* The options' callback and its context, taken over by init. */
static void write_hook(struct buf *out, const char *name)
{
	buf_printf(out,
		"\tnet->%s = options != NULL ? options->%s : NULL;\n"
		"\tnet->%s_context = options != NULL ? options->%s_context : NULL;\n",
		name, name, name, name);
}

/* The weights that are linked in, and whether net and prepared are there. */
static void write_arguments(struct emission *e, struct buf *out)
{
	enum weights_form form = weights_form(e);
	const bool prepares = e->plan->prepared_bytes > 0;

	if (form == WEIGHTS_BIN)
		buf_puts(out, "\tconst void *weights = NULL;\n");
	else if (form == WEIGHTS_INCBIN)
		buf_printf(out,
			"#ifdef %s_NO_WEIGHTS\n\tconst void *weights = NULL;\n#else\n"
			"\tconst void *weights = &%s_weights;\n#endif\n",
			e->upper, e->name);
	else
		buf_printf(out, "\tconst void *weights = &%s_weights;\n", e->name);
	buf_printf(out, "\tint status;\n\n%s\tif (net == NULL)\n\t\treturn %s_E_NULL;\n"
			"\tnet->ready = 0;\n",
		prepares ? "" : "\t(void)prepared;\n", e->upper);
	if (prepares)
		buf_printf(out,
			"\tif (prepared == NULL)\n\t\treturn %s_E_NULL;\n"
			"\tif ((uintptr_t)prepared %% 64 != 0)\n\t\treturn %s_E_ALIGN;\n",
			e->upper, e->upper);
}

static void write_init(struct emission *e, struct buf *out)
{
	buf_printf(out,
		"int %s_init(struct %s *net, void *prepared, const struct %s_options "
		"*options)\n{\n",
		e->name, e->name, e->name);
	write_arguments(e, out);
	if (e->options->trace)
		write_hook(out, "trace");
	write_hook(out, "profile");
	buf_printf(out, "#ifndef %s_PROFILE\n\tif (net->profile != NULL)\n\t\treturn "
			"%s_E_PROFILE;\n#endif\n", e->upper, e->upper);
	buf_printf(out,
		"\tif (options != NULL && (options->isa < 0 || options->isa > 3))\n\t\treturn "
		"%s_E_ISA;\n",
		e->upper);
	if (target_has_vectors(e->plan->target))
		buf_puts(out, "\tnet->isa = best_isa(options != NULL && options->isa > 0 ? "
			      "options->isa : 3);\n"
			      "\tnet->parallel_for = NULL;\n"
			      "\tif (options != NULL && options->workers > 1) {\n"
			      "\t\tnet->parallel_for = options->parallel_for;\n"
			      "\t\tnet->parallel_context = options->parallel_context;\n\t}\n");
	if (calls_libxsmm(e))
		buf_puts(out, "\tfind_gemms(net);\n");
	buf_printf(out,
		"\tif (options != NULL && options->weights != NULL) {\n"
		"\t\tweights = options->weights;\n"
		"\t\tif ((uintptr_t)weights %% 64 != 0)\n\t\t\treturn %s_E_ALIGN;\n"
		"\t\tif (options->weights_size < 64 + (size_t)%s_WEIGHTS_SIZE)\n"
		"\t\t\treturn %s_E_SIZE;\n\t}\n"
		"\tif (weights == NULL)\n\t\treturn %s_E_NO_WEIGHTS;\n",
		e->upper, e->upper, e->upper, e->upper);
	buf_printf(out,
		"\tstatus = check_weights(weights, options != NULL && options->check_weights);\n"
		"\tif (status != %s_OK)\n\t\treturn status;\n"
		"\tnet->weights = (const float *)weights + 16; /* behind the head */\n"
		"\tnet->weights_id = id_of((const uint32_t *)weights);\n"
		"%s\tnet->ready = READY;\n\treturn %s_OK;\n}\n\n"
		"uint64_t %s_weights_id(const struct %s *net)\n{\n"
		"\treturn net != NULL && net->ready == READY ? net->weights_id : 0;\n}\n\n",
		e->upper,
		e->plan->prepared_bytes > 0 ? arena_printf(e->arena,
				   "\t%s_prepare(net, prepared);\n\tnet->prepared = (const float *)prepared;\n", e->name)
			 : "",
		e->upper, e->name, e->name);
}

void emit_interface(struct emission *e, struct buf *out)
{
	emit_weights_declaration(e, out);
	emit_weights_check(e, out);
	write_init(e, out);
	buf_printf(out, "const char *%s_error(int status)\n{\n\tswitch (status) {\n", e->name);
	for (int k = 0; k < NSTATUS; k++)
		buf_printf(out, "\tcase %s_%s:\n\t\treturn \"%s\";\n", e->upper, statuses[k].name,
			statuses[k].text);
	buf_printf(out, "\tdefault:\n\t\treturn \"not a status of %s\";\n\t}\n}\n", e->name);
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
