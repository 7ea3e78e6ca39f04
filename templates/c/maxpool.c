/*
 * Largest value of each window, in one to three dimensions. What lies outside x counts as -infinity; a
 * NaN in the window gives NaN.
 *
 * x is read through strides: XN XC XD XH XW. y is written through Y(n, k, p), p the position in the
 * flattened output image. CB channels at a time. In one dimension H = OH = R = 1. x is not y.
 */

#include "template.h"

#define FLOATS 1 /* there may be NaN */
#define LEAST (-1.0f / 0.0f) /* of all elements */
#define DEPTH 0 /* three dimensions: D, OD, Q, XD */
#define TAIL 1	/* C % CB != 0 */

#define Y(n, k, p) y[((n) * C + (k)) * P + (p)]

/* Largest value of each window: see the top of this file. */
static TARGET void maxpool(const T *restrict x, T *y)
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
			T acc[CB];

			for (int j = 0; j < count; j++)
				acc[j] = LEAST;
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
					const T *v = x + (n * XN + c0 * XC + d * XD + h * XH + i * XW);

					for (int j = 0; j < count; j++) {
						const T larger = v[j * XC] > acc[j] ? v[j * XC] : acc[j];

#if FLOATS
						acc[j] = v[j * XC] == v[j * XC] ? larger : v[j * XC];
#else
						acc[j] = larger;
#endif
					}
				}
			}
			for (int j = 0; j < count; j++) {
				const int k = c0 + j;
				T a = acc[j];

				EPILOGUE(a, n, k, p);
				Y(n, k, p) = a;
			}
		}
	}
}
