/*
 * Offsets for buffers and scratch whose lifetimes are known: greedily; where that is above the
 * bound by a sweep through time; and where few areas are to be placed by an exact search.
 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_LIVE = 64, /* areas live at once in a sweep; ways of placing them that it keeps.. */
	MAX_KEPT = 32,
	MAX_WAYS = 128, /* ..and looks at */
	MAX_SWEEPS = 6,
	MAX_EXACT = 1024,  /* areas of an exact search: its depth.. */
	MAX_WORK = 1 << 27 /* ..and the elements it looks at */
};

/* A place from position `first` to `last` of the order: a chain of buffers in place, or scratch. */
struct area {
	int64_t size;
	int first, last;
	int64_t offset; /* -1: not placed */
	int64_t crowd;
};

struct layout {
	struct arena *tmp;
	struct area *area; /* by first */
	int narea;
	int *of_buffer, *of_scratch; /* area, or -1 */
	int64_t align;               /* all sizes are multiples of it */
	int64_t bound, arena;        /* of all placements; of this one */
};

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
	l->area = NEW(l->tmp, struct area, 2 * m->p->nstep);
	l->of_buffer = NEW(l->tmp, int, m->p->nbuffer);
	l->of_scratch = NEW(l->tmp, int, m->p->nstep);
	for (int i = 0; i < m->p->nstep; i++) {
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

/* ---- greedily: the biggest first, each as low as those before it allow ---- */

static int by_size(const void *x, const void *y)
{
	const struct area *a = *(struct area *const *)x, *b = *(struct area *const *)y;

	if (a->size != b->size)
		return a->size > b->size ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int by_crowd(const void *x, const void *y)
{
	const struct area *a = *(struct area *const *)x, *b = *(struct area *const *)y;

	if (a->crowd != b->crowd)
		return a->crowd > b->crowd ? -1 : 1;
	double va = (double)a->size * (a->last - a->first + 1),
	       vb = (double)b->size * (b->last - b->first + 1);
	if (va != vb)
		return va > vb ? -1 : 1;
	return a < b ? -1 : a > b;
}

static int by_offset(const void *x, const void *y)
{
	const struct area *a = *(struct area *const *)x, *b = *(struct area *const *)y;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* The areas placed that are live together with a, in near. reach: greatest last of those up to here
 */
static int find_near(const struct layout *l, const int *reach, struct area *a, struct area **near)
{
	int n = 0;

	for (struct area *b = a; b-- > l->area && reach[b - l->area] >= a->first;)
		if (b->offset >= 0 && b->last >= a->first)
			near[n++] = b;
	for (struct area *b = a + 1; b < l->area + l->narea && b->first <= a->last; b++)
		if (b->offset >= 0)
			near[n++] = b;
	return n;
}

static void place_greedily(struct layout *l)
{
	struct area **order = NEW(l->tmp, struct area *, l->narea);
	struct area **near = NEW(l->tmp, struct area *, l->narea);
	int *reach = NEW(l->tmp, int, l->narea);

	for (int i = 0; i < l->narea; i++) {
		order[i] = &l->area[i];
		l->area[i].offset = -1;
		reach[i] = i > 0 && reach[i - 1] > l->area[i].last ? reach[i - 1] : l->area[i].last;
	}
	for (int i = 0; i < l->narea; i++) {
		int64_t live = 0;
		(void)live;
	}
	{
		int n = l->narea;
		int64_t *left = NEW(l->tmp, int64_t, n);
		for (int i = 0; i < n; i++)
			for (int e = i; e < n && l->area[e].first <= l->area[i].last; e++)
				left[e] += l->area[i].size;
		for (int i = 0; i < n; i++)
			for (int e = i; e < n && l->area[e].first <= l->area[i].last; e++)
				l->area[i].crowd = max64(l->area[i].crowd, left[e]);
	}
	qsort(order, (size_t)l->narea, sizeof(*order), by_size);
	for (int i = 0; i < l->narea; i++) {
		struct area *a = order[i];
		const int n = find_near(l, reach, a, near);
		int64_t offset = 0;

		qsort(near, (size_t)n, sizeof(*near), by_offset);
		for (int j = 0; j < n && near[j]->offset - offset < a->size; j++)
			offset = max64(offset, near[j]->offset + near[j]->size);
		a->offset = offset;
		l->arena = max64(l->arena, offset + a->size);
	}
}

/* ---- by a sweep through time ---- */

/*
 * Long chains defeat the greedy placement, since one bad place shifts all that follow, but few
 * areas are live at once. So: go through time with the ways of placing what is live, each new area
 * at either end of a gap; ways that place the live areas alike are one. Of many, those with the
 * biggest gaps are kept.
 */
struct way {
	int n;
	struct item {
		int area;
		int64_t lo, hi;
	} item[MAX_LIVE]; /* what is live, by lo */
	int64_t room;     /* the largest gap */
	int id;
	struct place *place; /* of the newest area, and before it */
};

struct place {
	int64_t offset;
	struct place *before;
};

struct sweep {
	struct layout *l;
	struct arena tmp;
	int64_t limit;
	struct way **now, **next;
	int nnow, nnext;
};

/* The gap under item k, or over the last one. */
static int64_t gap_begin(const struct way *w, int k)
{
	return k > 0 ? w->item[k - 1].hi : 0;
}

static int64_t gap_end(const struct sweep *s, const struct way *w, int k)
{
	return k < w->n ? w->item[k].lo : s->limit;
}

static bool same_way(const struct way *x, const struct way *y)
{
	for (int i = 0; i < x->n; i++)
		if (x->item[i].area != y->item[i].area || x->item[i].lo != y->item[i].lo)
			return false;
	return true;
}

/* The way `from` with area i in gap k at offset, unless there is one like it. */
static void add_way(struct sweep *s, const struct way *from, int i, int k, int64_t offset)
{
	struct way *w = s->next[s->nnext];
	const size_t size = sizeof(w->item[0]);

	if (s->nnext == MAX_WAYS)
		return;
	memcpy(w->item, from->item, (size_t)k * size);
	w->item[k] = (struct item){ i, offset, offset + s->l->area[i].size };
	memcpy(w->item + k + 1, from->item + k, (size_t)(from->n - k) * size);
	w->n = from->n + 1;
	for (int j = 0; j < s->nnext; j++)
		if (same_way(w, s->next[j]))
			return;
	w->id = s->nnext++;
	w->room = 0;
	for (int j = 0; j <= w->n; j++)
		w->room = max64(w->room, gap_end(s, w, j) - gap_begin(w, j));
	w->place = NEW(&s->tmp, struct place, 1);
	*w->place = (struct place){ offset, from->place };
}

static int by_room(const void *x, const void *y)
{
	const struct way *a = *(struct way *const *)x, *b = *(struct way *const *)y;

	return a->room != b->room ? (a->room > b->room ? -1 : 1) : a->id - b->id;
}

/* All ways to place area i. */
static void sweep_area(struct sweep *s, int i)
{
	const struct area *a = &s->l->area[i];

	s->nnext = 0;
	for (int j = 0; j < s->nnow; j++) {
		struct way *w = s->now[j];
		int n = 0;

		for (int k = 0; k < w->n; k++)
			if (s->l->area[w->item[k].area].last >= a->first)
				w->item[n++] = w->item[k];
		w->n = n;
		for (int k = 0; k <= n && n < MAX_LIVE; k++) {
			const int64_t lo = gap_begin(w, k), hi = gap_end(s, w, k);

			if (hi - lo < a->size)
				continue;
			add_way(s, w, i, k, lo);
			if (n > 0) /* alone, the other end is the same upside down */
				add_way(s, w, i, k, hi - a->size);
		}
	}
	if (s->nnext > MAX_KEPT)
		qsort(s->next, (size_t)s->nnext, sizeof(*s->next), by_room);
	struct way **now = s->now;
	s->now = s->next;
	s->next = now;
	s->nnow = s->nnext < MAX_KEPT ? s->nnext : MAX_KEPT;
}

/* Places all areas below the limit, or fails and leaves the offsets alone. */
static bool sweep_areas(struct layout *l, int64_t limit)
{
	struct sweep s = { .l = l, .limit = limit, .nnow = 1 };
	struct way *pool = NEW(&s.tmp, struct way, 2 * MAX_WAYS + 2);

	s.now = NEW(&s.tmp, struct way *, MAX_WAYS + 1);
	s.next = NEW(&s.tmp, struct way *, MAX_WAYS + 1);
	for (int j = 0; j <= MAX_WAYS; j++) {
		s.now[j] = &pool[2 * j];
		s.next[j] = &pool[2 * j + 1];
	}
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
 * of those placed before it, so only the order is searched. Those of one offset go by rank. Where
 * an area that is still to come would fit wholly below the one placed, the sum is not the least.
 * Time is counted in areas begun.
 */
struct exact {
	struct layout *l;
	struct area **rank; /* what to try first at one offset */
	int *end;           /* by area: after the last that begins in its life */
	int64_t *top;       /* by time: top of the areas placed, a row for each number of them */
	int64_t *left;      /* by time: bytes of the areas to come */
	int64_t *offset;    /* by area; -1: to come */
	int64_t limit, work;
};

static int64_t floor_of(struct exact *x, const int64_t *top, int i)
{
	int64_t low = 0;

	x->work += x->end[i] - i;
	for (int t = i; t < x->end[i]; t++)
		low = max64(low, top[t]);
	return low;
}

/* Area i on low, if what is to come can fit above low and above what is placed at its time. */
static bool put(struct exact *x, int64_t *top, int i, int64_t low)
{
	const int64_t size = x->l->area[i].size;
	bool fits = low + size <= x->limit;

	x->offset[i] = low;
	for (int t = i; t < x->end[i]; t++) {
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
	for (int t = i; t < x->end[i]; t++)
		x->left[t] += x->l->area[i].size;
}

/* The area to try after the one of (low, rank), both are set; false: none. */
static bool next_area(struct exact *x, const int64_t *top, int64_t *low, int *rank)
{
	int64_t room = INT64_MAX; /* one that began here or above could have another one below it */
	int64_t best = INT64_MAX;
	int found = -1;

	for (int k = 0; k < x->l->narea; k++) {
		const int i = (int)(x->rank[k] - x->l->area);

		if (x->offset[i] >= 0)
			continue;
		const int64_t at = floor_of(x, top, i);
		room = at + x->l->area[i].size < room ? at + x->l->area[i].size : room;
		if (at < best && (at > *low || (at == *low && k > *rank))) {
			best = at;
			found = k;
		}
	}
	*low = best;
	*rank = found;
	return found >= 0 && best < room;
}

/* Tries all orders of the areas to come, and lowers the limit under each solution. False: stop. */
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
		const int i = (int)(x->rank[rank] - l->area);

		if (x->work > MAX_WORK)
			return false;
		memcpy(next, top, (size_t)l->narea * sizeof(*next));
		if (put(x, next, i, low) && !place_exactly(x, nplaced + 1, low, rank))
			return false;
		take_back(x, i);
	}
	return true;
}

/* True: the placement is known to be the least. */
static bool search_offsets(struct layout *l)
{
	const int n = l->narea;
	struct exact x = {
		.l = l,
		.rank = NEW(l->tmp, struct area *, n),
		.end = NEW(l->tmp, int, n),
		.top = NEW(l->tmp, int64_t, (n + 1) * n),
		.left = NEW(l->tmp, int64_t, n),
		.offset = NEW(l->tmp, int64_t, n),
		.limit = l->arena - l->align,
	};

	for (int i = 0; i < n; i++) {
		x.rank[i] = &l->area[i];
		x.offset[i] = -1;
		for (x.end[i] = i; x.end[i] < n && l->area[x.end[i]].first <= l->area[i].last;)
			x.left[x.end[i]++] += l->area[i].size;
	}
	for (int i = 0; i < n; i++) {
		l->area[i].crowd = 0;
		for (int t = i; t < x.end[i]; t++)
			l->area[i].crowd = max64(l->area[i].crowd, x.left[t]);
	}
	qsort(x.rank, (size_t)n, sizeof(*x.rank), by_crowd);
	return place_exactly(&x, 0, 0, -1) || l->arena == l->bound;
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
	for (int b = 0; b < m->p->nbuffer; b++) {
		r->offset[b] = r->first[b] < 0 ? -1 : 0;
		if (r->first[b] >= 0 && m->p->bytes[b] > 0)
			r->offset[b] = l.area[l.of_buffer[b]].offset;
	}
	for (int k = 0; k < m->p->nstep; k++)
		r->scratch[k] = l.of_scratch[k] >= 0 ? l.area[l.of_scratch[k]].offset : 0;
}
