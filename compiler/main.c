/* The command line, and the table of passes. */
#include "helper.h"
#include "options.h"
#include "report/report.h"
#include "core/platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What is on its way through the passes. */
struct job {
	struct arena arena;
	struct diag diag;
	struct options options;
	struct graph *graph;
	struct graph *plain; /* what was quantised; null: nothing is */
	struct plan *plan;
	struct output out;
	struct like like; /* weights */
};

/* ---- passes ---- */

static bool is_text(const char *path)
{
	size_t n = strlen(path);

	return n > 6 && strcmp(path + n - 6, ".skipc") == 0;
}

/* Null: reported. */
static const char *read_text(struct arena *a, struct diag *d, const char *path, const char *what, const char *hint)
{
	const char *text = NULL;
	struct file f;

	if (!file_map(d, path, what, NULL, &f))
		return NULL;
	if (memchr(f.data, '\0', f.size) != NULL)
		model_error(d, hint, "%s: the file is not text", what);
	else
		text = memcpy(arena_alloc(a, f.size + 1), f.data, f.size);
	file_unmap(&f);
	return text;
}

static void pass_import(struct job *j)
{
	if (is_text(j->options.model)) {
		const char *text = read_text(&j->arena, &j->diag, j->options.model, "cannot read the graph",
			"is it a model in ONNX's form? Then its name ends in .onnx");

		if (text != NULL)
			j->graph = text_parse(&j->arena, &j->diag, j->options.model, text);
		return;
	}
	struct raw_model *m = onnx_read(&j->arena, &j->diag, j->options.model);

	if (m != NULL)
		j->graph = import(&j->arena, &j->diag, m, j->options.dim, j->options.ndim);
}

static void pass_integers(struct job *j)
{
	j->plain = unquantised(j->graph);
	j->graph->bare = j->options.bare;
	integers(j->graph);
}

static void pass_rewrite(struct job *j)
{
	skip_scan(j->graph);
	rewrite(j->graph);
}

static void pass_drop(struct job *j)
{
	if (j->options.nedit > 0 && j->plain != NULL)
		model_error(&j->diag, "edit the network that was quantised, and quantise that",
			"--drop and --reorder: a quantised network's sums are rounded, and have no parts to leave out");
	else
		edit_blocks(j->graph, j->options.edit, j->options.nedit);
}

static void pass_skip(struct job *j)
{
	j->graph->skip_below = j->options.skip_below;
	if (j->plain != NULL)
		skip_through(j->graph, j->plain);
	else
		skip(j->graph);
}

static void pass_schedule(struct job *j)
{
	j->plan = schedule(j->graph, &j->options.plan);
}

static void pass_emit(struct job *j)
{
	emit(j->plan, &j->options.emit, &j->out);
}

enum {
	GRAPH = 1, SHAPES = 2, FOLDED = 4, CANONICAL = 8, SKIPS = 16, LAYOUT = 32, PLAN = 64, OFFSETS = 128,
	PACKED = 256, FILES = 512, INTEGERS = 1024
};

/* Each pass is a file with one public function, of the job, its graph or its plan; `needs` must have been made
 * before it. */
static const struct pass {
	char letter;
	const char *name;
	unsigned needs, makes;
	void (*of_job)(struct job *j);
	void (*of_graph)(struct graph *g);
	void (*of_plan)(struct plan *p);
} passes[] = {
	{ 'i', "import", 0, GRAPH, .of_job = pass_import },
	{ 's', "shapes", GRAPH, SHAPES, .of_graph = shapes },
	{ 'q', "integers", GRAPH | SHAPES, INTEGERS, .of_job = pass_integers },
	{ 'f', "fold", GRAPH | SHAPES | INTEGERS, FOLDED, .of_graph = fold },
	{ 'r', "rewrite", GRAPH | SHAPES | FOLDED, CANONICAL, .of_job = pass_rewrite },
	{ 'd', "drop", GRAPH | SHAPES | CANONICAL, 0, .of_job = pass_drop },
	{ 'b', "skip", GRAPH | SHAPES | CANONICAL, SKIPS, .of_job = pass_skip },
	{ 'l', "layout", GRAPH | SHAPES | CANONICAL | SKIPS, LAYOUT, .of_graph = layout },
	{ 'k', "schedule", GRAPH | SHAPES | LAYOUT, PLAN, .of_job = pass_schedule },
	{ 'm', "memory", PLAN, OFFSETS, .of_plan = memory },
	{ 'p', "pack", PLAN, PACKED, .of_plan = pack_constants },
	{ 'e', "emit", PLAN | OFFSETS | PACKED, FILES, .of_job = pass_emit },
};

enum { NPASS = sizeof(passes) / sizeof(passes[0]) };

static void dump(const struct job *j)
{
	struct buf b = { 0 };

	if (j->plan != NULL)
		plan_print(&b, j->plan);
	else
		text_print(&b, j->graph);
	fputs(b.data != NULL ? b.data : "", stdout);
	buf_release(&b);
}

/* What went to standard output has arrived, as far as one can know; else said. */
static bool is_printed(void)
{
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return true;
	fprintf(stderr, "skipc: cannot write to standard output: %s\n", strerror(errno));
	return false;
}

/* Runs the passes up to that of letter `last`. False: errors were reported, and nothing was written. */
static bool run_passes(struct job *j, char last)
{
	unsigned made = 0;

	if (platform_terminal() && !j->options.quiet)
		j->diag.next = platform_seconds() + 1.0;
	for (const struct pass *p = passes; p < passes + NPASS; p++) {
		if ((p->needs & ~made) != 0)
			die("pass %s runs before what it needs", p->name);
		progress(&j->diag, "%s", p->name);
		if (p->of_job != NULL)
			p->of_job(j);
		else if (p->of_graph != NULL)
			p->of_graph(j->graph);
		else
			p->of_plan(j->plan);
		progress_end(&j->diag);
		if (j->diag.errors > 0)
			return false;
		made |= p->makes;
		if (j->graph != NULL)
			graph_check(j->graph, (made & SHAPES) != 0);
		if (j->options.dump == p->letter)
			dump(j);
		if (p->letter == last)
			break;
	}
	return true;
}

/* ---- the command line ---- */

/* The file's name without folders and its last ending. */
static const char *base_name(struct arena *a, const char *path)
{
	const char *base = platform_base(path), *dot = strrchr(base, '.');

	return dot != NULL && dot != base ? arena_printf(a, "%.*s", (int)(dot - base), base) : base;
}

/* NAME where none was asked for. */
static const char *network_name(struct job *j)
{
	return names_claim(names_new(&j->arena), NAME_NETWORK | NAME_UNASKED,
		identifier(&j->arena, base_name(&j->arena, j->options.model)), NULL, 0);
}

static int ended(struct job *j, int status)
{
	if (j->diag.errors > 0)
		fprintf(stderr, "%s: %d error%s\n", escape(&j->arena, j->options.model),
			j->diag.errors, j->diag.errors == 1 ? "" : "s");
	output_discard(&j->out); /* which exit() minds, and lives no longer */
	arena_release(&j->arena);
	return status;
}

/* What the output is called, and of what it is. */
static void settle_names(struct job *j)
{
	j->options.emit.path = j->options.model;
	j->options.emit.model = platform_base(j->options.model);
	if (j->options.emit.name == NULL)
		j->options.emit.name = network_name(j);
}

/* The passes, and then all files at once. Returns the exit status. */
static int make_files(struct job *j)
{
	j->out.arena = &j->arena;
	settle_names(j);
	const bool done = run_passes(j, 'e') && is_printed();
	const char *made = done && !j->options.quiet ? report_made(&j->arena, j->plan, &j->options.emit, &j->out) : "";

	if (!done || !output_commit(&j->out)) {
		output_discard(&j->out);
		return 1;
	}
	fputs(made, stderr);
	if (j->out.note != NULL)
		fprintf(stderr, "%s\n", j->out.note);
	return 0;
}

/* The job that the command line describes, of passes up to that of letter `last`. 0, or the exit status. */
static int begin(struct job *j, enum command of, char last, int argc, char **argv)
{
	char *letters = arena_alloc(&j->arena, NPASS + 1);

	for (int k = 0; k == 0 || passes[k - 1].letter != last; k++)
		letters[k] = passes[k].letter;
	j->diag.to = stderr;
	j->options = (struct options){ .arena = &j->arena, .passes = letters };
	const int status = options_parse(&j->options, of, argc, argv);

	j->diag.path = j->options.model;
	j->out.dir = j->options.dir;
	if (j->options.emit.package != NULL && j->out.dir != NULL)
		j->out.dir = arena_printf(&j->arena, "%s/src", j->out.dir);
	return status;
}

static int command_compile(int argc, char **argv)
{
	struct job j = { 0 };

	output_begin(&j.out);
	int status = begin(&j, CMD_compile, 'e', argc, argv);

	if (status == 0 && j.options.dir == NULL)
		status = usage(CMD_compile, "compile needs -o DIR", "", NULL);
	if (status != 0)
		return ended(&j, status);
	return ended(&j, make_files(&j));
}

/* Options of the folder's code, and behind them those that were given. Returns 0, or the status. */
static int begin_like(struct job *j, int argc, char **argv)
{
	int status = begin(j, CMD_weights, 'e', argc, argv), n = 2;

	if (status == 0 && j->options.like == NULL)
		status = usage(CMD_weights, "weights needs --like DIR", "", NULL);
	if (status != 0)
		return status;
	j->like.dir = j->options.like;
	if (!folder_like(&j->arena, &j->diag, j->options.emit.name, network_name(j), &j->like))
		return 1;
	char **word = arena_alloc(&j->arena, (size_t)(argc + j->like.noption + 1) * sizeof(*word));

	for (int k = 0; k < j->like.noption; k++)
		word[n++] = j->like.option[k];
	for (int k = 2; k < argc; k++)
		word[n++] = argv[k];
	return begin(j, CMD_weights, 'e', n, word);
}

static int command_weights(int argc, char **argv)
{
	struct job j = { 0 };

	output_begin(&j.out);
	const int status = begin_like(&j, argc, argv);

	if (status != 0)
		return ended(&j, status);
	j.options.emit.name = j.like.name;
	j.options.emit.like = &j.like;
	if (j.out.dir == NULL)
		j.out.dir = j.like.dir;
	return ended(&j, make_files(&j));
}

/* What other commands said of the model, for its page. */
static const struct {
	const char *option, *failed, *none, *hint;
} finds[FOUND_COUNT] = {
	[FOUND_PROFILE] = { "--profile is for --html", "cannot read the profile", "is no profile of this model",
		"it wants what skipc bench --json --layers prints of the same model" },
	[FOUND_GATES] = { "--gates is for --html", "cannot read the gates", "has no gates of this model",
		"it wants what skipc gates --json prints of the same model" },
	[FOUND_LESION] = { "--lesion is for --html", "cannot read what blocks are worth", "does not say what blocks of this model are worth",
		"it wants what skipc lesion --json prints of the same model" },
};

/* Null: reported, or it is not asked for. */
static const char *read_found(struct job *j, enum found f)
{
	const char *path = j->options.found[f],
		   *text = path != NULL ? read_text(&j->arena, &j->diag, path, finds[f].failed, finds[f].hint) : NULL;

	if (text != NULL && strstr(text, j->graph->sha256) == NULL) {
		model_error(&j->diag, finds[f].hint, "%s %s", escape(&j->arena, path), finds[f].none);
		return NULL;
	}
	return text;
}

/* --html: the page, complete or not at all. False: said. */
static bool write_page(struct job *j, const struct emission *e)
{
	const char *path = j->options.html, *name = platform_base(path), *found[FOUND_COUNT];

	for (enum found f = 0; f < FOUND_COUNT; f++)
		found[f] = read_found(j, f);
	if (j->diag.errors > 0)
		return false;
	j->out.arena = &j->arena;
	j->out.dir = name == path       ? "."
		     : name == path + 1 ? "/"
					: arena_printf(&j->arena, "%.*s", (int)(name - path - 1), path);
	FILE *to = output_open(&j->out, name);

	if (to != NULL)
		report_page(to, e, found);
	const bool done = output_commit(&j->out);

	output_discard(&j->out);
	return done;
}

/* What of the command line goes not together; null: all does. */
static const char *clash(const struct options *o)
{
	if (o->dump != 0 && (o->json || o->html != NULL))
		return "-d prints text, and --json and --html something else: which of them?";
	for (enum found f = 0; f < FOUND_COUNT; f++)
		if (o->found[f] != NULL && o->html == NULL)
			return finds[f].option;
	if (o->html != NULL && (o->html[0] == '\0' || *platform_base(o->html) == '\0' ||
				       platform_kind(o->html) == PATH_FOLDER ||
				       platform_kind(o->html) == PATH_OTHER))
		return "--html wants a file";
	return NULL;
}

static void print_report(const struct job *j)
{
	if (j->options.verbose) {
		report(stdout, j->plan);
		return;
	}
	report_summary(stdout, j->plan);
	if (j->options.why) {
		putchar('\n');
		report_reasons(stdout, j->plan);
	}
}

/* With -d, as far as that pass, and nothing is printed but its dump. */
static int command_inspect(int argc, char **argv)
{
	struct job j = { 0 };
	bool done = true;
	int status = begin(&j, CMD_inspect, 'p', argc, argv), functions;
	const char *wrong = status == 0 ? clash(&j.options) : NULL;
	struct emission e;

	if (wrong != NULL)
		status = usage(CMD_inspect, wrong, "", NULL);
	if (status != 0)
		return ended(&j, status);
	if (j.options.html != NULL)
		output_begin(&j.out);
	if (!run_passes(&j, j.options.dump != 0 ? j.options.dump : 'p'))
		return ended(&j, 1);
	if (j.options.json || j.options.html != NULL) {
		settle_names(&j);
		emission_begin(&e, j.plan, &j.options.emit, &functions);
	} else if (j.options.dump == 0) {
		print_report(&j);
	}
	if (j.options.json)
		report_json(&(struct json){ .to = stdout }, &e);
	if (j.options.html != NULL)
		done = write_page(&j, &e);
	return ended(&j, is_printed() && done ? 0 : 1);
}

/* The passes up to skip, and what follows from what it saw. */
static int command_paths(int argc, char **argv)
{
	struct job j = { 0 };
	struct lengths l = { 0 };
	const int status = begin(&j, CMD_paths, 'b', argc, argv);

	if (status != 0)
		return ended(&j, status);
	if (!run_passes(&j, 'b') || !lengths_count(j.graph->seen, &l)) {
		lengths_release(&l);
		return ended(&j, 1);
	}
	if (j.options.json)
		report_lengths_json(&(struct json){ .to = stdout }, j.graph, &l);
	else
		report_lengths(stdout, j.graph, &l);
	lengths_release(&l);
	return ended(&j, is_printed() ? 0 : 1);
}

static int print_text(struct buf *text)
{
	fputs(text->data != NULL ? text->data : "", stdout);
	buf_release(text);
	return is_printed() ? 0 : 1;
}

static int no_command(const char *name)
{
	struct arena a = { 0 };
	struct near n = { .word = name };

	for (int k = 0; k < COMMANDS; k++)
		near_offer(&n, command_name((enum command)k));
	const int status = usage(COMMANDS, "no such command: ", name,
		n.best != NULL ? arena_printf(&a, "did you mean %s?", n.best) : NULL);

	arena_release(&a);
	return status;
}

/* Without options; of more words than it takes it says so. */
static int print_help(enum command of)
{
	struct buf text = { 0 };

	if (of < COMMANDS)
		manual_command(&text, of);
	else
		manual_help(&text);
	return print_text(&text);
}

static int command_help(int argc, char **argv)
{
	if (argc < 3)
		return print_help(COMMANDS);
	if (argc > 3)
		return usage(CMD_help, "more than one command: ", argv[3], NULL);
	return command_find(argv[2]) < COMMANDS ? print_help(command_find(argv[2]))
						: no_command(argv[2]);
}

static int command_completion(int argc, char **argv)
{
	struct buf text = { 0 };

	if (argc != 3)
		return usage(CMD_completion, "completion wants one of: bash, zsh, fish", "", NULL);
	if (!completion_print(&text, argv[2]))
		return usage(
			CMD_completion, "no such shell: ", argv[2], "there are bash, zsh, fish");
	return print_text(&text);
}

static int command_ops(int argc, char **argv)
{
	struct arena a = { 0 };
	struct options o = { .arena = &a, .passes = "" };
	int status = options_parse(&o, CMD_ops, argc, argv);

	if (status == 0) {
		if (o.json)
			report_operators_json(&(struct json){ .to = stdout });
		else
			report_operators(stdout);
		status = is_printed() ? 0 : 1;
	}
	arena_release(&a);
	return status;
}

static int command_manual(int argc, char **argv)
{
	struct buf text = { 0 };

	if (argc > 2)
		return usage(CMD_manual, "manual takes nothing: ", argv[2], NULL);
	manual_page(&text);
	return print_text(&text);
}

static const struct {
	int (*run)(int argc, char **argv);
	const char *program; /* of tools/ that does it, where run is null */
} commands[] = {
#define COMMAND(name, words, says, more)       { command_##name, NULL },
#define TOOL(name, program, words, says, more) { NULL, program },
#include "options.def"
};

int main(int argc, char **argv)
{
	platform_begin();
	if (argc < 2)
		return usage(COMMANDS, "no command is given", "", NULL);
	const enum command of = command_find(argv[1]);
	char asked = 0;

	if (of < COMMANDS)
		asked = options_asked(of, argc, argv);
	else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		asked = 'h';
	else if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		asked = 'V';
	if (asked == 'h')
		return print_help(of);
	if (asked == 'V') {
		puts("skipc " SKIPC_VERSION);
		return is_printed() ? 0 : 1;
	}
	if (of == COMMANDS)
		return no_command(argv[1]);
	if (commands[of].run != NULL)
		return commands[of].run(argc, argv);
	return helper_run(of, commands[of].program, argc, argv);
}
