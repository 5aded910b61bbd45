/* SPDX-License-Identifier: MIT */
/* What `coppice run` is asked for, and what that means on a given map. */
#ifndef CLI_RUN_PLAN_H
#define CLI_RUN_PLAN_H

#include <coppice/memory.h>

#include "cli/maps/map.h"

struct run_options {
	const char *map; /* NULL: this machine's, else a bundled one */
	enum cop_arch arch;
	unsigned page_lg2, levels, va_bits; /* 0: default */
	uint64_t section, limit, boot;      /* bytes; 0: automatic */
	unsigned rounds, cpus, readers, gup;
	bool altmap, json;
};

#define PLAN_NOTES 4

/**
 * struct run_plan - a machine to be booted
 * @ram, @rams: boot memory; whole pages, ascending
 * @reserved, @reserveds: parts of it in use from the start
 * @blocks, @count: first address of each removable memory block
 * @total: bytes of memory, boot and removable
 * @notes: what was chosen for the user, one line each
 */
struct run_plan {
	struct memory_map map;
	struct cop_geom geom;
	const struct cop_format *format;
	struct cop_mem_range *ram, *reserved;
	unsigned rams, reserveds;
	cop_pa *blocks;
	unsigned count;
	uint8_t section_lg2;
	uint64_t total, boot_bytes;
	cop_pa pa_start, pa_limit;
	char notes[PLAN_NOTES][256];
	unsigned note_count;
};

/* Exits with a message on bad input. */
struct run_plan plan_make(const struct run_options *);
void plan_free(struct run_plan *);

__attribute__((format(printf, 2, 3))) void plan_note(struct run_plan *, const char *fmt, ...);

/* Sets geom and format; exits with a message where the combination does not exist. */
void plan_geometry(struct run_plan *, const struct run_options *);

/* Memory that the host can give now, bytes: what is available, and what a control group leaves. */
uint64_t host_available(void);

#endif
