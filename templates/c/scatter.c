/*
 * Scatter: Y(a, r) = x[a * XA + r * XR] for A rows of R elements; then, one after the other, each of N rows of
 * updates takes the place of row index[n], or is joined to it by JOIN. An index below 0 counts from the end; one that
 * is out of range is moved to the nearest end, so that no input writes outside y. None of x, updates and index is y.
 */
#include "template.h"

#define UNIFORM 0 /* there is no x: its elements are all VALUE */
#define VALUE 0
#define JOINS 0	  /* updates do not replace what is there: */
#define JOIN (v + w) /* v is there, w the update */

#define Y(a, r) y[(a) * R + (r)]

/* Scatter: see the top of this file. */
static TARGET void scatter(const T *restrict x, const I *restrict index, const T *restrict updates,
			   T *y)
{
	enum { A = 5, R = 4, N = 3, XA = 4, XR = 1, XI = 1, UN = 4, UR = 1 };

	(void)index; /* where there is one row */
	for (int a = 0; a < A; a++)
		for (int r = 0; r < R; r++) {
#if UNIFORM
			Y(a, r) = VALUE;
#else
			Y(a, r) = x[a * XA + r * XR];
#endif
		}
	for (int n = 0; n < N; n++) {
		const int at = index[n * XI] < -A ? 0 : index[n * XI] >= A ? A - 1 : (int)((index[n * XI] + (int64_t)A) % A);

		for (int r = 0; r < R; r++) {
			const T w = updates[n * UN + r * UR];
#if JOINS
			const T v = Y(at, r);

			Y(at, r) = JOIN;
#else
			Y(at, r) = w;
#endif
		}
	}
	for (int a = 0; a < A; a++)
		for (int r = 0; r < R; r++) {
			T v = Y(a, r);

			EPILOGUE(v, a, r);
			Y(a, r) = v;
		}
}
