/*
 * The order of the steps: the lexicographically first one (nearest to the order given) whose peak
 * of live bytes is the least of all orders; where a search gives up, the best that was found. Steps
 * comparable with all others cut the problem into segments, which are searched apart, and only
 * where the given order exceeds what is unavoidable.
 */
#include "plan/planner.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_STATES = 1 << 18, /* of all searches together.. */
	MAX_WORDS = 1 << 22,  /* ..the words of their sets.. */
	MAX_SCANS = 1 << 26,  /* ..and the steps looked at */
	TABLE = 1 << 15
};

/* Steps [first, end), all after every step before them and before every step after them. */
struct segment {
	int first, end;
	int64_t live; /* bytes before it */
	int64_t peak; /* of its best order so far */
};

/* Where an order stands after so many steps. */
struct depth {
	int step, end;      /* the next one; after the last one to try */
	int64_t live, peak; /* bytes now, and at most until now */
};

/* A set of steps seen; the first word is the number of the search that it belongs to. */
struct state {
	struct state *next;
	uint64_t set[];
};

struct search {
	struct planner *m;
	struct segment *segment;
	int nsegment;
	struct depth *at;
	struct state **table;
	uint64_t nsearch;
	int64_t states, words, scans;
	bool gave_up;
	int64_t above; /* the least peak above the ceiling that was met */
};

/* ---- live bytes ---- */

static int word_count(const struct segment *g)
{
	return 1 + (g->end - g->first + 63) / 64;
}

static bool has_bit(const uint64_t *set, int k)
{
	return (set[1 + k / 64] >> (k % 64) & 1) != 0;
}

static void flip_bit(uint64_t *set, int k)
{
	set[1 + k / 64] ^= UINT64_C(1) << (k % 64);
}

/* Whether step k is done where all steps before segment g are, and those of g in set. */
static bool is_done(const struct segment *g, const uint64_t *set, int k)
{
	return k < g->first || (k < g->end && has_bit(set, k - g->first));
}

/* A step that k waits for and that is not done, or -1. */
static int missing_before(
	const struct planner *m, const struct segment *g, const uint64_t *set, int k)
{
	for (int i = m->access_at[k]; i < m->access_at[k + 1]; i++) {
		const struct access *x = &m->access[i];

		for (int j = x->after; j >= 0; j = next_wait(m, x, j))
			if (!is_done(g, set, m->access[j].step))
				return m->access[j].step;
	}
	return -1;
}

static bool is_ready(const struct planner *m, const struct segment *g, const uint64_t *set, int k)
{
	return !is_done(g, set, k) && missing_before(m, g, set, k) < 0;
}

struct effect {
	int64_t peak; /* live bytes while the step runs */
	int64_t live; /* after it */
};

/* What running step k does, where `live` bytes are live: a matter of the set, not of its order. */
static struct effect run_step(
	const struct planner *m, const struct segment *g, const uint64_t *set, int k, int64_t live)
{
	struct effect e = { live + m->scratch[k], live };

	for (int i = m->access_at[k]; i < m->access_at[k + 1]; i++) {
		const int b = m->access[i].buffer;
		const int64_t bytes = m->p->bytes[b];
		int j = m->last_access[b];

		while (j >= 0 && (j == i || is_done(g, set, m->access[j].step)))
			j = m->access[j].prev;
		if (m->access[i].prev < 0) { /* a write that all others depend on */
			e.peak += bytes;
			e.live += bytes;
		}
		if (j >= 0)
			continue;
		e.live -= bytes;
		if (m->may_take[k] && b == m->p->step[k].in_place)
			e.peak -= bytes - m->hold[k];
	}
	return e;
}

/* ---- segments ---- */

/*
 * Step v is comparable with all others if all steps before it are its ancestors and all after it
 * its descendants. By induction the latter holds if each of them has a direct predecessor at v or
 * later, and likewise the former.
 */
static bool *find_cuts(struct planner *m)
{
	const int n = m->p->nstep;
	bool *cut = NEW(&m->tmp, bool, n);
	int *early = NEW(&m->tmp, int, n); /* by step: the first that waits for it.. */
	int *late = NEW(&m->tmp, int, n);  /* ..and the last that it waits for */

	for (int k = 0; k < n; k++) {
		early[k] = n;
		late[k] = -1;
	}
	for (int i = 0; i < m->access_at[n]; i++) {
		const struct access *x = &m->access[i];

		for (int j = x->after; j >= 0; j = next_wait(m, x, j)) {
			const int from = m->access[j].step;

			early[from] = x->step < early[from] ? x->step : early[from];
			late[x->step] = from > late[x->step] ? from : late[x->step];
		}
	}
	for (int k = 0, reach = 0; k < n; k++) {
		cut[k] = reach <= k;
		reach = early[k] > reach ? early[k] : reach;
	}
	for (int k = n - 1, reach = n; k >= 0; k--) {
		cut[k] &= reach >= k;
		reach = late[k] < reach ? late[k] : reach;
	}
	return cut;
}

/* Splits the steps, and walks the given order. The bytes that steps need in every order. */
static int64_t find_segments(struct search *s)
{
	const struct planner *m = s->m;
	const bool *cut = find_cuts(s->m);
	int64_t live = 0, least = 0;

	s->segment = NEW(&s->m->tmp, struct segment, m->p->nstep);
	for (int k = 0; k < m->p->nstep; k++) {
		const struct segment before = { .first = k, .end = k };

		if (k == 0 || cut[k] || cut[k - 1])
			s->segment[s->nsegment++] = (struct segment){ .first = k, .live = live };
		struct segment *g = &s->segment[s->nsegment - 1];
		const struct effect e = run_step(m, &before, NULL, k, live);

		least = cut[k] ? max64(least, e.peak) : least;
		g->end = k + 1;
		g->peak = max64(g->peak, e.peak);
		live = e.live;
	}
	return least;
}

/* ---- the search for an order: depth first, through each set of steps done once ---- */

/* False: seen before in this search, or there is no room for more. */
static bool visit(struct search *s, const uint64_t *set, int count)
{
	const size_t size = (size_t)count * sizeof(*set);
	uint64_t hash = 0;

	for (int i = 0; i < count; i++) {
		hash = (hash ^ set[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	struct state **bucket = &s->table[hash % TABLE];
	for (const struct state *x = *bucket; x != NULL; x = x->next)
		if (x->set[0] == set[0] && memcmp(x->set, set, size) == 0)
			return false;
	s->gave_up = s->states == MAX_STATES || s->words > MAX_WORDS || s->scans > MAX_SCANS;
	if (s->gave_up)
		return false;
	struct state *new = arena_alloc(&s->m->tmp, sizeof(*new) + size);
	new->next = *bucket;
	memcpy(new->set, set, size);
	*bucket = new;
	s->words += count;
	s->states++;
	return true;
}

/*
 * The steps to try at this depth are those from the result to d->end. A ready step that keeps to
 * the ceiling and leaves no more live than before may run at once: put first in any order that
 * completes the set, it raises no other step's live bytes. So nothing after it need be tried, and
 * nothing before it, unless the lexicographically first order is wanted.
 */
static int enter(struct search *s, const struct segment *g, const uint64_t *set, struct depth *d,
	int64_t ceiling, bool lexical)
{
	d->end = g->end;
	s->scans += g->end - g->first;
	for (int k = g->first; k < g->end; k++) {
		if (!is_ready(s->m, g, set, k))
			continue;
		const struct effect e = run_step(s->m, g, set, k, d->live);

		if (e.peak > ceiling || e.live > d->live)
			continue;
		d->end = k + 1;
		return lexical ? g->first : k;
	}
	return g->first;
}

/* Takes the first step from k on that keeps to the ceiling and leads to a set not seen before. */
static bool advance(struct search *s, const struct segment *g, uint64_t *set, struct depth *d,
	int k, int64_t ceiling)
{
	for (; k < d->end && !s->gave_up; k++) {
		if (!is_ready(s->m, g, set, k))
			continue;
		const struct effect e = run_step(s->m, g, set, k, d->live);

		if (e.peak > ceiling) {
			s->above = e.peak < s->above ? e.peak : s->above;
			continue;
		}
		flip_bit(set, k - g->first);
		if (visit(s, set, word_count(g))) {
			d->step = k;
			d[1].live = e.live;
			d[1].peak = max64(d->peak, e.peak);
			return true;
		}
		flip_bit(set, k - g->first);
	}
	return false;
}

/* Whether an order of the segment keeps to the ceiling; then it is in s->at. */
static bool search(struct search *s, const struct segment *g, int64_t ceiling, bool lexical)
{
	uint64_t *set = NEW(&s->m->tmp, uint64_t, word_count(g));
	int depth = 0, k;

	set[0] = s->nsearch++;
	s->above = INT64_MAX;
	s->at[0] = (struct depth){ .live = g->live };
	k = enter(s, g, set, s->at, ceiling, lexical);
	while (depth < g->end - g->first) {
		if (advance(s, g, set, &s->at[depth], k, ceiling)) {
			depth++;
			k = enter(s, g, set, &s->at[depth], ceiling, lexical);
		} else if (depth == 0 || s->gave_up) {
			return false;
		} else {
			k = s->at[--depth].step;
			flip_bit(set, k++ - g->first);
		}
	}
	return true;
}

/* Depth first from the last step back: all that a branch needs, before another branch begins. */
static int64_t deep_order(struct search *s, const struct segment *g)
{
	const struct planner *m = s->m;
	const int count = g->end - g->first;
	uint64_t *set = NEW(&s->m->tmp, uint64_t, word_count(g));
	int *stack = NEW(&s->m->tmp, int, count);
	int64_t live = g->live, peak = 0;

	for (int k = g->end - 1, depth = 0, n = 0; n < count;) {
		if (depth == 0)
			stack[depth++] = k--;
		const int top = stack[depth - 1], before = missing_before(m, g, set, top);

		if (before >= 0) {
			stack[depth++] = before;
			continue;
		}
		depth--;
		if (has_bit(set, top - g->first))
			continue;
		const struct effect e = run_step(m, g, set, top, live);
		flip_bit(set, top - g->first);
		peak = max64(peak, e.peak);
		live = e.live;
		s->at[n++].step = top;
	}
	return peak;
}

/* ---- all segments ---- */

static void take_order(const struct search *s, struct segment *g, int64_t peak, int *order)
{
	g->peak = peak;
	for (int k = g->first; k < g->end; k++)
		order[k] = s->at[k - g->first].step;
}

/*
 * Searches one segment, and halves each time what lies between the least peak that is possible and
 * the least that was found. What is proved to be unavoidable, given that `least` is.
 */
static int64_t search_segment(struct search *s, struct segment *g, int64_t least, int *order)
{
	const int64_t peak = deep_order(s, g);

	if (peak < g->peak)
		take_order(s, g, peak, order);
	while (least < g->peak && !s->gave_up) {
		if (search(s, g, least + (g->peak - 1 - least) / 2, false))
			take_order(s, g, max64(least, s->at[g->end - g->first].peak), order);
		else if (!s->gave_up)
			least = s->above;
	}
	return least;
}

static int by_peak(const void *x, const void *y)
{
	const struct segment *g = x, *h = y;

	if (g->peak != h->peak)
		return g->peak > h->peak ? -1 : 1;
	return g->first - h->first;
}

/*
 * The worst segments are searched first: what they prove unavoidable spares the others the search.
 * If a search gave up, the bound is the largest live sum of the order chosen, which no placement of
 * that order undercuts but another order might.
 */
void memory_order(struct planner *m, struct mem_result *r)
{
	const int n = m->p->nstep;
	struct search s = {
		.m = m,
		.at = NEW(&m->tmp, struct depth, n + 1),
		.table = NEW(&m->tmp, struct state *, TABLE),
	};
	int64_t least = find_segments(&s);
	int searched = 0;

	for (int k = 0; k < n; k++)
		r->order[k] = k;
	qsort(s.segment, (size_t)s.nsegment, sizeof(*s.segment), by_peak);
	for (; searched < s.nsegment && s.segment[searched].peak > least; searched++)
		least = search_segment(&s, &s.segment[searched], least, r->order);
	r->cert.bound = least;
	for (int i = 0; i < s.nsegment; i++)
		r->cert.bound = max64(r->cert.bound, s.segment[i].peak);
	r->cert.all_orders = r->cert.bound == least;
	for (int i = 0; i < searched && !s.gave_up; i++)
		if (search(&s, &s.segment[i], r->cert.bound, true))
			take_order(&s, &s.segment[i], r->cert.bound, r->order);
	r->cert.orders = n + s.states;
}
