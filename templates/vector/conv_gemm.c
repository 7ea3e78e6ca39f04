/*
 * Convolution in one or two dimensions around small matrix products. A row of output pixels times a block of
 * KB output channels is one product (N pixels, M channels) summed over the taps of the window, into a tile
 * that stays in L1; the epilogue takes it from there to y.
 *
 * Taps that fall outside the image are left out, not padded: above and below by summing over fewer of them;
 * tap columns 0 .. S0-1 and S1 .. S-1, which leave the image for some pixel of a row, add to a part of the
 * row with products of their own. Columns S0 .. S1-1 are inside for all pixels.
 *
 * x has its channels side by side: strides XN XH XW. A 1x1 convolution with stride 1 is given as an image whose
 * rows are as long as the best product (H * W = OH * OW, in any way). x is not y.
 * HELD: x is y, of one such image's pixels, and C is CB. A row is copied behind the tile before it is replaced.
 * w [group][block][chunk][tap][CB][STACK][KB / STACK]: taps in the order r, s; CB divides C; the last block of
 * a group holds only what is left. bias: [group][block][STACK][KB / STACK].
 * STACK convolutions that read the same x are computed together: the epilogue has the first one's value in v,
 * the others' in b and c.
 * gemm: [0] replaces, OW pixels; [1] adds, OW pixels; [2..] add, one for each column that is no inner one, as
 * many pixels as have it inside; then the same for a last block with K % KB channels. ldb is STRIDE_W * XW,
 * k is CB, lda and ldc the channels of the block.
 * tile: OW * KB floats, aligned to 64; ROWS times that if CHUNKED; OW * C more if HELD.
 */
#include "template.h"

#define BIAS 1	    /* a bias for each output channel */
#define CHUNKED 0   /* CB < C: sums wait in the tile for the next chunk of input channels */
#define PADDED 1    /* windows leave the image above or below */
#define EDGES 2	    /* tap columns that are not inside for all pixels: S - (S1 - S0) */
#define TAIL 0	    /* K % KB != 0 */
#define CHANNELS 64 /* KB, channels of a block */
#define STACK 1	    /* convolutions: 1, 2 or 3; CHANNELS is a multiple */
#define STRIPS 0    /* the epilogue runs on 16 channels at a time, the last ones twice; it replaces nothing that it reads */
#define HELD 0	    /* y replaces x */
#define VECTOR 1    /* the epilogue has a vector form; the last vector of a block may overlap with the one before */

#define Y(n, k, p) y[((n) * P + (p)) * G * K + (k)]

/* Convolution of x with w: see the top of this file. */
static TARGET void conv_gemm(const float *restrict x, const float *restrict w,
			     const float *restrict bias, float *y, float *restrict tile,
			     gemm_fn *const *gemm)
{
	enum { N = 1, G = 1, C = 8, CB = 8, K = 64, KB = CHANNELS, H = 8, OH = 8, OW = 8, P = 64 };
	enum { STEP = CHANNELS / STACK }; /* channels of a block, of each convolution */
	enum { R = 3, S = 3, S0 = 1, S1 = 2, STRIDE_H = 1, STRIDE_W = 1, PAD_H = 1, PAD_W = 1 };
	enum { DIL_H = 1, DIL_W = 1, ROWS = 4 };
	enum { XN = 512, XH = 64, XW = 8 }; /* strides of x */
#if HELD
	float *const held = tile + OW * KB;
#endif

	for (int n = FROM(n); n < TO(n, N); n++)
#if HELD
	for (int h0 = FROM(h); h0 < TO(h, OH); h0++)
#else
	for (int h0 = FROM(h); h0 < TO(h, OH); h0 += ROWS)
#endif
	for (int g = FROM(g); g < TO(g, G); g++)
	for (int k0 = FROM(k); k0 < TO(k, K); k0 += STEP) {
#if HELD
		const int h1 = h0 + 1;
#else
		const int h1 = h0 + ROWS < TO(h, OH) ? h0 + ROWS : TO(h, OH);
#endif
#if TAIL
		const int block = STACK * (K - k0 < STEP ? K - k0 : STEP);
		gemm_fn *const *f = gemm + (block < KB ? 2 + EDGES : 0);
#else
		const int block = KB;
		gemm_fn *const *f = gemm;
#endif

#if HELD
		for (int i = 0; k0 == 0 && i < OW; i++)
			for (int c = 0; c < C; c++)
				held[i * C + c] = Y(n, c, h0 * OW + i);
#endif
#if CHUNKED
		for (int c0 = 0; c0 < C; c0 += CB)
#endif
		for (int h = h0; h < h1; h++) {
			uint64_t at_a[R * S], at_b[R * S], count = 0;
			const float *a = w + (g * K + k0) * STACK * R * S * C;
#if HELD
			const float *u = held;
#else
			const float *u = x + n * XN + g * C;
#endif
#if CHUNKED
			float *t = tile + (h - h0) * OW * block;
#else
			float *t = tile;
#endif
#if HELD

			at_a[0] = at_b[0] = 0;
			count = 1;
#else
#if PADDED
			int r0 = 0, r1 = R; /* rows of the window that are inside */
#else
			const int r0 = 0;
			const int r1 = R;
#endif

#if CHUNKED
			a += c0 * R * S * block;
			u += c0;
#endif
#if PADDED
			while (h * STRIDE_H - PAD_H + r0 * DIL_H < 0)
				r0++;
			while (h * STRIDE_H - PAD_H + (r1 - 1) * DIL_H >= H)
				r1--;
#endif
			for (int r = r0; r < r1; r++)
				for (int s = S0; s < S1; s++) {
					const int row = h * STRIDE_H - PAD_H + r * DIL_H;
					const int column = s * DIL_W - PAD_W;

					at_a[count] = (uint64_t)((r * S + s) * CB * block) * sizeof(float);
					at_b[count++] = (uint64_t)(row * XH + column * XW) * sizeof(float);
				}
#endif
#if CHUNKED
			f[c0 > 0](a, u, t, &count, at_a, at_b);
#else
			f[0](a, u, t, &count, at_a, at_b);
#endif
#if EDGES
			for (int s = 0, e = 2; s < S; s++) {
				int i0 = 0; /* the first pixel that has the column inside */

				if (s >= S0 && s < S1)
					continue;
				while (i0 * STRIDE_W - PAD_W + s * DIL_W < 0)
					i0++;
				count = 0;
				for (int r = r0; r < r1; r++, count++) {
					const int row = h * STRIDE_H - PAD_H + r * DIL_H;
					const int column = i0 * STRIDE_W - PAD_W + s * DIL_W;

					at_a[count] = (uint64_t)((r * S + s) * CB * block) * sizeof(float);
					at_b[count] = (uint64_t)(row * XH + column * XW) * sizeof(float);
				}
				f[e++](a, u, t + i0 * block, &count, at_a, at_b);
			}
#endif
#if CHUNKED
			if (c0 + CB < C)
				continue;
#endif
			for (int i = 0; i < OW; i++) {
				const int p = h * OW + i;
#if VECTOR
				const int last = block / STACK - LANES;

				for (int j0 = 0; j0 < block / STACK; j0 += LANES) {
					const int j = j0 < last ? j0 : last;
					const int k = g * K + k0 + j;
#if BIAS
					const float *z = bias + (g * K + k0) * STACK + j;
					VEC v = VEC_ADD(VEC_LOAD(t + i * block + j), VEC_LOAD(z));
#else
					VEC v = VEC_LOAD(t + i * block + j);
#endif
#if STACK > 1 && BIAS
					const VEC b = VEC_ADD(VEC_LOAD(t + i * block + block / STACK + j), VEC_LOAD(z + block / STACK));
#elif STACK > 1
					const VEC b = VEC_LOAD(t + i * block + block / STACK + j);
#endif
#if STACK > 2 && BIAS
					const VEC c = VEC_ADD(VEC_LOAD(t + i * block + block / STACK * 2 + j), VEC_LOAD(z + block / STACK * 2));
#elif STACK > 2
					const VEC c = VEC_LOAD(t + i * block + block / STACK * 2 + j);
#endif

					VECTOR_EPILOGUE(v, n, k, p);
					VEC_STORE(&Y(n, k, p), v);
				}
#else

#if STRIPS
				const int last = block / STACK - 16;

				for (int j0 = 0; j0 < block / STACK; j0 += 16)
				LANEWISE
				for (int s = 0; s < 16; s++) {
					const int j = s + (j0 < last ? j0 : last);
#else
				LANEWISE
				for (int j = 0; j < block / STACK; j++) {
#endif
					const int k = g * K + k0 + j;
#if BIAS
					const float *z = bias + (g * K + k0) * STACK + j;
					float v = t[i * block + j] + z[0];
#else
					float v = t[i * block + j];
#endif
#if STACK > 1 && BIAS
					const float b = t[i * block + block / STACK + j] + z[block / STACK];
#elif STACK > 1
					const float b = t[i * block + block / STACK + j];
#endif
#if STACK > 2 && BIAS
					const float c = t[i * block + block / STACK * 2 + j] + z[block / STACK * 2];
#elif STACK > 2
					const float c = t[i * block + block / STACK * 2 + j];
#endif

					EPILOGUE(v, n, k, p);
					Y(n, k, p) = v;
				}
#endif
			}
		}
	}
}
