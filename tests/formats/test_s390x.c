/* SPDX-License-Identifier: MIT */
/* The format suite and s390x's own cases. Expected entries are written out from the manual, not computed. */
#include "formats/s390x.h"

#define GEOM(levels_, va_bits_, features_)                                                                             \
	{                                                                                                              \
		.arch = COP_S390X, .half = COP_HALF_LOW, .page_lg2 = 12, .levels = levels_, .va_bits = va_bits_,       \
		.pa_bits = 53, .features = (features_),                                                                \
	}
#define EDAT (COP_F_EDAT1 | COP_F_EDAT2)

static const struct cop_geom geoms[] = {
	GEOM(2, 31, COP_F_IEP),
	GEOM(2, 31, COP_F_IEP | EDAT),
	GEOM(3, 42, COP_F_IEP),
	GEOM(3, 42, COP_F_IEP | COP_F_EDAT1),
	GEOM(3, 42, COP_F_IEP | EDAT),
	GEOM(4, 53, COP_F_IEP | EDAT),
	GEOM(5, 64, COP_F_IEP | EDAT | COP_F_RDP),
};
#define SUITE_GEOMS         geoms
#define SUITE_RUN_SHARES_PA 0
#include "tests/formats/format_suite.h"

static const struct cop_geom full = GEOM(5, 64, COP_F_IEP | EDAT | COP_F_RDP);
static const struct cop_geom plain = GEOM(3, 42, 0);

#define KERNEL_RWX (COP_KERNEL_RW | COP_EXEC)

/* Linux's words for kernel leaves, pages as in its own tables and the recorded ones. */
static void leaf_words(void **state)
{
	const uint32_t soft = COP_SOFT_DIRTY;

	(void)state;
	assert_int_equal(fmt_leaf(&full, 0x1000, 0, COP_KERNEL_RW), 0x113d);
	assert_int_equal(fmt_leaf(&full, 0x1000, 0, COP_KERNEL_RW | soft), 0x113f);
	assert_int_equal(fmt_leaf(&full, 0x1000, 0, KERNEL_RWX), 0x103d);
	assert_int_equal(fmt_leaf(&full, 0x1000, 0, COP_KERNEL_RO | COP_DIRTY), 0x131d);
	assert_int_equal(fmt_leaf(&full, 0x1000, 0, COP_KERNEL_RX), 0x1215);
	assert_int_equal(fmt_leaf(&full, 0x1000, 0, COP_USER_RW), 0x11bd);
	assert_int_equal(fmt_leaf(&full, 0x300000, 1, COP_KERNEL_RW), 0x30f501);
	assert_int_equal(fmt_leaf(&full, 0x300000, 1, COP_KERNEL_RX), 0x305601);
	assert_int_equal(fmt_leaf(&full, 0x100000000, 2, COP_KERNEL_RW), 0x10000f505);
	assert_int_equal(fmt_leaf(&full, 0x100000000, 2, COP_KERNEL_RO | soft), 0x100005707);
}

/* I while not young, P while not dirty: hardware faults so that software can record the access. */
static void age_and_dirt_in_hardware_bits(void **state)
{
	const uint32_t rw = COP_READ | COP_WRITE | COP_EXEC | COP_USER, ro = rw & ~(uint32_t)COP_WRITE;
	static const struct {
		bool write, young, dirty;
		uint64_t page, segment;
	} cases[] = {
		{false, false, false, 0x691, 0x46a1 | 0x400}, {false, true, false, 0x295, 0x5281 | 0x400},
		{false, false, true, 0x699, 0x66a1 | 0x400},  {false, true, true, 0x29d, 0x7281 | 0x400},
		{true, false, false, 0x6b1, 0xc6a1 | 0x400},  {true, true, false, 0x2b5, 0xd281 | 0x400},
		{true, false, true, 0x4b9, 0xe4a1 | 0x400},   {true, true, true, 0x0bd, 0xf081 | 0x400},
	};

	(void)state;
	for (size_t i = 0; i < SUITE_COUNT(cases); i++) {
		const uint32_t attrs = (cases[i].write ? rw : ro) | (cases[i].young ? COP_YOUNG : 0) |
				       (cases[i].dirty ? COP_DIRTY : 0);

		SUITE_EQUAL(&full, 0, attrs, fmt_leaf(&full, 0, 0, attrs), cases[i].page);
		SUITE_EQUAL(&full, 1, attrs, fmt_leaf(&full, 0, 1, attrs), cases[i].segment);
		SUITE_TRUE(&full, 0, attrs, fmt_present(cases[i].page, 0) && fmt_present(cases[i].segment, 1));
		SUITE_TRUE(&full, 0, attrs, !fmt_protnone(cases[i].page, 0) && !fmt_protnone(cases[i].segment, 1));
	}
}

static void links_and_markers(void **state)
{
	(void)state;
	assert_int_equal(fmt_table(&full, 0x1800, 1), 0x1801);
	assert_int_equal(fmt_table(&full, 0x4000, 2), 0x4007);
	assert_int_equal(fmt_table(&full, 0x4000, 3), 0x400b);
	assert_int_equal(fmt_table(&full, 0x4000, 4), 0x400f);
	for (unsigned l = 1; l < 5; l++)
		assert_int_equal(fmt_marker(&full, 0x4000, l), fmt_table(&full, 0x4000, l) | 0x20);
	/* Linux 6.1 has no present bit in segment entries; empty ones carry their type. */
	assert_int_equal(fmt_kind(&full, 0x1290800, 1), COP_TABLE);
	assert_int_equal(fmt_table_pa(&full, 0x1290800, 1), 0x1290800);
	assert_int_equal(fmt_empty(0), 0x400);
	assert_int_equal(fmt_empty(1), 0x20);
	assert_int_equal(fmt_empty(2), 0x24);
	assert_int_equal(fmt_empty(4), 0x2c);
}

static void reserved_encodings(void **state)
{
	const struct cop_geom edat1 = GEOM(3, 42, COP_F_IEP | COP_F_EDAT1);

	(void)state;
	assert_int_equal(fmt_kind(&full, 0x113d | 0x800, 0), COP_BAD);  /* bit 52 of a valid page entry */
	assert_int_equal(fmt_kind(&full, 0x1401 | 0x800, 0), COP_LEAF); /* ... is free in an invalid one */
	assert_int_equal(fmt_kind(&plain, 0x113d, 0), COP_BAD);         /* bit 55 without IEP */
	assert_int_equal(fmt_kind(&plain, 0x103d, 0), COP_LEAF);
	assert_int_equal(fmt_kind(&plain, 0x30f401, 1), COP_BAD); /* FC without EDAT-1 */
	assert_int_equal(fmt_kind(&edat1, 0x30f501, 1), COP_LEAF);
	assert_int_equal(fmt_kind(&edat1, 0x10000f505, 2), COP_BAD); /* FC without EDAT-2 */
	assert_int_equal(fmt_kind(&full, 0x10000f505, 2), COP_LEAF);
	assert_int_equal(fmt_kind(&full, 0x1000f509, 3), COP_BAD);         /* FC where there is none */
	assert_int_equal(fmt_kind(&full, 0x400b, 2), COP_BAD);             /* another table's TT */
	assert_int_equal(fmt_kind(&full, 0x4005, 2), COP_BAD);             /* a short table, TL 1 */
	assert_int_equal(fmt_kind(&full, 0x4047, 2), COP_BAD);             /* ... TF 1 */
	assert_int_equal(fmt_kind(&full, 0x30f501 | 0x20000, 1), COP_BAD); /* not 1 MB aligned */
	assert_int_equal(fmt_kind(&full, 0x30f501 | 0x10000, 1), COP_BAD); /* AV: bits 15:12 would be a key */
	assert_int_equal(fmt_kind(&full, 0x1600, 0), COP_SWAP);
	assert_int_equal(fmt_kind(&full, 0x1400, 0), COP_BAD); /* neither P nor present */
}

/* Hardware's word counts: an entry that it may use is young and readable, and dirty if it may be stored through. */
static void hardware_is_believed(void **state)
{
	(void)state;
	assert_int_equal(fmt_attrs(&full, 0x1000, 0), KERNEL_RWX);
	assert_int_equal(fmt_attrs(&full, 0x1200, 0), COP_KERNEL_RX);
	assert_int_equal(fmt_attrs(&full, 0x300400, 1), KERNEL_RWX);
	assert_true(fmt_young(0x1000, 0) && fmt_dirty(0x1000, 0) && fmt_write(0x1000, 0));
	assert_int_equal(fmt_attrs(&full, fmt_mkold(0x1000, 0), 0), KERNEL_RWX & ~(uint32_t)COP_YOUNG);
	assert_int_equal(fmt_attrs(&full, fmt_wrprotect(0x1000, 0), 0), KERNEL_RWX & ~(uint32_t)COP_WRITE);
	/* IPTE of a leaf that Linux then calls invalid: no reason but the instruction. */
	assert_int_equal(fmt_attrs(&full, 0x113d | 0x400, 0), COP_KERNEL_RW | COP_PROTNONE);
	assert_int_equal(fmt_attrs(&full, fmt_mkold(0x113d | 0x400, 0), 0),
			 (COP_KERNEL_RW | COP_PROTNONE) & ~(uint32_t)COP_YOUNG);
	/* Linux's PAGE_NONE. */
	assert_int_equal(fmt_attrs(&full, 0x1601, 0), COP_PROTNONE | COP_EXEC | COP_GLOBAL);
	assert_int_equal(fmt_leaf(&full, 0x1000, 0, COP_PROTNONE | COP_EXEC | COP_GLOBAL), 0x1601);
}

static void attributes_refused(void **state)
{
	(void)state;
	assert_int_equal(fmt_check_attrs(&full, COP_KERNEL_RW, 0), 0);
	assert_int_equal(fmt_check_attrs(&full, COP_USER_RW, 2), 0);
	assert_int_equal(fmt_check_attrs(&full, COP_USER_RW, 3), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&full, COP_USER_RW | COP_GLOBAL, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&full, COP_READ, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&full, COP_USER | COP_WRITE, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&full, COP_USER | COP_EXEC, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&full, COP_USER | COP_PROTNONE, 0), 0);
	assert_int_equal(fmt_check_attrs(&full, COP_USER | COP_PROTNONE | COP_WRITE, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&full, COP_USER_RW | COP_CONT, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&full, COP_USER_RW | COP_DEVMAP, 0), -COP_EINVAL);
	assert_int_equal(fmt_check_attrs(&full, COP_USER_RW | COP_KEXEC, 0), -COP_EINVAL);
	for (uint32_t mt = COP_MT_WT; mt <= COP_MT_MASK; mt += COP_MT_WT)
		assert_int_equal(fmt_check_attrs(&full, COP_KERNEL_RW | mt, 0), -COP_EINVAL);
	/* Without IEP nothing readable can be kept from being executed. */
	assert_int_equal(fmt_check_attrs(&plain, COP_KERNEL_RW, 0), -COP_EOPNOTSUPP);
	assert_int_equal(fmt_check_attrs(&plain, KERNEL_RWX, 0), 0);
	assert_int_equal(fmt_attrs(&plain, fmt_leaf(&plain, 0x1000, 0, KERNEL_RWX), 0), KERNEL_RWX);
}

static void geometries(void **state)
{
	static const uint8_t va_bits[] = {31, 42, 53, 64};
	struct cop_geom g;

	(void)state;
	assert_int_equal(cop_geom_init(&g, COP_S390X, 0, 0), 0);
	assert_int_equal(g.levels, 3);
	for (unsigned i = 0; i < SUITE_COUNT(va_bits); i++) {
		assert_int_equal(cop_geom_init(&g, COP_S390X, 12, va_bits[i]), 0);
		assert_int_equal(g.levels, i + 2);
		assert_int_equal(fmt_can_leaf(&g, 1) + fmt_can_leaf(&g, 2), 2);
	}
	assert_int_equal(cop_geom_init(&g, COP_S390X, 12, 48), -COP_EINVAL);
	assert_int_equal(cop_geom_init(&g, COP_S390X, 14, 42), -COP_EINVAL);
	g = full;
	g.half = COP_HALF_HIGH;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
	g = full;
	g.features = COP_F_EDAT2;
	assert_int_equal(fmt_check_geom(&g), -COP_EINVAL);
	assert_int_equal(fmt_table_lg2(&full, 0), 11);
	assert_int_equal(fmt_table_lg2(&full, 4), 14);
	assert_string_equal(fmt_level_name(&full, 4), "ASCE");
	assert_string_equal(fmt_level_name(&full, 0), "PTE");
}

/* A valid entry is changed by instruction, an invalid one by a store. */
static void changes(void **state)
{
	const uint64_t rw = 0x113d, large = 0x30f501, table = 0x1801;

	(void)state;
	assert_int_equal(fmt_change(&full, rw, 0x400, 0), COP_CHANGE_INSTR); /* IPTE */
	assert_int_equal(fmt_change(&full, rw, fmt_mkold(rw, 0), 0), COP_CHANGE_INSTR);
	assert_int_equal(fmt_change(&full, rw, 0x213d, 0), COP_CHANGE_INSTR);                   /* CRDTE */
	assert_int_equal(fmt_change(&full, fmt_mkclean(rw, 0), rw, 0), COP_CHANGE_INSTR);       /* RDP */
	assert_int_equal(fmt_change(&full, rw, fmt_mksoft_dirty(rw, 0), 0), COP_CHANGE_DIRECT); /* bits 56-63 */
	assert_int_equal(fmt_change(&full, large, fmt_mksoft_dirty(large, 1), 1), COP_CHANGE_INSTR);
	assert_int_equal(fmt_change(&full, large, table, 1), COP_CHANGE_INSTR);
	assert_int_equal(fmt_change(&full, table, large, 1), COP_CHANGE_INSTR);
	assert_int_equal(fmt_change(&full, table, fmt_marker(&full, 0x1800, 1), 1), COP_CHANGE_INSTR);
	assert_int_equal(fmt_change(&full, fmt_marker(&full, 0x1800, 1), table, 1), COP_CHANGE_DIRECT);
	assert_int_equal(fmt_change(&full, fmt_mkold(rw, 0), rw, 0), COP_CHANGE_DIRECT);
	assert_int_equal(fmt_change(&full, fmt_swap(1, 1, 1), large, 1), COP_CHANGE_DIRECT);
	assert_int_equal(fmt_change(&full, 0x400, rw | 0x800, 0), COP_CHANGE_FORBIDDEN);
	assert_int_equal(fmt_change(&full, 0x24, table, 2), COP_CHANGE_FORBIDDEN);
	assert_int_equal(fmt_change(&full, rw | 0x800, rw, 0), COP_CHANGE_BREAK);
	assert_int_equal(fmt_change(&full, rw | 0x800, 0x400, 0), COP_CHANGE_INSTR);
}

static void covers(void **state)
{
	const struct cop_geom no_rdp = GEOM(3, 42, COP_F_IEP | EDAT);
	const uint64_t user = fmt_leaf(&full, 0x1000, 0, COP_USER_RW), kernel = 0x113d;

	(void)state;
	assert_int_equal(fmt_covers(&full, user, fmt_mksoft_dirty(user, 0), 0), COP_COVERS_NONE);
	assert_int_equal(fmt_covers(&full, user, fmt_mkclean(user, 0), 0), COP_COVERS_LEAF);
	assert_int_equal(fmt_covers(&full, fmt_mkclean(user, 0), user, 0), COP_COVERS_NONE);
	assert_int_equal(fmt_covers(&no_rdp, fmt_mkclean(user, 0), user, 0), COP_COVERS_LEAF);
	assert_int_equal(fmt_covers(&full, fmt_mkclean(kernel, 0), kernel, 0), COP_COVERS_LEAF);
	assert_int_equal(fmt_covers(&full, fmt_mkclean(user, 0), user & ~S390X_IEP, 0), COP_COVERS_LEAF);
	assert_int_equal(fmt_covers(&full, fmt_mkold(user, 0), 0x400, 0), COP_COVERS_NONE);
	assert_int_equal(fmt_covers(&full, fmt_marker(&full, 0x1800, 1), 0x20, 1), COP_COVERS_NONE);
	assert_int_equal(fmt_covers(&full, 0x1801, fmt_marker(&full, 0x1800, 1), 1), COP_COVERS_TABLES);
}

/* Linux's layouts of swap entries: in a page entry, and in a large one. */
static void swap_words(void **state)
{
	(void)state;
	assert_int_equal(fmt_swap(3, 0x12345, 0), 0x1234560c);
	assert_int_equal(fmt_swap_mkexclusive(fmt_swap(3, 0x12345, 0), 0), 0x12345e0c);
	assert_int_equal(fmt_swap(3, 0x12345, 1), 0x123450f0);
	assert_int_equal(fmt_swap(3, 0x12345, 2), 0x123450f4);
	assert_int_equal(fmt_kind(&full, fmt_swap(0, 0, 0), 0), COP_SWAP);
	assert_int_equal(fmt_kind(&full, fmt_swap(0, 0, 1), 1), COP_SWAP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUITE_TESTS,
		cmocka_unit_test(leaf_words),
		cmocka_unit_test(age_and_dirt_in_hardware_bits),
		cmocka_unit_test(links_and_markers),
		cmocka_unit_test(reserved_encodings),
		cmocka_unit_test(hardware_is_believed),
		cmocka_unit_test(attributes_refused),
		cmocka_unit_test(geometries),
		cmocka_unit_test(changes),
		cmocka_unit_test(covers),
		cmocka_unit_test(swap_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
