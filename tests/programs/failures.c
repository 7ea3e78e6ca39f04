/*
 * A library to be preloaded: call number FAIL_AT of the kind FAIL_KIND fails, and with FAIL_ON all
 * behind it; or, with FAIL_SIGNAL, that signal comes before it. FAIL_COUNT is a file that gets the
 * number of such calls. Kinds: memory, file, output.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static long calls, at;
static int number;
static bool on, ready, inside;
static char kind[16], count[256];

__attribute__((constructor)) static void begin(void)
{
	const char *s;

	at = (s = getenv("FAIL_AT")) != NULL ? atol(s) : 0;
	number = (s = getenv("FAIL_SIGNAL")) != NULL ? atoi(s) : 0;
	on = getenv("FAIL_ON") != NULL;
	snprintf(kind, sizeof(kind), "%s", (s = getenv("FAIL_KIND")) != NULL ? s : "");
	snprintf(count, sizeof(count), "%s", (s = getenv("FAIL_COUNT")) != NULL ? s : "");
	ready = true;
}

__attribute__((destructor)) static void end(void)
{
	const int fd = count[0] != '\0' ? open(count, O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;

	ready = false;
	if (fd >= 0) {
		dprintf(fd, "%ld\n", calls);
		close(fd);
	}
}

static bool fails(const char *of)
{
	if (!ready || inside || strcmp(of, kind) != 0)
		return false;
	calls++;
	if (at == 0 || (calls != at && !(on && calls > at)))
		return false;
	if (number != 0) {
		raise(number);
		return false;
	}
	errno = strcmp(of, "memory") == 0 ? ENOMEM : strcmp(of, "file") == 0 ? EACCES : ENOSPC;
	return true;
}

#define REAL(name) ((__typeof__(&name))real(&name##_real, #name))
static void *real(void **p, const char *name)
{
	if (*p == NULL)
		*p = dlsym(RTLD_NEXT, name);
	return *p;
}

#define WRAP(kind, failed, type, name, parameters, arguments)                                      \
	static void *name##_real;                                                                  \
	type name parameters                                                                       \
	{                                                                                          \
		return fails(kind) ? failed : REAL(name) arguments;                                \
	}

WRAP("memory", NULL, void *, malloc, (size_t n), (n))
WRAP("memory", NULL, void *, realloc, (void *p, size_t n), (p, n))
WRAP("memory", MAP_FAILED, void *, mmap, (void *p, size_t n, int prot, int flags, int fd, off_t o), (p, n, prot, flags, fd, o))
WRAP("file", NULL, FILE *, fopen, (const char *path, const char *mode), (path, mode))
WRAP("file", NULL, FILE *, fdopen, (int fd, const char *mode), (fd, mode))
WRAP("file", -1, int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP("file", -1, int, rename, (const char *from, const char *to), (from, to))
WRAP("file", -1, int, unlink, (const char *path), (path))
WRAP("file", -1, int, stat, (const char *path, struct stat *st), (path, st))
WRAP("file", -1, int, lstat, (const char *path, struct stat *st), (path, st))
WRAP("file", -1, int, fstat, (int fd, struct stat *st), (fd, st))

/* dlsym() itself asks for memory before there is a calloc to be found. */
static void *calloc_real;
void *calloc(size_t n, size_t size)
{
	static char first[4096];
	static size_t used;

	if (calloc_real == NULL && !inside) {
		inside = true;
		calloc_real = dlsym(RTLD_NEXT, "calloc");
		inside = false;
	}
	if (calloc_real == NULL) {
		used += (n * size + 15) / 16 * 16;
		return used <= sizeof(first) ? first + used - (n * size + 15) / 16 * 16 : NULL;
	}
	return fails("memory") ? NULL : ((void *(*)(size_t, size_t))calloc_real)(n, size);
}

static void *open_real;
int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = (flags & O_CREAT) != 0 ? (mode_t)va_arg(ap, int) : 0;
	va_end(ap);
	return fails("file") ? -1 : REAL(open)(path, flags, mode);
}

/* The file is as full as a disk: what the stream holds cannot be written. */
static void fill_up(FILE *f)
{
	inside = true;
	const int full = open("/dev/full", O_WRONLY);

	dup2(full, fileno(f));
	close(full);
	inside = false;
}

static void *fflush_real, *fclose_real, *fwrite_real, *fputs_real;
int fflush(FILE *f)
{
	if (f != NULL && fails("output"))
		fill_up(f);
	return REAL(fflush)(f);
}

int fclose(FILE *f)
{
	if (!fails("output"))
		return REAL(fclose)(f);
	REAL(fclose)(f);
	errno = ENOSPC;
	return EOF;
}

size_t fwrite(const void *p, size_t size, size_t n, FILE *f)
{
	if (fails("output"))
		fill_up(f);
	return REAL(fwrite)(p, size, n, f);
}

int fputs(const char *s, FILE *f)
{
	if (fails("output"))
		fill_up(f);
	return REAL(fputs)(s, f);
}
