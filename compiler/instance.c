/* Kernels as C: instances of templates with their epilogues filled in, alike ones shared. */
#include "ctext.h"
#include "emission.h"

#include <ctype.h>
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
	struct kernel *kernel;
	char *const *coord;
	const char *value;  /* what the template has computed */
	const char *vector; /* null, or the prefix of the intrinsics for vectors of channels */
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

/* How far apart channels, coordinate 1 of convolutions, lie in r; -1: not evenly. */
static int64_t channel_stride(const struct kernel *k, const struct region *r)
{
	const struct coord *c = &k->coord[1];

	if (k->ncoord < 2 || c->n != 1 || r->windowed || r->type != DT_F32)
		return -1;
	return r->shape.dim[c->dim[0]] > 1 ? r->stride[c->dim[0]] : 0;
}

/* Can the epilogue be computed on vectors of channels? */
static bool has_vector_epilogue(const struct kernel *k)
{
	bool literal[MAX_EXPR_IN] = { false };
	double number;

	if (k->nstacked > 0 || channel_stride(k, &k->dst) != 1)
		return false;
	for (int i = 0; i < k->noperand; i++)
		if (channel_stride(k, &k->operand[i].region) != 1 &&
			channel_stride(k, &k->operand[i].region) != 0)
			return false;
	for (int i = 0; i < k->ngroup; i++) {
		const struct node *n = k->group[i];

		if (n->nin > MAX_EXPR_IN || n->out[0]->type != DT_F32)
			return false;
		for (int j = 0; j < n->nin; j++)
			literal[j] = const_uniform(n->in[j], &number);
		if (!expr_has_vector(n->op, n, literal))
			return false;
	}
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
	if (x->vector != NULL)
		return arena_printf(x->arena,
			channel_stride(x->kernel, &o->region) == 1 ? "%s_loadu_ps(&%s)"
								   : "%s_set1_ps(%s)",
			x->vector, element);
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

	if (user == NULL || t == k->out || (dtypes[t->type].size < 4 && !n->op->test) ||
		strcmp(n->op->name, "Cast") == 0)
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
		return x->value;
	for (int i = 0; i < k->nstacked; i++)
		if (k->stacked[i]->out[0] == t)
			return i == 0 ? "b" : "c"; /* so named in the templates that stack */
	for (int i = 0; i < k->ngroup; i++)
		if (k->group[i]->out[0] == t)
			return is_inline(k, k->group[i]) ? node_text(x, i)
							 : arena_printf(x->arena, "v%d", i);
	for (int i = 0; i < k->noperand; i++)
		if (k->operand[i].tensor == t)
			return operand_text(x, i);
	if (!const_uniform(t, &number))
		die("operand %s of a kernel is nowhere", t->name);
	struct buf b = { 0 };

	print_literal(&b, number, t->type == DT_BOOL ? DT_I32 : type, x->vector);
	const char *text = arena_strdup(x->arena, b.data);

	buf_release(&b);
	return text;
}

/* The type that a node's expression is computed in. */
static enum dtype compute_type(const struct node *n)
{
	bool first = n->op->test || strcmp(n->op->name, "Cast") == 0 ||
		     strcmp(n->op->name, "Pow") == 0;

	return first ? n->in[0]->type : n->out[0]->type;
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
	const char *text = arena_printf(
		a, "cast_%s(%s)", wide ? "u64" : medium ? "i64" : "i32", unwrapped(a, x));

	return wide || to == DT_I64 || to == DT_I32
		       ? text
		       : arena_printf(a, "(%s)%s", dtypes[to].ctype, text);
}

static const char *cast_text(struct arena *a, const struct node *n, const char *x)
{
	enum dtype from = n->in[0]->type, to = n->out[0]->type;

	if (from == to)
		return x;
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

/* The C expression of a member; in parentheses when it is to stand inside another. */
static const char *node_text(struct epilogue *x, int member)
{
	const struct node *n = x->kernel->group[member];
	const char *in[MAX_EXPR_IN] = { "", "", "", "" }, *text;
	struct buf b = { 0 };

	for (int i = 0; i < n->nin && i < MAX_EXPR_IN; i++)
		in[i] = input_text(x, n->in[i], compute_type(n));
	if (strcmp(n->op->name, "Cast") == 0)
		return cast_text(x->arena, n, in[0]);
	expr_print(&b, n->op, n, compute_type(n), x->vector, in);
	text = arena_strdup(x->arena, b.data);
	buf_release(&b);
	return is_inline(x->kernel, n) && !is_operand(text) ? arena_printf(x->arena, "(%s)", text)
							    : text;
}

/* A member's value, made to fit its type. */
static const char *fitted(struct arena *a, const struct node *n, const char *text)
{
	enum dtype type = n->out[0]->type;

	return dtypes[type].size < 4 ? arena_printf(a, "(%s)(%s)", dtypes[type].ctype, text)
				     : unwrapped(a, text);
}

/* __m512, of the prefix _mm512 */
static const char *vector_type(struct arena *a, const char *prefix)
{
	return arena_printf(a, "__m%s", prefix + strlen("_mm"));
}

static void write_epilogue(void *ctx, struct buf *out, const char *indent, const char *value,
	bool vector, char *const *coord, int ncoord)
{
	struct epilogue own = *(struct epilogue *)ctx, *x = &own;
	const struct kernel *k = x->kernel;

	if (ncoord != k->ncoord)
		die("template %s has %d coordinates, kernel %s %d", k->row->template, ncoord,
			k->row->name, k->ncoord);
	x->coord = coord;
	x->value = value;
	x->vector = vector ? x->vector : NULL;
	if (k->anchor == NULL && k->ngroup == 0) {
		const char *text = unwrapped(x->arena, operand_text(x, 0));

		buf_printf(out, "%s%s = %s;\n", indent, value,
			apply_format(x->arena, store_format(k->dst.type), text));
		return;
	}
	for (int i = 0; i < k->ngroup; i++) {
		const struct node *n = k->group[i];

		if (is_inline(k, n))
			continue;
		const char *text = fitted(x->arena, n, node_text(x, i));

		if (n->out[0] == k->out)
			buf_printf(out, "%s%s = %s;\n", indent, value, text);
		else
			buf_printf(out, "%sconst %s v%d = %s;\n", indent,
				vector ? vector_type(x->arena, x->vector)
				       : dtypes[n->out[0]->type].ctype,
				i, text);
	}
}

/* L(..): the epilogue does not look at the anchor's value. */
static void write_closed(const struct epilogue *x, struct buf *out, char *const *coord)
{
	struct epilogue scalar = { .arena = x->arena, .kernel = x->kernel, .coord = coord };
	const struct node *keep = x->kernel->keep;
	const bool below = is_op(keep, "Below");
	const char *gate = input_text(&scalar, keep->in[0], DT_F32);

	buf_puts(out, below ? gate : "");
	buf_puts(out, below ? " < " : "");
	print_number(out, attr_float(keep, "limit", 0), DT_F32);
	buf_puts(out, below ? "" : " < ");
	buf_puts(out, below ? "" : gate);
}

static void write_access(void *ctx, struct buf *out, char letter, char *const *coord, int ncoord)
{
	const struct epilogue *x = ctx;

	if (letter == 'L' && x->kernel->keep != NULL && ncoord == x->kernel->ncoord) {
		write_closed(x, out, coord);
		return;
	}
	if (letter != 'Y' || ncoord != x->kernel->ncoord)
		die("template %s: access %c with %d coordinates", x->kernel->row->template, letter,
			ncoord);
	buf_printf(out, "y[%s]", index_text(x->arena, x->kernel, &x->kernel->dst, coord));
}

/* ---- names and comments ---- */

/* `, const float *restrict z0`: operands other than what is overwritten. */
static const char *operand_parameters(struct arena *a, const struct kernel *k)
{
	const char *text = "";

	for (int i = 0; i < k->noperand; i++)
		if (k->in_place == NULL || k->operand[i].region.buffer != k->in_place)
			text = arena_printf(a, "%s, const %s *restrict z%d", text,
				dtypes[k->operand[i].region.type].ctype, i);
	return text;
}

/* How the dimensions of r lie: "" for row by row. */
static const char *layout_text(const struct region *r)
{
	struct region rows = region_dense(r->type, &r->shape, NULL), same = *r;

	same.offset = 0;
	same.buffer = NULL;
	if (region_same(&rows, &same))
		return "";
	if (r->shape.rank > 2 && r->stride[1] == 1)
		return " channels last";
	return r->windowed ? " in zero padding" : " strided";
}

static const char *lower(struct arena *a, const char *s)
{
	char *t = arena_strdup(a, s);

	for (char *c = t; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return t;
}

static const char *instance_comment(struct arena *a, const struct kernel *k)
{
	const char *text = arena_printf(a, "%s:", k->title);

	for (int i = 0; i < k->narg; i++)
		if (k->arg[i].region.buffer->kind != BUF_WEIGHTS &&
			k->arg[i].region.buffer->kind != BUF_TABLE)
			text = arena_printf(a, "%s x %s%s%s", text,
				shape_text(a, &k->arg[i].tensor->shape),
				layout_text(&k->arg[i].region),
				i == 0 && overwrites_input(k) ? ", replaced by y," : "");
	text = arena_printf(
		a, "%s -> y %s%s", text, shape_text(a, &k->dst.shape), layout_text(&k->dst));
	for (int i = 0; i < k->ngroup; i++)
		text = arena_printf(a, "%s%s%s", text, i > 0 ? " " : "; ", k->group[i]->op->name);
	for (int i = 0; i < k->noperand; i++) {
		const struct arg *o = &k->operand[i];
		bool over = k->in_place != NULL && o->region.buffer == k->in_place;

		text = arena_printf(a, "%s; z%d %s%s%s", text, i, shape_text(a, &o->tensor->shape),
			layout_text(&o->region), over ? ", replaced by y" : "");
	}
	return text;
}

/* conv3x3_s2_56x56x64_28x28x128_add_relu: what, from, to, and what is absorbed. */
static const char *base_name(struct arena *a, const struct kernel *k)
{
	const char *name = k->title;
	int most = 4;

	if (k->anchor == NULL && k->ngroup > 0)
		name = "";
	for (int i = 0; i < k->ngroup && k->anchor == NULL; i++)
		if (most-- > 0)
			name = arena_printf(a, "%s%s%s", name, i > 0 ? "_" : "",
				lower(a, k->group[i]->op->name));
	for (int d = 1; k->anchor != NULL && k->narg > 0 && d < k->arg[0].region.shape.rank; d++)
		name = arena_printf(a, "%s%s%lld", name, d > 1 ? "x" : "_",
			(long long)k->arg[0].region.shape.dim[d]);
	for (int d = k->dst.shape.rank > 1; d < k->dst.shape.rank; d++)
		name = arena_printf(a, "%s%s%lld", name, d > (k->dst.shape.rank > 1) ? "x" : "_",
			(long long)k->dst.shape.dim[d]);
	for (int i = 0; i < k->ngroup && k->anchor != NULL; i++)
		if (most-- > 0)
			name = arena_printf(a, "%s_%s", name, lower(a, k->group[i]->op->name));
	return name;
}

/* ---- instances ---- */

static const char placeholder[] = "skipc_instance";

/* What templates call the vector type and its intrinsics. */
static const char *const vector_word[][2] = {
	{ "VEC_ZERO", "setzero" },
	{ "VEC_SET1", "set1" },
	{ "VEC_LOAD", "loadu" },
	{ "VEC_STORE", "storeu" },
	{ "VEC_ADD", "add" },
	{ "VEC_FMADD", "fmadd" },
	{ "VEC_PERMUTE", "permute" },
};

enum { NVECTOR_WORD = 1 + sizeof(vector_word) / sizeof(vector_word[0]) };

static int vector_words(struct arena *a, const char *prefix, struct subst *to)
{
	to[0] = (struct subst){ "VEC", vector_type(a, prefix) };
	for (int i = 1; i < NVECTOR_WORD; i++)
		to[i] = (struct subst){ vector_word[i - 1][0],
			arena_printf(a, "%s_%s_ps", prefix, vector_word[i - 1][1]) };
	return NVECTOR_WORD;
}

/* Text of the kernel's functions, the last one under that name. isa null: the only version. */
static const char *version_text(struct plan *p, struct kernel *k, const char *name,
	const char *comment, const struct isa *isa)
{
	bool plain = isa == NULL || !isa->guarded;
	struct epilogue x = {
		.arena = p->arena, .kernel = k, .vector = isa != NULL ? isa->vector : NULL
	};
	struct instance_request r = {
		.template_name = plain && k->portable != NULL ? k->portable : k->row->template,
		.function = name,
		.comment = comment,
		.params = k->param,
		.nparams = k->nparam,
		.access = write_access,
		.epilogue = write_epilogue,
		.ctx = &x,
	};
	struct subst substs[MAX_SUBST + 2 + NVECTOR_WORD];
	const char *ranges[MAX_SHARE];

	memcpy(substs, k->subst, sizeof(k->subst));
	r.substs = substs;
	r.nsubsts = k->nsubst;
	substs[r.nsubsts++] = (struct subst){ "OPERANDS",
		arena_printf(p->arena, "%s%s", operand_parameters(p->arena, k),
			range_parameters(p->arena, k)) };
	substs[r.nsubsts++] = (struct subst){ "TARGET", isa != NULL ? isa->macro : "" };
	if (x.vector != NULL)
		r.nsubsts += vector_words(p->arena, x.vector, &substs[r.nsubsts]);
	r.ranges = ranges;
	r.nranges = cut_ranges(k, ranges);
	return template_instantiate(p->arena, &r);
}

static const char *replace_all(struct arena *a, const char *text, const char *from, const char *to)
{
	struct buf b = { 0 };
	const char *result;

	for (const char *hit; (hit = strstr(text, from)) != NULL; text = hit + strlen(from)) {
		buf_add(&b, text, (size_t)(hit - text));
		buf_puts(&b, to);
	}
	buf_puts(&b, text);
	result = arena_strdup(a, b.data);
	buf_release(&b);
	return result;
}

enum { MAX_ENDING = 32 };

/* What text appends to the placeholder to name functions and types, each once. */
static int endings_of(struct arena *a, const char *text, const char **to)
{
	int n = 0;

	for (const char *s = text; (s = strstr(s, placeholder)) != NULL;) {
		s += strlen(placeholder);
		const char *end = c_token_end(s);
		bool seen = *s != '_';

		for (int k = 0; k < n && !seen; k++)
			seen = c_same(s, end, to[k]);
		if (seen)
			continue;
		if (n == MAX_ENDING)
			die("a kernel of too many functions");
		to[n++] = c_copy(a, s, (size_t)(end - s));
	}
	return n;
}

/* ---- versions for instruction sets ---- */

static void set_param(struct kernel *k, const char *name, int64_t value)
{
	int i = 0;

	while (i < k->nparam && strcmp(k->param[i].name, name) != 0)
		i++;
	if (i == k->nparam)
		k->param[k->nparam++] = (struct param){ name, 0 };
	k->param[i].value = value;
}

/* The switches by which a template with intrinsics knows what it is compiled for. */
static void param_isa(struct kernel *k, const struct isa *isa)
{
	set_param(k, "AVX512", strcmp(isa->suffix, "avx512") == 0);
	set_param(k, "LANES", strcmp(isa->suffix, "avx512") == 0 ? 16 : 8);
	set_param(k, "VECTOR", has_vector_epilogue(k));
	if (k->in_place != NULL && !overwrites_input(k))
		set_param(k, "STRIPS", 0); /* they read twice what they replace */
}

/* `static void f(` at the start of a line becomes `static MACRO void f(`. */
static const char *with_attribute(struct arena *a, const char *text, const char *macro)
{
	const char *marked = macro[0] != '\0'
				     ? replace_all(a, arena_printf(a, "\n%s", text), "\nstatic ",
					       arena_printf(a, "\nstatic %s ", macro))
				     : text;

	marked = replace_all(a, marked, arena_printf(a, "static %s %s ", macro, macro),
		arena_printf(a, "static %s ", macro));
	return marked[0] == '\n' ? marked + 1 : marked;
}

/* The parameters of function `name` as its definition in text has them; *names: the same as
 * arguments. */
static const char *parameters_of(
	struct arena *a, const char *text, const char *name, const char **names)
{
	const char *start = text, *end, *hit;
	struct buf b = { 0 };

	for (const char *s = text; (hit = strstr(s, name)) != NULL; s = hit + 1)
		if (hit[strlen(name)] == '(')
			start = hit + strlen(name) + 1; /* the definition stands last */
	end = strstr(start, ")\n{");
	if (end == NULL)
		die("no definition of %s", name);
	for (const char *c = start; c < end;) {
		const char *comma = memchr(c, ',', (size_t)(end - c)),
			   *last = comma != NULL ? comma : end, *word = last;

		while (word > c && (isalnum((unsigned char)word[-1]) || word[-1] == '_'))
			word--;
		buf_printf(&b, "%s%.*s", b.len > 0 ? ", " : "", (int)(last - word), word);
		c = comma != NULL ? comma + 1 : end;
	}
	*names = arena_strdup(a, b.data);
	buf_release(&b);
	return arena_printf(a, "%.*s", (int)(end - start), start);
}

/* All versions, and the function that picks one. */
static const char *versions_text(struct plan *p, struct kernel *k)
{
	struct arena *a = p->arena;
	struct buf b = { 0 };
	const char *parameters = "", *names = "", *text;

	for (int i = 0; i < NISA; i++) {
		const char *name = arena_printf(a, "%s_%s", placeholder, isas[i].suffix);

		param_isa(k, &isas[i]);
		text = version_text(p, k, name,
			arena_printf(a, "%s: for %s", k->title, isas[i].suffix), &isas[i]);
		text = with_attribute(
			a, isas[i].guarded ? template_fused(a, text) : text, isas[i].macro);
		parameters = parameters_of(a, text, name, &names);
		if (i == 0)
			buf_puts(&b, "#if HAVE_X86\n");
		else if (!isas[i].guarded)
			buf_puts(&b, "#endif\n\n");
		buf_printf(&b, "%s\n", text);
	}
	bool whole = part_count(k) == 1;
	const char *comment = instance_comment(a, k);

	buf_printf(&b, "/* %s */\nstatic void %s%s(int isa, %s)\n{\n#if HAVE_X86\n",
		whole ? comment : "The versions, for a part of it.", placeholder,
		whole ? "" : "_range", parameters);
	for (int i = 0; isas[i].guarded; i++)
		buf_printf(&b, "\tif (isa == %s) {\n\t\t%s_%s(%s);\n\t\treturn;\n\t}\n",
			isas[i].name, placeholder, isas[i].suffix, names);
	buf_printf(&b, "#endif\n\t(void)isa;\n\t%s_%s(%s);\n}\n", placeholder,
		isas[NISA - 1].suffix, names);
	if (!whole)
		buf_printf(&b, "\n%s", parts_text(a, k, placeholder, comment, parameters, names));
	text = arena_strdup(a, b.data);
	buf_release(&b);
	return text;
}

static const char *instance_text(struct plan *p, struct kernel *k)
{
	set_param(k, "HELD", overwrites_input(k));
	return is_x86(p) ? versions_text(p, k)
			 : version_text(p, k, placeholder, instance_comment(p->arena, k), NULL);
}

/* Where text of that hash is among those of v, or will be: indices of v plus 1, hashed. */
static int *place_of(int *table, size_t size, const uint64_t *hash, const char *const *raw,
	const char *text, uint64_t h)
{
	size_t at = (size_t)h & (size - 1);

	while (table[at] > 0 &&
		(hash[table[at] - 1] != h || strcmp(raw[table[at] - 1], text) != 0))
		at = (at + 1) & (size - 1);
	return &table[at];
}

struct instance *instantiate(struct plan *p, const char *network, struct names *names, int *count)
{
	struct instance *v = arena_alloc(p->arena, (size_t)(p->nkernel + 1) * sizeof(*v));
	uint64_t *hash = arena_alloc(p->arena, (size_t)(p->nkernel + 1) * sizeof(*hash));
	const char **raw = arena_alloc(p->arena, (size_t)(p->nkernel + 1) * sizeof(*raw));
	const char *endings[MAX_ENDING];
	size_t size = 16;
	int n = 0;

	while (size < 2 * (size_t)p->nkernel)
		size *= 2;
	int *table = arena_alloc(p->arena, size * sizeof(*table));

	memset(table, 0, size * sizeof(*table));
	for (int i = 0; i < p->nkernel; i++) {
		struct kernel *k = p->kernel[i];
		const char *text = instance_text(p, k);
		uint64_t h = hash_text(text);
		int *place = place_of(table, size, hash, raw, text, h);

		if (*place == 0) {
			v[n].name = names_claim(names, NAME_FUNCTION, base_name(p->arena, k), endings,
				endings_of(p->arena, text, endings));
			v[n].text = replace_all(p->arena, text, placeholder, v[n].name);
			v[n].text = replace_all(p->arena, v[n].text, NETWORK, network);
			v[n].first = k;
			hash[n] = h;
			raw[n] = text;
			*place = ++n;
		}
		k->function = v[*place - 1].name;
	}
	*count = n;
	return v;
}
