/* Winograd's convolutions: vector/winograd.c. */
#include "emit/gemm.h"
#include "kernels/kernel.h"

#include <string.h>

/* How a convolution is cut into tiles. */
struct tiles {
	int pixels, side; /* of y, and of x under them: F(pixels x pixels, 3 x 3) */
	int64_t rows, columns, all; /* of an image, and of all images */
	int64_t block;    /* tiles that are transformed, multiplied and transformed back together */
	int outputs;      /* channels of a block, of each of the stacked convolutions */
};

/* The greatest multiple of 16 up to `most` that divides n; 0: there is none. */
static int sixteens(int64_t n, int64_t most)
{
	int64_t d = most / 16 * 16;

	while (d > 0 && n % d != 0)
		d -= 16;
	return (int)d;
}

/* Blocks of about one size, whose transformed input and sums stay in the second cache. */
static void cut_tiles(const struct kernel *k, const struct image *m, int pixels, struct tiles *t)
{
	const int64_t side = pixels + 2, width = sixteens(m->outputs, tiling_of(k)->channels / (1 + k->nstacked));

	*t = (struct tiles){ .pixels = pixels,
		.side = (int)side,
		.rows = (m->oh + pixels - 1) / pixels,
		.columns = (m->ow + pixels - 1) / pixels,
		.outputs = (int)width };
	t->all = m->n * t->rows * t->columns;
	int64_t most = tiling_of(k)->winograd_bytes / (side * side * 4 * (m->channels + width * (1 + k->nstacked)));

	if (most < tiling_of(k)->winograd_tiles)
		most = tiling_of(k)->winograd_tiles;
	const int64_t blocks = (t->all + most - 1) / most;

	t->block = (t->all + blocks - 1) / blocks;
}

static void tile_product(struct gemm *g, const struct image *m, int64_t tiles, int width)
{
	memset(g, 0, sizeof(*g)); /* sets are compared as bytes */
	g->m = g->lda = g->ldc = width;
	g->n = (int)tiles;
	g->k = g->ldb = (int)m->channels;
	g->reduce = GEMM_OFFSET;
	g->isa = GEMM_AVX512;
}

static const char *applies(const struct kernel *k, int pixels)
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
	if (m.groups > 1 || k->keep != NULL)
		return "it is grouped, or could not leave out single rows";
	if (m.channels % 16 != 0 || sixteens(m.outputs, 16) == 0)
		return "its channels are no multiples of 16";
	cut_tiles(k, &m, pixels, &t);
	tile_product(&g, &m, t.block, t.outputs * (1 + k->nstacked));
	return gemm_applies(&g);
}

static double cost(const struct kernel *k, int pixels)
{
	struct image m;
	struct tiles t;

	image_of(k, &m);
	cut_tiles(k, &m, pixels, &t);
	const double side2 = t.side * t.side, in = (double)m.channels, out = (double)m.outputs * (1 + k->nstacked),
		     tiles = (double)t.all * side2;

	return (tiles * (in * out * cost_of(k, COST_WINOGRAD) + in * cost_of(k, COST_WINOGRAD_IN) +
				out * cost_of(k, COST_WINOGRAD_OUT)) +
		       (side2 - 9.0) * in * out * cost_of(k, COST_WINOGRAD_FETCH)) /
	       (1 + k->nstacked);
}

static void setup(struct plan *p, struct kernel *k, int pixels, enum packing packing)
{
	struct image m;
	struct tiles t;

	image_of(k, &m);
	cut_tiles(k, &m, pixels, &t);
	const int width = t.outputs * (1 + k->nstacked), rest = (int)(t.all % t.block);
	struct gemm *g = arena_alloc(p->arena, 2 * sizeof(*g));

	image_params(k, &m, "C K H W OH OW P PAD_H PAD_W XN XH XW");
	param(k, "PIXELS", pixels);
	param(k, "M", pixels);
	param(k, "SIDE", t.side);
	param(k, "KB", width);
	param(k, "CHANNELS", width);
	param(k, "STEP", t.outputs);
	param(k, "TB", t.block);
	param(k, "TH", t.rows);
	param(k, "TW", t.columns);
	param(k, "TILES", t.all);
	param(k, "TAIL", rest > 0);
	share(k, "q", t.all, t.block, DIVIDES_INPUT);
	share(k, "k", m.outputs, t.outputs, DIVIDES_WEIGHTS);
	tile_product(&g[0], &m, t.block, width);
	tile_product(&g[1], &m, rest, width);
	k->gemm = g;
	k->ngemm = 1 + (rest > 0);
	k->scratch = 4 * (t.side * t.side * t.block * (m.channels + width) + pixels * pixels * width);
	k->scratch_name = "tile";
	weights(p, k, &(struct blob){ .packing = packing, .group = 1, .block = t.outputs });
	bias(p, k, 1, t.outputs);
	stacking(k);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, 4));
	k->macs = (1 + k->nstacked) * shape_count(&k->value->shape) * m.channels * 9;
	k->title = arena_printf(p->arena, "winograd%d", pixels);
}

void prepare_winograd(struct plan *p, struct kernel *k, const struct blob *b)
{
	const struct shape *w = &b->tensor[0]->shape;
	const int pixels = b->packing == PACK_WINOGRAD4 ? 4 : 2;

	same_weights(p, k, "w", &(struct blob){ .packing = PACK_CONV, .group = 1, .block = b->block }, b);
	param(k, "PIXELS", pixels);
	param(k, "SIDE", pixels + 2);
	param(k, "BLOCKS", w->dim[0] / b->block);
	param(k, "C", w->dim[1]);
	param(k, "KB", b->block * b->stack);
}

const char *applies_winograd4(const struct kernel *k)
{
	return applies(k, 4);
}

const char *applies_winograd2(const struct kernel *k)
{
	return applies(k, 2);
}

double cost_winograd4(const struct kernel *k)
{
	return cost(k, 4);
}

double cost_winograd2(const struct kernel *k)
{
	return cost(k, 2);
}

void setup_winograd4(struct plan *p, struct kernel *k)
{
	setup(p, k, 4, PACK_WINOGRAD4);
}

void setup_winograd2(struct plan *p, struct kernel *k)
{
	setup(p, k, 2, PACK_WINOGRAD2);
}
