/* What people and programs are told of a plan: `skipc inspect`. */
#ifndef REPORT_H
#define REPORT_H

#include "emit/emission.h"

/* ---- report.c: the plan for people ---- */

void plan_print(struct buf *out, const struct plan *p); /* its text form */
void report(FILE *to, const struct plan *p);            /* skipc inspect -v */
void report_head(FILE *to, const struct plan *p, int most); /* of the whole; at most so many inputs, and outputs */
void report_reasons(FILE *to, const struct plan *p);    /* --why: what is no block, and what else each kernel could be */

/* ---- summary.c ---- */

void report_summary(FILE *to, const struct plan *p); /* skipc inspect */

/* ---- made.c ---- */

/* What compile or weights is about to commit, to be said when it has: nothing may fail behind that, not even for memory. */
const char *report_made(struct arena *a, const struct plan *p, const struct emit_options *e, const struct output *o);

/* ---- arithmetic.c ---- */

/* What a kernel of a quantised network computes in; name null: the network is none. */
struct arithmetic {
	const char *name, *why; /* integers, floats, or both; why floats, or null */
	double bound;		/* the greatest sum, of type kernel.value; below 0: there are no sums of integers */
};

struct arithmetic arithmetic_of(struct arena *a, const struct plan *p, const struct kernel *k);

/* ---- blocks.c: what skip() saw ---- */

void report_blocks(FILE *to, const struct plan *p);
void report_refusals(FILE *to, const struct graph *g);
/* By block: the kernel that adds or blends. Null: there is none. */
const struct kernel **blocks_join(struct arena *a, const struct plan *p);

/* ---- flow.c: who computes what for whom ---- */

/* Numbers from 0 on have a list each: list k is of[begin[k]] .. of[begin[k + 1] - 1], ascending. */
struct lists {
	int *begin, *of;
};

struct flow {
	const struct plan *plan;
	struct lists writers, readers;   /* by buffer: kernels */
	struct lists by_node;            /* by ONNX node: kernels that stand for it */
	const struct kernel **join;      /* by block */
	const struct onnx_node **output; /* ONNX nodes by the name of their output */
	int64_t *live;                   /* by kernel: bytes of the arena that it needs */
};

/* Lives as long as a; the plan has its places. */
void flow_begin(struct flow *f, struct arena *a, const struct plan *p);
/* The kernels that stand for nodes of a block, ascending; how many. */
int flow_block(const struct flow *f, struct arena *a, int block, int **kernel);
/* The kernel that computes what the shortcut of a block of these kernels brings to its join. -1: none, it is an input,
 * or not known. */
int flow_source(const struct flow *f, int block, const int *kernel, int n);

/* ---- jsontext.c: JSON's spelling ---- */

/* A writer: knows whether a comma is due, and how deep it is. */
struct json {
	FILE *to;
	bool page; /* inside HTML: `<` is spelled otherwise, nothing is for the eye, members that are null are left out */
	int depth;
	bool due;
};

void json_item(struct json *j);                  /* before each element of an array */
void json_key(struct json *j, const char *name); /* before each value of an object */
void json_open(struct json *j, char bracket);
void json_close(struct json *j, char bracket);
/* Names may hold any bytes: one that is no UTF-8 becomes U+FFFD. */
void json_string(struct json *j, const char *value);
/* Members of an object. */
void json_text(struct json *j, const char *name, const char *value); /* null: null */
void json_number(struct json *j, const char *name, int64_t value);
void json_id(struct json *j, const char *name, int value); /* below 0: null */
void json_bool(struct json *j, const char *name, bool value);
void json_real(struct json *j, const char *name, double value);
void json_ids(struct json *j, const char *name, const int *value, int n);
void json_numbers(struct json *j, const char *name, const int64_t *value, int n);

/* ---- operators.c ---- */

void report_operators(FILE *to);             /* skipc ops */
void report_operators_json(struct json *j); /* tools/schema/ops.json says what is in it */

/* ---- json.c ---- */

/* skipc inspect --json; tools/schema/inspect.json says what is in it. In a page kernels whose candidates are those of
 * an earlier kernel have that kernel's number in their place, and what it has no use for is left out. */
void report_json(struct json *j, const struct emission *e);

/* ---- counts.c: numbers of any size ---- */

/* How many there are of each length below n: words of 32 bits, the lowest first. Empty: none. */
struct counts {
	struct arena own;
	int n, words;
	uint32_t *word; /* [length * words] */
};

void counts_one(struct counts *c);                                        /* one, of length 0; it was empty */
void counts_add(struct counts *sum, const struct counts *c, int longer); /* c's, each longer by that */
struct counts counts_total(const struct counts *c);                       /* of all lengths, as one of length 0 */
const char *counts_text(struct arena *a, const struct counts *c, int length); /* decimal */
bool counts_any(const struct counts *c, int length);
double counts_share(const struct counts *c, int length, const struct counts *total);
void counts_release(struct counts *c);

/* ---- lengths.c: skipc paths ---- */

/* By output: paths to it from inputs, by the blocks that they pass through. */
struct lengths {
	struct counts *of;
	int n;
};

/* Of a graph whose blocks skip() has seen. False: reported. Ends with lengths_release(). */
bool lengths_count(struct graph *g, struct lengths *l);
void lengths_release(struct lengths *l);
void report_lengths(FILE *to, const struct graph *g, const struct lengths *l);
/* tools/schema/paths.json says what is in it. */
void report_lengths_json(struct json *j, const struct graph *g, const struct lengths *l);

/* ---- page.c ---- */

/* What other commands found out about the network, which stands in the page: profile is skipc bench's. */
enum found { FOUND_PROFILE, FOUND_GATES, FOUND_LESION, FOUND_COUNT };

/* The report as HTML. found: what these commands wrote with --json, of which the page says what is wrong; null: nothing. */
void report_page(FILE *to, const struct emission *e, const char *const found[FOUND_COUNT]);

#endif
