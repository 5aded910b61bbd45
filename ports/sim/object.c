/* SPDX-License-Identifier: MIT */
/* Ordinary memory that a story has said is free: an address space's own, say. */
#include "ports/sim/sim.h"
#include "checker/engine.h"

#include <string.h>

#define OBJECTS 8

static struct {
	struct {
		uintptr_t start, end;
		struct sim_at at;
	} gone[OBJECTS];
	size_t count;
} objects;

void sim_object_on(void)
{
	memset(&objects, 0, sizeof(objects));
	engine_region(&objects, sizeof(objects));
}

void sim_object_gone(const void *p, size_t bytes, struct sim_at at)
{
	bool shared = false;

	for (size_t i = 0; i < bytes; i += 8)
		shared |= sim_conflicts((const char *)p + i, true);
	sim_point(SIM_OP_FREE, shared, p, at);
	for (size_t i = 0; i < bytes; i += 8)
		sim_touch((const char *)p + i, true);
	if (objects.count == OBJECTS)
		sim_fail("sim-limit", "more than %d objects", OBJECTS);
	/* An access to it is found, and that is no part of what memory is like. */
	sim.elsewhere = true;
	objects.gone[objects.count].start = (uintptr_t)p;
	objects.gone[objects.count].end = (uintptr_t)p + bytes;
	objects.gone[objects.count++].at = at;
	sim_record(SIM_OP_FREE, p, 0, bytes, 0, at);
}

void sim_object_check(const volatile void *p, struct sim_at at)
{
	for (size_t i = 0; i < objects.count; i++) {
		if ((uintptr_t)p < objects.gone[i].start || (uintptr_t)p >= objects.gone[i].end)
			continue;
		sim.cpu[sim.current].at = at;
		sim_report("use-after-free", "this is part of what was freed at %s:%d", objects.gone[i].at.file,
			   objects.gone[i].at.line);
		return;
	}
}
