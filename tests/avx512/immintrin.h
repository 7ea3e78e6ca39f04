/*
 * AVX-512 and VNNI on a processor that has them not, in halves: with this folder before the system's (-isystem tests/avx512)
 * generated code is compiled with the 512-bit intrinsics below, each of two 256-bit ones, and with products of bytes in plain C, and
 * believes to have the instruction sets. The bits are those of AVX-512; where a processor has it, vectors.py compares them. Machine code cannot
 * be emulated: -DNAME_NO_ASM takes the intrinsics that stand in for it. An intrinsic that generated code uses and
 * this file has not is an error: no function is compiled for more than AVX2.
 */
#ifndef EMULATED_IMMINTRIN_H
#define EMULATED_IMMINTRIN_H

#include_next <immintrin.h>
#include <cpuid.h>

typedef struct {
	__m256 half[2];
} emulated512;

#define EMULATED static inline __attribute__((target("avx2,fma"), always_inline, unused))

EMULATED emulated512 emulated_join(__m256 x, __m256 y)
{
	return (emulated512){ { x, y } };
}

EMULATED emulated512 emulated_set1(float x)
{
	return emulated_join(_mm256_set1_ps(x), _mm256_set1_ps(x));
}

EMULATED emulated512 emulated_loadu(const float *p)
{
	return emulated_join(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
}

EMULATED void emulated_storeu(float *p, emulated512 x)
{
	_mm256_storeu_ps(p, x.half[0]);
	_mm256_storeu_ps(p + 8, x.half[1]);
}

EMULATED emulated512 emulated_maskz_loadu(unsigned mask, const float *p)
{
	float lane[16];

	for (int i = 0; i < 16; i++)
		lane[i] = mask >> i & 1 ? p[i] : 0.0f;
	return emulated_loadu(lane);
}

EMULATED void emulated_mask_storeu(float *p, unsigned mask, emulated512 x)
{
	float lane[16];

	emulated_storeu(lane, x);
	for (int i = 0; i < 16; i++)
		if (mask >> i & 1)
			p[i] = lane[i];
}

#define EMULATED_PAIRWISE(name) \
	EMULATED emulated512 emulated_##name(emulated512 x, emulated512 y) \
	{ \
		return emulated_join(_mm256_##name##_ps(x.half[0], y.half[0]), \
				     _mm256_##name##_ps(x.half[1], y.half[1])); \
	}

EMULATED_PAIRWISE(add)
EMULATED_PAIRWISE(sub)
EMULATED_PAIRWISE(mul)
EMULATED_PAIRWISE(div)
EMULATED_PAIRWISE(min)
EMULATED_PAIRWISE(max)
EMULATED_PAIRWISE(and)
EMULATED_PAIRWISE(andnot)
EMULATED_PAIRWISE(or)
EMULATED_PAIRWISE(xor)

EMULATED emulated512 emulated_sqrt(emulated512 x)
{
	return emulated_join(_mm256_sqrt_ps(x.half[0]), _mm256_sqrt_ps(x.half[1]));
}

/* x < y, a bit for each lane. */
EMULATED unsigned emulated_less(emulated512 x, emulated512 y)
{
	return (unsigned)(_mm256_movemask_ps(_mm256_cmp_ps(x.half[0], y.half[0], _CMP_LT_OQ)) |
			  _mm256_movemask_ps(_mm256_cmp_ps(x.half[1], y.half[1], _CMP_LT_OQ)) << 8);
}

EMULATED emulated512 emulated_mask_blend(unsigned mask, emulated512 x, emulated512 y)
{
	float lane[16];

	emulated_storeu(lane, x);
	emulated_mask_storeu(lane, mask, y);
	return emulated_loadu(lane);
}

EMULATED emulated512 emulated_fmadd(emulated512 x, emulated512 y, emulated512 z)
{
	return emulated_join(_mm256_fmadd_ps(x.half[0], y.half[0], z.half[0]),
			     _mm256_fmadd_ps(x.half[1], y.half[1], z.half[1]));
}

/* Four groups of four lanes: two of x, two of y. */
EMULATED emulated512 emulated_shuffle_f32x4(emulated512 x, emulated512 y, int select)
{
	float from[2][16], to[16];

	emulated_storeu(from[0], x);
	emulated_storeu(from[1], y);
	for (int i = 0; i < 16; i++)
		to[i] = from[i / 8][(select >> 2 * (i / 4) & 3) * 4 + i % 4];
	return emulated_loadu(to);
}

#undef _mm512_permute_ps
#undef _mm512_shuffle_f32x4
#define __m512 emulated512
#define _mm512_setzero_ps() emulated_set1(0.0f)
#define _mm512_set1_ps emulated_set1
#define _mm512_loadu_ps emulated_loadu
#define _mm512_storeu_ps emulated_storeu
#define _mm512_maskz_loadu_ps emulated_maskz_loadu
#define _mm512_mask_storeu_ps emulated_mask_storeu
#define _mm512_add_ps emulated_add
#define _mm512_sub_ps emulated_sub
#define _mm512_mul_ps emulated_mul
#define _mm512_div_ps emulated_div
#define _mm512_min_ps emulated_min
#define _mm512_max_ps emulated_max
#define _mm512_fmadd_ps emulated_fmadd
#define _mm512_and_ps emulated_and
#define _mm512_andnot_ps emulated_andnot
#define _mm512_or_ps emulated_or
#define _mm512_xor_ps emulated_xor
#define _mm512_sqrt_ps emulated_sqrt
#undef _mm512_cmp_ps_mask
#define _mm512_cmp_ps_mask(x, y, how) emulated_less(x, y)
#define _mm512_mask_blend_ps emulated_mask_blend
#define _mm512_permute_ps(x, select) \
	emulated_join(_mm256_permute_ps((x).half[0], select), _mm256_permute_ps((x).half[1], select))
#define _mm512_shuffle_f32x4 emulated_shuffle_f32x4

/* What generated code asks of the compiler and of the processor. */
#define target(instructions) __target__("avx2,fma")
#define __builtin_cpu_supports(feature) 1
#define __get_cpuid_count(leaf, sub, a, b, c, d) (*(a) = ~0u, *(b) = *(c) = *(d) = 0, 1)

/* ---- integers ---- */

typedef struct {
	__m256i half[2];
} emulated512i;

EMULATED emulated512i emulated_set1_epi32(int x)
{
	return (emulated512i){ { _mm256_set1_epi32(x), _mm256_set1_epi32(x) } };
}

EMULATED emulated512i emulated_set1_epi8(char x)
{
	return (emulated512i){ { _mm256_set1_epi8(x), _mm256_set1_epi8(x) } };
}

EMULATED emulated512i emulated_set1_epi16(short x)
{
	return (emulated512i){ { _mm256_set1_epi16(x), _mm256_set1_epi16(x) } };
}

EMULATED emulated512i emulated_loadu_si512(const void *p)
{
	return (emulated512i){ { _mm256_loadu_si256((const __m256i *)p), _mm256_loadu_si256((const __m256i *)p + 1) } };
}

EMULATED void emulated_storeu_si512(void *p, emulated512i x)
{
	_mm256_storeu_si256((__m256i *)p, x.half[0]);
	_mm256_storeu_si256((__m256i *)p + 1, x.half[1]);
}

/* Of a vector half as long, and of one a fourth. */
#define EMULATED_WIDER(name) \
	EMULATED emulated512i emulated_##name(__m256i x) \
	{ \
		return (emulated512i){ { _mm256_##name(_mm256_castsi256_si128(x)), \
					 _mm256_##name(_mm256_extracti128_si256(x, 1)) } }; \
	}
#define EMULATED_WIDEST(name) \
	EMULATED emulated512i emulated_##name(__m128i x) \
	{ \
		return (emulated512i){ { _mm256_##name(x), _mm256_##name(_mm_srli_si128(x, 8)) } }; \
	}

EMULATED_WIDER(cvtepi8_epi16)
EMULATED_WIDER(cvtepu8_epi16)
EMULATED_WIDER(cvtepi16_epi32)
EMULATED_WIDER(cvtepu16_epi32)
EMULATED_WIDEST(cvtepi8_epi32)
EMULATED_WIDEST(cvtepu8_epi32)

/* The low bits of each integer. */
EMULATED __m128i emulated_cvtepi32_epi8(emulated512i x)
{
	unsigned char to[16];

	for (int i = 0; i < 16; i++)
		to[i] = (unsigned char)((int *)&x)[i];
	return _mm_loadu_si128((const __m128i *)to);
}

EMULATED __m256i emulated_cvtepi32_epi16(emulated512i x)
{
	unsigned short to[16];

	for (int i = 0; i < 16; i++)
		to[i] = (unsigned short)((int *)&x)[i];
	return _mm256_loadu_si256((const __m256i *)to);
}

EMULATED emulated512 emulated_cvtepi32_ps(emulated512i x)
{
	return emulated_join(_mm256_cvtepi32_ps(x.half[0]), _mm256_cvtepi32_ps(x.half[1]));
}

EMULATED emulated512i emulated_cvttps_epi32(emulated512 x)
{
	return (emulated512i){ { _mm256_cvttps_epi32(x.half[0]), _mm256_cvttps_epi32(x.half[1]) } };
}

#define EMULATED_INTEGERS(name) \
	EMULATED emulated512i emulated_##name(emulated512i x, emulated512i y) \
	{ \
		return (emulated512i){ { _mm256_##name(x.half[0], y.half[0]), _mm256_##name(x.half[1], y.half[1]) } }; \
	}

EMULATED_INTEGERS(add_epi32)
EMULATED_INTEGERS(sub_epi32)
EMULATED_INTEGERS(max_epi32)
EMULATED_INTEGERS(min_epi32)
EMULATED_INTEGERS(add_epi16)
EMULATED_INTEGERS(sub_epi16)
EMULATED_INTEGERS(madd_epi16)
EMULATED_INTEGERS(maddubs_epi16)
EMULATED_INTEGERS(sub_epi8)
EMULATED_INTEGERS(mullo_epi32)
EMULATED_INTEGERS(sllv_epi32)
EMULATED_INTEGERS(add_epi8)
EMULATED_INTEGERS(shuffle_epi8)

EMULATED emulated512i emulated_andnot_si512(emulated512i x, emulated512i y)
{
	return (emulated512i){ { _mm256_andnot_si256(x.half[0], y.half[0]), _mm256_andnot_si256(x.half[1], y.half[1]) } };
}

/* Of all lanes. */
EMULATED emulated512i emulated_gather_epi32(emulated512i index, const void *p)
{
	return (emulated512i){ { _mm256_i32gather_epi32((const int *)p, index.half[0], 4), _mm256_i32gather_epi32((const int *)p, index.half[1], 4) } };
}

/* All by one number of bits. */
#define EMULATED_SHIFT(name, bits) \
	EMULATED emulated512i emulated_##name(emulated512i x, bits n) \
	{ \
		return (emulated512i){ { _mm256_##name(x.half[0], n), _mm256_##name(x.half[1], n) } }; \
	}

EMULATED_SHIFT(slli_epi16, int)
EMULATED_SHIFT(slli_epi32, int)
EMULATED_SHIFT(srai_epi16, int)
EMULATED_SHIFT(srli_epi32, int)
EMULATED_SHIFT(srai_epi32, int)
EMULATED_SHIFT(sra_epi32, __m128i)

EMULATED emulated512i emulated_castps_si512(emulated512 x)
{
	return (emulated512i){ { _mm256_castps_si256(x.half[0]), _mm256_castps_si256(x.half[1]) } };
}

EMULATED emulated512 emulated_castsi512_ps(emulated512i x)
{
	return emulated_join(_mm256_castsi256_ps(x.half[0]), _mm256_castsi256_ps(x.half[1]));
}

EMULATED emulated512i emulated_cvtps_epi32(emulated512 x)
{
	return (emulated512i){ { _mm256_cvtps_epi32(x.half[0]), _mm256_cvtps_epi32(x.half[1]) } };
}

EMULATED emulated512i emulated_set1_epi64(long long x)
{
	return (emulated512i){ { _mm256_set1_epi64x(x), _mm256_set1_epi64x(x) } };
}

EMULATED emulated512i emulated_broadcast_i32x4(__m128i x)
{
	return (emulated512i){ { _mm256_broadcastsi128_si256(x), _mm256_broadcastsi128_si256(x) } };
}

/* The sum of each two of 32 bits. */
EMULATED __m256i emulated_pairs(emulated512i x)
{
	return _mm256_permute4x64_epi64(_mm256_hadd_epi32(x.half[0], x.half[1]), 0xd8);
}

/* Products of bytes without and with a sign, four to a sum, modulo 2^32. */
EMULATED __m256i emulated_dpbusd(__m256i sum, __m256i x, __m256i y)
{
	for (int i = 0; i < 32; i++)
		((unsigned *)&sum)[i / 4] += (unsigned)(((const unsigned char *)&x)[i] * ((const signed char *)&y)[i]);
	return sum;
}

EMULATED __m256i emulated_dpwssd(__m256i sum, __m256i x, __m256i y)
{
	return _mm256_add_epi32(sum, _mm256_madd_epi16(x, y));
}

#undef _mm256_dpbusd_avx_epi32
#undef _mm256_dpwssd_avx_epi32
#define _mm256_dpbusd_avx_epi32 emulated_dpbusd
#define _mm256_dpwssd_avx_epi32 emulated_dpwssd
#define _mm512_set1_epi8 emulated_set1_epi8
#define _mm512_sub_epi8 emulated_sub_epi8
#define SUMS16_DOT4(c, a, b) \
	((emulated512i){ { emulated_dpbusd((c).half[0], (a).half[0], (b).half[0]), \
			   emulated_dpbusd((c).half[1], (a).half[1], (b).half[1]) } })
#define SUMS16_DOT2(c, a, b) emulated_add_epi32(c, emulated_madd_epi16(a, b))
#define __m512i emulated512i
#define _mm512_setzero_si512() emulated_set1_epi32(0)
#define _mm512_set1_epi32 emulated_set1_epi32
#define _mm512_storeu_si512 emulated_storeu_si512
#define _mm512_cvtepi8_epi16 emulated_cvtepi8_epi16
#define _mm512_add_epi32 emulated_add_epi32
#define _mm512_madd_epi16 emulated_madd_epi16
#define _mm512_maddubs_epi16 emulated_maddubs_epi16
#define _mm512_set1_epi16 emulated_set1_epi16
#define _mm512_loadu_si512 emulated_loadu_si512
#define _mm512_cvtepu8_epi16 emulated_cvtepu8_epi16
#define _mm512_cvtepi16_epi32 emulated_cvtepi16_epi32
#define _mm512_cvtepu16_epi32 emulated_cvtepu16_epi32
#define _mm512_cvtepi8_epi32 emulated_cvtepi8_epi32
#define _mm512_cvtepu8_epi32 emulated_cvtepu8_epi32
#define _mm512_cvtepi32_epi8 emulated_cvtepi32_epi8
#define _mm512_cvtepi32_epi16 emulated_cvtepi32_epi16
#define _mm512_cvtepi32_ps emulated_cvtepi32_ps
#define _mm512_cvttps_epi32 emulated_cvttps_epi32
#define _mm512_cvtps_epi32 emulated_cvtps_epi32
#define _mm512_set1_epi64 emulated_set1_epi64
#define _mm512_broadcast_i32x4 emulated_broadcast_i32x4
#define _mm512_add_epi8 emulated_add_epi8
#define _mm512_shuffle_epi8 emulated_shuffle_epi8
#undef _mm512_srai_epi16
#define _mm512_srai_epi16 emulated_srai_epi16
#define _mm512_castsi256_si512(x) ((emulated512i){ { x, _mm256_setzero_si256() } })
#undef _mm512_inserti64x4
#define _mm512_inserti64x4(x, y, upper) ((emulated512i){ { (x).half[0], y } })
#define _mm512_sub_epi32 emulated_sub_epi32
#define _mm512_max_epi32 emulated_max_epi32
#define _mm512_min_epi32 emulated_min_epi32
#define _mm512_add_epi16 emulated_add_epi16
#define _mm512_sub_epi16 emulated_sub_epi16
#define _mm512_mullo_epi32 emulated_mullo_epi32
#define _mm512_sra_epi32 emulated_sra_epi32
#define _mm512_srli_epi32 emulated_srli_epi32
#define _mm512_srai_epi32 emulated_srai_epi32
#define _mm512_sllv_epi32 emulated_sllv_epi32
#define _mm512_andnot_si512 emulated_andnot_si512
#define _mm512_mask_i32gather_epi32(none, all, index, p, scale) emulated_gather_epi32(index, p)
#undef _mm512_slli_epi16
#undef _mm512_slli_epi32
#define _mm512_slli_epi16 emulated_slli_epi16
#define _mm512_slli_epi32 emulated_slli_epi32
#define sums16 emulated512i
#define SUMS16_ZERO emulated_set1_epi32(0)
#define SUMS16_DOT(c, a, b) emulated_add_epi32(c, emulated_madd_epi16(a, b))
#define SUMS16_VECTOR(c) (c)
#define SUMS16_PAIRS(c) emulated_pairs(c)
#undef _mm512_roundscale_ps
#define _mm512_roundscale_ps(x, how) emulated_join(_mm256_round_ps((x).half[0], how), _mm256_round_ps((x).half[1], how))
#define _mm512_castps_si512 emulated_castps_si512
#define _mm512_castsi512_ps emulated_castsi512_ps

#endif
