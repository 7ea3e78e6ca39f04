/* Loops in stages compute what they computed, and a compiler makes vectors of the stages before and behind a table. */
#include "../compiler/emit/template.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(v) (int)(sizeof(v) / sizeof((v)[0]))
#define HEAD "\tfor (int j = 0; j < MANY; j++) {\n"
#define FIRST "\t\tSTAGE;\n\t\tconst uint8_t v0 = (uint8_t)(a * 3 + j);\n"
#define LOOK "\t\tSTAGE;\n\t\tconst uint8_t v1 = z[v0];\n"
#define LAST "\t\tSTAGE;\n\t\tr = v1 * 2 + a;\n\t\ty[j] = r;\n\t}\n"
#define OUTER "\tfor (int lot = 0; lot < MANY; lot += LOT) {\n\t\tconst int lot_end = MANY - lot < LOT ? MANY : lot + LOT;\n"
#define EACH "\t\tfor (int j = lot; j < lot_end; j++) {\n"

static struct arena arena;

static const struct known known[] = { { "MANY", 100 }, { "LITTLE", 8 } };

/* Statements of a function of x[200], z[256], y[200] and n = 77; is the loop split? */
static const struct {
	bool split;
	const char *text;
} bodies[] = {
	{ true, HEAD "\t\tconst int a = x[j];\n\t\tint r = 0;\n\n" FIRST LOOK LAST },
	/* bounds, and brackets on lines of their own */
	{ true, "\tfor (int i = 0; i < 2; i++)\n\tfor (int j = i; j < n; j++)\n\t{\n\t\tint a = x[j];\n\t\tint r;\n" FIRST LOOK
		"\t\tSTAGE;\n\t\tr = v1 + i;\n\t\ty[i * 100 + j] = r;\n\t}\n" },
	{ true, "\tconst int from = 3, end = 150;\n\n\tfor (int p = from; p < end; p++) {\n\t\tconst int *v = x + p;\n\t\tSTAGE;\n"
		"\t\tconst uint8_t v9 = z[v[0] & 255];\n\t\tSTAGE;\n\t\ty[p] = v9 * p;\n\t}\n" },
	/* what a declaration needs, and what two stages read; y is read before it is written */
	{ true, HEAD "\t\tconst int k = j + 1;\n\t\tconst int b = x[k];\n\t\tconst int a = y[j] + b;\n\t\tint r = 0;\n" FIRST
		"\t\tconst int8_t v3 = (int8_t)(v0 - b);\n" LOOK
		"\t\tSTAGE;\n\t\tconst uint8_t v4 = (uint8_t)(v1 + v3);\n\t\tSTAGE;\n\t\tconst uint8_t v5 = z[v4];\n"
		"\t\tSTAGE;\n\t\tr = v5 + v3 * v0 - y[j];\n\t\ty[j] = r;\n\t}\n" },
	/* lines of more than one behind the stages, and a second loop */
	{ true, HEAD "\t\tconst int a = x[j];\n\t\tint r = 0;\n" FIRST LOOK "\t\tSTAGE;\n\t\tr = v1 - 2;\n\t\tif (r > 40)\n\t\t\ty[j] = r +\n\t\t\t\ta;\n"
		"\t\telse\n\t\t\ty[j] = 1;\n\t}\n\n" HEAD "\t\tint r = y[j];\n\t\tconst int a = r;\n" FIRST LOOK LAST },
	/* names that are parts of other names */
	{ true, HEAD "\t\tconst int a = x[j];\n\t\tconst int v10 = 3;\n\t\tint r = 0;\n" FIRST "\t\tSTAGE;\n\t\tconst uint8_t v1 = z[v0];\n"
		"\t\tSTAGE;\n\t\tr = v1 + z[x[j] & 7] + (\"v1\")[0];\n\t\ty[j] = r;\n\t}\n" },
	/* more than declarations before the first stage; few elements; no loop; one that is not of that form */
	{ false, HEAD "\t\tint a = x[j];\n\t\tint r = 0;\n\t\ta += 3;\n" FIRST LOOK LAST },
	{ false, HEAD "\t\tint a = x[j], b = 4;\n\t\tint r = b;\n" FIRST LOOK LAST },
	{ false, HEAD "\t\tint a = 0;\n\t\tint r = 0;\n\t\tfor (int i = 0; i < 3; i++)\n\t\t\ta += x[j + i];\n" FIRST LOOK LAST },
	{ false, HEAD "\t\tint r = 0;\n\t\tif (x[j] > 3)\n\t\t\tcontinue;\n\t\tconst int a = x[j];\n" FIRST LOOK LAST },
	{ false, "\tfor (int j = 0; j < LITTLE; j++) {\n\t\tconst int a = x[j];\n\t\tint r = 0;\n" FIRST LOOK LAST },
	{ false, "\tfor (int j = 0; j < 15; j++) {\n\t\tconst int a = x[j];\n\t\tint r = 0;\n" FIRST LOOK LAST },
	{ false, "\tfor (int j = 0; j < n && j < 50; j++) {\n\t\tconst int a = x[j];\n\t\tint r = 0;\n" FIRST LOOK LAST },
	{ false, "\tfor (int j = 0; j < n; j += 2) {\n\t\tconst int a = x[j];\n\t\tint r = 0;\n" FIRST LOOK LAST },
	{ false, HEAD "\t\tint r = 0;\n#ifdef NONE\n\t\tconst int a = x[0];\n#else\n\t\tconst int a = x[j];\n#endif\n" FIRST LOOK LAST },
	{ false, "\tconst int j = 5;\n\tconst int a = x[j];\n\tint r = 0;\n\tSTAGE;\n\tconst uint8_t v0 = (uint8_t)a;\n\tSTAGE;\n\tr = z[v0];\n\ty[j] = r;\n" },
};

static char *staged(int k, bool split)
{
	return in_stages(&arena, arena_printf(&arena, "\n{\n%s}\n", bodies[k].text), split, known, COUNT(known));
}

/* All bodies as they are but for their marks, and in stages of so many elements; exit status 0: the results are the same. */
static char *program(int lot)
{
	struct buf out = { 0 };

	buf_printf(&out, "#include <stdint.h>\n#include <string.h>\n#define LOT %d\nenum { MANY = 100, LITTLE = 8 };\n"
			 "static uint8_t z[256];\nstatic int x[200], y[2][200];\n",
		lot);
	for (int k = 0; k < COUNT(bodies); k++)
		for (int split = 0; split < 2; split++)
			buf_printf(&out, "static void f%d_%d(const int *x, int *y, int n)%s", split, k, staged(k, split));
	buf_puts(&out, "int main(void)\n{\n\tfor (int i = 0; i < 200; i++)\n\t\tz[i] = (uint8_t)(i * 37), x[i] = i * 7919 % 1000;\n");
	for (int k = 0; k < COUNT(bodies); k++)
		buf_printf(&out, "\tmemcpy(y[1], memcpy(y[0], x, sizeof(x)), sizeof(x));\n\tf0_%d(x, y[0], 77);\n\tf1_%d(x, y[1], 77);\n"
				 "\tif (memcmp(y[0], y[1], sizeof(x)) != 0)\n\t\treturn %d;\n",
			k, k, k + 1);
	buf_puts(&out, "\treturn 0;\n}\n");
	return buf_text(&arena, &out);
}

/* Compiles the text; what the compiler says, and the exit status of the command. */
static const char *compiled(const char *text, const char *options, int *status)
{
	char dir[] = "/tmp/skipc-stages-XXXXXX";
	static char said[4000];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	FILE *f = fopen(arena_printf(&arena, "%s/t.c", dir), "w");

	fputs(text, f);
	fclose(f);
	*status = system(arena_printf(&arena, "cd %s && gcc -std=c99 %s t.c 2> log && { [ ! -f a.out ] || ./a.out; }", dir, options));
	f = fopen(arena_printf(&arena, "%s/log", dir), "r");
	said[fread(said, 1, sizeof(said) - 1, f)] = '\0';
	fclose(f);
	system(arena_printf(&arena, "rm -r %s", dir));
	return said;
}

START_TEST(same_results)
{
	static const int lots[] = { 1, 7, 64, 1000 };
	int status;

	for (int i = 0; i < COUNT(lots); i++) {
		const char *said = compiled(program(lots[i]), "-O1 -fsanitize=address,undefined", &status);

		ck_assert_msg(status == 0, "lots of %d: body %d\n%s", lots[i], status >> 8, said);
	}
}
END_TEST

START_TEST(which_are_split)
{
	for (int k = 0; k < COUNT(bodies); k++) {
		ck_assert_ptr_null(strstr(staged(k, true), "STAGE"));
		ck_assert_ptr_null(strstr(staged(k, false), "lot"));
		ck_assert_msg((strstr(staged(k, true), "lot") != NULL) == bodies[k].split, "%s", staged(k, true));
	}
	ck_assert_str_eq(staged(0, true), "\n{\n" OUTER "\t\tuint8_t v0[LOT];\n\t\tuint8_t v1[LOT];\n\n"
		EACH "\t\t\tconst int a = x[j];\n\n\t\t\tv0[j - lot] = (uint8_t)(a * 3 + j);\n\t\t}\n"
		EACH "\t\t\tv1[j - lot] = z[v0[j - lot]];\n\t\t}\n"
		EACH "\t\t\tconst int a = x[j];\n\t\t\tint r = 0;\n\n\t\t\tr = v1[j - lot] * 2 + a;\n\t\t\ty[j] = r;\n\t\t}\n\t}\n}\n");
}
END_TEST

/* That is what they are for; the loop as it was is one at best. */
START_TEST(vectors)
{
#if defined(__x86_64__) || defined(__aarch64__)
	const char *head = "#include <stdint.h>\n#define LOT 64\nenum { MANY = 100 };\nvoid f(const int *restrict x, const uint8_t *restrict z, int *restrict y)";
	int status, count = 0;
	const char *said = compiled(arena_printf(&arena, "%s%s", head, staged(0, true)), "-O3 -c -fopt-info-vec-optimized", &status);

	ck_assert_int_eq(status, 0);
	for (const char *s = said; (s = strstr(s, "loop vectorized")) != NULL; s++)
		count++;
	ck_assert_msg(count >= 2, "%s", said);
#endif
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stages");
	TCase *t = tcase_create("stages");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, same_results);
	tcase_add_test(t, which_are_split);
	tcase_add_test(t, vectors);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	arena_release(&arena);
	return failed > 0;
}
