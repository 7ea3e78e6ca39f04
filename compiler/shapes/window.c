/* Shape rules of Conv, the pools and Resize. They end with explicit pads, and with every default
 * filled in. */
#include "shapes/shape.h"

#include <math.h>
#include <string.h>

enum { MAX_SPATIAL = 3 };

struct window {
	int spatial;
	int64_t size[MAX_SPATIAL]; /* of the image */
	int64_t kernel[MAX_SPATIAL], stride[MAX_SPATIAL], dilation[MAX_SPATIAL];
	int64_t pad[2 * MAX_SPATIAL]; /* begins, ends */
};

/* An attribute of one number a spatial dimension (or two), each within bounds; absent: all
 * `otherwise`. */
static bool spatial_list(struct graph *g, struct node *n, const char *name, int want, int64_t least,
	int64_t otherwise, int64_t *to)
{
	int count;
	const int64_t *v = attr_ints(n, name, &count);

	if (v != NULL && count != want) {
		node_error(g, n, NULL, "%s has %d numbers, %d are needed", name, count, want);
		return false;
	}
	for (int k = 0; k < want; k++) {
		to[k] = v != NULL ? v[k] : otherwise;
		if (to[k] < least || to[k] > MAX_ATTRIBUTE) {
			node_error(g, n, NULL, "%lld in %s", (long long)to[k], name);
			return false;
		}
	}
	return true;
}

/* Everything but the kernel's size, which has its own place in Conv and in pools. */
static bool read_window(struct graph *g, struct node *n, struct window *w)
{
	int rank = n->in[0]->shape.rank;

	if (rank < 3 || rank > 2 + MAX_SPATIAL) {
		node_error(g, n,
			"the input is [N,C,H,W], or with one or three dimensions in the place of "
			"H,W",
			"its input has %d dimensions", rank);
		return false;
	}
	w->spatial = rank - 2;
	for (int k = 0; k < w->spatial; k++)
		w->size[k] = n->in[0]->shape.dim[2 + k];
	return spatial_list(g, n, "strides", w->spatial, 1, 1, w->stride) &&
	       spatial_list(g, n, "dilations", w->spatial, 1, 1, w->dilation) &&
	       spatial_list(g, n, "pads", 2 * w->spatial,
		       node_attr(n, "spread") != NULL ? -MAX_ATTRIBUTE : 0, 0, w->pad);
}

/* What auto_pad says; false: reported. */
static bool read_auto_pad(struct graph *g, struct node *n, bool *explicit, bool *upper, bool *lower)
{
	const char *how = attr_string(n, "auto_pad", "NOTSET");

	*upper = strcmp(how, "SAME_UPPER") == 0;
	*lower = strcmp(how, "SAME_LOWER") == 0;
	*explicit = strcmp(how, "NOTSET") == 0 || how[0] == '\0';
	if (*explicit || *upper || *lower || strcmp(how, "VALID") == 0)
		return true;
	node_error(g, n, "NOTSET, VALID, SAME_UPPER or SAME_LOWER", "auto_pad \"%s\"",
		escape(g->arena, how));
	return false;
}

/* auto_pad, where it is said, replaces the pads. SAME: as many outputs as strides fit in, in ceil mode
 * too; what is odd goes to the end (UPPER) or the beginning (LOWER). */
static bool auto_pads(struct graph *g, struct node *n, struct window *w, bool *same)
{
	bool explicit, upper, lower;

	if (!read_auto_pad(g, n, &explicit, &upper, &lower))
		return false;
	*same = upper || lower;
	for (int k = 0; k < w->spatial && !explicit; k++) {
		int64_t in = w->size[k], extent = (w->kernel[k] - 1) * w->dilation[k] + 1;
		int64_t count = (in + w->stride[k] - 1) / w->stride[k];
		int64_t total = (count - 1) * w->stride[k] + extent - in;

		total = total > 0 && *same ? total : 0;
		w->pad[k] = upper ? total / 2 : total - total / 2;
		w->pad[w->spatial + k] = total - w->pad[k];
	}
	return true;
}

/* Output sizes. In ceil mode a window that starts in the padding behind the input is none. */
static bool window_outputs(
	struct graph *g, struct node *n, const struct window *w, bool ceil_mode, struct shape *s)
{
	for (int k = 0; k < w->spatial; k++) {
		int64_t in = w->size[k], extent = (w->kernel[k] - 1) * w->dilation[k] + 1;
		int64_t room = in + w->pad[k] + w->pad[w->spatial + k] - extent, count;

		if (room < 0) {
			node_error(g, n, "the input may be too small for this network",
				"its window spans %lld, the padded input has %lld in spatial "
				"dimension %d",
				(long long)extent, (long long)(room + extent), k);
			return false;
		}
		count = (room + (ceil_mode ? w->stride[k] - 1 : 0)) / w->stride[k] + 1;
		if (ceil_mode && (count - 1) * w->stride[k] >= in + w->pad[k])
			count--;
		s->dim[2 + k] = count;
	}
	return true;
}

static void set_window(struct graph *g, struct node *n, const struct window *w)
{
	set_ints(g, n, "strides", w->spatial, w->stride);
	set_ints(g, n, "dilations", w->spatial, w->dilation);
	set_ints(g, n, "pads", 2 * w->spatial, w->pad);
	drop_attr(n, "auto_pad");
}

/* ---- Conv ---- */

static bool check_channels(struct graph *g, struct node *n, int64_t group)
{
	static const char hint[] = "the weight must be [K,C/group,R,S] and the input [N,C,H,W]";
	const struct shape *x = &n->in[0]->shape, *w = &n->in[1]->shape;

	if (w->rank != x->rank) {
		node_error(g, n, hint, "weight has %d dimensions, input has %d", w->rank, x->rank);
		return false;
	}
	if (group < 1 || group > MAX_ATTRIBUTE || w->dim[0] % group != 0 ||
		x->dim[1] % group != 0) {
		node_error(g, n, hint,
			"%lld groups do not divide %lld input and %lld output channels",
			(long long)group, (long long)x->dim[1], (long long)w->dim[0]);
		return false;
	}
	if (w->dim[1] * group != x->dim[1]) {
		if (group == 1)
			node_error(g, n, hint, "weight has %lld input channels, input has %lld",
				(long long)w->dim[1], (long long)x->dim[1]);
		else
			node_error(g, n, hint,
				"weight has %lld input channels, input has %lld in %lld groups",
				(long long)w->dim[1], (long long)x->dim[1], (long long)group);
		return false;
	}
	if (has_input(n, 2) && (n->in[2]->shape.rank != 1 || n->in[2]->shape.dim[0] != w->dim[0])) {
		node_error(g, n,
			"the bias must be [K]; onnxscript 0.5.1 to 0.5.6 mixed up the biases of "
			"convolutions of one input",
			"bias is %s, weight has %lld output channels",
			shape_text(g->arena, &n->in[2]->shape), (long long)w->dim[0]);
		return false;
	}
	return true;
}

/* The window's size is the weight's, with which kernel_shape has to agree. */
static bool read_kernel(struct graph *g, struct node *n, struct window *w)
{
	const struct shape *weight = &n->in[1]->shape;
	int64_t given[MAX_SPATIAL];

	for (int k = 0; k < w->spatial; k++)
		w->kernel[k] = weight->dim[2 + k];
	if (!spatial_list(g, n, "kernel_shape", w->spatial, 1, 1, given))
		return false;
	if (node_attr(n, "kernel_shape") != NULL &&
		memcmp(given, w->kernel, (size_t)w->spatial * sizeof(given[0])) != 0) {
		node_error(g, n, "kernel_shape must be the last dimensions of the weight",
			"kernel_shape does not agree with the weight, %s",
			shape_text(g->arena, weight));
		return false;
	}
	return true;
}

/* The image with the zeros between its elements, if there are any. */
static bool spread_image(struct graph *g, struct node *n, struct window *w)
{
	int64_t spread[MAX_SPATIAL];

	if (!spatial_list(g, n, "spread", w->spatial, 1, 1, spread))
		return false;
	for (int k = 0; k < w->spatial; k++) {
		w->size[k] = (w->size[k] - 1) * spread[k] + 1;
		if (node_attr(n, "spread") != NULL && w->stride[k] != 1) {
			node_error(g, n, NULL, "an image that is spread, and strides");
			return false;
		}
	}
	return true;
}

bool shape_conv(struct graph *g, struct node *n)
{
	int64_t group = attr_int(n, "group", 1);
	struct shape s = n->in[0]->shape;
	struct window w;
	enum dtype type;
	bool same;

	if (!layer_type(g, n, &type) || !read_window(g, n, &w) || !spread_image(g, n, &w) ||
		!check_channels(g, n, group) || !read_kernel(g, n, &w))
		return false;
	s.dim[1] = n->in[1]->shape.dim[0];
	if (!auto_pads(g, n, &w, &same) || !window_outputs(g, n, &w, false, &s) ||
		!give(g, n, 0, type, &s))
		return false;
	set_window(g, n, &w);
	set_int(g, n, "group", group);
	drop_attr(n, "kernel_shape");
	return true;
}

/* ---- ConvTranspose ---- */

enum { MAX_PHASES = 4096 };

/*
 * Where y begins in the full result, and its sizes: all but the pads; or what output_shape asks
 * for, or SAME (at most a stride for each element of the input), the rest being cut from both ends,
 * what is odd from the beginning unless UPPER says otherwise. So opset 11 has it, and onnxruntime
 * at any; the text of opset 1 says the opposite of what is odd.
 */
static bool transposed_sizes(
	struct graph *g, struct node *n, const struct window *w, int64_t *begin, int64_t *size)
{
	int64_t more[MAX_SPATIAL], sizes[MAX_SPATIAL], phases = 1;
	bool explicit, upper, lower, given = node_attr(n, "output_shape") != NULL;

	if (!read_auto_pad(g, n, &explicit, &upper, &lower) ||
		!spatial_list(g, n, "output_padding", w->spatial, 0, 0, more) ||
		!spatial_list(g, n, "output_shape", w->spatial, 1, 1, sizes))
		return false;
	for (int k = 0; k < w->spatial; k++) {
		const int64_t full = (w->size[k] - 1) * w->stride[k] +
				     (w->kernel[k] - 1) * w->dilation[k] + 1 + more[k];
		const int64_t most = given ? sizes[k] : w->size[k] * w->stride[k],
			      rest = full > most ? full - most : 0;

		if (given && full < most) {
			node_error(g, n, "pad behind it, or raise output_padding",
				"its output_shape is %lld in spatial dimension %d, where its parts "
				"make %lld",
				(long long)most, k, (long long)full);
			return false;
		}
		size[k] = given ? most : full - rest;
		begin[k] = upper ? rest / 2 : rest - rest / 2;
		if (!given && !upper && !lower) {
			begin[k] = explicit ? w->pad[k] : 0;
			size[k] = full - begin[k] - (explicit ? w->pad[w->spatial + k] : 0);
		}
		if (size[k] < 1 || size[k] > MAX_ELEMENTS) {
			node_error(g, n, NULL, "its output has %lld in spatial dimension %d",
				(long long)size[k], k);
			return false;
		}
		phases *= size[k] < w->stride[k] ? size[k] : w->stride[k];
		if (phases > MAX_PHASES) {
			node_error(g, n, "Resize followed by Conv can do it",
				"its strides are too large");
			return false;
		}
	}
	return true;
}

/* The weight [C,K/group,R,S] as a convolution on the other way round has it: [K,C/group,R,S],
 * turned by half a circle. */
static struct tensor *turned_weight(
	struct graph *g, struct node *n, int64_t group, const struct window *w)
{
	const struct shape *s = &n->in[1]->shape;
	struct shape split = { .rank = s->rank + 1,
		.dim = { group, s->dim[0] / group, s->dim[1] } },
		     joint = *s;
	int64_t perm[MAX_RANK] = { 0, 2, 1 };
	struct tensor *t;

	for (int k = 3; k < split.rank; k++) {
		split.dim[k] = s->dim[k - 1];
		perm[k] = k;
	}
	joint.dim[0] = group * s->dim[1];
	joint.dim[1] = s->dim[0] / group;
	t = reshaped(g, n, n->in[1], &split);
	if (t != NULL) {
		t = place(g, n, "Transpose", 1, &t)->out[0];
		set_ints(g, t->def, "perm", split.rank, perm);
		t = settle(g, t->def);
	}
	t = t != NULL ? reshaped(g, n, t, &joint) : NULL;
	for (int k = 0; k < w->spatial && t != NULL; k++)
		t = sliced(g, n, t, 2 + k, w->kernel[k] - 1, w->kernel[k], -1);
	return t;
}

/* A convolution of the image with zeros between its elements, where strides or pads that cut the
 * window ask for that. */
bool shape_convtranspose(struct graph *g, struct node *n)
{
	static const char hint[] = "the weight must be [C,K/group,R,S] and the input [N,C,H,W]";
	const struct shape *x = &n->in[0]->shape, *weight = &n->in[1]->shape;
	const int64_t group = attr_int(n, "group", 1);
	int64_t begin[MAX_SPATIAL], size[MAX_SPATIAL];
	struct window w, conv;
	bool spread = false;

	if (!float_inputs(g, n) || !read_window(g, n, &w))
		return false;
	if (weight->rank != x->rank || weight->dim[0] != x->dim[1] || group < 1 ||
		x->dim[1] % group != 0) {
		node_error(g, n, hint,
			"%lld groups of a weight %s do not fit an input of %lld channels",
			(long long)group, shape_text(g->arena, weight), (long long)x->dim[1]);
		return false;
	}
	if (!read_kernel(g, n, &w) || !transposed_sizes(g, n, &w, begin, size))
		return false;
	conv = w;
	for (int k = 0; k < w.spatial; k++) {
		const int64_t reach = (w.kernel[k] - 1) * w.dilation[k];

		conv.stride[k] = 1;
		conv.pad[k] = reach - begin[k];
		conv.pad[w.spatial + k] = size[k] - 1 + begin[k] - (w.size[k] - 1) * w.stride[k];
		spread = spread || w.stride[k] != 1 || conv.pad[k] < 0 ||
			 conv.pad[w.spatial + k] < 0;
	}
	struct tensor *in[3] = { n->in[0], turned_weight(g, n, group, &w),
		has_input(n, 2) ? n->in[2] : NULL };
	if (in[1] == NULL)
		return false;
	struct node *to = place(g, n, "Conv", in[2] != NULL ? 3 : 2, in);
	set_window(g, to, &conv);
	set_int(g, to, "group", group);
	if (spread)
		set_ints(g, to, "spread", w.spatial, w.stride);
	return replace(g, n, settle(g, to));
}

/* ---- pools ---- */

bool shape_pool(struct graph *g, struct node *n)
{
	struct shape s = n->in[0]->shape, in_ceil_mode = s;
	bool same, ceil_mode = attr_int(n, "ceil_mode", 0) != 0, index = is_op(n, "ArgMaxPool");
	struct window w;

	const bool integers = is_op(n, "MaxPool") && !dtypes[n->in[0]->type].is_float && n->in[0]->type != DT_BOOL;

	if ((!integers && !float_inputs(g, n)) || !read_window(g, n, &w) ||
		!spatial_list(g, n, "kernel_shape", w.spatial, 1, 0, w.kernel) ||
		!auto_pads(g, n, &w, &same))
		return false;
	for (int k = 0; k < 2 * w.spatial; k++) {
		int64_t extent = (w.kernel[k % w.spatial] - 1) * w.dilation[k % w.spatial] + 1;

		if (w.pad[k] < extent)
			continue;
		node_error(g, n, "a window must hold at least one element of the input",
			"padding of %lld with a window that spans %lld", (long long)w.pad[k],
			(long long)extent);
		return false;
	}
	if (!window_outputs(g, n, &w, !same && ceil_mode, &s) ||
		!window_outputs(g, n, &w, true, &in_ceil_mode))
		return false;
	/* What is static already shows ceil mode in its size alone. */
	if (n->out[0]->known && !same && shape_equal(&n->out[0]->shape, &in_ceil_mode))
		s = in_ceil_mode;
	if (!give(g, n, 0, index ? DT_I64 : n->in[0]->type, &s))
		return false;
	set_window(g, n, &w);
	set_ints(g, n, "kernel_shape", w.spatial, w.kernel);
	if (is_op(n, "AveragePool"))
		set_int(g, n, "count_include_pad", attr_int(n, "count_include_pad", 0) != 0);
	drop_attr(n, "ceil_mode");
	if (index)
		set_int(g, n, "storage_order", attr_int(n, "storage_order", 0) != 0);
	else
		drop_attr(n, "storage_order");
	return true;
}

/* Sizes that are given must be those that follow: what else they mean, runtimes do not agree on. */
static bool check_sizes(struct graph *g, struct node *n, const struct shape *s)
{
	int count = 0;
	const int64_t *v = has_input(n, 2) ? int_argument(g, n, 2, "output_shape", &count) : s->dim;

	if (v == NULL)
		return false;
	if (v == s->dim || (count == s->rank && memcmp(v, s->dim, (size_t)count * sizeof(*v)) == 0))
		return true;
	node_error(g, n, "pad or slice behind it", "its output_shape is not %s, as its window says",
		shape_text(g->arena, s));
	return false;
}

bool shape_unpool(struct graph *g, struct node *n)
{
	struct shape s = n->in[0]->shape;
	struct window w;

	if (n->in[0]->type != DT_F32 || n->in[1]->type != DT_I64 ||
		!shape_equal(&s, &n->in[1]->shape)) {
		node_error(g, n, "floats, and as many indices of MaxPool",
			"its inputs are %s%s and %s%s", dtypes[n->in[0]->type].name,
			shape_text(g->arena, &s), dtypes[n->in[1]->type].name,
			shape_text(g->arena, &n->in[1]->shape));
		return false;
	}
	if (!read_window(g, n, &w) ||
		!spatial_list(g, n, "kernel_shape", w.spatial, 1, 0, w.kernel))
		return false;
	for (int k = 0; k < w.spatial; k++)
		s.dim[2 + k] = (s.dim[2 + k] - 1) * w.stride[k] + w.kernel[k] - w.pad[k] -
			       w.pad[w.spatial + k];
	if (!check_sizes(g, n, &s) || !give(g, n, 0, DT_F32, &s))
		return false;
	node_drop_inputs(n, 2);
	set_window(g, n, &w);
	return true;
}

/* ---- Resize ---- */

/* A Resize, in numbers. */
struct resize {
	double scale[MAX_RANK], roi[2 * MAX_RANK]; /* starts, ends */
	bool crop;
};

/* scales or sizes (the input that is there), and roi: a number for each axis that `axes` names. */
static const struct tensor *resize_numbers(
	struct graph *g, struct node *n, int k, const char *what, int count)
{
	const struct tensor *t = n->in[k];

	if (is_const(t) && t->shape.rank == 1 && t->shape.dim[0] == count)
		return t;
	node_error(g, n,
		"a number for each dimension; it must follow from the shapes of the inputs "
		"alone",
		"its %s are not %d constants", what, count);
	return NULL;
}

static bool resize_axes(struct graph *g, struct node *n, int rank, int *axes, int *naxes)
{
	const int64_t *given = attr_ints(n, "axes", naxes);

	if (given == NULL)
		*naxes = rank;
	if (*naxes > rank) {
		node_error(g, n, NULL, "%d axes of a tensor with %d dimensions", *naxes, rank);
		return false;
	}
	for (int i = 0; i < *naxes; i++)
		if (!axis_of(g, n, given != NULL ? given[i] : i, rank, &axes[i]))
			return false;
	return true;
}

/* One scale for all axes, the least or the greatest that the sizes ask for. False: the policy is
 * none. */
static bool keep_aspect(const struct node *n, int naxes, double *scale)
{
	const char *policy = attr_string(n, "keep_aspect_ratio_policy", "stretch");
	const bool larger = strcmp(policy, "not_smaller") == 0;
	double all = scale[0];

	if (!larger && strcmp(policy, "not_larger") != 0)
		return false;
	for (int i = 1; i < naxes; i++)
		all = (scale[i] > all) == larger ? scale[i] : all;
	for (int i = 0; i < naxes; i++)
		scale[i] = all;
	return true;
}

/* Scales of full rank, from scales or sizes for some axes; and the output's shape. */
static bool resolve_scales(struct graph *g, struct node *n, const int *axes, int naxes,
	struct resize *r, struct shape *s)
{
	const bool by_size = has_input(n, 3);
	double scale[MAX_RANK];
	const struct tensor *t = resize_numbers(
		g, n, by_size ? 3 : 2, by_size ? "sizes" : "scales", naxes);

	if (t == NULL)
		return false;
	for (int i = 0; i < naxes; i++)
		scale[i] = by_size ? (double)((float)const_i64(t, i) / (float)s->dim[axes[i]])
				   : (double)(float)const_f64(t, i);
	const bool keeps = by_size && keep_aspect(n, naxes, scale);

	for (int i = 0; i < naxes; i++) {
		const int k = axes[i];
		/* the product of floats, as every runtime has it */
		const double product = (double)((float)s->dim[k] * (float)scale[i]),
			     out = keeps     ? round(product)
				   : by_size ? (double)const_i64(t, i)
					     : floor(product);

		if (!(scale[i] > 0) || !(out >= 1 && out <= MAX_ELEMENTS)) {
			node_error(g, n, NULL, "dimension %d of %lld becomes %g", k,
				(long long)s->dim[k], out);
			return false;
		}
		r->scale[k] = scale[i];
		s->dim[k] = (int64_t)out;
	}
	return true;
}

static bool resolve_roi(
	struct graph *g, struct node *n, const int *axes, int naxes, int rank, struct resize *r)
{
	const struct tensor *t;

	r->crop = strcmp(attr_string(n, "coordinate", ""), "tf_crop_and_resize") == 0;
	if (!r->crop || !has_input(n, 1))
		return true;
	t = resize_numbers(g, n, 1, "roi", 2 * naxes);
	for (int i = 0; i < naxes && t != NULL; i++) {
		r->roi[axes[i]] = const_f64(t, i);
		r->roi[rank + axes[i]] = const_f64(t, naxes + i);
	}
	return t != NULL;
}

static void set_floats(
	struct graph *g, struct node *n, const char *name, int count, const double *v)
{
	double *copy = arena_alloc(g->arena, (size_t)count * sizeof(*copy));

	memcpy(copy, v, (size_t)count * sizeof(*copy));
	set_float(g, n, name, 0.0);
	for (int k = 0; k < n->nattr; k++)
		if (strcmp(n->attr[k].name, name) == 0)
			n->attr[k] = (struct attr){
				.name = n->attr[k].name, .kind = ATTR_FLOATS, .n = count, .f = copy
			};
}

/* By scale, never by size: an axis may keep its size and be resampled all the same. */
static bool is_resized(const struct resize *r, int rank, int k)
{
	const bool whole = !(r->roi[k] < 0 || r->roi[k] > 0) &&
			   !(r->roi[rank + k] < 1 || r->roi[rank + k] > 1);

	return r->scale[k] < 1 || r->scale[k] > 1 || (r->crop && !whole);
}

/* Up to opset 10 a nearest element is the one before, but behind where an axis shrinks: the same
 * where positions are whole. */
static bool shrinks_unevenly(const struct resize *r, int rank)
{
	int exponent;

	for (int k = 0; k < rank; k++)
		if (r->scale[k] < 1 && frexp(r->scale[k], &exponent) > 0.5)
			return true;
	return false;
}

static void set_resize(struct graph *g, struct node *n, const struct resize *r, int rank)
{
	if (strcmp(attr_string(n, "nearest_mode", ""), "simple") == 0 && !shrinks_unevenly(r, rank))
		set_string(g, n, "nearest_mode", "floor");
	set_floats(g, n, "scales", rank, r->scale);
	if (r->crop)
		set_floats(g, n, "roi", 2 * rank, r->roi);
	drop_attr(n, "axes");
	drop_attr(n, "keep_aspect_ratio_policy");
}

/*
 * Kernels resize the last one to three dimensions of [N,C,..]. Others are brought there by
 * Transpose and Reshape, which move nothing: [1, what stays, what is resized].
 */
static bool turned_resize(struct graph *g, struct node *n, const struct resize *r,
	const struct shape *out, int resized)
{
	const int rank = out->rank, keeps = rank - resized;
	struct shape flat = { .rank = 2 + resized, .dim = { 1, 1 } }, there = flat,
		     turned = { .rank = rank };
	int64_t perm[MAX_RANK], back[MAX_RANK];
	struct resize image = { .crop = r->crop, .scale = { 1, 1 } };
	struct tensor *x = n->in[0];
	int at[2] = { 0, keeps };

	for (int k = 0; k < rank; k++)
		perm[at[is_resized(r, rank, k)]++] = k;
	for (int k = 0; k < rank; k++) {
		const int from = (int)perm[k], to = k < keeps ? 1 : 2 + k - keeps;

		back[from] = k;
		turned.dim[k] = out->dim[from];
		flat.dim[to] = (k < keeps ? flat.dim[to] : 1) * x->shape.dim[from];
		there.dim[to] = k < keeps ? flat.dim[to] : out->dim[from];
		if (k < keeps)
			continue;
		image.scale[to] = r->scale[from];
		image.roi[to] = r->roi[from];
		image.roi[flat.rank + to] = r->roi[rank + from];
	}
	image.roi[flat.rank] = image.roi[flat.rank + 1] = 1.0;
	x = place(g, n, "Transpose", 1, &x)->out[0];
	set_ints(g, x->def, "perm", rank, perm);
	x = settle(g, x->def);
	x = x != NULL ? reshaped(g, n, x, &flat) : NULL;
	if (x == NULL)
		return false;
	struct node *resize = place(g, n, "Resize", 1, &x);

	resize->attr = n->attr;
	resize->nattr = n->nattr;
	set_resize(g, resize, &image, flat.rank);
	resize->out[0]->shape = there;
	resize->out[0]->known = true;
	x = settle(g, resize);
	x = x != NULL ? reshaped(g, n, x, &turned) : NULL;
	if (x == NULL)
		return false;
	x = place(g, n, "Transpose", 1, &x)->out[0];
	set_ints(g, x->def, "perm", rank, back);
	return replace(g, n, settle(g, x->def));
}

/* Static already: scales of full rank. */
static bool shape_static_resize(struct graph *g, struct node *n)
{
	const struct attr *scales = node_attr(n, "scales");
	struct shape s = n->in[0]->shape;

	if (scales == NULL || scales->kind != ATTR_FLOATS || scales->n != s.rank) {
		node_error(g, n, NULL, "it has no scales");
		return false;
	}
	for (int k = 0; k < s.rank; k++) {
		double out = floor((double)(float)((double)s.dim[k] * scales->f[k]));

		s.dim[k] = out >= 0 && out <= MAX_ELEMENTS ? (int64_t)out : -1;
	}
	return give(g, n, 0, DT_F32, n->out[0]->known ? &n->out[0]->shape : &s);
}

bool shape_resize(struct graph *g, struct node *n)
{
	struct shape s = n->in[0]->shape;
	const int rank = s.rank;
	struct resize r;
	int axes[MAX_RANK], naxes, resized = 0, first = rank;

	if (n->in[0]->type != DT_F32) {
		node_error(g, n, "cast it to float, and back behind it",
			"Resize is compiled for floating-point tensors, not for %s",
			dtypes[n->in[0]->type].name);
		return false;
	}
	if (n->nin == 1)
		return shape_static_resize(g, n);
	for (int k = 0; k < rank; k++) {
		r.scale[k] = r.roi[rank + k] = 1.0;
		r.roi[k] = 0.0;
	}
	if (!resize_axes(g, n, rank, axes, &naxes) ||
		!resolve_scales(g, n, axes, naxes, &r, &s) ||
		!resolve_roi(g, n, axes, naxes, rank, &r))
		return false;
	for (int k = rank - 1; k >= 0; k--)
		if (is_resized(&r, rank, k)) {
			resized++;
			first = k;
		}
	if (resized == 0)
		return replace(g, n, n->in[0]);
	if (resized > MAX_SPATIAL) {
		node_error(g, n, "resize one after the other", "it resizes %d dimensions at once",
			resized);
		return false;
	}
	if (first < 2 || rank > 2 + MAX_SPATIAL)
		return turned_resize(g, n, &r, &s, resized);
	if (!give(g, n, 0, DT_F32, &s))
		return false;
	node_drop_inputs(n, 1);
	set_resize(g, n, &r, rank);
	return true;
}
