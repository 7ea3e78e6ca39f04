/* Memory that lives as long as a phase of the compiler, and text that grows. */
#include "core/skipc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 * 1024, ALIGN = 16 };

struct arena_block {
	struct arena_block *next;
	size_t used, size; /* of the bytes behind the header */
};

/* The header's size rounded up, so that what follows it is aligned as malloc's result is. */
enum { HEADER = (sizeof(struct arena_block) + ALIGN - 1) / ALIGN * ALIGN };

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->head;

	if (size > SIZE_MAX / 2)
		out_of_memory();
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (b == NULL || b->size - b->used < size) {
		const size_t room = size > BLOCK ? size : BLOCK;

		b = calloc(1, HEADER + room);
		if (b == NULL)
			out_of_memory();
		b->size = room;
		if (a->head != NULL && size > BLOCK / 2) { /* keep filling the block before it */
			b->next = a->head->next;
			a->head->next = b;
		} else {
			b->next = a->head;
			a->head = b;
		}
	}
	void *p = (char *)b + HEADER + b->used;
	b->used += size;
	return p;
}

/* printf's own memory may be out, too. */
static void format_error(const char *fmt)
{
	if (errno == ENOMEM)
		out_of_memory();
	die("bad format %s", fmt);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		format_error(fmt);
	char *s = arena_alloc(a, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return s;
}

char *arena_strdup(struct arena *a, const char *s)
{
	const size_t n = strlen(s) + 1;

	return memcpy(arena_alloc(a, n), s, n);
}

void arena_release(struct arena *a)
{
	for (struct arena_block *b = a->head, *next; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
	a->head = NULL;
}

static void buf_reserve(struct buf *b, size_t more)
{
	if (more > SIZE_MAX / 2 - b->len - 1)
		out_of_memory();
	if (b->len + more + 1 <= b->cap)
		return;
	b->cap = (b->len + more + 1) * 2;
	b->data = realloc(b->data, b->cap);
	if (b->data == NULL)
		out_of_memory();
}

void buf_add(struct buf *b, const char *data, size_t len)
{
	buf_reserve(b, len);
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	const int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		format_error(fmt);
	buf_reserve(b, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

void buf_puts(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

char *buf_text(struct arena *a, struct buf *b)
{
	char *text = arena_strdup(a, b->len > 0 ? b->data : "");

	buf_release(b);
	return text;
}

uint64_t hash_text(const char *s)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
	return h ^ h >> 29;
}

/* 1,234,567 */
const char *grouped(struct arena *a, int64_t v)
{
	char *digits = arena_printf(a, "%lld", (long long)v);
	size_t n = strlen(digits);
	struct buf b = { 0 };

	for (size_t k = 0; k < n; k++) {
		if (k > 0 && (n - k) % 3 == 0)
			buf_puts(&b, ",");
		buf_add(&b, &digits[k], 1);
	}
	return buf_text(a, &b);
}
