/* SPDX-License-Identifier: MIT */
/* Spaces that may share anonymous folios. Found from a folio without a lock, so it is freed after a grace period. */
#include "internal.h"

#define FAMILY_OF(rcu_) ((struct cop_family *)((char *)(rcu_)-offsetof(struct cop_family, rcu)))

struct cop_family *cop_family_new(struct cop_spaces *spaces)
{
	const cop_pa pa = cop_object_alloc(spaces);
	struct cop_family *family;

	if (pa == COP_PA_NONE)
		return NULL;
	family = (struct cop_family *)cop_phys(pa);
	cop_write(&family->pa, pa);
	cop_write(&family->owner, spaces);
	cop_write(&family->spaces, NULL);
	cop_mutex_init(&family->lock);
	cop_store(&family->refs, 1U, relaxed);
	cop_fetch_add(&spaces->families, 1ULL, relaxed);
	return family;
}

static void family_free(cop_rcu *rcu)
{
	struct cop_family *family = FAMILY_OF(rcu);
	struct cop_spaces *spaces = cop_read(&family->owner);

	cop_object_free(spaces, cop_read(&family->pa));
	/* Release: after this the owner may be gone; pairs with the await of cop_spaces_exit(). */
	cop_fetch_add(&spaces->families, -1ULL, release);
}

bool cop_family_try_get(struct cop_family *family)
{
	uint32_t was = cop_load(&family->refs, relaxed);

	while (was) {
		const uint32_t now = cop_cas(&family->refs, was, was + 1, acquire);

		if (now == was)
			return true;
		was = now;
	}
	return false;
}

void cop_family_put(struct cop_family *family)
{
	if (cop_fetch_add(&family->refs, -1U, acq_rel) == 1)
		cop_rcu_defer(&family->rcu, family_free);
}

/* After its parent, so that parents come before their children. The space has a reference already. */
void cop_family_join(struct cop_family *family, struct cop_space *space, struct cop_space *parent)
{
	struct cop_space *next;

	space->family = family;
	next = parent ? cop_read(&parent->next) : NULL;
	cop_write(&space->next, next);
	cop_write(&space->prev, parent);
	if (next)
		cop_write(&next->prev, space);
	if (parent)
		cop_write(&parent->next, space);
	else
		cop_write(&family->spaces, space);
}

void cop_family_leave(struct cop_space *space)
{
	struct cop_family *family = space->family;
	struct cop_space *next, *prev;

	cop_mutex_lock(&family->lock);
	next = cop_read(&space->next);
	prev = cop_read(&space->prev);
	if (next)
		cop_write(&next->prev, prev);
	if (prev)
		cop_write(&prev->next, next);
	else
		cop_write(&family->spaces, next);
	cop_mutex_unlock(&family->lock);
	cop_family_put(family);
}
