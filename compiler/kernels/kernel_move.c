/* Kernels that move elements, and elementwise groups. */
#include "kernels/kernel.h"

#include <string.h>

const char *applies_gather(const struct kernel *k)
{
	const struct node *n = k->anchor;
	int axis = (int)attr_int(n, "axis", 0);
	int64_t stride;

	for (int i = 0; i < k->narg; i++) {
		const struct region *r = &k->arg[i].region;
		struct coord outer = span(0, k->arg[i].tensor == n->in[0] ? axis : 0);
		struct coord inner = span(
			k->arg[i].tensor == n->in[0] ? axis + 1 : 0, r->shape.rank);

		if (!stride_of(r, &outer, &stride) || !stride_of(r, &inner, &stride))
			return "its elements do not lie evenly";
	}
	return n->in[1]->type == DT_I64 || n->in[1]->type == DT_I32
		       ? NULL
		       : "its indices are not integers";
}

/* Arguments in the order of the anchor's inputs from `first` on, constants among them; by input, their names. */
static void all_arguments(
	struct plan *p, struct kernel *k, int first, const char *const *names)
{
	struct arg run_time[MAX_ARG];
	int used = 0;

	memcpy(run_time, k->arg, sizeof(run_time));
	k->narg = 0;
	for (int i = first; i < k->anchor->nin; i++) {
		struct tensor *t = k->anchor->in[i];

		if (is_runtime(t))
			k->arg[k->narg++] = run_time[used++];
		else
			constant(p, k, NULL, t);
		k->arg[k->narg - 1].name = names[i];
	}
}

void setup_gather(struct plan *p, struct kernel *k)
{
	struct tensor *data = k->anchor->in[0], *index = k->anchor->in[1];
	int axis = (int)attr_int(k->anchor, "axis", 0), extra = index->shape.rank,
	    rank = data->shape.rank;

	all_arguments(p, k, 0, (const char *[]){ "x", "index" });
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

/* Rows of data and updates, and the indices, each evenly strided. */
const char *applies_scatter(const struct kernel *k)
{
	const int places = k->anchor->in[1]->shape.rank;
	int64_t stride;

	for (int i = 0; i < k->narg; i++) {
		const struct region *r = &k->arg[i].region;
		const struct tensor *t = k->arg[i].tensor;
		const int rows = t == k->anchor->in[0] ? 1 : places;
		struct coord outer = span(0, rows), inner = span(rows, r->shape.rank);

		if (!stride_of(r, &outer, &stride) || !stride_of(r, &inner, &stride))
			return "its elements do not lie evenly";
	}
	return NULL;
}

/* The text that joins what is there, v, and an update, w: integers wrap. */
static const char *join_text(struct plan *p, const struct kernel *k)
{
	const char *how = attr_string(k->anchor, "reduction", "none");
	const struct dtype_info *type = &dtypes[k->value->type];
	const char *sign = strcmp(how, "add") == 0 ? "+" : strcmp(how, "mul") == 0 ? "*" : NULL;

	if (sign != NULL && !type->is_float)
		return arena_printf(
			p->arena, "(%s)((uint64_t)v %s (uint64_t)w)", type->ctype, sign);
	if (sign != NULL)
		return arena_printf(p->arena, "v %s w", sign);
	return arena_printf(p->arena, "%s%s ? w : v", strcmp(how, "max") == 0 ? "v < w" : "w < v",
		type->is_float ? " || w != w" : "");
}

void setup_scatter(struct plan *p, struct kernel *k)
{
	const struct tensor *data = k->anchor->in[0], *index = k->anchor->in[1];
	const int places = index->shape.rank;
	struct buf text = { 0 };
	double value = 0.0;
	const bool uniform = is_const(data) && const_uniform(data, &value);

	all_arguments(p, k, uniform, (const char *[]){ "x", "index", "updates" });
	const struct region *x = uniform ? &k->dst : &k->arg[0].region,
			    *at = &k->arg[!uniform].region, *up = &k->arg[1 + !uniform].region;
	const struct coord row = span(1, data->shape.rank);

	param(k, "A", data->shape.dim[0]);
	param(k, "R", size_of(&data->shape, &row));
	param(k, "N", shape_count(&index->shape));
	param(k, "XA", uniform ? 0 : x->stride[0]);
	param(k, "XR", uniform ? 0 : need_stride(x, row));
	param(k, "XI", need_stride(at, span(0, places)));
	param(k, "UN", need_stride(up, span(0, places)));
	param(k, "UR", need_stride(up, span(places, up->shape.rank)));
	param(k, "UNIFORM", uniform);
	print_number(&text, value, k->value->type);
	subst(k, "VALUE", arena_strdup(p->arena, text.data));
	buf_release(&text);
	param(k, "JOINS", strcmp(attr_string(k->anchor, "reduction", "none"), "none") != 0);
	subst(k, "JOIN", join_text(p, k));
	subst(k, "T", dtypes[data->type].ctype);
	subst(k, "I", dtypes[index->type].ctype);
	add_coord(k, span(0, 1));
	add_coord(k, row);
	k->drafts = true;
	k->title = "scatter";
}

const char *applies_gridsample(const struct kernel *k)
{
	(void)k;
	return NULL;
}

/* Place of an attribute's value in a list that ends with null. */
static int number_of(const struct kernel *k, const char *attribute, const char *const *names)
{
	int at = 0;

	while (strcmp(attr_string(k->anchor, attribute, names[0]), names[at]) != 0)
		at++;
	return at;
}

void setup_gridsample(struct plan *p, struct kernel *k)
{
	static const char *const modes[] = { "nearest", "linear", "cubic" };
	static const char *const paddings[] = { "zeros", "border", "reflection" };
	static const int taps[] = { 1, 2, 4 };
	const int mode = number_of(k, "mode", modes);

	all_arguments(p, k, 0, (const char *[]){ "x", "grid" });
	const struct region *x = &k->arg[0].region, *grid = &k->arg[1].region;

	param(k, "N", x->shape.dim[0]);
	param(k, "C", x->shape.dim[1]);
	param(k, "H", x->shape.dim[2]);
	param(k, "W", x->shape.dim[3]);
	param(k, "OW", grid->shape.dim[2]);
	param(k, "P", grid->shape.dim[1] * grid->shape.dim[2]);
	param(k, "TAPS", taps[mode]);
	param(k, "FIRST", mode == 2 ? -1 : 0);
	for (int d = 0; d < 4; d++) {
		param(k, arena_printf(p->arena, "X%c", "NCHW"[d]), x->stride[d]);
		param(k, arena_printf(p->arena, "G%c", "NHWK"[d]), grid->stride[d]);
	}
	param(k, "CORNERS", attr_int(k->anchor, "align_corners", 0));
	param(k, "PADDING", number_of(k, "padding_mode", paddings));
	param(k, "NEAREST", mode == 0);
	param(k, "CUBIC", mode == 2);
	share(k, "n", x->shape.dim[0], 1, DIVIDES_INPUT);
	share(k, "p", grid->shape.dim[1] * grid->shape.dim[2], 1, DIVIDES_INPUT);
	add_coord(k, span(0, 1));
	add_coord(k, span(1, 2));
	add_coord(k, span(2, 4));
	k->title = arena_printf(p->arena, "gridsample_%s", modes[mode]);
}

const char *applies_pad(const struct kernel *k)
{
	return k->anchor->in[0]->shape.rank <= 6 ? NULL : "it has more than six dimensions";
}

void setup_pad(struct plan *p, struct kernel *k)
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

enum { TURN_TILE = 16 }; /* floats of a line of cache */

const char *applies_map(const struct kernel *k)
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

		if (r->stride[a] != r->stride[b] * size ||
			(r->windowed && (r->hi[a] - r->lo[a] != r->shape.dim[a] ||
						r->hi[b] - r->lo[b] != r->shape.dim[b])))
			return false;
	}
	return true;
}

/* The loops over the elements of the result, the outermost first, at most `most`; how many. */
static int loops_over(const struct kernel *k, struct coord *loop, int most)
{
	struct coord c[MAX_RANK];
	int count = merge_dims(&k->dst, all_dims(&k->dst.shape), c), n = 0;

	/* merge_dims() looked at the result only: split what some operand does not join */
	for (int i = 0; i < count; i++)
		for (int j = 0; j < c[i].n; j++) {
			int d = c[i].dim[j];

			if (n == 0 || !joins(k, loop[n - 1].dim[loop[n - 1].n - 1], d)) {
				loop[n] = span(d, d + 1);
				n++;
				continue;
			}
			loop[n - 1].dim[loop[n - 1].n] = d;
			loop[n - 1].n++;
		}
	while (n > most) { /* the outermost two as one; access divides */
		for (int j = 0; j < loop[1].n; j++)
			loop[0].dim[loop[0].n++] = loop[1].dim[j];
		memmove(&loop[1], &loop[2], (size_t)(n - 2) * sizeof(loop[0]));
		n--;
	}
	return n;
}

void setup_map(struct plan *p, struct kernel *k)
{
	struct coord loop[MAX_RANK];
	int n = loops_over(k, loop, 6);

	if (n == 0)
		loop[n++] = span(0, 0);
	param(k, "RANK", n);
	for (int i = 0; i < 6; i++)
		param(k, arena_printf(p->arena, "D%d", i),
			i < n ? size_of(&k->dst.shape, &loop[i]) : 1);
	for (int i = 0; i < n && i < 2; i++)
		share(k, i == 0 ? "i0" : "i1", size_of(&k->dst.shape, &loop[i]),
			i == n - 1 ? 64 : 1, DIVIDES_INPUT);
	for (int i = 0; i < n; i++)
		add_coord(k, loop[i]);
	subst(k, "T", dtypes[k->dst.type].ctype);
	k->title = k->ngroup > 0 ? "map" : "copy";
}

/* What turns: the loop that counts through an operand's neighbours, and is not that of the result's; -1: none. */
static int crossing(const struct kernel *k, const struct coord *loop, int n, int64_t *far)
{
	int64_t size, stride;

	for (int j = 0; j < k->noperand; j++)
		for (int i = 0; i < n - 1; i++) {
			const struct region *r = &k->operand[j].region;

			size = size_of(&k->dst.shape, &loop[i]);
			if (size >= TURN_TILE && stride_of(r, &loop[i], &stride) && stride == 1 &&
				stride_of(r, &loop[n - 1], far) && *far > 1)
				return i;
		}
	return -1;
}

const char *applies_turn(const struct kernel *k)
{
	struct coord loop[MAX_RANK];
	const int n = loops_over(k, loop, 6);
	int64_t far;

	if (n < 2 || size_of(&k->dst.shape, &loop[n - 1]) < TURN_TILE ||
		crossing(k, loop, n, &far) < 0)
		return "its operands lie as its result does, or have short rows";
	return NULL;
}

/* Where c/map reads or writes a line of cache for each element, this one does for TURN_TILE. */
double cost_turn(const struct kernel *k)
{
	return cost_macs(k) / 2;
}

void setup_turn(struct plan *p, struct kernel *k)
{
	struct coord loop[MAX_RANK], rest = span(0, 0);
	const int n = loops_over(k, loop, 6);
	int64_t far, own = 0;
	const int a = crossing(k, loop, n, &far);
	const bool farther = !stride_of(&k->dst, &loop[a], &own) || far >= own;
	const struct coord *run = &loop[farther ? a : n - 1], *across = &loop[farther ? n - 1 : a];

	for (int i = 0; i < n - 1; i++)
		for (int j = 0; i != a && j < loop[i].n; j++)
			rest.dim[rest.n++] = loop[i].dim[j];
	param(k, "N", size_of(&k->dst.shape, &rest));
	param(k, "Q", size_of(&k->dst.shape, across));
	param(k, "P", size_of(&k->dst.shape, run));
	param(k, "TILE", TURN_TILE);
	share(k, "n", size_of(&k->dst.shape, &rest), 1, DIVIDES_INPUT);
	share(k, "p", size_of(&k->dst.shape, run), TURN_TILE, DIVIDES_INPUT);
	add_coord(k, rest);
	add_coord(k, *across);
	add_coord(k, *run);
	subst(k, "T", dtypes[k->dst.type].ctype);
	k->title = k->ngroup > 0 ? "map" : "copy";
	(void)p;
}
