/* Kernels with windows over an image: convolutions, pools. */
#include "kernels/kernel.h"

#include <string.h>

const char *applies_image(const struct kernel *k)
{
	int rank = k->anchor->in[0]->shape.rank;

	static const char *const lists[] = { "pads", "strides", "dilations" };

	for (int l = 0; l < 3; l++) {
		int n;
		const int64_t *v = attr_ints(k->anchor, lists[l], &n);

		for (int i = 0; i < n; i++)
			if (v[i] > 1 << 24)
				return "its pads, strides or dilations are too large";
	}
	return rank >= 3 && rank <= 5 ? NULL : "it has not one to three spatial dimensions";
}

const char *applies_depthwise(const struct kernel *k)
{
	const struct shape *x = &k->anchor->in[0]->shape, *w = &k->anchor->in[1]->shape;

	if (applies_image(k) != NULL)
		return applies_image(k);
	if (k->nstacked > 0)
		return "several convolutions are computed together";
	if (w->dim[1] != 1 || attr_int(k->anchor, "group", 1) != x->dim[1])
		return "an output channel reads more than one input channel";
	return w->dim[0] == x->dim[1] ? NULL : "an input channel has several output channels";
}

/* Run-time weights are packed before a row is chosen: for c/depthwise where it applies. */
const char *applies_conv(const struct kernel *k)
{
	if (is_runtime(k->anchor->in[1]) && applies_depthwise(k) == NULL)
		return "its weights are packed at run time, for c/depthwise";
	return applies_image(k);
}

static double multiply_adds(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	return (double)shape_count(&k->value->shape) * (double)(shape_count(w) / w->dim[0]);
}

/* Few outputs, of the whole or of a group, leave most of a vector idle; from 8 on an image in planes has enough. */
double cost_conv(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	const int64_t group = attr_int(k->anchor, "group", 1), outputs = w->dim[0] / group * (1 + k->nstacked);
	const bool narrow = outputs < (group > 1 || input(k)->stride[1] == 1 ? 16 : 8);

	return multiply_adds(k) * cost_of(k, narrow           ? COST_CONV_NARROW
					     : w->dim[1] < 4 ? COST_CONV_FLAT
							     : COST_CONV);
}

/* c/conv, whose weights init packs: what the tests know of weights that init makes. */
const char *applies_conv_turned(const struct kernel *k)
{
	return constant_weights(k) != NULL ? constant_weights(k) : applies_image(k);
}

double cost_conv_turned(const struct kernel *k)
{
	return multiply_adds(k) * cost_of(k, COST_CONV_TURNED);
}

double cost_depthwise(const struct kernel *k)
{
	return multiply_adds(k) * cost_of(k, COST_DEPTHWISE);
}

/* Sizes, strides, pads and dilations of a window over the input's image; true if it leaves the
 * image. */
bool window(struct plan *p, struct kernel *k, const int64_t *kernel)
{
	const struct region *x = input(k);
	const struct shape *y = &k->value->shape;
	int spatial = x->shape.rank - 2, n;
	const int64_t *strides = attr_ints(k->anchor, "strides", &n),
		      *pads = attr_ints(k->anchor, "pads", &n);
	const int64_t *dilations = attr_ints(k->anchor, "dilations", &n);
	bool leaves = false;

	for (int axis = 0; axis < 3; axis++) {
		const int i = spatial - 3 + axis;
		const char c = "DHW"[axis];
		bool here = i >= 0;
		int64_t size = here ? x->shape.dim[2 + i] : 1, out = here ? y->dim[2 + i] : 1;
		int64_t taps = here ? kernel[i] : 1, step = here ? strides[i] : 1,
			dil = here ? dilations[i] : 1;
		int64_t begin = here ? pads[i] : 0;

		param(k, spatial_name(p, "", c), size);
		if (axis > 0)
			param(k, spatial_name(p, "O", c), out);
		param(k, (const char *[]){ "Q", "R", "S" }[axis], taps);
		param(k, spatial_name(p, "STRIDE_", c), step);
		param(k, spatial_name(p, "PAD_", c), begin);
		param(k, spatial_name(p, "DIL_", c), dil);
		param(k, spatial_name(p, "X", c), here ? x->stride[2 + i] : 0);
		leaves = leaves || begin > 0 || (out - 1) * step - begin + (taps - 1) * dil >= size;
	}
	param(k, "XN", x->stride[0]);
	param(k, "XC", x->stride[1]);
	param(k, "N", x->shape.dim[0]);
	param(k, "DEPTH", spatial == 3);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, y->rank));
	param(k, "P", size_of(y, &k->coord[2]));
	share(k, "n", x->shape.dim[0], 1, DIVIDES_INPUT);
	return leaves;
}

static const int64_t *kernel_size(const struct kernel *k)
{
	int n;

	if (is_a(k->anchor, IS_WEIGHTED))
		return &k->anchor->in[1]->shape.dim[2];
	return attr_ints(k->anchor, "kernel_shape", &n);
}

char *window_text(struct plan *p, const struct kernel *k)
{
	int spatial = k->anchor->in[0]->shape.rank - 2, n;
	const int64_t *size = kernel_size(k), *strides = attr_ints(k->anchor, "strides", &n);
	char *text = arena_strdup(p->arena, "");
	bool strided = false;

	for (int i = 0; i < spatial; i++) {
		text = arena_printf(
			p->arena, "%s%s%lld", text, i > 0 ? "x" : "", (long long)size[i]);
		strided = strided || strides[i] != 1;
	}
	if (strided)
		text = arena_printf(p->arena, "%s_s%lld", text, (long long)strides[spatial - 1]);
	return text;
}

/* Blocks alike, for weights that a copy packs. */
static int even_block(int64_t outputs)
{
	int block = 24;

	while (outputs % block != 0)
		block--;
	return block;
}

/* Output channels of a block: what the tile's registers hold; less only where there are less. */
int channel_block(const struct kernel *k, int64_t outputs)
{
	if (k->nstacked > 0) /* side by side in the same registers */
		return (int)(outputs < 8 ? outputs : 8);
	if (outputs < 16)
		return (int)outputs;
	if (outputs % 16 != 0 && is_runtime(k->anchor->in[1]))
		return even_block(outputs);
	return outputs % 16 == 0 || outputs % 24 != 0 ? 16 : 24;
}

void cut_weights(const struct kernel *k, const struct region *w, struct region *r, uint8_t *order)
{
	const int64_t group = attr_int(k->anchor, "group", 1), outputs = w->shape.dim[0] / group,
		      block = channel_block(k, outputs);
	struct shape s = { .rank = w->shape.rank + 2, .dim = { group, outputs / block, block } };
	int n = 0;

	memcpy(&s.dim[3], &w->shape.dim[1], (size_t)(w->shape.rank - 1) * sizeof(s.dim[0]));
	*r = region_dense(w->type, &s, NULL);
	r->buffer = w->buffer;
	r->offset = w->offset;
	memcpy(&r->stride[2], w->stride, (size_t)w->shape.rank * sizeof(r->stride[0]));
	r->stride[1] = block * r->stride[2];
	r->stride[0] = outputs * r->stride[2];
	const int front = applies_depthwise(k) == NULL ? 4 : 0; /* taps, or groups and blocks */

	for (int d = 0; d < s.rank; d++)
		if ((front + d) % s.rank != 2 && (front + d) % s.rank != 3)
			order[n++] = (uint8_t)((front + d) % s.rank);
	order[n++] = 3;
	order[n] = 2;
}

int tile(struct kernel *k, int64_t pixels, int64_t outputs, int block)
{
	const int width = block * (1 + k->nstacked), most = width <= 8 ? 12 : 6;

	param(k, "K", outputs);
	param(k, "KB", width);
	param(k, "CHANNELS", width);
	param(k, "STEP", block);
	param(k, "PB", most);
	param(k, "PIXELS", most);
	share(k, "k", outputs, block, DIVIDES_WEIGHTS);
	share(k, "p", pixels, most, DIVIDES_INPUT);
	param(k, "TAIL", outputs % block != 0);
	return most;
}

const char *conv_template(bool padded, bool planar)
{
	if (!padded)
		return "c/conv";
	return planar ? "c/conv_edges" : "c/conv_padded";
}

static void setup_direct(struct plan *p, struct kernel *k, enum packing packing)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	int64_t group = attr_int(k->anchor, "group", 1), outputs = w->dim[0] / group;
	int block = channel_block(k, outputs);

	k->template = conv_template(window(p, k, &w->dim[2]), input(k)->stride[1] != 1);
	param(k, "G", group);
	param(k, "C", w->dim[1]);
	param(k, "TAPS", shape_count(w) / (w->dim[0] * w->dim[1]));
	share(k, "g", group, 1, DIVIDES_BOTH);
	tile(k, size_of(&k->value->shape, &k->coord[2]), outputs, block);
	weights(p, k, &(struct blob){ .packing = packing, .group = (int)group, .block = block });
	bias(p, k, (int)group, block);
	stacking(k);
	skipping(k);
	k->macs = (1 + k->nstacked) * shape_count(&k->value->shape) * (shape_count(w) / w->dim[0]);
	k->title = arena_printf(
		p->arena, "conv%s%s", window_text(p, k), group > 1 ? "_grouped" : "");
}

void setup_conv(struct plan *p, struct kernel *k)
{
	setup_direct(p, k, PACK_CONV);
}

void setup_conv_turned(struct plan *p, struct kernel *k)
{
	setup_direct(p, k, PACK_TURNED);
}

void prepares_conv_turned(const struct kernel *k, struct blob *b)
{
	*b = (struct blob){ .tensor = { k->anchor->in[1] }, .stack = 1 + k->nstacked, .packing = PACK_TURNED };
}

void prepare_turned(struct plan *p, struct kernel *k, const struct blob *b)
{
	const struct shape *w = &b->tensor[0]->shape;

	same_weights(p, k, "w", &(struct blob){ .packing = PACK_PLAIN }, b);
	param(k, "STACK", b->stack);
	param(k, "G", b->group);
	param(k, "K", w->dim[0] / b->group);
	param(k, "KB", b->block);
	param(k, "C", w->dim[1]);
	param(k, "TAPS", shape_count(w) / (w->dim[0] * w->dim[1]));
	param(k, "SIZE", b->count);
}

static void channel_tile(struct kernel *k, int64_t channels, int64_t most)
{
	int64_t block = channels < most ? channels : most;

	param(k, "C", channels);
	param(k, "CB", block);
	param(k, "TAIL", channels % block != 0);
	share(k, "p", size_of(&k->value->shape, &k->coord[2]), 1, DIVIDES_INPUT);
}

void setup_depthwise(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	window(p, k, &w->dim[2]);
	channel_tile(k, w->dim[0], 16);
	weights(p, k, &(struct blob){ .packing = PACK_DEPTHWISE, .group = 1, .block = 1 });
	bias(p, k, 1, (int)w->dim[0]);
	k->macs = shape_count(&k->value->shape) * (shape_count(w) / w->dim[0]);
	k->title = arena_printf(p->arena, "depthwise%s", window_text(p, k));
}

static void setup_pool(struct plan *p, struct kernel *k)
{
	window(p, k, kernel_size(k));
	channel_tile(k, input(k)->shape.dim[1],
		64); /* compilers vectorize a loop, not 16 unrolled steps */
	k->title = arena_printf(p->arena, "%s%s", k->row->name, window_text(p, k));
}

void setup_maxpool(struct plan *p, struct kernel *k)
{
	const enum dtype type = k->value->type;

	setup_pool(p, k);
	param(k, "FLOATS", type == DT_F32);
	subst(k, "T", dtypes[type].ctype);
	subst(k, "LEAST", type == DT_F32 ? "(-1.0f / 0.0f)" : least_text(type));
}

void setup_avgpool(struct plan *p, struct kernel *k)
{
	const struct shape *x = &input(k)->shape;
	const int spatial = x->rank - 2;
	int n;
	const int64_t *pads = attr_ints(k->anchor, "pads", &n);

	setup_pool(p, k);
	for (int axis = 0; axis < 3; axis++) {
		const int i = spatial - 3 + axis;

		param(k, spatial_name(p, "END_", "DHW"[axis]),
			i < 0 ? 1 : x->dim[2 + i] + pads[spatial + i]);
	}
	param(k, "INCLUDE", attr_int(k->anchor, "count_include_pad", 0));
}

/* Places in the input as if it lay dense; its image column by column where storage_order says so.
 */
void setup_argmaxpool(struct plan *p, struct kernel *k)
{
	const struct shape *x = &input(k)->shape;
	const bool columns = attr_int(k->anchor, "storage_order", 0) != 0;
	const int spatial = x->rank - 2;
	int64_t stride[3] = { 0 }, step = 1;

	window(p, k, kernel_size(k));
	for (int i = 0; i < spatial; i++) {
		const int d = columns ? i : spatial - 1 - i;

		stride[d + 3 - spatial] = step;
		step *= x->dim[2 + d];
	}
	param(k, "ID", stride[0]);
	param(k, "IH", stride[1]);
	param(k, "IW", stride[2]);
	param(k, "IC", step);
	param(k, "IN", step * x->dim[1]);
	param(k, "C", x->dim[1]);
	share(k, "p", size_of(&k->value->shape, &k->coord[2]), 1, DIVIDES_INPUT);
	k->title = arena_printf(p->arena, "argmaxpool%s", window_text(p, k));
}

const char *applies_unpool(const struct kernel *k)
{
	for (int i = 0; i < k->narg; i++) {
		const struct coord image = span(2, k->arg[i].region.shape.rank);
		int64_t stride;

		if (!stride_of(&k->arg[i].region, &image, &stride))
			return "its image does not lie evenly";
	}
	return k->narg == 2 ? NULL : "its values or its places are constant";
}

void setup_unpool(struct plan *p, struct kernel *k)
{
	const struct shape *x = &input(k)->shape;
	const struct coord from = span(2, x->rank);

	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, from);
	param(k, "N", x->dim[0]);
	param(k, "C", x->dim[1]);
	param(k, "M", size_of(x, &from));
	param(k, "P", size_of(&k->value->shape, &from));
	for (int i = 0; i < 2; i++) {
		const struct region *r = &k->arg[i].region;

		param(k, arena_printf(p->arena, "%cN", "XI"[i]), r->stride[0]);
		param(k, arena_printf(p->arena, "%cC", "XI"[i]), r->stride[1]);
		param(k, arena_printf(p->arena, "%cP", "XI"[i]), need_stride(r, from));
	}
	k->arg[1].name = "index";
	k->drafts = true;
	k->title = "unpool";
}
