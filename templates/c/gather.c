/*
 * Gather: Y(o, i, r) = x[o * XO + index[i] * XA + r * XR] for O outer, N gathered and R inner elements;
 * the gathered dimension of x has A elements. An index below 0 counts from the end; one that is out of
 * range is moved to the nearest end, so that no input reads outside x. x is not y.
 */
#include "template.h"

#define Y(o, i, r) y[((o) * N + (i)) * R + (r)]

/* Gather: see the top of this file. */
static TARGET void gather(const T *restrict x, const I *restrict index, T *y)
{
	enum { O = 2, N = 3, R = 4, A = 5, XO = 20, XA = 4, XR = 1, XI = 1 };

	for (int o = 0; o < O; o++)
	for (int i = 0; i < N; i++) {
		const I wanted = index[i * XI] < 0 ? index[i * XI] + A : index[i * XI];
		const int at = wanted < 0 ? 0 : wanted < A ? (int)wanted : A - 1;

		for (int r = 0; r < R; r++) {
			T v = x[o * XO + at * XA + r * XR];

			EPILOGUE(v, o, i, r);
			Y(o, i, r) = v;
		}
	}
}
