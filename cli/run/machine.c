// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/run/gup.h"
#include "cli/run/machine.h"

#define HOST_PAGE 4096

static int populate(void *ctx, cop_pa pa, uint64_t bytes)
{
	(void)ctx;
	return cop_host_populate(pa, bytes);
}

static void punch(void *ctx, cop_pa pa, uint64_t bytes)
{
	(void)ctx;
	if (cop_host_punch(pa, bytes))
		cop_panic("punch", NULL);
}

static int migrate(void *ctx, struct cop_mem *mem, cop_pfn pfn, unsigned order)
{
	const struct run_machine *m = ctx;

	(void)mem;
	return m->gup ? gup_vacate(m->gup, pfn, order) : -COP_EBUSY;
}

/* The TLB miss. */
static struct cop_host_translation translate(void *ctx, cop_va va)
{
	const struct run_machine *m = ctx;
	struct cop_host_translation to = {.bytes = 0};
	struct cop_translation at;

	cop_rcu_read_lock();
	at = cop_translate(&m->tree, va);
	cop_rcu_read_unlock();
	if (at.pa == COP_PA_NONE)
		return to;
	to.bytes = COP_LG2(at.size_lg2);
	to.va = COP_ALIGN_DOWN(va, to.bytes);
	to.pa = at.pa - (va - to.va);
	to.writable = at.attrs & COP_WRITE;
	to.global = at.attrs & COP_GLOBAL;
	return to;
}

/* A broken rule ends the run: it is what the tool is there to find. */
static void panic(const char *rule, const void *where)
{
	fprintf(stderr, "%s: broken rule \"%s\" at %p\n", cli_name, rule, where);
	_exit(CLI_FINDING);
}

const char *machine_error(int err)
{
	switch (-err) {
	case COP_ENOMEM:
		return "not enough memory";
	case COP_ERANGE:
		return "beyond what the tables can map";
	case COP_EBUSY:
		return "in use";
	case COP_EAGAIN:
		return "another operation is under way";
	case COP_EADDRINUSE:
		return "addresses are taken";
	case COP_EEXIST:
		return "already there";
	case COP_ENOENT:
		return "not there";
	case COP_EINVAL:
		return "invalid";
	default:
		return strerrordesc_np(-err);
	}
}

static struct cop_mem_config configure(struct run_machine *m)
{
	const struct run_plan *plan = m->plan;

	return (struct cop_mem_config){
		.geom = plan->geom,
		.ram = plan->ram,
		.rams = plan->rams,
		.reserved = plan->reserved,
		.reserveds = plan->reserveds,
		.pa_start = plan->pa_start,
		.pa_limit = plan->pa_limit,
		.section_lg2 = plan->section_lg2,
		.hooks = {.populate = populate, .punch = punch, .migrate = migrate, .ctx = m},
	};
}

static void power_on(struct run_machine *m, const struct cop_layout *layout)
{
	struct cop_host_config host = {
		.phys_bytes = COP_ALIGN_UP(m->plan->pa_limit, COP_LG2(m->plan->section_lg2)),
		.window_va = layout->linear_start,
		.window_bytes = COP_ALIGN_UP(layout->vmemmap_last - layout->linear_start, (uint64_t)2 << 20),
		.cpus = m->options->cpus + m->options->readers + gup_cpus(m->options),
	};
	int err;

	host.phys_bytes = COP_ALIGN_UP(host.phys_bytes, 1 << 16);
	err = cop_host_init(&host);
	if (err)
		cli_fail(CLI_HOST, "cannot power on a machine of %s with %u CPUs: %s", out_size(m->plan->pa_limit).s,
			 host.cpus, machine_error(err));
	cop_host_set_panic(panic);
	cop_host_set_translate(translate, m);
}

/*
 * All of boot memory and its table descriptors, once: from now on what the host holds for it is constant, and the rest
 * is what was added.
 */
static void touch_boot(const struct run_plan *plan)
{
	for (unsigned i = 0; i < plan->rams; i++) {
		const cop_pa end = plan->ram[i].start + plan->ram[i].bytes;

		for (cop_pa pa = plan->ram[i].start; pa < end; pa += HOST_PAGE) {
			volatile uint64_t *word = cop_phys(pa);
			volatile uint64_t *desc = (volatile uint64_t *)cop_ptdesc(pa);

			*word = *word;
			*desc = *desc;
		}
	}
}

void machine_boot(struct run_machine *m, const struct run_plan *plan, const struct run_options *options)
{
	struct cop_mem_config config;
	struct cop_layout_result layout;
	int err;

	memset(m, 0, sizeof(*m));
	m->plan = plan;
	m->options = options;
	config = configure(m);
	layout = cop_mem_layout_for(&config);
	if (layout.err)
		cli_fail(CLI_USAGE, "%s does not fit into %u-bit addresses (%s); expected more --levels or a --limit",
			 plan->map.source, plan->geom.va_bits, machine_error(layout.err));
	power_on(m, &layout.layout);
	m->arena = aligned_alloc(64, COP_ALIGN_UP(cop_mem_arena_bytes(&config), 64));
	if (!m->arena)
		cli_fail(CLI_HOST, "out of memory");
	err = cop_mem_boot(&m->mem, &m->tree, m->arena, &config);
	if (err)
		cli_fail(err == -COP_ENOMEM ? CLI_USAGE : CLI_HOST,
			 "%s: boot with %s of boot memory: %s; expected a larger --boot", plan->map.source,
			 out_size(plan->boot_bytes).s, machine_error(err));
	touch_boot(plan);
}

void machine_off(struct run_machine *m)
{
	cop_host_exit();
	free(m->arena);
}
