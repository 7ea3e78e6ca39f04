/* Kernels on matrices: fully connected layers, products of two run-time matrices. */
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

const char *applies_matmul(const struct kernel *k)
{
	return k->out->shape.rank <= 5 ? NULL : "it has more than three batch dimensions";
}

void setup_matmul(struct plan *p, struct kernel *k)
{
	const struct shape *y = &k->value->shape;
	struct shape full[2];
	struct region r[2];
	int rank = y->rank, batch = rank - 2;
	int64_t n = y->dim[rank - 1];

	for (int i = 0; i < 2; i++) {
		const struct tensor *t = k->anchor->in[i];

		full[i] = *y;
		full[i].dim[rank - 2] = t->shape.dim[t->shape.rank - 2];
		full[i].dim[rank - 1] = t->shape.dim[t->shape.rank - 1];
		if (i >= k->narg || k->arg[i].tensor != t) { /* a constant factor */
			struct arg run_time = k->arg[i];

			k->narg = i;
			constant(p, k, NULL, k->anchor->in[i]);
			if (i == 0)
				k->arg[k->narg] = run_time;
			k->narg += i == 0;
		}
		k->arg[i].name = i == 0 ? "a" : "b";
		r[i] = region_broadcast(&k->arg[i].region, &full[i]);
	}
	for (int i = 0; i < 3; i++) {
		int d = i - (3 - batch);

		param(k, spatial_name(p, "B", (char)('0' + i)), d >= 0 ? y->dim[d] : 1);
		param(k, spatial_name(p, "A", (char)('0' + i)), d >= 0 ? r[0].stride[d] : 0);
		param(k, spatial_name(p, "S", (char)('0' + i)), d >= 0 ? r[1].stride[d] : 0);
		share(k, spatial_name(p, "b", (char)('0' + i)), d >= 0 ? y->dim[d] : 1, 1,
			DIVIDES_BOTH);
		add_coord(k, d >= 0 ? span(d, d + 1) : span(0, 0));
	}
	param(k, "M", y->dim[rank - 2]);
	param(k, "N", n);
	param(k, "K", full[0].dim[rank - 1]);
	param(k, "MB", 4);
	share(k, "m", y->dim[rank - 2], 4, DIVIDES_INPUT);
	param(k, "NB", n < 16 ? n : 16);
	param(k, "TAIL", n >= 16 && n % 16 != 0);
	param(k, "AM", r[0].stride[rank - 2]);
	param(k, "AK", r[0].stride[rank - 1]);
	param(k, "SK", r[1].stride[rank - 2]);
	param(k, "SN", r[1].stride[rank - 1]);
	add_coord(k, span(rank - 2, rank - 1));
	add_coord(k, span(rank - 1, rank));
	k->macs = shape_count(y) * full[0].dim[rank - 1];
	k->title = "matmul";
}

bool streams(const struct kernel *k, int64_t rows)
{
	const int64_t bytes = (1 + k->nstacked) * shape_count(&k->anchor->in[1]->shape) * 4;

	const struct tiling *t = tiling_of(k);

	return bytes <= t->chunk_bytes || (bytes <= t->far_bytes && rows >= t->held_rows / 2);
}
