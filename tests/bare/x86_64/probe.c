/* SPDX-License-Identifier: MIT */
/*
 * x86-64 as judge: loads, stores and fetches at CPL 0 and CPL 3, and the page faults they end in (SDM 3A 4.6, 4.7).
 *
 * A fault tells the cause and not the level. Where an access went is told by the memory: each 16 bytes of the target are
 * code that loads their own number and traps. The kernel's own code hangs in the first slot of the root, so that the
 * oracle's root is copied to one that has it, and addresses below that slot are left alone.
 */
#include "ports/bare/x86_64/machine.h"
#include "tests/bare/oracle.h"

#ifndef X86_LEVELS
#define X86_LEVELS 4
#endif
#ifndef X86_PA_BITS
#define X86_PA_BITS 40
#endif
#ifdef X86_NO_1G
#define X86_1G 0
#else
#define X86_1G COP_F_1G
#endif

#define STRING_OF(x) #x
#define STRING(x)    STRING_OF(x)
#ifdef X86_NO_1G
#define X86_NAME STRING(X86_LEVELS) " levels, PA " STRING(X86_PA_BITS) ", no 1G"
#else
#define X86_NAME STRING(X86_LEVELS) " levels, PA " STRING(X86_PA_BITS)
#endif
#define X86_G(name_, features_, probes_)                                                                               \
	{                                                                                                              \
		name_, {COP_X86_64, COP_HALF_BOTH, 12, X86_LEVELS, 12 + 9 * X86_LEVELS, X86_PA_BITS, features_},       \
			probes_                                                                                        \
	}

const struct bare_geometry bare_geometries[] = {
	X86_G(X86_NAME, COP_F_NX | X86_1G | COP_F_PGE, 0),
	X86_G(X86_NAME ", no NX", X86_1G | COP_F_PGE, 0),
};
const unsigned bare_geometry_count = sizeof(bare_geometries) / sizeof(bare_geometries[0]);

const struct bare_access_kind bare_accesses[] = {
	{BARE_READ, 1},
	{BARE_WRITE, 1},
	{BARE_FETCH, 1},
	{BARE_READ | BARE_USER, 1},
	{BARE_WRITE | BARE_USER, 1},
	{BARE_FETCH | BARE_USER, 1},
};
const unsigned bare_access_count = sizeof(bare_accesses) / sizeof(bare_accesses[0]);

cop_pa bare_target_start, bare_target_end;

#define TARGET_BYTES (16ULL << 20)
#define CELL         16ULL
/* mov $number, %eax; int $0x80 */
#define CODE(number) (0xb8ULL | (uint64_t)(number) << 8 | 0x80cdULL << 40)
#define IS_CODE(v)   (((v) & ~(0xffffffffULL << 8)) == CODE(0))

/* Error code (SDM 3A 4.7). */
#define ERROR_WRITE 2U
#define ERROR_USER  4U
#define ERROR_FETCH 16U

/* The manual's positions (SDM 3A tables 4-14 to 4-20), for what this machine does not act upon. */
#define RAW_P      (1ULL << 0)
#define RAW_RW     (1ULL << 1)
#define RAW_US     (1ULL << 2)
#define RAW_PWT    (1ULL << 3)
#define RAW_PCD    (1ULL << 4)
#define RAW_A      (1ULL << 5)
#define RAW_D      (1ULL << 6)
#define RAW_PS     (1ULL << 7)
#define RAW_G      (1ULL << 8)
#define RAW_PAT_4K (1ULL << 7)
#define RAW_PAT    (1ULL << 12)
#define RAW_XD     (1ULL << 63)
#define RAW_NEXT   0x000ffffffffff000ULL

#define TELLS_GLOBAL COP_LG2(32)

static struct {
	const struct cop_geom *geom;
	const struct cop_format *format;
	uint64_t *root; /* the oracle's */
	uint64_t was;   /* CR3 */
} now;
static uint64_t root[512] __attribute__((aligned(4096))); /* what the CPU has */

static unsigned slot(cop_va va, unsigned l)
{
	return va >> (12 + 9 * l) & 511;
}

static bool in_target(cop_pa pa)
{
	return pa >= bare_target_start && pa < bare_target_end;
}

static void fill_target(void)
{
	for (cop_pa pa = bare_target_start; pa < bare_target_end; pa += CELL) {
		((uint64_t *)cop_phys(pa))[0] = CODE(pa / CELL);
		((uint64_t *)cop_phys(pa))[1] = 0;
	}
}

static void expect(bool as_it_is, const char *what)
{
	if (!as_it_is)
		cop_panic(what, NULL);
}

void bare_x86_check_layout(const struct cop_geom *geom);

void bare_oracle_use(const struct cop_geom *geom, cop_pa oracle_root)
{
	const uint64_t efer = x86_rdmsr(X86_EFER) & ~X86_EFER_NXE;

	expect((x86_cpuid(0x80000008).a & 0xff) == geom->pa_bits, "another MAXPHYADDR");
	expect(!(x86_cpuid(0x80000001).d & 1U << 26) == !(geom->features & COP_F_1G), "another mind about 1 GB leaves");
	expect(!(x86_cr4() & X86_CR4_LA57) == (geom->levels == 4), "other levels");
	expect((x86_cr4() & (X86_CR4_SMEP | X86_CR4_SMAP)) == (X86_CR4_SMEP | X86_CR4_SMAP), "no SMEP or SMAP");
	expect(x86_cr0() & X86_CR0_WP, "CR0.WP is clear");
	x86_wrmsr(X86_EFER, efer | (geom->features & COP_F_NX ? X86_EFER_NXE : 0));
	bare_target_end = COP_ALIGN_DOWN(bare_ram_end, TARGET_BYTES);
	bare_target_start = bare_target_end - TARGET_BYTES;
	fill_target();
	now.geom = geom;
	now.format = cop_format_for(COP_X86_64, 12);
	now.root = cop_phys(oracle_root);
	now.was = x86_cr3();
	root[0] = *(const uint64_t *)cop_phys(now.was & RAW_NEXT);
	x86_set_cr3((uintptr_t)root);
}

void bare_oracle_done(void)
{
	x86_set_cr3(now.was);
	x86_wrmsr(X86_EFER, x86_rdmsr(X86_EFER) | X86_EFER_NXE);
	bare_x86_check_layout(now.geom);
}

/* ---- what the manual says ---- */

uint8_t bare_reserved(const struct cop_geom *geom, uint64_t *entry, unsigned level, cop_va va)
{
	(void)va;
	(void)geom;
	(void)level;
	return *entry & RAW_P ? BARE_RESERVED : BARE_TRANSLATION;
}

uint32_t bare_table_denies(const struct cop_geom *geom, uint64_t entry, unsigned level)
{
	(void)geom;
	(void)level;
	return (entry & RAW_RW ? 0U : COP_WRITE) | (entry & RAW_US ? 0U : COP_USER) | (entry & RAW_XD ? COP_EXEC : 0U);
}

uint8_t bare_table_fault(const struct cop_geom *geom, uint64_t entry, unsigned level)
{
	(void)geom;
	(void)entry;
	(void)level;
	return BARE_OK;
}

/*
 * A table where nothing is reads as zeros, which are not present. In memory only the oracle's own may be walked, because the
 * CPU writes there, and in the hole below 4 GB there are devices.
 */
uint8_t bare_address_fault(const struct cop_geom *geom, cop_pa pa, bool table)
{
	const cop_pa pages = (uintptr_t)now.root - (geom->levels - 1ULL) * 65536;

	if (!table || (pa >= pages && pa < pages + COP_MAX_LEVELS * 65536ULL))
		return BARE_OK;
	return pa >= COP_LG2(32) ? BARE_EXTERNAL : BARE_OTHER;
}

/* SDM 3A 4.6.1, with CR0.WP, CR4.SMEP and CR4.SMAP set and EFLAGS.AC clear. */
uint8_t bare_leaf_fault(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs, uint32_t denied,
			unsigned access)
{
	const bool user = (attrs & ~denied) & COP_USER;

	(void)geom;
	(void)entry;
	(void)level;
	if (attrs & COP_PROTNONE)
		return BARE_TRANSLATION;
	if (user != !!(access & BARE_USER))
		return BARE_PERMISSION;
	switch (access & BARE_ACCESS_MASK) {
	case BARE_WRITE:
		return (attrs & ~denied) & COP_WRITE ? BARE_OK : BARE_PERMISSION;
	case BARE_FETCH:
		return (attrs & ~denied) & COP_EXEC ? BARE_OK : BARE_PERMISSION;
	default:
		return attrs & COP_READ ? BARE_OK : BARE_PERMISSION;
	}
}

uint64_t bare_leaf_tells(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs)
{
	(void)geom;
	(void)entry;
	(void)level;
	return (attrs & COP_MT_MASK) | (attrs & COP_GLOBAL ? TELLS_GLOBAL : 0);
}

bool bare_may_probe(const struct bare_outcome *expected, cop_va va, unsigned access)
{
	if (slot(va, now.geom->levels - 1U) == 0 || expected->fault == BARE_OTHER)
		return false;
	if (expected->fault != BARE_OK || in_target(expected->pa))
		return true;
	return (access & BARE_ACCESS_MASK) == BARE_READ && expected->pa >= COP_LG2(32);
}

bool bare_agree(const struct bare_outcome *expected, const struct bare_outcome *seen)
{
	if (expected->fault == BARE_EXTERNAL)
		return seen->fault == BARE_TRANSLATION;
	if (expected->fault != seen->fault || expected->fault != BARE_OK)
		return expected->fault == seen->fault;
	return expected->value == seen->value && seen->pa == (in_target(expected->pa) ? expected->pa : COP_PA_NONE);
}

/* ---- what the machine does ---- */

/* The entries that the CPU walked through. */
struct path {
	uint64_t entry[COP_MAX_LEVELS];
	unsigned bottom; /* level of the last one */
};

static struct path path_of(cop_va va)
{
	const cop_pa pages = (uintptr_t)now.root - (now.geom->levels - 1ULL) * 65536;
	const uint64_t *table = root;
	struct path p = {.bottom = now.geom->levels};
	uint64_t e;

	do {
		p.bottom--;
		e = p.entry[p.bottom] = table[slot(va, p.bottom)];
		table = cop_phys(e & RAW_NEXT);
	} while (p.bottom && (e & (RAW_P | RAW_PS)) == RAW_P && (uintptr_t)table >= pages &&
		 (uintptr_t)table < pages + COP_MAX_LEVELS * 65536ULL);
	return p;
}

/* What the CPU wrote into the entries: accessed and dirty, where they belong, and the format sees it so. */
static bool marks_right(const struct path *before, const struct path *after, unsigned access, bool ok)
{
	const bool wrote = ok && (access & BARE_ACCESS_MASK) == BARE_WRITE;
	const unsigned leaf = before->bottom;
	uint32_t attrs;

	for (unsigned l = leaf; l < now.geom->levels; l++) {
		const uint64_t a = before->entry[l], b = after->entry[l];

		if ((a ^ b) & ~(RAW_A | (l == leaf && wrote ? RAW_D : 0)))
			return false;
		if ((a & ~b) || (ok && !(b & RAW_A)))
			return false;
	}
	if (!ok)
		return true;
	attrs = now.format->attrs(now.geom, before->entry[leaf], leaf) | COP_YOUNG | (wrote ? COP_DIRTY : 0U);
	return now.format->attrs(now.geom, after->entry[leaf], leaf) == attrs;
}

/* The error code says what was tried, and CR2 where. */
static bool told_right(const struct x86_probe *p, cop_va va, unsigned access)
{
	uint64_t error = access & BARE_USER ? ERROR_USER : 0;

	if ((access & BARE_ACCESS_MASK) == BARE_WRITE)
		error |= ERROR_WRITE;
	if ((access & BARE_ACCESS_MASK) == BARE_FETCH)
		error |= ERROR_FETCH;
	return p->cr2 == va && (p->error & (ERROR_WRITE | ERROR_USER | ERROR_FETCH)) == error;
}

/* IA32_PAT's types (SDM 3A table 12-10) in the library's words; the leaf's bits choose one. */
static uint64_t leaf_of_path(const struct path *p)
{
	static const uint32_t types[] = {COP_MT_DEVICE, COP_MT_NC,    0, 0, COP_MT_WT, COP_MT_WT,
					 COP_MT_NORMAL, COP_MT_DEVICE};
	const uint64_t e = p->entry[p->bottom];
	const unsigned index =
		(e & RAW_PWT ? 1U : 0U) | (e & RAW_PCD ? 2U : 0U) | (e & (p->bottom ? RAW_PAT : RAW_PAT_4K) ? 4U : 0U);

	return types[x86_rdmsr(X86_MSR_PAT) >> 8 * index & 7] | (e & RAW_G ? TELLS_GLOBAL : 0);
}

static const struct x86_probe *touch(cop_va va, unsigned access, uint64_t value)
{
	__asm__ volatile("invlpg (%0)" : : "r"(va) : "memory");
	return x86_touch(va, access, value);
}

/* Which cell answered. */
static cop_pa cell_of(cop_va va, unsigned access)
{
	const struct x86_probe *p;
	uint64_t code;

	if ((access & BARE_ACCESS_MASK) == BARE_FETCH)
		return (x86_self()->probe.value & 0xffffffff) * CELL;
	p = (access & BARE_ACCESS_MASK) == BARE_READ ? &x86_self()->probe
						     : touch(va, BARE_READ | (access & BARE_USER), 0);
	code = p->value;
	return p->vector == X86_VECTOR_CALL && IS_CODE(code) ? (code >> 8 & 0xffffffff) * CELL : COP_PA_NONE;
}

/* A store goes behind the code, and is looked for there. */
static cop_pa stored(cop_pa cell, uint64_t value)
{
	uint64_t *at = cop_phys(cell + 8);

	if (!in_target(cell) || *at != value)
		return COP_PA_NONE;
	*at = 0;
	return cell;
}

struct bare_outcome bare_probe(cop_va va, unsigned access)
{
	static uint64_t value = 1;
	const unsigned top = now.geom->levels - 1U, write = (access & BARE_ACCESS_MASK) == BARE_WRITE;
	const cop_va cell = va & ~(CELL - 1), at = cell + (write ? 8 : 0);
	struct bare_outcome out = {.fault = BARE_OTHER, .level = BARE_LEVEL_UNKNOWN, .pa = COP_PA_NONE};
	const struct x86_probe *p = &x86_self()->probe;
	struct path before, after;
	cop_pa pa;

	root[slot(va, top)] = now.root[slot(va, top)];
	before = path_of(va);
	touch(at, access, ++value);
	after = path_of(va);
	now.root[slot(va, top)] = root[slot(va, top)];
	if (p->vector == X86_VECTOR_CALL && marks_right(&before, &after, access, true)) {
		pa = cell_of(cell, access);
		if (write)
			pa = stored(pa, value);
		out.fault = BARE_OK;
		out.pa = pa == COP_PA_NONE ? pa : pa + (va & (CELL - 1));
		out.value = leaf_of_path(&before);
	} else if (p->vector == 14 && told_right(p, at, access) && marks_right(&before, &after, access, false)) {
		out.fault = x86_fault_of(p);
	}
	now.root[slot(va, top)] = root[slot(va, top)];
	root[slot(va, top)] = 0;
	return out;
}
