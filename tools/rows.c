/*
 * A compiled network in a shared library, which rows.py loads and runs on one row of inputs after the other. It is built
 * with generated code of the name `net`, -DARGUMENTS=in[0],out[0], what run takes between net and arena, and -DTRACED where
 * that was made with --trace.
 */
#define _POSIX_C_SOURCE 200112L
#include "net.h"

#include <stdlib.h>
#include <string.h>

struct rows {
	struct net net;
	void *arena, *prepared;
};

static void *allocate(size_t size)
{
	void *p = NULL;

	if (posix_memalign(&p, 64, size > 0 ? size : 1) != 0)
		abort();
	memset(p, 0, size);
	return p;
}

/* trace: null, or called with each stored tensor. Null: init failed, and *why says it. */
struct rows *rows_open(void (*trace)(void *context, int index, const void *data), const char **why)
{
	struct rows *const r = (struct rows *)allocate(sizeof(*r));
	struct net_options options;
	int status;

	memset(&options, 0, sizeof(options));
	r->arena = allocate(NET_ARENA_SIZE);
	r->prepared = allocate(NET_PREPARED_SIZE);
#ifdef TRACED
	options.trace = trace;
#else
	(void)trace;
#endif
	status = net_init(&r->net, r->prepared, &options);
	*why = net_error(status);
	return status == NET_OK ? r : NULL;
}

/* 0, or not: run failed. */
int rows_run(struct rows *r, void *const *in, void *const *out)
{
	(void)in;
	(void)out;
	return net_run(&r->net, ARGUMENTS, r->arena) == NET_OK ? 0 : 1;
}

void rows_close(struct rows *r)
{
	free(r->arena);
	free(r->prepared);
	free(r);
}
