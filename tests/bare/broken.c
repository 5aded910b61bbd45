/* SPDX-License-Identifier: MIT */
/*
 * A machine that goes wrong, in the way that it was linked to. That scripts/bare.sh takes none of this for a success, ends it
 * in bounded time and keeps what it said, and what it says of a fault, is what broken.sh tests.
 */
#include "tests/bare/broken.h"
#include "tests/bare/common/stage.h"

BARE_LINKED(bare_broken)

/* In the order of `broken` in scripts/bare.sh. */
enum broken { HANG, RESET, FLOOD, STORE, HOLE, PANIC };

static struct cop_tree kernel;

static void flood(void)
{
	/* No line of a test, and bytes that are no text. */
	for (unsigned n = 0;; n++)
		bare_printf("%c%c%c ok %u\n", 1, 0xff, 0, n);
}

/* The kernel's own accesses, of which nobody has said that they may fault. */
static void load(cop_va va)
{
	(void)*(volatile uint64_t *)cop_virt(va);
}

static void store(cop_va va)
{
	*(volatile uint64_t *)cop_virt(va) = 1;
}

void bare_main(void)
{
	cop_va window, hole;
	cop_pa frame;

	bare_plan(2);
	bare_result(stage_up() && stage_kernel(&kernel), "the machine maps itself");
	window = stage_window(&kernel.geom);
	frame = stage_take(COP_LG2(kernel.geom.page_lg2), COP_LG2(kernel.geom.page_lg2));
	if (cop_map(&kernel, window, frame, COP_LG2(kernel.geom.page_lg2), COP_KERNEL_RO, 0, 0))
		cop_panic("cannot map", NULL);
	load(window);
	hole = window + COP_LG2(kernel.geom.page_lg2);
	bare_printf("# %lx is mapped to %lx, read-only; nothing is at %lx\n", (unsigned long)window,
		    (unsigned long)frame, (unsigned long)hole);
	switch ((enum broken)bare_broken()) {
	case HANG:
		for (;;)
			bare_pause();
	case RESET:
		broken_reset();
	case FLOOD:
		flood();
		break;
	case STORE:
		store(window);
		break;
	case HOLE:
		load(hole);
		break;
	case PANIC:
		cop_panic("broken on purpose", cop_virt(window));
	default:
		break;
	}
	bare_result(true, "not reached");
}
