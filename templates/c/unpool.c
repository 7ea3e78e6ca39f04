/*
 * The inverse of pooling: zeros, and each of M elements of x at the place in y that index gives, as if y lay dense; what
 * lies outside y is left out. x and index are read through strides, y is written through Y(n, k, p), p the position
 * in the flattened output image. Neither x nor index is y.
 */
#include "template.h"

#define Y(n, k, p) y[((n) * C + (k)) * P + (p)]

/* The inverse of pooling: see the top of this file. */
static TARGET void unpool(const float *restrict x, const int64_t *restrict index, float *y)
{
	enum { N = 1, C = 4, M = 16, P = 64 };
	enum { XN = 64, XC = 16, XP = 1, IN = 64, IC = 16, IP = 1 }; /* strides of x and of index */

	for (int n = 0; n < N; n++)
	for (int k = 0; k < C; k++)
		for (int p = 0; p < P; p++)
			Y(n, k, p) = 0.0f;
	for (int i = 0; i < N * C * M; i++) {
		const int j = i / (C * M);
		const int c = i / M % C;
		const int m = i % M;
		const int64_t at = index[j * IN + c * IC + m * IP];

		if (at >= 0 && at < N * C * P) {
			const int n = (int)at / (C * P);
			const int k = (int)at / P % C;
			const int p = (int)at % P;

			Y(n, k, p) = x[j * XN + c * XC + m * XP];
		}
	}
	for (int n = 0; n < N; n++)
	for (int k = 0; k < C; k++)
		for (int p = 0; p < P; p++) {
			float a = Y(n, k, p);

			EPILOGUE(a, n, k, p);
			Y(n, k, p) = a;
		}
}
