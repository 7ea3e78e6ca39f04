/* Kernels with vector code: convolutions and fully connected layers around small matrix products. What
 * differs between processors is numbers of the target. */
#include "emit/gemm.h"
#include "kernels/kernel.h"

#include <string.h>

/* The greatest divisor of n that is at most `most`. */
static int64_t divisor(int64_t n, int64_t most)
{
	int64_t d = n < most ? n : most;

	while (n % d != 0)
		d--;
	return d;
}

static int64_t max64(int64_t x, int64_t y)
{
	return x > y ? x : y;
}

/* ---- shapes ---- */

void image_of(const struct kernel *k, struct image *m)
{
	const struct region *x = &k->arg[0].region;
	const struct shape *w = &k->anchor->in[1]->shape, *y = &k->value->shape;
	int last = x->shape.rank - 1, n;
	bool flat = x->shape.rank == 3;
	const int64_t *strides = attr_ints(k->anchor, "strides", &n),
		      *pads = attr_ints(k->anchor, "pads", &n);
	const int64_t *dilations = attr_ints(k->anchor, "dilations", &n);
	int i = last - 2; /* of the last spatial dimension, among the spatial ones */

	*m = (struct image){ .n = x->shape.dim[0],
		.groups = attr_int(k->anchor, "group", 1),
		.channels = w->dim[1],
		.h = flat ? 1 : x->shape.dim[2],
		.w = x->shape.dim[last],
		.oh = flat ? 1 : y->dim[2],
		.ow = y->dim[last],
		.r = flat ? 1 : w->dim[2],
		.s = w->dim[last],
		.stride_h = flat ? 1 : strides[0],
		.stride_w = strides[i],
		.pad_h = flat ? 0 : pads[0],
		.pad_w = pads[i],
		.dil_h = flat ? 1 : dilations[0],
		.dil_w = dilations[i],
		.xn = x->stride[0],
		.xh = flat ? 0 : x->stride[2],
		.xw = x->stride[last] };
	m->outputs = w->dim[0] / m->groups;
	/* windows of one element side by side: rows as long as the products like them */
	if (m->r == 1 && m->s == 1 && m->stride_h == 1 && m->stride_w == 1 && m->h == m->oh &&
		m->w == m->ow && (m->h == 1 || m->xh == m->w * m->xw)) {
		int64_t pixels = m->h * m->w;

		m->w = m->ow = divisor(pixels, tiling_of(k)->pixels);
		m->h = m->oh = pixels / m->w;
		m->xh = m->w * m->xw;
	}
}

/* Tap columns s0 .. s1-1 are inside the image for every pixel of a row. */
static void inner_columns(const struct image *m, int64_t *s0, int64_t *s1)
{
	*s0 = 0;
	while (*s0 < m->s && *s0 * m->dil_w < m->pad_w)
		++*s0;
	*s1 = m->s;
	while (*s1 > *s0 && (m->ow - 1) * m->stride_w - m->pad_w + (*s1 - 1) * m->dil_w >= m->w)
		--*s1;
}

/* Pixels of a row for which column s is inside. */
static int64_t pixels_inside(const struct image *m, int64_t s)
{
	int64_t count = 0;

	for (int64_t i = 0; i < m->ow; i++) {
		int64_t at = i * m->stride_w - m->pad_w + s * m->dil_w;

		count += at >= 0 && at < m->w;
	}
	return count;
}

static bool rows_inside(const struct image *m)
{
	for (int64_t h = 0; h < m->oh; h++) {
		bool any = false;

		for (int64_t r = 0; r < m->r; r++) {
			int64_t at = h * m->stride_h - m->pad_h + r * m->dil_h;

			any = any || (at >= 0 && at < m->h);
		}
		if (!any)
			return false;
	}
	return true;
}

static bool rows_leave(const struct image *m)
{
	return m->pad_h > 0 || (m->oh - 1) * m->stride_h - m->pad_h + (m->r - 1) * m->dil_h >= m->h;
}

/* ---- conv_gemm ---- */

static int block_of(const struct kernel *k, int64_t outputs)
{
	int64_t block = tiling_of(k)->channels / (1 + k->nstacked);

	if (is_runtime(k->anchor->in[1])) /* they are packed before a row is chosen */
		return channel_block(k, outputs);
	if (k->nstacked == 2)
		block = 16;
	return (int)(outputs < block ? outputs : block);
}

/* Input channels of a chunk: the weights of a block and a chunk stay in L2 while rows go by. */
static int64_t chunk_of(const struct kernel *k, const struct image *m, int width)
{
	int64_t most = tiling_of(k)->chunk_bytes / (m->r * m->s * width * 4);

	if (is_runtime(k->anchor->in[1]))
		return m->channels;
	return divisor(m->channels, most > 1 ? most : 1);
}

/* The product of a row of pixels with a block of channels and a chunk of inputs. */
static void row_product(struct gemm *g, const struct image *m, int block, int64_t chunk)
{
	memset(g, 0, sizeof(*g)); /* sets are compared as bytes */
	g->m = g->lda = g->ldc = block;
	g->n = (int)m->ow;
	g->k = (int)chunk;
	g->ldb = (int)(m->stride_w * m->xw);
	g->reduce = GEMM_OFFSET;
	g->isa = GEMM_AVX512;
}

static const char *applies_products(const struct kernel *k, const struct image *m)
{
	const int width = block_of(k, m->outputs) * (1 + k->nstacked);
	struct gemm row;
	int64_t s0, s1;

	if (k->keep != NULL)
		return "it could not leave out single rows";
	if (m->channels < 16 || m->outputs * (1 + k->nstacked) < 16)
		return "it has too few channels";
	inner_columns(m, &s0, &s1);
	if (s0 == s1)
		return "its window is wider than the image";
	if (!rows_inside(m))
		return "a window lies in the padding";
	for (int64_t s = 0; s < m->s; s++)
		if (pixels_inside(m, s) == 0)
			return "a column of the window lies in the padding";
	row_product(&row, m, width, chunk_of(k, m, width));
	return m->ow > 4096 ? "its rows are too long" : gemm_applies(&row);
}

static const char *channels_side_by_side(const struct kernel *k)
{
	const struct region *x = &k->arg[0].region;

	if (x->shape.rank != 3 && x->shape.rank != 4)
		return "it has not one or two spatial dimensions";
	return x->stride[1] != 1 ? "its input lies in planes" : NULL;
}

const char *channels_apart(const struct kernel *k)
{
	return constant_weights(k) != NULL ? constant_weights(k) : channels_side_by_side(k);
}

const char *applies_conv_gemm(const struct kernel *k)
{
	struct image m;

	if (channels_side_by_side(k) != NULL)
		return channels_side_by_side(k);
	image_of(k, &m);
	if (is_runtime(k->anchor->in[1]) && (m.outputs % 16 == 0 || block_of(k, m.outputs) < 12))
		return "its weights are packed at run time, in blocks of other sizes";
	return applies_products(k, &m);
}

/* A call costs as much as some multiply-adds for each output. */
double cost_conv_gemm(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	double depth = (double)(shape_count(w) / w->dim[0]);

	return (double)shape_count(&k->value->shape) * (depth + cost_of(k, COST_PRODUCT_OUTPUT));
}

/* The products of a block of `block` channels: replace, add, and a part of the row for each outer
 * column. */
static int add_products(struct gemm *g, const struct image *m, int block, int64_t chunk)
{
	int64_t s0, s1;
	int n = 0;
	struct gemm full;

	row_product(&full, m, block, chunk);
	inner_columns(m, &s0, &s1);
	g[n++] = full;
	full.accumulate = chunk < m->channels;
	g[n++] = full;
	full.accumulate = true;
	for (int64_t s = 0; s < m->s; s++) {
		if (s >= s0 && s < s1)
			continue;
		full.n = (int)pixels_inside(m, s);
		g[n++] = full;
	}
	return n;
}

void image_params(struct kernel *k, const struct image *m, const char *names)
{
	const struct {
		const char *name;
		int64_t value;
	} v[] = {
		{ "N", m->n },
		{ "C", m->channels },
		{ "K", m->outputs },
		{ "H", m->h },
		{ "W", m->w },
		{ "OH", m->oh },
		{ "OW", m->ow },
		{ "P", m->oh * m->ow },
		{ "R", m->r },
		{ "S", m->s },
		{ "STRIDE_H", m->stride_h },
		{ "STRIDE_W", m->stride_w },
		{ "PAD_H", m->pad_h },
		{ "PAD_W", m->pad_w },
		{ "PADDED", rows_leave(m) },
		{ "DIL_H", m->dil_h },
		{ "DIL_W", m->dil_w },
		{ "XN", m->xn },
		{ "XH", m->xh },
		{ "XW", m->xw },
	};

	for (size_t n; *names != '\0'; names += n + strspn(names + n, " ")) {
		size_t i = 0;

		n = strcspn(names, " ");
		while (i < sizeof(v) / sizeof(v[0]) &&
			(strlen(v[i].name) != n || memcmp(v[i].name, names, n) != 0))
			i++;
		if (i == sizeof(v) / sizeof(v[0]))
			die("an image has no %.*s", (int)n, names);
		param(k, v[i].name, v[i].value);
	}
}

/* An epilogue of which compilers would compute some channels of a block one by one. */
static bool in_strips(const struct kernel *k, const struct image *m, int block)
{
	const int64_t tail = m->outputs % block;

	return k->ngroup > 0 && m->groups == 1 && block >= 16 && (tail == 0 || tail >= 16) &&
	       (block % 16 != 0 || tail % 16 != 0);
}

static void products(struct plan *p, struct kernel *k, const struct image *m)
{
	int block = block_of(k, m->outputs), width = block * (1 + k->nstacked);
	int64_t chunk = chunk_of(k, m, width), tile = m->ow * width * 4, rows = m->oh;
	struct gemm *g = arena_alloc(p->arena, (size_t)(2 * (m->s + 2)) * sizeof(*g));
	bool chunked = chunk < m->channels;
	int64_t s0, s1;

	if (rows * tile > tiling_of(k)->tile_bytes)
		rows = max64(tiling_of(k)->tile_bytes / tile, 1);
	inner_columns(m, &s0, &s1);
	image_params(k, m,
		"N C K H OH OW P R S STRIDE_H STRIDE_W PAD_H PAD_W PADDED DIL_H DIL_W XN XH XW");
	param(k, "G", m->groups);
	param(k, "S0", s0);
	param(k, "S1", s1);
	param(k, "EDGES", m->s - (s1 - s0));
	param(k, "CB", chunk);
	param(k, "CHUNKED", chunked);
	param(k, "KB", width);
	param(k, "CHANNELS", width);
	param(k, "STEP", block);
	param(k, "TAIL", m->outputs % block != 0);
	param(k, "ROWS", chunked ? rows : m->oh);
	param(k, "STRIPS", in_strips(k, m, block));
	lanes(k, 1, block, m->outputs % block);
	share(k, "n", m->n, 1, DIVIDES_INPUT);
	share(k, "h", m->oh, 1, DIVIDES_INPUT);
	share(k, "g", m->groups, 1, DIVIDES_BOTH);
	share(k, "k", m->outputs, block, DIVIDES_WEIGHTS);
	k->gemm = g;
	k->ngemm = add_products(g, m, width, chunk);
	if (m->outputs % block != 0)
		k->ngemm += add_products(
			g + k->ngemm, m, (int)(m->outputs % block) * (1 + k->nstacked), chunk);
	k->scratch = (chunked ? rows : 1) * tile;
	k->scratch_name = "tile";
	weights(p, k,
		&(struct blob){ .packing = PACK_GEMM,
			.group = (int)m->groups,
			.block = block,
			.chunk = (int)chunk });
	bias(p, k, (int)m->groups, block);
	stacking(k);
}

void setup_conv_gemm(struct plan *p, struct kernel *k)
{
	struct image m;

	image_of(k, &m);
	products(p, k, &m);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, k->value->shape.rank));
	k->macs = (1 + k->nstacked) * shape_count(&k->value->shape) * m.channels * m.r * m.s;
	k->title = arena_printf(
		p->arena, "conv%s%s", window_text(p, k), m.groups > 1 ? "_grouped" : "");
}

/* ---- linear layers of several rows ---- */

/* Rows of a product: what it likes best, or less where they are to be held. */
static int64_t product_rows(const struct kernel *k)
{
	const struct tiling *t = tiling_of(k);
	const int64_t rows = row_count(k), few = divisor(rows, t->held_rows);

	return few >= t->held_rows / 2 && may_hold(k, few) && streams(k, few)
		       ? few
		       : divisor(rows, t->pixels);
}

/* As an image: a pixel for each row of x, `across` of them side by side. */
static void rows_of_linear(const struct kernel *k, int64_t across, struct image *m)
{
	const struct region *x = &k->arg[0].region;
	int64_t xm = 0;
	struct coord c = rows_of(&x->shape);

	if (!stride_of(x, &c, &xm))
		xm = 0;
	*m = (struct image){ .n = 1,
		.groups = 1,
		.channels = k->anchor->in[1]->shape.dim[0],
		.outputs = k->anchor->in[1]->shape.dim[1],
		.r = 1,
		.s = 1,
		.stride_h = 1,
		.stride_w = 1,
		.dil_h = 1,
		.dil_w = 1,
		.xw = xm };
	m->w = m->ow = across;
	m->h = m->oh = row_count(k) / across;
	m->xh = across * xm;
}

static const char *applies_rows(const struct kernel *k)
{
	const struct region *x = &k->arg[0].region;
	const int last = x->shape.rank - 1;

	if (applies_linear(k) != NULL)
		return applies_linear(k);
	return x->shape.dim[last] != 1 && x->stride[last] != 1 ? "its elements are not side by side" : NULL;
}

static void add_linear_coords(struct kernel *k)
{
	const int rank = k->out->shape.rank;

	add_coord(k, span(0, 0));
	add_coord(k, span(rank - 1, rank));
	add_coord(k, rows_of(&k->out->shape));
}

const char *applies_linear_gemm(const struct kernel *k)
{
	struct image m;

	if (applies_rows(k) != NULL)
		return applies_rows(k);
	rows_of_linear(k, product_rows(k), &m);
	if (m.ow < 4)
		return "it has too few rows";
	return applies_products(k, &m);
}

double cost_linear_gemm(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	return (double)row_count(k) * (double)w->dim[1] *
	       ((double)w->dim[0] + cost_of(k, COST_PRODUCT_OUTPUT));
}

void setup_linear_gemm(struct plan *p, struct kernel *k)
{
	struct image m;

	rows_of_linear(k, product_rows(k), &m);
	products(p, k, &m);
	if (streams(k, m.ow)) /* then they are one chunk */
		hold(k, m.ow);
	add_linear_coords(k);
	k->macs = (1 + k->nstacked) * row_count(k) * shape_count(&k->anchor->in[1]->shape);
	k->title = "linear_rows";
}

/* ---- conv_indirect ---- */

/* Panels of 16 outputs that a tile may take, of all of them. */
static int64_t panels_of(int64_t outputs)
{
	return outputs % 64 == 0 ? 4 : outputs % 48 == 0 ? 3 : outputs % 32 == 0 ? 2 : 1;
}

static const char *applies_indirect(const struct kernel *k, const struct image *m)
{
	if (k->keep != NULL || k->nstacked > 0)
		return "several layers are computed together";
	if (m->outputs % 16 != 0)
		return "the outputs of a group are no multiple of 16";
	if (m->channels < 8)
		return "it has too few channels";
	return m->r * m->s > 25 ? "its window is too large" : NULL;
}

const char *applies_conv_indirect(const struct kernel *k)
{
	struct image m;

	if (channels_side_by_side(k) != NULL)
		return channels_side_by_side(k);
	image_of(k, &m);
	return applies_indirect(k, &m);
}

/* Rows as pixels of one line: such as no number divides, as linear_gemm can do without a copy of its input. */
const char *applies_linear_indirect(const struct kernel *k)
{
	struct image m;

	if (applies_rows(k) != NULL)
		return applies_rows(k);
	if (row_count(k) < 4)
		return "it has too few rows";
	if (product_rows(k) >= 4)
		return "linear_gemm takes several rows at once";
	rows_of_linear(k, row_count(k), &m);
	return applies_indirect(k, &m);
}

static double cost_indirect(const struct kernel *k, int64_t depth)
{
	return (double)shape_count(&k->value->shape) *
	       ((double)depth * cost_of(k, COST_INDIRECT) + cost_of(k, COST_INDIRECT_OUTPUT));
}

double cost_conv_indirect(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	return cost_indirect(k, shape_count(w) / w->dim[0]);
}

double cost_linear_indirect(const struct kernel *k)
{
	return cost_indirect(k, k->anchor->in[1]->shape.dim[0]);
}

/* Output channels whose weights stay in the second cache: all, or as many panels as it holds. */
static int64_t resident_outputs(const struct kernel *k, const struct image *m)
{
	const int64_t wide = 16 * panels_of(m->outputs), one = m->channels * m->r * m->s * 4;
	const int64_t outputs = m->groups * m->outputs;
	int64_t block = outputs;

	while (block > wide && (outputs % block != 0 || block * one > tiling_of(k)->resident_bytes))
		block -= wide;
	return block * one > tiling_of(k)->resident_bytes ? 16 : block;
}

static void indirect(struct plan *p, struct kernel *k, const struct image *m, enum packing packing)
{
	int64_t depth = 8, s0, s1;

	inner_columns(m, &s0, &s1);

	const int64_t pixels = m->oh * m->ow, panels = panels_of(m->outputs), block = resident_outputs(k, m);
	const bool sides = s0 > 0 || s1 < m->s || rows_leave(m);

	while (m->channels % depth != 0 || (depth > 1 && depth * 6 > pixels))
		depth /= 2;
	image_params(k, m, "N C K H W OW P R S STRIDE_H STRIDE_W PAD_H PAD_W DIL_H DIL_W XN XH XW");
	param(k, "G", m->groups);
	param(k, "TAPS", m->r * m->s);
	param(k, "PANELS", panels);
	param(k, "BLOCK", block);
	param(k, "DEPTH", depth);
	param(k, "AHEAD", block < m->groups * m->outputs);
	param(k, "SIDES", sides);
	lanes(k, 1, 16, 0);
	share(k, "n", m->n, 1, DIVIDES_INPUT);
	share(k, "k", m->groups * m->outputs, max64(block, 16 * panels), DIVIDES_WEIGHTS);
	share(k, "p", pixels, 6, DIVIDES_INPUT);
	weights(p, k, &(struct blob){ .packing = packing, .group = (int)m->groups, .block = 16 });
	bias(p, k, (int)m->groups, 16);
	if (sides) {
		k->scratch = 4 * whole_vectors(m->groups * m->channels);
		k->scratch_name = "zero";
	}
	k->macs = shape_count(&k->value->shape) * m->channels * m->r * m->s;
}

void setup_conv_indirect(struct plan *p, struct kernel *k)
{
	struct image m;

	image_of(k, &m);
	indirect(p, k, &m, PACK_CONV);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, k->value->shape.rank));
	k->title = arena_printf(p->arena, "conv%s%s", window_text(p, k), m.groups > 1 ? "_grouped" : "");
}

void setup_linear_indirect(struct plan *p, struct kernel *k)
{
	struct image m;

	rows_of_linear(k, row_count(k), &m);
	indirect(p, k, &m, PACK_LINEAR);
	add_linear_coords(k);
	k->title = "linear_rows";
}

/* ---- conv_planar ---- */

const char *applies_conv_planar(const struct kernel *k)
{
	const struct region *x = &k->arg[0].region;
	struct image m;

	if (constant_weights(k) != NULL)
		return constant_weights(k);
	if (x->shape.rank != 4)
		return "it has not two spatial dimensions";
	if (x->stride[3] != 1 && x->shape.dim[3] != 1)
		return "its input does not lie in planes";
	image_of(k, &m);
	if (m.groups != 1 || m.dil_w != 1 || k->nstacked > 0)
		return "it is grouped, dilated, or one of several";
	if (m.outputs < 16 || m.s < 2)
		return "it has too few output channels, or no window";
	if (m.channels * m.r > 64)
		return "its window is too large";
	return rows_inside(&m) ? NULL : "a window lies in the padding";
}

double cost_conv_planar(const struct kernel *k)
{
	return cost_conv_gemm(k);
}

void setup_conv_planar(struct plan *p, struct kernel *k)
{
	struct image m;
	struct gemm *g = arena_alloc(p->arena, 2 * sizeof(*g));
	int64_t ring = 1, wp, pixels;
	int block;

	image_of(k, &m);
	block = block_of(k, m.outputs);
	pixels = divisor(m.ow, tiling_of(k)->pixels);
	while (ring < (m.r - 1) * m.dil_h + 1)
		ring *= 2;
	/* the padding in front, the row, and what the last windows reach behind it */
	wp = m.pad_w + m.w;
	if ((m.ow - 1) * m.stride_w + m.s > wp)
		wp = (m.ow - 1) * m.stride_w + m.s;
	wp = (wp + 15) / 16 * 16;
	image_params(k, &m, "N C K H W OH OW P R S STRIDE_H STRIDE_W PAD_H PAD_W DIL_H XN XH");
	param(k, "XC", k->arg[0].region.stride[1]);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, 4));
	share(k, "n", m.n, 1, DIVIDES_INPUT);
	param(k, "KB", block);
	param(k, "CHANNELS", block);
	param(k, "TAIL", m.outputs % block != 0);
	lanes(k, 1, block, m.outputs % block);
	param(k, "NB", pixels);
	param(k, "RING", ring);
	param(k, "WP", wp);
	share(k, "h", m.oh, 1, DIVIDES_INPUT);
	memset(g, 0, 2 * sizeof(*g));
	for (int i = 0; i < 2; i++) {
		g[i].m = g[i].lda = g[i].ldc = i == 0 ? block : (int)(m.outputs % block);
		g[i].n = (int)pixels;
		g[i].k = (int)(m.s * m.channels);
		g[i].ldb = (int)(m.stride_w * m.channels);
		g[i].reduce = GEMM_OFFSET;
		g[i].isa = GEMM_AVX512;
	}
	k->gemm = g;
	k->ngemm = m.outputs % block != 0 ? 2 : 1;
	k->scratch = (ring * m.channels * wp + pixels * block) * 4;
	k->scratch_name = "scratch";
	weights(p, k,
		&(struct blob){ .packing = PACK_GEMM,
			.group = 1,
			.block = block,
			.chunk = (int)m.channels });
	bias(p, k, 1, block);
	k->macs = shape_count(&k->value->shape) * m.channels * m.r * m.s;
	k->title = arena_printf(p->arena, "conv%s_planar", window_text(p, k));
}

/* ---- conv_narrow ---- */

/* Pixels of a tile: a divisor of the row's where there is a fair one. */
static int64_t narrow_pixels(const struct kernel *k, const struct image *m)
{
	const struct tiling *t = tiling_of(k);
	int64_t most = (t->narrow_columns - 1 - (m->s - 1) * m->dil_w) / m->stride_w + 1, even;

	if (most > t->narrow_pixels)
		most = t->narrow_pixels;
	if (m->ow <= most)
		return m->ow;
	even = divisor(m->ow, most);
	return even * 2 >= most ? even : (m->ow - 1) / ((m->ow + most - 1) / most) + 1;
}

const char *applies_conv_narrow(const struct kernel *k)
{
	struct image m;

	if (channels_apart(k) != NULL)
		return channels_apart(k);
	if (k->nstacked > 0)
		return "several convolutions are computed together";
	image_of(k, &m);
	if (m.channels != m.outputs && m.channels != 1)
		return "a group has not as many outputs as inputs";
	if (m.channels != 1 && m.channels != 2 && m.channels != 4 && m.channels != 8)
		return "a group has not 1, 2, 4 or 8 channels";
	if (m.channels > target_lanes(k->plan->target))
		return "a group has more channels than a vector";
	return (m.s - 1) * m.dil_w < tiling_of(k)->narrow_columns ? NULL : "its window is too wide";
}

/* Vectors of 16 channels, and what it takes to spread and to store them; several outputs of a channel one by
 * one. */
double cost_conv_narrow(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	const int64_t groups = attr_int(k->anchor, "group", 1), channels = groups * w->dim[1];
	const double pixels = (double)(shape_count(&k->value->shape) / w->dim[0]);
	const double multiple = (double)(w->dim[0] / channels);

	return pixels * multiple * (double)((channels + 15) / 16 * 16) *
	       (cost_of(k, COST_NARROW) * (double)(shape_count(w) / w->dim[0]) +
		       cost_of(k, COST_NARROW_OUTPUT) * (multiple > 1 ? 4 : 1));
}

void setup_conv_narrow(struct plan *p, struct kernel *k)
{
	struct image m;
	int64_t s0, s1, width, pixels;

	image_of(k, &m);
	width = m.channels;
	const int64_t multiple = m.outputs / width;

	m.channels *= m.groups;
	inner_columns(&m, &s0, &s1);
	pixels = narrow_pixels(k, &m);
	image_params(k, &m,
		"N C H W OH OW P R S STRIDE_H STRIDE_W PAD_H PAD_W PADDED DIL_H DIL_W XN XH XW");
	param(k, "WIDTH", width);
	param(k, "MULTIPLE", multiple);
	param(k, "SIDES", s0 > 0 || s1 < m.s);
	param(k, "TAIL", m.channels % 16 != 0);
	param(k, "PB", pixels);
	param(k, "REST", m.ow % pixels != 0);
	lanes(k, 1, 16, 0); /* what is left of the channels has the other epilogue */
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, k->value->shape.rank));
	share(k, "n", m.n, 1, DIVIDES_INPUT);
	share(k, "h", m.oh, 1, DIVIDES_INPUT);
	share(k, "k", m.channels, 16, DIVIDES_BOTH);
	weights(p, k,
		&(struct blob){ .packing = PACK_NARROW, .group = (int)m.groups, .block = 16 });
	bias(p, k, 1, (int)(m.channels * multiple));
	k->portable = "c/conv_narrow";
	k->macs = shape_count(&k->value->shape) * width * m.r * m.s;
	k->title = arena_printf(p->arena, "%s%s", width == 1 ? "depthwise" : "conv",
		arena_printf(p->arena, width == 1 ? "%s" : "%s_grouped", window_text(p, k)));
}

/* ---- conv_few ---- */

/* Outputs of a tile, which divide all; of those that are prime all. */
static int64_t few_outputs(int64_t outputs)
{
	const int64_t block = divisor(outputs, 4);

	return block > 1 ? block : outputs;
}

/* Pixels of a tile, as many as there are registers for sums: a divisor of the row's where there is a fair one. */
static int64_t few_pixels(const struct image *m)
{
	const int64_t block = few_outputs(m->outputs), most = block == 1 ? 8 : block < 12 ? 12 / block : 1;
	const int64_t even = divisor(m->ow, most);

	return even * 2 > most || m->ow < most ? even : most;
}

const char *applies_conv_few(const struct kernel *k)
{
	struct image m;

	if (channels_apart(k) != NULL)
		return channels_apart(k);
	if (k->nstacked > 0 || k->keep != NULL)
		return "several convolutions are computed together";
	image_of(k, &m);
	if (m.groups != 1 || m.outputs >= 16)
		return "it is grouped, or has sixteen outputs or more";
	return m.channels < 8 ? "it has too few channels" : NULL;
}

double cost_conv_few(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	const int64_t depth = shape_count(w) / (w->dim[0] * w->dim[1]) * ((w->dim[1] + 15) / 16 * 16);

	return (double)shape_count(&k->value->shape) *
	       ((double)depth * cost_of(k, COST_FEW) + cost_of(k, COST_FEW_OUTPUT));
}

void setup_conv_few(struct plan *p, struct kernel *k)
{
	struct image m;
	int64_t s0, s1;

	image_of(k, &m);
	inner_columns(&m, &s0, &s1);
	const int64_t pixels = few_pixels(&m);
	const bool sides = s0 > 0 || s1 < m.s;

	image_params(k, &m,
		"N C K H W OH OW P R S STRIDE_H STRIDE_W PAD_H PAD_W PADDED DIL_H DIL_W XN XH XW");
	param(k, "SIDES", sides);
	param(k, "TAIL", m.channels % 16 != 0);
	param(k, "KB", few_outputs(m.outputs));
	param(k, "PB", pixels);
	param(k, "REST", m.ow % pixels != 0);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, k->value->shape.rank));
	lanes(k, 2, m.ow, 0);
	k->lanes_apart = true;
	share(k, "n", m.n, 1, DIVIDES_INPUT);
	share(k, "h", m.oh, 1, DIVIDES_INPUT);
	k->scratch = 4 * whole_vectors((m.outputs + 1) * m.ow + (sides ? m.channels : 0));
	k->scratch_name = "tile";
	weights(p, k, &(struct blob){ .packing = PACK_DOTS, .group = 1, .block = (int)m.outputs });
	bias(p, k, 1, (int)m.outputs);
	k->macs = shape_count(&k->value->shape) * m.channels * m.r * m.s;
	k->title = arena_printf(p->arena, "conv%s_few", window_text(p, k));
}
