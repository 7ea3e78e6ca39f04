/* For tests/rules.c: graphs as expressions, and a graph's outputs computed in double on the host. */
#ifndef RULES_H
#define RULES_H

#include "core/skipc.h"

#include <math.h>
#include <string.h>

struct rule_case {
	const char *text, *expected;
};

/* ---- printing ---- */

static bool uniform_list(const struct attr *a, int64_t v)
{
	for (int k = 0; k < a->n; k++)
		if (a->i[k] != v)
			return false;
	return true;
}

/* Attributes of window operators that say nothing. */
static bool usual(const struct node *n, const struct attr *a)
{
	if (strncmp(n->op->name, "Conv", 4) != 0 && strstr(n->op->name, "Pool") == NULL)
		return false;
	if (strcmp(a->name, "strides") == 0 || strcmp(a->name, "dilations") == 0)
		return uniform_list(a, 1);
	if (strcmp(a->name, "group") == 0)
		return a->i[0] == 1;
	return (strcmp(a->name, "pads") == 0 || strcmp(a->name, "count_include_pad") == 0) && uniform_list(a, 0);
}

static void attr_print(struct buf *b, const struct attr *a)
{
	char s[64];

	buf_printf(b, "%s=", a->name);
	if (a->kind == ATTR_INTS) {
		buf_puts(b, "[");
		for (int k = 0; k < a->n; k++)
			buf_printf(b, "%s%lld", k > 0 ? "," : "", (long long)a->i[k]);
		buf_puts(b, "]");
	} else if (a->kind == ATTR_STRING) {
		buf_printf(b, "\"%s\"", a->s[0]);
	} else if (a->kind == ATTR_FLOAT) {
		snprintf(s, sizeof(s), "%.17g", a->f[0]);
		buf_printf(b, "%s%s", s, strpbrk(s, ".e") == NULL ? ".0" : "");
	} else {
		buf_printf(b, "%lld", a->kind == ATTR_INT ? (long long)a->i[0] : -1LL);
	}
}

/* A constant is its value if that is one, or $; of elementwise operators with its shape. */
static void constant_print(struct buf *b, const struct tensor *t, bool shaped)
{
	double v;

	if (is_const(t) && const_uniform(t, &v) && shaped) {
		buf_printf(b, "%.7g", v);
		return;
	}
	buf_puts(b, "$");
	for (int k = 0; shaped && k < t->shape.rank; k++)
		buf_printf(b, "%c%lld", k == 0 ? '[' : ',', (long long)t->shape.dim[k]);
	buf_puts(b, shaped ? "]" : "");
}

static void value_print(struct buf *b, const struct tensor *t)
{
	const struct node *n = t->def;
	int attrs = 0;

	if (n == NULL) {
		buf_puts(b, t->name);
		return;
	}
	buf_printf(b, "%s(", n->op->name);
	for (int k = 0; k < n->nin; k++) {
		buf_puts(b, k > 0 ? ", " : "");
		if (n->in[k] == NULL)
			buf_puts(b, "_");
		else if (is_const(n->in[k]) || is_lazy_const(n->in[k]))
			constant_print(b, n->in[k], n->op->class != OP_ANCHOR);
		else
			value_print(b, n->in[k]);
	}
	buf_puts(b, ")");
	for (int k = 0; k < n->nattr; k++) {
		if (usual(n, &n->attr[k]))
			continue;
		buf_puts(b, attrs++ > 0 ? ", " : " {");
		attr_print(b, &n->attr[k]);
	}
	buf_puts(b, attrs > 0 ? "}" : "");
}

/* Operators of the outputs, `;` between them. */
static void outputs_print(struct buf *b, const struct graph *g)
{
	for (int k = 0; k < g->noutput; k++) {
		buf_puts(b, k > 0 ? "; " : "");
		value_print(b, g->output[k]);
	}
}

/* ---- computing ---- */

/* Windows of two spatial dimensions; the operators that eval.c does not know. */
static void pool(const struct node *n, const struct tensor *x, double *y)
{
	const struct shape *s = &n->out[0]->shape;
	const bool max = strcmp(n->op->name, "MaxPool") == 0, all = attr_int(n, "count_include_pad", 0) != 0;
	int count;
	const int64_t *kernel = attr_ints(n, "kernel_shape", &count), *stride = attr_ints(n, "strides", &count);
	const int64_t *pad = attr_ints(n, "pads", &count), h = x->shape.dim[2], w = x->shape.dim[3];

	for (int64_t k = 0; k < shape_count(s); k++) {
		const int64_t plane = k / (s->dim[2] * s->dim[3]), oy = k / s->dim[3] % s->dim[2], ox = k % s->dim[3];
		double best = -INFINITY, sum = 0;
		int64_t inside = 0;

		for (int64_t i = 0; i < kernel[0] * kernel[1]; i++) {
			const int64_t iy = oy * stride[0] + i / kernel[1] - pad[0], ix = ox * stride[1] + i % kernel[1] - pad[1];

			if (iy < 0 || ix < 0 || iy >= h || ix >= w)
				continue;
			const double v = const_f64(x, (plane * h + iy) * w + ix);
			best = v > best ? v : best;
			sum += v;
			inside++;
		}
		y[k] = max ? best : sum / (double)(all ? kernel[0] * kernel[1] : inside);
	}
}

/* Sums of integers less `zero` in a window of two spatial dimensions, of one group, with strides of 1 and no bias. */
static void sums(const struct node *n, const struct tensor *x, const struct tensor *w, double *y)
{
	const struct shape *s = &n->out[0]->shape, *in = &x->shape, *window = &w->shape;
	const int64_t taps = window->dim[2] * window->dim[3], zero = attr_int(n, "zero", 0);
	int count;
	const int64_t *pad = attr_ints(n, "pads", &count);

	for (int64_t k = 0; k < shape_count(s); k++) {
		const int64_t ox = k % s->dim[3], oy = k / s->dim[3] % s->dim[2], out = k / (s->dim[2] * s->dim[3]);

		y[k] = 0;
		for (int64_t i = 0; i < window->dim[1] * taps; i++) {
			const int64_t iy = oy + i % taps / window->dim[3] - (pad != NULL ? pad[0] : 0);
			const int64_t ix = ox + i % window->dim[3] - (pad != NULL ? pad[1] : 0);
			const int64_t plane = out / s->dim[1] * in->dim[1] + i / taps;

			if (iy >= 0 && ix >= 0 && iy < in->dim[2] && ix < in->dim[3])
				y[k] += (const_f64(x, (plane * in->dim[2] + iy) * in->dim[3] + ix) - (double)zero) *
					const_f64(w, out % s->dim[1] * window->dim[1] * taps + i);
		}
	}
}

/* Nearest, asymmetric, floor; or scales of 1. */
static void resize(const struct node *n, const struct tensor *x, double *y)
{
	const struct shape *s = &n->out[0]->shape;
	const struct attr *scale = node_attr(n, "scales");

	for (int64_t k = 0; k < shape_count(s); k++) {
		int64_t at = 0, step = 1, rest = k;

		for (int d = s->rank - 1; d >= 0; d--) {
			at += (int64_t)floor((double)(rest % s->dim[d]) / scale->f[d]) * step;
			rest /= s->dim[d];
			step *= x->shape.dim[d];
		}
		y[k] = const_f64(x, at);
	}
}

/* The value of n's output, from its inputs' in v (by tensor id; constants are not there). */
static void compute(struct arena *a, struct graph *g, const struct node *n, struct tensor **v)
{
	struct graph where = *g;
	struct node copy = *n;
	struct tensor *result = arena_alloc(a, sizeof(*result));

	where.arena = a;
	copy.in = arena_alloc(a, (size_t)(n->nin + 1) * sizeof(struct tensor *));
	copy.out = &result;
	*result = *n->out[0];
	for (int k = 0; k < n->nin; k++) {
		copy.in[k] = n->in[k] == NULL ? NULL : v[n->in[k]->id] != NULL ? v[n->in[k]->id] : n->in[k];
		if (copy.in[k] != NULL && is_lazy_const(copy.in[k])) {
			struct tensor *t = arena_alloc(a, sizeof(*t));

			*t = *n->in[k];
			t->data = lazy_f64(a, g, n->in[k]);
			t->stored = DT_F64;
			t->lazy = 0;
			copy.in[k] = t;
		}
	}
	result->stored = DT_F64;
	if (strstr(n->op->name, "Pool") != NULL || strcmp(n->op->name, "Resize") == 0) {
		double *y = arena_alloc(a, (size_t)shape_count(&result->shape) * sizeof(*y));

		result->data = y;
		if (strcmp(n->op->name, "Resize") == 0)
			resize(&copy, copy.in[0], y);
		else
			pool(&copy, copy.in[0], y);
	} else if (strcmp(n->op->name, "ConvInteger") == 0) {
		double *y = arena_alloc(a, (size_t)shape_count(&result->shape) * sizeof(*y));

		result->data = y;
		sums(&copy, copy.in[0], copy.in[1], y);
	} else if (!n->op->eval(&where, &copy)) {
		die("no value of %s", n->op->name);
	}
	v[n->out[0]->id] = result;
}

static struct tensor **run_graph(struct arena *a, struct graph *g)
{
	struct tensor **v = arena_alloc(a, (size_t)g->ntensor * sizeof(struct tensor *));
	uint64_t state = 1;

	for (int k = 0; k < g->ninput; k++) {
		struct tensor *t = arena_alloc(a, sizeof(*t));
		const int64_t n = shape_count(&g->input[k]->shape);
		double *f = arena_alloc(a, (size_t)n * sizeof(*f));
		int64_t *i = arena_alloc(a, (size_t)n * sizeof(*i));

		*t = *g->input[k];
		for (int64_t e = 0; e < n; e++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			f[e] = (double)(state >> 40) / (1 << 22) - 2;
			i[e] = f[e] < 0 ? -1 - (int64_t)(state >> 60) : 1 + (int64_t)(state >> 60);
		}
		t->stored = t->type == DT_F32 ? DT_F64 : DT_I64;
		t->data = t->type == DT_F32 ? (const void *)f : (const void *)i;
		v[g->input[k]->id] = t;
	}
	for (const struct node *n = g->first; n != NULL; n = n->next)
		if (!is_lazy_const(n->out[0]))
			compute(a, g, n, v);
	return v;
}

/* Largest difference of the outputs over the largest value. */
static double difference(struct arena *a, struct graph *x, struct graph *y)
{
	struct tensor **vx = run_graph(a, x), **vy = run_graph(a, y);
	double most = 0, error = 0;

	for (int k = 0; k < x->noutput; k++) {
		const struct tensor *p = vx[x->output[k]->id], *q = vy[y->output[k]->id];

		if (!shape_equal(&p->shape, &q->shape) || p->type != q->type ||
		    strcmp(x->output[k]->name, y->output[k]->name) != 0)
			return INFINITY;
		for (int64_t e = 0; e < shape_count(&p->shape); e++) {
			const double u = const_f64(p, e), w = const_f64(q, e);

			most = fmax(most, fabs(u));
			error = fmax(error, isnan(u) && isnan(w) ? 0 : fabs(u - w));
			if (isnan(u) != isnan(w))
				return INFINITY;
		}
	}
	return most > 0 ? error / most : INFINITY;
}

#endif
