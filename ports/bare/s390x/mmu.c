/* SPDX-License-Identifier: MIT */
/* The instructions that change entries in use, and which tables are in use. */
#include "ports/bare/s390x/machine.h"

#define PAGE_SHIFT  12
#define PAGE_SLOTS  0xffULL
#define PAGE_I      0x400ULL
#define TABLE_SLOTS 0x7ffULL
#define TABLE_I     0x20ULL
#define TABLE_TT    0x0cULL

/*
 * COMPARE AND SWAP AND PURGE: any value for any other, and no CPU keeps any translation. It stands in for CRDTE,
 * which keeps those that do not come from this entry and is part of EDAT-2, as large leaves are.
 */
static uint64_t cspg(uint64_t *entry, uint64_t old, uint64_t new_)
{
	register uint64_t compare __asm__("2") = old;
	register uint64_t with __asm__("3") = new_;

	__asm__ volatile("cspg %0, %2" : "+d"(compare), "+d"(with) : "a"((uintptr_t)entry | 1) : "memory", "cc");
	return compare;
}

/* Tables are designated by their real addresses. */
static uint64_t real(const uint64_t *entry)
{
	return (uintptr_t)entry - BARE_PHYS;
}

/* INVALIDATE PAGE TABLE ENTRY: the table, and the address whose page index selects the entry. */
static void ipte(uint64_t *entry, cop_va va)
{
	const uint64_t table = real(entry) & ~(PAGE_SLOTS << 3 | 7);

	__asm__ volatile("ipte %0, %1" : : "a"(table), "a"(va) : "memory");
}

/*
 * INVALIDATE DAT TABLE ENTRY: the table and its type, and the address whose index selects the first entry, with the
 * number of further ones in its last 11 bits.
 */
static void idte(uint64_t *entry, uint64_t type, cop_va va, unsigned more)
{
	const uint64_t table = (real(entry) & ~(TABLE_SLOTS << 3 | 7)) | type;

	__asm__ volatile("idte %0, 0, %1" : : "a"(table), "a"((va & ~0xfffffULL) | more) : "memory");
}

void cop_entries_break(uint64_t *entry, unsigned n, uint64_t invalid_bit, const struct cop_tlbi *t)
{
	if (!(invalid_bit & PAGE_I)) {
		idte(entry, invalid_bit & TABLE_TT, t->start, n - 1);
		return;
	}
	for (unsigned i = 0; i < n; i++)
		ipte(entry + i, t->start + ((uint64_t)i << PAGE_SHIFT));
}

static bool is_invalid(uint64_t entry, bool page)
{
	return entry & (page ? PAGE_I : TABLE_I);
}

/*
 * Towards an invalid entry the instruction for that, which spares other translations. Nobody else changes this entry in
 * between.
 */
uint64_t cop_entry_xchg(uint64_t *entry, uint64_t new_, const struct cop_tlbi *t)
{
	const bool page = t->level == 0;
	uint64_t old = cop_load(entry, relaxed), seen;

	if (is_invalid(new_, page)) {
		cop_entries_break(entry, 1, page ? PAGE_I : TABLE_I | (old & TABLE_TT), t);
		cop_store(entry, new_, release);
		return old;
	}
	for (; (seen = cspg(entry, old, new_)) != old; old = seen)
		;
	return old;
}

/* For what no instruction that changed an entry has done. */
void cop_tlbi(const struct cop_tlbi *t)
{
	uint64_t word = 0;

	if (t->scope & COP_TLBI_LOCAL)
		__asm__ volatile("ptlb" ::: "memory");
	else
		cspg(&word, 0, 0);
}

/* ---- translation on ---- */

static uint64_t current; /* ASCE of all CPUs */

uint64_t s390x_asce(const struct cop_geom *geom, cop_pa root)
{
	return root | (uint64_t)(geom->levels - 2) << 2 | 3; /* all of the table */
}

static cop_pa take(void *ctx, unsigned lg2)
{
	const cop_pa at = COP_ALIGN_UP(bare_image_end, COP_LG2(lg2));

	(void)ctx;
	bare_image_end = at + COP_LG2(lg2);
	return at;
}

static void keep(void *ctx, cop_pa pa, unsigned lg2)
{
	(void)ctx;
	(void)pa;
	(void)lg2;
}

/* Tables that owe nothing to a format: all memory at its own address and at BARE_PHYS, nothing protected. Real addresses. */
void s390x_mmu_boot(void)
{
	const cop_pa root = take(NULL, 14), segments = take(NULL, 14);

	for (unsigned i = 0; i <= TABLE_SLOTS; i++) {
		((uint64_t *)root)[i] = TABLE_I | 1 << 2;
		((uint64_t *)segments)[i] = TABLE_I;
	}
	for (cop_pa pa = 0; pa < bare_ram_end; pa += COP_LG2(20)) {
		const cop_pa page_table = take(NULL, 11);

		for (unsigned i = 0; i <= PAGE_SLOTS; i++)
			((uint64_t *)page_table)[i] = pa + i * COP_LG2(PAGE_SHIFT);
		((uint64_t *)segments)[pa >> 20] = page_table;
	}
	((uint64_t *)root)[0] = ((uint64_t *)root)[BARE_PHYS >> 31] = segments | 1 << 2 | 3;
	bare_image_end = COP_ALIGN_UP(bare_image_end, COP_LG2(PAGE_SHIFT));
	current = root | 1 << 2 | 3;
	s390x_mmu_recall();
}

void s390x_mmu_recall(void)
{
	s390x_set_primary(current);
	s390x_purge();
	s390x_translate();
}

#ifndef BARE_VA_BITS
#define BARE_VA_BITS 42
#endif

int bare_life_geom(struct cop_geom *geom)
{
	const int err = cop_geom_init(geom, COP_S390X, 12, BARE_VA_BITS);

	if (!s390x_facility(FACILITY_EDAT1))
		geom->features &= ~(uint32_t)COP_F_EDAT1;
	if (!s390x_facility(FACILITY_EDAT2))
		geom->features &= ~(uint32_t)COP_F_EDAT2;
	if (!s390x_facility(FACILITY_IEP))
		geom->features &= ~(uint32_t)COP_F_IEP;
	return err;
}

int bare_kernel_geom(struct cop_geom *geom)
{
	return bare_life_geom(geom);
}

static int map_machine(struct cop_tree *tree)
{
	const cop_pa text = (uintptr_t)s390x_text, data = (uintptr_t)s390x_text_end;
	int err = cop_map(tree, 0, 0, text, COP_KERNEL_RW, 0, 0);

	if (!err)
		err = cop_map(tree, text, text, data - text, COP_KERNEL_RX, 0, 0);
	if (!err)
		err = cop_map(tree, data, data, bare_ram_end - data, COP_KERNEL_RW, 0, 0);
	return err ? err : cop_map(tree, BARE_PHYS, 0, bare_ram_end, COP_KERNEL_RW, 0, 0);
}

static void use(const struct cop_tree *tree)
{
	current = s390x_asce(&tree->geom, tree->root);
	s390x_mmu_recall();
}

int bare_mmu_on(struct cop_tree *tree, const struct cop_geom *geom)
{
	const struct cop_table_source source = {take, keep, NULL};
	int err = cop_tree_init(tree, geom, &source, 0, COP_TREE_KERNEL);

	if (!err)
		err = map_machine(tree);
	if (err)
		return err;
	bare_image_end = COP_ALIGN_UP(bare_image_end, COP_LG2(PAGE_SHIFT));
	if (geom->features & COP_F_IEP)
		s390x_set_cr0(s390x_cr0() | S390X_CR0_IEP);
	use(tree);
	return 0;
}

/* What is around va in one tree, at the highest level where the other has nothing. */
static void share(const struct cop_tree *tree, cop_va va)
{
	const struct cop_format *format = tree->ops->format;
	cop_pa from = current & ~0xfffULL, to = tree->root;

	for (unsigned l = tree->geom.levels - 1U; l; l--) {
		const uint64_t slot = va >> format->shift(l) & TABLE_SLOTS;
		const uint64_t link = cop_load((uint64_t *)cop_phys(from) + slot, relaxed);
		uint64_t *entry = (uint64_t *)cop_phys(to) + slot;
		const uint64_t seen = cop_cas(entry, format->empty(l), link, release);

		if (seen == format->empty(l) || seen == link)
			return;
		from = format->table_pa(&tree->geom, link, l);
		to = format->table_pa(&tree->geom, seen, l);
	}
	cop_panic("the program's addresses are taken", cop_virt(va));
}

/* One root translates everything: image and memory come along, where the tree's own addresses are not. */
void bare_tree_use(const struct cop_tree *tree)
{
	for (cop_va va = 0; va < (uintptr_t)s390x_image_end; va += COP_LG2(20))
		share(tree, va);
	share(tree, BARE_PHYS);
	use(tree);
}
