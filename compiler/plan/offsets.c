/*
 * Offsets for buffers and scratch whose lifetimes are known: greedily by size; where that is above
 * the bound by sweeps through time; and where these are too by a search that ends with a proof.
 */
#include "plan/planner.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_LIVE = 64, /* areas live at once in a sweep.. */
	MAX_WAYS = 32, /* ..and ways of placing them that it keeps */
	MAX_SWEEPS = 6,
	MAX_EXACT = 1024,  /* areas of an exact search, its depth.. */
	MAX_WORK = 1 << 27 /* ..and the elements it looks at */
};

/*
 * A place for a chain of buffers in place, or for scratch. Areas stand in the order of their
 * beginnings, and time is counted in them: area i lives from i to end.
 */
struct area {
	int64_t size, offset; /* offset -1: not placed */
	int end;
	int64_t key;   /* greatest first when they are sorted.. */
	double volume; /* ..and among equals the greatest in space and time */
};

struct layout {
	struct arena *tmp;
	struct area *area;
	int narea;
	int *of_buffer, *of_scratch; /* area, or -1 */
	int64_t align;               /* all sizes are multiples of it */
	int64_t bound, arena;        /* of all placements; of this one */
};

static int add_area(struct layout *l, int64_t size, int last)
{
	if (size == 0)
		return -1;
	l->area[l->narea] = (struct area){ .size = size, .offset = -1, .end = last };
	return l->narea++;
}

static void find_areas(const struct planner *m, const struct mem_result *r, struct layout *l)
{
	const int n = m->p->nstep;
	int *begun = NEW(l->tmp, int, n); /* by position: areas that began until then */

	l->area = NEW(l->tmp, struct area, 2 * n);
	l->of_buffer = NEW(l->tmp, int, m->p->nbuffer);
	l->of_scratch = NEW(l->tmp, int, n);
	for (int i = 0; i < n; i++) {
		const int k = r->order[i], w = m->p->step[k].write;

		if (r->in_place[k]) {
			l->of_buffer[w] = l->of_buffer[m->p->step[k].in_place];
			l->area[l->of_buffer[w]].end = r->last[w];
		} else if (w >= 0 && r->first[w] == i) {
			l->of_buffer[w] = add_area(l, m->p->bytes[w], r->last[w]);
		}
		l->of_scratch[k] = add_area(l, scratch_of(m, r, k), i);
		begun[i] = l->narea;
	}
	for (int i = 0; i < l->narea; i++)
		l->area[i].end = begun[l->area[i].end]; /* a position until here */
}

static int by_key(const void *x, const void *y)
{
	const struct area *a = *(struct area *const *)x, *b = *(struct area *const *)y;

	if (a->key != b->key)
		return a->key > b->key ? -1 : 1;
	if (a->volume != b->volume)
		return a->volume > b->volume ? -1 : 1;
	return a < b ? -1 : a > b;
}

/* The areas by their keys. */
static struct area **sort_areas(const struct layout *l)
{
	struct area **sorted = NEW(l->tmp, struct area *, l->narea);

	for (int i = 0; i < l->narea; i++)
		sorted[i] = &l->area[i];
	qsort(sorted, (size_t)l->narea, sizeof(*sorted), by_key);
	return sorted;
}

/* ---- greedily: the biggest first, each as low as those before it allow ---- */

static int by_offset(const void *x, const void *y)
{
	const struct area *a = *(struct area *const *)x, *b = *(struct area *const *)y;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* What is placed and lives together with area i goes to near; reach: the greatest end so far. */
static int find_near(const struct layout *l, const int *reach, int i, struct area **near)
{
	int n = 0;

	for (int j = i - 1; j >= 0 && reach[j] > i; j--)
		if (l->area[j].end > i && l->area[j].offset >= 0)
			near[n++] = &l->area[j];
	for (int j = i + 1; j < l->area[i].end; j++)
		if (l->area[j].offset >= 0)
			near[n++] = &l->area[j];
	return n;
}

static void place_greedily(struct layout *l)
{
	struct area **near = NEW(l->tmp, struct area *, l->narea);
	int *reach = NEW(l->tmp, int, l->narea);

	for (int i = 0; i < l->narea; i++) {
		l->area[i].key = l->area[i].size;
		reach[i] = i > 0 && reach[i - 1] > l->area[i].end ? reach[i - 1] : l->area[i].end;
	}
	struct area **sorted = sort_areas(l);
	for (int i = 0; i < l->narea; i++) {
		struct area *a = sorted[i];
		const int n = find_near(l, reach, (int)(a - l->area), near);

		qsort(near, (size_t)n, sizeof(*near), by_offset);
		a->offset = 0;
		for (int j = 0; j < n && near[j]->offset - a->offset < a->size; j++)
			a->offset = max64(a->offset, near[j]->offset + near[j]->size);
		l->arena = max64(l->arena, a->offset + a->size);
	}
}

/* ---- by a sweep through time ---- */

/*
 * Long chains defeat the greedy placement, since one bad place shifts all that follow, but few
 * areas are live at once. So: go through time with the ways of placing what is live below a limit,
 * each new area at either end of a gap; ways that place the live areas alike are one. Of many,
 * those with the biggest gaps are kept.
 */
struct way {
	int n;
	struct item {
		int area; /* -1: the ground, and the limit */
		int64_t lo, hi;
	} item[MAX_LIVE + 2]; /* what is live, from the ground to the limit */
	int64_t room;         /* the largest gap */
	int64_t offset;       /* of the newest area.. */
	struct place *place;  /* ..and of those before it */
};

struct place {
	int64_t offset;
	struct place *before;
};

struct sweep {
	const struct area *area;
	struct arena tmp;
	struct way *now[MAX_WAYS + 1], *next[MAX_WAYS + 1]; /* next: by room, and a spare one */
	int nnow, nnext;
};

static bool same_way(const struct way *x, const struct way *y)
{
	for (int i = 0; i < x->n; i++)
		if (x->item[i].area != y->item[i].area || x->item[i].lo != y->item[i].lo)
			return false;
	return true;
}

/* The way `from` with area i before item k, unless there is one like it or enough better ones. */
static void add_way(struct sweep *s, const struct way *from, int i, int k, int64_t offset)
{
	struct way *w = s->next[s->nnext];
	int at = s->nnext;

	w->n = from->n + 1;
	memcpy(w->item, from->item, (size_t)k * sizeof(w->item[0]));
	w->item[k] = (struct item){ i, offset, offset + s->area[i].size };
	memcpy(w->item + k + 1, from->item + k, (size_t)(from->n - k) * sizeof(w->item[0]));
	w->offset = offset;
	w->place = from->place;
	w->room = 0;
	for (int j = 1; j < w->n; j++)
		w->room = max64(w->room, w->item[j].lo - w->item[j - 1].hi);
	for (int j = 0; j < s->nnext; j++)
		if (same_way(w, s->next[j]))
			return;
	for (; at > 0 && s->next[at - 1]->room < w->room; at--)
		s->next[at] = s->next[at - 1];
	s->next[at] = w;
	s->nnext += s->nnext < MAX_WAYS;
}

/* All ways to place area i. */
static void sweep_area(struct sweep *s, int i)
{
	const int64_t size = s->area[i].size;

	s->nnext = 0;
	for (int j = 0; j < s->nnow; j++) {
		struct way *w = s->now[j];
		int n = 0;

		for (int k = 0; k < w->n; k++)
			if (w->item[k].area < 0 || s->area[w->item[k].area].end > i)
				w->item[n++] = w->item[k];
		w->n = n;
		for (int k = 1; k < n && n < MAX_LIVE + 2; k++) {
			const int64_t lo = w->item[k - 1].hi, hi = w->item[k].lo;

			if (hi - lo < size)
				continue;
			add_way(s, w, i, k, lo);
			if (n > 2) /* alone, the other end is the same upside down */
				add_way(s, w, i, k, hi - size);
		}
	}
	for (int j = 0; j < s->nnext; j++) {
		struct way *w = s->next[j];
		struct place *p = NEW(&s->tmp, struct place, 1);

		*p = (struct place){ w->offset, w->place };
		w->place = p;
		s->next[j] = s->now[j];
		s->now[j] = w;
	}
	s->nnow = s->nnext;
}

/* Places all areas below the limit, or fails and leaves the offsets alone. */
static bool sweep_areas(struct layout *l, int64_t limit)
{
	struct sweep s = { .area = l->area, .nnow = 1 };

	for (int j = 0; j <= MAX_WAYS; j++) {
		s.now[j] = NEW(&s.tmp, struct way, 1);
		s.next[j] = NEW(&s.tmp, struct way, 1);
	}
	s.now[0]->n = 2;
	s.now[0]->item[0] = (struct item){ .area = -1 };
	s.now[0]->item[1] = (struct item){ -1, limit, limit };
	for (int i = 0; i < l->narea && s.nnow > 0; i++)
		sweep_area(&s, i);
	const bool ok = s.nnow > 0;
	l->arena = ok ? 0 : l->arena;
	const struct place *p = s.now[0]->place;
	for (int i = l->narea - 1; i >= 0 && ok; i--, p = p->before) {
		l->area[i].offset = p->offset;
		l->arena = max64(l->arena, p->offset + l->area[i].size);
	}
	arena_release(&s.tmp);
	return ok;
}

/* At the bound, or at what bisection finds between it and the arena so far. */
static void place_by_sweeps(struct layout *l)
{
	int64_t failed = l->bound - l->align, limit = l->bound; /* multiples of align */

	for (int i = 0; i < MAX_SWEEPS && limit < l->arena; i++) {
		if (!sweep_areas(l, limit))
			failed = limit;
		limit = failed + max64(1, (l->arena - failed) / l->align / 2) * l->align;
	}
}

/* ---- exactly ---- */

/*
 * If areas fit below a limit, they do so with the least sum of offsets; then each lies on the
 * ground or on one live at the same time. Placed by rising offset, each goes right on the highest
 * of those placed before it, so only the order is searched. Those of one offset go by rank: the
 * most crowded first. Where an area that is still to come would fit wholly below the one placed,
 * the sum is not the least.
 */
struct exact {
	struct layout *l;
	struct area **sorted; /* by rank */
	int64_t *top;         /* by time: top of the areas placed; a row for each number of them */
	int64_t *left;        /* by time: bytes of the areas to come */
	int64_t *offset;      /* by area; -1: to come */
	int64_t limit, work;
};

/* Where area i would lie. */
static int64_t floor_of(struct exact *x, const int64_t *top, int i)
{
	int64_t low = 0;

	x->work += x->l->area[i].end - i;
	for (int t = i; t < x->l->area[i].end; t++)
		low = max64(low, top[t]);
	return low;
}

/* The area to try after the one of (low, rank), both are set; false: none. */
static bool next_area(struct exact *x, const int64_t *top, int64_t *low, int *rank)
{
	int64_t room = INT64_MAX; /* one that began here or above could have another one below it */
	int64_t best = INT64_MAX;
	int found = -1;

	for (int k = 0; k < x->l->narea; k++) {
		const int i = (int)(x->sorted[k] - x->l->area);

		if (x->offset[i] >= 0)
			continue;
		const int64_t at = floor_of(x, top, i), end = at + x->l->area[i].size;
		room = end < room ? end : room;
		if (at < best && (at > *low || (at == *low && k > *rank))) {
			best = at;
			found = k;
		}
	}
	*low = best;
	*rank = found;
	return best < room;
}

/* Area i on low; whether what is to come can fit above low and above what is placed at its time. */
static bool put(struct exact *x, int64_t *top, int i, int64_t low)
{
	const int64_t size = x->l->area[i].size;
	bool fits = low + size <= x->limit;

	x->offset[i] = low;
	for (int t = i; t < x->l->area[i].end; t++) {
		top[t] = low + size;
		x->left[t] -= size;
	}
	x->work += x->l->narea;
	for (int t = 0; t < x->l->narea && fits; t++)
		fits = x->left[t] == 0 || max64(top[t], low) + x->left[t] <= x->limit;
	return fits;
}

static void take_back(struct exact *x, int i)
{
	x->offset[i] = -1;
	for (int t = i; t < x->l->area[i].end; t++)
		x->left[t] += x->l->area[i].size;
}

/* Tries the orders of the areas to come, and lowers the limit below each solution. False: stop. */
static bool place_exactly(struct exact *x, int nplaced, int64_t low, int rank)
{
	struct layout *l = x->l;
	const int64_t *top = x->top + (size_t)nplaced * (size_t)l->narea;
	int64_t *next = x->top + (size_t)(nplaced + 1) * (size_t)l->narea;

	if (nplaced == l->narea) {
		l->arena = 0;
		for (int i = 0; i < l->narea; i++) {
			l->area[i].offset = x->offset[i];
			l->arena = max64(l->arena, top[i]);
		}
		x->limit = l->arena - l->align;
		return l->arena > l->bound;
	}
	while (next_area(x, top, &low, &rank)) {
		const int i = (int)(x->sorted[rank] - l->area);

		if (x->work > MAX_WORK)
			return false;
		memcpy(next, top, (size_t)l->narea * sizeof(*next));
		if (put(x, next, i, low) && !place_exactly(x, nplaced + 1, low, rank))
			return false;
		take_back(x, i);
	}
	return true;
}

/* True: there is no better placement than the one it leaves. */
static bool search_offsets(struct layout *l)
{
	const size_t n = (size_t)l->narea;
	struct exact x = {
		.l = l,
		.top = NEW(l->tmp, int64_t, (n + 1) * n),
		.left = NEW(l->tmp, int64_t, n),
		.offset = NEW(l->tmp, int64_t, n),
		.limit = l->arena - l->align,
	};

	for (int i = 0; i < l->narea; i++)
		take_back(&x, i);
	for (int i = 0; i < l->narea; i++) {
		struct area *a = &l->area[i];

		a->volume = (double)a->size * (a->end - i);
		a->key = 0;
		for (int t = i; t < a->end; t++)
			a->key = max64(a->key, x.left[t]);
	}
	x.sorted = sort_areas(l);
	return place_exactly(&x, 0, 0, -1) || l->arena == l->bound;
}

static int64_t offset_of(const struct layout *l, int area)
{
	return area >= 0 ? l->area[area].offset : 0;
}

void memory_offsets(struct planner *m, struct mem_result *r)
{
	struct layout l = { .tmp = &m->tmp, .align = m->align, .bound = r->cert.bound };

	find_areas(m, r, &l);
	place_greedily(&l);
	if (l.arena > l.bound)
		place_by_sweeps(&l);
	if (l.arena > l.bound && l.narea <= MAX_EXACT)
		r->cert.exact = search_offsets(&l);
	r->cert.arena = l.arena;
	for (int b = 0; b < m->p->nbuffer; b++)
		r->offset[b] = r->first[b] >= 0 ? offset_of(&l, l.of_buffer[b]) : -1;
	for (int k = 0; k < m->p->nstep; k++)
		r->scratch[k] = offset_of(&l, l.of_scratch[k]);
}
