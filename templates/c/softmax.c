/*
 * Softmax over one dimension of A elements (stride XA) for each element of O0 O1 O2 (strides X_O0..):
 * Y(i0, i1, i2, i), the softmax dimension last. y may be x when the elements lie alike.
 */
#include "exp_f32.c"
#include "log_f32.c"
#include "template.h"

#define LOG 0 /* LogSoftmax */

#define Y(i0, i1, i2, i) y[(((i0) * O1 + (i1)) * O2 + (i2)) * A + (i)]

/* Softmax: see the top of this file. */
static void softmax(const float *x, float *y OPERANDS)
{
	enum { O0 = 1, O1 = 1, O2 = 1, A = 10, RUN = 64 };
	enum { X_O0 = 0, X_O1 = 0, X_O2 = 0, XA = 1 }; /* strides of x */

	for (int i0 = FROM(i0); i0 < TO(i0, O0); i0++)
	for (int i1 = FROM(i1); i1 < TO(i1, O1); i1++)
	for (int i2 = FROM(i2); i2 < TO(i2, O2); i2++) {
		const float *v = x + i0 * X_O0 + i1 * X_O1 + i2 * X_O2;
		float most = v[0], sum = 0.0f;

		for (int i = 1; i < A; i++)
			most = most < v[i * XA] ? v[i * XA] : most;
		for (int first = 0; first < A; first += RUN) {
			const int last = A - first < RUN ? A : first + RUN;
			float part = 0.0f; /* of a run: long sums stay exact */

			for (int i = first; i < last; i++) {
				const float e = exp_f32(v[i * XA] - most);

				part += e;
#if !LOG
				Y(i0, i1, i2, i) = e;
#endif
			}
			sum += part;
		}
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
