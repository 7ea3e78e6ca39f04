/*
 * The small matrix products of templates/x86 and templates/vector that are intrinsics or plain C: each size as generated code has it,
 * inlined with its sizes as constants, against sums without rounding; matrices end where memory ends. What this
 * machine cannot run is left out.
 */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../templates/vector/gemm_c.c"
#if defined(__x86_64__)
#include "../templates/x86/gemm_avx2.c"
#undef DEPTH
#include "../templates/x86/gemm_avx512.c"
#endif

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

/* P(name, channels, pixels, k, lda, ldb, ldc, add, taps): blocks of every size, and what is left of each dimension. */
#define PRODUCTS                                                                                                 \
	P(row, 64, 28, 64, 64, 64, 64, 0, 9)                                                                     \
	P(deep, 64, 13, 200, 64, 210, 64, 1, 2)                                                                  \
	P(seven, 64, 7, 96, 64, 96, 64, 0, 3)                                                                    \
	P(seven_narrow, 48, 7, 70, 48, 70, 48, 1, 2)                                                             \
	P(pixel, 32, 1, 64, 32, 64, 32, 0, 1)                                                                    \
	P(two, 96, 2, 33, 96, 40, 96, 1, 2)                                                                      \
	P(three, 16, 3, 65, 16, 65, 16, 0, 1)                                                                    \
	P(planar, 64, 56, 7, 64, 2, 64, 0, 21)                                                                   \
	P(gaps, 40, 11, 17, 51, 30, 47, 1, 4)                                                                    \
	P(tail, 23, 9, 66, 23, 66, 23, 0, 5)                                                                     \
	P(narrow, 5, 17, 24, 5, 24, 5, 1, 1)                                                                     \
	P(long_row, 16, 100, 16, 16, 48, 16, 0, 9)

#define ARGUMENTS a, b, c, count, at_a, at_b
#define PARAMETERS                                                                                               \
	const float *a, const float *b, float *c, const uint64_t *count, const uint64_t *at_a, const uint64_t *at_b
#define P(name, m, n, k, lda, ldb, ldc, add, taps)                                                               \
	static void name##_c(PARAMETERS) { gemm_c(ARGUMENTS, m, n, k, lda, ldb, ldc, add); }
PRODUCTS
#undef P
#if defined(__x86_64__)
#define FUNCTIONS(name) name##_c, name##_avx2, name##_avx512
enum { ISAS = 3 };
#define P(name, m, n, k, lda, ldb, ldc, add, taps)                                                               \
	static AVX2_CODE void name##_avx2(PARAMETERS) { gemm_avx2(ARGUMENTS, m, n, k, lda, ldb, ldc, add); }     \
	static AVX512_CODE void name##_avx512(PARAMETERS) { gemm_avx512(ARGUMENTS, m, n, k, lda, ldb, ldc, add); }
PRODUCTS
#undef P
#else
#define FUNCTIONS(name) name##_c
enum { ISAS = 1 };
#endif

static const struct product {
	const char *name;
	gemm_fn *f[ISAS]; /* plain C, AVX2, AVX-512 */
	int m, n, k, lda, ldb, ldc, add, taps;
} products[] = {
#define P(name, m, n, k, lda, ldb, ldc, add, taps)                                                               \
	{ #name, { FUNCTIONS(name) }, m, n, k, lda, ldb, ldc, add, taps },
	PRODUCTS
#undef P
};

static bool machine_runs(int isa)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	return isa == 0 || (isa == 1 ? __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
				     : __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
					       __builtin_cpu_supports("avx512vl"));
#else
	return isa == 0;
#endif
}

/* Small whole numbers, behind them a page that cannot be touched. */
static float *numbers(int count, uint32_t seed)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t bytes = ((size_t)count * sizeof(float) + page - 1) / page * page;
	unsigned char *map = mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	float *to = (float *)(void *)(map + bytes) - count;

	ck_assert_ptr_ne(map, MAP_FAILED);
	ck_assert_int_eq(mprotect(map + bytes, page, PROT_NONE), 0);
	for (int i = 0; i < count; i++) {
		seed = seed * 1664525u + 1013904223u;
		to[i] = (float)((int)(seed >> 24) % 9 - 4);
	}
	return to;
}

/* Every product on every instruction set; taps from the last to the first, with gaps. */
START_TEST(test_product)
{
	const struct product *p = &products[_i / ISAS];
	const int a_step = p->lda * (p->k - 1) + p->m + 3, b_step = p->k + 5;
	const int b_count = p->ldb * (p->n - 1) + p->k + b_step * (p->taps - 1);
	const int c_count = p->ldc * (p->n - 1) + p->m;
	const float *a = numbers(a_step * p->taps - 3, 1), *b = numbers(b_count, 2);
	float *c = numbers(c_count, 3), *expected = numbers(c_count, 3);
	const uint64_t count = (uint64_t)p->taps;
	uint64_t at_a[32], at_b[32];

	if (!machine_runs(_i % ISAS))
		return;
	for (int t = 0; t < p->taps; t++) {
		at_a[t] = (uint64_t)((p->taps - 1 - t) * a_step) * sizeof(float);
		at_b[t] = (uint64_t)(t * b_step) * sizeof(float);
	}
	for (int i = 0; i < p->n; i++)
		for (int j = 0; j < p->m; j++) {
			float *sum = &expected[i * p->ldc + j];

			*sum = p->add ? *sum : 0.0f;
			for (int t = 0; t < p->taps; t++)
				for (int q = 0; q < p->k; q++)
					*sum += a[(p->taps - 1 - t) * a_step + q * p->lda + j] *
						b[t * b_step + i * p->ldb + q];
		}
	p->f[_i % ISAS](a, b, c, &count, at_a, at_b);
	ck_assert_msg(memcmp(c, expected, (size_t)c_count * sizeof(*c)) == 0, "%s on instruction set %d", p->name,
		      _i % ISAS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("products");
	TCase *t = tcase_create("products");

	tcase_add_loop_test(t, test_product, 0, ISAS * COUNT(products));
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	return failed > 0;
}
