/* The checksum is the one that others compute: CRC-64/XZ. */
#include "core/skipc.h"

#include <check.h>
#include <stdlib.h>

static uint64_t crc_of(const char *data, size_t n, size_t first)
{
	struct crc64 c;

	crc64_begin(&c);
	crc64_add(&c, data, first);
	crc64_add(&c, data + first, n - first);
	return crc64_end(&c);
}

START_TEST(test_check_value)
{
	ck_assert_uint_eq(crc_of("123456789", 9, 0), UINT64_C(0x995dc9bbdf1939fa));
	ck_assert_uint_eq(crc_of("", 0, 0), 0);
	/* of the text that `xz --check=crc64` would see, in whatever pieces it comes */
	for (size_t k = 0; k <= 43; k++)
		ck_assert_uint_eq(crc_of("The quick brown fox jumps over the lazy dog", 43, k),
				  UINT64_C(0x5b5eb8c2e54aa1c4));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("crc");
	TCase *t = tcase_create("crc");

	tcase_add_test(t, test_check_value);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
