/*
 * What only --target=x86-64 writes: the instruction sets and how init picks one, and the small
 * matrix products that convolutions are made of. A product is a function for each instruction set:
 * libxsmm's machine code for AVX-512, intrinsics for AVX2 (where they beat libxsmm), plain C; a
 * kernel gets a table of the products it needs.
 */
#include "gemm.h"

#include <string.h>

const struct isa isas[NISA] = {
	{ "avx512", "AVX512_CODE", "ISA_AVX512", true },
	{ "avx2", "AVX2_CODE", "ISA_AVX2", true },
	{ "c", "", "ISA_C", false },
};

bool is_x86(const struct plan *p)
{
	return strcmp(p->target, "x86-64") == 0;
}

static bool same_set(const struct kernel *x, const struct kernel *y)
{
	return x->ngemm == y->ngemm &&
	       memcmp(x->gemm, y->gemm, (size_t)x->ngemm * sizeof(*x->gemm)) == 0;
}

int gemm_set(const struct plan *p, const struct kernel *k)
{
	int set = 0;

	if (k->ngemm == 0)
		return -1;
	for (int i = 0; i < p->nkernel; i++) {
		const struct kernel *x = p->kernel[i];
		bool first = x->ngemm > 0;

		for (int j = 0; j < i && first; j++)
			first = p->kernel[j]->ngemm == 0 || !same_set(p->kernel[j], x);
		if (first && same_set(x, k))
			return set;
		set += first;
	}
	die("kernel %d is not in the plan", k->id);
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
	"#elif defined(__GNUC__)\n#define UNROLL _Pragma(\"GCC unroll 16\")\n#else\n#define "
	"UNROLL\n#endif\n\n"
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
		macro, macro[0] != '\0' ? " " : "", k->name, suffix, function, g->m, g->n, g->k,
		g->lda, g->ldb, g->ldc, g->accumulate);
}

/* Tables of products, by instruction set from plain C up. */
static void write_sets(struct emission *e, struct buf *out, struct gemm_table *t)
{
	const struct plan *p = e->plan;
	int next = 0;

	for (int i = 0; i < p->nkernel; i++) {
		const struct kernel *k = p->kernel[i];

		if (gemm_set(p, k) != next)
			continue;
		buf_printf(out, "static gemm_fn *const gemms_%d[][%d] = {\n", next++, k->ngemm);
		for (int isa = 0; isa < NISA; isa++) {
			static const char *const suffixes[] = { "c", "avx2", "avx512" };

			buf_printf(out, "%s\t{", isa == 1 ? "#if HAVE_X86\n" : "");
			for (int j = 0; j < k->ngemm; j++)
				buf_printf(out, " %s_%s,",
					t->kernel[gemm_request(t, &k->gemm[j])].name,
					suffixes[isa]);
			buf_puts(out, " },\n");
		}
		buf_puts(out, "#endif\n};\n\n");
	}
}

void emit_x86(struct emission *e, struct buf *out)
{
	struct gemm_table t = { .arena = e->arena };

	buf_puts(out, head);
	for (int i = 0; i < e->plan->nkernel; i++)
		for (int j = 0; j < e->plan->kernel[i]->ngemm; j++)
			gemm_request(&t, &e->plan->kernel[i]->gemm[j]);
	if (t.n == 0)
		return;
	buf_puts(out, type);
	gemm_emit_all(out, e->name, e->upper, &t);
	write_template(e, out, "x86/gemm_c");
	buf_puts(out, "#if HAVE_X86\n");
	write_template(e, out, "x86/gemm_avx2");
	buf_printf(out, "#if !%s_GEMM\n", e->upper);
	write_template(e, out, "x86/gemm_avx512");
	buf_puts(out, "#endif\n#endif\n\n");
	for (int i = 0; i < t.n; i++)
		write_wrapper(out, &t.kernel[i], "c", "", "gemm_c");
	buf_puts(out, "#if HAVE_X86\n");
	for (int i = 0; i < t.n; i++)
		write_wrapper(out, &t.kernel[i], "avx2", "AVX2_CODE", "gemm_avx2");
	buf_printf(out, "#if %s_GEMM\n", e->upper);
	for (int i = 0; i < t.n; i++)
		buf_printf(out, "#define %s_avx512 %s_%s\n", t.kernel[i].name, e->name,
			t.kernel[i].name);
	buf_puts(out, "#else\n");
	for (int i = 0; i < t.n; i++)
		write_wrapper(out, &t.kernel[i], "avx512", "AVX512_CODE", "gemm_avx512");
	buf_puts(out, "#endif\n#endif\n\n");
	write_sets(e, out, &t);
}
