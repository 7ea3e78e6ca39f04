/* Steps of run by name, and the hook around them: what -DNAME_PROFILE compiles in, and nothing else
 * does. */
#include "emit/emission.h"

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

static int64_t kernel_bytes(const struct kernel *k)
{
	int64_t bytes = region_bytes(&k->dst);

	for (int i = 0; i < k->narg; i++)
		bytes += region_bytes(&k->arg[i].region);
	for (int i = 0; i < k->noperand; i++)
		bytes += region_bytes(&k->operand[i].region);
	return bytes;
}

/* Always there: the size of a struct must not depend on how a file is compiled. */
const char *profile_fields(void)
{
	return "\tint (*profile)(void *context, int step);\n\tvoid *profile_context;\n";
}

void emit_profile_types(struct emission *e, struct buf *out)
{
	buf_printf(out,
		"/* What the steps are; the table is there where %s.c is compiled with "
		"-D%s_PROFILE. */\n"
		"#define %s_STEPS %d\n"
		"struct %s_step {\n"
		"\tconst char *nodes; /* of the model, that it computes */\n"
		"\tconst char *kernel; /* the function */\n"
		"\tint64_t macs, bytes; /* multiply-adds; what it reads and writes, each element "
		"once */\n"
		"};\n#ifdef %s_PROFILE\nextern const struct %s_step %s_steps[%s_STEPS];\n#endif\n\n",
		e->name, e->upper, e->upper, e->plan->nkernel, e->name, e->upper, e->name, e->name,
		e->upper);
}

void emit_profile(struct emission *e, struct buf *out)
{
	const struct plan *p = e->plan;

	buf_printf(out, "#ifdef %s_PROFILE\nconst struct %s_step %s_steps[] = {\n", e->upper,
		e->name, e->name);
	for (int i = 0; i < p->nkernel; i++) {
		const struct kernel *k = p->kernel[i];

		buf_printf(out, "\t{ \"%s\",\n\t  \"%s\", %lld, %lld },\n",
			prov_text(e->arena, p->graph, k->prov, 4), k->function, (long long)k->macs,
			(long long)kernel_bytes(k));
	}
	buf_printf(out,
		"};\n\n"
		"#define STEP(k) \\\n\tif (net->profile != NULL && "
		"net->profile(net->profile_context, k) != 0)%s \\\n"
		"\t\treturn %s_E_STOPPED;%s\n"
		"#else\n#define STEP(k)\n#endif\n\n",
		target_has_vectors(p->target) ? " { \\\n\t\tleave(net->isa);" : "", e->upper, target_has_vectors(p->target) ? " \\\n\t}" : "");
}
