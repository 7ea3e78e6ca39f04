/*
 * c/normalize where channels lie side by side: (x - mean) / sqrt(variance + EPS) over P pixels (stride XP) and the CG
 * channels of a group, for each of K / CG groups of N images (stride XN): Y(n, p, k). Scale and shift are the epilogue's.
 * KB channels at a time, whole groups, which divide K: each has a sum of its own, of runs of RUN pixels; then those of a group
 * are one. Two passes, so that a mean far from zero costs no digits; the block is small enough for the cache to hold it
 * between passes. y may be x when the elements lie alike.
 */
#include "sqrt_f32.c"
#include "template.h"

#define EPS 1e-5f

#define Y(n, p, k) y[((n) * P + (p)) * K + (k)]

/* sum [KB] = that of x - shift over the pixels, of each channel, or of its square. */
static TARGET INLINE void normalize_channels_sum(const float *x, const float *shift, float *sum, const int square)
{
	enum { P = 64, KB = 16, XP = 48, RUN = 64 };

	for (int j = 0; j < KB; j++)
		sum[j] = 0.0f;
	for (int first = 0; first < P; first += RUN) {
		const int last = P - first < RUN ? P : first + RUN;
		float part[KB];

		for (int j = 0; j < KB; j++)
			part[j] = 0.0f;
		for (int p = first; p < last; p++)
			for (int j = 0; j < KB; j++) {
				const float v = x[p * XP + j] - shift[j];

				part[j] += square ? v * v : v;
			}
		for (int j = 0; j < KB; j++)
			sum[j] += part[j];
	}
}

/* v [KB]: in the place of each channel's sum its group's mean. */
static TARGET INLINE void normalize_channels_join(float *v)
{
	enum { P = 64, KB = 16, CG = 8 };

	for (int g = 0; g < KB; g += CG) {
		float sum = 0.0f;

		for (int j = 0; j < CG; j++)
			sum += v[g + j];
		for (int j = 0; j < CG; j++)
			v[g + j] = sum / (float)(P * CG);
	}
}

/* Normalisation: see the top of this file. */
static TARGET void normalize_channels(const float *x, float *y)
{
	enum { N = 1, P = 64, K = 48, KB = 16, CG = 8, XN = 3072, XP = 48 };

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int k0 = FROM(k); k0 < TO(k, K); k0 += KB) {
		const float *v = x + n * XN + k0;
		float mean[KB], scale[KB];

		for (int j = 0; j < KB; j++)
			scale[j] = 0.0f;
		normalize_channels_sum(v, scale, mean, 0);
		normalize_channels_join(mean);
		normalize_channels_sum(v, mean, scale, 1);
		normalize_channels_join(scale);
		for (int g = 0; g < KB; g += CG) {
			const float root = 1.0f / sqrt_f32(scale[g] + EPS);

			for (int j = 0; j < CG; j++)
				scale[g + j] = root;
		}
		for (int p = 0; p < P; p++)
			for (int j = 0; j < KB; j++) {
				const int k = k0 + j;
				float a = (v[p * XP + j] - mean[j]) * scale[j];

				EPILOGUE(a, n, p, k);
				Y(n, p, k) = a;
			}
	}
}
