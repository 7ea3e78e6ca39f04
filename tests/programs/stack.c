/* The stack that dd_run takes, by painting that of a thread: prints the bytes, and fails where NAME_STACK_SIZE is less. See
 * embed.py. */
#include "dd.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Alignas(64) char prepared[DD_PREPARED_SIZE + 64];

enum { SIZE = 1 << 18, PAINT = 0xa5 };

static struct dd net;
static float input[DD_INPUT0_COUNT], output[DD_OUTPUT0_COUNT];
static void *arena;
static _Alignas(4096) unsigned char stack[SIZE];

static void *work(void *does)
{
	if (does != NULL)
		dd_run(&net, input, output, arena);
	return NULL;
}

static long used(void *does)
{
	pthread_attr_t attributes;
	pthread_t thread;
	long k = 0;

	memset(stack, PAINT, SIZE);
	pthread_attr_init(&attributes);
	if (pthread_attr_setstack(&attributes, stack, SIZE) != 0 || pthread_create(&thread, &attributes, work, does) != 0)
		exit(1);
	pthread_join(thread, NULL);
	while (stack[k] == PAINT)
		k++;
	return SIZE - k;
}

int main(void)
{
	long without, with;

	if (posix_memalign(&arena, 64, DD_ARENA_SIZE) != 0 || dd_init(&net, prepared, NULL) != DD_OK)
		return 1;
	without = used(NULL);
	with = used(&net);
	printf("%ld\n", with - without);
	return with - without <= 0 || with - without > DD_STACK_SIZE;
}
