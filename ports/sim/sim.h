/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine, as the checker sees it.
 *
 * Time is a counter that every write to physical memory, invalidation and completion advances. A machine runs its setup
 * once; sim_mark() then makes that state the start of every execution. The engine puts it back.
 *
 * Processors are coroutines. One that comes to a visible operation announces it (sim_processor.op) and gives the host's
 * thread back; the scheduler chooses which of the announced operations happens next.
 */
#ifndef COPPICE_PORTS_SIM_SIM_H
#define COPPICE_PORTS_SIM_SIM_H

#include "checker/schedule.h"

#include <coppice/format.h>
#include <coppice/port.h>

#define SIM_CPUS       4
#define SIM_IPI_CPU(c) (SIM_CPUS + (c))         /* runs what other CPUs have interrupted CPU c for */
#define SIM_RCU_CPU    (2 * SIM_CPUS)           /* runs the callbacks of finished grace periods */
#define SIM_BUFFERS    (SIM_CPUS + 1)           /* of stores: each CPU's, and that of callbacks */
#define SIM_DRAIN(b)   (2 * SIM_CPUS + 1 + (b)) /* takes the stores of a buffer to memory */
#define SIM_ALL_CPUS   (2 * SIM_CPUS + 1 + SIM_BUFFERS)
#define SIM_TREES      4
#define SIM_LEVELS     8
#define SIM_EVENTS     (1U << 16) /* recorded in one execution */
#define SIM_FOREVER    (~0ULL)
#define SIM_HARDWARE   0xff /* as a writer: the MMU, setting accessed and dirty bits */
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
	SIM_OP_IRQ_OFF,
	SIM_OP_IRQ_ON,
	SIM_OP_IRQ,
	SIM_OP_IRQ_END,
	SIM_OP_IPI,
	SIM_OP_STOP,
	SIM_OP_CHOOSE,
	SIM_OP_FENCE,
	SIM_OP_DRAIN,
	SIM_OP_BUFFER,
	SIM_OP_REPORT,
};

/* One line of a trace. */
struct sim_event {
	struct sim_at at;
	const void *where; /* as simulated code names it */
	uint64_t old, value;
	cop_pa pa;     /* a translated access: what it reached, COP_PA_NONE for a fault */
	uint32_t step; /* engine_event(), SIM_NO_STEP: nothing else ran */
	/* When one execution is followed: what the place was then. */
	const char *owner;
	cop_pa base;
	uint8_t tree, level; /* of the table that the word is in; tree: SIM_NO_TREE: of none */
	uint8_t op, cpu;
	bool by_drain; /* a store that waited */
};
#define SIM_NO_STEP (~0U)
#define SIM_NO_TREE 0xff

enum sim_frame_state {
	SIM_FREE,
	SIM_TABLE,
	SIM_DATA,
	SIM_ABSENT, /* there is no memory, or no longer */
};

struct sim_frame {
	const char *owner; /* whose it is, or was */
	struct sim_at at;  /* of the last alloc or free */
	cop_pa base;       /* first byte of what it was allocated as part of */
	cop_va va;         /* first address that the table translates, once linked */
	uint8_t state;     /* enum sim_frame_state */
	uint8_t level;     /* once linked, until freed */
	uint8_t tree;
	uint8_t writer;   /* CPU that wrote to it last before it was linked, + 1 */
	uint32_t written; /* ... and when: see sim_order_table_written() */
	uint32_t since;   /* moment of memory order: what it held before, nobody sees */
	bool known;       /* level, va and tree are */
	bool linked;
	bool was_table; /* before it was freed */
	bool replaced;  /* by a leaf: what it maps lives on */
	bool kept;      /* the library's own allocator has it: not the machine's to hand out, and no leak */
	bool listed;    /* among those changed since the mark */
	bool filled;    /* since then, wholly, with: */
	uint64_t fill;
	uint64_t mapped; /* the location of: which leaves map it */
};

struct sim_tree {
	const struct cop_format *format;
	struct cop_geom geom;
	cop_pa root;
	uint32_t asid;
	uint8_t coding;                                    /* decode.c */
	uint8_t shift[SIM_LEVELS], index_bits[SIM_LEVELS]; /* the format's, by level */
	bool attached;
	bool caches_invalid; /* hardware may keep entries that are not valid */
	bool user;           /* a user's half: kernel addresses are not looked for here */
	bool by_ipi;         /* an invalidation reaches other CPUs by interrupt: they take it with interrupts on */
};

struct sim_grace {
	uint64_t section[SIM_ALL_CPUS]; /* the read section to wait for, 0: none */
};

/* How much of every CPU's past comes before something. */
struct sim_clock {
	uint32_t of[SIM_ALL_CPUS];
};

struct sim_processor {
	unsigned on; /* CPU: tasks and handlers may share one */
	const char *name;
	void (*run)(void *);
	void *arg;
	bool live, done;
	const char *failed; /* the rule that it broke */
	enum sim_op op;
	struct sim_at at;
	const void *where;
	unsigned reading, irqs_off, atomic; /* depth */
	bool handler;                       /* interrupts @on, runs to its end */
	void (*handler_run)(void *);
	uint64_t unpublished; /* time of the first entry written since the last publish, 0: none */
};

/* See order.c. */
enum sim_memory_order { SIM_ORDER_SC, SIM_ORDER_TSO, SIM_ORDER_WEAK };

struct sim_config {
	enum sim_memory_order order;
	uint64_t pa_bytes;  /* of physical memory, from 0 */
	unsigned frame_lg2; /* smallest table or page */
	unsigned cpus;
	bool quiet;       /* do not switch where a location has had no conflicting access so far */
	bool plain_waits; /* plain stores and loads are as free as marked ones, also where the program orders them */
	bool all_ordered; /* no two stores commute */
	bool fine;        /* ... but when one execution is followed step by step: switch at every announcement */
	bool go_on;       /* a failure ends its coroutine, not the execution */
	const char *disabled; /* a rule that is not looked at; NULL: none */
};

struct sim_report {
	const char *rule; /* NULL: nothing to report */
	char text[480];
	/* What it is about, for traces. */
	bool about_va, about_frame;
	cop_va va;
	cop_pa word; /* an entry; 0: none */
	cop_pa pa;   /* a frame */
};

/* The machine. Static because port functions have no context argument, as on hardware. */
struct sim {
	struct sim_config config;
	struct sim_frame *frame;        /* sim_frame_change() */
	struct sim_frame *frame_before; /* at the mark, bare */
	uint32_t *frame_list;           /* those changed since */
	const void *world;              /* the program's */
	size_t world_bytes;
	struct sim_report report;
	struct sim_event *event;
	bool solo;    /* setup or check: nothing else runs */
	bool restart; /* an access conflicted that was not a switch point: the search starts over */
	struct sim_clock clock[SIM_ALL_CPUS]; /* share.c */
	/* What follows is put back by the engine: compared after each event. */
	struct sim_processor cpu[SIM_ALL_CPUS];
	struct sim_tree tree[SIM_TREES];
	struct {
		cop_va vmemmap, start, last; /* frame 0's struct page; addresses that are struct pages */
		unsigned page_lg2;
	} memmap;
	/* Not to be held against a frame that the library's own allocator frees. */
	cop_va linear_start, linear_last;
	struct {
		const struct cop_format *format;
		struct cop_geom geom;
		const cop_pa *root;
		uint32_t asid;
	} pending; /* attached as soon as *root is set */
	size_t events;
	uint32_t frames_changed; /* since the mark */
	bool elsewhere; /* something changed that is neither in the machine's memory nor in the program's world */
	struct {
		uint64_t first, last; /* callbacks */
		uint64_t section[SIM_ALL_CPUS];
		uint64_t sections[SIM_ALL_CPUS]; /* begun so far */
		unsigned depth[SIM_ALL_CPUS];
	} rcu;
	struct {
		struct sim_order_cpu {
			uint64_t held;                     /* a location only: what waits, to all that run on the CPU */
			uint64_t count, made;              /* stores */
			uint32_t fence;                    /* so many come before all later ones */
			uint32_t view, read;               /* moments: loads see nothing older; newest that was read */
			uint32_t own;                      /* moment of its newest store */
			uint64_t view_at, read_at, own_at; /* places that these moments are of: compared.c */
			uint32_t wrote;                    /* to tables that are not linked yet, so often */
			uint32_t ordered;                  /* ... of which so many come before all later stores */
		} cpu[SIM_BUFFERS];
		uint32_t now, writes;
		uint32_t grace,
			frames; /* moments: what came before the newest grace period, and before the newest free */
		uint64_t grace_at, frames_at;
	} order;
	struct {
		uint64_t word; /* irq.c */
		struct sim_mail {
			void (*func)(void *);
			void *arg;
		} mail;
	} hw[SIM_CPUS];
	struct {
		uint32_t passes, choices, asked; /* so far */
		uint32_t nth;                    /* choices since the last pass */
	} log;
	uint64_t stopper; /* coroutine + 1 that has stopped the machine */
	uint64_t now;
	unsigned current; /* the CPU that runs */
	bool cut;         /* the execution cannot go on, because of a rule that is disabled */
};
extern struct sim sim;

/* guard.c */
extern uint64_t sim_steps; /* ever; whoever takes none goes round in circles */
void sim_guard_on(void);
/* Whatever ends the program in its middle is told first: @said gets the rule, and who did it where. */
void sim_guard_all(void (*said)(const char *rule, const char *text));

/* machine.c */
/* Before the frame of an index is changed. */
struct sim_frame *sim_frame_change(cop_pa);
uint32_t sim_frame_changed(uint32_t i);
/* Without what only messages tell. */
struct sim_frame sim_frame_bare(const struct sim_frame *);
void sim_power_on(const struct sim_config *);
void sim_power_off(void);
void sim_mark(void);
/* The first failure ends the execution; the CPU does not come back. */
COP_NORETURN void sim_fail(const char *rule, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same where one can go on: comes back if the rule is disabled. */
void sim_report(const char *rule, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_record(enum sim_op, const void *where, uint64_t old, uint64_t value, cop_pa pa, struct sim_at);
cop_pa sim_frame_alloc(unsigned lg2, enum sim_frame_state, const char *owner, struct sim_at);
/* Who has a frame is a location: its name. */
const void *sim_frame_location(cop_pa);
const void *sim_frame_mapped(cop_pa);
void sim_frame_claim(cop_pa, uint64_t bytes, const char *owner, struct sim_at);
void sim_frame_free(cop_pa, uint64_t bytes, struct sim_at);
/* Frames that the library's own allocator hands out and takes back; they stay in the linear map. */
void sim_frame_given(cop_pa, uint64_t bytes, enum sim_frame_state, const char *owner, struct sim_at);
void sim_frame_taken(cop_pa, uint64_t bytes, struct sim_at);
void sim_frame_is_free(cop_pa, uint64_t bytes, struct sim_at);
/* Memory appears and disappears. */
void sim_frame_populate(cop_pa, uint64_t bytes, const char *owner, struct sim_at);
void sim_frame_punch(cop_pa, uint64_t bytes, struct sim_at);
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
	uint8_t by;          /* who wrote it, if it is the newest */
	uint32_t before_;
};
struct sim_value sim_word_now(cop_pa);
/* The value before; false when there is none. */
bool sim_word_before(struct sim_value *);
bool sim_word_changed(cop_pa);
/* It has always held what it holds. */
void sim_word_forget(cop_pa);
/* The writes of this execution, in order: to which word of physical memory (COP_PA_NONE: elsewhere), and whether none came later. */
uint32_t sim_writes(void);
cop_pa sim_write_at(uint32_t);
bool sim_write_is_newest(uint32_t);
/* If it is the first one to its word: where that is (else NULL) and what it held before. */
struct sim_written {
	const uint64_t *word;
	cop_pa pa;
	uint64_t old;
};
struct sim_written sim_write_first(uint32_t);
/* Words of tables that have ever held anything but an empty entry, in any execution. */
void sim_word_use(cop_pa);
bool sim_word_used(cop_pa);
/* The table that the word is in has, or had in any execution, contiguous runs. */
void sim_word_use_run(cop_pa);
bool sim_has_runs(cop_pa table);
/* The first such entry from @from on, of the first @n of a table; @n if there is none. */
uint64_t sim_next_used(cop_pa table, uint64_t from, uint64_t n);
/* Memory that no CPU can walk yet: its words' history is of no interest. */
void sim_poke_fill(cop_pa, uint64_t v, uint64_t bytes);
uint64_t sim_peek(const volatile void *, unsigned size);
void sim_poke(volatile void *, uint64_t v, unsigned size, struct sim_at);
/* Accessed and dirty bits. */
void sim_poke_by_hardware(cop_pa word, uint64_t v, struct sim_at);
void sim_memory_on(void);
void sim_memory_off(void);
void sim_memory_mark(void);
/* The aligned word that an address is in, where it really is; not of translated addresses. */
uint64_t *sim_real_word(const volatile void *);
/* What it holds: for whoever waits for the location. */
uint64_t sim_peek_word(const volatile void *);

/* mmu.c and its parts */
struct sim_item;
cop_va sim_root_va(const struct sim_tree *);
struct sim_reached {
	cop_pa pa; /* COP_PA_NONE: fault */
	cop_pa word;
	uint64_t entry, updated; /* before and after hardware has set accessed and dirty bits */
	bool refused;            /* a fault though something is mapped */
	bool stale;
	bool unpublished; /* this CPU's own store made it so, and no walk need see that yet */
};
#define SIM_MAX_REACHED 16
/* What this CPU may reach at va, the kernel's or that user's; calls touch for every location that the answer depends on. */
unsigned sim_translate(const struct sim_tree *user, cop_va, bool write, struct sim_reached *,
		       void (*touch)(const void *));

/* entry.c */
unsigned sim_attach(const struct cop_format *, const struct cop_geom *, cop_pa root, uint32_t asid);
void sim_root_grown(cop_pa old, const struct cop_geom *, cop_pa root);
/* A user's half: its addresses are reached by sim_user() only. */
void sim_attach_user(const struct cop_format *, const struct cop_geom *, cop_pa root, uint32_t asid);
void sim_attach_later(const struct cop_format *, const struct cop_geom *, const cop_pa *root, uint32_t asid);
void sim_attach_pending(void);
void sim_detach(cop_pa root);
uint64_t sim_tree_bytes(cop_pa root); /* of its tables that are linked now */
enum sim_entry_write { SIM_ENTRY_STORE, SIM_ENTRY_EXCHANGE, SIM_ENTRY_INSTRUCTION };
/*
 * @ordered: of the CPU's writes to tables that are not linked, those that come before this one
 * @known: what the CPU knew of the entry when it stored
 * @knew: ... and of others, if the store has waited; NULL: what it knows now
 */
struct sim_known {
	bool any;
	uint64_t value;
};
struct sim_change {
	enum sim_entry_write how;
	uint32_t ordered;
	struct sim_known known;
	const struct sim_clock *knew;
};
void sim_mmu_entry_written(cop_pa word, uint64_t old, uint64_t v, const struct sim_change *, struct sim_at);
/* After a part of an entry was written. */
void sim_mmu_entry_patched(cop_pa word);
void sim_link_table(unsigned tree, cop_pa table, unsigned level, cop_va, uint32_t ordered);
/* Does anyone else's access conflict with a write to this word of a table? */
bool sim_mmu_write_shared(cop_pa word, const uint64_t *v);
/* Before it is written: what, beside the word, those depend on who ask what CPUs may hold. */
void sim_mmu_touch_written(cop_pa word, const uint64_t *v);
/* A table that is freed maps nothing any more, unless a leaf has taken its place. */
void sim_mmu_check_table(cop_pa);
void sim_mmu_check_operand(cop_pa word, unsigned n, const struct cop_tlbi *);
struct cop_tlbi sim_mmu_of_entries(cop_pa word, unsigned n, const struct cop_tlbi *);

/* mmu_check.c */
void sim_mmu_check_free(cop_pa, uint64_t bytes, bool by_allocator);
void sim_mmu_check_gone(cop_va, uint64_t bytes);
void sim_blame(const char *rule, const char *what, const struct sim_item *, unsigned on);

/* settled.c: return: no CPU holds anything that the tables no longer say */
bool sim_mmu_check_settled(void);

/* inval.c */
void sim_mmu_invalidate(const struct cop_tlbi *, uint64_t issued, bool complete);
void sim_mmu_complete(void);
bool sim_mmu_pending(void); /* has this CPU asked others for something that is not complete? */
void sim_mmu_on(void);
void sim_mmu_reset(void);

/* seen.c */
void sim_seen_on(void);
void sim_seen_off(void);
/* Has an execution ended just so, and passed its check? Otherwise, if it passes now, sim_seen_passed(). */
bool sim_seen(const void *world, size_t world_bytes);
void sim_seen_passed(void);

/* share.c: which locations are accessed by more than one CPU, with a write among them */
/*
 * Locations without an address. What tables say is two: whoever asks for addresses looks at sim_loc_tables, to which every
 * write adds; whoever asks for frames looks at those frames' sim_frame_mapped() and at sim_loc_links: all but single leaves.
 */
extern uint64_t sim_loc_tlb, sim_loc_tables, sim_loc_links, sim_loc_frames;
/* As the engine's modes: SIM_ADD commutes with itself. */
enum sim_mode { SIM_LOOK, SIM_ADD, SIM_CHANGE };
/* Does an access of this CPU conflict with one that another has made in any execution so far? */
bool sim_conflicts(const volatile void *, bool write);
bool sim_conflicts_as(const volatile void *, enum sim_mode);
/* The event that runs depends on the location, or changes it: before it does. */
void sim_touch(const volatile void *, bool write);
void sim_touch_as(const volatile void *, enum sim_mode);
/* ... or would if it could happen. */
void sim_touch_later(const volatile void *, enum sim_mode);
size_t sim_shared_count(void);
/* Something turned out that the search should have known from its start: it begins again. Does not come back. */
COP_NORETURN void sim_search_again(void);
void sim_share_on(void);
void sim_share_off(void);
/* What this CPU did so far comes before whatever is done after the acquire of the result. */
struct sim_clock sim_order_release(void);
void sim_order_acquire(const struct sim_clock *);

/* processor.c */
void sim_cpu_start(unsigned cpu, const char *name, void (*run)(void *), void *arg);
/* The coroutine runs on CPU `on`; a handler interrupts it. */
void sim_cpu_place(unsigned cpu, unsigned on, bool handler);
void sim_cpu_run(void *slot);
/* Which of several ways, all of which are possible now. */
unsigned sim_choose(unsigned ways);
/* Announce, and come back when chosen. */
void sim_point(enum sim_op, bool visible, const void *where, struct sim_at);
/* ... when *word is what @holds asks for. */
void sim_await_word(enum sim_op, const uint64_t *word, bool (*holds)(uint64_t, uint64_t), uint64_t arg, struct sim_at);
void sim_await_change(enum sim_op, const uint64_t *word, bool (*holds)(uint64_t, uint64_t), uint64_t arg,
		      struct sim_at);
void sim_await_over(const struct sim_wait *, uint64_t value);
COP_NORETURN void sim_cpu_stop(void);

/*
 * log.c: what an execution was, so that it can be followed step by step, whatever the search knew of conflicts: who passed
 * which announcement when, what was chosen, and which locations were taken to be shared where that made a difference.
 */
/* Valid until the next execution. */
struct schedule sim_log_get(void);
void sim_log_pass(void);
void sim_log_choice(unsigned way);
bool sim_log_shared(bool shared);
/* Answers as they were given then, no longer as they are known; NULL: as they are known. */
void sim_log_answers(const uint8_t *shared, uint32_t asked);

/* rcu.c */
void sim_rcu_run(void *);
bool sim_rcu_visible(void); /* beginning or ending a section */
/* Before an access to [p, p + size). */
void sim_rcu_check_heads(const volatile void *p, unsigned size, struct sim_at);
void sim_rcu_section_begin(void);
void sim_rcu_section_end(void);
void sim_rcu_run_solo(void);

/*
 * race.c: what happens before what, by the program's own synchronisation; plain accesses that nothing orders are races.
 * A location is named by its address; one that stands for something (a lock, a grace period) too.
 */
enum sim_race { SIM_RACE_WRITE = 1, SIM_RACE_PLAIN = 2, SIM_RACE_ACQUIRE = 4, SIM_RACE_RELEASE = 8, SIM_RACE_RMW = 16 };
void sim_race_access(const volatile void *, unsigned how, uint64_t value, struct sim_at);
/*
 * A store that waits comes where the program has it, not where it is made: what this CPU knew then, and what whoever
 * acquires the store gets to know.
 */
struct sim_issued {
	struct sim_clock knew, leaves;
};
struct sim_issued sim_race_issued(unsigned how);
void sim_race_made(const volatile void *, unsigned how, uint64_t value, struct sim_at, const struct sim_issued *);
void sim_race_fence(bool acquire, bool release);
/* Everything this CPU did comes before whatever is done after sim_race_after() of the same location. */
void sim_race_before(const void *);
void sim_race_after(const void *);
void sim_race_hardware(const volatile void *, uint64_t value);
void sim_race_on(void);
void sim_race_off(void);
struct sim_overwrite {
	bool unseen; /* somebody else wrote what is overwritten, and this CPU does not know */
	unsigned by;
	struct sim_at at;
	uint64_t seen; /* what it knows */
};
/* What this CPU has last read or written at a location, and what of it somebody has overwritten since. */
struct sim_known sim_race_known(const void *);
struct sim_overwrite sim_race_overwrites(const void *, const struct sim_change *, uint64_t old);

void sim_race_join(bool to_all); /* with every CPU's clock */

/* object.c */
void sim_object_on(void);
/* [p, p + bytes) is free from now on: nobody may touch it. */
void sim_object_gone(const void *p, size_t bytes, struct sim_at);
void sim_object_check(const volatile void *p, struct sim_at);

/* irq.c */
void sim_irq_reset(void);
void sim_word_set(uint64_t *, uint64_t);
bool sim_armed(unsigned on);
void sim_arm(unsigned on);
bool sim_gate_open(uint64_t word, uint64_t slot);
void sim_atomic_begin(void);
void sim_atomic_end(void);
void sim_handler_run(void *);
void sim_ipi_run(void *);
/* Interrupts off, a read section, a spinlock: nothing that waits for others may be done. */
void sim_may_sleep(const char *what, struct sim_at);
/* Waits until every other CPU has taken this CPU's pending invalidations, where that takes an interrupt. */
void sim_shootdown(struct sim_at);

/* order.c: stores that others may see later, loads that see what is old */
struct sim_store {
	const void *p; /* as simulated code names it */
	void *to;
	uint64_t v;
	unsigned size, how, slot;
	struct sim_change change;
	struct sim_issued issued;
	enum sim_op op;
	struct sim_at at;
};
void sim_order_on(void);
/* Is a store taken for later? @shared: others look. */
bool sim_order_waits(bool shared);
void sim_order_store(const struct sim_store *);
void sim_order_run(void *);
/* A load's value, if it is that of a store of its own CPU that waits. */
struct sim_own {
	bool waits;
	uint64_t value;
};
struct sim_own sim_order_own(const void *from, unsigned size, struct sim_at);
uint64_t sim_order_load(const void *from, unsigned size, bool acquire);
/* Waits until this CPU's stores are made. */
void sim_order_settle(struct sim_at);
/* Until all are, of CPUs that do nothing meanwhile; all see the present then. */
void sim_order_settle_all(struct sim_at);
/* Before a read-modify-write, or a store that is made at once. */
void sim_order_before_change(const void *, bool release, struct sim_at);
/* Before this CPU's MMU reads tables: it sees what its own CPU has stored. */
void sim_order_before_walk(struct sim_at);
/* Invalidating instructions, and what comes before them to publish entries. */
void sim_order_before_tlbi(struct sim_at);
void sim_order_publish(struct sim_at);
/* Before a store that may wait: a handler of the same CPU sees whether it does. */
void sim_order_before_store(struct sim_at);
/* What this CPU stored there is waited for to be made: nobody can wait for what a load would not see. */
void sim_order_before_await(const void *, struct sim_at);
/* A plain access: ordered by the program, or a race that is reported. */
void sim_order_before_plain(const void *, struct sim_at);
void sim_order_plain(const void *);
/* A table that is not linked is written to; and which of these writes come before a store of now. */
void sim_order_table_written(cop_pa);
uint32_t sim_order_ordered(unsigned how);
bool sim_order_late(const struct sim_frame *, uint32_t ordered);
/* Read sections that begin after a grace period has begun see all that came before that. */
void sim_order_grace_begins(void);
void sim_order_section_begins(void);
/* A frame is freed, and one is allocated: as whatever synchronises the machine's own allocator. */
void sim_order_frame_freed(void);
void sim_order_frame_allocated(void);
/* After memory was read as it is now, to acquire; and after it was changed. */
void sim_order_acquired(const void *);
void sim_order_written(void *, uint64_t old);
void sim_order_fence(bool acquire, bool release, bool full, struct sim_at);
bool sim_order_is(enum sim_memory_order);

/* compared.c: places are numbers, of which a set is a word; that of a CPU's fences is its number */
void sim_compared_on(void);
unsigned sim_compared_place(void); /* one more location's */
/* A load of @place looks whether a store there came before moments of those places. */
void sim_compared(unsigned place, uint64_t with);
/* As sim_conflicts() and sim_touch(): a store there, or a fence, happens now. */
bool sim_compared_conflicts(unsigned place, bool write);
void sim_compared_touch(unsigned place, bool write);

/* access.c */
void sim_store_made(const struct sim_store *);
bool sim_in_table(const void *);

/* memmap.c: what becomes of a struct page, at the address that a story has named */
void sim_memmap(cop_va vmemmap, cop_va start, cop_va last, unsigned page_lg2);
bool sim_is_memmap(cop_va);
void sim_memmap_written(cop_va, uint64_t old, uint64_t v, unsigned size, enum sim_op, struct sim_at);

/* access.c: is what p names memory that somebody has? */
void sim_check_reached(const volatile void *p, bool write);

/* access.c: what a story does that is no part of the port */
bool sim_probe(cop_va, bool write, uint64_t *value, struct sim_at);
/* A user thread's load or store, by hardware: any CPU may run it. False: it faults. */
bool sim_user(cop_pa root, cop_va, bool write, uint64_t *value, struct sim_at);
void sim_gone(cop_va, uint64_t bytes, struct sim_at);

#endif
