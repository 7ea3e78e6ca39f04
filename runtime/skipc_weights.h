/*
 * Loads a NAME_weights.bin, which `skipc compile --weights=bin` writes (and the default for large
 * networks), or `skipc weights` for code that is there, for the fields `weights` and `weights_size` of
 * NAME_options. Nothing generated needs it: any 64-byte aligned copy of the file will do, in flash for
 * example.
 *
 *	struct skipc_weights file;
 *	struct resnet18_options options = { 0 };
 *
 *	if (skipc_weights_open(&file, "resnet18_weights.bin") != SKIPC_WEIGHTS_OK) ...
 *	options.weights = file.data;
 *	options.weights_size = file.size;
 *	options.check_weights = 1;			optional: reads all of the file
 *	resnet18_init(&net, prepared, &options);	says whether they are this network's, and whole
 *	...
 *	skipc_weights_close(&file);			when no net that was given them runs any more
 *
 * C99. Where there is mmap the file is mapped, read-only: processes share its pages, and they are
 * read when they are first used. Elsewhere, or with SKIPC_WEIGHTS_NO_MMAP, it is read into memory.
 */
#ifndef SKIPC_WEIGHTS_H
#define SKIPC_WEIGHTS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum skipc_weights_status {
	SKIPC_WEIGHTS_OK = 0,
	SKIPC_WEIGHTS_E_NULL = -1, /* a pointer is null */
	SKIPC_WEIGHTS_E_OPEN =
		-2, /* the file cannot be opened; errno says why, where the system sets it */
	SKIPC_WEIGHTS_E_READ = -3,  /* it cannot be read, or is not a file with a size */
	SKIPC_WEIGHTS_E_EMPTY = -4, /* it is empty */
	SKIPC_WEIGHTS_E_MEMORY = -5 /* there is not enough memory, or address space */
};

/* A file's contents. The struct is the caller's, and may be copied; one of the copies is closed. */
struct skipc_weights {
	const void *data; /* aligned to 64 bytes; not to be written to */
	size_t size;      /* in bytes */
	void *owned;      /* what close() gives back */
	int mapped;
};

/* Loads the file. Returns a status; unless it is 0, *file is all zero and there is nothing to
 * close. A mapped file must be neither written nor made shorter while it is open (the program would
 * get SIGBUS): replace it by rename(). Any threads may call at once, with structs of their own; the
 * data may be read by all. */
int skipc_weights_open(struct skipc_weights *file, const char *path);

/* Gives it back, and zeroes *file: closing again does nothing, as does closing a struct that is all
 * zero. Null is allowed. */
void skipc_weights_close(struct skipc_weights *file);

/* What a status means, in English; never null. */
const char *skipc_weights_error(int status);

#ifdef __cplusplus
}
#endif
#endif
