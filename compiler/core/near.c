/* Which of the words that there are was meant by one that there is not. */
#include "core/skipc.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 48 };

/* How many letters differ, are missing or too many; case apart. Long names are near to nothing. */
int name_distance(const char *x, const char *y)
{
	int row[LONGEST + 1];
	const size_t n = strlen(x), m = strlen(y);

	if (n > LONGEST || m > LONGEST)
		return 2 * LONGEST;
	for (size_t j = 0; j <= m; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= n; i++) {
		int corner = row[0];

		row[0] = (int)i;
		for (size_t j = 1; j <= m; j++) {
			const bool same = tolower((unsigned char)x[i - 1]) == tolower((unsigned char)y[j - 1]);
			int least = corner + !same;

			corner = row[j];
			least = row[j] + 1 < least ? row[j] + 1 : least;
			row[j] = row[j - 1] + 1 < least ? row[j - 1] + 1 : least;
		}
	}
	return row[m];
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
