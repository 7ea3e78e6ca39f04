#include "../vector/template.h"
#if HAVE_VECTORS
TARGET VEC exp_vec_f32(VEC x);
#endif
#include "template.h"

#if HAVE_VECTORS
/* tanh_fma_f32 of each lane, the same bits. */
static TARGET BODY VEC tanh_vec_f32(const VEC x)
{
	const VEC a = VEC_ABS(x), z = VEC_MUL(a, a), one = VEC_SET1(1.0f);
	const VEC e = exp_vec_f32(VEC_ADD(a, a)), large = VEC_SUB(one, VEC_DIV(VEC_SET1(2.0f), VEC_ADD(e, one)));
	VEC p = VEC_FMADD(z, VEC_SET1(-0.00589796668f), VEC_SET1(0.0207986254f));
	p = VEC_FMADD(z, p, VEC_SET1(-0.0537847169f));
	p = VEC_FMADD(z, p, VEC_SET1(0.133319363f));
	p = VEC_FMADD(z, p, VEC_SET1(-0.333332986f));
	p = VEC_FMADD(a, VEC_MUL(z, p), a);
	return VEC_SIGNED(VEC_BELOW(a, VEC_SET1(0.6f), p, large), x);
}
#endif
