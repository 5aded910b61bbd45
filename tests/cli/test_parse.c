// SPDX-License-Identifier: MIT
/* Option arguments are read whole or refused; what is printed is what people expect. */
// clang-format off: cmocka.h needs these before it
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <coppice/format.h>

#include "cli/out.h"
#include "cli/parse.h"

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"4096", 4096},
		{"64K", 65536},
		{"64k", 65536},
		{"2MB", 2 << 20},
		{"128MiB", 128 << 20},
		{"4G", 4ULL << 30},
		{"1T", 1ULL << 40},
		{"8191P", 8191ULL << 50},
		{"18446744073709551615", UINT64_MAX},
	};
	static const char *const bad[] = {
		"", "G", "-1", "+1", " 1", "1 ", "0x10", "1.5G", "4GG", "4Gi", "4X", "16384P", "18446744073709551616"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_null(parse_size(good[i].text).expected);
		assert_int_equal(parse_size(good[i].text).value, good[i].bytes);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_non_null(parse_size(bad[i]).expected);
}

static void counts(void **state)
{
	assert_int_equal(parse_count("7", 1, 64).value, 7);
	assert_null(parse_count("64", 1, 64).expected);
	assert_non_null(parse_count("65", 1, 64).expected);
	assert_non_null(parse_count("0", 1, 64).expected);
	assert_non_null(parse_count("7x", 1, 64).expected);
	assert_non_null(parse_count("", 0, 64).expected);
}

static void architectures(void **state)
{
	assert_int_equal(parse_arch("x86-64").value, COP_X86_64);
	assert_int_equal(parse_arch("s390x").value, COP_S390X);
	assert_non_null(parse_arch("vax").expected);
	assert_non_null(parse_arch("").expected);
}

static void texts(void **state)
{
	assert_string_equal(out_size(0).s, "0 B");
	assert_string_equal(out_size(4096).s, "4 K");
	assert_string_equal(out_size((uint64_t)3 << 29).s, "1.5 G");
	assert_string_equal(out_size(UINT64_MAX).s, "16 E");
	assert_string_equal(out_rate(12.34e9).s, "12.3 GB/s");
	assert_string_equal(out_count(1234567).s, "1,234,567");
	assert_string_equal(out_count(123).s, "123");
	assert_string_equal(out_time(0.0012).s, "1.2 ms");
	assert_string_equal(out_time(125).s, "2 min 5 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(counts),
		cmocka_unit_test(architectures),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
