/* What shells complete skipc by, from the table of the command line. */
#include "options.h"

#include <string.h>

/* What of the file system a value or a word may be: an entry of a table of each shell. */
enum of_files { NOTHING, ANY_FILE, FOLDER };

static enum of_files files_of(const char *value)
{
	return value == NULL                    ? NOTHING
	       : strcmp(value + 1, "FILE") == 0 ? ANY_FILE
	       : strcmp(value + 1, "DIR") == 0  ? FOLDER
						: NOTHING;
}

static const struct {
	const char *words, *says;
} commands[] = {
#define COMMAND(name, words, says, more)       { words, says },
#define TOOL(name, program, words, says, more) { words, says },
#include "options.def"
};

static bool takes_model(int command)
{
	return strstr(commands[command].words, "MODEL") != NULL;
}

/* A line, without what shells would read; colon: how a colon is spelled there. */
static void plain(struct buf *out, const char *text, const char *colon)
{
	for (; *text != '\0' && *text != '\n'; text++)
		if (*text == ':')
			buf_puts(out, colon);
		else if (strchr("'\"`$\\[]", *text) == NULL)
			buf_add(out, text, 1);
}

/* All commands, each with a blank behind it. */
static void command_names(struct buf *out)
{
	for (int k = 0; k < COMMANDS; k++)
		buf_printf(out, "%s ", command_name((enum command)k));
}

/* ---- bash ---- */

/* `-o|--output) ...`, of one row. */
static void bash_value(struct buf *out, const struct row *r)
{
	static const char *const by[] = { [NOTHING] = "", [ANY_FILE] = "-f", [FOLDER] = "-d" };

	if (r->value == NULL)
		return;
	buf_printf(out, "\t");
	for (int k = 0; k < COMMANDS; k++)
		if (((r->of | r->behind) & 1u << k) != 0)
			buf_printf(out, "%s:--%s|", command_name((enum command)k), r->name);
	for (int k = 0, n = 0; k < COMMANDS; k++)
		if (((r->of | r->behind) & 1u << k) != 0)
			buf_printf(out, "%s%s:-%c", n++ > 0 ? "|" : "",
				command_name((enum command)k), r->letter != 0 ? r->letter : '-');
	buf_printf(out, ")\n\t\tCOMPREPLY=($(compgen %s -W '%s' -- \"$word\"))\n\t\treturn ;;\n",
		by[files_of(r->value)], r->words != NULL ? r->words : "");
}

static void bash(struct buf *out)
{
	const struct row *r;

	buf_puts(out,
		"# skipc completion bash\n_skipc() {\n"
		"\tlocal word=\"${COMP_WORDS[COMP_CWORD]}\" last=\"${COMP_WORDS[COMP_CWORD-1]}\" command=\"${COMP_WORDS[1]}\"\n"
		"\tif [ \"$word\" = '=' ]; then word=''\n"
		"\telif [ \"$last\" = '=' ]; then last=\"${COMP_WORDS[COMP_CWORD-2]}\"; fi\n"
		"\tcompopt -o filenames 2> /dev/null\n"
		"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tCOMPREPLY=($(compgen -W '");
	command_names(out);
	buf_puts(out,
		"--help --version' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase \"$command:$last\" in\n");
	for (int k = 0; (r = options_row(k)) != NULL; k++)
		bash_value(out, r);
	buf_puts(out, "\tesac\n\tcase \"$command:$word\" in\n\thelp:*) COMPREPLY=($(compgen -W '");
	command_names(out);
	buf_puts(out,
		"' -- \"$word\")) ;;\n\tcompletion:*) COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\")) ;;\n");
	for (int c = 0; c < COMMANDS; c++) {
		buf_printf(
			out, "\t%s:-*) COMPREPLY=($(compgen -W '", command_name((enum command)c));
		for (int k = 0; (r = options_row(k)) != NULL; k++)
			if (((r->of | r->behind) & 1u << c) != 0)
				buf_printf(out, "--%s ", r->name);
		buf_puts(out, "' -- \"$word\")) ;;\n");
		if (!takes_model(c))
			buf_printf(out, "\t%s:*) ;;\n", command_name((enum command)c));
	}
	buf_puts(out,
		"\t*) COMPREPLY=($(compgen -f -- \"$word\")) ;;\n\tesac\n}\ncomplete -F _skipc skipc\n");
}

/* ---- zsh ---- */

static void zsh_row(struct buf *out, const struct row *r)
{
	static const char *const by[] = {
		[NOTHING] = " ", [ANY_FILE] = "_files", [FOLDER] = "_files -/"
	};

	if (r->letter != 0)
		buf_printf(out, " '(--%s)-%c[", r->name, r->letter);
	for (int both = r->letter != 0; both >= 0; both--) {
		if (both == 0)
			buf_printf(out, " '*--%s%s[", r->name, r->value != NULL ? "=" : "");
		plain(out, r->help, "\\:");
		buf_puts(out, "]");
		if (r->value != NULL && r->words != NULL)
			buf_printf(out, ":%s:(%s)", r->value + 1, r->words);
		else if (r->value != NULL)
			buf_printf(out, ":%s:%s", "value", by[files_of(r->value)]);
		buf_puts(out, "'");
	}
}

static void zsh(struct buf *out)
{
	const struct row *r;

	buf_puts(out,
		"#compdef skipc\n_skipc() {\n\tif (( CURRENT == 2 )); then\n\t\tlocal -a commands=(");
	for (int k = 0; k < COMMANDS; k++) {
		buf_printf(out, " '%s:", command_name((enum command)k));
		plain(out, commands[k].says, "\\:");
		buf_puts(out, "'");
	}
	buf_puts(out,
		" )\n\t\t_describe command commands\n\t\treturn\n\tfi\n\tlocal command=$words[2]\n"
		"\tshift words\n\t(( CURRENT-- ))\n\tcase $command in\n");
	for (int c = 0; c < COMMANDS; c++) {
		buf_printf(out, "\t%s) _arguments -s", command_name((enum command)c));
		for (int k = 0; (r = options_row(k)) != NULL; k++)
			if (((r->of | r->behind) & 1u << c) != 0)
				zsh_row(out, r);
		if (c == CMD_help) {
			buf_puts(out, " '1:command:(");
			command_names(out);
			buf_puts(out, ")' ;;\n");
		} else
			buf_printf(out, "%s ;;\n",
				c == CMD_completion ? " '1:shell:(bash zsh fish)'"
				: takes_model(c)    ? " '*:model:_files'"
						    : "");
	}
	buf_puts(out,
		"\tesac\n}\nif [ \"$funcstack[1]\" = _skipc ]; then _skipc \"$@\"; else compdef _skipc skipc; fi\n");
}

/* ---- fish ---- */

static void fish_row(struct buf *out, const struct row *r)
{
	buf_puts(out, "complete -c skipc -n '__fish_seen_subcommand_from");
	for (int k = 0; k < COMMANDS; k++)
		if (((r->of | r->behind) & 1u << k) != 0)
			buf_printf(out, " %s", command_name((enum command)k));
	buf_printf(out, "' -l %s", r->name);
	if (r->letter != 0)
		buf_printf(out, " -s %c", r->letter);
	if (r->value != NULL)
		buf_puts(out, files_of(r->value) == ANY_FILE ? " -r" : " -x");
	if (r->words != NULL)
		buf_printf(out, " -a '%s'", r->words);
	else if (files_of(r->value) == FOLDER)
		buf_puts(out, " -a '(__fish_complete_directories)'");
	buf_puts(out, " -d '");
	plain(out, r->help, ":");
	buf_puts(out, "'\n");
}

static void fish(struct buf *out)
{
	const struct row *r;

	buf_puts(out, "# skipc completion fish\n");
	for (int k = 0; k < COMMANDS; k++) {
		buf_printf(out, "complete -c skipc -n __fish_use_subcommand -f -a %s -d '",
			command_name((enum command)k));
		plain(out, commands[k].says, ":");
		buf_puts(out, "'\n");
	}
	buf_puts(out,
		"complete -c skipc -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n"
		"complete -c skipc -n '__fish_seen_subcommand_from help' -f -a '");
	command_names(out);
	buf_puts(out, "'\ncomplete -c skipc -n '__fish_seen_subcommand_from");
	for (int k = 0; k < COMMANDS; k++)
		if (!takes_model(k))
			buf_printf(out, " %s", command_name((enum command)k));
	buf_puts(out, "' -f\n");
	for (int k = 0; (r = options_row(k)) != NULL; k++)
		fish_row(out, r);
}

static const struct {
	const char *name;
	void (*print)(struct buf *out);
} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };

bool completion_print(struct buf *out, const char *shell)
{
	for (size_t k = 0; k < sizeof(shells) / sizeof(shells[0]); k++)
		if (strcmp(shells[k].name, shell) == 0) {
			shells[k].print(out);
			return true;
		}
	return false;
}
