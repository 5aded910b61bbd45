/* SPDX-License-Identifier: MIT */
/*
 * Random sequences of every operation against a plain model: an array of units, each mapped somewhere with some attributes
 * or not at all. Every invalidation is recorded: a unit whose translation changed must have been covered by one when
 * cop_gather_finish() returns.
 */
#include "tests/tables/rig.h"

#define MAX_UNITS (1U << 16)
#define AD        (COP_YOUNG | COP_DIRTY)

struct unit {
	cop_pa pa; /* COP_PA_NONE: not mapped */
	uint32_t attrs;
	bool stale;     /* a TLB may hold what the unit no longer maps */
	uint64_t clean; /* ... except of so many bytes from its start */
	bool void_;     /* a TLB may hold that the unit maps nothing, since it was broken */
};

static struct world {
	struct cop_tree tree;
	struct rig_source source;
	const struct cop_format *format;
	unsigned unit_lg2, units;
	cop_va base;
	struct unit *unit;
	uint64_t seed, checked;
	uint64_t invalidations;
	bool watch_void;
} w;

/* ---- recording invalidations: the linker puts this in front of the port's ---- */

void __real_cop_tlbi(const struct cop_tlbi *);
void __wrap_cop_tlbi(const struct cop_tlbi *);

static void recorded(const struct cop_tlbi *t)
{
	w.invalidations++;
	for (unsigned i = 0; w.unit && i < w.units; i++) {
		const cop_va start = w.base + ((uint64_t)i << w.unit_lg2), last = start + ((1ULL << w.unit_lg2) - 1);
		struct unit *unit = &w.unit[i];

		/* By-address operations are a stride apart: a larger stride than the unit must start at the unit's leaf. */
		if (start + unit->clean < t->start || start + unit->clean > t->last)
			continue;
		unit->clean = (t->last < last ? t->last : last) - start + 1;
		if (unit->clean < 1ULL << w.unit_lg2)
			continue;
		unit->clean = 0;
		unit->stale = false;
		if (w.watch_void && unit->pa != COP_PA_NONE)
			unit->void_ = cop_translate(&w.tree, start).attrs & COP_PROTNONE;
	}
}

void __wrap_cop_tlbi(const struct cop_tlbi *t)
{
	recorded(t);
	__real_cop_tlbi(t);
}

/* s390x: instructions that change an entry and invalidate. */
uint64_t __real_cop_entry_xchg(uint64_t *, uint64_t, const struct cop_tlbi *);
uint64_t __wrap_cop_entry_xchg(uint64_t *, uint64_t, const struct cop_tlbi *);
void __real_cop_entries_break(uint64_t *, unsigned, uint64_t, const struct cop_tlbi *);
void __wrap_cop_entries_break(uint64_t *, unsigned, uint64_t, const struct cop_tlbi *);

uint64_t __wrap_cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *t)
{
	recorded(t);
	return __real_cop_entry_xchg(entry, new_, t);
}

void __wrap_cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *t)
{
	recorded(t);
	/* IPTE and IDTE. */
	assert_true(invalid_bit & (t->level ? 0x20 : 0x400));
	__real_cop_entries_break(entry, n, invalid_bit, t);
}

/* ---- world ---- */

static void world_open(const struct rig_geom *rg, unsigned unit_level, cop_va base, unsigned units, uint64_t seed)
{
	struct cop_table_source source;

	memset(&w, 0, sizeof(w));
	rig_source_init(&w.source);
	source = rig_table_source(&w.source);
	assert_int_equal(cop_tree_init(&w.tree, &rg->geom, &source, 1, 0), 0);
	w.format = w.tree.ops->format;
	w.unit_lg2 = w.format->shift(unit_level);
	w.units = units;
	w.base = base;
	w.seed = seed;
	w.watch_void = rg->geom.arch == COP_RISCV64;
	w.unit = calloc(units, sizeof(*w.unit));
	for (unsigned i = 0; i < units; i++)
		w.unit[i].pa = COP_PA_NONE;
}

static cop_va va_of(unsigned unit)
{
	return w.base + ((uint64_t)unit << w.unit_lg2);
}

static uint64_t unit_bytes(void)
{
	return 1ULL << w.unit_lg2;
}

static void world_close(void)
{
	struct cop_gather gather;
	struct cop_unmapped u;

	cop_gather_begin(&gather, &w.tree);
	u = cop_unmap(&gather, w.base, (uint64_t)w.units << w.unit_lg2, COP_UNMAP_BLIND | COP_UNMAP_HOLES_OK, NULL, 0);
	assert_int_equal(u.err, 0);
	assert_int_equal(u.done, (uint64_t)w.units << w.unit_lg2);
	(void)cop_gather_finish(&gather);
	(void)rig_census(&w.tree);
	rig_no_leak(&w.tree, &w.source);
	assert_int_equal(rig_table_count(&w.tree), 1);
	assert_int_equal(w.tree.constructed, 0);
	assert_int_equal(cop_tree_destroy(&w.tree), 0);
	assert_int_equal(w.source.live, 0);
	free(w.unit);
	rig_source_fini(&w.source);
	memset(&w, 0, sizeof(w));
}

/* ---- comparing ---- */

static void check_extents(void)
{
	static struct cop_extent x[256];
	cop_va va = w.base;
	const cop_va last = va + ((uint64_t)w.units << w.unit_lg2) - 1;
	unsigned n, next = 0;

	do {
		cop_rcu_read_lock();
		n = cop_query(&w.tree, va, last, x, 256);
		cop_rcu_read_unlock();
		for (unsigned i = 0; i < n; i++) {
			const unsigned first = (unsigned)((x[i].va - w.base) >> w.unit_lg2);

			for (; next < first; next++)
				assert_true(w.unit[next].pa == COP_PA_NONE);
			for (uint64_t b = 0; b < x[i].bytes; b += unit_bytes(), next++) {
				assert_true(w.unit[next].pa == x[i].pa + b);
				assert_int_equal(w.unit[next].attrs & ~(uint32_t)AD, x[i].attrs & ~(uint32_t)COP_CONT);
			}
			va = x[i].va + x[i].bytes;
		}
	} while (n == 256 && va != last + 1);
	for (; next < w.units; next++)
		assert_true(w.unit[next].pa == COP_PA_NONE);
}

static void check_translations(void)
{
	for (int i = 0; i < 16; i++) {
		const unsigned unit = (unsigned)rig_below(&w.seed, w.units);
		const uint64_t offset = rig_below(&w.seed, unit_bytes());
		struct cop_translation t;

		cop_rcu_read_lock();
		t = cop_translate(&w.tree, va_of(unit) + offset);
		assert_true(cop_translate_pa(&w.tree, va_of(unit) + offset) == t.pa);
		cop_rcu_read_unlock();
		if (w.unit[unit].pa == COP_PA_NONE) {
			assert_true(t.pa == COP_PA_NONE);
			assert_int_equal(t.attrs, 0);
			continue;
		}
		assert_true(t.pa == w.unit[unit].pa + offset);
		assert_int_equal(t.attrs & ~(uint32_t)(AD | COP_CONT), w.unit[unit].attrs & ~(uint32_t)AD);
		/* Merging may add young and dirty, nothing may lose them. */
		assert_int_equal(w.unit[unit].attrs & AD & ~t.attrs, 0);
	}
}

/* Hardware may have cached the unit's entry as invalid, and nobody retries the kernel's accesses. */
static bool cached_invalid(uint32_t attrs)
{
	return w.tree.geom.arch == COP_RISCV64 && (!(attrs & COP_USER) || !(w.tree.geom.features & COP_F_SVVPTC));
}

static void check_all(void)
{
	check_extents();
	check_translations();
	(void)rig_census(&w.tree);
	for (unsigned i = 0; i < w.units; i++) {
		if (w.unit[i].stale)
			fail_msg("unit %u was not invalidated", i);
		if (w.unit[i].void_ && w.unit[i].pa != COP_PA_NONE && cached_invalid(w.unit[i].attrs))
			fail_msg("unit %u was made again and hardware not told", i);
		w.unit[i].void_ = false;
		w.unit[i].clean = 0;
	}
	w.checked++;
}

/* ---- operations ---- */

struct span {
	unsigned first, n;
};

/* Of all sizes, often aligned like leaves of some level are. */
static struct span random_span(void)
{
	const unsigned bits = w.format->index_bits(&w.tree.geom, 0);
	const unsigned align_lg2 = (unsigned)rig_below(&w.seed, bits + 1);
	const unsigned align = rig_below(&w.seed, 2) ? 1U << align_lg2 : 1;
	unsigned first = (unsigned)rig_below(&w.seed, w.units) & ~(align - 1), n;

	n = (unsigned)rig_below(&w.seed, rig_below(&w.seed, 3) ? 40 : w.units) + 1;
	if (rig_below(&w.seed, 2))
		n = (n + align - 1) & ~(align - 1);
	if (n > w.units - first)
		n = w.units - first;
	return (struct span){first, n};
}

static uint32_t random_attrs(void)
{
	static const uint32_t some[] = {COP_KERNEL_RW,
					COP_KERNEL_RO,
					COP_KERNEL_RX,
					COP_USER_RW,
					COP_READ | COP_WRITE | COP_GLOBAL,
					COP_READ | COP_WRITE | COP_YOUNG,
					COP_READ | COP_GLOBAL | COP_YOUNG | COP_MT_DEVICE};
	uint32_t attrs;

	/* riscv64 without Svpbmt has no memory types. */
	do
		attrs = some[rig_below(&w.seed, sizeof(some) / sizeof(some[0]))];
	while (w.format->check_attrs(&w.tree.geom, attrs, 0));
	return attrs;
}

static bool all_mapped(struct span s, bool want)
{
	for (unsigned i = s.first; i < s.first + s.n; i++)
		if ((w.unit[i].pa != COP_PA_NONE) != want)
			return false;
	return true;
}

/* As small as the memory has tables for. */
static unsigned random_max_leaf(uint64_t bytes)
{
	const uint64_t tables = (bytes >> w.format->shift(1)) << w.format->table_lg2(&w.tree.geom, 0);
	const unsigned any = w.format->shift((unsigned)rig_below(&w.seed, w.tree.geom.levels - 1U) + 1) - 1;

	return rig_below(&w.seed, 2) || (any < w.format->shift(1) && tables > RIG_MEMORY / 2) ? 0 : any;
}

static int do_map(struct span s)
{
	const uint64_t window = 1ULL << (w.tree.geom.pa_bits - 1), bytes = (uint64_t)s.n << w.unit_lg2;
	const uint32_t attrs = random_attrs(), flags = rig_below(&w.seed, 4) ? 0 : COP_MAP_NO_CONT;
	const unsigned max_leaf = random_max_leaf(bytes);
	cop_pa pa = (va_of(s.first) & (window - 1)) ^ (window >> 1);
	int err;

	/* Half the time congruent with the address, so that large leaves fit. */
	if (rig_below(&w.seed, 2))
		pa = rig_below(&w.seed, window >> w.unit_lg2) << w.unit_lg2;
	for (unsigned i = s.first; i < s.first + s.n; i++)
		w.unit[i].stale = cached_invalid(attrs);
	err = cop_map(&w.tree, va_of(s.first), pa, bytes, attrs, max_leaf, flags);
	for (unsigned i = s.first; err && i < s.first + s.n; i++)
		w.unit[i].stale = false;
	if (!all_mapped(s, false)) {
		assert_true(err == -COP_EADDRINUSE);
		return err;
	}
	if (err)
		return err;
	for (unsigned i = 0; i < s.n; i++) {
		w.unit[s.first + i].pa = pa + ((uint64_t)i << w.unit_lg2);
		w.unit[s.first + i].attrs = attrs;
	}
	return 0;
}

/* What the runs say against the model, unit by unit. */
static void check_runs(struct span s, uint64_t done, const struct cop_detached_run *runs, unsigned n,
		       struct cop_flushed token)
{
	unsigned unit = s.first;
	const unsigned end = s.first + (unsigned)(done >> w.unit_lg2);

	for (unsigned r = 0; r < n; r++) {
		const struct cop_free_run run = cop_freeable(token, runs[r]);

		for (uint64_t b = 0; b < run.bytes; b += unit_bytes(), unit++) {
			while (unit < end && w.unit[unit].pa == COP_PA_NONE)
				unit++;
			assert_true(unit < end);
			assert_true(w.unit[unit].pa == run.pa + b);
			assert_int_equal(w.unit[unit].attrs & AD & ~run.attrs, 0);
		}
	}
	while (unit < end && w.unit[unit].pa == COP_PA_NONE)
		unit++;
	assert_int_equal(unit, end);
}

static void forget(struct span s, uint64_t done)
{
	for (unsigned i = 0; i < done >> w.unit_lg2; i++) {
		w.unit[s.first + i].pa = COP_PA_NONE;
		w.unit[s.first + i].attrs = 0;
	}
}

static int do_unmap(struct span s)
{
	static struct cop_detached_run runs[64];
	const uint32_t mode = (uint32_t)rig_below(&w.seed, 3), holes = rig_below(&w.seed, 2) ? COP_UNMAP_HOLES_OK : 0;
	const unsigned max = rig_below(&w.seed, 3) ? 64 : 1 + (unsigned)rig_below(&w.seed, 4);
	const uint64_t bytes = (uint64_t)s.n << w.unit_lg2;
	const bool whole = all_mapped(s, true);
	struct cop_gather gather;
	struct cop_flushed token;
	struct cop_unmapped u;

	for (unsigned i = s.first; i < s.first + s.n; i++)
		w.unit[i].stale = w.unit[i].pa != COP_PA_NONE;
	cop_gather_begin(&gather, &w.tree);
	u = cop_unmap(&gather, va_of(s.first), bytes, mode | holes, runs, max);
	token = cop_gather_finish(&gather);
	if (u.err || u.done < bytes)
		for (unsigned i = s.first + (unsigned)(u.done >> w.unit_lg2); i < s.first + s.n; i++)
			w.unit[i].stale = false;
	if (!holes && !whole) {
		assert_int_equal(u.err, -COP_ENOENT);
		assert_int_equal(u.done, 0);
		return u.err;
	}
	if (u.err) {
		assert_int_equal(u.done, 0);
		return u.err;
	}
	if (mode == COP_UNMAP_BLIND)
		assert_int_equal(u.done, bytes);
	else
		check_runs(s, u.done, runs, u.runs, token);
	if (u.done < bytes)
		assert_int_equal(u.runs, max);
	forget(s, u.done);
	return 0;
}

/* Hardware caches no leaf whose accessed flag is clear, unless it sets that itself. */
static bool cached(const struct unit *unit)
{
	return unit->pa != COP_PA_NONE && ((w.tree.geom.arch != COP_ARM64 && w.tree.geom.arch != COP_S390X) ||
					   (w.tree.geom.features & COP_F_HAF) || (unit->attrs & COP_YOUNG));
}

/* What a TLB may hold: on s390x an entry does not say whose it is, and a clean leaf cannot be stored through. */
static uint32_t enforced(uint32_t attrs)
{
	const uint32_t access = attrs & (COP_READ | COP_WRITE | COP_EXEC | COP_USER);

	if (w.tree.geom.arch != COP_S390X)
		return access;
	return access & ~(uint32_t)(attrs & COP_DIRTY ? COP_USER : COP_USER | COP_WRITE);
}

static int do_protect(struct span s)
{
	const uint32_t attrs = random_attrs();
	struct cop_gather gather;
	int err;

	for (unsigned i = s.first; i < s.first + s.n; i++)
		w.unit[i].stale = cached(&w.unit[i]) &&
				  ((enforced(w.unit[i].attrs) & ~attrs) || ((w.unit[i].attrs ^ attrs) & COP_MT_MASK));
	cop_gather_begin(&gather, &w.tree);
	err = cop_protect(&gather, va_of(s.first), (uint64_t)s.n << w.unit_lg2, attrs);
	(void)cop_gather_finish(&gather);
	if (err)
		for (unsigned i = s.first; i < s.first + s.n; i++)
			w.unit[i].stale = false;
	if (!all_mapped(s, true)) {
		assert_int_equal(err, -COP_ENOENT);
		return err;
	}
	if (err)
		return err;
	for (unsigned i = s.first; i < s.first + s.n; i++)
		w.unit[i].attrs = (attrs & ~(uint32_t)AD) | (w.unit[i].attrs & AD);
	return 0;
}

static uint64_t largest_leaf(struct span s)
{
	static struct cop_extent x[64];
	cop_va va = va_of(s.first);
	const cop_va last = va + ((uint64_t)s.n << w.unit_lg2) - 1;
	uint64_t most = 0;
	unsigned n;

	do {
		n = cop_query(&w.tree, va, last, x, 64);
		for (unsigned i = 0; i < n; i++) {
			if (w.format->shift(x[i].level) > most)
				most = w.format->shift(x[i].level);
			assert_false(x[i].attrs & COP_CONT);
			va = x[i].va + x[i].bytes;
		}
	} while (n == 64);
	return most;
}

static int do_split(struct span s)
{
	const unsigned max = w.format->shift((unsigned)rig_below(&w.seed, w.tree.geom.levels - 1U));
	struct cop_gather gather;
	int err;

	cop_gather_begin(&gather, &w.tree);
	err = cop_split(&gather, va_of(s.first), (uint64_t)s.n << w.unit_lg2, max);
	(void)cop_gather_finish(&gather);
	if (!err)
		assert_true(largest_leaf(s) <= max);
	return err;
}

static int do_collapse(struct span s)
{
	const struct rig_census before = rig_census(&w.tree);
	struct rig_census after;
	struct cop_gather gather;
	uint64_t was = 0, now = 0;
	long made;

	cop_gather_begin(&gather, &w.tree);
	made = cop_collapse(&gather, va_of(s.first), (uint64_t)s.n << w.unit_lg2, 0);
	(void)cop_gather_finish(&gather);
	assert_true(made >= 0);
	after = rig_census(&w.tree);
	for (unsigned l = 0; l < COP_MAX_LEVELS; l++) {
		was += before.leaves[l];
		now += after.leaves[l];
	}
	assert_true(made ? now <= was : now == was);
	return 0;
}

static int do_any(uint64_t what, struct span s)
{
	switch (what) {
	case 0:
	case 1:
	case 2:
		return do_map(s);
	case 3:
	case 4:
		return do_unmap(s);
	case 5:
		return do_protect(s);
	case 6:
		return do_split(s);
	default:
		return do_collapse(s);
	}
}

/* ---- random sequences ---- */

static unsigned units_for(const struct cop_format *f, const struct cop_geom *g)
{
	unsigned n = 4U << f->index_bits(g, 0);

	return n > 8192 ? 8192 * 2 : n;
}

static void run_random(const struct rig_geom *rg, unsigned unit_level, bool at_top, int rounds, uint64_t seed)
{
	const struct cop_format *f = cop_format_for(rg->geom.arch, rg->geom.page_lg2);
	const unsigned units = units_for(f, &rg->geom);
	const uint64_t bytes = (uint64_t)units << f->shift(unit_level);
	cop_va base = rig_base(&rg->geom);

	/* The window lies across a boundary of the level above, or ends where the address space does. */
	base = at_top ? rig_top(&rg->geom) - (bytes - 1) : base + (1ULL << (rg->geom.va_bits - 2)) - bytes / 2;
	world_open(rg, unit_level, base, units, seed);
	for (int i = 0; i < rounds; i++) {
		const uint64_t what = rig_below(&w.seed, 8);

		do_any(what, random_span());
		check_all();
	}
	world_close();
}

static void test_random(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const int rounds = rig_geoms[i].geom.page_lg2 == 12 ? 200 : 60;

		run_random(&rig_geoms[i], 0, false, rounds, i + 1);
		run_random(&rig_geoms[i], 0, true, rounds / 2, i + 100);
		if (rig_geoms[i].geom.levels > 2)
			run_random(&rig_geoms[i], 1, false, rounds, i + 200);
		if (rig_geoms[i].geom.levels > 2)
			run_random(&rig_geoms[i], 1, true, rounds / 2, i + 300);
	}
}

/* ---- allocation failure ---- */

struct snapshot {
	struct rig_census census;
	uint64_t live, constructed;
};

static struct snapshot snap(void)
{
	cop_host_rcu_barrier();
	return (struct snapshot){rig_census(&w.tree), w.source.live, w.tree.constructed};
}

/* The operation with the k-th allocation failing, for each k: an error leaves all as it was. */
static void fail_each(uint64_t what, struct span s)
{
	const uint64_t seed = w.seed;
	int err = -COP_ENOMEM;

	for (uint64_t k = 1; err == -COP_ENOMEM; k++) {
		struct snapshot before = snap(), after;

		w.seed = seed;
		w.source.calls = 0;
		w.source.fail_from = k;
		err = do_any(what, s);
		w.source.fail_from = 0;
		check_all();
		if (err != -COP_ENOMEM)
			return;
		after = snap();
		if (what != 6)
			assert_memory_equal(&before, &after, sizeof(before));
		assert_int_equal(after.live, rig_table_count(&w.tree));
	}
}

static void test_allocation_failure(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RIG_GEOMS; i++) {
		const unsigned level = rig_geoms[i].geom.levels > 2 && i % 2;
		const struct cop_format *f = cop_format_for(rig_geoms[i].geom.arch, rig_geoms[i].geom.page_lg2);
		const unsigned units = units_for(f, &rig_geoms[i].geom);

		world_open(&rig_geoms[i], level, rig_base(&rig_geoms[i].geom), units, i + 7);
		for (int round = 0; round < 16; round++)
			fail_each(rig_below(&w.seed, 7), random_span());
		world_close();
	}
}

/* ---- fewest leaves ---- */

static void test_fewest_leaves(void **state)
{
	const struct rig_geom *rg = &rig_geoms[0];
	const uint64_t m = 2ULL << 20, g = 1ULL << 30;
	struct rig_census c;

	(void)state;
	world_open(rg, 1, 0, 4, 1);
	assert_int_equal(cop_map(&w.tree, 8 * g - 14 * m, 40 * g - 14 * m, 3 * g + 17 * m, COP_KERNEL_RW, 0, 0), 0);
	c = rig_census(&w.tree);
	assert_int_equal(c.leaves[2], 3);
	assert_int_equal(c.leaves[1], 17);
	assert_int_equal(c.leaves[0], 0);
	w.base = 8 * g - 14 * m;
	w.unit_lg2 = 21;
	w.units = 3 * 512 + 17;
	free(w.unit);
	w.unit = NULL;
	world_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_allocation_failure),
		cmocka_unit_test(test_fewest_leaves),
	};

	return cmocka_run_group_tests(tests, rig_power_on, rig_power_off);
}
