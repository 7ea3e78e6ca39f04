/* What the C function of a kernel takes: one list, and its forms as text. */
#include "emit/emission.h"
#include "kernels/kernel.h"

static struct parameter *append(struct signature *s, enum role role, const char *type, const char *name)
{
	if (s->n == MAX_PARAMETER)
		die("a kernel with more than %d parameters", s->n);
	s->parameter[s->n] = (struct parameter){ .role = role, .type = type, .name = name };
	return &s->parameter[s->n++];
}

static struct parameter *append_pointer(
	struct signature *s, enum role role, const char *type, const char *name, bool restricted)
{
	struct parameter *p = append(s, role, type, name);

	p->pointer = true;
	p->restricted = restricted;
	return p;
}

static void append_input(
	struct arena *a, struct signature *s, enum role role, const struct arg *arg, const char *name)
{
	const char *type = arena_printf(a, "const %s", dtypes[arg->region.type].ctype);

	append_pointer(s, role, type, name, true)->region = &arg->region;
}

void signature_of(struct arena *a, const struct kernel *k, struct signature *to)
{
	to->n = 0;
	for (int i = overwrites_input(k); i < k->narg; i++)
		append_input(a, to, ROLE_INPUT, &k->arg[i], k->arg[i].name);
	append_pointer(to, ROLE_OUTPUT, dtypes[k->dst.type].ctype, "y", false)->region = &k->dst;
	if (k->scratch > 0)
		append_pointer(to, ROLE_SCRATCH, "float", k->scratch_name, true);
	if (k->ngemm > 0)
		append_pointer(to, ROLE_PRODUCTS, "gemm_fn *const", "gemm", false);
	for (int i = 0; i < k->noperand; i++)
		if (k->in_place == NULL || k->operand[i].region.buffer != k->in_place)
			append_input(a, to, ROLE_OPERAND, &k->operand[i],
				arena_printf(a, "z%d", i));
	for (int i = 0; i < k->nshare; i++) {
		const struct share *r = &k->share[i];

		if (r->parts == 1)
			continue;
		append(to, ROLE_BEGIN, "int", arena_printf(a, "%s_from", r->name))->range = r;
		append(to, ROLE_END, "int", arena_printf(a, "%s_to", r->name))->range = r;
	}
}

const char *signature_names(struct arena *a, const struct signature *s)
{
	const char *text = "";

	for (int i = 0; i < s->n; i++)
		text = arena_printf(a, "%s%s%s", text, i > 0 ? ", " : "", s->parameter[i].name);
	return text;
}

const char *parameter_text(struct arena *a, const struct parameter *p, bool member)
{
	return arena_printf(a, "%s %s%s%s", p->type, p->pointer ? "*" : "",
		p->restricted && !member ? "restrict " : "", p->name);
}

const char *signature_text(struct arena *a, const struct signature *s)
{
	const char *text = "";

	for (int i = 0; i < s->n; i++)
		text = arena_printf(
			a, "%s%s%s", text, i > 0 ? ", " : "", parameter_text(a, &s->parameter[i], false));
	return text;
}

const struct parameter *signature_scratch(const struct signature *s)
{
	for (int i = 0; i < s->n; i++)
		if (s->parameter[i].role == ROLE_SCRATCH)
			return &s->parameter[i];
	return NULL;
}
