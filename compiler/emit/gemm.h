/*
 * Small matrix products as machine code: what kernels ask for, and libxsmm's code for it as text of the
 * generated C. All matrices are column-major float:
 *
 *	C (m x n) = [C +] sum over i of A_i (m x k) B_i (k x n)
 *
 * In a convolution m counts output channels, n pixels, k input channels: A is a block of weights [k][m], B
 * the activations of n pixels (ldb is the step from pixel to pixel and may be less than k, where windows
 * overlap), C the result, pixel by pixel.
 */
#ifndef SKIPC_GEMM_H
#define SKIPC_GEMM_H

#include "plan/plan.h"

enum gemm_isa { GEMM_AVX2, GEMM_AVX512 };

/*
 * How A_i and B_i are found:
 *	SINGLE	void f(const float *a, const float *b, float *c);
 *	OFFSET	void f(a, b, c, const uint64_t *count, const uint64_t *offset_a, const uint64_t *offset_b);
 *	STRIDE	void f(a, b, c, const uint64_t *count);
 * Offsets and strides are in bytes; *count is at least 1.
 */
enum gemm_reduce { GEMM_SINGLE, GEMM_OFFSET, GEMM_STRIDE };

struct gemm {
	int m, n, k, lda, ldb, ldc;
	bool accumulate; /* C is added to, not replaced */
	enum gemm_reduce reduce;
	long stride_a, stride_b; /* STRIDE only, not negative */
	enum gemm_isa isa;
};

/* A kernel of the output. Equal requests, and requests whose code is equal, are one kernel. */
struct gemm_kernel {
	struct gemm gemm; /* of the first request */
	const unsigned char *
		code; /* null without; position-independent, SysV calling convention, ends in ret */
	size_t size;
	const char *name;    /* gemm64x28x64_.._avx512: without the model's prefix */
	const char *product; /* the same without the instruction set */
	const char *users;   /* who calls it, for people; or null */
};

struct gemm_table {
	struct arena *arena;
	bool code; /* with machine code; else only requests are kept */
	struct gemm_kernel *kernel;
	int n, cap;
};

enum gemm_verdict {
	GEMM_RIGHT,
	GEMM_WRONG,   /* wrong result, crash, no end, or bytes that libxsmm does not make */
	GEMM_NOT_RUN, /* this machine cannot run it */
};

/* Null: kernels can be made. Else the reason why not: skipc was built without libxsmm. */
const char *gemm_unavailable(void);
/* Null: code can be made for g. Else the reason why not. */
const char *gemm_applies(const struct gemm *g);
/* Machine code for g, in a. g applies. */
const unsigned char *gemm_code(struct arena *a, const struct gemm *g, size_t *size);
/* Runs the code, in a process of its own, against a plain reference on numbers without rounding,
 * matrices ending at unreadable pages. */
enum gemm_verdict gemm_run(const struct gemm *g, const unsigned char *code, size_t size);
/* gemm_run(), and the bytes against what libxsmm makes anew: what running cannot tell (a prefetch).
 */
enum gemm_verdict gemm_check(const struct gemm *g, const unsigned char *code, size_t size);

/* Index in t of the kernel for g, made where it is new. */
int gemm_request(struct gemm_table *t, const struct gemm *g);
/* One kernel as C text: a comment that says what it is, and its bytes. `symbol` is its name there. */
void gemm_emit(struct buf *out, const char *symbol, const struct gemm_kernel *k);
/* All kernels of t, each run by gemm_check() before, as PREFIX_name: what templates/interface/NAME_gemm.c stands around. */
void gemm_emit_all(struct buf *out, const char *prefix, const struct gemm_table *t);

#endif
