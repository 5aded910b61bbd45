/* SPDX-License-Identifier: MIT */
/* What the files of ports/host share. */
#ifndef COPPICE_HOST_INTERNAL_H
#define COPPICE_HOST_INTERNAL_H

#include "ports/host/machine.h"

/*
 * One lock for what is populated and what is filled: a fill reads the tables and maps under it, an invalidation that
 * follows a change of the tables takes it too, so no fill of the old translation can come after the invalidation.
 * The fault handler takes it; its holders touch neither the window nor dead frames, translate callbacks apart, and a
 * panic drops it.
 */
void host_lock(void);
void host_unlock(void);
void host_unlock_if_held(void);

/*
 * Host mappings, by plain system calls: a sanitizer's interceptor would take a fill for a write by the faulting thread.
 * Return: 0 or -COP_E*.
 */
int host_map_fixed(uint64_t at, uint64_t bytes, int prot, int fd, uint64_t offset, bool replace);
void host_unmap(uint64_t at, uint64_t bytes);
int host_errno(int err);
uint64_t host_max_map_count(void);

int phys_init(uint64_t bytes);
void phys_exit(void);
uint64_t phys_bytes(void);
int phys_fd(void);
/* The populated stretch around pa; bytes 0: none. Under the host lock. */
struct phys_extent {
	cop_pa pa;
	uint64_t bytes;
};
struct phys_extent phys_extent_at(cop_pa pa);

int tlb_init(const struct cop_host_config *);
void tlb_exit(void);
bool tlb_covers(uint64_t address);
/* Some fill maps a part of [pa, pa + bytes). Under the host lock. */
bool tlb_maps(cop_pa pa, uint64_t bytes);
/* Fills what a touch of address needs. Return: NULL, or the rule that the touch breaks. */
const char *tlb_miss(uint64_t address);

int fault_init(void);
void fault_exit(void);

void cpu_init(unsigned cpus);
void cpu_exit(void);

#endif
