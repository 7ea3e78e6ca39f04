/*
 * The generated code: NAME.c, which reads from top to bottom (what it is, helpers, kernels, tables,
 * run), and the other files by header_text(), emit_interface(), emit_weights(), emit_main().
 */
#include "emit/ctext.h"
#include "emit/emission.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 2 << 20, ROWS_MOST = 16 << 20 }; /* bytes of weights */

/* ---- names ---- */

static void take_helper(void *ctx, const char *name)
{
	struct emission *e = ctx;
	const struct target *t = e->plan->target;

	names_take(e->names, name);
	for (int k = 0; k < t->nisa && strstr(name, "_vec_") != NULL; k++)
		names_take(e->names, template_for_set(e->arena, name, t->isa[k].suffix));
}

/* What NAME.h and NAME.c call their own, whatever the kernels are. */
static void take_own_names(struct emission *e)
{
	static const char *const of_network[] = { "init", "run", "error", "steps", "prepare", "weights", "weights_id",
		"table*" };

	for (size_t k = 0; k < sizeof(of_network) / sizeof(of_network[0]); k++)
		names_take(e->names, arena_printf(e->arena, "%s_%s", e->name, of_network[k]));
	names_take(e->names, arena_printf(e->arena, "%s_*", e->upper));
	template_helper_names(take_helper, e);
}

/* Names of run's parameters: the graph's. */
static const char **parameters(struct emission *e, struct tensor **v, int n)
{
	const char **names = arena_alloc(e->arena, (size_t)(n + 1) * sizeof(char *));

	for (int k = 0; k < n; k++)
		names[k] = names_claim(
			e->names, NAME_PARAMETER, identifier(e->arena, v[k]->name), NULL, 0);
	return names;
}

/* ---- the parts of NAME.c ---- */

static const char *closed_rows(struct emission *e)
{
	const struct graph *g = e->plan->graph;

	if (g->nskipped == 0)
		return "";
	return arena_printf(e->arena,
		" * --skip-closed-gates: %d highway layers carry a row of x where all its gates are below %g, and do not "
		"compute\n * H for it; each element changes by at most %g |H - x| a layer.\n *\n",
		g->nskipped, g->skip_below, g->skip_below);
}

struct helper_list {
	struct emission *e;
	struct buf *out;
	const char *done[MAX_HELPERS];
	int n;
};

static void write_helper(void *ctx, const struct helper *h)
{
	struct helper_list *l = ctx;
	const struct target *t = l->e->plan->target;
	struct instance_request r = { .template_name = h->template, .function = h->function };
	struct subst target = { .name = "TARGET" };

	for (int k = 0; k < l->n; k++)
		if (strcmp(l->done[k], h->function) == 0)
			return;
	if (l->n == MAX_HELPERS)
		die("too many helper functions");
	l->done[l->n++] = arena_strdup(l->e->arena, h->function);
	for (int k = 0; k < t->nisa; k++)
		if (h->suffix != NULL && strcmp(t->isa[k].suffix, h->suffix) == 0) {
			r.words = arena_printf(l->e->arena, "%s/%s.h", t->folder, h->suffix);
			target.text = t->isa[k].attribute;
			r.substs = &target;
			r.nsubsts = 1;
		}
	const char *text = template_instantiate(l->e->arena, &r);

	buf_printf(l->out, "%s\n",
		h->suffix != NULL ? template_for_set(l->e->arena, text, h->suffix) : text);
}

static void write_tables(struct emission *e, struct buf *out)
{
	const struct plan *p = e->plan;

	for (int k = 0; k < p->nblob; k++) {
		const struct blob *b = p->blob[k];
		struct arena scratch = { 0 };

		if (b->buffer->kind != BUF_TABLE)
			continue;
		unsigned char *v = arena_alloc(&scratch, (size_t)b->buffer->bytes);

		pack_blob(e->plan, b, v);
		buf_printf(out, "/* %s: %s */\nstatic const %s %s_table%d[] = {\n",
			prov_text(e->arena, p->graph, b->prov, 3),
			shape_text(e->arena, &b->tensor[0]->shape), dtypes[b->type].ctype, e->name,
			b->buffer->index);
		put_elements(out, b->type, v, b->count);
		buf_puts(out, "};\n\n");
		arena_release(&scratch);
	}
}

/* What a tensor of the interface is, for the id of the code. */
static void add_interface(struct emission *e, struct crc64 *c, const struct tensor *t)
{
	const char *text = arena_printf(e->arena, "%s %s\n", dtypes[t->io_type].name,
		shape_text(e->arena, &t->shape));

	crc64_add(c, text, strlen(text));
}

/* The id of code: of its text, but for comments and blanks, of its interface, and of the place and
 * order of each constant. What retraining leaves as it is, so that the new weights run in the old
 * code. */
static uint64_t code_id(struct emission *e, const char *const *text, int n)
{
	struct crc64 *c = arena_alloc(e->arena, sizeof(*c));
	const struct graph *g = e->plan->graph;

	crc64_begin(c);
	for (int k = 0; k < n; k++)
		for (const char *s = text[k], *end; *s != '\0'; s = end) {
			end = c_token_end(s);
			if (!isspace((unsigned char)*s) && (s[0] != '/' || s[1] != '*')) {
				crc64_add(c, s, (size_t)(end - s));
				crc64_add(c, " ", 1);
			}
		}
	for (int k = 0; k < g->ninput; k++)
		add_interface(e, c, g->input[k]);
	for (int k = 0; k < g->noutput; k++)
		add_interface(e, c, g->output[k]);
	for (int k = 0; k < e->plan->nblob; k++) {
		const struct blob *b = e->plan->blob[k];
		const char *place = arena_printf(e->arena, "%d %s %lld %d %d %d %d %lld %s\n",
			(int)b->packing, dtypes[b->type].name, (long long)b->buffer->offset, b->group,
			b->block, b->stack, b->chunk, (long long)b->count, shape_text(e->arena, &b->tensor[0]->shape));

		crc64_add(c, place, strlen(place));
	}
	return crc64_end(c);
}

/* What the code has of its own: kernels, and what they need. */
static void write_kernels(struct emission *e, struct buf *out, const struct instance *v, int n)
{
	struct helper_list helpers = { .e = e, .out = out };

	if (target_has_vectors(e->plan->target))
		emit_vectors(e, out);
	for (int k = 0; k < n; k++)
		template_helpers(v[k].text, write_helper, &helpers);
	for (int k = 0; k < n; k++)
		buf_printf(out, "%s\n", v[k].text);
	write_tables(e, out);
}

/* NAME.c, whose functions v are; sets e->code_id. */
static char *code_text(struct emission *e, const struct instance *v, int n)
{
	struct buf kernels = { 0 }, run = { 0 }, inlined = { 0 };
	struct filling f;

	write_kernels(e, &kernels, v, n);
	emit_run(e, &run);
	const char *own = c_fit(e->arena, buf_text(e->arena, &kernels)),
		   *calls = c_fit(e->arena, buf_text(e->arena, &run));

	e->code_id = code_id(e, (const char *[]){ own, calls }, 2);
	if (c_has_word(own, "INLINE"))
		emit_header(&inlined, "c/inline.h");
	interface_words(e, &f);
	fill_switch(&f, "SUMS_IN_SCALARS", c_has_word(own, "SCALAR") || c_has_word(own, "LOT"));
	fill_switch(&f, "APARTS", c_has_word(own, "APART"));
	fill_switch(&f, "LOTS", c_has_word(own, "LOT"));
	fill_word(&f, "LOT_SIZE", arena_printf(e->arena, "%d", LOT_SIZE));
	fill_switch(&f, "PAIRS", c_has_word(own, "DSP"));
	fill_switch(&f, "WIDENS", c_has_word(own, "WIDENED"));
	fill_switch(&f, "REQUANTIZES", c_has_word(own, "FPU"));
	fill_word(&f, "CLOSED", closed_rows(e));
	fill_word(&f, "STEP_TABLE", steps_comment(e));
	fill_word(&f, "KERNELS", arena_printf(e->arena, "%s%s", buf_text(e->arena, &inlined), own));
	fill_word(&f, "READY_VALUE", arena_printf(e->arena, "0x%08xu", (uint32_t)hash_text(e->name) | 1u));
	fill_word(&f, "RUN", calls);
	fill_word(&f, "HEAD_WORDS", weights_head(e));
	fill_word(&f, "SUMS", weights_sums(e));
	fill_word(&f, "PROFILE", steps_rows(e));
	return fill(&f, "interface/NAME");
}

/* The form that the weights take: the one asked for, or by size. */
static enum weights_form form_of(const struct plan *p, const struct emit_options *options)
{
	if (p->weights_bytes == 0)
		return WEIGHTS_TEXT; /* there is nothing to choose */
	if (options->weights != WEIGHTS_AUTO)
		return options->weights;
	return p->weights_bytes <= TEXT_MOST   ? WEIGHTS_TEXT
	       : p->weights_bytes <= ROWS_MOST ? WEIGHTS_ROWS
					       : WEIGHTS_INCBIN;
}

struct instance *emission_begin(struct emission *e, struct plan *p, const struct emit_options *options, int *count)
{
	char *upper = arena_strdup(p->arena, options->name);

	for (char *c = upper; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	*e = (struct emission){ .plan = p, .options = options, .arena = p->arena, .name = options->name, .upper = upper };
	e->form = form_of(p, options);
	e->names = names_new(p->arena);
	take_own_names(e);
	e->input = parameters(e, p->graph->input, p->graph->ninput);
	e->output = parameters(e, p->graph->output, p->graph->noutput);
	struct instance *v = instantiate(p, e->name, e->names, count);

	e->stack = stack_size(p->target, v, *count);
	return v;
}

void emit(struct plan *p, const struct emit_options *options, struct output *out)
{
	struct emission e;
	int n;
	const struct instance *v = emission_begin(&e, p, options, &n);
	char *code, *header;

	e.out = out;
	code = code_text(&e, v, n);
	if (options->like != NULL) {
		header = header_text(&e);
		if (folder_fits(&e, code, header))
			emit_weights(&e);
	} else {
		emit_weights(&e);
		header = header_text(&e);
		output_puts(out, arena_printf(p->arena, "%s.c", e.name), code);
		output_puts(out, arena_printf(p->arena, "%s.h", e.name), header);
		if (e.machine_code != NULL)
			output_puts(out, arena_printf(p->arena, "%s_gemm.c", e.name), e.machine_code);
		if (options->main)
			emit_main(&e);
		if (options->for_build || options->package != NULL)
			emit_for_build(&e);
		if (options->package != NULL) {
			emit_package(&e);
			package_settle(&e);
		}
		folder_settle(&e);
	}
}
