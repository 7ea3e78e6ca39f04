/*
 * Depthwise convolution (one input channel for each output channel) in one to three dimensions. In one
 * dimension H = OH = R = 1.
 *
 * x is read through strides: XN XC XD XH XW. y is written through Y(n, k, p), p the position in the
 * flattened output image; the epilogue may read the element that it replaces. x is not y.
 * w [tap][C], taps in the order q, r, s. Sums start with the bias.
 */
#include "template.h"

#define BIAS 1	/* a bias for each channel */
#define DEPTH 0 /* three dimensions: D, OD, Q, XD */
#define TAIL 1	/* C % CB != 0 */

#define Y(n, k, p) y[((n) * C + (k)) * P + (p)]

/* Depthwise convolution of x with w: see the top of this file. */
static TARGET void depthwise(const float *restrict x, const float *restrict w,
			     const float *restrict bias, float *y)
{
	enum { N = 1, C = 20, CB = 16, P = 64 };
	enum { D = 1, H = 8, W = 8, Q = 1, R = 3, S = 3, OH = 8, OW = 8 };
	enum { STRIDE_D = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_D = 0, PAD_H = 1, PAD_W = 1 };
	enum { DIL_D = 1, DIL_H = 1, DIL_W = 1 };
	enum { XN = 1280, XC = 1, XD = 1, XH = 160, XW = 20 }; /* strides of x */

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int p = FROM(p); p < TO(p, P); p++) {
		for (int c0 = 0; c0 < C; c0 += CB) {
#if TAIL
			const int count = C - c0 < CB ? C - c0 : CB;
#else
			const int count = CB;
#endif
			float acc[CB];

			for (int j = 0; j < count; j++)
#if BIAS
				acc[j] = bias[c0 + j];
#else
				acc[j] = 0.0f;
#endif
			for (int q = 0; q < Q; q++)
			for (int r = 0; r < R; r++) {
				for (int s = 0; s < S; s++) {
					const int h = p / OW % OH * STRIDE_H - PAD_H + r * DIL_H;
					const int i = p % OW * STRIDE_W - PAD_W + s * DIL_W;
					const int d = p / (OH * OW) * STRIDE_D - PAD_D + q * DIL_D;

#if DEPTH
					if (d < 0 || d >= D)
						continue;
#endif
					if (h < 0 || h >= H || i < 0 || i >= W)
						continue;
					const float *v = x + (n * XN + c0 * XC + d * XD + h * XH + i * XW);
					const float *t = w + (((q * R + r) * S + s) * C + c0);

					for (int j = 0; j < count; j++)
						acc[j] += v[j * XC] * t[j];
				}
			}
			for (int j = 0; j < count; j++) {
				const int k = c0 + j;
				float a = acc[j];

				EPILOGUE(a, n, k, p);
				Y(n, k, p) = a;
			}
		}
	}
}
