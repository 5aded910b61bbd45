/* SPDX-License-Identifier: MIT */
/* Writing entries, linking tables. */
#include "tests/checker/rules.h"

#define VALID TOY_VALID
#define LINK  (TOY_VALID | TOY_LINK)

static void put(cop_pa table, unsigned i, uint64_t v)
{
	cop_store(toy_entry(table, i), v, relaxed);
}

static void clean(uint8_t scope)
{
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, scope);
	cop_tlb_sync();
}

/* Valid to valid. */
static void remap_live(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 0, w->other | VALID);
	clean(COP_TLBI_LEAVES);
}

static void remap_broken(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 0, 0);
	clean(COP_TLBI_LEAVES);
	put(w->table, 0, w->other | VALID);
}

static void remap_unsynced(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 0, 0);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	put(w->table, 0, w->other | VALID);
	clean(COP_TLBI_LEAVES);
}

/* Both at once by hardware's rules, but no encoding. */
static void write_reserved(void *arg)
{
	const struct rig *r = arg;

	/* A block one level too low: bit 1 says page. */
	cop_store(rig_entry(r, 1), rig_leaf(r, r->other, COP_KERNEL_RW) & ~2ULL, relaxed);
}

static void write_good(void *arg)
{
	const struct rig *r = arg;

	cop_store(rig_entry(r, 1), rig_leaf(r, r->other, COP_KERNEL_RW), relaxed);
}

static void overwrite_reserved(void *arg)
{
	const struct rig *r = arg;

	cop_store(rig_entry(r, 0), rig_leaf(r, r->page, COP_KERNEL_RW) & ~2ULL, relaxed);
}

static void overwrite_good(void *arg)
{
	const struct rig *r = arg;

	cop_store(rig_entry(r, 0), rig_leaf(r, r->page, COP_KERNEL_RO), relaxed);
	cop_mmu_publish();
	rig_invalidate(r, r->va, 4096, 0, COP_TLBI_GLOBAL);
	rig_sync();
}

/* s390x. */
static struct cop_tlbi operand(const struct rig *r, unsigned i, uint8_t level)
{
	return (struct cop_tlbi){.start = r->va + i * 4096ULL,
				 .last = r->va + i * 4096ULL + 4095,
				 .stride_lg2 = 12,
				 .level = level,
				 .scope = COP_TLBI_GLOBAL};
}

static void break_by_store(void *arg)
{
	const struct rig *r = arg;

	cop_store(rig_entry(r, 0), r->tree.ops->format->empty(0), relaxed);
	cop_mmu_publish();
	rig_invalidate(r, r->va, 4096, 0, COP_TLBI_GLOBAL);
	rig_sync();
}

static void break_by_instruction(void *arg)
{
	const struct rig *r = arg;
	const struct cop_tlbi t = operand(r, 0, 0);

	cop_entry_xchg(rig_entry(r, 0), r->tree.ops->format->empty(0), &t);
}

static void operand_next_address(void *arg)
{
	const struct rig *r = arg;
	const struct cop_tlbi t = operand(r, 1, 0);

	cop_entry_xchg(rig_entry(r, 0), r->tree.ops->format->empty(0), &t);
}

static void operand_wrong_type(void *arg)
{
	const struct rig *r = arg;
	const struct cop_tlbi t = operand(r, 0, 1);

	cop_entry_xchg(rig_entry(r, 0), r->tree.ops->format->empty(0), &t);
}

static void operand_past_table(void *arg)
{
	const struct rig *r = arg;
	const struct cop_tlbi t = operand(r, 0, 0);

	cop_entries_break(rig_entry(r, 0), 300, r->tree.ops->format->empty(0), &t);
}

static void break_range(void *arg)
{
	const struct rig *r = arg;
	struct cop_tlbi t = operand(r, 0, 0);

	t.last = r->va + 256 * 4096ULL - 1;
	cop_entries_break(rig_entry(r, 0), 256, r->tree.ops->format->empty(0), &t);
}

/* Tables. */
static void write_into_unlinked(void *arg)
{
	struct toy_world *w = arg;

	put(w->root, 0, 0);
	cop_mmu_publish();
	put(w->table, 1, w->other | VALID);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_BLOCK, COP_TLBI_TABLES);
	cop_tlb_sync();
}

static void write_into_clean(void *arg)
{
	struct toy_world *w = arg;

	put(w->root, 0, 0);
	clean(COP_TLBI_TABLES);
	put(w->table, 1, w->other | VALID);
}

static void link_twice(void *arg)
{
	struct toy_world *w = arg;

	put(w->root, 2, w->table | LINK);
}

static void link_other(void *arg)
{
	struct toy_world *w = arg;

	put(w->root, 2, toy_new_table() | LINK);
}

static void link_uninitialised(void *arg)
{
	struct toy_world *w = arg;
	cop_pa table = sim_frame_alloc(12, SIM_TABLE, "table", SIM_AT);

	put(table, 0, w->other | VALID);
	put(w->root, 2, table | LINK);
}

/* Seen linked before it is seen filled. */
static void link_relaxed(void *arg)
{
	struct toy_world *w = arg;
	cop_pa table = toy_new_table();

	put(table, 0, w->other | VALID);
	put(w->root, 2, table | LINK);
}

static void link_behind_fence(void *arg)
{
	struct toy_world *w = arg;
	cop_pa table = toy_new_table();

	put(table, 0, w->other | VALID);
	cop_fence_release();
	put(w->root, 2, table | LINK);
}

static void link_by_acquire(void *arg)
{
	struct toy_world *w = arg;

	(void)cop_cas(toy_entry(w->root, 2), 0ULL, toy_new_table() | LINK, acquire);
}

static void link_by_release(void *arg)
{
	struct toy_world *w = arg;

	(void)cop_cas(toy_entry(w->root, 2), 0ULL, toy_new_table() | LINK, release);
}

static void map_and_read(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 1, w->other | VALID);
	(void)cop_load((uint64_t *)cop_virt(TOY_VA + TOY_PAGE), relaxed);
}

static void map_publish_and_read(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 1, w->other | VALID);
	cop_mmu_publish();
	(void)cop_load((uint64_t *)cop_virt(TOY_VA + TOY_PAGE), relaxed);
}

static void link_page(void *arg)
{
	struct toy_world *w = arg;

	cop_fill64(cop_phys(w->other), 0, TOY_PAGE);
	put(w->root, 2, w->other | LINK);
}

/* Somebody else's change. */
static void protect_by_store(void *arg)
{
	const struct rig *r = arg;
	uint64_t old = cop_load(rig_entry(r, 0), relaxed);

	cop_store(rig_entry(r, 0), old & ~2ULL /* x86-64: R/W */, relaxed);
	cop_mmu_publish();
	rig_invalidate(r, r->va, 4096, 0, COP_TLBI_GLOBAL);
	rig_sync();
}

static void protect_by_exchange(void *arg)
{
	const struct rig *r = arg;
	uint64_t old = cop_load(rig_entry(r, 0), relaxed), was;

	while ((was = cop_cas(rig_entry(r, 0), old, old & ~2ULL, relaxed)) != old)
		old = was;
	cop_mmu_publish();
	rig_invalidate(r, r->va, 4096, 0, COP_TLBI_GLOBAL);
	rig_sync();
}

static void write_through(void *arg)
{
	uint64_t v = 1;

	(void)sim_probe(((struct rig *)arg)->va, true, &v, SIM_AT);
}

/* Hardware has still to set D. */
static void clean_page_setup(void *arg)
{
	struct rig *r = arg;

	rig_setup(arg);
	cop_store(rig_entry(r, 0), rig_leaf(r, r->page, COP_READ | COP_WRITE | COP_GLOBAL | COP_YOUNG), relaxed);
}

static void map_by_store(void *arg)
{
	struct toy_world *w = arg;

	if (!cop_load(toy_entry(w->table, 5), relaxed))
		put(w->table, 5, w->other | VALID);
}

static void map_by_cas(void *arg)
{
	struct toy_world *w = arg;

	cop_cas(toy_entry(w->table, 5), 0ULL, w->other | VALID, relaxed);
}

static void map_same_slot(void *arg)
{
	struct toy_world *w = arg;

	cop_cas(toy_entry(w->table, 5), 0ULL, w->page | VALID, relaxed);
}

/* Address spaces. */
static void attach_second(void *arg, uint32_t asid)
{
	cop_pa root = toy_new_table();

	(void)arg;
	sim_attach(&toy_format, &toy_geom, root, asid);
	sim_detach(root);
}

static void attach_same_asid(void *arg)
{
	attach_second(arg, 0);
}

static void attach_other_asid(void *arg)
{
	attach_second(arg, 1);
}

const struct rule_case rules_entries[] = {
	{.rule = "break-before-make", .broken = remap_live, .correct = remap_broken},
	{.rule = "unclean-make", .broken = remap_unsynced, .correct = remap_broken},
	{.rule = "bad-encoding", .broken = write_reserved, .correct = write_good, .arch = COP_ARM64 + 1},
	{.rule = "bad-encoding",
	 .broken = overwrite_reserved,
	 .correct = overwrite_good,
	 .behind = "missing-invalidation",
	 .arch = COP_ARM64 + 1},
	{.rule = "live-entry-stored", .broken = break_by_store, .correct = break_by_instruction, .arch = COP_S390X + 1},
	{.rule = "wrong-operand",
	 .broken = operand_next_address,
	 .correct = break_by_instruction,
	 .arch = COP_S390X + 1},
	{.rule = "wrong-operand", .broken = operand_wrong_type, .correct = break_by_instruction, .arch = COP_S390X + 1},
	{.rule = "wrong-operand",
	 .broken = operand_past_table,
	 .correct = break_range,
	 .behind = "",
	 .arch = COP_S390X + 1},
	{.rule = "wrong-operand", .broken = break_by_instruction, .correct = overwrite_good, .arch = COP_ARM64 + 1},
	{.rule = "frozen-child", .broken = write_into_unlinked, .correct = write_into_clean},
	{.rule = "linked-twice", .broken = link_twice, .correct = link_other},
	{.rule = "linked-uninitialised", .broken = link_uninitialised, .correct = link_other},
	{.rule = "linked-unordered", .broken = link_relaxed, .correct = link_behind_fence, .order = SIM_ORDER_WEAK},
	{.rule = "linked-unordered", .broken = link_by_acquire, .correct = link_by_release, .order = SIM_ORDER_WEAK},
	{.rule = "unpublished-entry", .broken = map_and_read, .correct = map_publish_and_read, .order = SIM_ORDER_WEAK},
	{.rule = "wild-table", .broken = link_page, .correct = link_other},
	{.rule = "lost-update",
	 .broken = protect_by_store,
	 .correct = protect_by_exchange,
	 .beside = write_through,
	 .setup = clean_page_setup,
	 .arch = COP_X86_64 + 1},
	{.rule = "lost-update",
	 .broken = map_by_store,
	 .correct = map_by_cas,
	 .beside = map_same_slot,
	 .behind = "break-before-make"},
	{.rule = "asid-shared", .broken = attach_same_asid, .correct = attach_other_asid},
	{.rule = NULL},
};
