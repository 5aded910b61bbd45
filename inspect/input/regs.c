/* SPDX-License-Identifier: MIT */
/* Registers: NAME=VALUE lines, and what their names say of the machine. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/input/input.h"

/* Those that say how memory is translated; all others of a longer list are passed over. */
static const char *const used[] = {"ttbr0", "ttbr1", "tcr",  "mair", "cr0", "cr1", "cr3",
				   "cr4",   "cr7",   "cr13", "efer", "pat", "satp"};

static bool is_used(const char *name)
{
	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		if (strcmp(name, used[i]) == 0)
			return true;
	return false;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* "TTBR0_EL1" and "ttbr0" are one register, and so are "IA32_PAT" and "pat". */
static void plain_name(const char *name, size_t length, char out[16])
{
	if (length > 5 && strncasecmp(name, "ia32_", 5) == 0) {
		name += 5;
		length -= 5;
	}
	if (length > 4 && strncasecmp(name + length - 4, "_el1", 4) == 0)
		length -= 4;
	if (length > 15)
		length = 15;
	for (size_t i = 0; i < length; i++)
		out[i] = lower(name[i]); // NOLINT(clang-analyzer-core.CallAndMessage): all of a name was copied
	out[length] = 0;
}

static unsigned find(const struct input_regs *regs, const char *name)
{
	unsigned i = 0;

	while (i < regs->count && strcmp(regs->reg[i].name, name) != 0)
		i++;
	return i;
}

void input_reg_set(struct input_regs *regs, const char *name, uint64_t value)
{
	char plain[16];
	unsigned i;

	plain_name(name, strlen(name), plain);
	i = find(regs, plain);
	if (!is_used(plain) || i == INPUT_REGS)
		return;
	memcpy(regs->reg[i].name, plain, sizeof(plain));
	regs->reg[i].value = value;
	if (i == regs->count)
		regs->count++;
}

bool input_reg(const struct input_regs *regs, const char *name, uint64_t *value)
{
	const unsigned i = find(regs, name);

	*value = i < regs->count ? regs->reg[i].value : 0;
	return i < regs->count;
}

static int parse_line(struct input_regs *regs, const char *from, unsigned number, char *line, struct insp_error *error)
{
	char *value = strchr(line, '='), *end, *name_end, plain[16];
	unsigned long long v;

	if (!value)
		return input_fail(error, EINVAL, "%s:%u: '%.40s'; expected NAME=VALUE", from, number, line);
	for (name_end = value; name_end > line && isspace((unsigned char)name_end[-1]);)
		name_end--;
	if (name_end <= line)
		return input_fail(error, EINVAL, "%s:%u: no name before '='; expected NAME=VALUE", from, number);
	plain_name(line, (size_t)(name_end - line), plain);
	value++;
	value += strspn(value, " \t");
	errno = 0;
	v = strtoull(value, &end, 0);
	if (end == value || errno || *value == '-' || end[strspn(end, " \t\r")] != 0)
		return input_fail(error, EINVAL, "%s:%u: %s is '%.40s'; expected 64 bits such as 0x1000", from, number,
				  plain, value);
	if (find(regs, plain) < regs->count)
		return input_fail(error, EINVAL, "%s:%u: %s for the second time; expected one CPU's registers", from,
				  number, plain);
	input_reg_set(regs, plain, v);
	return 0;
}

int input_regs_parse(struct input_regs *regs, const char *from, const char *text, size_t size, struct insp_error *error)
{
	unsigned number = 0;
	size_t at = 0;

	*regs = (struct input_regs){.from = from};
	while (at < size) {
		const char *start = text + at, *stop = memchr(start, '\n', size - at);
		const size_t length = stop ? (size_t)(stop - start) : size - at;
		char line[256], *first = line;
		int err;

		at += length + 1;
		number++;
		if (length >= sizeof(line))
			return input_fail(error, EINVAL, "%s:%u: a line of %zu bytes; expected NAME=VALUE", from,
					  number, length);
		if (memchr(start, 0, length))
			return input_fail(error, EINVAL, "%s:%u: no text; expected NAME=VALUE", from, number);
		memcpy(line, start, length);
		line[length] = 0;
		first += strspn(first, " \t\r");
		if (*first == 0 || *first == '#')
			continue;
		err = parse_line(regs, from, number, first, error);
		if (err)
			return err;
	}
	if (regs->count == 0)
		return input_fail(error, EINVAL,
				  "%s: no register that says where tables are; expected cr3, TTBR1_EL1 "
				  "and TCR_EL1, satp, or s390x cr1",
				  from);
	return 0;
}

int input_regs_arch(const struct input_regs *regs)
{
	uint64_t v;

	if (input_reg(regs, "ttbr0", &v) || input_reg(regs, "ttbr1", &v) || input_reg(regs, "tcr", &v))
		return COP_ARM64;
	if (input_reg(regs, "satp", &v))
		return COP_RISCV64;
	/* x86-64 has no CR1, CR7 or CR13; s390x has a CR3 and a CR4 that mean something else. */
	if (input_reg(regs, "cr1", &v) || input_reg(regs, "cr7", &v) || input_reg(regs, "cr13", &v))
		return COP_S390X;
	if (input_reg(regs, "cr3", &v))
		return COP_X86_64;
	return -1;
}
