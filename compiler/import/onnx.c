/*
 * The file format: bytes -> messages -> raw model. With wire.c and payload.c the only place that
 * knows protobuf.
 */
#include "import/onnx.h"
#include "import/opset.h"

#include <limits.h>
#include <string.h>

/* ---- messages -> raw model ---- */

static const char *text(const char *s)
{
	return s != NULL ? s : "";
}

/* "ai.onnx" and "" are the same domain. */
static const char *domain(const char *s)
{
	return s == NULL || strcmp(s, "ai.onnx") == 0 ? "" : s;
}

static void *array(struct reader *r, size_t n, size_t size)
{
	return arena_alloc(r->arena, (n > 0 ? n : 1) * size);
}

static const char *bytes_text(struct reader *r, const ProtobufCBinaryData *b)
{
	char *s = arena_alloc(r->arena, b->len + 1);

	if (b->len > 0)
		memcpy(s, b->data, b->len);
	return s;
}

static struct raw_graph *convert_graph(struct reader *r, const Onnx__GraphProto *p);

/* What kind an attribute is; writers of IR version 1 and 2 leave the type out. */
static Onnx__AttributeProto__AttributeType attr_type(const Onnx__AttributeProto *p)
{
#define TYPE(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name
	const struct {
		bool here;
		Onnx__AttributeProto__AttributeType type;
	} guess[] = {
		{ p->has_f, TYPE(FLOAT) },
		{ p->has_i, TYPE(INT) },
		{ p->has_s, TYPE(STRING) },
		{ p->t != NULL, TYPE(TENSOR) },
		{ p->g != NULL, TYPE(GRAPH) },
		{ p->n_floats > 0, TYPE(FLOATS) },
		{ p->n_ints > 0, TYPE(INTS) },
		{ p->n_strings > 0, TYPE(STRINGS) },
	};

	if (p->has_type && p->type != TYPE(UNDEFINED))
		return p->type;
	for (size_t k = 0; k < sizeof(guess) / sizeof(guess[0]); k++)
		if (guess[k].here)
			return guess[k].type;
	return TYPE(UNDEFINED);
}

static void copy_ints(struct reader *r, struct attr *a, size_t n, const int64_t *v)
{
	a->n = (int)n;
	a->i = array(r, n, sizeof(*a->i));
	if (n > 0)
		memcpy(a->i, v, n * sizeof(*v));
}

static void copy_floats(struct reader *r, struct attr *a, size_t n, const float *v)
{
	a->n = (int)n;
	a->f = array(r, n, sizeof(*a->f));
	for (size_t k = 0; k < n; k++)
		a->f[k] = (double)v[k];
}

static void copy_strings(struct reader *r, struct attr *a, size_t n, const ProtobufCBinaryData *v)
{
	a->n = (int)n;
	a->s = array(r, n, sizeof(*a->s));
	for (size_t k = 0; k < n; k++)
		a->s[k] = bytes_text(r, &v[k]);
}

/* Kinds that no supported operator has (sparse tensors, types, lists of tensors or graphs) become
 * STRINGS of none, which no row of opset.def accepts either. */
static void convert_attr(
	struct reader *r, const Onnx__AttributeProto *p, struct attr *a, struct raw_graph **graph)
{
	a->name = text(p->name);
	if (p->ref_attr_name != NULL && p->ref_attr_name[0] != '\0') {
		a->kind = ATTR_REF;
		a->n = 1;
		a->s = array(r, 1, sizeof(*a->s));
		a->s[0] = p->ref_attr_name;
		return;
	}
	switch (attr_type(p)) {
	case TYPE(FLOAT):
		a->kind = ATTR_FLOAT;
		copy_floats(r, a, 1, &p->f);
		break;
	case TYPE(INT):
		a->kind = ATTR_INT;
		copy_ints(r, a, 1, &p->i);
		break;
	case TYPE(STRING):
		a->kind = ATTR_STRING;
		copy_strings(r, a, 1, &p->s);
		break;
	case TYPE(FLOATS):
		a->kind = ATTR_FLOATS;
		copy_floats(r, a, p->n_floats, p->floats);
		break;
	case TYPE(INTS):
		a->kind = ATTR_INTS;
		copy_ints(r, a, p->n_ints, p->ints);
		break;
	case TYPE(TENSOR):
		a->kind = ATTR_TENSOR;
		a->n = 1;
		a->tensor = p->t != NULL ? payload_tensor(r, p->t) : NULL;
		break;
	case TYPE(GRAPH):
		a->kind = ATTR_GRAPH;
		a->n = 1;
		if (graph != NULL && p->g != NULL)
			*graph = convert_graph(r, p->g);
		break;
	default:
		a->kind = ATTR_STRINGS;
		copy_strings(r, a, p->n_strings, p->strings);
		break;
	}
}
#undef TYPE

static const char **convert_names(struct reader *r, size_t n, char **names)
{
	const char **v = array(r, n, sizeof(*v));

	for (size_t k = 0; k < n; k++)
		v[k] = text(names[k]);
	return v;
}

/* The part of a module's path that is its parent's, with the dot. */
static size_t parent_length(const char *path, size_t n)
{
	while (n > 0 && path[n - 1] != '.')
		n--;
	return n;
}

/* torch's exporter joins a normalisation to the layer before it, under the normalisation's name. So of two modules side by side
 * it is the one whose weight the node has: "layer1.0.conv1.weight". */
static const char *module_of_weight(struct reader *r, const Onnx__NodeProto *p, const char *module)
{
	static const char suffix[] = ".weight";
	const char *weight = p->n_input > 1 ? text(p->input[1]) : "";
	const size_t n = strlen(weight), end = sizeof(suffix) - 1;

	if (n <= end || strcmp(weight + n - end, suffix) != 0)
		return module;
	const size_t parent = parent_length(weight, n - end);

	if (parent != parent_length(module, strlen(module)) || strncmp(weight, module, parent) != 0)
		return module;
	return arena_printf(r->arena, "%.*s", (int)(n - end), weight);
}

/* Of "['', 'layer1', 'layer1.0', 'conv2d']", as torch's exporter writes it, the last but one: the module that computes it, which
 * lies in all before. "": nothing is known. */
static const char *module_of(struct reader *r, const Onnx__NodeProto *p)
{
	const char *from = NULL, *to = NULL;

	for (size_t k = 0; k < p->n_metadata_props; k++) {
		const char *begin = text(p->metadata_props[k]->value), *end;

		if (strcmp(text(p->metadata_props[k]->key), "pkg.torch.onnx.name_scopes") != 0)
			continue;
		for (const char *last = NULL; (begin = strchr(begin, '\'')) != NULL; begin = end + 1) {
			end = strchr(begin + 1, '\'');
			if (end == NULL)
				break;
			from = last;
			to = last != NULL ? strchr(last, '\'') : NULL;
			last = begin + 1;
		}
	}
	return from != NULL ? module_of_weight(r, p, arena_printf(r->arena, "%.*s", (int)(to - from), from)) : "";
}

static struct raw_node *convert_nodes(struct reader *r, size_t n, Onnx__NodeProto **p)
{
	struct raw_node *v = array(r, n, sizeof(*v));

	for (size_t k = 0; k < n; k++) {
		v[k].name = text(p[k]->name);
		v[k].op_type = text(p[k]->op_type);
		v[k].domain = domain(p[k]->domain);
		v[k].overload = text(p[k]->overload);
		v[k].module = module_of(r, p[k]);
		v[k].nin = (int)p[k]->n_input;
		v[k].in = convert_names(r, p[k]->n_input, p[k]->input);
		v[k].nout = (int)p[k]->n_output;
		v[k].out = convert_names(r, p[k]->n_output, p[k]->output);
		v[k].nattr = (int)p[k]->n_attribute;
		v[k].attr = array(r, p[k]->n_attribute, sizeof(*v[k].attr));
		v[k].graph = array(r, p[k]->n_attribute, sizeof(*v[k].graph));
		for (size_t i = 0; i < p[k]->n_attribute; i++)
			convert_attr(r, p[k]->attribute[i], &v[k].attr[i], &v[k].graph[i]);
	}
	return v;
}

static void convert_shape(struct reader *r, const Onnx__TensorShapeProto *p, struct raw_value *v)
{
	v->known_rank = true;
	v->rank = (int)p->n_dim;
	v->dim = array(r, p->n_dim, sizeof(*v->dim));
	v->param = array(r, p->n_dim, sizeof(*v->param));
	for (size_t k = 0; k < p->n_dim; k++) {
		const Onnx__TensorShapeProto__Dimension *d = p->dim[k];
		/* some writers put 0 or -1 for what is not known */
		const bool fixed = d->has_dim_value && d->dim_value > 0;

		v->dim[k] = fixed ? d->dim_value : -1;
		if (!fixed && d->dim_param != NULL && d->dim_param[0] != '\0')
			v->param[k] = d->dim_param;
	}
}

/* What a value is that is not a tensor. */
static const char *other_type(const Onnx__TypeProto *p)
{
	if (p == NULL)
		return "no type";
	if (p->sequence_type != NULL)
		return "sequence";
	if (p->map_type != NULL)
		return "map";
	if (p->optional_type != NULL)
		return "optional";
	if (p->sparse_tensor_type != NULL)
		return "sparse tensor";
	return p->opaque_type != NULL ? "opaque type" : "no type";
}

static struct raw_value *convert_values(struct reader *r, size_t n, Onnx__ValueInfoProto **p)
{
	struct raw_value *v = array(r, n, sizeof(*v));

	for (size_t k = 0; k < n; k++) {
		const Onnx__TypeProto *type = p[k]->type;

		v[k].name = text(p[k]->name);
		if (type != NULL && type->tensor_type != NULL) {
			v[k].type = dtype_of_onnx(type->tensor_type->elem_type);
			v[k].type_name = payload_type_name(type->tensor_type->elem_type);
			if (type->tensor_type->shape != NULL)
				convert_shape(r, type->tensor_type->shape, &v[k]);
			continue;
		}
		v[k].type_name = other_type(type);
	}
	return v;
}

static struct raw_graph *convert_graph(struct reader *r, const Onnx__GraphProto *p)
{
	struct raw_graph *g = arena_alloc(r->arena, sizeof(*g));

	g->name = text(p->name);
	g->nnode = (int)p->n_node;
	g->node = convert_nodes(r, p->n_node, p->node);
	g->ninput = (int)p->n_input;
	g->input = convert_values(r, p->n_input, p->input);
	g->noutput = (int)p->n_output;
	g->output = convert_values(r, p->n_output, p->output);
	g->init = array(r, p->n_initializer, sizeof(*g->init));
	for (size_t k = 0; k < p->n_initializer; k++) {
		struct tensor *t = payload_tensor(r, p->initializer[k]);

		if (t != NULL)
			g->init[g->ninit++] = t;
	}
	for (size_t k = 0; k < p->n_sparse_initializer; k++) {
		const Onnx__TensorProto *values = p->sparse_initializer[k]->values;

		model_error(r->diag, "store it as an ordinary (dense) initializer",
			"sparse initializer \"%s\" is not supported",
			escape(r->arena, values != NULL ? text(values->name) : ""));
	}
	return g;
}

static struct raw_opset *convert_opsets(struct reader *r, size_t n, Onnx__OperatorSetIdProto **p)
{
	struct raw_opset *v = array(r, n, sizeof(*v));

	for (size_t k = 0; k < n; k++) {
		v[k].domain = domain(p[k]->domain);
		v[k].version = p[k]->version;
	}
	return v;
}

static void convert_function(struct reader *r, const Onnx__FunctionProto *p, struct raw_function *f)
{
	f->domain = domain(p->domain);
	f->name = text(p->name);
	f->overload = text(p->overload);
	f->nin = (int)p->n_input;
	f->in = convert_names(r, p->n_input, p->input);
	f->nout = (int)p->n_output;
	f->out = convert_names(r, p->n_output, p->output);
	f->nattr_name = (int)p->n_attribute;
	f->attr_name = convert_names(r, p->n_attribute, p->attribute);
	f->nattr_default = (int)p->n_attribute_proto;
	f->attr_default = array(r, p->n_attribute_proto, sizeof(*f->attr_default));
	for (size_t k = 0; k < p->n_attribute_proto; k++)
		convert_attr(r, p->attribute_proto[k], &f->attr_default[k], NULL);
	f->nnode = (int)p->n_node;
	f->node = convert_nodes(r, p->n_node, p->node);
	f->nopset = (int)p->n_opset_import;
	f->opset = convert_opsets(r, p->n_opset_import, p->opset_import);
}

static void convert_model(struct reader *r, const Onnx__ModelProto *p, struct raw_model *m)
{
	m->ir_version = p->ir_version;
	m->producer = arena_printf(r->arena, "%s%s%s", text(p->producer_name),
		text(p->producer_version)[0] != '\0' ? " " : "", text(p->producer_version));
	m->nopset = (int)p->n_opset_import;
	m->opset = convert_opsets(r, p->n_opset_import, p->opset_import);
	m->nfunction = (int)p->n_functions;
	m->function = array(r, p->n_functions, sizeof(*m->function));
	for (size_t k = 0; k < p->n_functions; k++)
		convert_function(r, p->functions[k], &m->function[k]);
	m->graph = convert_graph(r, p->graph);
}

/* ---- bytes -> messages ---- */

static void *proto_alloc(void *arena, size_t size)
{
	return arena_alloc(arena, size);
}

static void proto_free(void *arena, void *p)
{
	(void)arena;
	(void)p;
}

/* Files that are often taken for a model, by how they begin. */
static const struct {
	const char *start;
	const char *what, *hint;
} others[] = {
	{ "version https://git-lfs", "a Git LFS pointer, not the model itself",
		"run `git lfs pull`" },
	{ "PK\003\004", "a zip archive (PyTorch, Keras), not an ONNX model",
		"export it with torch.onnx.export or tf2onnx" },
	{ "\211HDF", "an HDF5 file (Keras), not an ONNX model", "convert it with tf2onnx" },
	{ "<", "a web page or XML, not an ONNX model", "download the file itself" },
	{ "\200\002", "a Python pickle (PyTorch), not an ONNX model",
		"export it with torch.onnx.export" },
};

static bool known_other(struct diag *d, const struct file *f)
{
	for (size_t k = 0; k < sizeof(others) / sizeof(others[0]); k++) {
		const size_t n = strlen(others[k].start);

		if (f->size < n || memcmp(f->data, others[k].start, n) != 0)
			continue;
		model_error(d, others[k].hint, "the file is %s", others[k].what);
		return true;
	}
	return false;
}

static void sha256_text(struct sha256_ctx *hash, char hex[65])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(hash, sizeof(digest), digest);
	for (size_t k = 0; k < sizeof(digest); k++) {
		hex[2 * k] = digits[digest[k] >> 4];
		hex[2 * k + 1] = digits[digest[k] & 15];
	}
	hex[64] = '\0';
}

/* The file as a message; everything in it is a copy. Null: reported. */
static ProtobufCMessage *unpack(
	struct reader *r, const struct file *f, const ProtobufCMessageDescriptor *type)
{
	ProtobufCAllocator allocator = { proto_alloc, proto_free, r->arena };

	if (f->size > INT_MAX) {
		model_error(r->diag, "store the weights as external data",
			"a file of more than 2 GB cannot be read");
		return NULL;
	}
	if (known_other(r->diag, f) || !wire_check(r->diag, f, type))
		return NULL;
	ProtobufCMessage *m = protobuf_c_message_unpack(type, &allocator, f->size, f->data);

	if (m == NULL)
		model_error(r->diag, NULL, "not a valid ONNX file");
	return m;
}

static void list_external(const struct reader *r, struct raw_model *m)
{
	const char **path;
	int n = 0;

	for (const struct external *e = r->external; e != NULL; e = e->next)
		n++;
	path = arena_alloc(r->arena, ((size_t)n + 1) * sizeof(*path));
	m->beside = path;
	m->nbeside = n;
	for (const struct external *e = r->external; e != NULL; e = e->next)
		path[--n] = e->path;
}

struct raw_model *onnx_read(struct arena *a, struct diag *d, const char *path)
{
	struct reader r = { .arena = a, .diag = d, .path = path };
	struct raw_model *m = arena_alloc(a, sizeof(*m));
	const int before = d->errors;
	struct file f;

	if (!file_map(d, path, "cannot read the model", NULL, &f))
		return NULL;
	sha256_init(&r.hash);
	sha256_update(&r.hash, f.size, f.data);
	m->bytes = (int64_t)f.size;
	const Onnx__ModelProto *p = (const Onnx__ModelProto *)unpack(
		&r, &f, &onnx__model_proto__descriptor);

	file_unmap(&f);
	if (p == NULL)
		return NULL;
	if (p->graph == NULL)
		model_error(d, "is it an ONNX model?", "there is no graph in the file");
	else
		convert_model(&r, p, m); /* files of external data are hashed as they are opened */
	sha256_text(&r.hash, m->sha256);
	list_external(&r, m);
	return d->errors == before ? m : NULL;
}

struct tensor *onnx_read_tensor(struct arena *a, struct diag *d, const char *path)
{
	struct reader r = { .arena = a, .diag = d, .path = path };
	struct tensor *t = NULL;
	struct file f;

	if (!file_map(d, path, "cannot read the tensor", NULL, &f))
		return NULL;
	const Onnx__TensorProto *p = (const Onnx__TensorProto *)unpack(
		&r, &f, &onnx__tensor_proto__descriptor);

	file_unmap(&f);
	sha256_init(&r.hash);
	if (p != NULL)
		t = payload_tensor(&r, p);
	if (t != NULL && t->type == DT_NONE) {
		model_error(d, hint_type(t->data), "tensor \"%s\": element type %s is not supported",
			escape(a, t->name), (const char *)t->data);
		return NULL;
	}
	return t;
}
