/* The words of vector code in AVX-VNNI: those of AVX2, but for products. See ../vector/template.h. */
#ifndef AVXVNNI_H
#define AVXVNNI_H

#include "avx2bytes.h"

#undef ISUM_DOT
#undef DOT_ADD
#define ISUM_DOT(c, a, b) ((sums8)_mm256_dpwssd_avx_epi32((__m256i)(c), a, b))
#define DOT_ADD(c, a, b) ((sums8)_mm256_dpbusd_avx_epi32((__m256i)(c), a, b))

#endif
