/* SPDX-License-Identifier: MIT */
/*
 * Dumps that kdump and makedumpfile compressed, through libkdumpfile. The notes are read here: libkdumpfile keeps those
 * registers to itself that say where tables are.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect/input/input.h"

bool input_is_kdump(const struct input_bytes *bytes)
{
	return bytes->size >= 8 && (memcmp(bytes->data, "KDUMP   ", 8) == 0 ||
				    memcmp(bytes->data, "DISKDUMP", 8) == 0 || input_is_flattened(bytes));
}

#ifndef COPPICE_HAVE_KDUMPFILE
int input_kdump(struct input *in, struct input_bytes *bytes)
{
	(void)bytes;
	return input_fail(in->error, EOPNOTSUPP,
			  "%s: a kdump-compressed dump; expected coppice built with libkdumpfile", in->source->path);
}
#else
#include <libkdumpfile/kdumpfile.h>

/* struct disk_dump_header: the block size; struct kdump_sub_header, one block on (makedumpfile's IMPLEMENTATION). */
#define HEADER_VERSION    8
#define HEADER_MACHINE    272
#define HEADER_BLOCK_SIZE 428
#define SUB_INFO_OFFSET   32
#define SUB_NOTES_OFFSET  48
#define SUB_SIZE          96
#define HEADER_SUB_SIZE   432
#define HEADER_BITMAP     436
#define HEADER_SIZE       512
/* struct page_desc */
#define PAGE_DESC         24

struct kdump {
	struct insp_memory memory;
	kdump_ctx_t *context;
	int fd;
	struct input_bytes file;
	bool big;
	struct insp_extent *extents;
	size_t room;
};

static const void *kdump_frame(struct insp_memory *m, cop_pa pa, size_t bytes, void *buffer)
{
	struct kdump *k = (struct kdump *)m;
	size_t got = bytes;

	if (kdump_read(k->context, KDUMP_MACHPHYSADDR, pa, buffer, &got) != KDUMP_OK || got != bytes) {
		kdump_clear_err(k->context);
		return NULL;
	}
	return buffer;
}

static void kdump_close(struct insp_memory *m)
{
	struct kdump *k = (struct kdump *)m;

	if (k->context)
		kdump_free(k->context);
	if (k->fd >= 0)
		close(k->fd);
	input_free(&k->file);
	free(k->extents);
	free(k);
}

static uint64_t head_field(const struct kdump *k, unsigned at)
{
	return input_field(k->file.data + at, 4, k->big);
}

static const struct insp_memory_ops kdump_ops = {kdump_frame, kdump_close};

static bool add_extent(struct kdump *k, cop_pa start, cop_pa end)
{
	struct insp_extent *grown;

	if (k->memory.extent_count == k->room) {
		k->room = k->room ? 2 * k->room : 64;
		grown = realloc(k->extents, k->room * sizeof(*grown));
		if (!grown)
			return false;
		k->extents = grown;
	}
	k->extents[k->memory.extent_count++] = (struct insp_extent){start, end};
	k->memory.extents = k->extents;
	return true;
}

/* The machine's memory as the dump's first bitmap has it; what was left out of the dump is in it too. */
static int read_extents(struct input *in, struct kdump *k)
{
	kdump_attr_t map = {.type = KDUMP_BITMAP};
	kdump_num_t shift;
	kdump_addr_t first = 0, end;

	if (kdump_get_number_attr(k->context, KDUMP_ATTR_PAGE_SHIFT, &shift) != KDUMP_OK || shift < 12 || shift > 16)
		return input_fail(in->error, EINVAL, "%s: no page size that is known; expected 4K to 64K",
				  in->source->path);
	if (kdump_get_typed_attr(k->context, KDUMP_ATTR_MEMORY_PAGEMAP, &map) == KDUMP_OK) {
		k->memory.ram = true;
	} else {
		kdump_clear_err(k->context);
		if (kdump_get_typed_attr(k->context, KDUMP_ATTR_FILE_PAGEMAP, &map) != KDUMP_OK)
			return input_fail(in->error, EINVAL, "%s: no bitmap of its pages: %s", in->source->path,
					  kdump_get_err(k->context));
	}
	while (kdump_bmp_find_set(map.val.bitmap, &first) == KDUMP_OK) {
		end = first;
		if (kdump_bmp_find_clear(map.val.bitmap, &end) != KDUMP_OK || end <= first)
			break;
		if (end > INPUT_PA_MAX >> shift || !add_extent(k, first << shift, end << shift))
			break;
		first = end;
	}
	kdump_bmp_decref(map.val.bitmap);
	if (k->memory.extent_count == 0)
		return input_fail(in->error, EINVAL, "%s: its bitmap has no page; expected a dump of some memory",
				  in->source->path);
	return 0;
}

static bool inside(uint64_t limit, uint64_t offset, uint64_t size)
{
	return offset <= limit && size <= limit - offset;
}

/* Which of notes and VMCOREINFO the header has; those of old versions have neither. */
static unsigned last_note(const struct kdump *k)
{
	const uint64_t version = head_field(k, HEADER_VERSION);

	return version < 3 ? 0 : version < 4 ? SUB_INFO_OFFSET : SUB_NOTES_OFFSET;
}

static int check_notes(struct input *in, const struct kdump *k)
{
	const uint64_t block = head_field(k, HEADER_BLOCK_SIZE);

	if (!inside(k->file.size, block, SUB_SIZE))
		return input_fail(in->error, EINVAL, "%s: no second header at %#" PRIx64 ", the end is at %#zx",
				  in->source->path, block, k->file.size);
	for (unsigned at = SUB_INFO_OFFSET; at <= last_note(k); at += 16) {
		const uint64_t offset = input_field(k->file.data + block + at, 8, k->big);
		const uint64_t size = input_field(k->file.data + block + at + 8, 8, k->big);

		if (!inside(k->file.size, offset, size))
			return input_fail(in->error, EINVAL,
					  "%s: notes of %#" PRIx64 " bytes at %#" PRIx64 ", past the end at %#zx",
					  in->source->path, size, offset, k->file.size);
	}
	return 0;
}

static int read_notes(struct input *in, const struct kdump *k)
{
	const uint64_t block = head_field(k, HEADER_BLOCK_SIZE);
	int err = 0;

	for (unsigned at = SUB_INFO_OFFSET; at <= last_note(k) && !err; at += 16) {
		const uint64_t offset = input_field(k->file.data + block + at, 8, k->big);
		const uint64_t size = input_field(k->file.data + block + at + 8, 8, k->big);

		if (at == SUB_NOTES_OFFSET)
			err = input_notes(in, k->file.data + offset, size, k->big);
		else
			err = input_info_set(in, (const char *)k->file.data + offset, size, "the dump's header");
	}
	return err;
}

/*
 * libkdumpfile 0.5.1 takes sizes as they are and writes past its buffers if they are not what they should be; so a dump is
 * shown to it only after every descriptor was looked at.
 */
static int check_descriptors(struct input *in, const struct kdump *k)
{
	const uint64_t block = head_field(k, HEADER_BLOCK_SIZE), bitmap = head_field(k, HEADER_BITMAP) * block;
	const uint64_t first = (1 + head_field(k, HEADER_SUB_SIZE)) * block, descriptors = first + bitmap;
	const unsigned char *d = k->file.data + descriptors;
	uint64_t pages = 0;

	if (block < 4096 || block > 65536 || (block & (block - 1)))
		return input_fail(in->error, EINVAL, "%s: blocks of %" PRIu64 " bytes; expected 4K to 64K",
				  in->source->path, block);
	if (bitmap > INT64_MAX / 2 || !inside(k->file.size, first, bitmap))
		return input_fail(in->error, EINVAL,
				  "%s: bitmaps of %#" PRIx64 " bytes at %#" PRIx64 ", past the end at %#zx",
				  in->source->path, bitmap, first, k->file.size);
	/* The second half is of the pages that are there; a dump of one bitmap has no halves. */
	for (uint64_t i = first + (first + bitmap / 2 + block > descriptors ? 0 : bitmap / 2); i < descriptors; i++)
		pages += (unsigned)__builtin_popcount(k->file.data[i]);
	if (!inside(k->file.size, descriptors, pages * PAGE_DESC))
		return input_fail(in->error, EINVAL,
				  "%s: %" PRIu64 " page descriptors at %#" PRIx64
				  ", past the end at %#zx; is it cut off?",
				  in->source->path, pages, descriptors, k->file.size);
	for (uint64_t i = 0; i < pages; i++, d += PAGE_DESC) {
		const uint64_t offset = input_field(d, 8, k->big), size = input_field(d + 8, 4, k->big);

		if (size > block || !inside(k->file.size, offset, size))
			return input_fail(in->error, EINVAL,
					  "%s: page descriptor %" PRIu64 " says %" PRIu64 " bytes at %#" PRIx64
					  "; expected at most %" PRIu64 ", before the end at %#zx",
					  in->source->path, i, size, offset, block, k->file.size);
	}
	return 0;
}

/* libkdumpfile looks at a machine name only if the rest of the name is there too; QEMU leaves that out. */
static int name_arch(struct input *in, const char *name)
{
	static const struct {
		const char *name;
		enum cop_arch arch;
	} known[] = {{"x86_64", COP_X86_64}, {"aarch64", COP_ARM64}, {"riscv64", COP_RISCV64}, {"s390x", COP_S390X}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strncmp(name, known[i].name, 65) == 0) {
			in->arch = (int)known[i].arch;
			in->arch_from = "the dump's header";
			return 0;
		}
	if (in->source->arch >= 0)
		return 0;
	return input_fail(in->error, EINVAL,
			  "%s: machine '%.20s'; expected x86_64, aarch64, riscv64 or s390x, or --arch",
			  in->source->path, name);
}

static int open_kdump(struct input *in, struct kdump *k)
{
	int err = input_map(k->fd, in->source->path, &k->file, in->error);

	if (err)
		return err;
	if (k->file.size < HEADER_SIZE)
		return input_fail(in->error, EINVAL, "%s: %zu bytes of header; expected %u", in->source->path,
				  k->file.size, HEADER_SIZE);
	/* A block size is a small number in its own byte order only. */
	k->big = k->file.data[HEADER_BLOCK_SIZE] == 0 && k->file.data[HEADER_BLOCK_SIZE + 1] == 0;
	err = check_descriptors(in, k);
	if (!err)
		err = check_notes(in, k);
	if (err)
		return err;
	k->context = kdump_new();
	if (!k->context)
		return input_fail(in->error, ENOMEM, "%s: no memory", in->source->path);
	/* What is behind the end of a file is an error when it is read, and a signal when it is mapped. */
	if (kdump_set_number_attr(k->context, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER) != KDUMP_OK ||
	    kdump_open_fd(k->context, k->fd) != KDUMP_OK)
		return input_fail(in->error, EINVAL, "%s: libkdumpfile: %s", in->source->path,
				  kdump_get_err(k->context));
	err = name_arch(in, (const char *)k->file.data + HEADER_MACHINE);
	if (!err)
		err = read_extents(in, k);
	if (!err)
		err = read_notes(in, k);
	return err;
}

/* libkdumpfile wants a descriptor: of the file itself, or of a copy of what was unpacked. */
static int descriptor(struct input *in, const struct input_bytes *bytes)
{
	FILE *file;
	int fd;

	if (input_is_flattened(bytes))
		return input_unflatten(in, bytes);
	if (bytes->owner == INPUT_MAPPED) {
		fd = open(in->source->path, O_RDONLY | O_CLOEXEC);
	} else {
		file = tmpfile();
		fd = file && fwrite(bytes->data, 1, bytes->size, file) == bytes->size && fflush(file) == 0
			     ? dup(fileno(file))
			     : -1;
		if (file)
			(void)fclose(file);
	}
	return fd < 0 ? input_fail(in->error, errno, "%s: %s", in->source->path, strerror(errno)) : fd;
}

int input_kdump(struct input *in, struct input_bytes *bytes)
{
	struct kdump *k = calloc(1, sizeof(*k));
	uint64_t pages = 0;
	int err;

	if (!k)
		return input_fail(in->error, ENOMEM, "%s: no memory", in->source->path);
	k->memory = (struct insp_memory){.ops = &kdump_ops, .kind = "kdump-compressed"};
	k->fd = descriptor(in, bytes);
	err = k->fd < 0 ? k->fd : open_kdump(in, k);
	if (err) {
		kdump_close(&k->memory);
		return err;
	}
	input_free(bytes);
	in->machine->memory = &k->memory;
	for (size_t i = 0; i < k->memory.extent_count; i++)
		pages += (k->extents[i].end - k->extents[i].start) >> 12;
	input_found(in, "memory: %" PRIu64 " KB in %zu pieces (kdump-compressed)", pages << 2, k->memory.extent_count);
	return 0;
}
#endif
