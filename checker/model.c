/* SPDX-License-Identifier: MIT */
/* What a verdict is about: the machine that was simulated, and what real ones do that it does not. */
#include "checker/explore.h"

const char *checker_order_name(enum sim_memory_order order)
{
	static const char *const name[] = {"sc", "tso", "weak"};

	return name[order];
}

static const char *order_text(enum sim_memory_order order)
{
	static const char *const text[] = {
		"sequentially consistent: every store is seen by all at once",
		"TSO: each CPU's stores wait in a buffer, first in, first out, and only it sees them before",
		("weak: stores overtake each other up to a release or fence, loads are satisfied early up to an "
		 "acquire or fence, all CPUs agree on the order in which stores are made"),
	};

	return text[order];
}

const char *checker_leaves_out(enum sim_memory_order order)
{
#define ALWAYS "devices, machine checks, interrupts that nobody in the program sends"
#define STORES                                                                                                         \
	"; stores through a translation, unlocking and the end of a read section that wait in a buffer (they are "     \
	"made "                                                                                                        \
	"in program order)"
	static const char *const text[] = {
		"stores that wait and loads that come early; " ALWAYS,
		ALWAYS STORES,
		ALWAYS STORES
		"; load buffering (a load that waits while a later store is made), read-modify-writes that "
		"wait, order by dependences (none is assumed)",
	};

	return text[order];
}

void checker_model(FILE *f, const struct checker_verdict *v)
{
	fprintf(f, "model: %u CPU%s, %llu KB of memory in frames of %llu KB; %s\nleft out: %s\n", v->cpus,
		v->cpus == 1 ? "" : "s", (unsigned long long)(v->memory_bytes >> 10),
		(unsigned long long)(v->frame_bytes >> 10), order_text(v->order), checker_leaves_out(v->order));
}
