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

/* The version of a function for the instruction set at hand; that, and versions of one body for each set. */
#if HAVE_VECTORS
#define PICKED(name, arguments, ...) \
	static void name(int isa, __VA_ARGS__) \
	{ \
		if (isa == ISA_NEON) \
			name##_neon arguments; \
		else \
			name##_c arguments; \
	}
#define VERSIONS(name, arguments, ...) \
	COMPILED(NEON_CODE, name##_neon, name##_body, arguments, __VA_ARGS__) \
	COMPILED(, name##_c, name##_body, arguments, __VA_ARGS__) \
	PICKED(name, arguments, __VA_ARGS__)
#endif

static void leave(int isa)
{
	(void)isa;
}
