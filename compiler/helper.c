/* Commands that programs of tools/ do, wherever this one and they are installed. */
#include "helper.h"
#include "core/platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where tools/ is if not near this program, which may be a copy: the Makefile knows. */
#if !defined(HELPERS)
#define HELPERS ""
#endif

/* From this program's folder, in turn: build/skipc, PREFIX/bin/skipc, an archive that was unpacked. */
static const char *const beside[] = { "..", "../libexec/skipc", "../share/skipc", "." };

/* The folder that has tools/PROGRAM; null: none has, said. */
static const char *helper_folder(struct arena *a, const char *program, const char *self)
{
	const char *asked = getenv("SKIPC_HELPERS");
	const char *folder[1 + sizeof(beside) / sizeof(beside[0])];
	int n = 0;

	if (asked != NULL && asked[0] != '\0') {
		folder[n++] = asked;
	} else {
		for (size_t k = 0; self != NULL && k < sizeof(beside) / sizeof(beside[0]); k++)
			folder[n++] = arena_printf(
				a, "%.*s%s", (int)(platform_base(self) - self), self, beside[k]);
		if (HELPERS[0] != '\0')
			folder[n++] = HELPERS;
	}
	for (int k = 0; k < n; k++)
		if (platform_kind(arena_printf(a, "%s/tools/%s", folder[k], program)) == PATH_FILE)
			return folder[k];
	fprintf(stderr, "skipc: there is no tools/%s", program);
	for (int k = 0; k < n; k++)
		fprintf(stderr, "%s%s", k == 0 ? " in " : ", ", escape(a, folder[k]));
	fprintf(stderr, "\n    hint: SKIPC_HELPERS=FOLDER says which folder has skipc's tools/\n");
	return NULL;
}

static const char *python_of(struct arena *a, const char *folder)
{
	const char *asked = getenv("SKIPC_PYTHON");
	const char *own = arena_printf(a, "%s/.venv/bin/python", folder);

	if (asked != NULL && asked[0] != '\0')
		return asked;
	return platform_runs(own) ? own : "python3";
}

int helper_run(enum command of, const char *program, int argc, char **argv)
{
	struct arena a = { 0 };
	const char **word;
	int nword, status = options_hand(&a, of, argc, argv, &word, &nword), k = 0;
	const char *self = platform_program(&a),
		   *folder = status == 0 ? helper_folder(&a, program, self) : NULL;
	const char **args = arena_alloc(&a, (size_t)(nword + 8) * sizeof(*args));

	if (folder != NULL) {
		args[k++] = python_of(&a, folder);
		args[k++] = arena_printf(&a, "%s/tools/%s", folder, program);
		args[k++] = "--skipc";
		args[k++] = self != NULL ? self : argv[0];
		for (int i = 0; i < nword; i++)
			args[k++] = word[i];
		status = platform_become(args);
		if (status < 0)
			fprintf(stderr, "skipc: %s needs Python 3 with onnxruntime: %s: %s\n    hint: SKIPC_PYTHON says which\n", argv[1],
				escape(&a, args[0]), strerror(errno));
		status = status < 0 ? 4 : status;
	} else if (status == 0) {
		status = 1;
	}
	arena_release(&a);
	return status;
}
