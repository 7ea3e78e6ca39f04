/* Winograd's convolutions: vector/winograd.c. */
#include "emit/gemm.h"
#include "kernels/kernel.h"

#include <string.h>

/* Floats of so many and more, a whole and odd number of cache lines: what winograd.c leaves between places. */
static int64_t odd_lines(int64_t floats)
{
	return (floats / 16 | 1) * 16;
}

/* Channels of filters that are transformed as they are used: a cache line of each. */
enum { FLY_WIDTH = 16 };

/* How a convolution is cut into tiles. */
struct tiles {
	int pixels, side; /* of y, and of x under them: F(pixels x pixels, 3 x 3) */
	int64_t rows, columns, all; /* of an image, and of all images */
	int64_t block;    /* tiles that are transformed, multiplied and transformed back together */
	int outputs;      /* channels of a block, of each of the stacked convolutions */
	int depth;        /* inputs of a product */
	int group;        /* tiles whose sums are in registers, where filters are transformed as they are used */
	int64_t held;     /* tiles of a block, in whole groups */
};

/* F(pixels x pixels, 3 x 3), whose filters init transforms; fly: they are transformed as they are used. */
struct form {
	int pixels;
	bool fly;
	enum packing packing, file; /* where init transforms, and where the weights are written so */
};

static const struct form prepared4 = { 4, false, PACK_WINOGRAD4, PACK_WINOGRAD4_FILE };
static const struct form prepared2 = { 2, false, PACK_WINOGRAD2, PACK_WINOGRAD2_FILE };
static const struct form fly4 = { 4, true, PACK_GEMM, PACK_GEMM }, fly2 = { 2, true, PACK_GEMM, PACK_GEMM };

/* The greatest multiple of 16 up to `most` that divides n; 0: there is none. */
static int sixteens(int64_t n, int64_t most)
{
	int64_t d = most / 16 * 16;

	while (d > 0 && n % d != 0)
		d -= 16;
	return (int)d;
}

/* Tiles whose sums are in registers: each group reads all filters again, and has a register for each of its tiles. */
static int group_of(int64_t tiles)
{
	int best = 4;

	for (int g = 3; g <= 6; g++)
		if ((tiles + g - 1) / g * (g + 2) < (tiles + best - 1) / best * (best + 2))
			best = g;
	return best;
}

/*
 * Blocks of about one size, whose transformed input and sums stay in the second cache; or, where filters are transformed
 * for each of them, are just too large for it: they are read in order, and seldom.
 */
static void cut_tiles(const struct kernel *k, const struct image *m, const struct form *f, struct tiles *t)
{
	const int pixels = f->pixels;
	const int64_t side = pixels + 2, bytes = tiling_of(k)->winograd_bytes * (f->fly ? 4 : 1), width = sixteens(m->outputs, f->fly ? FLY_WIDTH : tiling_of(k)->channels / (1 + k->nstacked));

	*t = (struct tiles){ .pixels = pixels,
		.side = (int)side,
		.rows = (m->oh + pixels - 1) / pixels,
		.columns = (m->ow + pixels - 1) / pixels,
		.outputs = (int)width,
		.depth = (int)m->channels };
	t->all = m->n * t->rows * t->columns;
	int64_t most = bytes / (side * side * 4 * (m->channels + width * (1 + k->nstacked)));

	if (most < tiling_of(k)->winograd_tiles)
		most = tiling_of(k)->winograd_tiles;
	const int64_t blocks = (t->all + most - 1) / most;

	t->block = (t->all + blocks - 1) / blocks;
	t->group = f->fly ? group_of(t->block) : 1;
	t->held = (t->block + t->group - 1) / t->group * t->group;
	if (f->fly) /* where sums leave the first cache each time, more is added to them */
		t->depth = t->held * side * side * width * 4 <= tiling_of(k)->tile_bytes ? 8 : 16;
}

static void tile_product(struct gemm *g, const struct image *m, const struct tiles *t, int64_t tiles, int width)
{
	memset(g, 0, sizeof(*g)); /* sets are compared as bytes */
	g->m = g->lda = g->ldc = width;
	g->n = (int)tiles;
	g->k = t->depth;
	g->ldb = (int)m->channels;
	g->reduce = GEMM_OFFSET;
	g->isa = GEMM_AVX512;
}

static const char *applies(const struct kernel *k, const struct form *f)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	struct image m;
	struct tiles t;
	struct gemm g;

	if (k->plan->options->exact)
		return "it is less accurate";
	if (channels_apart(k) != NULL)
		return channels_apart(k);
	if (w->rank != 4 || w->dim[2] != 3 || w->dim[3] != 3)
		return "its window is not 3x3";
	image_of(k, &m);
	if (m.stride_h != 1 || m.stride_w != 1 || m.dil_h != 1 || m.dil_w != 1)
		return "it has strides or dilations";
	if (k->keep != NULL)
		return "it could not leave out single rows";
	if (m.channels % 16 != 0 || sixteens(m.outputs, 16) == 0)
		return "its channels are no multiples of 16";
	cut_tiles(k, &m, f, &t);
	tile_product(&g, &m, &t, t.block, t.outputs * (1 + k->nstacked));
	return gemm_applies(&g);
}

/* Filters as a kernel of that form reads them. */
static struct blob filters(const struct kernel *k, const struct form *f, const struct image *m, const struct tiles *t)
{
	return (struct blob){ .packing = k->plan->options->winograd_file ? f->file : f->packing,
		.group = (int)m->groups,
		.block = t->outputs,
		.chunk = f->fly };
}

static void prepares(const struct kernel *k, const struct form *f, struct blob *b)
{
	struct image m;
	struct tiles t;

	image_of(k, &m);
	cut_tiles(k, &m, f, &t);
	*b = filters(k, f, &m, &t);
	b->tensor[0] = k->anchor->in[1];
	b->stack = 1 + k->nstacked;
}

static double cost(const struct kernel *k, const struct form *f)
{
	struct image m;
	struct tiles t;

	image_of(k, &m);
	cut_tiles(k, &m, f, &t);
	const double side2 = t.side * t.side, in = (double)m.channels, out = (double)m.outputs * (1 + k->nstacked),
		     tiles = (double)t.all * side2, blocks = (double)((t.all + t.block - 1) / t.block);
	const bool near = k->plan->filters * t.side * t.side / 9 * 4 <= tiling_of(k)->near_bytes;
	const double filters = f->fly ? blocks * side2 * cost_of(k, COST_WINOGRAD_FILTER) :
					(side2 - 9.0) * cost_of(k, near ? COST_WINOGRAD_NEAR : COST_WINOGRAD_FETCH);

	return (double)m.groups * (tiles * (in * out * cost_of(k, COST_WINOGRAD) + in * cost_of(k, COST_WINOGRAD_IN) +
				out * cost_of(k, COST_WINOGRAD_OUT)) +
		       filters * in * out) /
	       (1 + k->nstacked);
}

/* Products of whole and of last blocks. */
static void products(struct plan *p, struct kernel *k, const struct image *m, const struct tiles *t, int width)
{
	const int64_t rest = t->all % t->block;
	struct gemm *g = arena_alloc(p->arena, 2 * sizeof(*g));

	k->gemm = g;
	tile_product(&g[k->ngemm++], m, t, t->block, width);
	if (rest > 0)
		tile_product(&g[k->ngemm++], m, t, rest, width);
}

static void setup(struct plan *p, struct kernel *k, const struct form *f)
{
	struct image m;
	struct tiles t;

	image_of(k, &m);
	cut_tiles(k, &m, f, &t);
	const int width = t.outputs * (1 + k->nstacked), places = t.side * t.side;

	image_params(k, &m, "C K H W OH OW P PAD_H PAD_W XN XH XW");
	param(k, "PIXELS", f->pixels);
	param(k, "M", f->pixels);
	param(k, "FLY", f->fly);
	param(k, "SIDE", t.side);
	param(k, "KB", width);
	param(k, "CHANNELS", width);
	param(k, "STEP", t.outputs);
	param(k, "TB", t.block);
	param(k, "WIDTH", FLY_WIDTH);
	param(k, "GROUP", t.group);
	if (f->fly) {
		param(k, "DEPTH", t.depth);
		param(k, "ROWS", t.held);
	} else {
		products(p, k, &m, &t, width);
	}
	param(k, "TH", t.rows);
	param(k, "TW", t.columns);
	param(k, "TILES", t.all);
	param(k, "TAIL", t.all % t.block > 0);
	param(k, "G", m.groups);
	share(k, "g", m.groups, 1, DIVIDES_BOTH);
	share(k, "q", t.all, t.block, DIVIDES_INPUT);
	share(k, "k", m.outputs, t.outputs, DIVIDES_WEIGHTS);
	k->scratch = 4 * (places * ((f->fly ? (t.held | 1) * m.channels : odd_lines(t.held * m.channels)) + odd_lines(t.held * width) +
					   (f->fly ? odd_lines((int64_t)t.depth * FLY_WIDTH) : 0)) +
				 f->pixels * f->pixels * width);
	k->scratch_name = "tile";
	const struct blob how = filters(k, f, &m, &t);
	weights(p, k, &how);
	bias(p, k, (int)m.groups, t.outputs);
	stacking(k);
	lanes(k, 1, t.outputs, 0);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, 4));
	k->macs = (1 + k->nstacked) * shape_count(&k->value->shape) * m.channels * 9;
	k->title = arena_printf(p->arena, f->fly ? "winograd%d_fly" : "winograd%d", f->pixels);
}

void prepare_winograd(struct plan *p, struct kernel *k, const struct blob *b)
{
	const struct shape *w = &b->tensor[0]->shape;
	const int pixels = b->packing == PACK_WINOGRAD4 ? 4 : 2;

	same_weights(p, k, "w", &(struct blob){ .packing = PACK_GEMM, .group = b->group, .block = b->block, .chunk = 1 }, b);
	param(k, "PIXELS", pixels);
	param(k, "SIDE", pixels + 2);
	param(k, "BLOCKS", w->dim[0] / b->block);
	param(k, "C", w->dim[1]);
	param(k, "KB", b->block * b->stack);
}

void prepares_winograd4(const struct kernel *k, struct blob *b)
{
	prepares(k, &prepared4, b);
}

void prepares_winograd2(const struct kernel *k, struct blob *b)
{
	prepares(k, &prepared2, b);
}

const char *applies_winograd4(const struct kernel *k)
{
	return applies(k, &prepared4);
}

const char *applies_winograd2(const struct kernel *k)
{
	return applies(k, &prepared2);
}

const char *applies_winograd4_fly(const struct kernel *k)
{
	return applies(k, &fly4);
}

const char *applies_winograd2_fly(const struct kernel *k)
{
	return applies(k, &fly2);
}

double cost_winograd4(const struct kernel *k)
{
	return cost(k, &prepared4);
}

double cost_winograd2(const struct kernel *k)
{
	return cost(k, &prepared2);
}

double cost_winograd4_fly(const struct kernel *k)
{
	return cost(k, &fly4);
}

double cost_winograd2_fly(const struct kernel *k)
{
	return cost(k, &fly2);
}

void setup_winograd4(struct plan *p, struct kernel *k)
{
	setup(p, k, &prepared4);
}

void setup_winograd2(struct plan *p, struct kernel *k)
{
	setup(p, k, &prepared2);
}

void setup_winograd4_fly(struct plan *p, struct kernel *k)
{
	setup(p, k, &fly4);
}

void setup_winograd2_fly(struct plan *p, struct kernel *k)
{
	setup(p, k, &fly2);
}
