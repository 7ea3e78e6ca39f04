/* Which of the words that there are was meant by one that there is not. */
#include "core/skipc.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 63, FAR = 1000 };

static int differ(char a, char b)
{
	return tolower((unsigned char)a) != tolower((unsigned char)b);
}

static int least(int a, int b)
{
	return a < b ? a : b;
}

/* How many letters are to be changed, left out, put in, or to change places with their neighbour. */
static int distance(const char *a, const char *b)
{
	const int n = (int)strlen(a), m = (int)strlen(b);
	int row[3][LONGEST + 1];

	if (n > LONGEST || m > LONGEST)
		return FAR;
	for (int i = 0; i <= n; i++) {
		int *now = row[i % 3], *before = row[(i + 2) % 3], *second = row[(i + 1) % 3];

		for (int j = 0; j <= m; j++) {
			now[j] = i == 0 ? j : before[j] + 1;
			if (i == 0 || j == 0)
				continue;
			now[j] = least(now[j],
				least(now[j - 1] + 1, before[j - 1] + differ(a[i - 1], b[j - 1])));
			if (i > 1 && j > 1 && differ(a[i - 1], b[j - 2]) == 0 &&
				differ(a[i - 2], b[j - 1]) == 0)
				now[j] = least(now[j], second[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

void near_offer(struct near *n, const char *candidate)
{
	const int length = (int)strlen(n->word), most = length < 3   ? 0
							: length < 6 ? 1
								     : length / 3;
	const bool begins = length > 2 && strncmp(candidate, n->word, (size_t)length) == 0;
	const int d = begins ? 1 : distance(n->word, candidate);

	if (d <= (begins ? 1 : most) && (n->best == NULL || d < n->distance)) {
		n->best = candidate;
		n->distance = d;
	}
}
