/* skipc inspect --json. */
#include "plan/plan.h"

#include <string.h>

/* A writer: knows whether a comma is due, and how deep it is. */
struct json {
	FILE *to;
	int depth;
	bool due;
};

static void next(struct json *j)
{
	if (j->due)
		fputc(',', j->to);
	fprintf(j->to, "\n%*s", 2 * j->depth, "");
	j->due = true;
}

/*
 * Names may hold any bytes. What is UTF-8 stays as it is; a byte that is none becomes U+FFFD, so
 * that the output is always valid JSON.
 */
static int utf8_length(const unsigned char *s)
{
	const int n = s[0] < 0x80                   ? 1
		      : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		      : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		      : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						    : 0;

	for (int k = 1; k < n; k++)
		if ((s[k] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && n == 3 && s[1] < 0xa0) || (s[0] == 0xed && n == 3 && s[1] > 0x9f) ||
		(s[0] == 0xf0 && n == 4 && s[1] < 0x90) || (s[0] == 0xf4 && n == 4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void text(struct json *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	fputc('"', j->to);
	while (*s != '\0') {
		const int n = utf8_length(s);

		if (*s == '"' || *s == '\\')
			fprintf(j->to, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(j->to, "\\u%04x", *s);
		else if (*s == 0xc2 && n == 2 && s[1] < 0xa0) /* controls of terminals, too */
			fprintf(j->to, "\\u%04x", s[1]);
		else if (n == 0)
			fputs("\\ufffd", j->to);
		else
			fwrite(s, 1, (size_t)n, j->to);
		s += n > 0 ? n : 1;
	}
	fputc('"', j->to);
}

static void key(struct json *j, const char *name)
{
	next(j);
	text(j, name);
	fputs(": ", j->to);
}

static void open_with(struct json *j, char bracket)
{
	fputc(bracket, j->to);
	j->depth++;
	j->due = false;
}

static void close_with(struct json *j, char bracket)
{
	j->depth--;
	if (j->due)
		fprintf(j->to, "\n%*s", 2 * j->depth, "");
	fputc(bracket, j->to);
	j->due = true;
}

static void put_text(struct json *j, const char *name, const char *value)
{
	key(j, name);
	if (value != NULL)
		text(j, value);
	else
		fputs("null", j->to);
}

static void put_number(struct json *j, const char *name, int64_t value)
{
	key(j, name);
	fprintf(j->to, "%lld", (long long)value);
}

static void put_bool(struct json *j, const char *name, bool value)
{
	key(j, name);
	fputs(value ? "true" : "false", j->to);
}

static void put_real(struct json *j, const char *name, double value)
{
	key(j, name);
	fprintf(j->to, "%.9g", value);
}

/* What integers stand for. */
static void put_step(struct json *j, const struct tensor *t)
{
	if (t->step == NULL)
		return;
	put_real(j, "scale", t->step->scale);
	put_number(j, "zero", t->step->zero);
}

/* A node without a name goes by its first output. */
static const char *node_name(const struct graph *g, int index)
{
	const struct onnx_node *o = &g->onnx[index];

	return o->name != NULL && o->name[0] != '\0' ? o->name : o->output;
}

static void put_nodes(struct json *j, const char *name, const struct graph *g, const struct prov *p)
{
	key(j, name);
	fputc('[', j->to);
	for (int k = 0; p != NULL && k < p->n; k++) {
		if (k > 0)
			fputs(", ", j->to);
		text(j, node_name(g, prov_at(p, k)));
	}
	fputc(']', j->to);
}

static void put_tensors(struct json *j, const char *name, struct tensor *const *t, int n)
{
	key(j, name);
	open_with(j, '[');
	for (int k = 0; k < n; k++) {
		next(j);
		open_with(j, '{');
		put_text(j, "name", t[k]->name);
		put_text(j, "type", dtypes[t[k]->io_type].name);
		key(j, "shape");
		fputc('[', j->to);
		for (int d = 0; d < t[k]->shape.rank; d++)
			fprintf(j->to, "%s%lld", d > 0 ? ", " : "", (long long)t[k]->shape.dim[d]);
		fputc(']', j->to);
		put_step(j, t[k]);
		close_with(j, '}');
	}
	close_with(j, ']');
}

static void put_blocks(struct json *j, const struct plan *p)
{
	const struct graph *g = p->graph;
	struct arena a = { 0 };
	const struct prov **fused = blocks_fused(&a, p);

	key(j, "blocks");
	open_with(j, '[');
	for (int k = 0; k < g->nblock; k++) {
		const struct block *b = &g->block[k];

		next(j);
		open_with(j, '{');
		put_text(j, "kind", block_kind_name(b->kind));
		put_bool(j, "preactivation", b->preactivation);
		put_nodes(j, "nodes", g, b->nodes);
		put_text(j, "shortcut", b->shortcut);
		put_text(j, "branch", b->branch);
		put_text(j, "gate", b->gate);
		put_nodes(j, "fused", g, fused[k]);
		put_text(j, "note", b->note);
		put_bool(j, "carries_closed_rows", block_leaves_out(g, b));
		close_with(j, '}');
	}
	close_with(j, ']');
	arena_release(&a);
	key(j, "not_taken");
	open_with(j, '[');
	for (int k = 0; k < g->nrefusal; k++) {
		next(j);
		open_with(j, '{');
		put_text(j, "node", node_name(g, g->refusal[k].onnx));
		put_text(j, "op", g->onnx[g->refusal[k].onnx].op_type);
		put_text(j, "why", g->refusal[k].why);
		close_with(j, '}');
	}
	close_with(j, ']');
}

static void put_candidates(struct json *j, const struct plan *p, const struct kernel *k)
{
	struct candidate c;

	key(j, "candidates");
	open_with(j, '[');
	for (int i = 0; k->anchor != NULL && kernel_candidate(p, k, &i, &c);) {
		next(j);
		open_with(j, '{');
		put_text(j, "row", c.row->name);
		put_bool(j, "taken", c.taken);
		put_text(j, "why", c.why);
		put_number(j, "cost", (int64_t)c.cost);
		close_with(j, '}');
	}
	close_with(j, ']');
}

static void put_arithmetic(struct json *j, const struct plan *p, const struct kernel *k)
{
	struct arena a = { 0 };
	const struct arithmetic r = arithmetic_of(&a, p, k);

	put_text(j, "type", dtypes[k->out->type].name);
	put_step(j, k->out);
	put_text(j, "arithmetic", r.name);
	put_text(j, "why_floats", r.why);
	put_text(j, "sum", r.bound >= 0.0 ? dtypes[k->value->type].name : NULL);
	if (r.bound >= 0.0)
		put_number(j, "sum_bound", (int64_t)r.bound);
	arena_release(&a);
}

static void put_kernels(struct json *j, const struct plan *p)
{
	key(j, "kernels");
	open_with(j, '[');
	for (int k = 0; k < p->nkernel; k++) {
		const struct kernel *kernel = p->kernel[k];

		next(j);
		open_with(j, '{');
		put_number(j, "id", kernel->id);
		put_text(j, "row", kernel->row != NULL ? kernel->row->name : NULL);
		put_text(j, "title", kernel->title);
		put_nodes(j, "nodes", p->graph, kernel->prov);
		put_arithmetic(j, p, kernel);
		put_number(j, "macs", kernel->macs);
		put_number(j, "parts", part_count(kernel));
		put_number(j, "bytes", kernel->dst.buffer != NULL ? kernel->dst.buffer->bytes : 0);
		put_bool(j, "in_place", kernel->in_place != NULL);
		put_number(j, "products", kernel->ngemm);
		put_candidates(j, p, kernel);
		close_with(j, '}');
	}
	close_with(j, ']');
}

void report_json(FILE *to, const struct plan *p)
{
	struct json j = { .to = to };
	const struct graph *g = p->graph;

	open_with(&j, '{');
	put_text(&j, "model", g->diag->path);
	put_text(&j, "sha256", g->sha256);
	put_text(&j, "producer", g->producer);
	put_text(&j, "target", p->target->name);
	put_tensors(&j, "inputs", g->input, g->ninput);
	put_tensors(&j, "outputs", g->output, g->noutput);
	put_real(&j, "skip_closed_gates", g->skip_below);
	put_number(&j, "onnx_nodes", g->nonnx);
	put_number(&j, "macs", p->macs);
	put_number(&j, "weights_bytes", p->weights_bytes);
	put_number(&j, "prepared_bytes", p->prepared_bytes);
	key(&j, "memory");
	open_with(&j, '{');
	put_number(&j, "arena", p->cert.arena);
	put_number(&j, "arena_worker", p->worker_bytes);
	put_number(&j, "bound", p->cert.bound);
	put_bool(&j, "all_orders", p->cert.all_orders);
	put_bool(&j, "exact_offsets", p->cert.exact);
	put_number(&j, "states", p->cert.orders);
	close_with(&j, '}');
	key(&j, "costs");
	open_with(&j, '{');
	for (enum cost k = 0; k < COST_COUNT; k++) {
		key(&j, cost_name(k));
		fprintf(j.to, "%.17g", p->cost[k]);
	}
	close_with(&j, '}');
	put_blocks(&j, p);
	put_kernels(&j, p);
	close_with(&j, '}');
	fputc('\n', to);
}
