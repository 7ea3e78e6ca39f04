/* Kernels on matrices: fully connected layers, products of two run-time matrices. */
#include "emit/gemm.h"
#include "kernels/kernel.h"

#include <string.h>

/* All dimensions but the last, as rows of the input. */
struct coord rows_of(const struct shape *s)
{
	return span(0, s->rank - 1);
}

const char *applies_linear(const struct kernel *k)
{
	const struct coord rows = rows_of(&k->anchor->in[0]->shape);
	int64_t stride;

	if (constant_weights(k) != NULL)
		return constant_weights(k);
	return k->narg == 0 || stride_of(input(k), &rows, &stride) ? NULL
								   : "its rows do not lie evenly";
}

int64_t row_count(const struct kernel *k)
{
	const struct shape *x = &k->anchor->in[0]->shape;

	return shape_count(x) / x->dim[x->rank - 1];
}

double cost_linear(const struct kernel *k)
{
	return (double)row_count(k) * (double)shape_count(&k->anchor->in[1]->shape) *
	       cost_of(k, COST_LINEAR);
}

/* As a 1x1 convolution: tiles of six rows. */
double cost_rows(const struct kernel *k)
{
	return (double)((row_count(k) + 5) / 6 * 6) *
	       (double)shape_count(&k->anchor->in[1]->shape) * cost_of(k, COST_LINEAR_ROWS);
}

void linear_shape(struct kernel *k, int64_t *rows, int64_t *xm, int64_t *xk)
{
	const struct region *x = input(k);
	int last = x->shape.rank - 1;

	*rows = row_count(k);
	*xm = need_stride(x, rows_of(&x->shape));
	*xk = x->shape.dim[last] == 1 ? 1 : x->stride[last];
	k->macs = (1 + k->nstacked) * *rows * shape_count(&k->anchor->in[1]->shape);
}

bool may_hold(const struct kernel *k, int64_t rows)
{
	const struct region *x = input(k);
	struct region y = k->dst;
	const int last = x->shape.rank - 1;

	y.buffer = x->buffer;
	return region_same(x, &y) && x->stride[last] == 1 &&
	       need_stride(x, rows_of(&x->shape)) == x->shape.dim[last] && row_count(k) >= 2 * rows;
}

void hold(struct kernel *k, int64_t rows)
{
	if (may_hold(k, rows))
		k->hold = rows * k->anchor->in[1]->shape.dim[0] * 4;
}

/* Blocks of so many outputs, width of all stacked layers; tiles of so many rows. */
static void linear_parameters(struct plan *p, struct kernel *k, int block, int width, int tile)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	int64_t rows, xm, xk;

	linear_shape(k, &rows, &xm, &xk);
	param(k, "M", rows);
	param(k, "N", w->dim[1]);
	param(k, "K", w->dim[0]);
	param(k, "NB", width);
	param(k, "TAIL", w->dim[1] % block != 0);
	param(k, "XM", xm);
	param(k, "XK", xk);
	add_coord(k, rows_of(&k->out->shape));
	add_coord(k, span(k->out->shape.rank - 1, k->out->shape.rank));
	share(k, "n", w->dim[1], block, DIVIDES_WEIGHTS);
	share(k, "m", rows, tile, DIVIDES_INPUT);
	weights(p, k, &(struct blob){ .packing = PACK_LINEAR, .group = 1, .block = block });
	bias(p, k, 1, block);
	stacking(k);
	skipping(k);
	k->title = "linear";
}

void setup_linear(struct plan *p, struct kernel *k)
{
	const int64_t outputs = k->anchor->in[1]->shape.dim[1];
	const int block = outputs < 16 ? (int)outputs : 16;

	linear_parameters(p, k, block, block, 1);
	hold(k, 1);
}

/* vector/linear: the most outputs whose sums, of all stacked layers, stay in registers; no block is
 * narrower. */
static int vector_block(const struct kernel *k)
{
	int64_t outputs = k->anchor->in[1]->shape.dim[1];
	int64_t block = tiling_of(k)->sums / (1 + k->nstacked);

	if (block > outputs)
		block = outputs;
	while (outputs % block != 0)
		block--;
	return (int)block;
}

const char *applies_linear_vector(const struct kernel *k)
{
	if (applies_linear(k) != NULL)
		return applies_linear(k);
	return vector_block(k) * (1 + k->nstacked) < 16
		       ? "its outputs do not come in blocks of sixteen or more"
		       : NULL;
}

double cost_linear_vector(const struct kernel *k)
{
	return (double)row_count(k) * (double)shape_count(&k->anchor->in[1]->shape) *
	       cost_of(k, COST_LINEAR_VECTOR);
}

void setup_linear_vector(struct plan *p, struct kernel *k)
{
	linear_parameters(p, k, vector_block(k), vector_block(k), 1);
	lanes(k, 1, vector_block(k), 0);
	if (streams(k, 1))
		hold(k, 1);
	k->portable = "c/linear";
}

void setup_rows(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	const int block = channel_block(k, w->dim[1]);
	const int width = block * (1 + k->nstacked), tile = width <= 8 ? 12 : 6;

	linear_parameters(p, k, block, width, tile);
	param(k, "OUTPUTS", width);
	param(k, "STEP", block);
	param(k, "ROWS", tile);
	param(k, "MB", tile);
	hold(k, tile);
	k->title = "linear_rows";
}

/* ---- products of two run-time matrices ---- */

/* a [.., m, k] and b [.., k, n] of a MatMul as they lie, broadcast to the dimensions of its result. */
struct factors {
	struct region a, b;
	int64_t m, n, k;
	int rank;
};

/* Input i, laid over the result's batch dimensions. */
static struct region factor(const struct kernel *k, int i)
{
	const struct shape *y = &k->value->shape;
	const struct tensor *t = k->anchor->in[i];
	const bool run_time = i < k->narg && k->arg[i].tensor == t;
	const struct region r = run_time || is_runtime(t) ? k->arg[run_time ? i : 0].region
							  : region_dense(t->type, &t->shape, NULL);
	struct shape full = *y;

	full.dim[y->rank - 2] = t->shape.dim[t->shape.rank - 2];
	full.dim[y->rank - 1] = t->shape.dim[t->shape.rank - 1];
	return region_broadcast(&r, &full);
}

static void factors_of(const struct kernel *k, struct factors *f)
{
	const int rank = k->value->shape.rank;

	*f = (struct factors){ .a = factor(k, 0), .b = factor(k, 1), .rank = rank };
	f->m = f->a.shape.dim[rank - 2];
	f->k = f->a.shape.dim[rank - 1];
	f->n = f->b.shape.dim[rank - 1];
}

const char *applies_matmul(const struct kernel *k)
{
	return k->out->shape.rank <= 5 ? NULL : "it has more than three batch dimensions";
}

static double matmul_macs(const struct kernel *k)
{
	const struct shape *a = &k->anchor->in[0]->shape;

	return (double)shape_count(&k->value->shape) * (double)a->dim[a->rank - 1];
}

double cost_matmul(const struct kernel *k)
{
	return matmul_macs(k) * cost_of(k, COST_MATMUL);
}

void matmul_parameters(struct plan *p, struct kernel *k, const char *u, const char *v)
{
	const struct shape *y = &k->value->shape;
	struct factors own, *f = &own;
	const int batch = y->rank - 2;

	factors_of(k, f);
	for (int i = 0; i < 2; i++) {
		struct tensor *t = k->anchor->in[i];

		if (i >= k->narg || k->arg[i].tensor != t) { /* a constant factor */
			struct arg run_time = k->arg[i];

			k->narg = i;
			constant(p, k, NULL, t);
			if (i == 0)
				k->arg[k->narg] = run_time;
			k->narg += i == 0;
		}
		k->arg[i].name = i == 0 ? u : v;
	}
	for (int i = 0; i < 3; i++) {
		int d = i - (3 - batch);

		param(k, spatial_name(p, "B", (char)('0' + i)), d >= 0 ? y->dim[d] : 1);
		param(k, spatial_name(p, "A", (char)('0' + i)), d >= 0 ? f->a.stride[d] : 0);
		param(k, spatial_name(p, "S", (char)('0' + i)), d >= 0 ? f->b.stride[d] : 0);
		share(k, spatial_name(p, "b", (char)('0' + i)), d >= 0 ? y->dim[d] : 1, 1,
			DIVIDES_BOTH);
		add_coord(k, d >= 0 ? span(d, d + 1) : span(0, 0));
	}
	param(k, "M", f->m);
	param(k, "N", f->n);
	param(k, "K", f->k);
	param(k, "AM", f->a.stride[batch]);
	param(k, "AK", f->a.stride[batch + 1]);
	param(k, "SK", f->b.stride[batch]);
	param(k, "SN", f->b.stride[batch + 1]);
	add_coord(k, span(batch, batch + 1));
	add_coord(k, span(batch + 1, batch + 2));
	k->macs = shape_count(y) * f->k;
	k->title = "matmul";
}

void setup_matmul(struct plan *p, struct kernel *k)
{
	struct factors f;

	factors_of(k, &f);
	matmul_parameters(p, k, "a", "b");
	param(k, "MB", 4);
	share(k, "m", f.m, 4, DIVIDES_INPUT);
	param(k, "NB", f.n < 16 ? f.n : 16);
	param(k, "TAIL", f.n >= 16 && f.n % 16 != 0);
}

/* A MatMul in small products: of so many rows and columns, from copies where a or b lies otherwise. */
struct small {
	int rows, columns;
	bool pack_a, pack_b;
	struct gemm full;
};

static void small_products(const struct kernel *k, const struct factors *f, struct small *s)
{
	const int64_t blocks = (f->m + tiling_of(k)->pixels - 1) / tiling_of(k)->pixels;
	const int64_t am = f->a.stride[f->rank - 2], sk = f->b.stride[f->rank - 2];

	s->rows = (int)((f->m + blocks - 1) / blocks);
	s->columns = (int)(f->n < tiling_of(k)->channels ? f->n : tiling_of(k)->channels);
	s->pack_a = (f->k > 1 && f->a.stride[f->rank - 1] != 1) || (f->m > 1 && am < f->k);
	s->pack_b = f->b.stride[f->rank - 1] != 1 || sk < s->columns;
	memset(&s->full, 0, sizeof(s->full)); /* sets are compared as bytes */
	s->full.m = s->full.ldc = s->columns;
	s->full.n = s->rows;
	s->full.k = (int)f->k;
	s->full.lda = s->pack_b ? s->columns : (int)sk;
	s->full.ldb = s->pack_a || f->m == 1 ? (int)f->k : (int)am;
	s->full.reduce = GEMM_OFFSET;
	s->full.isa = GEMM_AVX512;
}

const char *applies_matmul_gemm(const struct kernel *k)
{
	struct factors f;
	struct small s;

	if (applies_matmul(k) != NULL)
		return applies_matmul(k);
	factors_of(k, &f);
	if (f.n < 16)
		return "it has too few columns";
	if (f.k > INT32_MAX / 4096 || f.k * f.n > INT32_MAX / 16)
		return "its matrices are too large";
	small_products(k, &f, &s);
	return gemm_applies(&s.full);
}

double cost_matmul_gemm(const struct kernel *k)
{
	struct factors f;
	struct small s;

	factors_of(k, &f);
	small_products(k, &f, &s);
	const double outputs = (double)shape_count(&k->value->shape), rows = (double)f.m,
		     columns = (double)f.n;
	const double copied = (s.pack_a ? 1.0 / columns : 0.0) + (s.pack_b ? 1.0 / rows : 0.0);

	return matmul_macs(k) * (1.0 + copied * cost_of(k, COST_COPY)) +
	       outputs * cost_of(k, COST_PRODUCT_OUTPUT);
}

void setup_matmul_gemm(struct plan *p, struct kernel *k)
{
	struct gemm *g = arena_alloc(p->arena, 4 * sizeof(*g));
	struct factors f;
	struct small s;

	factors_of(k, &f);
	small_products(k, &f, &s);
	const int tail = (int)(f.n % s.columns), rest = (int)(f.m % s.rows);

	matmul_parameters(p, k, "a", "b");
	param(k, "PACK_A", s.pack_a);
	param(k, "PACK_B", s.pack_b);
	param(k, "TAIL", tail > 0);
	param(k, "REST", rest > 0);
	param(k, "MB", s.rows);
	param(k, "NB", s.columns);
	param(k, "COLUMNS", s.columns);
	lanes(k, 4, s.columns, tail);
	param(k, "STRIPS",
		k->ngroup > 0 && (tail == 0 || tail >= 16) &&
			(s.columns % 16 != 0 || tail % 16 != 0));
	share(k, "m", f.m, s.rows, DIVIDES_INPUT);
	for (int i = 0; i < 4; i++) {
		g[i] = s.full;
		if (i % 2 > 0 && tail > 0)
			g[i].m = g[i].ldc = tail;
		if (i % 2 > 0 && tail > 0 && s.pack_b)
			g[i].lda = tail;
		if (i / 2 > 0 && rest > 0)
			g[i].n = rest;
	}
	k->gemm = g;
	k->ngemm = rest > 0 ? 4 : tail > 0 ? 2 : 1;
	k->scratch = 4 * (whole_vectors(s.rows * s.columns) +
				 (s.pack_a ? whole_vectors(s.rows * f.k) : 0) +
				 (s.pack_b ? f.k * f.n : 0));
	k->scratch_name = "tile";
}

bool streams(const struct kernel *k, int64_t rows)
{
	const int64_t bytes = (1 + k->nstacked) * shape_count(&k->anchor->in[1]->shape) * 4;

	const struct tiling *t = tiling_of(k);

	return bytes <= t->chunk_bytes || (bytes <= t->far_bytes && rows >= t->held_rows / 2);
}
