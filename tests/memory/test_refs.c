/* SPDX-License-Identifier: MIT */
/* References and pins of folios: how many at once, who is pinned, what underflows and what overflows. */
#include "tests/memory/machine.h"

static uint32_t refs(struct machine *m, cop_pfn pfn)
{
	return cop_load(&cop_page(&m->mem, pfn)->refcount, relaxed);
}

static void heads_of_tails(void **state)
{
	struct machine m;
	cop_pfn pfn;

	assert_true(machine_shape(&m, *state));
	machine_on(&m);
	for (unsigned order = 0; order <= 5; order++) {
		pfn = cop_frames_alloc(&m.mem, order, COP_ALLOC_FOLIO);
		assert_int_not_equal(pfn, COP_PFN_NONE);
		for (cop_pfn i = pfn; i < pfn + COP_LG2(order); i++)
			assert_int_equal(cop_page_head(&m.mem, i), pfn);
		cop_frames_free(&m.mem, pfn);
		for (cop_pfn i = pfn; i < pfn + COP_LG2(order); i++)
			assert_int_equal(cop_page_head(&m.mem, i), i);
	}
	machine_check(&m);
	machine_off(&m);
}

static void many_at_once(void **state)
{
	struct cop_mem_account before, after;
	struct machine m;
	cop_pfn pfn;

	assert_true(machine_shape(&m, *state));
	machine_on(&m);
	before = cop_mem_account(&m.mem);
	pfn = cop_frames_alloc(&m.mem, 3, COP_ALLOC_FOLIO);
	assert_true(cop_page_try_get_many(cop_page(&m.mem, pfn), 8));
	assert_int_equal(refs(&m, pfn), 9);
	cop_page_put_many(&m.mem, pfn, 7);
	cop_frames_free(&m.mem, pfn);
	assert_int_equal(refs(&m, pfn), 1);
	cop_page_put_many(&m.mem, pfn, 1);
	assert_int_equal(refs(&m, pfn), 0);
	assert_false(cop_page_try_get_many(cop_page(&m.mem, pfn), 1));
	after = cop_mem_account(&m.mem);
	assert_memory_equal(&before, &after, sizeof(before));
	machine_check(&m);
	machine_off(&m);
}

/* No count ever gets near where it would begin again. */
static void no_overflow(void **state)
{
	struct cop_page *page;
	struct machine m;
	cop_pfn pfn;

	assert_true(machine_shape(&m, *state));
	machine_on(&m);
	pfn = cop_frames_alloc(&m.mem, 0, 0);
	page = cop_page(&m.mem, pfn);
	assert_true(cop_page_try_get_many(page, COP_PAGE_REFS_MAX - 2));
	assert_false(cop_page_try_pin(&m.mem, pfn, 1));
	assert_false(cop_page_try_get_many(page, 2));
	assert_true(cop_page_try_get_many(page, 1));
	assert_false(cop_page_try_get(&m.mem, pfn));
	assert_int_equal(refs(&m, pfn), COP_PAGE_REFS_MAX);
	cop_page_put_many(&m.mem, pfn, COP_PAGE_REFS_MAX - 1);
	cop_frames_free(&m.mem, pfn);
	machine_check(&m);
	machine_off(&m);
}

static void pins(void **state)
{
	static const unsigned orders[] = {0, 4};
	struct machine m;

	assert_true(machine_shape(&m, *state));
	machine_on(&m);
	for (size_t i = 0; i < 2; i++) {
		const unsigned order = orders[i];
		const cop_pfn pfn = cop_frames_alloc(&m.mem, order, COP_ALLOC_FOLIO);

		assert_false(cop_page_maybe_pinned(&m.mem, pfn));
		assert_true(cop_page_try_get_many(cop_page(&m.mem, pfn), 100));
		assert_false(cop_page_maybe_pinned(&m.mem, pfn));
		assert_true(cop_page_try_pin(&m.mem, pfn, 1));
		assert_true(cop_page_maybe_pinned(&m.mem, pfn));
		assert_true(cop_page_try_pin(&m.mem, pfn, (uint32_t)COP_LG2(order)));
		cop_page_unpin(&m.mem, pfn, 1);
		assert_true(cop_page_maybe_pinned(&m.mem, pfn));
		cop_page_put_many(&m.mem, pfn, 100);
		cop_frames_free(&m.mem, pfn);
		/* The pins alone keep it. */
		assert_true(cop_page_maybe_pinned(&m.mem, pfn));
		cop_page_unpin(&m.mem, pfn, (uint32_t)COP_LG2(order));
		assert_int_equal(refs(&m, pfn), 0);
		assert_int_equal(cop_page(&m.mem, pfn)->pincount, 0);
		assert_false(cop_page_try_pin(&m.mem, pfn, 1));
	}
	machine_check(&m);
	machine_off(&m);
}

static void expect_panic(struct machine *m, cop_pfn pfn, void (*drop)(struct cop_mem *, cop_pfn, uint32_t),
			 const char *rule)
{
	machine_panic_rule = NULL;
	cop_host_set_panic(machine_on_panic);
	if (!sigsetjmp(machine_panicked, 1))
		drop(&m->mem, pfn, 2);
	cop_host_set_panic(NULL);
	assert_non_null(machine_panic_rule);
	assert_string_equal(machine_panic_rule, rule);
}

static void underflow(void **state)
{
	struct machine m;
	cop_pfn small, large;

	assert_true(machine_shape(&m, *state));
	machine_on(&m);
	small = cop_frames_alloc(&m.mem, 0, 0);
	large = cop_frames_alloc(&m.mem, 2, COP_ALLOC_FOLIO);
	assert_true(cop_page_try_pin(&m.mem, large, 1));
	expect_panic(&m, small, cop_page_put_many, "refcount-underflow");
	expect_panic(&m, large, cop_page_unpin, "pincount-underflow");
	machine_off(&m);
}

int main(void)
{
	static const struct shaped_test tests[] = {SHAPED(heads_of_tails), SHAPED(many_at_once), SHAPED(no_overflow),
						   SHAPED(pins), SHAPED(underflow)};

	return run_shaped("refs", tests, sizeof(tests) / sizeof(tests[0]));
}
