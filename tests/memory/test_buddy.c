/* SPDX-License-Identifier: MIT */
/* memory/: the buddy allocator against a plain model, folios, isolation. */
#include "tests/memory/machine.h"

/* ---- the model: an owner per frame ---- */

#define BLOCKS 4096

struct block {
	cop_pfn pfn;
	unsigned order;
};

struct model {
	struct machine m;
	struct block blocks[BLOCKS];
	size_t count;
	uint8_t *taken; /* per frame from MACHINE_BASE */
	uint64_t frames;
	uint64_t seed;
};

static void model_on(struct model *model, void **state)
{
	memset(model, 0, sizeof(*model));
	assert_true(machine_shape(&model->m, *state));
	machine_on(&model->m);
	model->frames = MACHINE_SECTIONS * model->m.section >> model->m.shape->page_lg2;
	model->taken = calloc(model->frames, 1);
	assert_non_null(model->taken);
	model->seed = 0x5eed;
}

static void model_off(struct model *model)
{
	free(model->taken);
	machine_off(&model->m);
}

static uint64_t frame_index(const struct model *model, cop_pfn pfn)
{
	return pfn - (MACHINE_BASE >> model->m.shape->page_lg2);
}

static bool take(struct model *model, unsigned order, uint32_t flags)
{
	cop_pfn pfn = cop_frames_alloc(&model->m.mem, order, flags);
	uint64_t first = frame_index(model, pfn);

	if (pfn == COP_PFN_NONE)
		return false;
	assert_true(COP_IS_ALIGNED(pfn, COP_LG2(order)));
	for (uint64_t i = first; i < first + COP_LG2(order); i++) {
		assert_true(i < model->frames);
		assert_int_equal(model->taken[i], 0);
		model->taken[i] = 1;
	}
	model->blocks[model->count++] = (struct block){pfn, order};
	return true;
}

static void give(struct model *model, size_t at)
{
	struct block block = model->blocks[at];

	memset(&model->taken[frame_index(model, block.pfn)], 0, COP_LG2(block.order));
	cop_frames_free(&model->m.mem, block.pfn);
	model->blocks[at] = model->blocks[--model->count];
}

static void give_all(struct model *model)
{
	while (model->count)
		give(model, model->count - 1);
}

static uint64_t free_frames(struct model *model)
{
	struct cop_mem_account account = cop_mem_account(&model->m.mem);

	return account.free[COP_ZONE_NORMAL] + account.free[COP_ZONE_MOVABLE];
}

/* Random blocks of random orders come and go; everything merges back at the end. */
static void test_model(void **state)
{
	static struct model model;
	struct snapshot before, after;
	uint64_t free_before, taken = 0;

	model_on(&model, state);
	assert_int_equal(cop_mem_add(&model.m.mem, model.m.hot, 2 * model.m.section, 0), 0);
	assert_int_equal(cop_mem_online(&model.m.mem, model.m.hot, 2 * model.m.section, COP_ZONE_MOVABLE), 0);
	machine_touch_all(&model.m);
	before = machine_snapshot(&model.m);
	free_before = free_frames(&model);
	for (unsigned round = 0; round < 40000; round++) {
		uint64_t dice = next_random(&model.seed);
		unsigned order = (unsigned)__builtin_ctzll(dice >> 8 | 1ULL << 12);

		if (model.count < BLOCKS && (dice & 255) < 140) {
			if (take(&model, order, (uint32_t)(dice >> 40) & (COP_ALLOC_MOVABLE | COP_ALLOC_FOLIO)))
				taken += COP_LG2(order);
		} else if (model.count) {
			size_t at = (size_t)(dice >> 16) % model.count;

			taken -= COP_LG2(model.blocks[at].order);
			give(&model, at);
		}
		if (round % 64 == 0)
			assert_int_equal(free_frames(&model) + taken, free_before);
		if (round % 8192 == 0)
			machine_check(&model.m);
	}
	machine_check(&model.m);
	give_all(&model);
	machine_check(&model.m);
	after = machine_snapshot(&model.m);
	after.held = before.held; /* memmap of the added sections was touched */
	same_state(&before, &after);
	model_off(&model);
}

/* Everything can be allocated frame by frame, and then nothing. */
static void test_exhaustion(void **state)
{
	struct machine m;
	cop_pfn first = COP_PFN_NONE, pfn;
	uint64_t n = 0, all;

	assert_true(machine_shape(&m, *state));
	machine_on(&m);
	all = cop_mem_account(&m.mem).free[COP_ZONE_NORMAL];
	while ((pfn = cop_frames_alloc(&m.mem, 0, 0)) != COP_PFN_NONE) {
		cop_page(&m.mem, pfn)->private_ = first;
		first = pfn;
		n++;
	}
	assert_int_equal(n, all);
	machine_check(&m);
	while (first != COP_PFN_NONE) {
		pfn = first;
		first = cop_page(&m.mem, pfn)->private_;
		cop_frames_free(&m.mem, pfn);
	}
	assert_int_equal(cop_mem_account(&m.mem).free[COP_ZONE_NORMAL], all);
	machine_check(&m);
	machine_off(&m);
}

/* A tail finds its head at every order; all tails of an order are the same 64 bytes. */
static void test_folios(void **state)
{
	struct machine m;

	assert_true(machine_shape(&m, *state));
	machine_on(&m);
	for (unsigned order = 0; order < m.mem.max_order; order++) {
		cop_pfn head = cop_frames_alloc(&m.mem, order, COP_ALLOC_FOLIO);
		cop_pfn other = cop_frames_alloc(&m.mem, order, COP_ALLOC_FOLIO);

		assert_true(head != COP_PFN_NONE && other != COP_PFN_NONE);
		for (cop_pfn i = 0; i < COP_LG2(order); i++) {
			assert_int_equal(cop_page_head(&m.mem, head + i), head);
			if (i) {
				assert_memory_equal(cop_page(&m.mem, head + i), cop_page(&m.mem, other + 1), 64);
				assert_false(cop_page_try_get(&m.mem, head + i));
			}
		}
		assert_int_equal(!(cop_page(&m.mem, head)->flags & COP_PG_HEAD), order == 0);
		cop_frames_free(&m.mem, head);
		cop_frames_free(&m.mem, other);
		for (cop_pfn i = 0; i < COP_LG2(order); i++)
			assert_int_equal(cop_page_head(&m.mem, head + i), head + i);
	}
	machine_check(&m);
	machine_off(&m);
}

static void test_references(void **state)
{
	struct machine m;
	cop_pfn pfn, other;

	assert_true(machine_shape(&m, *state));
	machine_on(&m);
	pfn = cop_frames_alloc(&m.mem, 2, COP_ALLOC_FOLIO);
	assert_true(cop_page_try_get(&m.mem, pfn));
	cop_frames_free(&m.mem, pfn); /* the speculative reference keeps it */
	assert_true(cop_page_try_get(&m.mem, pfn));
	cop_page_put(&m.mem, pfn);
	cop_page_put(&m.mem, pfn);
	assert_false(cop_page_try_get(&m.mem, pfn));
	machine_check(&m);

	cop_host_set_panic(machine_on_panic);
	if (!sigsetjmp(machine_panicked, 1)) {
		cop_frames_free(&m.mem, pfn);
		fail();
	}
	assert_string_equal(machine_panic_rule, "double-free");
	if (!sigsetjmp(machine_panicked, 1)) {
		cop_page_put(&m.mem, pfn);
		fail();
	}
	assert_string_equal(machine_panic_rule, "refcount-underflow");

	/* A block that has merged with its lower buddy begins none any more. */
	other = cop_frames_alloc(&m.mem, 0, 0);
	do {
		pfn = other;
		other = cop_frames_alloc(&m.mem, 0, 0);
		assert_true(other != COP_PFN_NONE);
	} while (other != (pfn ^ 1));
	cop_frames_free(&m.mem, pfn & ~1ULL);
	cop_frames_free(&m.mem, pfn | 1);
	if (!sigsetjmp(machine_panicked, 1)) {
		cop_frames_free(&m.mem, pfn | 1);
		fail();
	}
	assert_string_equal(machine_panic_rule, "double-free");
	cop_host_set_panic(NULL);
	machine_off(&m);
}

static bool is_isolated(const struct model *model, cop_pfn pfn)
{
	return cop_pfn_section(&model->m.mem, pfn)->isolated;
}

/* Isolation undone in the middle of anything leaves the allocator as it would have been. */
static void test_isolation(void **state)
{
	static struct model model;
	struct snapshot before, after;
	struct cop_section *isolated = NULL;

	model_on(&model, state);
	machine_touch_all(&model.m);
	before = machine_snapshot(&model.m);
	for (unsigned round = 0; round < 6000; round++) {
		uint64_t dice = next_random(&model.seed);
		unsigned order = (unsigned)__builtin_ctzll(dice >> 8 | 1ULL << 9);

		if (model.count < BLOCKS && (dice & 255) < 140) {
			if (take(&model, order, 0))
				assert_false(is_isolated(&model, model.blocks[model.count - 1].pfn));
		} else if (model.count) {
			give(&model, (size_t)(dice >> 16) % model.count);
		}
		if (round % 50)
			continue;
		if (isolated) {
			cop_section_unisolate(&model.m.mem, isolated);
			isolated = NULL;
		} else {
			isolated = &model.m.mem.sections[dice >> 20 & (MACHINE_BOOT_SECTIONS - 1)];
			cop_section_isolate(&model.m.mem, isolated);
		}
		machine_check(&model.m);
	}
	if (isolated)
		cop_section_unisolate(&model.m.mem, isolated);
	give_all(&model);
	machine_check(&model.m);
	after = machine_snapshot(&model.m);
	same_state(&before, &after);
	model_off(&model);
}

/* Tables smaller than a frame: packed, told apart, given back when all of a frame's are. */
static void test_fragments(void **state)
{
	struct machine m;
	struct cop_table_source source;
	struct snapshot before, after;
	cop_pa pa[33];
	unsigned lg2;

	assert_true(machine_shape(&m, *state));
	machine_on(&m);
	lg2 = m.shape->page_lg2 - 1U;
	if (m.mem.fragments.lg2 == m.mem.page_lg2)
		m.mem.fragments.lg2 = (uint8_t)lg2; /* a format that has them */
	lg2 = m.mem.fragments.lg2;
	source = cop_mem_table_source(&m.mem);
	assert_true(source.alloc(source.ctx, lg2 - 1) == COP_PA_NONE);
	machine_touch_all(&m);
	before = machine_snapshot(&m);
	for (unsigned i = 0; i < 33; i++) {
		pa[i] = source.alloc(source.ctx, lg2);
		assert_true(pa[i] != COP_PA_NONE && COP_IS_ALIGNED(pa[i], COP_LG2(lg2)));
		for (unsigned j = 0; j < i; j++)
			assert_true(pa[j] != pa[i]);
	}
	assert_true(cop_mem_account(&m.mem).used[COP_USE_TABLE] - before.account.used[COP_USE_TABLE] <= 17);
	assert_int_equal(cop_mem_account(&m.mem).tables - before.account.tables, 33 * COP_LG2(lg2));
	for (unsigned i = 0; i < 33; i++)
		source.free(source.ctx, pa[(i * 7) % 33], lg2);
	after = machine_snapshot(&m);
	same_state(&before, &after);
	machine_off(&m);
}

int main(void)
{
	static const struct shaped_test tests[] = {
		SHAPED(test_model),      SHAPED(test_exhaustion), SHAPED(test_folios),
		SHAPED(test_references), SHAPED(test_isolation),  SHAPED(test_fragments),
	};

	return run_shaped("buddy", tests, sizeof(tests) / sizeof(tests[0]));
}
