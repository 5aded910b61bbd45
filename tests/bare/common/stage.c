/* SPDX-License-Identifier: MIT */
#include "tests/bare/common/stage.h"

#define POISON 0xa5a5a5a5a5a5a5a5ULL /* no format takes this for a valid entry that leads into memory */

struct cop_tree bare_identity;
bool stage_quick;

static struct {
	cop_spinlock lock;
	cop_pa next;
	cop_pa freed[17]; /* first of a list through the frames, by lg2 */
	uint64_t out;
} pool;

bool stage_up(void)
{
	struct cop_geom geom;

	if (bare_life_geom(&geom) || bare_mmu_on(&bare_identity, &geom))
		return false;
	bare_tree = &bare_identity;
	pool.next = bare_image_end;
	return true;
}

cop_pa stage_take(uint64_t bytes, uint64_t align)
{
	const uintptr_t irqs = cop_irq_save();
	cop_pa at;

	cop_spin_lock(&pool.lock);
	at = COP_ALIGN_UP(pool.next, align);
	if (at + bytes > bare_ram_end)
		cop_panic("the pool is empty", NULL);
	pool.next = at + bytes;
	cop_spin_unlock(&pool.lock);
	cop_irq_restore(irqs);
	return at;
}

static cop_pa table_alloc(void *ctx, unsigned lg2)
{
	const uintptr_t irqs = cop_irq_save();
	cop_pa at;

	(void)ctx;
	cop_spin_lock(&pool.lock);
	at = pool.freed[lg2];
	if (at)
		pool.freed[lg2] = *(cop_pa *)cop_phys(at);
	pool.out++;
	cop_spin_unlock(&pool.lock);
	cop_irq_restore(irqs);
	if (!at)
		at = stage_take(COP_LG2(lg2), COP_LG2(lg2));
	/* Contents are arbitrary: an entry left uninitialised shows. */
	if (!stage_quick)
		cop_fill64(cop_phys(at), POISON, COP_LG2(lg2));
	return at;
}

static void table_free(void *ctx, cop_pa pa, unsigned lg2)
{
	const uintptr_t irqs = cop_irq_save();

	(void)ctx;
	if (!stage_quick)
		cop_fill64(cop_phys(pa), POISON, COP_LG2(lg2));
	cop_spin_lock(&pool.lock);
	*(cop_pa *)cop_phys(pa) = pool.freed[lg2];
	pool.freed[lg2] = pa;
	pool.out--;
	cop_spin_unlock(&pool.lock);
	cop_irq_restore(irqs);
}

uint64_t stage_tables_out(void)
{
	bare_rcu_barrier();
	return cop_load(&pool.out, relaxed);
}

bool stage_kernel(struct cop_tree *kernel)
{
	const struct cop_table_source source = {table_alloc, table_free, NULL};
	struct cop_geom geom;

	if (bare_kernel_geom(&geom) || cop_tree_init(kernel, &geom, &source, 0, COP_TREE_KERNEL))
		return false;
	bare_tree = kernel;
	bare_tree_use(kernel);
	return true;
}

cop_va stage_window(const struct cop_geom *geom)
{
	if (geom->half == COP_HALF_HIGH)
		return ~0ULL << geom->va_bits;
	if (geom->half == COP_HALF_BOTH)
		return ~0ULL << (geom->va_bits - 1);
	return COP_LG2(geom->va_bits - 1);
}

uint64_t *stage_slot(const struct cop_tree *tree, cop_va va, unsigned level)
{
	const struct cop_format *format = tree->ops->format;
	cop_pa table = tree->root;

	for (unsigned l = tree->geom.levels - 1U;; l--) {
		const uint64_t slots = COP_LG2(format->index_bits(&tree->geom, l));
		uint64_t *slot = (uint64_t *)cop_phys(table) + (va >> format->shift(l) & (slots - 1));

		if (l == level)
			return slot;
		if (format->kind(&tree->geom, cop_load(slot, acquire), l) != COP_TABLE)
			return NULL;
		table = format->table_pa(&tree->geom, cop_load(slot, acquire), l);
	}
}

void stage_stamp(cop_pa start, uint64_t bytes, unsigned page_lg2)
{
	for (cop_pa pa = start; pa < start + bytes; pa += COP_LG2(page_lg2))
		*(cop_pa *)cop_phys(pa) = pa;
}
