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

/* ---- which tables ---- */

uint64_t s390x_asce(const struct cop_geom *geom, cop_pa root)
{
	return root | (uint64_t)(geom->levels - 2) << 2 | 3; /* of full length */
}

void bare_tree_use(const struct cop_tree *tree)
{
	s390x_set_asce(s390x_asce(&tree->geom, tree->root));
	s390x_translate();
}
