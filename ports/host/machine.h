/* SPDX-License-Identifier: MIT */
/*
 * The host machine: what a program does before and after it uses the library over ports/host.
 *
 * Three areas of the process's address space stand for the machine. The flat view (cop_phys) is the whole of physical
 * memory, PROT_NONE where there is none. The descriptors (cop_ptdesc) lie beside it. The window (cop_virt) is the
 * kernel's virtual addresses: nothing is mapped there until it is touched; the fault asks the translate callback, maps
 * what the tables say, and cop_tlbi() takes it out again. So a translation that was invalidated is a fault, one that
 * should have been is found when its frames go, and a write to a read-only leaf is a fault too.
 *
 * One machine at a time; any number after one another.
 */
#ifndef COPPICE_HOST_MACHINE_H
#define COPPICE_HOST_MACHINE_H

#include <coppice/port.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * struct cop_host_config - the machine
 * @phys_bytes: size of the physical address space: the first address that can never be memory; multiple of 64 KB
 * @window_va: first virtual address of the window; multiple of 2 MB
 * @window_bytes: multiple of 2 MB; 0 for no window (everything flat)
 * @cpus: CPUs 0 .. cpus - 1; RCU callbacks run on one CPU more, number @cpus. At most COP_HOST_CPUS - 1
 * @max_fills: translations held at a time; 0 for an eighth of vm.max_map_count, which is also the most
 */
struct cop_host_config {
	uint64_t phys_bytes;
	cop_va window_va;
	uint64_t window_bytes;
	unsigned cpus;
	unsigned max_fills;
};

/**
 * cop_host_init() - power on; the calling thread becomes CPU 0
 *
 * No memory yet: see cop_host_populate().
 *
 * Return: 0; -COP_EINVAL (sizes), -COP_EBUSY (there is a machine), -COP_ENOMEM, -COP_EADDRINUSE (the process has
 * something where the machine has to lie).
 */
int cop_host_init(const struct cop_host_config *) COP_MUST_CHECK;

/**
 * cop_host_exit() - wait for deferred callbacks, give everything back
 *
 * Context: the thread that called cop_host_init(), no other CPU running.
 */
void cop_host_exit(void);

/* ---- physical memory ---- */

/**
 * cop_host_populate() - there is memory now in [pa, pa + bytes); it reads as zero
 * @pa, @bytes: multiples of the host's page size
 *
 * Host memory is taken page by page as it is touched.
 * Return: 0; -COP_EINVAL, -COP_EEXIST (some is there already), -COP_ENOMEM (more separate
 * stretches than a quarter of vm.max_map_count): nothing has changed.
 */
int cop_host_populate(cop_pa pa, uint64_t bytes) COP_MUST_CHECK;

/**
 * cop_host_punch() - the memory in [pa, pa + bytes) is gone; the operating system has its pages back
 *
 * Its table descriptors go too, where a host page of them lies wholly inside. If a CPU can still translate to the
 * range, that is cop_panic("freed-while-translated").
 *
 * Return: 0; -COP_EINVAL, -COP_ENOENT (not all of it is memory), -COP_ENOMEM (as above), -COP_EIO: nothing has
 * changed, but with -COP_EIO contents may be lost.
 */
int cop_host_punch(cop_pa pa, uint64_t bytes) COP_MUST_CHECK;

/* Host memory that backs physical memory and descriptors now, bytes. */
uint64_t cop_host_held(void);

/* ---- translation ---- */

/* What the tables say of one address: [va, va + bytes) maps to pa on; bytes 0: nothing. Multiples of 4 KB. */
struct cop_host_translation {
	cop_va va;
	cop_pa pa;
	uint64_t bytes;
	bool writable;
	bool global; /* only invalidations with COP_TLBI_GLOBAL reach it */
};

/**
 * cop_host_set_translate() - how a TLB miss walks the tables
 * @translate: called from the fault handler, with a lock that invalidation takes too. It may read tables inside an RCU
 *             read section and nothing else; it may return more than one leaf when they are contiguous and alike
 *
 * What it returns is used up to a multiple of 2 MB around the address. NULL: every access is a fault.
 */
void cop_host_set_translate(struct cop_host_translation (*translate)(void *ctx, cop_va va), void *ctx);

/* What a touch of one address does, without dying of it. rule: which panic it would have been. */
struct cop_host_probe {
	bool fault;
	uint64_t value;
	const char *rule;
};

struct cop_host_probe cop_host_probe64(cop_va va);
struct cop_host_probe cop_host_probe_write64(cop_va va, uint64_t value);
struct cop_host_probe cop_host_probe_phys64(cop_pa pa);

/**
 * cop_host_catch_faults() - take SIGSEGV again
 *
 * For programs whose framework has installed a handler since cop_host_init() (cmocka does, around each fixture and each
 * test): that one gets what is not ours from now on.
 */
void cop_host_catch_faults(void);

/* Replaces what cop_panic() does (one line, abort). The handler does not return: it longjmps, exits or ends its thread.
 */
void cop_host_set_panic(void (*handler)(const char *rule, const void *where));

/* ---- CPUs ---- */

/**
 * cop_host_run() - run fn(arg) on CPUs 0 .. cpus - 1 at a time, and wait for all
 *
 * The caller, CPU 0, lends its number to the first thread and must be outside RCU read sections.
 * Return: 0; -COP_EINVAL (more than configured), -COP_EAGAIN (the host gives no thread; fn was not called).
 */
int cop_host_run(unsigned cpus, void (*fn)(void *), void *arg) COP_MUST_CHECK;

/**
 * cop_host_thread_start() - the calling thread becomes a CPU, for programs that start their own threads
 *
 * Return: 0; -COP_EINVAL (no such CPU), -COP_EBUSY (taken), -COP_ENOMEM.
 */
int cop_host_thread_start(unsigned cpu) COP_MUST_CHECK;
void cop_host_thread_stop(void);

/* Waits until every callback deferred before has run. Sleeps. */
void cop_host_rcu_barrier(void);

/* ---- counters: sums over all CPUs since cop_host_init() ---- */

struct cop_host_events cop_host_counts(void);

#ifdef __cplusplus
}
#endif

#endif
