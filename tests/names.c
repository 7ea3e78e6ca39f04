/* Names that meet nobody else's, and each other's. */
#include "emit/emission.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;

static const char *claim(struct names *s, unsigned use, const char *name)
{
	return names_claim(s, use, name, NULL, 0);
}

/* Each word of names.def is taken for some use, and what is claimed in its place for none. */
START_TEST(test_words)
{
	static const char *const rows[] = {
#define TAKEN(uses, words) words,
#include "emit/names.def"
#undef TAKEN
	};
	const unsigned use[] = { NAME_PARAMETER, NAME_FUNCTION, NAME_NETWORK | NAME_UNASKED };

	for (int u = 0; u < 3; u++) {
		struct names *s = names_new(&arena), *fresh = names_new(&arena);
		int taken = 0;

		for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
			for (const char *w = rows[k]; *w != '\0';) {
				const size_t n = strcspn(w, " ");
				const char *name = arena_printf(&arena, "%.*s%s", (int)(n - (w[n - 1] == '*')), w,
					w[n - 1] == '*' ? "X" : "");
				const char *first = claim(s, use[u], name), *second = claim(s, use[u], name);

				ck_assert_str_ne(first, second);
				ck_assert(!names_taken(fresh, use[u], first));
				ck_assert(!names_taken(fresh, use[u], second));
				ck_assert(names_taken(s, use[u], first));
				taken += names_taken(fresh, use[u], name);
				w += n + (w[n] == ' ');
			}
		ck_assert_int_gt(taken, u == 0 ? 1000 : 2000);
	}
}
END_TEST

START_TEST(test_marks)
{
	static const char *const endings[] = { "_tile", "_range" };
	struct names *s = names_new(&arena);

	ck_assert_str_eq(claim(s, NAME_PARAMETER, "int"), "int_");
	ck_assert_str_eq(claim(s, NAME_PARAMETER, "exp"), "exp");
	ck_assert_str_eq(claim(s, NAME_PARAMETER, "argmax"), "argmax");
	ck_assert_str_eq(claim(s, NAME_FUNCTION, "argmax"), "argmax_2");
	ck_assert_str_eq(claim(s, NAME_FUNCTION, "abs"), "abs_");
	ck_assert_str_eq(claim(s, NAME_PARAMETER, "net"), "net_");
	ck_assert_str_eq(claim(s, NAME_PARAMETER, "FLT_MAX"), "FLT_MAX_");
	ck_assert_str_eq(claim(s, NAME_PARAMETER, "conv_tile"), "conv_tile");
	ck_assert_str_eq(names_claim(s, NAME_FUNCTION, "conv", endings, 2), "conv_");
	ck_assert(names_taken(s, NAME_FUNCTION, "conv__range"));
	names_take(s, "DIGITS_*");
	ck_assert_str_eq(claim(s, NAME_PARAMETER, "DIGITS_ABI"), "DIGITS_ABI_");
	ck_assert_str_eq(claim(names_new(&arena), NAME_NETWORK, "net"), "net");
	ck_assert_str_eq(claim(names_new(&arena), NAME_NETWORK, "Time"), "net_Time");
	ck_assert_str_eq(claim(names_new(&arena), NAME_NETWORK, "r"), "r");
	ck_assert_str_eq(claim(names_new(&arena), NAME_NETWORK | NAME_UNASKED, "r"), "net_r");
	ck_assert_str_eq(identifier(&arena, "a.b/c"), "a_b_c");
	ck_assert_str_eq(identifier(&arena, ""), "x");
	ck_assert_str_eq(identifier(&arena, "_9"), "x_9");
}
END_TEST

/* 200,000 namesakes: a search through those that are there would take minutes. */
START_TEST(test_many)
{
	struct names *s = names_new(&arena);

	for (int k = 2; k < 200000; k++)
		claim(s, NAME_FUNCTION, "add");
	ck_assert_str_eq(claim(s, NAME_FUNCTION, "add"), "add_199999");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("names");
	TCase *t = tcase_create("names");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_words);
	tcase_add_test(t, test_marks);
	tcase_add_test(t, test_many);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	arena_release(&arena);
	return failed > 0;
}
