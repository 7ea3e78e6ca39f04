/* Kernels of integers: their sums are exact, and what the epilogue makes of them has a type of its own. */
#include "kernels/kernel.h"

/* The types of a template's input, weights, sums and results; and zero points. */
static void integer_types(
	struct kernel *k, const char *tx, const char *tw, const char *zero, const char *zero2)
{
	subst(k, tx, dtypes[k->anchor->in[0]->type].ctype);
	subst(k, tw, dtypes[k->anchor->in[1]->type].ctype);
	subst(k, "TS", dtypes[k->value->type].ctype);
	subst(k, "TY", dtypes[k->dst.type].ctype);
	subst(k, "FIRST", k->ngroup > 0 ? "0" : "a");
	param(k, zero, attr_int(k->anchor, "zero", 0));
	if (zero2 != NULL)
		param(k, zero2, attr_int(k->anchor, "zero2", 0));
}

/* Output channels of a block, of all stacked layers. */
static int integer_block(const struct kernel *k, int64_t outputs)
{
	const int most = 16 / (1 + k->nstacked);

	return outputs < most ? (int)outputs : most;
}

/* Those of vector/conv_integer: by sixteens, of which the most that divide them, up to 64. 0: none do. */
static int pair_block(int64_t outputs)
{
	int block = 64;

	while (block > 0 && outputs % block != 0)
		block -= 16;
	return block;
}

static void integer_tile(struct plan *p, struct kernel *k, int64_t outputs, int64_t pixels,
	int64_t groups, enum packing packing)
{
	const int block = packing == PACK_PAIRS ? pair_block(outputs) : integer_block(k, outputs);

	param(k, "G", groups);
	param(k, "K", outputs);
	param(k, "CHANNELS", block * (1 + k->nstacked));
	param(k, "TAIL", outputs % block != 0);
	share(k, "g", groups, 1, DIVIDES_BOTH);
	share(k, "k", outputs, block, DIVIDES_WEIGHTS);
	share(k, "p", pixels, 2, DIVIDES_INPUT);
	weights(p, k, &(struct blob){ .packing = packing, .group = (int)groups, .block = block });
	bias(p, k, (int)groups, block);
	stacking(k);
	param(k, "PAIRS", packing == PACK_PAIRS);
	integer_types(k, "TX", "TW", "XZ", NULL);
}

const char *applies_conv_integer(const struct kernel *k)
{
	return constant_weights(k) != NULL ? constant_weights(k) : applies_image(k);
}

double cost_conv_integer(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	return (double)shape_count(&k->value->shape) * (double)(shape_count(w) / w->dim[0]);
}

static void setup_window(struct plan *p, struct kernel *k, enum packing packing)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	const int64_t groups = attr_int(k->anchor, "group", 1), taps = shape_count(w) / w->dim[0];

	param(k, "PADDED", window(p, k, &w->dim[2]));
	param(k, "C", w->dim[1]);
	param(k, "TAPS", taps / w->dim[1]);
	integer_tile(
		p, k, w->dim[0] / groups, size_of(&k->value->shape, &k->coord[2]), groups, packing);
	k->macs = (1 + k->nstacked) * shape_count(&k->value->shape) * taps;
	k->title = arena_printf(
		p->arena, "conv%s_integer%s", window_text(p, k), groups > 1 ? "_grouped" : "");
}

void setup_conv_integer(struct plan *p, struct kernel *k)
{
	setup_window(p, k, PACK_CONV);
}

const char *applies_conv_integer_pairs(const struct kernel *k)
{
	const struct tensor *x = k->anchor->in[0], *w = k->anchor->in[1];

	if (applies_conv_integer(k) != NULL)
		return applies_conv_integer(k);
	if (k->nstacked > 0 || attr_int(k->anchor, "group", 1) != 1 || x->shape.rank > 4)
		return "it has groups, three dimensions, or several are computed together";
	if (dtypes[x->type].size != 1 || w->type != DT_I8 || k->value->type != DT_I32)
		return "its input or its weights have more than 8 bits";
	return pair_block(w->shape.dim[0]) > 0 ? NULL : "its outputs do not come by sixteens";
}

/* Half of what portable code takes, and the image is widened. */
double cost_conv_integer_pairs(const struct kernel *k)
{
	return 0.5 * cost_conv_integer(k) + 2.0 * (double)shape_count(&k->anchor->in[0]->shape);
}

/* The wide image has so many pixels along an axis: what lies before x, x, and what windows reach behind it. */
static int64_t wide_size(const struct kernel *k, int axis)
{
	const int spatial = k->anchor->in[0]->shape.rank - 2;
	int n;
	const int64_t *stride = attr_ints(k->anchor, "strides", &n),
		      *dilation = attr_ints(k->anchor, "dilations", &n),
		      *pad = attr_ints(k->anchor, "pads", &n);
	const int i = spatial - 2 + axis;

	if (i < 0)
		return 1;
	const int64_t x = k->anchor->in[0]->shape.dim[2 + i] + pad[i],
		      reach = (k->value->shape.dim[2 + i] - 1) * stride[i] +
			      (k->anchor->in[1]->shape.dim[2 + i] - 1) * dilation[i] + 1;

	return x > reach ? x : reach;
}

void setup_conv_integer_pairs(struct plan *p, struct kernel *k)
{
	const struct shape *x = &k->anchor->in[0]->shape, *w = &k->anchor->in[1]->shape;
	const int64_t ph = wide_size(k, 0), pw = wide_size(k, 1), pairs = (w->dim[1] + 1) / 2 * 2;

	setup_window(p, k, PACK_PAIRS);
	k->nshare = 0; /* the wide image is of all */
	param(k, "NB", pair_block(w->dim[0]));
	param(k, "PB", 6);
	param(k, "ODD", w->dim[1] % 2 != 0);
	param(k, "CLEAR", ph * pw * x->dim[0] * x->dim[1] > shape_count(x));
	param(k, "PH", ph);
	param(k, "PW", pw);
	param(k, "C2", pairs);
	k->scratch = (ph * pw * pairs * 2 + 63) / 64 * 64;
	k->scratch_name = "scratch";
	k->portable = "c/conv_integer";
}

/* A row of pixels, windows of one. */
void setup_linear_integer(struct plan *p, struct kernel *k)
{
	static const char *const ones[] = { "N", "D", "H", "Q", "R", "S", "OH", "STRIDE_D",
		"STRIDE_H", "STRIDE_W", "DIL_D", "DIL_H", "DIL_W", "TAPS" };
	static const char *const zeros[] = { "PADDED", "DEPTH", "PAD_D", "PAD_H", "PAD_W", "XN",
		"XD", "XH" };
	const struct shape *w = &k->anchor->in[1]->shape;
	const int rank = k->out->shape.rank;
	int64_t rows, xm, xk;

	linear_shape(k, &rows, &xm, &xk);
	for (size_t i = 0; i < sizeof(ones) / sizeof(ones[0]); i++)
		param(k, ones[i], 1);
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		param(k, zeros[i], 0);
	param(k, "W", rows);
	param(k, "OW", rows);
	param(k, "P", rows);
	param(k, "XW", xm);
	param(k, "XC", xk);
	param(k, "C", w->dim[0]);
	add_coord(k, span(0, 0));
	add_coord(k, span(rank - 1, rank));
	add_coord(k, span(0, rank - 1));
	integer_tile(p, k, w->dim[1], rows, 1, PACK_LINEAR);
	k->title = "linear_integer";
}

void setup_matmul_integer(struct plan *p, struct kernel *k)
{
	const struct shape *y = &k->value->shape;
	const int64_t n = y->dim[y->rank - 1];

	matmul_parameters(p, k, "u", "v");
	share(k, "m", y->dim[y->rank - 2], 1, DIVIDES_INPUT);
	param(k, "NB", n < 16 ? n : 16);
	param(k, "TAIL", n >= 16 && n % 16 != 0);
	integer_types(k, "TU", "TV", "UZ", "VZ");
	k->title = "matmul_integer";
}
