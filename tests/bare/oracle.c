/* SPDX-License-Identifier: MIT */
/*
 * Differential oracle: random paths through the tables, walked by the format's functions and by the machine.
 *
 * A round makes one path for one address: tables down to some level, and there an entry of any kind: encoded from random
 * attributes, changed by the algebra, with bits flipped, random, swapped out, a marker. Then every access is tried.
 */
#include "tests/bare/oracle.h"

#ifndef BARE_PROBES
#define BARE_PROBES 200000
#endif
#ifndef BARE_SEED
#define BARE_SEED 1
#endif

#define FIELDS   40
#define LISTS    24
#define FAILURES 3
#define AT_LEAST 1000   /* probes of either kind for each field, */
#define ENOUGH   200000 /* if there are that many */

struct counts {
	const struct cop_field *list;
	unsigned fields;
	unsigned translates[FIELDS], faults[FIELDS];
};

static struct {
	const struct cop_geom *geom;
	const struct cop_format *format;
	cop_pa root;
	uint64_t seed, probes;
	uint64_t free_link[COP_MAX_LEVELS],
		free_leaf[COP_MAX_LEVELS]; /* bits that change nothing of the kind and address */
	struct counts counts[LISTS];
	unsigned lists, failures;
} o;

static uint64_t pages[COP_MAX_LEVELS][65536 / 8] __attribute__((aligned(65536)));

static uint64_t random64(void)
{
	return bare_random(&o.seed);
}

static uint32_t below(uint32_t n)
{
	return bare_below(&o.seed, n);
}

/* Every bit one time in 2^n. */
static uint64_t sparse(unsigned n)
{
	uint64_t bits = random64();

	while (--n)
		bits &= random64();
	return bits;
}

static bool one_in(uint32_t n)
{
	return below(n) == 0;
}

/* ---- what the format says ---- */

struct verdict {
	struct bare_outcome out;
	uint64_t path[COP_MAX_LEVELS]; /* entries, by level */
	unsigned level;                /* of the one that decided */
};

static uint64_t *slot_of(cop_pa table, cop_va va, unsigned l)
{
	const uint64_t slots = COP_LG2(o.format->index_bits(o.geom, l));

	return (uint64_t *)cop_phys(table) + (va >> o.format->shift(l) & (slots - 1));
}

static void fault(struct verdict *v, unsigned kind, unsigned level)
{
	v->out = (struct bare_outcome){.fault = (uint8_t)kind, .level = (uint8_t)level, .pa = COP_PA_NONE};
}

static void judge_leaf(struct verdict *v, uint64_t e, cop_va va, unsigned l, uint32_t denied, unsigned access)
{
	const uint32_t attrs = o.format->attrs(o.geom, e, l);
	const uint64_t inside = (va & (COP_LG2(o.format->shift(l)) - 1));
	uint8_t why = bare_leaf_fault(o.geom, e, l, attrs, denied, access);
	cop_pa pa = o.format->leaf_pa(o.geom, e, l) + inside;
	const uint8_t address = bare_address_fault(o.geom, o.format->leaf_pa(o.geom, e, l), false);

	/* On riscv64 the whole run has one encoding: what lies within the run comes from the address. */
	if (attrs & COP_CONT) {
		const uint64_t run = COP_LG2(o.format->shift(l) + o.format->cont_lg2(o.geom, l)) - 1;

		if (o.geom->arch == COP_RISCV64)
			pa = (o.format->leaf_pa(o.geom, e, l) & ~run) | (va & run);
	}
	/* An entry that is not valid has no address. */
	if (address && why != BARE_TRANSLATION)
		why = address;
	if (why) {
		fault(v, why, l);
		return;
	}
	v->out = (struct bare_outcome){
		.fault = BARE_OK, .level = (uint8_t)l, .pa = pa, .value = bare_leaf_tells(o.geom, e, l, attrs)};
}

/* Nothing else may be walked for a table: hardware that sets accessed flags would write there. */
static bool ours(cop_pa table)
{
	return (table >= (uintptr_t)pages && table < (uintptr_t)(pages + COP_MAX_LEVELS)) ||
	       (table >= bare_target_start && table < bare_target_end);
}

/* Where the walk goes on; COP_PA_NONE: it has ended. */
static cop_pa judge_entry(struct verdict *v, cop_va va, unsigned l, uint32_t *denied, unsigned access)
{
	uint64_t e = v->path[l];
	enum cop_kind kind = o.format->kind(o.geom, e, l);
	uint8_t why = BARE_TRANSLATION;

	if (kind == COP_BAD) {
		why = bare_reserved(o.geom, &e, l, va);
		if (why == BARE_OK)
			kind = o.format->kind(o.geom, e, l);
	}
	if (kind == COP_LEAF) {
		judge_leaf(v, e, va, l, *denied, access);
		return COP_PA_NONE;
	}
	if (kind == COP_TABLE) {
		const cop_pa next = o.format->table_pa(o.geom, e, l);

		*denied |= bare_table_denies(o.geom, e, l);
		why = bare_table_fault(o.geom, e, l);
		if (!why)
			why = bare_address_fault(o.geom, next, true);
		if (!why && !ours(next))
			why = BARE_OTHER;
		if (!why)
			return next;
		fault(v, why, why == BARE_EXTERNAL ? l - 1 : l);
		v->out.pa = next;
		return COP_PA_NONE;
	}
	fault(v, why, l);
	return COP_PA_NONE;
}

static struct verdict judge(cop_va va, unsigned access)
{
	struct verdict v = {.level = o.geom->levels};
	cop_pa table = o.root;
	uint32_t denied = 0;

	while (table != COP_PA_NONE) {
		v.level--;
		v.path[v.level] = cop_load(slot_of(table, va, v.level), relaxed);
		table = judge_entry(&v, va, v.level, &denied, access);
	}
	return v;
}

/* ---- paths ---- */

static uint32_t random_attrs(unsigned l)
{
	static const uint32_t types[] = {COP_MT_NORMAL, COP_MT_NORMAL, COP_MT_WT,       COP_MT_NC,
					 COP_MT_DEVICE, COP_MT_TAGGED, COP_MT_DEVICE_RE};

	for (unsigned tries = 0; tries < 64; tries++) {
		const uint64_t r = random64();
		uint32_t attrs = (uint32_t)r & 0xfff & ~(uint32_t)(COP_PROTNONE | COP_CONT);

		attrs |= (r >> 12 & 7 ? COP_READ | COP_YOUNG : 0) | (r >> 16 & 7 ? 0 : COP_PROTNONE);
		if ((attrs & COP_PROTNONE) && (r >> 32 & 1))
			attrs &= ~(uint32_t)COP_READ;
		attrs |= (r >> 20 & 3 ? 0 : COP_CONT) | (r >> 24 & 3 ? 0 : COP_KEXEC) | (r >> 28 & 3 ? 0 : COP_DEVMAP);
		attrs |= types[bare_below(&o.seed, sizeof(types) / sizeof(types[0]))];
		if (!o.format->check_attrs(o.geom, attrs, l))
			return attrs;
	}
	return COP_KERNEL_RW;
}

static uint64_t algebra(uint64_t e, unsigned l)
{
	const struct bare_algebra *a = &bare_algebra;

	switch (below(13)) {
	case 0:
		return a->mkyoung(e, l);
	case 1:
		return a->mkold(e, l);
	case 2:
		return a->mkdirty(e, l);
	case 3:
		return a->mkclean(e, l);
	case 4:
		return a->mkwrite(e, l);
	case 5:
		return a->wrprotect(e, l);
	case 6:
		return a->mkspecial(e, l);
	case 7:
		return a->mksoft_dirty(e, l);
	case 8:
		return a->clear_soft_dirty(e, l);
	case 9:
		return a->mkprotnone(e, l);
	case 10:
		return a->mkinvalid(e, l);
	case 11:
		return a->mknoncont(e, l);
	default:
		return o.format->cont_lg2(o.geom, l) ? a->mkcont(e, l) : e;
	}
}

static uint64_t swapped(unsigned l)
{
	const struct bare_algebra *a = &bare_algebra;
	const unsigned type = below(1U << a->swap_type_bits);
	const uint64_t offset = random64() & (COP_LG2(a->swap_offset_bits) - 1);
	uint64_t e = a->swap(type, offset, l);

	if (one_in(2))
		e = a->swap_mkexclusive(e, l);
	if (one_in(2))
		e = a->swap_mksoft_dirty(e, l);
	return e;
}

/* Any output address; of a size such that most leaves do not reach beyond the machine's width. */
static cop_pa random_pa(void)
{
	return random64() & (COP_LG2(o.geom->pa_bits) - 1);
}

/* @pa: of the byte that is asked for. */
static uint64_t leaf_for(cop_pa pa, unsigned l, uint32_t attrs)
{
	return o.format->leaf(o.geom, COP_ALIGN_DOWN(pa, COP_LG2(o.format->shift(l))), l, attrs);
}

static uint64_t random_entry(cop_pa pa, unsigned l)
{
	uint64_t e = o.format->can_leaf(o.geom, l) ? leaf_for(pa, l, random_attrs(l))
						   : o.format->table(o.geom, COP_ALIGN_DOWN(pa, 1 << 16), l);
	const uint32_t how = below(32);

	if (how < 8)
		return e;
	if (how < 14)
		return e ^ (sparse(2) & o.free_leaf[l]);
	if (how < 17)
		return algebra(one_in(2) ? algebra(e, l) : e, l);
	if (how < 23)
		return e ^ COP_LG2(below(64)) ^ (one_in(2) ? COP_LG2(below(64)) : 0);
	if (how < 26)
		return e ^ (sparse(4));
	if (how < 28)
		return one_in(4) ? random64()
				 : e ^ (random64() &
					~((COP_LG2(o.geom->pa_bits) - 1) & ~(COP_LG2(o.geom->page_lg2) - 1)));
	if (how < 30)
		return swapped(l);
	if (how < 31 && l)
		return bare_algebra.marker(o.geom, COP_ALIGN_DOWN(random_pa(), 1 << 16), l);
	return one_in(2) ? o.format->empty(l) : o.format->table(o.geom, COP_ALIGN_DOWN(random_pa(), 1 << 16), l);
}

/* An entry that leads to the next table, with what a table entry may have beside; now and then with more than that. */
static uint64_t random_link(cop_pa next, unsigned l)
{
	const uint64_t e = o.format->table(o.geom, next, l);
	const uint32_t how = below(32);

	if (how == 0)
		return e ^ COP_LG2(below(64));
	return how < 16 ? e ^ (sparse(2) & o.free_link[l]) : e;
}

static cop_va canonical(cop_va va)
{
	const struct cop_geom *g = o.geom;

	if (g->va_bits == 64)
		return va;
	va &= COP_LG2(g->va_bits) - 1;
	if (g->half == COP_HALF_HIGH || (g->half == COP_HALF_BOTH && va >> (g->va_bits - 1)))
		va |= ~0ULL << g->va_bits;
	return va;
}

static cop_va make_path(void)
{
	const unsigned top = o.geom->levels - 1U, at = below(o.geom->levels);
	cop_va va = canonical(random64() & ~7ULL);
	cop_pa pa = random_pa() & ~7ULL;

	if (!one_in(6)) {
		const uint64_t inside = COP_LG2(o.format->shift(at)) - 1;

		/* Where something is; and the address must lead there. */
		pa = bare_target_start + (random64() % (bare_target_end - bare_target_start) & ~7ULL);
		va = (va & ~inside) | (pa & inside);
	}
	for (unsigned l = top; l > at; l--)
		*slot_of((uintptr_t)pages[l], va, l) = random_link((uintptr_t)pages[l - 1], l);
	*slot_of((uintptr_t)pages[at], va, at) = random_entry(pa, at);
	return va;
}

/* ---- counting ---- */

/* A format has one list of fields for each kind of entry: counts go beside it, and are added up by name at the end. */
static struct counts *counts_of(const struct cop_field *list, unsigned count)
{
	for (unsigned i = 0; i < o.lists; i++)
		if (o.counts[i].list == list)
			return &o.counts[i];
	if (o.lists == LISTS || count > FIELDS)
		cop_panic("more fields than the oracle has room for", list);
	o.counts[o.lists] = (struct counts){.list = list, .fields = count};
	return &o.counts[o.lists++];
}

static void count_fields(uint64_t e, unsigned l, unsigned translates, unsigned faults)
{
	unsigned count = 0;
	const struct cop_field *fields = o.format->fields(o.geom, e, l, &count);
	struct counts *c;

	/* Empty or reserved as a whole. */
	if (count == 1)
		return;
	c = counts_of(fields, count);
	for (unsigned i = 0; i < count; i++) {
		if (!(fields[i].width == 64 ? e : e >> fields[i].shift & (COP_LG2(fields[i].width) - 1)))
			continue;
		c->translates[i] += translates;
		c->faults[i] += faults;
	}
}

struct total {
	const char *name;
	unsigned translates, faults;
};

static unsigned add_up(struct total *totals, unsigned max)
{
	unsigned n = 0, at;

	for (unsigned i = 0; i < o.lists; i++) {
		const struct counts *c = &o.counts[i];

		for (unsigned f = 0; f < c->fields; f++) {
			for (at = 0; at < n && __builtin_strcmp(totals[at].name, c->list[f].name) != 0; at++)
				;
			if (at == n && n < max)
				totals[n++] = (struct total){.name = c->list[f].name};
			totals[at].translates += c->translates[f];
			totals[at].faults += c->faults[f];
		}
	}
	return n;
}

/* ---- rounds ---- */

static const char *const access_names[] = {"read",        "write",        "fetch",        "?",
					   "user's read", "user's write", "user's fetch", "?"};
static const char *const fault_names[] = {"goes through", "translation",  "access flag", "permission",
					  "address size", "reserved bit", "external",    "other"};

static void print_outcome(const char *who, const struct bare_outcome *out)
{
	bare_printf("#   %s: %s", who, fault_names[out->fault]);
	if (out->level != BARE_LEVEL_UNKNOWN)
		bare_printf(", level %u", out->level);
	if (out->fault == BARE_OK)
		bare_printf(", pa %lx, tells %lx", (unsigned long)out->pa, (unsigned long)out->value);
	bare_printf("\n");
}

static bool differ(cop_va va, unsigned access)
{
	const struct verdict v = judge(va, access);
	struct bare_outcome seen;

	if (!bare_may_probe(&v.out, va, access))
		return false;
	seen = bare_probe(va, access);
	return !bare_agree(&v.out, &seen);
}

/* Clear every bit that is not needed for the two to differ. */
static void shrink(cop_va va, unsigned access)
{
	for (unsigned l = o.geom->levels; l-- > 0;) {
		uint64_t *slot = slot_of((uintptr_t)pages[l], va, l);

		for (unsigned bit = 64; bit-- > 0;) {
			const uint64_t was = *slot;

			if (!(was & COP_LG2(bit)))
				continue;
			*slot = was & ~COP_LG2(bit);
			if (!differ(va, access))
				*slot = was;
		}
	}
}

static void report(const char *geometry, uint64_t seed, cop_va va, unsigned access)
{
	struct verdict v;
	struct bare_outcome seen;

	if (differ(va, access))
		shrink(va, access);
	v = judge(va, access);
	seen = bare_probe(va, access);
	bare_printf("# %s, seed %016lx: %s at %016lx\n", geometry, (unsigned long)seed, access_names[access],
		    (unsigned long)va);
	print_outcome("format ", &v.out);
	print_outcome("machine", &seen);
	bare_print_walk(o.geom, o.root, va);
}

/*
 * The machine marks what it lets through where the format has these marks, and changes nothing else. It may mark as accessed
 * what it has only looked at.
 */
static bool marked_as_said(const struct verdict *v, cop_va va, unsigned access)
{
	const uint64_t was = v->path[v->level], is = *slot_of((uintptr_t)pages[v->level], va, v->level);
	const uint32_t sets = bare_sets(o.geom, access), attrs = o.format->attrs(o.geom, is, v->level);
	uint32_t least = o.format->attrs(o.geom, was, v->level);

	/* QEMU 7.2 marks some reserved entries before it refuses them. */
	if (o.format->kind(o.geom, was, v->level) == COP_BAD)
		return true;
	if (is == was)
		return v->out.fault != BARE_OK || (least & sets) == sets;
	if (v->out.fault == BARE_OK)
		least |= sets;
	return (attrs == least || attrs == (least | (sets & COP_YOUNG))) &&
	       o.format->leaf_pa(o.geom, is, v->level) == o.format->leaf_pa(o.geom, was, v->level);
}

static bool found_in_pages(const struct verdict *v)
{
	for (unsigned l = o.geom->levels - 1U; l > v->level; l--)
		if (o.format->kind(o.geom, v->path[l], l) != COP_TABLE ||
		    o.format->table_pa(o.geom, v->path[l], l) != (uintptr_t)pages[l - 1])
			return false;
	return true;
}

/*
 * Address and attributes are all there is to a leaf, but for the bits that the format says they do not determine: written
 * anew from them it is read and run as before. (Stores may
 * differ where hardware and software both keep dirty state, and so may the kernel's fetches from what the user writes.)
 */
static bool same_when_rewritten(const char *geometry, uint64_t seed, cop_va va, unsigned l)
{
	uint64_t *slot = slot_of((uintptr_t)pages[l], va, l), e = *slot;
	const uint64_t other =
		o.format->leaf(o.geom, o.format->leaf_pa(o.geom, e, l), l, o.format->attrs(o.geom, e, l));
	const uint64_t rest = bare_algebra.rest_mask(o.geom, e, l), bit = rest & COP_LG2(below(64)), flipped = e ^ bit;
	bool ok = !((e ^ other) & ~rest);

	/*
	 * One bit of the rest is another way to say the same; but some types of memory have several names, and dirty may be said
	 * by either of two bits (x86-64).
	 */
	if (o.format->kind(o.geom, flipped, l) == COP_LEAF &&
	    ((o.format->attrs(o.geom, flipped, l) ^ o.format->attrs(o.geom, e, l)) &
	     ~(uint32_t)(COP_MT_MASK | COP_DIRTY)))
		ok = false;

	for (unsigned i = 0; ok && i < bare_access_count; i++) {
		const unsigned access = bare_accesses[i].access;
		const struct verdict v = judge(va, access);
		struct bare_outcome was, is;

		if ((access & BARE_ACCESS_MASK) == BARE_WRITE || access == BARE_FETCH ||
		    !bare_may_probe(&v.out, va, access))
			continue;
		was = bare_probe(va, access);
		e = *slot;
		*slot = other;
		is = bare_probe(va, access);
		*slot = e;
		o.probes += 2;
		ok = was.fault == is.fault && was.pa == is.pa;
	}
	if (!ok) {
		bare_printf("# %s, seed %016lx: rewritten it is another: %016lx and %016lx\n", geometry,
			    (unsigned long)seed, (unsigned long)e, (unsigned long)other);
		bare_print_entry(o.geom, e, l);
		bare_print_entry(o.geom, other, l);
	}
	return ok;
}

/* Return: false if format and machine do not agree. */
static bool one_round(const char *geometry, uint64_t round)
{
	const uint64_t seed = o.seed;
	const cop_va va = make_path();
	unsigned translates = 0, faults = 0;
	struct verdict v = {.level = 0};

	for (unsigned i = 0; i < bare_access_count; i++) {
		const unsigned access = bare_accesses[i].access;
		struct bare_outcome seen;

		if (round % bare_accesses[i].every)
			continue;
		v = judge(va, access);
		if (!bare_may_probe(&v.out, va, access))
			continue;
		seen = bare_probe(va, access);
		if (!bare_agree(&v.out, &seen)) {
			report(geometry, seed, va, access);
			return false;
		}
		if (found_in_pages(&v) && !marked_as_said(&v, va, access)) {
			bare_printf("# %s, seed %016lx: %s marks another bit\n", geometry, (unsigned long)seed,
				    access_names[access]);
			bare_print_entry(o.geom, v.path[v.level], v.level);
			bare_print_walk(o.geom, o.root, va);
			return false;
		}
		o.probes++;
		translates += seen.fault == BARE_OK;
		faults += seen.fault != BARE_OK;
	}
	if (round % 16 == 0 && translates && found_in_pages(&v) &&
	    o.format->kind(o.geom, v.path[v.level], v.level) == COP_LEAF &&
	    !same_when_rewritten(geometry, seed, va, v.level))
		return false;
	for (unsigned l = v.level; l < o.geom->levels; l++)
		count_fields(v.path[l], l, translates, faults);
	return true;
}

/* A field that can be seen in both kinds of probes has been, often enough. */
static bool fields_suffice(const char *geometry)
{
	static struct total totals[LISTS * FIELDS];
	const unsigned n = add_up(totals, LISTS * FIELDS);
	bool ok = true;

	bare_printf("# fields %s (translating/faulting):", geometry);
	for (unsigned i = 0; i < n; i++) {
		const struct total *t = &totals[i];
		/* What must be 0, is, or the entry is of another kind. */
		const bool none = !t->translates && !t->faults;
		const bool few = (t->translates && t->translates < AT_LEAST) || t->faults < AT_LEAST;

		if (none)
			continue;
		bare_printf(" %s%s %u/%u;", few ? "FEW: " : "", t->name, t->translates, t->faults);
		ok &= !few;
	}
	bare_printf("\n");
	return ok;
}

/* Bit by bit: what may be beside an address without the entry becoming something else. */
static uint64_t free_bits(uint64_t e, unsigned l, enum cop_kind kind)
{
	uint64_t mask = 0;

	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t other = e ^ COP_LG2(bit);

		if (o.format->kind(o.geom, other, l) != kind)
			continue;
		if (kind == COP_TABLE ? o.format->table_pa(o.geom, other, l) == o.format->table_pa(o.geom, e, l)
				      : o.format->leaf_pa(o.geom, other, l) == o.format->leaf_pa(o.geom, e, l))
			mask |= COP_LG2(bit);
	}
	return mask;
}

static void find_free_bits(void)
{
	for (unsigned l = 0; l < o.geom->levels; l++) {
		o.free_link[l] = l ? free_bits(o.format->table(o.geom, o.root, l), l, COP_TABLE) : 0;
		o.free_leaf[l] = 0;
		/* Without a bit that says otherwise, everything can be executed. */
		if (o.format->can_leaf(o.geom, l))
			o.free_leaf[l] = free_bits(leaf_for(0, l, COP_KERNEL_RW | COP_EXEC), l, COP_LEAF);
	}
}

static void run_geometry(const struct bare_geometry *g)
{
	const uint64_t began = bare_clock_ns();
	const uint64_t want = g->probes && g->probes < BARE_PROBES ? g->probes : BARE_PROBES;

	o.geom = &g->geom;
	o.format = cop_format_for(g->geom.arch, g->geom.page_lg2);
	o.root = (uintptr_t)pages[g->geom.levels - 1];
	o.seed = BARE_SEED * 0x100000001b3ULL + (uint64_t)(g - bare_geometries);
	o.probes = 0;
	o.lists = 0;
	o.failures = 0;
	for (unsigned l = 0; l < COP_MAX_LEVELS; l++)
		for (unsigned i = 0; i < 65536 / 8; i++)
			pages[l][i] = o.format->empty(l);
	find_free_bits();
	bare_oracle_use(o.geom, o.root);
	/* Most rounds are several probes; a machine that hardly lets any be tried must not keep this for ever. */
	for (uint64_t round = 0; o.probes < want && round < 2 * want && o.failures < FAILURES; round++)
		o.failures += !one_round(g->name, round);
	bare_oracle_done();
	bare_row(g->name, o.probes, 0, bare_clock_ns() - began);
	bare_result(!o.failures && o.probes >= want, "%s: %lu probes agree", g->name, (unsigned long)o.probes);
	bare_result(want < ENOUGH || fields_suffice(g->name), "%s: every field in %u probes of either kind", g->name,
		    AT_LEAST);
}

__attribute__((weak)) bool bare_has(const struct cop_geom *geom)
{
	(void)geom;
	return true;
}

void bare_main(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < bare_geometry_count; i++)
		n += bare_has(&bare_geometries[i].geom);
	bare_plan(2 * n);
	for (unsigned i = 0; i < bare_geometry_count; i++) {
		if (!bare_has(&bare_geometries[i].geom))
			continue;
		run_geometry(&bare_geometries[i]);
#ifdef BARE_ONE_FAILURE_DOES
		if (o.failures)
			return;
#endif
	}
}
