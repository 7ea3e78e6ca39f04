/* One network, net.h, computed by any number of workers in any order: the same bits. Says how many calls of
 * parallel_for there were. See threads.py. */
#include "net.h"
#include "skipc_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 3 }; /* of the serial callbacks */

#ifdef __SANITIZE_THREAD__ /* looks at what threads share, and takes its time: the pool only, and once */
enum { SERIAL = 0 };
static const int pools[] = { 3 };
#else
enum { SERIAL = 1 };
static const int pools[] = { 1, 2, 3, 8 };
#endif

static unsigned state = 1;
static int calls;
static unsigned char *further; /* scratch of workers 1 and above */
static float input[NET_INPUT0_COUNT], expected[NET_OUTPUT0_COUNT], output[NET_OUTPUT0_COUNT];

static void check(int ok, const char *what, int number)
{
	if (ok)
		return;
	fprintf(stderr, "threads: %s (%d)\n", what, number);
	exit(1);
}

static unsigned below(unsigned n)
{
	state = state * 1664525u + 1013904223u;
	return (state >> 8) % n;
}

/* From the last index to the first. */
static void backwards(void *context, void (*body)(void *task, int index, int worker), void *task, int count)
{
	(void)context;
	calls++;
	while (count-- > 0)
		body(task, count, count % WORKERS);
}

/* In any order, by any worker; what a worker's scratch held before means nothing. */
static void shuffled(void *context, void (*body)(void *task, int index, int worker), void *task, int count)
{
	int order[1024];

	(void)context;
	check(count > 1 && count <= 1024, "parts", count);
	for (int k = 0; k < count; k++) {
		const unsigned at = below((unsigned)k + 1);

		order[k] = order[at];
		order[at] = k;
	}
	for (int k = 0; k < count; k++) {
		memset(further, 0xff, (WORKERS - 1) * (size_t)NET_ARENA_WORKER_SIZE);
		body(task, order[k], (int)below(WORKERS));
	}
}

static void never(void *context, void (*body)(void *task, int index, int worker), void *task, int count)
{
	(void)context, (void)body, (void)task;
	check(0, "one worker calls parallel_for", count);
}

/* One run. The arena is as long as the header says, so that a sanitizer sees what lies behind it. */
static void run(struct net_options options, float *y, const char *what)
{
	const size_t extra = (size_t)(options.workers > 1 ? options.workers - 1 : 0) * NET_ARENA_WORKER_SIZE;
	void *arena = NULL, *prepared = NULL;
	struct net net;

	check(posix_memalign(&arena, NET_ARENA_ALIGN, NET_ARENA_SIZE + extra) == 0, "memory", 0);
	check(NET_PREPARED_SIZE == 0 || posix_memalign(&prepared, 64, NET_PREPARED_SIZE) == 0, "memory", 1);
	memset(arena, 0xff, NET_ARENA_SIZE + extra);
	further = (unsigned char *)arena + NET_ARENA_SIZE;
	check(net_init(&net, prepared, &options) == NET_OK, "init", options.isa);
	check(net_run(&net, input, y, arena) == NET_OK, "run", options.isa);
	check(y == expected || memcmp(y, expected, sizeof(expected)) == 0, what, options.workers);
	free(arena);
	free(prepared);
}

int main(void)
{
	for (int k = 0; k < NET_INPUT0_COUNT; k++)
		input[k] = (float)below(2001) / 1000.0f - 1.0f;
	for (int isa = 1; isa <= 3; isa++) {
		struct net_options options = { .isa = isa };

		run(options, expected, "");
		for (int k = 0; k < NET_OUTPUT0_COUNT; k++)
			check(expected[k] == expected[k], "a NaN in the output", k);
		if (SERIAL) {
			options.parallel_for = never;
			options.workers = 1;
			run(options, output, "a callback and one worker");
			options.workers = WORKERS;
			options.parallel_for = backwards;
			run(options, output, "other bits from the last index to the first");
			options.parallel_for = shuffled;
			for (int k = 0; k < 3; k++)
				run(options, output, "other bits in another order");
		}
		for (size_t k = 0; k < sizeof(pools) / sizeof(*pools); k++) {
			struct skipc_pool *pool = skipc_pool_create(pools[k]);

			check(pool != NULL, "pool", pools[k]);
			options.parallel_for = skipc_pool_for;
			options.parallel_context = pool;
			options.workers = pools[k];
			run(options, output, "other bits by the pool");
			skipc_pool_destroy(pool);
		}
	}
	printf("%d\n", calls / 3);
	return 0;
}
