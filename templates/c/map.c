/*
 * Elementwise: the epilogue computes v for each element of D0..D5 (the first RANK of them) from its
 * operands, Y(i0, ..) takes it. Neighbours in memory should be the last dimension.
 */
#define EPILOGUE(v, ...) (v = 0)
#include "template.h"

#define RANK 4

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

/* Elementwise operation: see the top of this file. */
static TARGET void map(T *y)
{
	enum { D0 = 2, D1 = 3, D2 = 4, D3 = 5, D4 = 6, D5 = 7 };

	for (int i0 = FROM(i0); i0 < TO(i0, D0); i0++)
#if RANK > 1
	for (int i1 = FROM(i1); i1 < TO(i1, D1); i1++)
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
		T v;

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
