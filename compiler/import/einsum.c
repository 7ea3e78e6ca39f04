/*
 * Einsum of one or two operands, as Transpose, Mul, ReduceSum and MatMul. Labels are sorted by
 * where they stand: batch  in both operands and in the result     rows  only in the first and the
 * result sum    in both operands, not in the result    cols  only in the second and the result An
 * ellipsis is taken only where nothing has to move past it, as its rank is not known here.
 */
#include "import/opset.h"

#include <string.h>

struct labels {
	char v[MAX_RANK + 1];
	int n;
	bool dots; /* an ellipsis in front */
};

static bool has(const struct labels *l, char c)
{
	return l->n > 0 && memchr(l->v, c, (size_t)l->n) != NULL;
}

static bool same(const struct labels *x, const struct labels *y)
{
	return x->n == y->n && x->dots == y->dots && memcmp(x->v, y->v, sizeof(x->v)) == 0;
}

static void join(struct labels *to, const struct labels *l)
{
	for (int k = 0; k < l->n && to->n < MAX_RANK; k++)
		to->v[to->n++] = l->v[k];
}

/* One term up to `end`; spaces do not count. */
static bool parse_term(const char *p, const char *end, struct labels *l)
{
	*l = (struct labels){ 0 };
	for (; p < end; p++) {
		const bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');

		if (*p == ' ')
			continue;
		if (*p == '.' && l->n == 0 && !l->dots && end - p >= 3 && p[1] == '.' &&
			p[2] == '.') {
			l->dots = true;
			p += 2;
		} else if (letter && l->n < MAX_RANK && !has(l, *p)) {
			l->v[l->n++] = *p;
		} else {
			return false;
		}
	}
	return true;
}

/* Without an arrow: the labels that stand once, by the alphabet. */
static void implicit_result(const struct labels *in, int nin, struct labels *out)
{
	*out = (struct labels){ 0 };
	for (int c = 'A'; c <= 'z'; c++) {
		int count = 0;

		for (int k = 0; k < nin; k++)
			count += has(&in[k], (char)c);
		if (count == 1 && out->n < MAX_RANK)
			out->v[out->n++] = (char)c;
	}
	for (int k = 0; k < nin; k++)
		out->dots = out->dots || in[k].dots;
}

static bool parse(const char *text, int nin, struct labels *in, struct labels *out)
{
	const char *arrow = strstr(text, "->"), *end = arrow != NULL ? arrow : text + strlen(text);
	const char *p = text;

	for (int k = 0; k < nin; k++) {
		const char *comma = memchr(p, ',', (size_t)(end - p));

		if ((comma == NULL) != (k == nin - 1) ||
			!parse_term(p, comma != NULL ? comma : end, &in[k]))
			return false;
		p = comma != NULL ? comma + 1 : end;
	}
	if (arrow == NULL)
		return implicit_result(in, nin, out), true;
	return parse_term(arrow + 2, text + strlen(text), out);
}

/* ---- nodes ---- */

/* x, labelled `from`, in the order `to` (the same labels). False: an ellipsis is in the way. */
static bool reorder(
	struct site *s, struct tensor **x, const struct labels *from, const struct labels *to)
{
	int64_t perm[MAX_RANK];

	if (from->n != to->n || from->dots != to->dots)
		return false;
	if (same(from, to))
		return true;
	if (from->dots)
		return false;
	for (int k = 0; k < to->n; k++) {
		const char *at = memchr(from->v, to->v[k], (size_t)from->n);

		if (at == NULL)
			return false;
		perm[k] = at - from->v;
	}
	*x = put1(s, "Transpose", *x);
	set_ints(s->g, (*x)->def, "perm", to->n, perm);
	return true;
}

static struct tensor *sum_last(struct site *s, struct tensor *x, int n)
{
	int64_t axes[MAX_RANK];

	if (n == 0)
		return x;
	for (int k = 0; k < n; k++)
		axes[k] = k - n;
	x = put2(s, "ReduceSum", x, graph_ints(s->g, n, axes));
	set_int(s->g, x->def, "keepdims", 0);
	return x;
}

/* n dimensions of size 1 at `axis`. */
static struct tensor *widen(struct site *s, struct tensor *x, int axis, int n)
{
	int64_t axes[MAX_RANK];

	for (int k = 0; k < n; k++)
		axes[k] = axis + k;
	return n > 0 ? put2(s, "Unsqueeze", x, graph_ints(s->g, n, axes)) : x;
}

static bool one_operand(struct site *s, const struct labels *in, const struct labels *out)
{
	struct labels order = *out;
	struct tensor *x = s->in[0];

	for (int k = 0; k < in->n; k++)
		if (!has(out, in->v[k]) && order.n < MAX_RANK)
			order.v[order.n++] = in->v[k];
	if (!reorder(s, &x, in, &order))
		return false;
	s->out[0] = sum_last(s, x, in->n - out->n);
	return true;
}

struct roles {
	struct labels batch, rows, cols, sum;
};

/* False: a label is summed within one operand, or comes from nowhere. */
static bool sort_labels(
	const struct labels *a, const struct labels *b, const struct labels *out, struct roles *r)
{
	*r = (struct roles){ 0 };
	for (int k = 0; k < out->n; k++) {
		const char c = out->v[k];
		struct labels *l = has(a, c) && has(b, c) ? &r->batch
				   : has(a, c)            ? &r->rows
							  : &r->cols;

		if (!has(a, c) && !has(b, c))
			return false;
		l->v[l->n++] = c;
	}
	for (int k = 0; k < a->n; k++) {
		if (has(out, a->v[k]))
			continue;
		if (!has(b, a->v[k]))
			return false;
		r->sum.v[r->sum.n++] = a->v[k];
	}
	for (int k = 0; k < b->n; k++)
		if (!has(out, b->v[k]) && !has(a, b->v[k]))
			return false;
	return true;
}

/* Multiplied element by element: [batch rows 1 sum] * [batch 1 cols sum], then summed. */
static bool by_elements(
	struct site *s, const struct labels *in, const struct roles *r, struct labels *result)
{
	struct labels order[2] = { r->batch, r->batch };
	struct tensor *x[2] = { s->in[0], s->in[1] };

	if (r->batch.n + r->rows.n + r->cols.n + r->sum.n > MAX_RANK)
		return false;
	join(&order[0], &r->rows);
	join(&order[1], &r->cols);
	for (int k = 0; k < 2; k++) {
		join(&order[k], &r->sum);
		order[k].dots = in[k].dots;
		if (!reorder(s, &x[k], &in[k], &order[k]))
			return false;
	}
	if ((in[0].dots || in[1].dots) && r->rows.n + r->cols.n > 0)
		return false;
	x[0] = widen(s, x[0], r->batch.n + r->rows.n, r->cols.n);
	x[1] = widen(s, x[1], r->batch.n, r->rows.n);
	s->out[0] = sum_last(s, put2(s, "Mul", x[0], x[1]), r->sum.n);
	*result = r->batch;
	join(result, &r->rows);
	join(result, &r->cols);
	result->dots = in[0].dots || in[1].dots;
	return true;
}

/* [batch rows sum] x [batch sum cols], one label to sum over and one of columns. */
static bool by_matrix(
	struct site *s, const struct labels *in, const struct roles *r, struct labels *result)
{
	struct labels order[2] = { r->batch, r->batch };
	struct tensor *x[2] = { s->in[0], s->in[1] };

	join(&order[0], &r->rows);
	join(&order[0], &r->sum);
	order[0].dots = in[0].dots;
	join(&order[1], &r->sum);
	join(&order[1], &r->cols);
	if (!reorder(s, &x[0], &in[0], &order[0]) || !reorder(s, &x[1], &in[1], &order[1]))
		return false;
	s->out[0] = put2(s, "MatMul", x[0], x[1]);
	*result = r->batch;
	join(result, &r->rows);
	join(result, &r->cols);
	result->dots = in[0].dots;
	return true;
}

static bool two_operands(struct site *s, const struct labels *in, const struct labels *out)
{
	struct labels result;
	struct roles r;

	if (!sort_labels(&in[0], &in[1], out, &r))
		return false;
	/* MatMul lines batches up from the right: with batches, one row label; without, any number
	 * of them. */
	const bool rows = r.batch.n == 0 ? r.rows.n > 0 || in[0].dots
					 : r.rows.n == 1 && !in[0].dots;
	const bool matrix = rows && r.sum.n == 1 && r.cols.n == 1 && !in[1].dots;

	if (!(matrix ? by_matrix(s, in, &r, &result) : by_elements(s, in, &r, &result)))
		return false;
	return reorder(s, &s->out[0], &result, out);
}

bool convert_einsum(struct site *s, const char *arg)
{
	const char *text = site_string(s, "equation", "");
	struct labels in[2] = { 0 }, out = { 0 };
	bool ok = false;

	(void)arg;
	if (s->nin <= 2 && parse(text, s->nin, in, &out))
		ok = s->nin == 1 ? one_operand(s, &in[0], &out) : two_operands(s, in, &out);
	return ok || site_error(s, "write it as MatMul, Mul, Transpose and ReduceSum",
			     "equation \"%s\" is not supported", escape(s->g->arena, text));
}
