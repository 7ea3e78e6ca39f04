/*
 * Kernels: the choice of a row of kernels.def for each kernel of the plan, and what each row needs to be
 * instantiated. A setup function turns regions into the template's strides and sizes.
 */
#include "skipc.h"

#include <string.h>

static void param(struct kernel *k, const char *name, int64_t value)
{
	if (k->nparam == MAX_PARAM)
		die("kernel %s has too many parameters", k->row->name);
	if (value > INT32_MAX || value < INT32_MIN)
		die("kernel %s: %s is out of range", k->row->name, name);
	k->param[k->nparam++] = (struct param){ name, (long)value };
}

static void subst(struct kernel *k, const char *name, const char *text)
{
	if (k->nsubst == MAX_SUBST)
		die("kernel %s has too many substitutions", k->row->name);
	k->subst[k->nsubst++] = (struct subst){ name, text };
}

/* ---- dimensions ---- */

/* Dimensions first..last-1, as one coordinate of the template. */
static struct coord span(int first, int last)
{
	struct coord c = { .n = 0 };

	for (int d = first; d < last; d++)
		c.dim[c.n++] = d;
	return c;
}

static void add_coord(struct kernel *k, struct coord c)
{
	k->coord[k->ncoord++] = c;
}

static int64_t size_of(const struct shape *s, const struct coord *c)
{
	int64_t size = 1;

	for (int i = 0; i < c->n; i++)
		size *= s->dim[c->dim[i]];
	return size;
}

/* The single stride by which the coordinate's elements follow each other in r, if there is one. */
static bool stride_of(const struct region *r, const struct coord *c, int64_t *stride)
{
	int64_t step = 0, next = 0;
	bool any = false;

	for (int i = c->n - 1; i >= 0; i--) {
		int d = c->dim[i];

		if (r->shape.dim[d] == 1)
			continue;
		if (any && r->stride[d] != next)
			return false;
		if (!any)
			step = r->stride[d];
		any = true;
		next = r->stride[d] * r->shape.dim[d];
	}
	*stride = step;
	return true;
}

static int64_t need_stride(const struct region *r, struct coord c)
{
	int64_t stride = 0;

	if (!stride_of(r, &c, &stride))
		die("dimensions do not lie evenly");
	return stride;
}

/*
 * The dimensions of `in` (bit set) merged, from outermost to innermost as they lie in r, into coordinates
 * that are evenly strided in r. Dimensions of size 1 are left out. Returns how many.
 */
static int merge_dims(const struct region *r, unsigned set, struct coord *c)
{
	int order[MAX_RANK], n = 0, count = 0;

	for (int d = 0; d < r->shape.rank; d++)
		if ((set >> d & 1u) != 0 && r->shape.dim[d] != 1)
			order[n++] = d;
	for (int i = 1; i < n; i++)
		for (int j = i; j > 0; j--) {
			int64_t a = r->stride[order[j - 1]], b = r->stride[order[j]];

			if ((a < 0 ? -a : a) >= (b < 0 ? -b : b))
				break;
			int swap = order[j];

			order[j] = order[j - 1];
			order[j - 1] = swap;
		}
	for (int i = 0; i < n; i++) {
		struct coord *last = &c[count - 1];
		int d = order[i];

		if (count > 0 && r->stride[last->dim[last->n - 1]] == r->stride[d] * r->shape.dim[d])
			last->dim[last->n++] = d;
		else
			c[count++] = (struct coord){ .dim = { d }, .n = 1 };
	}
	return count;
}

/* ---- arguments ---- */

static const struct region *input(const struct kernel *k)
{
	return &k->arg[0].region;
}

/* Appends a packed constant to the arguments. */
static void weights(struct plan *p, struct kernel *k, struct tensor *t, enum packing packing, int group, int block)
{
	const struct blob *b = plan_blob(p, t, packing, group, block, k->prov);
	struct region r = region_dense(t->type, &t->shape, NULL);

	r.buffer = b->buffer;
	k->arg[k->narg++] = (struct arg){ t, r };
}

/* A bias that is not there, or zero, costs nothing. */
static void bias(struct plan *p, struct kernel *k, int which)
{
	struct tensor *b = k->anchor->nin > which ? k->anchor->in[which] : NULL;
	double value = 1.0;
	bool none = b == NULL || (is_const(b) && const_uniform(b, &value) && value == 0.0);

	param(k, "BIAS", !none);
	if (!none)
		weights(p, k, b, PACK_PLAIN, 1, 1);
}

static const char *constant_weights(const struct kernel *k)
{
	for (int i = 1; i < k->anchor->nin; i++)
		if (is_runtime(k->anchor->in[i]))
			return "its weights are computed at run time";
	return is_runtime(k->anchor->in[0]) ? NULL : "its input is constant and its weights are not";
}

/* ---- convolutions and pools ---- */

static const char *applies_image(const struct kernel *k)
{
	int rank = k->anchor->in[0]->shape.rank;

	return rank >= 3 && rank <= 5 ? NULL : "it has not one to three spatial dimensions";
}

static const char *applies_conv(const struct kernel *k)
{
	return constant_weights(k) != NULL ? constant_weights(k) : applies_image(k);
}

static const char *applies_depthwise(const struct kernel *k)
{
	const struct shape *x = &k->anchor->in[0]->shape, *w = &k->anchor->in[1]->shape;

	if (applies_conv(k) != NULL)
		return applies_conv(k);
	if (w->dim[1] != 1 || attr_int(k->anchor, "group", 1) != x->dim[1])
		return "an output channel reads more than one input channel";
	return w->dim[0] == x->dim[1] ? NULL : "an input channel has several output channels";
}

static double cost_macs(const struct kernel *k)
{
	return (double)shape_count(&k->out->shape);
}

static double cost_conv(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	return (double)shape_count(&k->value->shape) * (double)(shape_count(w) / w->dim[0]) * (w->dim[1] < 4 ? 2.0 : 1.5);
}

static double cost_depthwise(const struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	return (double)shape_count(&k->value->shape) * (double)(shape_count(w) / w->dim[0]);
}

static const char *spatial_name(struct plan *p, const char *prefix, char axis)
{
	return arena_printf(p->arena, "%s%c", prefix, axis);
}

/* Sizes, strides, pads and dilations of a window over the input's image; true if it leaves the image. */
static bool window(struct plan *p, struct kernel *k, const int64_t *kernel)
{
	const struct region *x = input(k);
	const struct shape *y = &k->value->shape;
	int spatial = x->shape.rank - 2, n;
	const int64_t *strides = attr_ints(k->anchor, "strides", &n), *pads = attr_ints(k->anchor, "pads", &n);
	const int64_t *dilations = attr_ints(k->anchor, "dilations", &n);
	bool leaves = false;

	for (char c = 'D'; c != '\0'; c = c == 'D' ? 'H' : c == 'H' ? 'W' : '\0') {
		int i = c == 'D' ? spatial - 3 : c == 'H' ? spatial - 2 : spatial - 1;
		bool here = i >= 0;
		int64_t size = here ? x->shape.dim[2 + i] : 1, out = here ? y->dim[2 + i] : 1;
		int64_t taps = here ? kernel[i] : 1, step = here ? strides[i] : 1, dil = here ? dilations[i] : 1;
		int64_t begin = here ? pads[i] : 0, end = here ? pads[spatial + i] : 0;

		param(k, spatial_name(p, "", c), size);
		param(k, spatial_name(p, "O", c), out);
		param(k, c == 'D' ? "Q" : c == 'H' ? "R" : "S", taps);
		param(k, spatial_name(p, "STRIDE_", c), step);
		param(k, spatial_name(p, "PAD_", c), begin);
		param(k, spatial_name(p, "END_", c), size + end);
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
	return leaves;
}

static const int64_t *kernel_size(const struct kernel *k)
{
	int n;

	if (strcmp(k->anchor->op->name, "Conv") == 0)
		return &k->anchor->in[1]->shape.dim[2];
	return attr_ints(k->anchor, "kernel_shape", &n);
}

static char *window_text(struct plan *p, const struct kernel *k)
{
	int spatial = k->anchor->in[0]->shape.rank - 2, n;
	const int64_t *size = kernel_size(k), *strides = attr_ints(k->anchor, "strides", &n);
	char *text = arena_strdup(p->arena, "");
	bool strided = false;

	for (int i = 0; i < spatial; i++) {
		text = arena_printf(p->arena, "%s%s%lld", text, i > 0 ? "x" : "", (long long)size[i]);
		strided = strided || strides[i] != 1;
	}
	if (strided)
		text = arena_printf(p->arena, "%s_s%lld", text, (long long)strides[spatial - 1]);
	return text;
}

/* Output channels of a block: what the tile's registers hold; less only where there are less. */
static int channel_block(int64_t outputs)
{
	if (outputs < 16)
		return (int)outputs;
	return outputs % 16 == 0 || outputs % 24 != 0 ? 16 : 24;
}

static void tile(struct kernel *k, int64_t outputs, int block)
{
	param(k, "K", outputs);
	param(k, "KB", block);
	param(k, "CHANNELS", block);
	param(k, "PB", block <= 8 ? 12 : 6);
	param(k, "PIXELS", block <= 8 ? 12 : 6);
	param(k, "BLOCKS", outputs >= block);
	param(k, "TAIL", outputs % block != 0);
}

static void setup_conv(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	int64_t group = attr_int(k->anchor, "group", 1), outputs = w->dim[0] / group;
	int block = channel_block(outputs);

	param(k, "PADDED", window(p, k, &w->dim[2]));
	param(k, "PLANAR", input(k)->stride[1] != 1);
	param(k, "G", group);
	param(k, "GROUPED", group > 1);
	param(k, "C", w->dim[1]);
	tile(k, outputs, block);
	weights(p, k, k->anchor->in[1], PACK_CONV, (int)group, block);
	bias(p, k, 2);
	k->macs = shape_count(&k->value->shape) * (shape_count(w) / w->dim[0]);
	k->title = arena_printf(p->arena, "conv%s%s", window_text(p, k), group > 1 ? "_grouped" : "");
}

static void channel_tile(struct kernel *k, int64_t channels)
{
	int64_t block = channels < 16 ? channels : 16;

	param(k, "C", channels);
	param(k, "CB", block);
	param(k, "TAIL", channels % block != 0);
}

static void setup_depthwise(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;

	window(p, k, &w->dim[2]);
	channel_tile(k, w->dim[0]);
	weights(p, k, k->anchor->in[1], PACK_DEPTHWISE, 1, 1);
	bias(p, k, 2);
	k->macs = shape_count(&k->value->shape) * (shape_count(w) / w->dim[0]);
	k->title = arena_printf(p->arena, "depthwise%s", window_text(p, k));
}

static void setup_pool(struct plan *p, struct kernel *k)
{
	window(p, k, kernel_size(k));
	channel_tile(k, input(k)->shape.dim[1]);
	param(k, "INCLUDE", attr_int(k->anchor, "count_include_pad", 0));
	k->title = arena_printf(p->arena, "%s%s", k->row->name, window_text(p, k));
}

/* ---- fully connected ---- */

/* All dimensions but the last, as rows of the input. */
static struct coord rows_of(const struct shape *s)
{
	return span(0, s->rank - 1);
}

static const char *applies_linear(const struct kernel *k)
{
	const struct coord rows = rows_of(&k->anchor->in[0]->shape);
	int64_t stride;

	if (constant_weights(k) != NULL)
		return constant_weights(k);
	return k->narg == 0 || stride_of(input(k), &rows, &stride) ? NULL : "its rows do not lie evenly";
}

static int64_t row_count(const struct kernel *k)
{
	const struct shape *x = &k->anchor->in[0]->shape;

	return shape_count(x) / x->dim[x->rank - 1];
}

static double cost_linear(const struct kernel *k)
{
	return (double)row_count(k) * (double)shape_count(&k->anchor->in[1]->shape) * 3.0;
}

/* As a 1x1 convolution: tiles of six rows. */
static double cost_rows(const struct kernel *k)
{
	return (double)((row_count(k) + 5) / 6 * 6) * (double)shape_count(&k->anchor->in[1]->shape) * 1.5;
}

static void linear_shape(struct kernel *k, int64_t *rows, int64_t *xm, int64_t *xk)
{
	const struct region *x = input(k);
	int last = x->shape.rank - 1;

	*rows = row_count(k);
	*xm = need_stride(x, rows_of(&x->shape));
	*xk = x->shape.dim[last] == 1 ? 1 : x->stride[last];
	k->macs = *rows * shape_count(&k->anchor->in[1]->shape);
}

static void setup_linear(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	int block = w->dim[1] < 16 ? (int)w->dim[1] : 16;
	int64_t rows, xm, xk;

	linear_shape(k, &rows, &xm, &xk);
	param(k, "M", rows);
	param(k, "N", w->dim[1]);
	param(k, "K", w->dim[0]);
	param(k, "NB", block);
	param(k, "TAIL", w->dim[1] % block != 0);
	param(k, "XM", xm);
	param(k, "XK", xk);
	add_coord(k, rows_of(&k->out->shape));
	add_coord(k, span(k->out->shape.rank - 1, k->out->shape.rank));
	weights(p, k, k->anchor->in[1], PACK_LINEAR, 1, block);
	bias(p, k, 2);
	k->title = "linear";
}

static void setup_rows(struct plan *p, struct kernel *k)
{
	const struct shape *w = &k->anchor->in[1]->shape;
	int block = channel_block(w->dim[1]);
	static const char *const ones[] = { "N", "G", "D", "OD", "Q", "R", "S", "W", "OW", "STRIDE_D", "STRIDE_H", "STRIDE_W",
					    "DIL_D", "DIL_H", "DIL_W" };
	static const char *const zeros[] = { "XN", "XD", "XW", "PAD_D", "PAD_H", "PAD_W", "DEPTH", "GROUPED", "PADDED" };
	int64_t rows, xm, xk;

	linear_shape(k, &rows, &xm, &xk);
	for (size_t i = 0; i < sizeof(ones) / sizeof(ones[0]); i++)
		param(k, ones[i], 1);
	for (size_t i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		param(k, zeros[i], 0);
	param(k, "H", rows);
	param(k, "OH", rows);
	param(k, "P", rows);
	param(k, "XH", xm);
	param(k, "XC", xk);
	param(k, "C", w->dim[0]);
	param(k, "PLANAR", xk != 1);
	tile(k, w->dim[1], block);
	add_coord(k, span(0, 0));
	add_coord(k, span(k->out->shape.rank - 1, k->out->shape.rank));
	add_coord(k, rows_of(&k->out->shape));
	weights(p, k, k->anchor->in[1], PACK_LINEAR, 1, block);
	bias(p, k, 2);
	k->title = "linear_rows";
}

static const char *applies_matmul(const struct kernel *k)
{
	return k->out->shape.rank <= 5 ? NULL : "it has more than three batch dimensions";
}

static void setup_matmul(struct plan *p, struct kernel *k)
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
			weights(p, k, k->anchor->in[i], PACK_PLAIN, 1, 1);
			if (i == 0)
				k->arg[k->narg] = run_time;
			k->narg += i == 0;
		}
		r[i] = region_broadcast(&k->arg[i].region, &full[i]);
	}
	for (int i = 0; i < 3; i++) {
		int d = i - (3 - batch);

		param(k, spatial_name(p, "B", (char)('0' + i)), d >= 0 ? y->dim[d] : 1);
		param(k, spatial_name(p, "A", (char)('0' + i)), d >= 0 ? r[0].stride[d] : 0);
		param(k, spatial_name(p, "S", (char)('0' + i)), d >= 0 ? r[1].stride[d] : 0);
		add_coord(k, d >= 0 ? span(d, d + 1) : span(0, 0));
	}
	param(k, "M", y->dim[rank - 2]);
	param(k, "N", n);
	param(k, "K", full[0].dim[rank - 1]);
	param(k, "MB", 4);
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

/* ---- reductions ---- */

static unsigned axis_set(const struct node *n)
{
	int count;
	const int64_t *axes = attr_ints(n, "axes", &count);
	unsigned set = 0;

	for (int i = 0; i < count; i++)
		set |= 1u << axes[i];
	return set;
}

static unsigned all_dims(const struct shape *s)
{
	return (1u << s->rank) - 1;
}

/* Dimensions of the input, outside those of set, as dimensions of the output; keepdims or not. */
static struct coord to_output(const struct kernel *k, const struct coord *c, unsigned set)
{
	struct coord o = *c;
	bool keep = k->value->shape.rank == k->anchor->in[0]->shape.rank;

	for (int i = 0; i < o.n && !keep; i++) {
		int below = 0;

		for (int d = 0; d < c->dim[i]; d++)
			below += (int)(set >> d & 1u);
		o.dim[i] -= below;
	}
	return o;
}

/*
 * Sizes and strides NAME0..NAME<n-1> of the dimensions in set, merged as they lie, filled up with ones in
 * front; coordinates of the output are added when asked. The dimensions must merge into n or fewer.
 */
static void dims_params(struct plan *p, struct kernel *k, const char *name, int n, unsigned set, unsigned reduced, bool coords)
{
	const struct region *x = input(k);
	struct coord c[MAX_RANK];
	int count = merge_dims(x, set, c);

	for (int i = 0; i < n; i++) {
		int j = i - (n - count);
		const char *number = arena_printf(p->arena, "%s%d", name, i);

		param(k, number, j >= 0 ? size_of(&x->shape, &c[j]) : 1);
		param(k, arena_printf(p->arena, "X_%s", number), j >= 0 ? need_stride(x, c[j]) : 0);
		if (coords)
			add_coord(k, j >= 0 ? to_output(k, &c[j], reduced) : span(0, 0));
	}
}

static const char *fits(const struct kernel *k, unsigned set, int most)
{
	struct coord c[MAX_RANK];

	return merge_dims(input(k), set, c) <= most ? NULL : "its dimensions lie too scattered";
}

static const char *applies_reduce(const struct kernel *k)
{
	const struct shape *x = &k->anchor->in[0]->shape;
	unsigned set = axis_set(k->anchor);
	const char *why = fits(k, set, 4);

	return why != NULL ? why : fits(k, all_dims(x) & ~set, 4);
}

/* How each reduction starts, joins an element, joins two sums, and ends; % is the number of elements. */
static const struct reduction {
	const char *op, *init, *step, *join, *finish;
} reductions[] = {
	{ "ReduceSum", "0", "(a + v)", "(a + v)", "a" },
	{ "ReduceMean", "0", "(a + v)", "(a + v)", "(a / %)" },
	{ "ReduceMax", "min", "(v <= a || a != a ? a : v)", "(v <= a || a != a ? a : v)", "a" },
	{ "ReduceMin", "max", "(a <= v || a != a ? a : v)", "(a <= v || a != a ? a : v)", "a" },
	{ "ReduceProd", "1", "(a * v)", "(a * v)", "a" },
	{ "ReduceL1", "0", "(a + (v < 0 ? 0 - v : v))", "(a + v)", "a" },
	{ "ReduceL2", "0", "(a + v * v)", "(a + v)", "sqrt_f32(a)" },
	{ "ReduceSumSquare", "0", "(a + v * v)", "(a + v)", "a" },
};

static const char *limit_text(enum dtype type, bool least)
{
	switch (type) {
	case DT_F32:
		return least ? "-inf_f32()" : "inf_f32()";
	case DT_I64:
		return least ? "INT64_MIN" : "INT64_MAX";
	case DT_I32:
		return least ? "INT32_MIN" : "INT32_MAX";
	default:
		return least ? "0" : "255";
	}
}

static void setup_reduce(struct plan *p, struct kernel *k)
{
	const struct shape *x = &input(k)->shape;
	unsigned set = axis_set(k->anchor);
	const struct reduction *r = reductions;
	enum dtype type = k->value->type;
	const char *point = type == DT_F32 ? ".0f" : "";

	while (strcmp(r->op, k->anchor->op->name) != 0)
		r++;
	dims_params(p, k, "O", 4, all_dims(x) & ~set, set, true);
	dims_params(p, k, "R", 4, set, set, false);
	struct coord c[MAX_RANK];
	int count = merge_dims(input(k), all_dims(x) & ~set, c);
	int64_t inner = count > 0 ? size_of(x, &c[count - 1]) : 1;

	param(k, "CB", inner < 16 ? inner : 16);
	param(k, "TAIL", inner >= 16 && inner % 16 != 0);
	param(k, "RUN", 64);
	subst(k, "T", dtypes[type].ctype);
	if (r->init[0] == 'm')
		subst(k, "INIT", limit_text(type, r->init[1] == 'i'));
	else
		subst(k, "INIT", arena_printf(p->arena, "%s%s", r->init, point));
	subst(k, "STEP", r->step);
	subst(k, "JOIN", r->join);
	if (strchr(r->finish, '%') != NULL)
		subst(k, "FINISH", arena_printf(p->arena, "(a / %lld%s)", (long long)(shape_count(x) / shape_count(&k->value->shape)), point));
	else
		subst(k, "FINISH", r->finish);
	k->title = k->row->name;
}

static unsigned softmax_set(const struct kernel *k)
{
	const struct shape *x = &k->anchor->in[0]->shape;
	int axis = (int)attr_int(k->anchor, "axis", x->rank - 1);
	unsigned set = 0;

	for (int d = axis; d < x->rank; d++)
		if (d == axis || attr_int(k->anchor, "to_end", 0) != 0)
			set |= 1u << d;
	return set;
}

static const char *applies_softmax(const struct kernel *k)
{
	unsigned set = softmax_set(k);
	const char *why = fits(k, set, 1);

	return why != NULL ? why : fits(k, all_dims(&k->anchor->in[0]->shape) & ~set, 3);
}

/* The one dimension of set: size, stride XA, coordinate. */
static void inner_dim(struct kernel *k, const char *size, const char *stride, unsigned set, bool coords)
{
	struct coord c[MAX_RANK];
	int count = merge_dims(input(k), set, c);

	param(k, size, count > 0 ? size_of(&input(k)->shape, &c[0]) : 1);
	param(k, stride, count > 0 ? need_stride(input(k), c[0]) : 0);
	if (coords)
		add_coord(k, count > 0 ? c[0] : span(0, 0));
}

static void setup_softmax(struct plan *p, struct kernel *k)
{
	unsigned set = softmax_set(k);

	dims_params(p, k, "O", 3, all_dims(&input(k)->shape) & ~set, 0, true);
	inner_dim(k, "A", "XA", set, true);
	param(k, "LOG", strcmp(k->row->name, "logsoftmax") == 0);
	param(k, "RUN", 64);
	k->title = k->row->name;
}

static const char *applies_normalize(const struct kernel *k)
{
	unsigned set = axis_set(k->anchor);
	const char *why = fits(k, set, 3);

	return why != NULL ? why : fits(k, all_dims(&k->anchor->in[0]->shape) & ~set, 3);
}

static void setup_normalize(struct plan *p, struct kernel *k)
{
	unsigned set = axis_set(k->anchor);
	struct buf eps = { 0 };

	dims_params(p, k, "O", 3, all_dims(&input(k)->shape) & ~set, 0, true);
	dims_params(p, k, "R", 3, set, 0, true);
	print_number(&eps, attr_float(k->anchor, "epsilon", 1e-5), DT_F32);
	subst(k, "EPS", arena_strdup(p->arena, eps.data));
	buf_release(&eps);
	k->title = "normalize";
}

static const char *applies_argmax(const struct kernel *k)
{
	unsigned set = 1u << attr_int(k->anchor, "axis", 0);

	return fits(k, all_dims(&k->anchor->in[0]->shape) & ~set, 3);
}

static void setup_argmax(struct plan *p, struct kernel *k)
{
	unsigned set = 1u << attr_int(k->anchor, "axis", 0);

	dims_params(p, k, "O", 3, all_dims(&input(k)->shape) & ~set, set, true);
	inner_dim(k, "A", "XA", set, false);
	param(k, "LEAST", strcmp(k->row->name, "argmin") == 0);
	param(k, "LAST", attr_int(k->anchor, "select_last_index", 0));
	subst(k, "T", dtypes[input(k)->type].ctype);
	k->title = k->row->name;
}

/* ---- movers ---- */

static const char *applies_gather(const struct kernel *k)
{
	const struct node *n = k->anchor;
	int axis = (int)attr_int(n, "axis", 0);
	int64_t stride;

	for (int i = 0; i < k->narg; i++) {
		const struct region *r = &k->arg[i].region;
		struct coord outer = span(0, k->arg[i].tensor == n->in[0] ? axis : 0);
		struct coord inner = span(k->arg[i].tensor == n->in[0] ? axis + 1 : 0, r->shape.rank);

		if (!stride_of(r, &outer, &stride) || !stride_of(r, &inner, &stride))
			return "its elements do not lie evenly";
	}
	return n->in[1]->type == DT_I64 || n->in[1]->type == DT_I32 ? NULL : "its indices are not integers";
}

static void setup_gather(struct plan *p, struct kernel *k)
{
	struct tensor *data = k->anchor->in[0], *index = k->anchor->in[1];
	int axis = (int)attr_int(k->anchor, "axis", 0), extra = index->shape.rank, rank = data->shape.rank;
	struct arg run_time[2] = { k->arg[0], k->arg[1] };
	int used = 0;

	k->narg = 0;
	for (int i = 0; i < 2; i++) {
		struct tensor *t = k->anchor->in[i];

		if (is_runtime(t))
			k->arg[k->narg++] = run_time[used++];
		else
			weights(p, k, t, t->type == DT_F32 ? PACK_PLAIN : PACK_TABLE, 1, 1);
	}
	const struct region *x = &k->arg[0].region, *at = &k->arg[1].region;

	struct coord outer = span(0, axis), inner = span(axis + 1, rank), where = span(0, extra);

	param(k, "O", size_of(&x->shape, &outer));
	param(k, "N", size_of(&at->shape, &where));
	param(k, "R", size_of(&x->shape, &inner));
	param(k, "A", x->shape.dim[axis]);
	param(k, "XO", need_stride(x, outer));
	param(k, "XA", x->stride[axis]);
	param(k, "XR", need_stride(x, inner));
	param(k, "XI", need_stride(at, where));
	subst(k, "T", dtypes[data->type].ctype);
	subst(k, "I", dtypes[index->type].ctype);
	add_coord(k, span(0, axis));
	add_coord(k, span(axis, axis + extra));
	add_coord(k, span(axis + extra, k->value->shape.rank));
	k->title = "gather";
}

static const char *applies_resize(const struct kernel *k)
{
	(void)k;
	return "resizing has no kernel yet";
}

static void setup_resize(struct plan *p, struct kernel *k)
{
	(void)p;
	die("%s", k->row->name);
}

static const char *applies_pad(const struct kernel *k)
{
	return k->anchor->in[0]->shape.rank <= 6 ? NULL : "it has more than six dimensions";
}

static void setup_pad(struct plan *p, struct kernel *k)
{
	static const char *const modes[] = { "constant", "reflect", "edge", "wrap" };
	const char *mode = attr_string(k->anchor, "mode", "constant");
	const struct region *x = input(k);
	struct buf value = { 0 };
	int n, m = 0;
	const int64_t *pads = attr_ints(k->anchor, "pads", &n);

	while (strcmp(modes[m], mode) != 0)
		m++;
	param(k, "RANK", x->shape.rank);
	param(k, "MODE", m);
	for (int d = 0; d < 6; d++) {
		bool here = d < x->shape.rank;

		param(k, arena_printf(p->arena, "D%d", d), here ? k->value->shape.dim[d] : 1);
		param(k, arena_printf(p->arena, "S%d", d), here ? x->shape.dim[d] : 1);
		param(k, arena_printf(p->arena, "B%d", d), here ? pads[d] : 0);
		param(k, arena_printf(p->arena, "X%d", d), here ? x->stride[d] : 0);
		if (here)
			add_coord(k, span(d, d + 1));
	}
	print_number(&value, attr_float(k->anchor, "value", 0.0), k->value->type);
	subst(k, "VALUE", arena_strdup(p->arena, value.data));
	subst(k, "T", dtypes[k->value->type].ctype);
	buf_release(&value);
	k->title = arena_printf(p->arena, "pad_%s", mode);
}

/* ---- elementwise ---- */

static const char *applies_map(const struct kernel *k)
{
	(void)k;
	return NULL;
}

/* Whether neighbouring dimensions a, b (a outer) can be one loop for every operand. */
static bool joins(const struct kernel *k, int a, int b)
{
	int64_t size = k->dst.shape.dim[b];

	if (k->dst.stride[a] != k->dst.stride[b] * size)
		return false;
	for (int i = 0; i < k->noperand; i++) {
		const struct region *r = &k->operand[i].region;

		if (r->stride[a] != r->stride[b] * size || (r->windowed && (r->hi[a] - r->lo[a] != r->shape.dim[a] ||
									   r->hi[b] - r->lo[b] != r->shape.dim[b])))
			return false;
	}
	return true;
}

static void setup_map(struct plan *p, struct kernel *k)
{
	struct coord c[MAX_RANK], loop[MAX_RANK];
	int count = merge_dims(&k->dst, all_dims(&k->dst.shape), c), n = 0;

	/* merge_dims() looked at the result only: split what some operand does not join */
	for (int i = 0; i < count; i++)
		for (int j = 0; j < c[i].n; j++) {
			int d = c[i].dim[j];

			if (n > 0 && joins(k, loop[n - 1].dim[loop[n - 1].n - 1], d))
				loop[n - 1].dim[loop[n - 1].n++] = d;
			else
				loop[n++] = (struct coord){ .dim = { d }, .n = 1 };
		}
	while (n > 6) { /* the outermost two as one; access divides */
		for (int j = 0; j < loop[1].n; j++)
			loop[0].dim[loop[0].n++] = loop[1].dim[j];
		memmove(&loop[1], &loop[2], (size_t)(n - 2) * sizeof(loop[0]));
		n--;
	}
	if (n == 0)
		loop[n++] = span(0, 0);
	param(k, "RANK", n);
	for (int i = 0; i < 6; i++)
		param(k, arena_printf(p->arena, "D%d", i), i < n ? size_of(&k->dst.shape, &loop[i]) : 1);
	for (int i = 0; i < n; i++)
		add_coord(k, loop[i]);
	subst(k, "T", dtypes[k->dst.type].ctype);
	k->title = k->ngroup > 0 ? "map" : "copy";
}

/* ---- the choice ---- */

static const struct kernel_row rows[] = {
#define KERNEL(kernel, operator, machine, file, when, price, prepare)                                     \
	{ .name = #kernel,                                                                                \
	  .op = #operator,                                                                                \
	  .target = #machine,                                                                             \
	  .template = file,                                                                               \
	  .applies = applies_##when,                                                                      \
	  .cost = cost_##price,                                                                           \
	  .setup = setup_##prepare },
#include "kernels.def"
};

static const char *anchor_name(const struct kernel *k)
{
	return k->anchor != NULL ? k->anchor->op->name : "";
}

bool kernel_exists(const struct plan *p, const struct kernel *k)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].op, anchor_name(k)) == 0 && strcmp(rows[i].target, p->target) == 0 && rows[i].applies(k) == NULL)
			return true;
	return false;
}

void kernel_choose(struct plan *p, struct kernel *k)
{
	const char *why = "no kernel computes it";
	double best = 0.0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct kernel_row *r = &rows[i];

		if (strcmp(r->op, anchor_name(k)) != 0 || strcmp(r->target, p->target) != 0)
			continue;
		if (r->applies(k) != NULL) {
			why = r->applies(k);
			continue;
		}
		if (k->row == NULL || r->cost(k) < best) {
			k->row = r;
			best = r->cost(k);
		}
	}
	if (k->row == NULL) {
		node_error(p->graph, k->anchor, "skipc compiles what ResNets and highway networks are made of; see README.md",
			   "%s cannot be compiled: %s", k->anchor->op->name, why);
		return;
	}
	k->row->setup(p, k);
	p->macs += k->macs;
}

void kernel_explain(FILE *to, const struct kernel *k)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct kernel_row *r = &rows[i];
		const char *why = NULL;

		if (strcmp(r->op, anchor_name(k)) != 0 || strcmp(r->target, k->row->target) != 0)
			continue;
		why = r->applies(k);
		if (r == k->row)
			fprintf(to, "        %s: taken, cost %.3g\n", r->name, r->cost(k));
		else if (why != NULL)
			fprintf(to, "        %s: %s\n", r->name, why);
		else
			fprintf(to, "        %s: cost %.3g\n", r->name, r->cost(k));
	}
}
