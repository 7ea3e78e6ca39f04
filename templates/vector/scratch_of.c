#include "template.h"

#define ARENA_WORKER_SIZE 64L

/* A worker's scratch: the first one's is in the arena, the others' are behind it. */
static float *scratch_of(int worker, float *first, float *others)
{
	return worker == 0 ? first : others + (worker - 1) * (ARENA_WORKER_SIZE / 4);
}
