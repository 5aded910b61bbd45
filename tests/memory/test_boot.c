/* SPDX-License-Identifier: MIT */
/* memory/: the layout, and booting of several maps. */
#include "tests/memory/machine.h"

#define GB (1ULL << 30)

/* ---- layout ---- */

struct layout_case {
	struct cop_geom geom;
	cop_pa pa_start, pa_limit;
	unsigned section_lg2;
	int err;
};
#define GEOM(a, h, p, v, o)                                                                                            \
	{                                                                                                              \
		.arch = (a), .half = (h), .page_lg2 = (p), .va_bits = (v), .pa_bits = (o)                              \
	}

static const struct layout_case layouts[] = {
	{GEOM(COP_RISCV64, COP_HALF_BOTH, 12, 39, 56), 2 * GB, 130 * GB, 27, 0},
	{GEOM(COP_RISCV64, COP_HALF_BOTH, 12, 39, 56), 2 * GB, 250 * GB, 27, 0},
	{GEOM(COP_RISCV64, COP_HALF_BOTH, 12, 39, 56), 2 * GB, 258 * GB, 27, -COP_ERANGE},
	{GEOM(COP_RISCV64, COP_HALF_BOTH, 12, 48, 56), 0, 1024 * GB, 27, 0},
	{GEOM(COP_RISCV64, COP_HALF_BOTH, 12, 57, 56), 0, 1024 * GB, 27, 0},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 14, 36, 48), GB, 33 * GB, 27, 0},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 14, 36, 48), GB, 66 * GB, 27, -COP_ERANGE},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 12, 39, 48), GB, 66 * GB, 27, 0},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 16, 42, 48), GB, 1024 * GB, 29, 0},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 14, 47, 48), GB, 1024 * GB, 27, 0},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 12, 48, 48), 0, COP_LG2(47), 27, 0},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 12, 48, 48), 0, COP_LG2(49), 27, -COP_ERANGE},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 16, 52, 52), 0, COP_LG2(51), 29, 0},
	{GEOM(COP_X86_64, COP_HALF_BOTH, 12, 48, 46), 0, COP_LG2(46), 27, 0},
	{GEOM(COP_X86_64, COP_HALF_BOTH, 12, 48, 52), 0, COP_LG2(47), 27, -COP_ERANGE},
	{GEOM(COP_X86_64, COP_HALF_BOTH, 12, 57, 52), 0, COP_LG2(52), 27, 0},
	{GEOM(COP_S390X, COP_HALF_LOW, 12, 42, 64), 0, 1024 * GB, 28, 0},
	{GEOM(COP_S390X, COP_HALF_LOW, 12, 42, 64), 0, COP_LG2(42), 28, -COP_ERANGE},
	{GEOM(COP_S390X, COP_HALF_LOW, 12, 53, 64), 0, 1024 * GB, 28, 0},
	{GEOM(COP_S390X, COP_HALF_LOW, 12, 64, 64), 0, COP_LG2(52), 28, 0},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 12, 48, 48), 0, GB, 17, -COP_EINVAL},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 16, 48, 48), 0, GB, 25, -COP_EINVAL},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 12, 48, 48), GB, GB, 27, -COP_EINVAL},
	{GEOM(COP_ARM64, COP_HALF_HIGH, 12, 48, 48), 0, ~0ULL, 27, -COP_ERANGE},
};

static void test_layout(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
		const struct layout_case *c = &layouts[i];
		struct cop_layout_result r = cop_mem_layout(&c->geom, c->pa_start, c->pa_limit, c->section_lg2);
		const struct cop_layout *l = &r.layout;

		if (r.err != c->err)
			fail_msg("layout %zu: %d", i, r.err);
		if (r.err)
			continue;
		/* All of memory and its memmap is inside, and the two do not meet. */
		assert_true(l->linear + c->pa_start >= l->linear_start);
		assert_true(l->linear + (c->pa_limit - 1) <= l->linear_last);
		assert_true(l->linear_last < l->vmemmap_start);
		assert_true(l->vmemmap_start < l->vmemmap_last);
		assert_true(l->vmemmap + (c->pa_start >> c->geom.page_lg2) * 64 >= l->vmemmap_start);
		assert_true(l->vmemmap + ((c->pa_limit - 1) >> c->geom.page_lg2) * 64 <= l->vmemmap_last);
		assert_true(COP_IS_ALIGNED(l->linear, GB));
		if (c->geom.half != COP_HALF_LOW)
			assert_true(l->linear_start >= ~0ULL << (c->geom.va_bits - (c->geom.half == COP_HALF_BOTH)));
		else if (c->geom.va_bits < 64)
			assert_int_equal(l->vmemmap_last >> c->geom.va_bits, 0);
	}
}

/* ---- maps ---- */

/* Is the frame in a part of boot memory that nothing reserves? */
static bool usable(const struct machine *m, cop_pa pa, bool *ram)
{
	uint64_t page = COP_LG2(m->shape->page_lg2);

	*ram = false;
	for (unsigned i = 0; i < m->config.rams; i++)
		if (pa >= m->config.ram[i].start && pa + page <= m->config.ram[i].start + m->config.ram[i].bytes)
			*ram = true;
	for (unsigned i = 0; i < m->config.reserveds; i++) {
		const struct cop_mem_range *r = &m->config.reserved[i];

		if (pa < r->start + r->bytes && pa + page > r->start)
			return false;
	}
	return *ram;
}

/* Every frame of every boot section is mapped to itself if it is memory, and what is free is usable. */
static void check_booted(struct machine *m)
{
	struct cop_mem_account account = cop_mem_account(&m->mem);
	uint64_t page = COP_LG2(m->shape->page_lg2), ram_frames = 0, present = 0, usable_frames = 0;
	uint64_t taken = (account.tables + account.memmap_early) >> m->shape->page_lg2;

	for (cop_pa pa = m->mem.pa_start; pa < m->mem.pa_limit; pa += page) {
		cop_pfn pfn = pa >> m->shape->page_lg2;
		struct cop_translation at = cop_translate(&m->tree, cop_linear_va(&m->mem, pa));
		bool ram, free = usable(m, pa, &ram);

		if (at.pa != (ram ? pa : COP_PA_NONE))
			fail_msg("%s: %#llx", m->shape->name, (unsigned long long)pa);
		ram_frames += ram;
		usable_frames += free;
		if (!cop_pfn_valid(&m->mem, pfn)) {
			assert_false(ram);
			continue;
		}
		present++;
		if (!free)
			assert_int_equal(cop_page(&m->mem, pfn)->flags, COP_PG_RESERVED);
	}
	assert_int_equal(account.present, present);
	assert_int_equal(account.holes, present - ram_frames);
	assert_int_equal(account.offline, 0);
	assert_int_equal(account.tables, account.tables_linked);
	assert_int_equal(account.reserved + account.managed[COP_ZONE_NORMAL], ram_frames);
	assert_int_equal(account.managed[COP_ZONE_NORMAL], account.free[COP_ZONE_NORMAL]);
	/* What boot took is tables and memmap, and at most a frame of fragments and the gaps of large tables. */
	assert_in_range(usable_frames - account.managed[COP_ZONE_NORMAL], taken, taken + 4);
	machine_check(m);
}

static void boot_and_check(struct machine *m)
{
	machine_on(m);
	check_booted(m);
	machine_off(m);
}

static void test_plain_map(void **state)
{
	struct machine m;

	assert_true(machine_shape(&m, *state));
	boot_and_check(&m);
}

/* As firmware leaves it: ranges that end inside a frame, a hole inside a section, reserved parts that overlap. */
static void test_ragged_map(void **state)
{
	struct machine m;
	uint64_t section = COP_LG2(((const struct shape *)*state)->section_lg2), page;
	struct cop_mem_range ram[4], reserved[4];

	assert_true(machine_shape(&m, *state));
	page = COP_LG2(m.shape->page_lg2);
	ram[0] = (struct cop_mem_range){MACHINE_BASE + page, section / 4};
	ram[1] = (struct cop_mem_range){MACHINE_BASE + section / 2 + page, 2 * section + page};
	ram[2] = (struct cop_mem_range){MACHINE_BASE + 4 * section, 0};
	ram[3] = (struct cop_mem_range){MACHINE_BASE + 5 * section - page, 3 * section};
	reserved[0] = (struct cop_mem_range){MACHINE_BASE + 6 * section + 100, 3 * page};
	reserved[1] = (struct cop_mem_range){MACHINE_BASE + section + 4 * page, 2 * page};
	reserved[2] = (struct cop_mem_range){MACHINE_BASE + 6 * section, 2 * page};
	reserved[3] = (struct cop_mem_range){0, MACHINE_BASE + 2 * page};
	m.config.ram = ram;
	m.config.rams = 4;
	m.config.reserved = reserved;
	m.config.reserveds = 4;
	boot_and_check(&m);
}

static void test_ends_inside_frames(void **state)
{
	struct machine m;
	struct cop_mem_range ram;

	assert_true(machine_shape(&m, *state));
	ram = (struct cop_mem_range){MACHINE_BASE + 4096, 2 * m.section - 3 * 4096};
	m.config.ram = &ram;
	boot_and_check(&m);
}

static unsigned smallest_linear_level(struct machine *m, unsigned *largest)
{
	struct cop_extent extents[64];
	unsigned n = cop_query(&m->tree, m->mem.layout.linear_start, m->mem.layout.linear_last, extents, 64);
	unsigned smallest = ~0U;

	*largest = 0;
	for (unsigned i = 0; i < n; i++) {
		smallest = extents[i].level < smallest ? extents[i].level : smallest;
		*largest = extents[i].level > *largest ? extents[i].level : *largest;
	}
	return smallest;
}

static void test_page_mapped(void **state)
{
	struct machine m;
	unsigned largest;
	const struct cop_format *format;

	assert_true(machine_shape(&m, *state));
	format = cop_format_for(m.shape->arch, m.shape->page_lg2);
	machine_on(&m);
	if (COP_LG2(format->shift(1)) <= m.section)
		assert_int_equal(smallest_linear_level(&m, &largest), 1);
	machine_off(&m);

	assert_true(machine_shape(&m, *state));
	m.config.flags = COP_MEM_PAGE_MAPPED;
	machine_on(&m);
	smallest_linear_level(&m, &largest);
	assert_int_equal(largest, 0);
	check_booted(&m);
	machine_off(&m);
}

static int boot_error(const struct shape *shape, const struct cop_mem_range *ram, unsigned rams, int populate_err)
{
	struct machine m;
	int err;

	assert_true(machine_shape(&m, shape));
	m.config.ram = ram;
	m.config.rams = rams;
	m.populate_err = populate_err;
	err = machine_boot(&m);
	machine_off(&m);
	return err;
}

static void test_bad_maps(void **state)
{
	const struct shape *shape = *state;
	uint64_t section = COP_LG2(shape->section_lg2), page = COP_LG2(shape->page_lg2);
	const struct cop_mem_range good = {MACHINE_BASE, 2 * section};
	const struct cop_mem_range overlap[] = {good, {MACHINE_BASE + section, section}};
	const struct cop_mem_range unordered[] = {{MACHINE_BASE + 4 * section, section}, good};
	const struct cop_mem_range wraps = {MACHINE_BASE, ~0ULL - section};
	const struct cop_mem_range beyond = {MACHINE_BASE, (MACHINE_SECTIONS + 1) * section};
	const struct cop_mem_range below = {MACHINE_BASE - section, 2 * section};
	const struct cop_mem_range tiny = {MACHINE_BASE, 2 * page};

	assert_int_equal(boot_error(shape, &good, 1, 0), 0);
	assert_int_equal(boot_error(shape, overlap, 2, 0), -COP_EINVAL);
	assert_int_equal(boot_error(shape, unordered, 2, 0), -COP_EINVAL);
	assert_int_equal(boot_error(shape, &wraps, 1, 0), -COP_EINVAL);
	assert_int_equal(boot_error(shape, &beyond, 1, 0), -COP_ERANGE);
	assert_int_equal(boot_error(shape, &below, 1, 0), -COP_ERANGE);
	assert_int_equal(boot_error(shape, &tiny, 1, 0), -COP_ENOMEM);
	assert_int_equal(boot_error(shape, &good, 0, 0), -COP_EINVAL);
	assert_int_equal(boot_error(shape, &good, 1, -COP_EIO), -COP_EIO);
}

int main(void)
{
	static const struct shaped_test tests[] = {
		SHAPED(test_plain_map),   SHAPED(test_ragged_map), SHAPED(test_ends_inside_frames),
		SHAPED(test_page_mapped), SHAPED(test_bad_maps),
	};
	const struct CMUnitTest plain[] = {cmocka_unit_test(test_layout)};

	return cmocka_run_group_tests_name("layout", plain, NULL, NULL) +
	       run_shaped("boot", tests, sizeof(tests) / sizeof(tests[0]));
}
