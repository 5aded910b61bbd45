/* SPDX-License-Identifier: MIT */
/* Memory types as registers define them: what the rule about aliases compares. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "inspect/lint/lint.h"

/* SDM 3A table 12-12: PAT index of PAT, PCD, PWT; bit 12 is PAT in large leaves (table 4-18). */
static void pat(void **state)
{
	/* As Linux programs it: WB, WC, UC-, UC, WB, WP, UC-, WT. */
	static const enum lint_type expected[8] = {LINT_WB, LINT_NC, LINT_UC, LINT_UC,
						   LINT_WB, LINT_WT, LINT_UC, LINT_WT};
	struct insp_tree tree = {.format = cop_format_for(COP_X86_64, 12)};

	(void)state;
	for (uint64_t i = 0; i < 8; i++) {
		const uint64_t low = (i & 3) << 3 | 1;

		assert_int_equal(lint_type(&tree, low | (i >> 2) << 7, 0), expected[i]);
		assert_int_equal(lint_type(&tree, low | (i >> 2) << 12 | 1 << 7, 1), expected[i]);
		assert_int_equal(lint_type(&tree, low | (i >> 2) << 12 | 1 << 7, 2), expected[i]);
	}
	/* At reset (SDM 3A table 12-12): WB, WT, UC-, UC, twice. */
	tree.mair = 0x0007040600070406;
	assert_int_equal(lint_type(&tree, 1 << 3 | 1, 0), LINT_WT);
	assert_int_equal(lint_type(&tree, 1 << 7 | 1, 0), LINT_WB);
	assert_int_equal(lint_type(&tree, 1 << 4 | 1, 0), LINT_UC);
}

static void mair(void **state)
{
	/* Device-nGnRnE, Device-nGnRE, Normal NC, Normal WT, Normal WB, Normal tagged. */
	struct insp_tree tree = {.format = cop_format_for(COP_ARM64, 12), .mair = 0xf0ffbb440400};
	static const enum lint_type expected[6] = {LINT_DEVICE, LINT_DEVICE, LINT_NC, LINT_WT, LINT_WB, LINT_WB};

	(void)state;
	for (uint64_t i = 0; i < 6; i++)
		assert_int_equal(lint_type(&tree, i << 2 | 3, 0), expected[i]);
}

static void svpbmt(void **state)
{
	const struct insp_tree tree = {.format = cop_format_for(COP_RISCV64, 12)};

	(void)state;
	assert_int_equal(lint_type(&tree, 0xcf, 0), LINT_WB);
	assert_int_equal(lint_type(&tree, 0xcf | 1ULL << 61, 0), LINT_NC);
	assert_int_equal(lint_type(&tree, 0xcf | 1ULL << 62, 0), LINT_DEVICE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pat), cmocka_unit_test(mair), cmocka_unit_test(svpbmt)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
