/* What operators there are, since which opset, and what is refused and why: skipc ops, of the rows of opset.def. */
#include "core/skipc.h"

#include <string.h>

static const struct entry {
	const char *domain, *name;
	int since, least, most;
	const char *attrs;
} entries[] = {
#define ROW(dom, op, version, min, max, outs, function, argument, attributes) { dom, #op, version, min, max, attributes },
#include "import/opset.def"
};

/* hint: null where it depends on the model; names: several, with spaces; or null. */
static const struct {
	const char *domain, *name, *hint, *names;
} refusals[] = {
#define REFUSED(dom, op, why)   { dom, op, why, NULL },
#define REFUSED_BY(dom, op, by) { dom, op, NULL, NULL },
#define OTHERS(dom, list)       { dom, NULL, NULL, list },
#include "import/opset.def"
};

enum { NENTRY = sizeof(entries) / sizeof(entries[0]), NREFUSAL = sizeof(refusals) / sizeof(refusals[0]) };

static bool same(const struct entry *x, const struct entry *y)
{
	return strcmp(x->domain, y->domain) == 0 && strcmp(x->name, y->name) == 0;
}

static const char *full_name(struct arena *a, const char *domain, const char *name)
{
	return *domain != '\0' ? arena_printf(a, "%s.%s", domain, name) : name;
}

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

/* One operator, of all its rows. */
static void print_entry(struct buf *out, struct arena *a, const struct entry *first)
{
	const char *since = "", *inputs;
	const struct entry *last = first;

	for (const struct entry *e = entries; e < entries + NENTRY; e++)
		if (same(e, first)) {
			since = arena_printf(a, "%s%s%d", since, *since != '\0' ? " " : "", e->since);
			last = e->since > last->since ? e : last;
		}
	inputs = last->most < 0                  ? arena_printf(a, "%d or more", last->least)
		 : last->most == last->least ? arena_printf(a, "%d", last->least)
					     : arena_printf(a, "%d to %d", last->least, last->most);
	buf_printf(out, "%-34s %-16s %-10s%s\n", full_name(a, first->domain, first->name), since, inputs,
		attributes(a, last->attrs));
}

void catalogue_print(struct buf *out)
{
	struct arena a = { 0 };
	int count = 0;

	buf_puts(out, "ONNX of IR 3 and opset 6 to the newest. A tensor has at most 8 dimensions and 2^31 - 1 elements; what is not\n"
		      "of a fixed size is given by --dim. Since: the opsets in which an operator is spelled in another way.\n\n"
		      "operator                           since            inputs     attributes\n");
	for (const struct entry *e = entries; e < entries + NENTRY; e++) {
		const struct entry *first = entries;

		while (!same(first, e))
			first++;
		if (first == e) {
			print_entry(out, &a, e);
			count++;
		}
	}
	buf_printf(out, "\n%d operators. Refused:\n\n", count);
	for (int k = 0; k < NREFUSAL; k++)
		buf_printf(out, "%s%s%s\n",
			refusals[k].names != NULL ? refusals[k].names : full_name(&a, refusals[k].domain, refusals[k].name),
			refusals[k].hint != NULL ? ": " : "", refusals[k].hint != NULL ? refusals[k].hint : "");
	arena_release(&a);
}
