/* options.c: what may stand behind the command on a command line. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "report/report.h"

struct options {
	struct arena *arena; /* of what is made of them */
	const char *passes;  /* letters that -d may have */
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
	bool json;
	const char *html, *found[FOUND_COUNT]; /* files; null: not given */
	struct emit_options emit;
};

/* Reads the words behind the command into o, which has an arena and passes. 0, or the exit status: what is
 * wrong was said. */
int options_parse(struct options *o, int argc, char **argv);
void options_help(struct buf *out);             /* what each does, under headings */
int usage(const char *what, const char *value); /* says what is wrong with the command line: 2 */

#endif
