/*
 * The weights, in a file of their own. Four forms, by size unless --weights= says which:
 *
 *   text    up to 2 MB   hexadecimal floats: no byte order, any compiler
 *   rows    up to 16 MB  rows of string literals in a union: fifteen times faster to compile,
 * little endian incbin  above        NAME_weights.bin, taken in by the assembler (gcc or clang,
 * ELF) bin     on demand    NAME_weights.bin, which the caller maps or flashes and passes to init
 *
 * NAME_weights.bin starts with a header of 64 bytes, little endian: "SKIPCWTS", the byte order mark
 * 0x01020304 and version 1 (32 bits each), bytes and hash of what follows (64 bits each), zeros.
 */
#include "emission.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MOST = 2 << 20, ROWS_MOST = 16 << 20, ROW = WEIGHTS_ROW };

enum weights_form weights_form(const struct emission *e)
{
	int64_t bytes = e->plan->weights_bytes;

	if (bytes == 0)
		return WEIGHTS_TEXT; /* there is nothing to choose */
	if (e->options->weights != WEIGHTS_AUTO)
		return e->options->weights;
	return bytes <= TEXT_MOST   ? WEIGHTS_TEXT
	       : bytes <= ROWS_MOST ? WEIGHTS_ROWS
				    : WEIGHTS_INCBIN;
}

/* FNV-1a over 32-bit words: the weights' identity, not a defence. */
static uint64_t hash_floats(uint64_t h, const float *v, int64_t n)
{
	for (int64_t k = 0; k < n; k++) {
		uint32_t bits;

		memcpy(&bits, &v[k], sizeof(bits));
		h = (h ^ bits) * 1099511628211u;
	}
	return h;
}

/* Little-endian bytes of v, on any host. */
static void to_bytes(unsigned char *to, const float *v, int64_t n)
{
	for (int64_t k = 0; k < n; k++) {
		uint32_t bits;

		memcpy(&bits, &v[k], sizeof(bits));
		for (int i = 0; i < 4; i++)
			to[4 * k + i] = (unsigned char)(bits >> 8 * i);
	}
}

static const char *packing_text(struct arena *a, const struct blob *b)
{
	switch (b->packing) {
	case PACK_CONV:
		return arena_printf(a, "[group %d][block of %d][tap][C][stack %d][K]", b->group,
			b->block, b->stack);
	case PACK_LINEAR:
		return arena_printf(a, "[block of %d][K][stack %d][N]", b->block, b->stack);
	case PACK_GEMM:
		return arena_printf(a, "[group %d][block of %d][chunk of %d][tap][C][stack %d][K]",
			b->group, b->block, b->chunk, b->stack);
	case PACK_DEPTHWISE:
		return "[tap][C]";
	default:
		return "as it is";
	}
}

/* v as C: hexadecimal, the same text on any host. */
static void write_float(FILE *f, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	const char *sign = bits >> 31 != 0 ? "-" : "";
	int exponent = (int)(bits >> 23 & 255u);
	unsigned fraction = bits << 1 & 0xffffffu, digits = 6;

	if (exponent == 255) {
		fprintf(f, "(%s%s / 0.0f),", sign, fraction != 0 ? "0.0f" : "1.0f");
		return;
	}
	while (digits > 0 && (fraction & 15u) == 0) {
		fraction >>= 4;
		digits--;
	}
	fprintf(f, "%s0x%d", sign, exponent > 0);
	if (digits > 0)
		fprintf(f, ".%0*x", (int)digits, fraction);
	fprintf(f, "p%+df,", exponent > 0 ? exponent - 127 : digits > 0 ? -126 : 0);
}

static void write_text(FILE *f, const float *v, int64_t n)
{
	for (int64_t k = 0; k < n; k++) {
		fputs(k % 8 == 0 ? "\t" : " ", f);
		write_float(f, v[k]);
		if (k % 8 == 7 || k + 1 == n)
			fputs("\n", f);
	}
}

/* Rows of string literals, each byte as three octal digits. */
struct row_writer {
	FILE *f;
	int64_t at; /* bytes written */
};

static void write_rows(struct row_writer *w, const unsigned char *bytes, int64_t n)
{
	for (int64_t k = 0; k < n; k++, w->at++) {
		if (w->at % ROW == 0)
			fputs("\t{ \"", w->f);
		else if (w->at % 64 == 0)
			fputs("\"\n\t  \"", w->f);
		/* NOLINTNEXTLINE: n bytes are there */
		fprintf(w->f, "\\%03o", bytes[k]);
		if (w->at % ROW == ROW - 1)
			fputs("\" },\n", w->f);
	}
}

static void write_header(FILE *f, uint64_t bytes, uint64_t hash)
{
	unsigned char h[64] = "SKIPCWTS";

	for (int i = 0; i < 4; i++)
		h[8 + i] = (unsigned char)(0x01020304u >> 8 * i);
	h[12] = 1;
	for (int i = 0; i < 8; i++) {
		h[16 + i] = (unsigned char)(bytes >> 8 * i);
		h[24 + i] = (unsigned char)(hash >> 8 * i);
	}
	fwrite(h, 1, sizeof(h), f);
}

/* Where the weights go, in which form, and what has gone. */
struct writer {
	FILE *f;
	enum weights_form form;
	struct row_writer rows;
	int64_t at; /* bytes */
	uint64_t hash;
};

static void write_floats(struct writer *w, const float *v, int64_t n)
{
	unsigned char *bytes = malloc((size_t)n * 4 + 1);

	if (bytes == NULL)
		die("out of memory");
	w->hash = hash_floats(w->hash, v, n);
	w->at += 4 * n;
	to_bytes(bytes, v, n);
	if (w->form == WEIGHTS_TEXT)
		write_text(w->f, v, n);
	else if (w->form == WEIGHTS_ROWS)
		write_rows(&w->rows, bytes, 4 * n);
	else
		fwrite(bytes, 4, (size_t)n, w->f);
	free(bytes);
}

/* Every blob in turn, each behind the zeros that align it. One at a time is in memory. */
static uint64_t write_blobs(struct emission *e, FILE *f, enum weights_form form)
{
	static const float zeros[16] = { 0.0f };
	struct writer w = {
		.f = f, .form = form, .rows = { .f = f }, .hash = 14695981039346656037u
	};

	for (int k = 0; k < e->plan->nblob; k++) {
		const struct blob *b = e->plan->blob[k];

		if (b->packing == PACK_TABLE)
			continue;
		write_floats(&w, zeros, (b->buffer->offset - w.at) / 4);
		if (form == WEIGHTS_TEXT)
			fprintf(f, "\t/* %s: %s, %s */\n",
				prov_text(e->arena, e->plan->graph, b->prov, 3),
				shape_text(e->arena, &b->tensor[0]->shape),
				packing_text(e->arena, b));
		float *v = malloc((size_t)b->count * sizeof(*v));

		if (v == NULL)
			die("out of memory");
		pack_blob(e->plan, b, v);
		write_floats(&w, v, b->count);
		free(v);
	}
	if (form == WEIGHTS_ROWS && w.rows.at % ROW != 0)
		fputs("\" },\n", f);
	return w.hash;
}

static void emit_bin(struct emission *e)
{
	FILE *f = output_open(e->out, arena_printf(e->arena, "%s_weights.bin", e->name));

	if (f == NULL)
		return;
	write_header(f, 0, 0); /* its place; the hash is known at the end */
	e->weights_hash = write_blobs(e, f, WEIGHTS_BIN);
	rewind(f);
	write_header(f, (uint64_t)e->plan->weights_bytes, e->weights_hash);
	fseek(f, 0, SEEK_END);
}

/* The bytes of NAME_weights.bin by way of the assembler. */
static void emit_incbin(struct emission *e, FILE *f)
{
	fprintf(f,
		"/* Weights of %s: %lld bytes, in %s_weights.bin beside this file. The assembler "
		"looks for it where -I says;\n"
		" * define %s_WEIGHTS_FILE as its path (a string) where that does not suit. With "
		"%s_NO_WEIGHTS nothing\n"
		" * is linked in, and init wants the file's contents. */\n"
		"#ifndef %s_WEIGHTS_FILE\n#define %s_WEIGHTS_FILE \"%s_weights.bin\"\n#endif\n\n",
		e->name, (long long)e->plan->weights_bytes, e->name, e->upper, e->upper, e->upper,
		e->upper, e->name);
	fprintf(f,
		"#if defined(__GNUC__) && defined(__ELF__) && !defined(%s_NO_WEIGHTS)\n"
		"__asm__(\".pushsection .rodata\\n\"\n\t\".balign 64\\n\"\n\t\".globl "
		"%s_weights\\n\"\n\t\".hidden %s_weights\\n\"\n"
		"\t\"%s_weights:\\n\"\n\t\".incbin \\\"\" %s_WEIGHTS_FILE "
		"\"\\\"\\n\"\n\t\".popsection\\n\");\n#endif\n\n"
		"/* A translation unit may not be empty. */\nextern const unsigned char "
		"%s_weights[];\n",
		e->upper, e->name, e->name, e->name, e->upper, e->name);
}

static void emit_array(struct emission *e, FILE *f, enum weights_form form)
{
	long long bytes = (long long)e->plan->weights_bytes, count = bytes / 4;

	fprintf(f, "/* Weights of %s: %lld bytes, packed for its kernels. */\n\n", e->name, bytes);
	if (form == WEIGHTS_TEXT) {
		fprintf(f, "extern const float %s_weights[];\n\nconst float %s_weights[] = {\n",
			e->name, e->name);
		e->weights_hash = write_blobs(e, f, form);
		fprintf(f, "%s};\n", count == 0 ? "\t0x0p+0f,\n" : "");
		return;
	}
	fprintf(f, "#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__\n"
		   "#error \"these bytes are little endian: compile the model with "
		   "--weights=text\"\n#endif\n\n");
	fprintf(f, "union %s_weights {\n\tchar rows[%lld][%d];\n\tfloat values[%lld];\n};\n\n",
		e->name, (bytes + ROW - 1) / ROW, ROW, count);
	fprintf(f,
		"extern const union %s_weights %s_weights;\n\nconst union %s_weights %s_weights = "
		"{ {\n",
		e->name, e->name, e->name, e->name);
	e->weights_hash = write_blobs(e, f, form);
	fputs("} };\n", f);
}

void emit_weights(struct emission *e)
{
	enum weights_form form = weights_form(e);

	if (form == WEIGHTS_INCBIN || form == WEIGHTS_BIN)
		emit_bin(e);
	if (form == WEIGHTS_BIN)
		return;
	FILE *f = output_open(e->out, arena_printf(e->arena, "%s_weights.c", e->name));

	if (f == NULL)
		return;
	if (form == WEIGHTS_INCBIN)
		emit_incbin(e, f);
	else
		emit_array(e, f, form);
}
