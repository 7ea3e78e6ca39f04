/*
 * The import of a model: raw nodes of any opset -> nodes of ops.def.
 *
 *   import.c   functions and branches, inlined; the model as a whole
 *   scope.c    names, and the order of nodes
 *   inout.c    inputs and outputs of the graph
 *   opset.c    the rows of opset.def: which one holds for a node, and its attributes
 *   site.c     what the functions use that opset.def names: attributes, new nodes
 *   hints.c    what to do about a node that is refused, where that depends on the model
 *   convert.c, convert_nn.c, convert_ml.c, convert_quant.c, einsum.c    the functions that opset.def names
 */
#ifndef OPSET_H
#define OPSET_H

#include "core/skipc.h"

struct importer;
struct scope;
struct site;

/* A row of opset.def. */
struct opset_row {
	const char *domain, *name;
	int since;
	int least, most; /* inputs; most -1: any number */
	int outputs;     /* at most; -1: any number */
	bool (*convert)(struct site *s, const char *arg);
	const char *arg;
	const char *attrs;
};

/* One ONNX node while it is converted. */
struct site {
	struct importer *im;
	struct scope *scope;
	struct graph *g;
	const struct raw_node *raw;
	const struct opset_row *row; /* null: a function of the model */
	int64_t opset;               /* of the node's domain */
	int nin;
	struct tensor **in; /* null where absent; trailing absent ones are not counted */
	int nout;
	struct tensor **out; /* what convert() found; null: that output is not supported */
	struct attr *attr;   /* references resolved, defaults filled in */
	struct raw_graph **graph;
	int nattr, nkept; /* the first nkept are for the operator */
	const struct prov *prov;
};

/* ---- import.c: raw model -> graph; the only folder that knows opsets ---- */

/* The nodes of a branch, in place; its outputs become the node's. */
bool site_inline(struct site *s, const struct raw_graph *branch);

/* ---- site.c ---- */

/* A fault of the node, at the node of the model's graph that it stands in. Returns false. */
bool site_error(struct site *s, const char *hint, const char *fmt, ...) PRINTF(3, 4);
int64_t site_ir_version(const struct site *s);
/* Follows from constants alone, though perhaps not computed yet. */
bool site_constant(const struct site *s, const struct tensor *t);
/* A new node behind those there are; its outputs get their types. */
struct node *site_put(struct site *s, const char *op, int nin, struct tensor *const *in, int nout);
/* The same with one or two inputs and one output, which is returned. */
struct tensor *put1(struct site *s, const char *op, struct tensor *x);
struct tensor *put2(struct site *s, const char *op, struct tensor *x, struct tensor *y);
struct tensor *put_cast(struct site *s, struct tensor *x, enum dtype to);
struct tensor *put_floats(struct site *s, struct tensor *x); /* x itself where it is of floats */
const struct attr *site_attr(const struct site *s, const char *name); /* null: absent */
int64_t site_int(const struct site *s, const char *name, int64_t absent);
double site_float(const struct site *s, const char *name, double absent);
const char *site_string(const struct site *s, const char *name, const char *absent);
/* An INTS attribute as a constant i64[n]; null where absent. */
struct tensor *site_ints(struct site *s, const char *name);
/* The node gets every attribute that the operator keeps. */
void keep_attrs(struct site *s, struct node *n);

/* ---- payload.c ---- */

/* ONNX's name of an element type. */
const char *payload_type_name(int64_t type);

/* ---- hints.c ---- */

/* What to do about an element type of that name, which skipc has not; null: nothing. */
const char *hint_type(const char *type_name);

/* For REFUSED_BY: where the layers begin, and how to compile what comes before. */
const char *hint_recurrent(struct site *s);

/* ---- opset.c ---- */

/* The row for a node, or null: reported. */
const struct opset_row *opset_row(struct site *s);
/* Fills in s->attr: the node's own attributes checked against the row, and its defaults. */
bool opset_attrs(struct site *s, const struct opset_row *row);
/* The newest opset of ONNX's own operators that the table was checked against. */
enum { NEWEST_OPSET = 28 };
/* How many nodes of the model have this node's operator; 0 if that was asked before. */
int site_refusals(struct site *s);

#define ROW(domain, name, since, least, most, outputs, function, arg, attrs)                       \
	bool convert_##function(struct site *s, const char *arg_);
#include "import/opset.def"


/* ---- convert_nn.c ---- */

/* Shared by rows that fuse an activation (convert_nn.c). Null: reported. */
struct tensor *put_activation(
	struct site *s, struct tensor *x, const char *name, int nparam, const double *param);

#endif
