/*
 * Residual sums: x + F(x), by data flow. The terms of a sum are found by going down through
 * additions and constant factors. The term with most layers before it is the branch; another is a
 * shortcut if both come from one value, from which it took at most one layer.
 */
#include "skip/skip.h"

#include <math.h>
#include <string.h>

/* A term: factor * value, perhaps times a vector, perhaps let through by a gate. */
struct term {
	struct tensor *whole; /* as it is added */
	struct tensor *value; /* without the gate */
	struct tensor *gate;  /* or null */
	const struct prov *lets; /* of what multiplies by the gate */
	double factor;
	bool vector;
	bool modulated; /* `gate` is none: it is not between 0 and 1 */
};

struct sum {
	struct cone *cone;
	struct node *root;
	struct term term[MAX_TERM];
	int n;
	bool shifted; /* a constant that is not a single number is added */
	bool scaled;  /* all of it times a constant */
	bool too_many, vanished;
	const struct prov *prov; /* of what adds */
	struct tensor *small;    /* a term that is broadcast, or null */
};

/* ---- before rewrite() ---- */

static bool after_layer(const struct tensor *t)
{
	for (int depth = 0; depth < 4 && t != NULL && t->def != NULL; depth++) {
		const struct node *n = t->def;

		if (is_a(n, IS_LAYER))
			return true;
		if (is_op(n, "Add") && is_const(n->in[0]))
			t = n->in[1];
		else if (is_op(n, "Add") || is_op(n, "BatchNorm") || is_op(n, "Reshape") ||
			 is_op(n, "Transpose"))
			t = n->in[0];
		else
			return false;
	}
	return false;
}

/* Batch normalisation that is written out: a vector, then another one added. */
static bool is_normalisation(const struct tensor *y, const struct tensor *scale)
{
	const struct node *user = y->nuser == 1 ? y->user->node : NULL;

	if (user == NULL || shape_count(&scale->shape) == 1 || !is_op(user, "Add"))
		return false;
	for (int k = 0; k < 2; k++)
		if (user->in[k] != y && is_const(user->in[k]) &&
			shape_count(&user->in[k]->shape) == shape_count(&scale->shape))
			return true;
	return false;
}

void skip_scan(struct graph *g)
{
	g->scales = arena_alloc(g->arena, (size_t)g->nonnx + 1);
	for (const struct node *n = g->first; n != NULL; n = n->next) {
		if (!is_a(n, IS_SCALE))
			continue;
		const int k = is_const(n->in[1])                      ? 1
			      : is_const(n->in[0]) && is_op(n, "Mul") ? 0
								      : -1;

		if (k < 0 || is_const(n->in[1 - k]) || n->prov == NULL || n->prov->n != 1 ||
			!after_layer(n->in[1 - k]) || is_normalisation(n->out[0], n->in[k]))
			continue;
		g->scales[prov_at(n->prov, 0)] = true;
	}
}

/* Was a scale put into the weights of the layer that gave t? */
static bool scaled_inside(const struct graph *g, const struct tensor *t)
{
	while (t->def != NULL && t->def->op->class == OP_VIEW && t->def->nin == 1)
		t = t->def->in[0];
	if (g->scales == NULL || t->def == NULL || !is_a(t->def, IS_LAYER))
		return false;
	for (int k = 0; k < t->def->prov->n; k++)
		if (g->scales[prov_at(t->def->prov, k)])
			return true;
	return false;
}

/* ---- the terms ---- */

static bool is_product(const struct tensor *t)
{
	return is_op(t->def, "Mul") && is_float(t->def->in[0]) && is_float(t->def->in[1]);
}

/* Which input of t's node a gate lets through: Mul(x, gate), Where(test, x, 0), Where(test, 0, x). Else -1. */
static int passed_on(const struct seeker *s, const struct tensor *t, int *gate)
{
	double v;

	if (is_product(t)) {
		*gate = is_gate(s, t->def->in[1]) ? 1 : 0;
		return is_gate(s, t->def->in[*gate]) ? 1 - *gate : -1;
	}
	*gate = 0;
	if (is_op(t->def, "Where") && is_runtime(t->def->in[0]))
		for (int k = 1; k < 3; k++)
			if (is_float(t->def->in[k]) && is_const(t->def->in[3 - k]) &&
				const_uniform(t->def->in[3 - k], &v) && v >= 0 && v <= 0)
				return k;
	return -1;
}

/* Of a term that a gate lets through: the gate, and the value without it. */
static void find_gate(const struct seeker *s, struct term *t)
{
	int k, by;

	while ((k = passed_on(s, t->value, &by)) >= 0 &&
		shape_equal(&t->value->def->in[k]->shape, &t->value->shape)) {
		const struct node *n = t->value->def;

		t->gate = n->in[by];
		t->lets = prov_union(s->g->arena, t->lets, n->prov);
		t->value = n->in[k];
	}
}

static void add_term(struct sum *m, struct tensor *t, double factor, bool vector)
{
	struct seeker *s = m->cone->seeker;

	for (int k = 0; k < m->n; k++)
		if (canon_of(s, m->term[k].whole) == canon_of(s, t) &&
			m->term[k].vector == vector && !vector) {
			m->term[k].factor += factor;
			return;
		}
	if (m->n == MAX_TERM) {
		m->too_many = true;
		return;
	}
	m->term[m->n] = (struct term){ .whole = t, .value = t, .factor = factor, .vector = vector };
	find_gate(s, &m->term[m->n++]);
}

struct operand {
	struct tensor *t;
	double factor;
	bool vector;
};

/* Goes into t if it adds or scales by a constant: pushes its operands. */
static bool go_into(struct sum *m, const struct operand *o, struct operand *stack, int *depth)
{
	struct cone *c = m->cone;
	const int k = cone_find(c, o->t);
	const struct node *n = o->t->def;
	double v = 1;

	if (k < 0 || c->covered[k] || c->joined[k] || c->summed[k] || *depth + 2 > 2 * MAX_TERM)
		return false;
	if (is_a(n, IS_SUM)) {
		stack[(*depth)++] = (struct operand){ n->in[0], o->factor, o->vector };
		stack[(*depth)++] = (struct operand){ n->in[1],
			is_op(n, "Sub") ? -o->factor : o->factor, o->vector };
	} else if (is_op(n, "Neg")) {
		stack[(*depth)++] = (struct operand){ n->in[0], -o->factor, o->vector };
	} else if (is_a(n, IS_SCALE)) {
		const int at = is_const(n->in[1])                      ? 1
			       : is_const(n->in[0]) && is_op(n, "Mul") ? 0
								       : -1;

		if (at < 0 || !shape_equal(&n->in[1 - at]->shape, &n->out[0]->shape))
			return false;
		const bool uniform = const_uniform(n->in[at], &v);

		v = !uniform ? 1 : is_op(n, "Div") ? 1 / v : v;
		stack[(*depth)++] = (struct operand){ n->in[1 - at], o->factor * v,
			o->vector || !uniform };
	} else {
		return false;
	}
	c->summed[k] = true;
	m->prov = prov_union(c->seeker->g->arena, m->prov, n->prov);
	return true;
}

static void flatten(struct sum *m)
{
	struct operand stack[2 * MAX_TERM + 2];
	int depth = 0;

	stack[depth++] = (struct operand){ m->root->out[0], 1, false };
	while (depth > 0) {
		const struct operand o = stack[--depth];
		double v;

		if (!is_float(o.t)) {
			m->shifted = m->shifted || !is_const(o.t) || !const_uniform(o.t, &v);
			continue;
		}
		if (!go_into(m, &o, stack, &depth))
			add_term(m, o.t, o.factor, o.vector);
	}
}

/* Drops terms that vanish, or that are smaller than the sum. */
static void drop_small(struct sum *m)
{
	int n = 0;

	for (int k = 0; k < m->n; k++) {
		if (fabs(m->term[k].factor) < 1e-9) {
			m->vanished = true;
			continue;
		}
		if (shape_equal(&m->term[k].whole->shape, &m->root->out[0]->shape))
			m->term[n++] = m->term[k];
		else
			m->small = m->term[k].whole;
	}
	m->n = n;
}

/* ---- the branch, and what a shortcut is ---- */

static int64_t weights_of(const struct tensor *t)
{
	return t->def != NULL && is_a(t->def, IS_LAYER) && t->def->nin > 1
		       ? shape_count(&t->def->in[1]->shape)
		       : 0;
}

/* Does x have more behind it than y? Layers, then pools, then weights; of equals the later. */
static bool deeper(const struct seeker *s, const struct tensor *x, const struct tensor *y)
{
	const int64_t d[3] = { s->layers[x->id] - s->layers[y->id],
		s->pools[x->id] - s->pools[y->id], weights_of(x) - weights_of(y) };

	for (int k = 0; k < 3; k++)
		if (d[k] != 0)
			return d[k] > 0;
	return x->def != NULL && y->def != NULL ? s->seq[x->def->id] > s->seq[y->def->id]
						: y->def == NULL;
}

/* A 1x1 convolution that only chooses and pads: in each output channel at most a single 1. */
static bool only_selects(const struct node *n)
{
	const struct tensor *w = is_op(n, "Conv") ? n->in[1] : NULL;
	int64_t inputs, count;

	if (w == NULL || !is_const(w) || shape_count(&w->shape) > LAZY_COUNT * 16 ||
		attr_int(n, "group", 1) != 1 || node_attr(n, "spread") != NULL)
		return false;
	inputs = w->shape.dim[1];
	count = shape_count(&w->shape);
	if (count != w->shape.dim[0] * inputs || inputs < 2)
		return false;
	bool chosen = false;

	for (int64_t m = 0; m < w->shape.dim[0]; m++) {
		int ones = 0;

		for (int64_t k = 0; k < inputs; k++) {
			const double v = const_f64(w, m * inputs + k);

			if ((v < 0 || v > 0) && (v < 1 || v > 1))
				return false;
			ones += v > 0;
		}
		chosen = chosen || ones == 1;
		if (ones > 1)
			return false;
	}
	if (n->nin > 2 && n->in[2] != NULL)
		for (int64_t m = 0; is_const(n->in[2]) && m < shape_count(&n->in[2]->shape); m++)
			if (const_f64(n->in[2], m) < 0 || const_f64(n->in[2], m) > 0)
				return false;
	return chosen;
}

/* What lies on the shortcut's way. */
struct way {
	int layers, others; /* with weights; anchors without */
	bool product;       /* of two computed values */
	bool resized;       /* sub-sampled, pooled, padded */
	bool scaled, active;
};

static bool strides(const struct node *n)
{
	int count;
	const int64_t *steps = is_op(n, "Slice") ? attr_ints(n, "steps", &count) : NULL;

	for (int k = 0; steps != NULL && k < count; k++)
		if (steps[k] != 1)
			return true;
	return is_op(n, "Pad");
}

/* A vector times it, and none added to that: not batch normalisation. */
static bool scales(const struct node *n)
{
	const struct tensor *y = n->out[0];
	const bool by_constant = is_op(n, "Mul") && (is_const(n->in[0]) || is_const(n->in[1]));

	return by_constant && !(y->nuser == 1 && is_op(y->user->node, "Add") &&
				      (is_const(y->user->node->in[0]) || is_const(y->user->node->in[1])));
}

static struct way way_of(const struct seeker *s)
{
	struct way w = { 0 };

	for (int k = 0; k < s->nvisited; k++) {
		const struct node *n = s->g->tensors[s->visited[k]]->def;

		if (n == NULL || s->color[s->visited[k]] != 1)
			continue;
		if (only_selects(n) || is_a(n, IS_POOL) || strides(n))
			w.resized = true;
		else if (is_op(n, "MatMul") && is_runtime(n->in[1]))
			w.product = true;
		else if (is_a(n, IS_LAYER))
			w.layers++;
		else if (n->op->class == OP_ANCHOR)
			w.others++;
		else if (is_activation(n))
			w.active = true;
		else if (scales(n))
			w.scaled = true;
	}
	return w;
}

/* ---- parts of the fork: do shortcut and branch read the same elements? ---- */

static bool disjoint(const struct node *x, const struct node *y)
{
	int count;
	const int64_t *a = attr_ints(x, "starts", &count), *b = attr_ints(y, "starts", &count);
	const struct shape *s = &x->out[0]->shape, *t = &y->out[0]->shape;

	for (int k = 0; k < count; k++)
		if (a[k] + s->dim[k] <= b[k] || b[k] + t->dim[k] <= a[k])
			return !strides(x) && !strides(y);
	return false;
}

/* The shortcut is a Slice of the fork, and the branch reads only other parts. */
static bool reads_other_part(const struct seeker *s, const struct tensor *fork)
{
	const struct node *own = NULL;
	bool apart = true;

	for (const struct use *u = fork->user; u != NULL; u = u->next) {
		const struct node *n = u->node;
		const struct tensor *y = n->nout == 1 ? n->out[0] : NULL;

		if (y != NULL && y->id < s->ntensor && s->seen[y->id] == s->stamp &&
			s->color[y->id] == 1) {
			apart = apart && is_op(n, "Slice") && own == NULL;
			own = n;
		}
	}
	for (const struct use *u = fork->user; own != NULL && apart && u != NULL; u = u->next) {
		const struct node *n = u->node;
		const struct tensor *y = n->nout == 1 ? n->out[0] : NULL;

		if (y != NULL && y->id < s->ntensor && s->seen[y->id] == s->stamp &&
			s->color[y->id] == 2)
			apart = is_op(n, "Slice") && disjoint(own, n);
	}
	return own != NULL && apart;
}

/* ---- pre-activation ---- */

/* An activation stands between t and the first layer that reads it. */
static bool activated_first(const struct seeker *s, const struct tensor *t)
{
	for (int depth = 0; depth < 16; depth++) {
		const struct node *next = NULL;

		for (const struct use *u = t->user; u != NULL && next == NULL; u = u->next) {
			const struct node *n = u->node;

			if (n->nout == 1 && n->out[0]->id < s->ntensor &&
				s->seen[n->out[0]->id] == s->stamp && s->color[n->out[0]->id] == 2)
				next = n;
		}
		if (next == NULL || is_a(next, IS_LAYER))
			return false;
		if (is_activation(next))
			return true;
		t = next->out[0];
	}
	return false;
}

static const struct node *only_user(const struct tensor *t)
{
	const struct node *n = t->nuser > 0 ? t->user->node : NULL;

	for (const struct use *u = t->user; u != NULL; u = u->next)
		if (u->node != n)
			return NULL;
	return t->is_output ? NULL : n;
}

/* An activation gave t, or what t is in other dimensions. */
static bool is_activated(const struct tensor *t)
{
	while (t->def != NULL && t->def->op->class == OP_VIEW && t->def->nin == 1)
		t = t->def->in[0];
	return t->def != NULL && is_activation(t->def);
}

/* BN and Relu before the layers, nothing after the sum. With a projection both ways may begin
 * behind the Relu. */
static bool preactivated(const struct seeker *s, const struct sum *m, const struct tensor *fork,
	enum block_kind kind)
{
	const struct node *after = only_user(m->root->out[0]);

	if (after != NULL && is_activation(after))
		return false;
	if (activated_first(s, fork))
		return true;
	for (const struct use *u = m->root->out[0]->user; u != NULL; u = u->next)
		if (is_a(u->node, IS_LAYER))
			return false;
	return (kind == BLOCK_PROJECTION || kind == BLOCK_OPTION_A) && is_activated(fork);
}

/* ---- judging ---- */

static bool is_scaled(const struct sum *m, const struct term *t)
{
	const double size = fabs(t->factor);

	return size < 1 - 1e-6 || size > 1 + 1e-6 || (t->vector && !m->shifted) ||
	       scaled_inside(m->cone->seeker->g, t->value);
}

static enum block_kind kind_of(
	const struct sum *m, const struct way *w, const struct term *x, const struct term *f)
{
	if (w->layers + w->others > 0)
		return BLOCK_PROJECTION;
	if (w->resized)
		return BLOCK_OPTION_A;
	if (x->gate != NULL || f->gate != NULL)
		return BLOCK_GATED;
	return w->scaled || m->scaled || is_scaled(m, x) || is_scaled(m, f) ? BLOCK_SCALED
									    : BLOCK_IDENTITY;
}

static const char *modulation_note(struct seeker *s, const struct tensor *factor)
{
	struct arena *a = s->g->arena;
	const struct range r = range_of(s, factor->id);
	const char *name = escape(a, factor->name);

	return isfinite(r.lo) && isfinite(r.hi)
		       ? arena_printf(a, "the shortcut times \"%s\", which is %.6g to %.6g", name, r.lo, r.hi)
		       : arena_printf(a, "the shortcut times \"%s\", which may be any number", name);
}

static const char *note_of(const struct sum *m, const struct way *w, const struct term *x,
	const struct term *f, bool apart)
{
	struct arena *a = m->cone->seeker->g->arena;

	if (x->modulated)
		return modulation_note(m->cone->seeker, x->gate);
	if (apart)
		return "the branch is computed from other channels of the same value";
	if (w->active && w->layers == 0)
		return "the shortcut passes through an activation";
	if (x->vector && m->shifted)
		return "the shortcut is normalised";
	if (f->factor < 0)
		return "the branch is subtracted";
	if (m->scaled || is_scaled(m, x) || is_scaled(m, f))
		return fabs(f->factor) < 1 || fabs(f->factor) > 1
			       ? arena_printf(a, "the branch times %.6g", f->factor)
			       : "times a constant";
	return NULL;
}

/* Is x a shortcut beside the branch f? Then it is recorded; else the reason. */
static const char *judge(struct sum *m, const struct term *x, const struct term *f)
{
	struct seeker *s = m->cone->seeker;
	struct tensor *fork = fork_of(s, x->value, f->value);
	const struct tensor *other;
	struct block b = { .out = m->root->out[0], .fork = fork, .kept = x->whole };
	struct way w;
	bool apart, pools = false;

	if (fork == NULL && s->steps <= 0)
		return "the model has more and longer skips than are looked at";
	if (fork == NULL)
		return "its operands come from different inputs: no value is common to both";
	for (int k = 0; k < s->nvisited; k++)
		pools = pools || (s->color[s->visited[k]] == 2 &&
					 is_a(s->g->tensors[s->visited[k]]->def, IS_POOL));
	if (count_layers(s, 2) == 0 && !pools)
		return "no layer lies between the value that its operands share and the sum";
	w = way_of(s);
	apart = reads_other_part(s, fork);
	if (apart && w.layers > 0)
		return "its operands are computed from different parts of one value";
	if (w.product)
		return "no operand is a shortcut: both are products of computed values";
	if (w.layers > 1)
		return "both operands have passed through several layers: two branches, no "
		       "shortcut";
	b.join = prov_union(s->g->arena, m->prov, prov_union(s->g->arena, x->lets, f->lets));
	b.kind = kind_of(m, &w, x, f);
	b.preactivation = preactivated(s, m, fork, b.kind);
	b.note = note_of(m, &w, x, f, apart);
	b.shortcut = x->whole->name;
	b.branch = f->whole->name;
	b.nodes = visited_prov(s, 0, b.join);
	struct tensor *gate = f->gate != NULL ? f->gate : x->gate;

	if (gate != NULL) {
		b.gate = gate->name;
		all_through(s, (struct tensor *[]){ f->whole, x->whole }, 2, fork, &other);
		b.nodes = visited_prov(s, 0, b.nodes);
	}
	record_block(s, &b);
	return NULL;
}

static const char *too_few(struct sum *m)
{
	struct arena *a = m->cone->seeker->g->arena;

	if (m->small != NULL)
		return arena_printf(a, "\"%s\" is broadcast over the other operand: no shortcut",
			escape(a, m->small->name));
	if (m->vanished)
		return "the other operand is multiplied by 0: a block that was taken out";
	if (m->n == 1 && fabs(m->term[0].factor) > 1 + 1e-6)
		return "a value is added to itself";
	return "adds a constant";
}

/* Where the sum goes, if that says that it is none of a block: it is multiplied by 0, or ends in a
 * Softmax. */
static const char *why_by_use(const struct tensor *t)
{
	for (int depth = 0; depth < 8; depth++) {
		const struct node *n = only_user(t);
		double v;

		if (n == NULL)
			return NULL;
		if (is_op(n, "Softmax"))
			return "scores of an attention, not a block";
		for (int k = 0; k < n->nin && is_op(n, "Mul"); k++)
			if (is_const(n->in[k]) && const_uniform(n->in[k], &v) && v <= 0 && v >= 0)
				return "it is multiplied by 0: a block that was taken out";
		if ((n->op->class != OP_ELEMENTWISE && n->op->class != OP_VIEW) || n->nout != 1)
			return NULL;
		t = n->out[0];
	}
	return NULL;
}

/*
 * x * c, where c is computed from x through a layer, and so is every other term: x is what is carried, as in
 * h*t + x*(1 + t), which is x + t*(h + x).
 */
static void modulate(const struct sum *m, struct term *t)
{
	struct seeker *s = m->cone->seeker;

	if (t->gate != NULL || !is_product(t->value))
		return;
	for (int k = 0; k < 2; k++) {
		struct tensor *x = t->value->def->in[k], *c = t->value->def->in[1 - k];
		bool carried = s->layers[x->id] < s->layers[c->id] && shape_equal(&x->shape, &t->value->shape) &&
			       is_ancestor(s, x, c);

		for (int i = 0; i < m->n && carried; i++)
			carried = is_ancestor(s, x, m->term[i].value);
		if (!carried)
			continue;
		t->lets = t->value->def->prov;
		t->value = x;
		t->gate = c;
		t->modulated = true;
		return;
	}
}

/* Its blocks are those from `block` on. */
static void record_join(const struct sum *m, int block)
{
	struct tensor *term[MAX_TERM], *value[MAX_TERM];

	for (int k = 0; k < m->n; k++) {
		term[k] = m->term[k].whole;
		value[k] = m->term[k].value;
	}
	join_record(m->cone->seeker,
		&(struct join){ .out = m->root->out[0], .term = term, .value = value, .nterm = m->n }, block);
}

/* The branch beside which term k may be a shortcut: the deepest of those that are computed from it, else the deepest of
 * all. So of x + (u + A(u)) + (v + B(v)) both inner blocks are seen. */
static int branch_beside(const struct sum *m, int k, int deepest)
{
	struct seeker *s = m->cone->seeker;
	int found = -1;

	for (int i = 0; m->n > 2 && i < m->n; i++)
		if (i != k && descends(s, m->term[k].value, m->term[i].value) &&
			(found < 0 || deeper(s, m->term[i].value, m->term[found].value)))
			found = i;
	return found >= 0 ? found : deepest;
}

static void judge_sum(struct sum *m)
{
	struct seeker *s = m->cone->seeker;
	const char *why = why_by_use(m->root->out[0]);
	const int block = s->g->nblock;
	int branch = 0, found = 0;

	if (why != NULL) {
		refuse(s, m->prov, why);
		return;
	}
	drop_small(m);
	if (m->n < 2 || m->too_many) {
		refuse(s, m->prov, m->too_many ? "more terms than are looked at" : too_few(m));
		return;
	}
	for (int k = 0; k < m->n; k++)
		modulate(m, &m->term[k]);
	for (int k = 1; k < m->n; k++)
		if (deeper(s, m->term[k].value, m->term[branch].value))
			branch = k;
	for (int k = 0; k < m->n; k++) {
		const char *reason = k != branch ? judge(m, &m->term[k], &m->term[branch_beside(m, k, branch)]) : NULL;

		found += k != branch && reason == NULL;
		why = why == NULL ? reason : why;
	}
	if (found == 0)
		refuse(s, m->prov, why);
	else
		record_join(m, block);
}

/* Constant factors of the whole sum: Mul and Div above it. */
static bool scaled_after(const struct cone *c, const struct node *n)
{
	const struct node *up = only_user(n->out[0]);

	if (up == NULL || up->id >= c->seeker->nnode || !is_a(up, IS_SCALE))
		return false;
	const struct node *behind = only_user(up->out[0]);
	double v;

	if (is_op(behind, "Add") && (is_const(behind->in[0]) || is_const(behind->in[1])))
		return false; /* batch normalisation */
	for (int k = is_op(up, "Mul") ? 0 : 1; k < 2; k++)
		if (is_const(up->in[k]) && const_uniform(up->in[k], &v))
			return true;
	return false;
}

void sums_record(struct cone *c)
{
	for (int k = 0; k < c->n; k++) {
		struct sum *m;
		const struct node *n = c->node[k];

		if (c->covered[k] || c->joined[k] || c->summed[k] || n->out[0]->type != DT_F32 ||
			!is_a(n, IS_SUM))
			continue;
		if (!is_runtime(n->in[0]) || !is_runtime(n->in[1])) {
			/* what follows a sum, as batch normalisation, is not part of it */
			refuse(c->seeker, n->prov, "adds a constant");
			continue;
		}
		m = arena_alloc(&c->seeker->scratch, sizeof(*m));
		m->cone = c;
		m->root = c->node[k];
		m->scaled = scaled_after(c, m->root);
		flatten(m);
		judge_sum(m);
	}
}
