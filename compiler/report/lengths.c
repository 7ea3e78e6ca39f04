/*
 * skipc paths: how many paths a network has, by how many blocks they pass through. A path goes from an output back to an
 * input, and chooses one term of each sum and gate that it meets; what lies between (layers, also those with several
 * inputs) leaves no choice. Counted along the graph, so that time is polynomial where there are 2^n paths.
 */
#include "report/report.h"

#include <string.h>

enum { MOST_BYTES = 256 << 20 }; /* of numbers at a time */

static const int64_t most_work = 2000000000; /* words that are added */

/* What a value is computed of, back to the next sums and gates: their numbers, ascending in the order in which they were
 * met, and whether there is a way to an input without one. */
struct border {
	int *join, n;
	bool input;
};

struct walk {
	struct graph *g;
	struct arena arena;
	int *at;       /* by tensor: its join, from 1 */
	int *seen, stamp; /* by tensor */
	int *stack;
	int64_t steps, work, bytes;
	struct border **of_term; /* by join, of each term */
	struct border *of_output;
	int *readers;            /* by join: borders that have it, and are not counted yet */
	struct counts *counts;   /* by join, as long as it has such */
	bool failed;
};

static void begin(struct walk *w, struct graph *g)
{
	const size_t n = (size_t)g->ntensor + 1;

	*w = (struct walk){ .g = g, .steps = 500000 + 100 * (int64_t)g->nnode };
	w->at = arena_alloc(&w->arena, n * sizeof(int));
	w->seen = arena_alloc(&w->arena, n * sizeof(int));
	w->stack = arena_alloc(&w->arena, n * sizeof(int));
	w->of_term = arena_alloc(&w->arena, ((size_t)g->njoin + 1) * sizeof(*w->of_term));
	w->of_output = arena_alloc(&w->arena, ((size_t)g->noutput + 1) * sizeof(*w->of_output));
	w->readers = arena_alloc(&w->arena, ((size_t)g->njoin + 1) * sizeof(int));
	w->counts = arena_alloc(&w->arena, ((size_t)g->njoin + 1) * sizeof(*w->counts));
	for (int k = 0; k < g->njoin; k++)
		w->at[tensor_now(g->join[k].out)->id] = k + 1;
}

static struct border border_of(struct walk *w, const struct tensor *from)
{
	struct border b = { 0 };
	int depth = 0, *found = w->stack + w->g->ntensor;

	w->stamp++;
	w->seen[from->id] = w->stamp;
	w->stack[depth++] = from->id;
	while (depth > 0 && !w->failed) {
		const struct tensor *t = w->g->tensors[w->stack[--depth]];

		w->failed = --w->steps < 0;
		if (w->at[t->id] > 0) { /* kept at the end of the stack: each tensor is on it once */
			*found-- = w->at[t->id] - 1;
			b.n++;
			continue;
		}
		b.input = b.input || t->is_input;
		for (int k = 0; t->def != NULL && k < t->def->nin; k++) {
			const struct tensor *in = t->def->in[k];

			if (in == NULL || !is_runtime(in) || w->seen[in->id] == w->stamp)
				continue;
			w->seen[in->id] = w->stamp;
			w->stack[depth++] = in->id;
		}
	}
	b.join = arena_alloc(&w->arena, ((size_t)b.n + 1) * sizeof(int));
	for (int k = 0; k < b.n; k++) {
		b.join[k] = found[b.n - k];
		w->readers[b.join[k]]++;
	}
	return b;
}

/* The sum or gate that the node computes; -1: none. */
static int join_of(const struct walk *w, const struct node *n)
{
	return n->nout == 1 ? w->at[n->out[0]->id] - 1 : -1;
}

static void find_borders(struct walk *w)
{
	const struct graph *g = w->g;

	for (const struct node *n = g->first; n != NULL && !w->failed; n = n->next) {
		const int k = join_of(w, n);

		if (k < 0)
			continue;
		w->of_term[k] = arena_alloc(&w->arena, (size_t)g->join[k].nterm * sizeof(struct border));
		for (int i = 0; i < g->join[k].nterm; i++)
			w->of_term[k][i] = border_of(w, tensor_now(g->join[k].value[i]));
	}
	for (int k = 0; k < g->noutput && !w->failed; k++)
		w->of_output[k] = border_of(w, g->output[k]);
}

static int64_t bytes_of(const struct counts *c)
{
	return (int64_t)c->n * c->words * 4;
}

/* Adds the paths from behind a border, which have passed through so many blocks more. */
static void add_border(struct walk *w, struct counts *sum, const struct border *b, int longer)
{
	const int64_t before = bytes_of(sum);

	if (b->input) {
		struct counts one = { 0 };

		counts_one(&one);
		counts_add(sum, &one, longer);
		counts_release(&one);
	}
	for (int k = 0; k < b->n; k++) {
		struct counts *c = &w->counts[b->join[k]];

		w->work += (int64_t)c->n * c->words;
		counts_add(sum, c, longer);
		if (--w->readers[b->join[k]] == 0) {
			w->bytes -= bytes_of(c);
			counts_release(c);
		}
	}
	w->bytes += bytes_of(sum) - before;
	w->failed = w->failed || w->bytes > MOST_BYTES || w->work > most_work;
}

/* How many blocks term i passes through. */
static int blocks_of(const struct join *j, int i)
{
	int n = 0;

	for (int k = 0; k < j->nlevel; k++)
		n += j->through[k * j->nterm + i];
	return n;
}

static void count_joins(struct walk *w)
{
	for (const struct node *n = w->g->first; n != NULL && !w->failed; n = n->next) {
		const int k = join_of(w, n);
		const struct join *j = k >= 0 ? &w->g->join[k] : NULL;

		for (int i = 0; j != NULL && i < j->nterm && !w->failed; i++)
			add_border(w, &w->counts[k], &w->of_term[k][i], blocks_of(j, i));
	}
}

bool lengths_count(struct graph *g, struct lengths *l)
{
	struct walk w;

	begin(&w, g);
	find_borders(&w);
	count_joins(&w);
	l->n = g->noutput;
	l->of = arena_alloc(g->arena, ((size_t)l->n + 1) * sizeof(*l->of));
	for (int k = 0; k < l->n && !w.failed; k++)
		add_border(&w, &l->of[k], &w.of_output[k], 0);
	const bool tired = w.failed || g->tired;

	for (int k = 0; k < g->njoin; k++)
		counts_release(&w.counts[k]);
	arena_release(&w.arena);
	if (tired)
		model_error(g->diag, "a part of it, as a stage of its blocks, may have fewer",
			"the model has more or longer skips than paths are counted of");
	return !tired;
}

void lengths_release(struct lengths *l)
{
	for (int k = 0; k < l->n; k++)
		counts_release(&l->of[k]);
}

/* ---- what is said of them ---- */

/* Shares of the lengths, and what follows from them. */
struct summary {
	double *share, mean;
	int least, most;   /* lengths that there are; most below least: no path */
	int low, high;     /* at most 2.5 % of the paths are shorter, and as many longer */
};

static struct summary sum_up(struct arena *a, const struct counts *c)
{
	struct summary s = { .share = arena_alloc(a, ((size_t)c->n + 1) * sizeof(double)), .least = c->n, .most = -1 };
	struct counts total = counts_total(c);
	double below = 0.0, above = 0.0;

	for (int k = 0; k < c->n; k++) {
		s.share[k] = counts_share(c, k, &total);
		s.mean += k * s.share[k];
		if (counts_any(c, k)) { /* a share may be too small for a double */
			s.least = s.least < k ? s.least : k;
			s.most = k;
		}
	}
	for (s.low = s.least; s.low < s.most && below + s.share[s.low] <= 0.025; s.low++)
		below += s.share[s.low];
	for (s.high = s.most; s.high > s.low && above + s.share[s.high] <= 0.025; s.high--)
		above += s.share[s.high];
	counts_release(&total);
	return s;
}

/* Too long for a line is 1.23e+45. */
static const char *short_count(struct arena *a, const char *digits)
{
	const size_t n = strlen(digits);

	return n <= 18 ? digits : arena_printf(a, "%c.%.2se+%d", digits[0], digits + 1, (int)n - 1);
}

static void print_lengths(FILE *to, struct arena *a, const struct counts *c, const struct summary *s)
{
	static const char bar[] = "########################################";
	const double width = sizeof(bar) - 1;
	double most = 0.0;

	for (int k = 0; k < c->n; k++)
		most = s->share[k] > most ? s->share[k] : most;
	for (int k = 0; k < c->n; k++)
		if (s->share[k] >= most * 1e-3)
			fprintf(to, "        %6d %18s %9.4f %%  %.*s\n", k, short_count(a, counts_text(a, c, k)),
				100.0 * s->share[k], (int)(width * s->share[k] / most + 0.5), bar);
}

void report_lengths(FILE *to, const struct graph *g, const struct lengths *l)
{
	struct arena a = { 0 };

	fprintf(to, "model   %s\nblocks  %d, at %d sums and gates\n", escape(&a, g->diag->path), g->nblock, g->seen->njoin);
	for (int k = 0; k < l->n; k++) {
		const struct counts *c = &l->of[k];
		const struct summary s = sum_up(&a, c);
		struct counts total = counts_total(c);
		const char *name = escape(&a, g->seen->output[k]->name), *paths = counts_text(&a, &total, 0);

		counts_release(&total);
		if (s.most < 0) {
			fprintf(to, "output  \"%s\": no path from an input\n", name);
			continue;
		}
		fprintf(to, "output  \"%s\": %s path%s through %d to %d blocks, %.6g in the mean; 95 %% through %d to %d\n", name,
			short_count(&a, paths), strcmp(paths, "1") == 0 ? "" : "s", s.least, s.most, s.mean, s.low, s.high);
		if (s.most > 0)
			fprintf(to, "        blocks              paths       share\n");
		if (s.most > 0)
			print_lengths(to, &a, c, &s);
	}
	arena_release(&a);
}

static void put_counts(struct json *j, struct arena *a, const struct counts *c, const struct summary *s)
{
	struct counts total = counts_total(c);

	json_text(j, "paths", counts_text(a, &total, 0));
	counts_release(&total);
	json_id(j, "least", s->most < 0 ? -1 : s->least);
	json_id(j, "most", s->most);
	json_id(j, "low", s->most < 0 ? -1 : s->low);
	json_id(j, "high", s->most < 0 ? -1 : s->high);
	json_real(j, "mean", s->mean);
	json_key(j, "lengths");
	json_open(j, '[');
	for (int k = 0; k <= s->most; k++) {
		json_item(j);
		json_open(j, '{');
		json_number(j, "blocks", k);
		json_text(j, "paths", counts_text(a, c, k));
		json_real(j, "share", s->share[k]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void report_lengths_json(struct json *j, const struct graph *g, const struct lengths *l)
{
	enum { PATHS_FORMAT = 1 };
	struct arena a = { 0 };

	json_open(j, '{');
	json_number(j, "format", PATHS_FORMAT);
	json_text(j, "command", "paths");
	json_text(j, "skipc", SKIPC_VERSION);
	json_text(j, "model", g->diag->path);
	json_text(j, "sha256", g->sha256);
	json_number(j, "blocks", g->nblock);
	json_number(j, "joins", g->seen->njoin);
	json_key(j, "outputs");
	json_open(j, '[');
	for (int k = 0; k < l->n; k++) {
		const struct summary s = sum_up(&a, &l->of[k]);

		json_item(j);
		json_open(j, '{');
		json_text(j, "name", g->seen->output[k]->name);
		put_counts(j, &a, &l->of[k], &s);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
	fputc('\n', j->to);
	arena_release(&a);
}
