/* SPDX-License-Identifier: MIT */
/* What CPUs may still hold, and invalidations that do not reach it. */
#include "tests/checker/rules.h"

#define VALID TOY_VALID

static void put(cop_pa table, unsigned i, uint64_t v)
{
	cop_store(toy_entry(table, i), v, relaxed);
}

static void clean(cop_va va, uint64_t bytes, uint8_t scope)
{
	cop_mmu_publish();
	toy_invalidate(va, bytes, scope);
	cop_tlb_sync();
}

static void unmap(struct toy_world *w)
{
	put(w->table, 0, 0);
	clean(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
}

static void unmap_right(void *arg)
{
	unmap(arg);
	sim_gone(TOY_VA, TOY_PAGE, SIM_AT);
}

/* Never, too narrow, of the wrong kind, too early, not waited for. */
static void never(void *arg)
{
	put(((struct toy_world *)arg)->table, 0, 0);
	cop_mmu_publish();
	cop_tlb_sync();
}

static void wrong_address(void *arg)
{
	put(((struct toy_world *)arg)->table, 0, 0);
	clean(TOY_VA + TOY_PAGE, TOY_PAGE, COP_TLBI_LEAVES);
}

static void stride_too_wide(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 1, w->other | VALID);
	put(w->table, 1, 0);
	cop_mmu_publish();
	cop_tlbi((&(struct cop_tlbi){
		.start = TOY_VA, .last = TOY_VA + TOY_BLOCK - 1, .stride_lg2 = 21, .level = COP_TLBI_ANY_LEVEL}));
	cop_tlb_sync();
}

static void stride_right(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 1, w->other | VALID);
	put(w->table, 1, 0);
	clean(TOY_VA, TOY_BLOCK, COP_TLBI_LEAVES);
}

static void unlink_leaves_only(void *arg)
{
	put(((struct toy_world *)arg)->root, 0, 0);
	clean(TOY_VA, TOY_BLOCK, COP_TLBI_LEAVES);
}

static void unlink_right(void *arg)
{
	put(((struct toy_world *)arg)->root, 0, 0);
	clean(TOY_VA, TOY_BLOCK, COP_TLBI_TABLES);
}

static void block_with_hint(struct toy_world *w, uint8_t level)
{
	put(w->root, 1, 0);
	cop_mmu_publish();
	cop_tlbi((&(struct cop_tlbi){
		.start = TOY_VA + TOY_BLOCK, .last = TOY_VA + 2 * TOY_BLOCK - 1, .stride_lg2 = 21, .level = level}));
	cop_tlb_sync();
}

static void wrong_level(void *arg)
{
	block_with_hint(arg, 0);
}

static void right_level(void *arg)
{
	block_with_hint(arg, 1);
}

static void local_only(void *arg)
{
	put(((struct toy_world *)arg)->table, 0, 0);
	clean(TOY_VA, TOY_PAGE, COP_TLBI_LOCAL);
}

static void unmap_only(void *arg)
{
	unmap(arg);
}

static void nothing(void *unused)
{
	(void)unused;
}

static void other_asid(void *arg)
{
	put(((struct toy_world *)arg)->table, 0, 0);
	cop_mmu_publish();
	cop_tlbi((&(struct cop_tlbi){.start = TOY_VA,
				     .last = TOY_VA + TOY_PAGE - 1,
				     .asid = 7,
				     .stride_lg2 = 12,
				     .level = COP_TLBI_ANY_LEVEL}));
	cop_tlb_sync();
}

static void whole_asid(void *arg)
{
	put(((struct toy_world *)arg)->table, 0, 0);
	cop_mmu_publish();
	cop_tlbi((&(struct cop_tlbi){.stride_lg2 = 12, .level = COP_TLBI_ANY_LEVEL, .scope = COP_TLBI_ASID}));
	cop_tlb_sync();
}

static void before_clearing(void *arg)
{
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	put(((struct toy_world *)arg)->table, 0, 0);
	cop_mmu_publish();
	cop_tlb_sync();
}

static void before_publishing(void *arg)
{
	put(((struct toy_world *)arg)->table, 0, 0);
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_mmu_publish();
	cop_tlb_sync();
}

static void not_waited_for(void *arg)
{
	put(((struct toy_world *)arg)->table, 0, 0);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
}

/* Another CPU's sync is its own. */
static void waits(void *unused)
{
	(void)unused;
	cop_tlb_sync();
}

static void claim_too_much(void *arg)
{
	unmap(arg);
	sim_gone(TOY_VA, 2 * TOY_BLOCK, SIM_AT);
}

/* Frees. */
static void free_mapped(void *arg)
{
	struct toy_world *w = arg;

	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
	unmap(w);
}

static void free_unmapped(void *arg)
{
	struct toy_world *w = arg;

	unmap(w);
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
}

static void free_before_sync(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 0, 0);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
	cop_tlb_sync();
}

static void free_table_before_sync(void *arg)
{
	struct toy_world *w = arg;

	unmap(w);
	put(w->root, 0, 0);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_TABLES);
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
	cop_tlb_sync();
}

static void free_table(void *arg)
{
	struct toy_world *w = arg;

	unmap(w);
	put(w->root, 0, 0);
	clean(TOY_VA, TOY_PAGE, COP_TLBI_TABLES);
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
}

static void free_live_table(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 1, w->other | VALID);
	unmap(w);
	put(w->root, 0, 0);
	clean(TOY_VA, TOY_BLOCK, COP_TLBI_TABLES);
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
}

/* Contiguous runs: one entry stands for sixteen. */
static void run_setup(void *arg)
{
	struct rig *r = arg;
	cop_pa pa;

	rig_setup(arg);
	pa = sim_frame_alloc(16, SIM_DATA, "run", SIM_AT);
	if (cop_map(&r->tree, r->va + (16 << 12), pa, 16 << 12, COP_KERNEL_RW, 0, 0))
		sim_fail("assert", "map");
}

static void clear_run(const struct rig *r, unsigned n, uint64_t bytes)
{
	for (unsigned i = 0; i < n; i++)
		cop_store(rig_entry(r, 16 + i), r->tree.ops->format->empty(0), relaxed);
	cop_mmu_publish();
	rig_invalidate(r, r->va + (16 << 12), bytes, 0, COP_TLBI_GLOBAL);
	rig_sync();
}

/* The first entry is gone; fifteen others still translate its address. */
static void clear_first_of_run(void *arg)
{
	const struct rig *r = arg;

	clear_run(r, 1, 4096);
	sim_gone(r->va + (16 << 12), 4096, SIM_AT);
}

static void clear_all_invalidate_first(void *arg)
{
	clear_run(arg, 16, 4096);
}

static void clear_all_of_run(void *arg)
{
	const struct rig *r = arg;

	clear_run(r, 16, 16 << 12);
	sim_gone(r->va + (16 << 12), 16 << 12, SIM_AT);
}

/* Global entries outlive what is said to one address space. */
static void spare_globals(void *arg)
{
	const struct rig *r = arg;

	cop_store(rig_entry(r, 0), 0ULL, relaxed);
	cop_mmu_publish();
	rig_invalidate(r, r->va, 4096, 0, 0);
	rig_sync();
}

static void reach_globals(void *arg)
{
	const struct rig *r = arg;

	cop_store(rig_entry(r, 0), 0ULL, relaxed);
	cop_mmu_publish();
	rig_invalidate(r, r->va, 4096, 0, COP_TLBI_GLOBAL);
	rig_sync();
}

/* What is not valid may be cached too (riscv64): made valid, then used by another CPU. */
static void map_and_tell(struct rig *r, bool fence)
{
	cop_store(rig_entry(r, 1), rig_leaf(r, r->other, COP_KERNEL_RW), relaxed);
	cop_mmu_publish();
	if (fence) {
		rig_invalidate(r, r->va + 4096, 4096, 0, COP_TLBI_GLOBAL);
		rig_sync();
	}
	cop_store(&r->toy.flag, 1ULL, release);
}

static void map_no_fence(void *arg)
{
	map_and_tell(arg, false);
}

static void map_fence(void *arg)
{
	map_and_tell(arg, true);
}

static void use_when_told(void *arg)
{
	struct rig *r = arg;
	uint64_t told;

	cop_await(&r->toy.flag, told, told == 1);
	(void)cop_load((uint64_t *)cop_virt(r->va + 4096), relaxed);
}

/* An access flag that software sets: such an entry is in no TLB (arm64), and faults. */
static void old_setup(void *arg)
{
	struct rig *r = arg;

	rig_setup(arg);
	cop_store(rig_entry(r, 1), rig_leaf(r, r->other, COP_READ | COP_WRITE | COP_GLOBAL), relaxed);
}

static void move_old(void *arg)
{
	const struct rig *r = arg;

	cop_store(rig_entry(r, 1), rig_leaf(r, r->page, COP_KERNEL_RW), relaxed);
}

static void move_young(void *arg)
{
	const struct rig *r = arg;

	cop_store(rig_entry(r, 0), rig_leaf(r, r->other, COP_KERNEL_RW), relaxed);
	cop_mmu_publish();
	rig_invalidate(r, r->va, 4096, 0, COP_TLBI_GLOBAL);
	rig_sync();
}

static void read_old(void *arg)
{
	(void)cop_load((uint64_t *)cop_virt(((struct rig *)arg)->va + 4096), relaxed);
}

static void read_young(void *arg)
{
	(void)cop_load((uint64_t *)cop_virt(((struct rig *)arg)->va), relaxed);
}

const struct rule_case rules_tlb[] = {
	{.rule = "missing-invalidation", .broken = never, .correct = unmap_right},
	{.rule = "narrow-invalidation", .broken = wrong_address, .correct = unmap_right},
	{.rule = "narrow-invalidation", .broken = stride_too_wide, .correct = stride_right},
	{.rule = "wrong-invalidation", .broken = unlink_leaves_only, .correct = unlink_right},
	{.rule = "wrong-invalidation", .broken = wrong_level, .correct = right_level},
	{.rule = "wrong-invalidation", .broken = local_only, .correct = unmap_only, .beside = nothing},
	{.rule = "wrong-asid", .broken = other_asid, .correct = whole_asid},
	{.rule = "wrong-asid", .broken = spare_globals, .correct = reach_globals, .arch = COP_X86_64 + 1},
	{.rule = "early-invalidation", .broken = before_clearing, .correct = unmap_right},
	{.rule = "early-invalidation", .broken = before_publishing, .correct = unmap_right, .order = SIM_ORDER_WEAK},
	{.rule = "unsynced-invalidation", .broken = not_waited_for, .correct = unmap_only},
	{.rule = "unsynced-invalidation", .broken = not_waited_for, .correct = unmap_only, .beside = waits},
	{.rule = "still-mapped", .broken = claim_too_much, .correct = unmap_right},
	{.rule = "freed-while-mapped", .broken = free_mapped, .correct = free_unmapped},
	{.rule = "freed-while-translatable", .broken = free_before_sync, .correct = free_unmapped},
	{.rule = "live-table-freed", .broken = free_live_table, .correct = free_table},
	{.rule = "freed-while-walkable", .broken = free_table_before_sync, .correct = free_table},
	{.rule = "still-mapped",
	 .broken = clear_first_of_run,
	 .correct = clear_all_of_run,
	 .setup = run_setup,
	 .arch = COP_ARM64 + 1},
	{.rule = "narrow-invalidation",
	 .broken = clear_all_invalidate_first,
	 .correct = clear_all_of_run,
	 .behind = "",
	 .setup = run_setup,
	 .arch = COP_ARM64 + 1},
	{.rule = "still-mapped",
	 .broken = clear_first_of_run,
	 .correct = clear_all_of_run,
	 .setup = run_setup,
	 .arch = COP_RISCV64 + 1},
	{.rule = "missing-invalidation",
	 .broken = map_no_fence,
	 .correct = map_fence,
	 .beside = use_when_told,
	 .behind = "fault",
	 .arch = COP_RISCV64 + 1},
	{.rule = "break-before-make",
	 .broken = move_young,
	 .correct = move_old,
	 .setup = old_setup,
	 .arch = COP_ARM64 + 1},
	{.rule = "fault", .broken = read_old, .correct = read_young, .setup = old_setup, .arch = COP_ARM64 + 1},
	{.rule = NULL},
};
