/*
 * Elementwise, where an operand's neighbours in memory are not the result's: the epilogue computes v for
 * each element from its operands, Y(n, q, p) takes it. p counts through the neighbours of whichever has the
 * next of q farther away; a tile of them is done for all q, so that the lines of the other one stay in cache.
 */
#define EPILOGUE(v, ...) (v = 0)
#include "template.h"

#define Y(n, q, p) y[((n)*Q + (q)) * P + (p)]

/* Elementwise operation on tiles: see the top of this file. */
static TARGET void turn(T *y)
{
	enum { N = 1, Q = 64, P = 1024, TILE = 16 };

	for (int n = FROM(n); n < TO(n, N); n++)
		for (int p0 = FROM(p); p0 < TO(p, P); p0 += TILE) {
			const int end = p0 + TILE < P ? p0 + TILE : P;

			for (int q = 0; q < Q; q++)
				for (int p = p0; p < end; p++) {
					T v;

					EPILOGUE(v, n, q, p);
					Y(n, q, p) = v;
				}
		}
}
