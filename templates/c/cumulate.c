/*
 * Running sums or products: Y(i0, i1, i2, i) is INIT joined by STEP with elements 0 to i of A (stride XA), for each
 * element of O0 O1 O2 (strides X_O0..); with EXCLUSIVE without element i, with REVERSE from the end.
 */
#include "template.h"

#define EXCLUSIVE 0
#define REVERSE 0
#define INIT 0.0f
#define STEP (a + v)

#define Y(i0, i1, i2, i) y[(((i0) * O1 + (i1)) * O2 + (i2)) * A + (i)]

/* Running sums: see the top of this file. */
static TARGET void cumulate(const T *restrict x, T *y)
{
	enum { O0 = 1, O1 = 1, O2 = 4, A = 10 };
	enum { X_O0 = 0, X_O1 = 0, X_O2 = 10, XA = 1 }; /* strides of x */

	for (int i0 = FROM(i0); i0 < TO(i0, O0); i0++)
	for (int i1 = FROM(i1); i1 < TO(i1, O1); i1++)
	for (int i2 = FROM(i2); i2 < TO(i2, O2); i2++) {
		T a = INIT;

		for (int j = 0; j < A; j++) {
#if REVERSE
			const int i = A - 1 - j;
#else
			const int i = j;
#endif
			const T v = x[i0 * X_O0 + i1 * X_O1 + i2 * X_O2 + i * XA];
#if EXCLUSIVE
			T b = a;

			a = STEP;
#else
			a = STEP;
			T b = a;

#endif
			EPILOGUE(b, i0, i1, i2, i);
			Y(i0, i1, i2, i) = b;
		}
	}
}
