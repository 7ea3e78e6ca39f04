/*
 * Output files, all or none: written beside their place, and moved there when all is done.
 *
 * Whatever ends the process early must take the temporary files away: an error, exit() where memory
 * is out, a signal.
 */
#include "emit/emission.h"
#include "core/platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- an early end ---- */

/* Only calls that a signal handler may make. */
static void remove_temporaries(struct output *o)
{
	for (int k = 0; k < o->n; k++)
		if (o->file[k].temporary != NULL)
			platform_unlink(o->file[k].temporary);
	while (o->nfolder > 0)
		platform_rmdir(o->folder[--o->nfolder]);
}

static void tidy(void *output)
{
	remove_temporaries(output);
}

void output_begin(struct output *o)
{
	platform_guard(tidy, o);
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
	if (!platform_mkdir(path))
		return errno == EEXIST;
	o->folder[o->nfolder++] = path;
	return true;
}

/* The folder and those above it. */
static void make_folders(struct output *o, const char *dir)
{
	const char **more;
	enum path_kind kind;
	int parts = 1;

	for (const char *c = dir; *c != '\0'; c++)
		parts += platform_separates(*c);
	more = arena_alloc(o->arena, (size_t)(o->nfolder + parts) * sizeof(char *));
	if (o->nfolder > 0)
		memcpy(more, o->folder, (size_t)o->nfolder * sizeof(char *));
	o->folder = more;
	for (const char *c = dir + 1; *c != '\0'; c++)
		if (platform_separates(*c))
			make_folder(o, arena_printf(o->arena, "%.*s", (int)(c - dir), dir));
	if (!make_folder(o, dir) || (kind = platform_kind(dir)) == PATH_NONE)
		complain(o, "make the folder", dir);
	else if (kind != PATH_FOLDER) {
		errno = ENOTDIR;
		complain(o, "make the folder", dir);
	}
}

/* A name beside the file that nobody else has. */
static const char *hidden(struct output *o, const char *path)
{
	const char *base = platform_base(path);

	return arena_printf(o->arena, "%.*s.%s.%ld", (int)(base - path), path, base, platform_process());
}

static struct output_file *add_file(struct output *o, const char *name)
{
	struct output_file *f = &o->file[o->n];

	if (o->n == MAX_OUTPUT)
		die("more than %d output files", MAX_OUTPUT);
	f->path = arena_printf(o->arena, "%s/%s", o->dir, name);
	f->saved = arena_printf(o->arena, "%s.old", hidden(o, f->path));
	return f;
}

FILE *output_open(struct output *o, const char *name)
{
	struct output_file *f = add_file(o, name);
	const char *temporary = hidden(o, f->path), *base = platform_base(f->path);

	platform_hold();
	if (o->folder == NULL || platform_base(name) != name)
		make_folders(o, arena_printf(o->arena, "%.*s", (int)(base - f->path - 1), f->path));
	if (!o->failed)
		f->stream = platform_create(temporary);
	f->written = true;
	if (f->stream != NULL)
		f->temporary = temporary;
	else
		complain(o, "write", f->path);
	o->n++;
	platform_release();
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
	const enum path_kind kind = platform_link(f->path);

	if (kind == PATH_NONE) {
		if (errno != ENOENT)
			complain(o, "replace", f->path);
		return;
	}
	if (kind == PATH_FOLDER)
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
				: f->is_placed && !platform_unlink(f->path))
			fprintf(stderr, "skipc: cannot restore %s: %s\n",
				escape(o->arena, f->path), strerror(errno));
		f->is_saved = f->is_placed = false;
	}
}

/* The folder of a file that went, and those above it, where nothing else is in them. */
static void drop_folders(struct output *o, const char *path)
{
	do
		path = arena_printf(o->arena, "%.*s", (int)(platform_base(path) - path - 1), path);
	while (platform_rmdir(path));
}

/* The old files go. As long as none has gone, all can come back; then there is one way only. */
static void drop_saved(struct output *o)
{
	bool gone = false;

	for (int k = 0; k < o->n; k++) {
		struct output_file *f = &o->file[k];

		if (!f->is_saved)
			continue;
		if (!platform_unlink(f->saved) && !(gone && platform_unlink(f->saved))) {
			complain(o, "remove", f->saved);
			if (!gone)
				return;
		}
		f->is_saved = false;
		gone = true;
	}
	for (int k = 0; k < o->n; k++) {
		if (!o->file[k].written)
			drop_folders(o, o->file[k].path);
		o->file[k].is_placed = false; /* for good */
	}
}

bool output_commit(struct output *o)
{
	platform_hold();
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
	platform_release();
	return !o->failed;
}

void output_discard(struct output *o)
{
	platform_hold();
	for (int k = 0; k < o->n; k++)
		if (o->file[k].stream != NULL)
			fclose(o->file[k].stream);
	remove_temporaries(o);
	o->n = 0;
	platform_guard(NULL, NULL);
	platform_release();
}
