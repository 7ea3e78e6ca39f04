/*
 * Product of two matrices, both known at run time, for up to three batch dimensions:
 * Y(b0, b1, b2, m, n) = sum over k of a[m][k] * b[k][n]. A stride of 0 is a broadcast.
 * MB = 4 rows by NB columns at a time; sums run over k. Neither a nor b is y.
 */
#include "template.h"

#define TAIL 1 /* N % NB != 0 */

#define Y(b0, b1, b2, m, n) y[((((b0) * B1 + (b1)) * B2 + (b2)) * M + (m)) * N + (n)]

/* Product of matrices: see the top of this file. */
static TARGET void matmul(const float *restrict a, const float *restrict b, float *y)
{
	enum { B0 = 1, B1 = 1, B2 = 1, M = 8, N = 24, K = 8, MB = 4, NB = 16 };
	enum { A0 = 0, A1 = 0, A2 = 0, AM = 8, AK = 1 }; /* strides of a */
	enum { S0 = 0, S1 = 0, S2 = 0, SK = 24, SN = 1 }; /* strides of b */

	for (int b0 = FROM(b0); b0 < TO(b0, B0); b0++)
	for (int b1 = FROM(b1); b1 < TO(b1, B1); b1++)
	for (int b2 = FROM(b2); b2 < TO(b2, B2); b2++)
	for (int m0 = FROM(m); m0 < TO(m, M); m0 += MB) {
		for (int n0 = 0; n0 < N; n0 += NB) {
			/* rows behind the last one repeat it */
			const int m1 = m0 + 1 < M ? m0 + 1 : M - 1, m2 = m0 + 2 < M ? m0 + 2 : M - 1;
			const int m3 = m0 + 3 < M ? m0 + 3 : M - 1;
			const float *u = a + b0 * A0 + b1 * A1 + b2 * A2;
			const float *v = b + b0 * S0 + b1 * S1 + b2 * S2 + n0 * SN;
#if TAIL
			const int count = N - n0 < NB ? N - n0 : NB;
#else
			const int count = NB;
#endif
			float acc[MB][NB] = { { 0.0f } };

			for (int k = 0; k < K; k++, v += SK) {
				const float u0 = u[m0 * AM + k * AK], u1 = u[m1 * AM + k * AK];
				const float u2 = u[m2 * AM + k * AK], u3 = u[m3 * AM + k * AK];

				for (int j = 0; j < count; j++) {
					acc[0][j] += u0 * v[j * SN];
					acc[1][j] += u1 * v[j * SN];
					acc[2][j] += u2 * v[j * SN];
					acc[3][j] += u3 * v[j * SN];
				}
			}
			for (int i = 0; i < MB && m0 + i < M; i++) {
				const int m = m0 + i;

				for (int j = 0; j < count; j++) {
					const int n = n0 + j;
					float s = acc[i][j];

					EPILOGUE(s, b0, b1, b2, m, n);
					Y(b0, b1, b2, m, n) = s;
				}
			}
		}
	}
}
