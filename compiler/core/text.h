/* What text.c (printing) and textparse.c share. */
#ifndef TEXT_H
#define TEXT_H

#include "core/skipc.h"

struct entry {
	const char *key;
	void *value;
	int number;
};

/* Strings to entries: open addressing; lives in an arena and is forgotten with it. */
struct map {
	struct arena *arena;
	struct entry *slot;
	size_t size, used;
};

struct entry *map_find(const struct map *m, const char *key); /* null: not there */
struct entry *map_add(struct map *m, const char *key); /* a new key; older entries may move */
bool text_plain(char c);                               /* may stand in a label */

#endif
