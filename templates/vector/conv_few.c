/*
 * Convolution with few outputs, in one or two dimensions, vector code: a head of an image or of classes. A vector holds
 * neighbouring input channels; the sums of PB pixels and KB outputs, each a vector of partial sums, stay in registers while
 * the window goes by, and are added across their lanes at its end. A row of pixels of each output waits in the tile for the
 * epilogue, whose vectors are of pixels.
 *
 * Taps outside the image are left out: rows by their range; columns are read as zeros, where there are any (SIDES).
 *
 * x has its channels side by side: strides XN XH XW. x is not y. KB divides K; OW >= PB. w [K][R][S][C].
 * tile: K * OW floats, and OW more; if SIDES C more, a pixel of zeros (of which compilers must not know, or gcc 12 makes a
 * path of each).
 */
#include "template.h"

#define BIAS 1	 /* a bias for each channel */
#define SIDES 1	 /* windows leave the image to the left or right */
#define PADDED 1 /* windows leave the image above or below */
#define REST 1	 /* OW % PB != 0 */
#define TAIL 1	 /* C % 16 != 0 */
#define VECTOR 1 /* the epilogue has a vector form, for pixels; OW >= LANES */

#define Y(n, k, p) y[((n) * P + (p)) * K + (k)]

/* sum [KB][OW]: the windows of PB pixels that start in column `left`, over `rows` rows of which x is the first. */
static TARGET INLINE void conv_few_tile(const float *restrict x, const float *restrict w,
#if SIDES
					const float *zero,
#endif
					float *sum, int left, int rows)
{
	enum { C = 24, W = 8, OW = 9, R = 3, S = 3, STRIDE_W = 1, DIL_W = 1, DIL_H = 1, PB = 4, KB = 3, XH = 192, XW = 24 };
	enum { WHOLE = C / LANES * LANES };
	VEC v[PB][KB];

	UNROLL
	for (int i = 0; i < PB; i++)
		UNROLL
		for (int k = 0; k < KB; k++)
			v[i][k] = VEC_ZERO();
	for (int r = 0; r < rows; r++, x += DIL_H * XH)
		for (int s = 0; s < S; s++, w += C) {
			const float *at[PB];

			UNROLL
			for (int i = 0; i < PB; i++) {
				const int column = left + i * STRIDE_W + s * DIL_W;

#if SIDES
				at[i] = column >= 0 && column < W ? x + column * XW : zero;
#else
				at[i] = x + column * XW;
#endif
			}
			for (int c = 0; c < WHOLE; c += LANES) {
				VEC a[KB];

				UNROLL
				for (int k = 0; k < KB; k++)
					a[k] = VEC_LOAD(w + k * R * S * C + c);
				UNROLL
				for (int i = 0; i < PB; i++) {
					const VEC b = VEC_LOAD(at[i] + c);

					UNROLL
					for (int k = 0; k < KB; k++)
						v[i][k] = VEC_FMADD(a[k], b, v[i][k]);
				}
			}
#if TAIL
			if (C - WHOLE > 0)
				UNROLL
				for (int i = 0; i < PB; i++) {
					const VEC b = VEC_LOAD_FIRST(at[i] + WHOLE, C - WHOLE);

					UNROLL
					for (int k = 0; k < KB; k++)
						v[i][k] = VEC_FMADD(VEC_LOAD_FIRST(w + k * R * S * C + WHOLE, C - WHOLE), b, v[i][k]);
				}
#endif
		}
	UNROLL
	for (int i = 0; i < PB; i++)
		UNROLL
		for (int k = 0; k < KB; k++) {
			float t[LANES];

			VEC_STORE(t, v[i][k]);
			for (int j = 0; j < LANES / 2; j++)
				t[j] += t[j + LANES / 2];
			for (int j = 0; j < LANES / 4; j++)
				t[j] += t[j + LANES / 4];
			for (int j = 0; j < LANES / 8; j++)
				t[j] += t[j + LANES / 8];
			for (int j = 0; j < LANES / 16; j++)
				t[j] += t[j + LANES / 16];
			sum[k * OW + i] = t[0];
		}
}

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_few(const float *restrict x, const float *restrict w, const float *restrict bias, float *y,
			    float *restrict tile)
{
	enum { N = 1, C = 24, K = 3, KB = 3, H = 8, OH = 8, OW = 9, P = 72, R = 3, S = 3, PB = 4 };
	enum { STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, DIL_H = 1 };
	enum { XN = 1536, XH = 192 }; /* strides of x */

#if SIDES
	float *const zero = tile + (K + 1) * OW;

	memset(zero, 0, C * sizeof(*zero));
#endif
	for (int n = FROM(n); n < TO(n, N); n++)
	for (int h = FROM(h); h < TO(h, OH); h++) {
#if PADDED
		int r0 = 0, r1 = R; /* rows of the window that are inside */

		while (r0 < R && h * STRIDE_H - PAD_H + r0 * DIL_H < 0)
			r0++;
		while (r1 > r0 && h * STRIDE_H - PAD_H + (r1 - 1) * DIL_H >= H)
			r1--;
#else
		const int r0 = 0;
		const int r1 = R;
#endif
		const float *u = x + n * XN + (h * STRIDE_H - PAD_H + r0 * DIL_H) * XH;

		for (int i0 = 0; i0 < OW; i0 += PB) {
#if REST
			const int from = i0 + PB <= OW ? i0 : OW - PB; /* the last tile overlaps with others */
#else
			const int from = i0;
#endif

			for (int k = 0; k < K; k += KB)
#if SIDES
				conv_few_tile(u, w + (k * R + r0) * S * C, zero, tile + k * OW + from, from * STRIDE_W - PAD_W,
					      r1 - r0);
#else
				conv_few_tile(u, w + (k * R + r0) * S * C, tile + k * OW + from, from * STRIDE_W - PAD_W, r1 - r0);
#endif
		}
		for (int k = 0; k < K; k++) {
			const float *const sum = tile + k * OW;

#if VECTOR
			float *const row = tile + K * OW;

			for (int i0 = 0; i0 < OW; i0 += LANES) { /* the last vector overlaps */
				const int i = i0 < OW - LANES ? i0 : OW - LANES;
				const int p = h * OW + i;

				(void)p; /* nobody asks where, of no operands */
#if BIAS
				VEC v = VEC_ADD(VEC_LOAD(sum + i), VEC_SET1(bias[k]));
#else
				VEC v = VEC_LOAD(sum + i);
#endif

				VECTOR_EPILOGUE(v, n, k, p);
				VEC_STORE(row + i, v);
			}
			for (int i = 0; i < OW; i++)
				Y(n, k, h * OW + i) = row[i];
#else
			LANEWISE
			for (int i = 0; i < OW; i++) {
				const int p = h * OW + i;
#if BIAS
				float v = sum[i] + bias[k];
#else
				float v = sum[i];
#endif

				EPILOGUE(v, n, k, p);
				Y(n, k, p) = v;
			}
#endif
		}
	}
}
