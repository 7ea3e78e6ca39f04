/*
 * The small matrix products that convolutions are made of, and what else generated code has at its head
 * where the target has several instruction sets. A product is a function for each of them: libxsmm's machine
 * code for AVX-512; for AVX2 intrinsics, as fast as libxsmm's code (98 % of the peak) on weights in the
 * cache, and 1.05 to 1.2 times as fast on those that come from memory; plain C. A kernel gets a table of the
 * products it needs.
 */
#include "emit/ctext.h"
#include "emit/emission.h"
#include "emit/gemm.h"

#include <string.h>

static bool same_set(const struct kernel *x, const struct kernel *y)
{
	return x->ngemm == y->ngemm && x->ngemm > 0 &&
	       memcmp(x->gemm, y->gemm, (size_t)x->ngemm * sizeof(*x->gemm)) == 0;
}

/* Does kernel i bring products that no kernel before it has? */
static bool brings_products(const struct plan *p, int i)
{
	if (p->kernel[i]->ngemm == 0)
		return false;
	for (int j = 0; j < i; j++)
		if (same_set(p->kernel[j], p->kernel[i]))
			return false;
	return true;
}

int gemm_offset(const struct plan *p, const struct kernel *k)
{
	int offset = 0;

	for (int i = 0; i < p->nkernel; i++) {
		if (!brings_products(p, i))
			continue;
		if (k != NULL && same_set(p->kernel[i], k))
			return offset;
		offset += p->kernel[i]->ngemm;
	}
	return offset;
}

bool calls_libxsmm(const struct emission *e)
{
	return e->options->libxsmm_call && gemm_offset(e->plan, NULL) > 0;
}

static void write_template(struct emission *e, struct buf *out, const char *name)
{
	const struct subst size = { "ARENA_WORKER_SIZE",
		arena_printf(e->arena, "%s_ARENA_WORKER_SIZE", e->upper) };
	struct instance_request r = { .template_name = name,
		.function = strrchr(name, '/') + 1,
		.substs = &size,
		.nsubsts = 1 };

	buf_puts(out, template_instantiate(e->arena, &r));
	buf_puts(out, "\n");
}

/* GEMM(AVX2_CODE, gemm64x28x64_.._avx2, gemm_avx2, sizes): a function of gemm_fn's type. */
static void write_wrapper(struct buf *out, const struct gemm_kernel *k, const struct isa *isa)
{
	const struct gemm *g = &k->gemm;

	buf_printf(out, "GEMM(%s, %s_%s, %s, %d, %d, %d, %d, %d, %d, %d)\n", isa->attribute, k->product,
		isa->suffix, strrchr(isa->product, '/') + 1, g->m, g->n, g->k, g->lda, g->ldb,
		g->ldc, g->accumulate);
}

/* The template of an instruction set, and the products of t by it. */
static void write_products(
	struct emission *e, struct buf *out, const struct gemm_table *t, const struct isa *isa)
{
	write_template(e, out, isa->product);
	for (int i = 0; i < t->n; i++)
		write_wrapper(out, &t->kernel[i], isa);
	buf_puts(out, "\n");
}

/* The products of each kernel that brings some, by instruction set, from plain C up. */
static void write_tables(struct emission *e, struct buf *out, struct gemm_table *t)
{
	const struct plan *p = e->plan;
	const struct target *target = p->target;

	for (int i = 0; i < p->nkernel; i++) {
		const struct kernel *k = p->kernel[i];

		if (!brings_products(p, i))
			continue;
		buf_printf(out, "static gemm_fn *const %s_gemm[][%d] = {\n", k->function, k->ngemm);
		for (int s = target->nisa - 1; s >= 0; s--) {
			const char *list = "", *between = "";

			for (int j = 0; j < k->ngemm; j++, between = ", ")
				list = arena_printf(e->arena, "%s%s%s_%s", list, between,
					t->kernel[gemm_request(t, &k->gemm[j])].product,
					target->isa[s].suffix);
			buf_printf(out, "\t{ %s },\n", list);
			buf_puts(out, s == target->nisa - 1 ? "#if HAVE_VECTORS\n" : "");
		}
		buf_puts(out, "#endif\n};\n\n");
	}
}

const char *gemm_table_name(struct arena *a, const struct plan *p, const struct kernel *k)
{
	for (int i = 0; i < p->nkernel; i++)
		if (same_set(p->kernel[i], k))
			return arena_printf(a, "%s_gemm", p->kernel[i]->function);
	die("kernel %s has no products", k->title);
}

static void write_request(struct buf *out, const struct gemm_kernel *k)
{
	const struct gemm *g = &k->gemm;

	buf_printf(out, "\t{ %d, %d, %d, %d, %d, %d, %d.0f },\n", g->m, g->n, g->k, g->lda, g->ldb,
		g->ldc, g->accumulate);
}

/* The tables' products into net->gemm. */
static const char *table_copies(struct emission *e)
{
	const struct plan *p = e->plan;
	const char *text = "";

	for (int i = 0; i < p->nkernel; i++)
		if (brings_products(p, i))
			text = arena_printf(e->arena,
				"%s\tmemcpy(net->gemm + %d, %s_gemm[net->isa - 1], sizeof(%s_gemm[0]));\n",
				text, gemm_offset(p, p->kernel[i]), p->kernel[i]->function,
				p->kernel[i]->function);
	return text;
}

/* --gemm=libxsmm-call: init asks the libxsmm that the program is linked with. */
static void write_calls(struct emission *e, struct buf *out, struct gemm_table *t)
{
	struct buf requests = { 0 };
	struct filling f = { .arena = e->arena, .name = e->name, .upper = e->upper };

	for (int i = 0; i < e->plan->nkernel; i++)
		for (int j = 0; j < e->plan->kernel[i]->ngemm && brings_products(e->plan, i); j++)
			write_request(&requests,
				&t->kernel[gemm_request(t, &e->plan->kernel[i]->gemm[j])]);
	fill_word(&f, "REQUESTS", buf_text(e->arena, &requests));
	fill_word(&f, "FOUND_ABOVE", table_copies(e));
	fill_number(&f, "PRODUCT_COUNT", gemm_offset(e->plan, NULL));
	buf_puts(out, fill(&f, "interface/find_gemms"));
}

/* The products of an instruction set: libxsmm's machine code where it is there, else the target's template. */
static void write_set(
	struct emission *e, struct buf *out, const struct gemm_table *t, const struct isa *isa)
{
	const bool code = t->code && isa->libxsmm;

	if (code) {
		/* as in NAME_gemm.c */
		buf_printf(out,
			"#if defined(__x86_64__) && defined(__ELF__) && !defined(__ILP32__) && \\\n"
			"\t(defined(__GNUC__) || defined(__clang__)) && !defined(%s_NO_ASM)\n",
			e->upper);
		for (int i = 0; i < t->n; i++)
			buf_printf(out,
				"__attribute__((visibility(\"hidden\"))) gemm_fn %s_%s;\n"
				"#define %s_%s %s_%s\n",
				e->name, t->kernel[i].name, t->kernel[i].product, isa->suffix, e->name,
				t->kernel[i].name);
		buf_puts(out, "#else\n");
	}
	write_products(e, out, t, isa);
	if (code)
		buf_puts(out, "#endif\n");
}

static bool has_product(const struct kernel *k, struct gemm_table *t, int product)
{
	for (int j = 0; j < k->ngemm; j++)
		if (gemm_request(t, &k->gemm[j]) == product)
			return true;
	return false;
}

/* `conv3x3_.., conv1x1_.. and 3 more`: the functions that call a product. */
static const char *users_of(struct emission *e, struct gemm_table *t, int product)
{
	const struct plan *p = e->plan;
	const char **seen = arena_alloc(e->arena, (size_t)p->nkernel * sizeof(*seen));
	int n = 0;

	for (int i = 0; i < p->nkernel; i++) {
		int j = 0;

		if (!has_product(p->kernel[i], t, product))
			continue;
		while (j < n && seen[j] != p->kernel[i]->function)
			j++;
		seen[j] = p->kernel[i]->function;
		n += j == n;
	}
	return n <= 2 ? arena_printf(e->arena, "%s%s%s", seen[0], n > 1 ? " and " : "", n > 1 ? seen[1] : "")
		      : arena_printf(e->arena, "%s, %s and %d more", seen[0], seen[1], n - 2);
}

/* NAME_gemm.c: the machine code. */
static void write_code(struct emission *e, struct gemm_table *t)
{
	struct buf out = { 0 };
	struct filling f = { .arena = e->arena, .name = e->name, .upper = e->upper };

	for (int i = 0; i < t->n; i++)
		t->kernel[i].users = users_of(e, t, i);
	gemm_emit_all(&out, e->name, t);
	fill_word(&f, "CODE", buf_text(e->arena, &out));
	e->machine_code = fill(&f, "interface/NAME_gemm");
}

/* What the parts of kernels call. */
static void write_sharing(struct emission *e, struct buf *out)
{
	bool cut = false;

	for (int i = 0; i < e->plan->nkernel; i++)
		cut = cut || part_count(e->plan->kernel[i]) > 1;
	if (cut)
		write_template(e, out, "vector/part_begin");
	if (e->plan->worker_bytes > 0)
		write_template(e, out, "vector/scratch_of");
}

void emit_header(struct buf *out, const char *name)
{
	const char *text = template_source(name);

	if (text == NULL)
		die("no header %s", name);
	buf_printf(out, "%s\n", text);
}

static bool makes_code(const struct target *t)
{
	bool makes = false;

	for (int i = 0; i < t->nisa; i++)
		makes = makes || t->isa[i].libxsmm;
	return makes;
}

void emit_vectors(struct emission *e, struct buf *out)
{
	const struct target *target = e->plan->target;
	struct gemm_table t = { .arena = e->arena,
		.code = makes_code(target) && !e->options->libxsmm_call &&
			gemm_unavailable() == NULL };

	emit_header(out, arena_printf(e->arena, "%s/head.h", target->folder));
	emit_header(out, "vector/head.h");
	if (plan_has_dots(e->plan))
		emit_header(out, arena_printf(e->arena, "%s/dots.h", target->folder));
	write_sharing(e, out);
	for (int i = 0; i < e->plan->nkernel; i++)
		for (int j = 0; j < e->plan->kernel[i]->ngemm; j++)
			gemm_request(&t, &e->plan->kernel[i]->gemm[j]);
	if (t.n == 0)
		return;
	if (makes_code(target) && !t.code && !e->options->libxsmm_call)
		node_warning(e->plan->graph, NULL, "%s: small products are intrinsics",
			gemm_unavailable());
	emit_header(out, "vector/product.h");
	if (t.code)
		write_code(e, &t);
	write_products(e, out, &t, &target->isa[target->nisa - 1]);
	buf_puts(out, "#if HAVE_VECTORS\n");
	for (int i = target->nisa - 2; i >= 0; i--)
		write_set(e, out, &t, &target->isa[i]);
	buf_puts(out, "#endif\n\n");
	write_tables(e, out, &t);
	if (calls_libxsmm(e))
		write_calls(e, out, &t);
}
