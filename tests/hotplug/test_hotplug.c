/* SPDX-License-Identifier: MIT */
/* hotplug/: add, online, offline, remove, and that whatever fails leaves everything as it was. */
#include "tests/memory/machine.h"

static const uint32_t add_flags[] = {0, COP_ADD_ALTMAP, COP_ADD_LARGE_LEAVES, COP_ADD_ALTMAP | COP_ADD_LARGE_LEAVES};
#define ADD_FLAGS (sizeof(add_flags) / sizeof(add_flags[0]))

static void on(struct machine *m, void **state)
{
	assert_true(machine_shape(m, *state));
	machine_on(m);
	machine_touch_all(m);
}

static void off(struct machine *m)
{
	machine_check(m);
	machine_off(m);
}

static void add(struct machine *m, unsigned first, unsigned count, uint32_t flags)
{
	assert_int_equal(cop_mem_add(&m->mem, m->hot + first * m->section, count * m->section, flags), 0);
}

static int online(struct machine *m, unsigned first, unsigned count, enum cop_zone_id zone)
{
	return cop_mem_online(&m->mem, m->hot + first * m->section, count * m->section, zone);
}

static int offline(struct machine *m, unsigned first, unsigned count)
{
	return cop_mem_offline(&m->mem, m->hot + first * m->section, count * m->section);
}

static int remove_(struct machine *m, unsigned first, unsigned count)
{
	return cop_mem_remove(&m->mem, m->hot + first * m->section, count * m->section);
}

static uint64_t invalidations(void)
{
	struct cop_host_events events = cop_host_counts();
	uint64_t sum = 0;

	for (unsigned kind = 0; kind < 2; kind++)
		for (unsigned range = 0; range < 3; range++)
			sum += events.tlbi[kind][range];
	return sum;
}

static void expect_fault(cop_va va, bool fault)
{
	assert_int_equal(cop_host_probe64(va).fault, fault);
}

/* Linear map and memmap of a section are there, or an access is a fault. */
static void expect_mapped(struct machine *m, unsigned hot_section, bool mapped)
{
	cop_pa pa = m->hot + hot_section * m->section;
	cop_pfn pfn = pa >> m->shape->page_lg2, last = pfn + (m->section >> m->shape->page_lg2) - 1;

	expect_fault(cop_linear_va(&m->mem, pa), !mapped);
	expect_fault(cop_linear_va(&m->mem, pa + m->section - 8), !mapped);
	expect_fault(cop_page_va(&m->mem, pfn), !mapped);
	expect_fault(cop_page_va(&m->mem, last), !mapped);
	assert_int_equal(cop_pfn_valid(&m->mem, pfn), mapped);
}

/* The whole cycle, each zone, each placement of the memmap: everything is as before, the host's memory too. */
static void test_cycle(void **state)
{
	static const enum cop_zone_id zones[] = {COP_ZONE_NORMAL, COP_ZONE_MOVABLE};
	struct snapshot before, after;
	struct machine m;

	on(&m, state);
	before = machine_snapshot(&m);
	for (unsigned round = 0; round < 2 * ADD_FLAGS; round++) {
		enum cop_zone_id zone = zones[round & 1];
		uint32_t flags = add_flags[round / 2];
		struct cop_mem_account account;
		uint64_t frames = 3 * m.section >> m.shape->page_lg2, memmap = frames * 64 >> m.shape->page_lg2;

		add(&m, 2, 3, flags);
		expect_mapped(&m, 2, true);
		expect_mapped(&m, 4, true);
		expect_mapped(&m, 5, false);
		assert_int_equal(cop_mem_block_state(&m.mem, m.hot + 2 * m.section), COP_BLOCK_OFFLINE);
		account = cop_mem_account(&m.mem);
		assert_int_equal(account.offline, frames - (flags & COP_ADD_ALTMAP ? memmap : 0));
		assert_int_equal(account.memmap_buddy, flags & COP_ADD_ALTMAP ? 0 : frames * 64);
		assert_int_equal(account.memmap_altmap, flags & COP_ADD_ALTMAP ? frames * 64 : 0);
		machine_check(&m);

		assert_int_equal(online(&m, 2, 3, zone), 0);
		account = cop_mem_account(&m.mem);
		assert_int_equal(account.managed[zone] - before.account.managed[zone],
				 frames - (flags & COP_ADD_ALTMAP ? memmap : 0));
		machine_check(&m);
		assert_int_equal(offline(&m, 2, 3), 0);
		machine_check(&m);
		assert_int_equal(remove_(&m, 2, 3), 0);
		expect_mapped(&m, 2, false);
		expect_mapped(&m, 4, false);
		after = machine_snapshot(&m);
		same_state(&before, &after);
	}
	off(&m);
}

/* Sections go one by one and in any order, whatever they were added with. */
static void test_one_by_one(void **state)
{
	struct snapshot before, after;
	struct machine m;

	on(&m, state);
	before = machine_snapshot(&m);
	add(&m, 0, 4, 0);
	add(&m, 4, 2, COP_ADD_ALTMAP);
	assert_int_equal(remove_(&m, 2, 1), 0);
	expect_mapped(&m, 1, true);
	expect_mapped(&m, 2, false);
	expect_mapped(&m, 3, true);
	assert_int_equal(remove_(&m, 3, 2), 0);
	expect_mapped(&m, 5, true);
	assert_int_equal(remove_(&m, 5, 1), 0);
	assert_int_equal(remove_(&m, 0, 2), 0);
	after = machine_snapshot(&m);
	same_state(&before, &after);
	off(&m);
}

static void test_refusals(void **state)
{
	struct snapshot before, after;
	struct machine m;
	struct cop_mem *mem = &m.mem;

	on(&m, state);
	add(&m, 0, 1, 0);
	add(&m, 1, 1, 0);
	assert_int_equal(online(&m, 1, 1, COP_ZONE_MOVABLE), 0);
	add(&m, 2, 1, COP_ADD_DEVICE);
	before = machine_snapshot(&m);

	assert_int_equal(cop_mem_add(mem, m.hot + 4096, m.section, 0), -COP_EINVAL);
	assert_int_equal(cop_mem_add(mem, m.hot, m.section - 4096, 0), -COP_EINVAL);
	assert_int_equal(cop_mem_add(mem, m.hot, 0, 0), -COP_EINVAL);
	assert_int_equal(cop_mem_add(mem, m.hot, m.section, 1U << 31), -COP_EINVAL);
	assert_int_equal(cop_mem_add(mem, ~(m.section - 1), 2 * m.section, 0), -COP_EINVAL);
	assert_int_equal(cop_mem_add(mem, m.mem.pa_limit, m.section, 0), -COP_ERANGE);
	assert_int_equal(cop_mem_add(mem, m.mem.pa_limit - m.section, 2 * m.section, 0), -COP_ERANGE);
	assert_int_equal(cop_mem_add(mem, m.mem.pa_start - m.section, m.section, 0), -COP_ERANGE);
	assert_int_equal(cop_mem_add(mem, m.hot, m.section, 0), -COP_EEXIST);
	assert_int_equal(cop_mem_add(mem, MACHINE_BASE, m.section, 0), -COP_EEXIST);
	assert_int_equal(cop_mem_add(mem, m.hot + 2 * m.section, 2 * m.section, 0), -COP_EEXIST);

	assert_int_equal(online(&m, 3, 1, COP_ZONE_NORMAL), -COP_ENOENT);
	assert_int_equal(online(&m, 1, 1, COP_ZONE_NORMAL), -COP_EBUSY);
	assert_int_equal(online(&m, 0, 2, COP_ZONE_NORMAL), -COP_EBUSY);
	assert_int_equal(online(&m, 2, 1, COP_ZONE_NORMAL), -COP_EINVAL);
	assert_int_equal(online(&m, 0, 1, COP_ZONE_DEVICE), -COP_EINVAL);

	assert_int_equal(offline(&m, 3, 1), -COP_ENOENT);
	assert_int_equal(offline(&m, 0, 1), -COP_EINVAL);
	assert_int_equal(cop_mem_offline(mem, m.hot + 64, m.section), -COP_EINVAL);

	assert_int_equal(remove_(&m, 3, 1), -COP_ENOENT);
	assert_int_equal(remove_(&m, 2, 2), -COP_ENOENT);
	assert_int_equal(remove_(&m, 1, 1), -COP_EBUSY);
	assert_int_equal(remove_(&m, 0, 2), -COP_EBUSY);
	assert_int_equal(cop_mem_remove(mem, m.hot - m.section, m.section), -COP_EPERM);
	assert_int_equal(cop_mem_remove(mem, m.hot - m.section, 2 * m.section), -COP_EPERM);
	assert_int_equal(cop_mem_remove(mem, m.hot, m.section / 2), -COP_EINVAL);

	after = machine_snapshot(&m);
	same_state(&before, &after);
	assert_int_equal(remove_(&m, 2, 1), 0);
	off(&m);
}

/* HR2: tables that a neighbour still needs stay, after an add that failed and after a removal. */
static void test_shared_tables_stay(void **state)
{
	struct snapshot before, after;
	struct machine m;
	cop_va squatter;

	on(&m, state);
	add(&m, 1, 1, 0);
	/* Something of an earlier, failed add is in the way of the linear map. */
	squatter = cop_linear_va(&m.mem, m.hot + m.section - COP_LG2(m.shape->page_lg2));
	assert_int_equal(cop_map(&m.tree, squatter, m.hot + m.section - COP_LG2(m.shape->page_lg2),
				 COP_LG2(m.shape->page_lg2), COP_KERNEL_RW, 0, 0),
			 0);
	expect_mapped(&m, 1, true);
	before = machine_snapshot(&m);
	for (size_t i = 0; i < ADD_FLAGS; i++) {
		assert_int_equal(cop_mem_add(&m.mem, m.hot, m.section, add_flags[i]), -COP_EADDRINUSE);
		after = machine_snapshot(&m);
		same_state(&before, &after);
		expect_mapped(&m, 1, true);
	}
	assert_int_equal(remove_(&m, 1, 1), 0);
	assert_true(cop_translate(&m.tree, squatter).pa != COP_PA_NONE);
	off(&m);
}

/* HR3: the memmap of boot memory is reserved: refused, and nothing has changed. */
static void test_boot_memmap(void **state)
{
	struct snapshot before, after;
	struct machine m;

	on(&m, state);
	before = machine_snapshot(&m);
	assert_int_equal(cop_vmemmap_depopulate(&m.mem, &m.mem.sections[0], 1), -COP_EPERM);
	assert_int_equal(cop_vmemmap_depopulate(&m.mem, &m.mem.sections[MACHINE_BOOT_SECTIONS - 1], 1), -COP_EPERM);
	/* Boot memory that has nothing reserved goes offline, but does not go away. */
	for (unsigned i = 0; i < MACHINE_BOOT_SECTIONS; i++) {
		cop_pa pa = MACHINE_BASE + i * m.section;
		int err = cop_mem_offline(&m.mem, pa, m.section);

		assert_true(err == 0 || err == -COP_EBUSY);
		assert_int_equal(cop_mem_remove(&m.mem, pa, m.section), -COP_EPERM);
		if (!err)
			assert_int_equal(cop_mem_online(&m.mem, pa, m.section, COP_ZONE_NORMAL), 0);
	}
	after = machine_snapshot(&m);
	same_state(&before, &after);
	off(&m);
}

/* HR4: every allocation that an add makes fails in turn, alone or with all that follow. */
static void deny_each(struct machine *m, uint32_t flags, bool rest)
{
	struct snapshot before, after;
	uint64_t failures = 0, total;

	m->deny_at = 0;
	m->allocs = 0;
	add(m, 2, 2, flags);
	total = m->allocs;
	assert_int_equal(remove_(m, 2, 2), 0);
	before = machine_snapshot(m);
	m->deny_rest = rest;
	for (uint64_t n = 1; n <= total; n++) {
		int err;

		m->allocs = 0;
		m->deny_at = n;
		err = cop_mem_add(&m->mem, m->hot + 2 * m->section, 2 * m->section, flags);
		m->deny_at = 0;
		if (!err)
			assert_int_equal(remove_(m, 2, 2), 0);
		else
			assert_int_equal(err, -COP_ENOMEM);
		failures += err != 0;
		after = machine_snapshot(m);
		same_state(&before, &after);
	}
	/* A smaller block may do for the memmap where the large one fails alone. */
	if (rest)
		assert_int_equal(failures, total);
	machine_check(m);
}

static void test_add_denied(void **state)
{
	struct snapshot before, after;
	struct machine m;

	for (unsigned mapped = 0; mapped < 2; mapped++) {
		assert_true(machine_shape(&m, *state));
		m.config.flags = mapped ? COP_MEM_PAGE_MAPPED : 0;
		machine_on(&m);
		machine_touch_all(&m);
		for (size_t i = 0; i < ADD_FLAGS; i++) {
			deny_each(&m, add_flags[i], true);
			deny_each(&m, add_flags[i], false);
		}
		before = machine_snapshot(&m);
		m.populate_err = -COP_EIO;
		assert_int_equal(cop_mem_add(&m.mem, m.hot, m.section, 0), -COP_EIO);
		after = machine_snapshot(&m);
		same_state(&before, &after);
		off(&m);
	}
}

/* ---- notifiers ---- */

struct listener {
	struct cop_notifier notifier;
	unsigned told[COP_OFFLINE + 1];
	int veto_online, veto_offline;
};

static int on_event(struct cop_notifier *self, enum cop_mem_event event, cop_pa start, uint64_t bytes)
{
	struct listener *l = (struct listener *)self;

	(void)start;
	(void)bytes;
	l->told[event]++;
	if (event == COP_GOING_ONLINE)
		return l->veto_online;
	return event == COP_GOING_OFFLINE ? l->veto_offline : -COP_EPERM; /* too late for a veto */
}

#define LISTENERS 3

static void test_vetoes(void **state)
{
	struct listener l[LISTENERS];
	struct snapshot before, after;
	struct machine m;

	on(&m, state);
	memset(l, 0, sizeof(l));
	for (unsigned i = 0; i < LISTENERS; i++) {
		l[i].notifier.call = on_event;
		cop_mem_notify_register(&m.mem, &l[i].notifier);
	}
	add(&m, 0, 2, 0);
	before = machine_snapshot(&m);
	for (unsigned i = 0; i < LISTENERS; i++) {
		l[i].veto_online = -COP_EPERM;
		assert_int_equal(online(&m, 0, 2, COP_ZONE_MOVABLE), -COP_EPERM);
		l[i].veto_online = 0;
		after = machine_snapshot(&m);
		same_state(&before, &after);
		for (unsigned j = 0; j < LISTENERS; j++) {
			assert_int_equal(l[j].told[COP_CANCEL_ONLINE], i + 1);
			assert_int_equal(l[j].told[COP_ONLINE], 0);
		}
		assert_int_equal(l[LISTENERS - 1].told[COP_GOING_ONLINE], i == LISTENERS - 1);
	}
	assert_int_equal(online(&m, 0, 2, COP_ZONE_MOVABLE), 0);
	before = machine_snapshot(&m);
	for (unsigned i = 0; i < LISTENERS; i++) {
		l[i].veto_offline = -COP_ECANCELED;
		assert_int_equal(offline(&m, 0, 2), -COP_ECANCELED);
		l[i].veto_offline = 0;
		after = machine_snapshot(&m);
		same_state(&before, &after);
		for (unsigned j = 0; j < LISTENERS; j++)
			assert_int_equal(l[j].told[COP_CANCEL_OFFLINE], i + 1);
	}
	cop_mem_notify_unregister(&m.mem, &l[1].notifier);
	assert_int_equal(offline(&m, 0, 2), 0);
	assert_int_equal(l[0].told[COP_OFFLINE], 1);
	assert_int_equal(l[1].told[COP_OFFLINE], 0);
	assert_int_equal(l[2].told[COP_OFFLINE], 1);
	assert_int_equal(remove_(&m, 0, 2), 0);
	off(&m);
}

/* ---- offline ---- */

static cop_pfn hot_frame(struct machine *m, unsigned order, uint32_t flags)
{
	cop_pfn pfn = cop_frames_alloc(&m->mem, order, flags);

	assert_true(pfn != COP_PFN_NONE);
	assert_true(pfn << m->shape->page_lg2 >= m->hot);
	return pfn;
}

/* One frame in use that cannot move: busy, and everything is usable again. One that can: it is moved. */
static void test_offline_in_use(void **state)
{
	struct snapshot before, after;
	struct machine m;
	cop_pfn pfn;

	on(&m, state);
	add(&m, 0, 3, 0);
	assert_int_equal(online(&m, 0, 3, COP_ZONE_MOVABLE), 0);
	pfn = hot_frame(&m, 3, COP_ALLOC_MOVABLE | COP_ALLOC_FOLIO);
	before = machine_snapshot(&m);
	assert_int_equal(offline(&m, 0, 3), -COP_EBUSY); /* nobody migrates */
	after = machine_snapshot(&m);
	same_state(&before, &after);

	m.has_migrate = true;
	assert_true(cop_page_try_get(&m.mem, pfn)); /* held by somebody else: it cannot be emptied */
	assert_int_equal(offline(&m, 0, 3), -COP_EBUSY);
	assert_int_equal(m.migrated, 0);
	cop_page_put(&m.mem, pfn);
	after = machine_snapshot(&m);
	same_state(&before, &after);

	assert_int_equal(offline(&m, 0, 3), 0);
	assert_int_equal(m.migrated, 1);
	assert_int_equal(remove_(&m, 0, 3), 0);
	assert_int_equal(cop_mem_account(&m.mem).used[COP_USE_OTHER], 0);
	off(&m);
}

static void test_offline_unmovable(void **state)
{
	struct snapshot before, after;
	struct machine m;
	struct cop_section *section;
	cop_pfn pfn, first = COP_PFN_NONE;

	on(&m, state);
	m.has_migrate = true;
	add(&m, 0, 1, 0);
	assert_int_equal(online(&m, 0, 1, COP_ZONE_NORMAL), 0);
	section = cop_pfn_section(&m.mem, m.hot >> m.shape->page_lg2);
	/* Unmovable frames until one is in the hot section. */
	do {
		pfn = cop_frames_alloc(&m.mem, 0, 0);
		assert_true(pfn != COP_PFN_NONE);
		cop_page(&m.mem, pfn)->private_ = first;
		first = pfn;
	} while (cop_pfn_section(&m.mem, pfn) != section);
	before = machine_snapshot(&m);
	assert_int_equal(offline(&m, 0, 1), -COP_EBUSY);
	after = machine_snapshot(&m);
	same_state(&before, &after);
	assert_int_equal(m.migrated, 0);
	while (first != COP_PFN_NONE) {
		pfn = first;
		first = cop_page(&m.mem, pfn)->private_;
		cop_frames_free(&m.mem, pfn);
	}
	assert_int_equal(offline(&m, 0, 1), 0);
	assert_int_equal(remove_(&m, 0, 1), 0);
	off(&m);
}

/* ---- remove ---- */

/* At most 4 invalidations for a removal, whatever it was mapped with, however many sections, however its memmap is backed. */
static void test_invalidations(void **state)
{
	struct machine m;

	for (unsigned mapped = 0; mapped < 2; mapped++) {
		assert_true(machine_shape(&m, *state));
		m.config.flags = mapped ? COP_MEM_PAGE_MAPPED : 0;
		machine_on(&m);
		for (unsigned count = 1; count <= 8; count++) {
			for (size_t i = 0; i < ADD_FLAGS; i++) {
				uint64_t before;

				add(&m, 1, count, add_flags[i]);
				before = invalidations();
				assert_int_equal(remove_(&m, 1, count), 0);
				assert_in_range(invalidations() - before, 1, 4);
			}
		}
		off(&m);
	}
}

/* More than the largest tables of a format: what the memmap asks for first. */
static bool deny_blocks(void *ctx, unsigned order)
{
	(void)ctx;
	return order > 2;
}

/* The same when the allocator has nothing but small blocks for the memmap. */
static void test_scattered_memmap(void **state)
{
	struct snapshot before, after;
	struct machine m;
	uint64_t count;

	assert_true(machine_shape(&m, *state));
	m.config.hooks.deny = deny_blocks;
	machine_on(&m);
	machine_touch_all(&m);
	before = machine_snapshot(&m);
	add(&m, 0, 4, 0);
	count = invalidations();
	assert_int_equal(remove_(&m, 0, 4), 0);
	assert_in_range(invalidations() - count, 1, 4);
	after = machine_snapshot(&m);
	same_state(&before, &after);
	off(&m);
}

/* HR6: constructors and destructors balance, and the memmap's tables have none. */
static void test_constructors(void **state)
{
	struct cop_mem_account before, memmap, all;
	struct cop_section *section;
	struct machine m;
	cop_pa far;
	const struct cop_format *format;

	assert_true(machine_shape(&m, *state));
	format = cop_format_for(m.shape->arch, m.shape->page_lg2);
	/* So far away that it shares no leaf table with boot memory. */
	far = MACHINE_BASE + 1900 * m.section;
	m.config.flags = COP_MEM_PAGE_MAPPED;
	m.config.pa_limit = far + 8 * m.section;
	m.config.hooks.deny = deny_blocks;
	machine_on(&m);
	before = cop_mem_account(&m.mem);
	section = cop_pfn_section(&m.mem, far >> m.shape->page_lg2);
	assert_int_equal(cop_vmemmap_populate(&m.mem, section, false), 0);
	memmap = cop_mem_account(&m.mem);
	if (1900 * m.section >> m.shape->page_lg2 << COP_PAGE_STRUCT_LG2 >= COP_LG2(format->shift(1)))
		assert_true(memmap.tables_linked > before.tables_linked);
	assert_int_equal(memmap.constructed, before.constructed);
	assert_int_equal(cop_vmemmap_depopulate(&m.mem, section, 1), 0);

	assert_int_equal(cop_mem_add(&m.mem, far, 8 * m.section, 0), 0);
	all = cop_mem_account(&m.mem);
	assert_true(all.constructed > before.constructed);
	assert_true(all.tables_linked > memmap.tables_linked);
	assert_int_equal(cop_mem_remove(&m.mem, far, 8 * m.section), 0);
	cop_host_rcu_barrier();
	all = cop_mem_account(&m.mem);
	assert_int_equal(all.constructed, before.constructed);
	assert_int_equal(all.tables_linked, before.tables_linked);
	assert_int_equal(all.tables, before.tables);
	off(&m);
}

/* HR8: a machine that cannot remove memory. */
static void test_no_remove(void **state)
{
	struct snapshot before, after;
	struct machine m;

	assert_true(machine_shape(&m, *state));
	m.config.flags = COP_MEM_NO_REMOVE;
	machine_on(&m);
	add(&m, 0, 1, 0);
	before = machine_snapshot(&m);
	assert_int_equal(remove_(&m, 0, 1), -COP_EBUSY);
	after = machine_snapshot(&m);
	same_state(&before, &after);
	off(&m);
}

/* A leaf that reaches beyond the range is not split: busy, nothing has changed, walkers saw nothing. */
static void test_no_split(void **state)
{
	struct snapshot before, after;
	struct machine m;
	const struct shape *shape = *state;
	struct shape small = *shape;
	const struct cop_format *format = cop_format_for(shape->arch, shape->page_lg2);
	unsigned leaf_lg2 = format->shift(1);

	/* Sections half the size of a block leaf. */
	small.section_lg2 = (uint8_t)(leaf_lg2 - 1);
	if (leaf_lg2 > 24)
		return;
	assert_true(machine_shape(&m, &small));
	machine_on(&m);
	machine_touch_all(&m);
	add(&m, 0, 4, COP_ADD_LARGE_LEAVES);
	assert_int_equal(cop_translate(&m.tree, cop_linear_va(&m.mem, m.hot)).size_lg2, leaf_lg2);
	before = machine_snapshot(&m);
	assert_int_equal(remove_(&m, 0, 1), -COP_EBUSY);
	assert_int_equal(remove_(&m, 1, 2), -COP_EBUSY);
	assert_int_equal(remove_(&m, 3, 1), -COP_EBUSY);
	after = machine_snapshot(&m);
	same_state(&before, &after);
	assert_int_equal(remove_(&m, 2, 2), 0);
	assert_int_equal(remove_(&m, 0, 2), 0);
	off(&m);
}

/* Nor is a contiguous run unfolded. */
static void test_no_unfold(void **state)
{
	struct snapshot before, after;
	struct machine m;
	unsigned run_lg2, first, count;
	const struct cop_format *format;

	on(&m, state);
	format = cop_format_for(m.shape->arch, m.shape->page_lg2);
	run_lg2 = format->shift(1) + format->cont_lg2(&m.config.geom, 1);
	if (format->cont_lg2(&m.config.geom, 1) && run_lg2 > m.shape->section_lg2 &&
	    COP_LG2(run_lg2) <= 8 * m.section) {
		first = (unsigned)((COP_ALIGN_UP(m.hot, COP_LG2(run_lg2)) - m.hot) / m.section);
		count = (unsigned)(COP_LG2(run_lg2) / m.section);
		add(&m, first, count, COP_ADD_LARGE_LEAVES);
		assert_true(cop_translate(&m.tree, cop_linear_va(&m.mem, m.hot + first * m.section)).attrs & COP_CONT);
		before = machine_snapshot(&m);
		assert_int_equal(remove_(&m, first, 1), -COP_EBUSY);
		assert_int_equal(remove_(&m, first + 1, 1), -COP_EBUSY);
		assert_int_equal(remove_(&m, first + count - 1, 1), -COP_EBUSY);
		after = machine_snapshot(&m);
		same_state(&before, &after);
		assert_int_equal(remove_(&m, first, count), 0);
	}
	off(&m);
}

int main(void)
{
	static const struct shaped_test tests[] = {
		SHAPED(test_cycle),
		SHAPED(test_one_by_one),
		SHAPED(test_refusals),
		SHAPED(test_shared_tables_stay),
		SHAPED(test_boot_memmap),
		SHAPED(test_add_denied),
		SHAPED(test_vetoes),
		SHAPED(test_offline_in_use),
		SHAPED(test_offline_unmovable),
		SHAPED(test_invalidations),
		SHAPED(test_scattered_memmap),
		SHAPED(test_constructors),
		SHAPED(test_no_remove),
		SHAPED(test_no_split),
		SHAPED(test_no_unfold),
	};

	return run_shaped("hotplug", tests, sizeof(tests) / sizeof(tests[0]));
}
