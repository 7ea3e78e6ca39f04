/*
 * Depthwise convolution of integers (one input channel for each output channel) in one or two dimensions, exact: sums of
 * w times x less XZ. In one dimension H = OH = R = 1.
 *
 * x is read through strides: XN XC XH XW. y is written through Y(n, k, p), p the position in the flattened output image; the
 * epilogue may read the element that it replaces. x is not y. The epilogue has the sum in a, and gives r.
 * w [tap][C], taps in the order r, s.
 */
#include "template.h"

#define TX uint8_t /* of x */
#define TW int8_t  /* of w */
#define NARROW int16_t /* of x less XZ */
#define TS int32_t /* of sums */
#define TY int32_t /* of y */
#define FIRST a	   /* what r is before the epilogue */
#define BIAS 1	   /* a bias for each channel */
#define DEPTH 0	   /* there are but two dimensions */
#define PADDED 1   /* taps may fall outside the image */
#define TAIL 1	   /* C % CB != 0 */

#define Y(n, k, p) y[((n) * C + (k)) * P + (p)]

/* Adds to sum [8] the products of as many channels at the window that begins at row h0, column j0 of x: sums are variables. */
static TARGET INLINE void depthwise_integer_eight(const TX *restrict x, const TW *restrict w, int h0, int j0, TS *sum)
{
	enum { C = 20, H = 8, W = 8, R = 3, S = 3, DIL_H = 1, DIL_W = 1, XC = 1, XH = 160, XW = 20, XZ = 128 };
	TS a0 = sum[0], a1 = sum[1], a2 = sum[2], a3 = sum[3], a4 = sum[4], a5 = sum[5], a6 = sum[6], a7 = sum[7];

	for (int r = 0; r < R; r++) {
		const int h = h0 + r * DIL_H;

#if PADDED
		if (h < 0 || h >= H)
			continue;
#endif
		for (int s = 0; s < S; s++) {
			const int j = j0 + s * DIL_W;

#if PADDED
			if (j < 0 || j >= W)
				continue;
#endif
			const TX *v = x + (h * XH + j * XW);
			const TW *t = w + (r * S + s) * C;

			a0 += (TS)(v[0] - XZ) * t[0], a1 += (TS)(v[XC] - XZ) * t[1];
			a2 += (TS)(v[2 * XC] - XZ) * t[2], a3 += (TS)(v[3 * XC] - XZ) * t[3];
			a4 += (TS)(v[4 * XC] - XZ) * t[4], a5 += (TS)(v[5 * XC] - XZ) * t[5];
			a6 += (TS)(v[6 * XC] - XZ) * t[6], a7 += (TS)(v[7 * XC] - XZ) * t[7];
		}
	}
	sum[0] = a0, sum[1] = a1, sum[2] = a2, sum[3] = a3, sum[4] = a4, sum[5] = a5, sum[6] = a6, sum[7] = a7;
}

/* The same of `count` channels. */
static TARGET INLINE void depthwise_integer_row(const TX *restrict x, const TW *restrict w, int h0, int j0, int count, TS *sum)
{
	enum { C = 20, H = 8, W = 8, R = 3, S = 3, DIL_H = 1, DIL_W = 1, XC = 1, XH = 160, XW = 20, XZ = 128 };

	for (int r = 0; r < R; r++) {
		const int h = h0 + r * DIL_H;

#if PADDED
		if (h < 0 || h >= H)
			continue;
#endif
		for (int s = 0; s < S; s++) {
			const int j = j0 + s * DIL_W;

#if PADDED
			if (j < 0 || j >= W)
				continue;
#endif
			const TX *v = x + (h * XH + j * XW);
			const TW *t = w + (r * S + s) * C;

			for (int k = 0; k < count; k++) {
				const NARROW z = (NARROW)(v[k * XC] - XZ);

				sum[k] += (TS)z * t[k];
			}
		}
	}
}

/* Depthwise convolution of integers: see the top of this file. */
static TARGET void depthwise_integer(const TX *restrict x, const TW *restrict w, const int32_t *restrict bias, TY *y)
{
	enum { N = 1, C = 20, CB = 16, P = 64, D = 1, Q = 1, OH = 8, OW = 8 };
	enum { STRIDE_D = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_D = 0, PAD_H = 1, PAD_W = 1, DIL_D = 1 };
	enum { XN = 1280, XC = 1, XD = 1 }; /* strides of x */

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int p = FROM(p); p < TO(p, P); p++) {
		const int h0 = p / OW * STRIDE_H - PAD_H, j0 = p % OW * STRIDE_W - PAD_W;

		for (int c0 = 0; c0 < C; c0 += CB) {
			const TX *v = x + n * XN + c0 * XC;
#if TAIL
			const int count = C - c0 < CB ? C - c0 : CB;
#else
			const int count = CB;
#endif
			TS sum[CB];
			int j = 0;

			for (int k = 0; k < count; k++)
#if BIAS
				sum[k] = bias[c0 + k];
#else
				sum[k] = 0;
#endif
			if (SCALAR)
				for (; j + 8 <= count; j += 8)
					depthwise_integer_eight(v + j * XC, w + c0 + j, h0, j0, sum + j);
			depthwise_integer_row(v + j * XC, w + c0 + j, h0, j0, count - j, sum + j);
			for (int i = 0; i < count; i++) {
				const int k = c0 + i;
				const TS a = sum[i];
				TY r = FIRST;

				EPILOGUE(r, n, k, p);
				Y(n, k, p) = r;
			}
		}
	}
}
