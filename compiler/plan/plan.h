/* The plan: kernels on regions of buffers, and what makes it. */
#ifndef PLAN_H
#define PLAN_H

#include "core/skipc.h"
#include "kernels/target.h"

/* ---- the plan ---- */

enum buffer_kind { BUF_ARENA, BUF_INPUT, BUF_OUTPUT, BUF_WEIGHTS, BUF_TABLE, BUF_PREPARED };

/* A piece of memory: part of the caller's arena, an argument of run, the weights, a constant table in the code
 * (elements that are not float), or part of what init makes of the weights in memory of the caller's. */
struct buffer {
	int id;
	enum buffer_kind kind;
	int index;       /* which input, output or table */
	int64_t bytes;   /* whole, unpadded */
	int64_t offset;  /* bytes from the start of its kind; set by memory(), pack_constants() */
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
struct phase;
struct plan;
struct emission;
struct gemm;

/* A row of kernels.def: a way to compute an operator. */
struct kernel_row {
	const char *name;
	const char *op; /* operator of the anchor; "" for groups of elementwise nodes and copies */
	const char *target; /* c: every one; vector: those that have vectors */
	const char *template;                           /* "c/conv" */
	const char *(*applies)(const struct kernel *k); /* null: it does; else the reason why not */
	double (*cost)(const struct kernel *k); /* arbitrary unit, comparable within an operator */
	void (*setup)(struct plan *p, struct kernel *k); /* parameters, arguments, packed weights */
};

/* How a constant is laid out in the weights. */
#define PACKING(row, ...) PACK_##row,
#define PREPARED(row, ...) PACK_##row,
enum packing {
#include "plan/packings.def"
};

enum { MAX_STACKED = 3 };

/* A constant as the weights file, or a table in the code, holds it. Equal ones are one blob. */
struct blob {
	struct tensor
		*tensor[MAX_STACKED]; /* alike; more than one where layers are computed together */
	int stack;
	enum packing packing;
	int group, block, chunk; /* groups, outputs of a block, inputs of a chunk; 0: one for all */
	enum dtype type; /* of its elements; where none is asked for, the tensors' */
	int64_t count;   /* elements: all tensors', or more */
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
	const char *name; /* in the template; operands have none */
	bool is_table;    /* an operand of which elements say one, so that all strides are 0 */
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

enum { MAX_ARG = 8, MAX_PARAM = 64, MAX_SUBST = 12, MAX_OPERAND = 32, MAX_SHARE = 4 };

/* One call of generated code: an anchor and the elementwise nodes absorbed into its epilogue, or a
 * group of elementwise nodes, or a copy of src (no anchor, no group). Stores one tensor. */
struct kernel {
	int id;
	bool unprepared; /* init may make nothing for it */
	struct plan *plan;
	const struct kernel_row *row;
	const struct isa *set; /* whose costs its row is chosen by; null: the plan's */
	unsigned sets;         /* bits of target_set(): it runs on these alone; 0: on every one */
	bool by_dots;          /* where sets are told by net->dots */
	struct kernel
		*other; /* the same for other sets, where another row costs less there; and so on */
	bool is_other;  /* it is one of these */
	struct node *anchor;
	struct node *stacked[MAX_STACKED - 1]; /* further anchors, alike, on the same input: a
						  highway's T beside its H */
	int nstacked;
	const struct node *keep; /* member that does not look at the anchor's value in some rows;
				    null: none */
	struct node **group;     /* in order */
	int ngroup;
	struct tensor *value; /* what the anchor gives; null for a group */
	struct tensor *whole; /* what members read: value, or the tensor that value is a phase of */
	struct phase *phase;  /* of an anchor that is spread: a kernel for each, set by phases() */
	int nphase;
	struct tensor *out;
	struct region src, dst;
	struct arg arg[MAX_ARG];
	int narg;
	struct arg operand[MAX_OPERAND]; /* what the epilogue reads, once each, broadcast to the
					    output's shape */
	int noperand;
	struct coord coord[MAX_RANK];
	int ncoord;
	int lanes; /* the coordinate along which a vector epilogue goes, counted from 1; 0: its template has none */
	int64_t lanes_least; /* elements that it has side by side at least */
	bool lanes_even;     /* always by sixteens */
	bool lanes_apart;    /* the template stores them one by one */
	struct buffer
		*in_place; /* may be, then is (memory.c's word), the buffer that dst takes over */
	struct param param[MAX_PARAM];
	int nparam;
	struct subst subst[MAX_SUBST];
	int nsubst;
	bool drafts; /* its template keeps values in y before the epilogue: nothing else may lie
			there */
	int64_t scratch, scratch_offset; /* bytes of the arena that it needs while it runs, and
					    where; argument behind y */
	const char *scratch_name;	 /* in the template */
	int64_t hold; /* bytes more of it with which dst may take over the input, whose rows are
			 copied a block at a time; 0: it may not */
	struct share share[MAX_SHARE]; /* in the order of parts, the first outermost */
	int nshare;
	const struct gemm *gemm; /* small products that its template calls, of no ISA yet; argument
				    behind scratch */
	int ngemm;
	const char *template; /* the row's, or another that its setup chose */
	bool small_weights;   /* products of two with bytes, added, fit 16 bits */
	const char *portable; /* that of the plain C version; null: the same */
	int64_t macs;
	const struct prov *prov;
	const char *function; /* name of its instance; emit.c */
	const struct kernel *alike; /* the first kernel of that instance; emit.c */
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
	int64_t hold;    /* bytes more of it where write takes over in_place: copies of what the
			    step still reads there */
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

/* What the user may say of a plan. */
struct plan_options {
	const struct target *target;
	double cost[COST_COUNT]; /* by enum cost; 0: the target's */
	bool exact;              /* no kernel that trades accuracy for speed */
	bool trace_gates;        /* those of highways are fused into nothing, so that a trace has them */
	bool winograd_file;      /* the weights have Winograd's filters transformed, not init */
	bool limited;            /* init may not fill any number of bytes .. */
	int64_t prepared_limit;  /* .. but so many */
};

struct plan {
	struct arena *arena;
	struct graph *graph;
	const struct plan_options *options;
	const struct target *target;
	double cost[COST_COUNT]; /* by enum cost: the target's, or the user's */
	int64_t filters; /* elements of all weights of convolutions */
	struct kernel **kernel; /* in execution order after memory() */
	int nkernel, kernel_cap;
	struct kernel **init; /* those that init runs, once: each makes a blob of what the weights hold */
	int ninit, init_cap;
	struct buffer **buffer;
	int nbuffer, buffer_cap;
	struct region *region; /* by tensor id; buffer null: not stored */
	struct blob **blob;
	int nblob, blob_cap;
	struct certificate cert;
	int64_t worker_bytes; /* behind the arena for each worker but the first: scratch */
	int64_t weights_bytes, prepared_bytes;
	int64_t macs;
	struct memo *memo; /* of instances that are alike; emit/template.c */
};

/* ---- memory.c: order, in place, offsets, and what is proved of them ---- */

/* Orders kernels, gives offsets to buffers of the arena, and the certificate. */
void memory(struct plan *p);
int64_t arena_bytes(int64_t bytes); /* so many take that many in the arena */

/* ---- region.c: regions, and what views do to them ---- */

struct region region_dense(enum dtype type, const struct shape *s, const uint8_t *order);
/* The region of a view's output, its input lying at in. False: no strides say it, it must be
 * copied. */
bool region_view(const struct node *view, const struct region *in, struct region *out);
/* The region of a view's input, its output lying at out; only for Reshape and Transpose. */
bool region_unview(const struct node *view, const struct region *out, struct region *in);
/* Has it no element that is stored: a part of zero padding? */
bool region_is_padding(const struct region *r);
/* Does it lie in the weights, or in what init makes of them; or is it another constant? */
bool region_is_weights(const struct region *r);
bool region_is_constant(const struct region *r);
/* Elements start, start + step .. of each dimension. False: a window taken backwards. */
bool region_slice(const struct region *in, const int64_t *starts, const int64_t *steps,
	const struct shape *shape, struct region *out);
/* The part of a Concat's output that input k of it fills. */
struct region region_part(const struct node *concat, int k, const struct region *whole);
struct region region_broadcast(const struct region *r, const struct shape *to);
/* Whether a view moves no element for any layout of its input: not a Pad that makes up values. */
bool view_is_free(const struct node *view);
bool region_same(
	const struct region *x, const struct region *y); /* the same elements at the same places */

/* ---- schedule.c, fuse.c: the graph becomes kernels on regions ---- */

/* The options live as long as the plan. */
struct plan *schedule(struct graph *g, const struct plan_options *options);
/* Groups: anchors with what they absorb, then the other elementwise nodes. node->mark: its kernel's
 * id + 1. */
void fuse(struct plan *p);

/* ---- phases.c: transposed convolutions as ordinary ones ---- */

/* A part of what a Conv that is spread gives: elements start, start + step .. of each dimension. */
struct phase {
	int64_t start[MAX_RANK], step[MAX_RANK];
	struct shape shape;
	struct node *conv;       /* computes it from a part of the image .. */
	int64_t from[MAX_RANK];  /* .. that begins here .. */
	struct shape read;       /* .. and is so large */
	struct tensor *constant; /* where conv is null: what it is, once broadcast */
};

bool is_spread(const struct node *n);
/* All of them. What they need stands before conv; their own nodes are marked as conv is. */
struct phase *phases(struct graph *g, struct node *conv, int *count);

/* ---- kernel.c, kernels.def: which kernel computes what ---- */

/* Chooses the cheapest row that applies for each kernel and sets it up; where none does, an error at the node. Within
 * options' prepared_limit those are prepared first that gain the most a byte. */
void kernel_choose(struct plan *p);
/* The kernels of init, for all blobs that it makes. */
void kernel_prepare(struct plan *p);
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
bool kernel_candidate(const struct plan *p, const struct kernel *k, int *next, struct candidate *c);
/* Prints them. */
void kernel_explain(FILE *to, const struct plan *p, const struct kernel *k);
/* The instruction sets that k is for, `avx512vnni, avxvnni`; null: every one. */
const char *kernel_sets(struct arena *a, const struct kernel *k);

/* ---- parts.c: what threads share of a kernel ---- */

void cut(struct kernel *k);                                 /* sets the parts of each range */
int part_count(const struct kernel *k);                     /* 1: it is not cut */
int cut_ranges(const struct kernel *k, const char **names); /* those in several parts */

/* ---- pack.c, packings.def: constants as kernels want them ---- */

struct blob *plan_blob(struct plan *p, const struct blob *wanted); /* finds or adds it */
int64_t pack_prepared(const struct blob *b); /* bytes of it that init makes: all or none */
/* Sets type and count of a blob, whose buffer it makes. */
struct buffer *pack_buffer(struct plan *p, struct blob *b);
void pack_constants(struct plan *p); /* offsets of all blobs, in whose order they stand from now on */
int64_t prepared_size(const struct plan *p); /* NAME_PREPARED_SIZE: what init makes, and behind it of which weights that is */
/* The elements of a blob, in its order, as little-endian bytes. */
void pack_blob(struct plan *p, const struct blob *b, unsigned char *to);
const char *packing_text(struct arena *a, const struct blob *b); /* its order, for people */


/* ---- planner.c ---- */

void memory_solve(struct arena *a, const struct mem_problem *p, struct mem_result *r);

/* ---- plan.c ---- */

/* An array of n pointers with room for one more; the old one stays in the arena. */
void *plan_grown(struct arena *a, void *array, int n, int *cap);
struct kernel *plan_kernel(struct plan *p);                    /* new, behind those there are */
struct kernel *plan_append(struct plan *p, struct kernel *k); /* one that the plan lost, behind them */
struct buffer *plan_buffer(struct plan *p, enum buffer_kind kind, int64_t bytes);
const char *result_text(struct arena *a, const struct kernel *k); /* [1,8,4,4] of [1,8,8,8] */

/* ---- setup.c ---- */

/* Whether dst takes over the input: the template's switch HELD. */
bool overwrites_input(const struct kernel *k);

/* ---- kernel_window.c ---- */

/* Weights w of a Conv that are computed at run time, as *r: [group][block][channel of the block][C][taps];
 * and the order of these dimensions in memory that its templates want. */
void cut_weights(const struct kernel *k, const struct region *w, struct region *r, uint8_t *order);

#endif
