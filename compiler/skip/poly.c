/* Polynomials of at most MAX_MONO monomials over atoms: what a cone of additions and
 * multiplications computes. */
#include "skip/skip.h"

#include <math.h>
#include <string.h>

static bool near(double x, double y)
{
	return fabs(x - y) <= 1e-6 * (fabs(x) + fabs(y));
}

static int mono_compare(const struct mono *x, const struct mono *y)
{
	if (x->n != y->n)
		return x->n - y->n;
	for (int k = 0; k < x->n; k++)
		if (x->atom[k] != y->atom[k])
			return x->atom[k] - y->atom[k];
	return 0;
}

void poly_atom(struct poly *p, int atom)
{
	p->n = 1;
	p->m[0] = (struct mono){ .c = 1, .n = 1, .atom = { atom } };
}

void poly_number(struct poly *p, double c)
{
	p->n = c < 0 || c > 0 ? 1 : 0;
	p->m[0] = (struct mono){ .c = c };
}

/* Adds one monomial in its place; equal and opposite ones vanish, rounding aside. */
static void put(struct poly *p, const struct mono *m)
{
	int k = 0;

	if (p->n < 0)
		return;
	while (k < p->n && mono_compare(&p->m[k], m) < 0)
		k++;
	if (k < p->n && mono_compare(&p->m[k], m) == 0) {
		const double size = fabs(p->m[k].c) + fabs(m->c);

		p->m[k].c += m->c;
		if (fabs(p->m[k].c) <= 1e-7 * size) {
			memmove(&p->m[k], &p->m[k + 1], (size_t)(p->n - k - 1) * sizeof(*m));
			p->n--;
		}
		return;
	}
	if (p->n == MAX_MONO) {
		p->n = -1;
		return;
	}
	memmove(&p->m[k + 1], &p->m[k], (size_t)(p->n - k) * sizeof(*m));
	p->m[k] = *m;
	p->n++;
}

void poly_add(struct poly *sum, const struct poly *p, const struct poly *q, double factor)
{
	struct poly r = *p;

	for (int k = 0; k < q->n; k++) {
		struct mono m = q->m[k];

		m.c *= factor;
		if (m.c < 0 || m.c > 0)
			put(&r, &m);
	}
	if (q->n < 0)
		r.n = -1;
	*sum = r;
}

static bool mono_mul(const struct mono *x, const struct mono *y, struct mono *product)
{
	int i = 0, j = 0, n = 0;

	if (x->n + y->n > MAX_DEGREE)
		return false;
	product->c = x->c * y->c;
	while (i < x->n || j < y->n) {
		const bool first = j == y->n || (i < x->n && x->atom[i] <= y->atom[j]);

		product->atom[n++] = first ? x->atom[i++] : y->atom[j++];
	}
	product->n = n;
	return true;
}

void poly_mul(struct poly *product, const struct poly *p, const struct poly *q)
{
	struct poly r = { .n = p->n < 0 || q->n < 0 ? -1 : 0 };

	for (int i = 0; i < p->n && r.n >= 0; i++)
		for (int j = 0; j < q->n && r.n >= 0; j++) {
			struct mono m = { 0 };

			if (mono_mul(&p->m[i], &q->m[j], &m))
				put(&r, &m);
			else
				r.n = -1;
		}
	*product = r;
}

bool poly_multiple(const struct poly *p, const struct poly *q, double *factor)
{
	if (p->n <= 0 || p->n != q->n)
		return false;
	*factor = q->m[0].c / p->m[0].c;
	for (int k = 0; k < p->n; k++)
		if (mono_compare(&p->m[k], &q->m[k]) != 0 || !near(p->m[k].c * *factor, q->m[k].c))
			return false;
	return true;
}

bool poly_equal(const struct poly *p, const struct poly *q)
{
	double factor;

	return (p->n == 0 && q->n == 0) || (poly_multiple(p, q, &factor) && near(factor, 1));
}

static int degree(const struct mono *m, int atom)
{
	int count = 0;

	for (int k = 0; k < m->n; k++)
		count += m->atom[k] == atom;
	return count;
}

int poly_degree(const struct poly *p, int atom)
{
	int most = 0;

	for (int k = 0; k < p->n; k++)
		most = degree(&p->m[k], atom) > most ? degree(&p->m[k], atom) : most;
	return most;
}

bool mono_divide(const struct mono *m, const struct mono *by, struct mono *result)
{
	int j = 0;

	*result = (struct mono){ .c = m->c / by->c };
	for (int i = 0; i < m->n; i++) {
		if (j < by->n && m->atom[i] == by->atom[j])
			j++;
		else
			result->atom[result->n++] = m->atom[i];
	}
	return j == by->n;
}

void poly_split(const struct poly *p, int atom, struct poly *with, struct poly *without)
{
	const struct mono by = { .c = 1, .n = 1, .atom = { atom } };

	with->n = without->n = 0;
	for (int k = 0; k < p->n; k++) {
		struct mono rest;

		if (mono_divide(&p->m[k], &by, &rest))
			put(with, &rest);
		else
			put(without, &p->m[k]);
	}
}

int poly_atoms(const struct poly *p, int *atom, int most)
{
	int n = 0;

	for (int k = 0; k < p->n; k++)
		for (int i = 0; i < p->m[k].n; i++) {
			int j = 0;

			while (j < n && atom[j] != p->m[k].atom[i])
				j++;
			if (j == n && n < most)
				atom[n++] = p->m[k].atom[i];
		}
	return n;
}
