/* Numbers of any size, of things by their length: a network of 600 blocks has 2^600 paths. */
#include "report/report.h"

#include <math.h>
#include <string.h>

/* Makes room for lengths below n, of so many words each. */
static void reserve(struct counts *c, int n, int words)
{
	struct arena old = c->own;
	const uint32_t *from = c->word;

	if (n < c->n)
		n = c->n;
	c->own = (struct arena){ 0 };
	c->word = arena_alloc(&c->own, ((size_t)n * (size_t)words + 1) * sizeof(uint32_t));
	for (int k = 0; k < c->n; k++)
		memcpy(c->word + (size_t)k * (size_t)words, from + (size_t)k * (size_t)c->words,
			(size_t)c->words * sizeof(uint32_t));
	c->n = n;
	c->words = words;
	arena_release(&old);
}

/* The words that the largest number takes. */
static int words_needed(const struct counts *c)
{
	int most = 1;

	for (int k = 0; k < c->n; k++)
		for (int i = c->words; i > most; i--)
			if (c->word[(size_t)k * (size_t)c->words + (size_t)i - 1] != 0)
				most = i;
	return most;
}

static void add_number(uint32_t *sum, int words, const uint32_t *number, int n)
{
	uint64_t carry = 0;

	for (int i = 0; i < words && (i < n || carry > 0); i++) {
		carry += (uint64_t)sum[i] + (i < n ? number[i] : 0);
		sum[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

void counts_add(struct counts *sum, const struct counts *c, int longer)
{
	const int own = words_needed(sum), others = words_needed(c), words = (own > others ? own : others) + 1;

	if (c->n == 0)
		return;
	if (sum->words < words || sum->n < c->n + longer)
		reserve(sum, c->n + longer, sum->words > words ? sum->words : words);
	for (int k = 0; k < c->n; k++)
		add_number(sum->word + (size_t)(k + longer) * (size_t)sum->words, sum->words,
			c->word + (size_t)k * (size_t)c->words, others);
}

void counts_one(struct counts *c)
{
	reserve(c, 1, 1);
	c->word[0] = 1;
}

void counts_release(struct counts *c)
{
	arena_release(&c->own);
	*c = (struct counts){ 0 };
}

/* ---- single ones ---- */

struct counts counts_total(const struct counts *c)
{
	struct counts total = { 0 };

	reserve(&total, 1, c->words + 2);
	for (int k = 0; k < c->n; k++)
		add_number(total.word, total.words, c->word + (size_t)k * (size_t)c->words, c->words);
	return total;
}

const char *counts_text(struct arena *a, const struct counts *c, int length)
{
	enum { DIGITS = 9, BASE = 1000000000 };
	struct arena scratch = { 0 };
	uint32_t *rest = arena_alloc(&scratch, ((size_t)c->words + 1) * sizeof(uint32_t));
	const size_t most = (size_t)c->words * 10 + DIGITS + 1; /* 32 bits are 9.7 digits */
	char *text = arena_alloc(a, most + 1), *at = text + most;
	int n = c->words;

	memcpy(rest, c->word + (size_t)length * (size_t)c->words, (size_t)n * sizeof(uint32_t));
	do {
		uint64_t digits = 0;

		for (int i = n - 1; i >= 0; i--) {
			digits = digits << 32 | rest[i];
			rest[i] = (uint32_t)(digits / BASE);
			digits %= BASE;
		}
		while (n > 0 && rest[n - 1] == 0)
			n--;
		for (int k = 0; k < DIGITS; k++, digits /= 10)
			*--at = (char)('0' + digits % 10);
	} while (n > 0);
	while (*at == '0' && at[1] != '\0')
		at++;
	arena_release(&scratch);
	return at;
}

bool counts_any(const struct counts *c, int length)
{
	for (int i = 0; i < c->words; i++)
		if (c->word[(size_t)length * (size_t)c->words + (size_t)i] != 0)
			return true;
	return false;
}

/* The number is m 2^e, m below 2^64: more than a double has. */
static double leading(const struct counts *c, int length, int *e)
{
	const uint32_t *word = c->word + (size_t)length * (size_t)c->words;
	int n = c->words;
	double m = 0.0;

	while (n > 1 && word[n - 1] == 0)
		n--;
	for (int i = n - 1; i >= 0 && i >= n - 3; i--)
		m = m * 4294967296.0 + (double)word[i];
	*e = n > 3 ? 32 * (n - 3) : 0;
	return m;
}

double counts_share(const struct counts *c, int length, const struct counts *total)
{
	int e, of;
	const double m = leading(c, length, &e), all = leading(total, 0, &of);

	return all > 0.0 ? ldexp(m / all, e - of) : 0.0;
}
