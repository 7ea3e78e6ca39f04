/* The command line, and the table of passes. */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */
#include "emit/emission.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What is on its way through the passes. */
struct job {
	struct arena arena;
	struct diag diag;
	const char *model;
	const struct target *target;
	struct dim_value dim[32];
	int ndim;
	struct graph *graph;
	struct plan *plan;
	struct output out;
	struct emit_options emit;
	double skip_below; /* --skip-closed-gates */
	struct like like;  /* weights */
	bool json;         /* inspect */
	char dump;         /* letter of the pass after which to print, or 0 */
};

/* ---- passes ---- */

static bool is_text(const char *path)
{
	size_t n = strlen(path);

	return n > 6 && strcmp(path + n - 6, ".skipc") == 0;
}

/* Null: reported. */
static const char *read_text(struct arena *a, struct diag *d, const char *path)
{
	const char *text = NULL;
	struct file f;

	if (!file_map(d, path, "cannot read the graph", NULL, &f))
		return NULL;
	if (memchr(f.data, '\0', f.size) != NULL)
		model_error(d, "is it a model in ONNX's form? Then its name ends in .onnx",
			"the file is not text");
	else
		text = memcpy(arena_alloc(a, f.size + 1), f.data, f.size);
	file_unmap(&f);
	return text;
}

static void pass_import(struct job *j)
{
	if (is_text(j->model)) {
		const char *text = read_text(&j->arena, &j->diag, j->model);

		if (text != NULL)
			j->graph = text_parse(&j->arena, &j->diag, j->model, text);
		return;
	}
	struct raw_model *m = onnx_read(&j->arena, &j->diag, j->model);

	if (m != NULL)
		j->graph = import(&j->arena, &j->diag, m, j->dim, j->ndim);
}

static void pass_shapes(struct job *j)
{
	shapes(j->graph);
}

static void pass_fold(struct job *j)
{
	fold(j->graph);
}

static void pass_rewrite(struct job *j)
{
	skip_scan(j->graph);
	rewrite(j->graph);
}

static void pass_skip(struct job *j)
{
	j->graph->skip_below = j->skip_below;
	skip(j->graph);
}

static void pass_layout(struct job *j)
{
	layout(j->graph);
}

static void pass_schedule(struct job *j)
{
	j->plan = schedule(j->graph, j->target);
}

static void pass_memory(struct job *j)
{
	memory(j->plan);
}

static void pass_pack(struct job *j)
{
	pack_constants(j->plan);
}

static void pass_emit(struct job *j)
{
	emit(j->plan, &j->emit, &j->out);
}

enum {
	GRAPH = 1,
	SHAPES = 2,
	FOLDED = 4,
	CANONICAL = 8,
	SKIPS = 16,
	LAYOUT = 32,
	PLAN = 64,
	OFFSETS = 128,
	PACKED = 256,
	FILES = 512
};

/* Each pass is a file with one public function; `needs` must have been made before it. */
static const struct pass {
	char letter;
	const char *name;
	void (*run)(struct job *j);
	unsigned needs, makes;
} passes[] = {
	{ 'i', "import", pass_import, 0, GRAPH },
	{ 's', "shapes", pass_shapes, GRAPH, SHAPES },
	{ 'f', "fold", pass_fold, GRAPH | SHAPES, FOLDED },
	{ 'r', "rewrite", pass_rewrite, GRAPH | SHAPES | FOLDED, CANONICAL },
	{ 'b', "skip", pass_skip, GRAPH | SHAPES | CANONICAL, SKIPS },
	{ 'l', "layout", pass_layout, GRAPH | SHAPES | CANONICAL | SKIPS, LAYOUT },
	{ 'k', "schedule", pass_schedule, GRAPH | SHAPES | LAYOUT, PLAN },
	{ 'm', "memory", pass_memory, PLAN, OFFSETS },
	{ 'p', "pack", pass_pack, PLAN, PACKED },
	{ 'e', "emit", pass_emit, PLAN | OFFSETS | PACKED, FILES },
};

enum { NPASS = sizeof(passes) / sizeof(passes[0]) };

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

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

/* Runs the passes up to the one that makes `goal`. False: errors were reported, and nothing was
 * written. */
static bool run_passes(struct job *j, unsigned goal)
{
	const double start = seconds();
	const bool terminal = isatty(2) != 0;
	unsigned made = 0;
	bool shown = false;

	for (int k = 0; k < NPASS && (made & goal) == 0; k++) {
		const struct pass *p = &passes[k];

		if ((p->needs & ~made) != 0)
			die("pass %s runs before what it needs", p->name);
		if (terminal && seconds() - start > 1.0) {
			fprintf(stderr, "\r\033[K%s: %s ...", escape(&j->arena, j->model), p->name);
			shown = true;
		}
		p->run(j);
		if (shown)
			fprintf(stderr, "\r\033[K");
		if (j->diag.errors > 0)
			return false;
		made |= p->makes;
		if (j->graph != NULL)
			graph_check(j->graph, (made & SHAPES) != 0);
		if (j->dump == p->letter)
			dump(j);
	}
	return true;
}

/* ---- the command line ---- */

static const char help[] =
	"skipc " SKIPC_VERSION ": compiles ONNX networks with skip connections into standalone C\n"
	"\n"
	"  skipc compile MODEL -o DIR    DIR/NAME.c NAME.h NAME_weights.c (or .bin) NAME_gemm.c\n"
	"  skipc weights MODEL --like DIR\n"
	"                                DIR/NAME_weights.bin (or .c) alone: of a model that was "
	"trained again, for\n"
	"                                the code that is there, with its options; -o puts it "
	"elsewhere\n"
	"  skipc inspect MODEL           blocks, nodes, kernels, fusions, memory plan\n"
	"  skipc diff MODEL              builds, runs, compares with onnxruntime\n"
	"  skipc bench MODEL             builds, runs, times in turn with onnxruntime and others\n"
	"\n"
	"MODEL is an .onnx file (or a graph in text form, .skipc). Options of all commands:\n"
	"  --name NAME      prefix of the generated names; the model's base name unless given\n"
	"  --target=T       x86-64 (the default): AVX-512, AVX2 and plain C in one file;\n"
	"                   aarch64: NEON and plain C; c: portable C99, the same bits everywhere,\n"
	"                   the smallest arena\n"
	"  --dim NAME=N     value of a symbolic dimension; the batch is 1 unless given\n"
	"  --skip-closed-gates EPS\n"
	"                   highway layers carry a row whose gates are all below EPS, and do not\n"
	"                   compute H for it: each element changes by at most EPS |H - x|\n"
	"  -d LETTER        print the graph or plan after a pass:\n"
	"                   import shapes fold rewrite skip(b) layout schedule(k) memory pack "
	"emit\n"
	"  --help --version\n"
	"inspect:\n"
	"  --json           everything as JSON\n"
	"compile:\n"
	"  --main           also NAME_main.c, a program: PROG x0.npy ... -o y0.npy ...\n"
	"  --weights=FORM   text, rows, incbin or bin; by size unless given\n"
	"  --byte-order=O   of these but text: little (unless given) or big, that of the machine "
	"which runs it\n"
	"  --gemm=FORM      of --target=x86-64's small products: inline (libxsmm's machine code in "
	"the output),\n"
	"                   libxsmm-call (calls of an installed libxsmm; link -lxsmm)\n"
	"  --exact          no kernel that trades accuracy for speed (--target=c has none)\n"
	"  --trace          the program can write every stored tensor (--trace-dir DIR)\n"
	"diff:\n"
	"  --input FILE     .npy or .pb, once for each input; else random\n"
	"  --all-tensors    compare every tensor that survives, name the first that differs\n"
	"  --float64        distance of both sides from an evaluation in float64\n"
	"  --cc CC --cflags FLAGS --run 'COMMAND'   how to build and run, for other targets\n"
	"bench:\n"
	"  --peers LIST     of ort,openvino,ncnn,mnn; ort unless given\n"
	"  --threads N --isa N --runs N   of all; of ours: 1 plain C, 2 AVX2, 3 AVX-512; 15 unless "
	"given\n"
	"  --layers         each step's time, GFLOP/s, percent of the peak, bytes\n"
	"  --plot FILE      bars of the peers, or of the steps: .svg or .png\n"
	"\n"
	"Exit: 0 done, 1 the model is refused or differs, or something could not be read or "
	"written,\n"
	"      2 wrong usage, 3 a bug of skipc. But for 0, compile leaves the folder as it was.\n";

static int usage(const char *what, const char *value)
{
	struct arena a = { 0 };

	fprintf(stderr, "skipc: %s%s\ntry skipc --help\n", what, escape(&a, value));
	arena_release(&a);
	return 2;
}

/* `--name=value` or `--name value`: the value, else null. */
static const char *option(char **argv, int *k, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(argv[*k], name, n) != 0)
		return NULL;
	if (argv[*k][n] == '=')
		return argv[*k] + n + 1;
	if (argv[*k][n] == '\0' && argv[*k + 1] != NULL)
		return argv[++*k];
	return NULL;
}

static bool parse_dim(struct job *j, const char *text)
{
	const char *equals = strrchr(text, '=');
	char *end = NULL;
	long value = equals != NULL ? strtol(equals + 1, &end, 10) : 0;

	if (equals == NULL || equals == text || *end != '\0' || value < 1 ||
		j->ndim == (int)(sizeof(j->dim) / sizeof(j->dim[0])))
		return false;
	j->dim[j->ndim++] = (struct dim_value){
		arena_printf(&j->arena, "%.*s", (int)(equals - text), text), value
	};
	return true;
}

static bool parse_weights(struct job *j, const char *text)
{
	static const char *const forms[] = { "auto", "text", "rows", "incbin", "bin" };

	for (int k = 0; k < 5; k++)
		if (strcmp(forms[k], text) == 0) {
			j->emit.weights = (enum weights_form)k;
			return true;
		}
	return false;
}

static bool parse_closed(struct job *j, const char *text)
{
	char *end;

	j->skip_below = strtod(text, &end);
	return end != text && *end == '\0' && text[strspn(text, "0123456789.e-")] == '\0' &&
	       j->skip_below > 0 && j->skip_below < 1;
}

static bool is_pass(const char *letter)
{
	for (int k = 0; k < NPASS; k++)
		if (letter[0] == passes[k].letter && letter[1] == '\0')
			return true;
	return false;
}

static bool is_identifier(const char *s)
{
	if (!isalpha((unsigned char)*s))
		return false;
	for (; *s != '\0'; s++)
		if (!isalnum((unsigned char)*s) && *s != '_')
			return false;
	return true;
}

/* The file's name without folders and its last ending. */
static const char *base_name(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path,
		   *dot = strrchr(base, '.');

	return dot != NULL && dot != base ? arena_printf(a, "%.*s", (int)(dot - base), base) : base;
}

/* NAME where none was asked for. */
static const char *network_name(struct job *j)
{
	return names_claim(names_new(&j->arena), NAME_NETWORK | NAME_UNASKED,
		identifier(&j->arena, base_name(&j->arena, j->model)), NULL, 0);
}

/* Options that shape the output, as one would type them; -o and the model are not among them. */
static void note_setting(struct job *j, const char *text)
{
	j->emit.settings = arena_printf(&j->arena, "%s %s", j->emit.settings, text);
}

/* Returns 0, or the exit status. */
static int parse_options(struct job *j, int argc, char **argv)
{
	const char *value;

	j->target = target_find("x86-64");
	j->emit.settings = "";
	for (int k = 2; k < argc; k++) {
		if ((value = option(argv, &k, "-o")) != NULL ||
			(value = option(argv, &k, "--output")) != NULL) {
			if (value[0] == '\0')
				return usage("-o wants a folder", "");
			j->out.dir = value;
		} else if ((value = option(argv, &k, "--name")) != NULL) {
			if (!is_identifier(value))
				return usage("--name wants a C identifier, not ", value);
			if (names_taken(names_new(&j->arena), NAME_NETWORK, value))
				return usage("--name wants a name that is no word of C or C++, no "
					     "library's and no header's, not ",
					value);
			j->emit.name = value;
		} else if ((value = option(argv, &k, "--like")) != NULL) {
			j->like.dir = value;
		} else if ((value = option(argv, &k, "--target")) != NULL) {
			j->target = target_find(value);
			if (j->target == NULL)
				return usage("no such target: ", value);
		} else if ((value = option(argv, &k, "--dim")) != NULL) {
			if (!parse_dim(j, value))
				return usage("--dim wants NAME=N with N at least 1, not ", value);
			note_setting(
				j, arena_printf(&j->arena, "--dim %s", setting_word(&j->arena, value)));
		} else if ((value = option(argv, &k, "--weights")) != NULL) {
			if (!parse_weights(j, value))
				return usage("--weights is auto, text, rows, incbin or bin, not ",
					value);
			note_setting(j, arena_printf(&j->arena, "--weights=%s", value));
		} else if ((value = option(argv, &k, "--byte-order")) != NULL) {
			if (strcmp(value, "little") != 0 && strcmp(value, "big") != 0)
				return usage("--byte-order is little or big, not ", value);
			j->emit.big_endian = strcmp(value, "big") == 0;
			note_setting(j, arena_printf(&j->arena, "--byte-order=%s", value));
		} else if ((value = option(argv, &k, "--gemm")) != NULL) {
			if (strcmp(value, "inline") != 0 && strcmp(value, "libxsmm-call") != 0)
				return usage("--gemm is inline or libxsmm-call, not ", value);
			j->emit.libxsmm_call = strcmp(value, "inline") != 0;
			note_setting(j, arena_printf(&j->arena, "--gemm=%s", value));
		} else if ((value = option(argv, &k, "-d")) != NULL) {
			if (!is_pass(value))
				return usage("-d wants the letter of a pass, not ", value);
			j->dump = value[0];
		} else if ((value = option(argv, &k, "--skip-closed-gates")) != NULL) {
			if (!parse_closed(j, value))
				return usage("--skip-closed-gates wants a number between 0 and 1, "
					     "not ",
					value);
			note_setting(j, arena_printf(&j->arena, "--skip-closed-gates=%s", value));
		} else if (strcmp(argv[k], "--json") == 0) {
			j->json = true;
		} else if (strcmp(argv[k], "--main") == 0) {
			j->emit.main = true;
		} else if (strcmp(argv[k], "--trace") == 0) {
			j->emit.trace = j->emit.main = true;
			note_setting(j, "--trace");
		} else if (strcmp(argv[k], "--exact") == 0) {
			note_setting(j, "--exact");
		} else if (argv[k][0] == '-') {
			return usage("unknown option, or one without its value: ", argv[k]);
		} else if (j->model != NULL) {
			return usage("more than one model: ", argv[k]);
		} else {
			j->model = argv[k];
		}
	}
	if (j->model == NULL)
		return usage("no model is given", "");
	if (j->emit.libxsmm_call && strcmp(j->target->name, "x86-64") != 0)
		return usage("--gemm=libxsmm-call needs --target=x86-64", "");
	j->emit.settings = arena_printf(&j->arena, "--target=%s%s", j->target->name, j->emit.settings);
	return 0;
}

static int finish(struct job *j, int status)
{
	if (j->diag.errors > 0)
		fprintf(stderr, "%s: %d error%s\n", escape(&j->arena, j->model), j->diag.errors,
			j->diag.errors == 1 ? "" : "s");
	arena_release(&j->arena);
	return status;
}

static const char *model_file(const struct job *j)
{
	const char *slash = strrchr(j->model, '/');

	return slash != NULL ? slash + 1 : j->model;
}

/* The passes, and then all files at once. Returns the exit status. */
static int make_files(struct job *j)
{
	j->diag.path = j->model;
	j->out.arena = &j->arena;
	j->emit.model = model_file(j);
	if (!run_passes(j, FILES) || !is_printed() || !output_commit(&j->out)) {
		output_discard(&j->out);
		return 1;
	}
	if (j->out.note != NULL)
		fprintf(stderr, "%s\n", j->out.note);
	return 0;
}

static int command_compile(int argc, char **argv)
{
	struct job j = { .diag = { .to = stderr } };
	int status;

	output_begin(&j.out);
	status = parse_options(&j, argc, argv);
	if (status == 0 && j.out.dir == NULL)
		status = usage("compile needs -o DIR", "");
	if (status == 0 && j.like.dir != NULL)
		status = usage("--like is an option of skipc weights", "");
	if (status != 0) {
		output_discard(&j.out);
		return finish(&j, status);
	}
	if (j.emit.name == NULL)
		j.emit.name = network_name(&j);
	return finish(&j, make_files(&j));
}

/* Options of the folder's code, and behind them those that were given. Returns 0, or the status. */
static int parse_like(struct job *j, int argc, char **argv)
{
	int status = parse_options(j, argc, argv), n = 2;

	if (status == 0 && j->like.dir == NULL)
		status = usage("weights needs --like DIR", "");
	if (status != 0)
		return status;
	j->diag.path = j->model;
	if (!folder_like(&j->arena, &j->diag, j->emit.name,
		    network_name(j), &j->like))
		return 1;
	char **word = arena_alloc(&j->arena, (size_t)(argc + j->like.noption + 1) * sizeof(*word));

	for (int k = 0; k < j->like.noption; k++)
		word[n++] = j->like.option[k];
	for (int k = 2; k < argc; k++)
		word[n++] = argv[k];
	j->model = NULL;
	j->ndim = 0;
	return parse_options(j, n, word);
}

static int command_weights(int argc, char **argv)
{
	struct job j = { .diag = { .to = stderr } };
	int status;

	output_begin(&j.out);
	status = parse_like(&j, argc, argv);
	if (status != 0) {
		output_discard(&j.out);
		return finish(&j, status);
	}
	j.emit.name = j.like.name;
	j.emit.like = &j.like;
	if (j.out.dir == NULL)
		j.out.dir = j.like.dir;
	return finish(&j, make_files(&j));
}

static int command_inspect(int argc, char **argv)
{
	struct job j = { .diag = { .to = stderr } };
	int status = parse_options(&j, argc, argv);

	if (status != 0)
		return finish(&j, status);
	j.diag.path = j.model;
	if (!run_passes(&j, PACKED))
		return finish(&j, 1);
	if (j.json)
		report_json(stdout, j.plan);
	else
		report(stdout, j.plan);
	return finish(&j, is_printed() ? 0 : 1);
}

/* A program of tools/ does the work, in the project's own environment where there is one. */
static int python_command(const char *program, int argc, char **argv)
{
	struct arena a = { 0 };
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *root, *python = getenv("SKIPC_PYTHON");
	char **args = arena_alloc(&a, (size_t)(argc + 8) * sizeof(char *));
	int k = 0;

	if (n < 0)
		return usage("cannot find where skipc is installed", "");
	self[n] = '\0';
	root = arena_printf(
		&a, "%s/..", arena_printf(&a, "%.*s", (int)(strrchr(self, '/') - self), self));
	if (python == NULL) {
		python = arena_printf(&a, "%s/.venv/bin/python", root);
		if (access(python, X_OK) != 0)
			python = "python3";
	}
	args[k++] = (char *)(uintptr_t)python;
	args[k++] = arena_printf(&a, "%s/tools/%s", root, program);
	args[k++] = (char *)(uintptr_t) "--skipc";
	args[k++] = self;
	for (int i = 2; i < argc; i++)
		args[k++] = argv[i];
	execvp(python, args);
	fprintf(stderr, "skipc: %s needs Python 3 with onnxruntime: %s: %s\n", argv[1],
		escape(&a, python), strerror(errno));
	return 1;
}

static int command_diff(int argc, char **argv)
{
	return python_command("compare.py", argc, argv);
}

static int command_bench(int argc, char **argv)
{
	return python_command("timing.py", argc, argv);
}

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "compile", command_compile },
	{ "weights", command_weights },
	{ "inspect", command_inspect },
	{ "diff", command_diff },
	{ "bench", command_bench },
};

/*
 * What a program may be started with: standard streams that are closed, whose numbers would go to the
 * next files that are opened; a limit on file sizes that ends it, instead of failing a write.
 */
static void settle_process(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd)
			exit(1);
	signal(SIGXFSZ, SIG_IGN);
}

int main(int argc, char **argv)
{
	settle_process();
	if (argc < 2)
		return usage("no command is given", "");
	for (int k = 1; k < argc; k++)
		if (strcmp(argv[k], "--help") == 0 || strcmp(argv[k], "-h") == 0 ||
			(k == 1 && strcmp(argv[k], "help") == 0)) {
			fputs(help, stdout);
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
