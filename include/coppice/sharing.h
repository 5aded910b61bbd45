/* SPDX-License-Identifier: MIT */
/*
 * Tables that regions of the kernel's tree share.
 *
 * Regions end where they end, not where a table does: the memmap's last table may be vmalloc's first. Hot-remove takes
 * tables out that it has emptied while vmalloc is on its way down through them; vmalloc's ranges are exclusive, so nothing
 * else would make the two wait for each other (arm64-hot-remove-review-2019-05). What keeps them apart is a policy. What
 * each costs is in docs/policies.md.
 */
#ifndef COPPICE_SHARING_H
#define COPPICE_SHARING_H

#include <coppice/tables.h>

#ifdef __cplusplus
extern "C" {
#endif

enum cop_share_policy {
	COP_SHARE_LOCKLESS, /* nothing beside the tables' own protocol: counts, DEAD, a grace period */
	COP_SHARE_LOCK,     /* a mutex around each whole change of either region */
	COP_SHARE_HOTPLUG,  /* vmalloc reads, hot-plug writes a semaphore */
	COP_SHARE_KEEP,     /* a table that two regions share stays for ever, emptied or not */
	COP_SHARE_POLICIES
};

/**
 * struct cop_sharing - the regions of one tree; private
 * @walk: COP_SHARE_LOCK
 * @hotplug: COP_SHARE_HOTPLUG
 */
struct cop_sharing {
	struct cop_tree *tree;
	enum cop_share_policy policy;
	cop_mutex walk;
	cop_rwsem hotplug;
};

/**
 * cop_sharing_init() - how the regions of a tree share tables
 * @tree: not yet shared; initialised
 * @start, @last: the region that comes and goes; others lie before and after it. Multiples of the page size
 *
 * Return: 0; -COP_EINVAL (policy, alignment, start > last).
 */
int cop_sharing_init(struct cop_sharing *, struct cop_tree *tree, enum cop_share_policy, cop_va start,
		     cop_va last) COP_MUST_CHECK;

/**
 * cop_sharing_end() - there is one owner from now on
 *
 * Tables that were kept go when they are emptied the next time. Context: nothing else is under way.
 */
void cop_sharing_end(struct cop_sharing *);

/* Around every change of a region that stays (vmalloc): mapping and unmapping, to the end of the gather. Sleeps. */
void cop_sharing_use_begin(struct cop_sharing *);
void cop_sharing_use_end(struct cop_sharing *);

/* Around every change of the region that comes and goes. Sleeps; not inside an RCU read section. */
void cop_sharing_change_begin(struct cop_sharing *);
void cop_sharing_change_end(struct cop_sharing *);

/* "lockless", "lock", "hotplug", "keep". */
const char *cop_share_policy_name(enum cop_share_policy);

#ifdef __cplusplus
}
#endif

#endif
