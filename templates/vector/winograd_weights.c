/*
 * Filters of winograd.c: y [block][SIDE * SIDE][C][KB] = G w G', of w [block][3 * 3][C][KB], for SIDE = M + 2. KB is a
 * multiple of 16.
 */
#include "template.h"

#define PIXELS 4 /* M: 4 or 2 */

/* o = G d, three to SIDE. */
static TARGET INLINE void winograd_weights_filter(const VEC *d, VEC *o)
{
#if PIXELS == 4
	const VEC a = VEC_MUL(VEC_ADD(d[0], d[2]), VEC_SET1(-1.0f / 6.0f)), b = VEC_MUL(d[1], VEC_SET1(1.0f / 6.0f));
	const VEC c = VEC_FMADD(VEC_SET1(4.0f), d[2], d[0]), e = VEC_MUL(d[1], VEC_SET1(2.0f));

	o[0] = VEC_MUL(d[0], VEC_SET1(0.25f));
	o[1] = VEC_SUB(a, b);
	o[2] = VEC_ADD(a, b);
	o[3] = VEC_MUL(VEC_ADD(c, e), VEC_SET1(1.0f / 24.0f));
	o[4] = VEC_MUL(VEC_SUB(c, e), VEC_SET1(1.0f / 24.0f));
	o[5] = d[2];
#else
	const VEC a = VEC_MUL(VEC_ADD(d[0], d[2]), VEC_SET1(0.5f)), b = VEC_MUL(d[1], VEC_SET1(0.5f));

	o[0] = d[0];
	o[1] = VEC_ADD(a, b);
	o[2] = VEC_SUB(a, b);
	o[3] = d[2];
#endif
}

/* Filters of winograd.c: see the top of this file. */
static TARGET void winograd_weights(const float *restrict w, float *y)
{
	enum { BLOCKS = 2, SIDE = PIXELS + 2, C = 16, KB = 64 };

	for (int block = 0; block < BLOCKS; block++)
	for (int c = 0; c < C; c++)
	for (int k = 0; k < KB; k += LANES) {
		const float *const from = w + (block * 9 * C + c) * KB + k;
		float *const to = y + (block * SIDE * SIDE * C + c) * KB + k;
		VEC r[SIDE][3];

		UNROLL
		for (int j = 0; j < 3; j++) {
			VEC d[3], e[SIDE];

			UNROLL
			for (int i = 0; i < 3; i++)
				d[i] = VEC_LOAD(from + (i * 3 + j) * C * KB);
			winograd_weights_filter(d, e);
			UNROLL
			for (int i = 0; i < SIDE; i++)
				r[i][j] = e[i];
		}
		UNROLL
		for (int i = 0; i < SIDE; i++) {
			VEC e[SIDE];

			winograd_weights_filter(r[i], e);
			UNROLL
			for (int j = 0; j < SIDE; j++)
				VEC_STORE(to + (i * SIDE + j) * C * KB, e[j]);
		}
	}
}
