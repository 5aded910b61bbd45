/* SPDX-License-Identifier: MIT */
/*
 * Memory that comes and goes: add, online, offline, remove.
 *
 *	absent -> add -> offline -> online -> offline -> remove -> absent
 *
 * Ranges are whole sections (memory.h). Every operation is all or nothing over its range: after an error everything is
 * as it was. Operations on different sections run in parallel; of two that meet in a section one gets -COP_EAGAIN,
 * having changed nothing.
 *
 * Errors that all of them share: -COP_EINVAL (not aligned to sections, empty, wraps), -COP_ERANGE (outside
 * the memory the machine was configured for), -COP_EAGAIN (another operation owns one of the sections).
 */
#ifndef COPPICE_HOTPLUG_H
#define COPPICE_HOTPLUG_H

#include <coppice/memory.h>

#ifdef __cplusplus
extern "C" {
#endif

enum cop_add_flag {
	COP_ADD_ALTMAP = 1 << 0,       /* the memmap lies in the added memory itself */
	COP_ADD_DEVICE = 1 << 1,       /* a driver's: COP_ZONE_DEVICE, cannot go online */
	COP_ADD_LARGE_LEAVES = 1 << 2, /* linear map as one range: leaves may be larger than a section, and then only as
					  many sections as share one can be removed */
};

/**
 * cop_mem_add() - make memory known: memmap and linear map; it is offline afterwards
 * @flags: enum cop_add_flag
 *
 * Context: may sleep. Return: 0; -COP_EEXIST (some of it is there already), -COP_ENOMEM (memmap or tables), -COP_EINVAL (flags), what
 * populate() returned.
 */
int cop_mem_add(struct cop_mem *mem, cop_pa start, uint64_t bytes, uint32_t flags) COP_MUST_CHECK;

/**
 * cop_mem_online() - give offline memory to the allocator
 * @zone: COP_ZONE_NORMAL or COP_ZONE_MOVABLE
 *
 * Context: may sleep. Return: 0; -COP_ENOENT (absent), -COP_EBUSY (online already), -COP_EINVAL (zone; device memory),
 * a notifier's veto.
 */
int cop_mem_online(struct cop_mem *mem, cop_pa start, uint64_t bytes, enum cop_zone_id zone) COP_MUST_CHECK;

/**
 * cop_mem_offline() - take memory away from the allocator
 *
 * Movable allocations are handed to the migrate hook. If one frame stays in use, or is reserved, all of it is usable
 * again.
 *
 * Context: may sleep. Return: 0; -COP_ENOENT (absent), -COP_EINVAL (not online), -COP_EBUSY (in use), a notifier's
 * veto.
 */
int cop_mem_offline(struct cop_mem *mem, cop_pa start, uint64_t bytes) COP_MUST_CHECK;

/**
 * cop_mem_remove() - forget offline memory
 *
 * The sections are marked gone, then a grace period passes, so that no walker holds a struct page of theirs; then the
 * linear map goes, then the memmap; each is cleared, invalidated, and only then freed. punch() is called last.
 *
 * Context: may sleep. Return: 0; -COP_ENOENT (absent), -COP_EPERM (boot memory), -COP_EBUSY (online; a larger leaf that
 * would have to be split; a machine that cannot remove memory).
 */
int cop_mem_remove(struct cop_mem *mem, cop_pa start, uint64_t bytes) COP_MUST_CHECK;

/**
 * cop_device_frames_begin() - a driver lets its device memory be mapped and referenced
 *
 * [start, start + bytes) was added with COP_ADD_DEVICE. Each frame that is not memmap becomes COP_PG_DEVICE and gets one
 * reference, the driver's: it is the last to go, so that these frames never come to the allocator.
 *
 * Context: the driver owns the memory. Return: 0; -COP_EINVAL (no device memory that is offline; range), -COP_ERANGE.
 */
int cop_device_frames_begin(struct cop_mem *mem, cop_pa start, uint64_t bytes) COP_MUST_CHECK;

/**
 * cop_device_frames_end() - nobody gets a reference to the device's frames any more
 *
 * To be called when nothing maps them, before cop_mem_remove().
 *
 * Context: the driver owns the memory. Return: 0; -COP_EBUSY if a frame has another reference than the driver's (a walker's
 * may be gone in a moment): nothing has changed; -COP_EINVAL, -COP_ERANGE as above.
 */
int cop_device_frames_end(struct cop_mem *mem, cop_pa start, uint64_t bytes) COP_MUST_CHECK;

/**
 * cop_mem_block_state() - a section's state
 *
 * Return: enum cop_block_state; COP_BLOCK_ABSENT outside the machine's memory. Unless the caller prevents it, it may be
 * outdated when it arrives.
 */
enum cop_block_state cop_mem_block_state(const struct cop_mem *mem, cop_pa pa);

/* Name of a state as in sysfs: "absent", "offline", "going-online", ... */
const char *cop_block_state_name(enum cop_block_state state);

enum cop_mem_event {
	COP_GOING_ONLINE,  /* may be vetoed */
	COP_CANCEL_ONLINE, /* it was, by somebody */
	COP_ONLINE,
	COP_GOING_OFFLINE,  /* may be vetoed */
	COP_CANCEL_OFFLINE, /* it was, or memory is in use */
	COP_OFFLINE,
};

/**
 * struct cop_notifier - somebody who wants to know
 * @call: 0, or a negative errno as veto, which ends the round; all are told of the cancellation, those too who were not
 *	asked. Must not register, unregister, or start an operation of this file; may sleep, allocate and free
 * @next: private
 */
struct cop_notifier {
	int (*call)(struct cop_notifier *self, enum cop_mem_event event, cop_pa start, uint64_t bytes);
	struct cop_notifier *next;
};

/* Called in order of registration. Context: may sleep. */
void cop_mem_notify_register(struct cop_mem *mem, struct cop_notifier *notifier);
/* Afterwards it is not called any more and no call is under way. */
void cop_mem_notify_unregister(struct cop_mem *mem, struct cop_notifier *notifier);

#ifdef __cplusplus
}
#endif

#endif
