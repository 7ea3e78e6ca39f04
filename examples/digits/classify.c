/* Reads the held-out digits and says what the compiled network makes of them.
 *
 *	classify IMAGES.npy LABELS.npy
 *
 * Everything about the network comes from digits.h, which `skipc compile digits.onnx` writes. Exit
 * status: 0 when at least 97 % are right, 1 when not, 2 when a file cannot be read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digits.h"

enum { SIDE = 8, PIXELS = SIDE * SIDE, CLASSES = 10, SHOWN = 3 };

/* The caller owns the arena. A union with the widest type would align it less than the network may
 * ask for, so there is room to move its start up. */
static unsigned char arena_bytes[DIGITS_ARENA_SIZE + DIGITS_ARENA_ALIGN];
static unsigned char prepared_bytes[DIGITS_PREPARED_SIZE + DIGITS_ARENA_ALIGN];

static void *align(unsigned char *p)
{
	size_t past = (size_t)p % DIGITS_ARENA_ALIGN;

	return past ? p + (DIGITS_ARENA_ALIGN - past) : p;
}

/* Opens a .npy file of version 1 with the element type `descr` (as "<f4"), and leaves it at the
 * first element. The number of elements along the first axis goes to *count. */
static FILE *npy_open(const char *path, const char *descr, size_t *count)
{
	unsigned char start[10];
	char header[1024], type[16];
	const char *shape;
	size_t length;
	FILE *f = fopen(path, "rb");

	if (!f)
		return NULL;
	if (fread(start, 1, 10, f) != 10 || memcmp(start, "\x93NUMPY\x01", 7) != 0)
		goto bad;
	length = start[8] + 256u * start[9];
	if (length >= sizeof header || fread(header, 1, length, f) != length)
		goto bad;
	header[length] = '\0';
	sprintf(type, "'%.8s'", descr);
	shape = strstr(header, "'shape': (");
	if (!shape || !strstr(header, type) || !strstr(header, "'fortran_order': False"))
		goto bad;
	*count = strtoul(shape + 10, NULL, 10);
	return f;
bad:
	fclose(f);
	return NULL;
}

static int largest(const float *scores)
{
	int best = 0, k;

	for (k = 1; k < CLASSES; k++)
		if (scores[k] > scores[best])
			best = k;
	return best;
}

/* Prints images side by side, two characters a pixel, with what was found below. */
static void show(float images[SHOWN][PIXELS], const int *found)
{
	static const char shades[] = " .:-=+*#%@";
	int row, image, column;

	for (row = 0; row < SIDE; row++) {
		for (image = 0; image < SHOWN; image++) {
			printf("    ");
			for (column = 0; column < SIDE; column++) {
				float v = images[image][row * SIDE + column];
				int shade = v <= 0 ? 0 : v >= 1 ? 9 : (int)(v * 9.99f);

				printf("%c%c", shades[shade], shades[shade]);
			}
		}
		putchar('\n');
	}
	for (image = 0; image < SHOWN; image++)
		printf("    %8s%-8d", "-> ", found[image]);
	puts("\n");
}

int main(int argc, char **argv)
{
	struct digits net;
	float shown[SHOWN][PIXELS], image[PIXELS], scores[CLASSES];
	int found[SHOWN], code;
	unsigned char label;
	size_t count = 0, labels = 0, right = 0, k;
	FILE *images_file, *labels_file;

	if (argc != 3) {
		fprintf(stderr, "usage: classify IMAGES.npy LABELS.npy\n");
		return 2;
	}
	images_file = npy_open(argv[1], "<f4", &count);
	labels_file = npy_open(argv[2], "|u1", &labels);
	if (!images_file || !labels_file || count != labels || count < SHOWN) {
		fprintf(stderr, "classify: %s and %s are not images and their labels\n", argv[1],
			argv[2]);
		return 2;
	}
	code = digits_init(&net, align(prepared_bytes), NULL);
	for (k = 0; code == 0 && k < count; k++) {
		int digit;

		if (fread(image, sizeof image, 1, images_file) != 1 ||
		    fread(&label, 1, 1, labels_file) != 1) {
			fprintf(stderr, "classify: the files end early\n");
			return 2;
		}
		code = digits_run(&net, image, scores, align(arena_bytes));
		digit = largest(scores);
		right += digit == label;
		if (k < SHOWN) {
			memcpy(shown[k], image, sizeof image);
			found[k] = digit;
		}
	}
	fclose(images_file);
	fclose(labels_file);
	if (code != 0) {
		fprintf(stderr, "classify: %s\n", digits_error(code));
		return 2;
	}
	show(shown, found);
	printf("%lu of %lu held-out digits recognised: %.2f %%  (arena %lu bytes)\n",
	       (unsigned long)right, (unsigned long)count, 100.0 * (double)right / (double)count,
	       (unsigned long)DIGITS_ARENA_SIZE);
	return right * 100 >= count * 97 ? 0 : 1;
}
