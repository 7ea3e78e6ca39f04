/*
 * What is true of single tensors, found in one sweep along the graph: which are computed alike,
 * what values they may have, how many layers lie before them.
 */
#include "skip/skip.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool is_float(const struct tensor *t)
{
	return t != NULL && t->type == DT_F32 && is_runtime(t);
}

bool is_activation(const struct node *n)
{
	return n != NULL && n->op->class == OP_ELEMENTWISE && n->op->result != RESULT_TEST &&
	       !is_a(n, IS_ARITHMETIC | IS_GATED);
}

/* ---- which tensors are computed alike ---- */

/* Results by what they are made of: open addressing, at most half full. */
struct numbering {
	int *slot; /* tensor id + 1 */
	size_t size;
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

int canon_of(const struct seeker *s, const struct tensor *t)
{
	return t == NULL ? -1 : t->id < s->ntensor ? s->canon[t->id] : t->id;
}

/* Whole numbers alone, in any order of attributes: the many parts of one tensor differ in them. */
static uint64_t attrs_hash(const struct node *n)
{
	uint64_t h = 0;

	for (int k = 0; k < n->nattr; k++) {
		const struct attr *a = &n->attr[k];
		const bool whole = a->kind == ATTR_INT || a->kind == ATTR_INTS;
		uint64_t one = hash_text(a->name);

		for (int i = 0; whole && i < a->n; i++)
			one = mix(one, (uint64_t)a->i[i]);
		h += one;
	}
	return h;
}

static uint64_t node_hash(const struct seeker *s, const struct node *n)
{
	uint64_t h = mix(1, (uint64_t)(n->op - op_at(0)));

	for (int k = 0; k < n->nin; k++)
		h = mix(h, (uint64_t)canon_of(s, n->in[k]));
	return mix(h, attrs_hash(n));
}

/* Is `t` what n is? Shapes of Reshape and Slice stand in no attribute. */
static bool alike(const struct seeker *s, const struct tensor *t, const struct node *n)
{
	const struct node *m = t->def;

	if (m == NULL || m->op != n->op || m->nin != n->nin ||
		!shape_equal(&t->shape, &n->out[0]->shape) || t->type != n->out[0]->type ||
		!attrs_equal(m, n))
		return false;
	for (int k = 0; k < n->nin; k++)
		if (canon_of(s, m->in[k]) != canon_of(s, n->in[k]))
			return false;
	return true;
}

/* The slot of what is made like n, or an empty one. */
static int *find_slot(const struct seeker *s, const struct node *n)
{
	const struct numbering *v = s->numbering;
	size_t at = (size_t)node_hash(s, n) & (v->size - 1);

	while (v->slot[at] != 0 && !alike(s, s->g->tensors[v->slot[at] - 1], n))
		at = (at + 1) & (v->size - 1);
	return &v->slot[at];
}

struct tensor *same_as(const struct seeker *s, const struct node *like, const struct op *op, struct tensor **in)
{
	struct node n = *like;

	n.op = op;
	n.in = in;
	const int *slot = find_slot(s, &n);

	return *slot != 0 ? s->g->tensors[*slot - 1] : NULL;
}

/* Constants of equal elements: hashed by a few of them. The map is theirs alone. */
static void number_constants(struct seeker *s)
{
	size_t size = 64;
	int *slot;

	while (size < 4 * (size_t)s->ntensor)
		size *= 2;
	slot = arena_alloc(&s->scratch, size * sizeof(int));
	for (int i = 0; i < s->ntensor; i++) {
		const struct tensor *t = s->g->tensors[i];
		const int64_t count = is_const(t) ? shape_count(&t->shape) : 0;
		uint64_t h = mix(2, (uint64_t)count);

		if (count == 0)
			continue;
		for (int64_t k = 0; k < 8; k++) {
			const double v = const_f64(t, k * (count - 1) / 7);
			uint64_t bits;

			memcpy(&bits, &v, sizeof(bits));
			h = mix(h, bits);
		}
		size_t at = (size_t)h & (size - 1);
		for (; slot[at] != 0; at = (at + 1) & (size - 1)) {
			const struct tensor *u = s->g->tensors[slot[at] - 1];
			bool equal = u->type == t->type && shape_equal(&u->shape, &t->shape);

			if (count > LAZY_COUNT) /* not worth the reading */
				equal = equal && u->data == t->data;
			for (int64_t k = 0; equal && count <= LAZY_COUNT && k < count; k++) {
				const double x = const_f64(u, k), y = const_f64(t, k);

				equal = memcmp(&x, &y, sizeof(x)) == 0;
			}
			if (equal)
				break;
		}
		if (slot[at] == 0)
			slot[at] = i + 1;
		s->canon[i] = slot[at] - 1;
	}
}

static void number_nodes(struct seeker *s)
{
	struct numbering *v = arena_alloc(&s->scratch, sizeof(*v));

	v->size = 64;
	while (v->size < 2 * (size_t)s->nnode)
		v->size *= 2;
	v->slot = arena_alloc(&s->scratch, v->size * sizeof(int));
	s->numbering = v;
	for (const struct node *n = s->g->first; n != NULL; n = n->next) {
		if (n->nout != 1 || n->nin == 0)
			continue;
		int *slot = find_slot(s, n);

		if (*slot == 0)
			*slot = n->out[0]->id + 1;
		s->canon[n->out[0]->id] = *slot - 1;
	}
}

/* ---- what values a tensor may have ---- */

static struct range all_numbers(void)
{
	return (struct range){ -INFINITY, INFINITY };
}

static struct range union_of(struct range x, struct range y)
{
	return (struct range){ x.lo < y.lo ? x.lo : y.lo, x.hi > y.hi ? x.hi : y.hi };
}

/* 0 * infinity counts as 0: the ends of ranges are not reached. */
static double times(double x, double y)
{
	return (x < 0 || x > 0) && (y < 0 || y > 0) ? x * y : 0;
}

static struct range product(struct range x, struct range y)
{
	const double v[4] = { times(x.lo, y.lo), times(x.lo, y.hi), times(x.hi, y.lo),
		times(x.hi, y.hi) };
	struct range r = { v[0], v[0] };

	for (int k = 1; k < 4; k++)
		r = union_of(r, (struct range){ v[k], v[k] });
	return r;
}

static struct range const_range(const struct tensor *t)
{
	const int64_t count = is_const(t) ? shape_count(&t->shape) : 0;
	struct range r = { INFINITY, -INFINITY };

	if (count == 0 || count > LAZY_COUNT)
		return all_numbers();
	for (int64_t k = 0; k < count; k++) {
		const double v = const_f64(t, k);

		r = union_of(r, (struct range){ v, v });
	}
	return r;
}

static struct range input_range(struct seeker *s, const struct node *n, int k)
{
	const struct tensor *t = n->in[k];

	if (t == NULL || t->id >= s->ntensor)
		return all_numbers();
	return is_runtime(t) ? s->range[t->id] : const_range(t);
}

/* Where(Greater(z, c), z, f): in the first case z is above c. */
static struct range chosen_range(struct seeker *s, const struct node *n)
{
	const struct node *test = n->in[0]->def;
	struct range x = input_range(s, n, 1), y = input_range(s, n, 2);

	if (test != NULL && test->nin == 2 && test->in[0] == n->in[1] &&
		(is_op(test, "Greater") || is_op(test, "GreaterOrEqual"))) {
		const double least = input_range(s, test, 1).lo;

		x.lo = x.lo < least ? least : x.lo;
	}
	return union_of(x, y);
}

static struct range same_values(struct seeker *s, const struct node *n)
{
	struct range r = input_range(s, n, 0);

	for (int k = 1; is_op(n, "Concat") && k < n->nin; k++)
		r = union_of(r, input_range(s, n, k));
	if (is_op(n, "Pad") || is_op(n, "AveragePool"))
		r = union_of(
			r, (struct range){ attr_float(n, "value", 0), attr_float(n, "value", 0) });
	return r;
}

/* Towards 0; what does not fit a small integer may become anything. */
static struct range cast_range(struct seeker *s, const struct node *n)
{
	const struct range r = input_range(s, n, 0);
	const enum dtype to = n->out[0]->type;

	if (dtypes[to].is_float)
		return r;
	if (to == DT_BOOL)
		return (struct range){ 0, 1 };
	return r.lo >= 0 && r.hi <= 127 ? (struct range){ floor(r.lo), floor(r.hi) } : all_numbers();
}

static struct range arithmetic(struct seeker *s, const struct node *n)
{
	const struct range x = input_range(s, n, 0), y = n->nin > 1 ? input_range(s, n, 1) : x;
	const struct range minus = { -y.hi, -y.lo };

	switch (n->op->name[0]) {
	case 'A': /* Add */
		return (struct range){ x.lo + y.lo, x.hi + y.hi };
	case 'S': /* Sub */
		return (struct range){ x.lo + minus.lo, x.hi + minus.hi };
	case 'N': /* Neg */
		return minus;
	case 'D': /* Div */
		return y.lo > 0 ? product(x, (struct range){ 1 / y.hi, 1 / y.lo }) : all_numbers();
	case 'R': /* Reciprocal */
		return y.lo > 0 ? (struct range){ 1 / y.hi, 1 / y.lo } : all_numbers();
	default: /* Mul; a square is not negative */
		if (n->in[0] == n->in[1])
			return (struct range){ x.lo > 0   ? x.lo * x.lo
					       : x.hi < 0 ? x.hi * x.hi
							  : 0,
				x.hi * x.hi > x.lo * x.lo ? x.hi * x.hi : x.lo * x.lo };
		return product(x, y);
	}
}

/* Of integers: divided without a rest, and whole numbers only where none wraps around. */
static struct range rounded(struct range r)
{
	return r.lo >= -127 && r.hi <= 127 ? (struct range){ floor(r.lo), ceil(r.hi) } : all_numbers();
}

static struct range monotone(struct seeker *s, const struct node *n, struct range r)
{
	const struct range x = input_range(s, n, 0);

	if (is_op(n, "Exp"))
		return (struct range){ x.lo < -700 ? 0 : math_exp(x.lo),
			x.hi > 700 ? INFINITY : math_exp(x.hi) };
	if (is_op(n, "Sqrt") && x.lo >= 0)
		return (struct range){ sqrt(x.lo), sqrt(x.hi) };
	if (is_op(n, "Round") || is_op(n, "Floor") || is_op(n, "Ceil"))
		return (struct range){ is_op(n, "Ceil") ? ceil(x.lo) : floor(x.lo),
			is_op(n, "Floor") ? floor(x.hi) : ceil(x.hi) };
	if (is_op(n, "Relu"))
		return (struct range){ x.lo > 0 ? x.lo : 0, x.hi > 0 ? x.hi : 0 };
	if (is_op(n, "Sign"))
		return (struct range){ x.lo > 0 ? 1 : x.lo < 0 ? -1 : 0, x.hi > 0 ? 1 : x.hi < 0 ? -1 : 0 };
	return r;
}

static struct range node_range(struct seeker *s, const struct node *n)
{
	const bool nonneg = is_a(n, IS_NONNEG), unit = is_a(n, IS_UNIT);

	if (n->op->result == RESULT_TEST)
		return (struct range){ 0, 1 };
	if (is_op(n, "ArgMax") || is_op(n, "ArgMin"))
		return (struct range){ 0, (double)n->in[0]->shape.dim[attr_int(n, "axis", 0)] - 1 };
	if (is_a(n, IS_WITHIN))
		return same_values(s, n);
	if (is_op(n, "Mod") && !dtypes[n->out[0]->type].is_float && input_range(s, n, 1).lo > 0)
		return (struct range){ 0, input_range(s, n, 1).hi - 1 };
	if (is_op(n, "Cast"))
		return cast_range(s, n);
	if (is_op(n, "Where"))
		return chosen_range(s, n);
	if (is_a(n, IS_ARITHMETIC) || is_op(n, "Reciprocal"))
		return dtypes[n->out[0]->type].is_float ? arithmetic(s, n) : rounded(arithmetic(s, n));
	if (is_op(n, "Min") || is_op(n, "Max")) {
		const struct range x = input_range(s, n, 0), y = input_range(s, n, 1);
		const bool least = is_op(n, "Min");

		return (struct range){ least == (x.lo < y.lo) ? x.lo : y.lo,
			least == (x.hi < y.hi) ? x.hi : y.hi };
	}
	return monotone(s, n,
		(struct range){ nonneg ? 0 : unit ? -1 : -INFINITY, unit ? 1 : INFINITY });
}

/* Are n's elements whole numbers? */
static bool node_whole(const struct seeker *s, const struct node *n)
{
	bool whole = is_a(n, IS_WHOLE);

	if (!dtypes[n->out[0]->type].is_float || (is_a(n, IS_STEP) && n->nin == 1))
		return true;
	for (int k = is_op(n, "Where"); k < n->nin && whole; k++) {
		const struct tensor *t = n->in[k];
		double v;

		whole = t != NULL && (is_runtime(t) ? s->whole[t->id] : const_uniform(t, &v) && v >= floor(v) && v <= floor(v));
	}
	return whole;
}

bool within(struct range r, double lo, double hi)
{
	return r.lo >= lo - ROOM && r.hi <= hi + ROOM && r.lo < r.hi;
}

bool is_gate(const struct seeker *s, const struct tensor *t)
{
	return t->id < s->ntensor && is_runtime(t) && within(s->range[t->id], 0, 1);
}

bool is_binary(const struct seeker *s, int atom)
{
	return atom < s->ntensor && s->whole[atom] && is_gate(s, s->g->tensors[atom]);
}

struct range range_of(struct seeker *s, int atom)
{
	const struct tensor *t;

	if (atom >= s->ntensor)
		return (struct range){ 0, 1 };
	t = s->g->tensors[atom];
	return is_runtime(t) ? s->range[atom] : const_range(t);
}

/* ---- the sweep ---- */

static void *ints(struct seeker *s, int n)
{
	return arena_alloc(&s->scratch, ((size_t)n + 1) * sizeof(int));
}

static void allocate(struct seeker *s)
{
	const int n = s->ntensor;

	s->seq = ints(s, s->nnode);
	s->at = ints(s, s->nnode);
	s->place = ints(s, n);
	s->member = arena_alloc(&s->scratch, (size_t)s->nnode + 1);
	s->range = arena_alloc(&s->scratch, ((size_t)n + 1) * sizeof(*s->range));
	s->whole = arena_alloc(&s->scratch, (size_t)n + 1);
	s->canon = ints(s, n);
	s->layers = ints(s, n);
	s->pools = ints(s, n);
	s->seen = ints(s, n);
	s->walk = ints(s, n);
	s->visited = ints(s, n);
	s->color = arena_alloc(&s->scratch, (size_t)n + 1);
	s->reads = ints(s, n);
	s->reads_of = ints(s, n);
	s->why = arena_alloc(&s->scratch, ((size_t)s->g->nonnx + 1) * sizeof(*s->why));
}

static void count_before(struct seeker *s, const struct node *n)
{
	int layers = 0, pools = 0;

	for (int k = 0; k < n->nin; k++) {
		const struct tensor *t = n->in[k];

		if (t == NULL || !is_runtime(t))
			continue;
		layers = s->layers[t->id] > layers ? s->layers[t->id] : layers;
		pools = s->pools[t->id] > pools ? s->pools[t->id] : pools;
	}
	for (int k = 0; k < n->nout; k++) {
		s->layers[n->out[k]->id] = layers + is_a(n, IS_LAYER);
		s->pools[n->out[k]->id] = pools + is_a(n, IS_POOL);
	}
}

void seeker_begin(struct seeker *s, struct graph *g)
{
	int place = 0;

	s->g = g;
	s->nnode = g->nnode;
	s->ntensor = g->ntensor;
	s->steps = 500000 + 100 * (int64_t)g->nnode;
	s->join_steps = 5000000 + 500 * (int64_t)g->nnode;
	allocate(s);
	for (int k = 0; k < s->ntensor; k++) {
		s->canon[k] = k;
		s->place[k] = is_runtime(g->tensors[k]) ? 0 : -1;
		s->range[k] = g->tensors[k]->type == DT_BOOL ? (struct range){ 0, 1 }
							     : all_numbers();
		s->whole[k] = !dtypes[g->tensors[k]->type].is_float;
	}
	number_constants(s);
	number_nodes(s);
	for (const struct node *n = g->first; n != NULL; n = n->next) {
		s->seq[n->id] = ++place;
		for (int k = 0; k < n->nout; k++)
			s->place[n->out[k]->id] = is_runtime(n->out[k]) ? place : -1;
		count_before(s, n);
		if (n->nout != 1 || n->nin == 0 || !is_runtime(n->out[0]))
			continue;
		s->range[n->out[0]->id] = node_range(s, n);
		s->whole[n->out[0]->id] = node_whole(s, n);
	}
}

void seeker_end(struct seeker *s)
{
	arena_release(&s->scratch);
}
