/* SPDX-License-Identifier: MIT */
/* User accesses to address spaces on the host: what hardware does by the tables, and the fault where it cannot. */
#ifndef COPPICE_TESTS_USERS_H
#define COPPICE_TESTS_USERS_H

#include "tests/memory/machine.h"

#include <coppice/gup.h>

/* The user's half for a machine's shape. */
static inline struct cop_geom user_geom(const struct machine *m)
{
	struct cop_geom geom = m->config.geom;

	if (geom.half == COP_HALF_HIGH)
		geom.half = COP_HALF_LOW;
	return geom;
}

/* The words that a page of a test holds: the first and the last, so that half a copy shows. */
static inline uint64_t *user_word(const struct machine *m, cop_pa page, bool last)
{
	return (uint64_t *)cop_phys(page + (last ? COP_LG2(m->shape->page_lg2) - 8 : 0));
}

static inline bool user_permitted(const struct cop_translation *t, struct cop_space *space, bool write)
{
	return t->pa != COP_PA_NONE &&
	       !space->tree.ops->format->access(&space->tree.geom, t->entry, t->level, write).fault;
}

/* Return: 0, or what the fault said. The page is the one that a load or store would have reached. */
static inline int user_touch(struct cop_space *space, cop_va va, bool write, cop_pa *page)
{
	for (unsigned tries = 0; tries < 100000; tries++) {
		struct cop_translation t;
		int err;

		cop_rcu_read_lock();
		t = cop_translate(&space->tree, va);
		cop_rcu_read_unlock();
		if (user_permitted(&t, space, write)) {
			*page = COP_ALIGN_DOWN(t.pa, COP_LG2(space->mem->page_lg2));
			return 0;
		}
		err = cop_space_fault(space, va, write ? COP_ACCESS_WRITE : COP_ACCESS_READ);
		if (err)
			return err;
	}
	fail_msg("the fault at %#llx is resolved and resolved", (unsigned long long)va);
	return -COP_EIO;
}

static inline int user_write(const struct machine *m, struct cop_space *space, cop_va va, uint64_t value)
{
	cop_pa page;
	const int err = user_touch(space, va, true, &page);

	if (!err) {
		cop_store(user_word(m, page, false), value, relaxed);
		cop_store(user_word(m, page, true), ~value, relaxed);
	}
	return err;
}

/* An untouched page is all zeros: that reads as 0 too. */
static inline int user_read(const struct machine *m, struct cop_space *space, cop_va va, uint64_t *value)
{
	cop_pa page;
	const int err = user_touch(space, va, false, &page);
	uint64_t last;

	if (err)
		return err;
	*value = cop_load(user_word(m, page, false), relaxed);
	last = cop_load(user_word(m, page, true), relaxed);
	assert_true(last == ~*value || (!last && !*value));
	return 0;
}

#endif
