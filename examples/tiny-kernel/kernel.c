/* SPDX-License-Identifier: MIT */
/*
 * A kernel in 200 lines: it boots, maps itself, finds memory, plugs more of it in and out again, and its second CPU walks
 * all of that at the same time without a lock.
 *
 * What a machine is, its port of Coppice says: ports/bare/<arch>/ has the entry point, port.h, the instructions that
 * invalidate, and interrupts, in under a thousand lines. Everything here is the same on all of them. README.md says how to
 * build and run it, and what to replace first in a kernel of your own.
 */
#include "ports/bare/common/bare.h"

#define SECTION_LG2 22 /* memory comes and goes in pieces of 4 MB */
#define SECTION     COP_LG2(SECTION_LG2)
#define AT_BOOT     8 /* of them */
#define PLUGGED     4
#define ROUNDS      100

static struct cop_tree machine; /* what runs this program */
static struct cop_tree kernel;  /* what is the library's: linear map and memmap */
static struct cop_mem mem;
static uint8_t arena[4096] __attribute__((aligned(64)));
static cop_pa first; /* byte of memory that the library manages */

/* ---- boot ---- */

/* Until here the boot code's own tables translate, or none; from here on, tables that the library has built. */
static int map_myself(void)
{
	struct cop_geom geom;
	const int err = bare_life_geom(&geom);

	return err ? err : bare_mmu_on(&machine, &geom);
}

/*
 * The memory behind the image, or as much of it as is there at boot. The library makes the kernel's tree in it, the linear
 * map, the memmap and the buddy allocator. Its first touch of the memmap, through an address that nobody translates yet,
 * ends in the port's fault handler, which turns to bare_tree.
 */
static int find_memory(void)
{
	struct cop_mem_range ram;
	struct cop_mem_config config = {.ram = &ram, .rams = 1, .section_lg2 = SECTION_LG2};
	const int err = bare_kernel_geom(&config.geom);

	first = COP_ALIGN_UP(bare_image_end, SECTION);
	ram = (struct cop_mem_range){first, AT_BOOT * SECTION};
	config.pa_start = first;
	config.pa_limit = first + (AT_BOOT + PLUGGED) * SECTION;
	if (err || config.pa_limit > bare_ram_end || cop_mem_arena_bytes(&config) > sizeof(arena))
		return err ? err : -COP_ENOMEM;
	bare_tree = &kernel;
	return cop_mem_boot(&mem, &kernel, arena, &config);
}

/* ---- the second CPU: looks at every frame there may be, all the time ---- */

static struct {
	uint32_t stop; /* marked */
	uint64_t walks, mapped, gone, wrong;
} walker;

static void walk(cop_pa pa)
{
	const cop_pfn pfn = pa >> kernel.geom.page_lg2;
	cop_pa found;

	/* Tables and struct pages that are found in here do not go away before the unlock. */
	cop_rcu_read_lock();
	found = cop_translate_pa(&kernel, cop_linear_va(&mem, pa));
	if (found != COP_PA_NONE && found != pa)
		walker.wrong++;
	if (cop_pfn_valid(&mem, pfn)) {
		/* A struct page that has gone would be a fault, and the end. */
		if (cop_load(&cop_page(&mem, pfn)->flags, relaxed) & COP_PG_POISONED)
			walker.wrong++;
	}
	cop_rcu_read_unlock();
	walker.mapped += found != COP_PA_NONE;
	walker.gone += found == COP_PA_NONE;
	walker.walks++;
}

static void walk_all(void *unused)
{
	const uint64_t page = COP_LG2(kernel.geom.page_lg2);

	(void)unused;
	while (!cop_load(&walker.stop, acquire)) {
		for (cop_pa pa = first; pa < first + (AT_BOOT + PLUGGED) * SECTION; pa += page)
			walk(pa);
		/* Where this CPU may be stopped, and where it gives back what nobody reads any more. */
		bare_poll();
	}
}

/* ---- the first CPU: memory in, memory out ---- */

/* All that was plugged in is taken, written through the linear map, read back, and given back. */
static int use_memory(void)
{
	const unsigned order = SECTION_LG2 - kernel.geom.page_lg2;
	cop_pfn got[PLUGGED];
	unsigned n = 0;
	int err = 0;

	for (; n < PLUGGED; n++) {
		uint64_t *word;

		got[n] = cop_frames_alloc(&mem, order, COP_ALLOC_MOVABLE);
		if (got[n] == COP_PFN_NONE)
			break;
		word = cop_virt(cop_linear_va(&mem, got[n] << kernel.geom.page_lg2));
		cop_write(word, got[n]);
		if (cop_read(word) != got[n])
			err = -COP_EIO;
	}
	if (n < PLUGGED)
		err = -COP_ENOMEM;
	while (n)
		cop_frames_free(&mem, got[--n]);
	return err;
}

static int plug_and_unplug(void)
{
	const cop_pa at = first + AT_BOOT * SECTION;
	const uint64_t bytes = PLUGGED * SECTION;
	int err = cop_mem_add(&mem, at, bytes, 0);

	if (!err)
		err = cop_mem_online(&mem, at, bytes, COP_ZONE_MOVABLE);
	if (!err)
		err = use_memory();
	if (!err)
		err = cop_mem_offline(&mem, at, bytes);
	if (!err)
		err = cop_mem_remove(&mem, at, bytes);
	/* What was removed is no longer there for anybody: this is a load, and the machine's answer. */
	if (!err && bare_touch(cop_linear_va(&mem, at), BARE_READ, 0).fault == BARE_OK)
		err = -COP_EFAULT;
	return err;
}

/* ---- all of it ---- */

void bare_main(void)
{
	struct cop_mem_account account;
	int err;

	bare_plan(4);
	bare_result(!map_myself(), "the kernel runs by tables of its own");
	err = find_memory();
	account = cop_mem_account(&mem);
	bare_result(!err, "%lu MB at boot, %lu KB of tables", (unsigned long)(AT_BOOT * SECTION >> 20),
		    (unsigned long)(account.tables >> 10));
	if (!err)
		err = bare_cpu_start(1, walk_all, NULL);
	for (unsigned i = 0; !err && i < ROUNDS; i++)
		err = plug_and_unplug();
	bare_result(!err, "%u times %lu MB plugged in, used, and out again: error %d", ROUNDS,
		    (unsigned long)(PLUGGED * SECTION >> 20), -err);
	cop_store(&walker.stop, 1U, release);
	bare_cpu_join(1);
	bare_rcu_barrier();
	bare_printf("# the second CPU walked to %lu frames: %lu there, %lu not\n", (unsigned long)walker.walks,
		    (unsigned long)walker.mapped, (unsigned long)walker.gone);
	bare_result(walker.walks && !walker.wrong && !cop_mem_check(&mem, NULL, 0) && !cop_mem_account(&mem).leaked,
		    "nothing was wrong, and nothing is missing");
}
