/* Values of the form scale (q - zero): what they are made of, and what is made of them. */
#include "fold/fold.h"
#include "integers/integers.h"

#include <math.h>
#include <string.h>

static bool is_one(const struct tensor *t, double *value)
{
	return is_const(t) && shape_count(&t->shape) == 1 && const_uniform(t, value);
}

bool value_form(const struct tensor *t, struct form *f)
{
	if (t == NULL || t->def == NULL || !is_op(t->def, "Dequantize") ||
		!shape_equal(&t->shape, &t->def->in[0]->shape))
		return false;
	*f = (struct form){
		.by = t->def, .q = t->def->in[0], .scale = t->def->in[1], .zero = t->def->in[2]
	};
	f->uniform = is_one(f->scale, &f->s) && is_one(f->zero, &f->z);
	return true;
}

struct form quantised_form(const struct node *n)
{
	struct form f = { .q = NULL };

	if (!is_op(n, "Quantize"))
		return f;
	f = (struct form){ .q = n->out[0], .scale = n->in[1], .zero = n->in[2] };
	f.uniform = is_one(f.scale, &f.s) && is_one(f.zero, &f.z);
	return f;
}

bool same_scale(const struct form *x, const struct form *y)
{
	return x->uniform && y->uniform && x->q->type == y->q->type && x->s >= y->s &&
	       x->s <= y->s && x->z >= y->z && x->z <= y->z;
}

bool all_zero(const struct tensor *t)
{
	double v;

	return is_const(t) && const_uniform(t, &v) && v >= 0.0 && v <= 0.0;
}

bool is_sum(const struct form *f)
{
	return dtypes[f->q->type].size >= 4 && is_runtime(f->q) && all_zero(f->zero);
}

void type_range(enum dtype type, double *low, double *high)
{
	const double count = ldexp(1.0, 8 * dtypes[type].size);
	const bool is_signed = dtypes[type].numpy[0] == 'i';

	*low = is_signed ? -count / 2.0 : 0.0;
	*high = is_signed ? count / 2.0 - 1.0 : count - 1.0;
}

double reach(const struct form *f)
{
	double low, high;

	type_range(f->q->type, &low, &high);
	return fmax(fabs(low - f->z), fabs(high - f->z));
}

void note_step(struct graph *g, struct tensor *q, double scale, double zero)
{
	if (q->step != NULL || is_const(q) || dtypes[q->type].is_float)
		return;
	struct step *s = arena_alloc(g->arena, sizeof(*s));

	*s = (struct step){ .scale = scale, .zero = (int64_t)zero };
	q->step = s;
}

struct tensor *dequantized(struct graph *g, const struct node *n, struct tensor *q,
	struct tensor *scale, struct tensor *zero)
{
	double s, z = 0.0;

	if (q == NULL || scale == NULL)
		return NULL;
	if (is_one(scale, &s) && (zero == NULL || is_one(zero, &z)))
		note_step(g, q, s, z);
	return settle(g, place(g, n, "Dequantize", 3,
				 (struct tensor *[]){ q, scale,
					 zero != NULL ? zero : graph_scalar(g, DT_F32, 0.0) }));
}

void copy_attrs(struct graph *g, const struct node *from, struct node *to)
{
	to->nattr = from->nattr;
	to->attr = arena_alloc(g->arena, (size_t)(from->nattr + 1) * sizeof(*to->attr));
	if (from->nattr > 0)
		memcpy(to->attr, from->attr, (size_t)from->nattr * sizeof(*to->attr));
}

struct tensor *float_constant(struct graph *g, const struct shape *s, const float *v)
{
	return graph_constant(g, NULL, DT_F32, s, DT_F32, v);
}

struct tensor *scaled_by(
	struct graph *g, const struct node *n, struct tensor *x, struct tensor *y, bool divide)
{
	struct shape s = x->shape;
	struct walk w;

	if (!is_const(x) || !is_const(y) || !broadcast(&s, &y->shape))
		return op2(g, n, divide ? "Div" : "Mul", x, y);
	const int64_t count = shape_count(&s);
	float *v = arena_alloc(g->arena, (size_t)(count + 1) * sizeof(*v));

	walk_start(&w, &s);
	walk_broadcast(&w, 0, &x->shape);
	walk_broadcast(&w, 1, &y->shape);
	for (int64_t k = 0; k < count; k++, walk_next(&w)) {
		const float a = (float)const_f64(x, w.at[0]), b = (float)const_f64(y, w.at[1]);

		v[k] = divide ? a / b : a * b;
	}
	return float_constant(g, &s, v);
}

/* The smallest signed type for integers from low to high. */
static enum dtype signed_type(int64_t low, int64_t high)
{
	return low >= INT8_MIN && high <= INT8_MAX     ? DT_I8
	       : low >= INT16_MIN && high <= INT16_MAX ? DT_I16
						       : DT_I32;
}

struct tensor *centred(struct graph *g, const struct form *f)
{
	const int64_t count = shape_count(&f->q->shape);
	int64_t low = 0, high = 0;
	struct arena scratch = { 0 };
	int64_t *v = tensor_i64(&scratch, f->q);
	struct walk w;

	walk_start(&w, &f->q->shape);
	walk_broadcast(&w, 0, &f->zero->shape);
	for (int64_t k = 0; k < count; k++, walk_next(&w)) {
		v[k] -= const_i64(f->zero, w.at[0]);
		low = v[k] < low ? v[k] : low;
		high = v[k] > high ? v[k] : high;
	}
	const enum dtype type = signed_type(low, high);
	void *data = arena_alloc(g->arena, (size_t)(count + 1) * (size_t)dtypes[type].size);

	for (int64_t k = 0; k < count; k++)
		if (type == DT_I8)
			((int8_t *)data)[k] = (int8_t)v[k];
		else if (type == DT_I16)
			((int16_t *)data)[k] = (int16_t)v[k];
		else
			((int32_t *)data)[k] = (int32_t)v[k];
	arena_release(&scratch);
	return graph_constant(g, f->q->name, type, &f->q->shape, type, data);
}
