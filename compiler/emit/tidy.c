/*
 * What filling in a template leaves behind, taken out of a function's body: factors of one, terms of zero, loops of
 * one turn, constants that are another name for a variable, locals that nothing uses, blank lines.
 *
 * It works on tokens, blanks and comments among them; a line `@` holds the place of an enum.
 */
#include "emit/ctext.h"
#include "emit/template.h"

#include <stdlib.h>
#include <string.h>

struct token {
	const char *text; /* empty: it is gone */
	bool code;        /* neither blank nor comment */
};

struct body {
	struct arena *arena;
	struct token *v;
	int n;
	const struct known *known; /* enumerators that are numbers */
	int nknown;
	bool changed, moved; /* moved: a loop is gone */
};

/* ---- tokens ---- */

/* As c_token_end(), but for numbers (1.5e-3f), and directives, which are one token with all their lines. */
static const char *token_end(const char *s, bool first)
{
	const char *e = c_token_end(s);

	if (*s == '#' && first)
		for (e = s + strcspn(s, "\n"); *e != '\0' && e[-1] == '\\';)
			e += 1 + strcspn(e + 1, "\n");
	else if (*s >= '0' && *s <= '9')
		while (c_is_word(*e) || *e == '.' || (strchr("+-", *e) != NULL && strchr("eE", e[-1]) != NULL && *e != '\0'))
			e++;
	return e;
}

static void read_tokens(struct body *b, const char *text)
{
	int most = 1;

	bool first = true;

	for (const char *s = text; *s != '\0'; s = c_token_end(s))
		most++;
	b->v = arena_alloc(b->arena, (size_t)most * sizeof(*b->v));
	b->n = 0;
	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = token_end(s, first);
		first = *s == '\n' || (first && strchr(" \t", *s) != NULL);
		b->v[b->n++] = (struct token){ c_copy(b->arena, s, (size_t)(e - s)),
			strchr(" \t\n", *s) == NULL && !(s[0] == '/' && s[1] == '*') };
	}
}

static char *text_of(const struct body *b)
{
	struct buf out = { 0 };

	for (int i = 0; i < b->n; i++)
		buf_puts(&out, b->v[i].text);
	return buf_text(b->arena, &out);
}

static bool is_there(const struct body *b, int i)
{
	return b->v[i].code && b->v[i].text[0] != '\0';
}

/* The next or, step -1, the last token of code; at the ends n and -1. */
static int go(const struct body *b, int i, int step)
{
	do
		i += step;
	while (i >= 0 && i < b->n && !is_there(b, i));
	return i;
}

static bool is(const struct body *b, int i, const char *text)
{
	return i >= 0 && i < b->n && b->v[i].text[0] == text[0] && strcmp(b->v[i].text, text) == 0;
}

/* One of the characters. */
static bool is_one(const struct body *b, int i, const char *characters)
{
	return i >= 0 && i < b->n && b->v[i].text[0] != '\0' && b->v[i].text[1] == '\0' &&
	       strchr(characters, b->v[i].text[0]) != NULL;
}

static bool is_name(const struct body *b, int i)
{
	return i >= 0 && i < b->n && c_is_word_start(b->v[i].text[0]);
}

/* Tokens i .. end - 1. */
static void erase(struct body *b, int i, int end)
{
	for (; i < end; i++)
		b->v[i].text = "";
	b->changed = true;
}

/* The same, and the blanks before them. */
static void drop(struct body *b, int i, int end)
{
	while (i > 0 && strcmp(b->v[i - 1].text, " ") == 0)
		i--;
	erase(b, i, end);
}

/* The bracket that belongs to the one at i, forwards or, step -1, backwards. */
static int partner(const struct body *b, int i, int step)
{
	int depth = 0;

	for (; i >= 0 && i < b->n; i += step) {
		if (!is_there(b, i))
			continue;
		depth += is_one(b, i, "([{") - is_one(b, i, ")]}");
		if (depth == 0)
			return i;
	}
	return i;
}

/* The number that token i is or stands for. */
static bool number(const struct body *b, int i, long *value)
{
	const char *s = i >= 0 && i < b->n ? b->v[i].text : "";

	for (int k = 0; k < b->nknown && c_is_word_start(*s); k++)
		if (*s == *b->known[k].name && strcmp(s, b->known[k].name) == 0) {
			*value = b->known[k].value;
			return true;
		}
	if (*s < '0' || *s > '9')
		return false;
	*value = strtol(s, NULL, 10);
	return strspn(s, "0123456789") == strlen(s) && !is_one(b, i - 1, ".");
}

static bool has_value(const struct body *b, int i, long value)
{
	long v;

	return number(b, i, &v) && v == value;
}

/* ---- sums and products ---- */

static bool is_type(const struct body *b, int i)
{
	static const char *const types[] = { "int", "float", "double", "char", "short", "long", "unsigned", "signed", "void" };
	const size_t n = i >= 0 && i < b->n ? strlen(b->v[i].text) : 0;

	for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
		if (is(b, i, types[k]))
			return true;
	return n > 2 && strcmp(b->v[i].text + n - 2, "_t") == 0;
}

/* Does a value end here, so that what follows is between two of them? */
static bool is_value_end(const struct body *b, int i)
{
	static const char *const words[] = { "return", "sizeof", "case", "else", "do" };
	const int last = go(b, i, -1);

	for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
		if (is(b, i, words[k]))
			return false;
	if (is(b, i, ")"))
		return !is_type(b, last) && !is(b, last, "*");
	return i >= 0 && i < b->n && (is(b, i, "]") || c_is_word(b->v[i].text[0]));
}

/* Where the factor that ends at i begins: `x`, `f(x)`, `a[i]`, `(a + b)`. */
static int factor_begin(const struct body *b, int i)
{
	while (is_one(b, i, ")]")) {
		i = partner(b, i, -1);
		const int before = go(b, i, -1);

		if (!is_name(b, before) && !is_one(b, before, ")]"))
			return i;
		i = before;
	}
	return i;
}

/* Where the factor that begins at i ends. */
static int factor_end(const struct body *b, int i)
{
	if (is_one(b, i, "("))
		i = partner(b, i, 1);
	for (int next = go(b, i, 1); is_one(b, next, "(["); next = go(b, i, 1))
		i = partner(b, next, 1);
	return i;
}

/* Is a factor that begins at i all of it: no sign before, no member or increment of it? */
static bool is_plain_factor(const struct body *b, int i)
{
	const int before = go(b, i, -1), behind = go(b, factor_end(b, i), 1);

	if (!c_is_word(b->v[i].text[0]) && !is(b, i, "("))
		return false;
	if (is_one(b, before, "!~.") || is(b, before, "sizeof") || (is(b, before, ">") && is(b, before - 1, "-")) ||
		(is_one(b, before, "*&") && !is(b, before - 1, "&") && !is_value_end(b, go(b, before, -1))))
		return false;
	return !is(b, behind, ".") && !(is_one(b, behind, "+-") && is_one(b, behind + 1, "+->")) &&
	       !(is_one(b, before, "+-") && is_one(b, before - 1, "+-"));
}

/* The product that the zero at i is a factor of becomes 0, where all its factors are plain. */
static void drop_product(struct body *b, int i)
{
	int from = i, to = i;

	while (is_one(b, go(b, from, -1), "*/%")) {
		const int last = go(b, go(b, from, -1), -1);

		from = factor_begin(b, last);
		if (!is_value_end(b, last) || !is_plain_factor(b, from))
			return;
	}
	while (is_one(b, go(b, to, 1), "*/%")) {
		const int next = go(b, go(b, to, 1), 1);

		if (next >= b->n || !is_plain_factor(b, next))
			return;
		to = factor_end(b, next);
	}
	if (from == to)
		return;
	erase(b, from, to + 1);
	b->v[from] = (struct token){ "0", true };
}

/* A factor of one: `x * 1`, `x / 1`, `1 * x`; and `x % 1`, which is 0. */
static void tidy_one(struct body *b, int i)
{
	const int before = go(b, i, -1), behind = go(b, i, 1);

	if (is_one(b, before, "*/"))
		drop(b, before, i + 1);
	else if (is_one(b, before, "%")) {
		b->v[i].text = "0";
		b->v[before].text = "*";
		drop_product(b, i);
		if (is_there(b, before) && is(b, i, "0")) { /* it stays */
			b->v[i].text = "1";
			b->v[before].text = "%";
		}
	} else if (is_one(b, behind, "*") && !is(b, go(b, behind, 1), "="))
		erase(b, i, go(b, behind, 1));
}

/* A term of zero: `x + 0`, `x - 0`, `0 + x`. */
static void tidy_zero(struct body *b, int i)
{
	const int before = go(b, i, -1), behind = go(b, i, 1);

	if (is_one(b, before, "*") || is_one(b, behind, "*/%")) {
		drop_product(b, i);
		return;
	}
	if (is_one(b, before, "+-") && is_value_end(b, go(b, before, -1)))
		drop(b, before, i + 1);
	else if (is_one(b, behind, "+") && is_one(b, before, "([,=?:<>&|") && !is_one(b, behind + 1, "+="))
		erase(b, i, go(b, behind, 1));
}

/* Nothing but numbers and sums of them between i and end. */
static bool is_plain_sum(const struct body *b, int i, int end)
{
	long value;

	while (i < end && (number(b, i, &value) || is_one(b, i, "+-")))
		i = go(b, i, 1);
	return i == end;
}

/* Between i and end, but for what is in brackets. */
static bool has_comma(const struct body *b, int i, int end)
{
	for (; i < end; i = go(b, is_one(b, i, "([{") ? partner(b, i, 1) : i, 1))
		if (is(b, i, ","))
			return true;
	return false;
}

/* Brackets around one number, a sum of numbers in a sum, or all of an index or of what is assigned. */
static void tidy_brackets(struct body *b, int i)
{
	const int before = go(b, i, -1), inner = go(b, i, 1), end = partner(b, i, 1), behind = go(b, end, 1);
	long value;
	const int type = go(b, before, -1);
	const bool called = is_name(b, before) || (is_one(b, before, ")") && !is_type(b, type));
	const bool variable = is_name(b, inner) && !is_type(b, inner) && is_one(b, behind, ")],;+*/%");
	const bool single = inner < end && go(b, inner, 1) == end && (number(b, inner, &value) || variable) && !called;

	const bool index = is(b, before, "[") && is(b, behind, "]");
	const bool sum = is_one(b, before, "+") && !is_one(b, behind, "*/%") && is_plain_sum(b, inner, end);

	const bool whole = (is(b, before, "=") || is(b, before, "return")) && is(b, behind, ";");

	if (!single && !sum && !index && !(whole && !has_comma(b, inner, end)))
		return;
	b->v[i].text = b->v[end].text = "";
	b->changed = true;
}

static void tidy_expressions(struct body *b)
{
	for (int i = 0; i < b->n; i++) {
		if (!is_there(b, i))
			continue;
		if (is_one(b, i, "("))
			tidy_brackets(b, i);
		else if (has_value(b, i, 1))
			tidy_one(b, i);
		else if (has_value(b, i, 0))
			tidy_zero(b, i);
	}
}

/* ---- variables ---- */

/* A pragma of templates/vector/head.h, for the loop behind it. */
static bool is_hint(const struct body *b, int i)
{
	return is(b, i, "UNROLL") || is(b, i, "UNROLL4") || is(b, i, "LANEWISE");
}

/* Behind the statement that begins at i. */
static int statement_end(const struct body *b, int i)
{
	while (is_hint(b, i))
		i = go(b, i, 1);
	if (is(b, i, "for") || is(b, i, "if") || is(b, i, "while")) {
		int end = statement_end(b, go(b, partner(b, go(b, i, 1), 1), 1));

		while (is(b, i, "if") && is(b, go(b, end - 1, 1), "else"))
			end = statement_end(b, go(b, go(b, end - 1, 1), 1));
		return end;
	}
	if (is(b, i, "{"))
		return partner(b, i, 1) + 1;
	while (i < b->n && !is(b, i, ";"))
		i = is_one(b, i, "([{") ? go(b, partner(b, i, 1), 1) : go(b, i, 1);
	return i + 1;
}

/* Between i and end: are all uses of the name in sums and products, where a number may stand? */
static bool is_summand(const struct body *b, int i, int end, const char *name)
{
	for (; i < end; i++)
		if (is_there(b, i) && is(b, i, name) &&
			(!is_one(b, go(b, i, -1), "([,=+-*;") || !is_one(b, go(b, i, 1), ")],;+-*/%")))
			return false;
	return true;
}

/* Is the name a target of `=`, `+=`, `<<=`, `++` between i and end, or its address taken? */
static bool is_changed(const struct body *b, int i, int end, const char *name)
{
	for (; i < end; i++)
		if (is_there(b, i) && is(b, i, name)) {
			const int x = go(b, i, 1), y = go(b, x, 1), before = go(b, i, -1);

			if ((is(b, x, "=") && !is(b, y, "=")) || (is_one(b, x, "+-*/%|&^") && is_one(b, y, "=")) ||
				(is_one(b, x, "<>") && is(b, y, b->v[x].text) && is(b, go(b, y, 1), "=")) ||
				(is_one(b, x, "+-") && is_one(b, y, "+-")) ||
				(is_one(b, before, "+-") && is(b, before - 1, b->v[before].text)) ||
				(is(b, before, "&") && is_one(b, go(b, before, -1), "(,=")))
				return true;
		}
	return false;
}

static void substitute(struct body *b, int i, int end, const char *name, const char *to)
{
	for (; i < end; i++)
		if (is_there(b, i) && is(b, i, name))
			b->v[i].text = to;
	b->changed = true;
}

/* Behind the block that i is in. */
static int block_end(const struct body *b, int i)
{
	int depth = 0;

	for (; i < b->n && depth >= 0; i++)
		if (is_there(b, i))
			depth += is_one(b, i, "{") - is_one(b, i, "}");
	return i;
}

/* Is there nothing but blanks and comments before i on its line, and behind end on that one? */
static bool has_lines(const struct body *b, int i, int end)
{
	for (i--; i >= 0 && !is(b, i, "\n"); i--)
		if (is_there(b, i))
			return false;
	for (end++; end < b->n && !is(b, end, "\n"); end++)
		if (is_there(b, end))
			return false;
	return true;
}

/* The lines of tokens i .. end. */
static void drop_lines(struct body *b, int i, int end)
{
	while (i > 0 && strcmp(b->v[i - 1].text, "\n") != 0)
		i--;
	while (end < b->n && strcmp(b->v[end].text, "\n") != 0)
		end++;
	erase(b, i, end < b->n ? end + 1 : b->n);
}

static void drop_line(struct body *b, int i)
{
	drop_lines(b, i, i);
}

/* `const int k = j;`: k is j; `const float *v = x;`: so is v. `const int at = 0;`: where that can be left out, it is. */
static void tidy_constant(struct body *b, int i)
{
	const int type = go(b, i, 1), star = go(b, type, 1);
	const int pointer = is(b, star, "*") ? go(b, star, 1) : star;
	const int name = is(b, pointer, "const") ? go(b, pointer, 1) : pointer, equal = go(b, name, 1), value = go(b, equal, 1);
	const int end = go(b, value, 1);

	if (!is(b, i, "const") || !(is(b, type, "int") || pointer != star) || !is(b, equal, "=") || !is(b, end, ";") ||
		!has_lines(b, i, end))
		return;
	const int last = block_end(b, end);
	const char *word = b->v[name].text, *to = b->v[value].text;
	const bool zero = strcmp(to, "0") == 0 && is_summand(b, end, last, word);

	if (!zero && (!is_name(b, value) || is_changed(b, end, last, to) ||
			     is_changed(b, end, last, word)))
		return;
	substitute(b, end, last, word, to);
	drop_line(b, i);
}

/* `int h0[PB];` that is filled and not read. */
static void tidy_array(struct body *b, int i)
{
	const int name = go(b, i, 1), open = go(b, name, 1), semicolon = go(b, partner(b, open, 1), 1);

	if (!is(b, i, "int") || !is(b, open, "[") || !is(b, semicolon, ";") || !has_lines(b, i, semicolon))
		return;
	const int last = block_end(b, i);

	for (int pass = 0; pass < 2; pass++) {
		for (int k = open; k < last; k++) {
			if (!is_there(b, k) || !is(b, k, b->v[name].text))
				continue;
			const int end = statement_end(b, k) - 1;

			if (pass == 1)
				drop_lines(b, k, end);
			else if (!is(b, go(b, partner(b, go(b, k, 1), 1), 1), "=") || !is_one(b, go(b, k, -1), ";{}") ||
				 !has_lines(b, k, end))
				return;
		}
	}
	drop_line(b, i);
}

/* ---- loops ---- */

/* A loop that turns once: where its parts are. */
struct loop {
	int head, name; /* `for`, and the variable */
	int body, end;  /* its first token, and behind its last one */
};

/* Does the body leave its turn, other than at its end? What loops in it do with theirs does not matter. */
static bool leaves(const struct body *b, const struct loop *l)
{
	for (int k = l->body; k < l->end; k++) {
		bool own = is(b, k, "continue") || is(b, k, "break");

		for (int i = l->body; i < k && own; i++)
			own = !((is(b, i, "for") || is(b, i, "while")) && statement_end(b, i) > k);
		if (own || b->v[k].text[0] == '#')
			return true;
	}
	return false;
}

/* `for (int n = 0; n < N; n++)`, or `n += STEP`, of one turn, whose variable may be 0. */
static bool find_loop(const struct body *b, int i, struct loop *l)
{
	static const char *const want[] = { "for", "(", "int", NULL, "=", NULL, ";", NULL, "<", NULL, ";", NULL, "+" };
	int at[16];
	long bound, step = 1;

	for (int k = 0; k < 16; k++)
		at[k] = k == 0 ? i : go(b, at[k - 1], 1);
	for (int k = 0; k < 13; k++)
		if (want[k] != NULL && !is(b, at[k], want[k]))
			return false;
	const bool plus = is(b, at[13], "+");

	if (!has_value(b, at[5], 0) || !number(b, at[9], &bound) || (!plus && !(is(b, at[13], "=") && number(b, at[14], &step))))
		return false;
	if (!is(b, at[plus ? 14 : 15], ")") || bound < 1 || bound > step)
		return false;
	*l = (struct loop){ i, at[3], go(b, at[plus ? 14 : 15], 1), 0 };
	l->end = statement_end(b, l->body);
	return !leaves(b, l) && is_summand(b, l->body, l->end, b->v[l->name].text) &&
	       !is_changed(b, l->body, l->end, b->v[l->name].text);
}

/* In the block that the loop is in, but for the loop. */
static bool occurs_outside(const struct body *b, const struct loop *l, int name)
{
	int from = l->head, depth = 0;

	for (; from >= 0 && depth >= 0; from--)
		if (is_there(b, from))
			depth += is_one(b, from, "}") - is_one(b, from, "{");
	for (int k = from + 1, end = block_end(b, l->end); k < end; k++)
		if ((k < l->head || k >= l->end) && is(b, k, b->v[name].text))
			return true;
	return false;
}

/* Does the block itself declare a name that other parts of the function have, too? `const float *u = x, v[4];` */
static bool declares_others(const struct body *b, const struct loop *l)
{
	for (int i = go(b, l->body, 1), end; i < l->end - 1; i = go(b, end - 1, 1)) {
		int name = i;

		end = statement_end(b, i);
		if (is(b, i, "struct") || is(b, i, "union") || is(b, i, "enum"))
			return true;
		while (is_name(b, i) && (is_name(b, go(b, name, 1)) || is(b, go(b, name, 1), "*")))
			name = go(b, name, 1);
		if (name == i || is(b, i, "return") || is_hint(b, i))
			continue;
		while (name < end) {
			if (is_name(b, name) && occurs_outside(b, l, name))
				return true;
			while (name < end && !is(b, name, ","))
				name = go(b, is_one(b, name, "([{") ? partner(b, name, 1) : name, 1);
			do
				name = go(b, name, 1);
			while (is(b, name, "*") || is(b, name, "const"));
		}
	}
	return false;
}

/* The loop's header goes; its block, too, unless a loop or a condition around it takes it over. */
static void unroll(struct body *b, const struct loop *l)
{
	const int hint = go(b, l->head, -1), before = is_hint(b, hint) ? go(b, hint, -1) : hint;
	const bool block = is(b, l->body, "{"),
		   nested = is(b, before, ")") || is(b, before, "else") || is(b, before, "do");

	if (block && !nested && (declares_others(b, l) || !has_lines(b, l->head, l->body) || !has_lines(b, l->end - 1, l->end - 1)))
		return;
	substitute(b, l->body, l->end, b->v[l->name].text, "0");
	if (block && !nested)
		drop_line(b, l->end - 1);
	if (block && nested) {
		erase(b, before + 1, l->body);
		b->v[l->head] = (struct token){ " ", false }; /* the bracket stays one */
	} else if (block) {
		drop_line(b, l->body);
	} else {
		erase(b, l->head, l->body);
	}
	if (block && !nested && is_there(b, l->head))
		drop_line(b, l->head);
	if (hint != before && is_there(b, hint))
		drop_line(b, hint);
	b->moved = true;
}

/* Removes a loop, and what stands in its place is looked at next. */
static void tidy_loop(struct body *b, int i)
{
	struct loop l;

	if (is(b, i, "for") && find_loop(b, i, &l))
		unroll(b, &l);
}

/* ---- indentation: where loops are gone ---- */

static int tabs(const struct body *b, int i)
{
	int n = 0;

	for (i--; i >= 0 && (b->v[i].text[0] == '\t' || b->v[i].text[0] == '\0'); i--)
		n += b->v[i].text[0] == '\t';
	return n;
}

/* Tokens i .. end - 1: the line that i begins gets `level` tabs, those that go on from it as many more or fewer. */
static void indent(struct body *b, int i, int end, int level)
{
	const int have = tabs(b, i);
	int from = i;

	while (from > 0 && strcmp(b->v[from - 1].text, "\n") != 0 && !is_there(b, from - 1))
		from--;
	if (from > 0 && is_there(b, from - 1))
		return;
	for (int line = from, k; line < end; line = k + 1) {
		for (k = line; k < end && b->v[k].text[0] != '\n'; k++)
			continue;
		int more = level - have, at = line;

		for (; at < k && (b->v[at].text[0] == '\0' || b->v[at].text[0] == '\t'); at++)
			if (more < 0 && b->v[at].text[0] == '\t') {
				b->v[at].text = "";
				more++;
			}
		if (at < k)
			b->v[at].text = arena_printf(b->arena, "%.*s%s", more > 0 ? more : 0,
				"\t\t\t\t\t\t\t\t", b->v[at].text);
	}
}

static int indent_statement(struct body *b, int i, int level);

static int indent_block(struct body *b, int i, int level)
{
	const int end = partner(b, i, 1);

	for (i = go(b, i, 1); i < end;)
		i = indent_statement(b, i, level + 1);
	indent(b, end, end + 1, level);
	return go(b, end, 1);
}

/* The statement at i and comments above it; returns what follows. */
static int indent_statement(struct body *b, int i, int level)
{
	if (is_hint(b, i)) {
		indent(b, i, i + 1, level);
		return indent_statement(b, go(b, i, 1), level);
	}
	if (is(b, i, "{"))
		return indent_block(b, i, level);
	if (is(b, i, "for") || is(b, i, "if") || is(b, i, "while") || is(b, i, "else")) {
		const int close = is(b, i, "else") ? i : partner(b, go(b, i, 1), 1), next = go(b, close, 1);
		const bool nest = is(b, i, "for") && (is(b, next, "for") || is_hint(b, next)) &&
				  tabs(b, next) <= tabs(b, i);

		indent(b, i, close + 1, level);
		if (is(b, next, "{") || nest || (is(b, i, "else") && is(b, next, "if")))
			return indent_statement(b, next, level);
		return indent_statement(b, next, level + 1);
	}
	const int end = is(b, i, "@") ? i + 1 : statement_end(b, i);

	indent(b, i, end, level);
	return go(b, end - 1, 1);
}

/* ---- all of it ---- */

/* Whether a word occurs between s and the end of the block that s is in. */
static bool used_below(const char *s, const char *word)
{
	int depth = 0;

	for (const char *e; *s != '\0' && depth >= 0; s = e) {
		e = c_token_end(s);
		depth += (*s == '{') - (*s == '}');
		if (c_is_word_start(*s) && c_same(s, e, word))
			return true;
	}
	return false;
}

/* Drops lines `const int NAME = ...;` whose NAME an access did not need, until none is left. */
static char *drop_unused(struct arena *a, char *code)
{
	for (char *s = code; *s != '\0';) {
		const char *e = c_line_end(s), *name = s + strspn(s, "\t"), *name_end;

		if (strncmp(name, "const int ", 10) == 0 && e - name > 12 && memchr(name, ';', (size_t)(e - name)) == e - 2) {
			name += 10;
			name_end = c_token_end(name);
			const char *comma = memchr(name, ',', (size_t)(e - name));
			const char *word = c_copy(a, name, (size_t)(name_end - name));

			if (strncmp(name_end, " = ", 3) == 0 && comma == NULL &&
				!used_below(e, word)) {
				memmove(s, e, strlen(e) + 1);
				s = code;
				continue;
			}
		}
		s += e - s;
	}
	return code;
}

char *tidy_expression(struct arena *a, const char *text)
{
	struct body b = { .arena = a };

	read_tokens(&b, text);
	tidy_expressions(&b);
	return text_of(&b);
}

char *tidy_body(struct arena *a, char *code, const struct known *known, int n)
{
	struct body b = { .arena = a, .known = known, .nknown = n, .changed = true };

	code = drop_unused(a, code);
	while (b.changed) {
		read_tokens(&b, code);
		b.changed = false;
		for (int i = 0; i < b.n; i++)
			if (is_there(&b, i))
				tidy_loop(&b, i);
		for (int i = 0; i < b.n; i++)
			if (is_there(&b, i)) {
				tidy_constant(&b, i);
				tidy_array(&b, i);
			}
		tidy_expressions(&b);
		if (b.moved && !c_has_word(code, "switch") && !c_has_word(code, "do"))
			indent_block(&b, go(&b, -1, 1), 0);
		code = drop_unused(a, text_of(&b));
	}
	return code;
}

/* No blank line at the start, behind another one or a '{', or before a '}'. */
char *tidy_lines(struct arena *a, const char *text)
{
	struct buf out = { 0 };

	for (const char *s = text; *s != '\0'; s = c_line_end(s)) {
		const char *e = c_line_end(s), *next = e + strspn(e, "\t");
		const bool open = out.len < 2 || out.data[out.len - 2] == '{' ||
				  out.data[out.len - 2] == '\n';

		if (*s == '\n' && (open || *next == '}' || *next == '\n' || *next == '\0'))
			continue;
		buf_add(&out, s, (size_t)(e - s));
	}
	return buf_text(a, &out);
}
