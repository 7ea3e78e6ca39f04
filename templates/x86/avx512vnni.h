/* The words of vector code in AVX-512 with VNNI: those of AVX-512, but for products. See ../vector/template.h. */
#ifndef AVX512VNNI_H
#define AVX512VNNI_H

#include "avx512bytes.h"

#undef ISUM_DOT
#undef DOT_ADD
#define ISUM_DOT(c, a, b) SUMS16_DOT2(c, a, b)
#define DOT_ADD(c, a, b) SUMS16_DOT4(c, a, b)

#endif
