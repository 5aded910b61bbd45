/* SPDX-License-Identifier: MIT */
/*
 * FK2: a write to a page that fork shares copies it, and another CPU that reads meanwhile sees the old page or the new, but
 * never the old one after the new: the entry has another address only when no CPU can use the old one.
 */
#include "stories/space.h"

struct cop_world {
	struct cop_stage_memory memory;
	struct cop_spaces spaces;
	struct cop_space parent, child;
	cop_va va;
};
static struct cop_world world;

static uint64_t pa_bytes(const struct cop_geom *geom)
{
	return cop_stage_memory_bytes(geom, 4);
}

static void setup(cop_world *w)
{
	const struct cop_geom geom = cop_stage_user_geom();
	const struct cop_table_source source = cop_stage_memory_tables(&w->memory);
	struct cop_area_spec spec = {.prot = COP_READ | COP_WRITE, .kind = COP_AREA_ANON, .flags = COP_AREA_FIXED};

	cop_stage_boot(&w->memory, 3, 4, 0);
	cop_stage_account(&w->memory);
	cop_spaces_init(&w->spaces, &w->memory.mem);
	COP_ASSERT(!cop_space_init(&w->parent, &w->spaces, &geom, &source, 1));
	cop_stage_space_attach(&w->parent);
	w->va = spec.va = cop_stage_user_va();
	spec.bytes = COP_LG2(geom.page_lg2);
	COP_ASSERT(!cop_space_map(&w->parent, &spec).err);
	COP_USER_WRITE(&w->parent, w->va, 1);
	COP_ASSERT(!cop_space_fork(&w->child, &w->parent, &source, 2));
	cop_stage_space_attach(&w->child);
	COP_ASSERT(COP_USER_READ(&w->child, w->va) == 1);
}

static void writer(cop_world *w)
{
	COP_USER_WRITE(&w->parent, w->va, 2);
}

/* In between nothing may be mapped: a fault would wait for the writer's. */
static void reader(cop_world *w)
{
	struct cop_stage_probe first = COP_USER_PROBE(&w->parent, w->va), second;

	if (first.fault || first.value != 2)
		return;
	second = COP_USER_PROBE(&w->parent, w->va);
	COP_ASSERT(!second.fault && second.value == 2);
}

static void check(cop_world *w)
{
	COP_ASSERT(COP_USER_READ(&w->parent, w->va) == 2);
	COP_ASSERT(COP_USER_READ(&w->child, w->va) == 1);
	cop_stage_space_detach(&w->parent);
	cop_stage_space_detach(&w->child);
	cop_space_destroy(&w->child);
	cop_space_destroy(&w->parent);
	cop_spaces_exit(&w->spaces);
	COP_CHECK_ACCOUNT(&w->memory);
}

COP_STORY(.id = "FK2", .title = "a page is copied for its writer while others read",
	  .origin = "s390-page-tables-2009-2025.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "write", .run = writer},
					       {.name = "read", .cpu = 1, .run = reader},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /*
		   * One store, and the invalidation afterwards. x86-64 and riscv64 have no rule against that, and here nobody
		   * writes to the copy before the invalidation is complete: that takes a third CPU. s390x changes an entry
		   * and invalidates it by one instruction, before the patch comes to it.
		   */
		  {.name = "changed-live", .outcome = COP_FAILS, .rule = "break-before-make", .formats = COP_ON_ARM64},
		  /* Whoever else maps it. */
		  {.name = "never-copied", .outcome = COP_FAILS, .rule = "assert"},
		  {.name = NULL},
	  });
