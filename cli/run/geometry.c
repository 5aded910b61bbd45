// SPDX-License-Identifier: MIT
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/run/plan.h"

static const char *const arch_names[] = {"arm64", "x86-64", "riscv64", "s390x"};

static void fail_page_size(const struct run_options *o)
{
	char sizes[64] = "";

	if (!cop_format_for(o->arch, 0))
		cli_fail(CLI_USAGE, "--arch: this build has no tables for %s; expected another", arch_names[o->arch]);
	for (unsigned lg2 = 12; lg2 <= 16; lg2++) {
		if (!cop_format_for(o->arch, lg2))
			continue;
		snprintf(sizes + strlen(sizes), sizeof(sizes) - strlen(sizes), "%s%uK", *sizes ? ", " : "",
			 1U << (lg2 - 10));
	}
	cli_fail(CLI_USAGE, "--page-size: %s has no pages of %s; expected %s", arch_names[o->arch],
		 out_size(COP_LG2(o->page_lg2)).s, sizes);
}

/* Address width for a number of levels: the usual one where several have it. */
static unsigned width_of(const struct run_options *o, unsigned levels)
{
	static const uint8_t usual[] = {48, 39, 57, 42, 53, 47, 36, 52, 64};

	for (size_t i = 0; i < sizeof(usual); i++) {
		struct cop_geom geom;

		if (!cop_geom_init(&geom, o->arch, o->page_lg2, usual[i]) && geom.levels == levels)
			return usual[i];
	}
	return 0;
}

static void fail_levels(const struct run_options *o)
{
	char text[32] = "";

	for (unsigned levels = 2; levels <= COP_MAX_LEVELS; levels++)
		if (width_of(o, levels))
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%u", *text ? ", " : "", levels);
	cli_fail(CLI_USAGE, "--levels: %s has no %u levels with this page size; expected %s", arch_names[o->arch],
		 o->levels, text);
}

void plan_geometry(struct run_plan *plan, const struct run_options *o)
{
	unsigned va_bits = o->va_bits;

	plan->format = cop_format_for(o->arch, o->page_lg2);
	if (!plan->format)
		fail_page_size(o);
	if (o->levels) {
		va_bits = width_of(o, o->levels);
		if (!va_bits)
			fail_levels(o);
	}
	if (cop_geom_init(&plan->geom, o->arch, o->page_lg2, va_bits))
		cli_fail(CLI_USAGE,
			 "--va-bits: %s does not translate %u bits with this page size; expected e.g. 39, 48",
			 arch_names[o->arch], va_bits);
	/* The kernel's tree. */
	if (o->arch == COP_ARM64)
		plan->geom.half = COP_HALF_HIGH;
}
