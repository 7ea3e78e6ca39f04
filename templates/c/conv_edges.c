/*
 * As conv.c, for windows that leave an image whose channels are not neighbours: tiles with all taps inside, and at the
 * edges pixels one by one.
 */
#include "row_f32.c"
#include "tile_f32.c"

#include "template.h"

#include "conv_switches.inc"

/* Whether all taps of the tile at p0 are inside x. */
static TARGET int conv_edges_inside(int p0)
{
	enum { D = 1, H = 8, W = 8, Q = 1, R = 3, S = 3, OH = 8, OW = 8, P = 64, PB = PIXELS };
	enum { STRIDE_D = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_D = 0, PAD_H = 1, PAD_W = 1 };
	enum { DIL_D = 1, DIL_H = 1, DIL_W = 1 };

	for (int p = p0; p < p0 + PB && p < P; p++) {
		const int h = p / OW % OH * STRIDE_H - PAD_H, i = p % OW * STRIDE_W - PAD_W;
#if DEPTH
		const int d = p / (OH * OW) * STRIDE_D - PAD_D;

		if (d < 0 || d + (Q - 1) * DIL_D >= D)
			return 0;
#endif
		if (h < 0 || h + (R - 1) * DIL_H >= H || i < 0 || i + (S - 1) * DIL_W >= W)
			return 0;
	}
	return 1;
}

/* Adds the products of a block w [tap][C][KB] with the windows of the PB pixels at p0; pixels behind
 * the image's last repeat it. Written out by pixel, for this is what keeps acc in registers. */
static TARGET INLINE void conv_edges_tile(
	const float *restrict x, const float *restrict w, float acc[][CHANNELS], int p0)
{
#include "conv_tile.inc"
}

/* The same for pixel p alone and a block of `count` channels; taps outside x are left out. */
static TARGET INLINE void conv_edges_pixel(
	const float *restrict x, const float *restrict w, float *acc, int p, int count)
{
#include "conv_pixel.inc"
}

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_edges(const float *restrict x, const float *restrict w,
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
		if (count == STEP && conv_edges_inside(p0))
#else
		if (conv_edges_inside(p0))
#endif
			conv_edges_tile(v, t, acc, p0);
		else
			for (int i = 0; i < pixels; i++)
				conv_edges_pixel(v, t, acc[i], p0 + i, STACK * count);
#if SKIP
		}
#endif
#include "conv_end.inc"
	}
}
