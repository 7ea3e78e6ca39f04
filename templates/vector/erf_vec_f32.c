#include "../vector/template.h"
#if HAVE_VECTORS
TARGET VEC exp_vec_f32(VEC x);
#endif
#include "template.h"

#if HAVE_VECTORS
/* erf_fma_f32 of each lane, the same bits. */
static TARGET BODY VEC erf_vec_f32(const VEC x)
{
	const VEC a = VEC_ABS(x), z = VEC_MUL(a, a);
	VEC p = VEC_FMADD(z, VEC_SET1(7.80690389e-5f), VEC_SET1(-0.00079978531f));
	p = VEC_FMADD(z, p, VEC_SET1(0.0051871622f));
	p = VEC_FMADD(z, p, VEC_SET1(-0.0268533472f));
	p = VEC_FMADD(z, p, VEC_SET1(0.112835787f));
	p = VEC_FMADD(z, p, VEC_SET1(-0.37612626f));
	p = VEC_FMADD(z, p, VEC_SET1(0.128379166f));
	p = VEC_FMADD(a, p, a);
	VEC q = VEC_FMADD(a, VEC_SET1(-2.17025499e-5f), VEC_SET1(0.000441520009f));
	q = VEC_FMADD(a, q, VEC_SET1(-0.00420546997f));
	q = VEC_FMADD(a, q, VEC_SET1(0.0252107177f));
	q = VEC_FMADD(a, q, VEC_SET1(-0.108422525f));
	q = VEC_FMADD(a, q, VEC_SET1(-0.633216143f));
	q = VEC_FMADD(a, q, VEC_SET1(-1.12958038f));
	q = VEC_FMADD(a, q, VEC_SET1(0.000188471211f));
	q = VEC_SUB(VEC_SET1(1.0f), exp_vec_f32(q));
	return VEC_SIGNED(VEC_BELOW(a, VEC_SET1(1.0f), p, q), x);
}
#endif
