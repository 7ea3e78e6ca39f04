/* Elementwise expressions: parsed, run on doubles and on integers, printed as C. */
#include "core/skipc.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the vocabulary of expressions ---- */

static int64_t wrap(uint64_t v)
{
	return (int64_t)v; /* two's complement, as gcc and clang define it */
}

/* With the sign of the divisor. */
static int64_t modulo(int64_t a, int64_t b)
{
	int64_t r = b == 0 || b == -1 ? 0 : a % b;

	return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

static int64_t power(int64_t x, int64_t n)
{
	uint64_t base = (uint64_t)x, r = 1;

	if (n < 0)
		return x == 1 ? 1 : x == -1 ? (n % 2 != 0 ? -1 : 1) : 0;
	for (; n > 0; n /= 2, base *= base)
		r *= n % 2 != 0 ? base : 1;
	return wrap(r);
}

/* What has no value: ops.def's types keep such operands away. */
static int64_t no_integers(const int64_t *x)
{
	(void)x;
	die("a word of floats in an expression of integers");
}

static double no_floats(const double *x)
{
	(void)x;
	die("a word of integers in an expression of floats");
}

/* Even where there are two; of NaN the least. */
static double nearest(const double *x)
{
	const double v = x[0] > x[1] ? x[0] : x[1], bounded = v < x[2] ? v : x[2];

	return bounded - remainder(bounded, 1.0);
}

#define U(k) ((uint64_t)x[k])
#define WORD(name, operands, c, value, vector, integer, wraps, whole, modular)                     \
	static double run_##name(const double *x)                                                  \
	{                                                                                          \
		return value;                                                                      \
	}                                                                                          \
	static int64_t whole_##name(const int64_t *x)                                              \
	{                                                                                          \
		return whole;                                                                      \
	}
#include "core/words.def"

/* A row of words.def. */
static const struct word {
	const char *name;
	int arity;
	const char *c;
	double (*run)(const double *x);
	int64_t (*run_whole)(const int64_t *x);
	bool modular;
	const char *vector, *integer, *wraps;
} words[] = {
#define WORD(name, operands, c, value, vector, integer, wraps, whole, modular)                     \
	{ #name, operands, c, run_##name, whole_##name, modular, vector, integer, wraps },
#include "core/words.def"
};

/* ---- expressions ---- */

#define MAX_TERM  48
#define MAX_DEPTH 24

/* A program is the expression in postfix order. */
struct program {
	bool modular;                     /* as each of its words is */
	double (*direct)(const double *); /* it is one word of the inputs as they stand; or null */
	int n;
	struct term {
		const struct word *word; /* null: an input or a number */
		int input;               /* -1: a number */
		double number;
	} term[MAX_TERM];
};

static struct term *add_term(struct program *p, const char *expr)
{
	if (p->n == MAX_TERM)
		die("expression too long: %s", expr);
	return &p->term[p->n++];
}

/* Parses one operand at *s: WORD(operand, ..), x<k>, $attribute or a number. */
static void parse_operand(
	struct program *p, const struct op *op, const struct node *n, const char **s)
{
	const char *start = *s;
	char name[32];
	size_t len = strspn(
		start, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$.");

	if (len == 0 || len >= sizeof(name))
		die("operator %s: cannot parse %s", op->name, start);
	memcpy(name, start, len);
	name[len] = '\0';
	*s += len;
	if (name[0] == 'x') {
		*add_term(p, op->expr) = (struct term){ .input = atoi(name + 1) };
	} else if (name[0] == '$') {
		*add_term(p, op->expr) = (struct term){ .input = -1,
			.number = attr_float(n, name + 1, NAN) };
	} else if (isdigit((unsigned char)name[0])) {
		*add_term(p, op->expr) = (struct term){ .input = -1, .number = strtod(name, NULL) };
	} else {
		const struct word *w = words, *end = words + sizeof(words) / sizeof(words[0]);

		while (w < end && strcmp(w->name, name) != 0)
			w++;
		if (w == end)
			die("operator %s: no word %s", op->name, name);
		for (int k = 0; k < w->arity; k++) {
			*s += strspn(*s, "(, ");
			parse_operand(p, op, n, s);
		}
		*s += strspn(*s, ")") > 0;
		*add_term(p, op->expr) = (struct term){ .word = w, .input = -1 };
		p->modular = p->modular && w->modular;
	}
}

struct program *expr_compile(struct arena *a, const struct op *op, const struct node *n)
{
	struct program *p = arena_alloc(a, sizeof(*p));
	const char *s = op->expr;
	bool in_order = true;

	p->modular = true;
	parse_operand(p, op, n, &s);
	for (int k = 0; k < p->n - 1; k++)
		in_order = in_order && p->term[k].word == NULL && p->term[k].input == k;
	p->direct = in_order && p->n > 1 ? p->term[p->n - 1].word->run : NULL;
	return p;
}

bool expr_is_modular(const struct program *p)
{
	return p->modular;
}

int expr_uses(const struct op *op, int input)
{
	int uses = 0;

	for (const char *s = op->expr; *s != '\0'; s++)
		uses += s[0] == 'x' && s[1] == '0' + input;
	return uses;
}

/* The value, by the words' function `run`. */
#define RUN_TERMS(type, run)                                                                       \
	type stack[MAX_DEPTH] = { 0 }, *top = stack;                                               \
                                                                                                   \
	for (const struct term *t = p->term; t < p->term + p->n; t++) {                            \
		top -= t->word != NULL ? t->word->arity : 0;                                       \
		*top = t->word != NULL ? t->word->run(top)                                         \
		       : t->input >= 0 ? x[t->input]                                               \
				       : (type)t->number;                                          \
		top++;                                                                             \
	}                                                                                          \
	return stack[0];

double expr_run(const struct program *p, const double *x)
{
	if (p->direct != NULL)
		return p->direct(x);
	RUN_TERMS(double, run)
}

static double rounded(double v)
{
	return (double)(float)v;
}

/* Of floats, double holds products and quotients so well that rounding them again changes nothing. */
double expr_run_single(const struct program *p, const double *x)
{
	double stack[MAX_DEPTH] = { 0 }, *top = stack;

	for (const struct term *t = p->term; t < p->term + p->n; t++) {
		top -= t->word != NULL ? t->word->arity : 0;
		*top = rounded(t->word != NULL ? t->word->run(top) : t->input >= 0 ? x[t->input] : t->number);
		top++;
	}
	return stack[0];
}

int64_t expr_run_whole(const struct program *p, const int64_t *x)
{
	RUN_TERMS(int64_t, run_whole)
}

/* A literal of that type; a float one has a point or an exponent, and reads back as the same float.
 */
void print_number(struct buf *out, double v, enum dtype type)
{
	char text[40];

	if (type != DT_F32) {
		buf_printf(out, dtypes[type].suffix[0] == 'u' ? "%.0fu" : "%.0f", v);
		return;
	}
	float f = (float)v;

	if (f != f || f - f != 0.0f) {
		buf_puts(out, f != f  ? "(inf_f32() - inf_f32())"
			      : f > 0 ? "inf_f32()"
				      : "-inf_f32()");
		return;
	}
	for (int digits = 1; digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)f);
		if (strtof(text, NULL) == f)
			break;
	}
	if (strchr(text, 'e') != NULL && fabsf(f) >= 1.0f && fabsf(f) < 1e6f)
		snprintf(text, sizeof(text), "%.0f", (double)f); /* not 1.3e+02 */
	buf_printf(out, "%s%sf", text, strpbrk(text, ".e") != NULL ? "" : ".0");
}

static const char *word_form(const struct word *w, enum dtype type)
{
	if (type != DT_F32 && w->wraps != NULL && dtypes[type].suffix[0] == 'i')
		return w->wraps;
	return type != DT_F32 && w->integer != NULL ? w->integer : w->c;
}

/* The C of one word, from the texts of its operands; parenthesised unless it is a call. */
static char *print_word(struct arena *a, const struct word *w, enum dtype type, char **operand)
{
	const char *form = word_form(w, type);
	struct buf b = { 0 };
	bool call = isalpha((unsigned char)form[0]) && form[strlen(form) - 1] == ')';
	char *text;

	buf_puts(&b, call ? "" : "(");
	for (const char *c = form; *c != '\0'; c++) {
		if (*c == '@') {
			buf_puts(&b, dtypes[type].suffix);
		} else if (*c == '%' && call && (*operand)[0] == '(') {
			/* an argument needs no parentheses of its own */
			buf_add(&b, *operand + 1, strlen(*operand) - 2);
			operand++;
		} else if (*c == '%') {
			buf_puts(&b, *operand++);
		} else {
			buf_add(&b, c, 1);
		}
	}
	buf_puts(&b, call ? "" : ")");
	text = arena_strdup(a, b.data);
	buf_release(&b);
	return text;
}

/* Is it all lanes of a vector set to one literal? */
static bool is_literal(const char *text)
{
	static const char set[] = "VEC_SET1(";

	text += text[0] == 'I';
	const char *number = text + strlen(set);

	return strncmp(text, set, strlen(set)) == 0 &&
	       (isdigit((unsigned char)*number) || *number == '-');
}

/*
 * The same on vectors. MAX and MIN give a NaN where max_f32() and min_f32() do if their first
 * operand is no NaN: the literal one.
 */
static char *print_vector_word(struct arena *a, const struct word *w, enum dtype type, char **operand)
{
	const bool swap = (w->run == run_MAX || w->run == run_MIN) && is_literal(operand[1]);
	struct buf b = { 0 };
	int n = 0;

	buf_puts(&b, type == DT_F32 ? "" : "I");
	for (const char *c = w->vector; *c != '\0'; c++)
		if (*c == '%')
			buf_puts(&b, operand[n++ ^ (int)swap]);
		else
			buf_add(&b, c, 1);
	return buf_text(a, &b);
}

/* Is an operand's text a float? */
static bool float_of_text(const char *text, bool vector, double *value)
{
	const size_t set = vector && is_literal(text) ? strlen("VEC_SET1(") : 0;
	char *end;

	*value = strtod(text + set, &end);
	return end > text + set && end[0] == 'f' && end[1] == (set > 0 ? ')' : '\0');
}

/* x - 0 is x, of what NEAR gives x + 0, too; and of two numbers it is one where that is exact. Null: it is neither. */
static char *print_folded(struct arena *a, const struct word *w, bool vector, char **operand, bool near)
{
	struct buf number = { 0 };
	double x, y;

	if ((w->run != run_SUB && !(w->run == run_ADD && near)) || !float_of_text(operand[1], vector, &y))
		return NULL;
	if (y == 0.0 && !signbit(y))
		return operand[0];
	if (w->run != run_SUB || !float_of_text(operand[0], vector, &x) || rounded(x - y) != x - y || x - y == 0.0)
		return NULL;
	print_literal(&number, x - y, DT_F32, vector);
	return buf_text(a, &number);
}

/* The word on vectors of that type: integers are lanes of 32 bits, of which small ones have the range. */
static bool has_vector_word(const struct word *w, enum dtype type)
{
	const bool choice = w->run == run_MAX || w->run == run_MIN;

	if (type == DT_F32)
		return w->vector != NULL;
	return choice || (type == DT_I32 && (w->run == run_ADD || w->run == run_SUB));
}

/* What an operand of a word is. */
enum operand { OPERAND_VALUE, OPERAND_LITERAL, OPERAND_TEST };

/* MAX and MIN want a literal; what LT gives is SEL's first operand, and nothing else. */
static bool takes_vectors(const struct word *w, enum dtype type, const enum operand *x)
{
	bool possible = has_vector_word(w, type), literal = type != DT_F32;

	for (int k = 0; k < w->arity; k++) {
		possible = possible && (x[k] == OPERAND_TEST) == (w->run == run_SEL && k == 0);
		literal = literal || x[k] == OPERAND_LITERAL;
	}
	return possible && (literal || (w->run != run_MAX && w->run != run_MIN));
}

bool expr_has_vector(const struct op *op, const struct node *n, enum dtype type, const bool *literal)
{
	struct arena a = { 0 };
	const struct program *p = expr_compile(&a, op, n);
	enum operand stack[MAX_DEPTH] = { OPERAND_VALUE };
	bool possible = true;
	int depth = 0;

	for (int k = 0; k < p->n; k++) {
		const struct term *t = &p->term[k];
		const bool number = t->input < 0 || literal[t->input];
		enum operand is = number ? OPERAND_LITERAL : OPERAND_VALUE;

		if (t->word != NULL) {
			depth -= t->word->arity;
			possible = possible && takes_vectors(t->word, type, &stack[depth]);
			is = t->word->run == run_LT ? OPERAND_TEST : OPERAND_VALUE;
		}
		stack[depth++] = is;
	}
	arena_release(&a);
	return possible && stack[0] != OPERAND_TEST;
}

void print_literal(struct buf *out, double v, enum dtype type, bool vector)
{
	buf_puts(out, !vector ? "" : type == DT_F32 ? "VEC_SET1(" : "IVEC_SET1(");
	print_number(out, v, type);
	buf_puts(out, vector ? ")" : "");
}

void expr_print(struct buf *out, const struct op *op, const struct node *n, enum dtype type,
	bool vector, const char *const *x)
{
	struct arena a = { 0 };
	const struct program *p = expr_compile(&a, op, n);
	char *stack[MAX_DEPTH] = { NULL };
	bool near[MAX_DEPTH] = { false }, wrapped = false; /* the last one is in parentheses, perhaps */
	int depth = 0;

	for (int k = 0; k < p->n; k++) {
		const struct term *t = &p->term[k];
		struct buf number = { 0 };

		if (t->word != NULL) {
			depth -= t->word->arity;
			char *folded = type == DT_F32 ? print_folded(&a, t->word, vector, &stack[depth], near[depth]) : NULL;

			wrapped = folded == NULL;
			stack[depth] = folded != NULL ? folded
				       : vector ? print_vector_word(&a, t->word, type, &stack[depth])
						: print_word(&a, t->word, type, &stack[depth]);
		} else if (t->input >= 0) {
			stack[depth] = arena_strdup(&a, x[t->input]);
		} else {
			print_literal(&number, t->number, type, vector);
			stack[depth] = arena_strdup(&a, number.data);
			buf_release(&number);
		}
		near[depth++] = t->word != NULL && t->word->run == run_NEAR;
	}
	if (depth != 1)
		die("operator %s: its expression is not one value", op->name);
	size_t len = strlen(stack[0]);

	if (wrapped && stack[0][0] == '(')
		buf_add(out, stack[0] + 1, len - 2);
	else
		buf_puts(out, stack[0]);
	arena_release(&a);
}
