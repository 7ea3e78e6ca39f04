/* skipc inspect --html: templates/report/page.html, each of whose lines @WORD becomes a part of the page. */
#include "emit/template.h"
#include "report/report.h"

#include <string.h>

static void put_report(FILE *to, const struct emission *e, const char *profile)
{
	(void)profile;
	report_json(&(struct json){ .to = to, .page = true }, e);
}

/* JSON has `<` in strings alone: no tag begins there. */
static void put_profile(FILE *to, const struct emission *e, const char *profile)
{
	(void)e;
	for (const char *s = profile != NULL ? profile : "null"; *s != '\0'; s++)
		if (*s == '<')
			fputs("\\u003c", to);
		else
			fputc(*s, to);
}

static void put_style(FILE *to, const struct emission *e, const char *profile)
{
	(void)e, (void)profile;
	fputs(template_source("report/page.css"), to);
}

static void put_script(FILE *to, const struct emission *e, const char *profile)
{
	(void)e, (void)profile;
	fputs(template_source("report/page.js"), to);
}

static const struct {
	const char *word;
	void (*put)(FILE *to, const struct emission *e, const char *profile);
} parts[] = {
	{ "@STYLE\n", put_style }, { "@SCRIPT\n", put_script }, { "@REPORT\n", put_report }, { "@PROFILE\n", put_profile },
};

void report_page(FILE *to, const struct emission *e, const char *profile)
{
	for (const char *s = template_source("report/page.html"), *end; *s != '\0'; s = end) {
		bool found = false;

		end = s + strcspn(s, "\n") + 1;
		for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++)
			if (strncmp(s, parts[k].word, strlen(parts[k].word)) == 0) {
				parts[k].put(to, e, profile);
				found = true;
			}
		if (!found)
			fwrite(s, 1, (size_t)(end - s), to);
	}
}
