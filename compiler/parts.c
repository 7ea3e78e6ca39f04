/*
 * Kernels in parts, which threads may share: into how many each is cut, and the C text that hands
 * them out. The parts depend on shapes alone, never on the number of workers, so the bits do not
 * either.
 */
#include "kernel.h"

#include <math.h>
#include <string.h>

/* In multiply-adds of a perfect kernel, some 50 in a nanosecond. */
static const double MOVE = 8;       /* an element read or written */
static const double FETCH = 4;      /* one of the weights: they come in order, ahead of their use */
static const double CROSS = 32;     /* an element that another worker needs next, and has to get from this one */
static const double START = 20000;  /* a part taken and called */
static const double WORTH = 500000; /* kernels below are left whole: other threads hear of them too late */

enum { MOST_PARTS = 16 };

/* Rows before channels: workers take parts in order, and so each has a piece of the image, whatever
 * the layers are cut by. */
void share(struct kernel *k, const char *name, int64_t end, int64_t step, enum divides divides)
{
	int at = k->nshare;

	if (end <= step)
		return;
	if (k->nshare++ == MAX_SHARE)
		die("kernel %s has too many ranges", k->row->name);
	for (; at > 0 && k->share[at - 1].divides > divides; at--)
		k->share[at] = k->share[at - 1];
	k->share[at] = (struct share){ name, end, step, divides, 1 };
}

/* ---- how many ---- */

static int64_t units_of(const struct share *r)
{
	return (r->end + r->step - 1) / r->step;
}

static double elements(const struct kernel *k, bool constant)
{
	double sum = 0.0;

	for (int i = 0; i < k->narg; i++) {
		const struct region *r = &k->arg[i].region;
		bool is = r->buffer->kind == BUF_WEIGHTS || r->buffer->kind == BUF_TABLE;

		if (is == constant)
			sum += (double)shape_count(&r->shape);
	}
	return sum;
}

int part_count(const struct kernel *k)
{
	int count = 1;

	for (int i = 0; i < k->nshare; i++)
		count *= k->share[i].parts;
	return count;
}

/* The time that the slowest of so many workers takes. */
static double cost(const struct kernel *k, int workers)
{
	const int count = part_count(k), turns = (count + workers - 1) / workers;
	const double y = (double)shape_count(&k->dst.shape);
	double part = 1.0, rows = 1.0; /* what is in the largest part */
	int pieces = 1;                /* of the channels */

	for (int i = 0; i < k->nshare; i++) {
		const struct share *r = &k->share[i];
		int64_t largest = (units_of(r) + r->parts - 1) / r->parts * r->step;
		double size = largest < r->end ? (double)largest / (double)r->end : 1.0;

		part *= size;
		if (r->divides == DIVIDES_INPUT)
			rows *= size;
		else
			pieces *= r->parts;
	}
	const double work = (double)k->macs + MOVE * (elements(k, false) + (1.0 + k->noperand) * y);
	const int passes = (turns + pieces - 1) / pieces;
	const double channels = (double)turns / (passes * pieces); /* of a pass: the worker's own */

	return turns * (part * work + START) + FETCH * passes * channels * elements(k, true) +
	       CROSS * (1.0 - channels) * passes * rows * y;
}

/* Tries all numbers of parts for ranges i..; best: the cheapest so far, and `parts` its numbers. */
static void search(struct kernel *k, int i, double *best, int *parts)
{
	struct share *r = &k->share[i];

	if (i == k->nshare) {
		double c = cost(k, 2) + cost(k, 4);

		if (c >= *best)
			return;
		*best = c;
		for (int j = 0; j < k->nshare; j++)
			parts[j] = k->share[j].parts;
		return;
	}
	for (; r->parts <= units_of(r) && part_count(k) <= MOST_PARTS; r->parts++)
		search(k, i + 1, best, parts);
	r->parts = 1;
}

/* Only by rows: what one worker overwrites no other reads. */
static void keep_rows(struct kernel *k)
{
	int n = 0;

	for (int i = 0; i < k->nshare; i++)
		if (k->share[i].divides == DIVIDES_INPUT)
			k->share[n++] = k->share[i];
	k->nshare = n;
}

void cut(struct kernel *k)
{
	int parts[MAX_SHARE] = { 0 };
	double best = INFINITY;

	if (overwrites_input(k))
		keep_rows(k);
	if (k->nshare == 0 || cost(k, 1) < WORTH)
		return;
	search(k, 0, &best, parts);
	for (int i = 0; i < k->nshare; i++)
		k->share[i].parts = parts[i];
}

int cut_ranges(const struct kernel *k, const char **names)
{
	int n = 0;

	for (int i = 0; i < k->nshare; i++)
		if (k->share[i].parts > 1)
			names[n++] = k->share[i].name;
	return n;
}

/* ---- as C ---- */

const char *range_parameters(struct arena *a, const struct kernel *k)
{
	const char *names[MAX_SHARE], *text = "";
	int n = cut_ranges(k, names);

	for (int i = 0; i < n; i++)
		text = arena_printf(a, "%s, int %s_from, int %s_to", text, names[i], names[i]);
	return text;
}

/* Text before the first range's parameters. */
static const char *without_ranges(struct arena *a, const struct kernel *k, const char *parameters)
{
	const char *names[MAX_SHARE] = { "" };

	cut_ranges(k, names);
	const char *first = arena_printf(a, "%s_from", names[0]), *hit = parameters;

	for (const char *next; (next = strstr(hit + 1, first)) != NULL;)
		hit = next;
	while (*hit != ',')
		hit--;
	return arena_printf(a, "%.*s", (int)(hit - parameters), parameters);
}

/* `const float *restrict x` of the parameters as a member: no restrict, a line of its own. */
static void write_members(struct buf *out, const char *parameters)
{
	for (const char *s = parameters; *s != '\0';) {
		const char *end = s + strcspn(s, ",");
		const char *word = strstr(s, "restrict ");

		s += strspn(s, " \t\n");
		if (word != NULL && word < end)
			buf_printf(out, "\t%.*s%.*s;\n", (int)(word - s), s, (int)(end - word - 9),
				word + 9);
		else
			buf_printf(out, "\t%.*s;\n", (int)(end - s), s);
		s = end + (*end == ',');
	}
}

/* The arguments from the task, each with a comma; scratch, the one behind y, is the worker's. */
static void write_arguments(struct buf *out, const struct kernel *k, const char *names)
{
	bool scratch = false;

	for (const char *s = names; *s != '\0';) {
		size_t n = strcspn(s, ",");

		if (scratch)
			buf_printf(out, " scratch_of(worker, t->%.*s, t->others),", (int)n, s);
		else
			buf_printf(out, " t->%.*s,", (int)n, s);
		scratch = k->scratch > 0 && n == 1 && *s == 'y';
		s += n + strspn(s + n, ", ");
	}
}

/* `const int h = index / 2, k = index % 2;` and for each range where the part begins and ends. */
static void write_part(struct buf *out, const struct kernel *k, const char *name, const char *names)
{
	int inner = part_count(k);
	const char *between = "\tconst int ";

	buf_printf(out,
		"static void %s_part(void *task, int index, int worker)\n{\n"
		"\tconst struct %s_task *const t = task;\n",
		name, name);
	for (int i = 0; i < k->nshare; i++) {
		const struct share *r = &k->share[i];
		bool first = inner == part_count(k);

		if (r->parts == 1)
			continue;
		inner /= r->parts;
		buf_printf(out, "%s%s = index", between, r->name);
		if (inner > 1)
			buf_printf(out, " / %d", inner);
		if (!first)
			buf_printf(out, " %% %d", r->parts);
		between = ", ";
	}
	buf_puts(out, ";\n\n");
	if (k->scratch == 0)
		buf_puts(out, "\t(void)worker;\n");
	buf_printf(out, "\t%s_range(t->isa,", name);
	write_arguments(out, k, names);
	between = "\n\t\t";
	for (int i = 0; i < k->nshare; i++) {
		const struct share *r = &k->share[i];

		if (r->parts == 1)
			continue;
		for (int end = 0; end < 2; end++, between = ", ")
			buf_printf(out, "%spart_begin(%s%s, %d, %lld, %lld)", between, r->name,
				end ? " + 1" : "", r->parts, (long long)r->end, (long long)r->step);
	}
	buf_puts(out, ");\n\tleave(t->isa);\n}\n\n");
}

const char *parts_text(struct arena *a, const struct kernel *k, const char *name,
	const char *comment, const char *parameters, const char *names)
{
	struct buf b = { 0 };
	const char *own = without_ranges(a, k, parameters), *args = without_ranges(a, k, names);
	const char *others = k->scratch > 0 ? "others" : "";

	buf_printf(&b, "struct %s_task {\n\tint isa;\n", name);
	write_members(&b, own);
	buf_printf(&b, "%s};\n\n", k->scratch > 0 ? "\tfloat *others;\n" : "");
	write_part(&b, k, name, args);
	buf_printf(&b, "/* %s */\nstatic void %s(const struct %s *net, %s%s%s)\n{\n", comment, name,
		NETWORK, own, k->scratch > 0 ? ", float *" : "", others);
	buf_printf(&b, "\tstruct %s_task task = { net->isa, %s%s%s };\n\n", name, args,
		k->scratch > 0 ? ", " : "", others);
	buf_printf(&b, "\tif (net->parallel_for == NULL)\n\t\t%s_range(net->isa, %s", name, args);
	for (int i = 0; i < k->nshare; i++)
		if (k->share[i].parts > 1)
			buf_printf(&b, ", 0, %lld", (long long)k->share[i].end);
	buf_printf(&b,
		");\n\telse\n\t\tnet->parallel_for(net->parallel_context, %s_part, &task, "
		"%d);\n}\n",
		name, part_count(k));
	const char *text = arena_strdup(a, b.data);

	buf_release(&b);
	return text;
}
