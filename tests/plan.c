/*
 * Plans of graphs in text form. What takes over what: a fully connected layer overwrites its input where nobody reads
 * that later or elsewhere, and a block of rows of it can be copied first. What is copied to lie otherwise: rows of which
 * no two elements are neighbours, where a kernel in vectors is worth it, and once.
 */
#include "plan/plan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define LINEAR(y, x, s) "const @w" s " : f32[48,48] = fill(" s ")\nconst @c" s " : f32[48] = fill(1" s ")\n%" y " = Linear(%" x ", @w" s ", @c" s ")\n"
/* y = x + t (h - x), of x */
#define HIGHWAY(y, x, s) \
	LINEAR(y "a", x, "1" s) LINEAR(y "b", x, "2" s) "%" y "h = Relu(%" y "b)\n%" y "t = Sigmoid(%" y "a)\n" \
	"%" y " = Blend(%" y "h, %" x ", %" y "t)\n"
#define LAYERS HIGHWAY("x1", "x", "1") HIGHWAY("x2", "x1", "2") HIGHWAY("x3", "x2", "3") HIGHWAY("x4", "x3", "4")
#define ROWS(n) "input %x : f32[" n ",48]\n"

enum { ROW = 48 * 4, TILE = 64 * 4 }; /* bytes of a row of x; of a product's tile, for a row */

static const struct plan_case {
	const char *text;
	int held[2];	  /* kernels that overwrite their input: c, x86-64 */
	int64_t arena[2]; /* bytes */
} cases[] = {
	/* one buffer, and a tile of six rows; or one of sixteen, and its products */
	{ ROWS("64") LAYERS "output %x4\n", { 2, 2 }, { 64 * ROW + 6 * ROW, 64 * ROW + 16 * (ROW + TILE) } },
	{ "input %x : f32[4,16,48]\n" LAYERS "output %x4\n", { 2, 2 }, { 64 * ROW + 6 * ROW, 64 * ROW + 16 * (ROW + TILE) } },
	/* the copy would be as large as the second buffer */
	{ ROWS("1") LAYERS "output %x4\n", { 0, 0 }, { 2 * ROW, 2 * ROW } },
	/* read again later: the layer that reads it first is not in place */
	{ ROWS("64") LAYERS "%y = Add(%x4, %x1)\noutput %y\n", { 1, 1 }, { 2 * 64 * ROW + 6 * ROW, 2 * 64 * ROW + 16 * (ROW + TILE) } },
	{ ROWS("64") LAYERS "%y = Add(%x4, %x2)\noutput %y\n", { 1, 1 }, { 2 * 64 * ROW, 2 * 64 * ROW + 16 * TILE } },
	/* without a shortcut, and a product as narrow as the layer */
	{ ROWS("64") LINEAR("a", "x", "1") LINEAR("b", "a", "2") LINEAR("y", "b", "3") "output %y\n", { 1, 1 },
	  { 64 * ROW + 6 * ROW, 64 * ROW + 16 * (ROW + ROW) } },
	/* the epilogue reads another row of x than the one that it replaces */
	{ ROWS("64") LINEAR("a", "x", "1") LINEAR("b", "a", "2") "%t = Slice(%a) {starts=[63,0], steps=[-1,1]} : f32[64,48]\n%s = Add(%b, %t)\n"
	  LINEAR("y", "s", "3") "output %y\n", { 0, 0 }, { 2 * 64 * ROW, 2 * 64 * ROW + 16 * ROW } },
};

static struct plan *plan_of(struct arena *arena, const char *text, const struct plan_options *options)
{
	struct diag diag = { .path = "test", .to = stderr };
	struct graph *g = text_parse(arena, &diag, "test", text);

	ck_assert_msg(g != NULL, "%s", text);
	shapes(g);
	fold(g);
	rewrite(g);
	skip(g);
	layout(g);
	struct plan *p = schedule(g, options);

	memory(p);
	return p;
}

#define TURNED "input %x : f32[48,64]\n%t = Transpose(%x) {perm=[1,0]} : f32[64,48]\n"
#define NORMALIZED(y, x) "%" y " = Normalize(%" x ") {axes=[1], epsilon=1e-05}\n"

static const struct copies {
	const char *text;
	int count[2]; /* kernels that only copy: c, x86-64 */
} copies[] = {
	{ ROWS("64") LINEAR("y", "x", "1") "output %y\n", { 0, 0 } },
	{ TURNED LINEAR("y", "t", "1") "output %y\n", { 0, 1 } },
	{ TURNED NORMALIZED("y", "t") "output %y\n", { 0, 0 } }, /* c/normalize_channels takes rows that lie apart */
	{ TURNED LINEAR("y", "t", "1") NORMALIZED("z", "t") "output %y\noutput %z\n", { 0, 1 } },
	/* a sum lies as what a layer gave, not as a view of the input */
	{ TURNED LINEAR("l", "t", "1") "%s = Add(%t, %l)\n" NORMALIZED("n", "s") LINEAR("y", "n", "2") "output %y\n", { 0, 1 } },
};

START_TEST(test_copies)
{
	const struct copies *c = &copies[_i / 2];
	const char *target = _i % 2 == 0 ? "c" : "x86-64";
	const struct plan_options options = { .target = target_find(target) };
	struct arena arena = { 0 };
	const struct plan *p = plan_of(&arena, c->text, &options);
	int count = 0;

	for (int i = 0; i < p->nkernel; i++)
		count += p->kernel[i]->anchor == NULL && p->kernel[i]->ngroup == 0;
	ck_assert_msg(count == c->count[_i % 2], "%s%s: %d copies", c->text, target, count);
	arena_release(&arena);
}
END_TEST

START_TEST(test_case)
{
	const struct plan_case *c = &cases[_i / 2];
	const char *target = _i % 2 == 0 ? "c" : "x86-64";
	const struct plan_options options = { .target = target_find(target) };
	struct arena arena = { 0 };
	struct plan *p = plan_of(&arena, c->text, &options);
	int held = 0;

	for (int i = 0; i < p->nkernel; i++) {
		const struct kernel *k = p->kernel[i];

		if (!overwrites_input(k))
			continue;
		held++;
		ck_assert(k->scratch >= k->hold && k->hold > 0);
		ck_assert(k->dst.buffer->offset == k->in_place->offset);
		ck_assert(k->scratch_offset >= k->dst.buffer->offset + k->dst.buffer->bytes ||
			  k->scratch_offset + k->scratch <= k->dst.buffer->offset);
		for (int s = 0; s < k->nshare && target_has_vectors(p->target); s++)
			ck_assert(k->share[s].divides == DIVIDES_INPUT);
	}
	ck_assert_msg(held == c->held[_i % 2], "%s%s: %d kernels overwrite their input", c->text, target, held);
	ck_assert_msg(c->arena[_i % 2] == p->cert.arena, "%s%s: arena %lld", c->text, target,
		      (long long)p->cert.arena);
	arena_release(&arena);
}
END_TEST

#define SUMS(y, w, type, scale) \
	"const @" w " : " type "[48,8] = fill(1, 100, 120)\n%" y "i = LinearInteger(%x, @" w ") {zero=3, to=9}\n" \
	"%" y " = Dequantize(%" y "i, " scale ", 0)\n"

#define BYTES " {low=0.0, high=255.0, to=6}\n"
#define ROUNDED(y, x, s) "%" y "q = Quantize(%" x ", " s ", 0)" BYTES "%" y " = Dequantize(%" y "q, " s ", 0)\n"
/* What follows T's and H's sums in a quantised highway: both as bytes, t and h, .. */
#define RESCALED "%t = Requantize(%a, 0.01, 128)" BYTES "%h = Requantize(%b, 0.02, 0)" BYTES
/* .. and the gate, 1 less it, both products and their sum, each made bytes again */
#define QUANTISED \
	"const @e : u8[256] = fill(7, 0, 255)\nconst @f : u8[256] = fill(8, 0, 255)\n%g = Lookup(%t, @e)\n%c = Lookup(%t, @f)\n" \
	"%gd = Dequantize(%g, 0.004, 0)\n%cd = Dequantize(%c, 0.004, 0)\n%hd = Dequantize(%h, 0.1, 0)\n%xd = Dequantize(%x, 0.1, 3)\n" \
	"%m = Mul(%hd, %gd)\n%n = Mul(%xd, %cd)\n" ROUNDED("md", "m", "0.1") ROUNDED("nd", "n", "0.1") \
	"%s = Add(%md, %nd)\n%y = Quantize(%s, 0.1, 3)" BYTES "output %y\n"
#define ROW_SUMS(y, w, inputs, outputs) \
	"const @" w " : i8[" inputs "," outputs "] = fill(1, -9, 9)\n%" y " = LinearInteger(%x, @" w ") {zero=3, to=9}\n"
#define IMAGE_SUMS(y, w) \
	"const @" w " : i8[16,16,3,3] = fill(1, -9, 9)\n%" y " = ConvInteger(%x, @" w \
	") {dilations=[1,1], group=1, strides=[1,1], pads=[1,1,1,1], zero=3, to=9}\n"

/* Two layers of one input are one kernel, if their weights are of one type; so a quantised highway's layer is one. */
START_TEST(test_side_by_side)
{
	static const struct {
		const char *text;
		int kernels;
	} found[] = {
		{ "input %x : u8[64,48]\n" SUMS("a", "v", "i8", "0.5") SUMS("b", "w", "i8", "0.25") "%y = Mul(%a, %b)\noutput %y\n", 1 },
		{ "input %x : u8[64,48]\n" SUMS("a", "v", "i8", "0.5") SUMS("b", "w", "i16", "0.25") "%y = Mul(%a, %b)\noutput %y\n", 2 },
		{ "input %x : u8[64,48]\n" ROW_SUMS("a", "v", "48", "48") ROW_SUMS("b", "w", "48", "48") RESCALED QUANTISED, 1 },
		{ "input %x : u8[1,16,8,8]\n" IMAGE_SUMS("a", "v") IMAGE_SUMS("b", "w") RESCALED QUANTISED, 1 },
		/* of one layer, cut where its sums are bytes already */
		{ "input %x : u8[64,48]\n" ROW_SUMS("o", "v", "48", "96") "%p = Requantize(%o, 0.01, 128)" BYTES
		  "%t = Slice(%p) {starts=[0,48], steps=[1,1]} : u8[64,48]\n%h = Slice(%p) {starts=[0,0], steps=[1,1]} : u8[64,48]\n" QUANTISED, 1 },
		/* tables of bytes that no layer gives have kernels of their own */
		{ "input %t : u8[64,48]\nconst @e : u8[256] = fill(7, 0, 255)\n%y = Lookup(%t, @e)\noutput %y\n", 1 },
	};
	struct arena arena = { 0 };

	for (size_t k = 0; k < 2 * sizeof(found) / sizeof(found[0]); k++) {
		const char *text = found[k / 2].text, *target = k % 2 == 0 ? "c" : "x86-64";
		const struct plan *p = plan_of(&arena, text, &(struct plan_options){ .target = target_find(target) });

		ck_assert_msg(p->nkernel == found[k / 2].kernels, "%s%s: %d kernels", text, target, p->nkernel);
	}
	arena_release(&arena);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plan");
	TCase *t = tcase_create("in place");
	SRunner *run = srunner_create(s);

	tcase_add_loop_test(t, test_case, 0, 2 * (int)(sizeof(cases) / sizeof(cases[0])));
	suite_add_tcase(s, t);
	t = tcase_create("side by side");
	tcase_add_test(t, test_side_by_side);
	suite_add_tcase(s, t);
	t = tcase_create("copies");
	tcase_add_loop_test(t, test_copies, 0, 2 * (int)(sizeof(copies) / sizeof(copies[0])));
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	const int failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed > 0;
}
