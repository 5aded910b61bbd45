/* SPDX-License-Identifier: MIT */
/*
 * ELF cores: QEMU's dump-guest-memory, /proc/vmcore, makedumpfile -E, and /proc/kcore. Program headers say where memory
 * lies; notes hold registers. Everything is checked against the size of the file before it is looked at.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect/input/input.h"

/* Headers and notes of /proc/kcore, which cannot be mapped. */
#define KCORE_HEAD (1U << 20)

/**
 * struct elf - a file on its way in
 * @head: what can be looked at
 * @limit: where segments have to end; the file's size
 */
struct elf {
	struct input *in;
	struct input_bytes head;
	uint64_t limit, phoff;
	bool big, wide;
	unsigned phentsize;
	uint64_t phnum;
};

struct header {
	uint32_t type;
	uint64_t offset, paddr, vaddr, filesz;
};

/* A field of @bytes at @at; the caller has checked that it is there. */
static uint64_t field(const struct elf *e, uint64_t at, unsigned bytes)
{
	return input_field(e->head.data + at, bytes, e->big);
}

static bool inside(uint64_t limit, uint64_t offset, uint64_t size)
{
	return offset <= limit && size <= limit - offset;
}

bool input_is_elf(const struct input_bytes *bytes)
{
	return bytes->size >= SELFMAG && memcmp(bytes->data, ELFMAG, SELFMAG) == 0;
}

static int machine(struct elf *e)
{
	static const struct {
		unsigned number;
		enum cop_arch arch;
	} known[] = {{EM_X86_64, COP_X86_64}, {EM_AARCH64, COP_ARM64}, {EM_RISCV, COP_RISCV64}, {EM_S390, COP_S390X}};
	const unsigned number = (unsigned)field(e, 18, 2);

	for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].number == number) {
			e->in->arch = (int)known[i].arch;
			e->in->arch_from = "e_machine";
			return 0;
		}
	return input_fail(e->in->error, EINVAL,
			  "%s: e_machine is %u; expected 62 (x86-64), 183 (arm64), 243 (riscv64) or 22 (s390x)",
			  e->in->source->path, number);
}

static int ident(struct elf *e)
{
	const char *path = e->in->source->path;

	if (e->head.size < sizeof(Elf64_Ehdr))
		return input_fail(e->in->error, EINVAL, "%s: %zu bytes of ELF header; expected 64", path, e->head.size);
	if (e->head.data[EI_CLASS] != ELFCLASS64 && e->head.data[EI_CLASS] != ELFCLASS32)
		return input_fail(e->in->error, EINVAL, "%s: ELF class %u; expected 1 (32-bit) or 2 (64-bit)", path,
				  e->head.data[EI_CLASS]);
	if (e->head.data[EI_DATA] != ELFDATA2LSB && e->head.data[EI_DATA] != ELFDATA2MSB)
		return input_fail(e->in->error, EINVAL, "%s: ELF byte order %u; expected 1 (little) or 2 (big)", path,
				  e->head.data[EI_DATA]);
	e->wide = e->head.data[EI_CLASS] == ELFCLASS64;
	e->big = e->head.data[EI_DATA] == ELFDATA2MSB;
	if (field(e, 16, 2) != ET_CORE)
		return input_fail(e->in->error, EINVAL, "%s: ELF type %u; expected 4 (core)", path,
				  (unsigned)field(e, 16, 2));
	return machine(e);
}

/* More than 65534 program headers: the count is in section 0 (gABI, e_phnum and PN_XNUM). */
static int count_headers(struct elf *e)
{
	const uint64_t shoff = e->wide ? field(e, 40, 8) : field(e, 32, 4);
	const unsigned at = e->wide ? 44 : 28;

	e->phoff = e->wide ? field(e, 32, 8) : field(e, 28, 4);
	e->phentsize = (unsigned)field(e, e->wide ? 54 : 42, 2);
	e->phnum = field(e, e->wide ? 56 : 44, 2);
	if (e->phentsize < (e->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return input_fail(e->in->error, EINVAL, "%s: program headers of %u bytes; expected %zu",
				  e->in->source->path, e->phentsize, e->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
	if (e->phnum == PN_XNUM) {
		if (!inside(e->head.size, shoff, e->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr)))
			return input_fail(e->in->error, EINVAL, "%s: section 0 at %#" PRIx64 ", past the end at %#zx",
					  e->in->source->path, shoff, e->head.size);
		e->phnum = field(e, shoff + at, 4);
	}
	if (!inside(e->head.size, e->phoff, e->phnum * e->phentsize))
		return input_fail(e->in->error, EINVAL,
				  "%s: %" PRIu64 " program headers at %#" PRIx64 ", past the end at %#zx",
				  e->in->source->path, e->phnum, e->phoff, e->head.size);
	return 0;
}

static struct header header(const struct elf *e, uint64_t i)
{
	const uint64_t at = e->phoff + i * e->phentsize;

	if (e->wide)
		return (struct header){(uint32_t)field(e, at, 4), field(e, at + 8, 8), field(e, at + 24, 8),
				       field(e, at + 16, 8), field(e, at + 32, 8)};
	return (struct header){(uint32_t)field(e, at, 4), field(e, at + 4, 4), field(e, at + 12, 4),
			       field(e, at + 8, 4), field(e, at + 16, 4)};
}

static int load(struct elf *e, uint64_t i, const struct header *h, struct input_segment *s)
{
	if (!inside(e->limit, h->offset, h->filesz))
		return input_fail(e->in->error, EINVAL,
				  "%s: segment %" PRIu64 " is %#" PRIx64 " bytes at %#" PRIx64
				  ", past the end at %#" PRIx64 "; is the dump cut off?",
				  e->in->source->path, i, h->filesz, h->offset, e->limit);
	if (h->paddr >= INPUT_PA_MAX || h->filesz > INPUT_PA_MAX - h->paddr)
		return input_fail(e->in->error, EINVAL,
				  "%s: segment %" PRIu64 " has %#" PRIx64 " bytes at address %#" PRIx64
				  "; expected an end below 2^56",
				  e->in->source->path, i, h->filesz, h->paddr);
	*s = (struct input_segment){h->paddr, h->paddr + h->filesz, h->offset};
	return 0;
}

/* Of /proc/kcore, segments without a physical address are vmalloc areas: -1, or 0 in old kernels. */
static bool is_physical(const struct header *h, bool live)
{
	return h->filesz && !(live && (h->paddr == UINT64_MAX || (h->paddr == 0 && h->filesz > 1ULL << 44)));
}

static int headers(struct elf *e, bool live, struct input_segment *segment, size_t *count)
{
	int err = 0;

	for (uint64_t i = 0; i < e->phnum && !err; i++) {
		const struct header h = header(e, i);

		if (h.type == PT_NOTE && inside(e->head.size, h.offset, h.filesz))
			err = input_notes(e->in, e->head.data + h.offset, h.filesz, e->big);
		else if (h.type == PT_NOTE)
			input_found(e->in, "notes: %#" PRIx64 " bytes at %#" PRIx64 " are past the end, left out",
				    h.filesz, h.offset);
		else if (h.type == PT_LOAD && is_physical(&h, live))
			err = load(e, i, &h, &segment[(*count)++]);
	}
	if (!err && *count == 0)
		err = input_fail(e->in->error, EINVAL,
				 "%s: none of %" PRIu64 " program headers is memory; expected PT_LOAD",
				 e->in->source->path, e->phnum);
	return err;
}

static int open_elf(struct elf *e, const char *kind, struct input_bytes *bytes, int fd)
{
	struct input_segment *segment;
	size_t count = 0;
	int err = ident(e);

	if (!err)
		err = count_headers(e);
	if (err)
		return err;
	segment = calloc(e->phnum + 1, sizeof(*segment));
	if (!segment)
		return input_fail(e->in->error, ENOMEM, "%s: no memory for %" PRIu64 " segments", e->in->source->path,
				  e->phnum);
	err = headers(e, fd >= 0, segment, &count);
	if (!err)
		err = input_segments(e->in, kind, bytes, fd, segment, count);
	if (err)
		free(segment);
	return err;
}

int input_elf(struct input *in, struct input_bytes *bytes)
{
	struct elf e = {.in = in, .head = {bytes->data, bytes->size, INPUT_BORROWED}, .limit = bytes->size};

	return open_elf(&e, "ELF core", bytes, -1);
}

int input_kcore(struct input *in, const char *path)
{
	struct elf e = {.in = in, .limit = UINT64_MAX};
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char *head;
	ssize_t got;
	int err;

	if (fd < 0)
		return input_fail(in->error, errno, "%s: %s%s", path, strerror(errno),
				  errno == EACCES || errno == EPERM ? "; it takes CAP_SYS_RAWIO" : "");
	head = malloc(KCORE_HEAD);
	if (!head) {
		close(fd);
		return input_fail(in->error, ENOMEM, "%s: no memory", path);
	}
	got = pread(fd, head, KCORE_HEAD, 0);
	e.head = (struct input_bytes){head, got > 0 ? (size_t)got : 0, INPUT_HEAP};
	if (got < 0)
		err = input_fail(in->error, errno, "%s: %s", path, strerror(errno));
	else if (!input_is_elf(&e.head))
		err = input_fail(in->error, EINVAL, "%s is no ELF file; expected /proc/kcore", path);
	else
		err = open_elf(&e, "/proc/kcore", NULL, fd);
	input_free(&e.head);
	if (err)
		close(fd);
	return err;
}
