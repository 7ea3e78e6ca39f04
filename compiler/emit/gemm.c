/* Small matrix products: requests -> libxsmm's machine code, checked by running it -> text of
 * generated C. */
#include "emit/gemm.h"
#include "core/platform.h"

#include <stdlib.h>
#include <string.h>

#if defined(SKIPC_HAVE_LIBXSMM)
#include <libxsmm.h>
#include <libxsmm_generator.h>
#include <libxsmm/libxsmm_main.h>
#endif

/* ---- requests ---------------------------------------------------------------------------------
 */

/* What makes no difference to the code, made equal. libxsmm's JIT makes AVX2 code for the smallest
 * products, whatever it is asked for: so do we. */
static struct gemm normalized(const struct gemm *g)
{
	const int64_t m = g->m, n = g->n, k = g->k;
	struct gemm r = *g;

	if (r.reduce != GEMM_STRIDE)
		r.stride_a = r.stride_b = 0;
	if (m * k <= 16 || k * n <= 16 || m * n <= 16)
		r.isa = GEMM_AVX2;
	return r;
}

static bool same_gemm(const struct gemm *x, const struct gemm *y)
{
	return x->m == y->m && x->n == y->n && x->k == y->k && x->lda == y->lda &&
	       x->ldb == y->ldb && x->ldc == y->ldc && x->accumulate == y->accumulate &&
	       x->reduce == y->reduce && x->stride_a == y->stride_a && x->stride_b == y->stride_b &&
	       x->isa == y->isa;
}

const char *gemm_applies(const struct gemm *g)
{
	const int most = 1 << 20;

	if (g->m < 1 || g->n < 1 || g->k < 1 || g->ldb < 1)
		return "a matrix is empty";
	if (g->lda < g->m || g->ldc < g->m)
		return "a leading dimension is less than the rows";
	if (g->lda > most || g->ldb > most || g->ldc > most || g->k > most || g->n > 4096 ||
		(int64_t)g->n * (g->ldb > g->ldc ? g->ldb : g->ldc) > INT32_MAX / 16)
		return "the matrices are too large for displacements of 32 bits";
	if (g->reduce == GEMM_STRIDE &&
		(g->stride_a < 0 || g->stride_b < 0 || g->stride_a > INT32_MAX / 64 ||
			g->stride_b > INT32_MAX / 64))
		return "a stride is negative or too large";
	return NULL;
}

static const char *isa_name(enum gemm_isa isa)
{
	return isa == GEMM_AVX2 ? "AVX2" : "AVX-512";
}

/* ---- libxsmm ----------------------------------------------------------------------------------
 */

#if defined(SKIPC_HAVE_LIBXSMM)

enum { CODE_MAX = 1 << 18 };

/* Exported by libxsmm 1.17, in no header: the generator without the test that ldb >= k. */
void libxsmm_generator_gemm_sse3_avx_avx2_avx512_kernel(
	libxsmm_generated_code *code, const libxsmm_gemm_descriptor *desc);

const char *gemm_unavailable(void)
{
	return NULL;
}

static bool describe(const struct gemm *g, libxsmm_gemm_descriptor *d)
{
	static const int reduce_flag[] = {
		[GEMM_SINGLE] = LIBXSMM_GEMM_FLAG_NONE,
		[GEMM_OFFSET] = LIBXSMM_GEMM_FLAG_BATCH_REDUCE_OFFSET,
		[GEMM_STRIDE] = LIBXSMM_GEMM_FLAG_BATCH_REDUCE_STRIDE,
	};
	libxsmm_descriptor_blob blob;
	const libxsmm_gemm_descriptor *made = libxsmm_sgemm_descriptor_init(&blob, g->m, g->n, g->k,
		g->lda, g->ldb, g->ldc, 1.0f, g->accumulate ? 1.0f : 0.0f, reduce_flag[g->reduce],
		LIBXSMM_GEMM_PREFETCH_NONE);

	if (made == NULL)
		return false;
	memcpy(d, made, sizeof(*d));
	d->c1 = (unsigned long long)g->stride_a;
	d->c2 = (unsigned long long)g->stride_b;
	return true;
}

const unsigned char *gemm_code(struct arena *a, const struct gemm *g, size_t *size)
{
	const struct gemm n = normalized(g);
	libxsmm_generated_code code = { .buffer_size = CODE_MAX, .code_type = 2 };
	libxsmm_gemm_descriptor d;

	if (gemm_applies(g) != NULL || !describe(&n, &d))
		die("gemm %dx%dx%d: %s", g->m, g->n, g->k,
			gemm_applies(g) != NULL ? gemm_applies(g) : "no descriptor");
	code.arch = n.isa == GEMM_AVX2 ? LIBXSMM_X86_AVX2 : LIBXSMM_X86_AVX512_CORE;
	code.generated_code = calloc(1, CODE_MAX);
	if (code.generated_code == NULL)
		out_of_memory();
	if (g->ldb < g->k)
		libxsmm_generator_gemm_sse3_avx_avx2_avx512_kernel(&code, &d);
	else
		libxsmm_generator_gemm_kernel(&code, &d);
	if (code.last_error != 0 || code.code_size == 0)
		die("gemm %dx%dx%d: libxsmm's error %u", g->m, g->n, g->k, code.last_error);
	unsigned char *kept = arena_alloc(a, code.code_size);

	memcpy(kept, code.generated_code, code.code_size);
	free(code.generated_code);
	*size = code.code_size;
	return kept;
}

#else

const char *gemm_unavailable(void)
{
	return "skipc was built without libxsmm";
}

const unsigned char *gemm_code(struct arena *a, const struct gemm *g, size_t *size)
{
	(void)a;
	(void)g;
	*size = 0;
	die("gemm_code: %s", gemm_unavailable());
}

#endif

/* ---- running the code -------------------------------------------------------------------------
 */

#if defined(__x86_64__) && !defined(__ILP32__) && defined(__GNUC__)
static bool machine_runs(enum gemm_isa isa)
{
	__builtin_cpu_init();
	if (isa == GEMM_AVX2)
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}
#else
static bool machine_runs(enum gemm_isa isa)
{
	(void)isa;
	return false;
}
#endif

/* A matrix that ends where memory ends. */
struct guarded {
	float *data;
	size_t count;
};

static bool guarded_make(struct guarded *m, size_t count)
{
	m->data = platform_fenced(count * sizeof(float));
	m->count = count;
	return m->data != NULL;
}

/* Small whole numbers: sums of their products have no rounding, in whatever order. */
static void guarded_fill(struct guarded *m, uint32_t seed)
{
	for (size_t i = 0; i < m->count; i++) {
		seed = seed * 1664525u + 1013904223u;
		m->data[i] = (float)((int)(seed >> 24) % 9 - 4);
	}
}

enum { REDUCES = 3 };

/* What one run is made of. */
struct trial {
	const struct gemm *g;
	struct guarded a, b, c;
	uint64_t count, offset_a[REDUCES], offset_b[REDUCES];
	float *expected;
};

/* B_1 lies before B_0 for OFFSET: tables need not be in order. */
static bool trial_make(struct trial *t, const struct gemm *g)
{
	size_t a = (size_t)g->lda * (size_t)(g->k - 1) + (size_t)g->m,
	       b = (size_t)g->ldb * (size_t)(g->n - 1) + (size_t)g->k;
	const size_t c = (size_t)g->ldc * (size_t)(g->n - 1) + (size_t)g->m, step_a = a + 5,
		     step_b = (size_t)g->k + 3;

	t->g = g;
	t->count = g->reduce == GEMM_SINGLE ? 1 : REDUCES;
	for (uint64_t i = 0; i < REDUCES; i++) {
		t->offset_a[i] = g->reduce == GEMM_STRIDE ? i * (uint64_t)g->stride_a
							  : i * step_a * sizeof(float);
		t->offset_b[i] = g->reduce == GEMM_STRIDE ? i * (uint64_t)g->stride_b
							  : (i + 2) % 3 * step_b * sizeof(float);
	}
	if (g->reduce == GEMM_OFFSET) {
		a += 2 * step_a;
		b += 2 * step_b;
	} else if (g->reduce == GEMM_STRIDE) {
		a += 2 * (size_t)g->stride_a / sizeof(float);
		b += 2 * (size_t)g->stride_b / sizeof(float);
	} else {
		t->offset_b[0] = 0;
	}
	t->expected = malloc(c * sizeof(float));
	if (t->expected == NULL || !guarded_make(&t->a, a) || !guarded_make(&t->b, b) ||
		!guarded_make(&t->c, c))
		return false;
	guarded_fill(&t->a, 1);
	guarded_fill(&t->b, 2);
	guarded_fill(&t->c, 3);
	memcpy(t->expected, t->c.data, c * sizeof(float));
	return true;
}

static void reference(struct trial *t)
{
	const struct gemm *g = t->g;

	for (int j = 0; j < g->n; j++)
		for (int i = 0; i < g->m; i++) {
			float *c = &t->expected[(size_t)j * (size_t)g->ldc + (size_t)i];
			float sum = g->accumulate ? *c : 0.0f;

			for (uint64_t r = 0; r < t->count; r++) {
				const float *a = t->a.data + t->offset_a[r] / sizeof(float) + i;
				const float *b = t->b.data + t->offset_b[r] / sizeof(float) +
						 (size_t)j * (size_t)g->ldb;

				for (int k = 0; k < g->k; k++)
					sum += a[(size_t)k * (size_t)g->lda] * b[k];
			}
			*c = sum;
		}
}

union entry {
	void *address;
	void (*single)(const float *, const float *, float *);
	void (*offset)(const float *, const float *, float *, const uint64_t *, const uint64_t *,
		const uint64_t *);
	void (*stride)(const float *, const float *, float *, const uint64_t *);
};

struct attempt {
	const struct gemm *g;
	const unsigned char *code;
	size_t size;
};

enum { RIGHT, WRONG, NOT_TRIED };

/* In a process of its own, with which its memory ends. */
static int try(const void *what)
{
	const struct attempt *c = what;
	const struct gemm *g = c->g;
	struct trial t = { 0 };
	union entry f = { .address = platform_code(c->code, c->size) };

	if (f.address == NULL || !trial_make(&t, g))
		return NOT_TRIED; /* NOLINT */
	reference(&t);
	if (g->reduce == GEMM_SINGLE)
		f.single(t.a.data, t.b.data, t.c.data);
	else if (g->reduce == GEMM_OFFSET)
		f.offset(t.a.data, t.b.data, t.c.data, &t.count, t.offset_a, t.offset_b);
	else
		f.stride(t.a.data, t.b.data, t.c.data, &t.count);
	return memcmp(t.c.data, t.expected, t.c.count * sizeof(float)) != 0 ? WRONG : RIGHT;
}

enum gemm_verdict gemm_run(const struct gemm *g, const unsigned char *code, size_t size)
{
	int status;

	if (!machine_runs(g->isa))
		return GEMM_NOT_RUN;
	status = platform_apart(try, &(struct attempt){ g, code, size });
	if (status == APART_NOT || status == NOT_TRIED)
		return GEMM_NOT_RUN;
	return status == RIGHT ? GEMM_RIGHT : GEMM_WRONG;
}

enum gemm_verdict gemm_check(const struct gemm *g, const unsigned char *code, size_t size)
{
	struct arena scratch = { 0 };
	size_t fresh_size = 0;
	const unsigned char *fresh;
	bool same;

	if (gemm_applies(g) == NULL) {
		fresh = gemm_code(&scratch, g, &fresh_size);
		same = fresh_size == size && memcmp(fresh, code, size) == 0;
		arena_release(&scratch);
		if (!same)
			return GEMM_WRONG;
	}
	return gemm_run(g, code, size);
}

/* ---- the table --------------------------------------------------------------------------------
 */

/* gemm64x28x64_64_256_64_offset_add: m n k, leading dimensions, what differs from the plain form.
 */
static const char *gemm_name(struct arena *a, const struct gemm *g)
{
	const char *name = arena_printf(
		a, "gemm%dx%dx%d_%d_%d_%d", g->m, g->n, g->k, g->lda, g->ldb, g->ldc);

	if (g->reduce == GEMM_OFFSET)
		name = arena_printf(a, "%s_offset", name);
	if (g->reduce == GEMM_STRIDE)
		name = arena_printf(a, "%s_stride%ld_%ld", name, g->stride_a, g->stride_b);
	return g->accumulate ? arena_printf(a, "%s_add", name) : name;
}

int gemm_request(struct gemm_table *t, const struct gemm *g)
{
	const struct gemm n = normalized(g);
	struct gemm_kernel k = { .gemm = n };

	for (int i = 0; i < t->n; i++)
		if (same_gemm(&t->kernel[i].gemm, &n))
			return i;
	if (t->code)
		k.code = gemm_code(t->arena, &n, &k.size);
	for (int i = 0; i < t->n && t->code; i++)
		if (t->kernel[i].size == k.size && memcmp(t->kernel[i].code, k.code, k.size) == 0)
			return i;
	k.product = gemm_name(t->arena, &n);
	k.name = arena_printf(t->arena, "%s_%s", k.product, n.isa == GEMM_AVX2 ? "avx2" : "avx512");
	if (t->n == t->cap) {
		struct gemm_kernel *more = arena_alloc(
			t->arena, (size_t)(t->cap = t->cap * 2 + 16) * sizeof(*more));

		if (t->n > 0)
			memcpy(more, t->kernel, (size_t)t->n * sizeof(*more));
		t->kernel = more;
	}
	t->kernel[t->n] = k;
	return t->n++;
}

/* ---- text -------------------------------------------------------------------------------------
 */

static void emit_comment(struct buf *out, const struct gemm_kernel *k)
{
	const struct gemm *g = &k->gemm;

	buf_printf(out, "/* %s: C %dx%d %s ", isa_name(g->isa), g->m, g->n,
		g->accumulate ? "+=" : "=");
	if (g->reduce == GEMM_SINGLE)
		buf_printf(out, "A %dx%d B %dx%d", g->m, g->k, g->k, g->n);
	else
		buf_printf(out, "sum of A %dx%d B %dx%d", g->m, g->k, g->k, g->n);
	buf_printf(out, "; leading dimensions %d %d %d", g->lda, g->ldb, g->ldc);
	if (g->reduce == GEMM_OFFSET)
		buf_puts(out, "; offsets");
	if (g->reduce == GEMM_STRIDE)
		buf_printf(out, "; strides %ld %ld", g->stride_a, g->stride_b);
	buf_printf(out, "; %zu bytes%s%s */\n", k->size, k->users != NULL ? ".\n * Of " : "",
		k->users != NULL ? k->users : "");
}

void gemm_emit(struct buf *out, const char *symbol, const struct gemm_kernel *k)
{
	size_t i = 0;

	emit_comment(out, k);
	buf_printf(out,
		"__asm__(\".text\\n\\t.p2align 6\\n\\t.globl %s\\n\\t.hidden %s\\n\"\n"
		"\t\"\\t.type %s, @function\\n%s:\\n\\tendbr64\\n\"\n",
		symbol, symbol, symbol, symbol);
	for (; i + 8 <= k->size; i += 8) {
		uint64_t quad = 0;

		for (size_t j = 8; j-- > 0;)
			quad = quad << 8 | k->code[i + j];
		buf_printf(out, "%s0x%016llx", i % 32 == 0 ? "\t\"\\t.quad " : ",",
			(unsigned long long)quad);
		buf_puts(out, i % 32 == 24 || i + 16 > k->size ? "\\n\"\n" : "");
	}
	for (size_t from = i; i < k->size; i++)
		buf_printf(out, "%s0x%02x%s", i == from ? "\t\"\\t.byte " : ",", k->code[i],
			i + 1 == k->size ? "\\n\"\n" : "");
	buf_printf(out, "\t\"\\t.size %s, .-%s\\n\");\n\n", symbol, symbol);
}

void gemm_emit_all(struct buf *out, const char *prefix, const struct gemm_table *t)
{
	struct arena scratch = { 0 };

	for (int i = 0; i < t->n; i++) {
		const struct gemm_kernel *k = &t->kernel[i];

		if (gemm_check(&k->gemm, k->code, k->size) == GEMM_WRONG)
			die("libxsmm's code for %s computes something else", k->name);
		gemm_emit(out, arena_printf(&scratch, "%s_%s", prefix, k->name), k);
	}
	arena_release(&scratch);
}
