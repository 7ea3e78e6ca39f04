/*
 * 1x1 convolution with few input channels and many output channels, vector code: six pixels times 64 (AVX2:
 * 16) output channels stay in registers while the input channels go by. What libxsmm's kernels lose here is
 * a call and a tile in memory for each few multiply-adds; the tile of this one is small enough to be
 * forwarded from the stores.
 *
 * x: pixels evenly spaced by XP, channels side by side; XN. P >= 6. K is a multiple of 64. x is not y.
 * w [K / 64][C][64]: read once for each RUN pixels. RUN is a multiple of 6.
 */
#include "template.h"

#define BIAS 1	 /* a bias for each output channel */
#define AVX512 1 /* else AVX2 */

#define Y(n, k, p) y[((n) * P + (p)) * K + (k)]

#if AVX512
/* t [6][64] = the products of six pixels at x with w [C][64]. */
static AVX512_CODE inline void conv_expand_tile(const float *restrict x, const float *restrict w, float *restrict t)
{
	enum { C = 64, XP = 64 };
	__m512 sum[6][4];

	UNROLL
	for (int i = 0; i < 6; i++)
		UNROLL
		for (int j = 0; j < 4; j++)
			sum[i][j] = _mm512_setzero_ps();
	for (int c = 0; c < C; c++, w += 64) {
		const __m512 w0 = _mm512_loadu_ps(w), w1 = _mm512_loadu_ps(w + 16);
		const __m512 w2 = _mm512_loadu_ps(w + 32), w3 = _mm512_loadu_ps(w + 48);

		UNROLL
		for (int i = 0; i < 6; i++) {
			const __m512 v = _mm512_set1_ps(x[i * XP + c]);

			sum[i][0] = _mm512_fmadd_ps(w0, v, sum[i][0]);
			sum[i][1] = _mm512_fmadd_ps(w1, v, sum[i][1]);
			sum[i][2] = _mm512_fmadd_ps(w2, v, sum[i][2]);
			sum[i][3] = _mm512_fmadd_ps(w3, v, sum[i][3]);
		}
	}
	UNROLL
	for (int i = 0; i < 6; i++)
		UNROLL
		for (int j = 0; j < 4; j++)
			_mm512_storeu_ps(t + i * 64 + j * 16, sum[i][j]);
}
#else
/* t [6][16] = the products of six pixels at x with sixteen columns of w [C][64]. */
static AVX2_CODE inline void conv_expand_tile(const float *restrict x, const float *restrict w, float *restrict t)
{
	enum { C = 64, XP = 64 };

	__m256 sum[6][2];

	UNROLL
	for (int i = 0; i < 6; i++)
		sum[i][0] = sum[i][1] = _mm256_setzero_ps();
	for (int c = 0; c < C; c++, w += 64) {
		const __m256 w0 = _mm256_loadu_ps(w), w1 = _mm256_loadu_ps(w + 8);

		UNROLL
		for (int i = 0; i < 6; i++) {
			const __m256 v = _mm256_broadcast_ss(x + i * XP + c);

			sum[i][0] = _mm256_fmadd_ps(w0, v, sum[i][0]);
			sum[i][1] = _mm256_fmadd_ps(w1, v, sum[i][1]);
		}
	}
	UNROLL
	for (int i = 0; i < 6; i++) {
		_mm256_storeu_ps(t + i * 16, sum[i][0]);
		_mm256_storeu_ps(t + i * 16 + 8, sum[i][1]);
	}
}
#endif

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_expand(const float *restrict x, const float *restrict w,
#if BIAS
			       const float *restrict bias,
#endif
			       float *y OPERANDS)
{
	enum { N = 1, P = 64, RUN = 24, C = 64, K = 256, XN = 4096, XP = 64 };
#if AVX512
	enum { WIDE = 4 * 16 }; /* channels of a tile */
#else
	enum { WIDE = 2 * 8 }; /* channels of a tile */
#endif

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int b0 = FROM(p); b0 < TO(p, P); b0 += RUN)
	for (int k0 = FROM(k); k0 < TO(k, K); k0 += WIDE) {
		for (int p0 = b0; p0 < b0 + RUN && p0 < TO(p, P); p0 += 6) {
			const int first = p0 + 6 < P ? p0 : P - 6; /* the last six overlap with others */
			float t[6 * WIDE];

			conv_expand_tile(x + n * XN + first * XP, w + k0 / 64 * 64 * C + k0 % 64, t);
			for (int p = p0; p < first + 6; p++)
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
		}
	}
}
