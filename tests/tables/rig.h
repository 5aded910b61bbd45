/* SPDX-License-Identifier: MIT */
/*
 * What the tests of tables/ stand on: a machine, a source of tables that counts and can be told to fail, a plain model of
 * what is mapped, and a deep comparison of a tree with it. One line per geometry in rig_geoms.
 */
#ifndef COPPICE_TESTS_TABLES_RIG_H
#define COPPICE_TESTS_TABLES_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <coppice/tables.h>

#include "ports/host/machine.h"

struct rig_geom {
	const char *name;
	struct cop_geom geom;
};

static const struct rig_geom rig_geoms[] = {
	{"arm64-4k 48", {COP_ARM64, COP_HALF_LOW, 12, 4, 48, 48, COP_F_HAF | COP_F_HD}},
	{"arm64-4k 39 cont", {COP_ARM64, COP_HALF_HIGH, 12, 3, 39, 48, COP_F_CONT}},
	{"arm64-4k 52 bbm2",
	 {COP_ARM64, COP_HALF_HIGH, 12, 5, 52, 52, COP_F_LPA2 | COP_F_CONT | COP_F_BBM2 | COP_F_BBM2_NOABORT}},
	{"arm64-16k 47", {COP_ARM64, COP_HALF_LOW, 14, 3, 47, 48, COP_F_CONT | COP_F_HAF}},
	{"arm64-16k 48", {COP_ARM64, COP_HALF_HIGH, 14, 4, 48, 48, 0}},
	{"arm64-64k 42", {COP_ARM64, COP_HALF_LOW, 16, 2, 42, 48, COP_F_CONT}},
	{"arm64-64k 52", {COP_ARM64, COP_HALF_HIGH, 16, 3, 52, 52, COP_F_LPA | COP_F_HAF | COP_F_HD}},
	{"x86-64 48", {COP_X86_64, COP_HALF_BOTH, 12, 4, 48, 46, COP_F_NX | COP_F_1G | COP_F_PGE | COP_F_PCID}},
	{"x86-64 48 no 1g", {COP_X86_64, COP_HALF_BOTH, 12, 4, 48, 42, COP_F_NX}},
	{"x86-64 57", {COP_X86_64, COP_HALF_BOTH, 12, 5, 57, 52, COP_F_NX | COP_F_1G | COP_F_PGE | COP_F_PCID}},
	{"riscv64 39", {COP_RISCV64, COP_HALF_BOTH, 12, 3, 39, 56, 0}},
	{"riscv64 39 napot", {COP_RISCV64, COP_HALF_BOTH, 12, 3, 39, 56, COP_F_SVNAPOT | COP_F_ADUE}},
	{"riscv64 48", {COP_RISCV64, COP_HALF_BOTH, 12, 4, 48, 56, COP_F_SVNAPOT | COP_F_SVPBMT | COP_F_SVVPTC}},
	{"riscv64 57", {COP_RISCV64, COP_HALF_BOTH, 12, 5, 57, 56, COP_F_SVPBMT | COP_F_ADUE | COP_F_SVVPTC}},
	{"s390x 31", {COP_S390X, COP_HALF_LOW, 12, 2, 31, 48, COP_F_IEP | COP_F_EDAT1 | COP_F_EDAT2}},
	{"s390x 42", {COP_S390X, COP_HALF_LOW, 12, 3, 42, 48, COP_F_IEP | COP_F_EDAT1 | COP_F_EDAT2}},
	{"s390x 42 edat1", {COP_S390X, COP_HALF_LOW, 12, 3, 42, 48, COP_F_IEP | COP_F_EDAT1}},
	{"s390x 42 no edat", {COP_S390X, COP_HALF_LOW, 12, 3, 42, 48, COP_F_IEP}},
	{"s390x 53", {COP_S390X, COP_HALF_LOW, 12, 4, 53, 53, COP_F_IEP | COP_F_EDAT1 | COP_F_EDAT2}},
	{"s390x 64", {COP_S390X, COP_HALF_LOW, 12, 5, 64, 53, COP_F_IEP | COP_F_EDAT1 | COP_F_EDAT2 | COP_F_RDP}},
};
#define RIG_GEOMS (sizeof(rig_geoms) / sizeof(rig_geoms[0]))

/* ---- random ---- */

static inline uint64_t rig_random(uint64_t *seed)
{
	uint64_t x = *seed += 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline uint64_t rig_below(uint64_t *seed, uint64_t n)
{
	return rig_random(seed) % n;
}

/* ---- the source ---- */

#define RIG_MEMORY (256ULL << 20)

struct rig_source {
	pthread_mutex_t lock;
	cop_pa fresh;
	cop_pa *frames[17]; /* freed ones, by lg2 */
	size_t count[17], room[17];
	uint64_t live, calls;
	uint64_t fail_from; /* calls from this one on fail; 0: none */
};

/* Return: COP_PA_NONE when all of the memory is in use or waits for a grace period. */
static cop_pa rig_take(struct rig_source *s, unsigned lg2)
{
	const cop_pa pa = (s->fresh + (1ULL << lg2) - 1) & ~((1ULL << lg2) - 1);

	if (s->count[lg2])
		return s->frames[lg2][--s->count[lg2]];
	if (pa + (1ULL << lg2) > RIG_MEMORY)
		return COP_PA_NONE;
	s->fresh = pa + (1ULL << lg2);
	return pa;
}

static cop_pa rig_alloc(void *ctx, unsigned lg2)
{
	struct rig_source *s = ctx;
	cop_pa pa;

	pthread_mutex_lock(&s->lock);
	if (s->fail_from && ++s->calls >= s->fail_from) {
		pthread_mutex_unlock(&s->lock);
		return COP_PA_NONE;
	}
	pa = rig_take(s, lg2);
	if (pa == COP_PA_NONE) {
		pthread_mutex_unlock(&s->lock);
		cop_host_rcu_barrier();
		pthread_mutex_lock(&s->lock);
		pa = rig_take(s, lg2);
	}
	if (pa == COP_PA_NONE)
		abort();
	s->live++;
	pthread_mutex_unlock(&s->lock);
	/* Contents are arbitrary: an entry left uninitialised shows. */
	memset(cop_phys(pa), 0xa5, 1ULL << lg2);
	return pa;
}

static void rig_free(void *ctx, cop_pa pa, unsigned lg2)
{
	struct rig_source *s = ctx;

	pthread_mutex_lock(&s->lock);
	if (s->count[lg2] == s->room[lg2]) {
		s->room[lg2] = s->room[lg2] ? 2 * s->room[lg2] : 64;
		s->frames[lg2] = realloc(s->frames[lg2], s->room[lg2] * sizeof(cop_pa));
	}
	s->frames[lg2][s->count[lg2]++] = pa;
	s->live--;
	pthread_mutex_unlock(&s->lock);
}

static inline void rig_source_init(struct rig_source *s)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->fresh = 1 << 16;
}

static inline void rig_source_fini(struct rig_source *s)
{
	for (unsigned i = 0; i < 17; i++)
		free(s->frames[i]);
	pthread_mutex_destroy(&s->lock);
}

static inline struct cop_table_source rig_table_source(struct rig_source *s)
{
	return (struct cop_table_source){rig_alloc, rig_free, s};
}

/* ---- machine ---- */

static inline int rig_power_on(void **state)
{
	const struct cop_host_config config = {.phys_bytes = 1ULL << 32, .cpus = 8};

	(void)state;
	if (cop_host_init(&config) || cop_host_populate(0, RIG_MEMORY))
		return -1;
	return 0;
}

static inline int rig_power_off(void **state)
{
	(void)state;
	cop_host_exit();
	return 0;
}

/* ---- deep inspection: the tree read entry by entry through the format ---- */

struct rig_census {
	uint64_t tables[COP_MAX_LEVELS], leaves[COP_MAX_LEVELS];
	uint64_t hash; /* of all leaves: address, entry, level */
};

static inline void rig_walk(const struct cop_tree *t, cop_pa table, unsigned l, cop_va va, struct rig_census *c)
{
	const struct cop_format *f = t->ops->format;
	const uint64_t *entries = cop_phys(table), slots = 1ULL << f->index_bits(&t->geom, l);
	uint64_t used = 0;

	c->tables[l]++;
	for (uint64_t i = 0; i < slots; i++) {
		const uint64_t e = __atomic_load_n(entries + i, __ATOMIC_RELAXED);
		const cop_va at = va + (i << f->shift(l));

		switch (f->kind(&t->geom, e, l)) {
		case COP_EMPTY:
			continue;
		case COP_TABLE:
			used++;
			rig_walk(t, f->table_pa(&t->geom, e, l), l - 1, at, c);
			continue;
		case COP_LEAF:
			used++;
			c->leaves[l]++;
			c->hash = (c->hash ^ at ^ e ^ l) * 0x100000001b3ULL;
			continue;
		default:
			fail_msg("level %u slot %u holds %#lx", l, (unsigned)i, (unsigned long)e);
		}
	}
	if (cop_ptdesc(table)->state != used)
		fail_msg("level %u table at %#lx holds %lu, counts %lu", l, (unsigned long)va, (unsigned long)used,
			 (unsigned long)cop_ptdesc(table)->state);
	if (used == 0 && l + 1U != t->geom.levels)
		fail_msg("empty table of level %u at %#lx", l, (unsigned long)va);
}

/* Every counter against what is there. */
static inline struct rig_census rig_census(const struct cop_tree *t)
{
	struct rig_census c = {.hash = 0xcbf29ce484222325ULL};

	rig_walk(t, t->root, t->geom.levels - 1U, 0, &c);
	for (unsigned l = 0; l < COP_MAX_LEVELS; l++)
		assert_int_equal(c.tables[l], t->tables[l]);
	return c;
}

static inline uint64_t rig_table_count(const struct cop_tree *t)
{
	uint64_t n = 0;

	for (unsigned l = 0; l < COP_MAX_LEVELS; l++)
		n += t->tables[l];
	return n;
}

/* No table is lost: those the source has given out are those in the tree. */
static inline void rig_no_leak(const struct cop_tree *t, const struct rig_source *s)
{
	cop_host_rcu_barrier();
	assert_int_equal(s->live, rig_table_count(t));
}

/* The lowest and the last byte of a tree's (upper) half. */
static inline cop_va rig_base(const struct cop_geom *g)
{
	return g->half == COP_HALF_LOW || g->va_bits == 64
		       ? 0
		       : ~0ULL << (g->half == COP_HALF_HIGH ? g->va_bits : g->va_bits - 1);
}

static inline cop_va rig_top(const struct cop_geom *g)
{
	return g->half == COP_HALF_LOW && g->va_bits < 64 ? (1ULL << g->va_bits) - 1 : ~0ULL;
}

#endif
