/* Instruction sets: what other processors do not see. */
#if defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))
#define HAVE_VECTORS 1
#include <arm_neon.h>
#define NEON_CODE
#define FUSED_CODE
#else
#define HAVE_VECTORS 0
#endif

enum { ISA_C = 1, ISA_NEON };

/* The best that this processor has, and not above `most`: every aarch64 has NEON. */
static int best_isa(int most)
{
#if HAVE_VECTORS
	if (most >= ISA_NEON)
		return ISA_NEON;
#endif
	(void)most;
	return ISA_C;
}

static void leave(int isa)
{
	(void)isa;
}
