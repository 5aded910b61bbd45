/* SPDX-License-Identifier: MIT */
/* Power on, power off, and what all files of the port stand on. */
#define _GNU_SOURCE
#include "ports/host/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool holding;
static bool powered;

void host_lock(void)
{
	/* A translate callback that misses the TLB itself: no walk is to need a walk. */
	if (holding)
		cop_panic("miss-within-miss", NULL);
	pthread_mutex_lock(&lock);
	holding = true;
}

void host_unlock(void)
{
	holding = false;
	pthread_mutex_unlock(&lock);
}

void host_unlock_if_held(void)
{
	if (holding)
		host_unlock();
}

int host_errno(int err)
{
	switch (err) {
	case EEXIST:
		return -COP_EADDRINUSE;
	case EINVAL:
		return -COP_EINVAL;
	default:
		return -COP_ENOMEM;
	}
}

int host_map_fixed(uint64_t at, uint64_t bytes, int prot, int fd, uint64_t offset, bool replace)
{
	int flags = MAP_NORESERVE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
	long got;

	flags |= replace ? MAP_FIXED : MAP_FIXED_NOREPLACE;
	got = syscall(SYS_mmap, at, bytes, prot, flags, fd, offset);
	if (got == -1)
		return host_errno(errno);
	if ((uint64_t)got == at)
		return 0;
	/* A kernel before 4.17 takes the address for a hint. */
	host_unmap((uint64_t)got, bytes);
	return -COP_EADDRINUSE;
}

void host_unmap(uint64_t at, uint64_t bytes)
{
	(void)syscall(SYS_munmap, at, bytes);
}

uint64_t host_max_map_count(void)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	char line[32] = "";
	unsigned long count = 0;

	if (file) {
		if (fgets(line, sizeof(line), file))
			count = strtoul(line, NULL, 10);
		(void)fclose(file);
	}
	/* Linux's default, where /proc tells nothing. */
	return count >= 256 ? (count < UINT32_MAX ? count : UINT32_MAX) : 65530;
}

static bool config_ok(const struct cop_host_config *c)
{
	if (!c->cpus || c->cpus >= COP_HOST_CPUS)
		return false;
	if (!c->phys_bytes || !COP_IS_ALIGNED(c->phys_bytes, 65536) || c->phys_bytes > COP_HOST_PHYS_BYTES)
		return false;
	return COP_IS_ALIGNED(c->window_va | c->window_bytes, COP_LG2(21)) &&
	       c->window_bytes <= COP_HOST_WINDOW_BYTES &&
	       (!c->window_bytes || c->window_va + (c->window_bytes - 1) >= c->window_va);
}

static int memory_init(const struct cop_host_config *config)
{
	int err = phys_init(config->phys_bytes);

	if (err)
		return err;
	err = tlb_init(config);
	if (err)
		phys_exit();
	return err;
}

static int start(const struct cop_host_config *config)
{
	int err = fault_init();

	if (err)
		return err;
	cpu_init(config->cpus);
	err = cop_host_thread_start(0);
	if (!err)
		return 0;
	cpu_exit();
	fault_exit();
	return err;
}

int cop_host_init(const struct cop_host_config *config)
{
	int err;

	if (powered)
		return -COP_EBUSY;
	if (!config_ok(config))
		return -COP_EINVAL;
	err = memory_init(config);
	if (err)
		return err;
	err = start(config);
	if (err) {
		tlb_exit();
		phys_exit();
		return err;
	}
	powered = true;
	return 0;
}

void cop_host_exit(void)
{
	if (!powered)
		return;
	cop_host_rcu_barrier();
	cop_host_thread_stop();
	cpu_exit();
	fault_exit();
	tlb_exit();
	phys_exit();
	powered = false;
}

/* All of struct cop_host_events is counters. */
struct cop_host_events cop_host_counts(void)
{
	struct cop_host_events sum = {.faults = 0};
	uint64_t *to = (uint64_t *)&sum;
	unsigned cpu;
	size_t i;

	for (cpu = 0; cpu <= COP_HOST_CPUS; cpu++) {
		const uint64_t *from = (const uint64_t *)&cop_host_cpus[cpu].events;

		for (i = 0; i < sizeof(sum) / sizeof(*to); i++)
			to[i] += cop_load(&from[i], relaxed);
	}
	return sum;
}
