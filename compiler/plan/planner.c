/* The memory planner: the problem, whose space is taken over in place, and what is proved. */
#include "plan/planner.h"

/* ---- the problem ---- */

static void count_bytes(int64_t *total, int64_t bytes)
{
	if (bytes < 0 || bytes > INT64_MAX / 4 - *total)
		die("memory: %lld bytes are asked for", (long long)bytes);
	*total += bytes;
}

static int64_t rounded(const struct planner *m, int64_t bytes)
{
	return (bytes + m->align - 1) / m->align * m->align;
}

/*
 * Sums of all sizes stay far from overflow. Scratch is rounded so that what is placed above it
 * stays aligned: to the power of two that divides all buffers, which is a multiple of their
 * alignment, up to a cache line.
 */
static void find_sizes(struct planner *m)
{
	const struct mem_problem *p = m->p;
	int64_t total = 0;

	m->align = 64;
	for (int b = 0; b < p->nbuffer; b++) {
		count_bytes(&total, p->bytes[b]);
		while (p->bytes[b] % m->align != 0)
			m->align /= 2;
	}
	m->scratch = NEW(&m->tmp, int64_t, p->nstep);
	m->hold = NEW(&m->tmp, int64_t, p->nstep);
	for (int k = 0; k < p->nstep; k++) {
		const struct mem_step *s = &p->step[k];

		count_bytes(&total, s->scratch);
		count_bytes(&total, s->hold);
		m->scratch[k] = rounded(m, s->scratch);
		m->hold[k] = rounded(m, s->scratch + s->hold) - m->scratch[k];
	}
}

/* Step k reads b, or then writes it. writer: by buffer, the last access that writes it. */
static void add_access(struct planner *m, int k, int b, bool writes, int *writer)
{
	const int prev = m->last_access[b];

	if (m->writers[b] == 0)
		return;
	if (prev < 0 && !writes)
		die("memory: step %d reads buffer %d before it is written", k, b);
	if (prev < m->access_at[k]) {
		m->last_access[b] = m->access_at[k + 1]++;
		m->access[m->last_access[b]] = (struct access){ k, b, prev, writer[b], writer[b] };
	}
	if (writes) {
		m->access[m->last_access[b]].after = m->access[m->last_access[b]].prev;
		writer[b] = m->last_access[b];
	}
}

static void find_accesses(struct planner *m)
{
	const struct mem_problem *p = m->p;
	int *writer = NEW(&m->tmp, int, p->nbuffer);
	int total = 0;

	m->writers = NEW(&m->tmp, int, p->nbuffer);
	m->last_access = NEW(&m->tmp, int, p->nbuffer);
	for (int b = 0; b < p->nbuffer; b++)
		m->last_access[b] = writer[b] = -1;
	for (int k = 0; k < p->nstep; k++) {
		total += p->step[k].nread + 1;
		if (p->step[k].write >= 0)
			m->writers[p->step[k].write]++;
	}
	m->access = NEW(&m->tmp, struct access, total);
	m->access_at = NEW(&m->tmp, int, p->nstep + 1);
	m->may_take = NEW(&m->tmp, bool, p->nstep);
	for (int k = 0; k < p->nstep; k++) {
		const struct mem_step *s = &p->step[k];
		const int w = s->write, b = s->in_place;

		m->access_at[k + 1] = m->access_at[k];
		for (int i = 0; i < s->nread; i++)
			add_access(m, k, s->read[i], false, writer);
		if (w >= 0)
			add_access(m, k, w, true, writer);
		m->may_take[k] = w >= 0 && b >= 0 && w != b && m->writers[w] == 1 &&
				 m->writers[b] > 0 && p->bytes[w] == p->bytes[b] &&
				 p->bytes[w] > m->hold[k];
	}
}

/* ---- lifetimes ---- */

static void find_lifetimes(const struct planner *m, struct mem_result *r)
{
	for (int b = 0; b < m->p->nbuffer; b++)
		r->first[b] = r->last[b] = -1;
	for (int i = 0; i < m->p->nstep; i++) {
		const int k = r->order[i];

		for (int j = m->access_at[k]; j < m->access_at[k + 1]; j++) {
			const int b = m->access[j].buffer;

			r->first[b] = r->first[b] < 0 ? i : r->first[b];
			r->last[b] = i;
		}
	}
	for (int i = 0; i < m->p->nstep; i++) {
		const int k = r->order[i];

		r->in_place[k] = m->may_take[k] && r->last[m->p->step[k].in_place] == i;
	}
}

/* ---- verification: from the problem and the result alone, in every build ---- */

/* The order runs each step once, and after what it depends on. */
static void verify_order(const struct mem_problem *p, const struct mem_result *r, struct arena *tmp)
{
	int *written = NEW(tmp, int, p->nbuffer), *used = NEW(tmp, int, p->nbuffer);
	int *pos = NEW(tmp, int, p->nstep); /* all three: 1 + a position */

	for (int i = 0; i < p->nstep; i++) {
		const int k = r->order[i];

		if (k < 0 || k >= p->nstep || pos[k] > 0)
			die("memory: the order is no permutation at %d", i);
		pos[k] = i + 1;
	}
	for (int k = 0; k < p->nstep; k++) { /* written, used: the latest of the steps before k */
		const struct mem_step *s = &p->step[k];

		for (int i = 0; i < s->nread; i++) {
			const int b = s->read[i];

			if (written[b] > pos[k])
				die("memory: step %d runs before what it reads is written", k);
			used[b] = used[b] > pos[k] ? used[b] : pos[k];
		}
		if (s->write < 0)
			continue;
		if (used[s->write] > pos[k])
			die("memory: step %d overwrites what is still in use", k);
		written[s->write] = used[s->write] = pos[k]; /* later than all before it */
	}
}

/* The steps run in their order, and what is live is where the result has it. */
struct replay {
	const struct planner *m;
	const struct mem_result *r;
	int *left;   /* by buffer: uses to come */
	bool *begun; /* by buffer */
	int *live, nlive;
};

static void count_uses(struct replay *v, const struct mem_step *s, int by)
{
	for (int i = 0; i < s->nread; i++)
		v->left[s->read[i]] += by;
	if (s->write >= 0)
		v->left[s->write] += by;
}

/* A place in the arena that nothing live but `taken` reaches into. */
static void verify_place(const struct replay *v, int64_t lo, int64_t size, int taken, int k)
{
	if (size == 0)
		return;
	if (lo < 0 || lo > v->r->cert.arena - size || lo % v->m->align != 0)
		die("memory: step %d writes outside the arena or its alignment", k);
	for (int i = 0; i < v->nlive; i++) {
		const int b = v->live[i];
		const int64_t begin = v->r->offset[b];

		if (b != taken && begin < lo + size && lo < begin + v->m->p->bytes[b])
			die("memory: step %d overwrites what is live", k);
	}
}

/* Runs the step at position i; the bytes live meanwhile. */
static int64_t replay_step(struct replay *v, int i)
{
	const struct mem_problem *p = v->m->p;
	const struct mem_result *r = v->r;
	const int k = r->order[i], w = p->step[k].write;
	const bool begins = w >= 0 && !v->begun[w];
	const int taken = r->in_place[k] ? p->step[k].in_place : -1;
	const int64_t scratch = scratch_of(v->m, r, k);
	int64_t sum = scratch - (taken >= 0 ? p->bytes[taken] : 0);
	int n = 0;

	count_uses(v, &p->step[k], -1);
	if (taken >= 0 &&
		(!begins || v->left[taken] > 0 || !v->begun[taken] ||
			p->bytes[taken] != p->bytes[w] || r->offset[taken] != r->offset[w]))
		die("memory: step %d takes over what it must not", k);
	if (begins) {
		verify_place(v, r->offset[w], p->bytes[w], taken, k);
		v->begun[w] = true;
		v->live[v->nlive++] = w;
	}
	verify_place(v, r->scratch[k], scratch, -1, k);
	for (int j = 0; j < v->nlive; j++) {
		sum += p->bytes[v->live[j]];
		if (v->left[v->live[j]] > 0)
			v->live[n++] = v->live[j];
	}
	v->nlive = n;
	return sum;
}

static void verify(const struct planner *m, const struct mem_result *r)
{
	const struct mem_problem *p = m->p;
	struct arena tmp = { 0 };
	struct replay v = { .m = m, .r = r };
	int64_t peak = 0;

	verify_order(p, r, &tmp);
	v.left = NEW(&tmp, int, p->nbuffer);
	v.begun = NEW(&tmp, bool, p->nbuffer);
	v.live = NEW(&tmp, int, p->nstep);
	for (int k = 0; k < p->nstep; k++)
		count_uses(&v, &p->step[k], 1);
	for (int i = 0; i < p->nstep; i++)
		peak = max64(peak, replay_step(&v, i));
	if (peak != r->cert.bound || peak > r->cert.arena)
		die("memory: the certificate is wrong");
	arena_release(&tmp);
}

void memory_solve(struct arena *a, const struct mem_problem *p, struct mem_result *r)
{
	struct planner m = { .p = p };

	*r = (struct mem_result){
		.order = NEW(a, int, p->nstep),
		.offset = NEW(a, int64_t, p->nbuffer),
		.scratch = NEW(a, int64_t, p->nstep),
		.first = NEW(a, int, p->nbuffer),
		.last = NEW(a, int, p->nbuffer),
		.in_place = NEW(a, bool, p->nstep),
	};
	find_sizes(&m);
	find_accesses(&m);
	memory_order(&m, r);
	find_lifetimes(&m, r);
	memory_offsets(&m, r);
	verify(&m, r);
	arena_release(&m.tmp);
}
