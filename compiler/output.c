/* Output files: written beside their place and renamed when all is done, so that none is ever half
 * there. */
#include "emission.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder and those above it. */
static bool make_folder(const char *dir)
{
	struct arena a = { 0 };
	char *path = arena_strdup(&a, dir);
	bool ok;

	for (char *c = path + 1; *c != '\0'; c++)
		if (*c == '/') {
			*c = '\0';
			mkdir(path, 0777);
			*c = '/';
		}
	ok = mkdir(path, 0777) == 0 || errno == EEXIST;
	arena_release(&a);
	return ok;
}

static void complain(struct output *o, const char *path)
{
	if (!o->failed)
		fprintf(stderr, "skipc: cannot write %s: %s\n", path, strerror(errno));
	o->failed = true;
}

FILE *output_open(struct output *o, const char *name)
{
	enum { most = 16 };
	FILE *f;

	if (o->n == 0) {
		o->path = arena_alloc(o->arena, most * sizeof(char *));
		o->temporary = arena_alloc(o->arena, most * sizeof(char *));
		o->file = arena_alloc(o->arena, most * sizeof(FILE *));
		if (!make_folder(o->dir))
			complain(o, o->dir);
	}
	if (o->n == most)
		die("more than %d output files", most);
	o->path[o->n] = arena_printf(o->arena, "%s/%s", o->dir, name);
	o->temporary[o->n] = arena_printf(o->arena, "%s/.%s.%ld", o->dir, name, (long)getpid());
	f = o->failed ? NULL : fopen(o->temporary[o->n], "wb");
	if (f == NULL)
		complain(o, o->path[o->n]);
	o->file[o->n++] = f;
	return f;
}

void output_puts(struct output *o, const char *name, const char *text)
{
	FILE *f = output_open(o, name);

	if (f != NULL && fputs(text, f) == EOF)
		complain(o, o->path[o->n - 1]);
}

bool output_commit(struct output *o)
{
	for (int k = 0; k < o->n; k++) {
		if (o->file[k] == NULL)
			continue;
		if (ferror(o->file[k]) != 0 || fclose(o->file[k]) != 0)
			complain(o, o->path[k]);
		o->file[k] = NULL;
	}
	for (int k = 0; k < o->n && !o->failed; k++)
		if (rename(o->temporary[k], o->path[k]) != 0)
			complain(o, o->path[k]);
	if (o->failed)
		output_discard(o);
	return !o->failed;
}

void output_discard(struct output *o)
{
	for (int k = 0; k < o->n; k++) {
		if (o->file[k] != NULL)
			fclose(o->file[k]);
		o->file[k] = NULL;
		unlink(o->temporary[k]);
	}
}
