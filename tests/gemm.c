/*
 * gemm.c: the code is byte for byte what libxsmm's own JIT makes, computes the right product for random
 * shapes, a flipped byte is caught, and its text gives the same bytes again under gcc and clang. What this
 * machine cannot run is reported NOT RUN.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* mkdtemp */
#endif
#include "emit/emission.h"
#include "emit/gemm.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#if defined(SKIPC_HAVE_LIBXSMM)
#include <libxsmm.h>
#include <libxsmm_cpuid.h>
#endif

static struct arena arena;

static void teardown(void)
{
	arena_release(&arena);
}

#if defined(SKIPC_HAVE_LIBXSMM)

static uint64_t seed = 4;

/* Every test is a process that starts with the same seed. */
static void reseed(int loop)
{
	seed = 4u + (uint64_t)loop * 1000003u;
}

static int between(int lo, int hi)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return lo + (int)((seed >> 33) % (uint64_t)(hi - lo + 1));
}

/* Any request: odd sizes, gaps in leading dimensions, windows that overlap (ldb < k). */
static struct gemm any_gemm(enum gemm_isa isa)
{
	struct gemm g = { .m = between(1, 80), .n = between(1, 40), .k = between(1, 70), .isa = isa };

	g.lda = g.m + between(0, 1) * between(0, 20);
	g.ldb = between(0, 3) == 0 ? between(1, g.k) : g.k + between(0, 30);
	g.ldc = g.m + between(0, 1) * between(0, 20);
	g.accumulate = between(0, 1) == 1;
	g.reduce = (enum gemm_reduce)between(0, 2);
	g.stride_a = (g.lda * g.k + between(0, 9)) * 4;
	g.stride_b = (g.k + between(0, 9)) * 4;
	return g;
}

#endif

static const struct gemm usual[] = {
	{ .m = 64, .n = 28, .k = 64, .lda = 64, .ldb = 64, .ldc = 64, .reduce = GEMM_OFFSET },
	{ .m = 64, .n = 7, .k = 64, .lda = 64, .ldb = 512, .ldc = 512, .accumulate = true, .reduce = GEMM_OFFSET },
	{ .m = 64, .n = 14, .k = 256, .lda = 64, .ldb = 1024, .ldc = 256 },
	{ .m = 64, .n = 112, .k = 21, .lda = 64, .ldb = 21, .ldc = 64, .reduce = GEMM_OFFSET },
	{ .m = 48, .n = 9, .k = 33, .lda = 48, .ldb = 40, .ldc = 50, .reduce = GEMM_STRIDE, .stride_a = 6336, .stride_b = 132 },
	{ .m = 32, .n = 13, .k = 64, .lda = 32, .ldb = 64, .ldc = 32, .accumulate = true },
};
enum { USUAL = sizeof(usual) / sizeof(usual[0]) };

START_TEST(refuses_what_it_cannot_do)
{
	struct gemm g = usual[0];

	g.lda = 63;
	ck_assert_ptr_nonnull(gemm_applies(&g));
	g = usual[0];
	g.ldc = 1;
	ck_assert_ptr_nonnull(gemm_applies(&g));
	g = usual[0];
	g.n = 0;
	ck_assert_ptr_nonnull(gemm_applies(&g));
	g = usual[4];
	g.stride_b = -4;
	ck_assert_ptr_nonnull(gemm_applies(&g));
}
END_TEST

#if defined(SKIPC_HAVE_LIBXSMM)

/* The kernel that libxsmm's JIT dispatches for g, and the size of its code. */
static const void *jit(const struct gemm *g, size_t *size)
{
	const libxsmm_blasint lda = g->lda, ldb = g->ldb, ldc = g->ldc;
	const float one = 1.0f, beta = g->accumulate ? 1.0f : 0.0f;
	const int flags = LIBXSMM_GEMM_FLAG_NONE;
	libxsmm_kernel_info info = { 0 };
	union {
		libxsmm_xmmfunction f;
		const void *address;
	} made = { .address = NULL };
	libxsmm_xmmfunction f = { 0 };

	libxsmm_init(); /* would set the architecture later, were it not called here */
	libxsmm_set_target_archid(g->isa == GEMM_AVX2 ? LIBXSMM_X86_AVX2 : LIBXSMM_X86_AVX512_CORE);
	if (g->reduce == GEMM_SINGLE)
		f.smm = libxsmm_smmdispatch(g->m, g->n, g->k, &lda, &ldb, &ldc, &one, &beta, &flags, NULL);
	else if (g->reduce == GEMM_OFFSET)
		f.smro = libxsmm_smmdispatch_reducebatch_offs(g->m, g->n, g->k, &lda, &ldb, &ldc, &one, &beta, &flags, NULL);
	else
		f.smrs = libxsmm_smmdispatch_reducebatch_strd(g->m, g->n, g->k, (libxsmm_blasint)g->stride_a,
							      (libxsmm_blasint)g->stride_b, &lda, &ldb, &ldc, &one, &beta, &flags, NULL);
	made.f = f;
	if (made.address == NULL || libxsmm_get_kernel_info(made.address, &info) != 0)
		return NULL;
	*size = info.code_size;
	return made.address;
}

START_TEST(bytes_are_those_of_the_jit)
{
	struct gemm g;
	size_t size, jit_size = 0;
	const unsigned char *code;
	const void *other;

	reseed(_i / 2);
	g = _i / 2 < USUAL ? usual[_i / 2] : any_gemm(GEMM_AVX2);
	g.isa = _i % 2 == 0 ? GEMM_AVX2 : GEMM_AVX512;
	if (g.ldb < g.k)
		g.ldb = g.k; /* the JIT refuses overlapping windows */
	if (_i >= 2 * USUAL + 40) /* small: the JIT takes AVX2 for these whatever it is asked */
		*(_i % 3 == 0 ? &g.m : _i % 3 == 1 ? &g.n : &g.k) = 1;
	code = gemm_code(&arena, &g, &size);
	other = jit(&g, &jit_size);
	if (other == NULL) {
		printf("NOT RUN: libxsmm's JIT makes no %s kernel on this machine\n", g.isa == GEMM_AVX2 ? "AVX2" : "AVX-512");
		return;
	}
	ck_assert_uint_eq(size, jit_size);
	ck_assert_mem_eq(code, other, size);
}
END_TEST

/* False: NOT RUN, and said. */
static bool ran(enum gemm_verdict v, const struct gemm *g)
{
	if (v == GEMM_NOT_RUN)
		printf("NOT RUN: %s kernels\n", g->isa == GEMM_AVX2 ? "AVX2" : "AVX-512");
	return v != GEMM_NOT_RUN;
}

START_TEST(products_are_right)
{
	reseed(_i / 2);
	for (int i = 0; i < 40; i++) {
		const struct gemm g = any_gemm(_i % 2 == 0 ? GEMM_AVX2 : GEMM_AVX512);
		size_t size;
		const unsigned char *code = gemm_code(&arena, &g, &size);
		const enum gemm_verdict v = gemm_check(&g, code, size);

		if (!ran(v, &g))
			return;
		ck_assert_msg(v == GEMM_RIGHT, "m %d n %d k %d lda %d ldb %d ldc %d add %d reduce %d isa %d", g.m, g.n, g.k,
			      g.lda, g.ldb, g.ldc, g.accumulate, (int)g.reduce, (int)g.isa);
	}
}
END_TEST

START_TEST(a_flipped_byte_is_caught)
{
	struct gemm g = usual[_i / 2];
	int caught = 0, flips = 0;
	unsigned char *copy;
	size_t size;
	const unsigned char *code;

	g.isa = _i % 2 == 0 ? GEMM_AVX2 : GEMM_AVX512;
	code = gemm_code(&arena, &g, &size);
	if (!ran(gemm_run(&g, code, size), &g))
		return;
	copy = arena_alloc(&arena, size);
	for (size_t at = (size_t)between(0, 30); at < size; at += size / 24 + 1, flips++) {
		memcpy(copy, code, size);
		copy[at] ^= (unsigned char)(1u << between(0, 7));
		ck_assert_int_eq(gemm_check(&g, copy, size), GEMM_WRONG);
		caught += gemm_run(&g, copy, size) == GEMM_WRONG;
	}
	ck_assert_msg(2 * caught > flips, "running catches %d of %d", caught, flips);
}
END_TEST

START_TEST(another_kernel_is_caught)
{
	struct gemm g = usual[0], other = usual[0];
	size_t size;
	const unsigned char *code;

	g.isa = other.isa = GEMM_AVX2;
	other.ldb = 72;
	code = gemm_code(&arena, &other, &size);
	if (ran(gemm_run(&g, code, size), &g))
		ck_assert_int_eq(gemm_run(&g, code, size), GEMM_WRONG);
}
END_TEST

/* What is wrong is not written: exit status 3. */
START_TEST(emission_checks_the_code)
{
	struct gemm_table t = { .arena = &arena, .code = true };
	struct gemm g = usual[_i];
	struct buf out = { 0 };

	g.isa = GEMM_AVX2;
	gemm_request(&t, &g);
	gemm_emit_all(&out, "net", &t);
	((unsigned char *)(uintptr_t)t.kernel[0].code)[t.kernel[0].size / 2] ^= 4;
	buf_release(&out);
	gemm_emit_all(&out, "net", &t);
}
END_TEST

START_TEST(equal_requests_are_one_kernel)
{
	struct gemm_table t = { .arena = &arena, .code = true };
	struct gemm g = usual[0];
	const int first = gemm_request(&t, &g);

	g.stride_a = 77; /* means nothing here */
	ck_assert_int_eq(gemm_request(&t, &g), first);
	g.ldc = 128;
	ck_assert_int_ne(gemm_request(&t, &g), first);
	g.isa = GEMM_AVX512;
	ck_assert_int_eq(gemm_request(&t, &g), 2);
	for (int i = 0; i < 60; i++) {
		g.ldc = 128 + i;
		gemm_request(&t, &g);
	}
	ck_assert_int_eq(t.n, 62);
	for (int i = 0; i < t.n; i++)
		for (int j = 0; j < i; j++) {
			ck_assert_str_ne(t.kernel[i].name, t.kernel[j].name);
			ck_assert(t.kernel[i].size != t.kernel[j].size ||
				  memcmp(t.kernel[i].code, t.kernel[j].code, t.kernel[i].size) != 0);
		}
}
END_TEST

static int shell(const char *format, const char *dir, const char *more)
{
	char *command = arena_printf(&arena, format, dir, more);
	const int status = system(command);

	if (status != 0)
		printf("%s: %d\n", command, status);
	return status;
}

/* The text, compiled without a warning and dumped again, is the bytes; its FMAs are on zmm (ymm). */
START_TEST(text_gives_the_bytes)
{
	const char *const compiler = _i == 0 ? "gcc" : "clang";
	struct gemm_table t = { .arena = &arena, .code = true };
	char dir[] = "/tmp/skipc-gemm-XXXXXX";
	struct filling file = { .arena = &arena, .name = "net", .upper = "NET" };
	struct buf out = { 0 };
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	for (int i = 0; i < USUAL; i++)
		for (int isa = 0; isa < 2; isa++) {
			struct gemm g = usual[i];

			g.isa = (enum gemm_isa)isa;
			gemm_request(&t, &g);
		}
	gemm_emit_all(&out, "net", &t);
	fill_word(&file, "CODE", buf_text(&arena, &out));
	f = fopen(arena_printf(&arena, "%s/k.c", dir), "w");
	fputs(fill(&file, "interface/NAME_gemm"), f);
	fclose(f);
	ck_assert_int_eq(shell("cd %s && %s -std=c99 -O2 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror -c k.c", dir, compiler), 0);
	ck_assert_int_eq(shell("cd %s && %s -std=c99 -DNET_NO_ASM -Werror -c k.c -o none.o && ! nm none.o | grep -q gemm", dir, compiler), 0);
	for (int i = 0; i < t.n; i++) {
		const struct gemm_kernel *k = &t.kernel[i];
		const char *symbol = arena_printf(&arena, "net_%s", k->name);

		f = fopen(arena_printf(&arena, "%s/%s.want", dir, symbol), "w");
		fwrite("\xf3\x0f\x1e\xfa", 1, 4, f); /* endbr64 */
		fwrite(k->code, 1, k->size, f);
		fclose(f);
		ck_assert_int_eq(shell("cd %s && s=%s && set -- $(nm -S k.o | grep \" $s$\") && "
				       "objcopy -O binary -j .text k.o text && "
				       "tail -c +$((0x$1 + 1)) text | head -c $((0x$2)) | cmp - $s.want",
				       dir, symbol), 0);
		ck_assert_int_eq(shell(k->gemm.isa == GEMM_AVX512 ?
					       "cd %s && objdump -d --disassemble=%s k.o | grep -q 'vfmadd.*%%zmm'" :
					       "cd %s && objdump -d --disassemble=%s k.o > d && grep -q 'vfmadd.*%%ymm' d && ! grep -q zmm d",
				       dir, symbol), 0);
		ck_assert_int_eq(shell("cd %s && readelf -sW k.o | grep -q 'FUNC *GLOBAL *HIDDEN .* %s$'", dir, symbol), 0);
	}
	shell("rm -r %s%s", dir, "");
}
END_TEST

static void add_tests(TCase *c)
{
	tcase_add_loop_test(c, bytes_are_those_of_the_jit, 0, 2 * USUAL + 70);
	tcase_add_loop_test(c, products_are_right, 0, 8);
	tcase_add_loop_test(c, a_flipped_byte_is_caught, 0, 2 * USUAL);
	tcase_add_test(c, another_kernel_is_caught);
	tcase_add_loop_exit_test(c, emission_checks_the_code, 3, 0, USUAL);
	tcase_add_test(c, equal_requests_are_one_kernel);
	tcase_add_loop_test(c, text_gives_the_bytes, 0, 2);
}

#else

static void add_tests(TCase *c)
{
	(void)c;
	printf("NOT RUN: kernels of libxsmm: %s\n", gemm_unavailable());
}

#endif

int main(void)
{
	Suite *s = suite_create("gemm");
	TCase *c = tcase_create("gemm");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(c, 240);
	tcase_add_checked_fixture(c, NULL, teardown);
	tcase_add_test(c, refuses_what_it_cannot_do);
	add_tests(c);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
