/*
 * The order of the steps: the lexicographically first one (nearest to the order given) whose peak
 * of live bytes is the least of all orders. Steps comparable with all others cut the problem into
 * segments, which are searched apart, and only where the given order exceeds what is unavoidable.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#ifndef DIV
#define DIV 2
#endif
enum {
	MAX_STATES = 1 << 18, /* of all searches together.. */
	MAX_WORDS = 1 << 22,  /* ..the words of their sets.. */
	MAX_SCANS = 1 << 26,  /* ..and steps looked at */
	MAX_GREEDY = 4096     /* steps of a segment that the quadratic list schedule takes */
};

/* Steps [first, end), all after every step before them and before every step after them. */
struct segment {
	int first, end;
	int64_t live; /* bytes before it */
	int64_t peak; /* of its order in mem_result */
};

/* Sets of steps are arrays of words of which the first says to which search they belong. */
struct search {
	struct planner *m;
	struct segment *segment;
	int nsegment;
	int *table; /* open hash of the states seen: where in words, from 1 */
	uint64_t *words;
	int nwords, nsearch;
	int64_t states, scans;
	bool gave_up;
	int64_t above;        /* the least peak over the ceiling that was met */
	int *order, *end;     /* by depth: the step taken; after the last one to try */
	int64_t *live, *peak; /* by depth: bytes before it, and at most until then */
};

/* ---- live bytes ---- */

static bool has_bit(const uint64_t *set, int k)
{
	return (set[1 + k / 64] >> (k % 64) & 1) != 0;
}

static void flip_bit(uint64_t *set, int k)
{
	set[1 + k / 64] ^= UINT64_C(1) << (k % 64);
}

static int word_count(const struct segment *g)
{
	return 1 + (g->end - g->first + 63) / 64;
}

/* Whether step k is done where all steps before segment g are, and those of g in set. */
static bool is_done(const struct segment *g, const uint64_t *set, int k)
{
	return k < g->first || (k < g->end && has_bit(set, k - g->first));
}

/* A step of the segment that k comes right after and that is not done, or -1. */
static int missing_before(
	const struct planner *m, const struct segment *g, const uint64_t *set, int k)
{
	for (int i = m->access_at[k]; i < m->access_at[k + 1]; i++) {
		const struct access *x = &m->access[i];

		for (int j = first_before(x); j >= 0; j = next_before(m, x, j))
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
			e.peak -= bytes;
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
	int *early = NEW(&m->tmp, int, n); /* by step: the first of its direct successors */
	int *late = NEW(&m->tmp, int, n);  /* the last of its predecessors */

	for (int k = 0; k < n; k++) {
		early[k] = n;
		late[k] = -1;
	}
	for (int i = 0; i < m->access_at[n]; i++) {
		const struct access *x = &m->access[i];

		for (int j = first_before(x); j >= 0; j = next_before(m, x, j)) {
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

/* Splits the steps, and walks the given order. The bytes that no order avoids. */
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
		int64_t own = m->scratch[k];

		for (int i = m->access_at[k]; i < m->access_at[k + 1]; i++)
			own += m->p->bytes[m->access[i].buffer];
		if (m->may_take[k])
			own -= m->p->bytes[m->p->step[k].write];
		least = max64(least, cut[k] ? e.peak : own);
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
	for (size_t i = (size_t)hash;; i++) {
		int *slot = &s->table[i & (2 * MAX_STATES - 1)];

		if (*slot == 0) {
			s->gave_up = s->states == MAX_STATES || s->scans >= MAX_SCANS ||
				     s->nwords + count > MAX_WORDS;
			if (s->gave_up)
				return false;
			memcpy(s->words + s->nwords, set, size);
			*slot = s->nwords + 1;
			s->nwords += count;
			s->states++;
			return true;
		}
		const uint64_t *other = s->words + *slot - 1;
		if (other[0] == set[0] && memcmp(other, set, size) == 0)
			return false;
	}
}

/*
 * The steps to try at this depth are those from the result to end[depth]. A ready step that keeps
 * below the ceiling and leaves no more live than before may run at once: put first in any order
 * that completes the set, it raises no other step's live bytes. So nothing after it need be tried,
 * and nothing before it, unless the lexicographically first order is wanted.
 */
static int enter(struct search *s, const struct segment *g, const uint64_t *set, int depth,
	int64_t ceiling, bool lexical)
{
	s->end[depth] = g->end;
	s->scans += g->end - g->first;
	for (int k = g->first; k < g->end; k++) {
		if (!is_ready(s->m, g, set, k))
			continue;
		const struct effect e = run_step(s->m, g, set, k, s->live[depth]);

		if (e.peak > ceiling || e.live > s->live[depth])
			continue;
		s->end[depth] = k + 1;
		return lexical ? g->first : k;
	}
	return g->first;
}

/* Whether an order of the segment keeps to the ceiling; it is in s->order. */
static bool search(struct search *s, const struct segment *g, int64_t ceiling, bool lexical)
{
	const int count = g->end - g->first;
	uint64_t *set = NEW(&s->m->tmp, uint64_t, word_count(g));
	int depth = 0;

	set[0] = (uint64_t)s->nsearch++;
	s->above = INT64_MAX;
	s->live[0] = g->live;
	for (int k = enter(s, g, set, 0, ceiling, lexical); depth < count;) {
		for (; k < s->end[depth]; k++) {
			if (!is_ready(s->m, g, set, k))
				continue;
			const struct effect e = run_step(s->m, g, set, k, s->live[depth]);

			s->live[depth + 1] = e.live;
			s->peak[depth + 1] = max64(s->peak[depth], e.peak);
			flip_bit(set, k - g->first);
			if (e.peak <= ceiling && visit(s, set, word_count(g)))
				break;
			flip_bit(set, k - g->first);
			if (e.peak > ceiling && e.peak < s->above)
				s->above = e.peak;
		}
		if (s->gave_up || (k == s->end[depth] && depth == 0))
			return false;
		if (k < s->end[depth]) {
			s->order[depth++] = k;
			if (depth < count)
				k = enter(s, g, set, depth, ceiling, lexical);
		} else {
			k = s->order[--depth];
			flip_bit(set, k++ - g->first);
		}
	}
	return true;
}

/* Depth first from the last step back: what a branch needs, before another branch begins. */
static int64_t deep_order(struct search *s, const struct segment *g)
{
	const struct planner *m = s->m;
	const int count = g->end - g->first;
	uint64_t *set = NEW(&s->m->tmp, uint64_t, word_count(g));
	int *stack = NEW(&s->m->tmp, int, count), n = 0;
	int64_t live = g->live, peak = 0;

	for (int k = g->end - 1, depth = 0; n < count;) {
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
		s->order[n++] = top;
	}
	return peak;
}

/* ---- all segments ---- */

static void take_order(const struct search *s, struct segment *g, int64_t peak, int *order)
{
	g->peak = peak;
	memcpy(order + g->first, s->order, (size_t)(g->end - g->first) * sizeof(*order));
}

/* Searches one segment. What is proved to be unavoidable, at least `least`. */
static int64_t search_segment(struct search *s, struct segment *g, int64_t least, int *order)
{
	const int64_t peak = deep_order(s, g);
	if (peak < g->peak)
		take_order(s, g, peak, order);
	while (least < g->peak && !s->gave_up) {
		if (search(s, g, least + (g->peak - 1 - least) / DIV, false))
			take_order(s, g, max64(least, s->peak[g->end - g->first]), order);
		else if (!s->gave_up)
			least = s->above;
	}
	return least;
}

static int by_peak(const void *x, const void *y)
{
	const struct segment *g = *(struct segment *const *)x, *h = *(struct segment *const *)y;

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
		.table = NEW(&m->tmp, int, 2 * MAX_STATES),
		.words = NEW(&m->tmp, uint64_t, MAX_WORDS),
		.order = NEW(&m->tmp, int, n),
		.end = NEW(&m->tmp, int, n),
		.live = NEW(&m->tmp, int64_t, n + 1),
		.peak = NEW(&m->tmp, int64_t, n + 1),
	};
	int64_t least = find_segments(&s);
	struct segment **worst = NEW(&m->tmp, struct segment *, s.nsegment);
	int nworst = 0;

	for (int k = 0; k < n; k++)
		r->order[k] = k;
	for (int i = 0; i < s.nsegment; i++)
		worst[i] = &s.segment[i];
	qsort(worst, (size_t)s.nsegment, sizeof(*worst), by_peak);
	for (; nworst < s.nsegment && worst[nworst]->peak > least; nworst++)
		least = search_segment(&s, worst[nworst], least, r->order);
	r->cert.bound = least;
	for (int i = 0; i < s.nsegment; i++)
		r->cert.bound = max64(r->cert.bound, s.segment[i].peak);
	r->cert.all_orders = r->cert.bound == least;
	for (int i = 0; i < nworst; i++)
		if (search(&s, worst[i], r->cert.bound, true))
			take_order(&s, worst[i], r->cert.bound, r->order);
	r->cert.orders = n + s.states;
}
