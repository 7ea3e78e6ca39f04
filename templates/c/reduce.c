/*
 * Reduction over the dimensions R0..R3 (strides X_R0..X_R3) for each element of O0..O3 (strides
 * X_O0..X_O3): Y(i0, i1, i2, i3). A dimension that is not there is 1.
 *
 * INIT is the neutral value, STEP the expression that joins a sum `a` with an element `v`, JOIN the one
 * that joins two sums `a` and `v`, FINISH the result from `a`. Runs of RUN elements are joined first,
 * then their sums: the error of a long sum grows with its square root only. CB elements of the
 * innermost dimension O3 are reduced side by side, which is fast when X_O3 = 1.
 */
#include "template.h"

#define TX float /* of x; T is that of sums */
#define INIT 0.0f
#define STEP (a + v)
#define JOIN (a + v)
#define FINISH (a / 49.0f)
#define TAIL 1 /* O3 % CB != 0 */

#define Y(i0, i1, i2, i3) y[(((i0) * O1 + (i1)) * O2 + (i2)) * O3 + (i3)]

/* Adds up, for `count` neighbours of O3, all elements behind x. */
static TARGET INLINE void reduce_sum(const TX *restrict x, T *sum, int count)
{
	enum { CB = 16, RUN = 64, R0 = 1, R1 = 1, R2 = 7, R3 = 7 };
	enum { X_O3 = 1, X_R0 = 0, X_R1 = 0, X_R2 = 140, X_R3 = 20 }; /* strides of x */

	for (int j = 0; j < count; j++)
		sum[j] = INIT;
	for (int r0 = 0; r0 < R0; r0++)
	for (int r1 = 0; r1 < R1; r1++)
	for (int r2 = 0; r2 < R2; r2++) {
		for (int first = 0; first < R3; first += RUN) {
			const int last = R3 - first < RUN ? R3 : first + RUN;
			T part[CB];

			for (int j = 0; j < count; j++)
				part[j] = INIT;
			for (int r3 = first; r3 < last; r3++) {
				for (int j = 0; j < count; j++) {
					const T a = part[j];
					const T v = x[r0 * X_R0 + r1 * X_R1 + r2 * X_R2 + r3 * X_R3 + j * X_O3];

					part[j] = STEP;
				}
			}
			for (int j = 0; j < count; j++) {
				const T a = sum[j], v = part[j];

				sum[j] = JOIN;
			}
		}
	}
}

/* Reduction: see the top of this file. */
static TARGET void reduce(const TX *restrict x, T *y)
{
	enum { O0 = 1, O1 = 1, O2 = 1, O3 = 20, CB = 16 };
	enum { X_O0 = 0, X_O1 = 0, X_O2 = 0, X_O3 = 1 }; /* strides of x */

	for (int i0 = FROM(i0); i0 < TO(i0, O0); i0++)
	for (int i1 = FROM(i1); i1 < TO(i1, O1); i1++)
	for (int i2 = FROM(i2); i2 < TO(i2, O2); i2++) {
		for (int c0 = FROM(i3); c0 < TO(i3, O3); c0 += CB) {
#if TAIL
			const int count = O3 - c0 < CB ? O3 - c0 : CB;
#else
			const int count = CB;
#endif
			T sum[CB];

			reduce_sum(x + i0 * X_O0 + i1 * X_O1 + i2 * X_O2 + c0 * X_O3, sum, count);
			for (int j = 0; j < count; j++) {
				const int i3 = c0 + j;
				const T a = sum[j];
				T b = FINISH;

				EPILOGUE(b, i0, i1, i2, i3);
				Y(i0, i1, i2, i3) = b;
			}
		}
	}
}
