/*
 * Resize of one to three dimensions, from tables: for position o of an axis the elements at 2 * o and
 * 2 * o + 1 of its index table are blended, the second with the weight of its weight table. Nearest
 * has one index a position and no weights. In one dimension H = OH = 1. All indices are inside x.
 *
 * x is read through strides: XN XC XD XH XW. Y(n, k, p), p the position in the flattened output.
 */
#include "template.h"

#define LINEAR 1 /* two indices and a weight; else nearest */
#define DEPTH 0	 /* three dimensions: OD, XD */

#define Y(n, k, p) y[((n) * C + (k)) * P + (p)]

/* Resize: see the top of this file. */
static void resize(const float *restrict x,
#if DEPTH
		   const int32_t *restrict at_d,
#endif
		   const int32_t *restrict at_h, const int32_t *restrict at_w,
#if LINEAR && DEPTH
		   const float *restrict part_d,
#endif
#if LINEAR
		   const float *restrict part_h, const float *restrict part_w,
#endif
		   float *y OPERANDS)
{
	enum { N = 1, C = 4, OH = 8, OW = 8, P = 64 };
	enum { XN = 64, XC = 1, XD = 1, XH = 16, XW = 4 }; /* strides of x */

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int p = FROM(p); p < TO(p, P); p++) {
#if LINEAR
		const int h = p / OW % OH, w = p % OW;
		const float *v0 = x + n * XN + at_h[2 * h] * XH, *v1 = x + n * XN + at_h[2 * h + 1] * XH;
		const int w0 = at_w[2 * w] * XW, w1 = at_w[2 * w + 1] * XW;
		const float th = part_h[h], tw = part_w[w];
#if DEPTH
		const int d = p / (OH * OW);
		const int d0 = at_d[2 * d] * XD, d1 = at_d[2 * d + 1] * XD;
		const float td = part_d[d];
#endif

		for (int k = 0; k < C; k++) {
#if DEPTH
			const float *u0 = v0 + d0 + k * XC, *u1 = v1 + d0 + k * XC;
			const float *z0 = v0 + d1 + k * XC, *z1 = v1 + d1 + k * XC;
			const float near0 = u0[w0] * (1.0f - tw) + u0[w1] * tw;
			const float near1 = u1[w0] * (1.0f - tw) + u1[w1] * tw;
			const float far0 = z0[w0] * (1.0f - tw) + z0[w1] * tw;
			const float far1 = z1[w0] * (1.0f - tw) + z1[w1] * tw;
			float a = (near0 * (1.0f - th) + near1 * th) * (1.0f - td) +
				  (far0 * (1.0f - th) + far1 * th) * td;
#else
			const float *u0 = v0 + k * XC, *u1 = v1 + k * XC;
			float a = (u0[w0] * (1.0f - tw) + u0[w1] * tw) * (1.0f - th) +
				  (u1[w0] * (1.0f - tw) + u1[w1] * tw) * th;
#endif
#else
#if DEPTH
		const float *v = x + n * XN + at_d[p / (OH * OW)] * XD + at_h[p / OW % OH] * XH + at_w[p % OW] * XW;
#else
		const float *v = x + n * XN + at_h[p / OW] * XH + at_w[p % OW] * XW;
#endif

		for (int k = 0; k < C; k++) {
			float a = v[k * XC];
#endif

			EPILOGUE(a, n, k, p);
			Y(n, k, p) = a;
		}
	}
}
