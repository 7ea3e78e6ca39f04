/*
 * What the values of a cone are as polynomials over the values at its border.
 *
 * Tests are numbers here: a comparison is an atom of 0 and 1, Where(c, a, b) is c*a + (1 - c)*b, And is a
 * product, and a Cast that changes no value is what it casts. Both branches of torch.lerp's Where are then one
 * polynomial, and the condition drops out. Comparisons of the same operands are one atom or its complement:
 * a >= b is 1 - (a < b), which is not so where one of them is NaN; there h or x is taken, where the formula
 * might say both or neither.
 */
#include "skip/skip.h"

#include <string.h>

enum { DEPTH = 4 }; /* how far below a value at the border is looked for what it is */

static void deep_poly(const struct cone *c, struct tensor *t, int depth, struct poly *p);

int cone_find(const struct cone *c, const struct tensor *t)
{
	const struct node *n = t->def;

	if (n == NULL || n->id >= c->seeker->nnode || c->seeker->at[n->id] >= c->n ||
		c->node[c->seeker->at[n->id]] != n)
		return -1;
	return c->seeker->at[n->id];
}

static void tensor_atom(const struct seeker *s, const struct tensor *t, struct poly *p)
{
	double v;

	if (is_const(t) && const_uniform(t, &v))
		poly_number(p, v);
	else
		poly_atom(p, canon_of(s, t));
}

static bool uniform_constant(const struct tensor *t, double *v)
{
	return is_const(t) && const_uniform(t, v);
}

static bool is_zero(const struct tensor *t)
{
	double v;

	return uniform_constant(t, &v) && v >= 0 && v <= 0;
}

/* z, if t is -z or 0 - z. */
static struct tensor *negated(const struct tensor *t)
{
	if (is_op(t->def, "Neg"))
		return t->def->in[0];
	return is_op(t->def, "Sub") && is_zero(t->def->in[0]) ? t->def->in[1] : NULL;
}

/* 1 - p */
static void complement(struct poly *p)
{
	struct poly one;

	poly_number(&one, 1);
	poly_add(p, &one, p, -1);
}

/* ---- tests ---- */

/* Comparisons as a < b, or not. */
static const struct relation {
	const char *op;
	bool swapped, opposite;
} relations[] = {
	{ "Less", false, false },
	{ "Greater", true, false },
	{ "GreaterOrEqual", false, true },
	{ "LessOrEqual", true, true },
};

static const struct relation *relation_of(const struct node *n)
{
	for (size_t k = 0; k < sizeof(relations) / sizeof(relations[0]); k++)
		if (is_op(n, relations[k].op))
			return &relations[k];
	return NULL;
}

/* Is the difference of the operands a number, and perhaps a multiple of something of 0 and 1? Then the test is
 * a function of that. */
static bool test_of_binary(const struct cone *c, const struct node *n, int depth, struct poly *p)
{
	const struct relation *r = relation_of(n);
	const bool swapped = r != NULL && r->swapped;
	struct poly a, b;
	double v[2] = { 0, 0 };
	int atom = -1;

	deep_poly(c, n->in[swapped], depth, &a);
	deep_poly(c, n->in[!swapped], depth, &b);
	poly_add(&b, &b, &a, -1);
	for (int k = 0; k < b.n; k++) {
		if (b.m[k].n > 1 || (b.m[k].n == 1 && (atom >= 0 || !is_binary(c->seeker, b.m[k].atom[0]))))
			return false;
		if (b.m[k].n == 1)
			atom = b.m[k].atom[0];
		else
			v[0] = v[1] = b.m[k].c;
	}
	if (b.n < 0 || atom < 0)
		return false;
	v[1] += b.m[b.n - 1].c;
	for (int k = 0; k < 2; k++) /* a < b where the difference is positive */
		v[k] = r == NULL ? v[k] >= 0 && v[k] <= 0 : (v[k] > 0) != r->opposite;
	poly_atom(p, atom);
	p->m[0].c = v[1] - v[0];
	if (v[1] >= v[0] && v[1] <= v[0])
		p->n = 0;
	poly_number(&a, v[0]);
	poly_add(p, &a, p, 1);
	return true;
}

/* a < b by the first of the graph's tensors that says it, or the opposite. */
static void relation_poly(const struct seeker *s, const struct node *n, const struct relation *r, struct poly *p)
{
	struct tensor *a = n->in[r->swapped], *b = n->in[!r->swapped], *first = n->out[0];
	bool opposite = r->opposite;

	for (size_t k = 0; k < sizeof(relations) / sizeof(relations[0]); k++) {
		const struct relation *q = &relations[k];
		struct tensor *in[2] = { q->swapped ? b : a, q->swapped ? a : b };
		struct tensor *t = same_as(s, n, op_find(q->op), in);

		if (t != NULL && s->seq[t->def->id] <= s->seq[first->def->id]) {
			first = t;
			opposite = q->opposite;
		}
	}
	poly_atom(p, canon_of(s, first));
	if (opposite != r->opposite)
		complement(p);
}

/* A Cast that changes no value which its input may have. */
static bool keeps_values(struct seeker *s, const struct node *n)
{
	const struct tensor *from = n->in[0], *to = n->out[0];

	if (from->id >= s->ntensor || dtypes[to->type].is_float)
		return from->id < s->ntensor;
	if (to->type == DT_BOOL)
		return is_binary(s, from->id);
	return s->whole[from->id] && within(range_of(s, from->id), 0, 127);
}

/* Tests and casts. False: it is none that can be looked into. */
static bool test_poly(const struct cone *c, const struct node *n, int depth, struct poly *p)
{
	if (n->op->result != RESULT_TEST && n->op->result != RESULT_CAST)
		return false;
	const struct relation *r = relation_of(n);

	if (is_op(n, "Not") || (is_op(n, "Cast") && keeps_values(c->seeker, n))) {
		deep_poly(c, n->in[0], depth, p);
		if (is_op(n, "Not"))
			complement(p);
		return true;
	}
	if (r == NULL && !is_op(n, "Equal"))
		return false;
	if (test_of_binary(c, n, depth, p))
		return true;
	if (r != NULL)
		relation_poly(c->seeker, n, r, p);
	return r != NULL;
}

/* ---- values at the border ---- */

/* c*a + b - c*b; a, if a and b are the same. */
static void where_poly(const struct poly *test, const struct poly *a, const struct poly *b, struct poly *p)
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

/* Where(c, 1, 0) and the like. */
static bool number_by_test(const struct cone *c, const struct node *n, int depth, struct poly *p)
{
	struct poly test, a, b;
	double v, w;

	if (!is_op(n, "Where") || !uniform_constant(n->in[1], &v) || !uniform_constant(n->in[2], &w))
		return false;
	deep_poly(c, n->in[0], depth, &test);
	poly_number(&a, v);
	poly_number(&b, w);
	where_poly(&test, &a, &b, p);
	return true;
}

/* A number and a gate, added or multiplied; also before it is spread. */
static bool affine_of_gate(const struct cone *c, const struct node *n, int depth, struct poly *p)
{
	const bool minus = is_op(n, "Sub") || is_op(n, "Neg");
	const int k = n->nin == 2 && is_const(n->in[0]) ? 1 : 0;
	struct poly number, zero = { .n = 0 };
	double v = 0;

	if (!is_op(n, "Expand") && !is_op(n, "Mul") && !is_a(n, IS_SUM) && !minus)
		return false;
	if ((n->nin == 2 && !uniform_constant(n->in[1 - k], &v)) || !is_float(n->in[k]) ||
		n->in[k]->id >= c->seeker->ntensor || !within(range_of(c->seeker, n->in[k]->id), -1, 1))
		return false;
	deep_poly(c, n->in[k], depth, p);
	if (is_op(n, "Mul"))
		poly_add(p, &zero, p, v);
	else if (minus)
		poly_add(p, &zero, p, k == 1 || n->nin == 1 ? -1 : 1);
	poly_number(&number, is_op(n, "Sub") && k == 0 ? -v : v);
	if (is_a(n, IS_SUM))
		poly_add(p, &number, p, 1);
	return true;
}

/* sigmoid(-z) for sigmoid(z), and the other way round, if the graph has it and has it first. */
static struct tensor *opposite_sigmoid(const struct seeker *s, const struct node *n)
{
	struct tensor *z = n->in[0], *minus = negated(z), *t;
	int most = 16;

	for (const struct use *u = z->user; u != NULL && minus == NULL && --most > 0; u = u->next)
		if (u->node->nout == 1 && negated(u->node->out[0]) == z)
			minus = u->node->out[0];
	t = minus != NULL ? same_as(s, n, n->op, &minus) : NULL;
	return t != NULL && s->seq[t->def->id] < s->seq[n->id] ? t : NULL;
}

/* The gate t of which n is 1 - t, as the graph has it: sigmoid(-z), a view of 1 - t. Null: none. */
static struct tensor *opposite_gate(const struct seeker *s, const struct node *n)
{
	struct tensor *same = NULL;
	double v;

	if (is_op(n, "Sigmoid"))
		same = opposite_sigmoid(s, n);
	else if (n->op->class == OP_VIEW && n->nin == 1 && is_op(n->in[0]->def, "Sub") &&
		 uniform_constant(n->in[0]->def->in[0], &v) && v >= 1 && v <= 1)
		same = same_as(s, n, n->op, (struct tensor *[]){ n->in[0]->def->in[1] });
	return same != NULL && is_gate(s, same) ? same : NULL;
}

/* What a value outside the cone is to it: mostly itself, but tests and 1 - t of a gate t even then, also as a
 * view that the graph has of t. */
static void outer_poly(const struct cone *c, struct tensor *t, int depth, struct poly *p)
{
	const struct seeker *s = c->seeker;
	const struct node *n = t->def;
	struct tensor *gate;
	struct poly inner;

	tensor_atom(s, t, p);
	if (n == NULL || n->id >= s->nnode || depth == 0 || t->id >= s->ntensor || !is_runtime(t))
		return;
	if (test_poly(c, n, depth - 1, &inner) || number_by_test(c, n, depth - 1, &inner)) {
		if (inner.n >= 0)
			*p = inner;
	} else if (affine_of_gate(c, n, depth - 1, &inner)) {
		*p = inner;
	} else if ((gate = opposite_gate(s, n)) != NULL) {
		poly_atom(p, canon_of(s, gate));
		complement(p);
	}
}

static void deep_poly(const struct cone *c, struct tensor *t, int depth, struct poly *p)
{
	const int k = cone_find(c, t);

	if (k >= 0 && !c->joined[k] && c->poly[k]->n >= 0)
		*p = *c->poly[k];
	else if (k >= 0)
		poly_atom(p, canon_of(c->seeker, t));
	else
		outer_poly(c, t, depth, p);
}

void value_poly(const struct cone *c, struct tensor *t, struct poly *p)
{
	deep_poly(c, t, DEPTH, p);
}

/* ---- nodes of the cone ---- */

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

/* a + b - a*b or, of which one only, a + b - 2*a*b */
static void or_poly(const struct poly *a, const struct poly *b, double both, struct poly *p)
{
	struct poly product;

	poly_mul(&product, a, b);
	poly_add(p, a, b, 1);
	poly_add(p, p, &product, -both);
}

/* Of what is 0 or 1 every power is itself. */
static void drop_powers(const struct seeker *s, struct poly *p)
{
	struct poly sum = { .n = 0 };
	bool changed = false;

	for (int k = 0; k < p->n; k++) {
		struct poly one = { .n = 1, .m = { { .c = p->m[k].c } } };
		struct mono *m = &one.m[0];

		for (int i = 0; i < p->m[k].n; i++)
			if (m->n == 0 || m->atom[m->n - 1] != p->m[k].atom[i] || !is_binary(s, p->m[k].atom[i]))
				m->atom[m->n++] = p->m[k].atom[i];
		changed = changed || m->n < p->m[k].n;
		poly_add(&sum, &sum, &one, 1);
	}
	if (changed)
		*p = sum;
}

/* Integers wrap around and are divided without a rest: only small ones are numbers. */
static bool calculates(struct seeker *s, const struct node *n)
{
	const struct tensor *t = n->out[0];

	return dtypes[t->type].is_float || t->type == DT_BOOL ||
	       (!is_op(n, "Div") && within(range_of(s, t->id), -1e6, 1e6));
}

static void node_poly(const struct cone *c, const struct node *n, struct poly *p)
{
	struct poly x[3] = { { .n = 0 } }, zero = { .n = 0 };

	for (int k = 0; k < n->nin && k < 3; k++)
		value_poly(c, n->in[k], &x[k]);
	if (!calculates(c->seeker, n))
		poly_atom(p, canon_of(c->seeker, n->out[0]));
	else if (is_a(n, IS_SUM))
		poly_add(p, &x[0], &x[1], is_op(n, "Add") ? 1 : -1);
	else if (is_op(n, "Mul") || is_op(n, "And"))
		poly_mul(p, &x[0], &x[1]);
	else if (is_op(n, "Or") || is_op(n, "Xor"))
		or_poly(&x[0], &x[1], is_op(n, "Or") ? 1 : 2, p);
	else if (is_op(n, "Neg"))
		poly_add(p, &zero, &x[0], -1);
	else if (is_op(n, "Div"))
		div_poly(c, n, &x[0], p);
	else if (is_op(n, "Where"))
		where_poly(&x[0], &x[1], &x[2], p);
	else if (!test_poly(c, n, DEPTH, p))
		poly_atom(p, canon_of(c->seeker, n->out[0]));
	drop_powers(c->seeker, p);
}

void cone_polys(struct cone *c, int from, int to)
{
	for (int k = to - 1; k >= from; k--)
		node_poly(c, c->node[k], c->poly[k]);
}
