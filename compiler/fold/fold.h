/* What functions that evaluate share. */
#ifndef FOLD_H
#define FOLD_H

#include "core/skipc.h"

/* ---- eval.c ---- */

bool constant_inputs(const struct node *n); /* all are constant, lazy ones too */
void mark_lazy(struct graph *g, struct node *n);
bool eval_elementwise(struct graph *g, struct node *n);

/* ---- walk.c ---- */

int64_t narrow(int64_t v, enum dtype type); /* an integer as its type holds it */

/* For eval functions: output 0 gets its elements. */
bool store(struct node *n, enum dtype stored, const void *data);
void *store_room(struct graph *g, const struct node *n, size_t size); /* for its elements */
double *store_f64(struct graph *g, struct node *n);  /* room for them; zero */
int64_t *store_i64(struct graph *g, struct node *n); /* integers, not bool */

/* A walk over all elements of a shape, row-major, with positions in up to three others. */
struct walk {
	struct shape shape;
	int64_t index[MAX_RANK];
	int64_t stride[MAX_EXPR_IN][MAX_RANK];
	int64_t at[MAX_EXPR_IN];
};
void walk_start(struct walk *w, const struct shape *s);
void walk_broadcast(
	struct walk *w, int k, const struct shape *s); /* strides of a tensor that broadcasts */
void walk_next(struct walk *w);

#endif
