/* SPDX-License-Identifier: MIT */
#include "internal.h"

struct cop_mem_account cop_mem_account(struct cop_mem *mem)
{
	struct cop_mem_account out = {
		.present = cop_load(&mem->present, relaxed),
		.holes = mem->holes,
		.reserved = cop_load(&mem->reserved, relaxed),
		.tables = cop_load(&mem->table_bytes, relaxed),
		.tables_linked = cop_tree_table_bytes(mem->tree),
		.memmap_early = mem->early.memmap_bytes,
		.memmap_altmap = cop_load(&mem->altmap, relaxed) << mem->page_lg2,
		.constructed = cop_load(&mem->tree->constructed, relaxed),
	};
	uint64_t managed = 0, found = 0;

	for (unsigned use = 0; use < COP_USES; use++) {
		out.used[use] = cop_load(&mem->used[use], relaxed);
		found += out.used[use];
	}
	out.memmap_buddy = out.used[COP_USE_MEMMAP] << mem->page_lg2;
	for (unsigned id = 0; id < COP_ZONES; id++) {
		struct cop_zone *zone = &mem->zone[id];
		uintptr_t irq = cop_lock_irq(&zone->lock);

		out.managed[id] = cop_read(&zone->managed);
		out.free[id] = cop_read(&zone->free);
		out.withheld[id] = cop_read(&zone->withheld);
		cop_unlock_irq(&zone->lock, irq);
		managed += out.managed[id];
		found += out.free[id] + out.withheld[id];
	}
	out.offline = out.present - out.holes - out.reserved - managed - (out.memmap_altmap >> mem->page_lg2);
	out.leaked = (int64_t)(managed - found);
	return out;
}

struct findings {
	struct cop_mem_fault *faults;
	unsigned max, count;
};

static void report(struct findings *found, bool bad, const char *rule, cop_pfn pfn)
{
	if (!bad)
		return;
	if (found->count < found->max)
		found->faults[found->count] = (struct cop_mem_fault){rule, pfn};
	found->count++;
}

static void check_free_block(struct cop_mem *mem, struct findings *found, unsigned id, cop_pfn pfn, unsigned order)
{
	const struct cop_section *section = cop_pfn_section(mem, pfn);
	struct cop_page *page = cop_page(mem, pfn);

	report(found, !(cop_load(&page->flags, relaxed) & COP_PG_BUDDY), "free-list-not-free", pfn);
	report(found, cop_read(&page->order) != order, "free-list-order", pfn);
	report(found, !COP_IS_ALIGNED(pfn, COP_LG2(order)), "free-list-alignment", pfn);
	report(found, cop_load(&page->refcount, relaxed) != 0, "free-list-refcount", pfn);
	report(found, section->zone != id, "free-list-zone", pfn);
	report(found, section->isolated, "free-list-isolated", pfn);
}

static void check_area(struct cop_mem *mem, struct findings *found, unsigned id, unsigned order)
{
	struct cop_free_area *area = &mem->zone[id].area[order];
	cop_pfn prev = COP_PFN_NONE, pfn = cop_read(&area->first);
	uint64_t blocks = 0;

	for (; pfn != COP_PFN_NONE && blocks <= cop_read(&area->blocks); blocks++) {
		if (!cop_pfn_valid(mem, pfn)) {
			report(found, true, "free-list-absent", pfn);
			return;
		}
		check_free_block(mem, found, id, pfn, order);
		report(found, cop_read(&cop_page(mem, pfn)->prev) != prev, "free-list-link", pfn);
		prev = pfn;
		pfn = cop_read(&cop_page(mem, pfn)->next);
	}
	report(found, blocks != cop_read(&area->blocks), "free-list-count", prev);
}

/* Frames by state, of one section. */
struct tally {
	uint64_t free, allocated, reserved;
};

static struct tally check_blocks(struct cop_mem *mem, struct findings *found, struct cop_section *section)
{
	cop_pfn pfn = cop_section_usable(mem, section);
	cop_pfn end = cop_section_pfn(mem, section) + cop_section_frames(mem);
	struct tally tally = {0};

	while (pfn < end) {
		struct cop_page *page = cop_page(mem, pfn);
		uint64_t flags = cop_load(&page->flags, relaxed);
		unsigned order = flags & (COP_PG_BUDDY | COP_PG_ALLOCATED) ? cop_read(&page->order) : 0;

		if (flags & COP_PG_BUDDY)
			tally.free += COP_LG2(order);
		else if (flags & COP_PG_ALLOCATED)
			tally.allocated += COP_LG2(order);
		else if (flags & COP_PG_RESERVED)
			tally.reserved++;
		else
			report(found, true, "frame-in-no-block", pfn);
		report(found, (flags & COP_PG_ALLOCATED) && !cop_load(&page->refcount, relaxed), "allocated-refcount",
		       pfn);
		pfn += COP_LG2(order);
	}
	return tally;
}

static struct tally check_section(struct cop_mem *mem, struct findings *found, struct cop_section *section)
{
	cop_pfn pfn = cop_section_pfn(mem, section);
	uint32_t state = cop_load(&section->state, acquire);
	struct tally tally = {0};

	if (state != COP_BLOCK_ONLINE) {
		report(found, state != COP_BLOCK_ABSENT && state != COP_BLOCK_OFFLINE, "section-in-transit", pfn);
		report(found, cop_read(&section->managed) != 0, "section-managed", pfn);
		report(found, section->isolated, "section-isolated", pfn);
		return tally;
	}
	tally = check_blocks(mem, found, section);
	report(found, cop_read(&section->managed) != tally.free + tally.allocated, "section-managed", pfn);
	return tally;
}

unsigned cop_mem_check(struct cop_mem *mem, struct cop_mem_fault *faults, unsigned max)
{
	struct findings found = {faults, max, 0};
	struct cop_mem_account account = cop_mem_account(mem);
	struct tally zones[COP_ZONES] = {{0}};

	for (unsigned id = 0; id < COP_ZONES; id++)
		for (unsigned order = 0; order < COP_ORDERS; order++)
			check_area(mem, &found, id, order);
	for (uint64_t i = 0; i < mem->section_count; i++) {
		struct tally tally = check_section(mem, &found, &mem->sections[i]);
		struct tally *zone = &zones[mem->sections[i].zone];

		zone->free += tally.free;
		zone->allocated += tally.allocated;
	}
	for (unsigned id = 0; id < COP_ZONES; id++) {
		report(&found, zones[id].free != account.free[id] + account.withheld[id], "zone-free", COP_PFN_NONE);
		report(&found, zones[id].free + zones[id].allocated != account.managed[id], "zone-managed",
		       COP_PFN_NONE);
	}
	report(&found, account.leaked != 0, "frames-leaked", COP_PFN_NONE);
	return found.count;
}
