/* What a plan is made of, and words for it. */
#include "plan/plan.h"

#include <string.h>

void *plan_grown(struct arena *a, void *array, int n, int *cap)
{
	if (n < *cap)
		return array;
	*cap = *cap > 0 ? 2 * *cap : 64;
	void **v = arena_alloc(a, (size_t)*cap * sizeof(void *));

	if (n > 0)
		memcpy(v, array, (size_t)n * sizeof(void *));
	return v;
}

struct kernel *plan_append(struct plan *p, struct kernel *k)
{
	p->kernel = plan_grown(p->arena, p->kernel, p->nkernel, &p->kernel_cap);
	k->id = p->nkernel;
	k->plan = p;
	p->kernel[p->nkernel++] = k;
	return k;
}

struct kernel *plan_kernel(struct plan *p)
{
	return plan_append(p, arena_alloc(p->arena, sizeof(struct kernel)));
}

struct buffer *plan_buffer(struct plan *p, enum buffer_kind kind, int64_t bytes)
{
	struct buffer *b = arena_alloc(p->arena, sizeof(*b));

	p->buffer = plan_grown(p->arena, p->buffer, p->nbuffer, &p->buffer_cap);
	b->id = p->nbuffer;
	b->kind = kind;
	b->bytes = bytes;
	p->buffer[p->nbuffer++] = b;
	return b;
}

const char *result_text(struct arena *a, const struct kernel *k)
{
	const char *text = shape_text(a, &k->dst.shape);

	return shape_equal(&k->dst.shape, &k->out->shape)
		       ? text
		       : arena_printf(a, "%s of %s", text, shape_text(a, &k->out->shape));
}
