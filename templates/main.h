/* What templates/main.c is compiled with by itself: a network of one input and one output that does nothing.
 * In generated programs the tables and macros of the real one stand here. */
#ifndef MAIN_H
#define MAIN_H

#include <stddef.h>

#define NIN 1
#define NOUT 1
#define ARENA_SIZE 64
#define ARENA_WORKER_SIZE 64
#define PREPARED_SIZE 0
#define TRACE 1
#define NETWORK struct network
#define OPTIONS struct network_options
#define INIT network_init
#define ERROR network_error
#define NSTEP 1
#define STEPS network_steps

struct tensor {
	const char *name, *type; /* type of a .npy file, without byte order */
	int size, rank;
	long shape[8], stride[8];
};

struct network {
	int unused;
};

struct network_options {
	const void *weights;
	size_t weights_size;
	int check_weights;
	void (*parallel_for)(void *context, void (*body)(void *task, int index, int worker), void *task, int count);
	void *parallel_context;
	int workers, isa;
	void (*trace)(void *context, int index, const void *data);
	void *trace_context;
	int (*profile)(void *context, int step);
	void *profile_context;
};

struct network_step {
	const char *nodes, *kernel;
	long macs, bytes;
};

extern const struct network_step network_steps[NSTEP];

int network_init(struct network *net, void *prepared, const struct network_options *options);
const char *network_error(int status);
int run(const struct network *net, void *const *in, void *const *out, void *arena);

static const struct tensor inputs[] = { { "x", "f4", 4, 1, { 1 }, { 1 } } };
static const struct tensor outputs[] = { { "y", "f4", 4, 1, { 1 }, { 1 } } };
static const struct tensor traced[] = { { "y", "f4", 4, 1, { 1 }, { 1 } } };

#endif
