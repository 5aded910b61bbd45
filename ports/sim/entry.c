/* SPDX-License-Identifier: MIT */
/* Writing an entry of a table that CPUs may walk. */
#include "ports/sim/mmu.h"

struct changing {
	cop_pa word;
	uint64_t old, v;
	bool by_instruction;
};

/* Something was live here and may still be cached: the new value must be one that may stand beside it. */
static void check_change(const struct sim_item *item, struct sim_walk *w)
{
	const struct changing *c = w->arg;
	const struct sim_tree *tree = item->tree;
	bool live = item->current;

	if (item->word != c->word || !item->kept || item->value.value == c->v)
		return;
	if (item->kind != COP_LEAF && item->kind != COP_TABLE)
		return;
	switch (tree->format->change(&tree->geom, item->value.value, c->v, item->level)) {
	case COP_CHANGE_DIRECT:
		return;
	case COP_CHANGE_INSTR:
		if (c->by_instruction)
			return;
		sim_blame("live-entry-stored", "a valid entry may change only by instruction", item, w->on);
		return;
	case COP_CHANGE_BREAK:
		sim_blame(live ? "break-before-make" : "unclean-make", "a new value is written", item, w->on);
		return;
	case COP_CHANGE_FORBIDDEN:
		return; /* bad-encoding has said so */
	}
}

static struct sim_frame *frame_of(cop_pa pa)
{
	return &sim.frame[pa >> sim.config.frame_lg2];
}

static void check_encoding(const struct sim_tree *tree, uint64_t v, unsigned level, cop_pa word)
{
	if (sim_decode(tree, v, level)->kind == COP_BAD)
		sim_report("bad-encoding", "%#llx is no %s entry (at %#llx)", (unsigned long long)v,
			   tree->format->level_name(&tree->geom, level), (unsigned long long)word);
}

static bool is_table(cop_pa table)
{
	/* Setup carves tables out of memory before there is an allocator that could say so. */
	if (sim.solo && frame_of(table)->state == SIM_DATA)
		return true;
	return frame_of(table)->state == SIM_TABLE;
}

static void use(const struct sim_tree *tree, cop_pa word, uint64_t entry, unsigned level)
{
	const struct sim_target to = sim_target_of(tree, entry, level);

	sim_word_use(word);
	if (to.bytes)
		sim_name(word, to.pa, to.bytes);
	if (tree->format->cont_lg2 && sim_decode(tree, entry, level)->cont)
		sim_word_use_run(word);
}

static void link_entry(unsigned t, cop_pa word, uint64_t entry, unsigned level, cop_va va, uint32_t ordered)
{
	const struct sim_tree *tree = &sim.tree[t];
	enum cop_kind kind;

	if (entry == SIM_POISON)
		sim_report("linked-uninitialised", "entry %llu of table %#llx was never written",
			   (unsigned long long)(word - frame_of(word)->base) / 8,
			   (unsigned long long)frame_of(word)->base);
	if (entry == SIM_POISON)
		return;
	kind = sim_decode(tree, entry, level)->kind;
	if (kind == COP_EMPTY)
		return;
	use(tree, word, entry, level);
	check_encoding(tree, entry, level, word);
	if (kind == COP_TABLE)
		sim_link_table(t, tree->format->table_pa(&tree->geom, entry, level), level - 1, va, ordered);
}

/* A root that is linked already, while a new one is put over it. */
static cop_pa below_new_root = COP_PA_NONE;

/* A table is being linked: from now on hardware may read it. */
void sim_link_table(unsigned t, cop_pa table, unsigned level, cop_va va, uint32_t ordered)
{
	const struct sim_tree *tree = &sim.tree[t];
	const struct cop_format *format = tree->format;
	uint64_t bytes = COP_LG2(format->table_lg2(&tree->geom, level));
	uint64_t empty = format->empty ? format->empty(level) : 0;

	if (table + bytes > sim.config.pa_bytes)
		sim_fail("wild-table", "%#llx is linked as a table: there is no such memory",
			 (unsigned long long)table);
	if (!is_table(table))
		sim_report("wild-table", "%#llx is linked as a table, and is none", (unsigned long long)table);
	if (table == below_new_root)
		return;
	if (frame_of(table)->linked) {
		sim_report("linked-twice", "table %#llx is linked already", (unsigned long long)table);
		return;
	}
	if (sim_order_late(frame_of(table), ordered))
		sim_report("linked-unordered",
			   "table %#llx is linked, and nothing orders what was written to it before the link: a "
			   "walker may find what was there before",
			   (unsigned long long)table);
	sim_touch(sim_frame_location(table), true);
	for (cop_pa p = table; p < table + bytes; p += COP_LG2(sim.config.frame_lg2)) {
		struct sim_frame *f = sim_frame_change(p);

		f->state = SIM_TABLE;
		f->base = table;
		f->known = true;
		f->linked = true;
		f->level = (uint8_t)level;
		f->va = va;
		f->tree = (uint8_t)t;
	}
	for (uint64_t i = 0; i < COP_LG2(format->index_bits(&tree->geom, level)); i++) {
		uint64_t entry = sim_word_now(table + i * 8).value;

		if (entry != empty)
			link_entry(t, table + i * 8, entry, level, sim_entry_va(tree, va, level, i), ordered);
	}
}

static void unlink_table(const struct sim_tree *tree, uint64_t entry, unsigned level, uint64_t by)
{
	cop_pa table = tree->format->table_pa(&tree->geom, entry, level);
	uint64_t bytes = COP_LG2(tree->format->table_lg2(&tree->geom, level - 1));

	if (table + bytes > sim.config.pa_bytes)
		return;
	sim_touch(sim_frame_location(table), true);
	for (cop_pa p = table; p < table + bytes; p += COP_LG2(sim.config.frame_lg2)) {
		struct sim_frame *f = sim_frame_change(p);

		f->linked = false;
		f->replaced = tree->format->kind(&tree->geom, by, level) == COP_LEAF;
	}
}

void sim_mmu_check_table(cop_pa table)
{
	const struct sim_frame *f = frame_of(table);
	const struct sim_tree *tree = &sim.tree[f->tree];
	uint64_t n, entry;

	if (f->state != SIM_TABLE || !f->known || f->replaced || f->base != table || !tree->attached)
		return;
	n = COP_LG2(tree->format->index_bits(&tree->geom, f->level));
	for (uint64_t i = sim_next_used(table, 0, n); i < n; i = sim_next_used(table, i + 1, n)) {
		entry = sim_word_now(table + i * 8).value;
		if (sim_hardware_kind(tree, entry, f->level) == COP_LEAF)
			sim_report("live-table-freed",
				   "%s table %#llx is freed, and its entry %llu maps something: %#llx",
				   tree->format->level_name(&tree->geom, f->level), (unsigned long long)table,
				   (unsigned long long)i, (unsigned long long)entry);
	}
}

/*
 * The table of an entry that becomes valid was unlinked, there or further up, and a CPU may still walk it: what it finds
 * there is covered by nobody's invalidation.
 */
static void check_frozen(const struct sim_item *item, struct sim_walk *w)
{
	const struct changing *c = w->arg;
	const struct sim_item *unlinked = item;

	if (item->word != c->word || item->value.end != SIM_FOREVER || !item->readable)
		return;
	while (unlinked && unlinked->word != COP_PA_NONE && unlinked->value.end == SIM_FOREVER)
		unlinked = unlinked->above;
	if (unlinked && unlinked->word != COP_PA_NONE)
		sim_blame("frozen-child", "an entry of an unlinked table is made valid", unlinked, w->on);
}

static void touch_read(const void *p)
{
	sim_touch(p, false);
}

/* What is found depends on every entry on the way. */
static void look_for(struct sim_walk *w, cop_va va)
{
	w->touch = touch_read;
	sim_walk_all(w, va, va);
}

static bool valid(const struct sim_tree *tree, uint64_t v, unsigned level)
{
	enum cop_kind kind = sim_hardware_kind(tree, v, level);

	return kind == COP_TABLE || kind == COP_LEAF;
}

/* Does what is lost matter? A clear entry over hardware's accessed and dirty bits does not: who wants them exchanges. */
static bool loses(const struct sim_tree *tree, const struct changing *c, uint64_t seen, unsigned level)
{
	const struct cop_format *f = tree->format;
	const uint32_t ad = COP_YOUNG | COP_DIRTY;

	if (f->kind(&tree->geom, c->v, level) != COP_EMPTY || f->kind(&tree->geom, seen, level) != COP_LEAF ||
	    f->kind(&tree->geom, c->old, level) != COP_LEAF)
		return true;
	return f->leaf_pa(&tree->geom, seen, level) != f->leaf_pa(&tree->geom, c->old, level) ||
	       ((f->attrs(&tree->geom, seen, level) ^ f->attrs(&tree->geom, c->old, level)) & ~ad);
}

static void check_lost(const struct sim_tree *tree, const struct changing *c, const struct sim_change *change,
		       unsigned level)
{
	struct sim_overwrite lost = sim_race_overwrites(sim_phys(c->word), change, c->old);

	if (lost.unseen && loses(tree, c, lost.seen, level))
		sim_report("lost-update",
			   "%#llx overwrites %#llx, which %s wrote at %s:%d after this CPU had read %#llx",
			   (unsigned long long)c->v, (unsigned long long)c->old,
			   lost.by == SIM_HARDWARE ? "hardware" : sim.cpu[lost.by].name,
			   lost.at.file ? lost.at.file : "-", lost.at.line, (unsigned long long)lost.seen);
}

void sim_mmu_entry_written(cop_pa word, uint64_t old, uint64_t v, const struct sim_change *change, struct sim_at at)
{
	struct sim_frame *f = frame_of(word);
	struct changing c = {.word = word, .old = old, .v = v, .by_instruction = change->how == SIM_ENTRY_INSTRUCTION};
	struct sim_walk w = {.visit = check_change, .exact = true, .arg = &c};
	const struct sim_tree *tree = &sim.tree[f->tree];
	cop_va va;

	if (f->state != SIM_TABLE || !f->known)
		return;
	sim.cpu[sim.current].at = at;
	if (change->how == SIM_ENTRY_STORE)
		check_lost(tree, &c, change, f->level);
	if (old == v)
		return;
	check_encoding(tree, v, f->level, word);
	va = sim_entry_va(tree, f->va, f->level, (word - f->base) / 8);
	if (sim_decode(tree, old, f->level)->kind != COP_EMPTY || sim_word_changed(word))
		look_for(&w, va);
	w.visit = check_frozen;
	if (!f->linked && valid(tree, v, f->level))
		look_for(&w, va);
	use(tree, word, v, f->level);
	if (!f->linked)
		return;
	if (sim_decode(tree, old, f->level)->kind == COP_TABLE)
		unlink_table(tree, old, f->level, v);
	if (sim_decode(tree, v, f->level)->kind == COP_TABLE)
		sim_link_table(f->tree, tree->format->table_pa(&tree->geom, v, f->level), f->level - 1U, va,
			       change->ordered);
}

void sim_mmu_entry_patched(cop_pa word)
{
	const struct sim_frame *f = frame_of(word);

	if (f->state == SIM_TABLE && f->known)
		use(&sim.tree[f->tree], word, sim_word_now(word).value, f->level);
}

static void ignore(const struct sim_item *item, struct sim_walk *w)
{
	(void)item, (void)w;
}

static bool path_is_shared;

static void ask_shared(const void *p)
{
	path_is_shared |= sim_conflicts(p, false);
}

/*
 * Can a write change what CPUs may hold? Not in a table that was never linked, and not from one value that hardware does not
 * keep to another. @v: NULL if it is not known.
 */
static bool write_matters(cop_pa word, const uint64_t *v)
{
	const struct sim_frame *f = frame_of(word);
	const struct sim_tree *tree = &sim.tree[f->tree];

	if (f->state != SIM_TABLE || !f->known)
		return false;
	if (tree->caches_invalid || !v)
		return true;
	return valid(tree, *v, f->level) || valid(tree, sim_word_now(word).value, f->level);
}

/* Of a single leaf, or of nothing; not of a run, any entry of which hardware may take for all. */
static bool is_single(const struct sim_tree *tree, uint64_t v, unsigned level)
{
	const struct sim_entry *e = sim_decode(tree, v, level);

	return level == 0 && !e->cont && (e->kind == COP_LEAF || e->kind == COP_EMPTY);
}

static void visit_mapped(const struct sim_target *to, void (*visit)(const void *))
{
	for (cop_pa pa = to->pa; pa < to->pa + to->bytes && pa < sim.config.pa_bytes;
	     pa += COP_LG2(sim.config.frame_lg2))
		visit(sim_frame_mapped(pa));
}

static void visit_written(cop_pa word, const uint64_t *v, void (*visit)(const void *))
{
	const struct sim_frame *f = frame_of(word);
	const struct sim_tree *tree = &sim.tree[f->tree];
	const uint64_t old = sim_word_now(word).value;
	struct sim_target to;

	visit(&sim_loc_tables);
	if (!v || !is_single(tree, old, f->level) || !is_single(tree, *v, f->level)) {
		visit(&sim_loc_links);
		return;
	}
	to = sim_target_of(tree, old, f->level);
	visit_mapped(&to, visit);
	to = sim_target_of(tree, *v, f->level);
	visit_mapped(&to, visit);
}

static void add_to(const void *location)
{
	sim_touch_as(location, SIM_ADD);
}

void sim_mmu_touch_written(cop_pa word, const uint64_t *v)
{
	if (write_matters(word, v))
		visit_written(word, v, add_to);
}

static void ask_added(const void *location)
{
	path_is_shared |= sim_conflicts_as(location, SIM_ADD);
}

bool sim_mmu_write_shared(cop_pa word, const uint64_t *v)
{
	const struct sim_frame *f = frame_of(word);
	struct sim_walk w = {.visit = ignore, .touch = ask_shared, .exact = true};
	cop_va va;

	if (!write_matters(word, v))
		return false;
	path_is_shared = false;
	visit_written(word, v, ask_added);
	if (path_is_shared)
		return true;
	if (!sim_shared_count())
		return false;
	va = sim_entry_va(&sim.tree[f->tree], f->va, f->level, (word - f->base) / 8);
	sim_walk_all(&w, va, va);
	return path_is_shared;
}

/* Instructions that change a valid entry and invalidate: what they are told must be what the entry is. */

static bool has_instructions(const struct sim_tree *tree)
{
	const struct cop_format *f = tree->format;
	uint64_t leaf = f->leaf ? f->leaf(&tree->geom, 0, 0, COP_KERNEL_RW) : 0;

	return f->leaf && f->change(&tree->geom, leaf, f->empty(0), 0) == COP_CHANGE_INSTR;
}

/* The type of table is in the instruction for page tables (IPTE), in the entries of all others. */
static bool right_type(const struct sim_frame *f, const struct cop_tlbi *t)
{
	return f->level ? t->level == COP_TLBI_ANY_LEVEL || t->level == f->level : t->level == 0;
}

void sim_mmu_check_operand(cop_pa word, unsigned n, const struct cop_tlbi *t)
{
	const struct sim_frame *f = frame_of(word);
	const struct sim_tree *tree = &sim.tree[f->tree];
	uint64_t first = (word - f->base) / 8;
	cop_va va;

	if (f->state != SIM_TABLE || !f->known) {
		sim_report("wrong-operand", "%#llx is no entry of a table", (unsigned long long)word);
		return;
	}
	va = sim_entry_va(tree, f->va, f->level, first);
	if (!has_instructions(tree))
		sim_report("wrong-operand", "%s has no instruction that changes an entry", tree->format->name);
	if (!right_type(f, t))
		sim_report("wrong-operand", "the entry is of a %s table, the operand says level %u",
			   tree->format->level_name(&tree->geom, f->level), t->level);
	if (first + n > COP_LG2(tree->format->index_bits(&tree->geom, f->level)))
		sim_report("wrong-operand", "%u entries from %llu on: the table ends before", n,
			   (unsigned long long)first);
	if (COP_ALIGN_DOWN(t->start, sim_span(tree, f->level)) != va)
		sim_report("wrong-operand", "the entry translates %#llx, the operand says %#llx",
			   (unsigned long long)va, (unsigned long long)t->start);
}

/* What such an instruction invalidates: all that was formed through the entries, of whatever level. */
struct cop_tlbi sim_mmu_of_entries(cop_pa word, unsigned n, const struct cop_tlbi *t)
{
	const struct sim_frame *f = frame_of(word);
	const struct sim_tree *tree = &sim.tree[f->tree];
	struct cop_tlbi one = *t;

	if (f->state != SIM_TABLE || !f->known)
		return one;
	one.start = sim_entry_va(tree, f->va, f->level, (word - f->base) / 8);
	one.last = one.start + (n * sim_span(tree, f->level) - 1);
	one.level = COP_TLBI_ANY_LEVEL;
	one.stride_lg2 = tree->geom.page_lg2;
	if (f->level)
		one.scope |= COP_TLBI_TABLES;
	return one;
}

/* Roots. */

static uint64_t linked_bytes(const struct sim_tree *tree, cop_pa table, unsigned level)
{
	uint64_t n = COP_LG2(tree->format->index_bits(&tree->geom, level));
	uint64_t bytes = COP_LG2(tree->format->table_lg2(&tree->geom, level));

	if (!level || table + n * 8 > sim.config.pa_bytes)
		return bytes;
	for (uint64_t i = sim_next_used(table, 0, n); i < n; i = sim_next_used(table, i + 1, n)) {
		uint64_t entry = sim_word_now(table + i * 8).value;

		if (sim_decode(tree, entry, level)->kind == COP_TABLE)
			bytes += linked_bytes(tree, tree->format->table_pa(&tree->geom, entry, level), level - 1);
	}
	return bytes;
}

uint64_t sim_tree_bytes(cop_pa root)
{
	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (sim.tree[t].attached && sim.tree[t].root == root)
			return linked_bytes(&sim.tree[t], root, sim.tree[t].geom.levels - 1U);
	}
	return 0;
}

unsigned sim_attach(const struct cop_format *format, const struct cop_geom *geom, cop_pa root, uint32_t asid)
{
	for (unsigned t = 0; t < SIM_TREES; t++) {
		const struct sim_tree *other = &sim.tree[t];

		if (other->attached && other->asid == asid && other->geom.half == geom->half && other->root != root)
			sim_report("asid-shared", "roots %#llx and %#llx share address space %u",
				   (unsigned long long)other->root, (unsigned long long)root, asid);
	}
	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (sim.tree[t].attached)
			continue;
		sim.tree[t] = (struct sim_tree){.format = format, .geom = *geom, .root = root, .asid = asid};
		sim.tree[t].attached = true;
		sim_tree_coding(&sim.tree[t]);
		sim.tree[t].caches_invalid =
			format->covers && format->covers(geom, format->empty(0),
							 format->leaf(geom, 0, 0, COP_KERNEL_RW), 0) != COP_COVERS_NONE;
		/*
		 * The others broadcast (Arm ARM D8.17; Principles of Operation, IPTE), or ask what is below them, which
		 * the supervisor's interrupts do not hold up (RISC-V SBI, RFENCE extension).
		 */
		sim.tree[t].by_ipi =
			format->arch_name && format->arch == COP_X86_64 && !(geom->features & COP_F_INVLPGB);
		sim_link_table(t, root, geom->levels - 1U, sim_root_va(&sim.tree[t]), UINT32_MAX);
		return t;
	}
	sim_fail("sim-limit", "more than %d trees", SIM_TREES);
}

/* Nobody has walked what stands above the old root, so nobody knows what its words held before. */
static void forget_above(const struct sim_tree *tree, cop_pa old)
{
	cop_pa table = tree->root, below = old;

	for (unsigned level = tree->geom.levels - 1U; table != old && level; level--, table = below) {
		const uint64_t n = COP_LG2(tree->index_bits[level]);

		for (uint64_t i = sim_next_used(table, 0, n); i < n; i = sim_next_used(table, i + 1, n)) {
			const uint64_t entry = sim_word_now(table + i * 8).value;

			sim_word_forget(table + i * 8);
			if (sim_decode(tree, entry, level)->kind == COP_TABLE)
				below = tree->format->table_pa(&tree->geom, entry, level);
		}
	}
}

/*
 * CPUs load a root that stands over the one they had, each when it likes: what they find through either is the same, so
 * from now on all have the new one.
 */
void sim_root_grown(cop_pa old, const struct cop_geom *geom, cop_pa root)
{
	unsigned t = 0;

	while (t < SIM_TREES && !(sim.tree[t].attached && sim.tree[t].root == old))
		t++;
	if (t == SIM_TREES)
		sim_fail("assert", "%#llx is no attached root", (unsigned long long)old);
	sim_point(SIM_OP_PUBLISH, true, NULL, SIM_AT);
	sim_touch(&sim_loc_tables, true);
	sim_touch(&sim_loc_links, true);
	sim.tree[t].geom = *geom;
	sim.tree[t].root = root;
	sim_tree_coding(&sim.tree[t]);
	below_new_root = old;
	sim_link_table(t, root, geom->levels - 1U, sim_root_va(&sim.tree[t]), UINT32_MAX);
	below_new_root = COP_PA_NONE;
	forget_above(&sim.tree[t], old);
}

void sim_attach_user(const struct cop_format *format, const struct cop_geom *geom, cop_pa root, uint32_t asid)
{
	sim.tree[sim_attach(format, geom, root, asid)].user = true;
}

void sim_attach_later(const struct cop_format *format, const struct cop_geom *geom, const cop_pa *root, uint32_t asid)
{
	sim.pending.format = format;
	sim.pending.geom = *geom;
	sim.pending.root = root;
	sim.pending.asid = asid;
}

void sim_attach_pending(void)
{
	if (!sim.pending.root || !*sim.pending.root)
		return;
	cop_pa root = *sim.pending.root;

	sim.pending.root = NULL;
	sim_attach(sim.pending.format, &sim.pending.geom, root, sim.pending.asid);
}

/* Takes the root away from every CPU and drops what they kept of it, as switching to another root and back does. */
void sim_detach(cop_pa root)
{
	for (unsigned t = 0; t < SIM_TREES; t++) {
		if (sim.tree[t].attached && sim.tree[t].root == root) {
			sim.tree[t].attached = false;
			return;
		}
	}
	sim_fail("assert", "%#llx is no attached root", (unsigned long long)root);
}
