/*
 * shapes() and fold() on small graphs in text form: the dynamic forms become static attributes, shape arithmetic
 * becomes constants, constants have the right values, and what cannot be compiled is refused with a reason.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L /* open_memstream */
#endif
#include "core/skipc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct diag diag;
static char *messages;
static size_t messages_size;

static void setup(void)
{
	messages = NULL;
	diag = (struct diag){ .path = "test", .to = open_memstream(&messages, &messages_size) };
}

static void teardown(void)
{
	fclose(diag.to);
	free(messages);
	arena_release(&arena);
}

/* Parsed, then shapes(), then fold() unless there were errors. */
static struct graph *run(const char *text)
{
	struct graph *g = text_parse(&arena, &diag, "test", text);

	fflush(diag.to);
	ck_assert_msg(g != NULL && diag.errors == 0, "%s", messages);
	shapes(g);
	if (diag.errors == 0) {
		graph_check(g, true);
		fold(g);
	}
	if (diag.errors == 0)
		graph_check(g, true);
	fflush(diag.to);
	return g;
}

static struct graph *fine(const char *text)
{
	struct graph *g = run(text);

	ck_assert_msg(diag.errors == 0, "%s", messages);
	return g;
}

static void refused(const char *text, const char *message)
{
	run(text);
	ck_assert_msg(diag.errors > 0, "not refused: %s", text);
	ck_assert_msg(strstr(messages, message) != NULL, "expected \"%s\" in: %s", message, messages);
}

static void check_shape(const struct tensor *t, int rank, const int64_t *dim)
{
	const struct shape s = { .rank = rank,
				 .dim = { dim[0], rank > 1 ? dim[1] : 0, rank > 2 ? dim[2] : 0, rank > 3 ? dim[3] : 0 } };

	ck_assert(t->known);
	ck_assert_int_eq(t->shape.rank, rank);
	for (int k = 0; k < rank; k++)
		ck_assert_msg(t->shape.dim[k] == s.dim[k], "dimension %d is %lld, not %lld", k, (long long)t->shape.dim[k],
			      (long long)s.dim[k]);
}
#define SHAPE(t, ...) \
	check_shape(t, sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), (const int64_t[]){ __VA_ARGS__ })

static void check_ints(const struct node *n, const char *name, int want, const int64_t *v)
{
	int count;
	const int64_t *have = attr_ints(n, name, &count);

	ck_assert_msg(count == want, "%s has %d entries", name, count);
	for (int k = 0; k < count; k++)
		ck_assert_msg(have[k] == v[k], "%s[%d] is %lld", name, k, (long long)have[k]);
}
#define INTS(n, name, ...) \
	check_ints(n, name, sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t), (const int64_t[]){ __VA_ARGS__ })

static void check_values(const struct tensor *t, int count, const double *v)
{
	ck_assert_msg(is_const(t), "%s is not constant", t->name);
	ck_assert_int_eq(shape_count(&t->shape), count);
	for (int k = 0; k < count; k++)
		ck_assert_msg(const_f64(t, k) - v[k] < 1e-9 && v[k] - const_f64(t, k) < 1e-9, "element %d is %.17g, not %g", k,
			      const_f64(t, k), v[k]);
}
#define VALUES(t, ...) \
	check_values(t, sizeof((double[]){ __VA_ARGS__ }) / sizeof(double), (const double[]){ __VA_ARGS__ })

static const char *op_of(const struct tensor *t)
{
	return t->def != NULL ? t->def->op->name : "constant";
}

#define X "input %x : f32[2,6,8,10]\n"

/* ---- views ---- */

START_TEST(test_reshape)
{
	struct graph *g = fine(X "const @s : i64[3] = {0, -1, 20}\n%1 = Reshape(%x, @s)\noutput %1\n");

	SHAPE(g->output[0], 2, 24, 20);
	ck_assert_int_eq(g->output[0]->def->nin, 1);
}
END_TEST

START_TEST(test_slice_clamps)
{
	struct graph *g = fine(X "const @b : i64[3] = {0, -1, -3}\n"
				 "const @e : i64[3] = {9223372036854775807, -9223372036854775807, 100}\n"
				 "const @a : i64[3] = {1, 2, -1}\nconst @s : i64[3] = {4, -3, 1}\n"
				 "%1 = Slice(%x, @b, @e, @a, @s)\noutput %1\n");

	SHAPE(g->output[0], 2, 2, 3, 3);
	INTS(g->output[0]->def, "starts", 0, 0, 7, 7);
	INTS(g->output[0]->def, "steps", 1, 4, -3, 1);
}
END_TEST

START_TEST(test_views_become_reshape)
{
	struct graph *g = fine(X "const @a : i64[2] = {0, -1}\nconst @v : f32[6] = fill(1)\n%1 = Unsqueeze(%x, @a)\n"
				 "%2 = Squeeze(%1, @a)\n%3 = Flatten(%2) {axis=-2}\n%c = Channel(@v, %x)\n%4 = Add(%x, %c)\n"
				 "output %3\noutput %4\n");

	SHAPE(g->output[0], 12, 80);
	ck_assert_str_eq(op_of(g->output[0]), "Reshape");
	ck_assert(is_const(g->output[1]->def->in[1]));
	SHAPE(g->output[1]->def->in[1], 6, 1, 1);
}
END_TEST

START_TEST(test_pad)
{
	struct graph *g = fine(X "const @p : i64[4] = {1, -2, 3, 4}\nconst @a : i64[2] = {1, -1}\n"
				 "%1 = Pad(%x, @p, 0.5, @a)\noutput %1\n");

	SHAPE(g->output[0], 2, 10, 8, 12);
	INTS(g->output[0]->def, "pads", 0, 1, 0, -2, 0, 3, 0, 4);
	ck_assert(attr_float(g->output[0]->def, "value", 0) == 0.5);
}
END_TEST

START_TEST(test_pad_reflects_what_is_left)
{
	struct graph *g = fine("const @x : f32[5] = {0, 1, 2, 3, 4}\nconst @p : i64[2] = {-1, 2}\ninput %u : f32[1]\n"
			       "%1 = Pad(@x, @p) {mode=\"reflect\"}\n%2 = Mul(%1, %u)\noutput %2\n");

	VALUES(g->output[0]->def->in[0], 1, 2, 3, 4, 3, 2);
}
END_TEST

START_TEST(test_split)
{
	struct graph *g = fine(X "%1, %2, %3 = Split(%x) {axis=3, num_outputs=3}\noutput %1\noutput %3\n");

	SHAPE(g->output[0], 2, 6, 8, 4);
	SHAPE(g->output[1], 2, 6, 8, 2);
	INTS(g->output[1]->def, "starts", 0, 0, 0, 8);
	ck_assert_str_eq(op_of(g->output[1]), "Slice");
}
END_TEST

START_TEST(test_sequence)
{
	struct graph *g = fine(X "const @n : i64[] = 4\nconst @k : i64[] = -1\n%1 = SplitToSequence(%x, @n) {axis=1}\n"
				 "%2 = SequenceAt(%1, @k)\n%3 = SplitToSequence(%x) {axis=1, keepdims=0}\n"
				 "%4 = SequenceAt(%3, @k)\noutput %2\noutput %4\n");

	SHAPE(g->output[0], 2, 2, 8, 10);
	INTS(g->output[0]->def, "starts", 0, 4, 0, 0);
	SHAPE(g->output[1], 2, 8, 10);
}
END_TEST

/* Indices that are a grid become Slices; others rows of a Gather or a Scatter, whose indices are positions. */
START_TEST(test_gather_forms)
{
	struct graph *g = fine(X "const @a : i64[2,2] = {0, 1, 0, 3}\nconst @b : i64[3,2] = {0, 1, 1, 3, 0, -1}\n"
				 "const @e : i64[2,6,2,10] = fill(1)\ninput %i : i32[4,2]\n%1 = GatherND(%x, @a)\n"
				 "%2 = GatherND(%x, @b)\n%4 = GatherND(%x, %i)\n"
				 "output %1\noutput %2\noutput %4\n");

	SHAPE(g->output[0], 2, 8, 10);
	SHAPE(g->output[1], 3, 8, 10);
	SHAPE(g->output[2], 4, 8, 10);
	ck_assert_str_eq(op_of(g->output[2]->def->in[0]), "Gather");
	SHAPE(g->output[2]->def->in[0]->def->in[0], 12, 8, 10);
}
END_TEST

START_TEST(test_scatter_forms)
{
	struct graph *g = fine("input %x : f32[4,6]\ninput %u : f32[4,1]\ninput %v : f32[3]\ninput %i : i64[3,2]\n"
			       "const @c : i64[4,1] = {2, 2, 2, -4}\nconst @d : i64[3,2] = {0, 1, 3, 3, 0, 1}\n"
			       "%1 = ScatterElements(%x, @c, %u) {axis=1}\n%2 = ScatterND(%x, @d, %v)\n"
			       "%3 = ScatterND(%x, %i, %v) {reduction=\"add\"}\noutput %1\noutput %2\noutput %3\n");

	ck_assert_str_eq(op_of(g->output[0]), "Concat");
	ck_assert_int_eq(g->output[0]->def->nin, 3);
	VALUES(g->output[1]->def->in[0]->def->in[1], 1, 21, 1);
	ck_assert_str_eq(op_of(g->output[2]->def->in[0]), "Scatter");
	SHAPE(g->output[2], 4, 6);
}
END_TEST

START_TEST(test_sorted_and_masked)
{
	struct graph *g = fine("input %x : f32[4,6]\nconst @k : i64[1] = 2\nconst @a : i64[] = -1\nconst @c : f32[3] = {1, 3, 2}\n"
			       "const @v : f32[2] = {0, 1}\nconst @n : i64[] = 3\ninput %i : i64[5]\ninput %y : f32[3]\n"
			       "%1 = TopK(%x, @k) {axis=0}\n%2 = CumSum(%x, @a) {reverse=1}\n%3 = TopK(@c, @k)\n"
			       "%4 = CumSum(@c, @a) {exclusive=1}\n%5 = OneHot(%i, @n, @v) {axis=0}\n%6 = Trilu(%x)\n"
			       "%7 = Gather(%y, %3)\n%8 = Add(%4, %y)\noutput %1\noutput %2\noutput %7\noutput %8\n"
			       "output %5\noutput %6\n");

	SHAPE(g->output[0], 2, 6);
	ck_assert_int_eq(g->output[0]->type, DT_I64);
	SHAPE(g->output[1], 4, 6);
	ck_assert_int_eq(attr_int(g->output[1]->def, "axis", 9), 1);
	INTS(g->output[2]->def, "starts", 1);
	VALUES(g->output[3]->def->in[0], 0, 1, 4);
	SHAPE(g->output[4], 3, 5);
	ck_assert_str_eq(op_of(g->output[5]), "Where");
}
END_TEST

START_TEST(test_images)
{
	struct graph *g = fine("input %x : f32[1,12,9]\nconst @i : i64[2] = {6, 8}\nconst @b : i64[2] = {2, 3}\n"
			       "const @s : i64[4] = {2, 3, 4, 5}\ninput %t : f32[2,2,3]\ninput %y : f32[2,3,7,7]\n"
			       "%1 = Col2Im(%x, @i, @b) {strides=[2,2], dilations=[2,1], pads=[1,0,0,0]}\n"
			       "%2 = AffineGrid(%t, @s)\n%3 = GridSample(%y, %2)\noutput %1\noutput %3\n");

	SHAPE(g->output[0], 1, 2, 6, 8);
	SHAPE(g->output[1], 2, 3, 4, 5);
	SHAPE(g->output[1]->def->in[1], 2, 4, 5, 2);
}
END_TEST

START_TEST(test_blocks)
{
	struct graph *g = fine("input %x : f32[1,8,3,5]\n%1 = DepthToSpace(%x) {blocksize=2}\n"
			       "%2 = SpaceToDepth(%1) {blocksize=2, mode=\"CRD\"}\noutput %1\noutput %2\n");

	SHAPE(g->output[0], 1, 2, 6, 10);
	SHAPE(g->output[1], 1, 8, 3, 5);
}
END_TEST

START_TEST(test_gather)
{
	struct graph *g = fine(X "const @a : i64[] = -1\nconst @b : i64[4] = {7, 5, 3, 1}\nconst @c : i64[4] = {0, 1, 5, 2}\n"
				 "const @d : i64[10] = {0, 0, 0, 0, 0, 0, 0, 0, 0, -1}\n%1 = Gather(%x, @a) {axis=1}\n"
				 "%2 = Gather(%x, @b) {axis=2}\n%3 = Gather(%x, @c) {axis=1}\n%4 = Gather(%x, @d) {axis=1}\n"
				 "output %1\noutput %2\noutput %3\noutput %4\n");

	SHAPE(g->output[0], 2, 8, 10);
	INTS(g->output[1]->def, "steps", 1, 1, -2, 1);
	ck_assert_str_eq(op_of(g->output[2]), "Concat");
	ck_assert_int_eq(g->output[2]->def->nin, 2);
	SHAPE(g->output[2], 2, 4, 8, 10);
	ck_assert_str_eq(op_of(g->output[3]), "Gather");
	ck_assert_int_eq(const_i64(g->output[3]->def->in[1], 9), 5);
}
END_TEST

START_TEST(test_expand_and_tile)
{
	struct graph *g = fine(X "const @s : i64[5] = {3, 1, 1, 8, 1}\nconst @t : i64[4] = {1, 2, 1, 20}\n"
				 "%1 = Expand(%x, @s)\n%2 = Tile(%x, @t)\noutput %1\noutput %2\n");

	SHAPE(g->output[0]->def->in[0], 2, 6, 8, 10);
	ck_assert_int_eq(g->output[0]->shape.rank, 5);
	SHAPE(g->output[1], 2, 12, 8, 200);
}
END_TEST

/* torch's y[:, 1:4] = x, in its exported form. */
START_TEST(test_scatter_block)
{
	struct graph *g = fine("input %x : f32[3,2,5]\nconst @y : f32[6,2,5] = 0\nconst @z : f32[6,2,5] = fill(3)\n"
			       "const @i : i64[3,1] = {1, 2, 3}\n%1 = ScatterND(@y, @i, %x)\n%2 = ScatterND(@z, @i, %x)\n"
			       "output %1\noutput %2\n");

	ck_assert_str_eq(op_of(g->output[0]), "Pad");
	INTS(g->output[0]->def, "pads", 1, 0, 0, 2, 0, 0);
	ck_assert_str_eq(op_of(g->output[1]), "Concat");
	ck_assert_int_eq(g->output[1]->def->nin, 3);
	SHAPE(g->output[1], 6, 2, 5);
}
END_TEST

/* ---- windows ---- */

START_TEST(test_conv)
{
	struct graph *g = fine(X "const @w : f32[4,3,3,2] = fill(1)\nconst @b : f32[4] = fill(2)\n"
				 "%1 = Conv(%x, @w, @b) {group=2, strides=[2,1], auto_pad=\"SAME_LOWER\"}\noutput %1\n");

	SHAPE(g->output[0], 2, 4, 4, 10);
	INTS(g->output[0]->def, "pads", 1, 1, 0, 0);
	INTS(g->output[0]->def, "dilations", 1, 1);
}
END_TEST

/* A transposed convolution turns its weights, and becomes one of an image that is spread. */
START_TEST(test_conv_transpose)
{
	struct graph *g = fine("input %x : f32[1,4,5,6]\nconst @w : f32[4,3,3,2] = fill(1)\nconst @b : f32[6] = fill(2)\n"
			       "%1 = ConvTranspose(%x, @w, @b) {group=2, strides=[2,1], pads=[1,0,0,2], output_padding=[1,0]}\n"
			       "%2 = ConvTranspose(%x, @w) {group=2, strides=[2,3], output_shape=[9,16]}\n"
			       "%3 = ConvTranspose(%x, @w) {group=2, pads=[1,0,1,1]}\n"
			       "%4 = ConvTranspose(%x, @w) {group=2, strides=[2,3], auto_pad=\"SAME_LOWER\"}\n"
			       "output %1\noutput %2\noutput %3\noutput %4\n");

	SHAPE(g->output[0], 1, 6, 11, 5);
	INTS(g->output[0]->def, "pads", 1, 1, 3, -1);
	INTS(g->output[0]->def, "spread", 2, 1);
	SHAPE(g->output[0]->def->in[1], 6, 2, 3, 2);
	SHAPE(g->output[1], 1, 6, 9, 16);
	INTS(g->output[1]->def, "pads", 1, 0, 1, 1); /* of two rows and one column too many */
	SHAPE(g->output[2], 1, 6, 5, 6);
	INTS(g->output[2]->def, "pads", 1, 1, 1, 0);
	ck_assert_ptr_null(node_attr(g->output[2]->def, "spread"));
	SHAPE(g->output[3], 1, 6, 10, 17); /* of a column of zeros less than three for each element */
	INTS(g->output[3]->def, "pads", 1, 1, 2, 1);
}
END_TEST

/* Of two channels each, in two groups: [1 2] and [3 4] spread by 2, w turned. */
START_TEST(test_conv_transpose_values)
{
	struct graph *g = fine("const @x : f32[1,2,2] = {1, 2, 3, 4}\nconst @w : f32[2,1,3] = {1, 10, 100, 5, 6, 7}\n"
			       "%1 = ConvTranspose(@x, @w) {strides=[2], group=2}\n%2 = ConvTranspose(@x, @w) {strides=[3]}\n"
			       "%3 = Relu(%1)\n%4 = Relu(%2)\noutput %3\noutput %4\n");
	const double grouped[] = { 1, 10, 102, 20, 200, 15, 18, 41, 24, 28 }, joined[] = { 16, 28, 121, 22, 44, 228 };

	for (int k = 0; k < 10; k++)
		ck_assert_double_eq(const_f64(g->output[0], k), grouped[k]);
	for (int k = 0; k < 6; k++)
		ck_assert_double_eq(const_f64(g->output[1], k), joined[k]);
}
END_TEST

START_TEST(test_pool_ceil_mode)
{
	/* the third window would start in the padding behind the input: there are two */
	struct graph *g = fine("input %x : f32[1,1,4,5]\n%1 = MaxPool(%x) {kernel_shape=[2,2], strides=[3,2], "
			       "pads=[1,0,1,0], ceil_mode=1}\noutput %1\n");

	SHAPE(g->output[0], 1, 1, 2, 3);
	ck_assert(infer(g, g->output[0]->def)); /* static now: the same again */
	SHAPE(g->output[0], 1, 1, 2, 3);
}
END_TEST

START_TEST(test_resize)
{
	struct graph *g = fine("input %x : f32[1,2,10,7]\nconst @s : f32[4] = {1, 1, 0.7, 2}\n"
			       "const @z : i64[4] = {1, 2, 5, 14}\n%1 = Resize(%x, _, @s)\n%2 = Resize(%x, _, _, @z)\n"
			       "output %1\noutput %2\n");

	SHAPE(g->output[0], 1, 2, 7, 14); /* 10 * 0.7f is 7 in float, less in double */
	SHAPE(g->output[1], 1, 2, 5, 14);
	ck_assert(node_attr(g->output[1]->def, "scales")->f[2] == 0.5);
}
END_TEST

START_TEST(test_resize_axes)
{
	/* 1.3 times 3 is 3 and resampled; 1 is nothing at all; others than the image are turned to be one */
	struct graph *g = fine("input %x : f32[1,2,4,3]\nconst @s : f32[4] = {1, 1, 2, 1.3}\n"
			       "const @one : f32[4] = {1, 1, 1, 1}\nconst @h : f32[4] = {1, 2, 2, 1}\n"
			       "const @z : i64[2] = {7, 7}\nconst @r : f32[8] = {0, 0, 0.5, 0, 1, 1, 1, 1}\n"
			       "%1 = Resize(%x, _, @s)\n%2 = Resize(%x, _, @one)\n%3 = Resize(%x, _, @h)\n"
			       "%4 = Resize(%x, _, _, @z) {axes=[-1,2], keep_aspect_ratio_policy=\"not_larger\"}\n"
			       "%5 = Resize(%x, @r, @one) {coordinate=\"tf_crop_and_resize\"}\n%6 = Relu(%2)\n"
			       "output %1\noutput %3\noutput %4\noutput %5\noutput %6\n");
	const struct attr *scales = node_attr(g->output[0]->def, "scales");

	SHAPE(g->output[0], 1, 2, 8, 3);
	ck_assert(scales->f[3] > 1.29 && scales->f[3] < 1.31);
	SHAPE(g->output[1], 1, 4, 8, 3);
	ck_assert(is_op(g->output[1]->def, "Transpose"));
	SHAPE(g->output[2], 1, 2, 7, 5); /* by 7 / 4 */
	SHAPE(g->output[3], 1, 2, 4, 3);
	ck_assert(is_op(g->output[3]->def, "Resize"));
	ck_assert(g->output[4]->def->in[0]->is_input);
}
END_TEST

/* ---- axes and products ---- */

START_TEST(test_reduce)
{
	struct graph *g = fine(X "const @a : i64[2] = {-1, 2}\n%1 = ReduceMean(%x, @a) {keepdims=0}\n"
				 "%2 = ReduceSum(%x) {noop_with_empty_axes=1}\n%3 = ReduceMax(%x) {spatial=1}\n%4 = Relu(%2)\n"
				 "output %1\noutput %3\noutput %4\n");

	SHAPE(g->output[0], 2, 6);
	INTS(g->output[0]->def, "axes", 2, 3);
	SHAPE(g->output[1], 2, 6, 1, 1);
	ck_assert(g->output[2]->def->in[0]->is_input);
}
END_TEST

START_TEST(test_matmul_of_vectors)
{
	struct graph *g = fine("input %x : f32[5]\ninput %y : f32[3,5,4]\ninput %z : f32[4]\n%1 = MatMul(%x, %y)\n"
			       "%2 = MatMul(%y, %z)\noutput %1\noutput %2\n");

	SHAPE(g->output[0], 3, 4);
	SHAPE(g->output[1], 3, 5);
	for (const struct node *n = g->first; n != NULL; n = n->next)
		if (strcmp(n->op->name, "MatMul") == 0)
			ck_assert(n->in[0]->shape.rank >= 2 && n->in[1]->shape.rank >= 2);
}
END_TEST

/* ---- constants ---- */

/* torch's list of pads: ConstantOfShape; Concat; Reshape; Slice backwards; Transpose; Reshape; Cast. */
START_TEST(test_pad_clutter)
{
	struct graph *g = fine(X "const @two : i64[1] = 4\nconst @k : i64[4] = {0, 0, 1, 2}\nconst @m : i64[2] = {-1, 2}\n"
				 "const @b : i64[1] = -1\nconst @e : i64[1] = -9223372036854775807\nconst @z : i64[1] = 0\n"
				 "const @f : i64[1] = -1\n%0 = ConstantOfShape(@two)\n%00 = Cast(%0) {to=11}\n"
				 "%1 = Concat(@k, %00) {axis=0}\n%2 = Reshape(%1, @m)\n%3 = Slice(%2, @b, @e, @z, @f)\n"
				 "%4 = Transpose(%3) {perm=[1,0]}\n%5 = Reshape(%4, @f)\n%6 = Pad(%x, %5)\noutput %6\n");

	SHAPE(g->output[0], 2, 6, 11, 10);
	INTS(g->output[0]->def, "pads", 0, 0, 1, 0, 0, 0, 2, 0);
	ck_assert_ptr_eq(g->first, g->last);
}
END_TEST

START_TEST(test_shape_arithmetic)
{
	struct graph *g = fine(X "const @i : i64[] = 1\nconst @q : i64[] = -4\nconst @u : i64[1] = 0\nconst @m : i64[1] = -1\n"
				 "%1 = Shape(%x)\n%2 = Gather(%1, @i)\n%3 = Mul(%2, @q)\n%4 = Div(%3, @q)\n"
				 "%5 = Unsqueeze(%4, @u)\n%6 = Concat(@m, %5) {axis=0}\n%7 = Reshape(%x, %6)\noutput %7\n");

	SHAPE(g->output[0], 160, 6);
}
END_TEST

START_TEST(test_float_steps)
{
	/* 10 * 0.1f is 1 in float and a little more in double */
	struct graph *g = fine("const @a : f32[1] = {0.100000001490116}\ninput %x : f32[1]\n%1 = Mul(@a, 10)\n%2 = Ceil(%1)\n"
			       "%3 = Add(%2, %x)\noutput %3\n");

	VALUES(g->output[0]->def->in[0], 1);
}
END_TEST

START_TEST(test_integers)
{
	struct graph *g = fine("const @a : i64[4] = {9223372036854775807, -7, 7, 5}\nconst @b : i64[4] = {1, 2, -2, 3}\n"
			       "input %x : i64[4]\n%1 = Min(@a, @b)\n%2 = Mod(@a, @b)\n%3 = Div(@a, @b)\n"
			       "%4 = Less(@a, @b)\n%5 = Where(%4, %2, %3)\n%6 = Add(%1, %x)\n%7 = Add(%5, %x)\n"
			       "output %6\noutput %7\n");

	VALUES(g->output[0]->def->in[0], 1, -7, -2, 3);
	VALUES(g->output[1]->def->in[0], 9223372036854775807.0, 1, -3, 1);
}
END_TEST

/* A weight standardised as timm's StdConv exports it. */
START_TEST(test_standardised_weight)
{
	struct graph *g = fine("input %x : f32[1,2,1,2]\nconst @w : f32[1,2,3] = {1, 2, 3, 2, 4, 6}\nconst @s : f32[2] = 1\n"
			       "const @z : f32[2] = 0\n%1 = BatchNorm(@w, @s, @z, @z, @s) {training=1, epsilon=0.0}\n"
			       "%2 = MatMul(%x, %1)\noutput %2\n");
	const double a = 1.224744871391589;

	VALUES(g->output[0]->def->in[1], -a, 0, a, -a, 0, a);
}
END_TEST

START_TEST(test_arithmetic_of_constants)
{
	struct graph *g = fine(
		"input %x : f32[1]\nconst @a : f32[2,3] = {1, 2, 3, 4, 5, 6}\nconst @b : f32[3,2] = {1, 0, 0, 1, 2, 2}\n"
		"const @i : f32[1,1,4] = {1, 2, 3, 4}\nconst @w : f32[1,1,2] = {1, -1}\n%1 = MatMul(@a, @b)\n"
		"%2 = ReduceL2(@a) {keepdims=0}\n%3 = Conv(@i, @w) {pads=[1,0], strides=[2]}\n%4 = Softmax(@b) {axis=1}\n"
		"%5 = Normalize(@a) {axis=-1, epsilon=0.0}\n%6 = Mul(%1, %x)\n%7 = Mul(%2, %x)\n%8 = Mul(%3, %x)\n"
		"%9 = Mul(%4, %x)\n%10 = Mul(%5, %x)\noutput %6\noutput %7\noutput %8\noutput %9\noutput %10\n");
	const double e = 0.7310585786300049, a = 1.224744871391589;

	VALUES(g->output[0]->def->in[0], 7, 8, 16, 17);
	VALUES(g->output[1]->def->in[0], 9.539392014169456);
	VALUES(g->output[2]->def->in[0], -1, -1);
	VALUES(g->output[3]->def->in[0], e, 1 - e, 1 - e, e, 0.5, 0.5);
	VALUES(g->output[4]->def->in[0], -a, 0, a, -a, 0, a);
}
END_TEST

START_TEST(test_lazy)
{
	struct graph *g = fine("input %x : f32[1,300]\nconst @w : f32[300,300] = fill(1)\nconst @s : f32[300] = fill(2)\n"
			       "%1 = Mul(@w, @s)\n%2 = Transpose(%1)\n%3 = MatMul(%x, %2)\n%4 = ReduceSum(%1) {axes=[0]}\n"
			       "%5 = Add(%3, %4)\noutput %5\n");
	struct node *add = g->output[0]->def;
	const struct tensor *w = add->in[0]->def->in[1], *plain = w->def->in[0]->def->in[0], *s = w->def->in[0]->def->in[1];
	struct arena scratch = { 0 };
	double *v, sum = 0;

	ck_assert(is_lazy_const(w) && !is_const(w));
	ck_assert(is_const(add->in[1]));
	v = lazy_f64(&scratch, g, w);
	for (int k = 0; k < 300; k++)
		sum += v[7 * 300 + k];
	ck_assert(v[7 * 300 + 5] == const_f64(plain, 5 * 300 + 7) * const_f64(s, 7));
	ck_assert(sum - const_f64(add->in[1], 7) < 1e-12 && const_f64(add->in[1], 7) - sum < 1e-12);
	ck_assert(is_lazy_const(w));
	arena_release(&scratch);
}
END_TEST

/* A chain of 80 lazy nodes is cut, so that nothing recurses that deep; views of lazy constants. */
START_TEST(test_lazy_chain)
{
	struct buf b = { 0 };
	struct arena scratch = { 0 };

	buf_puts(&b, "input %x : f32[1,440]\nconst @w : f32[300,220] = fill(1)\nconst @s : i64[2] = {-1, 440}\n%0 = Neg(@w)\n");
	for (int k = 1; k < 80; k++)
		buf_printf(&b, "%%%d = Neg(%%%d)\n", k, k - 1);
	buf_puts(&b, "%r = Reshape(%79, @s)\n%c = Concat(%r, %r) {axis=0}\n%t = Transpose(%c)\n"
		     "%y = MatMul(%x, %t)\noutput %y\n");
	struct graph *g = fine(b.data);
	struct tensor *t = g->output[0]->def->in[1];
	double *v = lazy_f64(&scratch, g, t);

	SHAPE(t, 440, 300);
	ck_assert(is_lazy_const(t) && t->lazy <= 64);
	ck_assert(v[3 * 300 + 1] == v[3 * 300 + 151]); /* the two halves */
	ck_assert(v[3 * 300 + 1] == const_f64(text_parse(&arena, &diag, "w", "const @w : f32[300,220] = fill(1)\n"
									    "%y = Neg(@w)\noutput %y\n")->first->in[0],
					      443)); /* 80 signs */
	buf_release(&b);
	arena_release(&scratch);
}
END_TEST

/* ---- refusals ---- */

static const struct {
	const char *text, *message;
} refusals[] = {
	{ "input %x : f32[1,8,56,56]\nconst @w : f32[64,6,3,3] = fill(1)\n%1 = Conv(%x, @w)\noutput %1\n",
	  "weight has 6 input channels, input has 8" },
	{ "input %x : f32[1,8,5,5]\nconst @w : f32[4,8,3,3] = fill(1)\nconst @b : f32[8] = 0\n%1 = Conv(%x, @w, @b)\noutput %1\n",
	  "bias is [8], weight has 4 output channels" },
	{ "input %x : f32[1,8,2,2]\nconst @w : f32[4,8,3,3] = fill(1)\n%1 = Conv(%x, @w)\noutput %1\n",
	  "its window spans 3, the padded input has 2" },
	{ "input %x : f32[1,8,5,5]\nconst @w : f32[4,8,3,3] = fill(1)\n%1 = ConvTranspose(%x, @w)\noutput %1\n",
	  "1 groups of a weight [4,8,3,3] do not fit an input of 8 channels" },
	{ "input %x : f32[1,8,5,5]\nconst @w : f32[8,4,3,3] = fill(1)\n%1 = ConvTranspose(%x, @w) {pads=[4,0,3,0]}\noutput %1\n",
	  "its output has 0 in spatial dimension 0" },
	{ "input %x : f32[1,8,5,5]\nconst @w : f32[8,4,1,1] = fill(1)\n%1 = ConvTranspose(%x, @w) {strides=[99,99]}\noutput %1\n",
	  "its strides are too large" },
	{ X "const @b : f32[6] = 0\n%1 = Add(%x, @b)\noutput %1\n", "do not go together" },
	{ X "const @s : i64[2] = {7, -1}\n%1 = Reshape(%x, @s)\noutput %1\n", "cannot become" },
	{ X "input %s : i64[2]\n%1 = Reshape(%x, %s)\noutput %1\n", "its shape is computed at run time" },
	{ X "const @b : i64[1] = 3\n%1 = Slice(%x, @b, @b)\noutput %1\n", "empty tensor" },
	{ X "const @i : i64[1,1] = 9\nconst @u : f32[1,6,8,10] = fill(1)\n%1 = ScatterND(%x, @i, @u)\noutput %1\n",
	  "index 9 into a dimension of 2" },
	{ X "const @i : i64[1,1] = -3\n%1 = GatherND(%x, @i)\noutput %1\n", "index -3 into a dimension of 2" },
	{ X "const @k : i64[1] = 9\n%1 = TopK(%x, @k) {axis=1}\noutput %1\n", "9 of 6 elements of f32" },
	{ X "%1 = DepthToSpace(%x) {blocksize=2}\noutput %1\n", "blocks of 2 do not fit [2,6,8,10]" },
	{ X "const @s : i64[2] = {6, 0}\n%1, %2 = Split(%x, @s) {axis=1}\noutput %1\noutput %2 # \"second\"\n",
	  "output \"second\" is an empty tensor, [2,0,8,10]" },
	{ "input %x : f32[1,12,9]\nconst @i : i64[2] = {6, 8}\nconst @b : i64[2] = {2, 3}\n%1 = Col2Im(%x, @i, @b)\noutput %1\n",
	  "30 blocks of 6 elements do not fit [1,12,9]" },
	{ X "input %g : f32[2,3,3,3]\n%1 = GridSample(%x, %g)\noutput %1\n", "grid [2,3,3,3] does not fit [2,6,8,10]" },
	{ X "%1 = NonZero(%x)\noutput %1\n", "it is compiled for constants only" },
	{ X "const @s : i64[6] = {99999, 99999, 2, 6, 8, 10}\n%1 = Expand(%x, @s)\noutput %1\n", "2^31-1" },
	{ X "%1 = SplitToSequence(%x) {axis=1}\n%2 = Relu(%1)\noutput %2\n", "is a sequence" },
	{ X "const @v : f32[6] = 1\n%1 = BatchNorm(%x, @v, @v, @v, @v) {training=1}\noutput %1\n", "training mode" },
	{ X "input %i : i64[2]\nconst @u : i64[2] = 1\n%1 = Add(%x, %i)\noutput %1\n", "of different types" },
	{ X "%1 = Transpose(%x) {perm=[0,1,1,2]}\noutput %1\n", "not a permutation" },
	{ X "const @p : i64[8] = {0, 0, 8, 0, 0, 0, 0, 0}\n%1 = Pad(%x, @p) {mode=\"reflect\"}\noutput %1\n", "do not fit dimension 2" },
};

START_TEST(test_refusals)
{
	refused(refusals[_i].text, refusals[_i].message);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_reshape, test_slice_clamps, test_views_become_reshape, test_pad, test_pad_reflects_what_is_left,
		test_split, test_sequence, test_gather, test_gather_forms,
		test_scatter_forms, test_sorted_and_masked, test_images, test_blocks, test_expand_and_tile, test_scatter_block, test_conv,
		test_conv_transpose, test_conv_transpose_values, test_pool_ceil_mode, test_resize, test_resize_axes, test_reduce,
		test_matmul_of_vectors, test_pad_clutter, test_shape_arithmetic, test_float_steps, test_integers,
		test_standardised_weight, test_arithmetic_of_constants, test_lazy, test_lazy_chain,
	};
	Suite *s = suite_create("shape");
	TCase *c = tcase_create("shape");
	SRunner *r = srunner_create(s);

	tcase_add_checked_fixture(c, setup, teardown);
	for (size_t k = 0; k < sizeof(tests) / sizeof(tests[0]); k++)
		tcase_add_test(c, tests[k]);
	tcase_add_loop_test(c, test_refusals, 0, sizeof(refusals) / sizeof(refusals[0]));
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
