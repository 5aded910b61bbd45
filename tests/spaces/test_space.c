/* SPDX-License-Identifier: MIT */
/* Address spaces against a plain model: an array of pages for each space, and what they hold. */
#include "tests/spaces/users.h"

#define PAGES  56
#define FILES  2
#define LENGTH 24
#define SPACES 4
#define STEPS  2500

struct model_page {
	bool mapped, own; /* a private copy, or anonymous and touched */
	uint32_t prot, kind, file;
	uint64_t index, value;
};

struct world {
	struct machine m;
	struct cop_spaces spaces;
	struct cop_space space[SPACES];
	bool live[SPACES];
	struct model_page page[SPACES][PAGES];
	struct cop_cache cache[FILES];
	uint64_t slots[FILES][LENGTH];
	uint64_t stored[FILES][LENGTH]; /* what the file holds: in the cache, or where that reads it from */
	cop_va base;
	uint64_t seed, values;
	uint32_t asids;
};
static struct world w;

static uint64_t below(uint64_t n)
{
	return next_random(&w.seed) % n;
}

static uint64_t page_bytes(void)
{
	return COP_LG2(w.m.shape->page_lg2);
}

static cop_va va_of(uint64_t page)
{
	return w.base + page * page_bytes();
}

static int fill(void *ctx, uint64_t index, cop_pfn pfn)
{
	const uint64_t value = ((const uint64_t *)ctx)[index];
	const cop_pa pa = pfn << w.m.shape->page_lg2;

	cop_store(user_word(&w.m, pa, false), value, relaxed);
	cop_store(user_word(&w.m, pa, true), ~value, relaxed);
	return 0;
}

static void power_on(void **state)
{
	const struct shape *shape = *state;
	struct cop_geom geom;

	memset(&w, 0, sizeof(w));
	w.seed = 20 + shape->va_bits * 1000003ULL + shape->page_lg2 + (uint64_t)shape->arch * 77;
	assert_true(machine_shape(&w.m, shape));
	machine_on(&w.m);
	cop_spaces_init(&w.spaces, &w.m.mem);
	geom = user_geom(&w.m);
	assert_int_equal(cop_space_init(&w.space[0], &w.spaces, &geom, NULL, ++w.asids), 0);
	w.live[0] = true;
	/* Across the border of two tables. */
	w.base = 3 * COP_LG2(w.space[0].tree.ops->format->shift(1)) - PAGES / 2 * page_bytes();
	for (unsigned f = 0; f < FILES; f++) {
		for (unsigned i = 0; i < LENGTH; i++)
			w.stored[f][i] = ++w.values;
		cop_cache_init(&w.cache[f], &w.m.mem, w.slots[f], LENGTH, fill, w.stored[f]);
	}
}

/* Everything is given back. */
static void power_off(const struct cop_mem_account *before)
{
	struct cop_mem_account after;

	for (unsigned s = 0; s < SPACES; s++)
		if (w.live[s])
			cop_space_destroy(&w.space[s]);
	for (unsigned f = 0; f < FILES; f++)
		cop_cache_destroy(&w.cache[f]);
	cop_spaces_exit(&w.spaces);
	machine_check(&w.m);
	after = cop_mem_account(&w.m.mem);
	assert_memory_equal(before, &after, sizeof(after));
	assert_int_equal(after.leaked, 0);
	machine_off(&w.m);
}

/* Before there were spaces: one is there already, empty. */
static struct cop_mem_account account_without(void)
{
	struct cop_mem_account account;

	cop_space_destroy(&w.space[0]);
	cop_spaces_exit(&w.spaces);
	cop_host_rcu_barrier();
	account = cop_mem_account(&w.m.mem);
	cop_spaces_init(&w.spaces, &w.m.mem);
	{
		const struct cop_geom geom = user_geom(&w.m);

		assert_int_equal(cop_space_init(&w.space[0], &w.spaces, &geom, NULL, 1), 0);
	}
	return account;
}

/* ---- steps: each on the library and on the model ---- */

static unsigned any_space(void)
{
	unsigned s;

	do
		s = (unsigned)below(SPACES);
	while (!w.live[s]);
	return s;
}

struct some_range {
	uint64_t page, count;
};

static struct some_range any_range(void)
{
	const uint64_t page = below(PAGES);
	const uint64_t most = PAGES - page < 12 ? PAGES - page : 12;

	return (struct some_range){page, 1 + below(most)};
}

static uint32_t any_prot(void)
{
	static const uint32_t prots[] = {
		COP_READ | COP_WRITE, COP_READ | COP_WRITE, COP_READ | COP_WRITE, COP_READ, COP_READ | COP_EXEC, 0};

	return prots[below(6)];
}

static void step_map(unsigned s)
{
	struct some_range r = any_range();
	struct cop_area_spec spec = {.prot = any_prot(), .kind = (uint32_t)below(3), .flags = COP_AREA_FIXED};
	const uint32_t file = (uint32_t)below(FILES);
	struct cop_mapped at;
	bool taken = false;

	if (spec.kind != COP_AREA_ANON) {
		spec.index = below(LENGTH);
		if (r.count > LENGTH - spec.index)
			r.count = LENGTH - spec.index;
		spec.cache = &w.cache[file];
	}
	if (below(2))
		spec.flags = COP_AREA_REPLACE;
	spec.va = va_of(r.page);
	spec.bytes = r.count * page_bytes();
	for (uint64_t i = 0; i < r.count; i++)
		taken |= w.page[s][r.page + i].mapped;
	at = cop_space_map(&w.space[s], &spec);
	if (taken && !(spec.flags & COP_AREA_REPLACE)) {
		assert_int_equal(at.err, -COP_EEXIST);
		return;
	}
	assert_int_equal(at.err, 0);
	assert_true(at.va == spec.va);
	for (uint64_t i = 0; i < r.count; i++)
		w.page[s][r.page + i] = (struct model_page){
			.mapped = true, .prot = spec.prot, .kind = spec.kind, .file = file, .index = spec.index + i};
}

static void step_unmap(unsigned s)
{
	const struct some_range r = any_range();

	assert_int_equal(cop_space_unmap(&w.space[s], va_of(r.page), r.count * page_bytes()), 0);
	memset(&w.page[s][r.page], 0, r.count * sizeof(w.page[s][0]));
}

static bool has_hole(unsigned s, struct some_range r)
{
	bool hole = false;

	for (uint64_t i = 0; i < r.count; i++)
		hole |= !w.page[s][r.page + i].mapped;
	return hole;
}

static void step_protect(unsigned s)
{
	const struct some_range r = any_range();
	const uint32_t prot = any_prot();
	const int err = cop_space_protect(&w.space[s], va_of(r.page), r.count * page_bytes(), prot);

	if (has_hole(s, r)) {
		assert_int_equal(err, -COP_ENOMEM);
		return;
	}
	assert_int_equal(err, 0);
	for (uint64_t i = 0; i < r.count; i++)
		w.page[s][r.page + i].prot = prot;
}

static void step_discard(unsigned s)
{
	const struct some_range r = any_range();
	const int err = cop_space_discard(&w.space[s], va_of(r.page), r.count * page_bytes());

	assert_int_equal(err, has_hole(s, r) ? -COP_ENOMEM : 0);
	for (uint64_t i = 0; i < r.count; i++)
		w.page[s][r.page + i].own = false;
}

static uint64_t expected_value(const struct model_page *p)
{
	if (p->own)
		return p->value;
	return p->kind == COP_AREA_ANON ? 0 : w.stored[p->file][p->index];
}

static void check_read(unsigned s, uint64_t page)
{
	const struct model_page *p = &w.page[s][page];
	uint64_t value = 0;
	const int err = user_read(&w.m, &w.space[s], va_of(page), &value);

	if (!p->mapped || !p->prot) {
		assert_int_equal(err, -COP_EFAULT);
		return;
	}
	assert_int_equal(err, 0);
	if (value != expected_value(p))
		fail_msg("space %u page %u reads %llu, expected %llu", s, (unsigned)page, (unsigned long long)value,
			 (unsigned long long)expected_value(p));
}

static void step_write(unsigned s)
{
	const uint64_t page = below(PAGES);
	struct model_page *p = &w.page[s][page];
	const uint64_t value = ++w.values;
	const int err = user_write(&w.m, &w.space[s], va_of(page), value);

	if (!p->mapped || !(p->prot & COP_WRITE)) {
		assert_int_equal(err, -COP_EFAULT);
		return;
	}
	assert_int_equal(err, 0);
	if (p->kind == COP_AREA_SHARED) {
		w.stored[p->file][p->index] = value;
	} else {
		p->own = true;
		p->value = value;
	}
}

static void step_fork(unsigned s)
{
	const unsigned child = (unsigned)below(SPACES);

	if (child == s)
		return;
	if (w.live[child])
		cop_space_destroy(&w.space[child]);
	assert_int_equal(cop_space_fork(&w.space[child], &w.space[s], NULL, ++w.asids), 0);
	assert_int_equal(w.space[s].fork_seq & 1, 0);
	w.live[child] = true;
	memcpy(w.page[child], w.page[s], sizeof(w.page[s]));
}

static void step_destroy(unsigned s)
{
	unsigned live = 0;

	for (unsigned i = 0; i < SPACES; i++)
		live += w.live[i];
	if (live < 2)
		return;
	cop_space_destroy(&w.space[s]);
	w.live[s] = false;
	memset(w.page[s], 0, sizeof(w.page[s]));
}

/* The file's page goes and comes back from where .fill reads it. */
static void step_evict(void)
{
	const uint64_t f = below(FILES), index = below(LENGTH);
	const cop_pfn pfn = cop_cache_get(&w.cache[f], index);

	assert_int_equal(cop_cache_remove(&w.cache[f], index), pfn != COP_PFN_NONE);
	if (pfn == COP_PFN_NONE)
		return;
	/* Only this reference is left, and no mapping. */
	assert_int_equal(cop_load(&cop_page(&w.m.mem, pfn)->mapcount, relaxed), 0);
	assert_int_equal(cop_load(&cop_page(&w.m.mem, pfn)->refcount, relaxed), 1);
	assert_int_equal(cop_load(user_word(&w.m, pfn << w.m.shape->page_lg2, false), relaxed), w.stored[f][index]);
	cop_page_put(&w.m.mem, pfn);
}

/* ---- the whole state ---- */

struct hits {
	uint64_t count;
	cop_va va[SPACES * PAGES];
	struct cop_space *space[SPACES * PAGES];
};

static bool hit(void *ctx, struct cop_space *space, cop_va va)
{
	struct hits *hits = ctx;

	hits->space[hits->count] = space;
	hits->va[hits->count++] = va;
	return true;
}

/* From each folio that is mapped the way back leads to every leaf that maps it. */
static void check_rmap(void)
{
	struct cop_leaf leaf[SPACES][PAGES];
	unsigned count[SPACES] = {0};

	for (unsigned s = 0; s < SPACES; s++)
		if (w.live[s])
			count[s] = cop_leaves(&w.space[s].tree, w.base, PAGES * page_bytes(), leaf[s], PAGES).runs;
	for (unsigned s = 0; s < SPACES; s++) {
		assert_int_equal(count[s], w.live[s] ? w.space[s].anon + w.space[s].file : 0);
		for (unsigned i = 0; i < count[s]; i++) {
			const cop_pfn pfn = leaf[s][i].pa >> w.m.shape->page_lg2;
			struct hits hits = {.count = 0};
			unsigned same = 0, me = 0;

			for (unsigned t = 0; t < SPACES; t++)
				for (unsigned j = 0; j < count[t]; j++)
					same += leaf[t][j].pa == leaf[s][i].pa;
			assert_int_equal(cop_rmap_walk(&w.m.mem, pfn, hit, &hits), same);
			assert_int_equal(hits.count, same);
			assert_int_equal(cop_load(&cop_page(&w.m.mem, pfn)->mapcount, relaxed), same);
			for (unsigned h = 0; h < hits.count; h++)
				me += hits.space[h] == &w.space[s] && hits.va[h] == leaf[s][i].va;
			assert_int_equal(me, 1);
		}
	}
}

static bool like(const struct model_page *a, const struct model_page *b)
{
	if (!a->mapped || !b->mapped || a->kind != b->kind || a->prot != b->prot)
		return false;
	return a->kind == COP_AREA_ANON || (a->file == b->file && a->index + 1 == b->index);
}

/* Areas are what the model's pages make, and as few as can be. */
static void check_areas(unsigned s)
{
	cop_va va = w.base;
	uint64_t areas = 0;

	for (uint64_t i = 0; i < PAGES;) {
		const struct model_page *p = &w.page[s][i];
		struct cop_area_info info;
		uint64_t n = 1;

		if (!p->mapped) {
			i++;
			continue;
		}
		while (i + n < PAGES && like(p + n - 1, p + n))
			n++;
		info = cop_space_find(&w.space[s], va);
		assert_true(info.va == va_of(i));
		assert_int_equal(info.bytes, n * page_bytes());
		assert_int_equal(info.prot, p->prot);
		assert_int_equal(info.kind, p->kind);
		assert_ptr_equal(info.cache, p->kind == COP_AREA_ANON ? NULL : &w.cache[p->file]);
		va = info.va + info.bytes;
		i += n;
		areas++;
	}
	assert_int_equal(cop_space_find(&w.space[s], va).bytes, 0);
	assert_int_equal(w.space[s].area_count, areas);
}

static void check_all(void)
{
	for (unsigned s = 0; s < SPACES; s++)
		if (w.live[s]) {
			check_areas(s);
			for (uint64_t page = 0; page < PAGES; page++)
				check_read(s, page);
		}
	check_rmap();
	machine_check(&w.m);
}

static void test_against_model(void **state)
{
	struct cop_mem_account before;

	power_on(state);
	before = account_without();
	for (unsigned i = 0; i < STEPS; i++) {
		const unsigned s = any_space();

		switch (below(24)) {
		case 0 ... 3:
			step_map(s);
			break;
		case 4:
			step_unmap(s);
			break;
		case 5 ... 6:
			step_protect(s);
			break;
		case 7:
			step_discard(s);
			break;
		case 8 ... 13:
			step_write(s);
			break;
		case 14 ... 18:
			check_read(s, below(PAGES));
			break;
		case 19 ... 20:
			step_fork(s);
			break;
		case 21:
			if (below(4) == 0)
				step_destroy(s);
			break;
		default:
			step_evict();
		}
		if (i % 50 == 0)
			check_all();
	}
	check_all();
	power_off(&before);
}

/* ---- room ---- */

static void test_room(void **state)
{
	struct cop_mem_account before;
	struct cop_area_spec spec = {.prot = COP_READ, .kind = COP_AREA_ANON};
	struct cop_space *space = &w.space[0];
	cop_va at[64];

	power_on(state);
	before = account_without();
	spec.bytes = 2 * page_bytes();
	/* Without a gap between them, from the lowest address on; of alternating protection, so that they stay apart. */
	for (unsigned i = 0; i < 64; i++) {
		struct cop_mapped m;

		spec.prot = i & 1 ? COP_READ : COP_READ | COP_WRITE;
		m = cop_space_map(space, &spec);
		assert_int_equal(m.err, 0);
		at[i] = m.va;
		assert_true(at[i] == (i ? at[i - 1] + spec.bytes : page_bytes()));
	}
	/* The lowest hole that is large enough, from a hint on. */
	assert_int_equal(cop_space_unmap(space, at[10], 2 * page_bytes()), 0);
	assert_int_equal(cop_space_unmap(space, at[40], 4 * page_bytes()), 0);
	spec.bytes = 3 * page_bytes();
	assert_true(cop_space_map(space, &spec).va == at[40]);
	spec.bytes = page_bytes();
	assert_true(cop_space_map(space, &spec).va == at[10]);
	spec.va = at[11];
	assert_true(cop_space_map(space, &spec).va == at[41] + page_bytes());
	spec.va = at[63] + 100 * page_bytes();
	assert_true(cop_space_map(space, &spec).va == spec.va);
	/* Nowhere. */
	spec.va = 0;
	spec.bytes = space->end - space->first;
	assert_int_equal(cop_space_map(space, &spec).err, -COP_ENOMEM);
	power_off(&before);
}

/* ---- bad input ---- */

static void test_bad_ranges(void **state)
{
	struct cop_mem_account before;
	struct cop_space *space = &w.space[0];
	const struct cop_area_spec good = {.va = 0, .prot = COP_READ, .kind = COP_AREA_ANON};
	struct cop_area_spec spec;
	struct cop_space none;
	struct cop_geom geom;
	uint64_t page;

	power_on(state);
	before = account_without();
	page = page_bytes();
#define BAD(err_, ...)                                                                                                 \
	do {                                                                                                           \
		spec = good;                                                                                           \
		spec.bytes = page;                                                                                     \
		__VA_ARGS__;                                                                                           \
		assert_int_equal(cop_space_map(space, &spec).err, err_);                                               \
	} while (0)
	BAD(-COP_EINVAL, spec.bytes = 0);
	BAD(-COP_EINVAL, spec.bytes = page + 8);
	BAD(-COP_EINVAL, spec.va = 8);
	BAD(-COP_EINVAL, spec.prot = COP_USER);
	BAD(-COP_EINVAL, spec.kind = 77);
	BAD(-COP_EINVAL, spec.flags = 77);
	BAD(-COP_EINVAL, spec.cache = &w.cache[0]);
	BAD(-COP_EINVAL, spec.kind = COP_AREA_SHARED);
	BAD(-COP_EINVAL, spec.kind = COP_AREA_SHARED; spec.cache = &w.cache[0]; spec.index = LENGTH);
	BAD(-COP_EINVAL, spec.kind = COP_AREA_SHARED; spec.cache = &w.cache[0]; spec.index = 1;
	    spec.bytes = LENGTH * page);
	BAD(-COP_EINVAL, spec.kind = COP_AREA_SPECIAL; spec.index = ~0ULL);
	/* The page at 0, across the limit, wrapping. */
	BAD(-COP_EINVAL, spec.flags = COP_AREA_FIXED);
	BAD(-COP_EINVAL, spec.flags = COP_AREA_FIXED; spec.va = space->end - page; spec.bytes = 2 * page);
	BAD(-COP_EINVAL, spec.flags = COP_AREA_FIXED; spec.va = -page; spec.bytes = 2 * page);
	BAD(-COP_ENOMEM, spec.bytes = -page);
	BAD(0, spec.flags = COP_AREA_FIXED; spec.va = space->end - page);
	assert_int_equal(cop_space_unmap(space, space->end - page, 2 * page), -COP_EINVAL);
	assert_int_equal(cop_space_unmap(space, page + 8, page), -COP_EINVAL);
	assert_int_equal(cop_space_unmap(space, page, 0), -COP_EINVAL);
	assert_int_equal(cop_space_discard(space, -page, 2 * page), -COP_EINVAL);
	assert_int_equal(cop_space_protect(space, page, page, COP_USER), -COP_EINVAL);
	assert_int_equal(cop_space_protect(space, page, page, COP_READ), -COP_ENOMEM);
	assert_int_equal(cop_space_fault(space, space->end, COP_ACCESS_READ), -COP_EFAULT);
	assert_int_equal(cop_space_fault(space, ~0ULL, COP_ACCESS_READ), -COP_EFAULT);
	assert_int_equal(cop_space_fault(space, space->end - 1, COP_ACCESS_WRITE), -COP_EFAULT);
	assert_int_equal(cop_space_fault(space, space->end - 1, COP_ACCESS_EXEC), -COP_EFAULT);
	assert_int_equal(cop_space_fault(space, space->end - 1, COP_ACCESS_READ), 0);
	geom = user_geom(&w.m);
	geom.half = COP_HALF_HIGH;
	assert_int_equal(cop_space_init(&none, &w.spaces, &geom, NULL, 9), -COP_EINVAL);
	power_off(&before);
}

/* ---- memory without struct pages ---- */

static void test_special(void **state)
{
	struct cop_mem_account before;
	struct cop_space *space = &w.space[0];
	struct cop_area_spec spec = {.prot = COP_READ | COP_WRITE, .kind = COP_AREA_SPECIAL};
	struct cop_translation t;
	struct cop_mapped at;

	power_on(state);
	before = account_without();
	/* Beyond all memory. */
	spec.index = (w.m.config.pa_limit >> w.m.shape->page_lg2) + 5;
	spec.bytes = 8 * page_bytes();
	at = cop_space_map(space, &spec);
	assert_int_equal(at.err, 0);
	assert_int_equal(cop_space_fault(space, at.va + 3 * page_bytes(), COP_ACCESS_WRITE), 0);
	t = cop_translate(&space->tree, at.va + 3 * page_bytes());
	assert_true(t.pa == (spec.index + 3) << w.m.shape->page_lg2);
	assert_true(t.attrs & COP_SPECIAL);
	assert_int_equal(cop_space_discard(space, at.va, spec.bytes), -COP_EINVAL);
	assert_int_equal(cop_space_fork(&w.space[1], space, NULL, 7), 0);
	w.live[1] = true;
	assert_int_equal(cop_space_fault(&w.space[1], at.va, COP_ACCESS_READ), 0);
	assert_true(cop_translate(&w.space[1].tree, at.va).pa == spec.index << w.m.shape->page_lg2);
	assert_int_equal(cop_space_protect(space, at.va, spec.bytes, COP_READ), 0);
	assert_int_equal(cop_space_fault(space, at.va + 3 * page_bytes(), COP_ACCESS_WRITE), -COP_EFAULT);
	assert_int_equal(space->anon + space->file, 0);
	power_off(&before);
}

/* ---- pinned pages ---- */

static void test_fork_copies_pinned(void **state)
{
	struct cop_mem_account before;
	struct cop_space *space = &w.space[0];
	struct cop_area_spec spec = {.prot = COP_READ | COP_WRITE, .kind = COP_AREA_ANON};
	struct cop_mapped at;
	uint64_t value = 0;
	cop_pa pa;
	cop_pfn pfn, pinned;

	power_on(state);
	before = account_without();
	spec.bytes = 2 * page_bytes();
	at = cop_space_map(space, &spec);
	assert_int_equal(user_write(&w.m, space, at.va, 11), 0);
	assert_int_equal(user_write(&w.m, space, at.va + page_bytes(), 12), 0);
	pa = cop_translate(&space->tree, at.va).pa;
	pfn = pa >> w.m.shape->page_lg2;
	assert_int_equal(cop_gup_fast(space, at.va, 1, COP_GUP_PIN | COP_GUP_WRITE, &pinned).count, 1);
	assert_int_equal(pinned, pfn);
	assert_int_equal(cop_space_fork(&w.space[1], space, NULL, 7), 0);
	w.live[1] = true;
	/* The pinned page is still the parent's, and writable; the other one is shared. */
	assert_int_equal(user_write(&w.m, space, at.va, 21), 0);
	assert_true(cop_translate(&space->tree, at.va).pa == pa);
	assert_true(cop_translate(&w.space[1].tree, at.va).pa != pa);
	assert_true(cop_translate(&w.space[1].tree, at.va + page_bytes()).pa ==
		    cop_translate(&space->tree, at.va + page_bytes()).pa);
	assert_int_equal(user_read(&w.m, &w.space[1], at.va, &value), 0);
	assert_int_equal(value, 11);
	cop_pages_unpin(&w.m.mem, &pinned, 1, true);
	power_off(&before);
}

static uint32_t refs_of(cop_pfn pfn)
{
	return cop_load(&cop_page(&w.m.mem, pfn)->refcount, relaxed);
}

static cop_pfn mapped_at(struct cop_space *space, cop_va va)
{
	return cop_translate(&space->tree, va).pa >> w.m.shape->page_lg2;
}

/* A page that the parent shares is copied before it is pinned, though nobody writes: later writes are seen through the pin. */
static void pin_of_shared(uint32_t prot)
{
	struct cop_space *space = &w.space[0], *child = &w.space[1];
	struct cop_area_spec spec = {.prot = COP_READ | COP_WRITE, .kind = COP_AREA_ANON, .bytes = page_bytes()};
	const struct cop_mapped at = cop_space_map(space, &spec);
	cop_pfn shared, pinned;
	uint64_t value = 0;

	assert_int_equal(user_write(&w.m, space, at.va, 11), 0);
	assert_int_equal(cop_space_fork(child, space, NULL, 7), 0);
	w.live[1] = true;
	assert_int_equal(cop_space_protect(space, at.va, page_bytes(), prot), 0);
	shared = mapped_at(space, at.va);
	assert_int_equal(mapped_at(child, at.va), shared);
	/* It is had, but not pinned, as it is. */
	assert_int_equal(cop_gup_fast(space, at.va, 1, COP_GUP_FAST_ONLY | COP_GUP_PIN, &pinned).count, 0);
	assert_int_equal(refs_of(shared), 2);
	assert_int_equal(cop_gup_fast(space, at.va, 1, COP_GUP_FAST_ONLY, &pinned).count, 1);
	assert_int_equal(pinned, shared);
	cop_pages_put(&w.m.mem, &pinned, 1);
	assert_int_equal(cop_gup_fast(space, at.va, 1, COP_GUP_PIN, &pinned).count, 1);
	assert_int_not_equal(pinned, shared);
	assert_int_equal(mapped_at(space, at.va), pinned);
	assert_int_equal(refs_of(shared), 1);
	assert_int_equal(refs_of(pinned), 1 + COP_PAGE_PIN_BIAS);
	assert_int_equal(cop_space_protect(space, at.va, page_bytes(), COP_READ | COP_WRITE), 0);
	assert_int_equal(user_write(&w.m, space, at.va, 21), 0);
	assert_int_equal(mapped_at(space, at.va), pinned);
	assert_int_equal(user_read(&w.m, child, at.va, &value), 0);
	assert_int_equal(value, 11);
	cop_pages_unpin(&w.m.mem, &pinned, 1, false);
	assert_int_equal(refs_of(pinned), 1);
	cop_space_destroy(child);
	w.live[1] = false;
	assert_int_equal(cop_space_unmap(space, at.va, page_bytes()), 0);
}

/* The last one to map it needs no copy, and its write goes to the page that is pinned. */
static void pin_of_what_was_shared(void)
{
	struct cop_space *space = &w.space[0], *child = &w.space[1];
	struct cop_area_spec spec = {.prot = COP_READ | COP_WRITE, .kind = COP_AREA_ANON, .bytes = page_bytes()};
	const struct cop_mapped at = cop_space_map(space, &spec);
	cop_pfn page, pinned;

	assert_int_equal(user_write(&w.m, space, at.va, 11), 0);
	assert_int_equal(cop_space_fork(child, space, NULL, 7), 0);
	cop_space_destroy(child);
	page = mapped_at(space, at.va);
	assert_false(cop_translate(&space->tree, at.va).attrs & COP_WRITE);
	assert_int_equal(cop_gup_fast(space, at.va, 1, COP_GUP_FAST_ONLY | COP_GUP_PIN, &pinned).count, 1);
	assert_int_equal(pinned, page);
	assert_int_equal(user_write(&w.m, space, at.va, 21), 0);
	assert_int_equal(mapped_at(space, at.va), page);
	cop_pages_unpin(&w.m.mem, &pinned, 1, false);
	assert_int_equal(cop_space_unmap(space, at.va, page_bytes()), 0);
}

static void test_pin_is_own(void **state)
{
	struct cop_mem_account before;

	power_on(state);
	before = account_without();
	pin_of_shared(COP_READ | COP_WRITE);
	pin_of_shared(COP_READ);
	pin_of_what_was_shared();
	power_off(&before);
}

/* Areas: what is not there is brought, what may not be is not, and the pages before it are had. */
static void test_gup_of_areas(void **state)
{
	struct cop_mem_account before;
	struct cop_space *space = &w.space[0];
	struct cop_area_spec spec = {.prot = COP_READ | COP_WRITE, .kind = COP_AREA_ANON};
	struct cop_mapped at;
	cop_pfn page[8];

	power_on(state);
	before = account_without();
	spec.bytes = 6 * page_bytes();
	at = cop_space_map(space, &spec);
	assert_int_equal(cop_space_protect(space, at.va + 4 * page_bytes(), page_bytes(), COP_READ), 0);
	assert_int_equal(cop_space_protect(space, at.va + 5 * page_bytes(), page_bytes(), 0), 0);
	assert_int_equal(cop_gup_fast(space, at.va, 4, COP_GUP_WRITE | COP_GUP_FAST_ONLY, page).count, 0);
	assert_int_equal(space->anon, 0);
	for (unsigned locked = 0; locked < 2; locked++) {
		struct cop_pages (*const gup)(struct cop_space *, cop_va, uint64_t, uint32_t, cop_pfn *) =
			locked ? cop_gup : cop_gup_fast;

		assert_int_equal(gup(space, at.va, 8, COP_GUP_WRITE | COP_GUP_PIN, page).count, 4);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(refs_of(page[i]), 1 + COP_PAGE_PIN_BIAS);
		cop_pages_unpin(&w.m.mem, page, 4, true);
		assert_int_equal(gup(space, at.va, 1ULL << 20, 0, page).count, 5);
		cop_pages_put(&w.m.mem, page, 5);
		assert_int_equal(gup(space, at.va + 4 * page_bytes(), 1, COP_GUP_WRITE, page).count, -COP_EFAULT);
		assert_int_equal(gup(space, at.va + 5 * page_bytes(), 1, 0, page).count, -COP_EFAULT);
		for (unsigned i = 0; i < 5; i++)
			assert_int_equal(refs_of(mapped_at(space, at.va + i * page_bytes())), 1);
	}
	power_off(&before);
}

/* ---- no memory, at every place ---- */

static int scenario(void)
{
	struct cop_area_spec spec = {.prot = COP_READ | COP_WRITE, .kind = COP_AREA_ANON, .flags = COP_AREA_FIXED};
	struct cop_space *space = &w.space[0];
	int err = 0;

	spec.bytes = PAGES * page_bytes();
	spec.va = w.base;
	err = cop_space_map(space, &spec).err;
	for (unsigned i = 0; !err && i < PAGES; i += 5)
		err = user_write(&w.m, space, va_of(i), i + 1);
	if (!err)
		err = cop_space_protect(space, va_of(10), 7 * page_bytes(), COP_READ);
	spec = (struct cop_area_spec){.prot = COP_READ | COP_WRITE,
				      .kind = COP_AREA_PRIVATE,
				      .flags = COP_AREA_REPLACE,
				      .va = va_of(20),
				      .cache = &w.cache[0]};
	spec.bytes = 8 * page_bytes();
	if (!err)
		err = cop_space_map(space, &spec).err;
	for (unsigned i = 20; !err && i < 24; i++)
		err = user_write(&w.m, space, va_of(i), 500 + i);
	if (!err)
		err = cop_space_fork(&w.space[1], space, NULL, 7);
	if (!err)
		w.live[1] = true;
	for (unsigned i = 0; !err && i < PAGES; i += 5)
		if (i < 10 || i > 27)
			err = user_write(&w.m, &w.space[1], va_of(i), 100 + i);
	if (!err)
		err = cop_space_unmap(space, va_of(3), 2 * page_bytes());
	return err;
}

static void test_no_memory(void **state)
{
	uint64_t denied = 0;
	int err;

	do {
		struct cop_mem_account before;

		power_on(state);
		before = account_without();
		w.m.allocs = 0;
		w.m.deny_at = ++denied;
		err = scenario();
		assert_true(err == 0 || err == -COP_ENOMEM);
		/* What fails does so because of this, and it can be done again. */
		assert_int_equal(err != 0, w.m.allocs >= denied);
		w.m.deny_at = 0;
		assert_int_equal(cop_space_unmap(&w.space[0], va_of(0), PAGES * page_bytes()), 0);
		if (w.live[1])
			cop_space_destroy(&w.space[1]);
		w.live[1] = false;
		assert_int_equal(scenario(), 0);
		power_off(&before);
	} while (err);
	assert_true(denied > 20);
}

int main(void)
{
	const struct shaped_test tests[] = {
		SHAPED(test_against_model),      SHAPED(test_room),
		SHAPED(test_bad_ranges),         SHAPED(test_special),
		SHAPED(test_fork_copies_pinned), SHAPED(test_pin_is_own),
		SHAPED(test_gup_of_areas),       SHAPED(test_no_memory),
	};

	return run_shaped("spaces", tests, sizeof(tests) / sizeof(tests[0]));
}
