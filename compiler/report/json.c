/* skipc inspect --json: tools/schema/inspect.json says what each member is. */
#include "report/report.h"

#include <string.h>

enum { INSPECT_FORMAT = 1 }; /* of the output: another number where a member changes or goes */

/* What integers stand for. */
static void put_step(struct json *j, const struct tensor *t)
{
	if (t->step == NULL)
		return;
	json_real(j, "scale", t->step->scale);
	json_number(j, "zero", t->step->zero);
}

/* A node without a name goes by its first output. */
static const char *node_name(const struct graph *g, int index)
{
	const struct onnx_node *o = &g->onnx[index];

	return o->name != NULL && o->name[0] != '\0' ? o->name : o->output;
}

static void put_nodes(struct json *j, const char *name, const struct graph *g, const struct prov *p)
{
	json_key(j, name);
	fputc('[', j->to);
	for (int k = 0; p != NULL && k < p->n; k++) {
		if (k > 0)
			fputs(", ", j->to);
		json_string(j, node_name(g, prov_at(p, k)));
	}
	fputc(']', j->to);
}

/* The members of a tensor as it is outside. */
static void put_tensors(struct json *j, const char *name, struct tensor *const *t, int n)
{
	json_key(j, name);
	json_open(j, '[');
	for (int k = 0; k < n; k++) {
		json_item(j);
		json_open(j, '{');
		json_text(j, "name", t[k]->name);
		json_text(j, "type", dtypes[t[k]->io_type].name);
		json_numbers(j, "shape", t[k]->shape.dim, t[k]->shape.rank);
		put_step(j, t[k]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static const char *const places[] = {
	[BUF_ARENA] = "arena", [BUF_INPUT] = "input", [BUF_OUTPUT] = "output",
	[BUF_WEIGHTS] = "weights", [BUF_TABLE] = "table", [BUF_PREPARED] = "prepared",
};

/* ---- blocks ---- */

static void put_block(struct json *j, const struct flow *f, int index)
{
	const struct graph *g = f->plan->graph;
	const struct block *b = &g->block[index];
	struct arena a = { 0 };
	int *kernel, n = flow_block(f, &a, index, &kernel);

	json_open(j, '{');
	json_number(j, "id", index);
	json_text(j, "kind", block_kind_name(b->kind));
	json_bool(j, "preactivation", b->preactivation);
	put_nodes(j, "nodes", g, b->nodes);
	json_text(j, "shortcut", b->shortcut);
	json_text(j, "branch", b->branch);
	json_text(j, "gate", b->gate);
	if (b->opens != NULL && tensor_now(b->opens)->is_stored) {
		json_text(j, "gate_tensor", tensor_now(b->opens)->name);
		json_bool(j, "gate_carries", b->carries);
	}
	if (!j->page)
		put_nodes(j, "fused", g, f->join[index] != NULL ? f->join[index]->prov : NULL);
	json_text(j, "note", b->note);
	json_bool(j, "carries_closed_rows", block_leaves_out(g, b));
	json_ids(j, "kernels", kernel, n);
	json_id(j, "join", f->join[index] != NULL ? f->join[index]->id : -1);
	json_id(j, "source", flow_source(f, index, kernel, n));
	json_close(j, '}');
	arena_release(&a);
}

static void put_blocks(struct json *j, const struct flow *f)
{
	const struct graph *g = f->plan->graph;

	json_key(j, "blocks");
	json_open(j, '[');
	for (int k = 0; k < g->nblock; k++) {
		json_item(j);
		put_block(j, f, k);
	}
	json_close(j, ']');
	json_key(j, "not_taken");
	json_open(j, '[');
	for (int k = 0; k < g->nrefusal; k++) {
		json_item(j);
		json_open(j, '{');
		json_text(j, "node", node_name(g, g->refusal[k].onnx));
		json_text(j, "op", g->onnx[g->refusal[k].onnx].op_type);
		json_text(j, "why", g->refusal[k].why);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* ---- kernels ---- */

static double candidates_cost(const struct plan *p, const struct kernel *k)
{
	struct candidate c = { 0 };

	for (int i = 0; kernel_candidate(p, k, &i, &c);)
		if (c.taken)
			return c.cost;
	return 0.0;
}

/* Rows, costs and reasons of both are the same. */
static bool same_candidates(const struct plan *p, const struct kernel *x, const struct kernel *y)
{
	struct candidate c, d;
	int i = 0, k = 0;

	while (kernel_candidate(p, x, &i, &c))
		if (!kernel_candidate(p, y, &k, &d) || c.row != d.row || c.cost != d.cost ||
			(c.why == NULL) != (d.why == NULL) || (c.why != NULL && strcmp(c.why, d.why) != 0))
			return false;
	return !kernel_candidate(p, y, &k, &d);
}

static void put_candidates(struct json *j, const struct plan *p, const struct kernel *k)
{
	struct candidate c;

	if (j->page && k->alike != k && same_candidates(p, k->alike, k)) {
		json_number(j, "candidates", k->alike->id);
		return;
	}
	json_key(j, "candidates");
	json_open(j, '[');
	for (int i = 0; k->anchor != NULL && kernel_candidate(p, k, &i, &c);) {
		json_item(j);
		json_open(j, '{');
		json_text(j, "row", c.row->name);
		json_bool(j, "taken", c.taken);
		json_text(j, "why", c.why);
		json_number(j, "cost", (int64_t)c.cost);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_arithmetic(struct json *j, const struct plan *p, const struct kernel *k)
{
	struct arena a = { 0 };
	const struct arithmetic r = arithmetic_of(&a, p, k);

	json_text(j, "type", dtypes[k->out->type].name);
	put_step(j, k->out);
	json_text(j, "arithmetic", r.name);
	json_text(j, "why_floats", r.why);
	json_text(j, "sum", r.bound >= 0.0 ? dtypes[k->value->type].name : NULL);
	if (r.bound >= 0.0)
		json_number(j, "sum_bound", (int64_t)r.bound);
	arena_release(&a);
}

/* A tensor where it lies, from and to elements that a step reads or writes. */
static void put_region(struct json *j, const struct tensor *t, const struct region *r)
{
	const struct buffer *b = r->buffer;
	const bool placed = b->kind == BUF_ARENA || b->kind == BUF_WEIGHTS || b->kind == BUF_PREPARED;

	json_open(j, '{');
	json_text(j, "tensor", t->name);
	json_text(j, "type", dtypes[r->type].name);
	json_numbers(j, "shape", r->shape.dim, r->shape.rank);
	if (!j->page || !region_is_constant(r))
		json_numbers(j, "strides", r->stride, r->shape.rank);
	if (r->windowed) {
		json_numbers(j, "stored_from", r->lo, r->shape.rank);
		json_numbers(j, "stored_to", r->hi, r->shape.rank);
	}
	json_text(j, "place", places[b->kind]);
	json_number(j, "buffer", b->id);
	json_number(j, "offset", (placed ? b->offset : 0) + r->offset * dtypes[r->type].size);
	json_close(j, '}');
}

/* What the step reads: constants, or all else. */
static int64_t put_reads(struct json *j, const char *name, const struct kernel *k, bool constant)
{
	int64_t bytes = 0;

	json_key(j, name);
	json_open(j, '[');
	for (int i = 0; i < k->narg + k->noperand; i++) {
		const struct arg *a = i < k->narg ? &k->arg[i] : &k->operand[i - k->narg];

		if (region_is_constant(&a->region) != constant)
			continue;
		bytes += a->region.buffer->bytes;
		json_item(j);
		put_region(j, a->tensor, &a->region);
	}
	json_close(j, ']');
	return bytes;
}

static void put_ranges(struct json *j, const struct kernel *k)
{
	json_key(j, "ranges");
	json_open(j, '[');
	for (int i = 0; i < k->nshare; i++) {
		json_item(j);
		json_open(j, '{');
		json_text(j, "name", k->share[i].name);
		json_number(j, "end", k->share[i].end);
		json_number(j, "step", k->share[i].step);
		json_number(j, "parts", k->share[i].parts > 1 ? k->share[i].parts : 1);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* What the step computes, of what, to where. */
static void put_work(struct json *j, const struct kernel *k)
{
	json_text(j, "function", k->function);
	json_text(j, "template", k->template);
	json_text(j, "op", k->anchor != NULL ? k->anchor->op->name : NULL);
	json_key(j, "epilogue");
	json_open(j, '[');
	for (int i = 0; i < k->ngroup; i++) {
		json_item(j);
		json_string(j, k->group[i]->op->name);
	}
	json_close(j, ']');
	put_reads(j, "inputs", k, false);
	json_number(j, "constants_bytes", put_reads(j, "constants", k, true));
	json_key(j, "output");
	put_region(j, k->out, &k->dst);
	json_number(j, "traffic", kernel_traffic(k));
}

/* The step that other instruction sets run instead of k. */
static int stands_for(const struct plan *p, const struct kernel *k)
{
	int id = k->id;

	while (p->kernel[id]->is_other)
		id++;
	return id;
}

static void put_kernel(struct json *j, const struct flow *f, const struct kernel *k)
{
	const struct plan *p = f->plan;

	json_open(j, '{');
	json_number(j, "id", k->id);
	json_text(j, "row", k->row != NULL ? k->row->name : NULL);
	json_text(j, "title", k->title);
	put_nodes(j, "nodes", p->graph, k->prov);
	put_arithmetic(j, p, k);
	json_number(j, "macs", k->macs);
	json_number(j, "parts", part_count(k));
	json_number(j, "bytes", k->dst.buffer != NULL ? k->dst.buffer->bytes : 0);
	json_bool(j, "in_place", k->in_place != NULL);
	json_number(j, "products", k->ngemm);
	put_candidates(j, p, k);
	json_number(j, "cost", (int64_t)candidates_cost(p, k));
	put_work(j, k);
	json_text(j, "sets", kernel_sets(p->arena, k));
	json_id(j, "instead_of", k->is_other ? stands_for(p, k) : -1);
	json_id(j, "replaces", k->in_place != NULL ? k->in_place->id : -1);
	json_number(j, "scratch", k->scratch);
	if (k->scratch > 0)
		json_number(j, "scratch_offset", k->scratch_offset);
	json_number(j, "live", f->live[k->id]);
	put_ranges(j, k);
	json_close(j, '}');
}

static void put_kernels(struct json *j, const struct flow *f)
{
	json_key(j, "kernels");
	json_open(j, '[');
	for (int k = 0; k < f->plan->nkernel; k++) {
		json_item(j);
		put_kernel(j, f, f->plan->kernel[k]);
	}
	json_close(j, ']');
}

/* ---- memory ---- */

static void put_list(struct json *j, const char *name, const struct lists *l, int key)
{
	json_ids(j, name, l->of + l->begin[key], l->begin[key + 1] - l->begin[key]);
}

/* The arena, inputs and outputs, and who writes and reads them. */
static void put_buffers(struct json *j, const struct flow *f)
{
	const struct plan *p = f->plan;

	json_key(j, "buffers");
	json_open(j, '[');
	for (int i = 0; i < p->nbuffer; i++) {
		const struct buffer *b = p->buffer[i];
		const bool outside = b->kind == BUF_INPUT || b->kind == BUF_OUTPUT;

		if (!outside && (b->kind != BUF_ARENA || b->first < 0))
			continue;
		json_item(j);
		json_open(j, '{');
		json_number(j, "id", b->id);
		json_text(j, "place", places[b->kind]);
		json_id(j, "index", outside ? b->index : -1);
		json_text(j, "tensor", b->tensor != NULL ? b->tensor->name : NULL);
		json_number(j, "bytes", b->bytes);
		json_number(j, "offset", b->kind == BUF_ARENA ? b->offset : 0);
		json_id(j, "first", b->kind == BUF_ARENA ? b->first : -1);
		json_id(j, "last", b->kind == BUF_ARENA ? b->last : -1);
		put_list(j, "writers", &f->writers, b->id);
		put_list(j, "readers", &f->readers, b->id);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void put_memory(struct json *j, const struct plan *p)
{
	json_key(j, "memory");
	json_open(j, '{');
	json_number(j, "arena", p->cert.arena);
	json_number(j, "arena_worker", p->worker_bytes);
	json_number(j, "bound", p->cert.bound);
	json_bool(j, "all_orders", p->cert.all_orders);
	json_bool(j, "exact_offsets", p->cert.exact);
	json_number(j, "states", p->cert.orders);
	json_close(j, '}');
}

/* What init makes of the weights. */
static void put_init(struct json *j, const struct plan *p)
{
	json_key(j, "init");
	json_open(j, '[');
	for (int i = 0; i < p->ninit; i++) {
		json_item(j);
		json_open(j, '{');
		json_text(j, "title", p->init[i]->title);
		json_text(j, "function", p->init[i]->function);
		put_nodes(j, "nodes", p->graph, p->init[i]->prov);
		json_number(j, "bytes", p->init[i]->dst.buffer->bytes);
		json_number(j, "offset", p->init[i]->dst.buffer->offset);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* ---- all of it ---- */

static void put_costs(struct json *j, const struct plan *p)
{
	json_key(j, "costs");
	json_open(j, '{');
	for (enum cost k = 0; k < COST_COUNT; k++) {
		json_key(j, cost_name(k));
		fprintf(j->to, "%.17g", p->cost[k]);
	}
	json_close(j, '}');
}

void report_json(struct json *j, const struct emission *e)
{
	const struct plan *p = e->plan;
	const struct graph *g = p->graph;
	struct arena a = { 0 };
	struct flow f;

	flow_begin(&f, &a, p);
	json_open(j, '{');
	json_number(j, "format", INSPECT_FORMAT);
	json_text(j, "skipc", SKIPC_VERSION);
	json_text(j, "model", g->diag->path);
	json_text(j, "sha256", g->sha256);
	json_text(j, "producer", g->producer);
	json_text(j, "target", p->target->name);
	json_text(j, "options", e->options->settings);
	json_text(j, "name", e->name);
	put_tensors(j, "inputs", g->input, g->ninput);
	put_tensors(j, "outputs", g->output, g->noutput);
	json_real(j, "skip_closed_gates", g->skip_below);
	json_number(j, "onnx_nodes", g->nonnx);
	json_number(j, "macs", p->macs);
	json_number(j, "weights_bytes", p->weights_bytes);
	json_number(j, "prepared_bytes", p->prepared_bytes);
	json_number(j, "stack_bytes", e->stack);
	put_memory(j, p);
	put_costs(j, p);
	put_blocks(j, &f);
	put_kernels(j, &f);
	put_buffers(j, &f);
	put_init(j, p);
	json_close(j, '}');
	fputc('\n', j->to);
	arena_release(&a);
}
