/*
 * The choice of a row of kernels.def for each kernel of the plan. The functions that rows name stand by kind in
 * kernel_*.c, and are made of setup.c.
 */
#include "kernels/kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct kernel_row rows[] = {
#define KERNEL(row, operator, machine, file, when, price, prepare)                                 \
	{ .name = #row,                                                                            \
		.op = #operator,                                                                   \
		.target = #machine,                                                                \
		.template = file,                                                                  \
		.applies = applies_##when,                                                         \
		.cost = cost_##price,                                                              \
		.setup = setup_##prepare },
#include "kernels/kernels.def"
};

static const char *anchor_name(const struct kernel *k)
{
	return k->anchor != NULL ? k->anchor->op->name : "";
}

/* Portable kernels serve every target. */
static bool serves(const struct kernel_row *r, const struct plan *p)
{
	return strcmp(r->target, "c") == 0 || target_has_vectors(p->target);
}

/* Bytes that init makes for k where the row computes it; the row applies. */
static int64_t prepared_bytes(const struct kernel_row *r, const struct kernel *k)
{
	static const struct {
		const char *row;
		void (*prepares)(const struct kernel *k, struct blob *b);
	} makers[] = {
#define PREPARES(row) { #row, prepares_##row },
#include "kernels/kernels.def"
	};
	struct blob b;

	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++)
		if (strcmp(makers[i].row, r->name) == 0) {
			makers[i].prepares(k, &b);
			return pack_prepared(&b);
		}
	return 0;
}

static const char left_out[] = "the costs leave it out";

/* Why the row does not compute k; null: it does, at that cost. */
static const char *objection(const struct kernel_row *r, const struct kernel *k, double *cost)
{
	const char *why = r->applies(k);

	if (why == NULL && k->unprepared && prepared_bytes(r, k) > 0)
		why = "what init makes for it goes beyond --prepared-limit";
	*cost = why == NULL ? r->cost(k) : 0.0;
	return why == NULL && *cost == 0.0 ? left_out : why;
}

/* The cheapest row that applies, and its cost; null: why the last one does not. */
static const struct kernel_row *cheapest(
	const struct plan *p, const struct kernel *k, double *cost, const char **why)
{
	const struct kernel_row *best = NULL;

	*cost = INFINITY;
	*why = "no kernel computes it";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct kernel_row *r = &rows[i];
		const char *against;
		double own;

		if (strcmp(r->op, anchor_name(k)) != 0 || !serves(r, p))
			continue;
		against = objection(r, k, &own);
		if (against != NULL) {
			*why = against;
		} else if (own < *cost) {
			best = r;
			*cost = own;
		}
	}
	return best;
}

double kernel_cost(const struct plan *p, const struct kernel *k)
{
	const char *why;
	double cost;

	cheapest(p, k, &cost, &why);
	return cost;
}

/* What a kernel gains by what init makes for it. */
struct gain {
	struct kernel *kernel;
	double a_byte;
	int64_t bytes;
};

static int by_gain(const void *a, const void *b)
{
	const struct gain *x = a, *y = b;

	if (x->a_byte != y->a_byte)
		return x->a_byte > y->a_byte ? -1 : 1;
	return x->kernel->id - y->kernel->id;
}

/* Leaves so many kernels prepared as the limit has room for. */
static void limit_prepared(struct plan *p)
{
	struct gain *gain = arena_alloc(p->arena, (size_t)(p->nkernel + 1) * sizeof(*gain));
	int64_t left = p->options->prepared_limit / 64 * 64 - 64; /* behind all: of what it is */
	int n = 0;

	for (int i = 0; i < p->nkernel; i++) {
		struct kernel *k = p->kernel[i];
		const char *why;
		double with, without;
		const struct kernel_row *r = cheapest(p, k, &with, &why);
		const int64_t bytes = r != NULL ? (prepared_bytes(r, k) + 63) / 64 * 64 : 0;

		if (bytes == 0)
			continue;
		k->unprepared = true;
		cheapest(p, k, &without, &why);
		gain[n++] = (struct gain){ k, (without - with) / (double)bytes, bytes };
	}
	qsort(gain, (size_t)n, sizeof(*gain), by_gain);
	for (int i = 0; i < n; i++)
		if (gain[i].bytes <= left) {
			left -= gain[i].bytes;
			gain[i].kernel->unprepared = false;
		}
}

/* The kernel that computes k by that row on other sets than k does. */
static struct kernel *other_of(struct plan *p, struct kernel *k, const struct kernel_row *row)
{
	struct kernel *o = k->other;

	while (o != NULL && o->row != row)
		o = o->other;
	if (o != NULL)
		return o;
	o = arena_alloc(p->arena, sizeof(*o));
	*o = *k;
	o->sets = 0;
	o->is_other = true;
	o->row = row;
	o->template = row->template;
	return k->other = o;
}

/* The cheapest row on each set. How many sets are to be told apart: those with products of bytes only where one of them
 * has another row than the set to which it adds them. */
static int rows_by_set(const struct plan *p, struct kernel *k, const struct kernel_row **row)
{
	const struct target *t = p->target;
	int n = t->nisa;

	for (int i = 0; i < t->nisa + t->ndots; i++) {
		const char *why;
		double cost;

		k->set = target_set(t, i);
		row[i] = cheapest(p, k, &cost, &why);
		k->set = NULL;
		for (int j = 0; j < t->nisa && i >= t->nisa; j++)
			if (strcmp(t->isa[j].suffix, target_set(t, i)->more) == 0 &&
				row[j] != row[i])
				n = t->nisa + t->ndots;
	}
	return n;
}

/* A kernel for the sets whose costs make another row the cheapest, k is for the rest. */
static void choose_others(struct plan *p, struct kernel *k)
{
	const struct kernel_row *row[MAX_ISA + MAX_DOTS];
	const int n = rows_by_set(p, k, row);
	unsigned others = 0;

	k->by_dots = n > p->target->nisa;
	for (int i = 0; i < n; i++) {
		if (row[i] == k->row)
			continue;
		struct kernel *o = other_of(p, k, row[i]);

		o->set = o->set != NULL ? o->set : target_set(p->target, i);
		o->sets |= 1U << i;
		others |= 1U << i;
	}
	k->sets = others != 0 ? ((1U << n) - 1) & ~others : 0;
	k->by_dots = others != 0 && k->by_dots;
}

static void choose(struct plan *p, struct kernel *k)
{
	const char *why;
	double cost;

	k->row = cheapest(p, k, &cost, &why);
	if (k->row == NULL) {
		node_error(p->graph, k->anchor,
			"skipc compiles what ResNets and highway networks are made of; see "
			"README.md",
			"%s cannot be compiled: %s", k->anchor->op->name, why);
		return;
	}
	choose_others(p, k);
	k->template = k->row->template;
	k->row->setup(p, k);
	p->macs += k->macs;
	for (struct kernel *o = k->other; o != NULL; o = o->other)
		o->row->setup(p, o);
}

void kernel_choose(struct plan *p)
{
	for (int k = 0; k < p->nkernel; k++)
		if (strcmp(anchor_name(p->kernel[k]), "Conv") == 0)
			p->filters += shape_count(&p->kernel[k]->anchor->in[1]->shape);
	if (p->options->limited)
		limit_prepared(p);
	for (int k = 0; k < p->nkernel; k++)
		choose(p, p->kernel[k]);
}

/* ---- weights that init makes ---- */

static const struct preparation {
	struct kernel_row row;
	void (*prepare)(struct plan *p, struct kernel *k, const struct blob *b);
} preparations[] = {
#define PREPARED(packing, elements, file, setup, words)                                            \
	[PACK_##packing] = { { .name = #setup, .target = "c", .template = file }, prepare_##setup },
#include "plan/packings.def"
};

void kernel_prepare(struct plan *p)
{
	for (int i = 0; i < p->nblob; i++) {
		struct blob *b = p->blob[i];
		struct kernel *k;

		if (b->buffer->kind != BUF_PREPARED)
			continue;
		k = arena_alloc(p->arena, sizeof(*k));
		*k = (struct kernel){ .id = p->ninit, .plan = p, .out = b->tensor[0], .prov = b->prov };
		p->init = plan_grown(p->arena, p->init, p->ninit, &p->init_cap);
		p->init[p->ninit++] = k;
		k->row = &preparations[b->packing].row;
		k->template = k->row->template;
		k->title = strrchr(k->template, '/') + 1;
		k->dst = region_dense(b->type, &(struct shape){ .rank = 1, .dim = { b->count } }, NULL);
		k->dst.buffer = b->buffer;
		preparations[b->packing].prepare(p, k, b);
		if (k->scratch > 0 || k->ngemm > 0)
			die("%s: a kernel of init has no scratch and no products", k->title);
	}
}

const char *kernel_sets(struct arena *a, const struct kernel *k)
{
	const char *text = NULL;
	const struct isa *set;

	for (int i = 0; k->sets != 0 && (set = target_set(k->plan->target, i)) != NULL; i++)
		if ((k->sets >> i & 1) != 0)
			text = text != NULL ? arena_printf(a, "%s, %s", text, set->suffix)
					    : set->suffix;
	return text;
}

bool kernel_candidate(const struct plan *p, const struct kernel *k, int *next, struct candidate *c)
{
	const int n = (int)(sizeof(rows) / sizeof(rows[0]));

	do {
		while (*next < n &&
			(strcmp(rows[*next].op, anchor_name(k)) != 0 || !serves(&rows[*next], p)))
			++*next;
		if (*next == n)
			return false;
		c->row = &rows[(*next)++];
		c->why = objection(c->row, k, &c->cost);
	} while (c->why == left_out);
	c->taken = c->row == k->row;
	if (c->why == NULL && !c->taken)
		c->why = "it costs more";
	return true;
}

void kernel_explain(FILE *to, const struct plan *p, const struct kernel *k)
{
	struct candidate c;

	for (int next = 0; kernel_candidate(p, k, &next, &c);) {
		fprintf(to, "        %s: %s", c.row->name, c.taken ? "taken" : c.why);
		fprintf(to, c.cost > 0.0 ? ", cost %.3g\n" : "\n", c.cost);
	}
}
