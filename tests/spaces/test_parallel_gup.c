/* SPDX-License-Identifier: MIT */
/*
 * GUP on two CPUs while a third discards, unmaps, evicts, protects, forks and grows the space, and a fourth takes memory away
 * and brings it back. Each page is of the address it was asked for; one that is pinned for writing stays, whatever is
 * forked; afterwards no reference is left.
 */
#include "tests/spaces/users.h"

#define PAGES 16 /* of each kind */
#define STEPS 500
#define MOST  8 /* pages at once */

enum { ANON, SHARED, PRIVATE, HIGH, KINDS };

static struct {
	struct machine m;
	struct cop_spaces spaces;
	struct cop_space space;
	struct cop_fragments fragments, child_fragments;
	struct cop_cache cache;
	uint64_t slots[PAGES];
	cop_va at[KINDS];
	uint32_t running;
	uint64_t begun, done; /* changes that move pinned pages too */
	uint64_t wrong, got, again, forks, grown, removed;
} w;

static uint64_t page_bytes(void)
{
	return COP_LG2(w.m.shape->page_lg2);
}

static void count(uint64_t *what, uint64_t n)
{
	cop_fetch_add(what, n, relaxed);
}

static void expect(bool good)
{
	if (!good)
		count(&w.wrong, 1);
}

/* ---- who changes the space ---- */

static void cut_begin(void)
{
	cop_fetch_add(&w.begun, 1ULL, acq_rel);
	cop_fence_full();
}

static void cut_end(void)
{
	cop_fetch_add(&w.done, 1ULL, acq_rel);
}

static int map(unsigned kind, uint64_t first, uint64_t pages)
{
	static const uint32_t kinds[] = {COP_AREA_ANON, COP_AREA_SHARED, COP_AREA_PRIVATE, COP_AREA_ANON};
	const bool file = kind == SHARED || kind == PRIVATE;
	const struct cop_area_spec spec = {.va = w.at[kind] + first * page_bytes(),
					   .bytes = pages * page_bytes(),
					   .prot = COP_READ | COP_WRITE,
					   .kind = kinds[kind],
					   .flags = COP_AREA_REPLACE,
					   .cache = file ? &w.cache : NULL,
					   .index = file ? first : 0};

	return cop_space_map(&w.space, &spec).err;
}

/* What is pinned is the parent's alone. */
static void fork_once(uint64_t *seed)
{
	const cop_va va = w.at[ANON] + next_random(seed) % PAGES * page_bytes();
	const uint32_t flags = COP_GUP_PIN | COP_GUP_WRITE;
	const struct cop_table_source source = cop_fragments_source(&w.child_fragments);
	const bool fragments = w.m.shape->arch == COP_S390X;
	cop_pfn mine = COP_PFN_NONE, child = COP_PFN_NONE;
	struct cop_space forked;

	expect(cop_gup(&w.space, va, 1, flags, &mine).count == 1);
	if (!cop_space_fork(&forked, &w.space, fragments ? &source : NULL, 2)) {
		expect(cop_gup_fast(&forked, va, 1, 0, &child).count == 1 && child != mine);
		cop_pages_put(&w.m.mem, &child, 1);
		cop_space_destroy(&forked);
		count(&w.forks, 1);
	}
	cop_pages_unpin(&w.m.mem, &mine, 1, true);
}

/* As far beyond the old limit as the first area is from 0. */
static void grow(unsigned va_bits)
{
	const cop_va end = w.space.end;

	if (cop_space_grow(&w.space, va_bits) || w.space.end == end)
		return;
	w.grown++;
	cop_store(&w.at[HIGH], end + w.at[ANON], relaxed);
	expect(!map(HIGH, 0, PAGES));
}

static void step(uint64_t *seed)
{
	const uint64_t dice = next_random(seed), first = next_random(seed) % PAGES;
	const unsigned kind = (unsigned)((dice >> 8) % (w.grown ? KINDS : HIGH));
	const uint64_t pages = 1 + (dice >> 16) % (PAGES - first);
	const cop_va va = w.at[kind] + first * page_bytes();

	if (dice % 16 == 0) {
		fork_once(seed);
		return;
	}
	cut_begin();
	switch (dice % 16) {
	case 1 ... 4:
		expect(!cop_space_discard(&w.space, va, pages * page_bytes()));
		break;
	case 5 ... 7:
		expect(!cop_space_unmap(&w.space, va, pages * page_bytes()));
		expect(!map(kind, first, pages));
		break;
	case 8 ... 9:
		expect(!cop_space_protect(&w.space, va, pages * page_bytes(), COP_READ));
		expect(!cop_space_protect(&w.space, va, pages * page_bytes(), COP_READ | COP_WRITE));
		break;
	case 10 ... 12:
		(void)cop_cache_remove(&w.cache, first);
		break;
	default:
		expect(!cop_space_fault(&w.space, va, dice & 64 ? COP_ACCESS_WRITE : COP_ACCESS_READ));
	}
	cut_end();
}

static void change(void)
{
	static const uint8_t bits[] = {48, 53, 57, 64};
	uint64_t seed = 815;

	for (unsigned i = 0; i < STEPS; i++) {
		if (i % (STEPS / 5) == STEPS / 5 - 1 && i / (STEPS / 5) < 4)
			grow(bits[i / (STEPS / 5)]);
		step(&seed);
		cop_host_poll();
	}
	cop_store(&w.running, 0U, release);
}

/* ---- who gets pages ---- */

/* Of the address, or of the place in the file: neither changes while there is a reference. */
static bool is_of(cop_pfn pfn, unsigned kind, cop_va va)
{
	const struct cop_page *page = cop_page(&w.m.mem, pfn);
	const bool anon = cop_load(&page->flags, relaxed) & COP_PG_SWAPBACKED;

	if (anon ? kind == SHARED : kind == ANON || kind == HIGH)
		return false;
	return cop_read(&page->index) == (anon ? va : va - w.at[kind]) / page_bytes();
}

static void drop(const cop_pfn *page, int64_t n, uint32_t flags)
{
	if (n <= 0)
		return;
	if (flags & COP_GUP_PIN)
		cop_pages_unpin(&w.m.mem, page, (uint64_t)n, false);
	else
		cop_pages_put(&w.m.mem, page, (uint64_t)n);
}

static void get_again(cop_va va, const cop_pfn *page, int64_t n, uint32_t flags, uint64_t begun)
{
	cop_pfn now[MOST];
	const int64_t m = cop_gup_fast(&w.space, va, (uint64_t)n, flags, now).count;

	for (int64_t i = 0; i < m && cop_load(&w.begun, acquire) == begun; i++) {
		expect(now[i] == page[i]);
		count(&w.again, 1);
	}
	drop(now, m, flags);
}

static void get(uint64_t *seed)
{
	const uint64_t dice = next_random(seed), first = next_random(seed) % PAGES;
	const unsigned kind = (unsigned)(dice >> 8) % KINDS;
	const uint64_t most = PAGES - first < MOST ? PAGES - first : MOST, pages = 1 + (dice >> 16) % most;
	const uint32_t flags = (dice & 1 ? COP_GUP_WRITE : 0) | (dice & 2 ? COP_GUP_PIN : 0) |
			       ((dice & 14) == 2 ? COP_GUP_LONGTERM : 0) | ((dice & 48) == 48 ? COP_GUP_FAST_ONLY : 0);
	const cop_va va = cop_load(&w.at[kind], relaxed) + first * page_bytes();
	const uint64_t done = cop_load(&w.done, acquire), begun = cop_load(&w.begun, acquire);
	cop_pfn page[MOST];
	const int64_t n = (dice & 64 ? cop_gup : cop_gup_fast)(&w.space, va, pages, flags, page).count;

	expect(n >= 0 || n == -COP_EFAULT || n == -COP_EOPNOTSUPP);
	if (n <= 0)
		return;
	for (int64_t i = 0; i < n; i++)
		expect(is_of(page[i], kind, va + (uint64_t)i * page_bytes()));
	if (done == begun && (flags & COP_GUP_PIN) && (flags & COP_GUP_WRITE) && !(flags & COP_GUP_LONGTERM))
		get_again(va, page, n, flags, begun);
	drop(page, n, flags);
	count(&w.got, (uint64_t)n);
}

static void get_pages(void)
{
	uint64_t seed = 4711 + cop_cpu();

	while (cop_load(&w.running, acquire)) {
		get(&seed);
		cop_host_poll();
	}
}

/* ---- who takes memory away ---- */

/* Whose the frame is only its owner may ask, who may just be getting it ready: everything goes, but for what a child has. */
static int vacate(void *ctx, struct cop_mem *mem, cop_pfn pfn, unsigned order)
{
	(void)ctx;
	(void)mem;
	(void)pfn;
	(void)order;
	cut_begin();
	/* Nothing may be mapped at the highest yet. */
	for (unsigned kind = 0; kind < KINDS; kind++)
		(void)!cop_space_discard(&w.space, cop_load(&w.at[kind], relaxed), PAGES * page_bytes());
	for (unsigned i = 0; i < PAGES; i++)
		(void)cop_cache_remove(&w.cache, i);
	cut_end();
	return 0;
}

static void plug(void)
{
	struct cop_mem *mem = &w.m.mem;
	int err;

	do {
		expect(!cop_mem_add(mem, w.m.hot, w.m.section, 0));
		expect(!cop_mem_online(mem, w.m.hot, w.m.section, COP_ZONE_MOVABLE));
		cop_host_poll();
		do
			err = cop_mem_offline(mem, w.m.hot, w.m.section);
		while (err == -COP_EBUSY);
		expect(!err && !cop_mem_remove(mem, w.m.hot, w.m.section));
		w.removed++;
	} while (cop_load(&w.running, acquire));
}

static void on_cpu(void *arg)
{
	(void)arg;
	switch (cop_cpu()) {
	case 0:
		change();
		break;
	case 1:
		plug();
		break;
	default:
		get_pages();
	}
}

/* ---- all of it ---- */

static int fill(void *ctx, uint64_t index, cop_pfn pfn)
{
	(void)ctx;
	cop_store(user_word(&w.m, pfn << w.m.shape->page_lg2, false), index + 1, relaxed);
	return 0;
}

static uint64_t grows_of(const struct shape *shape)
{
	static const struct {
		const char *name;
		uint64_t times;
	} growing[] = {{"arm64-4k-39", 1}, {"arm64-16k", 1}, {"riscv64-sv39", 2}, {"riscv64-sv48", 1}, {"s390x-3", 2}};

	for (size_t i = 0; i < sizeof(growing) / sizeof(growing[0]); i++)
		if (!strcmp(growing[i].name, shape->name))
			return growing[i].times;
	return 0;
}

static void space_on(void)
{
	const struct cop_geom geom = user_geom(&w.m);
	const bool fragments = w.m.shape->arch == COP_S390X;
	struct cop_table_source source;

	cop_spaces_init(&w.spaces, &w.m.mem);
	if (fragments) {
		assert_int_equal(cop_fragments_init(&w.fragments, &w.m.mem, 12, 11), 0);
		assert_int_equal(cop_fragments_init(&w.child_fragments, &w.m.mem, 12, 11), 0);
		source = cop_fragments_source(&w.fragments);
	}
	assert_int_equal(cop_space_init(&w.space, &w.spaces, &geom, fragments ? &source : NULL, 1), 0);
	cop_cache_init(&w.cache, &w.m.mem, w.slots, PAGES, fill, NULL);
	/* From one entry of the root to the next. */
	w.at[ANON] = COP_LG2(w.space.tree.ops->format->shift(geom.levels - 1U)) - PAGES / 2 * page_bytes();
	w.at[SHARED] = w.at[ANON] + PAGES * page_bytes();
	w.at[PRIVATE] = w.at[SHARED] + PAGES * page_bytes();
	w.at[HIGH] = w.space.end - PAGES * page_bytes();
	for (unsigned kind = 0; kind < HIGH; kind++)
		assert_int_equal(map(kind, 0, PAGES), 0);
}

static void test_parallel_gup(void **state)
{
	struct cop_mem_account before, after;

	memset(&w, 0, sizeof(w));
	assert_true(machine_shape(&w.m, *state));
	w.m.config.hooks.migrate = vacate;
	machine_on(&w.m);
	cop_host_rcu_barrier();
	before = cop_mem_account(&w.m.mem);
	space_on();
	w.running = 1;
	assert_int_equal(cop_host_run(MACHINE_CPUS, on_cpu, NULL), 0);
	cop_space_destroy(&w.space);
	cop_cache_destroy(&w.cache);
	cop_spaces_exit(&w.spaces);
	if (w.m.shape->arch == COP_S390X) {
		assert_int_equal(cop_fragments_exit(&w.fragments), 0);
		assert_int_equal(cop_fragments_exit(&w.child_fragments), 0);
	}
	assert_int_equal(w.wrong, 0);
	assert_int_equal(w.grown, grows_of(w.m.shape));
	assert_true(w.forks > 5 && w.got > 100 && w.removed > 0);
	machine_check(&w.m);
	after = cop_mem_account(&w.m.mem);
	assert_memory_equal(&before, &after, sizeof(after));
	machine_off(&w.m);
}

int main(void)
{
	const struct shaped_test tests[] = {SHAPED(test_parallel_gup)};

	return run_shaped("GUP in parallel", tests, sizeof(tests) / sizeof(tests[0]));
}
