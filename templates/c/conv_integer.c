/*
 * Convolution of integers in one to three dimensions, exact: sums of w times x less XZ. A fully connected layer is
 * one of a row of pixels and windows of one. In one dimension H = OH = R = 1.
 *
 * x is read through strides: XN XC XD XH XW. y is written through Y(n, k, p), p the position in the flattened output
 * image; the epilogue may read the element that it replaces. x is not y.
 * w [STACK][group][K][tap][C]: taps in the order q, r, s; C and K count the channels of one group. A group has its outputs
 * in blocks of CHANNELS / STACK, the last of which holds only what is left; bias: [group][block][STACK][CHANNELS / STACK].
 * What lies outside of x is ZERO: where XZ is 0 and that is not, the bias has what it is too much.
 * Four outputs of two pixels of a row at a time are variables. Where compilers make vectors of sums, their windows are copied
 * side by side, and widened; else what they cover is read where it lies in x, or copied at the edges.
 * STACK convolutions that read the same x are computed together: the epilogue has the first one's sum in a, the
 * others' in b and c, and gives r.
 */
#include "template.h"

#define TX uint8_t /* of x */
#define WIDE int16_t /* of x, for vectors */
#define TW int8_t  /* of w */
#define TS int32_t /* of sums */
#define TY int32_t /* of y */
#define FIRST a	   /* what r is before the epilogue */
#define BIAS 1	   /* a bias for each output channel */
#define DEPTH 0	   /* three dimensions: D, Q, XD */
#define PADDED 1   /* taps may fall outside the image */
#define DIRECT 1   /* the S taps of a row, and their channels, lie together in x */
#define TAIL 1	   /* K % KB != 0: the last block of a group is narrower */
#define ODD 1	   /* blocks of other than four outputs */
#define CHANNELS 16 /* KB, channels of a block */
#define STACK 1	   /* convolutions: 1, 2 or 3; CHANNELS is a multiple */
#define PIXELS 2   /* at a time: 1 where there is but one */
#define BYTES 1	   /* x and w have 8 bits, XZ is 0: DSP instructions take two products at once, where there are some */
#define PAIR_X PAIR_uint8_t /* which make 16 bits of every second of four bytes */
#define PAIR_W PAIR_int8_t

#define Y(n, k, p) y[((n) * G * K + (k)) * P + (p)]

/* The window of pixel p, tap by tap. */
static TARGET INLINE void conv_integer_window(const TX *restrict x, WIDENED(TX, WIDE) *to, int p)
{
	enum { C = 4, D = 1, H = 8, W = 8, Q = 1, R = 3, S = 3, OH = 8, OW = 8 };
	enum { STRIDE_D = 1, STRIDE_H = 1, STRIDE_W = 1, PAD_D = 0, PAD_H = 1, PAD_W = 1 };
	enum { DIL_D = 1, DIL_H = 1, DIL_W = 1, ZERO = 128 };
	enum { XC = 1, XD = 1, XH = 32, XW = 4 }; /* strides of x */

	for (int q = 0; q < Q; q++)
	for (int r = 0; r < R; r++) {
		const int h = p / OW % OH * STRIDE_H - PAD_H + r * DIL_H;
		const int d = p / (OH * OW) * STRIDE_D - PAD_D + q * DIL_D;
		const int j0 = p % OW * STRIDE_W - PAD_W;
#if PADDED && DEPTH
		const int in = d >= 0 && d < D && h >= 0 && h < H;
#elif PADDED
		const int in = h >= 0 && h < H;
#endif

#if DIRECT && PADDED
		if (in && j0 >= 0 && j0 + (S - 1) * DIL_W < W) {
#elif DIRECT
		{
#endif
#if DIRECT
			const TX *v = x + (d * XD + h * XH + j0 * XW);

			for (int i = 0; i < S * C; i++)
				to[i] = v[i];
			to += S * C;
			continue;
		}
#endif
#if PADDED || !DIRECT
		for (int s = 0; s < S; s++, to += C) {
			const int j = j0 + s * DIL_W;

#if PADDED
			if (!in || j < 0 || j >= W) {
				for (int c = 0; c < C; c++)
					to[c] = ZERO;
				continue;
			}
#endif
			const TX *v = x + (d * XD + h * XH + j * XW);

			for (int c = 0; c < C; c++)
				to[c] = v[c * XC];
		}
#endif
	}
}

#if DIRECT
#if PADDED || PIXELS > 1
/* What the windows of pixel p, and of the one behind it if there is one, cover: R rows of so many columns. */
static TARGET INLINE void conv_integer_cover(const TX *restrict x, WIDENED(TX, WIDE) *to, int p)
{
	enum { C = 4, H = 8, W = 8, R = 3, S = 3, OW = 8, STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, DIL_H = 1 };
	enum { XH = 32, XW = 4, ZERO = 128, COLUMNS = S + (PIXELS - 1) * STRIDE_W };

	for (int r = 0; r < R; r++) {
		const int h = p / OW * STRIDE_H - PAD_H + r * DIL_H;

		for (int s = 0; s < COLUMNS; s++, to += C) {
			const int j = p % OW * STRIDE_W - PAD_W + s;

			if (h < 0 || h >= H || j < 0 || j >= W) {
				for (int c = 0; c < C; c++)
					to[c] = ZERO;
				continue;
			}
			const TX *v = x + (h * XH + j * XW);

			for (int c = 0; c < C; c++)
				to[c] = v[c];
		}
	}
}

#endif
#if PADDED
/* Whether that is inside of x. */
static TARGET INLINE int conv_integer_inside(int p)
{
	enum { H = 8, W = 8, R = 3, S = 3, OW = 8, STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, DIL_H = 1 };
	const int h = p / OW * STRIDE_H - PAD_H, j = p % OW * STRIDE_W - PAD_W;

#if PIXELS > 1
	return h >= 0 && h + (R - 1) * DIL_H < H && j >= 0 && j + STRIDE_W + S - 1 < W;
#else
	return h >= 0 && h + (R - 1) * DIL_H < H && j >= 0 && j + S - 1 < W;
#endif
}

#endif
#endif
/* Adds to a and b the products of four outputs' weights with the windows at u, and at the pixel behind it: rows of RUN
 * elements, so far apart. */
static TARGET INLINE void conv_integer_four(const WIDENED(TX, WIDE) *u, const TW *w, int apart,
#if PIXELS > 1
					   TS *b,
#endif
					   TS *a)
{
	enum { C = 4, S = 3, TAPS = 9, STRIDE_W = 1, L = TAPS * C, XZ = 0 };
#if DIRECT
	enum { RUN = SCALAR ? S * C : L, ROWS = L / RUN, NEXT = SCALAR ? STRIDE_W * C : L };
#else
	enum { RUN = L, ROWS = L / RUN, NEXT = L };
#endif
	TS a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3];
#if PIXELS > 1
	TS b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
#endif

	for (int r = 0; r < ROWS; r++, u += apart, w += RUN) {
		for (int i = 0; i < RUN; i++) {
			const TS x0 = u[i] - XZ;
#if PIXELS > 1
			const TS x1 = u[NEXT + i] - XZ;
#endif
			TS v = w[i];

			a0 += x0 * v;
#if PIXELS > 1
			b0 += x1 * v;
#endif
			v = w[L + i];
			a1 += x0 * v;
#if PIXELS > 1
			b1 += x1 * v;
#endif
			v = w[2 * L + i];
			a2 += x0 * v;
#if PIXELS > 1
			b2 += x1 * v;
#endif
			v = w[3 * L + i];
			a3 += x0 * v;
#if PIXELS > 1
			b3 += x1 * v;
#endif
		}
	}
	a[0] = a0, a[1] = a1, a[2] = a2, a[3] = a3;
#if PIXELS > 1
	b[0] = b0, b[1] = b1, b[2] = b2, b[3] = b3;
#endif
}

#if BYTES
#if DSP
/* The same of two outputs. */
static TARGET INLINE void conv_integer_two(const TX *u, const TW *w, int apart,
#if PIXELS > 1
					   TS *b,
#endif
					   TS *a)
{
	enum { C = 4, S = 3, TAPS = 9, STRIDE_W = 1, L = TAPS * C };
#if DIRECT
	enum { RUN = S * C, ROWS = L / RUN, NEXT = STRIDE_W * C };
#else
	enum { RUN = L, ROWS = L / RUN, NEXT = L };
#endif
	TS a0 = a[0], a1 = a[1];
#if PIXELS > 1
	TS b0 = b[0], b1 = b[1];
#endif

	for (int r = 0; r < ROWS; r++, u += apart, w += RUN) {
		for (int i = 0; i < RUN / 4 * 4; i += 4) {
			const uint32_t x0 = four_bytes(u + i), w0 = four_bytes(w + i), w1 = four_bytes(w + L + i);
			const int32_t low0 = PAIR_X(x0), high0 = PAIR_X(x0 >> 8);
#if PIXELS > 1
			const uint32_t x1 = four_bytes(u + NEXT + i);
			const int32_t low1 = PAIR_X(x1), high1 = PAIR_X(x1 >> 8);
#endif
			int32_t v = PAIR_W(w0);

			a0 = __smlad(low0, v, a0);
#if PIXELS > 1
			b0 = __smlad(low1, v, b0);
#endif
			v = PAIR_W(w0 >> 8);
			a0 = __smlad(high0, v, a0);
#if PIXELS > 1
			b0 = __smlad(high1, v, b0);
#endif
			v = PAIR_W(w1);
			a1 = __smlad(low0, v, a1);
#if PIXELS > 1
			b1 = __smlad(low1, v, b1);
#endif
			v = PAIR_W(w1 >> 8);
			a1 = __smlad(high0, v, a1);
#if PIXELS > 1
			b1 = __smlad(high1, v, b1);
#endif
		}
		for (int i = RUN / 4 * 4; i < RUN; i++) {
			a0 += u[i] * w[i];
			a1 += u[i] * w[L + i];
#if PIXELS > 1
			b0 += u[NEXT + i] * w[i];
			b1 += u[NEXT + i] * w[L + i];
#endif
		}
	}
	a[0] = a0, a[1] = a1;
#if PIXELS > 1
	b[0] = b0, b[1] = b1;
#endif
}

#endif
#endif
#if ODD
/* The same of one output. */
static TARGET INLINE void conv_integer_one(const WIDENED(TX, WIDE) *u, const TW *w, int apart,
#if PIXELS > 1
					   TS *b,
#endif
					   TS *a)
{
	enum { C = 4, S = 3, TAPS = 9, STRIDE_W = 1, L = TAPS * C, XZ = 0 };
#if DIRECT
	enum { RUN = SCALAR ? S * C : L, ROWS = L / RUN, NEXT = SCALAR ? STRIDE_W * C : L };
#else
	enum { RUN = L, ROWS = L / RUN, NEXT = L };
#endif
	TS a0 = a[0];
#if PIXELS > 1
	TS b0 = b[0];
#endif

	for (int r = 0; r < ROWS; r++, u += apart, w += RUN)
		for (int i = 0; i < RUN; i++) {
			a0 += (TS)(u[i] - XZ) * w[i];
#if PIXELS > 1
			b0 += (TS)(u[NEXT + i] - XZ) * w[i];
#endif
		}
	a[0] = a0;
#if PIXELS > 1
	b[0] = b0;
#endif
}

#endif
/* Those of `count` outputs: sum [PIXELS][CHANNELS]. */
static TARGET APART void conv_integer_block(const WIDENED(TX, WIDE) *u, const TW *w, int apart, TS *sum, int count)
{
	enum { C = 4, TAPS = 9, L = TAPS * C };
	int j = 0;

#if BYTES
#if DSP
	for (; j + 2 <= count; j += 2)
#if PIXELS > 1
		conv_integer_two(u, w + j * L, apart, sum + CHANNELS + j, sum + j);
#else
		conv_integer_two(u, w + j * L, apart, sum + j);
#endif
#endif
#endif
	for (; j + 4 <= count; j += 4)
#if PIXELS > 1
		conv_integer_four(u, w + j * L, apart, sum + CHANNELS + j, sum + j);
#else
		conv_integer_four(u, w + j * L, apart, sum + j);
#endif
#if ODD
	for (; j < count; j++)
#if PIXELS > 1
		conv_integer_one(u, w + j * L, apart, sum + CHANNELS + j, sum + j);
#else
		conv_integer_one(u, w + j * L, apart, sum + j);
#endif
#endif
}

/* Convolution of integers: see the top of this file. */
static TARGET void conv_integer(const TX *restrict x, const TW *restrict w, const int32_t *restrict bias, TY *y)
{
	enum { N = 1, G = 1, C = 4, K = 20, P = 64, R = 3, S = 3, TAPS = 9, L = TAPS * C, OW = 8, ROOM = 72 };
	enum { STEP = CHANNELS / STACK }; /* channels of a block, of each convolution */
	enum { STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1, DIL_H = 1, XN = 256, XC = 1, XH = 32, XW = 4 };

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int g = FROM(g); g < TO(g, G); g++)
	for (int k0 = FROM(k); k0 < TO(k, K); k0 += STEP)
#if PIXELS > 1
	for (int p0 = FROM(p), pixels; p0 < TO(p, P); p0 += pixels) {
#else
	for (int p0 = FROM(p); p0 < TO(p, P); p0++) {
#endif
		const int first = g * K + k0; /* channel of the block */
		const TX *image = x + n * XN + g * C * XC;
#if TAIL
		const int count = K - k0 < STEP ? K - k0 : STEP;
#else
		const int count = STEP;
#endif
		WIDENED(TX, WIDE) windows[ROOM];
		const WIDENED(TX, WIDE) *u = windows;
		int apart = 0; /* rows of a window */
		TS sum[PIXELS][CHANNELS];

#if PIXELS > 1
		pixels = p0 % OW + 1 < OW ? 2 : 1;
#endif
#if DIRECT && PADDED && PIXELS > 1
		if (SCALAR && pixels > 1 && conv_integer_inside(p0)) {
#elif DIRECT && PADDED
		if (SCALAR && conv_integer_inside(p0)) {
#elif DIRECT && PIXELS > 1
		if (SCALAR && pixels > 1) {
#elif DIRECT
		if (SCALAR) {
#endif
#if DIRECT
			u = (const void *)(image + (p0 / OW * STRIDE_H - PAD_H) * XH + (p0 % OW * STRIDE_W - PAD_W) * XW);
			apart = XH * DIL_H;
#if PADDED || PIXELS > 1
		} else if (SCALAR) {
			conv_integer_cover(image, windows, p0);
			apart = (S + (PIXELS - 1) * STRIDE_W) * C;
#endif
		} else {
			conv_integer_window(image, windows, p0);
#if PIXELS > 1
			conv_integer_window(image, windows + L, p0 + pixels - 1);
#endif
		}
#else
		conv_integer_window(image, windows, p0);
#if PIXELS > 1
		conv_integer_window(image, windows + L, p0 + pixels - 1);
#endif
#endif
		for (int i = 0; i < PIXELS; i++)
			for (int k = 0; k < STACK * count; k++)
#if BIAS
				sum[i][k] = bias[first * STACK + k];
#else
				sum[i][k] = 0;
#endif
#if STACK > 1
		for (int s = 0; s < STACK; s++)
			conv_integer_block(u, w + (s * G * K + first) * L, apart, sum[0] + s * count, count);
#else
		conv_integer_block(u, w + first * L, apart, sum[0], count);
#endif
#if PIXELS > 1
		for (int i = 0; i < pixels; i++) {
#else
		for (int i = 0; i < 1; i++) {
#endif
			const int p = p0 + i;

			for (int j = 0; j < count; j++) {
				const int k = first + j;
				const TS a = sum[i][j];
#if STACK > 1
				const TS b = sum[i][count + j];
#endif
#if STACK > 2
				const TS c = sum[i][2 * count + j];
#endif
				TY r = FIRST;

				EPILOGUE(r, n, k, p);
				Y(n, k, p) = r;
			}
		}
	}
}
