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
	const double start = platform_seconds();
	const bool terminal = platform_terminal();
	unsigned made = 0;
	bool shown = false;

	for (const struct pass *p = passes; p < passes + NPASS; p++) {
		if ((p->needs & ~made) != 0)
			die("pass %s runs before what it needs", p->name);
		if (terminal && platform_seconds() - start > 1.0) {
			fprintf(stderr, "\r\033[K%s: %s ...", escape(&j->arena, j->options.model),
				p->name);
			shown = true;
		}
		if (p->of_job != NULL)
			p->of_job(j);
		else if (p->of_graph != NULL)
			p->of_graph(j->graph);
		else
			p->of_plan(j->plan);
		if (shown)
			fprintf(stderr, "\r\033[K");
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

static const char about
	[] = "skipc " SKIPC_VERSION
	     ": compiles ONNX networks with skip connections into standalone C\n"
	     "\n"
	     "  skipc compile MODEL -o DIR    DIR/NAME.c NAME.h NAME_weights.c (or .bin) NAME_gemm.c\n"
	     "  skipc weights MODEL --like DIR\n"
	     "                                DIR/NAME_weights.bin (or .c) alone: of a model that was trained again, for\n"
	     "                                the code that is there, with its options; -o puts it elsewhere\n"
	     "  skipc inspect MODEL           blocks, nodes, kernels, fusions, memory plan\n"
	     "  skipc paths MODEL             how many paths there are, by how many blocks they pass through\n"
	     "  skipc gates MODEL             builds, runs: how far the gates of highway layers are open, by layer, unit and input\n"
	     "  skipc lesion MODEL            builds, runs: what is lost without each of its blocks, and without more and more\n"
	     "  skipc diff MODEL              builds, runs, compares with onnxruntime\n"
	     "  skipc bench MODEL             builds, runs, times in turn with onnxruntime and others\n"
	     "  skipc tune -o FILE            measures on this machine what kernels cost: a table for --costs\n"
	     "\n",
   exits[] =
	   "\nExit: 0 done, 1 the model is refused or differs, or something could not be read or written,\n"
	   "      2 wrong usage, 3 a bug of skipc. But for 0, compile leaves the folder as it was.\n";

static void print_help(void)
{
	struct buf options = { 0 };

	options_help(&options);
	printf("%s%s%s", about, options.data, exits);
	buf_release(&options);
}

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
	if (!run_passes(j, 'e') || !is_printed() || !output_commit(&j->out)) {
		output_discard(&j->out);
		return 1;
	}
	if (j->out.note != NULL)
		fprintf(stderr, "%s\n", j->out.note);
	return 0;
}

/* The job that the command line describes, of passes up to that of letter `last`. 0, or the exit status. */
static int begin(struct job *j, char last, int argc, char **argv)
{
	char *letters = arena_alloc(&j->arena, NPASS + 1);

	for (int k = 0; k == 0 || passes[k - 1].letter != last; k++)
		letters[k] = passes[k].letter;
	j->diag.to = stderr;
	j->options = (struct options){ .arena = &j->arena, .passes = letters };
	const int status = options_parse(&j->options, argc, argv);

	j->diag.path = j->options.model;
	j->out.dir = j->options.dir;
	return status;
}

static int command_compile(int argc, char **argv)
{
	struct job j = { 0 };

	output_begin(&j.out);
	int status = begin(&j, 'e', argc, argv);

	if (status == 0 && j.options.dir == NULL)
		status = usage("compile needs -o DIR", "");
	if (status == 0 && j.options.like != NULL)
		status = usage("--like is an option of skipc weights", "");
	if (status != 0) {
		output_discard(&j.out);
		return ended(&j, status);
	}
	return ended(&j, make_files(&j));
}

/* Options of the folder's code, and behind them those that were given. Returns 0, or the status. */
static int begin_like(struct job *j, int argc, char **argv)
{
	int status = begin(j, 'e', argc, argv), n = 2;

	if (status == 0 && j->options.like == NULL)
		status = usage("weights needs --like DIR", "");
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
	return begin(j, 'e', n, word);
}

static int command_weights(int argc, char **argv)
{
	struct job j = { 0 };

	output_begin(&j.out);
	const int status = begin_like(&j, argc, argv);

	if (status != 0) {
		output_discard(&j.out);
		return ended(&j, status);
	}
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

/* With -d, as far as that pass, and nothing is printed but its dump. */
static int command_inspect(int argc, char **argv)
{
	struct job j = { 0 };
	bool done = true;

	output_begin(&j.out);
	int status = begin(&j, 'p', argc, argv), functions;
	const char *wrong = status == 0 ? clash(&j.options) : NULL;
	struct emission e;

	if (wrong != NULL)
		status = usage(wrong, "");
	if (status != 0)
		return ended(&j, status);
	if (!run_passes(&j, j.options.dump != 0 ? j.options.dump : 'p'))
		return ended(&j, 1);
	if (j.options.json || j.options.html != NULL) {
		settle_names(&j);
		emission_begin(&e, j.plan, &j.options.emit, &functions);
	} else if (j.options.dump == 0) {
		report(stdout, j.plan);
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
	int status = begin(&j, 'b', argc, argv);

	if (status == 0 && j.options.dump != 0)
		status = usage("-d is an option of skipc inspect", "");
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

static int command_gates(int argc, char **argv)
{
	return helper_run("gates.py", argc, argv);
}

static int command_lesion(int argc, char **argv)
{
	return helper_run("lesion.py", argc, argv);
}

static int command_diff(int argc, char **argv)
{
	return helper_run("compare.py", argc, argv);
}

static int command_bench(int argc, char **argv)
{
	return helper_run("timing.py", argc, argv);
}

static int command_tune(int argc, char **argv)
{
	return helper_run("tune.py", argc, argv);
}

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "compile", command_compile },
	{ "weights", command_weights },
	{ "inspect", command_inspect },
	{ "paths", command_paths },
	{ "gates", command_gates },
	{ "lesion", command_lesion },
	{ "diff", command_diff },
	{ "bench", command_bench },
	{ "tune", command_tune },
};

int main(int argc, char **argv)
{
	platform_begin();
	if (argc < 2)
		return usage("no command is given", "");
	for (int k = 1; k < argc; k++)
		if (strcmp(argv[k], "--help") == 0 || strcmp(argv[k], "-h") == 0 ||
			(k == 1 && strcmp(argv[k], "help") == 0)) {
			print_help();
			return is_printed() ? 0 : 1;
		}
	for (int k = 1; k < argc; k++)
		if (strcmp(argv[k], "--version") == 0) {
			puts("skipc " SKIPC_VERSION);
			return is_printed() ? 0 : 1;
		}
	for (size_t k = 0; k < sizeof(commands) / sizeof(commands[0]); k++)
		if (strcmp(commands[k].name, argv[1]) == 0)
			return commands[k].run(argc, argv);
	return usage("no such command: ", argv[1]);
}
