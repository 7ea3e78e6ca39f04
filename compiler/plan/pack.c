/* Constants as kernels want them: the orders of packings.def, and where each lies. */
#include "plan/plan.h"

#include <string.h>

static int64_t minimum(int64_t x, int64_t y)
{
	return x < y ? x : y;
}

/* ---- places ---- */

/* Big blobs start on a cache line, small ones where a vector may be read. */
static int64_t aligned(int64_t offset, int64_t bytes)
{
	int64_t to = bytes >= 1024 ? 64 : 16;

	return (offset + to - 1) / to * to;
}

/* Blobs of one element type lie together, floats first. */
static void sort_blobs(struct plan *p)
{
	struct blob **sorted = arena_alloc(p->arena, (size_t)(p->nblob + 1) * sizeof(*sorted));
	int n = 0;

	for (int type = 0; type < DT_COUNT; type++)
		for (int k = 0; k < p->nblob; k++)
			if ((int)p->blob[k]->type == type)
				sorted[n++] = p->blob[k];
	p->blob = sorted;
	p->blob_cap = n;
}

/* Bytes of those of a kind, each behind the one before. */
static int64_t place_blobs(const struct plan *p, enum buffer_kind kind)
{
	int64_t offset = 0;

	for (int k = 0; k < p->nblob; k++) {
		struct buffer *b = p->blob[k]->buffer;

		if (b->kind != kind)
			continue;
		b->offset = aligned(offset, b->bytes);
		offset = b->offset + b->bytes;
	}
	return offset;
}

void pack_constants(struct plan *p)
{
	sort_blobs(p);
	p->weights_bytes = place_blobs(p, BUF_WEIGHTS);
	p->prepared_bytes = place_blobs(p, BUF_PREPARED);
}

int64_t prepared_size(const struct plan *p)
{
	return p->prepared_bytes > 0 ? (p->prepared_bytes + 63) / 64 * 64 + 64 : 0;
}

/* ---- orders ---- */

/* What a packing reads, the elements of its stacked tensors, all of one shape; and where it writes. */
struct packer {
	const struct blob *blob;
	const struct shape *shape;
	const double *f[MAX_STACKED];  /* floats, or .. */
	const int64_t *i[MAX_STACKED]; /* .. integers */
	unsigned char *to;
};

static void put_bits(struct packer *x, uint64_t bits)
{
	for (int i = 0; i < dtypes[x->blob->type].size; i++)
		*x->to++ = (unsigned char)(bits >> 8 * i);
}

static void put_number(struct packer *x, double number)
{
	const float v = (float)number;
	uint32_t word;

	memcpy(&word, &v, sizeof(word));
	put_bits(x, word);
}

/* Appends element k of tensor s. */
static void put(struct packer *x, int s, int64_t k)
{
	if (x->i[s] != NULL)
		put_bits(x, (uint64_t)x->i[s][k]);
	else
		put_number(x, x->f[s][k]);
}

static void pack_plain(struct packer *x)
{
	for (int s = 0; s < x->blob->stack; s++)
		for (int64_t k = 0; k < shape_count(x->shape); k++)
			put(x, s, k);
}

/* Blocks of outputs, inputs by chunks: of convolutions, fully connected layers, biases. */
static void pack_blocks(struct packer *x)
{
	const struct blob *b = x->blob;
	const bool matrix = x->shape->rank == 2; /* of a Linear: [C, K] */
	const int64_t all = shape_count(x->shape), outputs = x->shape->dim[matrix] / b->group,
		      inputs = all / x->shape->dim[matrix],
		      channels = x->shape->rank > 2 ? x->shape->dim[1] : inputs,
		      taps = inputs / channels, chunk = b->chunk > 0 ? b->chunk : channels;

	for (int64_t k0 = 0; k0 < outputs * b->group;
		k0 += minimum(b->block, outputs - k0 % outputs))
		for (int64_t i = 0; i < inputs; i++) {
			const int64_t end = minimum(k0 + b->block, k0 - k0 % outputs + outputs),
				      c = i / (taps * chunk) * chunk + i % chunk,
				      at = c * taps + i / chunk % taps;

			for (int s = 0; s < b->stack; s++)
				for (int64_t k = k0; k < end; k++)
					put(x, s, matrix ? at * outputs + k : k * inputs + at);
		}
}

/* Groups of few channels, whole ones side by side in a block; of several outputs of single channels, first
 * one of each. In groups of eight the channels of
 * the second half come first for the outputs of the second half. */
static void pack_narrow(struct packer *x)
{
	const int64_t outputs = x->shape->dim[0], width = x->shape->dim[1], block = x->blob->block,
		      taps = shape_count(x->shape) / (outputs * width),
		      channels = x->blob->group * width, multiple = outputs / channels;

	for (int64_t k0 = 0; k0 < channels; k0 += block)
		for (int64_t i = 0; i < multiple * taps * width; i++)
			for (int64_t k = k0; k < minimum(k0 + block, channels); k++) {
				const int64_t m = i / (taps * width), tap = i / width % taps;
				const int64_t c = width < 8 ? i % width : i % width ^ (k & 4);

				put(x, 0, ((k * multiple + m) * width + c) * taps + tap);
			}
}

static void pack_depthwise(struct packer *x)
{
	const int64_t channels = x->shape->dim[0], taps = shape_count(x->shape) / channels;

	for (int64_t t = 0; t < taps; t++)
		for (int64_t c = 0; c < channels; c++)
			put(x, 0, c * taps + t);
}

/* All that an output meets, in the order of a window whose channels lie last. */
static void pack_dots(struct packer *x)
{
	const bool matrix = x->shape->rank == 2; /* of a Linear: [C, K] */
	const int64_t all = shape_count(x->shape), outputs = x->shape->dim[matrix],
		      channels = x->shape->dim[!matrix], taps = all / outputs / channels;

	for (int s = 0; s < x->blob->stack; s++)
		for (int64_t k = 0; k < outputs; k++)
			for (int64_t t = 0; t < taps; t++)
				for (int64_t c = 0; c < channels; c++)
					put(x, s, matrix ? c * outputs + k : (k * channels + c) * taps + t);
}

/* Runs of `chunk` taps' inputs, four of an output side by side; zeros fill up the last four, and the last block. */
static void pack_fours(struct packer *x)
{
	const bool matrix = x->shape->rank == 2; /* of a Linear: [C, K] */
	const int64_t outputs = x->shape->dim[matrix], channels = x->shape->dim[!matrix],
		      inputs = shape_count(x->shape) / outputs, taps = inputs / channels,
		      block = x->blob->block, run = x->blob->chunk * channels;

	for (int s = 0; s < x->blob->stack; s++)
		for (int64_t k0 = 0; k0 < outputs; k0 += block)
			for (int64_t i = 0; i < taps * channels; i += run)
				for (int64_t e = 0; e < (run + 3) / 4 * 4 * block; e++) {
					const int64_t k = k0 + e / 4 % block,
						      at = e / (4 * block) * 4 + e % 4,
						      input = (i + at) % channels * taps +
							      (i + at) / channels;

					if (k < outputs && at < run)
						put(x, s, matrix ? input * outputs + k : k * inputs + input);
					else
						put_bits(x, 0);
				}
}

/* Each filter in its places, G w G'; and zeros between the matrices. */
static void pack_winograd(struct packer *x, int pixels)
{
	static const double four[6][3] = { { 0.25, 0, 0 }, { -1.0 / 6, -1.0 / 6, -1.0 / 6 },
		{ -1.0 / 6, 1.0 / 6, -1.0 / 6 }, { 1.0 / 24, 1.0 / 12, 1.0 / 6 },
		{ 1.0 / 24, -1.0 / 12, 1.0 / 6 }, { 0, 0, 1 } };
	static const double two[4][3] = { { 1, 0, 0 }, { 0.5, 0.5, 0.5 }, { 0.5, -0.5, 0.5 },
		{ 0, 0, 1 } };
	const double(*g)[3] = pixels == 4 ? four : two;
	const struct blob *b = x->blob;
	const int side = pixels + 2;
	const int64_t channels = x->shape->dim[1],
		      rest = b->count / (x->shape->dim[0] / b->block * side * side) -
			     b->stack * b->block * channels;

	for (int64_t k0 = 0; k0 < x->shape->dim[0]; k0 += b->block)
		for (int place = 0; place < side * side; place++) {
			for (int64_t c = 0; c < channels; c++)
				for (int s = 0; s < b->stack; s++)
					for (int64_t k = k0; k < k0 + b->block; k++) {
						double sum = 0.0;

						for (int i = 0; i < 9; i++)
							sum += g[place / side][i / 3] *
							       g[place % side][i % 3] *
							       x->f[s][(k * channels + c) * 9 + i];
						put_number(x, sum);
					}
			for (int64_t k = 0; k < rest; k++)
				put_number(x, 0.0);
		}
}

static void pack_winograd4(struct packer *x)
{
	pack_winograd(x, 4);
}

static void pack_winograd2(struct packer *x)
{
	pack_winograd(x, 2);
}

/* ---- the table ---- */

static int64_t count_own(const struct blob *b)
{
	return b->stack * shape_count(&b->tensor[0]->shape);
}

/* All, and then what a vector of 64 bytes may read behind them. */
static int64_t count_vectors(const struct blob *b)
{
	return (count_own(b) + 15) / 16 * 16;
}

static int64_t count_fours(const struct blob *b)
{
	const struct shape *w = &b->tensor[0]->shape;
	const bool matrix = w->rank == 2;
	const int64_t run = b->chunk * w->dim[!matrix];

	return b->stack * ((w->dim[matrix] + b->block - 1) / b->block * b->block) *
	       (shape_count(w) / w->dim[matrix] / run) * ((run + 3) / 4 * 4);
}

/* Blocks of `places` matrices [C][K], each in an odd number of cache lines. */
static int64_t count_places(const struct blob *b, int64_t places)
{
	const struct shape *w = &b->tensor[0]->shape;

	return w->dim[0] / b->block * places * ((b->stack * b->block * w->dim[1] / 16) | 1) * 16;
}

static int64_t count_winograd4(const struct blob *b)
{
	return count_places(b, 36);
}

static int64_t count_winograd2(const struct blob *b)
{
	return count_places(b, 16);
}

static const struct {
	enum buffer_kind kind;
	int64_t (*count)(const struct blob *b);
	void (*pack)(struct packer *x); /* null: init does */
	const char *text;
} packings[] = {
#define PACKING(row, buffer, elements, order, words)                                               \
	[PACK_##row] = { BUF_##buffer, count_##elements, pack_##order, words },
#define PREPARED(row, elements, file, setup, words)                                                \
	[PACK_##row] = { BUF_PREPARED, count_##elements, NULL, words },
#include "plan/packings.def"
};

int64_t pack_prepared(const struct blob *b)
{
	return packings[b->packing].kind == BUF_PREPARED
		       ? packings[b->packing].count(b) * dtypes[b->tensor[0]->type].size
		       : 0;
}

struct buffer *pack_buffer(struct plan *p, struct blob *b)
{
	if (b->type == DT_NONE)
		b->type = b->tensor[0]->type;
	b->count = packings[b->packing].count(b);
	return plan_buffer(p, packings[b->packing].kind, b->count * dtypes[b->type].size);
}

const char *packing_text(struct arena *a, const struct blob *b)
{
	const char *s = packings[b->packing].text, *text = "";

	for (const char *sign; (sign = strchr(s, '%')) != NULL; s = sign + 2) {
		const int n = sign[1] == 'g'   ? b->group
			      : sign[1] == 'b' ? b->block
			      : sign[1] == 'c' ? b->chunk
					       : b->stack;

		text = arena_printf(a, "%s%.*s%d", text, (int)(sign - s), s, n);
	}
	return arena_printf(a, "%s%s", text, s);
}

void pack_blob(struct plan *p, const struct blob *b, unsigned char *to)
{
	struct arena scratch = { 0 };
	struct packer x = { .blob = b, .shape = &b->tensor[0]->shape, .to = to };

	for (int s = 0; s < b->stack; s++)
		if (b->type == DT_F32)
			x.f[s] = lazy_f64(&scratch, p->graph, b->tensor[s]);
		else
			x.i[s] = tensor_i64(&scratch, b->tensor[s]);
	packings[b->packing].pack(&x);
	if (x.to != to + b->count * dtypes[b->type].size)
		die("packing %d of %s wrote another number of elements", (int)b->packing,
			b->tensor[0]->name);
	arena_release(&scratch);
}

struct blob *plan_blob(struct plan *p, const struct blob *wanted)
{
	for (int k = 0; k < p->nblob; k++) {
		struct blob *b = p->blob[k];

		if (memcmp(b->tensor, wanted->tensor, sizeof(b->tensor)) == 0 &&
			b->packing == wanted->packing && b->group == wanted->group &&
			b->block == wanted->block && b->chunk == wanted->chunk &&
			b->type == (wanted->type != DT_NONE ? wanted->type : b->tensor[0]->type))
			return b;
	}
	struct blob *b = arena_alloc(p->arena, sizeof(*b));

	p->blob = plan_grown(p->arena, p->blob, p->nblob, &p->blob_cap);
	*b = *wanted;
	b->buffer = pack_buffer(p, b);
	b->buffer->index = p->nblob;
	p->blob[p->nblob++] = b;
	return b;
}
