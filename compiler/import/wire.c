/*
 * A look at the bytes before protobuf-c unpacks them. It recurses without a bound, and makes up to
 * two hundred bytes out of two; so depth, counts and the memory that it will ask for are checked
 * here, with a stack of our own. What passes is well-formed, so that a failure of protobuf-c
 * afterwards would be a surprise.
 */
#include "import/onnx.h"

#include <string.h>

enum {
	MAX_DEPTH = 64,    /* messages inside messages: about 20 levels of subgraphs */
	MAX_EACH = 200000, /* nodes, tensors, values: 40 times the largest ResNet ever published */
	FIELD_COST = 56,   /* what protobuf-c keeps while it parses a field, and a pointer to it */
	COST_FACTOR =
		24, /* of the file's size: real models of a few nodes and no weights come to 21 */
	COST_FREE = 2 << 20, /* granted to any file */
};

struct level {
	const ProtobufCMessageDescriptor *message;
	size_t end;
	uint64_t seen; /* which of its single message fields it had */
};

struct scan {
	struct diag *diag;
	const uint8_t *data;
	size_t size, pos;
	struct level stack[MAX_DEPTH];
	int depth;
	uint64_t cost;
	uint64_t nodes, tensors, values;
};

static bool damaged(struct scan *s, const char *what)
{
	model_error(s->diag, "the file is cut off or damaged, or is no ONNX model",
		"not a valid ONNX file: %s at byte %zu", what, s->pos);
	return false;
}

static bool too_big(struct scan *s, const char *what)
{
	model_error(s->diag, NULL, "the file is refused before it is unpacked: %s (byte %zu)", what,
		s->pos);
	return false;
}

/* A varint that ends before `end`. */
static bool varint(struct scan *s, size_t end, uint64_t *v)
{
	uint64_t x = 0;

	for (unsigned shift = 0; shift < 70; shift += 7) {
		if (s->pos >= end)
			return damaged(s, "a number runs past the end");
		const uint8_t byte = s->data[s->pos++];

		if (shift < 64)
			x |= (uint64_t)(byte & 127) << shift;
		if (byte < 128) {
			*v = x;
			return true;
		}
	}
	return damaged(s, "a number has more than 10 bytes");
}

/* Bytes of one element on the wire, 0 for a varint. */
static size_t fixed_size(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_FLOAT:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
		return 4;
	case PROTOBUF_C_TYPE_DOUBLE:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
		return 8;
	default:
		return 0;
	}
}

static bool is_block(ProtobufCType type)
{
	return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_BYTES ||
	       type == PROTOBUF_C_TYPE_MESSAGE;
}

/* A packed list of numbers up to `end`. */
static bool packed(struct scan *s, const ProtobufCFieldDescriptor *field, size_t end)
{
	const size_t size = fixed_size(field->type), len = end - s->pos;

	if (size > 0) {
		if (len % size != 0)
			return damaged(s, "a list of numbers ends within one");
		s->cost += len;
		s->pos = end;
		return true;
	}
	while (s->pos < end) {
		uint64_t v;

		if (!varint(s, end, &v))
			return false;
		s->cost += 8;
	}
	return true;
}

/* Counts what there may only be so many of. */
static bool count_message(struct scan *s, const ProtobufCMessageDescriptor *message)
{
	if (message == &onnx__node_proto__descriptor && ++s->nodes > MAX_EACH)
		return too_big(s, "more than 200000 nodes");
	if (message == &onnx__tensor_proto__descriptor && ++s->tensors > MAX_EACH)
		return too_big(s, "more than 200000 tensors");
	if (message == &onnx__value_info_proto__descriptor && ++s->values > MAX_EACH)
		return too_big(s, "more than 200000 values");
	s->cost += message->sizeof_message;
	return true;
}

/* A message inside: it becomes the level to go on with. */
static bool enter(struct scan *s, const ProtobufCFieldDescriptor *field, size_t end)
{
	struct level *outer = &s->stack[s->depth - 1];

	if (field->label != PROTOBUF_C_LABEL_REPEATED) {
		/* protobuf-c would merge the two, at a cost that grows with the square of how many
		 * there are */
		const uint64_t bit = UINT64_C(1)
				     << (unsigned)((field - outer->message->fields) & 63);

		if ((outer->seen & bit) != 0)
			return damaged(s, "a part that there may be only one of appears again");
		outer->seen |= bit;
	}
	if (s->depth == MAX_DEPTH)
		return too_big(s, "messages are nested more than 64 levels deep");
	s->stack[s->depth++] = (struct level){ .message = field->descriptor, .end = end };
	return count_message(s, field->descriptor);
}

/* A field of known type whose content is a block of bytes. */
static bool block(struct scan *s, const ProtobufCFieldDescriptor *field, size_t end)
{
	if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE)
		return enter(s, field, end);
	if (field != NULL && !is_block(field->type)) {
		if (field->label != PROTOBUF_C_LABEL_REPEATED)
			return damaged(s, "a number is written as text");
		return packed(s, field, end);
	}
	if (field != NULL && field->type == PROTOBUF_C_TYPE_STRING &&
		memchr(s->data + s->pos, 0, end - s->pos) != NULL)
		return damaged(s, "a name holds a zero byte");
	s->pos = end;
	return true;
}

static bool one_field(struct scan *s)
{
	const struct level *level = &s->stack[s->depth - 1];
	uint64_t tag, len;

	if (!varint(s, level->end, &tag))
		return false;
	if (tag >> 3 == 0 || tag >> 32 != 0)
		return damaged(s, "a field has no valid number");
	const unsigned wire = (unsigned)(tag & 7);
	const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(
		level->message, (unsigned)(tag >> 3));

	s->cost += FIELD_COST;
	if (wire == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
		if (!varint(s, level->end, &len))
			return false;
		if (len > level->end - s->pos)
			return damaged(s, "a part is longer than what holds it");
		return block(s, field, s->pos + (size_t)len);
	}
	if (field != NULL && is_block(field->type))
		return damaged(s, "text is written as a number");
	if (wire == PROTOBUF_C_WIRE_TYPE_VARINT) {
		if (field != NULL && fixed_size(field->type) != 0)
			return damaged(s, "a number has the wrong kind");
		return varint(s, level->end, &len);
	}
	if (wire != PROTOBUF_C_WIRE_TYPE_32BIT && wire != PROTOBUF_C_WIRE_TYPE_64BIT)
		return damaged(s, "a field has no valid kind");
	const size_t size = wire == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8;

	if (field != NULL && fixed_size(field->type) != size)
		return damaged(s, "a number has the wrong kind");
	if (level->end - s->pos < size)
		return damaged(s, "a number runs past the end");
	s->pos += size;
	return true;
}

bool wire_check(struct diag *d, const struct file *f, const ProtobufCMessageDescriptor *message)
{
	struct scan s = { .diag = d, .data = f->data, .size = f->size, .depth = 1 };
	const uint64_t limit = COST_FREE + COST_FACTOR * (uint64_t)f->size;

	s.stack[0] = (struct level){ .message = message, .end = f->size };
	while (s.depth > 0) {
		if (s.pos == s.stack[s.depth - 1].end) {
			s.depth--;
			continue;
		}
		if (!one_field(&s))
			return false;
		if (s.cost > limit)
			return too_big(&s, "so many small parts that it would take far more memory "
					   "than its size");
	}
	return true;
}
