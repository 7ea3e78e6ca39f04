/*
 * A compiled network in a shared library, which timing.py loads. It is built with generated code of
 * the name `net`, and -DARGUMENTS=in[0],out[0]: what run takes between net and arena.
 */
#define _POSIX_C_SOURCE 200809L
#include "net.h"
#include "skipc_pool.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A network that is ready to run, on threads of its own. */
struct timing {
	struct net net;
	struct skipc_pool *pool;
	void *arena, *prepared;
#ifdef NET_PROFILE
	double start, took[NET_STEPS]; /* of the step that runs; seconds of the last timing_run() */
#endif
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *allocate(size_t size)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, size > 0 ? size : 1) != 0)
		abort();
	memset(p, 0, size);
	return p;
}

#ifdef NET_PROFILE
static int profile_step(void *context, int step)
{
	struct timing *const t = (struct timing *)context;
	const double time = now();

	if (step > 0)
		t->took[step - 1] += time - t->start;
	t->start = now();
	return 0;
}

const int timing_steps = NET_STEPS;

const double *timing_took(const struct timing *t)
{
	return t->took;
}
#endif

/* isa as in net_options. Null: init failed, and *why says it. Lives as long as the process. */
struct timing *timing_open(int isa, int threads, const char **why)
{
	struct timing *const t = (struct timing *)allocate(sizeof(*t));
	struct net_options options;
	int status;

	memset(&options, 0, sizeof(options));
	t->pool = skipc_pool_create(threads);
	t->arena = allocate(NET_ARENA_SIZE + (size_t)(threads - 1) * NET_ARENA_WORKER_SIZE);
	t->prepared = allocate(NET_PREPARED_SIZE);
	options.parallel_for = skipc_pool_for;
	options.parallel_context = t->pool;
	options.workers = skipc_pool_workers(t->pool);
	options.isa = isa;
#ifdef NET_PROFILE
	options.profile = profile_step;
	options.profile_context = t;
#endif
	status = net_init(&t->net, t->prepared, &options);
	*why = net_error(status);
	return status == NET_OK ? t : NULL;
}

/* Seconds of one run, the mean of `count`; negative when run failed. */
double timing_run(struct timing *t, void *const *in, void *const *out, int count)
{
	const double start = now();

	(void)in;
	(void)out;
#ifdef NET_PROFILE
	memset(t->took, 0, sizeof(t->took));
#endif
	for (int k = 0; k < count; k++) {
		if (net_run(&t->net, ARGUMENTS, t->arena) != NET_OK)
			return -1.0;
	}
	return (now() - start) / count;
}
