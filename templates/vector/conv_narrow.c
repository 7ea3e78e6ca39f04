/*
 * Convolution in groups of WIDTH channels (1 is depthwise), as many out as in, in one or two dimensions, vector
 * code; or depthwise with MULTIPLE outputs of each channel, one after the other as if each were a convolution. A vector holds neighbouring channels of a pixel, whole groups of them; those of PB neighbouring output
 * pixels stay in registers while the window goes by. Each vector of the input is read once for all of them, and
 * spread: one vector for each channel of a group, which has it in all lanes of the group.
 *
 * Taps outside the image are left out: rows by their range, columns one by one.
 *
 * x has its channels side by side: strides XN XH XW. x is not y. Sums start with the bias and run over rows and
 * columns of the window, then over the input channels as w has them.
 * w [block][multiple][tap][i][16]: blocks of 16 channels, the last one of what is left; taps in the order r, s; in lane l
 * the weight for input channel i of its group, in groups of eight for i ^ (l & 4).
 */
#include "template.h"

#define BIAS 1	 /* a bias for each channel */
#define WIDTH 4	 /* channels of a group: 1, 2, 4 or 8 */
#define MULTIPLE 1 /* outputs of a channel; of more than one WIDTH is 1 */
#define SIDES 1	 /* windows leave the image to the left or right */
#define PADDED 1 /* windows leave the image above or below */
#define REST 0	 /* OW % PB != 0 */
#define TAIL 0	 /* C % 16 != 0 */
#define VECTOR 1 /* the epilogue has a vector form */

#define Y(n, k, p) y[((n) * P + (p)) * C * MULTIPLE + (k)]

/* The channels at p; zeros for those behind the first `count`. */
static TARGET INLINE VEC conv_narrow_load(const float *p, const int count)
{
#if TAIL
	return VEC_LOAD_FIRST(p, count);
#else
	(void)count;
	return VEC_LOAD(p);
#endif
}

/* v [WIDTH]: lane l of the i-th is channel i (in groups of eight i ^ (l & 4)) of its group. */
static TARGET INLINE void conv_narrow_spread(const VEC a, VEC *v)
{
#if WIDTH == 1
	v[0] = a;
#elif WIDTH == 2
	v[0] = VEC_EVEN(a);
	v[1] = VEC_ODD(a);
#else
	v[0] = VEC_FOURTH0(a);
	v[1] = VEC_FOURTH1(a);
	v[2] = VEC_FOURTH2(a);
	v[3] = VEC_FOURTH3(a);
#endif
#if WIDTH == 8
	const VEC b = VEC_SWAP(a);

	v[4] = VEC_FOURTH0(b);
	v[5] = VEC_FOURTH1(b);
	v[6] = VEC_FOURTH2(b);
	v[7] = VEC_FOURTH3(b);
#endif
}

/* The sums of PB pixels whose windows start in column `left`, over `rows` rows of which x is the first; w has ld
 * channels. */
static TARGET INLINE void conv_narrow_tile(const float *restrict x,
	const float *restrict w,
#if BIAS && MULTIPLE == 1
	const float *restrict bias,
#endif
	VEC *sum, int left, int rows, const int ld, const int count)
{
	enum { W = 8, S = 3, STRIDE_W = 1, DIL_W = 1, DIL_H = 1, PB = 8, XH = 64, XW = 8 };
	enum { COLUMNS = (PB - 1) * STRIDE_W + (S - 1) * DIL_W + 1 };

	UNROLL
	for (int i = 0; i < PB; i++)
#if BIAS && MULTIPLE == 1
		sum[i] = conv_narrow_load(bias, count);
#else
		sum[i] = VEC_ZERO();
#endif
	for (int r = 0; r < rows; r++, x += DIL_H * XH, w += S * WIDTH * ld)
		UNROLL
		for (int c = 0; c < COLUMNS; c++) {
			VEC v[WIDTH];

#if SIDES
			if (left + c < 0 || left + c >= W)
				continue;
#endif
			conv_narrow_spread(conv_narrow_load(x + (left + c) * XW, count), v);
			UNROLL
			for (int i = 0; i < WIDTH; i++)
				UNROLL
				for (int s = 0; s < S; s++) {
					const int at = c - s * DIL_W, to = at / STRIDE_W; /* the pixel whose tap s it is */

					if (at >= 0 && at % STRIDE_W == 0 && to < PB)
						sum[to] = VEC_FMADD(conv_narrow_load(w + (s * WIDTH + i) * ld, count), v[i],
								    sum[to]);
				}
		}
}

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_narrow(const float *restrict x, const float *restrict w,
			       const float *restrict bias, float *y)
{
	enum { N = 1, C = 64, H = 8, OH = 8, OW = 8, P = 64, R = 3, S = 3, PB = 8 };
	enum { STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, DIL_H = 1 };
	enum { XN = 4096, XH = 512, XW = 64 }; /* strides of x */

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int h = FROM(h); h < TO(h, OH); h++) {
		int r0 = 0, r1 = R; /* rows of the window that are inside */

#if PADDED
		while (r0 < R && h * STRIDE_H - PAD_H + r0 * DIL_H < 0)
			r0++;
		while (r1 > r0 && h * STRIDE_H - PAD_H + (r1 - 1) * DIL_H >= H)
			r1--;
#endif
		const float *u = x + n * XN + (h * STRIDE_H - PAD_H + r0 * DIL_H) * XH;

		for (int k0 = FROM(k); k0 < TO(k, C); k0 += LANES)
		for (int m = 0; m < MULTIPLE; m++) {
#if TAIL
			const int count = C - k0 < LANES ? C - k0 : LANES;
			const int ld = C - k0 / 16 * 16 < 16 ? C - k0 / 16 * 16 : 16;
#else
			const int count = LANES, ld = 16;
#endif
			const float *a = w + (k0 / 16 * 16 * MULTIPLE + m * ld) * R * S * WIDTH + r0 * S * WIDTH * ld + k0 % 16;

			for (int i0 = 0; i0 < OW; i0 += PB) {
#if REST
				const int from = i0 + PB <= OW ? i0 : OW - PB; /* the last tile overlaps with others */
#else
				const int from = i0;
#endif
				VEC sum[PB];

#if BIAS && MULTIPLE == 1
				conv_narrow_tile(u + k0, a, bias + k0, sum, from * STRIDE_W - PAD_W, r1 - r0, ld, count);
#else
				conv_narrow_tile(u + k0, a, sum, from * STRIDE_W - PAD_W, r1 - r0, ld, count);
#endif
#if VECTOR && MULTIPLE == 1 && TAIL
				if (count == LANES)
#endif
#if VECTOR && MULTIPLE == 1
				UNROLL
				for (int i = 0; i < PB; i++) {
					const int p = h * OW + from + i;
					VEC v = sum[i];

#if REST
					if (from + i < i0)
						continue;
#endif
					VECTOR_EPILOGUE(v, n, k0, p);
					VEC_STORE(&Y(n, k0, p), v);
				}
#endif
#if VECTOR && MULTIPLE == 1 && TAIL
				else
#endif
#if TAIL || !VECTOR || MULTIPLE > 1
				{
					float t[PB * LANES];

					UNROLL
					for (int i = 0; i < PB; i++)
						VEC_STORE(t + i * LANES, sum[i]);
					for (int i = i0 - from; i < PB; i++) {
						const int p = h * OW + from + i;

						LANEWISE
						for (int j = 0; j < count; j++) {
							const int k = (k0 + j) * MULTIPLE + m;
#if BIAS && MULTIPLE > 1
							float v = t[i * LANES + j] + bias[k];
#else
							float v = t[i * LANES + j];
#endif

							EPILOGUE(v, n, k, p);
							Y(n, k, p) = v;
						}
					}
				}
#endif
			}
		}
	}
}
