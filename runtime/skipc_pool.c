/*
 * A pool of threads. See skipc_pool.h.
 *
 * A call publishes a job under the lock, wakes who sleeps, and takes indices itself until none is
 * left. Each worker has a share of the indices, the same for each job of that count, so that it
 * finds in its cache what it left there; when its own are gone it takes others'. A worker that
 * notices the job enters it under the lock (`inside`) while it is open. The caller closes it when
 * the indices are gone, and waits only for those inside: a thread that wakes late finds it closed
 * and costs nothing.
 *
 * Whoever waits looks for a moment before it sleeps, because the next kernel of a network comes
 * within microseconds. An idle pool sleeps.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE /* _SC_NPROCESSORS_ONLN */
#endif

#include "skipc_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { SPIN_NS = 50000, LOOKS = 32 /* between two looks at the clock */, LINE = 128 };

struct job {
	void (*body)(void *task, int index, int worker);
	void *task;
	unsigned count;
};

struct seat {
	struct skipc_pool *pool;
	pthread_t thread;
	int worker;
	char apart[LINE];
	unsigned next; /* index to take of this worker's share; a counter as those below */
	char apart1[LINE];
};

struct skipc_pool {
	int workers, spin; /* constant; spin: there is a processor for everyone */

	pthread_mutex_t lock; /* guards what follows, up to the counters */
	pthread_cond_t wake, done;
	struct job job;
	int busy; /* a call owns the pool */
	int open; /* its job may be entered */
	int stop;
	int sleepers; /* threads in wake */
	int waiting;  /* the owner is in done */

	/* Counters, each on a line of its own. Read at any time; `generation` and additions to
	 * `inside` change under the lock. */
	char apart0[LINE];
	unsigned generation; /* of the job */
	char apart1[LINE];
	unsigned inside; /* threads in the job, without the owner */
	char apart2[LINE];

#ifdef SKIPC_POOL_NO_ATOMICS
	pthread_mutex_t counters;
#endif
	struct seat seat[]; /* [0] is the caller's: no thread */
};

/* ---- counters ---- */

#if !defined(__GNUC__) && !defined(__clang__) && !defined(SKIPC_POOL_NO_ATOMICS)
#error "this compiler has no __atomic functions: define SKIPC_POOL_NO_ATOMICS"
#endif

#ifndef SKIPC_POOL_NO_ATOMICS

static unsigned counter_get(struct skipc_pool *pool, const unsigned *counter)
{
	(void)pool;
	return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* Adds n, and returns what was there before. */
static unsigned counter_add(struct skipc_pool *pool, unsigned *counter, unsigned n)
{
	(void)pool;
	return __atomic_fetch_add(counter, n, __ATOMIC_ACQ_REL);
}

#else

static unsigned counter_add(struct skipc_pool *pool, unsigned *counter, unsigned n)
{
	unsigned before;

	pthread_mutex_lock(&pool->counters);
	before = *counter;
	*counter = before + n;
	pthread_mutex_unlock(&pool->counters);
	return before;
}

static unsigned counter_get(struct skipc_pool *pool, unsigned *counter)
{
	return counter_add(pool, counter, 0);
}

#endif

/* ---- waiting ---- */

static void pause_a_little(void)
{
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
	__builtin_ia32_pause();
#elif defined(__GNUC__) && defined(__aarch64__)
	__asm__ __volatile__("yield");
#endif
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Looks for a moment whether the counter has (until == 1) or has lost (until == 0) the value. */
static void look(struct skipc_pool *pool, unsigned *counter, unsigned value, int until)
{
	const long long end = pool->spin ? now_ns() + SPIN_NS : 0;

	if (!pool->spin)
		return;
	do {
		for (int k = 0; k < LOOKS; k++) {
			if ((counter_get(pool, counter) == value) == until)
				return;
			pause_a_little();
		}
	} while (now_ns() < end);
}

/* ---- a job ---- */

/* Where a worker's share of the indices begins. */
static unsigned share_begin(const struct skipc_pool *pool, const struct job *job, int worker)
{
	return (unsigned)((unsigned long long)job->count * (unsigned)worker /
			  (unsigned)pool->workers);
}

/* Takes indices until none is left: the worker's own, then those of the workers behind it. */
static void work(struct skipc_pool *pool, const struct job *job, int worker)
{
	for (int k = 0; k < pool->workers; k++) {
		const int owner = (worker + k) % pool->workers;
		const unsigned end = share_begin(pool, job, owner + 1);
		unsigned index;

		while ((index = counter_add(pool, &pool->seat[owner].next, 1)) < end)
			job->body(job->task, (int)index, worker);
	}
}

static void *worker_main(void *argument)
{
	const struct seat *seat = (const struct seat *)argument;
	struct skipc_pool *pool = seat->pool;
	unsigned seen = 0;

	for (;;) {
		look(pool, &pool->generation, seen, 0);
		pthread_mutex_lock(&pool->lock);
		while (pool->generation == seen) {
			pool->sleepers++;
			pthread_cond_wait(&pool->wake, &pool->lock);
			pool->sleepers--;
		}
		const int stop = pool->stop, open = pool->open;
		const struct job job = pool->job;

		seen = pool->generation;
		if (!stop && open)
			counter_add(pool, &pool->inside, 1);
		pthread_mutex_unlock(&pool->lock);
		if (stop)
			return NULL;
		if (!open)
			continue;
		work(pool, &job, seat->worker);
		if (counter_add(pool, &pool->inside, 0u - 1) == 1) {
			pthread_mutex_lock(&pool->lock);
			if (pool->waiting)
				pthread_cond_signal(&pool->done);
			pthread_mutex_unlock(&pool->lock);
		}
	}
}

/* Makes the calling thread the pool's owner, and the job known. 0 when another call owns it. */
static int begin(struct skipc_pool *pool, const struct job *job)
{
	int wake;

	pthread_mutex_lock(&pool->lock);
	if (pool->busy) {
		pthread_mutex_unlock(&pool->lock);
		return 0;
	}
	pool->busy = pool->open = 1;
	pool->job = *job;
	/* None is inside, so none uses it; who enters does so under the lock. */
	for (int k = 0; k < pool->workers; k++) {
		unsigned *next = &pool->seat[k].next;

		counter_add(pool, next, share_begin(pool, job, k) - counter_get(pool, next));
	}
	counter_add(pool, &pool->generation, 1);
	wake = pool->sleepers;
	if (job->count > (unsigned)wake && wake > 0) {
		pthread_cond_broadcast(&pool->wake);
	} else {
		for (unsigned k = 1; k < job->count && wake > 0; k++, wake--)
			pthread_cond_signal(&pool->wake);
	}
	pthread_mutex_unlock(&pool->lock);
	return 1;
}

/* Closes the job, and returns when all have left it. */
static void end(struct skipc_pool *pool)
{
	pthread_mutex_lock(&pool->lock);
	pool->open = 0;
	pthread_mutex_unlock(&pool->lock);
	look(pool, &pool->inside, 0, 1);
	pthread_mutex_lock(&pool->lock);
	pool->waiting = 1;
	while (counter_get(pool, &pool->inside) != 0)
		pthread_cond_wait(&pool->done, &pool->lock);
	pool->waiting = 0;
	pool->busy = 0;
	pthread_mutex_unlock(&pool->lock);
}

/* The worker that this thread is, 0 if it is none of ours. */
static int own_worker(const struct skipc_pool *pool)
{
	for (int k = 1; pool != NULL && k < pool->workers; k++) {
		if (pthread_equal(pool->seat[k].thread, pthread_self()))
			return k;
	}
	return 0;
}

/* ---- what the header declares ---- */

void skipc_pool_for(
	void *context, void (*body)(void *task, int index, int worker), void *task, int count)
{
	struct skipc_pool *pool = (struct skipc_pool *)context;
	const struct job job = { body, task, count > 0 ? (unsigned)count : 0 };

	if (pool != NULL && pool->workers > 1 && count > 1 && begin(pool, &job)) {
		work(pool, &job, 0);
		end(pool);
		return;
	}
	const int worker = own_worker(pool);

	for (int k = 0; k < count; k++)
		body(task, k, worker);
}

int skipc_pool_workers(const struct skipc_pool *pool)
{
	return pool != NULL ? pool->workers : 1;
}

static int online_processors(void)
{
#ifdef _SC_NPROCESSORS_ONLN
	const long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > 1024 ? 1024 : (int)n;
#else
	return 1;
#endif
}

/* The lock and the conditions; 0 or an errno, with nothing left to undo. */
static int make_locks(struct skipc_pool *pool)
{
	int error = pthread_mutex_init(&pool->lock, NULL);

	if (error != 0)
		return error;
	error = pthread_cond_init(&pool->wake, NULL);
	if (error != 0)
		goto no_wake;
	error = pthread_cond_init(&pool->done, NULL);
	if (error != 0)
		goto no_done;
#ifdef SKIPC_POOL_NO_ATOMICS
	error = pthread_mutex_init(&pool->counters, NULL);
	if (error != 0)
		goto no_counters;
#endif
	return 0;
#ifdef SKIPC_POOL_NO_ATOMICS
no_counters:
	pthread_cond_destroy(&pool->done);
#endif
no_done:
	pthread_cond_destroy(&pool->wake);
no_wake:
	pthread_mutex_destroy(&pool->lock);
	return error;
}

/* Ends threads 1 to n - 1 and frees everything. */
static void dissolve(struct skipc_pool *pool, int n)
{
	pthread_mutex_lock(&pool->lock);
	pool->stop = 1;
	counter_add(pool, &pool->generation, 1);
	pthread_cond_broadcast(&pool->wake);
	pthread_mutex_unlock(&pool->lock);
	for (int k = 1; k < n; k++)
		pthread_join(pool->seat[k].thread, NULL);
#ifdef SKIPC_POOL_NO_ATOMICS
	pthread_mutex_destroy(&pool->counters);
#endif
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->wake);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

/* Starts the threads, all signals blocked; returns the first seat that has none, and its errno. */
static int start_threads(struct skipc_pool *pool, int *error)
{
	sigset_t all, old;
	int k;

	*error = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (k = 1; k < pool->workers && *error == 0; k++) {
		struct seat *seat = &pool->seat[k];

		seat->pool = pool;
		seat->worker = k;
		*error = pthread_create(&seat->thread, NULL, worker_main, seat);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return *error == 0 ? k : k - 1;
}

struct skipc_pool *skipc_pool_create(int workers)
{
	const int online = online_processors();
	struct skipc_pool *pool;
	int error, started;

	if (workers < 0) {
		errno = EINVAL;
		return NULL;
	}
	if (workers == 0)
		workers = online;
	pool = (struct skipc_pool *)calloc(
		1, sizeof(*pool) + (size_t)workers * sizeof(pool->seat[0]));
	if (pool == NULL) {
		errno = ENOMEM;
		return NULL;
	}
	pool->workers = workers;
	pool->spin = workers <= online;
	error = make_locks(pool);
	if (error != 0) {
		free(pool);
		errno = error;
		return NULL;
	}
	started = start_threads(pool, &error);
	if (error != 0) {
		dissolve(pool, started);
		errno = error;
		return NULL;
	}
	return pool;
}

void skipc_pool_destroy(struct skipc_pool *pool)
{
	if (pool != NULL)
		dissolve(pool, pool->workers);
}
