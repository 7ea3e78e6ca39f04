/* A network whose weights are a file apart, run by several threads at once.
 *
 *	throughput DIGITS_WEIGHTS.bin IMAGES.npy LABELS.npy
 *
 * The weights are mapped once and the net is initialised once; both are constant from then on, so all threads share
 * them. Each worker has an arena of its own. The pool of runtime/ hands the images out here; within one inference,
 * it could be given to init as parallel_for. Exit status: 0, 1 when a number of threads changes a result or fewer
 * than 97 % are right, 2 when something cannot be had. */
#define _POSIX_C_SOURCE 200809L
#include "digits.h"
#include "skipc_pool.h"
#include "skipc_weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COUNT = 360, PIXELS = DIGITS_INPUT0_COUNT, CLASSES = DIGITS_OUTPUT0_COUNT, ROUNDS = 20 };

static float images[COUNT][PIXELS];
static unsigned char labels[COUNT];

/* What the workers of one round see. */
struct job {
	const struct digits *net;
	unsigned char *arenas; /* worker k's at k * stride */
	size_t stride;
	float scores[COUNT][CLASSES]; /* of image i, by whoever takes it */
	int status[COUNT];
};

static void classify(void *task, int index, int worker)
{
	struct job *job = (struct job *)task;

	job->status[index] = digits_run(job->net, images[index], job->scores[index],
					job->arenas + (size_t)worker * job->stride);
}

/* Reads what follows the head of a .npy file of version 1. */
static int read_npy(const char *path, void *data, size_t size)
{
	unsigned char head[10];
	FILE *f = fopen(path, "rb");
	int ok;

	if (f == NULL)
		return 0;
	ok = fread(head, 1, 10, f) == 10 && memcmp(head, "\x93NUMPY\x01", 7) == 0 &&
	     fseek(f, head[8] + 256L * head[9], SEEK_CUR) == 0 && fread(data, size, 1, f) == 1;
	fclose(f);
	return ok;
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Classifies all images ROUNDS times with so many workers; images a second, or a negative number. */
static double measure(struct job *job, int workers)
{
	struct skipc_pool *pool = skipc_pool_create(workers);
	double start;
	void *memory = NULL;

	if (pool == NULL)
		return -1;
	/* Rounded up, so that no two arenas share a cache line. */
	job->stride = (DIGITS_ARENA_SIZE + 127) / 128 * 128;
	if (posix_memalign(&memory, 128, job->stride * (size_t)workers) != 0) {
		skipc_pool_destroy(pool);
		return -1;
	}
	job->arenas = (unsigned char *)memory;
	skipc_pool_for(pool, classify, job, COUNT); /* to warm up */
	start = seconds();
	for (int k = 0; k < ROUNDS; k++)
		skipc_pool_for(pool, classify, job, COUNT);
	start = seconds() - start;
	free(memory);
	skipc_pool_destroy(pool);
	for (int k = 0; k < COUNT; k++) {
		if (job->status[k] != DIGITS_OK)
			return -1;
	}
	return COUNT * ROUNDS / start;
}

static int count_right(const struct job *job)
{
	int right = 0;

	for (int k = 0; k < COUNT; k++) {
		int best = 0;

		for (int c = 1; c < CLASSES; c++)
			best = job->scores[k][c] > job->scores[k][best] ? c : best;
		right += best == labels[k];
	}
	return right;
}

/* Measures with 1, 2, 4 ... workers, up to twice the processors. */
static int measure_all(const struct digits *net)
{
	static struct job job;
	static float first[COUNT][CLASSES];
	struct skipc_pool *pool = skipc_pool_create(0);
	const int most = 2 * skipc_pool_workers(pool);
	int right;

	skipc_pool_destroy(pool);
	job.net = net;
	for (int workers = 1; workers <= most && workers <= 64; workers *= 2) {
		const double rate = measure(&job, workers);

		if (rate < 0) {
			fprintf(stderr, "%d workers: no threads, no memory, or a run failed\n", workers);
			return 2;
		}
		if (workers == 1)
			memcpy(first, job.scores, sizeof(first));
		if (memcmp(first, job.scores, sizeof(first)) != 0) {
			fprintf(stderr, "%d workers compute other bits than one\n", workers);
			return 1;
		}
		printf("    %2d worker%s %9.0f images/s, %zu bytes of arenas, the same bits\n", workers,
		       workers > 1 ? "s" : " ", rate, job.stride * (size_t)workers);
	}
	right = count_right(&job);
	printf("    %d of %d recognised\n", right, COUNT);
	return right * 100 >= COUNT * 97 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct skipc_weights file;
	struct digits_options options = { 0 };
	struct digits net;
	void *prepared = NULL;
	int status;

	if (argc != 4) {
		fprintf(stderr, "usage: throughput WEIGHTS.bin IMAGES.npy LABELS.npy\n");
		return 2;
	}
	if (!read_npy(argv[2], images, sizeof(images)) || !read_npy(argv[3], labels, sizeof(labels))) {
		fprintf(stderr, "throughput: %s and %s are not %d images and labels\n", argv[2], argv[3], COUNT);
		return 2;
	}
	status = skipc_weights_open(&file, argv[1]);
	if (status != SKIPC_WEIGHTS_OK) {
		fprintf(stderr, "throughput: %s: %s\n", argv[1], skipc_weights_error(status));
		return 2;
	}
	if (posix_memalign(&prepared, 64, DIGITS_PREPARED_SIZE + 1) != 0)
		return 2;
	options.weights = file.data;
	options.weights_size = file.size;
	options.check_weights = 1;
	status = digits_init(&net, prepared, &options);
	if (status != DIGITS_OK) {
		fprintf(stderr, "throughput: %s: %s\n", argv[1], digits_error(status));
		return 2;
	}
	printf("    %zu bytes of weights, %s; id %016llx%s\n", file.size, file.mapped ? "mapped" : "read",
	       (unsigned long long)digits_weights_id(&net),
	       digits_weights_id(&net) != DIGITS_WEIGHTS_ID ? ": not those of the compilation" : "");
	status = measure_all(&net);
	skipc_weights_close(&file);
	free(prepared);
	return status;
}
