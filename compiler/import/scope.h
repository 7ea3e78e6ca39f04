/* Names of an import: what import.c and scope.c share. */
#ifndef SCOPE_H
#define SCOPE_H

#include "import/opset.h"

/* What a name stands for. */
enum name_state {
	NAME_DECLARED,    /* output of a node that is not converted yet */
	NAME_READY,       /* tensor; null where a function was called without that input */
	NAME_INIT,        /* initializer that nobody read yet */
	NAME_UNSUPPORTED, /* output of `from` that skipc does not compute */
	NAME_FAILED       /* an error was reported; say nothing more */
};

struct name {
	const char *name;
	uint64_t hash;
	enum name_state state;
	struct tensor *tensor;
	const struct tensor *init;
	const struct raw_node *from;
	int producer; /* index in the list of nodes, -1 */
};

/* Names by hash; open addressing, never more than half full. */
struct names {
	struct name **slot;
	int n, cap;
};

/* A graph, a branch of an If, or a call of a function. */
struct scope {
	struct scope *outer;  /* whose names are seen too: a branch's */
	struct scope *caller; /* where it was called from */
	const struct raw_function *function;
	const struct attr *call; /* attributes of the call, and how many */
	int ncall;
	const struct raw_opset *opset;
	int nopset;
	struct names names;
	int depth;
	int index; /* ONNX node that all nodes here stand for; -1 in the model's graph */
	const struct prov *prov; /* of that node */
	const char *prefix;      /* of names inside */
};

struct importer {
	struct arena *arena;
	struct graph *g;
	const struct raw_model *model;
	struct names functions; /* producer: which one */
	struct names refused;   /* operators that were refused: once each */
	const struct dim_value *dims;
	bool *dim_used;
	int ndims;
	int64_t work;   /* nodes and names converted, functions and branches each time */
	bool *constant; /* by tensor id: follows from constants alone */
	int constant_cap;
	struct tensor *placeholder; /* for what could not be converted */
	bool no_opset, stop;        /* no_opset: said so once; stop: give up */
};

/* ---- scope.c ---- */

struct name *names_find(const struct names *m, const char *name);
/* The entry for a name; a new one has state NAME_DECLARED and producer -2. */
struct name *names_add(struct arena *a, struct names *m, const char *name);
/* Declares the outputs of nodes and finds an order in which every definition stands before its
 * uses. Null: reported. */
int *scope_order(struct importer *im, struct scope *scope, const struct raw_node *node, int n);
/* A fault of `raw` (null: of the scope as a whole), at the node of the model's graph. */
void scope_error(struct importer *im, const struct scope *scope, const struct raw_node *raw,
	int position, const char *hint, const char *text);
/* The tensor of a name. False: not there; reported unless it was before. */
bool scope_resolve(struct importer *im, const struct scope *scope, const struct raw_node *raw,
	int position, const char *name, struct tensor **t);

/* ---- inout.c ---- */

/* inout.c */
bool import_inputs(struct importer *im, struct scope *scope);
bool import_outputs(struct importer *im, struct scope *scope);
/* Conv biases that an exporter is known to have confused. */
void lint_biases(struct graph *g);

#endif
