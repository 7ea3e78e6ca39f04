/*
 * Fully connected layer: Y(m, n) = bias[n] + sum over k of x[m * XM + k * XK] * w, few rows.
 * (For many rows, conv with H = OH = M, W = 1 and R = S = 1 is faster.)
 *
 * w [block][K][STACK][NB]: the outputs in blocks of NB, the last of which holds only what is left:
 * [K][STACK][N % NB]; bias [block][STACK][NB]. Sums start with the bias and run over k. x is not y.
 * HELD: x is y, and held has room for a row of it.
 * STACK layers that read the same x are computed together: the epilogue has the first one's value in a, the
 * others' in b and c.
 * SKIP: where L(m, n) holds, for a whole row m, the epilogue does not look at a, and no sum is computed.
 */
#include "row_f32.c"

#include "template.h"

#define BIAS 1 /* a bias for each output */
#define TAIL 1 /* N % NB != 0: the last block is narrower */
#define STACK 1 /* layers: 1, 2 or 3 */
#define SKIP 0 /* rows may be left out */
#define HELD 0 /* y replaces x */

#define Y(m, n) y[(m) * N + (n)]
#define L(m, n) ((m) + (n) < 0)

/* Fully connected layer: see the top of this file. */
static TARGET void linear(const float *restrict x, const float *restrict w,
			  const float *restrict bias, float *y)
{
	enum { M = 1, N = 40, K = 64, NB = 16, XM = 64, XK = 1 };

#if HELD
	for (int m = FROM(m); m < TO(m, M); m++)
		for (int n0 = FROM(n); n0 < TO(n, N); n0 += NB) {
			const float *const row = held;
#else
	for (int n0 = FROM(n); n0 < TO(n, N); n0 += NB)
		for (int m = FROM(m); m < TO(m, M); m++) {
			const float *const row = x + m * XM;
#endif
			const float *t = w + n0 * STACK * K;
#if TAIL
			const int count = N - n0 < NB ? N - n0 : NB;
#else
			const int count = NB;
#endif
			float acc[STACK * NB];

#if HELD
			for (int k = 0; n0 == 0 && k < K; k++) /* the row, before it is replaced */
				held[k] = Y(m, k);
#endif
			for (int j = 0; j < STACK * count; j++)
#if BIAS
				acc[j] = bias[n0 * STACK + j];
#else
				acc[j] = 0.0f;
#endif
#if SKIP
			const int depth = L(m, n0) ? 0 : K;
#else
			const int depth = K;
#endif

			if (SCALAR)
				row_f32(row, XK, t, depth, STACK * count, acc);
			else
				for (int k = 0; k < depth; k++) {
					const float v = row[k * XK];

					for (int j = 0; j < STACK * count; j++)
						acc[j] += v * t[k * STACK * count + j];
				}
			for (int j = 0; j < count; j++) {
				const int n = n0 + j;
				float a = acc[j];
#if STACK > 1
				const float b = acc[count + j];
#endif
#if STACK > 2
				const float c = acc[2 * count + j];
#endif

				EPILOGUE(a, m, n);
				Y(m, n) = a;
			}
		}
}
