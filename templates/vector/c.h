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
#define VEC_PREFETCH(p) (void)(p)
#define VEC_PREFETCH_FAR(p) (void)(p)

#endif
