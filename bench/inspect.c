/* SPDX-License-Identifier: MIT */
/* Reading a tree that nobody built here: the scan of coppice inspect, against reading every entry. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/report.h"
#include "bench/suite.h"
#include "inspect/scan.h"

#define IMAGE_BYTES  (64ULL << 30) /* sparse */
#define SMALL_LEAVES (1ULL << 21)
#define BIG_LEAVES   (1ULL << 28) /* 1 TB of 4K */
#define BIG_MEMORY   (4ULL << 30) /* what the tables of that take, twice */

enum leaves {
	IN_RUNS,   /* all follow each other */
	IN_PARTS,  /* young and dirty as it happens */
	SCATTERED, /* no two follow each other */
};

struct image {
	struct bench *b;
	int fd;
	char *bytes;
	uint64_t stride, next, left; /* between tables; leaves to make */
	enum leaves kind;
	uint64_t made, seed;
	uint64_t **leaf_table;
	size_t leaf_tables;
	struct insp_machine machine;
	uint64_t found, sum;
};

static uint64_t stored(const struct image *im, uint64_t e)
{
	return im->b->geom.arch == COP_S390X ? __builtin_bswap64(e) : e;
}

static uint64_t leaf(struct image *im)
{
	const struct cop_format *f = im->b->format->ops->format;
	uint32_t attrs = COP_KERNEL_RW;
	uint64_t n = im->made++;

	if (im->kind == IN_PARTS)
		attrs = bench_random(&im->seed) & 1 ? COP_KERNEL_RW
						    : COP_KERNEL_RW & ~(uint32_t)(COP_YOUNG | COP_DIRTY);
	if (im->kind == SCATTERED)
		n = (n * 0x9e3779b1) & (SMALL_LEAVES - 1);
	return f->leaf(&im->b->geom, n << f->page_lg2, 0, attrs);
}

static cop_pa make_table(struct image *im, unsigned level)
{
	const struct cop_format *f = im->b->format->ops->format;
	const unsigned entries = 1U << f->index_bits(&im->b->geom, level);
	const cop_pa pa = im->next;
	uint64_t *table = (uint64_t *)(void *)(im->bytes + pa), e;

	im->next += im->stride;
	if (level == 0)
		im->leaf_table[im->leaf_tables++] = table;
	for (unsigned i = 0; i < entries; i++) {
		e = f->empty(level);
		if (im->left && level > 0) {
			e = f->table(&im->b->geom, make_table(im, level - 1), level);
		} else if (im->left) {
			e = leaf(im);
			im->left--;
		}
		table[i] = stored(im, e);
	}
	return pa;
}

static bool open_image(struct image *im, cop_pa root)
{
	char path[64];
	struct insp_error error;
	const struct insp_source source = {
		.path = path,
		.kind = "raw",
		.arch = im->b->geom.arch,
		.page_lg2 = im->b->geom.page_lg2,
		.levels = im->b->geom.levels,
		.root = root,
		.has_root = true,
	};

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", im->fd);
	if (insp_open(&source, &im->machine, &error))
		return bench_failed(im->b, "%s", error.text);
	return true;
}

static void close_image(struct image *im)
{
	if (im->machine.memory)
		insp_close(&im->machine);
	if (im->bytes)
		munmap(im->bytes, IMAGE_BYTES);
	if (im->fd >= 0)
		close(im->fd);
	free(im->leaf_table);
}

static bool make_image(struct image *im, uint64_t leaves, enum leaves kind)
{
	const struct cop_format *f = im->b->format->ops->format;
	const uint64_t tables = leaves >> f->index_bits(&im->b->geom, 0);
	uint64_t stride = COP_LG2(f->table_lg2(&im->b->geom, 1));

	while (stride * 4 * tables <= IMAGE_BYTES)
		stride *= 2;
	im->stride = stride;
	im->left = leaves;
	im->kind = kind;
	im->seed = BENCH_SEED;
	im->leaf_table = malloc((tables + 1) * sizeof(*im->leaf_table));
	im->fd = memfd_create("coppice-inspect", MFD_CLOEXEC);
	if (!im->leaf_table || im->fd < 0 || ftruncate(im->fd, (off_t)IMAGE_BYTES))
		return bench_failed(im->b, "no sparse file of 64 GB: %s", strerror(errno));
	im->bytes = mmap(NULL, IMAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, im->fd, 0);
	if (im->bytes == MAP_FAILED) {
		im->bytes = NULL;
		return bench_failed(im->b, "no room for 64 GB: %s", strerror(errno));
	}
	im->next = stride;
	return open_image(im, make_table(im, im->b->geom.levels - 1U));
}

static void read_all(void *context)
{
	struct image *im = context;

	im->sum += limit_read(&(struct limit_tables){
		im->leaf_table, im->leaf_tables, (size_t)1 << im->b->format->ops->format->index_bits(&im->b->geom, 0)});
}

static void count(void *context, const struct insp_run *run)
{
	struct image *im = context;

	im->found += run->count;
	im->sum += run->pa ^ run->entry;
}

static void scan_all(void *context)
{
	static const struct insp_visitor visitor = {.run = count};
	struct image *im = context;

	im->found = 0;
	(void)insp_scan(im->machine.memory, &im->machine.tree[0], 0, ~0ULL, &visitor, im);
}

/* 150 million leaves a second are 6.67 ns each. */
static bool measure_image(struct bench *b, const char *name, uint64_t leaves, enum leaves kind)
{
	const struct measure_step steps[] = {{NULL, read_all, NULL}, {NULL, scan_all, NULL}};
	const struct measure_plan few = {b->plan.repeats < 5 ? b->plan.repeats : 5, 1};
	struct image im = {.b = b, .fd = -1};
	struct measure_stat s[2];
	bool good = make_image(&im, leaves, kind);

	if (good) {
		measure(leaves == BIG_LEAVES ? &few : &b->plan, steps, 2, &im, s);
		good = im.found == leaves || bench_failed(b, "%s: not all leaves were found", name);
	}
	if (good)
		report_add(b->report, &(struct report_row){
					      .name = name,
					      .format = b->format->ops->format->name,
					      .unit = "ns",
					      .units = (double)leaves,
					      .subject = s[1],
					      .limit = s[0],
					      .limit_name = "read",
					      .goal = kind == IN_RUNS ? REPORT_FIGURE_MAX : REPORT_NO_GOAL,
					      .target = 1e9 / 150e6,
				      });
	close_image(&im);
	return good;
}

static bool has_memory(void)
{
	const long pages = sysconf(_SC_AVPHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);

	return pages > 0 && (uint64_t)pages * (uint64_t)bytes > BIG_MEMORY;
}

bool bench_inspect(struct bench *b)
{
	bool good = measure_image(b, "inspect-runs", SMALL_LEAVES, IN_RUNS);

	good &= measure_image(b, "inspect-young", SMALL_LEAVES, IN_PARTS);
	good &= measure_image(b, "inspect-scattered", SMALL_LEAVES, SCATTERED);
	/* One format is enough for what takes seconds to make. */
	if (b->geom.arch == COP_X86_64 && has_memory())
		good &= measure_image(b, "inspect-1TB", BIG_LEAVES, IN_RUNS);
	return good;
}
