/*
 * skipc: every type of the compiler, then every prototype under the name of its file.
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
#define MAX_EXPR_IN   4 /* inputs of an elementwise operator */

#if defined(__GNUC__)
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define NORETURN     __attribute__((noreturn))
#else
#define PRINTF(f, a)
#define NORETURN
#endif

/* ---- memory and text ------------------------------------------------------------------------ */

/* Allocations that end together. Zeroed, 16-byte aligned; nothing is freed one by one. */
struct arena {
	struct arena_block *head;
};

/* A growing text; data is always NUL-terminated once something was added. Owned by malloc. */
struct buf {
	char *data;
	size_t len, cap;
};

/* ---- element types --------------------------------------------------------------------------- */

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

/* ---- the graph ------------------------------------------------------------------------------- */

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
	struct node **user; /* one entry for each use: a node that reads it twice stands twice */
	int nuser, user_cap;
	bool is_input, is_output;
	int lazy; /* > 0: a constant too big to keep as doubles, of so many nodes; eval.c,
		     is_lazy_const() */
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

/* Which ONNX nodes something stands for: sorted indices into graph.onnx. Immutable, shared. */
struct prov {
	int n;
	int index[];
};

struct onnx_node {
	const char *name;    /* may be "" */
	const char *op_type; /* as the model spells it */
	const char *output;  /* first output's name */
};

enum op_class {
	OP_VIEW, /* renames or moves elements: output elements are input elements (or padding) */
	OP_ELEMENTWISE, /* one output element from the elements at its (broadcast) place; has an
			   expression */
	OP_ANCHOR, /* has a kernel of its own, may take elementwise consumers into its epilogue */
	OP_OPAQUE  /* must be gone (evaluated, or made static) when shapes and fold are done */
};

/* A row of ops.def. */
struct op {
	const char *name;
	enum op_class class;
	int min_in, max_in; /* max_in -1: any number */
	bool commutes;
	bool test; /* elementwise: the result is bool */
	bool (*shape)(struct graph *,
		struct node *); /* shape.c; false: an error was reported, or nothing known yet */
	bool (*eval)(
		struct graph *, struct node *); /* eval.c; null: by expression, or not evaluated */
	const char *expr; /* elementwise: expression over x0, x1, .. and attributes */
};

struct node {
	int id;
	const struct op *op;
	struct tensor **in; /* null where an optional input is absent */
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
	const struct tensor *out;
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
};

struct dim_value {
	const char *name;
	int64_t value;
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
	char sha256[65];      /* of the model file, hexadecimal */
	int64_t model_bytes;
	int64_t folded; /* bytes of constants that eval.c made: bounds memory and time */
	bool *scales;   /* by ONNX node: it scales a layer's result by a constant; skip_scan() */
	struct block *block; /* in the order of the model's nodes; skip() */
	int nblock, block_cap;
	struct refusal *refusal;
	int nrefusal;
};

/* ---- the raw model (onnx.c -> opset.c) --------------------------------------------------------
 */

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
	const char *name, *op_type, *domain, *overload;
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
	int64_t bytes;
};

/* ---- the plan ---------------------------------------------------------------------------------
 */

enum buffer_kind { BUF_ARENA, BUF_INPUT, BUF_OUTPUT, BUF_WEIGHTS, BUF_TABLE };

/* A piece of memory: part of the caller's arena, an argument of run, the weights, or a constant
 * table in the code (elements that are not float). */
struct buffer {
	int id;
	enum buffer_kind kind;
	int index;       /* which input, output or table */
	int64_t bytes;   /* whole, unpadded */
	int64_t offset;  /* bytes from the arena's or weights' start; set by memory(), pack() */
	int first, last; /* steps that write it first and read it last; memory() */
	const struct tensor *tensor;
};

/*
 * Where a tensor lies: element strides from buffer + offset. Dimensions are the tensor's own, in
 * ONNX's order; a stride of 0 is a broadcast. Elements outside [lo, hi) of a dimension are zero and
 * not stored (zero padding as a view); offset is that of element lo.
 */
struct region {
	struct buffer *buffer;
	int64_t offset; /* elements */
	enum dtype type;
	struct shape shape;
	int64_t stride[MAX_RANK];
	bool windowed;
	int64_t lo[MAX_RANK], hi[MAX_RANK];
};

struct kernel;
struct plan;
struct emission;
struct gemm;

/* A row of kernels.def: a way to compute an operator. */
struct kernel_row {
	const char *name;
	const char *op; /* operator of the anchor; "" for groups of elementwise nodes and copies */
	const char *target;
	const char *template;                           /* "c/conv" */
	const char *(*applies)(const struct kernel *k); /* null: it does; else the reason why not */
	double (*cost)(const struct kernel *k); /* arbitrary unit, comparable within an operator */
	void (*setup)(struct plan *p, struct kernel *k); /* parameters, arguments, packed weights */
};

/* How a constant is laid out in the weights; the order of elements stands in pack.c. */
enum packing {
	PACK_PLAIN,
	PACK_CONV,
	PACK_DEPTHWISE,
	PACK_LINEAR,
	PACK_GEMM,
	PACK_NARROW,
	PACK_BIAS,
	PACK_TABLE
};

enum { MAX_STACKED = 3 };

/* A constant as the weights file, or a table in the code, holds it. Equal ones are one blob. */
struct blob {
	struct tensor
		*tensor[MAX_STACKED]; /* alike; more than one where layers are computed together */
	int stack;
	enum packing packing;
	int group, block,
		chunk; /* groups, outputs of a block, inputs of a chunk (PACK_GEMM); else 1 */
	int64_t count; /* elements, all tensors */
	struct buffer *buffer;
	const struct prov *prov; /* of its first user */
};

struct param {
	const char *name;
	long value;
};

struct subst {
	const char *name;
	const char *text;
};

/* A pointer that the kernel's template takes, before y; in the template's order. */
struct arg {
	struct tensor *tensor;
	struct region region;
};

/* What one coordinate of a template's Y(..) and EPILOGUE(..) stands for: dimensions of the output,
 * flattened. */
struct coord {
	int dim[MAX_RANK];
	int n;
};

/* What a part of a range needs less of than the whole kernel. */
enum divides { DIVIDES_INPUT = 1, DIVIDES_WEIGHTS = 2, DIVIDES_BOTH = 3 };

/* A loop of the template that threads may share: from 0 to end, cut at multiples of step. */
struct share {
	const char *name; /* as in the template's FROM(name), TO(name, ..) */
	int64_t end, step;
	enum divides divides;
	int parts;
};

enum { MAX_ARG = 8, MAX_PARAM = 64, MAX_SUBST = 8, MAX_OPERAND = 32, MAX_SHARE = 4 };

/* One call of generated code: an anchor and the elementwise nodes absorbed into its epilogue, or a
 * group of elementwise nodes, or a copy of src (no anchor, no group). Stores one tensor. */
struct kernel {
	int id;
	const struct kernel_row *row;
	struct node *anchor;
	struct node *stacked[MAX_STACKED - 1]; /* further anchors, alike, on the same input: a
						  highway's T beside its H */
	int nstacked;
	struct node **group; /* in order */
	int ngroup;
	struct tensor *value; /* what the anchor gives; null for a group */
	struct tensor *out;
	struct region src, dst;
	struct arg arg[MAX_ARG];
	int narg;
	struct arg operand[MAX_OPERAND]; /* what the epilogue reads, once each, broadcast to the
					    output's shape */
	int noperand;
	struct coord coord[MAX_RANK];
	int ncoord;
	struct buffer
		*in_place; /* may be, then is (memory.c's word), the buffer that dst takes over */
	struct param param[MAX_PARAM];
	int nparam;
	struct subst subst[MAX_SUBST];
	int nsubst;
	int64_t scratch, scratch_offset; /* bytes of the arena that it needs while it runs, and
					    where; argument behind y */
	struct share share[MAX_SHARE];   /* from outer to inner */
	int nshare;
	const struct gemm *gemm; /* small products that its template calls, of no ISA yet; argument
				    behind scratch */
	int ngemm;
	const char *portable; /* template of the plain C version where the row's has none; null: the
				 row's own */
	int64_t macs;
	const struct prov *prov;
	const char *function; /* name of its instance; emit.c */
	const char *title;    /* one line for people: what it computes, shapes */
};

/* What is proved of the memory plan. */
struct certificate {
	int64_t arena;   /* bytes */
	int64_t bound;   /* least over the orders searched of the largest sum of live buffers, bytes
			  */
	bool all_orders; /* every order was searched */
	int64_t orders;  /* states looked at */
	bool exact;      /* offsets come from the exact search */
};

/*
 * The memory planner's problem, apart from what kernels are: steps that read and write buffers.
 * A step depends on every step before it (in the order given) that writes a buffer it reads, or
 * that reads or writes a buffer it writes.
 */
struct mem_step {
	int *read; /* buffers */
	int nread;
	int write;    /* buffer */
	int in_place; /* a buffer of read[] that write may take over if it has no later reader; -1:
			 none */
	int64_t scratch; /* bytes needed during the step only */
};

struct mem_problem {
	struct mem_step *step;
	int nstep;
	int64_t *bytes; /* of each buffer, multiples of the alignment */
	int nbuffer;
};

struct mem_result {
	int *order;        /* steps in the order to run */
	int64_t *offset;   /* of each buffer */
	int64_t *scratch;  /* offset of each step's scratch, by step */
	int *first, *last; /* of each buffer: positions of its first write and last access */
	bool *in_place;    /* by step: write took over the buffer in_place */
	struct certificate cert;
};

struct plan {
	struct arena *arena;
	struct graph *graph;
	const char *target;
	struct kernel **kernel; /* in execution order after memory() */
	int nkernel, kernel_cap;
	struct buffer **buffer;
	int nbuffer, buffer_cap;
	struct region *region; /* by tensor id; buffer null: not stored */
	struct blob **blob;
	int nblob, blob_cap;
	struct certificate cert;
	int64_t worker_bytes; /* behind the arena for each worker but the first: scratch */
	int64_t weights_bytes;
	int64_t macs;
};

/* ---- arena.c ----------------------------------------------------------------------------------
 */

void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
void arena_release(struct arena *a);
void buf_add(struct buf *b, const char *s, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
void buf_release(struct buf *b);
uint64_t hash_text(const char *s);

/* ---- error.c ----------------------------------------------------------------------------------
 */

/* Our own bug: says so, exit 3. Never for what a model or a user does. */
void die(const char *fmt, ...) NORETURN PRINTF(1, 2);

/* A fault of the model: `path: error: ...`, then the hint on a line of its own (null: none).
 * Counted in diag->errors; after 20 only counted. Names must go through escape() first. */
void model_error(struct diag *d, const char *hint, const char *fmt, ...) PRINTF(3, 4);

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

/* ---- graph.c ----------------------------------------------------------------------------------
 */

struct graph *graph_new(struct arena *a, struct diag *d);
struct tensor *graph_tensor(
	struct graph *g, const char *name, enum dtype type); /* name may be null */
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
const struct prov *prov_one(struct arena *a, int onnx_index);
const struct prov *prov_union(struct arena *a, const struct prov *x, const struct prov *y);
void graph_sort(struct graph *g);               /* topological, stable; a cycle is reported */
void graph_sweep(struct graph *g);              /* removes nodes whose outputs nobody uses */
void graph_check(struct graph *g, bool shapes); /* invariants; a breach is our bug: die() */

bool is_op(const struct node *n, const char *name); /* n may be null */
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

int64_t shape_count(const struct shape *s);                     /* elements */
const char *shape_text(struct arena *a, const struct shape *s); /* [1,64,56,56] */
bool shape_equal(const struct shape *x, const struct shape *y);
bool is_const(const struct tensor *t);
double const_f64(
	const struct tensor *t, int64_t index); /* element of a constant, any stored type */
int64_t const_i64(const struct tensor *t, int64_t index);
/* All elements as double, or int64; in a. Any constant. */
double *tensor_f64(struct arena *a, const struct tensor *t);
int64_t *tensor_i64(struct arena *a, const struct tensor *t);
bool const_uniform(const struct tensor *t, double *value); /* all elements are one value */

/* ---- ops.c ------------------------------------------------------------------------------------
 */

extern const struct dtype_info dtypes[DT_COUNT];
enum dtype dtype_of_onnx(int onnx);         /* DT_NONE if skipc has not that type */
const struct op *op_find(const char *name); /* null: no such operator */
int op_count(void);
const struct op *op_at(int k);

struct program;
/* An elementwise operator's expression with its attributes filled in, ready to run; in a. */
void print_number(struct buf *out, double v, enum dtype type); /* a literal of generated C */
struct program *expr_compile(struct arena *a, const struct op *op, const struct node *n);
int expr_uses(const struct op *op, int input); /* how often the expression reads input k */
double expr_run(const struct program *p, const double *x); /* x: the inputs of one element */
/* The expression as C, appended: x[k] is the text of input k, type the type it is computed in.
 * vector: null, or the prefix of the intrinsics ("_mm512") that compute it on vectors of floats. */
void expr_print(struct buf *out, const struct op *op, const struct node *n, enum dtype type,
	const char *vector, const char *const *x);
void print_literal(struct buf *out, double v, enum dtype type, const char *vector);
/* Is there an intrinsic for each step? literal[k]: input k is a number known now. */
bool expr_has_vector(const struct op *op, const struct node *n, const bool *literal);

/* ---- math64.c: the same bits on every host ------------------------------------------------------
 */

double math_exp(double x);
double math_tanh(double x);
double math_sigmoid(double x);
double math_erf(double x);
double math_log(double x);
double math_pow(double x, double y);
double math_sin(double x);
double math_cos(double x);
double math_softplus(double x);

/* ---- onnx.c: bytes -> raw model; the only place that knows protobuf -----------------------------
 */

/* Reads and checks a model file. Null: errors were reported. Everything lives in a; big weights may
 * stay in a mapping of the file that lasts as long as the process. */
struct raw_model *onnx_read(struct arena *a, struct diag *d, const char *path);

/* A tensor from a .pb file (ONNX's test data), for the tests and `diff`. Null: reported. */
struct tensor *onnx_read_tensor(struct arena *a, struct diag *d, const char *path);

/* ---- opset.c: raw model -> graph; the only place that knows opsets ------------------------------
 */

/* dims: the user's --dim NAME=N. Symbolic dimensions not named there: the first one is 1 (batch),
 * others are an error with a hint. Null: reported. */
struct graph *import(struct arena *a, struct diag *d, const struct raw_model *m,
	const struct dim_value *dims, int ndims);

/* ---- text.c -----------------------------------------------------------------------------------
 */

void text_print(struct buf *out, const struct graph *g);
struct graph *text_parse(struct arena *a, struct diag *d, const char *path, const char *text);

/* ---- shape.c: shapes of everything; what was computed of shapes becomes attributes
 * ---------------- */

void shapes(struct graph *g);
bool infer(struct graph *g,
	struct node *n); /* one node, whose inputs are known; used by rewrites too */

/* ---- eval.c: constant nodes -> constants
 * --------------------------------------------------------- */

void fold(struct graph *g);
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
bool is_lazy_const(const struct tensor *t);
double *lazy_f64(struct arena *scratch, struct graph *g, const struct tensor *t);

/* ---- memory.c: order, in place, offsets, and what is proved of them
 * --------------------------------- */

void memory_solve(struct arena *a, const struct mem_problem *p, struct mem_result *r);

/* ---- match.c: rules.def to a fixed point
 * ---------------------------------------------------------- */

void rewrite(struct graph *g);
/* The same, and hits[k] is increased for each use of rule k. For tests. */
void rewrite_counting(struct graph *g, int *hits);
int rule_count(void);
const char *rule_text(int k); /* as rules.def has it; null: no rule, but the beginning of a stage */

/* ---- skip.c: residual sums and gates
 * --------------------------------------------------------------- */

/* Before rewrite(), which may put scales into weights: notes which nodes they are. */
void skip_scan(struct graph *g);
/* Gates become Blend and Carry; what was seen stands in g->block and g->refusal. */
void skip(struct graph *g);

/* ---- region.c: regions, and what views do to them
 * -------------------------------------------------- */

struct region region_dense(enum dtype type, const struct shape *s, const uint8_t *order);
/* The region of a view's output, its input lying at in. False: no strides say it, it must be
 * copied. */
bool region_view(const struct node *view, const struct region *in, struct region *out);
/* The region of a view's input, its output lying at out; only for Reshape and Transpose. */
bool region_unview(const struct node *view, const struct region *out, struct region *in);
/* The part of a Concat's output that input k of it fills. */
struct region region_part(const struct node *concat, int k, const struct region *whole);
struct region region_broadcast(const struct region *r, const struct shape *to);
/* Whether a view moves no element for any layout of its input: not a Pad that makes up values. */
bool view_is_free(const struct node *view);
bool region_same(
	const struct region *x, const struct region *y); /* the same elements at the same places */

/* ---- layout.c: how each tensor's dimensions lie in memory
 * ------------------------------------------- */

void layout(struct graph *g);

/* ---- schedule.c, fuse.c: the graph becomes kernels on regions
 * -------------------------------------------- */

struct plan *schedule(struct graph *g, const char *target);
/* Groups: anchors with what they absorb, then the other elementwise nodes. node->mark: its kernel's
 * id + 1. */
void fuse(struct plan *p);
struct kernel *plan_kernel(struct plan *p);
struct buffer *plan_buffer(struct plan *p, enum buffer_kind kind, int64_t bytes);
struct blob *plan_blob(struct plan *p, const struct blob *wanted); /* finds or adds it */
bool is_runtime(const struct tensor *t); /* neither constant nor lazy constant */
/* Orders kernels, gives offsets to buffers of the arena, and the certificate. */
void memory(struct plan *p);

/* ---- kernel.c, kernels.def: which kernel computes what
 * ------------------------------------------------- */

/* Chooses the cheapest row that applies and sets k up; where none does, an error at the node. */
void kernel_choose(struct plan *p, struct kernel *k);
/* Of the cheapest row that applies to k as its arguments lie, in multiply-adds; INFINITY: none
 * does. */
double kernel_cost(const struct plan *p, const struct kernel *k);
/* A row that was considered for a kernel. */
struct candidate {
	const struct kernel_row *row;
	bool taken;
	const char *why; /* it lost; null where it was taken */
	double cost;     /* 0 where it does not apply */
};
/* The candidates of k, one a call, from *next = 0 on. False: there are no more. */
bool kernel_candidate(
	const struct plan *p, const struct kernel *k, int *next, struct candidate *c);
/* Prints them. */
void kernel_explain(FILE *to, const struct plan *p, const struct kernel *k);

/* ---- parts.c: what threads share of a kernel
 * ------------------------------------------------------- */

void cut(struct kernel *k);                                 /* sets the parts of each range */
int part_count(const struct kernel *k);                     /* 1: it is not cut */
int cut_ranges(const struct kernel *k, const char **names); /* those in several parts */
const char *range_parameters(
	struct arena *a, const struct kernel *k); /* `, int k_from, int k_to` */
#define NETWORK "skipc_network" /* stands for the struct's name in texts of instances */
/* The function `name` that runs name_range, whose parameters are given, in parts where the user has
 * threads, else whole; before it what it needs. */
const char *parts_text(struct arena *a, const struct kernel *k, const char *name,
	const char *comment, const char *parameters, const char *names);

/* ---- template.c: instances of the files in templates/
 * ------------------------------------------------------ */

struct instance_request {
	const char *template_name; /* "c/conv" */
	const char *function;      /* name of the instance */
	const char *comment; /* text of its comment, no delimiters; null keeps the template's own */
	const struct param *params; /* enumerators and switches */
	int nparams;
	const struct subst *substs; /* OPERANDS, T, INIT, .. */
	int nsubsts;
	const char *const *ranges; /* loops that run over a part: from NAME_from to NAME_to */
	int nranges;
	/* writes the expression that stands for LETTER(coord...) */
	void (*access)(void *ctx, struct buf *out, char letter, char *const *coord, int ncoord);
	/* writes whole lines, each begun by indent, that may change the lvalue `value`, for
	 * VECTOR_EPILOGUE a vector of channels; null is none */
	void (*epilogue)(void *ctx, struct buf *out, const char *indent, const char *value,
		bool vector, char *const *coord, int ncoord);
	void *ctx;
};

/* Text of the functions of one instance. A template that does not fit the request is our bug:
 * die(). */
char *template_instantiate(struct arena *a, const struct instance_request *r);
const char *template_source(const char *name); /* an embedded template, or null */
/* Calls need(ctx, "c/NAME") for every helper NAME (*_f32, *_i64) that text uses and that has a
 * template, a helper's own helpers first, each name once. Returns how many. */
int template_helpers(const char *text, void (*need)(void *ctx, const char *name), void *ctx);

/* ---- instance.c: kernels as C functions
 * ------------------------------------------------------------------- */

/* One C function of the output, shared by all kernels that are alike; with --target=x86-64 its
 * versions, and a function of that name that takes the instruction set first. */
struct instance {
	const char *name;
	const char *text;
	struct kernel *first;
};

/* Instruction sets: a version of each function, in the order in which they are written. */
struct isa {
	const char *suffix; /* avx512 */
	const char *macro;  /* AVX512_CODE: its attribute in generated code; "" for plain C */
	const char *name;   /* of the enumerator in generated code: ISA_AVX512 */
	const char *vector; /* prefix of its intrinsics, _mm512; null: none */
	bool guarded;       /* exists on x86-64 only */
};

enum { NISA = 3 };
extern const struct isa isas[NISA];
bool is_x86(const struct plan *p);                    /* --target=x86-64 */
bool calls_libxsmm(const struct emission *e);         /* it has products, and init finds them */
const char *product_fields(const struct emission *e); /* of struct NAME, for these; or empty */
/* Definitions that the versions need, and the small products of all kernels; x86.c. */
void emit_x86(struct emission *e, struct buf *out);
/* Where k's products begin in the table of all; k null: how many it has. */
int gemm_offset(const struct plan *p, const struct kernel *k);

/* Instances of all kernels, in order of first use, for the network of that name; sets
 * kernel.function. */
struct instance *instantiate(struct plan *p, const char *network, int *count);

/* ---- output.c: files that appear complete or not at all
 * ------------------------------------------------------ */

/* Files are written under temporary names; commit renames them all, discard removes them. */
struct output {
	const char *dir;
	struct arena *arena;
	char **path, **temporary;
	FILE **file;
	int n, cap;
	bool failed; /* something could not be written; said on stderr */
};

FILE *output_open(struct output *o, const char *name); /* null: failed, said */
void output_puts(struct output *o, const char *name, const char *text);
bool output_commit(struct output *o);
void output_discard(struct output *o);

/* ---- emit.c, interface.c, weights.c: the generated files
 * -------------------------------------------------- */

enum { WEIGHTS_ROW = 2048 }; /* bytes of a string literal; 4095 is the most that C99 promises */

enum weights_form { WEIGHTS_AUTO, WEIGHTS_TEXT, WEIGHTS_ROWS, WEIGHTS_INCBIN, WEIGHTS_BIN };

struct emit_options {
	const char *name;     /* prefix of everything, a C identifier */
	const char *model;    /* base name of the model's file */
	const char *settings; /* the options that shaped the output, as one would type them */
	enum weights_form weights;
	bool libxsmm_call; /* products: not machine code, but an installed libxsmm's */
	bool main;         /* NAME_main.c too */
	bool trace;        /* run reports each stored tensor to a callback */
};

/* What the parts of the output share. */
struct emission {
	struct plan *plan;
	const struct emit_options *options;
	struct output *out;
	struct arena *arena;
	const char *name, *upper;     /* resnet18, RESNET18 */
	const char **input, **output; /* parameter names of run */
	uint64_t weights_hash;
};

/* A C identifier from a name of the model; never a keyword, never empty. */
const char *identifier(struct arena *a, const char *name);
bool is_keyword(const char *s); /* of C or C++, or a name that run uses */
void emit(struct plan *p, const struct emit_options *options, struct output *out);
void emit_signature(struct emission *e, struct buf *out, const char *end); /* of run */
void emit_header(struct emission *e);
void emit_interface(struct emission *e, struct buf *out); /* init, error: what is not run */
void emit_weights(struct emission *e); /* before the code, which states the hash */
enum weights_form weights_form(const struct emission *e); /* the one that it takes */
void emit_main(struct emission *e);                       /* and NAME.trace, where traced */
bool is_traced(
	struct arena *a, const struct kernel *k); /* it stores a tensor that the model names */
const char *grouped(struct arena *a, int64_t v);  /* 1,234,567 */
/* `/a/Conv /b/Relu ... /z/Relu (12 nodes)`: provenance for people, escaped. */
const char *prov_text(struct arena *a, const struct graph *g, const struct prov *prov, int most);
bool tensor_named(struct arena *a, const struct tensor *t); /* its name is ONNX's, not made up */

/* ---- profile.c: what -DNAME_PROFILE compiles into the output
 * ------------------------------------------------------------------------ */

void emit_profile_types(struct emission *e, struct buf *out); /* into NAME.h */
const char *profile_fields(struct emission *e);               /* of NAME and NAME_options */
void emit_profile(struct emission *e, struct buf *out); /* before run, whose hook it defines */

/* ---- report.c: the plan for people
 * ------------------------------------------------------------------------ */

void plan_print(struct buf *out, const struct plan *p); /* its text form */
void report(FILE *to, const struct plan *p);            /* skipc inspect */

/* ---- blocks.c, json.c: what skip() saw
 * ------------------------------------------------------------------------- */

void report_blocks(FILE *to, const struct plan *p);
const char *block_kind_name(enum block_kind kind);
/* ONNX nodes of the kernel that adds or blends. Null: there is none. */
const struct prov *block_fused(const struct plan *p, const struct block *b);
void report_json(FILE *to, const struct plan *p); /* skipc inspect --json */

/* ---- pack.c: constants as kernels want them
 * ------------------------------------------------------------ */

void pack_constants(struct plan *p); /* offsets of all blobs */
/* Elements start.. of a blob, in its order, as float (tables: int64). */
void pack_blob(struct plan *p, const struct blob *b, float *to);

#endif
