// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "cli/run/cycle.h"
#include "cli/run/gup.h"

#define HOST_PAGE 4096

const char *const step_names[STEPS] = {"add", "online", "use", "offline", "remove", "all at once"};

static uint64_t block_bytes(const struct cycle *c)
{
	return COP_LG2(c->machine->plan->section_lg2);
}

/*
 * A word into each of the host's pages, so that it holds them. Readers expect it, or zero while it is not there yet. The
 * host is asked for all at once where it knows how (Linux 5.14); else each store is a fault.
 */
static int use(const struct run_machine *m, cop_pa block, uint64_t bytes)
{
	const cop_pa data = machine_block_data(m, block);

#ifdef MADV_POPULATE_WRITE
	(void)madvise(cop_phys(data), block + bytes - data, MADV_POPULATE_WRITE);
#endif
	for (cop_pa pa = data; pa < block + bytes; pa += HOST_PAGE)
		cop_store((uint64_t *)cop_phys(pa), machine_pattern(pa), relaxed);
	return 0;
}

/* Whoever has pinned a page there lets go of it soon; whoever is not heard of for so long has lost it. */
#define PATIENCE 30 /* seconds */

static int offline(struct run_machine *m, cop_pa block, uint64_t bytes)
{
	const double began = out_now();
	int err;

	do
		err = cop_mem_offline(&m->mem, block, bytes);
	while (err == -COP_EBUSY && m->gup && out_now() - began < PATIENCE);
	return err;
}

static int take_step(struct cycle *c, enum run_step step, cop_pa block)
{
	struct run_machine *m = c->machine;
	const uint64_t bytes = block_bytes(c);

	switch (step) {
	case STEP_ADD:
		return cop_mem_add(&m->mem, block, bytes, m->options->altmap ? COP_ADD_ALTMAP : 0);
	case STEP_ONLINE:
		return cop_mem_online(&m->mem, block, bytes, COP_ZONE_MOVABLE);
	case STEP_USE:
		return use(m, block, bytes);
	case STEP_OFFLINE:
		return offline(m, block, bytes);
	case STEP_REMOVE:
		return cop_mem_remove(&m->mem, block, bytes);
	default:
		return -COP_EINVAL;
	}
}

static void fail(struct cycle *c, enum run_step step, cop_pa block, int err)
{
	if (!atomic_exchange(&c->failed, true))
		snprintf(c->error, sizeof(c->error), "%s of the block at 0x%" PRIx64 ": %s", step_names[step], block,
			 machine_error(err));
}

static bool take(struct cycle *c, enum run_step step, cop_pa block)
{
	const int err = take_step(c, step, block);

	if (err)
		fail(c, step, block, err);
	return !err;
}

static bool take_around(struct cycle *c, cop_pa block)
{
	return take(c, STEP_OFFLINE, block) && take(c, STEP_REMOVE, block) && take(c, STEP_ADD, block) &&
	       take(c, STEP_USE, block) && take(c, STEP_ONLINE, block);
}

static bool stopped(struct cycle *c)
{
	const struct gup *gup = c->machine->gup;

	return atomic_load(c->stop) || atomic_load(&c->failed) || (gup && gup_found(gup));
}

/* CPU 0 speaks for all. */
static void show_progress(struct cycle *c)
{
	const double step = (double)atomic_load(&c->done) / c->machine->plan->count;

	if (cop_cpu() == 0 && c->steps_planned)
		out_progress(&c->progress, (c->steps_done + step) / c->steps_planned);
}

static void work(void *arg)
{
	struct cycle *c = arg;
	const struct run_plan *plan = c->machine->plan;
	struct cpu_result *mine = &c->cpus[cop_cpu()];
	const double began = out_now();
	unsigned i;

	while (!stopped(c) && (i = atomic_fetch_add(&c->next, 1)) < plan->count) {
		const cop_pa block = plan->blocks[i];

		if (c->step == STEP_AT_ONCE ? !take_around(c, block) : !take(c, c->step, block))
			break;
		mine->blocks++;
		atomic_fetch_add(&c->done, 1);
		show_progress(c);
	}
	mine->busy += out_now() - began;
}

static void add_events(struct cop_host_events *sum, const struct cop_host_events *from,
		       const struct cop_host_events *to)
{
	const uint64_t *a = (const uint64_t *)from, *b = (const uint64_t *)to;
	uint64_t *s = (uint64_t *)sum;

	/* Nothing but counters. */
	for (size_t i = 0; i < sizeof(*sum) / sizeof(*s); i++)
		s[i] += b[i] - a[i];
}

static void measure_after(struct cycle *c, struct step_result *r)
{
	struct cop_mem_account account;

	/* Tables are given back after a grace period: part of what this step costs, but not of its time. */
	cop_host_rcu_barrier();
	account = cop_mem_account(&c->machine->mem);
	r->tables = account.tables;
	r->memmap = account.memmap_early + account.memmap_buddy + account.memmap_altmap;
	r->held = cop_host_held();
}

bool cycle_step(struct cycle *c, enum run_step step)
{
	struct step_result *r = &c->steps[step];
	const struct cop_host_events before = cop_host_counts();
	const double began = out_now();
	struct cop_host_events after;
	int err;

	c->step = step;
	atomic_store(&c->next, 0);
	atomic_store(&c->done, 0);
	err = cop_host_run(c->machine->options->cpus, work, c);
	if (err)
		fail(c, step, 0, err);
	r->seconds += out_now() - began;
	after = cop_host_counts();
	add_events(&r->events, &before, &after);
	r->times++;
	r->blocks += atomic_load(&c->done);
	r->bytes += atomic_load(&c->done) * block_bytes(c);
	c->steps_done++;
	measure_after(c, r);
	return !stopped(c);
}

static bool settle(struct cycle *c, cop_pa block, bool online)
{
	const struct cop_mem *mem = &c->machine->mem;
	bool ok = true;

	if (online) {
		if (cop_mem_block_state(mem, block) == COP_BLOCK_ABSENT)
			ok = take(c, STEP_ADD, block);
		if (ok && cop_mem_block_state(mem, block) == COP_BLOCK_OFFLINE)
			return take(c, STEP_ONLINE, block) && take(c, STEP_USE, block);
		/* Stopped half way: an online block may hold nothing yet. */
		if (ok && stopped(c))
			ok = take(c, STEP_USE, block);
		return ok;
	}
	if (cop_mem_block_state(mem, block) == COP_BLOCK_ONLINE)
		ok = take(c, STEP_OFFLINE, block);
	if (ok && cop_mem_block_state(mem, block) == COP_BLOCK_OFFLINE)
		ok = take(c, STEP_REMOVE, block);
	return ok;
}

bool cycle_settle(struct cycle *c, bool online)
{
	const struct run_plan *plan = c->machine->plan;
	bool ok = true;

	for (unsigned i = 0; i < plan->count; i++)
		ok &= settle(c, plan->blocks[i], online);
	cop_host_rcu_barrier();
	return ok;
}
