/* The words of vector code in aarch64's NEON. See ../vector/template.h. */
#ifndef NEON_H
#define NEON_H

#define LANES 4
#define REGISTERS 32
#define VEC float32x4_t
#define VEC_ZERO() vdupq_n_f32(0.0f)
#define VEC_SET1(x) vdupq_n_f32(x)
#define VEC_LOAD(p) vld1q_f32(p)
#define VEC_LOAD_FIRST(p, n) \
	((float32x4_t){ (p)[0], (n) > 1 ? (p)[1] : 0.0f, (n) > 2 ? (p)[2] : 0.0f, (n) > 3 ? (p)[3] : 0.0f })
#define VEC_STORE(p, v) vst1q_f32(p, v)
#define VEC_ADD(a, b) vaddq_f32(a, b)
#define VEC_SUB(a, b) vsubq_f32(a, b)
#define VEC_MUL(a, b) vmulq_f32(a, b)
#define VEC_DIV(a, b) vdivq_f32(a, b)
#define VEC_MAX(a, b) vmaxq_f32(a, b)
#define VEC_MIN(a, b) vminq_f32(a, b)
#define VEC_FMADD(a, b, c) vfmaq_f32(c, a, b)
#define VEC_EVEN(v) vtrn1q_f32(v, v)
#define VEC_ODD(v) vtrn2q_f32(v, v)
#define VEC_FOURTH0(v) vdupq_laneq_f32(v, 0)
#define VEC_FOURTH1(v) vdupq_laneq_f32(v, 1)
#define VEC_FOURTH2(v) vdupq_laneq_f32(v, 2)
#define VEC_FOURTH3(v) vdupq_laneq_f32(v, 3)
#define VEC_PREFETCH(p) __builtin_prefetch(p)
#define VEC_PREFETCH_FAR(p) __builtin_prefetch(p, 0, 2)
#define IVEC int32x4_t
#define IVEC_ZERO() vdupq_n_s32(0)
#define IVEC_STORE(p, v) vst1q_s32(p, v)
#define IVEC_WIDEN(p) vreinterpretq_s32_s16(vmovl_s8(vld1_s8(p)))
#define IVEC_PAIR(p) vdupq_n_s32(*(p))
#define IVEC_DOT(c, a, b) \
	vaddq_s32(c, vpaddq_s32(vmull_s16(vget_low_s16(vreinterpretq_s16_s32(a)), vget_low_s16(vreinterpretq_s16_s32(b))), \
			 vmull_high_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b))))

#endif
