/* The memory planner: the problem, whose space is taken over in place, and what is proved. */
#include "memory.h"

#include <string.h>

enum { MAX_SCRATCH_ALIGN = 64 };

/* ---- the problem ---- */

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
	m->scratch = NEW(&m->tmp, int64_t, p->nstep);
	for (int k = 0; k < p->nstep; k++)
		m->scratch[k] = (p->step[k].scratch + m->align - 1) / m->align * m->align;
}

/* Adds step k's access to b; what it reads comes before what it writes. */
static void add_access(struct planner *m, int k, int b, bool writes, int *writer)
{
	const int prev = m->last_access[b], n = m->access_at[k + 1];

	if (m->writers[b] == 0)
		return;
	if (prev < 0 && !writes)
		die("memory: step %d reads buffer %d before it is written", k, b);
	if (prev >= m->access_at[k]) { /* read twice, or read and written */
		m->access[prev].writes |= writes;
	} else {
		m->access[n] = (struct access){ k, b, prev, writer[b], writes };
		m->last_access[b] = m->access_at[k + 1]++;
	}
	if (writes)
		writer[b] = m->last_access[b];
}

static void find_accesses(struct planner *m)
{
	const struct mem_problem *p = m->p;
	int *writer = NEW(&m->tmp, int, p->nbuffer); /* by buffer: the last access that writes it */
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
				 m->writers[b] > 0 && p->bytes[w] > 0 && p->bytes[w] == p->bytes[b];
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
		const int w = s->write;

		for (int i = 0; i < s->nread; i++)
			if (written[s->read[i]] > pos[k])
				die("memory: step %d runs before what it reads is written", k);
		if (w >= 0 && used[w] > pos[k])
			die("memory: step %d overwrites what is still in use", k);
		for (int i = 0; i < s->nread; i++)
			if (used[s->read[i]] < pos[k])
				used[s->read[i]] = pos[k];
		if (w >= 0)
			written[w] = used[w] = pos[k]; /* later than all before it */
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

/* Forgets the buffers whose last use was at position i; the bytes that were live. */
static int64_t retire(struct replay *v, int i)
{
	int64_t sum = 0;
	int n = 0;

	for (int j = 0; j < v->nlive; j++) {
		const int b = v->live[j];

		sum += v->m->p->bytes[b];
		if (v->left[b] > 0)
			v->live[n++] = b;
		else if (v->r->last[b] != i)
			die("memory: buffer %d is not used last where it should be", b);
	}
	v->nlive = n;
	return sum;
}

/* Runs the step at position i; the bytes live meanwhile. */
static int64_t replay_step(struct replay *v, int i)
{
	const struct mem_problem *p = v->m->p;
	const struct mem_result *r = v->r;
	const int k = r->order[i], w = p->step[k].write;
	const bool begins = w >= 0 && !v->begun[w];
	const int taken = r->in_place[k] ? p->step[k].in_place : -1;

	for (int j = 0; j < p->step[k].nread; j++)
		v->left[p->step[k].read[j]]--;
	if (w >= 0)
		v->left[w]--;
	if (taken >= 0 &&
		(!begins || v->left[taken] > 0 || !v->begun[taken] ||
			p->bytes[taken] != p->bytes[w] || r->offset[taken] != r->offset[w]))
		die("memory: step %d takes over what it must not", k);
	if (begins) {
		if (r->first[w] != i)
			die("memory: buffer %d is not written first where it should be", w);
		v->begun[w] = true;
		verify_place(v, r->offset[w], p->bytes[w], taken, k);
		v->live[v->nlive++] = w;
	}
	verify_place(v, r->scratch[k], v->m->scratch[k], -1, k);
	return retire(v, i) + v->m->scratch[k] - (taken >= 0 ? p->bytes[taken] : 0);
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
	for (int k = 0; k < p->nstep; k++) {
		for (int i = 0; i < p->step[k].nread; i++)
			v.left[p->step[k].read[i]]++;
		if (p->step[k].write >= 0)
			v.left[p->step[k].write]++;
	}
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
	check_problem(p);
	round_scratch(&m);
	find_accesses(&m);
	memory_order(&m, r);
	find_lifetimes(&m, r);
	memory_offsets(&m, r);
	verify(&m, r);
	arena_release(&m.tmp);
}
