/* Elementwise expressions: parsed, run on doubles, printed as C. */
#include "core/skipc.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the vocabulary of expressions ---- */

#define UNARY(word, value)                                                                         \
	static double run_##word(const double *x)                                                  \
	{                                                                                          \
		return value;                                                                      \
	}
#define BINARY UNARY
UNARY(NEG, -x[0])
UNARY(ABS, fabs(x[0]))
UNARY(NOT, x[0] == 0.0 ? 1.0 : 0.0)
UNARY(SQRT, sqrt(x[0]))
UNARY(EXP, math_exp(x[0]))
UNARY(EXPM1, math_exp(x[0]) - 1.0)
UNARY(LOG, math_log(x[0]))
UNARY(TANH, math_tanh(x[0]))
UNARY(SIGMOID, math_sigmoid(x[0]))
UNARY(SOFTPLUS, math_softplus(x[0]))
UNARY(ERF, math_erf(x[0]))
UNARY(SIN, math_sin(x[0]))
UNARY(COS, math_cos(x[0]))
UNARY(TAN, math_tan(x[0]))
UNARY(ASIN, math_asin(x[0]))
UNARY(ACOS, math_acos(x[0]))
UNARY(ATAN, math_atan(x[0]))
UNARY(SINH, math_sinh(x[0]))
UNARY(COSH, math_cosh(x[0]))
UNARY(ASINH, math_asinh(x[0]))
UNARY(ACOSH, math_acosh(x[0]))
UNARY(ATANH, math_atanh(x[0]))
UNARY(FLOOR, floor(x[0]))
UNARY(CEIL, ceil(x[0]))
UNARY(ROUND, x[0] - x[0] == 0.0 ? x[0] - remainder(x[0], 1.0) : x[0]) /* half to even */
BINARY(ADD, x[0] + x[1])
BINARY(SUB, x[0] - x[1])
BINARY(MUL, x[0] * x[1])
BINARY(DIV, x[0] / x[1])
BINARY(MOD, x[0] - floor(x[0] / x[1]) * x[1])
BINARY(FMOD, fmod(x[0], x[1]))
BINARY(POW, math_pow(x[0], x[1]))
BINARY(MAX, x[0] < x[1] || x[1] != x[1] ? x[1] : x[0])
BINARY(MIN, x[1] < x[0] || x[1] != x[1] ? x[1] : x[0])
BINARY(LT, x[0] < x[1] ? 1.0 : 0.0)
BINARY(LE, x[0] <= x[1] ? 1.0 : 0.0)
BINARY(EQ, x[0] == x[1] ? 1.0 : 0.0)
BINARY(AND, x[0] != 0.0 && x[1] != 0.0 ? 1.0 : 0.0)
BINARY(OR, x[0] != 0.0 || x[1] != 0.0 ? 1.0 : 0.0)
UNARY(none, x[0] - x[0]) /* for integers only: eval.c has them */
UNARY(SEL, x[0] != 0.0 ? x[1] : x[2])

/*
 * A word: its C ('%' stands for the next operand, '@' for the type's suffix; text that starts with
 * a letter is a call and needs no parentheses around it), its value on doubles, and the word
 * of vector code that does it on vectors of floats, if there is one.
 */
static const struct word {
	const char *name;
	int arity;
	const char *c;
	double (*run)(const double *x);
	const char *vector;
	const char *integer; /* its C on integers; null: the same */
	const char *wraps;   /* its C on signed integers, where the result may not fit; null: the same */
} words[] = {
	{ "NEG", 1, "-%", run_NEG, NULL, NULL, "neg_@(%)" },
	{ "ABS", 1, "abs_@(%)", run_ABS, NULL, NULL, NULL },
	{ "NOT", 1, "!%", run_NOT, NULL, NULL, NULL },
	{ "SQRT", 1, "sqrt_@(%)", run_SQRT, NULL, NULL, NULL },
	{ "EXP", 1, "exp_@(%)", run_EXP, NULL, NULL, NULL },
	{ "EXPM1", 1, "exp_@(%) - 1.0f", run_EXPM1, NULL, NULL, NULL },
	{ "LOG", 1, "log_@(%)", run_LOG, NULL, NULL, NULL },
	{ "TANH", 1, "tanh_@(%)", run_TANH, NULL, NULL, NULL },
	{ "SIGMOID", 1, "sigmoid_@(%)", run_SIGMOID, NULL, NULL, NULL },
	{ "SOFTPLUS", 1, "softplus_@(%)", run_SOFTPLUS, NULL, NULL, NULL },
	{ "ERF", 1, "erf_@(%)", run_ERF, NULL, NULL, NULL },
	{ "SIN", 1, "sin_@(%)", run_SIN, NULL, NULL, NULL },
	{ "COS", 1, "cos_@(%)", run_COS, NULL, NULL, NULL },
	{ "TAN", 1, "tan_@(%)", run_TAN, NULL, NULL, NULL },
	{ "ASIN", 1, "asin_@(%)", run_ASIN, NULL, NULL, NULL },
	{ "ACOS", 1, "acos_@(%)", run_ACOS, NULL, NULL, NULL },
	{ "ATAN", 1, "atan_@(%)", run_ATAN, NULL, NULL, NULL },
	{ "SINH", 1, "sinh_@(%)", run_SINH, NULL, NULL, NULL },
	{ "COSH", 1, "cosh_@(%)", run_COSH, NULL, NULL, NULL },
	{ "ASINH", 1, "asinh_@(%)", run_ASINH, NULL, NULL, NULL },
	{ "ACOSH", 1, "acosh_@(%)", run_ACOSH, NULL, NULL, NULL },
	{ "ATANH", 1, "atanh_@(%)", run_ATANH, NULL, NULL, NULL },
	{ "FLOOR", 1, "floor_@(%)", run_FLOOR, NULL, NULL, NULL },
	{ "CEIL", 1, "ceil_@(%)", run_CEIL, NULL, NULL, NULL },
	{ "ROUND", 1, "round_@(%)", run_ROUND, NULL, NULL, NULL },
	{ "ADD", 2, "% + %", run_ADD, "VEC_ADD", NULL, "add_@(%, %)" },
	{ "SUB", 2, "% - %", run_SUB, "VEC_SUB", NULL, "sub_@(%, %)" },
	{ "MUL", 2, "% * %", run_MUL, "VEC_MUL", NULL, "mul_@(%, %)" },
	{ "DIV", 2, "% / %", run_DIV, "VEC_DIV", "div_@(%, %)", NULL },
	{ "MOD", 2, "mod_@(%, %)", run_MOD, NULL, NULL, NULL },
	{ "FMOD", 2, "fmod_@(%, %)", run_FMOD, NULL, NULL, NULL },
	{ "POW", 2, "pow_@(%, %)", run_POW, NULL, NULL, NULL },
	{ "MAX", 2, "max_@(%, %)", run_MAX, "VEC_MAX", NULL, NULL },
	{ "MIN", 2, "min_@(%, %)", run_MIN, "VEC_MIN", NULL, NULL },
	{ "LT", 2, "% < %", run_LT, NULL, NULL, NULL },
	{ "LE", 2, "% <= %", run_LE, NULL, NULL, NULL },
	{ "EQ", 2, "% == %", run_EQ, NULL, NULL, NULL },
	{ "AND", 2, "% && %", run_AND, NULL, NULL, NULL },
	{ "OR", 2, "% || %", run_OR, NULL, NULL, NULL },
	{ "BITAND", 2, "% & %", run_none, NULL, NULL, NULL },
	{ "BITOR", 2, "% | %", run_none, NULL, NULL, NULL },
	{ "BITXOR", 2, "% ^ %", run_none, NULL, NULL, NULL },
	{ "BITNOT", 1, "~%", run_none, NULL, NULL, NULL },
	{ "SHL", 2, "shl_@(%, %)", run_none, NULL, NULL, NULL },
	{ "SHR", 2, "shr_@(%, %)", run_none, NULL, NULL, NULL },
	{ "SEL", 3, "% ? % : %", run_SEL, NULL, NULL, NULL },
};

/* ---- expressions ---- */

#define MAX_TERM  48
#define MAX_DEPTH 24

/* A program is the expression in postfix order. */
struct program {
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
	}
}

struct program *expr_compile(struct arena *a, const struct op *op, const struct node *n)
{
	struct program *p = arena_alloc(a, sizeof(*p));
	const char *s = op->expr;

	parse_operand(p, op, n, &s);
	return p;
}

int expr_uses(const struct op *op, int input)
{
	int uses = 0;

	for (const char *s = op->expr; *s != '\0'; s++)
		uses += s[0] == 'x' && s[1] == '0' + input;
	return uses;
}

double expr_run(const struct program *p, const double *x)
{
	double stack[MAX_DEPTH] = { 0 };
	int depth = 0;

	for (int k = 0; k < p->n; k++) {
		const struct term *t = &p->term[k];

		if (t->word != NULL) {
			depth -= t->word->arity;
			stack[depth] = t->word->run(&stack[depth]);
		} else {
			stack[depth] = t->input >= 0 ? x[t->input] : t->number;
		}
		depth++;
	}
	return stack[0];
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
	const char *number = text + strlen(set);

	return strncmp(text, set, strlen(set)) == 0 &&
	       (isdigit((unsigned char)*number) || *number == '-');
}

/*
 * The same on vectors. MAX and MIN give a NaN where max_f32() and min_f32() do if their first
 * operand is no NaN: the literal one.
 */
static char *print_vector_word(struct arena *a, const struct word *w, char **operand)
{
	bool swap = is_literal(operand[1]);

	return arena_printf(a, "%s(%s, %s)", w->vector, operand[swap], operand[!swap]);
}

bool expr_has_vector(const struct op *op, const struct node *n, const bool *literal)
{
	struct arena a = { 0 };
	const struct program *p = expr_compile(&a, op, n);
	bool stack[MAX_DEPTH] = { false }, possible = true;
	int depth = 0;

	for (int k = 0; k < p->n; k++) {
		const struct term *t = &p->term[k];
		bool number = t->input >= 0 ? literal[t->input] : true;

		if (t->word != NULL) {
			depth -= t->word->arity;
			number = false;
			possible = possible && t->word->vector != NULL;
			if (t->word->run == run_MAX || t->word->run == run_MIN)
				possible = possible && (stack[depth] || stack[depth + 1]);
		}
		stack[depth++] = number;
	}
	arena_release(&a);
	return possible;
}

void print_literal(struct buf *out, double v, enum dtype type, bool vector)
{
	buf_puts(out, vector ? "VEC_SET1(" : "");
	print_number(out, v, type);
	buf_puts(out, vector ? ")" : "");
}

void expr_print(struct buf *out, const struct op *op, const struct node *n, enum dtype type,
	bool vector, const char *const *x)
{
	struct arena a = { 0 };
	const struct program *p = expr_compile(&a, op, n);
	char *stack[MAX_DEPTH] = { NULL };
	int depth = 0;

	for (int k = 0; k < p->n; k++) {
		const struct term *t = &p->term[k];
		struct buf number = { 0 };

		if (t->word != NULL) {
			depth -= t->word->arity;
			stack[depth] = vector ? print_vector_word(&a, t->word, &stack[depth])
					      : print_word(&a, t->word, type, &stack[depth]);
		} else if (t->input >= 0) {
			stack[depth] = arena_strdup(&a, x[t->input]);
		} else {
			print_literal(&number, t->number, type, vector);
			stack[depth] = arena_strdup(&a, number.data);
			buf_release(&number);
		}
		depth++;
	}
	if (depth != 1)
		die("operator %s: its expression is not one value", op->name);
	size_t len = strlen(stack[0]);

	if (p->n > 1 && stack[0][0] == '(')
		buf_add(out, stack[0] + 1, len - 2);
	else
		buf_puts(out, stack[0]);
	arena_release(&a);
}
