/* From the plan to C: instances of templates, and the files that they go into. */
#ifndef EMISSION_H
#define EMISSION_H

#include "plan/plan.h"

/* ---- names.c: names of the output that meet nobody else's ---- */

/* What a name is for. */
enum {
	NAME_PARAMETER = 1, /* of run */
	NAME_FUNCTION = 2,  /* or another name at file scope in NAME.c */
	NAME_NETWORK = 4,   /* NAME: a tag, the beginning of global functions and macros, files */
	NAME_UNASKED = 8,   /* with NAME_NETWORK: it was made up from the model's, not asked for */
};

/* The names that are taken in one output: at first those of names.def. Lives as long as a. */
struct names *names_new(struct arena *a);
/* Is the name taken for one of the uses? */
bool names_taken(const struct names *s, unsigned use, const char *name);
/* The name is taken from now on, for every use; one that ends in * takes all that begin so. */
void names_take(struct names *s, const char *name);
/* `name` where it and all `name` + ending are free for the use, else name_2, name_3 .. where the output has
 * it, name_ (a network: net_name) where others have; takes them. In time that does not depend on how many
 * are taken. */
const char *names_claim(struct names *s, unsigned use, const char *name, const char *const *endings,
	int n);
/* A C identifier from a name of the model; never empty; it may be taken. */
const char *identifier(struct arena *a, const char *name);

/* ---- signature.c: what the C function of a kernel takes ---- */

enum role {
	ROLE_INPUT,    /* of the anchor, or a constant that is packed for it */
	ROLE_OUTPUT,   /* y */
	ROLE_SCRATCH,  /* memory that it needs while it runs; each worker has its own */
	ROLE_PRODUCTS, /* the small products that it is made of */
	ROLE_OPERAND,  /* z0, z1 ..: what the epilogue reads */
	ROLE_BEGIN,    /* where a range that threads share begins, for one part .. */
	ROLE_END       /* .. and where it ends */
};

struct parameter {
	enum role role;
	const char *type; /* in C: of what it points to, but for BEGIN and END */
	const char *name;
	bool pointer, restricted;
	const struct region *region; /* INPUT, OUTPUT, OPERAND: what it points to */
	const struct share *range;   /* BEGIN, END */
};

enum { MAX_PARAMETER = MAX_ARG + MAX_OPERAND + 2 * MAX_SHARE + 3 };

/* The one list from which definitions, calls and tasks are printed. */
struct signature {
	struct parameter parameter[MAX_PARAMETER];
	int n;
};

/* Of a kernel that memory() has placed. */
void signature_of(struct arena *a, const struct kernel *k, struct signature *to);
/* `const float *restrict x`; members of a task are not restricted. */
const char *parameter_text(struct arena *a, const struct parameter *p, bool member);
const char *signature_text(struct arena *a, const struct signature *s); /* all, with commas */
const char *signature_names(struct arena *a, const struct signature *s);

const struct parameter *signature_scratch(const struct signature *s); /* null: there is none */

/* ---- template.c: instances of the files in templates/ ---- */

enum { LOT_SIZE = 64 }; /* elements of a stage of an epilogue (stages.c) */

struct instance_request {
	const char *template_name; /* "c/conv" */
	const char *function;      /* name of the instance */
	const char *comment; /* text of its comment, no delimiters; null keeps the template's own */
	const struct param *params; /* enumerators and switches */
	int nparams;
	const char *also; /* another template that they are for; null: none */
	const struct subst *substs; /* T, INIT, .. */
	int nsubsts;
	const char *words; /* header of the instruction set, "x86/avx512.h"; null: no vector code */
	const struct signature *signature; /* of the main function; null keeps the template's own */
	const char *const *ranges; /* loops that run over a part: from NAME_from to NAME_to */
	int nranges;
	/* writes the expression that stands for LETTER(coord...) */
	void (*access)(const void *ctx, struct buf *out, char letter, char *const *coord, int ncoord);
	/* writes whole lines, each begun by indent, that may change the lvalue `value`, for
	 * VECTOR_EPILOGUE a vector of channels; null is none */
	void (*epilogue)(const void *ctx, struct buf *out, const char *indent, const char *value,
		bool vector, char *const *coord, int ncoord);
	const void *ctx;
	struct memo *memo; /* of alike requests; or null */
};

/* Text of the functions of one instance, in a; the memo's arena is that one, too. A template that does not fit the request is our bug:
 * die(). */
const char *template_instantiate(struct arena *a, const struct instance_request *r);

/* ---- helpers.c: functions that instances call ---- */

enum { MAX_HELPERS = 256 }; /* helper functions of an output: more than there are templates */

struct helper {
	const char *template; /* "c/exp_f32", "vector/exp_vec_f32" */
	const char *function; /* exp_f32, exp_avx2_f32 */
	const char *suffix;   /* of the instruction set that it is for; null: any */
};

/* Calls need(ctx, it) for every helper (NAME_f32, NAME_i64) that text uses and that has a
 * template, a helper's own helpers first, each once. Returns how many. What it gives does not outlive the call. */
int template_helpers(const char *text, void (*need)(void *ctx, const struct helper *h), void *ctx);

/* Calls name(ctx, "NAME") for every helper there is. */
void template_helper_names(void (*name)(void *ctx, const char *name), void *ctx);

/* Text for the instruction set of that suffix: calls of helpers NAME_vec_f32 are those of its own, NAME_f32 those of
 * NAME_fma_f32, where there is one, with fused multiply-adds. Null: plain C, which calls NAME_f32. */
const char *template_for_set(struct arena *a, const char *text, const char *suffix);

const char *template_source(const char *name); /* an embedded template, or null */
bool template_has(const char *name, const char *word); /* its code does */

/* ---- quotient.c: quantising without a division ---- */

/* What least .. most, integers, are of x / divisor, that being rounded to float and then to the nearest integer, even ones first:
 * t = x between `least_x` and `most_x`, and of t high + t low, rounded as one multiply-add is, the nearest integer. */
struct quotient {
	float divisor, high, low, least_x, most_x;
};

/* Tries all middles between two integers: the proof that both ways give the same for every x. False: they do not, or it was not tried. */
bool quotient_of(struct quotient *q, float divisor, int least, int most);

/* ---- epilogue.c: what a template leaves to its kernel, the ctx of an instance_request ---- */

void write_access(
	const void *kernel, struct buf *out, char letter, char *const *coord, int ncoord);
void write_epilogue(const void *kernel, struct buf *out, const char *indent, const char *value,
	bool vector, char *const *coord, int ncoord);
bool has_vector_epilogue(const struct kernel *k); /* it can be computed on vectors of channels */

/* ---- instance.c: kernels as C functions ---- */

/* How the dimensions of r lie, behind its shape: " channels last"; "" for row by row. */
const char *layout_text(const struct region *r);

#define NETWORK "skipc_network" /* stands for the struct's name in texts of instances */

/* One C function of the output, shared by all kernels that are alike; where the target has several
 * instruction sets its versions, and a function of that name that takes the set first. */
struct instance {
	const char *name;
	const char *text;
	const char *whole; /* with functions that other instances have for it */
	struct kernel *first;
};

/* Instances of all kernels, in order of first use, for the network of that name; sets
 * kernel.function. */
struct instance *instantiate(struct plan *p, const char *network, struct names *names, int *count);

/* ---- alike.c ---- */

/* Kernels of the same key have the same text. comment: the instance's. */
const char *kernel_key(const struct kernel *k, const char *comment);

/* ---- difference.c ---- */

/* `C 128 for 64, y [1,4] for [1,8]`: what y, whose text this is, has otherwise than x. */
const char *difference_text(struct arena *a, const struct kernel *x, const struct kernel *y, const char *text);

/* ---- stack.c ---- */

/* Bytes of stack, more than a run of these instances takes with any compiler that was tried. */
int64_t stack_size(const struct target *t, const struct instance *v, int n);

/* ---- versions.c: a kernel's function for each instruction set, and in parts for threads ---- */

const char *versions_text(
	struct plan *p, const struct kernel *k, const char *name, const char *comment);
bool has_dots(const struct kernel *k); /* versions for instruction sets with products of bytes */
bool plan_has_dots(const struct plan *p); /* a kernel has some */
/* Whether this processor runs k, which is for some sets alone; null: every one does. */
const char *sets_condition(struct arena *a, const struct kernel *k);
const char *chosen_set(const struct kernel *k); /* the first argument of its function */

/* ---- products.c: small products, and the head of code for several instruction sets ---- */

bool calls_libxsmm(const struct emission *e);         /* it has products, and init finds them */
void emit_header(struct buf *out, const char *name); /* a header of templates/, as it is */
/* Definitions that the versions need, and the small products of all kernels. */
void emit_vectors(struct emission *e, struct buf *out);
/* Where k's products begin in the table of all; k null: how many it has. */
int gemm_offset(const struct plan *p, const struct kernel *k);
/* The table of k's products, by instruction set from 1 on. */
const char *gemm_table_name(struct arena *a, const struct plan *p, const struct kernel *k);

/* ---- output.c: files that appear complete or not at all ---- */

enum { MAX_OUTPUT = 24 };

struct output_file {
	const char *path, *temporary; /* null: none exists */
	const char *saved;            /* where the file that it replaces waits for the end */
	FILE *stream;
	bool is_saved, is_placed;
	bool written; /* it has content: not removed alone */
};

/*
 * A transaction on the files of a folder. What is opened is written under a temporary name in that folder (made if
 * need be); commit puts all in their places, or leaves the folder as it was. An error, exit() and a signal
 * before that leave it as it was, too, but for SIGKILL. One at a time in a process.
 */
struct output {
	const char *dir;
	struct arena *arena;
	struct output_file file[MAX_OUTPUT];
	int n;
	const char **folder; /* that were made, outermost first */
	int nfolder;
	bool failed; /* something could not be written; said on stderr */
	const char *note; /* to be said when all is written; or null */
};

void output_begin(struct output *o); /* from here on signals and exit() are minded */
/* The name may have folders before it. Null: failed, said. The commit closes it. */
FILE *output_open(struct output *o, const char *name);
void output_puts(struct output *o, const char *name, const char *text);
void output_remove(struct output *o, const char *name); /* at the commit, if it exists */
bool output_commit(struct output *o);                   /* false: said */
void output_discard(struct output *o);                  /* after a commit: nothing */

/* ---- fill.c: files of templates/interface ---- */

enum { MAX_WORD = 48, MAX_SWITCH = 16 };

struct filling {
	struct arena *arena;
	const char *name, *upper; /* of the network */
	struct param switches[MAX_SWITCH];
	struct subst word[MAX_WORD];
	int nswitches, nwords;
};

void fill_switch(struct filling *f, const char *name, bool value);
/* A word of its own; a number as WORD, and with commas as WORD_TEXT. */
void fill_word(struct filling *f, const char *name, const char *text);
void fill_number(struct filling *f, const char *name, int64_t value);
/* "interface/NAME": the file as it is for this network. */
char *fill(const struct filling *f, const char *name);

/* ---- emit.c, interface.c, weights.c: the generated files ---- */

enum { WEIGHTS_ROW = 2048 }; /* bytes of a string literal; 4095 is the most that C99 promises */

enum weights_form { WEIGHTS_AUTO, WEIGHTS_TEXT, WEIGHTS_ROWS, WEIGHTS_INCBIN, WEIGHTS_BIN };

struct emit_options {
	const char *name;     /* prefix of everything, a C identifier */
	const char *model;    /* base name of the model's file */
	const char *path;     /* that file */
	const char *costs;    /* file of --costs; null: none */
	const char *settings; /* the options that shaped the output, as one would type them */
	enum weights_form weights;
	bool big_endian;   /* weights other than text */
	bool libxsmm_call; /* products: not machine code, but an installed libxsmm's */
	bool main;         /* NAME_main.c too */
	bool for_build;    /* all files of build.c */
	const char *package; /* of --package; null: none */
	bool trace;        /* run reports each stored tensor to a callback */
	const struct like *like; /* not null: the weights alone, for the code of a folder */
};

/* What the parts of the output share. */
struct emission {
	struct plan *plan;
	const struct emit_options *options;
	struct output *out;
	struct arena *arena;
	const char *name, *upper;     /* resnet18, RESNET18 */
	enum weights_form form;       /* of the weights, not WEIGHTS_AUTO */
	struct names *names;          /* of the whole output */
	int64_t stack;                /* bytes that run needs at most */
	const char **input, **output; /* parameter names of run */
	uint64_t code_id;    /* of the text of kernels and run, and of where weights lie */
	uint64_t weights_id; /* once they are written: the checksum of their content */
	const char *machine_code; /* text of NAME_gemm.c; null: there is none */
};

void emit(struct plan *p, const struct emit_options *options, struct output *out);
/* What is known before a file is written: names of all that is in them, each kernel's function among them, and the
 * stack. Returns the functions; once for a plan. */
struct instance *emission_begin(struct emission *e, struct plan *p, const struct emit_options *options, int *count);
/* Switches, and the words that all files have. */
void interface_words(struct emission *e, struct filling *f);
char *header_text(struct emission *e);
void emit_weights(struct emission *e); /* after code_id, and before the header, which states both ids */
/* Elements that lie at v, low byte first, as lines of an initialiser. */
void put_elements(struct buf *out, enum dtype type, const unsigned char *v, int64_t n);
/* For what init calls: words of their head, and lines that make their checksum. */
const char *weights_head(const struct emission *e);
const char *weights_sums(const struct emission *e);
void emit_main(struct emission *e);                       /* and NAME.trace, where traced */

/* ---- build.c: what build systems want ---- */

/* NAME_weights.c and NAME_gemm.c if they are not there yet, without content, and NAME.d: a rule. */
void emit_for_build(struct emission *e);

/* ---- package.c: folders that other tools take ---- */

bool package_known(const char *package);
/* What is around the code, which stands in the package's src/. */
void emit_package(struct emission *e);
/* When that is open: removes what the same network has there of another package. A file of another network's package, or in
 * the place of one that skipc did not write: reported. */
void package_settle(struct emission *e);

/* ---- folder.c: what an earlier run left in the folder ---- */

/* A network that was compiled into a folder. */
struct like {
	const char *dir, *name;
	const char *header, *code; /* NAME.h and NAME.c */
	const char *header_path, *code_path;
	char **option; /* those that it was compiled with, as words of a command line */
	int noption;
	uint64_t code_id;
};

/* The beginning of a file; "": there is none, or it is empty or no file. Null: it cannot be read, reported. */
const char *folder_head(struct arena *a, struct diag *d, const char *path);
/* When all files of e are open: removes others of an earlier run of that name at the commit, notes
 * which model they were of. A file of another network in the place of one: reported. */
void folder_settle(struct emission *e);
/* Fills in what like->dir has: the network of that name, or, null, that of the model's name or the
 * only one. False: reported. */
bool folder_like(
	struct arena *a, struct diag *d, const char *name, const char *model_name, struct like *like);
/* Do the weights of e, whose files these are, fit the code of e->options->like? False: reported. */
bool folder_fits(struct emission *e, const char *code, const char *header);
/* An option's value as emit_options.settings may have it, and folder_like() finds it. */
const char *setting_word(struct arena *a, const char *value);

/* ---- profile.c: the steps of run ---- */

const char *steps_comment(struct emission *e); /* a line each, for the top of NAME.c */
const char *steps_rows(struct emission *e);    /* rows of NAME_steps */
int64_t kernel_traffic(const struct kernel *k); /* bytes that it reads and writes, each once */

/* ---- run.c ---- */

const char *run_parameters(struct emission *e, bool types); /* `const float *x, float *y`, or `x, y` */
void emit_run(struct emission *e, struct buf *out);
/* Does it store a tensor that the model names? */
bool is_traced(struct arena *a, const struct kernel *k);

#endif
