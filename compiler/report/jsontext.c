/* JSON as text. */
#include "report/report.h"

static void line(const struct json *j)
{
	if (!j->page)
		fprintf(j->to, "\n%*s", 2 * j->depth, "");
}

void json_item(struct json *j)
{
	if (j->due)
		fputc(',', j->to);
	line(j);
	j->due = true;
}

/* Bytes of the character at s; 0: it is no UTF-8. */
static int utf8_length(const unsigned char *s)
{
	const int n = s[0] < 0x80                   ? 1
		      : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
		      : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		      : s[0] >= 0xf0 && s[0] < 0xf5 ? 4
						    : 0;

	for (int k = 1; k < n; k++)
		if ((s[k] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && n == 3 && s[1] < 0xa0) || (s[0] == 0xed && n == 3 && s[1] > 0x9f) ||
		(s[0] == 0xf0 && n == 4 && s[1] < 0x90) || (s[0] == 0xf4 && n == 4 && s[1] > 0x8f))
		return 0;
	return n;
}

void json_string(struct json *j, const char *value)
{
	const unsigned char *s = (const unsigned char *)value;

	fputc('"', j->to);
	while (*s != '\0') {
		const int n = utf8_length(s);

		if (*s == '"' || *s == '\\')
			fprintf(j->to, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f || (*s == '<' && j->page))
			fprintf(j->to, "\\u%04x", *s);
		else if (*s == 0xc2 && n == 2 && s[1] < 0xa0) /* controls of terminals, too */
			fprintf(j->to, "\\u%04x", s[1]);
		else if (n == 0)
			fputs("\\ufffd", j->to);
		else
			fwrite(s, 1, (size_t)n, j->to);
		s += n > 0 ? n : 1;
	}
	fputc('"', j->to);
}

void json_key(struct json *j, const char *name)
{
	json_item(j);
	json_string(j, name);
	fputs(j->page ? ":" : ": ", j->to);
}

void json_open(struct json *j, char bracket)
{
	fputc(bracket, j->to);
	j->depth++;
	j->due = false;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (j->due)
		line(j);
	fputc(bracket, j->to);
	j->due = true;
}

void json_text(struct json *j, const char *name, const char *value)
{
	if (value == NULL && j->page)
		return;
	json_key(j, name);
	if (value != NULL)
		json_string(j, value);
	else
		fputs("null", j->to);
}

void json_number(struct json *j, const char *name, int64_t value)
{
	json_key(j, name);
	fprintf(j->to, "%lld", (long long)value);
}

void json_bool(struct json *j, const char *name, bool value)
{
	json_key(j, name);
	fputs(value ? "true" : "false", j->to);
}

void json_real(struct json *j, const char *name, double value)
{
	json_key(j, name);
	fprintf(j->to, "%.9g", value);
}

void json_id(struct json *j, const char *name, int value)
{
	if (value >= 0)
		json_number(j, name, value);
	else
		json_text(j, name, NULL);
}

void json_numbers(struct json *j, const char *name, const int64_t *value, int n)
{
	json_key(j, name);
	fputc('[', j->to);
	for (int k = 0; k < n; k++)
		fprintf(j->to, "%s%lld", k == 0 ? "" : j->page ? "," : ", ", (long long)value[k]);
	fputc(']', j->to);
}

void json_ids(struct json *j, const char *name, const int *value, int n)
{
	json_key(j, name);
	fputc('[', j->to);
	for (int k = 0; k < n; k++)
		fprintf(j->to, "%s%d", k == 0 ? "" : j->page ? "," : ", ", value[k]);
	fputc(']', j->to);
}
