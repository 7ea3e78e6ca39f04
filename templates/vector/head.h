/* UNROLL: loops that compilers do not unroll by themselves, though their arrays must become registers. UNROLL4: those of
 * any length that gain by fewer jumps (clang would mix their steps and run out of registers). LANEWISE: those over
 * channels, whose turns become lanes (clang would unroll them, and make vectors of the turns of the loop around). */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define UNROLL4 _Pragma("nounroll")
#define LANEWISE _Pragma("nounroll")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 32")
#define UNROLL4 _Pragma("GCC unroll 4")
#define LANEWISE
#else
#define UNROLL
#define UNROLL4
#define LANEWISE
#endif
#if defined(__GNUC__) || defined(__clang__)
#define BODY inline __attribute__((always_inline)) /* of the versions that are made of it */
#else
#define BODY inline
#endif

/* A function of that body, for one instruction set. */
#define COMPILED(attribute, name, body, arguments, ...) \
	static attribute void name(__VA_ARGS__) \
	{ \
		body arguments; \
	}
#if !HAVE_VECTORS
#define PICKED(name, arguments, ...) \
	static void name(int isa, __VA_ARGS__) \
	{ \
		(void)isa; \
		name##_c arguments; \
	}
#define VERSIONS(name, arguments, ...) \
	COMPILED(, name##_c, name##_body, arguments, __VA_ARGS__) \
	PICKED(name, arguments, __VA_ARGS__)
#endif
