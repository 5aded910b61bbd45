/* SPDX-License-Identifier: MIT */
#include "bench/pool.h"

#include <stdlib.h>

#include "ports/host/machine.h"

static unsigned size_of(const struct pool *p, unsigned lg2)
{
	return p->lg2[0] == lg2 ? 0 : 1;
}

static cop_pa pop(struct pool_stack *s)
{
	return s->count ? s->frame[--s->count] : COP_PA_NONE;
}

static void push(struct pool_stack *s, cop_pa pa)
{
	s->frame[s->count++] = pa;
}

/* A lane runs dry only when a benchmark takes more between two pool_settle() than it said: then take from the pile. */
static COP_NOINLINE cop_pa take_returned(struct pool *p, unsigned size)
{
	cop_pa pa;

	cop_spin_lock(&p->lock);
	pa = pop(&p->returned[size]);
	cop_spin_unlock(&p->lock);
	return pa;
}

static cop_pa pool_alloc(void *ctx, unsigned lg2)
{
	struct pool *p = ctx;
	unsigned size = size_of(p, lg2);
	cop_pa pa = pop(&p->lane[cop_cpu() % POOL_LANES].size[size]);

	return COP_LIKELY(pa != COP_PA_NONE) ? pa : take_returned(p, size);
}

static void pool_free(void *ctx, cop_pa table, unsigned lg2)
{
	struct pool *p = ctx;

	cop_spin_lock(&p->lock);
	push(&p->returned[size_of(p, lg2)], table);
	cop_spin_unlock(&p->lock);
}

struct cop_table_source pool_source(struct pool *p)
{
	return (struct cop_table_source){pool_alloc, pool_free, p};
}

static bool make_stack(struct pool_stack *s, size_t capacity)
{
	s->count = 0;
	s->frame = malloc(capacity * sizeof(*s->frame) + 1);
	return s->frame;
}

static bool make_stacks(struct pool *p, unsigned size)
{
	for (unsigned lane = 0; lane < POOL_LANES; lane++)
		if (!make_stack(&p->lane[lane].size[size], p->total[size]))
			return false;
	return make_stack(&p->returned[size], p->total[size]);
}

static void carve(struct pool *p, unsigned size, cop_pa start, uint64_t bytes)
{
	for (cop_pa pa = start + bytes; pa > start;) {
		pa -= COP_LG2(p->lg2[size]);
		cop_fill64(cop_phys(pa), 0, COP_LG2(p->lg2[size]));
		cop_fill64(cop_ptdesc(pa), 0, sizeof(struct cop_ptdesc));
		push(&p->lane[0].size[size], pa);
	}
}

bool pool_init(struct pool *p, cop_pa start, uint64_t bytes, const unsigned lg2[POOL_SIZES])
{
	unsigned sizes = lg2[0] == lg2[1] ? 1 : POOL_SIZES;
	uint64_t share = bytes / sizes;

	*p = (struct pool){.start = start, .bytes = bytes};
	cop_spin_init(&p->lock);
	for (unsigned size = 0; size < POOL_SIZES; size++) {
		p->lg2[size] = lg2[size];
		p->total[size] = size < sizes ? share >> lg2[size] : 0;
		if (!make_stacks(p, size))
			return false;
		if (size < sizes)
			carve(p, size, start + size * share, share);
	}
	return true;
}

void pool_destroy(struct pool *p)
{
	for (unsigned size = 0; size < POOL_SIZES; size++) {
		for (unsigned lane = 0; lane < POOL_LANES; lane++)
			free(p->lane[lane].size[size].frame);
		free(p->returned[size].frame);
	}
}

/* In turns, so that each lane keeps frames that were used last. */
static void share_out(struct pool *p, unsigned size, unsigned lanes)
{
	cop_pa pa;

	for (unsigned lane = 0; (pa = pop(&p->returned[size])) != COP_PA_NONE; lane = (lane + 1) % lanes)
		push(&p->lane[lane].size[size], pa);
}

static void even_out(struct pool_stack *from, struct pool_stack *to)
{
	while (to->count + 1 < from->count)
		push(to, pop(from));
}

static void balance(struct pool *p, unsigned size, unsigned lanes)
{
	struct pool_stack *first = &p->lane[0].size[size];

	for (unsigned lane = 1; lane < lanes; lane++) {
		even_out(first, &p->lane[lane].size[size]);
		even_out(&p->lane[lane].size[size], first);
	}
}

void pool_settle(struct pool *p, unsigned lanes)
{
	cop_host_rcu_barrier();
	cop_spin_lock(&p->lock);
	for (unsigned size = 0; size < POOL_SIZES; size++) {
		share_out(p, size, lanes);
		balance(p, size, POOL_LANES);
	}
	cop_spin_unlock(&p->lock);
}

size_t pool_out(const struct pool *p)
{
	size_t out = 0;

	for (unsigned size = 0; size < POOL_SIZES; size++) {
		out += p->total[size] - p->returned[size].count;
		for (unsigned lane = 0; lane < POOL_LANES; lane++)
			out -= p->lane[lane].size[size].count;
	}
	return out;
}

bool pool_next(const struct pool *p, unsigned lg2, size_t count, uint64_t **out)
{
	const struct pool_stack *s = &p->lane[0].size[size_of(p, lg2)];

	if (s->count < count)
		return false;
	for (size_t i = 0; i < count; i++)
		out[i] = cop_phys(s->frame[s->count - 1 - i]);
	return true;
}
