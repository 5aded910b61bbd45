/* SPDX-License-Identifier: MIT */
/* kdump-compressed dumps of a recorded kernel, plain and flattened, packed by zlib and not: the same leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <elf.h>

#include "tests/inspect/elf_writer.h"

#ifdef COPPICE_HAVE_KDUMPFILE
/* libkdumpfile 0.5.1 does not free all of a dump that it closes. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libkdumpfile";
}

#define BLOCK 4096

struct dump_file {
	unsigned char *data;
	size_t size;
};

static void put(unsigned char *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

/* struct disk_dump_header and kdump_sub_header as makedumpfile writes them for x86-64. */
static void headers(unsigned char *d, const struct elf_image *notes, uint64_t max_pfn, size_t bitmap_blocks,
		    size_t notes_at)
{
	memcpy(d, "KDUMP   ", 8);
	put(d + 8, 6, 4);
	memcpy(d + 12, "Linux", 5);

	memcpy(d + 12 + 130, "6.1.0", 5);

	memcpy(d + 12 + 65, "guest", 5);
	memcpy(d + 12 + 195, "#1 SMP", 6);
	memcpy(d + 12 + 260, "x86_64", 6);
	put(d + 408, 1700000000, 8);
	put(d + 424, 1, 4);
	put(d + 428, BLOCK, 4);
	put(d + 432, 2, 4);
	put(d + 436, bitmap_blocks, 4);
	put(d + 440, max_pfn, 4);
	put(d + BLOCK + 48, notes_at, 8);
	put(d + BLOCK + 56, notes->notes_size, 8);

	put(d + BLOCK + 88, max_pfn, 8);
	put(d + BLOCK + 96, max_pfn, 8);
	memcpy(d + notes_at, notes->notes, notes->notes_size);
}

/* Bits of a deflate stream, lowest first; Huffman codes go highest first. */
struct bits {
	unsigned char out[8192];
	size_t count;
};

static void bits_put(struct bits *b, unsigned value, unsigned width, bool code)
{
	for (unsigned i = 0; i < width; i++, b->count++)
		if (value >> (code ? width - 1 - i : i) & 1)
			b->out[b->count / 8] |= (unsigned char)(1U << b->count % 8);
}

/* Fixed codes (RFC 1951, 3.2.6): literals, and copies of 10 bytes from 8 bytes before (code 264, distance code 5). */
static void deflate(struct bits *b, const unsigned char *page)
{
	bits_put(b, 3, 3, false);
	for (unsigned i = 0; i < BLOCK;) {
		if (i >= 8 && i + 10 <= BLOCK && memcmp(page + i, page + i - 8, 10) == 0) {
			bits_put(b, 264 - 256, 7, true);
			bits_put(b, 5, 5, true);
			bits_put(b, 1, 1, false);
			i += 10;
			continue;
		}
		if (page[i] < 144)
			bits_put(b, 0x30U + page[i], 8, true);
		else
			bits_put(b, 0x190U + page[i] - 144, 9, true);
		i++;
	}
	bits_put(b, 0, 7, true);
}

/* As makedumpfile: a page that packing does not make smaller is stored as it is. */
static size_t pack(unsigned char *out, const unsigned char *page, bool zlib, bool *packed)
{
	struct bits b = {.out = {0x78, 0x01}, .count = 16};
	uint32_t low = 1, high = 0;
	size_t size;

	deflate(&b, page);
	size = (b.count + 7) / 8;
	*packed = zlib && size + 4 < BLOCK;
	if (!*packed) {
		memcpy(out, page, BLOCK);
		return BLOCK;
	}
	memcpy(out, b.out, size);
	for (unsigned i = 0; i < BLOCK; i++) {
		low = (low + page[i]) % 65521;
		high = (high + low) % 65521;
	}
	for (unsigned i = 0; i < 4; i++)
		out[size + i] = (unsigned char)((high << 16 | low) >> (24 - 8 * i));
	return size + 4;
}

/* Header, sub-header, notes, two bitmaps, descriptors of 24 bytes, pages. */
static struct dump_file build(const struct input_frames *f, const struct elf_image *notes, bool zlib)
{
	const uint64_t max_pfn = (f->frame[f->count - 1].pa >> 12) + 1;
	const size_t bitmap = COP_ALIGN_UP((max_pfn + 7) / 8, BLOCK), first = 3 * BLOCK;
	const size_t descriptors = first + 2 * bitmap, pages = descriptors + 24 * f->count;
	struct dump_file d = {calloc(1, pages + f->count * (BLOCK + 64)), pages};

	assert_non_null(d.data);
	assert_true(notes->notes_size <= BLOCK);
	headers(d.data, notes, max_pfn, 2 * bitmap / BLOCK, 2 * BLOCK);
	for (size_t i = 0; i < f->count; i++) {
		const uint64_t pfn = f->frame[i].pa >> 12;
		unsigned char *descriptor = d.data + descriptors + 24 * i;
		bool packed;
		const size_t size = pack(d.data + d.size, f->frame[i].bytes, zlib, &packed);

		d.data[first + pfn / 8] |= (unsigned char)(1U << pfn % 8);
		d.data[first + bitmap + pfn / 8] |= (unsigned char)(1U << pfn % 8);
		put(descriptor, d.size, 8);
		put(descriptor + 8, size, 4);
		put(descriptor + 12, packed, 4);
		d.size += size;
	}
	return d;
}

static void big(unsigned char *p, uint64_t v)
{
	for (unsigned i = 0; i < 8; i++)
		p[i] = (unsigned char)(v >> (56 - 8 * i));
}

/* In pieces of odd size, the last one first. */
static struct dump_file flatten(const struct dump_file *d)
{
	const size_t piece = 70001, count = (d->size + piece - 1) / piece;
	struct dump_file out = {calloc(1, d->size + 4096 + 16 * (count + 1)), 4096};

	assert_non_null(out.data);
	memcpy(out.data, "makedumpfile", 12);
	out.data[23] = out.data[31] = 1;
	for (size_t i = count; i-- > 0;) {
		const size_t at = i * piece, size = d->size - at < piece ? d->size - at : piece;

		big(out.data + out.size, at);
		big(out.data + out.size + 8, size);
		memcpy(out.data + out.size + 16, d->data + at, size);
		out.size += 16 + size;
	}
	memset(out.data + out.size, 0xff, 16);
	out.size += 16;
	return out;
}

static struct dump_file recorded(bool zlib)
{
	struct input_frames f = input_frames_of("amd64-4level");
	struct elf_image notes = {.wide = true};
	struct dump_file d;

	elf_qemu_note(&notes, 0x80050033, 0x5660000, 0x750eb0);
	d = build(&f, &notes, zlib);
	input_frames_free(&f);
	return d;
}

static void check(const struct dump_file *d)
{
	const struct insp_source s = {.path = input_path("kdump"), .arch = -1};
	struct insp_machine m;

	input_write(s.path, d->data, d->size);
	m = input_opened(&s);
	assert_string_equal(m.memory->kind, "kdump-compressed");
	assert_true(m.memory->ram);
	input_has_leaves(&m, "amd64-4level");
	insp_close(&m);
}

static void plain(void **state)
{
	struct dump_file d = recorded(false);

	check(&d);
	free(d.data);
}

static void zlib_pages(void **state)
{
	struct dump_file d = recorded(true);

	check(&d);
	free(d.data);
}

static void flattened(void **state)
{
	struct dump_file d = recorded(true), flat = flatten(&d);

	check(&flat);
	free(d.data);
	free(flat.data);
}

static void refuse(const struct dump_file *d, size_t size, const char *part)
{
	const struct insp_source s = {.path = input_path("damaged"), .arch = -1};

	input_write(s.path, d->data, size);
	input_refused(&s, part);
}

static void damaged(void **state)
{
	struct dump_file d = recorded(false), flat = flatten(&d);

	refuse(&d, 100, "100 bytes of header");
	refuse(&d, 4096, "bitmaps of");
	refuse(&d, 16384, "bitmaps of");
	refuse(&d, 20480, "page descriptors at 0x5000, past the end");
	refuse(&d, d.size - 1, "page descriptor ");
	refuse(&flat, flat.size - 16, "no end mark");
	refuse(&flat, flat.size / 2, "past the end");
	memset(flat.data + 4096, 0x7f, 8);
	refuse(&flat, flat.size, "flattened piece at byte 4096");
	put(d.data + 5 * BLOCK + 8, BLOCK + 1, 4);
	refuse(&d, d.size, "page descriptor 0 says 4097 bytes");
	memset(d.data + 272, 'v', 65);
	put(d.data + 5 * BLOCK + 8, BLOCK, 4);
	refuse(&d, d.size, "machine 'vvvvvvvvvv");
	put(d.data + 428, 512, 4);
	refuse(&d, d.size, "blocks of 512 bytes");
	free(d.data);
	free(flat.data);
}
#endif

int main(void)
{
#ifdef COPPICE_HAVE_KDUMPFILE
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(zlib_pages),
		cmocka_unit_test(flattened),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
#else
	return 0;
#endif
}
