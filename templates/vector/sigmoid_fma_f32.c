float exp_fma_f32(float x);
#include "template.h"

#if HAVE_VECTORS
/* 1 / (1 + exp(-x)), for vectors. exp(-x) may be infinite. Largest error 2.49 ulp. */
static FUSED_CODE inline float sigmoid_fma_f32(float x)
{
	return 1.0f / (1.0f + exp_fma_f32(-x));
}
#endif
