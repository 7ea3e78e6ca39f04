/* One network, net.h, on inputs that every machine makes alike: says a hash of the output's bits. See compilers.py. */
#include "net.h"

#include <stdint.h>
#include <string.h>

#ifdef ON_BOARD
#include "board.h"
#else
#include <stdio.h>
static void board_puts(const char *text)
{
	fputs(text, stdout);
}
#endif

#ifndef INFERENCES
#define INFERENCES 1
#endif

/* An unsigned char array is aligned by the union: tcc and C99 have no _Alignas. */
static union {
	unsigned char bytes[NET_ARENA_SIZE + NET_ARENA_ALIGN];
	double align;
} memory;
#if NET_PREPARED_SIZE
static union {
	unsigned char bytes[NET_PREPARED_SIZE + 64];
	double align;
} prepared;
#endif
static float input[NET_INPUT0_COUNT], output[NET_OUTPUT0_COUNT];

static void print(const char *label, uint32_t x)
{
	char text[9] = { 0 };

	for (int k = 0; k < 8; k++)
		text[k] = "0123456789abcdef"[x >> (28 - 4 * k) & 15u];
	board_puts(label);
	board_puts(text);
	board_puts("\n");
}

int main(void)
{
	unsigned char *arena = memory.bytes;
	uint32_t state = 1, hash = 2166136261u, bits;
	struct net net;
	int status;

	arena += (NET_ARENA_ALIGN - (uintptr_t)arena % NET_ARENA_ALIGN) % NET_ARENA_ALIGN;
	for (long k = 0; k < NET_INPUT0_COUNT; k++) {
		state = state * 1664525u + 1013904223u;
		input[k] = (float)(state >> 20) / 2048.0f - 1.0f;
	}
#if NET_PREPARED_SIZE
	status = net_init(&net, prepared.bytes + (64 - (uintptr_t)prepared.bytes % 64) % 64, NULL);
#else
	status = net_init(&net, NULL, NULL);
#endif
	for (int k = 0; k < INFERENCES && status == NET_OK; k++)
		status = net_run(&net, input, output, arena);
	if (status != NET_OK) {
		board_puts(net_error(status));
		return 1;
	}
	for (long k = 0; k < NET_OUTPUT0_COUNT; k++) {
		memcpy(&bits, &output[k], sizeof(bits));
		for (int byte = 0; byte < 4; byte++)
			hash = (hash ^ (bits >> 8 * byte & 255u)) * 16777619u;
	}
	print("bits ", hash);
	return 0;
}
