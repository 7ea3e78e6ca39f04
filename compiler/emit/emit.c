/*
 * The generated code: NAME.c, which reads from top to bottom (what it is, helpers, kernels, tables,
 * run), and the other files by header_text(), emit_interface(), emit_weights(), emit_main().
 */
#include "emit/ctext.h"
#include "emit/emission.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

static void take_helper(void *names, const char *name)
{
	names_take(names, name);
}

/* What NAME.h and NAME.c call their own, whatever the kernels are. */
static void take_own_names(struct emission *e)
{
	static const char *const of_network[] = { "init", "run", "error", "steps", "prepare", "weights", "weights_id",
		"table*" };

	for (size_t k = 0; k < sizeof(of_network) / sizeof(of_network[0]); k++)
		names_take(e->names, arena_printf(e->arena, "%s_%s", e->name, of_network[k]));
	names_take(e->names, arena_printf(e->arena, "%s_*", e->upper));
	template_helper_names(take_helper, e->names);
}

/* Names of run's parameters: the graph's. */
static const char **parameters(struct emission *e, struct tensor **v, int n)
{
	const char **names = arena_alloc(e->arena, (size_t)(n + 1) * sizeof(char *));

	for (int k = 0; k < n; k++)
		names[k] = names_claim(
			e->names, NAME_PARAMETER, identifier(e->arena, v[k]->name), NULL, 0);
	return names;
}

/* ---- the parts of NAME.c ---- */

static void write_head(struct emission *e, struct buf *out)
{
	const struct plan *p = e->plan;

	buf_printf(out, "/*\n * %s, compiled from %s by skipc %s (%s). See %s.h.\n *\n", e->name,
		escape(e->arena, e->options->model), SKIPC_VERSION, e->options->settings, e->name);
	buf_printf(out,
		" * %s multiply-adds, %s bytes of weights, %s bytes of arena%s\n *\n",
		grouped(e->arena, p->macs), grouped(e->arena, p->weights_bytes),
		grouped(e->arena, p->cert.arena),
		p->cert.arena == p->cert.bound ? ", which is the lower bound" : "");
	if (p->graph->nskipped > 0)
		buf_printf(out,
			" * --skip-closed-gates: %d highway layers carry a row of x where all its "
			"gates "
			"are below %g, and do not compute\n * H for it; each element changes by at "
			"most %g |H - x| a layer.\n *\n",
			p->graph->nskipped, p->graph->skip_below, p->graph->skip_below);
	buf_printf(out, " * This file belongs to whoever compiled it: 0BSD, no condition, no "
			"warranty.\n */\n");
	buf_printf(out,
		"#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 199901L\n"
		"#error \"%s.c is C99 or newer: compile it as that; C++ includes %s.h\"\n#else\n"
		"#include \"%s.h\"\n\n#include <float.h>\n#include <limits.h>\n#include "
		"<stddef.h>\n#include <stdint.h>\n%s\n",
		e->name, e->name, e->name, target_has_vectors(p->target) ? "#include <string.h>\n" : "");
}

/* What the code asks of its compiler: the same bits, and ints that hold what it counts. s390's gcc
 * says that it computes float in double where a C standard is asked for, for the sake of old
 * headers; the pragma takes that back, but not what FLT_EVAL_METHOD says. */
static void write_demands(struct emission *e, struct buf *out)
{
	const char *u = e->upper, *level = target_has_vectors(e->plan->target) ? "\"O3\", " : "";

	buf_printf(out,
		"/* The same bits %s: no product and sum may be contracted into one rounding, no "
		"sum may be\n"
		" * reordered, and float arithmetic must be done in float. Define %s_ANY_BITS to "
		"have what is fast instead. */\n"
		"#if defined(__clang__) && defined(%s_ANY_BITS)\n#pragma STDC FP_CONTRACT ON\n"
		"#elif defined(__clang__)\n#pragma STDC FP_CONTRACT OFF\n"
		"#elif defined(__GNUC__) && defined(%s_ANY_BITS)\n"
		"#pragma GCC optimize(%s\"fp-contract=fast\")\n"
		"#elif defined(__GNUC__) && __GNUC__ >= 8\n"
		"#pragma GCC optimize(%s\"fp-contract=off\", \"no-loop-interchange\")\n"
		"#elif defined(__GNUC__)\n"
		"#pragma GCC optimize(\"fp-contract=off\")\n#endif\n",
		target_has_vectors(e->plan->target) ? "from every compiler" : "everywhere", u, u, u, level, level);
	buf_printf(out,
		"#if defined(__s390__) && defined(__GNUC__) && __GNUC__ >= 12 && "
		"!defined(__clang__)\n"
		"#pragma GCC optimize(\"excess-precision=fast\") /* FLT_EVAL_METHOD 1 of -std=c99 "
		"*/\n"
		"#define FLOAT_IS_FLOAT(method) ((method) == 0 || (method) == 1)\n#else\n"
		"#define FLOAT_IS_FLOAT(method) ((method) == 0 || (method) == 16 || (method) == "
		"32)\n#endif\n"
		"#ifdef %s_ANY_BITS\n"
		"#elif (defined(FLT_EVAL_METHOD) && !FLOAT_IS_FLOAT(FLT_EVAL_METHOD)) || \\\n"
		"\t(defined(__FLT_EVAL_METHOD__) && !FLOAT_IS_FLOAT(__FLT_EVAL_METHOD__))\n"
		"#error \"float is computed wider than float: use -msse2 -mfpmath=sse or "
		"-fexcess-precision=fast, or define %s_ANY_BITS\"\n",
		u, u);
	buf_printf(out,
		"#elif defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || "
		"defined(__RECIPROCAL_MATH__) || \\\n"
		"\tdefined(__NO_SIGNED_ZEROS__) || defined(_M_FP_FAST) || \\\n"
		"\t(defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ != 0)\n"
		"#error \"-ffast-math and its kind change bits: compile without, or define "
		"%s_ANY_BITS\"\n#endif\n"
		"#if INT_MAX < 2147483647 || SIZE_MAX / 2 < %lld\n"
		"#error \"this needs 32 bits of int, and pointers for %s bytes of arena\"\n#endif\n"
		"#if FLT_RADIX != 2 || FLT_MANT_DIG != 24 || FLT_MAX_EXP != 128\n"
		"#error \"float is not IEEE 754's binary32\"\n#endif\n\n",
		u, (long long)e->plan->cert.arena, grouped(e->arena, e->plan->cert.arena));
}

struct helper_list {
	struct emission *e;
	struct buf *out;
	const char *done[MAX_HELPERS];
	int n;
};

static void write_helper(void *ctx, const char *name)
{
	struct helper_list *l = ctx;
	const char *base = strrchr(name, '/') + 1;
	struct instance_request r = { .template_name = name, .function = base };

	for (int k = 0; k < l->n; k++)
		if (strcmp(l->done[k], name) == 0)
			return;
	if (l->n == MAX_HELPERS)
		die("too many helper functions");
	l->done[l->n++] = arena_strdup(l->e->arena, name);
	buf_puts(l->out, template_instantiate(l->e->arena, &r));
	buf_puts(l->out, "\n");
}

static void write_tables(struct emission *e, struct buf *out)
{
	const struct plan *p = e->plan;

	for (int k = 0; k < p->nblob; k++) {
		const struct blob *b = p->blob[k];
		struct arena scratch = { 0 };

		if (b->buffer->kind != BUF_TABLE)
			continue;
		unsigned char *v = arena_alloc(&scratch, (size_t)b->buffer->bytes);

		pack_blob(e->plan, b, v);
		buf_printf(out, "/* %s: %s */\nstatic const %s %s_table%d[] = {\n",
			prov_text(e->arena, p->graph, b->prov, 3),
			shape_text(e->arena, &b->tensor[0]->shape), dtypes[b->type].ctype, e->name,
			b->buffer->index);
		put_elements(out, b->type, v, b->count);
		buf_puts(out, "};\n\n");
		arena_release(&scratch);
	}
}

/* What a tensor of the interface is, for the id of the code. */
static void add_interface(struct emission *e, struct crc64 *c, const struct tensor *t)
{
	const char *text = arena_printf(e->arena, "%s %s\n", dtypes[t->io_type].name,
		shape_text(e->arena, &t->shape));

	crc64_add(c, text, strlen(text));
}

/* The id of code: of its text, but for comments and blanks, of its interface, and of the place and
 * order of each constant. What retraining leaves as it is, so that the new weights run in the old
 * code. */
static uint64_t code_id(struct emission *e, const char *const *text, int n)
{
	struct crc64 *c = arena_alloc(e->arena, sizeof(*c));
	const struct graph *g = e->plan->graph;

	crc64_begin(c);
	for (int k = 0; k < n; k++)
		for (const char *s = text[k], *end; *s != '\0'; s = end) {
			end = c_token_end(s);
			if (!isspace((unsigned char)*s) && (s[0] != '/' || s[1] != '*')) {
				crc64_add(c, s, (size_t)(end - s));
				crc64_add(c, " ", 1);
			}
		}
	for (int k = 0; k < g->ninput; k++)
		add_interface(e, c, g->input[k]);
	for (int k = 0; k < g->noutput; k++)
		add_interface(e, c, g->output[k]);
	for (int k = 0; k < e->plan->nblob; k++) {
		const struct blob *b = e->plan->blob[k];
		const char *place = arena_printf(e->arena, "%d %s %lld %d %d %d %d %lld %s\n",
			(int)b->packing, dtypes[b->type].name, (long long)b->buffer->offset, b->group,
			b->block, b->stack, b->chunk, (long long)b->count, shape_text(e->arena, &b->tensor[0]->shape));

		crc64_add(c, place, strlen(place));
	}
	return crc64_end(c);
}

/* NAME.c; sets e->code_id. */
static char *code_text(struct emission *e)
{
	struct buf head = { 0 }, kernels = { 0 }, hooks = { 0 }, run = { 0 }, all = { 0 };
	struct helper_list helpers = { .e = e, .out = &kernels };
	struct buf *const part[] = { &head, &kernels, &hooks, &run };
	int n;
	const struct instance *v = instantiate(e->plan, e->name, e->names, &n);

	e->stack = stack_size(v, n);
	write_head(e, &head);
	write_demands(e, &head);
	if (target_has_vectors(e->plan->target))
		emit_vectors(e, &kernels);
	for (int k = 0; k < n; k++)
		template_helpers(v[k].text, write_helper, &helpers);
	for (int k = 0; k < n; k++) {
		buf_puts(&kernels, v[k].text);
		buf_puts(&kernels, "\n");
	}
	write_tables(e, &kernels);
	if (kernels.len > 0 && c_count_word(kernels.data, "INLINE") > 0)
		emit_header(&head, "c/inline.h");
	emit_profile(e, &hooks);
	buf_printf(&hooks, "/* What init leaves in a network that is ready. */\n#define READY 0x%08xu\n\n",
		(uint32_t)hash_text(e->name) | 1u);
	emit_run(e, &run);
	e->code_id = code_id(e, (const char *[]){ kernels.data != NULL ? kernels.data : "", run.data }, 2);
	for (int k = 0; k < 4; k++) {
		if (part[k]->len > 0)
			buf_add(&all, part[k]->data, part[k]->len);
		buf_release(part[k]);
	}
	emit_interface(e, &all);
	buf_puts(&all, "#endif\n");
	return all.data;
}

void emit(struct plan *p, const struct emit_options *options, struct output *out)
{
	struct emission e = {
		.plan = p, .options = options, .out = out, .arena = p->arena, .name = options->name
	};
	char *upper = arena_strdup(p->arena, options->name);

	for (char *c = upper; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	e.upper = upper;
	e.names = names_new(p->arena);
	take_own_names(&e);
	e.input = parameters(&e, p->graph->input, p->graph->ninput);
	e.output = parameters(&e, p->graph->output, p->graph->noutput);
	char *code = code_text(&e), *header;

	if (options->like != NULL) {
		header = header_text(&e);
		if (folder_fits(&e, code, header))
			emit_weights(&e);
	} else {
		emit_weights(&e);
		header = header_text(&e);
		output_puts(out, arena_printf(p->arena, "%s.c", e.name), code);
		output_puts(out, arena_printf(p->arena, "%s.h", e.name), header);
		if (e.machine_code != NULL)
			output_puts(out, arena_printf(p->arena, "%s_gemm.c", e.name), e.machine_code);
		if (options->main)
			emit_main(&e);
		folder_settle(&e);
	}
	free(code);
	free(header);
}
