/*
 * Defaults with which the vector templates compile by themselves: the head of a target that the compiler is for,
 * and the words of one of its instruction sets. An instance has the words of the set that it is made for replaced
 * by what its header says (templates/x86/avx512.h, avx2.h, templates/aarch64/neon.h):
 *
 *   LANES REGISTERS VEC           floats of a vector, vectors at hand, the type
 *   VEC_ZERO() VEC_SET1(x)        all lanes 0, x
 *   VEC_LOAD(p) VEC_STORE(p, v)   LANES floats, not aligned
 *   VEC_LOAD_FIRST(p, n)          the first n, 1 .. LANES, and zeros; nothing behind them is read
 *   VEC_ADD SUB MUL DIV MAX MIN(a, b)    MAX and MIN give b where one is NaN, or that
 *   VEC_FMADD(a, b, c)            a b + c, rounded once
 *   VEC_EVEN(v) VEC_ODD(v)        of each pair of lanes the first, the second, twice
 *   VEC_FOURTHi(v)                of each four lanes the i-th, four times
 *   VEC_SWAP(v)                   halves of each eight lanes exchanged; where LANES >= 8
 *   VEC_PREFETCH(p) .._FAR(p)     for now; for later
 *   IVEC IVEC_ZERO() IVEC_STORE(p, v)    LANES integers of 32 bits, as pairs of 16
 *   IVEC_WIDEN(p) IVEC_PAIR(p)    2 LANES integers of 8 bits; the integer at p, which is a pair, in each lane
 *   IVEC_DOT(c, a, b)             c and the sum of both products of each pair
 */
#ifndef VECTOR_TEMPLATE_H
#define VECTOR_TEMPLATE_H

#include "../c/template.h"

#undef TARGET
#if defined(__aarch64__)
#include "../aarch64/head.h"
#include "../aarch64/neon.h"
#define TARGET
#elif defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include "../x86/head.h"
#include "../x86/avx512.h"
#define TARGET AVX512_CODE
#else
#define HAVE_VECTORS 0
#endif
#include "head.h"
#define VECTOR_EPILOGUE(v, ...) ((void)(v)) /* EPILOGUE for a vector of channels */

#include "product.h"

#endif
