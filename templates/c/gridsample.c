/*
 * GridSample: channel k of image n of x at place p of the grid, whose two numbers are across and down, from -1 to 1;
 * between elements by TAPS of them an axis: 1 the nearest, 2 linear, 4 cubic. Outside of x are zeros (PADDING 0), its
 * border (1) or its reflection (2). No number in the grid reads outside x. Neither x nor grid is y.
 */
#include "floor_f32.c"
#include "round_f32.c"
#include "template.h"

#define CORNERS 0 /* -1 and 1 are the centres of the outermost elements, not their far edges */
#define PADDING 0
#define NEAREST 0
#define CUBIC 0

#define Y(n, k, p) y[((n) * C + (k)) * P + (p)]

/* Where a number of the grid lies along n elements; not far outside. */
static TARGET float gridsample_place(float at, int n)
{
	const float least = -4.0f, most = (float)(2 * n + 3);
#if CORNERS
	const float period = n > 1 ? (float)(2 * n - 2) : 1.0f;
	float v = (at + 1.0f) / 2.0f * (float)(n - 1);
#else
	const float period = (float)(2 * n);
	float v = ((at + 1.0f) * (float)n - 1.0f) / 2.0f;
#endif

#if PADDING == 2
	v = v - floor_f32(v / period) * period;
#else
	(void)period;
#endif
	return v > least ? (v < most ? v : most) : least; /* NaN: outside */
}

/* The element that stands at i of n, or -1 for zero. */
static TARGET int gridsample_element(int i, int n)
{
#if PADDING == 0
	return i >= 0 && i < n ? i : -1;
#elif PADDING == 1
	return i < 0 ? 0 : i < n ? i : n - 1;
#else
#if CORNERS
	const int period = n > 1 ? 2 * n - 2 : 1, last = period;
#else
	const int period = 2 * n, last = period - 1;
#endif
	const int at = (i % period + period) % period;

	return at < n ? at : last - at;
#endif
}

/* Weights of the taps around a place that is d behind the one before it. */
static TARGET INLINE void gridsample_weights(float d, float *w)
{
#if NEAREST
	(void)d;
	w[0] = 1.0f;
#elif CUBIC
	const float a = -0.75f, e = 1.0f - d;

	w[0] = ((a * (d + 1.0f) - 5.0f * a) * (d + 1.0f) + 8.0f * a) * (d + 1.0f) - 4.0f * a;
	w[1] = ((a + 2.0f) * d - (a + 3.0f)) * d * d + 1.0f;
	w[2] = ((a + 2.0f) * e - (a + 3.0f)) * e * e + 1.0f;
	w[3] = ((a * (e + 1.0f) - 5.0f * a) * (e + 1.0f) + 8.0f * a) * (e + 1.0f) - 4.0f * a;
#else
	w[0] = 1.0f - d;
	w[1] = d;
#endif
}

/* Samples of an image: see the top of this file. */
static TARGET void gridsample(const float *restrict x, const float *restrict grid, float *y)
{
	enum { N = 1, C = 4, H = 5, W = 6, OW = 3, P = 6, TAPS = 2, FIRST = 0 };
	enum { XN = 120, XC = 30, XH = 6, XW = 1, GN = 12, GH = 6, GW = 2, GK = 1 }; /* strides of x and grid */

	for (int n = FROM(n); n < TO(n, N); n++)
	for (int p = FROM(p); p < TO(p, P); p++) {
		const float *g = grid + n * GN + p / OW * GH + p % OW * GW;
		const float across = gridsample_place(g[0], W), down = gridsample_place(g[GK], H);
		float u[TAPS], v[TAPS];
		int row[TAPS], column[TAPS];
#if NEAREST
		const float left = round_f32(across), top = round_f32(down);
#else
		const float left = floor_f32(across), top = floor_f32(down);
#endif

		gridsample_weights(across - left, u);
		gridsample_weights(down - top, v);
		for (int i = 0; i < TAPS; i++) {
			row[i] = gridsample_element((int)top + i + FIRST, H);
			column[i] = gridsample_element((int)left + i + FIRST, W);
		}
		for (int k = 0; k < C; k++) {
			const float *image = x + n * XN + k * XC;
			float a = 0.0f;

			for (int i = 0; i < TAPS; i++) {
				float b = 0.0f;

				for (int j = 0; j < TAPS; j++)
					if (row[i] >= 0 && column[j] >= 0)
						b += u[j] * image[row[i] * XH + column[j] * XW];
				a += v[i] * b;
			}
			EPILOGUE(a, n, k, p);
			Y(n, k, p) = a;
		}
	}
}
