/* SPDX-License-Identifier: MIT */
/* Address spaces on the simulated machine. */
#include "stories/space.h"
#include "ports/sim/sim.h"

/* An access that faults again and again, although the library says that all is well. */
#define MOST_FAULTS 8

struct cop_geom cop_stage_user_geom(void)
{
	struct cop_geom geom = cop_stage_geom();

	if (geom.half == COP_HALF_HIGH)
		geom.half = COP_HALF_LOW;
	return geom;
}

/* Not where a kernel in the same half has its memory. */
cop_va cop_stage_user_va(void)
{
	return 1ULL << 34;
}

void cop_stage_space_attach(struct cop_space *space)
{
	sim_attach_user(space->tree.ops->format, &space->tree.geom, space->tree.root, space->tree.asid);
}

void cop_stage_space_detach(struct cop_space *space)
{
	/* Tables that are on their way back. */
	sim_rcu_run_solo();
	if (cop_tree_table_bytes(&space->tree) != sim_tree_bytes(space->tree.root))
		sim_report("accounting", "the tree says that it has %llu bytes of tables, and %llu are linked",
			   (unsigned long long)cop_tree_table_bytes(&space->tree),
			   (unsigned long long)sim_tree_bytes(space->tree.root));
	sim_detach(space->tree.root);
}

static void access(struct cop_space *space, cop_va va, bool write, uint64_t *value, struct cop_stage_at at)
{
	for (unsigned i = 0; i < MOST_FAULTS; i++) {
		if (sim_user(space->tree.root, va, write, value, (struct sim_at){at.file, at.line}))
			return;
		if (cop_space_fault(space, va, write ? COP_ACCESS_WRITE : COP_ACCESS_READ))
			cop_stage_fail("fault", "an access of the user's is refused", at);
	}
	cop_stage_fail("fault-again", "an access faults again and again, and every time all is well", at);
}

uint64_t cop_stage_user_read(struct cop_space *space, cop_va va, struct cop_stage_at at)
{
	uint64_t value = 0;

	access(space, va, false, &value, at);
	return value;
}

void cop_stage_user_write(struct cop_space *space, cop_va va, uint64_t value, struct cop_stage_at at)
{
	access(space, va, true, &value, at);
}

struct cop_stage_probe cop_stage_user_probe(struct cop_space *space, cop_va va, struct cop_stage_at at)
{
	struct cop_stage_probe p = {.fault = true};

	p.fault = !sim_user(space->tree.root, va, false, &p.value, (struct sim_at){at.file, at.line});
	return p;
}
