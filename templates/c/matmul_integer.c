/*
 * Product of two matrices of integers, both known at run time, for up to three batch dimensions, exact:
 * Y(b0, b1, b2, m, n) = sum over k of (u[m][k] - UZ) * (v[k][n] - VZ). A stride of 0 is a broadcast.
 * NB columns at a time. Neither u nor v is y. The epilogue has the sum in a, and gives r.
 */
#include "template.h"

#define TU uint8_t /* of u */
#define TV int8_t  /* of v */
#define TS int32_t /* of sums */
#define TY int32_t /* of y */
#define FIRST a	   /* what r is before the epilogue */
#define TAIL 1	   /* N % NB != 0 */

#define Y(b0, b1, b2, m, n) y[((((b0) * B1 + (b1)) * B2 + (b2)) * M + (m)) * N + (n)]

/* Product of matrices of integers: see the top of this file. */
static TARGET void matmul_integer(const TU *restrict u, const TV *restrict v, TY *y)
{
	enum { B0 = 1, B1 = 1, B2 = 1, M = 8, N = 24, K = 8, NB = 16, UZ = 128, VZ = 0 };
	enum { A0 = 0, A1 = 0, A2 = 0, AM = 8, AK = 1 }; /* strides of u */
	enum { S0 = 0, S1 = 0, S2 = 0, SK = 24, SN = 1 }; /* strides of v */

	for (int b0 = FROM(b0); b0 < TO(b0, B0); b0++)
	for (int b1 = FROM(b1); b1 < TO(b1, B1); b1++)
	for (int b2 = FROM(b2); b2 < TO(b2, B2); b2++)
	for (int m = FROM(m); m < TO(m, M); m++) {
		for (int n0 = 0; n0 < N; n0 += NB) {
			const TU *row = u + b0 * A0 + b1 * A1 + b2 * A2 + m * AM;
			const TV *column = v + b0 * S0 + b1 * S1 + b2 * S2 + n0 * SN;
#if TAIL
			const int count = N - n0 < NB ? N - n0 : NB;
#else
			const int count = NB;
#endif
			TS sum[NB] = { 0 };

			for (int k = 0; k < K; k++, column += SK) {
				const TS x = row[k * AK] - UZ;

				for (int j = 0; j < count; j++)
					sum[j] += x * (column[j * SN] - VZ);
			}
			for (int j = 0; j < count; j++) {
				const int n = n0 + j;
				const TS a = sum[j];
				TY r = FIRST;

				EPILOGUE(r, b0, b1, b2, m, n);
				Y(b0, b1, b2, m, n) = r;
			}
		}
	}
}
