/* Defaults with which the x86-64 templates compile by themselves; what generated code has at its head. */
#ifndef X86_TEMPLATE_H
#define X86_TEMPLATE_H

#include "../c/template.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HAVE_X86 1
#include <immintrin.h>
#define AVX512_CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define AVX2_CODE __attribute__((target("avx2,fma")))
#else
#define HAVE_X86 0
#define AVX512_CODE
#define AVX2_CODE
#endif
/* Loops that gcc does not unroll by itself at -O2, though their arrays must become registers; and those of any
 * length that gain by fewer jumps (clang would mix their steps and run out of registers). */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#define UNROLL4 _Pragma("nounroll")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 32")
#define UNROLL4 _Pragma("GCC unroll 4")
#else
#define UNROLL
#define UNROLL4
#endif

/* The instruction set that an instance is compiled for: AVX512_CODE, AVX2_CODE or nothing. */
#define TARGET AVX512_CODE
/* Its vectors of floats. */
#define VEC	    __m512
#define VEC_ZERO    _mm512_setzero_ps
#define VEC_SET1    _mm512_set1_ps
#define VEC_LOAD    _mm512_loadu_ps
#define VEC_STORE   _mm512_storeu_ps
#define VEC_ADD	    _mm512_add_ps
#define VEC_FMADD   _mm512_fmadd_ps
#define VEC_PERMUTE _mm512_permute_ps
#define VECTOR_EPILOGUE(v, ...) ((void)(v)) /* EPILOGUE for a vector of channels */

/*
 * A small matrix product, all sizes built in: c [n][m] = (or +=) the sum over i < *count of b_i [n][k] a_i
 * [k][m], where a_i lies at_a[i] bytes behind a, and b_i at_b[i] behind b.
 */
typedef void gemm_fn(const float *a, const float *b, float *c, const uint64_t *count, const uint64_t *at_a,
		     const uint64_t *at_b);

#endif
