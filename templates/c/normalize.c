/*
 * (x - mean) / sqrt(variance + EPS) over the dimensions R0 R1 R2 (strides X_R0..) for each element of
 * O0 O1 O2 (strides X_O0..): Y(i0, i1, i2, r0, r1, r2). Scale and shift are the epilogue's.
 * Two passes, so that a mean far from zero costs no digits; sums by rows of R2, in SUMS parts. y may be x when the
 * elements lie alike.
 */
#include "sqrt_f32.c"
#include "template.h"

#define EPS 1e-5f

#define Y(i0, i1, i2, r0, r1, r2) \
	y[(((((i0) * O1 + (i1)) * O2 + (i2)) * R0 + (r0)) * R1 + (r1)) * R2 + (r2)]

/* Mean of (x - shift), or of its square. */
static TARGET float normalize_mean(const float *x, float shift, int square)
{
	enum { R0 = 1, R1 = 8, R2 = 8, X_R0 = 0, X_R1 = 8, X_R2 = 1, SUMS = 2 * 8, WHOLE = R2 / SUMS * SUMS };
	float sum = 0.0f;

	for (int r0 = 0; r0 < R0; r0++)
	for (int r1 = 0; r1 < R1; r1++) {
		const float *row = x + r0 * X_R0 + r1 * X_R1;
		float part[SUMS] = { 0.0f };

		for (int first = 0; first < WHOLE; first += SUMS)
			for (int j = 0; j < SUMS; j++) {
				const float v = row[(first + j) * X_R2] - shift;

				part[j] += square ? v * v : v;
			}
		for (int r2 = WHOLE; r2 < R2; r2++) {
			const float v = row[r2 * X_R2] - shift;

			part[r2 - WHOLE] += square ? v * v : v;
		}
		for (int j = 0; j < SUMS && j < R2; j++)
			sum += part[j];
	}
	return sum / (float)(R0 * R1 * R2);
}

/* Normalisation: see the top of this file. */
static TARGET void normalize(const float *x, float *y)
{
	enum { O0 = 1, O1 = 4, O2 = 1, R0 = 1, R1 = 8, R2 = 8 };
	enum { X_O0 = 0, X_O1 = 64, X_O2 = 0, X_R0 = 0, X_R1 = 8, X_R2 = 1 }; /* strides of x */

	for (int i0 = FROM(i0); i0 < TO(i0, O0); i0++)
	for (int i1 = FROM(i1); i1 < TO(i1, O1); i1++)
	for (int i2 = FROM(i2); i2 < TO(i2, O2); i2++) {
		const float *v = x + i0 * X_O0 + i1 * X_O1 + i2 * X_O2;
		const float mean = normalize_mean(v, 0.0f, 0);
		const float scale = 1.0f / sqrt_f32(normalize_mean(v, mean, 1) + EPS);

		for (int r0 = 0; r0 < R0; r0++)
		for (int r1 = 0; r1 < R1; r1++)
		for (int r2 = 0; r2 < R2; r2++) {
			float a = (v[r0 * X_R0 + r1 * X_R1 + r2 * X_R2] - mean) * scale;

			EPILOGUE(a, i0, i1, i2, r0, r1, r2);
			Y(i0, i1, i2, r0, r1, r2) = a;
		}
	}
}
