// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"

struct out_text out_size(uint64_t bytes)
{
	static const char units[] = "BKMGTPE";
	struct out_text t;
	double v = (double)bytes;
	unsigned unit = 0;

	for (; v >= 1024 && unit < sizeof(units) - 2; unit++)
		v /= 1024;
	if (v >= 100 || floor(v * 10 + 0.5) == 10 * floor(v + 0.5))
		snprintf(t.s, sizeof(t.s), "%.0f %c", v, units[unit]);
	else
		snprintf(t.s, sizeof(t.s), "%.1f %c", v, units[unit]);
	return t;
}

struct out_text out_rate(double rate)
{
	static const char *const units[] = {"B/s", "kB/s", "MB/s", "GB/s", "TB/s", "PB/s"};
	struct out_text t;
	unsigned unit = 0;

	for (; rate >= 1000 && unit < sizeof(units) / sizeof(*units) - 1; unit++)
		rate /= 1000;
	snprintf(t.s, sizeof(t.s), rate >= 100 ? "%.0f %s" : "%.1f %s", rate, units[unit]);
	return t;
}

struct out_text out_time(double seconds)
{
	struct out_text t;

	if (seconds >= 100)
		snprintf(t.s, sizeof(t.s), "%.0f min %.0f s", floor(seconds / 60), floor(fmod(seconds, 60)));
	else if (seconds >= 1)
		snprintf(t.s, sizeof(t.s), "%.1f s", seconds);
	else if (seconds >= 1e-3)
		snprintf(t.s, sizeof(t.s), "%.3g ms", seconds * 1e3);
	else if (seconds >= 1e-6)
		snprintf(t.s, sizeof(t.s), "%.3g us", seconds * 1e6);
	else
		snprintf(t.s, sizeof(t.s), "%.3g ns", seconds * 1e9);
	return t;
}

struct out_text out_count(uint64_t n)
{
	char plain[24];
	struct out_text t;
	size_t len = (size_t)snprintf(plain, sizeof(plain), "%" PRIu64, n), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			t.s[at++] = ',';
		t.s[at++] = plain[i];
	}
	t.s[at] = 0;
	return t;
}

const char *out_style(FILE *to, enum out_style style)
{
	static const char *const codes[] = {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m"};
	const char *no_color = getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): nothing sets the environment

	return isatty(fileno(to)) && !(no_color && *no_color) ? codes[style] : "";
}

void out_heading(FILE *to, const char *text)
{
	fprintf(to, "\n%s%s%s\n", out_style(to, OUT_BOLD), text, out_style(to, OUT_PLAIN));
}

double out_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void out_json_count(cJSON *object, const char *name, uint64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, n);
	cJSON_AddRawToObject(object, name, text);
}

void out_json_hex(cJSON *object, const char *name, uint64_t v)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, v);
	cJSON_AddStringToObject(object, name, text);
}

static void *allocate(size_t bytes)
{
	void *memory = malloc(bytes);

	if (!memory)
		cli_fail(CLI_HOST, "out of memory");
	return memory;
}

void out_json_init(void)
{
	cJSON_InitHooks(&(cJSON_Hooks){allocate, free});
}

void out_json_print(cJSON *root, FILE *to)
{
	char *text = cJSON_Print(root);

	fprintf(to, "%s\n", text);
	cJSON_free(text);
	cJSON_Delete(root);
}

struct out_progress out_progress_begin(const char *what)
{
	return (struct out_progress){what, out_now(), 0, isatty(STDERR_FILENO)};
}

void out_progress(struct out_progress *p, double fraction)
{
	const double now = out_now(), elapsed = now - p->started;

	if (!p->on || elapsed < 2 || now - p->shown < 0.2)
		return;
	p->shown = now;
	fprintf(stderr, "\r\033[K%s %.0f %%", p->what, fraction * 100);
	if (fraction > 0.01)
		fprintf(stderr, ", about %s left", out_time(elapsed / fraction - elapsed).s);
	fflush(stderr);
}

void out_progress_end(struct out_progress *p)
{
	if (p->on && p->shown > 0)
		fputs("\r\033[K", stderr);
}
