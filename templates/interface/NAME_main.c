/*
 * NAME_main.c, the program of --main: rows of its tables, casts of the call.
 */
#define _POSIX_C_SOURCE 200809L
#include "NAME.h"

#define INPUT_ROWS { "x", "f4", 4, 1, { 1 }, { 1 } },
#define OUTPUT_ROWS { "y", "f4", 4, 1, { 1 }, { 1 } },
#define TRACED_ROWS { "y", "f4", 4, 1, { 1 }, { 1 } },
#define CASTS (const float *)in[0], (float *)out[0]

#include "template.h"
/* A program around NAME: files in, files out, times. 0BSD, as NAME.c. */
#define _POSIX_C_SOURCE 200809L
#include "NAME.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef SKIPC_POOL /* cc -DSKIPC_POOL -I runtime *.c runtime/skipc_pool.c -lpthread: with --threads */
#include "skipc_pool.h"
#endif

struct tensor {
	const char *name, *type; /* type of a .npy file, without byte order */
	int size, rank;
	long shape[8], stride[8];
};

static const struct tensor inputs[] = {
	INPUT_ROWS
};

static const struct tensor outputs[] = {
	OUTPUT_ROWS
};

#if TRACE
static const struct tensor traced[] = {
	TRACED_ROWS
};

#endif
static int run(const struct NAME *net, void *const *in, void *const *out, void *arena)
{
	(void)in; /* there may be none */
	return NAME_run(net, CASTS, arena);
}

static const char usage[] = "usage: PROGRAM x0.npy [x1.npy ...] -o y0.npy [y1.npy ...] [--time N] [--isa N] [--weights FILE] [--check-weights] [--trace-dir DIR] [--profile] [--threads N]\n"
			    "inputs and outputs in the order of the graph; --time prints N times of one run, after one not counted,\n"
			    "--profile (compiled with -DNAME_PROFILE) means of its steps; --threads (-DSKIPC_POOL): 0 is all processors\n";

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static size_t count_of(const struct tensor *t)
{
	size_t count = 1;

	for (int d = 0; d < t->rank; d++)
		count *= (size_t)t->shape[d];
	return count;
}

/* Memory aligned to 64 bytes, zeroed and as long as asked, so that sanitizers see what is written behind it. */
static void *allocate(size_t size)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, size > 0 ? size : 1) != 0)
		fail("memory", "there is not enough");
	memset(p, 0, size);
	return p;
}

static int little_endian(void)
{
	const uint16_t one = 1;

	return *(const unsigned char *)&one == 1;
}

static void swap_bytes(unsigned char *v, size_t count, size_t size)
{
	for (size_t k = 0; k < count; k++, v += size) {
		for (size_t i = 0; i < size / 2; i++) {
			const unsigned char t = v[i];

			v[i] = v[size - 1 - i];
			v[size - 1 - i] = t;
		}
	}
}

/* `(1, 3, 224, 224)` */
static void shape_text(char *to, size_t room, const struct tensor *t)
{
	size_t n = (size_t)snprintf(to, room, "(");

	for (int d = 0; d < t->rank; d++)
		n += (size_t)snprintf(to + n, room - n, d > 0 ? ", %ld" : "%ld", t->shape[d]);
	snprintf(to + n, room - n, t->rank == 1 ? ",)" : ")");
}

/* Reads a .npy file (version 1 or 2) of exactly t's type and shape, row-major. */
static void *read_npy(const char *path, const struct tensor *t)
{
	FILE *f = fopen(path, "rb");
	unsigned char head[12];
	char text[4096], want[256];
	size_t length, count = count_of(t), size = (size_t)t->size;
	void *data = allocate(count * size);

	if (f == NULL || fread(head, 1, 10, f) != 10 || memcmp(head, "\x93NUMPY", 6) != 0)
		fail(path, "not a .npy file");
	length = head[8] + 256u * head[9];
	if (head[6] > 1) {
		if (fread(head + 10, 1, 2, f) != 2)
			fail(path, "not a .npy file");
		length += 65536u * head[10];
	}
	if (length >= sizeof(text) || fread(text, 1, length, f) != length)
		fail(path, "not a .npy file");
	text[length] = '\0';
	const char *type = strstr(text, "'descr': '"), *shape = strstr(text, "'shape': ");

	if (type == NULL || shape == NULL || strstr(text, "'fortran_order': False") == NULL)
		fail(path, "not a row-major .npy file");
	type += strlen("'descr': '");
	shape_text(want, sizeof(want), t);
	if (strncmp(type + 1, t->type, 2) != 0 || strncmp(shape + strlen("'shape': "), want, strlen(want)) != 0) {
		fprintf(stderr, "%s: input %s wants type %s and shape %s; the file says %s", path, t->name, t->type, want, text);
		exit(1);
	}
	if (fread(data, size, count, f) != count)
		fail(path, "ends too early");
	fclose(f);
	if ((*type == '<' && !little_endian()) || (*type == '>' && little_endian()))
		swap_bytes(data, count, size);
	return data;
}

/* Writes data, which lies as t's strides say, as a row-major .npy file. */
static void write_npy(const char *path, const struct tensor *t, const void *data)
{
	FILE *f = fopen(path, "wb");
	char text[256], shape[200];
	size_t count = count_of(t);
	int length;

	if (f == NULL)
		fail(path, "cannot be written");
	shape_text(shape, sizeof(shape), t);
	length = snprintf(text, sizeof(text), "{'descr': '%c%s', 'fortran_order': False, 'shape': %s, }",
			  t->size == 1 ? '|' : little_endian() ? '<' : '>', t->type, shape);
	while ((length + 11) % 64 != 0)
		text[length++] = ' ';
	text[length++] = '\n';
	fwrite("\x93NUMPY\x01\x00", 1, 8, f);
	fputc(length % 256, f);
	fputc(length / 256, f);
	fwrite(text, 1, (size_t)length, f);
	for (size_t k = 0; k < count; k++) {
		size_t rest = k;
		long at = 0;

		for (int d = t->rank - 1; d >= 0; d--) {
			at += (long)(rest % (size_t)t->shape[d]) * t->stride[d];
			rest /= (size_t)t->shape[d];
		}
		fwrite((const char *)data + at * t->size, (size_t)t->size, 1, f);
	}
	if (fclose(f) != 0)
		fail(path, "cannot be written");
}

static void *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	void *data;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0)
		fail(path, "cannot be read");
	*size = (size_t)ftell(f);
	rewind(f);
	data = allocate(*size);
	if (fread(data, 1, *size, f) != *size)
		fail(path, "cannot be read");
	fclose(f);
	return data;
}

#if TRACE
static void write_traced(void *directory, int index, const void *data)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%d.npy", (const char *)directory, index);
	write_npy(path, &traced[index], data);
}
#endif

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

#ifdef NAME_PROFILE
static struct {
	double start, took[NAME_STEPS]; /* of the step that runs; nanoseconds of the runs counted */
	int runs;
} profile = { 0.0, { 0.0 }, -1 };

static int profile_step(void *context, int step)
{
	const double time = now();

	(void)context;
	if (step > 0 && profile.runs >= 0)
		profile.took[step - 1] += time - profile.start;
	profile.runs += step == NAME_STEPS;
	profile.start = now();
	return 0;
}

static void print_profile(void)
{
	double sum = 0.0;

	printf("step         us      MMAC   GFLOP/s         KB  kernel: nodes\n");
	for (int k = 0; k < NAME_STEPS; k++) {
		const double took = profile.took[k] / profile.runs, flop = 2.0 * (double)NAME_steps[k].macs;

		printf("%4d %10.1f %9.2f %9.1f %10.1f  %s: %s\n", k, took * 1e-3, flop * 0.5e-6, took > 0.0 ? flop / took : 0.0,
		       (double)NAME_steps[k].bytes * 1e-3, NAME_steps[k].kernel, NAME_steps[k].nodes);
		sum += took;
	}
	printf(" sum %10.1f\n", sum * 1e-3);
}
#endif

int main(int argc, char **argv)
{
	struct NAME net;
	struct NAME_options options;
	const char *out_path[NAME_OUTPUTS + 1] = { 0 };
	void *in[NAME_INPUTS + 1] = { 0 }, *out[NAME_OUTPUTS + 1];
	int nin = 0, nout = -1, times = 0, status;
	void *arena, *prepared = allocate(NAME_PREPARED_SIZE);

	memset(&options, 0, sizeof(options));
	options.workers = 1;
	for (int k = 1; k < argc; k++) {
		if (strcmp(argv[k], "-o") == 0) {
			nout = 0;
		} else if (strcmp(argv[k], "--time") == 0 && k + 1 < argc) {
			times = atoi(argv[++k]);
		} else if (strcmp(argv[k], "--isa") == 0 && k + 1 < argc) {
			options.isa = atoi(argv[++k]);
		} else if (strcmp(argv[k], "--check-weights") == 0) {
			options.check_weights = 1;
		} else if (strcmp(argv[k], "--weights") == 0 && k + 1 < argc) {
			options.weights = read_file(argv[++k], &options.weights_size);
#ifdef SKIPC_POOL
		} else if (strcmp(argv[k], "--threads") == 0 && k + 1 < argc && options.parallel_context == NULL) {
			options.parallel_for = skipc_pool_for;
			options.parallel_context = skipc_pool_create(atoi(argv[++k]));
			options.workers = skipc_pool_workers(options.parallel_context);
			if (options.parallel_context == NULL)
				fail("threads", "they cannot be started");
#endif
#if TRACE
		} else if (strcmp(argv[k], "--trace-dir") == 0 && k + 1 < argc) {
			options.trace = write_traced;
			options.trace_context = argv[++k];
#endif
#ifdef NAME_PROFILE
		} else if (strcmp(argv[k], "--profile") == 0) {
			options.profile = profile_step;
			times = times > 0 ? times : 1;
#endif
		} else if (nout >= 0 && nout < NAME_OUTPUTS) {
			out_path[nout++] = argv[k];
		} else if (nout < 0 && nin < NAME_INPUTS) {
			in[nin] = read_npy(argv[k], &inputs[nin]);
			nin++;
		} else {
			fputs(usage, stderr);
			return 2;
		}
	}
	if (nin != NAME_INPUTS || nout != NAME_OUTPUTS) {
		fputs(usage, stderr);
		return 2;
	}
	for (int k = 0; k < NAME_OUTPUTS; k++)
		out[k] = allocate(count_of(&outputs[k]) * (size_t)outputs[k].size);
	arena = allocate(NAME_ARENA_SIZE + (size_t)(options.workers - 1) * NAME_ARENA_WORKER_SIZE);
	status = NAME_init(&net, prepared, &options);
	if (status == 0)
		status = run(&net, in, out, arena);
	for (int k = 0; k < times && status == 0; k++) {
		const double start = now();

		status = run(&net, in, out, arena);
		printf("run %d %.0f ns\n", k, now() - start);
	}
	if (status != 0)
		fail("network", NAME_error(status));
#ifdef NAME_PROFILE
	if (options.profile != NULL)
		print_profile();
#endif
	for (int k = 0; k < NAME_OUTPUTS; k++) {
		write_npy(out_path[k], &outputs[k], out[k]);
		free(out[k]);
	}
	for (int k = 0; k < NAME_INPUTS; k++)
		free(in[k]);
	free(arena);
	free(prepared);
#ifdef SKIPC_POOL
	skipc_pool_destroy(options.parallel_context);
#endif
	return 0;
}
