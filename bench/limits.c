/* SPDX-License-Identifier: MIT */
#include "bench/limits.h"

void limit_store(const struct limit_tables *t, uint64_t first, uint64_t step)
{
	for (size_t n = 0; n < t->tables; n++) {
		volatile uint64_t *p = t->table[n], *end = p + t->entries;

		for (; p < end; p += 8, first += 8 * step) {
			p[0] = first;
			p[1] = first + step;
			p[2] = first + 2 * step;
			p[3] = first + 3 * step;
			p[4] = first + 4 * step;
			p[5] = first + 5 * step;
			p[6] = first + 6 * step;
			p[7] = first + 7 * step;
		}
	}
}

void limit_clear(const struct limit_tables *t)
{
	for (size_t n = 0; n < t->tables; n++) {
		volatile uint64_t *p = t->table[n], *end = p + t->entries;

		for (; p < end; p += 8) {
			p[0] = 0;
			p[1] = 0;
			p[2] = 0;
			p[3] = 0;
			p[4] = 0;
			p[5] = 0;
			p[6] = 0;
			p[7] = 0;
		}
	}
}

static COP_ALWAYS_INLINE uint64_t read_clear(volatile uint64_t *p)
{
	uint64_t entry = *p;

	*p = 0;
	return entry;
}

uint64_t limit_read(const struct limit_tables *t)
{
	uint64_t sum = 0;

	for (size_t n = 0; n < t->tables; n++) {
		const volatile uint64_t *p = t->table[n], *end = p + t->entries;

		for (; p < end; p += 8) {
			sum += p[0];
			sum += p[1];
			sum += p[2];
			sum += p[3];
			sum += p[4];
			sum += p[5];
			sum += p[6];
			sum += p[7];
		}
	}
	return sum;
}

uint64_t limit_read_clear(const struct limit_tables *t)
{
	uint64_t sum = 0;

	for (size_t n = 0; n < t->tables; n++) {
		volatile uint64_t *p = t->table[n], *end = p + t->entries;

		for (; p < end; p += 8) {
			sum += read_clear(p);
			sum += read_clear(p + 1);
			sum += read_clear(p + 2);
			sum += read_clear(p + 3);
			sum += read_clear(p + 4);
			sum += read_clear(p + 5);
			sum += read_clear(p + 6);
			sum += read_clear(p + 7);
		}
	}
	return sum;
}

void limit_read_clear_list(const struct limit_tables *t, uint64_t *list)
{
	for (size_t n = 0; n < t->tables; n++) {
		volatile uint64_t *p = t->table[n], *end = p + t->entries;

		for (; p < end; p += 8, list += 8) {
			list[0] = read_clear(p);
			list[1] = read_clear(p + 1);
			list[2] = read_clear(p + 2);
			list[3] = read_clear(p + 3);
			list[4] = read_clear(p + 4);
			list[5] = read_clear(p + 5);
			list[6] = read_clear(p + 6);
			list[7] = read_clear(p + 7);
		}
	}
}

uint64_t limit_exchange(const struct limit_tables *t)
{
	uint64_t sum = 0;

	for (size_t n = 0; n < t->tables; n++)
		for (size_t i = 0; i < t->entries; i++)
			sum += __atomic_exchange_n(&t->table[n][i], 0, __ATOMIC_RELAXED);
	return sum;
}

static COP_ALWAYS_INLINE void stream(uint64_t *to, uint64_t value)
{
#if defined(__x86_64__)
	__asm__ volatile("movnti %1, %0" : "=m"(*to) : "r"(value));
#else
	*(volatile uint64_t *)to = value;
#endif
}

void limit_stream(void *to, size_t bytes, uint64_t value)
{
	uint64_t *p = to, *end = p + bytes / sizeof(*p);

	for (; p < end; p += 8) {
		stream(p, value);
		stream(p + 1, value);
		stream(p + 2, value);
		stream(p + 3, value);
		stream(p + 4, value);
		stream(p + 5, value);
		stream(p + 6, value);
		stream(p + 7, value);
	}
#if defined(__x86_64__)
	__asm__ volatile("sfence" ::: "memory");
#endif
}

/* A geometry as constants. bits0: index bits of level 0; bits: of the others; mask0: table address in a level 1 entry. */
struct shape {
	unsigned levels, page_lg2, bits0, bits;
	uint64_t mask0, mask;
	unsigned up; /* how far the masked address is shifted left */
};

static COP_ALWAYS_INLINE uint64_t load(char *base, uint64_t table, uint64_t index)
{
	return *(const volatile uint64_t *)(void *)(base + table + index * sizeof(uint64_t));
}

static COP_ALWAYS_INLINE uint64_t step(const struct limit_walk *w, const struct shape s, unsigned level, uint64_t table,
				       cop_va va)
{
	unsigned shift = level ? s.page_lg2 + s.bits0 + (level - 1) * s.bits : s.page_lg2;
	unsigned bits = level ? s.bits : s.bits0;

	return load(w->base, table, va >> shift & (COP_LG2(bits) - 1));
}

static COP_ALWAYS_INLINE uint64_t leaf_table(const struct limit_walk *w, const struct shape s, cop_va va)
{
	uint64_t table = w->root;

	if (s.levels > 4)
		table = (step(w, s, 4, table, va) & s.mask) << s.up;
	if (s.levels > 3)
		table = (step(w, s, 3, table, va) & s.mask) << s.up;
	table = (step(w, s, 2, table, va) & s.mask) << s.up;
	return (step(w, s, 1, table, va) & s.mask0) << s.up;
}

static COP_ALWAYS_INLINE uint64_t chase(const struct limit_walk *w, const struct shape s, cop_va va)
{
	return step(w, s, 0, leaf_table(w, s, va), va);
}

static COP_ALWAYS_INLINE uint64_t chase_dependent(const struct limit_walk *w, const struct shape s)
{
	uint64_t entry = 0;

	for (size_t i = 0; i < w->count; i++)
		entry = chase(w, s, w->va[i] + (entry & w->zero));
	return entry;
}

static COP_ALWAYS_INLINE uint64_t chase_independent(const struct limit_walk *w, const struct shape s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < w->count; i++)
		sum ^= chase(w, s, w->va[i]);
	return sum;
}

static COP_ALWAYS_INLINE uint64_t chase_write(const struct limit_walk *w, const struct limit_write *to,
					      const struct shape s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < w->count; i++) {
		uint64_t table = leaf_table(w, s, w->va[i]), index = w->va[i] >> s.page_lg2 & (COP_LG2(s.bits0) - 1);
		volatile uint64_t *entry = (uint64_t *)(void *)(w->base + table) + index;
		uint64_t *counter = (uint64_t *)(void *)(to->counters + (table >> to->grain_lg2 << to->stride_lg2));

		sum ^= *entry;
		__atomic_fetch_add(counter, to->add, __ATOMIC_RELAXED);
		*entry = to->value;
	}
	return sum;
}

static COP_ALWAYS_INLINE void chase_frames(const struct limit_walk *w, const struct limit_frames *f,
					   const struct shape s)
{
	const uint64_t slots = COP_LG2(s.bits0);
	uint64_t index = f->va >> s.page_lg2 & (slots - 1), table = leaf_table(w, s, f->va);

	for (size_t i = 0; i < f->pages; i++, index++) {
		if (index == slots) {
			table = leaf_table(w, s, f->va + (i << s.page_lg2));
			index = 0;
		}
		uint64_t frame = (load(w->base, table, index) & s.mask) << s.up >> s.page_lg2;

		__atomic_fetch_add((uint32_t *)(void *)(f->counters + (frame << f->stride_lg2)), f->add,
				   __ATOMIC_RELAXED);
		f->out[i] = frame;
	}
}

#define CHASE(NAME, ...)                                                                                               \
	static uint64_t dependent_##NAME(const struct limit_walk *w)                                                   \
	{                                                                                                              \
		return chase_dependent(w, (struct shape){__VA_ARGS__});                                                \
	}                                                                                                              \
	static uint64_t independent_##NAME(const struct limit_walk *w)                                                 \
	{                                                                                                              \
		return chase_independent(w, (struct shape){__VA_ARGS__});                                              \
	}                                                                                                              \
	static uint64_t write_##NAME(const struct limit_walk *w, const struct limit_write *to)                         \
	{                                                                                                              \
		return chase_write(w, to, (struct shape){__VA_ARGS__});                                                \
	}                                                                                                              \
	static void frames_##NAME(const struct limit_walk *w, const struct limit_frames *f)                            \
	{                                                                                                              \
		chase_frames(w, f, (struct shape){__VA_ARGS__});                                                       \
	}                                                                                                              \
	const struct limit_chase limit_chase_##NAME = {dependent_##NAME, independent_##NAME, write_##NAME,             \
						       frames_##NAME}

/* Arm ARM D8.3, descriptor formats: next-level table address, bits [47:m]. 16K: the root of a 48-bit tree has 2 entries. */
CHASE(arm64_4k, 4, 12, 9, 9, 0x0000fffffffff000, 0x0000fffffffff000, 0);
CHASE(arm64_16k, 4, 14, 11, 11, 0x0000ffffffffc000, 0x0000ffffffffc000, 0);
CHASE(arm64_64k, 3, 16, 13, 13, 0x0000ffffffff0000, 0x0000ffffffff0000, 0);
/* AMD APM 2, 5.3: bits [51:12]. */
CHASE(x86_64, 4, 12, 9, 9, 0x000ffffffffff000, 0x000ffffffffff000, 0);
/* RISC-V Privileged, 4.4 Sv39: PPN, bits [53:10]. */
CHASE(riscv64, 3, 12, 9, 9, 0x003ffffffffffc00, 0x003ffffffffffc00, 2);
/* z/Architecture PoP, 3: page-table origin, bits 0-52; segment-table origin, bits 0-51. */
CHASE(s390x, 3, 12, 8, 11, 0xfffffffffffff800, 0xfffffffffffff000, 0);
