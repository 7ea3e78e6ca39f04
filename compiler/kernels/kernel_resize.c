/* Resizing: the tables of each axis, and the kernel that reads them. */
#include "kernels/kernel.h"

#include <math.h>
#include <string.h>

static bool spelled(
	const struct kernel *k, const char *attribute, const char *absent, const char *value)
{
	return strcmp(attr_string(k->anchor, attribute, absent), value) == 0;
}

static bool crops(const struct kernel *k)
{
	return spelled(k, "coordinate", "half_pixel", "tf_crop_and_resize");
}

/* Positions have more than two elements, or none. */
static bool is_wide(const struct kernel *k)
{
	return spelled(k, "mode", "nearest", "cubic") || attr_int(k->anchor, "antialias", 0) != 0 ||
	       crops(k);
}

const char *applies_resize(const struct kernel *k)
{
	const struct shape *x = &k->anchor->in[0]->shape, *y = &k->value->shape;

	if (applies_image(k) != NULL)
		return applies_image(k);
	if (x->dim[0] != y->dim[0] || x->dim[1] != y->dim[1])
		return "it resizes the batch or the channels";
	return k->value->type != DT_F32 ? "its elements are not floats" : NULL;
}

/* ---- an axis ---- */

struct axis {
	int64_t in, out;
	float scale, start, end; /* start and end of the crop */
};

/* Dimension d of the image; below 0: one element. */
static struct axis axis_of_image(const struct kernel *k, int d)
{
	const struct attr *scales = node_attr(k->anchor, "scales"),
			  *roi = node_attr(k->anchor, "roi");
	struct axis a = { .in = 1, .out = 1, .scale = 1.0f, .end = 1.0f };

	if (d < 0)
		return a;
	a.in = k->anchor->in[0]->shape.dim[d];
	a.out = k->value->shape.dim[d];
	a.scale = (float)scales->f[d];
	if (crops(k) && roi != NULL) {
		a.start = (float)roi->f[d];
		a.end = (float)roi->f[k->value->shape.rank + d];
	}
	return a;
}

/* Where position o of the output's axis lies on the input's (ONNX, Resize,
 * coordinate_transformation_mode). In float, as onnxruntime computes it: positions that are nearly
 * whole decide what floor() and ceil() pick. */
static float source_position(const struct kernel *k, int64_t o, const struct axis *a)
{
	const float in = (float)a->in, out = (float)a->out, scale = a->scale;

	if (crops(k))
		return a->out > 1 ? a->start * (in - 1.0f) +
					    ((float)o * (a->end - a->start) * (in - 1.0f)) /
						    (out - 1.0f)
				  : (float)(0.5 * (double)((a->start + a->end) * (in - 1.0f)));
	if (scale >= 1.0f && scale <= 1.0f)
		return (float)o;
	if (spelled(k, "coordinate", "half_pixel", "asymmetric"))
		return (float)o / scale;
	if (spelled(k, "coordinate", "half_pixel", "align_corners"))
		return a->out > 1 ? (float)o * (in - 1.0f) / (out - 1.0f) : 0.0f;
	if (spelled(k, "coordinate", "half_pixel", "pytorch_half_pixel") && a->out == 1)
		return 0.0f;
	if (spelled(k, "coordinate", "half_pixel", "tf_half_pixel_for_nn"))
		return ((float)o + 0.5f) / scale;
	if (spelled(k, "coordinate", "half_pixel", "half_pixel_symmetric")) {
		const float adjustment = out / (scale * in), centre = in / 2.0f;

		return (float)((double)(centre * (1.0f - adjustment)) +
			       ((double)o + 0.5) / (double)scale - 0.5);
	}
	return ((float)o + 0.5f) / scale - 0.5f;
}

static int64_t clamp(int64_t v, int64_t n)
{
	return v < 0 ? 0 : v < n ? v : n - 1;
}

/* The nearest element (ONNX, Resize, nearest_mode); what is half way but for rounding is half way, as
 * onnxruntime has it from 1.32 on. Before that attribute was, it was the element before; the one
 * behind where an axis shrinks ("simple"). */
static int64_t nearest(const struct kernel *k, double at, float scale)
{
	const double low = floor(at);
	const bool simple = spelled(k, "nearest_mode", "round_prefer_floor", "simple");

	if (spelled(k, "nearest_mode", "round_prefer_floor", "floor") || (simple && scale >= 1.0f))
		return (int64_t)low;
	if (spelled(k, "nearest_mode", "round_prefer_floor", "ceil") || simple)
		return (int64_t)ceil(at);
	if (fabs(at - low - 0.5) < 1e-6)
		return (int64_t)low +
		       spelled(k, "nearest_mode", "round_prefer_floor", "round_prefer_ceil");
	return (int64_t)floor(at + 0.5);
}

static struct tensor *index_table(struct plan *p, int64_t count, const int64_t *v)
{
	const struct shape s = { .rank = 1, .dim = { count } };

	return graph_constant(p->graph, NULL, DT_I32, &s, DT_I64, v);
}

static struct tensor *weight_table(struct plan *p, int64_t count, const double *v)
{
	const struct shape s = { .rank = 1, .dim = { count } };

	return graph_constant(p->graph, NULL, DT_F32, &s, DT_F64, v);
}

/* One index for each position, or two and the weight of the second. */
static void axis_tables(struct plan *p, const struct kernel *k, const struct axis *a, bool linear,
	struct tensor **at, struct tensor **part)
{
	const int64_t indices = linear ? 2 * a->out : a->out;
	int64_t *index = arena_alloc(p->arena, (size_t)indices * sizeof(*index));
	double *weight = arena_alloc(p->arena, (size_t)a->out * sizeof(*weight));

	for (int64_t o = 0; o < a->out; o++) {
		double x = (double)source_position(k, o, a);

		if (!linear) {
			index[o] = clamp(nearest(k, x, a->scale), a->in);
			continue;
		}
		x = x < 0.0 ? 0.0 : x > (double)(a->in - 1) ? (double)(a->in - 1) : x;
		index[2 * o] = (int64_t)floor(x);
		index[2 * o + 1] = clamp(index[2 * o] + 1, a->in);
		weight[o] = x - floor(x);
	}
	*at = index_table(p, indices, index);
	*part = weight_table(p, a->out, weight);
}

/* ---- any number of elements ---- */

/* What an element counts for at that distance: a triangle, or Keys' cubic with that coefficient. */
static double filter(double distance, bool cubic, double a)
{
	const double x = fabs(distance);

	if (!cubic)
		return x < 1.0 ? 1.0 - x : 0.0;
	if (x < 1.0)
		return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
	return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
}

/*
 * The elements that position x is made of, from *first on, with their weights, which add up to one.
 * What lies outside counts for the element at the border, or not at all. Returns how many; weight
 * null: counts only.
 */
static int64_t window_of(const struct kernel *k, const struct axis *a, double x, int64_t *first,
	double *weight)
{
	const bool cubic = spelled(k, "mode", "nearest", "cubic"),
		   antialias = attr_int(k->anchor, "antialias", 0) != 0,
		   exclude = attr_int(k->anchor, "exclude_outside", 0) != 0 && (cubic || antialias);
	const double stretch = antialias && a->scale < 1.0f ? 1.0 / (double)a->scale : 1.0,
		     reach = (cubic ? 2.0 : 1.0) * stretch,
		     coefficient = attr_float(k->anchor, "cubic_coeff_a", -0.75);
	const int64_t from = (int64_t)floor(x - reach) + 1, to = (int64_t)floor(x + reach) + 1;
	const int64_t count = clamp(to - 1, a->in) + 1 - clamp(from, a->in);
	double total = 0.0;

	*first = clamp(from, a->in);
	if (weight == NULL)
		return count;
	for (int64_t i = from; i < to; i++) {
		const double w = filter(((double)i - x) / stretch, cubic, coefficient);

		if (exclude && (i < 0 || i >= a->in))
			continue;
		weight[clamp(i, a->in) - *first] += w;
		total += w;
	}
	for (int64_t i = 0; i < count && (total < 0.0 || total > 0.0); i++)
		weight[i] /= total;
	return count;
}

static int64_t wide_window(const struct kernel *k, const struct axis *a, int64_t o, int64_t *first,
	double *weight)
{
	const double x = (double)source_position(k, o, a);

	*first = 0;
	if (crops(k) && (x < 0.0 || x > (double)(a->in - 1)))
		return 0;
	if (!spelled(k, "mode", "nearest", "nearest"))
		return window_of(k, a, x, first, weight);
	*first = clamp(nearest(k, x, a->scale), a->in);
	if (weight != NULL)
		weight[0] = 1.0;
	return 1;
}

/* The first element and the one behind the last for each position, and so many weights each. */
static int64_t wide_tables(struct plan *p, const struct kernel *k, const struct axis *a,
	struct tensor **at, struct tensor **part)
{
	int64_t *index = arena_alloc(p->arena, (size_t)(2 * a->out) * sizeof(*index)), most = 1;

	for (int64_t o = 0; o < a->out; o++) {
		index[2 * o + 1] = wide_window(k, a, o, &index[2 * o], NULL);
		most = index[2 * o + 1] > most ? index[2 * o + 1] : most;
		index[2 * o + 1] += index[2 * o];
	}
	double *weight = arena_alloc(p->arena, (size_t)(a->out * most) * sizeof(*weight));

	for (int64_t o = 0; o < a->out; o++)
		wide_window(k, a, o, &index[2 * o], &weight[o * most]);
	*at = index_table(p, 2 * a->out, index);
	*part = weight_table(p, a->out * most, weight);
	return most;
}

/* ---- the kernel ---- */

static void wide_params(struct plan *p, struct kernel *k, const int64_t *most)
{
	struct buf extra = { 0 };

	for (int i = 0; i < 3; i++)
		param(k, spatial_name(p, "T", "DHW"[i]), most[i]);
	print_number(&extra, attr_float(k->anchor, "extrapolation_value", 0.0), DT_F32);
	subst(k, "EXTRA", arena_strdup(p->arena, extra.data));
	buf_release(&extra);
}

void setup_resize(struct plan *p, struct kernel *k)
{
	const struct region *x = input(k);
	const int spatial = x->shape.rank - 2;
	const bool wide = is_wide(k), linear = wide || spelled(k, "mode", "nearest", "linear");
	struct tensor *at[3], *part[3];
	int64_t most[3] = { 1, 1, 1 };

	for (int i = 0; i < 3; i++) {
		const int d = i - (3 - spatial);
		const struct axis a = axis_of_image(k, d >= 0 ? 2 + d : -1);

		if (wide)
			most[i] = wide_tables(p, k, &a, &at[i], &part[i]);
		else
			axis_tables(p, k, &a, linear, &at[i], &part[i]);
		if (i > 0)
			param(k, spatial_name(p, "O", "DHW"[i]), a.out);
		param(k, spatial_name(p, "X", "DHW"[i]), d >= 0 ? x->stride[2 + d] : 0);
	}
	for (int i = spatial == 3 ? 0 : 1; i < 3; i++)
		constant(p, k, arena_printf(p->arena, "at_%c", "dhw"[i]), at[i]);
	for (int i = spatial == 3 ? 0 : 1; linear && i < 3; i++)
		constant(p, k, arena_printf(p->arena, "part_%c", "dhw"[i]), part[i]);
	param(k, "N", x->shape.dim[0]);
	param(k, "C", x->shape.dim[1]);
	param(k, "XN", x->stride[0]);
	param(k, "XC", x->stride[1]);
	param(k, "LINEAR", linear);
	param(k, "DEPTH", spatial == 3);
	param(k, "WIDE", wide);
	param(k, "OUTSIDE", wide && crops(k));
	if (wide)
		wide_params(p, k, most);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, x->shape.rank));
	param(k, "P", size_of(&k->value->shape, &k->coord[2]));
	share(k, "n", x->shape.dim[0], 1, DIVIDES_INPUT);
	share(k, "p", size_of(&k->value->shape, &k->coord[2]), 1, DIVIDES_INPUT);
	k->title = arena_printf(
		p->arena, "resize_%s", attr_string(k->anchor, "mode", "nearest"));
}
