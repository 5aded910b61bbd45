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

/* INVALIDATE PAGE TABLE ENTRY: the table, and the address whose page index selects the entry. */
static void ipte(uint64_t *entry, cop_va va)
{
	const uint64_t table = (uintptr_t)entry & ~(PAGE_SLOTS << 3 | 7);

	__asm__ volatile("ipte %0, %1" : : "a"(table), "a"(va) : "memory");
}

/*
 * INVALIDATE DAT TABLE ENTRY: the table and its type, and the address whose index selects the first entry, with the
 * number of further ones in its last 11 bits.
 */
static void idte(uint64_t *entry, uint64_t type, cop_va va, unsigned more)
{
	const uint64_t table = ((uintptr_t)entry & ~(TABLE_SLOTS << 3 | 7)) | type;

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

/* ---- the machine at its own addresses ---- */

static uint64_t current; /* ASCE for the other CPUs; 0: they do not translate either */

uint64_t s390x_asce(const struct cop_geom *geom, cop_pa root)
{
	return root | (uint64_t)(geom->levels - 2) << 2 | 3; /* all of the table */
}

static cop_pa identity_alloc(void *ctx, unsigned lg2)
{
	const cop_pa at = COP_ALIGN_UP(bare_image_end, COP_LG2(lg2));

	(void)ctx;
	bare_image_end = at + COP_LG2(lg2);
	return at;
}

static void identity_free(void *ctx, cop_pa pa, unsigned lg2)
{
	(void)ctx;
	(void)pa;
	(void)lg2;
}

int bare_life_geom(struct cop_geom *geom)
{
	const int err = cop_geom_init(geom, COP_S390X, 12, 0);

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

static int map_identity(struct cop_tree *tree)
{
	const cop_pa text = (uintptr_t)s390x_text, data = (uintptr_t)s390x_text_end;
	int err = cop_map(tree, 0, 0, text, COP_KERNEL_RW, 0, 0);

	if (!err)
		err = cop_map(tree, text, text, data - text, COP_KERNEL_RX, 0, 0);
	return err ? err : cop_map(tree, data, data, bare_ram_end - data, COP_KERNEL_RW, 0, 0);
}

static void use(const struct cop_tree *tree)
{
	current = s390x_asce(&tree->geom, tree->root);
	s390x_mmu_recall();
}

void s390x_mmu_recall(void)
{
	if (!current)
		return;
	if (s390x_facility(FACILITY_IEP))
		s390x_set_cr0(s390x_cr0() | S390X_CR0_IEP);
	s390x_set_primary(current);
	s390x_purge();
	s390x_translate();
}

int bare_mmu_on(struct cop_tree *tree, const struct cop_geom *geom)
{
	const struct cop_table_source source = {identity_alloc, identity_free, NULL};
	int err = cop_tree_init(tree, geom, &source, 0, COP_TREE_KERNEL);

	if (!err)
		err = map_identity(tree);
	if (!err)
		use(tree);
	return err;
}

/*
 * The kernel's linear map begins at 0: it maps the machine at its own addresses, image included. It lets nothing run, but
 * the image must. A tree that does not map the image gets the first slot of the one that does.
 */
void bare_tree_use(const struct cop_tree *tree)
{
	const cop_va text = (uintptr_t)s390x_text;
	struct cop_gather gather;

	if (cop_translate_pa(tree, text) == COP_PA_NONE) {
		const uint64_t *from = cop_phys(current & ~0xfffULL);

		cop_store((uint64_t *)cop_phys(tree->root), *from, release);
	} else {
		cop_gather_begin(&gather, (struct cop_tree *)tree);
		if (cop_protect(&gather, text, (uintptr_t)s390x_text_end - text, COP_KERNEL_RX))
			cop_panic("the program cannot be mapped", s390x_text);
		(void)cop_gather_finish(&gather);
	}
	use(tree);
}
