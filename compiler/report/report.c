/* The plan for people: its text form, and `skipc inspect`. */
#include "report/report.h"

#include <limits.h>
#include <string.h>

/* arena+1024 f32[1,64,56,56] channels last: where a region lies */
static const char *region_text(struct arena *a, const struct plan *p, const struct region *r)
{
	const struct buffer *b = r->buffer;
	int64_t size = dtypes[r->type].size;
	const char *where;

	switch (b->kind) {
	case BUF_INPUT:
		where = arena_printf(a, "input%d+%lld", b->index, (long long)(r->offset * size));
		break;
	case BUF_OUTPUT:
		where = arena_printf(a, "output%d+%lld", b->index, (long long)(r->offset * size));
		break;
	case BUF_WEIGHTS:
		where = arena_printf(a, "weights+%lld", (long long)(b->offset + r->offset * size));
		break;
	case BUF_PREPARED:
		where = arena_printf(a, "prepared+%lld", (long long)(b->offset + r->offset * size));
		break;
	case BUF_TABLE:
		where = arena_printf(a, "table%d", b->index);
		break;
	default:
		where = arena_printf(a, "arena+%lld", (long long)(b->offset + r->offset * size));
	}
	where = arena_printf(
		a, "%s %s%s strides [", where, dtypes[r->type].name, shape_text(a, &r->shape));
	for (int d = 0; d < r->shape.rank; d++)
		where = arena_printf(
			a, "%s%s%lld", where, d > 0 ? "," : "", (long long)r->stride[d]);
	where = arena_printf(a, "%s]", where);
	for (int d = 0; r->windowed && d < r->shape.rank; d++)
		if (r->lo[d] != 0 || r->hi[d] != r->shape.dim[d])
			where = arena_printf(a, "%s window %d:[%lld,%lld)", where, d,
				(long long)r->lo[d], (long long)r->hi[d]);
	(void)p;
	return where;
}

static const char *epilogue_text(struct arena *a, const struct kernel *k)
{
	const char *text = "";

	for (int i = 0; i < k->ngroup; i++)
		text = arena_printf(a, "%s%s%s", text, i > 0 ? " " : "", k->group[i]->op->name);
	return text;
}

static void certificate_print(struct buf *out, struct arena *a, const struct plan *p)
{
	const struct certificate *c = &p->cert;

	buf_printf(out, "arena %s bytes, lower bound %s: %s; %s, %s states searched%s\n",
		grouped(a, c->arena), grouped(a, c->bound),
		c->arena == c->bound ? "equal, so no plan is smaller"
		: c->exact           ? "the least for this order of the kernels"
				     : "not proved least",
		c->all_orders ? "every order of the kernels counted" : "for the order taken",
		grouped(a, c->orders), c->exact ? ", offsets by exact search" : "");
}

static void kernel_print(
	struct buf *out, struct arena *a, const struct plan *p, const struct kernel *k, const char *when)
{
	buf_printf(out, "%s%d %s", when, k->id, k->row != NULL ? k->row->name : "?");
	for (int j = 0; j < k->narg; j++)
		buf_printf(out, "\n    x%d  %s", j, region_text(a, p, &k->arg[j].region));
	for (int j = 0; j < k->noperand; j++)
		buf_printf(out, "\n    z%d  %s%s", j, region_text(a, p, &k->operand[j].region),
			k->in_place == k->operand[j].region.buffer && k->in_place != NULL ? " in place"
											  : "");
	buf_printf(out, "\n    y   %s", region_text(a, p, &k->dst));
	if (k->ngroup > 0)
		buf_printf(out, "\n    epilogue: %s", epilogue_text(a, k));
	buf_printf(out, "\n    <- %s\n", prov_text(a, p->graph, k->prov, 1 << 20));
}

void plan_print(struct buf *out, const struct plan *p)
{
	struct arena a = { 0 };

	for (int i = 0; i < p->ninit; i++)
		kernel_print(out, &a, p, p->init[i], "init ");
	for (int i = 0; i < p->nkernel; i++)
		kernel_print(out, &a, p, p->kernel[i], "");
	certificate_print(out, &a, p);
	arena_release(&a);
}

/* `, scale 0.0235 zero 128`; nothing where integers stand for themselves. */
static const char *step_text(struct arena *a, const struct tensor *t)
{
	return t->step == NULL ? "" : arena_printf(a, ", scale %.6g zero %lld", t->step->scale, (long long)t->step->zero);
}

/* Types, sums and scales of a quantised network's kernel. */
static void report_arithmetic(FILE *to, struct arena *a, const struct plan *p, const struct kernel *k)
{
	const struct arithmetic r = arithmetic_of(a, p, k);

	if (r.name == NULL)
		return;
	fprintf(to, "        in %s%s%s", r.name, r.why != NULL ? ": " : "", r.why != NULL ? r.why : "");
	if (r.bound >= 0.0)
		fprintf(to, "; sums are %s, none beyond %s", dtypes[k->value->type].name, grouped(a, (int64_t)r.bound));
	fprintf(to, "; gives %s%s\n", dtypes[k->out->type].name, step_text(a, k->out));
}

/* Where these stand in their author's program, each place once. */
static void report_modules(FILE *to, struct arena *a, const struct graph *g, const struct prov *prov)
{
	const char *text = "", *last = "";

	for (int k = 0; prov != NULL && k < prov->n; k++) {
		const char *module = g->onnx[prov_at(prov, k)].module;

		if (module[0] != '\0' && strcmp(module, last) != 0)
			text = arena_printf(a, "%s %s", text, escape(a, module));
		last = module[0] != '\0' ? module : last;
	}
	if (*text != '\0')
		fprintf(to, "        modules:%s\n", text);
}

static void report_kernel(FILE *to, struct arena *a, const struct plan *p, const struct kernel *k)
{
	int64_t weights = 0;

	for (int j = 0; j < k->narg; j++)
		if (region_is_weights(&k->arg[j].region))
			weights += k->arg[j].region.buffer->bytes;
	fprintf(to, "%4d  %-24s", k->id, k->title);
	for (int j = 0; j < k->narg; j++)
		if (!region_is_weights(&k->arg[j].region))
			fprintf(to, " %s", shape_text(a, &k->arg[j].region.shape));
	fprintf(to, " -> %s", result_text(a, k));
	if (k->macs > 0)
		fprintf(to, "  %s MACs", grouped(a, k->macs));
	if (weights > 0)
		fprintf(to, "  %s bytes of weights", grouped(a, weights));
	fprintf(to, "  %s bytes at %s%s", grouped(a, k->dst.buffer->bytes),
		k->dst.buffer->kind == BUF_OUTPUT ? "output " : "arena+",
		grouped(a, k->dst.buffer->kind == BUF_OUTPUT ? k->dst.buffer->index
							     : k->dst.buffer->offset));
	if (k->in_place != NULL)
		fprintf(to, ", in place");
	if (k->sets != 0)
		fprintf(to, "; on %s alone", kernel_sets(a, k));
	fprintf(to, "\n");
	if (part_count(k) > 1) {
		fprintf(to, "        parts:");
		for (int j = 0; j < k->nshare; j++)
			if (k->share[j].parts > 1)
				fprintf(to, " %d of %s (%lld, step %lld)", k->share[j].parts,
					k->share[j].name, (long long)k->share[j].end,
					(long long)k->share[j].step);
		fprintf(to, "\n");
	}
	if (k->ngroup > 0)
		fprintf(to, "        %s: %s\n", k->anchor != NULL ? "epilogue" : "elementwise",
			epilogue_text(a, k));
	report_arithmetic(to, a, p, k);
	fprintf(to, "        nodes: %s\n", prov_text(a, p->graph, k->prov, 1 << 20));
	report_modules(to, a, p->graph, k->prov);
	if (k->anchor != NULL)
		kernel_explain(to, p, k);
}

/* ONNX nodes by what became of them: in a kernel, or gone (constants, views). */
static void report_nodes(FILE *to, struct arena *a, const struct plan *p)
{
	bool *kept = arena_alloc(a, (size_t)(p->graph->nonnx + 1));
	int count = 0, gone = 0;

	for (int i = 0; i < p->nkernel; i++)
		for (int j = 0; p->kernel[i]->prov != NULL && j < p->kernel[i]->prov->n; j++)
			kept[prov_at(p->kernel[i]->prov, j)] = true;
	for (int i = 0; i < p->graph->nonnx; i++)
		count += kept[i];
	gone = p->graph->nonnx - count;
	fprintf(to,
		"nodes   %d in the model -> %d kernels; %d nodes fused into them, %d evaluated or "
		"views\n",
		p->graph->nonnx, p->nkernel, count, gone);
}

/* What threads share, and what more of them need. */
static void report_threads(FILE *to, struct arena *a, const struct plan *p)
{
	int count = 0;

	for (int i = 0; i < p->nkernel; i++)
		count += part_count(p->kernel[i]) > 1;
	fprintf(to, "threads %d kernels in parts; %s bytes of arena more for each further worker\n",
		count, grouped(a, p->worker_bytes));
}

/* The arena, buffer by buffer: where each lies, and between which kernels it lives. */
static void report_memory(FILE *to, struct arena *a, const struct plan *p)
{
	fprintf(to, "\narena     offset       bytes  kernels  tensor\n");
	for (int i = 0; i < p->nbuffer; i++) {
		const struct buffer *b = p->buffer[i];

		if (b->kind == BUF_ARENA && b->first >= 0)
			fprintf(to, "    %12s %11s  %3d-%-3d  \"%s\"\n", grouped(a, b->offset),
				grouped(a, b->bytes), b->first, b->last,
				b->tensor != NULL ? escape(a, b->tensor->name) : "");
	}
}

/* What init makes of the weights. */
static void report_init(FILE *to, struct arena *a, const struct plan *p)
{
	if (p->ninit > 0)
		fprintf(to, "init    in turn:\n");
	for (int i = 0; i < p->ninit; i++)
		fprintf(to, "        %s: %s -> %s bytes at prepared+%s, for %s\n", p->init[i]->title,
			shape_text(a, &p->init[i]->out->shape), grouped(a, p->init[i]->dst.buffer->bytes),
			grouped(a, p->init[i]->dst.buffer->offset),
			prov_text(a, p->graph, p->init[i]->prov, 4));
}

static void report_costs(FILE *to, struct arena *a, const struct plan *p)
{
	int n = 0;

	fprintf(to, "costs   in multiply-adds of a perfect kernel of %s:", p->target->name);
	for (enum cost k = 0; k < COST_COUNT; k++)
		if (p->cost[k] > 0.0)
			fprintf(to, "%s %s %s%s", n++ % 6 == 0 ? "\n       " : ",", cost_name(k),
				cost_text(a, p->cost[k]), p->cost[k] != p->target->cost[k] ? " (given)" : "");
	fprintf(to, "\n");
}

static void report_end(FILE *to, struct arena *a, const char *what, const struct tensor *t)
{
	fprintf(to, "%s  \"%s\" %s%s%s\n", what, escape(a, t->name), dtypes[t->io_type].name, shape_text(a, &t->shape),
		step_text(a, t));
}

static void report_skipped(FILE *to, const struct graph *g)
{
	if (g->skip_below > 0)
		fprintf(to,
			"gates   %d highway layers carry rows whose gates are all below %g: each\n"
			"        element changes by at most %g |H - x| a layer\n",
			g->nskipped, g->skip_below, g->skip_below);
}

/* Of the first `most` of n; how many are left. */
static int report_ends(FILE *to, struct arena *a, const char *what, struct tensor *const *t, int n, int most)
{
	for (int k = 0; k < n && k < most; k++)
		report_end(to, a, what, t[k]);
	return n > most ? n - most : 0;
}

void report_head(FILE *to, const struct plan *p, int most)
{
	struct arena a = { 0 };
	const struct graph *g = p->graph;
	struct buf cert = { 0 };
	int more;

	fprintf(to, "model   %s\n        SHA-256 %s, from %s\n", escape(&a, g->diag->path),
		g->sha256,
		g->producer[0] != '\0' ? escape(&a, g->producer) : "an unknown producer");
	more = report_ends(to, &a, "input ", g->input, g->ninput, most);
	more += report_ends(to, &a, "output", g->output, g->noutput, most);
	if (more > 0)
		fprintf(to, "        and %d more inputs and outputs\n", more);
	report_nodes(to, &a, p);
	fprintf(to, "work    %s multiply-adds, %s bytes of weights\n", grouped(&a, p->macs),
		grouped(&a, p->weights_bytes));
	if (p->ninit > 0)
		fprintf(to, "init    fills %s bytes of the caller's with what it makes of the weights\n",
			grouped(&a, prepared_size(p)));
	certificate_print(&cert, &a, p);
	fprintf(to, "memory  %.*s\n       %s", (int)strcspn(cert.data, ";") + 1, cert.data, strchr(cert.data, ';') + 1);
	buf_release(&cert);
	report_threads(to, &a, p);
	report_skipped(to, g);
	arena_release(&a);
}

void report_reasons(FILE *to, const struct plan *p)
{
	report_refusals(to, p->graph);
	for (int i = 0; i < p->nkernel; i++) {
		struct arena a = { 0 };
		const struct kernel *k = p->kernel[i];

		if (k->anchor != NULL) {
			fprintf(to, "%4d  %s: %s\n", k->id, k->title, prov_text(&a, p->graph, k->prov, 4));
			kernel_explain(to, p, k);
		}
		arena_release(&a);
	}
}

void report(FILE *to, const struct plan *p)
{
	struct arena a = { 0 };

	report_head(to, p, INT_MAX);
	report_init(to, &a, p);
	report_costs(to, &a, p);
	report_blocks(to, p);
	for (int i = 0; i < p->nkernel; i++)
		report_kernel(to, &a, p, p->kernel[i]);
	report_memory(to, &a, p);
	arena_release(&a);
}
