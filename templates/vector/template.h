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
 *   VEC_SQRT NEG ABS(v)           the root, correctly rounded; sign bits changed, cleared
 *   VEC_SIGNED(v, s)              v, which has none, with the sign bits of s
 *   VEC_BELOW(a, b, x, y)         x where a < b, else y
 *   VEC_POWER(v)                  2^(n - 1), n the integer that the low bits of v are
 *   VEC_EVEN(v) VEC_ODD(v)        of each pair of lanes the first, the second, twice
 *   VEC_FOURTHi(v)                of each four lanes the i-th, four times
 *   VEC_SWAP(v)                   halves of each eight lanes exchanged; where LANES >= 8
 *   VEC_PREFETCH(p) .._FAR(p)     for now; for later
 *   VEC_HOLD(v)                   a statement: the variable v is used several times, from a register
 *   VEC_NEAR(v, a, b)             the integers nearest to v, even ones first, of those from a to b; of a NaN a
 *   VEC_OVER(v, s, h, l)          v, a name, over s, 1 / s = h + l, with errors that rounding to integers forgets (compiler/emit/quotient.c)
 *   VEC_FROM(i) IVEC_FROM(v)      integers as floats; floats that are integers as these
 *   IVEC_NEAR(v)                  the integers nearest to v, even ones first, of no more than 65535
 *   IVEC IVEC_ZERO() IVEC_SET1(x) LANES integers of 32 bits
 *   IVEC_ADD SUB MAX MIN(a, b)    of these
 *   IVEC_LOAD(p) IVEC_STORE(p, v), IVEC_LOAD_u8(p) IVEC_STORE_u8(p, v), .._i8 .._u16 .._i16    LANES of that type, which they fit
 *   IVEC_LOOK_u8(t, v) .._i8      of a table of 256 such bytes the elements that the low eight bits of v say
 *   IVEC_WIDEN_i8(p) .._u8        2 LANES integers of 8 bits as such of 16: LANES pairs
 *   IVEC_WIDEN_PAIRS(p, j)        of four bytes of each of LANES outputs at p the j-th two, as integers of 16 bits
 *   IVEC_LESS(a, x)               each of 16 bits less x
 *   IVEC_ADD16 SUB16(a, b) IVEC_SHL16(a, n)    of 16 bits: pairs; shifted to the left
 *   IVEC_MUL(a, b) IVEC_SHL(a, n) IVEC_SHR(a, n)    of 32 bits: the low half of products; shifted, to the right with their signs
 *   ISUM ISUM_ZERO() IVEC_OF(c)   LANES sums of integers; as integers
 *   ISUM_DOT(c, a, b)             c and the sum of both products of each pair
 *
 * and for layers of bytes, whose sums take four inputs at a time:
 *
 *   DOT_TYPE DOT_FOUR DOT_LANES   integers of 16 bits, or of 8 without a sign; four as a type; so many are a vector
 *   DOT_SET1(x)                   all are x
 *   DOT_LOAD_u8(p, x) .._i8       DOT_LANES bytes as such, less x, which fit
 *   DOT_SET4(v)                   four, over and over
 *   DOT_WEIGHTS(p) DOT_OUTPUTS    of four bytes of each of so many outputs at p the weights
 *   DOT_ADD(c, a, b)              c, an ISUM, and the sums of the products of these with four integers, each in one lane or in two
 *   DOT_SUMS(c, j)                the sums of the j-th LANES outputs of an array of ISUMs
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
#include "../x86/dots.h"
#if defined(AVX_VNNI_WORDS)
#include "../x86/avxvnni.h"
#define TARGET AVX_VNNI_CODE
#elif defined(AVX512_VNNI_WORDS)
#include "../x86/avx512vnni.h"
#define TARGET AVX512_VNNI_CODE
#elif defined(AVX2_WORDS)
#include "../x86/avx2.h"
#define TARGET AVX2_CODE
#else
#include "../x86/avx512.h"
#define TARGET AVX512_CODE
#endif
#else
#define HAVE_VECTORS 0
#endif
#include "head.h"
#define VECTOR_EPILOGUE(v, ...) ((void)(v)) /* EPILOGUE for a vector of channels */

#include "product.h"

#endif
