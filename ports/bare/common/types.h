/* SPDX-License-Identifier: MIT */
/* The types of a bare port: included by ports/bare/<arch>/port.h before anything else. */
#ifndef COPPICE_BARE_COMMON_TYPES_H
#define COPPICE_BARE_COMMON_TYPES_H

#define BARE_CPUS 4 /* at most */

typedef struct {
	uint32_t held;
} cop_spinlock, cop_mutex;

typedef struct {
	uint32_t state; /* marked: readers, writers that wait, a writer; see cpu.c */
} cop_rwsem;

typedef struct cop_rcu {
	struct cop_rcu *next;
	void (*fn)(struct cop_rcu *);
} cop_rcu;

struct bare_ipi;

/**
 * struct bare_cpu - one CPU as it knows itself; found by bare_self()
 * @cpu: its number
 * @nest: depth of RCU read sections, handlers' included
 * @reading: grace period in which the outermost read section began, 0 outside; marked
 * @mailbox: interrupts not yet taken, newest first; marked
 * @online: it runs; marked
 * @parked: it stands still for cop_stop_machine(); marked
 * @touching: bare_touch() is under way: a fault is its result
 * @scratch: the architecture's own
 */
struct bare_cpu {
	uint32_t cpu;
	uint32_t nest;
	uint64_t reading;
	struct bare_ipi *mailbox;
	uint32_t online;
	uint32_t parked;
	uint32_t touching;
	uint64_t scratch[8];
} __attribute__((aligned(128)));

extern struct bare_cpu bare_cpus[BARE_CPUS];

#endif
