/* Weights from a file. See skipc_weights.h. */
#if (defined(__unix__) || defined(__APPLE__)) && !defined(SKIPC_WEIGHTS_NO_MMAP)
#define USE_MMAP 1
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64 /* 32-bit glibc: files above 2 GB are refused by size, not by open */
#endif
#else
#define USE_MMAP 0
#endif

#include "skipc_weights.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#if USE_MMAP
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

enum { ALIGN = 64 };

/* The size goes to *size, the position to the start. */
static int file_size(FILE *f, size_t *size)
{
	long end;

	if (fseek(f, 0, SEEK_END) != 0)
		return SKIPC_WEIGHTS_E_READ;
	end = ftell(f);
	if (end < 0 || end == LONG_MAX || fseek(f, 0, SEEK_SET) != 0) /* a folder says LONG_MAX */
		return SKIPC_WEIGHTS_E_READ;
	if (end == 0)
		return SKIPC_WEIGHTS_E_EMPTY;
	if ((unsigned long)end > SIZE_MAX - ALIGN)
		return SKIPC_WEIGHTS_E_MEMORY;
	*size = (size_t)end;
	return SKIPC_WEIGHTS_OK;
}

static int read_file(struct skipc_weights *file, const char *path)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data = NULL;
	size_t size = 0, past;
	int status;

	if (f == NULL)
		return SKIPC_WEIGHTS_E_OPEN;
	status = file_size(f, &size);
	if (status != SKIPC_WEIGHTS_OK)
		goto out;
	file->owned = malloc(size + ALIGN - 1);
	if (file->owned == NULL) {
		status = SKIPC_WEIGHTS_E_MEMORY;
		goto out;
	}
	past = (size_t)((uintptr_t)file->owned % ALIGN);
	data = (unsigned char *)file->owned + (past != 0 ? ALIGN - past : 0);
	if (fread(data, 1, size, f) != size) {
		free(file->owned);
		file->owned = NULL;
		status = SKIPC_WEIGHTS_E_READ;
		goto out;
	}
	file->data = data;
	file->size = size;
out:
	fclose(f);
	return status;
}

#if USE_MMAP

/* Maps the file. *can is 0 when this one has to be read, on a file system without maps. */
static int map_file(struct skipc_weights *file, const char *path, int *can)
{
	int fd, status = SKIPC_WEIGHTS_OK;
	struct stat about;
	void *map;

	*can = 1;
	do
		fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return SKIPC_WEIGHTS_E_OPEN;
	if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
		status = SKIPC_WEIGHTS_E_READ;
	} else if (about.st_size == 0) {
		status = SKIPC_WEIGHTS_E_EMPTY;
	} else if ((uintmax_t)about.st_size > SIZE_MAX) {
		status = SKIPC_WEIGHTS_E_MEMORY;
	} else {
		map = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map != MAP_FAILED) {
			posix_madvise(map, (size_t)about.st_size, POSIX_MADV_WILLNEED);
			*file = (struct skipc_weights){ map, (size_t)about.st_size, map, 1 };
		} else if (errno == ENOMEM) {
			status = SKIPC_WEIGHTS_E_MEMORY;
		} else {
			*can = 0;
		}
	}
	close(fd);
	return status;
}

#endif

int skipc_weights_open(struct skipc_weights *file, const char *path)
{
	if (file == NULL)
		return SKIPC_WEIGHTS_E_NULL;
	*file = (struct skipc_weights){ 0 };
	if (path == NULL)
		return SKIPC_WEIGHTS_E_NULL;
#if USE_MMAP
	int can;
	const int status = map_file(file, path, &can);

	if (can)
		return status;
#endif
	return read_file(file, path);
}

void skipc_weights_close(struct skipc_weights *file)
{
	if (file == NULL)
		return;
#if USE_MMAP
	if (file->mapped)
		munmap(file->owned, file->size);
	else
		free(file->owned);
#else
	free(file->owned);
#endif
	*file = (struct skipc_weights){ 0 };
}

const char *skipc_weights_error(int status)
{
	static const char *const text[] = {
		"no error",
		"a pointer is null",
		"the weights file cannot be opened",
		"the weights file cannot be read",
		"the weights file is empty",
		"there is not enough memory for the weights",
	};
	const int count = (int)(sizeof(text) / sizeof(text[0]));

	return status <= 0 && status > -count ? text[-status] : "not a status of skipc_weights";
}
