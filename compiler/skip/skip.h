/* What the files of the pass `skip` share: skip.c (cones), poly.c, algebra.c, gates.c, sums.c,
 * joins.c, facts.c, paths.c; and edit.c, drop.c, exchange.c. */
#ifndef SKIP_H
#define SKIP_H

#include "core/skipc.h"

#define ROOM 1e-6 /* for rounding */

enum { MAX_MONO = 16, MAX_DEGREE = 5, MAX_CONE = 512, MAX_TERM = 64, MAX_NESTED = 4 };

/* ---- polynomials over atoms: tensors by id, and from seeker.ntensor on quotients ---- */

/* c * atom[0] * atom[1] .., atoms ascending. */
struct mono {
	double c;
	int n;
	int atom[MAX_DEGREE];
};

/* A sum of monomials, ascending; the empty one is zero. n < 0: it has too many, and is not written
 * out. */
struct poly {
	int n;
	struct mono m[MAX_MONO];
};

struct range {
	double lo, hi;
};

/* part / whole, where whole = part + rest and none is negative: an atom between 0 and 1. */
struct quotient {
	struct tensor *whole, *part;
};

struct numbering; /* facts.c */

/* What the pass knows; arrays are by id of a node or tensor that was there when the pass began. */
struct seeker {
	struct graph *g;
	struct arena scratch;
	int nnode, ntensor;
	int *seq;            /* node: place in the graph's order, from 1 */
	int *place;          /* tensor: its node's, or 0; -1: a constant */
	struct range *range; /* tensor: what its elements may be */
	bool *whole;         /* tensor: its elements are whole numbers */
	int *canon;          /* tensor: the first that is computed alike */
	int *layers, *pools; /* tensor: most weighted layers, and pools, on a way to it */
	struct numbering *numbering;
	int *seen;            /* tensor: stamp of the walk that saw it */
	unsigned char *color; /* tensor: valid where seen */
	int *walk;            /* tensors: stack, heap or list of a walk */
	int *visited;         /* tensors that the last walk saw, in its order */
	int nvisited;
	int stamp;
	int64_t steps;        /* that walks may still take: bounds the time of hostile graphs */
	int64_t join_steps;   /* the same of join_record(), which shall take none from recognition */
	bool *member;         /* node: of some cone already */
	int *at;              /* node: its place in that cone */
	int *reads;           /* tensor: uses seen from the cone under way */
	int *reads_of;        /* tensor: that cone's root */
	struct change *gated; /* highways, the last first */
	struct quotient *quotient;
	int nquotient, quotient_cap;
	const char **why; /* by ONNX node: why it is in no block; null: nothing known */
};

/* Add, Sub, Mul .. below a root, all of whose inner values only the cone reads. */
struct cone {
	struct seeker *seeker;
	struct node *node[MAX_CONE]; /* users before definitions */
	struct poly *poly[MAX_CONE]; /* of its value */
	bool covered[MAX_CONE];      /* inside a gate that was recognised */
	bool joined[MAX_CONE];       /* the result of one: an atom for what stands above */
	bool summed[MAX_CONE];       /* part of a sum that was looked at */
	int n;
};

struct affine {
	struct tensor *tensor;
	double scale, shift; /* scale * tensor + shift */
};

/* A gate that was found: t*h + (1 - t)*x, or t*h + c*x. */
struct gate {
	struct tensor *h, *x;
	struct affine t, c;     /* t: of the atom, where it has no tensor */
	struct tensor *carried; /* x, h, or null: neither is */
	struct tensor *shortcut, *branch; /* x and h, or h and x */
	double factor;          /* all of it times that */
	int atom;
};

/* A value that a gated sum takes the place of, once the cone has been looked at. */
struct change {
	struct node *node;
	struct gate gate;
	const struct prov *prov; /* of all that it replaces */
	int block;               /* index in graph.block */
	struct tensor *y;        /* the gated sum, once it is made */
	struct change *next;     /* in seeker.gated */
};

/* ---- poly.c ---- */

void poly_atom(struct poly *p, int atom);
void poly_number(struct poly *p, double c);
void poly_add(struct poly *sum, const struct poly *p, const struct poly *q,
	double factor); /* p + factor q */
void poly_mul(struct poly *product, const struct poly *p, const struct poly *q);
bool poly_equal(const struct poly *p, const struct poly *q);
/* q = factor * p, for some factor? */
bool poly_multiple(const struct poly *p, const struct poly *q, double *factor);
int poly_degree(const struct poly *p, int atom);
/* p = atom * with + without; the degree is at most one */
void poly_split(const struct poly *p, int atom, struct poly *with, struct poly *without);
bool mono_divide(const struct mono *m, const struct mono *by, struct mono *result);
/* The quotient atoms ascending that p is made of; at most `most`. */
int poly_atoms(const struct poly *p, int *atom, int most);

/* ---- facts.c: what is true of single tensors ---- */

void seeker_begin(struct seeker *s, struct graph *g);
void seeker_end(struct seeker *s);
bool is_float(const struct tensor *t); /* computed at run time, and float */
int canon_of(const struct seeker *s, const struct tensor *t);
struct range range_of(struct seeker *s, int atom);
bool within(struct range r, double lo, double hi); /* and not a single number */
/* Between 0 and 1, and computed at run time. */
bool is_gate(const struct seeker *s, const struct tensor *t);
bool is_binary(const struct seeker *s, int atom); /* 0 or 1, and computed at run time */
/* The tensor that is `like` with another operator and other inputs, if the graph has it; else null. */
struct tensor *same_as(const struct seeker *s, const struct node *like, const struct op *op, struct tensor **in);
bool is_activation(const struct node *n); /* elementwise and not linear */

/* ---- paths.c: who is computed from whom ---- */

bool is_ancestor(
	struct seeker *s, const struct tensor *x, const struct tensor *y); /* y reads x, or is x */
/*
 * Walks back from the tensors given to `stop`; visited[] is what lies between. False: something
 * else is read that was there before `stop`: *other is it.
 */
bool all_through(struct seeker *s, struct tensor *const *from, int n, const struct tensor *stop,
	const struct tensor **other);
/* The last value that both are computed from, or null. visited[], color[]: 1 on x's way only, 2 on
 * y's, 3: it. */
struct tensor *fork_of(struct seeker *s, const struct tensor *x, const struct tensor *y);
int count_layers(const struct seeker *s, int color); /* of visited[]; 0: any color */
/* Provenance of what was visited with that color (0: any) and of p. */
const struct prov *visited_prov(struct seeker *s, int color, const struct prov *p);

/* ---- algebra.c ---- */

int cone_find(const struct cone *c, const struct tensor *t); /* index of its definition, or -1 */
/* Of nodes from .. to - 1, from what is known of those behind. */
void cone_polys(struct cone *c, int from, int to);
void value_poly(const struct cone *c, struct tensor *t, struct poly *p);

/* ---- gates.c ---- */

/* Is the value of cone node k a gated sum? Then it is recorded, and what is to be done. */
bool gate_try(struct cone *c, int k, struct change *change);
void gate_apply(struct seeker *s, struct change *change);

/* ---- sums.c ---- */

/* Residual sums among what gates left of the cone. */
void sums_record(struct cone *c);

/* ---- joins.c ---- */

/* Is y computed from x, and not x? It has steps of its own. */
bool descends(struct seeker *s, const struct tensor *x, const struct tensor *y);
/* What adds or blends, of n terms; its blocks are those from `block` on. */
void join_record(struct seeker *s, const struct join *join, int block);

/* ---- closed.c ---- */

/* Rows of seeker.gated whose gates are all below graph.skip_below are carried. */
void closed_gates(struct seeker *s);

/* ---- drop.c ---- */

/* `seen` is what skip() made of a copy of g. Whose branches can go is settled. */
void drop_blocks(struct graph *g, const struct graph *seen, const bool *drops);

/* ---- exchange.c ---- */

/* Of the same. Reported, where it cannot be. */
void exchange_blocks(struct graph *g, const struct graph *seen, int first, int second);

/* ---- record.c ---- */

void record_block(struct seeker *s, const struct block *b);
void refuse(struct seeker *s, const struct prov *p, const char *why);

#endif
