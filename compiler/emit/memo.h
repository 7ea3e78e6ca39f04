/* Texts, each once, and what was made of them (memo.c). */
#ifndef MEMO_H
#define MEMO_H

#include "core/skipc.h"

/* Texts, each once, by number: 0, 1, .. */
struct texts {
	const char **text;
	uint64_t *hash;
	int *table; /* numbers + 1, by hash: open addressing, at most half full */
	int n, size;
};

/* The number of a text, which joins v if it is not there, and must live as long as a. */
int texts_number(struct texts *v, struct arena *a, const char *text);


/* Results by what they were made of; all of it in the arena. */
struct memo {
	struct arena *arena;
	struct texts key;
	const char **result; /* by the key's number */
	int cap;
};

struct memo *memo_new(struct arena *a);
/* Where the result for the key is, or, null, is to be put. */
const char **memo_place(struct memo *m, const char *key);

#endif
