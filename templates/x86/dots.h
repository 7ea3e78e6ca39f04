/* Products of bytes: instruction sets that add VNNI to another, for kernels of bytes. Compilers that know it not have not this header. */
#if HAVE_VECTORS && defined(__has_include)
#if __has_include(<avxvnniintrin.h>)
#define HAVE_DOTS 1
#endif
#endif
#ifndef HAVE_DOTS
#define HAVE_DOTS 0
#endif

enum { ISA_AVX_VNNI = ISA_AVX512 + 1, ISA_AVX512_VNNI };

#if HAVE_DOTS
#include <cpuid.h>
#define AVX512_VNNI_CODE __attribute__((target("avx512vnni,avx512f,avx512bw,avx512dq,avx512vl,avx2,fma" TUNED)))
#define AVX_VNNI_CODE __attribute__((target("avxvnni,avx2,fma" TUNED)))
#ifndef SUMS16_DOT4
#define SUMS16_DOT4(c, a, b) ((sums16)_mm512_dpbusd_epi32((__m512i)(c), a, b))
#define SUMS16_DOT2(c, a, b) ((sums16)_mm512_dpwssd_epi32((__m512i)(c), a, b))
#endif
#endif
/* The set for kernels of bytes: isa, or the best that adds VNNI and is not above `most`. */
static int best_dots(int isa, int most)
{
#if HAVE_DOTS
	unsigned a = 0, b, c, d;

	if (most >= ISA_AVX512_VNNI && isa == ISA_AVX512 && __builtin_cpu_supports("avx512vnni"))
		return ISA_AVX512_VNNI;
	if (most >= ISA_AVX_VNNI && isa >= ISA_AVX2 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1) != 0)
		return ISA_AVX_VNNI;
#endif
	(void)most;
	return isa;
}

#if HAVE_DOTS
#define PICKED_DOTS(name, arguments, ...) \
	static void name(int isa, __VA_ARGS__) \
	{ \
		if (isa == ISA_AVX512_VNNI) \
			name##_avx512vnni arguments; \
		else if (isa == ISA_AVX_VNNI) \
			name##_avxvnni arguments; \
		else if (isa == ISA_AVX512) \
			name##_avx512 arguments; \
		else if (isa == ISA_AVX2) \
			name##_avx2 arguments; \
		else \
			name##_c arguments; \
	}
#else
#define PICKED_DOTS(name, arguments, ...) PICKED(name, arguments, __VA_ARGS__)
#endif
