/*
 * CRC-64/XZ: polynomial 0x42f0e1eba9ea3693 of ECMA-182 (Annex B), reflected; begins with all ones,
 * ends inverted. Its value of "123456789" is 0x995dc9bbdf1939fa. Any error of up to 64 bits in a row
 * changes it. Eight bytes a step, as there are hundreds of megabytes of weights.
 */
#include "core/skipc.h"

enum { BYTES = 8 };

void crc64_begin(struct crc64 *c)
{
	const uint64_t polynomial = UINT64_C(0xc96c5795d7870f42);

	c->sum = ~UINT64_C(0);
	for (int k = 0; k < 256; k++) {
		uint64_t v = (uint64_t)k;

		for (int bit = 0; bit < 8; bit++)
			v = v >> 1 ^ ((v & 1) != 0 ? polynomial : 0);
		c->table[0][k] = v;
	}
	/* [i]: the byte, with i zeros behind it */
	for (int i = 1; i < BYTES; i++)
		for (int k = 0; k < 256; k++)
			c->table[i][k] = c->table[i - 1][k] >> 8 ^
					 c->table[0][c->table[i - 1][k] & 255];
}

void crc64_add(struct crc64 *c, const void *data, size_t n)
{
	const unsigned char *b = data;
	uint64_t sum = c->sum;

	for (; n >= BYTES; n -= BYTES, b += BYTES) {
		uint64_t next = 0;

		for (int i = 0; i < BYTES; i++)
			next ^= c->table[BYTES - 1 - i][(sum >> 8 * i & 255) ^ b[i]];
		sum = next;
	}
	for (; n > 0; n--, b++)
		sum = sum >> 8 ^ c->table[0][(sum & 255) ^ *b];
	c->sum = sum;
}

uint64_t crc64_end(const struct crc64 *c)
{
	return ~c->sum;
}
