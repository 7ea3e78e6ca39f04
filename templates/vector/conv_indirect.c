/*
 * Convolution in one or two dimensions, vector code: six pixels times WIDE output channels stay in registers while
 * the taps of the window and the input channels go by, and for the epilogue too where it is made of vector
 * instructions. The pixels of a tap are found by pointers, so they may lie anywhere, and where the window leaves the
 * image they point to zeros (Dukhan 2019, "The Indirect Convolution Algorithm", arXiv:1907.02129). Tiles of five pixels
 * come first, as many as leave sixes; what is less than five computes its last pixel again and again.
 *
 * x has its channels side by side: strides XN XH XW. x is not y. w [G][K / 16][R][S][C][16]: panels, read from the
 * second cache in order. A block of output channels, BLOCK or the WIDE of a tile, stays there while all pixels go by; where
 * there are several the next one is fetched meanwhile, a DEPTHth of it by each of the first DEPTH tiles.
 * zero: if SIDES G * C floats, which compilers must not know.
 */
#include "template.h"

#define BIAS 1	 /* a bias for each output channel */
#define PANELS 4 /* the most panels of a tile */
#define VECTOR 1 /* the epilogue has a vector form */
#define SIDES 1	 /* windows leave the image */
#define AHEAD 1	 /* weights are fetched ahead */

#define Y(n, k, p) y[((n) * P + (p)) * G * K + (k)]

/* sum += the products of `pixels` pixels, of which `at` [R * S][6] has the taps, from that channel on, with panels of which
 * w is the first. */
static TARGET INLINE void conv_indirect_tile(const float *const *at, const float *restrict w, const float *next,
					     int channel, VEC sum[6][4], const int pixels)
{
	enum { C = 64, TAPS = 9, DEPTH = 8 };
	enum { WIDTH = PANELS * 16 / LANES < REGISTERS / 8 ? PANELS * 16 / LANES : REGISTERS / 8 };

#if !AHEAD
	(void)next;
#endif
	for (int t = 0; t < TAPS; t++, at += 6) {
		const float *u[6];

		UNROLL
		for (int i = 0; i < pixels; i++)
			u[i] = at[i] + channel;
		for (int c0 = 0; c0 < C; c0 += DEPTH) {
#if AHEAD
			UNROLL
			for (int j = 0; j < WIDTH * LANES; j += 16, next += 16)
				VEC_PREFETCH_FAR(next);
#endif
			UNROLL
			for (int c = c0; c < c0 + DEPTH; c++, w += 16) {
				VEC a[4];

				UNROLL
				for (int j = 0; j < WIDTH; j++) {
					a[j] = VEC_LOAD(w + j * LANES / 16 * TAPS * C * 16 + j * LANES % 16);
					VEC_HOLD(a[j]);
				}
				UNROLL
				for (int i = 0; i < pixels; i++) {
					const VEC v = VEC_SET1(u[i][c]);

					UNROLL
					for (int j = 0; j < WIDTH; j++)
						sum[i][j] = VEC_FMADD(a[j], v, sum[i][j]);
				}
			}
		}
	}
}

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_indirect(const float *restrict x, const float *restrict w, const float *restrict bias, float *y
#if SIDES
				 , float *restrict zero
#endif
)
{
	enum { N = 1, G = 1, C = 64, K = 256, H = 8, W = 8, OW = 8, P = 64, R = 3, S = 3, TAPS = 9, DEPTH = 8 };
	enum { STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, DIL_H = 1, DIL_W = 1 };
	enum { XN = 4096, XH = 512, XW = 64 }; /* strides of x */
	enum { WIDTH = PANELS * 16 / LANES < REGISTERS / 8 ? PANELS * 16 / LANES : REGISTERS / 8 }; /* vectors of a tile */
	enum { WIDE = LANES * WIDTH, BLOCK = 64, STEP = BLOCK > WIDE ? BLOCK : WIDE };

#if SIDES
	memset(zero, 0, G * C * sizeof(*zero));
#endif
	for (int n = FROM(n); n < TO(n, N); n++)
	for (int k0 = FROM(k); k0 < TO(k, G * K); k0 += STEP) {
		const float *const block = w + k0 * TAPS * C;
		const float *next = k0 + STEP < TO(k, G * K) ? block + STEP * TAPS * C : block;
		int tiles = 0;

		for (int p0 = FROM(p), count; p0 < TO(p, P); p0 += count) {
			const int left = TO(p, P) - p0;
			const float *at[TAPS * 6];

			count = left % 6 == 0 ? 6 : left < 5 ? left : 5;
			for (int i = 0; i < 6; i++) {
				const int p = i < count ? p0 + i : p0 + count - 1;
				const int h = p / OW * STRIDE_H - PAD_H;
				const int column = p % OW * STRIDE_W - PAD_W;

				for (int r = 0; r < R; r++)
					for (int s = 0; s < S; s++) {
						const int row = h + r * DIL_H;
						const int at_column = column + s * DIL_W;

#if SIDES
						if (row < 0 || row >= H || at_column < 0 || at_column >= W) {
							at[(r * S + s) * 6 + i] = zero;
							continue;
						}
#endif
						at[(r * S + s) * 6 + i] = x + n * XN + row * XH + at_column * XW;
					}
			}
			for (int b = k0; b < k0 + STEP; b += WIDE) {
				const float *const panel = block + (b - k0) / 16 * 16 * TAPS * C + b % 16;
				const int after = p0 + 2 * count <= P ? p0 + count : p0;
				VEC sum[6][4];

				UNROLL
				for (int i = 0; i < 6; i++) {
					UNROLL
					for (int j = 0; j < WIDTH; j++)
						sum[i][j] = VEC_ZERO();
					UNROLL
					for (int j = 0; j < WIDE; j += 16)
						VEC_PREFETCH(&Y(n, b + j, after + (i < count ? i : 0)));
				}
				if (count == 6)
					conv_indirect_tile(at, panel, next, b / K * C, sum, 6);
				else
					conv_indirect_tile(at, panel, next, b / K * C, sum, 5);
				next += WIDE * TAPS * C / DEPTH;
#if VECTOR
				UNROLL
				for (int i = 0; i < 6; i++) {
					const int p = p0 + i;

					if (i >= count)
						continue;
					UNROLL
					for (int j = 0; j < WIDTH; j++) {
						const int k = b + j * LANES;
#if BIAS
						VEC v = VEC_ADD(sum[i][j], VEC_LOAD(bias + k));
#else
						VEC v = sum[i][j];
#endif

						VECTOR_EPILOGUE(v, n, k, p);
						VEC_STORE(&Y(n, k, p), v);
					}
				}
#else
				float t[6 * WIDE];

				UNROLL
				for (int i = 0; i < 6; i++)
					UNROLL
					for (int j = 0; j < WIDTH; j++)
						VEC_STORE(t + i * WIDE + j * LANES, sum[i][j]);
				for (int i = 0; i < count; i++) {
					const int p = p0 + i;

					LANEWISE
					for (int j = 0; j < WIDE; j++) {
						const int k = b + j;
#if BIAS
						float v = t[i * WIDE + j] + bias[k];
#else
						float v = t[i * WIDE + j];
#endif

						EPILOGUE(v, n, k, p);
						Y(n, k, p) = v;
					}
				}
#endif
			}
			if (++tiles >= DEPTH)
				next = block;
		}
	}
}
