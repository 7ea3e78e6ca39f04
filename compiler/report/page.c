/* skipc inspect --html: templates/report/page.html, each of whose lines @WORD becomes a part of the page. */
#include "emit/template.h"
#include "report/report.h"

#include <string.h>

/* A file of templates/report, else what was found, else the report. */
static const struct {
	const char *word, *file;
	int found; /* below 0: none */
} parts[] = {
	{ "@STYLE\n", "report/page.css", -1 },
	{ "@SCRIPT\n", "report/page.js", -1 },
	{ "@BLOCKS\n", "report/blocks.js", -1 },
	{ "@REPORT\n", NULL, -1 },
	{ "@PROFILE\n", NULL, FOUND_PROFILE },
	{ "@GATES\n", NULL, FOUND_GATES },
	{ "@LESION\n", NULL, FOUND_LESION },
};

/* JSON has `<` in strings alone: no tag begins there. */
static void put_found(FILE *to, const char *text)
{
	for (const char *s = text != NULL ? text : "null"; *s != '\0'; s++)
		if (*s == '<')
			fputs("\\u003c", to);
		else
			fputc(*s, to);
}

/* False: the line is none of the parts. */
static bool put_part(FILE *to, const struct emission *e, const char *const found[FOUND_COUNT], const char *line)
{
	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
		if (strncmp(line, parts[k].word, strlen(parts[k].word)) != 0)
			continue;
		if (parts[k].file != NULL)
			fputs(template_source(parts[k].file), to);
		else if (parts[k].found >= 0)
			put_found(to, found[parts[k].found]);
		else
			report_json(&(struct json){ .to = to, .page = true }, e);
		return true;
	}
	return false;
}

void report_page(FILE *to, const struct emission *e, const char *const found[FOUND_COUNT])
{
	for (const char *s = template_source("report/page.html"), *end; *s != '\0'; s = end) {
		end = s + strcspn(s, "\n") + 1;
		if (!put_part(to, e, found, s))
			fwrite(s, 1, (size_t)(end - s), to);
	}
}
