/*
 * runtime/: the pool of threads under every use that its header allows, and the loading of weights.
 * tests/runtime.py builds this file with other compilers, options and sanitizers.
 */
#include "../runtime/skipc_pool.c"
#include "../runtime/skipc_weights.c"

#include <check.h>
#include <string.h>
#include <sys/resource.h>

/* What parallel_for is in a generated header. */
struct options {
	void (*parallel_for)(void *context, void (*body)(void *task, int index, int worker), void *task, int count);
	void *parallel_context;
	int workers;
};

enum { MANY = 1000, WORKERS = 16 };

/* ---- the pool ---- */

struct task {
	struct skipc_pool *pool;
	int workers;
	int calls[MANY]; /* by index */
	int active[WORKERS]; /* bodies that run as this worker: 0 or 1 */
	int used[WORKERS]; /* calls by worker */
	pthread_t thread[MANY];
	long pause_ns;
};

static void body(void *context, int index, int worker)
{
	struct task *t = context;

	/* Not ck_assert(), which writes to a pipe when all is well, and so keeps the threads apart. */
	if (worker < 0 || worker >= t->workers || __atomic_fetch_add(&t->active[worker], 1, __ATOMIC_RELAXED) != 0)
		ck_abort_msg("worker %d of %d, or twice at once", worker, t->workers);
	t->calls[index]++; /* no lock: nobody else has this index, and the caller reads it later */
	t->used[worker]++;
	t->thread[index] = pthread_self();
	if (t->pause_ns > 0)
		nanosleep(&(struct timespec){ .tv_nsec = t->pause_ns }, NULL);
	__atomic_fetch_sub(&t->active[worker], 1, __ATOMIC_RELAXED);
}

static void check_calls(const struct task *t, int count, int calls)
{
	int sum = 0;

	for (int k = 0; k < MANY; k++) {
		if (t->calls[k] != (k < count ? calls : 0))
			ck_abort_msg("index %d of %d: %d calls", k, count, t->calls[k]);
	}
	for (int k = 0; k < WORKERS; k++)
		sum += t->used[k];
	ck_assert_int_eq(sum, count * calls);
}

START_TEST(test_every_count_and_size)
{
	static const int counts[] = { -1, 0, 1, 2, 3, 7, 16, 17, MANY };

	for (int workers = 1; workers <= WORKERS; workers += workers < 4 ? 1 : 6) {
		struct skipc_pool *pool = skipc_pool_create(workers);
		const struct options options = { skipc_pool_for, pool, skipc_pool_workers(pool) };

		ck_assert_ptr_nonnull(pool);
		ck_assert_int_eq(options.workers, workers);
		for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
			struct task t = { .workers = workers };

			for (int round = 0; round < 20; round++)
				options.parallel_for(options.parallel_context, body, &t, counts[k]);
			check_calls(&t, counts[k] > 0 ? counts[k] : 0, 20);
		}
		skipc_pool_destroy(pool);
	}
}
END_TEST

START_TEST(test_all_take_part)
{
	struct skipc_pool *pool = skipc_pool_create(4);
	struct task t = { .workers = 4, .pause_ns = 20000000 };

	skipc_pool_for(pool, body, &t, 16);
	check_calls(&t, 16, 1);
	for (int k = 0; k < 4; k++)
		ck_assert_msg(t.used[k] > 0, "worker %d did nothing", k);
	/* The caller is one of them, and is worker 0. */
	int own = 0;

	for (int k = 0; k < 16; k++)
		own += pthread_equal(t.thread[k], pthread_self()) != 0;
	ck_assert_int_eq(own, t.used[0]);
	skipc_pool_destroy(pool);
}
END_TEST

/* Calls in quick turn, with tasks and counts in turn and more threads than processors: some spin, some sleep, some
 * come late and must not find the next call's indices for the last call's task. */
START_TEST(test_many_calls)
{
	struct skipc_pool *pool = skipc_pool_create(WORKERS);
	struct task t[3] = { { .workers = WORKERS }, { .workers = WORKERS }, { .workers = WORKERS } };

	for (int round = 0; round < 10000; round++) {
		skipc_pool_for(pool, body, &t[round % 3], 5 + 30 * (round % 3));
		if (round % 200 == 0) /* longer than anybody spins */
			nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
	for (int k = 0; k < 3; k++)
		check_calls(&t[k], 5 + 30 * k, 10000 / 3 + (k < 10000 % 3));
	skipc_pool_destroy(pool);
}
END_TEST

static void nested(void *context, int index, int worker)
{
	const struct task *outer = context;
	struct task t = { .workers = outer->workers };

	skipc_pool_for(outer->pool, body, &t, 9);
	check_calls(&t, 9, 1);
	ck_assert_int_eq(t.used[worker], 9); /* all as the worker of the body that called */
	for (int k = 0; k < 9; k++)
		ck_assert(pthread_equal(t.thread[k], pthread_self()));
	body(context, index, worker);
}

START_TEST(test_nested)
{
	struct skipc_pool *pool = skipc_pool_create(4);
	struct task t = { .pool = pool, .workers = 4, .pause_ns = 100000 };

	skipc_pool_for(pool, nested, &t, 200);
	check_calls(&t, 200, 1);
	skipc_pool_destroy(pool);
}
END_TEST

/* Two pools that call each other. */
struct pair {
	struct skipc_pool *pool[2];
	int depth;
	unsigned calls;
};

static void ping(void *context, int index, int worker)
{
	struct pair *p = context, inner = { { p->pool[1], p->pool[0] }, p->depth - 1, 0 };

	(void)index;
	(void)worker;
	if (inner.depth > 0) {
		skipc_pool_for(inner.pool[0], ping, &inner, 3);
		ck_assert_uint_eq(inner.calls, 3);
	}
	__atomic_fetch_add(&p->calls, 1, __ATOMIC_RELAXED);
}

START_TEST(test_two_pools)
{
	struct pair p = { { skipc_pool_create(3), skipc_pool_create(3) }, 4, 0 };

	for (int round = 0; round < 50; round++)
		skipc_pool_for(p.pool[0], ping, &p, 3);
	ck_assert_uint_eq(p.calls, 150);
	skipc_pool_destroy(p.pool[1]);
	skipc_pool_destroy(p.pool[0]);
}
END_TEST

static void *caller(void *context)
{
	struct skipc_pool *pool = context;
	struct task t = { .workers = 3 };

	for (int round = 0; round < 2000; round++)
		skipc_pool_for(pool, body, &t, 4);
	check_calls(&t, 4, 2000);
	return NULL;
}

START_TEST(test_callers_at_once)
{
	struct skipc_pool *pool = skipc_pool_create(3);
	pthread_t thread[4];

	for (int k = 0; k < 4; k++)
		ck_assert_int_eq(pthread_create(&thread[k], NULL, caller, pool), 0);
	for (int k = 0; k < 4; k++)
		pthread_join(thread[k], NULL);
	skipc_pool_destroy(pool);
}
END_TEST

static double processor_seconds(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + 1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

START_TEST(test_idle_pool_sleeps)
{
	struct skipc_pool *pool = skipc_pool_create(0);
	struct task t = { .workers = skipc_pool_workers(pool) };

	skipc_pool_for(pool, body, &t, t.workers <= WORKERS ? 8 : 0);
	nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	const double before = processor_seconds();

	nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
	ck_assert_double_lt(processor_seconds() - before, 0.05);
	skipc_pool_destroy(pool);
}
END_TEST

START_TEST(test_null_and_refused)
{
	struct task t = { .workers = 1 };

	skipc_pool_for(NULL, body, &t, 10);
	check_calls(&t, 10, 1);
	ck_assert_int_eq(skipc_pool_workers(NULL), 1);
	skipc_pool_destroy(NULL);
	errno = 0;
	ck_assert_ptr_null(skipc_pool_create(-1));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(test_create_and_destroy)
{
	for (int k = 0; k < 300; k++) {
		struct skipc_pool *pool = skipc_pool_create(4);
		struct task t = { .workers = 4 };

		ck_assert_ptr_nonnull(pool);
		for (int calls = 0; calls < k % 3; calls++)
			skipc_pool_for(pool, body, &t, 4);
		skipc_pool_destroy(pool);
	}
}
END_TEST

/* ---- the weights ---- */

enum { SIZE = 100001 };

static void file_name(char *path, size_t size, const char *what)
{
	const char *folder = getenv("TMPDIR");

	snprintf(path, size, "%s/skipc_runtime_%ld_%s", folder != NULL ? folder : "/tmp", (long)getpid(), what);
}

static void check_contents(const struct skipc_weights *file)
{
	const unsigned char *data = file->data;

	ck_assert_uint_eq(file->size, SIZE);
	ck_assert_uint_eq((uintptr_t)data % 64, 0);
	for (unsigned k = 0; k < SIZE; k++)
		ck_assert(data[k] == (unsigned char)(k * 7 + k / 251));
}

static void check_closed(struct skipc_weights *file)
{
	skipc_weights_close(file);
	ck_assert(file->data == NULL && file->size == 0 && file->owned == NULL);
	skipc_weights_close(file);
}

START_TEST(test_weights)
{
	struct skipc_weights file, again;
	char path[1000];
	FILE *f;

	file_name(path, sizeof(path), "weights");
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	for (unsigned k = 0; k < SIZE; k++)
		putc((int)((k * 7 + k / 251) & 255), f);
	fclose(f);
	ck_assert_int_eq(skipc_weights_open(&file, path), SKIPC_WEIGHTS_OK);
	ck_assert_int_eq(skipc_weights_open(&again, path), SKIPC_WEIGHTS_OK);
	check_contents(&file);
	check_closed(&file);
	check_contents(&again);
	check_closed(&again);
	/* and as where there is no mmap */
	ck_assert_int_eq(read_file(&file, path), SKIPC_WEIGHTS_OK);
	remove(path);
	check_contents(&file);
	check_closed(&file);
}
END_TEST

START_TEST(test_weights_refused)
{
	struct skipc_weights file;
	char path[1000];
	FILE *f;

	ck_assert_int_eq(skipc_weights_open(NULL, "x"), SKIPC_WEIGHTS_E_NULL);
	ck_assert_int_eq(skipc_weights_open(&file, NULL), SKIPC_WEIGHTS_E_NULL);
	skipc_weights_close(NULL);
	file_name(path, sizeof(path), "empty");
	ck_assert_int_eq(skipc_weights_open(&file, path), SKIPC_WEIGHTS_E_OPEN);
	ck_assert_int_eq(read_file(&file, path), SKIPC_WEIGHTS_E_OPEN);
	f = fopen(path, "wb");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_eq(skipc_weights_open(&file, path), SKIPC_WEIGHTS_E_EMPTY);
	ck_assert_int_eq(read_file(&file, path), SKIPC_WEIGHTS_E_EMPTY);
	remove(path);
	ck_assert_int_eq(skipc_weights_open(&file, "/"), SKIPC_WEIGHTS_E_READ);
	ck_assert_int_eq(read_file(&file, "/"), SKIPC_WEIGHTS_E_READ);
	ck_assert_int_ne(skipc_weights_open(&file, "/dev/zero"), SKIPC_WEIGHTS_OK);
	ck_assert(file.data == NULL && file.owned == NULL);
}
END_TEST

START_TEST(test_weights_errors)
{
	for (int k = SKIPC_WEIGHTS_E_MEMORY; k <= 0; k++)
		ck_assert(strstr(skipc_weights_error(k), "not a status") == NULL);
	ck_assert_str_eq(skipc_weights_error(0), "no error");
	ck_assert(strstr(skipc_weights_error(1), "not a status") != NULL);
	ck_assert(strstr(skipc_weights_error(SKIPC_WEIGHTS_E_MEMORY - 1), "not a status") != NULL);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("runtime");
	TCase *pool = tcase_create("pool"), *weights = tcase_create("weights");
	SRunner *run;

	tcase_set_timeout(pool, 120);
	tcase_add_test(pool, test_every_count_and_size);
	tcase_add_test(pool, test_all_take_part);
	tcase_add_test(pool, test_many_calls);
	tcase_add_test(pool, test_nested);
	tcase_add_test(pool, test_two_pools);
	tcase_add_test(pool, test_callers_at_once);
	tcase_add_test(pool, test_idle_pool_sleeps);
	tcase_add_test(pool, test_null_and_refused);
	tcase_add_test(pool, test_create_and_destroy);
	tcase_add_test(weights, test_weights);
	tcase_add_test(weights, test_weights_refused);
	tcase_add_test(weights, test_weights_errors);
	suite_add_tcase(s, pool);
	suite_add_tcase(s, weights);
	run = srunner_create(s);
	srunner_run_all(run, CK_NORMAL);
	const int failed = srunner_ntests_failed(run);

	srunner_free(run);
	return failed > 0;
}
