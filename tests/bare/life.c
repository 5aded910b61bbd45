/* SPDX-License-Identifier: MIT */
/* What happens to a kernel's memory while it lives, with a second CPU that looks on. */
#include "ports/bare/common/bare.h"

static struct cop_tree identity;

static void count(void *arg)
{
	cop_fetch_add((unsigned *)arg, 1U, release);
}

static void second_cpu(void)
{
	unsigned calls = 0;
	int err = bare_cpu_start(1, count, &calls);

	if (!err) {
		bare_cpu_join(1);
		cop_ipi(COP_LG2(1), count, &calls);
	}
	bare_result(!err && calls == 2, "a second CPU runs and is interrupted");
}

void bare_main(void)
{
	struct cop_geom geom;

	bare_plan(2);
	bare_result(!bare_life_geom(&geom) && !bare_mmu_on(&identity, &geom), "the machine maps itself");
	second_cpu();
}
