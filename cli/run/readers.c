// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/run/readers.h"

struct reader {
	struct readers *all;
	pthread_t thread;
	unsigned cpu;
	int err;
	uint64_t seed;
	struct reader_result result;
};

struct readers {
	struct run_machine *machine;
	atomic_bool stop;
	pthread_barrier_t started;
	unsigned count;
	struct reader reader[];
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void wrong(struct reader *r, const char *what, cop_pa pa, uint64_t got)
{
	if (!r->result.wrong++)
		snprintf(r->result.first_wrong, sizeof(r->result.first_wrong), "%s: 0x%" PRIx64 " says 0x%" PRIx64,
			 what, pa, got);
}

/* Mostly memory that comes and goes, sometimes memory that stays. */
static cop_pa pick(const struct run_plan *plan, uint64_t *seed, bool *removable)
{
	const uint64_t page = COP_LG2(plan->geom.page_lg2), dice = next_random(seed);
	const struct cop_mem_range *ram;

	*removable = !plan->rams || dice % 8;
	if (*removable) {
		const cop_pa block = plan->blocks[(dice >> 8) % plan->count];

		return block + COP_ALIGN_DOWN(next_random(seed) % COP_LG2(plan->section_lg2), page);
	}
	ram = &plan->ram[(dice >> 8) % plan->rams];
	return ram->start + COP_ALIGN_DOWN(next_random(seed) % ram->bytes, page);
}

/* What is in a page that the run itself uses: its mark, or nothing yet. */
static void check_contents(struct reader *r, cop_pa pa)
{
	const struct run_machine *m = r->all->machine;
	const cop_pa block = COP_ALIGN_DOWN(pa, COP_LG2(m->plan->section_lg2));
	uint64_t value;

	if (pa < machine_block_data(m, block))
		return;
	value = cop_load((const uint64_t *)cop_virt(cop_linear_va(&m->mem, pa)), relaxed);
	if (value == machine_pattern(pa))
		r->result.used++;
	else if (value)
		wrong(r, "contents of page", pa, value);
}

static void check_frame(struct reader *r, cop_pa pa, bool removable)
{
	struct run_machine *m = r->all->machine;
	const cop_pfn pfn = pa >> m->plan->geom.page_lg2;
	const struct cop_translation linear = cop_translate(&m->tree, cop_linear_va(&m->mem, pa));
	const struct cop_translation memmap = cop_translate(&m->tree, cop_page_va(&m->mem, pfn));
	const struct cop_page *page = cop_page(&m->mem, pfn);
	const uint64_t flags = cop_load(&page->flags, relaxed);

	if (linear.pa != pa)
		wrong(r, "linear map", pa, linear.pa);
	if (memmap.pa == COP_PA_NONE)
		wrong(r, "memmap", pa, memmap.pa);
	if (flags & ~(uint64_t)(2 * COP_PG_OFFLINE - 1) || (removable && flags & COP_PG_RESERVED))
		wrong(r, "struct page flags", pa, flags);
	if (removable)
		check_contents(r, pa);
}

/*
 * The rule of memory.h: inside one read section, after cop_pfn_valid() said yes, struct page and linear map stay. A
 * frame that is not valid may be half there: nothing is asked of it.
 */
static void look(struct reader *r)
{
	const struct run_machine *m = r->all->machine;
	bool removable;
	const cop_pa pa = pick(m->plan, &r->seed, &removable);

	cop_rcu_read_lock();
	r->result.looks++;
	if (cop_pfn_valid(&m->mem, pa >> m->plan->geom.page_lg2))
		check_frame(r, pa, removable);
	else if (removable)
		r->result.absent++;
	else
		wrong(r, "boot memory", pa, 0);
	cop_rcu_read_unlock();
}

static void *read_thread(void *arg)
{
	struct reader *r = arg;

	r->err = cop_host_thread_start(r->cpu);
	pthread_barrier_wait(&r->all->started);
	if (r->err)
		return NULL;
	while (!atomic_load_explicit(&r->all->stop, memory_order_relaxed)) {
		look(r);
		cop_host_poll();
	}
	cop_host_thread_stop();
	return NULL;
}

struct readers *readers_start(struct run_machine *m)
{
	const unsigned n = m->options->readers;
	struct readers *all = calloc(1, sizeof(*all) + n * sizeof(all->reader[0]));

	if (!all || pthread_barrier_init(&all->started, NULL, n + 1))
		cli_fail(CLI_HOST, "out of memory");
	all->machine = m;
	for (; all->count < n; all->count++) {
		struct reader *r = &all->reader[all->count];

		r->all = all;
		r->cpu = m->options->cpus + all->count;
		r->seed = 0x9e3779b97f4a7c15ULL * (r->cpu + 1);
		if (pthread_create(&r->thread, NULL, read_thread, r))
			cli_fail(CLI_HOST, "no thread for reader %u of %u; expected fewer --readers", all->count + 1,
				 n);
	}
	pthread_barrier_wait(&all->started);
	for (unsigned i = 0; i < n; i++)
		if (all->reader[i].err)
			cli_fail(CLI_HOST, "reader %u: %s", i, machine_error(all->reader[i].err));
	return all;
}

struct reader_result readers_stop(struct readers *all)
{
	struct reader_result sum = {0};

	atomic_store(&all->stop, true);
	for (unsigned i = 0; i < all->count; i++) {
		const struct reader_result *r = &all->reader[i].result;

		pthread_join(all->reader[i].thread, NULL);
		sum.looks += r->looks;
		sum.absent += r->absent;
		sum.used += r->used;
		sum.wrong += r->wrong;
		if (r->wrong && !sum.first_wrong[0])
			memcpy(sum.first_wrong, r->first_wrong, sizeof(sum.first_wrong));
	}
	pthread_barrier_destroy(&all->started);
	free(all);
	return sum;
}
