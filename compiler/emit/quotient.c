/*
 * Quotients by a known divisor as a product and a multiply-add, with which vectors take an eighth of the time: N. Brisebarre, J.-M.
 * Muller, S. K. Raina: Accelerating correctly rounded floating-point division when the divisor is known in advance, 2004.
 */
#include "emit/emission.h"

#include <math.h>

static float fma_f32(float a, float b, float c)
{
	const double product = (double)a * (double)b, sum = product + (double)c,
		     part = sum - product, lost = (product - (sum - part)) + ((double)c - part);
	const float near = (float)sum;

	/* a sum between two floats was rounded to the middle of them, and what was lost says which it is */
	if (lost != 0.0 && (double)near != sum) {
		const float other = nextafterf(near, (double)near < sum ? INFINITY : -INFINITY);

		if ((double)near - sum == sum - (double)other)
			return (lost > 0.0) == (near > other) ? near : other;
	}
	return near;
}

static double nearest(float v)
{
	return (double)v - remainder((double)v, 1.0);
}

static double step_of_product(float x, const struct quotient *q)
{
	return nearest(fma_f32(x, q->high, x * q->low));
}

/* Around the middle of `step` and the next one, is each float's step the same both ways? Behind these few it is, as both ways are monotonic. */
static bool agrees_around(double step, const struct quotient *q)
{
	enum { FEW = 3 };
	float x = (float)((step + 0.5) * (double)q->divisor);

	for (int i = 0; i < FEW; i++)
		x = nextafterf(x, -INFINITY);
	if (step_of_product(x, q) > step)
		return false;
	for (int i = 0; i <= 2 * FEW; i++, x = nextafterf(x, INFINITY))
		if (step_of_product(x, q) != nearest((float)((double)x / (double)q->divisor)))
			return false;
	return step_of_product(x, q) > step;
}

bool quotient_of(struct quotient *q, float divisor, int least, int most)
{
	static const float
		tiny = 1e-20f,
		huge = 1e20f; /* products and what is lost of them are no denormals, nor infinite */

	if (!(divisor >= tiny && divisor <= huge) || most - least > UINT8_MAX)
		return false;
	q->divisor = divisor;
	q->high = (float)(1.0 / (double)divisor);
	q->low = (float)(1.0 / (double)divisor - (double)q->high);
	q->least_x = (float)least * divisor;
	q->most_x = (float)most * divisor;
	for (int step = least; step < most; step++)
		if (!agrees_around(step, q))
			return false;
	return step_of_product(q->least_x, q) == least && step_of_product(q->most_x, q) == most;
}
