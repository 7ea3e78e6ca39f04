/*
 * What only --target=x86-64 writes: the instruction sets and how init picks one, and the small
 * matrix products that convolutions are made of. A product is a function for each instruction set:
 * libxsmm's machine code for AVX-512; for AVX2 intrinsics, as fast as libxsmm's code (98 % of the
 * peak) on weights in the cache, and 1.05 to 1.2 times as fast on those that come from memory;
 * plain C. A kernel gets a table of the products it needs.
 */
#include "emission.h"
#include "gemm.h"

#include <string.h>

const struct isa isas[NISA] = {
	{ "avx512", "AVX512_CODE", "ISA_AVX512", "_mm512", true },
	{ "avx2", "AVX2_CODE", "ISA_AVX2", "_mm256", true },
	{ "c", "", "ISA_C", NULL, false },
};

bool is_x86(const struct plan *p)
{
	return strcmp(p->target, "x86-64") == 0;
}

static bool same_set(const struct kernel *x, const struct kernel *y)
{
	return x->ngemm == y->ngemm && x->ngemm > 0 &&
	       memcmp(x->gemm, y->gemm, (size_t)x->ngemm * sizeof(*x->gemm)) == 0;
}

/* Does kernel i bring products that no kernel before it has? */
static bool brings_products(const struct plan *p, int i)
{
	for (int j = 0; j < i; j++)
		if (same_set(p->kernel[j], p->kernel[i]))
			return false;
	return p->kernel[i]->ngemm > 0;
}

int gemm_offset(const struct plan *p, const struct kernel *k)
{
	int offset = 0;

	for (int i = 0; i < p->nkernel; i++) {
		if (!brings_products(p, i))
			continue;
		if (k != NULL && same_set(p->kernel[i], k))
			return offset;
		offset += p->kernel[i]->ngemm;
	}
	return offset;
}

bool calls_libxsmm(const struct emission *e)
{
	return e->options->libxsmm_call && gemm_offset(e->plan, NULL) > 0;
}

const char *product_fields(const struct emission *e)
{
	if (!calls_libxsmm(e))
		return "";
	return arena_printf(e->arena,
		"\tvoid (*gemm[%d])(const float *a, const float *b, float *c, const uint64_t "
		"*count,\n\t\t\t const uint64_t *at_a, const uint64_t *at_b);\n",
		gemm_offset(e->plan, NULL));
}

static const char head[] =
	"/* Instruction sets: what a processor without them does not see. */\n"
	"#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))\n"
	"#define HAVE_X86 1\n#include <immintrin.h>\n"
	"#define AVX512_CODE "
	"__attribute__((target(\"avx512f,avx512bw,avx512dq,avx512vl,avx2,fma\")))\n"
	"#define AVX2_CODE __attribute__((target(\"avx2,fma\")))\n"
	"#else\n#define HAVE_X86 0\n#endif\n"
	"#if defined(__clang__)\n#define UNROLL _Pragma(\"unroll\")\n"
	"#define UNROLL4 _Pragma(\"nounroll\")\n"
	"#elif defined(__GNUC__)\n#define UNROLL _Pragma(\"GCC unroll 32\")\n"
	"#define UNROLL4 _Pragma(\"GCC unroll 4\")\n"
	"#else\n#define UNROLL\n#define UNROLL4\n#endif\n\n"
	"enum { ISA_C = 1, ISA_AVX2, ISA_AVX512 };\n\n"
	"/* The best that this processor has, and not above `most`. */\n"
	"static int best_isa(int most)\n{\n"
	"#if HAVE_X86\n"
	"\t__builtin_cpu_init();\n"
	"\tif (most >= ISA_AVX512 && __builtin_cpu_supports(\"avx512f\") && "
	"__builtin_cpu_supports(\"avx512bw\") &&\n"
	"\t    __builtin_cpu_supports(\"avx512dq\") && "
	"__builtin_cpu_supports(\"avx512vl\"))\n\t\treturn ISA_AVX512;\n"
	"\tif (most >= ISA_AVX2 && __builtin_cpu_supports(\"avx2\") && "
	"__builtin_cpu_supports(\"fma\"))\n\t\treturn ISA_AVX2;\n"
	"#endif\n\t(void)most;\n\treturn ISA_C;\n}\n\n"
	"#if HAVE_X86\n/* Clears the upper halves of the vector registers, without which SSE code "
	"that follows is slow. */\n"
	"static AVX2_CODE void leave_vectors(void)\n{\n\t_mm256_zeroupper();\n}\n#endif\n\n"
	"static void leave(int isa)\n{\n#if HAVE_X86\n\tif (isa > "
	"ISA_C)\n\t\tleave_vectors();\n#endif\n\t(void)isa;\n}\n\n";

static const char sharing[] = "/* Where part i of 0 .. end begins, in steps. */\n"
			      "static int part_begin(int i, int parts, int end, int step)\n{\n"
			      "\tconst int units = end / step + (end % step > 0);\n"
			      "\tconst int at = (int)((int64_t)i * units / parts);\n\n"
			      "\treturn i < parts ? at * step : end;\n}\n\n";

static const char type[] =
	"/* A small matrix product, all sizes built in: c [n][m] = (or +=) the sum over i < *count "
	"of b_i [n][k] a_i [k][m],\n"
	" * where a_i lies at_a[i] bytes behind a, and b_i at_b[i] behind b. */\n"
	"typedef void gemm_fn(const float *a, const float *b, float *c, const uint64_t *count, "
	"const uint64_t *at_a,\n"
	"\t\t     const uint64_t *at_b);\n\n"
	"#define GEMM_PARAMETERS const float *a, const float *b, float *c, const uint64_t *count, "
	"const uint64_t *at_a, \\\n"
	"\t\t\tconst uint64_t *at_b\n"
	"#define GEMM_ARGUMENTS a, b, c, count, at_a, at_b\n\n";

static void write_template(struct emission *e, struct buf *out, const char *name)
{
	struct instance_request r = { .template_name = name, .function = strrchr(name, '/') + 1 };

	buf_puts(out, template_instantiate(e->arena, &r));
	buf_puts(out, "\n");
}

/* A function of gemm_fn's type that gives the sizes to one of the templates. */
static void write_wrapper(struct buf *out, const struct gemm_kernel *k, const char *suffix,
	const char *macro, const char *function)
{
	const struct gemm *g = &k->gemm;

	buf_printf(out,
		"static %s%svoid %s_%s(GEMM_PARAMETERS)\n{\n\t%s(GEMM_ARGUMENTS, %d, %d, %d, %d, "
		"%d, %d, %d);\n}\n\n",
		macro, macro[0] != '\0' ? " " : "", k->product, suffix, function, g->m, g->n, g->k,
		g->lda, g->ldb, g->ldc, g->accumulate);
}

/* The template of an instruction set, and the products of t by it. */
static void write_products(struct emission *e, struct buf *out, const struct gemm_table *t,
	const char *suffix, const char *macro)
{
	const char *function = arena_printf(e->arena, "gemm_%s", suffix);

	write_template(e, out, arena_printf(e->arena, "x86/%s", function));
	for (int i = 0; i < t->n; i++)
		write_wrapper(out, &t->kernel[i], suffix, macro, function);
}

/* write(.., kernel's product) for each place of the table of products. */
static void for_products(const struct plan *p, struct gemm_table *t, struct buf *out,
	const char *more, void (*write)(struct buf *, const struct gemm_kernel *, const char *))
{
	for (int i = 0; i < p->nkernel; i++)
		for (int j = 0; j < p->kernel[i]->ngemm && brings_products(p, i); j++)
			write(out, &t->kernel[gemm_request(t, &p->kernel[i]->gemm[j])], more);
}

static void write_entry(struct buf *out, const struct gemm_kernel *k, const char *suffix)
{
	buf_printf(out, "\t\t%s_%s,\n", k->product, suffix);
}

/* Products by instruction set, from plain C up. A kernel gets a part of a row. */
static void write_table(struct emission *e, struct buf *out, struct gemm_table *t)
{
	buf_printf(out, "static gemm_fn *const gemms[][%d] = {\n", gemm_offset(e->plan, NULL));
	for (int isa = NISA - 1; isa >= 0; isa--) {
		buf_puts(out, "\t{\n");
		for_products(e->plan, t, out, isas[isa].suffix, write_entry);
		buf_printf(out, "\t},\n%s", isa == NISA - 1 ? "#if HAVE_X86\n" : "");
	}
	buf_puts(out, "#endif\n};\n\n");
}

static void write_request(struct buf *out, const struct gemm_kernel *k, const char *unused)
{
	const struct gemm *g = &k->gemm;

	(void)unused;
	buf_printf(out, "\t{ %d, %d, %d, %d, %d, %d, %d.0f },\n", g->m, g->n, g->k, g->lda, g->ldb,
		g->ldc, g->accumulate);
}

/* --gemm=libxsmm-call: init asks the libxsmm that the program is linked with. */
static void write_calls(struct emission *e, struct buf *out, struct gemm_table *t)
{
	buf_puts(out, "#if HAVE_X86\n#include <libxsmm.h>\n\n"
		      "/* What libxsmm is asked for: sizes, leading dimensions, and what c is "
		      "multiplied by before. */\n"
		      "static const struct gemm_request {\n\tlibxsmm_blasint m, n, k, lda, ldb, "
		      "ldc;\n\tfloat beta;\n} gemm_requests[] = {\n");
	for_products(e->plan, t, out, "", write_request);
	buf_printf(out,
		"};\n#endif\n\n"
		"/* The products for net->isa: libxsmm's where that is AVX-512 and libxsmm makes "
		"them, else those above. */\n"
		"static void find_gemms(struct %s *net)\n{\n"
		"\tmemcpy(net->gemm, gemms[net->isa - 1], sizeof(net->gemm));\n"
		"#if HAVE_X86\n"
		"\tconst int flags = LIBXSMM_GEMM_FLAG_NONE, prefetch = "
		"LIBXSMM_GEMM_PREFETCH_NONE;\n\tconst float one = 1.0f;\n\n"
		"\tif (net->isa < ISA_AVX512)\n\t\treturn;\n\tlibxsmm_init();\n"
		"\tif (libxsmm_get_target_archid() < LIBXSMM_X86_AVX512_CORE)\n\t\treturn;\n"
		"\tfor (int i = 0; i < %d; i++) {\n"
		"\t\tconst struct gemm_request *r = &gemm_requests[i];\n"
		"\t\tconst libxsmm_smmfunction_reducebatch_offs f = "
		"libxsmm_smmdispatch_reducebatch_offs(\n"
		"\t\t\tr->m, r->n, r->k, &r->lda, &r->ldb, &r->ldc, &one, &r->beta, &flags, "
		"&prefetch);\n\n"
		"\t\tif (f != NULL)\n\t\t\tnet->gemm[i] = (gemm_fn *)f;\n\t}\n#endif\n}\n\n",
		e->name, gemm_offset(e->plan, NULL));
}

/* The products for AVX-512: libxsmm's machine code where it is there, else intrinsics. */
static void write_avx512(struct emission *e, struct buf *out, const struct gemm_table *t)
{
	if (t->code) {
		buf_printf(out, "#if %s_GEMM\n", e->upper);
		for (int i = 0; i < t->n; i++)
			buf_printf(out, "#define %s_avx512 %s_%s\n", t->kernel[i].product, e->name,
				t->kernel[i].name);
		buf_puts(out, "#else\n");
	}
	write_products(e, out, t, "avx512", "AVX512_CODE");
	if (t->code)
		buf_puts(out, "#endif\n");
}

/* What the parts of kernels call. */
static void write_sharing(struct emission *e, struct buf *out)
{
	bool cut = false;

	for (int i = 0; i < e->plan->nkernel; i++)
		cut = cut || part_count(e->plan->kernel[i]) > 1;
	if (cut)
		buf_puts(out, sharing);
	if (e->plan->worker_bytes > 0)
		buf_printf(out,
			"/* A worker's scratch: the first one's is in the arena, the others' are "
			"behind it. */\n"
			"static float *scratch_of(int worker, float *first, float *others)\n{\n"
			"\treturn worker == 0 ? first\n"
			"\t\t\t   : others + (ptrdiff_t)(worker - 1) * (%s_ARENA_WORKER_SIZE / "
			"4);\n}\n\n",
			e->upper);
}

void emit_x86(struct emission *e, struct buf *out)
{
	struct gemm_table t = { .arena = e->arena,
		.code = !e->options->libxsmm_call && gemm_unavailable() == NULL };

	buf_puts(out, head);
	write_sharing(e, out);
	for (int i = 0; i < e->plan->nkernel; i++)
		for (int j = 0; j < e->plan->kernel[i]->ngemm; j++)
			gemm_request(&t, &e->plan->kernel[i]->gemm[j]);
	if (t.n == 0)
		return;
	if (!t.code && !e->options->libxsmm_call)
		node_warning(e->plan->graph, NULL, "%s: small products are intrinsics",
			gemm_unavailable());
	buf_puts(out, type);
	if (t.code)
		gemm_emit_all(out, e->name, e->upper, &t);
	write_products(e, out, &t, "c", "");
	buf_puts(out, "#if HAVE_X86\n");
	write_products(e, out, &t, "avx2", "AVX2_CODE");
	write_avx512(e, out, &t);
	buf_puts(out, "#endif\n\n");
	write_table(e, out, &t);
	if (calls_libxsmm(e))
		write_calls(e, out, &t);
}
