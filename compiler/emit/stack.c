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
	{ "__m512 ", 64 }, { "__m256 ", 32 }, { "__m128 ", 16 }, { "float32x4_t ", 16 }, { "const float *", 8 }, { "float ", 4 },
	{ "double ", 8 }, { "int ", 4 }, { "unsigned ", 4 }, { "int8_t ", 1 }, { "uint8_t ", 1 },
	{ "int16_t ", 2 }, { "uint16_t ", 2 }, { "int32_t ", 4 }, { "uint32_t ", 4 }, { "int64_t ", 8 },
	{ "uint64_t ", 8 }, { "size_t ", 8 }, { "WIDENED(uint8_t, int16_t) ", 2 }, { "WIDENED(int8_t, int16_t) ", 2 },
	{ "WIDENED(uint16_t, uint16_t) ", 2 }, { "WIDENED(int16_t, int16_t) ", 2 },
};

enum { NTYPE = sizeof(types) / sizeof(types[0]) };

static int64_t product(const char *text, const char *s, const char *end, int depth);

/* The number s .. end, or what the enumerator of that name is. */
static int64_t factor(const char *text, const char *s, const char *end, int depth)
{
	const size_t n = (size_t)(end - s);

	if (!c_is_word_start(*s))
		return strtoll(s, NULL, 0);
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

/* Of the arrays that the line declares, `float acc[PB][KB], t[4];`; 0: it declares none. */
static int64_t line_bytes(const char *text, const char *line, const char *end)
{
	int64_t sum = 0, one = 0;

	line += strspn(line, "\t");
	for (int k = 0; k < NTYPE && one == 0; k++)
		if (strncmp(line, types[k].type, strlen(types[k].type)) == 0)
			one = types[k].bytes;
	if (one == 0)
		return 0;
	for (const char *s = line; s < end && *s != '=' && *s != ';' && *s != '('; s++) {
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

static int64_t local_bytes(const char *text)
{
	int64_t sum = 0;

	for (const char *line = text; *line != '\0';) {
		const char *end = c_line_end(line);

		if (*line == '\t')
			sum += line_bytes(text, line, end);
		line = end;
	}
	return sum;
}

int64_t stack_size(const struct instance *v, int n)
{
	int64_t most = 0;

	for (int k = 0; k < n; k++) {
		const int64_t bytes = local_bytes(v[k].whole);

		most = bytes > most ? bytes : most;
	}
	return (most + FRAMES + 63) / 64 * 64;
}
