/* The words of vector code in AVX2 where products of two weights with bytes fit 16 bits. See ../vector/template.h. */
#ifndef AVX2BYTES_H
#define AVX2BYTES_H

#include "avx2.h"

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
#define DOT_LANES 32
#define DOT_OUTPUTS 8
#define DOT_TYPE uint8_t
#define DOT_FOUR int32_t
#define DOT_SET4(v) _mm256_set1_epi32(v)
#define DOT_SET1(x) _mm256_set1_epi8((char)(x))
#define DOT_LOAD_u8(p, x) _mm256_sub_epi8(_mm256_loadu_si256((const __m256i *)(p)), _mm256_set1_epi8((char)(x)))
#define DOT_LOAD_i8(p, x) _mm256_sub_epi8(_mm256_loadu_si256((const __m256i *)(p)), _mm256_set1_epi8((char)(x)))
#define DOT_WEIGHTS(p) _mm256_loadu_si256((const __m256i *)(p))
#define DOT_ADD(c, a, b) ((c) + (sums8)_mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1)))
#define DOT_SUMS(c, j) ((__m256i)(c)[j])

#endif
