/* Files that are read, as a whole. */
#include "core/platform.h"

#include <errno.h>
#include <string.h>

bool file_map(
	struct diag *d, const char *path, const char *what, const char *missing, struct file *f)
{
	const enum path_kind kind = platform_map(path, f);
	const char *error = NULL, *hint = NULL;

	if (kind == PATH_NONE) {
		error = strerror(errno);
		hint = errno == ENOENT ? missing : NULL;
	} else if (kind != PATH_FILE) {
		error = kind == PATH_FOLDER ? "is a folder, not a file" : "is not a regular file";
	} else if (f->size == 0) {
		error = "is empty";
	}
	if (error != NULL)
		model_error(d, hint, "%s: %s", what, error);
	return error == NULL;
}

void file_unmap(struct file *f)
{
	platform_unmap(f);
}
