/*
 * 3x3 convolution of integers with stride 1 by Winograd's minimal filtering F(4x4, 3x3), exact: sums of w, of 8 bits, times x less
 * XZ, of 8 bits, too. See vector/winograd.c. Matrices are those of there times what makes them whole: tiles B'dB fit 16 bits (at most
 * 100 times 255), and so do filters G'wG (49 times 128). Sums over channels are modulo 2^32; A'mA is 9 * 2^s times what it is to
 * be, modulo 2^32, and that is below 2^25, so a product with the inverse of 9, and a shift, give it.
 *
 * TB tiles at a time. x has its channels side by side: strides XN XH XW; C and K are multiples of 16. x is not y.
 * w [STACK][block of 16][tap][C / 4][16][4]: filters are transformed as they are used, CHUNK channels at a time. bias [STACK][K].
 * STACK layers that read the same x are computed together: the epilogue has the first one's sum in a, the others' in b and c, and gives r.
 * scratch: in [36][tiles][C] and filters [36][CHUNK / 2][16][2] of 16 bits, sums [STACK][36][tiles][16] of 32, with room for TB tiles and
 * more, up to a multiple of 2 ROWS. From one of 36 to the next it is an odd number of cache lines, as all would fall into a few sets of the cache.
 */
#include "template.h"

#define TX uint8_t /* of x */
#define TY int32_t /* of y */
#define TV IVEC	   /* LANES of them, */
#define PUT IVEC_STORE /* which stores these, */
#define WIDEN IVEC_WIDEN_u8 /* and which widens those of x */
#define FIRST a	   /* what r is before the epilogue, and as a vector */
#define FIRSTS a
#define BIAS 1	   /* a bias for each output channel */
#define VECTOR 0   /* the epilogue has a vector form */
#define STACK 1	   /* layers: 1, 2 or 3 */

#define Y(n, k, p) y[((n) * K + (k)) * P + (p)]

/* o = B'd, 16 bits: the points 0, 1, -1, 2, -2 and infinity. */
static TARGET INLINE void winograd_integer_in(const IVEC *d, IVEC *o)
{
	const IVEC a = IVEC_SUB16(d[4], IVEC_SHL16(d[2], 2)), b = IVEC_SUB16(d[3], IVEC_SHL16(d[1], 2));
	const IVEC c = IVEC_SUB16(d[4], d[2]), e = IVEC_SUB16(d[3], d[1]);

	o[0] = IVEC_ADD16(IVEC_SHL16(IVEC_SUB16(d[0], d[2]), 2), c);
	o[1] = IVEC_ADD16(a, b);
	o[2] = IVEC_SUB16(a, b);
	o[3] = IVEC_ADD16(c, IVEC_SHL16(e, 1));
	o[4] = IVEC_SUB16(c, IVEC_SHL16(e, 1));
	o[5] = IVEC_SUB16(IVEC_SUB16(d[5], d[3]), IVEC_SHL16(e, 2));
}

/* o = Gw, 16 bits, its rows times 4, -6, -6, 24, 24 and 1. */
static TARGET INLINE void winograd_integer_filter(const IVEC *g, IVEC *o)
{
	const IVEC a = IVEC_ADD16(g[0], g[2]), b = IVEC_ADD16(g[0], IVEC_SHL16(g[2], 2)), c = IVEC_SHL16(g[1], 1);

	o[0] = g[0];
	o[1] = IVEC_ADD16(a, g[1]);
	o[2] = IVEC_SUB16(a, g[1]);
	o[3] = IVEC_ADD16(b, c);
	o[4] = IVEC_SUB16(b, c);
	o[5] = g[2];
}

/* o = A'm, 32 bits, its rows times 24, 12, 6 and 6. */
static TARGET INLINE void winograd_integer_out(const IVEC *m, IVEC *o)
{
	const IVEC p = IVEC_ADD(m[1], m[2]), q = IVEC_SUB(m[1], m[2]);
	const IVEC r = IVEC_ADD(m[3], m[4]), s = IVEC_SUB(m[3], m[4]);

	o[0] = IVEC_ADD(IVEC_ADD(IVEC_SHL(IVEC_SUB(m[0], p), 2), IVEC_SHL(m[0], 1)), r);
	o[1] = IVEC_SUB(s, IVEC_SHL(q, 1));
	o[2] = IVEC_SUB(r, p);
	o[3] = IVEC_ADD(IVEC_SUB(IVEC_SHL(s, 1), q), IVEC_ADD(IVEC_SHL(m[5], 2), IVEC_SHL(m[5], 1)));
}

/* Filters of 16 outputs and CHUNK channels, of which w has the first tap. */
static TARGET INLINE void winograd_integer_filters(const int8_t *restrict w, int16_t *to)
{
	enum { C = 64, CHUNK = 64, LINES = (CHUNK / 2 + 1) * 32 };

	for (int c = 0; c < 16 * CHUNK; c += 4 * LANES) /* LANES outputs of four channels */
		for (int pair = 0; pair < 2; pair++) {
			int16_t *const at = to + (c / 64 * 2 + pair) * 32 + c % 64 / 2;
			IVEC r[6][3];

			UNROLL
			for (int j = 0; j < 3; j++) {
				IVEC g[3], o[6];

				UNROLL
				for (int i = 0; i < 3; i++)
					g[i] = IVEC_WIDEN_PAIRS(w + (i * 3 + j) * C * 16 + c, pair);
				winograd_integer_filter(g, o);
				UNROLL
				for (int i = 0; i < 6; i++)
					r[i][j] = o[i];
			}
			UNROLL
			for (int i = 0; i < 6; i++) {
				IVEC o[6];

				winograd_integer_filter(r[i], o);
				UNROLL
				for (int j = 0; j < 6; j++)
					IVEC_STORE(at + (i * 6 + j) * LINES, o[j]);
			}
		}
}

/* The tile of x whose pixels lie at `at`, transformed. */
static TARGET INLINE void winograd_integer_tile(const TX *const *at, int16_t *to)
{
	enum { C = 64, XZ = 128, IN = 4096 };

	for (int c0 = 0; c0 < C; c0 += 2 * LANES) {
		const int c = C < 2 * LANES || c0 + 2 * LANES <= C ? c0 : C - 2 * LANES; /* the last ones overlap */
		IVEC r[6][6];

		UNROLL
		for (int j = 0; j < 6; j++) {
			IVEC d[6], o[6];

			UNROLL
			for (int i = 0; i < 6; i++) {
				const TX *from = at[i * 6 + j] + c;
				TX few[2 * LANES] = { 0 };

				if (C < 2 * LANES) /* there is nothing behind them */
					from = (const TX *)memcpy(few, from, C * sizeof(*from));
				d[i] = IVEC_LESS(WIDEN(from), XZ);
			}
			winograd_integer_in(d, o);
			UNROLL
			for (int i = 0; i < 6; i++)
				r[i][j] = o[i];
		}
		UNROLL
		for (int i = 0; i < 6; i++) {
			IVEC o[6];

			winograd_integer_in(r[i], o);
			UNROLL
			for (int j = 0; j < 6; j++) {
				int16_t few[2 * LANES];

				if (C < 2 * LANES) {
					IVEC_STORE(few, o[j]);
					memcpy(to + (i * 6 + j) * IN, few, C * sizeof(*few));
				} else {
					IVEC_STORE(to + (i * 6 + j) * IN + c, o[j]);
				}
			}
		}
	}
}

/* Both of the integers at p. */
static TARGET INLINE int32_t winograd_integer_pair(const int16_t *p)
{
	int32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Sums of some tiles, v the first of them, and 16 outputs; `more` of what was there. */
static TARGET INLINE void winograd_integer_product(const int16_t *restrict v, const int16_t *restrict w, int32_t *to, int more)
{
	enum { C = 64, CHUNK = 64, ROWS = 6, VW = 16 / LANES, PB = VW > 1 ? ROWS : 2 * ROWS };
	ISUM sum[PB * VW];

	UNROLL
	for (int i = 0; i < PB * VW; i++)
		sum[i] = ISUM_ZERO();
	for (int c = 0; c < CHUNK; c += 2, w += 32) {
		IVEC t[VW];

		UNROLL
		for (int j = 0; j < VW; j++)
			t[j] = IVEC_LOAD(w + 2 * j * LANES);
		UNROLL
		for (int i = 0; i < PB; i++) {
			const IVEC a = IVEC_SET1(winograd_integer_pair(v + i * C + c));

			UNROLL
			for (int j = 0; j < VW; j++)
				sum[i * VW + j] = ISUM_DOT(sum[i * VW + j], a, t[j]);
		}
	}
	if (more) {
		UNROLL
		for (int i = 0; i < PB * VW; i++)
			IVEC_STORE(to + i * LANES, IVEC_ADD(IVEC_LOAD(to + i * LANES), IVEC_OF(sum[i])));
	} else {
		UNROLL
		for (int i = 0; i < PB * VW; i++)
			IVEC_STORE(to + i * LANES, IVEC_OF(sum[i]));
	}
}

/* The pixels of a tile, LANES outputs of each, of sums from[36]. */
static TARGET INLINE void winograd_integer_pixels(const int32_t *restrict from, IVEC *to)
{
	enum { SUMS = 784 };
	static const int shift[4] = { 3, 2, 1, 1 };
	IVEC r[4][6];

	UNROLL
	for (int j = 0; j < 6; j++) {
		IVEC m[6], o[4];

		UNROLL
		for (int i = 0; i < 6; i++)
			m[i] = IVEC_LOAD(from + (i * 6 + j) * SUMS);
		winograd_integer_out(m, o);
		UNROLL
		for (int i = 0; i < 4; i++)
			r[i][j] = o[i];
	}
	UNROLL
	for (int i = 0; i < 4; i++) {
		IVEC o[4];

		winograd_integer_out(r[i], o);
		UNROLL
		for (int j = 0; j < 4; j++)
			to[i * 4 + j] = IVEC_SHR(IVEC_MUL(o[j], IVEC_SET1(954437177)), shift[i] + shift[j]);
	}
}

/* Convolution of integers: see the top of this file. */
static TARGET void winograd_integer(const TX *restrict x, const int8_t *restrict w, const int32_t *restrict bias, TY *y,
				    float *restrict scratch)
{
	enum { N = 1, C = 64, K = 64, H = 8, W = 8, OH = 8, OW = 8, P = 64, PAD_H = 1, PAD_W = 1, XZ = 128 };
	enum { TB = 4, ACROSS = 2, CHUNK = 64 }; /* tiles of a block, and of a row */
	enum { XN = 4096, XH = 512, XW = 64 }; /* strides of x */
	enum { IN = 4096, LINES = (CHUNK / 2 + 1) * 32, SUMS = 784, ROWS = 6, PB = LANES < 16 ? ROWS : 2 * ROWS };
	int16_t *const in = (int16_t *)(void *)scratch, *const filters = in + 36 * IN;
	int32_t *const sums = (int32_t *)(void *)(filters + 36 * LINES);
	TX edge[C]; /* a pixel outside x */

	for (int c = 0; c < C; c++)
		edge[c] = XZ;
	for (int n = FROM(n); n < TO(n, N); n++)
	for (int t0 = FROM(p) / OW / 4 * ACROSS; t0 < (TO(p, P) / OW + 3) / 4 * ACROSS; t0 += TB) {
		const int left = (TO(p, P) / OW + 3) / 4 * ACROSS - t0;
		const int tiles = left < TB ? left : TB;

		for (int t = 0; t < tiles; t++) {
			const int h0 = (t0 + t) / ACROSS * 4 - PAD_H, w0 = (t0 + t) % ACROSS * 4 - PAD_W;
			const TX *at[36];

			for (int i = 0; i < 6; i++)
				for (int j = 0; j < 6; j++) {
					const int inside = h0 + i >= 0 && h0 + i < H && w0 + j >= 0 && w0 + j < W;

					at[i * 6 + j] = inside ? x + n * XN + (h0 + i) * XH + (w0 + j) * XW : edge;
				}
			winograd_integer_tile(at, in + t * C);
		}
		for (int k0 = FROM(k); k0 < TO(k, K); k0 += 16) {
			for (int s = 0; s < STACK; s++)
				for (int c0 = 0; c0 < C; c0 += CHUNK) {
					winograd_integer_filters(w + (s * K + k0) * 9 * C + c0 * 16, filters);
					for (int i = 0; i < 36; i++)
						for (int t = 0; t < tiles; t += PB)
							winograd_integer_product(in + i * IN + t * C + c0, filters + i * LINES,
										 sums + (s * 36 + i) * SUMS + t * 16, c0 > 0);
				}
			for (int t = 0; t < tiles; t++) {
				const int h0 = (t0 + t) / ACROSS * 4, w0 = (t0 + t) % ACROSS * 4;

				for (int j = 0; j < 16; j += LANES) {
					IVEC all[STACK * 16];

					for (int s = 0; s < STACK; s++)
						winograd_integer_pixels(sums + s * 36 * SUMS + t * 16 + j, all + s * 16);
					UNROLL
					for (int i = 0; i < 16; i++) {
						const int p = (h0 + i / 4) * OW + w0 + i % 4;

						if (h0 + i / 4 >= OH || w0 + i % 4 >= OW)
							continue;
#if VECTOR
						const int k = k0 + j;
#if BIAS
						const IVEC a = IVEC_ADD(all[i], IVEC_LOAD(bias + k));
#if STACK > 1
						const IVEC b = IVEC_ADD(all[16 + i], IVEC_LOAD(bias + K + k));
#endif
#if STACK > 2
						const IVEC c = IVEC_ADD(all[32 + i], IVEC_LOAD(bias + 2 * K + k));
#endif
#else
						const IVEC a = all[i];
#if STACK > 1
						const IVEC b = all[16 + i];
#endif
#if STACK > 2
						const IVEC c = all[32 + i];
#endif
#endif
						TV r = FIRSTS;

						VECTOR_EPILOGUE(r, n, k, p);
						PUT(&Y(n, k, p), r);
#else
						int32_t each[STACK * LANES];

						for (int s = 0; s < STACK; s++)
							IVEC_STORE(each + s * LANES, all[s * 16 + i]);
						for (int l = 0; l < LANES; l++) {
							const int k = k0 + j + l;
#if BIAS
							const int32_t a = each[l] + bias[k];
#if STACK > 1
							const int32_t b = each[LANES + l] + bias[K + k];
#endif
#if STACK > 2
							const int32_t c = each[2 * LANES + l] + bias[2 * K + k];
#endif
#else
							const int32_t a = each[l];
#if STACK > 1
							const int32_t b = each[LANES + l];
#endif
#if STACK > 2
							const int32_t c = each[2 * LANES + l];
#endif
#endif
							TY r = FIRST;

							EPILOGUE(r, n, k, p);
							Y(n, k, p) = r;
						}
#endif
					}
				}
			}
		}
	}
}
