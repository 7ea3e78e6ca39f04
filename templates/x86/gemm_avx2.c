/*
 * gemm_fn with its sizes as arguments, for AVX2: blocks of at most six pixels and 16 channels in
 * registers. Generated code calls it from functions of gemm_fn's type that give the sizes of one
 * product, so that conv_gemm.c finds the same products for every instruction set.
 */
#include "template.h"

#define AHEAD 16 /* rows of a between what is fetched and what is used */
#define DEPTH 256 /* rows of a that stay in the cache while pixels go by */

/* c [pixels][ldc] = (add: +=) products of `pixels` pixels with 16 channels. Loops over pixels, a
 * constant where this is inlined, are unrolled: sum must be registers. */
static AVX2_CODE inline __attribute__((always_inline)) void gemm_avx2_block(const float *a,
	const float *b, float *c, const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, int k,
	int lda, int ldb, int ldc, int add, const int pixels)
{
	__m256 sum[6][2];

	UNROLL
	for (int i = 0; i < pixels; i++)
		UNROLL
		for (int j = 0; j < 2; j++)
			sum[i][j] = add ? _mm256_loadu_ps(c + i * ldc + j * 8)
					: _mm256_setzero_ps();
	for (uint64_t t = 0; t < count; t++) {
		const float *u = a + at_a[t] / sizeof(*a);
		const float *v = b + at_b[t] / sizeof(*b);

		for (int q = 0; q < k; q++, u += lda) {
			const __m256 w0 = _mm256_loadu_ps(u);
			const __m256 w1 = _mm256_loadu_ps(u + 8);

			_mm_prefetch((const char *)(u + AHEAD * lda), _MM_HINT_T0);

			UNROLL
			for (int i = 0; i < pixels; i++) {
				const __m256 x = _mm256_broadcast_ss(v + i * ldb + q);

				sum[i][0] = _mm256_fmadd_ps(w0, x, sum[i][0]);
				sum[i][1] = _mm256_fmadd_ps(w1, x, sum[i][1]);
			}
		}
	}
	UNROLL
	for (int i = 0; i < pixels; i++)
		UNROLL
		for (int j = 0; j < 2; j++)
			_mm256_storeu_ps(c + i * ldc + j * 8, sum[i][j]);
}

/* The same for any number of pixels, in blocks as even as can be. */
static AVX2_CODE void gemm_avx2_panel(const float *a, const float *b, float *c,
	const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, int n, int k, int lda, int ldb,
	int ldc, int add)
{
	const int blocks = (n + 5) / 6;

	for (int i = 0, size; i < blocks; i++, b += size * ldb, c += size * ldc) {
		size = n / blocks + (i < n % blocks);
		switch (size) {
		case 6:
			gemm_avx2_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				6);
			break;
		case 5:
			gemm_avx2_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				5);
			break;
		case 4:
			gemm_avx2_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				4);
			break;
		case 3:
			gemm_avx2_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				3);
			break;
		case 2:
			gemm_avx2_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				2);
			break;
		default:
			gemm_avx2_block(a, b, c, count, at_a, at_b, k, lda, ldb, ldc, add,
				1);
		}
	}
}

/* The same for at most 8 channels, what is left of m; nothing behind them is touched. */
static AVX2_CODE void gemm_avx2_rest(const float *a, const float *b, float *c,
	const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, int m, int n, int k, int lda,
	int ldb, int ldc, int add)
{
	static const int ones[16] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	const void *const first = ones + (m < 8 ? 8 - m : 0);
	const __m256i mask = _mm256_loadu_si256((const __m256i *)first);

	for (int i0 = 0; i0 < n; i0 += 4) {
		__m256 sum[4];

		UNROLL
		for (int i = 0; i < 4; i++) /* the last pixel again where there are no four */
			sum[i] = add ? _mm256_maskload_ps(c + (i0 + i < n ? i0 + i : n - 1) * ldc, mask)
				     : _mm256_setzero_ps();
		for (uint64_t t = 0; t < count; t++) {
			const float *u = a + at_a[t] / sizeof(*a);
			const float *v = b + at_b[t] / sizeof(*b);

			for (int q = 0; q < k; q++, u += lda) {
				const __m256 w = _mm256_maskload_ps(u, mask);

				UNROLL
				for (int i = 0; i < 4; i++) {
					const int at = (i0 + i < n ? i0 + i : n - 1) * ldb + q;

					sum[i] = _mm256_fmadd_ps(w, _mm256_set1_ps(v[at]), sum[i]);
				}
			}
		}
		UNROLL
		for (int i = 0; i < 4; i++)
			if (i0 + i < n)
				_mm256_maskstore_ps(c + (i0 + i) * ldc, mask, sum[i]);
	}
}

/* Sum of products of n pixels with m channels: see the top of this file. */
static AVX2_CODE void gemm_avx2(const float *a, const float *b, float *c,
	const uint64_t *count, const uint64_t *at_a, const uint64_t *at_b, int m, int n, int k, int lda,
	int ldb, int ldc, int add)
{
	const int depth = k < DEPTH ? k : DEPTH;
	const uint64_t taps = (uint64_t)(DEPTH / depth);
	int j = 0;

	for (; j + 16 <= m; j += 16)
		for (uint64_t t = 0; t < *count; t += taps)
			for (int q = 0; q < k; q += depth)
				gemm_avx2_panel(a + j + q * lda, b + q, c + j,
					*count - t < taps ? *count - t : taps, at_a + t, at_b + t, n,
					k - q < depth ? k - q : depth, lda, ldb, ldc,
					add || t + (uint64_t)q > 0);
	for (; j < m; j += 8)
		gemm_avx2_rest(a + j, b, c + j, *count, at_a, at_b, m - j, n, k, lda, ldb, ldc,
			add);
}
