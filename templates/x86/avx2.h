/* The words of vector code in AVX2 with FMA. See ../vector/template.h. */
#ifndef AVX2_H
#define AVX2_H

#define LANES 8
#define REGISTERS 16
#define VEC __m256
#define VEC_ZERO() _mm256_setzero_ps()
#define VEC_SET1(x) _mm256_set1_ps(x)
#define VEC_LOAD(p) _mm256_loadu_ps(p)
#define VEC_LOAD_FIRST(p, n) \
	_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)))
#define VEC_STORE(p, v) _mm256_storeu_ps(p, v)
#define VEC_ADD(a, b) _mm256_add_ps(a, b)
#define VEC_SUB(a, b) _mm256_sub_ps(a, b)
#define VEC_MUL(a, b) _mm256_mul_ps(a, b)
#define VEC_DIV(a, b) _mm256_div_ps(a, b)
#define VEC_MAX(a, b) _mm256_max_ps(a, b)
#define VEC_MIN(a, b) _mm256_min_ps(a, b)
#define VEC_FMADD(a, b, c) _mm256_fmadd_ps(a, b, c)
#define VEC_EVEN(v) _mm256_permute_ps(v, 0xa0)
#define VEC_ODD(v) _mm256_permute_ps(v, 0xf5)
#define VEC_FOURTH0(v) _mm256_permute_ps(v, 0x00)
#define VEC_FOURTH1(v) _mm256_permute_ps(v, 0x55)
#define VEC_FOURTH2(v) _mm256_permute_ps(v, 0xaa)
#define VEC_FOURTH3(v) _mm256_permute_ps(v, 0xff)
#define VEC_SWAP(v) _mm256_permute2f128_ps(v, v, 0x01)
#define VEC_PREFETCH(p) _mm_prefetch((const char *)(p), _MM_HINT_T0)
#define VEC_PREFETCH_FAR(p) _mm_prefetch((const char *)(p), _MM_HINT_T1)
#define IVEC __m256i
#define IVEC_ZERO() _mm256_setzero_si256()
#define IVEC_STORE(p, v) _mm256_storeu_si256((__m256i *)(p), v)
#define IVEC_WIDEN(p) _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(p)))
#define IVEC_PAIR(p) _mm256_set1_epi32(*(p))
#define IVEC_DOT(c, a, b) _mm256_add_epi32(c, _mm256_madd_epi16(a, b))

#endif
