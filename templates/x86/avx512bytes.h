/* The words of vector code in AVX-512 where products of two weights with bytes fit 16 bits. See ../vector/template.h. */
#ifndef AVX512BYTES_H
#define AVX512BYTES_H

#include "avx512.h"

#undef DOT_LANES
#undef DOT_OUTPUTS
#undef DOT_TYPE
#undef DOT_FOUR
#undef DOT_SET4
#undef DOT_SET1
#undef DOT_LOAD_u8
#undef DOT_LOAD_i8
#undef DOT_WEIGHTS
#undef DOT_ADD
#undef DOT_SUMS
#define DOT_LANES 64
#define DOT_OUTPUTS 16
#define DOT_TYPE uint8_t
#define DOT_FOUR int32_t
#define DOT_SET4(v) _mm512_set1_epi32(v)
#define DOT_SET1(x) _mm512_set1_epi8((char)(x))
#define DOT_LOAD_u8(p, x) _mm512_sub_epi8(_mm512_loadu_si512(p), _mm512_set1_epi8((char)(x)))
#define DOT_LOAD_i8(p, x) _mm512_sub_epi8(_mm512_loadu_si512(p), _mm512_set1_epi8((char)(x)))
#define DOT_WEIGHTS(p) _mm512_loadu_si512(p)
#define DOT_ADD(c, a, b) SUMS16_DOT(c, _mm512_maddubs_epi16(a, b), _mm512_set1_epi16(1))
#define DOT_SUMS(c, j) SUMS16_VECTOR((c)[j])

#endif
