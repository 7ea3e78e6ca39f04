/*
 * Convolution in groups of WIDTH channels (1 is depthwise), as many out as in, in one or two dimensions, or depthwise
 * with MULTIPLE outputs of each channel: what vector/conv_narrow computes, in plain C.
 *
 * x has its channels side by side: strides XN XH XW. x is not y. Taps outside the image are left out.
 * w [block][multiple][tap][i][16]: blocks of 16 channels, the last one of what is left; taps in the order r, s; in lane l
 * the weight for input channel i of its group, in groups of eight for i ^ (l & 4).
 */
#include "template.h"

#define BIAS 1	/* a bias for each channel */
#define TAIL 0	/* C % 16 != 0 */
#define WIDTH 4 /* channels of a group: 1, 2, 4 or 8 */
#define MULTIPLE 1 /* outputs of a channel; of more than one WIDTH is 1 */

#define Y(n, k, p) y[((n) * P + (p)) * C * MULTIPLE + (k)]

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_narrow(const float *restrict x, const float *restrict w,
			       const float *restrict bias, float *y)
{
	enum { N = 1, C = 64, H = 8, W = 8, OH = 8, OW = 8, P = 64, R = 3, S = 3 };
	enum { STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, DIL_H = 1, DIL_W = 1 };
	enum { XN = 4096, XH = 512, XW = 64 }; /* strides of x */

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int h = FROM(h); h < TO(h, OH); h++)
	for (int i = 0; i < OW; i++)
	for (int k0 = FROM(k); k0 < TO(k, C); k0 += 16)
	for (int m = 0; m < MULTIPLE; m++) {
		const int p = h * OW + i;
#if TAIL
		const int count = C - k0 < 16 ? C - k0 : 16;
#else
		const int count = 16;
#endif
		float sum[16];

		for (int j = 0; j < count; j++)
#if BIAS
			sum[j] = bias[(k0 + j) * MULTIPLE + m];
#else
			sum[j] = 0.0f;
#endif
		for (int r = 0; r < R; r++)
			for (int s = 0; s < S; s++) {
				const int row = h * STRIDE_H - PAD_H + r * DIL_H;
				const int column = i * STRIDE_W - PAD_W + s * DIL_W;
				const float *v = x + (n * XN + row * XH + column * XW + k0);
				const float *a = w + (k0 * MULTIPLE * R * S + (m * R * S + r * S + s) * count) * WIDTH;

				if (row < 0 || row >= H || column < 0 || column >= W)
					continue;
				for (int c = 0; c < WIDTH; c++)
					for (int j = 0; j < count; j++)
#if WIDTH == 1
						sum[j] += v[j] * a[j];
#elif WIDTH < 8
						sum[j] += v[j / WIDTH * WIDTH + c] * a[c * count + j];
#else
						sum[j] += v[j / WIDTH * WIDTH + (c ^ (j & 4))] * a[c * count + j];
#endif
			}
		for (int j = 0; j < count; j++) {
			const int k = (k0 + j) * MULTIPLE + m;
			float v = sum[j];

			EPILOGUE(v, n, k, p);
			Y(n, k, p) = v;
		}
	}
}
