#include "template.h"

/* sums [6][width] += x [6][depth] w [depth][width], where row i of x begins at x[i] and has its elements `step` apart.
 * Four columns at a time are variables: of an array's elements compilers make registers only where those are vectors. */
static INLINE void tile_f32(const float **x, int step, const float *w, int depth, int width, float *sums)
{
	int k = 0;

	for (; k + 4 <= width; k += 4) {
		float *const a = sums + k, *const b = a + width, *const c = b + width;
		float *const d = c + width, *const e = d + width, *const f = e + width;
		const float *x0 = x[0], *x1 = x[1], *x2 = x[2], *x3 = x[3], *x4 = x[4], *x5 = x[5], *u = w + k;
		float a0 = a[0], a1 = a[1], a2 = a[2], a3 = a[3], b0 = b[0], b1 = b[1], b2 = b[2], b3 = b[3];
		float c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3], d0 = d[0], d1 = d[1], d2 = d[2], d3 = d[3];
		float e0 = e[0], e1 = e[1], e2 = e[2], e3 = e[3], f0 = f[0], f1 = f[1], f2 = f[2], f3 = f[3];

		for (int i = 0; i < depth; i++, u += width) {
			const float u0 = u[0], u1 = u[1], u2 = u[2], u3 = u[3];

			a0 += *x0 * u0, a1 += *x0 * u1, a2 += *x0 * u2, a3 += *x0 * u3, x0 += step;
			b0 += *x1 * u0, b1 += *x1 * u1, b2 += *x1 * u2, b3 += *x1 * u3, x1 += step;
			c0 += *x2 * u0, c1 += *x2 * u1, c2 += *x2 * u2, c3 += *x2 * u3, x2 += step;
			d0 += *x3 * u0, d1 += *x3 * u1, d2 += *x3 * u2, d3 += *x3 * u3, x3 += step;
			e0 += *x4 * u0, e1 += *x4 * u1, e2 += *x4 * u2, e3 += *x4 * u3, x4 += step;
			f0 += *x5 * u0, f1 += *x5 * u1, f2 += *x5 * u2, f3 += *x5 * u3, x5 += step;
		}
		a[0] = a0, a[1] = a1, a[2] = a2, a[3] = a3, b[0] = b0, b[1] = b1, b[2] = b2, b[3] = b3;
		c[0] = c0, c[1] = c1, c[2] = c2, c[3] = c3, d[0] = d0, d[1] = d1, d[2] = d2, d[3] = d3;
		e[0] = e0, e[1] = e1, e[2] = e2, e[3] = e3, f[0] = f0, f[1] = f1, f[2] = f2, f[3] = f3;
	}
	for (; k < width; k++) {
		float *const s = sums + k;
		float a = s[0], b = s[width], c = s[2 * width], d = s[3 * width], e = s[4 * width], f = s[5 * width];

		for (int i = 0; i < depth; i++) {
			const float u = w[i * width + k];

			a += x[0][i * step] * u, b += x[1][i * step] * u, c += x[2][i * step] * u;
			d += x[3][i * step] * u, e += x[4][i * step] * u, f += x[5][i * step] * u;
		}
		s[0] = a, s[width] = b, s[2 * width] = c, s[3 * width] = d, s[4 * width] = e, s[5 * width] = f;
	}
}
