// SPDX-License-Identifier: MIT
#include "inspect/views/line.h"

char *insp_hex(char *to, uint64_t value)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned n = value ? (67 - (unsigned)__builtin_clzll(value)) / 4 : 1;

	*to++ = '0';
	*to++ = 'x';
	for (unsigned i = n; i-- > 0; value >>= 4)
		to[i] = digits[value & 15];
	return to + n;
}

char *insp_leaf_line(char *to, const struct insp_run *run, unsigned i)
{
	const uint64_t bytes = COP_LG2(run->lg2);

	to = insp_hex(to, run->va + i * bytes);
	*to++ = ' ';
	to = insp_hex(to, run->pa + i * bytes);
	*to++ = ' ';
	to = insp_hex(to, bytes);
	*to++ = ' ';
	to = insp_hex(to, run->entry + i * run->step);
	*to++ = '\n';
	return to;
}
