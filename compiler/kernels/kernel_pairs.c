/* Vector kernels of integers of 8 bits: sums are those of portable code. */
#include "kernels/kernel.h"

#include <math.h>
#include <string.h>

/* ---- several inputs at a time: vector/conv_integer.c ---- */

/* What x is less where its elements are to be 0 to 255. */
static int64_t least_input(const struct kernel *k)
{
	return k->anchor->in[0]->type == DT_I8 ? -128 : 0;
}

static const char *applies_pairs(const struct kernel *k)
{
	const struct tensor *x = k->anchor->in[0], *w = k->anchor->in[1];

	if (constant_weights(k) != NULL)
		return constant_weights(k);
	return dtypes[x->type].size == 1 && w->type == DT_I8 && k->value->type == DT_I32
		       ? NULL
		       : "its input or its weights have more than 8 bits";
}

static const char *applies_flat(const struct kernel *k)
{
	if (applies_conv_integer(k) != NULL)
		return applies_conv_integer(k);
	return k->anchor->in[0]->shape.rank > 4 ? "it has three dimensions" : applies_pairs(k);
}

/* So many groups are computed as one, with weights of zero between them, that their outputs come by sixteens; 0: they do not. */
static int64_t groups_as_one(int64_t groups, int64_t outputs)
{
	int64_t n = 1;

	while (groups > 1 && n * outputs % 16 != 0)
		n++;
	return groups % n == 0 ? n : 0;
}

static int64_t groups_of(const struct kernel *k)
{
	const int64_t groups = attr_int(k->anchor, "group", 1);

	return groups_as_one(groups, k->anchor->in[1]->shape.dim[0] / groups);
}

/* The anchor, or one of those stacked on it. */
static const struct node *layer_at(const struct kernel *k, int s)
{
	return s == 0 ? k->anchor : k->stacked[s - 1];
}

static const char *sums_fit(const struct kernel *k, int64_t outputs)
{
	for (int s = 0; s <= k->nstacked; s++)
		if (!fold_zero(layer_at(k, s), outputs, least_input(k), NULL))
			return "its sums may be too large, or its bias is";
	return NULL;
}

const char *applies_conv_integer_pairs(const struct kernel *k)
{
	if (applies_flat(k) != NULL)
		return applies_flat(k);
	if (groups_of(k) == 0)
		return "no number of its groups has outputs by sixteens";
	if (attr_int(k->anchor, "group", 1) > 1 && channels_apart(k) != NULL)
		return channels_apart(k);
	return sums_fit(k, k->anchor->in[1]->shape.dim[0]);
}

const char *applies_linear_integer_pairs(const struct kernel *k)
{
	if (applies_linear(k) != NULL)
		return applies_linear(k);
	return applies_pairs(k) != NULL ? applies_pairs(k) : sums_fit(k, k->anchor->in[1]->shape.dim[1]);
}

/* Outputs times the inputs of each, and the image. */
static double pairs_cost(const struct kernel *k, int64_t inputs)
{
	return (1.0 + k->nstacked) * (double)shape_count(&k->value->shape) * (double)inputs * cost_of(k, COST_PAIRS) +
	       (double)shape_count(&k->anchor->in[0]->shape) * cost_of(k, COST_PAIRS_IN);
}

double cost_conv_integer_pairs(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	return pairs_cost(k, groups_of(k) * shape_count(w) / w->dim[0]);
}

double cost_linear_integer_pairs(const struct kernel *k)
{
	return pairs_cost(k, k->anchor->in[1]->shape.dim[0]);
}

/* Of windows of one only the pixels that they read, if all are inside; a row of them where they lie evenly. */
static void simplify(struct image *m)
{
	const bool rows = m->r == 1 && m->pad_h == 0 && (m->oh - 1) * m->stride_h < m->h,
		   columns = m->s == 1 && m->pad_w == 0 && (m->ow - 1) * m->stride_w < m->w;

	if (rows) {
		m->h = m->oh;
		m->xh *= m->stride_h;
		m->stride_h = m->dil_h = 1;
	}
	if (columns) {
		m->w = m->ow;
		m->xw *= m->stride_w;
		m->stride_w = m->dil_w = 1;
	}
	if (rows && columns && (m->h == 1 || m->xh == m->w * m->xw)) {
		m->h = m->oh = m->h * m->w;
		m->xh = m->xw;
		m->w = m->ow = 1;
	}
}

static int64_t most(int64_t x, int64_t y)
{
	return x > y ? x : y;
}

static int64_t least(int64_t x, int64_t y)
{
	return x < y ? x : y;
}

/* Rows of y at a time: what they read, widened, is to stay in the second cache. */
static int64_t rows_at_once(const struct kernel *k, const struct image *m, int64_t row_bytes)
{
	const int64_t reach = (m->r - 1) * m->dil_h + 1,
		      rows = most((tiling_of(k)->wide_bytes / row_bytes - reach) / m->stride_h + 1, 1),
		      blocks = (m->oh + rows - 1) / rows, even = (m->oh + blocks - 1) / blocks;

	/* whole tiles of rows of one pixel */
	return m->ow == 1 && blocks > 1 ? (even + 5) / 6 * 6 : even;
}

/* Outputs that are computed with the same pixels: by sixteens, up to 64. */
static int pairs_block(int64_t outputs)
{
	const int64_t sixteens = (outputs + 15) / 16;
	int block = 4;

	while (sixteens % block != 0)
		block--;
	return 16 * block;
}

/* Words of vector code for the elements of y, and of x. */
static void vector_types(struct plan *p, struct kernel *k)
{
	const enum dtype y = k->dst.type, x = k->anchor->in[0]->type;

	subst(k, "TV", y == DT_F32 ? "VEC" : "IVEC");
	subst(k, "PUT", y == DT_F32   ? "VEC_STORE"
			: y == DT_I32 ? "IVEC_STORE"
				      : arena_printf(p->arena, "IVEC_STORE_%s", dtypes[y].name));
	subst(k, "WIDEN", arena_printf(p->arena, "IVEC_WIDEN_%s", dtypes[x].name));
	subst(k, "DOT_LOAD", arena_printf(p->arena, "DOT_LOAD_%s", dtypes[x].name));
	subst(k, "SPREAD", arena_printf(p->arena, "IVEC_LOAD_%s", dtypes[x].name));
	lanes(k, 1, 16, 0); /* what is left of the channels has the other epilogue */
	subst(k, "FIRSTS", k->ngroup == 0 ? "a" : y == DT_F32 ? "VEC_ZERO()" : "IVEC_ZERO()");
}

/* Types, and what c/conv_pairs asks for: of x less `less`. */
static void pairs_in_c(struct plan *p, struct kernel *k, int64_t less)
{
	param(k, "XZ", less);
	param(k, "EDGE", attr_int(k->anchor, "zero", 0) - less);
	integer_types(k, "TX", "TW");
	vector_types(p, k);
	k->portable = "c/conv_pairs";
}

/* Do the products of each pair of weights with 0 to 255 fit 16 bits, when they are added? Of pairs in pack_fours()'s fours. */
static bool has_small_weights(const struct tensor *weights, int64_t run)
{
	static const double most = INT16_MAX / 255;
	const struct shape *w = &weights->shape;
	const bool matrix = w->rank == 2; /* [C, K] */
	const int64_t outputs = w->dim[matrix], channels = w->dim[!matrix], inputs = shape_count(w) / outputs,
		      taps = inputs / channels;

	for (int64_t o = 0; o < outputs; o++)
		for (int64_t i = 0; i < inputs; i += run) {
			double above = 0.0, below = 0.0;

			for (int64_t at = 0; at < run; at++) {
				const int64_t input = (i + at) % channels * taps + (i + at) / channels;
				const double v = const_f64(weights, matrix ? input * outputs + o : o * inputs + input);

				above = (at % 2 == 0 ? 0.0 : above) + (v > 0.0 ? v : 0.0);
				below = (at % 2 == 0 ? 0.0 : below) + (v < 0.0 ? v : 0.0);
				if (above > most || below < -most)
					return false;
			}
		}
	return true;
}

/* The weights of n groups as those of one: an output's are 0 for the inputs of others. */
static struct tensor *side_by_side(struct plan *p, struct tensor *w, int64_t groups, int64_t n)
{
	const int64_t own = shape_count(&w->shape) / w->shape.dim[0], outputs = w->shape.dim[0] / groups;
	struct shape s = w->shape;

	s.dim[1] *= n;
	int64_t *v = arena_alloc(p->arena, (size_t)(shape_count(&s) + 1) * sizeof(*v));

	for (int64_t k = 0; k < s.dim[0]; k++)
		for (int64_t i = 0; i < own; i++)
			v[(k * n + k / outputs % n) * own + i] = const_i64(w, k * own + i);
	return n > 1 ? graph_constant(p->graph, NULL, w->type, &s, DT_I64, v) : w;
}

/* Weights and biases of all layers that are stacked. */
static void pairs_weights(struct plan *p, struct kernel *k, int64_t outputs, int64_t groups, int64_t span)
{
	struct blob folded = { .stack = 1 + k->nstacked, .prov = k->prov }, own = folded;
	const int64_t n = groups_as_one(groups, outputs / groups);

	k->small_weights = true;
	for (int s = 0; s < folded.stack; s++) {
		own.tensor[s] = side_by_side(p, layer_at(k, s)->in[1], groups, n);
		folded.tensor[s] = folded_bias(p, layer_at(k, s), outputs, least_input(k));
		k->small_weights = k->small_weights && has_small_weights(own.tensor[s], span * own.tensor[s]->shape.dim[own.tensor[s]->shape.rank > 2]);
	}
	same_weights(p, k, "w",
		&(struct blob){
			.packing = PACK_FOURS, .group = 1, .block = 16, .chunk = (int)span },
		&own);
	same_weights(p, k, "bias", &(struct blob){ .packing = PACK_BIAS, .group = 1, .block = (int)outputs }, &folded);
}

/* xc: from one channel of x to the next. */
static void setup_pairs(struct plan *p, struct kernel *k, struct image *m, int64_t xc)
{
	const int64_t outputs = m->groups * m->outputs, each = m->groups * m->channels, n = groups_as_one(m->groups, m->outputs);

	k->macs = (1 + k->nstacked) * shape_count(&k->value->shape) * m->channels * m->r * m->s;
	simplify(m);
	m->groups /= n;
	m->channels *= n;
	m->outputs *= n;
	const int64_t reach_w = (m->ow - 1) * m->stride_w + (m->s - 1) * m->dil_w + 1,
		      reach_h = (m->oh - 1) * m->stride_h + (m->r - 1) * m->dil_h + 1,
		      pw = most(m->pad_w + m->w, reach_w), span = m->dil_w == 1 && m->groups == 1 ? m->s : 1,
		      row_bytes = pw * each * 2, hb = rows_at_once(k, m, row_bytes);
	const int block = pairs_block(m->outputs);
	const bool dense = xc == 1 || each == 1, sides = pw > m->w;

	image_params(k, m, "N C H W OH OW P R S STRIDE_H STRIDE_W PAD_H PAD_W DIL_H DIL_W XN XH XW");
	param(k, "XC", xc);
	param(k, "G", m->groups);
	param(k, "GROUPED", m->groups > 1);
	param(k, "K", outputs);
	param(k, "KG", m->outputs);
	param(k, "TAPS", m->r * m->s);
	param(k, "SPAN", span);
	param(k, "PADDED", sides || m->pad_h > 0 || reach_h > m->h);
	param(k, "SIDES", sides);
	param(k, "DENSE", dense);
	param(k, "WHOLE", dense && (m->w == 1 || m->xw == each));
	param(k, "KB", block);
	param(k, "PB", m->oh * m->ow < 6 ? m->oh * m->ow : 6);
	param(k, "HB", hb);
	param(k, "PW", pw);
	param(k, "TAIL", m->outputs % 16 != 0);
	param(k, "BIAS", 1);
	stacking(k);
	pairs_in_c(p, k, least_input(k));
	share(k, "n", m->n, 1, DIVIDES_INPUT);
	share(k, "p", m->oh * m->ow, m->ow, DIVIDES_INPUT);
	share(k, "k", outputs, block, DIVIDES_WEIGHTS);
	pairs_weights(p, k, outputs, m->groups * n, span);
	/* a run may have some neighbours more */
	k->scratch = (((hb - 1) * m->stride_h + (m->r - 1) * m->dil_h + 1) * row_bytes + 8 + 63) /
		     64 * 64;
	k->scratch_name = "scratch";
}

void setup_conv_integer_pairs(struct plan *p, struct kernel *k)
{
	struct image m;

	image_of(k, &m);
	setup_pairs(p, k, &m, input(k)->stride[1]);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, k->value->shape.rank));
	k->title = arena_printf(p->arena, "conv%s_pairs", window_text(p, k));
}

void setup_linear_integer_pairs(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	const int rank = k->out->shape.rank;
	int64_t rows, xm, xk;

	linear_shape(k, &rows, &xm, &xk);
	setup_pairs(p, k, &(struct image){ .n = 1, .groups = 1, .channels = w->dim[0], .outputs = w->dim[1],
				  .h = rows, .w = 1, .oh = rows, .ow = 1, .r = 1, .s = 1, .stride_h = 1,
				  .stride_w = 1, .dil_h = 1, .dil_w = 1, .xh = xm },
		xk);
	add_coord(k, span(0, 0));
	add_coord(k, span(rank - 1, rank));
	add_coord(k, span(0, rank - 1));
	k->title = "linear_pairs";
}

/* ---- depthwise, in vectors of floats that are integers ---- */

enum { DEPTHWISE_PIXELS = 8 };

const char *applies_depthwise_integer_vector(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	struct image m;

	if (applies_depthwise(k) != NULL)
		return applies_depthwise(k);
	if (channels_apart(k) != NULL)
		return channels_apart(k);
	if (applies_pairs(k) != NULL)
		return applies_pairs(k);
	if (w->dim[0] % 16 != 0)
		return "its channels do not come by sixteens";
	image_of(k, &m);
	if (m.r * m.s > 256)
		return "its sums may be too large for floats";
	return (m.s - 1) * m.dil_w < tiling_of(k)->narrow_columns ? NULL : "its window is too wide";
}

double cost_depthwise_integer_vector(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	return (double)shape_count(&k->value->shape) * (double)(shape_count(w) / w->dim[0]) * cost_of(k, COST_PAIRS_DEPTHWISE);
}

void setup_depthwise_integer_vector(struct plan *p, struct kernel *k)
{
	const int64_t columns = tiling_of(k)->narrow_columns;
	struct image m;

	setup_depthwise_integer(p, k);
	image_of(k, &m);
	m.ow = k->value->shape.dim[k->value->shape.rank - 1]; /* of a row, of which m has several as one perhaps */
	m.w = k->anchor->in[0]->shape.dim[k->value->shape.rank - 1];
	const int64_t fit = (columns - 1 - (m.s - 1) * m.dil_w) / m.stride_w + 1,
		      pixels = least(least(fit, DEPTHWISE_PIXELS), m.ow),
		      tiles = (m.ow + pixels - 1) / pixels, even = (m.ow + tiles - 1) / tiles,
		      reach_w = (m.ow - 1) * m.stride_w + (m.s - 1) * m.dil_w + 1;

	for (int i = 0; i < k->nshare; i++)
		if (strcmp(k->share[i].name, "p") == 0)
			k->share[i].step = m.ow; /* whole rows */
	param(k, "PB", even);
	param(k, "REST", m.ow % even != 0);
	param(k, "SIDES", m.pad_w > 0 || reach_w > m.w);
	vector_types(p, k);
	k->portable = "c/depthwise_integer";
}

/* ---- Winograd, in integers: vector/winograd_integer.c ---- */

/* Tiles of 4 x 4 of y; those of a block, and how many are computed side by side. */
struct tiles {
	int64_t across, down, block, rows, padded;
	int64_t depth; /* channels of filters that are transformed at once */
};

static void cut_tiles(const struct kernel *k, const struct image *m, struct tiles *t)
{
	t->across = (m->ow + 3) / 4;
	t->down = (m->oh + 3) / 4;
	const int64_t all = t->across * t->down,
		      fit = most(tiling_of(k)->winograd_bytes / (36 * 2 * m->channels), tiling_of(k)->winograd_tiles),
		      blocks = (all + fit - 1) / fit;

	t->block = (all + blocks - 1) / blocks;
	t->rows = 6;
	for (int64_t rows = 5; rows > 3; rows--) /* a step of fewer takes less time, but not in proportion */
		if ((t->block + rows - 1) / rows * (2 * rows + 1) < (t->block + t->rows - 1) / t->rows * (2 * t->rows + 1))
			t->rows = rows;
	t->padded = (t->block + 2 * t->rows - 1) / (2 * t->rows) * 2 * t->rows;
	t->depth = 64;
	while (m->channels % t->depth != 0)
		t->depth -= 16;
}

/* Are all sums, without bias, from -2^25 to 2^25 - 1? */
static bool has_small_sums(const struct node *n)
{
	const struct tensor *w = n->in[1];
	const int64_t count = shape_count(&w->shape) / w->shape.dim[0];
	const double least = dtypes[n->in[0]->type].numpy[0] == 'i' ? -128.0 : 0.0, limit = ldexp(1.0, 25),
		     low = least - (double)attr_int(n, "zero", 0), high = low + 255.0;

	for (int64_t o = 0; o < w->shape.dim[0]; o++) {
		double below = 0.0, above = 0.0;

		for (int64_t i = o * count; i < (o + 1) * count; i++) {
			const double v = const_f64(w, i), first = v * low, last = v * high;

			below += first < last ? first : last;
			above += first < last ? last : first;
		}
		if (below < -limit || above >= limit)
			return false;
	}
	return true;
}

const char *applies_winograd_integer(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	struct image m;

	if (applies_flat(k) != NULL)
		return applies_flat(k);
	if (channels_apart(k) != NULL)
		return channels_apart(k);
	if (attr_int(k->anchor, "group", 1) != 1 || w->rank != 4 || w->dim[2] != 3 || w->dim[3] != 3)
		return "it has groups, or its window is not 3x3";
	image_of(k, &m);
	if (m.stride_h != 1 || m.stride_w != 1 || m.dil_h != 1 || m.dil_w != 1)
		return "it has strides or dilations";
	if (m.channels % 16 != 0 || m.outputs % 16 != 0)
		return "its channels are no multiples of 16";
	for (int s = 0; s <= k->nstacked; s++)
		if (!has_small_sums(layer_at(k, s)))
			return "its sums may be too large";
	return NULL;
}

double cost_winograd_integer(const struct kernel *k)
{
	struct image m;
	struct tiles t;

	image_of(k, &m);
	cut_tiles(k, &m, &t);
	const double all = (double)(t.across * t.down), blocks = ceil(all / (double)t.block),
		     computed = blocks * (double)((t.block + t.rows - 1) / t.rows * t.rows),
		     in = (double)m.channels, out = (1.0 + k->nstacked) * (double)m.outputs;

	return (double)m.n * 36.0 *
	       (cost_of(k, COST_WINOGRAD_PAIRS) * computed * in * out + cost_of(k, COST_WINOGRAD_PAIRS_IN) * all * in +
		       cost_of(k, COST_WINOGRAD_PAIRS_OUT) * all * out +
		       cost_of(k, COST_WINOGRAD_PAIRS_FILTER) * blocks * in * out);
}

/* Elements of so many and more: an odd number of cache lines, of which each has `line`. */
static int64_t odd_lines(int64_t elements, int64_t line)
{
	return (elements / line | 1) * line;
}

void setup_winograd_integer(struct plan *p, struct kernel *k)
{
	struct image m;
	struct tiles t;

	image_of(k, &m);
	cut_tiles(k, &m, &t);
	const int64_t in = odd_lines(t.padded * m.channels, 32), lines = odd_lines(16 * t.depth, 32),
		      sums = odd_lines(16 * t.padded, 16);

	image_params(k, &m, "N C K H W OH OW P R S STRIDE_H STRIDE_W PAD_H PAD_W DIL_H DIL_W XN XH XW");
	param(k, "XC", 1);
	param(k, "TAPS", 9);
	param(k, "SPAN", 1);
	param(k, "PADDED", 1);
	param(k, "TAIL", 0);
	param(k, "TB", t.block);
	param(k, "ACROSS", t.across);
	param(k, "ROWS", t.rows);
	param(k, "CHUNK", t.depth);
	param(k, "IN", in);
	param(k, "SUMS", sums);
	param(k, "GROUPED", 0); /* c/conv_pairs has it */
	stacking(k);
	pairs_in_c(p, k, attr_int(k->anchor, "zero", 0));
	share(k, "n", m.n, 1, DIVIDES_INPUT);
	share(k, "p", m.oh * m.ow, 4 * m.ow, DIVIDES_INPUT);
	share(k, "k", m.outputs, 16, DIVIDES_WEIGHTS);
	weights(p, k,
		&(struct blob){ .packing = PACK_FOURS,
			.group = 1,
			.block = 16,
			.chunk = 3 }); /* the same as of runs of one, for so many channels */
	bias(p, k, 1, (int)m.outputs);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, 4));
	k->scratch = 36 * (2 * in + 2 * lines + 4 * sums * (1 + k->nstacked));
	k->scratch_name = "scratch";
	k->macs = (1 + k->nstacked) * shape_count(&k->value->shape) * m.channels * 9;
	k->title = "winograd_integer";
}
