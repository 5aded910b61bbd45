/* SPDX-License-Identifier: MIT */
/*
 * Free tables in hand. A walk runs inside an RCU read section and may not sleep, so it takes tables from a stock; when that
 * is dry the walk stops, the stock is refilled from the source outside the read section, and the walk goes on.
 */
#ifndef COPPICE_TABLES_STOCK_H
#define COPPICE_TABLES_STOCK_H

#include "tables/top.h"

/* s390x has two sizes of table: those of level 0 and all others. */
enum { STOCK_BOTTOM, STOCK_UPPER, STOCK_KINDS };

/* Small enough that the descriptors are still in the first cache when the walk comes to them. */
#define STOCK_BATCH 64

struct cop_stock {
	struct cop_ptdesc *list[STOCK_KINDS];
	uint32_t have[STOCK_KINDS];
	uint32_t want[STOCK_KINDS]; /* an upper bound of what the walk still needs */
};

enum {
	PTDESC_CONSTRUCTED = 1 << 0, /* went through the constructor */
	PTDESC_REPLACED = 1 << 1,    /* a leaf took its slot (collapse): there is no marker to resolve */
	PTDESC_ROOT = 1 << 2,        /* is or was the root: stays, for whoever has loaded it */
};

/* No leaf has been gathered yet. */
#define COP_GATHER_NO_STRIDE 0xff

static inline void cop_gather_begin_round(struct cop_gather *gather)
{
	gather->start = ~(cop_va)0;
	gather->last = 0;
	gather->stride_lg2 = COP_GATHER_NO_STRIDE;
	gather->level = COP_TLBI_ANY_LEVEL;
	gather->scope = COP_TLBI_LEAVES;
}

/* Compiled for size. */
#define COP_SLOW COP_NOINLINE __attribute__((cold))

static inline unsigned stock_kind(unsigned level)
{
	return level == 0 ? STOCK_BOTTOM : STOCK_UPPER;
}

static inline struct cop_ptdesc *stock_take(struct cop_stock *stock, unsigned level)
{
	const unsigned kind = stock_kind(level);
	struct cop_ptdesc *d = stock->list[kind];

	if (!d)
		return NULL;
	stock->list[kind] = cop_read(&d->next);
	stock->have[kind]--;
	return d;
}

static inline void stock_put(struct cop_stock *stock, struct cop_ptdesc *d, unsigned level)
{
	const unsigned kind = stock_kind(level);

	cop_write(&d->next, stock->list[kind]);
	stock->list[kind] = d;
	stock->have[kind]++;
}

static inline bool is_root(const struct cop_ptdesc *d)
{
	return cop_read(&d->flags) & PTDESC_ROOT;
}

/* One that is shared is in use by others already. */
static inline void table_lock_init(struct cop_ptdesc *d)
{
	if (!cop_read(&d->lock_lg2))
		cop_write(&d->lock, (uint8_t)0);
}

/* tables.c: NULL when there is none. */
struct cop_ptdesc *cop_table_new(struct cop_tree *, unsigned lg2);
void cop_table_free(struct cop_tree *, struct cop_ptdesc *);
/* The newest: for those who are alone with the tree; not yet for walkers. */
void cop_top_set(struct cop_tree *, const struct cop_geom *, cop_pa root);
/* An empty one, not yet anybody's. */
void cop_root_init(struct cop_tree *, struct cop_ptdesc *, const struct cop_geom *);

/* Fills the stock up to what is wanted. Context: may sleep. Return: false when the source gave less. */
bool cop_stock_refill(struct cop_tree *, struct cop_stock *, const unsigned lg2[STOCK_KINDS]);

/* Gives the rest back to the source. */
void cop_stock_drain(struct cop_tree *, struct cop_stock *);

/* Frees a list of tables that nobody can reach, as an RCU callback of its first member. */
void cop_tables_free_deferred(cop_rcu *);

#endif
