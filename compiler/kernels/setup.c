/* What setup functions are made of: parameters, dimensions, arguments. They turn regions into the template's strides
 * and sizes. */
#include "kernels/kernel.h"

#include <math.h>
#include <string.h>

void param(struct kernel *k, const char *name, int64_t value)
{
	if (k->nparam == MAX_PARAM)
		die("kernel %s has too many parameters", k->row->name);
	if (value > INT32_MAX || value < INT32_MIN)
		die("kernel %s: %s is out of range", k->row->name, name);
	for (int i = 0; i < k->nparam; i++)
		if (strcmp(k->param[i].name, name) == 0)
			die("kernel %s: %s is set twice", k->row->name, name);
	k->param[k->nparam++] = (struct param){ name, (long)value };
}

void subst(struct kernel *k, const char *name, const char *text)
{
	if (k->nsubst == MAX_SUBST)
		die("kernel %s has too many substitutions", k->row->name);
	k->subst[k->nsubst++] = (struct subst){ name, text };
}

/* ---- dimensions ---- */

/* Dimensions first..last-1, as one coordinate of the template. */
struct coord span(int first, int last)
{
	struct coord c = { .n = 0 };

	for (int d = first; d < last; d++)
		c.dim[c.n++] = d;
	return c;
}

void add_coord(struct kernel *k, struct coord c)
{
	k->coord[k->ncoord++] = c;
}

int64_t size_of(const struct shape *s, const struct coord *c)
{
	int64_t size = 1;

	for (int i = 0; i < c->n; i++)
		size *= s->dim[c->dim[i]];
	return size;
}

/* The single stride by which the coordinate's elements follow each other in r, if there is one. */
bool stride_of(const struct region *r, const struct coord *c, int64_t *stride)
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

int64_t need_stride(const struct region *r, struct coord c)
{
	int64_t stride = 0;

	if (!stride_of(r, &c, &stride))
		die("dimensions do not lie evenly");
	return stride;
}

/*
 * The dimensions of `in` (bit set) merged, from outermost to innermost as they lie in r, into
 * coordinates that are evenly strided in r. Dimensions of size 1 are left out. Returns how many.
 */
int merge_dims(const struct region *r, unsigned set, struct coord *c)
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

		if (count > 0 &&
			r->stride[last->dim[last->n - 1]] == r->stride[d] * r->shape.dim[d])
			last->dim[last->n++] = d;
		else
			c[count++] = (struct coord){ .dim = { d }, .n = 1 };
	}
	return count;
}

/* ---- arguments ---- */

const struct region *input(const struct kernel *k)
{
	return &k->arg[0].region;
}

bool overwrites_input(const struct kernel *k)
{
	return k->in_place != NULL && k->narg > 0 && k->arg[0].region.buffer == k->in_place;
}

static void add_blob(
	struct plan *p, struct kernel *k, const char *name, const struct blob *wanted)
{
	struct tensor *t = wanted->tensor[0];
	const struct blob *b = plan_blob(p, wanted);
	struct region r = region_dense(b->type, &t->shape, NULL);

	r.buffer = b->buffer;
	if (k->narg == MAX_ARG)
		die("kernel %s has too many arguments", k->row->name);
	k->arg[k->narg++] = (struct arg){ .name = name, .tensor = t, .region = r };
}

void constant(struct plan *p, struct kernel *k, const char *name, struct tensor *t)
{
	const struct blob wanted = { .tensor = { t },
		.stack = 1,
		.packing = t->type == DT_F32 ? PACK_PLAIN : PACK_TABLE,
		.prov = k->prov };

	add_blob(p, k, name, &wanted);
}

void same_weights(struct plan *p, struct kernel *k, const char *name, const struct blob *how,
	const struct blob *like)
{
	struct blob wanted = *how;

	memcpy(wanted.tensor, like->tensor, sizeof(wanted.tensor));
	wanted.stack = like->stack;
	wanted.prov = like->prov;
	add_blob(p, k, name, &wanted);
}

/* Input `which` of the anchor (s = 0) or of a stacked one; null where it is absent. */
static struct tensor *stacked_input(const struct kernel *k, int s, int which)
{
	const struct node *n = s == 0 ? k->anchor : k->stacked[s - 1];

	return n->nin > which ? n->in[which] : NULL;
}

void weights(struct plan *p, struct kernel *k, const struct blob *how)
{
	struct blob wanted = *how;

	if (is_runtime(k->anchor->in[1])) {
		k->arg[1].name = "w";
		return;
	}
	wanted.stack = 1 + k->nstacked;
	wanted.prov = k->prov;
	for (int s = 0; s < wanted.stack; s++)
		wanted.tensor[s] = stacked_input(k, s, 1);
	add_blob(p, k, "w", &wanted);
}

/* Zeros for the absent ones among stacked biases, shaped as one that is there. */
static struct tensor *zeros_like(struct graph *g, struct tensor *const *v, int n)
{
	const struct tensor *like = NULL;

	for (int s = 0; s < n; s++)
		like = v[s] != NULL ? v[s] : like;
	void *zeros = arena_alloc(g->arena, (size_t)(shape_count(&like->shape) * dtypes[like->type].size));

	return graph_constant(g, NULL, like->type, &like->shape, like->type, zeros);
}

/* A bias that is not there, or zero, costs nothing. */
void bias(struct plan *p, struct kernel *k, int group, int block)
{
	struct blob wanted = { .stack = 1 + k->nstacked,
		.packing = PACK_BIAS,
		.group = group,
		.block = block,
		.prov = k->prov };
	bool none = true;
	double value;

	for (int s = 0; s < wanted.stack; s++) {
		struct tensor *b = wanted.tensor[s] = stacked_input(k, s, 2);

		none = none &&
		       (b == NULL || (is_const(b) && const_uniform(b, &value) && value == 0.0));
	}
	param(k, "BIAS", !none);
	if (none)
		return;
	for (int s = 0; s < wanted.stack; s++)
		if (wanted.tensor[s] == NULL)
			wanted.tensor[s] = zeros_like(p->graph, wanted.tensor, wanted.stack);
	add_blob(p, k, "bias", &wanted);
}

void stacking(struct kernel *k)
{
	param(k, "STACK", 1 + k->nstacked);
}

void skipping(struct kernel *k)
{
	param(k, "SKIP", k->keep != NULL);
}

const char *constant_weights(const struct kernel *k)
{
	for (int i = 1; i < k->anchor->nin; i++)
		if (is_runtime(k->anchor->in[i]))
			return "its weights are computed at run time";
	return is_runtime(k->anchor->in[0]) ? NULL
					    : "its input is constant and its weights are not";
}

int64_t whole_vectors(int64_t floats)
{
	return (floats + 15) / 16 * 16;
}

double cost_of(const struct kernel *k, enum cost what)
{
	const struct plan *p = k->plan;
	const double own = k->set != NULL && p->options->cost[what] == 0.0
				   ? target_cost(p->target, k->set, what)
				   : 0.0;

	return own > 0.0 ? own : p->cost[what];
}

const struct tiling *tiling_of(const struct kernel *k)
{
	return &k->plan->target->tiling;
}

void lanes(struct kernel *k, int coord, int64_t block, int64_t tail)
{
	k->lanes = coord + 1;
	k->lanes_least = tail > 0 && tail < block ? tail : block;
	k->lanes_even = block % 16 == 0 && tail % 16 == 0;
}

unsigned all_dims(const struct shape *s)
{
	return (1u << s->rank) - 1;
}

double cost_macs(const struct kernel *k)
{
	return (double)shape_count(&k->out->shape);
}

const char *spatial_name(struct plan *p, const char *prefix, char axis)
{
	return arena_printf(p->arena, "%s%c", prefix, axis);
}

/* ---- threads ---- */

/* Rows before channels: workers take parts in order, and so each has a piece of the image, whatever
 * the layers are cut by. */
void share(struct kernel *k, const char *name, int64_t end, int64_t step, enum divides divides)
{
	int at = k->nshare;

	if (end <= step)
		return;
	if (k->nshare++ == MAX_SHARE)
		die("kernel %s has too many ranges", k->row->name);
	for (; at > 0 && k->share[at - 1].divides > divides; at--)
		k->share[at] = k->share[at - 1];
	k->share[at] = (struct share){ name, end, step, divides, 1 };
}
