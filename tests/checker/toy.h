/* SPDX-License-Identifier: MIT */
/* The smallest format that has everything the machine's rules ask for: two levels, 4 KB pages, 2 MB blocks. */
#ifndef COPPICE_TESTS_CHECKER_TOY_H
#define COPPICE_TESTS_CHECKER_TOY_H

#include "tests/checker/found.h"
#include "checker/explore.h"

#define TOY_VALID 1ULL
#define TOY_LINK  2ULL /* to a table, at level 1 */
#define TOY_WRITE 4ULL
#define TOY_PA(e) ((e) & ~0xfffULL)

static unsigned toy_shift(unsigned level)
{
	return 12 + 9 * level;
}

static unsigned toy_index_bits(const struct cop_geom *g, unsigned level)
{
	(void)g, (void)level;
	return 9;
}

static unsigned toy_table_lg2(const struct cop_geom *g, unsigned level)
{
	(void)g, (void)level;
	return 12;
}

static enum cop_kind toy_kind(const struct cop_geom *g, uint64_t e, unsigned level)
{
	(void)g;
	if (!e)
		return COP_EMPTY;
	if (!(e & TOY_VALID))
		return COP_MARKER;
	return level && (e & TOY_LINK) ? COP_TABLE : COP_LEAF;
}

static cop_pa toy_pa(const struct cop_geom *g, uint64_t e, unsigned level)
{
	(void)g, (void)level;
	return TOY_PA(e);
}

static uint32_t toy_attrs(const struct cop_geom *g, uint64_t e, unsigned level)
{
	(void)g, (void)level;
	return COP_READ | (e & TOY_WRITE ? COP_WRITE : 0);
}

static enum cop_change toy_change(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned level)
{
	(void)g, (void)level;
	if (!(old & TOY_VALID) || !(new_ & TOY_VALID) || !((old ^ new_) & ~TOY_WRITE))
		return COP_CHANGE_DIRECT;
	return COP_CHANGE_BREAK;
}

static const char *toy_level_name(const struct cop_geom *g, unsigned level)
{
	(void)g;
	return level ? "PMD" : "PTE";
}

static const struct cop_format toy_format = {.name = "toy",
					     .shift = toy_shift,
					     .index_bits = toy_index_bits,
					     .table_lg2 = toy_table_lg2,
					     .kind = toy_kind,
					     .table_pa = toy_pa,
					     .leaf_pa = toy_pa,
					     .attrs = toy_attrs,
					     .change = toy_change,
					     .level_name = toy_level_name};

static const struct cop_geom toy_geom = {.page_lg2 = 12, .levels = 2, .va_bits = 30, .half = COP_HALF_HIGH};

#define TOY_VA    (~0ULL << 30)
#define TOY_PAGE  4096ULL
#define TOY_BLOCK (2ULL << 20)

/* One page at TOY_VA through root and table; a block in the second entry. */
struct toy_world {
	cop_pa root, table, page, other, block;
	uint64_t flag, flag2;
	cop_spinlock lock;
	cop_mutex mutex;
	cop_rwsem sem;
	cop_rcu rcu;
};

static inline uint64_t *toy_entry(cop_pa table, unsigned index)
{
	return (uint64_t *)cop_phys(table) + index;
}

static inline cop_pa toy_new_table(void)
{
	cop_pa table = sim_frame_alloc(12, SIM_TABLE, "table", SIM_AT);

	cop_fill64(cop_phys(table), 0, TOY_PAGE);
	return table;
}

static inline void toy_setup_as(struct toy_world *w, const struct cop_format *format)
{
	*w = (struct toy_world){0};
	w->root = toy_new_table();
	w->table = toy_new_table();
	w->page = sim_frame_alloc(12, SIM_DATA, "page", SIM_AT);
	w->other = sim_frame_alloc(12, SIM_DATA, "other page", SIM_AT);
	w->block = TOY_BLOCK;
	sim_frame_claim(w->block, TOY_BLOCK, "block", SIM_AT);
	cop_write((uint64_t *)cop_phys(w->page), 11);
	cop_write((uint64_t *)cop_phys(w->other), 22);
	cop_write((uint64_t *)cop_phys(w->block), 33);
	cop_store(toy_entry(w->table, 0), w->page | TOY_VALID | TOY_WRITE, relaxed);
	cop_store(toy_entry(w->root, 0), w->table | TOY_VALID | TOY_LINK, release);
	cop_store(toy_entry(w->root, 1), w->block | TOY_VALID | TOY_WRITE, release);
	sim_attach(format, &toy_geom, w->root, 0);
}

static inline void toy_setup(void *world)
{
	toy_setup_as(world, &toy_format);
}

static inline void toy_invalidate(cop_va va, uint64_t bytes, uint8_t scope)
{
	cop_tlbi((&(struct cop_tlbi){
		.start = va, .last = va + (bytes - 1), .stride_lg2 = 12, .level = COP_TLBI_ANY_LEVEL, .scope = scope}));
}

/* Frees whatever is left. */
static inline void toy_free_rest(void *world)
{
	struct toy_world *w = world;

	sim_detach(w->root);
	for (cop_pa pa = 0; pa < sim.config.pa_bytes; pa += TOY_PAGE) {
		if (sim.frame[pa >> 12].state != SIM_FREE)
			sim_frame_free(pa, TOY_PAGE, SIM_AT);
	}
}

static inline struct checker_verdict toy_explore(struct toy_world *w, const struct checker_actor *actors,
						 const char *disabled, enum sim_memory_order order)
{
	struct checker_program p = {.setup = toy_setup,
				    .check = toy_free_rest,
				    .actors = actors,
				    .world = w,
				    .world_bytes = sizeof(*w),
				    .order = order,
				    .disabled = disabled};

	return found(checker_explore(&p, 1000000, NULL));
}

#endif
