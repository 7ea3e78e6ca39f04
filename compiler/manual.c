/* What the command line's table says for people: --help, and the man page. */
#include "options.h"

#include <ctype.h>
#include <string.h>

static const struct {
	const char *words, *says, *more;
} texts[] = {
#define COMMAND(name, words, says, more)       { words, says, more },
#define TOOL(name, program, words, says, more) { words, says, more },
#include "options.def"
};

static const struct {
	const char *name, *help;
} variables[] = {
#define VARIABLE(name, help) { name, help },
#include "options.def"
};

static const struct {
	int number;
	const char *help;
} statuses[] = {
#define STATUS(number, help) { number, help },
#include "options.def"
};

enum {
	COLUMN = 24, /* where text begins */
	NVARIABLE = sizeof(variables) / sizeof(variables[0]),
	NSTATUS = sizeof(statuses) / sizeof(statuses[0])
};

/* A word, and behind it lines, each of which begins in that column. */
static void print_row(struct buf *out, const char *word, const char *lines)
{
	size_t at = strlen(word) + 2, n;

	buf_printf(out, "  %s", word);
	for (; *lines != '\0'; lines += n + (lines[n] != '\0')) {
		n = strcspn(lines, "\n");
		buf_printf(out, at + 2 > COLUMN ? "\n%*s" : "%*s",
			at + 2 > COLUMN ? COLUMN : (int)(COLUMN - at), "");
		buf_add(out, lines, n);
		at = COLUMN;
	}
	buf_puts(out, "\n");
}

/* `-o, --output DIR` */
static const char *spelling(struct arena *a, const struct row *r)
{
	return arena_printf(a, "%s--%s%s",
		r->letter != 0 ? arena_printf(a, "-%c, ", r->letter) : "    ", r->name,
		r->value != NULL ? r->value : "");
}

static void print_end(struct buf *out)
{
	struct arena a = { 0 };

	buf_puts(out, "\nExit status:\n");
	for (int k = 0; k < NSTATUS; k++)
		print_row(out, arena_printf(&a, "%d", statuses[k].number), statuses[k].help);
	arena_release(&a);
}

void manual_help(struct buf *out)
{
	struct arena a = { 0 };

	buf_puts(out, "skipc " SKIPC_VERSION
		      ": compiles ONNX networks with skip connections into standalone C\n\n"
		      "Usage: skipc COMMAND [WORD]... [OPTION]...\n\n");
	for (int k = 0; k < COMMANDS; k++)
		print_row(out,
			arena_printf(&a, "%s %s", command_name((enum command)k), texts[k].words),
			texts[k].says);
	buf_puts(out,
		"\nskipc COMMAND --help has the options of each, skipc manual all of them.\n\nEnvironment:\n");
	for (int k = 0; k < NVARIABLE; k++)
		print_row(out, variables[k].name, variables[k].help);
	print_end(out);
	arena_release(&a);
}

/* What it hands on to skipc compile. */
static void print_behind(struct buf *out, struct arena *a, enum command of)
{
	enum { WIDTH = 100 };
	const struct row *r;
	size_t at = WIDTH;
	bool any = false;

	for (int k = 0; (r = options_row(k)) != NULL; k++) {
		const char *word = spelling(a, r);

		if ((r->behind & 1u << of) == 0 || (r->of & 1u << of) != 0)
			continue;
		word += strspn(word, " ");
		buf_puts(out, any ? "" : "\nAnd of skipc compile, which says what they do:");
		any = true;
		at += strlen(word) + 2;
		if (at > WIDTH) {
			buf_puts(out, "\n ");
			at = strlen(word);
		}
		buf_printf(out, " %s", word);
	}
	buf_puts(out, any ? "\n" : "");
}

void manual_command(struct buf *out, enum command of)
{
	struct arena a = { 0 };
	const struct row *r;

	buf_printf(out, "Usage: skipc %s%s%s [OPTION]...\n\n", command_name(of),
		*texts[of].words != '\0' ? " " : "", texts[of].words);
	buf_printf(out, "%c%s.\n", toupper((unsigned char)*texts[of].says), texts[of].says + 1);
	if (*texts[of].more != '\0')
		buf_printf(out, "%s\n", texts[of].more);
	buf_puts(out, "\nOptions:\n");
	for (int k = 0; (r = options_row(k)) != NULL; k++)
		if ((r->of & 1u << of) != 0)
			print_row(out, spelling(&a, r), r->help);
	print_behind(out, &a, of);
	print_end(out);
	arena_release(&a);
}

/* Lines for man: what it would take as its own is made none. */
static void roff(struct buf *out, const char *text)
{
	for (const char *s = text; *s != '\0'; s++) {
		if ((s == text || s[-1] == '\n') && (*s == '.' || *s == '\''))
			buf_puts(out, "\\&");
		if (*s == '\\')
			buf_puts(out, "\\e");
		else
			buf_printf(out, *s == '-' ? "\\-" : "%c", *s);
	}
}

static void roff_block(struct buf *out, const char *text)
{
	if (*text == '\0')
		return;
	buf_puts(out, ".IP\n.nf\n");
	roff(out, text);
	buf_puts(out, "\n.fi\n");
}

static void roff_row(struct buf *out, const char *word, const char *help)
{
	buf_puts(out, ".TP\n.B ");
	roff(out, word);
	buf_puts(out, "\n");
	roff(out, help);
	buf_puts(out, "\n");
}

/* `compile, weights, inspect` */
static const char *takers(struct arena *a, const struct row *r)
{
	const char *text = "";

	for (int k = 0; k < COMMANDS; k++)
		if (((r->of | r->behind) & 1u << k) != 0)
			text = arena_printf(a, "%s%s%s", text, *text != '\0' ? ", " : "",
				command_name((enum command)k));
	return text;
}

void manual_page(struct buf *out)
{
	struct arena a = { 0 };
	const struct row *r;

	buf_puts(out,
		".TH SKIPC 1 \"\" \"skipc " SKIPC_VERSION "\" \"\"\n.SH NAME\n"
		"skipc \\- compile ONNX networks with skip connections into standalone C\n.SH SYNOPSIS\n"
		".B skipc\n.I COMMAND\n.RI [ WORD ]...\n.RI [ OPTION ]...\n.SH COMMANDS\n");
	for (int k = 0; k < COMMANDS; k++) {
		roff_row(out,
			arena_printf(&a, "%s %s", command_name((enum command)k), texts[k].words),
			texts[k].says);
		roff_block(out, texts[k].more);
	}
	buf_puts(out,
		".SH OPTIONS\nAs getopt_long(3) has them: in any order, behind the command; a name may be cut where it is\n"
		"still one name; \"\\-\\-\" ends them, and for gates, lesion, diff, bench and tune begins those of compile.\n");
	for (int k = 0; (r = options_row(k)) != NULL; k++) {
		const char *word = spelling(&a, r);

		roff_row(out, word + strspn(word, " "), r->help);
		buf_puts(out, ".br\n.RI ( ");
		roff(out, strlen(takers(&a, r)) < 70 ? arena_printf(&a, "\"%s\"", takers(&a, r))
						     : "\"all commands\"");
		buf_puts(out, " )\n");
	}
	buf_puts(out, ".SH ENVIRONMENT\n");
	for (int k = 0; k < NVARIABLE; k++)
		roff_row(out, variables[k].name, variables[k].help);
	buf_puts(out, ".SH EXIT STATUS\n");
	for (int k = 0; k < NSTATUS; k++)
		roff_row(out, arena_printf(&a, "%d", statuses[k].number), statuses[k].help);
	arena_release(&a);
}
