/*
 * A pool of threads for code that skipc generates. Nothing generated needs it: it is one way to
 *fill in the fields `parallel_for`, `parallel_context` and `workers` of NAME_options.
 *
 *	struct skipc_pool *pool = skipc_pool_create(0);
 *	struct resnet18_options options = { 0 };
 *
 *	options.parallel_for = skipc_pool_for;
 *	options.parallel_context = pool;
 *	options.workers = skipc_pool_workers(pool);
 *	resnet18_init(&net, prepared, &options);
 *	...
 *	skipc_pool_destroy(pool);	when no net that was given it runs any more
 *
 * C99 and POSIX threads: cc ... skipc_pool.c -lpthread
 */
#ifndef SKIPC_POOL_H
#define SKIPC_POOL_H

#ifdef __cplusplus
extern "C" {
#endif

struct skipc_pool;

/* A pool of `workers` workers: workers - 1 threads, and whoever calls skipc_pool_for(). 0: as many
 * as processors are online, 1 where the system does not say. The caller owns it:
 * skipc_pool_destroy() frees it. Null, and errno, when workers is negative (EINVAL), or the system
 * has no more threads (EAGAIN) or memory (ENOMEM). The threads take no signals. */
struct skipc_pool *skipc_pool_create(int workers);

/* How many workers; at least 1, and 1 for a null pool. */
int skipc_pool_workers(const struct skipc_pool *pool);

/* Calls body(task, i, worker) once for every i from 0 below count, in no order, and returns when
 * all have returned; what the bodies wrote is then visible to the caller. Each worker begins with
 * its own share of the indices, the same for every call of that count, and takes others' when it is
 * done. The calling thread is worker 0 and does its part; a call never waits for a thread that has
 * not begun to work on it. Two bodies of one call that run at once have different workers, all
 * below skipc_pool_workers().
 *
 * Any thread may call at any time, from within a body too. A call that finds the pool at work runs
 * all its bodies on the calling thread, one after another, as worker 0, or within a body as the
 * worker of that body. So calls never wait for each other, and cannot deadlock. A null pool runs
 * them so too. It cannot fail.
 *
 * body must return: no longjmp, exception or pthread_exit out of it. After fork() the child makes a
 * pool of its own. `pool` is a struct skipc_pool *; it is void * because parallel_for has that
 * type. */
void skipc_pool_for(
	void *pool, void (*body)(void *task, int index, int worker), void *task, int count);

/* Ends the threads and frees the pool. No call may be running, and none may come. Null is allowed.
 */
void skipc_pool_destroy(struct skipc_pool *pool);

#ifdef __cplusplus
}
#endif
#endif
