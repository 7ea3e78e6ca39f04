/* What is computed in integers: where a value keeps the form scale (q - zero), and where it loses it. */
#include "../compiler/core/skipc.h"

#include <check.h>
#include <math.h>
#include <string.h>

static struct arena arena;

/* The operators that are left, in order, of a graph that reads %x : u8[1,2,4,4] and gives %y. */
static struct graph *turned(const char *nodes)
{
	struct diag diag = { .path = "test", .to = stderr };
	const char *text = arena_printf(&arena,
		"input %%x : u8[1,2,4,4]\n"
		"const @w : i8[3,2,1,1] = {1, 2, 3, -4, 5, 127}\nconst @s3 : f32[3,1,1,1] = {0.5, 0.25, 0.125}\n"
		"const @b : i32[3] = {10, -20, 30}\nconst @t3 : f32[3] = {0.25, 0.125, 0.0625}\n"
		"%%d = Dequantize(%%x, 0.5, 128)\n%s\noutput %%y\n",
		nodes);
	struct graph *g = text_parse(&arena, &diag, "test", text);

	ck_assert_ptr_nonnull(g);
	shapes(g);
	integers(g);
	ck_assert_int_eq(diag.errors, 0);
	graph_check(g, true);
	return g;
}

static const char *operators(const struct graph *g)
{
	const char *list = "";

	for (const struct node *n = g->first; n != NULL; n = n->next)
		list = arena_printf(
			&arena, "%s%s%s", list, list[0] != '\0' ? " " : "", n->op->name);
	return list;
}

#define CONV "%v = Dequantize(@w, @s3, 0)\n%c = Conv(%d, %v"
#define OUT  " {low=0, high=255, to=6}\n"

START_TEST(test_forms)
{
	static const struct {
		const char *nodes, *left;
	} cases[] = {
		{ CONV ")\n%y = Quantize(%c, 0.1, 3)" OUT, "ConvInteger Requantize" },
		{ CONV ", %e)\n%y = Quantize(%c, 0.1, 3)" OUT, "ConvInteger Requantize" },
		{ CONV ", @t3)\n%y = Quantize(%c, 0.1, 3)" OUT,
			"ConvInteger Dequantize Add Quantize" },
		{ CONV ")\n%r = Relu(%c)\n%y = Quantize(%r, 0.1, 3)" OUT,
			"ConvInteger Max Requantize" },
		{ CONV ")\n%r = Tanh(%c)\n%y = Quantize(%r, 0.1, 3)" OUT,
			"ConvInteger Dequantize Tanh Quantize" },
		{ CONV ")\n%y = Transpose(%c) {perm=[0,2,3,1]}",
			"ConvInteger Transpose Dequantize" },
		{ "%y = Quantize(%d, 0.5, 128)" OUT "%z = Relu(%y)", "Reshape" }, /* a copy */
		{ "%r = Relu(%d)\n%y = Quantize(%r, 0.5, 128)" OUT, "Max" },
		{ "%y = Quantize(%d, 0.25, 128)" OUT, "Dequantize Quantize" },
		{ "%r = Sigmoid(%d)\n%y = Quantize(%r, 0.25, 128)" OUT, "Lookup" },
		{ "%t = Sigmoid(%d)\n%r = Mul(%d, %t)\n%y = Quantize(%r, 0.25, 128)" OUT,
			"Lookup" },
		{ "%t = Sigmoid(%d)\n%r = Add(%t, @s3x)\n%y = Quantize(%r, 0.25, 128)" OUT,
			"Dequantize Sigmoid Add Quantize" },
		{ "%r = Min(%d, 6)\n%y = Quantize(%r, 0.25, 128)" OUT, "Dequantize Min Quantize" },
		{ "%y = MaxPool(%d) {kernel_shape=[2,2], strides=[2,2]}", "MaxPool Dequantize" },
		{ "const @k : u8[1,2,2,2] = fill(1, 0, 9)\n%g = Dequantize(@k, 0.5, 7)\n"
		  "%v = Pad(%g) {pads=[0,0,1,1,0,0,1,1]}\n%y = Conv(%d, %v)",
			"ConvInteger Dequantize" },
		{ "%p = ReduceMean(%d) {axes=[2,3]}\n%y = Quantize(%p, 0.1, 0)" OUT,
			"ReduceSum Sub Requantize" },
		{ "%p = AveragePool(%d) {kernel_shape=[2,2]}\n%y = Quantize(%p, 0.1, 0)" OUT,
			"ConvInteger Requantize" },
		{ "%j = Concat(%d, %d) {axis=1}\n%y = Quantize(%j, 0.5, 128)" OUT, "Concat" },
		{ "%t = Tanh(%d)\n%j = Concat(%d, %t) {axis=1}\n%y = Quantize(%j, 0.5, 128)" OUT,
			"Lookup Concat" },
		{ "%r = Reshape(%d) : f32[1,2,16]\n%t = Transpose(%r) {perm=[0,2,1]}\n%y = MatMul(%r, %t)",
			"Reshape Transpose MatMulInteger Dequantize" },
	};

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		const char *nodes = arena_printf(&arena,
			"const @s3x : f32[1,2,1,1] = {1, 2}\n%%e = Dequantize(@b, @t3, 0)\n%s",
			cases[k].nodes);
		const char *left = operators(turned(nodes));

		ck_assert_msg(strcmp(left, cases[k].left) == 0, "%s\nis %s, not %s", cases[k].nodes,
			left, cases[k].left);
	}
}
END_TEST

/* m is the product of the scales as a float, over the result's as a float. */
START_TEST(test_factor)
{
	const struct graph *g = turned(
		"%v = Dequantize(@w, 0.3, 0)\n%c = Conv(%d, %v)\n%y = Quantize(%c, 0.7, 3)" OUT);
	const struct node *r = g->output[0]->def;
	const float product = 0.5f * 0.3f, m = product / 0.7f;

	ck_assert_str_eq(r->op->name, "Requantize");
	ck_assert_double_eq(const_f64(r->in[1], 0), (double)m);
	ck_assert_int_eq(attr_int(r->in[0]->def, "zero", 0), 128);
}
END_TEST

/* Sums that may not fit 32 bits have 64. */
START_TEST(test_bound)
{
	static const char text[] =
		"input %%x : u16[1,%d]\nconst @w : i8[%d,1] = 100\n%%d = Dequantize(%%x, 1, 0)\n"
		"%%v = Dequantize(@w, 1, 0)\n%%m = MatMul(%%d, %%v)\n%%y = Quantize(%%m, 9, 0)" OUT
		"output %%y\n";
	static const struct {
		int inputs;
		enum dtype type;
	} cases[] = { { 4, DT_I32 }, { 4096, DT_I64 } };

	for (int k = 0; k < 2; k++) {
		struct diag diag = { .path = "test", .to = stderr };
		struct graph *g = text_parse(&arena, &diag, "test",
			arena_printf(&arena, text, cases[k].inputs, cases[k].inputs));

		ck_assert_ptr_nonnull(g);
		shapes(g);
		integers(g);
		ck_assert_str_eq(g->output[0]->def->op->name, "Requantize");
		ck_assert_int_eq(g->output[0]->def->in[0]->type, cases[k].type);
	}
}
END_TEST

/* Operations between are the graph's, each rounded once: constants that would meet among floats do not. */
START_TEST(test_operations)
{
	static const struct {
		const char *nodes, *left;
	} cases[] = {
		{ "%m = Mul(%d, 0.3)\n%n = Mul(%m, 0.7)\n%y = Tanh(%n)", "Dequantize Mul Mul Tanh" },
		{ "%m = Mul(%d, 0.3)\n%a = Add(%m, 2)\n%n = Mul(%a, 0.7)\n%y = Tanh(%n)",
			"Dequantize Mul Add Mul Tanh" },
		{ "%a = Add(%d, 3)\n%r = Relu(%a)\n%c = Min(%r, 6)\n%m = Mul(%d, %c)\n%y = Div(%m, 6)",
			"Dequantize Add Relu Min Mul Div" },
		{ "%m = Mul(%d, 1)\n%n = Neg(%m)\n%y = Mul(%n, -1)", "Dequantize" },
	};

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct graph *g = turned(cases[k].nodes);

		fold(g);
		rewrite(g);
		ck_assert_msg(strcmp(operators(g), cases[k].left) == 0, "%s\nis %s, not %s", cases[k].nodes,
			operators(g), cases[k].left);
	}
}
END_TEST

/* A table has what double arithmetic gives, by the bits of q. */
START_TEST(test_table)
{
	const struct graph *g = turned("%t = Sigmoid(%d)\n%y = Quantize(%t, 0.00390625, 0)" OUT);
	const struct tensor *table = g->output[0]->def->in[1];

	for (int q = 0; q < 256; q++) {
		const double v = math_sigmoid(0.5 * (q - 128)) * 256.0,
			     most = v > 255.0 ? 255.0 : v;

		ck_assert(const_f64(table, q) - most <= 0.5 && const_f64(table, q) - most >= -0.5);
	}
}
END_TEST

/* A table of what a table gives is one of what that reads: a gate, and 1 less it. */
START_TEST(test_composed)
{
	const struct graph *g = turned("%t = Sigmoid(%d)\n%u = Quantize(%t, 0.00390625, 0) {low=0.0, high=255.0, to=6}\n"
				       "%v = Dequantize(%u, 0.00390625, 0)\n%r = Sub(1, %v)\n%y = Quantize(%r, 0.00390625, 0)" OUT);
	const struct node *n = g->output[0]->def;

	ck_assert(is_op(n, "Lookup") && n->in[0] == g->input[0]);
	for (int q = 0; q < 256; q++) {
		const double v = math_sigmoid(0.5 * (q - 128)) * 256.0, gate = nearbyint(v > 255.0 ? 255.0 : v),
			     rest = 256.0 - gate;

		ck_assert_double_eq(const_f64(n->in[1], q), rest > 255.0 ? 255.0 : rest);
	}
}
END_TEST

/* Gates and sums are those of the network that was quantised; what is computed stays as it is. */
START_TEST(test_through)
{
	struct diag diag = { .path = "test", .to = stderr };
	struct graph *g = text_parse(&arena, &diag, "test",
		"input %x : f32[1,8]\nconst @w : i8[8,8] = fill(1)\nconst @v : i8[8,8] = fill(2)\n"
		"%a = Quantize(%x, 0.03, 128) {low=0.0, high=255.0, to=6}\n%b = Dequantize(%a, 0.03, 128)\n"
		"%c = Dequantize(@w, 0.02, 0)\n%d = MatMul(%b, %c)\n%e = Quantize(%d, 0.05, 0) {low=0.0, high=255.0, to=6}\n"
		"%f = Dequantize(%e, 0.05, 0)\n%g = Dequantize(@v, 0.02, 0)\n%h = MatMul(%b, %g)\n%i = Sigmoid(%h)\n"
		"%j = Quantize(%i, 0.004, 0) {low=0.0, high=255.0, to=6}\n%k = Dequantize(%j, 0.004, 0)\n%l = Sub(1, %k)\n"
		"%m = Mul(%f, %k)\n%n = Quantize(%m, 0.05, 0) {low=0.0, high=255.0, to=6}\n%o = Dequantize(%n, 0.05, 0)\n"
		"%p = Mul(%b, %l)\n%q = Add(%o, %p)\n%y = Quantize(%q, 0.05, 0) {low=0.0, high=255.0, to=6}\noutput %y\n");
	struct graph *plain;
	int nodes = 0, left = 0;

	ck_assert_ptr_nonnull(g);
	shapes(g);
	for (const struct node *n = g->first; n != NULL; n = n->next)
		nodes++;
	plain = unquantised(g);
	ck_assert_ptr_nonnull(plain);
	skip_through(g, plain);
	ck_assert_int_eq(diag.errors, 0);
	ck_assert_int_eq(g->nblock, 1);
	ck_assert_int_eq(g->block[0].kind, BLOCK_HIGHWAY);
	ck_assert_str_eq(g->block[0].shortcut, "x");
	for (const struct node *n = g->first; n != NULL; n = n->next)
		left++;
	ck_assert_int_eq(left, nodes);
	ck_assert_ptr_null(unquantised(plain));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("integers");
	TCase *t = tcase_create("integers");
	SRunner *r = srunner_create(s);

	tcase_add_test(t, test_forms);
	tcase_add_test(t, test_factor);
	tcase_add_test(t, test_bound);
	tcase_add_test(t, test_operations);
	tcase_add_test(t, test_table);
	tcase_add_test(t, test_composed);
	tcase_add_test(t, test_through);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	arena_release(&arena);
	return failed > 0;
}
