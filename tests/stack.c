/* Which local arrays the stack of run is counted from. */
#include "../compiler/emit/emission.h"

#include <check.h>

#define FUNCTION(name, body) "static void " name "(const float *restrict x,\n\t\tfloat *y)\n{\n" body "}\n\n"

static const struct {
	const char *text;
	int64_t bytes; /* of arrays */
} cases[] = {
	{ FUNCTION("f", "\tenum { N = 3, M = N * 2 };\n\n\tfloat a[N][4], b[M];\n"), 3 * 4 * 4 + 6 * 4 },
	{ FUNCTION("f", "\t\tfor (int lot = 0; lot < K; lot += LOT) {\n\t\t\tuint8_t v1[LOT];\n\t\t\tfloat v2[LOT];\n\t\t}\n"), 5 * LOT_SIZE },
	{ FUNCTION("f", "\t\tint8_t a[300];\n\tconst int16_t *v[6];\n\tconst uint8_t *const w = x[4];\n"), 300 + 48 },
	{ FUNCTION("f", "\t__m512i t[2];\n\t__m256i u[2], v[3];\n\t__m128i w[1];\n"), 128 + 5 * 32 + 16 },
	{ FUNCTION("f", "\tsums16 a[3];\n\tsums8 b[5];\n\tint32x4_t c[7];\n"), 3 * 64 + 5 * 32 + 7 * 16 },
	{ FUNCTION("f", "\tWIDENED(uint8_t, int16_t) a[100];\n\tconst WIDENED(uint8_t, int16_t) *u = a;\n"), 200 },
	{ FUNCTION("f", "\tstatic const float table[99] = { 0 };\n\ty[p * 16 + j] = x[1];\n\telse y[3] = 1;\n\treturn y[2] == y[1];\n"), 0 },
	/* with what functions beside it take, but for other instruction sets */
	{ FUNCTION("common", "\tfloat a[10];\n") FUNCTION("f_avx512_tile", "\tfloat a[100];\n") FUNCTION("f_avx512", "\tfloat a[20];\n")
	  FUNCTION("f_avx2_tile", "\tfloat a[70];\n") FUNCTION("f_avx2", "\tfloat a[40];\n") FUNCTION("f_avxvnni", "\tfloat a[119];\n"), 4 * 130 },
};

START_TEST(test_arrays)
{
	const struct instance v[2] = { { .whole = "" }, { .whole = cases[_i].text } };
	const int64_t none = stack_size(target_find("x86-64"), v, 1), size = stack_size(target_find("x86-64"), v, 2);

	ck_assert_msg(size - none == (cases[_i].bytes + 63) / 64 * 64, "%s%lld bytes", cases[_i].text, (long long)(size - none));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stack");
	TCase *t = tcase_create("stack");
	SRunner *run = srunner_create(s);

	tcase_add_loop_test(t, test_arrays, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_ENV);
	const int failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed > 0;
}
