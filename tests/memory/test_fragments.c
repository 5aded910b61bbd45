/* SPDX-License-Identifier: MIT */
/* memory/: fragments against a plain model, in any order of the three ways to free; errors; no memory. */
#include "tests/memory/machine.h"

#define TABLES 400

struct model {
	struct machine m;
	struct cop_fragments f;
	unsigned page_lg2, lg2;
	cop_pa table[TABLES];
	size_t count;
	uint64_t seed;
};

/* Two of a frame where tables are half a frame; else sixteen of a block, which every format has. */
static void model_on(struct model *model, const struct shape *shape)
{
	memset(model, 0, sizeof(*model));
	assert_true(machine_shape(&model->m, shape));
	machine_on(&model->m);
	model->lg2 = model->m.tree.ops->format->min_table_lg2;
	model->page_lg2 = model->lg2 < shape->page_lg2 ? shape->page_lg2 : model->lg2 + 4;
	assert_int_equal(cop_fragments_init(&model->f, &model->m.mem, model->page_lg2, model->lg2), 0);
	model->seed = 0x5eed + shape->va_bits;
}

static void mark(cop_pa table, unsigned lg2, uint64_t with)
{
	uint64_t *word = cop_phys(table);

	for (size_t i = 0; i < (1U << lg2) / sizeof(*word); i += 16)
		word[i] = with;
}

static void must_be_marked(cop_pa table, unsigned lg2, uint64_t with)
{
	const uint64_t *word = cop_phys(table);

	for (size_t i = 0; i < (1U << lg2) / sizeof(*word); i += 16)
		assert_int_equal(word[i], with);
}

static void model_alloc(struct model *model)
{
	const cop_pa table = cop_fragment_alloc(&model->f);

	assert_true(table != COP_PA_NONE && COP_IS_ALIGNED(table, COP_LG2(model->lg2)));
	for (size_t i = 0; i < model->count; i++)
		assert_true(model->table[i] != table);
	mark(table, model->lg2, table);
	model->table[model->count++] = table;
}

/* A table's contents are its owner's until the grace period is over, however it is freed. */
static void model_free(struct model *model, size_t i, unsigned how)
{
	const cop_pa table = model->table[i];

	model->table[i] = model->table[--model->count];
	cop_rcu_read_lock();
	if (how == 0)
		cop_fragment_free(&model->f, table);
	else if (how == 1)
		cop_fragment_free_rcu(&model->f, table);
	else
		cop_fragment_free_defer(&model->f, table);
	if (how)
		must_be_marked(table, model->lg2, table);
	cop_rcu_read_unlock();
}

/* The list is what the states of its pages say, and no page is there twice. */
static void check_list(struct model *model)
{
	const uint64_t all = COP_LG2(COP_LG2(model->page_lg2 - model->lg2)) - 1;
	cop_pfn prev = COP_PFN_NONE;

	for (cop_pfn pfn = model->f.first; pfn != COP_PFN_NONE; pfn = cop_page(&model->m.mem, pfn)->next) {
		const struct cop_page *page = cop_page(&model->m.mem, pfn);
		const uint64_t s = page->private_, idle = (s >> COP_FRAGMENT_FREE | s >> COP_FRAGMENT_PENDING) & all;

		assert_int_equal(page->prev, prev);
		assert_int_equal(s >> COP_FRAGMENT_HELD & all, 0);
		assert_true(idle && idle != all);
		prev = pfn;
	}
	assert_int_equal(model->f.last, prev);
	assert_int_equal(model->f.in_use, model->count);
}

static void empty(struct model *model, unsigned ways)
{
	while (model->count)
		model_free(model, next_random(&model->seed) % model->count,
			   (unsigned)(next_random(&model->seed) % ways));
}

static void test_model(void **state)
{
	struct snapshot before, after;
	struct model model;

	model_on(&model, *state);
	machine_touch_all(&model.m);
	before = machine_snapshot(&model.m);
	for (unsigned round = 0; round < 6; round++) {
		for (unsigned step = 0; step < 600; step++) {
			const bool grow = !model.count || (next_random(&model.seed) & 7) < (round & 1 ? 3 : 5);

			if (grow && model.count < TABLES)
				model_alloc(&model);
			else
				model_free(&model, next_random(&model.seed) % model.count,
					   (unsigned)(next_random(&model.seed) % (round < 2 ? round + 1 : 3)));
			if (step % 16 == 0)
				check_list(&model);
		}
		for (size_t i = 0; i < model.count; i++)
			must_be_marked(model.table[i], model.lg2, model.table[i]);
	}
	empty(&model, 3);
	check_list(&model);
	/* Whatever still waits needs the address space no more. */
	assert_int_equal(cop_fragments_exit(&model.f), 0);
	memset(&model.f, 0xa5, sizeof(model.f));
	/* The end of one grace period may be what begins a page's. */
	machine_check(&model.m);
	after = machine_snapshot(&model.m);
	same_state(&before, &after);
	machine_off(&model.m);
}

/* A page with a deferred table takes no new ones; one without takes them as soon as they are free. */
static void test_reuse(void **state)
{
	struct model model;
	cop_pa a, b, c;

	model_on(&model, *state);
	a = cop_fragment_alloc(&model.f);
	b = cop_fragment_alloc(&model.f);
	assert_int_equal(a ^ b, COP_LG2(model.lg2));
	cop_fragment_free(&model.f, a);
	assert_int_equal(cop_fragment_alloc(&model.f), a);
	cop_fragment_free_rcu(&model.f, a);
	cop_host_rcu_barrier();
	assert_int_equal(cop_fragment_alloc(&model.f), a);
	cop_fragment_free_defer(&model.f, a);
	cop_host_rcu_barrier();
	c = cop_fragment_alloc(&model.f);
	assert_true(COP_ALIGN_DOWN(c, COP_LG2(model.page_lg2)) != COP_ALIGN_DOWN(a, COP_LG2(model.page_lg2)));
	assert_int_equal(cop_fragments_exit(&model.f), -COP_EBUSY);
	cop_fragment_free(&model.f, b);
	cop_fragment_free(&model.f, c);
	assert_int_equal(cop_fragments_exit(&model.f), 0);
	machine_check(&model.m);
	assert_int_equal(cop_mem_account(&model.m.mem).leaked, 0);
	machine_off(&model.m);
}

/* Fragments of a page share a lock; tables of their own do not, in the same place later on. */
static void test_locks(void **state)
{
	struct model model;
	cop_pa a, b;

	model_on(&model, *state);
	a = cop_fragment_alloc(&model.f);
	b = cop_fragment_alloc(&model.f);
	assert_int_equal(cop_ptdesc(a)->lock_lg2, model.page_lg2);
	assert_int_equal(cop_ptdesc(b)->lock_lg2, model.page_lg2);
	cop_fragment_free(&model.f, a);
	cop_fragment_free(&model.f, b);
	assert_int_equal(cop_ptdesc(a)->lock_lg2, 0);
	assert_int_equal(cop_ptdesc(b)->lock_lg2, 0);
	machine_off(&model.m);
}

/* One frame at a time is denied, at every turn: what was there before is there after. */
static void test_no_memory(void **state)
{
	struct model model;
	unsigned denied = 0;

	model_on(&model, *state);
	for (uint64_t at = 1; at < 40; at++) {
		const struct cop_mem_account before = cop_mem_account(&model.m.mem);
		struct cop_mem_account after;

		model.m.allocs = 0;
		model.m.deny_at = at;
		for (unsigned i = 0; i < 64; i++) {
			const size_t count = model.f.in_use;
			const cop_pa table = cop_fragment_alloc(&model.f);

			denied += table == COP_PA_NONE;
			assert_int_equal(model.f.in_use, count + (table != COP_PA_NONE));
			if (table != COP_PA_NONE)
				model.table[model.count++] = table;
		}
		model.m.deny_at = 0;
		check_list(&model);
		while (model.count)
			cop_fragment_free(&model.f, model.table[--model.count]);
		after = cop_mem_account(&model.m.mem);
		assert_memory_equal(&before, &after, sizeof(before));
	}
	assert_true(denied > 3);
	machine_off(&model.m);
}

static void test_errors(void **state)
{
	struct cop_fragments f;
	struct model model;
	cop_pa a, b;

	model_on(&model, *state);
	assert_int_equal(cop_fragments_init(&f, &model.m.mem, model.page_lg2, model.page_lg2), -COP_EINVAL);
	assert_int_equal(cop_fragments_init(&f, &model.m.mem, model.lg2 + 5, model.lg2), -COP_EINVAL);
	assert_int_equal(cop_fragments_init(&f, &model.m.mem, model.m.mem.page_lg2 - 1U, model.lg2), -COP_EINVAL);
	assert_int_equal(cop_fragments_init(&f, &model.m.mem, model.page_lg2, model.lg2 - 1), -COP_EINVAL);
	assert_int_equal(cop_fragments_init(&f, &model.m.mem, 64, 60), -COP_EINVAL);
	a = cop_fragment_alloc(&model.f);
	b = cop_fragment_alloc(&model.f);
	cop_fragment_free(&model.f, a);
	cop_host_set_panic(machine_on_panic);
	machine_panic_rule = NULL;
	if (!sigsetjmp(machine_panicked, 1)) {
		cop_fragment_free(&model.f, a);
		fail_msg("freed twice, and nobody minds");
	}
	cop_host_set_panic(NULL);
	assert_string_equal(machine_panic_rule, "double-free");
	(void)b;
	machine_off(&model.m);
}

/* A tree whose tables of that size are fragments: random maps and unmaps, all of it given back. */
static void test_tree(void **state)
{
	struct snapshot before, after;
	struct cop_table_source source;
	struct cop_tree tree;
	struct model model;
	uint64_t page;

	model_on(&model, *state);
	machine_touch_all(&model.m);
	before = machine_snapshot(&model.m);
	source = cop_fragments_source(&model.f);
	page = COP_LG2(model.m.mem.page_lg2);
	assert_int_equal(cop_tree_init(&tree, &model.m.config.geom, &source, 1, 0), 0);
	for (unsigned round = 0; round < 60; round++) {
		const cop_va va = model.m.mem.layout.linear_start + (next_random(&model.seed) % 64) * (page << 9);
		struct cop_gather gather;

		if (cop_map(&tree, va, MACHINE_BASE, page, COP_KERNEL_RW, 0, 0) == 0)
			continue;
		cop_gather_begin(&gather, &tree);
		assert_int_equal(cop_unmap(&gather, va, page, COP_UNMAP_BLIND, NULL, 0).err, 0);
		(void)cop_gather_finish(&gather);
	}
	for (unsigned i = 0; i < 64; i++) {
		struct cop_gather gather;

		cop_gather_begin(&gather, &tree);
		assert_int_equal(cop_unmap(&gather, model.m.mem.layout.linear_start + i * (page << 9), page,
					   COP_UNMAP_BLIND | COP_UNMAP_HOLES_OK, NULL, 0)
					 .err,
				 0);
		(void)cop_gather_finish(&gather);
	}
	assert_int_equal(cop_tree_destroy(&tree), 0);
	assert_int_equal(cop_fragments_exit(&model.f), 0);
	after = machine_snapshot(&model.m);
	same_state(&before, &after);
	machine_off(&model.m);
}

int main(void)
{
	static const struct shaped_test tests[] = {
		SHAPED(test_model),     SHAPED(test_reuse),  SHAPED(test_locks),
		SHAPED(test_no_memory), SHAPED(test_errors), SHAPED(test_tree),
	};

	return run_shaped("fragments", tests, sizeof(tests) / sizeof(tests[0]));
}
