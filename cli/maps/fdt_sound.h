/* SPDX-License-Identifier: MIT */
#ifndef CLI_MAPS_FDT_SOUND_H
#define CLI_MAPS_FDT_SOUND_H

#include <stddef.h>

/**
 * fdt_sound() - is the blob one that libfdt can be let near?
 * @blob: aligned to 8
 *
 * fdt_check_full() of libfdt 1.6 does not survive every blob: a property length that wraps around sends it back for
 * ever, and a root without a slash in a tree of a version before 16 is a null pointer. So the block is walked here
 * first, with sums that cannot wrap.
 *
 * Return: 0 or a negative FDT_ERR_*.
 */
int fdt_sound(const void *blob, size_t bytes);

#endif
