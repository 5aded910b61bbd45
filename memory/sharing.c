/* SPDX-License-Identifier: MIT */
#include <coppice/sharing.h>

#define PAGE_MASK(tree) (COP_LG2((tree)->geom.page_lg2) - 1)

int cop_sharing_init(struct cop_sharing *sharing, struct cop_tree *tree, enum cop_share_policy policy, cop_va start,
		     cop_va last)
{
	if (policy >= COP_SHARE_POLICIES || start > last || ((start | (last + 1)) & PAGE_MASK(tree)))
		return -COP_EINVAL;
	sharing->tree = tree;
	sharing->policy = policy;
	cop_mutex_init(&sharing->walk);
	cop_rwsem_init(&sharing->hotplug);
	if (policy == COP_SHARE_KEEP) {
		tree->seam[0] = start;
		tree->seam[1] = last + 1;
	}
	return 0;
}

void cop_sharing_end(struct cop_sharing *sharing)
{
	sharing->policy = COP_SHARE_LOCKLESS;
	sharing->tree->seam[0] = sharing->tree->seam[1] = 0;
}

void cop_sharing_use_begin(struct cop_sharing *sharing)
{
	if (sharing->policy == COP_SHARE_LOCK)
		cop_mutex_lock(&sharing->walk);
	if (sharing->policy == COP_SHARE_HOTPLUG)
		cop_rwsem_read_lock(&sharing->hotplug);
}

void cop_sharing_use_end(struct cop_sharing *sharing)
{
	if (sharing->policy == COP_SHARE_LOCK)
		cop_mutex_unlock(&sharing->walk);
	if (sharing->policy == COP_SHARE_HOTPLUG)
		cop_rwsem_read_unlock(&sharing->hotplug);
}

void cop_sharing_change_begin(struct cop_sharing *sharing)
{
	if (sharing->policy == COP_SHARE_LOCK)
		cop_mutex_lock(&sharing->walk);
	if (sharing->policy == COP_SHARE_HOTPLUG)
		cop_rwsem_write_lock(&sharing->hotplug);
}

void cop_sharing_change_end(struct cop_sharing *sharing)
{
	if (sharing->policy == COP_SHARE_LOCK)
		cop_mutex_unlock(&sharing->walk);
	if (sharing->policy == COP_SHARE_HOTPLUG)
		cop_rwsem_write_unlock(&sharing->hotplug);
}

const char *cop_share_policy_name(enum cop_share_policy policy)
{
	switch (policy) {
	case COP_SHARE_LOCKLESS:
		return "lockless";
	case COP_SHARE_LOCK:
		return "lock";
	case COP_SHARE_HOTPLUG:
		return "hotplug";
	case COP_SHARE_KEEP:
		return "keep";
	default:
		return "unknown";
	}
}
