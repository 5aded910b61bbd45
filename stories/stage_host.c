/* SPDX-License-Identifier: MIT */
/*
 * The stage on the host: real threads, as it happens, many rounds.
 *
 * What the host sees is less than the simulated machine does: its TLB holds what was really touched, and it has no
 * paging-structure cache. A frame that is freed while a translation of it is held, and a translation that outlives its
 * claimed end, are seen; a table freed too early is not.
 */
#include "stories/stage_format.h"
#include "ports/host/machine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS 50
#define FRAME  4096ULL
#define FRAMES (COP_STAGE_PA_BYTES / FRAME)

static const struct cop_variant *variant;
static struct cop_tree *attached;
static struct {
	pthread_mutex_t lock;
	const char *owner[FRAMES]; /* NULL: free */
} frames = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* The first failure is the verdict. */
COP_NORETURN static void verdict(const char *rule, const char *what)
{
	bool expected = variant->host_rule && rule && !strcmp(rule, variant->host_rule);

	printf("fails: %s: %s%s\n", rule, what, expected ? "" : " (not expected)");
	fflush(stdout);
	_exit(expected ? 0 : 1);
}

static void panicked(const char *rule, const void *where)
{
	(void)where;
	verdict(rule, "panic");
}

void cop_stage_fail(const char *rule, const char *what, struct cop_stage_at at)
{
	fprintf(stderr, "%s:%d: ", at.file, at.line);
	verdict(rule, what);
}

static bool take(cop_pa pa, uint64_t bytes, const char *owner)
{
	for (uint64_t i = pa / FRAME; i < (pa + bytes) / FRAME; i++) {
		if (frames.owner[i])
			return false;
	}
	for (uint64_t i = pa / FRAME; i < (pa + bytes) / FRAME; i++)
		frames.owner[i] = owner;
	return true;
}

cop_pa cop_stage_alloc(unsigned lg2, const char *owner, struct cop_stage_at at)
{
	const uint64_t bytes = COP_LG2(lg2);
	cop_pa pa = bytes;

	pthread_mutex_lock(&frames.lock);
	while (pa + bytes <= COP_STAGE_PA_BYTES && !take(pa, bytes, owner))
		pa += bytes;
	pthread_mutex_unlock(&frames.lock);
	if (pa + bytes > COP_STAGE_PA_BYTES)
		cop_stage_fail("sim-limit", "no frame left", at);
	return pa;
}

void cop_stage_claim(cop_pa pa, uint64_t bytes, const char *owner, struct cop_stage_at at)
{
	bool taken;

	pthread_mutex_lock(&frames.lock);
	taken = take(pa, bytes, owner);
	pthread_mutex_unlock(&frames.lock);
	if (!taken)
		cop_stage_fail("frame-taken", "it is not free", at);
}

/* The memory is taken out of the machine, which looks for translations of it, and put back for the next owner. */
void cop_stage_free(cop_pa pa, uint64_t bytes, struct cop_stage_at at)
{
	pthread_mutex_lock(&frames.lock);
	for (uint64_t i = pa / FRAME; i < (pa + bytes) / FRAME; i++) {
		if (!frames.owner[i])
			cop_stage_fail("double-free", "it is free", at);
	}
	if (cop_host_punch(pa, bytes) || cop_host_populate(pa, bytes))
		cop_stage_fail("host", "punch and populate", at);
	for (uint64_t i = pa / FRAME; i < (pa + bytes) / FRAME; i++)
		frames.owner[i] = NULL;
	pthread_mutex_unlock(&frames.lock);
}

static cop_pa table_alloc(void *ctx, unsigned lg2)
{
	(void)ctx;
	return cop_stage_alloc(lg2, "table", COP_STAGE_AT);
}

static void table_free(void *ctx, cop_pa table, unsigned lg2)
{
	(void)ctx;
	cop_stage_free(table, COP_LG2(lg2), COP_STAGE_AT);
}

struct cop_table_source cop_stage_tables(void)
{
	return (struct cop_table_source){.alloc = table_alloc, .free = table_free};
}

static struct cop_host_translation translate(void *ctx, cop_va va)
{
	const struct cop_tree *tree = ctx;
	struct cop_host_translation out = {.bytes = 0};
	struct cop_translation t;
	uint64_t bytes;

	cop_rcu_read_lock();
	t = tree->ops->translate(tree, va);
	cop_rcu_read_unlock();
	if (t.pa == COP_PA_NONE)
		return out;
	bytes = COP_LG2(t.size_lg2);
	out.va = COP_ALIGN_DOWN(va, bytes);
	out.pa = t.pa - (va - out.va);
	out.bytes = bytes;
	out.writable = t.attrs & COP_WRITE;
	out.global = t.attrs & COP_GLOBAL;
	return out;
}

void cop_stage_attach(struct cop_tree *tree)
{
	attached = tree;
	cop_host_set_translate(translate, tree);
}

void cop_stage_detach(struct cop_tree *tree)
{
	(void)tree;
	cop_host_set_translate(NULL, NULL);
}

struct cop_stage_probe cop_stage_probe(cop_va va, struct cop_stage_at at)
{
	const struct cop_host_probe p = cop_host_probe64(va);

	(void)at;
	return (struct cop_stage_probe){.fault = p.fault, .value = p.value};
}

void cop_stage_gone(cop_va va, uint64_t bytes, struct cop_stage_at at)
{
	for (cop_va p = va; p < va + bytes; p += FRAME) {
		if (cop_host_probe64(p).fault)
			continue;
		cop_rcu_read_lock();
		if (attached->ops->translate(attached, p).pa != COP_PA_NONE)
			cop_stage_fail("still-mapped", "the tables map it", at);
		cop_stage_fail("missing-invalidation", "it can be read, though the tables do not map it", at);
	}
}

/* What reads it afterwards reads nonsense. */
void cop_stage_object_gone(const void *p, size_t bytes, struct cop_stage_at at)
{
	(void)at;
	memset((void *)(uintptr_t)p, 0x6b, bytes);
}

/* As it happens: a round is a way. */
unsigned cop_stage_choose(unsigned n, struct cop_stage_at at)
{
	(void)at;
	return (unsigned)rand() % n;
}

static void run_actor(void *unused)
{
	(void)unused;
	for (const struct cop_actor *a = cop_story.actors; a->name; a++) {
		if (a->cpu == cop_cpu())
			a->run(cop_story.world);
	}
}

static unsigned cpus(void)
{
	unsigned n = 0;

	for (const struct cop_actor *a = cop_story.actors; a->name; a++)
		n = a->cpu + 1 > n ? a->cpu + 1 : n;
	return n;
}

static void one_round(void)
{
	memset(cop_story.world, 0, cop_story.world_bytes);
	cop_story.setup(cop_story.world);
	COP_ASSERT(!cop_host_run(cpus(), run_actor, NULL));
	cop_host_rcu_barrier();
	cop_story.check(cop_story.world);
	cop_host_rcu_barrier();
	for (uint64_t i = 0; i < FRAMES; i++) {
		if (frames.owner[i])
			verdict("leak", frames.owner[i]);
	}
}

int main(int argc, char **argv)
{
	struct cop_host_config config = {.phys_bytes = COP_STAGE_PA_BYTES,
					 .window_va = cop_stage_va(),
					 .window_bytes = 2ULL << 30,
					 .cpus = cpus()};

	stage_format_choose(COP_ON_ARM64_4K);
	for (variant = cop_story.variants; variant->name && strcmp(variant->name, argc > 1 ? argv[1] : "fixed") != 0;)
		variant++;
	if (!variant->name) {
		fprintf(stderr, "%s has no such variant\n", cop_story.id);
		return 2;
	}
	if (variant->outcome == COP_FAILS && !variant->host_rule) {
		printf("the host cannot see what is wrong with %s %s\n", cop_story.id, variant->name);
		return 77; /* CTest: skipped */
	}
	COP_ASSERT(!cop_host_init(&config));
	cop_host_set_panic(panicked);
	COP_ASSERT(!cop_host_populate(0, COP_STAGE_PA_BYTES));
	for (unsigned i = 0; i < ROUNDS; i++)
		one_round();
	cop_host_exit();
	printf("%s %s: %d rounds with %u threads, nothing seen\n", cop_story.id, variant->name, ROUNDS, cpus());
	return variant->outcome == COP_FAILS;
}
