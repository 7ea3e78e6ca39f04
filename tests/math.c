/*
 * The mathematical functions of generated code (templates/c) and of constant evaluation
 * (compiler/core/math64.c): every 1009-th float against libm, the bits against those of all other
 * targets, and the special values. math_exhaustive.c takes every float.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/skipc.h"
#include "math_ulp.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(a)[0]))

enum { STRIDE = 1009 };

/* What math_exhaustive -b -s 1009 prints on every target. */
static const uint64_t hashes[] = {
	0x75681bffa2c9182a, /* exp */
	0x15b94240012bf6f2, /* tanh */
	0x89916d6693568371, /* sigmoid */
	0x9a6440366d531771, /* erf */
	0x515447015fe0908c, /* log */
	0x29a26616bd66ce01, /* softplus */
	0x9ee589fec0079c58, /* sin */
	0xabc241f82a3dcbe5, /* cos */
	0xeb0a1b2e0e5c7b0d, /* tan */
	0x4c7f5242cdd1e877, /* asin */
	0xb28e21094e6cc8c0, /* acos */
	0xd0094fa06e84559f, /* atan */
	0x73ec33c010b458e1, /* sinh */
	0xf8f137cb1029fc70, /* cosh */
	0xf0d83825e03e0760, /* log1p */
	0xd9e37b632137d487, /* asinh */
	0xbec9d163530f87ac, /* acosh */
	0xc8ff5b7d00d14e0d, /* atanh */
	0x851b77854a766068, /* floor */
	0x33abbc313eebeacc, /* ceil */
	0xbc61edb2959b443a, /* round */
	0xc70e6ae41b9a9e53, /* pow */
	0xb1de6b66df5ffb05, /* exp_fma */
	0x6b89aa9a7d7fa971, /* erf_fma */
	0x497269c1bf62bb2e, /* sigmoid_fma */
	0x1e20b2166d2e68c4, /* tanh_fma */
	0xb1de6b66df5ffb05, /* exp_vec */
	0x6b89aa9a7d7fa971, /* erf_vec */
	0x497269c1bf62bb2e, /* sigmoid_vec */
	0x1e20b2166d2e68c4, /* tanh_vec */
};
_Static_assert(COUNT(hashes) == NFUNCTIONS, "a hash for each function");

START_TEST(sample)
{
	const struct function *f = &functions[_i];

	if (!runs_here(f))
		return;
	const struct tally t = measure(f, STRIDE, 1);

	ck_assert_msg(t.worst <= f->bound, "%s(%.9g, %.9g) is wrong by %.4f ulp", f->name,
		      (double)t.x, (double)t.y, t.worst);
	ck_assert_msg(t.hash == hashes[_i], "%s has other bits here: hash %016llx", f->name,
		      (unsigned long long)t.hash);
}
END_TEST

#define INF ((double)HUGE_VALF)
#define NOT_A_NUMBER (INF - INF)

static const struct special {
	const char *name;
	double x, y;
} specials[] = {
	{ "exp", 0.0, 1.0 }, { "exp", -0.0, 1.0 }, { "exp", INF, INF }, { "exp", -INF, 0.0 },
	{ "exp", 0x1.62e42ep+6, 0x1.ffff08p+127 }, { "exp", 0x1.62e430p+6, INF },
	{ "exp", -103.0, 0x1p-149 },
	{ "exp", -104.0, 0.0 }, { "exp", 3e38, INF }, { "exp", -3e38, 0.0 },
	{ "exp", 0x1p-149, 1.0 },
	{ "exp_fma", 0.0, 1.0 }, { "exp_fma", -0.0, 1.0 }, { "exp_fma", INF, INF },
	{ "exp_fma", -INF, 0.0 }, { "exp_fma", 0x1.62e42ep+6, 0x1.ffff08p+127 },
	{ "exp_fma", 0x1.62e430p+6, INF }, { "exp_fma", -103.0, 0.0 }, { "exp_fma", -3e38, 0.0 },
	{ "erf_fma", 0.0, 0.0 }, { "erf_fma", -0.0, -0.0 }, { "erf_fma", INF, 1.0 }, { "erf_fma", -INF, -1.0 },
	{ "erf_fma", 4.0, 1.0 }, { "erf_fma", -3e38, -1.0 }, { "erf_fma", 0x1p-149, 0x1p-149 },
	{ "sigmoid_fma", 0.0, 0.5 }, { "sigmoid_fma", INF, 1.0 }, { "sigmoid_fma", -INF, 0.0 },
	{ "sigmoid_fma", 100.0, 1.0 }, { "sigmoid_fma", -3e38, 0.0 },
	{ "tanh_fma", -0.0, -0.0 }, { "tanh_fma", INF, 1.0 }, { "tanh_fma", -INF, -1.0 },
	{ "tanh_fma", 0x1p-149, 0x1p-149 }, { "tanh_fma", 9.1, 1.0 },
	{ "tanh", 0.0, 0.0 }, { "tanh", -0.0, -0.0 }, { "tanh", INF, 1.0 }, { "tanh", -INF, -1.0 },
	{ "tanh", 0x1p-149, 0x1p-149 }, { "tanh", -3e38, -1.0 }, { "tanh", 9.1, 1.0 },
	{ "sigmoid", 0.0, 0.5 }, { "sigmoid", -0.0, 0.5 }, { "sigmoid", INF, 1.0 },
	{ "sigmoid", -INF, 0.0 },
	{ "sigmoid", 100.0, 1.0 }, { "sigmoid", -103.0, 0x1p-149 }, { "sigmoid", -3e38, 0.0 },
	{ "erf", 0.0, 0.0 }, { "erf", -0.0, -0.0 }, { "erf", INF, 1.0 }, { "erf", -INF, -1.0 },
	{ "erf", 4.0, 1.0 }, { "erf", -3e38, -1.0 }, { "erf", 0x1p-149, 0x1p-149 },
	{ "log", 1.0, 0.0 }, { "log", 0.0, -INF }, { "log", -0.0, -INF }, { "log", INF, INF },
	{ "log", -1.0, NOT_A_NUMBER }, { "log", -INF, NOT_A_NUMBER },
	{ "log", -0x1p-149, NOT_A_NUMBER },
	{ "log", 0x1p-149, -0x1.9d1da0p+6 },
	{ "softplus", -INF, 0.0 }, { "softplus", INF, INF }, { "softplus", 3e38f, 3e38f },
	{ "softplus", 100.0, 100.0 }, { "softplus", -103.0, 0x1p-149 }, { "softplus", -3e38, 0.0 },
	{ "sin", 0.0, 0.0 }, { "sin", -0.0, -0.0 }, { "sin", INF, NOT_A_NUMBER },
	{ "sin", -INF, NOT_A_NUMBER },
	{ "sin", 0x1p-149, 0x1p-149 }, { "cos", 0.0, 1.0 }, { "cos", -0.0, 1.0 },
	{ "cos", INF, NOT_A_NUMBER },
	{ "tan", -0.0, -0.0 }, { "tan", INF, NOT_A_NUMBER }, { "asin", -0.0, -0.0 },
	{ "asin", 1.0, 0x1.921fb6p+0 }, { "asin", 1.5, NOT_A_NUMBER }, { "asin", -INF, NOT_A_NUMBER },
	{ "acos", 1.0, 0.0 }, { "acos", -1.0, 0x1.921fb6p+1 }, { "acos", -1.5, NOT_A_NUMBER },
	{ "atan", -0.0, -0.0 }, { "atan", INF, 0x1.921fb6p+0 }, { "atan", -INF, -0x1.921fb6p+0 },
	{ "atan", 0x1p-149, 0x1p-149 }, { "sinh", -0.0, -0.0 }, { "sinh", -INF, -INF },
	{ "sinh", 100.0, INF }, { "sinh", 0x1p-149, 0x1p-149 }, { "cosh", 0.0, 1.0 },
	{ "cosh", -INF, INF }, { "asinh", -0.0, -0.0 }, { "asinh", -INF, -INF },
	{ "acosh", 1.0, 0.0 }, { "acosh", 0.5, NOT_A_NUMBER }, { "acosh", INF, INF },
	{ "acosh", -INF, NOT_A_NUMBER }, { "atanh", -0.0, -0.0 }, { "atanh", 1.0, INF },
	{ "atanh", -1.0, -INF }, { "atanh", 1.5, NOT_A_NUMBER }, { "atanh", INF, NOT_A_NUMBER },
	{ "floor", -0.0, -0.0 }, { "floor", 0.5, 0.0 }, { "floor", -0.5, -1.0 },
	{ "floor", -0x1p-149, -1.0 },
	{ "floor", 8388607.5, 8388607.0 }, { "floor", -8388607.5, -8388608.0 },
	{ "floor", INF, INF },
	{ "floor", 16777216.0, 16777216.0 }, { "floor", -INF, -INF }, { "floor", 2.0, 2.0 },
	{ "ceil", -0.0, -0.0 }, { "ceil", -0.5, -0.0 }, { "ceil", 0x1p-149, 1.0 },
	{ "ceil", -1.5, -1.0 },
	{ "ceil", 8388607.5, 8388608.0 }, { "ceil", INF, INF }, { "ceil", -INF, -INF },
	{ "ceil", -7.0, -7.0 },
	{ "round", -0.0, -0.0 }, { "round", 0.5, 0.0 }, { "round", -0.5, -0.0 },
	{ "round", 1.5, 2.0 },
	{ "round", 2.5, 2.0 }, { "round", -2.5, -2.0 }, { "round", 8388607.5, 8388608.0 },
	{ "round", 8388606.5, 8388606.0 }, { "round", INF, INF }, { "round", -INF, -INF },
};

static const struct function *named(const char *name)
{
	for (int i = 0; i < NFUNCTIONS; i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	abort();
}

START_TEST(special)
{
	const struct special *s = &specials[_i];
	const float x = (float)s->x, want = (float)s->y;
	float y;

	if (!runs_here(named(s->name)))
		return;
	named(s->name)->map(&y, &x, 1);
	ck_assert_msg(want != want ? y != y : bits_of(y) == bits_of(want), "%s(%a) is %a, not %a",
		      s->name, s->x, (double)y, s->y);
}
END_TEST

START_TEST(nan_stays)
{
	static const uint32_t nans[] = { 0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff,
		0x7fffffff };

	for (int i = 0; i < COUNT(nans); i++) {
		const float x = float_of(nans[i]);
		float y = 0.0f;

		if (!runs_here(&functions[_i]))
			return;
		if (functions[_i].map != NULL)
			functions[_i].map(&y, &x, 1);
		else
			y = pow_f32(x, 2.0f) + pow_f32(2.0f, x);
		ck_assert_msg(y != y, "%s(NaN %08x) is %a", functions[_i].name, nans[i], (double)y);
	}
}
END_TEST

static int same(double a, double b)
{
	return a != a ? b != b : a == b && signbit(a) == signbit(b);
}

/* All pairs of awkward values, in float and in double: those of Annex F and what is exact. */
START_TEST(pow_special)
{
	static const double v[] = {
		0.0, 1.0, 2.0, 3.0, 0.5, 4.0, 1e30, 16777217.0, 33554432.0,
		0x1p-149, INF, NOT_A_NUMBER,
		-0.0, -1.0, -2.0, -3.0, -0.5, -4.0, -1e30, -16777215.0, -33554432.0, -0x1p-149,
		-INF,
	};

	for (int i = 0; i < COUNT(v); i++) {
		for (int j = 0; j < COUNT(v); j++) {
			const float x = (float)v[i], y = (float)v[j], r = pow_f32(x, y);
			const double want = pow((double)x, (double)y), r64 = math_pow(v[i], v[j]);
			const double want64 = pow(v[i], v[j]);

			ck_assert_msg(same((double)r, (double)(float)want) ||
				      ulp_error(r, want) < 3.0,
				      "pow(%a, %a) is %a, not %a", v[i], v[j], (double)r, want);
			ck_assert_msg(same(r64, want64) ||
				      fabs(r64 - want64) <= fabs(want64) * 2e-15,
				      "math_pow(%a, %a) is %a, not %a", v[i], v[j], r64, want64);
		}
	}
}
END_TEST

/* Shapes come out of these: an integer must be one. */
START_TEST(pow_of_integers)
{
	for (int i = -200; i <= 200; i++) {
		double want = 1.0;

		for (int j = 0; fabs(want) < 0x1p53 && j < 20; j++, want *= i) {
			const double r = math_pow(i, j), r32 = (double)pow_f32((float)i, (float)j);

			ck_assert_msg(same(r, want), "%d^%d is %a", i, j, r);
			if (fabs(want) <= 0x1p24)
				ck_assert_msg(same(r32, want), "%d^%d is %a in float", i, j, r32);
		}
		ck_assert(same(math_pow((double)i * i, 0.5), abs(i)));
		ck_assert(same((double)pow_f32((float)(i * i), 0.5f), abs(i)));
	}
}
END_TEST

static const struct wide {
	const char *name;
	double (*function)(double), (*reference)(double);
} wide[] = {
	{ "exp", math_exp, exp }, { "tanh", math_tanh, tanh },
	{ "sigmoid", math_sigmoid, reference_sigmoid },
	{ "erf", math_erf, erf }, { "log", math_log, log },
	{ "softplus", math_softplus, reference_softplus },
	{ "sin", math_sin, sin }, { "cos", math_cos, cos }, { "tan", math_tan, tan },
	{ "asin", math_asin, asin }, { "acos", math_acos, acos }, { "atan", math_atan, atan },
	{ "sinh", math_sinh, sinh }, { "cosh", math_cosh, cosh },
	{ "asinh", math_asinh, asinh }, { "acosh", math_acosh, acosh }, { "atanh", math_atanh, atanh },
};

static uint64_t random64(void)
{
	static uint64_t seed = 20240607;
	uint64_t h = seed += 0x9e3779b97f4a7c15u;

	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
	h = (h ^ h >> 27) * 0x94d049bb133111ebu;
	return h ^ h >> 31;
}

static double any_double(void)
{
	union { uint64_t u; double d; } v = { random64() };

	return v.d;
}

static double between(double lo, double hi)
{
	return lo + (hi - lo) * (double)(random64() >> 11) * 0x1p-53;
}

static void expect_wide(const char *name, double x, double y, double got, double want)
{
	const double bound = strcmp(name, "pow") == 0 ? 5e-15 : 2e-15;

	ck_assert_msg(same(got, want) || fabs(got - want) <= fabs(want) * bound ||
		      (fabs(want) < DBL_MIN && fabs(got - want) <= 0x1p-1073),
		      "math_%s(%a, %a) is %a, not %a", name, x, y, got, want);
}

START_TEST(wide_sample)
{
	static const double v[] = {
		0.0, 1.0, 0.5, 2.0, 6.0, 20.5, 709.7, 710.0, 745.0, 746.0, 1e300, 0x1p-1074,
		1e-310, INF,
		NOT_A_NUMBER, DBL_MAX,
	};
	const struct wide *w = &wide[_i];

	for (int i = 0; i < COUNT(v); i++) {
		expect_wide(w->name, v[i], 0.0, w->function(v[i]), w->reference(v[i]));
		if (w->reference != reference_sigmoid || v[i] < 709.0) /* it overflows */
			expect_wide(w->name, -v[i], 0.0, w->function(-v[i]), w->reference(-v[i]));
	}
	for (int i = 0; i < 100000; i++) {
		const double x = i % 3 == 0 ? between(-3.0, 3.0) :
				 i % 3 == 1 ? between(-700.0, 700.0) : any_double();

		if (w->reference != reference_sigmoid || !(x < -700.0))
			expect_wide(w->name, x, 0.0, w->function(x), w->reference(x));
	}
}
END_TEST

START_TEST(wide_pow)
{
	for (int i = 0; i < 100000; i++) {
		const double x = i % 2 == 0 ? fabs(any_double()) : between(0.5, 2.0), l = log(x);
		const int finite = i % 4 < 2 && l * l > 0.0;
		const double y = finite ? between(-700.0, 700.0) / l : any_double();

		expect_wide("pow", x, y, math_pow(x, y), pow(x, y));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("math");
	TCase *c = tcase_create("math");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, c);
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, sample, 0, NFUNCTIONS);
	tcase_add_loop_test(c, special, 0, COUNT(specials));
	tcase_add_loop_test(c, nan_stays, 0, NFUNCTIONS);
	tcase_add_test(c, pow_special);
	tcase_add_test(c, pow_of_integers);
	tcase_add_loop_test(c, wide_sample, 0, COUNT(wide));
	tcase_add_test(c, wide_pow);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
