/* Element types, shapes, and the elements of constants. */
#include "core/skipc.h"

#include <string.h>

const struct dtype_info dtypes[DT_COUNT] = {
	[DT_NONE] = { "?", "void", "V0", 0, 0, false, "" },
	[DT_F32] = { "f32", "float", "f4", 4, 1, true, "f32" },
	[DT_F64] = { "f64", "double", "f8", 8, 11, true, "f64" },
	[DT_F16] = { "f16", "uint16_t", "f2", 2, 10, true, "f16" },
	[DT_BF16] = { "bf16", "uint16_t", "u2", 2, 16, true, "bf16" },
	[DT_I8] = { "i8", "int8_t", "i1", 1, 3, false, "i32" },
	[DT_U8] = { "u8", "uint8_t", "u1", 1, 2, false, "i32" },
	[DT_I16] = { "i16", "int16_t", "i2", 2, 5, false, "i32" },
	[DT_U16] = { "u16", "uint16_t", "u2", 2, 4, false, "i32" },
	[DT_I32] = { "i32", "int32_t", "i4", 4, 6, false, "i32" },
	[DT_U32] = { "u32", "uint32_t", "u4", 4, 12, false, "u32" },
	[DT_I64] = { "i64", "int64_t", "i8", 8, 7, false, "i64" },
	[DT_U64] = { "u64", "uint64_t", "u8", 8, 13, false, "u64" },
	[DT_BOOL] = { "bool", "uint8_t", "b1", 1, 9, false, "i32" },
};

enum dtype dtype_of_onnx(int onnx)
{
	for (int k = 1; k < DT_COUNT; k++)
		if (dtypes[k].onnx == onnx)
			return (enum dtype)k;
	return DT_NONE;
}

int64_t shape_count(const struct shape *s)
{
	int64_t count = 1;

	for (int k = 0; k < s->rank; k++)
		count *= s->dim[k];
	return count;
}

bool shape_equal(const struct shape *x, const struct shape *y)
{
	if (x->rank != y->rank)
		return false;
	for (int k = 0; k < x->rank; k++)
		if (x->dim[k] != y->dim[k])
			return false;
	return true;
}

const char *shape_text(struct arena *a, const struct shape *s)
{
	const char *text = "[";

	for (int d = 0; d < s->rank; d++)
		text = arena_printf(a, "%s%s%lld", text, d > 0 ? "," : "", (long long)s->dim[d]);
	return arena_printf(a, "%s]", text);
}

bool is_const(const struct tensor *t)
{
	return t != NULL && t->data != NULL;
}

bool is_lazy_const(const struct tensor *t)
{
	return t != NULL && t->data == NULL && t->lazy > 0;
}

bool is_runtime(const struct tensor *t)
{
	return t != NULL && !is_const(t) && !is_lazy_const(t);
}

static float from_bits(uint32_t bits)
{
	float f;

	memcpy(&f, &bits, sizeof(f));
	return f;
}

/* IEEE half precision; subnormals by scaling, which is exact. */
static double from_half(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = (h >> 10) & 31u,
		 fraction = h & 1023u;

	if (exponent == 31)
		return (double)from_bits(sign | 0x7f800000u | fraction << 13);
	if (exponent == 0)
		return (sign != 0 ? -1.0 : 1.0) * (double)fraction / 16777216.0;
	return (double)from_bits(sign | (exponent + 112u) << 23 | fraction << 13);
}

int64_t to_i64(double v)
{
	if (v != v)
		return 0;
	return v >= 9223372036854775807.0    ? INT64_MAX
	       : v <= -9223372036854775808.0 ? INT64_MIN
					     : (int64_t)v;
}

double const_f64(const struct tensor *t, int64_t k)
{
	switch (t->stored) {
	case DT_F32:
		return (double)((const float *)t->data)[k];
	case DT_F64:
		return ((const double *)t->data)[k];
	case DT_F16:
		return from_half(((const uint16_t *)t->data)[k]);
	case DT_BF16:
		return (double)from_bits((uint32_t)((const uint16_t *)t->data)[k] << 16);
	case DT_U64:
		return (double)((const uint64_t *)t->data)[k];
	default:
		return (double)const_i64(t, k);
	}
}

int64_t const_i64(const struct tensor *t, int64_t k)
{
	switch (t->stored) {
	case DT_I64:
		return ((const int64_t *)t->data)[k];
	case DT_I32:
		return ((const int32_t *)t->data)[k];
	case DT_I16:
		return ((const int16_t *)t->data)[k];
	case DT_I8:
		return ((const int8_t *)t->data)[k];
	case DT_U64:
		return (int64_t)((const uint64_t *)t->data)[k];
	case DT_U32:
		return ((const uint32_t *)t->data)[k];
	case DT_U16:
		return ((const uint16_t *)t->data)[k];
	case DT_U8:
		return ((const uint8_t *)t->data)[k];
	case DT_BOOL:
		return ((const uint8_t *)t->data)[k] != 0;
	default:
		return to_i64(const_f64(t, k));
	}
}

double *tensor_f64(struct arena *a, const struct tensor *t)
{
	int64_t count = shape_count(&t->shape);
	double *v = arena_alloc(a, (size_t)(count > 0 ? count : 1) * sizeof(*v));

	if (t->stored == DT_F64 && count > 0)
		return memcpy(v, t->data, (size_t)count * sizeof(*v));
	for (int64_t k = 0; k < count; k++)
		v[k] = t->stored == DT_F32 ? (double)((const float *)t->data)[k] : const_f64(t, k);
	return v;
}

int64_t *tensor_i64(struct arena *a, const struct tensor *t)
{
	int64_t count = shape_count(&t->shape);
	int64_t *v = arena_alloc(a, (size_t)(count > 0 ? count : 1) * sizeof(*v));

	for (int64_t k = 0; k < count; k++)
		v[k] = const_i64(t, k);
	return v;
}

static bool is_uniform(const struct tensor *t, int64_t count)
{
	const double value = const_f64(t, 0);

	/* integers that double has not are no uniform value, whatever they are */
	if (!dtypes[t->type].is_float &&
		(value > 9007199254740992.0 || value < -9007199254740992.0))
		return false;
	for (int64_t k = 1; k < count; k++)
		if (const_f64(t, k) != value)
			return false;
	return true;
}

/* Every rule that matches constants asks it, of the same ones. */
bool const_uniform(const struct tensor *t, double *value)
{
	const int64_t count = shape_count(&t->shape);

	if (!is_const(t) || count == 0)
		return false;
	if (t->uniform == 0)
		((struct tensor *)(uintptr_t)t)->uniform = is_uniform(t, count) ? 1 : -1;
	*value = const_f64(t, 0);
	return t->uniform > 0;
}
