/*
 * Which nodes make one kernel: an anchor takes the elementwise nodes behind it into its epilogue,
 * by class and not by name; elementwise nodes that no anchor took make kernels of their own.
 *
 * A group has one result. It grows from its present result t over t's users, to the next tensor
 * through which everything passes again: x * sigmoid(x) is taken whole or not at all. What a member
 * reads from outside must not depend on the group; as all members lie before the result, groups
 * never form a cycle.
 */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#define MAX_GROUP 40
#define MAX_WALK  4096 /* nodes looked at to see that an operand does not depend on the group */

struct fuser {
	struct plan *plan;
	int *seq;   /* place in the graph's order, by node id */
	int *owner; /* id of the kernel + 1, by node id; 0: none */
	int *seen;  /* by node id: stamp of the walk that saw it */
	int stamp;
	struct node **walk;
};

/* A group while it grows. */
struct group {
	struct kernel *kernel;
	struct shape shape;
	struct node *member[MAX_GROUP + 1]; /* the anchor, if any, first */
	int n;
	int first;  /* least place in the graph's order */
	struct tensor *result;
};

static bool in_group(const struct group *gr, const struct node *n)
{
	for (int k = 0; k < gr->n; k++)
		if (gr->member[k] == n)
			return true;
	return false;
}

/* Whether t is computed from a member. Members stand at gr->first or later, so the walk back ends
 * there. */
static bool depends(struct fuser *f, const struct group *gr, const struct tensor *t)
{
	int depth = 0, walked = 0;

	if (t->def == NULL)
		return false;
	f->stamp++;
	f->walk[depth++] = t->def;
	while (depth > 0) {
		struct node *n = f->walk[--depth];

		if (in_group(gr, n) || ++walked > MAX_WALK)
			return true;
		for (int k = 0; k < n->nin; k++) {
			struct node *def = n->in[k] != NULL ? n->in[k]->def : NULL;

			if (def == NULL || f->seq[def->id] < gr->first ||
				f->seen[def->id] == f->stamp)
				continue;
			f->seen[def->id] = f->stamp;
			f->walk[depth++] = def;
		}
	}
	return false;
}

/* What the node reads of others than members: no literal, but a table even if it is one. */
static int operands_of(const struct group *gr, const struct node *n)
{
	int count = 0;
	double v;

	for (int k = 0; k < n->nin; k++) {
		const struct tensor *t = n->in[k];

		if (is_const(t) && const_uniform(t, &v) && !(k == 1 && is_a(n, IS_TABLE)))
			continue;
		count += t->def == NULL || !in_group(gr, t->def);
	}
	return count;
}

/* No less than the operands of a kernel of all members. */
static int inputs_of(const struct group *gr)
{
	int count = 0;

	for (int k = 0; k < gr->n; k++)
		count += is_pointwise(gr->member[k]) ? operands_of(gr, gr->member[k]) : 0;
	return count;
}

/* Can the elementwise node join? Its inputs are constants, members' results, or independent of the
 * group. */
static bool can_join(struct fuser *f, const struct group *gr, const struct node *n)
{
	if (!is_pointwise(n) || f->owner[n->id] != 0 || !is_runtime(n->out[0]))
		return false;
	if (gr->n >= MAX_GROUP || inputs_of(gr) + operands_of(gr, n) > MAX_OPERAND ||
		!shape_equal(&n->out[0]->shape, &gr->shape))
		return false;
	for (int k = 0; k < n->nin; k++) {
		const struct tensor *t = n->in[k];

		if (!is_runtime(t) || (t->def != NULL && in_group(gr, t->def)))
			continue;
		if (depends(f, gr, t))
			return false;
	}
	return true;
}

/* By more than the epilogue; what the anchor reads has to be stored, too. */
static bool used_outside(const struct group *gr, const struct tensor *t)
{
	if (t->is_output || t->is_stored)
		return true;
	for (const struct use *u = t->user; u != NULL; u = u->next)
		if (!is_pointwise(u->node) || !in_group(gr, u->node))
			return true;
	return false;
}

/* The member result that is used outside and comes first; *count: how many there are. */
static struct tensor *first_open(struct fuser *f, const struct group *gr, int *count)
{
	struct tensor *first = NULL;

	*count = 0;
	for (int k = 0; k < gr->n; k++) {
		struct tensor *t = gr->member[k]->out[0];

		if (!used_outside(gr, t))
			continue;
		++*count;
		if (first == NULL || f->seq[t->def->id] < f->seq[first->def->id])
			first = t;
	}
	return first;
}

/* All users of t join, in graph order, so that a user's other operand has joined before it. */
static bool take_users(struct fuser *f, struct group *gr, const struct tensor *t)
{
	if (t->is_output || t->is_stored || t->nuser == 0)
		return false;
	for (int last = -1;;) {
		struct node *next = NULL;

		for (const struct use *u = t->user; u != NULL; u = u->next)
			if (f->seq[u->node->id] > last &&
				(next == NULL || f->seq[u->node->id] < f->seq[next->id]))
				next = u->node;
		if (next == NULL)
			return true;
		last = f->seq[next->id];
		if (in_group(gr, next))
			continue;
		if (!can_join(f, gr, next))
			return false;
		gr->member[gr->n++] = next;
	}
}

/* One step: the users of the result, and of what they open, until a single open tensor is left. */
static bool extend(struct fuser *f, struct group *gr)
{
	struct tensor *open = gr->result;
	const int before = gr->n;
	int count;

	do {
		if (!take_users(f, gr, open)) {
			gr->n = before;
			return false;
		}
		open = first_open(f, gr, &count);
	} while (count > 1);
	/* most anchors' templates store the type that the anchor gives */
	if (gr->kernel->anchor != NULL && !is_a(gr->kernel->anchor, IS_EXACT) &&
		open->type != gr->kernel->value->type) {
		gr->n = before;
		return false;
	}
	gr->result = open;
	return true;
}

/* A sum's result in fewer bytes: who computes the sum stores that. */
static bool narrows(const struct node *n)
{
	const struct tensor *x = n->in[0];

	return dtypes[n->out[0]->type].size < dtypes[x->type].size && x->def != NULL &&
	       is_a(x->def, IS_EXACT);
}

/* Leaves out again what would have to read more bytes than it gives: who computes those stores what it gives. */
static void put_back(struct group *gr, int from)
{
	for (int k = gr->n - 1; k >= from; k--) {
		struct node *n = gr->member[k];
		const struct tensor *x = n->in[0];

		if (n->op->result != RESULT_CAST || dtypes[n->out[0]->type].size >= dtypes[x->type].size || x->def == NULL ||
			in_group(gr, x->def))
			continue;
		gr->member[k] = gr->member[--gr->n];
	}
}

/* Takes in elementwise nodes whose results only the epilogue reads. */
static void pull(struct fuser *f, struct group *gr)
{
	const int before = gr->n;

	for (int k = 0; k < gr->n; k++)
		for (int i = 0; is_pointwise(gr->member[k]) && i < gr->member[k]->nin; i++) {
			struct tensor *t = gr->member[k]->in[i];

			if (t->def == NULL || in_group(gr, t->def) || narrows(t->def) ||
				!can_join(f, gr, t->def))
				continue;
			gr->member[gr->n++] = t->def;
			if (used_outside(gr, t))
				gr->n--;
		}
	put_back(gr, before);
}

static void sort_members(const struct fuser *f, struct node **v, int n)
{
	for (int i = 1; i < n; i++)
		for (int k = i; k > 0 && f->seq[v[k]->id] < f->seq[v[k - 1]->id]; k--) {
			struct node *swap = v[k];

			v[k] = v[k - 1];
			v[k - 1] = swap;
		}
}

/* A kernel from start, which is an anchor or a free elementwise node, and all that it can take. */
static void grow(struct fuser *f, struct node *start)
{
	struct kernel *k = plan_kernel(f->plan);
	struct group gr = { .kernel = k, .member = { start }, .n = 1, .result = start->out[0] };
	bool anchor = !is_pointwise(start);

	gr.shape = start->out[0]->shape;
	gr.first = f->seq[start->id];
	k->anchor = anchor ? start : NULL;
	k->value = k->whole = anchor ? start->out[0] : NULL;
	while (extend(f, &gr))
		;
	pull(f, &gr);
	sort_members(f, gr.member, gr.n);
	k->out = gr.result;
	k->group = arena_alloc(f->plan->arena, (size_t)gr.n * sizeof(struct node *));
	for (int i = 0; i < gr.n; i++) {
		f->owner[gr.member[i]->id] = k->id + 1;
		gr.member[i]->mark = k->id + 1;
		k->prov = prov_union(f->plan->arena, k->prov, gr.member[i]->prov);
		if (gr.member[i] != start || !anchor)
			k->group[k->ngroup++] = gr.member[i];
	}
}

/* ---- anchors side by side ---- */

/* Do the templates compute y beside x: the same operator, input and shapes, only other weights? */
static bool can_stack(const struct node *x, const struct node *y)
{
	if (!is_a(x, IS_WEIGHTED) || x->op != y->op || x->in[0] != y->in[0] ||
		is_runtime(x->in[1]) || is_runtime(y->in[1]) || x->in[1]->type != y->in[1]->type ||
		!shape_equal(&x->in[1]->shape, &y->in[1]->shape))
		return false;
	/* depthwise kernels have one anchor, phases of a transposed convolution are several kernels
	 */
	if (is_op(x, "Conv") && (x->in[1]->shape.dim[1] == 1 || node_attr(x, "spread") != NULL))
		return false;
	return attrs_equal(x, y);
}

/* The members and anchors of both, as one group; false: there are too many, or they read too much. */
static bool may_be_one(const struct kernel *k, const struct kernel *other)
{
	const struct kernel *const of[] = { k, other };
	struct group all = { .n = 0 };

	if (k->ngroup + other->ngroup > MAX_GROUP - MAX_STACKED)
		return false;
	for (int i = 0; i < 2; i++) {
		all.member[all.n++] = of[i]->anchor;
		for (int j = 0; j < of[i]->nstacked; j++)
			all.member[all.n++] = of[i]->stacked[j];
		for (int j = 0; j < of[i]->ngroup; j++)
			all.member[all.n++] = of[i]->group[j];
	}
	return inputs_of(&all) <= MAX_OPERAND;
}

/* The member that leaves rows out, if there is one: then T must not be computed beside H. */
static const struct node *keeping_member(const struct kernel *k)
{
	for (int i = 0; i < k->ngroup; i++)
		if (is_op(k->group[i], "Below") || is_op(k->group[i], "Above"))
			return k->group[i];
	return NULL;
}

/* The kernel of another anchor that gives t to k's group and to nobody else, and can be computed
 * beside k's. */
static struct kernel *stackable(struct fuser *f, const struct kernel *k, const struct tensor *t)
{
	int id = t->def != NULL ? f->owner[t->def->id] : 0;
	struct kernel *other = id > 0 ? f->plan->kernel[id - 1] : NULL;

	if (other == NULL || other == k || other->anchor == NULL || other->out != t ||
		other->nstacked > 0 || t->is_output || t->is_stored || keeping_member(other) != NULL)
		return NULL;
	for (const struct use *u = t->user; u != NULL; u = u->next)
		if (f->owner[u->node->id] != k->id + 1)
			return NULL;
	return can_stack(k->anchor, other->anchor) && may_be_one(k, other) ? other : NULL;
}

/* The other kernel's anchor and epilogue become k's; the other is empty after it. */
static void stack(struct fuser *f, struct kernel *k, struct kernel *other)
{
	struct node **group = arena_alloc(
		f->plan->arena, (size_t)(k->ngroup + other->ngroup + 1) * sizeof(struct node *));
	int n = 0;

	for (int i = 0; i < k->ngroup; i++)
		group[n++] = k->group[i];
	for (int i = 0; i < other->ngroup; i++)
		group[n++] = other->group[i];
	sort_members(f, group, n);
	k->group = group;
	k->ngroup = n;
	k->stacked[k->nstacked++] = other->anchor;
	k->prov = prov_union(f->plan->arena, k->prov, other->prov);
	for (int i = 0; i < n; i++) {
		f->owner[group[i]->id] = k->id + 1;
		group[i]->mark = k->id + 1;
	}
	f->owner[other->anchor->id] = k->id + 1;
	other->anchor->mark = k->id + 1;
	other->anchor = NULL;
	other->ngroup = 0;
}

/*
 * Two anchors that read the same input and meet in one epilogue, as a highway's H and T do, become
 * one kernel: one pass over the input, one over the stacked weights.
 */
static void stack_anchors(struct fuser *f, struct kernel *k)
{
	for (int i = 0; i < k->ngroup; i++)
		for (int j = 0; j < k->group[i]->nin; j++) { /* NOLINT: members are not null */
			struct tensor *t = k->group[i]->in[j];
			struct kernel *other = t != NULL && k->nstacked < MAX_STACKED - 1
						       ? stackable(f, k, t)
						       : NULL;

			if (other == NULL)
				continue;
			stack(f, k, other);
			i = -1; /* the group has changed: look at it anew */
			break;
		}
}

/* ---- rows that may be left out ---- */

/* The anchor's value reaches the result only where Below or Above selects it. */
static void find_keep(struct kernel *k)
{
	const struct node *keep = keeping_member(k);
	bool reads[MAX_GROUP + 1] = { false }; /* it depends on the anchor's value */

	for (int i = 0; keep != NULL && i < k->ngroup; i++) {
		const struct node *n = k->group[i];

		for (int j = 0; j < n->nin; j++) {
			bool from = n->in[j] == k->whole;

			for (int e = 0; e < i; e++)
				from = from || (reads[e] && n->in[j] == k->group[e]->out[0]);
			reads[i] = reads[i] || (from && (n != keep || j < 2));
		}
		if (n->out[0] == keep->in[0] || (n->out[0] == k->out && reads[i]))
			keep = NULL;
	}
	k->keep = keep;
}

/* A copy of t, which is a part of another tensor; all that read t read the copy. */
static struct tensor *copied(struct graph *g, struct tensor *t)
{
	struct node *n = graph_node(g, t->def->next, op_find("Cast"), 1, &t, 1, t->def->prov);
	struct tensor *y = n->out[0];

	set_int(g, n, "to", t->type);
	if (!infer(g, n))
		die("fuse: Cast has no shape");
	memcpy(y->order, t->order, sizeof(y->order));
	y->name = t->name;
	for (struct use *u = t->user, *next; u != NULL; u = next) {
		next = u->next;
		if (u->node != n)
			node_set_input(u->node, (int)(u - u->node->use), y);
	}
	return y;
}

/* Gates stand by themselves, under names by which a trace has them. */
static void store_gates(struct plan *p)
{
	for (struct block *b = p->graph->block; b < p->graph->block + p->graph->nblock; b++) {
		struct tensor *t = b->opens != NULL ? tensor_now(b->opens) : NULL;

		if (t == NULL || t->def == NULL || !is_runtime(t))
			continue;
		if (t->def->op->class == OP_VIEW && t->type == DT_F32 && !t->is_output && !t->is_stored)
			b->opens = t = copied(p->graph, t);
		t->is_stored = true;
		if (!tensor_named(p->arena, t))
			t->name = arena_printf(p->arena, "%s_gate", b->out->name);
	}
}

void fuse(struct plan *p)
{
	size_t n = (size_t)p->graph->nnode + 1;
	struct arena scratch = { 0 };
	struct fuser f = { .plan = p };
	int place = 0;

	f.seq = arena_alloc(&scratch, n * sizeof(int));
	f.owner = arena_alloc(&scratch, n * sizeof(int));
	f.seen = arena_alloc(&scratch, n * sizeof(int));
	f.walk = arena_alloc(&scratch, (n + MAX_WALK) * sizeof(struct node *));
	if (p->options->trace_gates)
		store_gates(p);
	for (struct node *x = p->graph->first; x != NULL; x = x->next) {
		f.seq[x->id] = ++place;
		x->mark = 0;
	}
	for (struct node *x = p->graph->first; x != NULL; x = x->next)
		if (is_runtime(x->out[0]) && !is_pointwise(x) &&
			(x->op->class == OP_ANCHOR || (x->op->class == OP_VIEW && !view_is_free(x))))
			grow(&f, x);
	for (struct node *x = p->graph->first; x != NULL; x = x->next)
		if (is_runtime(x->out[0]) && is_pointwise(x) && f.owner[x->id] == 0)
			grow(&f, x);
	for (int k = 0; k < p->nkernel; k++)
		if (p->kernel[k]->anchor != NULL && keeping_member(p->kernel[k]) == NULL)
			stack_anchors(&f, p->kernel[k]);
	for (int k = 0; k < p->nkernel; k++)
		if (p->kernel[k]->anchor != NULL)
			find_keep(p->kernel[k]);
	arena_release(&scratch);
}
