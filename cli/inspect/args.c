// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/inspect/inspect.h"
#include "cli/parse.h"

enum {
	KEY_REGS = 512,
	KEY_ROOT,
	KEY_BASE,
	KEY_KIND,
	KEY_VMCOREINFO,
	KEY_RANGE,
	KEY_ATTR,
	KEY_SIZE,
	KEY_PHYS,
	KEY_VERBOSE,
	KEY_EXPORT_FRAMES
};

static const struct argp_option common[] = {
	{NULL, 0, NULL, 0, "The input, where it does not say so itself:", 10},
	{"frames", 'f', "FILE", 0, "page-table frames alone, .xz or not, instead of FILE", 10},
	{"regs", KEY_REGS, "FILE", 0, "translation registers: lines of NAME=VALUE", 10},
	{"arch", 'a', "NAME", 0, "arm64, x86-64, riscv64 or s390x", 10},
	{"page-size", 'p', "SIZE", 0, "4K; 16K and 64K on arm64", 10},
	{"levels", 'l', "N", 0, "levels of translation", 10},
	{"va-bits", 'v', "N", 0, "bits of virtual address instead of levels", 10},
	{"root", KEY_ROOT, "ADDRESS", 0, "physical address of the root table", 10},
	{"base", KEY_BASE, "ADDRESS", 0, "raw image: physical address of its first byte", 10},
	{"kind", KEY_KIND, "NAME", 0, "elf, kdump, raw, frames, kcore, qmp, hmp or gdb", 10},
	{"vmcoreinfo", KEY_VMCOREINFO, "FILE", 0, "the kernel's VMCOREINFO", 10},
	{NULL, 0, NULL, 0, "What is wanted of it:", 11},
	{"tree", 't', "NAME", 0, "one tree: kernel, user; default all", 11},
	{"range", KEY_RANGE, "SPAN", 0, "virtual addresses: START-LAST, START+SIZE, or one", 11},
	{"phys", KEY_PHYS, "SPAN", 0, "physical addresses, likewise", 11},
	{"attr", KEY_ATTR, "LIST", 0, "leaves with these attributes: w,x,!user", 11},
	{"size", KEY_SIZE, "SIZE", 0, "leaves of this size: 4K, 2M", 11},
	{NULL, 0, NULL, 0, "The output:", 12},
	{"json", 'j', NULL, 0, "print JSON", 12},
	{"export-frames", KEY_EXPORT_FRAMES, "OUT", 0,
	 "also write the page tables alone to OUT (.xz: packed) and their registers beside it", 12},
	{"verbose", KEY_VERBOSE, NULL, 0, "say what was found out about the input, and from where", 12},
	{0},
};
#define COMMON_COUNT (sizeof(common) / sizeof(*common))

/* Options that may be repeated say the same of the next input. */
struct reading {
	const struct inspect_spec *spec;
	struct inspect *to;
	unsigned words, files, regs, roots, bases, kinds, infos;
};

uint64_t inspect_address(const char *option, const char *text)
{
	const char *digits = !strncmp(text, "0x", 2) || !strncmp(text, "0X", 2) ? text + 2 : text;
	const size_t n = strspn(digits, "0123456789abcdefABCDEF");
	const struct parsed size = parse_size(text);

	if (n && !digits[n] && (n <= 16 || strspn(digits, "0") >= n - 16))
		return strtoull(digits, NULL, 16);
	if (size.expected || !digits[n])
		cli_fail(CLI_USAGE, "%s: '%s'; expected an address in hexadecimal, or a size such as 1G", option, text);
	return size.value;
}

struct inspect_span inspect_span(const char *option, const char *text)
{
	const size_t n = strcspn(text, "-+");
	struct inspect_span span;
	char first[64];

	if (n >= sizeof(first))
		cli_fail(CLI_USAGE, "%s: '%s'; expected START-LAST, START+SIZE or an address", option, text);
	memcpy(first, text, n);
	first[n] = 0;
	span.start = span.last = inspect_address(option, first);
	if (text[n] == '-')
		span.last = inspect_address(option, text + n + 1);
	if (text[n] == '+')
		span.last = span.start + inspect_address(option, text + n + 1) - 1;
	if (span.last < span.start)
		cli_fail(CLI_USAGE, "%s: '%s'; expected an end that is not below the start", option, text);
	return span;
}

static struct insp_source *input(struct reading *r, unsigned *n, const char *option)
{
	if (*n == r->spec->inputs)
		cli_fail(CLI_USAGE, "%s: given %u times; expected it once for each input (%u)", option, *n + 1,
			 r->spec->inputs);
	return &r->to->source[(*n)++];
}

static unsigned count(const char *option, const char *arg, unsigned min, unsigned max)
{
	const struct parsed p = parse_count(arg, min, max);

	if (p.expected)
		cli_fail(CLI_USAGE, "%s: '%s'; expected a number from %u to %u", option, arg, min, max);
	return (unsigned)p.value;
}

static unsigned page_size(const char *arg)
{
	const struct parsed p = parse_size(arg);

	if (p.expected || (p.value != 4096 && p.value != 16384 && p.value != 65536))
		cli_fail(CLI_USAGE, "--page-size: '%s'; expected 4K, 16K or 64K", arg);
	return (unsigned)__builtin_ctzll(p.value);
}

static int arch(const char *arg)
{
	const struct parsed p = parse_arch(arg);

	if (p.expected)
		cli_fail(CLI_USAGE, "--arch: '%s'; expected %s", arg, p.expected);
	return (int)p.value;
}

static void parse_word(struct reading *r, const char *arg)
{
	if (r->words < r->spec->words)
		r->to->word[r->words++] = arg;
	else if (r->files < r->spec->inputs)
		r->to->source[r->files++].path = arg;
	else
		cli_fail(CLI_USAGE, "unexpected argument '%s'; expected %s", arg, r->spec->args);
}

static void parse_frames(struct reading *r, const char *arg)
{
	struct insp_source *s = input(r, &r->files, "--frames");

	s->path = arg;
	s->kind = "frames";
}

static void parse_root(struct reading *r, const char *arg)
{
	struct insp_source *s = input(r, &r->roots, "--root");

	s->root = inspect_address("--root", arg);
	s->has_root = true;
}

/* What is said of a machine, each input's own. */
static bool parse_input(int key, char *arg, struct reading *r)
{
	switch (key) {
	case 'f':
		parse_frames(r, arg);
		return true;
	case KEY_REGS:
		input(r, &r->regs, "--regs")->regs = arg;
		return true;
	case KEY_ROOT:
		parse_root(r, arg);
		return true;
	case KEY_BASE:
		input(r, &r->bases, "--base")->base = inspect_address("--base", arg);
		return true;
	case KEY_KIND:
		input(r, &r->kinds, "--kind")->kind = arg;
		return true;
	case KEY_VMCOREINFO:
		input(r, &r->infos, "--vmcoreinfo")->vmcoreinfo = arg;
		return true;
	default:
		return false;
	}
}

/* What all inputs share. */
static bool parse_shape(int key, char *arg, struct inspect *to)
{
	struct insp_source *s = &to->source[0];

	switch (key) {
	case 'a':
		s->arch = arch(arg);
		return true;
	case 'p':
		s->page_lg2 = page_size(arg);
		return true;
	case 'l':
		s->levels = count("--levels", arg, 2, 5);
		return true;
	case 'v':
		s->va_bits = count("--va-bits", arg, 16, 64);
		return true;
	default:
		return false;
	}
}

static void parse_attr(const char *arg, struct insp_filter *f)
{
	const char *bad = insp_filter_parse(f, arg);

	if (bad)
		cli_fail(CLI_USAGE,
			 "--attr: '%s'; expected a list of read, write, exec, user, global, young, dirty, ...", bad);
}

static void parse_size_of_leaf(const char *arg, struct insp_filter *f)
{
	const struct parsed p = parse_size(arg);

	if (p.expected || !p.value || (p.value & (p.value - 1)))
		cli_fail(CLI_USAGE, "--size: '%s'; expected the size of a leaf, such as 4K or 2M", arg);
	f->bytes = p.value;
}

static bool parse_filter(int key, const char *arg, struct insp_filter *f)
{
	struct inspect_span span;

	switch (key) {
	case KEY_RANGE:
		span = inspect_span("--range", arg);
		f->start = span.start;
		f->last = span.last;
		return true;
	case KEY_PHYS:
		span = inspect_span("--phys", arg);
		f->pa_start = span.start;
		f->pa_last = span.last;
		return true;
	case KEY_ATTR:
		parse_attr(arg, f);
		return true;
	case KEY_SIZE:
		parse_size_of_leaf(arg, f);
		return true;
	default:
		return false;
	}
}

static bool parse_wanted(int key, char *arg, struct inspect *to)
{
	switch (key) {
	case 't':
		to->tree = arg;
		return true;
	case 'j':
		to->json = true;
		return true;
	case KEY_EXPORT_FRAMES:
		to->export_frames = arg;
		return true;
	case KEY_VERBOSE:
		to->verbose = true;
		return true;
	default:
		return parse_filter(key, arg, &to->filter);
	}
}

static bool is_own(const struct inspect_spec *spec, int key)
{
	for (const struct argp_option *o = spec->options; o && (o->name || o->key || o->doc); o++)
		if (o->key == key && o->name)
			return true;
	return false;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct reading *r = state->input;

	if (key == ARGP_KEY_ARG) {
		parse_word(r, arg);
		return 0;
	}
	if (is_own(r->spec, key)) {
		r->spec->parse(key, arg, r->spec->own);
		return 0;
	}
	if (parse_input(key, arg, r) || parse_shape(key, arg, r->to) || parse_wanted(key, arg, r->to))
		return 0;
	return ARGP_ERR_UNKNOWN;
}

static void share_shape(struct inspect *in)
{
	const struct insp_source *first = &in->source[0];

	for (unsigned i = 1; i < INSPECT_INPUTS; i++) {
		in->source[i].arch = first->arch;
		in->source[i].page_lg2 = first->page_lg2;
		in->source[i].levels = first->levels;
		in->source[i].va_bits = first->va_bits;
	}
}

static void check(const struct reading *r)
{
	if (r->words < r->spec->words)
		cli_fail(CLI_USAGE, "too few words; expected %s", r->spec->args);
	if (r->files < r->spec->inputs)
		cli_fail(CLI_USAGE, "no input; expected %s, or --frames and --regs", r->spec->args);
	if (r->to->source[0].levels && r->to->source[0].va_bits)
		cli_fail(CLI_USAGE, "--levels and --va-bits say the same; expected one of them");
}

void inspect_args(const struct inspect_spec *spec, int argc, char **argv, struct inspect *in)
{
	struct argp_option options[COMMON_COUNT + 32];
	struct argp argp = {options, parse_option, spec->args, spec->doc, NULL, NULL, NULL};
	struct reading r = {.spec = spec, .to = in};
	size_t n = 0;

	*in = (struct inspect){.inputs = spec->inputs, .filter = insp_filter_all()};
	in->source[0].arch = -1;
	for (const struct argp_option *o = spec->options; o && (o->name || o->key || o->doc) && n < 32; o++)
		options[n++] = *o;
	memcpy(options + n, common, sizeof(common));
	cli_args(&argp, argc, argv, &r);
	check(&r);
	share_shape(in);
}
