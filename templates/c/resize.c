/*
 * Resize of one to three dimensions, from tables: for position o of an axis the elements at 2 * o and
 * 2 * o + 1 of its index table are blended, the second with the weight of its weight table. Nearest
 * has one index a position and no weights. In one dimension H = OH = 1. All indices are inside x.
 *
 * WIDE: elements 2 * o .. 2 * o + 1 (excluded) are summed up, with weights from o * TH (TD, TW) on. OUTSIDE:
 * where that is no element, the result is EXTRA.
 *
 * x is read through strides: XN XC XD XH XW. Y(n, k, p), p the position in the flattened output.
 */
#include "template.h"

#define LINEAR 1 /* two indices and a weight; else nearest */
#define WIDE 0	 /* two indices and as many weights as lie between them; LINEAR is 1 */
#define OUTSIDE 0
#define EXTRA 0.0f
#define DEPTH 0	 /* three dimensions: XD */

#define Y(n, k, p) y[((n) * C + (k)) * P + (p)]

/* Resize: see the top of this file. */
static TARGET void resize(const float *restrict x, const int32_t *restrict at_h,
			  const int32_t *restrict at_w, const float *restrict part_h,
			  const float *restrict part_w, float *y)
{
	enum { N = 1, C = 4, OH = 8, OW = 8, P = 64 };
	enum { XN = 64, XC = 1, XD = 1, XH = 16, XW = 4 }; /* strides of x */
#if WIDE
	enum { TD = 1, TH = 4, TW = 4 }; /* weights of a position */
#endif

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int p = FROM(p); p < TO(p, P); p++) {
#if WIDE
		const int h = p / OW % OH;
		const int w = p % OW;
		const int h0 = at_h[2 * h], hn = at_h[2 * h + 1] - h0, w0 = at_w[2 * w], wn = at_w[2 * w + 1] - w0;
		const float *v = x + n * XN + h0 * XH + w0 * XW, *th = part_h + h * TH, *tw = part_w + w * TW;
#if DEPTH
		const int d = p / (OH * OW);
		const int d0 = at_d[2 * d], dn = at_d[2 * d + 1] - d0;
		const float *td = part_d + d * TD;

		v += d0 * XD;
#endif

		for (int k = 0; k < C; k++) {
			float a = 0.0f;

#if DEPTH
			for (int e = 0; e < dn; e++) {
				float plane = 0.0f;

				for (int i = 0; i < hn; i++) {
					float row = 0.0f;

					for (int j = 0; j < wn; j++)
						row += v[e * XD + i * XH + j * XW + k * XC] * tw[j];
					plane += row * th[i];
				}
				a += plane * td[e];
			}
#else
			for (int i = 0; i < hn; i++) {
				float row = 0.0f;

				for (int j = 0; j < wn; j++)
					row += v[i * XH + j * XW + k * XC] * tw[j];
				a += row * th[i];
			}
#endif
#if OUTSIDE && DEPTH
			if (dn == 0 || hn == 0 || wn == 0)
				a = EXTRA;
#elif OUTSIDE
			if (hn == 0 || wn == 0)
				a = EXTRA;
#endif
#elif LINEAR
		const int h = p / OW % OH;
		const int w = p % OW;
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
