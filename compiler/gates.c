/*
 * Gated sums: a cone's value as a polynomial of degree one in a gate t is t*P1 + P0. Where X = P0
 * and H = P0 + P1 are values that the graph has, it is t*H + (1 - t)*X: a highway if H is computed
 * from X.
 *
 * A comparison counts as a gate of 0 and 1, and Where(c, a, b) as c*a + (1 - c)*b: both branches of
 * torch.lerp's Where are then one polynomial, and the condition drops out.
 */
#include "skip.h"

#include <math.h>
#include <string.h>

#define ROOM 1e-6

int cone_find(const struct cone *c, const struct tensor *t)
{
	const struct node *n = t->def;

	if (n == NULL || n->id >= c->seeker->nnode || c->seeker->at[n->id] >= c->n ||
		c->node[c->seeker->at[n->id]] != n)
		return -1;
	return c->seeker->at[n->id];
}

static bool within(struct range r, double lo, double hi)
{
	return r.lo >= lo - ROOM && r.hi <= hi + ROOM && r.lo < r.hi;
}

bool is_gate(struct seeker *s, const struct tensor *t)
{
	return t->id < s->ntensor && is_runtime(t) && within(s->range[t->id], 0, 1);
}

/* ---- tensors as polynomials ---- */

static void tensor_atom(const struct seeker *s, const struct tensor *t, struct poly *p)
{
	double v;

	if (is_const(t) && const_uniform(t, &v))
		poly_number(p, v);
	else
		poly_atom(p, canon_of(s, t));
}

/* z, if t is -z or 0 - z. */
static struct tensor *negated(const struct tensor *t)
{
	double v;

	if (is_op(t->def, "Neg"))
		return t->def->in[0];
	if (is_op(t->def, "Sub") && is_const(t->def->in[0]) && const_uniform(t->def->in[0], &v) &&
		v >= 0 && v <= 0)
		return t->def->in[1];
	return NULL;
}

/* What a value outside the cone is to it: mostly itself, but 1 - t of a gate t even then. */
static void outer_poly(struct seeker *s, struct tensor *t, int depth, struct poly *p)
{
	struct node *n = t->def;
	struct tensor *same = NULL;
	struct poly inner, one;
	double v;

	tensor_atom(s, t, p);
	if (n == NULL || n->id >= s->nnode || depth == 0 || t->id >= s->ntensor || !is_runtime(t))
		return;
	poly_number(&one, 1);
	if (is_op(n, "Not") || is_op(n, "Cast")) {
		struct tensor *from = n->in[0];

		while (from->type != DT_BOOL && !dtypes[from->type].is_float &&
			is_op(from->def, "Cast"))
			from = from->def->in[0];
		if (from->type != DT_BOOL)
			return;
		outer_poly(s, from, depth - 1, &inner);
		if (is_op(n, "Not"))
			poly_add(p, &one, &inner, -1);
		else
			*p = inner;
		return;
	}
	if (is_op(n, "Sub") && is_const(n->in[0]) && const_uniform(n->in[0], &v) &&
		is_gate(s, n->in[1])) {
		outer_poly(s, n->in[1], depth - 1, &inner);
		poly_number(&one, v);
		poly_add(p, &one, &inner, -1);
		return;
	}
	/* sigmoid(-z), and a view of 1 - t, where the graph has sigmoid(z), or the same view of t
	 */
	if (is_op(n, "Sigmoid") && negated(n->in[0]) != NULL)
		same = same_with_input(s, n, negated(n->in[0]));
	else if (n->op->class == OP_VIEW && n->nin == 1 && is_op(n->in[0]->def, "Sub") &&
		 is_const(n->in[0]->def->in[0]) && const_uniform(n->in[0]->def->in[0], &v) &&
		 v >= 1 && v <= 1)
		same = same_with_input(s, n, n->in[0]->def->in[1]);
	if (same != NULL && is_gate(s, same)) {
		poly_atom(&inner, canon_of(s, same));
		poly_add(p, &one, &inner, -1);
	}
}

static void value_poly(const struct cone *c, struct tensor *t, struct poly *p)
{
	const int k = cone_find(c, t);

	if (k >= 0 && !c->joined[k] && c->poly[k]->n >= 0)
		*p = *c->poly[k];
	else if (k >= 0)
		poly_atom(p, canon_of(c->seeker, t));
	else
		outer_poly(c->seeker, t, 4, p);
}

/* The atom part/whole. */
static int quotient_atom(struct seeker *s, struct tensor *whole, struct tensor *part)
{
	for (int k = 0; k < s->nquotient; k++)
		if (s->quotient[k].whole == whole && s->quotient[k].part == part)
			return s->ntensor + k;
	if (s->nquotient == s->quotient_cap) {
		const int cap = s->quotient_cap > 0 ? 2 * s->quotient_cap : 16;
		struct quotient *v = arena_alloc(&s->scratch, (size_t)cap * sizeof(*v));

		if (s->nquotient > 0)
			memcpy(v, s->quotient, (size_t)s->nquotient * sizeof(*v));
		s->quotient = v;
		s->quotient_cap = cap;
	}
	s->quotient[s->nquotient] = (struct quotient){ whole, part };
	return s->ntensor + s->nquotient++;
}

/*
 * (a*h + b*x) / (a + b) is q*x + (1 - q)*h with q = b/(a + b), an atom between 0 and 1 where
 * neither a nor b is negative. So each monomial must have a or b in it. a may be 1: then (h + x
 * e^-z) / (1 + e^-z).
 */
static bool divide(
	const struct cone *c, const struct poly *p, struct tensor *whole, struct poly *result)
{
	struct seeker *s = c->seeker;
	struct poly d, q, rest, one;

	value_poly(c, whole, &d);
	if (d.n != 2 || d.m[1].n != 1 || d.m[0].n > 1 || d.m[0].c < 1 || d.m[0].c > 1 ||
		d.m[1].c < 1 || d.m[1].c > 1)
		return false;
	if (range_of(s, d.m[1].atom[0]).lo < 0 ||
		(d.m[0].n == 1 && range_of(s, d.m[0].atom[0]).lo < 0) ||
		d.m[1].atom[0] >= s->ntensor)
		return false;
	poly_atom(&q, quotient_atom(s, whole, s->g->tensors[d.m[1].atom[0]]));
	poly_number(&one, 1);
	poly_add(&rest, &one, &q, -1);
	result->n = 0;
	for (int k = 0; k < p->n; k++) {
		struct poly m = { .n = 1 }, part;
		const bool second = mono_divide(&p->m[k], &d.m[1], &m.m[0]);

		if (!second && !mono_divide(&p->m[k], &d.m[0], &m.m[0]))
			return false;
		poly_mul(&part, &m, second ? &q : &rest);
		poly_add(result, result, &part, 1);
	}
	return true;
}

static void div_poly(
	const struct cone *c, const struct node *n, const struct poly *x, struct poly *p)
{
	double v;

	if (is_const(n->in[1]) && const_uniform(n->in[1], &v) && (v < 0 || v > 0)) {
		p->n = 0;
		poly_add(p, p, x, 1 / v);
	} else if (x->n < 0 || !divide(c, x, n->in[1], p)) {
		poly_atom(p, canon_of(c->seeker, n->out[0]));
	}
}

/* c*a + b - c*b; a, if a and b are the same. */
static void where_poly(
	const struct poly *test, const struct poly *a, const struct poly *b, struct poly *p)
{
	struct poly minus, difference;

	if (a->n >= 0 && poly_equal(a, b)) {
		*p = *a;
		return;
	}
	poly_add(&difference, a, b, -1);
	poly_mul(&minus, test, &difference);
	poly_add(p, b, &minus, 1);
}

static void node_poly(const struct cone *c, const struct node *n, struct poly *p)
{
	struct poly x[3] = { { .n = 0 } }, zero = { .n = 0 };

	for (int k = 0; k < n->nin && k < 3; k++)
		value_poly(c, n->in[k], &x[k]);
	if (is_op(n, "Add") || is_op(n, "Sub"))
		poly_add(p, &x[0], &x[1], is_op(n, "Add") ? 1 : -1);
	else if (is_op(n, "Mul") || is_op(n, "And"))
		poly_mul(p, &x[0], &x[1]);
	else if (is_op(n, "Neg"))
		poly_add(p, &zero, &x[0], -1);
	else if (is_op(n, "Div"))
		div_poly(c, n, &x[0], p);
	else if (is_op(n, "Where"))
		where_poly(&x[0], &x[1], &x[2], p);
	else if (is_op(n, "Not") || is_op(n, "Cast"))
		outer_poly(c->seeker, n->out[0], 4, p);
	else
		poly_atom(p, canon_of(c->seeker, n->out[0]));
}

void cone_polys(struct cone *c)
{
	for (int k = c->n - 1; k >= 0; k--)
		node_poly(c, c->node[k], c->poly[k]);
}

/* ---- values of the cone ---- */

/* A value below node k, or an operand, that times *factor is p. Exact ones first; null: none. */
static struct tensor *find_value(const struct cone *c, int k, const struct poly *p, double *factor)
{
	struct tensor *scaled = NULL;
	double scale = 0;

	if (p->n <= 0)
		return NULL;
	*factor = 1;
	if (p->n == 1 && p->m[0].n == 1 && p->m[0].c >= 1 && p->m[0].c <= 1 &&
		p->m[0].atom[0] < c->seeker->ntensor) {
		struct tensor *t = c->seeker->g->tensors[p->m[0].atom[0]];

		return is_float(t) ? t : NULL;
	}
	for (int j = k; j < c->n; j++)
		for (int i = 0; i < c->node[j]->nin; i++) {
			struct tensor *t = c->node[j]->in[i];
			struct poly q;

			if (!is_float(t))
				continue;
			value_poly(c, t, &q);
			if (!poly_multiple(&q, p, &scale))
				continue;
			if (scale > 1 - ROOM && scale < 1 + ROOM)
				return t;
			if (scaled == NULL) {
				scaled = t;
				*factor = scale;
			}
		}
	return scaled;
}

/* t*h + (1 - t)*x, t being 0 where the atom is `lo` and 1 where it is `hi`. */
static bool ends(const struct cone *c, int k, const struct poly *with, const struct poly *without,
	double lo, double hi, struct gate *g)
{
	const struct poly zero = { .n = 0 };
	struct poly x, h;
	double fx, fh;

	poly_add(&x, without, with, lo);
	poly_add(&h, without, with, hi);
	if (x.n <= 0 || h.n <= 0 || poly_multiple(&x, &h, &fx))
		return false;
	/* the second time for -x and -h */
	for (int sign = 1; sign >= -1; sign -= 2) {
		g->x = find_value(c, k, &x, &fx);
		g->h = find_value(c, k, &h, &fh);
		g->factor = sign * fx;
		if (g->x != NULL && g->h != NULL && fabs(fx - fh) < ROOM && fabs(fx) > ROOM)
			return true;
		poly_add(&x, &zero, &x, -1);
		poly_add(&h, &zero, &h, -1);
	}
	return false;
}

/* Values a*atom + b of the cone, as tanh's (u + 1) / 2, are tried for the gate. */
static bool affine_ends(const struct cone *c, int k, int atom, const struct poly *with,
	const struct poly *without, struct gate *g)
{
	for (int j = k + 1; j < c->n; j++) {
		const struct poly *p = c->poly[j];
		const struct mono *u = &p->m[p->n - 1];
		const double b = p->n == 2 ? p->m[0].c : 0;

		if (p->n < 1 || p->n > 2 || u->n != 1 || u->atom[0] != atom ||
			(p->n == 2 && p->m[0].n != 0) || c->node[j]->out[0]->type != DT_F32)
			continue;
		if (!ends(c, k, with, without, -b / u->c, (1 - b) / u->c, g))
			continue;
		g->t.tensor = c->node[j]->out[0];
		return true;
	}
	return false;
}

static bool try_atom(const struct cone *c, int k, int atom, struct gate *g)
{
	struct seeker *s = c->seeker;
	const struct range r = range_of(s, atom);
	struct poly with, without;

	if (!within(r, -1, 1) || poly_degree(c->poly[k], atom) != 1)
		return false;
	poly_split(c->poly[k], atom, &with, &without);
	*g = (struct gate){ .atom = atom, .t = { .scale = 1 } };
	if (ends(c, k, &with, &without, 0, 1, g)) {
		g->t.tensor = atom < s->ntensor ? s->g->tensors[atom] : NULL;
		return true;
	}
	if (affine_ends(c, k, atom, &with, &without, g))
		return true;
	g->t.scale = g->t.shift = 0.5;
	return r.lo < 0 && ends(c, k, &with, &without, -1, 1, g);
}

/* ---- two gates that are constants, of sum 1 but not everywhere the same ---- */

static bool complementary(const struct seeker *s, int x, int y)
{
	const struct tensor *a = s->g->tensors[x], *b = s->g->tensors[y];
	const int64_t count = is_const(a) && is_const(b) && shape_equal(&a->shape, &b->shape)
				      ? shape_count(&a->shape)
				      : 0;

	for (int64_t k = 0; k < count; k++) {
		const double u = const_f64(a, k), v = const_f64(b, k);

		if (u < 0 || v < 0 || u + v < 1 - ROOM || u + v > 1 + ROOM)
			return false;
	}
	return count > 0;
}

static bool try_constants(const struct cone *c, int k, struct gate *g)
{
	const struct poly *p = c->poly[k];
	const struct seeker *s = c->seeker;
	double factor;

	if (p->n != 2 || p->m[0].n != 2 || p->m[1].n != 2)
		return false;
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 2; j++) {
			const int t = p->m[0].atom[i], u = p->m[1].atom[j];
			struct poly h = { .n = 1 }, x = { .n = 1 };

			if (t >= s->ntensor || u >= s->ntensor || !complementary(s, t, u))
				continue;
			h.m[0] = (struct mono){ p->m[0].c, 1, { p->m[0].atom[1 - i] } };
			x.m[0] = (struct mono){ p->m[1].c, 1, { p->m[1].atom[1 - j] } };
			*g = (struct gate){
				.t = { s->g->tensors[t], 1, 0 }, .factor = 1, .atom = t
			};
			g->h = find_value(c, k, &h, &factor);
			g->x = find_value(c, k, &x, &factor);
			if (g->h != NULL && g->x != NULL && factor > 0)
				return true;
		}
	return false;
}

/* ---- two gates: h*t + x*c ---- */

/* p = atom * rest throughout? */
static bool factor_out(const struct poly *p, int atom, struct poly *rest)
{
	struct poly without;

	poly_split(p, atom, rest, &without);
	return without.n == 0 && rest->n > 0 && poly_degree(rest, atom) == 0;
}

/* 1 where t is a gate, -1 where -t is one, else 0. */
static double gate_sign(struct seeker *s, const struct affine *t)
{
	if (t->tensor->id >= s->ntensor || !is_runtime(t->tensor))
		return 0;
	const struct range r = s->range[t->tensor->id];
	const double u = t->scale * r.lo + t->shift, v = t->scale * r.hi + t->shift;
	const struct range now = { fmin(u, v), fmax(u, v) };

	return within(now, 0, 1) ? 1 : within(now, -1, 0) ? -1 : 0;
}

/* What p is the product of with the atom; no tensor: nothing that the graph has. */
static struct affine cofactor(const struct cone *c, int k, int atom, const struct poly *p)
{
	struct seeker *s = c->seeker;
	struct affine t = { 0 };

	if (atom >= s->ntensor || !is_float(s->g->tensors[atom]) || p->n < 1)
		return t;
	t.tensor = find_value(c, k, p, &t.scale);
	if (t.tensor == NULL && p->n == 2 && p->m[0].n == 0 && p->m[1].n == 1 &&
		p->m[1].atom[0] < s->ntensor)
		t = (struct affine){ s->g->tensors[p->m[1].atom[0]], p->m[1].c, p->m[0].c };
	return t;
}

/* first * second as gate * value * the sign that is the result; 0: it is no such product. */
static double gated(struct seeker *s, struct tensor *first, const struct affine *second,
	struct affine *gate, struct tensor **value)
{
	struct affine alone = { first, 1, 0 };
	const bool leads = gate_sign(s, &alone) != 0;
	const double sign = gate_sign(s, leads ? &alone : second);

	*gate = leads ? alone : *second;
	*value = leads ? second->tensor : first;
	gate->scale *= sign;
	gate->shift *= sign;
	if (!leads)
		return sign;
	return second->shift < 0 || second->shift > 0 || fabs(second->scale) < 1 ||
			       fabs(second->scale) > 1
		       ? 0
		       : sign * second->scale;
}

/* One product has the atom, the other one of the atoms that are left. */
static bool try_carry(const struct cone *c, int k, int atom, struct gate *g)
{
	struct seeker *s = c->seeker;
	struct poly with, without, rest;
	struct affine second;
	int atoms[MAX_MONO], n;

	if (poly_degree(c->poly[k], atom) != 1)
		return false;
	poly_split(c->poly[k], atom, &with, &without);
	second = cofactor(c, k, atom, &with);
	if (second.tensor == NULL || without.n <= 0)
		return false;
	*g = (struct gate){ .atom = atom };
	g->factor = gated(s, s->g->tensors[atom], &second, &g->t, &g->h);
	n = poly_atoms(&without, atoms, MAX_MONO);
	for (int i = 0; i < n; i++) {
		if (!factor_out(&without, atoms[i], &rest) ||
			(second = cofactor(c, k, atoms[i], &rest)).tensor == NULL)
			continue;
		const double factor = gated(s, s->g->tensors[atoms[i]], &second, &g->c, &g->x);

		if (g->t.tensor != g->c.tensor && g->x != g->h && factor * g->factor > 0)
			return true;
	}
	return false;
}

/* Both gates are all that there is of one Softmax: then they add up to 1. */
static bool of_one_softmax(const struct gate *g)
{
	const struct node *n[2] = { g->t.tensor->def, g->c.tensor->def };
	const struct tensor *from[2] = { g->t.tensor, g->c.tensor };

	for (int k = 0; k < 2; k++)
		while (n[k] != NULL && n[k]->op->class == OP_VIEW && n[k]->nin == 1) {
			from[k] = n[k]->in[0];
			n[k] = from[k]->def;
		}
	if (from[0] != from[1] || !is_op(n[0], "Softmax"))
		return false;
	const int64_t axis = attr_int(n[0], "axis", -1);
	const struct shape *s = &from[0]->shape;
	int64_t count = 1;

	for (int k = (int)axis;
		k >= 0 && k < s->rank && (k == axis || attr_int(n[0], "to_end", 0) != 0); k++)
		count *= s->dim[k];
	return count == 2;
}

/* ---- which of the two is carried ---- */

/* The value that x is but for views, if y is computed from it; else null. */
static const struct tensor *carried(
	struct seeker *s, const struct tensor *x, const struct tensor *y)
{
	for (int depth = 0; depth < 8; depth++) {
		if (is_ancestor(s, x, y))
			return x;
		if (x->def == NULL)
			return NULL;
		if (is_op(x->def, "Reshape") || is_op(x->def, "Transpose") ||
			(is_op(x->def, "Mul") && is_const(x->def->in[1])))
			x = x->def->in[0]; /* also of a constant multiple */
		else if (is_op(x->def, "Mul") && is_const(x->def->in[0]))
			x = x->def->in[1];
		else
			return NULL;
		if (!is_float(x))
			return NULL;
	}
	return NULL;
}

/* Is the value taken apart? Then its parts are as good as values of several layers. */
static bool in_parts(const struct tensor *fork)
{
	for (const struct use *u = fork->user; u != NULL; u = u->next)
		if (is_op(u->node, "Slice"))
			return true;
	return false;
}

/* The two products of a general carry change places. */
static void exchange(struct gate *g)
{
	const struct gate old = *g;

	g->h = old.x;
	g->x = old.h;
	g->t = old.c;
	g->c = old.t;
}

/* Fills b's kind, roles and nodes. A reason: it is nothing of that sort. */
static const char *judge(struct seeker *s, struct gate *g, const struct prov *join, struct block *b)
{
	struct tensor *atom = g->atom < s->ntensor ? s->g->tensors[g->atom] : NULL, *x = g->x,
		      *h = g->h;
	const struct tensor *from = carried(s, x, h), *other;

	if (from == NULL && (from = carried(s, h, x)) != NULL) {
		x = g->h;
		h = g->x;
		if (g->c.tensor != NULL)
			exchange(g);
	}
	b->shortcut = x->name;
	b->branch = h->name;
	b->gate = g->t.tensor != NULL ? g->t.tensor->name
		  : atom != NULL      ? atom->name
				      : s->quotient[g->atom - s->ntensor].whole->name;
	if (from == NULL) {
		const struct tensor *fork = fork_of(s, g->h, g->x);
		const bool joined = fork != NULL;

		if (joined && count_layers(s, 0) == 0 && !in_parts(fork))
			return "chooses between functions of one value without weights: an "
			       "activation, no gate";
		if (g->c.tensor != NULL)
			return "two gates, but neither value is computed from the other: a gated "
			       "sum, as in an LSTM "
			       "cell";
		b->kind = BLOCK_BLEND;
		b->note = "neither is computed from the other, so nothing is carried";
		b->nodes = joined ? visited_prov(s, 0, join) : join;
		return NULL;
	}
	all_through(s, (struct tensor *[]){ h }, 1, from, &other);
	if (count_layers(s, 0) == 0)
		return "no layer lies between the two values: an activation, no gate";
	b->kind = g->c.tensor != NULL && !of_one_softmax(g) ? BLOCK_CARRY : BLOCK_HIGHWAY;
	if (g->c.tensor != NULL)
		b->note = b->kind == BLOCK_HIGHWAY
				  ? "both gates come from one softmax and add up to 1"
				  : "the gates are two, and do not add up to 1: H T + x C";
	const bool alone = all_through(s,
		(struct tensor *[]){ h, g->t.tensor != NULL ? g->t.tensor : atom, g->c.tensor }, 3,
		from, &other);

	b->nodes = alone ? visited_prov(s, 0, join) : join;
	g->carried = alone ? x : NULL;
	if (alone)
		return NULL;
	if (g->c.tensor != NULL)
		return "two gates, but one value comes from elsewhere: a gated sum, as in an LSTM "
		       "cell";
	b->kind = BLOCK_BLEND;
	b->note = arena_printf(s->g->arena,
		"also computed from \"%s\", past the value that is carried: a recurrent cell's "
		"update",
		escape(s->g->arena, other->name));
	return NULL;
}

/* ---- the cone's part ---- */

/* Marks what the gated sum replaces, and gathers its provenance. */
static const struct prov *cover(struct cone *c, int k, const struct gate *g)
{
	const struct prov *p = c->node[k]->prov;
	bool in[MAX_CONE] = { false };

	in[k] = true;
	for (int j = k; j < c->n; j++) {
		const struct node *n = c->node[j];

		if (!in[j])
			continue;
		c->covered[j] = true;
		p = prov_union(c->seeker->g->arena, p, n->prov);
		for (int i = 0; i < n->nin; i++) {
			const struct tensor *t = n->in[i];
			const int at = cone_find(c, t);

			if (at >= 0 && t != g->h && t != g->x && t != g->t.tensor &&
				t != g->c.tensor && !c->joined[at])
				in[at] = true;
		}
	}
	return p;
}

/* One of the atoms of node k's polynomial with which `try` finds a gate. */
static bool find_with(bool (*try)(const struct cone *, int, int, struct gate *),
	const struct cone *c, int k, struct gate *g)
{
	int atom[4 * MAX_MONO];
	const int n = poly_atoms(c->poly[k], atom, 4 * MAX_MONO);

	for (int i = 0; i < n; i++)
		if (try(c, k, atom[i], g))
			return true;
	return false;
}

/*
 * A gate that is itself computed in the cone, as a product of two gates is: its value counts as an
 * atom while the polynomials above it are tried. The first few such values from the top.
 */
static bool find_inner_gate(struct cone *c, int k, struct gate *g)
{
	struct seeker *s = c->seeker;
	int tried = 0;

	for (int j = k + 1; j < c->n && tried < 8 && s->steps > 0; j++) {
		const struct tensor *t = c->node[j]->out[0];
		bool found;

		if (c->joined[j] || !is_float(t) || !is_gate(s, t))
			continue;
		tried++;
		s->steps -= j - k;
		c->joined[j] = true;
		for (int i = j - 1; i >= k; i--)
			node_poly(c, c->node[i], c->poly[i]);
		found = c->poly[k]->n >= 2 && try_atom(c, k, canon_of(s, t), g);
		c->joined[j] = false;
		for (int i = j - 1; i >= k; i--)
			node_poly(c, c->node[i], c->poly[i]);
		if (found)
			return true;
	}
	return false;
}

bool gate_try(struct cone *c, int k, struct change *change)
{
	struct seeker *s = c->seeker;
	struct block b = { 0 };
	const struct node *n = c->node[k];
	const char *why;

	if (c->poly[k]->n < 2 || n->out[0]->type != DT_F32 ||
		!(is_op(n, "Add") || is_op(n, "Sub") || is_op(n, "Where") || is_op(n, "Div")) ||
		!(find_with(try_atom, c, k, &change->gate) || try_constants(c, k, &change->gate) ||
			find_inner_gate(c, k, &change->gate) ||
			find_with(try_carry, c, k, &change->gate)))
		return false;
	change->node = c->node[k];
	/* the cover is needed for the provenance, and taken back if that is no block */
	bool before[MAX_CONE];

	memcpy(before, c->covered, sizeof(before));
	b.join = cover(c, k, &change->gate);
	why = judge(s, &change->gate, b.join, &b);
	if (why != NULL) {
		memcpy(c->covered, before, sizeof(before));
		refuse(s, n->prov, why);
		return false;
	}
	b.out = n->out[0];
	change->block = s->g->nblock;
	record_block(s, &b);
	change->prov = b.join;
	c->joined[k] = true;
	return true;
}

/* ---- replacing ---- */

static struct tensor *make(
	struct seeker *s, const struct change *ch, const char *op, int nin, struct tensor **in)
{
	struct node *n = graph_node(s->g, ch->node, op_find(op), nin, in, 1, ch->prov);

	if (!infer(s->g, n))
		die("skip: %s has no shape", op);
	return n->out[0];
}

static struct tensor *make_scaled(
	struct seeker *s, const struct change *ch, struct tensor *t, double a, double b)
{
	if (a < 1 || a > 1)
		t = make(s, ch, "Mul", 2, (struct tensor *[]){ t, graph_scalar(s->g, DT_F32, a) });
	if (b < 0 || b > 0)
		t = make(s, ch, "Add", 2, (struct tensor *[]){ t, graph_scalar(s->g, DT_F32, b) });
	return t;
}

/* part / whole; e^z / (1 + e^z) is a sigmoid. */
static struct tensor *make_quotient(
	struct seeker *s, const struct change *ch, const struct quotient *q)
{
	const struct node *sum = q->whole->def;
	double one;

	if (is_op(sum, "Add") && is_op(q->part->def, "Exp"))
		for (int k = 0; k < 2; k++)
			if (sum->in[k] == q->part && is_const(sum->in[1 - k]) &&
				const_uniform(sum->in[1 - k], &one) && one >= 1 && one <= 1)
				return make(s, ch, "Sigmoid", 1, &q->part->def->in[0]);
	return make(s, ch, "Div", 2, (struct tensor *[]){ q->part, q->whole });
}

void gate_apply(struct seeker *s, struct change *ch)
{
	const struct gate *g = &ch->gate;
	struct tensor *t = g->t.tensor, *y, *old = ch->node->out[0];

	if (t == NULL && g->atom >= s->ntensor)
		t = make_quotient(s, ch, &s->quotient[g->atom - s->ntensor]);
	else
		t = make_scaled(
			s, ch, t != NULL ? t : s->g->tensors[g->atom], g->t.scale, g->t.shift);
	if (g->carried != NULL) {
		ch->next = s->gated;
		s->gated = ch;
	}
	ch->y = old; /* it may be the selection already */
	if (t->type == DT_BOOL && is_op(ch->node, "Where") && ch->node->in[0] == t &&
		ch->node->in[1] == g->h && ch->node->in[2] == g->x)
		return;
	if (g->c.tensor != NULL)
		y = make(s, ch, "Carry", 4,
			(struct tensor *[]){ g->h, t, g->x,
				make_scaled(s, ch, g->c.tensor, g->c.scale, g->c.shift) });
	else if (t->type != DT_BOOL)
		y = make(s, ch, "Blend", 3, (struct tensor *[]){ g->h, g->x, t });
	else
		y = make(s, ch, "Where", 3, (struct tensor *[]){ t, g->h, g->x });
	if (!shape_equal(&y->shape, &old->shape))
		return; /* a value that was only broadcast by its neighbour; it stays as it was, and
			   is swept */
	ch->y = y;
	y = make_scaled(s, ch, y, g->factor, 0);
	y->name = old->name;
	tensor_replace(s->g, old, y);
}
