/* SPDX-License-Identifier: MIT */
/* Events in words: places by what they are part of, entries decoded. */
#include "checker/run.h"
#include "checker/trace.h"

#include <coppice/memory.h>
#include <coppice/tables.h>

#include <string.h>

static const char *const op_name[] = {
	[SIM_OP_START] = "start",
	[SIM_OP_LOAD] = "load",
	[SIM_OP_STORE] = "store",
	[SIM_OP_XCHG] = "xchg",
	[SIM_OP_CAS] = "cas",
	[SIM_OP_ADD] = "add",
	[SIM_OP_AWAIT] = "await",
	[SIM_OP_READ] = "read",
	[SIM_OP_WRITE] = "write",
	[SIM_OP_FILL] = "fill",
	[SIM_OP_PUBLISH] = "publish",
	[SIM_OP_TLBI] = "tlbi",
	[SIM_OP_SYNC] = "sync",
	[SIM_OP_LOCK] = "lock",
	[SIM_OP_UNLOCK] = "unlock",
	[SIM_OP_RCU_READ] = "read section begins",
	[SIM_OP_RCU_UNREAD] = "read section ends",
	[SIM_OP_RCU_DEFER] = "defer",
	[SIM_OP_RCU_SYNC] = "grace period over",
	[SIM_OP_RCU_CALL] = "callback after its grace period",
	[SIM_OP_ALLOC] = "alloc",
	[SIM_OP_FREE] = "free",
	[SIM_OP_PROBE] = "load through",
	[SIM_OP_GONE] = "claim that nobody reaches",
	[SIM_OP_IRQ_OFF] = "interrupts off",
	[SIM_OP_IRQ_ON] = "interrupts on",
	[SIM_OP_IRQ] = "interrupt",
	[SIM_OP_IRQ_END] = "interrupt ends",
	[SIM_OP_IPI] = "ipi to CPU",
	[SIM_OP_STOP] = "machine stopped",
	[SIM_OP_CHOOSE] = "choose",
	[SIM_OP_FENCE] = "fence",
	[SIM_OP_DRAIN] = "made",
	[SIM_OP_BUFFER] = "to the store buffer",
	[SIM_OP_REPORT] = "***",
};

const char *trace_op(const struct sim_event *e)
{
	return op_name[e->op] ? op_name[e->op] : "?";
}

const char *trace_base_name(const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	return slash ? slash + 1 : file ? file : "-";
}

static void attributes(char *out, size_t room, uint32_t attrs)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} more[] = {{COP_USER, " user"},
		    {COP_SPECIAL, " special"},
		    {COP_PROTNONE, " protnone"},
		    {COP_CONT, " contiguous"},
		    {COP_DEVMAP, " devmap"}};
	size_t n =
		(size_t)snprintf(out, room, "%c%c%c%s%s", attrs & COP_READ ? 'r' : '-', attrs & COP_WRITE ? 'w' : '-',
				 attrs & COP_EXEC ? 'x' : '-', attrs & COP_YOUNG ? "" : " old",
				 (attrs & COP_WRITE) && !(attrs & COP_DIRTY) ? " clean" : "");

	for (size_t i = 0; i < sizeof(more) / sizeof(*more) && n < room; i++) {
		if (attrs & more[i].bit)
			n += (size_t)snprintf(out + n, room - n, "%s", more[i].name);
	}
}

void trace_entry(char *out, size_t room, const struct sim_tree *tree, unsigned level, uint64_t entry)
{
	const struct cop_format *f = tree->format;
	char text[64];

	switch (f->kind(&tree->geom, entry, level)) {
	case COP_TABLE:
		snprintf(out, room, "table %#llx", (unsigned long long)f->table_pa(&tree->geom, entry, level));
		return;
	case COP_LEAF:
		attributes(text, sizeof(text), f->attrs(&tree->geom, entry, level));
		snprintf(out, room, "leaf %#llx %s", (unsigned long long)f->leaf_pa(&tree->geom, entry, level), text);
		return;
	case COP_EMPTY:
		snprintf(out, room, "empty");
		return;
	case COP_MARKER:
		snprintf(out, room, "marker");
		return;
	case COP_SWAP:
		snprintf(out, room, "swap %#llx", (unsigned long long)entry);
		return;
	default:
		snprintf(out, room, "reserved %#llx", (unsigned long long)entry);
	}
}

/* Members by offset, for structures that simulated code shares. */
struct member {
	size_t offset;
	const char *name;
};

static const struct member desc_members[] = {
	{offsetof(struct cop_ptdesc, state), "count"},
	{offsetof(struct cop_ptdesc, rcu), "rcu head"},
	{offsetof(struct cop_ptdesc, next), "next"},
	{offsetof(struct cop_ptdesc, source), "source"},
	{offsetof(struct cop_ptdesc, pa), "address"},
	{offsetof(struct cop_ptdesc, parent), "parent"},
	{offsetof(struct cop_ptdesc, slot), "slot"},
	{offsetof(struct cop_ptdesc, lock), "lock"},
	{sizeof(struct cop_ptdesc), NULL},
};

static const struct member page_members[] = {
	{offsetof(struct cop_page, flags), "flags"},       {offsetof(struct cop_page, refcount), "refcount"},
	{offsetof(struct cop_page, mapcount), "mapcount"}, {offsetof(struct cop_page, next), "next"},
	{offsetof(struct cop_page, prev), "prev"},         {offsetof(struct cop_page, mapping), "mapping"},
	{offsetof(struct cop_page, index), "index"},       {offsetof(struct cop_page, private_), "private"},
	{offsetof(struct cop_page, pincount), "pincount"}, {offsetof(struct cop_page, tail_lg2), "tail lg2"},
	{offsetof(struct cop_page, order), "order"},       {sizeof(struct cop_page), NULL},
};

/* The last one that does not begin after the offset. */
static const char *member_at(const struct member *m, uint64_t offset)
{
	const char *name = m->name;

	for (; m->name && m->offset <= offset; m++)
		name = m->name;
	return name;
}

static void name_virtual(char *out, size_t room, cop_va va)
{
	if (sim_is_memmap(va)) {
		const uint64_t offset = va - sim.memmap.vmemmap;

		snprintf(out, room, "struct page of %#llx, %s",
			 (unsigned long long)(offset >> COP_PAGE_STRUCT_LG2) << sim.memmap.page_lg2,
			 member_at(page_members, offset & (COP_LG2(COP_PAGE_STRUCT_LG2) - 1)));
		return;
	}
	snprintf(out, room, "%#llx", (unsigned long long)va);
}

static void name_physical(char *out, size_t room, const struct sim_event *e, cop_pa pa)
{
	const struct sim_frame *f = &sim.frame[pa >> sim.config.frame_lg2];

	if (e->tree != SIM_NO_TREE) {
		const struct sim_tree *t = &sim.tree[e->tree];

		snprintf(out, room, "%s[%llu]", t->format->level_name(&t->geom, e->level),
			 (unsigned long long)(pa - e->base) / 8);
		return;
	}
	snprintf(out, room, "%s %#llx", e->owner ? e->owner : f->owner ? f->owner : "frame", (unsigned long long)pa);
}

static void name_place(char *out, size_t room, const struct sim_event *e)
{
	const struct sim_place place = sim_place_of(e->where);
	const struct checker_program *const program = run_program();
	const char *const world = program->world;
	const char *const p = e->where;

	switch (place.space) {
	case SIM_PHYS:
		name_physical(out, room, e, place.address);
		return;
	case SIM_DESC:
		snprintf(out, room, "%s of table %#llx", member_at(desc_members, place.address % 64),
			 (unsigned long long)place.address / 64 << sim.config.frame_lg2);
		return;
	case SIM_VIRT:
		name_virtual(out, room, place.address);
		return;
	default:
		if (p >= world && p < world + program->world_bytes)
			snprintf(out, room, "world+%#zx", (size_t)(p - world));
		else
			snprintf(out, room, "a variable");
	}
}

static void name_value(char *out, size_t room, const struct sim_event *e, uint64_t v)
{
	if (e->tree != SIM_NO_TREE && e->op != SIM_OP_ALLOC && e->op != SIM_OP_FREE)
		trace_entry(out, room, &sim.tree[e->tree], e->level, v);
	else if (v >> 40 && sim_place_of((const void *)(uintptr_t)v).space == SIM_DESC)
		snprintf(out, room, "table %#llx",
			 (unsigned long long)sim_place_of((const void *)(uintptr_t)v).address / 64
				 << sim.config.frame_lg2);
	else
		snprintf(out, room, "%#llx", (unsigned long long)v);
}

static void describe_change(char *out, size_t room, const struct sim_event *e, const char *where)
{
	char old[96], v[96];

	name_value(old, sizeof(old), e, e->old);
	name_value(v, sizeof(v), e, e->value);
	if (e->op == SIM_OP_CAS && e->old == e->value)
		snprintf(out, room, "cas %s fails: it is %s", where, old);
	else
		snprintf(out, room, "%s%s %s: %s -> %s", e->by_drain ? "made: " : "", trace_op(e), where, old, v);
}

/* What a sync waits for: the invalidations of its CPU since the last one. */
static void describe_sync(char *out, size_t room, const struct sim_event *e)
{
	size_t n = (size_t)snprintf(out, room, "sync");
	unsigned count = 0;

	for (const struct sim_event *i = e; i-- > sim.event && n < room;) {
		if (i->cpu == e->cpu && i->op == SIM_OP_SYNC)
			break;
		if (i->cpu != e->cpu || i->op != SIM_OP_TLBI)
			continue;
		if (!count++)
			n += (size_t)snprintf(out + n, room - n, ": every CPU has dropped %#llx",
					      (unsigned long long)i->old);
	}
	if (count > 1 && n < room)
		snprintf(out + n, room - n, " and %u more", count - 1);
	if (!count && n < room)
		snprintf(out + n, room - n, ": nothing was issued");
}

static void describe_tlbi(char *out, size_t room, const struct sim_event *e)
{
	const bool all = !e->old && e->value == ~0ULL;

	if (all)
		snprintf(out, room, "tlbi everything");
	else
		snprintf(out, room, "tlbi %#llx-%#llx", (unsigned long long)e->old, (unsigned long long)e->value);
	snprintf(out + strlen(out), room - strlen(out), "%s%s", e->pa & COP_TLBI_TABLES ? ", tables too" : "",
		 e->pa & COP_TLBI_LOCAL ? ", this CPU only" : "");
}

void trace_describe(char *out, size_t room, const struct sim_event *e)
{
	char where[96] = "", v[96];

	if (e->where)
		name_place(where, sizeof(where), e);
	switch (e->op) {
	case SIM_OP_LOAD:
	case SIM_OP_READ:
	case SIM_OP_AWAIT:
		name_value(v, sizeof(v), e, e->value);
		snprintf(out, room, "%s %s: %s", trace_op(e), where, v);
		return;
	case SIM_OP_STORE:
	case SIM_OP_WRITE:
	case SIM_OP_XCHG:
	case SIM_OP_CAS:
	case SIM_OP_ADD:
		describe_change(out, room, e, where);
		return;
	case SIM_OP_BUFFER:
		name_value(v, sizeof(v), e, e->value);
		snprintf(out, room, "buffers %s: %s", where, v);
		return;
	case SIM_OP_TLBI:
		describe_tlbi(out, room, e);
		return;
	case SIM_OP_SYNC:
		describe_sync(out, room, e);
		return;
	case SIM_OP_PROBE:
		if (e->pa == COP_PA_NONE)
			snprintf(out, room, "load through %s: fault", where);
		else
			snprintf(out, room, "load through %s reaches %#llx%s", where, (unsigned long long)e->pa,
				 e->old ? ", by a translation that the tables no longer show" : "");
		return;
	case SIM_OP_ALLOC:
	case SIM_OP_FREE:
		snprintf(out, room, "%s %s %#llx, %llu KB", trace_op(e), e->owner ? e->owner : "frame",
			 (unsigned long long)sim_place_of(e->where).address, (unsigned long long)e->value >> 10);
		return;
	case SIM_OP_GONE:
		snprintf(out, room, "%s %s, %llu KB", trace_op(e), where, (unsigned long long)e->value >> 10);
		return;
	case SIM_OP_IPI:
		snprintf(out, room, "%s %llu", trace_op(e), (unsigned long long)e->value);
		return;
	case SIM_OP_REPORT:
		snprintf(out, room, "*** %s", sim.report.rule);
		return;
	default:
		snprintf(out, room, "%s%s%s", trace_op(e), where[0] ? " " : "", where);
	}
}
