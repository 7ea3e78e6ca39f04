#include "../vector/template.h"
#if HAVE_VECTORS
TARGET VEC exp_vec_f32(VEC x);
#endif
#include "template.h"

#if HAVE_VECTORS
/* sigmoid_fma_f32 of each lane, the same bits. */
static TARGET BODY VEC sigmoid_vec_f32(const VEC x)
{
	return VEC_DIV(VEC_SET1(1.0f), VEC_ADD(VEC_SET1(1.0f), exp_vec_f32(VEC_NEG(x))));
}
#endif
