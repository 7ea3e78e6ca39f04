/*
 * What operating systems have otherwise. platform.c is the only file of the compiler that knows them:
 * the others include no more than C's own headers, and what this one declares.
 */
#ifndef PLATFORM_H
#define PLATFORM_H

#include "core/skipc.h"

/* ---- platform.c: the process ---- */

/* First of all: standard streams that were closed are open, of nothing; a file that grows too large fails
 * a write and does not end the process; what is printed has the same bytes everywhere. */
void platform_begin(void);
double platform_seconds(void); /* that pass */
long platform_process(void);   /* no other process has this number */
bool platform_terminal(void);  /* somebody watches standard error */
/* Where this program lies, with links resolved; null: not known. */
const char *platform_program(struct arena *a);
/* Another program instead of this one, found on PATH. Returns the exit status where systems make that a
 * process beside this one; -1: it could not be started, errno says why. */
int platform_become(const char *const *args);

/* ---- platform.c: an early end ---- */

/*
 * From here on, an exit() or signal that ends the process calls tidy(what) first, which may call
 * platform_unlink() and platform_rmdir() and no other function. What the two can reach is the one variable
 * of the compiler. Null: no longer.
 */
void platform_guard(void (*tidy)(void *what), void *what);
/* Between these two no signal ends the process. They nest. */
void platform_hold(void);
void platform_release(void);

/* ---- platform.c: files and folders ---- */

enum path_kind { PATH_NONE, PATH_FILE, PATH_FOLDER, PATH_OTHER };

enum path_kind platform_kind(const char *path); /* PATH_NONE: errno says why */
enum path_kind platform_link(const char *path); /* the same, and a link is PATH_OTHER */
bool platform_runs(const char *path);           /* it is a program, for us */
/* Begins a file that was not there. Null: errno says why. */
FILE *platform_create(const char *path);
bool platform_mkdir(const char *path);
bool platform_unlink(const char *path);
bool platform_rmdir(const char *path);
/* The content of a file, read-only, never waited for; of PATH_FILE alone, and null where it is empty. */
enum path_kind platform_map(const char *path, struct file *f);
void platform_unmap(struct file *f);
/* Calls take() with each name in a folder, "." and ".." among them. */
void platform_list(const char *folder, void (*take)(void *to, const char *name), void *to);
/* Without links and dots. Null: errno says why. */
const char *platform_real(struct arena *a, const char *path);
bool platform_separates(char c);
const char *platform_base(const char *path); /* behind the folders */

/* ---- platform.c: code that is tried ---- */

/* Memory, zeroed, that ends where nothing can be read or written: its last byte is the last before that.
 * Null: there is none. Nobody frees it. */
void *platform_fenced(size_t size);
/* A copy that can be called. Null: there is none. Nobody frees it. */
void *platform_code(const unsigned char *code, size_t size);
/* f(what) in a process of its own, which has a minute: what f returned; APART_FAULT: a fault ended it;
 * APART_NOT: it did not run, or somebody else ended it. */
enum { APART_FAULT = -1, APART_NOT = -2 };
int platform_apart(int (*f)(const void *what), const void *what);

#endif
