/* What a core can do at most: GFLOP/s of multiply-adds that wait for nothing. -O2 -march=native. */
#define _POSIX_C_SOURCE 200809L
#include <time.h>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif

typedef float vector __attribute__((vector_size(BYTES)));

/* Enough sums to hide the latency of two units, few enough for 16 registers. */
enum { SUMS = 12, LANES = BYTES / 4, STEPS = 50000, BURSTS = 20 };
#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* The best of some bursts, of a few milliseconds altogether. */
double peak_gflops(void)
{
	volatile float half = 0.5f, sink;
	const vector x = half - (vector){ 0 };
	double best = 0.0;

	for (int burst = 0; burst < BURSTS; burst++) {
		const double start = now();
#define BEGIN(k) vector sum##k = x * k; /* all different, or compilers compute one */
#define ADD(k)   sum##k = sum##k * x + x;
#define JOIN(k)  +sum##k
		EACH(BEGIN)
		for (int i = 0; i < STEPS; i++) {
			EACH(ADD)
		}
		const vector sum = EACH(JOIN);
		const double rate = 2.0 * SUMS * LANES * STEPS / (now() - start);

		sink = sum[0];
		best = rate > best ? rate : best;
		(void)sink;
	}
	return best;
}
