/* Instruction sets: what a processor without them does not see. */
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HAVE_VECTORS 1
#include <immintrin.h>
/* Where all registers are taken, clang's plan of a loop for no known processor moves them about; gcc inlines less. */
#if defined(__clang__) && __clang_major__ >= 13
#define TUNED ",tune=haswell"
#else
#define TUNED
#endif
#define AVX512_CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma" TUNED)))
#define AVX2_CODE __attribute__((target("avx2,fma" TUNED)))
#define FUSED_CODE AVX2_CODE /* of functions that all vector versions call */
/* For gcc, which at -Os else reads a vector from memory wherever it is used. */
#if !defined(__clang__)
#define HOLD(v) __asm__("" : "+v"(v))
#else
#define HOLD(v) (void)(v)
#endif
/* Sums of integers: gcc has variables that it adds as these, and that are __m256i, in two registers where they go round a loop. */
typedef uint32_t sums8 __attribute__((vector_size(32)));
#ifndef SUMS16_ZERO
typedef uint32_t sums16 __attribute__((vector_size(64)));
#define SUMS16_ZERO ((sums16){ 0 })
#define SUMS16_DOT(c, a, b) ((c) + (sums16)_mm512_madd_epi16(a, b))
#define SUMS16_VECTOR(c) ((__m512i)(c))
#define SUMS16_PAIRS(c) _mm512_cvtepi64_epi32((__m512i)((c) + (sums16)_mm512_srli_epi64((__m512i)(c), 32))) /* of two the sum */
#endif
#else
#define HAVE_VECTORS 0
#endif

enum { ISA_C = 1, ISA_AVX2, ISA_AVX512 };

/* The best that this processor has, and not above `most`. */
static int best_isa(int most)
{
#if HAVE_VECTORS
	__builtin_cpu_init();
	if (most >= ISA_AVX512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return ISA_AVX512;
	if (most >= ISA_AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return ISA_AVX2;
#endif
	(void)most;
	return ISA_C;
}

#if HAVE_VECTORS
/* Clears the upper halves of the vector registers, without which SSE code that follows is slow. */
static AVX2_CODE void leave_vectors(void)
{
	_mm256_zeroupper();
}
#endif

/* The version of a function for the instruction set at hand; that, and versions of one body for each set. */
#if HAVE_VECTORS
#define PICKED(name, arguments, ...) \
	static void name(int isa, __VA_ARGS__) \
	{ \
		if (isa == ISA_AVX512) \
			name##_avx512 arguments; \
		else if (isa == ISA_AVX2) \
			name##_avx2 arguments; \
		else \
			name##_c arguments; \
	}
#define VERSIONS(name, arguments, ...) \
	COMPILED(AVX512_CODE, name##_avx512, name##_body, arguments, __VA_ARGS__) \
	COMPILED(AVX2_CODE, name##_avx2, name##_body, arguments, __VA_ARGS__) \
	COMPILED(, name##_c, name##_body, arguments, __VA_ARGS__) \
	PICKED(name, arguments, __VA_ARGS__)
#endif

static void leave(int isa)
{
#if HAVE_VECTORS
	if (isa > ISA_C)
		leave_vectors();
#endif
	(void)isa;
}
