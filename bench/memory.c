/* SPDX-License-Identifier: MIT */
#include "bench/memory.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ports/host/machine.h"

unsigned memory_section_lg2(const struct bench *b)
{
	return b->geom.page_lg2 == 16 ? 29 : 27;
}

static bool alias_window(const struct bench_memory *m)
{
	int fd = memfd_create("memmap", MFD_CLOEXEC);
	bool good = fd >= 0 && !ftruncate(fd, (off_t)MEMORY_WINDOW);

	for (uint64_t at = memory_memmap_offset(m, MEMORY_HOT); good && at < m->memmap_bytes; at += MEMORY_WINDOW) {
		uint64_t bytes = m->memmap_bytes - at < MEMORY_WINDOW ? m->memmap_bytes - at : MEMORY_WINDOW;

		good = mmap(m->memmap + at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED;
	}
	if (fd >= 0)
		close(fd);
	return good;
}

static bool place_memmap(struct bench_memory *m)
{
	m->memmap_bytes = m->layout.vmemmap_last - m->layout.vmemmap_start + 1;
	m->memmap =
		mmap(NULL, m->memmap_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->memmap == MAP_FAILED)
		return false;
	cop_host_window_delta = (uint64_t)(uintptr_t)m->memmap - m->layout.vmemmap_start;
	return alias_window(m);
}

/* A kernel's tree; a terabyte and its memmap do not fit into Sv39. */
static bool kernel_geometry(const struct bench *b, struct cop_geom *g)
{
	if (cop_geom_init(g, (enum cop_arch)b->geom.arch, b->geom.page_lg2, b->geom.arch == COP_RISCV64 ? 48 : 0))
		return false;
	if (g->arch == COP_ARM64)
		g->half = COP_HALF_HIGH;
	return true;
}

int memory_on(struct bench_memory *m, const struct bench *b, uint32_t flags)
{
	struct cop_layout_result layout;
	int err;

	m->boot = (struct cop_mem_range){MEMORY_BOOT, MEMORY_BOOT_BYTES};
	m->config.ram = &m->boot;
	m->config.rams = 1;
	m->config.pa_start = MEMORY_BOOT;
	m->config.pa_limit = MEMORY_HOT + MEMORY_HOT_BYTES;
	m->config.section_lg2 = (uint8_t)memory_section_lg2(b);
	m->config.flags = flags;
	if (!kernel_geometry(b, &m->config.geom))
		return -COP_EINVAL;
	layout = cop_mem_layout_for(&m->config);
	if (layout.err)
		return layout.err;
	m->layout = layout.layout;
	m->arena = aligned_alloc(64, COP_ALIGN_UP(cop_mem_arena_bytes(&m->config), 64));
	if (!m->arena || !place_memmap(m))
		return -COP_ENOMEM;
	err = cop_host_populate(MEMORY_BOOT, MEMORY_BOOT_BYTES);
	return err ? err : cop_mem_boot(&m->mem, &m->tree, m->arena, &m->config);
}

void memory_off(struct bench_memory *m)
{
	cop_host_rcu_barrier();
	(void)!cop_host_punch(MEMORY_BOOT, MEMORY_BOOT_BYTES);
	if (m->memmap && m->memmap != MAP_FAILED)
		munmap(m->memmap, m->memmap_bytes);
	free(m->arena);
}
