/*
 * --gemm=libxsmm-call: init asks the libxsmm that the program is linked with. Compiled by itself where that is installed.
 */
#if defined(__x86_64__) && defined(__has_include)
#if __has_include(<libxsmm.h>)
#include <libxsmm.h>
#define HAVE_LIBXSMM 1
#endif
#endif
#include "NAME.h"

#include "../vector/template.h"

#ifndef HAVE_LIBXSMM
#undef HAVE_VECTORS
#define HAVE_VECTORS 0
#endif
#define REQUESTS { 64, 28, 64, 64, 64, 64, 0.0f },
#define FOUND_ABOVE net->gemm[0] = NULL;

#include "template.h"
#if HAVE_VECTORS
#include <libxsmm.h>

/* What libxsmm is asked for: sizes, leading dimensions, and what c is multiplied by before. */
static const struct gemm_request {
	libxsmm_blasint m, n, k, lda, ldb, ldc;
	float beta;
} gemm_requests[] = {
	REQUESTS
};
#endif

/* The products for net->isa: libxsmm's where that is AVX-512 and libxsmm makes them, else those above. */
static void find_gemms(struct NAME *net)
{
	FOUND_ABOVE
#if HAVE_VECTORS
	const int flags = LIBXSMM_GEMM_FLAG_NONE, prefetch = LIBXSMM_GEMM_PREFETCH_NONE;
	const float one = 1.0f;

	if (net->isa < ISA_AVX512)
		return;
	libxsmm_init();
	if (libxsmm_get_target_archid() < LIBXSMM_X86_AVX512_CORE)
		return;
	for (int i = 0; i < PRODUCT_COUNT; i++) {
		const struct gemm_request *r = &gemm_requests[i];
		const libxsmm_smmfunction_reducebatch_offs f = libxsmm_smmdispatch_reducebatch_offs(
			r->m, r->n, r->k, &r->lda, &r->ldb, &r->ldc, &one, &r->beta, &flags, &prefetch);

		if (f != NULL)
			net->gemm[i] = (gemm_fn *)f;
	}
#endif
}

