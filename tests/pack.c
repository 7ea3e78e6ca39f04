/*
 * Weights of several element types, packed and written in every form and byte order. The programs that read them
 * are built for this machine and, where there is a compiler and an emulator, for a big-endian one.
 */
#include "emit/emission.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char text[] =
	"const @w : i8[4,3,1,2] = {-1,2,-3,4,-5,6,-128,8,9,10,11,12,-13,14,15,16,17,18,19,20,21,22,23,127}\n"
	"const @b : i32[4] = {1,-2,-2147483648,2147483647}\n"
	"const @s : f32[3] = {0.5,-1,3}\n"
	"const @i : i64[2] = {-9223372036854775808,9007199254740993}\n"
	"input %x : f32[3]\n%y = Add(%x, @s)\noutput %y\n";

static struct arena arena;

static struct plan *make_plan(void)
{
	static struct diag diag = { .path = "test", .to = NULL };
	struct plan *p = arena_alloc(&arena, sizeof(*p));

	diag.to = stderr;
	p->arena = &arena;
	p->target = target_find("c");
	p->graph = text_parse(&arena, &diag, "test", text);
	ck_assert_ptr_nonnull(p->graph);
	return p;
}

static struct blob *add(struct plan *p, const char *name, struct blob how)
{
	for (int k = 0; k < p->graph->ntensor; k++)
		if (strcmp(p->graph->tensors[k]->name, name) == 0)
			how.tensor[0] = p->graph->tensors[k];
	ck_assert_ptr_nonnull(how.tensor[0]);
	how.stack = 1;
	return plan_blob(p, &how);
}

/* i8 in blocks of three outputs, i32, f32, in an order that is not theirs in the file. */
static void add_all(struct plan *p, struct blob *v[3])
{
	v[0] = add(p, "w", (struct blob){ .packing = PACK_CONV, .group = 1, .block = 3 });
	v[1] = add(p, "b", (struct blob){ .packing = PACK_BIAS, .group = 1, .block = 3 });
	v[2] = add(p, "s", (struct blob){ .packing = PACK_PLAIN });
	pack_constants(p);
}

START_TEST(test_bytes)
{
	static const signed char w[24] = { -1, -128, -13, -3, 9, 15, -5, 11, 17, 2, 8, 14, 4, 10, 16, 6, 12, 18,
					   19, 21, 23, 20, 22, 127 };
	static const unsigned char b[16] = { 1, 0, 0, 0, 254, 255, 255, 255, 0, 0, 0, 128, 255, 255, 255, 127 };
	static const unsigned char i[16] = { 0, 0, 0, 0, 0, 0, 0, 128, 1, 0, 0, 0, 0, 0, 32, 0 };
	struct plan *p = make_plan();
	struct blob *v[3], *table = add(p, "i", (struct blob){ .packing = PACK_TABLE });
	unsigned char to[24];
	struct buf out = { 0 };

	add_all(p, v);
	ck_assert(v[0]->type == DT_I8 && v[0]->count == 24 && v[0]->buffer->bytes == 24);
	ck_assert(v[1]->type == DT_I32 && v[1]->count == 4 && v[1]->buffer->bytes == 16);
	ck_assert_int_eq(v[2]->buffer->offset, 0); /* floats first */
	ck_assert_int_eq(v[0]->buffer->offset, 16);
	ck_assert_int_eq(v[1]->buffer->offset, 48);
	ck_assert_int_eq(p->weights_bytes, 64);
	pack_blob(p, v[0], to);
	ck_assert_mem_eq(to, w, 24);
	pack_blob(p, v[1], to);
	ck_assert_mem_eq(to, b, 16);
	ck_assert_str_eq(packing_text(&arena, v[0]), "[group 1][block of 3][tap][C][stack 1][K]");
	pack_blob(p, table, to);
	ck_assert_mem_eq(to, i, 16);
	put_elements(&out, DT_I64, to, 2);
	ck_assert_str_eq(out.data, "\tINT64_MIN, 9007199254740993,\n");
	buf_release(&out);
	ck_assert_ptr_eq(add(p, "w", (struct blob){ .packing = PACK_CONV, .group = 1, .block = 3 }), v[0]);
	ck_assert_ptr_ne(add(p, "w", (struct blob){ .packing = PACK_CONV, .group = 1, .block = 2 }), v[0]);
}
END_TEST

/* Reads the elements where run would, and has their checksum compared. */
static const char program[] =
	"#include <stdint.h>\n#include <stdio.h>\n#include <stddef.h>\n#include <string.h>\n"
	"enum { NET_OK, NET_E_BYTE_ORDER, NET_E_WEIGHTS, NET_E_CHECKSUM };\n#define NET_WEIGHTS_SIZE 64\n"
	"static _Alignas(64) char file[4096];\n%s\n#ifdef BIN\n#define WEIGHTS file\n#else\n"
	"struct net_weights;\nextern const struct net_weights net_weights;\n#define WEIGHTS (const char *)&net_weights\n"
	"#endif\n"
	"int main(void)\n{\n\tFILE *f = fopen(\"net_weights.bin\", \"rb\");\n\tfloat s[3];\n\tint32_t b[4];\n"
	"\tif (f != NULL && fread(file, 1, sizeof(file), f) != 128) return 2;\n"
	"\tconst char *const w = WEIGHTS + 64;\n"
	"\tmemcpy(s, w, sizeof(s));\n\tmemcpy(b, w + 48, sizeof(b));\n"
	"\tif (s[0] != 0.5f || s[1] != -1.0f || s[2] != 3.0f) return 3;\n"
	"\tif (w[16] != (char)-1 || w[17] != (char)-128 || w[39] != (char)127) return 4;\n"
	"\tif (b[0] != 1 || b[1] != -2 || b[3] != 2147483647) return 5;\n"
	"\treturn check_weights(WEIGHTS, 1);\n}\n";

static const struct {
	const char *compiler, *run;
	bool big;
} machines[] = {
	{ "gcc", "./program", false },
	{ "s390x-linux-gnu-gcc -static", "qemu-s390x ./program", true },
};

static bool installed(const char *command)
{
	const char *word = arena_printf(&arena, "%.*s", (int)strcspn(command, " "), command);

	return system(arena_printf(&arena, "command -v %s > /dev/null 2>&1", word)) == 0;
}

/* What NAME.c has from crc64() to check_weights(). */
static const char *check_text(struct emission *e)
{
	static const char *const switches[] = { "VECTORS", "TRACE", "PREPARES", "LINKED", "FILE_OF", "PRODUCTS" };
	struct filling f = { .arena = &arena, .name = e->name, .upper = e->upper };

	for (size_t k = 0; k < sizeof(switches) / sizeof(switches[0]); k++)
		f.switches[f.nswitches++] = (struct param){ switches[k], 0 };
	fill_word(&f, "HEAD_WORDS", weights_head(e));
	fill_word(&f, "SUMS", weights_sums(e));
	char *code = fill(&f, "interface/NAME"), *first = strstr(code, "static uint64_t crc64("),
	     *end = strstr(code, "int net_init(");

	ck_assert(first != NULL && end != NULL);
	*end = '\0';
	return first;
}

START_TEST(test_forms)
{
	const enum weights_form form = (enum weights_form)(WEIGHTS_TEXT + _i / 2);
	const int m = _i % 2;
	const char *dir = "build/tests/pack_forms";
	struct plan *p = make_plan();
	struct blob *v[3];
	struct emit_options options = { .name = "net", .model = "test", .settings = "", .weights = form,
		.big_endian = machines[m].big };
	const char *input[] = { "x" }, *output[] = { "y" };
	struct output out = { .dir = dir, .arena = &arena };
	struct emission e = { .plan = p, .form = form, .options = &options, .out = &out, .arena = &arena, .name = "net",
		.upper = "NET", .input = input, .output = output };

	if (!installed(machines[m].compiler) || (machines[m].run[0] != '.' && !installed(machines[m].run))) {
		printf("NOT RUN: %s\n", machines[m].compiler);
		return;
	}
	add_all(p, v);
	if (system(arena_printf(&arena, "rm -rf %s", dir)) != 0)
		ck_abort_msg("cannot remove %s", dir);
	output_begin(&out);
	emit_weights(&e);
	output_puts(&out, "program.c", arena_printf(&arena, program, check_text(&e)));
	ck_assert(output_commit(&out));
	ck_assert_int_eq(system(arena_printf(&arena,
		"cd %s && %s -O1 -Wall -Wextra -Werror %s *.c -o program && %s", dir, machines[m].compiler,
		form == WEIGHTS_BIN ? "-DBIN" : "", machines[m].run)), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pack");
	TCase *t = tcase_create("pack");
	SRunner *r = srunner_create(s);

	tcase_add_test(t, test_bytes);
	tcase_add_loop_test(t, test_forms, 0, 8);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	arena_release(&arena);
	return failed > 0;
}
