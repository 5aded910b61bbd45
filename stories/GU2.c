/* SPDX-License-Identifier: MIT */
/*
 * GU2: GUP-fast against memory removal: not only the folio but its struct page goes. A page is got, of memory that is taken
 * offline and removed, or of a device whose driver takes it away; or a lookup under RCU, with interrupts on, asks for the
 * struct page.
 *
 * The thread: "how is that synchronised against memory hotplug? AFAICT if it isn't couldn't the pages be freed and memory
 * removed? [...] the metadata structure could have been freed"; "section_deactivate() will also clear SECTION_HAS_MEM_MAP
 * which would trigger VM_BUG_ON(!pfn_valid(pte_pfn(pte))) in gup_pte_range()"; "I think I need to add a rcu_synchronize()
 * call to pageunmap_range() right after calling mem_hotplug_begin(). I could just add it to mem_hotplug_begin() but
 * offline_pages() calls that too early (before pages have been isolated)" (gup-fast-vs-hotplug-2022-10).
 */
#include "stories/gup.h"

#define BOOT   3
#define MEMORY 3
#define DEVICE 4
#define ALL    5

struct cop_world {
	struct cop_stage_memory m;
	struct cop_spaces spaces;
	struct cop_space space;
	cop_va va; /* of the memory's page; the device's follows */
	cop_pfn memory, device;
	bool memory_gone, device_gone;
};
static struct cop_world world;

static uint64_t pa_bytes(const struct cop_geom *geom)
{
	return cop_stage_memory_bytes(geom, ALL + 1);
}

static void setup(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;

	/* A run's entries may be cleared in any order of many: here the order of two pages is what matters. */
	m->no_runs = true;
	cop_stage_boot(m, BOOT, ALL, 0);
	cop_stage_account(m);
	COP_ASSERT(!cop_mem_add(&m->mem, cop_stage_section(m, MEMORY), m->section, 0));
	COP_ASSERT(!cop_mem_online(&m->mem, cop_stage_section(m, MEMORY), m->section, COP_ZONE_MOVABLE));
	COP_ASSERT(!cop_mem_add(&m->mem, cop_stage_section(m, DEVICE), m->section, COP_ADD_DEVICE));
	COP_ASSERT(!cop_device_frames_begin(&m->mem, cop_stage_section(m, DEVICE), m->section));
	cop_spaces_init(&w->spaces, &m->mem);
	cop_stage_user_on(&w->spaces, &w->space, 1);
	w->va = cop_stage_user_va();
	w->memory = cop_frames_alloc(&m->mem, 0, COP_ALLOC_MOVABLE);
	w->device = cop_stage_section(m, DEVICE) >> m->mem.page_lg2;
	COP_USER_MAP(&w->space, w->va, w->memory, 1, COP_USER_RW);
	COP_USER_MAP(&w->space, w->va + COP_LG2(m->mem.page_lg2), w->device, 1, COP_USER_RW);
}

static void gup(cop_world *w, bool device)
{
	const cop_va va = w->va + (device ? COP_LG2(w->m.mem.page_lg2) : 0);
	cop_pfn page;
	const struct cop_pages got = cop_gup_fast(&w->space, va, 1, COP_GUP_WRITE | COP_GUP_FAST_ONLY, &page);

	COP_ASSERT(got.count >= 0);
	COP_WRONG_PAGE(got.count > 0 && page != (device ? w->device : w->memory));
	cop_pages_put(&w->m.mem, &page, (uint64_t)got.count);
}

/* Interrupts are on: an interrupt to this CPU says nothing about it. */
static void look(cop_world *w)
{
	const struct cop_mem *mem = &w->m.mem;

	cop_rcu_read_lock();
	if (cop_pfn_valid(mem, w->device))
		(void)cop_load(&cop_page(mem, w->device)->flags, relaxed);
	cop_rcu_read_unlock();
}

static void walk(cop_world *w)
{
	const unsigned how = COP_CHOOSE(3);

	if (how < 2)
		gup(w, how);
	else
		look(w);
}

/* Either may find that somebody has a reference for a moment. */
static void remove_memory(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;
	const cop_pa pa = cop_stage_section(m, MEMORY);

	COP_USER_UNMAP(&w->space, w->va, 1);
	cop_frames_free(&m->mem, w->memory);
	if (cop_mem_offline(&m->mem, pa, m->section))
		return;
	COP_ASSERT(!cop_mem_remove(&m->mem, pa, m->section));
	w->memory_gone = true;
}

static void remove_device(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;
	const cop_pa pa = cop_stage_section(m, DEVICE);

	COP_USER_UNMAP(&w->space, w->va + COP_LG2(m->mem.page_lg2), 1);
	if (cop_device_frames_end(&m->mem, pa, m->section))
		return;
	COP_ASSERT(!cop_mem_remove(&m->mem, pa, m->section));
	w->device_gone = true;
}

static void change(cop_world *w)
{
	if (COP_CHOOSE(2))
		remove_device(w);
	else
		remove_memory(w);
}

static void rest_of_memory(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;
	const cop_pa pa = cop_stage_section(m, MEMORY);

	if (cop_translate_pa(&w->space.tree, w->va) != COP_PA_NONE) {
		COP_USER_UNMAP(&w->space, w->va, 1);
		cop_frames_free(&m->mem, w->memory);
	}
	COP_ASSERT(!cop_mem_offline(&m->mem, pa, m->section));
	COP_ASSERT(!cop_mem_remove(&m->mem, pa, m->section));
}

static void rest_of_device(cop_world *w)
{
	struct cop_stage_memory *m = &w->m;
	const cop_pa pa = cop_stage_section(m, DEVICE);
	const cop_va va = w->va + COP_LG2(m->mem.page_lg2);

	if (cop_translate_pa(&w->space.tree, va) != COP_PA_NONE)
		COP_USER_UNMAP(&w->space, va, 1);
	COP_ASSERT(!cop_device_frames_end(&m->mem, pa, m->section));
	COP_ASSERT(!cop_mem_remove(&m->mem, pa, m->section));
}

static void check(cop_world *w)
{
	if (!w->memory_gone)
		rest_of_memory(w);
	if (!w->device_gone)
		rest_of_device(w);
	cop_stage_user_off(&w->space);
	COP_CHECK_ACCOUNT(&w->m);
}

static const struct cop_actor three[] = {{.name = "walk", .run = walk},
					 {.name = "remove", .cpu = 1, .run = change},
					 {.name = "look", .cpu = 2, .run = look},
					 {.name = NULL}};

COP_STORY(.id = "GU2", .title = "GUP-fast against removal of memory and of a device's: the struct page goes too",
	  /* A section of larger pages is of hundreds of them. */
	  .origin = "gup-fast-vs-hotplug-2022-10.txt", .formats = COP_ON_ALL & ~(COP_ON_ARM64_16K | COP_ON_ARM64_64K),
	  .features = COP_F_INVLPGB, .pa_bytes = pa_bytes, .world = &world, .world_bytes = sizeof(world),
	  .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "walk", .run = walk},
					       {.name = "remove", .cpu = 1, .run = change},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  {.name = "3-cpus", .outcome = COP_EXHAUSTED, .formats = COP_ON_X86_64, .actors = three},
		  {.name = "3-cpus",
		   .outcome = COP_EXHAUSTED,
		   .formats = COP_ON_ARM64_4K | COP_ON_RISCV64 | COP_ON_S390X,
		   .actors = three,
		   .bound = 5000},
		  /* The devices' way does not wait for walkers. */
		  {.name = "device-no-grace", .outcome = COP_FAILS, .rule = "struct-page-unmapped"},
		  /* The grace period is over before the sections are gone. */
		  {.name = "grace-too-early", .outcome = COP_FAILS, .rule = "struct-page-unmapped"},
		  /* Every CPU is interrupted instead: whoever walks with interrupts on is not waited for. */
		  {.name = "grace-by-interrupt", .outcome = COP_FAILS, .rule = "struct-page-unmapped"},
		  /* The walk is sure that what is mapped has a struct page. */
		  {.name = "asserts-pfn-valid", .outcome = COP_FAILS, .rule = "pfn-not-valid"},
		  {.name = NULL},
	  });
