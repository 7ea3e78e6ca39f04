/*
 * Fully connected layer of few rows, vector code: the sums of a whole block of outputs stay in registers while
 * the inputs go by, and the weights are read once, in their order.
 *
 * As in c/linear, which is the portable version: Y(m, n) = bias[n] + sum over k of x[m * XM + k * XK] * w, with
 * w [block][K][STACK][NB] and bias [block][STACK][NB]. NB divides N, STACK * NB >= 16. x is not y.
 * HELD: x is y, and held has room for a row of it.
 * STACK layers that read the same x are computed together: the epilogue has the first one's value in a, the
 * others' in b and c.
 * SKIP: where L(m, n) holds, for a whole row m, the epilogue does not look at a, and no sum is computed.
 */
#include "template.h"

#define BIAS 1	 /* a bias for each output */
#define STACK 1	 /* layers: 1, 2 or 3 */
#define SKIP 0	 /* rows may be left out */
#define HELD 0	 /* y replaces x */
#define VECTOR 1 /* the epilogue has a vector form */

#define Y(m, n) y[(m) * N + (n)]
#define L(m, n) ((m) + (n) < 0)

/*
 * sum [COUNT] = z [COUNT] (zeros where there is none) + x w, w [K][COUNT]. Sums that are too many for the
 * registers are made in passes over DEPTH inputs at a time, while the weights of the next are fetched. The last
 * vector ends where COUNT does: what it shares with the one before is computed twice.
 */
static TARGET INLINE void linear_sums(const float *restrict x, const float *restrict w,
#if BIAS
				      const float *restrict z,
#endif
				      float *sum)
{
	enum { K = 64, NB = 20, XK = 1, COUNT = STACK * NB };
	enum { MOST = REGISTERS == 32 ? 16 : 12 }; /* vectors of a pass */
	enum { VECTORS = (COUNT + LANES - 1) / LANES, PASSES = (VECTORS + MOST - 1) / MOST };
	enum { EACH = (VECTORS + PASSES - 1) / PASSES };
	enum { CHUNKS = (K * COUNT + 4095) / 4096, DEPTH = PASSES > 1 ? (K + CHUNKS - 1) / CHUNKS : K }; /* half of L1 */

	for (int k0 = 0; k0 < K; k0 += DEPTH) {
		const float *next = w + (k0 + 16) * COUNT; /* what is fetched meanwhile */

		UNROLL
		for (int p = 0; p < PASSES; p++) {
			int at[EACH];
			VEC v[EACH];

			UNROLL
			for (int i = 0; i < EACH; i++) {
				const int j = (p * EACH + i) * LANES;

				at[i] = j < COUNT - LANES ? j : COUNT - LANES;
#if BIAS
				v[i] = VEC_LOAD((k0 > 0 ? sum : z) + at[i]);
#else
				v[i] = k0 > 0 ? VEC_LOAD(sum + at[i]) : VEC_ZERO();
#endif
			}
			for (int k = k0; k < k0 + DEPTH && k < K; k++) {
				const VEC s = VEC_SET1(x[k * XK]);

				UNROLL
				for (int i = 0; i < EACH * LANES; i += 16, next += 16)
					VEC_PREFETCH(next);
				UNROLL
				for (int i = 0; i < EACH; i++)
					v[i] = VEC_FMADD(VEC_LOAD(w + k * COUNT + at[i]), s, v[i]);
			}
			UNROLL
			for (int i = 0; i < EACH; i++)
				VEC_STORE(sum + at[i], v[i]);
		}
	}
}

/* Fully connected layer: see the top of this file. */
static TARGET void linear(const float *restrict x, const float *restrict w,
			  const float *restrict bias, float *y)
{
	enum { M = 1, N = 40, K = 64, NB = 20, XM = 64, STRIP = NB < 16 ? NB : 2 * 8 };

#if HELD
	for (int m = FROM(m); m < TO(m, M); m++)
		for (int n0 = FROM(n); n0 < TO(n, N); n0 += NB) {
			const float *const row = held;
#else
	for (int n0 = FROM(n); n0 < TO(n, N); n0 += NB)
		for (int m = FROM(m); m < TO(m, M); m++) {
			const float *const row = x + m * XM;
#endif
			float sum[STACK * NB];
#if !VECTOR
			float value[NB];
#endif

#if HELD
			for (int k = 0; n0 == 0 && k < K; k++) /* the row, before it is replaced */
				held[k] = Y(m, k);
#endif
#if SKIP
			if (L(m, n0))
				memset(sum, 0, sizeof(sum));
			else
#endif
#if BIAS
			linear_sums(row, w + n0 * STACK * K, bias + n0 * STACK, sum);
#else
			linear_sums(row, w + n0 * STACK * K, sum);
#endif
#if VECTOR
			for (int j0 = 0; j0 < NB; j0 += LANES) { /* the last vector overlaps */
				const int j = j0 < NB - LANES ? j0 : NB - LANES;
				VEC a = VEC_LOAD(sum + j);
#if STACK > 1
				const VEC b = VEC_LOAD(sum + NB + j);
#endif
#if STACK > 2
				const VEC c = VEC_LOAD(sum + 2 * NB + j);
#endif

				VECTOR_EPILOGUE(a, m, n0 + j);
				VEC_STORE(&Y(m, n0 + j), a);
			}
#else
			for (int j0 = 0; j0 < NB; j0 += STRIP) /* strips as wide as a vector; the last overlaps */
				LANEWISE
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
#endif
		}
}
