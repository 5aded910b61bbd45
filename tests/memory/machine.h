/* SPDX-License-Identifier: MIT */
/* A small machine of each shape for the tests of memory/ and hotplug/, and a snapshot of all of its state. */
#ifndef COPPICE_TESTS_MACHINE_H
#define COPPICE_TESTS_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <coppice/hotplug.h>
#include "ports/host/machine.h"

/* A shape: architecture, page size, address width, section size. */
struct shape {
	const char *name;
	enum cop_arch arch;
	uint8_t page_lg2, va_bits, section_lg2;
};

static const struct shape shapes[] = {
	{"arm64-4k", COP_ARM64, 12, 48, 22},       {"arm64-4k-39", COP_ARM64, 12, 39, 22},
	{"arm64-16k", COP_ARM64, 14, 47, 23},      {"arm64-64k", COP_ARM64, 16, 48, 26},
	{"x86-64", COP_X86_64, 12, 48, 22},        {"x86-64-57", COP_X86_64, 12, 57, 22},
	{"riscv64-sv39", COP_RISCV64, 12, 39, 22}, {"riscv64-sv57", COP_RISCV64, 12, 57, 22},
	{"riscv64-sv48", COP_RISCV64, 12, 48, 22}, {"s390x-3", COP_S390X, 12, 42, 22},
	{"s390x-5", COP_S390X, 12, 64, 22},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

#define MACHINE_BASE          0x40000000ULL
#define MACHINE_BOOT_SECTIONS 4
#define MACHINE_SECTIONS      24
#define MACHINE_CPUS          4
#define MACHINE_VMALLOC       (16ULL << 20) /* bytes of the window beyond the memmap */

struct machine {
	const struct shape *shape;
	struct cop_mem_config config;
	struct cop_mem_range ram;
	struct cop_mem mem;
	struct cop_tree tree;
	void *arena;
	uint64_t section;  /* bytes */
	cop_pa hot;        /* first address that is not there at boot */
	uint64_t allocs;   /* asked of the allocator since it was reset; marked */
	uint64_t deny_at;  /* the allocation that fails; 0: none */
	bool deny_rest;    /* and all that follow */
	int populate_err;  /* what the populate hook returns */
	bool has_migrate;  /* movable folios are moved */
	uint64_t migrated; /* marked */
};

static inline int machine_populate(void *ctx, cop_pa pa, uint64_t bytes)
{
	const struct machine *m = ctx;

	return m->populate_err ? m->populate_err : cop_host_populate(pa, bytes);
}

static inline void machine_punch(void *ctx, cop_pa pa, uint64_t bytes)
{
	(void)ctx;
	if (cop_host_punch(pa, bytes))
		cop_panic("punch", NULL);
}

static inline bool machine_deny(void *ctx, unsigned order)
{
	struct machine *m = ctx;
	uint64_t n = cop_fetch_add(&m->allocs, 1ULL, relaxed) + 1;

	(void)order;
	return m->deny_at && (m->deny_rest ? n >= m->deny_at : n == m->deny_at);
}

static inline int machine_migrate(void *ctx, struct cop_mem *mem, cop_pfn pfn, unsigned order)
{
	struct machine *m = ctx;

	(void)order;
	if (!m->has_migrate || cop_load(&cop_page(mem, pfn)->refcount, relaxed) != 1)
		return -COP_EBUSY;
	cop_fetch_add(&m->migrated, 1ULL, relaxed);
	cop_frames_free(mem, pfn);
	return 0;
}

/* The TLB miss: what the tables say. */
static inline struct cop_host_translation machine_translate(void *ctx, cop_va va)
{
	const struct machine *m = ctx;
	struct cop_host_translation to = {.bytes = 0};
	struct cop_translation at;

	cop_rcu_read_lock();
	at = cop_translate(&m->tree, va);
	cop_rcu_read_unlock();
	if (at.pa == COP_PA_NONE)
		return to;
	to.bytes = COP_LG2(at.size_lg2);
	to.va = COP_ALIGN_DOWN(va, to.bytes);
	to.pa = at.pa - (va - to.va);
	to.writable = at.attrs & COP_WRITE;
	to.global = at.attrs & COP_GLOBAL;
	return to;
}

/* Configuration as for MACHINE_BOOT_SECTIONS of boot memory; the caller may change it before machine_on(). */
static inline bool machine_shape(struct machine *m, const struct shape *shape)
{
	memset(m, 0, sizeof(*m));
	m->shape = shape;
	m->section = COP_LG2(shape->section_lg2);
	if (!cop_format_for(shape->arch, shape->page_lg2) ||
	    cop_geom_init(&m->config.geom, shape->arch, shape->page_lg2, shape->va_bits))
		return false;
	if (shape->arch == COP_ARM64)
		m->config.geom.half = COP_HALF_HIGH;
	m->ram = (struct cop_mem_range){MACHINE_BASE, MACHINE_BOOT_SECTIONS * m->section};
	m->config.ram = &m->ram;
	m->config.rams = 1;
	m->config.pa_start = MACHINE_BASE;
	m->config.pa_limit = MACHINE_BASE + MACHINE_SECTIONS * m->section;
	m->config.section_lg2 = shape->section_lg2;
	m->config.hooks = (struct cop_mem_hooks){machine_populate, machine_punch, machine_migrate, machine_deny, m};
	m->hot = MACHINE_BASE + MACHINE_BOOT_SECTIONS * m->section;
	return true;
}

static inline int machine_boot(struct machine *m)
{
	struct cop_layout_result layout = cop_mem_layout_for(&m->config);
	struct cop_host_config host = {.cpus = MACHINE_CPUS, .phys_bytes = COP_ALIGN_UP(m->config.pa_limit, 1 << 26)};

	if (layout.err)
		return layout.err;
	host.window_va = layout.layout.linear_start;
	host.window_bytes =
		COP_ALIGN_UP(layout.layout.vmemmap_last - layout.layout.linear_start + MACHINE_VMALLOC, 1 << 21);
	if (cop_host_init(&host)) {
		cop_host_exit(); /* left on by a test that failed */
		assert_int_equal(cop_host_init(&host), 0);
	}
	cop_host_set_translate(machine_translate, m);
	m->arena = aligned_alloc(64, COP_ALIGN_UP(cop_mem_arena_bytes(&m->config), 64));
	assert_non_null(m->arena);
	return cop_mem_boot(&m->mem, &m->tree, m->arena, &m->config);
}

static inline void machine_off(struct machine *m)
{
	cop_host_exit();
	free(m->arena);
}

static inline void machine_on(struct machine *m)
{
	assert_int_equal(machine_boot(m), 0);
}

/* Names the first inconsistency. */
static inline void machine_check(struct machine *m)
{
	struct cop_mem_fault faults[8];
	unsigned n;

	cop_host_rcu_barrier();
	n = cop_mem_check(&m->mem, faults, 8);
	for (unsigned i = 0; i < n && i < 8; i++)
		print_error("%s: %s at frame %#llx\n", m->shape->name, faults[i].rule,
			    (unsigned long long)faults[i].pfn);
	assert_int_equal(n, 0);
}

/* ---- snapshots ---- */

/* Everything that an operation which fails must leave as it was. Free lists and extents as sets. */
struct snapshot {
	struct cop_mem_account account;
	struct cop_section sections[MACHINE_SECTIONS];
	uint64_t free_blocks, extents, extent_count;
	uint64_t tables[COP_MAX_LEVELS];
	uint64_t held;
};

static inline uint64_t mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15ULL ^ (b + 0x632be59bd9b4e019ULL) * 0xff51afd7ed558ccdULL;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9ULL ^ x >> 32;
}

static inline uint64_t hash_free_blocks(struct machine *m)
{
	uint64_t sum = 0;

	for (unsigned id = 0; id < COP_ZONES; id++)
		for (unsigned order = 0; order < COP_ORDERS; order++)
			for (cop_pfn pfn = m->mem.zone[id].area[order].first; pfn != COP_PFN_NONE;
			     pfn = cop_page(&m->mem, pfn)->next)
				sum += mix(pfn, id * COP_ORDERS + order);
	return sum;
}

static inline void hash_extents(struct machine *m, struct snapshot *s)
{
	cop_va va = m->mem.layout.linear_start;
	struct cop_extent extents[32];
	unsigned n;

	do {
		n = cop_query(&m->tree, va, m->mem.layout.vmemmap_last, extents, 32);
		for (unsigned i = 0; i < n; i++) {
			const struct cop_extent *e = &extents[i];

			s->extents += mix(mix(e->va, e->bytes), mix(e->pa, (uint64_t)e->attrs << 8 | e->level));
			s->extent_count++;
			va = e->va + e->bytes;
		}
	} while (n == 32);
}

static inline struct snapshot machine_snapshot(struct machine *m)
{
	struct snapshot s;

	cop_host_rcu_barrier();
	memset(&s, 0, sizeof(s));
	s.account = cop_mem_account(&m->mem);
	for (uint64_t i = 0; i < m->mem.section_count && i < MACHINE_SECTIONS; i++)
		s.sections[i] = m->mem.sections[i];
	s.free_blocks = hash_free_blocks(m);
	hash_extents(m, &s);
	memcpy(s.tables, m->tree.tables, sizeof(s.tables));
	s.held = cop_host_held();
	return s;
}

#define SAME(field) assert_memory_equal(&a->field, &b->field, sizeof(a->field))

static inline void same_state(const struct snapshot *a, const struct snapshot *b)
{
	SAME(sections);
	SAME(tables);
	assert_int_equal(a->extent_count, b->extent_count);
	SAME(extents);
	for (unsigned id = 0; id < COP_ZONES; id++) {
		assert_int_equal(a->account.managed[id], b->account.managed[id]);
		assert_int_equal(a->account.free[id], b->account.free[id]);
		assert_int_equal(a->account.withheld[id], b->account.withheld[id]);
	}
	assert_int_equal(a->account.tables, b->account.tables);
	assert_int_equal(a->account.tables_linked, b->account.tables_linked);
	assert_int_equal(a->account.constructed, b->account.constructed);
	SAME(account);
	SAME(free_blocks);
	assert_int_equal(a->held, b->held);
}

/*
 * Touches all boot memory, its memmap and its table descriptors, so that from now on what the host holds for it is
 * constant and the rest is what was added.
 */
static inline void machine_touch_all(struct machine *m)
{
	for (cop_pa pa = m->ram.start; pa < m->ram.start + m->ram.bytes; pa += 2048) {
		volatile uint64_t *word = cop_phys(pa);
		volatile uint64_t *desc = (volatile uint64_t *)cop_ptdesc(pa);

		*word = *word;
		*desc = *desc;
	}
}

/* ---- running ---- */

static inline uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* The panic that a test expects. */
static sigjmp_buf machine_panicked COP_UNUSED;
static const char *machine_panic_rule COP_UNUSED;

static inline void machine_on_panic(const char *rule, const void *where)
{
	(void)where;
	machine_panic_rule = rule;
	siglongjmp(machine_panicked, 1);
}

/* A test and the shapes it runs on. */
struct shaped_test {
	const char *name;
	CMUnitTestFunction fn;
};
#define SHAPED(fn)                                                                                                     \
	{                                                                                                              \
#fn, fn                                                                                                \
	}

/* Each test for each shape; *state is the shape. */
static inline int run_shaped(const char *group, const struct shaped_test *tests, size_t count)
{
	struct CMUnitTest all[256];
	static char names[256][96];
	struct machine probe;
	size_t n = 0;

	for (size_t i = 0; i < SHAPES; i++) {
		/* A shape that is not there, or not run, would be a test that passes for nothing. */
		if (!machine_shape(&probe, &shapes[i]) || n + count > 256) {
			print_error("%s: %s cannot be run\n", group, shapes[i].name);
			return 1;
		}
		for (size_t t = 0; t < count; t++, n++) {
			(void)snprintf(names[n], sizeof(names[n]), "%s %s", tests[t].name, shapes[i].name);
			all[n] = (struct CMUnitTest){names[n], tests[t].fn, NULL, NULL, (void *)(uintptr_t)&shapes[i]};
		}
	}
	return _cmocka_run_group_tests(group, all, n, NULL, NULL);
}

#endif
