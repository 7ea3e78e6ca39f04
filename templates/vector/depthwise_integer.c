/*
 * Depthwise convolution of integers in one or two dimensions, exact, vector code: sums of w, of 8 bits, times x less XZ, of 8 bits,
 * too. Sums are floats, which hold them: they are below 2^24. LANES channels of PB neighbouring pixels stay in registers while the window goes
 * by.
 *
 * Taps outside the image are left out: rows by their range, columns one by one.
 *
 * x has its channels side by side: strides XN XH XW. x is not y. w [tap][C], taps in the order r, s; C is a multiple of 16. The
 * epilogue has the sum in a, and gives r.
 */
#include "template.h"

#define TX uint8_t /* of x */
#define TY int32_t /* of y */
#define TV IVEC	   /* LANES of them, */
#define PUT IVEC_STORE /* which stores these, */
#define SPREAD IVEC_LOAD_u8 /* and which loads those of x */
#define FIRST a	   /* what r is before the epilogue, and as a vector */
#define FIRSTS a
#define BIAS 1	 /* a bias for each channel */
#define SIDES 1	 /* windows leave the image to the left or right */
#define PADDED 1 /* windows leave the image above or below */
#define REST 0	 /* OW % PB != 0 */
#define VECTOR 1 /* the epilogue has a vector form */

#define Y(n, k, p) y[((n) * P + (p)) * C + (k)]

/* The sums of PB pixels whose windows start in column `left`, over `rows` rows of which x is the first. */
static TARGET INLINE void depthwise_integer_tile(const TX *restrict x, const int8_t *restrict w, VEC *sum, int left,
						 int rows)
{
	enum { C = 64, W = 8, S = 3, STRIDE_W = 1, DIL_W = 1, DIL_H = 1, PB = 8, XH = 64, XW = 8, XZ = 128 };
	enum { COLUMNS = (PB - 1) * STRIDE_W + (S - 1) * DIL_W + 1 };

	UNROLL
	for (int i = 0; i < PB; i++)
		sum[i] = VEC_ZERO();
	for (int r = 0; r < rows; r++, x += DIL_H * XH, w += S * C) {
		VEC t[S];

		UNROLL
		for (int s = 0; s < S; s++)
			t[s] = VEC_FROM(IVEC_LOAD_i8(w + s * C));
		UNROLL
		for (int c = 0; c < COLUMNS; c++) {
#if SIDES
			if (left + c < 0 || left + c >= W)
				continue;
#endif
			const VEC v = VEC_FROM(IVEC_SUB(SPREAD(x + (left + c) * XW), IVEC_SET1(XZ)));

			UNROLL
			for (int s = 0; s < S; s++) {
				const int at = c - s * DIL_W;
				const int to = at / STRIDE_W; /* the pixel whose tap s it is */

				if (at >= 0 && at % STRIDE_W == 0 && to < PB)
					sum[to] = VEC_FMADD(t[s], v, sum[to]);
			}
		}
	}
}

/* Depthwise convolution of integers: see the top of this file. */
static TARGET void depthwise_integer(const TX *restrict x, const int8_t *restrict w, const int32_t *restrict bias, TY *y)
{
	enum { N = 1, C = 64, H = 8, OW = 8, P = 64, R = 3, S = 3, PB = 8 };
	enum { STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, DIL_H = 1 };
	enum { XN = 4096, XH = 512, XW = 64 }; /* strides of x */

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int first = FROM(p); first < TO(p, P); first += OW) {
		const int top = first / OW * STRIDE_H - PAD_H;
		int r0 = 0, r1 = R; /* rows of the window that are inside */

#if PADDED
		while (r0 < R && top + r0 * DIL_H < 0)
			r0++;
		while (r1 > r0 && top + (r1 - 1) * DIL_H >= H)
			r1--;
#endif
		const TX *u = x + n * XN + (top + r0 * DIL_H) * XH;

		for (int c = FROM(k); c < TO(k, C); c += LANES)
			for (int i0 = 0; i0 < OW; i0 += PB) {
#if REST
				const int from = i0 + PB <= OW ? i0 : OW - PB; /* the last tile overlaps with others */
#else
				const int from = i0;
#endif
				VEC sum[PB];

				depthwise_integer_tile(u + c, w + r0 * S * C + c, sum, from * STRIDE_W - PAD_W, r1 - r0);
#if BIAS
				const IVEC more = IVEC_LOAD(bias + c);
#endif
				UNROLL
				for (int i = 0; i < PB; i++) {
					const int p = first + from + i;
#if BIAS
					const IVEC v = IVEC_ADD(IVEC_FROM(sum[i]), more);
#else
					const IVEC v = IVEC_FROM(sum[i]);
#endif
#if REST

					if (from + i < i0)
						continue;
#endif
#if VECTOR
					const int k = c;
					const IVEC a = v;
					TV r = FIRSTS;

					VECTOR_EPILOGUE(r, n, k, p);
					PUT(&Y(n, k, p), r);
#else
					int32_t each[LANES];

					IVEC_STORE(each, v);
					for (int j = 0; j < LANES; j++) {
						const int k = c + j;
						const int32_t a = each[j];
						TY r = FIRST;

						EPILOGUE(r, n, k, p);
						Y(n, k, p) = r;
					}
#endif
				}
			}
	}
}
