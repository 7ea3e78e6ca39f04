/*
 * Convolution of an image in planes (few channels: a network's first layer) around small matrix products.
 * The rows that a window needs are copied into a ring, with their padding and their channels side by side.
 * There a row of the window is S * C neighbours, so the windows of a row of pixels are a matrix whose rows
 * overlap: k is S * C, ldb is STRIDE_W * C.
 *
 * x: strides XN XC XH; XW is 1 and so is the window's dilation in a row. x is not y.
 * w [block][r][S][C][KB]; the last block holds what is left. gemm: [0] for KB channels, [1] for K % KB; NB
 * pixels (NB divides OW), sums over r, lda and ldc the channels of the block.
 * scratch: RING * WP * C floats for the ring, whose padding is set to zero here, then NB * KB floats of tile,
 * both aligned to 64. RING is a power of two and at least R * DIL_H - DIL_H + 1; WP >= W + PAD_W + the padding
 * behind it, a multiple of 16.
 */
#include "template.h"

#define BIAS 1	    /* a bias for each output channel */
#define TAIL 0	    /* K % KB != 0 */
#define CHANNELS 64 /* KB, channels of a block */
#define VECTOR 1    /* the epilogue has a vector form; the last vector of a block may overlap with the one before */

#define Y(n, k, p) y[((n) * P + (p)) * K + (k)]

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_planar(const float *restrict x, const float *restrict w,
			       const float *restrict bias, float *y, float *restrict scratch,
			       gemm_fn *const *gemm)
{
	enum { N = 1, C = 3, K = 64, KB = CHANNELS, H = 8, W = 8, OH = 4, OW = 4, P = 16, NB = 4 };
	enum { R = 7, S = 7, STRIDE_H = 2, STRIDE_W = 2, PAD_H = 3, PAD_W = 3, DIL_H = 1 };
	enum { RING = 8, WP = 16, XN = 192, XC = 64, XH = 8 }; /* strides of x */
	float *restrict tile = scratch + RING * C * WP;

	memset(scratch, 0, RING * C * WP * sizeof(*scratch));
	for (int n = FROM(n); n < TO(n, N); n++) {
		int next = 0; /* rows before it are in the ring, or no longer needed */

		for (int h = FROM(h); h < TO(h, OH); h++) {
			uint64_t at_a[R] = { 0 }, at_b[R], count = 0; /* gcc warns of at_a else */

			if (next < h * STRIDE_H - PAD_H)
				next = h * STRIDE_H - PAD_H;
			for (; next < H && next <= h * STRIDE_H - PAD_H + (R - 1) * DIL_H; next++)
				for (int i = 0; i < W; i++)
					for (int c = 0; c < C; c++)
						scratch[(next % RING * WP + PAD_W + i) * C + c] =
							x[n * XN + c * XC + next * XH + i];
			for (int r = 0; r < R; r++) {
				const int i = h * STRIDE_H - PAD_H + r * DIL_H;

				if (i < 0 || i >= H)
					continue;
				at_a[count] = (uint64_t)(r * S * C) * sizeof(float);
				at_b[count++] = (uint64_t)(i % RING * WP * C) * sizeof(float);
			}
			for (int k0 = 0; k0 < K; k0 += KB) {
#if TAIL
				const int block = K - k0 < KB ? K - k0 : KB;
				gemm_fn *const f = gemm[block < KB];
#else
				const int block = KB;
				gemm_fn *const f = gemm[0];
#endif
				uint64_t at[R];

				for (uint64_t i = 0; i < count; i++)
					at[i] = at_a[i] * (uint64_t)block;
				for (int i0 = 0; i0 < OW; i0 += NB) {
					f(w + k0 * R * S * C, scratch + i0 * STRIDE_W * C, tile, &count, at, at_b);
					for (int i = 0; i < NB; i++) {
						const int p = h * OW + i0 + i;

#if VECTOR
						for (int j0 = 0; j0 < block; j0 += LANES) {
							const int j = j0 < block - LANES ? j0 : block - LANES;
							const int k = k0 + j;
#if BIAS
							VEC v = VEC_ADD(VEC_LOAD(tile + i * block + j), VEC_LOAD(bias + k));
#else
							VEC v = VEC_LOAD(tile + i * block + j);
#endif

							VECTOR_EPILOGUE(v, n, k, p);
							VEC_STORE(&Y(n, k, p), v);
						}
#else
						LANEWISE
						for (int j = 0; j < block; j++) {
							const int k = k0 + j;
#if BIAS
							float v = tile[i * block + j] + bias[k];
#else
							float v = tile[i * block + j];
#endif

							EPILOGUE(v, n, k, p);
							Y(n, k, p) = v;
						}
#endif
					}
				}
			}
		}
	}
}
