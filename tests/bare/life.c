/* SPDX-License-Identifier: MIT */
/*
 * What happens to a kernel's memory while it lives, on a real MMU, with a second CPU that loads, stores and walks all the
 * time: what must be there is there, what has gone faults, and nothing else ever faults.
 */
#include "tests/bare/common/stage.h"

#ifndef BARE_ROUNDS
#define BARE_ROUNDS 60U
#endif
#define BOOT_SECTIONS 3U
#define HOT_SECTIONS  2U
#define LINGER        500U
#define PART_LG2      23 /* of the mapping that is split and collapsed: one part stays, one comes and goes */

static struct cop_mem mem;
static struct cop_tree tree;
static uint8_t arena[65536] __attribute__((aligned(64)));
static cop_pa base;
static uint64_t section;
static unsigned scenarios;

/* ---- tables that are given back ---- */

#define POISON 0xa5a5a5a5a5a5a5a5ULL

static void (*free_table)(void *ctx, cop_pa table, unsigned lg2);

/* Whoever is still in there sees it. */
static void poison_table(void *ctx, cop_pa table, unsigned lg2)
{
	cop_fill64(cop_phys(table), POISON, COP_LG2(lg2));
	free_table(ctx, table, lg2);
}

/* ---- what the second CPU may expect ---- */

/* A thing that comes and goes: number of changes so far, times 4, plus one of these. Marked. */
enum { GONE, HERE, CHANGING, READ_ONLY };

struct watched {
	uint32_t state;
	cop_va va;
	cop_pa pa;
	uint64_t bytes;
};
static struct watched boot_memory, hot[HOT_SECTIONS], stays, comes;

static struct {
	uint32_t stop;
	uint64_t loads, faults, stores, walks, pages; /* written by the second CPU */
	uint32_t wrong;
	bool transient; /* live splits break before they make: the part that stays may fault, and then is there again */
} watch;

static void set_state(struct watched *w, uint32_t to)
{
	const uint32_t was = cop_load(&w->state, relaxed);

	/* Both fences: the change lies between two states. */
	cop_fence_full();
	cop_store(&w->state, (was & ~3U) + 4 + to, release);
	cop_fence_full();
}

static void wrong(const char *what, const struct watched *w, cop_va va, const struct bare_outcome *out)
{
	if (cop_fetch_add(&watch.wrong, 1U, relaxed) > 3)
		return;
	bare_printf("# cpu %u: %s at %lx, state %x: fault %u, value %lx\n", cop_cpu(), what, (unsigned long)va,
		    w->state, out->fault, (unsigned long)out->value);
	bare_print_walk(&tree.geom, tree.root, va);
}

/* Every page holds its own physical address in its first word. */
static void load_from(struct watched *w, uint64_t *seed)
{
	const uint64_t off = COP_ALIGN_DOWN(bare_random(seed) % w->bytes, COP_LG2(tree.geom.page_lg2));
	const uint32_t before = cop_load(&w->state, acquire);
	struct bare_outcome out;
	uint32_t after;

	cop_fence_full();
	out = bare_touch(w->va + off, BARE_READ, 0);
	cop_fence_full();
	after = cop_load(&w->state, acquire);
	watch.loads++;
	watch.faults += out.fault != BARE_OK;
	if (out.fault == BARE_OK && out.value != w->pa + off)
		wrong("load of something else", w, w->va + off, &out);
	if (before != after || (before & 3) == CHANGING)
		return;
	if ((before & 3) == GONE && out.fault == BARE_OK)
		wrong("load of what has gone", w, w->va + off, &out);
	if ((before & 3) != GONE && out.fault != BARE_OK && !(w == &stays && watch.transient))
		wrong("fault in what must be there", w, w->va + off, &out);
}

static void store_to(struct watched *w, uint64_t *seed)
{
	const uint64_t off = COP_ALIGN_DOWN(bare_random(seed) % w->bytes, COP_LG2(tree.geom.page_lg2));
	const uint32_t before = cop_load(&w->state, acquire);
	struct bare_outcome out;

	cop_fence_full();
	out = bare_touch(w->va + off, BARE_WRITE, w->pa + off);
	cop_fence_full();
	watch.stores++;
	if (before != cop_load(&w->state, acquire) || (before & 3) == CHANGING)
		return;
	if ((before & 3) == READ_ONLY && out.fault == BARE_OK)
		wrong("store to what is read-only", w, w->va + off, &out);
	if ((before & 3) == HERE && out.fault != BARE_OK && !(w == &stays && watch.transient))
		wrong("store refused", w, w->va + off, &out);
}

/* What is found in a read section is there to its end: long enough for others to come as far as giving it back. */
static void linger(const struct watched *w, cop_va va)
{
	const struct bare_outcome none = {0};
	const uint64_t live = 0, *slot = stage_slot(&tree, va, 0);

	for (unsigned i = 0; i < LINGER; i++) {
		if (cop_load(slot ? slot : &live, relaxed) != POISON)
			continue;
		wrong("a table freed under a walker", w, va, &none);
		return;
	}
}

/* Without locks: the tables through physical memory, struct pages through the memmap, which may be going away. */
static void walk(const struct watched *w, uint64_t *seed)
{
	const uint64_t off = COP_ALIGN_DOWN(bare_random(seed) % w->bytes, COP_LG2(tree.geom.page_lg2));
	const cop_pfn pfn = (w->pa + off) >> tree.geom.page_lg2;
	const struct bare_outcome none = {0};
	bool present;
	cop_pa pa;

	cop_rcu_read_lock();
	pa = cop_translate_pa(&tree, w->va + off);
	if (pa != COP_PA_NONE && pa != w->pa + off)
		wrong("walk to somewhere else", w, w->va + off, &none);
	present = cop_pfn_section(&mem, pfn) && cop_pfn_valid(&mem, pfn);
	linger(w, w->va + off);
	if (present) {
		/* A plain load: a fault here ends everything. */
		if (cop_load(&cop_page(&mem, pfn)->flags, relaxed) >> 32)
			wrong("no struct page", w, cop_page_va(&mem, pfn), &none);
		watch.pages++;
	}
	cop_rcu_read_unlock();
	watch.walks++;
}

static void watcher(void *arg)
{
	uint64_t seed = 7;

	(void)arg;
	while (!cop_load(&watch.stop, acquire)) {
		load_from(&boot_memory, &seed);
		walk(&boot_memory, &seed);
		for (unsigned i = 0; i < HOT_SECTIONS; i++) {
			load_from(&hot[i], &seed);
			walk(&hot[i], &seed);
		}
		if (stays.bytes) {
			load_from(&stays, &seed);
			store_to(&stays, &seed);
			walk(&stays, &seed);
			load_from(&comes, &seed);
			walk(&comes, &seed);
		}
		bare_poll();
	}
}

static void watch_on(void)
{
	cop_store(&watch.stop, 0U, release);
	if (bare_cpu_start(1, watcher, NULL))
		cop_panic("no second CPU", NULL);
}

static void watch_off(void)
{
	cop_store(&watch.stop, 1U, release);
	bare_cpu_join(1);
}

/* ---- results ---- */

static unsigned errors;

static void expect(bool ok, const char *what)
{
	if (ok)
		return;
	if (errors++ < 4)
		bare_printf("# not so: %s\n", what);
}

static void scenario(const char *name)
{
	bare_result(!errors && !cop_load(&watch.wrong, relaxed), "%s", name);
	scenarios++;
	errors = 0;
	cop_store(&watch.wrong, 0U, relaxed);
}

/* ---- boot ---- */

static void boot(void)
{
	struct cop_mem_range ram;
	struct cop_mem_config config = {.ram = &ram, .rams = 1};
	unsigned page_lg2, section_lg2;

	expect(!bare_kernel_geom(&config.geom), "geometry");
	page_lg2 = config.geom.page_lg2;
	section_lg2 = page_lg2 == 12 ? 22 : page_lg2 == 14 ? 23 : 26;
	config.section_lg2 = (uint8_t)section_lg2;
	section = COP_LG2(section_lg2);
	base = stage_take((BOOT_SECTIONS + HOT_SECTIONS) * section, section);
	stage_stamp(base, (BOOT_SECTIONS + HOT_SECTIONS) * section, page_lg2);
	ram = (struct cop_mem_range){base, BOOT_SECTIONS * section};
	config.pa_start = base;
	config.pa_limit = base + (BOOT_SECTIONS + HOT_SECTIONS) * section;
	expect(cop_mem_arena_bytes(&config) <= sizeof(arena), "arena");
	bare_tree = &tree;
	expect(!cop_mem_boot(&mem, &tree, arena, &config), "boot");
	free_table = tree.source.free;
	tree.source.free = poison_table;
	expect(!cop_mem_check(&mem, NULL, 0), "free lists");
	expect(!cop_mem_account(&mem).leaked, "account");
}

/* Of boot memory what nobody writes to: a block that is allocated for good. */
static void find_boot_memory(void)
{
	const unsigned order = 3;
	const cop_pfn pfn = cop_frames_alloc(&mem, order, 0);

	expect(pfn != COP_PFN_NONE, "frames");
	boot_memory = (struct watched){
		.state = HERE, .pa = pfn << tree.geom.page_lg2, .bytes = COP_LG2(order + tree.geom.page_lg2)};
	boot_memory.va = cop_linear_va(&mem, boot_memory.pa);
	stage_stamp(boot_memory.pa, boot_memory.bytes, tree.geom.page_lg2);
	for (unsigned i = 0; i < HOT_SECTIONS; i++) {
		/* The first half: may hold the section's own memmap. */
		hot[i].pa = base + (BOOT_SECTIONS + i) * section + section / 2;
		hot[i].va = cop_linear_va(&mem, hot[i].pa);
		hot[i].bytes = section / 2;
	}
}

/* ---- memory comes and goes ---- */

static void use_frames(unsigned which)
{
	const cop_pfn start = (base + (BOOT_SECTIONS + which) * section) >> tree.geom.page_lg2;
	cop_pfn got[8];
	unsigned inside = 0;

	for (unsigned i = 0; i < 8; i++) {
		got[i] = cop_frames_alloc(&mem, i & 1, COP_ALLOC_MOVABLE);
		expect(got[i] != COP_PFN_NONE, "movable frames");
		inside += got[i] >= start && got[i] < start + (section >> tree.geom.page_lg2);
	}
	expect(inside == 8, "frames of what is online");
	for (unsigned i = 0; i < 8; i++) {
		const struct bare_outcome out =
			bare_touch(cop_linear_va(&mem, got[i] << tree.geom.page_lg2), BARE_READ, 0);

		expect(out.fault == BARE_OK && out.value == got[i] << tree.geom.page_lg2, "load from a new frame");
		cop_frames_free(&mem, got[i]);
	}
}

static void come(unsigned which, bool altmap)
{
	const cop_pa at = base + (BOOT_SECTIONS + which) * section;

	stage_stamp(at, section, tree.geom.page_lg2);
	set_state(&hot[which], CHANGING);
	expect(!cop_mem_add(&mem, at, section, altmap ? COP_ADD_ALTMAP : 0), "add");
	set_state(&hot[which], HERE);
	expect(!cop_mem_online(&mem, at, section, COP_ZONE_MOVABLE), "online");
}

static void go(unsigned which)
{
	const cop_pa at = base + (BOOT_SECTIONS + which) * section;

	expect(!cop_mem_offline(&mem, at, section), "offline");
	set_state(&hot[which], CHANGING);
	expect(!cop_mem_remove(&mem, at, section), "remove");
	set_state(&hot[which], GONE);
	/* At once, on this CPU; the other looks all the time. */
	expect(bare_touch(cop_linear_va(&mem, at), BARE_READ, 0).fault != BARE_OK, "what was removed faults");
	expect(bare_touch(cop_page_va(&mem, at >> tree.geom.page_lg2), BARE_READ, 0).fault != BARE_OK,
	       "its memmap faults");
}

static bool same_account(const struct cop_mem_account *a, const struct cop_mem_account *b)
{
	const uint64_t *x = (const uint64_t *)a, *y = (const uint64_t *)b;

	for (unsigned i = 0; i < sizeof(*a) / sizeof(*x); i++)
		if (x[i] != y[i])
			return false;
	return true;
}

static void hotplug(void)
{
	struct cop_mem_account before, after;

	before = cop_mem_account(&mem);
	for (unsigned round = 0; round < BARE_ROUNDS; round++) {
		const unsigned which = round % HOT_SECTIONS;

		come(which, round & 2);
		use_frames(which);
		if (round % 5 == 4) {
			come(1 - which, false);
			go(1 - which);
		}
		go(which);
		bare_poll();
	}
	bare_rcu_barrier();
	after = cop_mem_account(&mem);
	expect(same_account(&before, &after), "the account is as after boot");
	expect(!cop_mem_check(&mem, NULL, 0), "free lists");
}

/* ---- one mapping, in many shapes ---- */

enum what { SPLIT, COLLAPSE, PROTECT, PROTECT_RO, UNMAP };

static long apply(enum what what, const struct watched *w)
{
	struct cop_gather g;
	long ret = 0;

	cop_gather_begin(&g, &tree);
	switch (what) {
	case SPLIT:
		ret = cop_split(&g, w->va, w->bytes, tree.geom.page_lg2);
		break;
	case COLLAPSE:
		ret = cop_collapse(&g, w->va, w->bytes, 0);
		break;
	case PROTECT:
	case PROTECT_RO:
		ret = cop_protect(&g, w->va, w->bytes, what == PROTECT ? COP_KERNEL_RW : COP_KERNEL_RO);
		break;
	default:
		ret = cop_unmap(&g, w->va, w->bytes, COP_UNMAP_BLIND, NULL, 0).err;
		break;
	}
	cop_gather_finish(&g);
	return ret;
}

static unsigned size_at(cop_va va)
{
	return cop_translate(&tree, va).size_lg2;
}

/* Does changing the size of a live leaf go without a break on this machine? */
static bool splits_live(void)
{
	const struct cop_format *f = tree.ops->format;
	const cop_pa pa = COP_ALIGN_DOWN(base, COP_LG2(f->shift(1)));

	/* There is nothing to split. */
	if (!f->can_leaf(&tree.geom, 1))
		return true;
	return f->change(&tree.geom, f->leaf(&tree.geom, pa, 1, COP_KERNEL_RW), f->table(&tree.geom, base, 1), 1) ==
	       COP_CHANGE_DIRECT;
}

static void map_parts(void)
{
	const uint64_t part = COP_LG2(PART_LG2), align = 2 * part;
	const cop_pa pa = stage_take(2 * part, align);

	stage_stamp(pa, 2 * part, tree.geom.page_lg2);
	stays = (struct watched){.state = HERE,
				 .va = COP_ALIGN_UP(mem.layout.vmemmap_last, COP_LG2(30)) + COP_LG2(30),
				 .pa = pa,
				 .bytes = part};
	comes = (struct watched){.state = GONE, .va = stays.va + part, .pa = pa + part, .bytes = part};
	watch.transient = !splits_live();
	expect(!cop_map(&tree, stays.va, stays.pa, part, COP_KERNEL_RW, 0, 0), "map");
}

static void reshape(void)
{
	const unsigned large = size_at(stays.va);

	for (unsigned round = 0; round < BARE_ROUNDS; round++) {
		set_state(&comes, CHANGING);
		expect(!cop_map(&tree, comes.va, comes.pa, comes.bytes, COP_KERNEL_RW, 0, 0), "map");
		set_state(&comes, HERE);
		expect(!apply(SPLIT, &stays), "split");
		expect(size_at(stays.va + stays.bytes / 2) == tree.geom.page_lg2, "pages after the split");
		set_state(&stays, CHANGING);
		expect(!apply(PROTECT_RO, &stays), "protect");
		set_state(&stays, READ_ONLY);
		expect(bare_touch(stays.va, BARE_WRITE, stays.pa).fault == BARE_PERMISSION, "a store is refused");
		set_state(&stays, CHANGING);
		expect(!apply(PROTECT, &stays), "protect");
		set_state(&stays, HERE);
		expect(bare_touch(stays.va, BARE_WRITE, stays.pa).fault == BARE_OK, "a store goes");
		expect(apply(COLLAPSE, &stays) > 0 || large == tree.geom.page_lg2, "collapse");
		expect(size_at(stays.va) == large, "as large as before");
		set_state(&comes, CHANGING);
		expect(!apply(UNMAP, &comes), "unmap");
		set_state(&comes, GONE);
		expect(bare_touch(comes.va + comes.bytes / 2, BARE_READ, 0).fault == BARE_TRANSLATION, "it has gone");
		bare_poll();
	}
}

/* ---- accessed and dirty ---- */

static uint32_t state_of(cop_va va)
{
	return cop_translate(&tree, va).attrs & (COP_YOUNG | COP_DIRTY);
}

static void accessed(void)
{
	const uint32_t attrs = COP_READ | COP_WRITE | COP_GLOBAL;
	const cop_va va = comes.va;

	expect(!cop_map(&tree, va, comes.pa, COP_LG2(tree.geom.page_lg2), attrs, 0, 0), "map");
	expect(state_of(va) == 0, "old and clean");
	if (!bare_sets(&tree.geom, BARE_READ)) {
		expect(bare_touch(va, BARE_READ, 0).fault != BARE_OK, "an old page faults");
		expect(state_of(va) == 0, "old and clean after a fault");
	} else {
		expect(bare_touch(va, BARE_READ, 0).fault == BARE_OK, "an old page is loaded from");
		expect(state_of(va) == COP_YOUNG, "young and clean after a load");
	}
	if (bare_sets(&tree.geom, BARE_WRITE) & COP_DIRTY) {
		expect(bare_touch(va, BARE_WRITE, comes.pa).fault == BARE_OK, "a clean page is stored to");
		expect(state_of(va) == (COP_YOUNG | COP_DIRTY), "young and dirty after a store");
	} else {
		expect(bare_touch(va, BARE_WRITE, comes.pa).fault != BARE_OK, "a clean page refuses");
		expect(!(state_of(va) & COP_DIRTY), "clean after a fault");
	}
	expect(!apply(UNMAP, &(struct watched){.va = va, .bytes = COP_LG2(tree.geom.page_lg2)}), "unmap");
}

/* ---- the other CPU itself ---- */

static void count(void *arg)
{
	cop_fetch_add((unsigned *)arg, 1U, release);
}

static int stopped(void *arg)
{
	/* The watcher counts without a lock: it must not now. */
	const uint64_t loads = cop_load(&watch.loads, relaxed);

	for (unsigned i = 0; i < 1000; i++)
		bare_pause();
	*(unsigned *)arg += cop_load(&watch.loads, relaxed) == loads;
	return 0;
}

static void interrupt_and_stop(void)
{
	unsigned calls = 0, still = 0;

	for (unsigned i = 0; i < 50; i++) {
		cop_ipi(COP_LG2(1), count, &calls);
		cop_stop_machine(stopped, &still);
	}
	expect(calls == 50, "interrupts");
	expect(still == 50, "stopping the machine");
}

/* ---- all of it ---- */

void bare_main(void)
{
	const uint64_t began = bare_clock_ns();
	const bool up = stage_up();

	bare_plan(7);
	bare_result(up, "the machine maps itself");
	boot();
	scenario("boot: memory and memmap are mapped and load");
	find_boot_memory();
	watch_on();
	interrupt_and_stop();
	scenario("the second CPU is interrupted, and stands still");
	hotplug();
	scenario("memory is added, used and removed under a CPU that looks on");
	watch_off();
	map_parts();
	watch_on();
	reshape();
	scenario("split, protect, collapse, unmap and map under a CPU that looks on");
	watch_off();
	accessed();
	scenario("accessed and dirty are set by who sets them here");
	expect(!apply(UNMAP, &stays), "unmap");
	cop_frames_free(&mem, boot_memory.pa >> tree.geom.page_lg2);
	bare_rcu_barrier();
	expect(!cop_mem_check(&mem, NULL, 0) && !cop_mem_account(&mem).leaked, "account");
	expect(watch.loads && watch.stores && watch.walks && watch.pages, "the second CPU has looked");
	scenario("nothing is left over");
	bare_printf("# second cpu: %lu loads (%lu faults), %lu stores, %lu walks, %lu struct pages; splits %s\n",
		    (unsigned long)watch.loads, (unsigned long)watch.faults, (unsigned long)watch.stores,
		    (unsigned long)watch.walks, (unsigned long)watch.pages, watch.transient ? "break" : "live");
	bare_row(BARE_NAME, watch.loads + watch.stores, scenarios, bare_clock_ns() - began);
}
