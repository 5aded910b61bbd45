/* SPDX-License-Identifier: MIT */
/*
 * FK1: fork takes a snapshot. The parent's entries are write-protected, and until that is invalidated another of its CPUs
 * may write through what it remembers: by then the folio is the child's too.
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
}

/* A user thread of the parent. */
static void writer(cop_world *w)
{
	COP_USER_WRITE(&w->parent, w->va, 2);
	COP_ASSERT(COP_USER_READ(&w->parent, w->va) == 2);
}

/* What the child would read: nobody runs in it yet. */
static uint64_t child_value(cop_world *w)
{
	const struct cop_translation t = cop_translate(&w->child.tree, w->va);

	COP_ASSERT(t.pa != COP_PA_NONE && !(t.attrs & COP_WRITE));
	return cop_load((uint64_t *)cop_phys(t.pa), relaxed);
}

static void forker(cop_world *w)
{
	const struct cop_table_source source = cop_stage_memory_tables(&w->memory);
	uint64_t first;

	COP_ASSERT(!cop_space_fork(&w->child, &w->parent, &source, 2));
	first = child_value(w);
	COP_ASSERT(first == 1 || first == 2);
	/* Nothing that the parent writes from now on is the child's. */
	COP_ASSERT(child_value(w) == first);
}

static void check(cop_world *w)
{
	COP_ASSERT(COP_USER_READ(&w->parent, w->va) == 2);
	cop_stage_space_attach(&w->child);
	COP_USER_WRITE(&w->child, w->va, 3);
	COP_ASSERT(COP_USER_READ(&w->parent, w->va) == 2);
	cop_stage_space_detach(&w->parent);
	cop_stage_space_detach(&w->child);
	cop_space_destroy(&w->child);
	cop_space_destroy(&w->parent);
	cop_spaces_exit(&w->spaces);
	COP_CHECK_ACCOUNT(&w->memory);
}

COP_STORY(.id = "FK1", .title = "fork is a snapshot while the parent writes",
	  .origin = "s390-page-tables-2009-2025.txt", .formats = COP_ON_ALL, .pa_bytes = pa_bytes, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "fork", .run = forker},
					       {.name = "write", .cpu = 1, .run = writer},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  /* The parent's CPUs go on by what they remember. */
		  {.name = "not-invalidated",
		   .outcome = COP_FAILS,
		   .rule = "missing-invalidation",
		   .formats = COP_ON_ARM64 | COP_ON_X86_64},
		  /* The child's new entries are fenced there, and no more. */
		  {.name = "not-invalidated", .outcome = COP_FAILS, .rule = "wrong-asid", .formats = COP_ON_RISCV64},
		  /* Only the child's entries are. */
		  {.name = "not-protected", .outcome = COP_FAILS, .rule = "assert"},
		  {.name = NULL},
	  });
