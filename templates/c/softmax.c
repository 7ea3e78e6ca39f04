/*
 * Softmax over one dimension of A elements (stride XA) for each element of O0 O1 O2 (strides X_O0..):
 * Y(i0, i1, i2, i), the softmax dimension last. y may be x when the elements lie alike. The largest element
 * and the sum are found in SUMS parts, each of every SUMS-th element, which compilers keep in vectors.
 */
#include "exp_f32.c"
#include "log_f32.c"
#include "template.h"

#define LOG 0 /* LogSoftmax */

#define Y(i0, i1, i2, i) y[(((i0) * O1 + (i1)) * O2 + (i2)) * A + (i)]

/* Softmax: see the top of this file. */
static TARGET void softmax(const float *x, float *y)
{
	enum { O0 = 1, O1 = 1, O2 = 1, A = 10, SUMS = 2 * 8, WHOLE = A / SUMS * SUMS };
	enum { X_O0 = 0, X_O1 = 0, X_O2 = 0, XA = 1 }; /* strides of x */

	for (int i0 = FROM(i0); i0 < TO(i0, O0); i0++)
	for (int i1 = FROM(i1); i1 < TO(i1, O1); i1++)
	for (int i2 = FROM(i2); i2 < TO(i2, O2); i2++) {
		const float *v = x + i0 * X_O0 + i1 * X_O1 + i2 * X_O2;
		float part[SUMS], most, sum = 0.0f;

		for (int j = 0; j < SUMS; j++)
			part[j] = v[0];
		for (int first = 0; first < WHOLE; first += SUMS)
			for (int j = 0; j < SUMS; j++)
				part[j] = part[j] < v[(first + j) * XA] ? v[(first + j) * XA] : part[j];
		for (int i = WHOLE; i < A; i++)
			part[i - WHOLE] = part[i - WHOLE] < v[i * XA] ? v[i * XA] : part[i - WHOLE];
		most = part[0];
		for (int j = 1; j < SUMS && j < A; j++)
			most = most < part[j] ? part[j] : most;
		for (int j = 0; j < SUMS; j++)
			part[j] = 0.0f;
		for (int first = 0; first < WHOLE; first += SUMS)
			for (int j = 0; j < SUMS; j++) {
				const float e = exp_f32(v[(first + j) * XA] - most);

				part[j] += e;
#if !LOG
				Y(i0, i1, i2, first + j) = e;
#endif
			}
		for (int i = WHOLE; i < A; i++) {
			const float e = exp_f32(v[i * XA] - most);

			part[i - WHOLE] += e;
#if !LOG
			Y(i0, i1, i2, i) = e;
#endif
		}
		for (int j = 0; j < SUMS && j < A; j++)
			sum += part[j];
#if LOG
		const float shift = log_f32(sum);
#endif
		for (int i = 0; i < A; i++) {
#if LOG
			float a = v[i * XA] - most - shift;
#else
			float a = Y(i0, i1, i2, i) / sum;
#endif

			EPILOGUE(a, i0, i1, i2, i);
			Y(i0, i1, i2, i) = a;
		}
	}
}
