/*
 * Y(i0, i1, i2, i3): the element of a table of 256 that x, of 8 bits, says; the strides of x are X_O0 .. The epilogue has it
 * in a, and gives r.
 */
#include "template.h"

#define TX uint8_t /* of x */
#define TS uint8_t /* of the table */
#define TY uint8_t /* of y */
#define FIRST a	   /* what r is before the epilogue */

#define Y(i0, i1, i2, i3) y[(((i0) * O1 + (i1)) * O2 + (i2)) * O3 + (i3)]

/* Look up: see the top of this file. */
static TARGET void lookup(const TX *restrict x, const TS *restrict table, TY *y)
{
	enum { O0 = 1, O1 = 1, O2 = 1, O3 = 20 };
	enum { X_O0 = 0, X_O1 = 0, X_O2 = 0, X_O3 = 1 }; /* strides of x */

	for (int i0 = FROM(i0); i0 < TO(i0, O0); i0++)
	for (int i1 = FROM(i1); i1 < TO(i1, O1); i1++)
	for (int i2 = FROM(i2); i2 < TO(i2, O2); i2++)
	for (int i3 = FROM(i3); i3 < TO(i3, O3); i3++) {
		const TS a = table[(uint8_t)x[i0 * X_O0 + i1 * X_O1 + i2 * X_O2 + i3 * X_O3]];
		TY r = FIRST;

		EPILOGUE(r, i0, i1, i2, i3);
		Y(i0, i1, i2, i3) = r;
	}
}
