/* SPDX-License-Identifier: MIT */
/*
 * VMCOREINFO: KEY=VALUE lines that Linux leaves for dump tools (Documentation/admin-guide/kdump/vmcoreinfo.rst), in a note or
 * at the start of a page.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/input/input.h"

#define INFO_MAX  (1U << 20)
#define INFO_PAGE 4096
#define FIRST     "OSRELEASE="

int input_info_set(struct input *in, const char *text, size_t size, const char *from)
{
	const char *end = memchr(text, 0, size);
	char *copy;

	if (end)
		size = (size_t)(end - text);
	if (in->vmcoreinfo || size == 0)
		return 0;
	if (size > INFO_MAX) {
		input_found(in, "VMCOREINFO: %zu bytes in %s, left out", size, from);
		return 0;
	}
	copy = malloc(size + 1);
	if (!copy)
		return input_fail(in->error, ENOMEM, "%s: no memory for %zu bytes of VMCOREINFO", in->source->path,
				  size);
	memcpy(copy, text, size);
	copy[size] = 0;
	in->vmcoreinfo = copy;
	in->vmcoreinfo_from = from;
	return 0;
}

/* The kernel's page of it, and the note it is copied to on a crash: text at the start, or behind the note's header. */
static bool starts_here(const char *page, unsigned *at)
{
	for (*at = 0; *at <= 24; *at += 24)
		if (memcmp(page + *at, FIRST, sizeof(FIRST) - 1) == 0)
			return true;
	return false;
}

static bool looks_right(const char *text, size_t size)
{
	const char *end = memchr(text, 0, size);

	return memmem(text, end ? (size_t)(end - text) : size, "\nSYMBOL(swapper_pg_dir)=", 24) ||
	       memmem(text, end ? (size_t)(end - text) : size, "\nSYMBOL(init_top_pgt)=", 22);
}

void input_info_scan(struct input *in)
{
	struct insp_memory *m = in->machine->memory;
	void *buffer = aligned_alloc(64, INFO_PAGE);
	char where[64];
	unsigned at;

	if (!buffer)
		return;
	for (size_t i = 0; i < m->extent_count && !in->vmcoreinfo; i++)
		for (cop_pa pa = COP_ALIGN_UP(m->extents[i].start, INFO_PAGE);
		     m->extents[i].end - INFO_PAGE >= pa && m->extents[i].end >= INFO_PAGE; pa += INFO_PAGE) {
			const char *page = insp_frame(m, pa, INFO_PAGE, buffer);

			if (!page || !starts_here(page, &at) || !looks_right(page + at, INFO_PAGE - at))
				continue;
			if (input_info_set(in, page + at, INFO_PAGE - at, "memory") == 0) {
				(void)snprintf(where, sizeof(where), "%#" PRIx64, pa + at);
				input_found(in, "VMCOREINFO: at physical address %s", where);
			}
			break;
		}
	free(buffer);
}

static const char *value_of(const struct input *in, const char *key, size_t *length)
{
	const size_t size = strlen(key);

	for (const char *line = in->vmcoreinfo; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, size) == 0 && line[size] == '=') {
			*length = strcspn(line + size + 1, "\n");
			return line + size + 1;
		}
	}
	return NULL;
}

/* NUMBER() is signed decimal or 0x and hexadecimal; SYMBOL() and the KERNELOFFSET kind are hexadecimal without 0x. */
bool input_info(const struct input *in, const char *key, uint64_t *value)
{
	const bool number =
		strncmp(key, "NUMBER(", 7) == 0 || strncmp(key, "SIZE(", 5) == 0 || strncmp(key, "PAGESIZE", 8) == 0;
	size_t length;
	const char *text = value_of(in, key, &length);
	char *end;

	*value = 0;
	if (!text || length == 0)
		return false;
	if (*text == '-')
		*value = (uint64_t)strtoll(text, &end, 10);
	else
		*value = strtoull(text, &end, number ? (text[0] == '0' && text[1] == 'x' ? 16 : 10) : 16);
	return end == text + length;
}

/*
 * The memmap begins with the struct page of where memory begins (arm64, riscv64), which is not frame 0. Kernels that export
 * "vmemmap" say where that one would be.
 */
static void find_vmemmap(const struct input *in, struct insp_kernel *k)
{
	uint64_t v, page;

	if (!input_info(in, "PAGESIZE", &page) || page < 4096)
		page = 4096;
	if (input_info(in, "SYMBOL(vmemmap)", &v))
		k->vmemmap = v;
	else if (k->vmemmap &&
		 (input_info(in, "NUMBER(PHYS_OFFSET)", &v) || input_info(in, "NUMBER(phys_ram_base)", &v)))
		k->vmemmap -= v / page * (k->struct_page_size ? k->struct_page_size : 64);
}

void input_info_kernel(struct input *in)
{
	static const struct {
		const char *key;
		size_t at;
	} fields[] = {
		{"SYMBOL(swapper_pg_dir)", offsetof(struct insp_kernel, swapper_pg_dir)},
		{"SYMBOL(_stext)", offsetof(struct insp_kernel, text_start)},
		{"NUMBER(PAGE_OFFSET)", offsetof(struct insp_kernel, page_offset)},
		{"NUMBER(VMEMMAP_START)", offsetof(struct insp_kernel, vmemmap)},
		{"NUMBER(SECTION_SIZE_BITS)", offsetof(struct insp_kernel, section_bits)},
		{"SIZE(page)", offsetof(struct insp_kernel, struct_page_size)},
		{"NUMBER(phys_base)", offsetof(struct insp_kernel, phys_base)},
		{"KERNELOFFSET", offsetof(struct insp_kernel, kaslr_offset)},
		{"NUMBER(kimage_voffset)", offsetof(struct insp_kernel, kimage_voffset)},
		{"NUMBER(VA_BITS)", offsetof(struct insp_kernel, va_bits)},
	};
	struct insp_kernel *k = &in->machine->kernel;
	size_t length;
	const char *release = value_of(in, "OSRELEASE", &length);
	uint64_t v;

	for (unsigned i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (input_info(in, fields[i].key, &v))
			memcpy((char *)k + fields[i].at, &v, sizeof(v));
	if (k->swapper_pg_dir == 0 && input_info(in, "SYMBOL(init_top_pgt)", &v))
		k->swapper_pg_dir = v;
	find_vmemmap(in, k);
	if (release) {
		if (length >= sizeof(k->release))
			length = sizeof(k->release) - 1;
		memcpy(k->release, release, length);
		k->release[length] = 0;
		input_found(in, "kernel: %s (VMCOREINFO of %s)", k->release, in->vmcoreinfo_from);
	}
}
