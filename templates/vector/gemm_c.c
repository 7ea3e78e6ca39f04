/*
 * gemm_fn with its sizes as arguments, in portable C: what runs where the processor
 * has no vectors, and the reference that the others are tested against.
 */
#include "template.h"

#define BLOCK 16 /* channels at a time */

/* Sum of products of n pixels with m channels: c [n][ldc] = (add: +=) b_i [n][ldb] a_i [k][lda]. */
static void gemm_c(const float *restrict a, const float *restrict b, float *restrict c,
	const uint64_t *count, const uint64_t *at_a, const uint64_t *at_b, int m, int n, int k, int lda,
	int ldb, int ldc, int add)
{
	for (int j0 = 0; j0 < m; j0 += BLOCK)
		for (int i = 0; i < n; i++) {
			const int block = m - j0 < BLOCK ? m - j0 : BLOCK;
			float sum[BLOCK] = { 0 };

			for (int j = 0; j < block && add; j++)
				sum[j] = c[i * ldc + j0 + j];
			for (uint64_t t = 0; t < *count; t++) {
				const float *u = a + at_a[t] / sizeof(*a) + j0;
				const float *v = b + at_b[t] / sizeof(*b) + i * ldb;

				if (block == BLOCK)
					for (int q = 0; q < k; q++)
						for (int j = 0; j < BLOCK; j++)
							sum[j] += u[q * lda + j] * v[q];
				else
					for (int q = 0; q < k; q++)
						for (int j = 0; j < block; j++)
							sum[j] += u[q * lda + j] * v[q];
			}
			for (int j = 0; j < block; j++)
				c[i * ldc + j0 + j] = sum[j];
		}
}
