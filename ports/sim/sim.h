/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine, as the checker sees it.
 *
 * Time is a counter that every write to physical memory, invalidation and completion advances. A machine runs its setup
 * once; sim_mark() then makes that state the start of every execution and sim_restore() goes back to it.
 *
 * Processors are coroutines. One that comes to a visible operation announces it (sim_processor.op) and gives the host's
 * thread back; the scheduler chooses which of the announced operations happens next.
 */
#ifndef COPPICE_PORTS_SIM_SIM_H
#define COPPICE_PORTS_SIM_SIM_H

#include <coppice/format.h>
#include <coppice/port.h>

#define SIM_CPUS     4
#define SIM_RCU_CPU  SIM_CPUS /* runs the callbacks of finished grace periods */
#define SIM_ALL_CPUS (SIM_CPUS + 1)
#define SIM_TREES    4
#define SIM_FOREVER  (~0ULL)
/* What a frame holds when it is allocated: an entry that no format calls empty. */
#define SIM_POISON 0x5a5a5a5a5a5a5a5bULL

enum sim_op {
	SIM_OP_START,
	SIM_OP_LOAD,
	SIM_OP_STORE,
	SIM_OP_XCHG,
	SIM_OP_CAS,
	SIM_OP_ADD,
	SIM_OP_AWAIT,
	SIM_OP_READ,
	SIM_OP_WRITE,
	SIM_OP_FILL,
	SIM_OP_PUBLISH,
	SIM_OP_TLBI,
	SIM_OP_SYNC,
	SIM_OP_LOCK,
	SIM_OP_UNLOCK,
	SIM_OP_RCU_READ,
	SIM_OP_RCU_UNREAD,
	SIM_OP_RCU_DEFER,
	SIM_OP_RCU_SYNC,
	SIM_OP_RCU_CALL,
	SIM_OP_ALLOC,
	SIM_OP_FREE,
	SIM_OP_PROBE,
	SIM_OP_GONE,
	SIM_OP_REPORT,
};

/* One line of a trace. */
struct sim_event {
	struct sim_at at;
	const void *where; /* as simulated code names it */
	uint64_t old, value;
	cop_pa pa; /* a translated access: what it reached, COP_PA_NONE for a fault */
	uint8_t op, cpu;
	bool visible; /* others could have run before it */
};

enum sim_frame_state { SIM_FREE, SIM_TABLE, SIM_DATA };

struct sim_frame {
	const char *owner; /* whose it is, or was */
	struct sim_at at;  /* of the last alloc or free */
	cop_pa base;       /* first byte of what it was allocated as part of */
	cop_va va;         /* first address that the table translates, once linked */
	uint8_t state;     /* enum sim_frame_state */
	uint8_t level;     /* once linked, until freed */
	uint8_t tree;
	bool known; /* level, va and tree are */
	bool linked;
};

struct sim_tree {
	const struct cop_format *format;
	struct cop_geom geom;
	cop_pa root;
	uint32_t asid;
	bool attached;
};

/* What a CPU waits for before its announced operation can happen. */
enum sim_wait { SIM_READY, SIM_WAIT_LOCK, SIM_WAIT_CHANGE, SIM_WAIT_GRACE, SIM_WAIT_CALLBACK };

struct sim_grace {
	uint64_t section[SIM_CPUS]; /* the read section to wait for, 0: none */
};

struct sim_processor {
	const char *name;
	void (*run)(void *);
	void *arg;
	bool live, done;
	enum sim_op op;
	struct sim_at at;
	enum sim_wait wait;
	const void *where;
	unsigned size;
	uint64_t seen;
	struct sim_grace grace;
	unsigned reading, irqs_off; /* depth */
	uint64_t section;           /* number of read sections begun */
	uint64_t unpublished;       /* time of the first entry written since the last publish, 0: none */
};

struct sim_config {
	uint64_t pa_bytes;  /* of physical memory, from 0 */
	unsigned frame_lg2; /* smallest table or page */
	unsigned cpus;
	unsigned (*choose)(unsigned n); /* which of n ways to go on */
	bool quiet;                     /* do not switch where a location has had no conflicting access so far */
};

struct sim_report {
	const char *rule; /* NULL: nothing to report */
	char text[480];
};

/* The machine. Static because port functions have no context argument, as on hardware. */
struct sim {
	struct sim_config config;
	struct sim_processor cpu[SIM_ALL_CPUS];
	struct sim_frame *frame;
	struct sim_tree tree[SIM_TREES];
	struct sim_report report;
	struct sim_event *event;
	size_t events;
	uint64_t now;
	unsigned current; /* the CPU that runs */
	bool solo;        /* setup or check: nothing else runs */
	bool restart;     /* an access conflicted that was not a switch point: the search starts over */
};
extern struct sim sim;

/* machine.c */
void sim_power_on(const struct sim_config *);
void sim_power_off(void);
void sim_mark(void *world, size_t bytes);
void sim_restore(void);
/* The first failure ends the execution; the CPU does not come back. */
COP_NORETURN void sim_fail(const char *rule, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_record(enum sim_op, const void *where, uint64_t old, uint64_t value, cop_pa pa, struct sim_at);
cop_pa sim_frame_alloc(unsigned lg2, enum sim_frame_state, const char *owner, struct sim_at);
/* Who has a frame is a location: its name. */
const void *sim_frame_location(cop_pa);
void sim_frame_claim(cop_pa, uint64_t bytes, const char *owner, struct sim_at);
void sim_frame_free(cop_pa, uint64_t bytes, struct sim_at);
void sim_check_leaks(void);

/* memory.c: words, and the history of each */
enum sim_space { SIM_HOST, SIM_PHYS, SIM_DESC, SIM_VIRT };
struct sim_place {
	enum sim_space space;
	uint64_t address; /* pa, va or offset */
};
struct sim_place sim_place_of(const volatile void *);
/* One value that a word has held: [set, end). */
struct sim_value {
	uint64_t value, set, end;
	struct sim_at ended; /* who overwrote it */
	uint32_t before_;
};
struct sim_value sim_word_now(cop_pa);
/* The value before; false when there is none. */
bool sim_word_before(struct sim_value *);
bool sim_word_changed(cop_pa);
/* Has only ever been zero: nothing there for a walk that looks for translations. */
bool sim_word_blank(cop_pa);
uint64_t sim_peek(const volatile void *, unsigned size);
void sim_poke(volatile void *, uint64_t v, unsigned size, struct sim_at);
void sim_memory_on(void);
void sim_memory_off(void);
void sim_memory_mark(void);
void sim_memory_restore(void);

/* mmu.c */
unsigned sim_attach(const struct cop_format *, const struct cop_geom *, cop_pa root, uint32_t asid);
void sim_detach(cop_pa root);
struct sim_reached {
	cop_pa pa; /* COP_PA_NONE: fault */
	uint64_t entry;
	bool writable, stale;
};
#define SIM_MAX_REACHED 8
/* What this CPU may reach at va; calls touch for every location that the answer depends on. */
unsigned sim_translate(cop_va, struct sim_reached *, void (*touch)(const void *));
void sim_mmu_entry_written(cop_pa word, uint64_t old, uint64_t v, bool by_instruction, struct sim_at);
void sim_mmu_check_free(cop_pa, uint64_t bytes);
void sim_mmu_check_gone(cop_va, uint64_t bytes);
void sim_mmu_invalidate(const struct cop_tlbi *, uint64_t issued, bool complete);
void sim_mmu_complete(void);
void sim_mmu_mark(void);
void sim_mmu_restore(void);
void sim_mmu_off(void);

/* How much of every CPU's past comes before something. */
struct sim_clock {
	uint32_t of[SIM_ALL_CPUS];
};

/* share.c: which locations are accessed by more than one CPU, with a write among them */
extern const char sim_loc_tlb, sim_loc_tables, sim_loc_frames, sim_loc_rcu; /* locations without an address */
/* Does an access of this CPU conflict with one that another has made in any execution so far? */
bool sim_conflicts(const volatile void *, bool write);
void sim_touch(const volatile void *, bool write);
size_t sim_shared_count(void);
void sim_share_restore(void);
void sim_share_reset(void);
/* What this CPU did so far comes before whatever is done after the acquire of the result. */
struct sim_clock sim_order_release(void);
void sim_order_acquire(const struct sim_clock *);

/* processor.c */
void sim_cpu_start(unsigned cpu, const char *name, void (*run)(void *), void *arg);
void sim_cpu_resume(unsigned cpu);
bool sim_cpu_enabled(unsigned cpu);
/* Announce, and come back when chosen. */
void sim_point(enum sim_op, bool visible, enum sim_wait, const void *where, struct sim_at);
COP_NORETURN void sim_cpu_stop(void);
void sim_processors_on(void);
void sim_processors_off(void);

/* rcu.c */
void sim_rcu_run(void *);
bool sim_rcu_ready(void);
bool sim_rcu_idle(void);
bool sim_grace_over(const struct sim_grace *);
void sim_rcu_mark(void);
void sim_rcu_restore(void);

/* access.c: what a story does that is no part of the port */
bool sim_probe(cop_va, uint64_t *value, struct sim_at);
void sim_gone(cop_va, uint64_t bytes, struct sim_at);

#endif
