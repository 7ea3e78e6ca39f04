/*
 * Convolution of integers in one or two dimensions, exact, vector code: sums of w, of 8 bits, times x less XZ, of 8 bits, too.
 * The image is widened to 16 bits once, less XZ, with zeros around it; then two channels at a time meet the weights of
 * both, in one instruction, and NB outputs of PB pixels stay in registers while the window goes by.
 *
 * x is read through strides: XN XC XH XW. x is not y. wide: PH rows of PW pixels of C2 / 2 pairs of channels, a pair in each integer.
 * w [block][tap][C2 / 2][NB][2]: taps in the order r, s; where C is odd the last channel has weights of 0. The epilogue has
 * the sum in a, and gives r.
 */
#include "template.h"

#define TX uint8_t /* of x */
#define TY int32_t /* of y */
#define FIRST a	   /* what r is before the epilogue */
#define BIAS 1	   /* a bias for each output channel */
#define ODD 1	   /* C is */
#define CLEAR 1	   /* some of the wide image is not of x */

#define Y(n, k, p) y[((n) * K + (k)) * P + (p)]

/* The sums of the pixels that begin at wide + at[i], and outputs that follow each other in w. */
static TARGET INLINE void conv_integer_tile(const int32_t *restrict wide, const int *at, const int8_t *restrict w,
					    int32_t *sum)
{
	enum { C2 = 4, R = 3, S = 3, DIL_H = 1, DIL_W = 1, PW = 10, NB = 16, PB = 6 };
	enum { VW = NB / LANES < REGISTERS / 8 ? NB / LANES : REGISTERS / 8 }; /* vectors of outputs */
	IVEC acc[PB][VW];

	UNROLL
	for (int i = 0; i < PB; i++)
		UNROLL
		for (int j = 0; j < VW; j++)
			acc[i][j] = IVEC_ZERO();
	for (int r = 0; r < R; r++)
		for (int s = 0; s < S; s++) {
			const int32_t *v = wide + (r * DIL_H * PW + s * DIL_W) * (C2 / 2);

			for (int c = 0; c < C2 / 2; c++, w += 2 * NB) {
				IVEC t[VW];

				UNROLL
				for (int j = 0; j < VW; j++)
					t[j] = IVEC_WIDEN(w + 2 * j * LANES);
				UNROLL
				for (int i = 0; i < PB; i++) {
					const IVEC a = IVEC_PAIR(v + at[i] + c);

					UNROLL
					for (int j = 0; j < VW; j++)
						acc[i][j] = IVEC_DOT(acc[i][j], a, t[j]);
				}
			}
		}
	UNROLL
	for (int i = 0; i < PB; i++)
		UNROLL
		for (int j = 0; j < VW; j++)
			IVEC_STORE(sum + i * NB + j * LANES, acc[i][j]);
}

/* Convolution of integers: see the top of this file. */
static TARGET void conv_integer(const TX *restrict x, const int8_t *restrict w, const int32_t *restrict bias, TY *y,
				float *restrict scratch)
{
	enum { N = 1, C = 3, C2 = 4, K = 16, H = 8, W = 8, OW = 8, P = 64, TAPS = 9, NB = 16, PB = 6, XZ = 128 };
	enum { STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, PH = 10, PW = 10 };
	enum { XN = 192, XC = 1, XH = 24, XW = 3 }; /* strides of x */
	enum { PART = NB < LANES * REGISTERS / 8 ? NB : LANES * REGISTERS / 8 }; /* outputs of a tile */
	int32_t *const wide = (int32_t *)(void *)scratch;

#if CLEAR
	for (int i = 0; i < PH * PW * (C2 / 2); i++)
		wide[i] = 0;
#endif
	for (int n = 0; n < N; n++) {
		for (int h = 0; h < H; h++)
			for (int j = 0; j < W; j++) {
				const TX *v = x + n * XN + h * XH + j * XW;
				int32_t *to = wide + ((h + PAD_H) * PW + j + PAD_W) * (C2 / 2);

				for (int c = 0; c < C / 2; c++) {
					const int low = v[2 * c * XC] - XZ, high = v[(2 * c + 1) * XC] - XZ;

					to[c] = (int32_t)((uint32_t)low & 0xffffu) + high * 65536;
				}
#if ODD
				to[C / 2] = (int32_t)((uint32_t)(v[(C - 1) * XC] - XZ) & 0xffffu);
#endif
			}
		for (int k0 = 0; k0 < K; k0 += NB)
			for (int p0 = 0; p0 < P; p0 += PB) {
				const int pixels = P - p0 < PB ? P - p0 : PB;
				int32_t sum[PB * NB];
				int at[PB];

				for (int i = 0; i < PB; i++) {
					const int q = p0 + i < P ? p0 + i : P - 1;

					at[i] = (q / OW * STRIDE_H * PW + q % OW * STRIDE_W) * (C2 / 2);
				}
				for (int j = 0; j < NB; j += PART)
					conv_integer_tile(wide, at, w + k0 * TAPS * C2 + 2 * j, sum + j);
				for (int i = 0; i < pixels; i++) {
					const int p = p0 + i;

					for (int j = 0; j < NB; j++) {
						const int k = k0 + j;
#if BIAS
						const int32_t a = sum[i * NB + j] + bias[k];
#else
						const int32_t a = sum[i * NB + j];
#endif
						TY r = FIRST;

						EPILOGUE(r, n, k, p);
						Y(n, k, p) = r;
					}
				}
			}
	}
}
