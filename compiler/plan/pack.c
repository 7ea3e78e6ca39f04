/*
 * Constants as kernels want them. Orders of elements (T taps, KB or NB of a block; the last block
 * of a group is narrower, nothing is padded):
 *
 *   plain       row-major
 *   conv        [group][block][tap][C][stack][KB]  from [K, C, taps]
 *   depthwise   [tap][C]                           from [C, 1, taps]
 *   linear      [block][K][stack][NB]              from [K, N]
 *   gemm        [group][block][chunk][tap][CB][stack][KB]  from [K, C, taps], or [C, K]
 *   planar      [block][C][tap][KB]                from [K, C, taps]
 *   narrow      [block][tap][C][KB]                from [K, C, taps], C of a group (vector/conv_narrow.c)
 *   bias        [group][block][stack][KB]          from [K]
 */
#include "plan/plan.h"

static int64_t minimum(int64_t x, int64_t y)
{
	return x < y ? x : y;
}

/* Big blobs start on a cache line, small ones where a vector may be read. */
static int64_t aligned(int64_t offset, int64_t bytes)
{
	int64_t to = bytes >= 1024 ? 64 : 16;

	return (offset + to - 1) / to * to;
}

void pack_constants(struct plan *p)
{
	int64_t offset = 0;

	for (int k = 0; k < p->nblob; k++) {
		struct blob *b = p->blob[k];

		if (b->packing == PACK_TABLE)
			continue;
		b->buffer->offset = aligned(offset, b->buffer->bytes);
		offset = b->buffer->offset + b->buffer->bytes;
	}
	p->weights_bytes = offset;
}

/* What a packing reads: the elements of its stacked tensors, all of one shape. */
struct source {
	const struct blob *blob;
	const struct shape *shape;
	const double *v[MAX_STACKED];
};

static float *pack_conv(const struct source *x, float *to)
{
	const struct blob *b = x->blob;
	int64_t outputs = x->shape->dim[0] / b->group, channels = x->shape->dim[1], taps = 1;

	for (int d = 2; d < x->shape->rank; d++)
		taps *= x->shape->dim[d];
	for (int64_t g = 0; g < b->group; g++)
		for (int64_t k0 = 0; k0 < outputs; k0 += b->block)
			for (int64_t i = 0; i < taps * channels; i++)
				for (int s = 0; s < b->stack; s++)
					for (int64_t k = k0; k < minimum(k0 + b->block, outputs);
						k++)
						*to++ = (float)x->v[s]
								   [((g * outputs + k) * channels +
									    i % channels) *
										   taps +
									   i / channels];
	return to;
}

static float *pack_linear(const struct source *x, float *to)
{
	int64_t inputs = x->shape->dim[0], outputs = x->shape->dim[1], block = x->blob->block;

	for (int64_t n0 = 0; n0 < outputs; n0 += block)
		for (int64_t k = 0; k < inputs; k++)
			for (int s = 0; s < x->blob->stack; s++)
				for (int64_t n = n0; n < minimum(n0 + block, outputs); n++)
					*to++ = (float)x->v[s][k * outputs + n];
	return to;
}

/* The products of conv_gemm: a chunk of input channels at a time. */
static float *pack_gemm(const struct source *x, float *to)
{
	const struct blob *b = x->blob;
	bool matrix = x->shape->rank == 2; /* of a Linear: [C, K] */
	int64_t outputs = (matrix ? x->shape->dim[1] : x->shape->dim[0]) / b->group;
	int64_t channels = matrix ? x->shape->dim[0] : x->shape->dim[1], taps = 1;

	for (int d = 2; d < x->shape->rank; d++)
		taps *= x->shape->dim[d];
	for (int64_t g = 0; g < b->group; g++)
		for (int64_t k0 = 0; k0 < outputs; k0 += b->block)
			for (int64_t c0 = 0; c0 < channels; c0 += b->chunk)
				for (int64_t i = 0; i < taps * b->chunk; i++)
					for (int s = 0; s < b->stack; s++)
						for (int64_t k = k0;
							k < minimum(k0 + b->block, outputs); k++) {
							int64_t c = c0 + i % b->chunk,
								tap = i / b->chunk;

							*to++ = (float)x->v
									[s]
									[matrix ? c * outputs + k
										: ((g * outputs +
											   k) * channels +
											  c) * taps +
												tap];
						}
	return to;
}

/* Groups of few channels, whole ones side by side in a block. In groups of eight the channels of
 * the second half come first for the outputs of the second half. */
static float *pack_narrow(const struct source *x, float *to)
{
	int64_t outputs = x->shape->dim[0], width = x->shape->dim[1], block = x->blob->block;
	int64_t taps = x->blob->count / (outputs * width);

	for (int64_t k0 = 0; k0 < outputs; k0 += block)
		for (int64_t i = 0; i < taps * width; i++)
			for (int64_t k = k0; k < minimum(k0 + block, outputs); k++) {
				int64_t c = width < 8 ? i % width : i % width ^ (k & 4);

				*to++ = (float)x->v[0][(k * width + c) * taps + i / width];
			}
	return to;
}

static float *pack_bias(const struct source *x, float *to)
{
	int64_t outputs = x->shape->dim[0] / x->blob->group;

	for (int64_t g = 0; g < x->blob->group; g++)
		for (int64_t k0 = 0; k0 < outputs; k0 += x->blob->block)
			for (int s = 0; s < x->blob->stack; s++)
				for (int64_t k = k0; k < minimum(k0 + x->blob->block, outputs); k++)
					*to++ = (float)x->v[s][g * outputs + k];
	return to;
}

static float *pack_depthwise(const struct source *x, float *to)
{
	int64_t channels = x->shape->dim[0], taps = x->blob->count / channels;

	for (int64_t t = 0; t < taps; t++)
		for (int64_t c = 0; c < channels; c++)
			*to++ = (float)x->v[0][c * taps + t];
	return to;
}

static float *pack_plain(const struct source *x, float *to)
{
	for (int64_t k = 0; k < x->blob->count; k++)
		*to++ = (float)x->v[0][k];
	return to;
}

void pack_blob(struct plan *p, const struct blob *b, float *to)
{
	static float *(*const packings[])(const struct source *x, float *to) = {
		[PACK_PLAIN] = pack_plain,
		[PACK_CONV] = pack_conv,
		[PACK_DEPTHWISE] = pack_depthwise,
		[PACK_LINEAR] = pack_linear,
		[PACK_GEMM] = pack_gemm,
		[PACK_NARROW] = pack_narrow,
		[PACK_BIAS] = pack_bias,
		[PACK_TABLE] = pack_plain,
	};
	struct arena scratch = { 0 };
	struct source x = { .blob = b, .shape = &b->tensor[0]->shape };

	for (int s = 0; s < b->stack; s++)
		x.v[s] = lazy_f64(&scratch, p->graph, b->tensor[s]);
	if (packings[b->packing](&x, to) != to + b->count)
		die("packing %d of %s wrote another number of elements", (int)b->packing,
			b->tensor[0]->name);
	arena_release(&scratch);
}
