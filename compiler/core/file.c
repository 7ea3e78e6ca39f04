/* Files that are read, as a whole. */
#define _XOPEN_SOURCE 700 /* mmap */
#include "core/skipc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool file_map(
	struct diag *d, const char *path, const char *what, const char *missing, struct file *f)
{
	const char *error = NULL, *hint = NULL;
	struct stat st;
	int fd = -1;

	/* Looked at first, and opened without waiting: a FIFO has no end. */
	if (stat(path, &st) != 0 ||
		(S_ISREG(st.st_mode) &&
			((fd = open(path, O_RDONLY | O_NONBLOCK)) < 0 || fstat(fd, &st) != 0))) {
		error = strerror(errno);
		hint = errno == ENOENT ? missing : NULL;
	} else if (!S_ISREG(st.st_mode)) {
		error = S_ISDIR(st.st_mode) ? "is a folder, not a file" : "is not a regular file";
	} else if (st.st_size == 0) {
		error = "is empty";
	} else {
		void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		f->data = p;
		f->size = (size_t)st.st_size;
		if (p == MAP_FAILED)
			error = strerror(errno);
	}
	if (fd >= 0)
		close(fd);
	if (error != NULL)
		model_error(d, hint, "%s: %s", what, error);
	return error == NULL;
}

void file_unmap(struct file *f)
{
	munmap((void *)(uintptr_t)f->data, f->size);
	f->data = NULL;
}
