/* Loops that compilers do not unroll by themselves, though their arrays must become registers; and those of any length
 * that gain by fewer jumps (clang would mix their steps and run out of registers). */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define UNROLL4 _Pragma("nounroll")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 32")
#define UNROLL4 _Pragma("GCC unroll 4")
#else
#define UNROLL
#define UNROLL4
#endif
#if defined(__GNUC__) || defined(__clang__)
#define BODY inline __attribute__((always_inline)) /* of the versions that are made of it */
#else
#define BODY inline
#endif
