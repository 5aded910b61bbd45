/* SPDX-License-Identifier: MIT */
#include "internal.h"

void cop_mem_notify_register(struct cop_mem *mem, struct cop_notifier *notifier)
{
	struct cop_notifier **link = &mem->notifiers;

	cop_mutex_lock(&mem->notify_lock);
	while (cop_load(link, relaxed))
		link = &(*link)->next;
	cop_write(&notifier->next, NULL);
	cop_store(link, notifier, relaxed);
	cop_mutex_unlock(&mem->notify_lock);
}

void cop_mem_notify_unregister(struct cop_mem *mem, struct cop_notifier *notifier)
{
	struct cop_notifier **link = &mem->notifiers;

	cop_mutex_lock(&mem->notify_lock);
	while (cop_load(link, relaxed) && cop_load(link, relaxed) != notifier)
		link = &(*link)->next;
	if (cop_load(link, relaxed))
		cop_store(link, cop_load(&notifier->next, relaxed), relaxed);
	cop_mutex_unlock(&mem->notify_lock);
}

int cop_notify(struct cop_mem *mem, enum cop_mem_event event, const struct cop_blocks *blocks)
{
	bool may_veto = event == COP_GOING_ONLINE || event == COP_GOING_OFFLINE;
	struct cop_notifier *notifier;
	int veto = 0;

	/* Nobody to tell: blocks that come and go in parallel do not meet at the mutex. */
	if (!cop_load(&mem->notifiers, relaxed))
		return 0;
	cop_mutex_lock(&mem->notify_lock);
	for (notifier = cop_load(&mem->notifiers, relaxed); notifier; notifier = cop_load(&notifier->next, relaxed)) {
		veto = notifier->call(notifier, event, blocks->start, blocks->bytes);
		if (veto && may_veto)
			break;
		veto = 0;
	}
	cop_mutex_unlock(&mem->notify_lock);
	return veto;
}
