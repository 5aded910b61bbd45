/* SPDX-License-Identifier: MIT */
#include "bench/user.h"

static struct cop_geom user_geometry(const struct bench *b)
{
	struct cop_geom geom = b->geom;

	if (geom.half == COP_HALF_HIGH)
		geom.half = COP_HALF_LOW;
	return geom;
}

bool user_on(struct user *u)
{
	const struct cop_geom geom = user_geometry(u->b);
	int err = memory_on(&u->m, u->b, 0);

	if (err)
		return bench_failed(u->b, "no memory: error %d", err);
	cop_spaces_init(&u->spaces, &u->m.mem);
	err = cop_space_init(&u->space, &u->spaces, &geom, NULL, 1);
	return !err || bench_failed(u->b, "no address space: error %d", err);
}

void user_off(struct user *u)
{
	if (u->space.spaces) {
		cop_space_destroy(&u->space);
		cop_spaces_exit(&u->spaces);
	}
	memory_off(&u->m);
}

void user_limit_frames(const struct user *u, cop_va va, size_t pages, uint64_t *out)
{
	const struct limit_walk walk = {.base = cop_phys(0), .root = u->space.tree.root};
	const struct limit_frames frames = {
		.va = va,
		.pages = pages,
		.counters = (char *)&cop_page(&u->m.mem, 0)->refcount,
		.stride_lg2 = COP_PAGE_STRUCT_LG2,
		.out = out,
	};

	u->b->format->chase->frames(&walk, &frames);
}
