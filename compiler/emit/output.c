/*
 * Output files, all or none: written beside their place, and moved there when all is done.
 *
 * Whatever ends the process early must take the temporary files away: an error, exit() where memory
 * is out, a signal. What a signal handler and exit() can reach is the one variable of the compiler.
 */
#define _XOPEN_SOURCE 700 /* SIGXCPU and others */
#include "emit/emission.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct output *unfinished; /* whose temporary files exist, or null */

/* ---- signals ---- */

static const int deadly[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2,
	SIGXCPU, SIGBUS };

enum { DEADLY = sizeof(deadly) / sizeof(deadly[0]) };

/* Nothing may end the process between a step and the note that it was done. */
static sigset_t hold_signals(void)
{
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	return before;
}

static void let_signals(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

/* Only calls that a signal handler may make. */
static void remove_temporaries(struct output *o)
{
	for (int k = 0; k < o->n; k++)
		if (o->file[k].temporary != NULL)
			unlink(o->file[k].temporary);
	while (o->nfolder > 0)
		rmdir(o->folder[--o->nfolder]);
}

static void on_signal(int number)
{
	static const char text[] = "skipc: ended by a signal; nothing was written\n";

	if (unfinished == NULL || unfinished->process != getpid()) { /* or a child that gemm.c made */
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	remove_temporaries(unfinished);
	if (write(2, text, sizeof(text) - 1) < 0)
		unfinished = NULL; /* there is nobody to be told */
	_exit(1);
}

static void on_exit(void)
{
	if (unfinished != NULL && unfinished->process == getpid())
		remove_temporaries(unfinished);
}

void output_begin(struct output *o)
{
	struct sigaction act = { .sa_handler = on_signal }, before;

	o->process = getpid();
	unfinished = o;
	atexit(on_exit);
	sigfillset(&act.sa_mask);
	for (int k = 0; k < DEADLY; k++)
		if (sigaction(deadly[k], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
			sigaction(deadly[k], &act, NULL);
}

/* ---- writing ---- */

static void complain(struct output *o, const char *what, const char *path)
{
	if (!o->failed)
		fprintf(stderr, "skipc: cannot %s %s: %s\n", what, escape(o->arena, path),
			strerror(errno));
	o->failed = true;
}

/* A folder, noted if it was not there. */
static bool make_folder(struct output *o, const char *path)
{
	if (mkdir(path, 0777) != 0)
		return errno == EEXIST;
	o->folder[o->nfolder++] = path;
	return true;
}

/* The folder and those above it. */
static void make_folders(struct output *o)
{
	const char *dir = o->dir;
	struct stat st;
	int parts = 1;

	for (const char *c = dir; *c != '\0'; c++)
		parts += *c == '/';
	o->folder = arena_alloc(o->arena, (size_t)parts * sizeof(char *));
	for (const char *c = dir + 1; *c != '\0'; c++)
		if (*c == '/')
			make_folder(o, arena_printf(o->arena, "%.*s", (int)(c - dir), dir));
	if (!make_folder(o, dir) || stat(dir, &st) != 0)
		complain(o, "make the folder", dir);
	else if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		complain(o, "make the folder", dir);
	}
}

static struct output_file *add_file(struct output *o, const char *name)
{
	struct output_file *f = &o->file[o->n];

	if (o->n == MAX_OUTPUT)
		die("more than %d output files", MAX_OUTPUT);
	f->path = arena_printf(o->arena, "%s/%s", o->dir, name);
	f->saved = arena_printf(o->arena, "%s/.%s.%ld.old", o->dir, name, (long)getpid());
	return f;
}

FILE *output_open(struct output *o, const char *name)
{
	struct output_file *f = add_file(o, name);
	const char *temporary = arena_printf(o->arena, "%s/.%s.%ld", o->dir, name, (long)getpid());
	const sigset_t before = hold_signals();
	int fd = -1;

	if (o->folder == NULL)
		make_folders(o);
	if (!o->failed) /* not through a link that waits there, nor into another's file */
		fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
	if (fd >= 0) {
		f->temporary = temporary;
		f->stream = fdopen(fd, "wb");
	}
	if (f->stream == NULL) {
		complain(o, "write", f->path);
		if (fd >= 0)
			close(fd);
	}
	o->n++;
	let_signals(&before);
	return f->stream;
}

void output_puts(struct output *o, const char *name, const char *text)
{
	FILE *f = output_open(o, name);

	if (f != NULL && fputs(text, f) == EOF)
		complain(o, "write", o->file[o->n - 1].path);
}

void output_remove(struct output *o, const char *name)
{
	add_file(o, name);
	o->n++;
}

/* ---- the end ---- */

static void close_file(struct output *o, struct output_file *f)
{
	bool ok;

	if (f->stream == NULL)
		return;
	ok = fflush(f->stream) == 0;
	if (ok && ferror(f->stream) != 0) {
		errno = EIO; /* of an earlier write: what it was, nobody kept */
		ok = false;
	}
	if (!ok)
		complain(o, "write", f->path);
	if (fclose(f->stream) != 0)
		complain(o, "write", f->path);
	f->stream = NULL;
}

/* Aside with what stands in the file's place, for the case that a later step fails. */
static void save_old(struct output *o, struct output_file *f)
{
	struct stat st;

	if (lstat(f->path, &st) != 0) {
		if (errno != ENOENT)
			complain(o, "replace", f->path);
		return;
	}
	if (S_ISDIR(st.st_mode))
		errno = EISDIR;
	else
		f->is_saved = rename(f->path, f->saved) == 0;
	if (!f->is_saved)
		complain(o, "replace", f->path);
}

static void put_new(struct output *o, struct output_file *f)
{
	if (f->temporary == NULL)
		return;
	if (rename(f->temporary, f->path) != 0) {
		complain(o, "write", f->path);
		return;
	}
	f->temporary = NULL;
	f->is_placed = true;
}

/* The folder as it was. */
static void roll_back(struct output *o)
{
	for (int k = o->n - 1; k >= 0; k--) {
		struct output_file *f = &o->file[k];

		if (f->is_saved ? rename(f->saved, f->path) != 0
				: f->is_placed && unlink(f->path) != 0)
			fprintf(stderr, "skipc: cannot restore %s: %s\n",
				escape(o->arena, f->path), strerror(errno));
		f->is_saved = f->is_placed = false;
	}
}

/* The old files go. As long as none has gone, all can come back; then there is one way only. */
static void drop_saved(struct output *o)
{
	bool gone = false;

	for (int k = 0; k < o->n; k++) {
		struct output_file *f = &o->file[k];

		if (!f->is_saved)
			continue;
		if (unlink(f->saved) != 0 && !(gone && unlink(f->saved) == 0)) {
			complain(o, "remove", f->saved);
			if (!gone)
				return;
		}
		f->is_saved = false;
		gone = true;
	}
	for (int k = 0; k < o->n; k++)
		o->file[k].is_placed = false; /* for good */
}

bool output_commit(struct output *o)
{
	const sigset_t before = hold_signals();

	for (int k = 0; k < o->n; k++)
		close_file(o, &o->file[k]);
	for (int k = 0; k < o->n && !o->failed; k++)
		save_old(o, &o->file[k]);
	for (int k = 0; k < o->n && !o->failed; k++)
		put_new(o, &o->file[k]);
	if (!o->failed)
		drop_saved(o);
	if (o->failed)
		roll_back(o);
	else
		o->n = o->nfolder = 0;
	output_discard(o);
	let_signals(&before);
	return !o->failed;
}

void output_discard(struct output *o)
{
	const sigset_t before = hold_signals();

	for (int k = 0; k < o->n; k++)
		if (o->file[k].stream != NULL)
			fclose(o->file[k].stream);
	remove_temporaries(o);
	o->n = 0;
	unfinished = NULL;
	let_signals(&before);
}
