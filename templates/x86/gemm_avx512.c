/*
 * gemm_fn with its sizes as arguments, for AVX-512: blocks of at most six pixels and 64 channels in
 * registers. Generated code calls it from functions of gemm_fn's type that give the sizes of one
 * product, so that conv_gemm.c finds the same products for every instruction set.
 */
#include "template.h"

#define AHEAD 16 /* rows of a between what is fetched and what is used */
#define DEPTH 1024 /* rows of a that stay in the cache while pixels go by */

/* c [pixels][ldc] = (add: +=) products of `pixels` pixels with 64 channels. Loops over pixels, a
 * constant where this is inlined, are unrolled: sum must be registers. */
static AVX512_CODE inline __attribute__((always_inline)) void gemm_avx512_block(const float *a,
	const float *b, float *c, const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, int k,
	int lda, int ldb, int ldc, int add, const int pixels)
{
	__m512 sum[6][4];

	UNROLL
	for (int i = 0; i < pixels; i++)
		UNROLL
		for (int j = 0; j < 4; j++)
			sum[i][j] = add ? _mm512_loadu_ps(c + i * ldc + j * 16)
					: _mm512_setzero_ps();
	for (uint64_t t = 0; t < count; t++) {
		const float *u = a + at_a[t] / sizeof(*a);
		const float *v = b + at_b[t] / sizeof(*b);

		for (int q = 0; q < k; q++, u += lda) {
			const __m512 w0 = _mm512_loadu_ps(u);
			const __m512 w1 = _mm512_loadu_ps(u + 16);
			const __m512 w2 = _mm512_loadu_ps(u + 32);
			const __m512 w3 = _mm512_loadu_ps(u + 48);

			_mm_prefetch((const char *)(u + AHEAD * lda), _MM_HINT_T0);
			_mm_prefetch((const char *)(u + AHEAD * lda + 16), _MM_HINT_T0);
			_mm_prefetch((const char *)(u + AHEAD * lda + 32), _MM_HINT_T0);
			_mm_prefetch((const char *)(u + AHEAD * lda + 48), _MM_HINT_T0);

			UNROLL
			for (int i = 0; i < pixels; i++) {
				const __m512 x = _mm512_set1_ps(v[i * ldb + q]);

				sum[i][0] = _mm512_fmadd_ps(w0, x, sum[i][0]);
				sum[i][1] = _mm512_fmadd_ps(w1, x, sum[i][1]);
				sum[i][2] = _mm512_fmadd_ps(w2, x, sum[i][2]);
				sum[i][3] = _mm512_fmadd_ps(w3, x, sum[i][3]);
			}
		}
	}
	UNROLL
	for (int i = 0; i < pixels; i++)
		UNROLL
		for (int j = 0; j < 4; j++)
			_mm512_storeu_ps(c + i * ldc + j * 16, sum[i][j]);
}

/* The same for any number of pixels, in blocks as even as can be. */
static AVX512_CODE void gemm_avx512_panel(const float *a, const float *b, float *c,
	const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, int n, int k, int lda, int ldb,
	int ldc, int add)
{
	const int blocks = (n + 5) / 6;

	for (int i = 0, size; i < blocks; i++, b += size * ldb, c += size * ldc) {
		size = n / blocks + (i < n % blocks);
		switch (size) {
		case 6:
			gemm_avx512_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				6);
			break;
		case 5:
			gemm_avx512_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				5);
			break;
		case 4:
			gemm_avx512_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				4);
			break;
		case 3:
			gemm_avx512_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				3);
			break;
		case 2:
			gemm_avx512_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				2);
			break;
		default:
			gemm_avx512_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				1);
		}
	}
}

/* The same for at most 16 channels, what is left of m; nothing behind them is touched. */
static AVX512_CODE void gemm_avx512_rest(const float *a, const float *b, float *c,
	const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, int m, int n, int k, int lda,
	int ldb, int ldc, int add)
{
	const __mmask16 mask = (__mmask16)(m < 16 ? (1u << m) - 1u : 0xffffu);

	for (int i0 = 0; i0 < n; i0 += 4) {
		__m512 sum[4];

		UNROLL
		for (int i = 0; i < 4; i++) /* the last pixel again where there are no four */
			sum[i] = add ? _mm512_maskz_loadu_ps(mask, c + (i0 + i < n ? i0 + i : n - 1) * ldc)
				     : _mm512_setzero_ps();
		for (uint64_t t = 0; t < count; t++) {
			const float *u = a + at_a[t] / sizeof(*a);
			const float *v = b + at_b[t] / sizeof(*b);

			for (int q = 0; q < k; q++, u += lda) {
				const __m512 w = _mm512_maskz_loadu_ps(mask, u);

				UNROLL
				for (int i = 0; i < 4; i++) {
					const int at = (i0 + i < n ? i0 + i : n - 1) * ldb + q;

					sum[i] = _mm512_fmadd_ps(w, _mm512_set1_ps(v[at]), sum[i]);
				}
			}
		}
		UNROLL
		for (int i = 0; i < 4; i++)
			if (i0 + i < n)
				_mm512_mask_storeu_ps(c + (i0 + i) * ldc, mask, sum[i]);
	}
}

/* Sum of products of n pixels with m channels: c [n][ldc] = (add: +=) b_i [n][ldb] a_i [k][lda]. */
static AVX512_CODE void gemm_avx512(const float *a, const float *b, float *c,
	const uint64_t *count, const uint64_t *at_a, const uint64_t *at_b, int m, int n, int k, int lda,
	int ldb, int ldc, int add)
{
	const int depth = k < DEPTH ? k : DEPTH;
	const uint64_t taps = (uint64_t)(DEPTH / depth);
	int j = 0;

	for (; j + 64 <= m; j += 64)
		for (uint64_t t = 0; t < *count; t += taps)
			for (int q = 0; q < k; q += depth)
				gemm_avx512_panel(a + j + q * lda, b + q, c + j,
					*count - t < taps ? *count - t : taps, at_a + t, at_b + t, n,
					k - q < depth ? k - q : depth, lda, ldb, ldc,
					add || t + (uint64_t)q > 0);
	for (; j < m; j += 16)
		gemm_avx512_rest(a + j, b, c + j, *count, at_a, at_b, m - j, n, k, lda, ldb, ldc,
			add);
}
