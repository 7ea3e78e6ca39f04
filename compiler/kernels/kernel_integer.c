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

static void integer_tile(struct plan *p, struct kernel *k, int64_t outputs, int64_t pixels,
	int64_t groups, enum packing packing)
{
	const int block = integer_block(k, outputs);

	param(k, "G", groups);
	param(k, "K", outputs);
	param(k, "KB", block * (1 + k->nstacked));
	param(k, "CHANNELS", block * (1 + k->nstacked));
	param(k, "STEP", block);
	param(k, "TAIL", outputs % block != 0);
	share(k, "g", groups, 1, DIVIDES_BOTH);
	share(k, "k", outputs, block, DIVIDES_WEIGHTS);
	share(k, "p", pixels, 2, DIVIDES_INPUT);
	weights(p, k, &(struct blob){ .packing = packing, .group = (int)groups, .block = block });
	bias(p, k, (int)groups, block);
	stacking(k);
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

void setup_conv_integer(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	const int64_t groups = attr_int(k->anchor, "group", 1), taps = shape_count(w) / w->dim[0];

	param(k, "PADDED", window(p, k, &w->dim[2]));
	param(k, "C", w->dim[1]);
	param(k, "TAPS", taps / w->dim[1]);
	integer_tile(p, k, w->dim[0] / groups, size_of(&k->value->shape, &k->coord[2]), groups,
		PACK_CONV);
	k->macs = (1 + k->nstacked) * shape_count(&k->value->shape) * taps;
	k->title = arena_printf(
		p->arena, "conv%s_integer%s", window_text(p, k), groups > 1 ? "_grouped" : "");
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
