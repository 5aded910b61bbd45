/* SPDX-License-Identifier: MIT */
/* Invalidation on every CPU, and which tables are in use. */
#include "ports/bare/x86_64/machine.h"

/* Beyond this many pages one by one costs more than filling again; Linux's tlb_single_page_flush_ceiling. */
#define PAGES_MAX 33

#define USER_TABLE 7ULL /* present, writable, user */
#define USER_CODE  5ULL

#define CR3_ADDRESS 0x000ffffffffff000ULL
#define CR3_PCID    0xfffULL

static bool has_invpcid(void)
{
	return x86_cr4() & X86_CR4_PCIDE && x86_cpuid(7).b & 1U << 10;
}

static void invlpg(cop_va va)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
}

/* SDM 2A INVPCID: type 0 an address, 1 a PCID, 2 everything, global entries too. */
static void invpcid(uint64_t type, uint32_t pcid, cop_va va)
{
	const uint64_t descriptor[2] = {pcid, va};

	__asm__ volatile("invpcid %0, %1" : : "m"(descriptor), "r"(type) : "memory");
}

/* A change of CR4.PGE drops all entries of all PCIDs (SDM 3A 4.10.4.1). */
static void flush_everything(void)
{
	const uint64_t cr4 = x86_cr4();

	x86_set_cr4(cr4 ^ X86_CR4_PGE);
	x86_set_cr4(cr4);
}

static void flush_space(uint32_t asid)
{
	if (asid == (x86_cr3() & CR3_PCID))
		x86_set_cr3(x86_cr3());
	else if (has_invpcid())
		invpcid(1, asid, 0);
	else
		flush_everything();
}

/* INVLPG reaches global entries and this PCID's, with all of its paging-structure caches; not another PCID's. */
static void flush_range(const struct cop_tlbi *t)
{
	const bool current = t->scope & COP_TLBI_GLOBAL || t->asid == (x86_cr3() & CR3_PCID);
	const uint64_t pages = (t->last - t->start) >> t->stride_lg2;

	for (uint64_t i = 0; i <= pages; i++) {
		if (current)
			invlpg(t->start + (i << t->stride_lg2));
		else
			invpcid(0, t->asid, t->start + (i << t->stride_lg2));
	}
}

static void flush(const struct cop_tlbi *t)
{
	const bool global = t->scope & COP_TLBI_GLOBAL;
	const bool pcids = x86_cr4() & X86_CR4_PCIDE;
	const bool many = t->scope & COP_TLBI_ASID || (t->last - t->start) >> t->stride_lg2 >= PAGES_MAX;

	/* What another PCID's paging-structure caches hold of a table is beyond INVLPG. */
	if (global && (many || (pcids && t->scope & COP_TLBI_TABLES)))
		flush_everything();
	else if (many || (!global && t->asid != (x86_cr3() & CR3_PCID) && !has_invpcid()))
		flush_space(t->asid);
	else
		flush_range(t);
}

static void flush_remote(void *t)
{
	flush(t);
}

/* One request that does what both do. */
static struct cop_tlbi merged(const struct cop_tlbi *a, const struct cop_tlbi *b)
{
	struct cop_tlbi t = *a;

	if (b->start < t.start)
		t.start = b->start;
	if (b->last > t.last)
		t.last = b->last;
	if (b->stride_lg2 < t.stride_lg2)
		t.stride_lg2 = b->stride_lg2;
	t.scope |= b->scope;
	if (a->asid != b->asid)
		t.scope |= COP_TLBI_GLOBAL | COP_TLBI_ASID;
	return t;
}

void cop_tlbi(const struct cop_tlbi *t)
{
	struct x86_cpu *self = x86_self();

	flush(t);
	if (t->scope & COP_TLBI_LOCAL)
		return;
	self->pending = self->is_pending ? merged(&self->pending, t) : *t;
	self->is_pending = true;
}

/* No instruction reaches another CPU's TLB: it is interrupted and asked. */
void cop_tlb_sync(void)
{
	struct x86_cpu *self = x86_self();
	struct cop_tlbi all = self->pending;

	if (!self->is_pending)
		return;
	self->is_pending = false;
	cop_ipi(~COP_LG2(cop_cpu()), flush_remote, &all);
}

/* ---- the boot tables ---- */

void x86_map_user_code(void)
{
	static uint64_t tables[2][512] __attribute__((aligned(4096)));

	tables[1][0] = (uint64_t)(uintptr_t)x86_probe_code | USER_CODE;
	tables[0][0] = (uint64_t)(uintptr_t)tables[1] | USER_TABLE;
	x86_identity[X86_USER_VA >> 30] = (uint64_t)(uintptr_t)tables[0] | USER_TABLE;
}

/* ---- the machine at its own addresses ---- */

static uint64_t first_root; /* CR3 for the other CPUs; 0: the boot tables do */

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

static int map_identity(struct cop_tree *tree)
{
	const cop_pa text = (uintptr_t)x86_text, data = (uintptr_t)x86_text_end, code = (uintptr_t)x86_probe_code;
	int err = cop_map(tree, 0, 0, text, COP_KERNEL_RW, 0, 0);

	if (!err)
		err = cop_map(tree, text, text, data - text, COP_KERNEL_RX, 0, 0);
	if (!err)
		err = cop_map(tree, data, data, bare_ram_end - data, COP_KERNEL_RW, 0, 0);
	if (!err)
		err = cop_map(tree, X86_DEVICES, X86_DEVICES, X86_DEVICES_BYTES, COP_KERNEL_RW | COP_MT_DEVICE, 0, 0);
	if (!err)
		err = cop_map(tree, X86_USER_VA, code, COP_LG2(12), COP_READ | COP_EXEC | COP_USER | COP_YOUNG, 0, 0);
	return err;
}

/* As many levels as start.S has chosen, addresses as wide as the CPU's. */
int bare_life_geom(struct cop_geom *geom)
{
	const int err = cop_geom_init(geom, COP_X86_64, 12, x86_cr4() & X86_CR4_LA57 ? 57 : 48);

	geom->pa_bits = (uint8_t)x86_cpuid(0x80000008).a;
	if (!(x86_cpuid(0x80000001).d & 1U << 26))
		geom->features &= ~(uint32_t)COP_F_1G;
	return err;
}

int bare_kernel_geom(struct cop_geom *geom)
{
	return bare_life_geom(geom);
}

int bare_mmu_on(struct cop_tree *tree, const struct cop_geom *geom)
{
	const struct cop_table_source source = {identity_alloc, identity_free, NULL};
	int err = cop_tree_init(tree, geom, &source, 0, COP_TREE_KERNEL);

	if (!err)
		err = map_identity(tree);
	if (err)
		return err;
	first_root = tree->root;
	x86_set_cr3(first_root);
	return 0;
}

void x86_mmu_recall(void)
{
	if (first_root)
		x86_set_cr3(first_root);
}

/* One root translates everything: what the machine runs by hangs in the new one's first slot too. */
void bare_tree_use(const struct cop_tree *tree)
{
	const uint64_t *from = cop_phys(x86_cr3() & CR3_ADDRESS);
	uint64_t *to = cop_phys(tree->root);

	cop_store(&to[0], cop_load(&from[0], relaxed), release);
	first_root = tree->root | (x86_cr4() & X86_CR4_PCIDE ? tree->asid : 0);
	x86_set_cr3(first_root);
}
