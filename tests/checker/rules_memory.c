/* SPDX-License-Identifier: MIT */
/* Frames, their struct pages, and those who walk. */
#include "tests/checker/rules.h"

#include <coppice/memory.h>

static void put(cop_pa table, unsigned i, uint64_t v)
{
	cop_store(toy_entry(table, i), v, relaxed);
}

static void unmap(struct toy_world *w)
{
	put(w->table, 0, 0);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
}

static void read_freed(void *arg)
{
	struct toy_world *w = arg;

	sim_frame_free(w->other, TOY_PAGE, SIM_AT);
	(void)cop_load((uint64_t *)cop_phys(w->other), relaxed);
}

static void read_then_free(void *arg)
{
	struct toy_world *w = arg;

	(void)cop_load((uint64_t *)cop_phys(w->other), relaxed);
	sim_frame_free(w->other, TOY_PAGE, SIM_AT);
}

static void free_twice(void *arg)
{
	struct toy_world *w = arg;

	sim_frame_free(w->other, TOY_PAGE, SIM_AT);
	sim_frame_free(w->other, TOY_PAGE, SIM_AT);
}

static void read_punched(void *arg)
{
	struct toy_world *w = arg;

	sim_frame_punch(w->other, TOY_PAGE, SIM_AT);
	(void)cop_load((uint64_t *)cop_phys(w->other), relaxed);
}

static void read_then_punch(void *arg)
{
	struct toy_world *w = arg;

	(void)cop_load((uint64_t *)cop_phys(w->other), relaxed);
	sim_frame_punch(w->other, TOY_PAGE, SIM_AT);
}

static void forget_page(void *arg)
{
	(void)arg;
	(void)sim_frame_alloc(12, SIM_DATA, "page", SIM_AT);
}

static void alloc_and_free(void *arg)
{
	(void)arg;
	sim_frame_free(sim_frame_alloc(12, SIM_DATA, "page", SIM_AT), TOY_PAGE, SIM_AT);
}

/* Frees only what setup has made. */
static void free_own(void *arg)
{
	struct toy_world *w = arg;

	sim_detach(w->root);
	sim_frame_free(w->root, TOY_PAGE, SIM_AT);
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
	sim_frame_free(w->page, TOY_PAGE, SIM_AT);
	sim_frame_free(w->other, TOY_PAGE, SIM_AT);
	sim_frame_free(w->block, TOY_BLOCK, SIM_AT);
}

static void translate_out_of_memory(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 5, 1ULL << 40 | TOY_VALID);
	(void)cop_load((uint64_t *)cop_virt(TOY_VA + 5 * TOY_PAGE), relaxed);
}

static void translate_into_memory(void *arg)
{
	struct toy_world *w = arg;

	put(w->table, 5, w->other | TOY_VALID);
	(void)cop_load((uint64_t *)cop_virt(TOY_VA + 5 * TOY_PAGE), relaxed);
}

static void claim_taken(void *arg)
{
	sim_frame_claim(((struct toy_world *)arg)->other, TOY_PAGE, "somebody", SIM_AT);
}

static void claim_free(void *arg)
{
	(void)arg;
	sim_frame_claim(1 << 20, TOY_PAGE, "somebody", SIM_AT);
}

/* Walkers. */
static void unlink_and_free(struct toy_world *w, bool grace)
{
	put(w->root, 0, 0);
	put(w->table, 0, 0);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_BLOCK, COP_TLBI_TABLES);
	cop_tlb_sync();
	if (grace)
		cop_rcu_sync();
	sim_frame_free(w->table, TOY_PAGE, SIM_AT);
}

static void reclaim_at_once(void *arg)
{
	unlink_and_free(arg, false);
}

static void reclaim_after_grace(void *arg)
{
	unlink_and_free(arg, true);
}

static void walk(void *arg)
{
	uint64_t link;

	cop_rcu_read_lock();
	link = cop_load(toy_entry(((struct toy_world *)arg)->root, 0), acquire);
	if (link & TOY_VALID)
		(void)cop_load(toy_entry(TOY_PA(link), 0), relaxed);
	cop_rcu_read_unlock();
}

/* A memmap of one page, at .va: the struct page of frame 1 is the second in it. */
static void memmap_setup(void *arg)
{
	struct toy_world *w = arg;

	toy_setup(w);
	cop_fill64(cop_phys(w->page), 0, TOY_PAGE);
	sim_memmap(TOY_VA, TOY_VA, TOY_VA + TOY_BLOCK - 1, 12);
}

static struct cop_page *page_of(cop_pfn pfn)
{
	return (struct cop_page *)cop_virt(TOY_VA) + pfn;
}

/* Two frames that nothing maps: as the allocator would. */
#define FRAME 8

static void hand_out(void)
{
	cop_store(&page_of(FRAME)->flags, (uint64_t)COP_PG_ALLOCATED, relaxed);
	cop_store(&page_of(FRAME)->refcount, 1U, release);
}

static void take_back(void)
{
	cop_store(&page_of(FRAME)->flags, (uint64_t)0, relaxed);
}

static void get_free(void *arg)
{
	(void)arg;
	(void)cop_fetch_add(&page_of(FRAME)->refcount, 1U, relaxed);
}

static void get_unless_zero(void *arg)
{
	uint32_t was = cop_load(&page_of(FRAME)->refcount, relaxed);

	(void)arg;
	if (was)
		(void)cop_cas(&page_of(FRAME)->refcount, was, was + 1, acquire);
}

static void put_twice(void *arg)
{
	(void)arg;
	hand_out();
	(void)cop_fetch_add(&page_of(FRAME)->refcount, -1U, acq_rel);
	take_back();
	(void)cop_fetch_add(&page_of(FRAME)->refcount, -1U, acq_rel);
}

static void put_once(void *arg)
{
	(void)arg;
	hand_out();
	(void)cop_fetch_add(&page_of(FRAME)->refcount, -1U, acq_rel);
	take_back();
}

static void use_given_back(void *arg)
{
	put_once(arg);
	(void)cop_load((uint64_t *)cop_phys(FRAME << 12), relaxed);
}

static void use_then_give_back(void *arg)
{
	(void)arg;
	hand_out();
	(void)cop_load((uint64_t *)cop_phys(FRAME << 12), relaxed);
	(void)cop_fetch_add(&page_of(FRAME)->refcount, -1U, acq_rel);
	take_back();
}

static void unmap_memmap(void *arg)
{
	unmap(arg);
}

static void unmap_memmap_after_grace(void *arg)
{
	struct toy_world *w = arg;

	cop_store(&w->flag, 1ULL, release);
	cop_rcu_sync();
	unmap(w);
}

static void read_if_valid(void *arg)
{
	cop_rcu_read_lock();
	if (!cop_load(&((struct toy_world *)arg)->flag, acquire))
		(void)cop_load(&page_of(FRAME)->refcount, relaxed);
	cop_rcu_read_unlock();
}

static void protect_memmap(struct toy_world *w)
{
	put(w->table, 0, w->page | TOY_VALID);
	cop_mmu_publish();
	toy_invalidate(TOY_VA, TOY_PAGE, COP_TLBI_LEAVES);
	cop_tlb_sync();
}

static void cas_read_only(void *arg)
{
	protect_memmap(arg);
	(void)cop_cas(&page_of(FRAME)->refcount, 1U, 2U, acquire);
}

static void load_read_only(void *arg)
{
	protect_memmap(arg);
	(void)cop_load(&page_of(FRAME)->refcount, acquire);
}

const struct rule_case rules_memory[] = {
	{"use-after-free", read_freed, read_then_free},
	{"use-after-free", use_given_back, use_then_give_back, .setup = memmap_setup},
	{"double-free", free_twice, read_then_free},
	{"absent-memory", read_punched, read_then_punch},
	{"leak", forget_page, alloc_and_free, .check = free_own},
	{"wild-physical", translate_out_of_memory, translate_into_memory},
	{"frame-taken", claim_taken, claim_free},
	{"walker-in-freed-table", reclaim_at_once, reclaim_after_grace, walk},
	{"struct-page-unmapped", unmap_memmap, unmap_memmap_after_grace, read_if_valid, .setup = memmap_setup},
	{"struct-page-read-only", cas_read_only, load_read_only, .setup = memmap_setup},
	{"reference-to-free-frame", get_free, get_unless_zero, .setup = memmap_setup},
	{"refcount-underflow", put_twice, put_once, .setup = memmap_setup},
	{NULL},
};
