/* What the shape rules (shape.c view.c select.c index.c sample.c window.c axes.c) and the evaluation (eval.c
 * compute.c) share. */
#ifndef SHAPE_H
#define SHAPE_H

#include "core/skipc.h"

#define MAX_FOLDED    (16 * 1024 * 1024) /* elements of one constant that is evaluated */
#define MAX_ATTRIBUTE INT32_MAX /* strides, pads ..: so that sums and products fit in int64_t */
#define MAX_RUNS      8         /* more pieces than this are no longer cheaper than a Gather */

/* Prototypes of all rules, from the table. */
#define VIEW(name, least, most, shape, eval, is)                                                   \
	bool shape_##shape(struct graph *g, struct node *n);                                       \
	bool eval_##eval(struct graph *g, struct node *n);
#define ANCHOR VIEW
#define OPAQUE VIEW
#define CONSTANT VIEW
#include "core/ops.def"
bool shape_elementwise(struct graph *g, struct node *n);

/* ---- shape.c ---- */

/* Output k gets a type and a shape, both checked. False: reported. */
bool give(struct graph *g, struct node *n, int k, enum dtype type, const struct shape *s);

/* s becomes the shape that s and t broadcast to. */
bool broadcast(struct shape *s, const struct shape *t);

/* A new node before n, with n's provenance. */
struct node *place(
	struct graph *g, const struct node *n, const char *op, int nin, struct tensor *const *in);

/* The same with one, two or three inputs, settled. An input that is null was reported, and gives null. */
struct tensor *op1(struct graph *g, const struct node *n, const char *op, struct tensor *x);
struct tensor *op2(struct graph *g, const struct node *n, const char *op, struct tensor *x,
	struct tensor *y);
/* x where the condition holds, else y. */
struct tensor *chosen(struct graph *g, const struct node *n, struct tensor *condition,
	struct tensor *x, struct tensor *y);

/* infer() on a node just placed, and its value where it is an integer one. Null: reported. */
struct tensor *settle(struct graph *g, struct node *n);

/* Output k of n becomes t (null: reported before), for all who use it. False: reported. */
bool become(struct graph *g, struct node *n, int k, struct tensor *t);

/* The same for the only output: n goes. */
bool replace(struct graph *g, struct node *n, struct tensor *t);

/* Input k as integers (rank 0 or 1), in g->arena. Null: it is not constant, or not such; reported.
 */
const int64_t *int_argument(struct graph *g, struct node *n, int k, const char *what, int *count);

/* Input k, or else the attribute of that name, as above; absent: true, and *list null. */
bool list_argument(
	struct graph *g, struct node *n, int k, const char *what, const int64_t **list, int *count);

bool has_input(const struct node *n, int k);
bool float_inputs(struct graph *g, struct node *n); /* else reported */
bool has_room(struct graph *g, struct node *n, int rank); /* for so many dimensions; else reported */
/* What a layer gives: floats of floats; of integers, where it is exact, what its attribute `to` says. False: reported. */
bool layer_type(struct graph *g, struct node *n, enum dtype *type);
bool axis_of(struct graph *g, struct node *n, int64_t axis, int rank,
	int *k); /* negative ones from the end */
/* A list of them as flags; once: none is listed twice. */
bool axes_of(struct graph *g, struct node *n, const int64_t *list, int count, int rank, bool once, bool *flag);

/* ---- view.c ---- */

struct tensor *reshaped(
	struct graph *g, const struct node *n, struct tensor *x, const struct shape *s);
struct tensor *expanded(
	struct graph *g, const struct node *n, struct tensor *x, const struct shape *s);
/* x null: reported before, and null again. */
struct tensor *transposed(struct graph *g, const struct node *n, struct tensor *x, int rank,
	const int64_t *perm);
struct tensor *joined(
	struct graph *g, const struct node *n, int axis, int count, struct tensor *const *part);

/* count elements of one axis: start, start + step .. ; x itself where that is all of it. */
struct tensor *sliced(struct graph *g, const struct node *n, struct tensor *x, int axis,
	int64_t start, int64_t count, int64_t step);

/* ---- index.c ---- */

/* Elements v[0..count) of an axis, all in range: Slices joined where that is few, else a Gather. */
struct tensor *picked(struct graph *g, const struct node *n, struct tensor *x, int axis,
	const int64_t *v, int64_t count);

#endif
