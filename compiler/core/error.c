/* Messages. A fault of the model is counted and the run goes on to the end of the pass; a fault of
 * ours dies. */
#include "core/platform.h"
#include "core/skipc.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ERRORS 20

/* `model.onnx: `, as a terminal may have it. */
static void print_path(const struct diag *d)
{
	struct arena a = { 0 };

	fprintf(d->to, "%s: ", escape(&a, d->path));
	arena_release(&a);
}

void progress(struct diag *d, const char *fmt, ...)
{
	const double now = d->next > 0.0 ? platform_seconds() : 0.0;
	va_list ap;

	if (d->next <= 0.0 || now < d->next)
		return;
	fputs("\r\033[K", d->to);
	print_path(d);
	va_start(ap, fmt);
	vfprintf(d->to, fmt, ap);
	va_end(ap);
	fputs(" ...", d->to);
	fflush(d->to);
	d->next = now + 0.1;
	d->told = true;
}

void progress_end(struct diag *d)
{
	if (d->told)
		fputs("\r\033[K", d->to);
	d->told = false;
}

/* Counts an error; false once there are too many to print. */
static bool count_error(struct diag *d)
{
	progress_end(d);
	if (++d->errors <= MAX_ERRORS)
		return true;
	if (d->errors == MAX_ERRORS + 1) {
		print_path(d);
		fprintf(d->to, "more than %d errors; the rest is not printed\n", MAX_ERRORS);
	}
	return false;
}

static void print_hint(struct diag *d, const char *hint)
{
	if (hint != NULL)
		fprintf(d->to, "    hint: %s\n", hint);
}

void model_error(struct diag *d, const char *hint, const char *fmt, ...)
{
	va_list ap;

	if (!count_error(d))
		return;
	print_path(d);
	fprintf(d->to, "error: ");
	va_start(ap, fmt);
	vfprintf(d->to, fmt, ap);
	va_end(ap);
	fputc('\n', d->to);
	print_hint(d, hint);
}

/* `"/layer1/conv2/Conv" `; a node without a name goes by its first output, one without that by nothing. */
static const char *node_name(struct graph *g, const struct onnx_node *o)
{
	const bool named = o->name != NULL && o->name[0] != '\0';

	if (!named && o->output[0] == '\0')
		return "";
	return arena_printf(g->arena, "%s\"%s\" ", named ? "" : "giving ",
		escape(g->arena, named ? o->name : o->output));
}

/* `node 4 "/layer1/conv2/Conv" (Conv): ` */
static void print_place(struct graph *g, int index)
{
	const struct onnx_node *o = &g->onnx[index];

	fprintf(g->diag->to, "node %d %s(%s)", index, node_name(g, o), escape(g->arena, o->op_type));
	fprintf(g->diag->to, o->module[0] != '\0' ? " in %s: " : "%s: ", escape(g->arena, o->module));
}

void onnx_error(struct graph *g, int index, const char *hint, const char *fmt, ...)
{
	va_list ap;

	if (!count_error(g->diag))
		return;
	print_path(g->diag);
	print_place(g, index);
	fprintf(g->diag->to, "error: ");
	va_start(ap, fmt);
	vfprintf(g->diag->to, fmt, ap);
	va_end(ap);
	fputc('\n', g->diag->to);
	print_hint(g->diag, hint);
}

/* `x f32[1,8,56,56] from "/maxpool/MaxPool"` for each input. */
static void print_inputs(struct graph *g, const struct node *n)
{
	for (int k = 0; k < n->nin; k++) {
		const struct tensor *t = n->in[k];
		FILE *to = g->diag->to;

		fputs(k == 0 ? "    have: " : ", ", to);
		if (t == NULL) {
			fputs("(absent)", to);
			continue;
		}
		fprintf(to, "%s", dtypes[t->type].name);
		fputs(t->known ? shape_text(g->arena, &t->shape) : "[?]", to);
		const struct onnx_node *o = t->def != NULL && t->def->prov != NULL && t->def->prov->n > 0
						    ? &g->onnx[prov_at(t->def->prov, 0)]
						    : NULL;
		const bool named = o != NULL && o->name != NULL && o->name[0] != '\0';

		fprintf(to, " %s\"%s\"", named ? "from " : "", escape(g->arena, named ? o->name : t->name));
	}
	if (n->nin > 0)
		fputc('\n', g->diag->to);
}

void node_error(struct graph *g, const struct node *n, const char *hint, const char *fmt, ...)
{
	va_list ap;

	if (!count_error(g->diag))
		return;
	print_path(g->diag);
	if (n->prov != NULL && n->prov->n > 0)
		print_place(g, prov_at(n->prov, n->prov->n - 1));
	fprintf(g->diag->to, "error: ");
	va_start(ap, fmt);
	vfprintf(g->diag->to, fmt, ap);
	va_end(ap);
	fputc('\n', g->diag->to);
	print_inputs(g, n);
	print_hint(g->diag, hint);
}

void node_warning(struct graph *g, const struct node *n, const char *fmt, ...)
{
	va_list ap;

	g->diag->warnings++;
	print_path(g->diag);
	if (n != NULL && n->prov != NULL && n->prov->n > 0)
		print_place(g, prov_at(n->prov, 0));
	fprintf(g->diag->to, "warning: ");
	va_start(ap, fmt);
	vfprintf(g->diag->to, fmt, ap);
	va_end(ap);
	fputc('\n', g->diag->to);
}

const char *escape(struct arena *a, const char *name)
{
	size_t n = strlen(name), k = 0;
	char *s = arena_alloc(a, 4 * n + 1);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];
		bool comment = i > 0 && ((c == '/' && name[i - 1] == '*') ||
						(c == '*' && name[i - 1] == '/'));
		bool trigraph = c == '?' && i > 0 && name[i - 1] == '?';

		if (c >= 32 && c < 127 && c != '"' && c != '\\' && !comment && !trigraph) {
			s[k++] = (char)c;
			continue;
		}
		/* octal: three digits at most, whatever stands behind them */
		s[k++] = '\\';
		s[k++] = (char)('0' + (c >> 6));
		s[k++] = (char)('0' + (c >> 3 & 7));
		s[k++] = (char)('0' + (c & 7));
	}
	return s;
}

const char *prov_text(struct arena *a, const struct graph *g, const struct prov *prov, int most)
{
	struct buf b = { 0 };
	const char *text;

	for (int k = 0; prov != NULL && k < prov->n; k++) {
		const struct onnx_node *o = &g->onnx[prov_at(prov, k)];
		const char *name = o->name != NULL && o->name[0] != '\0'
					   ? o->name
					   : arena_printf(a, "%s:%s", o->op_type, o->output);

		if (prov->n > most && k == most - 1) {
			buf_puts(&b, " ...");
			k = prov->n - 2;
			continue;
		}
		buf_printf(&b, "%s%s", k > 0 ? " " : "", escape(a, name));
	}
	if (prov != NULL && prov->n > most)
		buf_printf(&b, " (%d nodes)", prov->n);
	text = arena_strdup(a, b.data != NULL ? b.data : "");
	buf_release(&b);
	return text;
}
