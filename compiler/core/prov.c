/* Provenance: which ONNX nodes something stands for. Sets are trees of bits that share what they are made of. */
#include "core/skipc.h"

const struct prov *prov_one(struct arena *a, int onnx_index)
{
	struct prov *p = arena_alloc(a, sizeof(*p));

	*p = (struct prov){ .n = 1, .index = onnx_index };
	return p;
}

/* A node over two sets that differ in `bit` first. */
static const struct prov *prov_node(
	struct arena *a, int bit, const struct prov *without, const struct prov *with)
{
	struct prov *p = arena_alloc(a, sizeof(*p));

	*p = (struct prov){ .n = without->n + with->n,
		.index = without->index & ~(2 * bit - 1),
		.bit = bit,
		.side = { without, with } };
	return p;
}

/* The highest bit in which they differ: the sets lie on its two sides. */
static const struct prov *prov_apart(struct arena *a, const struct prov *x, const struct prov *y)
{
	int differ = x->index ^ y->index, bit = 1;

	while (differ >>= 1)
		bit <<= 1;
	return (x->index & bit) == 0 ? prov_node(a, bit, x, y) : prov_node(a, bit, y, x);
}

/* Recursion is as deep as an int has bits. */
const struct prov *prov_union(struct arena *a, const struct prov *x, const struct prov *y)
{
	if (y == NULL || y->n == 0 || x == y)
		return x != NULL ? x : y;
	if (x == NULL || x->n == 0)
		return y;
	if (x->bit < y->bit)
		return prov_union(a, y, x);
	if (x->bit == y->bit && x->index == y->index) {
		if (x->bit == 0)
			return x;
		const struct prov *l = prov_union(a, x->side[0], y->side[0]),
				  *r = prov_union(a, x->side[1], y->side[1]);

		return l == x->side[0] && r == x->side[1] ? x : prov_node(a, x->bit, l, r);
	}
	if (x->bit == y->bit || (y->index & ~(2 * x->bit - 1)) != x->index)
		return prov_apart(a, x, y);
	const bool with = (y->index & x->bit) != 0;
	const struct prov *u = prov_union(a, x->side[with], y);

	if (u == x->side[with])
		return x;
	return with ? prov_node(a, x->bit, x->side[0], u) : prov_node(a, x->bit, u, x->side[1]);
}

int prov_at(const struct prov *p, int k)
{
	while (p->bit != 0) {
		const bool with = k >= p->side[0]->n;

		if (with)
			k -= p->side[0]->n;
		p = p->side[with];
	}
	return p->index;
}
