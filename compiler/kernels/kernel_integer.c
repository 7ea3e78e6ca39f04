/* Kernels of integers: their sums are exact, and what the epilogue makes of them has a type of its own. */
#include "integers/integers.h"
#include "kernels/kernel.h"

#include <math.h>
#include <string.h>

void integer_types(struct kernel *k, const char *tx, const char *tw)
{
	subst(k, tx, dtypes[k->anchor->in[0]->type].ctype);
	subst(k, tw, dtypes[k->anchor->in[1]->type].ctype);
	subst(k, "TS", dtypes[k->value->type].ctype);
	subst(k, "TY", dtypes[k->dst.type].ctype);
	subst(k, "FIRST", k->ngroup > 0 ? "0" : "a");
}

/* ---- sums ---- */

/* Outputs of a block, of each layer that is stacked: all, but no more than whose sums lie near. */
static int integer_block(int64_t outputs)
{
	enum { MOST = 64 };

	return outputs < MOST ? (int)outputs : MOST;
}

bool fold_zero(const struct node *n, int64_t outputs, int64_t less, int32_t *v)
{
	const struct tensor *w = n->in[1], *b = n->nin > 2 ? n->in[2] : NULL;
	const int64_t count = shape_count(&w->shape), zero = attr_int(n, "zero", 0) - less;
	const bool matrix = w->shape.rank == 2; /* [C, K] */
	struct arena scratch = { 0 };
	double *sum = arena_alloc(&scratch, (size_t)(outputs + 1) * sizeof(*sum)), low, high;
	double *size = arena_alloc(&scratch, (size_t)(outputs + 1) * sizeof(*size));
	bool fits = true;

	type_range(n->in[0]->type, &low, &high);
	for (int64_t i = 0; i < count; i++) {
		const int64_t k = matrix ? i % outputs : i / (count / outputs);

		sum[k] += const_f64(w, i);
		size[k] += fabs(const_f64(w, i)) * fmax((double)less - low, high - (double)less);
	}
	for (int64_t k = 0; k < outputs && fits; k++) {
		const double own = b != NULL ? const_f64(b, shape_count(&b->shape) > 1 ? k : 0) : 0.0,
			     all = own - (double)zero * sum[k];

		fits = fabs(all) <= INT32_MAX &&
		       (n->out[0]->type == DT_I64 || size[k] + fabs(all) <= INT32_MAX);
		if (v != NULL)
			v[k] = fits ? (int32_t)all : 0;
	}
	arena_release(&scratch);
	return fits;
}

struct tensor *folded_bias(struct plan *p, const struct node *n, int64_t outputs, int64_t less)
{
	int32_t *v = arena_alloc(p->arena, (size_t)(outputs + 1) * sizeof(*v));

	return !fold_zero(n, outputs, less, v) ? NULL : graph_constant(p->graph, NULL, DT_I32,
				      &(struct shape){ .rank = 1, .dim = { outputs } }, DT_I32, v);
}

/* XZ and the bias: the zero point is in that, or taken from each element. */
static void integer_bias(struct plan *p, struct kernel *k, int64_t outputs, int groups, int block)
{
	const int64_t zero = attr_int(k->anchor, "zero", 0);
	struct blob folded = { .stack = 1 + k->nstacked, .prov = k->prov };
	bool fits = zero != 0;

	for (int s = 0; s < folded.stack && fits; s++) {
		folded.tensor[s] = folded_bias(p, s == 0 ? k->anchor : k->stacked[s - 1], outputs, 0);
		fits = folded.tensor[s] != NULL;
	}
	param(k, "XZ", fits ? 0 : zero);
	param(k, "BYTES", (fits || zero == 0) && k->value->type == DT_I32 && dtypes[k->anchor->in[0]->type].size == 1 &&
		dtypes[k->anchor->in[1]->type].size == 1);
	if (!fits) {
		bias(p, k, groups, block);
		return;
	}
	param(k, "BIAS", 1);
	same_weights(p, k, "bias",
		&(struct blob){ .packing = PACK_BIAS, .group = groups, .block = block }, &folded);
}

/* How c/conv_integer sees a layer. */
struct layer {
	int64_t groups, inputs, outputs; /* of a group */
	int64_t rows, columns, step;     /* of windows, and how far apart those of two pixels are */
	int64_t pixels, width;           /* of y, and of a row of it */
	bool direct; /* the taps of a row, and their channels, lie together in x, and pixels as far apart as their channels */
};

static void integer_tile(struct plan *p, struct kernel *k, const struct layer *l)
{
	const int block = integer_block(l->outputs), several = l->pixels > 1;
	const int64_t both = l->rows * (l->columns + several * l->step),
		      each = l->rows * l->columns;

	param(k, "G", l->groups);
	param(k, "K", l->outputs);
	param(k, "C", l->inputs);
	param(k, "TAPS", each);
	param(k, "DIRECT", l->direct);
	param(k, "ROOM",
		l->inputs *
			(l->direct && both > (1 + several) * each ? both : (1 + several) * each));
	param(k, "CHANNELS", block * (1 + k->nstacked));
	param(k, "TAIL", l->outputs % block != 0);
	param(k, "ODD", block % 4 != 0 || l->outputs % block % 4 != 0);
	param(k, "PIXELS", 1 + several);
	param(k, "ZERO", attr_int(k->anchor, "zero", 0));
	share(k, "g", l->groups, 1, DIVIDES_BOTH);
	share(k, "k", l->outputs, block, DIVIDES_WEIGHTS);
	share(k, "p", l->pixels, l->width % 2 == 0 ? 2 : l->width, DIVIDES_INPUT);
	weights(p, k, &(struct blob){ .packing = PACK_DOTS, .group = (int)l->groups });
	integer_bias(p, k, l->outputs * l->groups, (int)l->groups, block);
	stacking(k);
	integer_types(k, "TX", "TW");
	subst(k, "PAIR_X", arena_printf(p->arena, "PAIR_%s", dtypes[k->anchor->in[0]->type].ctype));
	subst(k, "PAIR_W", arena_printf(p->arena, "PAIR_%s", dtypes[k->anchor->in[1]->type].ctype));
	subst(k, "WIDE", dtypes[k->anchor->in[0]->type].size == 1 ? "int16_t"
							       : dtypes[k->anchor->in[0]->type].ctype);
}

/* ---- convolutions ---- */

const char *applies_conv_integer(const struct kernel *k)
{
	return constant_weights(k) != NULL ? constant_weights(k) : applies_image(k);
}

/* Multiply-adds of the anchor alone. */
static double window_macs(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	return (double)shape_count(&k->value->shape) * (double)(shape_count(w) / w->dim[0]);
}

double cost_conv_integer(const struct kernel *k)
{
	const int64_t groups = attr_int(k->anchor, "group", 1), outputs = k->anchor->in[1]->shape.dim[0] / groups;
	const int block = integer_block(outputs);
	const double macs = window_macs(k), windows = macs / (double)outputs * (double)((outputs + block - 1) / block);

	return (1.0 + k->nstacked) * macs * cost_of(k, COST_INTEGER) + windows * cost_of(k, COST_INTEGER_WINDOW);
}

/* Do windows leave the image? */
static bool setup_window(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	const int64_t groups = attr_int(k->anchor, "group", 1), taps = shape_count(w) / w->dim[0];
	const bool leaves = window(p, k, &w->dim[2]);

	param(k, "PADDED", leaves);
	k->macs = (1 + k->nstacked) * shape_count(&k->value->shape) * taps;
	k->title = arena_printf(
		p->arena, "conv%s_integer%s", window_text(p, k), groups > 1 ? "_grouped" : "");
	return leaves;
}

/* The number `index` of a list of the anchor, -1: none. */
static int64_t listed(const struct kernel *k, const char *list, int index)
{
	int n;
	const int64_t *v = attr_ints(k->anchor, list, &n);

	return index >= 0 && index < n ? v[index] : 1;
}

/* A 1x1 window that meets all of an image without gaps: the image is one row. A stride is then along an axis of one pixel. */
static void flatten(struct kernel *k, struct layer *l)
{
	static const char *const wide[] = { "W", "OW" }, *const one[] = { "H", "OH", "STRIDE_W" };
	const struct region *x = input(k);
	const int last = x->shape.rank - 1;

	if (last != 3 || l->columns * l->rows > 1 || l->pixels != x->shape.dim[2] * x->shape.dim[3] ||
		x->stride[2] != x->shape.dim[3] * x->stride[3])
		return;
	for (int i = 0; i < k->nparam; i++) {
		for (int j = 0; j < 2; j++)
			if (strcmp(k->param[i].name, wide[j]) == 0)
				k->param[i].value = (long)l->pixels;
		for (int j = 0; j < 3; j++)
			if (strcmp(k->param[i].name, one[j]) == 0)
				k->param[i].value = 1;
	}
	l->step = 1;
	l->width = l->pixels;
}

void setup_conv_integer(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape, *y = &k->value->shape;
	const struct region *x = input(k);
	const int rank = w->rank, spatial = rank - 2;
	struct layer l = { .groups = attr_int(k->anchor, "group", 1), .inputs = w->dim[1] };

	l.outputs = w->dim[0] / l.groups;
	l.columns = w->dim[rank - 1];
	l.rows = shape_count(w) / (w->dim[0] * l.inputs * l.columns);
	l.step = listed(k, "strides", spatial - 1);
	l.width = y->dim[rank - 1];
	l.direct = spatial <= 2 && x->stride[1] == 1 && x->stride[rank - 1] == l.inputs &&
		   (l.columns == 1 || listed(k, "dilations", spatial - 1) == 1);
	const bool leaves = setup_window(p, k);

	l.pixels = size_of(y, &k->coord[2]);
	if (!leaves)
		flatten(k, &l);
	integer_tile(p, k, &l);
}

const char *applies_depthwise_integer(const struct kernel *k)
{
	if (applies_depthwise(k) != NULL)
		return applies_depthwise(k);
	return k->anchor->in[0]->shape.rank <= 4 ? NULL : "it has three dimensions";
}

/* A channel's sum needs no window of its own. */
double cost_depthwise_integer(const struct kernel *k)
{
	return window_macs(k) * cost_of(k, COST_INTEGER_DEPTHWISE);
}

void setup_depthwise_integer(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	const bool bytes = dtypes[k->anchor->in[0]->type].size == 1;
	const int block = (int)(w->dim[0] < 32 ? w->dim[0] : 32);

	setup_window(p, k);
	param(k, "CB", block);
	param(k, "TAIL", w->dim[0] % block != 0);
	param(k, "XZ", attr_int(k->anchor, "zero", 0));
	share(k, "p", size_of(&k->value->shape, &k->coord[2]), 1, DIVIDES_INPUT);
	weights(p, k, &(struct blob){ .packing = PACK_DEPTHWISE, .group = 1, .block = 1 });
	bias(p, k, 1, (int)w->dim[0]);
	integer_types(k, "TX", "TW");
	param(k, "C", w->dim[0]);
	subst(k, "NARROW", bytes ? "int16_t" : "int32_t");
}

double cost_linear_integer(const struct kernel *k)
{
	return (1.0 + k->nstacked) * (double)shape_count(&k->value->shape) * (double)k->anchor->in[1]->shape.dim[0] *
	       cost_of(k, COST_INTEGER);
}

/* A row of pixels, windows of one. */
void setup_linear_integer(struct plan *p, struct kernel *k)
{
	static const char *const ones[] = { "N", "D", "H", "Q", "R", "S", "OH", "STRIDE_D",
		"STRIDE_H", "STRIDE_W", "DIL_D", "DIL_H", "DIL_W" };
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
	add_coord(k, span(0, 0));
	add_coord(k, span(rank - 1, rank));
	add_coord(k, span(0, rank - 1));
	integer_tile(p, k, &(struct layer){ .groups = 1, .inputs = w->dim[0], .outputs = w->dim[1], .rows = 1,
				   .columns = 1, .step = 1, .pixels = rows, .width = rows,
				   .direct = xk == 1 && (rows == 1 || xm == w->dim[0]) });
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
	integer_types(k, "TU", "TV");
	param(k, "UZ", attr_int(k->anchor, "zero", 0));
	param(k, "VZ", attr_int(k->anchor, "zero2", 0));
	k->title = "matmul_integer";
}
