/*
 * Gated sums: a cone's value as a polynomial of degree one in a gate t is t*P1 + P0. Where X = P0
 * and H = P0 + P1 are values that the graph has, it is t*H + (1 - t)*X: a highway if H is computed
 * from X.
 */
#include "skip/skip.h"

#include <math.h>
#include <string.h>

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
			if (scale > 1 - ROOM && scale < 1 + ROOM) {
				*factor = 1;
				return t;
			}
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

/* Values a*atom + b of the cone, as tanh's (u + 1) / 2, are tried for the gate: what is computed first is. */
static bool affine_ends(const struct cone *c, int k, int atom, const struct poly *with,
	const struct poly *without, struct gate *g)
{
	for (int j = c->n - 1; j > k; j--) {
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
	const struct mono *last = &p->m[p->n - 1]; /* of a sum with a number, and of a test, too */

	if (t.tensor == NULL && p->n <= 2 && last->n == 1 && last->atom[0] < s->ntensor &&
		(p->n == 2 ? p->m[0].n == 0 : !is_float(s->g->tensors[last->atom[0]]) && is_gate(s, s->g->tensors[last->atom[0]])))
		t = (struct affine){ s->g->tensors[last->atom[0]], last->c, p->n == 2 ? p->m[0].c : 0 };
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
	return !is_float(*value) || second->shift < 0 || second->shift > 0 ||
			       fabs(second->scale) < 1 || fabs(second->scale) > 1
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
static struct tensor *carried(struct seeker *s, struct tensor *x, const struct tensor *y)
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

/* Neither value is computed from the other. */
static const char *judge_blend(
	struct seeker *s, const struct gate *g, const struct prov *join, struct block *b)
{
	const struct tensor *fork = fork_of(s, g->h, g->x);

	if (fork != NULL && count_layers(s, 0) == 0 && !in_parts(fork))
		return "chooses between functions of one value without weights: an "
		       "activation, no gate";
	if (g->c.tensor != NULL)
		return "two gates, but neither value is computed from the other: a gated "
		       "sum, as in an LSTM "
		       "cell";
	b->kind = BLOCK_BLEND;
	b->note = "neither is computed from the other, so nothing is carried";
	b->nodes = fork != NULL ? visited_prov(s, 0, join) : join;
	return NULL;
}

/* h is computed from the value that x is, but for views: x is carried, unless the gate looks past it. */
static const char *judge_carry(struct seeker *s, struct gate *g, struct tensor *x, struct tensor *h,
	struct tensor *t, const struct tensor *from, const struct prov *join, struct block *b)
{
	const struct tensor *other;

	all_through(s, (struct tensor *[]){ h }, 1, from, &other);
	if (count_layers(s, 0) == 0)
		return "no layer lies between the two values: an activation, no gate";
	b->kind = g->c.tensor != NULL && !of_one_softmax(g) ? BLOCK_CARRY : BLOCK_HIGHWAY;
	if (g->c.tensor != NULL)
		b->note = b->kind == BLOCK_HIGHWAY
				  ? "both gates come from one softmax and add up to 1"
				  : "the gates are two, and need not add up to 1: H T + x C";
	if (all_through(s, (struct tensor *[]){ h, t, g->c.tensor }, 3, from, &other)) {
		b->nodes = visited_prov(s, 0, join);
		g->carried = x;
		return NULL;
	}
	b->nodes = join;
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

/* Fills b's kind, roles and nodes. A reason: it is nothing of that sort. */
static const char *judge(struct seeker *s, struct gate *g, const struct prov *join, struct block *b)
{
	struct tensor *x = g->x, *h = g->h, *t;
	struct tensor *from = carried(s, x, h);

	if (from == NULL && (from = carried(s, h, x)) != NULL) {
		x = g->h;
		h = g->x;
		if (g->c.tensor != NULL)
			exchange(g);
	}
	t = g->t.tensor != NULL ? g->t.tensor : g->atom < s->ntensor ? s->g->tensors[g->atom] : NULL;
	b->shortcut = x->name;
	b->branch = h->name;
	b->fork = from;
	b->kept = from != NULL ? x : NULL;
	g->shortcut = x;
	g->branch = h;
	b->gate = t != NULL ? t->name : s->quotient[g->atom - s->ntensor].whole->name;
	return from != NULL ? judge_carry(s, g, x, h, t, from, join, b) : judge_blend(s, g, join, b);
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

		if (c->joined[j] || (t->type != DT_F32 && t->type != DT_BOOL) || !is_gate(s, t))
			continue;
		tried++;
		s->steps -= j - k;
		c->joined[j] = true;
		cone_polys(c, k, j);
		found = c->poly[k]->n >= 2 && try_atom(c, k, canon_of(s, t), g);
		c->joined[j] = false;
		cone_polys(c, k, j);
		if (found)
			return true;
	}
	return false;
}

/* Is the tensor there when n is computed? An equal one may come later. */
static bool ready(const struct seeker *s, const struct node *n, const struct tensor *t)
{
	return t == NULL || t->def == NULL || s->seq[t->def->id] < s->seq[n->id];
}

bool gate_try(struct cone *c, int k, struct change *change)
{
	struct seeker *s = c->seeker;
	struct block b = { 0 };
	const struct node *n = c->node[k];
	const char *why;

	if (c->poly[k]->n < 2 || n->out[0]->type != DT_F32 ||
		!is_a(n, IS_SUM | IS_MIX) ||
		!(find_with(try_atom, c, k, &change->gate) || try_constants(c, k, &change->gate) ||
			find_inner_gate(c, k, &change->gate) ||
			find_with(try_carry, c, k, &change->gate)))
		return false;
	const struct gate *g = &change->gate;

	if (!ready(s, n, g->h) || !ready(s, n, g->x) || !ready(s, n, g->t.tensor) || !ready(s, n, g->c.tensor) ||
		(g->atom < s->ntensor && !ready(s, n, s->g->tensors[g->atom])))
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
	join_record(s,
		&(struct join){ .out = n->out[0], .nterm = 2, .factor = g->factor, .term = (struct tensor *[]){ g->shortcut, g->branch },
			.value = (struct tensor *[]){ g->shortcut, g->branch } },
		change->block);
	change->prov = b.join;
	c->joined[k] = true;
	return true;
}

/* ---- replacing ---- */

static struct tensor *make_node(
	struct seeker *s, const struct change *ch, const char *op, int nin, struct tensor **in)
{
	struct node *n = graph_node(s->g, ch->node, op_find(op), nin, in, 1, ch->prov);

	if (!infer(s->g, n))
		die("skip: %s has no shape", op);
	return n->out[0];
}

static struct tensor *make_float(struct seeker *s, const struct change *ch, struct tensor *t)
{
	struct node *n = graph_node(s->g, ch->node, op_find("Cast"), 1, &t, 1, ch->prov);

	set_int(s->g, n, "to", DT_F32);
	if (!infer(s->g, n))
		die("skip: Cast has no shape");
	return n->out[0];
}

/* a*t + b. A test stays one where that is t or 1 - t; elsewhere it is a number. */
static struct tensor *make_affine(
	struct seeker *s, const struct change *ch, struct tensor *t, double a, double b)
{
	const bool same = a >= 1 && a <= 1 && b >= 0 && b <= 0;

	if (!same && t->type == DT_BOOL && a >= -1 && a <= -1 && b >= 1 && b <= 1)
		return make_node(s, ch, "Not", 1, &t);
	if (t->type != DT_F32 && (!same || t->type != DT_BOOL))
		t = make_float(s, ch, t);
	if (a < 1 || a > 1)
		t = make_node(s, ch, "Mul", 2, (struct tensor *[]){ t, graph_scalar(s->g, DT_F32, a) });
	if (b < 0 || b > 0)
		t = make_node(s, ch, "Add", 2, (struct tensor *[]){ t, graph_scalar(s->g, DT_F32, b) });
	return t;
}

/* h*t + x*c. */
static struct tensor *make_carry(
	struct seeker *s, const struct change *ch, const struct gate *g, struct tensor *t)
{
	struct tensor *in[4] = { g->h, t, g->x,
		make_affine(s, ch, g->c.tensor, g->c.scale, g->c.shift) };

	for (int k = 1; k < 4; k += 2)
		if (in[k]->type != DT_F32)
			in[k] = make_float(s, ch, in[k]);
	return make_node(s, ch, "Carry", 4, in);
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
				return make_node(s, ch, "Sigmoid", 1, &q->part->def->in[0]);
	return make_node(s, ch, "Div", 2, (struct tensor *[]){ q->part, q->whole });
}

void gate_apply(struct seeker *s, struct change *ch)
{
	const struct gate *g = &ch->gate;
	struct tensor *t = g->t.tensor, *y, *old = ch->node->out[0];

	if (t == NULL && g->atom >= s->ntensor)
		t = make_quotient(s, ch, &s->quotient[g->atom - s->ntensor]);
	else
		t = make_affine(
			s, ch, t != NULL ? t : s->g->tensors[g->atom], g->t.scale, g->t.shift);
	if (g->carried != NULL) {
		ch->next = s->gated;
		s->gated = ch;
		s->g->block[ch->block].opens = t;
		s->g->block[ch->block].carries = g->carried == g->h;
	}
	ch->y = old; /* it may be the selection already */
	if (t->type == DT_BOOL && is_op(ch->node, "Where") && ch->node->in[0] == t &&
		ch->node->in[1] == g->h && ch->node->in[2] == g->x)
		return;
	if (g->c.tensor != NULL)
		y = make_carry(s, ch, g, t);
	else if (t->type != DT_BOOL)
		y = make_node(s, ch, "Blend", 3, (struct tensor *[]){ g->h, g->x, t });
	else
		y = make_node(s, ch, "Where", 3, (struct tensor *[]){ t, g->h, g->x });
	if (!shape_equal(&y->shape, &old->shape))
		return; /* a value that was only broadcast by its neighbour; it stays as it was, and
			   is swept */
	ch->y = y;
	y = make_affine(s, ch, y, g->factor, 0);
	y->name = old->name;
	tensor_replace(s->g, old, y);
}
