/* Classifies ten images that lie in flash, and prints a hash of all bits that came out: the same on every machine.
 * Returns how many are wrong. */
#include "board.h"
#include "images.h"
#include "infer.h"

#include <stdint.h>

static void put_number(uint32_t value, unsigned base, unsigned digits)
{
	char text[12];
	unsigned k = sizeof(text) - 1;

	text[k] = '\0';
	do {
		text[--k] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value > 0 || sizeof(text) - 1 - k < digits);
	board_puts(text + k);
}

/* FNV-1a over the bits of the scores. */
static uint32_t hash(uint32_t h, const float *scores)
{
	for (int k = 0; k < INFER_CLASSES; k++) {
		union {
			float value;
			uint32_t bits;
		} u = { scores[k] };

		for (int shift = 0; shift < 32; shift += 8)
			h = (h ^ (u.bits >> shift & 255u)) * 16777619u;
	}
	return h;
}

int main(void)
{
	static float pixels[INFER_PIXELS], scores[INFER_CLASSES];
	uint32_t h = 2166136261u;
	int wrong = 0;

	if (infer_init() != 0)
		return 98;
	board_puts("    found");
	for (int digit = 0; digit < 10; digit++) {
		for (int k = 0; k < INFER_PIXELS; k++)
			pixels[k] = (float)images[digit][k] / 16.0f;
		const int found = infer_digit(pixels, scores);

		if (found < 0)
			return 97;
		wrong += found != digit;
		h = hash(h, scores);
		board_puts(" ");
		put_number((uint32_t)found, 10, 1);
	}
	board_puts(", hash ");
	put_number(h, 16, 8);
	if (board_stack() > 0) {
		board_puts(", stack ");
		put_number(board_stack(), 10, 1);
		board_puts(" bytes");
	}
	board_puts("\n");
	return wrong;
}
