/*
 * Instances of templates. A template is a C file that compiles by itself; an instance is its
 * function with switches resolved, sizes, element accesses and epilogue filled in, and nothing left
 * that these numbers do not need. The language is described in templates/README.md.
 *
 * The text goes through source_resolve() (directives.c), expand() (identifiers), words_expand() (vector code), then for
 * each function trim() (sizes that are not used, line lengths; tidy.c, stages.c), last tidy_lines().
 */
#include "emit/ctext.h"
#include "emit/memo.h"
#include "emit/template.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_COORDS = 12, MAX_ENUMERATORS = 96, MAX_BLOCKS = 6, COLUMNS = 100 };

struct job {
	struct arena *arena;
	const struct instance_request *r;
	struct source source;
	const char *base; /* name of the template's function: what follows the last slash */
	unsigned cut; /* bit set: the template has that range */
};

/* What a template may leave to templates/c/template.h. */
static const struct subst defaults[] = {
	{ "TARGET", "" },
	{ "T", "float" },
	{ "I", "int64_t" },
};

/* ---- step 2: identifiers ----------------------------------------------------------------------
 */

static char *expand(struct job *j, const char *text);

/* Arguments of a call whose '(' is at s, expanded; *end is just behind the ')'. */
static int arguments(struct job *j, const char *s, const char **end, char *arg[MAX_COORDS])
{
	int n = 0, depth = 0;
	const char *from = s + 1;

	for (const char *e;; s = e) {
		if (*s == '\0')
			die("template %s: unbalanced call", j->r->template_name);
		e = c_token_end(s);
		depth += *s == '(' || *s == '[';
		depth -= *s == ')' || *s == ']';
		if (depth == 0 || (depth == 1 && *s == ',')) {
			if (n == MAX_COORDS)
				die("template %s: too many arguments", j->r->template_name);
			arg[n++] = expand(j, c_copy_trimmed(j->arena, from, s));
			from = e;
		}
		if (depth == 0) {
			*end = e;
			return n;
		}
	}
}

/* EPILOGUE(v, coordinates); on a line of its own. Returns what follows the line. */
static const char *epilogue(struct job *j, const char *s, bool vector, struct buf *out)
{
	char *arg[MAX_COORDS];
	const char *end;
	const int n = arguments(j, s, &end, arg);
	size_t line = out->len;

	while (line > 0 && isspace((unsigned char)out->data[line - 1]) &&
		out->data[line - 1] != '\n')
		line--;
	if ((line > 0 && out->data[line - 1] != '\n') || end[0] != ';' || end[1] != '\n')
		die("template %s: EPILOGUE is not a line of its own", j->r->template_name);
	const char *indent = c_copy(j->arena, out->data + line, out->len - line);

	out->len = line;
	if (j->r->epilogue != NULL)
		j->r->epilogue(j->r->ctx, out, indent, arg[0], vector, arg + 1, n - 1);
	if (out->len > line && out->data[out->len - 1] != '\n')
		buf_add(out, "\n", 1);
	return end + 2;
}

/* The text that stands for a word, or NULL. */
static const char *word_text(struct job *j, const char *s, const char *end)
{
	const struct macro *m = source_macro(&j->source, s, end);
	const struct param *p = source_param(&j->source, s, end);
	const size_t base = strlen(j->base);

	for (int i = 0; i < j->r->nsubsts; i++)
		if (c_same(s, end, j->r->substs[i].name))
			return j->r->substs[i].text;
	if (m != NULL && m->integer)
		return arena_printf(
			j->arena, "%ld", p != NULL ? p->value : strtol(m->text, NULL, 0));
	if (m != NULL)
		return m->text;
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		if (c_same(s, end, defaults[i].name))
			return defaults[i].text;
	if (c_same(s, end, j->base))
		return j->r->function;
	if ((size_t)(end - s) > base && memcmp(s, j->base, base) == 0 && s[base] == '_')
		return arena_printf(
			j->arena, "%s%.*s", j->r->function, (int)(end - s - (long)base), s + base);
	return NULL;
}

/* Element access LETTER(coordinates); s is at the letter. */
static const char *element(struct job *j, const char *s, struct buf *out)
{
	char *arg[MAX_COORDS];
	const char *end;
	const int n = arguments(j, s + 1, &end, arg);

	if (j->r->access == NULL)
		die("template %s: no access to %c", j->r->template_name, *s);
	j->r->access(j->r->ctx, out, *s, arg, n);
	return end;
}

/* FROM(range) and TO(range, end); s is at the word, `from` says which. */
static const char *is_bound(struct job *j, const char *s, bool from, struct buf *out)
{
	char *arg[MAX_COORDS];
	const char *end, *text = "0";
	const int n = arguments(j, s + (from ? 4 : 2), &end, arg);

	if (n != (from ? 1 : 2))
		die("template %s: FROM(range) or TO(range, end) is wrong", j->r->template_name);
	if (!from)
		text = arg[1];
	for (int i = 0; i < j->r->nranges; i++)
		if (strcmp(j->r->ranges[i], arg[0]) == 0) {
			text = arena_printf(j->arena, "%s_%s", arg[0], from ? "from" : "to");
			j->cut |= 1u << i;
		}
	buf_puts(out, text);
	return end;
}

static char *expand(struct job *j, const char *text)
{
	struct buf out = { 0 };
	bool member = false; /* behind . or ->: not a word of the template's */

	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = c_token_end(s);
		const struct macro *m = c_is_word_start(*s) ? source_macro(&j->source, s, e) : NULL;
		const char *t = NULL;

		if (c_same(s, e, "enum") &&
			strncmp(e, " {", 2) == 0) /* read_sizes() wants the names */
			e = s + strcspn(s, "}");
		bool vector = c_same(s, e, "VECTOR_EPILOGUE");

		if ((vector || c_same(s, e, "EPILOGUE")) && *e == '(') {
			e = epilogue(j, e, vector, &out);
			continue;
		}
		if (*e == '(' && (c_same(s, e, "FROM") || c_same(s, e, "TO"))) {
			e = is_bound(j, s, *s == 'F', &out);
			continue;
		}
		if (m != NULL && m->text == NULL) {
			e = element(j, s, &out);
			continue;
		}
		if (c_is_word_start(*s) && !member)
			t = word_text(j, s, e);
		if (t != NULL && (*t == '\0' || *t == ',')) /* "y OPERANDS" */
			while (out.len > 0 && out.data[out.len - 1] == ' ')
				out.len--;
		buf_add(&out, t != NULL ? t : s, t != NULL ? strlen(t) : (size_t)(e - s));
		member = *s == '.' || (*s == '>' && s > text && s[-1] == '-');
	}
	return buf_text(j->arena, &out);
}

/* ---- step 3: one function ---------------------------------------------------------------------
 */

struct enumerator {
	const char *name, *text; /* text: its value */
	bool given;              /* by the caller, or computed from what is */
	bool used;
};

/* An `enum { ... }; comment` of the function. */
struct sizes {
	struct enumerator e[MAX_ENUMERATORS];
	int n;
	const char *comment; /* with its delimiters, or "" */
};

/* Reads the block at s (behind its indentation) and returns what follows its line. */
static const char *read_sizes(struct job *j, const char *s, struct sizes *z)
{
	const char *from = strchr(s, '{') + 1, *e, *name = NULL, *name_end = NULL;
	int depth = 0;

	z->n = 0;
	for (s = from;; s = e) {
		if (*s == '\0' || z->n == MAX_ENUMERATORS)
			die("template %s: bad enum", j->r->template_name);
		e = c_token_end(s);
		if (c_is_word_start(*s) && name == NULL) {
			name = s;
			name_end = e;
		}
		depth += *s == '(';
		depth -= *s == ')';
		from = *s == '=' && depth == 0 && e[0] != '=' && s[-1] != '=' ? e : from;
		if (name != NULL && ((*s == ',' && depth == 0) || *s == '}')) {
			const struct param *p = source_param(&j->source, name, name_end);
			struct enumerator *x = &z->e[z->n++];

			x->name = c_copy(j->arena, name, (size_t)(name_end - name));
			x->text = c_copy_trimmed(j->arena, from, s);
			x->given = p != NULL || strspn(x->text, "-0123456789") < strlen(x->text);
			x->text = p != NULL ? arena_printf(j->arena, "%ld", p->value)
					    : tidy_expression(j->arena, expand(j, x->text));
			x->used = false;
			name = NULL;
			long value;

			if (source_value(&j->source, x->text, &value))
				x->text = arena_printf(j->arena, "%ld", value);
		}
		if (*s == '}')
			break;
	}
	e += *e == ';';
	z->comment = c_copy_trimmed(j->arena, e, c_line_end(e));
	return c_line_end(e);
}

/* Marks the enumerators that code, or a used enumerator of any block, names. */
static void mark_used(const struct job *j, struct sizes *blocks, int n, const char *code)
{
	for (bool again = true; again;) {
		again = false;
		for (int b = 0; b < n; b++)
			for (int i = 0; i < blocks[b].n; i++) {
				struct enumerator *x = &blocks[b].e[i];
				bool used = !x->used && c_has_word(code, x->name);

				for (int k = 0; k < n * MAX_ENUMERATORS && !x->used && !used; k++) {
					const struct sizes *z = &blocks[k / MAX_ENUMERATORS];
					const int at = k % MAX_ENUMERATORS;

					used = at < z->n && z->e[at].used &&
					       c_has_word(z->e[at].text, x->name);
				}
				if (used) {
					if (!x->given)
						die("template %s: no value for %s",
							j->r->template_name, x->name);
					x->used = again = true;
				}
			}
	}
}

/* The text with numbers in the place of names that are known. */
static const char *with_values(const struct job *j, const char *text, const struct known *known, int n)
{
	struct buf out = { 0 };

	for (const char *s = text, *e; *s != '\0'; s = e) {
		int k = 0;

		e = c_token_end(s);
		while (k < n && !c_same(s, e, known[k].name))
			k++;
		if (k < n)
			buf_printf(&out, "%ld", known[k].value);
		else
			buf_add(&out, s, (size_t)(e - s));
	}
	return buf_text(j->arena, &out);
}

/* Enumerators that are numbers; what chooses between numbers becomes one. */
static int known_sizes(const struct job *j, struct sizes *blocks, int n, struct known *to)
{
	int known = 0;

	for (int b = 0; b < n; b++)
		for (int i = 0; i < blocks[b].n; i++) {
			struct enumerator *x = &blocks[b].e[i];
			long value;

			if (!x->given || !source_value(&j->source, with_values(j, x->text, to, known), &value))
				continue;
			if (strchr(x->text, '?') != NULL)
				x->text = arena_printf(j->arena, "%ld", value);
			to[known++] = (struct known){ x->name, value };
		}
	return known;
}

/* Prints the used enumerators at an indentation of one tab, lines filled up to COLUMNS. */
static void print_sizes(struct buf *out, const struct sizes *z)
{
	struct buf line = { 0 };
	int used = 0, done = 0, at;

	for (int i = 0; i < z->n; i++)
		used += z->e[i].used;
	if (used == 0)
		return;
	buf_printf(&line, "\tenum {");
	at = 8 + 6;
	for (int i = 0; i < z->n; i++) {
		const struct enumerator *x = &z->e[i];
		if (!x->used)
			continue;
		done++;
		const int len = (int)(strlen(x->name) + strlen(x->text)) +
				5; /* " = " and "," and a blank */
		if (at + len + (done == used ? 3 : 0) > COLUMNS) {
			buf_printf(&line, "\n\t      ");
			at = 8 + 6;
		}
		buf_printf(&line, " %s = %s%s", x->name, x->text, done < used ? "," : " };");
		at += len + (done == used ? 2 : 0);
	}
	if (*z->comment != '\0' && at + 1 + (int)strlen(z->comment) <= COLUMNS)
		buf_printf(out, "%s %s\n", line.data, z->comment);
	else if (*z->comment != '\0')
		buf_printf(out, "\t%s\n%s\n", z->comment, line.data);
	else
		buf_printf(out, "%s\n", line.data);
	free(line.data);
}

/* Prints "static ... NAME(parameters)\n" on one line: the caller's parameters where it has some, else those at s.
 * Returns what follows. */
static const char *print_signature(
	struct job *j, struct buf *out, const char *s, const struct signature *own)
{
	const char *open = strchr(s, '('), *behind = strstr(open, ")\n{");

	if (behind == NULL)
		die("template %s: bad signature", j->r->template_name);
	buf_add(out, s, (size_t)(open + 1 - s));
	for (s = open + 1 + strspn(open + 1, "\n\t "); own == NULL && s < behind; s++)
		if (*s != '\n')
			buf_add(out, s, 1);
		else
			for (buf_puts(out, " "); strchr("\t ", s[1]) != NULL;)
				s++;
	buf_printf(out, "%s)", own != NULL ? signature_text(j->arena, own) : "");
	return behind + 1;
}

/* Does the body use all parameters of the function at s that it used before? */
static bool uses_alike(struct arena *a, const char *s, const char *before, const char *body)
{
	const char *end = strstr(s, ")\n{"), *word = NULL;

	for (const char *e; s < end + 1; s = e) {
		e = c_token_end(s);
		if (c_is_word_start(*s))
			word = c_copy(a, s, (size_t)(e - s));
		if ((*s == ',' || *s == ')') && word != NULL && !c_has_word(body, word) &&
			c_has_word(before, word))
			return false;
	}
	return true;
}

/* Has the epilogue a form for vectors, so that the other one is for what is left over? */
static bool has_vector(const struct job *j)
{
	static const char name[] = "VECTOR";
	const struct param *p = source_param(&j->source, name, name + strlen(name));

	return j->r->words != NULL && p != NULL && p->value != 0;
}

/* One function, from its signature to the '}' in column 0. own: the caller's parameters, or null. */
static void trim(struct job *j, struct buf *out, const char *text, const struct signature *own)
{
	struct known *known = arena_alloc(j->arena, MAX_BLOCKS * MAX_ENUMERATORS * sizeof(*known));
	struct sizes *blocks = arena_alloc(j->arena, MAX_BLOCKS * sizeof(*blocks));
	int nblocks = 0;
	struct buf code = { 0 }, head = { 0 };
	const char *s = print_signature(j, &head, text, own);

	/* each block leaves a mark that is no C, so that its place is found again */
	while (*s != '\0') {
		const char *e = c_line_end(s), *word = s + strspn(s, "\t");

		if (strncmp(word, "enum {", 6) == 0 && nblocks < MAX_BLOCKS) {
			e = read_sizes(j, word, &blocks[nblocks++]);
			buf_add(&code, "@\n", 2);
		} else {
			buf_add(&code, s, (size_t)(e - s));
		}
		s = e;
	}
	char *whole = buf_text(j->arena, &code), *again = arena_strdup(j->arena, whole);
	const int n = known_sizes(j, blocks, nblocks, known);
	char *body = tidy_body(j->arena, whole, known, n);

	if (!uses_alike(j->arena, text, again, body))
		body = tidy_body(j->arena, again, NULL, 0);
	body = in_stages(j->arena, body, !has_vector(j), known, n);

	mark_used(j, blocks, nblocks, body);
	buf_add(out, head.data, head.len);
	free(head.data);
	for (int b = 0; *body != '\0'; body += c_line_end(body) - body)
		if (body[strspn(body, "\t")] == '@')
			print_sizes(out, &blocks[b++]);
		else
			buf_add(out, body, (size_t)(c_line_end(body) - body));
}

/* ---- all of it --------------------------------------------------------------------
 */

/* text as a comment block, its lines as they are */
static void print_comment(struct buf *out, const char *text)
{
	if (*text == '\0')
		return;
	buf_printf(out, "/* ");
	for (const char *s = text; *s != '\0'; s = c_line_end(s)) {
		const char *e = c_line_end(s);
		buf_printf(out, "%s%.*s", s > text ? " * " : "", (int)(e - s), s);
	}
	buf_printf(out, " */\n");
}

/* Where the function that starts at s ends: behind its '}' in column 0. */
static const char *function_end(const struct job *j, const char *s)
{
	const char *e = strstr(s, "\n}\n");

	if (e == NULL)
		die("template %s: a function without end", j->r->template_name);
	return e + 3;
}

/* True when the function at s is the template's main one, already under its new name. */
static bool is_main(const struct job *j, const char *s)
{
	const char *open = strchr(s, '(');
	const size_t len = strlen(j->r->function);

	return open != NULL && (size_t)(open - s) > len &&
	       strncmp(open - len, j->r->function, len) == 0 && !c_is_word(open[-(long)len - 1]);
}

static bool is_given(const struct job *j, const char *name)
{
	bool given = source_param(&j->source, name, name + strlen(name)) != NULL;

	for (int i = 0; i < j->r->nsubsts; i++)
		given = given || strcmp(j->r->substs[i].name, name) == 0;
	return given;
}

/* A name that the template does not know is a misspelt one; a switch that nobody set would keep the value with
 * which the template is linted. */
static void check_given(const struct job *j, const char *source)
{
	struct buf known = { 0 };

	if (j->r->nparams == 0)
		return;
	for (int i = 0; i < j->source.nmacros; i++)
		if (j->source.macros[i].integer)
			buf_printf(&known, " %s", j->source.macros[i].name);
	const char *also = j->r->also != NULL ? template_source(j->r->also) : "";

	for (int i = 0; i < j->r->nparams; i++)
		if (!c_has_word(source, j->r->params[i].name) &&
			!c_has_word(also, j->r->params[i].name))
			die("template %s has no parameter %s; its switches are%s", j->r->template_name,
				j->r->params[i].name, known.len > 0 ? known.data : " none");
	for (int i = 0; i < j->source.nmacros; i++)
		if (j->source.macros[i].integer && !is_given(j, j->source.macros[i].name))
			die("template %s: nothing sets its switch %s", j->r->template_name,
				j->source.macros[i].name);
	buf_release(&known);
}

/* Text whose accesses and words stand for what they say: its functions, trimmed, and their comments. */
static char *trim_functions(struct job *j, const char *text)
{
	const struct instance_request *r = j->r;
	const char *comment = NULL, *comment_end = NULL;
	struct buf out = { 0 };

	for (const char *s = text, *e; *s != '\0'; s = e) {
		e = c_line_end(s);
		if (strncmp(s, "/*", 2) == 0) {
			e = c_line_end(c_token_end(s));
			comment = s;
			comment_end = e;
		} else if (strncmp(s, "static ", 7) == 0 && strchr(s, '(') != NULL &&
			   strchr(s, '(') < s + strcspn(s, ";={")) {
			e = function_end(j, s);
			bool whole = is_main(j, s);

			if (whole && r->comment != NULL)
				print_comment(&out, r->comment);
			else if (comment_end == s)
				buf_add(&out, comment, (size_t)(comment_end - comment));
			trim(j, &out, c_copy(j->arena, s, (size_t)(e - s)), whole ? r->signature : NULL);
		} else {
			buf_add(&out, s, (size_t)(e - s));
		}
	}
	return tidy_lines(j->arena, buf_text(j->arena, &out));
}

/* All that trimming looks at. */
static const char *trim_key(const struct job *j, const char *text)
{
	const struct instance_request *r = j->r;
	struct buf b = { 0 };

	buf_printf(&b, "%s %s %s\n%s\n%s\n", r->template_name, r->function, r->words != NULL ? r->words : "",
		r->comment != NULL ? r->comment : "-",
		r->signature != NULL ? signature_text(j->arena, r->signature) : "-");
	for (int i = 0; i < r->nparams; i++)
		buf_printf(&b, "%s=%ld ", r->params[i].name, r->params[i].value);
	buf_puts(&b, text);
	return buf_text(j->arena, &b);
}

const char *template_instantiate(struct arena *a, const struct instance_request *r)
{
	struct arena scratch = { 0 };
	struct job j = { .arena = &scratch, .r = r };
	const char *source = template_source(r->template_name),
		   *slash = strrchr(r->template_name, '/'), *none = NULL, **result = &none;

	if (source == NULL)
		die("no template %s", r->template_name);
	j.base = slash != NULL ? slash + 1 : r->template_name;
	j.source = (struct source){ .arena = &scratch, .name = r->template_name, .params = r->params,
		.nparams = r->nparams, .words = words_read(&scratch, r->words) };
	const char *resolved = source_resolve(&j.source, source);

	check_given(&j, source);
	const char *text = words_expand(j.source.words, expand(&j, resolved));

	if (j.cut != (1u << r->nranges) - 1)
		die("template %s has not all ranges", r->template_name);
	if (r->memo != NULL)
		result = memo_place(r->memo, trim_key(&j, text));
	if (*result == NULL)
		*result = arena_strdup(a, trim_functions(&j, text));
	text = *result;
	arena_release(&scratch);
	return text;
}
