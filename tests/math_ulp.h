/* The functions of templates/c on arrays, their references in double, and the error in ulp. */
#ifndef MATH_ULP_H
#define MATH_ULP_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "../templates/c/exp_f32.c"
#include "../templates/c/tanh_f32.c"
#include "../templates/c/sigmoid_f32.c"
#include "../templates/c/erf_f32.c"
#include "../templates/c/log_f32.c"
#include "../templates/c/softplus_f32.c"
#include "../templates/c/pow_positive_f32.c"
#include "../templates/c/pow_f32.c"
#include "../templates/c/trig_f32.c"
#include "../templates/c/sin_f32.c"
#include "../templates/c/cos_f32.c"
#include "../templates/c/tan_f32.c"
#include "../templates/c/sqrt_f32.c"
#include "../templates/c/arc_f32.c"
#include "../templates/c/asin_f32.c"
#include "../templates/c/acos_f32.c"
#include "../templates/c/atan_f32.c"
#include "../templates/c/sinh_f32.c"
#include "../templates/c/cosh_f32.c"
#include "../templates/c/log1p_f32.c"
#include "../templates/c/asinh_f32.c"
#include "../templates/c/acosh_f32.c"
#include "../templates/c/atanh_f32.c"
#include "../templates/c/floor_f32.c"
#include "../templates/c/ceil_f32.c"
#include "../templates/c/round_f32.c"
#define AVX2_WORDS /* more processors have it than AVX-512 */
#include "../templates/x86/template.h"
#include "../templates/vector/exp_fma_f32.c"
#include "../templates/vector/erf_fma_f32.c"
#include "../templates/vector/sigmoid_fma_f32.c"
#include "../templates/vector/tanh_fma_f32.c"
#include "../templates/vector/exp_vec_f32.c"
#include "../templates/vector/erf_vec_f32.c"
#include "../templates/vector/sigmoid_vec_f32.c"
#include "../templates/vector/tanh_vec_f32.c"

struct function {
	const char *name;
	void (*map)(float *y, const float *x, int n); /* a loop to vectorise; null for pow */
	double (*reference)(double x);
	double bound; /* greatest error allowed, in ulp; 0 is exact to the sign of zero */
	double least; /* results below may be 0 */
};

/* Those for vectors, which this processor may not have. */
#if HAVE_VECTORS
static int have_fma(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}
#else
#define exp_fma_f32	exp_f32
#define erf_fma_f32	erf_f32
#define sigmoid_fma_f32 sigmoid_f32
#define tanh_fma_f32	tanh_f32
static int have_fma(void)
{
	return 0;
}
#endif

#define MAP(name, target)                                                                          \
	static target void map_##name(float *restrict y, const float *restrict x, int n)           \
	{                                                                                          \
		for (int i = 0; i < n; i++)                                                        \
			y[i] = name##_f32(x[i]);                                                   \
	}
MAP(exp, )
MAP(tanh, )
MAP(sigmoid, )
MAP(erf, )
MAP(log, )
MAP(softplus, )
MAP(sin, )
MAP(cos, )
MAP(tan, )
MAP(asin, )
MAP(acos, )
MAP(atan, )
MAP(sinh, )
MAP(cosh, )
MAP(log1p, )
MAP(asinh, )
MAP(acosh, )
MAP(atanh, )
MAP(floor, )
MAP(ceil, )
MAP(round, )
MAP(exp_fma, FUSED_CODE)
MAP(erf_fma, FUSED_CODE)
MAP(sigmoid_fma, FUSED_CODE)
MAP(tanh_fma, FUSED_CODE)
#undef MAP

/* Of vectors: the same. */
#if HAVE_VECTORS
#define MAP(name)                                                                                  \
	static TARGET void map_##name##_vec(float *restrict y, const float *restrict x, int n)     \
	{                                                                                          \
		for (int i = 0; i < n; i += LANES) {                                               \
			const size_t bytes = sizeof(float) * (size_t)(n - i < LANES ? n - i : LANES); \
			float v[LANES] = { 0.0f };                                                 \
                                                                                                   \
			memcpy(v, x + i, bytes);                                                   \
			VEC_STORE(v, name##_vec_f32(VEC_LOAD(v)));                                 \
			memcpy(y + i, v, bytes);                                                   \
		}                                                                                  \
	}
MAP(exp)
MAP(erf)
MAP(sigmoid)
MAP(tanh)
#undef MAP
#else
#define map_exp_vec	map_exp_fma
#define map_erf_vec	map_erf_fma
#define map_sigmoid_vec map_sigmoid_fma
#define map_tanh_vec	map_tanh_fma
#endif

static double reference_sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

static double reference_softplus(double x)
{
	return (x > 0.0 ? x : 0.0) + log1p(exp(-fabs(x)));
}

static const struct function functions[] = {
	{ "exp", map_exp, exp, 1.0, 0.0 },
	{ "tanh", map_tanh, tanh, 2.0, 0.0 },
	{ "sigmoid", map_sigmoid, reference_sigmoid, 2.0, 0.0 },
	{ "erf", map_erf, erf, 2.0, 0.0 },
	{ "log", map_log, log, 1.0, 0.0 },
	{ "softplus", map_softplus, reference_softplus, 2.0, 0.0 },
	{ "sin", map_sin, sin, 2.0, 0.0 },
	{ "cos", map_cos, cos, 2.0, 0.0 },
	{ "tan", map_tan, tan, 4.0, 0.0 },
	{ "asin", map_asin, asin, 4.0, 0.0 },
	{ "acos", map_acos, acos, 4.0, 0.0 },
	{ "atan", map_atan, atan, 4.0, 0.0 },
	{ "sinh", map_sinh, sinh, 4.0, 0.0 },
	{ "cosh", map_cosh, cosh, 4.0, 0.0 },
	{ "log1p", map_log1p, log1p, 4.0, 0.0 },
	{ "asinh", map_asinh, asinh, 4.0, 0.0 },
	{ "acosh", map_acosh, acosh, 4.0, 0.0 },
	{ "atanh", map_atanh, atanh, 4.0, 0.0 },
	{ "floor", map_floor, floor, 0.0, 0.0 },
	{ "ceil", map_ceil, ceil, 0.0, 0.0 },
	{ "round", map_round, nearbyint, 0.0, 0.0 },
	{ "pow", NULL, NULL, 4.0, 0.0 },
	{ "exp_fma", map_exp_fma, exp, 1.0, 0x1p-125 },
	{ "erf_fma", map_erf_fma, erf, 2.0, 0.0 },
	{ "sigmoid_fma", map_sigmoid_fma, reference_sigmoid, 3.0, 0x1p-125 },
	{ "tanh_fma", map_tanh_fma, tanh, 2.0, 0.0 },
	{ "exp_vec", map_exp_vec, exp, 1.0, 0x1p-125 },
	{ "erf_vec", map_erf_vec, erf, 2.0, 0.0 },
	{ "sigmoid_vec", map_sigmoid_vec, reference_sigmoid, 3.0, 0x1p-125 },
	{ "tanh_vec", map_tanh_vec, tanh, 2.0, 0.0 },
};
enum { NFUNCTIONS = sizeof functions / sizeof functions[0], NFMA = 8 }; /* the last ones */

static int runs_here(const struct function *f)
{
	return f < functions + NFUNCTIONS - NFMA || have_fma();
}

static uint32_t bits_of(float x)
{
	union { float f; uint32_t u; } v = { x };

	return v.u;
}

static float float_of(uint32_t bits)
{
	union { uint32_t u; float f; } v = { bits };

	return v.f;
}

/* |got - want| in units of the last place of a float near want; infinite if their kinds differ. */
static double ulp_error(float got, double want)
{
	const double overflow = 0x1p128;
	union { double d; uint64_t u; } scale, w = { want };
	int exponent;

	if (want != want || got != got)
		return want != want && got != got ? 0.0 : HUGE_VAL;
	if (fabs(want) == HUGE_VAL)
		return got == want ? 0.0 : HUGE_VAL;
	if (want == 0.0)
		return bits_of(got) == bits_of((float)want) ? 0.0 : HUGE_VAL;
	exponent = (int)(w.u >> 52 & 0x7ff) - 1023;
	exponent = exponent < -126 ? -126 : exponent > 127 ? 127 : exponent;
	scale.u = (uint64_t)(1023 + 23 - exponent) << 52;
	if (fabs((double)got) == HUGE_VAL) /* counts as 2^128 */
		return fabs(want) >= overflow && (got > 0.0f) == (want > 0.0) ? 0.0 :
		       fabs((got > 0.0f ? overflow : -overflow) - want) * scale.d;
	if (fabs(want) > overflow)
		want = want > 0.0 ? overflow : -overflow;
	return fabs((double)got - want) * scale.d;
}

/* Arguments for pow: all exponents and signs; finite results; x near 1; y an integer or a half. */
static void pow_arguments(uint64_t index, float *x, float *y)
{
	uint64_t h = (index + 1) * 0x9e3779b97f4a7c15u;

	h = (h ^ h >> 30) * 0xbf58476d1ce4e5b9u;
	h = (h ^ h >> 27) * 0x94d049bb133111ebu;
	h ^= h >> 31;
	*x = float_of((uint32_t)h);
	*y = float_of((uint32_t)(h >> 32));
	if (index % 4 == 1) { /* a result that is finite: |y log2 x| below about 150 */
		const float l = fabsf(log_f32(fabsf(*x)));

		if (l > 0.0f && l <= FLT_MAX)
			*y = ((float)(int32_t)(h >> 32) / 2147483648.0f) * 104.0f / l;
	} else if (index % 4 == 2) { /* the same, x near 1 */
		*x = 1.0f + (float)(int32_t)(uint32_t)h / 8589934592.0f;
		*y = ((float)(int32_t)(h >> 32) / 2147483648.0f) * 104.0f / fabsf(log_f32(*x));
	} else if (index % 4 == 3) {
		*y = (float)((int32_t)(h >> 32) >> 24) * 0.5f;
	}
}

struct tally {
	double worst;	/* error in ulp */
	float x, y;	/* where */
	uint64_t count; /* arguments */
	uint64_t hash;	/* FNV-1a of the results' bits, a word at a time; every NaN counts as one */
};

static void tally_add(struct tally *t, float x, float y, float got, double want)
{
	const uint32_t bits = got != got ? 0x7fc00000u : bits_of(got);
	const double error = ulp_error(got, want);

	t->hash = (t->hash ^ bits) * 0x100000001b3u;
	t->count++;
	if (error > t->worst) {
		t->worst = error;
		t->x = x;
		t->y = y;
	}
}

/* Every stride-th float, or pair for pow. Without compare only the hash means something. */
static struct tally measure(const struct function *f, uint64_t stride, int compare)
{
	enum { BATCH = 4096 };
	static float x[BATCH], y[BATCH];
	struct tally t = { 0.0, 0.0f, 0.0f, 0, 0xcbf29ce484222325u };

	for (uint64_t bits = 0; bits <= UINT32_MAX && f->map == NULL; bits += stride) {
		float a, b, r;

		pow_arguments(bits, &a, &b);
		r = pow_f32(a, b);
		tally_add(&t, a, b, r, compare ? pow((double)a, (double)b) : (double)r);
	}
	for (uint64_t bits = 0; bits <= UINT32_MAX && f->map != NULL;) {
		int n = 0;

		for (; n < BATCH && bits <= UINT32_MAX; bits += stride)
			x[n++] = float_of((uint32_t)bits);
		f->map(y, x, n);
		for (int i = 0; i < n; i++) {
			double want = compare ? f->reference((double)x[i]) : (double)y[i];

			if (want > 0.0 && want < f->least && y[i] <= 0.0f)
				want = 0.0;
			tally_add(&t, x[i], 0.0f, y[i], want);
		}
	}
	return t;
}

#endif
