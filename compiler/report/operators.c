/* skipc ops: what operators there are, since which opset, and what is refused and why. */
#include "report/report.h"

#include <string.h>

static const char *full_name(struct arena *a, const char *domain, const char *name)
{
	return *domain != '\0' ? arena_printf(a, "%s.%s", domain, name) : name;
}

/* ---- as a table ---- */

/* Attributes that have a meaning, by name. */
static const char *attributes(struct arena *a, const char *attrs)
{
	const char *text = "";

	while (*attrs != '\0') {
		const size_t n = strcspn(attrs, " ");

		if (*attrs != '-')
			text = arena_printf(a, "%s %.*s", text, (int)strcspn(attrs, ":!= "), attrs);
		attrs += n + strspn(attrs + n, " ");
	}
	return text;
}

/* One operator, of all its versions. */
static void print_operator(FILE *to, struct arena *a, const struct operator_version *first)
{
	const char *since = "", *inputs, *attrs;
	const struct operator_version *last = first;

	for (const struct operator_version *v = first; v != NULL; v = catalogue_next(v)) {
		since = arena_printf(a, "%s%s%d", since, *since != '\0' ? " " : "", v->since);
		last = v->since > last->since ? v : last;
	}
	inputs = last->most < 0              ? arena_printf(a, "%d or more", last->least)
		 : last->most == last->least ? arena_printf(a, "%d", last->least)
					     : arena_printf(a, "%d to %d", last->least, last->most);
	attrs = attributes(a, last->attrs);
	fprintf(to, "%-34s %-16s ", full_name(a, first->domain, first->name), since);
	fprintf(to, *attrs != '\0' ? "%-10s%s\n" : "%s%s\n", inputs, attrs);
}

void report_operators(FILE *to)
{
	struct arena a = { 0 };
	const struct operator_version *v;
	const struct refused_operator *r;
	int count = 0;

	fputs("ONNX of IR 3 and opset 6 to the newest. A tensor has at most 8 dimensions and 2^31 - 1 elements; what is not\n"
	      "of a fixed size is given by --dim. Since: the opsets in which an operator is spelled in another way.\n\n"
	      "operator                           since            inputs     attributes\n",
		to);
	for (int k = 0; (v = catalogue_version(k)) != NULL; k++)
		if (catalogue_is_first(v)) {
			print_operator(to, &a, v);
			count++;
		}
	fprintf(to, "\n%d operators. Refused:\n\n", count);
	for (int k = 0; (r = catalogue_refusal(k)) != NULL; k++)
		fprintf(to, "%s%s%s\n", r->names != NULL ? r->names : full_name(&a, r->domain, r->name),
			r->hint != NULL ? ": " : "", r->hint != NULL ? r->hint : "");
	arena_release(&a);
}

/* ---- as JSON ---- */

/* One attribute, `name:kind`, and what stands behind it. */
static void put_attribute(struct json *j, struct arena *a, const char *text, size_t length)
{
	static const struct {
		char letter;
		const char *name;
	} kinds[] = { { 'i', "int" }, { 'f', "float" }, { 's', "string" }, { 't', "tensor" }, { 'g', "graph" },
		{ 'I', "ints" }, { 'F', "floats" }, { 'S', "strings" } };
	const bool used = *text != '-';
	const char *end = text + length, *name = used ? text : text + 1, *colon = memchr(text, ':', length);
	const char *equals = memchr(text, '=', length);

	json_item(j);
	json_open(j, '{');
	json_text(j, "name", arena_printf(a, "%.*s", (int)(colon - name), name));
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
		if (kinds[k].letter == colon[1])
			json_text(j, "type", kinds[k].name);
	json_bool(j, "required", end[-1] == '!');
	json_text(j, "default", equals != NULL ? arena_printf(a, "%.*s", (int)(end - equals - 1), equals + 1) : NULL);
	json_bool(j, "used", used);
	json_close(j, '}');
}

static void put_version(struct json *j, struct arena *a, const struct operator_version *v)
{
	json_item(j);
	json_open(j, '{');
	json_number(j, "since", v->since);
	json_number(j, "least_inputs", v->least);
	json_id(j, "most_inputs", v->most);
	json_id(j, "most_outputs", v->outputs);
	json_key(j, "attributes");
	json_open(j, '[');
	for (const char *s = v->attrs; *s != '\0'; s += strspn(s, " ")) {
		const size_t n = strcspn(s, " ");

		put_attribute(j, a, s, n);
		s += n;
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void put_refusal(struct json *j, const char *domain, const char *name, const char *hint)
{
	json_item(j);
	json_open(j, '{');
	json_text(j, "domain", domain);
	json_text(j, "name", name);
	json_text(j, "hint", hint);
	json_close(j, '}');
}

static void put_refusals(struct json *j, struct arena *a)
{
	const struct refused_operator *r;

	json_key(j, "refused");
	json_open(j, '[');
	for (int k = 0; (r = catalogue_refusal(k)) != NULL; k++) {
		if (r->name != NULL)
			put_refusal(j, r->domain, r->name, r->hint);
		for (const char *s = r->names != NULL ? r->names : ""; *s != '\0'; s += strspn(s, " ")) {
			const size_t n = strcspn(s, " ");

			put_refusal(j, r->domain, arena_printf(a, "%.*s", (int)n, s), NULL);
			s += n;
		}
	}
	json_close(j, ']');
}

void report_operators_json(struct json *j)
{
	enum { OPS_FORMAT = 1 };
	struct arena a = { 0 };
	const struct operator_version *v;

	json_open(j, '{');
	json_number(j, "format", OPS_FORMAT);
	json_text(j, "command", "ops");
	json_text(j, "skipc", SKIPC_VERSION);
	json_key(j, "operators");
	json_open(j, '[');
	for (int k = 0; (v = catalogue_version(k)) != NULL; k++) {
		if (!catalogue_is_first(v))
			continue;
		json_item(j);
		json_open(j, '{');
		json_text(j, "domain", v->domain);
		json_text(j, "name", v->name);
		json_key(j, "versions");
		json_open(j, '[');
		for (; v != NULL; v = catalogue_next(v))
			put_version(j, &a, v);
		json_close(j, ']');
		json_close(j, '}');
	}
	json_close(j, ']');
	put_refusals(j, &a);
	json_close(j, '}');
	fputc('\n', j->to);
	arena_release(&a);
}
