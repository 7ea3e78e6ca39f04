/*
 * Convolution in one to three dimensions whose windows stay inside the image, direct: a tile of PB output pixels times
 * a block of KB output channels is kept in registers while the window goes by. In one dimension H = OH = R = 1.
 *
 * x is read through strides: XN XC XD XH XW. y is written through Y(n, k, p), p the position in the
 * flattened output image; the epilogue may read the element that it replaces. x is not y.
 * w [group][block][tap][C][STACK][KB / STACK]: taps in the order q, r, s; C and K count the channels of one
 * group; a group has its channels in blocks, the last of which holds only what is left. bias: [group][block]
 * [STACK][KB / STACK]. Sums start with the bias and run over q, r, s, c.
 * STACK convolutions that read the same x are computed together: the epilogue has the first one's value in a,
 * the others' in b and c.
 * SKIP: where L(n, k, p) holds, for all channels of a pixel, the epilogue does not look at a; a tile of such pixels
 * is not summed up.
 */
#include "row_f32.c"
#include "tile_f32.c"

#include "template.h"

#include "conv_switches.inc"

/* Adds the products of a block w [tap][C][KB] with the windows of the PB pixels at p0; pixels behind
 * the image's last repeat it. Written out by pixel, for this is what keeps acc in registers. */
static TARGET INLINE void conv_tile(
	const float *restrict x, const float *restrict w, float acc[][CHANNELS], int p0)
{
#include "conv_tile.inc"
}

#if TAIL
/* The same for pixel p alone and a block of `count` channels. */
static TARGET INLINE void conv_pixel(
	const float *restrict x, const float *restrict w, float *acc, int p, int count)
{
	enum { C = 4, D = 1, H = 8, W = 8, Q = 1, R = 3, S = 3, OH = 8, OW = 8 };
	enum { STRIDE_D = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_D = 0, PAD_H = 1, PAD_W = 1 };
	enum { DIL_D = 1, DIL_H = 1, DIL_W = 1 };
	enum { XC = 1, XD = 1, XH = 32, XW = 4 }; /* strides of x */

	for (int q = 0; q < Q; q++)
	for (int r = 0; r < R; r++) {
		for (int s = 0; s < S; s++, w += C * count) {
			const int h = p / OW % OH * STRIDE_H - PAD_H + r * DIL_H;
			const int j = p % OW * STRIDE_W - PAD_W + s * DIL_W;
			const int d = p / (OH * OW) * STRIDE_D - PAD_D + q * DIL_D;
			const int at = d * XD + h * XH + j * XW;

			if (SCALAR) {
				row_f32(x + at, XC, w, C, count, acc);
				continue;
			}
			for (int c = 0; c < C; c++)
				for (int k = 0; k < count; k++)
					acc[k] += x[at + c * XC] * w[c * count + k];
		}
	}
}
#endif

/* Convolution of x with w: see the top of this file. */
static TARGET void conv(const float *restrict x, const float *restrict w,
			const float *restrict bias, float *y)
{
	enum { N = 1, G = 1, C = 4, K = 20, KB = CHANNELS, PB = PIXELS, P = 64, TAPS = 9 };
	enum { STEP = CHANNELS / STACK }; /* channels of a block, of each convolution */
	enum { XN = 256, XC = 1 }; /* strides of x */

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int g = FROM(g); g < TO(g, G); g++)
	for (int k0 = FROM(k); k0 < TO(k, K); k0 += STEP)
	for (int p0 = FROM(p); p0 < TO(p, P); p0 += PB) {
#include "conv_begin.inc"
#if SKIP
		if (open > 0) {
#endif
#if TAIL
		if (count == STEP)
			conv_tile(v, t, acc, p0);
		else
			for (int i = 0; i < pixels; i++)
				conv_pixel(v, t, acc[i], p0 + i, STACK * count);
#else
		conv_tile(v, t, acc, p0);
#endif
#if SKIP
		}
#endif
#include "conv_end.inc"
	}
}
