/* Quotients by known divisors as products: where quotient_of() says so, each float's step is the one of the division; and nearly always it does. */
#include "../compiler/emit/emission.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

static uint64_t state;

static uint32_t draw(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 32);
}

/* As vectors have it: MAX gives the second where one is NaN, and the multiply-add rounds once. */
static float by_product(float x, const struct quotient *q)
{
	const float above = x > q->least_x ? x : q->least_x,
		    t = above < q->most_x ? above : q->most_x;

	return rintf(fmaf(t, q->high, t * q->low));
}

/* DESIGN.md's R. */
static float by_division(float x, float divisor, int least, int most)
{
	const float step = rintf(x / divisor);

	return !(step > (float)least) ? (float)least : step > (float)most ? (float)most : step;
}

static void same(float x, const struct quotient *q, int least, int most)
{
	ck_assert_msg(by_product(x, q) == by_division(x, q->divisor, least, most),
		"%a / %a is %g, not %g", (double)x, (double)q->divisor, (double)by_product(x, q),
		(double)by_division(x, q->divisor, least, most));
}

static float any_float(void)
{
	const union {
		uint32_t u;
		float f;
	} v = { draw() };

	return v.f;
}

START_TEST(same_steps)
{
	int taken = 0, tried = 0;

	for (state = 7; tried < 2000; tried++) {
		const float divisor = ldexpf(
			1.0f + (float)(draw() >> 9) / 0x1p23f, (int)(draw() % 100) - 50);
		const int least = -(int)(draw() % 256), most = least + 255;
		struct quotient q;

		if (!quotient_of(&q, divisor, least, most))
			continue;
		taken++;
		for (int i = 0; i < 200; i++) {
			float middle = ((float)least + (float)(draw() % 256) + 0.5f) * divisor;

			for (int away = (int)(draw() % 9); away > 0; away--)
				middle = nextafterf(middle, draw() % 2 == 0 ? INFINITY : -INFINITY);
			same(middle, &q, least, most);
			same(any_float(), &q, least, most);
		}
		same(INFINITY, &q, least, most);
		same(-INFINITY, &q, least, most);
		same(NAN, &q, least, most);
		same(0x1.fffffep127f, &q, least, most);
		same(-0.0f, &q, least, most);
	}
	ck_assert_int_ge(taken, tried - tried / 100);
}
END_TEST

START_TEST(not_tried)
{
	static const float no[] = { 0.0f, -0.5f, INFINITY, NAN, 1e-30f, 1e30f };
	struct quotient q;

	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		ck_assert(!quotient_of(&q, no[i], 0, 255));
	ck_assert(!quotient_of(&q, 0.1f, 0, 65535));
	ck_assert(quotient_of(&q, 0.1f, 0, 255));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("quotient");
	TCase *t = tcase_create("quotient");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, same_steps);
	tcase_add_test(t, not_tried);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	return failed > 0;
}
