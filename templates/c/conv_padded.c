/*
 * As conv.c, for windows that leave the image: taps outside read a pixel of zeros. So XC = 1.
 */
#include "row_f32.c"
#include "tile_f32.c"

#include "template.h"

#include "conv_switches.inc"

/* Adds the products of a block w [tap][C][KB] with the windows of the PB pixels at p0; pixels behind
 * the image's last repeat it. Written out by pixel, for this is what keeps acc in registers. */
static TARGET INLINE void conv_padded_tile(
	const float *restrict x, const float *restrict w, float acc[][CHANNELS], int p0)
{
	enum { KB = CHANNELS, PB = PIXELS, C = 4, D = 1, H = 8, W = 8, Q = 1, R = 3, S = 3 };
	enum { OH = 8, OW = 8, P = 64, DIL_D = 1, DIL_H = 1, DIL_W = 1 };
	enum { STRIDE_D = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_D = 0, PAD_H = 1, PAD_W = 1 };
	enum { XC = 1, XD = 1, XH = 32, XW = 4 }; /* strides of x */
	static const float zero[C] = { 0 }; /* a pixel outside x */
#include "conv_windows.inc"
	for (int q = 0; q < Q; q++)
	for (int r = 0; r < R; r++) {
		for (int s = 0; s < S; s++) {
			const float *v[PB];
			int any = 0;

			for (int i = 0; i < PB; i++) {
				const int h = h0[i] + r * DIL_H;
				const int j = w0[i] + s * DIL_W;
				const int d = d0[i] + q * DIL_D;
				const int at = d * XD + h * XH + j * XW;
#if DEPTH
				const int in = d >= 0 && d < D && h >= 0 && h < H && j >= 0 && j < W;
#else
				const int in = h >= 0 && h < H && j >= 0 && j < W;
#endif

				v[i] = in ? x + at : zero;
				any |= in;
			}
			if (!any) {
				w += C * KB;
				continue;
			}
#include "conv_products.inc"
		}
	}
}

#if TAIL
/* The same for pixel p alone and a block of `count` channels; taps outside x are left out. */
static TARGET INLINE void conv_padded_pixel(
	const float *restrict x, const float *restrict w, float *acc, int p, int count)
{
#include "conv_pixel.inc"
}
#endif

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_padded(const float *restrict x, const float *restrict w,
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
			conv_padded_tile(v, t, acc, p0);
		else
			for (int i = 0; i < pixels; i++)
				conv_padded_pixel(v, t, acc[i], p0 + i, STACK * count);
#else
		conv_padded_tile(v, t, acc, p0);
#endif
#if SKIP
		}
#endif
#include "conv_end.inc"
	}
}
