/* TensorProto -> struct tensor: dimensions, and elements out of the message or a file beside the
 * model. */
#include "import/onnx.h"
#include "import/opset.h"
#include "core/platform.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL_FILE = 64 * 1024 };

static const char missing_hint[] =
	"the model keeps these weights in a file of its own; copy it into the model's folder";

static bool big_endian(void)
{
	const uint16_t one = 1;

	return *(const unsigned char *)&one == 0;
}

/* ---- files ---- */

/* Why a location may not be opened, or null. Backslash and drive letters too: one answer on every
 * host. */
static const char *forbidden(const char *location)
{
	if (location[0] == '\0')
		return "has no name";
	if (location[0] == '/' || location[0] == '\\' ||
		(location[1] == ':' && location[2] != '\0'))
		return "has an absolute path";
	for (const char *p = location; *p != '\0';) {
		const size_t n = strcspn(p, "/\\");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return "has '..' in its path";
		p += n;
		p += *p != '\0';
	}
	return NULL;
}

/* The path of a location beside the model; null: reported. Links are followed, and must stay
 * inside. */
static const char *resolve(struct reader *r, const char *location, const char *what)
{
	static const char inside[] =
		"external data must lie in the folder of the model, or below it";
	const char *name = platform_base(r->path);
	const char *folder = name == r->path ? "."
					     : arena_printf(r->arena, "%.*s", (int)(name - r->path), r->path);
	const char *base = platform_real(r->arena, folder), *full = NULL;
	const char *error = forbidden(location);

	if (error == NULL && base == NULL)
		error = "is in a folder that cannot be read";
	if (error != NULL) {
		model_error(r->diag, inside, "%s %s", what, error);
	} else if ((full = platform_real(r->arena, arena_printf(r->arena, "%s/%s", base, location))) ==
		   NULL) {
		model_error(r->diag, missing_hint, "%s: %s", what, strerror(errno));
	} else {
		const size_t n = strlen(base);

		if (strncmp(full, base, n) != 0 || (!platform_separates(base[n - 1]) &&
							   !platform_separates(full[n]) && full[n] != '\0')) {
			model_error(r->diag, inside, "%s is a link that leaves the model's folder",
				what);
			full = NULL;
		}
	}
	return full;
}

/* The file at a location, opened the first time it is asked for. */
static const struct file *open_external(struct reader *r, const char *tensor, const char *location)
{
	struct external *e = r->external;

	while (e != NULL && strcmp(e->location, location) != 0)
		e = e->next;
	if (e != NULL)
		return e->file.data != NULL ? &e->file : NULL;
	e = arena_alloc(r->arena, sizeof(*e));
	e->location = location;
	e->next = r->external;
	r->external = e;
	const char *what = arena_printf(r->arena, "tensor \"%s\": external data file \"%s\"",
		escape(r->arena, tensor), escape(r->arena, location));
	e->path = resolve(r, location, what);
	if (e->path == NULL || !file_map(r->diag, e->path, what, missing_hint, &e->file)) {
		e->file.data = NULL;
		return NULL;
	}
	sha256_update(&r->hash, e->file.size, e->file.data);
	if (e->file.size < SMALL_FILE) { /* a mapping costs more than it saves */
		uint8_t *copy = arena_alloc(r->arena, e->file.size);

		memcpy(copy, e->file.data, e->file.size);
		file_unmap(&e->file);
		e->file.data = copy;
	}
	return &e->file;
}

/* ---- elements ---- */

/* Elements as they lie in a file: little endian, at any address. */
static const void *raw_elements(struct reader *r, const uint8_t *p, size_t count, size_t size)
{
	const bool swap = big_endian() && size > 1;

	if (!swap && (uintptr_t)p % size == 0)
		return p;
	uint8_t *copy = arena_alloc(r->arena, count * size);

	for (size_t k = 0; swap && k < count * size; k++)
		copy[k] = p[k / size * size + (size - 1 - k % size)];
	if (!swap)
		memcpy(copy, p, count * size);
	return copy;
}

/* An entry of external_data, or null. */
static const char *entry(const Onnx__TensorProto *p, const char *key)
{
	for (size_t k = 0; k < p->n_external_data; k++)
		if (p->external_data[k]->key != NULL && strcmp(p->external_data[k]->key, key) == 0)
			return p->external_data[k]->value;
	return NULL;
}

/* A decimal number of bytes; false: it is none. Absent: `absent`. */
static bool byte_count(const char *text, uint64_t absent, uint64_t *v)
{
	char *end;

	*v = absent;
	if (text == NULL)
		return true;
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*v = strtoull(text, &end, 10);
	return *end == '\0' && errno == 0;
}

static const void *external_elements(
	struct reader *r, const Onnx__TensorProto *p, const char *name, size_t count, size_t size)
{
	const char *location = entry(p, "location");
	const char *shown = escape(r->arena, name);
	const uint64_t need = (uint64_t)count * size;
	uint64_t offset, length;

	if (!byte_count(entry(p, "offset"), 0, &offset) ||
		!byte_count(entry(p, "length"), need, &length)) {
		model_error(r->diag, NULL,
			"tensor \"%s\": offset or length of its external data is not a number",
			shown);
		return NULL;
	}
	if (length != need) {
		model_error(r->diag, NULL,
			"tensor \"%s\": %llu bytes of external data, its shape needs %llu", shown,
			(unsigned long long)length, (unsigned long long)need);
		return NULL;
	}
	const struct file *f = open_external(r, name, location != NULL ? location : "");

	if (f == NULL)
		return NULL;
	if (offset > f->size || need > f->size - offset) {
		model_error(r->diag,
			"the file is cut off, or belongs to another version of the model",
			"tensor \"%s\": external data at byte %llu, %llu bytes long, ends "
			"beyond the %zu bytes of \"%s\"",
			shown, (unsigned long long)offset, (unsigned long long)need, f->size,
			escape(r->arena, location));
		return NULL;
	}
	return raw_elements(r, f->data + offset, count, size);
}

/* The typed field that holds elements of a type: its length, and its elements as they are (null:
 * narrowed). */
static size_t typed_field(const Onnx__TensorProto *p, enum dtype type, const void **data)
{
	switch (type) {
	case DT_F32:
		*data = p->float_data;
		return p->n_float_data;
	case DT_F64:
		*data = p->double_data;
		return p->n_double_data;
	case DT_I64:
		*data = p->int64_data;
		return p->n_int64_data;
	case DT_U64:
		*data = p->uint64_data;
		return p->n_uint64_data;
	case DT_U32:
		return p->n_uint64_data;
	case DT_I32:
		*data = p->int32_data;
		return p->n_int32_data;
	default:
		return p->n_int32_data;
	}
}

/* Elements out of wider integers: 16 bit ones are numbers or the bits of a float. */
static const void *narrowed(
	struct reader *r, const Onnx__TensorProto *p, enum dtype type, size_t count)
{
	const size_t size = (size_t)dtypes[type].size;
	uint8_t *v = arena_alloc(r->arena, count * size);

	for (size_t k = 0; k < count; k++) {
		/* NOLINTBEGIN(clang-analyzer-core.NullDereference): count is that of the data */
		if (type == DT_U32)
			((uint32_t *)(void *)v)[k] = (uint32_t)p->uint64_data[k];
		else if (size == 2)
			((uint16_t *)(void *)v)[k] = (uint16_t)p->int32_data[k];
		else
			v[k] = (uint8_t)p->int32_data[k];
		/* NOLINTEND(clang-analyzer-core.NullDereference) */
	}
	return v;
}

static const void *typed_elements(struct reader *r, const Onnx__TensorProto *p, const char *name,
	enum dtype type, size_t count)
{
	const void *data = NULL;
	const size_t have = typed_field(p, type, &data);

	if (have != count) {
		model_error(r->diag, NULL, "tensor \"%s\": %zu elements, its shape needs %zu",
			escape(r->arena, name), have, count);
		return NULL;
	}
	return data != NULL ? data : narrowed(r, p, type, count);
}

/* ---- the tensor ---- */

const char *payload_type_name(int64_t type)
{
	const ProtobufCEnumValue *v = type < 0 || type > INT_MAX ? NULL : protobuf_c_enum_descriptor_get_value(
		&onnx__tensor_proto__data_type__descriptor, (int)type);

	return v != NULL ? v->name : "unknown";
}

/* Dimensions, each step of their product checked. False: reported. */
static bool dimensions(struct reader *r, const Onnx__TensorProto *p, const char *name,
	struct tensor *t, int64_t *count)
{
	const char *shown = escape(r->arena, name);
	int64_t n = 1;

	if (p->n_dims > MAX_RANK) {
		model_error(r->diag, NULL, "tensor \"%s\" has %zu dimensions, skipc allows %d",
			shown, p->n_dims, MAX_RANK);
		return false;
	}
	t->shape.rank = (int)p->n_dims;
	for (size_t k = 0; k < p->n_dims; k++) {
		const int64_t dim = p->dims[k];

		if (dim < 0) {
			model_error(r->diag, NULL, "tensor \"%s\" has a negative dimension, %lld",
				shown, (long long)dim);
			return false;
		}
		if (dim > 0 && n > MAX_ELEMENTS / dim) {
			model_error(r->diag, "no tensor may have more than 2^31-1 elements",
				"tensor \"%s\" is too large", shown);
			return false;
		}
		t->shape.dim[k] = dim;
		n = dim > 0 ? n * dim : n; /* a 0 must not hide what follows */
	}
	*count = shape_count(&t->shape);
	return true;
}

/* Elements of the message, as many of that type; null: reported. */
static const void *elements(struct reader *r, const Onnx__TensorProto *p, const char *name, enum dtype type, size_t count)
{
	const size_t size = (size_t)dtypes[type].size;

	if (p->has_data_location && p->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
		return external_elements(r, p, name, count, size);
	if (!p->has_raw_data)
		return typed_elements(r, p, name, type, count);
	if (p->raw_data.len / size == count && p->raw_data.len % size == 0)
		return raw_elements(r, p->raw_data.data, count, size);
	model_error(r->diag, NULL, "tensor \"%s\": %zu bytes of data, its shape needs %zu of %zu bytes",
		escape(r->arena, name), p->raw_data.len, count, size);
	return NULL;
}

/* Integers of four bits, two in a byte, the first in the lower half; as bytes. Null: reported. */
static const void *widened(struct reader *r, const Onnx__TensorProto *p, const char *name, bool is_signed, size_t count)
{
	const uint8_t *pairs = elements(r, p, name, DT_U8, (count + 1) / 2);
	int8_t *v = arena_alloc(r->arena, count);

	for (size_t k = 0; pairs != NULL && k < count; k++) {
		const int bits = pairs[k / 2] >> 4 * (k % 2) & 15;

		v[k] = (int8_t)(is_signed && bits > 7 ? bits - 16 : bits);
	}
	return pairs != NULL ? v : NULL;
}

struct tensor *payload_tensor(struct reader *r, const Onnx__TensorProto *p)
{
	struct tensor *t = arena_alloc(r->arena, sizeof(*t));
	const char *name = p->name != NULL ? p->name : "";
	const bool i4 = p->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__INT4,
		   u4 = p->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__UINT4;
	const enum dtype type = i4 ? DT_I8 : u4 ? DT_U8 : dtype_of_onnx(p->data_type);
	int64_t count = 0;

	t->name = name;
	t->known = true;
	t->bits = i4 || u4 ? 4 : 0;
	t->stored = t->io_type = type;
	t->type = dtypes[type].is_float ? DT_F32 : type;
	if (!dimensions(r, p, name, t, &count))
		return NULL;
	if (type == DT_NONE)
		t->data = payload_type_name(p->data_type);
	else if (count == 0)
		t->data = arena_alloc(r->arena, 16); /* not null: it is a constant */
	else if (t->bits == 4)
		t->data = widened(r, p, name, i4, (size_t)count);
	else
		t->data = elements(r, p, name, type, (size_t)count);
	return t->data != NULL ? t : NULL;
}
