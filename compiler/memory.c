/*
 * The memory planner: the order of the steps, who takes over whose space, the offsets, and what is
 * proved of them.
 *
 * Order: the lexicographically first one (nearest to the order given) whose peak of live bytes is
 * the least of all orders; or the first that the search met, where that one packs better. Steps
 * comparable with all others cut the problem into segments, which are searched apart, and only
 * where the given order exceeds what is unavoidable anyway.
 *
 * A buffer is live from its first write to its last access. Two kinds are in no arena: those that
 * no step writes (graph inputs, offset -1), and those of no bytes (graph outputs: their offset says
 * nothing, but they order the steps).
 */
#include "skipc.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_STATES = 1 << 18,  /* of all order searches together.. */
	MAX_WORDS = 1 << 22,   /* ..and the words of their sets in one search */
	MAX_SCANS = 1 << 26,   /* steps looked at while expanding states */
	MAX_GREEDY = 4096,     /* steps of a segment that the quadratic list schedule takes */
	MAX_NODES = 200 * 1000, /* of an exact search for offsets.. */
	MAX_WORK = 1 << 27,    /* ..and the elements it looks at */
	MAX_EXACT = 1024,      /* areas of an exact search: its depth */
	MAX_SCRATCH_ALIGN = 64,
	MAX_LIVE = 64, /* areas live at once in a sweep; ways of placing them that it keeps.. */
	MAX_KEPT = 32,
	MAX_WAYS = 128, /* ..and looks at */
	MAX_SWEEPS = 6
};

/* Steps [first, end), all after every step before them and before every step after them. */
struct segment {
	int first, end;
	int64_t live;  /* bytes before it */
	int64_t given; /* peak in the given order */
	int64_t peak;  /* in `order` */
	int *order;    /* steps; null: the given order */
};

/* An access to a buffer. */
struct use {
	int step;
	bool reads;
};

struct planner {
	struct arena tmp;
	const struct mem_problem *p;
	int n;
	int *touch_at, *touch;	   /* by step: the buffers some step writes that it accesses */
	int *use_at;		   /* by buffer.. */
	struct use *use;	   /* ..its accesses, by step */
	int *writers;		   /* by buffer */
	bool *reads_own;	   /* by step: it reads what it writes */
	int *pred_at, *pred;	   /* by step: direct predecessors (enough for all dependencies) */
	int64_t *scratch;	   /* by step, rounded to align */
	int64_t align;		   /* power of two that all sizes are multiples of */
	bool *may_take;		   /* by step: in place in some order */
	struct segment *segment;
	int nsegment;
	int64_t states, scans; /* of the searches so far */
};

#define NEW(arena, type, count) ((type *)arena_alloc((arena), sizeof(type) * (size_t)(count)))

/* Makes room for one more element; the old array stays behind in the arena. */
static void *grow(struct arena *a, void *v, int n, int *cap, size_t size)
{
	if (n < *cap)
		return v;
	*cap = *cap > 0 ? 2 * *cap : 64;
	void *w = arena_alloc(a, (size_t)*cap * size);
	if (n > 0)
		memcpy(w, v, (size_t)n * size);
	return w;
}

static int64_t max64(int64_t x, int64_t y)
{
	return x > y ? x : y;
}

/* ---- the problem: accesses, dependencies ---- */

static void check_problem(const struct mem_problem *p)
{
	int64_t total = 0;

	for (int b = 0; b < p->nbuffer; b++) {
		if (p->bytes[b] < 0 || p->bytes[b] > INT64_MAX / 4 - total)
			die("memory: buffer %d has %lld bytes", b, (long long)p->bytes[b]);
		total += p->bytes[b];
	}
	for (int k = 0; k < p->nstep; k++) {
		const struct mem_step *s = &p->step[k];
		bool found = s->in_place < 0;

		if (s->write >= p->nbuffer || s->scratch < 0 || s->scratch > INT64_MAX / 4 - total)
			die("memory: step %d is not valid", k);
		total += s->scratch;
		for (int i = 0; i < s->nread; i++) {
			if (s->read[i] < 0 || s->read[i] >= p->nbuffer)
				die("memory: step %d reads buffer %d", k, s->read[i]);
			found |= s->read[i] == s->in_place;
		}
		if (!found)
			die("memory: step %d does not read the buffer it may take over", k);
	}
}

/*
 * Scratch rounded so that what is placed above it stays aligned: to the power of two that divides
 * all buffers, which is a multiple of their alignment, up to a cache line.
 */
static void round_scratch(struct planner *m)
{
	const struct mem_problem *p = m->p;
	m->align = MAX_SCRATCH_ALIGN;
	for (int b = 0; b < p->nbuffer; b++)
		while (p->bytes[b] % m->align != 0)
			m->align /= 2;
	m->scratch = NEW(&m->tmp, int64_t, m->n);
	for (int k = 0; k < m->n; k++)
		m->scratch[k] = (p->step[k].scratch + m->align - 1) / m->align * m->align;
}

/* Fills touch from the steps; use from touch. */
static void find_uses(struct planner *m)
{
	const struct mem_problem *p = m->p;
	int *seen = NEW(&m->tmp, int, p->nbuffer); /* by buffer: 1 + step that touched it last */
	int total = 0, nuse = 0;

	m->writers = NEW(&m->tmp, int, p->nbuffer);
	for (int k = 0; k < m->n; k++) {
		total += p->step[k].nread + 1;
		if (p->step[k].write >= 0)
			m->writers[p->step[k].write]++;
	}
	m->reads_own = NEW(&m->tmp, bool, m->n);
	m->touch_at = NEW(&m->tmp, int, m->n + 1);
	m->touch = NEW(&m->tmp, int, total);
	m->use_at = NEW(&m->tmp, int, p->nbuffer + 1);
	m->use = NEW(&m->tmp, struct use, total);
	for (int k = 0; k < m->n; k++) {
		for (int i = 0; i <= p->step[k].nread; i++) {
			const int b = i < p->step[k].nread ? p->step[k].read[i] : p->step[k].write;

			if (b < 0 || m->writers[b] == 0)
				continue;
			if (seen[b] == k + 1) {
				m->reads_own[k] |= b == p->step[k].write;
				continue;
			}
			seen[b] = k + 1;
			m->touch[nuse++] = b;
			m->use_at[b + 1]++;
		}
		m->touch_at[k + 1] = nuse;
	}
	for (int b = 0; b < p->nbuffer; b++)
		m->use_at[b + 1] += m->use_at[b];
	int *next = NEW(&m->tmp, int, p->nbuffer);
	for (int k = 0; k < m->n; k++) {
		for (int i = m->touch_at[k]; i < m->touch_at[k + 1]; i++) {
			const int b = m->touch[i];
			struct use *u = &m->use[m->use_at[b] + next[b]++];

			u->step = k;
			u->reads = b != p->step[k].write || m->reads_own[k];
		}
	}
}

struct edge {
	int from, to;
};

/*
 * The dependencies that a buffer makes: reader on the last writer before it, writer on the last
 * writer and the readers since. What the header asks for beyond that follows from these.
 */
static int buffer_edges(const struct planner *m, int b, struct edge *edge)
{
	int n = 0, writer = -1, since = m->use_at[b];

	for (int i = m->use_at[b]; i < m->use_at[b + 1]; i++) {
		const struct use *u = &m->use[i];
		const bool writes = m->p->step[u->step].write == b;

		if (u->reads && writer < 0)
			die("memory: step %d reads buffer %d before it is written", u->step, b);
		if (writer >= 0)
			edge[n++] = (struct edge){ writer, u->step };
		if (!writes)
			continue;
		for (int j = since; j < i; j++)
			edge[n++] = (struct edge){ m->use[j].step, u->step };
		writer = u->step;
		since = i + 1;
	}
	return n;
}

static void find_dependencies(struct planner *m)
{
	struct edge *edge = NEW(&m->tmp, struct edge, 2 * m->use_at[m->p->nbuffer]);
	int n = 0;

	for (int b = 0; b < m->p->nbuffer; b++)
		n += buffer_edges(m, b, edge + n);
	m->pred_at = NEW(&m->tmp, int, m->n + 1);
	m->pred = NEW(&m->tmp, int, n);
	for (int i = 0; i < n; i++)
		m->pred_at[edge[i].to + 1]++;
	for (int k = 0; k < m->n; k++)
		m->pred_at[k + 1] += m->pred_at[k];
	int *next = NEW(&m->tmp, int, m->n);
	for (int i = 0; i < n; i++)
		m->pred[m->pred_at[edge[i].to] + next[edge[i].to]++] = edge[i].from;
	m->may_take = NEW(&m->tmp, bool, m->n);
	for (int k = 0; k < m->n; k++) {
		const int w = m->p->step[k].write, b = m->p->step[k].in_place;

		m->may_take[k] = w >= 0 && b >= 0 && w != b && m->writers[w] == 1 &&
				 m->writers[b] > 0 && m->p->bytes[w] > 0 &&
				 m->p->bytes[w] == m->p->bytes[b];
	}
}

/* ---- live bytes ---- */

static bool has_bit(const uint64_t *set, int k)
{
	return (set[k / 64] >> (k % 64) & 1) != 0;
}

static void flip_bit(uint64_t *set, int k)
{
	set[k / 64] ^= UINT64_C(1) << (k % 64);
}

/* Whether step k is done where all steps before segment g are, and those of g in set. */
static bool is_done(const struct segment *g, const uint64_t *set, int k)
{
	return k < g->first || (k < g->end && has_bit(set, k - g->first));
}

static bool is_ready(const struct planner *m, const struct segment *g, const uint64_t *set, int k)
{
	if (has_bit(set, k - g->first))
		return false;
	for (int i = m->pred_at[k]; i < m->pred_at[k + 1]; i++)
		if (!is_done(g, set, m->pred[i]))
			return false;
	return true;
}

struct effect {
	int64_t peak; /* live bytes while the step runs */
	int64_t live; /* after it */
};

/* What running step k does, where `live` bytes are live: a matter of the set, not of its order. */
static struct effect run_step(const struct planner *m, const struct segment *g,
			      const uint64_t *set, int k, int64_t live)
{
	struct effect e = { live + m->scratch[k], live };

	for (int i = m->touch_at[k]; i < m->touch_at[k + 1]; i++) {
		const int b = m->touch[i];
		/* the first use is a write that all others depend on */
		const bool first = m->use[m->use_at[b]].step == k;
		bool last = true;

		for (int j = m->use_at[b + 1] - 1; j >= m->use_at[b] && last; j--)
			last = m->use[j].step == k || is_done(g, set, m->use[j].step);
		if (first)
			e.peak += m->p->bytes[b];
		if (first && !last)
			e.live += m->p->bytes[b];
		if (!first && last)
			e.live -= m->p->bytes[b];
		if (last && m->may_take[k] && b == m->p->step[k].in_place)
			e.peak -= m->p->bytes[b];
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
	const int n = m->n;
	bool *cut = NEW(&m->tmp, bool, n);
	int *early = NEW(&m->tmp, int, n); /* by step: the first of its direct successors */
	int reach = 0;

	for (int k = 0; k < n; k++)
		early[k] = n;
	for (int k = n - 1; k >= 0; k--)
		for (int i = m->pred_at[k]; i < m->pred_at[k + 1]; i++)
			early[m->pred[i]] = k;
	for (int k = 0; k < n; k++) {
		cut[k] = reach <= k;
		reach = early[k] > reach ? early[k] : reach;
	}
	reach = n;
	for (int k = n - 1; k >= 0; k--) {
		int late = -1;

		cut[k] &= reach >= k;
		for (int i = m->pred_at[k]; i < m->pred_at[k + 1]; i++)
			late = m->pred[i] > late ? m->pred[i] : late;
		reach = late < reach ? late : reach;
	}
	return cut;
}

/* Splits the steps, and walks the given order. The bytes that no order avoids. */
static int64_t find_segments(struct planner *m)
{
	const bool *cut = find_cuts(m);
	int64_t live = 0, least = 0;

	m->segment = NEW(&m->tmp, struct segment, m->n);
	for (int k = 0; k < m->n; k++) {
		const struct segment before = { .first = k, .end = k };

		if (k == 0 || cut[k] || cut[k - 1])
			m->segment[m->nsegment++] = (struct segment){ .first = k, .live = live };
		struct segment *g = &m->segment[m->nsegment - 1];
		const struct effect e = run_step(m, &before, NULL, k, live);
		int64_t own = m->scratch[k];

		for (int i = m->touch_at[k]; i < m->touch_at[k + 1]; i++)
			own += m->p->bytes[m->touch[i]];
		if (m->may_take[k])
			own -= m->p->bytes[m->p->step[k].write];
		least = max64(least, cut[k] ? e.peak : own);
		g->end = k + 1;
		g->given = max64(g->given, e.peak);
		g->peak = g->given;
		live = e.live;
	}
	return least;
}

/* ---- the search for an order: best first over the sets of steps done ---- */

/* A set of steps of the segment, and the best way to it so far. */
struct state {
	int64_t peak, live;
	int from, step; /* the state before, and the step between */
	int ndone;
	bool closed;
};

struct entry {
	int64_t peak;
	int ndone, id;
};

struct search {
	struct planner *m;
	const struct segment *g;
	struct arena pool;
	struct state *state;
	uint64_t *bits; /* `words` for each state */
	int words, nstate, state_cap, bits_cap;
	int *table; /* open hash of 1 + state */
	int table_size;
	struct entry *heap;
	int nheap, heap_cap;
	struct effect *next; /* by step of the segment */
	int *ready;
};

/* Least peak first; among equals the one nearest to the end, which makes ties a plain descent. */
static bool comes_before(const struct entry *x, const struct entry *y)
{
	if (x->peak != y->peak)
		return x->peak < y->peak;
	return x->ndone != y->ndone ? x->ndone > y->ndone : x->id < y->id;
}

static void push(struct search *s, int id)
{
	const struct entry e = { s->state[id].peak, s->state[id].ndone, id };
	int i = s->nheap;

	s->heap = grow(&s->pool, s->heap, s->nheap, &s->heap_cap, sizeof(e));
	s->nheap++;
	for (; i > 0 && comes_before(&e, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = e;
}

static int pop(struct search *s)
{
	const int id = s->heap[0].id;
	const struct entry e = s->heap[--s->nheap];
	int i = 0;

	for (int c; (c = 2 * i + 1) < s->nheap; i = c) {
		if (c + 1 < s->nheap && comes_before(&s->heap[c + 1], &s->heap[c]))
			c++;
		if (!comes_before(&s->heap[c], &e))
			break;
		s->heap[i] = s->heap[c];
	}
	s->heap[i] = e;
	return id;
}

/* Where the table has this set, or has room for it. */
static int *find_slot(const struct search *s, const uint64_t *set)
{
	uint64_t h = 0;

	for (int i = 0; i < s->words; i++) {
		h = (h ^ set[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	for (size_t i = (size_t)h;; i++) {
		int *slot = &s->table[i & (size_t)(s->table_size - 1)];

		if (*slot == 0 || memcmp(s->bits + (size_t)(*slot - 1) * (size_t)s->words, set,
					 (size_t)s->words * sizeof(*set)) == 0)
			return slot;
	}
}

/* The state of this set, a new one if need be: then its peak is INT64_MAX. */
static int find_state(struct search *s, const uint64_t *set)
{
	if (2 * s->nstate >= s->table_size) {
		s->table_size = s->table_size > 0 ? 2 * s->table_size : 128;
		s->table = NEW(&s->pool, int, s->table_size);
		for (int i = 0; i < s->nstate; i++)
			*find_slot(s, s->bits + (size_t)i * (size_t)s->words) = i + 1;
	}
	int *slot = find_slot(s, set);
	if (*slot == 0) {
		const size_t bytes = (size_t)s->words * sizeof(*set);

		s->state = grow(&s->pool, s->state, s->nstate, &s->state_cap, sizeof(*s->state));
		s->bits = grow(&s->pool, s->bits, s->nstate, &s->bits_cap, bytes);
		memcpy(s->bits + (size_t)s->nstate * (size_t)s->words, set, bytes);
		s->state[s->nstate] = (struct state){ .peak = INT64_MAX, .from = -1, .step = -1 };
		*slot = ++s->nstate;
		s->m->states++;
	}
	return *slot - 1;
}

/*
 * Adds what follows a state. A ready step that costs no more than the peak already reached and
 * leaves no more live than before may run at once: put first in any order that completes the state,
 * it raises no other step's live bytes. Then nothing else need be tried.
 */
static void expand(struct search *s, int id, uint64_t *set)
{
	const struct segment *g = s->g;
	const struct state from = s->state[id];
	int nready = 0;

	memcpy(set, s->bits + (size_t)id * (size_t)s->words, (size_t)s->words * sizeof(*set));
	s->m->scans += g->end - g->first;
	for (int k = g->first; k < g->end; k++) {
		if (!is_ready(s->m, g, set, k))
			continue;
		const struct effect e = run_step(s->m, g, set, k, from.live);
		const bool harmless = e.peak <= from.peak && e.live <= from.live;

		if (harmless)
			nready = 0;
		s->next[nready] = e;
		s->ready[nready++] = k;
		if (harmless)
			break;
	}
	for (int i = 0; i < nready; i++) {
		const int64_t peak = max64(from.peak, s->next[i].peak);

		flip_bit(set, s->ready[i] - g->first);
		const int to = find_state(s, set);
		flip_bit(set, s->ready[i] - g->first);
		if (peak >= s->state[to].peak)
			continue;
		s->state[to] = (struct state){ .peak = peak, .live = s->next[i].live, .from = id,
					       .step = s->ready[i], .ndone = from.ndone + 1 };
		push(s, to);
	}
}

static bool exhausted(const struct search *s)
{
	return s->m->states >= MAX_STATES || s->m->scans >= MAX_SCANS ||
	       (int64_t)s->nstate * s->words >= MAX_WORDS;
}

/* Best first from `start`; the last state it took, which is the end if `*ended`. */
static int search_run(struct search *s, const uint64_t *start, int64_t live, int64_t floor,
		      int64_t ceiling, bool *ended)
{
	const int count = s->g->end - s->g->first;
	uint64_t *set = NEW(&s->pool, uint64_t, s->words);
	int id = find_state(s, start);

	s->state[id].peak = floor;
	s->state[id].live = live;
	for (int k = 0; k < count; k++)
		s->state[id].ndone += has_bit(start, k);
	s->next = NEW(&s->pool, struct effect, count);
	s->ready = NEW(&s->pool, int, count);
	push(s, id);
	for (;;) {
		id = pop(s);
		*ended = s->state[id].ndone == count;
		if (*ended || s->state[id].peak > ceiling || exhausted(s))
			return id;
		if (s->state[id].closed)
			continue;
		s->state[id].closed = true;
		expand(s, id, set);
	}
}

/*
 * The least peak, not under floor, of an order of what `start` leaves of the segment. True: known
 * to be *peak, and `order` (may be null) reaches it; or to be over ceiling, as *peak then is.
 * False: the search gave up; the least peak is *peak or more.
 */
static bool least_peak(struct planner *m, const struct segment *g, const uint64_t *start,
		       int64_t live, int64_t floor, int64_t ceiling, int64_t *peak, int *order)
{
	struct search s = { .m = m, .g = g, .words = (g->end - g->first + 63) / 64 };
	bool ended;
	const int last = search_run(&s, start, live, floor, ceiling, &ended);

	*peak = s.state[last].peak;
	if (ended && order != NULL)
		for (int id = last; s.state[id].from >= 0; id = s.state[id].from)
			order[s.state[id].ndone - 1] = s.state[id].step;
	const bool known = ended || *peak > ceiling;
	arena_release(&s.pool);
	return known;
}

/*
 * The lexicographically first order of a segment whose peak is at most `ceiling`, which some order
 * has. False: the searches gave up, and order is not complete.
 */
static bool first_order(struct planner *m, const struct segment *g, int64_t ceiling, int *order)
{
	const int count = g->end - g->first;
	uint64_t *set = NEW(&m->tmp, uint64_t, (count + 63) / 64);
	int64_t live = g->live;

	for (int i = 0; i < count; i++) {
		struct effect e = { 0 };
		int k = g->first;

		for (; k < g->end; k++) {
			int64_t peak = ceiling;

			if (!is_ready(m, g, set, k))
				continue;
			e = run_step(m, g, set, k, live);
			if (e.peak > ceiling)
				continue;
			flip_bit(set, k - g->first);
			if (e.live > live &&
			    !least_peak(m, g, set, e.live, ceiling, ceiling, &peak, NULL))
				return false;
			if (peak <= ceiling)
				break;
			flip_bit(set, k - g->first);
		}
		if (k == g->end)
			die("memory: no order has the peak that was found");
		order[i] = k;
		live = e.live;
	}
	return true;
}

/* When a step's latest predecessor in the segment ran; ran: by step, from 1. */
static int latest_input(const struct planner *m, const struct segment *g, const int *ran, int k)
{
	int latest = 0;

	for (int i = m->pred_at[k]; i < m->pred_at[k + 1]; i++)
		if (m->pred[i] >= g->first && ran[m->pred[i] - g->first] > latest)
			latest = ran[m->pred[i] - g->first];
	return latest;
}

/*
 * A list schedule, for segments too big to search. Deep: after steps that cost nothing, what uses
 * the latest result, so that one branch ends before another begins. Else the least peak so far.
 * Then the least live bytes, then the given order.
 */
static int64_t greedy_order(struct planner *m, const struct segment *g, bool deep, int *order)
{
	const int count = g->end - g->first;
	uint64_t *set = NEW(&m->tmp, uint64_t, (count + 63) / 64);
	int *ran = NEW(&m->tmp, int, count);
	int64_t live = g->live, peak = 0;

	for (int i = 0; i < count; i++) {
		struct effect best = { INT64_MAX, INT64_MAX };
		int64_t best_key = INT64_MAX;

		for (int k = g->first; k < g->end; k++) {
			if (!is_ready(m, g, set, k))
				continue;
			const struct effect e = run_step(m, g, set, k, live);
			int64_t key = max64(e.peak, peak);

			if (deep && key == peak && e.live <= live)
				key = -count - 1;
			else if (deep)
				key = -latest_input(m, g, ran, k);
			if (key < best_key || (key == best_key && e.live < best.live)) {
				best = e;
				best_key = key;
				order[i] = k;
			}
		}
		flip_bit(set, order[i] - g->first);
		ran[order[i] - g->first] = i + 1;
		peak = max64(peak, best.peak);
		live = best.live;
	}
	return peak;
}

/* Searches one segment. What is proved to be unavoidable. */
static int64_t search_segment(struct planner *m, struct segment *g, int64_t least)
{
	const int count = g->end - g->first;
	int *order = NEW(&m->tmp, int, count);
	const uint64_t *none = NEW(&m->tmp, uint64_t, (count + 63) / 64);
	int64_t proved;

	if (least_peak(m, g, none, g->live, least, INT64_MAX, &proved, order)) {
		g->peak = proved;
		g->order = order;
		return proved;
	}
	for (int deep = 0; deep < 2 && count <= MAX_GREEDY; deep++) {
		const int64_t peak = greedy_order(m, g, deep, order);

		if (peak < g->peak) {
			g->peak = peak;
			g->order = order;
			order = NEW(&m->tmp, int, count);
		}
	}
	return proved; /* not under least, where the search began */
}

static int by_given(const void *x, const void *y)
{
	const struct segment *g = *(struct segment *const *)x, *h = *(struct segment *const *)y;

	if (g->given != h->given)
		return g->given > h->given ? -1 : 1;
	return g->first - h->first;
}

/*
 * The least peak of all orders. The worst segments are searched first: what they prove unavoidable
 * spares the others the search. If a search gave up, the bound is the largest live sum of the order
 * chosen, which no placement of that order undercuts but another order might.
 */
static void find_bound(struct planner *m, struct certificate *c)
{
	int64_t least = find_segments(m);
	struct segment **worst = NEW(&m->tmp, struct segment *, m->nsegment);

	for (int i = 0; i < m->nsegment; i++)
		worst[i] = &m->segment[i];
	qsort(worst, (size_t)m->nsegment, sizeof(*worst), by_given);
	for (int i = 0; i < m->nsegment && worst[i]->given > least; i++)
		least = search_segment(m, worst[i], least);
	c->bound = least;
	for (int i = 0; i < m->nsegment; i++)
		c->bound = max64(c->bound, m->segment[i].peak);
	c->all_orders = c->bound == least;
}

/* An order whose peak is the bound: the lexicographically first, or as found. True: they differ. */
static bool find_order(struct planner *m, bool as_found, struct mem_result *r)
{
	bool differ = false;

	for (int i = 0; i < m->nsegment; i++) {
		const struct segment *g = &m->segment[i];
		const size_t count = (size_t)(g->end - g->first);
		int *order = r->order + g->first;

		for (int k = g->first; k < g->end; k++)
			order[k - g->first] = k;
		if (g->given <= r->cert.bound)
			continue;
		if (as_found || !first_order(m, g, r->cert.bound, order))
			memcpy(order, g->order, count * sizeof(*order));
		else
			differ |= memcmp(order, g->order, count * sizeof(*order)) != 0;
	}
	r->cert.orders = m->n + m->states;
	return differ;
}

/* ---- lifetimes ---- */

/* A place from position `first` to `last` of the order: a chain of buffers in place, or scratch. */
struct area {
	int64_t size;
	int first, last;
	int64_t crowd;	/* the largest live sum in that time */
	int64_t offset; /* -1: not placed */
};

struct layout {
	struct arena *tmp;
	int nstep; /* positions */
	int64_t align; /* all sizes are multiples of it */
	struct area *area; /* by first */
	int narea;
	int *of_buffer, *of_scratch; /* area, or -1 */
	int *reach; /* a binary tree over the areas: the greatest `last` below each of its nodes */
	int leaves;
	int *near; /* what find_near() found */
	int nnear;
	struct span *span;
};

static void find_lifetimes(struct planner *m, struct mem_result *r)
{
	int *pos = NEW(&m->tmp, int, m->n);

	for (int i = 0; i < m->n; i++)
		pos[r->order[i]] = i;
	for (int b = 0; b < m->p->nbuffer; b++) {
		r->first[b] = r->last[b] = -1;
		for (int i = m->use_at[b]; i < m->use_at[b + 1]; i++) {
			const int t = pos[m->use[i].step];

			r->first[b] = i == m->use_at[b] ? t : r->first[b];
			r->last[b] = t > r->last[b] ? t : r->last[b];
		}
	}
	for (int k = 0; k < m->n; k++)
		r->in_place[k] = m->may_take[k] && r->last[m->p->step[k].in_place] == pos[k];
}

static int add_area(struct layout *l, int64_t size, int first, int last)
{
	if (size == 0)
		return -1;
	l->area[l->narea] = (struct area){ .size = size, .first = first, .last = last };
	return l->narea++;
}

/* Areas come out sorted by their first position. */
static void find_areas(const struct planner *m, const struct mem_result *r, struct layout *l)
{
	l->area = NEW(l->tmp, struct area, 2 * m->n);
	l->of_buffer = NEW(l->tmp, int, m->p->nbuffer);
	l->of_scratch = NEW(l->tmp, int, m->n);
	for (int b = 0; b < m->p->nbuffer; b++)
		l->of_buffer[b] = -1;
	for (int i = 0; i < m->n; i++) {
		const int k = r->order[i], w = m->p->step[k].write;

		if (r->in_place[k]) {
			const int a = l->of_buffer[m->p->step[k].in_place];

			l->of_buffer[w] = a;
			l->area[a].last = r->last[w];
		} else if (w >= 0 && r->first[w] == i) {
			l->of_buffer[w] = add_area(l, m->p->bytes[w], i, r->last[w]);
		}
		l->of_scratch[k] = add_area(l, m->scratch[k], i, i);
	}
}

static void find_crowds(struct layout *l)
{
	int64_t *live = NEW(l->tmp, int64_t, l->nstep + 1);

	for (int i = 0; i < l->narea; i++) {
		live[l->area[i].first] += l->area[i].size;
		live[l->area[i].last + 1] -= l->area[i].size;
	}
	for (int t = 1; t <= l->nstep; t++)
		live[t] += live[t - 1];
	for (int i = 0; i < l->narea; i++)
		for (int t = l->area[i].first; t <= l->area[i].last; t++)
			l->area[i].crowd = max64(l->area[i].crowd, live[t]);
}

/* ---- areas that are live together ---- */

struct span {
	int64_t lo, hi;
};

static void build_tree(struct layout *l)
{
	for (l->leaves = 1; l->leaves < l->narea; l->leaves *= 2)
		;
	l->reach = NEW(l->tmp, int, 2 * l->leaves);
	l->near = NEW(l->tmp, int, l->narea);
	l->span = NEW(l->tmp, struct span, l->narea);
	for (int i = 0; i < l->leaves; i++)
		l->reach[l->leaves + i] = i < l->narea ? l->area[i].last : -1;
	for (int i = l->leaves - 1; i > 0; i--) {
		const int x = l->reach[2 * i], y = l->reach[2 * i + 1];

		l->reach[i] = x > y ? x : y;
	}
}

/* Appends to near those of the areas below a node, lo and on, that are live together with a. */
static void walk_tree(struct layout *l, int node, int lo, int count, const struct area *a)
{
	if (l->reach[node] < a->first || l->area[lo].first > a->last)
		return;
	if (count > 1) {
		walk_tree(l, 2 * node, lo, count / 2, a);
		if (lo + count / 2 < l->narea)
			walk_tree(l, 2 * node + 1, lo + count / 2, count / 2, a);
	} else if (&l->area[lo] != a) {
		l->near[l->nnear++] = lo;
	}
}

static void find_near(struct layout *l, const struct area *a)
{
	l->nnear = 0;
	walk_tree(l, 1, 0, l->leaves, a);
}

/* ---- offsets, greedily ---- */

static int by_offset(const void *x, const void *y)
{
	const struct span *a = x, *b = y;

	return a->lo < b->lo ? -1 : a->lo > b->lo;
}

/* The lowest gap between the areas placed that are live together with a. */
static int64_t lowest_fit(struct layout *l, const struct area *a)
{
	int64_t offset = 0;
	int n = 0;

	find_near(l, a);
	for (int i = 0; i < l->nnear; i++) {
		const struct area *b = &l->area[l->near[i]];

		if (b->offset >= 0)
			l->span[n++] = (struct span){ b->offset, b->offset + b->size };
	}
	qsort(l->span, (size_t)n, sizeof(*l->span), by_offset);
	for (int i = 0; i < n && l->span[i].lo - offset < a->size; i++)
		offset = max64(offset, l->span[i].hi);
	return offset;
}

struct rank {
	double key, tie; /* greatest first; then the first area */
	int area;
};

static int by_rank(const void *x, const void *y)
{
	const struct rank *a = x, *b = y;

	if (a->key != b->key)
		return a->key > b->key ? -1 : 1;
	if (a->tie != b->tie)
		return a->tie > b->tie ? -1 : 1;
	return a->area - b->area;
}

/* Orders in which areas are placed; doubles, because a product may not fit an integer. */
static double size_key(const struct area *a)
{
	return (double)a->size;
}

static double time_key(const struct area *a)
{
	return -(double)a->first;
}

static double volume_key(const struct area *a)
{
	return (double)a->size * (a->last - a->first + 1);
}

static double crowd_key(const struct area *a)
{
	return (double)a->crowd;
}

static double (*const place_key[])(const struct area *) = { size_key, time_key, volume_key,
							    crowd_key };

static int64_t place_all(struct layout *l, double (*key)(const struct area *), struct rank *rank)
{
	int64_t top = 0;

	for (int i = 0; i < l->narea; i++) {
		l->area[i].offset = -1;
		rank[i] = (struct rank){ key(&l->area[i]), (double)l->area[i].size, i };
	}
	qsort(rank, (size_t)l->narea, sizeof(*rank), by_rank);
	for (int i = 0; i < l->narea; i++) {
		struct area *a = &l->area[rank[i].area];

		a->offset = lowest_fit(l, a);
		top = max64(top, a->offset + a->size);
	}
	return top;
}

/* The best of several orders; stops at the bound. */
static int64_t place_greedily(struct layout *l, int64_t bound)
{
	struct rank *rank = NEW(l->tmp, struct rank, l->narea);
	int64_t *best = NEW(l->tmp, int64_t, l->narea), least = INT64_MAX;

	for (size_t i = 0; i < sizeof(place_key) / sizeof(place_key[0]) && least > bound; i++) {
		const int64_t top = place_all(l, place_key[i], rank);

		if (top >= least)
			continue;
		least = top;
		for (int j = 0; j < l->narea; j++)
			best[j] = l->area[j].offset;
	}
	for (int j = 0; j < l->narea; j++)
		l->area[j].offset = best[j];
	return least;
}

/* ---- offsets, by a sweep through time ---- */

/*
 * Long chains defeat the greedy orders, since one bad place shifts all that follow, but few areas
 * are live at once. So: go through time with the ways of placing what is live, each new area at
 * either end of a gap; ways that place the live areas alike are one. Of many, those with the
 * biggest gaps are kept.
 */
struct way {
	int64_t offset[MAX_LIVE]; /* of the areas in sweep.live */
	int64_t room;		  /* the largest gap */
	int from, id;
};

struct step_back {
	int64_t offset;
	int from;
};

struct sweep {
	const struct layout *l;
	int64_t limit;
	int live[MAX_LIVE], nlive; /* areas */
	struct way *now, *next;
	int nnow, nnext;
};

/* The gaps that the first n live areas leave below the limit. */
static int find_gaps(const struct sweep *s, const struct way *w, int n, struct span *gap)
{
	struct span taken[MAX_LIVE];
	int64_t lo = 0;
	int ngap = 0;

	for (int i = 0; i < n; i++) {
		int j = i;

		for (; j > 0 && taken[j - 1].lo > w->offset[i]; j--)
			taken[j] = taken[j - 1];
		taken[j] = (struct span){ w->offset[i],
					  w->offset[i] + s->l->area[s->live[i]].size };
	}
	for (int i = 0; i < n; i++) {
		if (taken[i].lo > lo)
			gap[ngap++] = (struct span){ lo, taken[i].lo };
		lo = taken[i].hi;
	}
	if (lo < s->limit)
		gap[ngap++] = (struct span){ lo, s->limit };
	return ngap;
}

/* The way `from` with the last live area at offset, unless there is one like it. */
static void add_way(struct sweep *s, int from, int64_t offset)
{
	struct way *w = &s->next[s->nnext];
	struct span gap[MAX_LIVE + 1];

	if (s->nnext == MAX_WAYS)
		return;
	*w = s->now[from];
	w->offset[s->nlive - 1] = offset;
	for (int i = 0; i < s->nnext; i++)
		if (memcmp(w->offset, s->next[i].offset, (size_t)s->nlive * sizeof(offset)) == 0)
			return;
	w->from = from;
	w->id = s->nnext++;
	w->room = 0;
	for (int i = find_gaps(s, w, s->nlive, gap) - 1; i >= 0; i--)
		w->room = max64(w->room, gap[i].hi - gap[i].lo);
}

static int by_room(const void *x, const void *y)
{
	const struct way *a = x, *b = y;

	return a->room != b->room ? (a->room > b->room ? -1 : 1) : a->id - b->id;
}

/* Forgets the areas that ended before position t. */
static void expire(struct sweep *s, int t)
{
	int n = 0;

	for (int i = 0; i < s->nlive; i++) {
		if (s->l->area[s->live[i]].last < t)
			continue;
		for (int j = 0; j < s->nnow && n < i; j++)
			s->now[j].offset[n] = s->now[j].offset[i];
		s->live[n++] = s->live[i];
	}
	s->nlive = n;
}

/* All ways to place area i; false: there is none. */
static bool sweep_area(struct sweep *s, int i)
{
	const int64_t size = s->l->area[i].size;
	struct span gap[MAX_LIVE + 1];

	expire(s, s->l->area[i].first);
	if (s->nlive == MAX_LIVE)
		return false;
	s->live[s->nlive++] = i;
	s->nnext = 0;
	for (int j = 0; j < s->nnow; j++) {
		const int ngap = find_gaps(s, &s->now[j], s->nlive - 1, gap);

		for (int k = 0; k < ngap; k++) {
			if (gap[k].hi - gap[k].lo < size)
				continue;
			add_way(s, j, gap[k].lo);
			if (s->nlive > 1) /* alone, the other end is the same upside down */
				add_way(s, j, gap[k].hi - size);
		}
	}
	if (s->nnext > MAX_KEPT)
		qsort(s->next, (size_t)s->nnext, sizeof(*s->next), by_room);
	struct way *now = s->now;
	s->now = s->next;
	s->next = now;
	s->nnow = s->nnext < MAX_KEPT ? s->nnext : MAX_KEPT;
	return s->nnow > 0;
}

/* Places all areas below the limit, or fails and leaves the offsets alone. */
static bool sweep_areas(struct layout *l, int64_t limit)
{
	struct arena tmp = { 0 };
	struct sweep s = { .l = l, .limit = limit, .nnow = 1 };
	struct step_back **trail = NEW(&tmp, struct step_back *, l->narea);
	bool ok = true;

	s.now = NEW(&tmp, struct way, MAX_WAYS);
	s.next = NEW(&tmp, struct way, MAX_WAYS);
	for (int i = 0; i < l->narea && ok; i++) {
		ok = sweep_area(&s, i);
		trail[i] = NEW(&tmp, struct step_back, s.nnow);
		for (int j = 0; j < s.nnow; j++)
			trail[i][j] = (struct step_back){ s.now[j].offset[s.nlive - 1],
							  s.now[j].from };
	}
	for (int i = l->narea - 1, at = 0; i >= 0 && ok; i--) {
		l->area[i].offset = trail[i][at].offset;
		at = trail[i][at].from;
	}
	arena_release(&tmp);
	return ok;
}

/* At the bound, or at what bisection finds between it and `arena`, which is reached already. */
static int64_t place_by_sweeps(struct layout *l, int64_t bound, int64_t arena)
{
	int64_t failed = bound - l->align, limit = bound; /* multiples of align, as all sizes are */

	for (int i = 0; i < MAX_SWEEPS && limit < arena; i++) {
		if (sweep_areas(l, limit)) {
			arena = 0;
			for (int j = 0; j < l->narea; j++)
				arena = max64(arena, l->area[j].offset + l->area[j].size);
		} else {
			failed = limit;
		}
		limit = failed + max64(1, (arena - failed) / l->align / 2) * l->align;
	}
	return arena;
}

/* ---- offsets, exactly ---- */

/*
 * If areas fit below a limit, they do so with the least sum of offsets; then each lies on the
 * ground or on one live at the same time. Placed by rising offset, each goes right on the highest
 * of those placed before it, so only the order is searched. Those of one offset go by rank. Where
 * an area that is still to come would fit wholly below the one placed, the sum is not the least.
 */
struct exact {
	const struct layout *l;
	int *rank;		/* by area: what to try first at one offset */
	int *near_at, *near;	/* by area: areas live at the same time */
	int64_t *low;		/* by area: top of what it must lie on; as it was, by near.. */
	int64_t *low_before;
	int64_t *top, *left;	/* by position: top of the areas placed; bytes of those to come */
	int64_t *top_before;	/* ..and by area's position from top_at */
	size_t *top_at;
	int64_t *offset, *best; /* by area; offset -1: to come */
	int64_t limit, height;	/* what may be used; the top of `best`, 0: none yet */
	int64_t nodes, work;
	bool all; /* go on after the first solution, below it */
	bool gave_up;
};

static void put(struct exact *x, int i)
{
	const struct area *a = &x->l->area[i];

	x->offset[i] = x->low[i];
	const int64_t top = x->low[i] + a->size;
	for (int t = a->first; t <= a->last; t++) {
		x->top_before[x->top_at[i] + (size_t)(t - a->first)] = x->top[t];
		x->top[t] = top;
		x->left[t] -= a->size;
	}
	for (int j = x->near_at[i]; j < x->near_at[i + 1]; j++) {
		int64_t *low = &x->low[x->near[j]];

		x->low_before[j] = *low;
		if (x->offset[x->near[j]] < 0)
			*low = max64(*low, top);
	}
	x->work += (a->last - a->first) + (x->near_at[i + 1] - x->near_at[i]);
}

static void take_back(struct exact *x, int i)
{
	const struct area *a = &x->l->area[i];

	for (int t = a->first; t <= a->last; t++) {
		x->top[t] = x->top_before[x->top_at[i] + (size_t)(t - a->first)];
		x->left[t] += a->size;
	}
	for (int j = x->near_at[i]; j < x->near_at[i + 1]; j++)
		x->low[x->near[j]] = x->low_before[j];
	x->offset[i] = -1;
}

/* Whether what is to come can fit above floor and above what is placed at its time. */
static bool may_fit(struct exact *x, int64_t floor)
{
	x->work += x->l->nstep;
	for (int t = 0; t < x->l->nstep; t++)
		if (x->left[t] > 0 && max64(x->top[t], floor) + x->left[t] > x->limit)
			return false;
	return true;
}

/* The area to try after the one of (low, rank), or -1. */
static int next_area(struct exact *x, int64_t low, int rank)
{
	int64_t room = INT64_MAX; /* one that began here or above could have another one below it */
	int best = -1;

	x->work += x->l->narea;
	for (int i = 0; i < x->l->narea; i++) {
		if (x->offset[i] >= 0)
			continue;
		if (x->low[i] + x->l->area[i].size < room)
			room = x->low[i] + x->l->area[i].size;
		if (x->low[i] < low || (x->low[i] == low && x->rank[i] <= rank))
			continue;
		if (best < 0 || x->low[i] < x->low[best] ||
		    (x->low[i] == x->low[best] && x->rank[i] < x->rank[best]))
			best = i;
	}
	return best >= 0 && x->low[best] < room ? best : -1;
}

/* Places the areas to come; `height` is the top so far. False: stop. */
static bool place_exactly(struct exact *x, int nplaced, int64_t low, int rank, int64_t height)
{
	if (nplaced == x->l->narea) {
		memcpy(x->best, x->offset, (size_t)nplaced * sizeof(*x->best));
		x->height = height;
		x->limit = height - 1;
		return x->all;
	}
	if (x->nodes++ >= MAX_NODES || x->work >= MAX_WORK) {
		x->gave_up = true;
		return false;
	}
	for (int i; (i = next_area(x, low, rank)) >= 0;) {
		low = x->low[i];
		rank = x->rank[i];
		put(x, i);
		const int64_t top = max64(height, low + x->l->area[i].size);
		if (top <= x->limit && may_fit(x, low) &&
		    !place_exactly(x, nplaced + 1, low, rank, top))
			return false;
		take_back(x, i);
	}
	return true;
}

static void find_all_near(struct layout *l, struct exact *x)
{
	size_t total = 0;
	int n = 0;

	for (int i = 0; i < l->narea; i++) {
		find_near(l, &l->area[i]);
		n += l->nnear;
	}
	x->near_at = NEW(l->tmp, int, l->narea + 1);
	x->near = NEW(l->tmp, int, n);
	x->low_before = NEW(l->tmp, int64_t, n);
	x->top_at = NEW(l->tmp, size_t, l->narea);
	for (int i = 0; i < l->narea; i++) {
		find_near(l, &l->area[i]);
		memcpy(x->near + x->near_at[i], l->near, (size_t)l->nnear * sizeof(*l->near));
		x->near_at[i + 1] = x->near_at[i] + l->nnear;
		x->top_at[i] = total;
		total += (size_t)(l->area[i].last - l->area[i].first + 1);
	}
	x->top_before = NEW(l->tmp, int64_t, total);
}

/* Searches below `limit`; true if the search came to its end. */
static bool run_exact(struct exact *x, int64_t limit, bool all)
{
	const struct layout *l = x->l;

	x->limit = limit;
	x->all = all;
	x->gave_up = false;
	x->nodes = x->work = 0;
	memset(x->low, 0, (size_t)l->narea * sizeof(*x->low));
	memset(x->top, 0, (size_t)l->nstep * sizeof(*x->top));
	memset(x->left, 0, (size_t)l->nstep * sizeof(*x->left));
	for (int i = 0; i < l->narea; i++) {
		x->offset[i] = -1;
		for (int t = l->area[i].first; t <= l->area[i].last; t++)
			x->left[t] += l->area[i].size;
	}
	place_exactly(x, 0, 0, -1, 0);
	return !x->gave_up;
}

/* First for offsets at the bound, which proves itself; then for the least above. */
static int64_t search_offsets(struct layout *l, int64_t arena, struct certificate *c)
{
	struct exact x = { .l = l, .height = 0 };
	struct rank *rank = NEW(l->tmp, struct rank, l->narea);

	find_all_near(l, &x);
	x.rank = NEW(l->tmp, int, l->narea);
	x.low = NEW(l->tmp, int64_t, l->narea);
	x.offset = NEW(l->tmp, int64_t, l->narea);
	x.best = NEW(l->tmp, int64_t, l->narea);
	x.top = NEW(l->tmp, int64_t, l->nstep);
	x.left = NEW(l->tmp, int64_t, l->nstep);
	for (int i = 0; i < l->narea; i++)
		rank[i] = (struct rank){ crowd_key(&l->area[i]), volume_key(&l->area[i]), i };
	qsort(rank, (size_t)l->narea, sizeof(*rank), by_rank);
	for (int i = 0; i < l->narea; i++)
		x.rank[rank[i].area] = i;
	c->exact = run_exact(&x, c->bound, false);
	if (x.height == 0)
		c->exact = run_exact(&x, arena - 1, true);
	if (x.height == 0)
		return arena;
	for (int i = 0; i < l->narea; i++)
		l->area[i].offset = x.best[i];
	return x.height;
}

static void find_offsets(struct planner *m, struct mem_result *r)
{
	struct layout l = { .tmp = &m->tmp, .nstep = m->n, .align = m->align };

	find_areas(m, r, &l);
	find_crowds(&l);
	build_tree(&l);
	r->cert.arena = place_greedily(&l, r->cert.bound);
	if (r->cert.arena > r->cert.bound)
		r->cert.arena = place_by_sweeps(&l, r->cert.bound, r->cert.arena);
	if (r->cert.arena > r->cert.bound && l.narea <= MAX_EXACT)
		r->cert.arena = search_offsets(&l, r->cert.arena, &r->cert);
	for (int b = 0; b < m->p->nbuffer; b++) {
		const int a = l.of_buffer[b];

		r->offset[b] = a >= 0 ? l.area[a].offset : m->writers[b] > 0 ? 0 : -1;
	}
	for (int k = 0; k < m->n; k++)
		r->scratch[k] = l.of_scratch[k] >= 0 ? l.area[l.of_scratch[k]].offset : 0;
}

/* ---- verification: from the problem and the result alone, in every build ---- */

/* The order runs each step once, and after what it depends on. Fills pos. */
static void verify_order(const struct mem_problem *p, const struct mem_result *r, struct arena *tmp,
			 int *pos)
{
	int *written = NEW(tmp, int, p->nbuffer), *used = NEW(tmp, int, p->nbuffer);

	for (int k = 0; k < p->nstep; k++)
		pos[k] = -1;
	for (int i = 0; i < p->nstep; i++) {
		const int k = r->order[i];

		if (k < 0 || k >= p->nstep || pos[k] >= 0)
			die("memory: the order is no permutation at %d", i);
		pos[k] = i;
	}
	/* written, used: 1 + the latest position of the steps before k */
	for (int k = 0; k < p->nstep; k++) {
		const struct mem_step *s = &p->step[k];
		const int w = s->write;

		for (int i = 0; i < s->nread; i++)
			if (written[s->read[i]] > pos[k])
				die("memory: step %d runs before what it reads is written", k);
		if (w >= 0 && used[w] > pos[k])
			die("memory: step %d overwrites what is still in use", k);
		for (int i = 0; i < s->nread; i++)
			if (used[s->read[i]] <= pos[k])
				used[s->read[i]] = pos[k] + 1;
		if (w >= 0)
			written[w] = used[w] = pos[k] + 1; /* later than all before it */
	}
}

/* Lifetimes are what the order makes them; who takes over a buffer is its last user. */
static void verify_lifetimes(const struct mem_problem *p, const struct mem_result *r,
			     struct arena *tmp, const int *pos)
{
	int *first = NEW(tmp, int, p->nbuffer), *last = NEW(tmp, int, p->nbuffer);
	int *writers = NEW(tmp, int, p->nbuffer);

	for (int i = 0; i < p->nstep; i++) {
		const struct mem_step *s = &p->step[r->order[i]];

		for (int j = 0; j < s->nread; j++)
			last[s->read[j]] = i;
		if (s->write < 0)
			continue;
		if (writers[s->write]++ == 0)
			first[s->write] = i;
		last[s->write] = i;
	}
	for (int b = 0; b < p->nbuffer; b++)
		if (r->first[b] != (writers[b] > 0 ? first[b] : -1) ||
		    r->last[b] != (writers[b] > 0 ? last[b] : -1))
			die("memory: buffer %d does not live when the order says", b);
	for (int k = 0; k < p->nstep; k++) {
		const int b = p->step[k].in_place, w = p->step[k].write;

		if (r->in_place[k] && (b < 0 || w < 0 || writers[b] == 0 || writers[w] != 1 ||
				       last[b] != pos[k] || p->bytes[b] != p->bytes[w] ||
				       r->offset[b] != r->offset[w]))
			die("memory: step %d takes over what it must not", k);
	}
}

static void verify_place(const struct planner *m, const struct mem_result *r, int64_t lo,
			 int64_t size, int k)
{
	if (size > 0 && (lo < 0 || lo > r->cert.arena - size || lo % m->align != 0))
		die("memory: step %d writes outside the arena or its alignment", k);
}

static void verify_apart(int64_t lo, int64_t size, int64_t other, int64_t other_size, int k)
{
	if (size == 0 || other_size == 0)
		return;
	if (lo < other + other_size && other < lo + size)
		die("memory: step %d overwrites what is live", k);
}

/* Nothing overlaps what is live; the largest live sum is the bound. */
static void verify_offsets(const struct planner *m, const struct mem_result *r, struct arena *tmp)
{
	const struct mem_problem *p = m->p;
	int *live = NEW(tmp, int, p->nstep), nlive = 0; /* buffers */
	int64_t peak = 0;

	for (int i = 0; i < p->nstep; i++) {
		const int k = r->order[i], w = p->step[k].write;
		const bool begins = w >= 0 && r->first[w] == i;
		const int64_t begin = begins ? r->offset[w] : 0, size = begins ? p->bytes[w] : 0;
		int64_t sum = m->scratch[k];
		int n = 0;

		for (int j = 0; j < nlive; j++)
			if (r->last[live[j]] >= i)
				live[n++] = live[j];
		nlive = n;
		for (int j = 0; j < nlive; j++) {
			const int b = live[j];

			if (r->in_place[k] && b == p->step[k].in_place)
				continue;
			sum += p->bytes[b];
			verify_apart(begin, size, r->offset[b], p->bytes[b], k);
			verify_apart(r->scratch[k], m->scratch[k], r->offset[b], p->bytes[b], k);
		}
		verify_place(m, r, begin, size, k);
		verify_place(m, r, r->scratch[k], m->scratch[k], k);
		verify_apart(begin, size, r->scratch[k], m->scratch[k], k);
		if (begins)
			live[nlive++] = w;
		peak = max64(peak, sum + size);
	}
	if (peak != r->cert.bound || peak > r->cert.arena)
		die("memory: the certificate is wrong");
}

static void verify(const struct planner *m, const struct mem_result *r)
{
	struct arena tmp = { 0 };
	int *pos = NEW(&tmp, int, m->n);

	verify_order(m->p, r, &tmp, pos);
	verify_lifetimes(m->p, r, &tmp, pos);
	verify_offsets(m, r, &tmp);
	arena_release(&tmp);
}

static struct mem_result new_result(struct arena *a, const struct mem_problem *p)
{
	return (struct mem_result){
		.order = NEW(a, int, p->nstep),
		.offset = NEW(a, int64_t, p->nbuffer),
		.scratch = NEW(a, int64_t, p->nstep),
		.first = NEW(a, int, p->nbuffer),
		.last = NEW(a, int, p->nbuffer),
		.in_place = NEW(a, bool, p->nstep),
	};
}

void memory_solve(struct arena *a, const struct mem_problem *p, struct mem_result *r)
{
	struct planner m = { .p = p, .n = p->nstep };

	check_problem(p);
	round_scratch(&m);
	find_uses(&m);
	find_dependencies(&m);
	*r = new_result(a, p);
	find_bound(&m, &r->cert);
	const bool other_order = find_order(&m, false, r);
	find_lifetimes(&m, r);
	find_offsets(&m, r);
	if (r->cert.arena > r->cert.bound && other_order) {
		struct mem_result other = new_result(a, p);

		other.cert = r->cert;
		other.cert.exact = false;
		find_order(&m, true, &other);
		find_lifetimes(&m, &other);
		find_offsets(&m, &other);
		if (other.cert.arena < r->cert.arena)
			*r = other;
	}
	verify(&m, r);
	arena_release(&m.tmp);
}
