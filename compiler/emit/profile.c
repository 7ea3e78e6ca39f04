/* The steps of run: the table at the top of NAME.c, and the one that -DNAME_PROFILE compiles in. */
#include "emit/emission.h"

#include <string.h>

enum { MOST_NAME = 56, MOST_SHAPE = 40 }; /* columns; what is longer sticks out */

/* Bytes that a kernel touches of r, each once. */
static int64_t region_bytes(const struct region *r)
{
	int64_t bytes = dtypes[r->type].size;

	if (region_is_constant(r))
		return r->buffer->bytes;
	for (int d = 0; d < r->shape.rank; d++)
		if (r->stride[d] != 0)
			bytes *= r->windowed ? r->hi[d] - r->lo[d] : r->shape.dim[d];
	return bytes;
}

int64_t kernel_traffic(const struct kernel *k)
{
	int64_t bytes = region_bytes(&k->dst);

	for (int i = 0; i < k->narg; i++)
		bytes += region_bytes(&k->arg[i].region);
	for (int i = 0; i < k->noperand; i++)
		bytes += region_bytes(&k->operand[i].region);
	return bytes;
}

const char *steps_comment(struct emission *e)
{
	const struct plan *p = e->plan;
	struct buf out = { 0 };
	int wide = 6, shape = 6;

	for (int i = 0; i < p->nkernel; i++) {
		const int name = (int)strlen(p->kernel[i]->function), result = (int)strlen(result_text(e->arena, p->kernel[i]));

		wide = name > wide && name <= MOST_NAME ? name : wide;
		shape = result > shape && result <= MOST_SHAPE ? result : shape;
	}
	buf_printf(&out, " * step  multiply-adds  %-*s  %-*s  nodes\n", shape, "result", wide, "kernel");
	for (int i = 0; i < p->nkernel; i++) {
		const struct kernel *k = p->kernel[i];

		buf_printf(&out, " * %4d  %13s  %-*s  %-*s  %s\n", i, k->macs > 0 ? grouped(e->arena, k->macs) : "",
			shape, result_text(e->arena, k), wide, k->function,
			prov_text(e->arena, p->graph, k->prov, 3));
	}
	buf_puts(&out, " *\n");
	return buf_text(e->arena, &out);
}

const char *steps_rows(struct emission *e)
{
	const struct plan *p = e->plan;
	struct buf out = { 0 };

	for (int i = 0; i < p->nkernel; i++) {
		const struct kernel *k = p->kernel[i];

		buf_printf(&out, "\t{ \"%s\",\n\t  \"%s\", %lld, %lld },\n",
			prov_text(e->arena, p->graph, k->prov, 4), k->function, (long long)k->macs,
			(long long)kernel_traffic(k));
	}
	return buf_text(e->arena, &out);
}
