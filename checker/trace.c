/* SPDX-License-Identifier: MIT */
/* A failing execution, readable: one column per CPU, what it did and the source line that says so. */
#include "checker/explore.h"

#include <string.h>

#define COLUMN 46

static const char *const op_name[] = {
	[SIM_OP_START] = "start",
	[SIM_OP_LOAD] = "load",
	[SIM_OP_STORE] = "store",
	[SIM_OP_XCHG] = "xchg",
	[SIM_OP_CAS] = "cas",
	[SIM_OP_ADD] = "add",
	[SIM_OP_AWAIT] = "await",
	[SIM_OP_READ] = "read",
	[SIM_OP_WRITE] = "write",
	[SIM_OP_FILL] = "fill",
	[SIM_OP_PUBLISH] = "publish",
	[SIM_OP_TLBI] = "tlbi",
	[SIM_OP_SYNC] = "sync",
	[SIM_OP_LOCK] = "lock",
	[SIM_OP_UNLOCK] = "unlock",
	[SIM_OP_RCU_READ] = "rcu read",
	[SIM_OP_RCU_UNREAD] = "rcu done",
	[SIM_OP_RCU_DEFER] = "rcu defer",
	[SIM_OP_RCU_SYNC] = "grace period",
	[SIM_OP_RCU_CALL] = "callback",
	[SIM_OP_ALLOC] = "alloc",
	[SIM_OP_FREE] = "free",
	[SIM_OP_PROBE] = "probe",
	[SIM_OP_GONE] = "expect gone",
	[SIM_OP_IRQ_OFF] = "irqs off",
	[SIM_OP_IRQ_ON] = "irqs on",
	[SIM_OP_IRQ] = "interrupt",
	[SIM_OP_IRQ_END] = "interrupt done",
	[SIM_OP_IPI] = "ipi",
	[SIM_OP_STOP] = "machine stopped",
	[SIM_OP_CHOOSE] = "choose",
	[SIM_OP_REPORT] = "***",
};

static void name_physical(char *out, size_t room, cop_pa pa)
{
	const struct sim_frame *f = &sim.frame[pa >> sim.config.frame_lg2];

	if (f->state == SIM_TABLE && f->known) {
		const struct sim_tree *t = &sim.tree[f->tree];

		snprintf(out, room, "%s[%llu] of %#llx", t->format->level_name(&t->geom, f->level),
			 (unsigned long long)(pa - f->base) / 8, (unsigned long long)f->base);
		return;
	}
	snprintf(out, room, "%s %#llx", f->owner ? f->owner : "frame", (unsigned long long)pa);
}

static void name_place(char *out, size_t room, const void *where)
{
	struct sim_place place = sim_place_of(where);

	switch (place.space) {
	case SIM_PHYS:
		name_physical(out, room, place.address);
		return;
	case SIM_DESC:
		snprintf(out, room, "desc %#llx+%llu", (unsigned long long)place.address / 64 << sim.config.frame_lg2,
			 (unsigned long long)place.address % 64);
		return;
	case SIM_VIRT:
		snprintf(out, room, "va %#llx", (unsigned long long)place.address);
		return;
	default:
		snprintf(out, room, "%p", where);
	}
}

static void describe(char *out, size_t room, const struct sim_event *e)
{
	char where[80] = "";

	if (e->where)
		name_place(where, sizeof(where), e->where);
	switch (e->op) {
	case SIM_OP_LOAD:
	case SIM_OP_READ:
	case SIM_OP_AWAIT:
		snprintf(out, room, "%s %s: %#llx", op_name[e->op], where, (unsigned long long)e->value);
		return;
	case SIM_OP_STORE:
	case SIM_OP_WRITE:
	case SIM_OP_XCHG:
	case SIM_OP_CAS:
	case SIM_OP_ADD:
		snprintf(out, room, "%s %s: %#llx -> %#llx", op_name[e->op], where, (unsigned long long)e->old,
			 (unsigned long long)e->value);
		return;
	case SIM_OP_TLBI:
		snprintf(out, room, "tlbi %#llx..%#llx%s", (unsigned long long)e->old, (unsigned long long)e->value,
			 e->pa & COP_TLBI_TABLES ? " and tables" : "");
		return;
	case SIM_OP_PROBE:
		if (e->pa == COP_PA_NONE)
			snprintf(out, room, "probe %s: fault", where);
		else
			snprintf(out, room, "probe %s -> %#llx", where, (unsigned long long)e->pa);
		return;
	case SIM_OP_ALLOC:
	case SIM_OP_FREE:
	case SIM_OP_GONE:
		snprintf(out, room, "%s %s, %#llx bytes", op_name[e->op], where, (unsigned long long)e->value);
		return;
	case SIM_OP_REPORT:
		snprintf(out, room, "*** %s", sim.report.rule);
		return;
	default:
		snprintf(out, room, "%s%s%s", op_name[e->op], where[0] ? " " : "", where);
	}
}

static const char *base_name(const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	return slash ? slash + 1 : file ? file : "";
}

/* Columns in the order of CPUs; only those that ran. */
static unsigned columns(unsigned *column)
{
	bool ran[SIM_ALL_CPUS] = {false};
	unsigned n = 0;

	for (size_t i = 0; i < sim.events; i++)
		ran[sim.event[i].cpu] = true;
	for (unsigned c = 0; c < SIM_ALL_CPUS; c++)
		column[c] = ran[c] ? n++ : 0;
	return n;
}

static void heading(FILE *f, const unsigned *column, unsigned n)
{
	for (unsigned c = 0, i = 0; c < SIM_ALL_CPUS && i < n; c++) {
		char name[COLUMN];

		if (column[c] != i || (c && !sim.cpu[c].name))
			continue;
		snprintf(name, sizeof(name), c == SIM_RCU_CPU ? "%s" : "%s (CPU %u)",
			 sim.cpu[c].name ? sim.cpu[c].name : "-", c);
		fprintf(f, "%-*s", COLUMN, name);
		i++;
	}
	fputc('\n', f);
}

void checker_trace(FILE *f)
{
	unsigned column[SIM_ALL_CPUS], n = columns(column);

	heading(f, column, n);
	for (size_t i = 0; i < sim.events; i++) {
		const struct sim_event *e = &sim.event[i];
		char what[160];

		describe(what, sizeof(what), e);
		fprintf(f, "%*s%-*s %s:%d\n", (int)(column[e->cpu] * COLUMN), "", (int)((n - column[e->cpu]) * COLUMN),
			what, base_name(e->at.file), e->at.line);
	}
}
