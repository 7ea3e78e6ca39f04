/* What the files of integers() share: values of the form scale (q - zero), q integers. */
#ifndef INTEGERS_H
#define INTEGERS_H

#include "shapes/shape.h"

/* A value that a Dequantize gives. */
struct form {
	struct node *by;
	struct tensor *q, *scale, *zero;
	bool uniform; /* scale and zero are one constant each: */
	double s, z;
};

/* ---- form.c ---- */

bool value_form(const struct tensor *t, struct form *f); /* false: t has it not */
struct form quantised_form(const struct node *n); /* of what a Quantize gives; q null: n is none */
bool same_scale(
	const struct form *x, const struct form *y); /* one scale and zero point, and a type */
bool is_sum(const struct form *f);     /* q is a sum of integers, which has no zero point */
bool all_zero(const struct tensor *t); /* all its elements */
void type_range(enum dtype type, double *low, double *high); /* of integers of up to 32 bits */
double reach(const struct form *f); /* the greatest |q - zero|, if it is uniform */
void note_step(struct graph *g, struct tensor *q, double scale, double zero); /* unless it is known */
struct tensor *dequantized(struct graph *g, const struct node *n, struct tensor *q,
	struct tensor *scale, struct tensor *zero);
void copy_attrs(struct graph *g, const struct node *from, struct node *to);
struct tensor *float_constant(struct graph *g, const struct shape *s, const float *v);
/* x times y, or x over y, in floats also where both are constant, and broadcast. Null: reported. */
struct tensor *scaled_by(
	struct graph *g, const struct node *n, struct tensor *x, struct tensor *y, bool divide);
/* q less zero, of a constant, in the smallest type that holds all of it. */
struct tensor *centred(struct graph *g, const struct form *f);

/* ---- sums.c: what n computes as a sum of integers; each puts it in the place of n, or returns false ---- */

bool sum_conv(struct graph *g, struct node *n);
bool sum_matmul(struct graph *g, struct node *n);
bool sum_bias(struct graph *g, struct node *n); /* of an Add */
const char *why_no_sum(const struct node *n); /* of a layer that is left in floats; null: it is none */
bool sum_reduce(struct graph *g, struct node *n);
bool sum_pool(struct graph *g, struct node *n);

/* ---- strip.c: --io=int, before and after the rest ---- */

void strip_inputs(struct graph *g);
void strip_outputs(struct graph *g);

/* ---- lookup.c ---- */

/* A Quantize of what is computed of one tensor of 8 bits alone, as a table. */
bool look_up(struct graph *g, struct node *n);

#endif
