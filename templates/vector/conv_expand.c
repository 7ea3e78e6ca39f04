/*
 * 1x1 convolution with few input channels and many output channels, vector code: six pixels times WIDE
 * output channels stay in registers while the input channels go by, and for the epilogue too where it is made
 * of vector instructions. What libxsmm's kernels lose here is a call and a tile in memory for each few
 * multiply-adds; where the epilogue needs a tile, this one's is small enough to be forwarded from the stores. The
 * next pixels of y are fetched meanwhile.
 *
 * x: pixels evenly spaced by XP, channels side by side; XN. P >= 6. KB is 64, 48 or 32 and divides K. x is not
 * y. w [K / KB][C][KB]: read once for each RUN pixels. RUN is a multiple of 6.
 */
#include "template.h"

#define BIAS 1	    /* a bias for each output channel */
#define CHANNELS 64 /* KB, channels of a block */
#define VECTOR 1    /* the epilogue has a vector form */
#define ONCE 1	    /* RUN >= P: a block of weights is read once */

#define Y(n, k, p) y[((n) * P + (p)) * K + (k)]

/* The products of six pixels at x with WIDE columns of w [C][KB]. */
static TARGET INLINE void conv_expand_tile(const float *restrict x, const float *restrict w, VEC sum[6][4])
{
	enum { C = 64, XP = 64, WIDTH = CHANNELS / LANES < REGISTERS / 8 ? CHANNELS / LANES : REGISTERS / 8 };

	UNROLL
	for (int i = 0; i < 6; i++)
		UNROLL
		for (int j = 0; j < WIDTH; j++)
			sum[i][j] = VEC_ZERO();
	UNROLL4
	for (int c = 0; c < C; c++, w += CHANNELS) {
#if ONCE && REGISTERS == 16
		/* of the next block, which columns of this one do not foretell */
		VEC_PREFETCH_FAR(w + C * CHANNELS);
#endif
		UNROLL
		for (int i = 0; i < 6; i++) {
			const VEC v = VEC_SET1(x[i * XP + c]);

			UNROLL
			for (int j = 0; j < WIDTH; j++)
				sum[i][j] = VEC_FMADD(VEC_LOAD(w + j * LANES), v, sum[i][j]);
		}
	}
}

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_expand(const float *restrict x, const float *restrict w,
			       const float *restrict bias, float *y)
{
	enum { N = 1, P = 64, RUN = 24, C = 64, K = 256, XN = 4096, XP = 64 };
	enum { WIDTH = CHANNELS / LANES < REGISTERS / 8 ? CHANNELS / LANES : REGISTERS / 8 }; /* vectors of a tile */
	enum { WIDE = LANES * WIDTH };

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int b0 = FROM(p); b0 < TO(p, P); b0 += RUN)
	for (int block = FROM(k); block < TO(k, K); block += CHANNELS)
	for (int p0 = b0; p0 < b0 + RUN && p0 < TO(p, P); p0 += 6) {
		const int first = p0 + 6 < P ? p0 : P - 6; /* the last six overlap with others */
		const int next = first + 12 <= P ? first + 6 : first;

		for (int k0 = block; k0 < block + CHANNELS; k0 += WIDE) {
			VEC sum[6][4];

			UNROLL
			for (int i = 0; i < 6; i++)
				UNROLL
				for (int j = 0; j < WIDE; j += 16)
					VEC_PREFETCH(&Y(n, k0 + j, next + i));
			conv_expand_tile(x + n * XN + first * XP, w + block * C + k0 - block, sum);
#if VECTOR
			UNROLL
			for (int i = 0; i < 6; i++) {
				const int p = first + i;

				if (p < p0)
					continue;
				UNROLL
				for (int j = 0; j < WIDTH; j++) {
					const int k = k0 + j * LANES;
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
			for (int p = p0; p < first + 6; p++)
				LANEWISE
				for (int j = 0; j < WIDE; j++) {
					const int k = k0 + j;
#if BIAS
					float v = t[(p - first) * WIDE + j] + bias[k];
#else
					float v = t[(p - first) * WIDE + j];
#endif

					EPILOGUE(v, n, k, p);
					Y(n, k, p) = v;
				}
#endif
		}
	}
}
