/* Who computes what for whom: steps by what they write and read, and blocks by their steps. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

/* What lists are made of: kernel k goes to list key, kernels ascending. */
struct pairs {
	int *key, *kernel, *last; /* last: by key, the kernel that went there last, from 1 */
	int n, nkey;
};

static void pair(struct pairs *v, int key, int kernel)
{
	if (v->last[key] == kernel + 1)
		return;
	v->last[key] = kernel + 1;
	v->key[v->n] = key;
	v->kernel[v->n++] = kernel;
}

static struct pairs pairs_of(struct arena *a, int nkey, int64_t most)
{
	return (struct pairs){ .key = arena_alloc(a, (size_t)(most + 1) * sizeof(int)),
		.kernel = arena_alloc(a, (size_t)(most + 1) * sizeof(int)),
		.last = arena_alloc(a, (size_t)(nkey + 1) * sizeof(int)),
		.nkey = nkey };
}

static struct lists lists_of(struct arena *a, const struct pairs *v)
{
	struct lists l = { .begin = arena_alloc(a, (size_t)(v->nkey + 2) * sizeof(int)),
		.of = arena_alloc(a, (size_t)(v->n + 1) * sizeof(int)) };
	int *next = arena_alloc(a, (size_t)(v->nkey + 1) * sizeof(int));

	for (int i = 0; i < v->n; i++)
		l.begin[v->key[i] + 1]++;
	for (int k = 0; k < v->nkey; k++)
		next[k] = l.begin[k + 1] += l.begin[k];
	for (int k = v->nkey; k > 0; k--)
		next[k] = next[k - 1];
	next[0] = 0;
	for (int i = 0; i < v->n; i++)
		l.of[next[v->key[i]]++] = v->kernel[i];
	return l;
}

/* ---- the flow ---- */

static void find_accesses(struct flow *f, struct arena *a)
{
	const struct plan *p = f->plan;
	struct pairs writes = pairs_of(a, p->nbuffer, p->nkernel), reads;
	int64_t most = 0;

	for (int i = 0; i < p->nkernel; i++)
		most += p->kernel[i]->narg + p->kernel[i]->noperand;
	reads = pairs_of(a, p->nbuffer, most);
	for (int i = 0; i < p->nkernel; i++) {
		const struct kernel *k = p->kernel[i];

		pair(&writes, k->dst.buffer->id, i);
		for (int j = 0; j < k->narg; j++)
			pair(&reads, k->arg[j].region.buffer->id, i);
		for (int j = 0; j < k->noperand; j++)
			pair(&reads, k->operand[j].region.buffer->id, i);
	}
	f->writers = lists_of(a, &writes);
	f->readers = lists_of(a, &reads);
}

static void find_nodes(struct flow *f, struct arena *a)
{
	const struct plan *p = f->plan;
	struct pairs v;
	int64_t most = 0;

	for (int i = 0; i < p->nkernel; i++)
		most += p->kernel[i]->prov != NULL ? p->kernel[i]->prov->n : 0;
	v = pairs_of(a, p->graph->nonnx, most);
	for (int i = 0; i < p->nkernel; i++)
		for (int j = 0; p->kernel[i]->prov != NULL && j < p->kernel[i]->prov->n; j++)
			pair(&v, prov_at(p->kernel[i]->prov, j), i);
	f->by_node = lists_of(a, &v);
}

/* What planner.c counts: buffers as long as they live, once where one takes over another, and scratch. */
static void find_live(struct flow *f, struct arena *a)
{
	const struct plan *p = f->plan;

	f->live = arena_alloc(a, (size_t)(p->nkernel + 1) * sizeof(int64_t));
	for (int i = 0; i < p->nbuffer; i++) {
		const struct buffer *b = p->buffer[i];

		if (b->kind != BUF_ARENA || b->first < 0)
			continue;
		f->live[b->first] += arena_bytes(b->bytes);
		f->live[b->last + 1] -= arena_bytes(b->bytes);
	}
	for (int i = 1; i < p->nkernel; i++)
		f->live[i] += f->live[i - 1];
	for (int i = 0; i < p->nkernel; i++) {
		const struct kernel *k = p->kernel[i];

		f->live[i] += arena_bytes(k->scratch) - (k->in_place != NULL ? arena_bytes(k->in_place->bytes) : 0);
	}
}

static int by_output(const void *x, const void *y)
{
	const struct onnx_node *const *a = x, *const *b = y;
	const int order = strcmp((*a)->output, (*b)->output);

	return order != 0 ? order : *a < *b ? -1 : *a > *b;
}

static int has_output(const void *name, const void *node)
{
	const struct onnx_node *const *n = node;

	return strcmp(name, (*n)->output);
}

void flow_begin(struct flow *f, struct arena *a, const struct plan *p)
{
	const struct graph *g = p->graph;

	*f = (struct flow){ .plan = p, .join = blocks_join(a, p) };
	find_accesses(f, a);
	find_nodes(f, a);
	find_live(f, a);
	f->output = arena_alloc(a, (size_t)(g->nonnx + 1) * sizeof(*f->output));
	for (int i = 0; i < g->nonnx; i++)
		f->output[i] = &g->onnx[i];
	qsort(f->output, (size_t)g->nonnx, sizeof(*f->output), by_output);
}

/* ---- blocks ---- */

static int ascending(const void *x, const void *y)
{
	const int *a = x, *b = y;

	return (*a > *b) - (*a < *b);
}

int flow_block(const struct flow *f, struct arena *a, int block, int **kernel)
{
	const struct prov *nodes = f->plan->graph->block[block].nodes;
	const struct lists *l = &f->by_node;
	int most = 0, n = 0, kept = 0;

	for (int i = 0; nodes != NULL && i < nodes->n; i++)
		most += l->begin[prov_at(nodes, i) + 1] - l->begin[prov_at(nodes, i)];
	int *v = arena_alloc(a, (size_t)(most + 1) * sizeof(int));

	for (int i = 0; nodes != NULL && i < nodes->n; i++)
		for (int j = l->begin[prov_at(nodes, i)]; j < l->begin[prov_at(nodes, i) + 1]; j++)
			v[n++] = l->of[j];
	qsort(v, (size_t)n, sizeof(int), ascending);
	for (int i = 0; i < n; i++)
		if (i == 0 || v[i] != v[i - 1])
			v[kept++] = v[i];
	*kernel = v;
	return kept;
}

/* The last of a list that is not behind kernel k; -1: none. */
static int last_until(const struct lists *l, int key, int k)
{
	int low = l->begin[key], high = l->begin[key + 1];

	while (low < high) {
		const int middle = low + (high - low) / 2;

		if (l->of[middle] <= k)
			low = middle + 1;
		else
			high = middle;
	}
	return low > l->begin[key] ? l->of[low - 1] : -1;
}

/* The operand or argument of k with that name; null: there is none. */
static const struct region *read_of(const struct kernel *k, const char *name)
{
	for (int i = 0; i < k->noperand; i++)
		if (strcmp(k->operand[i].tensor->name, name) == 0)
			return &k->operand[i].region;
	for (int i = 0; i < k->narg; i++)
		if (strcmp(k->arg[i].tensor->name, name) == 0)
			return &k->arg[i].region;
	return NULL;
}

/* The last kernel, and none of those, that computes something for k; -1: there is none. */
static int feeds(const struct flow *f, const struct kernel *k, const int *kernel, int n)
{
	int found = -1;

	for (int i = 0; i < k->narg + k->noperand; i++) {
		const struct arg *a = i < k->narg ? &k->arg[i] : &k->operand[i - k->narg];
		const int from = last_until(&f->writers, a->region.buffer->id, k->id - 1);

		if (from > found && bsearch(&from, kernel, (size_t)n, sizeof(int), ascending) == NULL)
			found = from;
	}
	return found;
}

int flow_source(const struct flow *f, int block, const int *kernel, int n)
{
	const struct block *b = &f->plan->graph->block[block];
	const struct kernel *join = f->join[block];
	const struct region *r = join != NULL ? read_of(join, b->shortcut) : NULL;

	if (r != NULL)
		return last_until(&f->writers, r->buffer->id, join->id - 1);
	if (join == NULL)
		return -1;
	const struct onnx_node **hit = bsearch(
		b->shortcut, f->output, (size_t)f->plan->graph->nonnx, sizeof(*f->output), has_output);
	const int made = hit != NULL ? last_until(&f->by_node, (int)(*hit - f->plan->graph->onnx), join->id) : -1;

	/* quantised: its name is that of a node which its readers stand for */
	return made < 0 || (made == join->id && b->kind != BLOCK_PROJECTION) ? feeds(f, join, kernel, n) : made;
}
