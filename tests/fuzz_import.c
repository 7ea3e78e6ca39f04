/*
 * The whole of skipc on mutated models, in one process, for libFuzzer: import, every pass and the writing of files
 * (into nothing), under the address and undefined-behaviour sanitizers. A mutation takes the model apart as protobuf
 * has it and changes a few fields, so that most models stay well-formed and reach the passes: fuzz.py changes bytes.
 *
 *     make fuzz-import            an hour; what it finds is in build/fuzz
 *     build/fuzz_import FILE      one model again
 */
#define main skipc_main
#include "../compiler/main.c"
#undef main

#include "import/onnx.h"

#include <limits.h>
#include <math.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/* ---- output into nothing, in place of output.c ------------------------------------------------- */

void output_begin(struct output *o)
{
	(void)o;
}

FILE *output_open(struct output *o, const char *name)
{
	FILE *f = fopen("/dev/null", "w");

	if (f == NULL || o->n == MAX_OUTPUT)
		abort();
	o->file[o->n] = (struct output_file){ .path = name, .stream = f };
	return o->file[o->n++].stream;
}

void output_puts(struct output *o, const char *name, const char *text)
{
	fputs(text, output_open(o, name));
}

void output_remove(struct output *o, const char *name)
{
	(void)o, (void)name;
}

bool output_commit(struct output *o)
{
	while (o->n > 0)
		fclose(o->file[--o->n].stream);
	return true;
}

void output_discard(struct output *o)
{
	output_commit(o);
}

/* ---- one model ---------------------------------------------------------------------------------- */

static char path[64];
static FILE *nowhere;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	snprintf(path, sizeof(path), "/dev/shm/skipc-fuzz-%ld.onnx", (long)getpid());
	nowhere = fopen("/dev/null", "w");
	return nowhere == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct job j = { .diag = { .path = path, .to = nowhere } };
	struct emission e;
	int functions;
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		abort();
	j.options.model = path;
	j.options.skip_below = size % 8 >= 4 ? 0.01 : 0;
	j.options.plan.target = target_find(size % 2 ? "c" : "x86-64");
	j.options.emit = (struct emit_options){ .name = "net", .model = "m.onnx", .settings = "",
		.skipc_main = true, .trace = size % 4 >= 2 }; /* the field main, by the macro above */
	j.out.arena = &j.arena;
	j.out.dir = "nowhere";
	if (run_passes(&j, 'e')) {
		report(nowhere, j.plan);
		emission_begin(&e, j.plan, &j.options.emit, &functions);
		report_json(&(struct json){ .to = nowhere }, &e);
	}
	output_discard(&j.out);
	arena_release(&j.arena);
	unlink(path);
	return 0;
}

/* ---- mutations ---------------------------------------------------------------------------------- */

/* What names may become. */
static const char *const words[] = {
#define ROW(domain, name, ...) #name,
#include "import/opset.def"
	"", "x", "y", "N", "batch", "axis", "axes", "kernel_shape", "pads", "strides", "dilations", "group", "auto_pad",
	"SAME_UPPER", "VALID", "mode", "linear", "cubic", "reflect", "to", "value", "then_branch", "equation", "bij,bjk->bik",
};

static const int64_t numbers[] = { 0, 1, -1, 2, -2, 3, 4, 5, 7, 8, 9, 16, 17, 31, 32, 64, 100, 127, 128, 255, 256, 1000, 1024,
	65535, 65536, 1 << 24, INT_MAX, INT_MIN, 1LL << 31, 1LL << 32, 1LL << 40, 1LL << 60, INT64_MAX, INT64_MIN };

static const double reals[] = { 0, -0.0, 1, -1, 0.5, 2, 2.5, 1e-5, 1e-45, 1e-38, 3.4e38, -3.4e38, 1e30, 0.99999994, 100,
	NAN, INFINITY, -INFINITY };

enum { MAX_PLACES = 65536, DEEPEST = 64, LARGEST_COPY = 100000 };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* A field of a message. */
struct place {
	ProtobufCMessage *message;
	const ProtobufCFieldDescriptor *field;
};

static struct place places[MAX_PLACES];
static size_t nplaces;
static uint64_t state;
static struct arena arena; /* of a mutation */

static size_t below(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(state >> 33) % n;
}

static void *take(void *context, size_t size)
{
	(void)context;
	return arena_alloc(&arena, size + 1);
}

static void leave(void *context, void *memory)
{
	(void)context, (void)memory;
}

static ProtobufCAllocator allocator = { take, leave, NULL };

static void *member(struct place p)
{
	return (char *)p.message + p.field->offset;
}

/* How many a repeated field has; whether a field is set. */
static void *quantifier(struct place p)
{
	return (char *)p.message + p.field->quantifier_offset;
}

static size_t count(struct place p)
{
	const bool pointer = p.field->type == PROTOBUF_C_TYPE_MESSAGE || p.field->type == PROTOBUF_C_TYPE_STRING;

	if (p.field->label == PROTOBUF_C_LABEL_REPEATED)
		return *(size_t *)quantifier(p);
	return pointer ? *(void **)member(p) != NULL : *(protobuf_c_boolean *)quantifier(p) != 0;
}

static size_t size_of(const ProtobufCFieldDescriptor *f)
{
	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING:
		return sizeof(void *);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return 8;
	default:
		return 4;
	}
}

static void find_places(ProtobufCMessage *m, int depth)
{
	for (unsigned k = 0; k < m->descriptor->n_fields && depth < DEEPEST && nplaces < MAX_PLACES; k++) {
		const struct place p = { m, &m->descriptor->fields[k] };
		const size_t n = count(p);

		places[nplaces++] = p;
		if (p.field->type == PROTOBUF_C_TYPE_MESSAGE)
			for (size_t i = 0; i < n; i++)
				find_places(p.field->label == PROTOBUF_C_LABEL_REPEATED ? (*(ProtobufCMessage ***)member(p))[i]
										    : *(ProtobufCMessage **)member(p),
					    depth + 1);
	}
}

/* A place with something in it, of fields like f unless null. */
static struct place find_place(const ProtobufCFieldDescriptor *f)
{
	struct place p = places[below(nplaces)];

	for (int tries = 0; tries < 200; tries++) {
		if (count(p) > 0 && (f == NULL || (p.field->type == f->type && p.field->descriptor == f->descriptor)))
			return p;
		p = places[below(nplaces)];
	}
	return p;
}

/* A value that another place has, or null. */
static void *value_like(const ProtobufCFieldDescriptor *f)
{
	const struct place p = find_place(f);
	const size_t n = count(p);

	if (n == 0 || p.field->type != f->type || p.field->descriptor != f->descriptor)
		return NULL;
	return p.field->label == PROTOBUF_C_LABEL_REPEATED ? *(char **)member(p) + below(n) * size_of(f) : member(p);
}

static ProtobufCMessage *copy(const ProtobufCMessage *m)
{
	const size_t size = protobuf_c_message_get_packed_size(m);
	uint8_t *packed = size < LARGEST_COPY ? take(NULL, size) : NULL;

	return packed == NULL ? NULL
			      : protobuf_c_message_unpack(m->descriptor, &allocator,
							  protobuf_c_message_pack(m, packed), packed);
}

static int64_t number(int64_t old)
{
	const uint64_t x = (uint64_t)old;

	switch (below(6)) {
	case 0:
		return (int64_t)(x + 1);
	case 1:
		return (int64_t)(x - 1);
	case 2:
		return (int64_t)(0 - x);
	case 3:
		return numbers[below(20)];
	default:
		return numbers[below(COUNT(numbers))];
	}
}

/* Elements of tensors: all kinds of integers and floats lie in them. */
static void change_bytes(ProtobufCBinaryData *b)
{
	uint8_t *data = take(NULL, 2 * b->len + 64);
	const size_t at = below(b->len / 8 + 1) * 8;

	if (b->len > 0)
		memcpy(data, b->data, b->len);
	b->data = data;
	if (below(2) && at + 8 <= b->len) {
		int64_t element;

		memcpy(&element, data + at, 8);
		element = number(element);
		memcpy(data + at, &element, below(2) ? 8 : 4);
	} else if (below(2) && at + 4 <= b->len) {
		const float element = (float)reals[below(COUNT(reals))];

		memcpy(data + at, &element, 4);
	} else {
		b->len = LLVMFuzzerMutate(data, b->len, 2 * b->len + 64);
	}
}

static void change_message(ProtobufCMessage **m, const ProtobufCFieldDescriptor *f)
{
	ProtobufCMessage **other = value_like(f), *made = other != NULL ? copy(*other) : NULL;

	if (made == NULL) {
		const ProtobufCMessageDescriptor *d = f->descriptor;

		made = take(NULL, d->sizeof_message);
		d->message_init(made);
	}
	*m = made;
}

static void change_value(const ProtobufCFieldDescriptor *f, void *value)
{
	char **name;

	switch (f->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
		change_message(value, f);
		break;
	case PROTOBUF_C_TYPE_STRING:
		name = below(3) > 0 ? value_like(f) : NULL;
		*(const char **)value = name != NULL ? *name : words[below(COUNT(words))];
		break;
	case PROTOBUF_C_TYPE_BYTES:
		change_bytes(value);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		*(float *)value = (float)reals[below(COUNT(reals))];
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		*(double *)value = reals[below(COUNT(reals))];
		break;
	case PROTOBUF_C_TYPE_ENUM:
		*(int32_t *)value = (int32_t)below(25);
		break;
	default:
		if (size_of(f) == 8)
			*(int64_t *)value = number(*(int64_t *)value);
		else
			*(int32_t *)value = (int32_t)number(*(int32_t *)value);
	}
}

/* One more of a repeated field, somewhere among them. */
static void insert(struct place p)
{
	const size_t n = count(p), size = size_of(p.field), at = below(n + 1);
	char *old = *(char **)member(p), *values = arena_alloc(&arena, (n + 1) * size);

	if (n > 0) {
		memcpy(values, old, at * size);
		memcpy(values + (at + 1) * size, old + at * size, (n - at) * size);
		memcpy(values + at * size, old + below(n) * size, size);
	} else {
		memset(values, 0, size);
	}
	if (n == 0 || p.field->type == PROTOBUF_C_TYPE_MESSAGE || below(2))
		change_value(p.field, values + at * size);
	*(char **)member(p) = values;
	*(size_t *)quantifier(p) = n + 1;
}

static void change_repeated(struct place p)
{
	const size_t n = count(p), size = size_of(p.field);
	char *values = *(char **)member(p);
	const size_t at = n > 0 ? below(n) : 0, other = n > 0 ? below(n) : 0;
	char kept[sizeof(ProtobufCBinaryData)];

	switch (n == 0 ? 0 : below(6)) {
	case 0:
		insert(p);
		break;
	case 1:
		memmove(values + at * size, values + (at + 1) * size, (n - at - 1) * size);
		*(size_t *)quantifier(p) = n - 1;
		break;
	case 2:
		memcpy(kept, values + at * size, size);
		memcpy(values + at * size, values + other * size, size);
		memcpy(values + other * size, kept, size);
		break;
	default:
		change_value(p.field, values + at * size);
	}
}

static void change(struct place p)
{
	const bool pointer = p.field->type == PROTOBUF_C_TYPE_MESSAGE || p.field->type == PROTOBUF_C_TYPE_STRING;
	const bool set = below(10) > 0;

	if (p.field->label == PROTOBUF_C_LABEL_REPEATED) {
		change_repeated(p);
		return;
	}
	if (set)
		change_value(p.field, member(p));
	if (!pointer)
		*(protobuf_c_boolean *)quantifier(p) = set;
	else if (!set)
		*(void **)member(p) = NULL;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
	struct diag d = { .path = path, .to = nowhere };
	const struct file f = { .data = data, .size = size };
	ProtobufCMessage *m = NULL;
	size_t changed = 0;

	state = seed;
	if (size > 0 && below(20) > 0 && wire_check(&d, &f, &onnx__model_proto__descriptor))
		m = protobuf_c_message_unpack(&onnx__model_proto__descriptor, &allocator, size, data);
	for (size_t k = 1 + below(3); m != NULL && k > 0; k--) {
		nplaces = 0;
		find_places(m, 0);
		change(below(4) > 0 ? find_place(NULL) : places[below(nplaces)]);
	}
	if (m != NULL && protobuf_c_message_get_packed_size(m) <= most)
		changed = protobuf_c_message_pack(m, data);
	arena_release(&arena);
	return changed > 0 ? changed : LLVMFuzzerMutate(data, size, most);
}
