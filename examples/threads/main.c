/*
 * One inference on several threads: the pool of runtime/ in the options of init, and an arena that has scratch for
 * every worker. Any other way to run a loop in parallel will do as well; what follows from the number of threads is
 * time, and never a bit of the result.
 *
 *	threads [N]	N threads, or as many as there are processors
 *
 * Exit status: 0, 1 when something failed or the results differ.
 */
#define _POSIX_C_SOURCE 200809L
#include "resnet18.h"
#include "skipc_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RUNS = 10 };

static float input[RESNET18_INPUT0_COUNT], one[RESNET18_OUTPUT0_COUNT], many[RESNET18_OUTPUT0_COUNT];

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* The least time of RUNS runs in milliseconds, after one more; negative when a run fails. */
static double measure(const struct resnet18 *net, float *output, void *arena)
{
	double best = -1.0;

	for (int k = 0; k <= RUNS; k++) {
		const double start = now_ms();

		if (resnet18_run(net, input, output, arena) != RESNET18_OK)
			return -1.0;
		const double took = now_ms() - start;

		if (k > 0 && (best < 0.0 || took < best))
			best = took;
	}
	return best;
}

int main(int argc, char **argv)
{
	struct skipc_pool *pool = skipc_pool_create(argc > 1 ? atoi(argv[1]) : 0);
	const int workers = skipc_pool_workers(pool);
	const size_t size = RESNET18_ARENA_SIZE + (size_t)(workers - 1) * RESNET18_ARENA_WORKER_SIZE;
	struct resnet18_options options;
	struct resnet18 alone, shared;
	void *arena = NULL, *prepared = NULL;

	memset(&options, 0, sizeof(options));
	options.parallel_for = skipc_pool_for;
	options.parallel_context = pool;
	options.workers = workers;
	if (pool == NULL || posix_memalign(&arena, RESNET18_ARENA_ALIGN, size) != 0 ||
	    posix_memalign(&prepared, 64, RESNET18_PREPARED_SIZE + 1) != 0 ||
	    resnet18_init(&alone, prepared, NULL) != RESNET18_OK ||
	    resnet18_init(&shared, prepared, &options) != RESNET18_OK) {
		fprintf(stderr, "threads: no memory, threads or weights\n");
		return 1;
	}
	for (int k = 0; k < RESNET18_INPUT0_COUNT; k++)
		input[k] = (float)(k % 251) / 125.0f - 1.0f;
	const double before = measure(&alone, one, arena), after = measure(&shared, many, arena);

	free(arena);
	free(prepared);
	skipc_pool_destroy(pool);
	if (before < 0.0 || after < 0.0 || memcmp(one, many, sizeof(one)) != 0) {
		fprintf(stderr, "threads: a run failed, or the results differ\n");
		return 1;
	}
	printf("    1 thread %.1f ms, %d threads %.1f ms, the same bits; arena %d bytes and %d for each further thread\n", before,
	       workers, after, RESNET18_ARENA_SIZE, RESNET18_ARENA_WORKER_SIZE);
	return 0;
}
