/*
 * Rewrite rules as the compiler holds them: what notation.c makes of rules.def, match.c matches,
 * rewrite.c applies, and guards.c asks about. The notation is explained at the top of rules.def.
 */
#ifndef MATCH_H
#define MATCH_H

#include "core/skipc.h"

enum { MAX_VARS = 16, MAX_ARGS = 5, MAX_MATCHED = 16, MAX_TERM_ATTRS = 6 };

enum term_kind { TERM_TENSOR, TERM_CONSTANT, TERM_NUMBER, TERM_NODE, TERM_FORM };

enum value_kind { VALUE_NONE, VALUE_TENSOR, VALUE_FLOAT, VALUE_INT, VALUE_INTS };

/* What a variable stands for. An absent optional operand is a VALUE_TENSOR that is null. */
struct value {
	enum value_kind kind;
	struct tensor *tensor;
	double number; /* FLOAT, and INT */
	const int64_t *i;
	int n;
};

struct term_attr {
	const char *name;
	enum { TERM_LITERAL_INT, TERM_LITERAL_FLOAT, TERM_LITERAL_STRING, TERM_VARIABLE } kind;
	double number;
	const char *string;
	int var;
};

struct match;

/* A constant made of a constant, shaped for the match: affine.c, guards.c. Null: it cannot be. */
typedef struct tensor *form_fn(struct match *, struct tensor *);

/* A pattern or a replacement, or a part of one. */
struct term {
	enum term_kind kind;
	int var;       /* TENSOR, CONSTANT: its variable; NODE: of the operator @f, or -1 */
	bool optional; /* TENSOR, CONSTANT: may be absent */
	bool shared;   /* NODE, in a pattern: may have users outside the match; it stays for them */
	double number; /* NUMBER */
	const struct op *op; /* NODE; null: @f, any elementwise operator of so many operands */
	form_fn *form;
	struct term *arg[MAX_ARGS];
	int narg;
	struct term_attr attr[MAX_TERM_ATTRS];
	int nattr;
	int swap; /* bit that tells whether the operands are swapped; -1: they are not */
	const char
		*text; /* where it stands in the rule: equal texts of a replacement are made once */
	int length;
};

static inline int rank_of(const struct tensor *t)
{
	return t->shape.rank;
}

typedef bool guard_fn(struct match *);
typedef struct tensor *rule_fn(struct match *);

/* A row of rules.def. */
struct rule_row {
	const char *pattern, *replacement; /* of RULE_FN: the operator, null */
	const char *text;                  /* as printed by tests */
	guard_fn *guard;
	rule_fn *function;
};

struct rule {
	const struct rule_row *row;
	int index; /* of the row */
	int stage;
	const char *var[MAX_VARS];
	int nvar;
	struct term *pattern; /* null: RULE_FN */
	struct term *replacement;
};

/* One way to read a rule: commutative operators swapped or not. Listed by the root's operator. */
struct variant {
	const struct rule *rule;
	struct term *pattern;
	struct variant *next;
};

/* A list that grows; its memory is from malloc. */
struct nodes {
	struct node **node;
	int n, cap;
};

struct match {
	struct graph *g;
	struct nodes *made; /* since the match */
	const struct rule *rule;
	struct node *root;
	struct value value[MAX_VARS]; /* by variable */
	struct node *
		node[MAX_MATCHED]; /* matched, in the order of the pattern: the root is the first */
	const struct term *term[MAX_MATCHED];
	int nnode;
	const struct prov *prov; /* of all matched nodes */
};

/* ---- notation.c ---- */

extern const struct rule_row
	rule_rows[]; /* rules.def; closed by a null pattern; STAGE has no text */

/* Rules by the root's operator (index of ops.def's table), in a. A mistake in rules.def is our bug:
 * die(). */
struct variant **rules_compile(struct arena *a);

/* ---- match.c: for rewrite.c ---- */

void nodes_push(struct nodes *l, struct node *n);
bool all_constant(const struct node *n); /* its inputs, of which it has some */
/* Whether the pattern fits at m->root, and what it holds is nobody else's; binds its variables. */
bool match_pattern(struct match *m, const struct term *pattern);
struct tensor *replacement(struct match *m); /* built; null: it cannot be */

/* ---- match.c: for guards and functions ---- */

struct tensor *bound(
	const struct match *m, const char *name); /* the tensor called so; null: none is */
struct node *matched(const struct match *m, const char *op,
	int k); /* the k-th of that operator in the pattern */
void bind_tensor(struct match *m, const char *name, struct tensor *t);
void bind_number(struct match *m, const char *name, double v);
void bind_int(struct match *m, const char *name, int64_t v);
void bind_ints(struct match *m, const char *name, int n, const int64_t *v); /* copied */
void bind_shape(struct match *m, const char *name, const struct shape *s);

/* A node before the root, without shape: attributes may be set, then finish() infers and, where all
 * inputs are small constants, evaluates. Null: it cannot be; everything made since the match is
 * taken back. */
struct node *make(struct match *m, const char *op, int nin, struct tensor *const *in);
struct tensor *finish(struct match *m, struct node *n);
struct tensor *make_reshape(struct match *m, struct tensor *x, const struct shape *s);

bool same_type(const struct tensor *x, const struct tensor *y); /* and shape, both known */
bool is_constant(const struct tensor *t);                       /* lazy ones too; null: no */
bool all_are(const int64_t *v, int n, int64_t value);               /* false: v is null */
bool all_are_or_absent(
	const struct node *n, const char *name, int64_t value);      /* elements of an attribute */
void full_rank(const struct shape *s, int rank, struct shape *full); /* with 1s in front */

/* ---- affine.c: for guards ---- */

bool not_negative(const struct tensor *t);                           /* provably, or NaN */
bool power_of_two(double v);

/* ---- folds.c ---- */

/* A node that computes what n computes, or null. */
struct node *twin_of(const struct node *n);
bool is_from(const struct tensor *t, const char *op);        /* computed by that operator */
void also_from(struct match *m, const struct node *n);       /* the new nodes stand for n as well */
/* A node with the operator and the attributes of another; as make(). */
struct node *make_like(struct match *m, const struct node *like, int nin, struct tensor *const *in);
/* `size` elements of x along axis, from start on by step. */
struct tensor *make_slice(
	struct match *m, struct tensor *x, int axis, int64_t start, int64_t step, int64_t size);
/* The only dimension that a Slice takes a part of; -1: there are several, or none. */
int slice_axis(const struct node *n);

form_fn form_Vector, form_Rows, form_Inputs, form_Channel, form_Before;

#define RULE(p, r)
#define RULE_IF(p, r, g) guard_fn guard_##g;
#define RULE_FN(op, f)   rule_fn fold_##f;
#define STAGE
#include "rewrite/rules.def"

#endif
