/*
 * Convolution of integers in one or two dimensions, exact, vector code: sums of w, of 8 bits, times x less XZ, of 8 bits, too. A
 * fully connected layer is one of windows of one. HB rows of y at a time, the rows of x that they read are copied, less XZ, which
 * makes them 0 to 255, and widened to 16 bits where products of bytes are none of the instruction set's; EDGE is around them. Then four
 * neighbours there meet their weights in one instruction, and sums of PB pixels and some outputs stay in registers while the window
 * goes by. EDGE, for which an x of zero is there, times the weights is taken from the bias: sums are modulo 2^32, and these fit.
 *
 * x is read through strides: XN XC XH XW. x is not y. C is the channels of one of G groups, K the outputs of all, KG those of one; of several
 * groups KB divides it. wide: rows of PW pixels of G C integers. There SPAN taps of a row of the window
 * are neighbours: all of them or, where they are dilated or groups are between, one. The last of a run have neighbours whose weights are 0.
 * w [STACK][block][run of SPAN taps][four][16][4]: blocks of 16 outputs, the last one filled up with 0; bias [STACK][K]. STACK layers that read the same x are computed together: the epilogue has the first one's sum in a, the others' in b
 * and c, and gives r.
 */
#include "template.h"

#define TX uint8_t /* of x */
#define TY int32_t /* of y */
#define TV IVEC	   /* LANES of them, */
#define PUT IVEC_STORE /* which stores these, */
#define DOT_LOAD DOT_LOAD_u8 /* and which loads those of x */
#define FIRST a	   /* what r is before the epilogue, and as a vector */
#define FIRSTS a
#define DENSE 1	   /* channels of x are neighbours */
#define WHOLE 1	   /* and rows, too */
#define PADDED 1   /* windows leave the image, */
#define SIDES 1	   /* to the left or right */
#define TAIL 1	   /* K % 16 != 0 */
#define VECTOR 0   /* the epilogue has a vector form */
#define STACK 1	   /* layers: 1, 2 or 3 */
#define GROUPED 0  /* G > 1 */

#define Y(n, k, p) y[((n) * K + (k)) * P + (p)]

#if DENSE || WHOLE
/* count integers as products take them. */
static TARGET INLINE void conv_integer_copy(const TX *restrict x, DOT_TYPE *to, const int count)
{
	enum { XZ = -128 };
	int c = 0;

	for (; c + DOT_LANES <= count; c += DOT_LANES)
		IVEC_STORE(to + c, DOT_LOAD(x + c, XZ));
	for (; c < count; c++)
		to[c] = (DOT_TYPE)(x[c] - XZ);
}
#endif

#if PADDED
/* count of those around the image. */
static TARGET INLINE void conv_integer_edge(DOT_TYPE *to, const int count)
{
	enum { EDGE = 128 };
	int c = 0;

	for (; c + DOT_LANES <= count; c += DOT_LANES)
		IVEC_STORE(to + c, DOT_SET1(EDGE));
	for (; c < count; c++)
		to[c] = EDGE;
}
#endif

/* The four integers at p. */
static TARGET INLINE DOT_FOUR conv_integer_four(const DOT_TYPE *p)
{
	DOT_FOUR v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The sums of the pixels that begin at v[i], and outputs that follow each other in w. */
static TARGET INLINE void conv_integer_tile(const DOT_TYPE *const *v, const int8_t *restrict w, IVEC *sums)
{
	enum { C = 3, G = 1, R = 3, S = 3, SPAN = 3, DIL_H = 1, DIL_W = 1, PW = 10, KB = 16, PB = 6 };
	enum { RUN = (SPAN * C + 3) / 4 * 4, BLOCK = R * S / SPAN * RUN * 16 }; /* inputs of a run; weights of a block */
	enum { MOST = DOT_OUTPUTS * REGISTERS / 8, EVEN = KB / MOST * MOST, FEWER = EVEN < KB ? 16 : MOST, PART = KB < MOST ? KB : FEWER }; /* outputs, */
	enum { VS = PART / DOT_OUTPUTS, VW = PART / LANES }; /* in sums and in vectors */
	ISUM sum[PB * VS];

	UNROLL
	for (int i = 0; i < PB * VS; i++)
		sum[i] = ISUM_ZERO();
	for (int r = 0; r < R; r++)
		for (int s = 0; s < S; s += SPAN) {
			const int at = r * DIL_H * PW * G * C + s * DIL_W * G * C;

			for (int c = at; c < at + RUN; c += 4, w += 64) {
				IVEC t[VS];

				UNROLL
				for (int j = 0; j < VS; j++)
					t[j] = DOT_WEIGHTS(w + j * DOT_OUTPUTS / 16 * BLOCK + j * DOT_OUTPUTS % 16 * 4);
				UNROLL
				for (int j = 0; j < VS; j += 16 / DOT_OUTPUTS)
					VEC_PREFETCH(w + j * DOT_OUTPUTS / 16 * BLOCK + 2048); /* of 32 fours later */
				UNROLL
				for (int i = 0; i < PB; i++) {
					const IVEC a = DOT_SET4(conv_integer_four(v[i] + c));

					UNROLL
					for (int j = 0; j < VS; j++)
						sum[i * VS + j] = DOT_ADD(sum[i * VS + j], a, t[j]);
				}
			}
		}
	UNROLL
	for (int i = 0; i < PB; i++)
		UNROLL
		for (int j = 0; j < VW; j++)
			sums[i * VW + j] = DOT_SUMS(sum + i * VS, j);
}

/* Convolution of integers: see the top of this file. */
static TARGET void conv_integer(const TX *restrict x, const int8_t *restrict w, const int32_t *restrict bias, TY *y,
				float *restrict scratch)
{
	enum { N = 1, C = 3, G = 1, K = 16, KG = 16, KB = 16, H = 8, W = 8, OH = 8, OW = 8, P = 64, PB = 6, HB = 8 };
	enum { R = 3, S = 3, SPAN = 3, STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, DIL_H = 1, PW = 10, XZ = -128 };
	enum { XN = 192, XC = 1, XH = 24, XW = 3 }; /* strides of x */
	enum { BLOCK = R * S / SPAN * ((SPAN * C + 3) / 4) * 64, BLOCKS = (K + 15) / 16 }; /* weights of a block */
	enum { MOST = DOT_OUTPUTS * REGISTERS / 8, EVEN = KB / MOST * MOST, FEWER = EVEN < KB ? 16 : MOST, PART = KB < MOST ? KB : FEWER };
	enum { VW = PART / LANES }; /* of PART outputs of a tile, which divide KB */
	DOT_TYPE *const wide = (DOT_TYPE *)(void *)scratch;

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int first = FROM(p); first < TO(p, P); first += HB * OW) {
		const int pixels = TO(p, P) - first < HB * OW ? TO(p, P) - first : HB * OW;
		const int rows = pixels / OW;

		for (int i = 0; i < (rows - 1) * STRIDE_H + (R - 1) * DIL_H + 1; i++) {
			const int h = first / OW * STRIDE_H - PAD_H + i;
			DOT_TYPE *const to = wide + i * PW * G * C;

#if PADDED
			if (h < 0 || h >= H) {
				conv_integer_edge(to, PW * G * C);
				continue;
			}
#endif
			const TX *const from = x + n * XN + h * XH;

#if SIDES
			conv_integer_edge(to, PAD_W * G * C);
			conv_integer_edge(to + (PAD_W + W) * G * C, (PW - PAD_W - W) * G * C);
#endif
#if WHOLE
			conv_integer_copy(from, to + PAD_W * G * C, W * G * C);
#elif DENSE
			for (int j = 0; j < W; j++)
				conv_integer_copy(from + j * XW, to + (PAD_W + j) * G * C, G * C);
#else
			for (int j = 0; j < W; j++)
				for (int c = 0; c < G * C; c++)
					to[(PAD_W + j) * G * C + c] = (DOT_TYPE)(from[j * XW + c * XC] - XZ);
#endif
		}
		for (int k0 = FROM(k); k0 < TO(k, K); k0 += KB)
			for (int p0 = 0; p0 < pixels; p0 += PB) {
				const DOT_TYPE *v[PB];

				for (int i = 0; i < PB; i++) {
					const int q = p0 + i < pixels ? p0 + i : pixels - 1;

#if GROUPED
					v[i] = wide + (q / OW * STRIDE_H * PW + q % OW * STRIDE_W) * G * C + k0 / KG * C;
#else
					v[i] = wide + (q / OW * STRIDE_H * PW + q % OW * STRIDE_W) * C;
#endif
				}
#if TAIL || !VECTOR
				int32_t sum[STACK * PB * KB]; /* where the epilogue is no vector's */

#endif
				for (int j0 = k0; j0 < k0 + KB; j0 += PART) {
					IVEC sums[STACK * PB * VW];

#if STACK > 1
					for (int s = 0; s < STACK; s++)
						conv_integer_tile(v, w + (s * BLOCKS + j0 / 16) * BLOCK + j0 % 16 * 4, sums + s * PB * VW);
#else
					conv_integer_tile(v, w + j0 / 16 * BLOCK + j0 % 16 * 4, sums);
#endif
#if VECTOR
					UNROLL
					for (int i = 0; i < PB; i++)
						UNROLL
						for (int j = 0; j < VW; j++) {
							const int p = first + p0 + i;
							const int k = j0 + j * LANES;

							if (p0 + i >= pixels)
								continue;
#if TAIL
							if (k + LANES > K)
								continue;
#endif
							const IVEC a = IVEC_ADD(sums[i * VW + j], IVEC_LOAD(bias + k));
#if STACK > 1
							const IVEC b = IVEC_ADD(sums[(PB + i) * VW + j], IVEC_LOAD(bias + K + k));
#endif
#if STACK > 2
							const IVEC c = IVEC_ADD(sums[(2 * PB + i) * VW + j], IVEC_LOAD(bias + 2 * K + k));
#endif
							TV r = FIRSTS;

							VECTOR_EPILOGUE(r, n, k, p);
							PUT(&Y(n, k, p), r);
						}
#endif
#if TAIL || !VECTOR
#if VECTOR
					if (j0 + PART > K / LANES * LANES) {
#else
					{
#endif
						UNROLL
						for (int i = 0; i < STACK * PB; i++)
							UNROLL
							for (int j = 0; j < VW; j++)
								IVEC_STORE(sum + i * KB + j0 - k0 + j * LANES, sums[i * VW + j]);
					}
#endif
				}
#if TAIL || !VECTOR
#if VECTOR
				const int begin = k0 < K / LANES * LANES ? K / LANES * LANES : k0;
#else
				const int begin = k0;
#endif
				const int end = k0 + KB < K ? k0 + KB : K;

				for (int i = 0; i < PB && p0 + i < pixels; i++) {
					const int p = first + p0 + i;

					for (int k = begin; k < end; k++) {
						const int32_t a = sum[i * KB + k - k0] + bias[k];
#if STACK > 1
						const int32_t b = sum[(PB + i) * KB + k - k0] + bias[K + k];
#endif
#if STACK > 2
						const int32_t c = sum[(2 * PB + i) * KB + k - k0] + bias[2 * K + k];
#endif
						TY r = FIRST;

						EPILOGUE(r, n, k, p);
						Y(n, k, p) = r;
					}
				}
#endif
			}
	}
}
