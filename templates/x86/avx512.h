/* The words of vector code in AVX-512. See ../vector/template.h. */
#ifndef AVX512_H
#define AVX512_H

#define LANES 16
#define REGISTERS 32
#define VEC __m512
#define VEC_ZERO() _mm512_setzero_ps()
#define VEC_SET1(x) _mm512_set1_ps(x)
#define VEC_LOAD(p) _mm512_loadu_ps(p)
#define VEC_LOAD_FIRST(p, n) _mm512_maskz_loadu_ps((__mmask16)(0xffff >> (16 - (n))), p)
#define VEC_STORE(p, v) _mm512_storeu_ps(p, v)
#define VEC_ADD(a, b) _mm512_add_ps(a, b)
#define VEC_SUB(a, b) _mm512_sub_ps(a, b)
#define VEC_MUL(a, b) _mm512_mul_ps(a, b)
#define VEC_DIV(a, b) _mm512_div_ps(a, b)
#define VEC_MAX(a, b) _mm512_max_ps(a, b)
#define VEC_MIN(a, b) _mm512_min_ps(a, b)
#define VEC_FMADD(a, b, c) _mm512_fmadd_ps(a, b, c)
#define VEC_SQRT(v) _mm512_sqrt_ps(v)
#define VEC_NEG(v) _mm512_xor_ps(v, _mm512_set1_ps(-0.0f))
#define VEC_ABS(v) _mm512_andnot_ps(_mm512_set1_ps(-0.0f), v)
#define VEC_SIGNED(v, s) _mm512_or_ps(v, _mm512_and_ps(s, _mm512_set1_ps(-0.0f)))
#define VEC_BELOW(a, b, x, y) _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x)
#define VEC_POWER(v) \
	_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_castps_si512(v), _mm512_set1_epi32(126)), 23))
#define VEC_EVEN(v) _mm512_permute_ps(v, 0xa0)
#define VEC_ODD(v) _mm512_permute_ps(v, 0xf5)
#define VEC_FOURTH0(v) _mm512_permute_ps(v, 0x00)
#define VEC_FOURTH1(v) _mm512_permute_ps(v, 0x55)
#define VEC_FOURTH2(v) _mm512_permute_ps(v, 0xaa)
#define VEC_FOURTH3(v) _mm512_permute_ps(v, 0xff)
#define VEC_SWAP(v) _mm512_shuffle_f32x4(v, v, 0xb1)
#define VEC_PREFETCH(p) _mm_prefetch((const char *)(p), _MM_HINT_T0)
#define VEC_PREFETCH_FAR(p) _mm_prefetch((const char *)(p), _MM_HINT_T1)
#define VEC_HOLD(v) HOLD(v)
#define VEC_OVER(v, s, h, l) _mm512_fmadd_ps(v, h, _mm512_mul_ps(v, l))
#define VEC_FROM(v) _mm512_cvtepi32_ps(v)
#define VEC_NEAR(v, a, b) \
	_mm512_roundscale_ps(_mm512_min_ps(_mm512_max_ps(v, a), b), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define IVEC __m512i
#define IVEC_ZERO() _mm512_setzero_si512()
#define IVEC_SET1(x) _mm512_set1_epi32(x)
#define IVEC_LOAD(p) _mm512_loadu_si512(p)
#define IVEC_LOAD_u8(p) _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(p)))
#define IVEC_LOAD_i8(p) _mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(p)))
#define IVEC_LOAD_u16(p) _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)(p)))
#define IVEC_LOAD_i16(p) _mm512_cvtepi16_epi32(_mm256_loadu_si256((const __m256i *)(p)))
#define IVEC_STORE(p, v) _mm512_storeu_si512(p, v)
#define IVEC_STORE_u8(p, v) _mm_storeu_si128((__m128i *)(p), _mm512_cvtepi32_epi8(v))
#define IVEC_STORE_i8(p, v) _mm_storeu_si128((__m128i *)(p), _mm512_cvtepi32_epi8(v))
#define IVEC_STORE_u16(p, v) _mm256_storeu_si256((__m256i *)(p), _mm512_cvtepi32_epi16(v))
#define IVEC_STORE_i16(p, v) _mm256_storeu_si256((__m256i *)(p), _mm512_cvtepi32_epi16(v))
/* Words of four bytes are fetched, and the byte that is meant is shifted to the top, and down. */
#define IVEC_LOOK_u8(t, v) \
	_mm512_srli_epi32(_mm512_sllv_epi32(_mm512_mask_i32gather_epi32(_mm512_setzero_si512(), 0xffff, _mm512_srli_epi32(_mm512_slli_epi32(v, 24), 26), t, 4), \
					    _mm512_slli_epi32(_mm512_andnot_si512(v, _mm512_set1_epi32(3)), 3)), 24)
#define IVEC_LOOK_i8(t, v) \
	_mm512_srai_epi32(_mm512_sllv_epi32(_mm512_mask_i32gather_epi32(_mm512_setzero_si512(), 0xffff, _mm512_srli_epi32(_mm512_slli_epi32(v, 24), 26), t, 4), \
					    _mm512_slli_epi32(_mm512_andnot_si512(v, _mm512_set1_epi32(3)), 3)), 24)
#define IVEC_FROM(v) _mm512_cvttps_epi32(v)
#define IVEC_NEAR(v) _mm512_cvtps_epi32(v)
#define IVEC_ADD(a, b) _mm512_add_epi32(a, b)
#define IVEC_SUB(a, b) _mm512_sub_epi32(a, b)
#define IVEC_MAX(a, b) _mm512_max_epi32(a, b)
#define IVEC_MIN(a, b) _mm512_min_epi32(a, b)
#define IVEC_WIDEN_i8(p) _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(p)))
#define IVEC_WIDEN_u8(p) _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(p)))
/* Each byte is brought into the high half of its 16 bits, and shifted down. */
#define IVEC_WIDEN_PAIRS(p, j) \
	_mm512_srai_epi16(_mm512_shuffle_epi8(_mm512_loadu_si512(p), \
					      _mm512_add_epi8(_mm512_set1_epi8((char)(2 * (j))), _mm512_broadcast_i32x4(_mm_setr_epi32(0x01000000, 0x05000400, 0x09000800, 0x0d000c00)))), 8)
#define IVEC_LESS(v, x) _mm512_sub_epi16(v, _mm512_set1_epi16(x))
#define IVEC_ADD16(a, b) _mm512_add_epi16(a, b)
#define IVEC_SUB16(a, b) _mm512_sub_epi16(a, b)
#define IVEC_SHL16(a, n) _mm512_slli_epi16(a, n)
#define IVEC_MUL(a, b) _mm512_mullo_epi32(a, b)
#define IVEC_SHL(a, n) _mm512_slli_epi32(a, n)
#define IVEC_SHR(a, n) _mm512_sra_epi32(a, _mm_cvtsi32_si128(n))
#define ISUM sums16
#define ISUM_ZERO() SUMS16_ZERO
#define ISUM_DOT(c, a, b) SUMS16_DOT(c, a, b)
#define DOT_LANES 32
#define DOT_OUTPUTS 8
#define DOT_TYPE int16_t
#define DOT_FOUR int64_t
#define DOT_SET4(v) _mm512_set1_epi64(v)
#define DOT_SET1(x) _mm512_set1_epi16(x)
#define DOT_LOAD_u8(p, x) _mm512_sub_epi16(_mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(p))), _mm512_set1_epi16(x))
#define DOT_LOAD_i8(p, x) _mm512_sub_epi16(_mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(p))), _mm512_set1_epi16(x))
#define DOT_WEIGHTS(p) _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(p)))
#define DOT_ADD(c, a, b) SUMS16_DOT(c, a, b)
#define DOT_SUMS(c, j) _mm512_inserti64x4(_mm512_castsi256_si512(SUMS16_PAIRS((c)[2 * (j)])), SUMS16_PAIRS((c)[2 * (j) + 1]), 1)
#define IVEC_OF(c) SUMS16_VECTOR(c)

#endif
