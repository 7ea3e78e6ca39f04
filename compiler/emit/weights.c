/*
 * The weights, in a file of their own. Four forms, by size unless --weights= says which:
 *
 *   text    up to 2 MB   hexadecimal floats: no byte order, any compiler
 *   rows    up to 16 MB  rows of string literals in a union: fifteen times faster to compile
 *   incbin  above        NAME_weights.bin, taken in by the assembler (gcc, clang)
 *   bin     on demand    NAME_weights.bin, which the caller maps or flashes and passes to init
 *
 * All but text are little endian, or big with --byte-order=big. Whatever the form, a head of 16
 * words of 32 bits comes first, 64-bit numbers with their low word first:
 *
 *   0   "SKIPCWTS", as two words of little-endian text
 *   2   the byte order mark, 0x01020304
 *   3   version 2
 *   4   bytes of the weights, those of the head not among them
 *   6   NAME_CODE_ID: which code reads them (emit.c)
 *   8   NAME_WEIGHTS_ID: CRC-64/XZ of the weights, as little-endian floats
 *   10  zeros
 */
#include "emit/emission.h"

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

/* Bytes of v in that order, on any host. */
static void to_bytes(unsigned char *to, const float *v, int64_t n, bool big)
{
	for (int64_t k = 0; k < n; k++) {
		uint32_t bits;

		memcpy(&bits, &v[k], sizeof(bits));
		for (int i = 0; i < 4; i++)
			to[4 * k + (big ? 3 - i : i)] = (unsigned char)(bits >> 8 * i);
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

enum { HEAD = 16 }; /* words */

static void make_head(const struct emission *e, uint64_t weights_id, uint32_t head[HEAD])
{
	const char *magic = "SKIPCWTS";
	const uint64_t number[] = { (uint64_t)e->plan->weights_bytes, e->code_id, weights_id };

	memset(head, 0, HEAD * sizeof(*head));
	for (int k = 0; k < 8; k++)
		head[k / 4] |= (uint32_t)(unsigned char)magic[k] << 8 * (k % 4);
	head[2] = 0x01020304u;
	head[3] = 2;
	for (int k = 0; k < 3; k++) {
		head[4 + 2 * k] = (uint32_t)number[k];
		head[5 + 2 * k] = (uint32_t)(number[k] >> 32);
	}
}

/* As bytes, or as C. The same number of characters whatever it says: it is written before the
 * weights and, when their checksum is known, again. */
static void write_head(const struct emission *e, FILE *f, enum weights_form form)
{
	uint32_t head[HEAD];

	make_head(e, e->weights_id, head);
	for (int k = 0; k < HEAD; k++) {
		if (form == WEIGHTS_TEXT || form == WEIGHTS_ROWS) {
			fprintf(f, "%s0x%08xu%s", k % 8 == 0 ? "\t" : " ", head[k],
				k + 1 == HEAD ? "\n" : k % 8 == 7 ? ",\n" : ",");
			continue;
		}
		for (int i = 0; i < 4; i++)
			fputc((int)(head[k] >> 8 * (e->options->big_endian ? 3 - i : i) & 255), f);
	}
}

/* Where the weights go, in which form, and what has gone. */
struct writer {
	FILE *f;
	enum weights_form form;
	bool big_endian;
	struct row_writer rows;
	int64_t at; /* bytes */
	struct crc64 crc;
};

static void write_floats(struct writer *w, const float *v, int64_t n)
{
	enum { PART = 1024 };
	unsigned char bytes[4 * PART];

	for (int64_t k = 0, m; k < n; k += m, w->at += 4 * m) {
		m = n - k < PART ? n - k : PART;
		to_bytes(bytes, v + k, m, false);
		crc64_add(&w->crc, bytes, (size_t)m * 4);
		if (w->big_endian)
			to_bytes(bytes, v + k, m, true);
		if (w->form == WEIGHTS_TEXT)
			write_text(w->f, v + k, m);
		else if (w->form == WEIGHTS_ROWS)
			write_rows(&w->rows, bytes, 4 * m);
		else
			fwrite(bytes, 4, (size_t)m, w->f);
	}
}

/* Every blob in turn, each behind the zeros that align it. One at a time is in memory. */
static void write_blobs(struct emission *e, struct writer *w)
{
	static const float zeros[16] = { 0.0f };

	for (int k = 0; k < e->plan->nblob; k++) {
		const struct blob *b = e->plan->blob[k];

		if (b->packing == PACK_TABLE)
			continue;
		write_floats(w, zeros, (b->buffer->offset - w->at) / 4);
		if (w->form == WEIGHTS_TEXT)
			fprintf(w->f, "\t/* %s: %s, %s */\n",
				prov_text(e->arena, e->plan->graph, b->prov, 3),
				shape_text(e->arena, &b->tensor[0]->shape),
				packing_text(e->arena, b));
		float *v = malloc((size_t)b->count * sizeof(*v));

		if (v == NULL)
			out_of_memory();
		pack_blob(e->plan, b, v);
		write_floats(w, v, b->count);
		free(v);
	}
	if (w->form == WEIGHTS_ROWS && w->rows.at % ROW != 0)
		fputs("\" },\n", w->f);
}

/* The head and the weights behind it, with `between` in the middle; sets e->weights_id. */
static void write_weights(struct emission *e, FILE *f, enum weights_form form, const char *between)
{
	struct writer w = {
		.f = f, .form = form, .big_endian = e->options->big_endian, .rows = { .f = f }
	};
	const long place = ftell(f);

	write_head(e, f, form);
	fputs(between, f);
	crc64_begin(&w.crc);
	write_blobs(e, &w);
	e->weights_id = crc64_end(&w.crc);
	fseek(f, place, SEEK_SET);
	write_head(e, f, form);
	fseek(f, 0, SEEK_END);
}

static void emit_bin(struct emission *e)
{
	FILE *f = output_open(e->out, arena_printf(e->arena, "%s_weights.bin", e->name));

	if (f != NULL)
		write_weights(e, f, WEIGHTS_BIN, "");
}

/* Refuses targets of the other byte order, where the compiler says which it has. */
static void write_order_check(const struct emission *e, FILE *f)
{
	const bool big = e->options->big_endian;

	fprintf(f,
		"#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_%s_ENDIAN__\n"
		"#error \"these bytes are %s endian: compile the model with --byte-order=%s, or "
		"--weights=text\"\n#endif\n\n",
		big ? "BIG" : "LITTLE", big ? "big" : "little", big ? "little" : "big");
}

/* The bytes of NAME_weights.bin by way of the assembler: a read-only section, as each format of
 * object files calls it. */
static void emit_incbin(struct emission *e, FILE *f)
{
	static const char sections[] =
		"#if defined(__APPLE__) /* Mach-O */\n"
		"#define SECTION \".pushsection __TEXT,__const\\n\\t.private_extern \" SYMBOL\n"
		"#define BACK \".popsection\"\n"
		"#elif defined(_WIN32) /* COFF */\n"
		"#define SECTION \".section .rdata,\\\"dr\\\"\"\n"
		"#define BACK \".text\"\n"
		"#elif defined(__wasm__)\n"
		"#define SECTION \".section .rodata.\" SYMBOL \",\\\"\\\",@\\n\\t.hidden \" SYMBOL\n"
		"#define BACK \".size \" SYMBOL \", . - \" SYMBOL \"\\n\\t.text\"\n"
		"#elif defined(__ELF__)\n"
		"#define SECTION \".pushsection .rodata\\n\\t.hidden \" SYMBOL\n"
		"#define BACK \".popsection\"\n";

	fprintf(f,
		"/* Weights of %s: %lld bytes, in %s_weights.bin beside this file. The assembler "
		"looks for it where -I says;\n"
		" * define %s_WEIGHTS_FILE as its path (a string) where that does not suit, as with "
		"-flto, which forgets -I.\n"
		" * With %s_NO_WEIGHTS nothing is linked in, and init wants the file's contents. */\n"
		"#ifndef %s_WEIGHTS_FILE\n#define %s_WEIGHTS_FILE \"%s_weights.bin\"\n#endif\n\n",
		e->name, (long long)e->plan->weights_bytes, e->name, e->upper, e->upper, e->upper,
		e->upper, e->name);
	fprintf(f, "#ifndef %s_NO_WEIGHTS\n", e->upper);
	write_order_check(e, f);
	fprintf(f,
		"#define TEXT(x) #x\n#define TEXT_OF(x) TEXT(x)\n"
		"#define SYMBOL TEXT_OF(__USER_LABEL_PREFIX__) \"%s_weights\"\n%s#endif\n\n"
		"#if !defined(SECTION) || !(defined(__GNUC__) || defined(__clang__))\n"
		"#error \"this assembler takes in no file: compile the model with --weights=rows or "
		"text, or define %s_NO_WEIGHTS everywhere and give init the file\"\n#endif\n",
		e->name, sections, e->upper);
	fprintf(f,
		"__asm__(SECTION \"\\n\\t.balign 64\\n\\t.globl \" SYMBOL \"\\n\" SYMBOL\n"
		"\t\":\\n\\t.incbin \\\"\" %s_WEIGHTS_FILE \"\\\"\\n\\t\" BACK \"\\n\");\n#endif\n\n"
		"/* A translation unit may not be empty. */\nextern const unsigned char "
		"%s_weights[];\n",
		e->upper, e->name);
}

static void emit_array(struct emission *e, FILE *f, enum weights_form form)
{
	const long long bytes = (long long)e->plan->weights_bytes;
	const bool rows = form == WEIGHTS_ROWS;

	fprintf(f,
		"/* Weights of %s: %lld bytes, packed for its kernels. */\n#include <stdint.h>\n\n",
		e->name, bytes);
	if (rows)
		write_order_check(e, f);
	fprintf(f, "extern const struct %s_weights {\n\tuint32_t head[%d];\n", e->name, HEAD);
	if (rows)
		fprintf(f, "\tunion {\n\t\tchar rows[%lld][%d];\n\t\tfloat values[%lld];\n\t} of;\n",
			(bytes + ROW - 1) / ROW, ROW, bytes / 4);
	else
		fprintf(f, "\tfloat values[%lld];\n", bytes > 0 ? bytes / 4 : 1);
	fprintf(f, "} %s_weights;\n\nconst struct %s_weights %s_weights = { {\n", e->name, e->name,
		e->name);
	write_weights(e, f, form, rows ? "}, { {\n" : "}, {\n");
	if (bytes == 0)
		fputs("\t0x0p+0f,\n", f);
	fputs(rows ? "} } };\n" : "} };\n", f);
}

/* Of no type that would depend on the form: only its address is used. */
void emit_weights_declaration(const struct emission *e, struct buf *out)
{
	if (weights_form(e) != WEIGHTS_BIN)
		buf_printf(out, "struct %s_weights;\nextern const struct %s_weights %s_weights;\n\n",
			e->name, e->name, e->name);
}

/* check_weights() of generated code. The words of the head are of this machine's byte order, or they
 * are refused; so are the floats, whose little-endian bytes the checksum is of. */
void emit_weights_check(const struct emission *e, struct buf *out)
{
	struct crc64 *c = arena_alloc(e->arena, sizeof(*c));
	uint32_t head[HEAD];

	crc64_begin(c);
	buf_puts(out,
		"/* CRC-64/XZ (polynomial 0x42f0e1eba9ea3693 of ECMA-182, reflected) of n bytes, a nibble "
		"at a time; of words\n"
		" * whose bytes are in reverse order with `flip` 3. Volatile: the compiler may know what "
		"stood there once. */\n"
		"static uint64_t crc64(const volatile unsigned char *bytes, size_t n, size_t flip)\n{\n"
		"\tstatic const uint64_t table[16] = {");
	for (int k = 0; k < 16; k++)
		buf_printf(out, "%sUINT64_C(0x%016llx)%s", k % 4 == 0 ? "\n\t\t" : " ",
			(unsigned long long)c->table[0][16 * k], k < 15 ? "," : "\n\t};\n");
	buf_puts(out,
		"\tuint64_t sum = ~(uint64_t)0;\n\n"
		"\tfor (size_t k = 0; k < n; k++) {\n\t\tsum ^= bytes[k ^ flip];\n"
		"\t\tsum = sum >> 4 ^ table[sum & 15];\n\t\tsum = sum >> 4 ^ table[sum & 15];\n"
		"\t}\n\treturn ~sum;\n}\n\n"
		"static uint64_t id_of(const uint32_t *head)\n{\n"
		"\treturn (uint64_t)head[9] << 32 | head[8];\n}\n\n");
	make_head(e, 0, head);
	buf_printf(out,
		"/* Are these weights of this code, and whole? Their head is 32-bit words: a magic "
		"number, a byte order mark,\n"
		" * a version, the size, %s_CODE_ID, the weights' own checksum (0 here), zeros. */\n"
		"static int check_weights(const void *weights, int all)\n{\n"
		"\tstatic const uint32_t head[%d] = {",
		e->upper, HEAD);
	for (int k = 0; k < 8; k++)
		buf_printf(out, "%s0x%08xu%s", k % 8 == 0 ? "\n\t\t" : " ", head[k],
			k < 7 ? "," : "\n\t};\n");
	buf_printf(out,
		"\tconst uint32_t *const have = (const uint32_t *)weights;\n"
		"\tconst unsigned char *const bytes = (const unsigned char *)weights;\n\n"
		"\tif (have[2] == 0x04030201u)\n\t\treturn %s_E_BYTE_ORDER;\n"
		"\tfor (int k = 0; k < %d; k++)\n"
		"\t\tif (have[k] != head[k] && k / 2 != 4)\n\t\t\treturn %s_E_WEIGHTS;\n"
		"\tif (all && crc64(bytes + %d, %s_WEIGHTS_SIZE, bytes[8] == 4 ? 0 : 3) != "
		"id_of(have))\n\t\treturn %s_E_CHECKSUM;\n"
		"\treturn %s_OK;\n}\n\n",
		e->upper, HEAD, e->upper, HEAD * 4, e->upper, e->upper, e->upper);
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
