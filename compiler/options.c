/* Reads the command line by the rows of options.def. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int usage(enum command of, const char *what, const char *value, const char *hint)
{
	struct arena a = { 0 };

	fprintf(stderr, "skipc: %s%s\n", what, escape(&a, value));
	if (hint != NULL)
		fprintf(stderr, "    hint: %s\n", hint);
	fprintf(stderr, "try skipc %s%s--help\n", of < COMMANDS ? command_name(of) : "",
		of < COMMANDS ? " " : "");
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
	if (o->plan.target != NULL)
		return NULL;
	for (int k = 0; target_names(k) != NULL; k++)
		o->hint = arena_printf(o->arena, "%s%s",
			k == 0 ? "there are " : arena_printf(o->arena, "%s, ", o->hint),
			target_names(k));
	return "no such target: ";
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

static const char *take_package(struct options *o, const char *value)
{
	o->emit.package = value;
	return package_known(value) ? NULL : "--package is arduino, zephyr or esp-idf, not ";
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

static const char *const names[] = {
#define COMMAND(name, words, says, more)       #name,
#define TOOL(name, program, words, says, more) #name,
#include "options.def"
};

#define OF(command)    (1u << CMD_##command)
#define SHAPED         (OF(compile) | OF(weights) | OF(inspect))
#define READS          (SHAPED | OF(paths))
#define RUNS           (OF(gates) | OF(lesion) | OF(diff) | OF(bench))
#define EVERY          ((1u << COMMANDS) - 1)
#define TAKE(function) function, 0
#define FIELD(member)  NULL, offsetof(struct options, member)
#define TOOLS          NULL, 0 /* of the commands that tools/ has, or for main() */
#define SHAPES         true

static const struct row rows[] = {
#define OPTION(...) { __VA_ARGS__ },
#include "options.def"
};

enum { NROW = sizeof(rows) / sizeof(rows[0]) };

const struct row *options_row(int k)
{
	return k < NROW ? &rows[k] : NULL;
}

const char *command_name(enum command of)
{
	return names[of];
}

enum command command_find(const char *name)
{
	int k = 0;

	while (k < COMMANDS && strcmp(names[k], name) != 0)
		k++;
	return (enum command)k;
}

/* ---- words, as getopt_long() reads them ---- */

/* What is left to read of a command line. */
struct words {
	enum command of;
	char **argv; /* ends with null */
	int k;
	const char *letters; /* of one word, behind the first; null: none are left */
	bool quiet;          /* nothing is said */
	bool behind;         /* "--" was there */
};

/* An option and its value, "" if it has none; or what is none, and row is null. */
struct given {
	const struct row *row;
	const char *value;
};

static int complain(const struct words *w, const char *what, const char *value, const char *hint)
{
	return w->quiet ? 2 : usage(w->of, what, value, hint);
}

/* Behind "--" of a program of tools/ stand options of skipc compile. */
static bool has(const struct words *w, const struct row *r)
{
	const unsigned compile = OF(compile);

	return ((r->of | r->behind) & (1u << w->of)) != 0 || (w->behind && (r->of & compile) != 0);
}

static int unknown(const struct words *w, const char *word)
{
	struct arena a = { 0 };
	struct near n = { .word = arena_printf(&a, "%.*s", (int)strcspn(word + 2, "="), word + 2) };
	const char *hint = NULL;
	int status;

	for (const struct row *r = rows; r < rows + NROW && word[1] == '-'; r++) {
		if (has(w, r))
			near_offer(&n, r->name);
		for (int k = 0; k < COMMANDS && hint == NULL && strcmp(r->name, n.word) == 0; k++)
			if ((r->of & 1u << k) != 0)
				hint = arena_printf(&a, "it is an option of skipc %s", names[k]);
	}
	if (n.best != NULL)
		hint = arena_printf(&a, "did you mean --%s?", n.best);
	status = complain(w, "unknown option: ", word, hint);
	arena_release(&a);
	return status;
}

/* The row of --name, or of its beginning where that is the beginning of no other; else 2, said. */
static int find_long(const struct words *w, const char *word, const struct row **found)
{
	const size_t n = strcspn(word + 2, "=");
	const struct row *one = NULL;

	for (const struct row *r = rows; r < rows + NROW; r++)
		if (has(w, r) && strncmp(r->name, word + 2, n) == 0 && r->name[n] == '\0')
			one = r;
	for (const struct row *r = rows; r < rows + NROW && (one == NULL || one->name[n] != '\0');
		r++) {
		if (!has(w, r) || strncmp(r->name, word + 2, n) != 0)
			continue;
		if (one != NULL && strcmp(one->name, r->name) != 0)
			return complain(w, "more than one option begins so: ", word, NULL);
		one = r;
	}
	if (one == NULL)
		return unknown(w, word);
	*found = one;
	return 0;
}

/* The value of an option; inside: what stands in the same word, or null. */
static int find_value(struct words *w, const char *word, const char *inside, struct given *g)
{
	const struct row *r = g->row;

	g->value = inside != NULL ? inside : "";
	if (r->value == NULL)
		return inside == NULL ? 0 : complain(w, "this option has no value: ", word, NULL);
	if (inside == NULL && w->argv[w->k] == NULL) {
		struct arena a = { 0 };
		const int status = complain(w, "an option without its value: ", word,
			arena_printf(&a, "it is --%s%s", r->name, r->value));

		arena_release(&a);
		return status;
	}
	if (inside == NULL)
		g->value = w->argv[w->k++];
	return 0;
}

static int next_letter(struct words *w, struct given *g)
{
	const char word[] = { '-', *w->letters++, '\0' };

	for (g->row = rows; g->row < rows + NROW; g->row++)
		if (has(w, g->row) && g->row->letter == word[1]) {
			const char *rest = g->row->value != NULL && *w->letters != '\0' ? w->letters
											: NULL;

			if (rest != NULL || *w->letters == '\0')
				w->letters = NULL;
			return find_value(w, word, rest, g);
		}
	return unknown(w, word);
}

/* The next of w, of which there is one. 0, or 2: what is wrong was said. */
static int next_word(struct words *w, struct given *g)
{
	char *word;

	if (w->letters != NULL)
		return next_letter(w, g);
	word = w->argv[w->k++];
	*g = (struct given){ NULL, word };
	if (word[0] != '-' || word[1] == '\0')
		return 0;
	if (word[1] != '-') {
		w->letters = word + 1;
		return next_letter(w, g);
	}
	const int status = find_long(w, word, &g->row);

	return status != 0 ? status
			   : find_value(w, word,
				     strchr(word, '=') != NULL ? strchr(word, '=') + 1 : NULL, g);
}

/* Whether there is another one; passes over "--". */
static bool more_words(struct words *w)
{
	while (w->letters == NULL && w->argv[w->k] != NULL && !w->behind &&
		strcmp(w->argv[w->k], "--") == 0) {
		w->behind = true;
		w->k++;
	}
	return w->letters != NULL || w->argv[w->k] != NULL;
}

char options_asked(enum command of, int argc, char **argv)
{
	struct words w = { .of = of, .argv = argv, .k = 2, .quiet = true };
	struct given g;

	if (argc < 2)
		return 0;
	while (more_words(&w) && !w.behind && next_word(&w, &g) == 0)
		if (g.row != NULL && (g.row->letter == 'h' || g.row->letter == 'V'))
			return g.row->letter;
	return 0;
}

/* Null, or what is wrong with the value. */
static const char *take(struct options *o, const struct row *r, const char *value)
{
	const char *wrong = r->take != NULL ? r->take(o, value) : NULL;
	void *field = (char *)o + r->field;

	if (r->take == NULL && r->field != 0 && r->value != NULL)
		*(const char **)field = value;
	else if (r->take == NULL && r->field != 0)
		*(bool *)field = true;
	if (wrong == NULL && r->shapes)
		o->emit.settings = arena_printf(o->arena, "%s --%s%.1s%s", o->emit.settings,
			r->name, r->value != NULL ? r->value : "", setting_word(o->arena, value));
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

/* One word of the command line. 0, or the exit status. */
static int take_word(struct options *o, const struct words *w, const struct given *g)
{
	if (g->row != NULL) {
		const char *wrong = take(o, g->row, g->value);

		return wrong != NULL ? usage(w->of, wrong, g->value, o->hint) : 0;
	}
	if (o->model != NULL)
		return usage(w->of, "more than one model: ", g->value, NULL);
	o->model = g->value;
	return 0;
}

/* Which programs of tools/ there are. */
static const bool is_tool[] = {
#define COMMAND(name, words, says, more)       false,
#define TOOL(name, program, words, says, more) true,
#include "options.def"
};

/* The words of a command that takes what stands behind "--" as they are, unless a program of tools/ runs it. */
static int read_words(struct options *o, struct words *w, struct given *g, int *n)
{
	while (more_words(w)) {
		int status = 0;

		if (w->behind && !is_tool[w->of] && w->letters == NULL)
			g[*n] = (struct given){ NULL, w->argv[w->k++] };
		else
			status = next_word(w, &g[*n]);
		if (status == 0)
			status = take_word(o, w, &g[*n]);
		if (status != 0)
			return status;
		++*n;
	}
	return 0;
}

static int read_options(
	struct options *o, enum command of, int argc, char **argv, struct given *g, int *n)
{
	struct words w = { .of = of, .argv = argv, .k = argc < 2 ? argc : 2 };

	o->emit.settings = "";
	*n = 0;
	const int status = read_words(o, &w, g, n);

	if (status != 0)
		return status;
	const bool alone = of == CMD_tune || of == CMD_ops;

	if (o->model == NULL && !alone)
		return usage(of, "no model is given", "", NULL);
	if (o->model != NULL && alone)
		return usage(of,
			of == CMD_ops ? "ops takes no model: " : "tune has networks of its own, and takes no model: ",
			o->model, NULL);
	if (o->plan.target == NULL)
		o->plan.target = target_find(o->emit.package != NULL ? "c" : "x86-64");
	if (o->emit.package != NULL && (o->emit.main || o->emit.trace))
		return usage(of, "--main is a program, and --package part of one", "", NULL);
	if (o->emit.libxsmm_call && strcmp(o->plan.target->name, "x86-64") != 0)
		return usage(of, "--gemm=libxsmm-call needs --target=x86-64", "", NULL);
	return 0;
}

/* As many as words can be: each letter of a word may be an option. */
static struct given *room_for(struct arena *a, int argc, char **argv)
{
	size_t n = 1;

	for (int k = 2; k < argc; k++)
		n += strlen(argv[k]) + 1;
	return arena_alloc(a, n * sizeof(struct given));
}

int options_parse(struct options *o, enum command of, int argc, char **argv)
{
	int n;
	const int status = read_options(o, of, argc, argv, room_for(o->arena, argc, argv), &n);

	if (status != 0)
		return status;
	o->emit.main |= o->emit.trace;
	note_costs(o);
	o->emit.settings = arena_printf(
		o->arena, "--target=%s%s", o->plan.target->name, o->emit.settings);
	return 0;
}

int options_hand(
	struct arena *a, enum command of, int argc, char **argv, const char ***words, int *n)
{
	struct options o = { .arena = a, .passes = "" };
	struct given *g = room_for(a, argc, argv);
	int count;
	const int status = read_options(&o, of, argc, argv, g, &count);
	bool begun = false;

	*n = 0;
	*words = arena_alloc(a, (size_t)(count + 2) * sizeof(**words));
	for (int own = 1; own >= 0; own--)
		for (int k = 0; k < count; k++) {
			const struct row *r = g[k].row;

			if ((r == NULL || (r->of & 1u << of) != 0) != own)
				continue;
			if (!own && !begun)
				(*words)[(*n)++] = "--";
			begun |= !own;
			(*words)[(*n)++] = r == NULL          ? g[k].value
					   : r->value == NULL ? arena_printf(a, "--%s", r->name)
							      : arena_printf(a, "--%s=%s", r->name,
									g[k].value);
		}
	return status;
}
