/*
 * Index of the largest (LEAST: smallest) of A elements (stride XA) for each element of O0 O1 O2 (strides
 * X_O0..): Y(i0, i1, i2). Of equal ones the first, or with LAST the last. A NaN is never chosen before
 * a number that precedes it.
 */
#include "template.h"

#define LEAST 0 /* ArgMin */
#define LAST 0	/* select_last_index */

#define Y(i0, i1, i2) y[((i0) * O1 + (i1)) * O2 + (i2)]

/* Index of the extreme element: see the top of this file. */
static TARGET void argmax(const T *restrict x, int64_t *restrict y)
{
	enum { O0 = 1, O1 = 1, O2 = 4, A = 10 };
	enum { X_O0 = 0, X_O1 = 0, X_O2 = 10, XA = 1 }; /* strides of x */

	for (int i0 = FROM(i0); i0 < TO(i0, O0); i0++)
	for (int i1 = FROM(i1); i1 < TO(i1, O1); i1++)
	for (int i2 = FROM(i2); i2 < TO(i2, O2); i2++) {
		const T *v = x + i0 * X_O0 + i1 * X_O1 + i2 * X_O2;
		int best = 0;

		for (int i = 1; i < A; i++)
#if LEAST && LAST
			if (v[i * XA] <= v[best * XA])
#elif LEAST
			if (v[i * XA] < v[best * XA])
#elif LAST
			if (v[i * XA] >= v[best * XA])
#else
			if (v[i * XA] > v[best * XA])
#endif
				best = i;
		int64_t a = best;

		EPILOGUE(a, i0, i1, i2);
		Y(i0, i1, i2) = a;
	}
}
