/*
 * Fully connected layer of many rows: Y(m, n) = bias[n] + sum over k of x[m * XM + k * XK] * w. A tile of MB rows
 * times a block of NB outputs is kept in registers while the inputs go by. (For few rows, linear is better.)
 *
 * w [block][K][STACK][NB / STACK]: the outputs in blocks, the last of which holds only what is left; bias
 * [block][STACK][NB / STACK]. Sums start with the bias and run over k. x is not y.
 * HELD: x is y, K = N, and held has room for a tile of it, MB * K.
 * STACK layers that read the same x are computed together: the epilogue has the first one's value in a, the
 * others' in b and c.
 * SKIP: where L(m, n) holds, for a whole row m, the epilogue does not look at a; a tile of such rows is not summed
 * up.
 */
#include "row_f32.c"
#include "tile_f32.c"

#include "template.h"

#define BIAS 1	   /* a bias for each output */
#define TAIL 1	   /* N % NB != 0: the last block is narrower */
#define ROWS 6	   /* MB, rows of a tile: 6, or 12 for NB <= 8 */
#define OUTPUTS 16 /* NB, outputs of a block: 16 is best; 24; 8 with 12 rows */
#define STACK 1	   /* layers: 1, 2 or 3; OUTPUTS is a multiple */
#define SKIP 0	   /* rows may be left out */
#define HELD 0	   /* y replaces x */

#define L(m, n) ((m) + (n) < 0)
#define Y(m, n) y[(m) * N + (n)]

/* Adds the products of a block w [K][NB] with the rows at m0; rows behind the last repeat it. Written out by row,
 * for this is what keeps acc in registers. */
static TARGET INLINE void linear_rows_tile(
	const float *restrict x, const float *restrict w, float acc[][OUTPUTS], int m0)
{
	enum { M = 8, K = 4, XM = 4, XK = 1, NB = OUTPUTS, MB = ROWS };
	const float *v[MB];

	for (int i = 0; i < MB; i++)
		v[i] = x + (m0 + i < M ? m0 + i : M - 1) * XM;
	if (SCALAR) {
		for (int i = 0; i < MB; i += 6)
			tile_f32(v + i, XK, w, K, NB, acc[i]);
		return;
	}
	for (int k = 0; k < K; k++, w += NB) {
		const float x0 = v[0][k * XK], x1 = v[1][k * XK], x2 = v[2][k * XK];
		const float x3 = v[3][k * XK], x4 = v[4][k * XK], x5 = v[5][k * XK];
#if ROWS > 6
		const float x6 = v[6][k * XK], x7 = v[7][k * XK], x8 = v[8][k * XK];
		const float x9 = v[9][k * XK], x10 = v[10][k * XK], x11 = v[11][k * XK];
#endif

		for (int n = 0; n < NB; n++) {
			acc[0][n] += x0 * w[n];
			acc[1][n] += x1 * w[n];
			acc[2][n] += x2 * w[n];
			acc[3][n] += x3 * w[n];
			acc[4][n] += x4 * w[n];
			acc[5][n] += x5 * w[n];
#if ROWS > 6
			acc[6][n] += x6 * w[n];
			acc[7][n] += x7 * w[n];
			acc[8][n] += x8 * w[n];
			acc[9][n] += x9 * w[n];
			acc[10][n] += x10 * w[n];
			acc[11][n] += x11 * w[n];
#endif
		}
	}
}

#if TAIL
/* The same for row m alone and a block of `count` outputs. */
static TARGET INLINE void linear_rows_row(
	const float *restrict x, const float *restrict w, float *acc, int m, int count)
{
	enum { K = 4, XM = 4, XK = 1 };

	if (SCALAR) {
		row_f32(x + m * XM, XK, w, K, count, acc);
		return;
	}
	for (int k = 0; k < K; k++)
		for (int n = 0; n < count; n++)
			acc[n] += x[m * XM + k * XK] * w[k * count + n];
}
#endif

/* Fully connected layer: see the top of this file. */
static TARGET void linear_rows(const float *restrict x, const float *restrict w,
			       const float *restrict bias, float *y)
{
	enum { M = 8, N = 20, K = 4, NB = OUTPUTS, MB = ROWS };
	enum { STEP = OUTPUTS / STACK }; /* outputs of a block, of each layer */

#if HELD
	for (int m0 = FROM(m); m0 < TO(m, M); m0 += MB)
	for (int n0 = FROM(n); n0 < TO(n, N); n0 += STEP) {
		const float *v = held;
		const int at = 0; /* of the tile, in v */
#else
	for (int n0 = FROM(n); n0 < TO(n, N); n0 += STEP)
	for (int m0 = FROM(m); m0 < TO(m, M); m0 += MB) {
		const float *v = x;
		const int at = m0; /* of the tile, in v */
#endif
		const float *t = w + n0 * STACK * K;
#if TAIL
		const int count = N - n0 < STEP ? N - n0 : STEP;
#else
		const int count = STEP;
#endif
		const int rows = M - m0 < MB ? M - m0 : MB;
		float acc[MB][NB];

#if HELD
		for (int i = 0; n0 == 0 && i < MB; i++) { /* the rows, before they are replaced */
			const int m = m0 + i < M ? m0 + i : M - 1;

			for (int k = 0; k < K; k++)
				held[i * K + k] = Y(m, k);
		}
#endif
		for (int i = 0; i < MB; i++)
			for (int n = 0; n < STACK * count; n++)
#if BIAS
				acc[i][n] = bias[n0 * STACK + n];
#else
				acc[i][n] = 0.0f;
#endif
#if SKIP
		int open = 0; /* rows of the tile */

		for (int i = 0; i < rows; i++) {
			const int m = m0 + i;

			open += !(L(m, n0));
		}
		if (open > 0) {
#endif
#if TAIL
		if (count == STEP)
			linear_rows_tile(v, t, acc, at);
		else
#else
		linear_rows_tile(v, t, acc, at);
#endif
#if TAIL
			for (int i = 0; i < rows; i++)
				linear_rows_row(v, t, acc[i], at + i, STACK * count);
#endif
#if SKIP
		}
#endif
		for (int i = 0; i < rows; i++) {
			const int m = m0 + i;

			for (int j = 0; j < count; j++) {
				const int n = n0 + j;
				float a = acc[i][j];
#if STACK > 1
				const float b = acc[i][count + j];
#endif
#if STACK > 2
				const float c = acc[i][2 * count + j];
#endif

				EPILOGUE(a, m, n);
				Y(m, n) = a;
			}
		}
	}
}
