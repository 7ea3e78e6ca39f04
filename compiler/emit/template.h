/* What template.c and its tests share beyond skipc.h. */
#ifndef SKIPC_TEMPLATE_H
#define SKIPC_TEMPLATE_H

#include "emit/emission.h"

/* build/templates.c, made by tools/embed.sh: sorted by name, closed by a null name */
struct embedded {
	const char *name, *text; /* "c/conv" */
};
extern const struct embedded embedded_templates[];

/* ---- directives.c: switches of a template, and conditions on them ---- */

enum { MAX_MACROS = 64 };

struct macro {
	const char *name;
	const char *text; /* default; NULL for an element access */
	bool integer;     /* a switch */
};

struct words;

/* A template that is being read. */
struct source {
	struct arena *arena;
	const char *name;
	const struct param *params; /* values of switches and enumerators */
	int nparams;
	const struct words *words; /* of the instruction set */
	struct macro macros[MAX_MACROS]; /* that the text defines, once it is resolved */
	int nmacros;
	bool keeps_defines; /* they are the output's */
};

/* What the word s .. end is; null: none. */
const struct param *source_param(const struct source *t, const char *s, const char *end);
const struct macro *source_macro(const struct source *t, const char *s, const char *end);
/* The text behind `#include "template.h"` without its switches. */
char *source_resolve(struct source *t, const char *text);
/* The value of an expression of numbers alone, `64 / 16 < 4 ? 64 / 16 : 4`. False: it has names. */
bool source_value(const struct source *t, const char *text, long *value);
/* Behind its line that includes template.h, conditions on the switches resolved. */
char *template_resolve(struct arena *a, const char *name, const struct param *switches, int n);

/* ---- words.c: words of vector code ---- */

/* Of an instruction set's header, "x86/avx512.h"; null: there are none. Lives as long as a. */
const struct words *words_read(struct arena *a, const char *header);
/* The number that the word between s and end stands for (LANES). False: it is none. */
bool words_number(const struct words *v, const char *s, const char *end, long *value);
const char *words_expand(const struct words *v, const char *text);

/* ---- tidy.c: what filling in a template leaves behind ---- */

/* An enumerator that is a number. */
struct known {
	const char *name;
	long value;
};

/* The body of a function without what these numbers make superfluous; code is changed. */
char *tidy_body(struct arena *a, char *code, const struct known *known, int n);
char *tidy_expression(struct arena *a, const char *text);
/* Text without blank lines at the start, behind another one or a '{', or before a '}'. */
char *tidy_lines(struct arena *a, const char *text);

/* ---- stages.c: epilogues that read tables ---- */

/* The body of a function without its lines `STAGE;`, at which loops are split, if they are to be. */
char *in_stages(struct arena *a, const char *body, bool split, const struct known *known, int n);

#endif
