/* Kernels as C: instances of templates, alike ones shared, under names that say what they compute. */
#include "emit/ctext.h"
#include "emit/memo.h"
#include "emit/emission.h"
#include "kernels/kernel.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- names and comments ---- */

const char *layout_text(const struct region *r)
{
	struct region rows = region_dense(r->type, &r->shape, NULL), same = *r;

	same.offset = 0;
	same.buffer = NULL;
	if (region_same(&rows, &same))
		return "";
	if (r->shape.rank > 2 && r->stride[1] == 1)
		return " channels last";
	return r->windowed ? " in zero padding" : " strided";
}

static const char *lower(struct arena *a, const char *s)
{
	char *t = arena_strdup(a, s);

	for (char *c = t; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return t;
}

static const char *instance_comment(struct arena *a, const struct kernel *k)
{
	const char *text = arena_printf(a, "%s:", k->title);

	for (int i = 0; i < k->narg; i++)
		if (!region_is_constant(&k->arg[i].region))
			text = arena_printf(a, "%s x %s%s%s", text,
				shape_text(a, &k->arg[i].tensor->shape),
				layout_text(&k->arg[i].region),
				i == 0 && overwrites_input(k) ? ", replaced by y," : "");
	text = arena_printf(
		a, "%s -> y %s%s", text, shape_text(a, &k->dst.shape), layout_text(&k->dst));
	for (int i = 0; i < k->ngroup; i++)
		text = arena_printf(a, "%s%s%s", text, i > 0 ? " " : "; ", k->group[i]->op->name);
	for (int i = 0; i < k->noperand; i++) {
		const struct arg *o = &k->operand[i];
		bool over = k->in_place != NULL && o->region.buffer == k->in_place;

		text = arena_printf(a, "%s; z%d %s%s%s", text, i, shape_text(a, &o->tensor->shape),
			layout_text(&o->region), over ? ", replaced by y" : "");
	}
	if (k->macs > 0)
		text = arena_printf(a, "%s; %s multiply-adds", text, grouped(a, k->macs));
	return text;
}

/* conv3x3_s2_56x56x64_28x28x128_add_relu: what, from, to, and what is absorbed. */
static const char *base_name(struct arena *a, const struct kernel *k)
{
	const char *name = k->title;
	int most = 4;

	if (k->anchor == NULL && k->ngroup > 0)
		name = "";
	for (int i = 0; i < k->ngroup && k->anchor == NULL; i++)
		if (most-- > 0)
			name = arena_printf(a, "%s%s%s", name, i > 0 ? "_" : "",
				lower(a, k->group[i]->op->name));
	for (int d = 1; k->anchor != NULL && k->narg > 0 && d < k->arg[0].region.shape.rank; d++)
		name = arena_printf(a, "%s%s%lld", name, d > 1 ? "x" : "_",
			(long long)k->arg[0].region.shape.dim[d]);
	for (int d = k->dst.shape.rank > 1; d < k->dst.shape.rank; d++)
		name = arena_printf(a, "%s%s%lld", name, d > (k->dst.shape.rank > 1) ? "x" : "_",
			(long long)k->dst.shape.dim[d]);
	for (int i = 0; i < k->ngroup && k->anchor != NULL; i++)
		if (most-- > 0)
			name = arena_printf(a, "%s_%s", name, lower(a, k->group[i]->op->name));
	return k->in_place != NULL && k->anchor != NULL ? arena_printf(a, "%s_in_place", name) : name;
}

/* ---- instances ---- */

static const char placeholder[] = "skipc_instance";

static const char *replace_all(struct arena *a, const char *text, const char *from, const char *to)
{
	struct buf b = { 0 };

	for (const char *hit; (hit = strstr(text, from)) != NULL; text = hit + strlen(from)) {
		buf_add(&b, text, (size_t)(hit - text));
		buf_puts(&b, to);
	}
	buf_puts(&b, text);
	return buf_text(a, &b);
}

/* Instances so far: their texts, and by a kernel's key which one it is. */
struct instances {
	struct texts keys, texts;
	int *instance;
};

enum { MAX_ENDING = 48 };

/* What text appends to the placeholder to name functions and types, and products.c to name a table: each
 * once. */
static int endings_of(struct arena *a, const struct kernel *k, const char *text, const char **to)
{
	int n = 0;

	to[n++] = "_gemm";
	for (int i = 0; i < k->plan->target->nisa; i++)
		to[n++] = arena_printf(a, "_%s", k->plan->target->isa[i].suffix);
	for (int i = 0; i < k->plan->target->ndots && has_dots(k); i++)
		to[n++] = arena_printf(a, "_%s", k->plan->target->dots[i].suffix);
	for (const char *s = text; (s = strstr(s, placeholder)) != NULL;) {
		s += strlen(placeholder);
		const char *end = c_token_end(s);
		bool seen = *s != '_';

		for (int j = 0; j < n && !seen; j++)
			seen = c_same(s, end, to[j]);
		if (seen)
			continue;
		if (n == MAX_ENDING)
			die("a kernel of too many functions");
		to[n++] = c_copy(a, s, (size_t)(end - s));
	}
	return n;
}

/* The kernel's number among the instances, n for one that is new, whose text is *text. */
static int instance_of(struct plan *p, const struct kernel *k, struct instances *known, const char **text)
{
	const char *comment = instance_comment(p->arena, k);
	const int keys = known->keys.n, key = texts_number(&known->keys, p->arena, kernel_key(k, comment));

	if (key == keys) {
		*text = versions_text(p, k, placeholder, comment);
		known->instance[key] = texts_number(&known->texts, p->arena, *text);
	}
#ifdef CHECK_ALIKE
	else if (texts_number(&known->texts, p->arena, versions_text(p, k, placeholder, comment)) != known->instance[key])
		die("kernels %s are not alike", k->title);
#endif
	return known->instance[key];
}

/* ---- functions that instances share ---- */

/* A function of an instance that calls no other of it: its text, and whose it is. */
struct piece {
	const char *text, *owner;
	struct piece *next;
};

/* The word at or behind s that begins with the placeholder; null: there is none before end. */
static const char *find_placeholder(const char *s, const char *end, size_t *length)
{
	const char *hit = strstr(s, placeholder);

	if (hit == NULL || hit >= end)
		return NULL;
	*length = (size_t)(strspn(hit, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"));
	return hit;
}

/* Does the function between s and end name none of the instance's but itself? Its name, if so. */
static const char *leaf_name(struct arena *a, const char *s, const char *end)
{
	size_t n = 0, more = 0;
	const char *name = find_placeholder(s, end, &n);

	for (const char *next = name; next != NULL; next = find_placeholder(next + more, end, &more))
		if (next != name && (more != n || memcmp(next, name, n) != 0))
			return NULL;
		else
			more = n;
	return name != NULL ? c_copy(a, name, n) : NULL;
}

static const char *rename_word(struct arena *a, const char *text, const char *from, const char *to)
{
	struct buf b = { 0 };

	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = c_token_end(s);
		if (c_same(s, e, from))
			buf_puts(&b, to);
		else
			buf_add(&b, s, (size_t)(e - s));
	}
	return buf_text(a, &b);
}

/* The instance's text without functions that earlier ones have; what it has itself is added to them. */
static const char *share_functions(
	struct arena *a, const char *text, const char *owner, struct piece **pieces)
{
	for (const char *s = strstr(text, "static "), *end; s != NULL; s = strstr(end, "\nstatic ")) {
		s += *s == '\n';
		end = strstr(s, "\n}\n");
		if (end == NULL)
			break;
		end += 3;
		const char *name = leaf_name(a, s, end), *own = c_copy(a, s, (size_t)(end - s));
		struct piece *p = *pieces;

		if (name == NULL || !c_has_word(end, name)) /* what run calls stands last, and versions are called by a macro that adds their endings */
			continue;
		while (p != NULL && strcmp(p->text, own) != 0)
			p = p->next;
		if (p == NULL) {
			p = arena_alloc(a, sizeof(*p));
			*p = (struct piece){ own, owner, *pieces };
			*pieces = p;
		}
		if (p->owner == owner)
			continue;
		const char *from = s; /* of the function's comment */

		if (from >= text + 3 && memcmp(from - 3, "*/\n", 3) == 0)
			while (from > text && strncmp(from, "/*", 2) != 0)
				from--;
		const char *rest = rename_word(a, end + strspn(end, "\n"), name,
			arena_printf(a, "%s%s", p->owner, name + strlen(placeholder)));

		text = arena_printf(a, "%.*s%s", (int)(from - text), text, rest);
		end = text; /* from the beginning: what is known by now is passed over */
	}
	return text;
}

/* Of several functions of one name but for a number, the later ones say what they have otherwise than the first. */
static const char *with_difference(
	struct arena *a, const char *text, const struct kernel *first, const struct kernel *k)
{
	const char *comment = instance_comment(a, k);

	if (first == k)
		return text;
	return replace_all(a, text, comment,
		arena_printf(a, "%s\n * As %s, but %s.", comment, first->function,
			difference_text(a, first, k, text)));
}

struct instance *instantiate(struct plan *p, const char *network, struct names *names, int *count)
{
	const int all = p->ninit + p->nkernel;
	struct instance *v = arena_alloc(p->arena, (size_t)(all + 1) * sizeof(*v));
	const char *endings[MAX_ENDING];
	const struct kernel **named = arena_alloc(
		p->arena, (size_t)(all + 1) * sizeof(struct kernel *));
	struct instances known = { .instance = arena_alloc(p->arena, (size_t)(all + 1) * sizeof(int)) };
	struct texts bases = { 0 };
	struct piece *pieces = NULL;
	int n = 0;

	p->memo = memo_new(p->arena);
	for (int i = 0; i < all; i++) {
		struct kernel *k = i < p->ninit ? p->init[i] : p->kernel[i - p->ninit];
		const char *text = NULL;
		const int at = instance_of(p, k, &known, &text);

		progress(p->graph->diag, "kernel %d of %d", i + 1, all);
		if (at == n) {
			const char *name = base_name(p->arena, k);
			const struct kernel **first = &named[texts_number(&bases, p->arena, name)];

			v[n].name = names_claim(names, NAME_FUNCTION, name, endings,
				endings_of(p->arena, k, text, endings));
			v[n].whole = text;
			*first = *first != NULL ? *first : k;
			text = with_difference(p->arena, text, *first, k);
			v[n].text = replace_all(p->arena,
				share_functions(p->arena, text, v[n].name, &pieces), placeholder,
				v[n].name);
			v[n].text = replace_all(p->arena, v[n].text, NETWORK, network);
			v[n].first = k;
			n++;
		}
		k->function = v[at].name;
		k->alike = v[at].first;
	}
	*count = n;
	return v;
}
