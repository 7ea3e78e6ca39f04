/*
 * gemm_fn with its sizes as arguments, for AVX2: blocks of three pixels and 32 channels (the fewest
 * instructions), four and 24, or six and 16, whose sums are twelve registers; fewer do not hide the latency.
 * Generated code inlines it into functions of gemm_fn's type that give the sizes of one product, so that
 * conv_gemm.c finds the same products for every instruction set.
 *
 * A panel, 16 to 32 channels of a, is a column of cache lines, which share few sets of the cache. So all
 * panels of a few rows are done before the next rows, which are fetched meanwhile, line after line.
 */
#include "template.h"

#define DEPTH 64 /* rows of a that stay in the cache while pixels go by */

/* sum [pixels][4] += a row of 8 * `vectors` channels at u times the inputs v [pixels][ldb]. */
static AVX2_CODE inline __attribute__((always_inline)) void gemm_avx2_step(const float *u, const float *v,
	int ldb, __m256 sum[][4], const int vectors, const int pixels)
{
	__m256 w[4], x[6];

	if (vectors < pixels) {
		UNROLL
		for (int j = 0; j < vectors; j++)
			w[j] = _mm256_loadu_ps(u + j * 8);
		UNROLL
		for (int i = 0; i < pixels; i++) {
			x[i] = _mm256_broadcast_ss(v + i * ldb);
			UNROLL
			for (int j = 0; j < vectors; j++)
				sum[i][j] = _mm256_fmadd_ps(w[j], x[i], sum[i][j]);
		}
	} else {
		UNROLL
		for (int i = 0; i < pixels; i++)
			x[i] = _mm256_broadcast_ss(v + i * ldb);
		UNROLL
		for (int j = 0; j < vectors; j++) {
			w[j] = _mm256_loadu_ps(u + j * 8);
			UNROLL
			for (int i = 0; i < pixels; i++)
				sum[i][j] = _mm256_fmadd_ps(w[j], x[i], sum[i][j]);
		}
	}
}

/* c [pixels][ldc] = (add: +=) products of `pixels` pixels with 8 * `vectors` channels. Both are constant
 * where this is inlined, which unrolls the loops over them: sum must be registers. */
static AVX2_CODE inline __attribute__((always_inline)) void gemm_avx2_block(const float *a, const float *b,
	float *c, const float *next, const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, int k,
	int lda, int ldb, int ldc, int add, const int vectors, const int pixels)
{
	__m256 sum[6][4];

	UNROLL
	for (int i = 0; i < pixels; i++)
		UNROLL
		for (int j = 0; j < vectors; j++)
			sum[i][j] = add ? _mm256_loadu_ps(c + i * ldc + j * 8) : _mm256_setzero_ps();
	for (uint64_t t = 0; t < count; t++) {
		const float *u = a + at_a[t] / sizeof(*a), *v = b + at_b[t] / sizeof(*b);

		UNROLL4
		for (int q = 0; q < k; q++, u += lda, v++, next += 8 * vectors) {
			_mm_prefetch((const char *)next, _MM_HINT_T1);
			if (vectors > 2)
				_mm_prefetch((const char *)(next + 16), _MM_HINT_T1);
			gemm_avx2_step(u, v, ldb, sum, vectors, pixels);
		}
	}
	UNROLL
	for (int i = 0; i < pixels; i++)
		UNROLL
		for (int j = 0; j < vectors; j++)
			_mm256_storeu_ps(c + i * ldc + j * 8, sum[i][j]);
}

/* The same for m channels, a multiple of 8 * vectors, and blocks * pixels pixels. */
static AVX2_CODE inline __attribute__((always_inline)) void gemm_avx2_panels(const float *a, const float *b,
	float *c, const float *next, const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, int m,
	int k, int lda, int ldb, int ldc, int add, const int vectors, const int pixels, int blocks)
{
	for (int j = 0; j < m; j += 8 * vectors, next += (int)count * k * 8 * vectors)
		for (int i = 0; i < blocks; i++)
			gemm_avx2_block(a + j, b + i * pixels * ldb, c + i * pixels * ldc + j, next, count, at_a,
				at_b, k, lda, ldb, ldc, add, vectors, pixels);
}

/* The same for m channels, a multiple of 16, and n pixels, cut into sixes, threes and fours. */
static AVX2_CODE inline __attribute__((always_inline)) void gemm_avx2_rows(const float *a, const float *b,
	float *c, const float *next, const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, const int m,
	const int n, int k, int lda, int ldb, int ldc, int add)
{
	const int wide = m % 32 == 0 ? 4 : 2, narrow = m / 48 * 48;
	const int rest = n == 1 || n == 2 || n == 5 ? n : 0; /* is no sum of 3, 4 and 6 */
	const int fours = rest > 0 ? 0 : n % 3, some = n - rest - 4 * fours;
	const int threes = wide == 4 ? some / 3 : some % 2;
	const int three = some - 3 * threes, four = n - 4 * fours; /* where they begin */

	gemm_avx2_panels(a, b, c, next, count, at_a, at_b, m, k, lda, ldb, ldc, add, rest < 3 ? wide : 2, rest,
		rest > 0);
	gemm_avx2_panels(a, b, c, next, count, at_a, at_b, m, k, lda, ldb, ldc, add, 2, 6, three / 6);
	gemm_avx2_panels(a, b + three * ldb, c + three * ldc, next, count, at_a, at_b, m, k, lda, ldb, ldc, add,
		wide, 3, threes);
	gemm_avx2_panels(a, b + four * ldb, c + four * ldc, next, count, at_a, at_b, narrow, k, lda, ldb, ldc, add,
		3, 4, fours);
	gemm_avx2_panels(a + narrow, b + four * ldb, c + four * ldc + narrow, next + (int)count * k * narrow,
		count, at_a, at_b, m - narrow, k, lda, ldb, ldc, add, 2, 4, fours);
}

/* The same for at most 8 channels, what is left of m; nothing behind them is touched. */
static AVX2_CODE void gemm_avx2_rest(const float *a, const float *b, float *c, const uint64_t count,
	const uint64_t *at_a, const uint64_t *at_b, int m, int n, int k, int lda, int ldb, int ldc, int add)
{
	static const int ones[16] = { -1, -1, -1, -1, -1, -1, -1, -1 };
	const void *const first = ones + (m < 8 ? 8 - m : 0);
	const __m256i mask = _mm256_loadu_si256((const __m256i *)first);

	for (int i0 = 0; i0 < n; i0 += 8) {
		__m256 sum[8];

		UNROLL
		for (int i = 0; i < 8; i++) /* the last pixel again where there are no eight */
			sum[i] = add ? _mm256_maskload_ps(c + (i0 + i < n ? i0 + i : n - 1) * ldc, mask)
				     : _mm256_setzero_ps();
		for (uint64_t t = 0; t < count; t++) {
			const float *u = a + at_a[t] / sizeof(*a);
			const float *v = b + at_b[t] / sizeof(*b);

			for (int q = 0; q < k; q++, u += lda) {
				const __m256 w = _mm256_maskload_ps(u, mask);

				UNROLL
				for (int i = 0; i < 8; i++) {
					const int at = (i0 + i < n ? i0 + i : n - 1) * ldb + q;

					sum[i] = _mm256_fmadd_ps(w, _mm256_set1_ps(v[at]), sum[i]);
				}
			}
		}
		UNROLL
		for (int i = 0; i < 8; i++)
			if (i0 + i < n)
				_mm256_maskstore_ps(c + (i0 + i) * ldc, mask, sum[i]);
	}
}

/* Sum of products of n pixels with m channels: c [n][ldc] = (add: +=) b_i [n][ldb] a_i [k][lda]. */
static AVX2_CODE inline __attribute__((always_inline)) void gemm_avx2(const float *a, const float *b, float *c,
	const uint64_t *count, const uint64_t *at_a, const uint64_t *at_b, const int m, const int n, const int k,
	const int lda, const int ldb, const int ldc, const int add)
{
	const int depth = k < DEPTH ? k : DEPTH, taps = DEPTH / depth, whole = m / 16 * 16;

	for (uint64_t t = 0, some; t < *count && whole > 0; t += some) {
		some = *count - t < (uint64_t)taps ? *count - t : (uint64_t)taps;
		for (int q = 0; q < k; q += depth) {
			const int rows = k - q < depth ? k - q : depth;
			const float *next = a + at_a[t + some - 1] / sizeof(*a) + (q + rows) * lda;

			gemm_avx2_rows(a + q * lda, b + q, c, next, some, at_a + t, at_b + t, whole, n, rows, lda, ldb,
				ldc, add || t > 0 || q > 0);
		}
	}
	for (int j = whole; j < m; j += 8)
		gemm_avx2_rest(a + j, b, c + j, *count, at_a, at_b, m - j, n, k, lda, ldb, ldc, add);
}
