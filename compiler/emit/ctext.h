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
/* Text of C whose lines end at column 100, where they can be broken behind a comma in brackets. */
char *c_fit(struct arena *a, const char *text);

#endif
