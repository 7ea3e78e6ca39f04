/*
 * Filters of winograd.c: y [block][SIDE * SIDE][C][KB] = G w G', of w [block][C][3 * 3][KB], for SIDE = M + 2; LINES
 * floats, an odd number of cache lines, from one of the SIDE * SIDE to the next. KB is a multiple of 16.
 */
#include "template.h"

#define PIXELS 4 /* M: 4 or 2 */

#include "winograd_filter.inc"

/* Filters of winograd.c: see the top of this file. */
static TARGET void winograd_weights(const float *restrict w, float *y)
{
	enum { BLOCKS = 2, SIDE = PIXELS + 2, C = 16, KB = 64, LINES = (C * KB / 32 * 2 + 1) * 16 };

	for (int block = 0; block < BLOCKS; block++)
		winograd_weights_rows(w + block * C * 9 * KB, y + block * SIDE * SIDE * LINES, C, KB, KB, LINES);
	for (int i = 0; i < BLOCKS * SIDE * SIDE; i++)
		for (int j = C * KB; j < LINES; j++) /* between the places: nobody reads it, but what is prepared is the same */
			y[i * LINES + j] = 0.0f;
}
