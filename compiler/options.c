/* Options: a row each, which reads them, says which of them shape the output, and is their --help. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int usage(const char *what, const char *value)
{
	struct arena a = { 0 };

	fprintf(stderr, "skipc: %s%s\ntry skipc --help\n", what, escape(&a, value));
	arena_release(&a);
	return 2;
}

/* ---- what they do: null, or what is said before a value that is wrong ---- */

static const char *take_dir(struct options *o, const char *value)
{
	o->dir = value;
	return value[0] != '\0' ? NULL : "-o wants a folder";
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

static const char *take_name(struct options *o, const char *value)
{
	struct arena a = { 0 };
	const bool taken = names_taken(names_new(&a), NAME_NETWORK, value);

	arena_release(&a);
	o->emit.name = value;
	if (!is_identifier(value))
		return "--name wants a C identifier, not ";
	if (taken)
		return "--name wants a name that is no word of C or C++, no library's and no "
		       "header's, not ";
	return NULL;
}

static const char *take_target(struct options *o, const char *value)
{
	o->plan.target = target_find(value);
	return o->plan.target != NULL ? NULL : "no such target: ";
}

static const char *take_dim(struct options *o, const char *value)
{
	const char *equals = strrchr(value, '=');
	char *end = NULL;
	const long n = equals != NULL ? strtol(equals + 1, &end, 10) : 0;

	if (equals == NULL || equals == value || *end != '\0' || n < 1 ||
		o->ndim == (int)(sizeof(o->dim) / sizeof(o->dim[0])))
		return "--dim wants NAME=N with N at least 1, not ";
	o->dim[o->ndim++] = (struct dim_value){
		arena_printf(o->arena, "%.*s", (int)(equals - value), value), n
	};
	return NULL;
}

static const char *take_cost(struct options *o, const char *value)
{
	const size_t n = strcspn(value, "=");
	const char *wrong = cost_set(o->arena, value, n, value + n + (value[n] == '='), o->plan.cost);

	return wrong != NULL ? arena_printf(o->arena, "--cost: %s, in ", wrong) : NULL;
}

static const char *take_costs(struct options *o, const char *value)
{
	const char *wrong = costs_read(o->arena, value, o->plan.cost);

	o->emit.costs = value;
	return wrong != NULL ? arena_printf(o->arena, "--costs: %s, in ", wrong) : NULL;
}

static const char *take_closed(struct options *o, const char *value)
{
	char *end;

	o->skip_below = strtod(value, &end);
	if (end == value || *end != '\0' || value[strspn(value, "0123456789.e-")] != '\0' ||
		!(o->skip_below > 0 && o->skip_below < 1))
		return "--skip-closed-gates wants a number between 0 and 1, not ";
	return NULL;
}

static const char *add_edit(struct options *o, bool reorder, const char *value)
{
	if (value[0] == '\0' || o->nedit == (int)(sizeof(o->edit) / sizeof(o->edit[0])))
		return "--drop and --reorder want blocks, in 32 such options at most: ";
	o->edit[o->nedit++] = (struct edit){ reorder, value };
	return NULL;
}

static const char *take_drop(struct options *o, const char *value)
{
	return add_edit(o, false, value);
}

static const char *take_reorder(struct options *o, const char *value)
{
	return add_edit(o, true, value);
}

static const char *take_io(struct options *o, const char *value)
{
	o->bare = strcmp(value, "int") == 0;
	if (o->bare || strcmp(value, "graph") == 0)
		return NULL;
	return "--io is graph or int, not ";
}

static const char *take_dump(struct options *o, const char *value)
{
	if (strlen(value) != 1 || strchr(o->passes, value[0]) == NULL)
		return "-d wants the letter of a pass, not ";
	o->dump = value[0];
	return NULL;
}

static const char *take_weights(struct options *o, const char *value)
{
	static const char *const forms[] = { "auto", "text", "rows", "incbin", "bin" };

	for (int k = 0; k < 5; k++)
		if (strcmp(forms[k], value) == 0) {
			o->emit.weights = (enum weights_form)k;
			return NULL;
		}
	return "--weights is auto, text, rows, incbin or bin, not ";
}

static const char *take_order(struct options *o, const char *value)
{
	o->emit.big_endian = strcmp(value, "big") == 0;
	if (o->emit.big_endian || strcmp(value, "little") == 0)
		return NULL;
	return "--byte-order is little or big, not ";
}

static const char *take_gemm(struct options *o, const char *value)
{
	o->emit.libxsmm_call = strcmp(value, "libxsmm-call") == 0;
	if (o->emit.libxsmm_call || strcmp(value, "inline") == 0)
		return NULL;
	return "--gemm is inline or libxsmm-call, not ";
}

static const char *take_limit(struct options *o, const char *value)
{
	char *end;

	errno = 0;
	o->plan.limited = true;
	o->plan.prepared_limit = strtoll(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end != '\0' || errno != 0)
		return "--prepared-limit wants a number of bytes, not ";
	return NULL;
}

static const char *take_trace_gates(struct options *o, const char *value)
{
	(void)value;
	o->emit.trace = o->plan.trace_gates = true;
	return NULL;
}

static const char *take_winograd(struct options *o, const char *value)
{
	o->plan.winograd_file = strcmp(value, "file") == 0;
	if (o->plan.winograd_file || strcmp(value, "init") == 0)
		return NULL;
	return "--winograd-weights is init or file, not ";
}

/* ---- the rows ---- */

#define FIELD(member) NULL, offsetof(struct options, member)
#define TOOLS        NULL, 0 /* of the commands that tools/ has, or, as --help, for main() */
#define SHAPES       true    /* the output, which therefore states it, spelled as here */

static const struct row {
	const char *usage; /* name, and what a value is called behind ' ' or '='; null: a heading */
	const char *(*take)(struct options *o, const char *value);
	size_t field; /* without take: where the text of its value stands, or the bool that it sets */
	bool shapes;
	const char *help; /* null: said elsewhere */
} rows[] = {
	{ NULL, TOOLS, 0,
		"MODEL is an .onnx file (or a graph in text form, .skipc). Options of all commands:" },
	{ "-o DIR", take_dir, 0, 0, NULL },
	{ "--output DIR", take_dir, 0, 0, NULL },
	{ "--like DIR", FIELD(like), 0, NULL },
	{ "--name NAME", take_name, 0, 0,
		"prefix of the generated names; the model's base name unless given" },
	{ "--target=T", take_target, 0, 0,
		"x86-64 (the default): AVX-512, AVX2 and plain C in one file;\n"
		"aarch64: NEON and plain C; c: portable C99, the same bits everywhere,\n"
		"the smallest arena" },
	{ "--dim NAME=N", take_dim, 0, SHAPES,
		"value of a symbolic dimension; the batch is 1 unless given" },
	{ "--skip-closed-gates=EPS", take_closed, 0, SHAPES,
		"highway layers carry a row whose gates are all below EPS, and do not\n"
		"compute H for it: each element changes by at most EPS |H - x|" },
	{ "--drop BLOCK[,..]", take_drop, 0, SHAPES,
		"without these blocks: what remains is their shortcut, or what a highway carries. BLOCK is\n"
		"a number of inspect's list, from 0, or the name of the node that adds" },
	{ "--reorder A,B", take_reorder, 0, SHAPES, "blocks A and B change places" },
	{ "--io=FORM", take_io, 0, SHAPES,
		"of quantised models: inputs and outputs as in the graph (unless given), or\n"
		"int: integers, without the first Quantize and the last Dequantize" },
	{ "--cost NAME=VALUE", take_cost, 0, 0,
		"what a step of a kernel costs, by which kernels are chosen; inspect shows the names" },
	{ "--costs FILE", take_costs, 0, 0, "the same of many: NAME VALUE a line, # begins a comment" },
	{ "-d LETTER", take_dump, 0, 0,
		"print the graph or plan after a pass (inspect: and nothing else):\n"
		"import shapes integers(q) fold rewrite drop skip(b) layout schedule(k) memory pack emit" },
	{ "--help --version", TOOLS, 0, "" },
	{ NULL, TOOLS, 0, "inspect:" },
	{ "--json", FIELD(json), 0, "everything as JSON, as tools/schema/inspect.json describes it; so do diff and bench" },
	{ "--html FILE", FIELD(html), 0,
		"a page: blocks, steps, cost and memory on one axis, why each kernel was taken; with --json both" },
	{ "--profile FILE", FIELD(found[FOUND_PROFILE]), 0, "times for it: what skipc bench --json --layers printed of this model" },
	{ "--gates FILE", FIELD(found[FOUND_GATES]), 0, "the same, of its gates: what skipc gates --json printed" },
	{ "--lesion FILE", FIELD(found[FOUND_LESION]), 0, "and what is lost without each block: what skipc lesion --json printed" },
	{ NULL, TOOLS, 0, "compile:" },
	{ "--main", FIELD(emit.main), 0,
		"also NAME_main.c, a program: PROG x0.npy ... -o y0.npy ..." },
	{ "--for-build", FIELD(emit.for_build), 0,
		"all of NAME.c NAME.h NAME_weights.c NAME_gemm.c, if need be without content, and NAME.d:\n"
		"a rule for make and ninja, of what they were made of" },
	{ "--weights=FORM", take_weights, 0, SHAPES,
		"text, rows, incbin or bin; by size unless given" },
	{ "--byte-order=O", take_order, 0, SHAPES,
		"of these but text: little (unless given) or big, that of the machine which runs it" },
	{ "--gemm=FORM", take_gemm, 0, SHAPES,
		"of --target=x86-64's small products: inline (libxsmm's machine code in the output),\n"
		"libxsmm-call (calls of an installed libxsmm; link -lxsmm)" },
	{ "--exact", FIELD(plan.exact), SHAPES,
		"no kernel that trades accuracy for speed (--target=c has none)" },
	{ "--winograd-weights=W", take_winograd, 0, SHAPES,
		"transformed by init (unless given), or file: written so, two to four times as large" },
	{ "--prepared-limit=BYTES", take_limit, 0, SHAPES,
		"most that init may fill with what it makes of the weights; where it gains the most first" },
	{ "--trace", FIELD(emit.trace), SHAPES,
		"the program can write every stored tensor (--trace-dir DIR)" },
	{ "--trace-gates", take_trace_gates, 0, SHAPES,
		"the same, and the gates of highways are stored, by which they are no longer fused" },
	{ NULL, TOOLS, 0, "diff:" },
	{ "--input FILE", TOOLS, 0, ".npy or .pb, once for each input; else random" },
	{ "--all-tensors", TOOLS, 0,
		"compare every tensor that survives, name the first that differs" },
	{ "--float64", TOOLS, 0, "distance of both sides from an evaluation in float64" },
	{ "--cc CC --cflags FLAGS --run 'COMMAND'", TOOLS, 0,
		"how to build and run, for other targets" },
	{ NULL, TOOLS, 0, "gates:" },
	{ "--input FILE", TOOLS, 0, ".npy, once for each input, of any number of rows; else random" },
	{ "--plot FILE --values FILE", TOOLS, 0, "a picture (.svg, .png); all gates as arrays (.npz)" },
	{ NULL, TOOLS, 0, "lesion:" },
	{ "--input FILE --labels FILE", TOOLS, 0,
		"the same; .npy of whole numbers, one a row: what is recognised counts, else how far outputs are" },
	{ "--alone --plot FILE", TOOLS, 0, "without each block alone; a picture" },
	{ NULL, TOOLS, 0, "bench:" },
	{ "--peers LIST", TOOLS, 0, "of ort,ort-precise,openvino,ncnn,mnn; ort unless given (of quantised models also\n"
		"ort-precise, which does not saturate, and openvino if installed)" },
	{ "--threads N --isa N --runs N", TOOLS, 0,
		"of all; of ours: 1 plain C, 2 AVX2, 3 AVX-512, 4 AVX-VNNI, 5 AVX-512 with VNNI; 15 unless given" },
	{ "--layers", TOOLS, 0, "each step's time, GFLOP/s, percent of the peak, bytes" },
	{ "--plot FILE", TOOLS, 0, "bars of the peers, or of the steps: .svg or .png" },
	{ NULL, TOOLS, 0, "tune:" },
	{ "--quick --rows LIST --isa N", TOOLS, 0,
		"fewer measurements; of some rows of kernels.def; on an instruction set" },
	{ "--check", TOOLS, 0, "time some networks with the table and without" },
};

static const struct row *const end_of_rows = rows + sizeof(rows) / sizeof(rows[0]);

void options_help(struct buf *out)
{
	enum { COLUMN = 19 };

	for (const struct row *r = rows; r < end_of_rows; r++) {
		const char *line = r->help;
		size_t at = r->usage != NULL ? strlen(r->usage) + 2 : 0, n;

		if (line == NULL)
			continue;
		buf_printf(out, at > 0 ? "  %s" : "%s", at > 0 ? r->usage : "");
		for (; *line != '\0'; line += n + (line[n] != '\0')) {
			n = strcspn(line, "\n");
			if (r->usage != NULL)
				buf_printf(out, at + 2 > COLUMN ? "\n%*s" : "%*s",
					at + 2 > COLUMN ? COLUMN : (int)(COLUMN - at), "");
			buf_add(out, line, n);
			at = COLUMN;
		}
		buf_puts(out, "\n");
	}
}

/* The row of the option that argv[*k] is: *value is its value, "" if it has none, *k its last word. Null: none. */
static const struct row *find_option(char **argv, int *k, const char **value)
{
	for (const struct row *r = rows; r < end_of_rows; r++) {
		const size_t n = r->usage != NULL ? strcspn(r->usage, " =") : 0;
		const bool wants_value = n > 0 && r->usage[n] != '\0';

		if ((r->take == NULL && r->field == 0) || strncmp(argv[*k], r->usage, n) != 0)
			continue;
		*value = argv[*k] + n;
		if (wants_value && **value == '=') {
			++*value;
			return r;
		}
		if (**value == '\0' && !wants_value)
			return r;
		if (**value == '\0' && argv[*k + 1] != NULL) {
			*value = argv[++*k];
			return r;
		}
	}
	return NULL;
}

/* Null, or what is wrong with the value. */
static const char *take(struct options *o, const struct row *r, const char *value)
{
	const int n = (int)strcspn(r->usage, " =");
	const char *wrong = r->take != NULL ? r->take(o, value) : NULL;
	void *field = (char *)o + r->field;

	if (r->take == NULL && r->usage[n] != '\0')
		*(const char **)field = value;
	else if (r->take == NULL)
		*(bool *)field = true;
	if (wrong == NULL && r->shapes)
		o->emit.settings = arena_printf(o->arena, "%s %.*s%.*s%s", o->emit.settings, n,
			r->usage, r->usage[n] != '\0', r->usage + n, setting_word(o->arena, value));
	return wrong;
}

/* Costs other than the target's, of whatever file they came: the output does not depend on that. */
static void note_costs(struct options *o)
{
	for (enum cost k = 0; k < COST_COUNT; k++)
		if (o->plan.cost[k] > 0.0 && o->plan.cost[k] != o->plan.target->cost[k])
			o->emit.settings = arena_printf(o->arena, "%s --cost %s=%s", o->emit.settings,
				cost_name(k), cost_text(o->arena, o->plan.cost[k]));
}

int options_parse(struct options *o, int argc, char **argv)
{
	o->plan.target = target_find("x86-64");
	o->emit.settings = "";
	for (int k = 2; k < argc; k++) {
		const char *value, *wrong;
		const struct row *r = find_option(argv, &k, &value);

		if (r != NULL) {
			wrong = take(o, r, value);
			if (wrong != NULL)
				return usage(wrong, value);
		} else if (argv[k][0] == '-') {
			return usage("unknown option, or one without its value: ", argv[k]);
		} else if (o->model != NULL) {
			return usage("more than one model: ", argv[k]);
		} else {
			o->model = argv[k];
		}
	}
	if (o->model == NULL)
		return usage("no model is given", "");
	if (o->emit.libxsmm_call && strcmp(o->plan.target->name, "x86-64") != 0)
		return usage("--gemm=libxsmm-call needs --target=x86-64", "");
	o->emit.main |= o->emit.trace;
	note_costs(o);
	o->emit.settings = arena_printf(
		o->arena, "--target=%s%s", o->plan.target->name, o->emit.settings);
	return 0;
}
