/* SPDX-License-Identifier: MIT */
/*
 * The machine as judge of a format: what tests/bare/<arch>/ brings for the tests of tests/bare/.
 *
 * The oracle fills a path of tables for one address with random entries, walks it with the format's functions (cop_format),
 * and lets the machine do the same. Where both must agree: whether the access happens, where it goes, which entry decided,
 * and why.
 */
#ifndef COPPICE_TESTS_BARE_ORACLE_H
#define COPPICE_TESTS_BARE_ORACLE_H

#include "ports/bare/common/bare.h"

/**
 * struct bare_geometry - a shape that the machine can translate by
 * @name: for the table
 * @probes: 0: as many as asked for; else at most that many
 */
struct bare_geometry {
	const char *name;
	struct cop_geom geom;
	uint32_t probes;
};
extern const struct bare_geometry bare_geometries[];
extern const unsigned bare_geometry_count;

/* Is this one for the machine that the image runs on? All are, where the architecture does not say otherwise. */
bool bare_has(const struct cop_geom *geom);

/* Accesses that the machine can be asked for, and each how often: in every path, in every second, ... */
struct bare_access_kind {
	uint8_t access, every;
};
extern const struct bare_access_kind bare_accesses[];
extern const unsigned bare_access_count;

/* Leaves point here, most of the time: memory that bare_oracle_use() has prepared for loads, stores and fetches. */
extern cop_pa bare_target_start, bare_target_end;

/* From now on probes go through the tables at root; tables lie below bare_target_start. */
void bare_oracle_use(const struct cop_geom *geom, cop_pa root);
void bare_oracle_done(void);

/* One access, after the tables have changed: nothing that was cached of them is used. */
struct bare_outcome bare_probe(cop_va va, unsigned access);

/**
 * bare_may_probe() - can this access be tried?
 * @expected: what the format says will happen
 *
 * Return: false for what would hurt, such as a store to a device or a fetch from what is not prepared.
 */
bool bare_may_probe(const struct bare_outcome *expected, cop_va va, unsigned access);

/*
 * What a format need not say, because no kernel asks: the machine's rules for what is reserved, and how permissions,
 * the accessed flag and the tables' own restrictions add up. Written from the manual, over the format's answers.
 */

/*
 * An entry that the format calls COP_BAD. BARE_OK if the machine ignores what is wrong with it, and then *entry without
 * that; BARE_OTHER if this machine is known not to do what its architecture says (bare_may_probe() refuses).
 */
uint8_t bare_reserved(const struct cop_geom *geom, uint64_t *entry, unsigned level, cop_va va);
/* Attributes that a table entry takes away from everything below. COP_READ: from the user. */
uint32_t bare_table_denies(const struct cop_geom *geom, uint64_t entry, unsigned level);
/* A table entry's own reasons to fault (reserved bits, an accessed flag of its own), and those of the address in an entry. */
uint8_t bare_table_fault(const struct cop_geom *geom, uint64_t entry, unsigned level);
uint8_t bare_address_fault(const struct cop_geom *geom, cop_pa pa, bool table);
/* May this access go through this leaf? */
uint8_t bare_leaf_fault(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs, uint32_t denied,
			unsigned access);
/* What else the machine tells of an access that went through this leaf, as bare_probe() puts it into .value. */
uint64_t bare_leaf_tells(const struct cop_geom *geom, uint64_t entry, unsigned level, uint32_t attrs);
/* The machine tells less than the format knows: do these agree? */
bool bare_agree(const struct bare_outcome *expected, const struct bare_outcome *seen);

/* What struct cop_format does not carry and the hardware shows all the same; see algebra.h. */
struct bare_algebra {
	uint64_t (*swap)(unsigned type, uint64_t offset, unsigned level);
	unsigned (*swap_type)(uint64_t, unsigned level);
	uint64_t (*swap_offset)(uint64_t, unsigned level);
	uint64_t (*swap_mkexclusive)(uint64_t, unsigned level);
	uint64_t (*swap_mksoft_dirty)(uint64_t, unsigned level);
	uint64_t (*marker)(const struct cop_geom *, cop_pa, unsigned level);
	cop_pa (*marker_pa)(const struct cop_geom *, uint64_t, unsigned level);
	uint64_t (*mkyoung)(uint64_t, unsigned level);
	uint64_t (*mkold)(uint64_t, unsigned level);
	uint64_t (*mkdirty)(uint64_t, unsigned level);
	uint64_t (*mkclean)(uint64_t, unsigned level);
	uint64_t (*mkwrite)(uint64_t, unsigned level);
	uint64_t (*wrprotect)(uint64_t, unsigned level);
	uint64_t (*mkspecial)(uint64_t, unsigned level);
	uint64_t (*mksoft_dirty)(uint64_t, unsigned level);
	uint64_t (*clear_soft_dirty)(uint64_t, unsigned level);
	uint64_t (*mkprotnone)(uint64_t, unsigned level);
	uint64_t (*mkinvalid)(uint64_t, unsigned level);
	uint64_t (*rest_mask)(const struct cop_geom *, uint64_t, unsigned level);
	uint64_t (*mkcont)(uint64_t, unsigned level);
	uint64_t (*mknoncont)(uint64_t, unsigned level);
	unsigned swap_type_bits, swap_offset_bits;
};
extern const struct bare_algebra bare_algebra;

#endif
