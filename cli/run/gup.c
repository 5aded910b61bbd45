// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/out.h"
#include "cli/run/gup_room.h"

const char *const gup_event_names[GUP_EVENTS] = {
	"spaces", "grown",     "faults", "discarded", "mapped anew",       "protected",
	"forks",  "evictions", "folios", "moves",     "frames made empty", "no memory",
};

/* ---- what the space is ---- */

/* The fewest levels whose root is a whole table, and the numbers of bits that it grows to. */
static void choose_geometry(struct gup *g, const struct run_plan *plan)
{
	static const uint8_t first[] = {[COP_ARM64] = 0, [COP_X86_64] = 0, [COP_RISCV64] = 39, [COP_S390X] = 42};
	static const uint8_t next[][GUP_WINDOWS - 1] = {
		[COP_ARM64] = {48}, [COP_X86_64] = {0}, [COP_RISCV64] = {48, 57}, [COP_S390X] = {53, 64}};
	/* One register says how many levels there are, for the kernel too. */
	const unsigned most = plan->geom.arch == COP_RISCV64 ? plan->geom.va_bits : 64;
	unsigned bits = first[plan->geom.arch];

	g->geom = plan->geom;
	if (g->geom.half == COP_HALF_HIGH)
		g->geom.half = COP_HALF_LOW;
	if (plan->geom.arch == COP_ARM64)
		bits = plan->geom.page_lg2 == 12 ? 39 : plan->geom.page_lg2 == 14 ? 47 : 42;
	if (!bits || bits > most)
		return;
	g->geom.va_bits = (uint8_t)bits;
	g->geom.levels = 1;
	while (plan->format->shift(g->geom.levels) < bits)
		g->geom.levels++;
	while (g->grows < GUP_WINDOWS - 1 && next[plan->geom.arch][g->grows] &&
	       next[plan->geom.arch][g->grows] <= most) {
		g->bits[g->grows] = next[plan->geom.arch][g->grows];
		g->grows++;
	}
}

/* Little of the boot memory, from which memory that is added has its memmap. */
static void choose_sizes(struct gup *g, const struct run_plan *plan)
{
	const uint64_t room = plan->boot_bytes / 32;
	const uint64_t pages = room / GUP_WINDOWS / g->page / 16 * 16;

	g->pages = pages > GUP_PAGES ? GUP_PAGES : pages < 16 ? 16 : (unsigned)pages;
	g->order = 21U - plan->geom.page_lg2;
	while (g->order > 1 && (g->page << g->order) * GUP_FOLIOS > room)
		g->order--;
}

/* ---- threads ---- */

unsigned gup_cpus(const struct run_options *o)
{
	return o->gup ? o->gup + 1 : 0;
}

static void *run_thread(void *arg)
{
	struct gup_thread *t = arg;

	t->err = cop_host_thread_start(t->cpu);
	pthread_barrier_wait(&t->all->started);
	if (t->err)
		return NULL;
	t->work(t);
	cop_host_thread_stop();
	return NULL;
}

static void start_thread(struct gup *g, struct gup_thread *t, unsigned number, void (*work)(struct gup_thread *))
{
	const struct run_options *o = g->machine->options;

	t->all = g;
	t->work = work;
	t->cpu = o->cpus + o->readers + number;
	t->seed = 0x9e3779b97f4a7c15ULL * (t->cpu + 1);
	if (pthread_create(&t->thread, NULL, run_thread, t))
		cli_fail(CLI_HOST, "no thread for --gup, number %u of %u; expected fewer", number + 1, gup_cpus(o));
}

static void start_all(struct gup *g)
{
	for (unsigned i = 0; i < g->threads; i++)
		start_thread(g, &g->thread[i], i, gup_work);
	start_thread(g, &g->changer, g->threads, gup_change);
	pthread_barrier_wait(&g->started);
	for (unsigned i = 0; i < g->threads; i++)
		if (g->thread[i].err)
			cli_fail(CLI_HOST, "--gup, thread %u: %s", i, machine_error(g->thread[i].err));
	if (g->changer.err)
		cli_fail(CLI_HOST, "--gup: %s", machine_error(g->changer.err));
}

struct gup *gup_start(struct run_machine *m)
{
	const unsigned n = m->options->gup;
	struct gup *g;

	if (!n)
		return NULL;
	g = calloc(1, sizeof(*g) + n * sizeof(g->thread[0]));
	if (!g || pthread_barrier_init(&g->started, NULL, n + 2))
		cli_fail(CLI_HOST, "out of memory");
	g->machine = m;
	g->threads = n;
	g->page = COP_LG2(m->plan->geom.page_lg2);
	g->tick = 1;
	g->fragments = m->plan->format->min_table_lg2 < m->plan->geom.page_lg2;
	cop_rwsem_init(&g->alive);
	cop_mutex_init(&g->evict_lock);
	cop_mutex_init(&g->folios_lock);
	choose_geometry(g, m->plan);
	choose_sizes(g, m->plan);
	for (unsigned i = 0; i < GUP_FOLIOS; i++)
		g->folio[i].pfn = COP_PFN_NONE;
	if (!gup_begin(g))
		cli_fail(CLI_USAGE, "--gup: no memory for an address space; expected a larger --boot");
	m->gup = g;
	start_all(g);
	return g;
}

/* ---- memory that is taken away ---- */

static bool find_slot(const struct gup *g, cop_va va, unsigned *window, unsigned *slot)
{
	for (unsigned w = 0; w <= g->life.grown; w++) {
		if (va < g->life.window[w] || va - g->life.window[w] >= g->pages * g->page)
			continue;
		*window = w;
		*slot = (unsigned)((va - g->life.window[w]) / g->page);
		return true;
	}
	return false;
}

static bool maps(const struct gup *g, cop_va va, cop_pfn pfn)
{
	cop_pa pa;

	cop_rcu_read_lock();
	pa = cop_translate_pa(&g->life.space.tree, va);
	cop_rcu_read_unlock();
	return pa == pfn * g->page;
}

/* What only a child has, or a pin: it soon goes. */
static void vacate(struct gup *g, cop_pfn pfn)
{
	const struct cop_page *page = cop_page(&g->machine->mem, pfn);
	const uint64_t mapping = cop_load(&page->mapping, relaxed), index = cop_load(&page->index, relaxed);
	unsigned window, slot;

	if (mapping == GUP_FOLIO_OWNER) {
		if (!gup_folio_vacate(g, pfn))
			return;
	} else if (mapping == (uint64_t)(uintptr_t)&g->life.cache && index < g->pages / 4) {
		gup_evict(g, (unsigned)index);
	} else if ((mapping & COP_MAPPING_ANON) && maps(g, index * g->page, pfn) &&
		   find_slot(g, index * g->page, &window, &slot)) {
		gup_discard(g, window, slot, 1);
	} else {
		return;
	}
	gup_event(g, GUP_VACATED);
}

int gup_vacate(struct gup *g, cop_pfn pfn, unsigned order)
{
	struct cop_mem *mem = &g->machine->mem;
	bool got;

	(void)order;
	cop_rcu_read_lock();
	got = cop_page_try_get(mem, pfn);
	cop_rcu_read_unlock();
	if (!got)
		return -COP_EAGAIN;
	cop_rwsem_read_lock(&g->alive);
	if (g->life.there)
		vacate(g, pfn);
	cop_rwsem_read_unlock(&g->alive);
	cop_page_put(mem, pfn);
	return 0;
}

bool gup_found(const struct gup *g)
{
	return atomic_load(&g->told);
}

/* ---- when all is over ---- */

/* The space's memory is all there is that can be moved; only folios can have pins that are not references. */
static void count_left(const struct run_machine *m, struct gup_result *r)
{
	const struct cop_mem *mem = &m->mem;

	for (cop_pfn pfn = mem->pa_start >> mem->page_lg2; pfn < mem->pa_limit >> mem->page_lg2; pfn++) {
		const struct cop_page *page;

		if (!cop_pfn_valid(mem, pfn)) {
			pfn |= COP_LG2(mem->section_lg2 - mem->page_lg2) - 1;
			continue;
		}
		page = cop_page(mem, pfn);
		r->pins_left += cop_load(&page->pincount, relaxed);
		if (!(cop_load(&page->flags, relaxed) & COP_PG_MOVABLE))
			continue;
		r->frames_left++;
		r->references_left += cop_load(&page->refcount, relaxed);
	}
}

static void sum_up(struct gup *g, struct gup_result *r)
{
	r->thread = calloc(g->threads, sizeof(*r->thread));
	if (!r->thread)
		cli_fail(CLI_HOST, "out of memory");
	r->threads = g->threads;
	r->wrong = g->changer.count.wrong;
	for (unsigned i = 0; i < g->threads; i++) {
		r->thread[i] = g->thread[i].count;
		r->wrong += g->thread[i].count.wrong;
	}
	for (unsigned i = 0; i < GUP_EVENTS; i++)
		r->events[i] = atomic_load(&g->events[i]);
	r->levels = g->geom.levels;
	r->levels_last = g->geom.levels;
	for (unsigned bits = g->grows ? g->bits[g->grows - 1] : 0;
	     g->machine->plan->format->shift(r->levels_last) < bits;)
		r->levels_last++;
	r->fragments = g->fragments;
	r->fragments_left = g->left;
	memcpy(r->first_wrong, g->first_wrong, sizeof(r->first_wrong));
}

struct gup_result gup_stop(struct gup *g)
{
	struct gup_result r = {0};

	if (!g)
		return r;
	atomic_store(&g->stop, true);
	for (unsigned i = 0; i < g->threads; i++)
		pthread_join(g->thread[i].thread, NULL);
	pthread_join(g->changer.thread, NULL);
	gup_end(g);
	cop_host_rcu_barrier();
	count_left(g->machine, &r);
	sum_up(g, &r);
	g->machine->gup = NULL;
	pthread_barrier_destroy(&g->started);
	free(g);
	return r;
}

void gup_result_free(struct gup_result *r)
{
	free(r->thread);
	r->thread = NULL;
}
