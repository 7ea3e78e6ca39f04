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
	const char *template = plain && k->portable != NULL ? k->portable : k->template;
	const char *ranges[MAX_SHARE];
	struct param params[MAX_PARAM + 3];
	struct subst substs[MAX_SUBST + 3];
	struct signature signature;
	struct instance_request r = {
		.template_name = template,
		.function = v->name,
		.comment = v->comment,
		.params = params,
		.nparams = k->nparam,
		.also = template != k->template ? k->template : k->portable,
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
	if (strcmp(v->attribute, "BODY") == 0) { /* which is more */
		substs[r.nsubsts++] = (struct subst){ "INLINE", "" };
		substs[r.nsubsts++] = (struct subst){ "APART", "" };
	} else if (template_has(template, "LANES")) { /* where size matters, too: sums would be kept in memory */
		substs[r.nsubsts++] = (struct subst){ "INLINE", "BODY" };
	}
	add_switches(k, template, params, &r.nparams);
	if (!plain)
		r.words = arena_printf(p->arena, "%s/%s.h", p->target->folder,
			k->small_weights && isa->bytes != NULL ? isa->bytes : isa->suffix);
	else if (template_has(template, "LANES"))
		r.words = "vector/c.h";
	r.nranges = cut_ranges(k, ranges);
	const char *text = template_instantiate(p->arena, &r);

	return template_for_set(p->arena, text, plain ? NULL : isa->more != NULL ? isa->more : isa->suffix);
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
			buf_printf(out, "COMPILED(%s, %s_%s, %s, (%s), %s)\n", t->isa[i].attribute,
				name, t->isa[i].suffix, body, signature_names(p->arena, &s),
				signature_text(p->arena, &s));
	if (n < t->nisa)
		buf_puts(out, "\n");
}

/* ---- products of bytes ---- */

bool has_dots(const struct kernel *k)
{
	return k->plan->target->ndots > 0 &&
	       (k->sets == 0 || k->sets >> k->plan->target->nisa != 0) &&
	       (template_has(k->template, "DOT_ADD") || template_has(k->template, "ISUM_DOT"));
}

bool plan_has_dots(const struct plan *p)
{
	bool has = false;

	for (int i = 0; i < p->nkernel; i++)
		has = has || has_dots(p->kernel[i]);
	return has;
}

const char *chosen_set(const struct kernel *k)
{
	return has_dots(k) ? "net->dots" : "net->isa";
}

static void write_dots(struct plan *p, const struct kernel *k, struct buf *out, const char *name)
{
	buf_puts(out, "#if HAVE_DOTS\n");
	for (int i = 0; i < p->target->ndots; i++) {
		const struct isa *isa = &p->target->dots[i];
		const struct version own = { arena_printf(p->arena, "%s_%s", name, isa->suffix), "", isa->attribute };

		buf_printf(out, "%s\n", version_text(p, k, isa, &own));
	}
	buf_puts(out, "#endif\n\n");
}

/* ---- a kernel for some of the sets ---- */

/* ISA_AVX2, as the head of generated code has it. */
static const char *isa_name(struct arena *a, const struct isa *set)
{
	const size_t n = strlen(set->attribute);

	return n == 0 ? "ISA_C"
		      : arena_printf(a, "ISA_%.*s", (int)(n - strlen("_CODE")), set->attribute);
}

const char *sets_condition(struct arena *a, const struct kernel *k)
{
	const char *text = NULL;
	const struct isa *set;

	for (int i = 0; k->sets != 0 && (set = target_set(k->plan->target, i)) != NULL; i++)
		if ((k->sets >> i & 1) != 0)
			text = arena_printf(a, "%s%snet->%s == %s", text != NULL ? text : "",
				text != NULL ? " || " : "", k->by_dots ? "dots" : "isa",
				isa_name(a, set));
	return text;
}

/* The versions of a kernel for some sets, and plain C, so that there is one whatever the compiler knows; and the function
 * that picks one. */
static void write_some(struct plan *p, const struct kernel *k, struct buf *out, const char *name,
	const char *comment, const struct signature *s)
{
	const struct target *t = p->target;
	const int plain = t->nisa - 1;
	const unsigned sets = k->sets | 1U << plain;
	const struct isa *set;
	struct buf calls = { 0 };

	for (int i = 0; (set = target_set(t, i)) != NULL; i++) {
		const struct version own = { arena_printf(p->arena, "%s_%s", name, set->suffix),
			comment, set->attribute };
		const char *begin = i == plain  ? ""
				    : i < plain ? "#if HAVE_VECTORS\n"
						: "#if HAVE_DOTS\n",
			   *end = i == plain ? "" : "#endif\n";

		if ((sets >> i & 1) == 0)
			continue;
		comment = "";
		buf_printf(out, "%s%s%s\n", begin, version_text(p, k, set, &own), end);
		buf_printf(&calls, "%s\tif (isa == %s)\n\t\t%s_%s(%s);\n%s", begin,
			isa_name(p->arena, set), name, set->suffix, signature_names(p->arena, s),
			end);
	}
	buf_printf(out, "static void %s(int isa, %s)\n{\n%s}\n\n", name,
		signature_text(p->arena, s), buf_text(p->arena, &calls));
}

/* ---- parts ---- */

/* `const float *x;` and so on: what a part needs of the call. */
static const char *members(struct arena *a, const struct signature *s)
{
	const char *text = "";

	for (int i = 0; i < s->n; i++)
		if (s->parameter[i].range == NULL)
			text = arena_printf(
				a, "%s\t%s;\n", text, parameter_text(a, &s->parameter[i], true));
	return text;
}

/* `	const int h = index / 2, k = index % 2;`: which part of each range. */
static const char *indices(struct arena *a, const struct kernel *k)
{
	const char *text = "\tconst int ";
	int inner = part_count(k);

	for (int i = 0; i < k->nshare; i++) {
		const struct share *r = &k->share[i];
		const bool first = inner == part_count(k);

		if (r->parts == 1)
			continue;
		inner /= r->parts;
		text = arena_printf(a, "%s%s%s = index%s%s", text, first ? "" : ", ", r->name,
			inner > 1 ? arena_printf(a, " / %d", inner) : "",
			first ? "" : arena_printf(a, " %% %d", r->parts));
	}
	return arena_printf(a, "%s;\n", text);
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

/* What run calls, in parts where the user has threads, and the parts. */
static const char *sharing(
	struct plan *p, const struct kernel *k, const char *name, const struct signature *s)
{
	const char *parameters = "", *task = chosen_set(k), *whole = task, *part = "t->isa";
	const struct param switches[] = { { "SCRATCH", signature_scratch(s) != NULL } };
	struct filling f = { .arena = p->arena, .name = name, .upper = name, .nswitches = 1 };

	for (int i = 0; i < s->n; i++) {
		const struct parameter *x = &s->parameter[i];

		part = arena_printf(p->arena, "%s, %s", part, part_argument(p->arena, x));
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
	memcpy(f.switches, switches, sizeof(switches));
	fill_word(&f, "NETWORK", NETWORK);
	fill_word(&f, "MEMBERS", members(p->arena, s));
	fill_word(&f, "INDICES", indices(p->arena, k));
	fill_word(&f, "PART", part);
	fill_word(&f, "PARAMETERS", parameters + strlen(", "));
	fill_word(&f, "TASK", task);
	fill_word(&f, "WHOLE", whole);
	fill_word(&f, "PARTS", arena_printf(p->arena, "%d", part_count(k)));
	return fill(&f, "vector/shared");
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
	if (k->sets != 0) {
		write_some(p, k, &b, run, comment, &s);
		if (!whole)
			buf_puts(&b, sharing(p, k, name, &s));
		return buf_text(p->arena, &b);
	}
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
	if (has_dots(k))
		write_dots(p, k, &b, run);
	buf_printf(&b, "%s(%s, (%s), %s)\n",
		has_dots(k) ? "PICKED_DOTS" : leader[plain] == 0 ? "VERSIONS" : "PICKED", run,
		signature_names(p->arena, &s), signature_text(p->arena, &s));
	if (!whole)
		buf_puts(&b, sharing(p, k, name, &s));
	return buf_text(p->arena, &b);
}
