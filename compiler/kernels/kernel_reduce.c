/* Kernels over some axes: reductions, softmax, normalisation, the index of the greatest. */
#include "kernels/kernel.h"

#include <string.h>

static unsigned axis_set(const struct node *n)
{
	int count;
	const int64_t *axes = attr_ints(n, "axes", &count);
	unsigned set = 0;

	for (int i = 0; i < count; i++)
		set |= 1u << axes[i];
	return set;
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
 * Sizes and strides NAME0..NAME<n-1> of the dimensions in set, merged as they lie, filled up with
 * ones in front; coordinates of the output are added when asked. The dimensions must merge into n
 * or fewer.
 */
static void dims_params(struct plan *p, struct kernel *k, const char *name, int n, unsigned set,
	unsigned reduced, bool coords)
{
	const struct region *x = input(k);
	struct coord c[MAX_RANK];
	int count = merge_dims(x, set, c);

	for (int i = 0; i < n; i++) {
		int j = i - (n - count);
		const char *number = arena_printf(p->arena, "%s%d", name, i);

		param(k, number, j >= 0 ? size_of(&x->shape, &c[j]) : 1);
		param(k, arena_printf(p->arena, "X_%s", number), j >= 0 ? need_stride(x, c[j]) : 0);
		if (*name == 'O') /* outer: each element, or sixteen side by side, by itself */
			share(k, arena_printf(p->arena, "i%d", i),
				j >= 0 ? size_of(&x->shape, &c[j]) : 1, i == 3 ? 16 : 1,
				DIVIDES_INPUT);
		if (coords)
			add_coord(k, j >= 0 ? to_output(k, &c[j], reduced) : span(0, 0));
	}
}

static const char *fits(const struct kernel *k, unsigned set, int most)
{
	struct coord c[MAX_RANK];

	return merge_dims(input(k), set, c) <= most ? NULL : "its dimensions lie too scattered";
}

const char *applies_reduce(const struct kernel *k)
{
	const struct shape *x = &k->anchor->in[0]->shape;
	unsigned set = axis_set(k->anchor);
	enum dtype type = k->value->type;
	bool compares = is_op(k->anchor, "ReduceMax") || is_op(k->anchor, "ReduceMin");
	const char *why = fits(k, set, 4);

	if (!compares && type != DT_F32 && type != DT_I32 && type != DT_I64)
		return "its elements are not float, int32 or int64";
	if (is_op(k->anchor, "ReduceL2") && type != DT_F32)
		return "its elements are not float";
	return why != NULL ? why : fits(k, all_dims(x) & ~set, 4);
}

/* How each reduction starts, joins an element, joins two sums, and ends; % is the number of
 * elements. Then how integers do, which wrap and are no NaN; @ is the type's suffix. */
static const struct reduction {
	const char *op, *init, *step, *join, *finish, *wrap_step, *wrap_join;
} reductions[] = {
	{ "ReduceSum", "0", "(a + v)", "(a + v)", "a", "add_@(a, v)", "add_@(a, v)" },
	{ "ReduceMean", "0", "(a + v)", "(a + v)", "(a / %)", "add_@(a, v)", "add_@(a, v)" },
	{ "ReduceMax", "min", "(v <= a || a != a ? a : v)", "(v <= a || a != a ? a : v)", "a",
		"(v <= a ? a : v)", "(v <= a ? a : v)" },
	{ "ReduceMin", "max", "(a <= v || a != a ? a : v)", "(a <= v || a != a ? a : v)", "a",
		"(a <= v ? a : v)", "(a <= v ? a : v)" },
	{ "ReduceProd", "1", "(a * v)", "(a * v)", "a", "mul_@(a, v)", "mul_@(a, v)" },
	{ "ReduceL1", "0", "(a + (v < 0 ? 0 - v : v))", "(a + v)", "a", "add_@(a, abs_@(v))",
		"add_@(a, v)" },
	{ "ReduceL2", "0", "(a + v * v)", "(a + v)", "sqrt_f32(a)", NULL, NULL },
	{ "ReduceSumSquare", "0", "(a + v * v)", "(a + v)", "a", "add_@(a, mul_@(v, v))",
		"add_@(a, v)" },
};

/* The text for that type. */
static const char *joining(struct arena *a, enum dtype type, const char *text, const char *wrapping)
{
	struct buf b = { 0 };
	const char *result;

	if (type == DT_F32 || wrapping == NULL)
		return text;
	for (const char *c = wrapping; *c != '\0'; c++)
		if (*c == '@')
			buf_puts(&b, dtypes[type].suffix);
		else
			buf_add(&b, c, 1);
	result = arena_strdup(a, b.data);
	buf_release(&b);
	return result;
}

/* The least and the greatest value of each type, in C. */
static const struct limit {
	const char *least, *greatest;
} limits[DT_COUNT] = {
	[DT_F32] = { "-inf_f32()", "inf_f32()" },
	[DT_I8] = { "INT8_MIN", "INT8_MAX" },
	[DT_U8] = { "0", "UINT8_MAX" },
	[DT_I16] = { "INT16_MIN", "INT16_MAX" },
	[DT_U16] = { "0", "UINT16_MAX" },
	[DT_I32] = { "INT32_MIN", "INT32_MAX" },
	[DT_U32] = { "0", "UINT32_MAX" },
	[DT_I64] = { "INT64_MIN", "INT64_MAX" },
	[DT_U64] = { "0", "UINT64_MAX" },
	[DT_BOOL] = { "0", "1" },
};

const char *least_text(enum dtype type)
{
	return limits[type].least;
}

void setup_reduce(struct plan *p, struct kernel *k)
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
	subst(k, "TX", dtypes[input(k)->type].ctype);
	if (r->init[0] == 'm')
		subst(k, "INIT", r->init[1] == 'i' ? least_text(type) : limits[type].greatest);
	else
		subst(k, "INIT", arena_printf(p->arena, "%s%s", r->init, point));
	/* sums of a larger type have room */
	const bool wraps = input(k)->type == type;

	subst(k, "STEP", joining(p->arena, type, r->step, wraps ? r->wrap_step : NULL));
	subst(k, "JOIN", joining(p->arena, type, r->join, wraps ? r->wrap_join : NULL));
	if (strchr(r->finish, '%') != NULL)
		subst(k, "FINISH",
			arena_printf(p->arena, "(a / %lld%s)",
				(long long)(shape_count(x) / shape_count(&k->value->shape)),
				point));
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

const char *applies_softmax(const struct kernel *k)
{
	unsigned set = softmax_set(k);
	const char *why = fits(k, set, 1);

	return why != NULL ? why : fits(k, all_dims(&k->anchor->in[0]->shape) & ~set, 3);
}

/* The one dimension of set: size, stride XA, coordinate. */
static void inner_dim(
	struct kernel *k, const char *size, const char *stride, unsigned set, bool coords)
{
	struct coord c[MAX_RANK];
	int count = merge_dims(input(k), set, c);

	param(k, size, count > 0 ? size_of(&input(k)->shape, &c[0]) : 1);
	param(k, stride, count > 0 ? need_stride(input(k), c[0]) : 0);
	if (coords)
		add_coord(k, count > 0 ? c[0] : span(0, 0));
}

void setup_softmax(struct plan *p, struct kernel *k)
{
	unsigned set = softmax_set(k);

	dims_params(p, k, "O", 3, all_dims(&input(k)->shape) & ~set, 0, true);
	inner_dim(k, "A", "XA", set, true);
	k->drafts = strcmp(k->row->name, "softmax") == 0;
	param(k, "LOG", !k->drafts);
	k->title = k->row->name;
}

const char *applies_normalize(const struct kernel *k)
{
	unsigned set = axis_set(k->anchor);
	const char *why = fits(k, set, 3);

	return why != NULL ? why : fits(k, all_dims(&k->anchor->in[0]->shape) & ~set, 3);
}

double cost_normalize(const struct kernel *k)
{
	const struct region *x = input(k);
	const unsigned set = axis_set(k->anchor);
	bool apart = true;

	for (int d = 0; d < x->shape.rank; d++)
		if ((set >> d & 1u) != 0 && x->stride[d] == 1)
			apart = false;
	return (double)shape_count(&x->shape) *
	       cost_of(k, apart ? COST_NORMALIZE_APART : COST_NORMALIZE);
}

static void epsilon(struct plan *p, struct kernel *k)
{
	struct buf text = { 0 };

	print_number(&text, attr_float(k->anchor, "epsilon", 1e-5), DT_F32);
	subst(k, "EPS", buf_text(p->arena, &text));
}

void setup_normalize(struct plan *p, struct kernel *k)
{
	unsigned set = axis_set(k->anchor);

	dims_params(p, k, "O", 3, all_dims(&input(k)->shape) & ~set, 0, true);
	dims_params(p, k, "R", 3, set, 0, true);
	epsilon(p, k);
	k->title = "normalize";
}

/* An image whose channels lie side by side, as c/normalize_channels sees it. */
struct channels {
	struct coord images, pixels, group, all; /* group: channels that are normalised together; all: the image's */
	int64_t inner, count, block;             /* channels of a group, of the image, of a block */
};

/* Whole groups, that divide all; whole vectors of sixteen where there are some; no more than 32 where that leaves any. */
static int64_t channels_block(int64_t inner, int64_t count)
{
	int64_t best = inner;

	for (int64_t n = inner; n <= 64 && n <= count; n += inner)
		if (count % n == 0 && (n % 16 == 0 || best % 16 != 0) && (n <= 32 || best % 16 != 0))
			best = n;
	return best;
}

/* False: x does not lie so, or c/normalize has whole rows to add up. */
static bool cut_channels(const struct kernel *k, struct channels *to)
{
	const struct region *x = input(k);
	const unsigned set = axis_set(k->anchor);
	struct coord summed[MAX_RANK], other[MAX_RANK];
	const int nsummed = merge_dims(x, set, summed), nother = merge_dims(x, all_dims(&x->shape) & ~set, other);

	*to = (struct channels){ .inner = 1 };
	if (nsummed < 1 || nsummed > 2 || nother < 1 || nother > 2)
		return false;
	to->pixels = summed[0];
	if (nsummed == 2) {
		to->group = summed[1];
		to->inner = size_of(&x->shape, &to->group);
		if (need_stride(x, to->group) != 1)
			return false;
	}
	to->images = nother == 2 ? other[0] : span(0, 0);
	to->all = other[nother - 1];
	if (need_stride(x, to->all) != to->inner)
		return false;
	for (int i = 0; i < to->group.n; i++)
		to->all.dim[to->all.n++] = to->group.dim[i];
	to->count = size_of(&x->shape, &to->all);
	to->block = channels_block(to->inner, to->count);
	return need_stride(x, to->pixels) >= to->count && to->block <= 256;
}

const char *applies_normalize_channels(const struct kernel *k)
{
	struct channels c;

	return cut_channels(k, &c) ? NULL : "its channels are not neighbours, by few groups";
}

double cost_normalize_channels(const struct kernel *k)
{
	return (double)shape_count(&input(k)->shape) * cost_of(k, COST_NORMALIZE_CHANNELS);
}

void setup_normalize_channels(struct plan *p, struct kernel *k)
{
	const struct region *x = input(k);
	struct channels c;

	if (!cut_channels(k, &c))
		die("channels that do not lie side by side");
	param(k, "N", size_of(&x->shape, &c.images));
	param(k, "P", size_of(&x->shape, &c.pixels));
	param(k, "K", c.count);
	param(k, "KB", c.block);
	param(k, "CG", c.inner);
	param(k, "XN", c.images.n > 0 ? need_stride(x, c.images) : 0);
	param(k, "XP", need_stride(x, c.pixels));
	param(k, "RUN", 64);
	share(k, "n", size_of(&x->shape, &c.images), 1, DIVIDES_INPUT);
	share(k, "k", c.count, c.block, DIVIDES_INPUT);
	add_coord(k, c.images);
	add_coord(k, c.pixels);
	add_coord(k, c.all);
	epsilon(p, k);
	k->title = "normalize_channels";
}

const char *applies_argmax(const struct kernel *k)
{
	unsigned set = 1u << attr_int(k->anchor, "axis", 0);

	return fits(k, all_dims(&k->anchor->in[0]->shape) & ~set, 3);
}

void setup_argmax(struct plan *p, struct kernel *k)
{
	unsigned set = 1u << attr_int(k->anchor, "axis", 0);

	dims_params(p, k, "O", 3, all_dims(&input(k)->shape) & ~set, set, true);
	inner_dim(k, "A", "XA", set, false);
	param(k, "LEAST", strcmp(k->row->name, "argmin") == 0);
	param(k, "LAST", attr_int(k->anchor, "select_last_index", 0));
	subst(k, "T", dtypes[input(k)->type].ctype);
	k->title = k->row->name;
}

const char *applies_topk(const struct kernel *k)
{
	return is_runtime(k->anchor->in[0]) ? applies_argmax(k) : "its input is constant";
}

void setup_topk(struct plan *p, struct kernel *k)
{
	const int axis = (int)attr_int(k->anchor, "axis", 0);
	const unsigned set = 1u << axis;

	dims_params(p, k, "O", 3, all_dims(&input(k)->shape) & ~set, 0, true);
	inner_dim(k, "A", "XA", set, false);
	add_coord(k, span(axis, axis + 1));
	param(k, "K", attr_int(k->anchor, "k", 0));
	param(k, "LEAST", attr_int(k->anchor, "largest", 1) == 0);
	subst(k, "T", dtypes[input(k)->type].ctype);
	k->drafts = true;
	k->title = "topk";
}

/* Sums and products of integers wrap. */
void setup_cumulate(struct plan *p, struct kernel *k)
{
	const int axis = (int)attr_int(k->anchor, "axis", 0);
	const unsigned set = 1u << axis;
	const struct dtype_info *type = &dtypes[k->value->type];
	const bool product = strcmp(k->row->name, "cumprod") == 0;

	dims_params(p, k, "O", 3, all_dims(&input(k)->shape) & ~set, 0, true);
	inner_dim(k, "A", "XA", set, false);
	add_coord(k, span(axis, axis + 1));
	param(k, "EXCLUSIVE", attr_int(k->anchor, "exclusive", 0));
	param(k, "REVERSE", attr_int(k->anchor, "reverse", 0));
	subst(k, "INIT", type->is_float ? (product ? "1.0f" : "0.0f") : (product ? "1" : "0"));
	subst(k, "STEP",
		type->is_float ? (product ? "a * v" : "a + v")
			       : arena_printf(p->arena, "(%s)((uint64_t)a %s (uint64_t)v)",
					 type->ctype, product ? "*" : "+"));
	subst(k, "T", type->ctype);
	k->title = k->row->name;
}
