/* SPDX-License-Identifier: MIT */
/* Threads that walk, translate and touch while memory comes and goes, and know what they must see. */
#ifndef CLI_RUN_READERS_H
#define CLI_RUN_READERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "cli/run/machine.h"

struct reader_result {
	uint64_t looks;  /* frames looked at */
	uint64_t absent; /* of these, frames that had no struct page just then */
	uint64_t used;   /* of these, pages whose contents were there and right */
	uint64_t wrong;
	char first_wrong[160];
};

struct readers;

/* Starts CPUs options->cpus and on. Exits with a message where the host gives no threads. */
struct readers *readers_start(struct run_machine *);

/* Stops them and sums up. */
struct reader_result readers_stop(struct readers *);

#endif
