/*
 * Sums of integers that are scaled without an FPU have the bits that floats give: c/requantize_i32.c both ways, on millions of
 * them, half where the nearest integer changes.
 */
#define FPU 1
#define requantize_i32 by_floats
#include "../templates/c/requantize_i32.c"
#undef FPU
#undef requantize_i32
#define FPU 0
#define requantize_i32 by_integers
#include "../templates/c/requantize_i32.c"

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

static uint64_t state = 88172645463325252u;

static uint32_t any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

/* A factor: of any bits now and then, often one with which many sums lie just between two integers. */
static float any_factor(void)
{
	union { uint32_t u; float f; } v = { any() };

	if (any() % 1000 == 0 && isfinite(v.f))
		return v.f;
	if (any() % 8 == 0)
		return ldexpf((float)(1 + any() % 8), 4 - (int)(any() % 26));
	return ldexpf(1.0f + (float)(any() & 0x7fffffu) / 8388608.0f, 10 - (int)(any() % 36));
}

/* Of any size; or one of those beside half an odd number over m. */
static int32_t any_sum(float m, bool near)
{
	const double half = (double)(any() % 512) - 255.5, v = floor(half / (double)m) + (double)(any() % 5) - 2.0;

	if (near && fabs(v) < 2147483647.0)
		return (int32_t)v;
	const int32_t size = (int32_t)(any() >> (1 + any() % 31));

	return any() % 2 != 0 ? -size - (any() % 64 == 0) : size;
}

/* As R says it. */
static int32_t defined(int32_t a, float m, int32_t low, int32_t high)
{
	const float v = nearbyintf((float)a * m);

	return v < (float)low ? low : v > (float)high ? high : (int32_t)v;
}

START_TEST(test_bits)
{
	const char *wanted = getenv("REQUANTIZE");
	const long n = wanted != NULL ? atol(wanted) : 20000000;

	for (long k = 0; k < n; k++) {
		const bool wide = any() % 16 == 0;
		const int32_t low = wide ? -65535 : -(int32_t)(any() % 256), high = wide ? 65535 : low + 255;
		const float m = any_factor();
		const int32_t a = any_sum(m, k % 2 == 0);
		const int32_t want = by_floats(a, m, low, high), got = by_integers(a, m, low, high);

		if (got != want || want != defined(a, m, low, high)) /* each assertion is a system call */
			ck_abort_msg("%d by %a: %d by floats, %d by integers", a, (double)m, want, got);
	}
}
END_TEST

/* The ends, and what lies between two integers. */
START_TEST(test_ends)
{
	const int32_t sums[] = { 0, 1, -1, 0x7fffff, 0x800000, -0x800000, INT32_MAX, INT32_MIN };
	const float factors[] = { 0.0f, 1e-45f, 1e-38f, 0x1p-24f, 0x1p-23f, 0.5f, 1.0f, 127.9f, 128.0f, 3e38f, -1.0f };

	for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++)
		for (size_t j = 0; j < sizeof(factors) / sizeof(factors[0]); j++)
			ck_assert_int_eq(by_integers(sums[i], factors[j], -128, 127),
				by_floats(sums[i], factors[j], -128, 127));
	ck_assert_int_eq(by_floats(INT32_MIN, 3e38f, -128, 127), -128);
	ck_assert_int_eq(by_floats(INT32_MAX, 3e38f, -128, 127), 127);
	ck_assert_int_eq(by_floats(3, 0.5f, -128, 127), 2);
	ck_assert_int_eq(by_floats(-5, 0.5f, -128, 127), -2);
	ck_assert_int_eq(by_floats(-7, 0.5f, -128, 127), -4);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("requantize");
	TCase *t = tcase_create("requantize");

	tcase_set_timeout(t, 600);
	tcase_add_test(t, test_bits);
	tcase_add_test(t, test_ends);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	return failed > 0;
}
