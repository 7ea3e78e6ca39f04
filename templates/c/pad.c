/*
 * Pad, or crop where a pad is negative: y has the dimensions D0..D5 (the first RANK of them), x has
 * S0..S5 with strides X0..X5 and starts at B0..B5 in y. Y(i0, ..).
 * MODE 0: VALUE outside x; 1: reflect; 2: edge; 3: wrap. x is not y.
 */
#include "template.h"

#define RANK 4
#define MODE 0
#define VALUE 0.0f

#if RANK == 1
#define Y(i0) y[(i0)]
#elif RANK == 2
#define Y(i0, i1) y[((i0) * D1 + (i1))]
#elif RANK == 3
#define Y(i0, i1, i2) y[(((i0) * D1 + (i1)) * D2 + (i2))]
#elif RANK == 4
#define Y(i0, i1, i2, i3) y[((((i0) * D1 + (i1)) * D2 + (i2)) * D3 + (i3))]
#elif RANK == 5
#define Y(i0, i1, i2, i3, i4) y[(((((i0) * D1 + (i1)) * D2 + (i2)) * D3 + (i3)) * D4 + (i4))]
#elif RANK == 6
#define Y(i0, i1, i2, i3, i4, i5) y[((((((i0) * D1 + (i1)) * D2 + (i2)) * D3 + (i3)) * D4 + (i4)) * D5 + (i5))]
#endif

#if MODE != 0
/* Where position i of a dimension of n elements is taken from. */
static TARGET int pad_from(int i, int n)
{
#if MODE == 1
	const int period = n > 1 ? 2 * (n - 1) : 1;

	i = (i % period + period) % period;
	return i < n ? i : period - i;
#elif MODE == 2
	return i < 0 ? 0 : i < n ? i : n - 1;
#else
	return (i % n + n) % n;
#endif
}
#endif

/* Padding: see the top of this file. */
static TARGET void pad(const T *restrict x, T *y)
{
	enum { D0 = 1, D1 = 1, D2 = 5, D3 = 5, D4 = 5, D5 = 5, S0 = 1, S1 = 1, S2 = 3, S3 = 3, S4 = 3, S5 = 3 };
	enum { B0 = 0, B1 = 0, B2 = 1, B3 = 1, B4 = 1, B5 = 1 };
	enum { X0 = 9, X1 = 9, X2 = 3, X3 = 1, X4 = 1, X5 = 1 }; /* strides of x */

	for (int i0 = 0; i0 < D0; i0++)
#if RANK > 1
	for (int i1 = 0; i1 < D1; i1++)
#endif
#if RANK > 2
	for (int i2 = 0; i2 < D2; i2++)
#endif
#if RANK > 3
	for (int i3 = 0; i3 < D3; i3++)
#endif
#if RANK > 4
	for (int i4 = 0; i4 < D4; i4++)
#endif
#if RANK > 5
	for (int i5 = 0; i5 < D5; i5++)
#endif
	{
#if MODE == 0
		const int j0 = i0 - B0;
#if RANK > 1
		const int j1 = i1 - B1;
#endif
#if RANK > 2
		const int j2 = i2 - B2;
#endif
#if RANK > 3
		const int j3 = i3 - B3;
#endif
#if RANK > 4
		const int j4 = i4 - B4;
#endif
#if RANK > 5
		const int j5 = i5 - B5;
#endif
#if RANK == 1
		const int inside = j0 >= 0 && j0 < S0;
		T v = inside ? x[j0 * X0] : VALUE;
#elif RANK == 2
		const int inside = j0 >= 0 && j0 < S0 &&
				   j1 >= 0 && j1 < S1;
		T v = inside ? x[j0 * X0 + j1 * X1] : VALUE;
#elif RANK == 3
		const int inside = j0 >= 0 && j0 < S0 &&
				   j1 >= 0 && j1 < S1 &&
				   j2 >= 0 && j2 < S2;
		T v = inside ? x[j0 * X0 + j1 * X1 + j2 * X2] : VALUE;
#elif RANK == 4
		const int inside = j0 >= 0 && j0 < S0 &&
				   j1 >= 0 && j1 < S1 &&
				   j2 >= 0 && j2 < S2 &&
				   j3 >= 0 && j3 < S3;
		T v = inside ? x[j0 * X0 + j1 * X1 + j2 * X2 + j3 * X3] : VALUE;
#elif RANK == 5
		const int inside = j0 >= 0 && j0 < S0 &&
				   j1 >= 0 && j1 < S1 &&
				   j2 >= 0 && j2 < S2 &&
				   j3 >= 0 && j3 < S3 &&
				   j4 >= 0 && j4 < S4;
		T v = inside ? x[j0 * X0 + j1 * X1 + j2 * X2 + j3 * X3 + j4 * X4] : VALUE;
#elif RANK == 6
		const int inside = j0 >= 0 && j0 < S0 &&
				   j1 >= 0 && j1 < S1 &&
				   j2 >= 0 && j2 < S2 &&
				   j3 >= 0 && j3 < S3 &&
				   j4 >= 0 && j4 < S4 &&
				   j5 >= 0 && j5 < S5;
		T v = inside ? x[j0 * X0 + j1 * X1 + j2 * X2 + j3 * X3 + j4 * X4 + j5 * X5] : VALUE;
#endif
#else
		const int j0 = pad_from(i0 - B0, S0);
#if RANK > 1
		const int j1 = pad_from(i1 - B1, S1);
#endif
#if RANK > 2
		const int j2 = pad_from(i2 - B2, S2);
#endif
#if RANK > 3
		const int j3 = pad_from(i3 - B3, S3);
#endif
#if RANK > 4
		const int j4 = pad_from(i4 - B4, S4);
#endif
#if RANK > 5
		const int j5 = pad_from(i5 - B5, S5);
#endif
#if RANK == 1
		T v = x[j0 * X0];
#elif RANK == 2
		T v = x[j0 * X0 + j1 * X1];
#elif RANK == 3
		T v = x[j0 * X0 + j1 * X1 + j2 * X2];
#elif RANK == 4
		T v = x[j0 * X0 + j1 * X1 + j2 * X2 + j3 * X3];
#elif RANK == 5
		T v = x[j0 * X0 + j1 * X1 + j2 * X2 + j3 * X3 + j4 * X4];
#elif RANK == 6
		T v = x[j0 * X0 + j1 * X1 + j2 * X2 + j3 * X3 + j4 * X4 + j5 * X5];
#endif
#endif

#if RANK == 1
		EPILOGUE(v, i0);
		Y(i0) = v;
#elif RANK == 2
		EPILOGUE(v, i0, i1);
		Y(i0, i1) = v;
#elif RANK == 3
		EPILOGUE(v, i0, i1, i2);
		Y(i0, i1, i2) = v;
#elif RANK == 4
		EPILOGUE(v, i0, i1, i2, i3);
		Y(i0, i1, i2, i3) = v;
#elif RANK == 5
		EPILOGUE(v, i0, i1, i2, i3, i4);
		Y(i0, i1, i2, i3, i4) = v;
#elif RANK == 6
		EPILOGUE(v, i0, i1, i2, i3, i4, i5);
		Y(i0, i1, i2, i3, i4, i5) = v;
#endif
	}
}
