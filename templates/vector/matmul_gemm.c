/*
 * Product of two matrices, both known at run time, around small products, for up to three batch dimensions:
 * Y(b0, b1, b2, m, n) = sum over k of a[m][k] * b[k][n]. A stride of 0 is a broadcast. Neither a nor b is y.
 *
 * A small product is MB rows times NB columns, into a tile that stays in L1; the epilogue takes it from there to y.
 * It wants rows of a and of b whose elements lie side by side: others are copied, MB rows of a and blocks of NB
 * columns of b at a time.
 * gemm: [0] MB rows, NB columns; [1] MB rows, what is left of the columns; then the same for what is left of the rows.
 * k is K, ldb that of a, lda that of b, ldc the columns of the block.
 * tile: MB * NB floats, in whole vectors of 16; MB * K more if PACK_A; N * K if PACK_B.
 */
#include "template.h"

#define PACK_A 1     /* AK != 1: a is copied */
#define PACK_B 1     /* SN != 1: b is copied */
#define TAIL 0	     /* N % NB != 0 */
#define REST 0	     /* M % MB != 0 */
#define COLUMNS 64   /* NB */
#define VECTOR 1     /* the epilogue has a vector form; the last vector of a block may overlap with the one before */
#define STRIPS 0     /* the epilogue runs on 16 columns at a time, the last ones twice; it replaces nothing that it reads */

#define Y(b0, b1, b2, m, n) y[((((b0) * B1 + (b1)) * B2 + (b2)) * M + (m)) * N + (n)]

#if PACK_A || PACK_B
/* to [rows][columns] = from, whose strides are down and across: a square of cache lines at a time. */
static TARGET INLINE void matmul_gemm_pack(const float *restrict from, float *to, int rows, int columns, int down,
					   int across)
{
	for (int r0 = 0; r0 < rows; r0 += 16)
		for (int c0 = 0; c0 < columns; c0 += 16) {
			const int r1 = r0 + 16 < rows ? r0 + 16 : rows;
			const int c1 = c0 + 16 < columns ? c0 + 16 : columns;

			for (int c = c0; c < c1; c++)
				for (int r = r0; r < r1; r++)
					to[r * columns + c] = from[r * down + c * across];
		}
}
#endif

/* Product of matrices: see the top of this file. */
static TARGET void matmul_gemm(const float *restrict a, const float *restrict b, float *y, float *restrict tile,
			       gemm_fn *const *gemm)
{
	enum { B0 = 1, B1 = 1, B2 = 1, M = 8, N = 64, K = 8, MB = 8, NB = COLUMNS };
	enum { A0 = 0, A1 = 0, A2 = 0, AM = 8, AK = 1 }; /* strides of a */
	enum { S0 = 0, S1 = 0, S2 = 0, SK = 64, SN = 1 }; /* strides of b */
#if PACK_A
	float *const packed_a = tile + (MB * NB + 15) / 16 * 16;
#endif
#if PACK_A && PACK_B
	float *const packed_b = packed_a + (MB * K + 15) / 16 * 16;
#elif PACK_B
	float *const packed_b = tile + (MB * NB + 15) / 16 * 16;
#endif
	const uint64_t once = 1, nowhere = 0;

	for (int b0 = FROM(b0); b0 < TO(b0, B0); b0++)
	for (int b1 = FROM(b1); b1 < TO(b1, B1); b1++)
	for (int b2 = FROM(b2); b2 < TO(b2, B2); b2++) {
		const float *const v = b + b0 * S0 + b1 * S1 + b2 * S2;

#if PACK_B
		for (int n0 = 0; n0 < N; n0 += NB)
			matmul_gemm_pack(v + n0 * SN, packed_b + n0 * K, K, N - n0 < NB ? N - n0 : NB, SK, SN);
#endif
		for (int m0 = FROM(m); m0 < TO(m, M); m0 += MB) {
			const float *const u = a + b0 * A0 + b1 * A1 + b2 * A2 + m0 * AM;
#if REST
			const int rows = M - m0 < MB ? M - m0 : MB;
#else
			const int rows = MB;
#endif

#if PACK_A
			matmul_gemm_pack(u, packed_a, rows, K, AM, AK);
#endif
			for (int n0 = 0; n0 < N; n0 += NB) {
#if PACK_A
				const float *const left = packed_a;
#else
				const float *const left = u;
#endif
#if PACK_B
				const float *const right = packed_b + n0 * K;
#else
				const float *const right = v + n0;
#endif
#if TAIL && REST
				const int block = N - n0 < NB ? N - n0 : NB;
				gemm_fn *const f = gemm[(block < NB) + 2 * (rows < MB)];
#elif TAIL
				const int block = N - n0 < NB ? N - n0 : NB;
				gemm_fn *const f = gemm[block < NB];
#elif REST
				const int block = NB;
				gemm_fn *const f = gemm[2 * (rows < MB)];
#else
				const int block = NB;
				gemm_fn *const f = gemm[0];
#endif

				f(right, left, tile, &once, &nowhere, &nowhere);
				for (int i = 0; i < rows; i++) {
					const int m = m0 + i;

#if VECTOR
					for (int j0 = 0; j0 < block; j0 += LANES) {
						const int j = j0 < block - LANES ? j0 : block - LANES;
						const int n = n0 + j;
						VEC value = VEC_LOAD(tile + i * block + j);

						VECTOR_EPILOGUE(value, b0, b1, b2, m, n);
						VEC_STORE(&Y(b0, b1, b2, m, n), value);
					}
#else
#if STRIPS
					for (int j0 = 0; j0 < block; j0 += 16)
					for (int s = 0; s < 16; s++) {
						const int j = s + (j0 < block - 16 ? j0 : block - 16);
#else
					for (int j = 0; j < block; j++) {
#endif
						const int n = n0 + j;
						float value = tile[i * block + j];

						EPILOGUE(value, b0, b1, b2, m, n);
						Y(b0, b1, b2, m, n) = value;
					}
#endif
				}
			}
		}
	}
}
