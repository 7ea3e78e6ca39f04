/*
 * NAME_run: names for all that it touches, in the arena and in the weights, then a call for each kernel. It
 * reads as the network does: relu_1 is what "relu_1" of the model is, layer1_conv1_weight its weights. And what
 * init calls, NAME_prepare, where there are kernels of init.
 */
#include "emit/ctext.h"
#include "emit/emission.h"
#include "kernels/kernel.h"

#include <string.h>

/* The names of storage; those of constants are the same in both functions. */
struct storage {
	struct emission *e;
	struct buf *out;
	const char **buffer;  /* by buffer id: null where nothing so far reads or writes it */
	const char **scratch; /* by kernel */
};

/* A name that nothing else in the output has. */
static const char *claim(struct emission *e, const char *name)
{
	const char *word = name + strspn(name, "/.:_"); /* paths begin with a slash */

	return names_claim(e->names, NAME_PARAMETER,
		identifier(e->arena, *word != '\0' ? word : name), NULL, 0);
}

/* `base + n`, or `base`. */
static const char *sum_text(struct arena *a, const char *base, int64_t n)
{
	return n == 0 ? base : arena_printf(a, "%s + %lld", base, (long long)n);
}

/* ---- the arena ---- */

/* `	float *const relu = (float *)arena; /" [1,64,56,56] channels last, steps 2-5 "/` */
static void declare(struct storage *s, enum dtype type, const char *name, int64_t offset,
	const char *what, int first, int last)
{
	const char *at = offset == 0 ? "arena"
				     : arena_printf(s->e->arena, "((char *)arena + %lld)", (long long)offset);

	buf_printf(s->out, "\t%s *const %s = (%s *)%s; /* %s, step", dtypes[type].ctype, name,
		dtypes[type].ctype, at, what);
	if (first == last)
		buf_printf(s->out, " %d */\n", first);
	else
		buf_printf(s->out, "s %d-%d */\n", first, last);
}

/* A region of b that k writes: what it is for people. Null: k does not. */
static const struct region *writes(const struct kernel *k, const struct buffer *b)
{
	return k->dst.buffer == b ? &k->dst : NULL;
}

static void declare_buffer(struct storage *s, const struct kernel *k)
{
	const struct buffer *b = k->dst.buffer;
	const struct region *r = writes(k, b);
	struct arena *a = s->e->arena;

	if (b->kind != BUF_ARENA || s->buffer[b->id] != NULL)
		return;
	const struct tensor *t = b->tensor != NULL ? b->tensor : k->out;
	const char *shape = shape_text(a, &t->shape);
	const char *what = shape_equal(&t->shape, &r->shape)
				   ? arena_printf(a, "%s%s", shape, layout_text(r))
				   : arena_printf(a, "%s, which %s is part of", shape,
					     shape_text(a, &r->shape));

	s->buffer[b->id] = claim(s->e, t->name);
	declare(s, r->type, s->buffer[b->id], b->offset, what, b->first, b->last);
}

static void declare_scratch(struct storage *s, const struct kernel *k)
{
	struct arena *a = s->e->arena;

	if (k->scratch == 0)
		return;
	s->scratch[k->id] = claim(s->e, arena_printf(a, "%s_%s", k->out->name, k->scratch_name));
	declare(s, DT_F32, s->scratch[k->id], k->scratch_offset,
		arena_printf(a, "%s bytes", grouped(a, k->scratch)), k->id, k->id);
}

/* ---- the weights ---- */

/* The model's name of a constant, or, where folding made it, one after the node that it is for. */
static const char *weights_name(struct storage *s, const struct blob *b)
{
	struct arena *a = s->e->arena;
	const struct tensor *t = b->tensor[0];
	const struct onnx_node *user = b->prov != NULL && b->prov->n > 0
					       ? &s->e->plan->graph->onnx[prov_at(b->prov, 0)]
					       : NULL;

	const char *made = b->buffer->kind == BUF_PREPARED ? "_prepared" : "";

	if (tensor_named(a, t) || user == NULL)
		return claim(s->e, arena_printf(a, "%s%s", t->name, made));
	return claim(s->e, arena_printf(a, "%s_%s%s", user->name[0] != '\0' ? user->name : user->op_type,
				   b->packing == PACK_BIAS ? "bias" : "weight", made));
}

/* base: where those of its kind begin, a float pointer or, for what is written, of no type. */
static void declare_constant(struct storage *s, const struct blob *b, const char *base, bool written)
{
	struct arena *a = s->e->arena;
	const char **name = &s->buffer[b->buffer->id],
		   *type = arena_printf(a, "%s%s", written ? "" : "const ", dtypes[b->type].ctype);

	if (*name == NULL)
		*name = weights_name(s, b);
	if (written || b->type != DT_F32)
		base = arena_printf(a, "(%s *)%s", type, base);
	buf_printf(s->out, "\t%s *const %s = %s; /* %s", type, *name,
		sum_text(a, base, b->buffer->offset / dtypes[b->type].size),
		shape_text(a, &b->tensor[0]->shape));
	for (int i = 1; i < b->stack; i++)
		buf_printf(s->out, ", with %s", escape(a, b->tensor[i]->name));
	if (written)
		buf_printf(s->out, " as %s", packing_text(a, b));
	buf_puts(s->out, " */\n");
}

/* What n kernels read of the weights, of tables, and of what init makes. */
static void declare_constants(struct storage *s, struct kernel *const *list, int n)
{
	const struct plan *p = s->e->plan;
	struct arena *a = s->e->arena;
	bool *read = arena_alloc(a, (size_t)(p->nbuffer + 1) * sizeof(*read));

	for (int k = 0; k < n; k++) {
		for (int i = 0; i < list[k]->narg; i++)
			read[list[k]->arg[i].region.buffer->id] = true;
		for (int i = 0; i < list[k]->noperand; i++)
			read[list[k]->operand[i].region.buffer->id] = true;
	}
	for (int k = 0; k < p->nblob; k++) {
		const struct buffer *b = p->blob[k]->buffer;

		if (read[b->id] && b->kind == BUF_TABLE)
			s->buffer[b->id] = arena_printf(a, "%s_table%d", s->e->name, b->index);
		else if (read[b->id])
			declare_constant(s, p->blob[k],
				b->kind == BUF_WEIGHTS ? "net->weights" : "net->prepared", false);
	}
}

/* ---- calls ---- */

/* A pointer to the first element of r, which may lie in a buffer of another type. */
static const char *pointer_text(const struct storage *s, const struct region *r)
{
	const struct buffer *b = r->buffer;
	const char *base = b->kind == BUF_INPUT    ? s->e->input[b->index]
			   : b->kind == BUF_OUTPUT ? s->e->output[b->index]
						   : s->buffer[b->id];

	if (base == NULL)
		die("a buffer that run reads has no name");
	return sum_text(s->e->arena, base, r->offset);
}

/* The argument for a parameter of k's function. */
static const char *argument_text(
	const struct storage *s, const struct kernel *k, const struct parameter *x)
{
	struct emission *e = s->e;

	switch (x->role) {
	case ROLE_SCRATCH:
		return s->scratch[k->id];
	case ROLE_PRODUCTS:
		if (e->options->libxsmm_call)
			return sum_text(e->arena, "net->gemm", gemm_offset(e->plan, k));
		return arena_printf(
			e->arena, "%s[net->isa - 1]", gemm_table_name(e->arena, e->plan, k));
	default:
		return pointer_text(s, x->region);
	}
}

static void write_call(const struct storage *s, const struct kernel *k)
{
	struct emission *e = s->e;
	const char *list = "", *between = "";
	struct signature own;

	signature_of(e->arena, k, &own);
	if (target_has_vectors(e->plan->target)) {
		list = part_count(k) > 1 ? "net" : chosen_set(k);
		between = ", ";
	}
	for (int i = 0; i < own.n; i++, between = ", ")
		if (own.parameter[i].range == NULL)
			list = arena_printf(e->arena, "%s%s%s", list, between,
				argument_text(s, k, &own.parameter[i]));
	if (part_count(k) > 1 && signature_scratch(&own) != NULL)
		list = arena_printf(e->arena, "%s, others", list);
	const char *only = sets_condition(e->arena, k);

	if (only != NULL)
		buf_printf(s->out, "\tif (%s)\n\t", only);
	buf_printf(s->out, "\t%s(%s);\n", k->function, list);
}

/* ---- run ---- */

const char *run_parameters(struct emission *e, bool types)
{
	const struct graph *g = e->plan->graph;
	struct buf out = { 0 };

	for (int k = 0; k < g->ninput + g->noutput; k++) {
		const bool in = k < g->ninput;
		const int at = in ? k : k - g->ninput;
		const char *type = dtypes[in ? g->input[at]->io_type : g->output[at]->io_type].ctype;

		if (k > 0)
			buf_puts(&out, ", ");
		if (types)
			buf_printf(&out, in ? "const %s *" : "%s *", type);
		buf_puts(&out, in ? e->input[at] : e->output[at]);
	}
	return buf_text(e->arena, &out);
}

static void write_checks(struct emission *e, struct buf *out)
{
	const struct graph *g = e->plan->graph;
	const char *text = "net == NULL";

	for (int k = 0; k < g->ninput; k++)
		text = arena_printf(e->arena, "%s || %s == NULL", text, e->input[k]);
	for (int k = 0; k < g->noutput; k++)
		text = arena_printf(e->arena, "%s || %s == NULL", text, e->output[k]);
	buf_printf(out, "\tif (%s || arena == NULL)\n\t\treturn %s_E_NULL;\n", text, e->upper);
	buf_printf(out, "\tif (net->ready != READY)\n\t\treturn %s_E_INIT;\n", e->upper);
	buf_printf(out,
		"\tif ((uintptr_t)arena %% %s_ARENA_ALIGN != 0)\n\t\treturn %s_E_ALIGN;\n\n",
		e->upper, e->upper);
}

/* ` /conv1/Conv  [1,3,8,8]`: what k stands for, and what it reads but for weights; for a comment. */
static void write_purpose(const struct storage *s, const struct kernel *k)
{
	const char *nodes = prov_text(s->e->arena, s->e->plan->graph, k->prov, 4);

	buf_printf(s->out, " %s", nodes[0] != '\0' ? nodes : k->title);
	for (int j = 0; j < k->narg; j++)
		if (!region_is_weights(&k->arg[j].region))
			buf_printf(s->out, "  %s", shape_text(s->e->arena, &k->arg[j].region.shape));
}

/* A step: what it stands for, and the call. traced: how many were, null: none is. */
static void write_step(const struct storage *s, const struct kernel *k, int *traced)
{
	struct emission *e = s->e;

	buf_printf(s->out, "\tSTEP(%d) /*", k->id);
	write_purpose(s, k);
	buf_printf(s->out, " -> %s%s */\n", result_text(e->arena, k),
		k->is_other ? ", or, by other instructions, the next step" : "");
	write_call(s, k);
	if (e->options->trace && is_traced(e->arena, k))
		buf_printf(s->out,
			"\tif (net->trace != NULL)\n\t\tnet->trace(net->trace_context, %d, %s);\n",
			(*traced)++, pointer_text(s, &k->dst));
}

/* NAME_prepare: the kernels of init. */
static void write_prepare(struct storage *s)
{
	const struct plan *p = s->e->plan;

	buf_printf(s->out, "/* What init makes of the weights. */\n"
		"static void %s_prepare(const struct %s *net, void *prepared)\n{\n", s->e->name, s->e->name);
	declare_constants(s, p->init, p->ninit);
	for (int k = 0; k < p->nblob; k++)
		if (p->blob[k]->buffer->kind == BUF_PREPARED)
			declare_constant(s, p->blob[k], "prepared", true);
	buf_puts(s->out, "\n");
	for (int k = 0; k < p->ninit; k++) {
		buf_puts(s->out, "\t/*");
		write_purpose(s, p->init[k]);
		buf_puts(s->out, " */\n");
		write_call(s, p->init[k]);
	}
	if (target_has_vectors(p->target))
		buf_puts(s->out, "\tleave(net->isa);\n");
	buf_puts(s->out, "}\n\n");
}

void emit_run(struct emission *e, struct buf *out)
{
	const struct plan *p = e->plan;
	struct storage s = { .e = e, .out = out };
	int traced = 0;

	s.buffer = arena_alloc(e->arena, (size_t)(p->nbuffer + 1) * sizeof(char *));
	s.scratch = arena_alloc(e->arena, (size_t)(p->nkernel + 1) * sizeof(char *));
	buf_printf(out, "int %s_run(const struct %s *net, %s, void *arena)\n{\n", e->name, e->name,
		run_parameters(e, true));
	write_checks(e, out);
	for (int k = 0; k < p->nkernel; k++) {
		declare_buffer(&s, p->kernel[k]);
		declare_scratch(&s, p->kernel[k]);
	}
	declare_constants(&s, p->kernel, p->nkernel);
	buf_puts(out, "\n");
	if (p->worker_bytes > 0)
		buf_printf(out, "\tfloat *const others = (float *)((char *)arena + %s_ARENA_SIZE); /* scratch of "
				"further workers */\n\n", e->upper);
	for (int k = 0; k < p->nkernel; k++)
		write_step(&s, p->kernel[k], &traced);
	buf_printf(out, "\tSTEP(%d)\n", p->nkernel);
	if (target_has_vectors(p->target))
		buf_puts(out, "\tleave(net->isa);\n");
	buf_printf(out, "\treturn %s_OK;\n}\n\n", e->upper);
	if (p->ninit > 0)
		write_prepare(&s);
}

bool is_traced(struct arena *a, const struct kernel *k)
{
	return !k->is_other && k->out != NULL && k->out->def != NULL && tensor_named(a, k->out) &&
	       k->dst.type == k->out->type && shape_equal(&k->dst.shape, &k->out->shape) &&
	       (k->anchor != NULL || k->ngroup > 0);
}
