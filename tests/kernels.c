/*
 * Every row of kernels.def computes a small graph here, which is compiled for each target: a row whose functions and template
 * do not go together ends in die(). Nothing is run: that do the cases, templates.c and vectors.py.
 */
#include "emit/emission.h"
#include "integers/integers.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEAR(shape) "input %i : f32[" shape "]\n%x = MaxPool(%i) {kernel_shape=[2,2], strides=[1,1], dilations=[1,1], pads=[0,0,1,1]}\n" /* channels last */
#define PLANES(shape) "input %x : f32[" shape "]\n"
#define CONV(w, attributes) "const @w : f32[" w "] = fill(1)\n%y = Conv(%x, @w) {" attributes "}\noutput %y\n"
#define LINEAR(x, w) PLANES(x) "const @w : f32[" w "] = fill(1)\n%y = Linear(%x, @w)\noutput %y\n"
#define BYTES(shape) "input %i : u8[" shape "]\n%x = MaxPool(%i) {kernel_shape=[2,2], strides=[1,1], dilations=[1,1], pads=[0,0,1,1]}\n"
#define CONV_INTEGER(w, attributes) "const @w : i8[" w "] = fill(1, -9, 9)\n%y = ConvInteger(%x, @w) {zero=3, to=9, " attributes "}\noutput %y\n"
#define LINEAR_INTEGER "input %x : u8[8,32]\nconst @w : i8[32,32] = fill(1, -9, 9)\n%y = LinearInteger(%x, @w) {zero=3, to=9}\noutput %y\n"
#define OF(node) PLANES("2,3,4,5") "%y = " node "\noutput %y\n"
#define WINOGRAD NEAR("1,32,16,16") CONV("32,32,3,3", "pads=[1,1,1,1]")
#define WINOGRADS "WINOGRAD=1e-6 WINOGRAD_IN=1e-6 WINOGRAD_OUT=1e-6 "

static const struct sample {
	const char *row, *text, *costs;
} samples[] = {
	{ "conv", PLANES("1,3,8,8") CONV("5,3,3,3", "pads=[1,1,1,1]"), "" },
	{ "conv_turned", PLANES("1,3,8,8") CONV("5,3,3,3", "pads=[1,1,1,1]"), "CONV_TURNED=1e-9" },
	{ "conv_gemm", NEAR("1,32,8,8") CONV("32,32,3,3", "pads=[1,1,1,1]"), "PRODUCT_OUTPUT=1e-3 INDIRECT=1e3 WINOGRAD=1e3" },
	{ "conv_indirect", NEAR("1,32,8,8") CONV("32,32,3,3", "strides=[2,2]"), "INDIRECT=1e-3 INDIRECT_OUTPUT=1e-3" },
	{ "conv_planar", PLANES("1,3,16,16") CONV("32,3,3,3", "pads=[1,1,1,1]"), "PRODUCT_OUTPUT=1e-3" },
	{ "winograd4", WINOGRAD, WINOGRADS "WINOGRAD_NEAR=1e-12 WINOGRAD_FETCH=1e-12 WINOGRAD_FILTER=1e6" },
	{ "winograd2", WINOGRAD, WINOGRADS "WINOGRAD_NEAR=1e-3 WINOGRAD_FETCH=1e-3 WINOGRAD_FILTER=1e6" },
	{ "winograd4_fly", WINOGRAD, WINOGRADS "WINOGRAD_NEAR=1e6 WINOGRAD_FETCH=1e6 WINOGRAD_FILTER=1e-12" },
	{ "winograd2_fly", WINOGRAD, WINOGRADS "WINOGRAD_NEAR=1e6 WINOGRAD_FETCH=1e6 WINOGRAD_FILTER=1e-3" },
	{ "conv_narrow", NEAR("1,16,8,8") CONV("16,4,3,3", "pads=[1,1,1,1], group=4"), "" },
	{ "conv_few", NEAR("1,32,8,8") CONV("3,32,3,3", "pads=[1,1,1,1]"), "FEW=1e-3 FEW_OUTPUT=1e-3" },
	{ "depthwise", NEAR("1,16,8,8") CONV("16,1,3,3", "pads=[1,1,1,1], group=16"), "" },
	{ "linear", LINEAR("1,20", "20,30"), "" },
	{ "linear_rows", LINEAR("24,20", "20,30"), "" },
	{ "linear_vector", LINEAR("1,32", "32,32"), "" },
	{ "linear_gemm", LINEAR("64,32", "32,64"), "PRODUCT_OUTPUT=1e-3" },
	{ "linear_indirect", LINEAR("59,32", "32,64"), "INDIRECT=1e-3 INDIRECT_OUTPUT=1e-3" },
	{ "matmul", PLANES("3,4,5") "input %z : f32[3,5,6]\n%y = MatMul(%x, %z)\noutput %y\n", "" },
	{ "matmul_gemm", PLANES("3,32,16") "input %z : f32[3,16,32]\n%y = MatMul(%x, %z)\noutput %y\n", "PRODUCT_OUTPUT=1e-3" },
	{ "conv_integer", BYTES("1,3,9,9") CONV_INTEGER("5,3,3,3", "pads=[1,1,1,1]"), "" },
	{ "conv_integer_pairs", BYTES("1,16,9,9") CONV_INTEGER("16,16,3,3", "pads=[1,1,1,1]"), "PAIRS=1e-3 PAIRS_IN=1e-3" },
	{ "depthwise_integer", BYTES("1,16,9,9") CONV_INTEGER("16,1,3,3", "pads=[1,1,1,1], group=16"), "" },
	{ "winograd_integer", BYTES("1,16,9,9") CONV_INTEGER("16,16,3,3", "pads=[1,1,1,1]"),
	  "WINOGRAD_PAIRS=1e-3 WINOGRAD_PAIRS_IN=1e-3 WINOGRAD_PAIRS_OUT=1e-3 WINOGRAD_PAIRS_FILTER=1e-3" },
	{ "depthwise_integer_vector", BYTES("1,16,9,9") CONV_INTEGER("16,1,3,3", "pads=[1,1,1,1], group=16"), "PAIRS_DEPTHWISE=1e-3" },
	{ "linear_integer", LINEAR_INTEGER, "" },
	{ "linear_integer_pairs", LINEAR_INTEGER, "PAIRS=1e-3 PAIRS_IN=1e-3" },
	{ "matmul_integer", "input %x : u8[3,4,5]\ninput %z : i8[3,5,6]\n%y = MatMulInteger(%x, %z) {zero=3, zero2=1, to=9}\noutput %y\n", "" },
	{ "maxpool", OF("MaxPool(%x) {kernel_shape=[2,2]}"), "" },
	{ "argmaxpool", OF("ArgMaxPool(%x) {kernel_shape=[2,2]}"), "" },
	{ "unpool", PLANES("1,3,8,8") "%p = MaxPool(%x) {kernel_shape=[2,2], strides=[2,2]}\n%q = ArgMaxPool(%x) {kernel_shape=[2,2], strides=[2,2]}\n"
	  "%y = MaxUnpool(%p, %q) {kernel_shape=[2,2], strides=[2,2]}\noutput %y\n", "" },
	{ "avgpool", OF("AveragePool(%x) {kernel_shape=[2,2]}"), "" },
	{ "sum", OF("ReduceSum(%x) {axes=[2], keepdims=0}"), "" },
	{ "mean", OF("ReduceMean(%x) {axes=[1,3], keepdims=0}"), "" },
	{ "max", OF("ReduceMax(%x) {axes=[2,3], keepdims=1}"), "" },
	{ "min", OF("ReduceMin(%x) {axes=[0], keepdims=1}"), "" },
	{ "product", OF("ReduceProd(%x) {axes=[3], keepdims=0}"), "" },
	{ "l1", OF("ReduceL1(%x) {axes=[3], keepdims=0}"), "" },
	{ "l2", OF("ReduceL2(%x) {axes=[3], keepdims=0}"), "" },
	{ "sumsquare", OF("ReduceSumSquare(%x) {axes=[1], keepdims=0}"), "" },
	{ "softmax", OF("Softmax(%x) {axis=1}"), "" },
	{ "logsoftmax", OF("LogSoftmax(%x) {axis=3}"), "" },
	{ "normalize", OF("Normalize(%x) {axes=[3], epsilon=0.001}"), "" },
	{ "normalize_channels", NEAR("1,16,8,8") "%y = Normalize(%x) {axes=[2,3], epsilon=0.001}\noutput %y\n", "" },
	{ "gather", PLANES("4,5") "input %z : i64[3]\n%y = Gather(%x, %z) {axis=1}\noutput %y\n", "" },
	{ "scatter", PLANES("4,5") "input %z : i64[2]\ninput %u : f32[2,5]\n%y = Scatter(%x, %z, %u) {reduction=\"add\"}\noutput %y\n", "" },
	{ "topk", PLANES("4,5") "const @k : i64[1] = {2}\n%y = TopK(%x, @k) {axis=1}\noutput %y\n", "" },
	{ "cumsum", PLANES("4,5") "const @a : i64[1] = {1}\n%y = CumSum(%x, @a)\noutput %y\n", "" },
	{ "cumprod", PLANES("4,5") "const @a : i64[1] = {0}\n%y = CumProd(%x, @a) {reverse=1}\noutput %y\n", "" },
	{ "argmax", OF("ArgMax(%x) {axis=1}"), "" },
	{ "argmin", OF("ArgMin(%x) {axis=3, keepdims=0}"), "" },
	{ "resize", PLANES("1,3,4,4") "const @s : f32[4] = {1,1,2,1.5}\n%y = Resize(%x, _, @s) {mode=\"linear\"}\noutput %y\n", "" },
	{ "gridsample", PLANES("1,3,4,4") "input %z : f32[1,5,6,2]\n%y = GridSample(%x, %z)\noutput %y\n", "" },
	{ "pad", OF("Pad(%x) {pads=[0,0,1,1,0,0,1,1], mode=\"reflect\"}"), "" },
	{ "map", OF("Sigmoid(%x)"), "" },
	{ "turn", PLANES("1,64,8,8") "%y = Transpose(%x) {perm=[0,2,3,1]}\noutput %y\n", "" },
};

/* The rows, as the table has them. */
static const struct {
	const char *name, *target;
} rows[] = {
#define KERNEL(name, operator, target, ...) { #name, #target },
#include "kernels/kernels.def"
};

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]), ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct plan *plan_of(struct arena *arena, const struct sample *s, struct plan_options *options)
{
	static struct diag diag = { .path = "test" };

	diag.to = stderr;
	for (const char *name = s->costs, *end; *name != '\0'; name = end + strspn(end, " ")) {
		end = name + strcspn(name, " ");
		const size_t n = strcspn(name, "=");
		const char *value = arena_printf(arena, "%.*s", (int)((size_t)(end - name) - n - 1), name + n + 1);

		ck_assert_ptr_null(cost_set(arena, name, n, value, options->cost));
	}
	struct graph *g = text_parse(arena, &diag, "test", s->text);

	ck_assert_msg(g != NULL, "%s", s->text);
	shapes(g);
	integers(g);
	fold(g);
	rewrite(g);
	skip(g);
	layout(g);
	struct plan *p = schedule(g, options);

	ck_assert_msg(diag.errors == 0, "%s", s->text);
	memory(p);
	pack_constants(p);
	return p;
}

static bool has_row(const struct plan *p, const char *row)
{
	for (int i = 0; i < p->nkernel; i++)
		for (const struct kernel *k = p->kernel[i]; k != NULL; k = k->other)
			if (strcmp(k->row->name, row) == 0)
				return true;
	return false;
}

/* Written, and thrown away. */
static void check_sample(const struct sample *s, const char *target, bool must)
{
	const struct emit_options emission = { .name = "net", .model = "test", .settings = "", .main = true };
	struct plan_options options = { .target = target_find(target) };
	struct arena arena = { 0 };
	struct plan *p = plan_of(&arena, s, &options);
	char dir[] = "/tmp/skipc-kernels-XXXXXX";
	struct output out = { .arena = &arena };

	ck_assert_msg(!must || has_row(p, s->row), "%s\nfor %s: %s computes no step", s->text, target, s->row);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	out.dir = dir;
	output_begin(&out);
	emit(p, &emission, &out);
	ck_assert(out.n > 3 && !out.failed);
	output_discard(&out);
	ck_assert_int_eq(rmdir(dir), 0);
	arena_release(&arena);
}

START_TEST(test_row)
{
	static const char *const targets[] = { "c", "x86-64", "aarch64" };
	const bool vector = strcmp(rows[_i].target, "vector") == 0;
	int found = 0;

	for (int i = 0; i < SAMPLES; i++) {
		if (strcmp(samples[i].row, rows[_i].name) != 0)
			continue;
		found++;
		for (int t = vector; t < 3; t++) /* where there are vectors, a row of theirs may be cheaper than one for all */
			check_sample(&samples[i], targets[t], vector || t == 0);
	}
	ck_assert_msg(found > 0, "no graph here is computed by %s", rows[_i].name);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("kernels");
	TCase *t = tcase_create("kernels");
	SRunner *r = srunner_create(s);

	tcase_add_loop_test(t, test_row, 0, ROWS);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	return failed > 0;
}
