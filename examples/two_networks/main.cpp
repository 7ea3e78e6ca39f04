// Two compiled networks in one C++11 program, with one arena between them.
//
//	two_networks IMAGES.npy
//
// What a network leaves in the arena means nothing to it, so networks that do not run at the same time may share one:
// the larger of the two sizes is enough. Exit status: 0, 1 when a network fails or the sharing changed its
// result, 2 when the images cannot be read.
#include "digits.h"
#include "highway.h"

#include <cstdio>
#include <cstring>

namespace {

constexpr int count = 360, shown = 5, pixels = DIGITS_INPUT0_COUNT, classes = DIGITS_OUTPUT0_COUNT;
static_assert(HIGHWAY_INPUT0_COUNT == pixels && HIGHWAY_OUTPUT0_COUNT == classes, "the networks do not go together");

constexpr std::size_t larger(std::size_t a, std::size_t b) { return a > b ? a : b; }

constexpr std::size_t arena_size = larger(DIGITS_ARENA_SIZE, HIGHWAY_ARENA_SIZE);
constexpr std::size_t arena_align = larger(DIGITS_ARENA_ALIGN, HIGHWAY_ARENA_ALIGN);

alignas(arena_align) unsigned char arena[arena_size];
alignas(64) unsigned char prepared_digits[DIGITS_PREPARED_SIZE + 1];   // + 1: the size may be 0
alignas(64) unsigned char prepared_highway[HIGHWAY_PREPARED_SIZE + 1];
float images[count][pixels];

bool read_images(const char *path)
{
	unsigned char head[10];
	std::FILE *f = std::fopen(path, "rb");

	if (f == nullptr)
		return false;
	bool ok = std::fread(head, 1, 10, f) == 10 && std::memcmp(head, "\x93NUMPY\x01", 7) == 0 &&
		  std::fseek(f, head[8] + 256L * head[9], SEEK_CUR) == 0 &&
		  std::fread(images, sizeof(images), 1, f) == 1;
	std::fclose(f);
	return ok;
}

int largest(const float (&scores)[classes])
{
	int best = 0;

	for (int k = 1; k < classes; k++)
		if (scores[k] > scores[best])
			best = k;
	return best;
}

} // namespace

int main(int argc, char **argv)
{
	digits residual;
	highway gated;
	int agree = 0;

	if (argc != 2 || !read_images(argv[1])) {
		std::fprintf(stderr, "usage: two_networks IMAGES.npy, of %d images\n", count);
		return 2;
	}
	int status = digits_init(&residual, prepared_digits, nullptr);
	if (status != DIGITS_OK) {
		std::fprintf(stderr, "digits: %s\n", digits_error(status));
		return 1;
	}
	status = highway_init(&gated, prepared_highway, nullptr);
	if (status != HIGHWAY_OK) {
		std::fprintf(stderr, "highway: %s\n", highway_error(status));
		return 1;
	}
	for (int k = 0; k < count; k++) {
		float scores[classes], again[classes], others[classes];

		if (digits_run(&residual, images[k], scores, arena) != DIGITS_OK ||
		    highway_run(&gated, images[k], others, arena) != HIGHWAY_OK ||
		    digits_run(&residual, images[k], again, arena) != DIGITS_OK) {
			std::fprintf(stderr, "image %d: a network failed\n", k);
			return 1;
		}
		if (std::memcmp(scores, again, sizeof(scores)) != 0) {
			std::fprintf(stderr, "image %d: the highway's run changed the residual network's result\n", k);
			return 1;
		}
		agree += largest(scores) == largest(others);
		if (k < shown)
			std::printf("    image %d: residual says %d (score %6.2f), highway says %d (score %6.2f)\n", k,
				    largest(scores), static_cast<double>(scores[largest(scores)]), largest(others),
				    static_cast<double>(others[largest(others)]));
	}
	std::printf("    they agree on %d of %d images; arenas of %d and %d bytes, shared: %d\n", agree, count,
		    static_cast<int>(DIGITS_ARENA_SIZE), static_cast<int>(HIGHWAY_ARENA_SIZE), static_cast<int>(arena_size));
	return 0;
}
