/* SPDX-License-Identifier: MIT */
/*
 * GU6: an address space starts with few levels and grows, once its addresses no longer suffice, while others walk it
 * without a lock. They walk in fixed steps, as many as a tree may have; what the tree has not is folded. A range that
 * crosses from one entry of the root to the next, 2 GB of it on s390x, is where a copy of the entry gives out.
 *
 * The thread: "on second iteratation reading random stack value"; "we will effectively operate on an address minus 2 GB";
 * "if something is mapped there [...] we will end up (silently) getting references on the wrong pages"
 * (s390-page-tables-2009-2025).
 *
 * On the simulated machine only: addresses this high are not the host's to give.
 */
#include "stories/story.h"

enum { BELOW, ABOVE, MISTAKEN, HIGH, FRAMES };

struct cop_world {
	struct cop_tree tree;
	uint64_t page;
	unsigned bits; /* of address, when it has grown */
	cop_va border; /* between two entries of the first root */
	cop_va high;   /* beyond all of it */
	cop_pa frame[FRAMES];
};
static struct cop_world world;

/* As few bits as make a whole table of the root, and the next that the format has. */
static struct cop_geom small_geom(unsigned *bits)
{
	struct cop_geom geom = cop_stage_geom();

	*bits = geom.va_bits;
	switch (geom.arch) {
	case COP_ARM64:
		geom.half = COP_HALF_LOW;
		geom.va_bits = geom.page_lg2 == 12 ? 39 : geom.page_lg2 == 14 ? 47 : 42;
		*bits = 48;
		break;
	case COP_S390X:
		geom.va_bits = 42;
		*bits = 64;
		break;
	default:
		geom.va_bits = 39;
		*bits = 57;
	}
	while (cop_stage_format()->shift(geom.levels - 1U) >= geom.va_bits)
		geom.levels--;
	return geom;
}

static void map(cop_world *w, cop_va va, cop_pa pa)
{
	COP_ASSERT(!cop_map(&w->tree, va, pa, w->page, COP_USER_RW, 0, 0));
}

static void setup(cop_world *w)
{
	const struct cop_table_source source = cop_stage_tables();
	const struct cop_geom geom = small_geom(&w->bits);
	const uint64_t span = COP_LG2(cop_stage_format()->shift(geom.levels - 1U));

	w->page = COP_LG2(geom.page_lg2);
	w->border = span;
	w->high = COP_LG2(geom.va_bits);
	COP_ASSERT(!cop_tree_init(&w->tree, &geom, &source, 1, 0));
	for (unsigned i = 0; i < FRAMES; i++)
		w->frame[i] = COP_ALLOC(geom.page_lg2, "page");
	map(w, w->border - w->page, w->frame[BELOW]);
	map(w, w->border, w->frame[ABOVE]);
	/* The address that is less by what the root's entry translates. */
	map(w, w->border - span, w->frame[MISTAKEN]);
	cop_stage_attach(&w->tree);
}

static void grower(cop_world *w)
{
	const cop_pa old = w->tree.root;

	COP_ASSERT(!cop_tree_grow(&w->tree, w->bits));
	cop_stage_grown(&w->tree, old);
	map(w, w->high, w->frame[HIGH]);
	COP_ASSERT(!COP_PROBE(w->high).fault);
}

/* Both remedies: an end that asks the entry, and pointers in place of copies. */
static void look(cop_world *w, enum cop_fold fold)
{
	cop_pa page[2];
	unsigned long n;

	cop_rcu_read_lock();
	n = cop_lookup(&w->tree, w->border - w->page, 2, page, fold);
	cop_rcu_read_unlock();
	if (n != 2)
		cop_stage_fail("stale-copy", "the walk has left the tables", COP_STAGE_AT);
	if (page[0] != w->frame[BELOW] || page[1] != w->frame[ABOVE])
		cop_stage_fail("stale-copy", "a page that is mapped elsewhere", COP_STAGE_AT);
}

static void high_walker(cop_world *w)
{
	cop_pa pa;

	cop_rcu_read_lock();
	pa = cop_translate(&w->tree, w->high).pa;
	COP_ASSERT(pa == COP_PA_NONE || pa == w->frame[HIGH]);
	COP_ASSERT(cop_translate_pa(&w->tree, w->border) == w->frame[ABOVE]);
	cop_rcu_read_unlock();
}

static void walker(cop_world *w)
{
	look(w, COP_FOLD_TOP);
	look(w, COP_FOLD_MIDDLE);
	COP_ASSERT(!COP_PROBE(w->border).fault);
	high_walker(w);
}

static void unmap(cop_world *w, cop_va va)
{
	struct cop_gather gather;

	cop_gather_begin(&gather, &w->tree);
	COP_ASSERT(!cop_unmap(&gather, va, w->page, COP_UNMAP_BLIND, NULL, 0).err);
	(void)cop_gather_finish(&gather);
}

static void check(cop_world *w)
{
	unmap(w, w->high);
	unmap(w, w->border);
	unmap(w, w->border - w->page);
	unmap(w, 0);
	for (unsigned i = 0; i < FRAMES; i++)
		COP_FREE(w->frame[i], w->page);
	cop_stage_detach(&w->tree);
	COP_ASSERT(!cop_tree_destroy(&w->tree));
}

static const struct cop_actor three[] = {{.name = "grow", .run = grower},
					 {.name = "walk", .cpu = 1, .run = walker},
					 {.name = "look", .cpu = 2, .run = high_walker},
					 {.name = NULL}};

COP_STORY(.id = "GU6", .title = "an address space grows by levels under walkers that take fixed steps",
	  .origin = "s390-page-tables-2009-2025.txt", .formats = COP_ON_ALL & ~COP_ON_X86_64, .world = &world,
	  .world_bytes = sizeof(world), .setup = setup, .check = check,
	  .actors = (const struct cop_actor[]){{.name = "grow", .run = grower},
					       {.name = "walk", .cpu = 1, .run = walker},
					       {.name = NULL}},
	  .variants = (const struct cop_variant[]){
		  {.name = "fixed", .outcome = COP_EXHAUSTED},
		  {.name = "3-cpus", .outcome = COP_EXHAUSTED, .actors = three},
		  /* The end of a copied entry is that of the folded step. */
		  {.name = "static-end", .outcome = COP_FAILS, .rule = "stale-copy", .host_rule = "stale-copy"},
		  {.name = NULL},
	  });
