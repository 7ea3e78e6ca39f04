/* NAME.h: what a program includes. */
#include "template.h"
/*
 * NAME, compiled from MODEL by skipc VERSION (SETTINGS).
 * model SHA-256 SHA256
 *
ABOUT
 *   MACS_TEXT multiply-adds, STEPS kernels
 *   arena   ARENA_TEXT bytes, CERTIFICATE
 *   weights WEIGHTS_TEXT bytes
#if PREPARES
 *   PREPARED_TEXT bytes, which init makes of the weights
#endif
 *
 * No allocation, no input or output, no global state; less than STACK_TEXT bytes of stack.
 * Tensors are dense and row-major, in ONNX's order of dimensions (images: NCHW).
 *
 * The same bits from every compiler SAME_BITS. NAME.c asks for that, and does not
 * compile with what it can see to break it; it does not see clang's -ffp-contract=fast. With -DNAME_ANY_BITS
 * all that is allowed, and products are contracted into sums where that is fast.
#if PRODUCTS
 *
 * init asks libxsmm (1.17) for products, which allocates and compiles them as it does; they must live as
 * long as the network: no libxsmm_finalize() before. Link with -lxsmm -lxsmmnoblas -lpthread -ldl -lm -lrt.
#endif
 *
 * How to use it; NAME.c itself is C99:
 *
 *   #include <stdalign.h>
 *   #include "NAME.h"
 *
 *   alignas(NAME_ARENA_ALIGN) static char arena[NAME_ARENA_SIZE];
#if PREPARES
 *   alignas(64) static char prepared[NAME_PREPARED_SIZE];
#endif
 *   static struct NAME net;
 *
#if PREPARES
 *   if (NAME_init(&net, prepared, NULL) != NAME_OK) ...   // once
#else
 *   if (NAME_init(&net, NULL, NULL) != NAME_OK) ...   // once
#endif
 *   if (NAME_run(&net, ARGUMENTS, arena) != NAME_OK) ...   // as often as you like
 */
#ifndef NAME_H
#define NAME_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NAME_ABI 2
#define NAME_MODEL_HASH "SHA256" /* SHA-256 of its file, and of external data behind that */
#define NAME_WEIGHTS_ID UINT64_C(WEIGHTS_ID) /* CRC-64/XZ of the weights written with this header */
#define NAME_CODE_ID UINT64_C(CODE_ID) /* weights that are written for this code say the same */
#define NAME_MACS MACS_LL
#define NAME_WEIGHTS_SIZE WEIGHTS /* bytes */
#define NAME_ARENA_SIZE ARENA /* bytes that one call of run needs */
#define NAME_ARENA_ALIGN 64
#define NAME_ARENA_WORKER_SIZE WORKER /* bytes more for each worker but the first */
#define NAME_PREPARED_SIZE PREPARED /* bytes that init fills */
#define NAME_STACK_SIZE STACK /* bytes, more than run takes at LEAST to -O3; beside it what callbacks take */

DESCRIPTORS
enum NAME_status {
	NAME_OK = 0, /* no error */
	NAME_E_NULL = -1, /* a pointer is null */
	NAME_E_ALIGN = -2, /* the arena, the prepared memory or the weights are not aligned */
	NAME_E_WEIGHTS = -3, /* these are not weights of this code */
	NAME_E_BYTE_ORDER = -4, /* the weights are in another byte order */
	NAME_E_SIZE = -5, /* the weights are too short */
	NAME_E_ISA = -6, /* this instruction set is not compiled in */
	NAME_E_NO_WEIGHTS = -7, /* no weights are linked in, and none were given */
	NAME_E_CHECKSUM = -8, /* the weights are damaged: this is not their checksum */
	NAME_E_INIT = -9, /* init has not succeeded on this network */
	NAME_E_STOPPED = -10, /* the callback of the steps asked to stop */
	NAME_E_PROFILE = -11, /* there is a callback of steps, but the code is compiled without them */
	NAME_E_PREPARED = -12 /* the prepared memory is said to be ready, and is not what init makes of these weights */
};

/* A network ready to run. Constant after init: threads may share it. Its fields are its own business. */
struct NAME {
	uint32_t ready;
	const float *weights;
#if PREPARES
	const float *prepared;
#endif
	uint64_t weights_id;
#if VECTORS
	int isa;
#if DOTS
	int dots; /* isa, or one that adds products of bytes */
#endif
	void (*parallel_for)(void *context, void (*body)(void *task, int index, int worker), void *task,
			     int count);
	void *parallel_context;
#endif
#if PRODUCTS
	void (*gemm[PRODUCT_COUNT])(const float *a, const float *b, float *c, const uint64_t *count,
				    const uint64_t *at_a, const uint64_t *at_b);
#endif
#if TRACE
	void (*trace)(void *context, int index, const void *data);
	void *trace_context;
#endif
	int (*profile)(void *context, int step);
	void *profile_context;
};

/* All zero means defaults. */
struct NAME_options {
#if LINKED
	/* The contents of NAME_weights.bin, aligned to 64 bytes, and how many bytes; null: those linked in. */
#else
	/* The contents of NAME_weights.bin, aligned to 64 bytes, and how many bytes; null: an error, as none are linked in. */
#endif
	const void *weights;
	size_t weights_size;
	/* Not 0: init reads all of the weights and compares their CRC-64/XZ (polynomial of ECMA-182) with the one in
	 * their head, which else is all that it looks at. To see whether flash has rotted since: init of another net. */
	int check_weights;
#if PREPARES
	/* Not 0: an init of this code with the same weights and instruction set has filled `prepared` before, perhaps of another
	 * net or process, or for a file that is mapped: it is only read. NAME_E_PREPARED: it is not so. */
	int prepared_ready;
#endif
#if VECTORS
	/* Calls body(task, i, worker) for all i below count, on any threads, and returns when all have returned.
	 * worker is below `workers`, and bodies that run at once have different ones; the bits depend on neither.
	 * Null, or workers below 2: all runs on the caller's thread. */
#else
	/* What programs set for other targets; ignored here: all runs on the caller's thread, in portable C. */
#endif
	void (*parallel_for)(void *context, void (*body)(void *task, int index, int worker), void *task,
			     int count);
	void *parallel_context;
	int workers;
#if VECTORS
	/* The greatest instruction set to use: 0 any, LEVELS. */
#endif
	int isa;
#if TRACE
	/* Called with each stored tensor after it is computed (see the .trace file). */
	void (*trace)(void *context, int index, const void *data);
	void *trace_context;
#endif
	/* Called before each step k of run and, with NAME_STEPS, after the last; where it returns other than 0,
	 * run stops and returns NAME_E_STOPPED. For clocks, progress, budgets. Only where NAME.c is compiled with
	 * -DNAME_PROFILE, as else the steps are not hooked: init then refuses it. */
	int (*profile)(void *context, int step);
	void *profile_context;
};

/* What the steps are; the table is there where NAME.c is compiled with -DNAME_PROFILE. */
#define NAME_STEPS STEPS
struct NAME_step {
	const char *nodes; /* of the model, that it computes */
	const char *kernel; /* the function */
	int64_t macs, bytes; /* multiply-adds; what it reads and writes, each element once */
};
#ifdef NAME_PROFILE
extern const struct NAME_step NAME_steps[NAME_STEPS];
#endif

/* Makes *net ready, once, before any run. prepared: NAME_PREPARED_SIZE bytes, aligned to 64, that live as long
#if PREPARES
 * as net; null where that is 0. A copy of *net shares them, as run only reads them.
 * options may be null. Returns a status. Where init failed, or net is zeroed, run
#else
 * as net; null where that is 0. options may be null. Returns a status. Where init failed, or net is zeroed, run
#endif
 * returns NAME_E_INIT; of a net that holds anything, too, unless a certain 32 bits in it happen to be right. */
int NAME_init(struct NAME *net, void *prepared, const struct NAME_options *options);

#if VECTORS
/* One inference. arena: NAME_ARENA_SIZE bytes, and NAME_ARENA_WORKER_SIZE more for each of options.workers but
 * the first, aligned to NAME_ARENA_ALIGN, not used by another call meanwhile; what it holds before and after
 * means nothing. Inputs, outputs and arena may not overlap. Returns a status. */
#else
/* One inference. arena: NAME_ARENA_SIZE bytes, aligned to NAME_ARENA_ALIGN, not used by another call meanwhile; what
 * it holds before and after means nothing. Inputs, outputs and arena may not overlap. Returns a status. */
#endif
int NAME_run(const struct NAME *net, PARAMETERS, void *arena);

/* Which weights a net has that init made ready: NAME_WEIGHTS_ID, or of other ones that fit this code (skipc weights). */
uint64_t NAME_weights_id(const struct NAME *net);

/* What a status means, in English; never null. */
const char *NAME_error(int status);

#ifdef __cplusplus
}
#endif
#endif
