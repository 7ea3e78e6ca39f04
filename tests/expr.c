/* Expressions as C: what numbers make superfluous is left out where each value stays what it is, and nowhere else. */
#include "../compiler/core/skipc.h"

#include <check.h>
#include <stdlib.h>

static struct arena arena;

static const char *printed(const char *expr, bool vector, const char *x0, const char *x1, const char *x2)
{
	const struct op op = { .name = "op", .expr = expr };
	const char *const x[] = { x0, x1, x2 };
	struct buf b = { 0 };

	expr_print(&b, &op, NULL, DT_F32, vector, x);
	return buf_text(&arena, &b);
}

START_TEST(test_zero)
{
	ck_assert_str_eq(printed("SUB(x0, x1)", false, "a", "0.0f", ""), "a");
	ck_assert_str_eq(printed("SUB(x0, x1)", false, "(float)a", "0.0f", ""), "(float)a");
	ck_assert_str_eq(printed("SUB(x0, x1)", true, "a", "VEC_SET1(0.0f)", ""), "a");
	ck_assert_str_eq(printed("MUL(SUB(x0, x2), x1)", false, "(float)a", "0.5f", "0.0f"), "(float)a * 0.5f");
	ck_assert_str_eq(printed("ADD(NEAR(x0, x1, x1), x2)", false, "a", "1.0f", "0.0f"), "near_f32(a, 1.0f, 1.0f)");
}
END_TEST

/* a + 0 is 0 where a is -0, a - -0 where it is 0; 0 - a is no a; b0 is no number. */
START_TEST(test_other_zero)
{
	ck_assert_str_eq(printed("ADD(x0, x1)", false, "a", "0.0f", ""), "a + 0.0f");
	ck_assert_str_eq(printed("SUB(x0, x1)", false, "a", "-0.0f", ""), "a - -0.0f");
	ck_assert_str_eq(printed("SUB(x0, x1)", false, "0.0f", "a", ""), "0.0f - a");
	ck_assert_str_eq(printed("SUB(x0, x1)", false, "a", "b0", ""), "a - b0");
	ck_assert_str_eq(printed("SUB(x0, x1)", true, "a", "VEC_LOAD(&b[0])", ""), "VEC_SUB(a, VEC_LOAD(&b[0]))");
}
END_TEST

START_TEST(test_numbers)
{
	ck_assert_str_eq(printed("SUB(x0, x1)", false, "255.0f", "126.0f", ""), "129.0f");
	ck_assert_str_eq(printed("SUB(x0, x1)", true, "VEC_SET1(0.0f)", "VEC_SET1(126.0f)", ""), "VEC_SET1(-126.0f)");
	ck_assert_str_eq(printed("SUB(x0, x1)", false, "1.0f", "1e-10f", ""), "1.0f - 1e-10f");
	ck_assert_str_eq(printed("ADD(x0, x1)", false, "255.0f", "126.0f", ""), "255.0f + 126.0f");
}
END_TEST

START_TEST(test_literals)
{
	static const struct {
		double v;
		const char *want;
	} rows[] = { { 130.0, "130.0f" }, { -100.0, "-100.0f" }, { 1e5, "100000.0f" }, { 1e6, "1e+06f" }, { 0.1, "0.1f" },
		{ 1e-7, "1e-07f" }, { 16777216.0, "16777216.0f" }, { 3e38, "3e+38f" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf b = { 0 };

		print_number(&b, rows[i].v, DT_F32);
		ck_assert_str_eq(buf_text(&arena, &b), rows[i].want);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("expr");
	TCase *t = tcase_create("expr");

	tcase_add_test(t, test_zero);
	tcase_add_test(t, test_other_zero);
	tcase_add_test(t, test_numbers);
	tcase_add_test(t, test_literals);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	arena_release(&arena);
	return failed > 0;
}
