/* Pieces of C text: tokens, words, lines (ctext.c). */
#ifndef SKIPC_CTEXT_H
#define SKIPC_CTEXT_H

#include "emit/template.h"

#include <stdbool.h>
#include <stddef.h>

bool c_is_word(char c);
bool c_is_word_start(char c);
char *c_copy(struct arena *a, const char *s, size_t len);
char *c_copy_trimmed(struct arena *a, const char *s, const char *end);
const char *c_token_end(const char *s);
bool c_same(const char *s, const char *end, const char *name);
bool c_has_word(const char *text, const char *word);
const char *c_line_end(const char *s);
/* head, then the items of list, which ", " separates, then tail: wrapped at 100 columns, further lines
 * indented by two tabs. */
void c_wrapped(struct buf *out, const char *head, const char *list, const char *tail);

#endif
