/*
 * A kernel that threads may share, NAME, as fill.c fills it in: SCRATCH is 1 where each part has some of its own.
 */
#define SCRATCH 1
#define MEMBERS \
	const float *x; \
	float *y, *tile;
#define INDICES const int h = index;
#define PART t->isa, h, h + 1, t->x, t->y, worker == 0 ? t->tile : t->others
#define PARAMETERS const float *x, float *y, float *tile
#define TASK net->isa, x, y, tile
#define WHOLE net->isa, 0, PARTS, x, y, tile
#define PARTS 4

struct NETWORK {
	int isa;
	void (*parallel_for)(void *context, void (*body)(void *task, int index, int worker), void *task, int count);
	void *parallel_context;
};

void NAME_range(int isa, int h_from, int h_to, const float *x, float *y, float *tile);

#include "template.h"

struct NAME_task {
	int isa;
	MEMBERS
#if SCRATCH
	float *others; /* scratch of further workers */
#endif
};

static void NAME_part(void *task, int index, int worker)
{
	const struct NAME_task *const t = task;
	INDICES

#if !SCRATCH
	(void)worker;
#endif
	NAME_range(PART);
	leave(t->isa);
}

#if SCRATCH
static void NAME(const struct NETWORK *net, PARAMETERS, float *others)
#else
static void NAME(const struct NETWORK *net, PARAMETERS)
#endif
{
#if SCRATCH
	struct NAME_task task = { TASK, others };
#else
	struct NAME_task task = { TASK };
#endif

	if (net->parallel_for == NULL)
		NAME_range(WHOLE);
	else
		net->parallel_for(net->parallel_context, NAME_part, &task, PARTS);
}
