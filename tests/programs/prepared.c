/* A network, net.h: what init makes of the weights, where it must refuse, and what run computes, into a file. See
 * prepared.py. Arguments: the file, options.isa, and perhaps a file of weights. */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREPARED (NET_PREPARED_SIZE > 0 ? NET_PREPARED_SIZE : 64)

static _Alignas(64) unsigned char prepared[2][PREPARED + 64], arena[NET_ARENA_SIZE], weights[1 << 20];
static float input[NET_INPUT0_COUNT], output[2][NET_OUTPUT0_COUNT];

static void check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "prepared: %s\n", what);
	exit(1);
}

#if NET_PREPARED_SIZE > 0
static int is_filled(const unsigned char *v, size_t n, int value)
{
	while (n > 0 && *v == value)
		n--, v++;
	return n == 0;
}

static _Alignas(64) const unsigned char none[1 << 10] = { 0 };

/* Refused: net is not ready, and the memory as it was. */
static void check_refusals(const struct net_options *options)
{
	struct net_options wrong = *options;
	struct net net;

	memset(prepared, 0xa5, sizeof(prepared));
	check(net_init(&net, NULL, options) == NET_E_NULL, "null is taken");
	check(net_run(&net, input, output[0], arena) == NET_E_INIT, "a net runs without what its init makes");
	check(net_init(&net, prepared[0] + 4, options) == NET_E_ALIGN, "what is not aligned is taken");
	wrong.weights = none;
	wrong.weights_size = sizeof(none);
	check(net_init(&net, prepared[0], &wrong) != NET_OK, "no weights are taken");
	wrong = *options;
	wrong.prepared_ready = 1;
	check(net_init(&net, prepared[0], &wrong) == NET_E_PREPARED, "memory that init has not filled is taken");
	check(is_filled(prepared[0], sizeof(prepared), 0xa5), "an init that fails writes");
	check(net_run(&net, input, output[0], arena) == NET_E_INIT, "a net runs after an init that failed");
}
#endif

#if NET_PREPARED_SIZE > 0
/* What one init has made serves another, which does not write; but not where it is of other weights. */
static void check_ready(struct net_options options)
{
	struct net net;

	options.prepared_ready = 1;
	prepared[0][0] ^= 1; /* as nobody looks at it */
	check(net_init(&net, prepared[0], &options) == NET_OK, "what is ready is not taken");
	prepared[0][0] ^= 1;
	check(memcmp(prepared[0], prepared[1], NET_PREPARED_SIZE) == 0, "an init writes what is ready");
	check(net_run(&net, input, output[1], arena) == NET_OK, "run fails with what was ready");
	check(memcmp(output[0], output[1], sizeof(output[0])) == 0, "with what was ready there is another result");
	for (int k = 0; k < 24; k++) {
		prepared[0][NET_PREPARED_SIZE - 64 + k] ^= 1;
		check(net_init(&net, prepared[0], &options) == NET_E_PREPARED, "what is of other weights is taken");
		check(net_run(&net, input, output[1], arena) == NET_E_INIT, "a net runs on what is of other weights");
		prepared[0][NET_PREPARED_SIZE - 64 + k] ^= 1;
	}
}
#endif

static size_t read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	const size_t n = f != NULL ? fread(weights, 1, sizeof(weights), f) : 0;

	check(n > 0 && n < sizeof(weights) && fclose(f) == 0, "the weights cannot be read");
	return n;
}

int main(int argc, char **argv)
{
	struct net_options options;
	struct net net, copy;
	FILE *f;

	memset(&options, 0, sizeof(options));
	options.isa = atoi(argv[2]);
	if (argc > 3) {
		options.weights = weights;
		options.weights_size = read_file(argv[3]);
	}
	options.check_weights = 1;
	for (int k = 0; k < NET_INPUT0_COUNT; k++)
		input[k] = (float)(k * 7919 % 1000) / 500.0f - 1.0f;
#if NET_PREPARED_SIZE > 0
	check_refusals(&options);
	check(net_init(&net, prepared[1], &options) == NET_OK, "init fails");
#endif
	memset(prepared[0], 0xff, sizeof(prepared[0])); /* NaN */
	check(net_init(&net, prepared[0], &options) == NET_OK, "init fails");
	copy = net;
	memset(&net, 0, sizeof(net)); /* its copy is a net of its own */
	for (int k = 0; k < 2; k++)
		check(net_run(&copy, input, output[k], arena) == NET_OK, "run fails");
	check(memcmp(output[0], output[1], sizeof(output[0])) == 0, "a second run has another result");
#if NET_PREPARED_SIZE > 0
	check(memcmp(prepared[0], prepared[1], NET_PREPARED_SIZE) == 0, "run writes, or init does not write all");
	check(is_filled(prepared[0] + NET_PREPARED_SIZE, 64, 0xff), "init writes behind what it was given");
	check_ready(options);
#endif
	f = fopen(argv[1], "wb");
	check(f != NULL && fwrite(output[0], sizeof(output[0]), 1, f) == 1 && fclose(f) == 0, "no output");
	return 0;
}
