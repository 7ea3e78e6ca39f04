#include "template.h"

/* sums [width] += x [depth] w [depth][width], the elements of x `step` apart; sums are variables, sixteen at a time. */
static INLINE void row_f32(const float *x, int step, const float *w, int depth, int width, float *sums)
{
	int k = 0;

	for (; k + 16 <= width; k += 16) {
		float *const s = sums + k;
		float a0 = s[0], a1 = s[1], a2 = s[2], a3 = s[3], b0 = s[4], b1 = s[5], b2 = s[6], b3 = s[7];
		float c0 = s[8], c1 = s[9], c2 = s[10], c3 = s[11], d0 = s[12], d1 = s[13], d2 = s[14], d3 = s[15];

		for (int i = 0; i < depth; i++) {
			const float v = x[i * step], *const u = w + i * width + k;

			a0 += v * u[0], a1 += v * u[1], a2 += v * u[2], a3 += v * u[3];
			b0 += v * u[4], b1 += v * u[5], b2 += v * u[6], b3 += v * u[7];
			c0 += v * u[8], c1 += v * u[9], c2 += v * u[10], c3 += v * u[11];
			d0 += v * u[12], d1 += v * u[13], d2 += v * u[14], d3 += v * u[15];
		}
		s[0] = a0, s[1] = a1, s[2] = a2, s[3] = a3, s[4] = b0, s[5] = b1, s[6] = b2, s[7] = b3;
		s[8] = c0, s[9] = c1, s[10] = c2, s[11] = c3, s[12] = d0, s[13] = d1, s[14] = d2, s[15] = d3;
	}
	for (; k + 4 <= width; k += 4) {
		float *const s = sums + k;
		float a0 = s[0], a1 = s[1], a2 = s[2], a3 = s[3];

		for (int i = 0; i < depth; i++) {
			const float v = x[i * step], *const u = w + i * width + k;

			a0 += v * u[0], a1 += v * u[1], a2 += v * u[2], a3 += v * u[3];
		}
		s[0] = a0, s[1] = a1, s[2] = a2, s[3] = a3;
	}
	for (; k < width; k++)
		for (int i = 0; i < depth; i++)
			sums[k] += x[i * step] * w[i * width + k];
}
