#include "template.h"

#if HAVE_VECTORS
/* exp_fma_f32 of each lane, the same bits. */
static TARGET BODY VEC exp_vec_f32(const VEC x)
{
	const VEC v = VEC_MAX(VEC_SET1(-87.0f), VEC_MIN(VEC_SET1(89.0f), x)); /* a NaN stays */
	const VEC t = VEC_FMADD(v, VEC_SET1(1.44269502f), VEC_SET1(12582912.0f));
	const VEC n = VEC_SUB(t, VEC_SET1(12582912.0f));
	VEC r = VEC_FMADD(n, VEC_SET1(-0.693145752f), v);
	r = VEC_FMADD(n, VEC_SET1(-1.42860677e-6f), r);
	VEC p = VEC_FMADD(r, VEC_SET1(2.0f * 0.00138217676f), VEC_SET1(2.0f * 0.0083688572f));
	p = VEC_FMADD(r, p, VEC_SET1(2.0f * 0.0416682586f));
	p = VEC_FMADD(r, p, VEC_SET1(2.0f * 0.166665196f));
	p = VEC_FMADD(r, p, VEC_SET1(2.0f * 0.49999994f));
	p = VEC_FMADD(r, p, VEC_SET1(2.0f));
	p = VEC_FMADD(r, p, VEC_SET1(2.0f));
	return VEC_MUL(p, VEC_POWER(t));
}
#endif
