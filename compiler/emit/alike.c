/*
 * Which kernels have the same text, told before it is made: deep networks repeat a few kernels hundreds of times, and an
 * instance takes milliseconds. The key has what versions.c and epilogue.c make of nodes and regions, for coordinates
 * that are names of their own, and of struct kernel everything that does not say which kernel it is. Built with
 * CHECK_ALIKE, as for the cases of `make check`, skipc makes all texts and stops where two are not the same.
 */
#include "emit/emission.h"

#include <string.h>

static void add_epilogue(struct buf *b, const struct kernel *k)
{
	char *coord[MAX_RANK];

	for (int i = 0; i < k->ncoord; i++)
		coord[i] = arena_printf(k->plan->arena, "c%d", i);
	write_access(k, b, 'Y', coord, k->ncoord);
	if (k->keep != NULL)
		write_access(k, b, 'L', coord, k->ncoord);
	buf_puts(b, "\n");
	if (k->ngroup + k->noperand > 0)
		write_epilogue(k, b, "", "a", false, coord, k->ncoord);
	if (has_vector_epilogue(k))
		write_epilogue(k, b, "vector ", "a", true, coord, k->ncoord);
}

/* What is somebody's: other kernels have others. */
static void forget_region(struct region *r)
{
	r->buffer = NULL;
	r->offset = 0;
}

static void forget_arguments(struct arg *v, int n)
{
	for (int i = 0; i < n; i++) {
		v[i].tensor = NULL;
		forget_region(&v[i].region);
	}
}

/* The checksum of what else a kernel is. What it points to is in the key as text, or in none. */
static uint64_t rest_of(struct arena *a, const struct kernel *k)
{
	struct crc64 *sum = arena_alloc(a, sizeof(*sum));
	struct kernel *r = arena_alloc(a, sizeof(*r));

	memcpy(r, k, sizeof(*r)); /* padding, too: zero as the arena made it, or kernels count as different */
	r->id = 0;
	r->other = NULL;
	r->set = NULL;
	r->anchor = NULL;
	memset(r->stacked, 0, sizeof(r->stacked));
	r->keep = NULL;
	r->group = NULL;
	r->value = r->whole = r->out = NULL;
	r->phase = NULL;
	forget_region(&r->src);
	forget_region(&r->dst);
	forget_arguments(r->arg, r->narg);
	forget_arguments(r->operand, r->noperand);
	memset(r->subst, 0, sizeof(r->subst));
	r->in_place = NULL;
	r->scratch_offset = 0;
	r->gemm = NULL;
	r->prov = NULL;
	r->function = r->title = NULL;
	r->alike = NULL;
	crc64_begin(sum);
	crc64_add(sum, r, sizeof(*r));
	return crc64_end(sum);
}

const char *kernel_key(const struct kernel *k, const char *comment)
{
	struct arena scratch = { 0 };
	struct signature s;
	struct buf b = { 0 };

	signature_of(&scratch, k, &s);
	buf_printf(&b, "%s\n%d %d %d %016llx\n%s\n%s", comment, overwrites_input(k), k->in_place != NULL, k->anchor != NULL,
		(unsigned long long)rest_of(&scratch, k), signature_text(&scratch, &s), signature_names(&scratch, &s));
	for (int i = 0; i < k->nsubst; i++)
		buf_printf(&b, "\n%s=%s", k->subst[i].name, k->subst[i].text);
	buf_puts(&b, "\n");
	add_epilogue(&b, k);
	arena_release(&scratch);
	return buf_text(k->plan->arena, &b);
}
