/*
 * Constants as kernels want them. Orders of elements (T taps, KB or NB of a block; the last block of a group is
 * narrower, nothing is padded):
 *
 *   plain       row-major
 *   conv        [group][block][tap][C][KB]     from [K, C, taps]
 *   depthwise   [tap][C]                       from [C, 1, taps]
 *   linear      [block][K][NB]                 from [K, N]
 */
#include "skipc.h"

#include <string.h>

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

static void pack_conv(const struct blob *b, const double *v, float *to)
{
	const struct shape *s = &b->tensor->shape;
	int64_t outputs = s->dim[0] / b->group, channels = s->dim[1], taps = 1;

	for (int d = 2; d < s->rank; d++)
		taps *= s->dim[d];
	for (int64_t g = 0; g < b->group; g++)
		for (int64_t k0 = 0; k0 < outputs; k0 += b->block)
			for (int64_t t = 0; t < taps; t++)
				for (int64_t c = 0; c < channels; c++)
					for (int64_t k = k0; k < minimum(k0 + b->block, outputs); k++)
						*to++ = (float)v[((g * outputs + k) * channels + c) * taps + t];
}

static void pack_linear(const struct blob *b, const double *v, float *to)
{
	int64_t inputs = b->tensor->shape.dim[0], outputs = b->tensor->shape.dim[1];

	for (int64_t n0 = 0; n0 < outputs; n0 += b->block)
		for (int64_t k = 0; k < inputs; k++)
			for (int64_t n = n0; n < minimum(n0 + b->block, outputs); n++)
				*to++ = (float)v[k * outputs + n];
}

static void pack_depthwise(const struct blob *b, const double *v, float *to)
{
	int64_t channels = b->tensor->shape.dim[0], taps = b->count / channels;

	for (int64_t t = 0; t < taps; t++)
		for (int64_t c = 0; c < channels; c++)
			*to++ = (float)v[c * taps + t];
}

void pack_blob(struct plan *p, const struct blob *b, float *to)
{
	struct arena scratch = { 0 };
	const double *v = lazy_f64(&scratch, p->graph, b->tensor);

	switch (b->packing) {
	case PACK_CONV:
		pack_conv(b, v, to);
		break;
	case PACK_DEPTHWISE:
		pack_depthwise(b, v, to);
		break;
	case PACK_LINEAR:
		pack_linear(b, v, to);
		break;
	case PACK_PLAIN:
	case PACK_TABLE:
		for (int64_t k = 0; k < b->count; k++)
			to[k] = (float)v[k];
		break;
	}
	arena_release(&scratch);
}
