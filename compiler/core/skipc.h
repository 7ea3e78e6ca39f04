/*
 * skipc: the types of the graph, then prototypes under the names of their files. What comes behind
 * the graph is in plan.h and emission.h.
 *
 * Two levels: the graph (SSA tensors and nodes, ONNX's shapes, no opsets) and the plan (kernels in
 * execution order, on regions of buffers). Passes are rows of the table in main.c.
 */
#ifndef SKIPC_H
#define SKIPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SKIPC_VERSION "0.1"
#define MAX_RANK      8
#define MAX_ELEMENTS  INT32_MAX /* of one tensor: generated code counts them with int */
#define MAX_EXPR_IN   4         /* inputs of an elementwise operator */

#if defined(__MINGW_PRINTF_FORMAT) /* which is C's own with __USE_MINGW_ANSI_STDIO */
#define PRINTF(f, a) __attribute__((format(__MINGW_PRINTF_FORMAT, f, a)))
#define NORETURN     __attribute__((noreturn))
#elif defined(__GNUC__)
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NORETURN     __attribute__((noreturn))
#else
#define PRINTF(f, a)
#define NORETURN
#endif

/* ---- memory and text ---- */

/* Allocations that end together. Zeroed, 16-byte aligned; nothing is freed one by one. */
struct arena {
	struct arena_block *head;
};

/* A growing text; data is always NUL-terminated once something was added. Owned by malloc. */
struct buf {
	char *data;
	size_t len, cap;
};

/* ---- element types ---- */

/* Order and names: dtypes in ops.c (struct dtype_info). */
enum dtype {
	DT_NONE,
	DT_F32,
	DT_F64,
	DT_F16,
	DT_BF16,
	DT_I8,
	DT_U8,
	DT_I16,
	DT_U16,
	DT_I32,
	DT_U32,
	DT_I64,
	DT_U64,
	DT_BOOL,
	DT_COUNT
};

struct dtype_info {
	const char *name;  /* text form: f32, i64, bool */
	const char *ctype; /* generated C: float, int64_t, uint8_t */
	const char *numpy; /* .npy descriptor without byte order: f4, i8, b1 */
	int size;          /* bytes */
	int onnx;          /* TensorProto.DataType */
	bool is_float;
	const char *suffix; /* of helper functions in generated C: f32, i64 */
};

struct shape {
	int rank;
	int64_t dim[MAX_RANK];
};

/* ---- the graph ---- */

struct graph;
struct node;

/*
 * A tensor: a graph input, a constant, or output number `out` of `def`.
 *
 * Floating-point tensors of the graph are all DT_F32: double, float16 and bfloat16 are widened or
 * narrowed where they enter or leave it (io_type keeps the type of the interface).
 * A constant's elements are row-major at data, in type `stored`: often the tensor's own type,
 * DT_F64 for what was folded or came as double, DT_F16/DT_BF16 as it came. Read them with
 * const_f64(), const_i64() or tensor_f64().
 */
struct tensor {
	const char *name; /* ONNX's, or made from its node's */
	int id;           /* index in graph.tensors */
	enum dtype type;
	enum dtype io_type; /* graph inputs and outputs: element type of the interface */
	bool known;         /* shape is known */
	struct shape shape;
	uint8_t order[MAX_RANK]; /* dimensions from outermost to innermost in memory; layout() */
	const void *data;        /* constants: elements; null otherwise */
	enum dtype stored;
	struct node *def; /* null for graph inputs and constants */
	int out;
	struct use *user, *last_user; /* in the order in which they were made */
	int nuser;
	bool is_input, is_output;
	bool is_stored; /* stands in memory by itself, fused into nothing: --trace-gates */
	signed char uniform; /* const_uniform()'s: 0 not asked yet, 1 yes, -1 no */
	int lazy; /* > 0: a constant too big to keep as doubles, of so many nodes; eval.c,
		     is_lazy_const() */
	int64_t made_of; /* elements of the constants that it is made of */
	int bits;        /* constants of i8 and u8: 4 where the file has such small ones; else 0 */
	const struct step *step; /* of integers: what one of them stands for; null: not known, or no number */
	struct tensor *became; /* what tensor_replace() put in its place, or null */
};

/* Integers q stand for scale (q - zero). */
struct step {
	double scale;
	int64_t zero;
};

/* A use of a tensor: element k of node->use is for node->in[k]. A node that reads it twice has two. */
struct use {
	struct node *node;
	struct use *prev, *next; /* the same tensor's */
};

enum attr_kind {
	ATTR_INT,
	ATTR_FLOAT,
	ATTR_STRING,
	ATTR_TENSOR,
	ATTR_INTS,
	ATTR_FLOATS,
	ATTR_STRINGS,
	ATTR_GRAPH,
	ATTR_REF
};

/* An attribute. INT and FLOAT have n == 1 and use i[0], f[0]. */
struct attr {
	const char *name;
	enum attr_kind kind;
	int n;
	int64_t *i;
	double *f;
	const char **s;        /* STRING, STRINGS; REF: the function attribute it refers to */
	struct tensor *tensor; /* TENSOR: a constant that is in no graph */
};

/*
 * Which ONNX nodes something stands for: a set of indices into graph.onnx. Immutable; unions share
 * what they are made of. Null is empty, too. A Patricia tree: a leaf is an index (bit 0); in others
 * the indices on both sides agree in the bits above `bit`, which are those of `index`, and differ in
 * it.
 */
struct prov {
	int n; /* indices */
	int index, bit;
	const struct prov *side[2]; /* without the bit, and with it */
};

struct onnx_node {
	const char *name;    /* may be "" */
	const char *op_type; /* as the model spells it */
	const char *output;  /* name of the first output that has one, or "" */
	const char *module;  /* where it stands in its author's program, `layer1.0.conv2`, or "" */
};

enum op_class {
	OP_VIEW, /* renames or moves elements: output elements are input elements (or padding) */
	OP_ELEMENTWISE, /* one output element from the elements at its (broadcast) place; has an
			   expression */
	OP_ANCHOR, /* has a kernel of its own, may take elementwise consumers into its epilogue */
	OP_OPAQUE, /* must be gone (evaluated, or made static) when shapes and fold are done */
	OP_CONSTANT /* of constants only, and evaluated */
};

enum op_result { RESULT_LAST, RESULT_FIRST, RESULT_TEST, RESULT_CAST };

/* What an operator is: the column `is` of ops.def. */
enum trait {
	IS_SUM = 1 << 0,         /* a sum or difference of two */
	IS_SCALE = 1 << 1,       /* a product or quotient of two */
	IS_MIX = 1 << 2,         /* may be a gated sum, as sums may */
	IS_ARITHMETIC = 1 << 3,  /* gates are made of such, and of tests */
	IS_GATED = 1 << 4,       /* what skip() makes of a gated sum */
	IS_WHOLE = 1 << 5,       /* of whole numbers a whole number */
	IS_STEP = 1 << 6,        /* where it is not constant, it jumps */
	IS_NONNEG = 1 << 7,      /* not below 0, whatever its input */
	IS_UNIT = 1 << 8,        /* in -1 .. 1, whatever its input */
	IS_WITHIN = 1 << 9,      /* between the least and the greatest element of its input, or of them all */
	IS_LAYER = 1 << 10,      /* multiplies matrices */
	IS_WEIGHTED = 1 << 11,   /* a layer whose second input is weights */
	IS_POOL = 1 << 12,       /* makes images smaller or larger */
	IS_REDUCTION = 1 << 13,  /* over axes */
	IS_INDEX = 1 << 14,      /* gives places or sizes: i64, whatever its input */
	IS_OPEN = 1 << 15,       /* its attributes do not say its shape (of pools: the ceil mode) */
	LIES_CHANNELS_LAST = 1 << 16, /* its result in memory; layout() */
	LIES_AS_INPUT = 1 << 17,
	IS_SINGLE = 1 << 18, /* elementwise: computed in floats, constants too, whatever its operands are */
	IS_EXACT = 1 << 19,  /* an anchor of integers, whose kernels store what the epilogue makes of sums */
	IS_TABLE = 1 << 20   /* an element of the second input, a table, for each of the first: no anchor to fuse() */
};

/* A row of ops.def. */
struct op {
	const char *name;
	enum op_class class;
	unsigned is;
	int min_in, max_in; /* max_in -1: any number */
	bool commutes;
	enum op_result result; /* its type */
	/* shapes/; false: an error was reported, or nothing known yet */
	bool (*shape)(struct graph *, struct node *);
	bool (*eval)(struct graph *, struct node *); /* fold/; null: not evaluated */
	const char *types; /* elementwise: of its operands, letters of f (floats) i (integers) b (bool) */
	const char *expr;  /* elementwise: expression over x0, x1, .. and attributes */
};

struct node {
	int id;
	const struct op *op;
	struct tensor **in; /* null where an optional input is absent */
	struct use *use;    /* of in[k], in its tensor's list */
	int nin;
	struct tensor **out;
	int nout;
	struct attr *attr;
	int nattr;
	const struct prov *prov;
	struct graph *graph;
	struct node *prev, *next; /* graph order: topological once imported */
	bool dead;
	int mark; /* scratch for passes; no meaning between them */
};

/* ---- what skip() saw ---- */

enum block_kind {
	BLOCK_IDENTITY,   /* x + F(x) */
	BLOCK_OPTION_A,   /* x sub-sampled, pooled or padded with zeros + F(x) */
	BLOCK_PROJECTION, /* W x + F(x) */
	BLOCK_SCALED,     /* x + F(x), one of them times a constant */
	BLOCK_GATED,      /* x + F(x), one of them times a gate */
	BLOCK_HIGHWAY,    /* H(x) T(x) + x (1 - T(x)) */
	BLOCK_CARRY,      /* H(x) T(x) + x C(x) */
	BLOCK_BLEND       /* a t + b (1 - t), and neither is carried */
};

/* One residual sum or gate. Tensors go by their names: rewriting may have made others of them
 * since. */
struct block {
	enum block_kind kind;
	bool preactivation;
	const struct prov *join, *nodes; /* what adds or blends; all that the block is made of */
	const char *shortcut, *branch, *gate; /* gate: null where there is none */
	const char *note;                     /* for people, or null */
	const char
		*unskipped; /* why no row is left out when its gates are closed; null: they are */
	const struct tensor *out; /* null: of a quantised network, whose blocks are those of another graph */
	struct tensor *fork; /* what shortcut and branch are computed from; null: nothing is carried */
	struct tensor *kept; /* the shortcut, as it is added */
	struct tensor *opens; /* of a highway: its gate as it blends; null: none, or of a quantised network */
	bool carries;         /* where that is 1 the shortcut is let through, and not the branch */
	int sum;                  /* index in graph.join: what adds or blends */
	int level;                /* of that: which of its forks is this one's */
};

/*
 * What adds or blends: a path through the network goes on through one of its terms. Each fork of them is a level, that is a
 * block, which a term passes by its shortcut or through its branch, or not at all: of x + z + G(z), where z is F(x), x
 * passes the level of x by its shortcut, z through the branch and that of z by its shortcut, G(z) through both branches.
 */
struct join {
	struct tensor *out;
	struct tensor **term, **value; /* as they are added; without their gates */
	int nterm;
	double factor;        /* of a gate: all of it times that */
	struct tensor **fork; /* by level; null: nothing is carried */
	int nlevel;
	bool *through; /* [level * nterm + term] */
};

/* An ONNX node that adds or gates, and is in no block. */
struct refusal {
	int onnx;
	const char *why;
};

struct diag {
	const char *path; /* model, as the user gave it */
	int errors, warnings;
	FILE *to;
	double next; /* of platform_seconds(): when progress() may say something; 0: it has nobody to tell */
	bool told;   /* and what it said stands there */
};

struct dim_value {
	const char *name;
	int64_t value;
};

/* What a user wants otherwise: blocks by numbers or names, as `1,/layer2/Add`. */
struct edit {
	bool reorder; /* two change places; else they are left out */
	const char *text;
};

struct graph {
	struct arena *arena; /* model lifetime */
	struct diag *diag;
	struct tensor **tensors;
	int ntensor, tensor_cap;
	struct node *first, *last;
	int nnode; /* ids given out */
	struct tensor **input, **output;
	int ninput, noutput;
	struct onnx_node *onnx;
	int nonnx;
	const char *producer; /* "pytorch 2.13", may be "" */
	char sha256[65];      /* of the model and its external data, hexadecimal */
	const char *assumed;  /* what --dim calls a dimension that was taken to be a batch of 1; null: none */
	const char *const *beside; /* paths of its external data */
	int nbeside;
	int64_t model_bytes;
	int64_t folded, budget; /* bytes that eval.c made or read, and may: bounds memory and time */
	bool *scales;   /* by ONNX node: it scales a layer's result by a constant; skip_scan() */
	struct block *block; /* in the order of the model's nodes; skip() */
	int nblock, block_cap;
	struct join *join; /* sums and gates that are blocks; tensors as they were before skip(): tensor_now() */
	int njoin, join_cap;
	bool tired;        /* skip() has not looked at all walks: some of that may lack */
	struct graph *seen; /* that of joins: this one, or the network that was quantised */
	struct refusal *refusal;
	int nrefusal;
	double skip_below; /* rows of a highway whose gates are all below it are carried; 0: none */
	int nskipped;      /* highway layers that do so */
	const char **in_floats; /* by ONNX node: why a layer of a quantised network is; null: nothing is quantised; integers() */
	bool bare;         /* inputs and outputs without their outer Quantize and Dequantize; integers() */
};

/* ---- the raw model (onnx.c -> opset.c) ---- */

struct raw_value {
	const char *name;
	enum dtype
		type; /* DT_NONE: not a tensor, or a type that skipc has not; type_name says it */
	const char *type_name;
	bool known_rank;
	int rank;
	int64_t *dim;       /* -1 where symbolic or absent */
	const char **param; /* the symbol, or null */
};

struct raw_node {
	const char *name, *op_type, *domain, *overload, *module;
	const char **in, **out; /* "" where absent */
	int nin, nout;
	struct attr *attr;
	int nattr;
	struct raw_graph **graph; /* by attribute: the subgraph of an ATTR_GRAPH, else null */
};

struct raw_graph {
	const char *name;
	struct raw_node *node;
	int nnode;
	struct tensor **init; /* constants, named; sparse ones are refused in onnx.c */
	int ninit;
	struct raw_value *input, *output;
	int ninput, noutput;
};

struct raw_opset {
	const char *domain; /* "" for ONNX's own, also when the file says ai.onnx */
	int64_t version;
};

struct raw_function {
	const char *domain, *name, *overload;
	const char **in, **out, **attr_name;
	int nin, nout, nattr_name;
	struct attr *attr_default;
	int nattr_default;
	struct raw_node *node;
	int nnode;
	struct raw_opset *opset;
	int nopset;
};

struct raw_model {
	int64_t ir_version;
	const char *producer;
	struct raw_opset *opset;
	int nopset;
	struct raw_graph *graph;
	struct raw_function *function;
	int nfunction;
	char sha256[65];
	const char *const *beside; /* paths of external data */
	int nbeside;
	int64_t bytes;
};

/* ---- fatal.c ---- */

/* Our own bug: says so, exit 3. Never for what a model or a user does. */
void die(const char *fmt, ...) NORETURN PRINTF(1, 2);
/* Says so, exit 1: nobody's bug. */
void out_of_memory(void) NORETURN;

/* ---- arena.c ---- */

void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
void arena_release(struct arena *a);
void buf_add(struct buf *b, const char *s, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_release(struct buf *b);
char *buf_text(struct arena *a, struct buf *b); /* what it holds, and releases it */
uint64_t hash_text(const char *s);
const char *grouped(struct arena *a, int64_t v); /* 1,234,567 */

/* ---- catalogue.c ---- */

/* A row ROW(..) of import/opset.def, which says what its columns mean. */
struct operator_version {
	const char *domain, *name;
	int since, least, most, outputs;
	const char *attrs;
};

/* One of those that refuse. hint: null where it depends on the model; names: several, with blanks; or null. */
struct refused_operator {
	const char *domain, *name, *hint, *names;
};

const struct operator_version *catalogue_version(int k);                           /* null: behind the last */
const struct operator_version *catalogue_next(const struct operator_version *v); /* of that operator */
bool catalogue_is_first(const struct operator_version *v);                         /* of its operator? */
const struct refused_operator *catalogue_refusal(int k);                                    /* null: behind the last */

/* ---- near.c ---- */

int name_distance(const char *x, const char *y);
int name_tolerance(const char *name); /* the distance up to which another name may have been meant */

/* Of words that are offered one by one, the one that was meant by a word that is none. */
struct near {
	const char *word, *best; /* null: none is near */
	int distance;
};

void near_offer(struct near *n, const char *candidate);

/* ---- error.c ---- */

/* A fault of the model: `path: error: ...`, then the hint on a line of its own (null: none).
 * Counted in diag->errors; after 20 only counted. Names must go through escape() first. */
void model_error(struct diag *d, const char *hint, const char *fmt, ...) PRINTF(3, 4);

/* What takes long says what it does: a line that the next one replaces, and a message. */
void progress(struct diag *d, const char *fmt, ...) PRINTF(2, 3);
void progress_end(struct diag *d); /* takes it away */

/* The same at ONNX node `index` of g->onnx (before there is a struct node). */
void onnx_error(struct graph *g, int index, const char *hint, const char *fmt, ...) PRINTF(4, 5);

/* The same at a node: names its first ONNX node, and prints types, shapes and names of its inputs.
 */
void node_error(struct graph *g, const struct node *n, const char *hint, const char *fmt, ...)
	PRINTF(4, 5);

/* A warning at a node (n may be null). */
void node_warning(struct graph *g, const struct node *n, const char *fmt, ...) PRINTF(3, 4);

/* A name from a model made safe to print in a terminal, a C comment or a C string: control bytes,
 * non-ASCII,
 * `"`, `\\`, and `*` before `/`, `?` before `?` as octal \\ooo. Result in a. */
const char *escape(struct arena *a, const char *name);

/* `/a/Conv /b/Relu ... /z/Relu (12 nodes)`: provenance for people, escaped. */
const char *prov_text(struct arena *a, const struct graph *g, const struct prov *prov, int most);

/* ---- file.c ---- */

/* A file in memory. */
struct file {
	const uint8_t *data;
	size_t size;
};

/* The whole of a regular file, mapped read-only. False: reported; `what` names it there, `missing` is
 * the hint if there is none. */
bool file_map(
	struct diag *d, const char *path, const char *what, const char *missing, struct file *f);
void file_unmap(struct file *f);

/* ---- crc.c: checksums that everybody can compute ---- */

struct crc64 {
	uint64_t sum;
	uint64_t table[8][256];
};

void crc64_begin(struct crc64 *c);
void crc64_add(struct crc64 *c, const void *data, size_t n);
uint64_t crc64_end(const struct crc64 *c); /* of all that was added; more may follow */

/* ---- math64.c: the same bits on every host ---- */

double math_exp(double x);
double math_tanh(double x);
double math_sigmoid(double x);
double math_erf(double x);
double math_log(double x);
double math_pow(double x, double y);
double math_sin(double x);
double math_cos(double x);
double math_tan(double x);
double math_asin(double x);
double math_acos(double x);
double math_atan(double x);
double math_sinh(double x);
double math_cosh(double x);
double math_asinh(double x);
double math_acosh(double x);
double math_atanh(double x);
double math_softplus(double x);

/* ---- tensor.c: element types, shapes, elements of constants ---- */

extern const struct dtype_info dtypes[DT_COUNT];
enum dtype dtype_of_onnx(int onnx); /* DT_NONE if skipc has not that type */

int64_t shape_count(const struct shape *s);                     /* elements */
const char *shape_text(struct arena *a, const struct shape *s); /* [1,64,56,56] */
bool shape_equal(const struct shape *x, const struct shape *y);
bool is_const(const struct tensor *t);
bool is_lazy_const(const struct tensor *t); /* see lazy_f64() */
bool is_runtime(const struct tensor *t); /* neither constant nor lazy constant */
double const_f64(
	const struct tensor *t, int64_t index); /* element of a constant, any stored type */
int64_t const_i64(const struct tensor *t, int64_t index);
/* Towards zero; out of range, the nearest that fits; NaN is 0. */
int64_t to_i64(double v);
/* All elements as double, or int64; in a. Any constant. */
double *tensor_f64(struct arena *a, const struct tensor *t);
int64_t *tensor_i64(struct arena *a, const struct tensor *t);
bool const_uniform(const struct tensor *t, double *value); /* all elements are one value */

/* ---- prov.c: which ONNX nodes something stands for ---- */

const struct prov *prov_one(struct arena *a, int onnx_index);
const struct prov *prov_union(struct arena *a, const struct prov *x, const struct prov *y);
int prov_at(const struct prov *p, int k); /* the k-th smallest */

/* ---- graph.c ---- */

struct graph *graph_new(struct arena *a, struct diag *d);
struct tensor *graph_tensor(
	struct graph *g, const char *name, enum dtype type); /* name may be null */
bool tensor_named(struct arena *a, const struct tensor *t); /* its name is ONNX's, not made up */
/* A constant of the graph; data must live as long as the graph, elements row-major of type
 * `stored`. */
struct tensor *graph_constant(struct graph *g, const char *name, enum dtype type,
	const struct shape *s, enum dtype stored, const void *data);
struct tensor *graph_scalar(struct graph *g, enum dtype type, double value);
struct tensor *graph_ints(struct graph *g, int n, const int64_t *v); /* constant i64[n] */
/* A node with nout new outputs, appended (before == null) or placed before `before`. Inputs may be
 * null. */
struct node *graph_node(struct graph *g, struct node *before, const struct op *op, int nin,
	struct tensor *const *in, int nout, const struct prov *prov);
void node_set_input(struct node *n, int k, struct tensor *t); /* keeps user lists; t may be null */
void node_drop_inputs(struct node *n, int from);              /* inputs from.. are removed */
void node_remove(struct graph *g, struct node *n);            /* outputs must have no user */
/* Every use of old, and its place among the graph's outputs, becomes new. A graph output keeps its
 * name. */
void tensor_replace(struct graph *g, struct tensor *old, struct tensor *new);
struct tensor *tensor_now(struct tensor *t); /* itself, or what it was replaced by in the end */
/* Nodes, tensors and lists of its own; what names, attributes and constants hold is shared. */
struct graph *graph_copy(const struct graph *g);
void graph_sort(struct graph *g);               /* topological, stable; a cycle is reported */
void graph_sweep(struct graph *g);              /* removes nodes whose outputs nobody uses */
void graph_check(struct graph *g, bool shapes); /* invariants; a breach is our bug: die() */

bool is_op(const struct node *n, const char *name);  /* n may be null */
bool is_a(const struct node *n, unsigned traits);    /* has one of them; n may be null */
bool is_pointwise(const struct node *n); /* elementwise, or a table: kernels may have it in their epilogues */
bool attrs_equal(const struct node *x, const struct node *y);
const struct attr *node_attr(const struct node *n, const char *name);
int64_t attr_int(const struct node *n, const char *name, int64_t absent);
double attr_float(const struct node *n, const char *name, double absent);
const char *attr_string(const struct node *n, const char *name, const char *absent);
const int64_t *attr_ints(
	const struct node *n, const char *name, int *count); /* null, 0 where absent */
void set_int(struct graph *g, struct node *n, const char *name, int64_t v);
void set_float(struct graph *g, struct node *n, const char *name, double v);
void set_string(struct graph *g, struct node *n, const char *name, const char *v);
void set_ints(struct graph *g, struct node *n, const char *name, int count, const int64_t *v);
void drop_attr(struct node *n, const char *name);

/* ---- ops.c: the table of operators ---- */

const struct op *op_find(const char *name); /* null: no such operator */
int op_count(void);
const struct op *op_at(int k);

/* ---- expr.c: elementwise expressions ---- */

struct program;
/* An elementwise operator's expression with its attributes filled in, ready to run; in a. */
struct program *expr_compile(struct arena *a, const struct op *op, const struct node *n);
int expr_uses(const struct op *op, int input); /* how often the expression reads input k */
double expr_run(const struct program *p, const double *x); /* x: the inputs of one element */
/* As the float at run time, each step rounded. */
double expr_run_single(const struct program *p, const double *x);
int64_t expr_run_whole(const struct program *p, const int64_t *x); /* of integers */
bool expr_is_modular(const struct program *p); /* the same for int64_t and uint64_t */
/* The expression as C, appended: x[k] is the text of input k, type the type it is computed in.
 * vector: on vectors of floats, in the words of templates/vector (VEC_ADD ..). */
void expr_print(struct buf *out, const struct op *op, const struct node *n, enum dtype type,
	bool vector, const char *const *x);
void print_literal(struct buf *out, double v, enum dtype type, bool vector);
/* Is there a word of vector code for each step? literal[k]: input k is a number known now. */
bool expr_has_vector(const struct op *op, const struct node *n, enum dtype type, const bool *literal);
void print_number(struct buf *out, double v, enum dtype type); /* a literal of generated C */

/* ---- text.c ---- */

void text_print(struct buf *out, const struct graph *g);

/* ---- textparse.c ---- */

struct graph *text_parse(struct arena *a, struct diag *d, const char *path, const char *text);

/* ---- onnx.c: bytes -> raw model; the only place that knows protobuf ---- */

/* Reads and checks a model file. Null: errors were reported. Everything lives in a; big weights may
 * stay in a mapping of the file that lasts as long as the process. */
struct raw_model *onnx_read(struct arena *a, struct diag *d, const char *path);

/* A tensor from a .pb file (ONNX's test data), for the tests and `diff`. Null: reported. */
struct tensor *onnx_read_tensor(struct arena *a, struct diag *d, const char *path);

/* ---- import.c: raw model -> graph; the only folder that knows opsets ---- */

/* dims: the user's --dim NAME=N. Symbolic dimensions not named there: the first one is 1 (batch),
 * others are an error with a hint. Null: reported. */
struct graph *import(struct arena *a, struct diag *d, const struct raw_model *m,
	const struct dim_value *dims, int ndims);

/* ---- shape.c: shapes of everything; what was computed of shapes becomes attributes ---- */

void shapes(struct graph *g);
bool infer(struct graph *g,
	struct node *n); /* one node, whose inputs are known; used by rewrites too */

/* ---- integers.c: what is computed in integers ---- */

void integers(struct graph *g);

/* ---- sums.c of integers/ ---- */

/* The greatest magnitude that a sum of integers may have; -1: n is none. */
double sum_bound(const struct node *n);

/* ---- unquantised.c ---- */

/* Before integers(): a copy that is the float network which was quantised, to be looked at. Null: nothing is quantised. */
struct graph *unquantised(struct graph *g);

/* ---- fold.c: constant nodes -> constants ---- */

void fold(struct graph *g);

/* ---- eval.c: the elements of a constant ---- */

/*
 * The outputs of a node whose inputs are all constant become constants: the same tensors, now with
 * data and without def; the node is removed (keep n->out[0] before). True too, and nothing is done,
 * when the result is or stays a lazy constant. False: it cannot be evaluated.
 */
bool evaluate(struct graph *g, struct node *n);
/*
 * A big (more than LAZY_COUNT elements) float result of elementwise nodes, Reshape, Transpose,
 * Slice, Concat or Expand over constants is not evaluated by fold(): it keeps its node and is a
 * lazy constant. Whoever asks "is it constant?" asks is_const(t) || is_lazy_const(t). lazy_f64:
 * elements of a constant, lazy or not, in scratch, and not kept.
 */
#define LAZY_COUNT 65536
double *lazy_f64(struct arena *scratch, struct graph *g, const struct tensor *t);

/* ---- rewrite.c: rules.def to a fixed point ---- */

void rewrite(struct graph *g);
/* The same, and hits[k] is increased for each use of rule k. For tests. */
void rewrite_counting(struct graph *g, int *hits);
int rule_count(void);
const char *rule_text(int k); /* as rules.def has it; null: no rule, but the beginning of a stage */

/* ---- sums.c ---- */

/* Before rewrite(), which may put scales into weights: notes which nodes they are. */
void skip_scan(struct graph *g);

/* ---- skip.c: residual sums and gates ---- */

/* Gates become Blend and Carry, and Below and Above where g->skip_below asks for it; what was seen
 * stands in g->block and g->refusal. */
void skip(struct graph *g);

/* ---- edit.c: --drop and --reorder ---- */

/* Before skip(), of the canonical graph; it is canonical again behind it. */
void edit_blocks(struct graph *g, const struct edit *e, int n);

/* ---- through.c ---- */

/* The same of a quantised network, seen through its quantisers: `plain` is what unquantised() made of it. What was seen stands
 * in g, whose nodes stay: they say what is rounded. */
void skip_through(struct graph *g, struct graph *plain);

/* ---- blocks.c ---- */

const char *block_kind_name(enum block_kind kind);
bool block_leaves_out(const struct graph *g, const struct block *b); /* rows with closed gates */

/* ---- layout.c: how each tensor's dimensions lie in memory ---- */

void layout(struct graph *g);

#endif
