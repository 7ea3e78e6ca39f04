/* Two networks in one program, one of them shared by threads. Included as C++ too, to see that the headers
 * are. Prints nothing when all is well. See embed.py. */
#include "aa.h"
#include "bb.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, RUNS = 5 };

static const int bb_shape[] = BB_INPUT0_SHAPE;
static struct aa net_a;
static struct bb net_b;
static float input[AA_INPUT0_COUNT], expected[AA_OUTPUT0_COUNT];

static void check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "embed: %s\n", what);
	exit(1);
}

static void *aligned(size_t size, size_t offset)
{
	void *p = NULL;

	check(posix_memalign(&p, 64, size + offset + 64) == 0, "memory");
	memset(p, 0xff, size + offset + 64); /* every float is a NaN: what is read before it is written shows */
	return (char *)p + offset;
}

static void *worker(void *unused)
{
	void *arena = aligned(AA_ARENA_SIZE, 0);
	float output[AA_OUTPUT0_COUNT];

	for (int k = 0; k < RUNS; k++) {
		check(aa_run(&net_a, input, output, arena) == AA_OK, "run in a thread");
		check(memcmp(output, expected, sizeof(output)) == 0, "threads give other bits");
	}
	return unused;
}

static void check_not_ready(const struct bb *net, const char *why)
{
	static float in[BB_INPUT0_COUNT], out[BB_OUTPUT0_COUNT];

	check(bb_run(net, in, out, aligned(BB_ARENA_SIZE, 0)) == BB_E_INIT, why);
}

/* Everything that init and run refuse. */
static void check_refusals(const char *weights_path)
{
	struct bb net;
	struct bb_options options;
	FILE *f = fopen(weights_path, "rb");
	unsigned char *file = (unsigned char *)aligned(BB_WEIGHTS_SIZE + 64, 0);
	float output[AA_OUTPUT0_COUNT];

	memset(&options, 0, sizeof(options));
	check(aa_init(NULL, NULL, NULL) == AA_E_NULL, "init takes a null net");
	check(bb_init(&net, NULL, NULL) == BB_E_NO_WEIGHTS, "init runs without weights");
	check_not_ready(&net, "init failed");
	memset(&net, 0, sizeof(net));
	check_not_ready(&net, "there was no init");
	memset(&net, 0xa5, sizeof(net));
	check_not_ready(&net, "there was no init, and net holds anything");
	check(f != NULL && fread(file, 1, BB_WEIGHTS_SIZE + 64, f) == BB_WEIGHTS_SIZE + 64, "weights file");
	fclose(f);
	options.weights = file;
	options.weights_size = BB_WEIGHTS_SIZE + 63;
	check(bb_init(&net, NULL, &options) == BB_E_SIZE, "short weights");
	options.weights_size++;
	check(bb_init(&net, NULL, &options) == BB_OK, "right weights are refused");
	check(bb_init(&net, NULL, NULL) != BB_OK, "init runs without weights");
	check_not_ready(&net, "a second init failed");
	options.weights = file + 4;
	check(bb_init(&net, NULL, &options) == BB_E_ALIGN, "unaligned weights");
	options.weights = file;
	file[24] ^= 1;
	check(bb_init(&net, NULL, &options) == BB_E_WEIGHTS, "another hash");
	file[24] ^= 1;
	file[8] = 1, file[9] = 2, file[10] = 3, file[11] = 4;
	check(bb_init(&net, NULL, &options) == BB_E_BYTE_ORDER, "another byte order");
	file[8] = 4, file[9] = 3, file[10] = 2, file[11] = 1;
	options.isa = -1;
	check(bb_init(&net, NULL, &options) == BB_E_ISA, "an ISA that is none");
	options.isa = 0;
	check(bb_init(&net_b, NULL, &options) == BB_OK, "init");
	check(aa_run(&net_a, NULL, output, aligned(AA_ARENA_SIZE, 0)) == AA_E_NULL, "a null input");
	check(aa_run(&net_a, input, output, NULL) == AA_E_NULL, "a null arena");
	check(aa_run(&net_a, input, output, aligned(AA_ARENA_SIZE, 4)) == AA_E_ALIGN, "an unaligned arena");
	for (int k = -20; k < 2; k++)
		check(aa_error(k) != NULL && aa_error(k)[0] != '\0', "an error without a text");
}

int main(int argc, char **argv)
{
	pthread_t thread[THREADS];
	float *b_in, *b_out;

	check(argc == 2 && bb_shape[0] == 1, "usage");
	for (int k = 0; k < AA_INPUT0_COUNT; k++)
		input[k] = (float)(k % 17) / 17.0f;
	check(aa_init(&net_a, NULL, NULL) == AA_OK, "init");
	check(aa_run(&net_a, input, expected, aligned(AA_ARENA_SIZE, 0)) == AA_OK, "run");
	for (int k = 0; k < AA_OUTPUT0_COUNT; k++)
		check(expected[k] == expected[k], "NaN: the arena is read before it is written");
	check_refusals(argv[1]);
	for (int k = 0; k < THREADS; k++)
		check(pthread_create(&thread[k], NULL, worker, NULL) == 0, "threads");
	b_in = (float *)aligned(BB_INPUT0_BYTES, 0);
	b_out = (float *)aligned(BB_OUTPUT0_BYTES, 0);
	memset(b_in, 0, BB_INPUT0_BYTES);
	check(bb_run(&net_b, b_in, b_out, aligned(BB_ARENA_SIZE, 0)) == BB_OK, "the other network");
	for (int k = 0; k < THREADS; k++)
		pthread_join(thread[k], NULL);
	return 0;
}
