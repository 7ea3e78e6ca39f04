/* The words of vector code in AVX2 where products of two weights with bytes fit 16 bits. See ../vector/template.h. */
#ifndef AVX2BYTES_H
#define AVX2BYTES_H

#include "avx2.h"

#undef DOT_INPUTS
#undef DOT_TYPE
#undef DOT_SET1
#undef DOT_LOAD_u8
#undef DOT_LOAD_i8
#undef DOT_WEIGHTS
#undef DOT_ADD
#undef DOT_SUMS
#define DOT_INPUTS 4
#define DOT_TYPE uint8_t
#define DOT_SET1(x) _mm256_set1_epi8((char)(x))
#define DOT_LOAD_u8(p, x) _mm256_sub_epi8(_mm256_loadu_si256((const __m256i *)(p)), _mm256_set1_epi8((char)(x)))
#define DOT_LOAD_i8(p, x) _mm256_sub_epi8(_mm256_loadu_si256((const __m256i *)(p)), _mm256_set1_epi8((char)(x)))
/* Outputs 0 to 3 and 8 to 11, then 4 to 7 and 12 to 15, */
#define DOT_WEIGHTS(p, j) \
	((j) == 0 ? _mm256_unpacklo_epi16(_mm256_loadu_si256((const __m256i *)(p)), _mm256_loadu_si256((const __m256i *)(p) + 1)) \
		  : _mm256_unpackhi_epi16(_mm256_loadu_si256((const __m256i *)(p)), _mm256_loadu_si256((const __m256i *)(p) + 1)))
#define DOT_ADD(c, a, b) ((c) + (sums8)_mm256_madd_epi16(_mm256_maddubs_epi16(a, b), _mm256_set1_epi16(1)))
/* so that in the order of the outputs they are these halves. */
#define DOT_SUMS(c, j) \
	((j) % 2 == 0 ? _mm256_permute2x128_si256((__m256i)(c)[(j) & ~1], (__m256i)(c)[(j) | 1], 0x20) \
		      : _mm256_permute2x128_si256((__m256i)(c)[(j) & ~1], (__m256i)(c)[(j) | 1], 0x31))

#endif
