/* SPDX-License-Identifier: MIT */
/* memory/: kernel addresses beside the memmap, and each policy of sharing tables with it. */
#include "tests/memory/machine.h"

#include <coppice/vmalloc.h>

struct world {
	struct machine m;
	struct cop_vm vm;
	uint64_t page;
	uint64_t running, wrong; /* marked */
};
static struct world world;

static void on(void **state, enum cop_share_policy policy)
{
	struct machine *m = &world.m;

	memset(&world, 0, sizeof(world));
	assert_true(machine_shape(m, *state));
	m->config.sharing = policy;
	machine_on(m);
	machine_touch_all(m);
	world.page = COP_LG2(m->shape->page_lg2);
	assert_int_equal(
		cop_vm_init(&world.vm, &m->mem.sharing, m->mem.layout.vmalloc_start, m->mem.layout.vmalloc_last), 0);
}

static void off(void)
{
	machine_check(&world.m);
	machine_off(&world.m);
}

static uint64_t *word(cop_va va)
{
	return (uint64_t *)cop_virt(va);
}

static void expect_fault(cop_va va, bool fault)
{
	assert_int_equal(cop_host_probe64(va).fault, fault);
}

static void vmap(struct cop_vm_area *area, cop_pfn pfn, unsigned pages)
{
	assert_int_equal(cop_vmap(&world.vm, area, pfn * world.page, pages * world.page, COP_KERNEL_RW), 0);
}

static void test_vmap(void **state)
{
	for (enum cop_share_policy policy = 0; policy < COP_SHARE_POLICIES; policy++) {
		struct cop_vm_area first, second, third;
		struct snapshot before, after;
		cop_pfn pfn;

		on(state, policy);
		before = machine_snapshot(&world.m);
		pfn = cop_frames_alloc(&world.m.mem, 2, 0);
		vmap(&first, pfn, 4);
		vmap(&second, pfn + 2, 1);
		assert_int_equal(first.start, world.m.mem.layout.vmalloc_start);
		assert_true(first.start > world.m.mem.layout.vmemmap_last);
		assert_int_equal(second.start, first.start + 5 * world.page);
		expect_fault(first.start + 4 * world.page, true);
		cop_write(word(first.start + 2 * world.page), 12345);
		assert_int_equal(cop_read(word(second.start)), 12345);
		cop_vunmap(&world.vm, &first);
		expect_fault(first.start, true);
		expect_fault(first.start + 3 * world.page, true);
		expect_fault(second.start, false);
		vmap(&third, pfn, 4);
		assert_int_equal(third.start, first.start);
		cop_vunmap(&world.vm, &second);
		cop_sharing_end(&world.m.mem.sharing);
		cop_vunmap(&world.vm, &third);
		cop_frames_free(&world.m.mem, pfn);
		after = machine_snapshot(&world.m);
		same_state(&before, &after);
		off();
	}
}

/* An empty tree beside a seam: the whole way down stays, once. */
static void test_seam(void **state)
{
	struct cop_sharing sharing;
	struct cop_vm_area area;
	struct cop_mem *mem = &world.m.mem;
	struct cop_tree tree;
	struct cop_vm vm;
	struct cop_table_source source;
	uint64_t root, span;
	cop_va seam;

	on(state, COP_SHARE_LOCKLESS);
	source = cop_mem_table_source(mem);
	assert_int_equal(cop_tree_init(&tree, &world.m.config.geom, &source, 1, 0), 0);
	root = cop_tree_table_bytes(&tree);
	span = COP_LG2(tree.ops->format->shift(1));
	seam = mem->layout.linear_start + span / 2;
	assert_int_equal(cop_sharing_init(&sharing, &tree, COP_SHARE_KEEP, seam - span / 4, seam - 1), 0);
	assert_int_equal(cop_vm_init(&vm, &sharing, seam, seam + 2 * span - 1), 0);
	for (unsigned round = 0; round < 2; round++) {
		assert_int_equal(cop_vmap(&vm, &area, MACHINE_BASE, world.page, COP_KERNEL_RW), 0);
		cop_vunmap(&vm, &area);
		for (unsigned l = 0; l + 1U < tree.geom.levels; l++)
			assert_int_equal(tree.tables[l], 1);
	}
	/* The next table is on one side of it only. */
	assert_int_equal(cop_vmap(&vm, &area, MACHINE_BASE, span, COP_KERNEL_RW), 0);
	assert_int_equal(area.start, seam);
	cop_vunmap(&vm, &area);
	assert_int_equal(tree.tables[0], 1);
	assert_int_equal(cop_tree_destroy(&tree), -COP_EBUSY);
	cop_sharing_end(&sharing);
	assert_int_equal(cop_vmap(&vm, &area, MACHINE_BASE, world.page, COP_KERNEL_RW), 0);
	cop_vunmap(&vm, &area);
	assert_int_equal(cop_tree_table_bytes(&tree), root);
	assert_int_equal(cop_tree_destroy(&tree), 0);
	off();
}

static void test_vmalloc(void **state)
{
	struct cop_mem *mem = &world.m.mem;
	struct snapshot before, after;
	struct cop_vm_area area;
	uint64_t bytes;

	on(state, COP_SHARE_LOCKLESS);
	before = machine_snapshot(&world.m);
	bytes = 37 * world.page;
	assert_int_equal(cop_vmalloc(&world.vm, mem, &area, bytes), 0);
	for (uint64_t i = 0; i < 37; i++)
		cop_write(word(area.start + i * world.page), i);
	for (uint64_t i = 0; i < 37; i++)
		assert_int_equal(cop_read(word(area.start + i * world.page)), i);
	expect_fault(area.start + bytes, true);
	cop_vfree(&world.vm, mem, &area);
	expect_fault(area.start, true);
	after = machine_snapshot(&world.m);
	same_state(&before, &after);
	/* Each allocation in turn fails. */
	for (uint64_t i = 1;; i++) {
		int err;

		world.m.allocs = 0;
		world.m.deny_at = i;
		err = cop_vmalloc(&world.vm, mem, &area, bytes);
		world.m.deny_at = 0;
		if (!err)
			break;
		assert_int_equal(err, -COP_ENOMEM);
		after = machine_snapshot(&world.m);
		same_state(&before, &after);
		assert_null(world.vm.first);
		assert_true(i < 100);
	}
	cop_vfree(&world.vm, mem, &area);
	after = machine_snapshot(&world.m);
	same_state(&before, &after);
	off();
}

static void test_refusals(void **state)
{
	struct cop_vm_area area[4];
	struct cop_vm small;
	struct cop_mem *mem = &world.m.mem;
	const cop_va *start = &mem->layout.vmalloc_start;
	struct cop_sharing sharing;
	uint64_t page;

	on(state, COP_SHARE_LOCKLESS);
	page = world.page;
	assert_int_equal(cop_sharing_init(&sharing, mem->tree, COP_SHARE_POLICIES, *start, *start + page - 1),
			 -COP_EINVAL);
	assert_int_equal(cop_sharing_init(&sharing, mem->tree, COP_SHARE_LOCK, *start + 1, *start + page - 1),
			 -COP_EINVAL);
	assert_int_equal(cop_vm_init(&small, &mem->sharing, *start + page, *start), -COP_EINVAL);
	assert_int_equal(cop_vm_init(&small, &mem->sharing, *start, *start + page), -COP_EINVAL);
	assert_int_equal(cop_vm_init(&small, &mem->sharing, *start, *start + 8 * page - 1), 0);
	assert_int_equal(cop_vmalloc(&small, mem, &area[0], 0), -COP_EINVAL);
	assert_int_equal(cop_vmalloc(&small, mem, &area[0], page + 8), -COP_EINVAL);
	assert_int_equal(cop_vmalloc(&small, mem, &area[0], 9 * page), -COP_ENOMEM);
	assert_int_equal(cop_vmap(&small, &area[0], MACHINE_BASE + 8, page, COP_KERNEL_RW), -COP_EINVAL);
	assert_null(small.first);
	/* 3 and a guard, 2 and a guard, 1: full. */
	assert_int_equal(cop_vmalloc(&small, mem, &area[0], 3 * page), 0);
	assert_int_equal(cop_vmalloc(&small, mem, &area[1], 2 * page), 0);
	assert_int_equal(cop_vmalloc(&small, mem, &area[2], 2 * page), -COP_ENOMEM);
	assert_int_equal(cop_vmalloc(&small, mem, &area[2], page), 0);
	assert_int_equal(cop_vmalloc(&small, mem, &area[3], page), -COP_ENOMEM);
	cop_vfree(&small, mem, &area[1]);
	assert_int_equal(cop_vmalloc(&small, mem, &area[3], 3 * page), -COP_ENOMEM);
	assert_int_equal(cop_vmalloc(&small, mem, &area[3], 2 * page), 0);
	assert_int_equal(area[3].start, *start + 4 * page);
	cop_vfree(&small, mem, &area[0]);
	cop_vfree(&small, mem, &area[3]);
	cop_vfree(&small, mem, &area[2]);
	off();
}

/* The last section comes and goes, its memmap beside the areas that others map and unmap. */
static void cycle(void)
{
	struct cop_mem *mem = &world.m.mem;
	const cop_pa last = world.m.config.pa_limit - world.m.section;

	for (unsigned i = 0; i < 60; i++) {
		if (cop_mem_add(mem, last, world.m.section, i & 1 ? COP_ADD_ALTMAP : 0) ||
		    cop_mem_remove(mem, last, world.m.section))
			cop_fetch_add(&world.wrong, 1ULL, relaxed);
		cop_host_poll();
	}
	cop_store(&world.running, 0ULL, release);
}

static void use(uint64_t seed)
{
	do {
		const uint64_t bytes = (1 + next_random(&seed) % 5) * world.page;
		struct cop_vm_area area;

		if (cop_vmalloc(&world.vm, &world.m.mem, &area, bytes)) {
			cop_fetch_add(&world.wrong, 1ULL, relaxed);
			return;
		}
		cop_write(word(area.start + bytes - 8), seed);
		if (cop_read(word(area.start + bytes - 8)) != seed)
			cop_fetch_add(&world.wrong, 1ULL, relaxed);
		cop_vfree(&world.vm, &world.m.mem, &area);
		cop_host_poll();
	} while (cop_load(&world.running, acquire));
}

static void on_cpu(void *arg)
{
	(void)arg;
	if (cop_cpu())
		use(77 + cop_cpu());
	else
		cycle();
}

static void test_beside_hotplug(void **state)
{
	for (enum cop_share_policy policy = 0; policy < COP_SHARE_POLICIES; policy++) {
		struct snapshot before, after;

		on(state, policy);
		before = machine_snapshot(&world.m);
		world.running = 1;
		assert_int_equal(cop_host_run(3, on_cpu, NULL), 0);
		assert_int_equal(world.wrong, 0);
		assert_null(world.vm.first);
		cop_host_rcu_barrier();
		if (policy != COP_SHARE_KEEP) {
			after = machine_snapshot(&world.m);
			same_state(&before, &after);
		}
		off();
	}
}

int main(void)
{
	static const struct shaped_test tests[] = {SHAPED(test_vmap), SHAPED(test_seam), SHAPED(test_vmalloc),
						   SHAPED(test_refusals), SHAPED(test_beside_hotplug)};

	return run_shaped("vmalloc", tests, sizeof(tests) / sizeof(tests[0]));
}
