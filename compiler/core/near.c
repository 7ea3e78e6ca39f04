/* Which of the words that there are was meant by one that there is not. */
#include "core/skipc.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 48 };

static bool same(char x, char y)
{
	return tolower((unsigned char)x) == tolower((unsigned char)y);
}

/* How many letters differ, are missing, too many, or have changed places with the next; case apart. Long names are
 * near to nothing. */
int name_distance(const char *x, const char *y)
{
	int rows[3][LONGEST + 1]; /* in turn: i letters of x, to j of y */
	const size_t n = strlen(x), m = strlen(y);

	if (n > LONGEST || m > LONGEST)
		return 2 * LONGEST;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		int *row = rows[i % 3];
		const int *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

		row[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			int least = last[j - 1] + !same(x[i - 1], y[j - 1]);

			least = last[j] + 1 < least ? last[j] + 1 : least;
			least = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
			if (i > 1 && j > 1 && same(x[i - 1], y[j - 2]) && same(x[i - 2], y[j - 1]) && before[j - 2] + 1 < least)
				least = before[j - 2] + 1;
			row[j] = least;
		}
	}
	return rows[n % 3][m];
}

/* Of so many letters as many may be wrong. */
int name_tolerance(const char *name)
{
	return 1 + (int)(strlen(name) / 4);
}

void near_offer(struct near *n, const char *candidate)
{
	const size_t length = strlen(n->word);
	const bool begins = length > 2 && strncmp(candidate, n->word, length) == 0;
	const int distance = begins ? 1 : name_distance(n->word, candidate);

	if (distance <= (length < 3 ? 0 : name_tolerance(n->word)) && (n->best == NULL || distance < n->distance)) {
		n->best = candidate;
		n->distance = distance;
	}
}
