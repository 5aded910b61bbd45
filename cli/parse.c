// SPDX-License-Identifier: MIT
#include <string.h>

#include <coppice/format.h>

#include "cli/parse.h"

static const char expected_size[] = "a size such as 4096, 64K, 128M or 4G";
static const char expected_count[] = "a whole decimal number in range";

/* Leading decimal digits; *rest is the text itself when there is none or the value does not fit. */
static uint64_t digits(const char *text, const char **rest)
{
	uint64_t v = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (v > (UINT64_MAX - digit) / 10) {
			*rest = text;
			return 0;
		}
		v = v * 10 + digit;
	}
	*rest = at;
	return v;
}

static bool is_unit(const char *text)
{
	return !*text || !strcmp(text, "B") || !strcmp(text, "iB");
}

struct parsed parse_size(const char *text)
{
	static const char units[] = "KMGTP";
	const struct parsed bad = {0, expected_size};
	const char *rest, *unit;
	uint64_t v = digits(text, &rest);
	unsigned shift;

	if (rest == text)
		return bad;
	if (!*rest)
		return (struct parsed){v, NULL};
	unit = strchr(units, *rest >= 'a' && *rest <= 'z' ? *rest - 'a' + 'A' : *rest);
	if (!unit || !is_unit(rest + 1))
		return bad;
	shift = 10 * (unsigned)(unit - units + 1);
	if (v > UINT64_MAX >> shift)
		return bad;
	return (struct parsed){v << shift, NULL};
}

struct parsed parse_count(const char *text, uint64_t min, uint64_t max)
{
	const char *rest;
	uint64_t v = digits(text, &rest);

	if (rest == text || *rest || v < min || v > max)
		return (struct parsed){0, expected_count};
	return (struct parsed){v, NULL};
}

struct parsed parse_arch(const char *text)
{
	static const struct {
		const char *name;
		enum cop_arch arch;
	} names[] = {
		{"arm64", COP_ARM64},  {"aarch64", COP_ARM64},   {"x86-64", COP_X86_64}, {"x86_64", COP_X86_64},
		{"amd64", COP_X86_64}, {"riscv64", COP_RISCV64}, {"s390x", COP_S390X},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(names[i].name, text))
			return (struct parsed){names[i].arch, NULL};
	return (struct parsed){0, "arm64, x86-64, riscv64 or s390x"};
}
