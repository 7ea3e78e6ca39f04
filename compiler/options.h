/* The command line: what may stand in it, what is said of it. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "report/report.h"

struct options {
	struct arena *arena; /* of what is made of them */
	const char *passes;  /* letters that -d may have */
	const char *hint;    /* on a value that is wrong; null: none */
	const char *model;
	const char *dir;  /* -o; null: not given */
	const char *like; /* the folder of --like; null: not given */
	struct plan_options plan;
	struct dim_value dim[32];
	int ndim;
	struct edit edit[32]; /* --drop, --reorder */
	int nedit;
	double skip_below; /* --skip-closed-gates */
	bool bare;         /* --io=int */
	char dump;         /* letter of the pass after which to print, or 0 */
	bool json, quiet, verbose, why;
	const char *html, *found[FOUND_COUNT]; /* files; null: not given */
	struct emit_options emit;
};

/* ---- options.def ---- */

enum command {
#define COMMAND(name, words, says, more)       CMD_##name,
#define TOOL(name, program, words, says, more) CMD_##name,
#include "options.def"
	COMMANDS
};

/* A row of the table. */
struct row {
	const char *name;
	char letter;
	const char *value;   /* ' ' or '=', and what it is called; null: it has none */
	unsigned of, behind; /* bits by enum command */
	const char *(*take)(struct options *o,
		const char *value); /* null, or what is said before a wrong value */
	size_t field; /* without take: where the text of its value stands, or the bool that it sets; 0: nowhere */
	bool shapes;
	const char *words; /* values that there are, or null */
	const char *help;
};

/* ---- options.c ---- */

const struct row *options_row(int k); /* null: behind the last */
const char *command_name(enum command of);
enum command command_find(const char *name); /* COMMANDS: there is none */
/* 'h' or 'V': it asks for help or the version; else 0. */
char options_asked(enum command of, int argc, char **argv);
/* Reads the words behind the command into o, which has an arena and passes. 0, or the exit status: what is
 * wrong was said. */
int options_parse(struct options *o, enum command of, int argc, char **argv);
/* The same for a program of tools/: its words, each option as --name=value, what is for skipc compile behind "--";
 * n of them, and null. */
int options_hand(
	struct arena *a, enum command of, int argc, char **argv, const char ***words, int *n);
/* Says what is wrong with the command line, and where one reads about it: 2. COMMANDS: no command. hint: null: none. */
int usage(enum command of, const char *what, const char *value, const char *hint);

/* ---- manual.c ---- */

void manual_help(struct buf *out);                     /* skipc --help */
void manual_command(struct buf *out, enum command of); /* skipc COMMAND --help */
void manual_page(struct buf *out);                     /* for man */

/* ---- completion.c ---- */

bool completion_print(struct buf *out, const char *shell); /* false: there is none for it */

#endif
