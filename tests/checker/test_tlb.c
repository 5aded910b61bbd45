/* SPDX-License-Identifier: MIT */
/* The machine's rules for translations: each broken program is caught by its rule, the nearest correct one is silent. */
#include "tests/checker/toy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static struct toy_world world;

static const char *disabled;

static enum sim_memory_order order;

static void expect(void (*a)(void *), void (*b)(void *), const char *rule)
{
	struct checker_actor actors[] = {{"a", 0, a}, {b ? "b" : NULL, 1, b}, {NULL, 0, NULL}};
	struct checker_verdict v = toy_explore(&world, actors, disabled, order);

	if (!rule) {
		if (v.result != CHECKER_EXHAUSTED)
			fail_msg("%s: %s", v.report.rule, v.report.text);
		return;
	}
	assert_int_equal(v.result, CHECKER_FAILS);
	assert_string_equal(v.report.rule, rule);
}

static void clear_page(struct toy_world *w)
{
	cop_store(toy_entry(w->table, 0), 0, relaxed);
}

static void unmap_page(struct toy_world *w)
{
	clear_page(w);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
}

/* A walker that may come at any time. */
static void walker(void *unused)
{
	uint64_t v = 0;

	(void)unused;
	if (sim_probe(TOY_VA, false, &v, SIM_AT) && v != 11)
		sim_fail("assert", "read %llu", (unsigned long long)v);
}

/* Freeing a page. */

static void free_unmapped(void *arg)
{
	struct toy_world *w = arg;

	unmap_page(w);
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

static void free_mapped(void *arg)
{
	sim_frame_free(((struct toy_world *)arg)->page, TOY_PAGE, SIM_AT);
}

static void free_without_invalidation(void *arg)
{
	struct toy_world *w = arg;

	clear_page(w);
	cop_mmu_publish();
	cop_tlb_sync();
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

static void free_without_sync(void *arg)
{
	struct toy_world *w = arg;

	clear_page(w);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

static void free_without_publish(void *arg)
{
	struct toy_world *w = arg;

	clear_page(w);
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

static void free_invalidated_too_early(void *arg)
{
	struct toy_world *w = arg;

	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	clear_page(w);
	cop_mmu_publish();
	cop_tlb_sync();
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

static void free_neighbour_invalidated(void *arg)
{
	struct toy_world *w = arg;

	clear_page(w);
	cop_mmu_publish();
	toy_invalidate(TOY_VA + TOY_PAGE, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

static void free_local(void *arg)
{
	struct toy_world *w = arg;

	clear_page(w);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LOCAL);
	cop_tlb_sync();
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

static void test_free_page(void **state)
{
	(void)state;
	expect(free_unmapped, walker, NULL);
	expect(free_mapped, walker, "freed-while-mapped");
	expect(free_without_invalidation, walker, "freed-while-translatable");
	expect(free_without_sync, walker, "freed-while-translatable");
	/* Stores and the MMU's look at them are in order elsewhere. */
	expect(free_without_publish, walker, NULL);
	order = SIM_ORDER_TSO;
	expect(free_without_publish, walker, NULL);
	order = SIM_ORDER_WEAK;
	expect(free_without_publish, walker, "freed-while-translatable");
	order = SIM_ORDER_SC;
	expect(free_invalidated_too_early, walker, "freed-while-translatable");
	expect(free_neighbour_invalidated, walker, "freed-while-translatable");
	expect(free_local, walker, "freed-while-translatable");
	/* On a machine of one CPU a local invalidation is enough. */
	expect(free_local, NULL, NULL);
}

/* Invalidations by address: stride and level. */

static void free_block(struct toy_world *w, uint8_t stride_lg2, uint8_t level)
{
	cop_store(toy_entry(w->root, 1), 0, relaxed);
	cop_mmu_publish();
	cop_tlbi((&(struct cop_tlbi){.start = TOY_VA + TOY_BLOCK,
				     .last = TOY_VA + 2 * TOY_BLOCK - 1,
				     .stride_lg2 = stride_lg2,
				     .level = level}));
	cop_tlb_sync();
	sim_frame_free(w->block, TOY_BLOCK, SIM_AT);
}

static void free_block_by_stride(void *arg)
{
	free_block(arg, 21, 1);
}

static void free_block_wrong_level(void *arg)
{
	free_block(arg, 21, 0);
}

static void free_second_page_by_stride(void *arg)
{
	struct toy_world *w = arg;

	cop_store(toy_entry(w->table, 1), w->other | TOY_VALID, relaxed);
	cop_store(toy_entry(w->table, 1), 0, relaxed);
	cop_mmu_publish();
	/* Strides over the page. */
	cop_tlbi((&(struct cop_tlbi){
		.start = TOY_VA, .last = TOY_VA + TOY_BLOCK - 1, .stride_lg2 = 21, .level = COP_TLBI_ANY_LEVEL}));
	cop_tlb_sync();
	sim_frame_free(w->other, TOY_PAGE, SIM_AT);
}

static void test_stride_and_level(void **state)
{
	(void)state;
	expect(free_block_by_stride, NULL, NULL);
	expect(free_block_wrong_level, NULL, "freed-while-translatable");
	expect(free_second_page_by_stride, NULL, "freed-while-translatable");
}

/* Freeing a table under the walk cache. */

static void unlink_and_free(struct toy_world *w, uint8_t scope, cop_va va)
{
	unmap_page(w);
	cop_store(toy_entry(w->root, 0), 0, relaxed);
	cop_mmu_publish();
	toy_invalidate(va, TOY_PAGE, scope);
	cop_tlb_sync();
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
}

static void free_table(void *arg)
{
	unlink_and_free(arg, COP_TLBI_TABLES, TOY_VA);
}

static void free_table_leaves_only(void *arg)
{
	unlink_and_free(arg, COP_TLBI_LEAVES, TOY_VA);
}

/* Any address below the entry that named the table will do. */
static void free_table_other_address(void *arg)
{
	unlink_and_free(arg, COP_TLBI_TABLES, TOY_VA + 5 * TOY_PAGE);
}

static void free_table_wrong_address(void *arg)
{
	unlink_and_free(arg, COP_TLBI_TABLES, TOY_VA + TOY_BLOCK);
}

static void free_table_linked(void *arg)
{
	struct toy_world *w = arg;

	unmap_page(w);
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
}

/* One invalidation for both levels. */
static void free_both(void *arg)
{
	struct toy_world *w = arg;

	cop_store(toy_entry(w->root, 0), 0, relaxed);
	clear_page(w);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_TABLES);
	cop_tlb_sync();
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

/*
 * The leaf is invalidated while the walk cache still names the table: a CPU could read the leaf again between the
 * invalidation and its clearing.
 */
static void leaf_cleared_after_unlink(void *arg)
{
	struct toy_world *w = arg;

	cop_store(toy_entry(w->root, 0), 0, relaxed);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

static void leaf_never_cleared_but_unreachable(void *arg)
{
	struct toy_world *w = arg;

	cop_store(toy_entry(w->root, 0), 0, relaxed);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_TABLES);
	cop_tlb_sync();
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

/* A leaf of an unlinked table, beside the address that is invalidated. */
static void neighbour_in_unlinked(struct toy_world *w, bool before_sync)
{
	const uint64_t leaf = w->other | TOY_VALID;

	cop_store(toy_entry(w->root, 0), 0, relaxed);
	if (before_sync)
		cop_store(toy_entry(w->table, 1), leaf, relaxed);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_TABLES);
	cop_tlb_sync();
	if (!before_sync)
		cop_store(toy_entry(w->table, 1), leaf, relaxed);
	sim_frame_free(w->other, TOY_PAGE, SIM_AT);
}

/* The walk cache is gone: nobody can read what is written to the table now. */
static void leaf_written_after_sync(void *arg)
{
	neighbour_in_unlinked(arg, false);
}

/* Read through the walk cache while that was held, and not invalidated: the address is another. */
static void leaf_written_before_sync(void *arg)
{
	neighbour_in_unlinked(arg, true);
}

static void test_free_table(void **state)
{
	(void)state;
	expect(free_table, walker, NULL);
	expect(free_table_leaves_only, walker, "freed-while-walkable");
	expect(free_table_other_address, walker, NULL);
	expect(free_table_wrong_address, walker, "freed-while-walkable");
	expect(free_table_linked, walker, "freed-while-mapped");
	expect(free_both, walker, NULL);
	expect(leaf_cleared_after_unlink, walker, "freed-while-translatable");
	expect(leaf_never_cleared_but_unreachable, walker, NULL);
	expect(leaf_written_after_sync, walker, NULL);
	expect(leaf_written_before_sync, walker, "frozen-child");
	disabled = "frozen-child";
	expect(leaf_written_before_sync, walker, "freed-while-translatable");
	disabled = NULL;
}

/* What an access can see. */

static void remap(struct toy_world *w, bool invalidate, bool sync)
{
	clear_page(w);
	cop_mmu_publish();
	if (invalidate)
		toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	if (sync)
		cop_tlb_sync();
	cop_store(toy_entry(w->table, 0), w->other | TOY_VALID, relaxed);
}

static void remap_broken(void *arg)
{
	remap(arg, true, true);
}

static void remap_live(void *arg)
{
	struct toy_world *w = arg;

	cop_store(toy_entry(w->table, 0), w->other | TOY_VALID, relaxed);
}

static void remap_not_invalidated(void *arg)
{
	remap(arg, false, true);
}

static void remap_not_synced(void *arg)
{
	remap(arg, true, false);
}

static void write_protect(void *arg)
{
	struct toy_world *w = arg;

	cop_store(toy_entry(w->table, 0), w->page | TOY_VALID, relaxed);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
}

static void relink_live(void *arg)
{
	struct toy_world *w = arg;
	cop_pa table = toy_new_table();

	cop_store(toy_entry(w->root, 0), 0, relaxed);
	clear_page(w);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
	/* The walk cache may still hold the old table. */
	cop_store(toy_entry(w->root, 0), table | TOY_VALID | TOY_LINK, release);
}

static void relink(void *arg)
{
	struct toy_world *w = arg;
	cop_pa table = toy_new_table();

	cop_store(toy_entry(w->root, 0), 0, relaxed);
	clear_page(w);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_TABLES);
	cop_tlb_sync();
	cop_store(toy_entry(w->root, 0), table | TOY_VALID | TOY_LINK, release);
}

static void link_uninitialised(void *arg)
{
	struct toy_world *w = arg;
	cop_pa table = sim_frame_alloc(12, SIM_TABLE, "table", SIM_AT);

	cop_store(toy_entry(w->root, 2), table | TOY_VALID | TOY_LINK, release);
}

static void link_twice(void *arg)
{
	struct toy_world *w = arg;

	cop_store(toy_entry(w->root, 2), w->table | TOY_VALID | TOY_LINK, release);
}

/* The same in the upper half of a tree that is sign-extended. */
static void remap_live_upper(void *arg)
{
	struct toy_world *w = arg;
	struct cop_geom both = toy_geom;
	cop_pa root = toy_new_table(), table = toy_new_table();

	both.half = COP_HALF_BOTH;
	cop_store(toy_entry(table, 3), w->page | TOY_VALID, relaxed);
	cop_store(toy_entry(root, 300), table | TOY_VALID | TOY_LINK, release);
	sim_attach(&toy_format, &both, root, 1);
	cop_store(toy_entry(table, 3), w->other | TOY_VALID, relaxed);
	sim_detach(root);
}

static void test_break_before_make(void **state)
{
	(void)state;
	expect(remap_broken, NULL, NULL);
	expect(remap_live, NULL, "break-before-make");
	expect(remap_live_upper, NULL, "break-before-make");
	expect(remap_not_invalidated, NULL, "unclean-make");
	expect(remap_not_synced, NULL, "unclean-make");
	expect(write_protect, NULL, NULL);
	expect(relink_live, NULL, "unclean-make");
	expect(relink, NULL, NULL);
	expect(link_uninitialised, NULL, "linked-uninitialised");
	expect(link_twice, NULL, "linked-twice");
}

/* After the flag, is the old translation still there? */
static void clear_and_tell(void *arg)
{
	struct toy_world *w = arg;

	clear_page(w);
	cop_mmu_publish();
	cop_store(&w->flag, 1, release);
}

static void unmap_and_tell(void *arg)
{
	struct toy_world *w = arg;

	unmap_page(w);
	cop_store(&w->flag, 1, release);
}

static void read_when_told(void *arg)
{
	struct toy_world *w = arg;
	uint64_t told, v = 0;

	cop_await(&w->flag, told, told == 1);
	if (sim_probe(TOY_VA, false, &v, SIM_AT))
		sim_fail("stale", "read %llu", (unsigned long long)v);
}

static void fault_when_told(void *arg)
{
	struct toy_world *w = arg;
	uint64_t told, v = 0;

	cop_await(&w->flag, told, told == 1);
	if (!sim_probe(TOY_VA, false, &v, SIM_AT))
		sim_fail("fresh", "it faulted");
}

static void test_stale_access(void **state)
{
	(void)state;
	/* Both ways are open without an invalidation, one with it. */
	expect(clear_and_tell, NULL, "missing-invalidation");
	disabled = "missing-invalidation";
	expect(clear_and_tell, read_when_told, "stale");
	expect(clear_and_tell, fault_when_told, "fresh");
	disabled = NULL;
	expect(unmap_and_tell, read_when_told, NULL);
	expect(unmap_and_tell, fault_when_told, "fresh");
}

static void clear_and_claim(void *arg)
{
	clear_page(arg);
	cop_mmu_publish();
	sim_gone(TOY_VA, TOY_PAGE, SIM_AT);
}

static void invalidate_and_claim(void *arg)
{
	clear_page(arg);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	sim_gone(TOY_VA, TOY_PAGE, SIM_AT);
}

static void unmap_and_claim(void *arg)
{
	unmap_page(arg);
	sim_gone(TOY_VA, TOY_PAGE, SIM_AT);
}

static void claim(void *unused)
{
	(void)unused;
	sim_gone(TOY_VA, TOY_PAGE, SIM_AT);
}

static void test_claims(void **state)
{
	(void)state;
	expect(clear_and_claim, NULL, "missing-invalidation");
	expect(invalidate_and_claim, NULL, "unsynced-invalidation");
	expect(unmap_and_claim, NULL, NULL);
	expect(claim, NULL, "still-mapped");
}

/* Accesses through translations, in plain and marked form. */
static void write_read_only(void *arg)
{
	struct toy_world *w = arg;

	remap(w, true, true);
	cop_write((uint64_t *)cop_virt(TOY_VA), 1);
}

static void write_writable(void *unused)
{
	(void)unused;
	cop_write((uint64_t *)cop_virt(TOY_VA), 1);
}

static void read_hole(void *unused)
{
	(void)unused;
	(void)cop_load((uint64_t *)cop_virt(TOY_VA + TOY_PAGE), relaxed);
}

static void read_freed(void *arg)
{
	struct toy_world *w = arg;

	unmap_page(w);
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
	(void)cop_load((uint64_t *)cop_phys(w->page), relaxed);
}

static void free_twice(void *arg)
{
	free_unmapped(arg);
	sim_frame_free(((struct toy_world *)arg)->page, TOY_PAGE, SIM_AT);
}

static void test_accesses(void **state)
{
	(void)state;
	expect(write_read_only, NULL, "fault");
	expect(write_writable, NULL, NULL);
	expect(read_hole, NULL, "fault");
	expect(read_freed, NULL, "use-after-free");
	expect(free_twice, NULL, "double-free");
}

/* Each access may go one way or another, and nobody else looks: there are no other switch points. */
#define MANY 100

static void allow_writing(struct toy_world *w)
{
	unmap_page(w);
	cop_store(toy_entry(w->table, 0), w->page | TOY_VALID, relaxed);
	cop_mmu_publish();
	cop_store(toy_entry(w->table, 0), w->page | TOY_VALID | TOY_WRITE, relaxed);
	cop_mmu_publish();
}

static void invalidate_page(void)
{
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
}

static void fill_page(void)
{
	for (uint64_t i = 0; i < MANY; i++)
		cop_write((uint64_t *)cop_virt(TOY_VA) + i, i);
}

static void fill_perhaps_read_only(void *arg)
{
	allow_writing(arg);
	fill_page();
	invalidate_page();
}

static void fill_writable(void *arg)
{
	allow_writing(arg);
	invalidate_page();
	fill_page();
}

/* That it may fault is an answer. */
static void probe_perhaps_read_only(void *arg)
{
	allow_writing(arg);
	for (uint64_t v, i = 0; i < MANY; i++)
		(void)sim_probe(TOY_VA, true, (v = i, &v), SIM_AT);
	invalidate_page();
}

static void test_many_ways(void **state)
{
	static const struct checker_actor prober[] = {{"a", 0, probe_perhaps_read_only}, {NULL, 0, NULL}};
	struct checker_program p = {.setup = toy_setup,
				    .check = toy_free_rest,
				    .actors = prober,
				    .world = &world,
				    .world_bytes = sizeof(world)};
	struct checker_verdict v;

	(void)state;
	expect(fill_perhaps_read_only, NULL, "fault");
	expect(fill_writable, NULL, NULL);
	v = found(checker_explore(&p, 1000, NULL));
	assert_int_equal(v.result, CHECKER_BOUNDED);
	assert_int_equal(v.executions, 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_free_page),    cmocka_unit_test(test_stride_and_level),
		cmocka_unit_test(test_free_table),   cmocka_unit_test(test_break_before_make),
		cmocka_unit_test(test_stale_access), cmocka_unit_test(test_claims),
		cmocka_unit_test(test_accesses),     cmocka_unit_test(test_many_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
