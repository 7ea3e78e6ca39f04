/*
 * With which the files of this folder compile by themselves: a network of one input and one output. skipc drops all up
 * to the line that includes this; it says NAME as it is, resolves conditions on the switches, and puts text in the place
 * of the words in capitals (compiler/emit/fill.c), those in comments, too. A line that is one word may become many.
 */
#ifndef INTERFACE_TEMPLATE_H
#define INTERFACE_TEMPLATE_H

#include "../c/template.h"

#undef SCALAR
#undef FPU
#undef WIDENED
#undef DSP
#undef LOT
#undef APART

/* Switches. */
#define VECTORS 1  /* several instruction sets, and threads */
#define DOTS 1     /* some of them with products of bytes */
#define TRACE 1	   /* a callback for each tensor */
#define PREPARES 1 /* init makes something of the weights */
#define LINKED 1   /* weights are linked in */
#define FILE_OF 1  /* from a file, and may be left out */
#define PRODUCTS 1 /* init asks libxsmm for products */
#define SUMS_IN_SCALARS 1 /* kernels have sums */
#define LOTS 1
#define APARTS 1
#define WIDENS 1 /* .. of integers */
#define PAIRS 1
#define REQUANTIZES 1

/* Numbers. */
#define ARENA 64
#define READY_VALUE 1
#define STEPS 1
#define LOT_SIZE 64
#define WORKER 64
#define PRODUCT_COUNT 1
#define WEIGHTS 64
#define PREPARED 128
#define CODE_IDUL 1 /* what UINT64_C makes of CODE_ID */
#define HEAD_WORDS 0

/* Pieces of code. */
#define DESCRIPTORS \
	enum { NAME_INPUTS = 1, NAME_OUTPUTS = 1 };
#define KERNELS \
	static int best_isa(int most) \
	{ \
		return most; \
	} \
	static int best_dots(int isa, int most) \
	{ \
		return isa < most ? isa : most; \
	} \
	static void leave(int isa) \
	{ \
		(void)isa; \
	} \
	static void find_gemms(struct NAME *net) \
	{ \
		(void)net; \
	}
#define ORDER_CHECK
#define PARAMETERS const float *x, float *y
#define PROFILE { "/conv1/Conv", "conv", 1, 1 }
#define RUN \
	static void NAME_prepare(const struct NAME *net, void *prepared) \
	{ \
		(void)net, (void)prepared; \
	} \
	int NAME_run(const struct NAME *net, PARAMETERS, void *arena) \
	{ \
		STEP(0) \
		return net->ready != READY || x == NULL || y == NULL || arena == NULL; \
	}
#define SUMS sum = crc64(sum, bytes + 64, NAME_WEIGHTS_SIZE, 3);

/* Words that only comments and macros have need no default. */
#define NAME_NO_WEIGHTS

#endif
