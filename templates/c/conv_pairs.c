/*
 * Convolution of integers in plain C, whose weights are those of vector/conv_integer and vector/winograd_integer.
 *
 * x is read through strides: XN XC XH XW. y is written through Y(n, k, p), p the position in the flattened output
 * image; the epilogue may read the element that it replaces. x is not y.
 * C is the channels of one of some groups, K the outputs of all, KG those of one: a multiple of 16, if there are several.
 * w [STACK][block][run of SPAN taps][four][16][4], blocks of 16 outputs, taps in the order r, s; bias [STACK][K].
 * Two pixels at a time meet each of the block's weights; what lies outside of x counts as EDGE, and its elements less XZ. STACK
 * layers that read the same x are computed together: the epilogue has the first one's sum in a, the others' in b and c, and gives r.
 */
#include "template.h"

#define TX uint8_t /* of x */
#define TW int8_t  /* of w */
#define TS int32_t /* of sums */
#define TY int32_t /* of y */
#define FIRST a	   /* what r is before the epilogue */
#define BIAS 1	   /* a bias for each output channel */
#define PADDED 1   /* taps may fall outside the image */
#define TAIL 1	   /* K % 16 != 0 */
#define STACK 1	   /* layers: 1, 2 or 3 */
#define GROUPED 0

#define Y(n, k, p) y[((n) * K + (k)) * P + (p)]

/* Adds the products of a block of w with the windows of pixels p0 and p1. */
static TARGET INLINE void conv_pairs_two(const TX *restrict x, const TW *restrict w, TS sum[][16], int p0, int p1)
{
	enum { C = 4, H = 8, W = 8, R = 3, S = 3, SPAN = 3, OW = 8, STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1 };
	enum { DIL_H = 1, DIL_W = 1, XZ = 128, EDGE = 0 };
	enum { XC = 1, XH = 32, XW = 4 }; /* strides of x */

	for (int r = 0; r < R; r++) {
		for (int s = 0; s < S; s++) {
			const int h0 = p0 / OW * STRIDE_H - PAD_H + r * DIL_H;
			const int h1 = p1 / OW * STRIDE_H - PAD_H + r * DIL_H;
			const int j0 = p0 % OW * STRIDE_W - PAD_W + s * DIL_W;
			const int j1 = p1 % OW * STRIDE_W - PAD_W + s * DIL_W;
#if PADDED
			const int in0 = h0 >= 0 && h0 < H && j0 >= 0 && j0 < W;
			const int in1 = h1 >= 0 && h1 < H && j1 >= 0 && j1 < W;
#else
			const int in0 = 1, in1 = 1;
#endif
			const TX *v0 = in0 ? x + (h0 * XH + j0 * XW) : x;
			const TX *v1 = in1 ? x + (h1 * XH + j1 * XW) : x;

			for (int c = 0; c < C; c++) {
				const int tap = r * S + s;
				const int at = tap % SPAN * C + c; /* in the run */
				const TW *t = w + (tap / SPAN * ((SPAN * C + 3) / 4) + at / 4) * 64 + at % 4;
				const int16_t a0 = (int16_t)(in0 ? v0[c * XC] - XZ : EDGE);
				const int16_t a1 = (int16_t)(in1 ? v1[c * XC] - XZ : EDGE);

				for (int k = 0; k < 16; k++) {
					sum[0][k] += a0 * t[4 * k];
					sum[1][k] += a1 * t[4 * k];
				}
			}
		}
	}
}

/* Convolution of integers: see the top of this file. */
static TARGET void conv_pairs(const TX *restrict x, const TW *restrict w, const int32_t *restrict bias, TY *y,
			      float *restrict scratch)
{
	enum { N = 1, C = 4, K = 32, P = 64, TAPS = 9, SPAN = 3 };
	enum { XN = 256, XC = 1, KG = 32 }; /* strides of x */
	enum { ALL = (K + 15) / 16 * 16 }; /* outputs that w has */

	(void)scratch; /* of vectors */
	for (int n = FROM(n); n < TO(n, N); n++)
	for (int k0 = FROM(k); k0 < TO(k, K); k0 += 16)
	for (int p0 = FROM(p); p0 < TO(p, P); p0 += 2) {
		const int pixels = TO(p, P) - p0 < 2 ? TO(p, P) - p0 : 2;
#if TAIL
		const int count = K - k0 < 16 ? K - k0 : 16;
#else
		const int count = 16;
#endif
		TS sum[2 * STACK][16] = { { 0 } };
#if GROUPED
		const TX *const image = x + n * XN + k0 / KG * C * XC;
#else
		const TX *const image = x + n * XN;
#endif

#if STACK > 1
		for (int s = 0; s < STACK; s++)
			conv_pairs_two(image, w + (s * ALL + k0) * (TAPS / SPAN * ((SPAN * C + 3) / 4) * 4), sum + 2 * s, p0, p0 + pixels - 1);
#else
		conv_pairs_two(image, w + k0 * (TAPS / SPAN * ((SPAN * C + 3) / 4) * 4), sum, p0, p0 + pixels - 1);
#endif
		for (int i = 0; i < pixels; i++) {
			const int p = p0 + i;

			for (int j = 0; j < count; j++) {
				const int k = k0 + j;
#if BIAS
				const TS a = sum[i][j] + bias[k];
#if STACK > 1
				const TS b = sum[2 + i][j] + bias[K + k];
#endif
#if STACK > 2
				const TS c = sum[4 + i][j] + bias[2 * K + k];
#endif
#else
				const TS a = sum[i][j];
#if STACK > 1
				const TS b = sum[2 + i][j];
#endif
#if STACK > 2
				const TS c = sum[4 + i][j];
#endif
#endif
				TY r = FIRST;

				EPILOGUE(r, n, k, p);
				Y(n, k, p) = r;
			}
		}
	}
}
