/*
 * The stack that run needs, from above: the local arrays of its deepest kernel, each counted as if all its
 * functions were on the stack at once, and what compilers add for frames and registers. tests/embed.py
 * compares that with what gcc makes on several machines at all levels. clang at -O0 gives each vector of
 * --target=x86-64 a place of its own (digits: 13 KB); that is left out.
 */
#include "emit/ctext.h"
#include "emit/emission.h"

#include <stdlib.h>
#include <string.h>

/* The most that was seen beside arrays, over all cases, was 3,312 bytes of a convolution with weights of run time
 * (--target=c, Cortex-M55, gcc 12, -O3, spilled vectors), 2,824 of it on s390x, 1,560 of digits. */
enum { FRAMES = 4096 };

static const struct {
	const char *type;
	int64_t bytes;
} types[] = {
	{ "__m512", 64 },
	{ "__m256", 32 },
	{ "__m128", 16 },
	{ "__m512i", 64 },
	{ "__m256i", 32 },
	{ "__m128i", 16 },
	{ "sums16", 64 },
	{ "sums8", 32 },
	{ "float32x4_t", 16 },
	{ "int32x4_t", 16 },
	{ "float", 4 },
	{ "double", 8 },
	{ "int", 4 },
	{ "unsigned", 4 },
	{ "int8_t", 1 },
	{ "uint8_t", 1 },
	{ "int16_t", 2 },
	{ "uint16_t", 2 },
	{ "int32_t", 4 },
	{ "uint32_t", 4 },
	{ "int64_t", 8 },
	{ "uint64_t", 8 },
	{ "size_t", 8 },
	{ "WIDENED(uint8_t, int16_t)", 2 },
	{ "WIDENED(int8_t, int16_t)", 2 },
	{ "WIDENED(uint16_t, uint16_t)", 2 },
	{ "WIDENED(int16_t, int16_t)", 2 },
};

static const char *const words[] = { "return", "else", "goto", "case",
	"static" }; /* which begin no declaration of an array */

enum { NTYPE = sizeof(types) / sizeof(types[0]), NWORD = sizeof(words) / sizeof(words[0]) };

static int64_t product(const char *text, const char *s, const char *end, int depth);

/* The number s .. end, or what the enumerator of that name is. */
static int64_t factor(const char *text, const char *s, const char *end, int depth)
{
	const size_t n = (size_t)(end - s);

	if (!c_is_word_start(*s))
		return strtoll(s, NULL, 0);
	if (c_same(s, end, "LOT"))
		return LOT_SIZE;
	for (const char *hit = text; (hit = strstr(hit, " = ")) != NULL; hit += 3)
		if ((size_t)(hit - text) > n && memcmp(hit - n, s, n) == 0 && !c_is_word(hit[-(long)n - 1]))
			return product(text, hit + 3, hit + 3 + strcspn(hit + 3, ",}"), depth + 1);
	return 0;
}

/* `K`, `12`, `STACK * NB`, `K / LANES * LANES`; 0 is nothing known. */
static int64_t product(const char *text, const char *s, const char *end, int depth)
{
	int64_t value = 1;
	bool divide = false;

	for (const char *e; s < end && depth < 8; s = e) {
		e = c_token_end(s);
		if (*s == '/')
			divide = true;
		if (!c_is_word(*s))
			continue;
		const int64_t v = factor(text, s, e, depth);

		value = !divide ? value * v : v > 0 ? value / v : 0;
		divide = false;
	}
	return value;
}

/* Is text the first n characters of s? */
static bool is_text(const char *s, size_t n, const char *text)
{
	return n == strlen(text) && memcmp(s, text, n) == 0;
}

/* How long the type at s is; 0: there is none, or nothing behind it. */
static size_t type_length(const char *s, const char *end)
{
	size_t n = 0;

	if (strncmp(s, "WIDENED(", 8) == 0)
		n = strcspn(s, ")") + 1;
	else
		while (c_is_word(s[n]))
			n++;
	return s + n < end && s[n] == ' ' ? n : 0;
}

/* Bytes of what the line declares, of one element where that is an array, and its name; 0: it declares nothing. */
static int64_t element_bytes(const char *line, const char *end, const char **name)
{
	const char *s = line + strspn(line, "\t"), *behind;

	if (strncmp(s, "const ", 6) == 0)
		s += 6;
	const size_t n = type_length(s, end);

	behind = *name = s + n + 1;
	if (n == 0 || **name == '*')
		return n > 0 ? 8 : 0;
	for (int k = 0; k < NTYPE; k++)
		if (is_text(s, n, types[k].type))
			return types[k].bytes;
	for (int k = 0; k < NWORD; k++)
		if (is_text(s, n, words[k]))
			return 0;
	while (c_is_word(*behind))
		behind++;
	if (c_is_word_start(*s) && behind > *name && *behind == '[')
		die("no size of %.*s", (int)n, s);
	return 0;
}

/* Of the arrays that the line declares, `float acc[PB][KB], t[4];`; 0: it declares none. */
static int64_t line_bytes(const char *text, const char *line, const char *end)
{
	const char *s;
	const int64_t one = element_bytes(line, end, &s);
	int64_t sum = 0;

	if (one == 0)
		return 0;
	for (; s < end && *s != '=' && *s != ';' && *s != '('; s++) {
		if (*s != '[')
			continue;
		int64_t bytes = one;

		for (const char *close; *s == '['; s = close + 1) {
			close = s + strcspn(s, "]");
			bytes *= product(text, s + 1, close, 0);
		}
		sum += bytes;
		s--;
	}
	return sum;
}

/* Does the name, _avx2 or _avx2_tile at its end, belong to the instruction set? */
static bool belongs(const char *name, size_t n, const char *suffix)
{
	const size_t length = strlen(suffix);

	for (size_t k = 1; k + length <= n; k++)
		if (name[k - 1] == '_' && memcmp(name + k, suffix, length) == 0 &&
			(k + length == n || name[k + length] == '_'))
			return true;
	return false;
}

/* The set of vectors whose code the function is, that begins with the line; -1: of none. */
static int set_of(const struct target *t, const char *line)
{
	const char *end = line + strcspn(line, "(\n"), *name = end;

	while (name > line && c_is_word(name[-1]))
		name--;
	for (int k = 0; k < t->nisa + t->ndots; k++) {
		const struct isa *isa = k < t->nisa ? &t->isa[k] : &t->dots[k - t->nisa];

		if (isa->lanes > 1 && belongs(name, (size_t)(end - name), isa->suffix))
			return k;
	}
	return -1;
}

/* Of all functions but those of other sets than the one that takes most. */
static int64_t local_bytes(const struct target *t, const char *text)
{
	int64_t sum = 0, most = 0, own[MAX_ISA + MAX_DOTS] = { 0 };
	int set = -1;

	for (const char *line = text; *line != '\0';) {
		const char *end = c_line_end(line);

		if (c_is_word_start(*line))
			set = set_of(t, line);
		else if (*line == '\t')
			*(set < 0 ? &sum : &own[set]) += line_bytes(text, line, end);
		line = end;
	}
	for (int k = 0; k < t->nisa + t->ndots; k++)
		most = own[k] > most ? own[k] : most;
	return sum + most;
}

int64_t stack_size(const struct target *t, const struct instance *v, int n)
{
	int64_t most = 0;

	for (int k = 0; k < n; k++) {
		const int64_t bytes = local_bytes(t, v[k].whole);

		most = bytes > most ? bytes : most;
	}
	return (most + FRAMES + 63) / 64 * 64;
}
