/*
 * Convolution of integers in one to three dimensions, exact: sums of w times x less XZ. A fully connected layer is
 * one of a row of pixels and windows of one. In one dimension H = OH = R = 1.
 *
 * x is read through strides: XN XC XD XH XW. y is written through Y(n, k, p), p the position in the flattened output
 * image; the epilogue may read the element that it replaces. x is not y.
 * w [group][block][tap][C][STACK][KB / STACK]: taps in the order q, r, s; C and K count the channels of one group; a
 * group has its channels in blocks, the last of which holds only what is left. bias: [group][block][STACK][KB / STACK].
 * Two pixels at a time meet each of the block's weights; what lies outside of x counts as XZ.
 * STACK convolutions that read the same x are computed together: the epilogue has the first one's sum in a, the
 * others' in b and c, and gives r.
 */
#include "template.h"

#define TX uint8_t /* of x */
#define TW int8_t  /* of w */
#define TS int32_t /* of sums */
#define TY int32_t /* of y */
#define FIRST a	   /* what r is before the epilogue */
#define BIAS 1	   /* a bias for each output channel */
#define DEPTH 0	   /* three dimensions: D, Q, XD */
#define PADDED 1   /* taps may fall outside the image */
#define TAIL 1	   /* K % KB != 0: the last block of a group is narrower */
#define CHANNELS 16 /* KB, channels of a block */
#define STACK 1	   /* convolutions: 1, 2 or 3; CHANNELS is a multiple */
#define PAIRS 0	   /* w [block][tap][C2 / 2][KB][2], C2 being C rounded up, as vector/conv_integer reads it */

#define Y(n, k, p) y[((n) * G * K + (k)) * P + (p)]

/* Adds the products of a block w [tap][C][count] with the windows of pixels p0 and p1. */
static TARGET INLINE void conv_integer_pair(const TX *restrict x, const TW *restrict w, TS sum[][CHANNELS],
					    int p0, int p1, int count)
{
	enum { C = 4, D = 1, H = 8, W = 8, Q = 1, R = 3, S = 3, OH = 8, OW = 8 };
	enum { STRIDE_D = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_D = 0, PAD_H = 1, PAD_W = 1 };
	enum { DIL_D = 1, DIL_H = 1, DIL_W = 1, XZ = 128 };
	enum { XC = 1, XD = 1, XH = 32, XW = 4 }; /* strides of x */

	for (int q = 0; q < Q; q++)
	for (int r = 0; r < R; r++) {
#if PAIRS
		for (int s = 0; s < S; s++, w += (C + 1) / 2 * 2 * count) {
#else
		for (int s = 0; s < S; s++, w += C * count) {
#endif
			const int h0 = p0 / OW % OH * STRIDE_H - PAD_H + r * DIL_H;
			const int h1 = p1 / OW % OH * STRIDE_H - PAD_H + r * DIL_H;
			const int j0 = p0 % OW * STRIDE_W - PAD_W + s * DIL_W;
			const int j1 = p1 % OW * STRIDE_W - PAD_W + s * DIL_W;
			const int d0 = p0 / (OH * OW) * STRIDE_D - PAD_D + q * DIL_D;
			const int d1 = p1 / (OH * OW) * STRIDE_D - PAD_D + q * DIL_D;
#if PADDED && DEPTH
			const int in0 = d0 >= 0 && d0 < D && h0 >= 0 && h0 < H && j0 >= 0 && j0 < W;
			const int in1 = d1 >= 0 && d1 < D && h1 >= 0 && h1 < H && j1 >= 0 && j1 < W;
#elif PADDED
			const int in0 = h0 >= 0 && h0 < H && j0 >= 0 && j0 < W;
			const int in1 = h1 >= 0 && h1 < H && j1 >= 0 && j1 < W;
#endif
#if PADDED
			const TX *v0 = in0 ? x + (d0 * XD + h0 * XH + j0 * XW) : x;
			const TX *v1 = in1 ? x + (d1 * XD + h1 * XH + j1 * XW) : x;

			if (!in0 && !in1)
				continue;
#else
			const TX *v0 = x + (d0 * XD + h0 * XH + j0 * XW);
			const TX *v1 = x + (d1 * XD + h1 * XH + j1 * XW);
#endif
#if !PADDED
			const int in0 = 1, in1 = 1;
#endif
#if PAIRS
			for (int c = 0; c < C; c += 2) {
				const int next = c + 1 < C ? c + 1 : c; /* whose weights are 0 */
				const TW *t = w + c * count;
				const TS a0 = (v0[c * XC] - XZ) & -in0, b0 = (v0[next * XC] - XZ) & -in0;
				const TS a1 = (v1[c * XC] - XZ) & -in1, b1 = (v1[next * XC] - XZ) & -in1;

				for (int k = 0; k < count; k++) {
					sum[0][k] += a0 * t[2 * k] + b0 * t[2 * k + 1];
					sum[1][k] += a1 * t[2 * k] + b1 * t[2 * k + 1];
				}
			}
#else
			for (int c = 0; c < C; c++) {
				const TW *t = w + c * count;
				const TS x0 = (v0[c * XC] - XZ) & -in0;
				const TS x1 = (v1[c * XC] - XZ) & -in1;

				for (int k = 0; k < count; k++) {
					sum[0][k] += x0 * t[k];
					sum[1][k] += x1 * t[k];
				}
			}
#endif
		}
	}
}

/* Convolution of integers: see the top of this file. */
static TARGET void conv_integer(const TX *restrict x, const TW *restrict w, const int32_t *restrict bias, TY *y)
{
	enum { N = 1, G = 1, C = 4, K = 20, P = 64, TAPS = 9 };
	enum { STEP = CHANNELS / STACK }; /* channels of a block, of each convolution */
	enum { XN = 256, XC = 1 }; /* strides of x */

#if PAIRS
	(void)scratch; /* of vector/conv_integer */
#endif
	for (int n = FROM(n); n < TO(n, N); n++)
	for (int g = FROM(g); g < TO(g, G); g++)
	for (int k0 = FROM(k); k0 < TO(k, K); k0 += STEP)
	for (int p0 = FROM(p); p0 < TO(p, P); p0 += 2) {
		const int first = g * K + k0; /* channel of the block */
		const TX *v = x + n * XN + g * C * XC;
#if PAIRS
		const TW *t = w + first * TAPS * ((C + 1) / 2 * 2);
#else
		const TW *t = w + first * STACK * TAPS * C;
#endif
#if TAIL
		const int count = K - k0 < STEP ? K - k0 : STEP;
#else
		const int count = STEP;
#endif
		const int pixels = P - p0 < 2 ? P - p0 : 2;
		TS sum[2][CHANNELS];

		for (int k = 0; k < STACK * count; k++)
#if BIAS
			sum[0][k] = sum[1][k] = bias[first * STACK + k];
#else
			sum[0][k] = sum[1][k] = 0;
#endif
		conv_integer_pair(v, t, sum, p0, p0 + pixels - 1, STACK * count);
		for (int i = 0; i < pixels; i++) {
			const int p = p0 + i;

			for (int j = 0; j < count; j++) {
				const int k = first + j;
				const TS a = sum[i][j];
#if STACK > 1
				const TS b = sum[i][count + j];
#endif
#if STACK > 2
				const TS c = sum[i][2 * count + j];
#endif
				TY r = FIRST;

				EPILOGUE(r, n, k, p);
				Y(n, k, p) = r;
			}
		}
	}
}
