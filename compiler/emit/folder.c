/*
 * What an earlier run left in the folder. Every file that skipc writes says at its head what it is and,
 * but for data, of which network: so what is left of the same network goes, what belongs to another
 * stays, and `skipc weights` finds how the code was compiled that its weights are for.
 */
#include "emit/ctext.h"
#include "emit/emission.h"
#include "core/platform.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Files of a network, and what stands at their heads before and behind its name; null: no name. */
static const struct kind {
	const char *suffix, *before, *behind;
} kinds[] = {
	{ ".h", "/*\n * ", ", compiled from " },
	{ ".c", "/*\n * ", ", compiled from " },
	{ "_weights.c", "/* Weights of ", ": " },
	{ "_weights.bin", "SKIPCWTS", NULL },
	{ "_weights.bin", "PIKSSTWC", NULL }, /* big endian */
	{ "_gemm.c", "/* Small matrix products of ", ".c as machine code" },
	{ "_main.c", "/* A program around ", ": " },
	{ ".trace", "0\t", NULL },
	{ ".d", "", ".h: " }, /* a rule: DIR/NAME.h: .. */
};

enum { NKIND = sizeof(kinds) / sizeof(kinds[0]) };

const char *folder_head(struct arena *a, struct diag *d, const char *path)
{
	enum { MOST = 4096 };
	char *head = arena_alloc(a, MOST + 1);
	const enum path_kind kind = platform_kind(path);
	FILE *f;
	bool ok;

	if (kind == PATH_NONE)
		ok = errno == ENOENT || errno == ENOTDIR;
	else if (kind != PATH_FILE)
		ok = true;
	else if ((f = fopen(path, "rb")) != NULL) {
		head[fread(head, 1, MOST, f)] = '\0';
		ok = ferror(f) == 0;
		fclose(f);
	} else
		ok = false;
	if (!ok)
		model_error(d, NULL, "cannot read %s, of an earlier run: %s", escape(a, path),
			strerror(errno));
	return ok ? head : NULL;
}

/* The network that the head names, if it is one of that kind; else null. */
static const char *network_of(struct arena *a, const struct kind *kind, const char *head)
{
	const size_t n = strlen(kind->before);
	const char *end = head + n;

	if (kind->behind == NULL || strncmp(head, kind->before, n) != 0)
		return NULL;
	while (c_is_word(*end))
		end++;
	return strncmp(end, kind->behind, strlen(kind->behind)) == 0
		       ? c_copy(a, head + n, (size_t)(end - head) - n)
		       : NULL;
}

/* Is that the head of such a file of the network? */
static bool is_ours(struct arena *a, const struct kind *kind, const char *name, const char *head)
{
	const char *rule = kind->before[0] == '\0' ? strstr(head, kind->behind) : NULL;

	if (rule != NULL) /* behind its folder */
		head = platform_base(c_copy(a, head, (size_t)(rule - head) + strlen(kind->behind)));
	const char *network = network_of(a, kind, head);

	return kind->behind == NULL ? strncmp(head, kind->before, strlen(kind->before)) == 0
				    : network != NULL && strcmp(network, name) == 0;
}

/* A file that is about to be replaced may not be another network's, as x_weights.c is of x and could
 * be of x_weights. */
static void refuse_others(struct emission *e, const char *path, const char *head)
{
	for (int k = 0; k < NKIND; k++) {
		const char *network = network_of(e->arena, &kinds[k], head);

		if (network == NULL)
			continue;
		model_error(e->plan->graph->diag, "choose another --name, or another folder",
			"%s was written for the network %s", escape(e->arena, path), network);
		return;
	}
}

/* Says which model was compiled under the name before, if another. */
static void note_replaced(struct emission *e, const char *path, const char *head)
{
	const char *from = strstr(head, ", compiled from "), *by = NULL, *hash;

	if (from == NULL || (hash = strstr(head, "model SHA-256 ")) == NULL)
		return;
	from += strlen(", compiled from ");
	hash += strlen("model SHA-256 ");
	for (const char *s = from; (s = strstr(s, " by skipc ")) != NULL && s < hash; s++)
		by = s;
	if (by == NULL || strncmp(hash, e->plan->graph->sha256, strcspn(hash, "\n")) == 0)
		return;
	e->out->note = arena_printf(e->arena,
		"skipc: %s was of another model, %.*s (SHA-256 %.12s..); %s takes its place",
		escape(e->arena, path), (int)(by - from), from, hash,
		escape(e->arena, e->options->model));
}

void folder_settle(struct emission *e)
{
	for (int k = 0; k < NKIND; k++) {
		const char *file = arena_printf(e->arena, "%s%s", e->name, kinds[k].suffix);
		const char *path = arena_printf(e->arena, "%s/%s", e->out->dir, file);
		const char *head = folder_head(e->arena, e->plan->graph->diag, path);
		bool written = false;

		if (head == NULL)
			return;
		const bool ours = is_ours(e->arena, &kinds[k], e->name, head);

		for (int i = 0; i < e->out->n; i++)
			written = written || strcmp(e->out->file[i].path, path) == 0;
		if (ours && !written)
			output_remove(e->out, file);
		else if (ours && k == 0)
			note_replaced(e, path, head);
		else if (written && !ours)
			refuse_others(e, path, head);
	}
}

/* ---- code that other weights are to fit ---- */

static int compare_names(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Names that were found in a folder. */
struct found {
	struct arena *arena;
	struct diag *diag;
	const char *dir, **name;
	int n, cap;
};

/* A network, if that is a header of one. */
static void take_network(void *to, const char *file)
{
	struct found *f = to;
	const size_t length = strlen(file);

	if (length < 3 || strcmp(file + length - 2, ".h") != 0)
		return;
	const char *head = folder_head(f->arena, f->diag, arena_printf(f->arena, "%s/%s", f->dir, file)),
		   *network = head != NULL ? network_of(f->arena, &kinds[0], head) : NULL;

	if (network == NULL || strncmp(network, file, length - 2) != 0 || network[length - 2] != '\0')
		return;
	if (f->n == f->cap) {
		f->cap = 2 * f->cap + 8;
		const char **more = arena_alloc(f->arena, (size_t)f->cap * sizeof(*more));

		if (f->n > 0)
			memcpy(more, f->name, (size_t)f->n * sizeof(*more));
		f->name = more;
	}
	f->name[f->n++] = network;
}

/* The networks that were compiled into a folder, in order. */
static const char **networks_in(struct arena *a, struct diag *d, const char *dir, int *count)
{
	struct found f = { .arena = a, .diag = d, .dir = dir };

	platform_list(dir, take_network, &f);
	if (f.n > 0)
		qsort(f.name, (size_t)f.n, sizeof(*f.name), compare_names);
	*count = f.n;
	return f.name;
}

/* The network of the folder that is meant: the one of that name, else the only one. Null: reported. */
static const char *choose_network(
	struct arena *a, struct diag *d, const char *dir, const char *name, const char *model_name)
{
	int n;
	const char **names = networks_in(a, d, dir, &n);
	const char *list = "";

	for (int k = 0; k < n; k++) {
		if (strcmp(names[k], name != NULL ? name : model_name) == 0)
			return names[k];
		list = arena_printf(a, "%s%s%s", list, k > 0 ? ", " : "", names[k]);
	}
	if (name == NULL && n == 1)
		return names[0];
	if (n == 0)
		model_error(d, "--like wants a folder that skipc compile wrote to",
			"no network was compiled into %s", escape(a, dir));
	else
		model_error(d, "--name says which", "the networks in %s are %s", escape(a, dir), list);
	return NULL;
}

const char *setting_word(struct arena *a, const char *value)
{
	const char *text = escape(a, value);
	struct buf b = { 0 };

	for (const char *s = text; *s != '\0'; s++) {
		if (strchr(" ()", *s) != NULL)
			buf_printf(&b, "\\%03o", (unsigned)*s);
		else
			buf_add(&b, s, 1);
	}
	text = b.len > 0 ? arena_strdup(a, b.data) : "";
	buf_release(&b);
	return text;
}

/* The words of a line of settings, as they were typed. */
static void split_settings(struct arena *a, const char *s, struct like *like)
{
	like->option = arena_alloc(a, (strlen(s) + 1) * sizeof(*like->option));
	for (const char *end; *s != '\0'; s = *end != '\0' ? end + 1 : end) {
		end = s + strcspn(s, " ");
		char *to = like->option[like->noption++] = c_copy(a, s, (size_t)(end - s));

		for (const char *c = to; *c != '\0'; c++) {
			const bool octal = c[0] == '\\' && strspn(c + 1, "01234567") >= 3;

			*to++ = octal ? (char)((c[1] - '0') * 64 + (c[2] - '0') * 8 + c[3] - '0') : *c;
			c += octal ? 3 : 0;
		}
		*to = '\0';
	}
}

static const char *whole_file(struct arena *a, struct diag *d, const char *path)
{
	struct file f;

	if (!file_map(d, path, escape(a, path), NULL, &f))
		return NULL;
	const char *text = memcpy(arena_alloc(a, f.size + 1), f.data, f.size);

	file_unmap(&f);
	return text;
}

bool folder_like(
	struct arena *a, struct diag *d, const char *name, const char *model_name, struct like *like)
{
	static const char old[] = "compile it again, with this version";

	like->name = choose_network(a, d, like->dir, name, model_name);
	if (like->name == NULL)
		return false;
	like->header_path = arena_printf(a, "%s/%s.h", like->dir, like->name);
	like->code_path = arena_printf(a, "%s/%s.c", like->dir, like->name);
	if ((like->header = whole_file(a, d, like->header_path)) == NULL ||
		(like->code = whole_file(a, d, like->code_path)) == NULL)
		return false;
	const char *id = strstr(like->header, "_CODE_ID UINT64_C(0x"), *settings = NULL,
		   *line = strchr(like->code, ','), *end = line != NULL ? strchr(line, '\n') : NULL;

	for (const char *s = line; end != NULL && (s = strstr(s, " (--target=")) != NULL && s < end; s++)
		settings = s + 2;
	if (id == NULL || settings == NULL || strchr(settings, ')') == NULL) {
		model_error(d, old, "%s does not say which weights it takes, or how it was compiled",
			escape(a, id == NULL ? like->header_path : like->code_path));
		return false;
	}
	like->code_id = strtoull(id + strlen("_CODE_ID UINT64_C(0x"), NULL, 16);
	split_settings(a, c_copy(a, settings, strcspn(settings, ")")), like);
	return true;
}

/* A line of C, and where the next one begins. */
struct line {
	const char *text; /* without comments and blanks at its ends */
	int number;
	const char *next; /* null: there was none */
};

static struct line line_at(struct arena *a, const char *s, int number)
{
	struct line l = { .number = number };
	struct buf b = { 0 };
	const char *end;

	for (; *s != '\0' && *s != '\n'; s = end) {
		end = c_token_end(s);
		if (s[0] == '/' && s[1] == '*')
			for (const char *c = s; c < end; c++)
				l.number += *c == '\n';
		else
			buf_add(&b, s, (size_t)(end - s));
	}
	l.text = b.len > 0 ? c_copy_trimmed(a, b.data, b.data + b.len) : "";
	l.next = *s != '\0' ? s + 1 : NULL;
	buf_release(&b);
	return l;
}

/* The next line that says something of the code: not which weights it was written with, or what the
 * model calls its nodes. */
static struct line next_line(struct arena *a, struct line l)
{
	static const char *const identity[] = {
		"_MODEL_HASH ", "_WEIGHTS_ID ", "_CODE_ID ", "_NAME \"", "{ \""
	};
	bool skip = true;

	while (skip && l.next != NULL) {
		l = line_at(a, l.next, l.number + 1);
		skip = l.text[0] == '\0';
		for (int k = 0; k < 5; k++)
			skip = skip || strstr(l.text, identity[k]) != NULL;
	}
	if (skip)
		l.text = NULL;
	return l;
}

/* The first line in which two texts differ; false: none. */
static bool report_difference(
	struct emission *e, const char *path, const char *theirs, const char *ours)
{
	enum { MOST = 100 };
	struct arena scratch = { 0 };
	struct line x = { .next = theirs }, y = { .next = ours };
	bool differ;

	do {
		x = next_line(&scratch, x);
		y = next_line(&scratch, y);
		differ = x.text == NULL || y.text == NULL ? x.text != y.text
							    : strcmp(x.text, y.text) != 0;
	} while (!differ && x.text != NULL);
	if (differ)
		model_error(e->plan->graph->diag,
			"compile it anew: shapes, and constants of one value everywhere, are part of the "
			"code",
			"its weights do not fit the code there: %s:%d is `%.*s`, for this model it would "
			"be `%.*s`",
			escape(e->arena, path), x.number, MOST, x.text != NULL ? x.text : "", MOST,
			y.text != NULL ? y.text : "");
	arena_release(&scratch);
	return differ;
}

bool folder_fits(struct emission *e, const char *code, const char *header)
{
	const struct like *like = e->options->like;

	if (like->code_id == e->code_id)
		return true;
	if (!report_difference(e, like->header_path, like->header, header) &&
		!report_difference(e, like->code_path, like->code, code))
		model_error(e->plan->graph->diag, "compile it anew",
			"its weights do not fit the code there: those of %s lie in another order",
			escape(e->arena, like->code_path));
	return false;
}
