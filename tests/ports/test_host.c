/* SPDX-License-Identifier: MIT */
/* ports/host: the accessors, the TLB over a translation of our own, the memory, the CPUs. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <coppice/tables.h>
#include "ports/host/machine.h"

#define PAGE      4096ULL
#define MB        (1ULL << 20)
#define WINDOW    0xffff800000000000ULL
#define PHYS      (64 * MB)
#define WINDOW_MB 64
#define PAGES     (WINDOW_MB * MB / PAGE)
#define CPUS      4

/* ---- a machine whose "tables" are one array: page of the window -> entry ---- */

#define VALID    1ULL
#define WRITABLE 2ULL
#define GLOBAL   4ULL

static uint64_t entries[PAGES];
static uint64_t leaf_pages = 1;

static struct cop_host_translation translate(void *ctx, cop_va va)
{
	uint64_t page = COP_ALIGN_DOWN((va - WINDOW) / PAGE, leaf_pages);
	uint64_t entry = cop_load(&((uint64_t *)ctx)[page], acquire);
	struct cop_host_translation to = {.bytes = 0};

	if (!(entry & VALID))
		return to;
	to.va = WINDOW + page * PAGE;
	to.pa = COP_ALIGN_DOWN(entry, PAGE);
	to.bytes = leaf_pages * PAGE;
	to.writable = entry & WRITABLE;
	to.global = entry & GLOBAL;
	return to;
}

static void set(uint64_t page, cop_pa pa, uint64_t bits)
{
	cop_store(&entries[page], pa | VALID | bits, release);
	cop_mmu_publish();
}

static void invalidate(uint64_t page, uint64_t pages, uint8_t scope)
{
	struct cop_tlbi tlbi = {.start = WINDOW + page * PAGE,
				.last = WINDOW + (page + pages) * PAGE - 1,
				.stride_lg2 = 12,
				.level = COP_TLBI_ANY_LEVEL,
				.scope = scope};

	cop_tlbi(&tlbi);
	cop_tlb_sync();
}

static void unset(uint64_t page)
{
	cop_store(&entries[page], 0ULL, relaxed);
	cop_mmu_publish();
	invalidate(page, 1, COP_TLBI_LEAVES | COP_TLBI_GLOBAL);
}

static cop_va va_of(uint64_t page)
{
	return WINDOW + page * PAGE;
}

static void on(unsigned max_fills)
{
	struct cop_host_config config = {.phys_bytes = PHYS,
					 .window_va = WINDOW,
					 .window_bytes = WINDOW_MB * MB,
					 .cpus = CPUS,
					 .max_fills = max_fills};

	memset(entries, 0, sizeof(entries));
	leaf_pages = 1;
	assert_int_equal(cop_host_init(&config), 0);
	cop_host_set_translate(translate, entries);
}

static void off(void)
{
	cop_host_exit();
}

/* Host mappings inside the window, PROT_NONE ones included. */
static unsigned window_maps(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	unsigned n = 0;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		uint64_t start = strtoull(line, NULL, 16);

		n += start >= COP_HOST_WINDOW && start < COP_HOST_WINDOW + WINDOW_MB * MB;
	}
	(void)fclose(maps);
	return n;
}

static sigjmp_buf panicked;
static const char *panic_rule;

static void on_panic(const char *rule, const void *where)
{
	(void)where;
	panic_rule = rule;
	siglongjmp(panicked, 1);
}

/* ---- accessors ---- */

static void test_accessors(void **state)
{
	uint64_t words[19], copy[19], word = 5;
	uint8_t byte = 7;
	uint16_t half = 8;
	uint32_t single = 9;
	unsigned i;

	(void)state;
	cop_write(&word, 6ULL);
	assert_int_equal(cop_read(&word), 6);
	assert_int_equal(cop_xchg(&word, 10ULL, acq_rel), 6);
	assert_int_equal(cop_cas(&word, 9ULL, 11ULL, acq_rel), 10);
	assert_int_equal(cop_load(&word, relaxed), 10);
	assert_int_equal(cop_cas(&word, 10ULL, 11ULL, release), 10);
	assert_int_equal(cop_load(&word, acquire), 11);
	assert_int_equal(cop_fetch_add(&word, 4ULL, relaxed), 11);
	cop_store(&byte, (uint8_t)1, release);
	cop_store(&half, (uint16_t)2, relaxed);
	cop_store(&single, 3U, release);
	assert_int_equal(cop_load(&byte, relaxed) + cop_load(&half, acquire), 3);
	assert_int_equal(cop_cas(&single, 3U, 4U, acquire), 3);
	cop_fill64(words, 0x0123456789abcdefULL, sizeof(words));
	cop_copy(copy, words, sizeof(copy));
	for (i = 0; i < 19; i++)
		assert_true(copy[i] == 0x0123456789abcdefULL);
	cop_await(&word, words[0], words[0] == 15);
	assert_int_equal(words[0], 15);
}

static void test_addresses(void **state)
{
	(void)state;
	on(0);
	assert_ptr_equal(cop_phys(0x5000), (char *)cop_phys(0) + 0x5000);
	assert_ptr_equal(cop_virt(WINDOW + 0x5000), (char *)cop_virt(WINDOW) + 0x5000);
	assert_ptr_equal((char *)cop_ptdesc(0x800) - (char *)cop_ptdesc(0), sizeof(struct cop_ptdesc));
	assert_int_equal(cop_ptdesc(PHYS - 2048)->state, 0);
	off();
}

/* ---- translation ---- */

static void test_fill_and_drop(void **state)
{
	struct cop_host_events events;

	(void)state;
	on(0);
	assert_int_equal(cop_host_populate(0, 4 * MB), 0);
	cop_write((uint64_t *)cop_phys(0x3000), 33ULL);
	set(7, 0x3000, WRITABLE);
	assert_int_equal(cop_read((uint64_t *)cop_virt(va_of(7))), 33);
	cop_write((uint64_t *)cop_virt(va_of(7) + 8), 44ULL);
	assert_int_equal(cop_read((uint64_t *)cop_phys(0x3008)), 44);
	events = cop_host_counts();
	assert_int_equal(events.fills, 1);
	assert_int_equal(events.faults, 1);
	unset(7);
	events = cop_host_counts();
	assert_int_equal(events.drops, 1);
	assert_int_equal(window_maps(), 1);
	assert_true(cop_host_probe64(va_of(7)).fault);
	off();
}

static void test_stale_translation(void **state)
{
	struct cop_host_probe probe;

	(void)state;
	on(0);
	assert_int_equal(cop_host_populate(0, 4 * MB), 0);
	set(7, 0x3000, 0);
	assert_false(cop_host_probe64(va_of(7)).fault);
	/* Not invalidated: the TLB still has it, as a CPU's may. */
	cop_store(&entries[7], 0ULL, relaxed);
	assert_false(cop_host_probe64(va_of(7)).fault);
	invalidate(7, 1, COP_TLBI_GLOBAL);
	probe = cop_host_probe64(va_of(7));
	assert_true(probe.fault);
	assert_string_equal(probe.rule, "stale-translation");
	/* Without a probe it is a panic. */
	cop_host_set_panic(on_panic);
	panic_rule = "";
	if (!sigsetjmp(panicked, 1))
		(void)*(volatile uint64_t *)cop_virt(va_of(7));
	cop_host_set_panic(NULL);
	assert_string_equal(panic_rule, "stale-translation");
	/* The lock is free again. */
	set(7, 0x5000, 0);
	assert_false(cop_host_probe64(va_of(7)).fault);
	off();
}

static void test_read_only(void **state)
{
	struct cop_host_probe probe;

	(void)state;
	on(0);
	assert_int_equal(cop_host_populate(0, 4 * MB), 0);
	set(9, 0x4000, 0);
	assert_false(cop_host_probe64(va_of(9)).fault);
	probe = cop_host_probe_write64(va_of(9), 1);
	assert_true(probe.fault);
	assert_string_equal(probe.rule, "read-only");
	assert_int_equal(cop_read((uint64_t *)cop_phys(0x4000)), 0);
	/* More permission needs no invalidation: the fault is spurious. */
	set(9, 0x4000, WRITABLE);
	assert_false(cop_host_probe_write64(va_of(9), 2).fault);
	assert_int_equal(cop_read((uint64_t *)cop_phys(0x4000)), 2);
	/* A first access that writes. */
	set(10, 0x4000, 0);
	assert_true(cop_host_probe_write64(va_of(10), 3).fault);
	off();
}

static void test_large_leaf(void **state)
{
	(void)state;
	on(0);
	leaf_pages = 8 * MB / PAGE;
	assert_int_equal(cop_host_populate(16 * MB, 8 * MB), 0);
	cop_write((uint64_t *)cop_phys(16 * MB + 5 * MB), 55ULL);
	set(0, 16 * MB, WRITABLE);
	assert_int_equal(cop_read((uint64_t *)cop_virt(WINDOW + 5 * MB)), 55);
	assert_int_equal(cop_read((uint64_t *)cop_virt(WINDOW + 4 * MB)), 0);
	assert_int_equal(cop_host_counts().fills, 1);
	(void)cop_read((volatile uint64_t *)cop_virt(WINDOW + 6 * MB));
	assert_int_equal(cop_host_counts().fills, 2);
	/* One page of the leaf is named; both chunks cannot stay, that of the page at least must go. */
	cop_store(&entries[0], 0ULL, relaxed);
	invalidate(5 * MB / PAGE, 1, COP_TLBI_GLOBAL);
	assert_true(cop_host_probe64(WINDOW + 4 * MB).fault);
	invalidate(0, leaf_pages, COP_TLBI_GLOBAL);
	assert_true(cop_host_probe64(WINDOW + 6 * MB).fault);
	assert_int_equal(window_maps(), 1);
	off();
}

static void test_global(void **state)
{
	struct cop_tlbi all = {.stride_lg2 = 12, .scope = COP_TLBI_ASID};

	(void)state;
	on(0);
	assert_int_equal(cop_host_populate(0, 4 * MB), 0);
	set(1, 0x1000, GLOBAL);
	set(2, 0x2000, 0);
	assert_false(cop_host_probe64(va_of(1)).fault);
	assert_false(cop_host_probe64(va_of(2)).fault);
	cop_store(&entries[1], 0ULL, relaxed);
	cop_store(&entries[2], 0ULL, relaxed);
	invalidate(0, 16, COP_TLBI_LEAVES);
	assert_false(cop_host_probe64(va_of(1)).fault);
	assert_true(cop_host_probe64(va_of(2)).fault);
	cop_tlbi(&all);
	assert_false(cop_host_probe64(va_of(1)).fault);
	all.scope |= COP_TLBI_GLOBAL;
	cop_tlbi(&all);
	assert_true(cop_host_probe64(va_of(1)).fault);
	off();
}

static void test_bounded(void **state)
{
	uint64_t i;

	(void)state;
	on(16);
	assert_int_equal(cop_host_populate(0, 8 * MB), 0);
	/* No two neighbours merge: the frames are in descending order. */
	for (i = 0; i < 1000; i++) {
		cop_write((uint64_t *)cop_phys((1000 - i) * PAGE), i);
		set(i, (1000 - i) * PAGE, WRITABLE);
	}
	for (i = 0; i < 1000; i++) {
		assert_int_equal(cop_read((uint64_t *)cop_virt(va_of(i))), i);
		assert_true(i % 100 || window_maps() <= 33);
	}
	assert_int_equal(cop_host_counts().evictions, 1000 - 16);
	for (i = 0; i < 1000; i += 37)
		assert_int_equal(cop_read((uint64_t *)cop_virt(va_of(i))), i);
	invalidate(0, PAGES, COP_TLBI_GLOBAL);
	assert_int_equal(window_maps(), 1);
	off();
}

/* ---- memory ---- */

static void test_populate_and_punch(void **state)
{
	uint64_t held;

	(void)state;
	on(0);
	assert_true(cop_host_probe_phys64(0x1000).fault);
	assert_int_equal(cop_host_populate(0, 32 * MB), 0);
	assert_int_equal(cop_host_populate(31 * MB, 2 * MB), -COP_EEXIST);
	assert_true(cop_host_probe_phys64(32 * MB).fault);
	held = cop_host_held();
	memset(cop_phys(8 * MB), 0x5a, 16 * MB);
	memset(cop_ptdesc(8 * MB), 0x5a, (16 * MB >> 11) * 64);
	assert_int_equal(cop_host_held() - held, 16 * MB + (16 * MB >> 5));
	assert_int_equal(cop_host_punch(8 * MB, 16 * MB), 0);
	assert_int_equal(cop_host_held(), held);
	assert_string_equal(cop_host_probe_phys64(8 * MB).rule, "dead-frame");
	assert_true(cop_host_probe_phys64(24 * MB - 8).fault);
	assert_false(cop_host_probe_phys64(8 * MB - 8).fault);
	assert_false(cop_host_probe_phys64(24 * MB).fault);
	assert_int_equal(cop_host_held(), held + 2 * PAGE);
	assert_int_equal(cop_host_punch(8 * MB, 16 * MB), -COP_ENOENT);
	assert_int_equal(cop_host_punch(4 * MB, 8 * MB), -COP_ENOENT);
	assert_int_equal(cop_host_populate(8 * MB, 16 * MB), 0);
	assert_int_equal(cop_read((uint64_t *)cop_phys(10 * MB)), 0);
	assert_int_equal(cop_host_punch(0, 32 * MB), 0);
	assert_int_equal(cop_host_held(), 0);
	off();
}

static void test_memory_bad_input(void **state)
{
	(void)state;
	on(0);
	assert_int_equal(cop_host_populate(0, 0), -COP_EINVAL);
	assert_int_equal(cop_host_populate(1, PAGE), -COP_EINVAL);
	assert_int_equal(cop_host_populate(0, PHYS + PAGE), -COP_EINVAL);
	assert_int_equal(cop_host_populate(PHYS, PAGE), -COP_EINVAL);
	assert_int_equal(cop_host_populate(PAGE, ~(PAGE - 1)), -COP_EINVAL);
	assert_int_equal(cop_host_punch(0, PAGE), -COP_ENOENT);
	off();
}

static void test_stale_punch(void **state)
{
	(void)state;
	on(0);
	assert_int_equal(cop_host_populate(0, 4 * MB), 0);
	set(3, 2 * MB, WRITABLE);
	assert_false(cop_host_probe_write64(va_of(3), 1).fault);
	cop_store(&entries[3], 0ULL, relaxed);
	cop_host_set_panic(on_panic);
	panic_rule = "";
	if (!sigsetjmp(panicked, 1))
		assert_int_not_equal(cop_host_punch(2 * MB, MB), 0);
	cop_host_set_panic(NULL);
	assert_string_equal(panic_rule, "freed-while-translated");
	invalidate(3, 1, COP_TLBI_GLOBAL);
	assert_int_equal(cop_host_punch(2 * MB, MB), 0);
	/* The tables point to it again though it is gone: it must not come back as zeroes. */
	set(3, 2 * MB, WRITABLE);
	assert_string_equal(cop_host_probe64(va_of(3)).rule, "dead-frame");
	off();
}

/* Model: a byte per page. */
static void test_populate_random(void **state)
{
	static uint8_t there[1024];
	uint64_t seed = 88172645463325252ULL;
	unsigned round, i;

	(void)state;
	on(0);
	memset(there, 0, sizeof(there));
	for (round = 0; round < 3000; round++) {
		uint64_t at, n, have = 0;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		at = seed % 1024;
		n = 1 + (seed >> 20) % 32;
		if (at + n > 1024)
			n = 1024 - at;
		for (i = 0; i < n; i++)
			have += there[at + i];
		if (seed >> 63) {
			int err = cop_host_populate(at * PAGE, n * PAGE);

			assert_int_equal(err, have ? -COP_EEXIST : 0);
			if (!err)
				memset(&there[at], 1, n);
		} else {
			int err = cop_host_punch(at * PAGE, n * PAGE);

			assert_int_equal(err, have < n ? -COP_ENOENT : 0);
			if (!err)
				memset(&there[at], 0, n);
		}
	}
	for (i = 0; i < 1024; i++)
		assert_int_equal(cop_host_probe_phys64(i * PAGE).fault, !there[i]);
	off();
}

/* Separate stretches are bounded, by far less than would leave the process without mappings. */
static void test_map_count(void **state)
{
	struct cop_host_config config = {.phys_bytes = 4ULL << 30, .cpus = 1};
	uint64_t page, n = 0;
	int err = 0;

	(void)state;
	assert_int_equal(cop_host_init(&config), 0);
	for (page = 0; page + 2 < config.phys_bytes / PAGE && !err; page += 4) {
		err = cop_host_populate(page * PAGE, 3 * PAGE);
		n += !err;
	}
	if (page + 2 < config.phys_bytes / PAGE)
		assert_int_equal(err, -COP_ENOMEM);
	assert_false(cop_host_probe_phys64((n - 1) * 4 * PAGE).fault);
	if (err) {
		/* What was refused is not there; what adds no stretch goes on. */
		assert_true(cop_host_probe_phys64(n * 4 * PAGE).fault);
		assert_int_equal(cop_host_punch(PAGE, PAGE), -COP_ENOMEM);
		assert_false(cop_host_probe_phys64(PAGE).fault);
		assert_int_equal(cop_host_populate(3 * PAGE, PAGE), 0);
	}
	for (page = 0; page < n; page++)
		assert_int_equal(cop_host_punch(page * 4 * PAGE, 3 * PAGE), 0);
	cop_host_exit();
}

/* ---- power ---- */

static void test_init_errors(void **state)
{
	const struct cop_host_config good = {
		.phys_bytes = PHYS, .window_va = WINDOW, .window_bytes = WINDOW_MB * MB, .cpus = CPUS};
	struct cop_host_config bad;
	void *in_the_way;
	unsigned i;

	(void)state;
	bad = good, bad.cpus = 0;
	assert_int_equal(cop_host_init(&bad), -COP_EINVAL);
	bad = good, bad.cpus = COP_HOST_CPUS;
	assert_int_equal(cop_host_init(&bad), -COP_EINVAL);
	bad = good, bad.phys_bytes = 12345;
	assert_int_equal(cop_host_init(&bad), -COP_EINVAL);
	bad = good, bad.phys_bytes = 2 * COP_HOST_PHYS_BYTES;
	assert_int_equal(cop_host_init(&bad), -COP_EINVAL);
	bad = good, bad.window_va += PAGE;
	assert_int_equal(cop_host_init(&bad), -COP_EINVAL);
	bad = good, bad.window_va = 0 - 2 * MB;
	assert_int_equal(cop_host_init(&bad), -COP_EINVAL);
	in_the_way = mmap((void *)(uintptr_t)(COP_HOST_WINDOW + MB), PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	assert_ptr_not_equal(in_the_way, MAP_FAILED);
	assert_int_equal(cop_host_init(&good), -COP_EADDRINUSE);
	munmap(in_the_way, PAGE);
	for (i = 0; i < 20; i++) {
		assert_int_equal(cop_host_init(&good), 0);
		assert_int_equal(cop_host_init(&good), -COP_EBUSY);
		assert_int_equal(cop_host_populate(i * PAGE, PAGE), 0);
		assert_int_equal(cop_read((uint64_t *)cop_phys(i * PAGE)), 0);
		cop_write((uint64_t *)cop_phys(i * PAGE), 1ULL);
		cop_host_exit();
	}
	cop_host_exit();
}

static sigjmp_buf elsewhere;

static void on_foreign_fault(int number)
{
	(void)number;
	siglongjmp(elsewhere, 1);
}

static void test_foreign_fault(void **state)
{
	struct sigaction mine = {.sa_handler = on_foreign_fault}, was;
	char *hole = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	volatile int caught = 0;

	(void)state;
	sigaction(SIGSEGV, &mine, &was);
	on(0);
	if (!sigsetjmp(elsewhere, 1))
		*(volatile char *)hole = 1;
	else
		caught = 1;
	off();
	sigaction(SIGSEGV, &was, NULL);
	munmap(hole, PAGE);
	assert_true(caught);
}

static void test_panic_line(void **state)
{
	int fds[2], status;
	char line[256] = "";
	pid_t child;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child) {
		(void)signal(SIGABRT, SIG_DFL);
		dup2(fds[1], STDERR_FILENO);
		cop_panic("some-rule", (const void *)0x1234);
	}
	close(fds[1]);
	assert_true(read(fds[0], line, sizeof(line) - 1) > 0);
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_non_null(strstr(line, "some-rule at 0x1234"));
}

/* ---- counters and entries ---- */

static void test_counters(void **state)
{
	struct cop_tlbi all = {.start = 1, .last = 0, .stride_lg2 = 12, .scope = COP_TLBI_ASID | COP_TLBI_TABLES};
	struct cop_tlbi top = {.start = ~0xfffULL, .last = ~0ULL, .stride_lg2 = 12, .scope = COP_TLBI_LOCAL};
	struct cop_host_events events;

	(void)state;
	on(0);
	invalidate(0, 1, COP_TLBI_LEAVES);
	invalidate(0, 5, COP_TLBI_LEAVES | COP_TLBI_GLOBAL);
	invalidate(0, 3, COP_TLBI_TABLES);
	cop_tlbi(&all);
	cop_tlbi(&top);
	cop_mmu_publish();
	events = cop_host_counts();
	assert_int_equal(events.tlbi[0][0], 2);
	assert_int_equal(events.tlbi[0][1], 1);
	assert_int_equal(events.tlbi[0][2], 0);
	assert_int_equal(events.tlbi[1][0], 0);
	assert_int_equal(events.tlbi[1][1], 1);
	assert_int_equal(events.tlbi[1][2], 1);
	assert_int_equal(events.covered, 10);
	assert_int_equal(events.global, 1);
	assert_int_equal(events.local, 1);
	assert_int_equal(events.syncs, 3);
	assert_int_equal(events.publishes, 1);
	off();
}

static void test_entries(void **state)
{
	struct cop_tlbi tlbi = {
		.start = WINDOW, .last = WINDOW + 21 * PAGE - 1, .stride_lg2 = 12, .scope = COP_TLBI_GLOBAL};
	uint64_t i, n;

	(void)state;
	on(0);
	assert_int_equal(cop_host_populate(0, MB), 0);
	for (n = 0; n <= 21; n++) {
		for (i = 0; i < 22; i++)
			set(i, i * PAGE, 0);
		cop_entries_break(entries, (unsigned)n, 0x400, &tlbi);
		for (i = 0; i < 22; i++)
			assert_int_equal(cop_read(&entries[i]), i * PAGE | VALID | (i < n ? 0x400 : 0));
	}
	assert_int_equal(cop_host_counts().tlbi[0][1], 22);
	set(5, 0x5000, 0);
	assert_false(cop_host_probe64(va_of(5)).fault);
	assert_int_equal(cop_entry_xchg(&entries[5], 0, &tlbi), 0x5000 | VALID);
	assert_true(cop_host_probe64(va_of(5)).fault);
	assert_int_equal(cop_host_counts().breaks, 23);
	off();
}

/* ---- CPUs ---- */

static uint64_t seen_cpus, total, written;
static cop_spinlock spin;
static cop_mutex mutex;

static void count_up(void *arg)
{
	unsigned i;

	(void)arg;
	cop_fetch_add(&seen_cpus, COP_LG2(cop_cpu()), relaxed);
	for (i = 0; i < 2000; i++) {
		uintptr_t irqs = cop_irq_save();

		cop_spin_lock(&spin);
		cop_write(&total, cop_read(&total) + 1);
		cop_spin_unlock(&spin);
		cop_irq_restore(irqs);
		cop_mutex_lock(&mutex);
		cop_spin_lock(&spin);
		cop_write(&total, cop_read(&total) + 1);
		cop_spin_unlock(&spin);
		cop_mutex_unlock(&mutex);
	}
}

static void test_threads(void **state)
{
	(void)state;
	on(0);
	seen_cpus = total = 0;
	cop_spin_init(&spin);
	cop_mutex_init(&mutex);
	assert_int_equal(cop_cpu(), 0);
	assert_int_equal(cop_host_run(CPUS + 1, count_up, NULL), -COP_EINVAL);
	assert_int_equal(cop_host_run(CPUS, count_up, NULL), 0);
	assert_int_equal(seen_cpus, COP_LG2(CPUS) - 1);
	assert_int_equal(total, CPUS * 4000);
	assert_int_equal(cop_cpu(), 0);
	assert_int_equal(cop_host_thread_start(0), -COP_EBUSY);
	off();
}

static cop_rwsem sem;
static uint64_t readers, most_readers, torn;

static void write_pair(void)
{
	cop_rwsem_write_lock(&sem);
	if (cop_load(&readers, relaxed))
		cop_fetch_add(&torn, 1ULL, relaxed);
	cop_write(&total, cop_read(&total) + 1);
	sched_yield();
	cop_write(&seen_cpus, cop_read(&seen_cpus) + 1);
	cop_rwsem_write_unlock(&sem);
}

static void read_pair(void)
{
	uint64_t now, most;

	cop_rwsem_read_lock(&sem);
	now = cop_fetch_add(&readers, 1ULL, relaxed) + 1;
	most = cop_load(&most_readers, relaxed);
	if (now > most)
		cop_store(&most_readers, now, relaxed);
	if (cop_read(&total) != cop_read(&seen_cpus))
		cop_fetch_add(&torn, 1ULL, relaxed);
	sched_yield();
	cop_fetch_add(&readers, -1ULL, relaxed);
	cop_rwsem_read_unlock(&sem);
}

static int nothing_at_all(void *arg)
{
	(void)arg;
	return 0;
}

/* CPU 0 writes; the others read all the time, overlapping, until it has: it must not starve. One stops the machine. */
static void read_and_write(void *arg)
{
	unsigned i;

	(void)arg;
	if (!cop_cpu()) {
		for (i = 0; i < 200; i++)
			write_pair();
		cop_store(&written, 1ULL, release);
		return;
	}
	while (!cop_load(&written, acquire)) {
		read_pair();
		if (cop_cpu() == 1)
			cop_stop_machine(nothing_at_all, NULL);
	}
}

static void test_rwsem(void **state)
{
	(void)state;
	on(0);
	readers = most_readers = torn = total = seen_cpus = written = 0;
	cop_rwsem_init(&sem);
	assert_int_equal(cop_host_run(CPUS, read_and_write, NULL), 0);
	assert_int_equal(torn, 0);
	assert_int_equal(total, 200);
	assert_true(most_readers > 1);
	off();
}

static void note_cpu(void *arg)
{
	cop_fetch_add((uint64_t *)arg, COP_LG2(8 * cop_cpu()), relaxed);
}

/* Long enough for a CPU that runs on to be seen. */
static int pair_reads(void *arg)
{
	uint64_t *pair = arg, was = cop_load(&pair[0], relaxed);
	unsigned i;

	for (i = 0; i < 20; i++) {
		if (cop_load(&pair[0], relaxed) != was || cop_load(&pair[1], relaxed) != was)
			return -COP_EIO;
		sched_yield();
	}
	return 42;
}

static uint64_t ipi_cpus, pair[2], stop_errors, finished;

/* Each CPU changes both words between polls, so that a stopped machine sees them agree. CPU 0 interrupts and stops. */
static void interrupt_and_stop(void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0; i < 40; i++) {
		if (cop_cpu() < 2) {
			cop_ipi(COP_LG2(CPUS) - 1, note_cpu, &ipi_cpus);
			if (cop_stop_machine(pair_reads, pair) != 42)
				cop_fetch_add(&stop_errors, 1ULL, relaxed);
		}
		cop_fetch_add(&pair[0], 1ULL, relaxed);
		sched_yield();
		cop_fetch_add(&pair[1], 1ULL, relaxed);
		cop_host_poll();
	}
	cop_fetch_add(&finished, 1ULL, release);
	/* Nobody leaves before the last interrupt was sent. */
	while (cop_load(&finished, acquire) < CPUS)
		cop_host_poll();
}

static void test_interrupts_and_stop(void **state)
{
	(void)state;
	on(0);
	ipi_cpus = stop_errors = finished = pair[0] = pair[1] = 0;
	assert_int_equal(cop_host_run(CPUS, interrupt_and_stop, NULL), 0);
	assert_int_equal(stop_errors, 0);
	assert_int_equal(ipi_cpus, 80 * 0x01010101);
	assert_int_equal(cop_host_counts().ipis, 80 * CPUS);
	assert_int_equal(cop_host_counts().stops, 80);
	off();
}

/* Many CPUs miss the same page at once: who finds it filled has done nothing wrong. */
static uint64_t rounds, arrived;

static void miss_together(void *arg)
{
	uint64_t round, seen;

	(void)arg;
	for (round = 1; round <= 300; round++) {
		if (cop_fetch_add(&arrived, 1ULL, acq_rel) + 1 == round * CPUS) {
			invalidate(0, 8, COP_TLBI_GLOBAL);
			cop_store(&rounds, round, release);
		}
		cop_await(&rounds, seen, seen >= round);
		if (cop_host_probe64(va_of(3)).fault)
			cop_fetch_add((uint64_t *)arg, 1ULL, relaxed);
	}
}

static struct cop_host_translation translate_slowly(void *ctx, cop_va va)
{
	sched_yield();
	return translate(ctx, va);
}

static void test_miss_together(void **state)
{
	uint64_t faults = 0;

	(void)state;
	rounds = arrived = 0;
	on(0);
	cop_host_set_translate(translate_slowly, entries);
	assert_int_equal(cop_host_populate(0, MB), 0);
	set(3, 0x3000, 0);
	assert_int_equal(cop_host_run(CPUS, miss_together, &faults), 0);
	assert_int_equal(faults, 0);
	off();
}

/* ---- RCU ---- */

struct node {
	cop_rcu rcu;
	uint64_t value;
	uint64_t freed;
};

static struct node nodes[512], *current;
static uint64_t bad_reads, callbacks, callback_cpus;

static void node_free(cop_rcu *rcu)
{
	struct node *node = (struct node *)((char *)rcu - offsetof(struct node, rcu));

	cop_write(&node->value, 0xdeadULL);
	cop_write(&node->freed, 1ULL);
	cop_fetch_add(&callbacks, 1ULL, relaxed);
	if (cop_cpu() != CPUS)
		cop_fetch_add(&callback_cpus, 1ULL, relaxed);
}

static void replace_and_read(void *arg)
{
	uint64_t i;

	(void)arg;
	if (cop_cpu() == 0) {
		for (i = 1; i < 512; i++) {
			struct node *old;

			cop_write(&nodes[i].value, i);
			old = cop_xchg(&current, &nodes[i], acq_rel);
			cop_rcu_defer(&old->rcu, node_free);
			if (i % 64 == 0)
				cop_rcu_sync();
		}
		cop_store(&finished, 1ULL, release);
		return;
	}
	while (!cop_load(&finished, acquire)) {
		const struct node *node;

		cop_rcu_read_lock();
		node = cop_load(&current, acquire);
		for (i = 0; i < 20; i++) {
			if (cop_read(&node->freed) || cop_read(&node->value) != (uint64_t)(node - nodes))
				cop_fetch_add(&bad_reads, 1ULL, relaxed);
		}
		cop_rcu_read_unlock();
		cop_host_poll();
	}
}

static void test_rcu(void **state)
{
	(void)state;
	on(0);
	memset(nodes, 0, sizeof(nodes));
	current = &nodes[0];
	finished = bad_reads = callbacks = callback_cpus = 0;
	assert_int_equal(cop_host_run(CPUS, replace_and_read, NULL), 0);
	cop_host_rcu_barrier();
	assert_int_equal(bad_reads, 0);
	assert_int_equal(callbacks, 511);
	assert_int_equal(callback_cpus, 0);
	assert_int_equal(nodes[510].freed, 1);
	assert_int_equal(nodes[511].freed, 0);
	off();
}

/* A callback waits for a reader that began before it was deferred. */
static uint64_t reading, deferred, ran_early;

static void hold_and_defer(void *arg)
{
	uint64_t value;

	(void)arg;
	if (cop_cpu() == 0) {
		cop_rcu_read_lock();
		cop_store(&reading, 1ULL, release);
		cop_await(&deferred, value, value);
		usleep(50000);
		ran_early = cop_load(&callbacks, relaxed);
		cop_rcu_read_unlock();
		return;
	}
	cop_await(&reading, value, value);
	cop_rcu_defer(&nodes[0].rcu, node_free);
	cop_store(&deferred, 1ULL, release);
}

static void test_rcu_waits(void **state)
{
	(void)state;
	on(0);
	reading = deferred = callbacks = 0;
	ran_early = 1;
	assert_int_equal(cop_host_run(2, hold_and_defer, NULL), 0);
	cop_host_rcu_barrier();
	assert_int_equal(ran_early, 0);
	assert_int_equal(callbacks, 1);
	off();
}

/* ---- all at once: threads map, use, unmap pages of the window while others fault beside them ---- */

static uint64_t wrong;

static void churn(void *arg)
{
	uint64_t cpu = cop_cpu(), round, seed = 0x9e3779b97f4a7c15ULL * (cpu + 1);

	(void)arg;
	for (round = 0; round < 400; round++) {
		uint64_t page, frame, *at;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		page = seed % 256 * CPUS + cpu; /* neighbours belong to other CPUs */
		frame = (seed >> 20) % 256 * CPUS + cpu;
		set(page, frame * PAGE, WRITABLE);
		at = cop_virt(va_of(page));
		cop_write(at, seed);
		if (cop_read(at) != seed || cop_read((uint64_t *)cop_phys(frame * PAGE)) != seed)
			cop_fetch_add(&wrong, 1ULL, relaxed);
		unset(page);
		if (!cop_host_probe64(va_of(page)).fault)
			cop_fetch_add(&wrong, 1ULL, relaxed);
	}
}

static void test_churn(void **state)
{
	(void)state;
	wrong = 0;
	on(8);
	assert_int_equal(cop_host_populate(0, 8 * MB), 0);
	assert_int_equal(cop_host_run(CPUS, churn, NULL), 0);
	assert_int_equal(wrong, 0);
	assert_int_equal(window_maps(), 1);
	assert_int_equal(cop_host_punch(0, 8 * MB), 0);
	off();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accessors),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_fill_and_drop),
		cmocka_unit_test(test_stale_translation),
		cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_large_leaf),
		cmocka_unit_test(test_global),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_populate_and_punch),
		cmocka_unit_test(test_memory_bad_input),
		cmocka_unit_test(test_stale_punch),
		cmocka_unit_test(test_populate_random),
		cmocka_unit_test(test_map_count),
		cmocka_unit_test(test_init_errors),
		cmocka_unit_test(test_foreign_fault),
		cmocka_unit_test(test_panic_line),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_entries),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_rwsem),
		cmocka_unit_test(test_interrupts_and_stop),
		cmocka_unit_test(test_miss_together),
		cmocka_unit_test(test_rcu),
		cmocka_unit_test(test_rcu_waits),
		cmocka_unit_test(test_churn),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
