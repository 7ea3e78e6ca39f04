/*
 * Places of the K greatest (LEAST: smallest) of A elements (stride XA), in order, for each element of O0 O1 O2
 * (strides X_O0..): Y(i0, i1, i2, k). Of equal ones the first comes first. y keeps them while they are sorted.
 */
#include "template.h"

#define LEAST 0 /* largest = 0 */

#define Y(i0, i1, i2, k) y[(((i0) * O1 + (i1)) * O2 + (i2)) * K + (k)]

/* Places of the greatest: see the top of this file. */
static TARGET void topk(const T *restrict x, int64_t *y)
{
	enum { O0 = 1, O1 = 1, O2 = 4, A = 10, K = 3 };
	enum { X_O0 = 0, X_O1 = 0, X_O2 = 10, XA = 1 }; /* strides of x */

	for (int i0 = FROM(i0); i0 < TO(i0, O0); i0++)
	for (int i1 = FROM(i1); i1 < TO(i1, O1); i1++)
	for (int i2 = FROM(i2); i2 < TO(i2, O2); i2++) {
		const T *v = x + i0 * X_O0 + i1 * X_O1 + i2 * X_O2;

		for (int i = 0; i < A; i++) {
			int j = i < K ? i : K;

			for (; j > 0; j--) {
				const int64_t before = Y(i0, i1, i2, j - 1);

#if LEAST
				if (!(v[i * XA] < v[before * XA]))
					break;
#else
				if (!(v[i * XA] > v[before * XA]))
					break;
#endif
				if (j < K)
					Y(i0, i1, i2, j) = before;
			}
			if (j < K)
				Y(i0, i1, i2, j) = i;
		}
		for (int k = 0; k < K; k++) {
			int64_t a = Y(i0, i1, i2, k);

			EPILOGUE(a, i0, i1, i2, k);
			Y(i0, i1, i2, k) = a;
		}
	}
}
