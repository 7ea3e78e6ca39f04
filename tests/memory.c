/*
 * The memory planner against brute force on small problems, on ResNets whose peaks are known, and
 * on problems that are big, wide or wrong.
 */
#include "plan/plan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_STEP = 8, MAX_BUFFER = 10, CASES = 2000 };

/* ---- problems in the making ---- */

struct maker {
	struct arena *a;
	struct mem_problem p;
	int step_cap, buffer_cap;
};

static int add_buffer(struct maker *m, int64_t bytes)
{
	if (m->p.nbuffer == m->buffer_cap) {
		int64_t *old = m->p.bytes;

		m->buffer_cap = m->buffer_cap > 0 ? 2 * m->buffer_cap : 32;
		m->p.bytes = arena_alloc(m->a, (size_t)m->buffer_cap * sizeof(*old));
		if (old != NULL)
			memcpy(m->p.bytes, old, (size_t)m->p.nbuffer * sizeof(*old));
	}
	m->p.bytes[m->p.nbuffer] = bytes;
	return m->p.nbuffer++;
}

/* A step that reads x, and y unless -1; returns what it writes. */
static int add_step(struct maker *m, int x, int y, int write, int in_place, int64_t scratch)
{
	if (m->p.nstep == m->step_cap) {
		struct mem_step *old = m->p.step;

		m->step_cap = m->step_cap > 0 ? 2 * m->step_cap : 32;
		m->p.step = arena_alloc(m->a, (size_t)m->step_cap * sizeof(*old));
		if (old != NULL)
			memcpy(m->p.step, old, (size_t)m->p.nstep * sizeof(*old));
	}
	struct mem_step *s = &m->p.step[m->p.nstep++];

	*s = (struct mem_step){ .write = write, .in_place = in_place, .scratch = scratch };
	s->read = arena_alloc(m->a, 2 * sizeof(int));
	if (x >= 0)
		s->read[s->nread++] = x;
	if (y >= 0)
		s->read[s->nread++] = y;
	return write;
}

static int conv(struct maker *m, int x, int64_t bytes)
{
	return add_step(m, x, -1, add_buffer(m, bytes), -1, 0);
}

/* A convolution whose epilogue adds the shortcut, over which it may write. */
static int conv_add(struct maker *m, int x, int shortcut, int64_t bytes)
{
	return add_step(m, x, shortcut, add_buffer(m, bytes), shortcut, 0);
}

/* ---- brute force, from the definitions ---- */

struct brute {
	const struct mem_problem *p;
	bool before[MAX_STEP][MAX_STEP]; /* [i][j]: j depends on i */
	int order[MAX_STEP], best[MAX_STEP];
	int64_t peak;
};

static bool touches(const struct mem_step *s, int b, bool *reads)
{
	*reads = false;
	for (int i = 0; i < s->nread; i++)
		*reads |= s->read[i] == b;
	return *reads || s->write == b;
}

static bool depends(const struct mem_step *x, const struct mem_step *y)
{
	bool reads;

	for (int i = 0; i < y->nread; i++)
		if (x->write == y->read[i])
			return true;
	return y->write >= 0 && touches(x, y->write, &reads);
}

/* Positions of the first write and the last access; first -1: no step writes it. */
static void life(const struct mem_problem *p, const int *order, int b, int *first, int *last)
{
	bool reads;

	*first = *last = -1;
	for (int i = 0; i < p->nstep; i++) {
		const struct mem_step *s = &p->step[order[i]];

		if (s->write == b && *first < 0)
			*first = i;
		if (touches(s, b, &reads))
			*last = i;
	}
}

static bool takes_over(const struct mem_problem *p, const int *order, int i)
{
	const struct mem_step *s = &p->step[order[i]];
	int writers = 0, first, last;

	if (s->in_place < 0 || s->write < 0 || p->bytes[s->write] != p->bytes[s->in_place])
		return false;
	for (int k = 0; k < p->nstep; k++)
		writers += p->step[k].write == s->write;
	life(p, order, s->in_place, &first, &last);
	return writers == 1 && first >= 0 && last == i && s->in_place != s->write &&
	       s->hold < p->bytes[s->write];
}

static int64_t peak_of(const struct mem_problem *p, const int *order)
{
	int64_t peak = 0;

	for (int i = 0; i < p->nstep; i++) {
		int64_t sum = p->step[order[i]].scratch;

		for (int b = 0; b < p->nbuffer; b++) {
			int first, last;

			life(p, order, b, &first, &last);
			if (first >= 0 && first <= i && i <= last)
				sum += p->bytes[b];
		}
		if (takes_over(p, order, i))
			sum += p->step[order[i]].hold - p->bytes[p->step[order[i]].write];
		peak = sum > peak ? sum : peak;
	}
	return peak;
}

static void all_orders(struct brute *u, int n, unsigned done)
{
	if (n == u->p->nstep) {
		const int64_t peak = peak_of(u->p, u->order);

		if (peak < u->peak) { /* the first of the least: they come in lexicographic order */
			u->peak = peak;
			memcpy(u->best, u->order, sizeof(u->best));
		}
		return;
	}
	for (int k = 0; k < u->p->nstep; k++) {
		bool ready = (done >> k & 1) == 0;

		for (int i = 0; i < u->p->nstep; i++)
			ready &= !u->before[i][k] || (done >> i & 1) != 0;
		if (!ready)
			continue;
		u->order[n] = k;
		all_orders(u, n + 1, done | 1u << k);
	}
}

struct box {
	int64_t size, offset;
	int first, last;
};

/* Boxes of an order: chains in place are one. */
static int find_boxes(const struct mem_problem *p, const int *order, struct box *box)
{
	int of[MAX_BUFFER], n = 0;

	for (int i = 0; i < p->nstep; i++) {
		const struct mem_step *s = &p->step[order[i]];
		const int64_t scratch = s->scratch + (takes_over(p, order, i) ? s->hold : 0);
		int first = -1, last = -1;

		if (scratch > 0)
			box[n++] = (struct box){ scratch, 0, i, i };
		if (s->write >= 0)
			life(p, order, s->write, &first, &last);
		if (first != i || p->bytes[s->write] == 0)
			continue;
		if (takes_over(p, order, i)) {
			of[s->write] = of[s->in_place];
			box[of[s->write]].last = last;
		} else {
			of[s->write] = n;
			box[n++] = (struct box){ p->bytes[s->write], 0, i, last };
		}
	}
	return n;
}

/* Least height over all orders of putting each box as low as those before it allow. */
static void all_places(struct box *box, int n, unsigned done, int64_t height, int64_t *best)
{
	if (height >= *best)
		return;
	if (done == (1u << n) - 1)
		*best = height;
	for (int i = 0; i < n; i++) {
		bool moved = true;

		if ((done >> i & 1) != 0)
			continue;
		box[i].offset = 0;
		while (moved) {
			moved = false;
			for (int j = 0; j < n; j++)
				if ((done >> j & 1) != 0 && box[j].first <= box[i].last &&
				    box[i].first <= box[j].last &&
				    box[j].offset < box[i].offset + box[i].size &&
				    box[i].offset < box[j].offset + box[j].size) {
					box[i].offset = box[j].offset + box[j].size;
					moved = true;
				}
		}
		const int64_t top = box[i].offset + box[i].size;
		all_places(box, n, done | 1u << i, top > height ? top : height, best);
	}
}

/* ---- random problems ---- */

static uint64_t seed;

static int rnd(int n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (int)(seed >> 33) % n;
}

/* One in three buffers is written again; sizes are few, so that in place happens. */
static void random_problem(struct maker *m, int nstep)
{
	bool written[MAX_BUFFER] = { false };

	add_buffer(m, 640); /* from outside: no step writes it */
	for (int b = 1; b < MAX_BUFFER; b++)
		add_buffer(m, 64 * (int64_t)(rnd(4) > 0 ? 1 + rnd(3) : rnd(12)));
	for (int k = 0; k < nstep; k++) {
		int read[2] = { 0, -1 }, write = 1 + rnd(MAX_BUFFER - 1), in_place = -1;

		for (int i = 0; i < 2; i++) {
			const int b = 1 + rnd(MAX_BUFFER - 1);

			if (written[b])
				read[i] = b;
		}
		if (rnd(3) > 0)
			for (int b = 1; b < MAX_BUFFER; b++)
				if (!written[b])
					write = b;
		if (rnd(12) == 0)
			write = -1;
		if (rnd(2) == 0)
			in_place = read[rnd(2)];
		add_step(m, read[0], read[1], write, in_place, rnd(4) == 0 ? 64 * (1 + rnd(4)) : 0);
		m->p.step[k].hold = rnd(3) == 0 ? 64 * (int64_t)rnd(4) : 0;
		if (write >= 0)
			written[write] = true;
	}
}

START_TEST(test_brute_force)
{
	int proved = 0, reordered = 0, above = 0;

	for (int c = 0; c < CASES; c++) {
		struct arena a = { 0 };
		struct maker m = { .a = &a };
		struct mem_result r;
		struct brute u = { .peak = INT64_MAX, .p = &m.p };
		struct box box[2 * MAX_STEP];

		seed = (uint64_t)c;
		random_problem(&m, 1 + rnd(MAX_STEP));
		memory_solve(&a, &m.p, &r);
		for (int i = 0; i < m.p.nstep; i++)
			for (int j = i + 1; j < m.p.nstep; j++)
				u.before[i][j] = depends(&m.p.step[i], &m.p.step[j]);
		all_orders(&u, 0, 0);
		ck_assert(r.cert.all_orders);
		ck_assert_int_eq(r.cert.bound, u.peak);
		ck_assert_int_eq(memcmp(r.order, u.best, (size_t)m.p.nstep * sizeof(int)), 0);
		for (int i = 0; i < m.p.nstep; i++) {
			const int k = r.order[i];

			reordered += k != i;
			if (r.in_place[k] || takes_over(&m.p, r.order, i))
				ck_assert(r.in_place[k] &&
					  m.p.step[k].hold < m.p.bytes[m.p.step[k].write]);
		}
		const int n = find_boxes(&m.p, r.order, box);
		if (n <= 8) {
			int64_t least = INT64_MAX;

			all_places(box, n, 0, 0, &least);
			ck_assert_int_eq(r.cert.arena, least);
		}
		ck_assert(r.cert.exact || r.cert.arena == r.cert.bound);
		proved += r.cert.arena == r.cert.bound;
		above += r.cert.exact;
		arena_release(&a);
	}
	printf("brute force: %d cases, %d at the bound, %d exact, %d steps moved\n", CASES, proved,
	       above, reordered);
	ck_assert(reordered > 0);
}
END_TEST

/* Buffers with the order forced by a token: only offsets are the question. */
static void random_intervals(struct maker *m, int n, int nstep, int most)
{
	int token = add_buffer(m, 0), *first = arena_alloc(m->a, (size_t)n * sizeof(*first));

	token = conv(m, token, 0);
	for (int i = 0; i < n; i++)
		first[i] = add_buffer(m, 64 * (1 + rnd(most)));
	for (int i = 0; i < n; i++) {
		const int life = 1 + rnd(nstep);

		add_step(m, token, -1, first[i], -1, 0);
		token = add_step(m, token, first[i], add_buffer(m, 0), -1, 0);
		for (int j = i - life > 0 ? i - life : 0; j < i; j++)
			if (rnd(3) == 0)
				token = add_step(m, token, first[j], add_buffer(m, 0), -1, 0);
	}
}

START_TEST(test_exact_offsets)
{
	int above = 0, exact = 0;

	for (int c = 0; c < 20 * CASES; c++) {
		struct arena a = { 0 };
		struct maker m = { .a = &a };
		struct mem_result r;
		struct box box[16];
		int n = 0;

		seed = (uint64_t)c + 1000000;
		random_intervals(&m, 9, 4, 3 + rnd(6));
		memory_solve(&a, &m.p, &r);
		for (int b = 0; b < m.p.nbuffer; b++)
			if (r.first[b] >= 0 && m.p.bytes[b] > 0)
				box[n++] = (struct box){ m.p.bytes[b], 0, r.first[b], r.last[b] };
		ck_assert(n <= 16);
		exact += r.cert.exact;
		if (r.cert.arena > r.cert.bound) {
			int64_t least = r.cert.arena;

			ck_assert(r.cert.exact);
			all_places(box, n, 0, 0, &least);
			ck_assert_int_eq(r.cert.arena, least);
			above++;
		}
		arena_release(&a);
	}
	printf("offsets: %d exact searches, in %d the bound is out of reach\n", exact, above);
	ck_assert(exact > 0 && above > 0);
}
END_TEST

/* ---- ResNets, as reference/peak_ram.py builds them ---- */

static int basic_block(struct maker *m, int x, int64_t bytes, bool project, bool late)
{
	int shortcut = x;

	if (project && !late)
		shortcut = conv(m, x, bytes);
	int y = conv(m, x, bytes);
	if (project && late)
		shortcut = conv(m, x, bytes);
	return conv_add(m, y, shortcut, bytes);
}

static int bottleneck(struct maker *m, int x, int64_t wide, int64_t bytes, bool project, bool late)
{
	int shortcut = x;

	if (project && !late)
		shortcut = conv(m, x, 4 * bytes);
	int y = conv(m, x, wide);
	y = conv(m, y, bytes);
	if (project && late)
		shortcut = conv(m, x, 4 * bytes);
	return conv_add(m, y, shortcut, 4 * bytes);
}

/* pool and fully connected layer; the network's output is not in the arena */
static void head(struct maker *m, int x, int64_t channels)
{
	x = conv(m, x, 4 * channels);
	add_step(m, x, -1, add_buffer(m, 0), -1, 0);
}

static void build_resnet8(struct maker *m, bool late)
{
	int x = conv(m, add_buffer(m, 0), 4 * 16 * 32 * 32);

	for (int i = 0; i < 3; i++)
		x = basic_block(m, x, (int64_t)4 * 16 * 32 * 32 >> i, i > 0, late);
	head(m, x, 64);
}

static void build_imagenet(struct maker *m, const int *blocks, bool bottle, bool late)
{
	int x = conv(m, add_buffer(m, 0), 4 * 64 * 112 * 112);

	x = conv(m, x, 4 * 64 * 56 * 56);
	for (int i = 0; i < 4; i++) {
		for (int b = 0; b < blocks[i]; b++) {
			const int64_t bytes = (int64_t)4 * 64 * 56 * 56 >> i;
			const bool down = i > 0 && b == 0;

			if (bottle)
				x = bottleneck(m, x, down ? 4 * bytes : bytes, bytes, b == 0, late);
			else
				x = basic_block(m, x, bytes, down, late);
		}
	}
	head(m, x, bottle ? 2048 : 512);
}

static void check_peak(struct maker *m, int64_t want, const char *name)
{
	struct mem_result r;

	memory_solve(m->a, &m->p, &r);
	printf("%s: arena %lld, bound %lld, all orders %d, states %lld, exact %d\n", name,
	       (long long)r.cert.arena, (long long)r.cert.bound, r.cert.all_orders,
	       (long long)r.cert.orders, r.cert.exact);
	ck_assert_int_eq(r.cert.arena, want);
	ck_assert_int_eq(r.cert.bound, want);
	ck_assert(r.cert.all_orders);
	arena_release(m->a);
	*m = (struct maker){ .a = m->a };
}

START_TEST(test_resnets)
{
	const int blocks18[] = { 2, 2, 2, 2 }, blocks50[] = { 3, 4, 6, 3 };
	const int blocks152[] = { 3, 8, 36, 3 };
	struct arena a = { 0 };
	struct maker m = { .a = &a };

	for (int late = 0; late < 2; late++) {
		build_resnet8(&m, late);
		check_peak(&m, 131072, "ResNet-8");
		build_imagenet(&m, blocks18, false, late);
		check_peak(&m, 4014080, "ResNet-18");
		build_imagenet(&m, blocks50, true, late);
		check_peak(&m, 5218304, "ResNet-50");
		build_imagenet(&m, blocks152, true, late);
		check_peak(&m, 5218304, "ResNet-152");
	}
}
END_TEST

/* ---- big, wide, and wrong ---- */

static double seconds(clock_t since)
{
	return (double)(clock() - since) / CLOCKS_PER_SEC;
}

/* 5,000 blocks of which every tenth projects, in the worse order. */
START_TEST(test_long_chain)
{
	struct arena a = { 0 };
	struct maker m = { .a = &a };
	struct mem_result r;
	const clock_t start = clock();
	int x = conv(&m, add_buffer(&m, 0), 4096);

	for (int b = 0; b < 5000; b++)
		x = basic_block(&m, x, b % 3 == 0 ? 4096 : 4096 >> (b & 3), true, b % 10 == 0);
	head(&m, x, 64);
	memory_solve(&a, &m.p, &r);
	printf("5,000 blocks, %d steps: %.3f s, arena %lld, bound %lld, states %lld\n", m.p.nstep,
	       seconds(start), (long long)r.cert.arena, (long long)r.cert.bound,
	       (long long)r.cert.orders);
	ck_assert(r.cert.all_orders);
	ck_assert_int_eq(r.cert.arena, r.cert.bound);
#ifdef __OPTIMIZE__
	ck_assert(seconds(start) < 1.0);
#endif
	arena_release(&a);
}
END_TEST

/* As many blocks, in each of which the projection stands in the wrong place. */
START_TEST(test_reordered_chain)
{
	struct arena a = { 0 };
	struct maker m = { .a = &a };
	struct mem_result r;
	const clock_t start = clock();
	int x = conv(&m, add_buffer(&m, 0), 4096);

	for (int b = 0; b < 5000; b++)
		x = bottleneck(&m, x, 8192, 1024, true, false);
	memory_solve(&a, &m.p, &r);
	printf("5,000 blocks to reorder, %d steps: %.3f s, arena %lld, bound %lld, states %lld\n",
	       m.p.nstep, seconds(start), (long long)r.cert.arena, (long long)r.cert.bound,
	       (long long)r.cert.orders);
	ck_assert(r.cert.all_orders);
	ck_assert_int_eq(r.cert.bound, 4096 + 8192 + 1024);
	ck_assert_int_eq(r.cert.arena, r.cert.bound);
#ifdef __OPTIMIZE__
	ck_assert(seconds(start) < 1.0);
#endif
	arena_release(&a);
}
END_TEST

/* Towers over one input: each ends in a small result, and running one after the other is best. */
static void build_towers(struct maker *m, int ntower, int height)
{
	const int x = conv(m, add_buffer(m, 0), 6400);
	int *top = arena_alloc(m->a, (size_t)ntower * sizeof(*top));

	for (int i = 0; i < ntower; i++)
		top[i] = x;
	for (int h = 0; h < height; h++) /* breadth first: the worst order */
		for (int i = 0; i < ntower; i++)
			top[i] = conv(m, top[i], h + 1 < height ? 640 * (1 + (h + i) % 3) : 64);
	for (int i = 1; i < ntower; i++)
		top[0] = add_step(m, top[0], top[i], add_buffer(m, 64), -1, 0);
}

START_TEST(test_towers)
{
	static const int shape[][2] = { { 4, 4 }, { 2, 200 }, { 8, 12 }, { 40, 100 }, { 1000, 3 } };

	for (size_t i = 0; i < sizeof(shape) / sizeof(shape[0]); i++) {
		struct arena a = { 0 };
		struct maker m = { .a = &a };
		struct mem_result r;
		const clock_t start = clock();

		build_towers(&m, shape[i][0], shape[i][1]);
		memory_solve(&a, &m.p, &r);
		printf("%d towers of %d: %.3f s, arena %lld, bound %lld, all %d, states %lld\n",
		       shape[i][0], shape[i][1], seconds(start), (long long)r.cert.arena,
		       (long long)r.cert.bound, r.cert.all_orders, (long long)r.cert.orders);
		ck_assert(r.cert.arena >= r.cert.bound && r.cert.arena % 64 == 0);
		if (i < 2)
			ck_assert(r.cert.all_orders && r.cert.arena == r.cert.bound);
		arena_release(&a);
	}
}
END_TEST

/* An output computed early that nobody reads must not make the rest one segment to search. */
START_TEST(test_early_outputs)
{
	struct arena a = { 0 };
	struct maker m = { .a = &a };
	struct mem_result r;
	int x = conv(&m, add_buffer(&m, 0), 4096);

	for (int b = 0; b < 1000; b++) {
		x = basic_block(&m, x, 4096, b % 7 == 0, b % 2 == 0);
		if (b % 10 == 0)
			add_step(&m, x, -1, b % 20 == 0 ? add_buffer(&m, 0) : -1, -1, 0);
	}
	memory_solve(&a, &m.p, &r);
	ck_assert(r.cert.all_orders);
	ck_assert_int_eq(r.cert.bound, 3 * 4096);
	ck_assert_int_eq(r.cert.arena, r.cert.bound);
	arena_release(&a);
}
END_TEST

/* A chain in place has one offset; scratch stands beside it; what is outside has none. */
START_TEST(test_in_place_chain)
{
	struct arena a = { 0 };
	struct maker m = { .a = &a };
	struct mem_result r;
	const int input = add_buffer(&m, 4096);
	int x = conv(&m, input, 256);
	const int first = x;

	for (int i = 0; i < 5; i++)
		x = add_step(&m, x, -1, add_buffer(&m, 256), x, 128);
	memory_solve(&a, &m.p, &r);
	ck_assert_int_eq(r.cert.arena, 256 + 128);
	for (int b = first; b <= x; b++)
		ck_assert_int_eq(r.offset[b], r.offset[first]);
	ck_assert_int_eq(r.offset[input], -1);
	for (int k = 1; k < m.p.nstep; k++) {
		ck_assert(r.in_place[k]);
		ck_assert(r.scratch[k] >= r.offset[x] + 256 || r.scratch[k] + 128 <= r.offset[x]);
	}
	arena_release(&a);
}
END_TEST

/* A chain that holds copies of what it overwrites has room for them beside it; copies as large as the buffer gain
 * nothing. */
START_TEST(test_held_chain)
{
	for (int64_t hold = 96; hold <= 256; hold += 160) {
		struct arena a = { 0 };
		struct maker m = { .a = &a };
		struct mem_result r;
		int x = conv(&m, add_buffer(&m, 0), 256);

		for (int i = 0; i < 5; i++) {
			x = add_step(&m, x, -1, add_buffer(&m, 256), x, 32);
			m.p.step[m.p.nstep - 1].hold = hold;
		}
		memory_solve(&a, &m.p, &r);
		ck_assert_int_eq(r.cert.arena, hold < 256 ? 256 + 32 + 96 : 2 * 256 + 64);
		ck_assert_int_eq(r.cert.bound, r.cert.arena);
		for (int k = 1; k < m.p.nstep; k++) {
			ck_assert(r.in_place[k] == (hold < 256));
			if (hold < 256)
				ck_assert(r.scratch[k] >= r.offset[x] + 256 ||
					  r.scratch[k] + 32 + hold <= r.offset[x]);
		}
		arena_release(&a);
	}
}
END_TEST

/* Parts of a concatenation: one buffer, live from the first of its writes. */
START_TEST(test_concat)
{
	struct arena a = { 0 };
	struct maker m = { .a = &a };
	struct mem_result r;
	const int x = conv(&m, add_buffer(&m, 0), 64), cat = add_buffer(&m, 512);

	for (int i = 0; i < 3; i++)
		add_step(&m, conv(&m, x, 128), -1, cat, -1, 0);
	conv(&m, cat, 64);
	memory_solve(&a, &m.p, &r);
	ck_assert_int_eq(r.first[cat], 2);
	ck_assert_int_eq(r.last[cat], 7);
	ck_assert_int_eq(r.cert.bound, 64 + 128 + 512);
	ck_assert_int_eq(r.cert.arena, r.cert.bound);
	arena_release(&a);
}
END_TEST

START_TEST(test_scratch_keeps_alignment)
{
	struct arena a = { 0 };
	struct maker m = { .a = &a };
	struct mem_result r;

	add_step(&m, -1, -1, add_buffer(&m, 160), -1, 33); /* 160 = 5 * 32 */
	add_step(&m, 0, -1, add_buffer(&m, 32), -1, 7);
	memory_solve(&a, &m.p, &r);
	for (int b = 0; b < 2; b++) {
		ck_assert_int_eq(r.offset[b] % 32, 0);
		ck_assert_int_eq(r.scratch[b] % 32, 0);
	}
	ck_assert_int_eq(r.cert.arena, 160 + 64);
	arena_release(&a);
}
END_TEST

START_TEST(test_nothing)
{
	struct arena a = { 0 };
	struct mem_problem p = { .nstep = 0 };
	struct mem_result r;

	memory_solve(&a, &p, &r);
	ck_assert_int_eq(r.cert.arena, 0);
	ck_assert(r.cert.all_orders);
	arena_release(&a);
}
END_TEST

START_TEST(test_deterministic)
{
	for (int c = 0; c < 20; c++) {
		struct mem_result r[2];
		struct arena a[2] = { { 0 }, { 0 } };
		struct maker m[2];

		for (int i = 0; i < 2; i++) {
			m[i] = (struct maker){ .a = &a[i] };
			arena_alloc(&a[i], (size_t)(1000 * i)); /* other addresses */
			seed = (uint64_t)c;
			build_towers(&m[i], 2 + rnd(6), 2 + rnd(10));
			memory_solve(&a[i], &m[i].p, &r[i]);
		}
		const size_t n = (size_t)m[0].p.nstep, b = (size_t)m[0].p.nbuffer;
		ck_assert_int_eq(memcmp(r[0].order, r[1].order, n * sizeof(int)), 0);
		ck_assert_int_eq(memcmp(r[0].offset, r[1].offset, b * sizeof(int64_t)), 0);
		ck_assert_int_eq(memcmp(r[0].scratch, r[1].scratch, n * sizeof(int64_t)), 0);
		ck_assert_int_eq(r[0].cert.arena, r[1].cert.arena);
		ck_assert_int_eq(r[0].cert.orders, r[1].cert.orders);
		arena_release(&a[0]);
		arena_release(&a[1]);
	}
}
END_TEST

/* Our own bugs end in die(), exit 3. */
START_TEST(test_read_before_write)
{
	struct arena a = { 0 };
	struct maker m = { .a = &a };
	struct mem_result r;
	const int x = add_buffer(&m, 64), y = add_buffer(&m, 64);

	add_step(&m, x, -1, y, -1, 0);
	add_step(&m, y, -1, x, -1, 0);
	memory_solve(&a, &m.p, &r);
}
END_TEST

START_TEST(test_too_many_bytes)
{
	struct arena a = { 0 };
	struct maker m = { .a = &a };
	struct mem_result r;

	for (int i = 0; i < 8; i++)
		add_buffer(&m, INT64_MAX / 6);
	memory_solve(&a, &m.p, &r);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("memory");
	TCase *t = tcase_create("plan");
	SRunner *run = srunner_create(s);

	tcase_set_timeout(t, 300);
	tcase_add_test(t, test_brute_force);
	tcase_add_test(t, test_exact_offsets);
	tcase_add_test(t, test_resnets);
	tcase_add_test(t, test_long_chain);
	tcase_add_test(t, test_reordered_chain);
	tcase_add_test(t, test_towers);
	tcase_add_test(t, test_early_outputs);
	tcase_add_test(t, test_in_place_chain);
	tcase_add_test(t, test_held_chain);
	tcase_add_test(t, test_concat);
	tcase_add_test(t, test_scratch_keeps_alignment);
	tcase_add_test(t, test_nothing);
	tcase_add_test(t, test_deterministic);
	tcase_add_exit_test(t, test_read_before_write, 3);
	tcase_add_exit_test(t, test_too_many_bytes, 3);
	suite_add_tcase(s, t);
	srunner_run_all(run, CK_NORMAL);
	const int failed = srunner_ntests_failed(run);
	srunner_free(run);
	return failed > 0;
}
