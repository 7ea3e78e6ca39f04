/* A weights file as init sees it: whole, with each bit of it turned in turn, cut short, absent. See weights.py. */
#include "net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD = 64, SIZE = HEAD + NET_WEIGHTS_SIZE };

static void check(int ok, const char *what, long where)
{
	if (ok)
		return;
	fprintf(stderr, "weights: %s (%ld)\n", what, where);
	exit(1);
}

/* What init says of the file with that bit turned, without and with the option. */
static void check_bit(unsigned char *file, long bit)
{
	struct net net;
	struct net_options options = { 0 };
	int quick, thorough;

	file[bit / 8] ^= (unsigned char)(1u << bit % 8);
	options.weights = file;
	options.weights_size = SIZE;
	quick = net_init(&net, NULL, &options);
	options.check_weights = 1;
	thorough = net_init(&net, NULL, &options);
	file[bit / 8] ^= (unsigned char)(1u << bit % 8);
	if (bit / 32 / 2 == 4 || bit >= HEAD * 8) { /* the checksum, or what it is of */
		check(quick == NET_OK, "init looks at all without being asked", bit);
		check(thorough == NET_E_CHECKSUM, "a turned bit passes", bit);
	} else {
		check(quick == NET_E_WEIGHTS && thorough == NET_E_WEIGHTS, "a turned bit of the head passes", bit);
	}
}

int main(int argc, char **argv)
{
	unsigned char *file = NULL;
	struct net net;
	struct net_options options = { 0 };
	FILE *f;

	check(posix_memalign((void **)&file, 64, SIZE) == 0, "memory", SIZE);
	check(net_init(&net, NULL, NULL) == (argc > 2 ? NET_OK : NET_E_NO_WEIGHTS), "without a file", 0);
	f = fopen(argv[1], "rb");
	check(f != NULL && fread(file, 1, SIZE, f) == SIZE && fgetc(f) == EOF, "the file's size", SIZE);
	fclose(f);
	options.weights = file;
	options.check_weights = 1;
	for (size_t size = 0; size < SIZE; size++) {
		options.weights_size = size;
		check(net_init(&net, NULL, &options) == NET_E_SIZE, "a short file passes", (long)size);
	}
	options.weights_size = SIZE;
	check(net_init(&net, NULL, &options) == NET_OK, "the file is refused", 0);
	check(net_weights_id(&net) == NET_WEIGHTS_ID && net_weights_id(NULL) == 0, "the id", 0);
	for (long bit = 0; bit < SIZE * 8; bit++)
		check_bit(file, bit);
	for (int k = 0; k < SIZE; k += 4) { /* as a machine of the other byte order would write it */
		unsigned char *w = file + k, t = w[0];

		w[0] = w[3], w[3] = t, t = w[1], w[1] = w[2], w[2] = t;
	}
	check(net_init(&net, NULL, &options) == NET_E_BYTE_ORDER, "the other byte order", 0);
	free(file);
	return 0;
}
