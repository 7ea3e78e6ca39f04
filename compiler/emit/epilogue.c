/* What a template leaves to its kernel: where elements lie, and what is done to a value before it is stored. */
#include "emit/emission.h"
#include "kernels/kernel.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- places of elements ---- */

/* `e` as an operand of * / %: in parentheses unless it is one word. */
static const char *atom(struct arena *a, const char *e)
{
	for (const char *c = e; *c != '\0'; c++)
		if (!isalnum((unsigned char)*c) && *c != '_')
			return arena_printf(a, "(%s)", e);
	return e;
}

/* The position within dimensions i.. of c that coordinate text e gives for a run of `size`
 * elements, with `inner` elements behind each. */
static const char *run_text(
	struct arena *a, const char *e, int64_t size, int64_t inner, bool outermost)
{
	const char *text = e;

	if (inner > 1)
		text = arena_printf(a, "%s / %lld", atom(a, text), (long long)inner);
	if (!outermost)
		text = arena_printf(
			a, "%s %% %lld", inner > 1 ? text : atom(a, text), (long long)size);
	return text;
}

/* A term of an index: text times stride. */
struct index_term {
	const char *text;
	int64_t stride;
};

enum { MAX_TERM = 2 * MAX_RANK };

/* Terms of one coordinate: its dimensions in runs that are evenly strided in r. */
static int coord_terms(struct arena *a, const struct region *r, const struct coord *c,
	const char *e, struct index_term *to)
{
	int64_t size[MAX_RANK], stride[MAX_RANK], inner = 1;
	int n = 0, count = 0;

	for (int k = 0; k < c->n; k++) {
		int64_t dim = r->shape.dim[c->dim[k]], step = r->stride[c->dim[k]];

		if (dim == 1)
			continue;
		if (n > 0 && stride[n - 1] == step * dim) {
			size[n - 1] *= dim;
			stride[n - 1] = step;
		} else {
			size[n] = dim;
			stride[n++] = step;
		}
	}
	for (int k = n - 1; k >= 0; k--) {
		if (stride[k] != 0)
			to[count++] = (struct index_term){ run_text(a, e, size[k], inner, k == 0),
				stride[k] };
		inner *= size[k];
	}
	return count;
}

static int64_t magnitude(int64_t v)
{
	return v < 0 ? -v : v;
}

static void write_term(struct buf *out, struct arena *a, const struct index_term *t)
{
	/* `p / 4 * 128` and `p % 4 * 16` read from left to right as they must */
	bool sum = strpbrk(t->text, "+-") != NULL;

	if (out->len > 0)
		buf_puts(out, t->stride < 0 ? " - " : " + ");
	else if (t->stride < 0)
		buf_puts(out, "-");
	buf_puts(out, sum ? atom(a, t->text) : t->text);
	if (magnitude(t->stride) != 1)
		buf_printf(out, " * %lld", (long long)magnitude(t->stride));
}

/* The index of an element of r at the coordinates, the longest stride first; "0" where all are
 * zero. */
static char *index_text(
	struct arena *a, const struct kernel *k, const struct region *r, char *const *e)
{
	struct index_term term[MAX_TERM];
	struct buf b = { 0 };
	int64_t shift = 0;
	int n = 0;
	char *text;

	for (int i = 0; i < k->ncoord; i++)
		n += coord_terms(a, r, &k->coord[i], e[i], &term[n]);
	for (int i = 1; i < n; i++)
		for (int j = i; j > 0 && magnitude(term[j].stride) > magnitude(term[j - 1].stride);
			j--) {
			struct index_term swap = term[j];

			term[j] = term[j - 1];
			term[j - 1] = swap;
		}
	for (int i = 0; i < n; i++)
		write_term(&b, a, &term[i]);
	for (int d = 0; r->windowed && d < r->shape.rank; d++)
		shift += r->lo[d] * r->stride[d];
	if (shift != 0)
		buf_printf(&b, " %c %lld", shift > 0 ? '-' : '+', (long long)magnitude(shift));
	text = arena_strdup(a, b.len > 0 ? b.data : "0");
	buf_release(&b);
	return text;
}

/* `k >= 4 && k < 12`: where a windowed region has an element; "0" where it has none, which no
 * coordinate says if the dimension has one index only. */
static char *window_test(
	struct arena *a, const struct kernel *k, const struct region *r, char *const *e)
{
	struct buf b = { 0 };
	char *text;

	if (region_is_padding(r))
		return arena_strdup(a, "0");
	for (int i = 0; i < k->ncoord; i++) {
		int64_t inner = 1;

		for (int j = k->coord[i].n - 1; j >= 0; j--) {
			int d = k->coord[i].dim[j];
			const char *at = run_text(a, e[i], r->shape.dim[d], inner, j == 0);

			if (r->lo[d] > 0)
				buf_printf(&b, "%s%s >= %lld", b.len > 0 ? " && " : "", at,
					(long long)r->lo[d]);
			if (r->hi[d] < r->shape.dim[d])
				buf_printf(&b, "%s%s < %lld", b.len > 0 ? " && " : "", at,
					(long long)r->hi[d]);
			inner *= r->shape.dim[d];
		}
	}
	text = arena_strdup(a, b.len > 0 ? b.data : "1");
	buf_release(&b);
	return text;
}

/* ---- epilogues ---- */

struct epilogue {
	struct arena *arena; /* of the instance */
	const struct kernel *kernel;
	char *const *coord;
	const char *value; /* what the template has computed */
	bool vector;       /* it is a vector */
};

/* Element types of the interface that are no C arithmetic types: how they are read and written. */
static const char *load_format(enum dtype type)
{
	switch (type) {
	case DT_F64:
		return "(float)%s";
	case DT_F16:
		return "half_f32(%s)";
	case DT_BF16:
		return "bfloat_f32(%s)";
	default:
		return "%s";
	}
}

static const char *store_format(enum dtype type)
{
	switch (type) {
	case DT_F64:
		return "(double)%s";
	case DT_F16:
		return "to_half_f32(%s)";
	case DT_BF16:
		return "to_bfloat_f32(%s)";
	default:
		return "%s";
	}
}

static const char *apply_format(struct arena *a, const char *format, const char *text)
{
	const char *hole = strchr(format, '%');

	return arena_printf(a, "%.*s%s%s", (int)(hole - format), format, text, hole + 2);
}

/* The type that a node's expression is computed in. */
static enum dtype compute_type(const struct node *n)
{
	return is_a(n, IS_SINGLE)             ? DT_F32
	       : n->op->result == RESULT_LAST ? n->out[0]->type
					      : n->in[0]->type;
}

/* Types whose elements vectors hold: floats, and integers in lanes of 32 bits. */
static bool is_vector_type(enum dtype type)
{
	return type == DT_F32 || type == DT_I32 ||
	       (dtypes[type].size < 4 && !dtypes[type].is_float && type != DT_BOOL);
}

/* How far apart the elements that vectors take lie in r; -1: not evenly, or no vector holds them. */
static int64_t lane_stride(const struct kernel *k, const struct region *r)
{
	int64_t stride;

	return r->windowed || !is_vector_type(r->type) || !stride_of(r, &k->coord[k->lanes - 1], &stride) ? -1 : stride;
}

/* Vectors that overlap read again what they replaced. */
static bool may_use_lanes(const struct kernel *k)
{
	return k->lanes > 0 && k->lanes_least >= k->plan->target->isa[0].lanes &&
	       (k->lanes_even || k->in_place == NULL || overwrites_input(k)) &&
	       (k->lanes_apart || lane_stride(k, &k->dst) == 1);
}

/* Can a member be computed on vectors? Of conversions those between floats and integers that hold each other's values. */
static bool has_vector(const struct node *n)
{
	const enum dtype type = compute_type(n);
	bool literal[MAX_EXPR_IN] = { false };
	double number;

	if (n->nin > MAX_EXPR_IN || !is_vector_type(n->out[0]->type) || n->op->result == RESULT_TEST)
		return false;
	if (is_a(n, IS_TABLE))
		return is_vector_type(n->in[0]->type) && dtypes[n->out[0]->type].size == 1;
	for (int j = 0; j < n->nin; j++) {
		literal[j] = const_uniform(n->in[j], &number);
		if (!literal[j] && !is_vector_type(n->in[j]->type))
			return false;
	}
	if (n->op->result == RESULT_CAST && !is_a(n, IS_SINGLE))
		return n->out[0]->type == DT_F32;
	return expr_has_vector(n->op, n, type, literal);
}

bool has_vector_epilogue(const struct kernel *k)
{
	if (!may_use_lanes(k))
		return false;
	for (int i = 0; i < k->noperand; i++)
		if (lane_stride(k, &k->operand[i].region) != 1 && lane_stride(k, &k->operand[i].region) != 0)
			return false;
	for (int i = 0; i < k->ngroup; i++)
		if (!has_vector(k->group[i]))
			return false;
	return true;
}

/* The element of the input that is replaced: in the copy of its rows. */
static const char *held_text(const struct epilogue *x)
{
	const struct kernel *k = x->kernel;
	const int last = k->dst.shape.rank - 1;
	const int64_t width = k->dst.shape.dim[last], rows = k->hold / 4 / width;
	const char *row = "", *column = "0";

	for (int i = 0; i < k->ncoord; i++) {
		if (k->coord[i].n == 0)
			continue;
		if (k->coord[i].dim[0] == last)
			column = x->coord[i];
		else if (rows > 1)
			row = arena_printf(x->arena, "%s %% %lld * %lld + ",
				atom(x->arena, x->coord[i]), (long long)rows, (long long)width);
	}
	return arena_printf(x->arena, "held[%s%s]", row, column);
}

/* An element for all lanes, or the first of those that follow each other. */
static const char *vector_text(struct arena *a, enum dtype type, bool many, const char *element)
{
	if (!many)
		return arena_printf(a, type == DT_F32 ? "VEC_SET1(%s)" : "IVEC_SET1(%s)", element);
	if (type == DT_F32 || type == DT_I32)
		return arena_printf(a, type == DT_F32 ? "VEC_LOAD(&%s)" : "IVEC_LOAD(&%s)", element);
	return arena_printf(a, "IVEC_LOAD_%s(&%s)", dtypes[type].name, element);
}

static const char *operand_text(struct epilogue *x, int i)
{
	const struct arg *o = &x->kernel->operand[i];
	const char *index = index_text(x->arena, x->kernel, &o->region, x->coord), *element;

	if (x->kernel->in_place == o->region.buffer && overwrites_input(x->kernel))
		element = held_text(x);
	else if (x->kernel->in_place != NULL && o->region.buffer == x->kernel->in_place)
		element = arena_printf(x->arena, "y[%s]", index);
	else
		element = arena_printf(x->arena, "z%d[%s]", i, index);
	if (x->vector)
		return vector_text(x->arena, o->region.type, lane_stride(x->kernel, &o->region) == 1, element);
	element = apply_format(x->arena, load_format(o->region.type), element);
	if (!o->region.windowed)
		return element;
	return arena_printf(x->arena, "(%s ? %s : %s)",
		window_test(x->arena, x->kernel, &o->region, x->coord), element,
		o->tensor->type == DT_F32 ? "0.0f" : "0");
}

/* Is a member's result worth no name: read once, by one member? */
static bool is_inline(const struct kernel *k, const struct node *n)
{
	const struct tensor *t = n->out[0];
	const struct node *user = t->nuser == 1 ? t->user->node : NULL;

	if (user == NULL || t == k->out || n->op->result == RESULT_CAST || is_a(n, IS_TABLE) || is_a(user, IS_TABLE) ||
		(dtypes[t->type].size < 4 && n->op->result != RESULT_TEST))
		return false;
	for (int i = 0; i < user->nin; i++)
		if (user->in[i] == t)
			return expr_uses(user->op, i) == 1;
	return false;
}

static const char *node_text(struct epilogue *x, int member);

static const char *input_text(struct epilogue *x, const struct tensor *t, enum dtype type)
{
	const struct kernel *k = x->kernel;
	double number;

	if (t == k->whole && k->value != NULL)
		return is_a(k->anchor, IS_EXACT) ? "a" : x->value; /* so named in their templates */
	for (int i = 0; i < k->nstacked; i++)
		if (k->stacked[i]->out[0] == t)
			return i == 0 ? "b" : "c"; /* so named in the templates that stack */
	for (int i = 0; i < k->ngroup; i++)
		if (k->group[i]->out[0] == t)
			return is_inline(k, k->group[i]) ? node_text(x, i)
							 : arena_printf(x->arena, "v%d", i);
	for (int i = 0; i < k->noperand; i++)
		if (k->operand[i].tensor == t && !k->operand[i].is_table)
			return operand_text(x, i);
	if (!const_uniform(t, &number))
		die("operand %s of a kernel is nowhere", t->name);
	struct buf b = { 0 };

	print_literal(&b, number, t->type == DT_BOOL ? DT_I32 : type, x->vector);
	const char *text = arena_strdup(x->arena, b.data);

	buf_release(&b);
	return text;
}

static const char *unwrapped(struct arena *a, const char *text)
{
	size_t len = strlen(text);
	int depth = 0;

	if (text[0] != '(' || text[len - 1] != ')')
		return text;
	for (size_t i = 0; i < len; i++) {
		depth += (text[i] == '(') - (text[i] == ')');
		if (depth == 0 && i + 1 < len)
			return text;
	}
	return arena_printf(a, "%.*s", (int)(len - 2), text + 1);
}

/* Floats become integers by a function for which all of them are defined; small types take the low
 * bits of a larger one. */
static const char *truncated_text(struct arena *a, enum dtype to, const char *x)
{
	const bool wide = to == DT_U64, medium = to == DT_I64 || to == DT_U32;
	const char *text = arena_printf(a, "cast_%s(%s)",
		wide     ? "u64"
		: medium ? "i64"
			 : "i32",
		unwrapped(a, x));

	return wide || to == DT_I64 || to == DT_I32
		       ? text
		       : arena_printf(a, "(%s)%s", dtypes[to].ctype, text);
}

static const char *cast_text(const struct epilogue *e, const struct node *n, const char *x)
{
	enum dtype from = n->in[0]->type, to = n->out[0]->type;
	struct arena *a = e->arena;

	if (from == to)
		return x;
	if (e->vector)
		return arena_printf(a, "VEC_FROM(%s)", x);
	if (to == DT_BOOL)
		return arena_printf(a, "%s != %s", x, from == DT_F32 ? "0.0f" : "0");
	if (from == DT_F32)
		return truncated_text(a, to, x);
	return arena_printf(a, "(%s)%s", dtypes[to].ctype, atom(a, x));
}

/* A name, an element or a call: needs no parentheses inside another expression. */
static bool is_operand(const char *text)
{
	size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz_0123456789.");
	int depth = 0;

	for (const char *c = text + n; *c != '\0'; c++) {
		depth += (*c == '(' || *c == '[') - (*c == ')' || *c == ']');
		if (depth == 0 && c[1] != '\0')
			return false;
	}
	return n > 0;
}

/* A Quantize or Requantize of a known zero point. */
static bool is_steps(const struct node *n, double *zero)
{
	return is_a(n, IS_STEP) && is_a(n, IS_SINGLE) && const_uniform(n->in[2], zero);
}

/* On vectors such a member's value is less its zero point where no other than Dequantize reads it, which wants it so. */
static bool is_less_zero(const struct kernel *k, const struct tensor *t)
{
	double zero, other;
	int member = 0;

	while (member < k->ngroup && k->group[member]->out[0] != t)
		member++;
	if (member == k->ngroup || t == k->out || !is_steps(k->group[member], &zero))
		return false;
	for (int i = 0; i < t->nuser; i++)
		if (!is_op(t->user[i].node, "Dequantize") ||
			!const_uniform(t->user[i].node->in[2], &other) || other != zero)
			return false;
	return true;
}

static const char *number_text(const struct epilogue *x, double number)
{
	struct buf b = { 0 };

	print_literal(&b, number, DT_F32, true);
	return buf_text(x->arena, &b);
}

static const char *bounded_text(const struct epilogue *x, const char *v, double least, double most)
{
	return arena_printf(x->arena, "VEC_MIN(VEC_MAX(%s, %s), %s)", v, number_text(x, least),
		number_text(x, most));
}

/* The vector of a Quantize or Requantize; a line before it has what is divided. */
static const char *steps_text(
	struct epilogue *x, struct buf *out, const char *indent, int member, double zero)
{
	const struct node *n = x->kernel->group[member];
	const int low = (int)(attr_float(n, "low", 0.0) - zero),
		  high = (int)(attr_float(n, "high", 0.0) - zero);
	const char *v = input_text(x, n->in[0], DT_F32), *by = input_text(x, n->in[1], DT_F32);
	const bool divides = is_op(n, "Quantize");
	struct quotient q;
	double divisor;

	if (n->in[0]->type != DT_F32)
		v = arena_printf(x->arena, "VEC_FROM(%s)", v);
	if (divides && const_uniform(n->in[1], &divisor) &&
		quotient_of(&q, (float)divisor, low, high)) {
		buf_printf(out, "%sconst VEC q%d = %s;\n", indent, member,
			bounded_text(x, v, q.least_x, q.most_x));
		v = arena_printf(x->arena, "VEC_OVER(q%d, %s, %s, %s)", member, by,
			number_text(x, q.high), number_text(x, q.low));
	} else {
		v = bounded_text(x,
			arena_printf(x->arena, "VEC_%s(%s, %s)", divides ? "DIV" : "MUL", v, by),
			low, high);
	}
	return arena_printf(x->arena,
		zero == 0.0 || is_less_zero(x->kernel, n->out[0])
			? "IVEC_NEAR(%s)"
			: "IVEC_ADD(IVEC_NEAR(%s), IVEC_SET1(%d))",
		v, (int)zero);
}

/* A sum of 32 bits, made one of few by known factors, which are finite, and a zero point: in integers but for the factor. */
static bool requantizes(const struct node *n, double *zero)
{
	if (!is_op(n, "Requantize") || n->in[0]->type != DT_I32 || !is_const(n->in[1]) ||
		!const_uniform(n->in[2], zero))
		return false;
	for (int64_t i = 0; i < shape_count(&n->in[1]->shape); i++)
		if (!isfinite((float)const_f64(n->in[1], i)))
			return false;
	return true;
}

static const char *requantize_text(
	struct arena *a, const struct node *n, const char *sum, const char *factor, double zero)
{
	const int low = (int)(attr_float(n, "low", 0.0) - zero), high = (int)(attr_float(n, "high", 0.0) - zero);
	const char *call = arena_printf(a, "requantize_i32(%s, %s, %d, %d)", unwrapped(a, sum), unwrapped(a, factor), low, high);

	return zero < 0.0   ? arena_printf(a, "%s - %d", call, -(int)zero)
	       : zero > 0.0 ? arena_printf(a, "%s + %d", call, (int)zero)
			    : call;
}

/* The element of the table that v, of 8 bits, says. */
static const char *looked_up(const struct epilogue *x, const struct node *n, const char *v)
{
	const struct arg *table = x->kernel->operand;

	while (!table->is_table || table->tensor != n->in[1])
		table++;
	const char *name = arena_printf(x->arena, "z%d", (int)(table - x->kernel->operand));

	if (x->vector)
		return arena_printf(x->arena, "IVEC_LOOK_%s(%s, %s)", dtypes[n->out[0]->type].name, name, v);
	return arena_printf(x->arena, n->in[0]->type == DT_U8 ? "%s[%s]" : "%s[(uint8_t)%s]", name, v);
}

/* The C expression of a member; in parentheses when it is to stand inside another. */
static const char *node_text(struct epilogue *x, int member)
{
	const struct node *n = x->kernel->group[member];
	const char *in[MAX_EXPR_IN] = { "", "", "", "" }, *text;
	struct buf b = { 0 };
	double number;

	if (is_a(n, IS_TABLE))
		return looked_up(x, n, input_text(x, n->in[0], n->in[0]->type));
	for (int i = 0; i < n->nin && i < MAX_EXPR_IN; i++)
		in[i] = input_text(x, n->in[i], compute_type(n));
	if (!x->vector && requantizes(n, &number))
		return requantize_text(x->arena, n, in[0], in[1], number);
	for (int i = 0; is_a(n, IS_SINGLE) && i < (x->vector ? n->nin : 1); i++)
		if (n->in[i]->type != DT_F32 && !const_uniform(n->in[i], &number))
			in[i] = x->vector ? arena_printf(x->arena, "VEC_FROM(%s)", in[i])
					  : arena_printf(x->arena, "(float)%s", atom(x->arena, in[i]));
	if (n->op->result == RESULT_CAST && !is_a(n, IS_SINGLE))
		return cast_text(x, n, in[0]);
	if (x->vector && is_op(n, "Dequantize") &&
		(is_less_zero(x->kernel, n->in[0]) ||
			(const_uniform(n->in[2], &number) && number == 0.0)))
		return arena_printf(x->arena, "VEC_MUL(%s, %s)", in[0], in[1]);
	expr_print(&b, n->op, n, compute_type(n), x->vector, in);
	text = arena_strdup(x->arena, b.data);
	buf_release(&b);
	return is_inline(x->kernel, n) && !is_operand(text) ? arena_printf(x->arena, "(%s)", text)
							    : text;
}

/* A member's value, made to fit its type. */
static const char *fitted(const struct epilogue *x, const struct node *n, const char *text)
{
	enum dtype type = n->out[0]->type;
	struct arena *a = x->arena;
	double zero;

	if (x->vector)
		return is_a(n, IS_SINGLE) && type != DT_F32 ? arena_printf(a, "IVEC_FROM(%s)", text)
							    : unwrapped(a, text);

	if (is_a(n, IS_SINGLE) && type != DT_F32 && !requantizes(n, &zero)) /* by way of int32_t, as vectors have it */
		return arena_printf(a, "(%s)(int32_t)(%s)", dtypes[type].ctype, unwrapped(a, text));
	return dtypes[type].size < 4 && !is_a(n, IS_TABLE) ? arena_printf(a, "(%s)(%s)", dtypes[type].ctype, text)
				     : unwrapped(a, text);
}

/* Which stage computes each member: tables have stages of their own, and all is as late as may be, so that little is kept.
 * Returns how many there are. */
static int stages_of(const struct kernel *k, int *stage)
{
	int last = 0;

	for (int i = k->ngroup - 1; i >= 0; i--) {
		const bool table = is_a(k->group[i], IS_TABLE);

		stage[i] = 0; /* before the last one */
		for (int j = i + 1; j < k->ngroup; j++)
			for (int in = 0; in < k->group[j]->nin; in++)
				if (k->group[j]->in[in] == k->group[i]->out[0] &&
					stage[i] < stage[j] + (table != is_a(k->group[j], IS_TABLE)))
					stage[i] = stage[j] + (table != is_a(k->group[j], IS_TABLE));
		last = stage[i] > last ? stage[i] : last;
	}
	for (int i = 0; i < k->ngroup; i++)
		stage[i] = last - stage[i];
	return last + 1;
}

static void write_member(struct epilogue *x, struct buf *out, const char *indent, int i)
{
	const struct node *n = x->kernel->group[i];
	double zero;

	if (is_inline(x->kernel, n))
		return;
	const char *text = x->vector && is_steps(n, &zero) ? steps_text(x, out, indent, i, zero)
							   : fitted(x, n, node_text(x, i));

	if (n->out[0] == x->kernel->out)
		buf_printf(out, "%s%s = %s;\n", indent, x->value, text);
	else
		buf_printf(out, "%sconst %s v%d = %s;\n", indent,
			!x->vector                  ? dtypes[n->out[0]->type].ctype
			: n->out[0]->type == DT_F32 ? "VEC"
						    : "IVEC",
			i, text);
}

void write_epilogue(const void *ctx, struct buf *out, const char *indent, const char *value,
	bool vector, char *const *coord, int ncoord)
{
	const struct kernel *k = ctx;
	struct epilogue own = { .arena = k->plan->arena,
		.kernel = k,
		.coord = coord,
		.value = value,
		.vector = vector },
			*x = &own;

	if (ncoord != k->ncoord)
		die("template %s has %d coordinates, kernel %s %d", k->template, ncoord,
			k->row->name, k->ncoord);
	if (k->anchor == NULL && k->ngroup == 0) {
		const char *text = unwrapped(x->arena, operand_text(x, 0));

		buf_printf(out, "%s%s = %s;\n", indent, value,
			apply_format(x->arena, store_format(k->dst.type), text));
		return;
	}
	int *stage = arena_alloc(x->arena, (size_t)(k->ngroup + 1) * sizeof(*stage));
	const int stages = stages_of(k, stage);

	for (int s = 0; s < stages; s++) {
		if (stages > 1 && !vector)
			buf_printf(out, "%sSTAGE;\n", indent);
		for (int i = 0; i < k->ngroup; i++)
			if (stage[i] == s)
				write_member(x, out, indent, i);
	}
}

/* L(..): the epilogue does not look at the anchor's value. */
static void write_closed(const struct kernel *k, struct buf *out, char *const *coord)
{
	struct epilogue scalar = { .arena = k->plan->arena, .kernel = k, .coord = coord };
	const struct node *keep = k->keep;
	const bool below = is_op(keep, "Below");
	const char *gate = input_text(&scalar, keep->in[0], DT_F32);

	buf_puts(out, below ? gate : "");
	buf_puts(out, below ? " < " : "");
	print_number(out, attr_float(keep, "limit", 0), DT_F32);
	buf_puts(out, below ? "" : " < ");
	buf_puts(out, below ? "" : gate);
}

void write_access(const void *ctx, struct buf *out, char letter, char *const *coord, int ncoord)
{
	const struct kernel *k = ctx;

	if (letter == 'L' && k->keep != NULL && ncoord == k->ncoord) {
		write_closed(k, out, coord);
		return;
	}
	if (letter != 'Y' || ncoord != k->ncoord)
		die("template %s: access %c with %d coordinates", k->template, letter, ncoord);
	buf_printf(out, "y[%s]", index_text(k->plan->arena, k, &k->dst, coord));
}
