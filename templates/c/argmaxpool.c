/*
 * Index of the largest value of each window, in one to three dimensions: of equal ones the first, of NaN too, which
 * are larger than all else. What lies outside x counts for nothing.
 *
 * An index is n * IN + k * IC + d * ID + h * IH + i * IW, a place in x as if that lay dense. x is read through
 * strides: XN XC XD XH XW. y is written through Y(n, k, p), p the position in the flattened output image. In one
 * dimension H = OH = R = 1. x is not y.
 */
#include "template.h"

#define DEPTH 0 /* three dimensions: D, OD, Q, XD, ID */

#define Y(n, k, p) y[((n) * C + (k)) * P + (p)]

/* Index of the largest value of each window: see the top of this file. */
static TARGET void argmaxpool(const float *restrict x, int64_t *restrict y)
{
	enum { N = 1, C = 20, P = 64, IN = 1280, IC = 64, ID = 64, IH = 8, IW = 1 };
	enum { D = 1, H = 8, W = 8, Q = 1, R = 3, S = 3, OH = 8, OW = 8 };
	enum { STRIDE_D = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_D = 0, PAD_H = 1, PAD_W = 1 };
	enum { DIL_D = 1, DIL_H = 1, DIL_W = 1 };
	enum { XN = 1280, XC = 1, XD = 1, XH = 160, XW = 20 }; /* strides of x */

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int p = FROM(p); p < TO(p, P); p++) {
		for (int k = 0; k < C; k++) {
			float most = 0.0f;
			int best = -1;

			for (int q = 0; q < Q; q++)
			for (int r = 0; r < R; r++) {
				for (int s = 0; s < S; s++) {
					const int h = p / OW % OH * STRIDE_H - PAD_H + r * DIL_H;
					const int i = p % OW * STRIDE_W - PAD_W + s * DIL_W;
					const int d = p / (OH * OW) * STRIDE_D - PAD_D + q * DIL_D;
					const int at = n * XN + k * XC + d * XD + h * XH + i * XW;
					const int index = n * IN + k * IC + d * ID + h * IH + i * IW;

#if DEPTH
					if (d < 0 || d >= D)
						continue;
#endif
					if (h < 0 || h >= H || i < 0 || i >= W)
						continue;
					if (best < 0 || (!(x[at] <= most) && most == most)) {
						most = x[at];
						best = index;
					}
				}
			}
			int64_t a = best;

			EPILOGUE(a, n, k, p);
			Y(n, k, p) = a;
		}
	}
}
