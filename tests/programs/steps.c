/* A callback of the steps that stops, in a file compiled without -DP_PROFILE beside a p.c compiled with it: the struct
 * is the same in both. With -DREFUSED p.c is compiled without, too, and init refuses the callback. See embed.py. */
#include "p.h"

#include <stdio.h>
#include <string.h>

static char bytes[P_PREPARED_SIZE + 64];

static struct p net;
static float input[P_INPUT0_COUNT], output[P_OUTPUT0_COUNT];
static char memory[P_ARENA_SIZE + 64];
static int calls, stop;

static int step(void *context, int k)
{
	calls += context == &net && k == calls;
	return k == stop;
}

int main(void)
{
	struct p_options options;
	char *arena = memory + (64 - (size_t)memory % 64);

	memset(&options, 0, sizeof(options));
	options.profile = step;
	options.profile_context = &net;
#ifdef REFUSED
	if (p_init(&net, bytes + (64 - (uintptr_t)bytes % 64), &options) != P_E_PROFILE || p_run(&net, input, output, arena) != P_E_INIT)
		return puts("init takes a callback that will not be called"), 1;
	return 0;
#endif
	if (p_init(&net, bytes + (64 - (uintptr_t)bytes % 64), &options) != P_OK)
		return puts("init"), 1;
	for (stop = 0; stop <= P_STEPS + 1; stop++) {
		const int want = stop <= P_STEPS ? P_E_STOPPED : P_OK;

		calls = 0;
		if (p_run(&net, input, output, arena) != want || calls != (stop <= P_STEPS ? stop : P_STEPS) + 1)
			return printf("asked to stop before step %d: %d calls\n", stop, calls), 1;
	}
	return 0;
}
