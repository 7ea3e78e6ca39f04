/*
 * A kernel's function for each instruction set, the function that picks one of them, and, where threads may
 * share the kernel, the one that hands out its parts. Versions whose C is the same are compiled from one body.
 */
#include "emit/ctext.h"
#include "emit/emission.h"
#include "kernels/kernel.h"

#include <string.h>

/* How a version of the function is to be called, described, and marked. */
struct version {
	const char *name, *comment, *attribute;
};

/* ISA_AVX512 */
static void put_level(struct buf *out, const struct isa *isa)
{
	buf_puts(out, "ISA_");
	for (const char *c = isa->suffix; *c != '\0'; c++)
		buf_printf(out, "%c", *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
}

/* #define NAME(name, arguments, ...): what is done for the first n instruction sets, and plain C. */
static void write_versions_macro(struct buf *out, const struct target *t, int first)
{
	buf_puts(out, "#define VERSIONS(name, arguments, ...) \\\n");
	for (int i = first; i < t->nisa; i++)
		buf_printf(out, "\tCOMPILED(%s, name##_%s, name##_body, arguments, __VA_ARGS__) \\\n",
			t->isa[i].attribute, t->isa[i].suffix);
	buf_puts(out, "\tPICKED(name, arguments, __VA_ARGS__)\n");
}

static void write_picked_macro(struct buf *out, const struct target *t, int first)
{
	buf_puts(out, "#define PICKED(name, arguments, ...) \\\n\tstatic void name(int isa, "
		      "__VA_ARGS__) \\\n\t{ \\\n");
	for (int i = first; i < t->nisa - 1; i++) {
		buf_printf(out, "\t\t%sif (isa == ", i > first ? "else " : "");
		put_level(out, &t->isa[i]);
		buf_printf(out, ") \\\n\t\t\tname##_%s arguments; \\\n", t->isa[i].suffix);
	}
	if (first < t->nisa - 1)
		buf_puts(out, "\t\telse \\\n\t");
	else
		buf_puts(out, "\t\t(void)isa; \\\n");
	buf_printf(out, "\t\tname##_%s arguments; \\\n\t}\n", t->isa[t->nisa - 1].suffix);
}

void versions_head(struct buf *out, const struct target *t)
{
	buf_puts(out,
		"/* A function of that body, for one instruction set; the function that takes the one at\n"
		" * hand; and all that, where the body is the same for each. */\n"
		"#define COMPILED(attribute, name, body, arguments, ...) \\\n"
		"\tstatic attribute void name(__VA_ARGS__) \\\n\t{ \\\n\t\tbody arguments; \\\n\t}\n"
		"#if HAVE_VECTORS\n");
	write_picked_macro(out, t, 0);
	write_versions_macro(out, t, 0);
	buf_puts(out, "#else\n");
	write_picked_macro(out, t, t->nisa - 1);
	write_versions_macro(out, t, t->nisa - 1);
	buf_puts(out, "#endif\n\n");
}

/* Switches that only what memory() decided can set, of templates that have them. */
static void add_switches(const struct kernel *k, const char *template, struct param *to, int *n)
{
	const struct param own[] = {
		{ "HELD", overwrites_input(k) },
		{ "VECTOR", has_vector_epilogue(k) },
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (template_has(template, own[i].name))
			to[(*n)++] = own[i];
	/* strips read twice what they replace */
	for (int i = 0; i < *n && k->in_place != NULL && !overwrites_input(k); i++)
		if (strcmp(to[i].name, "STRIPS") == 0)
			to[i].value = 0;
}

/* Text of the kernel's functions for an instruction set, the last one under that name; null: plain C. */
static const char *version_text(struct plan *p, const struct kernel *k, const struct isa *isa,
	const struct version *v)
{
	const bool plain = isa == NULL || isa->lanes == 1;
	const char *template = plain && k->portable != NULL ? k->portable : k->row->template;
	const char *ranges[MAX_SHARE];
	struct param params[MAX_PARAM + 3];
	struct subst substs[MAX_SUBST + 2];
	struct signature signature;
	struct instance_request r = {
		.template_name = template,
		.function = v->name,
		.comment = v->comment,
		.params = params,
		.nparams = k->nparam,
		.also = template != k->row->template ? k->row->template : k->portable,
		.substs = substs,
		.nsubsts = k->nsubst,
		.signature = &signature,
		.ranges = ranges,
		.access = write_access,
		.epilogue = write_epilogue,
		.ctx = k,
		.memo = p->memo,
	};

	memcpy(params, k->param, sizeof(k->param));
	memcpy(substs, k->subst, sizeof(k->subst));
	signature_of(p->arena, k, &signature);
	substs[r.nsubsts++] = (struct subst){ "TARGET", v->attribute };
	if (strcmp(v->attribute, "BODY") == 0) /* which is more */
		substs[r.nsubsts++] = (struct subst){ "INLINE", "" };
	add_switches(k, template, params, &r.nparams);
	if (!plain)
		r.words = arena_printf(p->arena, "%s/%s.h", p->target->folder, isa->suffix);
	else if (template_has(template, "LANES"))
		r.words = "vector/c.h";
	r.nranges = cut_ranges(k, ranges);
	const char *text = template_instantiate(p->arena, &r);

	return plain ? text : template_fused(p->arena, text);
}

/* Versions i with leader[i] == j have the C of version j. */
static void find_alike(struct plan *p, const struct kernel *k, const char *name, int *leader)
{
	const struct target *t = p->target;
	const struct version neutral = { name, "", "BODY" };
	const char *text[MAX_ISA];

	for (int i = 0; i < t->nisa; i++) {
		text[i] = version_text(p, k, &t->isa[i], &neutral);
		for (leader[i] = 0; strcmp(text[leader[i]], text[i]) != 0;)
			leader[i]++;
	}
}

/* COMPILED(AVX512_CODE, f_avx512, f_body, (x, y), const float *x, float *y) */
static void write_compiled(struct arena *a, struct buf *out, const struct isa *isa, const char *name,
	const char *body, const struct signature *s)
{
	const char *call = arena_printf(
		a, "COMPILED(%s, %s_%s, %s, (%s),", isa->attribute, name, isa->suffix, body,
		signature_names(a, s));

	c_wrapped(out, call, signature_text(a, s), ")\n");
}

/* The versions whose leader is j, from one body or a function of its own. */
static void write_alike(struct plan *p, const struct kernel *k, struct buf *out, const char *name,
	const char *comment, const int *leader, int j)
{
	const struct target *t = p->target;
	struct signature s;
	int n = 0;

	for (int i = j; i < t->nisa; i++)
		n += leader[i] == j;
	if (n == 1) {
		const struct version own = { arena_printf(p->arena, "%s_%s", name, t->isa[j].suffix),
			comment, t->isa[j].attribute };

		buf_printf(out, "%s\n", version_text(p, k, &t->isa[j], &own));
		return;
	}
	const char *body = arena_printf(p->arena, n == t->nisa ? "%s_body" : "%s_%s_body", name,
		t->isa[j].suffix);
	const struct version shared = { body, comment, "BODY" };

	buf_printf(out, "%s\n", version_text(p, k, &t->isa[j], &shared));
	signature_of(p->arena, k, &s);
	for (int i = j; i < t->nisa && n < t->nisa; i++)
		if (leader[i] == j)
			write_compiled(p->arena, out, &t->isa[i], name, body, &s);
	if (n < t->nisa)
		buf_puts(out, "\n");
}

/* ---- parts ---- */

/* `const float *x;` and so on: what a part needs of the call. */
static void write_task(struct plan *p, struct buf *out, const char *name, const struct signature *s)
{
	buf_printf(out, "\nstruct %s_task {\n\tint isa;\n", name);
	for (int i = 0; i < s->n; i++)
		if (s->parameter[i].range == NULL)
			buf_printf(out, "\t%s;\n", parameter_text(p->arena, &s->parameter[i], true));
	if (signature_scratch(s) != NULL)
		buf_puts(out, "\tfloat *others; /* scratch of further workers */\n");
	buf_puts(out, "};\n\n");
}

/* `const int h = index / 2, k = index % 2;`: which part of each range. */
static void write_indices(struct buf *out, const struct kernel *k)
{
	const char *between = "\tconst int ";
	int inner = part_count(k);

	for (int i = 0; i < k->nshare; i++) {
		const struct share *r = &k->share[i];
		const bool first = inner == part_count(k);

		if (r->parts == 1)
			continue;
		inner /= r->parts;
		buf_printf(out, "%s%s = index", between, r->name);
		if (inner > 1)
			buf_printf(out, " / %d", inner);
		if (!first)
			buf_printf(out, " %% %d", r->parts);
		between = ", ";
	}
	buf_puts(out, ";\n\n");
}

/* An argument of a part: from the task, but for where its ranges begin and end. */
static const char *part_argument(struct arena *a, const struct parameter *x)
{
	const struct share *r = x->range;

	if (x->role == ROLE_SCRATCH)
		return arena_printf(a, "scratch_of(worker, t->%s, t->others)", x->name);
	if (r == NULL)
		return arena_printf(a, "t->%s", x->name);
	return arena_printf(a, "part_begin(%s%s, %d, %lld, %lld)", r->name,
		x->role == ROLE_END ? " + 1" : "", r->parts, (long long)r->end,
		(long long)r->step);
}

static void write_part(struct plan *p, const struct kernel *k, struct buf *out, const char *name,
	const struct signature *s)
{
	const char *arguments = "t->isa";

	buf_printf(out,
		"static void %s_part(void *task, int index, int worker)\n{\n"
		"\tconst struct %s_task *const t = task;\n",
		name, name);
	write_indices(out, k);
	if (signature_scratch(s) == NULL)
		buf_puts(out, "\t(void)worker;\n");
	for (int i = 0; i < s->n; i++)
		arguments = arena_printf(
			p->arena, "%s, %s", arguments, part_argument(p->arena, &s->parameter[i]));
	c_wrapped(out, arena_printf(p->arena, "\t%s_range(", name), arguments, ");\n");
	buf_puts(out, "\tleave(t->isa);\n}\n\n");
}

/* What run calls: in parts where the user has threads, else whole. */
static void write_sharing(struct plan *p, const struct kernel *k, struct buf *out, const char *name,
	const struct signature *s)
{
	const char *parameters = "", *task = "net->isa", *whole = "net->isa";
	const bool scratch = signature_scratch(s) != NULL;

	write_task(p, out, name, s);
	write_part(p, k, out, name, s);
	for (int i = 0; i < s->n; i++) {
		const struct parameter *x = &s->parameter[i];

		if (x->range != NULL) {
			whole = arena_printf(p->arena, "%s, %lld", whole,
				x->role == ROLE_END ? (long long)x->range->end : 0LL);
			continue;
		}
		parameters = arena_printf(
			p->arena, "%s, %s", parameters, parameter_text(p->arena, x, false));
		task = arena_printf(p->arena, "%s, %s", task, x->name);
		whole = arena_printf(p->arena, "%s, %s", whole, x->name);
	}
	c_wrapped(out, arena_printf(p->arena, "static void %s(", name),
		arena_printf(p->arena, "const struct %s *net%s%s", NETWORK, parameters,
			scratch ? ", float *others" : ""),
		")\n{\n");
	c_wrapped(out, arena_printf(p->arena, "\tstruct %s_task task = {", name),
		arena_printf(p->arena, "%s%s", task, scratch ? ", others" : ""), " };\n\n");
	buf_puts(out, "\tif (net->parallel_for == NULL)\n");
	c_wrapped(out, arena_printf(p->arena, "\t\t%s_range(", name), whole, ");\n");
	buf_printf(out,
		"\telse\n\t\tnet->parallel_for(net->parallel_context, %s_part, &task, %d);\n}\n",
		name, part_count(k));
}

const char *versions_text(
	struct plan *p, const struct kernel *k, const char *name, const char *comment)
{
	const int plain = p->target->nisa - 1, whole = part_count(k) == 1;
	const char *run = whole ? name : arena_printf(p->arena, "%s_range", name);
	int leader[MAX_ISA] = { 0 };
	struct signature s;
	struct buf b = { 0 };

	if (!target_has_vectors(p->target))
		return version_text(p, k, NULL, &(struct version){ name, comment, "" });
	signature_of(p->arena, k, &s);
	find_alike(p, k, name, leader);
	for (int j = 0; j <= plain; j++) {
		if (leader[j] != j)
			continue;
		if (j == 0 && leader[plain] != 0)
			buf_puts(&b, "#if HAVE_VECTORS\n");
		if (j == leader[plain] && j > 0)
			buf_puts(&b, "#endif\n\n");
		write_alike(p, k, &b, run, j == 0 ? comment : "", leader, j);
	}
	c_wrapped(&b,
		arena_printf(p->arena, "%s(%s, (%s),", leader[plain] == 0 ? "VERSIONS" : "PICKED", run,
			signature_names(p->arena, &s)),
		signature_text(p->arena, &s), ")\n");
	if (!whole)
		write_sharing(p, k, &b, name, &s);
	return buf_text(p->arena, &b);
}
