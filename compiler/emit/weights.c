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
 *   8   NAME_WEIGHTS_ID: CRC-64/XZ of the weights, as little-endian elements
 *   10  zeros
 */
#include "emit/emission.h"

#include <stdlib.h>
#include <string.h>

enum { ROW = WEIGHTS_ROW, SLICE = 8 * 12 * 8192 }; /* SLICE: whole rows of elements of any type */

/* Elements of one type lie together (pack.c). Where those begin, and those of the next; false: there are none. */
static bool find_part(const struct plan *p, enum dtype type, int64_t *begin, int64_t *end)
{
	*begin = *end = p->weights_bytes;
	for (int k = p->nblob - 1; k >= 0; k--) {
		const struct blob *b = p->blob[k];

		if (b->buffer->kind != BUF_WEIGHTS)
			continue;
		if (b->type == type)
			*begin = b->buffer->offset;
		else if (*begin == *end)
			*begin = *end = b->buffer->offset;
	}
	return *begin < *end;
}

/* ---- elements as text ---- */

/* An element that lies at v, low byte first. */
static uint64_t bits_at(const unsigned char *v, int size)
{
	uint64_t bits = 0;

	for (int i = 0; i < size; i++)
		bits |= (uint64_t)v[i] << 8 * i;
	return bits;
}

/* Hexadecimal, the same text on any host. */
static void put_float(struct buf *out, uint32_t bits)
{
	const char *sign = bits >> 31 != 0 ? "-" : "";
	int exponent = (int)(bits >> 23 & 255u);
	unsigned fraction = bits << 1 & 0xffffffu, digits = 6;

	if (exponent == 255) {
		buf_printf(out, "(%s%s / 0.0f),", sign, fraction != 0 ? "0.0f" : "1.0f");
		return;
	}
	while (digits > 0 && (fraction & 15u) == 0) {
		fraction >>= 4;
		digits--;
	}
	buf_printf(out, "%s0x%d", sign, exponent > 0);
	if (digits > 0)
		buf_printf(out, ".%0*x", (int)digits, fraction);
	buf_printf(out, "p%+df,", exponent > 0 ? exponent - 127 : digits > 0 ? -126 : 0);
}

static void put_integer(struct buf *out, uint64_t bits, enum dtype type)
{
	const int unused = 64 - 8 * dtypes[type].size;

	if (type == DT_U64)
		buf_printf(out, "%lluu,", (unsigned long long)bits);
	else if (dtypes[type].ctype[0] == 'u')
		buf_printf(out, "%llu,", (unsigned long long)bits);
	else if (bits == (uint64_t)1 << 63)
		buf_puts(out, "INT64_MIN,");
	else
		buf_printf(out, "%lld,", (long long)(int64_t)(bits << unused) >> unused);
}

void put_elements(struct buf *out, enum dtype type, const unsigned char *v, int64_t n)
{
	const int size = dtypes[type].size, row = type == DT_F32 ? 8 : 12;

	for (int64_t k = 0; k < n; k++, v += size) {
		buf_puts(out, k % row == 0 ? "\t" : " ");
		if (type == DT_F32)
			put_float(out, (uint32_t)bits_at(v, size));
		else
			put_integer(out, bits_at(v, size), type);
		if (k % row == row - 1 || k + 1 == n)
			buf_puts(out, "\n");
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

/* Elements that lie low byte first; those of the machine's order take their place. */
static void write_elements(struct writer *w, enum dtype type, unsigned char *v, int64_t bytes)
{
	const int size = dtypes[type].size;
	struct buf text = { 0 };

	crc64_add(&w->crc, v, (size_t)bytes);
	w->at += bytes;
	if (w->form == WEIGHTS_TEXT) {
		put_elements(&text, type, v, bytes / size);
		fputs(text.len > 0 ? text.data : "", w->f);
		buf_release(&text);
		return;
	}
	for (int64_t k = 0; w->big_endian && k < bytes; k += size)
		for (int i = 0; i < size / 2; i++) {
			const unsigned char low = v[k + i];

			v[k + i] = v[k + size - 1 - i];
			v[k + size - 1 - i] = low;
		}
	if (w->form == WEIGHTS_ROWS)
		write_rows(&w->rows, v, bytes);
	else
		fwrite(v, 1, (size_t)bytes, w->f);
}

/* Every blob in turn, each behind the zeros that align it. One at a time is in memory. */
static void write_blobs(struct emission *e, struct writer *w)
{
	enum dtype type = DT_F32; /* of the one before */

	for (int k = 0; k < e->plan->nblob; k++) {
		const struct blob *b = e->plan->blob[k];
		unsigned char zeros[64] = { 0 };

		if (b->buffer->kind != BUF_WEIGHTS)
			continue;
		write_elements(w, type, zeros, b->buffer->offset - w->at);
		if (w->form == WEIGHTS_TEXT && b->type != type && w->at > 0)
			fputs("}, {\n", w->f);
		type = b->type;
		if (w->form == WEIGHTS_TEXT)
			fprintf(w->f, "\t/* %s: %s, %s */\n",
				prov_text(e->arena, e->plan->graph, b->prov, 3),
				shape_text(e->arena, &b->tensor[0]->shape),
				packing_text(e->arena, b));
		unsigned char *v = malloc((size_t)b->buffer->bytes);

		if (v == NULL)
			out_of_memory();
		pack_blob(e->plan, b, v);
		for (int64_t at = 0, n; at < b->buffer->bytes; at += n) {
			n = b->buffer->bytes - at < SLICE ? b->buffer->bytes - at : SLICE;
			progress(e->plan->graph->diag, "weights, %lld of %lld MB", (long long)(w->at >> 20),
				(long long)(e->plan->weights_bytes >> 20));
			write_elements(w, type, v + at, n);
		}
		free(v);
	}
	if (w->form == WEIGHTS_ROWS && w->rows.at % ROW != 0)
		fputs("\" },\n", w->f);
	progress_end(e->plan->graph->diag);
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
static const char *order_check(const struct emission *e)
{
	const bool big = e->options->big_endian;

	return arena_printf(e->arena,
		"#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_%s_ENDIAN__\n"
		"#error \"these bytes are %s endian: compile the model with --byte-order=%s, or --weights=text\"\n"
		"#endif\n\n",
		big ? "BIG" : "LITTLE", big ? "big" : "little", big ? "little" : "big");
}

/* The bytes of NAME_weights.bin by way of the assembler. */
static void emit_incbin(struct emission *e, FILE *f)
{
	struct filling words;

	interface_words(e, &words);
	fill_word(&words, "ORDER_CHECK", order_check(e));
	fputs(fill(&words, "interface/NAME_weights"), f);
}

/* Arrays of the weights' elements: in the text form one behind the other, else of the whole in each type. */
static void write_arrays(const struct emission *e, FILE *f, const char *indent, bool whole)
{
	int64_t begin, end;

	if (e->plan->weights_bytes == 0)
		fprintf(f, "%sfloat values[1];\n", indent);
	for (enum dtype type = DT_F32; type < DT_COUNT; type++)
		if (find_part(e->plan, type, &begin, &end))
			fprintf(f, "%s%s %s[%lld];\n", indent, dtypes[type].ctype,
				type == DT_F32 ? "values" : dtypes[type].name,
				(long long)((whole ? e->plan->weights_bytes : end - begin) /
					    dtypes[type].size));
}

static void emit_array(struct emission *e, FILE *f, enum weights_form form)
{
	const long long bytes = (long long)e->plan->weights_bytes;
	const bool rows = form == WEIGHTS_ROWS;

	fprintf(f,
		"/* Weights of %s: %lld bytes, packed for its kernels. */\n#include <stdint.h>\n\n",
		e->name, bytes);
	if (rows)
		fputs(order_check(e), f);
	fprintf(f, "extern const struct %s_weights {\n\tuint32_t head[%d];\n", e->name, HEAD);
	if (rows)
		fprintf(f, "\tunion {\n\t\tchar rows[%lld][%d];\n", (bytes + ROW - 1) / ROW, ROW);
	write_arrays(e, f, rows ? "\t\t" : "\t", rows);
	fprintf(f, "%s} %s_weights;\n\nconst struct %s_weights %s_weights = { {\n",
		rows ? "\t} of;\n" : "", e->name, e->name, e->name);
	write_weights(e, f, form, rows ? "}, { {\n" : "}, {\n");
	if (bytes == 0)
		fputs("\t0x0p+0f,\n", f);
	fputs(rows ? "} } };\n" : "} };\n", f);
}

const char *weights_sums(const struct emission *e)
{
	struct buf out = { 0 };
	int64_t begin, end;

	for (enum dtype type = DT_F32; type < DT_COUNT; type++) {
		const int flip = dtypes[type].size - 1;

		if (!find_part(e->plan, type, &begin, &end) && (end > 0 || type != DT_F32))
			continue;
		buf_printf(&out, "\t\tsum = crc64(sum, bytes + %lld, ", (long long)(HEAD * 4 + begin));
		if (begin == 0 && end == e->plan->weights_bytes)
			buf_printf(&out, "%s_WEIGHTS_SIZE", e->upper);
		else
			buf_printf(&out, "%lld", (long long)(end - begin));
		buf_printf(&out, flip > 0 ? ", bytes[8] == 4 ? 0 : %d);\n" : ", 0);\n", flip);
	}
	return buf_text(e->arena, &out);
}

const char *weights_head(const struct emission *e)
{
	struct buf out = { 0 };
	uint32_t head[HEAD];

	make_head(e, 0, head);
	for (int k = 0; k < 8; k++)
		buf_printf(&out, "%s0x%08xu", k > 0 ? ", " : "", head[k]);
	return buf_text(e->arena, &out);
}

void emit_weights(struct emission *e)
{
	const enum weights_form form = e->form;

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
