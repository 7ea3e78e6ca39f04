/* The words of vector code in plain C: vectors of one float. See template.h. */
#ifndef VECTOR_C_H
#define VECTOR_C_H

#define LANES 1
#define REGISTERS 16
#define VEC float
#define VEC_ZERO() 0.0f
#define VEC_SET1(x) (x)
#define VEC_LOAD(p) (*(p))
#define VEC_LOAD_FIRST(p, n) (*(p))
#define VEC_STORE(p, v) (*(p) = (v))
#define VEC_ADD(a, b) ((a) + (b))
#define VEC_SUB(a, b) ((a) - (b))
#define VEC_MUL(a, b) ((a) * (b))
#define VEC_DIV(a, b) ((a) / (b))
#define VEC_MAX(a, b) ((a) > (b) ? (a) : (b))
#define VEC_MIN(a, b) ((a) < (b) ? (a) : (b))
#define VEC_FMADD(a, b, c) ((a) * (b) + (c))
#define VEC_SQRT(v) sqrt_f32(v)
#define VEC_NEG(v) (-(v))
#define VEC_ABS(v) abs_f32(v)
#define VEC_BELOW(a, b, x, y) ((a) < (b) ? (x) : (y))
#define VEC_NEAR(v, a, b) near_f32(v, a, b)
#define VEC_OVER(v, s, h, l) ((v) / (s))
#define VEC_FROM(i) ((float)(i))
#define IVEC int32_t
#define IVEC_ZERO() 0
#define IVEC_SET1(x) ((int32_t)(x))
#define IVEC_LOAD(p) (*(p))
#define IVEC_LOAD_u8(p) (*(p))
#define IVEC_LOAD_i8(p) (*(p))
#define IVEC_LOAD_u16(p) (*(p))
#define IVEC_LOAD_i16(p) (*(p))
#define IVEC_LOOK_u8(t, v) ((t)[(v) & 255])
#define IVEC_LOOK_i8(t, v) ((t)[(v) & 255])
#define IVEC_FROM(v) ((int32_t)(v))
#define IVEC_NEAR(v) ((int32_t)near_f32(v, -65536.0f, 65536.0f))
#define IVEC_ADD(a, b) add_i32(a, b)
#define IVEC_SUB(a, b) sub_i32(a, b)
#define IVEC_MAX(a, b) ((a) > (b) ? (a) : (b))
#define IVEC_MIN(a, b) ((a) < (b) ? (a) : (b))
#define VEC_PREFETCH(p) (void)(p)
#define VEC_PREFETCH_FAR(p) (void)(p)
#define VEC_HOLD(v) (void)(v)

#endif
