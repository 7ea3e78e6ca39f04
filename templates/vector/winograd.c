/*
 * 3x3 convolution with stride 1 by Winograd's minimal filtering F(MxM, 3x3) (Lavin and Gray, arXiv:1509.09308): tiles of
 * SIDE x SIDE input pixels, SIDE = M + 2, become B'xB; SIDE * SIDE small products over the input channels, a tile a row, take the
 * place of nine times M * M; and what they give becomes A'mA, M x M pixels of y.
 *
 * TB tiles at a time, so that what is between the transforms stays in L2. x has its channels side by side: strides
 * XN XH XW; C, the channels of each of G groups, is a multiple of 16, and so is what a block of KB channels has of each convolution; blocks are whole.
 * w: where FLY is 0 [group][block][SIDE * SIDE][C][STACK][KB / STACK], transformed by init, LINES floats a place; where it is 1
 * the filters, [group][block][C][3 * 3][STACK][KB / STACK], transformed as they are used, DEPTH channels by WIDTH at a time, which
 * stay in L1: for few tiles that takes less time than to fetch them transformed. bias [group][block][STACK][KB / STACK]. x is not y.
 * STACK convolutions that read the same x are computed together: the epilogue has the first one's value in v, the
 * others' in b and c.
 * gemm, where FLY is 0: [0] TB tiles; [1] REST, where the last block of tiles has fewer. Where it is 1 sums of GROUP tiles are
 * in registers; ROWS is TB in whole groups.
 * tile: in [SIDE * SIDE][ROWS][C], sums [SIDE * SIDE][ROWS][KB], out [M * M][KB], filters [SIDE * SIDE][DEPTH][WIDTH] floats,
 * aligned to 64. From one of SIDE * SIDE to the next it is an odd number of cache lines, as all would fall into a few sets of the cache.
 */
#include "template.h"

#define BIAS 1	    /* a bias for each output channel */
#define PIXELS 4    /* M: 4 or 2 */
#define CHANNELS 64 /* KB, channels of a block */
#define STACK 1	    /* convolutions: 1, 2 or 3; CHANNELS is a multiple */
#define TAIL 1	    /* REST < TB */
#define FLY 1	    /* filters are transformed here .. */
#define WIDTH 16    /* .. for so many channels at a time .. */
#define GROUP 4	    /* .. and so many tiles, whose sums are in registers */
#define VECTOR 0    /* the epilogue has a vector form */

#define Y(n, k, p) y[((n) * P + (p)) * K + (k)]

#if FLY
#include "winograd_filter.inc"

/* sums [rows][across] (add: +=) in [rows][step] times filters [depth][width]; rows are whole groups. */
static TARGET INLINE void winograd_products(const float *restrict filters, const float *restrict in, float *sums, int rows,
					    int depth, int step, int across, int add)
{
	for (int t = 0; t < rows; t += GROUP) {
		VEC s[GROUP][WIDTH / LANES];

		UNROLL
		for (int i = 0; i < GROUP; i++)
			UNROLL
			for (int j = 0; j < WIDTH / LANES; j++)
				s[i][j] = add ? VEC_LOAD(sums + (t + i) * across + j * LANES) : VEC_SET1(0.0f);
		for (int d = 0; d < depth; d++) {
			VEC f[WIDTH / LANES];

			UNROLL
			for (int j = 0; j < WIDTH / LANES; j++) {
				f[j] = VEC_LOAD(filters + d * WIDTH + j * LANES);
				VEC_HOLD(f[j]);
			}
			UNROLL
			for (int i = 0; i < GROUP; i++) {
				const VEC v = VEC_SET1(in[(t + i) * step + d]);

				UNROLL
				for (int j = 0; j < WIDTH / LANES; j++)
					s[i][j] = VEC_FMADD(v, f[j], s[i][j]);
			}
		}
		UNROLL
		for (int i = 0; i < GROUP; i++)
			UNROLL
			for (int j = 0; j < WIDTH / LANES; j++)
				VEC_STORE(sums + (t + i) * across + j * LANES, s[i][j]);
	}
}
#endif

/* o = B'd: for M = 4 the points 0, 1, -1, 2, -2 and infinity, for M = 2 without 2 and -2. */
static TARGET INLINE void winograd_in(const VEC *d, VEC *o)
{
#if PIXELS == 4
	const VEC a = VEC_FMADD(VEC_SET1(-4.0f), d[2], d[4]), b = VEC_FMADD(VEC_SET1(-4.0f), d[1], d[3]);
	const VEC c = VEC_SUB(d[4], d[2]), e = VEC_SUB(d[3], d[1]);

	o[0] = VEC_FMADD(VEC_SET1(4.0f), d[0], VEC_FMADD(VEC_SET1(-5.0f), d[2], d[4]));
	o[1] = VEC_ADD(a, b);
	o[2] = VEC_SUB(a, b);
	o[3] = VEC_FMADD(VEC_SET1(2.0f), e, c);
	o[4] = VEC_FMADD(VEC_SET1(-2.0f), e, c);
	o[5] = VEC_FMADD(VEC_SET1(4.0f), d[1], VEC_FMADD(VEC_SET1(-5.0f), d[3], d[5]));
#else
	o[0] = VEC_SUB(d[0], d[2]);
	o[1] = VEC_ADD(d[1], d[2]);
	o[2] = VEC_SUB(d[2], d[1]);
	o[3] = VEC_SUB(d[1], d[3]);
#endif
}

/* o = A'm. */
static TARGET INLINE void winograd_out(const VEC *m, VEC *o)
{
#if PIXELS == 4
	const VEC p = VEC_ADD(m[1], m[2]), q = VEC_SUB(m[1], m[2]);
	const VEC r = VEC_ADD(m[3], m[4]), s = VEC_SUB(m[3], m[4]);

	o[0] = VEC_ADD(VEC_ADD(m[0], p), r);
	o[1] = VEC_FMADD(VEC_SET1(2.0f), s, q);
	o[2] = VEC_FMADD(VEC_SET1(4.0f), r, p);
	o[3] = VEC_ADD(VEC_FMADD(VEC_SET1(8.0f), s, q), m[5]);
#else
	o[0] = VEC_ADD(VEC_ADD(m[0], m[1]), m[2]);
	o[1] = VEC_SUB(VEC_SUB(m[1], m[2]), m[3]);
#endif
}

/* Convolution of x with w: see the top of this file. */
static TARGET void winograd(const float *restrict x, const float *restrict w, const float *restrict bias, float *y,
			    float *restrict tile
#if !FLY
			    , gemm_fn *const *gemm
#endif
			    )
{
	enum { M = PIXELS, SIDE = M + 2, G = 1, C = 16, K = 64, KB = CHANNELS, STEP = CHANNELS / STACK };
	enum { TB = 6, TH = 2, TW = 2, TILES = 4 }; /* tiles: of a block, of a column and a row of an image, of all */
	enum { H = 8, W = 8, OH = 8, OW = 8, P = 64, PAD_H = 1, PAD_W = 1 };
	enum { XN = 1024, XH = 128, XW = 16 }; /* strides of x */
#if FLY
	enum { DEPTH = 8, LINES = (DEPTH * WIDTH / 32 * 2 + 1) * 16 };
	enum { ROWS = 8, IN = (ROWS / 2 * 2 + 1) * 16, AHEAD = (DEPTH * 9 + SIDE * SIDE - 1) / (SIDE * SIDE) };
#else
	enum { LINES = (C * KB / 32 * 2 + 1) * 16, ROWS = TB, IN = (ROWS * C / 32 * 2 + 1) * 16 };
	const uint64_t count = 1, start = 0; /* of each product: one pair of matrices, at once */
#endif
	enum { SUMS = (ROWS * KB / 32 * 2 + 1) * 16 };
	static const float zero[C] = { 0 }; /* a pixel outside x */
	float *const in = tile, *const sums = in + SIDE * SIDE * IN * (FLY ? C / 16 : 1);
#if !VECTOR || STACK > 1
	float *const out = sums + SIDE * SIDE * SUMS;
#endif
#if FLY
	float *const filters = sums + SIDE * SIDE * SUMS + M * M * KB;
#endif

	for (int g = FROM(g); g < TO(g, G); g++)
	for (int t0 = FROM(q); t0 < TO(q, TILES); t0 += TB) {
#if TAIL
		const int tiles = TILES - t0 < TB ? TILES - t0 : TB;
#else
		const int tiles = TB;
#endif
#if FLY
		const int rows = (tiles + GROUP - 1) / GROUP * GROUP; /* behind the tiles some that nobody reads */
#endif

		for (int t = t0; t < t0 + tiles; t++) {
			const float *at[SIDE * SIDE], *const u = x + t / (TH * TW) * XN + g * C;
			const int h0 = t / TW % TH * M - PAD_H, w0 = t % TW * M - PAD_W;

			for (int i = 0; i < SIDE; i++)
				for (int j = 0; j < SIDE; j++) {
					const int inside = h0 + i >= 0 && h0 + i < H && w0 + j >= 0 && w0 + j < W;

					at[i * SIDE + j] = inside ? u + (h0 + i) * XH + (w0 + j) * XW : zero;
				}
			for (int c = 0; c < C; c += LANES) {
#if FLY
				float *const to = in + c / 16 * SIDE * SIDE * IN + (t - t0) * 16 + c % 16;
#else
				float *const to = in + (t - t0) * C + c;
#endif
				VEC r[SIDE][SIDE];

				UNROLL
				for (int j = 0; j < SIDE; j++) {
					VEC d[SIDE], e[SIDE];

					UNROLL
					for (int i = 0; i < SIDE; i++)
						d[i] = VEC_LOAD(at[i * SIDE + j] + c);
					winograd_in(d, e);
					UNROLL
					for (int i = 0; i < SIDE; i++)
						r[i][j] = e[i];
				}
				UNROLL
				for (int i = 0; i < SIDE; i++) {
					VEC e[SIDE];

					winograd_in(r[i], e);
					UNROLL
					for (int j = 0; j < SIDE; j++)
						VEC_STORE(to + (i * SIDE + j) * IN, e[j]);
				}
			}
		}
		for (int k0 = FROM(k); k0 < TO(k, K); k0 += STEP) {
			const int first = g * K + k0; /* of the block's channels */

#if FLY
			for (int j = 0; j < KB; j += WIDTH)
				for (int c0 = 0; c0 < C; c0 += DEPTH) {
					const float *const from = w + (first * STACK * C + c0 * KB) * 9 + j;

					winograd_weights_rows(from, filters, DEPTH, WIDTH, KB, LINES);
					for (int i = 0; i < SIDE * SIDE; i++) {
						for (int l = i * AHEAD; l < (i + 1) * AHEAD; l++)
							VEC_PREFETCH_FAR(from + (DEPTH * 9 + l) * KB);
						winograd_products(filters + i * LINES, in + (c0 / 16 * SIDE * SIDE + i) * IN + c0 % 16,
								  sums + i * SUMS + j, rows, DEPTH, 16, KB, c0 > 0);
					}
				}
#else
			for (int i = 0; i < SIDE * SIDE; i++) {
				const float *const a = w + (first / STEP * SIDE * SIDE + i) * LINES;

#if TAIL
				gemm[tiles < TB](a, in + i * IN, sums + i * SUMS, &count, &start, &start);
#else
				gemm[0](a, in + i * IN, sums + i * SUMS, &count, &start, &start);
#endif
			}
#endif
			for (int t = t0; t < t0 + tiles; t++) {
				const int n = t / (TH * TW), h0 = t / TW % TH * M, w0 = t % TW * M;

				(void)n; /* nobody asks which image, of one */
				for (int j = 0; j < KB; j += LANES) {
					const float *const from = sums + (t - t0) * KB + j;
					VEC r[M][SIDE];

					UNROLL
					for (int i = 0; i < SIDE; i++) {
						VEC d[SIDE], e[M];

						UNROLL
						for (int q = 0; q < SIDE; q++)
							d[q] = VEC_LOAD(from + (q * SIDE + i) * SUMS);
						winograd_out(d, e);
						UNROLL
						for (int q = 0; q < M; q++)
							r[q][i] = e[q];
					}
					UNROLL
					for (int i = 0; i < M; i++) {
						VEC e[M];

						winograd_out(r[i], e);
						UNROLL
						for (int q = 0; q < M; q++) {
#if BIAS
							VEC v = VEC_ADD(e[q], VEC_LOAD(bias + first * STACK + j));
#else
							VEC v = e[q];
#endif
#if VECTOR && STACK == 1
							const int p = (h0 + i) * OW + w0 + q, k = first + j;

							if (h0 + i >= OH || w0 + q >= OW)
								continue;
							VECTOR_EPILOGUE(v, n, k, p);
							VEC_STORE(&Y(n, k, p), v);
#else
							VEC_STORE(out + (i * M + q) * KB + j, v);
#endif
						}
					}
				}
#if !VECTOR || STACK > 1
				for (int i = 0; i < M * M; i++) {
					const int p = (h0 + i / M) * OW + w0 + i % M;

					if (h0 + i / M >= OH || w0 + i % M >= OW)
						continue;
#if VECTOR
					for (int j = 0; j < STEP; j += LANES) {
						const int k = first + j;
						VEC v = VEC_LOAD(out + i * KB + j);
						const VEC b = VEC_LOAD(out + i * KB + STEP + j);
#if STACK > 2
						const VEC c = VEC_LOAD(out + i * KB + 2 * STEP + j);
#endif

						VECTOR_EPILOGUE(v, n, k, p);
						VEC_STORE(&Y(n, k, p), v);
					}
#else
					LANEWISE
					for (int j = 0; j < STEP; j++) {
						const int k = first + j;
						float v = out[i * KB + j];
#if STACK > 1
						const float b = out[i * KB + STEP + j];
#endif
#if STACK > 2
						const float c = out[i * KB + 2 * STEP + j];
#endif

						EPILOGUE(v, n, k, p);
						Y(n, k, p) = v;
					}
#endif
				}
#endif
			}
		}
	}
}
