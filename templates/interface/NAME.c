/* NAME.c: what surrounds kernels and run. s390's gcc says that it computes float in double where a C standard is asked
 * for, for the sake of old headers; the pragma takes that back, but not what FLT_EVAL_METHOD says. */
#include "template.h"
/*
 * NAME, compiled from MODEL by skipc VERSION (SETTINGS). See NAME.h.
 *
 * MACS_TEXT multiply-adds, WEIGHTS_TEXT bytes of weights, ARENA_TEXT bytes of arena, CERTIFICATE.
 *
CLOSED
STEP_TABLE
 * This file belongs to whoever compiled it: 0BSD, no condition, no warranty.
 */
#if !defined(__STDC_VERSION__) || __STDC_VERSION__ < 199901L
#error "NAME.c is C99 or newer: compile it as that; C++ includes NAME.h"
#else
#include "NAME.h"

#include <float.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#if VECTORS
#include <string.h>
#endif

/* The same bits EVERYWHERE: no product and sum may be contracted into one rounding, no sum may be
 * reordered, and float arithmetic must be done in float. Define NAME_ANY_BITS to have what is fast instead. */
#if defined(__clang__) && defined(NAME_ANY_BITS)
#pragma STDC FP_CONTRACT ON
#elif defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__) && defined(NAME_ANY_BITS)
#if VECTORS
#pragma GCC optimize("O3", "fp-contract=fast")
#else
#pragma GCC optimize("fp-contract=fast")
#endif
#elif defined(__GNUC__) && __GNUC__ >= 8
#if VECTORS
#pragma GCC optimize("O3", "fp-contract=off", "no-loop-interchange")
#else
#pragma GCC optimize("fp-contract=off", "no-loop-interchange")
#endif
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
#if defined(__s390__) && defined(__GNUC__) && __GNUC__ >= 12 && !defined(__clang__)
#pragma GCC optimize("excess-precision=fast") /* FLT_EVAL_METHOD 1 of -std=c99 */
#define FLOAT_IS_FLOAT(method) ((method) == 0 || (method) == 1)
#else
#define FLOAT_IS_FLOAT(method) ((method) == 0 || (method) == 16 || (method) == 32)
#endif
#ifdef NAME_ANY_BITS
#elif (defined(FLT_EVAL_METHOD) && !FLOAT_IS_FLOAT(FLT_EVAL_METHOD)) || \
	(defined(__FLT_EVAL_METHOD__) && !FLOAT_IS_FLOAT(__FLT_EVAL_METHOD__))
#error "float is computed wider than float: use -msse2 -mfpmath=sse or -fexcess-precision=fast, or define NAME_ANY_BITS"
#elif defined(__FAST_MATH__) || defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || \
	defined(__NO_SIGNED_ZEROS__) || defined(_M_FP_FAST) || \
	(defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__ != 0)
#error "-ffast-math and its kind change bits: compile without, or define NAME_ANY_BITS"
#endif
#if INT_MAX < 2147483647 || SIZE_MAX / 2 < ARENA
#error "this needs 32 bits of int, and pointers for ARENA_TEXT bytes of arena"
#endif
#if FLT_RADIX != 2 || FLT_MANT_DIG != 24 || FLT_MAX_EXP != 128
#error "float is not IEEE 754's binary32"
#endif

#if REQUANTIZES
/* Whether the processor has floats: else most integers are scaled without; -DNAME_FPU=0 or 1 says it otherwise. */
#if defined(NAME_FPU)
#define FPU NAME_FPU
#elif defined(__SOFTFP__) || (defined(__arm__) && !defined(__ARM_FP)) || (defined(__riscv) && !defined(__riscv_flen)) || \
	defined(__mips_soft_float) || defined(_SOFT_FLOAT) || defined(__XTENSA_SOFT_FLOAT__)
#define FPU 0
#else
#define FPU 1
#endif

#endif
#if SUMS_IN_SCALARS
/* Whether sums are kept in variables, where the compiler has no vectors for them; -DNAME_SCALAR=0 or 1 says it otherwise. */
#if defined(NAME_SCALAR)
#define SCALAR NAME_SCALAR
#elif defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE_SIZE__)
#define SCALAR 1
#elif defined(__SSE__) || defined(__ARM_NEON) || (defined(__ARM_FEATURE_MVE) && __ARM_FEATURE_MVE >= 2) || \
	defined(__ALTIVEC__) || defined(__VX__) || defined(__riscv_vector) || defined(__wasm_simd128__) || \
	defined(__mips_msa) || defined(__loongarch_sx) || defined(_M_X64) || defined(_M_ARM64)
#define SCALAR 0
#else
#define SCALAR 1
#endif
#if SCALAR && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-schedule-insns") /* would read all operands first, and have no registers for the sums */
#endif

#endif
#if APARTS
/* Of a helper whose own helpers have their sums in variables: in a function of more of them these would be no registers. */
#if SCALAR && (defined(__GNUC__) || defined(__clang__))
#define APART __attribute__((noinline))
#else
#define APART INLINE
#endif

#endif
#if LOTS
/* Elements that an epilogue with tables takes at a time, in a loop before they are read, one that reads them, one behind: where compilers
 * make vectors of loops. */
#if SCALAR
#define LOT 1
#else
#define LOT LOT_SIZE
#endif

#endif
#if PAIRS
/* Whether two products of 16 bits are added in one instruction, which sums in variables use. */
#if SCALAR && defined(__ARM_FEATURE_DSP) && (defined(__clang__) || (defined(__GNUC__) && __GNUC__ >= 10))
#define DSP 1
#include <arm_acle.h>
static inline uint32_t four_bytes(const void *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}
#define PAIR_uint8_t(v) ((int32_t)__uxtb16(v))
#define PAIR_int8_t(v) __sxtb16((int32_t)(v))
#else
#define DSP 0
#endif

#endif
#if WIDENS
/* Windows over integers are copied as they are, or wide where compilers make vectors of sums. */
#if SCALAR
#define WIDENED(type, wide) type
#else
#define WIDENED(type, wide) wide
#endif

#endif
KERNELS
#ifdef NAME_PROFILE
#if VECTORS
#define STEP(k) \
	if (net->profile != NULL && net->profile(net->profile_context, k) != 0) { \
		leave(net->isa); \
		return NAME_E_STOPPED; \
	}
#else
#define STEP(k) \
	if (net->profile != NULL && net->profile(net->profile_context, k) != 0) \
		return NAME_E_STOPPED;
#endif
#else
#define STEP(k)
#endif

/* What init leaves in a network that is ready. */
#define READY READY_VALUE

RUN
#if LINKED
struct NAME_weights;
extern const struct NAME_weights NAME_weights;

#endif
/* CRC-64/XZ (polynomial 0x42f0e1eba9ea3693 of ECMA-182, reflected) of what that sum is of, and n bytes more, a
 * nibble at a time; `flip` of elements whose bytes are in reverse order: their size less 1. Volatile: the
 * compiler may know what stood there once. */
static uint64_t crc64(uint64_t sum, const volatile unsigned char *bytes, size_t n, size_t flip)
{
	static const uint64_t table[16] = {
		UINT64_C(0x0000000000000000), UINT64_C(0x7d9ba13851336649), UINT64_C(0xfb374270a266cc92), UINT64_C(0x86ace348f355aadb),
		UINT64_C(0x64b62bcaebc387a1), UINT64_C(0x192d8af2baf0e1e8), UINT64_C(0x9f8169ba49a54b33), UINT64_C(0xe21ac88218962d7a),
		UINT64_C(0xc96c5795d7870f42), UINT64_C(0xb4f7f6ad86b4690b), UINT64_C(0x325b15e575e1c3d0), UINT64_C(0x4fc0b4dd24d2a599),
		UINT64_C(0xadda7c5f3c4488e3), UINT64_C(0xd041dd676d77eeaa), UINT64_C(0x56ed3e2f9e224471), UINT64_C(0x2b769f17cf112238)
	};

	sum = ~sum;
	for (size_t k = 0; k < n; k++) {
		sum ^= bytes[k ^ flip];
		sum = sum >> 4 ^ table[sum & 15];
		sum = sum >> 4 ^ table[sum & 15];
	}
	return ~sum;
}

static uint64_t id_of(const uint32_t *head)
{
	return (uint64_t)head[9] << 32 | head[8];
}

/* Are these weights of this code, and whole? Their head is 32-bit words: a magic number, a byte order mark,
 * a version, the size, NAME_CODE_ID, the weights' own checksum (0 here), zeros. */
static int check_weights(const void *weights, int all)
{
	static const uint32_t head[16] = { HEAD_WORDS };
	const uint32_t *const have = (const uint32_t *)weights;
	const unsigned char *const bytes = (const unsigned char *)weights;
	uint64_t sum = 0;

	if (have[2] == 0x04030201u)
		return NAME_E_BYTE_ORDER;
	for (int k = 0; k < 16; k++)
		if (have[k] != head[k] && k / 2 != 4)
			return NAME_E_WEIGHTS;
	if (all) {
		SUMS
		if (sum != id_of(have))
			return NAME_E_CHECKSUM;
	}
	return NAME_OK;
}

#if PREPARES
/* Makes what is prepared, and says behind it of what; or, where that was done before, looks what it is of. */
static int prepare(const struct NAME *net, void *prepared, int ready)
{
#if VECTORS
	const uint64_t isa = (uint64_t)net->isa;
#else
	const uint64_t isa = 1;
#endif
	uint64_t *const mark = (uint64_t *)prepared + (NAME_PREPARED_SIZE - 64) / 8;

	if (ready)
		return mark[0] == NAME_CODE_ID && mark[1] == net->weights_id && mark[2] == isa ? NAME_OK : NAME_E_PREPARED;
	for (int k = 0; k < 8; k++)
		mark[k] = 0; /* nothing that is half made is taken for whole */
	NAME_prepare(net, prepared);
	mark[0] = NAME_CODE_ID;
	mark[1] = net->weights_id;
	mark[2] = isa;
	return NAME_OK;
}
#endif

int NAME_init(struct NAME *net, void *prepared, const struct NAME_options *options)
{
#if LINKED && FILE_OF
#ifdef NAME_NO_WEIGHTS
	const void *weights = NULL;
#else
	const void *weights = &NAME_weights;
#endif
#elif LINKED
	const void *weights = &NAME_weights;
#else
	const void *weights = NULL;
#endif
	int status;

#if !PREPARES
	(void)prepared;
#endif
	if (net == NULL)
		return NAME_E_NULL;
	net->ready = 0;
#if PREPARES
	if (prepared == NULL)
		return NAME_E_NULL;
	if ((uintptr_t)prepared % 64 != 0)
		return NAME_E_ALIGN;
#endif
#if TRACE
	net->trace = options != NULL ? options->trace : NULL;
	net->trace_context = options != NULL ? options->trace_context : NULL;
#endif
	net->profile = options != NULL ? options->profile : NULL;
	net->profile_context = options != NULL ? options->profile_context : NULL;
#ifndef NAME_PROFILE
	if (net->profile != NULL)
		return NAME_E_PROFILE;
#endif
	if (options != NULL && (options->isa < 0 || options->isa > 5))
		return NAME_E_ISA;
#if VECTORS
	net->isa = best_isa(options != NULL && options->isa > 0 ? options->isa : 5);
#if DOTS
	net->dots = best_dots(net->isa, options != NULL && options->isa > 0 ? options->isa : 5);
#endif
	net->parallel_for = NULL;
	if (options != NULL && options->workers > 1) {
		net->parallel_for = options->parallel_for;
		net->parallel_context = options->parallel_context;
	}
#endif
#if PRODUCTS
	find_gemms(net);
#endif
	if (options != NULL && options->weights != NULL) {
		weights = options->weights;
		if ((uintptr_t)weights % 64 != 0)
			return NAME_E_ALIGN;
		if (options->weights_size < 64 + (size_t)NAME_WEIGHTS_SIZE)
			return NAME_E_SIZE;
	}
	if (weights == NULL)
		return NAME_E_NO_WEIGHTS;
	status = check_weights(weights, options != NULL && options->check_weights);
	if (status != NAME_OK)
		return status;
	net->weights = (const float *)weights + 16; /* behind the head */
	net->weights_id = id_of((const uint32_t *)weights);
#if PREPARES
	status = prepare(net, prepared, options != NULL && options->prepared_ready);
	if (status != NAME_OK)
		return status;
	net->prepared = (const float *)prepared;
#endif
	net->ready = READY;
	return NAME_OK;
}

uint64_t NAME_weights_id(const struct NAME *net)
{
	return net != NULL && net->ready == READY ? net->weights_id : 0;
}

const char *NAME_error(int status)
{
	switch (status) {
	case NAME_OK:
		return "no error";
	case NAME_E_NULL:
		return "a pointer is null";
	case NAME_E_ALIGN:
		return "the arena, the prepared memory or the weights are not aligned";
	case NAME_E_WEIGHTS:
		return "these are not weights of this code";
	case NAME_E_BYTE_ORDER:
		return "the weights are in another byte order";
	case NAME_E_SIZE:
		return "the weights are too short";
	case NAME_E_ISA:
		return "this instruction set is not compiled in";
	case NAME_E_NO_WEIGHTS:
		return "no weights are linked in, and none were given";
	case NAME_E_CHECKSUM:
		return "the weights are damaged: this is not their checksum";
	case NAME_E_INIT:
		return "init has not succeeded on this network";
	case NAME_E_STOPPED:
		return "the callback of the steps asked to stop";
	case NAME_E_PREPARED:
		return "the prepared memory is not what init makes of these weights";
	case NAME_E_PROFILE:
		return "there is a callback of steps, but the code is compiled without them";
	default:
		return "not a status of NAME";
	}
}

#ifdef NAME_PROFILE
const struct NAME_step NAME_steps[] = {
	PROFILE
};
#endif
#endif
