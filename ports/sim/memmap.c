/* SPDX-License-Identifier: MIT */
/*
 * The memmap, as the machine sees it: writes to struct pages say which frames the library's allocator has handed out, and
 * which references are taken.
 */
#include "ports/sim/sim.h"

#include <coppice/memory.h>

void sim_memmap(cop_va vmemmap, cop_va start, cop_va last, unsigned page_lg2)
{
	sim.memmap.vmemmap = vmemmap;
	sim.memmap.start = start;
	sim.memmap.last = last;
	sim.memmap.page_lg2 = page_lg2;
}

bool sim_is_memmap(cop_va va)
{
	return sim.memmap.last && va >= sim.memmap.start && va <= sim.memmap.last;
}

static uint64_t field(cop_va page, size_t offset, unsigned size)
{
	struct sim_reached to[SIM_MAX_REACHED];

	/* It has just been written to: it is mapped, and nothing below has changed that. */
	if (sim_translate(NULL, page + offset, false, to, NULL) != 1 || to[0].pa >= sim.config.pa_bytes)
		return 0;
	return sim_peek(sim_phys(to[0].pa), size);
}

static void check_reference(cop_pfn pfn, cop_va page, uint64_t old, uint64_t v, enum sim_op op)
{
	uint64_t flags = field(page, offsetof(struct cop_page, flags), 8);
	const bool puts = (uint32_t)(v - old) >> 31;

	/* The allocator stores; everybody else counts. */
	if (op != SIM_OP_CAS && op != SIM_OP_ADD)
		return;
	if (puts && v > old)
		sim_report("refcount-underflow", "frame %#llx: a reference is put that nobody holds",
			   (unsigned long long)pfn);
	else if (!puts && v > old && (!old || !(flags & (COP_PG_ALLOCATED | COP_PG_RESERVED | COP_PG_DEVICE))))
		sim_report("reference-to-free-frame", "frame %#llx: a reference is taken, and it is free (flags %#llx)",
			   (unsigned long long)pfn, (unsigned long long)flags);
}

static const char *use_of(uint64_t flags)
{
	if (flags & COP_PG_TABLE)
		return "page of tables";
	return flags & COP_PG_MEMMAP ? "memmap" : "frame";
}

static void flags_written(cop_pfn pfn, cop_va page, uint64_t old, uint64_t v, struct sim_at at)
{
	cop_pa pa = pfn << sim.memmap.page_lg2;
	uint64_t bytes = COP_LG2(sim.memmap.page_lg2 + field(page, offsetof(struct cop_page, order), 1));

	if (pa + bytes > sim.config.pa_bytes)
		return;
	if ((v & COP_PG_ALLOCATED) && !(old & COP_PG_ALLOCATED))
		sim_frame_given(pa, bytes, SIM_DATA, use_of(v), at);
	else if ((v & COP_PG_BUDDY) || (!(v & COP_PG_ALLOCATED) && (old & COP_PG_TABLE)))
		/* Looked at before: when it was freed, or its tables one by one. */
		sim_frame_is_free(pa, bytes, at);
	else if ((old & COP_PG_ALLOCATED) && !(v & COP_PG_ALLOCATED))
		sim_frame_taken(pa, bytes, at);
}

/* Tables smaller than a page become free, and in use again, one by one: in the mask of the page's first frame. */
static void fragments_written(cop_pfn pfn, cop_va page, uint64_t old, uint64_t v, struct sim_at at)
{
	const cop_pa pa = pfn << sim.memmap.page_lg2;
	const unsigned lg2 = sim.config.frame_lg2;
	uint64_t bytes, changed = (old ^ v) & (COP_LG2(COP_FRAGMENTS_MAX) - 1);

	if (!changed || !(field(page, offsetof(struct cop_page, flags), 8) & COP_PG_TABLE))
		return;
	bytes = COP_LG2(sim.memmap.page_lg2 + field(page, offsetof(struct cop_page, order), 1));
	for (uint64_t i = 0; i < bytes >> lg2; i++) {
		if (!(changed >> i & 1))
			continue;
		if (v >> i & 1)
			sim_frame_taken(pa + (i << lg2), COP_LG2(lg2), at);
		else
			sim_frame_given(pa + (i << lg2), COP_LG2(lg2), SIM_TABLE, "table", at);
	}
}

void sim_memmap_written(cop_va va, uint64_t old, uint64_t v, unsigned size, enum sim_op op, struct sim_at at)
{
	uint64_t offset = va - sim.memmap.vmemmap;
	cop_pfn pfn = offset >> COP_PAGE_STRUCT_LG2;
	cop_va page = va & ~(COP_LG2(COP_PAGE_STRUCT_LG2) - 1);

	if (!sim_is_memmap(va))
		return;
	sim.cpu[sim.current].at = at;
	switch (va - page) {
	case offsetof(struct cop_page, refcount):
		if (size == 4)
			check_reference(pfn, page, old, v, op);
		return;
	case offsetof(struct cop_page, flags):
		if (op != SIM_OP_FILL)
			flags_written(pfn, page, old, v, at);
		return;
	case offsetof(struct cop_page, private_):
		fragments_written(pfn, page, old, v, at);
		return;
	default:
		return;
	}
}
