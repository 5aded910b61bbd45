/* SPDX-License-Identifier: MIT */
/*
 * Physical memory of a running, crashed or imagined machine, whatever file or socket holds it.
 */
#ifndef COPPICE_INSPECT_MEMORY_H
#define COPPICE_INSPECT_MEMORY_H

#include <coppice/types.h>

struct insp_memory;

/* One line: what was wrong, where, and what was expected. */
struct insp_error {
	char text[256];
};

/* Physical addresses [start, end). */
struct insp_extent {
	cop_pa start, end;
};

/**
 * struct insp_memory_ops - one kind of source
 * @frame: @bytes (a power of two, at most 64K) at @pa (aligned to it): where they lie if the source is mapped, else @buffer
 *	after they were copied to it, in either case aligned to 8 bytes as @buffer is; NULL if the source does not have all of them. Stays valid until close, or as long
 *	as @buffer does.
 * @close: also frees the struct
 */
struct insp_memory_ops {
	const void *(*frame)(struct insp_memory *, cop_pa pa, size_t bytes, void *buffer);
	void (*close)(struct insp_memory *);
};

/**
 * struct insp_memory - what every source starts with
 * @kind: what it is, for people: "ELF core", "frames", "kdump-compressed", ...
 * @extents: what the source has, ascending, not touching
 * @ram: the extents are the machine's memory, so that an address outside of them is no memory (not so for frames alone)
 */
struct insp_memory {
	const struct insp_memory_ops *ops;
	const char *kind;
	const struct insp_extent *extents;
	size_t extent_count;
	bool ram;
};

static inline const void *insp_frame(struct insp_memory *m, cop_pa pa, size_t bytes, void *buffer)
{
	return m->ops->frame(m, pa, bytes, buffer);
}

#endif
