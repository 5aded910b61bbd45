/* SPDX-License-Identifier: MIT */
#include "tests/checker/rules.h"

static struct cop_geom geom;

void rig_choose(enum cop_arch arch, uint32_t features_on, uint32_t features_off)
{
	if (cop_geom_init(&geom, arch, 12, 0))
		__builtin_trap();
	geom.features = (geom.features | features_on) & ~features_off;
	if (arch == COP_ARM64)
		geom.half = COP_HALF_HIGH;
}

static cop_va first_va(void)
{
	if (geom.half == COP_HALF_LOW)
		return 1ULL << 33;
	return ~0ULL << (geom.half == COP_HALF_HIGH ? geom.va_bits : geom.va_bits - 1);
}

static cop_pa table_alloc(void *ctx, unsigned lg2)
{
	(void)ctx;
	return sim_frame_alloc(lg2, SIM_TABLE, "table", SIM_AT);
}

static void table_free(void *ctx, cop_pa table, unsigned lg2)
{
	(void)ctx;
	sim_frame_free(table, COP_LG2(lg2), SIM_AT);
}

static void must(bool ok)
{
	if (!ok)
		sim_fail("assert", "the rig");
}

static cop_pa leaf_table(const struct rig *r)
{
	const struct cop_format *f = r->tree.ops->format;
	cop_pa table = r->tree.root;

	for (unsigned l = r->tree.geom.levels - 1U; l > 0; l--) {
		uint64_t i = (r->va & r->tree.va_mask) >> f->shift(l);
		const uint64_t *entry;

		if (l + 1U < r->tree.geom.levels)
			i &= COP_LG2(f->index_bits(&r->tree.geom, l)) - 1;
		entry = (uint64_t *)cop_phys(table) + i;
		table = f->table_pa(&r->tree.geom, cop_load(entry, relaxed), l);
	}
	return table;
}

void rig_setup(void *world)
{
	struct rig *r = world;
	const struct cop_table_source source = {.alloc = table_alloc, .free = table_free};

	r->va = first_va();
	must(!cop_tree_init(&r->tree, &geom, &source, 0, COP_TREE_KERNEL));
	r->page = sim_frame_alloc(12, SIM_DATA, "page", SIM_AT);
	r->other = sim_frame_alloc(12, SIM_DATA, "other page", SIM_AT);
	must(!cop_map(&r->tree, r->va, r->page, 4096, COP_KERNEL_RW, 0, 0));
	r->table = leaf_table(r);
	sim_attach(r->tree.ops->format, &r->tree.geom, r->tree.root, 0);
}

void rig_check(void *world)
{
	struct rig *r = world;

	sim_detach(r->tree.root);
	for (cop_pa pa = 0; pa < sim.config.pa_bytes; pa += COP_LG2(sim.config.frame_lg2)) {
		if (sim.frame[pa >> sim.config.frame_lg2].state != SIM_FREE)
			sim_frame_free(pa, COP_LG2(sim.config.frame_lg2), SIM_AT);
	}
}

uint64_t *rig_entry(const struct rig *r, unsigned i)
{
	return (uint64_t *)cop_phys(r->table) + i;
}

uint64_t rig_leaf(const struct rig *r, cop_pa pa, uint32_t attrs)
{
	return r->tree.ops->format->leaf(&r->tree.geom, pa, 0, attrs);
}

void rig_invalidate(const struct rig *r, cop_va va, uint64_t bytes, uint8_t level, uint8_t scope)
{
	(void)r;
	cop_tlbi((&(struct cop_tlbi){
		.start = va, .last = va + (bytes - 1), .stride_lg2 = 12, .level = level, .scope = scope}));
}

void rig_sync(void)
{
	cop_tlb_sync();
}
