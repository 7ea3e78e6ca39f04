/*
 * The functions that constants are evaluated with: plain double arithmetic, so that the same model
 * gives the same bytes on every host. Relative error below 1e-15 (pow: 3e-15 where the result is
 * near the limits); integer powers of integers below 2^53 are exact. Prototypes (skipc.h):
 *
 *     double math_exp(double x);
 *     double math_tanh(double x);
 *     double math_sigmoid(double x);
 *     double math_erf(double x);
 *     double math_log(double x);
 *     double math_pow(double x, double y);
 *     double math_sin(double x);
 *     double math_cos(double x);
 *     double math_softplus(double x);
 *     double math_tan(double x);   and asin, acos, atan, sinh, cosh, asinh, acosh, atanh (below 2e-15)
 *
 * The methods are those of templates/c, with Taylor series in place of fitted polynomials.
 */
#include "core/skipc.h"

#include <math.h> /* sqrt, which is exact */

#include <float.h>
#include <stdint.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#define LN2_HI 6.93147180369123816490e-01 /* 32 bits: exact times an exponent */
#define LN2_LO 1.90821492927058770002e-10

union bits {
	double d;
	uint64_t u;
};

static double from_bits(uint64_t u)
{
	const union bits v = { .u = u };

	return v.d;
}

static uint64_t to_bits(double d)
{
	const union bits v = { .d = d };

	return v.u;
}

static const uint64_t sign_bit = UINT64_C(1) << 63;

static double infinity(void)
{
	return from_bits(UINT64_C(0x7ff) << 52);
}

static double not_a_number(void)
{
	return from_bits(UINT64_C(0xfff) << 51);
}

static bool is_nan(double x)
{
	return (to_bits(x) & ~sign_bit) > UINT64_C(0x7ff) << 52;
}

static double magnitude(double x)
{
	return from_bits(to_bits(x) & ~sign_bit);
}

static double with_sign_of(double x, double sign)
{
	return from_bits((to_bits(x) & ~sign_bit) | (to_bits(sign) & sign_bit));
}

/* x 2^n, rounded once; |n| < 2000 */
static double scale(double x, int n)
{
	const int half = n / 2;

	return x * from_bits((uint64_t)(1023 + half) << 52) *
	       from_bits((uint64_t)(1023 + n - half) << 52);
}

static int nearest(double x)
{
	return (int)(x < 0.0 ? x - 0.5 : x + 0.5);
}

/* exp(hi - lo) - 1 for |hi - lo| < 0.36 and a small lo: hi + (r^2/2 + r^3/6 + ... - lo) */
static double expm1_series(double hi, double lo)
{
	const double r = hi - lo;
	double p = 1.0;

	for (int i = 15; i > 2; i--)
		p = 1.0 + r * p / i;
	return hi + (0.5 * r * r * p - lo);
}

/* exp(x) - 1 for |x| < 700 */
static double expm1_of(double x)
{
	const int n = nearest(x / (LN2_HI + LN2_LO));
	const double e = expm1_series(x - n * LN2_HI, n * LN2_LO);

	return n == 0 ? e : scale(e, n) + (scale(1.0, n) - 1.0);
}

double math_exp(double x)
{
	if (is_nan(x))
		return x;
	if (x > 710.0)
		return infinity();
	if (x < -746.0)
		return 0.0;
	const int n = nearest(x / (LN2_HI + LN2_LO));

	return scale(1.0 + expm1_series(x - n * LN2_HI, n * LN2_LO), n);
}

double math_tanh(double x)
{
	const double a = magnitude(x);

	if (is_nan(x))
		return x;
	if (a > 20.0)
		return with_sign_of(1.0, x);
	if (a < 1e-9)
		return x; /* and -0 */
	const double e = expm1_of(2.0 * a);

	return with_sign_of(a < 1.0 ? e / (e + 2.0) : 1.0 - 2.0 / (e + 2.0), x);
}

double math_sigmoid(double x)
{
	const double e = math_exp(-magnitude(x)), top = x < 0.0 ? e : 1.0;

	return top - top * (e / (1.0 + e));
}

/* The series 2 / sqrt(pi) exp(-x^2) (x + 2 x^3 / 3 + 4 x^5 / 15 + ...) has no cancellation; from 2
 * on the continued fraction of erfc. */
double math_erf(double x)
{
	const double a = magnitude(x), z = a * a;

	if (is_nan(x))
		return x;
	if (a > 6.0)
		return with_sign_of(1.0, x);
	if (a < 2.0) {
		double p = 1.0;

		for (int i = 40; i > 0; i--)
			p = 1.0 + p * (2.0 * z / (2 * i + 1));
		return x * (1.12837916709551257390 * math_exp(-z) * p);
	}
	double t = a;

	for (int i = 120; i > 0; i--)
		t = a + 0.5 * i / t;
	return with_sign_of(1.0 - 0.56418958354775628695 * math_exp(-z) / t, x);
}

/* Splits positive finite x: returns m in [sqrt(1/2), sqrt 2), x = m 2^n. */
static double split(double x, int *n)
{
	const uint64_t root_half = UINT64_C(0x3fe6a09e667f3bcd), one = UINT64_C(1023) << 52;
	const bool subnormal = x < DBL_MIN;
	const uint64_t u = to_bits(subnormal ? x * 0x1p54 : x) + (one - root_half);

	*n = (int)(u >> 52) - 1023 - (subnormal ? 54 : 0);
	return from_bits((u & (UINT64_MAX >> 12)) + root_half);
}

/* atanh(s) / s - 1 for |s| < 0.172, z = s^2: z/3 + z^2/5 + ... */
static double atanh_series(double z)
{
	double p = 0.0;

	for (int i = 25; i > 1; i -= 2)
		p = z * (p + 1.0 / i);
	return p;
}

double math_log(double x)
{
	int n;

	if (is_nan(x) || x > DBL_MAX)
		return x;
	if (!(magnitude(x) > 0.0))
		return -infinity();
	if (x < 0.0)
		return not_a_number();
	const double f = split(x, &n) - 1.0, s = f / (2.0 + f), h = 0.5 * f * f;

	/* 2 atanh(s) = f - (h - s (h + 2 atanh(s) / s - 2)) */
	return n * LN2_HI + (f - (h - (s * (h + 2.0 * atanh_series(s * s)) + n * LN2_LO)));
}

double math_softplus(double x)
{
	const double e = math_exp(-magnitude(x)), w = 1.0 + e;

	/* log1p(e): the logarithm of the rounded sum, and what rounding took */
	return (x > 0.0 ? x : 0.0) + (math_log(w) + (e - (w - 1.0)) / w);
}

/* The top 26 bits: products of two such are exact. */
static double high(double x)
{
	return from_bits(to_bits(x) & UINT64_MAX << 27);
}

/* log(x) as *hi (26 bits) + returned low part, x positive and finite */
static double log_in_two(double x, double *hi)
{
	int n;
	const double m = split(x, &n), f = m - 1.0, d = m + 1.0, s = f / d;
	const double sh = high(s), dh = high(d);
	const double sl = ((f - sh * dh) - sh * (m - (dh - 1.0))) / d;
	const double small = 2.0 * (sl + s * atanh_series(s * s)) + n * LN2_LO;
	const double big = n * LN2_HI, sum = big + 2.0 * sh;
	const double rest = ((big - sum) + 2.0 * sh) + small;

	*hi = high(sum + rest);
	return rest - (*hi - sum);
}

/* x^y, x positive and finite, y finite and not 0 */
static double pow_positive(double x, double y)
{
	double hi;
	const double lo = log_in_two(x, &hi);

	y = y > 0x1p64 ? 0x1p64 : y < -0x1p64 ? -0x1p64 : y;
	const double yh = high(y), p = yh * hi, q = (y - yh) * (hi + lo) + yh * lo;

	if (p + q > 710.0)
		return infinity();
	if (p + q < -746.0)
		return 0.0;
	const int n = nearest((p + q) / (LN2_HI + LN2_LO));
	const double h = p - n * LN2_HI; /* exact, so nothing of q is lost */

	return scale(1.0 + expm1_series(h, n * LN2_LO - q), n);
}

/* 0: y is no integer, 1: odd, 2: even */
static int parity(double y)
{
	const double a = magnitude(y);

	if (a >= 0x1p53)
		return 2;
	const uint64_t i = (uint64_t)a;

	return (double)i < a ? 0 : (i & 1) != 0 ? 1 : 2;
}

/* The special cases are those of C99's Annex F. */
double math_pow(double x, double y)
{
	const double a = magnitude(x);
	const bool negative = (to_bits(x) & sign_bit) != 0;
	double r;

	if (!(magnitude(y) > 0.0) && !is_nan(y))
		return 1.0;
	if (to_bits(x) == UINT64_C(1023) << 52)
		return 1.0;
	if (is_nan(x) || is_nan(y))
		return not_a_number();
	if (a > DBL_MAX)
		r = y > 0.0 ? infinity() : 0.0;
	else if (!(a > 0.0))
		r = y > 0.0 ? 0.0 : infinity();
	else if (negative && parity(y) == 0)
		return not_a_number();
	else
		r = pow_positive(a, y);
	return negative && parity(y) == 1 ? -r : r;
}

/* 2 / pi = 0.a2f9836e..., after 64 zeros */
static const uint32_t two_over_pi[] = {
	0x00000000,
	0x00000000,
	0xa2f9836e,
	0x4e441529,
	0xfc2757d1,
	0xf534ddc0,
	0xdb629599,
	0x3c439041,
	0xfe5163ab,
	0xdebbc561,
	0xb7246e3a,
	0x424dd2e0,
	0x06492eea,
	0x09d1921c,
	0xfe1deb1c,
	0xb129a73e,
	0xe88235f5,
	0x2ebb4484,
	0xe99c7026,
	0xb45f7e41,
	0x3991d639,
	0x835339f4,
	0x9c845f8b,
	0xbdf9283b,
	0x1ff897ff,
	0xde05980f,
	0xef2f118b,
	0x5a0a6d1f,
	0x6d367ecf,
	0x27cb09b7,
	0x4f463f66,
	0x9e5fea2d,
	0x7527bac7,
	0xebe5f17b,
	0x3d0739f7,
	0x8a5292ea,
	0x6bfb5fb1,
	0x1f8d5d08,
	0x56033046,
	0xfc7b6bab,
};

/*
 * x = q pi / 2 + (*r + *l) for finite x >= 0.5; returns q modulo 4. Payne and Hanek: the mantissa
 * times the 192 bits of 2 / pi that matter modulo 4, in 32-bit digits.
 */
static unsigned reduce(double x, double *r, double *l)
{
	enum { DIGITS = 6 };
	const uint64_t m = (to_bits(x) & (UINT64_MAX >> 12)) | UINT64_C(1) << 52;
	/* x = m 2^e; the first bit that matters has the weight 2^(1 - e) in 2 / pi */
	const int e = (int)(to_bits(x) >> 52) - 1075, first = 64 + e - 2;
	uint32_t product[DIGITS] = { 0 }; /* most significant first */
	uint64_t carry = 0;

	for (int i = DIGITS - 1; i >= 0; i--) {
		const uint32_t *w = two_over_pi + (first + 32 * i) / 32;
		const int by = 32 - (first + 32 * i) % 32;
		/* NOLINTNEXTLINE: x is large, so first >= 0 */
		const uint64_t digit = (((uint64_t)w[0] << 32 | w[1]) >> by) & UINT32_MAX;
		const uint64_t sum = (m & UINT32_MAX) * digit + (carry & UINT32_MAX);

		product[i] = (uint32_t)sum;
		carry = (carry >> 32) + (sum >> 32) + (m >> 32) * digit;
	}
	const uint64_t top = (uint64_t)product[0] << 32 | product[1];
	const uint64_t low = (uint64_t)product[2] << 32 | product[3];
	const unsigned q = (unsigned)((top + (UINT64_C(1) << 61)) >> 62);
	uint64_t p = top - ((uint64_t)q << 62), t = low;
	const bool below = p >> 63 != 0;

	if (below) { /* negate the 128 bits */
		p = ~p;
		t = ~t;
	}
	/* three exact pieces in units of pi / 2; p < 2^61 + 1 */
	const double s0 = (double)(p >> 10) * 0x1p-52;
	const double s1 = (double)((p & 1023) << 42 | t >> 22) * 0x1p-104;
	const double s2 = (double)(t & 0x3fffff) * 0x1p-126;
	const double h = s0 + s1, rest = (s1 - (h - s0)) + s2, hh = high(h);
	const double pio2_hi = 0x1.921fb5p+0, pio2_lo = 0x1.110b4611a6263p-26;
	const double a = hh * pio2_hi, b = hh * pio2_lo + ((h - hh) + rest) * (pio2_hi + pio2_lo);

	*r = below ? -(a + b) : a + b;
	*l = below ? -(b - ((a + b) - a)) : b - ((a + b) - a);
	return q;
}

/* sin(x + quarters pi / 2), quarters 0 or 1 */
static double trig(double x, unsigned quarters)
{
	double r = magnitude(x), l = 0.0, p = 1.0, y;
	unsigned q = quarters;

	if (is_nan(x))
		return x;
	if (r > DBL_MAX)
		return not_a_number();
	if (r > 0.785)
		q += reduce(r, &r, &l);
	const double z = r * r;

	if (q % 2 == 0) {
		for (int i = 20; i > 2; i -= 2)
			p = 1.0 - p * (z / (i * (i + 1)));
		y = r + (l - r * (p * (z / 6.0)));
	} else {
		for (int i = 21; i > 3; i -= 2)
			p = 1.0 - p * (z / (i * (i + 1)));
		const double w = 1.0 - 0.5 * z;

		y = w + (((1.0 - w) - 0.5 * z) + (p * (z * z / 24.0) - r * l));
	}
	y = q % 4 >= 2 ? -y : y;
	return quarters == 0 && (to_bits(x) & sign_bit) != 0 ? -y : y;
}

double math_sin(double x)
{
	return trig(x, 0);
}

double math_cos(double x)
{
	return trig(x, 1);
}

double math_tan(double x)
{
	return math_sin(x) / math_cos(x);
}

/* The angle is halved three times; then the series. */
double math_atan(double x)
{
	const double half_pi = 1.5707963267948966;
	double r = magnitude(x), p = 0.0, y;
	const bool turned = r > 1.0;

	if (is_nan(x) || r < 1e-8)
		return x;
	r = turned ? 1.0 / r : r;
	for (int i = 0; i < 3; i++)
		r = r / (1.0 + sqrt(1.0 + r * r));
	for (int i = 27; i > 1; i -= 2)
		p = r * r * (1.0 / i - p);
	y = 8.0 * (r - r * p);
	y = turned ? half_pi - y : y;
	return (to_bits(x) & sign_bit) != 0 ? -y : y;
}

double math_asin(double x)
{
	return magnitude(x) < 1e-8 ? x : math_atan(x / sqrt((1.0 - x) * (1.0 + x)));
}

double math_acos(double x)
{
	return 2.0 * math_atan(sqrt((1.0 - x) / (1.0 + x)));
}

double math_sinh(double x)
{
	const double a = magnitude(x), z = x * x;
	double p = 1.0, e;

	if (a < 1.0) {
		for (int i = 20; i > 2; i -= 2)
			p = 1.0 + p * (z / (i * (i + 1)));
		return x + x * (p * (z / 6.0));
	}
	e = math_exp(0.5 * a);
	p = 0.5 * e * e - 0.5 / e / e;
	return x < 0.0 ? -p : p;
}

double math_cosh(double x)
{
	const double e = math_exp(0.5 * magnitude(x));

	return 0.5 * e * e + 0.5 / e / e;
}

/* log(1 + x), W. Kahan's way. */
static double log_of_more(double x)
{
	const double w = 1.0 + x;

	if (!(w - 1.0 > 0.0 || w - 1.0 < 0.0))
		return x;
	return w > DBL_MAX ? w : math_log(w) * (x / (w - 1.0));
}

double math_asinh(double x)
{
	const double a = magnitude(x), ln2 = 0.6931471805599453;
	double y;

	if (a < 1e-8)
		return x;
	y = a > 1e18 ? math_log(a) + ln2 : log_of_more(a + a * a / (1.0 + sqrt(a * a + 1.0)));
	return x < 0.0 ? -y : y;
}

double math_acosh(double x)
{
	const double t = x - 1.0, ln2 = 0.6931471805599453;

	if (x < 1.0)
		return not_a_number();
	return x > 1e18 ? math_log(x) + ln2 : log_of_more(t + sqrt(2.0 * t + t * t));
}

double math_atanh(double x)
{
	const double a = magnitude(x);
	double y;

	if (a < 1e-8)
		return x;
	if (a > 1.0)
		return not_a_number();
	y = 0.5 * log_of_more(2.0 * a / (1.0 - a));
	return x < 0.0 ? -y : y;
}
