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
#define VEC_SQRT(v) _mm256_sqrt_ps(v)
#define VEC_NEG(v) _mm256_xor_ps(v, _mm256_set1_ps(-0.0f))
#define VEC_ABS(v) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), v)
#define VEC_SIGNED(v, s) _mm256_or_ps(v, _mm256_and_ps(s, _mm256_set1_ps(-0.0f)))
#define VEC_BELOW(a, b, x, y) _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ))
#define VEC_POWER(v) \
	_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_castps_si256(v), _mm256_set1_epi32(126)), 23))
#define VEC_EVEN(v) _mm256_permute_ps(v, 0xa0)
#define VEC_ODD(v) _mm256_permute_ps(v, 0xf5)
#define VEC_FOURTH0(v) _mm256_permute_ps(v, 0x00)
#define VEC_FOURTH1(v) _mm256_permute_ps(v, 0x55)
#define VEC_FOURTH2(v) _mm256_permute_ps(v, 0xaa)
#define VEC_FOURTH3(v) _mm256_permute_ps(v, 0xff)
#define VEC_SWAP(v) _mm256_permute2f128_ps(v, v, 0x01)
#define VEC_PREFETCH(p) _mm_prefetch((const char *)(p), _MM_HINT_T0)
#define VEC_PREFETCH_FAR(p) _mm_prefetch((const char *)(p), _MM_HINT_T1)
#define VEC_HOLD(v) HOLD(v)
#define VEC_OVER(v, s, h, l) _mm256_fmadd_ps(v, h, _mm256_mul_ps(v, l))
#define VEC_FROM(v) _mm256_cvtepi32_ps(v)
#define VEC_NEAR(v, a, b) \
	_mm256_round_ps(_mm256_min_ps(_mm256_max_ps(v, a), b), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define IVEC __m256i
#define IVEC_ZERO() _mm256_setzero_si256()
#define IVEC_SET1(x) _mm256_set1_epi32(x)
#define IVEC_LOAD(p) _mm256_loadu_si256((const __m256i *)(p))
#define IVEC_LOAD_u8(p) _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p)))
#define IVEC_LOAD_i8(p) _mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(p)))
#define IVEC_LOAD_u16(p) _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(p)))
#define IVEC_LOAD_i16(p) _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(p)))
#define IVEC_STORE(p, v) _mm256_storeu_si256((__m256i *)(p), v)
#define IVEC_STORE_u8(p, v) \
	_mm_storel_epi64((__m128i *)(p), _mm_packus_epi16(_mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)), _mm_setzero_si128()))
#define IVEC_STORE_i8(p, v) \
	_mm_storel_epi64((__m128i *)(p), _mm_packs_epi16(_mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)), _mm_setzero_si128()))
#define IVEC_STORE_u16(p, v) \
	_mm_storeu_si128((__m128i *)(p), _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)))
#define IVEC_STORE_i16(p, v) \
	_mm_storeu_si128((__m128i *)(p), _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)))
/* Words of four bytes are fetched, and the byte that is meant is shifted to the top, and down. */
#define IVEC_LOOK_u8(t, v) \
	_mm256_srli_epi32(_mm256_sllv_epi32(_mm256_i32gather_epi32((const int *)(const void *)(t), _mm256_srli_epi32(_mm256_slli_epi32(v, 24), 26), 4), \
					    _mm256_slli_epi32(_mm256_andnot_si256(v, _mm256_set1_epi32(3)), 3)), 24)
#define IVEC_LOOK_i8(t, v) \
	_mm256_srai_epi32(_mm256_sllv_epi32(_mm256_i32gather_epi32((const int *)(const void *)(t), _mm256_srli_epi32(_mm256_slli_epi32(v, 24), 26), 4), \
					    _mm256_slli_epi32(_mm256_andnot_si256(v, _mm256_set1_epi32(3)), 3)), 24)
#define IVEC_FROM(v) _mm256_cvttps_epi32(v)
#define IVEC_NEAR(v) _mm256_cvtps_epi32(v)
#define IVEC_ADD(a, b) _mm256_add_epi32(a, b)
#define IVEC_SUB(a, b) _mm256_sub_epi32(a, b)
#define IVEC_MAX(a, b) _mm256_max_epi32(a, b)
#define IVEC_MIN(a, b) _mm256_min_epi32(a, b)
#define IVEC_WIDEN_i8(p) _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(p)))
#define IVEC_WIDEN_u8(p) _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(p)))
/* Each byte is brought into the high half of its 16 bits, and shifted down. */
#define IVEC_WIDEN_PAIRS(p, j) \
	_mm256_srai_epi16(_mm256_shuffle_epi8(_mm256_loadu_si256((const __m256i *)(p)), \
					      _mm256_add_epi8(_mm256_set1_epi8((char)(2 * (j))), _mm256_broadcastsi128_si256(_mm_setr_epi32(0x01000000, 0x05000400, 0x09000800, 0x0d000c00)))), 8)
#define IVEC_LESS(v, x) _mm256_sub_epi16(v, _mm256_set1_epi16(x))
#define IVEC_ADD16(a, b) _mm256_add_epi16(a, b)
#define IVEC_SUB16(a, b) _mm256_sub_epi16(a, b)
#define IVEC_SHL16(a, n) _mm256_slli_epi16(a, n)
#define IVEC_MUL(a, b) _mm256_mullo_epi32(a, b)
#define IVEC_SHL(a, n) _mm256_slli_epi32(a, n)
#define IVEC_SHR(a, n) _mm256_sra_epi32(a, _mm_cvtsi32_si128(n))
#define ISUM sums8
#define ISUM_ZERO() ((sums8){ 0 })
#define ISUM_DOT(c, a, b) ((c) + (sums8)_mm256_madd_epi16(a, b))
#define DOT_LANES 16
#define DOT_OUTPUTS 4
#define DOT_TYPE int16_t
#define DOT_FOUR int64_t
#define DOT_SET4(v) _mm256_set1_epi64x(v)
#define DOT_SET1(x) _mm256_set1_epi16(x)
#define DOT_LOAD_u8(p, x) _mm256_sub_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(p))), _mm256_set1_epi16(x))
#define DOT_LOAD_i8(p, x) _mm256_sub_epi16(_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(p))), _mm256_set1_epi16(x))
#define DOT_WEIGHTS(p) _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(p)))
#define DOT_ADD(c, a, b) ((c) + (sums8)_mm256_madd_epi16(a, b))
#define DOT_SUMS(c, j) _mm256_permute4x64_epi64(_mm256_hadd_epi32((__m256i)(c)[2 * (j)], (__m256i)(c)[2 * (j) + 1]), 0xd8)
#define IVEC_OF(c) ((__m256i)(c))

#endif
