/* SPDX-License-Identifier: MIT */
/* What it takes to change a live riscv64 entry; part of riscv64.h and included by nothing else. */
#ifndef COPPICE_FORMATS_RISCV64_CHANGE_H
#define COPPICE_FORMATS_RISCV64_CHANGE_H

/* "Svadu": hardware sets A at an access and D at a write, in valid leaves only; without it software does. */
static inline bool fmt_racy(const struct cop_geom *g, uint64_t e, unsigned l)
{
	if (!(g->features & COP_F_ADUE) || !riscv_valid(e) || fmt_is_table(e, l))
		return false;
	return !(e & RISCV_A) || (e & (RISCV_W | RISCV_D)) == RISCV_W;
}

/* "Virtual Address Translation Process", steps 7 and 9: without Svadu a clear A, or D at a write, is a page fault. */
static inline struct cop_access fmt_access(const struct cop_geom *g, uint64_t e, unsigned l, bool write)
{
	const uint64_t wants = RISCV_A | (write ? RISCV_D : 0);

	if (!riscv_valid(e) || fmt_kind(g, e, l) != COP_LEAF || !(e & (write ? RISCV_W : RISCV_R)))
		return (struct cop_access){true, e};
	if ((e & wants) != wants && !(g->features & COP_F_ADUE))
		return (struct cop_access){true, e};
	return (struct cop_access){false, e | wants};
}

/*
 * "Supervisor Memory-Management Fence Instruction": until the fence hardware uses the old entry or the new, even when they
 * differ in size, and that is all that can happen. The memory type is different: accesses of two types to one location
 * lose coherence ("Svpbmt"), so there must be a time when neither entry can be used.
 */
static inline enum cop_change fmt_change(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	if (fmt_kind(g, new_, l) == COP_BAD)
		return COP_CHANGE_FORBIDDEN;
	if (!riscv_valid(old) || !riscv_valid(new_) || fmt_is_table(old, l) || fmt_is_table(new_, l))
		return COP_CHANGE_DIRECT;
	return (old ^ new_) & RISCV_PBMT ? COP_CHANGE_BREAK : COP_CHANGE_DIRECT;
}

/*
 * From invalid to valid. "Svvptc" promises that hardware sees that soon, so that a fault in between is spurious; nobody
 * retries the kernel's. What is behind a new table is judged by its leaves.
 */
static inline enum cop_covers riscv_covers_new(const struct cop_geom *g, uint64_t new_, unsigned l)
{
	if ((g->features & COP_F_SVVPTC) && (fmt_is_table(new_, l) || (new_ & RISCV_U)))
		return COP_COVERS_NONE;
	return fmt_is_table(new_, l) ? COP_COVERS_TABLES : COP_COVERS_LEAF;
}

/*
 * Of two valid leaves. Relaxing is not harmless, for kernel or user: hardware may keep what faulted, and Svvptc is about V
 * only. A stale A leaves the page old though it was used, which is harmless; a stale D loses a write. Hardware that sets A
 * and D looks at the entry itself before it does; where software sets them, a stale clear bit faults again and again.
 */
static inline enum cop_covers riscv_covers_leaves(const struct cop_geom *g, uint64_t old, uint64_t new_)
{
	uint64_t diff = (old ^ new_) & ~RISCV_RSW;

	if (old & RISCV_A)
		diff &= ~RISCV_A;
	if (g->features & COP_F_ADUE)
		diff &= ~(new_ & (RISCV_A | RISCV_D));
	return diff ? COP_COVERS_LEAF : COP_COVERS_NONE;
}

static inline enum cop_covers fmt_covers(const struct cop_geom *g, uint64_t old, uint64_t new_, unsigned l)
{
	if (old == new_ || (!riscv_valid(old) && !riscv_valid(new_)))
		return COP_COVERS_NONE;
	if (!riscv_valid(old))
		return riscv_covers_new(g, new_, l);
	if (fmt_is_table(old, l))
		return (old ^ new_) & ~RISCV_RSW ? COP_COVERS_TABLES : COP_COVERS_NONE;
	/* With A clear and software to set it, all a stale copy does is fault, as the new entry does. */
	if (!riscv_valid(new_))
		return (old & RISCV_A) || (g->features & COP_F_ADUE) ? COP_COVERS_LEAF : COP_COVERS_NONE;
	return fmt_is_table(new_, l) ? COP_COVERS_LEAF : riscv_covers_leaves(g, old, new_);
}

#endif
