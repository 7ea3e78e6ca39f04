/*
 * Convolution in one to three dimensions, direct: a tile of PB output pixels times a block of KB output
 * channels is kept in registers while the window goes by. In one dimension H = OH = R = 1.
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

#define BIAS 1	    /* a bias for each output channel */
#define DEPTH 0	    /* three dimensions: D, Q, XD */
#define PADDED 1    /* taps may fall outside the image */
#define PLANAR 0    /* XC != 1: channels are not neighbours */
#define TAIL 1	    /* K % KB != 0: the last block of a group is narrower */
#define PIXELS 6    /* PB, pixels of a tile: 6, or 12 for KB <= 8 */
#define CHANNELS 16 /* KB, channels of a block: 16 is best; 24; 8 with 12 pixels */
#define STACK 1	    /* convolutions: 1, 2 or 3; CHANNELS is a multiple */
#define SKIP 0	    /* pixels may be left out */

#define L(n, k, p) ((n) + (k) + (p) < 0)
#define Y(n, k, p) y[((n) * G * K + (k)) * P + (p)]

#if PADDED && PLANAR
/* Whether all taps of the tile at p0 are inside x. */
static TARGET int conv_inside(int p0)
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
#endif

/* Adds the products of a block w [tap][C][KB] with the windows of the PB pixels at p0; pixels behind
 * the image's last repeat it. Written out by pixel, for this is what keeps acc in registers. */
static TARGET INLINE void conv_tile(
	const float *restrict x, const float *restrict w, float acc[][CHANNELS], int p0)
{
	enum { KB = CHANNELS, PB = PIXELS, C = 4, D = 1, H = 8, W = 8, Q = 1, R = 3, S = 3 };
	enum { OH = 8, OW = 8, P = 64, DIL_D = 1, DIL_H = 1, DIL_W = 1 };
	enum { STRIDE_D = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_D = 0, PAD_H = 1, PAD_W = 1 };
	enum { XC = 1, XD = 1, XH = 32, XW = 4 }; /* strides of x */
#if PADDED && !PLANAR
	static const float zero[C] = { 0 }; /* a pixel outside x */
#endif
	int d0[PB];
	int h0[PB]; /* where the windows start */
	int w0[PB];

	for (int i = 0; i < PB; i++) {
		const int p = p0 + i < P ? p0 + i : P - 1;

		d0[i] = p / (OH * OW) * STRIDE_D - PAD_D;
#if DEPTH
		h0[i] = p / OW % OH * STRIDE_H - PAD_H;
#else
		h0[i] = p / OW * STRIDE_H - PAD_H;
#endif
		w0[i] = p % OW * STRIDE_W - PAD_W;
	}
	for (int q = 0; q < Q; q++)
	for (int r = 0; r < R; r++) {
		for (int s = 0; s < S; s++) {
			const float *v[PB];
#if PADDED && !PLANAR
			int any = 0;
#endif

			for (int i = 0; i < PB; i++) {
				const int h = h0[i] + r * DIL_H;
				const int j = w0[i] + s * DIL_W;
				const int d = d0[i] + q * DIL_D;
				const int at = d * XD + h * XH + j * XW;
#if PADDED && !PLANAR && DEPTH
				const int in = d >= 0 && d < D && h >= 0 && h < H && j >= 0 && j < W;
#elif PADDED && !PLANAR
				const int in = h >= 0 && h < H && j >= 0 && j < W;
#endif

#if PADDED && !PLANAR
				v[i] = in ? x + at : zero;
				any |= in;
#else
				v[i] = x + at;
#endif
			}
#if PADDED && !PLANAR
			if (!any) {
				w += C * KB;
				continue;
			}
#endif
			if (SCALAR) {
				for (int i = 0; i < PB; i += 6)
					tile_f32(v + i, XC, w, C, KB, acc[i]);
				w += C * KB;
				continue;
			}
			for (int c = 0; c < C; c++, w += KB) {
				const float x0 = v[0][c * XC], x1 = v[1][c * XC], x2 = v[2][c * XC];
				const float x3 = v[3][c * XC], x4 = v[4][c * XC], x5 = v[5][c * XC];
#if PIXELS > 6
				const float x6 = v[6][c * XC], x7 = v[7][c * XC], x8 = v[8][c * XC];
				const float x9 = v[9][c * XC], x10 = v[10][c * XC], x11 = v[11][c * XC];
#endif

				for (int k = 0; k < KB; k++) {
					acc[0][k] += x0 * w[k];
					acc[1][k] += x1 * w[k];
					acc[2][k] += x2 * w[k];
					acc[3][k] += x3 * w[k];
					acc[4][k] += x4 * w[k];
					acc[5][k] += x5 * w[k];
#if PIXELS > 6
					acc[6][k] += x6 * w[k];
					acc[7][k] += x7 * w[k];
					acc[8][k] += x8 * w[k];
					acc[9][k] += x9 * w[k];
					acc[10][k] += x10 * w[k];
					acc[11][k] += x11 * w[k];
#endif
				}
			}
		}
	}
}

#if TAIL || (PADDED && PLANAR)
/* The same for pixel p alone and a block of `count` channels; taps outside x are left out. */
static TARGET INLINE void conv_pixel(
	const float *restrict x, const float *restrict w, float *restrict acc, int p, int count)
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

#if PADDED && DEPTH
			if (d < 0 || d >= D)
				continue;
#endif
#if PADDED
			if (h < 0 || h >= H || j < 0 || j >= W)
				continue;
#endif
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
		const int first = g * K + k0; /* channel of the block */
		const float *v = x + n * XN + g * C * XC;
		const float *t = w + first * STACK * TAPS * C;
#if TAIL
		const int count = K - k0 < STEP ? K - k0 : STEP;
#else
		const int count = STEP;
#endif
		const int pixels = P - p0 < PB ? P - p0 : PB;
		float acc[PB][KB];

		for (int i = 0; i < PB; i++)
			for (int k = 0; k < STACK * count; k++)
#if BIAS
				acc[i][k] = bias[first * STACK + k];
#else
				acc[i][k] = 0.0f;
#endif
#if SKIP
		int open = 0; /* pixels of the tile */

		for (int i = 0; i < pixels; i++) {
			const int p = p0 + i;

			open += !(L(n, first, p));
		}
		if (open > 0) {
#endif
#if TAIL && PADDED && PLANAR
		if (count == STEP && conv_inside(p0))
			conv_tile(v, t, acc, p0);
		else
#elif PADDED && PLANAR
		if (conv_inside(p0))
			conv_tile(v, t, acc, p0);
		else
#elif TAIL
		if (count == STEP)
			conv_tile(v, t, acc, p0);
		else
#else
		conv_tile(v, t, acc, p0);
#endif
#if TAIL || (PADDED && PLANAR)
			for (int i = 0; i < pixels; i++)
				conv_pixel(v, t, acc[i], p0 + i, STACK * count);
#endif
#if SKIP
		}
#endif
		for (int i = 0; i < pixels; i++) {
			const int p = p0 + i;

			for (int j = 0; j < count; j++) {
				const int k = first + j;
				float a = acc[i][j];
#if STACK > 1
				const float b = acc[i][count + j];
#endif
#if STACK > 2
				const float c = acc[i][2 * count + j];
#endif

				EPILOGUE(a, n, k, p);
				Y(n, k, p) = a;
			}
		}
	}
}
