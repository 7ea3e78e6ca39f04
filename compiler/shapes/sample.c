/* Shape rules of what takes an image apart or puts it together at places of its own: GridSample and its
 * AffineGrid; Col2Im, which becomes a Scatter. */
#include "shapes/shape.h"

#include <string.h>

/* ---- GridSample, AffineGrid ---- */

static bool one_of(struct graph *g, struct node *n, const char *attribute, const char *absent,
	const char *const *names, int count)
{
	const char *name = attr_string(n, attribute, absent);

	for (int k = 0; k < count; k++)
		if (strcmp(name, names[k]) == 0) {
			set_string(g, n, attribute, name);
			return true;
		}
	node_error(g, n, NULL, "%s \"%s\"", attribute, escape(g->arena, name));
	return false;
}

bool shape_gridsample(struct graph *g, struct node *n)
{
	static const char *const modes[] = { "nearest", "linear", "cubic" };
	static const char *const paddings[] = { "zeros", "border", "reflection" };
	const struct shape *x = &n->in[0]->shape, *grid = &n->in[1]->shape;

	if (!float_inputs(g, n) || !one_of(g, n, "mode", "linear", modes, 3) ||
		!one_of(g, n, "padding_mode", "zeros", paddings, 3))
		return false;
	if (x->rank != 4 || grid->rank != 4 || grid->dim[0] != x->dim[0] || grid->dim[3] != 2 ||
		shape_count(x) == 0) {
		node_error(g, n, "an image [N,C,H,W] and a grid [N,H,W,2]; volumes are not compiled",
			"grid %s does not fit %s", shape_text(g->arena, grid),
			shape_text(g->arena, x));
		return false;
	}
	const struct shape s = { .rank = 4,
		.dim = { x->dim[0], x->dim[1], grid->dim[1], grid->dim[2] } };

	set_int(g, n, "align_corners", attr_int(n, "align_corners", 0) != 0);
	return give(g, n, 0, DT_F32, &s);
}

/* Where element i of n lies between -1 and 1: their centres, or (corners) the outermost ones at the ends. */
static double grid_line(int64_t i, int64_t n, bool corners)
{
	if (corners)
		return n > 1 ? 2.0 * (double)i / (double)(n - 1) - 1.0 : 0.0;
	return (2.0 * (double)i + 1.0) / (double)n - 1.0;
}

/* Homogeneous coordinates of all elements, times a matrix an image. */
bool shape_affinegrid(struct graph *g, struct node *n)
{
	const struct shape *t = &n->in[0]->shape;
	const bool corners = attr_int(n, "align_corners", 0) != 0;
	struct tensor *theta = n->in[0];
	int count;
	const int64_t *size = int_argument(g, n, 1, "size", &count);

	if (size == NULL)
		return false;
	if (count != 4 || t->rank != 3 || t->dim[0] != size[0] || t->dim[1] != 2 || t->dim[2] != 3 ||
		size[2] < 1 || size[3] < 1 || size[2] > MAX_FOLDED / size[3]) {
		node_error(g, n, "matrices [N,2,3] and a size [N,C,H,W]; volumes are not compiled",
			"%s does not fit a size of %d numbers", shape_text(g->arena, t), count);
		return false;
	}
	const int64_t h = size[2], w = size[3];
	const struct shape places = { .rank = 3, .dim = { 1, h * w, 3 } },
			   s = { .rank = 4, .dim = { size[0], h, w, 2 } };
	double *v = arena_alloc(g->arena, (size_t)(3 * h * w) * sizeof(*v));

	for (int64_t p = 0; p < h * w; p++) {
		v[3 * p] = grid_line(p % w, w, corners);
		v[3 * p + 1] = grid_line(p / w, h, corners);
		v[3 * p + 2] = 1.0;
	}
	theta = transposed(g, n, theta, 3, (const int64_t[]){ 0, 2, 1 });
	theta = op2(g, n, "MatMul", graph_constant(g, NULL, DT_F32, &places, DT_F64, v), theta);
	return replace(g, n, theta != NULL ? reshaped(g, n, theta, &s) : NULL);
}

/* ---- Col2Im ---- */

/* The windows of Col2Im: how many lie along each axis of the image, which is padded. */
struct columns {
	int spatial;
	int64_t image[MAX_RANK], block[MAX_RANK], stride[MAX_RANK], dilation[MAX_RANK];
	int64_t begin[MAX_RANK], padded[MAX_RANK], windows[MAX_RANK];
	int64_t taps, positions, area; /* of a block, of the windows, of the padded image */
};

/* A list of a number an axis; absent: all `otherwise`. False: reported. */
static bool axis_list(struct graph *g, struct node *n, const char *name, int want,
	int64_t least, int64_t otherwise, int64_t *to)
{
	int count;
	const int64_t *v = attr_ints(n, name, &count);

	for (int k = 0; k < want; k++) {
		to[k] = v != NULL && k < count ? v[k] : otherwise;
		if ((v != NULL && count != want) || to[k] < least || to[k] > MAX_ATTRIBUTE) {
			node_error(g, n, NULL, "%s has %d numbers, %d of at least %lld are needed",
				name, count, want, (long long)least);
			return false;
		}
	}
	return true;
}

static bool find_columns(struct graph *g, struct node *n, struct columns *c)
{
	const struct shape *x = &n->in[0]->shape;
	int64_t pads[2 * MAX_RANK];
	int count;
	const int64_t *image = int_argument(g, n, 1, "image shape", &c->spatial),
		      *block = image != NULL ? int_argument(g, n, 2, "block shape", &count) : NULL;

	if (block == NULL)
		return false;
	if (c->spatial < 1 || c->spatial > MAX_RANK - 2 || count != c->spatial || x->rank != 3) {
		node_error(g, n, NULL, "a block of %d dimensions, an image of %d", count, c->spatial);
		return false;
	}
	if (!axis_list(g, n, "strides", count, 1, 1, c->stride) ||
		!axis_list(g, n, "dilations", count, 1, 1, c->dilation) ||
		!axis_list(g, n, "pads", 2 * count, 0, 0, pads))
		return false;
	c->taps = c->positions = c->area = 1;
	for (int k = 0; k < count; k++) {
		const int64_t reach = (block[k] - 1) * c->dilation[k] + 1;
		const bool sane = image[k] > 0 && image[k] <= MAX_ATTRIBUTE && block[k] > 0 &&
				  block[k] <= MAX_ATTRIBUTE;

		c->image[k] = image[k];
		c->block[k] = block[k];
		c->begin[k] = pads[k];
		c->padded[k] = sane ? image[k] + pads[k] + pads[count + k] : 0;
		c->windows[k] = sane ? (c->padded[k] - reach) / c->stride[k] + 1 : 0;
		if (!sane || c->padded[k] < reach || c->padded[k] > MAX_FOLDED / c->area) {
			node_error(g, n, NULL, "block %lld does not fit image %lld",
				(long long)block[k], (long long)image[k]);
			return false;
		}
		c->taps *= c->block[k];
		c->positions *= c->windows[k];
		c->area *= c->padded[k];
	}
	if (x->dim[1] % c->taps == 0 && x->dim[2] == c->positions)
		return true;
	node_error(g, n, "the columns are [N, C * elements of a block, blocks]",
		"%lld blocks of %lld elements do not fit %s", (long long)c->positions,
		(long long)c->taps, shape_text(g->arena, x));
	return false;
}

/* Where each tap of each window lies in the padded image. */
static struct tensor *column_places(struct graph *g, const struct columns *c)
{
	const struct shape s = { .rank = 1, .dim = { c->taps * c->positions } };
	int64_t *at = arena_alloc(g->arena, (size_t)s.dim[0] * sizeof(*at));

	for (int64_t i = 0; i < s.dim[0]; i++) {
		int64_t tap = i / c->positions, window = i % c->positions, step = 1;

		for (int k = c->spatial - 1; k >= 0; step *= c->padded[k--]) {
			at[i] += step * (window % c->windows[k] * c->stride[k] +
						tap % c->block[k] * c->dilation[k]);
			window /= c->windows[k];
			tap /= c->block[k];
		}
	}
	return graph_constant(g, NULL, DT_I64, &s, DT_I64, at);
}

/* Columns [N, C taps, windows] added into an image: rows [taps windows, N C] to rows of the image's elements. */
bool shape_col2im(struct graph *g, struct node *n)
{
	const struct shape *x = &n->in[0]->shape;
	struct tensor *in[3] = { NULL };
	struct columns c;

	if (n->in[0]->type != DT_F32) {
		node_error(g, n, NULL, "its columns are %s", dtypes[n->in[0]->type].name);
		return false;
	}
	if (!find_columns(g, n, &c))
		return false;
	const int64_t images = x->dim[0], channels = x->dim[1] / c.taps;
	const struct shape apart = { .rank = 4, .dim = { images, channels, c.taps, c.positions } },
			   rows = { .rank = 3, .dim = { c.taps * c.positions, images, channels } },
			   image = { .rank = 3, .dim = { c.area, images, channels } };
	struct shape last = { .rank = 2 + c.spatial, .dim = { images, channels } };

	memcpy(&last.dim[2], c.padded, (size_t)c.spatial * sizeof(last.dim[0]));
	if (shape_count(&image) > MAX_FOLDED) {
		node_error(g, n, NULL, "its image has too many elements");
		return false;
	}
	in[0] = graph_constant(g, NULL, DT_F32, &image, DT_F32,
		arena_alloc(g->arena, (size_t)(shape_count(&image) + 1) * sizeof(float)));
	in[1] = column_places(g, &c);
	in[2] = reshaped(g, n, n->in[0], &apart);
	in[2] = transposed(g, n, in[2], 4, (const int64_t[]){ 2, 3, 0, 1 });
	in[2] = in[2] != NULL ? reshaped(g, n, in[2], &rows) : NULL;
	if (in[2] == NULL)
		return false;
	struct node *sum = place(g, n, "Scatter", 3, in);

	set_string(g, sum, "reduction", "add");
	struct tensor *y = transposed(g, n, settle(g, sum), 3, (const int64_t[]){ 1, 2, 0 });

	y = y != NULL ? reshaped(g, n, y, &last) : NULL;
	for (int k = 0; y != NULL && k < c.spatial; k++)
		y = sliced(g, n, y, 2 + k, c.begin[k], c.image[k], 1);
	return replace(g, n, y);
}
