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
#define VEC_SQRT(v) vsqrtq_f32(v)
#define VEC_NEG(v) vnegq_f32(v)
#define VEC_ABS(v) vabsq_f32(v)
#define VEC_SIGNED(v, s) vbslq_f32(vdupq_n_u32(0x80000000u), s, v)
#define VEC_BELOW(a, b, x, y) vbslq_f32(vcltq_f32(a, b), x, y)
#define VEC_POWER(v) vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(vreinterpretq_s32_f32(v), vdupq_n_s32(126)), 23))
#define VEC_EVEN(v) vtrn1q_f32(v, v)
#define VEC_ODD(v) vtrn2q_f32(v, v)
#define VEC_FOURTH0(v) vdupq_laneq_f32(v, 0)
#define VEC_FOURTH1(v) vdupq_laneq_f32(v, 1)
#define VEC_FOURTH2(v) vdupq_laneq_f32(v, 2)
#define VEC_FOURTH3(v) vdupq_laneq_f32(v, 3)
#define VEC_PREFETCH(p) __builtin_prefetch(p)
#define VEC_PREFETCH_FAR(p) __builtin_prefetch(p, 0, 2)
#define VEC_HOLD(v) (void)(v)
#define VEC_OVER(v, s, h, l) vfmaq_f32(vmulq_f32(v, l), v, h)
#define VEC_FROM(v) vcvtq_f32_s32(v)
#define VEC_NEAR(v, a, b) vrndnq_f32(vminnmq_f32(vmaxnmq_f32(v, a), b))
#define IVEC int32x4_t
#define IVEC_ZERO() vdupq_n_s32(0)
#define IVEC_SET1(x) vdupq_n_s32(x)
#define IVEC_LOAD(p) vld1q_s32((const int32_t *)(const void *)(p))
#define IVEC_LOAD_u8(p) ((int32x4_t){ (p)[0], (p)[1], (p)[2], (p)[3] })
#define IVEC_LOAD_i8(p) ((int32x4_t){ (p)[0], (p)[1], (p)[2], (p)[3] })
#define IVEC_LOAD_u16(p) vreinterpretq_s32_u32(vmovl_u16(vld1_u16(p)))
#define IVEC_LOAD_i16(p) vmovl_s16(vld1_s16(p))
#define IVEC_STORE(p, v) vst1q_s32((int32_t *)(void *)(p), v)
#define IVEC_STORE_u8(p, v) \
	((p)[0] = (uint8_t)vgetq_lane_s32(v, 0), (p)[1] = (uint8_t)vgetq_lane_s32(v, 1), \
	 (p)[2] = (uint8_t)vgetq_lane_s32(v, 2), (p)[3] = (uint8_t)vgetq_lane_s32(v, 3))
#define IVEC_STORE_i8(p, v) \
	((p)[0] = (int8_t)vgetq_lane_s32(v, 0), (p)[1] = (int8_t)vgetq_lane_s32(v, 1), \
	 (p)[2] = (int8_t)vgetq_lane_s32(v, 2), (p)[3] = (int8_t)vgetq_lane_s32(v, 3))
#define IVEC_STORE_i16(p, v) vst1_s16(p, vmovn_s32(v))
#define IVEC_STORE_u16(p, v) vst1_u16(p, vmovn_u32(vreinterpretq_u32_s32(v)))
#define IVEC_LOOK_u8(t, v) \
	((int32x4_t){ (t)[vgetq_lane_s32(v, 0) & 255], (t)[vgetq_lane_s32(v, 1) & 255], (t)[vgetq_lane_s32(v, 2) & 255], (t)[vgetq_lane_s32(v, 3) & 255] })
#define IVEC_LOOK_i8(t, v) \
	((int32x4_t){ (t)[vgetq_lane_s32(v, 0) & 255], (t)[vgetq_lane_s32(v, 1) & 255], (t)[vgetq_lane_s32(v, 2) & 255], (t)[vgetq_lane_s32(v, 3) & 255] })
#define IVEC_FROM(v) vcvtq_s32_f32(v)
#define IVEC_NEAR(v) vcvtnq_s32_f32(v)
#define IVEC_ADD(a, b) vaddq_s32(a, b)
#define IVEC_SUB(a, b) vsubq_s32(a, b)
#define IVEC_MAX(a, b) vmaxq_s32(a, b)
#define IVEC_MIN(a, b) vminq_s32(a, b)
#define IVEC_WIDEN_i8(p) vreinterpretq_s32_s16(vmovl_s8(vld1_s8(p)))
#define IVEC_WIDEN_u8(p) vreinterpretq_s32_u16(vmovl_u8(vld1_u8(p)))
#define IVEC_WIDEN_PAIRS(p, j) \
	vreinterpretq_s32_s16(vmovl_s8(vreinterpret_s8_u16(vmovn_u32(vshlq_u32(vreinterpretq_u32_s8(vld1q_s8(p)), vdupq_n_s32(-16 * (j)))))))
#define IVEC_LESS(v, x) vreinterpretq_s32_s16(vsubq_s16(vreinterpretq_s16_s32(v), vdupq_n_s16(x)))
#define IVEC_ADD16(a, b) vreinterpretq_s32_s16(vaddq_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)))
#define IVEC_SUB16(a, b) vreinterpretq_s32_s16(vsubq_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b)))
#define IVEC_SHL16(a, n) vreinterpretq_s32_s16(vshlq_n_s16(vreinterpretq_s16_s32(a), n))
#define IVEC_MUL(a, b) vmulq_s32(a, b)
#define IVEC_SHL(a, n) vshlq_n_s32(a, n)
#define IVEC_SHR(a, n) vshlq_s32(a, vdupq_n_s32(-(n)))
#define ISUM int32x4_t
#define ISUM_ZERO() vdupq_n_s32(0)
#define DOT_LANES 8
#define DOT_OUTPUTS 2
#define DOT_TYPE int16_t
#define DOT_FOUR int64_t
#define DOT_SET4(v) vreinterpretq_s32_s64(vdupq_n_s64(v))
#define DOT_SET1(x) vreinterpretq_s32_s16(vdupq_n_s16(x))
#define DOT_LOAD_u8(p, x) vreinterpretq_s32_s16(vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(vld1_u8(p))), vdupq_n_s16(x)))
#define DOT_LOAD_i8(p, x) vreinterpretq_s32_s16(vsubq_s16(vmovl_s8(vld1_s8(p)), vdupq_n_s16(x)))
#define DOT_WEIGHTS(p) vreinterpretq_s32_s16(vmovl_s8(vld1_s8(p)))
#define DOT_ADD(c, a, b) \
	vaddq_s32(c, vpaddq_s32(vmull_s16(vget_low_s16(vreinterpretq_s16_s32(a)), vget_low_s16(vreinterpretq_s16_s32(b))), \
			 vmull_high_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b))))
#define DOT_SUMS(c, j) vpaddq_s32((c)[2 * (j)], (c)[2 * (j) + 1])
#define IVEC_OF(c) (c)
#define ISUM_DOT(c, a, b) \
	vaddq_s32(c, vpaddq_s32(vmull_s16(vget_low_s16(vreinterpretq_s16_s32(a)), vget_low_s16(vreinterpretq_s16_s32(b))), \
			 vmull_high_s16(vreinterpretq_s16_s32(a), vreinterpretq_s16_s32(b))))

#endif
