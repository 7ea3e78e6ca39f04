/* The inference unit: the network, and the arena it works in. All of its RAM is in this file; the weights are const,
 * so the linker leaves them in flash. */
#include "infer.h"
#include "digits.h"

/* GNU's spelling of C11's _Alignas. */
static unsigned char arena[DIGITS_ARENA_SIZE] __attribute__((aligned(DIGITS_ARENA_ALIGN)));
#if DIGITS_PREPARED_SIZE > 0
#error "this network needs RAM that init fills: compile it with --target=c"
#endif
static struct digits net;

int infer_init(void)
{
	return digits_init(&net, NULL, NULL);
}

int infer_digit(const float *pixels, float *scores)
{
	const int status = digits_run(&net, pixels, scores, arena);
	int best = 0;

	if (status != DIGITS_OK)
		return status;
	for (int k = 1; k < INFER_CLASSES; k++)
		best = scores[k] > scores[best] ? k : best;
	return best;
}
