/* SPDX-License-Identifier: MIT */
/* Words of the machine's memory, where simulated code believes them to be, and the history of each. */
#include "ports/sim/sim.h"
#include "checker/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define DESC_BYTES 64
#define LOG        (1U << 20) /* writes in one execution */

/* A word's overwritten value. Newest last. */
struct write {
	uint64_t *at_word;
	cop_pa pa; /* COP_PA_NONE: a descriptor */
	uint64_t old, time;
	struct sim_at at;
	uint32_t before; /* index + 1 of this word's previous write */
	uint8_t by;      /* coroutine, or SIM_HARDWARE */
};

static struct {
	uint8_t *phys, *desc;               /* really there */
	uint8_t *phys_window, *desc_window; /* what simulated code sees; never accessible */
	uint64_t desc_bytes;
	uint32_t *last; /* per word of physical memory: index + 1 of its newest write */
	uint32_t *desc_last;
	uint64_t *used; /* a bit per word of physical memory: has ever held an entry; only grows */
	uint8_t *runs;  /* per frame: an entry there was of a contiguous run; only grows */
	struct write *log;
	uint32_t writes;
} memory;

static void *reserve(uint64_t bytes, int protection)
{
	void *p = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("sim: mmap");
		abort();
	}
	return p;
}

static size_t all_frames(void)
{
	return (size_t)(sim.config.pa_bytes >> sim.config.frame_lg2);
}

static uint64_t used_bytes(void)
{
	return COP_ALIGN_UP(sim.config.pa_bytes / 64, 8) + 8;
}

void sim_memory_on(void)
{
	uint64_t bytes = sim.config.pa_bytes;

	memory.desc_bytes = (bytes >> sim.config.frame_lg2) * DESC_BYTES;
	memory.phys = reserve(bytes, PROT_READ | PROT_WRITE);
	memory.desc = reserve(memory.desc_bytes, PROT_READ | PROT_WRITE);
	memory.phys_window = reserve(bytes, PROT_NONE);
	memory.desc_window = reserve(memory.desc_bytes, PROT_NONE);
	memory.last = reserve(bytes / 8 * sizeof(*memory.last), PROT_READ | PROT_WRITE);
	memory.desc_last = reserve(memory.desc_bytes / 8 * sizeof(*memory.desc_last), PROT_READ | PROT_WRITE);
	memory.used = reserve(used_bytes(), PROT_READ | PROT_WRITE);
	memory.runs = reserve(all_frames(), PROT_READ | PROT_WRITE);
	memory.log = reserve(LOG * sizeof(*memory.log), PROT_READ | PROT_WRITE);
	memory.writes = 0;
	engine_region(&memory.writes, sizeof(memory.writes));
}

void sim_memory_off(void)
{
	munmap(memory.phys, sim.config.pa_bytes);
	munmap(memory.desc, memory.desc_bytes);
	munmap(memory.phys_window, sim.config.pa_bytes);
	munmap(memory.desc_window, memory.desc_bytes);
	munmap(memory.last, sim.config.pa_bytes / 8 * sizeof(*memory.last));
	munmap(memory.desc_last, memory.desc_bytes / 8 * sizeof(*memory.desc_last));
	munmap(memory.used, used_bytes());
	munmap(memory.runs, all_frames());
	munmap(memory.log, LOG * sizeof(*memory.log));
	memset(&memory, 0, sizeof(memory));
}

static uint32_t *last_of(const uint64_t *word, cop_pa pa)
{
	return pa == COP_PA_NONE ? &memory.desc_last[word - (const uint64_t *)(const void *)memory.desc]
				 : &memory.last[pa / 8];
}

/* What setup wrote becomes what memory has always held: no CPU remembers anything older. */
void sim_memory_mark(void)
{
	for (uint32_t i = 0; i < memory.writes; i++)
		*last_of(memory.log[i].at_word, memory.log[i].pa) = 0;
	memory.writes = 0;
}

void *sim_phys(cop_pa pa)
{
	if (pa >= sim.config.pa_bytes)
		sim_fail("wild-physical", "cop_phys(%#llx): there is no such memory", (unsigned long long)pa);
	return memory.phys_window + pa;
}

struct cop_ptdesc *sim_ptdesc(cop_pa table)
{
	if (table >= sim.config.pa_bytes)
		sim_fail("wild-physical", "cop_ptdesc(%#llx): there is no such memory", (unsigned long long)table);
	return (void *)(memory.desc_window + (table >> sim.config.frame_lg2) * DESC_BYTES);
}

/*
 * Bit 55 tells the two halves apart on every host we know, and no user address has it: a translated address of either
 * half is one that the host cannot access.
 */
#define VIRT_LOW (1ULL << 55)

void *sim_virt(cop_va va)
{
	return (void *)(uintptr_t)(va < VIRT_LOW ? va | VIRT_LOW : va);
}

struct sim_place sim_place_of(const volatile void *p)
{
	uint64_t address = (uintptr_t)p;

	if (address - (uintptr_t)memory.phys_window < sim.config.pa_bytes)
		return (struct sim_place){SIM_PHYS, address - (uintptr_t)memory.phys_window};
	if (address - (uintptr_t)memory.desc_window < memory.desc_bytes)
		return (struct sim_place){SIM_DESC, address - (uintptr_t)memory.desc_window};
	if (address >> 63)
		return (struct sim_place){SIM_VIRT, address};
	if (address & VIRT_LOW)
		return (struct sim_place){SIM_VIRT, address & ~VIRT_LOW};
	return (struct sim_place){SIM_HOST, address};
}

static void *real(struct sim_place place)
{
	switch (place.space) {
	case SIM_PHYS:
		return memory.phys + place.address;
	case SIM_DESC:
		return memory.desc + place.address;
	default:
		return (void *)(uintptr_t)place.address;
	}
}

static uint64_t *word_of(cop_pa pa)
{
	return (uint64_t *)(void *)(memory.phys + (pa & ~7ULL));
}

struct sim_value sim_word_now(cop_pa word)
{
	uint32_t last = memory.last[word / 8];

	return (struct sim_value){.value = *word_of(word),
				  .set = last ? memory.log[last - 1].time : 0,
				  .end = SIM_FOREVER,
				  .by = last ? memory.log[last - 1].by : SIM_HARDWARE,
				  .before_ = last};
}

bool sim_word_before(struct sim_value *v)
{
	const struct write *w;

	if (!v->before_)
		return false;
	w = &memory.log[v->before_ - 1];
	v->value = w->old;
	v->end = w->time;
	v->ended = w->at;
	v->before_ = w->before;
	v->set = w->before ? memory.log[w->before - 1].time : 0;
	return true;
}

bool sim_word_changed(cop_pa word)
{
	return memory.last[word / 8] != 0;
}

uint32_t sim_writes(void)
{
	return memory.writes;
}

cop_pa sim_write_at(uint32_t i)
{
	return memory.log[i].pa;
}

bool sim_write_is_newest(uint32_t i)
{
	return memory.log[i].pa != COP_PA_NONE && memory.last[memory.log[i].pa / 8] == i + 1;
}

struct sim_written sim_write_first(uint32_t i)
{
	const struct write *w = &memory.log[i];

	return (struct sim_written){w->before ? NULL : w->at_word, w->pa, w->old};
}

void sim_word_use(cop_pa word)
{
	memory.used[word / 512] |= COP_LG2(word / 8 % 64);
}

/* Who was asked before has not looked at the neighbours. */
void sim_word_use_run(cop_pa word)
{
	uint8_t *runs = &memory.runs[sim.frame[word >> sim.config.frame_lg2].base >> sim.config.frame_lg2];

	if (*runs)
		return;
	*runs = 1;
	if (!sim.solo)
		sim_search_again();
}

bool sim_has_runs(cop_pa table)
{
	return memory.runs[table >> sim.config.frame_lg2];
}

bool sim_word_used(cop_pa word)
{
	return memory.used[word / 512] & COP_LG2(word / 8 % 64);
}

uint64_t sim_next_used(cop_pa table, uint64_t from, uint64_t n)
{
	while (from < n) {
		cop_pa word = table + from * 8;
		uint64_t bits = memory.used[word / 512] >> word / 8 % 64;

		if (bits) {
			from += (uint64_t)__builtin_ctzll(bits);
			return from < n ? from : n;
		}
		from += 64 - word / 8 % 64;
	}
	return n;
}

uint64_t *sim_real_word(const volatile void *p)
{
	return (uint64_t *)((uintptr_t)real(sim_place_of(p)) & ~(uintptr_t)7);
}

uint64_t sim_peek_word(const volatile void *p)
{
	return *sim_real_word(p);
}

uint64_t sim_peek(const volatile void *p, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, real(sim_place_of(p)), size);
	return v;
}

/* The log itself need not be put back: only how much of it there is. */
static void log_word(uint64_t *word, cop_pa pa, struct sim_at at)
{
	uint32_t *last = last_of(word, pa);

	if (memory.writes == LOG)
		sim_fail("sim-limit", "more than %u writes to memory in one execution", LOG);
	engine_save(word, sizeof(*word));
	memory.log[memory.writes++] = (struct write){.at_word = word,
						     .pa = pa,
						     .old = *word,
						     .time = ++sim.now,
						     .at = at,
						     .before = *last,
						     .by = (uint8_t)sim.current};
	engine_save(last, sizeof(*last));
	*last = memory.writes;
}

void sim_poke(volatile void *p, uint64_t v, unsigned size, struct sim_at at)
{
	struct sim_place place = sim_place_of(p);
	uint8_t *to = real(place);
	uint64_t *word = (uint64_t *)((uintptr_t)to & ~(uintptr_t)7);

	if (place.space == SIM_HOST) {
		engine_save(word, sizeof(*word));
		sim.elsewhere |= (uintptr_t)word - (uintptr_t)sim.world >= sim.world_bytes;
	} else {
		log_word(word, place.space == SIM_PHYS ? place.address & ~7ULL : COP_PA_NONE, at);
	}
	memcpy(to, &v, size);
}

void sim_poke_by_hardware(cop_pa word, uint64_t v, struct sim_at at)
{
	sim_poke(sim_phys(word), v, 8, at);
	memory.log[memory.writes - 1].by = SIM_HARDWARE;
}

void sim_poke_fill(cop_pa pa, uint64_t v, uint64_t bytes)
{
	uint64_t *word = word_of(pa);

	engine_save(word, bytes);
	for (uint64_t i = 0; i < bytes / 8; i++)
		word[i] = v;
	for (cop_pa p = pa; p < pa + bytes; p += COP_LG2(sim.config.frame_lg2)) {
		struct sim_frame *f = sim_frame_change(p);

		f->filled = true;
		f->fill = v;
	}
	/* Part of a frame: neither one nor the other. */
	sim.elsewhere |= (pa | bytes) & (COP_LG2(sim.config.frame_lg2) - 1);
	sim.now++;
}
