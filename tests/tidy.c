/* Text that is tidied computes what it computed: functions of awkward text, compiled before and after; and long lines. */
#include "../compiler/emit/ctext.h"
#include "../compiler/emit/template.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(v) (int)(sizeof(v) / sizeof((v)[0]))

static struct arena arena;

static const struct known known[] = { { "ZERO", 0 }, { "ONE", 1 }, { "FOUR", 4 } };

/* Statements of a function of x[16], y[16], a and b, a line each. */
static const char *const bodies[] = {
	/* literals and comments */
	"\ty[0] = (int)strlen(\"a * 1 + 0; }\");\n",
	"\ty[0] = '1' * 1 + '\"' + '\\'' + '{';\n",
	"\t/* for (int i = 0; i < 1; i++) { */\n\ty[0] = a /* * 1 */ * 1; /* } */\n",
	"\ty[0] = (int)(1.5f * 1 + 0.5f) + (int)(1e+0 * 2) + (int)(2.0e-0 + .1 * 10) + 0x1 + 01 + 1u * 1;\n",
	/* sums and products */
	"\ty[0] = a * 1 + b / 1 - 1 * a + a % 1 + (a * b) % 1;\n",
	"\ty[0] = a * ONE / 1 * ONE + b / a * 1 - b % a / 1;\n",
	"\ty[0] = 0 + a - 0 + b * 0 - 0 * a + 0 / a;\n\ty[1] = a - 0 * b - 0;\n",
	"\ty[0] = !a * 0;\n\ty[1] = ~a * 0;\n\ty[2] = -a * 0;\n\ty[3] = *x * 0;\n\ty[4] = -x[1] * ZERO + *x * ONE;\n",
	"\tconst struct {\n\t\tint m;\n\t} s = { 7 }, *p = &s;\n\ty[0] = s.m * 0 + p->m * 0 + s.m * 1 + 1 * p->m;\n",
	"\ty[0] = a++ * 0;\n\ty[1] = a;\n\ty[2] = 0 * b--;\n\ty[3] = b;\n",
	"\ty[0] = a << 1 * b;\n\ty[1] = a << 0 + b;\n\ty[2] = a & 0 + b;\n\ty[3] = a == 0 + b;\n\ty[4] = a <= 0 + b;\n",
	"\ty[0] = a + 0 ? a : b;\n\ty[1] = a ? 1 * b : 0 + a;\n\ty[2] = a > 1 ? x[0 + a] : x[1 * b];\n",
	"\ty[0] += 0 + a;\n\ty[1] -= 0 + b;\n\ty[2] *= 1 * a;\n\ty[3] = 1 * a + 1;\n\ty[1] += 0;\n",
	"\treturn -0;\n",
	"\treturn +0 + a;\n",
	"\ty[0] = a - -1 * b;\n\ty[1] = a - 1 * -b;\n\ty[2] = a * -1 * b;\n\ty[3] = - 1 * a;\n",
	"\ty[0] = (a + b) * 1 * (a - b);\n\ty[1] = (a + b) * 0 + (a - b) * (a + 0);\n\ty[2] = x[a] * 0 + x[b] * 1 * x[a];\n",
	"\ty[0] = sizeof(a) * 1 == sizeof(int);\n\ty[1] = (int)sizeof a * 0 + 3;\n",
	"\ty[0] = a / (0 + 1) + a / (1 * 1) + a % (0 + b);\n",
	"\ty[0] = 10 * 1 - 10 / 1 + 100 * 0 + 10 + 0 + 1 * 10;\n",
	/* brackets */
	"\ty[0] = (a) + (b) * (a);\n\ty[1] = (a)*(b);\n\ty[2] = -(a) - (b);\n\ty[(a)] = (3);\n\ty[(a + 1)] = (a + b);\n",
	"\ty[0] = a + (1 + 2) * b;\n\ty[1] = a + (1 - 2);\n\ty[2] = a - (1 - 2);\n\ty[3] = b + (ONE + FOUR) + a;\n",
	"\tconst unsigned char c[] = { 200, 3 };\n\tconst unsigned char *p = c;\n"
	"\ty[0] = (uint8_t)*p + (uint8_t)+a;\n\ty[1] = (signed char)*p;\n\ty[2] = (int8_t)*p + (char)+a;\n",
	"\tint c = (a, b);\n\ty[0] = c;\n\ty[1] = x[(a, b)];\n",
	"\ty[0] = (int)(a) + (int)(1) + abs((a)) + abs((1));\n\tif (a) +b;\n\tif (a) *y = 3;\n",
	"\treturn (a) + (b);\n",
	"\treturn (a + b);\n",
	"\ty[0] = (a) == (b) || (a) && !(b);\n\t(*y)++;\n\t(y[1])++;\n",
	/* loops */
	"\tfor (int i = 0; i < 1; i++)\n\t\ty[i] = x[i] + i;\n\ty[1] = 2;\n",
	"\tfor (int i = 0; i < ONE; i++) {\n\t\tint t = x[i];\n\n\t\ty[i] = t;\n\t}\n\tint t = 3;\n\ty[1] = t;\n",
	"\tfor (int i = 0; i < ONE; i++)\n\tfor (int j = 0; j < FOUR; j++)\n\tfor (int k = 0; k < 1; k++) {\n"
	"\t\ty[i * 4 + j + k] = x[j * ONE + k] * (i + 1);\n\t}\n",
	"\tfor (int i = 0; i < ONE; i++) /* once */ { /* block */\n\t\ty[i] = 1; /* } */\n\t} /* end */\n\ty[1] = 2;\n",
	"\tfor (int i = 0; i < 4; i += 4)\n\t\tfor (int j = i; j < i + 4; j++)\n\t\t\ty[j] = x[j];\n",
	"\tfor (int i = 0; i < 4; i += FOUR)\n\t\tfor (int j = 0; j < 4; j += 3)\n\t\t\ty[j + i] = x[j];\n",
	"\tif (a > 1)\n\t\tfor (int i = 0; i < 1; i++)\n\t\t\tif (x[i] > 2)\n\t\t\t\ty[0] = 1;\n\t\t\telse\n\t\t\t\ty[0] = 2;\n",
	"\tif (a > 1)\n\t\tfor (int i = 0; i < 1; i++) {\n\t\t\tif (x[i] > 2)\n\t\t\t\ty[0] = 1;\n\t\t}\n\telse\n\t\ty[0] = 2;\n",
	"\tif (a > 1) {\n\t\ty[1] = 1;\n\t} else\n\t\tfor (int i = 0; i < 1; i++) {\n\t\t\ty[i] = 1;\n\t\t\ty[i + 1] = 2;\n\t\t}\n",
	"\tfor (int k = 0; k < 3; k++)\n\t\tfor (int i = 0; i < 1; i++) {\n\t\t\ty[k + i] = 1;\n\t\t\ty[k + i + 4] = 2;\n\t\t}\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\tif (a > 2)\n\t\t\tcontinue;\n\t\ty[i] = 3;\n\t}\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\tif (a > 2)\n\t\t\tbreak;\n\t\ty[i] = 3;\n\t}\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\tfor (int j = 0; j < 4; j++) {\n\t\t\tif (j == a)\n\t\t\t\tcontinue;\n"
	"\t\t\ty[i + j] = 3;\n\t\t}\n\t\twhile (1)\n\t\t\tbreak;\n\t}\n",
	"\tfor (int i = 0; i < 1; i++)\n\t\tswitch (a) {\n\t\tcase 1:\n\t\t\ty[i] = 1;\n\t\t\tbreak;\n\t\tdefault:\n\t\t\ty[i] = 2;\n\t\t}\n\ty[3] = 3;\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\tdo {\n\t\t\ty[i]++;\n\t\t\tif (a)\n\t\t\t\tcontinue;\n\t\t} while (y[i] < 4);\n\t}\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\tfor (int i = 0; i < 3; i++)\n\t\t\ty[i] = i;\n\t}\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\ty[i++] = 3;\n\t}\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\ty[i] = 3;\n\t\ti += a;\n\t}\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\tint *p = &i;\n\n\t\t++*p;\n\t\ty[0] = i;\n\t\t++i;\n\t}\n",
	"\tfor (int i = 0; i < 1; i++)\n\t\ty[0] = -i + (i) * 2 + x[i] % (i + 1) + (i ? 1 : 2) + !i;\n",
	"\tfor (int i = 0, j = 2; i < 1; i++, j++)\n\t\ty[j] = 1;\n",
	"\tint w = 0;\n\tfor (int i = 0; i < 1; i++, w += 3)\n\t\ty[i + w] = 1;\n\ty[w] = 4;\n",
	"\tint w = 0;\n\tfor (int i = 0; i < 1; i++, w += FOUR) {\n\t\ty[i + w] = 1;\n\t}\n\ty[w] = 4;\n",
	"\tint w = 0;\n\tfor (int k = 0; k < 2; k++)\n\t\tfor (int i = 0; i < 1; i++, w += 2) {\n\t\t\ty[i + w] = 1;\n\t\t}\n\ty[w] = 4;\n",
	"\tfor (int i = 0; i < 1; i++)\n\t\t;\n\tfor (int i = 0; i < 1; i++) {\n\t}\n\ty[0] = 1;\n",
	"\tfor (int i = 0; i < 0; i++)\n\t\ty[i] = 1;\n\tfor (int i = 1; i < 1; i++)\n\t\ty[i] = 1;\n\tfor (int i = 0; i <= 1; i++)\n\t\ty[i] = 1;\n",
	"\tfor (int i = 0; i < 1 && a > 2; i++)\n\t\ty[i] = 1;\n\tfor (int i = 0; i < 1 + a; i++)\n\t\ty[i] += 1;\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\ty[i] = 1;\n\t\treturn y[i] + a;\n\t}\n",
	"\tfor (int i = 0; i < 1; i++) { y[i] = 1; y[i + 1] = 2; }\n\ty[3] = 4;\n",
	"\tfor (int i = 0; i < 1; i++) { y[i] = 1;\n\t\ty[i + 1] = 2;\n\t}\n\ty[3] = 4;\n",
	"\tint v = 1;\n\tfor (int i = 0; i < 1; i++) {\n\t\tint v = 2;\n\n\t\ty[i] = v;\n\t}\n\ty[1] = v;\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\tconst long v = 2, u = 3;\n\n\t\ty[i] = (int)(v + u);\n\t}\n\tfor (int i = 0; i < 1; i++) {\n"
	"\t\tconst long v = 4, u = 5;\n\n\t\ty[i + 1] = (int)(v * u);\n\t}\n",
	"\tfor (int i = 0; i < 1; i++) {\n\t\tstruct { int m; } s = { 3 };\n\n\t\ty[i] = s.m;\n\t}\n\tstruct { int k; } s = { 4 };\n\ty[1] = s.k;\n",
	"\tint u = 5;\n\tfor (int i = 0; i < 1; i++) {\n\t\tint v = 2, u = 3;\n\n\t\ty[i] = v + u;\n\t}\n\ty[1] = u;\n",
	"\tunsigned u = 5;\n\tfor (int i = 0; i < 1; i++) {\n\t\tunsigned u = 3;\n\n\t\ty[i] = (int)u;\n\t}\n\ty[1] = (int)u;\n",
	"\twhile (a-- > 0)\n\t\tfor (int i = 0; i < 1; i++)\n\t\t\ty[i] += 2;\n\ty[1] = a;\n",
	"\tdo\n\t\tfor (int i = 0; i < 1; i++) {\n\t\t\ty[i] += 2;\n\t\t\ty[i + 1] = 1;\n\t\t}\n\twhile (a-- > 0);\n",
	/* directives */
	"#define TWICE(v) ((v) * 2 + 0 * \\\n\t1)\n\ty[0] = TWICE(a) * 1;\n#undef TWICE\n",
	"#if 1 * 0 + 1\n\ty[0] = a * 1;\n#else\n\ty[0] = 0 + a * 3;\n#endif\n",
	"\tfor (int i = 0; i < 1; i++) {\n#ifdef NOT_THERE\n\t\ty[i] = 1;\n#else\n\t\ty[i] = 2;\n#endif\n\t}\n",
	"\tfor (int i = 0; i < 1; i++)\n#ifdef NOT_THERE\n\t\ty[i] = 1;\n#else\n\t\ty[i] = 2;\n#endif\n\ty[1] = 3;\n",
	/* variables */
	"\tconst int k = a;\n\n\ty[0] = k + a;\n\ta++;\n\ty[1] = k;\n",
	"\tconst int k = a;\n\n\t++a;\n\ty[1] = k;\n",
	"\tconst int k = a;\n\n\ta %= 2;\n\ty[1] = k;\n",
	"\tconst int k = a;\n\n\ta <<= 2;\n\ty[1] = k + (a >= 3);\n",
	"\tconst int k = a;\n\n\ta ^= 2;\n\ty[1] = k;\n",
	"\tconst int k = a;\n\n\t{\n\t\tint a = 7;\n\n\t\ty[0] = k + a;\n\t}\n\ty[1] = k;\n",
	"\tconst int k = a;\n\tint *p = &a;\n\n\t*p = 9;\n\ty[1] = k;\n",
	"\tconst int k = a;\n\n\tfor (int i = 0; i < 2; i++) {\n\t\tconst int k = i;\n\n\t\ty[i] = k;\n\t}\n\ty[3] = k;\n",
	"\tconst int *v = x;\n\tconst int *u = v;\n\n\tv++;\n\ty[0] = *u + *v;\n",
	"\tconst int *const u = x;\n\tconst int *v = u;\n\n\ty[0] = *v + u[1];\n\ty[1] = v[a] * 1;\n",
	"\tconst int *v = x;\n\n\tv += 2;\n\ty[0] = *v;\n\ty[1] = x[0];\n",
	"\tconst int at = 0;\n\n\ty[at] = x[at + 1] - at;\n\ty[1] = at * 3 + a * at;\n\ty[2] = -at;\n",
	"\tconst int at = 0;\n\n\ty[0] = at == a;\n\treturn at;\n",
	"\tconst int one = 1;\n\n\ty[0] = a * one;\n",
	"\tint at[4];\n\n\tfor (int i = 0; i < 4; i++)\n\t\tat[i] = i;\n\ty[0] = 1;\n",
	"\tint at[4];\n\n\tfor (int i = 0; i < 4; i++) {\n\t\tat[i] = i +\n\t\t\t1;\n\t\ty[i] = 1;\n\t}\n",
	"\tint at[4];\n\n\tfor (int i = 0; i < 4; i++) {\n\t\tat[i] = i * 2;\n\t\ty[i] = at[i];\n\t}\n",
	"\tint at[4];\n\n\tfor (int i = 0; i < 4; i++) {\n\t\tat[i] = i; y[i] = 2;\n\t}\n",
	"\tint at[4] = { 1, 2, 3, 4 };\n\n\ty[0] = at[a & 3];\n",
	"\tconst int none = 3; y[0] = 4;\n",
	"\tfor (const int k = a; b < 3; b++)\n\t\ty[b] = k;\n",
	"\tconst int k = a; y[0] = k;\n\ty[1] = k * 1 && a % 1 == 0 && b % 1 * a;\n",
	"\tconst int none =\n\t\t3;\n\ty[0] = 4;\n",
	"\tconst int none = 3, some = 4;\n\ty[0] = some;\n",
	"\tconst int some = a < b ? a : b;\n\tif (a)\n\t\ty[0] = 1;\n\ty[1] = some;\n",
	"\tconst int i = 3;\n\tfor (int i = 0; i < 2; i++)\n\t\ty[i] = 1;\n",
};

static const char tests_main[] = "int main(void)\n{\n\tint bad = 0;\n\n\tfor (int k = 0; k < %d; k++)\n\t\tfor (int a = 1; a < 6; a++)\n"
				 "\t\t\tfor (int b = 1; b < 5; b++) {\n\t\t\t\tint x[16], y[16] = { 0 }, z[16] = { 0 };\n\n"
				 "\t\t\t\tfor (int i = 0; i < 16; i++)\n\t\t\t\t\tx[i] = i * 7 %% 5;\n"
				 "\t\t\t\tif (before[k](x, y, a, b) != after[k](x, z, a, b) || memcmp(y, z, sizeof(y)) != 0)\n"
				 "\t\t\t\t\tbad = k + 1;\n\t\t\t}\n\treturn bad;\n}\n";

static char *tidied(const char *body)
{
	return tidy_body(&arena, arena_printf(&arena, "\n{\n%s}\n", body), known, COUNT(known));
}

/* Number of the last body that computes something else, from 1; 0: none; -1: they do not compile. */
static int build(int from, int end)
{
	char dir[] = "/tmp/skipc-tidy-XXXXXX";
	struct buf out = { 0 };

	buf_puts(&out, "#include <stdint.h>\n#include <stdlib.h>\n#include <string.h>\nenum { ZERO = 0, ONE = 1, FOUR = 4 };\n");
	for (int k = from; k < end; k++)
		buf_printf(&out, "static int before_%d(const int *x, int *y, int a, int b)\n{\n%s\treturn 0;\n}\n"
			"static int after_%d(const int *x, int *y, int a, int b)%.*s\treturn 0;\n}\n",
			k, bodies[k], k, (int)strlen(tidied(bodies[k])) - 2, tidied(bodies[k]));
	for (int after = 0; after < 2; after++) {
		buf_printf(&out, "static int (*const %s[])(const int *, int *, int, int) = {", after ? "after" : "before");
		for (int k = from; k < end; k++)
			buf_printf(&out, " %s_%d,", after ? "after" : "before", k);
		buf_puts(&out, " };\n");
	}
	buf_printf(&out, tests_main, end - from);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	FILE *f = fopen(arena_printf(&arena, "%s/t.c", dir), "w");

	fputs(buf_text(&arena, &out), f);
	fclose(f);
	const bool built = system(arena_printf(&arena, "gcc -std=c99 -w -O1 %s/t.c -o %s/t 2> %s/log", dir, dir, dir)) == 0;
	const int status = built ? system(arena_printf(&arena, "%s/t", dir)) : -1;

	system(arena_printf(&arena, "rm -r %s", dir));
	return built ? status >> 8 : -1;
}

START_TEST(same_results)
{
	int wrong = 0;

	if (build(0, COUNT(bodies)) == 0)
		return;
	for (int k = 0; k < COUNT(bodies); k++) {
		const int status = build(k, k + 1);

		if (status != 0)
			printf("%s:\n{\n%s}\nbecomes%s", status < 0 ? "does not compile" : "differs", bodies[k], tidied(bodies[k]));
		wrong += status != 0;
	}
	ck_assert_int_eq(wrong, 0);
}
END_TEST

/* What is to go, and the layout of what stays. */
START_TEST(what_goes)
{
	static const char *const pairs[][2] = {
		{ "\ty[0] = a * ONE + ZERO * b + (1 + FOUR);\n", "\ty[0] = a + 1 + FOUR;\n" },
		{ "\ty[0] = a % 1 + x[(a + 1)];\n", "\ty[0] = x[a + 1];\n" },
		{ "\tfor (int i = 0; i < ONE; i++)\n\tfor (int j = 0; j < FOUR; j++)\n\t\ty[i * FOUR + j] = i + j;\n",
		  "\tfor (int j = 0; j < FOUR; j++)\n\t\ty[j] = j;\n" },
		{ "\tfor (int i = 0; i < 1; i++) {\n\t\tif (a)\n\t\t\ty[i] = 1;\n\t}\n", "\tif (a)\n\t\ty[0] = 1;\n" },
		{ "\tconst int k = a;\n\tint h[4];\n\n\th[0] = 3 * k;\n\ty[0] = k;\n", "\n\ty[0] = a;\n" },
		{ "\tconst int d = a / 2;\n\tconst int c = d + 1;\n\ty[0] = 1;\n", "\ty[0] = 1;\n" },
	};

	for (int k = 0; k < COUNT(pairs); k++)
		ck_assert_str_eq(tidied(pairs[k][0]), arena_printf(&arena, "\n{\n%s}\n", pairs[k][1]));
}
END_TEST

/* Lines end at column 100 where a comma in brackets allows it, and the tokens are the same. */
START_TEST(long_lines)
{
	const char *const ten = "aaaaaaaaa, ", *const args = arena_printf(&arena, "%s%s%s%s%s%s%s%sz", ten, ten, ten, ten, ten, ten, ten, ten);
	const char *const fifty = "a_name_of_some_fifty_letters_that_is_none_of_the_two_";
	const struct {
		const char *text, *want;
	} rows[] = {
		{ "f(a, b);\n", "f(a, b);\n" },
		{ arena_printf(&arena, "\tfff(%s, end);\n", args),
		  arena_printf(&arena, "\tfff(%.*s\n\t\tz, end);\n", 87, args) },
		{ arena_printf(&arena, "\tg(f(%s), b);\n", args),
		  arena_printf(&arena, "\tg(f(%.*s\n\t\tz), b);\n", 87, args) },
		{ arena_printf(&arena, "static void %s%s(const float *x, float *y)\n{\n", fifty, fifty),
		  arena_printf(&arena, "static void %s%s(const float *x, float *y)\n{\n", fifty, fifty) },
		{ arena_printf(&arena, "static void %s(const float *restrict x, float *y)\n", fifty + 9),
		  arena_printf(&arena, "static void %s(const float *restrict x, float *y)\n", fifty + 9) },
		{ arena_printf(&arena, "static float *%s_and_some_more_letters(const float *x)\n{\n", fifty),
		  arena_printf(&arena, "static float *%s_and_some_more_letters(\n\t\tconst float *x)\n{\n", fifty) },
		{ arena_printf(&arena, "#define F(x) \\\n\tf(%s, x, %s)\n", args, args),
		  arena_printf(&arena, "#define F(x) \\\n\tf(%s, x, %s)\n", args, args) },
		{ arena_printf(&arena, "/* f(%s,\n * %s, x) */\n", args, args),
		  arena_printf(&arena, "/* f(%s,\n * %s, x) */\n", args, args) },
		{ arena_printf(&arena, "\tf(a, \"%s, %s\");\n", args, args),
		  arena_printf(&arena, "\tf(a,\n\t\t\"%s, %s\");\n", args, args) },
	};

	for (int k = 0; k < COUNT(rows); k++)
		ck_assert_str_eq(c_fit(&arena, rows[k].text), rows[k].want);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tidy");
	TCase *t = tcase_create("tidy");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, same_results);
	tcase_add_test(t, what_goes);
	tcase_add_test(t, long_lines);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	arena_release(&arena);
	return failed > 0;
}
