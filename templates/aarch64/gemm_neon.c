/*
 * gemm_fn with its sizes as arguments, for NEON: blocks of eight pixels and eight channels, whose sums are sixteen
 * registers. Four inputs of a pixel are one register, whose lanes multiply the weights: 0.31 instructions a
 * multiply-add. Generated code inlines it into functions of gemm_fn's type that give the sizes of one product.
 */
#include "template.h"

/* c [pixels][ldc] = (add: +=) products of `pixels` pixels with 4 * `vectors` channels. Both are constant where this
 * is inlined, which unrolls the loops over them: sum must be registers. */
static NEON_CODE inline __attribute__((always_inline)) void gemm_neon_block(const float *a, const float *b,
	float *c, const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, const int k, const int lda,
	const int ldb, const int ldc, const int add, const int vectors, const int pixels)
{
	float32x4_t sum[8][2];

	UNROLL
	for (int i = 0; i < pixels; i++)
		UNROLL
		for (int j = 0; j < vectors; j++)
			sum[i][j] = add ? vld1q_f32(c + i * ldc + j * 4) : vdupq_n_f32(0.0f);
	for (uint64_t t = 0; t < count; t++) {
		const float *u = a + at_a[t] / sizeof(*a), *v = b + at_b[t] / sizeof(*b);
		int q = 0;

		for (; q + 4 <= k; q += 4, u += 4 * lda) {
			float32x4_t x[8];

			UNROLL
			for (int i = 0; i < pixels; i++)
				x[i] = vld1q_f32(v + i * ldb + q);
			UNROLL
			for (int j = 0; j < vectors; j++) {
				const float32x4_t w0 = vld1q_f32(u + j * 4), w1 = vld1q_f32(u + lda + j * 4);
				const float32x4_t w2 = vld1q_f32(u + 2 * lda + j * 4);
				const float32x4_t w3 = vld1q_f32(u + 3 * lda + j * 4);

				UNROLL
				for (int i = 0; i < pixels; i++)
					sum[i][j] = vfmaq_laneq_f32(sum[i][j], w0, x[i], 0);
				UNROLL
				for (int i = 0; i < pixels; i++)
					sum[i][j] = vfmaq_laneq_f32(sum[i][j], w1, x[i], 1);
				UNROLL
				for (int i = 0; i < pixels; i++)
					sum[i][j] = vfmaq_laneq_f32(sum[i][j], w2, x[i], 2);
				UNROLL
				for (int i = 0; i < pixels; i++)
					sum[i][j] = vfmaq_laneq_f32(sum[i][j], w3, x[i], 3);
			}
		}
		for (; q < k; q++, u += lda)
			UNROLL
			for (int j = 0; j < vectors; j++) {
				const float32x4_t w = vld1q_f32(u + j * 4);

				UNROLL
				for (int i = 0; i < pixels; i++)
					sum[i][j] = vfmaq_n_f32(sum[i][j], w, v[i * ldb + q]);
			}
	}
	UNROLL
	for (int i = 0; i < pixels; i++)
		UNROLL
		for (int j = 0; j < vectors; j++)
			vst1q_f32(c + i * ldc + j * 4, sum[i][j]);
}

/* The same for n pixels, eight at a time and what is left. */
static NEON_CODE inline __attribute__((always_inline)) void gemm_neon_panel(const float *a, const float *b,
	float *c, const uint64_t count, const uint64_t *at_a, const uint64_t *at_b, const int n, const int k,
	const int lda, const int ldb, const int ldc, const int add, const int vectors)
{
	const int whole = n / 8 * 8;

	for (int i = 0; i < whole; i += 8)
		gemm_neon_block(a, b + i * ldb, c + i * ldc, count, at_a, at_b, k, lda, ldb, ldc, add, vectors, 8);
	if (whole < n)
		gemm_neon_block(a, b + whole * ldb, c + whole * ldc, count, at_a, at_b, k, lda, ldb, ldc, add,
			vectors, n - whole);
}

/* The same for one channel, of which there are less than four; nothing behind it is touched. */
static NEON_CODE inline void gemm_neon_channel(const float *a, const float *b, float *c, const uint64_t count,
	const uint64_t *at_a, const uint64_t *at_b, const int n, const int k, const int lda, const int ldb,
	const int ldc, const int add)
{
	for (int i = 0; i < n; i++) {
		float sum = add ? c[i * ldc] : 0.0f;

		for (uint64_t t = 0; t < count; t++) {
			const float *u = a + at_a[t] / sizeof(*a), *v = b + at_b[t] / sizeof(*b) + i * ldb;

			for (int q = 0; q < k; q++)
				sum = __builtin_fmaf(u[q * lda], v[q], sum);
		}
		c[i * ldc] = sum;
	}
}

/* Sum of products of n pixels with m channels: c [n][ldc] = (add: +=) b_i [n][ldb] a_i [k][lda]. */
static NEON_CODE inline __attribute__((always_inline)) void gemm_neon(const float *a, const float *b, float *c,
	const uint64_t *count, const uint64_t *at_a, const uint64_t *at_b, const int m, const int n, const int k,
	const int lda, const int ldb, const int ldc, const int add)
{
	const int eights = m / 8 * 8, fours = m / 4 * 4;

	for (int j = 0; j < eights; j += 8)
		gemm_neon_panel(a + j, b, c + j, *count, at_a, at_b, n, k, lda, ldb, ldc, add, 2);
	if (eights < fours)
		gemm_neon_panel(a + eights, b, c + eights, *count, at_a, at_b, n, k, lda, ldb, ldc, add, 1);
	for (int j = fours; j < m; j++)
		gemm_neon_channel(a + j, b, c + j, *count, at_a, at_b, n, k, lda, ldb, ldc, add);
}
