/* Costs by name: the rows of costs.def, as options and files give them other values. */
#include "core/skipc.h"
#include "kernels/target.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[COST_COUNT] = {
#define COST(name, text) [COST_##name] = #name,
#include "kernels/costs.def"
};

const char *cost_name(enum cost what)
{
	return names[what];
}

const char *cost_text(struct arena *a, double value)
{
	const char *text = arena_printf(a, "%.15g", value);

	return strtod(text, NULL) == value ? text : arena_printf(a, "%.17g", value);
}

const char *cost_set(struct arena *a, const char *name, size_t n, const char *value, double cost[])
{
	int k = 0;
	char *end;

	while (k < COST_COUNT && (strlen(names[k]) != n || memcmp(names[k], name, n) != 0))
		k++;
	if (k == COST_COUNT)
		return arena_printf(a, "no cost is called `%s'", escape(a, arena_printf(a, "%.*s", (int)n, name)));
	const double v = strtod(value, &end);

	if (*value == '\0')
		return arena_printf(a, "%s lacks its value", names[k]);
	if (*end != '\0' || value[strspn(value, "0123456789.e+-")] != '\0' || !(v > 0.0 && v < 1e300))
		return arena_printf(a, "the value of %s is no positive number: `%s'", names[k], escape(a, value));
	cost[k] = v;
	return NULL;
}

const char *costs_read(struct arena *a, const char *path, double cost[])
{
	static const char blank[] = " \t\r\n";
	char line[256];
	const char *wrong = NULL;
	FILE *f = fopen(path, "r");
	int number = 0;

	if (f == NULL)
		return arena_printf(a, "nothing can be read (%s)", strerror(errno));
	while (wrong == NULL && fgets(line, sizeof(line), f) != NULL) {
		number++;
		if (strchr(line, '\n') == NULL && !feof(f))
			wrong = "it is too long";
		line[strcspn(line, "#")] = '\0';
		for (size_t n = strlen(line); n > 0 && strchr(blank, line[n - 1]) != NULL; n--)
			line[n - 1] = '\0';
		const char *name = line + strspn(line, blank);
		const size_t n = strcspn(name, blank);

		if (n > 0 && wrong == NULL)
			wrong = cost_set(a, name, n, name + n + strspn(name + n, blank), cost);
	}
	if (wrong != NULL)
		wrong = arena_printf(a, "line %d: %s", number, wrong);
	else if (ferror(f) != 0)
		wrong = arena_printf(a, "nothing can be read (%s)", strerror(errno));
	fclose(f);
	return wrong;
}
