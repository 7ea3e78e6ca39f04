/* Of helpers that hold a kernel's sums: part of their caller, for else the sums are no registers; where small code is
 * asked for, one copy. */
#if (defined(__GNUC__) || defined(__clang__)) && !defined(__OPTIMIZE_SIZE__)
#define INLINE inline __attribute__((always_inline))
#else
#define INLINE inline
#endif
