/* SPDX-License-Identifier: MIT */
/* printf of what kernels print, and test results in KTAP. */
#include "ports/bare/common/bare.h"

#include <stdarg.h>

static cop_spinlock console;
static struct {
	unsigned planned, done, failed;
} tests;

struct spec {
	unsigned width;
	bool zero, left, longer;
};

static void pad(unsigned from, unsigned to, char c)
{
	for (; from < to; from++)
		bare_putc(c);
}

static void put_string(const char *s, const struct spec *spec)
{
	unsigned n = 0;

	while (s[n])
		n++;
	if (!spec->left)
		pad(n, spec->width, ' ');
	for (unsigned i = 0; i < n; i++)
		bare_putc(s[i]);
	if (spec->left)
		pad(n, spec->width, ' ');
}

static void put_number(uint64_t value, unsigned base, bool negative, const struct spec *spec)
{
	char digits[24];
	unsigned n = 0, sign = negative;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (!spec->left && !spec->zero)
		pad(n + sign, spec->width, ' ');
	if (negative)
		bare_putc('-');
	if (!spec->left && spec->zero)
		pad(n + sign, spec->width, '0');
	while (n > 0) {
		bare_putc(digits[--n]);
		sign++;
	}
	if (spec->left)
		pad(sign, spec->width, ' ');
}

static const char *read_spec(const char *f, struct spec *spec)
{
	*spec = (struct spec){0};
	for (; *f == '0' || *f == '-'; f++) {
		spec->zero |= *f == '0';
		spec->left |= *f == '-';
	}
	for (; *f >= '0' && *f <= '9'; f++)
		spec->width = spec->width * 10 + (unsigned)(*f - '0');
	for (; *f == 'l'; f++)
		spec->longer = true;
	return f;
}

static void print(const char *f, va_list args)
{
	struct spec spec;
	int64_t number;

	for (; *f; f++) {
		if (*f != '%') {
			bare_putc(*f);
			continue;
		}
		f = read_spec(f + 1, &spec);
		switch (*f) {
		case 's':
			put_string(va_arg(args, const char *), &spec);
			break;
		case 'c':
			bare_putc((char)va_arg(args, int));
			break;
		case 'd':
			number = spec.longer ? va_arg(args, long) : va_arg(args, int);
			put_number(number < 0 ? -(uint64_t)number : (uint64_t)number, 10, number < 0, &spec);
			break;
		case 'u':
			put_number(spec.longer ? va_arg(args, unsigned long) : va_arg(args, unsigned), 10, false,
				   &spec);
			break;
		case 'x':
			put_number(spec.longer ? va_arg(args, unsigned long) : va_arg(args, unsigned), 16, false,
				   &spec);
			break;
		case 'p':
			put_number((uint64_t)(uintptr_t)va_arg(args, void *), 16, false, &spec);
			break;
		case '\0':
			return;
		default:
			bare_putc(*f);
		}
	}
}

static uintptr_t hold(void)
{
	const uintptr_t irqs = cop_irq_save();

	cop_spin_lock(&console);
	return irqs;
}

static void release(uintptr_t irqs)
{
	cop_spin_unlock(&console);
	cop_irq_restore(irqs);
}

void bare_console_unlock(void)
{
	cop_spin_unlock(&console);
}

void bare_printf(const char *format, ...)
{
	const uintptr_t irqs = hold();
	va_list args;

	va_start(args, format);
	print(format, args);
	va_end(args);
	release(irqs);
}

void bare_plan(unsigned count)
{
	tests.planned = count;
	bare_printf("KTAP version 1\n1..%u\n", count);
}

void bare_result(bool ok, const char *format, ...)
{
	const uintptr_t irqs = hold();
	const struct spec none = {0};
	va_list args;

	tests.done++;
	tests.failed += !ok;
	put_string(ok ? "ok " : "not ok ", &none);
	put_number(tests.done, 10, false, &none);
	bare_putc(' ');
	va_start(args, format);
	print(format, args);
	va_end(args);
	bare_putc('\n');
	release(irqs);
}

void bare_skip(const char *name, const char *why)
{
	tests.done++;
	bare_printf("ok %u %s # SKIP %s\n", tests.done, name, why);
}

void bare_row(const char *geometry, uint64_t probes, uint64_t scenarios, uint64_t ns)
{
	bare_printf("# row|%s|%s|%lu|%lu|%lu\n", bare_arch, geometry, (unsigned long)probes, (unsigned long)scenarios,
		    (unsigned long)(ns / 1000000));
}

void bare_end(void)
{
	bare_printf("# end: %u planned, %u done, %u failed\n", tests.planned, tests.done, tests.failed);
	bare_off();
}
