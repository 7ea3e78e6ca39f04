/*
 * --package: folders that other tools take. The code is in src/, and around it are files of templates/package, in each
 * of which stands whose it is: "neural network NAME, compiled by skipc".
 */
#include "emit/ctext.h"
#include "emit/emission.h"
#include "emit/template.h"

#include <string.h>

/* @NAME@ is the network, also in paths. */
static const struct part {
	const char *package, *path, *text;
} parts[] = {
	{ "arduino", "library.properties", "package/library.properties" },
	{ "arduino", "library.json", "package/library.json" }, /* PlatformIO */
	{ "arduino", "examples/@NAME@/@NAME@.ino", "package/example.ino" },
	{ "zephyr", "zephyr/module.yml", "package/module.yml" },
	{ "zephyr", "CMakeLists.txt", "package/zephyr.cmake" },
	{ "zephyr", "Kconfig", "package/Kconfig" },
	{ "esp-idf", "CMakeLists.txt", "package/idf.cmake" },
	{ "esp-idf", "idf_component.yml", "package/idf_component.yml" },
};

static const struct part *const end_of_parts = parts + sizeof(parts) / sizeof(parts[0]);

bool package_known(const char *package)
{
	for (const struct part *p = parts; p < end_of_parts; p++)
		if (strcmp(p->package, package) == 0)
			return true;
	return false;
}

/* `static float input0[NET_INPUT0_COUNT];`, for each input and output. */
static const char *buffers(const struct emission *e)
{
	const struct graph *g = e->plan->graph;
	const char *text = "";

	for (int k = 0; k < g->ninput; k++)
		text = arena_printf(e->arena, "%sstatic %s input%d[%s_INPUT%d_COUNT];\n", text,
			dtypes[g->input[k]->io_type].ctype, k, e->upper, k);
	for (int k = 0; k < g->noutput; k++)
		text = arena_printf(e->arena, "%sstatic %s output%d[%s_OUTPUT%d_COUNT];\n", text,
			dtypes[g->output[k]->io_type].ctype, k, e->upper, k);
	return text;
}

static const char *arguments(const struct emission *e)
{
	const struct graph *g = e->plan->graph;
	const char *text = "";

	for (int k = 0; k < g->ninput; k++)
		text = arena_printf(e->arena, "%sinput%d, ", text, k);
	for (int k = 0; k < g->noutput; k++)
		text = arena_printf(e->arena, "%soutput%d, ", text, k);
	return text;
}

/* The text with the network's words in it. */
static const char *filled(const struct emission *e, const char *s)
{
	const struct subst words[] = { { "@NAME@", e->name }, { "@UPPER@", e->upper },
		{ "@VERSION@", SKIPC_VERSION }, { "@BUFFERS@\n", buffers(e) }, { "@ARGUMENTS@", arguments(e) } };
	struct buf out = { 0 };

	while (*s != '\0') {
		size_t n = 1;
		const char *text = s;

		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
			if (strncmp(s, words[k].name, strlen(words[k].name)) == 0) {
				text = words[k].text;
				n = strlen(words[k].name);
			}
		buf_add(&out, text, text != s ? strlen(text) : 1);
		s += n;
	}
	return buf_text(e->arena, &out);
}

void emit_package(struct emission *e)
{
	for (const struct part *p = parts; p < end_of_parts; p++)
		if (strcmp(p->package, e->options->package) == 0)
			output_puts(e->out, arena_printf(e->arena, "../%s", filled(e, p->path)),
				filled(e, template_source(p->text)));
}

/* The network that a file of a package says it is of; null: it is none of ours. */
static const char *network_of(struct arena *a, const char *head)
{
	static const char before[] = "neural network ", behind[] = ", compiled by skipc ";

	for (const char *s = head; (s = strstr(s, before)) != NULL;) {
		const char *end = s += strlen(before);

		while (c_is_word(*end))
			end++;
		if (strncmp(end, behind, strlen(behind)) == 0)
			return c_copy(a, s, (size_t)(end - s));
	}
	return NULL;
}

static bool is_written(const struct emission *e, const char *path)
{
	for (int k = 0; k < e->out->n; k++)
		if (strcmp(e->out->file[k].path, path) == 0)
			return true;
	return false;
}

void package_settle(struct emission *e)
{
	struct diag *d = e->plan->graph->diag;
	const int length = (int)(strlen(e->out->dir) - strlen("/src"));

	for (const struct part *p = parts; p < end_of_parts; p++) {
		const char *file = arena_printf(e->arena, "../%s", filled(e, p->path));
		const char *shown = arena_printf(e->arena, "%.*s/%s", length, e->out->dir, file + strlen("../"));
		const char *head = folder_head(e->arena, d, shown);

		if (head == NULL)
			return;
		const char *network = network_of(e->arena, head);
		const bool written = is_written(e, arena_printf(e->arena, "%s/%s", e->out->dir, file));
		const bool ours = network != NULL && strcmp(network, e->name) == 0;

		if (ours && !written)
			output_remove(e->out, file);
		else if (!ours && (network != NULL || (written && *head != '\0'))) {
			model_error(d, "choose another folder with -o: a package is a folder of its own",
				network != NULL ? "%s was written for the network %s" : "%s was not written by skipc",
				escape(e->arena, shown), network);
			return;
		}
	}
}
