/* Instruction sets: what a processor without them does not see. */
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define HAVE_VECTORS 1
#include <immintrin.h>
#define AVX512_CODE __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define AVX2_CODE __attribute__((target("avx2,fma")))
#define FUSED_CODE AVX2_CODE /* of functions that all vector versions call */
#else
#define HAVE_VECTORS 0
#endif

enum { ISA_C = 1, ISA_AVX2, ISA_AVX512 };

/* The best that this processor has, and not above `most`. */
static int best_isa(int most)
{
#if HAVE_VECTORS
	__builtin_cpu_init();
	if (most >= ISA_AVX512 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return ISA_AVX512;
	if (most >= ISA_AVX2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return ISA_AVX2;
#endif
	(void)most;
	return ISA_C;
}

#if HAVE_VECTORS
/* Clears the upper halves of the vector registers, without which SSE code that follows is slow. */
static AVX2_CODE void leave_vectors(void)
{
	_mm256_zeroupper();
}
#endif

static void leave(int isa)
{
#if HAVE_VECTORS
	if (isa > ISA_C)
		leave_vectors();
#endif
	(void)isa;
}
