/*
 * The plan: kernels in an order, and a region for every tensor that is stored. Views become
 * regions; a copy is made only where no strides say it. What a Concat joins is written in place by
 * who computes it, and what ends in a graph output is written there.
 */
#include "plan/plan.h"

#include <math.h>
#include <string.h>

struct scheduler {
	struct plan *plan;
	struct graph *graph;
	struct region *place; /* by tensor id: where it has to be; buffer null: anywhere */
	struct region
		*turned; /* by tensor id: its copy that lies in another order, if there is one */
	struct kernel **pending; /* by id: kernels of fuse(), not yet in order */
	int npending;
};

/* ---- where things have to be ---- */

/* Computed by a kernel, or a view of something: it can be told where to go. */
static bool can_place(const struct scheduler *s, const struct tensor *t)
{
	return is_runtime(t) && t->def != NULL && s->place[t->id].buffer == NULL;
}

/* An image of a layer that computes vectors of channels, which would have to write each into a plane of its own. */
static bool wants_turning(const struct scheduler *s, const struct tensor *t)
{
	const struct node *anchor = t->def->mark != 0 ? s->pending[t->def->mark - 1]->anchor : NULL;
	const int rank = t->shape.rank;
	int64_t image = 1;

	for (int d = 2; d < rank; d++)
		image *= t->shape.dim[d];
	return target_has_vectors(s->plan->target) && anchor != NULL && is_op(anchor, "Conv") &&
	       t->order[rank - 1] == 1 && t->shape.dim[1] >= 16 && image >= 16;
}

static void place_outputs(struct scheduler *s)
{
	struct graph *g = s->graph;

	for (int k = 0; k < g->noutput; k++) {
		struct tensor *t = g->output[k];
		int64_t count = shape_count(&t->shape);
		struct buffer *b = plan_buffer(
			s->plan, BUF_OUTPUT, count * dtypes[t->io_type].size);

		b->index = k;
		b->tensor = t;
		if (!can_place(s, t) || t->io_type != t->type || wants_turning(s, t))
			continue; /* copied, converted or turned at the end */
		s->place[t->id] = region_dense(t->type, &t->shape, NULL);
		s->place[t->id].buffer = b;
	}
}

/* Parts of a Concat that kernels compute are computed in their place. */
static void place_parts(struct scheduler *s, struct node *n)
{
	struct region *whole = &s->place[n->out[0]->id];

	if (whole->buffer == NULL) {
		*whole = region_dense(n->out[0]->type, &n->out[0]->shape, n->out[0]->order);
		whole->buffer = plan_buffer(
			s->plan, BUF_ARENA, shape_count(&whole->shape) * dtypes[whole->type].size);
		whole->buffer->tensor = n->out[0];
	}
	for (int k = 0; k < n->nin; k++) {
		struct tensor *t = n->in[k];

		if (can_place(s, t) && (t->def->mark != 0 || is_op(t->def, "Concat")))
			s->place[t->id] = region_part(n, k, whole);
	}
}

/* From the last node to the first, as a place is handed on from a view's output to its input. */
static void place_all(struct scheduler *s)
{
	place_outputs(s);
	for (struct node *n = s->graph->last; n != NULL; n = n->prev) {
		if (!is_runtime(n->out[0]) || n->op->class != OP_VIEW || !view_is_free(n))
			continue;
		struct region r, *to = &s->place[n->out[0]->id];

		if (is_op(n, "Concat"))
			place_parts(s, n);
		else if (to->buffer != NULL && can_place(s, n->in[0]) && n->in[0]->nuser == 1 &&
			 region_unview(n, to, &r))
			s->place[n->in[0]->id] = r;
	}
}

/* ---- kernels in order ---- */

static struct region new_region(struct plan *p, enum dtype type, const struct shape *shape,
	const uint8_t *order, const struct tensor *t)
{
	struct region r = region_dense(type, shape, order);

	r.buffer = plan_buffer(p, BUF_ARENA, shape_count(shape) * dtypes[type].size);
	r.buffer->tensor = t;
	return r;
}

static void copy(struct scheduler *s, struct tensor *t, const struct region *src,
	const struct region *dst, const struct prov *prov)
{
	struct kernel *k = plan_kernel(s->plan);

	k->src = *src;
	k->dst = *dst;
	k->value = k->out = t;
	k->prov = prov;
	k->operand[k->noperand++] = (struct arg){ .tensor = t, .region = *src };
}

/* A constant as an operand: plain in the weights, or a table of the code where it is not float. */
static struct region constant_region(struct plan *p, struct tensor *t, const struct prov *prov)
{
	const struct blob wanted = { .tensor = { t },
		.stack = 1,
		.packing = t->type == DT_F32 ? PACK_PLAIN : PACK_TABLE,
		.prov = prov };
	struct region r = region_dense(t->type, &t->shape, NULL);

	r.buffer = plan_blob(p, &wanted)->buffer;
	return r;
}

static struct region source(struct scheduler *s, struct tensor *t, const struct prov *prov)
{
	if (!is_runtime(t))
		return constant_region(s->plan, t, prov);
	if (s->plan->region[t->id].buffer == NULL)
		die("tensor %s is read before it is stored", t->name);
	return s->plan->region[t->id];
}

static void schedule_view(struct scheduler *s, struct node *n)
{
	struct tensor *x = n->in[0], *y = n->out[0];
	struct region src = source(s, x, n->prov), r, *to = &s->place[y->id];

	if (!region_view(n, &src, &r)) {
		struct region dense = new_region(s->plan, x->type, &x->shape, NULL, x);

		copy(s, x, &src, &dense, n->prov);
		if (!region_view(n, &dense, &r))
			die("%s of a dense tensor is no view", n->op->name);
	}
	if (to->buffer != NULL && !region_same(&r, to)) {
		copy(s, y, &r, to, n->prov);
		r = *to;
	}
	s->plan->region[y->id] = r;
}

static void schedule_concat(struct scheduler *s, struct node *n)
{
	const struct region *whole = &s->place[n->out[0]->id];

	for (int k = 0; k < n->nin; k++) {
		struct region part = region_part(n, k, whole), src = source(s, n->in[k], n->prov);

		if (!region_same(&part, &src))
			copy(s, n->in[k], &src, &part, n->prov);
	}
	s->plan->region[n->out[0]->id] = *whole;
}

static void append_operand(struct kernel *k, const struct arg *operand)
{
	if (k->noperand == MAX_OPERAND)
		die("an epilogue with more than %d operands", k->noperand);
	k->operand[k->noperand++] = *operand;
}

static bool has_operand(const struct kernel *k, const struct tensor *t, bool is_table)
{
	for (int i = 0; i < k->noperand; i++)
		if (k->operand[i].tensor == t && k->operand[i].is_table == is_table)
			return true;
	return false;
}

static void add_table(struct scheduler *s, struct kernel *k, struct tensor *t)
{
	struct arg table = { .is_table = true, .tensor = t, .region = { .type = t->type, .shape = k->out->shape } };

	table.region.buffer = constant_region(s->plan, t, k->prov).buffer;
	if (!has_operand(k, t, true))
		append_operand(k, &table);
}

static void add_operand(struct scheduler *s, struct kernel *k, struct tensor *t)
{
	double value;

	if (has_operand(k, t, false))
		return;
	for (int i = 0; i < k->ngroup; i++)
		if (k->group[i]->out[0] == t)
			return;
	for (int i = 0; i < k->nstacked; i++)
		if (k->stacked[i]->out[0] == t)
			return;
	if (t == k->whole || (is_const(t) && const_uniform(t, &value)))
		return;
	const struct region *turned = &s->turned[t->id];
	struct region r = turned->buffer != NULL ? *turned : source(s, t, k->prov);

	append_operand(k, &(struct arg){ .tensor = t, .region = region_broadcast(&r, &k->out->shape) });
}

/* An argument of an anchor must be stored whole: zero padding that is a window is made real. */
static struct region argument(struct scheduler *s, struct tensor *t, const struct prov *prov)
{
	struct region src = source(s, t, prov), dense;

	if (!src.windowed)
		return src;
	dense = new_region(s->plan, t->type, &t->shape, t->order, t);
	copy(s, t, &src, &dense, prov);
	return dense;
}

/* The order in which k would rather read its first argument. False: there is none, or it lies so. */
static bool better_order(const struct kernel *k, const struct region *r, uint8_t *order)
{
	const int last = r->shape.rank - 1;

	for (int d = 0; d <= last; d++)
		order[d] = (uint8_t)d;
	if (is_op(k->anchor, "Linear") || is_op(k->anchor, "Normalize"))
		return r->stride[last] != 1 && r->shape.dim[last] != 1;
	if (!is_op(k->anchor, "Conv") || last < 2 || r->stride[1] == 1)
		return false;
	for (int d = 1; d < last; d++)
		order[d] = (uint8_t)(d + 1);
	order[last] = 1;
	return true;
}

/* An image in planes, as a graph's input lies, is turned where a kernel that wants channels side by
 * side is worth the copy; and so are rows of which no two elements are neighbours. */
static void turn_input(struct scheduler *s, struct kernel *k)
{
	struct arg *a = &k->arg[0];
	struct region as_is = a->region, *turned;
	uint8_t order[MAX_RANK] = { 0 };
	double cost;

	if (k->narg == 0 || !better_order(k, &as_is, order))
		return;
	turned = &s->turned[a->tensor->id];
	cost = kernel_cost(s->plan, k);
	a->region = region_dense(as_is.type, &as_is.shape, order);
	if (turned->buffer != NULL &&
		memcmp(turned->stride, a->region.stride, sizeof(a->region.stride)) != 0)
		turned = NULL; /* turned already, but otherwise */
	cost -= kernel_cost(s->plan, k);
	a->region = as_is;
	if (turned == NULL)
		return;
	if (turned->buffer == NULL) {
		if (!(cost > s->plan->cost[COST_COPY] * (double)shape_count(&as_is.shape)))
			return;
		*turned = new_region(s->plan, as_is.type, &as_is.shape, order, a->tensor);
		copy(s, a->tensor, &as_is, turned, k->prov);
	}
	if (cost > 0.0)
		a->region = *turned;
}

/* Weights that are computed at run time are packed by a copy. */
static void pack_weights(struct scheduler *s, struct kernel *k)
{
	struct region cut, packed;
	uint8_t order[MAX_RANK] = { 0 };
	struct arg *w = &k->arg[1];

	if (k->anchor == NULL || !is_op(k->anchor, "Conv") || !is_runtime(k->anchor->in[1]))
		return;
	cut_weights(k, &w->region, &cut, order);
	packed = region_dense(cut.type, &cut.shape, order);
	packed.offset = cut.offset;
	w->region = cut;
	if (region_same(&cut, &packed)) /* those of a depthwise one are */
		return;
	w->region = new_region(s->plan, cut.type, &cut.shape, order, w->tensor);
	copy(s, w->tensor, &cut, &w->region, k->prov);
}

/* Everything k reads is stored: fixes its arguments and operands, and where it writes. */
static void settle_kernel(struct scheduler *s, struct kernel *k)
{
	struct plan *p = s->plan;

	for (int i = 0; k->anchor != NULL && i < k->anchor->nin; i++) {
		struct tensor *t = k->anchor->in[i];

		if (!is_runtime(t) && !(i == 0 && is_op(k->anchor, "Conv")))
			continue;
		if (k->narg == MAX_ARG)
			die("%s has too many arguments", k->anchor->op->name);
		k->arg[k->narg++] = (struct arg){
			.name = "x", .tensor = t, .region = argument(s, t, k->prov)
		};
	}
	turn_input(s, k);
	/* what no row can read as it lies, one can read row by row */
	for (int i = 0; k->anchor != NULL && kernel_cost(p, k) == INFINITY && i < k->narg; i++) {
		struct arg *a = &k->arg[i];
		struct region dense = new_region(
			p, a->tensor->type, &a->tensor->shape, NULL, a->tensor);

		copy(s, a->tensor, &a->region, &dense, k->prov);
		a->region = dense;
	}
	pack_weights(s, k);
	for (int i = 0; i < k->ngroup; i++)
		for (int j = 0; j < k->group[i]->nin; j++)
			if (j == 1 && is_a(k->group[i], IS_TABLE))
				add_table(s, k, k->group[i]->in[j]);
			else
				add_operand(s, k, k->group[i]->in[j]);
	k->dst = s->place[k->out->id];
	if (k->dst.buffer == NULL)
		k->dst = new_region(p, k->out->type, &k->out->shape, k->out->order, k->out);
	p->region[k->out->id] = k->dst;
}

static void take_slice(
	struct region *r, const int64_t *starts, const int64_t *steps, const struct shape *shape)
{
	if (!region_slice(r, starts, steps, shape, r))
		die("a phase runs backwards");
}

/* A transposed convolution is a kernel for each of its phases, with the epilogue of the whole. */
static void finish_phases(struct scheduler *s, const struct kernel *whole)
{
	static const int64_t ones[MAX_RANK] = { 1, 1, 1, 1, 1, 1, 1, 1 };
	struct plan *p = s->plan;
	struct region *place = &s->place[whole->out->id];

	if (place->buffer == NULL)
		*place = new_region(
			p, whole->out->type, &whole->out->shape, whole->out->order, whole->out);
	for (int i = 0; i < whole->nphase; i++) {
		const struct phase *f = &whole->phase[i];
		struct kernel *k = arena_alloc(p->arena, sizeof(*k));

		*k = *whole;
		k->anchor = f->conv;
		k->value = f->conv != NULL ? f->conv->out[0] : NULL;
		settle_kernel(s, k);
		if (f->conv != NULL) {
			take_slice(&k->arg[0].region, f->from, ones, &f->read);
		} else {
			struct region r = source(s, f->constant, k->prov);

			r = region_broadcast(&r, &whole->out->shape);
			k->operand[k->noperand++] = (struct arg){ .tensor = k->whole, .region = r };
		}
		for (int j = 0; j < k->noperand; j++)
			take_slice(&k->operand[j].region, f->start, f->step, &f->shape);
		take_slice(&k->dst, f->start, f->step, &f->shape);
		plan_append(p, k);
	}
}

static void load_inputs(struct scheduler *s)
{
	for (int k = 0; k < s->graph->ninput; k++) {
		struct tensor *t = s->graph->input[k];
		struct region r = region_dense(t->io_type, &t->shape, NULL);

		r.buffer = plan_buffer(
			s->plan, BUF_INPUT, shape_count(&t->shape) * dtypes[t->io_type].size);
		r.buffer->index = k;
		r.buffer->tensor = t;
		if (t->io_type != t->type && t->nuser > 0) {
			struct region own = new_region(s->plan, t->type, &t->shape, NULL, t);

			copy(s, t, &r, &own, NULL);
			r = own;
		}
		s->plan->region[t->id] = r;
	}
}

/* Outputs that are inputs, constants, a second name of another, or of another element type. */
static void store_outputs(struct scheduler *s)
{
	for (int k = 0; k < s->plan->nbuffer; k++) {
		struct buffer *b = s->plan->buffer[k];

		if (b->kind != BUF_OUTPUT)
			continue;
		struct tensor *t = s->graph->output[b->index];
		struct region src = source(s, t, NULL),
			      dst = region_dense(t->io_type, &t->shape, NULL);

		dst.buffer = b;
		if (src.buffer != b)
			copy(s, t, &src, &dst, t->def != NULL ? t->def->prov : NULL);
	}
}

struct plan *schedule(struct graph *g, const struct plan_options *options)
{
	struct plan *p = arena_alloc(g->arena, sizeof(*p));
	struct scheduler s = { .plan = p, .graph = g };

	p->arena = g->arena;
	p->graph = g;
	p->options = options;
	p->target = options->target;
	for (int k = 0; k < COST_COUNT; k++)
		p->cost[k] = options->cost[k] > 0.0 ? options->cost[k] : p->target->cost[k];
	fuse(p);
	for (int k = 0; k < p->nkernel; k++)
		if (is_spread(p->kernel[k]->anchor))
			p->kernel[k]->phase = phases(
				g, p->kernel[k]->anchor, &p->kernel[k]->nphase);
	p->region = arena_alloc(p->arena, (size_t)(g->ntensor + 1) * sizeof(struct region));
	s.place = arena_alloc(p->arena, (size_t)(g->ntensor + 1) * sizeof(struct region));
	s.turned = arena_alloc(p->arena, (size_t)(g->ntensor + 1) * sizeof(struct region));
	s.pending = p->kernel;
	s.npending = p->nkernel;
	p->kernel = NULL;
	p->nkernel = p->kernel_cap = 0;
	place_all(&s);
	load_inputs(&s);
	for (struct node *n = g->first; n != NULL; n = n->next) {
		if (!is_runtime(n->out[0]))
			continue;
		if (n->mark != 0) {
			struct kernel *k = s.pending[n->mark - 1];

			if (k->out->def != n)
				continue; /* its kernel runs where its last member stands */
			if (k->nphase > 0) {
				finish_phases(&s, k);
				continue;
			}
			settle_kernel(&s, k);
			plan_append(p, k);
		} else if (is_op(n, "Concat")) {
			schedule_concat(&s, n);
		} else {
			schedule_view(&s, n);
		}
	}
	store_outputs(&s);
	kernel_choose(p);
	kernel_prepare(p);
	return p;
}
