/*
 * Fully connected layer of few rows, vector code: the sums of a whole block of outputs stay in registers while
 * the inputs go by, and the weights are read once, in their order.
 *
 * As in c/linear, which is the portable version: Y(m, n) = bias[n] + sum over k of x[m * XM + k * XK] * w, with
 * w [block][K][STACK][NB] and bias [block][STACK][NB]. NB divides N, STACK * NB >= 16. x is not y.
 * STACK layers that read the same x are computed together: the epilogue has the first one's value in a, the
 * others' in b and c.
 */
#include "template.h"

#define BIAS 1	 /* a bias for each output */
#define STACK 1	 /* layers: 1, 2 or 3 */
#define AVX512 1 /* else AVX2 */

#define Y(m, n) y[(m) * N + (n)]

/*
 * sum [COUNT] = z [COUNT] (zeros where there is none) + x w, w [K][COUNT]. The last vector ends where COUNT does:
 * what it shares with the one before is computed twice.
 */
static TARGET inline void linear_sums(const float *restrict x, const float *restrict w,
#if BIAS
				      const float *restrict z,
#endif
				      float *restrict sum)
{
	enum { K = 64, NB = 20, XK = 1, COUNT = STACK * NB };
#if AVX512
	enum { LANES = 2 * 8, MOST = 2 * 8 }; /* floats of a vector, vectors of a pass over the inputs */
#else
	enum { LANES = 1 * 8, MOST = 2 * 6 };
#endif
	enum { VECTORS = (COUNT + LANES - 1) / LANES, PASSES = (VECTORS + MOST - 1) / MOST };
	enum { EACH = (VECTORS + PASSES - 1) / PASSES };

	UNROLL
	for (int p = 0; p < PASSES; p++) {
		int at[EACH];
#if AVX512
		__m512 v[EACH];
#else
		__m256 v[EACH];
#endif

		UNROLL
		for (int i = 0; i < EACH; i++) {
			const int j = (p * EACH + i) * LANES;

			at[i] = j < COUNT - LANES ? j : COUNT - LANES;
#if BIAS && AVX512
			v[i] = _mm512_loadu_ps(z + at[i]);
#elif BIAS
			v[i] = _mm256_loadu_ps(z + at[i]);
#elif AVX512
			v[i] = _mm512_setzero_ps();
#else
			v[i] = _mm256_setzero_ps();
#endif
		}
		for (int k = 0; k < K; k++) {
#if AVX512
			const __m512 s = _mm512_set1_ps(x[k * XK]);
#else
			const __m256 s = _mm256_set1_ps(x[k * XK]);
#endif

			UNROLL
			for (int i = 0; i < EACH; i++)
#if AVX512
				v[i] = _mm512_fmadd_ps(_mm512_loadu_ps(w + k * COUNT + at[i]), s, v[i]);
#else
				v[i] = _mm256_fmadd_ps(_mm256_loadu_ps(w + k * COUNT + at[i]), s, v[i]);
#endif
		}
		UNROLL
		for (int i = 0; i < EACH; i++)
#if AVX512
			_mm512_storeu_ps(sum + at[i], v[i]);
#else
			_mm256_storeu_ps(sum + at[i], v[i]);
#endif
	}
}

/* Fully connected layer: see the top of this file. */
static TARGET void linear(const float *restrict x, const float *restrict w,
#if BIAS
			  const float *restrict bias,
#endif
			  float *y OPERANDS)
{
	enum { M = 1, N = 40, K = 64, NB = 20, XM = 64, STRIP = NB < 16 ? NB : 2 * 8 };

	for (int n0 = FROM(n); n0 < TO(n, N); n0 += NB)
		for (int m = FROM(m); m < TO(m, M); m++) {
			float sum[STACK * NB], value[NB];

#if BIAS
			linear_sums(x + m * XM, w + n0 * STACK * K, bias + n0 * STACK, sum);
#else
			linear_sums(x + m * XM, w + n0 * STACK * K, sum);
#endif
			for (int j0 = 0; j0 < NB; j0 += STRIP) /* strips as wide as a vector; the last overlaps */
				for (int i = 0; i < STRIP; i++) {
					const int j = i + (j0 < NB - STRIP ? j0 : NB - STRIP);
					float a = sum[j];
#if STACK > 1
					const float b = sum[NB + j];
#endif
#if STACK > 2
					const float c = sum[2 * NB + j];
#endif

					EPILOGUE(a, m, n0 + j);
					value[j] = a;
				}
			for (int j = 0; j < NB; j++)
				Y(m, n0 + j) = value[j];
		}
}
